"""Execution of a book's notebooks: through papermill, side by side, and not twice."""

from __future__ import annotations

import ast
import contextlib
import errno
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rederive.errors import BookError, ConfigurationError
from rederive.execution.cache import (
    ALL_DATA,
    EVERYTHING_BELOW,
    ExecutionCache,
    FileStates,
    environment_digest,
    execution_key,
)
from rederive.execution.dependencies import SourceTree
from rederive.execution.notebooks import canonical_bytes, published_form, read_notebook
from rederive.execution.project import ROOT_VARIABLE, SOURCE_DATE_EPOCH, Project
from rederive.execution.syntax import parse

Report = Callable[[str], None]

CELL_TIMEOUT_SECONDS = 600.0
HEARTBEAT_SECONDS = 10.0
KERNEL = "python3"
FORK_ENGINE = "rederive-fork"
_REFUSALS = ("ConfigurationError", "ParameterError")

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


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
class Outcome:
    """What became of one task.

    Parameters
    ----------
    content
        The published form of the executed notebook, if it ran to its end.
    failed
        The notebook with its error, if a cell failed.
    kind
        ``done``; ``cell``: a cell raised an error; ``timeout``: a cell took too long; ``died``:
        the kernel died; ``disk``: the disk is full; ``failed``: anything else.
    message
        What went wrong, or empty.
    seconds
        Time it took.
    cached
        True if it was taken from the cache.
    refused
        True if the notebook found its parameters not usable; the message then says why.
    """

    content: bytes | None
    failed: bytes | None
    kind: str
    message: str
    seconds: float
    cached: bool
    refused: bool = False


@dataclass(frozen=True)
class _Run:
    """What came of starting a notebook; `read` is None if nobody saw what it read."""

    content: bytes | None = None
    failed: bytes | None = None
    kind: str = "done"
    message: str = ""
    seconds: float = 0.0
    read: tuple[str, ...] | None = None
    refused: bool = False


