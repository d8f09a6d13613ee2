"""What the other figures say about a figure that is switched off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from rederive.reconstruct.block.diagnostics import Diagnosis, diagnose_quantity
from rederive.reconstruct.block.figures import Block, Figure, Statistic
from rederive.reconstruct.block.priors import Prior
from rederive.reconstruct.block.sampling import BlockEnsemble, Progress, sample_data

Floats = npt.NDArray[np.float64]

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
    """

    figure: Figure
    prior: Prior
    seed: int
    values: Floats
    convergence: Diagnosis

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
        interval = self.figure.printed.interval()
        inside = (self.values >= interval.lower - 1e-12) & (self.values <= interval.upper + 1e-12)
        return float(inside.mean())

    @property
    def rank(self) -> float:
        """Share of draws below the published figure, ties counted half."""
        value = float(self.figure.printed.value)
        return float(np.mean(self.values < value) + np.mean(self.values == value) / 2)


def predict(
    block: Block,
    figure: str,
    prior: Prior,
    draws: int,
    seed: int = 0,
    *,
    without: Sequence[str] = (),
    chains: int = 4,
    thin: int = 4,
    heat: float = 1.5,
    progress: Progress | None = None,
) -> Prediction:
    """Switch a figure off, and say what the others make of it.

    Parameters
    ----------
    block : Block
        The measure with all its figures.
    figure : str
        Id of the figure to predict.
    without : sequence of str
        Further figures to switch off.
    prior, draws, seed, chains, thin, heat, progress
        As in :func:`~rederive.reconstruct.block.sampling.sample_data`.

    Raises
    ------
    ValueError
        If the block has no such figure.
    """
    wanted = block.figure(figure)
    free = block.without({figure, *without})
    ensemble = sample_data(
        free, prior, draws, seed, chains=chains, thin=thin, heat=heat, progress=progress
    )
    values = figure_values(ensemble, wanted)
    convergence = diagnose_quantity(figure, ensemble.by_chain(values))
    return Prediction(wanted, prior, seed, values, convergence)


def figure_values(ensemble: BlockEnsemble, figure: Figure) -> Floats:
    """Return a figure in every draw of an ensemble, shape (draws,), not rounded."""
    return statistic_values(ensemble.block, ensemble.observed(), figure)


def statistic_values(block: Block, observed: Floats, figure: Figure) -> Floats:
    """Return a figure in every data set.

    Parameters
    ----------
    block : Block
        Names the time points.
    observed : array, shape (draws, patients, times)
        Values in the unit of the scale, NaN where nothing was measured.
    figure : Figure
        What to compute; its printed text is not used.

    Returns
    -------
    array, shape (draws,)
    """
    at = block.index(figure.at)
    level = observed[:, :, at]
    change = level - observed[:, :, 0]
    followed = np.where(np.isnan(level), np.nan, observed[:, :, 0])
    match figure.statistic:
        case Statistic.MEAN:
            return _array(np.nanmean(level, axis=1))
        case Statistic.SD:
            return _array(np.nanstd(level, axis=1, ddof=1))
        case Statistic.MINIMUM:
            return _array(np.nanmin(level, axis=1))
        case Statistic.MAXIMUM:
            return _array(np.nanmax(level, axis=1))
        case Statistic.BASELINE_MEAN:
            return _array(np.nanmean(followed, axis=1))
        case Statistic.BASELINE_SD:
            return _array(np.nanstd(followed, axis=1, ddof=1))
        case Statistic.CHANGE_MEAN:
            return _array(np.nanmean(change, axis=1))
        case Statistic.CHANGE_SD:
            return _array(np.nanstd(change, axis=1, ddof=1))
        case Statistic.RESPONDERS:
            assert figure.threshold is not None
            # Values lie on steps, so half a millionth of a unit only absorbs rounding error.
            return _array((change <= -float(figure.threshold) + 5e-7).sum(axis=1))
        case Statistic.PAIRED_P:
            return _paired_p(change)


def _array(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, np.float64)


def _paired_p(change: Floats) -> Floats:
    n = (~np.isnan(change)).sum(axis=1)
    mean, sd = np.nanmean(change, axis=1), np.nanstd(change, axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = mean / (sd / np.sqrt(n))
    return _array(np.where(mean == 0, 1.0, 2 * stats.t.sf(np.abs(t), n - 1)))
