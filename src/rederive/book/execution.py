"""Execution of a book's notebooks: through papermill, side by side, and not twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rederive.book.cache import ExecutionCache, execution_key, source_digest
from rederive.book.config import ROOT_VARIABLE, SOURCE_DATE_EPOCH, Project
from rederive.book.errors import BookError, ConfigurationError
from rederive.book.notebooks import canonical_bytes, published_form, read_notebook

Report = Callable[[str], None]

CELL_TIMEOUT_SECONDS = 600
HEARTBEAT_SECONDS = 10.0


class NotebookFailedError(BookError):
    """A cell of a notebook raised an error, or its kernel died."""


@dataclass(frozen=True)
class Task:
    """One notebook and the parameters to run it with.

    Parameters
    ----------
    notebook
        Path relative to the book's root.
    parameters
        Values that replace those of the parameters cell; plain JSON values.
    """

    notebook: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Executed:
    """Results of `execute_tasks`.

    Parameters
    ----------
    contents
        The published form of each executed notebook, in the order of the tasks.
    executions
        How many notebooks were run; the others came from the cache.
    """

    contents: tuple[bytes, ...]
    executions: int


@dataclass(frozen=True)
class _Failure:
    message: str


def execute_tasks(
    project: Project, tasks: Sequence[Task], *, jobs: int = 2, report: Report = print
) -> Executed:
    """Execute notebooks, or take them from the cache when nothing they depend on has changed.

    Parameters
    ----------
    project
        The book.
    tasks
        The notebooks and their parameters.
    jobs
        How many run at the same time, at least 1.
    report
        Receives one line when a notebook starts and one when it ends.

    Returns
    -------
    Executed
        The executed notebooks, and how many were run for it.

    Raises
    ------
    ConfigurationError
        If `jobs` is below 1 or a file is not a notebook.
    NotebookFailedError
        If a cell fails; the message names notebook and cell and carries papermill's own.
        Notebooks that have succeeded by then stay in the cache.
    """
    if jobs < 1:
        raise ConfigurationError(f"jobs: found {jobs}, allowed are whole numbers from 1")
    cache = ExecutionCache(project.cache)
    sources = source_digest(project)
    keys = [
        execution_key(
            read_notebook(project.root / task.notebook),
            task.notebook.as_posix(),
            task.parameters,
            sources,
        )
        for task in tasks
    ]
    contents = [cache.get(key) for key in keys]
    missing = [index for index, content in enumerate(contents) if content is None]
    for index, task in enumerate(tasks):
        if contents[index] is not None:
            report(f"{task.notebook.as_posix()}: unchanged, taken from the cache")
    if missing:
        for index, content in _run(project, tasks, missing, jobs, report):
            cache.put(keys[index], content)
            contents[index] = content
        cache.prune()
    return Executed(tuple(content for content in contents if content is not None), len(missing))


def _run(
    project: Project, tasks: Sequence[Task], indices: Sequence[int], jobs: int, report: Report
) -> Iterator[tuple[int, bytes]]:
    context = multiprocessing.get_context("spawn")
    waiting = list(indices)
    running: dict[Future[bytes | _Failure], tuple[int, float]] = {}
    total = len(indices)
    with ProcessPoolExecutor(min(jobs, total), mp_context=context) as pool:
        while waiting or running:
            while waiting and len(running) < jobs:
                index = waiting.pop(0)
                name = tasks[index].notebook.as_posix()
                future = pool.submit(
                    _execute_one, str(project.root), name, dict(tasks[index].parameters)
                )
                running[future] = (index, time.monotonic())
                report(f"{name}: started ({total - len(waiting)} of {total})")
            done, _ = wait(running, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
            if not done:
                names = ", ".join(
                    f"{tasks[index].notebook.as_posix()} ({time.monotonic() - start:.0f} s)"
                    for index, start in running.values()
                )
                report(f"still running: {names}")
            for future in done:
                index, start = running.pop(future)
                name = tasks[index].notebook.as_posix()
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    outcome = _Failure("the process that ran it was killed")
                if isinstance(outcome, _Failure):
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise NotebookFailedError(f"{name}: {outcome.message}")
                report(f"{name}: done in {time.monotonic() - start:.1f} s")
                yield index, outcome


def _kernel_environment(root: str) -> dict[str, str]:
    """Variables that make a notebook's result independent of the machine's settings."""
    paths = [str(Path(root) / "src"), os.environ.get("PYTHONPATH", "")]
    return {
        ROOT_VARIABLE: root,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TZ": "UTC",
    }


def _execute_one(root: str, name: str, parameters: dict[str, Any]) -> bytes | _Failure:
    """Run one notebook in this process (papermill changes the working directory)."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    path = Path(root) / name
    source = read_notebook(path)
    os.environ.update(_kernel_environment(root))
    with tempfile.TemporaryDirectory(prefix="rederive-") as scratch:
        # A reader's own IPython start-up files must not reach the book's numbers.
        os.environ["IPYTHONDIR"] = str(Path(scratch) / "ipython")
        output = Path(scratch) / path.name
        try:
            papermill.execute_notebook(
                str(path),
                str(output),
                parameters=parameters,
                kernel_name="python3",
                cwd=str(path.parent),
                progress_bar=False,
                request_save_on_cell_execute=False,
                execution_timeout=CELL_TIMEOUT_SECONDS,
                shutdown_kernel="immediate",
                extra_arguments=["--IPKernelApp.log_level=40"],
            )
        except papermill.PapermillExecutionError as error:
            return _Failure(f"cell {error.cell_index + 1} failed\n{error}")
        except CellTimeoutError as error:
            return _Failure(f"a cell took longer than {CELL_TIMEOUT_SECONDS} s\n{error}")
        except DeadKernelError as error:
            return _Failure(f"the kernel died\n{error}")
        executed = json.loads(output.read_text(encoding="utf-8"))
    return canonical_bytes(published_form(executed, source))
