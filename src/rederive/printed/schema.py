"""Validation of tidy CSV tables against a small table schema, with every error at once.

The schema is a JSON file after the Frictionless Table Schema: for each table a list of fields with
``name``, ``type`` and ``constraints`` (``required``, ``unique``, ``enum``, ``pattern``).
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one place of a file."""

    file: str
    row: int | None
    column: str
    found: str
    allowed: str
    suggestion: str = ""

    def __str__(self) -> str:
        where = f"{self.file}" + (f", row {self.row}" if self.row else "")
        hint = f" (did you mean {self.suggestion!r}?)" if self.suggestion else ""
        column = f", column {self.column}" if self.column else ""
        return f"{where}{column}: found {self.found!r}, allowed: {self.allowed}{hint}"


class TableError(ValueError):
    """A table does not fit its schema; ``problems`` are everything that is wrong, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Return the allowed word closest to a misspelt one, whatever the case, or an empty string.

    A number is close to one of the same value only: other digits are another thing, no misspelling.
    """
    others = {item.lower(): item for item in allowed if item and item != word}
    value = number_of(word)
    if value is not None:
        return next((each for each in others.values() if number_of(each) == value), "")
    close = difflib.get_close_matches(word.lower(), others, n=1, cutoff=0.6)
    return others[close[0]] if close else ""


def number_of(text: str) -> Decimal | None:
    """Return a plain decimal number, or ``None`` if the text is none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in text else None


_TYPES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "string": (lambda text: True, "text"),
    "integer": (lambda text: re.fullmatch(r"-?\d+", text) is not None, "a whole number"),
    "number": (lambda text: number_of(text) is not None, "a plain decimal number"),
    "boolean": (lambda text: text in ("true", "false"), "true or false"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table: one of string, integer, number, boolean.

    ``required`` is whether it may not be empty, ``unique`` whether no value repeats; ``enum`` are
    all allowed values, if they are listed, and the whole value matches ``pattern``, if there is
    one.
    """

    name: str
    type: str = "string"
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    pattern: str = ""

    @classmethod
    def from_json(cls, spec: Mapping[str, Any]) -> Field:
        """Read a field of a table schema."""
        limits = dict(spec.get("constraints", {}))
        limits["enum"] = tuple(limits.get("enum", ()))
        return cls(spec["name"], spec.get("type", "string"), **limits)

    def problem_with(self, value: str) -> tuple[str, str] | None:
        """Return what is allowed instead of a value, with a suggestion, or ``None`` if it fits."""
        if value == "":
            return ("a value, not nothing", "") if self.required else None
        check, words = _TYPES[self.type]
        if not check(value):
            return words, ""
        if self.enum and value not in self.enum:
            return ", ".join(self.enum), nearest(value, self.enum)
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"the pattern {self.pattern}", ""
        return None


def read_schema(path: Path) -> dict[str, tuple[Field, ...]]:
    """Read a JSON file of table schemas, one for each table name; else it is a ``TableError``."""
    text = text_of(path)
    try:
        tables = json.loads(text)["tables"]
    except (ValueError, KeyError, TypeError) as error:
        allowed = "JSON with the key 'tables'"
        raise TableError([Problem(path.name, None, "", str(error), allowed)]) from error
    return {
        name: tuple(Field.from_json(field) for field in table["fields"])
        for name, table in tables.items()
    }


def text_of(path: Path, encoding: str = "utf-8") -> str:
    """Return the text of a file; a ``TableError`` says why it cannot be read."""
    try:
        return path.read_text(encoding=encoding)
    except OSError as error:
        found, allowed = error.strerror or "no file", "a file"
    except UnicodeDecodeError as error:
        found, allowed = f"byte {error.start + 1} that is no UTF-8", "UTF-8 text"
    raise TableError([Problem(path.name, None, "", found, allowed)])


def read_table(path: Path, fields: tuple[Field, ...]) -> list[Row]:
    """Read a UTF-8 CSV file with a header row and hold it against its schema.

    The fields are in the order that the file must have. A ``TableError`` has every problem found:
    missing or unknown columns, short rows, values that do not fit.
    """
    reader = csv.reader(io.StringIO(text_of(path), newline=""))
    header = next(reader, [])
    names = [field.name for field in fields]
    if header != names:
        swapped = Problem(path.name, 1, "", ",".join(header), ",".join(names))
        found = header_problems(path.name, 1, header, names, names, ", ".join(names))
        raise TableError(found or [swapped])
    rows: list[Row] = []
    problems: list[Problem] = []
    seen: dict[str, dict[str, int]] = {field.name: {} for field in fields if field.unique}
    for number, cells in enumerate(reader, start=2):
        if len(cells) != len(names):
            allowed = f"{len(names)} cells"
            problems.append(Problem(path.name, number, "", f"{len(cells)} cells", allowed))
            continue
        row = dict(zip(names, cells, strict=True))
        rows.append(row)
        for field in fields:
            value = row[field.name]
            wrong = field.problem_with(value)
            if wrong is not None:
                problems.append(Problem(path.name, number, field.name, value, *wrong))
            elif field.unique and value:
                first = seen[field.name].setdefault(value, number)
                if first != number:
                    allowed = f"a new value (it stands in row {first} already)"
                    problems.append(Problem(path.name, number, field.name, value, allowed))
    if problems:
        raise TableError(problems)
    return rows


def header_problems(
    file: str,
    line: int,
    header: list[str],
    names: Iterable[str],
    needed: Iterable[str],
    allowed: str,
) -> list[Problem]:
    """Return what is wrong with the columns of a header, in whatever order they are."""
    missing = [name for name in names if name not in header]
    problems = []
    for place, name in enumerate(header):
        if name in header[:place]:
            problems.append(Problem(file, line, name, name, "each column once"))
        elif name not in names:
            hint = nearest(name, missing)
            problems.append(Problem(file, line, name or f"number {place + 1}", name, allowed, hint))
    meant = {problem.suggestion for problem in problems}
    problems += [
        Problem(file, line, name, "no such column", f"the column {name}")
        for name in missing
        if name in needed and name not in meant
    ]
    return problems


def check_references(
    file: str,
    rows: Iterable[Row],
    column: str,
    known: Iterable[str],
    separator: str = "",
) -> list[Problem]:
    """Return a problem for every id in a column that no row of another table has.

    The column holds an id, or several with a separator between them; `known` are all ids there are.
    """
    ids = set(known)
    problems = []
    for number, row in enumerate(rows, start=2):
        value = row[column]
        for item in value.split(separator) if separator else [value]:
            if item and item not in ids:
                hint = nearest(item, ids)
                problems.append(Problem(file, number, column, item, "an id that exists", hint))
    return problems
