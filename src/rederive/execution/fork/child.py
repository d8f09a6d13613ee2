"""The process that runs one notebook: an IPython kernel that talks over two Unix sockets."""

from __future__ import annotations

import asyncio
import atexit
import gc
import importlib
import importlib.util
import logging
import multiprocessing.util
import os
import random
import signal
import socket
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import zmq
from ipykernel.iostream import IOPubThread
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.utils import _async_in_context
from matplotlib_inline import backend_inline
from tornado.ioloop import IOLoop
from traitlets import Any as AnyTrait
from traitlets import Type

from rederive.execution.fork.wire import (
    FILES_REQUEST,
    READ_BYTES,
    Unpacker,
    packed,
    unsigned_session,
)

_FOUND = importlib.util.find_spec("ipykernel_launcher")
_LAUNCHER = (_FOUND and _FOUND.origin) or "ipykernel_launcher"


@dataclass(frozen=True)
class Run:
    """What the caller asks for.

    Parameters
    ----------
    environment : dict
        All environment variables.
    folder : str
        The working directory.
    python_path : list of str
        Folders of ``PYTHONPATH``, absolute.
    arguments : list of str
        Further arguments of the kernel, such as ``--HistoryManager.hist_file=:memory:``.
    trace_root : str
        Folder below which files that are read are recorded; empty for none.
    """

    environment: dict[str, str]
    folder: str
    python_path: list[str]
    arguments: list[str]
    trace_root: str = ""


class Outlet:
    """The part of a ZeroMQ socket that a kernel uses to send."""

    def __init__(self, connection: socket.socket, context: zmq.Context[Any] | None = None) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.context = context

    def send_multipart(self, parts: Sequence[Any], *_: Any, **__: Any) -> None:
        """Send one message; one that nobody reads any more is dropped.

        Parameters
        ----------
        parts : sequence of bytes
            Its parts.
        """
        content = packed([getattr(part, "buffer", part) for part in parts])
        try:
            with self._lock:
                self._connection.sendall(content)
        except OSError:
            pass

    def flush(self, *_: Any) -> None:
        """Do nothing: what is sent is sent."""

    def close(self, *_: Any) -> None:
        """Leave the socket open; it closes with the process."""


class ForkKernel(IPythonKernel):
    """An IPython kernel whose requests come from the caller's socket."""

    shell_stream = AnyTrait()
    iopub_socket = AnyTrait()
    _supports_kernel_subshells = False

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)  # type: ignore[no-untyped-call]
        self.finished = asyncio.Event()
        self.shell_handlers[FILES_REQUEST] = self.files_read_request

    def start(self) -> None:
        """Get ready for requests."""
        if self.shell:
            self.shell.exit_now = False
        self.io_loop = IOLoop.current()
        self._control_lock = asyncio.Lock()

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Do nothing: requests come one at a time, so none waits that could be aborted."""

    async def files_read_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Answer which files the notebook has read so far."""
        tracing = importlib.import_module("rederive.execution.tracing")
        content = {"status": "ok", "files": list(tracing.files_read())}
        assert self.session is not None
        self.session.send(stream, "files_read_reply", content, parent, ident)

    async def shutdown_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """End after this request."""
        self.finished.set()


