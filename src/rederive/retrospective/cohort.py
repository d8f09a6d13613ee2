"""A cohort: a table of patients and a table of their visits, in memory and as CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rederive.printed.errors import unknown
from rederive.printed.files import write_atomically
from rederive.printed.schema import Row
from rederive.retrospective.codebook import VISIT_COLUMNS, Codebook, Entry
from rederive.retrospective.keys import key_index
from rederive.retrospective.validation import PATIENTS_FILE, REMARK, VISITS_FILE, read_valid
from rederive.retrospective.windows import Windows, measured

CODEBOOK_FILE, README_FILE = "CODEBOOK.csv", "README.txt"
_README = f"""\
A cohort is this folder with two tables, CSV files with commas, decimal points and UTF-8:
{PATIENTS_FILE} has one row per patient, {VISITS_FILE} one per patient, month and measure.
Fill in the rows below the headers. {CODEBOOK_FILE} says what each column may hold and which
measures there are; what it requires may not be empty, other columns may be left empty, or out.
Months are whole numbers counted from the month of the first dose, which is 0; months before it are
negative.
"""
SIGNIFICANT_DIGITS = 10
"""Digits of a number in a written file."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """One cohort, or an ensemble of many with the same columns.

    The tables have one row per patient, and one per patient, month and measure (columns patient,
    month, measure, value); in an ensemble both have the column ``cohort``.
    """

    patients: pd.DataFrame
    visits: pd.DataFrame

    def __post_init__(self) -> None:
        needed = [("patients", self.patients, "patient")]
        needed += [("visits", self.visits, column) for column in VISIT_COLUMNS]
        for name, table, column in needed:
            if column not in table.columns:
                raise ValueError(f"{name}: found no column {column!r}, allowed: one")
        if ("cohort" in self.patients.columns) != ("cohort" in self.visits.columns):
            raise ValueError("the column 'cohort' must be in both tables or in neither")

    @property
    def is_ensemble(self) -> bool:
        """Whether the tables hold many cohorts."""
        return "cohort" in self.patients.columns

    def select(self, cohort: int) -> Cohort:
        """Return one cohort of an ensemble, without the column ``cohort``."""
        if not self.is_ensemble:
            raise ValueError("a single cohort has nothing to select from")
        tables = []
        for table in (self.patients, self.visits):
            rows = table[table["cohort"] == cohort].drop(columns="cohort")
            tables.append(rows.reset_index(drop=True))
        if tables[0].empty:
            known = self.patients["cohort"]
            raise ValueError(f"cohort: found {cohort!r}, allowed: {known.min()} to {known.max()}")
        return Cohort(*tables)

    def column(self, name: str) -> pd.Series[Any]:
        """Return a column of the table of patients by patient (or cohort and patient).

        Empty text is unknown, as an empty cell is. The ``ValueError`` for another name has the
        nearest.
        """
        if name not in self.patients.columns:
            raise unknown("column", name, self.patients.columns)
        values = pd.Series(self.patients[name].array, index=key_index(self.patients), name=name)
        if isinstance(values.dtype, pd.CategoricalDtype):
            return values.cat.remove_categories(
                [each for each in values.cat.categories if not each]
            )
        return values if pd.api.types.is_numeric_dtype(values) else values.where(values != "")

    def measured(self, measure: str, windows: Windows) -> pd.DataFrame:
        """Return all patients' values at baseline and follow-up; see `windows.measured`."""
        return measured(self.visits, measure, windows, self.patients)


def read_cohort(folder: Path, codebook: Codebook) -> Cohort:
    """Read a cohort and hold every cell against the codebook.

    Parameters
    ----------
    folder : Path
        Folder with ``patients.csv`` and ``visits.csv``; columns in any order, those that are not
        required may be left out.
    codebook : Codebook
        What they may hold.

    Returns
    -------
    Cohort
        Columns in the codebook's order; numbers as floats (months as integers), categories as
        categories, NaN for unknown.

    Raises
    ------
    CohortError
        With everything that is wrong: missing or unknown columns, values out of range or off the
        step, dates for months, words for numbers, patients or values given twice, visits of
        unknown patients, empty cells.
    """
    patients, visits = read_valid(folder, codebook)
    tables = [_table(patients, codebook.patients), _table(visits, codebook.visits)]
    tables[1]["month"] = tables[1]["month"].astype(np.int64)
    tables[1]["measure"] = pd.Categorical(
        [row["measure"] for row in visits], categories=list(codebook.measures)
    )
    return Cohort(*tables)


def _table(rows: list[Row], columns: Mapping[str, Entry]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: _parsed([row[name] for row in rows], item) for name, item in columns.items()}
    )


def _parsed(cells: list[str], entry: Entry) -> Any:
    if not entry.is_text:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    words = [cell or None for cell in cells]
    if entry.kind == "category" and entry.allowed:
        return pd.Categorical(words, categories=list(entry.allowed))
    return pd.Series(words, dtype=object)


def write_cohort(cohort: Cohort, folder: Path, remark: str = "") -> None:
    """Write one cohort as ``patients.csv`` and ``visits.csv``, each whole or not at all.

    The same cohort always gives the same bytes: UTF-8, LF, numbers with up to ten significant
    digits, nothing for unknown. A remark, if there is one, stands in a line above each header. Of
    an ensemble one cohort has to be selected first.
    """
    if cohort.is_ensemble:
        raise ValueError("an ensemble has no CSV form: select one cohort to write")
    above = f"{REMARK} {remark}\n" if remark else ""
    texts = {PATIENTS_FILE: _csv(cohort.patients), VISITS_FILE: _csv(cohort.visits)}
    for name, text in texts.items():
        write_atomically(folder / name, (above + text).encode())


def write_templates(folder: Path, codebook: Path) -> None:
    """Write empty tables with their headers, a copy of the codebook, and how to fill them in.

    If one of the files is there already, which may hold somebody's data, it is a
    ``FileExistsError``.
    """
    entries = Codebook.load(codebook)
    files = {
        PATIENTS_FILE: f"{','.join(entries.patients)}\n",
        VISITS_FILE: f"{','.join(entries.visits)}\n",
        CODEBOOK_FILE: codebook.read_text(encoding="utf-8"),
        README_FILE: _README,
    }
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise FileExistsError(f"{folder.name}: found {', '.join(there)}, allowed: a new folder")
    for name, text in files.items():
        write_atomically(folder / name, text.encode())


def _csv(table: pd.DataFrame) -> str:
    numbers = table.select_dtypes(["number", "bool"]).astype(float)
    # Adding zero turns minus zero into zero.
    plain = table.assign(**{str(name): numbers[name] + 0.0 for name in numbers})
    form = f"%.{SIGNIFICANT_DIGITS}g"
    return plain.to_csv(index=False, lineterminator="\n", float_format=form)
