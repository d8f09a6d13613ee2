"""The explorer: a page on which a reader changes the article's choices and sees the results change.

All results are computed here, by `Multiverse`; the page carries them as numbers and its script only
looks them up. Without scripts the page shows the article's setting.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.analysis import load_ensembles
from ivig_dcssc.analysis.choices import FOLLOWUPS
from ivig_dcssc.multiverse.results import (
    AGAINST,
    BASELINE,
    COMPARATORS,
    NAMES,
    PAIRED_T,
    QUANTITIES,
    RESULTS,
    WINDOWS,
    Axes,
    Result,
    published,
)
from ivig_dcssc.multiverse.universe import Multiverse
from ivig_dcssc.parameters import ALL_PRIORS, PARAMETERS, PRIORS, READINGS
from ivig_dcssc.project import project_root
from rederive.book.render import TIMEPOINTS as TIMES_IN_WORDS
from rederive.book.render import Cell, Html, html_table, text
from rederive.printed import PrintedNumber, Verdict
from rederive.printed.formats import fixed, p_text, percent, printing
from rederive.printed.registry import load_registry

AXES = Axes(reading=READINGS[:1], prior=(ALL_PRIORS, *PRIORS))
"""Levels that the explorer offers; of the readings the wider one, so that no cohort is left out."""

CHOICES = tuple(name for name in Axes.__slots__ if name != "reading")
"""Choices that a reader can change."""

ARTICLE: dict[str, object] = {
    name: PAIRED_T if name == "paired_test" else PARAMETERS[name].default for name in CHOICES
}
"""The article's setting, and all priors together."""

MARKS = (
    "as published",
    "within range",
    str(Verdict.WITHIN_ROUNDING),
    "outside range",
    str(Verdict.FITTED),
)
"""What a mark says of a result beside its published figure.

Within rounding is a p against a control that in the article's windows can be reached once every
printed mean and SD may be anything printed as it is. The last mark is where nothing that made the
cohorts print the figure is changed.
"""

_AS_PUBLISHED, _FITTED = 0, len(MARKS) - 1

RARELY, NEARLY = -1, 101
"""A share that is not none but reads so; one that is not all but reads so."""

MARGIN = 3.2
"""Margin in points of the skin score with which the page opens; the slider goes to twice as far."""

