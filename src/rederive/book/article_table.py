"""A table of the article in its own rows and columns: what is printed, and what we find."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

from rederive.book import render
from rederive.book.ledger import Ledger, LedgerRow
from rederive.printed import Verdict
from rederive.printed.errors import unknown
from rederive.printed.registry import CellRow

LEDGER_PAGE = "../book/ledger.html"
"""Page of the ledger, relative to a section."""

SHAPES = {
    Verdict.SAME: "✓",
    Verdict.WITHIN_ROUNDING: "≈",
    Verdict.NEEDS_CHOICE: "?",
    Verdict.DIFFERS: "≠",
    Verdict.FITTED: "↻",
}
"""Shape that stands before the word of a verdict; any other verdict has a dot."""


def article_table(ledger: Ledger, table: str) -> render.Table:
    """Return a table of ``tables.csv`` with the reproduced figures below the published ones.

    Its data have one line for each figure or mark, by id: ``row``, ``column``, ``published``,
    ``here``, ``evidence`` and ``verdict``.
    """
    if table not in ledger.registry.tables:
        raise unknown("table", table, ledger.registry.tables)
    cells = ledger.registry.tables[table]
    columns = list(dict.fromkeys(cell.column for cell in cells if cell.column))
    ledger.rows(row_id for cell in cells for row_id in cell.ids)  # kept together
    data = {
        row_id: _record(ledger.row(row_id), cell.label, cell.column)
        for cell in cells
        for row_id in cell.ids
    }
    lines: list[tuple[str, list[render.Cell]]] = []
    topic = ""
    for number in dict.fromkeys(cell.row for cell in cells):
        own = {cell.column: cell for cell in cells if cell.row == number}
        first = next(iter(own.values()))
        inside = ledger.rows(own[""].ids) if "" in own else []
        shown = [_label(first, inside, again=first.topic == topic)]
        topic = first.topic
        for column in columns:
            rows = ledger.rows(own[column].ids) if column in own else []
            shown.append(render.Cell(_content(rows)))
        lines.append(("", shown))
    name = table.replace("table", "Table ")
    caption = f"{name}: the article's figures, and below them ours where they are not the same"
    markup = render.html_table(["Variable", *columns], lines, caption, "article").markup
    return render.Table(markup, pd.DataFrame.from_dict(data, orient="index"))


def _record(row: LedgerRow, label: str, column: str) -> dict[str, object]:
    return {
        "row": label,
        "column": column,
        "published": row.printed,
        "here": row.reproduced if row.kind == "number" else row.interval or row.reproduced,
        "evidence": str(row.evidence),
        "verdict": str(row.verdict),
    }


def _label(cell: CellRow, inside: Sequence[LedgerRow], again: bool) -> render.Cell:
    """Return the cell that names a row, with the figures that the article prints in the label.

    A topic that is named `again` is in sight only where each row is a card of its own.
    """
    parts = [escape(part) for part in cell.label.split("{}")]
    links = [_link(row, row.printed) for row in inside]
    label = parts[0] + "".join(f + part for f, part in zip(links, parts[1:], strict=True))
    label += _marks(inside)
    if cell.topic:
        css = "place again" if again else "place"
        label = f'<div class="{css}">{escape(cell.topic)}</div><div class="item">{label}</div>'
    return render.Cell(label)


def _content(rows: Sequence[LedgerRow]) -> str:
    """Return what stands in a cell: the article's figures, ours, and the marks of the verdicts."""
    numbers = [row for row in rows if row.kind == "number"]
    claims = [row for row in rows if row.kind == "claim"]
    printed = _bracketed([_link(row, row.printed) for row in numbers])
    printed += "".join(_claim_link(row) for row in claims)
    ours = [row.reproduced or row.printed for row in numbers]
    markup = f"<div>{printed}</div>"
    if ours != [row.printed for row in numbers]:
        markup += f"<div>here {_bracketed([escape(text) for text in ours])}</div>"
    judged = any(row.verdict is not Verdict.NONE for row in numbers) or not claims
    if judged and _marks(numbers) != _marks(claims):
        markup += _marks(numbers)
    for row in claims:
        markup += f"<div>{escape(row.interval)}</div>{_marks([row])}"
    return f"<div>{markup}</div>" if rows else ""


def _bracketed(figures: Sequence[str]) -> str:
    return f"{figures[0]} ({', '.join(figures[1:])})" if len(figures) > 1 else "".join(figures)


def _link(row: LedgerRow, words: str) -> str:
    return f'<a href="{LEDGER_PAGE}#{escape(row.id, quote=True)}">{escape(words)}</a>'


def _claim_link(row: LedgerRow) -> str:
    """Return the mark that the article sets, or that it sets none, or the statement."""
    marks = {"asterisk": "*", "no_asterisk": "no *"}
    return " " + _link(row, marks.get(row.statistic, row.printed))


def _marks(rows: Sequence[LedgerRow]) -> str:
    """Return each verdict of a cell once, as shape and word; where there is none, the evidence."""
    verdicts = dict.fromkeys(row.verdict for row in rows if row.verdict is not Verdict.NONE)
    marks = [
        f'<span aria-hidden="true">{SHAPES.get(each, "·")}</span> {render.chip(each)}'
        for each in verdicts
    ]
    if not verdicts:
        evidence = dict.fromkeys(row.evidence for row in rows)
        marks = [f'<span class="unjudged">· {escape(each)}</span>' for each in evidence]
    return "".join(f'<div class="verdict-line">{mark}</div>' for mark in marks)
