"""The article's windows, and the dates of each patient's visits that are made for them.

Months count from that of the first infusion. The clinic sees its patients about every six months.
Everything about single dates is synthetic: the article prints windows and how many patients have a
score in each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
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
        near = self.near_months()
        return tuple(month for month in range(at - width, at + width + 1) if month not in near)

    def skin_months(self, target: int) -> tuple[int, ...]:
        """Return the months at which a skin score counts for a target."""
        return tuple(range(target - self.tolerance, target + self.tolerance + 1))

    def is_between(self, month: int) -> bool:
        """Return whether a month after the first belongs to no window of the skin score."""
        return month > 0 and all(abs(month - target) > self.tolerance for target in self.targets)


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


def pick(options: Sequence[int], centre: float, rng: np.random.Generator) -> int:
    """Return one of some months, the nearer to a centre the more probably."""
    widest = max(abs(month - centre) for month in options)
    weights = [widest + 1 - abs(month - centre) for month in options]
    drawn = rng.random() * sum(weights)
    for month, weight in zip(options, weights, strict=True):
        drawn -= weight
        if drawn < 0:
            return month
    return options[-1]


def draw_dates(needs: Needs, windows: VisitWindows, rng: np.random.Generator) -> Dates:
    """Draw the dates of one patient.

    Raises
    ------
    ValueError
        If something is measured of a patient who can no longer be seen.
    """
    dates = Dates()
    _before(dates, needs, windows, rng)
    side = _side_of_far(needs, windows, rng) if needs.far else None
    for target, scored in zip(windows.targets, needs.scored[1:], strict=True):
        if scored:
            allowed: Sequence[int] = windows.skin_months(target)
            if target == side:
                allowed = [month for month in allowed if month in windows.far_months()]
            dates.followup[target] = pick(_until(allowed, needs.last, target), target, rng)
    if needs.near:
        _add_near(dates, needs, windows, rng)
    if needs.far:
        _add_far(dates, side, needs, windows, rng)
    if needs.rubs:
        _add_rubs(dates, needs, windows, rng)
    if needs.returns:
        _add_between(dates, needs, windows, rng)
    return dates


def _until(months: Sequence[int], last: float, target: int) -> list[int]:
    allowed = [month for month in months if month <= last]
    if not allowed:
        raise ValueError(f"month {target}: measured, but the patient is seen until {last:g} only")
    return allowed


def _before(dates: Dates, needs: Needs, windows: VisitWindows, rng: np.random.Generator) -> None:
    oldest, tight = -windows.baseline, -windows.tight_baseline
    dates.baseline = oldest if needs.oldest else int(rng.integers(tight, 1))
    if not needs.oldest and dates.baseline - oldest > 1 and rng.random() < AGAIN:
        dates.again = int(rng.integers(oldest, dates.baseline))
    count = int(np.searchsorted(np.cumsum(EARLIER_VISITS), rng.random()))
    month = dates.baseline
    for number in range(max(count, int(needs.old))):
        month += int(rng.integers(-1, 2)) - INTERVAL
        if number == 0 and needs.old:
            # One of these months exists however short the illness; the counts asked for it.
            month = max(month, -windows.organ_baseline, math.ceil(-min(needs.ill_for, 1000)))
            month = min(month, -windows.tight_organ_baseline - 1)
        elif month < -needs.ill_for:
            break
        dates.earlier.append(month)


def _side_of_far(needs: Needs, windows: VisitWindows, rng: np.random.Generator) -> int | None:
    """Return the target whose skin score is to be scored far from the organs' target, if any."""
    sides = [
        target
        for target, scored in zip(windows.targets, needs.scored[1:], strict=True)
        if scored
        and any(m in windows.far_months() and m <= needs.last for m in windows.skin_months(target))
    ]
    return int(rng.choice(sides)) if sides else None


def _add_near(dates: Dates, needs: Needs, windows: VisitWindows, rng: np.random.Generator) -> None:
    if windows.organ_target in dates.followup:
        dates.near = dates.followup[windows.organ_target]
        return
    options = _until(windows.near_months(), needs.last, windows.organ_target)
    outside = [month for month in options if windows.is_between(month)]
    if not needs.returns:
        outside = outside[:1]
    if not outside:
        dates.near = pick(options, windows.organ_target, rng)
        return
    taken = dates.followup.values()
    gaps = [min((abs(month - other) for other in taken), default=99) for month in outside]
    widest = [month for month, gap in zip(outside, gaps, strict=True) if gap == max(gaps)]
    dates.near = int(rng.choice(widest))
    dates.between.append(dates.near)


def _add_far(
    dates: Dates,
    side: int | None,
    needs: Needs,
    windows: VisitWindows,
    rng: np.random.Generator,
) -> None:
    if side is not None:
        dates.far = dates.followup[side]
        return
    options = _until(windows.far_months(), needs.last, windows.organ_target)
    early = [month for month in options if month < windows.organ_target]
    dates.far = int(rng.choice(early if early and rng.random() < 0.7 else options))


def _add_rubs(dates: Dates, needs: Needs, windows: VisitWindows, rng: np.random.Generator) -> None:
    target = windows.targets[0]
    months = windows.skin_months(target)
    if target in dates.followup:
        dates.rubs = dates.followup[target]
    elif dates.far in months:
        dates.rubs = dates.far
    else:
        dates.rubs = pick(_until(months, needs.last, target), target, rng)


def _add_between(
    dates: Dates, needs: Needs, windows: VisitWindows, rng: np.random.Generator
) -> None:
    for target, scored in zip(windows.targets, needs.scored[1:], strict=True):
        if scored or rng.random() >= BETWEEN:
            continue
        step = windows.tolerance + 1
        taken = dates.after()
        options = [
            month
            for month in (target - step, target + step)
            if windows.is_between(month)
            and month <= needs.last
            and all(abs(month - other) > 1 for other in taken)
        ]
        if options:
            dates.between.append(int(rng.choice(options)))


def draw_oldest(
    values: Floats,
    scored: Flags,
    alpha: float,
    rng: np.random.Generator,
) -> Flags:
    """Draw whose baseline skin score is too old for the tight window, shape (patients,).

    Without these patients the means fall from each time to the next and the paired tests decide
    as they do with all patients; where no subset is found that does, it is nobody.

    Parameters
    ----------
    values, scored : array, shape (patients, times)
        Skin scores, and whether they were measured; the first time is the baseline.
    alpha : float
        Level of the decisions.
    rng : Generator
        Source of all randomness.
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