class ForkKernelApp(IPKernelApp):
    """Sets a kernel up as Jupyter does, without ports, files and a heart beat."""

    kernel_class: Any = Type(ForkKernel, klass="ipykernel.kernelbase.Kernel")
    requests: socket.socket
    outputs: socket.socket

    def init_connection_file(self) -> None:
        """Not needed: the caller is connected."""

    def write_connection_file(self, **_: Any) -> None:
        """Not needed: the caller is connected."""

    def log_connection_info(self) -> None:
        """Not needed: the caller is connected."""

    def init_poller(self) -> None:
        """Not needed: the end of the caller closes the socket."""

    def init_heartbeat(self) -> None:
        """Not needed: the server tells when this process ends."""

    def init_sockets(self) -> None:
        """Make the two sockets look like those of a kernel."""
        self.context = zmq.Context()
        self.session = unsigned_session(self)
        self.shell_socket = Outlet(self.requests)
        self.configure_tornado_logger()  # type: ignore[no-untyped-call]
        outlet = Outlet(self.outputs, self.context)
        thread: Any = IOPubThread(outlet, pipe=True, session=self.session)  # type: ignore[no-untyped-call]
        thread.start()
        self.iopub_thread = thread
        self.iopub_socket = thread.background_socket

    def init_kernel(self) -> None:
        """Create the kernel."""
        kernel = self.kernel_class.instance(
            parent=self,
            session=self.session,
            shell_stream=self.shell_socket,
            # Asked for the thread in which cells run.
            shell_channel_thread=SimpleNamespace(parent_thread=threading.main_thread()),
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.kernel = kernel
        self.displayhook.get_execution_count = lambda: kernel.execution_count

    def close(self) -> None:
        """Give the streams back; the sockets close with the process."""
        self.reset_io()  # type: ignore[no-untyped-call]


def _own_process() -> None:
    """Leave behind what belongs to the server: signals, functions to call at exit, random state."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Only the library's own clean-up is for every process; the server's temporary files are not.
    atexit._clear()
    weakref.finalize._registry.clear()  # type: ignore[attr-defined]
    atexit.register(logging.shutdown)
    atexit.register(weakref.finalize._exitfunc)  # type: ignore[attr-defined]
    multiprocessing.util._finalizer_registry.clear()  # type: ignore[attr-defined]
    atexit.register(multiprocessing.util._exit_function)  # type: ignore[attr-defined]
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _settle(run: Run, base_path: Sequence[str]) -> None:
    """Set environment, working directory and module path as a new interpreter has them."""
    os.environ.clear()
    os.environ.update(run.environment)
    time.tzset()
    os.chdir(run.folder)
    sys.path[:] = [*run.python_path, *(path for path in base_path if path not in run.python_path)]
    sys.argv = [_LAUNCHER]
    if run.trace_root:
        importlib.import_module("rederive.execution.tracing").start(Path(run.trace_root))


def _end_of_caller() -> None:
    """End at once, with all that was started from here; a cell may be running."""
    os.killpg(0, signal.SIGKILL)


def _read_requests(
    connection: socket.socket, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[list[bytes]]
) -> None:
    unpacker = Unpacker()
    while True:
        try:
            content = connection.recv(READ_BYTES)
        except OSError:
            content = b""
        if not content:
            _end_of_caller()
        unpacker.feed(content)
        while (parts := unpacker.message()) is not None:
            loop.call_soon_threadsafe(queue.put_nowait, parts)


async def _serve(app: ForkKernelApp) -> None:
    kernel = app.kernel
    kernel.start()
    queue: asyncio.Queue[list[bytes]] = asyncio.Queue()
    reader = threading.Thread(
        target=_read_requests,
        args=(app.requests, asyncio.get_running_loop(), queue),
        name="Requests",
        daemon=True,
    )
    reader.start()
    handle = _async_in_context(partial(kernel.shell_main, None))
    while not kernel.finished.is_set():
        parts = await queue.get()
        await handle([zmq.Frame(part) for part in parts])


def run_notebook(
    run: Run, requests: socket.socket, outputs: socket.socket, base_path: Sequence[str]
) -> None:
    """Answer the requests of one caller; returns when it says that the notebook is done.

    Parameters
    ----------
    run : Run
        What the caller asks for.
    requests : socket.socket
        Brings requests and takes replies.
    outputs : socket.socket
        Takes the outputs of the cells.
    base_path : sequence of str
        ``sys.path`` of an interpreter without ``PYTHONPATH``.
    """
    _own_process()
    _settle(run, base_path)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def whole() -> None:
        app: Any = ForkKernelApp.instance()
        app.requests, app.outputs = requests, outputs
        app.initialize(run.arguments)
        # The module does this when it is imported; but then there was no shell yet.
        backend_inline._enable_matplotlib_integration()
        await _serve(app)

    loop.run_until_complete(whole())
    # As at the end of an interpreter: threads, functions registered, files still open.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()
