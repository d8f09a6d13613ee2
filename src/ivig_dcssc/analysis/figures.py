"""The printed figures of the IVIG group as numbers of a cohort, asked for by what they are.

A figure's key is variable, time point and statistic, never its place in the article, so that a
repeat is the same number. Two keys need the section as well; see `source_of`. `entries` is the
table of all of them: which statistics, of what.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.analysis.choices import FOLLOWUPS, SEVERITIES
from ivig_dcssc.analysis.tables import CYCLES, Frame, Tables
from ivig_dcssc.project import CODEBOOK, project_root
from rederive.printed.registry import NumberRow
from rederive.retrospective import Codebook, describe_flag, describe_number, linear, logistic

_PATIENTS = Codebook.load(project_root() / CODEBOOK).patients

CHARACTERISTICS = tuple(
    name
    for name, entry in _PATIENTS.items()
    if entry.kind == "flag" and not name.startswith(("prior_", "concomitant_", "ae_"))
)
"""Flags of the patients that Table 1 counts, beside previous drugs."""

RACES = {"white": "white", "black": "black", "other_race": "other"}
"""Variable of the registry to word of the cohort."""

BASELINE_MEASURES = ("mrss", "haq_di", "patient_rating", "cpk", "fvc", "dlco", "rvsp")
TESTED_MEASURES = ("haq_di", "patient_rating", "fvc", "dlco")

PRINTED_BY_ITSELF = "concomitant_prednisone"
"""The predictor of response that the article prints, so that "none of the others" leaves it out."""

STOP_REASONS = _PATIENTS["stop_reason"].allowed
"""Reasons for stopping; a patient still treated has none of them."""

TIMEPOINTS = ("m6", "m12")
"""Time points whose response and change the article tried to predict."""

COUNTS = ("count", "percent", "n")
MOMENTS = ("n", "mean", "sd")
RANGE = (*MOMENTS, "min", "max")

Series = pd.Series
Source = tuple[str, str]
"""Variable and time point: what one table of statistics is about."""

Entry = tuple[Any, ...]
"""Names of statistics, a function, and its arguments after the tables.

The function returns values by cohort and patient, of which counts or moments are taken, or a table
by cohort with a column for each statistic.
"""


def source_of(row: NumberRow) -> Source:
    """Return variable and time point of a figure.

    FVC and DLCO at baseline are printed for two sets of patients: Table 1 has all, the results
    have those measured again at month 12.
    """
    if (row.section, row.timepoint) == ("results", "baseline") and row.variable in ("fvc", "dlco"):
        return f"{row.variable} of the pairs", row.timepoint
    return row.variable, row.timepoint


class Figures:
    """All figures of all cohorts, computed when first asked for and kept."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.entries = entries(tables)
        self._computed: dict[Source, Frame] = {}

    def has(self, row: NumberRow) -> bool:
        """Return whether a figure is among them."""
        found = self.entries.get(source_of(row))
        return found is not None and row.statistic in found[0]

    def table(self, variable: str, timepoint: str) -> Frame:
        """Return all statistics of a variable at a time point, by cohort."""
        source = (variable, timepoint)
        if source not in self._computed:
            names, function, *arguments = self.entries[source]
            found = function(self.tables, *arguments)
            if isinstance(found, pd.Series):
                found = counted(found) if names == COUNTS else described(found)
            self._computed[source] = found[list(names)]
        return self._computed[source]

    @cached_property
    def regressions(self) -> Frame:
        """All regressions on predictors; see `search`."""
        return search(self.tables)


