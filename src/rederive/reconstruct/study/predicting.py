"""What the figures of a study leave open: a figure from all the others, and sharp bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import predict
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.bounds import End, Kind, Quantity, bound
from rederive.reconstruct.checks import unknown
from rederive.reconstruct.study.drawing import Stop, require_data, require_numbers
from rederive.reconstruct.study.model import Measure, Study

_CHAINS = 4


def predict_figure(
    study: Study,
    figure: str,
    prior: str = "",
    draws: int = 1000,
    seed: int = 1,
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> dict[str, object]:
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

    Returns
    -------
    dict
        Ready for JSON: ``figure`` and what is ``printed``; ``median``, ``low`` and ``high`` (ends
        of the central 95 %), before rounding; ``share`` of the data sets that print the figure;
        ``inside``, whether some value printed so lies between ``low`` and ``high``; ``draws``,
        ``seed`` and ``prior``.

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
    return {
        "figure": figure,
        "printed": str(target.printed),
        "median": found.median,
        "low": low,
        "high": high,
        "share": found.share_printing,
        "inside": bool(target.interval(measure.block.rule).meets(low, high)),
        "draws": len(found.values),
        "seed": seed,
        "prior": chosen.describe(),
    }


def bound_quantity(
    measure: Measure,
    quantity: str,
    at: str,
    *,
    threshold: Fraction | None = None,
    reference: Fraction | None = None,
    without: Iterable[str] = (),
    seconds: float = 60.0,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
    stop: Stop | None = None,
) -> dict[str, object]:
    """Return the least and the greatest value that a quantity can have, given the figures.

    Parameters
    ----------
    measure : Measure
        The measure and its figures.
    quantity : str
        Name of a :class:`~rederive.reconstruct.bounds.Kind`.
    at : str
        Time point.
    threshold : Fraction, optional
        Least change of a responder, for ``responders``.
    reference : Fraction, optional
        Mean change of another group, for ``difference``.
    without : iterable of str
        Ids of figures that are no constraint.
    seconds, seed, progress, stop
        As in :func:`rederive.reconstruct.bounds.bound`.

    Returns
    -------
    dict
        Ready for JSON: the quantity, ``low`` and ``high`` (nothing passes them), what the most
        extreme data found have (``low_found``, ``high_found``), the status of both ends in words,
        ``sharp``, and the values of both data sets in the unit of the scale, one row a patient.

    Raises
    ------
    ValueError
        If there is no such quantity, time point or figure, the threshold is no change on the
        scale, the description does not say what a responder is, or the figures contradict each
        other.
    """
    if quantity not in list(Kind):
        raise unknown("quantity", quantity, Kind)
    measure.block.index(at)
    rises = False
    if quantity == Kind.RESPONDERS and threshold is not None:
        if measure.rises is None:
            raise ValueError(
                f"measures.{measure.name}: found no key improvement, allowed: improvement: fall or "
                "improvement: rise, which says what a responder is"
            )
        require_threshold(threshold, measure.block.scale)
        rises = measure.rises
    asked = Quantity(Kind(quantity), at, threshold, reference, rises)
    without = tuple(without)
    found = bound(
        measure.block,
        asked,
        dropped=without,
        time_limit=seconds,
        seed=seed,
        progress=progress,
        stop=stop,
    )
    record: dict[str, object] = {
        "measure": measure.name,
        "quantity": quantity,
        "at": at,
        "threshold": None if threshold is None else float(threshold),
        "reference": None if reference is None else float(reference),
        "without": list(without),
        "sharp": found.sharp,
        "seconds": round(found.seconds, 1),
    }
    ends = {"low": found.low, "high": found.high}
    for name, end in ends.items():
        record |= {
            name: end.limit,
            f"{name}_found": end.best,
            f"{name}_status": end.status,
            f"{name}_proof": str(end.proof),
        }
    return record | {"witnesses": {name: _witness(measure, end) for name, end in ends.items()}}


def require_threshold(threshold: Fraction, scale: Scale) -> None:
    """Refuse a threshold of response that no change on the scale reaches, or that is not above 0.

    Raises
    ------
    ValueError
        Naming the range of the scale.
    """
    width = scale.maximum - scale.minimum
    if not 0 < threshold <= width:
        raise ValueError(
            f"threshold: found {float(threshold):.10g}, allowed are numbers above 0 up to "
            f"{float(width):.10g}, the range of the scale"
        )


def _witness(measure: Measure, end: End) -> list[list[float | None]] | None:
    """Return the values of a witness in the unit of the scale, one row a patient."""
    if end.witness is None:
        return None
    scale = measure.block.scale
    return [
        [None if step is None else float(scale.minimum + step * scale.step) for step in row]
        for row in end.witness
    ]
