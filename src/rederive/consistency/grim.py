"""GRIM: is a printed mean the mean of values that move in steps.

Brown and Heathers, Social Psychological and Personality Science 2017;8:363-369. All attainable sums
near the mean are tried, on the side of every rounding rule; the nearest sum alone gives false
alarms.
"""

from __future__ import annotations

from rederive.printed import PrintedNumber, RoundingRule, require_figure
from rederive.printed.lattice import Exact, Lattice, attainable_figures, sample_size
from rederive.printed.result import Reach, Recomputed, habit


def grim(
    mean: PrintedNumber,
    n: int | PrintedNumber,
    items: int = 1,
    step: Exact = 1,
    minimum: Exact | None = None,
    maximum: Exact | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Check a printed mean against its number of observations.

    Parameters
    ----------
    mean : PrintedNumber
        The published mean. With a percent sign it is the share of observations that are 1, of
        0 and 1 (``step`` 1 is 100 %); leave the sign out for a measurement in percent.
    n : int or PrintedNumber
        Number of observations, at least 1.
    items : int
        Number of items whose mean is one observation.
    step : int or Fraction
        Step of a single item; 1/8 for an index in eighths.
    minimum, maximum : int or Fraction, optional
        Ends of the scale.
    rule : RoundingRule
        Rule by which the mean was rounded.

    Returns
    -------
    Recomputed
        ``low`` and ``high``: the least and greatest attainable mean that prints as the figure, or,
        if none does, the nearest attainable means below and above it.

    Raises
    ------
    ValueError
        For parameters out of range or a mean printed as an inequality.

    Examples
    --------
    >>> grim(parse("5.19"), 28).inside
    False
    """
    require_figure("mean", mean)
    size = sample_size(n, 1)
    lattice = Lattice.of(items, step, minimum, maximum, mean.percent)
    sums = lattice.sums(mean, size, rule)
    low, high = nearest_sums(lattice, mean, size, rule)
    convention = f"n = {size}, {lattice.words}, rounding {rule}"
    means = [lattice.value(total, size) for total in (low, high)]
    reach = Reach.of_values(convention, means, bool(sums))
    remark = f"{len(sums)} attainable sums" if sums else "no attainable sum has this mean"
    possible = []
    for name, interval in ({} if sums else mean.otherwise_rounded()).items():
        found = lattice.sums_within(interval, size)
        if found:
            ends = (lattice.value(total, size) for total in (found[0], found[-1]))
            possible.append(habit(name, *ends))
    return Recomputed("GRIM", mean, (reach,), remark, tuple(possible))


def nearest_sums(
    lattice: Lattice, mean: PrintedNumber, n: int, rule: RoundingRule
) -> tuple[int, int]:
    """Return the ends of the sums that print as ``mean``, else the nearest sums around it."""
    centre = lattice.possible_sums(n).nearest(mean.value * n / lattice.step)
    return attainable_figures(lattice.sums(mean, n, rule), centre)
