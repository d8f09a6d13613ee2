"""What the other figures of a study say about one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import stats

from rederive.printed import P_VALUE_DOMAIN, Interval, parse
from rederive.reconstruct.block import Block, BlockEnsemble, Figure, Statistic, sample_data
from rederive.reconstruct.study.drawing import find_in_time
from rederive.reconstruct.study.model import Measure, Study

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

_CHAINS = 4


@dataclass(frozen=True, slots=True)
class Prediction:
    """The distribution of a figure over data that print all the other figures.

    Attributes
    ----------
    figure, printed : str
        Id, and what the report prints.
    median, low, high : float
        Median and central 95 % interval, before rounding.
    share : float
        Share of the data sets that print the figure as the report does.
    inside : bool
        Whether some value printed so lies between ``low`` and ``high``.
    draws, seed : int
    prior : str
        The prior with its parameters.
    """

    figure: str
    printed: str
    median: float
    low: float
    high: float
    share: float
    inside: bool
    draws: int
    seed: int
    prior: str

    def as_record(self) -> dict[str, object]:
        """Return the prediction as a dictionary for JSON."""
        return asdict(self)


def predict_figure(
    study: Study,
    figure: str,
    prior: str = "",
    draws: int = 1000,
    seed: int = 1,
    *,
    progress: Progress | None = None,
) -> Prediction:
    """Switch a figure off, draw data that print all others, and look what they print for it.

    Only the figures of the same measure matter: nothing printed links the measures.

    Parameters
    ----------
    study : Study
        The study.
    figure : str
        Id of the figure.
    prior, seed
        As in :func:`rederive.reconstruct.study.reconstruct_study`.
    draws : int
        Data sets, rounded up to a multiple of 4.
    progress : callable, optional
        Called with draws done and wanted.

    Raises
    ------
    ValueError
        If the figure or the prior is unknown, or a number is out of range.
    ContradictionError, NothingFoundError
        If the other figures contradict each other, or no data were found.
    """
    if draws < 1:
        raise ValueError(f"draws: found {draws}, allowed are whole numbers from 1")
    if seed < 0:
        raise ValueError(f"seed: found {seed}, allowed are whole numbers from 0")
    study.check_prior(prior)
    measure, target = study.figure(figure)
    block, chosen = measure.block.without([figure]), measure.prior(prior)
    find_in_time(block, chosen, seed, None)
    wanted = -(-draws // _CHAINS) * _CHAINS
    ensemble = sample_data(block, chosen, wanted, seed, chains=_CHAINS, thin=5, progress=progress)
    values = figure_values(measure, target, ensemble)
    low, median, high = (float(q) for q in np.quantile(values, [0.025, 0.5, 0.975]))
    stated = _stated(measure, target)
    return Prediction(
        figure,
        measure.printed[figure],
        median,
        low,
        high,
        float(np.mean(_prints(values, stated))),
        bool(stated.meets(low, high)),
        wanted,
        seed,
        chosen.describe(),
    )


def figure_values(measure: Measure, figure: Figure, ensemble: BlockEnsemble) -> Floats:
    """Return what each data set of an ensemble has for a figure, before rounding.

    Returns
    -------
    array, shape (draws,)
        In the unit of the scale; counts of responders as the report counts them.
    """
    values, block = ensemble.observed(), ensemble.block
    at = block.index(figure.at)
    later, first = values[:, :, at], values[:, :, 0]
    followed = np.where(np.isnan(later), np.nan, first)
    change = later - first
    result: Floats
    match figure.statistic:
        case Statistic.MEAN:
            result = np.nanmean(later, axis=1)
        case Statistic.SD:
            result = np.nanstd(later, axis=1, ddof=1)
        case Statistic.MINIMUM:
            result = np.nanmin(later, axis=1)
        case Statistic.MAXIMUM:
            result = np.nanmax(later, axis=1)
        case Statistic.BASELINE_MEAN:
            result = np.nanmean(followed, axis=1)
        case Statistic.BASELINE_SD:
            result = np.nanstd(followed, axis=1, ddof=1)
        case Statistic.CHANGE_MEAN:
            result = np.nanmean(change, axis=1)
        case Statistic.CHANGE_SD:
            result = np.nanstd(change, axis=1, ddof=1)
        case Statistic.PAIRED_P:
            result = _paired_p(change, block, at)
        case Statistic.RESPONDERS:
            result = _responders(measure, figure, change)
    return result


def _paired_p(change: Floats, block: Block, at: int) -> Floats:
    n = block.observed[at]
    mean, sd = np.nanmean(change, axis=1), np.nanstd(change, axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(mean == 0, 0.0, np.abs(mean) / (sd / np.sqrt(n)))
    result: Floats = 2 * stats.t.sf(t, n - 1)
    return result


def _responders(measure: Measure, figure: Figure, change: Floats) -> Floats:
    half_step = float(measure.block.scale.step) / 2
    rise = measure.rising.get(figure.id)
    if rise is not None:
        found = change > float(rise) - half_step
    else:
        found = change < half_step - float(figure.threshold or 0)
    result: Floats = found.sum(axis=1).astype(np.float64)
    return result


def _stated(measure: Measure, figure: Figure) -> Interval:
    printed = parse(measure.printed[figure.id])
    domain = P_VALUE_DOMAIN if figure.statistic is Statistic.PAIRED_P else None
    if figure.statistic is Statistic.RESPONDERS and printed.operator == "=":
        return Interval.point(Fraction(printed.value))
    return printed.interval(measure.block.rule, domain)


def _prints(values: Floats, stated: Interval) -> npt.NDArray[np.bool_]:
    slack = 1e-9 * np.maximum(1.0, np.abs(values))
    return (values >= stated.lower - slack) & (values <= stated.upper + slack)
