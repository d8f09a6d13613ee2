"""Columns that print a summary, drawn exactly uniformly.

A sample is built backwards through a dynamic programme: at each state the next choice is made in
proportion to the numbers of columns behind it. The numbers are rounded (exact ones need many
times the memory), so a column x is proposed with a probability q(x) that is only nearly uniform. It
is *known exactly*, however: every choice is made with an exact dyadic probability. The numbers
behind consecutive choices cancel down to rounding errors,

    q(x) N = (1 + e_1)(1 + e_2)..., with N the rounded number at the root,

so q(x) N ≥ 1 - δ for a δ that follows from the number of operations. A proposal is kept with
probability (1 - δ) / (q(x) N). What is kept is exactly uniform, whatever the errors were; about a
share δ is thrown away (1e-5 for single, 1e-11 for double precision). For the same reason q(x) is
needed only for the share 2 δ of the proposals whose fate a first random word leaves open.

Tables of multisets that are too large to keep are computed again on the way down. Several batches
go down together, each with its own random stream, so that this is done once for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from math import ceil, comb

import numpy as np
import numpy.typing as npt

from rederive.reconstruct.column.choices import STEP_ERROR, WORD, Chooser, below, tree_height
from rederive.reconstruct.column.counting import Progress
from rederive.reconstruct.column.states import (
    CentredColumn,
    Floats,
    Integers,
    Layer,
    empty_column,
    fill_rounded_positions,
    next_stage,
)
from rederive.reconstruct.column.summary import (
    ColumnSummary,
    ImpossibleSummaryError,
    explain_impossible,
    require_reach,
)

RESIDENT_BYTES = 128_000_000
"""Most memory for layers that are all kept; beyond it they are computed again for each draw."""

SEGMENT_BYTES = 64_000_000
"""Memory for the layers that are held together when not all are kept."""

TABLE_LIMIT = 4_000_000_000
"""Most memory, in bytes, that the layers of a sampler may take at a time."""

WORK_LIMIT = 20_000_000_000
"""Most additions that a sampler may take to fill its tables once."""

SINGLE_DIGITS, DOUBLE_DIGITS = 126, 1000
"""Binary digits up to which counts are held in single and in double precision."""

SAMPLES_TOGETHER = 65_536
"""Most samples that go down the tables at a time."""


_Start = tuple[Integers, Integers, Chooser]
"""Where the proposals of one batch start: their targets (s, t) and their random choices."""


class ColumnSampler(ABC):
    """Draws columns that print a summary, each with the same probability, with replacement.

    Samples come in batches of a fixed size, each with a random stream of its own made from the seed
    and the number of the batch: the same seed gives the same samples in the same order, however
    many are drawn at a time.

    Parameters
    ----------
    summary : ColumnSummary
        The figures and the scale.
    seed : int
        Seed of the random stream, from 0.

    Raises
    ------
    ImpossibleSummaryError
        If no data print as the summary; the message names the nearest figures that some do.
    ValueError
        If the seed is negative or the tables would be too large.
    """

    ordered: bool
    batch_size: int

    def __init__(self, summary: ColumnSummary, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f"seed: found {seed}, allowed are whole numbers from 0")
        self.summary = summary
        self.column = (CentredColumn.for_vectors if self.ordered else CentredColumn.of)(summary)
        if not self.column.targets:
            raise ImpossibleSummaryError(explain_impossible(summary))
        self.seed = seed
        s, t = np.array(self.column.targets, dtype=np.int64).T
        self._goals: tuple[Integers, Integers] = (s, t)
        self.goal_numbers, error = self._prepare()
        self.error = error + 2 * tree_height(len(s)) * STEP_ERROR
        if not self.goal_numbers.any():
            raise ImpossibleSummaryError(explain_impossible(summary))

    @abstractmethod
    def _prepare(self) -> tuple[Floats, Fraction]:
        """Build the tables; return the number of columns behind each target, shape (targets,).

        Beside it stands a bound on the relative error from root to leaf.
        """

    @abstractmethod
    def _propose(self, starts: Sequence[_Start]) -> list[Integers]:
        """Return, for each batch, one column in deviations for each target, shape (samples, n)."""

    def batches(self, numbers: Sequence[int]) -> list[Integers]:
        """Return the samples of some batches, in steps of the scale; multisets are sorted.

        Batches, numbered from 0, are independent; each has at most ``batch_size`` rows of ``n``.
        """
        # Below this word a proposal is kept whatever its exact probability is.
        open_from = np.uint64(max(ceil((1 - 2 * self.error) * WORD) - 1, 0))
        every = np.arange(self.batch_size)
        s, t = self._goals
        streams, fates, starts = [], [], []
        for number in numbers:
            stream = np.random.PCG64(np.random.SeedSequence([self.seed, number]))
            fate = stream.random_raw(self.batch_size)
            chooser = Chooser(stream, np.flatnonzero(fate >= open_from))
            goal, total = chooser.among(every, self.goal_numbers[None, :])
            streams.append(stream)
            fates.append(fate)
            starts.append((s[goal], t[goal], chooser))
        root = Fraction(float(total[0]))
        batches = self._propose(starts)
        for index, (stream, fate, (*_, chooser)) in enumerate(
            zip(streams, fates, starts, strict=True)
        ):
            keep = np.ones(self.batch_size, dtype=bool)
            for row, probability in chooser.probability.items():
                chance = (1 - self.error) / (root * probability)
                if chance > 1:
                    raise ArithmeticError("the bound on the error of the tables does not hold")
                keep[row] = below(chance, stream, int(fate[row]))
            batches[index] = batches[index][keep] + self.column.centre
        return batches

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


class MultisetSampler(ColumnSampler):
    """Draws multisets of values (sorted columns), each with the same probability."""

    ordered = False
    batch_size = 4096

    def _prepare(self) -> tuple[Floats, Fraction]:
        column = self.column
        values = len(column.deviations)
        digits = comb(column.n + values - 1, column.n).bit_length()
        single = digits <= SINGLE_DIGITS
        require_reach("binary digits", digits, DOUBLE_DIGITS)
        require_reach("additions", column.expected_states() // 4, WORK_LIMIT)
        self._tables = _StageTables(column, np.float32 if single else np.float64)
        rounding = Fraction(1, 2**24 if single else 2**53)
        # On its way a sample passes every value of the scale and takes n values; slack factor 2.
        return self._tables.goals, 2 * (values + column.n) * (rounding + STEP_ERROR)

    def _propose(self, starts: Sequence[_Start]) -> list[Integers]:
        descents = [_Descent(self.column, *start) for start in starts]
        for stage, upper, lower in self._tables.descend():
            for descent in descents:
                descent.pass_value(stage, upper, lower)
            # Else this layer would outlive its use while the next ones are computed.
            del upper, lower
        return [descent.columns for descent in descents]


class _Descent:
    """Proposals of one batch on their way from the greatest value of the scale to the least."""

    def __init__(self, column: CentredColumn, s: Integers, t: Integers, chooser: Chooser) -> None:
        self._column, self._chooser = column, chooser
        self._k, self._s, self._t = np.full(len(s), column.n), s, t
        self.columns: Integers = np.zeros((len(s), column.n), dtype=np.int64)

    def pass_value(self, stage: int, upper: Layer, lower: Layer) -> None:
        """Choose how often each proposal takes the value of a stage, once more each time."""
        d, weight = self._column.deviations[stage - 1], self._column.weights[stage - 1]
        k, s, t = self._k, self._s, self._t
        rows = np.flatnonzero(k)
        while len(rows):
            at_k, at_s, at_t = k[rows], s[rows], t[rows]
            without = lower.at(at_k, at_s, at_t).astype(np.float64)
            with_it = upper.at(at_k - 1, at_s - d, at_t - weight).astype(np.float64)
            rows = rows[self._chooser.second(rows, without, with_it)]
            k[rows] -= 1
            s[rows] -= d
            t[rows] -= weight
            # Values come in descending order and fill a sorted column from its end.
            self.columns[rows, k[rows]] = d
            rows = rows[k[rows] > 0]


class VectorSampler(ColumnSampler):
    """Draws ordered vectors of values, each with the same probability."""

    ordered = True
    batch_size = 1024

    def _prepare(self) -> tuple[Floats, Fraction]:
        column = self.column
        values = len(column.deviations)
        digits = [(values**k).bit_length() for k in range(column.n + 1)]
        require_reach("binary digits", digits[-1], DOUBLE_DIGITS)
        boxes = column.position_boxes()
        states = sum(box.size for box in boxes)
        # The powers of two keep the numbers for each k, 1 to values**k, among normal singles.
        single = digits[-1] <= 2 * SINGLE_DIGITS
        exponents = [max(0, d - SINGLE_DIGITS) if single else 0 for d in digits]
        dtype = np.dtype(np.float32 if single else np.float64)
        require_reach("bytes", dtype.itemsize * states, TABLE_LIMIT)
        require_reach("additions", values * states, WORK_LIMIT)
        self._layer = empty_column(boxes, dtype)
        fill_rounded_positions(column, self._layer, exponents)
        self._deviations = np.array(column.deviations)
        self._weights = np.array(column.weights)
        rounding = Fraction(1, 2**24 if single else 2**53)
        per_value = rounding + values * Fraction(1, 2**53) + tree_height(values) * STEP_ERROR
        scaled = column.numbers(self._layer).astype(np.float64)
        # Slack factor 2.
        return np.ldexp(scaled, exponents[-1]), 2 * column.n * per_value

    def _propose(self, starts: Sequence[_Start]) -> list[Integers]:
        return [self._propose_batch(*start) for start in starts]

    def _propose_batch(self, s: Integers, t: Integers, chooser: Chooser) -> Integers:
        rows = np.arange(len(s))
        columns = np.zeros((len(s), self.column.n), dtype=np.int64)
        for k in range(self.column.n, 0, -1):
            behind = self._layer.at(
                np.array(k - 1), s[:, None] - self._deviations, t[:, None] - self._weights
            ).astype(np.float64)
            chosen, _ = chooser.among(rows, behind)
            columns[:, k - 1] = self._deviations[chosen]
            s -= self._deviations[chosen]
            t -= self._weights[chosen]
        return columns


def column_sampler(summary: ColumnSummary, ordered: bool = False, seed: int = 0) -> ColumnSampler:
    """Return the sampler of multisets, or of ordered vectors, for a printed summary.

    Raises
    ------
    ImpossibleSummaryError, ValueError
        As :class:`ColumnSampler`.
    """
    return VectorSampler(summary, seed) if ordered else MultisetSampler(summary, seed)


class _StageTables:
    """The layers of the multiset recursion, given from the last to the first.

    All are kept if they fit. Else the way down is halved again and again: the layer in the middle
    is computed, then the upper half from there, then the lower half.
    """

    def __init__(self, column: CentredColumn, dtype: npt.DTypeLike) -> None:
        self._column = column
        self._last = len(column.deviations)
        self._boxes = [column.stage_boxes(stage) for stage in range(self._last + 1)]
        width = np.dtype(dtype).itemsize
        self._sizes = [width * sum(box.size for box in row) for row in self._boxes]
        total = sum(self._sizes)
        require_reach("bytes", min(total, self._held(0, self._last)), TABLE_LIMIT)
        require_reach("additions", total // width, WORK_LIMIT)
        self._nothing = empty_column(self._boxes[0], dtype)
        self._resident: list[Layer] = []
        if total <= RESIDENT_BYTES:
            self._resident = list(self._climb(self._nothing, 0, self._last))
        top = _last(self._resident or self._climb(self._nothing, 0, self._last))
        self.goals: Floats = column.numbers(top).astype(np.float64)

    def descend(self) -> Iterator[tuple[int, Layer, Layer]]:
        """Give every stage from the last to the first, with its layer and the one below."""
        if not self._resident:
            yield from self._descend(self._nothing, 0, self._last)
        for stage in range(len(self._resident) - 1, 0, -1):
            yield stage, self._resident[stage], self._resident[stage - 1]

    def _descend(self, layer: Layer, start: int, end: int) -> Iterator[tuple[int, Layer, Layer]]:
        """Give the stages above ``start``, whose layer is known, up to ``end``."""
        middle = self._middle(start, end)
        if middle is not None:
            yield from self._descend(_last(self._climb(layer, start, middle)), middle, end)
            yield from self._descend(layer, start, middle)
            return
        layers = list(self._climb(layer, start, end))
        for stage in range(end, start, -1):
            yield stage, layers[-1], layers[-2]
            layers.pop()

    def _middle(self, start: int, end: int) -> int | None:
        """Return where to halve a run of stages; ``None`` if it is held as a whole."""
        sizes = self._sizes[start + 1 : end + 1]
        if sum(sizes) <= SEGMENT_BYTES or len(sizes) < 2:
            return None
        below = np.cumsum(sizes)
        return start + 1 + min(int(np.searchsorted(2 * below, below[-1])), len(sizes) - 2)

    def _held(self, start: int, end: int) -> int:
        """Return the most memory held at a time on the way down from ``end``."""
        middle = self._middle(start, end)
        if middle is None:
            return sum(self._sizes[start : end + 1])
        upper, lower = self._held(middle, end), self._held(start, middle)
        return max(self._sizes[start] + upper, lower)

    def _climb(self, layer: Layer, start: int, end: int) -> Iterator[Layer]:
        """Give a layer, then those above it up to the last one."""
        yield layer
        for stage in range(start + 1, end + 1):
            layer = next_stage(self._column, stage, layer, self._boxes[stage])
            yield layer


def _last(layers: Iterable[Layer]) -> Layer:
    """Return the last layer without holding the others."""
    return deque(layers, maxlen=1).pop()
