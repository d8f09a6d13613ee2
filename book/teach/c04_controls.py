"""Exercises of the chapter on historical controls."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from rederive_teach.changes import Difference, change, difference, limit, summary
from rederive_teach.lesson import Cohort, Exercise, table_of

PRINTED = {
    "abstract-mrss-change-ivig-m12-mean": -8.0,
    "abstract-mrss-change-ivig-m12-sd": 8.3,
    "abstract-mrss-ivig-m12-n": 25,
    "abstract-mrss-change-collagen-m12-mean": -3.4,
    "abstract-mrss-change-collagen-m12-sd": 7.12,
    "table1-cohort-size-collagen-n": 168,
    "abstract-mrss-change-mmf-m12-mean": -7.1,
    "abstract-mrss-change-mmf-m12-sd": 9.0,
    "table1-cohort-size-mmf-n": 87,
}
"""Figures of the article by their row of the registry, which a pack does not hold."""

_MEANS, _SDS, _NUMBERS = (list(PRINTED.values())[at::3] for at in range(3))
IVIG, COLLAGEN, MMF = zip(_MEANS, _SDS, map(int, _NUMBERS), strict=True)


def equivalence(margin: float, found: Difference) -> float:
    """Return the p value of two one-sided tests."""
    difference, error, df = found
    below, above = (difference + margin) / error, (difference - margin) / error
    return float(max(stats.t.sf(below, df), stats.t.cdf(above, df)))


def effective(cohort: Cohort, target: float, month: int, seen_only: bool = True) -> float:
    """Return the effective number after weights give baseline a mean; NaN if no weights do."""
    scores = table_of(cohort).dropna(subset=["m0", f"m{month}"] if seen_only else ["m0"])
    away = scores["m0"].to_numpy() - target
    if not away.min() < 0 < away.max():
        return math.nan
    slope = brentq(lambda a: float((away * np.exp(a * away)).sum()), -5, 5)
    weights = np.exp(slope * away)
    return float(weights.sum() ** 2 / (weights**2).sum())


def two_sided(found: Difference) -> float:
    """Return the p value of the test of no difference."""
    return float(2 * stats.t.sf(abs(found[0]) / found[1], found[2]))


def easier(margin: float, found: Difference) -> float:
    """Return the smaller p value of the two one-sided tests."""
    difference, error, df = found
    below, above = (difference + margin) / error, (difference - margin) / error
    return float(min(stats.t.sf(below, df), stats.t.cdf(above, df)))


COLLAGEN_FOUND, MMF_FOUND = difference(IVIG, COLLAGEN), difference(IVIG, MMF)


def _collagen(id: str, side: int) -> Exercise:
    return Exercise(
        id,
        "printed",
        lambda cohort: limit(side, COLLAGEN_FOUND),
        2,
        "points",
        {
            "Did you pool the two SDs? With 25 and 168 patients, and the larger SD in the smaller "
            "group, what does pooling assume?": lambda c: limit(
                side, difference(IVIG, COLLAGEN, pooled=True)
            ),
            "Is 1.96 the right multiple when the standard error is estimated from 25 patients?": (
                lambda c: COLLAGEN_FOUND[0] + side * 1.96 * COLLAGEN_FOUND[1]
            ),
            "That is a 90 % interval. How much should stay outside on each side?": lambda c: limit(
                side, COLLAGEN_FOUND, 0.90
            ),
            "The other limit, or the other sign? Which group is subtracted from which?": lambda c: (
                limit(-side, COLLAGEN_FOUND)
            ),
            "Which group is subtracted from which?": lambda c: -limit(-side, COLLAGEN_FOUND),
            "That is your cohort's own mean and SD. What does the article print?": lambda c: limit(
                side, difference(summary(change(c, 12)), COLLAGEN)
            ),
        },
        low=-51,
        high=51,
    )


EXERCISES = (
    _collagen("4.1a", -1),
    _collagen("4.1b", 1),
    Exercise(
        "4.2",
        "choice",
        lambda cohort: effective(cohort, 24.5, 12),
        1,
        "patients",
        {
            "Is that how many have a score at 12 months? What do unequal weights do to the "
            "number?": lambda c: len(change(c, 12)),
            "That is the effective number at 6 months. Who was seen at 12?": lambda c: effective(
                c, 24.5, 6
            ),
            "Do the patients without a score at 12 months contribute to its mean?": lambda c: (
                effective(c, 24.5, 12, seen_only=False)
            ),
            "That is for a mean baseline of 26.1. Which group has 24.5?": lambda c: effective(
                c, 26.1, 12
            ),
        },
        individual=True,
        low=1,
        high=30,
    ),
    Exercise(
        "4.3",
        "printed",
        lambda cohort: equivalence(3.2, MMF_FOUND),
        3,
        "p",
        {
            "That is the test of no difference. Which hypothesis has to be rejected before two "
            "groups can be called equivalent?": lambda c: two_sided(MMF_FOUND),
            "Did you pool the SDs? That is Student's version; the task asks for Welch's.": (
                lambda c: equivalence(3.2, difference(IVIG, MMF, pooled=True))
            ),
            "Only one of the two one-sided tests, and the easier one. Which of them decides?": (
                lambda c: easier(3.2, MMF_FOUND)
            ),
            "Did you double it? Two one-sided tests at 5 % each keep 5 % in all: why?": lambda c: (
                2 * equivalence(3.2, MMF_FOUND)
            ),
            "That is for the larger margin. Which one does the task take?": lambda c: equivalence(
                5.3, MMF_FOUND
            ),
        },
        low=0,
        high=1,
    ),
)
