from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind_from_stats

from rederive.printed import parse
from rederive.recompute import Summary
from rederive.retrospective import change, two_sample


@given(st.integers(0, 10**6), st.sampled_from(["student", "welch"]), st.sampled_from([0.0, 7.4]))
def test_two_sample_agrees_with_scipy(ensemble, by_cohort, seed: int, test: str, sd: float) -> None:
    table = ensemble(seed)
    control = Summary(parse("-3.4"), parse(str(sd)), 12)
    for row, patients in by_cohort(two_sample(change(table, "m6"), control, test), table):
        steps = (patients["m6"] - patients["baseline"]).dropna().round(9)
        assert row["n"] == len(steps)
        if len(steps) < 2:
            assert row["status"] == "too few patients"
            assert np.isnan(row["p"])
        elif sd == 0 and steps.nunique() == 1:
            assert row["status"] == "no variation"
            assert np.isnan(row["p"])
        else:
            own = steps.std() if steps.nunique() > 1 else 0.0
            expected = ttest_ind_from_stats(
                steps.mean(), own, len(steps), -3.4, sd, 12, equal_var=test == "student"
            )
            assert row["status"] == "ok"
            assert row["difference"] == pytest.approx(steps.mean() + 3.4)
            assert row["t"] == pytest.approx(expected.statistic, rel=1e-8)
            assert row["t"] * row["se"] == pytest.approx(row["difference"])
            assert row["p"] == pytest.approx(expected.pvalue, rel=1e-8)


def test_an_unknown_test_is_an_error(ensemble) -> None:
    with pytest.raises(ValueError, match="did you mean 'welch'"):
        two_sample(ensemble(1)["m6"], Summary(parse("0"), parse("1"), 5), "welsh")
