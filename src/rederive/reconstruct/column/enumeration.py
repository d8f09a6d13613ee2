"""All columns that print a summary, one after the other, where there are few."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rederive.recompute.consistency.multiset import may_exist
from rederive.reconstruct.column.counting import count_columns
from rederive.reconstruct.column.summary import ColumnSummary

ENUMERATION_LIMIT = 100_000
"""Most columns that are listed unless another limit is given."""


def enumerate_columns(
    summary: ColumnSummary, ordered: bool = False, limit: int = ENUMERATION_LIMIT
) -> Iterator[tuple[Fraction, ...]]:
    """Return every column that prints as the summary.

    Parameters
    ----------
    summary : ColumnSummary
        The figures and the scale.
    ordered : bool
        List ordered vectors instead of multisets.
    limit : int
        Most columns to list.

    Returns
    -------
    iterator of tuple of Fraction
        The columns in the scale's own units, in lexicographic order (ordered vectors: all orders of
        one multiset after the other); multisets are sorted.

    Raises
    ------
    ValueError
        If there are more columns than the limit; the message says how many.
    """
    number = count_columns(summary, ordered)
    if number > limit:
        kind = "ordered vectors" if ordered else "multisets"
        raise ValueError(
            f"limit: found {number} {kind} with {summary.figures}, allowed are {limit}; "
            "draw a sample instead"
        )
    return _columns(summary, ordered)


def _columns(summary: ColumnSummary, ordered: bool) -> Iterator[tuple[Fraction, ...]]:
    step = Fraction(summary.step)
    if summary.sd is None:
        goals: list[tuple[int, int | None]] = [(total, None) for total in summary.sums()]
    else:
        goals = list(summary.moments())
    for total, squares in goals:
        for units in _multisets(summary.n, total, squares, summary.low, summary.high):
            for arrangement in _arrangements(units) if ordered else [units]:
                yield tuple(step * unit for unit in arrangement)


def _multisets(
    n: int, total: int, squares: int | None, low: int, high: int
) -> Iterator[tuple[int, ...]]:
    """Give the sorted integers in a range with this sum and, if given, this sum of squares."""
    if n == 0:
        if total == 0 and squares in (0, None):
            yield ()
        return
    for value in range(low, min(high, total // n) + 1):
        rest, rest_total = n - 1, total - value
        rest_squares = None if squares is None else squares - value * value
        if rest and not rest * value <= rest_total <= rest * high:
            continue
        if (
            rest
            and rest_squares is not None
            and not may_exist(rest, rest_total, rest_squares, value, high)
        ):
            continue
        for others in _multisets(rest, rest_total, rest_squares, value, high):
            yield (value, *others)


def _arrangements(units: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Give the different orders of sorted values, in lexicographic order."""
    values = list(units)
    while True:
        yield tuple(values)
        pivot = len(values) - 2
        while pivot >= 0 and values[pivot] >= values[pivot + 1]:
            pivot -= 1
        if pivot < 0:
            return
        other = len(values) - 1
        while values[other] <= values[pivot]:
            other -= 1
        values[pivot], values[other] = values[other], values[pivot]
        values[pivot + 1 :] = reversed(values[pivot + 1 :])
