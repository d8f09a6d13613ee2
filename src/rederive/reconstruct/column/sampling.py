"""Columns that print a summary, drawn exactly uniformly.

A sample is built backwards through a dynamic programme: at each state the next choice is made in
proportion to the numbers of columns behind it. The numbers are rounded (exact ones need many
times the memory), so a column x is proposed with a probability q(x) that is only nearly uniform. It
is *known exactly*, however: every choice is made with an exact dyadic probability. The numbers
behind consecutive choices cancel down to rounding errors,

    q(x) N = (1 + e_1)(1 + e_2)..., with N the rounded number at the root,

so q(x) N ≥ 1 - δ for a δ that follows from the number of operations. A proposal is kept with
probability (1 - δ) / (q(x) N). What is kept is exactly uniform, whatever the errors were; about a
share δ is thrown away (for multisets 1e-5, for ordered vectors 1e-4 in single precision; 1e-11 in
double). For the same reason q(x) is needed only for the share 2 δ of the proposals whose fate a
first random word leaves open.

Tables of multisets that are too large to keep are computed again on the way down. Several batches
go down together, each with its own random stream, so that this is done once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import ceil, isqrt

import numpy as np
import numpy.typing as npt

from rederive.reconstruct.column.choices import STEP_ERROR, WORD, Chooser, below
from rederive.reconstruct.column.counting import Progress
from rederive.reconstruct.column.states import (
    CentredColumn,
    Floats,
    Integers,
    Layer,
    empty_column,
    next_stage,
)
from rederive.reconstruct.column.summary import (
    ColumnSummary,
    ImpossibleSummaryError,
    explain_impossible,
    require_reach,
)

RESIDENT_BYTES = 128_000_000
"""Most memory for layers that are all kept; beyond it most are computed again for each draw."""

TABLE_LIMIT = 4_000_000_000
"""Most memory, in bytes, that the layers of a sampler may take at a time."""

WORK_LIMIT = 20_000_000_000
"""Most additions that a sampler may take to fill its tables once."""

SINGLE_DIGITS, DOUBLE_DIGITS = 126, 1000
"""Binary digits up to which counts are held in single and in double precision.

