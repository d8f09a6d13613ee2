"""Numbers of patients measured that are switched off, and what is drawn instead.

Every number is equally probable with which the figures still printed can hold, as far as a search
finds data for it; of two numbers switched off every such pair. At later visits no more patients
have a skin score than at earlier ones, which is our choice where a number is switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from ivig_dcssc.generator import measures
from ivig_dcssc.generator.drawing import (
    CK_NORMAL,
    GROUP,
    Counts,
    Integers,
    association_figures,
    association_tables,
)
from ivig_dcssc.generator.skin import MEASURE, TIMEPOINTS, skin_block
from rederive.printed.registry import Registry
from rederive.reconstruct.block import Block, ContradictionError, NothingFoundError, Statistic
from rederive.reconstruct.block.sampling import find_data

Size = tuple[str, str]
"""Measure and time point of a number of patients."""

FEWEST = 2
"""Fewest patients of whom a mean and an SD are printed."""

FEWEST_FOLLOWED = 5
"""Fewest patients with a skin score; fewer may all change alike, and then no p can be computed."""

SEARCHES, STEPS = 3, 150_000
"""Attempts to find data with a number of patients before it is taken to be impossible, and steps of
each; where there are data, the first attempt finds them as a rule."""

_TRIAL_DRAWS = 12
_ATTEMPTS = 20_000
"""Numbers tried in a row before there are taken to be none."""


def size_figures(registry: Registry) -> dict[str, Size]:
    """Return the numbers of patients that can be switched off: id to measure and time point."""
    every = (MEASURE, *measures.ONCE, *measures.PAIRED)
    names = {"responder": MEASURE, **dict(zip(every, every, strict=True))}
    return {
        row.id: (names[row.variable], row.timepoint)
        for row in registry.numbers.values()
        if (row.group, row.statistic) == (GROUP, "n") and row.variable in names and not row.same_as
    }


def draw_sizes(
    registry: Registry,
    off: Collection[Size],
    draws: int,
    rng: np.random.Generator,
    *,
    reading: str,
    without: Collection[str],
) -> dict[str, Integers]:
    """Draw how many patients were measured.

    Returned are, by measure, arrays of int of shape (draws, times): of the skin score, and of the
    measures with a number in ``off`` (values of :func:`size_figures`); at baseline and, where it is
    printed, the follow-ups. ``without`` has the ids of all figures that are switched off.

    Raises
    ------
    NothingFoundError
        If no numbers are found with which the other figures hold.
    """
    block = skin_block(registry, reading, without)
    found = {MEASURE: np.tile(block.observed, (draws, 1))}
    where = [at for at, name in enumerate(TIMEPOINTS) if (MEASURE, name) in off]
    if where:
        fits = _skin_fits(registry, block, without)
        ends = FEWEST_FOLLOWED, block.observed[0]
        found[MEASURE] = _draw(fits, block.observed, where, draws, rng, *ends)
    for name in (*measures.ONCE, *measures.PAIRED):
        times = [at for measure, at in off if measure == name]
        if times:
            found[name] = _draw_measure(registry, name, times, draws, rng, without)
    if measures.QUESTIONNAIRE[0] in found:
        found[measures.QUESTIONNAIRE[1]] = found[measures.QUESTIONNAIRE[0]]
    return found


def _draw(
    fits: Callable[[tuple[int, ...]], bool],
    printed: tuple[int, ...],
    where: list[int],
    draws: int,
    rng: np.random.Generator,
    least: int,
    most: int,
) -> Integers:
    """Draw numbers in some places until they fit, shape (draws, places)."""
    rows: list[list[int]] = []
    missed = 0
    while len(rows) < draws:
        if missed == _ATTEMPTS:
            raise NothingFoundError(
                "no numbers of patients were found with which the other figures hold"
            )
        row = list(printed)
        for place in where:
            row[place] = int(rng.integers(least, most + 1))
        missed = 0 if fits(tuple(row)) else missed + 1
        if not missed:
            rows.append(row)
    return np.array(rows, np.int64)


def _skin_fits(
    registry: Registry, block: Block, without: Collection[str]
) -> Callable[[tuple[int, ...]], bool]:
    responders = [
        int(figure.printed.value)
        for figure in block.figures
        if (figure.statistic, figure.at) == (Statistic.RESPONDERS, "m12")
    ]
    wanted = set(association_figures(registry)) - set(without)
    taking = range(1, Counts(registry)["concomitant_prednisone"] + 1)

    def fits(sizes: tuple[int, ...]) -> bool:
        if any(later > earlier for earlier, later in pairwise(sizes)):
            return False
        n = sizes[TIMEPOINTS.index("m12")]
        outcome = responders or range(n + 1)
        if wanted and not association_tables(registry, without, taking, n, outcome):
            return False
        return all(
            _can_hold(_part(block, [0, at], (sizes[0], n))) for at, n in enumerate(sizes) if at
        )

    return fits


def _part(block: Block, times: list[int], sizes: tuple[int, ...]) -> Block:
    """Return some time points of a block, with other numbers of patients."""
    names = tuple(block.timepoints[at] for at in times)
    figures = tuple(figure for figure in block.figures if figure.at in names)
    return replace(block, timepoints=names, observed=sizes, figures=figures)


def _draw_measure(
    registry: Registry,
    name: str,
    times: list[str],
    draws: int,
    rng: np.random.Generator,
    without: Collection[str],
) -> Integers:
    block = measures.block_of(registry, name, without=without)
    where = [block.timepoints.index(at) for at in times]
    blocks, least, high = [block], FEWEST, 0
    if name in measures.QUESTIONNAIRE:
        # Their number at month 12 is not printed, and drawn from what we took it to be.
        both = [measures.block_of(registry, one, without=without) for one in measures.QUESTIONNAIRE]
        blocks = [_part(one, [0], one.observed[:1]) for one in both]
        where, least = [0], measures.FOLLOWUP_SIZES[0]
    elif name == "cpk":
        counts = Counts(registry)
        least = max(FEWEST, counts["myositis"])
        high = 0 if measures.CK_SERIAL_ID in without else counts["cpk_serial"]

    def fits(sizes: tuple[int, ...]) -> bool:
        if any(later > sizes[0] for later in sizes[1:]):
            return False
        sized = [replace(one, observed=sizes) for one in blocks]
        return all(_can_hold(one) for one in sized) and _enough_high(sized[0], high)

    return _draw(fits, blocks[0].observed, where, draws, rng, least, block.patients)


@lru_cache(maxsize=64)
def _enough_high(block: Block, least: int) -> bool:
    """Return whether data of a block can have some values of CPK above normal."""
    if not least:
        return True
    values = measures.chain_of(block, _TRIAL_DRAWS, np.random.default_rng(block.observed[0]))
    return bool(((values[:, :, 0] > CK_NORMAL).sum(axis=1) >= least).any())


@lru_cache(maxsize=2048)
def _can_hold(block: Block) -> bool:
    """Return whether data with all figures of a block are found."""
    try:
        find_data(block, attempts=SEARCHES, iterations=STEPS)
    except (ContradictionError, NothingFoundError):
        return False
    return True
