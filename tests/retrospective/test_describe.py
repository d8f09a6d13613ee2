from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rederive.retrospective import Cohort, describe_flag, describe_number


def column(patients: pd.DataFrame, name: str) -> pd.Series:
    visits = pd.DataFrame(columns=["patient", "month", "measure", "value"])
    return Cohort(patients, visits).column(name)


@given(st.integers(0, 10**6))
def test_numbers_and_flags_agree_with_pandas(ensemble, by_cohort, seed: int) -> None:
    table = ensemble(seed)
    for row, patients in by_cohort(describe_number(table["m6"]), table):
        known = patients["m6"].dropna()
        expected = [len(known), len(patients) - len(known), known.mean(), known.std()]
        expected += [known.median(), known.min(), known.max()]
        got = row[["n", "missing", "mean", "sd", "median", "minimum", "maximum"]].astype(float)
        np.testing.assert_allclose(got, expected, atol=1e-12)
    flag = (table["m6"] > 0).astype(float).where(table["m6"].notna())
    for row, patients in by_cohort(describe_flag(flag), flag.to_frame()):
        known = patients.iloc[:, 0].dropna()
        assert (row["n"], row["count"]) == (len(known), known.sum())
        assert row["percent"] == pytest.approx(100 * known.mean(), nan_ok=True)


@pytest.mark.parametrize("categorical", [True, False])
def test_empty_text_is_unknown(categorical: bool) -> None:
    patients = pd.DataFrame({"patient": list("ABC"), "reason": ["", "moved", None]})
    if categorical:
        patients["reason"] = patients["reason"].astype("category")
    assert column(patients, "reason").dropna().to_dict() == {"B": "moved"}


def test_nothing_known_is_said_and_not_a_number() -> None:
    empty = pd.Series([np.nan, np.nan], index=pd.Index(["A", "B"], name="patient"), name="score")
    row = describe_number(empty).iloc[0]
    assert (row["n"], row["missing"]) == (0, 2)
    assert row[["mean", "sd", "median", "minimum", "maximum"]].isna().all()
    assert np.isnan(describe_flag(empty).loc[0, "percent"])


def test_constant_values_have_no_spread_at_all() -> None:
    same = pd.Series([0.1] * 7, index=pd.RangeIndex(7, name="patient"))
    assert describe_number(same).loc[0, "sd"] == 0.0


def test_a_flag_is_0_or_1_and_a_column_must_exist() -> None:
    patients = pd.DataFrame({"patient": ["A"], "female": [2]})
    with pytest.raises(ValueError, match="female: found 2, allowed: 0 and 1"):
        describe_flag(column(patients, "female"))
    with pytest.raises(ValueError, match=r"found 'femal'.*did you mean 'female'"):
        column(patients, "femal")
