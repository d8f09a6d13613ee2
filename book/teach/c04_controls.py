"""Exercises of the chapter on historical controls."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from rederive_teach.lesson import Cohort, Exercise, table

Group = tuple[float, float, int]
"""Mean, SD and number of patients."""

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

_GROUPS = list(PRINTED.values())
IVIG, COLLAGEN, MMF = (tuple(_GROUPS[at : at + 3]) for at in (0, 3, 6))


def welch(ours: Group, theirs: Group) -> tuple[float, float, float]:
    """Return difference, standard error and degrees of freedom of two groups without pooling."""
    (m1, s1, n1), (m2, s2, n2) = ours, theirs
    a, b = s1**2 / n1, s2**2 / n2
    return m1 - m2, math.sqrt(a + b), (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))


def student(ours: Group, theirs: Group) -> tuple[float, float, float]:
    """Return difference, standard error and degrees of freedom with one pooled SD."""
    (m1, s1, n1), (m2, s2, n2) = ours, theirs
    pooled = ((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2)
    return m1 - m2, math.sqrt(pooled * (1 / n1 + 1 / n2)), n1 + n2 - 2


def limit(side: int, level: float, found: tuple[float, float, float]) -> float:
    """Return the lower (-1) or upper (1) limit of a difference."""
    difference, error, df = found
    return float(difference + side * stats.t.ppf((1 + level) / 2, df) * error)


def equivalence(margin: float, found: tuple[float, float, float]) -> float:
    """Return the p value of two one-sided tests."""
    difference, error, df = found
    below, above = (difference + margin) / error, (difference - margin) / error
    return float(max(stats.t.sf(below, df), stats.t.cdf(above, df)))


def effective(cohort: Cohort, target: float, month: int, seen_only: bool = True) -> float:
    """Return the effective number after weights give baseline a mean; NaN if no weights do."""
    scores = table(cohort.visits).dropna(subset=["m0", f"m{month}"] if seen_only else ["m0"])
    away = scores["m0"].to_numpy() - target
    if not away.min() < 0 < away.max():
        return math.nan
    slope = brentq(lambda a: float((away * np.exp(a * away)).sum()), -5, 5)
    weights = np.exp(slope * away)
    return float(weights.sum() ** 2 / (weights**2).sum())


def own(cohort: Cohort) -> Group:
    """Return the cohort's change at 12 months."""
    scores = table(cohort.visits)
    change = (scores["m12"] - scores["m0"]).dropna()
    return float(change.mean()), float(change.std()), len(change)


def two_sided(found: tuple[float, float, float]) -> float:
    """Return the p value of the test of no difference."""
    return float(2 * stats.t.sf(abs(found[0]) / found[1], found[2]))


def easier(margin: float, found: tuple[float, float, float]) -> float:
    """Return the smaller p value of the two one-sided tests."""
    difference, error, df = found
    below, above = (difference + margin) / error, (difference - margin) / error
    return float(min(stats.t.sf(below, df), stats.t.cdf(above, df)))


COLLAGEN_FOUND = welch(IVIG, COLLAGEN)


def _collagen(id: str, side: int) -> Exercise:
    return Exercise(
        id,
        "printed",
        lambda cohort: limit(side, 0.95, COLLAGEN_FOUND),
        2,
        "points",
        {
            "Did you pool the two SDs? With 25 and 168 patients, and the larger SD in the smaller "
            "group, what does pooling assume?": lambda c: limit(
                side, 0.95, student(IVIG, COLLAGEN)
            ),
            "Is 1.96 the right multiple when the standard error is estimated from 25 patients?": (
                lambda c: COLLAGEN_FOUND[0] + side * 1.96 * COLLAGEN_FOUND[1]
            ),
            "That is a 90 % interval. How much should stay outside on each side?": lambda c: limit(
                side, 0.90, COLLAGEN_FOUND
            ),
            "The other limit, or the other sign? Which group is subtracted from which?": lambda c: (
                limit(-side, 0.95, COLLAGEN_FOUND)
            ),
            "Which group is subtracted from which?": lambda c: -limit(-side, 0.95, COLLAGEN_FOUND),
            "That is your cohort's own mean and SD. What does the article print?": lambda c: limit(
                side, 0.95, welch(own(c), COLLAGEN)
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
            "number?": lambda c: own(c)[2],
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
        lambda cohort: equivalence(3.2, welch(IVIG, MMF)),
        3,
        "p",
        {
            "That is the test of no difference. Which hypothesis has to be rejected before two "
            "groups can be called equivalent?": lambda c: two_sided(welch(IVIG, MMF)),
            "Did you pool the SDs? That is Student's version; the task asks for Welch's.": (
                lambda c: equivalence(3.2, student(IVIG, MMF))
            ),
            "Only one of the two one-sided tests, and the easier one. Which of them decides?": (
                lambda c: easier(3.2, welch(IVIG, MMF))
            ),
            "Did you double it? Two one-sided tests at 5 % each keep 5 % in all: why?": lambda c: (
                2 * equivalence(3.2, welch(IVIG, MMF))
            ),
            "That is for the larger margin. Which one does the task take?": lambda c: equivalence(
                5.3, welch(IVIG, MMF)
            ),
        },
        low=0,
        high=1,
    ),
)
