"""Disability, lung function, friction rubs and creatine kinase: what the printed figures need.

Everything here follows from printed figures, except the tables that say they are of cohorts.
Severity scores have a module of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import isnan, sqrt

import numpy as np
import pandas as pd
from scipy.stats import t as student_t
from statsmodels.stats.proportion import proportion_confint

from ivig_dcssc.cohort.measures import FOLLOWUP, FOLLOWUP_SIZES, block_of
from ivig_dcssc.cohort_groups import (
    Spread,
    by_prior,
    cohorts_of,
    fixed,
    label_of,
    true_minus,
)
from ivig_dcssc.cohort_words import departures_in_words, together
from ivig_dcssc.reproduced import CohortResults
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed import P_VALUE_DOMAIN, Interval, PrintedNumber, RoundingRule, outward
from rederive.recompute.missing import sum_range
from rederive.recompute.summaries import Summary
from rederive.recompute.t_tests import implied_correlation_from_p
from rederive.reconstruct.block import (
    Block,
    ContradictionError,
    Figure,
    NothingFoundError,
    Statistic,
    find_data,
)

PAIRED = ("haq_di", "patient_rating", "fvc", "dlco")
"""Measures that the article compares between baseline and month 12 by a paired t test."""

LUNG = ("fvc", "dlco")
"""Measures whose text prints the baseline of those with both measurements."""

FEWEST_SHOWN = 10
"""Fewest pairs that tables and figures show where the article prints no number; ours."""

MADE_TO_PRINT = (
    "These rows are calibrated: the reconstructed, synthetic cohorts were made to print means, SDs "
    "and p, so the agreement shows no more than that such patients exist."
)
OTHER_WINDOWS = (
    "The reconstructed, synthetic cohorts were made to print the article's figures under its own "
    "windows; this run reads their visits in others."
)


DECIMALS = {"haq_di": 3, "patient_rating": 3, "fvc": 2, "dlco": 2}
"""Decimals of a mean change, one more than the means have."""


def _stem(measure: str) -> str:
    return f"results-{measure.replace('_', '-')}-ivig"


def label(ledger: Ledger, variable: str) -> str:
    """Return a variable's name as the registry words it."""
    return ledger.registry.variables[variable].label


def _value(ledger: Ledger, row_id: str) -> int:
    return int(ledger.registry.numbers[row_id].printed.value)


def _printed(ledger: Ledger, row_id: str) -> PrintedNumber:
    return ledger.registry.numbers[row_id].printed


# Pairs and correlation that a printed p needs


@dataclass(frozen=True, slots=True)
class Needed:
    """Correlation of both visits that a printed p needs, for one number of pairs.

    Parameters
    ----------
    measure : str
        Name of the measure.
    n : int
        Pairs.
    low, high : float
        Least and greatest correlation that reach the printed p within rounding.
    stated : bool
        Whether the article prints this number of pairs.
    """

    measure: str
    n: int
    low: float
    high: float
    stated: bool


def stated_pairs(ledger: Ledger, measure: str) -> int | None:
    """Return the number of pairs that the article prints; ``None`` where it prints none."""
    row_id = f"{_stem(measure)}-m12-n"
    return _value(ledger, row_id) if row_id in ledger.registry.numbers else None


def most_pairs(ledger: Ledger, measure: str) -> int:
    """Return the greatest possible number of pairs: those measured at baseline, else everybody."""
    row_id = f"table1-{measure.replace('_', '-')}-ivig-baseline-n"
    known = row_id in ledger.registry.numbers
    return _value(ledger, row_id if known else "table1-cohort-size-ivig-n")


def needed_correlations(ledger: Ledger, measure: str) -> list[Needed]:
    """Return for every possible number of pairs the correlations that reach the printed p.

    The baseline of the pairs is taken to be the printed one, as it must be if nobody is missing.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    measure : str
        One of :data:`PAIRED`.
    """
    stem = _stem(measure)
    before, after = (
        Summary(_printed(ledger, f"{stem}-{at}-mean"), _printed(ledger, f"{stem}-{at}-sd"), 2)
        for at in ("baseline", "m12")
    )
    p, rule = _printed(ledger, f"{stem}-m12-p"), ledger.settings.rule
    stated = stated_pairs(ledger, measure)
    sizes = (stated,) if stated else range(FEWEST_SHOWN, most_pairs(ledger, measure) + 1)
    found = []
    for n in sizes:
        ends = implied_correlation_from_p(before.with_n(n), after.with_n(n), p, rule)
        if ends is not None:
            found.append(Needed(label(ledger, measure), n, *ends, stated is not None))
    return found


