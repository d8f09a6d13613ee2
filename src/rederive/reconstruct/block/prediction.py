"""What other figures say about a held-out one, and whether the chains have settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats  # type: ignore[attr-defined]

from rederive.reconstruct.block.figures import Block, Figure
from rederive.reconstruct.block.kernel import Floats
from rederive.reconstruct.block.priors import Prior
from rederive.reconstruct.block.sampling import BlockEnsemble, Progress, sample_data
from rederive.reconstruct.block.values import print_as, statistic_values


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Convergence of one scalar quantity over the chains of an ensemble.

    Rank-normalised split R-hat (NaN for a quantity that never varies) and bulk effective sample
    size, both by Vehtari et al. 2021, doi 10.1214/20-BA1221.
    """

    quantity: str
    r_hat: float
    ess: float
    draws: int


def diagnose_quantity(name: str, by_chain: Floats) -> Diagnosis:
    """Return R-hat and effective sample size of one quantity, shape (chains, draws of each)."""
    if np.ptp(by_chain) == 0:
        return Diagnosis(name, float("nan"), float("nan"), by_chain.size)
    r_hat = array_stats.rhat(by_chain, chain_axis=0, draw_axis=1)
    ess = array_stats.ess(by_chain, chain_axis=0, draw_axis=1)
    return Diagnosis(name, float(r_hat), float(ess), by_chain.size)


def open_quantities(block: Block, observed: Floats) -> Mapping[str, Floats]:
    """Return quantities that the figures leave open, one number per draw.

    They are, for every follow-up: mean first value of the patients missing, mean and SD of the
    change, and its third central moment; and the third central moment of the first values.
    ``observed`` is as for :func:`statistic_values`.
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


CENTRAL = 0.95
"""Share of draws in the interval that is given for a prediction."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The distribution of a figure over data that were not constrained to it.

    Attributes
    ----------
    values : array, shape (draws,)
        The figure in each data set, in the unit in which it is printed.
    convergence : Diagnosis
        R-hat and effective sample size of the values.
    ensemble : BlockEnsemble
        The data sets themselves.
    """

    figure: Figure
    prior: Prior
    values: Floats
    convergence: Diagnosis
    ensemble: BlockEnsemble

    @property
    def median(self) -> float:
        """The median over the draws."""
        return float(np.median(self.values))

    @property
    def interval(self) -> tuple[float, float]:
        """The central 95 % interval over the draws."""
        low, high = np.quantile(self.values, [(1 - CENTRAL) / 2, (1 + CENTRAL) / 2])
        return float(low), float(high)

    @property
    def share_printing(self) -> float:
        """Share of the draws that print the published figure."""
        return float(print_as(self.figure, self.ensemble.block, self.values).mean())


def predict(
    block: Block,
    figure: str,
    prior: Prior,
    draws: int,
    seed: int = 0,
    *,
    thin: int = 4,
    heat: float = 1.5,
    progress: Progress | None = None,
) -> Prediction:
    """Hold a figure out, and say what the others make of it.

    Parameters
    ----------
    block : Block
        The measure with all its figures.
    figure : str
        Id of the figure to predict.
    prior, draws, seed, thin, heat, progress
        As in :func:`~rederive.reconstruct.block.sampling.sample_data`.

    Raises
    ------
    ValueError
        If the block has no such figure.
    """
    wanted, rest = block.figure(figure), block.without([figure])
    ensemble = sample_data(rest, prior, draws, seed, thin=thin, heat=heat, progress=progress)
    values = statistic_values(block, ensemble.observed(), wanted)
    convergence = diagnose_quantity(figure, ensemble.by_chain(values))
    return Prediction(wanted, prior, values, convergence, ensemble)
