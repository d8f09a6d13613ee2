"""A chapter as nbgrader and Otter-Grader take it: questions, solutions, open and hidden tests.

Both have one release for a class, so that a chapter is exported with the data of one student; the
open tests say whether an answer is well formed, the hidden ones hold the right answer and the
wrong roads as numbers, with the question back as the message of a test that fails.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rederive.execution.notebooks import canonical_bytes, read_notebook, source_of, tags_of
from rederive_teach.grade import Class
from rederive_teach.lesson import Cohort, Exercise
from rederive_teach.split import Notebook

OPEN_POINTS = 4
"""Points of an open question, one for each level of its rubric."""

SHARED = ("lesson.py", "changes.py", "visits.csv", "patients.csv")
"""Files of a pack that the notebooks of all chapters read or import."""

Cells = Iterator[dict[str, Any]]


def _cell(kind: str, source: str, **metadata: Any) -> dict[str, Any]:
    code: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": metadata, "source": source, **code}


def _solutions(notebook: Notebook) -> dict[str, str]:
    """Return by exercise the code of its solution, which ends by giving a name to the answer."""
    found, before = {}, ""
    for cell in notebook["cells"]:
        if "solution" not in tags_of(cell):
            continue
        source = source_of(cell)
        last = ast.parse(source).body[-1]
        call = last.value if isinstance(last, ast.Expr) else None
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "check"):
            before += f"{source}\n"
            continue
        number, answer = (ast.get_source_segment(source, each) for each in call.args)
        above = "\n".join(source.splitlines()[: last.lineno - 1])
        id = ast.literal_eval(str(number))
        found[id] = f"{before}{above}\n{_name(id)} = {answer}".lstrip("\n")
        before = ""
    return found


def _name(id: str) -> str:
    return f"answer_{id.replace('.', '_')}"


def _hidden_test(exercise: Exercise, cohort: Cohort) -> str:
    """Return a test that needs nothing but `same` of the lesson, and says which road was taken."""
    right = _plain(exercise.right(cohort))
    roads = {question: _plain(road(cohort)) for question, road in exercise.roads.items()}
    form = f"{_name(exercise.id)}, {exercise.decimals!r}, {exercise.unit!r}"
    return (
        f"from lesson import same\nroads = {roads!r}\n"
        f"told = [question for question, value in roads.items() if same(value, {form})]\n"
        f"assert same({right!r}, {form}), (told or ['off'])[0]"
    )


def _plain(value: float | int | str) -> float | str:
    return value if isinstance(value, str) else float(value)


def _nbgrader_question(id: str, solution: str, shown: str, hidden: str) -> Cells:
    name = id.replace(".", "-")
    solved = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    tested = f"{shown}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    yield _cell("code", solved, nbgrader=_rights(f"answer-{name}", solution=True))
    yield _cell("code", tested, nbgrader=_rights(f"test-{name}", grade=True, points=1))


def _nbgrader_open(name: str, expected: str) -> Cells:
    rights = _rights(name, solution=True, grade=True, points=OPEN_POINTS)
    yield _cell("markdown", expected, nbgrader=rights)


def _rights(name: str, solution: bool = False, grade: bool = False, **more: int) -> dict[str, Any]:
    kind = {"solution": solution, "grade": grade, "locked": not solution, "task": False}
    return {"schema_version": 3, "grade_id": name, **kind, **more}


def _otter_question(id: str, solution: str, shown: str, hidden: str) -> Cells:
    name = _name(id)
    prompt = f'""" # BEGIN PROMPT\n{name} = ...\n""" # END PROMPT'
    yield _cell("raw", f"# BEGIN QUESTION\nname: {name}\npoints: 1")
    yield _cell("raw", "# BEGIN SOLUTION")
    yield _cell("code", f"# BEGIN SOLUTION NO PROMPT\n{solution}\n# END SOLUTION\n{prompt}")
    yield from (_cell("raw", text) for text in ("# END SOLUTION", "# BEGIN TESTS"))
    yield _cell("code", shown)
    yield _cell("code", f"# HIDDEN\n{hidden}")
    yield from (_cell("raw", text) for text in ("# END TESTS", "# END QUESTION"))


def _otter_open(name: str, expected: str) -> Cells:
    yield _cell("raw", f"# BEGIN QUESTION\nname: {name}\nmanual: true\npoints: {OPEN_POINTS}")
    yield _cell("raw", "# BEGIN SOLUTION")
    yield _cell("markdown", expected)
    yield from (_cell("raw", text) for text in ("# END SOLUTION", "# END QUESTION"))


def _chapter(
    notebook: Notebook,
    exercises: Mapping[str, Exercise],
    cohort: Cohort,
    question: Callable[[str, str, str, str], Cells],
    open_question: Callable[[str, str], Cells],
) -> Cells:
    """Return the cells of a chapter, each place for an answer with its solution and tests."""
    solutions = _solutions(notebook)
    unanswered = iter(solutions)
    for cell in notebook["cells"]:
        tags = tags_of(cell)
        if "answer" in tags:
            id = next(unanswered)
            shown = f'said = check("{id}", {_name(id)})\nassert said.kind == "noted", said'
            yield from question(id, solutions[id], shown, _hidden_test(exercises[id], cohort))
        elif "teacher" in tags:
            yield from open_question("open", source_of(cell))
        elif "solution" not in tags:
            kind = "code" if cell["cell_type"] == "code" else "markdown"
            yield _cell(kind, source_of(cell))


def exported(taught: Class, student: str, kind: str) -> dict[Path, bytes]:
    """Return the chapters of a class with one student's data, as `kind` takes them.

    Parameters
    ----------
    taught
        A class as ``rederive teach pack`` wrote it.
    student
        Whose data the whole class is to have.
    kind
        ``nbgrader``: a folder ``source/CHAPTER`` for each; ``otter``: a folder ``CHAPTER``, its
        notebook for ``otter assign``.

    Raises
    ------
    ConfigurationError
        If there is no such student.
    """
    cohort = taught.cohort(student)
    made: dict[Path, bytes] = {}
    exercises = {each.id: each for each in taught.exercises}
    shared = dict(zip(SHARED, taught.packed(student, *SHARED), strict=True))
    for source in sorted((taught.folder / "teacher").glob("c[0-9]*.ipynb")):
        notebook = read_notebook(source)
        forms = {id: exercises[id].form for id in _solutions(notebook)}
        files = {**shared, f"{source.stem}.json": json.dumps(forms, indent=1).encode()}
        if kind == "nbgrader":
            folder = Path("source") / source.stem
            cells = list(_chapter(notebook, exercises, cohort, _nbgrader_question, _nbgrader_open))
        else:
            folder = Path(source.stem)
            config = {"name": source.stem, "export_cell": False, "files": sorted(files)}
            first = _cell("raw", f"# ASSIGNMENT CONFIG\n{json.dumps(config, indent=1)}")
            cells = [first, *_chapter(notebook, exercises, cohort, _otter_question, _otter_open)]
        written = {**notebook, "cells": [{**c, "id": f"c{at}"} for at, c in enumerate(cells)]}
        files[source.name] = canonical_bytes(written)
        made |= {folder / name: content for name, content in files.items()}
    return made
