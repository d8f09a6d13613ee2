"""What printed means say of the patients who are missing at follow-up."""

from __future__ import annotations

import math
from fractions import Fraction

from rederive.printed import Interval, PrintedNumber, RoundingRule, require_printed
from rederive.recompute.summaries import Scale


def sum_range(
    mean: PrintedNumber, n: int, rule: RoundingRule, step: Fraction | None
) -> tuple[Fraction, Fraction]:
    """Return the least and greatest sum of n values with a printed mean.

    Parameters
    ----------
    mean : PrintedNumber
        The printed mean.
    n : int
        Number of values.
    rule : RoundingRule
        How the mean was rounded.
    step : Fraction or None
        Step of the scale; sums are multiples of it. ``None`` for a continuous measure.

    Raises
    ------
    ValueError
        If no multiple of the step has that mean.
    """
    require_printed("mean", mean)
    interval = mean.interval(rule)
    if interval.low is None or interval.high is None:
        raise ValueError(f"the mean {mean} has no finite rounding interval")
    low, high = interval.low * n, interval.high * n
    if step is None:
        return low, high
    first, last = math.ceil(low / step), math.floor(high / step)
    if not interval.low_closed and first * step == low:
        first += 1
    if not interval.high_closed and last * step == high:
        last -= 1
    if first > last:
        raise ValueError(f"no {n} values in steps of {step} have a mean that prints as {mean}")
    return first * step, last * step


def implied_mean_of_missing(
    mean_all: PrintedNumber,
    n_all: int,
    mean_followup: PrintedNumber,
    mean_change: PrintedNumber,
    n_followup: int,
    scale: Scale | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Interval:
    """Return the baseline mean of the patients without follow-up.

    A change is follow-up minus baseline over the followed patients, so their baseline sum is the
    sum of follow-up values minus the sum of changes; the rest of the baseline sum belongs to the
    missing.

    Parameters
    ----------
    mean_all : PrintedNumber
        Baseline mean of all ``n_all`` patients.
    n_all : int
        Patients at baseline.
    mean_followup, mean_change : PrintedNumber
        Mean at follow-up and mean change over the ``n_followup`` followed patients.
    n_followup : int
        Patients followed, less than ``n_all``.
    scale : Scale, optional
        Scale of the measurement: sums become multiples of its step, and means stay on the scale.
    rule : RoundingRule
        How the figures were rounded.

    Raises
    ------
    ValueError
        If nobody is missing, or the three means cannot hold together on the scale.

    Examples
    --------
    >>> found = implied_mean_of_missing(parse("29.6"), 30, parse("22.1"), parse("-7.5"), 28)
    >>> round(found.lower, 2), round(found.upper, 2)
    (27.45, 31.75)
    """
    missing = n_all - n_followup
    if missing <= 0:
        raise ValueError(f"nobody is missing: {n_followup} of {n_all} are followed")
    step = None if scale is None else scale.step
    all_low, all_high = sum_range(mean_all, n_all, rule, step)
    after_low, after_high = sum_range(mean_followup, n_followup, rule, step)
    change_low, change_high = sum_range(mean_change, n_followup, rule, step)
    low = (all_low - after_high + change_low) / missing
    high = (all_high - after_low + change_high) / missing
    implied = Interval(low, high)
    if scale is None:
        return implied
    inside = implied.intersect(Interval(scale.minimum, scale.maximum))
    if inside is None:
        raise ValueError(
            f"the printed means put the missing patients at {implied}, outside the scale "
            f"{scale.minimum} to {scale.maximum}"
        )
    return inside
