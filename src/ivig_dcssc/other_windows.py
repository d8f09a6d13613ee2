"""The changes in windows that the article did not try, in every cohort of a run."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from ivig_dcssc.cohort_groups import cohorts_of, fixed, percent, share_by_prior
from ivig_dcssc.cohort_words import together
from ivig_dcssc.function_results import OTHER_WINDOWS, label
from ivig_dcssc.reproduced import CohortResults
from ivig_dcssc.reproduced.choices import FOLLOWUPS
from ivig_dcssc.sensitivity_results import tested
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.retrospective import at_baseline, at_followup

OTHER_BASELINES, OTHER_TOLERANCES = range(7), range(4)
"""Windows of the skin score that are tried, in months."""

ORGAN_BASELINES, ORGAN_TOLERANCES = (0, 3, 6, 12), (0, 3, 6)
"""Windows of organ and function measures that are tried, in months."""

SHOWN_ORGANS = ("haq_di", "patient_rating", "fvc", "dlco", "severity_muscle")
"""Measures whose decision is shown there."""


@lru_cache(maxsize=16)
def over_windows(
    results: CohortResults,
    measure: str,
    baselines: tuple[int, ...],
    tolerances: tuple[int, ...],
    timepoints: tuple[str, ...],
) -> pd.DataFrame:
    """Return n and p of a change in every cohort, for every combination of windows.

    Parameters
    ----------
    results : CohortResults
        Results of the run.
    measure : str
        Measure of the visits.
    baselines, tolerances : tuple of int
        Windows in months.
    timepoints : tuple of str
        Follow-ups, such as ``m12``.

    Returns
    -------
    DataFrame
        Columns cohort, baseline, tolerance, timepoint, n and p.
    """
    tables = results.tables
    records, patients = tables.visits(measure), tables.cohort.patients
    choices = tables.choices
    windows = choices.windows(measure)
    starts = {months: at_baseline(records, measure, months, patients) for months in baselines}
    parts = []
    for tolerance in tolerances:
        later = at_followup(records, measure, windows.targets, tolerance, windows.rule, patients)
        later = choices.named(measure, later)
        for months, start in starts.items():
            values = later.assign(baseline=start)
            for timepoint in timepoints:
                table = tested(tables, measure, values, timepoint)
                parts.append(
                    table.assign(
                        cohort=results.cohorts,
                        baseline=months,
                        tolerance=tolerance,
                        timepoint=timepoint,
                    )
                )
    stacked = pd.concat(parts, ignore_index=True)
    return stacked[["cohort", "baseline", "tolerance", "timepoint", "n", "p"]]


def _by_windows(table: pd.DataFrame) -> list[tuple[int, int, pd.DataFrame]]:
    """Return the rows of each combination of windows: baseline, tolerance, rows."""
    return [
        (
            months,
            tolerance,
            table[(table["baseline"] == months) & (table["tolerance"] == tolerance)],
        )
        for months in sorted({int(each) for each in table["baseline"].unique()})
        for tolerance in sorted({int(each) for each in table["tolerance"].unique()})
    ]


def skin_windows(ledger: Ledger) -> pd.DataFrame:
    """Return n and p of the skin score in all windows that are tried; see `over_windows`."""
    return over_windows(
        cohorts_of(ledger).results,
        "mrss",
        tuple(OTHER_BASELINES),
        tuple(OTHER_TOLERANCES),
        FOLLOWUPS,
    )


def skin_window_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return median n, and decisions, of the skin score in all windows that are tried.

    Returns
    -------
    list of dict
        Columns ``Baseline, Tolerance``, median pairs at each follow-up, and for each the share of
        cohorts with p below the significance level.
    """
    cohorts, alpha = cohorts_of(ledger), ledger.settings.alpha
    rows: list[dict[str, object]] = []
    for months, tolerance, part in _by_windows(skin_windows(ledger)):
        row: dict[str, object] = {"Baseline": _months(months), "Tolerance": f"± {tolerance}"}
        own = {name: part[part["timepoint"] == name].set_index("cohort") for name in FOLLOWUPS}
        months_of = dict(zip(FOLLOWUPS, cohorts.choices.followup_targets, strict=True))
        for name, month in months_of.items():
            row[f"n, month {month}"] = fixed(float(own[name]["n"].median()), 0)
        for name, month in months_of.items():
            row[f"p below {alpha:g}, month {month}"] = share_by_prior(
                cohorts, own[name]["p"] < alpha
            )
        rows.append(row)
    return together(rows, "Baseline")


