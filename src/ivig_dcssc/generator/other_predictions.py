"""Figures of other measures than the skin score, switched off and predicted from the rest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ivig_dcssc.generator.measure_priors import PLAUSIBLE
from ivig_dcssc.generator.measures import FOLLOWUP_SIZES, ONCE, PAIRED, block_of
from ivig_dcssc.generator.severities import TIGHT_P, draw_severities, p_id
from rederive.printed.registry import Registry
from rederive.recompute.signed_rank import stata_signed_rank_p
from rederive.reconstruct.block import Block, Prediction, predict

Floats = npt.NDArray[np.float64]

_HEAT, _THIN = 6.0, 20
_FOLLOWED = FOLLOWUP_SIZES[len(FOLLOWUP_SIZES) // 2]


def measure_block(registry: Registry, figure: str) -> Block | None:
    """Return the block of the measure that prints a figure, if one does.

    Where the article states no number of patients at month 12, the middle one of those that the
    cohorts have is taken.
    """
    for name in (*ONCE, "treatment", *PAIRED):
        block = block_of(registry, name, _FOLLOWED)
        if figure in [known.id for known in block.figures]:
            return block
    return None


def predict_measure(
    registry: Registry, block: Block, figure: str, draws: int, seed: int
) -> Prediction:
    """Predict a figure of a measure from the measure's other figures and its prior."""
    prior = PLAUSIBLE[block.name].prior
    return predict(block, figure, prior, draws, seed, thin=_THIN, heat=_HEAT)


def predict_severity_p(registry: Registry, figure: str, draws: int, seed: int) -> Floats:
    """Return the signed-rank p of a severity score in draws that need not print it.

    Parameters
    ----------
    figure : str
        Id of the p value printed for an organ, main or tight windows.

    Returns
    -------
    array, shape (draws,)
    """
    organs = {p_id(organ): organ for organ in draw_severities(registry, _rng(seed, 0)).baseline}
    organ = organs.get(figure, "muscle")
    found = np.empty(draws)
    for draw in range(draws):
        one = draw_severities(registry, _rng(seed, draw), without=(figure,))
        change = one.followup[organ] - one.baseline[organ]
        if figure == TIGHT_P:
            change = change[one.tight]
        found[draw] = stata_signed_rank_p(change[np.isfinite(change)].tolist())
    return found


def _rng(seed: int, draw: int) -> np.random.Generator:
    return np.random.default_rng([seed, draw])
