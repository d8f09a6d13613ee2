"""The article's windows, and the dates of each patient's visits that are made for them.

Months count from that of the first infusion. The clinic sees its patients about every six months.
Everything about single dates is synthetic: the article prints windows and how many patients have a
score in each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from ivig_dcssc.generator.drawing import Flags, Floats, printed_number
from ivig_dcssc.generator.visits.timing import paired_decision
from rederive.printed.registry import Registry


@dataclass(frozen=True, slots=True)
class VisitWindows:
    """Which month counts for what.

    Parameters
    ----------
    baseline, tight_baseline : int
        Oldest skin score before month 0 that is a baseline; the same in the sensitivity analysis.
    targets : tuple of int
        Follow-up months of the skin score, rising.
    tolerance : int
        Distance from a target within which a skin score or friction rubs count.
    organ_target : int
        Follow-up month of organ and function measures.
    organ_baseline, organ_tolerance : int
        Oldest baseline and greatest distance from the target of the same; our choice, the article
        states none.
    tight_organ_baseline, tight_organ_tolerance : int
        The same in the sensitivity analysis.
    """

    baseline: int
    tight_baseline: int
    targets: tuple[int, ...]
    tolerance: int
    organ_target: int
    tight_organ_baseline: int
    tight_organ_tolerance: int
    organ_baseline: int = 12
    organ_tolerance: int = 6

    def near_months(self) -> tuple[int, ...]:
        """Return the months of the tight window around the organ target."""
        at, width = self.organ_target, self.tight_organ_tolerance
        return tuple(range(at - width, at + width + 1))

    def far_months(self) -> tuple[int, ...]:
        """Return the months inside the primary, but outside the tight window of the target."""
        at, width = self.organ_target, self.organ_tolerance
        return tuple(sorted({*range(at - width, at + width + 1)} - {*self.near_months()}))

    def skin_months(self, target: int) -> tuple[int, ...]:
        """Return the months at which a skin score counts for a target."""
        return tuple(range(target - self.tolerance, target + self.tolerance + 1))

    def is_between(self, month: int) -> bool:
        """Return whether a month after the first belongs to no window of the skin score."""
        return month > 0 and all(abs(month - target) > self.tolerance for target in self.targets)


@lru_cache(maxsize=8)
def visit_windows(registry: Registry) -> VisitWindows:
    """Return the windows that the article prints, with our own where it prints none.

    Raises
    ------
    KeyError
        If the registry lacks one of them.
    """
    targets = sorted(
        int(row.printed.value)
        for row in registry.numbers.values()
        if (row.variable, row.statistic) == ("window_followup", "month") and not row.same_as
    )
    months = partial(printed_number, registry)
    return VisitWindows(
        baseline=months("methods-window-baseline-threshold"),
        tight_baseline=months("appendix1-window-baseline-restricted-threshold"),
        targets=tuple(targets),
        tolerance=months("methods-window-followup-threshold"),
        organ_target=months("appendix1-window-followup-organ-m12-month"),
        tight_organ_baseline=months("appendix1-window-baseline-organ-threshold"),
        tight_organ_tolerance=months("appendix1-window-followup-organ-m12-threshold"),
    )


INTERVAL = 6
"""Months between visits before treatment."""

EARLIER_VISITS = (0.15, 0.35, 0.30, 0.20)
"""Probability of 0, 1, 2 or 3 visits before the baseline visit; ours."""

BETWEEN = 0.4
"""Probability that a patient missing in a window is seen just outside it; ours."""

AGAIN = 0.1
"""Probability of a second, older skin score in the baseline window; ours."""

OLDEST = 0.1
MOST_OLDEST = 4
"""Probability that a baseline score is too old for the tight window, and most such patients."""

_ATTEMPTS = 32


@dataclass(frozen=True, slots=True)
class Needs:
    """What one patient's visits have to provide.

    Parameters
    ----------
    scored : tuple of bool
        Whether the skin was scored at baseline and around each target.
    oldest : bool
        Whether the baseline score is too old for the tight window.
    old : bool
        Whether something has its baseline before the tight window of organ measures.
    near, far : bool
        Whether something has its follow-up in or outside the tight window of organ measures.
    rubs : bool
        Whether rubs were looked for at the first target.
    ill_for : float
        Months from the first symptom to month 0; no visits before.
    last : float
        Last month in which the patient can be seen.
    returns : bool
        Whether there may be visits beyond those needed.
    """

    scored: tuple[bool, ...]
    oldest: bool
    old: bool
    near: bool
    far: bool
    rubs: bool
    ill_for: float = math.inf
    last: float = math.inf
    returns: bool = True


@dataclass(slots=True)
class Dates:
    """Months of one patient's visits.

    Attributes
    ----------
    needs, windows, rng
        What they have to provide, what counts for what, and the source of randomness.
    baseline : int
        The most recent visit before or at month 0.
    again : int or None
        An older skin score in the baseline window.
    earlier : list of int
        Visits before the baseline window, latest first.
    followup : dict of int to int
        Month by target, where the skin was scored.
    between : list of int
        Visits with a skin score outside all windows.
    near, far, rubs : int or None
        Visits with organ records in or outside the tight window, and with rubs looked for.
    """

    needs: Needs
    windows: VisitWindows
    rng: np.random.Generator
    baseline: int = 0
    again: int | None = None
    earlier: list[int] = field(default_factory=list)
    followup: dict[int, int] = field(default_factory=dict)
    between: list[int] = field(default_factory=list)
    near: int | None = None
    far: int | None = None
    rubs: int | None = None

    def after(self) -> list[int]:
        """Return all visits after the first infusion, rising."""
        organs = [month for month in (self.near, self.far, self.rubs) if month is not None]
        return sorted({*self.followup.values(), *self.between, *organs})

    @property
    def _scored(self) -> list[tuple[int, bool]]:
        return list(zip(self.windows.targets, self.needs.scored[1:], strict=True))

    def _seen(self, months: Iterable[int]) -> list[int]:
        """Return the months at which the patient can be seen."""
        return [month for month in months if month <= self.needs.last]

    def _any(self, options: Sequence[int]) -> int:
        """Return one of some months, all equally probable."""
        return options[int(self.rng.integers(len(options)))]

    def _pick(self, options: Sequence[int], centre: int) -> int:
        """Return one of some months, the nearer to a centre the more probably."""
        widest = max(abs(month - centre) for month in options)
        weights = [widest + 1 - abs(month - centre) for month in options]
        drawn = self.rng.random() * sum(weights)
        for month, weight in zip(options, weights, strict=True):
            drawn -= weight
            if drawn < 0:
                return month
        return options[-1]

    def _before(self) -> None:
        needs, windows, rng = self.needs, self.windows, self.rng
        oldest, tight = -windows.baseline, -windows.tight_baseline
        self.baseline = oldest if needs.oldest else int(rng.integers(tight, 1))
        if not needs.oldest and self.baseline - oldest > 1 and rng.random() < AGAIN:
            self.again = int(rng.integers(oldest, self.baseline))
        count = int(np.searchsorted(np.cumsum(EARLIER_VISITS), rng.random()))
        month = self.baseline
        for number in range(max(count, int(needs.old))):
            month += int(rng.integers(-1, 2)) - INTERVAL
            if number == 0 and needs.old:
                # One of these months exists however short the illness; the counts asked for it.
                month = max(month, -windows.organ_baseline, math.ceil(-min(needs.ill_for, 1000)))
                month = min(month, -windows.tight_organ_baseline - 1)
            elif month < -needs.ill_for:
                break
            self.earlier.append(month)

    def _score_skin(self) -> None:
        """Draw the months of skin scores; one may be far from the organs' target, as they need."""
        far = self.windows.far_months()
        months = {target: self.windows.skin_months(target) for target, _ in self._scored}
        sides = [
            target
            for target, scored in self._scored
            if scored and any(m in far and m <= self.needs.last for m in months[target])
        ]
        side = self._any(sides) if self.needs.far and sides else None
        for target, scored in self._scored:
            if scored:
                allowed = [m for m in months[target] if target != side or m in far]
                self.followup[target] = self._pick(self._seen(allowed), target)
        self.far = self.followup.get(side) if side is not None else None

    def _add_near(self) -> None:
        target = self.windows.organ_target
        if target in self.followup:
            self.near = self.followup[target]
            return
        options = self._seen(self.windows.near_months())
        outside = [month for month in options if self.windows.is_between(month)]
        if not self.needs.returns:
            outside = outside[:1]
        if not outside:
            self.near = self._pick(options, target)
            return
        taken = self.followup.values()
        gaps = [min((abs(month - other) for other in taken), default=99) for month in outside]
        widest = [month for month, gap in zip(outside, gaps, strict=True) if gap == max(gaps)]
        self.near = self._any(widest)
        self.between.append(self.near)

    def _add_far(self) -> None:
        target = self.windows.organ_target
        options = self._seen(self.windows.far_months())
        early = [month for month in options if month < target]
        self.far = self._any(early if early and self.rng.random() < 0.7 else options)

    def _add_rubs(self) -> None:
        target = self.windows.targets[0]
        months = self.windows.skin_months(target)
        self.rubs = self.followup.get(target, self.far if self.far in months else None)
        if self.rubs is None:
            self.rubs = self._pick(self._seen(months), target)

    def _add_between(self) -> None:
        step = self.windows.tolerance + 1
        for target, scored in self._scored:
            if scored or self.rng.random() >= BETWEEN:
                continue
            options = [
                month
                for month in (target - step, target + step)
                if self.windows.is_between(month)
                and month <= self.needs.last
                and all(abs(month - other) > 1 for other in self.after())
            ]
            if options:
                self.between.append(self._any(options))

    def draw(self) -> Dates:
        """Draw the dates; what is measured of a patient is so while it can be seen."""
        self._before()
        self._score_skin()
        if self.needs.near:
            self._add_near()
        if self.needs.far and self.far is None:
            self._add_far()
        if self.needs.rubs:
            self._add_rubs()
        if self.needs.returns:
            self._add_between()
        return self


