"""Draws of skin scores with the scores that nobody measured, kept for teaching.

Cohorts hold what was measured, so none shows the score of a patient who did not come. Run as a
script it draws anew what is kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ivig_dcssc.generator.recipe import versions
from ivig_dcssc.generator.skin import PRIORS, skin_block
from ivig_dcssc.project import project_root
from rederive.printed.registry import load_registry
from rederive.reconstruct.block import sample_data
from rederive.reconstruct.study.tables import write_table

KEPT = project_root() / "data" / "cohorts" / "unseen.parquet"
"""One row a prior, draw, patient and month: the score, and whether it was measured."""

MISSING_BY = ("gaussian", "lost-by-last", "lost-by-own")
"""Priors under which patients are lost by chance, by their last score, or by the missing one."""

MONTHS = (0, 6, 12, 18, 24)
DRAWS = 40


def unseen(prior: str) -> pd.DataFrame:
    """Return draws of one prior, with the scores that are missing."""
    block = skin_block(load_registry(project_root() / "data" / "published"))
    drawn = sample_data(block, PRIORS[prior], DRAWS, chains=2)
    draws, patients, months = (each.ravel() for each in np.indices(drawn.values.shape))
    return pd.DataFrame(
        {
            "prior": prior,
            "draw": draws.astype(np.int8),
            "patient": patients.astype(np.int8),
            "month": np.array(MONTHS, np.int8)[months],
            "score": drawn.values.ravel().astype(np.int8),
            "measured": drawn.mask.ravel(),
        }
    )


if __name__ == "__main__":
    table = pd.concat(map(unseen, MISSING_BY), ignore_index=True)
    write_table(KEPT, table, {"seed": 0, "draws": DRAWS, "versions": versions()})
