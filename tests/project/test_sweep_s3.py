"""Sweeps that two Dask workers write to an object store: moto's server, on this computer alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from rederive.execution.project import Project

from .conftest import cell, write_notebook, write_tiny_book
from .test_sweep_dask import GIVEN, PATIENCE, WORK

# The worker dies once, with the run's notebook written and its record not.
DYING = """
import os
from pathlib import Path
from rederive.sweep.store import RunStore

write = RunStore.write
def dying(self, name, content):
    mark = Path(os.environ["DIES_ONCE"])
    if name.endswith("run.json") and not mark.exists():
        mark.touch()
        os._exit(9)
    write(self, name, content)
RunStore.write = dying
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = write_tiny_book(tmp_path_factory.mktemp("book"))
    cells = [
        cell("markdown", "# Numbers\n", "title"),
        cell("code", GIVEN.strip(), "given", tags=["parameters"]),
        cell("code", WORK, "work"),
    ]
    write_notebook(project.root / "notebooks" / "numbers.ipynb", cells)
    return project


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    system = s3fs.S3FileSystem(endpoint_url=address, skip_instance_cache=True)
    system.makedirs("bucket", exist_ok=True)
    if system.exists("bucket/sweep"):  # moto keeps it from the test before
        system.rm("bucket/sweep", recursive=True)
    yield system
    server.stop()


def sweep(project: Project, log: Path, *words: str, out: str = "s3://bucket/sweep") -> tuple:
    command = [sys.executable, "-m", "rederive.cli.main", "--root", str(project.root), "sweep"]
    command += ["numbers", "--grid", "factor=1..4", "-p", f"log={log}", "--out", out]
    done = subprocess.run(
        [*command, "--workers", "2", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def records(store: s3fs.S3FileSystem) -> Counter[str]:
    store.invalidate_cache()
    found = store.glob("bucket/sweep/runs/*/run.json")
    return Counter(json.loads(store.cat(path))["status"] for path in found)


def test_two_workers_write_to_a_bucket_and_nothing_is_run_twice(
    swept: Project, store: s3fs.S3FileSystem, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    status, _, said = sweep(swept, log)
    assert status == 0, said
    assert records(store) == {"done": 4} and store.exists("bucket/sweep/index.parquet")
    # What is lost is run again, and nothing else.
    store.rm(store.glob("bucket/sweep/runs/*/run.json")[0])
    status, _, said = sweep(swept, log)
    assert status == 0, said
    assert records(store) == {"done": 4} and len(log.read_text().split()) == 5


def test_a_bucket_that_is_missing_is_said_before_anything_runs(
    swept: Project, store: s3fs.S3FileSystem, tmp_path: Path
) -> None:
    status, _, said = sweep(swept, tmp_path / "log", out="s3://nowhere/sweep")
    assert status == 2 and "s3://nowhere/sweep: cannot be written to" in said, said
    assert "Traceback" not in said and not (tmp_path / "log").exists()


def test_a_worker_that_dies_while_it_writes_costs_nothing(
    swept: Project, store: s3fs.S3FileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(DYING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("DIES_ONCE", str(tmp_path / "died"))
    status, _, said = sweep(swept, tmp_path / "log")
    assert (tmp_path / "died").exists()
    assert status == 0 and records(store) == {"done": 4}, said