def draw_oldest(values: Floats, scored: Flags, alpha: float, rng: np.random.Generator) -> Flags:
    """Draw whose baseline skin score is too old for the tight window, shape (patients,).

    ``values`` and ``scored`` have shape (patients, times), baseline first. Without these patients
    the means fall from each time to the next and the paired tests decide as they do with all
    patients; where no subset is found that does, it is nobody.
    """
    nobody = np.zeros(len(values), np.bool_)
    wanted = _course(values, scored, nobody, alpha)
    for _ in range(_ATTEMPTS):
        count = min(int(rng.binomial(len(values), OLDEST)), MOST_OLDEST)
        drawn = nobody.copy()
        drawn[rng.permutation(len(values))[:count]] = True
        if _course(values, scored, drawn, alpha) == wanted:
            return drawn
    return nobody


def _course(values: Floats, scored: Flags, left_out: Flags, alpha: float) -> tuple[object, ...]:
    """Return whether the means fall throughout, and the decision at each target."""
    first = scored[:, 0] & ~left_out
    means, decisions = [values[first, 0].mean() if first.any() else math.nan], []
    for time in range(1, values.shape[1]):
        pairs = first & scored[:, time]
        means.append(values[pairs, time].mean() if pairs.any() else math.nan)
        decisions.append(paired_decision(values[pairs, time] - values[pairs, 0], alpha))
    falls = all(later < earlier for earlier, later in pairwise(means))
    return falls, *decisions
