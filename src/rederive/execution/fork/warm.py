"""The caller's side of the warm process: one for each process, started when first needed."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rederive.execution.fork.wire import READ_BYTES, hang_up

# Variables that count when a library is imported, not only when it is used. A run in which one of
# them differs needs another server.
IMPORT_VARIABLES = (
    "ARROW_",
    "BLIS_",
    "GOTO_",
    "HOME",
    "LANG",
    "LC_",
    "LD_",
    "MKL_",
    "MPL",
    "NUMBA_",
    "NUMEXPR_",
    "OMP_",
    "OPENBLAS_",
    "PYTHON",
    "REDERIVE_",
    "XDG_",
)
RETIRE = {"retire": True}
INLINE_BACKEND = "module://matplotlib_inline.backend_inline"
STOP_SECONDS = 5.0

_BOOT = """
import importlib.util, json, sys
if sys.path[:1] == [""]:
    del sys.path[0]
handle, folders, package = json.loads(sys.argv[1])
base = list(sys.path)
sys.path[:] = folders + [path for path in base if path not in folders]
if importlib.util.find_spec("rederive") is None:
    sys.path.append(package)
from rederive.execution.fork.server import main
main(handle, base, folders)
"""


class NoForkError(RuntimeError):
    """The run cannot be forked; the message says why. The ordinary engine can do it."""


class _StaleError(RuntimeError):
    """The server has imported something that this run would import differently."""


class State:
    """What the server tells about one run, and takes as commands.

    Parameters
    ----------
    connection : socket.socket
        Socket to the server.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""
        self.pid: int | None = None
        self.exit_code: int | None = None

    def next(self, seconds: float | None) -> dict[str, Any] | None:
        """Return the next thing that the server tells, None if there is none in time.

        Parameters
        ----------
        seconds : float or None
            How long to wait; None for any time.

        Raises
        ------
        EOFError
            If the server has ended.
        """
        self._connection.settimeout(seconds)
        while b"\n" not in self._buffer:
            try:
                content = self._connection.recv(READ_BYTES)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError:
                content = b""
            if not content:
                raise EOFError("the server has ended")
            self._buffer += content
        line, self._buffer = self._buffer.split(b"\n", 1)
        told: dict[str, Any] = json.loads(line)
        return told

    def ended(self, seconds: float = 0) -> bool:
        """Say whether the run's process is known to have ended.

        Parameters
        ----------
        seconds : float
            How long to wait for it.
        """
        if self.exit_code is None:
            # Without a server the sockets of the run tell.
            with suppress(EOFError):
                told = self.next(seconds)
                if told is not None and "ended" in told:
                    self.exit_code = int(told["ended"])
        return self.exit_code is not None

    def command(self, command: bytes) -> None:
        """Ask the server to end or interrupt the run.

        Parameters
        ----------
        command : bytes
            `rederive.execution.fork.server.KILL` or ``INTERRUPT``.
        """
        with suppress(OSError):
            self._connection.settimeout(None)
            self._connection.sendall(command)

    def close(self) -> None:
        """Hang up; if the run's process still exists, it is killed."""
        hang_up(self._connection)


@dataclass(frozen=True)
class Run:
    """The caller's ends of a run's sockets.

    Parameters
    ----------
    requests, outputs : socket.socket
        Those of the kernel.
    state : State
        What the server tells.
    """

    requests: socket.socket
    outputs: socket.socket
    state: State


