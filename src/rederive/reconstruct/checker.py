"""The independent checker: whether patient-level data print every figure of a described study.

Written against the description of a study only (its YAML as plain mappings and texts), with pandas
and scipy. It shares no code with what makes data, so that a mistake there does not repeat here.

Values are counted in steps of the scale, so sums are exact and an exact half is seen as one.
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

COLUMNS = ("patient", "measure", "timepoint", "value")
"""Columns of tidy data; a first column ``cohort`` tells several data sets apart."""

EXACT = Context(prec=60)
"""Arithmetic with decimals of 60 digits, far beyond any printed figure."""

_ROUNDINGS = {
    "either": (ROUND_HALF_UP, ROUND_HALF_DOWN),
    "half-up": (ROUND_HALF_UP,),
    "half-even": (ROUND_HALF_EVEN,),
    "truncate": (ROUND_DOWN,),
}
_SIGNS = str.maketrans({"–": "-", "−": "-", "‐": "-", "‑": "-", "≤": "<=", "≥": ">="})
_OPERATORS: tuple[tuple[str, Callable[[Decimal, Decimal], bool]], ...] = (
    ("<=", lambda found, limit: found <= limit),
    (">=", lambda found, limit: found >= limit),
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
        Columns ``patient``, ``measure``, ``timepoint``, ``value``, for several data sets
        ``cohort``, and for a study with groups ``group``; one row for each value measured.

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
    keys = ["cohort", "group", *COLUMNS[:-1]]
    table = data.loc[:, [name for name in (*keys, "value") if name in data.columns]].copy()
    for name, only in (("cohort", 1), ("group", "")):
        if name not in table.columns:
            table.insert(0, name, only)
    for name in keys[1:]:
        table[name] = table[name].astype(str)
    values = pd.to_numeric(table["value"], errors="coerce")
    unusable = table["value"].notna() & (values.isna() | ~np.isfinite(values))
    if unusable.any():
        row = int(np.flatnonzero(unusable)[0])
        spoilt = repr(table["value"].iloc[row])
        raise ValueError(f"data row {row + 1}, column value: found {spoilt}, allowed are numbers")
    table["value"] = values
    table = table.dropna(subset=["value"])
    twice = table.duplicated(keys)
    if twice.any():
        keys = [name for name in keys if name == "cohort" or name in data.columns]
        place = ", ".join(map(str, table.loc[twice, keys].iloc[0]))
        raise ValueError(f"data: found two values of {place} ({', '.join(keys)})")
    return table


Row = tuple[str, str, str, bool]


def _check_one(description: Mapping[str, Any], data: pd.DataFrame) -> Iterator[Row]:
    rule = _ROUNDINGS[str(description.get("rounding", "either"))]
    order = [str(name) for name in description["timepoints"]]
    groups = description.get("groups", {"": description})
    measures: dict[str, _Values] = {}
    for group, part in groups.items():
        of_group = data.loc[data["group"] == group]
        before = f"{group}." if group else ""
        for name, measure in part["measures"].items():
            own = of_group.loc[of_group["measure"] == name]
            values = measures[before + name] = _Values.of(measure, own, order)
            yield from _check_scale(before + name, values, own)
            yield from _check_figures(before + name, values, rule, description)
        for name in sorted(set(of_group["measure"]) - set(part["measures"])):
            found = f"{(of_group['measure'] == name).sum()} values"
            yield (before + name, "no such measure", found, False)
        most, patients = int(part["patients"]), of_group["patient"].nunique()
        yield (f"{before}patients", f"at most {most}", str(patients), patients <= most)
    for group in sorted(set(data["group"]) - set(groups)):
        yield (group or "group", "no such group", f"{(data['group'] == group).sum()} values", False)
    for name, comparison in description.get("comparisons", {}).items():
        one, other = (measures[each].compared(comparison) for each in comparison["measures"])
        p = comparison_p(comparison["test"], one, other)
        yield (name, comparison["p"], *compare(comparison["p"], p, rule))


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of a measure in steps above its least, a row a patient and a column a time."""

    measure: Mapping[str, Any]
    low: Fraction
    high: Fraction
    step: Fraction
    steps: pd.DataFrame
    elsewhere: pd.DataFrame

    @classmethod
    def of(cls, measure: Mapping[str, Any], data: pd.DataFrame, order: list[str]) -> _Values:
        scale = {key: Fraction(value.translate(_SIGNS)) for key, value in measure["scale"].items()}
        low, high, step = scale["minimum"], scale["maximum"], scale.get("step", Fraction(1))
        position = (data["value"] - float(low)) / float(step)
        wide = data.assign(value=position.round().astype("int64")).pivot(
            index="patient", columns="timepoint", values="value"
        )
        times = [at for at in order if at in measure["n"]]
        elsewhere = wide[sorted(set(wide.columns) - set(times))]
        return cls(measure, low, high, step, wide.reindex(columns=times), elsewhere)

    def numbers(self, family: str, at: str) -> list[Fraction]:
        """Return exact values, first values of those followed (baseline), or changes."""
        first = self.steps.columns[0]
        pair = self.steps[[first] if at == first else [first, at]].dropna()
        found = {"": self.steps[at].dropna(), "baseline": pair[first]}.get(
            family, pair[at] - pair[first]
        )
        origin = Fraction(0) if family == "change" else self.low
        return [origin + int(k) * self.step for k in found]

    def counted(self, statistic: str, threshold: str, at: str) -> list[bool]:
        """Return for each patient whether a count includes him or her."""
        of_change, falls = statistic == "responders", self.measure.get("improvement") != "rise"
        sign = -1 if statistic == "at_most" or (of_change and falls) else 1
        least = Fraction(threshold) * (1 if of_change else sign)
        return [sign * x >= least for x in self.numbers("change" if of_change else "", at)]

    def compared(self, comparison: Mapping[str, Any]) -> Sequence[Fraction | bool]:
        """Return what a comparison of groups takes of this one."""
        of, at = comparison.get("of", "values"), comparison["at"]
        if "threshold" in comparison:
            return self.counted(of, comparison["threshold"], at)
        return self.numbers("change" if of == "change" else "", at)


