"""From the tables of people's files to a cohort."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from rederive.retrospective import Entry
from rederive_import.cells import Cells, Imported
from rederive_import.dialect import Dialect, Names
from rederive_import.files import NO_VALUE, Cell, Place
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

    def __init__(self, tables: Sequence[Understood], dialect: Dialect, names: Names) -> None:
        super().__init__(dialect, names.form)
        self.tables, self.names, self.codebook = tables, names, names.codebook
        self._first: dict[str, tuple[date, str]] = {}
        self._taken: dict[tuple[str, int, str], Place] = {}
        self._spelt: dict[str, str] = {}
        self._alone: dict[str, Place] = {}
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
        who = [self._patients_of(each) for each in self.tables]
        for name in (each for each in self._alone if each not in self._filled):
            at = self._alone[name]
            allowed = "something beside the name of a patient; else "
            self.problem(at, name, f"{allowed}--value '{at.column}:{name}=aside'")
        for table, patients in zip(self.tables, who, strict=True):
            self._dates_of_first(table, patients)
        if self.dialect.start:
            self._start_at_first_visit(who)
        for table, patients in zip(self.tables, who, strict=True):
            self._take(table, patients)
        self.ask_about_gaps()
        self._note_far_visits()
        return self.done

    # Patients

    def _patients_of(self, table: Understood) -> dict[int, str]:
        """Return the patient of each row, and note names that may be the same."""
        found, above = {}, ""
        filled = table.rows_with(set(table.roles) - {"aside", "patient"})
        for at, cell in table.cells("patient"):
            name, meant = str(cell), self.dialect.values.get(at.column, {})
            if not name and self.dialect.fill_down and above:
                self.done.change(at, f"empty, filled from above: {above}")
                name = above
            if name in meant:
                self.done.change(at, f"{name!r} → {meant[name]!r}")
                name = meant[name]
            elif name.removesuffix(".0").isdigit() and name.endswith(".0"):
                self.done.change(at, "number with .0 → without")
                name = name.removesuffix(".0")
            there = at.row in filled
            if name == "aside" or not (name or there):
                continue
            if plain(name) in TOTALS:
                allowed = f"the name of a patient; else --value '{at.column}:{name}=aside'"
                self.problem(at, name, allowed)
                continue
            if not name or name.startswith(NO_VALUE):
                allowed = "the name of a patient; that of the row above: --fill-down"
                self.problem(at, name or "empty", allowed)
                continue
            above = found[at.row] = name
            if there or name in meant.values():
                self._filled.add(name)
            self._alone.setdefault(name, at)
            first = self._spelt.setdefault("".join(name.split()).casefold().lstrip("0"), name)
            if first != name:
                allowed = f"one spelling of a patient: --value '{at.column}:{name}={first}'"
                self.problem(at, name, allowed, first)
            self.done.patients.setdefault(name, {})
        return found

    # Times

    def _settle_order(self) -> None:
        """Settle the order of day and month, where the dates of all tables leave no doubt."""
        if self.dialect.dates:
            return
        texts: dict[str, Place] = {}
        for table in self.tables:
            for at, cell in (*table.cells("time"), *table.cells("first")):
                texts.setdefault(str(cell), at)
        self.dialect.dates, against = order_of(texts)
        for text in against:
            allowed = f"one order of day and month, not that of {against[0]!r} and {against[1]!r}"
            self.problem(texts[text], text, allowed)

    def _date(self, at: Place, cell: Cell) -> date | None:
        if isinstance(cell, date):
            return cell
        found = date_of(cell, self.dialect.dates)
        if isinstance(found, tuple):
            if found[1]:
                self.done.change(at, f"{found[1]} → date")
            return found[0]
        if found == "order":
            found = "day before month, or month before day, said by --dates dmy or --dates mdy"
        self.problem(at, cell, found)
        return None

    def _dates_of_first(self, table: Understood, who: Mapping[int, str]) -> None:
        for at, cell in table.cells("first"):
            cell = self.known(at, cell, None)
            day = self._date(at, cell) if cell != "" and at.row in who else None
            if day is None:
                continue
            before = self._first.setdefault(who[at.row], (day, f"row {at.row}"))
            if before[0] != day:
                allowed = f"one date for each patient, as {before[0]} in {before[1]}"
                self.problem(at, day, allowed)

    def _start_at_first_visit(self, who: Sequence[Mapping[int, str]]) -> None:
        visits: dict[str, tuple[date, Place]] = {}
        for table, patients in zip(self.tables, who, strict=True):
            for at, cell in table.cells("time"):
                name = patients.get(at.row, "")
                found = (cell, "") if isinstance(cell, date) else date_of(cell, self.dialect.dates)
                if name in self._first or not name or isinstance(found, str):
                    continue
                if name not in visits or found[0] < visits[name][0]:
                    visits[name] = (found[0], at)
        for name, (day, at) in visits.items():
            self._first[name] = (day, "the first visit")
            self.done.change(at, "first visit of a patient → month 0")

    def _months(self, table: Understood, who: Mapping[int, str]) -> dict[int, int]:
        """Return the month of each row."""
        months = {}
        kind = self._kind_of_time(table)
        filled = table.rows_with({"value", *self.codebook.measures})
        if kind == "dates" and not (self._first or any("first" in t.roles for t in self.tables)):
            allowed = (
                "a column with the date of the first infusion: --column 'HEADER=first'; or, where "
                "the first visit of each patient is month 0: --start first-visit"
            )
            self.problem(Place(table.name, table.header_row, table.head("time")), "dates", allowed)
            return {}
        for at, cell in table.cells("time"):
            if at.row not in who:
                continue
            if at.row not in filled:
                self.done.change(at, "no value in the row → left aside")
                continue
            if cell == "":
                self.problem(at, "empty", "the time of the visit")
                continue
            month = self._month(table, at, cell, kind, who[at.row])
            if month is not None:
                months[at.row] = month
        return months

    def _kind_of_time(self, table: Understood) -> str:
        if self.dialect.time:
            return self.dialect.time
        filled = [cell for _, cell in table.cells("time") if cell]
        dated = [c for c in filled if isinstance(c, date) or (not number_of(c) and is_date(c))]
        head = table.head("time")
        if 2 * len(dated) > len(filled) or any(word in plain(head) for word in _DATES):
            return "dates"
        return unit_of(head)

    def _month(self, table: Understood, at: Place, cell: Cell, kind: str, who: str) -> int | None:
        meant = self.dialect.values.get(at.column, {})
        if str(cell) in meant:
            text = meant[str(cell)]
            number = number_of(text)
            if text == "aside":
                self.done.change(at, f"{str(cell)!r} left aside")
            elif number is None:
                self.problem(at, cell, f"a month, not {text!r}")
            else:
                self.done.change(at, f"{str(cell)!r} → month {text}")
                return round(float(number[0]))
            return None
        if kind == "dates":
            return self._since(table, at, cell, who)
        if isinstance(cell, date):
            self.problem(at, cell, f"a number of {kind or 'months'}, not a date")
            return None
        number = number_of(cell)
        if number is None:
            return self._spoken_month(at, cell, kind)
        if not kind:
            self.problem(at, cell, "a unit: --time months, weeks, days, years or dates")
            return None
        return self._in_months(at, Decimal(number[0]), kind)

    def _since(self, table: Understood, at: Place, cell: Cell, who: str) -> int | None:
        day = self._date(at, cell)
        if day is None:
            return None
        if who not in self._first:
            allowed = f"a date of the first infusion of {who}, or --start first-visit"
            self.problem(at._replace(column=table.head("first") or at.column), "empty", allowed)
            return None
        self.done.change(at, f"date → month: {RULE}")
        return self._allowed(at, cell, months_of((day - self._first[who][0]).days))

    def _allowed(self, at: Place, cell: Cell | Decimal, month: int) -> int | None:
        least, most = self.codebook.visits["month"].minimum, self.codebook.visits["month"].maximum
        if (least is None or least <= month) and (most is None or month <= most):
            return month
        self.problem(at, cell, f"a time from {least} to {most} months after the first infusion")
        return None

    def _spoken_month(self, at: Place, cell: str, kind: str) -> int | None:
        time = time_of(cell)
        unit = (time[1] or kind) if time else ""
        if time is None or unit not in DAYS:
            allowed = "a time such as 'month 6'; MONTH or aside: --value "
            self.problem(at, cell, f"{allowed}'{at.column}:{cell}=MONTH'")
            return None
        month = self._in_months(at, time[0], unit)
        if month is not None:
            self.dialect.values.setdefault(at.column, {})[cell] = str(month)
            self.done.change(at, f"{cell!r} → month {month}")
        return month

    def _in_months(self, at: Place, number: Decimal, unit: str) -> int | None:
        months = months_of(min(max(float(number), -1e6), 1e6) * DAYS[unit])
        month = self._allowed(at, number, months)
        if month is None:
            return None
        if unit == "months" and month != number:
            self.done.change(at, "month → the nearest whole month")
        elif unit != "months":
            self.done.change(at, f"{unit} → months: {RULE}")
        return month

    def _note_far_visits(self) -> None:
        """Note visits so far from all others of the patient that the year may be mistyped."""
        visits: dict[str, dict[int, Place]] = {}
        for (who, month, _), at in self._taken.items():
            visits.setdefault(who, {})[month] = at
        for who, places in visits.items():
            for month, at in places.items():
                away = min((abs(month - other) for other in places if other != month), default=0)
                if away > FAR:
                    self.done.notes.append(
                        f"{at.table}, row {at.row}: month {month} of {who} is {away} months from "
                        "every other visit; is the date right?"
                    )

    # Values

    def _take(self, table: Understood, who: Mapping[int, str]) -> None:
        long = "time" in table.roles
        months = self._months(table, who) if long else {}
        timeless = not long and bool(set(table.roles) & {"value", *self.codebook.measures})
        months = self._month_of_sheet(table) if timeless else months
        if timeless and not months:
            rows = [cells for _, cells in table.rows]
            places = [at for at in range(len(table.header)) if all(is_date(c[at]) for c in rows)]
            dated = [table.header[at] for at in places if rows]
            example = (*dated, "HEADER")[0]
            allowed = f"a column with the time of the visit: --column '{example}=time'"
            place = Place(table.name, table.header_row, "")
            self.problem(place, ", ".join(table.header), allowed)
            return
        for role in dict.fromkeys(table.roles):
            name, wide, when = role.partition("@")
            if name in self.codebook.patients and name != "patient":
                self._take_patients(table, name, who)
            elif name in self.codebook.measures:
                entry = self.codebook.measures[name]
                fixed = self._fixed(table, role, when) if wide else None
                for at, cell in table.cells(role):
                    month = fixed if wide else months.get(at.row)
                    if at.row in who:
                        self._take_value(at, cell, entry, who[at.row], month)
        if {"measure", "value"} <= set(table.roles):
            self._take_long(table, who, months)

    def _month_of_sheet(self, table: Understood) -> dict[int, int]:
        """Return the month of each row where the sheet or file is called by one."""
        title = re.sub(r".*\[(.*)\]$|\.\w+$", r"\1", table.name)
        time = time_of(title)
        month = self._in_months(Place(table.name, 0, ""), *time) if time and time[1] else None
        if month is None:
            return {}
        for row, _ in table.rows:
            self.done.change(Place(table.name, row, "all"), f"table {title!r} → month {month}")
        return {row: month for row, _ in table.rows}

    def _fixed(self, table: Understood, role: str, when: str) -> int | None:
        number, _, unit = when.partition(" ")
        at = Place(table.name, table.header_row, table.head(role))
        return self._in_months(at, Decimal(number), unit or "months")

    def _take_long(
        self, table: Understood, who: Mapping[int, str], months: Mapping[int, int]
    ) -> None:
        meant = self.dialect.values.setdefault(table.head("measure"), {})
        pairs = zip(table.cells("measure"), table.cells("value"), strict=True)
        for (at, word), (place, cell) in pairs:
            text = str(word)
            name = meant.get(text) or self.names.measure_of(text)
            if name == "aside":
                self.done.change(at, f"{text!r} left aside")
                continue
            if name not in self.codebook.measures:
                allowed = f"{', '.join(self.codebook.measures)}: "
                self.problem(at, text, f"{allowed}--value '{at.column}:{text}=MEASURE', or aside")
                continue
            if name != text:
                meant[text] = name
                self.done.change(at, f"{text!r} → {name}")
            if at.row in who:
                entry = self.codebook.measures[name]
                self._take_value(place, cell, entry, who[at.row], months.get(at.row))
        if not meant:
            del self.dialect.values[table.head("measure")]

    def _take_patients(self, table: Understood, name: str, who: Mapping[int, str]) -> None:
        entry = self.codebook.patients[name]
        for at, cell in table.cells(name):
            text = self.known(at, cell, entry)
            value = self.checked(at, text, entry) if text != "" and at.row in who else None
            if value is None:
                continue
            before = self.done.patients[who[at.row]].setdefault(name, value)
            said, above = self._said.setdefault((who[at.row], name), (str(text), at.row))
            if before != value:
                allowed = f"one value for each patient, as {said!r} in row {above}"
                self.problem(at, str(text), allowed)

    def _take_value(self, at: Place, cell: Cell, entry: Entry, who: str, month: int | None) -> None:
        """Take a value, or look at it only, if its month is not known."""
        text = self.known(at, cell, entry)
        value = None if text == "" else self.checked(at, text, entry)
        if value is None or month is None:
            return
        key = (who, month, entry.column)
        if key in self._taken:
            first, rule = self._taken[key], self.dialect.same_month
            if not rule:
                allowed = (
                    f"one {entry.column} for each patient and month (see {first.table}, row "
                    f"{first.row}); to take one of them: --same-month first or last"
                )
                self.problem(at, f"{who}, month {month}", allowed)
                return
            self.done.change(at, f"several in one month → the {rule}")
            if rule == "first":
                return
        self._taken[key] = at
        self.done.values[key] = value