class _Server:
    """A running server."""

    def __init__(self, environment: Mapping[str, str], folders: list[str], seconds: float) -> None:
        ours, theirs = socket.socketpair()
        self._control = ours
        self._state = State(ours)
        self.settings = import_settings(environment)
        variables = {name: text for name, text in environment.items() if name != "PYTHONPATH"}
        variables.setdefault("MPLBACKEND", INLINE_BACKEND)
        # Stills a remark of the debugger that is not for the reader of a build's log.
        variables.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        package = str(Path(__file__).resolve().parents[3])
        arguments = json.dumps([theirs.fileno(), folders, package])
        with theirs:
            # What a library writes to the terminal by itself must not mix with the caller's output.
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=variables,
                cwd="/",
                start_new_session=True,
            )
        try:
            told = self._state.next(seconds)
        except EOFError:
            told = {"error": "it ended while importing the libraries"}
        if told is None:
            told = {"error": f"it did not start within {seconds:g} s"}
        if "error" in told:
            self._process.kill()
            self.stop()
            raise NoForkError(str(told["error"]))
        self.pid = int(told["ready"])
        self.failed = list(told["failed"])

    def run(self, request: dict[str, Any], seconds: float) -> Run:
        """Ask for a run.

        Parameters
        ----------
        request : dict
            Fields of `rederive.execution.fork.child.Run`.
        seconds : float
            How long to wait for the fork.
        """
        pairs = [socket.socketpair() for _ in range(3)]
        requests, outputs, connection = (pair[0] for pair in pairs)
        theirs = [pair[1] for pair in pairs]
        state = State(connection)
        content = json.dumps(request).encode() + b"\n"
        try:
            self._control.settimeout(None)
            sent = socket.send_fds(self._control, [content], [each.fileno() for each in theirs])
            self._control.sendall(content[sent:])
            for each in theirs:
                each.close()
            told = state.next(seconds) or {"error": "the server does not answer"}
        except (OSError, EOFError):
            told = {"stale": "the server has ended"}
        if "pid" in told:
            state.pid = int(told["pid"])
            return Run(requests, outputs, state)
        for each in (requests, outputs, connection, *theirs):
            each.close()
        if "stale" in told:
            raise _StaleError(told["stale"])
        if "shadowed" in told:
            name = told["shadowed"]
            raise NoForkError(f"the notebook's folder has a {name} of its own")
        raise NoForkError(str(told["error"]))

    def retire(self) -> None:
        """Let the server end when the runs that it has forked have ended."""
        with suppress(OSError):
            self._control.sendall(json.dumps(RETIRE).encode() + b"\n")

    @property
    def gone(self) -> bool:
        """Whether the server has ended."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """End the server; runs that it has forked are killed."""
        hang_up(self._control)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Leave the server to the process that this one was forked from."""
        self._control.close()
        self._process.returncode = 0


_lock = threading.Lock()
_server: _Server | None = None
# Out of date, but with runs under way.
_retired: list[_Server] = []
# Servers that could not start, and why: there is no point in trying again.
_failures: dict[str, str] = {}


def start_run(
    environment: Mapping[str, str],
    folder: str,
    arguments: Sequence[str] = (),
    trace_root: str = "",
    seconds: float = 60.0,
) -> Run:
    """Fork a process for one notebook; starts the server if there is none that fits.

    Parameters
    ----------
    environment : mapping
        All environment variables of the run.
    folder : str
        Its working directory.
    arguments : sequence of str
        Further arguments of the kernel.
    trace_root : str
        Folder below which files that are read are recorded; empty for none.
    seconds : float
        How long to wait for the server, and for the fork.

    Returns
    -------
    Run
        Sockets to the run's process.

    Raises
    ------
    NoForkError
        If the run cannot be forked.
    """
    global _server
    folder = str(Path(folder).absolute())
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"run_in: no such folder: {folder}")
    entries = environment.get("PYTHONPATH", "").split(os.pathsep)
    python_path = [str(Path(folder, entry)) for entry in entries if entry]
    request = {
        "environment": dict(environment),
        "folder": folder,
        "python_path": python_path,
        "arguments": list(arguments),
        "trace_root": trace_root,
    }
    settings = import_settings(environment)
    # Requests are sent whole, one after the other; runs then go on side by side.
    with _lock:
        _retired[:] = [server for server in _retired if not server.gone]
        for _ in range(2):
            if _server is not None and (_server.gone or _server.settings != settings):
                _retire()
            if _server is None:
                _server = _start(environment, python_path, seconds)
            try:
                return _server.run(request, seconds)
            except _StaleError as error:
                reason = str(error)
                _retire()
    raise NoForkError(f"the libraries do not stay as they are ({reason})")


def server_pid() -> int | None:
    """Process number of the server, None if there is none."""
    return _server.pid if _server is not None and not _server.gone else None


def stop() -> None:
    """End the server and all runs; the next run starts another."""
    global _server
    with _lock:
        for server in (*_retired, *([_server] if _server else [])):
            server.stop()
        _retired.clear()
        _failures.clear()
        _server = None


def _start(environment: Mapping[str, str], python_path: list[str], seconds: float) -> _Server:
    key = json.dumps([import_settings(environment), python_path], sort_keys=True)
    if key in _failures:
        raise NoForkError(_failures[key])
    try:
        return _Server(environment, python_path, seconds)
    except NoForkError as error:
        _failures[key] = str(error)
        raise


def _retire() -> None:
    global _server
    if _server is not None:
        _server.retire()
        _retired.append(_server)
        _server = None


def _forget() -> None:
    """In a fork of the calling process: the server belongs to the original."""
    global _server, _lock
    for server in (*_retired, *([_server] if _server else [])):
        server.forget()
    _retired.clear()
    _server = None
    _lock = threading.Lock()


atexit.register(stop)
os.register_at_fork(after_in_child=_forget)


def import_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Select the variables that count when a library is imported.

    Parameters
    ----------
    environment : mapping
        All environment variables.
    """
    selected = {
        name: text
        for name, text in environment.items()
        if name.startswith(IMPORT_VARIABLES) and name != "PYTHONPATH"
    }
    selected.setdefault("MPLBACKEND", INLINE_BACKEND)
    return selected
