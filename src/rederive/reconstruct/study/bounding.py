"""Sharp bounds of a quantity of a described study, in the terms of its report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from rederive.reconstruct.block import Figure
from rederive.reconstruct.bounds import End, Kind, Quantity, bound
from rederive.reconstruct.checks import unknown
from rederive.reconstruct.study.drawing import Stop
from rederive.reconstruct.study.limits import require_threshold
from rederive.reconstruct.study.model import Measure
from rederive.reconstruct.study.reading import least_fall_of_others


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
        and ``sharp``.

    Raises
    ------
    ValueError
        If there is no such quantity, time point or figure, the threshold is no change on the
        scale, the description does not say what a responder is, or the figures contradict each
        other.
    """
    if quantity not in list(Kind):
        raise unknown("quantity", quantity, Kind)
    block, asked, rises = measure.block, threshold, False
    n = block.observed[block.index(at)]
    if quantity == Kind.RESPONDERS and threshold is not None:
        if measure.rises is None:
            raise ValueError(
                f"measures.{measure.name}: found no key improvement, allowed: improvement: fall or "
                "improvement: rise, which says what a responder is"
            )
        require_threshold(threshold, block.scale)
        rises = measure.rises
        asked = least_fall_of_others(threshold, block.scale) if rises else threshold
    without = tuple(without)
    found = bound(
        block,
        Quantity(Kind(quantity), at, asked, reference),
        dropped=without,
        time_limit=seconds,
        seed=seed,
        progress=progress,
        stop=stop,
    )

    def shown(value: float | None) -> float | None:
        # Whoever did not stay below a rise has risen by so much.
        return n - value if rises and value is not None else value

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
    ends = (found.high, found.low) if rises else (found.low, found.high)
    for name, end in zip(("low", "high"), ends, strict=True):
        record |= {
            name: shown(end.limit),
            f"{name}_found": shown(end.best),
            f"{name}_status": end.status,
            f"{name}_proof": str(end.proof),
        }
    witnesses = {"low": _witness(measure, ends[0]), "high": _witness(measure, ends[1])}
    return record | {"witnesses": witnesses}


def bound_figure(
    measure: Measure, figure: Figure, seconds: float = 10.0, stop: Stop | None = None
) -> Mapping[str, object]:
    """Return the bounds of a figure from all the others; empty for an extreme or a baseline SD.

    Parameters
    ----------
    measure, figure
        As returned by :meth:`rederive.reconstruct.study.Study.figure`.
    seconds, stop
        As in :func:`bound_quantity`.
    """
    quantity = Quantity.of(figure)
    if quantity is None:
        return {}
    threshold = measure.rising.get(figure.id, figure.threshold)
    return bound_quantity(
        measure,
        quantity.kind,
        figure.at,
        threshold=threshold,
        without=[figure.id],
        seconds=seconds,
        stop=stop,
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
