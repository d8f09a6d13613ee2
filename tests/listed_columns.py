"""All columns that print a summary, one by one: a second route to their number and their draws."""

from __future__ import annotations

from collections.abc import Iterator

from rederive.printed.lattice import may_exist
from rederive.reconstruct.column import ColumnSummary


def enumerate_columns(summary: ColumnSummary, ordered: bool = False) -> Iterator[tuple[int, ...]]:
    """Give every column in steps of the scale; multisets are sorted, vectors in all orders."""
    goals: list[tuple[int, int | None]] = [(total, None) for total in summary.sums()]
    if summary.sd is not None:
        goals = list(summary.moments())
    for total, squares in goals:
        for units in _multisets(summary.n, total, squares, summary.low, summary.high):
            yield from _arrangements(units) if ordered else [units]


def _multisets(
    n: int, total: int, squares: int | None, low: int, high: int
) -> Iterator[tuple[int, ...]]:
    """Give the sorted integers in a range with this sum and, if given, this sum of squares."""
    if n == 0:
        if total == 0 and squares in (0, None):
            yield ()
        return
    for value in range(low, min(high, total // n) + 1):
        rest, left = n - 1, total - value
        more = None if squares is None else squares - value * value
        if rest and not rest * value <= left <= rest * high:
            continue
        if rest and more is not None and not may_exist(rest, left, more, value, high):
            continue
        yield from ((value, *others) for others in _multisets(rest, left, more, value, high))


def _arrangements(units: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Give the different orders of sorted values, in lexicographic order."""
    if not units:
        yield ()
    for place, value in enumerate(units):
        if place == 0 or units[place - 1] != value:
            rest = units[:place] + units[place + 1 :]
            yield from ((value, *others) for others in _arrangements(rest))