def organ_window_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return median pairs, and the share with p below the level, of some measures in more windows.

    Returns
    -------
    list of dict
        Columns ``Baseline, Around month 12`` and one for each measure.
    """
    cohorts, alpha = cohorts_of(ledger), ledger.settings.alpha
    tables = {
        measure: over_windows(cohorts.results, measure, ORGAN_BASELINES, ORGAN_TOLERANCES, ("m12",))
        for measure in SHOWN_ORGANS
    }
    rows: list[dict[str, object]] = []
    for months in ORGAN_BASELINES:
        for tolerance in ORGAN_TOLERANCES:
            row: dict[str, object] = {
                "Baseline": _months(months),
                f"Around month {cohorts.choices.month('m12')}": f"± {tolerance}",
            }
            for measure, table in tables.items():
                own = table[(table["baseline"] == months) & (table["tolerance"] == tolerance)]
                own = own.set_index("cohort")
                n = fixed(float(own["n"].median()), 0)
                row[label(ledger, measure)] = (
                    f"n = {n}; {share_by_prior(cohorts, own['p'] < alpha)}"
                )
            rows.append(row)
    return rows


def windows_in_words(ledger: Ledger) -> list[str]:
    """Return what other windows would do to the skin score, as sentences."""
    cohorts, alpha = cohorts_of(ledger), ledger.settings.alpha
    table = skin_windows(ledger)
    below = [
        (float((own["p"] < alpha).mean()), months, tolerance, name, float(own["n"].median()))
        for months, tolerance, part in _by_windows(table)
        for name in FOLLOWUPS
        for own in [part[part["timepoint"] == name]]
    ]
    held = sum(part == 1 for part, *_ in below)
    if not cohorts.reconstructed:
        return [
            f"In the cohort of this run p is below {alpha:g} in {held} of {len(below)} "
            "combinations of windows and follow-up."
        ]
    least, months, tolerance, timepoint, middle = min(below)
    window = choices_window(ledger)
    return [
        f"Every patient has a baseline score within {window} months, as printed, so a wider "
        "baseline window changes nothing; this needs no cohort.",
        f"Of {len(below)} combinations of windows and follow-up, p is below {alpha:g} in every "
        f"synthetic cohort in {held}. Least often it is so at month "
        f"{cohorts.choices.month(timepoint)} with a baseline window of {_months(months)} and ± "
        f"{tolerance}: in {percent(least)} of the cohorts, with {fixed(middle, 0)} pairs in the "
        "median cohort.",
        "Inside the article's windows the scores are bound by what is printed. The months of "
        "single visits, and all scores outside, are our prior: the table shows what can be "
        "expected, not what was.",
    ]


def choices_window(ledger: Ledger) -> int:
    """Return the months before the first infusion that the methods print for the skin score."""
    return int(ledger.registry.numbers["methods-window-baseline-threshold"].printed.value)


def _months(oldest: int) -> str:
    return f"0 to {oldest} months" if oldest else "month 0 alone"


def organ_windows_in_words(ledger: Ledger) -> list[str]:
    """Return what other windows would do to muscle severity, as sentences."""
    cohorts, alpha = cohorts_of(ledger), ledger.settings.alpha
    table = over_windows(
        cohorts.results, "severity_muscle", ORGAN_BASELINES, ORGAN_TOLERANCES, ("m12",)
    )
    if not cohorts.reconstructed:
        held = int((table["p"] < alpha).sum())
        return [
            f"In the cohort of this run muscle severity has p below {alpha:g} in {held} of "
            f"{len(table)} windows."
        ]
    parts = {
        (months, tolerance): part.set_index("cohort")["p"] < alpha
        for months, tolerance, part in _by_windows(table)
    }
    tight = cohorts.choices.restricted()
    corners = [
        (each.organ_baseline_window, each.organ_followup_tolerance)
        for each in (cohorts.choices, tight)
    ]
    known = [share_by_prior(cohorts, parts[corner]) for corner in corners if corner in parts]
    most = max(parts, key=lambda each: float(parts[each].mean()))
    return [
        f"In the main and in the tightened windows p of muscle severity is below {alpha:g} in "
        f"{in_words(list(dict.fromkeys(known)))} of the synthetic cohorts, as its two printed "
        "values ask for."
        if cohorts.as_published
        else OTHER_WINDOWS,
        f"Most often it is so with a baseline window of {_months(most[0])} and ± {most[1]}: in "
        f"{share_by_prior(cohorts, parts[most])} of them. How often is for our prior to say; that "
        "the decision on a borderline p can turn on a window that is not printed is not.",
    ]
