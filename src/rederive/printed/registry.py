"""The registry: every printed number and claim of an article, and the plan to reproduce them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from rederive.printed.evidence import Evidence
from rederive.printed.interval import Interval
from rederive.printed.number import P_VALUE_DOMAIN, PrintedNumber
from rederive.printed.schema import (
    Problem,
    Row,
    TableError,
    check_references,
    read_schema,
    read_table,
)

_DOMAINS: Mapping[str, Interval] = {
    "p": P_VALUE_DOMAIN,
    "percent": Interval(Fraction(0), Fraction(100)),
    **dict.fromkeys(("sd", "count", "n", "or", "ci_low", "ci_high"), Interval(Fraction(0), None)),
}

INPUT_SEPARATOR = ";"
"""Separates the ids in the plan's column of inputs."""


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One printed number with its place and meaning."""

    id: str
    section: str
    place: str
    group: str
    variable: str
    timepoint: str
    statistic: str
    printed: PrintedNumber
    unit: str
    n: int | None
    n_stated: bool
    same_as: str
    note: str

    @property
    def as_printed(self) -> str:
        """The number as a reader sees it, with operator and percent sign."""
        sign = "%" if self.unit == "percent" else ""
        return f"{self.printed}{sign}"

    @property
    def with_unit(self) -> str:
        """The number with its unit where the statistic alone does not tell what is counted."""
        told = self.statistic in ("other", "threshold", "month", "min", "max")
        if not told or self.unit in ("", "percent", "year"):
            return self.as_printed
        return f"{self.as_printed} {self.unit.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One checkable statement without a figure."""

    id: str
    section: str
    place: str
    group: str
    variable: str
    timepoint: str
    kind: str
    expected: str
    statement: str
    same_as: str
    note: str

    @property
    def as_printed(self) -> str:
        """What stands in the article: the mark of a table cell, else the statement in our words."""
        if self.kind in ("asterisk", "no_asterisk"):
            return self.kind.replace("_", " ")
        return self.statement


@dataclass(frozen=True, slots=True)
class PlanRow:
    """How one number or claim is to be reproduced; fixed before results."""

    id: str
    evidence: Evidence
    method: str
    inputs: tuple[str, ...]
    options: Mapping[str, str]
    notebook: str


@dataclass(frozen=True, slots=True)
class VariableRow:
    """A measured quantity: its label, and the scale of single measurements where it is known."""

    variable: str
    label: str
    minimum: Fraction | None
    maximum: Fraction | None
    step: Fraction | None
    unit: str


