"""The check itself: every row of the registry, either checked on a cohort or said not to be."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd

from ivig_dcssc.checker.claims import Claims
from ivig_dcssc.checker.figures import Figures, key_of
from ivig_dcssc.checker.printing import as_printed, compare
from ivig_dcssc.checker.tables import Tables
from ivig_dcssc.checker.windows import Windows
from rederive.printed.registry import ClaimRow, NumberRow, Registry

GROUP = "IVIG"

READINGS = ("-8", "-8.0")
"""How the mean change at month 12 is read: to the whole point as printed, or to one decimal."""

COLUMNS = ("id", "printed", "computed", "agrees", "detail")

_REASONS = {
    "ivig_dose": "a dose",
    "mmf_course_dose": "a dose of one patient's earlier course; doses are not in the tables",
    "mmf_course_length": "length of one patient's earlier course; courses are not in the tables",
    "ivig_regimen_cycles": "the standard regimen, not what patients received",
    "infusion_days": "days per cycle are not in the tables",
    "cycles_required_window": "a rule of inclusion: the time in which the cycles have to fall",
    "treatment_gap": "a rule of inclusion: the gap that ends a round of treatment",
    "study_period": "calendar years are not in the tables",
}


def _reason(row: NumberRow | ClaimRow) -> str | None:
    """Return why a row is no function of one cohort; none if it is one."""
    if isinstance(row, NumberRow) and row.statistic == "month":
        return "a target month of the design"
    if row.group == GROUP:
        if isinstance(row, ClaimRow) and (row.variable, row.kind) == ("cohort_size", "ordering"):
            return "compares with the sizes of other publications"
        return _REASONS.get(row.variable)
    if row.group:
        if isinstance(row, NumberRow) and row.statistic != "p":
            return f"a figure of another group ({row.group})"
        return f"a comparison with the printed figures of another group ({row.group})"
    if isinstance(row, ClaimRow):
        return "a comparison with the printed figures of other groups"
    return "design of the study, or another publication"


def unchecked(registry: Registry) -> pd.DataFrame:
    """Return the rows of the registry that no cohort can be checked against.

    Returns
    -------
    DataFrame
        Columns ``id``, ``printed`` and ``reason``. Every row of the registry is here or in the
        table of :func:`check_cohort`, never in both.
    """
    rows = [
        (row.id, row.as_printed, reason) for row in registry if (reason := _reason(row)) is not None
    ]
    return pd.DataFrame(rows, columns=["id", "printed", "reason"])


def check_cohort(
    patients: pd.DataFrame,
    visits: pd.DataFrame,
    registry: Registry,
    *,
    windows: Windows | None = None,
    reading: str = "-8",
    regressions: bool = True,
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
    regressions : bool
        False leaves out the claims that no variable predicts response or change, which take most
        of the time.

    Returns
    -------
    DataFrame
        One row per figure and claim: ``id``, ``printed``, ``computed`` (to the printed decimals;
        for a claim the word that it expects), ``agrees``, ``detail``.

    Raises
    ------
    ValueError
        If the tables are no cohort, the reading is unknown, or a row of the registry has neither a
        check nor a reason to have none.
    """
    if reading not in READINGS:
        allowed = ", ".join(READINGS)
        raise ValueError(f"reading: found {reading!r}, allowed are {allowed}")
    tables = Tables(patients, visits, windows or Windows())
    limit, alpha = (
        registry.numbers[row_id].printed.text
        for row_id in ("methods-responder-threshold-threshold", "methods-alpha-alpha")
    )
    figures = Figures(tables, int(limit))
    claims = Claims(figures, float(alpha))
    rows = []
    for row in registry:
        if _reason(row) is not None:
            continue
        if isinstance(row, NumberRow):
            rows.append(_check_number(row, figures, reading))
        elif regressions or row.kind != "none_predict":
            answer = claims.answer(row.variable, row.timepoint, row.kind)
            if answer is None:
                raise ValueError(
                    f"claims.csv, {row.id}: no check for {row.variable}, {row.timepoint}, "
                    f"{row.kind}, and no reason"
                )
            agrees = answer.computed == row.expected
            rows.append((row.id, row.expected, answer.computed, agrees, answer.detail))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _check_number(row: NumberRow, figures: Figures, reading: str) -> tuple[object, ...]:
    key = key_of(row.variable, row.timepoint, row.statistic, row.section)
    if key not in figures:
        raise ValueError(f"numbers.csv, {row.id}: no check for {', '.join(key)}, and no reason")
    found = figures[key]
    text, operator = row.printed.text, row.printed.operator
    if key == ("mrss_change", "m12", "mean") and text == "-8":
        text = reading
    computed, agrees = compare(found.value, text, operator)
    return row.id, as_printed(text, operator), computed, agrees, found.detail


def failures(checked: pd.DataFrame) -> list[str]:
    """Return what disagrees, one line each: id, printed, computed and how it came about.

    Parameters
    ----------
    checked : DataFrame
        What :func:`check_cohort` returned.
    """
    return [
        f"{row['id']}: printed {row['printed']}, computed {row['computed']} ({row['detail']})"
        for _, row in checked[~checked["agrees"].astype(bool)].iterrows()
    ]


def read_tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ``patients.csv`` and ``visits.csv`` of a folder.

    Raises
    ------
    FileNotFoundError
        If one of them is missing.
    """
    tables = []
    for name in ("patients.csv", "visits.csv"):
        path = Path(folder) / name
        if not path.is_file():
            raise FileNotFoundError(f"{name}: not in folder {Path(folder).name!r}")
        with path.open(encoding="utf-8-sig") as stream:
            remarks = len(list(itertools.takewhile(lambda line: line.startswith("#"), stream)))
        tables.append(pd.read_csv(path, dtype={"patient": str}, skiprows=remarks))
    return tables[0], tables[1]
