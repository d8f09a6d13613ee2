"""Sharp bounds of a quantity of a described study, in the terms of its report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from rederive.printed.schema import nearest
from rederive.reconstruct.block import Figure, Statistic
from rederive.reconstruct.bounds import End, Kind, Quantity, bound
from rederive.reconstruct.study.limits import require_threshold
from rederive.reconstruct.study.model import Measure
from rederive.reconstruct.study.reading import least_fall_of_others

KINDS = tuple(str(kind) for kind in Kind)
"""Names of the quantities."""

_KIND_OF = {
    Statistic.MEAN: Kind.MEAN,
    Statistic.SD: Kind.SD,
    Statistic.CHANGE_MEAN: Kind.CHANGE_MEAN,
    Statistic.CHANGE_SD: Kind.CHANGE_SD,
    Statistic.PAIRED_P: Kind.PAIRED_P,
    Statistic.BASELINE_MEAN: Kind.FOLLOWED_BASELINE_MEAN,
    Statistic.RESPONDERS: Kind.RESPONDERS,
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
) -> dict[str, object]:
    """Return the least and the greatest value that a quantity can have, given the figures.

    Parameters
    ----------
    measure : Measure
        The measure and its figures.
    quantity : str
        One of :data:`KINDS`.
    at : str
        Time point.
    threshold : Fraction, optional
        Least change of a responder, for ``responders``.
    reference : Fraction, optional
        Mean change of another group, for ``difference``.
    without : iterable of str
        Ids of figures that are no constraint.
    seconds : float
        Time limit of each integer programme.
    seed : int
        Seed of the searches for witnesses.

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
        scale, or the figures contradict each other.
    """
    if quantity not in KINDS:
        hint = nearest(quantity, KINDS)
        meant = f"; did you mean {hint}?" if hint else ""
        raise ValueError(f"quantity: found {quantity!r}, allowed are {', '.join(KINDS)}{meant}")
    without = tuple(without)
    block = measure.block
    at_index = block.index(at)
    if quantity == Kind.RESPONDERS and threshold is not None:
        require_threshold(threshold, block.scale)
    rises = measure.rises and quantity == Kind.RESPONDERS
    asked = threshold
    if rises and threshold is not None:
        asked = least_fall_of_others(threshold, block.scale)
    found = bound(
        block,
        Quantity(Kind(quantity), at, asked, reference),
        dropped=without,
        time_limit=seconds,
        seed=seed,
    )
    low, high = (found.high, found.low) if rises else (found.low, found.high)

    def shown(value: float | None) -> float | None:
        # Whoever did not stay below a rise has risen by so much.
        return block.observed[at_index] - value if rises and value is not None else value

    return {
        "measure": measure.name,
        "quantity": quantity,
        "at": at,
        "threshold": None if threshold is None else float(threshold),
        "reference": None if reference is None else float(reference),
        "without": list(without),
        "low": shown(low.limit),
        "high": shown(high.limit),
        "low_found": shown(low.best),
        "high_found": shown(high.best),
        "low_status": low.status,
        "high_status": high.status,
        "low_proof": str(low.proof),
        "high_proof": str(high.proof),
        "sharp": found.sharp,
        "witnesses": {"low": _witness(measure, low), "high": _witness(measure, high)},
        "seconds": round(found.seconds, 1),
    }


def bound_figure(measure: Measure, figure: Figure, seconds: float = 10.0) -> Mapping[str, object]:
    """Return the bounds of a figure from all the others; empty for an extreme or a baseline SD.

    Parameters
    ----------
    measure, figure
        As returned by :meth:`rederive.reconstruct.study.Study.figure`.
    seconds : float
        Time limit of each integer programme.
    """
    kind = _KIND_OF.get(figure.statistic)
    if kind is None:
        return {}
    threshold = measure.rising.get(figure.id, figure.threshold)
    return bound_quantity(
        measure, kind, figure.at, threshold=threshold, without=[figure.id], seconds=seconds
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