_MARGINS = """
<label><span>Margin for “alike” and “no worse”, points: <b>{margin}</b></span>
<input type="range" name="margin" min="0" max="8" step="0.1" value="{margin}" list="margins">
<datalist id="margins"><option value="3.2"></option><option value="5.3"></option></datalist>
<small>Proposed as the least difference that matters: 3.2 to 5.3
(<a href="references.html">Khanna 2006</a>); the article names none.</small>
</label>
"""
_RANGES = ("baseline_window", "followup_tolerance", "responder_threshold")
_LABELS = {
    "baseline_window": "Oldest baseline, months before",
    "followup_tolerance": "Follow-up visits, months either way",
    "responder_threshold": "Responder, points less at least",
    "visit_rule": "Of several visits counts",
    "paired_test": "Test of the change",
    "two_sample_test": "t test against controls",
    "prior": "Synthetic cohorts",
}
_WITHIN = "At the margin chosen"
_COLUMNS = tuple(name for name in QUANTITIES if name not in AGAINST)
_OVER_TIME = {TIMES_IN_WORDS[at].capitalize(): (at, "") for at in (BASELINE, *FOLLOWUPS)}
_AGAINST = {
    f"{group}, {TIMES_IN_WORDS[at]}": (at, group)
    for at, groups in COMPARATORS.items()
    for group in groups
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One result under one setting, as the page shows it.

    Median and the ends of the central 95 % are over the cohorts, the share is that of the cohorts
    with p below the significance level; no share for what is no p, no mark of :data:`MARKS` if
    nothing is published.
    """

    median: str
    low: str
    high: str
    share: str = ""
    mark: str = ""

    @property
    def span(self) -> str:
        """The central 95 % as text; nothing where it reads as the median does."""
        return "" if self.low == self.high == self.median else f"{self.low} to {self.high}"


@dataclass(frozen=True)
class Explorer:
    """The explorer's numbers and its page, from results over :data:`AXES`."""

    multiverse: Multiverse

    @classmethod
    def of(cls, root: Path | None = None) -> Explorer:
        """Return the explorer of the shipped cohorts, of this project or another folder's."""
        folder = root or project_root()
        registry = load_registry(folder / "data" / "published")
        return cls(Multiverse(load_ensembles(folder), registry, AXES))

    @cached_property
    def numbers(self) -> dict[str, Any]:
        """Everything that the script needs, ready for JSON.

        Numbers are whole: a result times ten to the power of its decimals. Those of a result stand
        in one row, by level of the choice that the quantity has beside windows and prior, then by
        distinct windows, then by prior; for each: median, low, high, for p the share below the
        significance level in percent, for what is published the mark.
        """
        return {
            "levels": {name: list(self.multiverse.axes.levels(name)) for name in CHOICES},
            "article": {name: ARTICLE[name] for name in CHOICES},
            "places": self.multiverse.places.ravel().tolist(),
            "distinct": self.multiverse.distinct_windows,
            "alpha": self.multiverse.alpha,
            "marks": list(MARKS),
            "results": {name: self._row(result) for name, result in RESULTS.items()},
            "margins": {
                name: self._margins(result)
                for name, result in RESULTS.items()
                if result.quantity == "p_against"
            },
        }

    def _margins(self, result: Result) -> list[int | None]:
        """Return both margins of a comparison in hundredths, in the order of a result's rows."""
        both = np.stack(self.multiverse.margins(result), axis=-1)
        return _whole(both[:, :, 0].ravel(), 2)

    def _row(self, result: Result) -> dict[str, Any]:
        decimals = QUANTITIES[result.quantity].decimals
        band = self.multiverse.distinct_band(result)
        ends = [array[:, :, 0].ravel() for array in (band.median, band.low, band.high)]
        columns = [_whole(array, decimals) for array in ends]
        if result.is_p:
            columns.append(_shares(band.decision[:, :, 0].ravel()))
        figure = published(self.multiverse.registry, result)
        if figure is not None:
            wide = ends[1:]
            if result.quantity == "p_against":
                wide = [end[:, :, 0].ravel() for end in self.multiverse.rounding_band(result)]
            marks = _marks(figure, *ends, *wide)
            if result.quantity in _COLUMNS:
                marks = self._with_fitted(marks, columns[:3], result.own)
            columns.append(marks)
        return {
            "decimals": decimals,
            "own": result.own,
            "p": result.is_p,
            "count": result.quantity in ("n", "responders"),
            "marked": figure is not None,
            "values": [number for row in zip(*columns, strict=True) for number in row],
        }

    def _with_fitted(
        self, marks: list[int | None], columns: list[list[int | None]], own: str
    ) -> list[int | None]:
        """Return the marks, with that of a fit where a result is as in the article's setting.

        The cohorts were made to print it there, so its agreement confirms nothing.
        """
        axes = self.multiverse.axes
        levels = len(axes.levels(own)) if own else 1
        article_own = axes.levels(own).index(ARTICLE[own]) if own else 0
        windows = tuple(axes.levels(name).index(ARTICLE[name]) for name in WINDOWS)
        shape = (levels, self.multiverse.distinct_windows, len(axes.prior))
        place = article_own, int(self.multiverse.places[windows])
        values = np.array(columns, dtype=float).reshape(-1, *shape)
        same = (values == values[:, *place][:, None, None]).all(axis=0)
        same[np.arange(levels) != article_own] = False
        return [
            _FITTED if fit and mark == _AS_PUBLISHED else mark
            for fit, mark in zip(same.ravel(), marks, strict=True)
        ]

    def figures(self, name: str, setting: dict[str, object] | None = None) -> Figures:
        """Return a result under a setting as the page shows it.

        The name is a key of :data:`ivig_dcssc.multiverse.RESULTS`; levels by choice that are
        missing in the setting are the article's.
        """
        row = self.numbers["results"][name]
        width = 3 + row["p"] + row["marked"]
        start = width * self._place(row["own"], setting or {})
        numbers = row["values"][start : start + width]
        median, low, high = (_text(number, row) for number in numbers[:3])
        shares = {RARELY: 0.005, NEARLY: 0.995}
        share = percent(shares.get(numbers[3], numbers[3] / 100)) if row["p"] else ""
        mark = MARKS[numbers[-1]] if row["marked"] else ""
        return Figures(median, low, high, share, mark)

    def _place(self, own: str, setting: dict[str, object]) -> int:
        """Return where among the rows of a result a setting stands."""
        chosen, axes = ARTICLE | setting, self.multiverse.axes
        at = {choice: axes.levels(choice).index(chosen[choice]) for choice in CHOICES}
        place = int(self.multiverse.places[tuple(at[choice] for choice in WINDOWS)])
        place += self.multiverse.distinct_windows * (at[own] if own else 0)
        return place * len(axes.prior) + at["prior"]

    def page(self) -> Html:
        """Return controls, tables with the article's setting, numbers and script."""
        data = json.dumps(self.numbers, separators=(",", ":")).replace("<", "\\u003c")
        here = files("ivig_dcssc.multiverse")
        style, script = (
            here.joinpath(f"explorer.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
        )
        return Html(
            f"<style>{style}</style>"
            '<div class="rederive-explorer">'
            '<div class="explorer-picture" hidden></div>'
            f"{self._form()}"
            '<p class="explorer-summary" role="status" aria-live="polite"></p>'
            "<noscript><p>The controls need scripts; the tables show the article’s setting.</p>"
            "</noscript>"
            f"{self._table('The skin score over time', _OVER_TIME, 'Time point', _COLUMNS)}"
            f"{self._table('Change against each control', _AGAINST, 'Control', AGAINST, True)}"
            f'<script type="application/json" class="explorer-data">{data}</script>'
            f"<script>{script}</script>"
            "</div>"
        )

    def _form(self) -> str:
        controls = "".join(self._control(name, title) for name, title in _LABELS.items())
        controls += _MARGINS.format(margin=MARGIN)
        return (
            '<form class="explorer-controls" aria-label="Choices of the analysis" hidden>'
            f"{controls}"
            '<div class="explorer-buttons"><button type="reset">Reset to the article’s</button>'
            '<a class="explorer-link" href="#">Link to this setting</a></div></form>'
        )

    def _control(self, name: str, title: str) -> str:
        levels, chosen = self.multiverse.axes.levels(name), ARTICLE[name]
        if name in _RANGES:
            return (
                f"<label><span>{escape(title)}: <b>{chosen}</b></span>"
                f'<input type="range" name="{name}" min="{levels[0]}" max="{levels[-1]}" step="1" '
                f'value="{chosen}"></label>'
            )
        options = "".join(
            f'<option value="{escape(level, quote=True)}"'
            f"{' selected' if level == chosen else ''}>{escape(NAMES.get(level, level))}</option>"
            for level in map(str, levels)
        )
        return (
            f'<label><span>{escape(title)}</span><select name="{name}">{options}</select></label>'
        )

    def _table(
        self,
        caption: str,
        rows: dict[str, tuple[str, str]],
        first: str,
        names: tuple[str, ...],
        margins: bool = False,
    ) -> str:
        heads = [first, *(QUANTITIES[name].heading for name in names)]
        lines = []
        for label, at in rows.items():
            cells = [text(label), *(self._cell(Result(name, *at)) for name in names)]
            if margins:
                cells.append(self._margin_cell(Result("p_against", *at)))
            lines.append(("", cells))
        # Cards on a phone, as a table with more columns has them by itself.
        css = "explorer cards" if margins else "explorer"
        return html_table([*heads, *[_WITHIN] * margins], lines, caption, css).markup

    def _margin_cell(self, result: Result) -> Cell:
        """Return from which margins on a control counts as alike; the script compares them."""
        place = self._place(result.own, {})
        alike, no_worse = (self.numbers["margins"][result.name][2 * place + k] for k in (0, 1))
        markup = (
            f'<div><span class="alike">alike from {alike / 100:.1f} points</span>'
            f'<span class="no-worse">no worse from {no_worse / 100:.1f} points</span></div>'
        )
        return Cell(markup, data=f' data-margin="{result.name}"')

    def _cell(self, result: Result) -> Cell:
        if result.name not in RESULTS:
            return Cell("")
        shown = self.figures(result.name)
        figure = published(self.multiverse.registry, result)
        parts = [
            f'<span class="now">{escape(shown.median)}</span>',
            f'<span class="span">{escape(shown.span)}</span>',
        ]
        if result.is_p:
            part = f'<span class="part">{shown.share}</span>'
            parts.append(f'<span class="share">below {self.multiverse.alpha:g} in {part}</span>')
        if figure is not None:
            mark = MARKS.index(shown.mark)
            parts.append(f'<span class="printed">published {escape(str(figure))}</span>')
            parts.append(f'<span class="mark mark-{mark}">{escape(shown.mark)}</span>')
        data = f' data-result="{escape(result.name)}"'
        return Cell(f"<div>{''.join(parts)}</div>", data=data)


def _whole(array: Any, decimals: int) -> list[int | None]:
    """Return numbers times a power of ten, rounded as `fixed` rounds them."""
    scale = 10**decimals
    return [
        None if np.isnan(number) else round(float(fixed(float(number), decimals)) * scale)
        for number in array
    ]


def _shares(array: Any) -> list[int | None]:
    rare, near = (array > 0) & (array < 0.01), (array > 0.99) & (array < 1)
    return list(map(int, np.select([rare, near], [RARELY, NEARLY], np.rint(100 * array))))


def _marks(
    figure: PrintedNumber, median: Any, low: Any, high: Any, least: Any, greatest: Any
) -> list[int | None]:
    """Return the marks of a result, held against its range and that with rounding."""
    prints = printing(pd.Series(median), figure).to_numpy()
    interval = figure.interval()

    def reached(lows: Any, highs: Any) -> Any:
        ends = zip(lows, highs, strict=True)
        return np.array(
            [not np.isnan(each) and interval.meets(each, other) for each, other in ends]
        )

    found = np.select([prints, reached(low, high), reached(least, greatest)], [0, 1, 2], 3)
    return [int(mark) for mark in found]


def _text(number: int | None, row: dict[str, Any]) -> str:
    if number is None:
        return "none"
    decimals: int = row["decimals"]
    value = number / 10**decimals
    if row["count"]:
        return f"{value:g}"
    return p_text(value, decimals) if row["p"] else fixed(value, decimals)
