"""What the article's search for predictors finds in cohorts that were not told to find nothing.

The claims that nothing predicts response or change are switched off, as are the rules of coherence
of our own; every other figure stays: so how often they hold is a prediction.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.analysis import Choices, CohortResults
from ivig_dcssc.generator.coherence import RULES
from ivig_dcssc.generator.patients.predictors import predictor_claims
from ivig_dcssc.generator.recipe import Recipe, draw_cohorts, versions
from ivig_dcssc.generator.skin import COMPARED
from ivig_dcssc.project import ASSOCIATIONS_FILE
from rederive.printed.registry import Registry
from rederive.reconstruct.study.tables import write_table
from rederive.retrospective import Cohort

COHORTS = 200
SEED = 20150202
_PART = 50


def compute_associations(registry: Registry, folder: Path, report: Callable[[str], None]) -> None:
    """Run the search for predictors on cohorts without the claims about it, and write the results.

    The table goes to :data:`ASSOCIATIONS_FILE` in a folder and has the columns prior, cohort, and
    those of :func:`ivig_dcssc.analysis.figures.search`. Each prior is reported by a line.
    """
    # Reasons for stopping that suit the course are our choice, and would predict it.
    left_out = (*predictor_claims(registry), *RULES)
    tables = []
    for prior in COMPARED:
        report(f"associations, {prior.name}: {COHORTS} cohorts")
        drawn = _draw(registry, Recipe(prior.name, SEED, without=left_out))
        found = CohortResults(drawn, Choices.of(), registry).predictors()
        tables.append(found.assign(prior=prior.name))
    table = pd.concat(tables, ignore_index=True)
    table = table.astype(dict.fromkeys(["estimate", "low", "high", "p"], np.float32))
    table = table[["prior", *table.columns.drop("prior")]]
    notes = {
        "what": "simple regressions in synthetic cohorts without the claims about predictors",
        "seed": SEED,
        "cohorts": COHORTS,
        "without": list(left_out),
        "priors": [prior.describe() for prior in COMPARED],
        "versions": versions(),
    }
    write_table(folder / ASSOCIATIONS_FILE, table, notes)


def _draw(registry: Registry, recipe: Recipe) -> Cohort:
    parts = (draw_cohorts(registry, recipe, part, _PART) for part in range(COHORTS // _PART))
    tables = [
        (drawn.patients.assign(cohort=number), drawn.visits.assign(cohort=number))
        for number, drawn in enumerate(chain.from_iterable(parts))
    ]
    return Cohort(*(pd.concat(each, ignore_index=True) for each in zip(*tables, strict=True)))
