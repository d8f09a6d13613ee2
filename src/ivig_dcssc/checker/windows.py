"""The visits that the article's analysis takes: most recent before, closest to a target after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows, in months; the defaults are the article's, or ours where it states none.

    Parameters
    ----------
    baseline_window, restricted_baseline_window : int
        Oldest skin score before the month of the first infusion that is a baseline; the same in
        the sensitivity analysis.
    followup_tolerance : int
        Distance from a target month within which a skin score or friction rubs count.
    targets : tuple of int
        Target months of the skin score, rising.
    rule : str
        Which of several visits in a follow-up window is taken: ``closest``, ``first`` or ``last``.
    organ_baseline_window, organ_followup_tolerance : int
        The same for organ and function measures at month 12. The article does not state them.
    restricted_organ_baseline_window, restricted_organ_followup_tolerance : int
        The same in the sensitivity analysis.
    """

    baseline_window: int = 3
    restricted_baseline_window: int = 2
    followup_tolerance: int = 2
    targets: tuple[int, ...] = (6, 12, 18, 24)
    rule: str = "closest"
    organ_baseline_window: int = 12
    organ_followup_tolerance: int = 6
    restricted_organ_baseline_window: int = 3
    restricted_organ_followup_tolerance: int = 3


def at_baseline(records: pd.DataFrame, window: int) -> pd.Series[float]:
    """Return the most recent value from ``window`` months before the first infusion to its month.

    Parameters
    ----------
    records : DataFrame
        Records of one measure: ``patient``, ``month``, ``value``.
    window : int
        Months before month 0 that count; month 0 always counts.

    Returns
    -------
    Series
        Values by patient; patients without a record in the window are absent.
    """
    months = records["month"].to_numpy()
    order = np.argsort(-months, kind="stable")
    return _first_of_each(records, order[(months[order] >= -window) & (months[order] <= 0)])


def _first_of_each(records: pd.DataFrame, order: Positions) -> pd.Series[float]:
    """Return the value of each patient's first record among ``order`` (positions of rows)."""
    rows = records.iloc[order]
    values = pd.Series(rows["value"].to_numpy(), index=pd.Index(rows["patient"], name="patient"))
    return values[~values.index.duplicated()]


def at_target(
    records: pd.DataFrame,
    target: int,
    tolerance: int,
    rule: str = "closest",
    targets: tuple[int, ...] = (),
) -> pd.Series[float]:
    """Return the value at a target month.

    A visit belongs to the nearest of all targets only (of two equally near ones, the earlier), so
    that no visit is used twice, also where windows overlap.

    Parameters
    ----------
    records : DataFrame
        Records of one measure: ``patient``, ``month``, ``value``.
    target : int
        The month aimed at.
    tolerance : int
        Distance from the target within which a visit counts.
    rule : str
        ``closest`` (of two equally close visits the earlier), ``first`` or ``last``.
    targets : tuple of int
        All targets of this measure, rising; empty if there is only this one.

    Returns
    -------
    Series
        Values by patient; patients without a visit in the window are absent.
    """
    months = records["month"].to_numpy()
    distance = np.abs(months - target)
    if rule == "closest":
        order = np.lexsort((months, distance))
    else:
        order = np.argsort(-months if rule == "last" else months, kind="stable")
    counts = (distance <= tolerance) & (months > 0)
    if targets:
        all_targets = np.asarray(targets)
        nearest = np.abs(months[:, np.newaxis] - all_targets).argmin(axis=1)
        counts &= all_targets[nearest] == target
    return _first_of_each(records, order[counts[order]])
