"""Every published figure and claim of the IVIG group, from a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import pandas as pd

from ivig_dcssc.analysis import claims
from ivig_dcssc.analysis.choices import Choices
from ivig_dcssc.analysis.figures import Figures, source_of
from ivig_dcssc.analysis.tables import Frame, Tables
from rederive.printed.errors import meant
from rederive.printed.registry import ClaimRow, NumberRow, Registry
from rederive.retrospective import Cohort

_Row = TypeVar("_Row", NumberRow, ClaimRow)

GROUP = "IVIG"
"""Group of the registry's rows that are about the treated patients."""


class CohortResults:
    """The figures and claims of the IVIG group, computed from visit-level data.

    Everything is computed for all cohorts at once, when it is first asked for, and kept. Of an
    ensemble or one cohort, numbered 1, ``tables`` are the patients who are analysed, and their
    measures in the windows, ``figures`` all statistics by variable and time point, and ``cohorts``
    the numbers of the cohorts, rising.
    """

    def __init__(self, cohort: Cohort, choices: Choices, registry: Registry) -> None:
        self.choices = choices
        self.registry = registry
        self.tables = Tables(cohort, choices)
        self.cohorts = self.tables.cohorts
        self.figures = Figures(self.tables)
        self._claims: dict[str, Frame] = {}

    def covers(self, row_id: str) -> bool:
        """Return whether a number or claim is a function of a cohort that is computed here."""
        row = self.registry.row(row_id)
        if isinstance(row, ClaimRow):
            here = (row.variable, row.timepoint, row.kind) in claims.ANSWERS
        else:
            here = self.figures.has(row)
        return here and row.group == GROUP

    def number(self, row_id: str) -> pd.Series[Any]:
        """Return a printed number as each cohort yields it, unrounded, in the unit printed.

        NaN where a cohort yields none; another row than such a number is a ``ValueError``.
        """
        row = self._computed(row_id, self.registry.numbers)
        return self.figures.table(*source_of(row))[row.statistic].astype(float).rename(row_id)

    def size(self, row_id: str) -> pd.Series[Any] | None:
        """Return the number of patients behind a number in each cohort, if it has one."""
        row = self._computed(row_id, self.registry.numbers)
        return self.figures.table(*source_of(row)).get("n")

    def claim(self, row_id: str) -> Frame:
        """Return what each cohort says to a claim.

        Columns cohort, computed (the cohort's word, to be held against the expected one), holds, p
        (that which decides, NaN if none does) and known (whether the cohort has data for it).
        Another row than a claim about a cohort alone is a ``ValueError``.
        """
        row = self._computed(row_id, self.registry.claims)
        if row_id not in self._claims:
            self._claims[row_id] = claims.answer(self.figures, row)
        return self._claims[row_id]

    def predictors(self) -> Frame:
        """Return every regression on a predictor; see `figures.search`."""
        return self.figures.regressions.copy()

    def _computed(self, row_id: str, known: Mapping[str, _Row]) -> _Row:
        if row_id not in known or not self.covers(row_id):
            raise ValueError(
                f"row_id: found {row_id!r}, allowed: a row of group {GROUP} that the tables of a "
                f"cohort determine{meant(row_id, known)}"
            )
        return known[row_id]
