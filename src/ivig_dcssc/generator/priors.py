"""The priors of skin-score trajectories.

None of them takes a number from the article's own skin scores, so nothing of a figure that is
switched off leaks into its prediction. What the other figures do not decide follows the prior all
the same, which is why there are three. The Gaussian one says what the trials of the
historical controls show of diffuse disease: a score of about 26 that falls slowly. The bimodal one
says that treatment divides patients into improvers and others. The flat one says nothing.
"""

from __future__ import annotations

from rederive.reconstruct.block import FLAT, Component, Prior

_NEIGHBOURS = 0.7
"""Correlation of scores six months apart; the article does not identify it among follow-ups."""

GAUSSIAN = Prior(
    "gaussian",
    (Component(1.0, (26.0, 23.5, 22.0, 21.0, 20.0), (9.0, 9.0, 9.0, 9.0, 9.0), _NEIGHBOURS),),
)

BIMODAL = Prior(
    "bimodal",
    (
        Component(0.5, (26.0, 17.0, 14.0, 12.0, 11.0), (7.0, 7.0, 7.0, 7.0, 7.0), _NEIGHBOURS),
        Component(0.5, (26.0, 26.0, 26.0, 26.0, 26.0), (7.0, 7.0, 7.0, 7.0, 7.0), _NEIGHBOURS),
    ),
)

PRIORS = {prior.name: prior for prior in (GAUSSIAN, FLAT, BIMODAL)}
"""All priors by name."""
