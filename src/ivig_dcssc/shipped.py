"""The cohorts that the book ships: an ensemble for each prior, and one to teach with.

Run as a module (``python -m ivig_dcssc.shipped``, or ``make cohorts``) it makes what is
missing in ``data/cohorts``; an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.analysis import Choices, CohortResults
from ivig_dcssc.generator.coherence import RULES
from ivig_dcssc.generator.drawing import predictor_claims
from ivig_dcssc.generator.ensemble import SYNTHETIC, make_ensemble
from ivig_dcssc.generator.predictions import compute_predictions
from ivig_dcssc.generator.recipe import Recipe, draw_cohorts, versions
from ivig_dcssc.generator.skin import COMPARED, PRIORS, compute_bounds
from ivig_dcssc.parameters import COHORT_SEED, COHORTS_MADE
from ivig_dcssc.project import (
    ASSOCIATIONS_FILE,
    BOUNDS_FILE,
    COHORTS,
    PATIENTS,
    PREDICTIONS_FILE,
    VISITS,
    project_root,
)
from rederive.printed.registry import Registry, load_registry
from rederive.reconstruct.study.tables import write_table
from rederive.retrospective import Cohort, write_cohort

ASSOCIATIONS_SEED = 20150202
_PART = 50
TEACHING = "synthetic-teaching"
"""Folder of the cohort to teach with, as CSV files."""

TEACHING_COHORT = ("gaussian", 0)
"""Prior and number of the cohort to teach with."""


def ship(root: Path) -> None:
    """Make what is missing of ensembles, teaching cohort, predictions, associations and bounds."""

    def report(done: int, wanted: int) -> None:
        _say(f"  {done} of {wanted}")

    published, folder = root / "data" / "published", root / COHORTS
    for prior in PRIORS:
        _say(f"{prior}: {COHORTS_MADE} cohorts")
        recipe = Recipe(prior, COHORT_SEED)
        make_ensemble(published, folder / prior, recipe, COHORTS_MADE, progress=report)
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


def compute_associations(registry: Registry, folder: Path, report: Callable[[str], None]) -> None:
    """Write what the article's search for predictors finds in cohorts not told to find nothing.

    The claims that nothing predicts response or change are switched off, as are the rules of
    coherence of our own; every other figure stays: so how often they hold is a prediction.
    The table goes to :data:`ASSOCIATIONS_FILE` in a folder and has the columns prior, cohort, and
    those of :func:`ivig_dcssc.analysis.figures.search`. Each prior is reported by a line.
    """
    # Reasons for stopping that suit the course are our choice, and would predict it.
    left_out = (*predictor_claims(registry), *RULES)
    tables = []
    for prior in COMPARED:
        report(f"associations, {prior.name}: {COHORTS_MADE} cohorts")
        drawn = _draw(registry, Recipe(prior.name, ASSOCIATIONS_SEED, without=left_out))
        found = CohortResults(drawn, Choices.of(), registry).predictors()
        tables.append(found.assign(prior=prior.name))
    table = pd.concat(tables, ignore_index=True)
    table = table.astype(dict.fromkeys(["estimate", "low", "high", "p"], np.float32))
    table = table[["prior", *table.columns.drop("prior")]]
    notes = {
        "what": "simple regressions in synthetic cohorts without the claims about predictors",
        "seed": ASSOCIATIONS_SEED,
        "cohorts": COHORTS_MADE,
        "without": list(left_out),
        "priors": [prior.describe() for prior in COMPARED],
        "versions": versions(),
    }
    write_table(folder / ASSOCIATIONS_FILE, table, notes)


def _draw(registry: Registry, recipe: Recipe) -> Cohort:
    parts = (draw_cohorts(registry, recipe, part, _PART) for part in range(COHORTS_MADE // _PART))
    tables = [
        (drawn.patients.assign(cohort=number), drawn.visits.assign(cohort=number))
        for number, drawn in enumerate(chain.from_iterable(parts))
    ]
    return Cohort(*(pd.concat(each, ignore_index=True) for each in zip(*tables, strict=True)))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    ship(project_root())
