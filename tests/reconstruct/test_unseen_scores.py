"""The kept draws with missing scores in sight are what the tool draws, and print the article."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ivig_dcssc.generator.skin import skin_block
from ivig_dcssc.project import project_root
from rederive.printed.registry import load_registry
from rederive.reconstruct.block import BlockData, holds
from unseen_scores import DRAWS, KEPT, MISSING_BY, unseen

TABLE = pd.read_parquet(KEPT)


def test_what_is_kept_is_drawn_anew() -> None:
    found = unseen(MISSING_BY[-1])
    kept = TABLE[TABLE["prior"] == MISSING_BY[-1]].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, found, check_dtype=False, check_column_type=False)


@pytest.mark.parametrize("prior", MISSING_BY)
def test_every_draw_prints_the_article(prior: str) -> None:
    block = skin_block(load_registry(project_root() / "data" / "published"))
    draws = TABLE[TABLE["prior"] == prior]
    shape = (DRAWS, block.patients, len(block.timepoints))
    values = draws["score"].to_numpy(np.int64).reshape(shape)
    measured = draws["measured"].to_numpy().reshape(shape)
    assert all(holds(BlockData(block, *each)) for each in zip(values, measured, strict=True))
