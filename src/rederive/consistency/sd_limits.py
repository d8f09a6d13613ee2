"""Least and greatest standard deviation on a bounded scale, given a printed mean."""

from __future__ import annotations

from fractions import Fraction
from math import floor, sqrt

from rederive.consistency.grim import nearest_sums
from rederive.printed import (
    Interval,
    PrintedNumber,
    RoundingRule,
    require_figure,
    require_sd,
    written,
)
from rederive.printed.lattice import Exact, Lattice, exact, sample_size
from rederive.printed.result import Reach, Recomputed


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

    Examples
    --------
    >>> sd_limits(parse("2.0"), parse("4.1"), 20, 0, 7).inside
    False
    """
    require_figure("mean", mean)
    require_sd(sd)
    for name, figure in (("mean", mean), ("sd", sd)):
        if figure.percent:
            raise ValueError(f"{name}: found {figure}, allowed are figures without a percent sign")
    size = sample_size(n, 2)
    low_end, high_end = exact("minimum", minimum), exact("maximum", maximum)
    if low_end >= high_end:
        raise ValueError(f"minimum {written(low_end)} is not below maximum {written(high_end)}")
    if step is None:
        scale = f"continuous scale from {written(low_end)} to {written(high_end)}"
        least, greatest, attainable, meets = _continuous(mean, sd, size, low_end, high_end, rule)
    else:
        lattice = Lattice.of(1, step, minimum, maximum)
        scale = lattice.words
        least, greatest, attainable, meets = _stepped(mean, sd, size, lattice, rule)
    convention = f"n = {size}, {scale}, rounding {rule}"
    remark = "" if attainable else "no data on this scale have this mean"
    reach = Reach(convention, True, sqrt(least), sqrt(greatest), None, meets)
    return Recomputed("SD limits", sd, (reach,), remark)


def _stepped(
    mean: PrintedNumber, sd: PrintedNumber, n: int, lattice: Lattice, rule: RoundingRule
) -> tuple[Fraction, Fraction, bool, bool]:
    """Return least and greatest variance, whether the mean is attainable, whether the SD fits.

    Everything is counted in whole numbers ``n Q - S²``.
    """
    sums = lattice.sums(mean, n, rule)
    limits: list[tuple[int, int]] = []
    for total in sums or sorted(set(nearest_sums(lattice, mean, n, rule))):
        least, greatest = lattice.squares_limits(total, n)
        assert greatest is not None
        limits.append((n * least - total * total, n * greatest - total * total))
    unit = lattice.step**2 / (n * (n - 1))
    spread = sd.interval(rule).squared()
    fits = False
    if spread is not None and sums:
        top = max(high for _, high in limits)
        within = spread.intersect(Interval(Fraction(0), top * unit))
        inside = range(0) if within is None else within.scaled(1 / unit).integers()
        fits = bool(inside) and any(
            low < inside.stop and high >= inside.start for low, high in limits
        )
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    return low * unit, high * unit, bool(sums), fits


def _continuous(
    mean: PrintedNumber,
    sd: PrintedNumber,
    n: int,
    minimum: Fraction,
    maximum: Fraction,
    rule: RoundingRule,
) -> tuple[Fraction, Fraction, bool, bool]:
    """Return the same as :func:`_stepped` for a continuous scale.

    All variances from 0 to the greatest one occur. With all values but one at the ends, the
    greatest is a convex function of the mean between two neighbouring means that put every
    value at an end. So its largest value lies at an end of the rounding interval or where a whole
    number of values is at the maximum.
    """
    scale = Interval(minimum, maximum)
    means = mean.interval(rule).intersect(scale)
    attainable = means is not None
    inside = means or Interval.point(scale.nearest(mean.value))
    span = maximum - minimum
    parts = inside.shifted(-minimum).scaled(n / span)
    whole = parts.integers()
    corners = [part for part in (parts.low, parts.high) if part is not None]
    corners += [Fraction(k) for k in {*whole[:1], *whole[-1:], n // 2, (n + 1) // 2} if k in whole]
    greatest = max(_greatest_variance(part, n) for part in corners)
    top = greatest * span**2
    spread = sd.interval(rule).squared()
    fits = spread is not None and spread.intersect(Interval(Fraction(0), top)) is not None
    return Fraction(0), top, attainable, attainable and fits


def _greatest_variance(part: Fraction, n: int) -> Fraction:
    """Return the greatest sample variance of ``n`` values in 0..1 with the sum ``part``."""
    rest = part - floor(part)
    return (floor(part) + rest * rest - part * part / n) / (n - 1)
