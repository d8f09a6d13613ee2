"""A visible value set beside the published figure, and held against the tested engine.

A notebook obtains a number in sight; the ledger holds what the engine made of the same row of the
registry. `table` refuses a cell in which the two differ, and one that shows values of cohorts that
were fitted to a figure as if they agreed with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rederive.book import render
from rederive.book.ledger import CohortEvidence, Ledger, LedgerRow
from rederive.printed import Evidence, Verdict
from rederive.printed.errors import meant, unknown
from rederive.printed.formats import fixed, p_text
from rederive.printed.registry import NumberRow

MOST_OPEN = 8
"""Rows up to which a table is shown; a longer one is folded below a line that counts verdicts."""

MOST_NAMED = 3
"""Variables up to which the caption of a table names them."""

SOURCES = ("printed figures", "one cohort", "all cohorts", "held-out cohorts")
"""Where a value that is set beside a published figure can come from."""

TOLERANCE = 1e-9
"""Relative difference between a visible value and the engine's that is floating-point noise."""

STORED = 1e-5
"""The same for held-out values, which are stored in single precision."""

Value = Any
"""A number, a pair (low, high), a truth value, or a Series by cohort."""


class MismatchError(ValueError):
    """The visible value of a cell and the tested engine's differ."""


class SourceError(TypeError):
    """A value does not come from where the plan of the reproduction allows it to come from."""


def _by_id(values: object, ids: str) -> dict[str, Value]:
    if not isinstance(values, Mapping | pd.Series | pd.DataFrame):
        raise TypeError(f"values: found {type(values).__name__}, allowed: dict, Series, DataFrame")
    return {
        ids.format(str(key).lower()) if ids else str(key): value for key, value in values.items()
    }


def _checked(ledger: Ledger, row_id: str, value: Value, source: str) -> LedgerRow:
    """Return the row of a visible value, held against the engine's, and its source to the plan."""
    if source not in SOURCES:
        raise unknown("source", source, SOURCES)
    if row_id not in ledger.registry.plan:
        hint = meant(row_id, ledger.registry.plan)
        raise ValueError(f"found {row_id!r}, allowed: the id of a number or claim{hint}")
    planned = ledger.registry.plan[row_id].evidence
    _check_source(ledger, row_id, planned, source)
    row = ledger.row(row_id)
    if source == "printed figures":
        _check_recomputed(ledger, row, value)
        return row
    cohorts = _cohorts(ledger)
    if source == "held-out cohorts":
        if cohorts.asks_as_published(row_id):
            _check_each(row_id, value, cohorts.held_out_values(row_id), STORED)
    elif source == "one cohort":
        expected = cohorts.values(row_id)
        one = pd.Series([value], index=[cohorts.one_number])
        _check_each(row_id, one, expected.loc[[cohorts.one_number]])
    else:
        _check_each(row_id, value, cohorts.values(row_id))
    return row


def _check_source(ledger: Ledger, row_id: str, planned: Evidence, source: str) -> None:
    alone = {"printed figures": Evidence.RECOMPUTED, "held-out cohorts": Evidence.PREDICTED}
    allowed = [alone.get(source, Evidence.CALIBRATED)]
    if source not in alone:
        cohorts = _cohorts(ledger)
        if not cohorts.reconstructed or not cohorts.asks_as_published(row_id):
            allowed.append(Evidence.PREDICTED)
    if planned in allowed:
        return
    if planned is Evidence.PREDICTED and source not in alone:
        raise SourceError(
            f"{row_id}: these cohorts were fitted to this figure, so they cannot predict it; "
            "allowed: values of cohorts that left it out of the fit, source='held-out cohorts'"
        )
    raise SourceError(
        f"{row_id}: found values from {source}, but the plan says {planned}; "
        f"allowed from there: {', '.join(allowed)}"
    )


def _cohorts(ledger: Ledger) -> CohortEvidence:
    if ledger.cohorts is None:
        raise SourceError("found values from cohorts, but this ledger was opened without any")
    return ledger.cohorts


def _near(a: float, b: float) -> bool:
    return bool(np.isclose(a, b, rtol=TOLERANCE, atol=1e-12, equal_nan=True))


def _check_recomputed(ledger: Ledger, row: LedgerRow, value: Value) -> None:
    low = -np.inf if row.low is None else row.low
    high = np.inf if row.high is None else row.high
    if isinstance(value, tuple):
        a, b = (float(end) for end in value)
        if not ((a <= low or _near(a, low)) and (b >= high or _near(b, high))):
            raise MismatchError(
                f"{row.id}: found the range {a:.6g} to {b:.6g}, which does not hold the engine's, "
                f"{low:.6g} to {high:.6g}"
            )
    elif row.value is not None and not _near(float(value), row.value):
        raise MismatchError(f"{row.id}: found {float(value):.9g}, the engine has {row.value:.9g}")
    elif not (low <= value <= high or _near(value, low) or _near(value, high)):
        raise MismatchError(
            f"{row.id}: found {float(value):.9g}, outside the engine's {low:.6g} to {high:.6g}"
        )


