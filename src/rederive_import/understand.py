"""Which row of a table is its header, and what each column is."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from rederive.printed.schema import Problem
from rederive_import.dialect import Dialect, Names
from rederive_import.files import Cell, Place, Table
from rederive_import.words import UNIT_WORDS, plain, time_of

_SEARCHED = 20
"""Rows that are searched for the header."""


@dataclass(frozen=True)
class Understood:
    """A table with its header, what each column is, and the rows below."""

    table: Table
    header_row: int
    header: list[str]
    roles: list[str]
    rows: Sequence[tuple[int, list[Cell]]]

    @property
    def name(self) -> str:
        """The table's name for messages."""
        return self.table.name

    def head(self, role: str) -> str:
        """Return the header of the column with a role, or nothing."""
        return self.header[self.roles.index(role)] if role in self.roles else ""

    def cells(self, role: str) -> Iterator[tuple[Place, Cell]]:
        """Yield the cells of the column with a role, if there is one, with their places."""
        if role in self.roles:
            at, name, head = self.roles.index(role), self.name, self.head(role)
            for row, cells in self.rows:
                yield Place(name, row, head), cells[at]

    def rows_with(self, roles: Collection[str]) -> set[int]:
        """Return the rows with a value in columns of some roles; all, if there is no such one."""
        columns = [at for at, role in enumerate(self.roles) if role in roles]
        return {
            row for row, cells in self.rows if not columns or any(cells[at] != "" for at in columns)
        }


def understand(
    table: Table, dialect: Dialect, names: Names, given: bool
) -> tuple[Understood | None, list[Problem]]:
    """Find header and columns of a table.

    Parameters
    ----------
    table : Table
        What was read.
    dialect : Dialect
        What is said about columns.
    names : Names
        Names by which columns are known.
    given : bool
        Whether the dialect says it of all columns, so that none is guessed at.

    Returns
    -------
    Understood or None, list of Problem
        Nothing if no column has the patients; and what is wrong or can be meant in two ways.
    """

    def role(header: str) -> str:
        return dialect.columns.get(header, "aside" if given else names.role_of(header))

    at, header, below = _header(table, role)
    if at < 0:
        found = ", ".join(header) if len(header) < 9 else f"{', '.join(header[:8])} and more"
        allowed = "a column with the names of the patients: --column 'HEADER=patient'"
        return None, [Problem(table.name, table.rows[below][0], "", found, allowed)]
    number = table.rows[at][0]
    roles = [role(each) for each in header]
    problems = _header_problems(table.name, number, header, roles, dialect)
    roles = ["aside" if role in roles[:place] else role for place, role in enumerate(roles)]
    rows = []
    for line, cells in table.rows[below:]:
        spare = [cell for cell in cells[len(header) :] if cell != ""]
        if len(cells) < len(header) or spare:
            hint = "; decimal commas need quotes, or another separator" if spare else ""
            allowed = f"{len(header)} cells, as in the header{hint}"
            problems.append(Problem(table.name, line, "", f"{len(cells)} cells", allowed))
        else:
            rows.append((line, cells[: len(header)]))
    if not rows and not problems:
        problems.append(Problem(table.name, None, "", "no rows", "a row below the header"))
    return Understood(table, number, header, roles, rows), problems


def _header(table: Table, role: Callable[[str], str]) -> tuple[int, list[str], int]:
    """Return place and cells of the header, and where the rows begin.

    The place is -1 if no row names patients; then the row with the most words is returned.
    """
    for at, (_, cells) in enumerate(table.rows[:_SEARCHED]):
        header = [str(cell) for cell in cells]
        if "patient" not in map(role, header):
            continue
        who = [role(each) for each in header].index("patient")
        following = (
            [str(cell) for cell in table.rows[at + 1][1]] if at + 1 < len(table.rows) else []
        )
        # As in merged cells, what stands left of an empty cell.
        above = list(header)
        for place in range(1, len(above)):
            above[place] = above[place] or above[place - 1]
        if len(following) == len(header) and following[who] in ("", header[who]):
            both = zip(above, following, strict=True)
            times = [time_of(below) for top, below in both if below and below != top]
            if times and None not in times:
                pairs = zip(header, above, following, strict=True)
                joined = [
                    head if below in ("", head) else f"{top} {below}" for head, top, below in pairs
                ]
                return at, joined, at + 2
        while header and not header[-1]:
            header.pop()
        return at, header, at + 1
    texts = [[str(cell) for cell in cells] for _, cells in table.rows[:_SEARCHED]]
    words = [sum(bool(re.search(r"[^\W\d]", cell)) for cell in row) for row in texts]
    fullest = words.index(max(words))
    return -1, texts[fullest], fullest


def _header_problems(
    name: str, row: int, header: list[str], roles: list[str], dialect: Dialect
) -> list[Problem]:
    problems = []
    for place, (head, role) in enumerate(zip(header, roles, strict=True)):
        if head in header[:place] and role != "aside":
            problems.append(Problem(name, row, head, head, "each column once"))
        elif role != "aside" and role in roles[:place]:
            other = header[roles.index(role)]
            allowed = f"one column as {role}: --column '{head}=aside' or --column '{other}=aside'"
            problems.append(Problem(name, row, head, f"{other} and {head}", allowed))
    # 1, 2, 3 are visits by number as well as months.
    for measure in dict.fromkeys(role.partition("@")[0] for role in roles if "@" in role):
        bare = {
            head: float(role.partition("@")[2].split()[0])
            for head, role in zip(header, roles, strict=True)
            if role.startswith(f"{measure}@") and head not in dialect.columns
            and not UNIT_WORDS & set(re.findall(r"[^\W\d_]+", plain(head)))
        }  # fmt: skip
        numbers = [each for each in sorted(bare.values()) if each]
        if len(numbers) > 1 and numbers == [1.0 + place for place in range(len(numbers))]:
            allowed = f"months; visits by number need theirs: --column 'HEADER={measure}@MONTH'"
            problems.append(Problem(name, row, next(iter(bare)), ", ".join(bare), allowed))
    return problems
