"""What a rerun changes: every number and claim that comes out otherwise than in the article."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rederive.book.ledger import Ledger, LedgerRow
from rederive.book.render import (
    Cell,
    Html,
    change_markup,
    html_table,
    label_cell,
    number_class,
    text,
    verdict_chip,
)
from rederive.printed import Evidence


@dataclass(frozen=True, slots=True)
class Change:
    """One row under the article's parameters and under those of a run.

    Parameters
    ----------
    before, after : LedgerRow
        The row under the article's parameters, and under those of the run.
    """

    before: LedgerRow
    after: LedgerRow


def changes(ledger: Ledger) -> list[Change]:
    """Return the rows whose reproduced value, verdict or decision differ from the article's.

    Parameters
    ----------
    ledger : Ledger
        Ledger of a run; one without a reference has no changes.
    """
    if ledger.reference is None:
        return []
    found = []
    for after in ledger:
        if after.before or after.before_verdict or after.before_decision:
            found.append(Change(ledger.reference.row(after.id), after))
    return found


def summary_in_words(found: Iterable[Change], rows: int) -> list[str]:
    """Return how many rows changed and in what, as sentences.

    Parameters
    ----------
    found : iterable of Change
        What changed.
    rows : int
        How many rows there are in all.
    """
    listed = list(found)
    values = sum(bool(each.after.before) for each in listed)
    verdicts = sum(bool(each.after.before_verdict) for each in listed)
    decisions = sum(bool(each.after.before_decision) for each in listed)
    unchanged = rows - len(listed)
    if not listed:
        return [f"None of the {rows} numbers and claims changed."]
    return [
        f"**{len(listed)}** of {rows} numbers and claims changed: {values} in the reproduced "
        f"value, {verdicts} in the verdict, {decisions} in the decision.",
        f"The other {unchanged} have the same reproduced value, verdict and decision as under the "
        "article's parameters; the range that rounding leaves may still differ.",
    ]


def changes_table(
    found: Iterable[Change], titles: Mapping[str, str], pages: Mapping[str, str]
) -> Html:
    """Return what changed, one table for each section.

    Parameters
    ----------
    found : iterable of Change
        What changed.
    titles : mapping of str to str
        Title of each section's notebook, in the order of the tables.
    pages : mapping of str to str
        Page of each notebook relative to this one; rows of others are not linked.

    Returns
    -------
    Html
        Tables; without changes one word.
    """
    header = ["Number", "Published", "Reproduced", "Interval", "Verdict", "Decision"]
    lines = [(each.after, _change_cells(each)) for each in found]
    return _by_section(header, lines, titles, pages, "changed")


def from_data(ledger: Ledger) -> list[LedgerRow]:
    """Return the rows that come from patient-level data and from no printed figure.

    Parameters
    ----------
    ledger : Ledger
        Ledger of a run with a cohort of one's own.
    """
    kinds = (Evidence.CALIBRATED, Evidence.PREDICTED, Evidence.OTHER_STUDY)
    return [row for row in ledger if row.evidence in kinds and row.reproduced]


def data_table(
    rows: Iterable[LedgerRow], titles: Mapping[str, str], pages: Mapping[str, str]
) -> Html:
    """Return what a cohort of one's own gives beside the published study, by section.

    Parameters
    ----------
    rows : iterable of LedgerRow
        As from :func:`from_data`.
    titles, pages : mapping of str to str
        As for :func:`changes_table`.
    """
    header = ["Number", "Published study", "Own cohort"]
    lines = [
        (row, [text(row.printed, number_class(row)), text(row.reproduced, number_class(row))])
        for row in rows
    ]
    return _by_section(header, lines, titles, pages, "from the cohort")


def _by_section(
    header: Sequence[str],
    lines: Iterable[tuple[LedgerRow, list[Cell]]],
    titles: Mapping[str, str],
    pages: Mapping[str, str],
    what: str,
) -> Html:
    sections: dict[str, list[tuple[str, list[Cell]]]] = {}
    for row, cells in lines:
        address = f"{pages.get(row.notebook, 'ledger.html')}#{row.id}"
        sections.setdefault(row.notebook, []).append(("", [label_cell(row, address), *cells]))
    order = dict.fromkeys([*titles, *sections])
    return Html(
        "".join(
            str(
                html_table(
                    header,
                    sections[name],
                    f"{titles.get(name, name)}: {len(sections[name])} {what}",
                    "comparison",
                )
            )
            for name in order
            if name in sections
        )
        or "<p>None.</p>"
    )


def _change_cells(change: Change) -> list[Cell]:
    before, after = change.before, change.after
    css = number_class(after)
    verdict = verdict_chip(after.verdict)
    if before.verdict is not after.verdict:
        verdict = f'<span class="change">{verdict_chip(before.verdict)} → {verdict}</span>'
    return [
        text(after.printed, css),
        Cell(_moved(after.before or after.reproduced, after.reproduced), css),
        text(after.interval, css),
        Cell(verdict),
        Cell(_moved(after.before_decision or after.decision, after.decision)),
    ]


def _moved(before: str, after: str) -> str:
    return escape(after) if before == after else change_markup(before or "nothing", after)
