"""Another article (Coleman et al. 2012): what its figures say is known, and the checks find it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from rederive import check_statistic, parse, percent_to_count, recompute
from rederive.printed import P_VALUE_DOMAIN

TABLE = Path(__file__).resolve().parents[2] / "data" / "examples" / "coleman-2012.csv"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(TABLE, dtype=str).set_index(["time", "outcome"])


def test_chi_squared_and_p_contradict_each_other_and_one_decision(table: pd.DataFrame) -> None:
    kinds = [
        str(check_statistic("chi2", parse(row.chi2), parse("1"), parse(row.p)).classification)
        for row in table.itertuples()
    ]
    assert Counter(kinds) == {"consistent": 6, "inconsistent": 7, "decision error": 1}
    assert kinds[list(table.index).index(("6 months", "WOMAC function, absolute"))] == (
        "decision error"
    )


def test_percentages_are_of_67_and_68_patients_but_for_three(table: pd.DataFrame) -> None:
    wrong = [
        (arm, getattr(row, arm), getattr(row, f"{arm}_percent"))
        for row in table.itertuples()
        for arm, n in (("oak", 67), ("control", 68))
        if not percent_to_count(
            parse(getattr(row, f"{arm}_percent")), n, parse(getattr(row, arm))
        ).inside
    ]
    assert wrong == [("oak", "24", "14"), ("control", "14", "20"), ("control", "14", "20")]


def test_fisher_gives_every_p_where_chi_squared_tells_the_arms(table: pd.DataFrame) -> None:
    """Pearson's formula, written out, finds the arms; the engine then tries its tests."""
    solved = 0
    for row in table.itertuples():
        a, c, patients = int(row.oak), int(row.control), int(row.patients)
        for n in range(50, patients - 49):
            b, d = n - a, patients - n - c
            value = patients * (a * d - b * c) ** 2 / (n * (c + d) * (a + c) * (b + d))
            if not 0 <= value - float(row.chi2) < 0.01:
                continue
            solved += 1
            p = float(stats.fisher_exact([[a, b], [c, d]]).pvalue)
            assert parse(row.p).interval(domain=P_VALUE_DOMAIN).meets(p, p)
            shares = recompute.Share((a,), n), recompute.Share((c,), patients - n)
            found = recompute.two_proportions(*shares, parse(row.p), stated="χ²")
            assert "Fisher's exact test" in found.conditions
            assert found.inside
    assert solved == 13
