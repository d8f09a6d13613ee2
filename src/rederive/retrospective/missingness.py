"""Who is missing at follow-up, and whether those patients began differently."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtr

from rederive.retrospective.keys import Grid, Moments, over, unknown


def missingness(measured: pd.DataFrame, baseline: str = "baseline") -> pd.DataFrame:
    """Return the baseline of those missing and those followed, one row per cohort and target.

    Parameters
    ----------
    measured : DataFrame
        Values by patient (or cohort and patient), as from `windows.measured`.
    baseline : str
        Column of the baseline; all others are follow-ups.

    Returns
    -------
    DataFrame
        Columns target, patients, with_baseline, followed, missing, then, of patients with a
        baseline, followed_n, followed_mean, followed_sd, missing_n, missing_mean, missing_sd,
        difference (missing minus followed) and p of Student's t test, NaN where either has no
        patient, there are fewer than 3 in all, or no variation.

    Raises
    ------
    ValueError
        If there is no such column, or no follow-up.
    """
    if baseline not in measured.columns:
        raise unknown("window", baseline, measured.columns)
    targets = [name for name in measured.columns if name != baseline]
    if not targets:
        raise ValueError("measured: found no follow-up column, allowed: at least one")
    grid = Grid.of(measured.index)
    patients = np.bincount(grid.rows, minlength=grid.shape[0])
    start = grid.spread(measured[baseline])
    tables = []
    for target in targets:
        there = ~np.isnan(grid.spread(measured[target]))
        present = there.sum(axis=1)
        seen = Moments.of(np.where(there, start, np.nan))
        lost = Moments.of(np.where(there, np.nan, start))
        df = seen.n + lost.n - 2
        # A single patient has no SD, and adds nothing to the pooled variance.
        squares = [
            np.where(group.n > 1, (group.n - 1) * group.sd**2, 0.0) for group in (seen, lost)
        ]
        error = np.sqrt(over(sum(squares), df) * (over(1.0, seen.n) + over(1.0, lost.n)))
        difference = lost.mean - seen.mean
        t = over(difference, error)
        columns = {
            "target": target,
            "patients": patients,
            "with_baseline": (~np.isnan(start)).sum(axis=1),
            "followed": present,
            "missing": patients - present,
            "followed_n": seen.n,
            "followed_mean": seen.mean,
            "followed_sd": seen.sd,
            "missing_n": lost.n,
            "missing_mean": lost.mean,
            "missing_sd": lost.sd,
            "difference": difference,
            "p": 2 * stdtr(np.where(df > 0, df, np.nan), -np.abs(t)),
        }
        tables.append(grid.table(columns))
    together = pd.concat(tables, ignore_index=True)
    if grid.cohorts is not None:
        together = together.sort_values("cohort", kind="stable").reset_index(drop=True)
    return together
