"""Open readings: what follows either way, by another route."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from scipy import stats

from ivig_dcssc import open_readings
from ivig_dcssc.article import open_ledger
from rederive.book.ledger import Ledger
from rederive.recompute.signed_rank import stata_signed_rank_p

ROOT = Path(__file__).resolve().parents[2]
TEACHING = "data/cohorts/synthetic-teaching"


@pytest.fixture(scope="module")
def own() -> Ledger:
    return open_ledger(cohort_folder=TEACHING)


@pytest.fixture(scope="module")
def found(own: Ledger) -> list[open_readings.OpenReading]:
    return open_readings.open_readings(own)


def test_none_is_blank_and_all_rows_exist(
    own: Ledger, found: list[open_readings.OpenReading]
) -> None:
    for each in found:
        assert all(str(cell).strip() for cell in each.as_record().values())
        assert each.evidence
        assert all(own.registry.row(row_id) for row_id in each.evidence)


def test_half_of_all_treated_is_no_majority(own: Ledger) -> None:
    reading = open_readings.share_of_responders(own)
    assert f"{100 * 16 / 29:.1f} % at 6 months" in reading.one
    assert f"{100 * 15 / 30:.1f} % at 12 months" in reading.other
    assert "not the article's denominator" in reading.other
    assert "6 months" not in reading.other  # 16 of 30 are more than half
    assert reading.changes == "yes"


def test_the_baseline_sizes_reach_the_p_of_one_reading_one_at_a_time(own: Ledger) -> None:
    reading = open_readings.change_at_12_months(own)
    assert "each by itself; not all together" in reading.one
    assert "not all together" not in reading.other


def test_prednisone_by_fisher(own: Ledger) -> None:
    p = stats.fisher_exact([[3, 6], [12, 4]]).pvalue
    reading = open_readings.prednisone(own)
    assert f"Fisher's exact test ({p:.4f})" in reading.other
    assert "Wald" in reading.one and reading.changes == "yes"


def test_the_sizes_needed_at_12_months_change_no_decision(
    found: list[open_readings.OpenReading],
) -> None:
    reading = next(each for each in found if "how many controls" in each.question)
    assert "74 to 113 on D-pen" in reading.other and reading.changes == "no"
    for n, mean, sd in ((74, -2.47, 8.6), (94, -3.4, 7.12)):
        assert stats.ttest_ind_from_stats(-8, 8.3, 25, mean, sd, n).pvalue < 0.05


def test_muscle_severity_of_one_cohort_by_its_formula(own: Ledger) -> None:
    scores: dict[str, dict[int, float]] = defaultdict(dict)
    lines = (ROOT / TEACHING / "visits.csv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        if row["measure"] == "severity_muscle":
            scores[row["patient"]][int(row["month"])] = float(row["value"])
    changes = []
    for months in scores.values():
        before = [m for m in months if -12 <= m <= 0]
        after = [m for m in months if m > 0 and abs(m - 12) <= 6]
        if before and after:
            chosen = min(after, key=lambda m: (abs(m - 12), m))
            changes.append(months[chosen] - months[max(before)])
    p = stata_signed_rank_p(changes)
    shown = open_readings.muscle_severity(own).one.split(": p ")[1].split(",")[0]
    assert float(shown) == pytest.approx(p, abs=5e-5)


def test_words_count_the_readings_that_carry_a_decision(
    found: list[open_readings.OpenReading],
) -> None:
    carrying = sum(each.changes != "no" for each in found)
    words = " ".join(open_readings.open_readings_in_words(found))
    assert f"{len(found)} readings stayed open" in words and f"hangs on {carrying} of them" in words
