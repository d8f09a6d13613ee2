"""Exercises of the chapter on appraisal."""

from __future__ import annotations

import pandas as pd

from rederive_teach.changes import between_cycles, bound, carried, change
from rederive_teach.lesson import Cohort, Exercise

SCALE = 51
"""Greatest skin score."""

MISSING_12, PATIENTS = 5, 30
"""Printed: 25 of 30 patients have a score at 12 months."""


def last_scores(cohort: Cohort) -> pd.Series[float]:
    """Return the month of each patient's last skin score."""
    skin = cohort.visits[cohort.visits["measure"] == "mrss"].astype({"patient": str})
    return skin.groupby("patient")["month"].max()


EXERCISES = (
    Exercise(
        "11.1a",
        "printed",
        lambda _: "nnynyn",
        None,
        "word",
        {
            "Fact 1: how many patients met the criteria is printed. How many were looked at?": (
                lambda _: "ynynyn"
            ),
            "Fact 2: is it printed why a score is missing, or why the infusions were stopped?": (
                lambda _: "nyynyn"
            ),
            "Fact 4: is it printed how many were enrolled, or how many had a score a year later?": (
                lambda _: "nnyyyn"
            ),
            "Fact 6: is a plan that was 'prespecified' one that a reader can look up?": (
                lambda _: "nnynyy"
            ),
            "Facts 3 and 5: read the paragraphs on outcomes and on statistics again.": (
                lambda _: "nnnnnn"
            ),
        },
    ),
    Exercise(
        "11.1b",
        "choice",
        lambda c: float(last_scores(c).mean()),
        2,
        "months",
        {
            "Is follow-up cut at 24 months? The task says the last score.": lambda c: float(
                last_scores(c).clip(upper=24).mean()
            ),
            "That is the median. What is the mean?": lambda c: float(last_scores(c).median()),
            "Is that the length of treatment, or of follow-up?": lambda c: float(
                c.patients["treatment_length"].mean()
            ),
        },
        individual=True,
        low=0,
        high=240,
    ),
    Exercise(
        "11.2a",
        "printed",
        lambda _: SCALE * MISSING_12 / PATIENTS,
        1,
        "points",
        {
            "Of how many patients is that the mean?": lambda _: (
                SCALE * MISSING_12 / (PATIENTS - MISSING_12)
            ),
            "Is that half of the width?": lambda _: SCALE * MISSING_12 / PATIENTS / 2,
            "How many patients are missing at 12 months?": lambda _: SCALE / PATIENTS,
            "Is that for 24 months?": lambda _: SCALE * 15 / PATIENTS,
        },
        low=0,
        high=SCALE,
    ),
    Exercise(
        "11.2b",
        "choice",
        lambda c: bound(c, 24, SCALE) - float(change(c, 24).mean()),
        2,
        "points",
        {
            "That is the upper bound. How far is it from what was seen?": (
                lambda c: bound(c, 24, SCALE)
            ),
            "Is that the best case, with every missing score at 0? The worst is asked for.": (
                lambda c: bound(c, 24, 0) - float(change(c, 24).mean())
            ),
            "Is that for 12 months?": lambda c: bound(c, 12, SCALE) - float(change(c, 12).mean()),
            "Is that the distance to the last score carried forward, which is a guess and no "
            "bound?": lambda c: float(carried(c, 24).mean()) - float(change(c, 24).mean()),
        },
        individual=True,
        low=-SCALE,
        high=2 * SCALE,
    ),
    Exercise(
        "11.3a",
        "printed",
        lambda _: 6,
        None,
        "months",
        {
            "That is the number of cycles. Within how many months?": lambda _: 3,
            "Is that the first outcome after which the rule could still be met, or the rule?": (
                lambda _: 12
            ),
            "Is the rule met on the day of the first infusion?": lambda _: 0,
        },
        low=0,
        high=120,
    ),
    Exercise(
        "11.3b",
        "choice",
        lambda c: between_cycles(c.patients, 2),
        1,
        "months",
        {
            "Between the first and the third cycle, how many intervals are there?": (
                lambda c: between_cycles(c.patients, 3)
            ),
            "Into how many intervals do the cycles divide the treatment?": (
                lambda c: between_cycles(c.patients, 2, fewer=0)
            ),
            "Is that the mean, or the sum over all patients?": (
                lambda c: between_cycles(c.patients, 2) / len(c.patients)
            ),
            "Is the time after the third cycle immortal too?": lambda c: float(
                c.patients["treatment_length"].sum()
            ),
        },
        individual=True,
        low=0,
        high=1000,
    ),
)
