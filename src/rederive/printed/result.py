"""The one-row result that every recomputation and every consistency check returns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational
from types import MappingProxyType

from rederive.printed.evidence import Verdict
from rederive.printed.number import P_VALUE_DOMAIN, PrintedNumber, format_like
from rederive.printed.rounding import RoundingRule

DECISION_SLACK = 1e-12
"""Rounding error allowed when a p value is held against a significance level."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What one convention makes of the printed inputs.

    Parameters
    ----------
    convention : str
        The convention in words: test, variance, sample size, reading, rounding rule.
    stated : bool
        Whether the article states it (or leaves no other way of reading it).
    low, high : float
        Closed range of values reachable from the rounded inputs.
    point : float or None
        The value at the inputs exactly as printed; ``None`` where the inputs fix no single value.
    meets : bool
        Whether a reachable value would be printed as the published figure.
    usual : bool
        Whether anybody would defend it for such data; if not, no decision hangs on it.
    """

    convention: str
    stated: bool
    low: float
    high: float
    point: float | None
    meets: bool
    usual: bool = True

    @classmethod
    def of_values(
        cls,
        convention: str,
        values: Iterable[Rational | float],
        meets: bool,
        stated: bool = True,
        usual: bool = True,
    ) -> Reach:
        """Return the reach of single values; it has a point where all of them are the same."""
        ends = [float(value) for value in values]
        low, high = min(ends), max(ends)
        return cls(convention, stated, low, high, low if low == high else None, meets, usual)

    def decision(self, alpha: float) -> bool | None:
        """Return whether p lies below ``alpha`` everywhere (True), nowhere (False), or in part.

        A p that equals ``alpha`` but for rounding error (exact tests make such ties) counts as in
        part: floating point cannot tell on which side it lies.
        """
        if self.high < alpha - DECISION_SLACK:
            return True
        if self.low > alpha + DECISION_SLACK:
            return False
        return None


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A printed figure beside what its inputs can give, under every convention tried.

    Parameters
    ----------
    method : str
        Name of the recomputation.
    printed : PrintedNumber or None
        The published figure, if there is one.
    reaches : tuple of Reach
        One entry for each convention tried; never empty.
    remark : str
        What a reader must know beside the numbers, in words.
    possibilities : tuple of Reach
        What people do without saying so and what would give the printed figure. They are named
        beside the verdict and never change it.
    """

    method: str
    printed: PrintedNumber | None
    reaches: tuple[Reach, ...]
    remark: str = ""
    possibilities: tuple[Reach, ...] = ()

    @property
    def stated(self) -> tuple[Reach, ...]:
        """The conventions that the article states."""
        return tuple(reach for reach in self.reaches if reach.stated)

    @property
    def main(self) -> Reach:
        """The convention to show first: a stated one, else one that meets, else the first."""
        meeting = [reach for reach in self.reaches if reach.meets]
        return (*self.stated, *meeting, *self.reaches)[0]

    @property
    def inside(self) -> bool:
        """Whether the printed figure is reachable under any convention tried."""
        return any(reach.meets for reach in self.reaches)

    @property
    def conditions(self) -> tuple[str, ...]:
        """All conventions under which the printed figure is reachable."""
        return tuple(reach.convention for reach in self.reaches if reach.meets)

    @property
    def verdict(self) -> Verdict:
        """Verdict of the comparison.

        All stated conventions must reach the figure for ``same`` or ``within rounding``: two
        stated conventions that disagree (two readings of an ambiguous input) leave a choice open.
        Without a published figure there is nothing to compare, and no verdict.
        """
        if self.printed is None:
            return Verdict.NONE
        if self.stated and all(reach.meets for reach in self.stated):
            if all(self.prints_same(reach) for reach in self.stated):
                return Verdict.SAME
            return Verdict.WITHIN_ROUNDING
        return Verdict.NEEDS_CHOICE if self.inside else Verdict.DIFFERS

    def prints_same(self, reach: Reach) -> bool:
        """Return whether the value at the inputs as printed is printed as the same string."""
        if self.printed is None or reach.point is None or not math.isfinite(reach.point):
            return False
        return format_like(Fraction(reach.point), self.printed) == str(self.printed)

    def decisions(self, alpha: float) -> frozenset[bool]:
        """Return the decisions (p < alpha) possible under the stated conventions, else any."""
        found: set[bool] = set()
        for reach in self.stated or self.reaches:
            verdict = reach.decision(alpha)
            found |= {True, False} if verdict is None else {verdict}
        return frozenset(found)

    def as_row(self, alpha: float = 0.05) -> dict[str, object]:
        """Return the result as one row of a table.

        Returns
        -------
        dict
            Keys ``method, printed, point, low, high, inside, verdict, conditions, tried,
            decision_open, possible, remark``. Results of all methods bind into one table.
        """
        main = self.main
        return {
            "method": self.method,
            "printed": "" if self.printed is None else str(self.printed),
            "point": main.point,
            "low": main.low,
            "high": main.high,
            "inside": self.inside,
            "verdict": str(self.verdict),
            "conditions": "; ".join(self.conditions),
            "tried": "; ".join(reach.convention for reach in self.reaches),
            "decision_open": len(self.decisions(alpha)) > 1,
            "possible": "; ".join(reach.convention for reach in self.possibilities),
            "remark": self.remark,
        }


def habit(name: str, low: Rational | float, high: Rational | float) -> Reach:
    """Return what an unstated habit makes of the figures, where it gives the printed one."""
    return Reach(name, False, float(low), float(high), None, True)


def possible_p(
    p: PrintedNumber,
    rule: RoundingRule,
    two_sided: Iterable[tuple[float, float]],
    others: Mapping[str, Iterable[tuple[float, float]]] = MappingProxyType({}),
    halves: bool = True,
) -> tuple[Reach, ...]:
    """Return the habits that would give a printed p, each on its own.

    Ranges of p are two-sided, from the figures as printed, and those under other habits, by name.
    With `halves` a one-sided p is half of the two-sided one, as for a symmetric distribution.
    """
    ranges = list(two_sided)
    sides = {
        "one-sided p": [(low / 2, high / 2) for low, high in ranges],
        "one-sided p in the other direction (1 - p/2)": [
            (1 - high / 2, 1 - low / 2) for low, high in ranges
        ],
    }
    tried = (sides if halves else {}) | dict(others)
    printed = p.interval(rule, P_VALUE_DOMAIN)
    checked = [(name, printed, tried[name]) for name in tried]
    checked += [(name, target, ranges) for name, target in p.otherwise_rounded().items()]
    found = []
    for name, target, all_ends in checked:
        met = [ends for ends in all_ends if target.touches(*ends)]
        if met:
            found.append(habit(name, min(met)[0], max(high for _, high in met)))
    return tuple(found)
