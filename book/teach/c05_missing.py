"""Exercises of the chapter on missing outcomes."""

from __future__ import annotations

import math

import pandas as pd

from rederive_teach.changes import bound, carried
from rederive_teach.lesson import Cohort, Exercise, table_of

SCALE = 51
"""Greatest skin score."""

PRINTED = {
    "abstract-mrss-ivig-baseline-mean": 29.6,
    "abstract-mrss-ivig-m12-mean": 22.5,
    "abstract-mrss-change-ivig-m12-mean": -8.0,
    "abstract-cohort-size-ivig-n": 30,
    "abstract-mrss-ivig-m12-n": 25,
}
"""Figures of the article by their row of the registry, which a pack does not hold."""

BASELINE, LATER, CHANGE = list(PRINTED.values())[:3]
TREATED, SEEN = (int(each) for each in list(PRINTED.values())[3:])


def changes(cohort: Cohort, month: int, tol: int = 2) -> pd.Series:
    """Return the change of each patient, NaN where the score was not seen."""
    scores = table_of(cohort, tol=tol)
    return scores[f"m{month}"] - scores["m0"]


def last_visit(cohort: Cohort) -> float:
    """Return the mean change to the last score up to month 26, in a window or not."""
    skin = cohort.visits.query("measure == 'mrss' and month <= 26").sort_values("month")
    last = skin.groupby("patient", observed=True)["value"].last()
    return float((last - table_of(cohort)["m0"]).mean())


def responders(cohort: Cohort, month: int, tol: int = 2) -> int:
    """Return the number seen who fell by 5 points or more."""
    return int((changes(cohort, month, tol) <= -5).sum())


def most(cohort: Cohort, month: int, tol: int = 2) -> int:
    """Return the greatest number of responders among all patients."""
    missing = table_of(cohort, tol=tol)
    could = missing[f"m{month}"].isna() & (missing["m0"] >= 5)
    return responders(cohort, month, tol) + int(could.sum())


def missing_mean(decimals_of_change: int, low: bool, mean: float = CHANGE) -> float:
    """Return the extreme mean baseline of the 5 missing at 12 months, from printed figures.

    Scores are whole numbers, so that sums are.
    """
    half = 0.5 * 10.0**-decimals_of_change
    first = _sums(BASELINE, 0.05, TREATED)
    later = _sums(LATER, 0.05, SEEN)
    change = _sums(mean, half, SEEN)
    if low:
        return (first[0] - (later[1] - change[0])) / (TREATED - SEEN)
    return (first[1] - (later[0] - change[1])) / (TREATED - SEEN)


def _sums(mean: float, half: float, n: int) -> tuple[int, int]:
    """Return the least and greatest whole sum of n scores that prints a mean."""
    return math.ceil((mean - half) * n - 1e-9), math.floor((mean + half) * n + 1e-9)


def _missing(id: str, low: bool) -> Exercise:
    """Ask for an end of the mean baseline of those missing at 12 months."""
    sign = -1 if low else 1
    exact = (TREATED * (BASELINE + sign * 0.05) - SEEN * (LATER - CHANGE - sign * 0.10)) / (
        TREATED - SEEN
    )
    return Exercise(
        id,
        "forced",
        lambda cohort: missing_mean(1, low=low),
        1,
        "points",
        {
            "That is the centre, from the printed figures as if they were exact. What does each "
            "stand for?": lambda c: (
                (TREATED * BASELINE - SEEN * (LATER - CHANGE)) / (TREATED - SEEN)
            ),
            f"That is the {'greatest' if low else 'least'} value. What is the "
            f"{'least' if low else 'greatest'}?": lambda c: missing_mean(1, low=not low),
            "Is −8 taken as −7.5 to −8.5? The task takes −8.0.": (
                lambda c: missing_mean(0, low=low)
            ),
            "That is the mean baseline of those who were seen. Who was not?": (
                lambda c: LATER - CHANGE
            ),
            "Rounding is carried through, but a sum of whole scores is whole: does that narrow "
            "it?": lambda c: exact,
        },
        low=0,
        high=SCALE,
    )


EXERCISES = (
    Exercise(
        "5.1",
        "choice",
        lambda cohort: float(carried(cohort, 24).mean()),
        2,
        "points",
        {
            "These are the patients seen at 24 months. What became of the others?": lambda c: float(
                changes(c, 24).mean()
            ),
            "That carries the baseline forward. Which score was the last one?": lambda c: float(
                changes(c, 24).fillna(0).mean()
            ),
            "That takes the last score even if it lies in no window. What does the task say?": (
                last_visit
            ),
            "Is that the mean score or the mean change?": lambda c: float(
                table_of(c).ffill(axis=1)["m24"].mean()
            ),
            "That is for 12 months. Which visit is asked for?": lambda c: float(
                carried(c, 12).mean()
            ),
            "Is a fall a positive or a negative change here?": lambda c: (
                -float(carried(c, 24).mean())
            ),
        },
        individual=True,
        low=-SCALE,
        high=SCALE,
    ),
    Exercise(
        "5.2a",
        "printed",
        lambda cohort: most(cohort, 12),
        None,
        "patients",
        {
            "That is the least: nobody who is missing responded. What is the most?": lambda c: (
                responders(c, 12)
            ),
            "Is that how many were seen? Did all of them respond?": lambda c: int(
                changes(c, 12).notna().sum()
            ),
            "That is for 6 months. Which visit is asked for?": lambda c: most(c, 6),
        },
        low=0,
        high=200,
    ),
    Exercise(
        "5.2b",
        "choice",
        lambda cohort: bound(cohort, 12, SCALE, tol=1),
        2,
        "points",
        {
            "That is the bound with ± 2 months. How many have no score within ± 1?": lambda c: (
                bound(c, 12, SCALE)
            ),
            "That is the lower bound: everybody who is missing at 0. What is the upper?": (
                lambda c: bound(c, 12, 0, tol=1)
            ),
            "These are only the patients seen. What could the others have scored?": lambda c: float(
                changes(c, 12, tol=1).mean()
            ),
            "Did every missing patient change by + 51? From their baseline, how far up can they "
            "go?": lambda c: float(changes(c, 12, tol=1).fillna(SCALE).mean()),
            "That leaves the missing at their baseline. How far up could they be?": lambda c: float(
                changes(c, 12, tol=1).fillna(0).mean()
            ),
        },
        individual=True,
        low=-SCALE,
        high=SCALE,
    ),
    _missing("5.3a", True),
    _missing("5.3b", False),
)
