"""The built site on this computer's own address, for reading."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rederive.errors import BookError, ConfigurationError

HOST = "127.0.0.1"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: one line a request hides the address that was printed."""


def site_server(site: Path, port: int) -> ThreadingHTTPServer:
    """Open a server for a built site, reachable from this computer only, not yet serving.

    Parameters
    ----------
    site
        Folder of the pages.
    port
        0 to 65535; 0 takes any free one.

    Raises
    ------
    ConfigurationError
        If there is no site or the port is out of range.
    BookError
        If the port is taken.
    """
    if not (site / "index.html").is_file():
        raise ConfigurationError("no site to show yet: run 'make book' first")
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"port: found {port}, allowed is 0 to 65535")
    handler = functools.partial(_QuietHandler, directory=str(site))
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise BookError(
            f"port {port} cannot be used ({error.strerror}); "
            f"choose another one, for instance: make serve PORT={port + 1 if port else 8000}"
        ) from None


def serve(site: Path, port: int, report: Callable[[str], None] = print) -> None:
    """Show a built site (see `site_server`) until interrupted, after its address is reported."""
    with site_server(site, port) as server:
        report(f"http://{HOST}:{server.server_address[1]}/  (Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            report("ended")
