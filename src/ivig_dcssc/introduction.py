"""The abstract: its figures, and where each is printed again and reproduced."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape

from ivig_dcssc.cohort_groups import cohorts_of
from ivig_dcssc.cohort_words import (
    bound_of,
    departures_in_words,
    implied_in_words,
    note_in_words,
)
from ivig_dcssc.cohort_words import verdicts_in_words as counted_verdicts
from ivig_dcssc.overview import SECTIONS
from rederive.book import render
from rederive.book.ledger import Ledger, LedgerRow
from rederive.book.section import Section, in_words
from rederive.printed import Evidence, Verdict
from rederive.printed.registry import NumberRow
from rederive.reconstruct.bounds import Kind

NOTEBOOK = "introduction"

RESULTS = "results_"
"""How the names of the notebooks of the results begin."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A figure or claim of the abstract and its other mentions, those in the results first."""

    first: LedgerRow
    others: tuple[LedgerRow, ...]

    @property
    def home(self) -> LedgerRow | None:
        """The first mention in a section of the results, if there is one."""
        return next((row for row in self.others if row.notebook.startswith(RESULTS)), None)


def repeats(ledger: Ledger) -> list[Repeat]:
    """Return every row of the abstract with the rows that repeat it, in the article's order."""
    plan = ledger.registry.plan
    mentions: dict[str, list[str]] = {
        row.id: [] for row in ledger.registry if plan[row.id].notebook == NOTEBOOK
    }
    for row in ledger.registry:
        if row.same_as in mentions:
            mentions[row.same_as].append(row.id)
    found = []
    for first, others in mentions.items():
        rows = [ledger.row(other) for other in others]
        rows.sort(key=lambda row: not row.notebook.startswith(RESULTS))
        found.append(Repeat(ledger.row(first), tuple(rows)))
    return found


def link_to(row: LedgerRow, words: str = "") -> str:
    """Return a link to the place of a row, or its section's title if that is not built yet."""
    title = escape(words or SECTIONS[row.notebook])
    if not row.built:
        return f"{title} (not built yet)"
    return f'<a href="{row.notebook}.html#{escape(row.id, quote=True)}">{title}</a>'


def places(ledger: Ledger, caption: str) -> render.Html:
    """Return the table of where each figure of the abstract is printed again and reproduced.

    Figures that stand in the abstract alone are left out; `places_in_words` counts them.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    caption : str
        What the table shows.
    """
    header = ["Figure of the abstract", "There", "Reproduced in", "As", "Agree", "Verdict"]
    lines = []
    for each in repeats(ledger):
        home = each.home
        if home is None:
            continue
        more = len(each.others) - 1
        also = f'<div class="place">and {more} more mention{"s" * (more > 1)}</div>' if more else ""
        cells = [
            render.text(render.label_of(each.first)),
            render.text(each.first.printed, _css(each.first)),
            render.Cell(link_to(home) + also),
            render.text(home.printed, _css(home)),
            render.text("yes" if agree(ledger, each.first, home) else "no"),
            render.Cell(render.verdict_chip(home.verdict)),
        ]
        lines.append(("", cells))
    return render.html_table(header, lines, caption)


def _css(row: LedgerRow) -> str:
    return "number" if row.kind == "number" else ""


def agree(ledger: Ledger, first: LedgerRow, other: LedgerRow) -> bool:
    """Return whether two mentions agree: figures within rounding, claims in what they expect."""
    one, two = ledger.registry.row(first.id), ledger.registry.row(other.id)
    if isinstance(one, NumberRow) and isinstance(two, NumberRow):
        return one.printed.interval().intersect(two.printed.interval()) is not None
    return first.kind == other.kind


def places_in_words(ledger: Ledger) -> list[str]:
    """Return how often the abstract is repeated, and what stands in it alone, as sentences."""
    found = repeats(ledger)
    again = [each for each in found if each.others]
    alone = [each.first for each in found if not each.others]
    disagreeing = [
        each.first.id
        for each in again
        if not all(agree(ledger, each.first, other) for other in each.others)
    ]
    digits = [
        f"{each.first.printed} for {other.printed}"
        for each in again
        for other in each.others
        if other.kind == "number" and other.printed != each.first.printed
    ]
    sentences = [
        f"The abstract has {len(found)} figures and claims; {len(again)} of them are printed "
        "again in the article, "
        + ("all in agreement." if not disagreeing else f"{len(disagreeing)} in disagreement.")
    ]
    if digits:
        sentences.append(f"Some have fewer digits here: {in_words(list(dict.fromkeys(digits)))}.")
    if alone:
        kinds = Counter("claim" if row.kind == "claim" else row.statistic for row in alone)
        named = [
            f"{count} {_KINDS.get(kind, render.STATISTICS.get(kind, kind))}"
            for kind, count in kinds.items()
        ]
        sentences.append(f"The other {len(alone)} stand in the abstract alone: {in_words(named)}.")
    return sentences


_KINDS = {"month": "figures that name a month", "claim": "statements", "other": "values"}
"""Kinds of rows in the plural."""


def verdicts_in_words(section: Section) -> list[str]:
    """Return what kind of evidence the abstract's rows have and how they came out, as sentences."""
    counts = section.counts()
    evidence = {kind: sum(n for (e, _), n in counts.items() if e is kind) for kind in Evidence}
    recomputed = {verdict: counts[Evidence.RECOMPUTED, verdict] for verdict in Verdict}
    came_out = counted_verdicts(recomputed)
    sentences = [
        f"Of the {len(section)} rows, {evidence[Evidence.STATED]} are stated, inputs that nothing "
        f"else determines, and {evidence[Evidence.RECOMPUTED]} can be recomputed from printed "
        f"figures alone: {came_out}.",
    ]
    if not cohorts_of(section.ledger).reconstructed:
        return [
            *sentences,
            f"The other {len(section) - evidence[Evidence.STATED] - evidence[Evidence.RECOMPUTED]} "
            "rows show what the cohort of this run yields.",
        ]
    return [
        *sentences,
        f"{evidence[Evidence.CALIBRATED]} are calibrated: reconstructed patients were made to "
        f"print them. {evidence[Evidence.PREDICTED]} are predicted from all other figures.",
    ]


def changes_in_words(ledger: Ledger) -> list[str]:
    """Return what decides about the two *p* values that have no change printed beside them."""
    cohorts = cohorts_of(ledger)
    if not cohorts.reconstructed:
        return note_in_words(cohorts)
    sentences = [
        "The changes at 18 and 24 months are not printed, so the *p* of these months cannot be "
        "recomputed: the reconstructed, synthetic patients predict them."
    ]
    for timepoint in ("m18", "m24"):
        row_id = f"abstract-mrss-ivig-{timepoint}-p"
        bound = bound_of(ledger, Kind.PAIRED_P, timepoint, without=(row_id,))
        if bound is None:
            continue
        printed = ledger.registry.numbers[row_id].printed
        words = implied_in_words(bound, cohorts.choices.alpha)
        sentences.append(
            f"At {timepoint[1:]} months {printed} is published. The other figures of the skin "
            f"score {words}."
        )
    return sentences + departures_in_words(cohorts)
