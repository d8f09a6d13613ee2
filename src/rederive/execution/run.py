"""Execution of a book's notebooks: through papermill, side by side, and not twice."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from rederive.execution import forkserver
from rederive.execution.cache import ExecutionCache, execution_key, source_digest
from rederive.execution.kept import ROWS_VARIABLE, rows_file
from rederive.execution.notebooks import canonical_bytes, published_form, read_notebook
from rederive.execution.project import ROOT_VARIABLE, SOURCE_DATE_EPOCH, Project
from rederive.printed.errors import BookError, ConfigurationError

Report = Callable[[str], None]
Progress = Callable[[int, int], None]

CELL_TIMEOUT_SECONDS = 600.0
_REFUSALS = ("ConfigurationError", "ParameterError")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_KINDS = {"CellTimeoutError": "timeout", "DeadKernelError": "died"}


@dataclass(frozen=True)
class Task:
    """One notebook, relative to the book's root, and the plain JSON values that it is given."""

    notebook: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The notebook's path as messages have it."""
        return self.notebook.as_posix()


class Executed(NamedTuple):
    """The published form of each notebook, in the order of the tasks, and how many were run."""

    contents: tuple[bytes, ...]
    executions: int


@dataclass(frozen=True)
class Outcome:
    """What became of one task, with the seconds it took.

    ``content`` is the published form of a notebook that ran to its end, ``failed`` the one with its
    error if a cell failed, took too long or killed its process. The kind is ``done``; ``cell``: a
    cell raised an error; ``timeout``; ``died``: the process died; ``disk``: the disk is full;
    ``failed``: anything else, which the message says. ``refused``: the notebook found its
    parameters not usable.
    """

    content: bytes | None = None
    failed: bytes | None = None
    kind: str = "done"
    message: str = ""
    seconds: float = 0.0
    cached: bool = False
    refused: bool = False


def execute_tasks(
    project: Project,
    tasks: Sequence[Task],
    *,
    jobs: int = 2,
    report: Report = print,
    progress: Progress | None = None,
) -> Executed:
    """Execute notebooks, or take them from the cache when nothing they depend on has changed.

    So many jobs run at the same time, the largest notebooks first. Reported are a line when a
    notebook starts and one when it ends, and the progress after each: how many were run and how
    many are to be.

    If a cell fails, the ``BookError`` names notebook and cell and carries papermill's
    own; it is raised for a full disk as well. Notebooks that have succeeded by then stay in the
    cache.
    """
    cache = ExecutionCache(project.cache)
    cached = [cache.get(_key(project, task)) for task in tasks]
    contents = {index: content for index, content in enumerate(cached) if content is not None}
    for index in contents:
        report(f"{tasks[index].name}: unchanged, taken from the cache")
    unchanged = len(contents)
    missing = [index for index in range(len(tasks)) if index not in contents]
    missing.sort(key=lambda index: -(project.root / tasks[index].notebook).stat().st_size)
    failures: list[str] = []

    def run(place: int, task: Task) -> Outcome:
        if failures:  # those that have begun are waited for
            return Outcome()
        report(f"{task.name}: started ({place} of {len(missing)})")
        outcome = run_task(project, task)
        if outcome.content is None:
            failures.append(f"{task.name}: {outcome.message}")
        return outcome

    with ThreadPoolExecutor(jobs, "notebook") as pool:
        try:
            futures = {pool.submit(run, at, tasks[i]): i for at, i in enumerate(missing, start=1)}
            for future in as_completed(futures):
                index, outcome = futures[future], future.result()
                if outcome.content is not None:
                    report(f"{tasks[index].name}: done in {outcome.seconds:.1f} s")
                    contents[index] = outcome.content
                    if progress is not None:
                        progress(len(contents) - unchanged, len(missing))
        except BaseException:  # such as Ctrl-C: nobody waits for the runs under way any more
            pool.shutdown(wait=False, cancel_futures=True)
            forkserver.stop()
            raise
    if failures:
        raise BookError(failures[0])
    cache.prune()
    return Executed(tuple(contents[index] for index in range(len(tasks))), len(missing))


