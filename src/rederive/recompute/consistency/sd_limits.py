"""Least and greatest standard deviation on a bounded scale, given a printed mean."""

from __future__ import annotations

from fractions import Fraction
from math import floor, sqrt

from rederive.printed import Interval, PrintedNumber, RoundingRule
from rederive.recompute.consistency.grim import nearest_sums
from rederive.recompute.consistency.lattice import (
    Exact,
    Lattice,
    exact,
    require_figure,
    sample_size,
    squared,
)
from rederive.recompute.result import Reach, Recomputed


def sd_limits(
    mean: PrintedNumber,
    sd: PrintedNumber,
    n: int | PrintedNumber,
    minimum: Exact,
    maximum: Exact,
    step: Exact | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Check a printed sample SD (divisor n - 1) against the limits that a bounded scale sets.

    Parameters
    ----------
    mean, sd : PrintedNumber
        The published mean and SD. The SD may be an inequality.
    n : int or PrintedNumber
        Number of observations, at least 2.
    minimum, maximum : int or Fraction
        Ends of the scale.
    step : int or Fraction, optional
        Distance between neighbouring values; without it the scale is continuous.
    rule : RoundingRule
        Rule by which both figures were rounded.

    Returns
    -------
    Recomputed
        ``low`` and ``high``: least and greatest SD over all data whose mean prints as ``mean``.
        If no data on the scale have that mean the check does not pass; the limits shown are
        those at the nearest attainable means.

    Raises
    ------
    ValueError
        For parameters out of range, ends in the wrong order, or a mean printed as an inequality.
    """
    require_figure("mean", mean)
    size = sample_size(n, 2)
    low_end, high_end = exact("minimum", minimum), exact("maximum", maximum)
    if low_end >= high_end:
        raise ValueError(f"minimum {minimum} is not below maximum {maximum}")
    spread = squared(sd.interval(rule))
    if step is None:
        limits, attainable = _continuous(mean, size, low_end, high_end, rule)
        scale = f"continuous scale from {minimum} to {maximum}"
    else:
        lattice = Lattice.of(1, step, minimum, maximum)
        limits, attainable = _stepped(mean, size, lattice, rule)
        scale = lattice.words
    meets = (
        attainable
        and spread is not None
        and any(spread.intersect(limit) is not None for limit in limits)
    )
    least = sqrt(min(limit.low or 0 for limit in limits))
    greatest = sqrt(max(limit.high or 0 for limit in limits))
    convention = f"n = {size}, {scale}, rounding {rule}"
    remark = "" if attainable else "no data on this scale have this mean"
    reach = Reach(convention, True, least, greatest, None, meets)
    return Recomputed("SD limits", sd, (reach,), remark)


def _stepped(
    mean: PrintedNumber, n: int, lattice: Lattice, rule: RoundingRule
) -> tuple[list[Interval], bool]:
    sums = lattice.sums(mean, n, rule)
    limits = []
    for total in sums or sorted(set(nearest_sums(lattice, mean, n, rule))):
        least, greatest = lattice.squares_limits(total, n)
        top = least if greatest is None else greatest
        limits.append(
            Interval(lattice.variance(total, least, n), lattice.variance(total, top, n))
        )
    return limits, bool(sums)


def _continuous(
    mean: PrintedNumber,
    n: int,
    minimum: Fraction,
    maximum: Fraction,
    rule: RoundingRule,
) -> tuple[list[Interval], bool]:
    """Return the variances from 0 to the greatest over all means in the rounding interval.

    With all values but one at the ends, the greatest sum of squares is a convex function of the
    mean between two neighbouring means that put every value at an end. So its largest value
    lies at an end of the interval or where a whole number of values is at the maximum.
    """
    means = mean.interval(rule).intersect(Interval(minimum, maximum))
    attainable = means is not None
    if means is None or means.low is None or means.high is None:
        nearest = min(max(mean.value, minimum), maximum)
        means = Interval.point(nearest)
    low, high = means.low or Fraction(0), means.high or Fraction(0)
    span = maximum - minimum
    parts = [n * (end - minimum) / span for end in (low, high)]
    whole = {floor(parts[0]) + 1, floor(parts[1]), n // 2, (n + 1) // 2}
    corners = [*parts, *(Fraction(k) for k in whole if parts[0] <= k <= parts[1])]
    greatest = max(_greatest_variance(part, n) for part in corners)
    return [Interval(Fraction(0), greatest * span**2)], attainable


def _greatest_variance(part: Fraction, n: int) -> Fraction:
    """Return the greatest sample variance of ``n`` values in 0..1 with the sum ``part``."""
    rest = part - floor(part)
    return (floor(part) + rest * rest - part * part / n) / (n - 1)
