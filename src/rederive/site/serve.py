"""The built site on this computer's own address, for reading."""

from __future__ import annotations

import functools
from collections.abc import Callable
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from rederive.errors import BookError, ConfigurationError
from rederive.execution.project import Project
from rederive.site.variant import built_variants

HOST = "127.0.0.1"


INDEX = "/_index.html"
"""Address of the page that lists everything that was built."""

_BUILT = "/_built"


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serves a site and, below an address of their own, the runs and variants of its project."""

    project: Project | None = None

    def translate_path(self, path: str) -> str:
        """Return the file of an address."""
        if self.project is not None and path.startswith(f"{_BUILT}/"):
            self.directory, own = str(self.project.build), self.directory
            try:
                return super().translate_path(path.removeprefix(_BUILT))
            finally:
                self.directory = own
        return super().translate_path(path)

    def do_GET(self) -> None:
        """Answer with a file, or with the list of what was built."""
        if self.path != INDEX or self.project is None:
            return super().do_GET()
        content = index_page(self.project).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: one line a request hides the address that was printed."""


def index_page(project: Project) -> str:
    """Return a page that lists the book, its variants, the pages of sweeps, and of single runs."""
    built = [
        project.variants / each["name"] / "html" / "index.html" for each in built_variants(project)
    ]
    parts = {
        "The book": [project.build / "html" / "index.html"],
        "Variants": [each for each in built if not each.parts[-3].startswith("sweep-")],
        "Sweeps": [each for each in built if each.parts[-3].startswith("sweep-")],
        "Runs": sorted(project.runs.glob("*.html")),
    }
    lines = []
    for title, pages in parts.items():
        lines.append(f"<h2>{title}</h2><ul>")
        for page in pages:
            place = page.relative_to(project.build).as_posix()
            name = page.parts[-3] if page.name == "index.html" else page.stem
            lines.append(f'<li><a href="{_BUILT}/{quote(place)}">{escape(name)}</a></li>')
        lines.append("</ul>" if pages else "<li>none yet</li></ul>")
    head = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>What was built</title>'
    return f"{head}<h1>What was built</h1>{''.join(lines)}</html>"


def site_server(site: Path, port: int, project: Project | None = None) -> ThreadingHTTPServer:
    """Open a server for a built site, reachable from this computer only, not yet serving.

    Port 0 takes any free one. With a project its runs and variants are served as well. No site, or
    a port out of range, is a ``ConfigurationError``, a port that is taken a ``BookError``.
    """
    if not (site / "index.html").is_file():
        raise ConfigurationError("no site to show yet: run 'make book' first")
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"port: found {port}, allowed is 0 to 65535")
    kind = type("_Handler", (_QuietHandler,), {"project": project})
    handler = functools.partial(kind, directory=str(site))
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise BookError(
            f"port {port} cannot be used ({error.strerror}); "
            f"choose another one, for instance: make serve PORT={port + 1 if port else 8000}"
        ) from None


def serve(
    site: Path, port: int, report: Callable[[str], None] = print, project: Project | None = None
) -> None:
    """Show a built site (see `site_server`) until interrupted, after its address is reported."""
    with site_server(site, port, project) as server:
        address = f"http://{HOST}:{server.server_address[1]}"
        report(f"{address}/  (Ctrl-C ends)")
        if project is not None:
            report(f"{address}{INDEX}  lists runs, variants and sweeps")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            report("ended")