def correlations_in_words(ledger: Ledger) -> list[str]:
    """Return what the printed p values need of pairs and correlation, as sentences."""
    sentences = []
    for measure in PAIRED:
        needed = needed_correlations(ledger, measure)
        p = _printed(ledger, f"{_stem(measure)}-m12-p")
        least, most = needed[0], needed[-1]
        words = f"{least.low:.2f} to {least.high:.2f}"
        if least.stated:
            sentences.append(
                f"{least.measure}, p = {p}: {least.n} pairs are printed, and they need a "
                f"correlation of {words} between the two visits."
            )
        else:
            sentences.append(
                f"{least.measure}, p = {p}: no number of pairs is printed. {most.n} pairs need a "
                f"correlation of {most.low:.2f} to {most.high:.2f}, {least.n} pairs one of "
                f"{words}; so neither can be solved for without the other."
            )
    return sentences


@lru_cache(maxsize=2)
def function_table(results: CohortResults) -> pd.DataFrame:
    """Return organ and function measures under every test, computed once for each run."""
    return results.function_measures()


def paired_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the paired measures in the cohorts by prior; priors that agree share a row.

    Returns
    -------
    list of dict
        Columns ``Measure, Cohorts, Pairs, Mean change, SD of change, Correlation of visits,
        p``; medians with the middle 95 %.
    """
    cohorts = cohorts_of(ledger)
    table = function_table(cohorts.results)
    rows: list[dict[str, object]] = []
    for measure in PAIRED:
        own = table[(table["measure"] == measure) & table["used"]].set_index("cohort")
        squares = own["baseline_sd"] ** 2 + own["followup_sd"] ** 2 - own["change_sd"] ** 2
        own = own.assign(correlation=squares / (2 * own["baseline_sd"] * own["followup_sd"]))
        for prior, numbers in by_prior(cohorts, own["n"]).items():
            part = own.loc[numbers.index]
            decimals = DECIMALS[measure]
            rows.append(
                {
                    "Measure": label(ledger, measure),
                    "Cohorts": label_of(prior),
                    "Pairs": Spread.of(part["n"]).in_words(0),
                    "Mean change": true_minus(Spread.of(part["change_mean"]).in_words(decimals)),
                    "SD of change": Spread.of(part["change_sd"]).in_words(decimals),
                    "Correlation of visits": true_minus(Spread.of(part["correlation"]).in_words(2)),
                    "p": Spread.of(part["p"]).p_in_words(3),
                }
            )
    return together(rows, "Cohorts")


def direction_in_words(ledger: Ledger) -> list[str]:
    """Return what cohorts say of the direction of change, where pairs are not all measured."""
    cohorts = cohorts_of(ledger)
    table = function_table(cohorts.results)
    own = table[(table["measure"] == "haq_di") & table["used"]].set_index("cohort")
    name = label(ledger, "haq_di")
    before, after = (
        ledger.registry.numbers[f"{_stem('haq_di')}-{at}-mean"].as_printed
        for at in ("baseline", "m12")
    )
    if not cohorts.reconstructed:
        mean = float(own["change_mean"].iloc[0])
        if isnan(mean):
            return [
                f"In the cohort of this run nobody has both values of {name}.",
                *departures_in_words(cohorts),
            ]
        change = true_minus(fixed(mean, DECIMALS["haq_di"]))
        return [
            f"In the cohort of this run the mean {name} of the patients with both values changes "
            f"by {change}; the article prints {before} before and {after} after.",
            *departures_in_words(cohorts),
        ]
    sizes = sorted({int(n) for n in own["n"]})
    return [
        MADE_TO_PRINT if cohorts.as_published else OTHER_WINDOWS,
        f"The number of pairs behind {name} and the rating is our choice, {sizes[0]} to "
        f"{sizes[-1]} here; what follows from it is not the article's.",
        f"The printed means of {name} fall from {before} to {after}, but they need not be of the "
        f"same patients: {rise_in_words(ledger)} The cohorts take the article's word for it that "
        "disability fell.",
        *departures_in_words(cohorts),
    ]


def sizes_that_may_rise(ledger: Ledger, measure: str) -> list[int]:
    """Return numbers of pairs with which every figure of a measure prints while its pairs rise.

    Each is shown by an example that a search finds; a size without one is not excluded.
    """
    return [size for size in FOLLOWUP_SIZES if _may_rise(block_of(ledger.registry, measure, size))]


@lru_cache(maxsize=16)
def _may_rise(block: Block) -> bool:
    fall = [f.id for f in block.figures if f.statistic is Statistic.CHANGE_MEAN]
    rise = Figure("rise", Statistic.CHANGE_MEAN, FOLLOWUP, PrintedNumber("0", ">"))
    try:
        find_data(block.without(fall).with_figures([rise]), attempts=2, iterations=60_000)
    except (NothingFoundError, ContradictionError):
        return False
    return True


def rise_in_words(ledger: Ledger) -> str:
    """Return whether the patients with both values may have got worse, as a sentence."""
    sizes = sizes_that_may_rise(ledger, "haq_di")
    if not sizes:
        return "no example is known in which those with both values get worse on average."
    return (
        f"with {in_words(sizes, 'or')} pairs there are data that print every figure and in which "
        "the patients with both values get worse on average, so the figures alone do not say."
    )


def lesson_in_words(ledger: Ledger) -> str:
    """Return what missing numbers of pairs leave open of the direction of change, as a sentence."""
    name = label(ledger, "haq_di")
    if sizes_that_may_rise(ledger, "haq_di"):
        return (
            f"Where neither is printed, as for {name}, not even the direction of the change in the "
            "patients with both values is certain."
        )
    return (
        f"Where neither is printed, as for {name}, the direction of the change in the patients "
        "with both values is not proved, though no example with another direction is known."
    )


# The physician's assessment


def physician_in_words(ledger: Ledger) -> list[str]:
    """Return what the physician's assessment has in common with Table 2, as sentences."""
    n = _value(ledger, "table1-cohort-size-ivig-n")
    stopped = [
        _value(ledger, f"table2-stop-{name}-ivig-count") for name in ("improvement", "stable")
    ]
    percents = [
        ledger.registry.numbers[f"results-physician-{name}-ivig-percent"]
        for name in ("improved", "stable")
    ]
    counts = [round(float(row.printed.value) * n / 100) for row in percents]
    same = (
        "These are the same counts, so both places may tell one fact twice."
        if counts == stopped
        else "These are other counts."
    )
    return [
        f"Of {n} patients, {percents[0].as_printed} are {counts[0]} and "
        f"{percents[1].as_printed} are {counts[1]}; {n - sum(counts)} remain of whom nothing is "
        "said.",
        "Neither the time of the assessment nor its denominator is printed.",
        f"Table 2 has {stopped[0]} patients who stopped because of improvement and {stopped[1]} "
        f"who were stable. {same}",
    ]


