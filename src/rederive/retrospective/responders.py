"""Responders: patients whose score fell by at least a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rederive.retrospective.describe import describe_flag
from rederive.retrospective.paired import change


def response(
    measured: pd.DataFrame, followup: str, threshold: float, baseline: str = "baseline"
) -> pd.Series[Any]:
    """Return 1 for each patient who responded, 0 for those who did not, NaN if not followed.

    Parameters
    ----------
    measured : DataFrame
        Values by patient (or cohort and patient), as from `windows.measured`.
    followup, baseline : str
        Columns, such as ``m6``.
    threshold : float
        Least decrease that counts as response.

    Raises
    ------
    ValueError
        If the threshold is not positive, or there is no such column.
    """
    if not threshold > 0:
        raise ValueError(f"threshold: found {threshold!r}, allowed: a positive number")
    decrease = -change(measured, followup, baseline)
    flag = (decrease >= threshold).astype(float)
    return pd.Series(np.where(decrease.isna(), np.nan, flag), decrease.index, name="response")


def responders(
    measured: pd.DataFrame, followup: str, threshold: float, baseline: str = "baseline"
) -> pd.DataFrame:
    """Return the number of responders, one row per cohort.

    Parameters
    ----------
    measured, followup, threshold, baseline
        As for `response`.

    Returns
    -------
    DataFrame
        Columns n (patients with both values), missing, count (responders) and percent (of n).
    """
    return describe_flag(response(measured, followup, threshold, baseline))
