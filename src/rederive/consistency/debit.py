"""DEBIT: do binary data have the printed mean and the printed SD together.

Heathers and Brown, 2019. Of n values 0 and 1 with k ones, the sample variance (divisor n - 1) is
k (n - k) / (n (n - 1)).
"""

from __future__ import annotations

from math import sqrt

from rederive.consistency.grim import nearest_sums
from rederive.consistency.grimmer import Search
from rederive.printed import PrintedNumber, RoundingRule, require_figure, require_sd
from rederive.printed.lattice import Lattice, sample_size, variance_factors
from rederive.printed.result import Reach, Recomputed, habit


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
    top = 100 if mean.percent else 1
    lattice = Lattice.of(1, top, 0, top)
    in_points = sd.percent or (mean.percent and sd.value > 1)
    unit = lattice.step / (100 if in_points else 1)
    counts = lattice.sums(mean, size, rule)
    stated = sd.interval(rule).squared()
    spread = None if stated is None else stated.scaled(unit**2)
    search = Search(lattice, size)
    inside = search.inside(counts, spread)
    around = counts or sorted(set(nearest_sums(lattice, mean, size, rule)))
    low, high = inside or search.around(around, (sd.value * unit) ** 2)
    least, greatest = sqrt(low / unit**2), sqrt(high / unit**2)
    remark = "no count has this mean"
    if counts:
        remark = f"counts with this mean: {counts[0]} to {counts[-1]}"
    convention = f"n = {size}, values 0 and 1, rounding {rule}"
    point = least if low == high else None
    reach = Reach(convention, True, least, greatest, point, inside is not None)
    possible = []
    if spread is not None and not inside:
        for name, factor in variance_factors(size).items():
            ends = search.inside(counts, spread.scaled(factor))
            if ends is not None:
                possible.append(habit(name, *(sqrt(end / unit**2) for end in ends)))
    return Recomputed("DEBIT", sd, (reach,), remark, tuple(possible))
