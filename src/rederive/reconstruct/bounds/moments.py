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
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from rederive.printed.lattice import greatest_squares_sum, least_squares_sum
from rederive.reconstruct.block import Block, ContradictionError
from rederive.reconstruct.block.boxes import Boxes, Column, Window, clip
from rederive.reconstruct.bounds.quantities import Part

Squares = dict[int, Window]
"""For every possible sum the least and the greatest sum of squares, both with its parity."""

MOST_SUMS = 20_000
"""Most sums of a column that are told apart; beyond, its spread is left free."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What single columns allow at one follow-up visit, ``at`` its position.

    ``columns`` has the printed limits of each part (the missing have none), ``windows`` its least
    and greatest sum, and ``squares``, where spread or p is printed, the sums of squares for every
    sum.
    """

    at: int
    columns: dict[Part, Column]
    windows: dict[Part, Window]
    squares: dict[Part, Squares] = field(default_factory=dict)

    @property
    def sources(self) -> list[str]:
        """Ids of the figures about the visit."""
        return [source for column in self.columns.values() for source in column.sources]


def meetings_of(block: Block, boxes: Boxes) -> dict[int, Meeting]:
    """Return what single columns allow at every follow-up visit, each with the others' baseline.

    Raises
    ------
    ContradictionError
        If a column is left without a sum.
    """
    baseline: Window | None = None
    result: dict[int, Meeting] = {}
    while True:
        before = baseline
        for at in range(1, len(block.timepoints)):
            if block.observed[at]:
                result[at] = meeting_at(block, boxes, at, baseline)
                baseline = result[at].windows[Part.BASELINE]
        if baseline == before:
            return result


def meeting_at(block: Block, boxes: Boxes, at: int, baseline: Window | None = None) -> Meeting:
    """Return what single columns allow at one follow-up visit.

    ``baseline`` are the least and greatest sum of all first values, as known from other visits.

    Raises
    ------
    ContradictionError
        If a column is left without a sum; without ``baseline`` it names the figures of the visit,
        else all.
    """
    columns = {
        Part.BASELINE: boxes.level[0],
        Part.FOLLOWED: boxes.followed[at],
        Part.MISSING: Column(block.observed[0] - block.observed[at]),
        Part.VISIT: boxes.level[at],
        Part.CHANGE: boxes.change[at],
    }
    ends = {part: ends_of(part, block.levels) for part in Part}
    windows = {
        part: clip(column.total, (column.n * ends[part][0], column.n * ends[part][1]))
        for part, column in columns.items()
    }
    if baseline is not None:
        windows[Part.BASELINE] = clip(windows[Part.BASELINE], baseline)
    meeting = Meeting(at, columns, windows)
    while True:
        before = dict(windows)
        _propagate(windows)
        for part, column in columns.items():
            low, high = windows[part]
            if low <= high and column.limits_spread and high - low < MOST_SUMS:
                found = dict(squares_of(column, windows[part], ends[part]))
                meeting.squares[part] = found
                low, high = windows[part] = (min(found), max(found)) if found else (1, 0)
            if low > high:
                named = [f.id for f in block.figures] if baseline else meeting.sources
                where = f"{block.timepoints[0]} and {block.timepoints[at]}"
                why = f"means, SDs and changes of the same patients at {where} do not fit together"
                raise ContradictionError(named, why)
        if windows == before:
            return meeting


def ends_of(part: Part, levels: int) -> Window:
    """Return the least and the greatest single value of a column, in steps."""
    return (-levels if part is Part.CHANGE else 0), levels


def _propagate(windows: dict[Part, Window]) -> None:
    b, f, m = windows[Part.BASELINE], windows[Part.FOLLOWED], windows[Part.MISSING]
    v, d = windows[Part.VISIT], windows[Part.CHANGE]
    f = clip(f, (b[0] - m[1], b[1] - m[0]), (v[0] - d[1], v[1] - d[0]))
    windows[Part.FOLLOWED] = f
    windows[Part.BASELINE] = clip(b, (f[0] + m[0], f[1] + m[1]))
    windows[Part.MISSING] = clip(m, (b[0] - f[1], b[1] - f[0]))
    windows[Part.VISIT] = clip(v, (f[0] + d[0], f[1] + d[1]))
    windows[Part.CHANGE] = clip(d, (v[0] - f[1], v[1] - f[0]))


def squares_of(column: Column, window: Window, ends: Window) -> Iterator[tuple[int, Window]]:
    """Give each sum with the sums of squares that a column's printed limits leave to it.

    ``window`` holds the least and greatest sum, ``ends`` the least and greatest single value.
    """
    n = column.n
    for total in range(window[0], window[1] + 1):
        spread = _spread_limits(column, total)
        low = max(least_squares_sum(n, total), -(-(spread[0] + total * total) // n))
        high = min(greatest_squares_sum(n, total, *ends), (spread[1] + total * total) // n)
        low, high = low + (low - total) % 2, high - (high - total) % 2
        # The limits on t² were taken in floating point: the ends are settled by the exact test.
        while low <= high and not column.admits(total, low):
            low += 2
        while low <= high and not column.admits(total, high):
            high -= 2
        if low <= high:
            yield total, (low, high)


def _spread_limits(column: Column, total: int) -> Window:
    low, high = column.spread
    least, most = column.t_squared
    for t, first, last in column.ends:
        # The SE lies between these two, whose order depends on the sign of t.
        errors = sorted((end - total / column.n) / t for end in (first, last))
        factor = column.n**2 * (column.n - 1)
        if errors[1] < 0:
            return 1, 0
        if math.isfinite(errors[1]):
            high = min(high, math.floor(errors[1] ** 2 * factor) + 1)
        low = max(low, math.ceil(max(errors[0], 0) ** 2 * factor) - 1)
    square = total * total * (column.n - 1)
    if square == 0:
        return (low, high) if least <= 0 else (1, 0)
    if most <= 0:
        return 1, 0
    if least > 0 and math.isfinite(least):
        high = min(high, math.floor(Fraction(square) / Fraction(least)) + 1)
    if math.isfinite(most):
        low = max(low, math.ceil(Fraction(square) / Fraction(most)) - 1)
    return max(low, 0), high
