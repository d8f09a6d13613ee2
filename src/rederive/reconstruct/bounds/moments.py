"""Sums and sums of squares that single columns can have, in exact whole numbers.

Five columns meet at a follow-up visit: the first values of all (B), of those followed (F) and of
those missing (M), the values at the visit (V) and their changes (D). Their sums obey

    B = F + M        V = F + D

so that a limit on one narrows the others. For each sum that is left, the printed spread and p
limit the sum of squares, which has the parity of the sum and lies between what values as equal as
possible and values as far apart as possible have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from rederive.recompute.consistency.multiset import greatest_squares_sum, least_squares_sum
from rederive.reconstruct.block import Block, ContradictionError
from rederive.reconstruct.block.boxes import UNLIMITED, Boxes, Column


class Part(StrEnum):
    """The columns that meet at a follow-up visit."""

    BASELINE = "B"
    FOLLOWED = "F"
    MISSING = "M"
    VISIT = "V"
    CHANGE = "D"


Window = tuple[int, int]
Squares = dict[int, Window]
"""For every possible sum the least and the greatest sum of squares, both with its parity."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What single columns allow at one follow-up visit.

    Attributes
    ----------
    at : int
        Position of the visit.
    sizes : dict
        Number of values of each part.
    columns : dict
        Printed limits of each part; the missing have none.
    windows : dict
        Least and greatest sum of each part.
    squares : dict
        Sums of squares for every sum, for the parts whose spread or p is printed.
    """

    at: int
    sizes: dict[Part, int]
    columns: dict[Part, Column]
    windows: dict[Part, Window]
    squares: dict[Part, Squares]


def meetings_of(block: Block, boxes: Boxes) -> dict[int, Meeting]:
    """Return what single columns allow at every follow-up visit.

    Raises
    ------
    ContradictionError
        If a column is left without a sum.
    """
    levels = block.levels
    baseline = _clip(boxes.level[0].total, (0, boxes.level[0].n * levels))
    result: dict[int, Meeting] = {}
    while True:
        before = baseline
        for at in range(1, len(block.timepoints)):
            if block.observed[at]:
                result[at] = _meeting(block, boxes, at, baseline)
                baseline = result[at].windows[Part.BASELINE]
        if baseline == before:
            return result


def _meeting(block: Block, boxes: Boxes, at: int, baseline: Window) -> Meeting:
    levels = block.levels
    n, missing = block.observed[at], block.observed[0] - block.observed[at]
    sizes = {
        Part.BASELINE: block.observed[0],
        Part.FOLLOWED: n,
        Part.MISSING: missing,
        Part.VISIT: n,
        Part.CHANGE: n,
    }
    columns = {
        Part.BASELINE: boxes.level[0],
        Part.FOLLOWED: boxes.followed[at],
        Part.MISSING: Column(missing),
        Part.VISIT: boxes.level[at],
        Part.CHANGE: boxes.change[at],
    }
    lows = {part: -levels if part is Part.CHANGE else 0 for part in Part}
    windows = {
        part: _clip(columns[part].total, (sizes[part] * lows[part], sizes[part] * levels))
        for part in Part
    }
    windows[Part.BASELINE] = _clip(windows[Part.BASELINE], baseline)
    squares: dict[Part, Squares] = {}
    while True:
        before = dict(windows)
        _propagate(windows)
        for part in Part:
            if windows[part][0] > windows[part][1]:
                raise ContradictionError(_sources(columns), "their sums do not fit together")
            if _has_spread(columns[part]):
                squares[part] = squares_of(columns[part], windows[part], (lows[part], levels))
                if not squares[part]:
                    raise ContradictionError(columns[part].sources, "no sum of squares is left")
                windows[part] = (min(squares[part]), max(squares[part]))
        if windows == before:
            return Meeting(at, sizes, columns, windows, squares)


def _sources(columns: dict[Part, Column]) -> list[str]:
    return [source for column in columns.values() for source in column.sources]


def _has_spread(column: Column) -> bool:
    return column.spread != (0, UNLIMITED) or column.t_squared != (0.0, math.inf)


def _propagate(windows: dict[Part, Window]) -> None:
    b, f, m = windows[Part.BASELINE], windows[Part.FOLLOWED], windows[Part.MISSING]
    v, d = windows[Part.VISIT], windows[Part.CHANGE]
    f = _clip(f, (b[0] - m[1], b[1] - m[0]), (v[0] - d[1], v[1] - d[0]))
    windows[Part.FOLLOWED] = f
    windows[Part.BASELINE] = _clip(b, (f[0] + m[0], f[1] + m[1]))
    windows[Part.MISSING] = _clip(m, (b[0] - f[1], b[1] - f[0]))
    windows[Part.VISIT] = _clip(v, (f[0] + d[0], f[1] + d[1]))
    windows[Part.CHANGE] = _clip(d, (v[0] - f[1], v[1] - f[0]))


def _clip(*windows: Window) -> Window:
    return max(w[0] for w in windows), min(w[1] for w in windows)


def squares_of(column: Column, window: Window, ends: Window) -> Squares:
    """Return the sums of squares that a column's printed limits leave to each sum.

    Parameters
    ----------
    column : Column
        Printed limits.
    window : tuple of int
        Least and greatest sum.
    ends : tuple of int
        Least and greatest single value.
    """
    result: Squares = {}
    n = column.n
    for total in range(window[0], window[1] + 1):
        low, high = least_squares_sum(n, total), greatest_squares_sum(n, total, *ends)
        spread = _spread_limits(column, total)
        if spread is None:
            continue
        low = max(low, -(-(spread[0] + total * total) // n))
        high = min(high, (spread[1] + total * total) // n)
        low, high = low + (low - total) % 2, high - (high - total) % 2
        # The limits on t² were taken in floating point: the ends are settled by the exact test.
        while low <= high and not column.admits(total, low):
            low += 2
        while low <= high and not column.admits(total, high):
            high -= 2
        if low <= high:
            result[total] = (low, high)
    return result


def _spread_limits(column: Column, total: int) -> Window | None:
    low, high = column.spread
    least, most = column.t_squared
    square = total * total * (column.n - 1)
    if square == 0:
        return (low, high) if least <= 0 else None
    if most <= 0:
        return None
    if least > 0 and math.isfinite(least):
        high = min(high, math.floor(Fraction(square) / Fraction(least)) + 1)
    if math.isfinite(most):
        low = max(low, math.ceil(Fraction(square) / Fraction(most)) - 1)
    return max(low, 0), high
