"""Sweeps on one computer: which points, what is kept, what is repeated, what failures become."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import fsspec
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from rederive.cli.main import main
from rederive.execution.project import Project
from rederive.execution.run import Task
from rederive.parameters import Parameter, ParameterError, ParameterSet
from rederive.printed.errors import ConfigurationError
from rederive.sweep.driver import Sweep
from rederive.sweep.job import Finished, Job, short_message
from rederive.sweep.plan import Plan, Run, plan_sweep
from rederive.sweep.points import Request, parameter_sets
from rederive.sweep.store import RunStore
from rederive.sweep.view import open_sweep
from rederive.sweep.workers import Workers, in_threads

from .conftest import cell, write_notebook, write_tiny_book

ROOT = Path(__file__).resolve().parents[2]

SET = ParameterSet(
    (
        Parameter("size", 3, "", minimum=0, maximum=12),
        Parameter("share", 0.05, "", minimum=0.0, maximum=1.0),
        Parameter("rule", "first", "", choices=("first", "last")),
        Parameter("targets", "6, 12", ""),
        Parameter("whole", False, ""),
    ),
    (lambda values, changed: "a share of 1 leaves nobody" * (values["share"] == 1.0),),
)
TAKEN = SET.names

WORK = """
import os, time
from IPython.display import display
from tiny_helper import figure

if mode == "fail":
    raise ValueError(f"no patient is left with factor {factor}")
if mode == "die":
    os.kill(os.getpid(), 9)
time.sleep(pause)
row = {"id": "t-1", "reproduced": str(factor * figure()), "value": float(factor * figure()),
       "low": None, "high": None, "verdict": "same", "decision": mode}
