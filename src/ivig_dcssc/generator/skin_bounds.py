"""The bounds of the article's skin block: which are wanted, and the file that keeps them.

Run as a module (``python -m ivig_dcssc.generator.skin_bounds``) it computes what is missing or old
in ``data/cohorts/bounds.json``; the file is written after every bound, so a run can be stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ivig_dcssc.generator.skin import READINGS, THRESHOLD, TIMEPOINTS, skin_block
from ivig_dcssc.project import project_root
from rederive.printed.registry import Registry, load_registry
from rederive.reconstruct.block import Block, Figure, Statistic
from rederive.reconstruct.bounds import (
    Bound,
    Kind,
    Quantity,
    bound,
    key_of,
    load_bounds,
    save_bounds,
)

BOUNDS_FILE = Path("data") / "cohorts" / "bounds.json"
"""Where the bounds are kept, from the root of the project."""

CONTROLS = (
    ("relaxin", "m6"),
    ("MMF", "m6"),
    ("D-pen", "m12"),
    ("collagen", "m12"),
    ("MMF", "m12"),
)
"""The historical controls and the months at which their change is printed."""

THRESHOLDS = range(1, 16)
"""Thresholds of response in points, for the curve of responders by threshold."""

ABOUT = (
    "Least and greatest values over all patient-level data that print the article's skin scores. "
    "The witnesses are synthetic data: no patient has these values."
)

_KINDS = {
    Statistic.MEAN: Kind.MEAN,
    Statistic.SD: Kind.SD,
    Statistic.CHANGE_MEAN: Kind.CHANGE_MEAN,
    Statistic.CHANGE_SD: Kind.CHANGE_SD,
    Statistic.PAIRED_P: Kind.PAIRED_P,
    Statistic.RESPONDERS: Kind.RESPONDERS,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One bound to be computed.

    Attributes
    ----------
    name : str
        Such as ``-8/responders[5] m6/without results-responder-ivig-m6-count``.
    reading : str
        Reading of the mean change at month 12.
    quantity : Quantity
    dropped : tuple of str
        Figures that are no constraint; the figure of the quantity itself where it has one.
    control : str
        Group whose mean change is subtracted, or empty.
    """

    name: str
    reading: str
    quantity: Quantity
    dropped: tuple[str, ...] = ()
    control: str = ""


def wanted_bounds(registry: Registry) -> list[Wanted]:
    """Return all bounds of the skin block, the most important first.

    At month 12, where the mean change is printed without decimals, each is wanted under both
    readings; at other times only under the first, since the other visits bear on them hardly.
    Responders at the article's own threshold are bounded without the printed count (a prediction),
    at other thresholds with it.
    """
    block = skin_block(registry)
    result = [
        _wanted(reading, quantity, dropped, control)
        for quantity, dropped, control in _quantities(registry, block)
        for reading in (READINGS if quantity.at == "m12" else READINGS[:1])
    ]
    return list({wanted.name: wanted for wanted in result}.values())


def _quantities(
    registry: Registry, block: Block
) -> Iterator[tuple[Quantity, tuple[str, ...], str]]:
    months = ("m6", "m12")
    for figure in _of(block, Statistic.RESPONDERS):
        yield own_quantity(figure), (figure.id,), ""
    for at in TIMEPOINTS[1:]:
        yield Quantity(Kind.MISSING_BASELINE_MEAN, at), (), ""
    for at in TIMEPOINTS[3:]:
        yield Quantity(Kind.CHANGE_MEAN, at), (), ""
    for figure in _of(block, Statistic.PAIRED_P):
        yield own_quantity(figure), (figure.id,), ""
    for group, at in CONTROLS:
        reference = control_change(registry, group, at)
        yield Quantity(Kind.DIFFERENCE, at, reference=reference), (), group
    for figure in block.figures:
        yield own_quantity(figure), (figure.id,), ""
    for threshold in THRESHOLDS:
        if threshold != THRESHOLD:
            for at in months:
                yield Quantity(Kind.RESPONDERS, at, Fraction(threshold)), (), ""


def _of(block: Block, statistic: Statistic) -> list[Figure]:
    return [figure for figure in block.figures if figure.statistic is statistic]


def own_quantity(figure: Figure) -> Quantity:
    """Return the quantity that a figure of the block prints."""
    return Quantity(_KINDS[figure.statistic], figure.at, figure.threshold)


def control_change(registry: Registry, group: str, at: str) -> Fraction:
    """Return a control's mean change as printed.

    Raises
    ------
    ValueError
        If the registry has none.
    """
    for row in registry.numbers.values():
        if (row.group, row.variable, row.timepoint, row.statistic) == (
            group,
            "mrss_change",
            at,
            "mean",
        ):
            return row.printed.value
    raise ValueError(f"found no mean change of {group} at {at} among the published numbers")


def _wanted(reading: str, quantity: Quantity, dropped: tuple[str, ...], control: str) -> Wanted:
    detail = f"/versus {control}" if control else ""
    without = "".join(f"/without {name}" for name in dropped)
    return Wanted(
        f"{reading}/{quantity.name}{detail}{without}", reading, quantity, dropped, control
    )


def compute_bounds(
    registry: Registry, path: Path, *, time_limit: float = 60.0, seed: int = 0
) -> Iterator[tuple[str, Bound]]:
    """Compute what is missing or stale, writing the file after every bound; yield each as it comes.

    Parameters
    ----------
    time_limit : float
        Seconds for each integer programme.
    """
    blocks = {reading: skin_block(registry, reading) for reading in READINGS}
    wanted = wanted_bounds(registry)
    had = load_bounds(path) if path.exists() else {}
    done = {
        w.name: had[w.name]
        for w in wanted
        if w.name in had and had[w.name].key == key_of(blocks[w.reading], w.quantity, w.dropped)
    }
    for w in wanted:
        if w.name in done:
            continue
        done[w.name] = bound(
            blocks[w.reading], w.quantity, dropped=w.dropped, time_limit=time_limit, seed=seed
        )
        ordered = {other.name: done[other.name] for other in wanted if other.name in done}
        save_bounds(ordered, path, about=ABOUT)
        yield w.name, done[w.name]


def main() -> None:
    """Compute the article's bounds and print each in a line."""
    root = project_root()
    registry = load_registry(root / "data" / "published")
    for name, found in compute_bounds(registry, root / BOUNDS_FILE):
        low, high = found.low, found.high
        print(
            f"{name}: {low.limit:.10g} to {high.limit:.10g}; "
            f"best {low.best} to {high.best}; {low.proof.name} {low.sharp}, "
            f"{high.proof.name} {high.sharp}; {found.seconds} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
