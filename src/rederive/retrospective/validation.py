"""Validation of a cohort's two files against its codebook, with every error at once."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rederive.printed.errors import listed
from rederive.printed.schema import Problem, Row, TableError, header_problems, nearest, text_of
from rederive.retrospective.codebook import Codebook, Entry

PATIENTS_FILE, VISITS_FILE = "patients.csv", "visits.csv"
REMARK = "#"
"""A line above the header that begins so is a remark."""


MOST_LISTED = 50
"""Most lines of a message; the error holds every fault."""

PLACES = 3
"""Most rows that a line names."""

LONGEST = 60
"""Most characters of a line that a message repeats."""


class CohortError(TableError):
    """The files of a cohort do not fit its codebook; ``problems`` holds everything wrong."""

    def __str__(self) -> str:
        return grouped(self.problems)


def grouped(problems: Iterable[Problem]) -> str:
    """Return faults in lines, equal ones in one with their number and the first rows."""
    rows: dict[Problem, list[int | None]] = {}
    for each in problems:
        rows.setdefault(replace(each, row=None), []).append(each.row)
    lines = [_line(problem, found) for problem, found in rows.items()]
    return listed(lines, "\n", MOST_LISTED)


def _line(problem: Problem, rows: list[int | None]) -> str:
    if len(rows) == 1:
        return str(replace(problem, row=rows[0]))
    places = ", ".join(map(str, rows[:PLACES])) + (", …" if len(rows) > PLACES else "")
    file = f"{problem.file}, {len(rows)} rows ({places})"
    return str(replace(problem, file=file))


UNKNOWN = "; leave the row out if unknown"
_BY_MEASURE = ("measure", "value")
"""Columns of the visits whose cells are held against the codebook's measures, if not empty."""

_MINUS_SIGNS = str.maketrans({"–": "-", "−": "-", "‐": "-", "‑": "-"})

NumberedRow = tuple[int, Row]
"""A row with its line number in the file."""


def read_valid(folder: Path, codebook: Codebook) -> tuple[list[Row], list[Row]]:
    """Read the rows of both files of a folder, absent optional columns filled with nothing.

    A ``CohortError`` has everything that is wrong in either file.
    """
    if not folder.is_dir():
        allowed = f"a folder with {PATIENTS_FILE} and {VISITS_FILE}"
        raise CohortError([Problem(folder.name, None, "", "no such folder", allowed)])
    patients, problems = _read(folder / PATIENTS_FILE, codebook.patients)
    visits, more = _read(folder / VISITS_FILE, codebook.visits)
    problems += _patient_problems(patients)
    known = {row["patient"] for _, row in patients} if patients else None
    more += _visit_problems(visits, codebook, known)
    if problems or more:
        in_order = (sorted(part, key=lambda each: each.row or 0) for part in (problems, more))
        raise CohortError([each for part in in_order for each in part])
    return [row for _, row in patients], [row for _, row in visits]


def _read(path: Path, columns: Mapping[str, Entry]) -> tuple[list[NumberedRow], list[Problem]]:
    """Read one file and check each cell by itself."""
    try:
        text = _text_of(path)
    except TableError as error:
        return [], list(error.problems)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[NumberedRow] = []
    problems: list[Problem] = []
    try:
        # A file may begin with remarks, as those of synthetic cohorts do.
        first = (cells for cells in reader if not (cells and cells[0].startswith(REMARK)))
        header = [name.strip() for name in next(first, [])]
        problems += _header_problems(path.name, reader.line_num, header, columns)
        if not header or not set(header) & set(columns):
            return [], problems
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                found, allowed = f"{len(cells)} cells", f"{len(header)} cells, as in the header"
                problems.append(Problem(path.name, reader.line_num, "", found, allowed))
                continue
            given = dict(zip(header, map(str.strip, cells), strict=True))
            row = {
                name: given.get(name, "").translate({} if entry.is_text else _MINUS_SIGNS)
                for name, entry in columns.items()
            }
            rows.append((reader.line_num, row))
            for name in (name for name in columns if name in given):
                # What a value may be depends on the measure.
                by_measure = name in _BY_MEASURE and path.name == VISITS_FILE
                if by_measure and row[name]:
                    continue
                wrong = columns[name].problem_with(row[name])
                if wrong is not None:
                    words = wrong[0] + (UNKNOWN if name == "value" and by_measure else "")
                    problems.append(
                        Problem(path.name, reader.line_num, name, given[name], words, wrong[1])
                    )
    except csv.Error as error:
        problems.append(Problem(path.name, reader.line_num, "", str(error), "a row of a CSV file"))
    if not rows and not problems:
        problems.append(Problem(path.name, None, "", "no rows", "at least one row"))
    return rows, problems