class _Store:
    """The cache of a book, with everything that its keys need as it was when this was made.

    Parameters
    ----------
    project : Project
        The book.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.moment = time.time()
        self.cache = ExecutionCache(project.cache)
        self._files = FileStates(project.root)
        self._tree = SourceTree(project.root)
        self._environment = environment_digest(project)
        self._code: dict[str, tuple[Path, ...]] = {}

    def key(self, task: Task) -> str:
        """Return the key of a task.

        Raises
        ------
        ConfigurationError
            If the file is missing or is not a notebook.
        """
        path = self.project.root / task.notebook
        try:
            notebook = read_notebook(path)
        except FileNotFoundError:
            raise ConfigurationError(f"{task.notebook.as_posix()}: no such notebook") from None
        key = task.notebook.as_posix()
        if key not in self._code:
            self._code[key] = self._tree.files_for(notebook, path.parent)
        sources = f"{self._tree.digest(self._code[key])} {self._environment}"
        return execution_key(notebook, key, task.parameters, sources)

    def find(self, key: str) -> bytes | None:
        """Return a valid executed notebook, or None."""
        return self.cache.get(key, self._files)

    def keep(self, task: Task, key: str, run: _Run) -> None:
        """Store a finished run, unless something it depends on was changed meanwhile."""
        name = task.notebook.as_posix()
        if run.content is None:
            return
        read = self._dependencies(task, run.read)
        code = [path.as_posix() for path in (*self._code[name], self.project.root / name)]
        now = FileStates(self.project.root)
        if not now.changed_since([*read, *code], self.moment):
            self.cache.put(key, run.content, now.of_all(read))
        with contextlib.suppress(OSError):
            self.cache.note_seconds(name, run.seconds)

    def _dependencies(self, task: Task, read: Sequence[str] | None) -> list[str]:
        """Return what counts of what was read: all inside the book, and outside what was named."""
        named = _named_outside(self.project.root, task)
        if read is None:
            return [ALL_DATA, *(_all_of(path) for path in named)]
        own = task.notebook.as_posix()
        kept = []
        for name in read:
            path = Path(name.lstrip("?"))
            if path.is_absolute() and not any(path.is_relative_to(each) for each in named):
                continue
            if name.lstrip("?") != own:
                kept.append(name)
        return kept


def _all_of(path: Path) -> str:
    return f"{path.as_posix()}{EVERYTHING_BELOW}" if path.is_dir() else path.as_posix()


def _named_outside(root: Path, task: Task) -> list[Path]:
    """Return the places outside the book that parameters name, as a user's own data."""
    given = list(task.parameters.values())
    given += [each for value in given if isinstance(value, Mapping) for each in value.values()]
    texts = {value for value in given if isinstance(value, str)}
    notebook = read_notebook(root / task.notebook)
    for cell in notebook["cells"]:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            with contextlib.suppress(SyntaxError):
                nodes = ast.walk(parse("".join(cell["source"])))
                texts |= {
                    node.value
                    for node in nodes
                    if isinstance(node, ast.Constant) and isinstance(node.value, str)
                }
    found = set()
    for text in texts:
        for start in (root, (root / task.notebook).parent):
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                path = Path(os.path.abspath(start / Path(text).expanduser()))  # noqa: PTH100
                if text and not path.is_relative_to(root) and not root.is_relative_to(path):
                    found |= {path} if path.exists() else set()
    return sorted(found)


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
        How many run at the same time, at least 1. Those that took longest last time come first.
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
    BookError
        If the disk is full.
    """
    if jobs < 1:
        raise ConfigurationError(f"jobs: found {jobs}, allowed are whole numbers from 1")
    store = _Store(project)
    keys = [store.key(task) for task in tasks]
    contents = [store.find(key) for key in keys]
    missing = [index for index, content in enumerate(contents) if content is None]
    for index, task in enumerate(tasks):
        if contents[index] is not None:
            report(f"{task.notebook.as_posix()}: unchanged, taken from the cache")
    if missing:
        try:
            with contextlib.closing(
                _run_side_by_side(store, tasks, missing, jobs, report)
            ) as finished:
                for index, run in finished:
                    store.keep(tasks[index], keys[index], run)
                    contents[index] = run.content
            store.cache.prune()
        except OSError as error:
            if not _is_disk_full(error):
                raise
            raise BookError(_disk_message(error)) from error
    return Executed(tuple(content for content in contents if content is not None), len(missing))


def run_task(
    project: Project, task: Task, *, timeout: float = CELL_TIMEOUT_SECONDS, cache: bool = True
) -> Outcome:
    """Run one notebook, or take it from the cache; whatever happens to it becomes an outcome.

    May be called by several threads and processes at the same time.

    Parameters
    ----------
    project
        The book.
    task
        The notebook and its parameters.
    timeout
        Seconds that one cell may take, rounded up to whole ones.
    cache
        Whether to look the run up, and to keep it.

    Returns
    -------
    Outcome
        The result, or what went wrong; nothing half done is left in the cache.
    """
    start = time.monotonic()

    def ended(run: _Run, cached: bool = False) -> Outcome:
        seconds = time.monotonic() - start
        return Outcome(run.content, run.failed, run.kind, run.message, seconds, cached, run.refused)

    try:
        store = _Store(project) if cache else None
        key = store.key(task) if store else ""
        content = store.find(key) if store else None
        if content is not None:
            return ended(_Run(content), cached=True)
        run = _run_one(
            str(project.root),
            task.notebook.as_posix(),
            dict(task.parameters),
            timeout,
        )
        if store:
            store.keep(task, key, run)
        return ended(run)
    except OSError as error:
        if _is_disk_full(error):
            return ended(_Run(kind="disk", message=_disk_message(error)))
        return ended(_Run(kind="failed", message=f"{type(error).__name__}: {error}"))
    except Exception as error:
        text = str(error) if isinstance(error, BookError) else f"{type(error).__name__}: {error}"
        return ended(_Run(kind="failed", message=text))


def _is_disk_full(error: OSError) -> bool:
    return error.errno in _DISK_FULL


def _disk_message(error: OSError) -> str:
    place = f": {Path(str(error.filename)).name}" if error.filename else ""
    return f"the disk is full, or a file is larger than allowed ({error.strerror}){place}"


def _run_side_by_side(
    store: _Store, tasks: Sequence[Task], indices: Sequence[int], jobs: int, report: Report
) -> Generator[tuple[int, _Run], None, None]:
    """Run several tasks; after a failure those that have begun are waited for and kept."""
    project, total = store.project, len(indices)
    expected = {
        index: store.cache.seconds(tasks[index].notebook.as_posix()) or math.inf
        for index in indices
    }
    waiting = sorted(indices, key=lambda index: -expected[index])
    running: dict[Future[_Run], tuple[int, float]] = {}
    failure = ""
    with ThreadPoolExecutor(min(jobs, total), "notebook") as pool, _ended_if_left():
        while running or (waiting and not failure):
            while waiting and not failure and len(running) < jobs:
                index = waiting.pop(0)
                name = tasks[index].notebook.as_posix()
                job = partial(
                    _run_one,
                    str(project.root),
                    name,
                    dict(tasks[index].parameters),
                    CELL_TIMEOUT_SECONDS,
                )
                running[pool.submit(job)] = (index, time.monotonic())
                report(f"{name}: started ({total - len(waiting)} of {total})")
            done, _ = wait(running, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
            left = _time_left(expected, waiting, running, jobs)
            if not done:
                names = ", ".join(
                    f"{tasks[index].notebook.as_posix()} ({time.monotonic() - start:.0f} s)"
                    for index, start in running.values()
                )
                report(f"still running: {names}{left}")
            for future in done:
                index, start = running.pop(future)
                name = tasks[index].notebook.as_posix()
                run = future.result()
                if run.kind == "done":
                    report(f"{name}: done in {time.monotonic() - start:.1f} s{left}")
                    yield index, run
                else:
                    failure = failure or f"{name}: {run.message}"
    if failure:
        raise NotebookFailedError(failure)


@contextlib.contextmanager
def _ended_if_left() -> Iterator[None]:
    """End the runs under way if nobody waits for them any more, as after Ctrl-C."""
    try:
        yield
    except BaseException:
        from rederive.execution.fork import available

        if available(KERNEL):
            from rederive.execution.fork.warm import stop

            stop()
        raise


def _time_left(
    expected: Mapping[int, float],
    waiting: Sequence[int],
    running: Mapping[Future[_Run], tuple[int, float]],
    jobs: int,
) -> str:
    """Return the estimate for whoever looks on; nothing if there is none."""
    if not sys.stderr.isatty():
        return ""
    now = time.monotonic()
    begun = [max(0.0, expected[index] - (now - start)) for index, start in running.values()]
    seconds = max(
        [(sum(expected[index] for index in waiting) + sum(begun)) / jobs, *begun], default=0.0
    )
    return f" (about {seconds:.0f} s left)" if 1 <= seconds < math.inf else ""


def _environment(root: str) -> dict[str, str]:
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


def _run_one(root: str, name: str, parameters: dict[str, Any], timeout: float) -> _Run:
    """Run one notebook; what happens to it is part of the result, with the time it took."""
    start = time.monotonic()
    try:
        run = _run_in_scratch(root, name, parameters, timeout)
    except OSError as error:
        if not _is_disk_full(error):
            raise
        run = _Run(kind="disk", message=_disk_message(error))
    return replace(run, seconds=time.monotonic() - start)


def _run_in_scratch(root: str, name: str, parameters: dict[str, Any], timeout: float) -> _Run:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    start = time.monotonic()
    path = Path(root) / name
    source = read_notebook(path)
    with tempfile.TemporaryDirectory(prefix="rederive-", ignore_cleanup_errors=True) as scratch:
        output = Path(scratch) / path.name
        # A reader's own IPython start-up files must not reach the book's numbers.
        environment = _environment(root) | {"IPYTHONDIR": str(Path(scratch) / "ipython")}
        execute = partial(
            papermill.execute_notebook,
            str(path),
            str(output),
            parameters=parameters,
            kernel_name=KERNEL,
            engine_name=FORK_ENGINE,
            run_in=path.parent,
            environment=environment,
            trace_root=Path(root),
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=max(1, math.ceil(timeout)),  # nbclient takes whole seconds
            shutdown_kernel="immediate",
            extra_arguments=["--IPKernelApp.log_level=40"],
        )
        try:
            execute()
        except papermill.PapermillExecutionError as error:
            failed = published_form(json.loads(output.read_text(encoding="utf-8")), source)
            kind = "disk" if _is_disk_full_in_cell(error) else "cell"
            refused = error.ename in _REFUSALS
            # What a parameter must be is said in full; how the notebook found out is in it.
            message = f"cell {error.cell_index + 1} failed\n{error}"
            return _Run(
                failed=canonical_bytes(failed),
                kind=kind,
                message=str(error.evalue) if refused else message,
                refused=refused,
            )
        except CellTimeoutError as error:
            # nbclient also says so when a dying kernel no longer answers and is not yet gone.
            if time.monotonic() - start < timeout:
                return _Run(kind="died", message="the kernel died")
            message = f"a cell took longer than {timeout:g} s\n{error}"
            return _Run(kind="timeout", message=message)
        except DeadKernelError as error:
            return _Run(kind="died", message=f"the kernel died\n{error}")
        executed = json.loads(output.read_text(encoding="utf-8"))
    read = executed["metadata"].get("papermill", {}).get("files_read")
    content = canonical_bytes(published_form(executed, source))
    return _Run(content, read=None if read is None else tuple(read))


def _is_disk_full_in_cell(error: Any) -> bool:
    """Say whether the error of a cell is that of a full disk."""
    return error.ename in ("OSError", "IOError") and any(
        f"[Errno {number}]" in error.evalue for number in _DISK_FULL
    )
