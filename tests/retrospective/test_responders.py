from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rederive.retrospective import describe_flag, response


def test_a_decrease_of_the_threshold_itself_counts() -> None:
    index = pd.Index(list("ABCDE"), name="patient")
    table = pd.DataFrame(
        {"baseline": [30, 30, 30, 30, np.nan], "m6": [25, 26, 36, np.nan, 9]}, index
    )
    flag = response(table, "m6", 5)
    assert flag.tolist()[:3] == [1.0, 0.0, 0.0]
    assert flag[["D", "E"]].isna().all()
    assert describe_flag(response(table, "m6", 5)).to_dict("list") == {
        "n": [3],
        "missing": [2],
        "count": [1],
        "percent": [100 / 3],
    }


def test_steps_that_are_no_binary_fractions_count() -> None:
    index = pd.Index(["A", "B"], name="patient")
    table = pd.DataFrame({"baseline": [1.2, 1.2], "m6": [0.9, 0.91]}, index)
    assert response(table, "m6", 0.3).tolist() == [1.0, 0.0]


@given(st.integers(0, 10**6), st.sampled_from([0.02, 0.25, 1.0, 3.0]))
def test_responders_agree_with_a_loop(ensemble, by_cohort, seed: int, threshold: float) -> None:
    table = ensemble(seed)
    for row, patients in by_cohort(describe_flag(response(table, "m12", threshold)), table):
        fall = (patients["baseline"] - patients["m12"]).dropna().round(9)
        assert (row["n"], row["count"]) == (len(fall), (fall >= threshold).sum())
        expected = 100 * (fall >= threshold).mean() if len(fall) else np.nan
        assert row["percent"] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("threshold", [0, -5, float("nan")])
def test_a_threshold_must_be_positive(ensemble, threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold: found"):
        response(ensemble(1), "m6", threshold)
