"""Tidy tables of a cohort's or an ensemble's results beyond the printed figures.

All have the columns cohort and, where it applies, timepoint (``baseline``, ``m6`` and so on) and
month (of the target), and are sorted by cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.reproduced.choices import COMPARATORS, CONFIDENCE, FOLLOWUPS, ORGAN_TARGET
from ivig_dcssc.reproduced.figures import Figures
from ivig_dcssc.reproduced.tables import ORGAN_MEASURES, Frame, Tables
from rederive.printed.registry import Registry
from rederive.recompute.signed_rank import CONVENTIONS
from rederive.retrospective import (
    PrintedGroup,
    describe_flag,
    describe_number,
    missingness,
    paired_change,
    signed_rank,
    two_sample,
)

PAIRED_T = "paired t"
"""Name of the t test where tests are listed; the others have the names of their conventions."""

RESPONSE = ("m6", "m12")
"""Follow-ups at which the article counts responders."""

MAIN_ORGAN_TIMEPOINT = f"m{ORGAN_TARGET}"


def _stacked(parts: Sequence[Frame]) -> Frame:
    together = pd.concat(parts, ignore_index=True)
    return together.sort_values("cohort", kind="stable").reset_index(drop=True)


def skin_over_time(tables: Tables) -> Frame:
    """Return the skin score and its change at each time point.

    Returns
    -------
    DataFrame
        Columns cohort, timepoint, month, taken (patients with a score), n (of them with a baseline
        score, too), mean, sd (of these n), change_mean, change_sd, low, high (of the mean change),
        t, p and status. At baseline there is no change; t is NaN where the test is another.
    """
    values = tables.measured("mrss")
    start = describe_number(values["baseline"])[["cohort", "n", "mean", "sd"]]
    parts = [start.assign(timepoint="baseline", month=0, taken=start["n"], status="")]
    for name in FOLLOWUPS:
        table = tables.paired("mrss", name).reset_index()
        table = table.rename(columns={"followup_mean": "mean", "followup_sd": "sd"})
        taken = describe_number(values[name])["n"].to_numpy()
        month = tables.choices.month(name)
        parts.append(table.assign(timepoint=name, month=month, taken=taken))
    columns = ["cohort", "timepoint", "month", "taken", "n", "mean", "sd", "change_mean"]
    columns += ["change_sd", "low", "high", "t", "p", "status"]
    return _stacked([part.reindex(columns=columns) for part in parts])


def trajectories(tables: Tables) -> Frame:
    """Return every skin score that counts, one row per patient and time point with a score.

    Returns
    -------
    DataFrame
        Columns cohort, patient, timepoint, month (target), visit_month (when it was taken), value,
        change (NaN without a baseline), responder_m6 and responder_m12 (1 or 0, NaN if not
        followed).
    """
    values, taken = tables.measured("mrss"), tables.months("mrss")
    flags = {f"responder_{name}": tables.response(name) for name in RESPONSE}
    parts = []
    for name in ("baseline", *FOLLOWUPS):
        columns = {
            "timepoint": name,
            "month": tables.choices.month(name),
            "visit_month": taken[name],
            "value": values[name],
            "change": tables.change(name),
            **flags,
        }
        parts.append(pd.DataFrame(columns, index=tables.keys))
    every = pd.concat(parts).dropna(subset=["value"]).reset_index()
    return every.sort_values(["cohort", "patient", "month"], kind="stable").reset_index(drop=True)


def before_initiation(tables: Tables) -> Frame:
    """Return the mean skin score of each month up to the first infusion.

    Returns
    -------
    DataFrame
        Columns cohort, month (0 or below), n, mean and sd; months without a score are absent.
    """
    records = tables.visits("mrss")
    early = records[(records["month"] <= 0) & records["value"].notna()]
    groups = early.groupby(["cohort", "month"])["value"]
    return groups.agg(n="size", mean="mean", sd="std").reset_index()


def responders(tables: Tables, threshold: float | None = None) -> Frame:
    """Return the responders at each follow-up.

    Parameters
    ----------
    tables : Tables
        The cohorts.
    threshold : float, optional
        Decrease of the skin score that counts; default that of the choices.

    Returns
    -------
    DataFrame
        Columns cohort, timepoint, month, threshold, n (with both scores), missing, count and
        percent.

    Raises
    ------
    ValueError
        If the threshold is not positive.
    """
    limit = tables.choices.responder_threshold if threshold is None else threshold
    parts = []
    for name in FOLLOWUPS:
        table = describe_flag(tables.response(name, limit))
        month = tables.choices.month(name)
        parts.append(table.assign(timepoint=name, month=month, threshold=limit))
    first = ["cohort", "timepoint", "month", "threshold"]
    return _stacked(parts)[[*first, "n", "missing", "count", "percent"]]


def missing(tables: Tables) -> Frame:
    """Return who is missing at each follow-up; see `rederive.retrospective.missingness`."""
    return missingness(tables.measured("mrss")).rename(columns={"target": "timepoint"})


def function_measures(tables: Tables, *, restricted: bool = False) -> Frame:
    """Return each organ or function measure at baseline and month 12, under every paired test.

    Parameters
    ----------
    tables : Tables
        The cohorts.
    restricted : bool
        Whether windows are those of the sensitivity analysis.

    Returns
    -------
    DataFrame
        Columns cohort, measure, at_baseline (patients with a baseline), n (with both values),
        baseline_mean, baseline_sd, followup_mean, followup_sd, change_mean, change_sd (all of
        these n), increased, decreased, unchanged, test (``paired t`` or the name of a convention
        of the signed-rank test), p, status and used (whether this test gives the article's p).
    """
    parts = []
    for measure in ORGAN_MEASURES:
        values = tables.measured(measure, restricted=restricted)
        change = paired_change(values, MAIN_ORGAN_TIMEPOINT)
        at_baseline = describe_number(values["baseline"])["n"].to_numpy()
        tests = {
            convention.name: signed_rank(values, MAIN_ORGAN_TIMEPOINT, convention=convention)
            for convention in CONVENTIONS
        }
        counts = tests[CONVENTIONS[0].name][["increased", "decreased", "unchanged"]]
        used = PAIRED_T
        if tables.test_of(measure) == "signed_rank":
            used = tables.choices.signed_rank_convention
        about = pd.concat([change.drop(columns=["p", "status"]), counts], axis=1)
        about = about.assign(measure=measure, at_baseline=at_baseline)
        for name, table in {PAIRED_T: change, **tests}.items():
            result = table[["p", "status"]]
            parts.append(pd.concat([about, result], axis=1).assign(test=name, used=name == used))
    columns = ["cohort", "measure", "at_baseline", "n", "baseline_mean", "baseline_sd"]
    columns += ["followup_mean", "followup_sd", "change_mean", "change_sd"]
    columns += ["increased", "decreased", "unchanged", "test", "p", "status", "used"]
    return _stacked(parts)[columns]


def printed_change(registry: Registry, group: str, timepoint: str) -> PrintedGroup:
    """Return a control group's change in skin score, its n being that at baseline.

    The article does not print how many controls were followed.
    """

    def printed(row_id: str) -> float:
        return float(registry.numbers[row_id].printed.value)

    name = group.lower()
    stem = f"abstract-mrss-change-{name}-{timepoint}"
    size = int(printed(f"table1-cohort-size-{name}-n"))
    return PrintedGroup(printed(f"{stem}-mean"), printed(f"{stem}-sd"), size, group)


def controls(tables: Tables, registry: Registry) -> Frame:
    """Return the change in skin score against that of each historical control group.

    Returns
    -------
    DataFrame
        Columns cohort, timepoint, group, then as `rederive.retrospective.two_sample`.
    """
    parts = []
    for timepoint, groups in COMPARATORS.items():
        change = tables.change(timepoint)
        for group in groups:
            control = printed_change(registry, group, timepoint)
            table = two_sample(change, control, tables.choices.two_sample_test, CONFIDENCE)
            parts.append(table.assign(timepoint=timepoint, group=group))
    together = _stacked(parts)
    first = ["cohort", "timepoint", "group"]
    return together[first + [name for name in together.columns if name not in first]]


def rubs(figures: Figures) -> Frame:
    """Return the course of tendon friction rubs from baseline to month 6.

    Returns
    -------
    DataFrame
        Columns cohort, windows (``primary`` or ``restricted``), present (at baseline), resolved,
        continued and unknown (at month 6).
    """
    parts = []
    for windows, suffix in (("primary", ""), ("restricted", "_restricted")):
        columns: dict[str, Any] = {"windows": windows}
        columns["present"] = figures.table(f"tfr{suffix}", "baseline")["count"]
        for word in ("resolved", "continued", "unknown"):
            columns[word] = figures.table(f"tfr_{word}{suffix}", "m6")["count"]
        parts.append(pd.DataFrame(columns).reset_index())
    return _stacked(parts)


def sensitivity(tables: Tables) -> Frame:
    """Return the change of every measure under the primary and the restricted windows.

    Returns
    -------
    DataFrame
        Columns cohort, measure, timepoint, then n, change_mean and p of the primary windows, the
        same of the restricted ones with ``restricted_`` before them, and same_decision: whether
        both p lie on the same side of the significance level, false where either is NaN.
    """
    pairs = [("mrss", name) for name in FOLLOWUPS]
    pairs += [(measure, MAIN_ORGAN_TIMEPOINT) for measure in ORGAN_MEASURES]
    alpha, parts = tables.choices.alpha, []
    for measure, timepoint in pairs:
        primary = tables.paired(measure, timepoint)[["n", "change_mean", "p"]]
        tight = tables.paired(measure, timepoint, restricted=True)[primary.columns]
        table = primary.join(tight.add_prefix("restricted_")).reset_index()
        table.insert(1, "measure", measure)
        table.insert(2, "timepoint", timepoint)
        p = table[["p", "restricted_p"]].to_numpy(dtype=float)
        same = (p[:, 0] < alpha) == (p[:, 1] < alpha)
        parts.append(table.assign(same_decision=same & ~np.isnan(p).any(axis=1)))
    return _stacked(parts)
