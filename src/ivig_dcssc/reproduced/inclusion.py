"""Which patients are analysed: those with enough cycles of treatment in the first six months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rederive.errors import ConfigurationError
from rederive.retrospective import Cohort, key_index

CYCLES = "cycles_first_6_months"
"""Column of the patients that counts the cycles."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The patients that are analysed, and how many are not.

    Parameters
    ----------
    cohort : Cohort
        The patients that are analysed, and their visits.
    left_out, unknown : Series
        Number of patients by cohort: with too few cycles, and analysed though the number of their
        cycles is unknown.
    """

    cohort: Cohort
    left_out: pd.Series[Any]
    unknown: pd.Series[Any]


def include(cohort: Cohort, minimum: int) -> Inclusion:
    """Leave out the patients with too few cycles; an unknown number counts as enough.

    Parameters
    ----------
    cohort : Cohort
        An ensemble.
    minimum : int
        Least number of cycles in the first six months.

    Raises
    ------
    ConfigurationError
        If a cohort has no patient left; the message says how many cycles leave somebody.
    """
    patients = cohort.patients
    cycles = np.full(len(patients), np.nan)
    if CYCLES in patients.columns:
        cycles = pd.to_numeric(patients[CYCLES]).to_numpy(dtype=float, na_value=np.nan)
    few = cycles < minimum
    counts = pd.DataFrame({"cohort": patients["cohort"], "few": few, "unknown": np.isnan(cycles)})
    by_cohort = counts.groupby("cohort")
    sizes = by_cohort["few"].agg(["sum", "size"])
    empty = sizes["sum"] == sizes["size"]
    if empty.any():
        most = int(pd.Series(cycles).groupby(patients["cohort"].to_numpy()).max().min())
        which = "the cohort" if len(sizes) == 1 else f"{int(empty.sum())} of {len(sizes)} cohorts"
        rest = "somebody is left" if len(sizes) == 1 else "every cohort has somebody left"
        raise ConfigurationError(
            f"parameter minimum_cycles: found {minimum}, which leaves no patient in {which}; "
            f"allowed: at most {most}, with which {rest}"
        )
    kept = cohort
    if few.any():
        visits = cohort.visits
        stays = key_index(visits).isin(key_index(patients)[~few])
        kept = Cohort(patients[~few].reset_index(drop=True), visits[stays].reset_index(drop=True))
    return Inclusion(kept, sizes["sum"].astype(int), by_cohort["unknown"].sum().astype(int))
