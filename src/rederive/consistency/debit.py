"""DEBIT: do binary data have the printed mean and the printed SD together.

Heathers and Brown, 2019. Of n values 0 and 1 with k ones, the sample variance (divisor n - 1) is
k (n - k) / (n (n - 1)).
"""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

from rederive.consistency.grim import nearest_sums
from rederive.consistency.lattice import Lattice, sample_size, scaled, squared, variance_factors
from rederive.printed import PrintedNumber, RoundingRule, require_figure, require_sd
from rederive.printed.result import Reach, Recomputed, habit

BINARY = Lattice.of(minimum=0, maximum=1)
"""The scale of values 0 and 1."""

PERCENT_BINARY = Lattice.of(step=100, minimum=0, maximum=100)
"""The same scale in percent."""


def debit(
    mean: PrintedNumber,
    sd: PrintedNumber,
    n: int | PrintedNumber,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Check the printed SD of binary data against its mean and number of observations.

    Parameters
    ----------
    mean, sd : PrintedNumber
        The published mean (a proportion, or a percentage with its sign) and SD; the SD of a
        percentage is in percentage points if it carries the sign or is above 1, else on the
        scale 0 to 1.
    n : int or PrintedNumber
        Number of observations, at least 2.
    rule : RoundingRule
        Rule by which both figures were rounded.

    Returns
    -------
    Recomputed
        ``low`` and ``high``: the least and greatest SD, over all counts that the mean allows, that
        prints as the figure, or, if none does, the nearest attainable SDs below and above it.

    Raises
    ------
    ValueError
        For ``n`` below 2 or figures printed as inequalities.

    Examples
    --------
    >>> debit(parse("0.36"), parse("0.11"), 20).inside
    False
    """
    require_figure("mean", mean)
    require_sd(sd)
    require_figure("sd", sd)
    size = sample_size(n, 2)
    lattice = PERCENT_BINARY if mean.percent else BINARY
    counts = lattice.sums(mean, size, rule)
    shown = counts or sorted(set(nearest_sums(lattice, mean, size, rule)))
    in_points = sd.percent or (mean.percent and sd.value > 1)
    scale = 100 if in_points else 1
    variances = [scale**2 * Fraction(k * (size - k), size * (size - 1)) for k in shown]
    spread = squared(sd.interval(rule))
    inside = [v for v in variances if counts and spread is not None and v in spread]
    low, high = _ends(inside) if inside else _around(variances, sd.value**2)
    if not counts:
        remark = "no count has this mean"
    else:
        remark = f"counts with this mean: {counts[0]} to {counts[-1]}"
    point = sqrt(low) if low == high else None
    convention = f"n = {size}, values 0 and 1, rounding {rule}"
    reach = Reach(convention, True, sqrt(low), sqrt(high), point, bool(inside))
    possible = []
    if counts and spread is not None and not inside:
        for name, factor in variance_factors(size).items():
            fitting = [v for v in variances if v in scaled(spread, factor)]
            if fitting:
                possible.append(habit(name, *map(sqrt, _ends(fitting))))
    return Recomputed("DEBIT", sd, (reach,), remark, tuple(possible))


def _ends(values: list[Fraction]) -> tuple[Fraction, Fraction]:
    return min(values), max(values)


def _around(values: list[Fraction], centre: Fraction) -> tuple[Fraction, Fraction]:
    below = [value for value in values if value <= centre]
    above = [value for value in values if value >= centre]
    return max(below or [min(above or values)]), min(above or [max(below or values)])
