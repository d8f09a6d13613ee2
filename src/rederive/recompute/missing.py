"""What printed means say of the patients who are missing at follow-up."""

from __future__ import annotations

import math
from fractions import Fraction

from rederive.consistency.lattice import attainable_moments
from rederive.consistency.multiset import greatest_squares_sum, least_squares_sum
from rederive.printed import Interval, PrintedNumber, RoundingRule
from rederive.recompute.summaries import Scale, Summary


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


def sd_range_of_followed(
    all_baseline: Summary,
    mean_followup: PrintedNumber,
    mean_change: PrintedNumber,
    n_followup: int,
    rule: RoundingRule = RoundingRule.EITHER,
    sd_followup: PrintedNumber | None = None,
    sd_change: PrintedNumber | None = None,
) -> tuple[float, float]:
    """Return the baseline SDs that the followed patients can have.

    The baseline sum of squares of all patients is that of the followed plus that of the missing;
    the latter lies between its least and greatest value for their sum on the scale. If the SDs at
    follow-up and of the change are given, the triangle inequality narrows the answer: the SD at
    baseline cannot differ from that at follow-up by more than the SD of the change.

    Parameters
    ----------
    all_baseline : Summary
        Baseline of all patients, on a scale with steps.
    mean_followup, mean_change : PrintedNumber
        Mean at follow-up and mean change over the followed patients.
    n_followup : int
        Patients followed: at least 2, fewer than all.
    rule : RoundingRule
        How the figures were rounded.
    sd_followup, sd_change : PrintedNumber, optional
        SD at follow-up and SD of the change over the followed patients.

    Returns
    -------
    tuple of float
        Least and greatest sample SD, in units of the measurement.

    Raises
    ------
    ValueError
        If the scale is not known, nobody is missing, or the figures cannot hold together.
    """
    scale, missing = all_baseline.scale, all_baseline.n - n_followup
    if scale is None or missing <= 0 or n_followup < 2:
        raise ValueError("needs a scale with steps, missing patients, and at least two followed")
    step = scale.step
    after = sum_range(mean_followup, n_followup, rule, step)
    change = sum_range(mean_change, n_followup, rule, step)
    first, last = int((after[0] - change[1]) / step), int((after[1] - change[0]) / step)
    low, high = int(scale.minimum / step), int(scale.maximum / step)
    pairs = attainable_moments(
        all_baseline.mean,
        all_baseline.sd,
        all_baseline.n,
        minimum=scale.minimum,
        maximum=scale.maximum,
        step=step,
        rule=rule,
    )
    spreads: list[Fraction] = []
    for total, squares in pairs:
        for followed in range(first, last + 1):
            rest = total - followed
            if not missing * low <= rest <= missing * high:
                continue
            centre = Fraction(followed * followed, n_followup)
            most = squares - least_squares_sum(missing, rest) - centre
            least = squares - greatest_squares_sum(missing, rest, low, high) - centre
            if most >= 0:
                spreads += [most, max(least, Fraction(0))]
    if not spreads:
        raise ValueError("the printed figures cannot hold together on the scale")
    df, unit = n_followup - 1, float(step)
    least_sd = unit * (float(min(spreads)) / df) ** 0.5
    most_sd = unit * (float(max(spreads)) / df) ** 0.5
    if sd_followup is not None and sd_change is not None:
        then, moved = sd_followup.interval(rule), sd_change.interval(rule)
        least_sd = max(least_sd, then.lower - moved.upper)
        most_sd = min(most_sd, then.upper + moved.upper)
    if least_sd > most_sd:
        raise ValueError("the printed SDs cannot hold together on the scale")
    return least_sd, most_sd
