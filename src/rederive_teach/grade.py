"""Grading: answers are read and compared with the key; no code of a student runs."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from rederive.printed.errors import ConfigurationError, meant
from rederive.printed.files import csv_text, write_atomically
from rederive_teach.lesson import ANSWERS, Cohort, Exercise, Feedback, exercises_of, judge
from rederive_teach.quiz_formats import printed_page

COLUMNS = ("mail", "name", "canvas_id")
"""What a class may tell of a student, for gradebooks; none of it is in a pack."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LARGEST = 1_000_000


def read_class(path: Path) -> dict[str, dict[str, str]]:
    """Return what a CSV file says of each student, by the column ``id``; `COLUMNS` may be there.

    Raises
    ------
    ConfigurationError
        If the column is missing, or a name is repeated or no safe file name.
    """
    with path.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        if "id" not in (rows.fieldnames or []):
            raise ConfigurationError(f"{path.name}: found no column id in the first line")
        people = [
            {name: (row.get(name) or "").strip() for name in ("id", *COLUMNS)} for row in rows
        ]
    names = [each["id"] for each in people]
    for at, name in enumerate(names, start=2):
        if not _ID.fullmatch(name) or name in names[: at - 2]:
            raise ConfigurationError(
                f"{path.name}: line {at}: found id {name!r}, allowed: letters, digits, dots, "
                "hyphens and underscores, at most 64, each student once"
            )
    return dict(zip(names, people, strict=True))


@dataclass(frozen=True)
class Class:
    """A class that was packed: its exercises, its students, and each student's cohort."""

    folder: Path
    course: str
    exercises: tuple[Exercise, ...]
    people: Mapping[str, Mapping[str, str]]
    fingerprints: Mapping[str, str]

    @classmethod
    def open(cls, folder: Path) -> Class:
        """Open what ``rederive teach pack`` wrote.

        Raises
        ------
        ConfigurationError
            If the folder holds no class.
        """
        described = folder / "teacher" / "class.json"
        if not described.is_file():
            raise ConfigurationError(f"{folder}: found no teacher/class.json; see teach pack")
        known = json.loads(described.read_text(encoding="utf-8"))
        sources = [folder / "teacher" / f"{chapter}.py" for chapter in known["chapters"]]
        exercises = tuple(each for source in sources for each in exercises_of(source))
        people = {each["id"]: each for each in known["people"]}
        return cls(folder, known["course"], exercises, people, known["students"])

    def cohort(self, student: str) -> Cohort:
        """Return a student's cohort, from the pack that was handed out."""
        texts = self.packed(student, "visits.csv", "patients.csv")
        visits, patients = (pd.read_csv(io.BytesIO(each), comment="#") for each in texts)
        return Cohort(visits, patients, student)

    def packed(self, student: str, *names: str) -> list[bytes]:
        """Return files of the pack that a student got; ConfigurationError for an unknown one."""
        if student not in self.fingerprints:
            raise ConfigurationError(
                f"student: found no {student!r}{meant(student, self.fingerprints)}"
            )
        with zipfile.ZipFile(self.folder / "students" / f"{student}.zip") as pack:
            return [pack.read(name) for name in names]

    def key(self, student: str) -> dict[str, float | int | str]:
        """Return a student's right answers by exercise, rounded as asked for."""
        cohort = self.cohort(student)
        return {each.id: _rounded(each, cohort) for each in self.exercises}


def _rounded(exercise: Exercise, cohort: Cohort) -> float | int | str:
    right = exercise.right(cohort)
    if isinstance(right, str) or exercise.decimals is None:
        return right if isinstance(right, str) or exercise.unit == "p" else int(right)
    return round(float(right), exercise.decimals)


@dataclass(frozen=True)
class Graded:
    """A student's result: feedback by exercise, and what else the teacher should know."""

    student: str
    feedback: tuple[Feedback, ...]
    note: str = ""

    @property
    def score(self) -> int:
        """How many answers are right."""
        return sum(each.kind == "right" for each in self.feedback)

    def page(self) -> str:
        """Return the result as a page for the student, with all texts escaped."""
        rows = "".join(
            f"<tr><th scope='row'>{escape(each.id)}</th><td>{escape(each.words)}</td></tr>"
            for each in self.feedback
        )
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return printed_page(
            f"{self.student}: {self.score} of {len(self.feedback)}",
            f"{note}<table><tr><th>Exercise</th><th>Feedback</th></tr>{rows}</table>",
        )


