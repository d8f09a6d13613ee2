"""The plan: every number and claim has one row, with a method that its inputs suit."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ivig_dcssc.project import built_notebooks, project_root
from rederive.printed import Evidence
from rederive.printed.registry import ClaimRow, Registry, load_registry
from rederive.printed.schema import TableError
from rederive.recompute.planned import METHODS

PUBLISHED = Path(__file__).resolve().parents[2] / "data" / "published"
REGISTRY = load_registry(PUBLISHED)
WITHOUT_RECOMPUTATION = {
    Evidence.STATED: "transcribed",
    Evidence.CALIBRATED: "cohort_constraint",
    Evidence.PREDICTED: "cohort_prediction",
    Evidence.NOT_REPRODUCIBLE: "not_shown",
}


def edited(tmp_path: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> Path:
    """Copy the registry with its plan changed."""
    folder = tmp_path / "published"
    shutil.copytree(PUBLISHED, folder)
    path = folder / "plan.csv"
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))
    return folder


@pytest.mark.parametrize("row_id", [row.id for row in REGISTRY])
def test_every_row_has_evidence_and_a_method_that_goes_with_it(row_id: str) -> None:
    plan = REGISTRY.plan[row_id]
    if plan.evidence is Evidence.RECOMPUTED:
        assert plan.method in METHODS
        assert plan.inputs
        assert row_id not in plan.inputs or plan.method == "odds_ratio"
    else:
        assert plan.method == WITHOUT_RECOMPUTATION[plan.evidence]
        assert not plan.inputs
    assert plan.notebook in built_notebooks(project_root())


def test_claims_use_methods_for_claims() -> None:
    for row in REGISTRY:
        method = REGISTRY.plan[row.id].method
        if method in METHODS:
            assert method.startswith("claim_") == isinstance(row, ClaimRow)


def test_every_method_is_planned_somewhere() -> None:
    used = {plan.method for plan in REGISTRY.plan.values()}
    assert set(METHODS) <= used


def test_inputs_are_first_mentions() -> None:
    """A figure is used as first printed, except for sizes at the head of Table 1."""
    for plan in REGISTRY.plan.values():
        for name in plan.inputs:
            assert not REGISTRY.row(name).same_as or name.startswith("table1-cohort-size")


def test_the_registry_is_large_and_complete() -> None:
    assert len(REGISTRY.numbers) > 450
    assert set(REGISTRY.plan) == {row.id for row in REGISTRY}


def _evidence_removed(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    rows[4]["evidence"] = ""
    return rows


def _evidence_misspelt(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    rows[4]["evidence"] = "recomputd"
    return rows


def _row_dropped(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return rows[:7] + rows[8:]


def _row_invented(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [*rows, {**rows[0], "id": "abstract-mrss-ivig-m66-month"}]


def _input_misspelt(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    row = next(row for row in rows if row["inputs"])
    row["inputs"] = row["inputs"].replace("abstract", "abstrct")
    return rows


def _repeat_with_other_evidence(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    repeat = next(row.id for row in REGISTRY.numbers.values() if row.same_as)
    for row in rows:
        if row["id"] == repeat:
            row["evidence"] = "not reproducible"
    return rows


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_evidence_removed, ("plan.csv, row 6, column evidence", "not nothing")),
        (_evidence_misspelt, ("found 'recomputd'", "did you mean 'recomputed'?")),
        (_row_dropped, ("numbers.csv, row 9, column id", "an id with a row in plan.csv")),
        (_row_invented, ("abstract-mrss-ivig-m66-month", "did you mean 'abstract-mrss-ivig-m")),
        (_input_misspelt, ("column inputs", "abstrct", "did you mean 'abstract-")),
        (_repeat_with_other_evidence, ("not reproducible", "as for its first mention")),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(
    tmp_path: Path,
    change: Callable[[list[dict[str, str]]], list[dict[str, str]]],
    words: tuple[str, ...],
) -> None:
    with pytest.raises(TableError) as caught:
        load_registry(edited(tmp_path, change))
    assert all(word in str(caught.value) for word in words)


def test_loading_is_repeatable() -> None:
    again: Registry = load_registry(PUBLISHED)
    assert list(again.numbers) == list(REGISTRY.numbers)
    assert again.plan == REGISTRY.plan
