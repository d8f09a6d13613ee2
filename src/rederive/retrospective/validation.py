"""Validation of a cohort's two files against its codebook, with every error at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from rederive.printed.schema import Problem, Row, TableError, nearest
from rederive.retrospective.codebook import Codebook, Entry

PATIENTS_FILE, VISITS_FILE = "patients.csv", "visits.csv"
REMARK = "#"
"""A line above the header that begins so is a remark."""


class CohortError(TableError):
    """The files of a cohort do not fit its codebook; ``problems`` holds everything wrong."""


_BY_MEASURE = ("measure", "value")
"""Columns of the visits whose cells are held against the codebook's measures, if not empty."""

NumberedRow = tuple[int, Row]
"""A row with its line number in the file."""


def read_valid(folder: Path, codebook: Codebook) -> tuple[list[Row], list[Row]]:
    """Read the rows of both files, absent optional columns filled with nothing.

    Parameters
    ----------
    folder : Path
        Folder with ``patients.csv`` and ``visits.csv``.
    codebook : Codebook
        What they may hold.

    Returns
    -------
    tuple of list
        Rows of the patients and of the visits.

    Raises
    ------
    CohortError
        With everything that is wrong in either file.
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
        raise CohortError([*_in_order(problems), *_in_order(more)])
    return [row for _, row in patients], [row for _, row in visits]


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.row or 0)


def _read(path: Path, columns: Mapping[str, Entry]) -> tuple[list[NumberedRow], list[Problem]]:
    """Read one file and check each cell by itself."""
    try:
        # Spreadsheet programs write a byte order mark at the start of UTF-8 files.
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        return [], [Problem(path.name, None, "", found, "a CSV file")]
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} that is no UTF-8"
        return [], [Problem(path.name, None, "", found, "UTF-8 text")]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[NumberedRow] = []
    problems: list[Problem] = []
    try:
        # A file may begin with remarks, as those of synthetic cohorts do.
        first = (cells for cells in reader if not (cells and cells[0].startswith(REMARK)))
        header = [name.strip() for name in next(first, [])]
        problems += _header_problems(path.name, header, columns)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                found, allowed = f"{len(cells)} cells", f"{len(header)} cells, as in the header"
                problems.append(Problem(path.name, reader.line_num, "", found, allowed))
                continue
            given = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
            rows.append((reader.line_num, {name: given.get(name, "") for name in columns}))
            for name, entry in columns.items():
                wrong = entry.problem_with(given[name]) if name in given else None
                later = name in _BY_MEASURE and path.name == VISITS_FILE and given.get(name)
                if wrong is not None and not later:
                    problems.append(Problem(path.name, reader.line_num, name, given[name], *wrong))
    except csv.Error as error:
        problems.append(Problem(path.name, reader.line_num, "", str(error), "a row of a CSV file"))
    if not rows and not problems:
        problems.append(Problem(path.name, None, "", "no rows", "at least one row"))
    return rows, problems


def _header_problems(file: str, header: list[str], columns: Mapping[str, Entry]) -> list[Problem]:
    if not header:
        return [Problem(file, 1, "", "no header", ",".join(columns))]
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        return [Problem(file, 1, "", header[0], "cells with commas between them")]
    missing = [name for name in columns if name not in header]
    problems = []
    for place, name in enumerate(header):
        if name not in columns:
            hint = nearest(name.lower(), missing)
            allowed = "a column of the codebook"
            problems.append(Problem(file, 1, name or f"number {place + 1}", name, allowed, hint))
        elif name in header[:place]:
            problems.append(Problem(file, 1, name, name, "each column once"))
    meant = {problem.suggestion for problem in problems}
    problems += [
        Problem(file, 1, name, "no such column", f"the column {name}")
        for name in missing
        if columns[name].required and name not in meant
    ]
    return problems


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
            hint = nearest(patient, patients)
            problems.append(Problem(VISITS_FILE, line, "patient", patient, allowed, hint))
        if measure and measure not in measures:
            hint = nearest(measure.lower(), measures)
            allowed = ", ".join(measures)
            problems.append(Problem(VISITS_FILE, line, "measure", measure, allowed, hint))
        wrong = measures.get(measure, codebook.visits["value"]).problem_with(value)
        if value and wrong is not None:
            words = wrong[0].removesuffix("; empty if unknown")
            allowed = f"{measure}: {words}" if measure in measures else words
            problems.append(Problem(VISITS_FILE, line, "value", value, allowed, wrong[1]))
        key = (patient, _month(row["month"]), measure)
        if all(key) and first.setdefault(key, line) != line:
            found = f"{patient}, month {key[1]}, {measure}"
            allowed = f"one value of a measure for each patient and month (see row {first[key]})"
            problems.append(Problem(VISITS_FILE, line, "value", found, allowed))
    recorded = {row["measure"] for _, row in rows}
    problems += [
        Problem(VISITS_FILE, None, "measure", f"no {name}", f"at least one record of {name}")
        for name, entry in measures.items()
        if rows and entry.required and name not in recorded
    ]
    return problems


def _month(text: str) -> str:
    """Return a month as plain digits, so that 6 and 6.0 are the same month."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text
