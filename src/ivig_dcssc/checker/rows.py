"""The check itself: every row of the registry, either checked on a cohort or said not to be."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP
from functools import lru_cache

import pandas as pd

from ivig_dcssc.checker.claims import Claims
from ivig_dcssc.checker.figures import Figures, Key, key_of
from ivig_dcssc.checker.tables import Tables
from rederive.printed.registry import ClaimRow, NumberRow, Registry
from rederive.reconstruct.checker import compare

GROUP = "IVIG"

READINGS = ("-8", "-8.0")
"""How the mean change at month 12 is read: to the whole point as printed, or to one decimal."""

ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN)
"""How the article may have rounded an exact half."""

COLUMNS = ("id", "printed", "computed", "agrees")

_NOT_IN_TABLES = (
    *("ivig_dose", "mmf_course_dose", "mmf_course_length", "ivig_regimen_cycles", "infusion_days"),
    *("cycles_required_window", "treatment_gap", "study_period"),
)
"""Doses, courses of single patients, rules of the design and calendar years."""


def is_about_a_cohort(row: NumberRow | ClaimRow) -> bool:
    """Return whether a row says something of the treated patients that their tables can show."""
    compares = (row.variable, getattr(row, "kind", "")) == ("cohort_size", "ordering")
    design = isinstance(row, NumberRow) and row.statistic == "month"
    return row.group == GROUP and row.variable not in _NOT_IN_TABLES and not (compares or design)


@lru_cache(maxsize=8)
def _rows(registry: Registry) -> tuple[tuple[NumberRow | ClaimRow, Key, str], ...]:
    """Return the rows about a cohort, with the key and the text of a number."""
    return tuple(
        (row, key_of(row.variable, row.timepoint, row.statistic, row.section), str(row.printed))
        if isinstance(row, NumberRow)
        else (row, (row.variable, row.timepoint, row.kind), row.expected)
        for row in registry
        if is_about_a_cohort(row)
    )


def check_cohort(tables: Tables, registry: Registry, *, reading: str = "-8") -> pd.DataFrame:
    """Compare one cohort with everything that the article prints of it.

    Parameters
    ----------
    tables : Tables
        The cohort.
    registry : Registry
        The article's numbers and claims. The significance level and the responder threshold are
        read from it, nothing else but what is compared.
    reading : str
        ``-8``: the mean change at month 12 rounds to a whole -8; ``-8.0``: to -8.0.

    Returns
    -------
    DataFrame
        One row per figure and claim: ``id``, ``printed``, ``computed`` (to the printed decimals;
        for a claim the word that it expects), ``agrees``.

    Raises
    ------
    ValueError
        If the reading is unknown, or a row of the registry that is about a cohort has no check.
    """
    if reading not in READINGS:
        raise ValueError(f"reading: found {reading!r}, allowed: {', '.join(READINGS)}")
    limit, alpha = (
        registry.numbers[row_id].printed.text
        for row_id in ("methods-responder-threshold-threshold", "methods-alpha-alpha")
    )
    figures = Figures(tables, int(limit))
    claims = Claims(figures, float(alpha))
    checked = []
    for row, key, printed in _rows(registry):
        if isinstance(row, NumberRow):
            if key not in figures:
                raise ValueError(f"numbers.csv, {row.id}: no check for {', '.join(key)}")
            if key == ("mrss_change", "m12", "mean") and printed == READINGS[0]:
                printed = reading
            found = compare(printed, figures[key], ROUNDINGS)
        else:
            answer = claims.answer(*key)
            if answer is None:
                raise ValueError(f"claims.csv, {row.id}: no check for {', '.join(key)}")
            found = answer, answer == printed
        checked.append((row.id, printed, *found))
    return pd.DataFrame(checked, columns=list(COLUMNS))
