"""The papermill engine ``rederive-fork``.

Papermill imports this module at the end of its own import; import papermill before it.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import v4
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager

from rederive.execution.forkserver import available, forked


class ForkEngine(Engine):  # type: ignore[misc]
    """Runs each notebook in a fork of a process that has the libraries imported.

    Where forks are not to be had, and with ``REDERIVE_ENGINE=ordinary``, Jupyter's kernel does it.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        execution_timeout: float | None = None,
        run_in: str | Path | None = None,
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        """Execute the cells; one that fails, takes too long or kills the process has an error.

        A cell may take any time if `execution_timeout` is None, else so many seconds. The working
        directory of this process stays as it is; `environment` is set on top of its variables. The
        name and the settings of a kernel count where an ordinary one is used.
        """
        folder = str(Path(run_in or ".").absolute())
        variables = {**os.environ, **(environment or {})}
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"run_in: no such folder: {folder}")
        if available():
            # Papermill writes the whole notebook at its end; here it would do so twice a cell.
            nb_man.output_path = None
            with forked(variables) as connection:
                connection.send((_code_cells(nb_man.nb), variables, folder))
                _Follower(nb_man, execution_timeout).follow(connection)
        else:
            _run_ordinary(nb_man, kernel_name, execution_timeout, folder, variables)


def _code_cells(notebook: Any) -> list[tuple[int, str, bool]]:
    found = []
    for position, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and cell.source.strip() and "skip-execution" not in tags:
            found.append((position, cell.source, "raises-exception" not in tags))
    return found


class _Follower:
    """Puts into a notebook what its process sends; a cell may take so many seconds."""

    def __init__(self, nb_man: NotebookExecutionManager, timeout: float | None) -> None:
        self._nb_man, self._timeout = nb_man, timeout
        self._position = next((each[0] for each in _code_cells(nb_man.nb)), 0)
        self._begun = math.inf
        self._client = NotebookClient(nb_man.nb, record_timing=False)

    @property
    def _cell(self) -> Any:
        return self._nb_man.nb.cells[self._position]

    def follow(self, connection: Connection) -> None:
        """Take in everything until the last cell has ended, or one has failed."""
        while True:
            try:
                if not connection.poll(self._seconds_left()):
                    words = f"the cell took longer than {self._timeout:g} s"
                    return self._fail(CellTimeoutError, words)
                kind, content = connection.recv()
            except (EOFError, OSError):
                return self._fail(DeadKernelError, "the process that ran the cell died")
            if kind == "kernel_info_reply":
                self._nb_man.nb.metadata["language_info"] = content["language_info"]
                return None
            if kind == "execute_reply":
                self._end(content["failed"])
            else:
                self._take_in(kind, content)

    def _seconds_left(self) -> float | None:
        if self._timeout is None or self._begun == math.inf:
            return None
        return max(0.0, self._begun + self._timeout - time.monotonic())

    def _end(self, failed: bool) -> None:
        if failed:
            self._nb_man.cell_exception(self._cell, cell_index=self._position)
        self._nb_man.cell_complete(self._cell, cell_index=self._position)

    def _fail(self, kind: type[Exception], message: str) -> None:
        """Note an error that the process could not send itself."""
        self._cell.outputs.append(_error(kind, message))
        self._end(True)

    def _take_in(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "execute_input":
            self._position, self._begun = content["position"], time.monotonic()
            self._client.clear_before_next_output = False
            self._nb_man.cell_start(self._cell, self._position)
        last: Any = self._cell.outputs[-1] if self._cell.outputs else {}
        clears = self._client.clear_before_next_output
        if kind == "stream" and not clears and last.get("name") == content["name"]:
            last.text += content["text"]
            return
        header = {"msg_type": kind}
        message = {**header, "header": header, "parent_header": {}, "content": content}
        self._client.process_message(message, self._cell, self._position)


def _error(kind: type[Exception], message: str) -> Any:
    name = kind.__name__
    return v4.new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])


def _run_ordinary(
    nb_man: NotebookExecutionManager,
    kernel_name: str,
    timeout: float | None,
    folder: str,
    environment: Mapping[str, str],
) -> None:
    """Run the cells in a kernel of Jupyter's."""
    client = PapermillNotebookClient(
        nb_man,
        kernel_name=kernel_name,
        timeout=None if timeout is None else math.ceil(timeout),  # nbclient counts whole seconds
        resources={"metadata": {"path": folder}},
        shutdown_kernel="immediate",
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    try:
        client.execute(env=dict(environment))
    except (CellTimeoutError, DeadKernelError) as error:
        started = [i for i, c in enumerate(nb_man.nb.cells) if c.metadata.papermill["start_time"]]
        cell = nb_man.nb.cells[started[-1]]
        message = str(error).strip().splitlines()[0] if str(error) else "the kernel died"
        cell.outputs.append(_error(type(error), message))
        nb_man.cell_exception(cell, cell_index=started[-1])
