"""Contradictions between the columns of a patient."""

from __future__ import annotations

import pandas as pd

from rederive.retrospective import Cohort, Contradiction, contradictions
from rederive.retrospective.cohort import LAST_VISIT, NAMED

LATE = Contradiction(
    (LAST_VISIT, "death_month"), "After death", lambda t: t[LAST_VISIT] > t["death_month"]
)


def cohort(size: int, month: float | None) -> Cohort:
    names = [f"P{number}" for number in range(size)]
    patients = pd.DataFrame({"patient": names})
    if month is not None:
        patients["death_month"] = month
    visits = pd.DataFrame({"patient": names, "month": 12, "measure": "score", "value": 1.0})
    # A row without a value is no visit.
    empty = visits.assign(month=60, value=float("nan"))
    return Cohort(patients, pd.concat([visits, empty], ignore_index=True))


def test_who_contradicts_is_named_and_many_are_counted() -> None:
    assert contradictions(cohort(1, 6), [LATE]) == ["After death: P0."]
    (words,) = contradictions(cohort(NAMED + 2, 6), [LATE])
    assert words.endswith("P4 and 2 more.")


def test_what_is_unknown_contradicts_nothing() -> None:
    for month in (None, float("nan"), 12):
        assert contradictions(cohort(3, month), [LATE]) == []
