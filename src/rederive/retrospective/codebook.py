"""The codebook of a cohort: its columns and measures, with what each may hold.

A codebook is a CSV file with one row for each column of the table of patients, each column of the
table of visits, and each value of the column ``measure`` of the visits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rederive.printed.schema import Field, Problem, TableError, nearest, number_of, read_table

KINDS = ("text", "integer", "number", "flag", "category", "month")
"""What a cell may hold; a flag is 0 or 1, a month a whole number counted from the first one."""

VISIT_COLUMNS = ("patient", "month", "measure", "value")
"""Columns of every table of visits; its other rows in a codebook are measures."""

_FIELDS = (
    Field("table", required=True, enum=("patients", "visits")),
    Field("column", required=True, pattern=r"[a-z][a-z0-9_]*"),
    Field("label", required=True),
    Field("kind", required=True, enum=KINDS),
    Field("unit"),
    Field("minimum", "number"),
    Field("maximum", "number"),
    Field("step", "number"),
    Field("allowed"),
    Field("required", required=True, enum=("yes", "no")),
    Field("note"),
)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{4}-\d{2}|[A-Za-z]{3,9}[ -]\d{2,4}")
_FLAG_WORDS = {"yes": "1", "y": "1", "true": "1", "no": "0", "n": "0", "false": "0"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One column, or one measure of the visits, with its label in words and a note for the reader.

    The kind is one of ``KINDS``; numbers may have a unit, a range, and a step from one value to the
    next, counted from zero; ``allowed`` are all values of a category. A required column must be
    there and filled, a required measure recorded at least once.
    """

    column: str
    label: str
    kind: str
    unit: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    step: Decimal | None = None
    allowed: tuple[str, ...] = ()
    required: bool = False
    note: str = ""

    @property
    def is_text(self) -> bool:
        """Whether cells hold words instead of numbers."""
        return self.kind in ("text", "category")

    @property
    def domain(self) -> str:
        """What a cell may hold."""
        if self.is_text:
            return ", ".join(self.allowed) if self.kind == "category" else "text"
        if self.kind == "flag":
            return "0 or 1"
        whole = self.kind in ("integer", "month")
        words = "a whole number" if whole else "a number"
        words += " of months" if self.kind == "month" else ""
        if self.minimum is not None and self.maximum is not None:
            words += f" from {self.minimum} to {self.maximum}"
        else:
            words += "" if self.minimum is None else f", at least {self.minimum}"
            words += "" if self.maximum is None else f", at most {self.maximum}"
        if self.step is not None and not (whole and self.step == 1):
            words += f" in steps of {self.step}"
        if self.kind == "month":
            return f"{words}, not a date"
        return words + (f" ({self.unit})" if self.unit else "")

    def problem_with(self, text: str) -> tuple[str, str] | None:
        """Return what is allowed instead of a cell, with a suggestion, or ``None`` if it fits."""
        if text == "":
            return (f"{self.domain}; not empty", "") if self.required else None
        if self.kind == "text":
            return None
        words = self.domain + ("" if self.required else "; empty if unknown")
        if self.kind == "category":
            if text in self.allowed:
                return None
            return words, nearest(text, self.allowed)
        number = number_of(text)
        if number is None:
            if self.kind == "flag":
                return words, _FLAG_WORDS.get(text.lower(), "")
            if _DATE.fullmatch(text) and "not a date" not in words:
                words += "; not a date"
            with_point = text.replace(",", ".")
            return words, with_point if "," in text and self._fits(number_of(with_point)) else ""
        return None if self._fits(number) else (words, "")

    def _fits(self, number: Decimal | None) -> bool:
        if number is None or number.adjusted() > 20:  # more digits than can be divided
            return False
        if self.kind == "flag":
            return number in (0, 1)
        return not (
            (self.kind in ("integer", "month") and number % 1 != 0)
            or (self.minimum is not None and number < self.minimum)
            or (self.maximum is not None and number > self.maximum)
            or (self.step is not None and number % self.step != 0)
        )


@dataclass(frozen=True, slots=True)
class Codebook:
    """What the two tables of a cohort hold, by name in the order of the file.

    ``visits`` are the four columns of that table, ``measures`` what ``value`` may be where
    ``measure`` has that name.
    """

    patients: Mapping[str, Entry]
    visits: Mapping[str, Entry]
    measures: Mapping[str, Entry]

    @classmethod
    def load(cls, path: Path) -> Codebook:
        """Read a codebook.

        A ``TableError`` has every problem found: a missing file or column, values that do not fit,
        a name given twice, a category without values, a range upside down, a missing key column.
        """
        rows = read_table(path, _FIELDS)
        problems: list[Problem] = []
        tables: dict[str, dict[str, Entry]] = {"patients": {}, "visits": {}}
        for number, row in enumerate(rows, start=2):
            read: dict[str, Any] = {name: row[name] for name in Entry.__slots__}
            read |= {name: number_of(row[name]) for name in ("minimum", "maximum", "step")}
            read["allowed"] = tuple(row["allowed"].split("|")) if row["allowed"] else ()
            entry = Entry(**read | {"required": row["required"] == "yes"})
            known = tables[row["table"]]
            if entry.column in known:
                allowed = f"a column once in the table {row['table']}"
                problems.append(Problem(path.name, number, "column", entry.column, allowed))
            problems += [
                Problem(path.name, number, column, row[column], allowed)
                for column, allowed in _faults(entry, row["table"])
            ]
            known[entry.column] = entry
        for table, names in (("patients", ("patient",)), ("visits", VISIT_COLUMNS)):
            problems += [
                Problem(path.name, None, "column", "no such row", f"{name} of the table {table}")
                for name in names
                if name not in tables[table]
            ]
        if problems:
            raise TableError(problems)
        visits = tables["visits"]
        return cls(
            patients=tables["patients"],
            visits={name: visits[name] for name in VISIT_COLUMNS},
            measures={name: item for name, item in visits.items() if name not in VISIT_COLUMNS},
        )


def _faults(entry: Entry, table: str) -> list[tuple[str, str]]:
    """Return the columns of a codebook's row that contradict each other, with what is allowed."""
    measure = table == "visits" and entry.column not in VISIT_COLUMNS
    faults = []
    if measure and entry.is_text:
        faults.append(("kind", "integer, number or flag for a measure"))
    listed = (table, entry.column) != ("visits", "measure")
    if listed and (entry.kind == "category") != bool(entry.allowed):
        faults.append(("allowed", "values with | between them for a category, nothing otherwise"))
    if entry.minimum is not None and entry.maximum is not None and entry.minimum > entry.maximum:
        faults.append(("minimum", f"at most the maximum {entry.maximum}"))
    if entry.step is not None and entry.step <= 0:
        faults.append(("step", "a positive number"))
    return faults
