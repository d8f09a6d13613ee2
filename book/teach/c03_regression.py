"""Exercises on regression to the mean."""

from __future__ import annotations

import numpy as np

from rederive_teach.lesson import Cohort, Exercise, table_of

PRINTED = {
    "abstract-mrss-ivig-baseline-mean": 29.6,
    "table1-mrss-mmf-baseline-mean": 24.5,
    "table1-mrss-d-pen-baseline-mean": 21.0,
    "table1-mrss-d-pen-baseline-sd": 8.0,
    "abstract-mrss-change-ivig-m6-mean": -5.3,
}
"""Figures of the article by their row of the registry, which a pack does not hold."""

TREATED, SOURCE, DPEN, SPREAD, FALL = (abs(each) for each in PRINTED.values())
DISTANCE, RELIABILITY = TREATED - DPEN, 0.8


def correlation(cohort: Cohort, first: str, second: str) -> float:
    """Return a correlation of baseline, follow-up, change and average at 6 months."""
    scores = table_of(cohort)[["m0", "m6"]].dropna()
    scores = scores.assign(change=scores["m6"] - scores["m0"], average=scores.mean(axis=1))
    return float(np.corrcoef(scores[first], scores[second])[0, 1])


def half(cohort: Cohort, upper: bool = True, strictly: bool = False) -> float:
    """Return the mean change at 6 months of the half that began high, or of the other."""
    scores = table_of(cohort)[["m0", "m6"]].dropna()
    middle = scores["m0"].median()
    high = scores["m0"] > middle if strictly else scores["m0"] >= middle
    own = scores[high if upper else ~high]
    return float((own["m6"] - own["m0"]).mean())


EXERCISES = (
    Exercise(
        "3.1",
        "added",
        lambda c: (1 - RELIABILITY) * (TREATED - SOURCE),
        2,
        "points",
        {
            "Which share of the distance stays, and which is lost?": lambda c: (
                RELIABILITY * (TREATED - SOURCE)
            ),
            "Is the reliability a correlation, or its square?": lambda c: (
                (1 - RELIABILITY**2) * (TREATED - SOURCE)
            ),
            "Is the reliability a correlation, or its root?": lambda c: (
                (1 - RELIABILITY**0.5) * (TREATED - SOURCE)
            ),
            "Is a fall asked for, or a change?": lambda c: (RELIABILITY - 1) * (TREATED - SOURCE),
        },
        low=-51,
        high=51,
    ),
    Exercise(
        "3.2a",
        "forced",
        lambda c: correlation(c, "average", "change"),
        2,
        "correlation",
        {
            "Change against baseline: in which of the two does the first score's error stand "
            "twice?": lambda c: correlation(c, "m0", "change"),
            "Is this the correlation of the two scores?": lambda c: correlation(c, "m0", "m6"),
            "Is this change against the later score?": lambda c: correlation(c, "m6", "change"),
            "Is a change later less earlier?": lambda c: -correlation(c, "average", "change"),
            "Is this the square of a correlation?": lambda c: (
                correlation(c, "average", "change") ** 2
            ),
        },
        low=-1,
        high=1,
    ),
    Exercise(
        "3.2b",
        "choice",
        half,
        2,
        "points",
        {
            "Is this the half that began low?": lambda c: half(c, upper=False),
            "Where do patients at the median itself belong?": lambda c: half(c, strictly=True),
            "Is a change later less earlier?": lambda c: -half(c),
            "Is this everybody?": lambda c: float((table_of(c)["m6"] - table_of(c)["m0"]).mean()),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "3.3",
        "added",
        lambda c: SPREAD * (FALL / DISTANCE) ** 0.5,
        1,
        "points",
        {
            "Does the fall grow with the error's SD or with its variance?": lambda c: (
                4.6 * FALL / (4.6**2 / SPREAD**2 * DISTANCE)
            ),
            "Is this a variance?": lambda c: SPREAD**2 * FALL / DISTANCE,
            "Is this the SD of the true scores?": lambda c: SPREAD * (1 - FALL / DISTANCE) ** 0.5,
            "Is this the reliability?": lambda c: 1 - FALL / DISTANCE,
        },
        low=0,
        high=51,
    ),
)
