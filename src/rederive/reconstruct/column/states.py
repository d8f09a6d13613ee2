"""States of the dynamic programmes over one column, and boxes that hold them.

A column is written as deviations ``d`` from a whole number near its mean, in steps of the scale.
A state is (k, s, t): ``k`` values still to place, their sum ``s`` and ``t``, half of their sum of
squares less their sum. As d² - d is even, ``t`` is a whole number, so no cell is lost to parity.
Without a printed SD every ``t`` is 0.

A state matters only if ``k`` values can have these sums and the ``n - k`` others can supply what
is missing to a target. Both follow from simple inequalities: for ``k`` values between a and b,

    s²/k ≤ q ≤ (a + b) s - k a b        (Cauchy-Schwarz; (d - a)(b - d) ≥ 0),

and q ≥ k c² if no value is nearer to 0 than c. Boxes may hold more states than matter, never fewer.
For a state that matters the recursions read only states that matter too, or that no values reach,
so the numbers of all states that matter are right; those of the others may be too small.

Values enter in ascending order: those in use lie on one side of those that are not, so the sum of
either side nearly fixes its sum of squares. Any other order is right too, but the boxes of "nearest
to the centre first" are two to five times as large in all.

Values that enter in the same stage may be taken in any order, and each order counts. For multisets
every value therefore enters in a stage of its own; for ordered vectors all enter in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rederive.reconstruct.column.summary import ColumnSummary, require_reach

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[Any]

BOX_LIMIT = 200_000
"""Most boxes, one for each value of the scale and each count, that a column may need."""


class Box(NamedTuple):
    """A rectangle of states: ``s`` from ``s_low``, ``t`` from ``t_low``."""

    s_low: int
    s_size: int
    t_low: int
    t_size: int

    @property
    def size(self) -> int:
        """Number of states in the box."""
        return self.s_size * self.t_size


NO_STATES = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class CentredColumn:
    """A column of ``n`` values in deviations from a whole number of steps, the ``centre``.

    ``deviations`` are all values of the scale, ascending; ``weights`` what each of them adds to
    ``t``: (d² - d)/2, or 0 without a printed SD; ``targets`` the pairs (s, t) that print as the
    figures. ``width`` values enter in a stage: 1 for multisets, all for ordered vectors.
    """

    n: int
    centre: int
    deviations: range
    weights: tuple[int, ...]
    targets: tuple[tuple[int, int], ...]
    width: int

    @property
    def stages(self) -> int:
        """Number of stages in which the values enter."""
        return len(self.deviations) // self.width

    @property
    def bound(self) -> int:
        """Number of all columns on the scale, whatever they print as."""
        orders: int = self.width**self.n
        return comb(self.n + self.stages - 1, self.n) * orders

    @cached_property
    def goals(self) -> Integers:
        """The targets as two rows, s and t."""
        return np.array(self.targets, dtype=np.int64).reshape(-1, 2).T

    @cached_property
    def _limits(self) -> tuple[int, int, int, int]:
        """Least and greatest sum, and sum of squares, of the targets."""
        sums, squares = self.goals[0], 2 * self.goals[1] + self.goals[0]
        return int(sums.min()), int(sums.max()), int(squares.min()), int(squares.max())

    @classmethod
    def of(cls, summary: ColumnSummary, ordered: bool = False) -> CentredColumn:
        """Centre a printed summary at the whole number nearest to its mean.

        Some targets may have no columns behind them; without any target no data print so.

        Raises
        ------
        ValueError
            If the column needs more than :data:`BOX_LIMIT` boxes.
        """
        n, span = summary.n, summary.high - summary.low
        require_reach("boxes", n * (span + 1), BOX_LIMIT)
        middle = round(summary.mean.value / summary.step)
        centre = min(max(middle, summary.low), summary.high)
        deviations = range(summary.low - centre, summary.high - centre + 1)
        width = len(deviations) if ordered else 1
        if summary.sd is None:
            sums = tuple((total - n * centre, 0) for total in summary.sums())
            return cls(n, centre, deviations, (0,) * len(deviations), sums, width)
        weights = tuple((d * d - d) // 2 for d in deviations)
        targets = []
        for total, squares in summary.candidate_moments():
            s = total - n * centre
            q = squares - 2 * centre * total + n * centre * centre
            targets.append((s, (q - s) // 2))
        return cls(n, centre, deviations, weights, tuple(targets), width)

    def numbers(self, layer: Layer) -> Cells:
        """Return the number of columns behind each target, from the layer over all values."""
        s, t = self.goals
        return layer.at(np.full_like(s, self.n), s, t)

    def expected_states(self) -> int:
        """Return about how many states all stages have together, from a coarse grid of boxes."""
        stages, counts = _grid(self.stages), _grid(self.n)
        total = sum(self.box(k, *self._sides(stage)).size for stage in stages for k in counts)
        return total * self.stages * self.n // (len(stages) * len(counts))

    def box(self, k: int, inner: range, outer: range) -> Box:
        """Return a box of all states in use with ``k`` values to place.

        ``inner`` and ``outer`` are the values these ``k``, and the ``n - k`` others, are taken
        from.
        """
        placed = self.n - k
        if not self.targets or (k and not inner) or (placed and not outer):
            return NO_STATES
        goal_low, goal_high, goal_least, goal_greatest = self._limits
        low, high = (k * inner[0], k * inner[-1]) if inner else (0, 0)
        used_low, used_high = (placed * outer[0], placed * outer[-1]) if outer else (0, 0)
        first, last = max(low, goal_low - used_high), min(high, goal_high - used_low)
        if first > last:
            return NO_STATES
        if not any(self.weights):  # no sum of squares is prescribed
            return Box(first, last - first + 1, 0, 1)
        s = np.arange(first, last + 1, dtype=np.int64)
        least, greatest = _squares_limits(k, s, s, inner)
        used_from = np.maximum(goal_low - s, used_low)
        used_to = np.minimum(goal_high - s, used_high)
        used_least, used_greatest = _squares_limits(placed, used_from, used_to, outer)
        greatest = np.minimum(greatest, goal_greatest - used_least)
        least = np.maximum(least, goal_least - used_greatest)
        t_first, t_last = (least - s + 1) // 2, (greatest - s) // 2
        rows = np.flatnonzero(t_first <= t_last)
        if not len(rows):
            return NO_STATES
        t_low, t_high = int(t_first[rows].min()), int(t_last[rows].max())
        s_low, s_high = int(s[rows[0]]), int(s[rows[-1]])
        return Box(s_low, s_high - s_low + 1, t_low, t_high - t_low + 1)

    def stage_boxes(self, stage: int) -> list[Box]:
        """Return the boxes for k = 0 to n when the values of the first stages may still be used.

        Those of the last of them may have been used already: a state is reached from the next
        stage, or from the same stage by taking one of its values once more.
        """
        inner, outer = self._sides(stage)
        return [self.box(k, inner, outer) for k in range(self.n + 1)]

    def _sides(self, stage: int) -> tuple[range, range]:
        used_from = max(stage - 1, 0) * self.width
        return self.deviations[: stage * self.width], self.deviations[used_from:]

    def values(self, stage: int) -> tuple[Integers, Integers]:
        """Return the values that enter in a stage, and their weights."""
        entered = slice((stage - 1) * self.width, stage * self.width)
        return np.array(self.deviations[entered]), np.array(self.weights[entered])


def _grid(last: int) -> list[int]:
    """Return up to ten numbers spread evenly over 1 to ``last``."""
    return sorted({1 + (last - 1) * part // 9 for part in range(10)})


def _squares_limits(
    k: int, s_from: Integers, s_to: Integers, values: range
) -> tuple[Integers, Integers]:
    """Return limits of the sum of squares of ``k`` values whose sum lies in a range."""
    if k == 0 or not values:
        zero = np.zeros(len(s_from), dtype=np.int64)
        return zero, zero
    nearest = np.maximum(np.maximum(s_from, -s_to), 0)
    low, high = values[0], values[-1]
    least = np.maximum(-(-nearest * nearest // k), k * max(low, -high, 0) ** 2)
    slope, constant = low + high, k * low * high
    greatest = np.maximum(slope * s_from, slope * s_to) - constant
    return least, greatest


class Layer:
    """Numbers for all states in use, one box for each count ``k`` = 0, 1, ... of values to place.

    All start at 0.
    """

    def __init__(self, boxes: Sequence[Box], dtype: npt.DTypeLike) -> None:
        self.boxes = list(boxes)
        self._s_low, self._s_size, self._t_low, self._t_size = np.array(boxes, np.int64).T.copy()
        sizes = self._s_size * self._t_size
        self._starts = np.cumsum(sizes) - sizes
        # The one cell more stands for every state outside the boxes.
        self.flat: Cells = np.zeros(int(sizes.sum()) + 1, dtype=dtype)

    def cells(self, k: int) -> Cells:
        """Return the box of ``k`` as an array of shape (s, t) that shares its memory."""
        box, start = self.boxes[k], int(self._starts[k])
        return self.flat[start : start + box.size].reshape(box.s_size, box.t_size)

    def at(self, k: Integers, s: Integers, t: Integers) -> Cells:
        """Return the numbers of states, 0 outside the boxes; the arguments broadcast."""
        row, column = s - self._s_low[k], t - self._t_low[k]
        height, width = self._s_size[k], self._t_size[k]
        # Without a sign, numbers below 0 are beyond every size.
        inside = (row.view(np.uint64) < height.view(np.uint64)) & (
            column.view(np.uint64) < width.view(np.uint64)
        )
        cell = self._starts[k] + row * width + column
        found: Cells = self.flat[np.where(inside, cell, len(self.flat) - 1)]
        return found

    def add(self, k: int, other: Layer, other_k: int, ds: int, dt: int) -> None:
        """Add ``other``'s number of (other_k, s - ds, t - dt) to each state (k, s, t) in place."""
        here, there = self.boxes[k], other.boxes[other_k]
        s_from, s_to = _overlap(here.s_low, here.s_size, there.s_low + ds, there.s_size)
        t_from, t_to = _overlap(here.t_low, here.t_size, there.t_low + dt, there.t_size)
        if s_from >= s_to or t_from >= t_to:
            return
        s_back, t_back = there.s_low + ds, there.t_low + dt
        self.cells(k)[
            s_from - here.s_low : s_to - here.s_low, t_from - here.t_low : t_to - here.t_low
        ] += other.cells(other_k)[s_from - s_back : s_to - s_back, t_from - t_back : t_to - t_back]


