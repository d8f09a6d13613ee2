"""Every published figure and claim of the IVIG group, from a cohort."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ivig_dcssc.analysis import claims
from ivig_dcssc.analysis.choices import Choices
from ivig_dcssc.analysis.figures import Figures, source_of
from ivig_dcssc.analysis.tables import Frame, Tables
from rederive.errors import meant
from rederive.printed.registry import ClaimRow, NumberRow, Registry
from rederive.retrospective import Cohort

GROUP = "IVIG"
"""Group of the registry's rows that are about the treated patients."""


class CohortResults:
    """The figures and claims of the IVIG group, computed from visit-level data.

    Everything is computed for all cohorts at once, when it is first asked for, and kept.

    Parameters
    ----------
    cohort : Cohort
        One cohort, numbered 1 in the results, or an ensemble.
    choices : Choices
        Windows, tests and limits.
    registry : Registry
        The article's numbers and claims.

    Attributes
    ----------
    tables : Tables
        The patients who are analysed, and their measures in the windows.
    figures : Figures
        All statistics by variable and time point.
    cohorts : Index
        Numbers of the cohorts, rising.

    Raises
    ------
    ValueError
        If the cohort has no patients.
    """

    def __init__(self, cohort: Cohort, choices: Choices, registry: Registry) -> None:
        self.choices = choices
        self.registry = registry
        self.tables = Tables(cohort, choices)
        self.cohorts = self.tables.cohorts
        self.figures = Figures(self.tables)
        self._claims: dict[str, Frame] = {}

    def covers(self, row_id: str) -> bool:
        """Return whether a number or claim is a function of a cohort that is computed here.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        row = self._row(row_id)
        here = self.figures.has(row) if isinstance(row, NumberRow) else claims.has_answer(row)
        return here and row.group == GROUP

    def number(self, row_id: str) -> pd.Series[Any]:
        """Return a printed number as each cohort yields it.

        Parameters
        ----------
        row_id : str
            Id in ``numbers.csv``.

        Returns
        -------
        Series
            Values by cohort, unrounded, in the unit printed; NaN where a cohort yields none.

        Raises
        ------
        ValueError
            If there is no such number, or it is no function of a cohort.
        """
        row = self._computed(row_id)
        if not isinstance(row, NumberRow):
            raise ValueError(f"{row_id}: found a claim, allowed: a number; ask claim() for it")
        return self.figures.table(*source_of(row))[row.statistic].astype(float).rename(row_id)

    def size(self, row_id: str) -> pd.Series[Any] | None:
        """Return the number of patients behind a number in each cohort, if it has one."""
        row = self._computed(row_id)
        if not isinstance(row, NumberRow):
            return None
        return self.figures.table(*source_of(row)).get("n")

    def claim(self, row_id: str) -> Frame:
        """Return what each cohort says to a claim.

        Parameters
        ----------
        row_id : str
            Id in ``claims.csv``.

        Returns
        -------
        DataFrame
            Columns cohort, computed (the cohort's word, to be held against the expected one),
            holds, p (that which decides, NaN if none does) and known (whether the cohort has data
            for it).

        Raises
        ------
        ValueError
            If there is no such claim, or it is not about a cohort alone.
        """
        row = self._computed(row_id)
        if not isinstance(row, ClaimRow):
            raise ValueError(f"{row_id}: found a number, allowed: a claim; ask number() for it")
        if row_id not in self._claims:
            self._claims[row_id] = claims.answer(self.figures, row)
        return self._claims[row_id]

    def predictors(self) -> Frame:
        """Return every regression on a predictor; see `figures.search`."""
        return self.figures.regressions.copy()

    def _row(self, row_id: str) -> NumberRow | ClaimRow:
        try:
            return self.registry.row(row_id)
        except KeyError:
            hint = meant(row_id, [row.id for row in self.registry])
            raise ValueError(
                f"row_id: found {row_id!r}, allowed: an id of the registry{hint}"
            ) from None

    def _computed(self, row_id: str) -> NumberRow | ClaimRow:
        if not self.covers(row_id):
            raise ValueError(
                f"{row_id}: found a row that the tables of a cohort do not determine, allowed: a "
                f"figure or claim of group {GROUP} that they do"
            )
        return self._row(row_id)