def entries(tables: Tables) -> dict[Source, Entry]:
    """Return the statistics of every variable and time point, by what they are taken of."""
    found: dict[Source, Entry] = {
        ("cohort_size", ""): (("n",), lambda tables: pd.Series(1.0, index=tables.keys)),
        ("prior_therapy", "baseline"): (COUNTS, treated_before),
        ("first_line", ""): (COUNTS, given, "first_line"),
        ("first_line_monotherapy", ""): (COUNTS, first_line, "monotherapy"),
        ("first_line_mmf", ""): (COUNTS, first_line, "mmf"),
        ("cycles_required", ""): (("threshold",), least_cycles),
        ("stop_improved_or_stable", ""): (COUNTS, among, "stop_reason", "improvement", "stable"),
        ("still_on_ivig", ""): (COUNTS, given, "stop_reason", False),
        ("kidney_injury_delay", ""): (
            ("other",), of_one, "kidney_injury_delay", "improvement", "ae_kidney_injury",
        ),
        ("death_delay", ""): (("other",), of_one, "death_month", "death"),
        ("responder", ""): (("percent",), fewest_responders),
        ("cpk_serial", ""): (COUNTS, has_serial_cpk),
    }  # fmt: skip
    for name in ("age", "disease_duration"):
        found[name, "baseline"] = (MOMENTS, Tables.number, name)
    for name in ("cycles", "treatment_length"):
        found[name, ""] = (RANGE, Tables.number, name)
    for variable, word in RACES.items():
        found[variable, "baseline"] = (COUNTS, among, "race", word)
    for name in (*CHARACTERISTICS, *tables.names("prior_")):
        found[name, "baseline"] = (COUNTS, Tables.number, name)
    for name in (*tables.names("concomitant_"), *tables.names("ae_")):
        found[name, ""] = (COUNTS, Tables.number, name)
    found["ae_aseptic_meningitis", ""] = (COUNTS, meningitis)
    for word in STOP_REASONS:
        found[f"stop_{word}", ""] = (COUNTS, among, "stop_reason", word)
    for word in ("improved", "stable"):
        found[f"physician_{word}", ""] = (COUNTS, among, "physician_assessment", word)
    for measure in BASELINE_MEASURES:
        found[measure, "baseline"] = (MOMENTS, baseline, measure)
    for name in FOLLOWUPS:
        found["mrss", name] = ((*MOMENTS, "p"), paired, "followup", "mrss", name)
        found["mrss_change", name] = (MOMENTS, paired, "change", "mrss", name)
        found["responder", name] = (COUNTS, Tables.response, name)
        odds = ("or", "ci_low", "ci_high", "p")
        found["responder_prednisone", name] = (odds, prednisone, name)
    for measure in ("fvc", "dlco"):
        of_pairs = (MOMENTS, paired, "baseline", measure, "m12")
        found[f"{measure} of the pairs", "baseline"] = of_pairs
    # Under the article's windows, and under those of the sensitivity analysis.
    for suffix, restricted in (("", False), ("_restricted", True)):
        for measure in (*TESTED_MEASURES, *SEVERITIES):
            names = ("p",) if measure in SEVERITIES else (*MOMENTS, "p")
            tested = (names, paired, "followup", measure, "m12", restricted)
            found[f"{measure}{suffix}", "m12"] = tested
        found[f"tfr{suffix}", "baseline"] = (COUNTS, rubs, "", restricted)
        for word in ("resolved", "continued", "unknown"):
            found[f"tfr_{word}{suffix}", "m6"] = (COUNTS, rubs, word, restricted)
    return found


def counted(flags: Series[Any]) -> Frame:
    """Return count, percent and n of a flag by cohort, NaN where it is not known."""
    return describe_flag(flags.astype(float)).set_index("cohort")


def described(values: Series[Any]) -> Frame:
    """Return moments and range of a number by cohort."""
    table = describe_number(values).set_index("cohort")
    return table.rename(columns={"minimum": "min", "maximum": "max"})


# Patients


def among(tables: Tables, name: str, *words: str) -> Series[Any]:
    """Return who has one of some words in a column, if the cohort records it."""
    return tables.among(name, *words).astype(float).where(tables.recorded([name]))


def given(tables: Tables, name: str, yes: bool = True) -> Series[Any]:
    """Return who has (or has not) a value in a column that is empty for all others."""
    return tables.known(name).eq(yes).astype(float).where(tables.recorded([name]))


def treated_before(tables: Tables) -> Series[Any]:
    """Return who had any earlier drug, first-line patients apart."""
    names = tables.names("prior_")
    treated = pd.Series(np.any([tables.number(name).eq(1) for name in names], axis=0), tables.keys)
    return (treated & ~tables.known("first_line")).astype(float).where(tables.recorded(names))


def first_line(tables: Tables, word: str) -> Series[Any]:
    """Return which first-line patients had it in one form; with MMF those with myositis."""
    chosen = tables.among("first_line", word)
    if word == "mmf":
        chosen &= tables.number("myositis").eq(1)
    return chosen.astype(float).where(tables.known("first_line"))


def least_cycles(tables: Tables) -> Frame:
    """Return the fewest cycles in the first six months, if all are known."""
    table = described(tables.number(CYCLES))
    return table["min"].where(table["missing"] == 0).to_frame("threshold")


def meningitis(tables: Tables) -> Series[Any]:
    """Return whose headache was meningitis; Table 2 prints it as part of the headaches."""
    flags = tables.number("ae_aseptic_meningitis")
    both = flags.eq(1) & tables.number("ae_headache").eq(1)
    return both.astype(float).where(flags.notna())


def of_one(tables: Tables, name: str, reason: str, flag: str = "") -> Frame:
    """Return a number of the one patient who stopped for a reason, perhaps with a feature.

    It is NaN unless there is exactly one.
    """
    chosen = tables.among("stop_reason", reason)
    if flag:
        chosen &= tables.number(flag).eq(1)
    patients = chosen.groupby(level="cohort").sum()
    values = tables.number(name).where(chosen)
    return described(values)["mean"].where(patients == 1).to_frame("other")


# Visits


def baseline(tables: Tables, measure: str) -> Series[Any]:
    """Return a measure at baseline."""
    return tables.measured(measure)["baseline"]


def paired(
    tables: Tables, part: str, measure: str, timepoint: str, restricted: bool = False
) -> Frame:
    """Return moments of patients with both values, and p of the change.

    The part is ``baseline``, ``followup`` or ``change``: what the moments are of.
    """
    table = tables.paired(measure, timepoint, restricted=restricted)
    return table.rename(columns={f"{part}_mean": "mean", f"{part}_sd": "sd"})


