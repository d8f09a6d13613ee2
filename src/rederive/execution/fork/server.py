"""The warm process: imports the libraries once and forks itself for every notebook.

It is started by `rederive.execution.fork.warm` and ends when the process that started it ends. It
never runs anything but imports and never starts a thread, so that a fork is safe.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from rederive.execution.fork.wire import READ_BYTES

# Requests carry three sockets: requests and outputs of the kernel, and the run's state.
SOCKETS = 3
KILL, INTERRUPT = b"k", b"i"
_WAKE = "wake"
_CONTROL = "control"


@dataclass
class Server:
    """Forks a process for each request and tells how it ended.

    Parameters
    ----------
    control : socket.socket
        Brings requests; its end is the end of the server.
    base_path : list of str
        ``sys.path`` without ``PYTHONPATH``.
    python_path : list of str
        Folders of ``PYTHONPATH``.
    """

    control: socket.socket
    base_path: list[str]
    python_path: list[str]
    running: dict[int, socket.socket] = field(default_factory=dict)
    retiring: bool = False

    def serve(self) -> None:
        """Import the libraries, then answer requests until the caller is gone."""
        from rederive.execution.fork import preload

        failed = preload.preload()
        self._files = preload.project_files()
        self._roots = preload.module_roots()
        # What is imported stays; leaving it out of later collections keeps its memory shared.
        gc.collect()
        gc.freeze()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.control, selectors.EVENT_READ, _CONTROL)
        woken, waker = socket.socketpair()
        waker.setblocking(False)
        woken.setblocking(False)
        self._wake = (woken, waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self._selector.register(woken, selectors.EVENT_READ, _WAKE)
        _tell(self.control, {"ready": os.getpid(), "failed": failed})
        try:
            self._answer(woken)
        finally:
            # A child that ends now must not wake what is about to be closed.
            signal.set_wakeup_fd(-1)

    def _answer(self, woken: socket.socket) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data == _WAKE:
                    with suppress(BlockingIOError):
                        while woken.recv(READ_BYTES):
                            pass
                elif key.data == _CONTROL:
                    if not self._request():
                        return
                else:
                    self._command(key.data)
            self._reap()
            if self.retiring and not self.running:
                return

    def _request(self) -> bool:
        """Read one request and fork for it; false if the caller is gone."""
        try:
            content, handles, _, _ = socket.recv_fds(self.control, READ_BYTES, SOCKETS)
        except OSError:
            content, handles = b"", []
        if not content:
            for pid in list(self.running):
                self._kill(pid)
            return False
        while not content.endswith(b"\n"):
            content += self.control.recv(READ_BYTES)
        request = json.loads(content)
        if "retire" in request:
            self.retiring = True
            return True
        sockets = [socket.socket(fileno=handle) for handle in handles]
        requests, outputs, state = sockets
        refusal = self._refusal(request)
        if refusal:
            _tell(state, refusal)
            for connection in sockets:
                connection.close()
            return True
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._child(request, requests, outputs, state)
        requests.close()
        outputs.close()
        self.running[pid] = state
        self._selector.register(state, selectors.EVENT_READ, pid)
        _tell(state, {"pid": pid})
        return True

    def _refusal(self, request: dict[str, Any]) -> dict[str, str]:
        from rederive.execution.fork import preload

        changed = preload.changed_file(self._files)
        if changed:
            return {"stale": changed}
        place = preload.other_place(
            request["python_path"], self.python_path, self.base_path, self._roots
        )
        if place:
            return {"stale": place}
        name = preload.shadowed_by(request["folder"], self._roots)
        return {"shadowed": name} if name else {}

    def _child(
        self,
        request: dict[str, Any],
        requests: socket.socket,
        outputs: socket.socket,
        state: socket.socket,
    ) -> None:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            self._selector.close()
            for connection in (self.control, *self._wake, state, *self.running.values()):
                connection.close()
            from rederive.execution.fork.child import Run, run_notebook

            run_notebook(Run(**request), requests, outputs, self.base_path)
            status = 0
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)

    def _command(self, pid: int) -> None:
        """Do what the caller asks about a run; when it hangs up, the run is over."""
        state = self.running.get(pid)
        if state is None:
            return
        try:
            command = state.recv(1)
        except OSError:
            command = b""
        if command == INTERRUPT:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGINT)
        else:
            self._kill(pid)
            self._selector.unregister(state)

    def _kill(self, pid: int) -> None:
        # Until it has made its own group, the process is addressed by its number.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self.running:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            state = self.running.pop(pid, None)
            if state is None:
                continue
            # What the notebook has started and left behind.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with suppress(KeyError, ValueError):
                self._selector.unregister(state)
            _tell(state, {"ended": os.waitstatus_to_exitcode(status)})
            state.close()


def _tell(connection: socket.socket, content: dict[str, Any]) -> None:
    with suppress(OSError):
        connection.sendall(json.dumps(content).encode() + b"\n")


def main(handle: int, base_path: list[str], python_path: list[str]) -> None:
    """Serve the caller at the other end of a socket.

    Parameters
    ----------
    handle : int
        File descriptor of the socket.
    base_path : list of str
        ``sys.path`` without ``PYTHONPATH``.
    python_path : list of str
        Folders of ``PYTHONPATH``.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=handle) as control:
        try:
            Server(control, base_path, python_path).serve()
        except Exception as error:
            _tell(control, {"error": f"{type(error).__name__}: {error}"})
