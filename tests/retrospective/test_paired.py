from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel, wilcoxon

from rederive.recompute.signed_rank import CONVENTIONS, SignedRankConvention
from rederive.retrospective import change, paired_change, signed_rank

SEEDS = st.integers(0, 10**6)


@given(SEEDS)
def test_paired_change_agrees_with_scipy(ensemble, by_cohort, seed: int) -> None:
    table = ensemble(seed)
    for row, patients in by_cohort(paired_change(table, "m6"), table):
        pairs = patients[["baseline", "m6"]].dropna()
        steps = (pairs["m6"] - pairs["baseline"]).round(9)
        assert row["n"] == len(pairs)
        expected = [*pairs.mean(), steps.mean(), *pairs.std(), steps.std()]
        got = row[
            [
                f"{name}_{what}"
                for what in ("mean", "sd")
                for name in ("baseline", "followup", "change")
            ]
        ]
        np.testing.assert_allclose(got.astype(float), expected, atol=1e-12)
        if len(pairs) < 2:
            assert row["status"] == "too few patients"
            assert np.isnan(row["p"])
        elif steps.nunique() == 1:
            assert row["status"] == "no variation"
            assert np.isnan(row[["t", "p", "low", "high"]].astype(float)).all()
        else:
            test = ttest_rel(pairs["m6"], pairs["baseline"])
            interval = test.confidence_interval(0.95)
            assert row["status"] == "ok"
            np.testing.assert_allclose(
                row[["t", "df", "p", "low", "high"]].astype(float),
                [test.statistic, len(pairs) - 1, test.pvalue, interval.low, interval.high],
                rtol=1e-8,
                atol=1e-10,
            )


def by_scipy(values: np.ndarray, convention: SignedRankConvention) -> float | None:
    """Return SciPy's p of one sample; None for tied differences under the exact distribution."""
    changed = values[values != 0]
    if not len(changed):
        return 1.0
    if convention.exact:
        tied = len(np.unique(np.abs(changed))) < len(changed)
        return None if tied else float(wilcoxon(changed, method="exact").pvalue)
    options = {"zero_method": convention.zeros, "correction": convention.correction}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of small samples
        return float(wilcoxon(values, method="approx", **options).pvalue)


@given(SEEDS, st.sampled_from(CONVENTIONS))
def test_signed_rank_agrees_with_one_cohort_at_a_time(
    ensemble, by_cohort, seed: int, convention
) -> None:
    table = ensemble(seed)
    for row, patients in by_cohort(signed_rank(table, "m6", convention=convention), table):
        steps = (patients["m6"] - patients["baseline"]).dropna().round(9)
        counts = [len(steps), (steps > 0).sum(), (steps < 0).sum(), (steps == 0).sum()]
        assert row[["n", "increased", "decreased", "unchanged"]].tolist() == counts
        if steps.empty:
            assert row["status"] == "no patients"
            assert np.isnan(row["p"])
            continue
        expected = by_scipy(steps.to_numpy(), convention)
        if expected is None:
            assert row["status"] == "ties"
            assert np.isnan(row["p"])
        else:
            assert row["status"] == ("no change" if not steps.any() else "ok")
            assert row["p"] == pytest.approx(expected, abs=1e-12)


@given(
    st.lists(st.sets(st.integers(1, 40), min_size=1, max_size=12), min_size=1, max_size=4), SEEDS
)
def test_exact_signed_rank_of_distinct_differences(sizes: list[set[int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (cohort, patient, size * rng.choice([-1, 1]))
        for cohort, steps in enumerate(sizes)
        for patient, size in enumerate(steps)
    ]
    table = pd.DataFrame(rows, columns=["cohort", "patient", "m6"]).assign(baseline=0)
    result = signed_rank(table.set_index(["cohort", "patient"]), "m6", convention=CONVENTIONS[4])
    for cohort, steps in table.groupby("cohort")["m6"]:
        row = result[result["cohort"] == cohort].iloc[0]
        ranks = steps.abs().rank().to_numpy()
        sums = np.array(list(itertools.product([0, 1], repeat=len(ranks)))) @ ranks
        own = ranks[steps > 0].sum()
        below = np.mean(sums <= min(own, ranks.sum() - own))
        assert row["p"] == pytest.approx(min(1.0, 2 * below), abs=1e-12)


def test_one_cohort_gives_one_row_without_cohort(ensemble) -> None:
    table = ensemble(3)
    single = table.xs(table.index[0][0], level="cohort")
    for result in (paired_change(single, "m6"), signed_rank(single, "m6")):
        assert len(result) == 1
        assert "cohort" not in result.columns


def test_change_is_paired_and_wants_known_columns() -> None:
    index = pd.Index(["A", "B", "C"], name="patient")
    table = pd.DataFrame({"baseline": [30, np.nan, 20], "m6": [22, 9, np.nan]}, index=index)
    assert change(table, "m6").dropna().to_dict() == {"A": -8.0}
    with pytest.raises(ValueError, match=r"found 'm66'.*did you mean 'm6'"):
        change(table, "m66")
