"""One run of a sweep, wherever it is carried out."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rederive.book.results import read_results
from rederive.execution.cache import source_digest
from rederive.execution.project import Project
from rederive.execution.run import Outcome, run_task
from rederive.sweep.plan import Run
from rederive.sweep.store import RESULTS, RunStore

DONE = "done"
UNFINISHED = ("lost", "pending")
"""States of a run that has not ended; the next call carries it out."""

STALE = "code or data are not those with which the sweep began"
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to know of a run.

    ``root`` is the book's folder, as the worker sees it; ``sources`` the digest of the code and
    data that the run's key stands for; ``store`` where to write the run's folder, empty if the
    driver does so. A cell may take ``timeout`` seconds.
    """

    run: Run
    root: str
    sources: str
    timeout: int
    store: str = ""

    def ended(self, status: str, message: str, kind: str = "", seconds: float = 0.0) -> Finished:
        """Return an end of this run; without results it does not go on record."""
        record = {
            "notebooks": [task.name for task in self.run.tasks],
            "parameters": self.run.parameters,
            "status": status,
            "kind": kind or status,
            "message": message,
            "seconds": round(seconds, 3),
            "sources": self.sources,
        }
        return Finished(self.run.key, record)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended: its key, the content of its ``run.json``, its results.

    ``files`` are still to be written into its folder; without that the run is carried out again.
    """

    key: str
    record: dict[str, Any]
    results: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


def perform(job: Job) -> Finished:
    """Carry out a run and, where it is told to, write its folder; return how it ended.

    What the run did is never an exception. Code or data that are not those of the key, before or
    after, leave it ``pending`` with the message `STALE`.
    """
    project = Project(Path(job.root))
    outcomes: dict[str, Outcome] = {}
    try:
        for task in job.run.tasks:
            if source_digest(project) != job.sources:
                return job.ended("pending", STALE)
            # Of several notebooks few take what is swept: the others are executed once.
            shared = len(job.run.tasks) > 1
            outcomes[task.notebook.stem] = run_task(
                project, task, timeout=job.timeout, cache=shared, share_rows=True
            )
        if source_digest(project) != job.sources:
            return job.ended("pending", STALE)
    except OSError as error:
        return job.ended("pending", f"the book cannot be read where the run was to be: {error}")
    finished = _finished(job, outcomes)
    return stored(RunStore(job.store), job, finished) if job.store else finished


def stored(store: RunStore, job: Job, finished: Finished) -> Finished:
    """Write a run's folder; a disk that does not take it is how the run ended."""
    try:
        store.write_run(finished.key, finished.files, finished.record)
    except Exception as error:  # every file system has errors of its own
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = f"its folder could not be written: {error}"
        return job.ended("disk" if full else "failed", message, "disk")
    return replace(finished, files={})


def _finished(job: Job, outcomes: dict[str, Outcome]) -> Finished:
    files: dict[str, bytes] = {}
    results: list[dict[str, Any]] = []
    for stem, outcome in outcomes.items():
        if outcome.content is not None:
            files[f"{stem}.ipynb"] = outcome.content
            results += read_results(json.loads(outcome.content))
        elif outcome.failed is not None:
            files[f"{stem}.failed.ipynb"] = outcome.failed
    files[RESULTS] = f"{json.dumps(results, indent=1, ensure_ascii=False)}\n".encode()
    seconds = sum(outcome.seconds for outcome in outcomes.values())
    stem, worst = next(((s, o) for s, o in outcomes.items() if o.kind != DONE), ("", Outcome()))
    status = "failed" if worst.kind == "cell" else worst.kind
    message = f"{stem}: {worst.message}" if stem else ""
    ended = job.ended(status, message, worst.kind, seconds)
    return replace(ended, results=results, files=files)


def short_message(text: str) -> str:
    """Return the last line of a message that says something: of a traceback the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_LONGEST_MESSAGE] if lines else ""
