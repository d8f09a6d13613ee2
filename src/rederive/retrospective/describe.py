"""Summaries of a column of patients, or of a measure at one visit, in every cohort at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rederive.retrospective.keys import Grid, Moments, over, row_maximum, row_minimum


def describe_number(values: pd.Series[Any]) -> pd.DataFrame:
    """Return size, mean, SD and range of a number, one row per cohort.

    Parameters
    ----------
    values : Series
        Numbers by patient (or cohort and patient), NaN for unknown.

    Returns
    -------
    DataFrame
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
            "missing": _patients(grid) - moments.n,
            "mean": moments.mean,
            "sd": moments.sd,
            "median": np.where(some, median, np.nan),
            "minimum": np.where(some, row_minimum(array), np.nan),
            "maximum": np.where(some, row_maximum(array), np.nan),
        }
    )


def describe_flag(values: pd.Series[Any]) -> pd.DataFrame:
    """Return how many patients have a feature, one row per cohort.

    Parameters
    ----------
    values : Series
        1 or 0 by patient (or cohort and patient), NaN for unknown.

    Returns
    -------
    DataFrame
        Columns n (known), missing, count and percent (of the known).

    Raises
    ------
    ValueError
        If there is another value than 0 and 1.
    """
    grid = Grid.of(values.index)
    array = grid.spread(values)
    other = array[~(np.isnan(array) | (array == 0) | (array == 1))]
    if other.size:
        raise ValueError(f"{values.name}: found {other[0]:g}, allowed: 0 and 1")
    n = (~np.isnan(array)).sum(axis=1)
    count = (array == 1).sum(axis=1)
    return grid.table(
        {"n": n, "missing": _patients(grid) - n, "count": count, "percent": over(100 * count, n)}
    )


def describe_category(values: pd.Series[Any]) -> pd.DataFrame:
    """Return how many patients are of each category, one row per cohort and category.

    Parameters
    ----------
    values : Series
        Categories by patient (or cohort and patient), empty for unknown. Those of a categorical
        type are all listed, in their order; others as they occur in any cohort, sorted.

    Returns
    -------
    DataFrame
        Columns level, n (known), count and percent (of the known).
    """
    grid = Grid.of(values.index)
    known = values.notna()
    levels = category_levels(values)
    tables = []
    for level in levels:
        flag = (values == level).astype(float).where(known).rename(str(values.name))
        tables.append(describe_flag(flag).assign(level=level))
    columns = ["level", "n", "count", "percent"]
    if grid.cohorts is not None:
        columns.insert(0, "cohort")
    if not tables:
        return pd.DataFrame(columns=columns)
    together = pd.concat(tables, ignore_index=True)[columns]
    # A stable sort keeps the order of the levels within a cohort.
    by_cohort = together if grid.cohorts is None else together.sort_values("cohort", kind="stable")
    return by_cohort.reset_index(drop=True)


def category_levels(values: pd.Series[Any]) -> list[Any]:
    """Return the categories of a column in their order."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return list(values.cat.categories)
    return sorted(values.dropna().unique())


def _patients(grid: Grid) -> Any:
    return np.bincount(grid.rows, minlength=grid.shape[0])
