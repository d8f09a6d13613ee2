"""Wilcoxon's signed-rank test under each convention, from data or from a printed p alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import rankdata, wilcoxon

from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule


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


def signed_rank_p(differences: Sequence[float], convention: SignedRankConvention) -> float | None:
    """Return the two-sided p of the signed-rank test of paired differences, of which there is one.

    1.0 when all differences are zero; ``None`` where the exact distribution is asked for but ties
    or too few differences leave it undefined.
    """
    values = np.asarray(differences, dtype=float)
    if values.size == 0:
        raise ValueError("the signed-rank test needs at least one difference")
    changed = values[values != 0]
    if changed.size == 0:
        return 1.0
    if convention.exact:
        if len(np.unique(np.abs(changed))) < changed.size:
            return None
        return float(wilcoxon(changed, method="exact").pvalue)
    return float(
        wilcoxon(
            values,
            zero_method=convention.zeros,
            correction=convention.correction,
            method="approx",
        ).pvalue
    )


def stata_signed_rank_p(differences: Sequence[float]) -> float:
    """Return Stata's signed-rank p from its own formula.

    With zeros ranked and then dropped, z is the sum of the signed ranks over the root of the sum
    of the squared ranks of the changed pairs (Stata Base Reference Manual, ``signrank``).
    """
    values = np.asarray(differences, dtype=float)
    ranks = rankdata(np.abs(values)) * np.sign(values)
    spread = float(np.sqrt(np.sum(ranks**2)))
    if spread == 0:
        return 1.0
    return float(2 * ndtr(-abs(float(ranks.sum())) / spread))


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """Numbers of patients by ordinal change: ``better[k]`` improved by k + 1 steps."""

    n: int
    better: tuple[int, ...]
    worse: tuple[int, ...]


def change_counts_with_p(
    p: PrintedNumber,
    n: int,
    largest_change: int = 2,
    rule: RoundingRule = RoundingRule.EITHER,
) -> list[ChangeCounts]:
    """Return all patterns of ordinal changes whose Stata signed-rank p prints as published.

    Parameters
    ----------
    p : PrintedNumber
        The published p.
    n : int
        Paired patients, unchanged ones included.
    largest_change : int
        Greatest change considered, in steps of the ordinal scale (1 or 2).
    rule : RoundingRule
        How p was rounded.

    Raises
    ------
    ValueError
        If ``largest_change`` is not 1 or 2, or n is below 1.
    """
    if largest_change not in (1, 2) or n < 1:
        raise ValueError("largest_change must be 1 or 2, and n at least 1")
    target = p.interval(rule, P_VALUE_DOMAIN)
    sizes = range(n + 1) if largest_change == 2 else range(1)
    found = []
    for ones, twos in itertools.product(range(n + 1), sizes):
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
            better, worse = (a, b), (ones - a, twos - b)
            found.append(ChangeCounts(n, better[:largest_change], worse[:largest_change]))
    return found
