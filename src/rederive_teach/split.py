"""One source, three versions: a chapter's notebook for students, for the site, for the teacher.

Cells are told apart by their tags: ``exercise`` (a task), ``answer`` (where the student answers),
``solution`` and ``teacher`` (for teachers), ``book-only`` (needs more than a pack holds).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rederive_teach.lesson import MARKS

SOLUTIONS = "solutions.ipynb"
"""Page beside the chapters of a site that holds the worked solutions to practice exercises."""

_TEACHERS = ("solution", "teacher")
_IMPORT = ("from rederive_teach.", "from ")

Notebook = Mapping[str, Any]


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """Return the tags of a cell."""
    found: list[str] = cell["metadata"].get("tags", [])
    return found


def source_of(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell."""
    return "".join(cell["source"])


def without(notebook: Notebook, *tags: str) -> dict[str, Any]:
    """Return a notebook without the cells that carry one of some tags."""
    kept = [cell for cell in notebook["cells"] if not set(tags) & set(tags_of(cell))]
    return {**notebook, "cells": kept}


def student_version(notebook: Notebook) -> dict[str, Any]:
    """Return a chapter as a student's pack holds it, with the mark of each output in its cell."""
    made = without(notebook, *_TEACHERS, "book-only")
    return {**made, "cells": [_for_students(cell) for cell in made["cells"]]}


def teacher_version(notebook: Notebook) -> dict[str, Any]:
    """Return a chapter with its solutions and notes, to be run beside a student's pack."""
    made = without(notebook, "book-only")
    return {**made, "cells": [_for_students(cell) for cell in made["cells"]]}


def _for_students(cell: Mapping[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return dict(cell)
    marks = [f"# mark: {mark}\n" for mark in MARKS if mark in tags_of(cell)]
    return {**cell, "source": "".join(marks) + source_of(cell).replace(*_IMPORT)}


def students_source(source: str) -> str:
    """Return a chapter's exercises as they run beside a copy of the lesson's file."""
    return source.replace(*_IMPORT)


def solution_cells(notebook: Notebook) -> list[dict[str, Any]]:
    """Return a chapter's title, its tasks and their worked solutions, as cells of another page."""
    title = source_of(notebook["cells"][0]).splitlines()[0].lstrip("# ")
    heading = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"## {title}"}
    kept: list[dict[str, Any]] = []
    task: dict[str, Any] | None = None
    for cell in notebook["cells"]:
        if "exercise" in tags_of(cell):
            task = dict(cell)
        elif "solution" in tags_of(cell):
            kept += [*([task] if task else []), dict(cell)]
            task = None
    made = [heading, *kept] if kept else []
    return [{**cell, "id": f"{_slug(title)}-{at}"} for at, cell in enumerate(made)]


def _slug(title: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in title.lower())[:40]


def staged(files: Mapping[Path, bytes]) -> dict[Path, bytes]:
    """Move solutions from the chapters of a site to a page of their own, beside the chapters.

    Parameters
    ----------
    files
        Executed notebooks and other pages by path; where a folder has no page ``solutions``, the
        solutions of its chapters are on no page. What is for teachers only is on none.
    """
    made = dict(files)
    for page, content in sorted(files.items()):
        if page.suffix != ".ipynb" or not any(f'"{tag}"'.encode() in content for tag in _TEACHERS):
            continue
        notebook = json.loads(content)
        made[page] = _written(without(notebook, *_TEACHERS))
        solutions = page.with_name(SOLUTIONS)
        if solutions in made:
            whole = json.loads(made[solutions])
            whole["cells"] += solution_cells(notebook)
            made[solutions] = _written(whole)
    return made


def _written(notebook: Notebook) -> bytes:
    return f"{json.dumps(notebook, sort_keys=True, indent=1, ensure_ascii=False)}\n".encode()