In single precision twice as many for ordered vectors, whose table is not computed in pieces.
"""

UNIT = 2.0**-126
"""What one column counts in the tables: the least normal number of single precision."""

SAMPLES_TOGETHER = 65_536
"""Most samples that go down the tables at a time."""


class ColumnSampler:
    """Draws columns that print a summary, each with the same probability, with replacement.

    Samples come in batches of a fixed size, each with a random stream of its own made from the seed
    and the number of the batch: the same seed gives the same samples in the same order, however
    many are drawn at a time.

    Parameters
    ----------
    summary : ColumnSummary
        The figures and the scale.
    ordered : bool
        Draw ordered vectors (the values of n distinguishable persons) instead of multisets.
    seed : int
        Seed of the random stream, from 0.

    Raises
    ------
    ImpossibleSummaryError
        If no data print as the summary; the message names the nearest figures that some do.
    ValueError
        If the seed is negative or the tables would be too large.
    """

    batch_size = 4096

    def __init__(self, summary: ColumnSummary, ordered: bool = False, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f"seed: found {seed}, allowed are whole numbers from 0")
        self.summary, self.ordered = summary, ordered
        self.column = column = CentredColumn.of(summary, ordered)
        if not column.targets:
            raise ImpossibleSummaryError(explain_impossible(summary))
        self.seed = seed
        digits = column.bound.bit_length()
        require_reach("binary digits", digits, DOUBLE_DIGITS)
        require_reach("additions", column.width * column.expected_states() // 4, WORK_LIMIT)
        single = digits <= SINGLE_DIGITS * (2 if ordered else 1)
        self._tables = _StageTables(column, np.float32 if single else np.float64)
        if not self._tables.goals.any():
            raise ImpossibleSummaryError(explain_impossible(summary))
        rounding = Fraction(1, 2**24 if single else 2**53)
        # A sample chooses its target in a tree of choices between two, and on its way passes every
        # stage and takes n values. Each time numbers were added, and are chosen among, for every
        # value of the stage. Slack factor 2.
        steps = (column.stages + column.n) * column.width
        height = (len(column.targets) - 1).bit_length()
        self.error = 2 * (steps * rounding + (steps + height) * STEP_ERROR)

    def batches(self, numbers: Sequence[int]) -> list[Integers]:
        """Return the samples of some batches, in steps of the scale; multisets are sorted.

        Batches, numbered from 0, are independent; each has at most ``batch_size`` rows of ``n``.
        """
        batches = [self._begin(number) for number in numbers]
        for stage, upper, lower in self._tables.descend():
            for batch in batches:
                batch.pass_stage(stage, upper, lower)
            # Else this layer would outlive its use while the next ones are computed.
            del upper, lower
        return [batch.kept() + self.column.centre for batch in batches]

    def _begin(self, number: int) -> Batch:
        """Return the batch of this number with the targets of its proposals."""
        stream = np.random.PCG64(np.random.SeedSequence([self.seed, number]))
        return Batch(self.column, self._tables.goals, stream, self.batch_size, self.error)

    def draw(
        self,
        size: int,
        progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Integers:
        """Return the first ``size`` samples.

        Parameters
        ----------
        size : int
            Number of samples, from 0.
        progress : callable, optional
            Called with samples drawn and wanted.
        stop : callable, optional
            Asked now and then; once it returns true, the samples drawn by then are the result.

        Returns
        -------
        array of int, shape (size, n)
            Values in steps of the scale; multisets are sorted.

        Raises
        ------
        ValueError
            If the size is negative.
        """
        if size < 0:
            raise ValueError(f"samples: found {size}, allowed are whole numbers from 0")
        columns = np.empty((size, self.column.n), dtype=np.int64)
        found = number = 0
        while found < size:
            missing = min(size - found, SAMPLES_TOGETHER)
            numbers = range(number, number + -(-missing // self.batch_size))
            for part in self.batches(numbers):
                kept = part[: size - found]
                columns[found : found + len(kept)] = kept
                found += len(kept)
            number = numbers.stop
            if progress is not None:
                progress(found, size)
            if stop is not None and stop():
                break
        return columns[:found]


class Batch:
    """Proposals on their way from the last stage to the first.

    ``numbers`` are those of the columns behind each target, ``error`` bounds their errors.
    """

    def __init__(
        self,
        column: CentredColumn,
        numbers: Floats,
        stream: np.random.PCG64,
        size: int,
        error: Fraction,
    ) -> None:
        self._column, self._stream, self._error = column, stream, error
        self._fate = stream.random_raw(size)
        # Below this word a proposal is kept whatever its exact probability is.
        open_from = np.uint64(max(ceil((1 - 2 * error) * WORD) - 1, 0))
        self.chooser = Chooser(stream, np.flatnonzero(self._fate >= open_from))
        goal, total = self.chooser.among(np.arange(size), numbers[:, None])
        self.root = Fraction(float(total[0]))
        self._k = np.full(size, column.n)
        self._s, self._t = column.goals[:, goal]
        self._columns: Integers = np.zeros((size, column.n), dtype=np.int64)

    def pass_stage(self, stage: int, upper: Layer, lower: Layer) -> None:
        """Choose what each proposal takes of the values of a stage, one more each time."""
        values, weights = self._column.values(stage)
        k, s, t = self._k, self._s, self._t
        rows = np.flatnonzero(k)
        while len(rows):
            at_k, at_s, at_t = k[rows], s[rows], t[rows]
            without = lower.at(at_k, at_s, at_t).astype(np.float64)
            with_each = upper.at(at_k - 1, at_s - values[:, None], at_t - weights[:, None])
            # Where there is a choice, at the only stage of vectors, one of these is above 0.
            taken, with_one = self.chooser.among(rows, with_each.astype(np.float64))
            more = np.flatnonzero(self.chooser.second(rows, without, with_one))
            rows, taken = rows[more], taken[more]
            value, left = values[taken], at_k[more] - 1
            # Values come in descending order and fill a sorted multiset from its end.
            self._columns[rows, left] = value
            k[rows] = left
            s[rows] = at_s[more] - value
            t[rows] = at_t[more] - weights[taken]
            rows = rows[left > 0]

    def kept(self) -> Integers:
        """Return the columns that are kept, in deviations, shape (samples, n)."""
        keep = np.ones(len(self._columns), dtype=bool)
        for row, probability in self.chooser.probability.items():
            chance = (1 - self._error) / (self.root * probability)
            if chance > 1:
                raise ArithmeticError("the bound on the error of the tables does not hold")
            keep[row] = below(chance, self._stream, int(self._fate[row]))
        return self._columns[keep]


class _StageTables:
    """The layers of the recursion, given from the last to the first.

    All are kept if they fit. Else one in about the root of their number is, and those between are
    computed again from the one kept below them on each way down.
    """

    def __init__(self, column: CentredColumn, dtype: npt.DTypeLike) -> None:
        self._column = column
        self._last = last = column.stages
        self._boxes = [column.stage_boxes(stage) for stage in range(last + 1)]
        width = np.dtype(dtype).itemsize
        sizes = [width * sum(box.size for box in row) for row in self._boxes]
        self._stride = step = 1 if sum(sizes) <= RESIDENT_BYTES else isqrt(last)
        between = max(sum(sizes[start : start + step]) for start in range(0, last, step))
        require_reach("bytes", sum(sizes[::step]) + between, TABLE_LIMIT)
        require_reach("additions", column.width * sum(sizes) // width, WORK_LIMIT)
        bottom = empty_column(self._boxes[0], dtype)
        bottom.flat *= UNIT
        climb = enumerate(self._climb(bottom, 0, last))
        self._kept = {stage: layer for stage, layer in climb if stage % step == 0 or stage == last}
        self.goals: Floats = column.numbers(self._kept[last]).astype(np.float64) / UNIT

    def descend(self) -> Iterator[tuple[int, Layer, Layer]]:
        """Give every stage from the last to the first, with its layer and the one below."""
        layers = dict(self._kept)
        for stage in range(self._last, 0, -1):
            if stage - 1 not in layers:
                start = (stage - 1) // self._stride * self._stride
                layers |= enumerate(self._climb(layers[start], start, stage - 1), start)
            yield stage, layers.pop(stage), layers[stage - 1]

    def _climb(self, layer: Layer, start: int, end: int) -> Iterator[Layer]:
        """Give a layer, then those above it up to the last one."""
        yield layer
        for stage in range(start + 1, end + 1):
            layer = next_stage(self._column, stage, layer, self._boxes[stage])
            yield layer
