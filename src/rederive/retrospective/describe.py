"""Summaries of a column of patients, or of a measure at one visit, in every cohort at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rederive.retrospective.keys import FloatArray, Grid, Moments, over


def describe_number(values: pd.Series[Any]) -> pd.DataFrame:
    """Return size, mean, SD and range of a number, NaN for unknown, one row per cohort.

    Columns n (known), missing, mean, sd, median, minimum, maximum.
    """
    grid = Grid.of(values.index)
    array = grid.spread(values)
    moments = Moments.of(array)
    some = moments.n > 0
    median = np.nanmedian(np.where(some[:, None], array, 0.0), axis=1)
    return grid.table(
        {
            "n": moments.n,
            "missing": grid.patients - moments.n,
            "mean": moments.mean,
            "sd": moments.sd,
            "median": np.where(some, median, np.nan),
            "minimum": np.fmin.reduce(array, axis=1),
            "maximum": np.fmax.reduce(array, axis=1),
        }
    )


def describe_flag(values: pd.Series[Any]) -> pd.DataFrame:
    """Return how many patients have a feature, 1 or 0, NaN for unknown, one row per cohort.

    Columns n (known), missing, count and percent (of the known).
    """
    grid = Grid.of(values.index)
    array = grid.spread(values)
    check_flag(array, values.name)
    n = (~np.isnan(array)).sum(axis=1)
    count = (array == 1).sum(axis=1)
    return grid.table(
        {"n": n, "missing": grid.patients - n, "count": count, "percent": over(100 * count, n)}
    )


def check_flag(array: FloatArray, name: object) -> None:
    """Refuse numbers that are neither 0 nor 1 nor NaN by an error that names the column."""
    other = array[~(np.isnan(array) | (array == 0) | (array == 1))]
    if other.size:
        raise ValueError(f"{name}: found {other[0]:g}, allowed: 0 and 1")
