"""Execution of one notebook in a fork, by papermill's own client."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager
from papermill.log import logger
from papermill.utils import remove_args

from rederive.execution.fork.choice import available
from rederive.execution.fork.kernel import ForkManager
from rederive.execution.fork.warm import NoForkError
from rederive.execution.fork.wire import FILES_REQUEST


class _ForkClient(PapermillNotebookClient):  # type: ignore[misc]
    traces_files = False

    def papermill_execute_cells(self) -> None:
        try:
            super().papermill_execute_cells()
            if self.traces_files:
                reply = self.wait_for_reply(self.kc.send(FILES_REQUEST, {}))
                self.nb.metadata["papermill"]["files_read"] = reply["content"]["files"]
        except BaseException:
            # A cell may still be running: there is no point in waiting for its end.
            self.shutdown_kernel = "immediate"
            raise


class ManagedForkEngine(Engine):  # type: ignore[misc]
    """Runs each notebook in a fork of a process that has the libraries imported.

    Messages, outputs, errors and hooks are those of papermill and nbclient; only the kernel
    is not started but forked. Where that is not to be had, the ordinary engine does the work.
    Settings of IPython are read as usual, from the run's ``IPYTHONDIR``.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: int = 60,
        execution_timeout: float | None = None,
        run_in: str | Path | None = None,
        environment: Mapping[str, str] | None = None,
        trace_root: str | Path | None = None,
        **settings: Any,
    ) -> Any:
        """Execute the cells.

        Parameters
        ----------
        nb_man : NotebookExecutionManager
            Papermill's holder of the notebook.
        kernel_name : str
            Name of the kernel.
        log_output : bool
            Whether outputs also go to papermill's log.
        stdout_file, stderr_file : file or None
            Where the streams are also written to.
        start_timeout : int
            Seconds to wait for the process that is forked.
        execution_timeout : float or None
            Seconds that a cell may take, rounded up to whole ones; None for any time.
        run_in : str, Path or None
            Working directory of the notebook; None for that of the calling process, which
            stays as it is.
        environment : mapping or None
            Variables set for the notebook, on top of those of the calling process. Variables
            that count when a library is imported (``OMP_NUM_THREADS``, ``PYTHONHASHSEED`` and
            the like, see `rederive.execution.fork.warm.IMPORT_VARIABLES`) hold as well; runs that
            differ in one of them cannot share a server, and changing it costs a new one.
        trace_root : str, Path or None
            Folder below which the files that the notebook reads are recorded, in the
            notebook's metadata: ``papermill.files_read``.
        **settings
            Further settings of nbclient.

        Returns
        -------
        NotebookNode
            The executed notebook.
        """
        settings = remove_args(["input_path", "startup_timeout"], **settings)
        seconds = execution_timeout or settings.pop("timeout", None)
        # nbclient counts whole seconds.
        timeout = None if seconds is None else math.ceil(seconds)
        common = {
            "timeout": timeout,
            "startup_timeout": start_timeout,
            "kernel_name": kernel_name,
            "log": logger,
            "log_output": log_output,
            "stdout_file": stdout_file,
            "stderr_file": stderr_file,
        }
        settings = {**settings, **common}
        folder = os.fspath(run_in) if run_in is not None else ""
        variables = dict(environment or {})
        if available(kernel_name):
            trace = str(Path(trace_root).absolute()) if trace_root is not None else ""
            manager = ForkManager(variables, folder, trace, start_timeout)
            client = _ForkClient(nb_man, km=manager, **settings)
            client.traces_files = bool(trace)
            try:
                return client.execute(cleanup_kc=True)
            except NoForkError as error:
                logger.warning(f"The ordinary kernel is used: {error}")
        if folder:
            settings.setdefault("resources", {"metadata": {"path": folder}})
        client = PapermillNotebookClient(nb_man, **settings)
        return client.execute(env={**os.environ, **variables})
