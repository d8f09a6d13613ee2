"""Keys of patients, and the grid of cohorts by patients on which statistics are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def key_index(table: pd.DataFrame) -> pd.Index:
    """Return the key of each row: an index ``patient``, or ``cohort`` and ``patient``."""
    index: pd.Index = (
        pd.MultiIndex.from_frame(table[["cohort", "patient"]])
        if "cohort" in table.columns
        else pd.Index(table["patient"], name="patient")
    )
    return index


@dataclass(frozen=True, slots=True)
class Grid:
    """Places of patients in an array with one row per cohort.

    ``cohorts`` are the labels of the rows, ``None`` for patients of a single cohort, which make one
    row; ``rows`` and ``columns``, shape (patients,), the place of each patient; ``shape`` the
    cohorts, and the patients of the largest of them, at least 1; ``index`` the patients' keys.
    """

    cohorts: pd.Index | None
    rows: IntArray
    columns: IntArray
    shape: tuple[int, int]
    index: pd.Index
    _last: ClassVar[list[Grid]] = []

    @classmethod
    def of(cls, index: pd.Index) -> Grid:
        """Lay out patients by their keys; a key that stands there twice is a ``ValueError``.

        The last layout of an ensemble is kept: many statistics of one table follow each other.
        """
        for grid in cls._last:
            if grid.index is index:
                return grid
        if not index.is_unique:
            twice = index[index.duplicated()][0]
            raise ValueError(f"patient {twice!r} stands there more than once")
        if "cohort" not in index.names:
            places = np.arange(len(index), dtype=np.int64)
            return cls(None, np.zeros_like(places), places, (1, max(len(index), 1)), index)
        codes, cohorts = pd.factorize(index.get_level_values("cohort"), sort=True)
        rows = np.asarray(codes, dtype=np.int64)
        sizes, columns = np.bincount(rows), np.empty_like(rows)
        first = np.repeat(np.cumsum(sizes) - sizes, sizes)
        columns[np.argsort(rows, kind="stable")] = np.arange(len(rows)) - first
        shape = len(cohorts), int(sizes.max(initial=1))
        cls._last[:] = [grid := cls(pd.Index(cohorts), rows, columns, shape, index)]
        return grid

    @property
    def patients(self) -> IntArray:
        """Number of patients in each row."""
        return np.bincount(self.rows, minlength=self.shape[0])

    def spread(self, values: pd.Series[Any]) -> FloatArray:
        """Return numbers by key as an array of cohorts by patients, NaN where there is none.

        Keys that the grid does not have are left out.
        """
        if not values.index.equals(self.index):
            values = values.reindex(self.index)
        array = np.full(self.shape, np.nan)
        array[self.rows, self.columns] = pd.to_numeric(values).to_numpy(float, na_value=np.nan)
        return array

    def table(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """Return a tidy table, one row per cohort, from arrays of shape (cohorts,) or scalars."""
        table = pd.DataFrame(dict(columns), index=range(self.shape[0]))
        if self.cohorts is not None:
            table.insert(0, "cohort", self.cohorts)
        return table


@dataclass(frozen=True, slots=True)
class Moments:
    """Size, mean and sample SD of each row; NaN where there are too few values."""

    n: IntArray
    mean: FloatArray
    sd: FloatArray

    @classmethod
    def of(cls, array: FloatArray) -> Moments:
        """Summarise the rows of an array, shape (cohorts, patients), without its NaN."""
        known = ~np.isnan(array)
        n = known.sum(axis=1)
        mean = over(np.where(known, array, 0.0).sum(axis=1), n)
        squares = np.where(known, array - mean[:, None], 0.0) ** 2
        sd = np.sqrt(over(squares.sum(axis=1), n - 1))
        return cls(n, mean, np.where(is_constant(array), np.where(n > 1, 0.0, np.nan), sd))


def over(numerator: Any, denominator: Any) -> FloatArray:
    """Return a quotient, NaN where the denominator is not positive."""
    above, below = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    result = np.full(below.shape, np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def is_constant(array: FloatArray) -> BoolArray:
    """Return which rows hold at most one distinct value, NaN left out."""
    return np.asarray(~(np.fmin.reduce(array, axis=1) < np.fmax.reduce(array, axis=1)), dtype=bool)
