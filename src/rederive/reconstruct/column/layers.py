"""Arrays over boxes of states, and the one recursion step of each dynamic programme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rederive.reconstruct.column.states import Box, CentredColumn, Integers

BLOCK = 2**18
"""About how many sums are held in double precision at a time, few enough to stay in a cache."""

Cells = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


class Layer:
    """Numbers for all states in use, one box for each count ``k`` of values to place.

    Parameters
    ----------
    boxes : sequence of Box
        The boxes for k = 0, 1, ...
    dtype : type
        Element type; all elements start at 0.
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
    """Return the numbers of multisets of the first ``stage`` values.

    With the new value d, a multiset either lacks d or is one value larger than another:
    F_i(k, s, t) = F_{i-1}(k, s, t) + F_i(k - 1, s - d, t - w(d)).

    Parameters
    ----------
    column : CentredColumn
        The column.
    stage : int
        Number of values in use, from 1.
    previous : Layer
        The layer for ``stage - 1``.
    boxes : sequence of Box
        The boxes of the new layer.
    modulus : int, optional
        Modulus below 2**63 for layers of unsigned integers.
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

    G(k, s, t) is the sum over all values d of G(k - 1, s - d, t - w(d)).

    Parameters
    ----------
    column : CentredColumn
        The column.
    layer : Layer
        From :func:`empty_column` on the column's position boxes.
    modulus : int
        Modulus for unsigned integers; times the number of values it must be below 2**64.
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

    Parameters
    ----------
    column : CentredColumn
        The column.
    layer : Layer
        From :func:`empty_column` on the column's position boxes, of floating-point numbers.
    exponents : sequence of int
        Exponents for k = 0 to n, the first 0.
    """
    for k in range(1, column.n + 1):
        box = layer.boxes[k]
        height = max(1, BLOCK // max(1, box.t_size))
        for row in range(0, box.s_size, height):
            rows = min(height, box.s_size - row)
            sums = Layer([Box(box.s_low + row, rows, box.t_low, box.t_size)], np.float64)
            for d, weight in zip(column.deviations, column.weights, strict=True):
                sums.add(0, layer, k - 1, d, weight)
            sums.flat *= 2.0 ** (exponents[k - 1] - exponents[k])
            layer.cells(k)[row : row + rows] = sums.cells(0)
