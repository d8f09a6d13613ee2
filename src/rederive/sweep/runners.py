"""Who carries out the runs: threads of this process, or workers of Dask."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rederive.errors import BookError, ConfigurationError
from rederive.sweep.worker import Finished, Job, ended, perform

_T = TypeVar("_T")

ALLOWED_FAILURES = 0
"""How often Dask itself may repeat a run whose worker died: `DaskRunner` sees to that."""

CONNECT_SECONDS = 10.0

_CAPACITY_SECONDS = 2.0
"""Time between two looks at how many workers there are."""


class SchedulerLostError(BookError):
    """The scheduler cannot be reached any more."""


class Runner(Protocol):
    """Carries out runs, several at a time."""

    def capacity(self) -> int:
        """Return how many runs may be under way at the same time."""
        ...

    def submit(self, job: Job) -> None:
        """Begin a run, as soon as there is room."""
        ...

    def collect(self, seconds: float) -> list[Finished]:
        """Return the runs that have ended since; wait up to `seconds` for the first.

        Raises
        ------
        SchedulerLostError
            If nothing more will come.
        """
        ...


OpenRunner = Callable[[int], contextlib.AbstractContextManager[Runner]]
"""Opens a runner for so many runs, and closes it."""


class ThreadRunner:
    """Runs in threads of this process; each notebook still runs in a process of its own.

    The threads are daemons: a user who stops the sweep does not wait for the runs under way. So
    that none of these is written after the index, the driver writes.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[Finished] = queue.SimpleQueue()
        for _ in range(threads):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                finished = perform(replace(job, store=""))
            except Exception as error:  # else the driver would wait for ever
                finished = _could_not(job, error)
            self._ended.put(finished)

    def capacity(self) -> int:
        """Return the number of threads."""
        return self._threads

    def submit(self, job: Job) -> None:
        """Give a run to the next free thread."""
        self._jobs.put(job)

    def collect(self, seconds: float) -> list[Finished]:
        """Return the runs that have ended."""
        return _drained(self._ended, seconds)

    def close(self) -> None:
        """Let the threads end."""
        for _ in range(self._threads):
            self._jobs.put(None)


class DaskRunner:
    """Runs on the workers of a Dask cluster.

    Only as many runs as there are threads are handed over at a time, so that thousands of
    points cost the scheduler nothing. A worker that dies may have had other runs than the one that
    killed it; all of them are begun once more, each with nothing else under way.

    Parameters
    ----------
    client : distributed.Client
        A connected client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._futures: dict[str, tuple[Any, Job]] = {}
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._suspects: deque[Job] = deque()
        self._alone = ""
        self._capacity = 1
        self._asked = -_CAPACITY_SECONDS
        self._count = 0

    def capacity(self) -> int:
        """Return the number of the workers' threads, at least 1; 0 while one run is on its own."""
        if self._alone:
            return 0
        now = time.monotonic()
        if now - self._asked >= _CAPACITY_SECONDS and self._client.status == "running":
            self._asked = now
            with contextlib.suppress(OSError, TimeoutError):
                self._capacity = max(1, sum(self._client.nthreads().values()))
        return self._capacity

    def submit(self, job: Job) -> None:
        """Hand a run over to the scheduler."""
        self._count += 1
        name = f"rederive-run-{self._count}-{job.key}"
        try:
            future = self._client.submit(perform, job, key=name, pure=False)
        except Exception as error:
            raise _lost(error) from error
        self._futures[name] = (future, job)
        future.add_done_callback(lambda ended: self._ended.put(name))

    def collect(self, seconds: float) -> list[Finished]:
        """Return the runs that have ended."""
        if self._suspects and not self._futures:
            job = self._suspects.popleft()
            self._alone = job.key
            self.submit(job)
        names = _drained(self._ended, seconds)
        if self._client.status != "running":
            raise _lost(None)
        found = []
        for name in names:
            future, job = self._futures.pop(name)
            end = self._end_of(future, job)
            future.release()
            if end is None and job.key != self._alone:
                self._suspects.append(job)
                continue
            message = "the worker died while it carried out the run, and so did the next one"
            found.append(end or ended(job, "died", "worker", message, lasting=True))
            self._alone = ""
        return found

    def _end_of(self, future: Any, job: Job) -> Finished | None:
        """Return how a run ended; None if its worker died."""
        if future.status == "cancelled":
            raise _lost(None)
        if future.status == "finished":
            finished = future.result()
            return finished if isinstance(finished, Finished) else _could_not(job, finished)
        error = future.exception()
        return None if type(error).__name__ == "KilledWorker" else _could_not(job, error)


@contextlib.contextmanager
def in_threads(threads: int) -> Iterator[Runner]:
    """Open threads of this process."""
    runner = ThreadRunner(threads)
    try:
        yield runner
    finally:
        runner.close()


@contextlib.contextmanager
def on_own_workers(workers: int) -> Iterator[Runner]:
    """Start a scheduler and worker processes on this computer.

    Each worker has one thread, and so each has its own process from which notebooks fork. A
    worker that dies is replaced; its run is begun once more.
    """
    import dask
    import distributed

    package: Any = distributed
    settings = {
        "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.comm.timeouts.connect": "30s",
    }
    with dask.config.set(settings), _quiet():
        cluster = package.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
        client = package.Client(cluster, set_as_default=False)
        try:
            yield DaskRunner(client)
        finally:
            _close(client)
            with contextlib.suppress(Exception):
                cluster.close(timeout=10)


@contextlib.contextmanager
def on_scheduler(address: str) -> Iterator[Runner]:
    """Connect to a scheduler that runs already.

    Parameters
    ----------
    address : str
        Its address, or the file ending in ``.json`` in which it has put its address.

    Raises
    ------
    ConfigurationError
        If none answers at this address.
    """
    import distributed

    package: Any = distributed
    if address.endswith(".json"):
        if not Path(address).is_file():
            raise ConfigurationError(f"scheduler {address}: no such file")
        where = {"scheduler_file": address}
    else:
        where = {"address": address}
    with _quiet():
        try:
            client = package.Client(**where, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ConfigurationError(
                f"scheduler {address}: cannot be reached: {error}; "
                "expected the form tcp://HOST:8786"
            ) from None
        try:
            yield DaskRunner(client)
        finally:
            _close(client)


def own_runner(workers: int) -> OpenRunner:
    """Return how to carry out runs on this computer: 0 workers are threads of this process."""

    def opened(runs: int) -> contextlib.AbstractContextManager[Runner]:
        if workers == 0:
            return in_threads(min(runs, os.cpu_count() or 1))
        return on_own_workers(min(runs, workers))

    return opened


def _could_not(job: Job, error: object) -> Finished:
    message = f"the worker could not carry out the run: {type(error).__name__}: {error}"
    return ended(job, "failed", "worker", message, lasting=False)


def _lost(error: Exception | None) -> SchedulerLostError:
    why = f": {error}" if error else ""
    return SchedulerLostError(f"the connection to the scheduler is lost{why}")


def _drained(waiting: queue.SimpleQueue[_T], seconds: float) -> list[_T]:
    found = []
    with contextlib.suppress(queue.Empty):
        found.append(waiting.get(timeout=seconds))
        while True:
            found.append(waiting.get_nowait())
    return found


def _close(client: Any) -> None:
    with contextlib.suppress(Exception):
        client.close(timeout=2)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log off the terminal: what matters ends up in rows and messages."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
