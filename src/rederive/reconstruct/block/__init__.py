"""One measure at several times: patient-level data that print every figure of it."""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from rederive.reconstruct.block.boxes import ContradictionError, boxes_of
    from rederive.reconstruct.block.figures import Block, Figure, Statistic
    from rederive.reconstruct.block.prediction import Prediction, predict
    from rederive.reconstruct.block.priors import FLAT, Component, Prior
    from rederive.reconstruct.block.sampling import (
        BlockData,
        BlockEnsemble,
        NothingFoundError,
        find_data,
        holds,
        sample_data,
    )

lazily(__name__)