def grade(
    folder: Path, submissions: Path, out: Path, progress: Callable[[int, int], None] | None = None
) -> list[Graded]:
    """Grade a class: a page for each student, ``grades.csv``, and gradebooks for an LMS.

    Parameters
    ----------
    folder
        What ``rederive teach pack`` wrote.
    submissions
        Holds for a student ``ID/answers.json``, ``ID.json`` or a zip ``ID.zip`` with that file.
    out
        Where pages and tables go.
    progress
        Called with how many students are done, and of how many.
    """
    taught = Class.open(folder)
    results: list[Graded] = []
    for student in taught.fingerprints:
        results.append(_graded(taught, student, submissions))
        write_atomically(out / f"{student}.html", results[-1].page().encode())
        if progress is not None:
            progress(len(results), len(taught.fingerprints))
    for name, rows in gradebooks(taught, results).items():
        write_atomically(out / name, csv_text(rows).encode())
    return results


def _graded(taught: Class, student: str, submissions: Path) -> Graded:
    try:
        answers = _answers(submissions, student)
    except (ValueError, KeyError, OSError, RecursionError, zipfile.BadZipFile) as error:
        answers, note = {}, f"The answers could not be read: {error}"
    else:
        note = "" if answers else "No answers were handed in."
    cohort = taught.cohort(student)
    feedback = tuple(
        judge(each, cohort, answers.get(each.id, {}).get("value", ...)) for each in taught.exercises
    )
    used = {str(each.get("cohort")) for each in answers.values()}
    if used - {taught.fingerprints[student]}:
        note = "Some answers were computed from other data than those of this pack."
    return Graded(student, feedback, note)


def _answers(submissions: Path, student: str) -> dict[str, dict[str, Any]]:
    """Return what a student handed in, by exercise; nothing if nothing was."""
    text = b""
    packed = submissions / f"{student}.zip"
    for path in (submissions / student / ANSWERS, submissions / f"{student}.json"):
        if path.is_file():
            text = path.read_bytes()
    if packed.is_file() and not text:
        with zipfile.ZipFile(packed) as archive:
            name = next((n for n in archive.namelist() if n.split("/")[-1] == ANSWERS), "")
            if name and archive.getinfo(name).file_size <= _LARGEST:
                text = archive.read(name)
    if len(text) > _LARGEST:
        raise ValueError("the file is too large")
    read = json.loads(text) if text else {}
    if not isinstance(read, dict) or not all(isinstance(each, dict) for each in read.values()):
        raise ValueError("expected the answers by exercise, as the checks write them")
    return read


def gradebooks(taught: Class, results: list[Graded]) -> dict[str, pd.DataFrame]:
    """Return the grades by name of the file: all of them, and as Moodle and Canvas import them.

    ``grades.csv`` has nbgrader's columns and one for each exercise.  Moodle finds a student by
    *ID number* or *Email address*, Canvas by *ID*, *SIS User ID* or *SIS Login ID*; an id of the
    class is taken for the first and for *SIS User ID*, and the others are empty unless the class
    has a column ``mail`` or ``canvas_id``.
    """
    people = pd.DataFrame([taught.people[each.student] for each in results]).reindex(
        columns=[*COLUMNS, "id"], fill_value=""
    )
    scores = [each.score for each in results]
    most = len(taught.exercises)
    everything = pd.DataFrame(
        {
            "assignment": taught.course,
            "student_id": people["id"],
            "email": people["mail"],
            "score": scores,
            "max_score": most,
            **{
                exercise.id: [each.feedback[at].kind for each in results]
                for at, exercise in enumerate(taught.exercises)
            },
            "note": [each.note for each in results],
        }
    )
    told = [f"{each.score} of {most}. {each.note}".strip() for each in results]
    moodle = {"ID number": people["id"], "Email address": people["mail"], taught.course: scores}
    canvas = {
        "Student": people["name"].where(people["name"] != "", people["id"]),
        "ID": people["canvas_id"],
        "SIS User ID": people["id"],
        "SIS Login ID": people["mail"],
        "Section": "",
        taught.course: scores,
    }
    possible = {"Student": "    Points Possible", taught.course: most}
    return {
        "grades.csv": everything,
        "moodle.csv": pd.DataFrame({**moodle, "Feedback comments": told}),
        "canvas.csv": pd.concat([pd.DataFrame([possible]), pd.DataFrame(canvas)])[[*canvas]],
    }
