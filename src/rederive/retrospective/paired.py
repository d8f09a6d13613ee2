"""Change from baseline to a follow-up month, in patients who have both, in every cohort at once.

Responders are patients whose score fell by at least a threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from rederive.printed.errors import unknown
from rederive.recompute.signed_rank import CONVENTIONS, SignedRankConvention, signed_rank_test
from rederive.retrospective.keys import Grid, Moments, over

DECIMALS = 9
"""Decimals of a change: more than any scale has, fewer than a float can tell apart."""


BASELINE = "baseline"
"""Column of the first values."""


def change(measured: pd.DataFrame, followup: str) -> pd.Series[Any]:
    """Return each patient's change from baseline, to nine decimals; NaN without one or the other.

    Measured are values by patient (or cohort and patient), as from `windows.measured`; the
    follow-up is a column, such as ``m6``.
    """
    for column in (followup, BASELINE):
        if column not in measured.columns:
            raise unknown("window", column, measured.columns)
    # Steps such as 0.01 are no binary fractions: without rounding, equal changes come out unequal.
    return (measured[followup] - measured[BASELINE]).round(DECIMALS).rename("change")


def paired_change(measured: pd.DataFrame, followup: str) -> pd.DataFrame:
    """Return means, SDs and the paired t test of a change, one row per cohort.

    Columns n (patients with both values), baseline_mean, baseline_sd, followup_mean, followup_sd,
    change_mean, change_sd, low, high (of the mean change, at 95 % confidence), t, df, p and status.
    The status is ``ok``, ``too few patients`` (below 2) or ``no variation`` (all changes equal);
    the last two leave the test NaN.
    """
    grid = Grid.of(measured.index)
    changes = grid.spread(change(measured, followup))
    both = ~np.isnan(changes)
    before, after = (
        Moments.of(np.where(both, grid.spread(measured[name]), np.nan))
        for name in (BASELINE, followup)
    )
    differences = Moments.of(changes)
    error = differences.sd / np.sqrt(np.maximum(differences.n, 1))
    df = differences.n - 1
    t = over(differences.mean, error)
    width = stdtrit(df, 0.975) * np.where(error > 0, error, np.nan)
    return grid.table(
        {
            "n": differences.n,
            "baseline_mean": before.mean,
            "baseline_sd": before.sd,
            "followup_mean": after.mean,
            "followup_sd": after.sd,
            "change_mean": differences.mean,
            "change_sd": differences.sd,
            "low": differences.mean - width,
            "high": differences.mean + width,
            "t": t,
            "df": df,
            "p": 2 * stdtr(df, -np.abs(t)),
            "status": np.select(
                [differences.n < 2, differences.sd == 0],
                ["too few patients", "no variation"],
                "ok",
            ),
        }
    )


def response(measured: pd.DataFrame, followup: str, threshold: float) -> pd.Series[Any]:
    """Return 1 for each patient who responded, 0 for those who did not, NaN if not followed.

    The threshold is the least decrease, above 0, that counts as response.
    """
    if not threshold > 0:
        raise ValueError(f"threshold: found {threshold!r}, allowed: a positive number")
    decrease = -change(measured, followup)
    flag = (decrease >= threshold).astype(float)
    return pd.Series(np.where(decrease.isna(), np.nan, flag), decrease.index, name="response")


def signed_rank(
    measured: pd.DataFrame,
    followup: str,
    convention: SignedRankConvention = CONVENTIONS[0],
) -> pd.DataFrame:
    """Return Wilcoxon's signed-rank test of a change, one row per cohort.

    Parameters
    ----------
    measured, followup
        As for `change`.
    convention : SignedRankConvention
        How zeros, ties and the null distribution are treated; Stata's by default.

    Returns
    -------
    DataFrame
        Columns n (patients with both values), increased, decreased, unchanged, rank_sum (of the
        increases), z, p and status. The status is ``ok``, ``no patients``, ``no change`` (all
        differences zero: p is 1) or, for the exact distribution alone, ``ties`` (p is NaN).
    """
    grid = Grid.of(measured.index)
    differences = grid.spread(change(measured, followup))
    known, changed = ~np.isnan(differences), np.abs(differences) > 0
    rank_sum, z, p = signed_rank_test(differences, convention)
    status = np.select(
        [~known.any(axis=1), ~changed.any(axis=1), np.isnan(p)],
        ["no patients", "no change", "ties"],
        "ok",
    )
    return grid.table(
        {
            "n": known.sum(axis=1),
            "increased": (differences > 0).sum(axis=1),
            "decreased": (differences < 0).sum(axis=1),
            "unchanged": (known & ~changed).sum(axis=1),
            "rank_sum": rank_sum,
            "z": z,
            "p": p,
            "status": status,
        }
    )
