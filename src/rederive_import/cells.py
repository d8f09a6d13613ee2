"""What a cell says: every change of a value is noted, and nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pandas as pd

from rederive.book.cohort_form import CohortForm
from rederive.printed.schema import Problem
from rederive.retrospective import Codebook, Cohort, Entry
from rederive_import.dialect import Dialect
from rederive_import.files import NO_VALUE, Cell, Place
from rederive_import.words import MISSING, MISSING_CODES, NO, YES, nearest_step, number_of, plain


@dataclass
class Imported:
    """What became of the files."""

    dialect: Dialect
    problems: list[Problem] = field(default_factory=list)
    changes: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    patients: dict[str, dict[str, str]] = field(default_factory=dict)
    values: dict[tuple[str, int, str], str] = field(default_factory=dict)
    unsaid: list[str] = field(default_factory=list)
    """What may mean that a value is unknown, as ``--missing`` takes it."""
    notes: list[str] = field(default_factory=list)
    """What is allowed and may yet be a mistake."""

    def change(self, at: Place, what: str) -> None:
        """Note that a cell was changed, and how."""
        self.changes.setdefault((at.table, at.column, what), []).append(at.row)

    def cohort(self, codebook: Codebook) -> Cohort:
        """Return the two tables, with the columns that have a value."""
        filled = {name for values in self.patients.values() for name in values}
        columns = [name for name in codebook.patients if name in filled or name == "patient"]
        people = [{"patient": name} | values for name, values in self.patients.items()]
        order = list(codebook.measures)
        place = {name: at for at, name in enumerate(self.patients)}
        keys = sorted(self.values, key=lambda key: (place[key[0]], key[1], order.index(key[2])))
        visits = [(*key, self.values[key]) for key in keys]
        return Cohort(
            pd.DataFrame(people, columns=columns, dtype=object),
            pd.DataFrame(visits, columns=["patient", "month", "measure", "value"], dtype=object),
        )


class Cells:
    """Reads cells under a dialect, which it completes by what it finds they mean."""

    def __init__(self, dialect: Dialect, form: CohortForm) -> None:
        self.dialect, self.form, self.done = dialect, form, Imported(dialect)
        self._gaps: dict[tuple[str, str], list[tuple[Place, Entry | None]]] = {}
        self._written: dict[str, str] = {}
        self._decimals: dict[tuple[str, str], Cell] = {}
        self._values: set[Decimal] = set()

    def problem(self, at: Place, found: object, *words: str) -> None:
        """Note what is wrong in a place."""
        self.done.problems.append(Problem(*at, str(found), *words))

    def known(self, at: Place, cell: Cell, entry: Entry | None) -> Cell:
        """Return a cell, empty if it says that the value is unknown."""
        if isinstance(cell, date) or cell == "" or cell in self.dialect.values.get(at.column, {}):
            return cell
        number = number_of(cell)
        for code in self.dialect.missing:
            column, sign, word = code.rpartition(":")
            if sign and column != at.column:
                continue
            coded = number_of(word)
            same = number and coded and Decimal(number[0]) == Decimal(coded[0])
            if same or cell.lower() == word.lower():
                self.done.change(at, f"{cell!r} → unknown")
                return ""
        usual = number is not None and str(Decimal(number[0]).normalize()) in MISSING_CODES
        if entry is not None and entry.problem_with(cell) is None:
            if number is not None and usual:
                self._values.add(Decimal(number[0]))
            return cell
        fits = entry is not None and entry.kind == "flag" and cell.lower() in (*YES, *NO)
        # A number and a date have digits.
        numbers = entry is None or entry.kind not in ("flag", "category", "text")
        gap = usual or cell.lower() in MISSING or (numbers and not re.search(r"\d", cell))
        if fits or not gap or cell.startswith(NO_VALUE):
            return cell
        self._gaps.setdefault((at.table, cell.lower()), []).append((at, entry))
        self._written.setdefault(cell.lower(), cell)
        return ""

    def ask_about_gaps(self) -> None:
        """Ask once for each word of a table whether it means that a value is unknown."""
        for (table, small), places in self._gaps.items():
            word, heads = self._written[small], dict.fromkeys(at.column for at, _ in places)
            domains = {entry.domain if entry else "a date" for _, entry in places}
            allowed = domains.pop() if len(domains) == 1 else "what these columns hold"
            # A number that is a value of another column stays one there.
            number = number_of(word)
            apart = number is not None and Decimal(number[0]) in self._values
            codes = [f"{head}:{word}" for head in heads] if apart else [word]
            self.done.unsaid += [code for code in codes if code not in self.done.unsaid]
            allowed += f"; empty if unknown: {' '.join(f'--missing {code!r}' for code in codes)}"
            for row in sorted({at.row for at, _ in places}):
                self.problem(Place(table, row, ", ".join(heads)), word, allowed)

    def checked(self, at: Place, cell: Cell, entry: Entry) -> str | None:
        """Return a cell as the codebook has it, or note what is wrong."""
        if isinstance(cell, date):
            if not entry.is_text:
                self.problem(at, cell, f"{entry.domain}; a spreadsheet has made a date of it")
                return None
            cell = cell.isoformat()
        value, change = self._meaning(at.column, cell, entry)
        wrong = entry.problem_with(value)
        usable = wrong is not None and entry.kind != "flag"
        nearest = nearest_step(value, entry.step) if usable else ""
        nearest = "" if entry.problem_with(nearest) else nearest
        if nearest and at.column in self.dialect.round:
            value, change, wrong = nearest, "decimals → the nearest allowed number", None
        elif nearest:
            allowed = f"{entry.domain}; to take the nearest: --round '{at.column}'"
            # One example for all rows, so that they are listed together.
            example = self._decimals.setdefault((at.table, at.column), cell)
            self.problem(at, f"decimals, such as {example}", allowed)
            return None
        if wrong is not None:
            words = wrong[0].removesuffix("; empty if unknown")
            if entry.kind in ("flag", "category"):
                words += f", of {entry.label}: --value '{at.column}:{cell}=MEANT'"
            elif number_of(value) is None and not cell.startswith(NO_VALUE):
                words += f"; what it means: --value '{at.column}:{cell}=NUMBER'"
            self.problem(at, cell, words, wrong[1])
            return None
        if change:
            self.done.change(at, change)
        if not entry.is_text:
            value = f"{Decimal(value).normalize():f}"
        return value

    def _meaning(self, head: str, cell: str, entry: Entry) -> tuple[str, str]:
        """Return what a word or number stands for, and the change; as it is if not known."""
        meant = self.dialect.values.get(head, {})
        if cell in meant:
            return meant[cell], f"{cell!r} → {meant[cell]}"
        value, codes = cell, dict(self.form.codes.get(entry.column, {}))
        if entry.kind == "flag":
            # Of a column that is called otherwise, such as sex, 1 may mean either.
            called_so = not codes or plain(head) in (plain(entry.column), plain(entry.label))
            if called_so:
                codes |= {word: "1" for word in YES} | {word: "0" for word in NO}
            elif cell.lower() not in codes:
                return f"{cell}, which may mean either", ""
            value = codes.get(cell.lower(), cell)
        elif entry.kind == "category":
            codes |= {word.lower(): word for word in entry.allowed}
            value = codes.get(cell.lower(), cell)
        if value != cell:
            self.dialect.values.setdefault(head, {})[cell] = value
            return value, f"{cell!r} → {value}"
        if entry.is_text:
            return cell, ""
        unit = entry.unit.split(" ")[0]
        bare = cell[: -len(unit)].rstrip() if unit and cell.lower().endswith(unit.lower()) else cell
        number = number_of(bare)
        if number is not None and bare != cell:
            return number[0], f"{unit} left off" + (f", {number[1]}" if number[1] else "")
        return number or (cell, "")
