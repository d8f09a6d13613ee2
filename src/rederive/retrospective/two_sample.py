"""A cohort's values against a group of which only mean, SD and size are printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from rederive.printed.errors import unknown
from rederive.recompute.summaries import Summary
from rederive.recompute.t_formulas import TESTS
from rederive.retrospective.keys import Grid, Moments, over


def two_sample(values: pd.Series[Any], control: Summary, test: str = "student") -> pd.DataFrame:
    """Return the t test of a cohort's values against a printed group, one row per cohort.

    Values are numbers by patient (or cohort and patient), such as changes; NaN are left out. The
    control's figures are taken as printed. The test is ``student`` (both variances pooled) or
    ``welch``.

    Columns n, mean, sd (of the cohort), difference (cohort minus control) with its standard error
    se, t, df, p and status. The status is ``ok``, ``too few patients`` (below 2) or ``no
    variation`` (both SDs zero); the last two leave the test NaN.
    """
    if test not in TESTS:
        raise unknown("test", test, TESTS)
    grid = Grid.of(values.index)
    own = Moments.of(grid.spread(values))
    n = np.maximum(own.n, 2)  # Rows with fewer have an SD of NaN, which makes the test NaN.
    error, df = TESTS[test].error(own.sd, n, float(control.sd.value), control.n)
    difference = own.mean - float(control.mean.value)
    t, df = over(difference, error), np.where(error > 0, df, np.nan)
    return grid.table(
        {
            "n": own.n,
            "mean": own.mean,
            "sd": own.sd,
            "difference": difference,
            "se": np.where(error > 0, error, np.nan),
            "t": t,
            "df": df,
            "p": 2 * stdtr(df, -np.abs(t)),
            "status": np.select(
                [own.n < 2, error == 0], ["too few patients", "no variation"], "ok"
            ),
        }
    )
