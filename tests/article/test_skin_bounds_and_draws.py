"""Bounds, held-out draws and cohorts of the skin scores, held against each other."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from bounds_recheck import recheck
from ivig_dcssc import open_section
from ivig_dcssc.generator.skin import THRESHOLDS
from ivig_dcssc.patients import Cohorts
from ivig_dcssc.project import BOUNDS_FILE
from rederive.reconstruct.bounds import load_bounds
from rederive.reconstruct.column import ColumnSummary, count_columns

FOLLOWUPS = ("m6", "m12", "m18", "m24")


@pytest.fixture(scope="module")
def cohorts() -> Cohorts:
    found: Cohorts = open_section("results_skin").cohorts
    return found


@pytest.fixture(scope="module")
def bounds(cohorts: Cohorts) -> pd.DataFrame:
    table = cohorts.bounds_table()
    return table[table["interpretation"] == "-8"]


def test_a_column_is_counted_by_another_route() -> None:
    """Plain sums and sums of squares, score by score, on machine integers without any modulus."""
    summary = open_section("results_skin").published.summary("mrss", "IVIG", "m24")
    n, half = summary.n, Fraction(1, 20)
    mean, sd = summary.mean.value, summary.sd.value
    sums = [s for s in range(51 * n + 1) if abs(Fraction(s, n) - mean) <= half]
    targets = [
        (s, q)
        for s in sums
        for q in range(s * s // n, s * s // n + 60 * n)
        if (sd - half) ** 2 <= Fraction(n * q - s * s, n * (n - 1)) <= (sd + half) ** 2
    ]
    most = max(q for _, q in targets)
    ways = np.zeros((n + 1, max(sums) + 1, most + 1), np.int64)
    ways[0, 0, 0] = 1
    for score in range(int(most**0.5) + 1):
        square = score * score
        for k in range(1, n + 1):
            fewer = ways[k - 1, : ways.shape[1] - score, : ways.shape[2] - square]
            ways[k, score:, square:] += fewer
    expected = sum(int(ways[n, s, q]) for s, q in targets)
    assert count_columns(ColumnSummary(summary.mean, summary.sd, n, 0, 51)) == expected > 10**6


def test_no_cohort_passes_a_bound(cohorts: Cohorts, bounds: pd.DataFrame) -> None:
    """Every compatible cohort lies within the proved ends, whatever its prior."""
    scores = cohorts.scores()
    change = scores[list(FOLLOWUPS)].sub(scores["baseline"], axis=0)
    checked = 0
    for row in bounds[bounds["held_out"] == ""].itertuples():
        if row.quantity == "responders":
            values = (change[row.month] <= -row.threshold).groupby("cohort").sum()
        elif row.quantity == "missing_baseline_mean":
            values = scores["baseline"][scores[row.month].isna()].groupby("cohort").mean()
        elif row.quantity == "change_mean":
            values = change[row.month].groupby("cohort").mean()
        else:
            continue
        assert values.min() >= row.least - 1e-9, row
        assert values.max() <= row.greatest + 1e-9, row
        checked += 1
    assert checked > len(THRESHOLDS)


def test_no_held_out_draw_passes_the_bounds(cohorts: Cohorts, bounds: pd.DataFrame) -> None:
    own = bounds[bounds["held_out"] != ""].set_index("held_out")
    draws = cohorts.predictions[cohorts.predictions["reading"] == "-8"].groupby("figure")["value"]
    ends = draws.agg(["min", "max"])
    assert set(ends.index) >= set(own.index)
    assert {figure.id for figure in cohorts.block.figures} == set(ends.index)
    for figure, row in own.iterrows():
        slack = 1e-6 * max(1.0, abs(row["greatest"]))
        assert ends.loc[figure, "min"] >= row["least"] - slack, figure
        assert ends.loc[figure, "max"] <= row["greatest"] + slack, figure


def test_every_witness_holds_and_stale_bounds_are_left_out(cohorts: Cohorts) -> None:
    block = cohorts.block
    fitting = [
        each for each in load_bounds(cohorts.root / BOUNDS_FILE).values() if each.fits(block)
    ]
    assert len(fitting) >= 55
    assert {bound.quantity.name: recheck(bound, block) for bound in fitting} == {
        bound.quantity.name: [] for bound in fitting
    }
    other = block.without([block.figures[-1].id])
    assert not any(bound.fits(other) for bound in fitting if not bound.dropped)
