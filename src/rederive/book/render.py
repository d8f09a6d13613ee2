"""The one renderer of tables: published beside reproduced, as HTML that trusts no text.

Every text is escaped. Verdict and evidence are words with a class; one stylesheet gives them
colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

from rederive.book.ledger import LedgerRow
from rederive.printed import Evidence, Verdict
from rederive.printed.evidence import PLANNED

if TYPE_CHECKING:
    import pandas as pd

TIMEPOINTS = {"baseline": "baseline"} | {f"m{month}": f"month {month}" for month in range(1, 61)}
"""Time points in words."""

STATISTICS = {
    "count": "patients",
    "percent": "share",
    "sd": "SD",
    "or": "odds ratio",
    "ci_low": "lower limit of the interval",
    "ci_high": "upper limit of the interval",
    "min": "least value",
    "max": "greatest value",
    "alpha": "significance level",
    "threshold": "limit",
    "month": "time named",
    "other": "value",
}
"""Statistics in words, where these are not their names."""

WIDE = 4
"""A table with more columns than this becomes a card for each row on a phone."""

_UNQUOTED = "/,;:()!=+@$~?"


@dataclass(frozen=True, slots=True)
class Html:
    """A piece of finished HTML that a notebook shows as such."""

    markup: str

    def _repr_html_(self) -> str:
        return self.markup

    def __str__(self) -> str:
        return self.markup


def chip(word: Evidence | Verdict) -> str:
    """Return an evidence or a verdict as a word with its class."""
    kind = type(word).__name__.lower()
    return f'<span class="{kind} {_class_of(word)}">{escape(word)}</span>'


def _class_of(word: Evidence | Verdict) -> str:
    return f"{type(word).__name__}-{word.name}".lower().replace("_", "-")


def label_of(row: LedgerRow) -> str:
    """Return what a row is about, in words: variable, group, time point, statistic."""
    words = [row.variable, row.group, TIMEPOINTS.get(row.timepoint, "")]
    if row.kind == "number":
        words.append(STATISTICS.get(row.statistic, row.statistic))
    return ", ".join(word for word in words if word)


def _conventions_markup(row: LedgerRow) -> str:
    parts = []
    lists = (
        ("Would do", row.would_do),
        ("Not under", row.not_under),
        ("Open under", row.open_under),
    )
    for title, items in lists:
        if items:
            listed = "".join(f"<li>{escape(item)}</li>" for item in items)
            parts.append(f"<div>{title}:</div><ul>{listed}</ul>")
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Table(Html):
    """A table as HTML, and its data by row id."""

    data: pd.DataFrame

    def __repr__(self) -> str:
        return self.data.to_string()


@dataclass(frozen=True, slots=True)
class Cell:
    """Content of one cell: finished HTML, and the class and data attributes of the cell."""

    markup: str
    css: str = ""
    data: str = ""


def text(value: object, css: str = "") -> Cell:
    """Return a cell with escaped text."""
    return Cell(escape(str(value)), css)


def html_table(
    header: Sequence[str],
    rows: Iterable[tuple[str, Sequence[Cell]]],
    caption: str,
    css: str = "",
    labels: bool = True,
) -> Html:
    """Return a table in a box of its own that scrolls when it is wider than the page.

    With more than :data:`WIDE` columns it is a card for each row on a phone, with its titles from
    the stylesheet where it has no ``labels``. The first column names the row; each row comes with
    its id, which may be empty. The caption is also the name of the scrolling region for a screen
    reader.
    """
    lines = list(rows)
    head = "".join(
        f'<th scope="col"{_number_class(lines, column)}>{escape(title)}</th>'
        for column, title in enumerate(header)
    )
    titles = header if labels else [""] * len(header)
    body = "".join(_row_markup(anchor, titles, cells) for anchor, cells in lines)
    name = escape(caption, quote=True)
    classes = " ".join(filter(None, ("rederive", css, "cards" if len(header) > WIDE else "")))
    return Html(
        f'<div class="rederive-scroll" role="region" aria-label="{name}" tabindex="0">'
        f'<table class="{classes}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _number_class(rows: Sequence[tuple[str, Sequence[Cell]]], column: int) -> str:
    """Return the class of a column's title: that of numbers if all its cells are."""
    numeric = rows and all("number" in cells[column].css.split() for _, cells in rows)
    return ' class="number"' if numeric else ""


