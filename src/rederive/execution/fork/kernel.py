"""A forked run in the form in which nbclient knows kernels."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Any

from nbclient.exceptions import DeadKernelError

from rederive.execution.fork import warm
from rederive.execution.fork.server import INTERRUPT
from rederive.execution.fork.wire import (
    READ_BYTES,
    Unpacker,
    hang_up,
    packed,
    send_all,
    unsigned_session,
)

# As long as jupyter_client gives a kernel to end by itself.
SHUTDOWN_SECONDS = 5.0
# Outputs that were sent before a process ended are read before it is called dead.
DRAIN_SECONDS = 2.0
POLL_SECONDS = 0.5


def _arrive(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)


class Channel:
    """Messages from one of the run's sockets.

    Parameters
    ----------
    connection : socket.socket
        The caller's end.
    session : jupyter_client.session.Session
        Takes messages apart.
    """

    def __init__(self, connection: socket.socket, session: Any) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._session = session
        self._unpacker = Unpacker()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.ended = asyncio.Event()

    def close(self) -> None:
        """Hang up, and stop waiting.

        A wait may be cancelled and yet not over when the socket is closed; it must not touch
        the loop later, when another run's socket may have the same number.
        """
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._connection)
        self._loop = None
        hang_up(self._connection)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        loop.add_reader(self._connection, _arrive, arrived)
        try:
            await arrived
        finally:
            if self._loop is not None:
                loop.remove_reader(self._connection)
                self._loop = None

    async def _parts(self) -> list[bytes]:
        while (parts := self._unpacker.message()) is None:
            try:
                content = self._connection.recv(READ_BYTES)
            except BlockingIOError:
                await self._readable()
                continue
            except OSError:
                content = b""
            if content:
                self._unpacker.feed(content)
            else:
                # Silence, as from a kernel: nbclient finds out by itself that it is dead.
                self.ended.set()
                await asyncio.Event().wait()
        return parts

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message.

        Parameters
        ----------
        timeout : float or None
            Seconds to wait; None for any time.

        Raises
        ------
        queue.Empty
            If none came in time.
        """
        try:
            parts = await asyncio.wait_for(self._parts(), timeout)
        except TimeoutError:
            raise Empty from None
        _, parts = self._session.feed_identities(parts)
        message: dict[str, Any] = self._session.deserialize(parts)
        return message


class ForkClient:
    """Sends requests to a run and reads its messages; what nbclient uses of a kernel client.

    Parameters
    ----------
    run : warm.Run
        The run.
    """

    allow_stdin = False

    def __init__(self, run: warm.Run) -> None:
        self._run = run
        self.session = unsigned_session()
        self.iopub_channel = Channel(run.outputs, self.session)
        self.shell_channel = Channel(run.requests, self.session)
        self._died: float | None = None

    def start_channels(self) -> None:
        """Do nothing: the sockets are connected."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers.

        Parameters
        ----------
        timeout : float or None
            Seconds to wait; None for any time.

        Raises
        ------
        RuntimeError
            If it does not answer in time.
        DeadKernelError
            If it dies instead.
        """
        self.kernel_info()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                await self.shell_channel.get_msg(POLL_SECONDS)
                return
            except Empty:
                if not self.is_alive():
                    raise DeadKernelError("Kernel died before replying to kernel_info") from None
                if deadline is not None and time.monotonic() > deadline:
                    text = f"Kernel didn't respond in {timeout} seconds"
                    raise RuntimeError(text) from None

    def stop_channels(self) -> None:
        """Close the sockets of the kernel."""
        self.shell_channel.close()
        self.iopub_channel.close()

    def is_alive(self) -> bool:
        """Say whether the run's process exists, or outputs of it are still to be read."""
        if not (self._run.state.ended() or self.shell_channel.ended.is_set()):
            return True
        if self._died is None:
            self._died = time.monotonic()
        waited = time.monotonic() - self._died
        return not self.iopub_channel.ended.is_set() and waited < DRAIN_SECONDS

    def send(self, kind: str, content: Mapping[str, Any]) -> str:
        """Send a request and return its id.

        Parameters
        ----------
        kind : str
            Type of the message.
        content : mapping
            Its content.

        Raises
        ------
        DeadKernelError
            If the run's process has ended.
        """
        message = self.session.msg(kind, dict(content))
        try:
            send_all(self._run.requests, packed(self.session.serialize(message)))
        except OSError:
            raise DeadKernelError("Kernel died") from None
        return str(message["header"]["msg_id"])

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Ask for a cell to be run and return the request's id.

        Parameters
        ----------
        code : str
            Source of the cell.
        store_history : bool
            Whether the cell counts.
        stop_on_error : bool
            Whether requests that wait are dropped after an error.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": self.allow_stdin,
            "stop_on_error": stop_on_error,
        }
        return self.send("execute_request", content)

    def kernel_info(self) -> str:
        """Ask for the kernel's language and return the request's id."""
        return self.send("kernel_info_request", {})