def _check_each(
    row_id: str, value: Value, expected: pd.Series[Any], tolerance: float = TOLERANCE
) -> None:
    if not isinstance(value, pd.Series):
        raise SourceError(f"{row_id}: found {type(value).__name__}, allowed: a Series by cohort")
    if not len(value):
        raise ValueError(f"{row_id}: found no cohort with a value, allowed: one or more")
    missing = value.index.difference(expected.index)
    if len(missing):
        raise MismatchError(f"{row_id}: found {len(missing)} cohorts that are not of this run")
    here = value.to_numpy(dtype=float)
    there = expected.reindex(value.index).to_numpy(dtype=float)
    same = np.isclose(here, there, rtol=tolerance, atol=TOLERANCE, equal_nan=True)
    if not same.all():
        first = int(np.argmin(same))
        raise MismatchError(
            f"{row_id}: {int((~same).sum())} of {len(same)} cohorts differ; of cohort "
            f"{value.index[first]!r} found {here[first]:.9g}, the engine has {there[first]:.9g}"
        )


def _summary_of(value: Value) -> tuple[float, float, float]:
    """Return median, least and greatest of what a cell shows; NaN where it has none of them.

    Of many cohorts the ends are those of the central 95 %.
    """
    if isinstance(value, pd.Series):
        known = value.dropna().to_numpy(dtype=float)
        if not len(known):
            return np.nan, np.nan, np.nan
        low, high = np.quantile(known, [0.025, 0.975])
        return float(np.median(known)), float(low), float(high)
    if isinstance(value, tuple):
        return np.nan, float(value[0]), float(value[1])
    return float(value), np.nan, np.nan


def table(ledger: Ledger, values: object, ids: str, source: str) -> render.Table:
    """Return checked values beside the published figures, as `Section.beside` describes it."""
    header = ["", "Published", "Here", "With rounding", "Evidence", "Verdict"]
    origin = "cohorts fitted without them" if source == "held-out cohorts" else source
    if source != "printed figures":
        header[3] = "All compatible data" if source == "held-out cohorts" else "All cohorts"
        if not _cohorts(ledger).reconstructed:
            header[3], origin = "Your cohort", "your cohort"
    lines, data = [], {}
    by_id = _by_id(values, ids)
    ledger.rows(row_id for row_id in by_id if row_id in ledger.registry.plan)  # kept together
    for row_id, value in by_id.items():
        row = _checked(ledger, row_id, value, source)
        middle, low, high = _summary_of(value)
        data[row_id] = {
            "published": row.printed,
            "here": middle,
            "low": low,
            "high": high,
            "evidence": str(row.evidence),
            "verdict": str(row.verdict),
        }
        cells = [
            render.label_cell(row, f"../book/ledger.html#{row.id}"),
            render.text(row.printed, render.number_class(row)),
            render.text(_words(ledger, row, value), render.number_class(row)),
            render.text(row.interval or row.reproduced, render.number_class(row)),
            render.Cell(render.chip(row.evidence)),
            render.Cell(render.chip(row.verdict)),
        ]
        lines.append(("", cells))
    variables = list(dict.fromkeys(ledger.row(row_id).variable for row_id in data))
    topic = ", ".join(variables[:MOST_NAMED]) + " …" * (len(variables) > MOST_NAMED)
    caption = f"{topic}: from {origin}, beside the published figures"
    markup = render.html_table(header, lines, caption, "comparison").markup
    if len(lines) > MOST_OPEN:
        found = Counter(str(each["verdict"]) for each in data.values()).most_common()
        words = ", ".join(f"{count} {verdict}" for verdict, count in found)
        markup = f"<details><summary>{caption} ({words})</summary>{markup}</details>"
    return render.Table(markup, pd.DataFrame.from_dict(data, orient="index"))


def _words(ledger: Ledger, row: LedgerRow, value: Value) -> str:
    """Return a value as a table shows it: with one decimal more than the published figure."""
    source = ledger.registry.row(row.id)
    if not isinstance(source, NumberRow):
        share = float(np.mean(value))
        if isinstance(value, pd.Series):
            return f"holds in {int(np.sum(value))} of {len(value)}"
        if row.verdict is Verdict.NOT_TESTED and share:
            return row.reproduced
        return "holds" if share else "does not hold"
    whole = source.statistic in ("n", "count")
    decimals = source.printed.decimals + (0 if whole else 1)

    def one(number: float) -> str:
        text = (p_text if source.statistic == "p" else fixed)(number, decimals)
        return f"{text}%" if source.unit == "percent" and text != "none" else text

    middle, low, high = _summary_of(value)
    if isinstance(value, pd.Series) and len(value) > 1:
        ends = f"{one(low)} to {one(high)}"
        return one(middle) if one(low) == one(high) else f"{one(middle)} (95 %: {ends})"
    return f"{one(low)} to {one(high)}" if np.isnan(middle) else one(middle)
