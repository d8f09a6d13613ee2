"""The article's statements about the IVIG group without a figure, answered by every cohort.

A claim holds if the cohort's answer is the word that the registry expects. Answers are
``significant``, ``not_significant``, ``not computable`` and ``not lower`` where a test is claimed,
``true`` and ``false`` otherwise. Three limits are not the article's but ours: borderline is a p
within a factor 2 of the significance level, a large share is more than half, and creatine
phosphokinase is normal up to 200 U/L.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.analysis.choices import FOLLOWUPS, SEVERITIES
from ivig_dcssc.analysis.figures import STOP_REASONS, Figures, about, serial_cpk
from ivig_dcssc.analysis.tables import Frame
from rederive.printed.registry import ClaimRow

CPK_NORMAL = 200
"""Upper limit of normal creatine phosphokinase in U/L; our choice, the article prints none."""

COMMONEST = ("headache", "fatigue", "nausea", "fever", "arthralgia", "rash", "weakness")
"""The adverse effects that the results name as the most common."""

GIVEN = ("prednisone", "methotrexate", "cyclophosphamide", "hydroxychloroquine", "mmf", "imatinib")
"""Concomitant drugs that somebody had; the article rules out all others."""

SMALL = 1e-9
"""Differences of means or odds ratios below this are rounding of floats."""

UNCHANGED = "not_significant"
NOT_COMPUTABLE = "not computable"
"""The word of a cohort that has no data for a claim."""

_BY_GRAVITY = (NOT_COMPUTABLE, "not lower", "significant", UNCHANGED)

Key = tuple[str, str, str]
"""Variable, time point and kind of a claim."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What each cohort says: the word, and the p that decides it (NaN if none does).

    Arrays of shape (cohorts,); ``known`` says whether a cohort has data for it at all.
    """

    word: Any
    p: Any = np.nan
    known: Any = True


def answer(figures: Figures, row: ClaimRow) -> Frame:
    """Return the answers to a claim.

    Columns cohort, computed (the cohort's word), holds, p and known (whether the cohort has data
    for it).
    """
    function, *arguments = ANSWERS[row.variable, row.timepoint, row.kind]
    found: Answers = function(figures, *arguments)
    cohorts = figures.tables.cohorts
    word = np.asarray(found.word, dtype=object)
    known = np.broadcast_to(np.asarray(found.known, dtype=bool), len(cohorts))
    return pd.DataFrame(
        {
            "cohort": cohorts,
            "computed": word,
            "holds": word == row.expected,
            "p": np.broadcast_to(found.p, len(cohorts)),
            "known": known & (word != NOT_COMPUTABLE),
        }
    )


def decision(figures: Figures, p: pd.Series[Any]) -> Any:
    """Return ``significant``, ``not_significant`` or, where p is NaN, ``not computable``."""
    below = p < figures.tables.choices.alpha
    return np.select([p.isna(), below], [NOT_COMPUTABLE, "significant"], UNCHANGED).astype(object)


def _truth(holds: Any) -> Any:
    return np.where(np.asarray(holds, dtype=bool), "true", "false")


def _worst(words: Sequence[Any], good: str) -> Any:
    """Return for each cohort the gravest word that is not the good one, if there is any."""
    found = np.full(len(words[0]), good, dtype=object)
    for word in reversed([each for each in _BY_GRAVITY if each != good]):
        found[np.any([each == word for each in words], axis=0)] = word
    return found


def _p(figures: Figures, variable: str, timepoint: str = "m12") -> pd.Series[Any]:
    return figures.table(variable, timepoint)["p"].astype(float)


def _falls(
    figures: Figures, measure: str, timepoint: str = "m12", *, restricted: bool = False
) -> Any:
    table = figures.tables.paired(measure, timepoint, restricted=restricted)
    return (table["change_mean"] < -SMALL).to_numpy()


# Tests of change


def _tested(figures: Figures, variable: str, timepoint: str) -> Answers:
    p = _p(figures, variable, timepoint)
    return Answers(decision(figures, p), p)


def _lower(figures: Figures, measure: str, *timepoints: str) -> Answers:
    every = [_p(figures, measure, name) for name in timepoints]
    words = [
        np.where(_falls(figures, measure, name), decision(figures, p), "not lower")
        for name, p in zip(timepoints, every, strict=True)
    ]
    # The largest p decides whether all of them are below the level.
    largest = np.max([p.to_numpy() for p in every], axis=0)
    return Answers(_worst(words, "significant"), largest, ~np.isnan(largest))


def _decreasing(figures: Figures, restricted: bool) -> Answers:
    values = figures.tables.measured("mrss", restricted=restricted)["baseline"]
    later = [figures.tables.paired("mrss", name, restricted=restricted) for name in FOLLOWUPS]
    means = [values.groupby(level="cohort").mean(), *(table["followup_mean"] for table in later)]
    courses = np.stack([each.to_numpy(dtype=float) for each in means], axis=1)
    # A difference with NaN is never below zero, so a time point without patients fails.
    holds = (np.diff(courses, axis=1) < -SMALL).all(axis=1)
    return Answers(_truth(holds), known=~np.isnan(courses).any(axis=1))


def _same_skin_scores(figures: Figures) -> Answers:
    same: Any = True
    known: Any = True
    for name in FOLLOWUPS:
        first, again = (
            figures.tables.paired("mrss", name, restricted=restricted)["p"]
            for restricted in (False, True)
        )
        falls = _falls(figures, "mrss", name) == _falls(figures, "mrss", name, restricted=True)
        same = same & falls & (decision(figures, first) == decision(figures, again))
        known = known & first.notna().to_numpy() & again.notna().to_numpy()
    return Answers(_truth(same & known), known=known)


def _same(figures: Figures, *measures: str) -> Answers:
    same: Any = True
    for measure in measures:
        first, again = _p(figures, measure), _p(figures, f"{measure}_restricted")
        same = same & (decision(figures, first) == decision(figures, again))
        same = same & again.notna().to_numpy()
    return Answers(_truth(same))


def _borderline(
    figures: Figures, variable: str, lower: str = "", restricted: bool = False
) -> Answers:
    """Answer whether p is near the level, and perhaps a measure lower."""
    p, alpha = _p(figures, variable), figures.tables.choices.alpha
    near = p.between(alpha / 2, 2 * alpha).to_numpy()
    if lower:
        near = near & _falls(figures, lower, restricted=restricted)
    return Answers(_truth(near), p, p.notna())


def _odds_below_one(figures: Figures) -> Answers:
    table = figures.table("responder_prednisone", "m12")
    return Answers(_truth(table["or"] < 1 - SMALL), table["p"], table["or"].notna())


def _disability_lower(figures: Figures) -> Answers:
    before, after = (figures.table("haq_di", at)["mean"] for at in ("baseline", "m12"))
    change = after.astype(float) - before.astype(float)
    return Answers(_truth(change < -SMALL), known=change.notna())


def _renal_unchanged(figures: Figures) -> Answers:
    table = figures.tables.paired("severity_renal", "m12")
    some = table["n"] > 0
    nobody = (table["increased"] + table["decreased"]) == 0
    return Answers(_truth(some & nobody), table["p"], some)


def _organs_unchanged(figures: Figures) -> Answers:
    every = [_p(figures, name) for name in SEVERITIES]
    word = _worst([decision(figures, p) for p in every], UNCHANGED)
    return Answers(word, pd.concat(every, axis=1).min(axis=1))


# Counts


def _cpk_normalised(figures: Figures) -> Answers:
    serial = serial_cpk(figures.tables)
    normal = (serial["before"] > CPK_NORMAL) & (serial["last"] <= CPK_NORMAL)
    counts = normal.groupby(level="cohort").agg(["sum", "size"])
    counts = counts.reindex(figures.tables.cohorts, fill_value=0).astype(int)
    some = counts["size"] > 0
    return Answers(_truth(some & (counts["sum"] == counts["size"])), known=some)


def _count(figures: Figures, variable: str) -> Any:
    return figures.table(variable, "")["count"].to_numpy(dtype=int)


def _recorded(figures: Figures, *names: str) -> Any:
    """Return for each cohort whether one of some columns has a value at all."""
    return figures.tables.recorded(names).groupby(level="cohort").first().to_numpy()


def _commonest_effects(figures: Figures) -> Answers:
    named = [f"ae_{name}" for name in COMMONEST]
    # The meningitis stands in Table 2 as part of the headaches, not as a row of its own.
    apart = {*named, "ae_aseptic_meningitis"}
    others = [name for name in figures.tables.names("ae_") if name not in apart]
    least = np.min([_count(figures, name) for name in named], axis=0)
    most = np.max([_count(figures, name) for name in others], axis=0)
    return Answers(_truth(least > most), known=_recorded(figures, *named, *others))


def _main_reason(figures: Figures) -> Answers:
    better = _count(figures, "stop_improved_or_stable")
    every = np.sum([_count(figures, f"stop_{name}") for name in STOP_REASONS], axis=0)
    return Answers(_truth(better > every - better), known=_recorded(figures, "stop_reason"))


def _no_other_drug(figures: Figures) -> Answers:
    allowed = {f"concomitant_{name}" for name in GIVEN}
    names = [name for name in figures.tables.names("concomitant_") if name not in allowed]
    given = np.zeros(len(figures.tables.cohorts), dtype=bool)
    for name in names:
        given |= _count(figures, name) > 0
    return Answers(_truth(~given), known=_recorded(figures, *names) if names else True)


def _majority(figures: Figures, variable: str, timepoint: str) -> Answers:
    table = figures.table(variable, timepoint)
    return Answers(_truth(table["percent"] > 50), known=table["n"] > 0)


def _none_predicts(figures: Figures, variable: str, timepoint: str) -> Answers:
    chosen = about(figures.regressions, variable, timepoint)
    p = chosen.groupby("cohort")["p"].min()
    some = p < figures.tables.choices.alpha
    return Answers(np.where(some, "significant", UNCHANGED), p)


ANSWERS: dict[Key, tuple[Any, ...]] = {
    ("mrss", "", "significant"): (_lower, "mrss", *FOLLOWUPS),
    **{("mrss", name, "significant"): (_lower, "mrss", name) for name in FOLLOWUPS},
    ("patient_rating", "m12", "significant"): (_lower, "patient_rating", "m12"),
    ("mrss", "", "decreasing"): (_decreasing, False),
    ("mrss_restricted", "", "decreasing"): (_decreasing, True),
    ("mrss_restricted", "", "same_conclusion"): (_same_skin_scores,),
    ("haq_di_restricted", "m12", "same_conclusion"): (_same, "haq_di"),
    ("pulmonary_function_restricted", "m12", "same_conclusion"): (_same, "fvc", "dlco"),
    ("severity_restricted", "m12", "same_conclusion"): (_same, *SEVERITIES),
    ("responder_prednisone", "m12", "borderline"): (_borderline, "responder_prednisone"),
    ("severity_muscle", "m12", "borderline"): (_borderline, "severity_muscle", "severity_muscle"),
    ("severity_muscle_restricted", "m12", "borderline"): (
        _borderline, "severity_muscle_restricted", "severity_muscle", True,
    ),
    ("responder_prednisone", "m12", "direction"): (_odds_below_one,),
    ("haq_di", "m12", "direction"): (_disability_lower,),
    ("severity_renal", "m12", "unchanged"): (_renal_unchanged,),
    ("severity_organs", "m12", "unchanged"): (_organs_unchanged,),
    ("cpk_serial", "", "normalised"): (_cpk_normalised,),
    ("adverse_effects", "", "ordering"): (_commonest_effects,),
    ("stop_improved_or_stable", "", "ordering"): (_main_reason,),
    ("concomitant_other", "", "none"): (_no_other_drug,),
    **{
        (variable, timepoint, kind): (_tested, variable, timepoint)
        for variable, timepoint, kind in (
            ("responder_prednisone", "m6", UNCHANGED),
            ("haq_di", "m12", UNCHANGED),
            ("fvc", "m12", "unchanged"),
            ("dlco", "m12", "unchanged"),
            *((name, "m12", UNCHANGED) for name in SEVERITIES),
        )
    },
    **{
        (variable, timepoint, kind): (_majority, variable, timepoint)
        for variable, timepoint, kind in (
            ("concomitant_mmf", "", "large_share"),
            ("concomitant_mmf", "", "majority"),
            ("prior_mmf", "baseline", "large_share"),
            ("prior_therapy", "baseline", "majority"),
            ("responder", "m6", "majority"),
            ("responder", "m12", "majority"),
        )
    },
    **{
        (variable, timepoint, "none_predict"): (_none_predicts, variable, timepoint)
        for variable in ("responder_predictors", "mrss_change_predictors")
        for timepoint in ("m6", "m12")
    },
}  # fmt: skip
"""The claims that a cohort answers: a function, and its arguments after the figures."""
