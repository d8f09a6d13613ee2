"""The independent checker: whether patient-level data print every figure of a described study.

Written against the description of a study only (its YAML as plain mappings and texts), with pandas
and scipy. It shares no code with what makes data, so that a mistake there does not repeat here.

Values are counted in steps of the scale, so sums are exact and an exact half is seen as one.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    rule = _ROUNDINGS[str(description.get("rounding", "either"))]
    order = [str(name) for name in description["timepoints"]]
    for name, measure in description["measures"].items():
        own = data.loc[data["measure"] == name]
        yield from _check_measure(str(name), measure, own, order, rule, description)
    known = {str(name) for name in description["measures"]}
    for name in sorted(set(data["measure"]) - known):
        yield (f"{name}", "no such measure", f"{(data['measure'] == name).sum()} values", False)
    patients = int(description["patients"])
    found = data["patient"].nunique()
    yield ("patients", f"at most {patients}", str(found), found <= patients)


def _check_measure(
    name: str,
    measure: Mapping[str, Any],
    data: pd.DataFrame,
    order: list[str],
    rule: Sequence[str],
    conventions: Mapping[str, Any],
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
    signs = {"responders": 1 if rises else -1, "at_least": 1, "at_most": -1}
    for at, figures in measure["figures"].items():
        pair = wide[[times[0], at]].dropna() if at != times[0] else wide[[at]].dropna()
        first, later = pair[times[0]], pair[at]
        columns = {"": wide[at].dropna(), "baseline": first, "change": later - first}
        for statistic, text in figures.items():
            place = f"{name}.{at}.{statistic}"
            if isinstance(text, Mapping):
                of_change, sign = statistic == "responders", signs[statistic]
                origin = Fraction(0) if of_change else low
                numbers = [origin + int(k) * step for k in columns["change" if of_change else ""]]
                for threshold, count in text.items():
                    least = Fraction(threshold) * (1 if of_change else sign)
                    found = sum(sign * number >= least for number in numbers)
                    yield (f"{place}.{threshold}", count, *compare(count, Decimal(found), rule))
                continue
            family = next((name for name in columns if name and statistic.startswith(name)), "")
            kind = statistic.removeprefix(f"{family}_")
            if kind == "paired_p":
                value = _paired_p(later, first)
            elif kind == "signed_rank_p":
                p = signed_rank_of(columns["change"], conventions["signed_rank"])
                value = None if p is None else Decimal(p)
            else:
                origin = Fraction(0) if family == "change" else low
                numbers = [origin + int(k) * step for k in columns[family]]
                if kind in ("q1", "q3"):
                    value = quartile_of(numbers, int(kind[1]), conventions["quartiles"])
                else:
                    value = _STATISTICS[kind](numbers)
            yield (place, text, *compare(text, value, rule))


def mean_of(numbers: Sequence[Fraction]) -> Decimal | None:
    """Return the mean of exact numbers; none of no numbers."""
    return decimal_of(statistics.mean(numbers)) if numbers else None


def sd_of(numbers: Sequence[Fraction]) -> Decimal | None:
    """Return the sample SD (n - 1) of exact numbers; none of fewer than two."""
    return root_of(statistics.variance(numbers)) if len(numbers) > 1 else None


def se_of(numbers: Sequence[Fraction]) -> Decimal | None:
    """Return the standard error of the mean of exact numbers; none of fewer than two."""
    n = len(numbers)
    return root_of(statistics.variance(numbers) / n) if n > 1 else None


def ci_of(numbers: Sequence[Fraction], level: float) -> Decimal | None:
    """Return the end of the t interval of a mean below which this share of it lies."""
    mean, error = mean_of(numbers), se_of(numbers)
    if mean is None or error is None:
        return None
    return mean + Decimal(float(stats.t.ppf(level, len(numbers) - 1))) * error


def quartile_of(numbers: Sequence[Fraction], which: int, way: str) -> Decimal | None:
    """Return the first or third quartile of exact numbers; none of fewer than three."""
    if len(numbers) < 3:
        return None
    if way == "averaged_inverted_cdf":
        whole, rest = divmod(which * len(numbers), 4)
        ordered = sorted(numbers)
        value = ordered[whole] if rest else (ordered[whole - 1] + ordered[whole]) / 2
    else:
        method: Any = {"linear": "inclusive", "weibull": "exclusive"}[way]
        value = statistics.quantiles(numbers, n=4, method=method)[which - 1]
    return decimal_of(value)


def signed_rank_of(change: pd.Series[Any], way: str) -> float | None:
    """Return the p value of Wilcoxon's signed-rank test, 1 where nothing changed.

    None without changes, and for the exact distribution where some are tied.

    Parameters
    ----------
    change : Series
        Changes without missing ones; equal ones are equal exactly.
    way : str
        Name of the convention in words, as a description gives it.
    """
    changed = change[change != 0].astype(float)
    if changed.empty:
        return 1.0 if len(change) else None
    if way.endswith("exact"):
        tied = changed.abs().duplicated().any()
        return None if tied else float(stats.wilcoxon(changed, method="exact").pvalue)
    zeros = "pratt" if way.startswith("Pratt") else "wilcox"
    options: Any = {"zero_method": zeros, "correction": "correction" in way, "method": "approx"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of small samples
        return float(stats.wilcoxon(change.astype(float), **options).pvalue)


_STATISTICS: dict[str, Callable[[list[Fraction]], Decimal | None]] = {
    "mean": mean_of,
    "sd": sd_of,
    "se": se_of,
    "ci_low": lambda numbers: ci_of(numbers, 0.025),
    "ci_high": lambda numbers: ci_of(numbers, 0.975),
    "median": lambda numbers: decimal_of(statistics.median(numbers)) if numbers else None,
    "minimum": lambda numbers: decimal_of(min(numbers)) if numbers else None,
    "maximum": lambda numbers: decimal_of(max(numbers)) if numbers else None,
}


def _paired_p(later: pd.Series[Any], first: pd.Series[Any]) -> Decimal | None:
    if len(later) < 2:
        return None
    change = later - first
    if change.nunique() == 1:
        # Without spread the t statistic is 0/0 or infinite.
        return Decimal(1) if change.iloc[0] == 0 else Decimal(0)
    p = float(stats.ttest_rel(later.astype(float), first.astype(float)).pvalue)
    return Decimal(p) if math.isfinite(p) else None


def decimal_of(value: Fraction) -> Decimal:
    """Return a rational number as a decimal of 60 digits, far beyond any printed figure."""
    with localcontext(prec=_PRECISION):
        return Decimal(value.numerator) / Decimal(value.denominator)


def root_of(value: Fraction) -> Decimal:
    """Return the square root of a rational number, 0 or more."""
    with localcontext(prec=_PRECISION):
        return decimal_of(value).sqrt()


def compare(printed: str, value: Decimal | None, roundings: Sequence[str]) -> tuple[str, bool]:
    """Print a value like a figure, and say whether it is that figure.

    Parameters
    ----------
    printed : str
        The figure; after ``<``, ``>``, ``over``, ``≤`` or ``≥`` it is a limit of the value.
    value : Decimal or None
        The exact value; none if the data do not yield one.
    roundings : sequence of str
        How the figure may have been rounded, as :mod:`decimal` names it.

    Returns
    -------
    computed : str
        The value to the printed decimals, or the whole printed inequality where it holds.
    agrees : bool
        Whether the value prints so.
    """
    text = printed.strip().translate(_DASHES)
    if value is None:
        return "not computable", False
    for sign, holds in _OPERATORS:
        if text.startswith(sign):
            limit = text[len(sign) :].strip()
            if holds(value, Decimal(limit)):
                return printed, True
            return _text(value, limit, ROUND_HALF_UP), False
    text = text.removeprefix("=").strip()
    texts = [_text(value, text, rounding) for rounding in roundings]
    return (text, True) if text in texts else (texts[0], False)


def _text(value: Decimal, like: str, rounding: str) -> str:
    """Return a value with the decimals of another figure, without a zero where that has none."""
    decimals = len(like.partition(".")[2])
    with localcontext(prec=_PRECISION):
        rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
    text = f"{abs(rounded) if rounded == 0 else rounded:f}"
    if like.lstrip("-").startswith("."):
        text = text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
    return text
