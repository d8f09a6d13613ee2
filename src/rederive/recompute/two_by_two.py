"""2 x 2 tables behind a printed odds ratio: all that the margins and the figures allow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from scipy.special import ndtri

from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule, require_printed


@dataclass(frozen=True, slots=True, order=True)
class Table2x2:
    """Patients by exposure and outcome; ``added`` to each count before anything is computed."""

    exposed_yes: int
    exposed_no: int
    unexposed_yes: int
    unexposed_no: int
    added: float = 0

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """The four counts, exposed first, outcome first."""
        return self.exposed_yes, self.exposed_no, self.unexposed_yes, self.unexposed_no

    @property
    def cells(self) -> tuple[float, float, float, float]:
        """The counts with what is added to each."""
        a, b, c, d = self.counts
        return a + self.added, b + self.added, c + self.added, d + self.added

    @property
    def separated(self) -> bool:
        """Whether a cell is empty, so that logistic regression has no finite estimate."""
        return min(self.counts) == 0

    @property
    def with_halves(self) -> Table2x2:
        """The table with 0.5 added to each cell (Haldane 1956, Anscombe 1956)."""
        return replace(self, added=0.5)

    @property
    def groups(self) -> tuple[int, int, int, int]:
        """Number with the outcome and size: of the exposed, then of the unexposed."""
        a, b, c, d = self.counts
        return a, a + b, c, c + d

    def figures(self, level: float = 0.95) -> dict[str, float]:
        """Return odds ratio, limits and p as logistic regression prints them; no cell is empty.

        The standard error of the logarithm is Woolf's (1955), limits and p are Wald's.
        """
        a, b, c, d = self.cells
        log = math.log(a * d) - math.log(b * c)
        return ratio_figures(log, math.sqrt(sum(1 / cell for cell in self.cells)), level)


def ratio_figures(log: float, error: float, level: float = 0.95) -> dict[str, float]:
    """Return a ratio with Wald's limits and p, from its logarithm and that one's standard error."""
    z = float(ndtri(0.5 + level / 2))
    names = ("odds_ratio", "ci_low", "ci_high")
    ends = (math.exp(log + sign * z * error) for sign in (0, -1, 1))
    p = math.erfc(abs(log) / error / math.sqrt(2)) if error else float(log == 0)
    return dict(zip(names, ends, strict=True)) | {"p": p}


MOST_TABLES = 100_000
"""Most tables that margins may leave."""


def enumerate_tables(total: int, outcome: Iterable[int], exposed: Iterable[int]) -> list[Table2x2]:
    """Return every table that has the given margins, with and without an empty cell.

    A table with an empty margin says nothing of an odds ratio and is left out.

    Parameters
    ----------
    total : int
        Patients in the table.
    outcome, exposed : iterable of int
        Allowed numbers with the outcome, and allowed numbers exposed.

    Raises
    ------
    ValueError
        If there are more than :data:`MOST_TABLES`.

    Examples
    --------
    >>> [table.counts for table in enumerate_tables(6, [3], [3])]
    [(0, 3, 3, 0), (1, 2, 2, 1), (2, 1, 1, 2), (3, 0, 0, 3)]
    """
    margins = [
        (one, other, range(max(0, one + other - total), min(one, other) + 1))
        for one, other in set(itertools.product(outcome, exposed))
        if 0 < one < total and 0 < other < total
    ]
    found = sum(len(both) for *_, both in margins)
    if found > MOST_TABLES:
        raise ValueError(
            f"outcome, exposed: found {found} tables, allowed are {MOST_TABLES}; narrower ranges "
            "leave fewer"
        )
    return sorted(
        Table2x2(a, other - a, one - a, total - other - one + a)
        for one, other, both in margins
        for a in both
    )


@dataclass(frozen=True, slots=True)
class PrintedOddsRatio:
    """An odds ratio with its confidence interval and p as printed; any of them may be missing."""

    odds_ratio: PrintedNumber | None = None
    ci_low: PrintedNumber | None = None
    ci_high: PrintedNumber | None = None
    p: PrintedNumber | None = None

    def __post_init__(self) -> None:
        for name in ("odds_ratio", "ci_low", "ci_high", "p"):
            if (figure := getattr(self, name)) is not None:
                require_printed(name, figure, Fraction(0))

    @property
    def interval_turned_round(self) -> bool:
        """Whether the lower limit is printed above the upper one."""
        both = self.ci_low is not None and self.ci_high is not None
        return both and self.ci_low.value > self.ci_high.value  # type: ignore[union-attr]

    @property
    def out_of_order(self) -> tuple[str, ...]:
        """What is wrong with the order of ratio and limits, in words."""
        found = ["the interval runs downwards"] if self.interval_turned_round else []
        ratio, low, high = self.odds_ratio, self.ci_low, self.ci_high
        if ratio is not None and low is not None and high is not None:
            ends = sorted((low.value, high.value))
            if not ends[0] <= ratio.value <= ends[1]:
                words = "the ratio lies outside its interval"
                if ratio.value and ends[0] <= 1 / ratio.value <= ends[1]:
                    words += ", one over it inside: one of the two is of the reverse comparison"
                found.append(words)
        return tuple(found)

    def prints(
        self, values: Mapping[str, float], rule: RoundingRule, leaving_out: str = ""
    ) -> bool:
        """Return whether values, by the names of the figures, print as these."""
        return all(
            printed.interval(rule, P_VALUE_DOMAIN if name == "p" else None).touches(value)
            for name, value in values.items()
            if name != leaving_out and (printed := getattr(self, name)) is not None
        )


def compatible_tables(
    figures: PrintedOddsRatio,
    total: int,
    outcome: Iterable[int],
    exposed: Iterable[int],
    rule: RoundingRule = RoundingRule.EITHER,
    leaving_out: str = "",
) -> list[Table2x2]:
    """Return all tables with the margins that print the figures (Wald interval and Wald p).

    Parameters
    ----------
    figures : PrintedOddsRatio
        The published figures.
    total, outcome, exposed
        Margins, as for :func:`enumerate_tables`.
    rule : RoundingRule
        How the figures were rounded.
    leaving_out : str
        Name of one figure that the tables need not print.

    Examples
    --------
    >>> figures = PrintedOddsRatio(parse("2.45"), parse("0.64"), parse("9.39"))
    >>> [table.counts for table in compatible_tables(figures, 40, [14], [20])]
    [(9, 11, 5, 15)]
    """
    whole = [each for each in enumerate_tables(total, outcome, exposed) if not each.separated]
    return [table for table in whole if figures.prints(table.figures(), rule, leaving_out)]