def _check_scale(name: str, values: _Values, data: pd.DataFrame) -> Iterator[Row]:
    low, high, step = (float(each) for each in (values.low, values.high, values.step))
    position = (data["value"] - low) / step
    beyond = (data["value"] < low - 1e-9) | (data["value"] > high + 1e-9)
    off = data.loc[((position - position.round()).abs() > _OFF_STEP) | beyond]
    shown = "on the scale"
    if len(off):
        first = off.iloc[0]
        shown = f"{first['value']:g} ({first['patient']}, {first['timepoint']})"
    yield (f"{name}.scale", f"{low:g} to {high:g} in steps of {step:g}", shown, len(off) == 0)
    printed = values.measure["n"]
    for at, found in values.steps.notna().sum().items():
        yield (f"{name}.{at}.n", printed[at], str(found), found == int(printed[at]))
    for at, found in values.elsewhere.notna().sum().items():
        yield (f"{name}.{at}.n", "not measured", str(found), False)


def _check_figures(
    name: str, values: _Values, rule: Sequence[str], conventions: Mapping[str, Any]
) -> Iterator[Row]:
    for at, figures in values.measure["figures"].items():
        for statistic, text in figures.items():
            place = f"{name}.{at}.{statistic}"
            if isinstance(text, Mapping):
                for threshold, count in text.items():
                    found = Decimal(sum(values.counted(statistic, threshold, at)))
                    yield (f"{place}.{threshold}", count, *compare(count, found, rule))
                continue
            family = next((x for x in ("baseline", "change") if statistic.startswith(x)), "")
            kind = statistic.removeprefix(f"{family}_")
            numbers = values.numbers("change" if kind.endswith("_p") else family, at)
            if kind == "signed_rank_p":
                changes = pd.Series([int(x / values.step) for x in numbers])
                p = signed_rank_of(changes, conventions["signed_rank"])
                value = None if p is None else Decimal(p)
            elif kind in ("q1", "q3"):
                value = quartile_of(numbers, int(kind[1]), conventions["quartiles"])
            else:
                value = _STATISTICS[kind](numbers)
            yield (place, text, *compare(text, value, rule))


