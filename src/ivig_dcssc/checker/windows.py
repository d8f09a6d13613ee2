"""The visits that the article's analysis takes: most recent before, closest to a target after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


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


class Records(NamedTuple):
    """Records of one measure: positions of their patients, months and values."""

    who: Positions
    months: Floats
    values: Floats


def at_baseline(records: Records, window: int, patients: int) -> Floats:
    """Return each patient's most recent value of month ``-window`` to 0, NaN without any."""
    kept = np.flatnonzero((records.months >= -window) & (records.months <= 0))
    order = np.argsort(records.months[kept], kind="stable")
    return _last_of_each(records, kept[order], patients)


def _last_of_each(records: Records, order: Positions, patients: int) -> Floats:
    """Return the value of each patient's last record among ``order`` (positions of records)."""
    found = np.full(patients, np.nan)
    found[records.who[order]] = records.values[order]
    return found


def at_target(
    records: Records,
    target: int,
    tolerance: int,
    patients: int,
    rule: str = "closest",
    targets: tuple[int, ...] = (),
) -> Floats:
    """Return each patient's value within some months of a target, NaN without any.

    A visit belongs to the nearest of all targets only (of two equally near ones, the earlier), so
    that no visit is used twice, also where windows overlap; without other targets, to this one. Of
    several the rule takes the ``closest`` (of two the earlier), the ``first`` or the ``last``.
    """
    distance = np.abs(records.months - target)
    kept = np.flatnonzero((distance <= tolerance) & (records.months > 0))
    if targets:
        nearest = np.abs(records.months[kept, np.newaxis] - targets).argmin(axis=1)
        kept = kept[np.asarray(targets)[nearest] == target]
    months = records.months[kept]
    # What comes last is taken.
    keys = {"closest": (-months, -distance[kept]), "first": (-months,), "last": (months,)}
    return _last_of_each(records, kept[np.lexsort(keys[rule])], patients)
