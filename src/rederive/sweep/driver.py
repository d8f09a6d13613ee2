"""Carry out a sweep: what is done stays done, and whatever happens the index is written."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from rederive.sweep.index import SweepIndex
from rederive.sweep.job import DONE, STALE, UNFINISHED, Finished, Job, stored
from rederive.sweep.plan import Plan, Run
from rederive.sweep.store import RunStore
from rederive.sweep.workers import Workers

Watch = Callable[[int, int], None]
"""Told how many runs have ended, and how many there are."""

LOST = "the connection to the scheduler is lost"
_WAIT_SECONDS = 0.05
_INDEX_SECONDS = 5.0
_INDEX_SHARE = 0.05
"""Most of the time that writing the index may take, which grows with the number of runs."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a call did.

    ``counts`` are the runs of the request by state, ``executed`` those that ended during this call;
    the others had been done before. ``stopped`` says why the call ended early, ``unwritten`` why
    the index could not be written, both empty if not so; ``problems`` has the message of each run
    that did not get done, by key.
    """

    counts: Mapping[str, int]
    executed: int
    stopped: str
    unwritten: str
    problems: Mapping[str, str]

    @property
    def is_complete(self) -> bool:
        """Whether every run of the request is done and the index is written."""
        return set(self.counts) <= {DONE} and not self.unwritten and not self.stopped


@dataclass
class Sweep:
    """A plan that is carried out, as far as it is not done yet.

    ``open_workers`` opens, for so many runs, who carries them out, each cell within ``timeout``
    seconds; runs that failed before only with ``retry_failed``. Workers write the runs' folders
    with ``workers_write``, else this process does. ``root`` is the book's folder as workers see it;
    empty: as here.
    """

    plan: Plan
    store: RunStore
    open_workers: Callable[[int], AbstractContextManager[Workers]]
    timeout: int = 600
    retry_failed: bool = False
    workers_write: bool = False
    root: str = ""
    watch: Watch | None = None
    executed: int = field(default=0, init=False)

    @cached_property
    def index(self) -> SweepIndex:
        """What is known of the runs."""
        return SweepIndex(self.store, self.plan)

    def run(self) -> Summary:
        """Carry out the runs and return how every one stands.

        Ctrl-C, and a scheduler that goes away, end the call early with everything that is done
        kept. A place that cannot be written to, or no scheduler, is a ``ConfigurationError``;
        nothing has run.
        """
        self.store.check_writable()
        due = deque(run for run in self.plan.runs if self._is_due(run.key))
        stopped = ""
        try:
            if due:
                with self.open_workers(len(due)) as workers:
                    stopped = self._carry_out(due, workers)
        except KeyboardInterrupt:
            stopped = "stopped by the user"
        unwritten = self._write_index()
        states = {run.key: self.index.status(run.key) for run in self.plan.runs}
        problems = {k: self.index.message(k) for k, status in states.items() if status != DONE}
        return Summary(dict(Counter(states.values())), self.executed, stopped, unwritten, problems)

    def _is_due(self, key: str) -> bool:
        status = self.index.status(key)
        return status in UNFINISHED or (self.retry_failed and status != DONE)

    def _carry_out(self, waiting: deque[Run], workers: Workers) -> str:
        """Return why the runs were not all carried out, or an empty text."""
        root = self.root or str(self.plan.project.root)
        store = self.store.address if self.workers_write else ""
        total, running = len(self.plan.runs), dict[Any, Job]()
        written, pause = time.monotonic(), _INDEX_SECONDS
        try:
            while waiting or running:
                if not workers.connected():
                    raise CancelledError
                for _ in range(min(len(waiting), workers.capacity() - len(running))):
                    job = Job(waiting.popleft(), root, self.plan.sources, self.timeout, store)
                    running[workers.submit(job)] = job
                done = [future for future in running if future.done()]
                for future in done:
                    finished = _end_of(future, running[future])
                    if finished.record["message"] == STALE:
                        return STALE
                    self._take_in(running.pop(future), finished)
                    if self.watch is not None:
                        self.watch(total - len(waiting) - len(running), total)
                if not done:
                    time.sleep(_WAIT_SECONDS)
                if (begun := time.monotonic()) - written > pause:
                    self._write_index()
                    written = time.monotonic()
                    pause = max(_INDEX_SECONDS, (written - begun) / _INDEX_SHARE)
        except (CancelledError, OSError):  # the connection may break at any time
            for job in running.values():
                self.index.add(job.ended("lost", LOST))
            return LOST
        return ""

    def _take_in(self, job: Job, finished: Finished) -> None:
        if finished.files:
            finished = stored(self.store, job, finished)
        self.index.add(finished)
        self.executed += finished.record["status"] not in UNFINISHED

    def _write_index(self) -> str:
        """Write the index; return why that could not be done, or an empty text."""
        try:
            self.index.write()
        except Exception as error:  # every file system has errors of its own
            return f"{type(error).__name__}: {error}"
        return ""


def _end_of(future: Any, job: Job) -> Finished:
    """Return how a run ended; that its worker died is one of the ways."""
    try:
        finished: Finished = future.result()
        return finished
    except CancelledError:
        raise
    except Exception as error:
        if type(error).__name__ == "KilledWorker":
            message = "the worker died while it carried out the run, and so did the next ones"
            ended = job.ended("died", message, "worker")
            return replace(ended, files={"results.json": b"[]\n"})
        message = f"the worker could not carry out the run: {type(error).__name__}: {error}"
        return job.ended("failed", message)
