"""Patient-level data of one block: one data set by search, many by a Markov chain."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from rederive.reconstruct.block.boxes import Boxes, Column, boxes_of
from rederive.reconstruct.block.figures import Block
from rederive.reconstruct.block.kernel import (
    Density,
    Flags,
    Floats,
    Integers,
    Limits,
    Moves,
    penalty_of,
    run_chain,
)
from rederive.reconstruct.block.priors import FLAT, Prior, density_of
from rederive.reconstruct.block.values import print_as, statistic_values

Progress = Callable[[int, int], None]

SEARCH_HEATS = (1.0, 3.0, 10.0)
"""Weights of the penalty through which one attempt of a search goes."""

LOOKS = 20_000
"""Looks at a chain between two reports."""

LOOKS_EACH = 20
"""Looks for each record wanted, where data are looked at whether they print a figure."""

IDLE_STRETCHES = 400
"""Reports without a single draw after which a chain is given up."""


class NothingFoundError(RuntimeError):
    """No data with the printed figures were found in the time given; that proves nothing."""


@dataclass(frozen=True, slots=True)
class BlockData:
    """One exact data set of a block.

    Attributes
    ----------
    values : array of int, shape (patients, times)
        In steps above the least value; where the mask is false, what the prior makes of it.
    mask : array of bool, shape (patients, times)
        What was measured.
    """

    block: Block
    values: Integers
    mask: Flags

    def observed(self) -> Floats:
        """Return the values in the unit of the scale, NaN where nothing was measured."""
        return np.where(self.mask, in_units(self.block, self.values), np.nan)


@dataclass(frozen=True, slots=True)
class BlockEnsemble(BlockData):
    """Many exact data sets of a block, drawn from a prior given the printed figures.

    Attributes
    ----------
    values : array of int, shape (draws, patients, times)
    mask : array of bool, shape (draws, patients, times)
    chain : array of int, shape (draws,)
        Which chain a draw is from; draws of a chain stand in its order.
    """

    chain: Integers

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def __getitem__(self, draw: int) -> BlockData:
        return BlockData(self.block, self.values[draw], self.mask[draw])

    def by_chain(self, quantity: Floats) -> Floats:
        """Return one number per draw as an array of shape (chains, draws of each)."""
        chains = int(self.chain.max()) + 1
        return quantity.reshape(chains, -1)


def in_units(block: Block, values: Integers) -> Floats:
    """Return values counted in steps in the unit of the scale."""
    step, low = block.scale.step, block.scale.minimum
    # One division by a whole number keeps steps such as 0.01 as near as a float can be.
    numerators = values * (step.numerator * low.denominator) + low.numerator * step.denominator
    return np.asarray(numerators / (step.denominator * low.denominator), np.float64)


def holds(data: BlockData) -> bool:
    """Return whether a data set keeps all figures of its block."""
    limits = limits_of(boxes_of(data.block), data.block)
    kept = float(penalty_of(data.values, data.mask, limits)) == 0.0
    one = data.values[np.newaxis], data.mask[np.newaxis]
    return kept and bool(_printing(data.block, *one)[0])


def _printing(block: Block, values: Integers, mask: Flags) -> Flags:
    """Return which data sets print the figures that follow from no sums and counts."""
    found = np.ones(len(values), np.bool_)
    figures = [figure for figure in block.figures if block.is_sampled(figure)]
    if figures and len(values):
        observed = np.where(mask, in_units(block, values), np.nan)
        for figure in figures:
            found &= print_as(figure, block, statistic_values(block, observed, figure))
    return found


def limits_of(boxes: Boxes, block: Block) -> Limits:
    """Return the limits as the arrays of the kernel, with the units of the penalty."""
    columns = boxes.columns()
    counts = [(v, *count) for v, column in enumerate(columns) for count in column.counts]
    ends = [(v, *end) for v, column in enumerate(columns) for end in column.ends]
    return Limits(
        np.array([column.n if column.sources else 0 for column in columns], np.int64),
        np.array([column.total for column in columns], np.int64),
        np.array([column.spread for column in columns], np.int64),
        np.array([column.t_squared for column in columns], np.float64),
        np.array([_units(column, block) for column in columns], np.float64),
        np.array(ends, np.float64).reshape(-1, 4),
        np.array(counts, np.int64).reshape(-1, 5),
    )


def _sd_in_steps(column: Column, block: Block) -> float:
    n = column.n
    if n > 1 and column.spread[1] < 2**59:
        return max(1.0, math.sqrt(sum(column.spread) / 2 / (n * (n - 1))))
    return max(1.0, block.levels / 6)


def _units(column: Column, block: Block) -> tuple[float, float, float]:
    sd, n = _sd_in_steps(column, block), max(column.n, 2)
    leap = max(1.0, sd / 10)
    low, high = column.t_squared
    t2 = low if math.isinf(high) else (low + high) / 2
    t_unit = max(2 * math.sqrt(t2) / (sd * math.sqrt(n)) * leap, 1e-6)
    return leap, 2 * n * sd * leap, t_unit


def _machine(block: Block, prior: Prior, visit: int | None = None) -> tuple[Limits, Moves, Density]:
    """Return what the compiled chain needs besides its state."""
    boxes = boxes_of(block)
    frozen = np.zeros((block.patients, len(block.timepoints)), np.bool_)
    fixed_mask = np.zeros(len(block.timepoints), np.bool_)
    if visit is not None:
        frozen[:, [0, visit]] = fixed_mask[visit] = True
    reach = [max(1, round(_sd_in_steps(column, block) / 3)) for column in boxes.level]
    moves = Moves(np.array(reach, np.int64), frozen, fixed_mask, block.observed[0], block.levels)
    return limits_of(boxes, block), moves, density_of(prior, block)


def draw_start(block: Block, prior: Prior, rng: np.random.Generator) -> tuple[Integers, Flags]:
    """Draw values and a mask from a prior, whatever the figures."""
    patients, times = block.patients, len(block.timepoints)
    if prior.components:
        weights = np.array([part.weight for part in prior.components])
        kinds = rng.choice(len(weights), patients, p=weights / weights.sum())
        means = np.array([part.means for part in prior.components])[kinds]
        sds = np.array([part.sds for part in prior.components])[kinds]
        drawn = means + sds * rng.standard_normal((patients, times))
        steps = (drawn - float(block.scale.minimum)) / float(block.scale.step)
        values = np.clip(np.rint(steps), 0, block.levels).astype(np.int64)
    else:
        values = rng.integers(0, block.levels + 1, (patients, times))
    mask = np.zeros((patients, times), np.bool_)
    mask[: block.observed[0], 0] = True
    for t in range(1, times):
        mask[rng.permutation(block.observed[0])[: block.observed[t]], t] = True
    return values, mask


def find_data(
    block: Block,
    prior: Prior = FLAT,
    seed: int = 0,
    *,
    start: BlockData | None = None,
    visit: int | None = None,
    attempts: int = 20,
    iterations: int = 400_000,
    stop: Callable[[], bool] | None = None,
) -> BlockData:
    """Search one data set that keeps all figures.

    Parameters
    ----------
    block : Block
        The measure and its figures.
    prior : Prior
        Where the search starts and what it leans to.
    seed : int
        Seed of the search.
    start : BlockData, optional
        Start of every attempt, in place of a draw from the prior.
    visit : int, optional
        Position of a later time point at which the start stays as it is, as do its first values.
    attempts, iterations : int
        Attempts, and iterations of each at each heat.
    stop : callable, optional
        Asked after each attempt; once it returns true, there is no further one.

    Raises
    ------
    ContradictionError
        If the figures of one column leave nothing.
    NothingFoundError
        If the attempts are used up.
    """
    machine = _machine(block, prior, visit)
    rng = np.random.default_rng(seed)
    nowhere = _records(0, block)
    for _ in range(attempts):
        if start is None:
            values, mask = draw_start(block, prior, rng)
        else:
            values, mask = start.values.copy(), start.mask.copy()
        for heat in SEARCH_HEATS:
            if not run_chain(values, mask, *machine, heat, iterations, 1, True, rng, *nowhere):
                continue
            records = values[np.newaxis], mask[np.newaxis]
            if not _printing(block, *records)[0]:
                # A way on from here leads past others.
                records = _records(LOOKS // 10, block)
                got = run_chain(values, mask, *machine, heat, iterations, 20, False, rng, *records)
                records = records[0][:got], records[1][:got]
            for draw in np.flatnonzero(_printing(block, *records))[:1]:
                return BlockData(block, records[0][draw], records[1][draw])
        if stop is not None and stop():
            break
    raise NothingFoundError(
        f"{block.name}: no data with all {len(block.figures)} figures were found in {attempts} "
        "attempts; that does not prove that there are none"
    )


def _records(count: int, block: Block) -> tuple[Integers, Flags]:
    shape = (count, block.patients, len(block.timepoints))
    return np.zeros(shape, np.int64), np.zeros(shape, np.bool_)


def sample_data(
    block: Block,
    prior: Prior,
    draws: int,
    seed: int = 0,
    *,
    chains: int = 4,
    every: int = 50,
    thin: int = 4,
    warmup: int = 200_000,
    heat: float = 1.5,
    jobs: int = 2,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> BlockEnsemble:
    """Draw data sets from a prior, given the printed figures.

    Parameters
    ----------
    block, prior, seed
        As in :func:`find_data`.
    draws : int
        Data sets wanted, a multiple of ``chains``.
    chains : int
        Independent chains, each with its own start and its own stream of random numbers.
    every : int
        The chain is looked at after every ``every`` iterations, and recorded if all figures hold.
    thin : int
        Every ``thin``-th record is kept.
    warmup : int
        Iterations before the first look.
    heat : float
        Weight of the penalty on the way between data sets; it changes speed, not the result.
    jobs : int
        Chains run at the same time; this changes nothing in the result.
    progress : callable, optional
        Called with draws done and draws wanted.
    stop : callable, optional
        Asked now and then, by each chain in its own thread; once it returns true, no further draws
        are made, and the ensemble has as many of each chain as all of them have.

    Raises
    ------
    ValueError
        If ``draws`` is no multiple of ``chains``.
    ContradictionError, NothingFoundError
        As in :func:`find_data`; the latter also if a chain stalls, or is stopped without a
        draw.
    """
    if draws < chains or draws % chains:
        raise ValueError(f"draws: found {draws}, allowed are multiples of {chains}, the chains")
    machine, each = _machine(block, prior), draws // chains
    done = [0] * chains
    looks = LOOKS_EACH if any(map(block.is_sampled, block.figures)) else 1

    def run(c: int, stream: np.random.SeedSequence) -> tuple[Integers, Flags]:
        rng = np.random.default_rng(stream)
        start = find_data(block, prior, int(rng.integers(2**31)), stop=stop)
        values, mask = start.values.copy(), start.mask.copy()
        run_chain(values, mask, *machine, heat, warmup, warmup + 1, False, rng, *_records(1, block))
        all_values, all_masks = _records(each, block)
        kept = seen = idle = 0
        while kept < each:
            records = _records(min((each - kept) * thin * looks, LOOKS), block)
            # Looks stay at fixed iterations, since a stretch is a whole number of them.
            got = run_chain(
                values, mask, *machine, heat, every * LOOKS, every, False, rng, *records
            )
            printing = np.flatnonzero(_printing(block, records[0][:got], records[1][:got]))
            chosen = printing[(thin - 1 - seen) % thin :: thin][: each - kept]
            until = kept + len(chosen)
            all_values[kept:until], all_masks[kept:until] = (part[chosen] for part in records)
            kept, seen = until, seen + len(printing)
            idle = 0 if len(printing) else idle + 1
            stopped = stop is not None and stop()
            if idle == IDLE_STRETCHES or (stopped and not kept):
                raise NothingFoundError(
                    f"{block.name}: a chain found {kept} of {each} draws, and was given up"
                )
            done[c] = kept
            if progress is not None:
                progress(sum(done), draws)
            if stopped:
                break
        return all_values[:kept], all_masks[:kept]

    streams = np.random.SeedSequence(seed).spawn(chains)
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        parts = list(pool.map(run, range(chains), streams))
    values, masks = zip(*parts, strict=True)
    each = min(len(part) for part in values)
    return BlockEnsemble(
        block,
        np.concatenate([part[:each] for part in values]),
        np.concatenate([part[:each] for part in masks]),
        np.repeat(np.arange(chains), each),
    )
