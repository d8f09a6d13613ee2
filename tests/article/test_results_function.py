"""Disability, organ function and severity: what the figures need, by other routes."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ivig_dcssc import function_results, severity_results
from ivig_dcssc.article import open_ledger
from rederive.book.ledger import Ledger
from rederive.printed import PrintedNumber, RoundingRule

ROOT = Path(__file__).resolve().parents[2]
EITHER = RoundingRule.EITHER


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger(prior="flat")


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    return pd.read_parquet(ROOT / "data" / "cohorts" / "flat" / "visits.parquet")


def pairs_of(visits: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Latest value of the year before, and that closest to month 12 within six months."""
    own = visits[visits["measure"] == measure].copy()
    own["patient"] = own["patient"].astype(str)
    before = own[(own["month"] <= 0) & (own["month"] >= -12)].sort_values("month")
    after = own[(own["month"] >= 6) & (own["month"] <= 18)].copy()
    after["apart"] = (after["month"] - 12).abs()
    after = after.sort_values(["apart", "month"])
    keys = ["cohort", "patient"]
    return pd.DataFrame(
        {
            "baseline": before.groupby(keys)["value"].last(),
            "m12": after.groupby(keys)["value"].first(),
        }
    )


PRINTED = {
    "haq_di": ((1.29, 0.70, 1.21, 0.75), 0.005, 0.436, 28),
    "patient_rating": ((1.63, 0.72, 1.07, 0.76), 0.005, 0.001, 30),
    "fvc": ((83.0, 19.6, 83.8, 16.8), 0.05, 0.678, 28),
    "dlco": ((76.3, 21.0, 79.9, 23.1), 0.05, 0.331, 25),
}


@pytest.mark.parametrize("measure", PRINTED)
def test_true_figures_never_need_a_correlation_outside_the_range(
    ledger: Ledger, measure: str
) -> None:
    """Random true values that print as published, the correlation solved from t directly."""
    printed, half, p, most = PRINTED[measure]
    needed = {each.n: each for each in function_results.needed_correlations(ledger, measure)}
    assert max(needed) == most
    rng = np.random.default_rng(1)
    for n, each in needed.items():
        m1, s1, m2, s2 = (x + rng.uniform(-half, half, 400) for x in printed)
        t = stats.t.isf((p + rng.uniform(-0.0005, 0.0005, 400)) / 2, n - 1)
        sd = np.abs(m2 - m1) * math.sqrt(n) / t
        r = (s1**2 + s2**2 - sd**2) / (2 * s1 * s2)
        possible = r[np.abs(r) <= 1]
        assert possible.min() >= each.low - 1e-9
        assert possible.max() <= each.high + 1e-9
        assert possible.max() - possible.min() > 0.3 * (each.high - each.low)


def test_those_not_measured_again_are_within_the_bounds_in_every_cohort(
    ledger: Ledger, visits: pd.DataFrame
) -> None:
    for measure, n_all, n_both in (("fvc", 29, 28), ("dlco", 28, 25)):
        found = function_results.unmeasured(ledger, measure)
        values = pairs_of(visits, measure).dropna(subset=["baseline"])
        assert (values.groupby("cohort").size() == n_all).all()
        alone = values[values["m12"].isna()].groupby("cohort")["baseline"]
        assert (alone.size() == n_all - n_both).all()
        assert (alone.mean() >= found.low - 1e-9).all()
        assert (alone.mean() <= found.high + 1e-9).all()
        assert found.sds_agree


def test_the_bounds_of_those_not_measured_again_are_those_of_the_sums(ledger: Ledger) -> None:
    found = function_results.unmeasured(ledger, "dlco")
    most = (28 * Decimal("76.85") - 25 * Decimal("76.25")) / 3
    least = (28 * Decimal("76.75") - 25 * Decimal("76.35")) / 3
    assert found.low == pytest.approx(float(least))
    assert found.high == pytest.approx(float(most))


@pytest.mark.parametrize("measure", function_results.LUNG)
def test_intervals_of_the_mean_change_hold_those_of_every_cohort(
    ledger: Ledger, visits: pd.DataFrame, measure: str
) -> None:
    found = function_results.mean_change(ledger, measure)
    values = pairs_of(visits, measure).dropna()
    change = values["m12"] - values["baseline"]
    for _, own in change.groupby("cohort"):
        interval = stats.ttest_1samp(own, 0).confidence_interval(0.95)
        assert found.widest[0] - 1e-9 <= interval.low < interval.high <= found.widest[1] + 1e-9
    assert found.widest[0] <= found.low < found.estimate < found.high <= found.widest[1]


@given(st.lists(st.floats(0, 5000), min_size=2, max_size=18).filter(lambda x: max(x) - min(x) > 1))
def test_the_least_greatest_value_is_never_above_the_greatest(values: list[float]) -> None:
    mean, sd = np.mean(values), np.std(values, ddof=1)
    printed = (PrintedNumber(f"{mean:.1f}"), PrintedNumber(f"{sd:.1f}"))
    if printed[0].value == 0:
        return
    bound = function_results.least_greatest(*printed, len(values), EITHER)
    assert bound <= max(values) + 1e-6


