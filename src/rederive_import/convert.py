"""From the tables of people's files to a cohort."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from rederive.book.cohort_form import CohortForm
from rederive.retrospective import Codebook, Entry
from rederive_import.cells import Cells, Imported
from rederive_import.dialect import Dialect
from rederive_import.files import NO_VALUE, Cell
from rederive_import.understand import Understood
from rederive_import.words import (
    DAYS,
    TOTALS,
    date_of,
    is_date,
    months_of,
    number_of,
    order_of,
    plain,
    time_of,
    unit_of,
)

RULE = "days since the first infusion / 30.4375, the nearest whole month"
"""How a time becomes a month."""

FAR = 60
"""Months between a visit and all others of a patient that are worth a note."""

_DATES = ("date", "datum")


class Importer(Cells):
    """Turns tables into a cohort under one dialect, which it completes by what the data settle."""

    def __init__(self, tables: Sequence[Understood], dialect: Dialect, form: CohortForm) -> None:
        super().__init__(dialect, form)
        self.tables = tables
        self.codebook = Codebook.load(form.codebook)
        self._first: dict[str, tuple[date, str]] = {}
        self._taken: dict[tuple[str, int, str], tuple[str, int]] = {}
        self._spelt: dict[str, str] = {}
        self._alone: dict[str, tuple[Understood, int, str]] = {}
        self._filled: set[str] = set()
        self._said: dict[tuple[str, str], tuple[str, int]] = {}

    def run(self) -> Imported:
        """Convert all tables.

        Returns
        -------
        Imported
            With ``problems``, if something is wrong or can be meant in two ways.
        """
        self._settle_order()
        who = {id(each): self._patients_of(each) for each in self.tables}
        for name in self._alone.keys() - self._filled:
            table, row, head = self._alone[name]
            allowed = f"something beside the name of a patient; else --value '{head}:{name}=aside'"
            self.problem(table, row, head, name, allowed)
        for each in self.tables:
            self._dates_of_first(each, who[id(each)])
        if self.dialect.start:
            self._start_at_first_visit(who)
        for each in self.tables:
            self._take(each, who[id(each)])
        self.ask_about_gaps()
        self._note_far_visits()
        return self.done

    # Patients

    def _patients_of(self, table: Understood) -> dict[int, str]:
        """Return the patient of each row, and note names that may be the same."""
        at = table.place("patient")
        assert at is not None
        head, found, above = table.header[at], {}, ""
        meant = self.dialect.values.get(head, {})
        used = [place for place, role in enumerate(table.roles) if role not in ("aside", "patient")]
        for row, cells in table.rows:
            name = str(cells[at])
            if not name and self.dialect.fill_down and above:
                self.done.change(table.name, head, f"empty, filled from above: {above}", row)
                name = above
            if name in meant:
                self.done.change(table.name, head, f"{name!r} → {meant[name]!r}", row)
                name = meant[name]
            elif name.removesuffix(".0").isdigit() and name.endswith(".0"):
                self.done.change(table.name, head, "number with .0 → without", row)
                name = name.removesuffix(".0")
            there = not used or any(cells[place] != "" for place in used)
            if name == "aside" or not (name or there):
                continue
            if plain(name) in TOTALS:
                allowed = f"the name of a patient; else --value '{head}:{name}=aside'"
                self.problem(table, row, head, name, allowed)
                continue
            if not name or name.startswith(NO_VALUE):
                allowed = "the name of a patient; that of the row above: --fill-down"
                self.problem(table, row, head, name or "empty", allowed)
                continue
            above = found[row] = name
            if there or name in meant.values():
                self._filled.add(name)
            self._alone.setdefault(name, (table, row, head))
            self._same_as_before(table, row, head, name)
            self.done.patients.setdefault(name, {})
        return found

    def _same_as_before(self, table: Understood, row: int, head: str, name: str) -> None:
        bare = "".join(name.split()).casefold().lstrip("0")
        first = self._spelt.setdefault(bare, name)
        if first != name:
            allowed = f"one spelling of a patient: --value '{head}:{name}={first}'"
            self.problem(table, row, head, name, allowed, first)

    # Times

    def _settle_order(self) -> None:
        """Settle the order of day and month, where the dates of all tables leave no doubt."""
        texts: dict[str, tuple[Understood, int, str]] = {}
        for table in self.tables:
            for at, role in enumerate(table.roles):
                if role in ("time", "first"):
                    for row, cells in table.rows:
                        texts.setdefault(str(cells[at]), (table, row, table.header[at]))
        if self.dialect.dates:
            return
        order, against = order_of(texts)
        for text in against:
            table, row, head = texts[text]
            allowed = f"one order of day and month, not that of {against[0]!r} and {against[1]!r}"
            self.problem(table, row, head, text, allowed)
        self.dialect.dates = order

    def _date(self, table: Understood, row: int, head: str, cell: Cell) -> date | None:
        if isinstance(cell, date):
            return cell
        found = date_of(cell, self.dialect.dates)
        if isinstance(found, tuple):
            if found[1]:
                self.done.change(table.name, head, f"{found[1]} → date", row)
            return found[0]
        if found == "order":
            found = "day before month, or month before day, said by --dates dmy or --dates mdy"
        self.problem(table, row, head, cell, found)
        return None

    def _dates_of_first(self, table: Understood, who: Mapping[int, str]) -> None:
        at = table.place("first")
        for row, cells in table.rows if at is not None else ():
            assert at is not None
            cell = self.known(table, row, table.header[at], cells[at], None)
            if cell == "" or row not in who:
                continue
            day = self._date(table, row, table.header[at], cell)
            if day is None:
                continue
            before = self._first.setdefault(who[row], (day, f"row {row}"))
            if before[0] != day:
                allowed = f"one date for each patient, as {before[0]} in {before[1]}"
                self.problem(table, row, table.header[at], day, allowed)

    def _start_at_first_visit(self, who: Mapping[int, Mapping[int, str]]) -> None:
        visits: dict[str, tuple[date, Understood, int, str]] = {}
        for table in self.tables:
            at = table.place("time")
            for row, cells in table.rows if at is not None else ():
                cell, name = cells[at or 0], who[id(table)].get(row, "")
                found = (cell, "") if isinstance(cell, date) else date_of(cell, self.dialect.dates)
                if name in self._first or not name or isinstance(found, str):
                    continue
                if name not in visits or found[0] < visits[name][0]:
                    visits[name] = (found[0], table, row, table.header[at or 0])
        for name, (day, table, row, head) in visits.items():
            self._first[name] = (day, "the first visit")
            self.done.change(table.name, head, "first visit of a patient → month 0", row)

    def _months(self, table: Understood, who: Mapping[int, str]) -> dict[int, int]:
        """Return the month of each row."""
        at = table.place("time")
        assert at is not None
        head, months = table.header[at], {}
        kind = self._kind_of_time(table, at)
        measured = {"value", *self.codebook.measures}
        values = [place for place, role in enumerate(table.roles) if role in measured]
        if kind == "dates" and not (self._first or any("first" in t.roles for t in self.tables)):
            allowed = (
                "a column with the date of the first infusion: --column 'HEADER=first'; or, where "
                "the first visit of each patient is month 0: --start first-visit"
            )
            self.problem(table, None, head, "dates", allowed)
            return {}
        for row, cells in table.rows:
            cell = cells[at]
            if row not in who:
                continue
            if values and not any(cells[place] != "" for place in values):
                self.done.change(table.name, head, "no value in the row → left aside", row)
                continue
            if cell == "":
                self.problem(table, row, head, "empty", "the time of the visit")
                continue
            month = self._month(table, row, head, cell, kind, who[row])
            if month is not None:
                months[row] = month
        return months

    def _kind_of_time(self, table: Understood, at: int) -> str:
        head, cells = table.header[at], [cells[at] for _, cells in table.rows]
        if self.dialect.time:
            return self.dialect.time
        filled = [c for c in cells if c]
        dated = [c for c in filled if isinstance(c, date) or (not number_of(c) and is_date(c))]
        if 2 * len(dated) > len(filled) or any(word in plain(head) for word in _DATES):
            return "dates"
        return unit_of(head)

    def _month(
        self, table: Understood, row: int, head: str, cell: Cell, kind: str, who: str
    ) -> int | None:
        meant = self.dialect.values.get(head, {})
        if str(cell) in meant:
            text, change = meant[str(cell)], f"{str(cell)!r} → month {meant[str(cell)]}"
            if text == "aside":
                self.done.change(table.name, head, f"{str(cell)!r} left aside", row)
                return None
            if number_of(text) is None:
                self.problem(table, row, head, cell, f"a month, not {text!r}")
                return None
            self.done.change(table.name, head, change, row)
            return round(float(number_of(text)[0]))  # type: ignore[index]
        if kind == "dates":
            return self._since(table, row, head, cell, who)
        if isinstance(cell, date):
            self.problem(table, row, head, cell, f"a number of {kind or 'months'}, not a date")
            return None
        number = number_of(cell)
        if number is None:
            return self._spoken_month(table, row, head, cell, kind)
        if not kind:
            allowed = "a unit: --time months, weeks, days, years or dates"
            self.problem(table, row, head, cell, allowed)
            return None
        return self._in_months(table, row, head, Decimal(number[0]), kind)

    def _since(self, table: Understood, row: int, head: str, cell: Cell, who: str) -> int | None:
        day = self._date(table, row, head, cell)
        if day is None:
            return None
        if who not in self._first:
            allowed = f"a date of the first infusion of {who}, or --start first-visit"
            first = table.place("first")
            head = head if first is None else table.header[first]
            self.problem(table, row, head, "empty", allowed)
            return None
        self.done.change(table.name, head, f"date → month: {RULE}", row)
        return self._allowed(table, row, head, cell, months_of((day - self._first[who][0]).days))

    def _allowed(
        self, table: Understood, row: int, head: str, cell: Cell | Decimal, month: int
    ) -> int | None:
        least, most = self.codebook.visits["month"].minimum, self.codebook.visits["month"].maximum
        if (least is None or least <= month) and (most is None or month <= most):
            return month
        allowed = f"a time from {least} to {most} months after the first infusion"
        self.problem(table, row, head, cell, allowed)
        return None

    def _spoken_month(
        self, table: Understood, row: int, head: str, cell: str, kind: str
    ) -> int | None:
        time = time_of(cell)
        unit = (time[1] or kind) if time else ""
        if time is None or unit not in DAYS:
            allowed = f"a time such as 'month 6'; MONTH or aside: --value '{head}:{cell}=MONTH'"
            self.problem(table, row, head, cell, allowed)
            return None
        month = self._in_months(table, row, head, time[0], unit)
        if month is not None:
            self.dialect.values.setdefault(head, {})[cell] = str(month)
            self.done.change(table.name, head, f"{cell!r} → month {month}", row)
        return month

    def _in_months(
        self, table: Understood, row: int, head: str, number: Decimal, unit: str
    ) -> int | None:
        months = months_of(min(max(float(number), -1e6), 1e6) * DAYS[unit])
        month = self._allowed(table, row, head, number, months)
        if month is None:
            return None
        if unit == "months" and month != number:
            self.done.change(table.name, head, "month → the nearest whole month", row)
        elif unit != "months":
            self.done.change(table.name, head, f"{unit} → months: {RULE}", row)
        return month

    def _note_far_visits(self) -> None:
        """Note visits so far from all others of the patient that the year may be mistyped."""
        visits: dict[str, dict[int, tuple[str, int]]] = {}
        for (who, month, _), place in self._taken.items():
            visits.setdefault(who, {})[month] = place
        for who, places in visits.items():
            for month, (file, row) in places.items():
                away = min((abs(month - other) for other in places if other != month), default=0)
                if away > FAR:
                    self.done.notes.append(
                        f"{file}, row {row}: month {month} of {who} is {away} months from every "
                        "other visit; is the date right?"
                    )

    # Values

    def _take(self, table: Understood, who: Mapping[int, str]) -> None:
        long = table.place("time") is not None
        months = self._months(table, who) if long else {}
        timeless = not long and bool(set(table.roles) & {"value", *self.codebook.measures})
        months = self._month_of_sheet(table) if timeless else months
        if timeless and not months:
            rows = [cells for _, cells in table.rows]
            places = [at for at in range(len(table.header)) if all(is_date(c[at]) for c in rows)]
            dated = [table.header[at] for at in places if rows]
            example = (*dated, "HEADER")[0]
            allowed = f"a column with the time of the visit: --column '{example}=time'"
            self.problem(table, table.header_row, "", ", ".join(table.header), allowed)
            return
        for at, (head, role) in enumerate(zip(table.header, table.roles, strict=True)):
            name, wide, when = role.partition("@")
            if name in self.codebook.patients and name != "patient":
                self._take_patients(table, at, name, who)
            elif name in self.codebook.measures:
                entry = self.codebook.measures[name]
                fixed = self._fixed(table, head, when) if wide else None
                for row, cells in table.rows:
                    month = fixed if wide else months.get(row)
                    if row in who:
                        self._take_value(table, row, head, cells[at], entry, who[row], month)
        if table.place("measure") is not None and table.place("value") is not None:
            self._take_long(table, who, months)

    def _month_of_sheet(self, table: Understood) -> dict[int, int]:
        """Return the month of each row where the sheet or file is called by one."""
        title = re.sub(r".*\[(.*)\]$|\.\w+$", r"\1", table.name)
        time = time_of(title)
        month = self._in_months(table, 0, "", *time) if time and time[1] else None
        if month is None:
            return {}
        for row, _ in table.rows:
            self.done.change(table.name, "all", f"table {title!r} → month {month}", row)
        return {row: month for row, _ in table.rows}

    def _fixed(self, table: Understood, head: str, when: str) -> int | None:
        number, _, unit = when.partition(" ")
        return self._in_months(table, table.header_row, head, Decimal(number), unit or "months")

    def _take_long(
        self, table: Understood, who: Mapping[int, str], months: Mapping[int, int]
    ) -> None:
        at, value = table.place("measure"), table.place("value")
        assert at is not None and value is not None
        head = table.header[at]
        meant = self.dialect.values.setdefault(head, {})
        known = {
            plain(word): name
            for name, entry in self.codebook.measures.items()
            for word in (name, entry.label, *self.form.names.get(name, ()))
        }
        for row, cells in table.rows:
            text = str(cells[at])
            name = meant.get(text) or known.get(plain(text), "")
            if name == "aside":
                self.done.change(table.name, head, f"{text!r} left aside", row)
                continue
            if name not in self.codebook.measures:
                allowed = f"{', '.join(self.codebook.measures)}: --value '{head}:{text}=MEASURE'"
                self.problem(table, row, head, text, f"{allowed}, or aside")
                continue
            if name != text:
                meant[text] = name
                self.done.change(table.name, head, f"{text!r} → {name}", row)
            if row in who:
                entry, cell = self.codebook.measures[name], cells[value]
                self._take_value(
                    table, row, table.header[value], cell, entry, who[row], months.get(row)
                )
        if not meant:
            del self.dialect.values[head]

    def _take_patients(self, table: Understood, at: int, name: str, who: Mapping[int, str]) -> None:
        head, entry = table.header[at], self.codebook.patients[name]
        for row, cells in table.rows:
            text = self.known(table, row, head, cells[at], entry)
            if text == "" or row not in who:
                continue
            value = self.checked(table, row, head, text, entry)
            if value is None:
                continue
            before = self.done.patients[who[row]].setdefault(name, value)
            said, above = self._said.setdefault((who[row], name), (str(text), row))
            if before != value:
                allowed = f"one value for each patient, as {said!r} in row {above}"
                self.problem(table, row, head, str(text), allowed)

    def _take_value(
        self,
        table: Understood,
        row: int,
        head: str,
        cell: Cell,
        entry: Entry,
        who: str,
        month: int | None,
    ) -> None:
        """Take a value, or look at it only, if its month is not known."""
        text = self.known(table, row, head, cell, entry)
        value = None if text == "" else self.checked(table, row, head, text, entry)
        if value is None or month is None:
            return
        key = (who, month, entry.column)
        if key in self._taken:
            first, rule = self._taken[key], self.dialect.same_month
            if not rule:
                allowed = (
                    f"one {entry.column} for each patient and month (see {first[0]}, row "
                    f"{first[1]}); to take one of them: --same-month first or last"
                )
                self.problem(table, row, head, f"{who}, month {month}", allowed)
                return
            self.done.change(table.name, head, f"several in one month → the {rule}", row)
            if rule == "first":
                return
        self._taken[key] = (table.name, row)
        self.done.values[key] = value
