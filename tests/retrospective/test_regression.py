from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from rederive.retrospective import linear, logistic

SEEDS = st.integers(0, 10**6)


def with_flag(table: pd.DataFrame) -> pd.DataFrame:
    middle = table["m12"].fillna(0).median()
    flag = (table["m12"] > middle).astype(float).where(table["m12"].notna())
    return table.assign(flag=flag)


def is_separated(y: np.ndarray, x: np.ndarray) -> bool:
    """Whether some cut, in one direction or the other, parts the outcomes, ties aside."""
    return any(
        bool(np.all(sign * x[y == 1] >= cut) and np.all(sign * x[y == 0] <= cut))
        for sign in (1, -1)
        for cut in sign * np.unique(x)
    )


@given(SEEDS)
def test_logistic_agrees_with_statsmodels(ensemble, by_cohort, seed: int) -> None:
    table = with_flag(ensemble(seed))
    columns = ["intercept", "slope", "se", "odds_ratio", "low", "high", "z", "p"]
    for row, patients in by_cohort(logistic(table["flag"], table["m6"]), table):
        used = patients[["flag", "m6"]].dropna()
        y, x = used["flag"].to_numpy(), used["m6"].to_numpy()
        assert (row["n"], row["events"]) == (len(y), y.sum())
        if len(y) == 0:
            expected = "no patients"
        elif len(set(y)) == 1:
            expected = "constant outcome"
        elif len(set(x)) == 1:
            expected = "constant predictor"
        else:
            expected = "separated" if is_separated(y, x) else "ok"
        assert row["status"] == expected
        if expected != "ok":
            assert row[columns].isna().all()
            continue
        fit = sm.Logit(y, sm.add_constant(x)).fit(disp=0, maxiter=200, tol=1e-12)
        low, high = np.exp(fit.conf_int()[1])
        reference = [*fit.params, fit.bse[1], np.exp(fit.params[1]), low, high]
        reference += [fit.tvalues[1], fit.pvalues[1]]
        np.testing.assert_allclose(row[columns].astype(float), reference, rtol=1e-6, atol=1e-6)


def test_logistic_on_a_two_by_two_table_is_its_odds_ratio() -> None:
    x = np.repeat([1.0, 1, 0, 0], [3, 6, 12, 4])
    y = np.repeat([1.0, 0, 1, 0], [3, 6, 12, 4])
    index = pd.RangeIndex(25, name="patient")
    row = logistic(pd.Series(y, index), pd.Series(x, index)).iloc[0]
    se = np.sqrt(1 / 3 + 1 / 6 + 1 / 12 + 1 / 4)
    assert row["odds_ratio"] == pytest.approx(3 * 4 / (6 * 12))
    assert row["se"] == pytest.approx(se)
    assert row["low"] == pytest.approx(np.exp(np.log(1 / 6) - 1.959964 * se), rel=1e-6)


def test_logistic_is_right_far_from_the_origin_and_close_to_separation() -> None:
    x = np.concatenate([np.linspace(0, 1, 40), [0.9, 0.1]]) * 1e-3 + 1e4
    y = np.concatenate([(np.linspace(0, 1, 40) > 0.5).astype(float), [0.0, 1.0]])
    index = pd.RangeIndex(42, name="patient")
    row = logistic(pd.Series(y, index), pd.Series(x, index)).iloc[0]
    centred = (x - 1e4) * 1e3
    fit = sm.Logit(y, sm.add_constant(centred)).fit(disp=0, maxiter=200)
    assert row["status"] == "ok"
    assert row["z"] == pytest.approx(fit.tvalues[1], rel=1e-5)
    assert row["slope"] == pytest.approx(fit.params[1] * 1e3, rel=1e-5)


@given(SEEDS)
def test_linear_agrees_with_statsmodels(ensemble, by_cohort, seed: int) -> None:
    table = ensemble(seed)
    for row, patients in by_cohort(linear(table["m12"], table["m6"]), table):
        used = patients[["m12", "m6"]].dropna()
        y, x = used["m12"].to_numpy(), used["m6"].to_numpy()
        assert row["n"] == len(y)
        if len(y) < 3:
            assert row["status"] == "too few patients"
        elif len(set(x)) == 1:
            assert row["status"] == "constant predictor"
        elif len(set(y)) == 1:
            assert row["status"] == "constant outcome"
        else:
            fit = sm.OLS(y, sm.add_constant(x)).fit()
            assert row["slope"] == pytest.approx(fit.params[1], abs=1e-9)
            assert row["intercept"] == pytest.approx(fit.params[0], abs=1e-9)
            if row["status"] == "exact fit":
                assert fit.ssr == pytest.approx(0, abs=1e-18)
                assert np.isnan(row["p"])
                continue
            assert row["status"] == "ok"
            low, high = fit.conf_int()[1]
            np.testing.assert_allclose(
                row[["se", "low", "high", "t", "p"]].astype(float),
                [fit.bse[1], low, high, fit.tvalues[1], fit.pvalues[1]],
                rtol=1e-6,
                atol=1e-9,
            )
            continue
        if row["status"] != "ok":
            assert np.isnan(row["p"])


def test_patients_are_matched_by_key_and_wrong_input_is_an_error() -> None:
    index = pd.Index(list("ABCDEF"), name="patient")
    x = pd.Series([1.0, 2, 3, 4, 5, 6], index)
    y = pd.Series([2.0, 4, 5, 8, 9, 13], index)
    both = pd.DataFrame({"x": x, "y": y})
    for fit, outcome in ((linear, y), (logistic, (y > y.median()).astype(float))):
        together = fit(outcome, both)
        for name, part in together.groupby("predictor"):
            alone = fit(outcome, both[name])
            part = part.drop(columns="predictor").reset_index(drop=True)
            pd.testing.assert_frame_equal(part, alone, check_exact=True)
    shuffled = linear(y, x.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled, linear(y, x))
    with pytest.raises(ValueError, match="found 2, allowed: 0 and 1"):
        logistic(y, x)
    with pytest.raises(ValueError, match="more than once"):
        linear(pd.concat([y, y]), x)
