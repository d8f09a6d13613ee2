"""Exercises of the chapter on confounding by indication."""

from __future__ import annotations

import pandas as pd
import statsmodels.api as sm

from rederive_teach.changes import change
from rederive_teach.lesson import Cohort, Exercise, table_of

RELIABILITY = 0.67
"""Share of a difference between groups that a second measurement keeps, in exercise 8.3b."""


def taking(cohort: Cohort, when: str = "concomitant") -> pd.Series[bool]:
    """Tell which patients took mycophenolate before (``prior``) or beside the infusions."""
    return cohort.patients.set_index("patient")[f"{when}_mmf"] == 1


def with_less_without(cohort: Cohort, values: pd.Series[float], when: str = "concomitant") -> float:
    """Return the mean of some patients' values with mycophenolate minus that without."""
    with_drug = taking(cohort, when).reindex(values.index)
    return float(values[with_drug].mean() - values[~with_drug].mean())


def difference(cohort: Cohort, month: int = 12, when: str = "concomitant") -> float:
    """Return the mean change with mycophenolate minus that without."""
    return with_less_without(cohort, change(cohort, month), when)


def adjusted(cohort: Cohort, month: int = 12, of: str = "mmf") -> float:
    """Return a coefficient of the change on mycophenolate and baseline, by least squares."""
    own = change(cohort, month)
    known = pd.DataFrame({"mmf": taking(cohort), "baseline": table_of(cohort)["m0"]}).loc[own.index]
    return float(sm.OLS(own, sm.add_constant(known.astype(float))).fit().params[of])


def higher(cohort: Cohort, seen: bool = True) -> float:
    """Return the mean baseline with mycophenolate less that without, of those seen or of all."""
    scores = table_of(cohort).dropna(subset=["m0", "m12"] if seen else ["m0"])
    return with_less_without(cohort, scores["m0"])


EXERCISES = (
    Exercise(
        "8.1a",
        "added",
        lambda _: "severity",
        None,
        "word",
        {
            "Which path stays open through severity?": lambda _: "duration",
            "Is the dose before the decision, or on the way from it to the change?": (
                lambda _: "dose"
            ),
            "Two arrows meet in the visits. What does it do to a path to condition there?": (
                lambda _: "visits"
            ),
            "Is there no path into IVIG?": lambda _: "nothing",
        },
    ),
    Exercise(
        "8.1b",
        "choice",
        adjusted,
        2,
        "points",
        {
            "Is that without the baseline?": difference,
            "Is that the coefficient of the baseline?": lambda cohort: adjusted(
                cohort, of="baseline"
            ),
            "Without minus with? The coefficient is with minus without.": lambda cohort: (
                -adjusted(cohort)
            ),
            "Is that the change at 6 months?": lambda cohort: adjusted(cohort, 6),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "8.2a",
        "forced",
        lambda cohort: int((~taking(cohort)).sum()),
        None,
        "patients",
        {
            "Are those the patients who took it?": lambda cohort: int(taking(cohort).sum()),
            "Before the infusions, or beside them?": (
                lambda cohort: int((~taking(cohort, "prior")).sum())
            ),
            "Is that only those who never took it?": lambda cohort: int(
                (~taking(cohort) & ~taking(cohort, "prior")).sum()
            ),
        },
        low=0,
        high=30,
    ),
    Exercise(
        "8.2b",
        "choice",
        difference,
        2,
        "points",
        {
            "With minus without, or the other way round?": lambda cohort: -difference(cohort),
            "Is that the change at 6 months?": lambda cohort: difference(cohort, 6),
            "Before the infusions, or beside them?": (
                lambda cohort: difference(cohort, when="prior")
            ),
            "Is that the score at 12 months, or its change?": lambda cohort: with_less_without(
                cohort, table_of(cohort)["m12"].dropna()
            ),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "8.3a",
        "added",
        lambda _: "pnz",
        None,
        "word",
        {
            "Which sign has an improvement?": lambda _: "npz",
            "Story 2: where does a score go that was taken at its worst?": lambda _: "ppz",
            "Story 1: do those who failed before improve more, or less?": lambda _: "nnz",
            "Story 3: does the insurer know the course?": lambda _: "pnp",
        },
    ),
    Exercise(
        "8.3b",
        "choice",
        lambda cohort: -(1 - RELIABILITY) * higher(cohort),
        2,
        "points",
        {
            "Is that the share that stays? Which share is lost?": lambda cohort: (
                -RELIABILITY * higher(cohort)
            ),
            "Do higher scores fall more, or less?": lambda cohort: (
                (1 - RELIABILITY) * higher(cohort)
            ),
            "Is that the difference of the baselines? How much of it is lost?": higher,
            "Is that of all thirty? Who was seen at 12 months?": lambda cohort: (
                -(1 - RELIABILITY) * higher(cohort, seen=False)
            ),
        },
        individual=True,
        low=-51,
        high=51,
    ),
)
