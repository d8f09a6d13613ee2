"""The forked process that runs the cells of one notebook in an IPython shell."""

from __future__ import annotations

import io
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

from ipykernel import zmqshell
from ipykernel.ipkernel import IPythonKernel
from ipykernel.jsonutil import json_clean
from IPython.core.shellapp import InteractiveShellApp
from jupyter_client.session import Session
from traitlets.config import Config


class _Session(Session):
    """Sends the messages of a kernel to the driver, also from several threads."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection, self._lock = connection, threading.Lock()

    def send(  # type: ignore[override]
        self, stream: object, message: Any, content: Any = None, *_: Any, **__: Any
    ) -> None:
        """Send a message, or one of some kind with this content."""
        if isinstance(message, Mapping):
            message, content = message["msg_type"], message["content"]
        plain = json_clean(content)  # type: ignore[no-untyped-call]
        with self._lock:
            self._connection.send((message, plain))


class _Stream(io.TextIOBase):
    """What the notebook has for ``sys.stdout`` or ``sys.stderr``."""

    encoding = "utf-8"

    def __init__(self, name: str, session: _Session) -> None:
        self._name, self._session = name, session

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            self._session.send(None, "stream", {"name": self._name, "text": text})
        return len(text)


class ZMQInteractiveShell(zmqshell.ZMQInteractiveShell):
    """The shell of a kernel; libraries know by this name that they are in a notebook."""

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: figures are drawn inline."""

    def ask_exit(self) -> None:
        """Do nothing: the last cell ends the process."""


def run(connection: Connection) -> None:
    """Run the cells that the driver sends and end the process; nothing of it outlives the driver.

    The connection brings the cells (of each the position, the source, and whether an error ends the
    run), all environment variables, and the working directory. It takes the id of this process,
    then the kind and the content of Jupyter's messages; a reply says whether its cell ends the run.
    """
    try:
        os.setsid()
        connection.send(os.getpid())
        cells, environment, folder = connection.recv()
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        os.register_at_fork(after_in_child=connection.close)
        _settle(environment, folder)
        _run_cells(cells, _Session(connection))
    finally:
        os._exit(0)


def _end_with(connection: Connection) -> None:
    """End this process and all that it has started as soon as the driver hangs up."""
    try:
        connection.poll(None)
    finally:
        os.killpg(0, signal.SIGKILL)


def _settle(environment: Mapping[str, str], folder: str) -> None:
    """Make this process what a new interpreter in the folder would be."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.path.remove("")  # the folder comes behind the standard library, as in a kernel
    application: Any = SimpleNamespace(ignore_cwd=False)
    InteractiveShellApp.init_path(application)
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _run_cells(cells: Sequence[tuple[int, str, bool]], session: _Session) -> None:
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "nocolor"
    shell: Any = ZMQInteractiveShell.instance(config=settings)
    shell.displayhook.session = shell.display_pub.session = session
    sys.stdout, sys.stderr = _Stream("stdout", session), _Stream("stderr", session)
    shell.enable_matplotlib("inline")
    for position, source, must_succeed in cells:
        begun = {"position": position, "execution_count": shell.execution_count}
        session.send(None, "execute_input", begun)
        done = shell.run_cell(source, store_history=True).success
        failed = must_succeed and not done
        session.send(None, "execute_reply", {"failed": failed})
        if failed:
            break
    session.send(None, "kernel_info_reply", {"language_info": IPythonKernel.language_info})
