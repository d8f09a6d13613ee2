"""One source, three versions: a chapter's notebook for students, for the site, for the teacher.

Cells are told apart by their tags: ``exercise`` (a task), ``answer`` (where the student answers),
``solution`` and ``teacher`` (for teachers), ``book-only`` (needs more than a pack holds).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rederive.execution.notebooks import canonical_bytes, source_of, tags_of
from rederive_teach.lesson import MARKS

SOLUTIONS = "solutions.ipynb"
"""Page beside the chapters of a site that holds the worked solutions to practice exercises."""

_SHORT = 300
"""Characters of a conclusion that stands on the slide of what it is drawn from."""

_TEACHERS = ("solution", "teacher")
_IMPORT = ("from rederive_teach.", "from ")

Notebook = Mapping[str, Any]


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
    return on_slides({**made, "cells": [_for_students(cell) for cell in made["cells"]]})


def on_slides(notebook: Notebook) -> dict[str, Any]:
    """Return a notebook whose cells say what they are to slides, for nbconvert and for RISE.

    A heading begins a slide, and what follows code one below it, but for a short conclusion.
    """
    made, coded = [], False
    followers = [*notebook["cells"][1:], _markdown("#")]
    for cell, after in zip(notebook["cells"], followers, strict=True):
        tags, code = set(tags_of(cell)), cell["cell_type"] == "code"
        if tags & {"answer", "solution", "parameters"} or tags == {"hide-input"}:
            kind = "skip"
        elif "teacher" in tags:
            kind = "notes"
        else:
            ends = coded and not code and _is_heading(after) and len(source_of(cell)) < _SHORT
            below = "fragment" if ends else "subslide" if coded else "-"
            kind, coded = "slide" if _is_heading(cell) else below, code
        slideshow = {"slideshow": {"slide_type": kind}}
        made.append({**cell, "metadata": {**cell["metadata"], **slideshow}})
    return {**notebook, "cells": made}


def _is_heading(cell: Mapping[str, Any]) -> bool:
    return cell["cell_type"] == "markdown" and source_of(cell).startswith("#")


def _for_students(cell: Mapping[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return dict(cell)
    marks = [f"# mark: {mark}\n" for mark in MARKS if mark in tags_of(cell)]
    return {**cell, "source": "".join(marks) + students_source(source_of(cell))}


def students_source(source: str) -> str:
    """Return a chapter's exercises as they run beside a copy of the lesson's file."""
    return source.replace(*_IMPORT)


def solution_cells(notebook: Notebook, page: str) -> list[dict[str, Any]]:
    """Return a chapter's title and its worked solutions, as cells of another page.

    The solutions to an exercise stand in a box that links to the exercise's box on `page`.
    """
    title = source_of(notebook["cells"][0]).splitlines()[0].lstrip("# ")
    made: list[dict[str, Any]] = [_markdown(f"## {title}")]
    label = ""
    for cell in notebook["cells"]:
        tags = tags_of(cell)
        if label and made[-1]["cell_type"] == "code" and "solution" not in tags:
            made.append(_markdown("```{solution-end}\n```"))
        if "exercise" in tags:
            label = _label(page, cell)
        elif "solution" in tags:
            if made[-1]["cell_type"] == "markdown":
                made.append(_markdown(f"```{{solution-start}} {label}\n```"))
            made.append(dict(cell))
    return [{**cell, "id": f"{page}-{at}"} for at, cell in enumerate(made)]


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _label(page: str, task: Mapping[str, Any]) -> str:
    """Return the name of an exercise's box."""
    number = source_of(task).removeprefix("### Exercise ").split()[0]
    return f"{page}-{number}".replace(".", "-")


def _boxed(cell: Mapping[str, Any], page: str) -> dict[str, Any]:
    """Return a cell for the site: a task, below its heading, becomes a box."""
    if "exercise" not in tags_of(cell):
        return dict(cell)
    heading, _, task = source_of(cell).partition("\n")
    opening = f"::::{{exercise}} {heading.removeprefix('### Exercise ')}"
    options = f":label: {_label(page, cell)}\n:nonumber:"
    return {**cell, "source": f"{opening}\n{options}\n\n{task.strip()}\n::::"}


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
        shown = without(notebook, *_TEACHERS)
        shown["cells"] = [_boxed(cell, page.stem) for cell in shown["cells"]]
        made[page] = canonical_bytes(shown)
        solutions = page.with_name(SOLUTIONS)
        if solutions in made:
            whole = json.loads(made[solutions])
            whole["cells"] += solution_cells(notebook, page.stem)
            made[solutions] = canonical_bytes(whole)
    return made
