"""Exercises on windows and visits."""

from __future__ import annotations

import pandas as pd

from rederive_teach.changes import change
from rederive_teach.lesson import Cohort, Exercise, table_of


def difference_of_means(cohort: Cohort, month: int, back: int = 3, tol: int = 2) -> float:
    """Return the later mean less the earlier one, of whoever was seen at each."""
    scores = table_of(cohort, back, tol)
    return float(scores[f"m{month}"].mean() - scores["m0"].mean())


def skin(cohort: Cohort) -> pd.DataFrame:
    """Return the visits with a skin score, in order of time."""
    return cohort.visits.query("measure == 'mrss'").sort_values("month")


def from_earliest(cohort: Cohort) -> float:
    """Return the change at 6 months from the earliest score of two months before."""
    own = skin(cohort)
    first = own[own["month"].between(-2, 0)].groupby("patient", observed=True)["value"].first()
    return float((table_of(cohort)["m6"] - first).mean())


def gaps(cohort: Cohort, month: int) -> pd.Series:
    """Return how far each patient's nearest later visit is from a month."""
    own = skin(cohort).query("month > 0")
    return (own["month"] - month).abs().groupby(own["patient"].astype(str)).min()


EXERCISES = (
    Exercise(
        "2.1a",
        "choice",
        lambda c: len(change(c, 6, back=2)),
        None,
        "patients",
        {
            "Have all of these a score in the two months before, or in three?": lambda c: len(
                change(c, 6)
            ),
            "Have all of these a score at 6 months? Count who has both.": lambda c: int(
                table_of(c, back=2)["m0"].count()
            ),
            "Which window did you narrow, that before treatment or that at 6 months?": lambda c: (
                len(change(c, 6, tol=1))
            ),
        },
        low=0,
        high=200,
    ),
    Exercise(
        "2.1b",
        "choice",
        lambda c: change(c, 6, back=2).mean(),
        2,
        "points",
        {
            "Is this the mean with a baseline of three months?": lambda c: change(c, 6).mean(),
            "Do both means come from the same patients?": lambda c: difference_of_means(c, 6, 2),
            "Which of several scores before treatment counts?": from_earliest,
            "Did the score rise or fall? Later less earlier.": lambda c: (
                -change(c, 6, back=2).mean()
            ),
            "Which window did you narrow, that before treatment or that at 6 months?": lambda c: (
                change(c, 6, tol=1).mean()
            ),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "2.2a",
        "forced",
        lambda c: change(c, 12).mean(),
        0,
        "points",
        {"Did the score rise or fall? Later less earlier.": lambda c: -change(c, 12).mean()},
        low=-51,
        high=51,
    ),
    Exercise(
        "2.2b",
        "choice",
        lambda c: change(c, 12, tol=3).mean(),
        2,
        "points",
        {
            "Is this the mean with two months either side?": lambda c: change(c, 12).mean(),
            "Do both means come from the same patients?": lambda c: difference_of_means(
                c, 12, tol=3
            ),
            "Did the score rise or fall? Later less earlier.": lambda c: (
                -change(c, 12, tol=3).mean()
            ),
            "Did a missing score become a change of zero?": lambda c: (
                change(c, 12, tol=3).sum() / len(c.patients)
            ),
            "Is this month 6?": lambda c: change(c, 6, tol=3).mean(),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "2.3",
        "choice",
        lambda c: int(gaps(c, 12).max()),
        None,
        "months",
        {
            "Is this for month 6?": lambda c: int(gaps(c, 6).max()),
            "Is this the whole width, both sides together?": lambda c: 2 * int(gaps(c, 12).max()),
            "Does this reach every patient, or every second one?": lambda c: int(
                gaps(c, 12).median()
            ),
        },
        low=0,
        high=60,
    ),
)
