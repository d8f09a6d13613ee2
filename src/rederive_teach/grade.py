"""Grading: answers are read and compared with the key; no code of a student runs."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from rederive.errors import ConfigurationError, meant
from rederive.printed.files import csv_text, write_atomically
from rederive_teach.lesson import ANSWERS, Cohort, Exercise, Feedback, exercises_of, judge

_LARGEST = 1_000_000


@dataclass(frozen=True)
class Class:
    """A class that was packed: its exercises, and each student's cohort."""

    folder: Path
    exercises: tuple[Exercise, ...]
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
        return cls(folder, exercises, known["students"])

    def cohort(self, student: str) -> Cohort:
        """Return a student's cohort, from the pack that was handed out."""
        names = ("visits.csv", "patients.csv")
        visits, patients = (
            pd.read_csv(io.BytesIO(text), comment="#") for text in self._packed(student, *names)
        )
        return Cohort(visits, patients, student)

    def sheet(self, student: str) -> str:
        """Return a student's printed sheet, from the pack that was handed out."""
        return self._packed(student, "sheet.html")[0].decode()

    def _packed(self, student: str, *names: str) -> list[bytes]:
        """Return files of a student's pack; ConfigurationError if there is no such student."""
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
        return (
            f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(self.student)}"
            f"</title><h1>{escape(self.student)}: {self.score} of {len(self.feedback)}</h1>{note}"
            f"<table><tr><th>Exercise</th><th>Feedback</th></tr>{rows}</table></html>\n"
        )


def grade(folder: Path, submissions: Path, out: Path) -> list[Graded]:
    """Grade a class: a page for each student and ``grades.csv``.

    Parameters
    ----------
    folder
        What ``rederive teach pack`` wrote.
    submissions
        Holds for a student ``ID/answers.json``, ``ID.json`` or a zip ``ID.zip`` with that file.
    out
        Where pages and table go.
    """
    taught = Class.open(folder)
    results = [_graded(taught, student, submissions) for student in taught.fingerprints]
    for each in results:
        write_atomically(out / f"{each.student}.html", each.page().encode())
    write_atomically(out / "grades.csv", table_of(taught, results).encode())
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


def table_of(taught: Class, results: list[Graded]) -> str:
    """Return the results as CSV: a row for each student, a column for each exercise."""
    rows = []
    for each in results:
        kinds = [one.kind for one in each.feedback]
        rows.append([each.student, each.score, len(kinds), *kinds, each.note])
    numbers = [each.id for each in taught.exercises]
    columns = ["student_id", "score", "max_score", *numbers, "note"]
    return csv_text(pd.DataFrame(rows, columns=columns))
