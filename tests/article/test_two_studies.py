"""A user's own cohort compared with the published one, held against other ways to compute it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.display import Markdown
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from ivig_dcssc import two_studies
from ivig_dcssc.article import open_ledger
from ivig_dcssc.project import project_root
from ivig_dcssc.shipped import TEACHING, cohorts_folder
from rederive.book.ledger import Ledger
from rederive.book.render import Html


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty patients without some columns and measures."""
    made = tmp_path_factory.mktemp("own")
    source = cohorts_folder(project_root()) / TEACHING
    patients = pd.read_csv(source / "patients.csv", comment="#").iloc[:20]
    visits = pd.read_csv(source / "visits.csv", comment="#")
    visits = visits[visits["patient"].isin(patients["patient"])]
    visits = visits[~visits["measure"].isin(["patient_rating", "tfr"])]
    gone = ["race", "physician_assessment", "stop_reason", "prior_gold"]
    patients.drop(columns=gone).to_csv(made / "patients.csv", index=False)
    visits.to_csv(made / "visits.csv", index=False)
    return made


@pytest.fixture(scope="module")
def own(folder: Path) -> Ledger:
    return open_ledger(cohort_folder=str(folder))


@pytest.mark.parametrize(("size", "other"), [(22, 30), (5, 8), (60, 30)])
def test_differences_of_means_are_those_of_statsmodels(size: int, other: int) -> None:
    rng = np.random.default_rng(size)
    first, second = rng.normal(24, 9, size), rng.normal(20, 5, other)
    found = two_studies.difference_of_means(
        (first.mean(), first.std(ddof=1), size), (second.mean(), second.std(ddof=1), other)
    )
    compared = CompareMeans(DescrStatsW(first), DescrStatsW(second))
    low, high = compared.tconfint_diff(usevar="unequal")
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.p == pytest.approx(compared.ttest_ind(usevar="unequal")[1])
    assert found.value == pytest.approx(first.mean() - second.mean())


def wilson(count: int, n: int) -> tuple[float, float]:
    z = stats.norm.ppf(0.975)
    middle = (count + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * math.sqrt(count * (n - count) / n + z**2 / 4)
    return middle - half, middle + half


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_intervals_of_shares_are_newcombe_s(n1: int, n2: int, data: st.DataObject) -> None:
    """Newcombe 1998, method 10, from Wilson's limits of both shares."""
    count1, count2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    p1, p2 = count1 / n1, count2 / n2
    (low1, high1), (low2, high2) = wilson(count1, n1), wilson(count2, n2)
    found = two_studies.difference_of_shares((count1, n1), (count2, n2))
    low = p1 - p2 - math.hypot(p1 - low1, high2 - p2)
    high = p1 - p2 + math.hypot(high1 - p1, p2 - low2)
    assert found.low == pytest.approx(low, abs=1e-9)
    assert found.high == pytest.approx(high, abs=1e-9)
    assert found.low <= found.value <= found.high
    assert 0 <= found.p <= 1


def test_a_single_patient_has_a_difference_and_no_interval() -> None:
    found = two_studies.difference_of_means((20.0, math.nan, 1), (24.1, 9.6, 29))
    assert found.value == pytest.approx(-4.1)
    assert math.isnan(found.low) and math.isnan(found.p)
    assert math.isnan(two_studies.difference_of_means((math.nan, math.nan, 0), (1, 1, 9)).value)
    assert math.isnan(two_studies.difference_of_shares((0, 0), (1, 9)).p)


def test_skin_scores_are_compared_at_every_time_point(own: Ledger) -> None:
    found = {(each.label, each.time): each for each in two_studies.comparisons(own, ("mrss",))}
    assert {time for _, time in found} == {
        "baseline",
        *(f"month {month}" for month in (6, 12, 18, 24)),
    }
    results = own.cohorts.results  # type: ignore[union-attr]
    mean = float(results.number("abstract-mrss-ivig-m6-mean")[1])
    each = next(each for (_, time), each in found.items() if time == "month 6")
    assert each.difference.value == pytest.approx(mean - 24.1)
    assert each.published == "24.1 (9.6), n = 29"


def test_each_quantity_is_compared_once_in_the_article_s_order(own: Ledger) -> None:
    found = two_studies.comparisons(own, timepoints=["baseline"])
    names = [(each.label, each.time) for each in found]
    assert len(set(names)) == len(names) > 20


def test_what_the_cohort_has_no_data_for_is_left_out(own: Ledger) -> None:
    labels = {each.label for each in two_studies.comparisons(own)}
    variables = own.registry.variables
    for name in ("white", "physician_improved", "stop_improvement", "prior_gold", "tfr"):
        assert variables[name].label not in labels, name
    assert variables["prior_mmf"].label in labels
    row = own.row("table1-white-ivig-baseline-percent")
    assert row.evidence == "recomputed"
    assert own.row("table1-rvsp-ivig-baseline-mean").evidence == "another study"


def test_months_of_the_run_are_named_beside_the_published(folder: Path) -> None:
    ledger = open_ledger(cohort_folder=str(folder), followup_targets="5, 12, 18, 24")
    times = {each.time for each in two_studies.comparisons(ledger, two_studies.SKIN)}
    assert {"month 5, published 6", "month 12"} <= times


def test_a_table_for_two_studies_and_a_sentence_for_one(own: Ledger) -> None:
    table = two_studies.shown(own, "skin scores", two_studies.SKIN)
    assert isinstance(table, Html)
    assert "Two studies" in table.markup and "Welch" in table.markup
    alone = two_studies.shown(open_ledger(), "skin scores", two_studies.SKIN)
    assert isinstance(alone, Markdown)
    assert "cohort_folder" in alone.data


def test_table_2_is_compared_and_few_patients_are_remarked_on(own: Ledger) -> None:
    names = two_studies.of_treatment(own)
    assert {"cycles", "ae_headache", "stop_death", "still_on_ivig"} < set(names)
    found = two_studies.comparisons(own, names)
    assert len(found) > 30 and all(each.size for each in found)
    assert "next to nothing" not in " ".join(two_studies.in_words(found, 0.05))
    few = [replace(found[0], size=2), *found[1:]]
    assert "1 of them rests on fewer than 5" in " ".join(two_studies.in_words(few, 0.05))
