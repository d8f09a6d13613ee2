"""What the other figures of a study say about one of them."""

from __future__ import annotations

from dataclasses import dataclass

from rederive.reconstruct.block import predict
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.study.drawing import Stop, require_data, require_numbers
from rederive.reconstruct.study.model import Study

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


def predict_figure(
    study: Study,
    figure: str,
    prior: str = "",
    draws: int = 1000,
    seed: int = 1,
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Prediction:
    """Hold a figure out, draw data that print all others, and look what they print for it.

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
    stop : callable, optional
        Asked now and then; once it returns true, the draws made by then are used.

    Raises
    ------
    ValueError
        If the figure or the prior is unknown, or a number is out of range.
    ContradictionError, NothingFoundError
        If the other figures contradict each other, or no data were found.
    """
    require_numbers(draws=draws, seed=seed)
    study.check_prior(prior)
    measure, target = study.figure(figure)
    chosen = measure.prior(prior)
    require_data(measure.block.without([figure]), chosen, seed, stop)
    wanted = -(-draws // _CHAINS) * _CHAINS
    found = predict(
        measure.block, figure, chosen, wanted, seed, thin=5, progress=progress, stop=stop
    )
    low, high = found.interval
    inside = bool(target.interval(measure.block.rule).meets(low, high))
    median = found.median
    if figure in measure.rising:
        # The block counts those who did not rise so far.
        n = measure.block.observed[measure.block.index(target.at)]
        low, median, high = n - high, n - median, n - low
    return Prediction(
        figure,
        measure.printed[figure],
        median,
        low,
        high,
        found.share_printing,
        inside,
        len(found.values),
        seed,
        chosen.describe(),
    )
