"""The forked process that runs the cells of one notebook in an IPython shell."""

from __future__ import annotations

import io
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.jsonutil import encode_images, json_clean
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.shellapp import InteractiveShellApp
from traitlets import Type
from traitlets.config import Config

Send = Callable[..., None]


class _Stream(io.TextIOBase):
    """What the notebook has for ``sys.stdout`` or ``sys.stderr``."""

    encoding = "utf-8"

    def __init__(self, name: str, send: Send) -> None:
        self._name, self._send = name, send

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            self._send("stream", name=self._name, text=text)
        return len(text)


def _plain(data: Mapping[str, Any]) -> Any:
    """Return display data as JSON holds it."""
    return json_clean(encode_images(dict(data)))  # type: ignore[no-untyped-call]


class _DisplayHook(DisplayHook):
    """Sends the value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        shell: Any = self.shell
        data, metadata = _plain(format_dict), _plain(md_dict or {})
        count = self.prompt_count
        shell.send("execute_result", data=data, metadata=metadata, execution_count=count)

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Publisher(DisplayPublisher):
    """Sends what ``display`` shows."""

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        *_: Any,
        transient: Any = None,
        update: bool = False,
        **__: Any,
    ) -> None:
        kind = "update_display_data" if update else "display_data"
        name = (transient or {}).get("display_id")
        shell: Any = self.shell
        shell.send(kind, data=_plain(data), metadata=_plain(metadata or {}), display_id=name)

    def clear_output(self, wait: bool = False) -> None:
        shell: Any = self.shell
        shell.send("clear_output", wait=wait)


class ZMQInteractiveShell(InteractiveShell):
    """A shell that sends its outputs; libraries know by this name that they are in a notebook."""

    displayhook_class = Type(_DisplayHook)
    display_pub_class = Type(_Publisher)
    kernel = None
    send: Send

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: figures are drawn inline."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        self.send("error", ename=etype.__name__, evalue=str(evalue), traceback=stb)


def run(connection: Connection) -> None:
    """Run the cells that the driver sends and end the process; nothing of it outlives the driver.

    The connection brings the cells (of each the position, the source, and whether an error ends the
    run), all environment variables, and the working directory. It takes pairs of a kind and its
    fields: those of nbformat's outputs, ``start`` and ``end`` of each cell, and ``finished``.
    """
    try:
        os.setsid()
        connection.send(("forked", {"pid": os.getpid()}))
        cells, environment, folder = connection.recv()
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        os.register_at_fork(after_in_child=connection.close)
        _settle(environment, folder)
        _run_cells(cells, _sender(connection))
    finally:
        os._exit(0)


def _sender(connection: Connection) -> Send:
    """Return how outputs are sent, also from several threads."""
    lock = threading.Lock()

    def send(kind: str, **fields: Any) -> None:
        with lock:
            connection.send((kind, fields))

    return send


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


def _run_cells(cells: Sequence[tuple[int, str, bool]], send: Send) -> None:
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "nocolor"
    shell: Any = ZMQInteractiveShell.instance(config=settings)
    shell.send = send
    sys.stdout, sys.stderr = _Stream("stdout", send), _Stream("stderr", send)
    shell.enable_matplotlib("inline")
    for position, source, must_succeed in cells:
        send("start", position=position, execution_count=shell.execution_count)
        done = shell.run_cell(source, store_history=True).success
        failed = must_succeed and not done
        send("end", failed=failed)
        if failed:
            break
    send("finished", language_info=IPythonKernel.language_info)