def comparison_p(
    test: str, one: Sequence[Fraction | bool], other: Sequence[Fraction | bool]
) -> Decimal | None:
    """Return the p value of a test between two groups; none where one has fewer than two patients.

    Tests of counts take one truth value a patient, t tests these as 0 and 1 too.
    """
    if min(len(one), len(other)) < 2:
        return None
    if test in ("student", "welch"):
        if len(set(one)) == len(set(other)) == 1:
            # Without spread the t statistic is 0/0 or infinite.
            return Decimal(one[0] == other[0])
        sides = ([float(x) for x in side] for side in (one, other))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of one group without spread
            p = stats.ttest_ind(*sides, equal_var=test == "student").pvalue
    else:
        table = [[sum(map(int, side)), len(side) - sum(map(int, side))] for side in (one, other)]
        if test == "fisher":
            p = stats.fisher_exact(table).pvalue
        elif 0 in (table[0][0] + table[1][0], table[0][1] + table[1][1]):
            p = 1.0
        else:
            p = stats.chi2_contingency(table, correction=test == "chi_squared_yates").pvalue
    # An exact half, as Fisher's p may be, is seen as one.
    return Decimal(f"{p:.12f}")


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


def _paired_p(change: Sequence[Fraction]) -> Decimal | None:
    if len(change) < 2:
        return None
    if len(set(change)) == 1:
        # Without spread the t statistic is 0/0 or infinite.
        return Decimal(change[0] == 0)
    return Decimal(float(stats.ttest_1samp([float(x) for x in change], 0).pvalue))


_STATISTICS: dict[str, Callable[[list[Fraction]], Decimal | None]] = {
    "mean": mean_of,
    "sd": sd_of,
    "se": se_of,
    "ci_low": lambda numbers: ci_of(numbers, 0.025),
    "ci_high": lambda numbers: ci_of(numbers, 0.975),
    "median": lambda numbers: decimal_of(statistics.median(numbers)) if numbers else None,
    "minimum": lambda numbers: decimal_of(min(numbers)) if numbers else None,
    "maximum": lambda numbers: decimal_of(max(numbers)) if numbers else None,
    "paired_p": _paired_p,
}


def decimal_of(value: Fraction) -> Decimal:
    """Return a rational number as a decimal of 60 digits."""
    return EXACT.divide(value.numerator, value.denominator)


def root_of(value: Fraction) -> Decimal:
    """Return the square root of a rational number, 0 or more."""
    return EXACT.sqrt(decimal_of(value))


@lru_cache(maxsize=4096)
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
    text = printed.strip().translate(_SIGNS)
    if value is None:
        return "not computable", False
    for sign, holds in _OPERATORS:
        if text.startswith(sign):
            limit = text[len(sign) :].strip()
            if holds(value, Decimal(limit)):
                return printed, True
            return _text(value, limit, ROUND_HALF_UP), False
    text = text.removeprefix("=").strip()
    texts = (_text(value, text, rounding) for rounding in roundings)
    first = next(texts)
    return (text, True) if text == first or text in texts else (first, False)


def _text(value: Decimal, like: str, rounding: str) -> str:
    """Return a value with the decimals of another figure, without a zero where that has none."""
    decimals = len(like.partition(".")[2])
    rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding, EXACT)
    text = f"{abs(rounded) if rounded == 0 else rounded:f}"
    if like.lstrip("-").startswith("."):
        text = text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
    return text