def _overlap(low: int, size: int, other_low: int, other_size: int) -> tuple[int, int]:
    return max(low, other_low), min(low + size, other_low + other_size)


def empty_column(boxes: Sequence[Box], dtype: npt.DTypeLike) -> Layer:
    """Return the layer that holds 1 for no values at all and 0 elsewhere."""
    layer = Layer(boxes, dtype)
    if boxes[0].size:
        layer.cells(0)[-boxes[0].s_low, -boxes[0].t_low] = 1
    return layer


def next_stage(
    column: CentredColumn,
    stage: int,
    previous: Layer,
    boxes: Sequence[Box],
    modulus: int | None = None,
) -> Layer:
    """Return the numbers of columns of the values of the first stages, from those of a stage less.

    A column either lacks the new values or is longer than another by one of them, d: F_i(k, s, t)
    is F_{i-1}(k, s, t) plus the sum over d of F_i(k - 1, s - d, t - w(d)). For unsigned integers
    the modulus times the number of terms must be within 2**64.
    """
    entered = [part.tolist() for part in column.values(stage)]
    layer = Layer(boxes, previous.flat.dtype)
    for k in range(column.n + 1):
        layer.add(k, previous, k, 0, 0)
        if k:
            for d, weight in zip(*entered, strict=True):
                layer.add(k, layer, k - 1, d, weight)
        if modulus is not None:
            cells = layer.cells(k)
            if column.width == 1:
                # Below the modulus the difference wraps around to a larger number.
                np.minimum(cells, cells - np.uint64(modulus), out=cells)
            else:
                np.remainder(cells, np.uint64(modulus), out=cells)
    return layer
