"""What the summaries of two visits say of the pairs, and of the patients missing at the second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from scipy.special import stdtrit

from rederive.printed import P_VALUE_DOMAIN, Interval, PrintedNumber, RoundingRule, require_printed
from rederive.printed.result import Reach, Recomputed
from rederive.recompute.summaries import Scale, Summary
from rederive.recompute.t_formulas import Ends, difference_range, distance_range, one_sample_range


def paired_t_from_marginals(
    before: Summary,
    after: Summary,
    p: PrintedNumber | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Recompute the p of a paired t test when only both marginal summaries are printed.

    The SD of the changes depends on the correlation of the two measurements, which is not
    printed: Var(d) = s1² + s2² - 2 r s1 s2 for r between -1 and 1. The convention names the
    correlations that would give the printed p.

    Parameters
    ----------
    before, after : Summary
        The same patients at the two visits.
    p : PrintedNumber, optional
        The published p.
    rule : RoundingRule
        How the figures were rounded.

    Raises
    ------
    ValueError
        If the two summaries are of different sizes.

    Examples
    --------
    >>> before = Summary(parse("29.6"), parse("7.2"), 29)
    >>> after = Summary(parse("24.1"), parse("9.6"), 29)
    >>> paired_t_from_marginals(before, after, parse("0.001")).main.convention
    'paired t, correlation of the two visits unstated (between 0.50 and 0.65 would do)'
    """
    if before.n != after.n:
        raise ValueError(f"paired summaries differ in size: {before.n} and {after.n}")
    (s1, t1), (s2, t2) = before.sd_range(rule), after.sd_range(rule)
    spreads = max(0.0, s1 - t2, s2 - t1), t1 + t2
    difference = difference_range(after.mean_range(rule), before.mean_range(rule))
    low, high = one_sample_range(difference, spreads, before.n)
    implied = implied_correlation_from_p(before, after, p, rule) if p is not None else None
    convention = "paired t, correlation of the two visits unstated"
    if implied is not None:
        convention += f" (between {implied[0]:.2f} and {implied[1]:.2f} would do)"
    meets = implied is not None and implied[0] <= implied[1]
    reach = Reach(convention, False, float(low), float(high), None, meets)
    return Recomputed("paired t test from both visits' summaries", p, (reach,))


def implied_correlation_from_p(
    before: Summary,
    after: Summary,
    p: PrintedNumber,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Ends | None:
    """Return the least and greatest correlation of two visits that makes the paired p reachable.

    ``None`` if none from -1 to 1 will do.
    """
    difference = difference_range(after.mean_range(rule), before.mean_range(rule))
    near, far = map(float, distance_range(*difference))
    target = p.interval(rule, P_VALUE_DOMAIN)
    df = before.n - 1
    t_high = -float(stdtrit(df, target.lower / 2)) if target.lower > 0 else math.inf
    t_low = -float(stdtrit(df, target.upper / 2))
    root = before.n**0.5
    spread_low = near * root / t_high if t_high > 0 else 0.0
    spread_high = far * root / t_low if t_low > 0 else float("inf")
    return correlation_range(before.sd_range(rule), after.sd_range(rule), (spread_low, spread_high))


def correlation_range(sd1: Ends, sd2: Ends, sd_difference: Ends) -> Ends | None:
    """Return the correlations compatible with ranges of both SDs and of the SD of differences.

    r = (s1² + s2² - d²) / (2 s1 s2) falls with d. For a fixed d its extremes over the box of s1 and
    s2 lie at corners, or on an edge where s1² = s2² - d² (or the reverse). ``None`` when nothing
    within -1 to 1 is compatible.
    """

    def r(s1: float, s2: float, d: float) -> float:
        if d == math.inf:
            return -math.inf
        if s1 == 0 or s2 == 0:
            # The limit as that SD shrinks to nothing; clipped to the ends of the scale below.
            rest = s1 * s1 + s2 * s2 - d * d
            return math.copysign(math.inf, rest) if rest else 0.0
        return (s1 * s1 + s2 * s2 - d * d) / (2 * s1 * s2)

    def candidates(d: float) -> Iterator[float]:
        yield from (r(s1, s2, d) for s1 in sd1 for s2 in sd2)
        for fixed_ends, free in ((sd1, sd2), (sd2, sd1)):
            for fixed in fixed_ends:
                square = fixed * fixed - d * d
                if square > 0 and free[0] < square**0.5 < free[1]:
                    yield r(fixed, square**0.5, d)

    low, high = min(candidates(sd_difference[1])), max(candidates(sd_difference[0]))
    slack = 1e-9
    if low > 1 + slack or high < -1 - slack:
        return None
    return min(max(low, -1.0), 1.0), max(min(high, 1.0), -1.0)


def implied_correlation(
    before_sd: PrintedNumber,
    after_sd: PrintedNumber,
    change_sd: PrintedNumber,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Ends | None:
    """Return the correlation of two visits implied by their SDs and the SD of the change.

    Parameters
    ----------
    before_sd, after_sd, change_sd : PrintedNumber
        All three over the same patients.
    rule : RoundingRule
        How they were rounded.

    Returns
    -------
    tuple of float or None
        Least and greatest correlation; ``None`` if the three SDs cannot hold together.

    Examples
    --------
    >>> [round(r, 2) for r in implied_correlation(parse("7.2"), parse("8.0"), parse("5.1"))]
    [0.77, 0.79]
    """
    domain = Interval(Fraction(0), None)
    sds = before_sd, after_sd, change_sd
    return correlation_range(*(sd.interval(rule, domain).ends for sd in sds))


def sum_range(
    mean: PrintedNumber, n: int, rule: RoundingRule, step: Fraction | None
) -> tuple[Fraction, Fraction]:
    """Return the least and greatest sum of n values with a printed mean.

    On a scale sums are multiples of its step; ``None`` is for a continuous measure.
    """
    require_printed("mean", mean)
    interval = mean.interval(rule)
    if interval.low is None or interval.high is None:
        raise ValueError(f"the mean {mean} has no finite rounding interval")
    if step is None:
        return interval.low * n, interval.high * n
    sums = interval.scaled(n / step).integers()
    if not sums:
        raise ValueError(f"no {n} values in steps of {step} have a mean that prints as {mean}")
    return sums[0] * step, sums[-1] * step


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
