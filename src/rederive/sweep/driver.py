"""Carry out a sweep: what is done stays done, and whatever happens the index is written."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rederive.sweep.index import SweepIndex
from rederive.sweep.plan import Plan, Run
from rederive.sweep.runners import OpenRunner, Runner, SchedulerLostError
from rederive.sweep.store import RunStore
from rederive.sweep.worker import DONE, UNFINISHED, Finished, Job, store_run

Watch = Callable[[int], None]
"""Told how many runs have ended since it was last told."""

_WAIT_SECONDS = 0.5
_INDEX_SECONDS = 5.0
_INDEX_SHARE = 20
"""The index is written again after so many times as long as writing it took."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a call did.

    Parameters
    ----------
    counts : mapping
        Runs of the request by state.
    executed : int
        How many ended during this call; the others had been done before.
    stopped : str
        Why the call ended early, or empty.
    unwritten : str
        Why the index could not be written, or empty.
    problems : mapping
        Message of each run that did not get done, by key.
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


@dataclass(frozen=True)
class Manner:
    """How a sweep is carried out.

    Parameters
    ----------
    open_runner : callable
        Opens who carries out the runs.
    timeout : int
        Seconds that a cell may take.
    retry_failed : bool
        Whether runs that failed before are carried out again.
    workers_write : bool
        Whether workers write the runs' folders, else this process does.
    root : str
        The book's folder as workers see it; empty: as here.
    """

    open_runner: OpenRunner
    timeout: int = 600
    retry_failed: bool = False
    workers_write: bool = True
    root: str = ""


def run_sweep(plan: Plan, store: RunStore, manner: Manner, watch: Watch | None = None) -> Summary:
    """Carry out the runs of a plan that are not done yet.

    Parameters
    ----------
    plan : Plan
        The runs.
    store : RunStore
        Where they are kept.
    manner : Manner
        Who carries them out, and how.
    watch : callable, optional
        Told of progress.

    Returns
    -------
    Summary
        How every run stands. Ctrl-C, and a scheduler that goes away, end the call early with
        everything that is done kept.

    Raises
    ------
    ConfigurationError
        If the place cannot be written to or no scheduler answers; nothing has run then.
    """
    store.check_writable()
    return _Driver(plan, store, manner, watch or (lambda count: None)).run()


class _Driver:
    def __init__(self, plan: Plan, store: RunStore, manner: Manner, watch: Watch) -> None:
        self._plan, self._store, self._manner, self._watch = plan, store, manner, watch
        self._index = SweepIndex(store, plan.runs, plan.sources)
        self._next_index = 0.0
        self._unwritten = ""
        self._executed = 0

    def run(self) -> Summary:
        todo = [run for run in self._plan.runs if self._is_due(run)]
        self._watch(len(self._plan.runs) - len(todo))
        stopped = ""
        jobs = {run.key: self._job(run) for run in todo}
        try:
            if jobs:
                with self._manner.open_runner(len(jobs)) as runner:
                    stopped = self._carry_out(runner, jobs)
        except KeyboardInterrupt:
            stopped = "stopped by the user"
        self._write_index(last=True)
        keys = [run.key for run in self._plan.runs]
        counts = Counter(self._index.status(key) for key in keys)
        problems = {
            key: self._index.message(key) for key in keys if self._index.status(key) != DONE
        }
        return Summary(counts, self._executed, stopped, self._unwritten, problems)

    def _is_due(self, run: Run) -> bool:
        status = self._index.status(run.key)
        return status in UNFINISHED or (self._manner.retry_failed and status != DONE)

    def _job(self, run: Run) -> Job:
        return Job(
            key=run.key,
            root=self._manner.root or str(self._plan.project.root),
            tasks=run.tasks,
            parameters=run.parameters,
            sources=self._plan.sources,
            timeout=self._manner.timeout,
            store=self._store.address if self._manner.workers_write else "",
        )

    def _carry_out(self, runner: Runner, jobs: Mapping[str, Job]) -> str:
        """Return why the runs were not all carried out, or an empty text."""
        waiting = list(jobs.values())[::-1]
        under_way: set[str] = set()
        while waiting or under_way:
            try:
                while waiting and len(under_way) < runner.capacity():
                    job = waiting.pop()
                    under_way.add(job.key)
                    runner.submit(job)
                found = runner.collect(_WAIT_SECONDS)
            except SchedulerLostError as error:
                self._index.mark_lost(under_way, str(error))
                return str(error)
            for finished in found:
                under_way.discard(finished.key)
                self._take_in(jobs[finished.key], finished)
            stale = [each for each in found if each.record["kind"] == "sources"]
            if stale:
                return str(stale[0].record["message"])
            self._write_index()
        return ""

    def _take_in(self, job: Job, finished: Finished) -> None:
        if finished.lasting and not finished.stored:
            finished = store_run(self._store, job, finished)
        self._index.add(finished)
        if finished.status not in UNFINISHED:
            self._executed += 1
            self._watch(1)

    def _write_index(self, *, last: bool = False) -> None:
        begun = time.monotonic()
        if not last and begun < self._next_index:
            return
        try:
            if last:
                self._index.read()
            self._index.write()
            self._unwritten = ""
        except Exception as error:  # every file system has errors of its own
            self._unwritten = f"{type(error).__name__}: {error}"
        now = time.monotonic()
        self._next_index = now + max(_INDEX_SECONDS, _INDEX_SHARE * (now - begun))
