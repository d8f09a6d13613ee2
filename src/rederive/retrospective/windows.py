"""Which visit counts as baseline and which as follow-up: windows around target months.

Baseline is the most recent visit within a number of months before month 0, month 0 included.
A visit after month 0 counts for the target month that it is closest to, of two equally close ones
for the earlier, if it is within the tolerance; so no visit is used twice, however wide the windows.
Of several visits for one target a rule takes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rederive.printed.errors import unknown
from rederive.retrospective.keys import FloatArray, IntArray, key_index

RULES = ("closest", "first", "last")
"""Which of several visits in one window counts; of two equally close ones the earlier."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows in months since the month of the first dose.

    Parameters
    ----------
    baseline_window : int
        Oldest visit that counts as baseline, in months before month 0.
    targets : tuple of int
        Follow-up months, rising.
    tolerance : int
        Distance from a target within which a visit counts.
    rule : str
        One of ``RULES``.

    Raises
    ------
    ValueError
        If a number is negative or no whole number, targets are not positive and rising, or there
        is no such rule.
    """

    baseline_window: int = 3
    targets: tuple[int, ...] = (6, 12, 18, 24)
    tolerance: int = 2
    rule: str = "closest"

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(self.targets))
        for name in ("baseline_window", "tolerance"):
            _check_months(name, getattr(self, name))
        for target in self.targets:
            _check_months("targets", target)
        rising = all(a < b for a, b in zip(self.targets, self.targets[1:], strict=False))
        if not self.targets or self.targets[0] < 1 or not rising:
            raise ValueError(f"targets: found {self.targets}, allowed: rising months from 1")
        if self.rule not in RULES:
            raise unknown("rule", self.rule, RULES)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the follow-up columns, such as ``m6``, in the order of the targets."""
        return tuple(f"m{target}" for target in self.targets)


def measured(
    visits: pd.DataFrame, measure: str, windows: Windows, patients: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return each patient's values at baseline and follow-up.

    Parameters
    ----------
    visits : DataFrame
        Columns patient, month, measure, value; in an ensemble also cohort.
    measure : str
        The measure to look at.
    windows : Windows
        Which visit counts for what.
    patients : DataFrame, optional
        All patients, with and without visits; without it, those with a visit of any measure.

    Returns
    -------
    DataFrame
        One row per patient (or cohort and patient), columns ``baseline``, ``m6`` and so on, NaN
        where missing.

    Raises
    ------
    ValueError
        If there is no such measure, a visit is of an unknown patient, or a patient has two values
        for one month.
    """
    records = _records(visits, measure, patients)
    return pd.concat(
        [_baseline(records, windows.baseline_window), _followup(records, windows)], axis=1
    )


def at_baseline(
    visits: pd.DataFrame, measure: str, window: int, patients: pd.DataFrame | None = None
) -> pd.Series[Any]:
    """Return the column ``baseline`` of `measured` for a baseline window in months."""
    _check_months("window", window)
    return _baseline(_records(visits, measure, patients), window)["baseline"]


def at_followup(
    visits: pd.DataFrame,
    measure: str,
    targets: Sequence[int],
    tolerance: int,
    rule: str = "closest",
    patients: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the follow-up columns of `measured`.

    A visit goes to the closest of the targets given here, so leaving out a target can hand its
    visits to a neighbour.
    """
    windows = Windows(targets=tuple(targets), tolerance=tolerance, rule=rule)
    return _followup(_records(visits, measure, patients), windows)


@dataclass(frozen=True, slots=True)
class _Records:
    """Records of one measure by patient and month: place in ``index``, month, value, shape (n,)."""

    index: pd.Index
    patient: IntArray
    month: FloatArray
    value: FloatArray

    def only(self, mask: Any) -> _Records:
        return _Records(self.index, self.patient[mask], self.month[mask], self.value[mask])


def _check_months(name: str, months: Any) -> None:
    if isinstance(months, bool) or not isinstance(months, (int, np.integer)) or months < 0:
        raise ValueError(f"{name}: found {months!r}, allowed: whole months, 0 or more")


def _records(visits: pd.DataFrame, measure: str, patients: pd.DataFrame | None) -> _Records:
    index = key_index(visits).unique().sort_values() if patients is None else key_index(patients)
    mask = (visits["measure"] == measure).to_numpy()
    if not mask.any():
        column = visits["measure"]
        categorical = isinstance(column.dtype, pd.CategoricalDtype)
        known = column.cat.categories if categorical else column.unique()
        # An empty table knows no measures, so nothing in it can be misspelt.
        if measure not in known and (categorical or len(visits)):
            raise unknown("measure", measure, known)
    rows = visits[mask & visits["value"].notna().to_numpy()]
    keys = key_index(rows)
    place = np.asarray(index.get_indexer(keys), dtype=np.int64)
    if (place < 0).any():
        raise ValueError(f"visits: patient {keys[place < 0][0]!r} is not among the patients")
    numbers = rows[["month", "value"]].to_numpy(dtype=float).T
    found, step = _Records(index, place, *numbers), np.diff(place)
    if ((step > 0) | ((step == 0) & (np.diff(numbers[0]) > 0))).all():  # as tables usually are
        return found
    found = found.only(np.lexsort((numbers[0], place)))
    twice = (np.diff(found.patient) == 0) & (np.diff(found.month) == 0)
    if twice.any():
        at = int(np.flatnonzero(twice)[0])
        raise ValueError(
            f"visits: patient {index[found.patient[at]]!r} has {measure} twice"
            f" in month {found.month[at]:g}, allowed: once"
        )
    return found


def _baseline(records: _Records, window: int) -> pd.DataFrame:
    inside = records.only((records.month <= 0) & (records.month >= -window))
    window_of = np.zeros(len(inside.month), dtype=np.int64)
    return _choose(inside, window_of, -inside.month, ("baseline",))


def _followup(records: _Records, windows: Windows) -> pd.DataFrame:
    after = records.only(records.month > 0)
    targets = np.asarray(windows.targets, dtype=float)
    distances = np.abs(after.month[:, None] - targets)
    closest = distances.argmin(axis=1)  # of equally close targets the first, which is the earlier
    distance = distances.min(axis=1)
    within = distance <= windows.tolerance
    inside = after.only(within)
    order = {"closest": distance[within], "first": inside.month, "last": -inside.month}
    return _choose(inside, closest[within], order[windows.rule], windows.columns)


def _choose(
    records: _Records, window: IntArray, order: FloatArray, names: tuple[str, ...]
) -> pd.DataFrame:
    """Take for each patient and window the visit that is least in ``order``, ties: the earlier."""
    ranked = np.lexsort((order, records.patient * len(names) + window))
    patient, place = records.patient[ranked], window[ranked]
    first = np.ones(len(ranked), dtype=bool)
    first[1:] = (np.diff(patient) != 0) | (np.diff(place) != 0)
    array = np.full((len(records.index), len(names)), np.nan)
    array[patient[first], place[first]] = records.value[ranked[first]]
    return pd.DataFrame(array, index=records.index, columns=list(names))
