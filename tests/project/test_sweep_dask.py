"""Sweeps on Dask: a real scheduler and worker processes, and what is left when parts are killed."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from rederive.cli.main import main
from rederive.execution.project import Project
from rederive.sweep import workers
from repetitions import repeated

from .conftest import cell, write_notebook, write_tiny_book

GIVEN = """
factor = 1
pause = 0.0
deaths = 0
log = ""
"""
WORK = """
import os, time
from pathlib import Path
import psutil
from IPython.display import display
from tiny_helper import figure

with Path(log).open("a") as stream:
    stream.write(f"{factor}\\n")
if Path(log).read_text().split().count(str(factor)) <= deaths:
    server = psutil.Process(os.getppid())
    os.kill(server.ppid(), 9)  # the worker, from whose server this run forked
    time.sleep(60)
time.sleep(pause)
row = {"id": "t-1", "reproduced": "", "value": float(factor * figure()),
       "low": None, "high": None, "verdict": "same", "decision": ""}
display({"application/vnd.rederive.results+json": {"version": 1, "rows": [row]}}, raw=True)
"""
PATIENCE = 180.0
SEEDS = range(repeated(1))


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Project:
    project = write_tiny_book(tmp_path_factory.mktemp("book"))
    write_notebook(
        project.root / "notebooks" / "numbers.ipynb",
        [
            cell("markdown", "# Numbers\n", "title"),
            cell("code", GIVEN.strip(), "given", tags=["parameters"]),
            cell("code", WORK, "work"),
        ],
    )
    return project


class Sweep:
    """A sweep in a process of its own."""

    def __init__(self, project: Project, out: Path, *arguments: str) -> None:
        self.out = out
        self.log = out.with_suffix(".log")
        command = [sys.executable, "-m", "rederive.cli.main", "--root", str(project.root)]
        command += ["sweep", "numbers", "--out", str(out), "-p", f"log={self.log}"]
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ended(self) -> tuple[int, str, str]:
        try:
            told, complained = self.process.communicate(timeout=PATIENCE)
        finally:
            self.process.kill()
        return self.process.returncode, told, complained

    def begun(self) -> list[int]:
        return [int(line) for line in self.log.read_text().split()] if self.log.exists() else []

    def done(self) -> dict[str, int]:
        """Every run on record with the time of its record; all of them must be whole."""
        found = {}
        for path in self.out.glob("runs/*/run.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            assert record["status"] == "done"
            for name in ("numbers.ipynb", "results.json"):
                json.loads(path.with_name(name).read_text(encoding="utf-8"))
            found[path.parent.name] = path.stat().st_mtime_ns
        return found

    def rows(self) -> pd.DataFrame:
        return pd.read_parquet(self.out / "index.parquet")


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@contextmanager
def dask(log: Path, *arguments: str) -> Iterator[subprocess.Popen]:
    """Start a process of Dask's command line."""
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            stdout=stream,
            stderr=stream,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """A scheduler and two workers, each a process of its own."""
    log = folder / "scheduler.txt"
    with dask(log, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as first:
        wait_for(lambda: re.search(r"Scheduler at:\s+tcp", log.read_text()))
        found = re.search(r"Scheduler at:\s+(tcp://\S+)", log.read_text())
        assert found is not None
        options = ("worker", found[1], "--nthreads", "1", "--no-dashboard", "--memory-limit", "0")
        with dask(folder / "one.txt", *options), dask(folder / "two.txt", *options):
            yield found[1], first


def test_a_real_scheduler_with_two_workers(swept, tmp_path):
    out = tmp_path / "out"
    with cluster(tmp_path) as (address, scheduler):
        here = ("--scheduler", address)
        first = Sweep(swept, out, *here, "--grid", "factor=1..6", "--json")
        status, told, complained = first.ended()
        assert status == 0, complained
        assert json.loads(told)["counts"] == {"done": 6}
        assert list(first.rows()["t-1"]) == [41.0 * factor for factor in range(1, 7)]

        # A run that kills its worker is begun again; one that always does is a row.
        sets = ("--set", "factor=7 deaths=9", "--set", "factor=8 deaths=1", "--set", "factor=9")
        second = Sweep(swept, out, *here, *sets)
        status, told, complained = second.ended()
        assert status == 1
        assert "1 of 3 runs did not get done" in complained
        assert "factor=7 deaths=9: the worker died while it carried out the run" in complained
        assert list(second.rows()["status"]) == ["died", "done", "done"] + ["done"] * 6
        # What waits at a worker that dies is begun again as well.
        begun = Counter(second.begun())
        assert [begun[factor] for factor in range(1, 7)] == [1] * 6
        assert begun[7] >= 2 and begun[8] >= 2 and begun[9] >= 1

        # The scheduler goes away.
        third = Sweep(swept, out, *here, "--grid", "factor=11..20", "-p", "pause=0.4")
        wait_for(lambda: 13 in third.begun())
        scheduler.kill()
        status, told, complained = third.ended()
        assert status == 1
        assert "the connection to the scheduler is lost" in complained
        assert "the same call continues" in complained
        states = third.rows()["status"][:10].value_counts()
        assert set(states.index) == {"done", "lost", "pending"}
        assert 1 <= states["lost"] <= 2

    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/run.json")}
    arguments = ("--workers", "0", "--grid", "factor=11..20", "-p", "pause=0.4", "--json")
    status, told, complained = Sweep(swept, out, *arguments).ended()
    assert status == 0, complained
    assert json.loads(told)["executed"] == 10 - states["done"]
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_no_scheduler_at_the_address(swept, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "CONNECT_SECONDS", 1.0)
    out = str(tmp_path / "out")
    command = ["--root", str(swept.root), "sweep", "numbers", "--grid", "factor=1..3", "--out", out]
    nobody = CliRunner().invoke(main, [*command, "--scheduler", "tcp://127.0.0.1:9"])
    assert nobody.exit_code == 2
    assert "scheduler tcp://127.0.0.1:9: cannot be reached" in nobody.output
    no_file = CliRunner().invoke(main, [*command, "--scheduler", "nowhere.json"])
    assert no_file.exit_code == 2
    assert "nowhere.json: no such file" in no_file.output


def test_a_driver_killed_at_random_times_loses_nothing(swept, tmp_path):
    out = tmp_path / "out"
    arguments = ("--grid", "factor=1..12", "-p", "pause=0.1", "--json")
    seen: dict[str, int] = {}
    for seed in SEEDS:
        chance = random.Random(seed)
        workers = "2" if seed == 0 else "0"
        sweep = Sweep(swept, out, *arguments, "--workers", workers)
        enough = len(sweep.begun()) + chance.randint(1, 3)
        wait_for(lambda s=sweep, n=enough: len(s.begun()) >= n)
        time.sleep(chance.uniform(0, 0.3))
        sweep.process.send_signal(signal.SIGKILL)
        sweep.ended()
        found = sweep.done()
        assert {key: found.get(key) for key in seen} == seen
        seen = found
    last = Sweep(swept, out, *arguments, "--workers", "0")
    done = {record["parameters"]["factor"] for record in records(out)}
    already = last.begun()
    status, told, complained = last.ended()
    assert status == 0, complained
    summary = json.loads(told)
    assert summary["counts"] == {"done": 12}
    assert summary["executed"] == 12 - len(seen)
    assert not done & set(last.begun()[len(already) :])
    found = last.done()
    assert {key: found[key] for key in seen} == seen
    assert sorted(last.rows()["t-1"]) == [41.0 * factor for factor in range(1, 13)]


def records(out: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in out.glob("runs/*/run.json")]


def test_ctrl_c_keeps_what_is_done(swept, tmp_path):
    out = tmp_path / "out"
    sweep = Sweep(swept, out, "--workers", "2", "--grid", "factor=1..30", "-p", "pause=0.3")
    wait_for(lambda: len(list(out.glob("runs/*/run.json"))) >= 2)
    os.killpg(sweep.process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    assert_stopped(sweep)


def test_a_batch_system_may_end_the_driver(swept, tmp_path):
    out = tmp_path / "out"
    sweep = Sweep(swept, out, "--workers", "0", "--grid", "factor=1..30", "-p", "pause=0.3")
    wait_for(lambda: len(list(out.glob("runs/*/run.json"))) >= 2)
    sweep.process.send_signal(signal.SIGTERM)
    assert_stopped(sweep)


def assert_stopped(sweep: Sweep) -> None:
    status, _, complained = sweep.ended()
    assert status == 1
    assert "stopped by the user; what is done is kept" in complained
    states = sweep.rows()["status"].value_counts()
    assert set(states.index) == {"done", "pending"}
    assert states["done"] == len(sweep.done())
