"""Who carries out the runs: threads of this process, or workers of Dask."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rederive.execution import forkserver
from rederive.printed.errors import ConfigurationError
from rederive.sweep.job import Job, perform

CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Workers:
    """Carry out runs, several at a time.

    ``submit`` begins a run and returns its future, ``capacity`` says how many may be under way at
    the same time, ``connected`` whether there is still somebody who carries them out.
    """

    submit: Callable[[Job], Any]
    capacity: Callable[[], int]
    connected: Callable[[], bool]


@contextmanager
def in_threads(threads: int) -> Iterator[Workers]:
    """Open so many threads of this process; each notebook still runs in a process of its own."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield Workers(lambda job: pool.submit(perform, job), lambda: threads, lambda: True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        forkserver.stop()  # of a sweep that was stopped, nobody waits for the runs under way


@contextmanager
def _on_dask(address: str = "", processes: int = 1) -> Iterator[Workers]:
    """Connect to a Dask scheduler, or start one with workers on this computer.

    Each worker is a process with one thread, from which notebooks fork.
    """
    import distributed

    package: Any = distributed
    if address.endswith(".json") and not Path(address).is_file():
        raise ConfigurationError(f"scheduler {address}: no such file")
    # What matters of Dask's log ends up in rows and messages.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    cluster = None
    if not address:
        cluster = package.LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    where = {"address": cluster} if cluster else where
    try:
        client = package.Client(**where, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigurationError(
            f"scheduler {address}: cannot be reached: {error}; expected the form tcp://HOST:8786"
        ) from None
    try:
        yield Workers(
            lambda job: client.submit(perform, job, pure=False),
            lambda: max(1, sum(client.nthreads().values())),
            lambda: bool(client.status == "running"),
        )
    finally:
        with suppress(Exception):
            client.close(timeout=2)
        with suppress(Exception):
            if cluster:
                cluster.close(timeout=10)


def open_workers(runs: int, workers: int, scheduler: str = "") -> Any:
    """Return what carries out so many runs, as a context manager.

    Without worker processes on this computer threads of this one do it. A scheduler is the address
    of Dask's, or the ``.json`` file in which it has put its address; if it does not answer,
    entering the context is a ``ConfigurationError``.
    """
    if scheduler:
        return _on_dask(scheduler)
    if workers == 0:
        return in_threads(min(runs, os.cpu_count() or 1))
    return _on_dask(processes=min(runs, workers))
