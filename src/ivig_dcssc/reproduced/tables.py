"""A cohort, or many, as the analysis sees them: columns of patients and measured values, cached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.reproduced.choices import CONFIDENCE, Choices
from ivig_dcssc.reproduced.inclusion import Inclusion, include
from rederive.retrospective import (
    Cohort,
    change,
    key_index,
    measured,
    months_used,
    paired_change,
    response,
    signed_rank,
)

SEVERITIES = tuple(
    f"severity_{organ}"
    for organ in ("general", "raynaud", "cardiac", "pulmonary", "gi", "muscle", "renal")
)
FUNCTION_MEASURES = ("haq_di", "patient_rating", "fvc", "dlco", "cpk", "rvsp")
"""Measures of function and organs on a continuous scale."""

ORGAN_MEASURES = (*FUNCTION_MEASURES, *SEVERITIES)
MEASURES = ("mrss", *ORGAN_MEASURES, "tfr")

Frame = pd.DataFrame


class Tables:
    """The two tables of an ensemble under one set of choices.

    A single cohort becomes an ensemble of one, numbered 1, so that all results have one row per
    cohort.

    Parameters
    ----------
    cohort : Cohort
        One cohort or an ensemble.
    choices : Choices
        Windows and tests.

    Raises
    ------
    ValueError
        If there is no patient.
    ConfigurationError
        If so many cycles are asked for that a cohort has no patient left.
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
        self.inclusion: Inclusion = include(Cohort(patients, visits), choices.minimum_cycles)
        self.cohort = self.inclusion.cohort
        patients, visits = self.cohort.patients, self.cohort.visits
        self.cohorts = pd.Index(np.unique(patients["cohort"]), name="cohort")
        self.keys = key_index(patients)
        by_measure = visits.groupby("measure", observed=True)
        self._visits = {str(name): part for name, part in by_measure}
        # Of type object, the measure names no others that a record would have to be of.
        self._none = visits.iloc[:0].astype({"measure": object})
        self._measured: dict[tuple[str, bool], Frame] = {}
        self._paired: dict[tuple[str, str, bool], Frame] = {}
        self._numbers: dict[str, pd.Series[Any]] = {}

    def choices_for(self, restricted: bool) -> Choices:
        """Return the choices of the primary or of the sensitivity analysis."""
        return self.choices.restricted() if restricted else self.choices

    def number(self, name: str) -> pd.Series[Any]:
        """Return a column of the patients as numbers by cohort and patient, NaN for unknown."""
        if name not in self._numbers:
            column = pd.to_numeric(self.cohort.column(name))
            array = column.to_numpy(dtype=float, na_value=np.nan)
            self._numbers[name] = pd.Series(array, index=self.keys, name=name)
        return self._numbers[name]

    def known(self, name: str) -> pd.Series[Any]:
        """Return which patients have a value in a column."""
        return self.cohort.column(name).notna()

    def among(self, name: str, allowed: Iterable[str]) -> pd.Series[Any]:
        """Return which patients have one of some words in a column; false where unknown."""
        return self.cohort.column(name).isin(list(allowed))

    def recorded(self, *names: str) -> pd.Series[Any]:
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
        return self._visits.get(measure, self._none)

    def measured(self, measure: str, *, restricted: bool = False) -> Frame:
        """Return a measure at baseline and follow-up by cohort and patient."""
        key = (measure, restricted)
        if key not in self._measured:
            choices = self.choices_for(restricted)
            windows, patients = choices.windows(measure), self.cohort.patients
            values = measured(self.visits(measure), measure, windows, patients)
            self._measured[key] = choices.named(measure, values)
        return self._measured[key]

    def months(self, measure: str) -> Frame:
        """Return the months of the visits that `measured` uses."""
        windows = self.choices.windows(measure)
        used = months_used(self.visits(measure), measure, windows, self.cohort.patients)
        return self.choices.named(measure, used)

    def change(self, timepoint: str, measure: str = "mrss") -> pd.Series[Any]:
        """Return each patient's change from baseline."""
        return change(self.measured(measure), timepoint)

    def response(self, timepoint: str, threshold: float | None = None) -> pd.Series[Any]:
        """Return 1 for each responder, 0 for the others, NaN for those not followed."""
        limit = self.choices.responder_threshold if threshold is None else threshold
        return response(self.measured("mrss"), timepoint, limit)

    def test_of(self, measure: str) -> str:
        """Return the test of a measure's change: severities are never tested by t."""
        return "signed_rank" if measure in SEVERITIES else self.choices.paired_test

    def paired(self, measure: str, timepoint: str, *, restricted: bool = False) -> Frame:
        """Return the change of a measure with the p of its test, one row per cohort.

        Returns
        -------
        DataFrame
            By cohort; columns as `rederive.retrospective.paired_change`, of the signed-rank test
            increased, decreased and unchanged as well.
        """
        key = (measure, timepoint, restricted)
        if key not in self._paired:
            values = self.measured(measure, restricted=restricted)
            table = paired_change(values, timepoint, confidence=CONFIDENCE).set_index("cohort")
            if self.test_of(measure) == "signed_rank":
                ranked = signed_rank(values, timepoint, convention=self.choices.convention)
                columns = ["increased", "decreased", "unchanged", "p", "status"]
                table = table.drop(columns=["t", "df", "p", "status"])
                table = table.join(ranked.set_index("cohort")[columns])
            self._paired[key] = table
        return self._paired[key]
