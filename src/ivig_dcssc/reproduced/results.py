"""All results of one cohort or an ensemble, for reconstructed and for a user's own data alike."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ivig_dcssc.reproduced import frames
from ivig_dcssc.reproduced.choices import Choices
from ivig_dcssc.reproduced.claims import Claims
from ivig_dcssc.reproduced.coverage import reason_outside
from ivig_dcssc.reproduced.figures import Figures
from ivig_dcssc.reproduced.tables import Frame, Tables
from rederive.printed.registry import ClaimRow, NumberRow, Registry
from rederive.printed.schema import nearest
from rederive.retrospective import Cohort


class CohortResults:
    """Every published figure and claim of the IVIG group, computed from visit-level data.

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
        self._figures = Figures(self.tables)
        self._claims = Claims(self._figures)

    # Rows of the registry

    def covers(self, row_id: str) -> bool:
        """Return whether a number or claim is a function of a cohort that is computed here.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        return not self.reason(row_id)

    def reason(self, row_id: str) -> str:
        """Return why a number or claim is not computed from a cohort; empty if it is.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        row = self._row(row_id)
        outside = reason_outside(row)
        if outside:
            return outside
        here = self._figures.has(row) if isinstance(row, NumberRow) else self._claims.has(row)
        return "" if here else "nothing computes it"

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
        row = self._row(row_id)
        if not isinstance(row, NumberRow):
            raise ValueError(f"{row_id}: found a claim, allowed: a number; ask claim() for it")
        self._require(row)
        return self._figures.value(row).rename(row_id)

    def size(self, row_id: str) -> pd.Series[Any]:
        """Return the number of patients behind a mean, SD, count or share in each cohort.

        Raises
        ------
        ValueError
            As `number`, and if the figure has no such number.
        """
        row = self._row(row_id)
        if not isinstance(row, NumberRow):
            raise ValueError(f"{row_id}: found a claim, allowed: a number")
        self._require(row)
        return self._figures.size(row).rename(row_id)

    def known(self, row_id: str) -> pd.Series[Any]:
        """Return a printed number as `number` does, NaN where it counts patients of none known."""
        row = self._row(row_id)
        values = self.number(row_id)
        counts = isinstance(row, NumberRow) and row.statistic == "count"
        return values.where(self.size(row_id) > 0) if counts else values

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
            holds, p (that which decides, NaN if none does), detail and known (whether
            the cohort has data for it).

        Raises
        ------
        ValueError
            If there is no such claim, or it is not about a cohort alone.
        """
        row = self._row(row_id)
        if not isinstance(row, ClaimRow):
            raise ValueError(f"{row_id}: found a number, allowed: a claim; ask number() for it")
        self._require(row)
        return self._claims.table(row)

    def _row(self, row_id: str) -> NumberRow | ClaimRow:
        try:
            return self.registry.row(row_id)
        except KeyError:
            known = [row.id for row in self.registry]
            hint = nearest(row_id, known)
            meant = f" (did you mean {hint!r}?)" if hint else ""
            raise ValueError(
                f"row_id: found {row_id!r}, allowed: an id of the registry{meant}"
            ) from None

    def _require(self, row: NumberRow | ClaimRow) -> None:
        reason = self.reason(row.id)
        if reason:
            raise ValueError(f"{row.id}: not computed from a cohort: {reason}")

    # Tidy tables

    def skin_over_time(self) -> Frame:
        """Return the skin score and its change; see `frames.skin_over_time`."""
        return frames.skin_over_time(self.tables)

    def trajectories(self) -> Frame:
        """Return each patient's skin scores; see `frames.trajectories`."""
        return frames.trajectories(self.tables)

    def before_initiation(self) -> Frame:
        """Return the mean skin score by month up to the first infusion."""
        return frames.before_initiation(self.tables)

    def responders(self, threshold: float | None = None) -> Frame:
        """Return the responders at each follow-up; see `frames.responders`."""
        return frames.responders(self.tables, threshold)

    def missing(self) -> Frame:
        """Return who is missing at each follow-up, and their baseline."""
        return frames.missing(self.tables)

    def predictors(self) -> Frame:
        """Return every regression on a predictor; see `predictors.search`."""
        return self._claims.regressions().copy()

    def function_measures(self, *, restricted: bool = False) -> Frame:
        """Return organ and function measures at month 12; see `frames.function_measures`."""
        return frames.function_measures(self.tables, restricted=restricted)

    def rubs(self) -> Frame:
        """Return the course of tendon friction rubs; see `frames.rubs`."""
        return frames.rubs(self._figures)

    def controls(self) -> Frame:
        """Return the change in skin score against each control group; see `frames.controls`."""
        return frames.controls(self.tables, self.registry)

    def sensitivity(self) -> Frame:
        """Return primary and restricted windows side by side; see `frames.sensitivity`."""
        return frames.sensitivity(self.tables)
