"""The article's search for predictors: each variable by itself, on response and on change."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ivig_dcssc.reproduced.choices import CONFIDENCE
from ivig_dcssc.reproduced.tables import Frame, Tables
from rederive.retrospective import linear, logistic

PRINTED_BY_ITSELF = "concomitant_prednisone"
"""The predictor of response that the article prints, so that "none of the others" leaves it out."""

STOP_REASONS = (
    "improvement",
    "stable",
    "insurance",
    "progressing",
    "aseptic_meningitis",
    "tia",
    "moved",
    "death",
)
"""Reasons for stopping; a patient still treated has none of them."""

TIMEPOINTS = ("m6", "m12")
"""Time points whose response and change the article tried to predict."""


def candidates(tables: Tables) -> dict[str, pd.Series[Any]]:
    """Return the variables that the article examined as predictors, by cohort and patient.

    Race counts as white or not, unknown race as not; each reason for stopping is one predictor.
    """
    names = ["age_onset", "female", "disease_duration", "cycles", "treatment_length"]
    names += tables.names("concomitant_")
    names += ["antitopoisomerase", "anti_rna_polymerase_iii"]
    found = {name: tables.number(name) for name in names}
    found["white"] = tables.among("race", ["white"]).astype(float)
    for reason in STOP_REASONS:
        found[f"stop_{reason}"] = tables.among("stop_reason", [reason]).astype(float)
    return found


def search(tables: Tables) -> Frame:
    """Return every simple regression of response and change on a predictor.

    Returns
    -------
    DataFrame
        Columns cohort, predictor, outcome (``response`` or ``change``), timepoint, n, estimate (an
        odds ratio, or points of skin score per unit of the predictor), low, high, p (0 for an exact
        fit) and status.
    """
    found = candidates(tables)
    parts = []
    for timepoint in TIMEPOINTS:
        response, change = tables.response(timepoint), tables.change(timepoint)
        for name, predictor in found.items():
            odds = logistic(response, predictor, CONFIDENCE).rename(
                columns={"odds_ratio": "estimate"}
            )
            slope = linear(change, predictor, CONFIDENCE).rename(columns={"slope": "estimate"})
            # Without residuals t is infinite; a claim that nothing predicts must not pass it over.
            slope["p"] = slope["p"].mask(slope["status"] == "exact fit", 0.0)
            for outcome, table in (("response", odds), ("change", slope)):
                parts.append(_tidy(table, name, outcome, timepoint))
    together = pd.concat(parts, ignore_index=True)
    return together.sort_values("cohort", kind="stable").reset_index(drop=True)


def _tidy(table: Frame, predictor: str, outcome: str, timepoint: str) -> Frame:
    labelled = table.assign(predictor=predictor, outcome=outcome, timepoint=timepoint)
    first = ["cohort", "predictor", "outcome", "timepoint"]
    return labelled[[*first, "n", "estimate", "low", "high", "p", "status"]]


def smallest(found: Frame, alpha: float) -> Frame:
    """Return the smallest p of each cohort's regressions.

    Parameters
    ----------
    found : DataFrame
        Regressions as `search` returns them, one outcome and time point of each cohort.
    alpha : float
        Significance level.

    Returns
    -------
    DataFrame
        By cohort; columns regressions, not_estimable, predictor (of the smallest p, missing if no
        regression is estimable), p, significant (how many).
    """
    ordered = found.assign(
        estimable=found["p"].notna(),
        significant=found["p"] < alpha,
        predictor=found["predictor"].where(found["p"].notna(), None),
    ).sort_values(["cohort", "p"], kind="stable", na_position="last")
    table = ordered.groupby("cohort").agg(
        regressions=("p", "size"),
        estimable=("estimable", "sum"),
        predictor=("predictor", "first"),
        p=("p", "min"),
        significant=("significant", "sum"),
    )
    table["not_estimable"] = table["regressions"] - table["estimable"]
    return table[["regressions", "not_estimable", "predictor", "p", "significant"]]
