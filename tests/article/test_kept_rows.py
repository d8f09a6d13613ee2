"""Rows that runs share: the same as worked out anew, never those of other sources."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ivig_dcssc.article import open_ledger
from rederive.book.ledger import Ledger
from rederive.execution import run
from rederive.execution.kept import ROWS_VARIABLE, KeptRows, rows_file
from rederive.execution.project import ROOT_VARIABLE, Project

KEY, ROW = "settings", {"value": 0.1, "words": ["a", "b"], "none": None}


@pytest.fixture
def kept(tmp_path: Path) -> KeptRows:
    return KeptRows(tmp_path / "rows" / "a.sqlite", lambda: True)


def ledger_with(kept: KeptRows, **parameters: object) -> Ledger:
    ledger = open_ledger(cohorts=3, **parameters)
    return Ledger(ledger.registry, ledger.settings, ledger.built, ledger.cohorts, kept)  # type: ignore[arg-type]


@pytest.mark.parametrize("parameters", [{}, {"responder_threshold": 8}, {"alpha": 0.01}])
def test_rows_from_another_run_are_those_worked_out(
    kept: KeptRows, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, object]
) -> None:
    made = [row.as_record() for row in ledger_with(kept, **parameters)]
    again = ledger_with(kept, **parameters)
    monkeypatch.setattr("rederive.book.ledger.carry_out", None)
    monkeypatch.setattr(type(again.cohorts), "show", None)
    assert [row.as_record() for row in again] == made


def test_other_choices_have_rows_of_their_own(kept: KeptRows) -> None:
    row_id = "abstract-mrss-change-collagen-m12-p"
    both = [ledger_with(kept, two_sample_test=test).row(row_id) for test in ("student", "welch")]
    assert both[0] != both[1]
    few, fewer = (open_ledger(cohorts=n).cohorts for n in (3, 2))
    assert few is not None and fewer is not None and few.key != fewer.key


def test_data_that_are_not_among_the_sources_are_not_kept() -> None:
    cohorts = open_ledger(cohorts=3).cohorts
    assert cohorts is not None and cohorts.key
    for own in ({"cohort_folder": "mine"}, {"cohort_seed": 7}):
        cohorts.choices = replace(cohorts.choices, **own)  # type: ignore[attr-defined]
        assert cohorts.key == ""


def test_a_changed_formula_is_never_served(tmp_path: Path) -> None:
    source = tmp_path / "src" / "package" / "formula.py"
    source.parent.mkdir(parents=True)
    source.write_text("def p(): return 0.1\n")
    project = Project(tmp_path)
    before = rows_file(project)
    kept = KeptRows(before, lambda: rows_file(project) == before)
    kept.put(KEY, {"a": ROW})
    source.write_text("def p(): return 0.02\n")
    assert rows_file(project) != before
    assert KeptRows(rows_file(project), lambda: True).get(KEY, ["a"]) == {}
    kept.put(KEY, {"b": ROW})  # worked out while the source was changed
    assert kept.get(KEY, ["a", "b"]) == {"a": ROW}


@pytest.mark.parametrize(("cache", "named"), [(True, True), (False, False)])
def test_without_the_cache_rows_are_neither_looked_up_nor_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch, cache: bool, named: bool
) -> None:
    seen: dict[str, str] = {}

    def execute(*arguments: object) -> run.Outcome:
        seen.update(arguments[-1])  # type: ignore[call-overload]
        return run.Outcome(failed=b"")

    monkeypatch.setattr(run, "_execute", execute)
    run.run_task(
        Project(root), run.Task(Path("notebooks/methods.ipynb"), {"alpha": 0.049}), cache=cache
    )
    assert bool(seen[ROWS_VARIABLE]) is named
    for name in (ROWS_VARIABLE, ROOT_VARIABLE):
        monkeypatch.setenv(name, seen[name])
    assert (KeptRows.of_run() is not None) is named


def test_a_damaged_row_counts_as_missing(kept: KeptRows) -> None:
    kept.put(KEY, {"a": ROW, "b": ROW})
    with closing(sqlite3.connect(kept.path)) as database, database:
        database.execute("UPDATE rows SET row = replace(row, '0.1', '0.2') WHERE id = 'a'")
    assert kept.get(KEY, ["a", "b"]) == {"b": ROW}


@pytest.mark.parametrize("damage", [b"no database at all" * 99, b""])
def test_a_damaged_file_is_made_anew(kept: KeptRows, damage: bytes) -> None:
    kept.put(KEY, {"a": ROW})
    kept.path.write_bytes(damage)
    assert kept.get(KEY, ["a"]) == {}
    kept.put(KEY, {"a": ROW})
    assert kept.get(KEY, ["a"]) == {"a": ROW}


def test_what_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "rows").write_text("a file where the folder should be")
    kept = KeptRows(tmp_path / "rows" / "a.sqlite", lambda: True)
    kept.put(KEY, {"a": ROW})
    assert kept.get(KEY, ["a"]) == {}


def test_the_oldest_make_room(kept: KeptRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rederive.execution.kept.ROWS_KEPT", 5)
    for name in "abcdefgh":
        kept.put(KEY, {name: ROW})
    assert sorted(kept.get(KEY, "abcdefgh")) == list("defgh")
    for name in "bcdefg":
        KeptRows(kept.path.with_name(f"{name}.sqlite"), lambda: True).put(KEY, {"a": ROW})
    assert len(list(kept.path.parent.glob("*.sqlite"))) == 4


def test_processes_write_side_by_side(kept: KeptRows) -> None:
    code = (
        "import sys; from pathlib import Path; from rederive.execution.kept import KeptRows\n"
        f"kept = KeptRows(Path({str(kept.path)!r}), lambda: True)\n"
        "for n in range(40): kept.put('k', {f'{sys.argv[1]}-{n}': {'n': n}})"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(n)]) for n in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    names = [f"{process}-{n}" for process in range(3) for n in range(40)]
    assert len(kept.get("k", names)) == 120