def test_the_least_greatest_value_is_reached_by_two_valued_data() -> None:
    values = [0.0] * 15 + [900.0] * 3
    mean, sd = np.mean(values), np.std(values, ddof=1)
    printed = (PrintedNumber(f"{mean:.3f}"), PrintedNumber(f"{sd:.3f}"))
    bound = function_results.least_greatest(*printed, len(values), EITHER)
    assert bound == pytest.approx(900, abs=0.1)


def one_grade_p(better: int, worse: int) -> float:
    """All ranks are equal, so z is a difference over a root, whatever is unchanged."""
    return float(2 * stats.norm.sf(abs(better - worse) / math.sqrt(better + worse)))


@pytest.mark.parametrize(
    ("organ", "text"),
    [
        ("raynaud", "0.527"),
        ("general", "0.711"),
        ("pulmonary", "0.905"),
        ("gi", "0.182"),
        ("muscle", "0.054"),
    ],
)
def test_which_p_values_one_grade_alone_can_print(ledger: Ledger, organ: str, text: str) -> None:
    can = any(
        f"{one_grade_p(better, worse):.3f}" == text
        for better, worse in itertools.product(range(31), repeat=2)
        if 0 < better + worse <= 30
    )
    found = severity_results.patterns(ledger, organ, 30)
    assert bool(found.one_grade) is can
    assert set(found.one_grade) <= set(found.two_grades)


def test_other_conventions_with_one_grade_agree_with_scipy() -> None:
    values = severity_results._one_grade_p(9)
    expected: dict[str, set[float]] = {name: set() for name in severity_results.DEFINED}
    options = {name: name.startswith("Pratt") for name in severity_results.DEFINED}
    for up, down, still in itertools.product(range(10), repeat=3):
        if not 0 < up + down + still <= 9 or up < down:
            continue
        changes = [1.0] * up + [-1.0] * down + [0.0] * still
        for name, pratt in options.items():
            p = 1.0
            if up + down:
                method = "pratt" if pratt else "wilcox"
                correction = "continuity" in name
                p = stats.wilcoxon(
                    changes, zero_method=method, correction=correction, method="approx"
                ).pvalue
            expected[name].add(round(float(p), 9))
    for name, found in expected.items():
        assert set(values[name].round(9)) == found


def test_patterns_name_every_number_of_pairs_that_the_cohorts_have(
    ledger: Ledger, visits: pd.DataFrame
) -> None:
    for organ in severity_results.ORGANS:
        sizes = pairs_of(visits, f"severity_{organ}").dropna().groupby("cohort").size()
        assert set(sizes) <= set(severity_results.patterns(ledger, organ, 30).two_grades)


def test_conventions_in_the_table_are_those_of_the_patients(
    ledger: Ledger, visits: pd.DataFrame
) -> None:
    values = pairs_of(visits, "severity_muscle").dropna()
    change = values["m12"] - values["baseline"]
    p = [
        float(stats.wilcoxon(own, zero_method="wilcox", correction=True, method="approx").pvalue)
        for _, own in change.groupby("cohort")
    ]
    row = next(
        each
        for each in severity_results.convention_ranges(ledger)
        if each.organ == "muscle" and each.convention.endswith("(R)")
    )
    assert (row.least, row.median, row.greatest) == pytest.approx((min(p), np.median(p), max(p)))


def test_direction_of_disability_is_open(ledger: Ledger, visits: pd.DataFrame) -> None:
    values = pairs_of(visits, "haq_di").dropna()
    change = (values["m12"] - values["baseline"]).groupby("cohort").mean()
    assert (change < 0).all()
    sizes = function_results.sizes_that_may_rise(ledger, "haq_di")
    # With all 28 measured twice the means themselves fall, so their difference does.
    assert sizes and 28 not in sizes
    assert any("get worse on average" in text for text in words(ledger))
    assert "not even the direction" in function_results.lesson_in_words(ledger)


def words(ledger: Ledger) -> list[str]:
    return function_results.direction_in_words(ledger)


def test_physician_and_reasons_for_stopping_are_one_pair_of_counts(ledger: Ledger) -> None:
    text = " ".join(function_results.physician_in_words(ledger))
    assert "are 18" in text
    assert "8 remain" in text
    assert "same counts" in text


def test_rubs_add_up(ledger: Ledger) -> None:
    flow = function_results.rubs_flow(ledger)
    assert flow.present == 10
    low, high = stats.binomtest(7, 9).proportion_ci(0.95, method="wilson")
    text = function_results.rubs_in_words(ledger)[0]
    assert f"{100 * low:.0f} % to {100 * high:.0f} %" in text


def test_of_the_tests_printed_one_is_significant(ledger: Ledger) -> None:
    ids = [
        row.id
        for row in ledger.registry.numbers.values()
        if row.statistic == "p" and ledger.registry.plan[row.id].notebook == "results_function"
    ]
    text = function_results.tests_in_words(ledger, ids)
    assert f"prints {len(ids)} p values" in text
    assert "; 1 is below 0.05 (Patient's rating of severity)." in text