# Friction rubs


@dataclass(frozen=True, slots=True)
class Flow:
    """Patients with friction rubs at baseline, and what became of them.

    Parameters
    ----------
    name : str
        Which windows.
    parts : tuple of (str, int)
        Outcome at month 6 and number of patients.
    """

    name: str
    parts: tuple[tuple[str, int], ...]

    @property
    def present(self) -> int:
        """Patients with rubs at baseline."""
        return sum(count for _, count in self.parts)


RESOLVED, CONTINUED, UNKNOWN = "resolved", "continued", "unknown"


def rubs_flow(ledger: Ledger) -> Flow:
    """Return the course of friction rubs as the results section prints it."""
    words = (RESOLVED, CONTINUED, UNKNOWN)
    parts = tuple((word, _value(ledger, f"results-tfr-{word}-ivig-m6-count")) for word in words)
    return Flow("Results", parts)


def rubs_in_words(ledger: Ledger) -> list[str]:
    """Return what the counts of friction rubs say, as sentences."""
    flow = rubs_flow(ledger)
    counts = dict(flow.parts)
    gone, known = counts[RESOLVED], flow.present - counts[UNKNOWN]
    low, high = proportion_confint(gone, known, alpha=0.05, method="wilson")
    return [
        f"{gone} of {flow.present} is a resolution of {100 * gone / flow.present:.0f} % if the "
        f"patient without follow-up still had rubs, and {gone} of {known} "
        f"({100 * gone / known:.0f} %) if that patient is left out; Wilson's 95 % interval of the "
        f"latter reaches from {100 * low:.0f} % to {100 * high:.0f} %.",
        f"Nothing is said of the {_value(ledger, 'table1-cohort-size-ivig-n') - flow.present} "
        "patients without rubs at baseline: rubs that began later would be on the other side of "
        "the account.",
    ]


