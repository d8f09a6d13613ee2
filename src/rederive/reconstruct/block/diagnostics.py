"""Whether the chains have settled, and how many independent draws their draws are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats  # type: ignore[attr-defined]

from rederive.reconstruct.block.figures import Block
from rederive.reconstruct.block.kernel import Floats
from rederive.reconstruct.block.sampling import BlockEnsemble

R_HAT_LIMIT = 1.05
"""Largest R-hat with which an ensemble is taken to have settled."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Convergence of one scalar quantity over the chains of an ensemble.

    Attributes
    ----------
    r_hat : float
        Rank-normalised split R-hat (Vehtari et al. 2021, doi 10.1214/20-BA1221); NaN for a
        quantity that never varies.
    ess : float
        Bulk effective sample size, by the same authors.
    """

    quantity: str
    r_hat: float
    ess: float
    draws: int


def diagnose(ensemble: BlockEnsemble) -> list[Diagnosis]:
    """Return R-hat and effective sample size of the quantities that the figures leave open.

    They are, for every follow-up: mean first value of the patients missing, mean and SD of the
    change, and its third central moment; and the third central moment of the first values.

    Parameters
    ----------
    ensemble : BlockEnsemble
        At least four draws of each chain.
    """
    return [
        diagnose_quantity(name, ensemble.by_chain(values))
        for name, values in open_quantities(ensemble.block, ensemble.observed()).items()
    ]


def diagnose_quantity(name: str, by_chain: Floats) -> Diagnosis:
    """Return R-hat and effective sample size of one quantity, shape (chains, draws of each)."""
    if np.ptp(by_chain) == 0:
        return Diagnosis(name, float("nan"), float("nan"), by_chain.size)
    r_hat = array_stats.rhat(by_chain, chain_axis=0, draw_axis=1)
    ess = array_stats.ess(by_chain, chain_axis=0, draw_axis=1)
    return Diagnosis(name, float(r_hat), float(ess), by_chain.size)


def open_quantities(block: Block, observed: Floats) -> Mapping[str, Floats]:
    """Return the quantities of :func:`diagnose`, one number per draw.

    Parameters
    ----------
    block : Block
        The measure.
    observed : array, shape (draws, patients, times)
        Values in its unit, NaN where nothing was measured.
    """
    first = observed[:, :, 0]
    result = {"baseline third moment": _third_moment(first)}
    for t, timepoint in enumerate(block.timepoints[1:], start=1):
        change = observed[:, :, t] - first
        missing = np.isnan(observed[:, :, t]) & ~np.isnan(first)
        if missing.any():
            result[f"{timepoint} baseline of missing"] = np.asarray(
                np.nanmean(np.where(missing, first, np.nan), axis=1)
            )
        if block.observed[t] > 1:
            result[f"{timepoint} change mean"] = np.asarray(np.nanmean(change, axis=1))
            result[f"{timepoint} change SD"] = np.asarray(np.nanstd(change, axis=1, ddof=1))
            result[f"{timepoint} change third moment"] = _third_moment(change)
    return result


def _third_moment(values: Floats) -> Floats:
    centred = values - np.nanmean(values, axis=1, keepdims=True)
    return np.asarray(np.nanmean(centred**3, axis=1))
