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
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rederive.reconstruct.column.summary import ColumnSummary, require_reach

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[Any]

BOX_LIMIT = 200_000
"""Most boxes, one for each value of the scale and each count, that a column may need."""


@dataclass(frozen=True, slots=True)
class Box:
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


@dataclass(frozen=True, slots=True)
class ValueSet:
    """What the inequalities need to know of a set of deviations."""

    low: int
    high: int
    nearest: int
    """Least distance from 0."""

    @classmethod
    def of(cls, deviations: Sequence[int]) -> ValueSet | None:
        """Describe deviations; ``None`` if there are none."""
        if not deviations:
            return None
        return cls(min(deviations), max(deviations), min(abs(d) for d in deviations))


@dataclass(frozen=True, slots=True)
class CentredColumn:
    """A column of ``n`` values in deviations from a whole number of steps, the ``centre``.

    ``deviations`` are all values of the scale, ascending; ``weights`` what each of them adds to
    ``t``: (d² - d)/2, or 0 without a printed SD; ``targets`` the pairs (s, t) that print as the
    figures.
    """

    n: int
    centre: int
    deviations: tuple[int, ...]
    weights: tuple[int, ...]
    targets: tuple[tuple[int, int], ...]
    _limits: tuple[int, int, int, int] = field(init=False, repr=False, compare=False)
    """Least and greatest sum, and sum of squares, of the targets."""

    def __post_init__(self) -> None:
        goals = np.array(self.targets or [(0, 0)], dtype=np.int64)
        sums, squares = goals[:, 0], 2 * goals[:, 1] + goals[:, 0]
        limits = (int(sums.min()), int(sums.max()), int(squares.min()), int(squares.max()))
        object.__setattr__(self, "_limits", limits)

    @classmethod
    def of(cls, summary: ColumnSummary, centre: int | None = None) -> CentredColumn:
        """Centre a printed summary, at the whole number nearest to its mean if nowhere else.

        Some targets may have no columns behind them; without any target no data print so.

        Raises
        ------
        ValueError
            If the column needs more than :data:`BOX_LIMIT` boxes.
        """
        n, span = summary.n, summary.high - summary.low
        require_reach("boxes", n * (span + 1), BOX_LIMIT)
        if centre is None:
            middle = round(summary.mean.value / summary.step)
            centre = min(max(middle, summary.low), summary.high)
        deviations = tuple(range(summary.low - centre, summary.high - centre + 1))
        if summary.sd is None:
            sums = tuple((total - n * centre, 0) for total in summary.sums())
            return cls(n, centre, deviations, (0,) * len(deviations), sums)
        weights = tuple((d * d - d) // 2 for d in deviations)
        targets = []
        for total, squares in summary.candidate_moments():
            s = total - n * centre
            q = squares - 2 * centre * total + n * centre * centre
            targets.append((s, (q - s) // 2))
        return cls(n, centre, deviations, weights, tuple(targets))

    @classmethod
    def for_vectors(cls, summary: ColumnSummary) -> CentredColumn:
        """Centre a printed summary where the position boxes are small.

        For a large SD that is the middle of the scale, for a small one the mean; both and the
        number half-way are tried.
        """
        nearest = cls.of(summary)
        middle = (summary.low + summary.high) // 2
        others = {middle, (middle + nearest.centre) // 2} - {nearest.centre}
        columns = [nearest, *(cls.of(summary, centre) for centre in sorted(others))]
        return min(columns, key=lambda column: sum(box.size for box in column.position_boxes()))

    def numbers(self, layer: Layer) -> Cells:
        """Return the number of columns behind each target, from the layer over all values."""
        s, t = np.array(self.targets, dtype=np.int64).T
        return layer.at(np.full_like(s, self.n), s, t)

    def expected_states(self) -> int:
        """Return about how many states all stages have together, from a coarse grid of boxes."""
        stages, counts = _grid(len(self.deviations)), _grid(self.n)
        total = sum(self.box(k, *self._sides(stage)).size for stage in stages for k in counts)
        return total * len(self.deviations) * self.n // (len(stages) * len(counts))

    def box(self, k: int, inner: ValueSet | None, outer: ValueSet | None) -> Box:
        """Return a box of all states in use with ``k`` values to place.

        ``inner`` and ``outer`` are the values these ``k``, and the ``n - k`` others, are taken
        from.
        """
        placed = self.n - k
        if not self.targets or (k and inner is None) or (placed and outer is None):
            return NO_STATES
        goal_low, goal_high, goal_least, goal_greatest = self._limits
        low, high = (k * inner.low, k * inner.high) if inner else (0, 0)
        used_low, used_high = (placed * outer.low, placed * outer.high) if outer else (0, 0)
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
        """Return the boxes for k = 0 to n when the first ``stage`` values may still be used.

        The last of these may have been used already: a state is reached from the next stage, or
        from the same stage by taking that value once more.
        """
        inner, outer = self._sides(stage)
        return [self.box(k, inner, outer) for k in range(self.n + 1)]

    def _sides(self, stage: int) -> tuple[ValueSet | None, ValueSet | None]:
        inner = ValueSet.of(self.deviations[:stage])
        return inner, ValueSet.of(self.deviations[max(stage - 1, 0) :])

    def position_boxes(self) -> list[Box]:
        """Return the boxes for k = 0 to n when all values may be used throughout."""
        everything = ValueSet.of(self.deviations)
        return [self.box(k, everything, everything) for k in range(self.n + 1)]


def _grid(last: int) -> list[int]:
    """Return up to ten numbers spread evenly over 1 to ``last``."""
    return sorted({1 + (last - 1) * part // 9 for part in range(10)})


def _squares_limits(
    k: int, s_from: Integers, s_to: Integers, values: ValueSet | None
) -> tuple[Integers, Integers]:
    """Return limits of the sum of squares of ``k`` values whose sum lies in a range."""
    if k == 0 or values is None:
        zero = np.zeros(len(s_from), dtype=np.int64)
        return zero, zero
    nearest = np.maximum(np.maximum(s_from, -s_to), 0)
    least = np.maximum(-(-nearest * nearest // k), k * values.nearest**2)
    slope, constant = values.low + values.high, k * values.low * values.high
    greatest = np.maximum(slope * s_from, slope * s_to) - constant
    return least, greatest


class Layer:
    """Numbers for all states in use, one box for each count ``k`` = 0, 1, ... of values to place.

    All start at 0.
    """

    def __init__(self, boxes: Sequence[Box], dtype: npt.DTypeLike) -> None:
        self.boxes = list(boxes)
        ends = np.cumsum([box.size for box in boxes], dtype=np.int64)
        self._starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])
        # The one cell more stands for every state outside the boxes.
        self.flat: Cells = np.zeros(int(ends[-1]) + 1, dtype=dtype)
        self._s_low, self._s_size, self._t_low, self._t_size = (
            np.array([getattr(box, name) for box in boxes], dtype=np.int64)
            for name in ("s_low", "s_size", "t_low", "t_size")
        )

    def cells(self, k: int) -> Cells:
        """Return the box of ``k`` as an array of shape (s, t) that shares its memory."""
        box, start = self.boxes[k], int(self._starts[k])
        return self.flat[start : start + box.size].reshape(box.s_size, box.t_size)

    def at(self, k: Integers, s: Integers, t: Integers) -> Cells:
        """Return the numbers of states, 0 outside the boxes; the arguments broadcast."""
        row, column = s - self._s_low[k], t - self._t_low[k]
        width = self._t_size[k]
        inside = (row >= 0) & (row < self._s_size[k]) & (column >= 0) & (column < width)
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
    """Return the numbers of multisets of the first ``stage`` values, from those of one value less.

    With the new value d, a multiset either lacks d or is one value larger than another:
    F_i(k, s, t) = F_{i-1}(k, s, t) + F_i(k - 1, s - d, t - w(d)). Unsigned integers need a modulus
    below 2**63.
    """
    d, weight = column.deviations[stage - 1], column.weights[stage - 1]
    layer = Layer(boxes, previous.flat.dtype)
    for k in range(column.n + 1):
        layer.add(k, previous, k, 0, 0)
        if k:
            layer.add(k, layer, k - 1, d, weight)
        if modulus is not None:
            cells = layer.cells(k)
            # Below the modulus the difference wraps around to a larger number.
            np.minimum(cells, cells - np.uint64(modulus), out=cells)
    return layer


def fill_positions(column: CentredColumn, layer: Layer, modulus: int) -> None:
    """Fill a layer over all values with the numbers of ordered vectors modulo a number, in place.

    G(k, s, t) is the sum over all values d of G(k - 1, s - d, t - w(d)). The modulus times the
    number of values must be below 2**64.
    """
    for k in range(1, column.n + 1):
        for d, weight in zip(column.deviations, column.weights, strict=True):
            layer.add(k, layer, k - 1, d, weight)
        cells = layer.cells(k)
        np.remainder(cells, np.uint64(modulus), out=cells)


def fill_rounded_positions(column: CentredColumn, layer: Layer, exponents: Sequence[int]) -> None:
    """Fill a layer with the numbers of ordered vectors, scaled and rounded once each, in place.

    The element for ``k`` values is G(k, s, t) / 2**exponents[k], summed in double precision from
    the rounded elements for ``k - 1`` and then rounded to the type of the layer.
    """
    for k in range(1, column.n + 1):
        sums = Layer([layer.boxes[k]], np.float64)
        for d, weight in zip(column.deviations, column.weights, strict=True):
            sums.add(0, layer, k - 1, d, weight)
        sums.flat *= 2.0 ** (exponents[k - 1] - exponents[k])
        layer.cells(k)[:] = sums.cells(0)