rows = {"version": 1, "rows": [row, {**row, "id": "t-2", "value": None}]}
display({"application/vnd.rederive.results+json": rows, "text/plain": "rows"}, raw=True)
"""


def write_swept_book(folder: Path) -> Project:
    """A tiny book with two notebooks that give results, fail, die or sleep, as they are told."""
    project = write_tiny_book(folder)
    names = {"numbers": ("factor = 1", WORK)}
    names["more"] = ("other = 5", WORK.replace("t-", "u-").replace("factor", "other"))
    for name, (own, work) in names.items():
        write_notebook(
            project.root / "notebooks" / f"{name}.ipynb",
            [
                cell("markdown", f"# {name}\n", "title"),
                cell("code", f'{own}\nmode = "work"\npause = 0.0', "given", tags=["parameters"]),
                cell("code", work, "work"),
            ],
        )
    toc = project.toc_file.read_text(encoding="utf-8")
    project.toc_file.write_text(f"{toc}  - file: notebooks/more\n", encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Project:
    """One book for all tests that leave it as it is: so one process stays warm for its runs."""
    return write_swept_book(tmp_path_factory.mktemp("book"))


@pytest.fixture
def own(tmp_path) -> Project:
    """A book to edit."""
    (tmp_path / "own").mkdir()
    return write_swept_book(tmp_path / "own")


def points_of(**request: object) -> list[dict]:
    return parameter_sets(Request(**request), SET, TAKEN)


def faults_of(**request: object) -> str:
    with pytest.raises(ParameterError) as caught:
        points_of(**request)
    return str(caught.value)


def sweep(project: Project, out: str, *arguments: str):
    command = ["--root", str(project.root), "sweep", "numbers", "--out", out, "--workers", "0"]
    return CliRunner().invoke(main, [*command, *arguments])


def index_of(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "index.parquet")


def snapshot(out: Path) -> dict[str, int]:
    return {path.as_posix(): path.stat().st_mtime_ns for path in out.glob("runs/*/run.json")}


def test_a_grid_is_every_combination():
    points = points_of(grids=["size=2,4..6", "rule=*"], fixed=["share=0.1"])
    assert len(points) == 8
    assert points[0] == {"share": 0.1, "size": 2, "rule": "first"}
    assert {point["size"] for point in points} == {2, 4, 5, 6}


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        ("share=0.01..0.05..0.01", [0.01, 0.02, 0.03, 0.04, 0.05]),
        ("whole=*", [False, True]),
        ("whole=yes,false", [True, False]),
        ("size=*", list(range(13))),
        ('targets="6, 12, 18","3, 9"', ["6, 12, 18", "3, 9"]),
        ("size=2,2,3", [2, 3]),
    ],
)
def test_values_of_a_grid(grid, expected):
    name = grid.partition("=")[0]
    assert [point[name] for point in points_of(grids=[grid])] == expected


def test_sets_meet_the_grid_and_nothing_is_there_twice():
    points = points_of(sets=["size=1 rule=last", "size=1 rule=last"], grids=["whole=*"])
    assert points == [
        {"size": 1, "rule": "last", "whole": False},
        {"size": 1, "rule": "last", "whole": True},
    ]
    assert points_of() == [{}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sets.csv", "size,rule\n2,last\n4,\n"),
        ("sets.yaml", "- {size: 2, rule: last}\n- size: 4\n"),
        ("sets.json", '[{"size": 2, "rule": "last"}, {"size": 4}]'),
    ],
)
def test_parameter_sets_from_a_file(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert points_of(file=path) == [{"size": 2, "rule": "last"}, {"size": 4}]


def test_all_faults_of_a_request_come_at_once(tmp_path):
    path = tmp_path / "sets.csv"
    path.write_text("size,rul\n40,last\n2,fist,3\n", encoding="utf-8")
    told = faults_of(
        grids=["sice=1,2", "rule=fist", "size=9..99"],
        sets=["share", "share=2"],
        fixed=["whole=maybe"],
        file=path,
    )
    assert "'sice' (did you mean 'size'?)" in told
    assert "did you mean 'first'?" in told
    assert "parameter size: found 99, allowed: a whole number from 0 to 12" in told
    assert "set 'share': parameter: found 'share', allowed: NAME=VALUE" in told
    assert "parameter share: found 2, allowed: a number" in told
    assert "parameter whole: found 'maybe'" in told
    assert "sets.csv, row 3: found 3 cells, allowed: 2" in told


def test_a_fault_in_a_file_names_its_row(tmp_path):
    path = tmp_path / "sets.csv"
    path.write_text("size,rule\n40,last\n2,fist\n", encoding="utf-8")
    told = faults_of(file=path)
    assert "sets.csv, row 2: parameter size: found 40" in told
    assert "sets.csv, row 3: parameter rule: found 'fist'" in told
    path.write_text('size,rule\n2,"la"st\n', encoding="utf-8")
    assert "sets.csv, row 2: ',' expected" in faults_of(file=path)


def test_a_point_that_makes_no_sense_is_named():
    told = faults_of(grids=["share=0.5,1", "rule=*"])
    assert told.splitlines() == [
        "share=1.0 rule=first: a share of 1 leaves nobody",
        "share=1.0 rule=last: a share of 1 leaves nobody",
    ]


def test_a_name_in_two_places_and_too_many_points():
    assert "allowed: one place" in faults_of(grids=["size=1"], sets=["size=2"])
    assert "allowed: one place" in faults_of(grids=["size=1"], fixed=["size=2"])
    assert "allowed: up to 100000" in faults_of(grids=["share=0..1..0.00000001"])
    told = faults_of(grids=["share=0..1..0.00002", "size=0..9"])
    assert "found 500010 parameter sets" in told


@pytest.mark.parametrize("text", ["0.01..0.05", "0..0.8"])
def test_a_range_of_numbers_needs_a_step(text):
    told = faults_of(grids=[f"share={text}"])
    assert f"found the range '{text}' without a step, allowed: LOW..HIGH..STEP" in told
    example = told.partition("for instance ")[2]
    assert len(points_of(grids=[example])) == 5
    assert "LOW..HIGH" in faults_of(grids=["size=5..3"])
    assert "a step from above 0 to HIGH - LOW" in faults_of(grids=[f"share={text}..0.9"])
    assert "(did you mean '0.05'?)" in faults_of(grids=["share=0,05"])


def test_a_parameter_that_the_notebook_does_not_take():
    with pytest.raises(ParameterError, match="takes: size"):
        parameter_sets(Request(grids=["rule=*"]), SET, ["size"], "numbers")


def test_keys_follow_content(own):
    def keys(**request: object) -> list[str]:
        return [run.key for run in plan_sweep(own, "numbers", Request(**request)).runs]

    first = keys(grids=["factor=1..3"])
    assert len(set(first)) == 3
    assert keys(grids=["factor=3,1"]) == [first[2], first[0]]
    assert keys(sets=["factor=1 mode=work", "factor=1"]) == [first[0]]
    helper = own.root / "src" / "tiny_helper.py"
    helper.write_text("def figure() -> int:\n    return 4300 // 100\n", encoding="utf-8")
    assert not set(keys(grids=["factor=1..3"])) & set(first)


def test_a_sweep_keeps_every_run_and_repeats_none(swept, tmp_path):
    out = tmp_path / "out"
    result = sweep(swept, str(out), "--grid", "factor=1,2,3")
    assert result.exit_code == 0, result.output
    assert "3 runs of numbers: 3 done" in result.output
    table = index_of(out)
    assert list(table["factor"]) == [1, 2, 3]
    assert list(table["t-1"]) == [41.0, 82.0, 123.0]
    assert table["t-2"].isna().all()
    assert list(table.columns[:2]) == ["key", "notebook"]
    assert (pd.read_csv(out / "index.csv")["t-1"] == table["t-1"]).all()
    long = pq.read_table(out / "results.parquet").to_pandas()
    assert list(long["id"]) == ["t-1", "t-2"] * 3
    assert set(long["decision"]) == {"work"}
    for key in table["key"]:
        names = sorted(path.name for path in (out / "runs" / key).iterdir())
        assert names == ["numbers.ipynb", "results.json", "run.json"]

    before = snapshot(out)
    again = sweep(swept, str(out), "--grid", "factor=1..4", "--json")
    told = json.loads(again.output)
    assert (told["runs"], told["executed"], told["counts"]) == (4, 1, {"done": 4})
    after = snapshot(out)
    assert {path: after[path] for path in before} == before
    assert list(index_of(out)["t-1"]) == [41.0, 82.0, 123.0, 164.0]

    fewer = json.loads(sweep(swept, str(out), "--grid", "factor=4", "--json").output)
    assert (fewer["runs"], fewer["executed"]) == (1, 0)
    assert len(index_of(out)) == 4
    assert index_of(out)["factor"][0] == 4


def test_failures_are_rows_and_everything_else_finishes(swept, tmp_path):
    out = tmp_path / "out"
    sets = ["mode=fail factor=7", "mode=die", "pause=3.5", "factor=2"]
    arguments = [word for text in sets for word in ("--set", text)]
    result = sweep(swept, str(out), *arguments, "--timeout", "2")
    assert result.exit_code == 1
    assert "3 of 4 runs did not get done" in result.output
    assert "  mode=fail factor=7: ValueError: no patient is left with factor 7" in result.output
    table = index_of(out)
    assert list(table["status"]) == ["failed", "died", "timeout", "done"]
    assert table["message"][0] == "ValueError: no patient is left with factor 7"
    assert list(table["t-1"].isna()) == [True, True, True, False]
    folder = out / "runs" / table["key"][0]
    assert f"{folder}\n" in result.output
    assert "no patient is left" in (folder / "numbers.failed.ipynb").read_text(encoding="utf-8")
    for key in table["key"][1:3]:  # a process that died, and a cell that took too long
        kept = json.loads((out / "runs" / key / "numbers.failed.ipynb").read_text(encoding="utf-8"))
        assert [o["output_type"] for c in kept["cells"] for o in c.get("outputs", [])] == ["error"]
    assert json.loads((folder / "run.json").read_text())["kind"] == "cell"

    again = json.loads(sweep(swept, str(out), *arguments, "--json").stdout)
    assert again["executed"] == 0
    retried = json.loads(sweep(swept, str(out), *arguments, "--json", "--retry-failed").stdout)
    assert retried["executed"] == 3
    assert retried["counts"]["done"] == 2
    assert list(index_of(out)["status"]) == ["failed", "died", "done", "done"]


def test_a_retried_run_leaves_no_failed_notebook(tmp_path):
    store = RunStore(str(tmp_path / "out"))
    store.write_run("k", {"failed.ipynb": b"1", "results.json": b"[]"}, {"status": "failed"})
    store.write_run("k", {"notebook.ipynb": b"2", "results.json": b"[]"}, {"status": "done"})
    names = sorted(path.name for path in (tmp_path / "out" / "runs" / "k").iterdir())
    assert names == ["notebook.ipynb", "results.json", "run.json"]
    assert store.records() == {"k": {"status": "done"}}


def test_what_has_no_record_or_a_damaged_one_is_not_done(swept, tmp_path):
    out = tmp_path / "out"
    sweep(swept, str(out), "--grid", "factor=1,2,3")
    first, second = index_of(out)["key"][:2]
    (out / "runs" / first / "run.json").unlink()
    (out / "runs" / second / "run.json").write_text('{"status"', encoding="utf-8")
    told = json.loads(sweep(swept, str(out), "--grid", "factor=1,2,3", "--json").output)
    assert (told["executed"], told["counts"]) == (2, {"done": 3})


def test_faults_stop_before_anything_runs(swept, tmp_path):
    out = tmp_path / "out"
    wrong = sweep(swept, str(out), "--grid", "facto=1", "--grid", "mode=")
    assert wrong.exit_code == 2
    assert "did you mean 'factor'?" in wrong.output
    assert "found 'mode='" in wrong.output
    assert not out.exists()


def test_an_unwritable_place_is_named_before_anything_runs(swept, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file", encoding="utf-8")
    result = sweep(swept, str(blocked / "out"), "--grid", "factor=1,2")
    assert result.exit_code == 2
    assert str(blocked / "out") in result.output
    assert "cannot be written to" in result.output
    unknown = sweep(swept, "nosuch://bucket/x", "--grid", "factor=1")
    assert unknown.exit_code == 2
    assert "nosuch" in unknown.output


def test_a_sweep_is_not_written_among_the_sources(swept, tmp_path):
    place = swept.root / "notebooks" / "mine"
    result = CliRunner().invoke(
        main, ["--root", str(swept.root), "sweep", "numbers", "--out", str(place)]
    )
    assert result.exit_code == 2
    assert "own files" in result.output
    assert not place.exists()


def test_a_full_disk_is_a_row_and_the_next_call_continues(swept, tmp_path, monkeypatch):
    out = tmp_path / "out"
    original = RunStore.write

    def full(self: RunStore, name: str, content: bytes) -> None:
        if name.endswith("/numbers.ipynb") and b"82" in content:
            raise OSError(28, os.strerror(28))
        original(self, name, content)

    monkeypatch.setattr(RunStore, "write", full)
    result = sweep(swept, str(out), "--grid", "factor=1,2,3")
    assert result.exit_code == 1
    assert list(index_of(out)["status"]) == ["done", "disk", "done"]
    monkeypatch.undo()
    told = json.loads(sweep(swept, str(out), "--grid", "factor=1,2,3", "--json").output)
    assert (told["executed"], told["counts"]) == (1, {"done": 3})


def test_an_index_that_cannot_be_written_is_said(swept, tmp_path, monkeypatch):
    original = RunStore.write

    def full(self: RunStore, name: str, content: bytes) -> None:
        if name == "index.csv":
            raise OSError(28, os.strerror(28))
        original(self, name, content)

    monkeypatch.setattr(RunStore, "write", full)
    result = sweep(swept, str(tmp_path / "out"), "--grid", "factor=1")
    assert result.exit_code == 1
    assert "the index could not be written" in result.output
    assert os.strerror(28) in result.output


def test_how_many_runs_have_ended_is_told_with_those_of_before(swept, tmp_path):
    told: list[tuple[int, int]] = []
    for factors in ("1..2", "1..4"):
        plan = plan_sweep(swept, "numbers", Request(grids=[f"factor={factors}"]))
        store = RunStore(str(tmp_path / "out"))
        Sweep(plan, store, in_threads, watch=lambda *now: told.append(now)).run()
    assert told == [(1, 2), (2, 2), (3, 4), (4, 4)]


def test_changed_code_while_a_sweep_runs_stops_it(own, tmp_path):
    plan = plan_sweep(own, "numbers", Request(grids=["factor=1..3"]))
    (own.root / "src" / "tiny_helper.py").write_text("def figure():\n    return 1\n")
    store = RunStore(str(tmp_path / "out"))
    summary = Sweep(plan, store, in_threads).run()
    assert "not those with which the sweep began" in summary.stopped
    assert dict(summary.counts) == {"pending": 3}
    assert store.records() == {}


def test_the_whole_book_in_one_run(swept, tmp_path):
    out = tmp_path / "out"
    command = ["--root", str(swept.root), "sweep", "book", "--out", str(out), "--workers", "0"]
    result = CliRunner().invoke(main, [*command, "--grid", "factor=1,2", "--grid", "other=5,6"])
    assert result.exit_code == 0, result.output
    table = index_of(out)
    assert list(zip(table["t-1"], table["u-1"], strict=True)) == [
        (41.0, 205.0),
        (41.0, 246.0),
        (82.0, 205.0),
        (82.0, 246.0),
    ]
    names = sorted(path.name for path in (out / "runs" / table["key"][0]).iterdir())
    assert names == ["more.ipynb", "numbers.ipynb", "results.json", "run.json"]


def test_memory_as_a_place(swept):
    url = "memory://sweep-test"
    system = fsspec.filesystem("memory")
    try:
        first = sweep(swept, url, "--grid", "factor=1,2")
        assert first.exit_code == 0
        assert f"{url} is the memory of this command" in first.stderr
        told = json.loads(sweep(swept, url, "--grid", "factor=1..3", "--json").stdout)
        assert (told["executed"], told["counts"]) == (1, {"done": 3})
        with system.open("/sweep-test/index.parquet", "rb") as stream:
            assert list(pd.read_parquet(stream)["t-1"]) == [41.0, 82.0, 123.0]
    finally:
        system.rm("/sweep-test", recursive=True)


def test_the_short_form_of_a_traceback_is_its_error():
    text = "cell 3 failed\nValueError: none left\n\n"
    assert short_message(text) == "ValueError: none left"


def test_a_page_about_a_sweep(own, tmp_path):
    shutil.copyfile(ROOT / "book" / "sweep.ipynb", own.root / "book" / "sweep.ipynb")
    out = tmp_path / "out"
    assert sweep(own, str(out), "--grid", "factor=1,2,3", "--grid", "pause=0,0.001").exit_code == 0
    command = ["--root", str(own.root), "sweep-page", str(out)]
    listed = CliRunner().invoke(main, command)
    assert listed.exit_code == 0, listed.output
    assert "t-1\n    published -, 3 different here" in listed.output
    wrong = CliRunner().invoke(main, [*command, "t-9"])
    assert wrong.exit_code == 2
    assert "did you mean" in wrong.output

    made = CliRunner().invoke(main, [*command, "t-1"])
    assert made.exit_code == 0, made.output
    pages = list(own.build.glob("variants/sweep-*/html/book/sweep.html"))
    assert len(pages) == 1
    text = pages[0].read_text(encoding="utf-8")
    assert "<th>done</th>\n      <td>6</td>" in text
    assert text.count("<figure") == 2
    assert str(tmp_path) not in text
    assert (pages[0].parents[1] / "notebooks" / "numbers.html").is_file()
    assert not own.site.exists()


def test_a_sweep_with_failures_is_opened_and_none_is_an_error(swept, tmp_path):
    out = tmp_path / "out"
    sweep(swept, str(out), "--set", "factor=2", "--set", "mode=fail")
    view = open_sweep(str(out), "t-1")
    assert view.choices == ("factor", "mode")
    assert view.frame["value"].isna().tolist() == [False, True]
    assert "no patient is left" in view.frame["message"].iloc[1]
    with pytest.raises(ConfigurationError, match="found no index"):
        open_sweep(str(tmp_path / "nothing"), "t-1")


class Instantly:
    """A future of a run that is done as soon as somebody looks."""

    under_way = 0
    most = 0

    def __init__(self, job: Job) -> None:
        self.job = job
        Instantly.under_way += 1
        Instantly.most = max(Instantly.most, Instantly.under_way)

    def done(self) -> bool:
        return True

    def result(self) -> Finished:
        Instantly.under_way -= 1
        return replace(self.job.ended("done", ""), files={"results.json": b"[]"})


def test_thousands_of_runs_are_handed_over_a_few_at_a_time(tmp_path):
    given = [{"n": n} for n in range(2000)]
    runs = tuple(Run(f"{v['n']:05}", (Task(Path("a.ipynb"), v),), v, v) for v in given)
    plan = Plan(Project(tmp_path), "a", "sources", runs)
    store = RunStore(str(tmp_path / "out"))
    workers = Workers(Instantly, lambda: 4, lambda: True)
    sweeps = [Sweep(plan, store, lambda due: contextlib.nullcontext(workers)) for _ in range(2)]
    assert sweeps[0].run().counts == {"done": 2000}
    assert Instantly.most == 4
    assert list(index_of(tmp_path / "out")["n"]) == list(range(2000))
    assert sweeps[1].run().executed == 0


def test_a_relative_folder_is_the_same_for_every_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert RunStore("sweeps/one").address == str(tmp_path / "sweeps" / "one")
    assert RunStore("memory://one").address == "memory://one"
