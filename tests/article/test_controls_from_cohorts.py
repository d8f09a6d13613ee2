"""Changes against the controls from visits: by loops and scipy, and inside the bounds."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from pathlib import Path

import pytest
from scipy import stats

from ivig_dcssc import controls_from_cohorts
from ivig_dcssc.article import open_ledger
from ivig_dcssc.cohort_groups import cohorts_of
from ivig_dcssc.cohort_words import bound_of
from ivig_dcssc.controls import COMPARATORS
from rederive.book.ledger import Ledger
from rederive.reconstruct.bounds import Kind

TEACHING = Path("data") / "cohorts" / "synthetic-teaching"
ROOT = Path(__file__).resolve().parents[2]
PRINTED = {
    ("relaxin", 6): (-4.8, 6.99, 231),
    ("MMF", 6): (-3.4, 7.4, 87),
    ("D-pen", 12): (-2.47, 8.6, 134),
    ("collagen", 12): (-3.4, 7.12, 168),
    ("MMF", 12): (-7.1, 9, 87),
}


@pytest.fixture(scope="module")
def ensemble() -> Ledger:
    return open_ledger(prior="gaussian")


@pytest.fixture(scope="module")
def own() -> Ledger:
    return open_ledger(cohort_folder=TEACHING.as_posix())


def changes(target: int) -> list[float]:
    """Each patient's change, from the file itself."""
    scores: dict[str, dict[int, float]] = defaultdict(dict)
    lines = (ROOT / TEACHING / "visits.csv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        if row["measure"] == "mrss":
            scores[row["patient"]][int(row["month"])] = float(row["value"])
    found = []
    for months in scores.values():
        before = [month for month in months if -3 <= month <= 0]
        after = [month for month in months if abs(month - target) <= 2]
        if before and after:
            chosen = min(after, key=lambda month: (abs(month - target), month))
            found.append(months[chosen] - months[max(before)])
    return found


def test_a_cohort_against_each_control_by_scipy(own: Ledger) -> None:
    rows = {str(row["Comparison"]): row for row in controls_from_cohorts.records(own)}
    assert len(rows) == len(PRINTED)
    for (group, month), control in PRINTED.items():
        values = changes(month)
        mine = (statistics.mean(values), statistics.stdev(values), len(values))
        p = stats.ttest_ind_from_stats(*mine, *control).pvalue
        row = rows[f"{group}, month {month}"]
        assert float(str(row["p"])) == pytest.approx(p, abs=6e-5)
        assert row["Patients"] == len(values)
        difference = float(str(row["IVIG minus comparator"]))
        assert difference == pytest.approx(mine[0] - control[0], abs=0.006)


def test_every_cohort_lies_inside_the_bounds(ensemble: Ledger) -> None:
    table = cohorts_of(ensemble).results.controls()
    for timepoint, groups in COMPARATORS.items():
        for group in groups:
            bound = bound_of(ensemble, Kind.DIFFERENCE, timepoint, control=group)
            assert bound is not None
            found = table[(table["timepoint"] == timepoint) & (table["group"] == group)]
            assert found["difference"].min() >= bound.low.limit - 1e-9
            assert found["difference"].max() <= bound.high.limit + 1e-9


def test_decisions_in_words_are_those_of_the_p_values(ensemble: Ledger) -> None:
    words = " ".join(controls_from_cohorts.in_sentences(ensemble))
    assert "in all against D-pen, month 12 and collagen, month 12" in words
    assert "synthetic" in words
    shares = [row["p < 0.05 in"] for row in controls_from_cohorts.records(ensemble)]
    assert shares == ["0 %", "0 %", "100 %", "100 %", "0 %"]


def test_both_readings_are_bounded(ensemble: Ledger) -> None:
    rows = controls_from_cohorts.bound_records(ensemble)
    widths = defaultdict(list)
    for row in rows:
        low, high = map(float, str(row["IVIG minus comparator"]).split(" to "))
        assert low <= high
        widths[row["Comparison"]].append(high - low)
    assert [len(each) for each in widths.values()] == [1, 1, 2, 2, 2]
    assert all(wide > narrow for wide, narrow in (w for w in widths.values() if len(w) == 2))


def test_a_cohort_of_ones_own_is_never_called_reconstructed(own: Ledger) -> None:
    words = " ".join(controls_from_cohorts.in_sentences(own))
    assert "reconstruct" not in words and "synthetic" not in words
    assert "is significant" in words
