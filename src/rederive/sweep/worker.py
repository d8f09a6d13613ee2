"""One run of a sweep, wherever it is carried out."""

from __future__ import annotations

import errno
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rederive.book.results import read_results
from rederive.execution.cache import source_digest
from rederive.execution.project import Project
from rederive.execution.run import Outcome, Task, run_task
from rederive.parameters import Value
from rederive.sweep.store import FAILED, NOTEBOOK, RESULTS, RunStore

DONE = "done"
FAILURES = ("failed", "timeout", "died", "disk")
"""States of a run that ended without result."""

UNFINISHED = ("lost", "pending")
"""States of a run that has not ended; the next call carries it out."""

_STATUS = {"done": DONE, "cell": "failed", "failed": "failed"}
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to know of a run.

    Parameters
    ----------
    key : str
        The run's key.
    root : str
        The book's folder, as the worker sees it.
    tasks : tuple
        Notebooks, each with its parameters.
    parameters : dict
        All values, for the record.
    sources : str
        Digest of the code and data that the key stands for.
    timeout : int
        Seconds that a cell may take.
    store : str
        Where to write the run's folder; empty if the driver does so.
    """

    key: str
    root: str
    tasks: tuple[tuple[str, dict[str, Value]], ...]
    parameters: dict[str, Value]
    sources: str
    timeout: int
    store: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended.

    Parameters
    ----------
    key : str
        The run's key.
    record : dict
        Content of its ``run.json``.
    results : list of dict
        Its results.
    files : dict
        What is still to be written into its folder.
    lasting : bool
        Whether it goes on record; else the next call carries the run out again.
    stored : bool
        Whether its folder is written.
    """

    key: str
    record: dict[str, Any]
    results: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    lasting: bool = True
    stored: bool = False

    @property
    def status(self) -> str:
        """One of `DONE`, `FAILURES` and `UNFINISHED`."""
        return str(self.record["status"])


def ended(job: Job, status: str, kind: str, message: str, *, lasting: bool) -> Finished:
    """Return the end of a run that has nothing to show but its state."""
    return Finished(job.key, _record(job, status, kind, message, 0.0), lasting=lasting)


def perform(job: Job) -> Finished:
    """Carry out a run and, where it is told to, write its folder.

    Parameters
    ----------
    job : Job
        The run.

    Returns
    -------
    Finished
        How it ended; never an exception for something that the run did. Code or data that are
        not those of the key, before or after, give a run without result (kind ``sources``).
    """
    project = Project(Path(job.root))
    stale = _stale(project, job)
    if stale:
        return ended(job, "pending", "sources", stale, lasting=False)
    outcomes = [
        (name, run_task(project, Task(Path(name), given), timeout=job.timeout, cache=_cached(job)))
        for name, given in job.tasks
    ]
    stale = _stale(project, job)
    if stale:
        return ended(job, "pending", "sources", stale, lasting=False)
    if any(_interrupted(outcome) for _, outcome in outcomes):
        return ended(job, "lost", "interrupted", "interrupted", lasting=False)
    finished = _finished(job, outcomes)
    return store_run(RunStore(job.store), job, finished) if job.store else finished


def store_run(store: RunStore, job: Job, finished: Finished) -> Finished:
    """Write a run's folder; a disk that does not take it is how the run ended."""
    try:
        store.write_run(finished.key, finished.files, finished.record)
    except Exception as error:  # every file system has errors of its own
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = f"its folder could not be written: {error}"
        return ended(job, "disk" if full else "failed", "disk", message, lasting=False)
    return Finished(finished.key, finished.record, finished.results, stored=True)


def _stale(project: Project, job: Job) -> str:
    try:
        found = source_digest(project)
    except OSError as error:
        return f"the book's folder cannot be read where the run was to be carried out: {error}"
    if found == job.sources:
        return ""
    return "code or data are not those with which the sweep began"


def _cached(job: Job) -> bool:
    """Tell whether executions are shared: of several notebooks few take what is swept."""
    return len(job.tasks) > 1


def _interrupted(outcome: Outcome) -> bool:
    """Tell whether the user's Ctrl-C reached the notebook: no fault of the run."""
    return outcome.kind == "cell" and "KeyboardInterrupt" in short_message(outcome.message)


def _finished(job: Job, outcomes: list[tuple[str, Outcome]]) -> Finished:
    files: dict[str, bytes] = {}
    results: list[dict[str, Any]] = []
    alone = len(outcomes) == 1
    worst: tuple[str, Outcome] | None = None
    for name, outcome in outcomes:
        stem = Path(name).stem
        if outcome.kind != DONE:
            worst = worst or (name, outcome)
            if outcome.failed is not None:
                files[FAILED if alone else f"{stem}.{FAILED}"] = outcome.failed
        elif outcome.content is not None:
            files[NOTEBOOK if alone else f"{stem}.ipynb"] = outcome.content
            results += read_results(json.loads(outcome.content))
    files[RESULTS] = f"{json.dumps(results, indent=1, ensure_ascii=False)}\n".encode()
    seconds = round(sum(outcome.seconds for _, outcome in outcomes), 3)
    if worst is None:
        return Finished(job.key, _record(job, DONE, DONE, "", seconds), results, files)
    name, outcome = worst
    message = outcome.message if alone else f"{Path(name).stem}: {outcome.message}"
    status = _STATUS.get(outcome.kind, outcome.kind)
    return Finished(job.key, _record(job, status, outcome.kind, message, seconds), results, files)


def _record(job: Job, status: str, kind: str, message: str, seconds: float) -> dict[str, Any]:
    return {
        "notebooks": [name for name, _ in job.tasks],
        "parameters": job.parameters,
        "status": status,
        "kind": kind,
        "message": _plain(message),
        "seconds": seconds,
        "sources": job.sources,
    }


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def short_message(text: str) -> str:
    """Return the last line of a message that says something: of a traceback the error."""
    lines = [line.strip() for line in _plain(text).splitlines() if line.strip()]
    return lines[-1][:_LONGEST_MESSAGE] if lines else ""