def _text_of(path: Path) -> str:
    if path.exists():
        # Spreadsheet programs write a byte order mark at the start of UTF-8 files.
        return text_of(path, "utf-8-sig")
    there = {one.name.lower(): one.name for one in path.parent.iterdir()}
    near = there.get(path.name, "") or there.get(nearest(path.name, there), "")
    allowed = "a CSV file" + (f" of this name; there is {near}" if near else "")
    raise TableError([Problem(path.name, None, "", "no such file", allowed)])


def _header_problems(
    file: str, line: int, header: list[str], columns: Mapping[str, Entry]
) -> list[Problem]:
    if not header:
        return [Problem(file, 1, "", "no header", ",".join(columns))]
    if len(header) == 1 and any(sign in header[0] for sign in ";\t|"):
        found = header[0] if len(header[0]) <= LONGEST else f"{header[0][:LONGEST]}..."
        return [Problem(file, line, "", found, "cells with commas between them")]
    needed = [name for name, entry in columns.items() if entry.required]
    return header_problems(file, line, header, columns, needed, "a column of the codebook")


def _patient_problems(rows: list[NumberedRow]) -> list[Problem]:
    problems = []
    first: dict[str, int] = {}
    for line, row in rows:
        patient = row["patient"]
        if patient and first.setdefault(patient, line) != line:
            allowed = f"each patient once (see row {first[patient]})"
            problems.append(Problem(PATIENTS_FILE, line, "patient", patient, allowed))
    return problems


def _visit_problems(
    rows: list[NumberedRow], codebook: Codebook, patients: set[str] | None
) -> list[Problem]:
    measures, problems = codebook.measures, []
    first: dict[tuple[str, str, str], int] = {}
    for line, row in rows:
        patient, measure, value = row["patient"], row["measure"], row["value"]
        if patients is not None and patient and patient not in patients:
            allowed = f"a patient of {PATIENTS_FILE}"
            hint = _same_name(patient, patients)
            problems.append(Problem(VISITS_FILE, line, "patient", patient, allowed, hint))
        if measure and measure not in measures:
            hint = nearest(measure, measures)
            allowed = ", ".join(measures)
            problems.append(Problem(VISITS_FILE, line, "measure", measure, allowed, hint))
            measure = hint or measure  # so that its values are held against what it may hold
        wrong = measures.get(measure, codebook.visits["value"]).problem_with(value)
        if value and wrong is not None:
            words = wrong[0].removesuffix("; empty if unknown")
            if measure in measures:
                words = f"{measure}: {words}{UNKNOWN}"
            problems.append(Problem(VISITS_FILE, line, "value", value, words, wrong[1]))
        key = (patient, _month(row["month"]), measure)
        if all(key) and first.setdefault(key, line) != line:
            found = f"{patient}, month {key[1]}, {measure}"
            allowed = f"one value of a measure for each patient and month (see row {first[key]})"
            problems.append(Problem(VISITS_FILE, line, "value", found, allowed))
    recorded = {row["measure"] for _, row in rows} | {each.suggestion for each in problems}
    problems += [
        Problem(VISITS_FILE, None, "measure", f"no {name}", f"at least one record of {name}")
        for name, entry in measures.items()
        if rows and entry.required and name not in recorded
    ]
    return problems


def _same_name(found: str, patients: set[str]) -> str:
    """Return the one patient whose name is the same but for case, blanks or leading zeros."""

    def bare(name: str) -> str:
        # A spreadsheet makes 1.0 of 001.
        return re.sub(r"\.0+$", "", "".join(name.split())).lower().lstrip("0")

    same = [patient for patient in patients if bare(patient) == bare(found)]
    return same[0] if len(same) == 1 else ""


def _month(text: str) -> str:
    """Return a month as plain digits, so that 6 and 6.0 are the same month."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text
