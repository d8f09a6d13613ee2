"""Wilcoxon's signed-rank test under each convention, from data or from a printed p alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr
from scipy.stats import rankdata, wilcoxon

from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SignedRankConvention:
    """A way, with its name, to treat zeros, continuity and the null distribution.

    ``pratt`` ranks zero differences and then drops them; ``wilcox`` drops them first. With
    ``correction`` the normal approximation has a continuity correction; ``exact`` is the exact null
    distribution (without zeros and ties only).
    """

    name: str
    zeros: str
    correction: bool
    exact: bool = False


CONVENTIONS: tuple[SignedRankConvention, ...] = (
    SignedRankConvention("Pratt zeros, normal (Stata's signrank)", "pratt", False),
    SignedRankConvention("Pratt zeros, normal, continuity correction", "pratt", True),
    SignedRankConvention("zeros dropped, normal", "wilcox", False),
    SignedRankConvention("zeros dropped, normal, continuity correction (R)", "wilcox", True),
    SignedRankConvention("zeros dropped, exact", "wilcox", False, exact=True),
)
"""Conventions in common software; the first is Stata's."""


def signed_rank_test(
    differences: npt.ArrayLike, convention: SignedRankConvention = CONVENTIONS[0]
) -> tuple[Floats, Floats, Floats]:
    """Return rank sum of the increases, z and two-sided p of the signed-rank test, row by row.

    Parameters
    ----------
    differences : array, shape (n,) or (rows, n)
        Paired differences; NaN where there is none.
    convention : SignedRankConvention
        How zeros, ties and the null distribution are treated; Stata's by default.

    Returns
    -------
    tuple of array, shape (rows,)
        z is NaN under the exact distribution. p is 1 if all differences are zero, NaN without any,
        and under the exact distribution if some are tied.

    Notes
    -----
    The variance of the rank sum is a quarter of the sum of the squared ranks of the changed pairs,
    which contains the corrections for ties and for zeros (Stata Base Reference Manual,
    ``signrank``).

    Examples
    --------
    >>> rank_sum, z, p = signed_rank_test([1, -2, 3, 4, 5, 0])
    >>> float(rank_sum[0]), round(float(p[0]), 3)
    (17.0, 0.14)
    """
    values = np.atleast_2d(np.asarray(differences, np.float64))
    changed = np.abs(values) > 0
    ranked = ~np.isnan(values) if convention.zeros == "pratt" else changed
    # What is not ranked comes last, so it leaves the others' mid-ranks alone.
    ranks = np.where(changed, rankdata(np.where(ranked, np.abs(values), np.inf), axis=1), 0.0)
    rank_sum = np.where(values > 0, ranks, 0.0).sum(axis=1)
    number = changed.sum(axis=1)
    if convention.exact:
        ordered = np.sort(np.where(changed, ranks, np.nan), axis=1)
        tied = (np.diff(ordered, axis=1) == 0).any(axis=1)
        z = np.full(len(values), np.nan)
        p = np.full(len(values), np.nan)
        for row in np.flatnonzero(~tied & (number > 0)):
            p[row] = wilcoxon(values[row, changed[row]], method="exact").pvalue
    else:
        excess = 2 * rank_sum - ranks.sum(axis=1)
        if convention.correction:
            excess -= np.sign(excess)
        spread = np.sqrt((ranks**2).sum(axis=1))
        z = np.divide(excess, spread, out=np.full(len(values), np.nan), where=spread > 0)
        p = 2 * ndtr(-np.abs(z))
    unchanged = (number == 0) & ~np.isnan(values).all(axis=1)
    return rank_sum, z, np.where(unchanged, 1.0, p)


def signed_rank_p(
    differences: npt.ArrayLike, convention: SignedRankConvention = CONVENTIONS[0]
) -> float:
    """Return the two-sided p of one sample; parameters and NaN as of :func:`signed_rank_test`."""
    return float(signed_rank_test(differences, convention)[2][0])


Steps = tuple[int, int]
"""Numbers of patients who changed by one step, and by two."""


def change_counts_with_p(
    p: PrintedNumber, n: int, rule: RoundingRule = RoundingRule.EITHER
) -> list[tuple[Steps, Steps]]:
    """Return all patterns of changes by at most two steps whose Stata signed-rank p prints so.

    Each pattern has the patients who improved, then those who worsened.

    Parameters
    ----------
    p : PrintedNumber
        The published p.
    n : int
        Paired patients, unchanged ones included; at least 1.
    rule : RoundingRule
        How p was rounded.
    """
    target = p.interval(rule, P_VALUE_DOMAIN)
    found = []
    for ones, twos in itertools.product(range(n + 1), repeat=2):
        zeros = n - ones - twos
        if zeros < 0:
            continue
        rank1 = zeros + (ones + 1) / 2
        rank2 = zeros + ones + (twos + 1) / 2
        spread = np.sqrt(ones * rank1**2 + twos * rank2**2)
        up1, up2 = np.meshgrid(np.arange(ones + 1), np.arange(twos + 1), indexing="ij")
        total = (2 * up1 - ones) * rank1 + (2 * up2 - twos) * rank2
        value = 2 * ndtr(-np.abs(total) / spread) if spread > 0 else np.ones_like(total, float)
        hits = (value <= target.upper + 1e-9) & (value >= target.lower - 1e-9)
        for a, b in zip(up1[hits].tolist(), up2[hits].tolist(), strict=True):
            found.append(((a, b), (ones - a, twos - b)))
    return found
