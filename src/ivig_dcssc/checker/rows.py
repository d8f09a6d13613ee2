"""The check itself: every row of the registry, either checked on a cohort or said not to be."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP

import pandas as pd

from ivig_dcssc.checker.claims import Claims
from ivig_dcssc.checker.figures import Figures, key_of
from ivig_dcssc.checker.tables import Tables
from ivig_dcssc.checker.windows import Windows
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


def check_cohort(
    patients: pd.DataFrame,
    visits: pd.DataFrame,
    registry: Registry,
    *,
    windows: Windows | None = None,
    reading: str = "-8",
) -> pd.DataFrame:
    """Compare one cohort with everything that the article prints of it.

    Parameters
    ----------
    patients, visits : DataFrame
        The cohort's two tables.
    registry : Registry
        The article's numbers and claims. The significance level and the responder threshold are
        read from it, nothing else but what is compared.
    windows : Windows, optional
        Which visits count; default the article's.
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
        If the tables are no cohort, the reading is unknown, or a row of the registry that is about
        a cohort has no check.
    """
    if reading not in READINGS:
        raise ValueError(f"reading: found {reading!r}, allowed: {', '.join(READINGS)}")
    tables = Tables(patients, visits, windows or Windows())
    limit, alpha = (
        registry.numbers[row_id].printed.text
        for row_id in ("methods-responder-threshold-threshold", "methods-alpha-alpha")
    )
    figures = Figures(tables, int(limit))
    claims = Claims(figures, float(alpha))
    rows = []
    for row in filter(is_about_a_cohort, registry):
        if isinstance(row, NumberRow):
            rows.append(_check_number(row, figures, reading))
        else:
            answer = claims.answer(row.variable, row.timepoint, row.kind)
            if answer is None:
                raise ValueError(
                    f"claims.csv, {row.id}: no check for {row.variable}, {row.timepoint}, "
                    f"{row.kind}"
                )
            rows.append((row.id, row.expected, answer, answer == row.expected))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _check_number(row: NumberRow, figures: Figures, reading: str) -> tuple[object, ...]:
    key = key_of(row.variable, row.timepoint, row.statistic, row.section)
    if key not in figures:
        raise ValueError(f"numbers.csv, {row.id}: no check for {', '.join(key)}")
    printed = str(row.printed)
    if key == ("mrss_change", "m12", "mean") and printed == READINGS[0]:
        printed = reading
    return row.id, printed, *compare(printed, figures[key], ROUNDINGS)