@dataclass(frozen=True, slots=True)
class CellRow:
    """What stands in one cell of a table of the article: ids of numbers and claims.

    ``row`` is the number of the row within the table, from 1, ``topic`` the heading above it, if
    any. ``{}`` in its label is where figures stand, and those have no title of a column.
    """

    row: int
    topic: str
    label: str
    column: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """All printed numbers, claims, plans and variables of one article, by id, in its order.

    The cells of its tables are by the table's name, in reading order. A registry equals itself
    only, so what follows from it can be kept.
    """

    numbers: Mapping[str, NumberRow]
    claims: Mapping[str, ClaimRow]
    plan: Mapping[str, PlanRow]
    variables: Mapping[str, VariableRow]
    tables: Mapping[str, tuple[CellRow, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[NumberRow | ClaimRow]:
        yield from self.numbers.values()
        yield from self.claims.values()

    def row(self, row_id: str) -> NumberRow | ClaimRow:
        """Return a number or claim by its id."""
        return self.numbers[row_id] if row_id in self.numbers else self.claims[row_id]

    def first_mention(self, name: str) -> str:
        """Return the id of the first mention of a number, which may be itself."""
        row = self.numbers.get(name)
        return row.same_as if row is not None and row.same_as else name


def _number_row(row: Row) -> NumberRow:
    read: dict[str, Any] = {
        "printed": PrintedNumber(row["printed"], row["operator"]),
        "n": int(row["n"]) if row["n"] else None,
        "n_stated": row["n_stated"] == "true",
    }
    return NumberRow(**{name: row[name] for name in NumberRow.__slots__} | read)


def _plan_row(row: Row) -> PlanRow:
    options = filter(None, row["options"].split(INPUT_SEPARATOR))
    return PlanRow(
        id=row["id"],
        evidence=Evidence(row["evidence"]),
        method=row["method"],
        inputs=tuple(item for item in row["inputs"].split(INPUT_SEPARATOR) if item),
        options=dict(item.split("=", 1) for item in options),
        notebook=row["notebook"],
    )


def _variable_row(row: Row) -> VariableRow:
    ends = ("minimum", "maximum", "step")
    read: dict[str, Any] = {name: Fraction(row[name]) if row[name] else None for name in ends}
    return VariableRow(**{name: row[name] for name in VariableRow.__slots__} | read)


def _cells(rows: list[Row]) -> dict[str, tuple[CellRow, ...]]:
    found: dict[str, list[CellRow]] = {}
    for row in rows:
        ids = tuple(row["ids"].split(INPUT_SEPARATOR))
        cell = CellRow(int(row["row"]), row["topic"], row["label"], row["column"], ids)
        found.setdefault(row["table"], []).append(cell)
    return {table: tuple(cells) for table, cells in found.items()}


def _figure_problems(rows: list[Row]) -> Iterator[Problem]:
    """Yield the problems that only the columns of one number taken together show."""
    for number, row in enumerate(rows, start=2):
        printed = PrintedNumber(row["printed"], row["operator"])
        if Fraction(row["value"]) != printed.value:
            yield Problem("numbers.csv", number, "value", row["value"], str(printed.value))
        if int(row["decimals"]) != printed.decimals:
            allowed = str(printed.decimals)
            yield Problem("numbers.csv", number, "decimals", row["decimals"], allowed)
        domain = _DOMAINS.get(row["statistic"])
        if domain is not None and printed.interval().intersect(domain) is None:
            yield Problem("numbers.csv", number, "printed", row["printed"], f"within {domain}")


def _plan_problems(
    numbers: list[Row], claims: list[Row], plan: list[Row], variables: list[Row]
) -> Iterator[Problem]:
    ids = [row["id"] for row in (*numbers, *claims)]
    yield from check_references("plan.csv", plan, "id", ids)
    yield from check_references("plan.csv", plan, "inputs", ids, INPUT_SEPARATOR)
    known = [row["variable"] for row in variables]
    by_id = {row["id"]: (number, row) for number, row in enumerate(plan, start=2)}
    for file, rows in (("numbers.csv", numbers), ("claims.csv", claims)):
        for number, row in enumerate(rows, start=2):
            if row["id"] not in by_id:
                allowed = "an id with a row in plan.csv"
                yield Problem(file, number, "id", row["id"], allowed)
        yield from check_references(file, rows, "variable", known)
        yield from check_references(file, rows, "same_as", [row["id"] for row in rows])
    for row in (*numbers, *claims):
        _, first = by_id.get(row["same_as"], (0, None))
        number, own = by_id.get(row["id"], (0, None))
        if first and own and own["evidence"] != first["evidence"]:
            allowed = f"{first['evidence']}, as for its first mention {row['same_as']}"
            yield Problem("plan.csv", number, "evidence", own["evidence"], allowed)
    for number, row in enumerate(plan, start=2):
        for item in row["options"].split(INPUT_SEPARATOR):
            if item and "=" not in item:
                allowed = f"name=value, with {INPUT_SEPARATOR} between several"
                yield Problem("plan.csv", number, "options", item, allowed)


def load_registry(folder: Path) -> Registry:
    """Load and check the registry of an article from the tables in a folder, and their schema.

    A ``TableError`` has every problem: values that do not fit the schema, figures whose columns
    contradict each other, ids that do not exist, rows without a plan.
    """
    schema = read_schema(folder / "schema.json")
    problems: list[Problem] = []
    tables: dict[str, list[Row]] = {}
    for name, fields in schema.items():
        try:
            tables[name] = read_table(folder / f"{name}.csv", fields)
        except TableError as error:
            problems.extend(error.problems)
    if problems:
        raise TableError(problems)
    numbers, claims = tables["numbers"], tables["claims"]
    problems.extend(_figure_problems(numbers))
    problems.extend(_plan_problems(numbers, claims, tables["plan"], tables["variables"]))
    cells = tables.get("tables", [])
    ids = [row["id"] for row in (*numbers, *claims)]
    problems.extend(check_references("tables.csv", cells, "ids", ids, INPUT_SEPARATOR))
    if problems:
        raise TableError(problems)
    return Registry(
        numbers={row["id"]: _number_row(row) for row in numbers},
        claims={row["id"]: ClaimRow(**row) for row in claims},
        plan={row["id"]: _plan_row(row) for row in tables["plan"]},
        variables={row["variable"]: _variable_row(row) for row in tables["variables"]},
        tables=_cells(cells),
    )