def fewest_responders(tables: Tables) -> Frame:
    """Return the smaller share of both months; the article gives one limit for the two."""
    shares = [counted(tables.response(name))["percent"] for name in ("m6", "m12")]
    return pd.concat(shares, axis=1).min(axis=1, skipna=False).to_frame("percent")


def prednisone(tables: Tables, timepoint: str) -> Frame:
    """Return the odds ratio of response under prednisone, its interval and p."""
    taken = tables.number(PRINTED_BY_ITSELF)
    table = logistic(tables.response(timepoint), taken).set_index("cohort")
    return table.rename(columns={"odds_ratio": "or", "low": "ci_low", "high": "ci_high"})


def rubs(tables: Tables, course: str, restricted: bool) -> Series[Any]:
    """Return who had friction rubs at baseline, or of these whether they took a course.

    Whoever was not examined counts as without: Table 1 gives their share of the whole cohort. The
    course at month 6 is ``resolved``, ``continued`` or ``unknown``; empty for presence at baseline.
    """
    values = tables.measured("tfr", restricted=restricted)
    first, later = values["baseline"], values["m6"]
    if not course:
        examined = first.notna().groupby(level="cohort").transform("any")
        return first.eq(1).astype(float).where(examined)
    courses = {"resolved": later.eq(0), "continued": later.eq(1), "unknown": later.isna()}
    return courses[course].astype(float).where(first.eq(1))


def serial_cpk(tables: Tables) -> Frame:
    """Return baseline and last CK of myositis patients with serial values, by cohort and patient.

    Serial: at least two values, the last of them after the month of the first infusion. Columns
    before (NaN without a baseline) and last.
    """
    records = tables.visits("cpk").dropna(subset=["value"]).sort_values("month", kind="stable")
    groups = records.groupby(["cohort", "patient"], observed=True)
    table = groups.agg(last=("value", "last"), month=("month", "last"), taken=("value", "size"))
    table = table.reindex(tables.keys)
    myositis = tables.number("myositis").eq(1)
    serial = myositis & (table["month"] > 0) & (table["taken"] > 1)
    return pd.DataFrame({"before": baseline(tables, "cpk"), "last": table["last"]})[serial]


def has_serial_cpk(tables: Tables) -> Series[Any]:
    """Return which myositis patients have serial CK values."""
    serial = pd.Series(tables.keys.isin(serial_cpk(tables).index), index=tables.keys)
    return serial.astype(float).where(tables.number("myositis").eq(1))


# Regressions


def candidates(tables: Tables) -> dict[str, pd.Series[Any]]:
    """Return the variables that the article examined as predictors, by cohort and patient.

    Race counts as white or not, unknown race as not; each reason for stopping is one predictor.
    """
    names = ["age_onset", "female", "disease_duration", "cycles", "treatment_length"]
    names += tables.names("concomitant_")
    names += ["antitopoisomerase", "anti_rna_polymerase_iii"]
    found = {name: tables.number(name) for name in names}
    found["white"] = tables.among("race", "white").astype(float)
    for reason in STOP_REASONS:
        found[f"stop_{reason}"] = tables.among("stop_reason", reason).astype(float)
    return found


def search(tables: Tables) -> Frame:
    """Return every simple regression of response and change on a predictor.

    Columns cohort, predictor, outcome (``response`` or ``change``), timepoint, n, estimate (an odds
    ratio, or points of skin score per unit of the predictor), low, high, p (0 for an exact fit) and
    status.
    """
    found = pd.DataFrame(candidates(tables))
    parts = []
    for timepoint in TIMEPOINTS:
        odds = logistic(tables.response(timepoint), found)
        odds = odds.rename(columns={"odds_ratio": "estimate"})
        slope = linear(tables.change(timepoint), found).rename(columns={"slope": "estimate"})
        # Without residuals t is infinite; a claim that nothing predicts must not pass it over.
        slope["p"] = slope["p"].mask(slope["status"] == "exact fit", 0.0)
        # Each response stands before the change with the same predictor.
        both = pd.concat([odds.assign(outcome="response"), slope.assign(outcome="change")])
        parts.append(both.sort_index(kind="stable").assign(timepoint=timepoint))
    together = pd.concat(parts).sort_values("cohort", kind="stable", ignore_index=True)
    first = ["cohort", "predictor", "outcome", "timepoint"]
    return together[[*first, "n", "estimate", "low", "high", "p", "status"]]


def about(regressions: Frame, variable: str, timepoint: str) -> Frame:
    """Return the regressions, among those of `search`, that a claim about predictors speaks of.

    The variable is ``mrss_change_predictors``, ``responder_predictors`` (without prednisone, which
    the article prints by itself) or ``responder_prednisone``.
    """
    outcome = "change" if variable == "mrss_change_predictors" else "response"
    chosen = (regressions["outcome"] == outcome) & (regressions["timepoint"] == timepoint)
    if outcome == "response":
        by_itself = regressions["predictor"] == PRINTED_BY_ITSELF
        chosen &= by_itself == (variable == "responder_prednisone")
    return regressions[chosen]
