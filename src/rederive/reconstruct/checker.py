"""The independent checker: whether patient-level data print every figure of a described study.

Written against the description of a study only (its YAML as plain mappings and texts), with pandas
and scipy. It shares no code with what makes data, so that a mistake there does not repeat here.

Values are counted in steps of the scale, so sums are exact and an exact half is seen as one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
    localcontext,
)
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

COLUMNS = ("patient", "measure", "timepoint", "value")
"""Columns of tidy data; a first column ``cohort`` tells several data sets apart."""

_PRECISION = 60
_ROUNDINGS = {
    "either": (ROUND_HALF_UP, ROUND_HALF_DOWN),
    "half-up": (ROUND_HALF_UP,),
    "half-even": (ROUND_HALF_EVEN,),
    "truncate": (ROUND_DOWN,),
}
_DASHES = str.maketrans({"–": "-", "−": "-", "‐": "-", "‑": "-"})
_OPERATORS: tuple[tuple[str, Callable[[Decimal, Decimal], bool]], ...] = (
    ("<=", lambda found, limit: found <= limit),
    (">=", lambda found, limit: found >= limit),
    ("≤", lambda found, limit: found <= limit),
    ("≥", lambda found, limit: found >= limit),
    ("<", lambda found, limit: found < limit),
    (">", lambda found, limit: found > limit),
    ("over", lambda found, limit: found > limit),
)
_OFF_STEP = 1e-6


def check_study(description: Mapping[str, Any], data: pd.DataFrame) -> pd.DataFrame:
    """Recompute every figure of a study from patient-level data.

    Parameters
    ----------
    description : mapping
        The study as mappings, lists and texts, numbers as texts too.
    data : DataFrame
        Columns ``patient``, ``measure``, ``timepoint``, ``value`` and, for several data sets,
        ``cohort``; one row for each value that was measured.

    Returns
    -------
    DataFrame
        Columns ``cohort``, ``id``, ``printed``, ``computed``, ``agrees``; one row for each data
        set and figure, number of patients, and the limits of each scale.

    Raises
    ------
    ValueError
        If a column is missing, a value is no number, or a value occurs twice.
    """
    table = _prepared(data)
    rows = [
        (cohort, *row)
        for cohort, part in table.groupby("cohort", sort=True)
        for row in _check_one(description, part)
    ]
    return pd.DataFrame(rows, columns=["cohort", "id", "printed", "computed", "agrees"])


def failures(report: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a report that do not agree."""
    return report.loc[~report["agrees"].astype(bool)]


def _prepared(data: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in COLUMNS if name not in data.columns]
    if missing:
        raise ValueError(
            f"data: found columns {', '.join(map(str, data.columns))}; missing {', '.join(missing)}"
        )
    table = data.loc[:, [name for name in ("cohort", *COLUMNS) if name in data.columns]].copy()
    if "cohort" not in table.columns:
        table.insert(0, "cohort", 1)
    for name in ("patient", "measure", "timepoint"):
        table[name] = table[name].astype(str)
    values = pd.to_numeric(table["value"], errors="coerce")
    unusable = table["value"].notna() & (values.isna() | ~np.isfinite(values))
    if unusable.any():
        row = int(np.flatnonzero(unusable)[0])
        spoilt = repr(table["value"].iloc[row])
        raise ValueError(f"data row {row + 1}, column value: found {spoilt}, allowed are numbers")
    table["value"] = values
    table = table.dropna(subset=["value"])
    keys = ["cohort", "patient", "measure", "timepoint"]
    twice = table.duplicated(keys)
    if twice.any():
        place = ", ".join(map(str, table.loc[twice, keys].iloc[0]))
        raise ValueError(f"data: found two values of {place} (cohort, patient, measure, timepoint)")
    return table


Row = tuple[str, str, str, bool]


def _check_one(description: Mapping[str, Any], data: pd.DataFrame) -> Iterator[Row]:
    rule = str(description.get("rounding", "either"))
    order = [str(name) for name in description["timepoints"]]
    for name, measure in description["measures"].items():
        own = data.loc[data["measure"] == name]
        yield from _check_measure(str(name), measure, own, order, rule)
    known = {str(name) for name in description["measures"]}
    for name in sorted(set(data["measure"]) - known):
        yield (f"{name}", "no such measure", f"{(data['measure'] == name).sum()} values", False)
    patients = int(description["patients"])
    found = data["patient"].nunique()
    yield ("patients", f"at most {patients}", str(found), found <= patients)


