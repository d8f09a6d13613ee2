"""The cohorts that the book ships: an ensemble for each prior, and one to teach with.

Run as a module (``python -m ivig_dcssc.shipped``, or ``make cohorts``) it makes what is
missing in ``data/cohorts``; an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from ivig_dcssc.associations import compute_associations
from ivig_dcssc.generator.ensemble import SYNTHETIC, make_ensemble
from ivig_dcssc.generator.predictions import compute_predictions
from ivig_dcssc.generator.recipe import Recipe
from ivig_dcssc.generator.skin import PRIORS
from ivig_dcssc.generator.skin_bounds import compute_bounds
from ivig_dcssc.project import (
    ASSOCIATIONS_FILE,
    BOUNDS_FILE,
    PATIENTS,
    PREDICTIONS_FILE,
    VISITS,
    cohorts_folder,
    project_root,
)
from rederive.printed.registry import load_registry
from rederive.retrospective import Cohort, write_cohort

COHORTS = 200
"""Cohorts of each shipped ensemble."""

SEED = 2015
TEACHING = "synthetic-teaching"
"""Folder of the cohort to teach with, as CSV files."""

TEACHING_COHORT = ("gaussian", 0)
"""Prior and number of the cohort to teach with."""


def ship(root: Path) -> None:
    """Make what is missing of ensembles, teaching cohort, predictions, associations and bounds."""

    def report(done: int, wanted: int) -> None:
        _say(f"  {done} of {wanted}")

    published, folder = root / "data" / "published", cohorts_folder(root)
    for prior in PRIORS:
        _say(f"{prior}: {COHORTS} cohorts")
        make_ensemble(published, folder / prior, Recipe(prior, SEED), COHORTS, progress=report)
    teach(folder)
    for file, compute in (
        (PREDICTIONS_FILE, compute_predictions),
        (ASSOCIATIONS_FILE, compute_associations),
    ):
        if not (folder / file).exists():
            compute(load_registry(published), folder, _say)
    for name, found in compute_bounds(load_registry(published), root / BOUNDS_FILE):
        _say(f"{name}: {found.low.limit:.10g} to {found.high.limit:.10g}; {found.seconds} s")


def teach(folder: Path) -> None:
    """Write the teaching cohort as CSV files, from the ensemble that holds it."""
    prior, number = TEACHING_COHORT
    patients, visits = (
        pd.read_parquet(folder / prior / name, filters=[("cohort", "==", number)])
        for name in (PATIENTS, VISITS)
    )
    cohort = Cohort(
        patients.drop(columns=["cohort", "chain"]),
        visits.drop(columns="cohort").astype({"patient": str, "measure": str}),
    )
    write_cohort(cohort, folder / TEACHING, SYNTHETIC)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    ship(project_root())
