"""A cohort's values against a group of which only mean, SD and size are printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from rederive.errors import unknown
from rederive.recompute.summaries import Summary
from rederive.recompute.t_formulas import welch_df
from rederive.retrospective.keys import Grid, Moments, over
from rederive.retrospective.paired import critical_t

TESTS = ("student", "welch")
"""Student's test pools both variances, Welch's does not."""


def two_sample(
    values: pd.Series[Any], control: Summary, test: str = "student", confidence: float = 0.95
) -> pd.DataFrame:
    """Return the t test of a cohort's values against a printed group, one row per cohort.

    Values are numbers by patient (or cohort and patient), such as changes; NaN are left out. The
    control's figures are taken as printed. The test is ``student`` or ``welch``.

    Columns n, mean, sd (of the cohort), control_n, control_mean, control_sd, difference (cohort
    minus control), low, high (at the level of confidence), t, df, p and status. The status is
    ``ok``, ``too few patients`` (below 2) or ``no variation`` (both SDs zero); the last two leave
    the test NaN.
    """
    if test not in TESTS:
        raise unknown("test", test, TESTS)
    grid = Grid.of(values.index)
    own = Moments.of(grid.spread(values))
    n = np.maximum(own.n, 2)  # Rows with fewer have an SD of NaN, which makes the test NaN.
    mean, sd = float(control.mean.value), float(control.sd.value)
    squares, control_square = own.sd**2, np.asarray(sd**2)
    if test == "student":
        df = np.asarray(n + control.n - 2, dtype=float)
        pooled = ((n - 1) * squares + (control.n - 1) * control_square) / df
        error = np.sqrt(pooled * (1 / n + 1 / control.n))
    else:
        parts = squares / n, control_square / control.n
        error = np.sqrt(parts[0] + parts[1])
        df = welch_df(parts[0], n, parts[1], control.n)
    difference = own.mean - mean
    t = over(difference, error)
    known = np.where(error > 0, df, np.nan)
    width = critical_t(confidence, known) * error
    return grid.table(
        {
            "n": own.n,
            "mean": own.mean,
            "sd": own.sd,
            "control_n": control.n,
            "control_mean": mean,
            "control_sd": sd,
            "difference": difference,
            "low": difference - width,
            "high": difference + width,
            "t": t,
            "df": known,
            "p": 2 * stdtr(known, -np.abs(t)),
            "status": np.select(
                [own.n < 2, error == 0], ["too few patients", "no variation"], "ok"
            ),
        }
    )
