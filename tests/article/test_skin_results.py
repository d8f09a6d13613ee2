"""The skin score over time: intervals, sources of p, bounds and cohorts, each by another route."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from scipy import stats

from ivig_dcssc import skin_results as skin
from ivig_dcssc.article import open_ledger, open_section
from ivig_dcssc.cohort_groups import Spread, cohorts_of, groups, is_prediction, share_of
from ivig_dcssc.cohort_words import about
from ivig_dcssc.shipped import TEACHING
from rederive.book.ledger import Ledger
from rederive.book.section import prose

ROOT = Path(__file__).resolve().parents[2]
OWN = f"data/cohorts/{TEACHING}"


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger(prior="gaussian")


@pytest.fixture(scope="module")
def own() -> Ledger:
    return open_ledger(cohort_folder=OWN)


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    """Skin scores of the teaching cohort, straight from its file."""
    visits = pd.read_csv(ROOT / OWN / "visits.csv", comment="#")
    return visits[visits["measure"] == "mrss"]


@pytest.fixture(scope="module")
def scores(raw: pd.DataFrame) -> pd.DataFrame:
    """Its scores by patient and target, by loops over single visits."""
    rows = {}
    for patient, visits in raw.groupby("patient"):
        early = visits[visits["month"].between(-3, 0)].sort_values("month")
        row = {0: float(early["value"].iloc[-1]) if len(early) else math.nan}
        for target in (6, 12, 18, 24):
            near = visits[(visits["month"] - target).abs() <= 2]
            order = near.assign(d=(near["month"] - target).abs()).sort_values(["d", "month"])
            row[target] = float(order["value"].iloc[0]) if len(order) else math.nan
        rows[patient] = row
    return pd.DataFrame(rows).T


def test_intervals_of_the_means_are_students(ledger: Ledger) -> None:
    for each in skin.printed_means(ledger):
        mean, sd = float(each.mean.value), float(each.sd.value)
        expected = stats.t.interval(0.95, each.n - 1, mean, sd / math.sqrt(each.n))
        assert each.interval == pytest.approx(expected)
    assert [each.n for each in skin.printed_means(ledger)] == [30, 29, 25, 23, 15]


def test_means_before_initiation_are_those_of_the_visits(own: Ledger, raw: pd.DataFrame) -> None:
    found = skin.before_initiation(own).set_index("month")
    for target in skin.EARLIER:
        near = raw[(raw["month"] - target).abs() <= 2]
        assert found.loc[target, "mean"] == pytest.approx(near["value"].mean())
        assert found.loc[target, "n"] == len(near)


def test_recomputed_p_is_the_one_of_mean_sd_and_n(ledger: Ledger) -> None:
    rows = {row["Month"]: row for row in skin.paired_records(ledger) if row["From"] != ""}
    first = [row for row in skin.paired_records(ledger) if row["From"] == "printed change"]
    assert [row["Month"] for row in first] == [6, 12]
    for row, (mean, sd, n) in zip(first, [(-5.3, 7.9, 29), (-8, 8.3, 25)], strict=True):
        p = 2 * stats.t.sf(abs(mean) / (sd / math.sqrt(n)), n - 1)
        assert row["p"] == f"{p:.4f}"
        assert row["Below α"] == "always"
    assert set(rows) == {6, 12, 18, 24}


def test_own_p_and_change_are_those_of_scipy(own: Ledger, scores: pd.DataFrame) -> None:
    rows = [row for row in skin.paired_records(own) if row["From"] == "cohort of this run"]
    changes = [row for row in skin.change_records(own) if row["From"] == "cohort of this run"]
    for target, row, change in zip((6, 12, 18, 24), rows, changes, strict=True):
        pairs = scores[[0, target]].dropna()
        p = stats.ttest_rel(pairs[target], pairs[0]).pvalue
        assert row["p"] == ("<0.0001" if p < 0.00005 else f"{p:.4f}")
        difference = pairs[target] - pairs[0]
        assert change["Mean change"] == f"{difference.mean():.1f}".replace("-", "−")
        assert change["SD"] == f"{difference.std():.1f}"
        assert change["n"] == len(pairs)


def test_predictions_are_the_draws_that_were_not_told(ledger: Ledger) -> None:
    draws = pd.read_parquet(ROOT / "data" / "cohorts" / "predictions.parquet")
    own = draws[(draws["prior"] == "gaussian") & (draws["reading"] == "-8")]
    for timepoint in ("m18", "m24"):
        expected = own[own["figure"] == f"abstract-mrss-ivig-{timepoint}-p"]["value"]
        found = skin.predicted(ledger, f"results-mrss-ivig-{timepoint}-p")
        assert list(found) == ["gaussian"]
        assert sorted(found["gaussian"]) == sorted(expected)
        assert found["gaussian"].nunique() > 1


def test_responders_are_predicted_inside_their_bounds(ledger: Ledger) -> None:
    found = skin.responder_predictions(ledger)
    assert {(each.timepoint, each.reading) for each in found} == {
        ("m6", "-8"),
        ("m12", "-8"),
        ("m12", "-8.0"),
    }
    for each in found:
        assert each.bound is not None
        low, high = each.bound.low.limit, each.bound.high.limit
        assert low <= each.values.min() <= each.values.max() <= high
        assert low <= each.printed <= high <= each.n
    words = " ".join(skin.responders_in_words(ledger, found))
    assert "16 of 29" in words and "15 of 25" in words


def test_the_curve_falls_and_is_pinned_at_the_published_threshold(ledger: Ledger) -> None:
    table = skin.curve(ledger)
    for timepoint, count in (("m6", 16), ("m12", 15)):
        part = table[table["timepoint"] == timepoint].set_index("threshold")
        assert part.loc[5, ["median", "low", "high", "least", "most"]].tolist() == [count] * 5
        for column in ("median", "low", "high"):
            assert part[column].is_monotonic_decreasing
        known = part.dropna()
        assert (known["least"] <= known["low"]).all()
        assert (known["high"] <= known["most"]).all()


def test_own_responders_follow_the_threshold(scores: pd.DataFrame) -> None:
    ledger = open_ledger(cohort_folder=OWN, responder_threshold=7)
    for each in skin.responder_predictions(ledger):
        fall = scores[0] - scores[each.month]
        assert each.values.tolist() == [int((fall >= 7).sum())]


def test_courses_count_responders_that_stay(own: Ledger, scores: pd.DataFrame) -> None:
    both = scores[[0, 6, 12]].dropna()
    first, later = both[0] - both[6] >= 5, both[0] - both[12] >= 5
    row = skin.courses(own).iloc[0]
    assert row["kept"] == pytest.approx(later[first].mean())
    assert row["gained"] == pytest.approx(later[~first].mean())
    changes = both[[6, 12]].sub(both[0], axis=0)
    assert row["correlation"] == pytest.approx(np.corrcoef(changes[6], changes[12])[0, 1])
    pairs = scores[[0, 12]].dropna()
    assert row["worse"] == pytest.approx((pairs[12] > pairs[0]).mean())


def test_shown_cohorts_are_chosen_by_place(ledger: Ledger) -> None:
    (group,) = groups(cohorts_of(ledger))
    chosen = skin.shown_cohorts(group)
    steps = np.diff([group.cohorts.get_loc(number) for number in chosen])
    assert len(chosen) == skin.SHOWN_COHORTS
    assert len(set(steps)) == 1


def test_the_missing_lie_inside_bounds_in_every_cohort(ledger: Ledger) -> None:
    table = cohorts_of(ledger).results.missing()
    for timepoint in skin.FOLLOWUPS:
        bound = skin.bound_of(ledger, skin.Quantity(skin.Kind.MISSING_BASELINE_MEAN, timepoint))
        assert bound is not None
        values = table.loc[table["timepoint"] == timepoint, "missing_mean"]
        assert values.between(bound.low.limit - 1e-9, bound.high.limit + 1e-9).all()
    at_12 = [row for row in skin.missing_records(ledger) if row["Month"] == 12]
    assert [row["Change at 12 months read as"] for row in at_12] == ["−8", "−8.0"]


def test_prose_on_the_missing_has_the_sharp_bounds_of_the_table(ledger: Ledger) -> None:
    words = skin.missing_in_words(ledger)
    for row in skin.missing_records(ledger)[:3]:
        assert any(f" of {row['Over all compatible data']}, " in sentence for sentence in words)
    assert not [s for s in words if s.startswith("At 6 months") and "read as" in s]


def test_the_bound_of_the_change_holds_in_every_cohort(ledger: Ledger) -> None:
    table = cohorts_of(ledger).results.skin_over_time()
    for timepoint in skin.FOLLOWUPS:
        ends = skin.change_bound(ledger, timepoint)
        assert ends is not None
        values = table.loc[table["timepoint"] == timepoint, "change_mean"]
        assert values.between(ends[0] - 1e-9, ends[1] + 1e-9).all()


def test_shares_under_both_extremes(ledger: Ledger) -> None:
    rows = skin.denominators(ledger)
    assert [row["Of those followed"] for row in rows] == ["16 of 29 (55%)", "15 of 25 (60%)"]
    lowest = [row["Of all, no missing patient a responder"] for row in rows]
    assert lowest == ["16 of 30 (53%)", "15 of 30 (50%)"]


SENTENCES = (
    about,
    skin.means_in_words,
    skin.paired_in_words,
    skin.changes_in_words,
    skin.courses_in_words,
    lambda ledger: skin.responders_in_words(ledger, skin.responder_predictions(ledger)),
    lambda ledger: skin.curve_in_words(ledger, skin.curve(ledger)),
    skin.missing_in_words,
)


@pytest.mark.parametrize("choices", [{}, {"responder_threshold": 6}, {"cohort_folder": OWN}])
def test_prose_is_never_blank_and_speaks_of_reconstruction_only_where_there_is_one(
    choices: dict[str, object],
) -> None:
    which = {} if "cohort_folder" in choices else {"prior": "gaussian"}
    ledger = open_ledger(**(which | choices))
    words = " ".join(prose(*make(ledger)).data for make in SENTENCES)
    assert "nan" not in words.split() and "None" not in words
    named = [word for word in ("synthetic", "reconstruct", "prior") if word in words]
    assert bool(named) is not ("cohort_folder" in choices)
    assert is_prediction(cohorts_of(ledger)) is (not choices)


def test_a_spread_of_one_value_has_no_range() -> None:
    assert Spread.of([3.0]).in_words(1) == "3.0"
    assert Spread.of([]).middle(1) == "none"
    assert Spread.of([1.0, 2.0, math.nan]).number == 2
    assert share_of(pd.Series([True])) == "yes"
    assert share_of(pd.Series([True, False])) == "50 %"


def test_every_row_of_the_section_has_its_table() -> None:
    section = open_section("results_skin", prior="gaussian")
    shown = [
        section.table("a", variables=["mrss"], statistics=["mean", "sd", "n"]),
        section.table("b", kind="claim"),
        section.table("c", statistics=["p"]),
        section.table("d", variables=["responder"], statistics=["count", "n"]),
        section.rest("e"),
    ]
    ids = [row["id"] for table in shown for row in _rows(str(table))]
    assert len(ids) == len(set(ids)) == len(section)
    assert all(ledger_row.verdict != "pending" for ledger_row in section.rows())


def _rows(markup: str) -> list[dict[str, str]]:
    return BeautifulSoup(markup, "html5lib").select("tbody tr")
