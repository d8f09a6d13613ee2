"""A process that has the libraries imported and forks one more for each notebook.

The standard library's own fork server imports the driver's main module into every fork, cannot set
the server's environment, and is closed to daemonic processes such as the workers of Dask; so
`os.fork` is called here, and `multiprocessing.connection` carries the messages.
"""

from __future__ import annotations

import builtins
import gc
import importlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import entry_points
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

from rederive.lazy import load_all

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"

_LIBRARIES = (
    "rederive.execution.child",
    "IPython.core.magics.execution",
    "pandas",
    "pandas.io.formats.style",
    "pandas.plotting._matplotlib",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "PIL.PngImagePlugin",
    "scipy.stats",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "statsmodels.api",
    "statsmodels.formula.api",
    "seaborn",
)
# A library reads these when it is imported: runs that differ in one cannot share a server.
_READ_AT_IMPORT = ("MKL_", "MPL", "NUMBA_", "OMP_", "OPENBLAS_", "PYTHON")


def available() -> bool:
    """Say whether notebooks can be run in forks: if the system can fork and pass open files on.

    With ``ordinary`` in the variable ``REDERIVE_ENGINE`` they are not to be.
    """
    chosen = os.environ.get("REDERIVE_ENGINE") != "ordinary"
    return chosen and hasattr(os, "fork") and hasattr(socket, "send_fds")


# --- the server ----------------------------------------------------------------------------------


def serve(handle: int) -> None:
    """Import the libraries and fork for each connection that a socket brings, by its descriptor.

    The process ends with the driver.
    """
    gc.disable()  # imports make no garbage, and looking for it takes a tenth of their time
    _preload()
    gc.freeze()  # what is there for good is not looked through in every fork
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    control = socket.socket(fileno=handle)
    while handles := socket.recv_fds(control, 1, 1)[1]:
        if os.fork() == 0:
            control.close()
            from rederive.execution.child import run

            run(Connection(handles[0]))
        os.close(handles[0])


def _preload() -> None:
    """Import all libraries; one that cannot be imported is left to the notebooks."""
    # Some libraries look for the shell to find out that they are not in a terminal.
    shell = SimpleNamespace(kernel=None)
    builtins.get_ipython = lambda: shell  # type: ignore[attr-defined]
    for name in (*_LIBRARIES, *_articles()):
        with suppress(Exception):
            importlib.import_module(name)
    with suppress(Exception):  # its grammar, which labels such as those of a logarithmic axis need
        importlib.import_module("matplotlib.mathtext").MathTextParser("path").parse("$1$")
    with suppress(Exception):
        load_all()
    for name in _articles():
        with suppress(Exception):  # data that nearly every notebook of the article reads
            sys.modules[name].before_forks()
    del builtins.get_ipython  # type: ignore[attr-defined]


@cache
def _articles() -> list[str]:
    """Return the packages of the installed articles."""
    return [entry.module.partition(".")[0] for entry in entry_points(group="rederive.articles")]


# --- its driver ----------------------------------------------------------------------------------

_Stamp = tuple[object, ...]


class _Server:
    """A running server, for one state of the sources and of the variables that imports read."""

    def __init__(self, stamp: _Stamp, environment: Mapping[str, str]) -> None:
        self.stamp = stamp
        self._control, theirs = socket.socketpair()
        code = f"from rederive.execution.forkserver import serve; serve({theirs.fileno()})"
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                env={"MPLBACKEND": INLINE_BACKEND, **environment},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )

    def fork(self) -> Connection:
        ours, theirs = Pipe()
        with theirs, suppress(OSError):  # of a server that has ended the caller hears nothing
            socket.send_fds(self._control, [b"."], [theirs.fileno()])
        return ours

    def close(self) -> None:
        """Let the server end; what it has forked goes on."""
        self._control.close()
        self.process.wait()


_lock = threading.Lock()
_server: _Server | None = None
_running: set[int] = set()


@contextmanager
def forked(environment: Mapping[str, str]) -> Iterator[Connection]:
    """Fork a process for one notebook; when the block ends, so does it and all that it started.

    It has the given environment variables and no others; the connection leads to
    `rederive.execution.child.run`. A server that ends while it starts is a ``RuntimeError``.
    """
    connection, pid = _connect(environment)
    with connection:
        _running.add(pid)
        try:
            yield connection
        finally:
            _running.discard(pid)
            _kill(pid)


def start(environment: Mapping[str, str]) -> _Server:
    """Return the server for an environment; one that starts imports the libraries meanwhile."""
    global _server
    stamp = _stamp(environment)
    with _lock:
        if _server and (_server.process.poll() is not None or _server.stamp != stamp):
            _server.close()
            _server = None
        if _server is None:
            _server = _Server(stamp, environment)
        return _server


def _connect(environment: Mapping[str, str]) -> tuple[Connection, int]:
    """Fork; a server that turns out to have ended is replaced once."""
    for _ in range(2):
        server = start(environment)
        connection = server.fork()
        try:
            return connection, int(connection.recv())
        except (EOFError, OSError):
            connection.close()
            server.close()
    raise RuntimeError("the process that forks for each notebook has ended")


def stop() -> None:
    """End all runs under way; nobody waits for them any more."""
    for pid in list(_running):
        _kill(pid)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _stamp(environment: Mapping[str, str]) -> _Stamp:
    """Return what must not change while a server is used.

    These are the variables, and by time and size the files of the packages that it imports; other
    modules of a project each run imports by itself.
    """
    variables = {k: v for k, v in environment.items() if k.startswith(_READ_AT_IMPORT)}
    entries = [Path(entry) for entry in variables.get("PYTHONPATH", "").split(os.pathsep) if entry]
    folders: list[Path] = []
    for package in ("rederive", *_articles()):
        own = [entry for entry in entries if (entry / package).is_dir()]
        found = importlib.util.find_spec(package)
        folders += own[:1] or map(Path, (found and found.submodule_search_locations) or [])
    paths = sorted({path for folder in folders for path in folder.rglob("*.py")})
    files = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
    return (sorted(variables.items()), files)
