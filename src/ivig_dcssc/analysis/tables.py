"""A cohort, or many, as the analysis sees them: who is included, and values in windows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.analysis.choices import SEVERITIES, Choices, followups_of
from rederive.printed.errors import ConfigurationError
from rederive.retrospective import (
    Cohort,
    change,
    key_index,
    measured,
    paired_change,
    response,
    signed_rank,
)

CYCLES = "cycles_first_6_months"
"""Column of the patients that counts the cycles on which inclusion depends."""

Frame = pd.DataFrame


def include(cohort: Cohort, minimum: int) -> Cohort:
    """Leave out an ensemble's patients with too few cycles in the first six months.

    An unknown number counts as enough. If a cohort has no patient left, the ``ConfigurationError``
    says how many cycles leave somebody.
    """
    patients, visits = cohort.patients, cohort.visits
    unknown = pd.Series(np.nan, index=patients.index)
    cycles = pd.to_numeric(patients.get(CYCLES, unknown)).astype(float)
    few = cycles < minimum
    empty = few.groupby(patients["cohort"]).all()
    if empty.any():
        most = int(cycles.groupby(patients["cohort"]).max().min())
        which = "the cohort" if len(empty) == 1 else f"{int(empty.sum())} of {len(empty)} cohorts"
        rest = "somebody is left" if len(empty) == 1 else "every cohort has somebody left"
        raise ConfigurationError(
            f"parameter minimum_cycles: found {minimum}, which leaves no patient in {which}; "
            f"allowed: at most {most}, with which {rest}"
        )
    if not few.any():
        return cohort
    stays = key_index(visits).isin(key_index(patients)[~few])
    return Cohort(patients[~few].reset_index(drop=True), visits[stays].reset_index(drop=True))


class Tables:
    """The two tables of an ensemble under one set of choices; what is measured is kept.

    A single cohort becomes an ensemble of one, numbered 1, so that all results have one row per
    cohort.
    """

    def __init__(self, cohort: Cohort, choices: Choices) -> None:
        patients, visits = cohort.patients, cohort.visits
        if not cohort.is_ensemble:
            patients = patients.assign(cohort=1)
            visits = visits.assign(cohort=1)
        if patients.empty:
            raise ValueError("patients: found no row, allowed: at least one patient")
        self.choices = choices
        self.screened = patients
        self.cohort = include(Cohort(patients, visits), choices.minimum_cycles)
        patients = self.cohort.patients
        self.cohorts = pd.Index(np.unique(patients["cohort"]), name="cohort")
        self.keys = key_index(patients)
        self._measured: dict[tuple[str, bool], Frame] = {}
        self._paired: dict[tuple[str, str, bool], Frame] = {}

    def number(self, name: str) -> pd.Series[Any]:
        """Return a column of the patients as numbers by cohort and patient, NaN for unknown."""
        column = pd.to_numeric(self.cohort.column(name))
        array = column.to_numpy(dtype=float, na_value=np.nan)
        return pd.Series(array, index=self.keys, name=name)

    def known(self, name: str) -> pd.Series[Any]:
        """Return which patients have a value in a column."""
        return self.cohort.column(name).notna()

    def among(self, name: str, *words: str) -> pd.Series[Any]:
        """Return which patients have one of some words in a column; false where unknown."""
        return self.cohort.column(name).isin(words)

    def recorded(self, names: Iterable[str]) -> pd.Series[Any]:
        """Return for each patient whether the cohort has a value in one of some columns at all.

        Where it has none, an empty cell does not say that somebody is without a feature.
        """
        some = np.any([self.known(name) for name in names], axis=0)
        by_cohort = pd.Series(some, index=self.keys).groupby(level="cohort")
        found: pd.Series[Any] = by_cohort.transform("any")
        return found

    def names(self, prefix: str) -> list[str]:
        """Return the columns of the patients that begin with a prefix."""
        columns = self.cohort.patients.columns
        return [str(name) for name in columns if str(name).startswith(prefix)]

    def visits(self, measure: str) -> Frame:
        """Return the records of a measure; none if it was never taken."""
        records = self.cohort.visits
        found = records[records["measure"] == measure]
        # Of type object, the measure names no others that a record would have to be of.
        return found if len(found) else found.astype({"measure": object})

    def measured(self, measure: str, *, restricted: bool = False) -> Frame:
        """Return a measure at baseline and follow-up by cohort and patient.

        Restricted windows are those of the sensitivity analysis.
        """
        key = (measure, restricted)
        if key not in self._measured:
            choices = self.choices.restricted() if restricted else self.choices
            windows, patients = choices.windows(measure), self.cohort.patients
            values = measured(self.visits(measure), measure, windows, patients)
            # The columns are by month; follow-ups keep their names, whatever months they are.
            self._measured[key] = values.set_axis(["baseline", *followups_of(measure)], axis=1)
        return self._measured[key]

    def change(self, timepoint: str) -> pd.Series[Any]:
        """Return each patient's change of the skin score from baseline."""
        return change(self.measured("mrss"), timepoint)

    def response(self, timepoint: str) -> pd.Series[Any]:
        """Return 1 for each responder, 0 for the others, NaN for those not followed."""
        return response(self.measured("mrss"), timepoint, self.choices.responder_threshold)

    def paired(self, measure: str, timepoint: str, *, restricted: bool = False) -> Frame:
        """Return the change of a measure with the p of its test; severities are never tested by t.

        By cohort; columns as `rederive.retrospective.paired_change`, of the signed-rank test
        increased, decreased and unchanged as well.
        """
        key = (measure, timepoint, restricted)
        if key not in self._paired:
            values = self.measured(measure, restricted=restricted)
            table = paired_change(values, timepoint).set_index("cohort")
            if measure in SEVERITIES or self.choices.paired_test == "signed_rank":
                ranked = signed_rank(values, timepoint, convention=self.choices.convention)
                columns = ["increased", "decreased", "unchanged", "p", "status"]
                table = table.drop(columns=["t", "df", "p", "status"])
                table = table.join(ranked.set_index("cohort")[columns])
            self._paired[key] = table
        return self._paired[key]
