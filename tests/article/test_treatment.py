"""Table 2: sums, overlaps and repeats, by another route."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from ivig_dcssc import treatment
from ivig_dcssc.article import open_ledger
from rederive.book.ledger import Ledger

NUMBERS = Path(__file__).resolve().parents[2] / "data" / "published" / "numbers.csv"


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger()


def counts(prefix: str) -> list[int]:
    """Counts of Table 2 read from the file itself."""
    with NUMBERS.open(encoding="utf-8") as stream:
        return [
            int(row["printed"])
            for row in csv.DictReader(stream)
            if row["section"] == "table2"
            and row["statistic"] == "count"
            and row["variable"].startswith(prefix)
            and "row label" not in row["place"]
        ]


@pytest.mark.parametrize("prefix", ["ae_", "stop_", "concomitant_"])
def test_frequencies_are_the_counts_of_the_table(ledger: Ledger, prefix: str) -> None:
    found = treatment.frequencies(ledger, prefix)
    assert sorted(each.count for each in found) == sorted(counts(prefix))
    assert [each.count for each in found] == sorted(counts(prefix), reverse=True)


def test_intervals_are_wilsons(ledger: Ledger) -> None:
    """Wilson's interval from its own formula."""
    z = 1.959963984540054
    for each in treatment.frequencies(ledger, "ae_"):
        p, n = each.count / each.n, each.n
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        assert each.low == pytest.approx(100 * (centre - half), abs=1e-9)
        assert each.high == pytest.approx(100 * (centre + half), abs=1e-9)


def test_reasons_for_stopping_add_up_to_the_cohort(ledger: Ledger) -> None:
    assert sum(counts("stop_")) + sum(counts("still_")) == treatment.cohort_size(ledger)
    assert ", exactly the " in treatment.stopping_in_words(ledger)[0]


def test_the_overlap_is_the_least_possible(ledger: Ledger) -> None:
    """No way of handing the drugs to the patients has fewer repeated uses."""
    uses, most = sum(counts("concomitant_")), treatment.cohort_size(ledger) - 1
    assert max(counts("concomitant_")) <= most
    assert f"At least {uses - most} of these uses" in treatment.overlap_in_words(ledger)[1]


def test_repeats_are_all_linked_rows_outside_the_table(ledger: Ledger) -> None:
    prefixes = ("concomitant_", "ae_", "stop_", "cycles", "treatment_length")
    with NUMBERS.open(encoding="utf-8") as stream:
        expected = [
            row
            for row in csv.DictReader(stream)
            if row["same_as"]
            and row["section"] != "table2"
            and row["variable"].startswith(prefixes)
        ]
    found = treatment.repeats(ledger, prefixes)
    assert len(found) == len(expected) > 10
    assert {row["Agree within rounding"] for row in found} == {"yes"}