class ForkManager:
    """Starts and ends a run; what nbclient uses of a kernel manager.

    Parameters
    ----------
    environment : mapping
        Variables set on top of the caller's environment.
    folder : str
        The working directory; empty for the caller's.
    trace_root : str
        Folder below which files that are read are recorded; empty for none.
    seconds : float
        How long to wait for the start.
    """

    ipykernel = True

    def __init__(
        self, environment: Mapping[str, str], folder: str, trace_root: str, seconds: float
    ) -> None:
        self._environment = environment
        self._folder = folder
        self._trace_root = trace_root
        self._seconds = seconds
        self._run: warm.Run | None = None
        self._client: ForkClient | None = None

    @property
    def has_kernel(self) -> bool:
        """Whether the run has been started."""
        return self._run is not None

    def start_kernel(
        self,
        extra_arguments: Sequence[str] = (),
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        **_: Any,
    ) -> None:
        """Fork a process for the notebook.

        Parameters
        ----------
        extra_arguments : sequence of str
            Arguments of the kernel.
        cwd : str or None
            The working directory, in place of the manager's.
        env : mapping or None
            The environment, in place of the caller's.

        Raises
        ------
        warm.NoForkError
            If it cannot be forked.
        """
        environment = {**(os.environ if env is None else env), **self._environment}
        environment.setdefault("MPLBACKEND", warm.INLINE_BACKEND)
        folder = cwd or self._folder or str(Path.cwd())
        self._run = warm.start_run(
            environment, folder, list(extra_arguments), self._trace_root, self._seconds
        )

    @property
    def pid(self) -> int | None:
        """Number of the run's process."""
        return self._run.state.pid if self._run is not None else None

    def client(self) -> ForkClient:
        """Return a client of the run."""
        assert self._run is not None
        self._client = ForkClient(self._run)
        return self._client

    def is_alive(self) -> bool:
        """Say whether the run's process exists."""
        return self._run is not None and not self._run.state.ended()

    def interrupt_kernel(self) -> None:
        """Interrupt the cell that is running."""
        assert self._run is not None
        self._run.state.command(INTERRUPT)

    def shutdown_kernel(self, now: bool = False) -> None:
        """End the run.

        Parameters
        ----------
        now : bool
            Whether to kill it instead of letting it run what is registered for its end.
        """
        assert self._run is not None
        if not now and self._client is not None:
            try:
                self._client.send("shutdown_request", {"restart": False})
            except DeadKernelError:
                return
            self._run.state.ended(SHUTDOWN_SECONDS)

    def cleanup_resources(self) -> None:
        """Hang up; the server kills what is left of the run."""
        if self._run is not None:
            self._run.state.close()
            if self._client is not None:
                self._client.stop_channels()
            else:
                hang_up(self._run.requests)
                hang_up(self._run.outputs)
