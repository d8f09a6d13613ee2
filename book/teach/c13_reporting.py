"""Exercises of the chapter on reporting."""

from __future__ import annotations

import math

import pandas as pd
from scipy import stats
from scipy.optimize import brentq

from rederive_teach.changes import change, difference, limit, summary
from rederive_teach.lesson import Cohort, Exercise, table_of

PRINTED = {
    "abstract-mrss-change-ivig-m6-mean": -5.3,
    "abstract-mrss-change-ivig-m6-sd": 7.9,
    "abstract-mrss-ivig-m6-n": 29,
    "abstract-mrss-change-ivig-m12-mean": -8.0,
    "abstract-mrss-change-ivig-m12-sd": 8.3,
    "abstract-mrss-ivig-m12-n": 25,
    "abstract-mrss-change-collagen-m12-mean": -3.4,
    "abstract-mrss-change-collagen-m12-sd": 7.12,
    "table1-cohort-size-collagen-n": 168,
}
"""Figures of the article by their row of the registry, which a pack does not hold."""

_MEANS, _SDS, _NUMBERS = (list(PRINTED.values())[at::3] for at in range(3))
SIX, TWELVE, COLLAGEN = zip(_MEANS, _SDS, map(int, _NUMBERS), strict=True)


def half_width(sd: float, number: int, normal: bool = False) -> float:
    """Return half the width of the 95 % interval of a mean."""
    quantile = stats.norm.ppf(0.975) if normal else stats.t.ppf(0.975, number - 1)
    return float(quantile * sd / math.sqrt(number))


def mean_limit(values: pd.Series[float], side: int, normal: bool = False) -> float:
    """Return the lower (-1) or upper (1) 95 % limit of a mean."""
    return float(values.mean() + side * half_width(values.std(), len(values), normal))


def haq_p(correlation: float, number: int = 28, fall: float = 0.08) -> float:
    """Return the paired p of the printed HAQ-DI means and SDs under a correlation."""
    variance = 0.70**2 + 0.75**2 - 2 * correlation * 0.70 * 0.75
    return float(2 * stats.t.sf(fall / math.sqrt(variance / number), number - 1))


def implied(number: int = 28, p: float = 0.436) -> float:
    """Return the correlation with which printed means and SDs give a p."""
    return float(brentq(lambda r: haq_p(r, number) - p, -0.99, 0.99))


def against_collagen(cohort: Cohort, side: int, tol: int = 3, pooled: bool = False) -> float:
    """Return a 95 % limit of the difference in change at 12 months from the collagen controls."""
    return limit(side, difference(summary(change(cohort, 12, tol=tol)), COLLAGEN, pooled))


EXERCISES = (
    Exercise(
        "13.1a",
        "printed",
        lambda _: SIX[0] - half_width(*SIX[1:]),
        1,
        "points",
        {
            "Is that the mean less one SD? What is the interval of a mean?": lambda _: (
                SIX[0] - SIX[1]
            ),
            "Is that the mean less two SDs, where most patients lie?": lambda _: (
                SIX[0] - 1.96 * SIX[1]
            ),
            "That is the upper limit. Which one is asked for?": lambda _: (
                SIX[0] + half_width(*SIX[1:])
            ),
            "Is that for 12 months?": lambda _: TWELVE[0] - half_width(*TWELVE[1:]),
            "Is that the half width?": lambda _: half_width(*SIX[1:]),
            "Did the score rise or fall? Later less earlier.": lambda _: (
                -SIX[0] + half_width(*SIX[1:])
            ),
        },
        low=-51,
        high=51,
    ),
    Exercise(
        "13.1b",
        "choice",
        lambda c: mean_limit(change(c, 24), 1),
        2,
        "points",
        {
            "That is the lower limit. Which one is asked for?": lambda c: mean_limit(
                change(c, 24), -1
            ),
            "Is that with 1.96? How many patients are there?": lambda c: mean_limit(
                change(c, 24), 1, normal=True
            ),
            "Is that for 12 months?": lambda c: mean_limit(change(c, 12), 1),
            "Is that the mean score of those who came, or a change?": lambda c: float(
                table_of(c)["m24"].mean()
            ),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "13.2a",
        "printed",
        lambda _: implied(),
        2,
        "",
        {
            "Is that with 25 patients? The task takes 28.": lambda _: implied(25),
            "Is p halved? The printed one is two-sided already.": lambda _: implied(p=0.218),
            "Is that the p at some correlation? The correlation is asked for.": lambda _: 0.436,
            "Scores without any correlation give a larger p. Which correlation gives the printed "
            "one?": lambda _: 0.0,
        },
        low=-1,
        high=1,
    ),
    Exercise(
        "13.2b",
        "choice",
        lambda c: mean_limit(change(c, 12, measure="haq_di"), -1),
        2,
        "points",
        {
            "That is the upper limit. Which one is asked for?": lambda c: mean_limit(
                change(c, 12, measure="haq_di"), 1
            ),
            "Is that with 1.96? How many patients are there?": lambda c: mean_limit(
                change(c, 12, measure="haq_di"), -1, normal=True
            ),
            "Is that the mean change?": lambda c: float(change(c, 12, measure="haq_di").mean()),
            "Is that the skin score?": lambda c: mean_limit(change(c, 12), -1),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "13.3a",
        "printed",
        lambda _: "snnsn",
        None,
        "word",
        {
            "Sentence 2: what besides IVIG had these patients, and with whom are they compared?": (
                lambda _: "ssnsn"
            ),
            "Sentence 3: is a large p a proof of equality?": lambda _: "snssn",
            "Sentence 5: does p = 0.436 say that nothing changed, or that the change is not known "
            "well?": lambda _: "snnss",
            "Sentences 1 and 4: is there a cause in them, or a count and an interval?": (
                lambda _: "nnnnn"
            ),
        },
    ),
    Exercise(
        "13.3b",
        "choice",
        lambda c: against_collagen(c, 1),
        2,
        "points",
        {
            "That is the lower limit. Which one is asked for?": lambda c: against_collagen(c, -1),
            "Is the SD pooled? The task does not suppose equal SDs.": lambda c: against_collagen(
                c, 1, pooled=True
            ),
            "Is that with two months either side?": lambda c: against_collagen(c, 1, tol=2),
            "Is that the interval of the change, without the controls?": lambda c: mean_limit(
                change(c, 12, tol=3), 1
            ),
        },
        individual=True,
        low=-51,
        high=51,
    ),
)