def run_task(
    project: Project,
    task: Task,
    *,
    timeout: float = CELL_TIMEOUT_SECONDS,
    cache: bool = True,
    share_rows: bool | None = None,
) -> Outcome:
    """Run one notebook, or take it from the cache; whatever happens to it becomes an outcome.

    May be called by several threads and processes at the same time; nothing half done is left in
    the cache. `timeout` are the seconds that one cell may take, `cache` is whether to look the run
    up and to keep it, `share_rows` the same for the rows of its ledger, by default as `cache`.
    """
    kept = ExecutionCache(project.cache)
    share_rows = cache if share_rows is None else share_rows
    try:
        key = _key(project, task) if cache else ""
        if cache and (content := kept.get(key)) is not None:
            return Outcome(content, cached=True)
        rows = rows_file(project) if share_rows else ""
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="rederive-", ignore_cleanup_errors=True) as scratch:
            environment = _environment(project.root, scratch, rows)
            outcome = _execute(project.root, task, timeout, scratch, environment)
        outcome = replace(outcome, seconds=time.monotonic() - start)
        # What it depends on may have been changed meanwhile.
        if cache and outcome.content is not None and _key(project, task) == key:
            kept.put(key, outcome.content)
        return outcome
    except BookError as error:
        return Outcome(kind="failed", message=str(error))
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            place = f": {Path(str(error.filename)).name}" if error.filename else ""
            why = f"the disk is full, or a file is larger than allowed ({error.strerror}){place}"
            return Outcome(kind="disk", message=why)
        return Outcome(kind="failed", message=f"{type(error).__name__}: {error}")


def _key(project: Project, task: Task) -> str:
    try:
        notebook = read_notebook(project.root / task.notebook)
    except FileNotFoundError:
        raise ConfigurationError(f"{task.name}: no such notebook") from None
    return execution_key(notebook, task.name, task.parameters, source_digest(project))


def _environment(root: Path, scratch: str, rows: Path | str) -> dict[str, str]:
    """Variables that make a notebook's result independent of the machine's settings."""
    paths = [str(root / "src"), os.environ.get("PYTHONPATH", "")]
    return {
        ROOT_VARIABLE: str(root),
        ROWS_VARIABLE: str(rows),
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
        "MPLBACKEND": forkserver.INLINE_BACKEND,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TZ": "UTC",
        # A reader's own IPython start-up files must not reach the book's numbers.
        "IPYTHONDIR": str(Path(scratch) / "ipython"),
    }


def _execute(
    root: Path, task: Task, timeout: float, scratch: str, environment: Mapping[str, str]
) -> Outcome:
    if forkserver.available() and "papermill" not in sys.modules:  # imports go side by side
        forkserver.start({**os.environ, **environment})
    import papermill

    # A parameter may be given that the notebook leaves at its usual value; all have been checked.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    path = root / task.notebook
    output = Path(scratch) / path.name
    source = read_notebook(path)

    def published() -> bytes:
        executed = json.loads(output.read_text(encoding="utf-8"))
        return canonical_bytes(published_form(executed, source))

    try:
        papermill.execute_notebook(
            str(path),
            str(output),
            parameters=dict(task.parameters),
            kernel_name="python3",
            engine_name="rederive-fork",
            run_in=path.parent,
            environment=environment,
            execution_timeout=timeout,
            progress_bar=False,
        )
    except papermill.PapermillExecutionError as error:
        return _failed(error, published())
    return Outcome(published())


def _failed(error: Any, notebook: bytes) -> Outcome:
    """Return the outcome of a notebook with an error in it."""
    refused = error.ename in _REFUSALS
    full = error.ename == "OSError" and any(f"[Errno {n}]" in error.evalue for n in _DISK_FULL)
    kind = "disk" if full else _KINDS.get(error.ename, "cell")
    message = f"cell {error.cell_index + 1} failed\n{error}"
    if refused:  # what a parameter must be is said in full; how the notebook found out is in it
        message = str(error.evalue)
    elif kind in _KINDS.values():
        message = f"cell {error.cell_index + 1}: {error.evalue}"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", message)
    return Outcome(failed=notebook, kind=kind, message=plain, refused=refused)
