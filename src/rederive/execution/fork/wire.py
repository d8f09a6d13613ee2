"""Messages of several parts over a Unix socket."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

_COUNT = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")
Part = bytes | bytearray | memoryview

READ_BYTES = 1 << 20
# Request of our own, beside those of Jupyter: which files the notebook has read.
FILES_REQUEST = "files_read_request"


def packed(parts: Sequence[Part]) -> bytes:
    """Put the parts of one message behind one another, each with its length.

    Parameters
    ----------
    parts : sequence of bytes
        The parts; may be empty.

    Returns
    -------
    bytes
        What `Unpacker` takes apart again.
    """
    lengths = b"".join(_LENGTH.pack(memoryview(part).nbytes) for part in parts)
    return b"".join([_COUNT.pack(len(parts)), lengths, *parts])


class Unpacker:
    """Collects bytes as they arrive and gives out whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, content: bytes) -> None:
        """Add what was read from the socket.

        Parameters
        ----------
        content : bytes
            The next bytes.
        """
        self._buffer += content

    def message(self) -> list[bytes] | None:
        """Return the parts of the next message, or None if it has not arrived in full."""
        buffer = self._buffer
        if len(buffer) < _COUNT.size:
            return None
        (count,) = _COUNT.unpack_from(buffer)
        begin = _COUNT.size + count * _LENGTH.size
        if len(buffer) < begin:
            return None
        lengths = [
            _LENGTH.unpack_from(buffer, _COUNT.size + index * _LENGTH.size)[0]
            for index in range(count)
        ]
        end = begin + sum(lengths)
        if len(buffer) < end:
            return None
        parts = []
        for length in lengths:
            parts.append(bytes(buffer[begin : begin + length]))
            begin += length
        del buffer[:end]
        return parts


def send_all(connection: socket.socket, content: bytes) -> None:
    """Send everything, also over a socket that does not block.

    Parameters
    ----------
    connection : socket.socket
        The socket.
    content : bytes
        What to send.

    Raises
    ------
    OSError
        If the other side is closed.
    """
    view = memoryview(content)
    while view:
        try:
            view = view[connection.send(view) :]
        except BlockingIOError:
            select.select([], [connection], [])


def hang_up(connection: socket.socket) -> None:
    """Close a socket for every process that holds it.

    Parameters
    ----------
    connection : socket.socket
        The socket.
    """
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def unsigned_session(parent: Any = None) -> Any:
    """Return a session of Jupyter that does not sign: nobody else can write to the socket.

    Parameters
    ----------
    parent : Configurable or None
        Whose settings it takes.
    """
    from jupyter_client.session import Session

    session = Session(parent=parent, key=b"unused")
    session.key = b""
    return session
