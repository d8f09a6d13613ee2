from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from rederive.retrospective import missingness


@pytest.mark.filterwarnings("ignore:Precision loss")
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_missingness_agrees_with_a_loop(ensemble, by_cohort, seed: int) -> None:
    table = ensemble(seed)
    for row, patients in by_cohort(missingness(table), table):
        there = patients[row["target"]].notna()
        seen = patients.loc[there, "baseline"].dropna()
        lost = patients.loc[~there, "baseline"].dropna()
        counts = [len(patients), patients["baseline"].notna().sum(), there.sum(), (~there).sum()]
        assert row[["patients", "with_baseline", "followed", "missing"]].tolist() == counts
        assert (row["followed_n"], row["missing_n"]) == (len(seen), len(lost))
        expected = [seen.mean(), seen.std(), lost.mean(), lost.std(), lost.mean() - seen.mean()]
        got = row[["followed_mean", "followed_sd", "missing_mean", "missing_sd", "difference"]]
        np.testing.assert_allclose(got.astype(float), expected, atol=1e-12)
        varied = max(seen.nunique(), lost.nunique()) > 1
        if min(len(seen), len(lost)) == 0 or len(seen) + len(lost) < 3 or not varied:
            assert np.isnan(row["p"])
        elif min(len(seen), len(lost)) > 1:
            assert row["p"] == pytest.approx(ttest_ind(seen, lost).pvalue)
        else:
            assert 0 <= row["p"] <= 1


def test_there_must_be_a_baseline_and_a_followup(ensemble) -> None:
    with pytest.raises(ValueError, match="no follow-up column"):
        missingness(ensemble(1)[["baseline"]])
    with pytest.raises(ValueError, match="window: found 'start'"):
        missingness(ensemble(1), "start")
