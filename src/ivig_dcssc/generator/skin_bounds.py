"""The bounds of the article's skin block: which are wanted, and the file that keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from ivig_dcssc.generator.skin import READINGS, THRESHOLD, TIMEPOINTS, skin_block
from rederive.printed.registry import Registry
from rederive.reconstruct.block import Block, Figure, Statistic
from rederive.reconstruct.bounds import Bound, Kind, Quantity, key_of, load_bounds, save_bounds

THRESHOLDS = range(1, 16)
"""Thresholds of response in points, for the curve of responders by threshold."""

ABOUT = (
    "Least and greatest values over all patient-level data that print the article's skin scores. "
    "The witnesses are synthetic data: no patient has these values."
)

Wanted = tuple[str, Quantity, tuple[str, ...]]
"""A bound: reading of the mean change, quantity, and figures that are no constraint."""


def wanted_bounds(registry: Registry) -> dict[str, Wanted]:
    """Return all bounds of the skin block by name, the most important first.

    At month 12, where the mean change is printed without decimals, each is wanted under both
    readings; at other times only under the first, since the other visits bear on them hardly.
    Responders at the article's own threshold are bounded without the printed count (a prediction),
    at other thresholds with it. Names are such as
    ``-8/responders[5] m6/without results-responder-ivig-m6-count``.
    """
    found: dict[str, Wanted] = {}
    for quantity, dropped in _quantities(skin_block(registry)):
        for reading in READINGS if quantity.at == "m12" else READINGS[:1]:
            without = f"/without {dropped}" if dropped else ""
            name = f"{reading}/{quantity.name}{without}"
            found[name] = (reading, quantity, (dropped,) if dropped else ())
    return found


def _quantities(block: Block) -> Iterator[tuple[Quantity, str]]:
    """Yield quantities, each with the figure that is dropped, if there is one."""

    def own(*statistics: Statistic) -> Iterator[tuple[Quantity, str]]:
        for figure in block.figures:
            if figure.statistic in statistics:
                yield own_quantity(figure), figure.id

    yield from own(Statistic.RESPONDERS)
    for at in TIMEPOINTS[1:]:
        yield Quantity(Kind.MISSING_BASELINE_MEAN, at), ""
    for at in TIMEPOINTS[3:]:
        yield Quantity(Kind.CHANGE_MEAN, at), ""
    yield from own(Statistic.PAIRED_P)
    yield from own(*Statistic)
    for threshold in THRESHOLDS:
        if threshold != THRESHOLD:
            for at in ("m6", "m12"):
                yield Quantity(Kind.RESPONDERS, at, Fraction(threshold)), ""


def own_quantity(figure: Figure) -> Quantity:
    """Return the quantity that a figure of the block prints."""
    kind = Kind.of(figure.statistic)
    assert kind is not None
    return Quantity(kind, figure.at, figure.threshold)


def compute_bounds(registry: Registry, path: Path) -> Iterator[tuple[str, Bound]]:
    """Compute what is missing or stale, writing after every bound; yield each as it comes."""
    from rederive.reconstruct.bounds.solve import bound

    blocks = {reading: skin_block(registry, reading) for reading in READINGS}
    wanted = wanted_bounds(registry)
    had = load_bounds(path) if path.exists() else {}
    done = {
        name: had[name]
        for name, (reading, quantity, dropped) in wanted.items()
        if name in had and had[name].key == key_of(blocks[reading], quantity, dropped)
    }
    for name, (reading, quantity, dropped) in wanted.items():
        if name in done:
            continue
        done[name] = bound(blocks[reading], quantity, dropped=dropped, time_limit=60.0, seed=0)
        save_bounds({each: done[each] for each in wanted if each in done}, path, about=ABOUT)
        yield name, done[name]