def _row_markup(anchor: str, header: Sequence[str], cells: Sequence[Cell]) -> str:
    """Return one row; each cell also carries its column's title, which a phone shows beside it."""
    identifier = f' id="{escape(anchor, quote=True)}"' if anchor else ""
    parts = []
    for position, (title, cell) in enumerate(zip(header, cells, strict=True)):
        css = f' class="{cell.css}"' if cell.css else ""
        if position == 0:
            parts.append(f'<th scope="row"{css}>{cell.markup}</th>')
        else:
            label = f' data-label="{escape(title, quote=True)}"' if title else ""
            parts.append(f"<td{css}{label}{cell.data}>{cell.markup}</td>")
    return f"<tr{identifier}>{''.join(parts)}</tr>"


def number_class(row: LedgerRow) -> str:
    """Return the class of a cell with a figure of this row: numbers are set to the right."""
    return "number" if row.kind == "number" else ""


def label_cell(row: LedgerRow, address: str) -> Cell:
    """Return the cell that names a row: what it is about, as a link, and its place."""
    link = f'<a href="{escape(address, quote=True)}">{escape(label_of(row))}</a>'
    group, place = escape(row.group, quote=True), f"{escape(row.section)}, {escape(row.place)}"
    return Cell(f'{link}<div class="place" data-group="{group}">{place}</div>')


def change_markup(before: str, after: str) -> str:
    """Return what the article's parameters give and what this run gives, with an arrow between."""
    return (
        f'<span class="change"><del title="under the article\'s parameters">{escape(before)}</del> '
        f"→ <ins>{escape(after or 'nothing')}</ins></span>"
    )


COMPARISON = ("Published", "Reproduced", "Interval", "Evidence", "Verdict", "Why")
"""Columns of every comparison, after the one that names the row."""


def comparison_cells(row: LedgerRow) -> list[Cell]:
    """Return the cells of a comparison, in the order of :data:`COMPARISON`."""
    css = number_class(row)
    reproduced, verdict = text(row.reproduced, css), chip(row.verdict)
    if row.before:
        reproduced = Cell(change_markup(row.before, row.reproduced), f"{css} changed".strip())
    if row.before_verdict:
        verdict = f'<span class="change">{chip(Verdict(row.before_verdict))} → {verdict}</span>'
    return [
        text(row.printed, css),
        reproduced,
        text(row.interval, css),
        Cell(chip(row.evidence)),
        Cell(verdict),
        Cell(escape(row.why) + _conventions_markup(row), "why"),
    ]


def comparison(
    rows: Iterable[LedgerRow],
    caption: str,
    ledger_page: str = "../book/ledger.html",
    anchors: Collection[str] | None = None,
    decision: bool = False,
) -> Html:
    """Return the table that every section shows: published beside reproduced.

    Each row's name links to its row on the ledger's page; the rows among `anchors`, by default all,
    carry their id, so that the ledger can link to them. With `decision` a column says if the
    decision at alpha is open.
    """
    header = ["Number", *COMPARISON]
    if decision:
        header.append("Decision at α")
    lines = []
    for row in rows:
        cells = [label_cell(row, f"{ledger_page}#{row.id}"), *comparison_cells(row)]
        if decision:
            before = row.before_decision
            cells.append(
                Cell(change_markup(before, row.decision)) if before else text(row.decision)
            )
        lines.append((row.id if anchors is None or row.id in anchors else "", cells))
    return html_table(header, lines, caption, "comparison")


