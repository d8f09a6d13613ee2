"""Changes from baseline, and how two groups' means differ: what exercises of chapters share.

A second file beside the lesson's that is given to students; it needs pandas and SciPy only.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from scipy import stats

from rederive_teach.lesson import Cohort, table_of

Group = tuple[float, float, int]
"""Mean, SD and number of patients."""

Difference = tuple[float, float, float]
"""Difference of two means, its standard error and degrees of freedom."""


def change(cohort: Cohort, month: int, **windows: Any) -> pd.Series[float]:
    """Return the change of each patient with both scores; windows as in `table_of`."""
    scores = table_of(cohort, **windows)
    return (scores[f"m{month}"] - scores["m0"]).dropna()


def carried(cohort: Cohort, month: int) -> pd.Series[float]:
    """Return the change to the last score in the windows up to a month."""
    scores = table_of(cohort)
    return scores.ffill(axis=1)[f"m{month}"] - scores["m0"]


def bound(cohort: Cohort, month: int, worst: float, tol: int = 2) -> float:
    """Return the mean change of all patients if each missing score were `worst`."""
    scores = table_of(cohort, tol=tol)
    return float((scores[f"m{month}"].fillna(worst) - scores["m0"]).mean())


def summary(values: pd.Series[float]) -> Group:
    """Return mean, SD and number of some values."""
    return float(values.mean()), float(values.std()), len(values)


def difference(ours: Group, theirs: Group, pooled: bool = False) -> Difference:
    """Return how two means differ, as Welch's test takes it or, pooled, as Student's does."""
    (m1, s1, n1), (m2, s2, n2) = ours, theirs
    if pooled:
        within = ((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2)
        return m1 - m2, math.sqrt(within * (1 / n1 + 1 / n2)), n1 + n2 - 2
    a, b = s1**2 / n1, s2**2 / n2
    return m1 - m2, math.sqrt(a + b), (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))


def limit(side: int, found: Difference, level: float = 0.95) -> float:
    """Return the lower (-1) or upper (1) confidence limit of a difference."""
    apart, error, df = found
    return float(apart + side * stats.t.ppf((1 + level) / 2, df) * error)


def between_cycles(people: pd.DataFrame, intervals: int, fewer: int = 1) -> float:
    """Return the months of so many intervals between cycles, summed over some patients.

    The cycles of a patient are evenly spaced over the treatment, one at each end; `fewer` is by
    how many their intervals are fewer than they.
    """
    return float((intervals * people["treatment_length"] / (people["cycles"] - fewer)).sum())
