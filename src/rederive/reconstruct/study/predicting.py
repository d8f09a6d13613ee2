"""What the figures of a study leave open: a figure from all the others, and sharp bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from rederive.printed.errors import unknown
from rederive.reconstruct.block.prediction import CENTRAL
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.block.values import statistic_values, within
from rederive.reconstruct.bounds import Bound, End, Kind, Quantity, bound
from rederive.reconstruct.study.comparing import p_of, p_ranges, printed_as, side_of
from rederive.reconstruct.study.drawing import Stop, draw_linked, require_data
from rederive.reconstruct.study.model import Comparison, Measure, Study


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

    Only the figures of the same measure, and of those that comparisons link to it, matter: nothing
    else that is printed links the measures.

    Parameters
    ----------
    study : Study
        The study.
    figure : str
        Id of the figure, or of a comparison.
    prior, seed
        As in :func:`rederive.reconstruct.study.reconstruct_study`.
    draws : int
        Data sets.
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
        ``seed`` and ``prior``; and of a comparison ``bounds``, which no data pass.

    Raises
    ------
    ValueError
        If the figure or the prior is unknown.
    ContradictionError, NothingFoundError
        If the other figures contradict each other, or no data were found.
    """
    study.check_prior(prior)
    target, reduced = study.figure(figure), study.without([figure])
    names = target.measures if isinstance(target, Comparison) else (study.owner(target).name,)
    measures = reduced.linked(names)
    require_data(reduced, measures, prior, seed, stop)
    seeds = np.random.SeedSequence(seed)
    drawn = draw_linked(reduced, measures, draws, prior, seeds, progress=progress, stop=stop)
    bounds = None
    if isinstance(target, Comparison):
        interval = printed_as(study, target)
        one, other = (side_of(study.measure(name), target, drawn[name]) for name in names)
        values = p_of(target, one, other)
        ends = p_ranges(study, target)
        bounds = {"low": float(ends[0].min()), "high": float(ends[1].max())}
    else:
        block = study.owner(target).block
        interval = target.interval(block.rule)
        values = statistic_values(block, drawn[names[0]], target)
    low, median, high = np.quantile(values, [(1 - CENTRAL) / 2, 0.5, (1 + CENTRAL) / 2]).tolist()
    return {
        "figure": figure,
        "printed": str(target.printed),
        "median": median,
        "low": low,
        "high": high,
        "share": float(within(interval, values).mean()),
        "inside": bool(interval.meets(low, high)),
        "draws": len(values),
        "seed": seed,
        "bounds": bounds,
        "prior": "; ".join(each.prior(prior).describe() for each in measures),
    }


def bound_quantity(
    measure: Measure,
    quantity: str,
    at: str,
    *,
    threshold: Fraction | None = None,
    without: Iterable[str] = (),
    seconds: float = 60.0,
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
        Least change of a responder, or value, for a count.
    without : iterable of str
        Ids of figures that are no constraint.
    seconds, progress, stop
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
    asked = quantity_of(measure, quantity, at, threshold)
    without = tuple(without)
    found = bound(
        measure.block,
        asked,
        dropped=without,
        time_limit=seconds,
        progress=progress,
        stop=stop,
    )
    return {
        "measure": measure.name,
        "quantity": quantity,
        "at": at,
        "threshold": None if threshold is None else float(threshold),
        "without": list(without),
        **as_record(found),
        "witnesses": {
            name: _witness(measure, end) for name, end in (("low", found.low), ("high", found.high))
        },
    }


def quantity_of(
    measure: Measure, name: str, at: str, threshold: Fraction | None = None
) -> Quantity:
    """Return a quantity of a measure; parameters and errors as of :func:`bound_quantity`."""
    if name not in list(Kind):
        raise unknown("quantity", name, Kind)
    measure.block.index(at)
    rises = False
    if name == Kind.RESPONDERS and threshold is not None:
        if measure.rises is None:
            raise ValueError(
                f"measure {measure.name}: found no key improvement, allowed: improvement: fall or "
                "improvement: rise, which says what a responder is"
            )
        rises, scale = measure.rises, measure.block.scale
        width = scale.maximum - scale.minimum
        if not 0 < threshold <= width:
            raise ValueError(
                f"threshold: found {float(threshold):.10g}, allowed are numbers above 0 up to "
                f"{float(width):.10g}, the range of the scale"
            )
    return Quantity(Kind(name), at, threshold, rises)


def as_record(found: Bound) -> dict[str, object]:
    """Return both ends of a bound, ready for JSON: what is proved, found and known of them."""
    record: dict[str, object] = {"sharp": found.sharp, "seconds": round(found.seconds, 1)}
    for name, end in (("low", found.low), ("high", found.high)):
        record |= {
            name: end.limit,
            f"{name}_found": end.best,
            f"{name}_status": end.status,
            f"{name}_proof": str(end.proof),
        }
    return record


def _witness(measure: Measure, end: End) -> list[list[float | None]] | None:
    """Return the values of a witness in the unit of the scale, one row a patient."""
    if end.witness is None:
        return None
    scale = measure.block.scale
    return [
        [None if step is None else float(scale.minimum + step * scale.step) for step in row]
        for row in end.witness
    ]