def _check_measure(
    name: str, measure: Mapping[str, Any], data: pd.DataFrame, order: list[str], rule: str
) -> Iterator[Row]:
    scale = {key: Fraction(value.translate(_DASHES)) for key, value in measure["scale"].items()}
    low, high, step = scale["minimum"], scale["maximum"], scale.get("step", Fraction(1))
    position = (data["value"] - float(low)) / float(step)
    steps = position.round()
    off = data.loc[((position - steps).abs() > _OFF_STEP) | (data["value"] < float(low) - 1e-9)]
    off = pd.concat([off, data.loc[data["value"] > float(high) + 1e-9]])
    shown = "on the scale"
    if len(off):
        first = off.iloc[0]
        shown = f"{first['value']:g} ({first['patient']}, {first['timepoint']})"
    printed = f"{float(low):g} to {float(high):g} in steps of {float(step):g}"
    yield (f"{name}.scale", printed, shown, len(off) == 0)

    times = [at for at in order if at in measure["n"]]
    wide = data.assign(value=steps.astype("int64")).pivot(
        index="patient", columns="timepoint", values="value"
    )
    for at in times:
        found = int(wide[at].notna().sum()) if at in wide else 0
        yield (f"{name}.{at}.n", measure["n"][at], str(found), found == int(measure["n"][at]))
    for at in sorted(set(map(str, wide.columns)) - set(times)):
        yield (f"{name}.{at}.n", "not measured", str(int(wide[at].notna().sum())), False)
    wide = wide.reindex(columns=times)
    rises = measure.get("improvement") == "rise"
    for at, figures in measure["figures"].items():
        pair = wide[[times[0], at]].dropna() if at != times[0] else wide[[at]].dropna()
        first, later = pair[times[0]], pair[at]
        columns = {"": wide[at].dropna(), "baseline": first, "change": later - first}
        for statistic, text in figures.items():
            place = f"{name}.{at}.{statistic}"
            if statistic == "responders":
                improvement = columns["change"] * (1 if rises else -1)
                for threshold, count in text.items():
                    found = int((improvement >= float(Fraction(threshold) / step)).sum())
                    yield _row(f"{place}.{threshold}", count, Decimal(found), rule)
                continue
            family, _, kind = statistic.rpartition("_")
            if kind == "p":
                value = _paired_p(later, first)
            else:
                origin = Fraction(0) if family == "change" else low
                value = _value(columns[family], kind, origin, step)
            yield _row(place, text, value, rule)


def _value(
    column: pd.Series[Any], statistic: str, origin: Fraction, step: Fraction
) -> Decimal | None:
    """Return a statistic of values counted in steps from an origin, in the unit of the scale."""
    numbers = [int(value) for value in column]
    n = len(numbers)
    if n < (2 if statistic == "sd" else 1):
        return None
    if statistic == "sd":
        total = sum(numbers)
        excess = n * sum(number * number for number in numbers) - total * total
        with localcontext(prec=_PRECISION):
            return _decimal(Fraction(excess, n * (n - 1)) * step**2).sqrt()
    found = {
        "mean": Fraction(sum(numbers), n),
        "minimum": Fraction(min(numbers)),
        "maximum": Fraction(max(numbers)),
    }[statistic]
    return _decimal(origin + found * step)


def _paired_p(later: pd.Series[Any], first: pd.Series[Any]) -> Decimal | None:
    if len(later) < 2:
        return None
    change = later - first
    if change.nunique() == 1:
        # Without spread the t statistic is 0/0 or infinite.
        return Decimal(1) if change.iloc[0] == 0 else Decimal(0)
    p = float(stats.ttest_rel(later.astype(float), first.astype(float)).pvalue)
    return Decimal(p) if math.isfinite(p) else None


def _decimal(value: Fraction) -> Decimal:
    with localcontext(prec=_PRECISION):
        return Decimal(value.numerator) / Decimal(value.denominator)


def _row(name: str, printed: str, value: Decimal | None, rule: str) -> Row:
    """Print a value as the figure is printed and compare the texts."""
    text = printed.strip().translate(_DASHES)
    if value is None:
        return (name, printed, "too few values", False)
    for sign, holds in _OPERATORS:
        if text.startswith(sign):
            limit = text[len(sign) :].strip()
            if holds(value, Decimal(limit)):
                return (name, printed, printed, True)
            return (name, printed, _text(value, limit, ROUND_HALF_UP), False)
    text = text.removeprefix("=").strip()
    texts = [_text(value, text, rounding) for rounding in _ROUNDINGS[rule]]
    agrees = text in texts
    return (name, printed, text if agrees else texts[0], agrees)


def _text(value: Decimal, like: str, rounding: str) -> str:
    """Return a value with the decimals of another figure, without a zero where that has none."""
    decimals = len(like.partition(".")[2])
    with localcontext(prec=_PRECISION):
        rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
    text = f"{abs(rounded) if rounded == 0 else rounded:f}"
    if like.lstrip("-").startswith("."):
        text = text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
    return text