def evidence_bar(rows: Iterable[LedgerRow]) -> Html:
    """Return how many rows there are by evidence, as one bar with a legend in words.

    Evidence that could have failed comes first.
    """
    counts = Counter(row.evidence for row in rows)
    present = {kind: counts[kind] for kind in Evidence if counts[kind]}
    parts = "".join(
        f'<span class="part {_class_of(kind)}" style="flex-grow:{number}"></span>'
        for kind, number in present.items()
    )
    legend = ", ".join(f"{number} {escape(kind)}" for kind, number in present.items())
    total = sum(present.values())
    return Html(
        f'<figure class="rederive-bar"><div class="bar" aria-hidden="true">{parts}</div>'
        f"<figcaption>{total} figures and statements: {legend}</figcaption></figure>"
    )


_FILTER = """
<div class="rederive-filter" hidden>
<label>Find <input type="search" name="text" autocomplete="off"></label>
<label>Section <select name="section"><option value="">all</option></select></label>
<label>Group <select name="group"><option value="">all</option></select></label>
<label>Evidence <select name="evidence"><option value="">all</option>{evidence}</select></label>
<label>Verdict <select name="verdict"><option value="">all</option>{verdicts}</select></label>
</div>
<script src="../_static/datatables/dataTables.min.js" defer></script>
<script src="../_static/ledger.js" defer></script>
"""


def ledger_page(
    rows: Iterable[LedgerRow],
    notebooks: Mapping[str, str],
    caption: str,
    tests: Mapping[str, str] | None = None,
    intervals: Mapping[str, str] | None = None,
) -> Html:
    """Return the whole ledger as one table; each row opens to how it was derived.

    DataTables searches, filters and sorts it; without scripts it is the plain table. The
    notebooks that are part of the book have their page, relative to the ledger; rows may have their
    test, as pytest names it, and figures the interval for which they stand. The formulas of methods
    are expected on the page, in the section ``methods``.
    """
    by_id = {row.id: row for row in rows}
    lines = []
    for row in by_id.values():
        *figures, _ = comparison_cells(row)
        parts = [f"<details><summary>{escape(row.why) or 'how'}</summary>"]
        parts.append(_conventions_markup(row))
        if row.same_as:
            parts.append(f'<div><a href="#{row.same_as}">printed before</a></div>')
        inputs = [
            _input_markup(by_id[name], (intervals or {}).get(name, ""))
            for name in row.inputs
            if name in by_id
        ]
        if inputs:
            parts.append(f"<div>From:</div><ul>{''.join(inputs)}</ul>")
        parts.append(f'<div>Method: <a href="#methods"><code>{escape(row.method)}</code></a></div>')
        if test := (tests or {}).get(row.id):
            # The file's name and the function; the row's id, its parameter, is in the address.
            function = PurePath(test.partition("[")[0]).name
            parts.append(f"<div>Test: <code>{escape(function)}</code></div>")
        page = notebooks.get(row.notebook)
        where = f"{escape(row.notebook)}: section not built yet"
        if page:
            where = f'<a href="{escape(page, quote=True)}#{row.id}">{escape(row.notebook)}</a>'
        parts.append(f"<div>Shown in: {where}</div></details>")
        label = label_cell(row, f"#{row.id}")
        lines.append((row.id, [label, *figures, Cell("".join(parts), "why")]))
    table = html_table(["Number and place", *COMPARISON], lines, caption, "ledger", labels=False)
    evidence, verdicts = (
        "".join(f"<option>{escape(word)}</option>" for word in words)
        for words in (PLANNED, Verdict)
    )
    return Html(_FILTER.format(evidence=evidence, verdicts=verdicts) + table.markup)


def _input_markup(row: LedgerRow, interval: str) -> str:
    figure = escape(f"{row.printed} {interval}".strip())
    return f'<li><a href="#{row.id}">{escape(label_of(row))}</a>: {figure}</li>'


def download(name: str, content: str) -> Html:
    """Return a link that saves a CSV text as a file; the page itself carries the text."""
    size = f"{max(1, round(len(content.encode()) / 1000))} kB"
    address = f"data:text/csv;charset=utf-8,{quote(content, safe=_UNQUOTED)}"
    file = escape(name, quote=True)
    return Html(f'<p><a download="{file}" href="{address}">{file}</a> ({size})</p>')
