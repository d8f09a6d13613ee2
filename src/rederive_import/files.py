"""Tables as people keep them: text with any separator and encoding, and Excel workbooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from rederive.printed.schema import Problem, TableError, nearest


class Place(NamedTuple):
    """Where a cell stands: its table, the number of its row, the header of its column."""

    table: str
    row: int
    column: str


Cell = str | date
"""Text, blanks around it cut, or a date of Excel's."""

NO_VALUE = "a formula without its value; open and save in Excel"
"""How a cell begins that no program has computed."""

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_WORKBOOKS = (".xlsx", ".xlsm")
_OTHERS = {".xls": "save it as .xlsx", ".ods": "save it as .xlsx", ".sav": "export it as CSV"}
_BYTE_ORDER = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Table:
    """One table: rows with a value, with their number in the file, and how it was read."""

    name: str
    rows: Sequence[tuple[int, list[Cell]]]
    notes: list[str]


def read_tables(path: Path, sheets: Sequence[str] = ()) -> list[Table]:
    """Read a file; of a workbook all sheets, or those that are named.

    Raises
    ------
    TableError
        If there is no such file or sheet, or it cannot be read.
    """
    ending = path.suffix.lower()
    try:
        if ending in _OTHERS:
            raise _error(
                path, f"a {ending} file", f"a .csv, .txt, .tsv or .xlsx; {_OTHERS[ending]}"
            )
        if ending in _WORKBOOKS:
            return _workbook(path, sheets)
        return [_text(path, path.read_bytes())]
    except OSError as error:
        near = nearest(path.name, (each.name for each in path.parent.glob("*")))
        words = f"a file; there is {near}" if near else "a file"
        raise _error(path, error.strerror or "no file", words) from error


def _error(path: Path, found: str, allowed: str) -> TableError:
    return TableError([Problem(path.name, None, "", found, allowed)])


def _text(path: Path, content: bytes) -> Table:
    names = (name for mark, name in _BYTE_ORDER.items() if content.startswith(mark))
    encoding = next(names, "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text, encoding = content.decode("cp1252", errors="replace"), "Latin-1"
    if "\0" in text:
        raise _error(path, "bytes that are no text", "a text file with one row a line, or .xlsx")
    read = {sign: _split(text, sign) for sign in SEPARATORS}
    sign = max(SEPARATORS, key=lambda each: _regularity(read[each]))
    rows = read[sign]
    if isinstance(rows, csv.Error):
        raise _error(path, str(rows), "rows of a CSV file, quotes closed")
    if not rows:
        raise _error(path, "no rows", "a header and at least one row")
    how = encoding.removesuffix("-sig").replace("utf", "UTF")
    return Table(path.name, rows, [f"{SEPARATORS[sign]} between cells, {how}"])


def _split(text: str, sign: str) -> list[tuple[int, list[Cell]]] | csv.Error:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    rows: list[tuple[int, list[Cell]]] = []
    begun = 1
    try:
        for cells in reader:
            bare: list[Cell] = [cell.strip() for cell in cells]
            if any(bare) and not str(bare[0]).startswith("#"):
                rows.append((begun, bare))
            begun = reader.line_num + 1
    except csv.Error as error:
        return error
    return rows


def _regularity(rows: list[tuple[int, list[Cell]]] | csv.Error) -> tuple[int, int]:
    """Return how many rows have the commonest width, if that is more than one cell; and it."""
    if isinstance(rows, csv.Error):
        return (0, 0)
    widths = [len(cells) for _, cells in rows if len(cells) > 1]
    commonest = max(set(widths), key=lambda each: (widths.count(each), each), default=0)
    # The header decides between two that both fit: it has no decimal commas.
    return (widths.count(commonest), commonest)


def _workbook(path: Path, sheets: Sequence[str]) -> list[Table]:
    import openpyxl

    try:
        book, formulas = (openpyxl.load_workbook(path, data_only=data) for data in (True, False))
    except OSError:
        raise
    except Exception as error:  # openpyxl has no error of its own: whatever the parsers raise
        raise _error(path, "no readable workbook", "an .xlsx file as Excel saves it") from error
    unknown = [name for name in sheets if name not in book.sheetnames]
    if unknown:
        hint = nearest(unknown[0], book.sheetnames)
        allowed = ", ".join(book.sheetnames)
        raise TableError([Problem(path.name, None, "--sheet", unknown[0], allowed, hint)])
    tables = []
    for sheet in book.worksheets:
        if sheets and sheet.title not in sheets:
            continue
        name = f"{path.name} [{sheet.title}]"
        rows = _rows_of(sheet, formulas[sheet.title])
        if rows:
            hidden = ["hidden"] if sheet.sheet_state != "visible" else []
            tables.append(Table(name, rows, [f"sheet {sheet.title}", *hidden]))
    if not tables:
        raise _error(path, "no rows", "a header and at least one row")
    return tables


def _rows_of(sheet: Any, formulas: Any) -> list[tuple[int, list[Cell]]]:
    merged = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
    }
    last = max(
        (cell.row for row in sheet.iter_rows() for cell in row if cell.value is not None), default=0
    )
    rows = []
    for number in range(1, last + 1):
        cells: list[Cell] = []
        for column in range(1, sheet.max_column + 1):
            place = merged.get((number, column), (number, column))
            value = sheet.cell(*place).value
            if value is None and formulas.cell(*place).value is not None:
                value = f"{NO_VALUE}: {formulas.cell(*place).value}"
            cells.append(_plain(value))
        if any(cell != "" for cell in cells):
            rows.append((number, cells))
    while rows and all(cells[-1] == "" for _, cells in rows):
        rows = [(number, cells[:-1]) for number, cells in rows]
    return rows


def _plain(value: Any) -> Cell:
    """Return a cell of a workbook as text, whole numbers without a point; dates stay dates."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value).strip()
