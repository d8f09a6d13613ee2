"""The built site on this computer's own address, for reading."""

from __future__ import annotations

import functools
import io
import json
import os
from collections.abc import Callable
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from rederive.execution.project import Project
from rederive.printed.errors import BookError, ConfigurationError
from rederive.site.variant import SITE_FILE

HOST = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder; one without a first page has none, but that of a book's builds."""

    def list_directory(self, path: str | os.PathLike[str]) -> io.BytesIO | None:
        """Answer with the list of what was built, below the folder that is served itself."""
        if Path(path) != Path(self.directory):
            self.send_error(404)
            return None
        content = index_page(Project(Path(path).parent)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: one line a request hides the address that was printed."""


def index_page(project: Project) -> str:
    """Return a page that lists the book, its variants, the pages of sweeps, and of single runs."""
    built = sorted(project.variants.glob("*/html/index.html"))
    parts = {
        "The book": list(project.build.glob("html/index.html")),
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
            link = f'<a href="/{quote(place)}">{escape(name)}</a>'
            lines.append(f"<li>{link}{escape(_differences(page))}</li>")
        lines.append("</ul>" if pages else "<li>none yet</li></ul>")
    head = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>What was built</title>'
    return f"{head}<h1>What was built</h1>{''.join(lines)}</html>"


def _differences(page: Path) -> str:
    """Return what differs in a variant, as it follows its name."""
    file = page.with_name(SITE_FILE.name)
    if not file.is_file():
        return ""
    described = json.loads(file.read_text(encoding="utf-8"))
    words = [f"own cohort {described['cohort']}"] if described["cohort"] else []
    words += [f"{each['name']}={each['here']}" for each in described["differences"]]
    return f": {', '.join(words)}"


def site_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Open a server for a folder, reachable from this computer only, not yet serving.

    The folder is a built site, or that of all builds of a book, whose first page lists them. Port 0
    takes any free one; one that is taken is a ``BookError``.
    """
    try:
        return ThreadingHTTPServer((HOST, port), functools.partial(_Handler, directory=str(folder)))
    except OSError as error:
        raise BookError(
            f"port {port} cannot be used ({error.strerror}); "
            f"choose another one, for instance: make serve PORT={port + 1 if port else 8000}"
        ) from None


def serve(project: Project, port: int, report: Callable[[str], None] = print) -> None:
    """Show all that was built until interrupted.

    The addresses are reported first; nothing to show is a ``ConfigurationError``.
    """
    if not project.build.is_dir():
        raise ConfigurationError("nothing to show yet: run 'make book' first")
    with site_server(project.build, port) as server:
        address = f"http://{HOST}:{server.server_address[1]}/"
        if (project.site / "index.html").is_file():
            report(f"{address}html/  is the book")
        report(f"{address}  lists runs, variants and sweeps (Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            report("ended")
