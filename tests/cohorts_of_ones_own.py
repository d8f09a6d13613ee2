"""Cohorts as users bring them: the teaching cohort, one with gaps, one with skin scores alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.project import COHORTS, project_root
from ivig_dcssc.shipped import TEACHING_COHORT
from rederive.retrospective import Cohort, write_cohort

FOLDER = project_root() / COHORTS


def from_ensemble() -> Cohort:
    """The teaching cohort as the ensemble holds it."""
    prior, number = TEACHING_COHORT
    patients, visits = (
        pd.read_parquet(FOLDER / prior / f"{name}.parquet", filters=[("cohort", "==", number)])
        for name in ("patients", "visits")
    )
    kept = patients.drop(columns=["cohort", "chain"])
    return Cohort(kept, visits.drop(columns="cohort").astype({"patient": str, "measure": str}))


def another(folder: Path) -> Path:
    """Write twenty-two patients with other scores, without some columns and measures."""
    rng = np.random.default_rng(3)
    whole = from_ensemble()
    patients = whole.patients.iloc[:22].copy()
    visits = whole.visits[whole.visits["patient"].isin(patients["patient"])].copy()
    scores = visits["measure"] == "mrss"
    moved = visits.loc[scores, "value"] + rng.integers(-3, 4, int(scores.sum()))
    visits.loc[scores, "value"] = moved.clip(0, 51)
    gone = ["rnp", "first_line", "race", "prior_gold", "concomitant_imatinib", "ae_tia"]
    visits = visits[~visits["measure"].isin(["rvsp", "severity_renal", "patient_rating"])]
    write_cohort(Cohort(patients.drop(columns=gone), visits), folder)
    return folder


def least(folder: Path) -> Path:
    """Write eight patients with skin scores and nothing else, as is enough."""
    whole = from_ensemble()
    patients = whole.patients.iloc[:8][["patient"]]
    visits = whole.visits[whole.visits["patient"].isin(patients["patient"])]
    write_cohort(Cohort(patients, visits[visits["measure"] == "mrss"]), folder)
    return folder