# Lung function, measured twice


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Patients with a baseline of a measure and no second value.

    Parameters
    ----------
    measure : str
        Name of the measure.
    n_all, n_followed : int
        Patients with a baseline, and those of them with both values.
    mean_all, mean_followed : str
        Baseline means as printed.
    low, high : float
        Baseline mean of the others, within rounding.
    sds_agree : bool
        Whether the two printed SDs leave room for the others.
    """

    measure: str
    n_all: int
    n_followed: int
    mean_all: str
    mean_followed: str
    low: float
    high: float
    sds_agree: bool

    @property
    def missing(self) -> int:
        """Patients without a second value."""
        return self.n_all - self.n_followed

    def as_record(self) -> dict[str, object]:
        """Return the patients as a row of a table."""
        return {
            "Measure": self.measure,
            "Baseline, all": f"{self.mean_all} (n = {self.n_all})",
            "Baseline, measured twice": f"{self.mean_followed} (n = {self.n_followed})",
            "Not measured again": self.missing,
            "Their baseline mean": " to ".join(outward(self.low, self.high, 1)),
            "SDs agree": "yes" if self.sds_agree else "no",
        }


def unmeasured(ledger: Ledger, measure: str) -> Unmeasured:
    """Return what both printed baselines say of the patients who were not measured again.

    The baseline sum of all minus that of the pairs is that of the others. The sums of squares
    about the mean must leave the others one that is not negative.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    measure : str
        One of :data:`LUNG`.
    """
    rule = ledger.settings.rule
    first, again = f"table1-{measure}-ivig-baseline", f"{_stem(measure)}-baseline"
    n_all, n_followed = _value(ledger, f"{first}-n"), _value(ledger, f"{_stem(measure)}-m12-n")
    whole = [float(end) for end in sum_range(_printed(ledger, f"{first}-mean"), n_all, rule, None)]
    part = [
        float(end) for end in sum_range(_printed(ledger, f"{again}-mean"), n_followed, rule, None)
    ]
    missing = n_all - n_followed
    low, high = (whole[0] - part[1]) / missing, (whole[1] - part[0]) / missing
    spread_all = _printed(ledger, f"{first}-sd").interval(rule).upper ** 2 * (n_all - 1)
    spread_part = _printed(ledger, f"{again}-sd").interval(rule).lower ** 2 * (n_followed - 1)
    apart = max(0.0, low - part[1] / n_followed, part[0] / n_followed - high)
    between = n_followed * missing / n_all * apart**2
    return Unmeasured(
        label(ledger, measure),
        n_all,
        n_followed,
        ledger.registry.numbers[f"{first}-mean"].as_printed,
        ledger.registry.numbers[f"{again}-mean"].as_printed,
        low,
        high,
        spread_all >= spread_part + between,
    )


def unmeasured_in_words(found: Sequence[Unmeasured]) -> list[str]:
    """Return who was not measured again, as sentences."""
    return [
        f"{each.measure} was measured twice in {each.n_followed} of {each.n_all} patients. "
        + (
            f"The one who was not had {low} to {high} % of the predicted value"
            if each.missing == 1
            else f"The {each.missing} who were not had a mean of {low} to {high} % of the "
            "predicted value"
        )
        + f" at baseline, {_beside(each)}."
        for each in found
        for low, high in [outward(each.low, each.high, 1)]
    ]


def _beside(found: Unmeasured) -> str:
    mean, last_digit = float(found.mean_all), 0.1
    if found.low > mean:
        return f"above the mean of all, {found.mean_all}: it was not the worst lungs that were lost"
    if found.high < mean:
        return f"below the mean of all, {found.mean_all}"
    if found.low > mean - last_digit:
        return f"about the mean of all, {found.mean_all}, or above it"
    return f"which may be above or below the mean of all, {found.mean_all}"


# What "stable" leaves open


@dataclass(frozen=True, slots=True)
class MeanChange:
    """A mean change with the 95 % interval that its printed p implies.

    ``low`` and ``high`` come from the figures as printed, ``widest`` from all their roundings.
    """

    measure: str
    n: int
    estimate: float
    low: float
    high: float
    widest: tuple[float, float]

    def as_record(self) -> dict[str, object]:
        """Return the change as a row of a table."""
        return {
            "Measure": self.measure,
            "Pairs": self.n,
            "Mean change": true_minus(f"{self.estimate:+.1f}"),
            "95 % interval": true_minus(f"{self.low:+.1f} to {self.high:+.1f}"),
            "With all rounding": true_minus(" to ".join(outward(*self.widest, 1))),
        }


def mean_change(ledger: Ledger, measure: str) -> MeanChange:
    """Return the mean change of a measure whose pairs are printed, with its interval.

    A p and a mean change give the standard error: t is the quantile of p, SE is change over t.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    measure : str
        One of :data:`LUNG`.
    """
    stem, rule = _stem(measure), ledger.settings.rule
    n = _value(ledger, f"{stem}-m12-n")
    before, after = (_printed(ledger, f"{stem}-{at}-mean") for at in ("baseline", "m12"))
    p = _printed(ledger, f"{stem}-m12-p")
    estimate = float(after.value - before.value)
    low, high = _interval(estimate, float(p.value), n)
    first, then = before.interval(rule), after.interval(rule)
    changes = (then.lower - first.upper, then.upper - first.lower)
    within = p.interval(rule, P_VALUE_DOMAIN)
    ends = [_interval(*each, n) for each in product(changes, (within.lower, within.upper))]
    widest = min(low for low, _ in ends), max(high for _, high in ends)
    return MeanChange(label(ledger, measure), n, estimate, low, high, widest)


def _interval(change: float, p: float, n: int) -> tuple[float, float]:
    error = abs(change) / float(student_t.isf(p / 2, n - 1))
    half = error * float(student_t.isf(0.025, n - 1))
    return change - half, change + half


def stable_in_words(changes: Sequence[MeanChange]) -> str:
    """Return what the intervals leave open, as a sentence."""
    parts = [
        f"{each.measure} may on average have fallen by {abs(each.low):.1f} or risen by "
        f"{each.high:.1f} points of the predicted value"
        for each in changes
    ]
    return (
        f"{in_words(parts)}; that the change is not significant does not show that there is none."
    )


# Creatine kinase


def least_greatest(mean: PrintedNumber, sd: PrintedNumber, n: int, rule: RoundingRule) -> float:
    """Return the least possible greatest value of n values from 0 upwards.

    Bhatia and Davis (2000): the variance (with divisor n) is at most (greatest - mean)(mean -
    least).

    Parameters
    ----------
    mean, sd : PrintedNumber
        As printed.
    n : int
        Number of values.
    rule : RoundingRule
        How the figures were rounded.
    """
    low = sd.interval(rule).lower ** 2 * (n - 1) / n
    center: Interval = mean.interval(rule)
    lowest = sqrt(low)
    # mean + variance / mean falls until the mean is the SD, then rises.
    at = float(np.clip(lowest, center.lower, center.upper))
    return at + low / at


def creatine_kinase_in_words(ledger: Ledger) -> list[str]:
    """Return what can be known of creatine kinase, as sentences."""
    first = "table1-cpk-ivig-baseline"
    mean, sd = _printed(ledger, f"{first}-mean"), _printed(ledger, f"{first}-sd")
    n = _value(ledger, f"{first}-n")
    greatest = least_greatest(mean, sd, n, ledger.settings.rule)
    myositis = _value(ledger, "results-myositis-ivig-baseline-count-2")
    serial = _value(ledger, "results-cpk-serial-ivig-count")
    return [
        f"Serial values of {serial} of the {myositis} patients with myositis are said to have "
        "become normal; the values are not shown, and neither is the limit of normal.",
        f"Table 1 prints a mean of {mean} and an SD of {sd} in {n} patients. Values from 0 upwards "
        f"with such an SD must include one of at least {greatest:.0f}, in whatever unit it is: a "
        "few high values carry the mean.",
        "To check the statement one would need the serial values with their dates and the limit of "
        "the laboratory.",
    ]


# How much was tested


def tests_in_words(ledger: Ledger, rows: Sequence[str]) -> str:
    """Return how many tests a section prints, and how many of them are significant, as a sentence.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    rows : sequence of str
        Ids of the section's p values.
    """
    alpha = ledger.settings.alpha
    below = [
        label(ledger, ledger.registry.numbers[row_id].variable)
        for row_id in rows
        if float(ledger.registry.numbers[row_id].printed.value) < alpha
    ]
    found = f"none is below {alpha:g}"
    if below:
        verb = "is" if len(below) == 1 else "are"
        found = f"{len(below)} {verb} below {alpha:g} ({in_words(below)})"
    return (
        f"This section prints {len(rows)} p values for changes from baseline to month 12; {found}. "
        f"If nothing had changed, {alpha * len(rows):.1f} of {len(rows)} would be expected below "
        f"{alpha:g} by chance."
    )
