"""A page about a sweep, in a book of its own beside the original."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rederive.errors import ConfigurationError
from rederive.execution.project import Project
from rederive.execution.run import Task
from rederive.printed.files import write_atomically
from rederive.site.build import build_book
from rederive.site.variant import short_hash
from rederive.sweep.index import INDEX, RESULTS
from rederive.sweep.store import RunStore
from rederive.sweep.view import open_sweep

PAGE = Path("book") / "sweep.ipynb"
"""The notebook of the page; only a book that brings it can show sweeps."""

CAPTION = "Rerun"
"""Part of the table of contents in which the page stands."""

TABLES = Path("_build") / "sweeps"
"""Copies of the tables that pages were made from, by content."""


def build_sweep_page(
    project: Project, store: RunStore, result: str, *, report: Callable[[str], None] = print
) -> Path:
    """Build the book with a page about one result of a sweep, an id of the ledger; return the page.

    It reads copies of the sweep's tables, named by their content: so it is made again when the
    sweep has grown, names no folder of the user's, and needs no access to the sweep's place. No
    page for sweeps, or no such result, is a ``ConfigurationError``.
    """
    if not (project.root / PAGE).is_file():
        raise ConfigurationError(f"{PAGE.as_posix()}: this book has no page for sweeps")
    open_sweep(store.url, result)
    tables = {name: store.read(name) for name in (INDEX, RESULTS)}
    digest = short_hash({name: content.hex() for name, content in tables.items()})
    for name, content in tables.items():
        write_atomically(project.root / TABLES / digest / name, content)
    given = {"sweep_folder": f"../{TABLES.as_posix()}/{digest}", "result": result}
    book = replace(project, variant=f"sweep-{short_hash(given)}")
    built = build_book(book, added=[(Task(PAGE, given), CAPTION)], report=report)
    return built.site / PAGE.with_suffix(".html")
