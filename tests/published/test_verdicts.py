"""Every number and claim that has a method: recomputed, and its verdict held against the record."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rederive.book.ledger import Ledger
from rederive.printed import Evidence, Verdict
from rederive.printed.registry import load_registry

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = load_registry(ROOT / "data" / "published")
WITH_METHOD = [row.id for row in REGISTRY if REGISTRY.plan[row.id].evidence.has_verdict]


def recorded() -> dict[str, dict[str, str]]:
    with Path(__file__).with_name("verdicts.csv").open(encoding="utf-8") as stream:
        return {row["id"]: row for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def record() -> dict[str, dict[str, str]]:
    return recorded()


def test_the_record_covers_exactly_the_rows_with_a_method() -> None:
    assert sorted(recorded()) == sorted(WITH_METHOD)


@pytest.mark.parametrize("row_id", WITH_METHOD)
def test_verdict_is_the_recorded_one(
    row_id: str, ledger: Ledger, record: dict[str, dict[str, str]]
) -> None:
    row = ledger.row(row_id)
    expected = record[row_id]
    found = {"verdict": str(row.verdict), "reproduced": row.reproduced, "interval": row.interval}
    assert found == {name: expected[name] for name in found}


@pytest.mark.parametrize("row_id", [row.id for row in REGISTRY if row.id not in WITH_METHOD])
def test_a_row_without_a_method_claims_no_result(row_id: str, ledger: Ledger) -> None:
    row = ledger.row(row_id)
    assert row.evidence in (Evidence.STATED, Evidence.NOT_REPRODUCIBLE)
    assert row.reproduced == "" and row.interval == ""
    assert row.verdict is Verdict.NONE


def test_repeats_have_the_evidence_of_their_first_mention(ledger: Ledger) -> None:
    repeats = [row for row in ledger if row.same_as]
    assert repeats
    assert all(row.evidence is ledger.row(row.same_as).evidence for row in repeats)


def test_repeats_agree_with_their_first_mention(ledger: Ledger) -> None:
    numbers = ledger.registry.numbers
    for row in numbers.values():
        first = numbers[row.same_as or row.id].printed.interval()
        assert row.printed.interval().intersect(first) is not None, row.id


def test_calibrated_numbers_are_never_confirmed(ledger: Ledger) -> None:
    confirmed = {Verdict.SAME, Verdict.WITHIN_ROUNDING}
    calibrated = [row for row in ledger if row.evidence is Evidence.CALIBRATED]
    assert calibrated
    assert not [row.id for row in calibrated if row.verdict in confirmed]
