"""Whether a multiset of bounded integers has a given size, sum and sum of squares."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt

EXACT_SIZE_LIMIT = 1000
"""Largest number of values for which existence is searched for, not only bounded."""

NODE_BUDGET = 40_000
"""Most search nodes spent on one question before it is left open."""


def least_squares_sum(n: int, total: int) -> int:
    """Return the least sum of squares of ``n`` integers with sum ``total`` (all within one)."""
    quotient, rest = divmod(total, n)
    return n * quotient * quotient + rest * (2 * quotient + 1)


def greatest_squares_sum(n: int, total: int, low: int, high: int) -> int:
    """Return the greatest sum of squares of ``n`` integers in ``low..high`` with sum ``total``.

    All values but one lie at an end of the range.
    """
    if not n * low <= total <= n * high:
        raise ValueError(f"{n} values in {low}..{high} cannot have the sum {total}")
    if low == high:
        return n * low * low
    at_high, rest = divmod(total - n * low, high - low)
    if at_high == n:
        return n * high * high
    between = low + rest
    return at_high * high * high + between * between + (n - at_high - 1) * low * low


def may_exist(n: int, total: int, squares: int, low: int, high: int) -> bool:
    """Return whether the necessary conditions hold: range of the sum, parity, least and greatest.

    Parity: x and x² are both even or both odd, hence so are their sums.
    """
    return (
        n * low <= total <= n * high
        and (total - squares) % 2 == 0
        and least_squares_sum(n, total) <= squares
        and squares <= greatest_squares_sum(n, total, low, high)
    )


def exists(n: int, total: int, squares: int, low: int, high: int) -> bool | None:
    """Decide whether ``n`` integers in ``low..high`` have this sum and this sum of squares.

    The search places the values in falling order, largest first, and cuts every branch whose rest
    violates :func:`may_exist`; states found to be dead are remembered. It is exact. Hits need about
    one step a value, and the rare misses (near the greatest sum of squares, or a handful of values)
    are small trees.

    ``None`` leaves the question open: more than :data:`EXACT_SIZE_LIMIT` values with the necessary
    conditions met, or :data:`NODE_BUDGET` spent.
    """
    if not may_exist(n, total, squares, low, high):
        return False
    if n > EXACT_SIZE_LIMIT:
        return None
    total_up, squares_up = total - n * low, squares - 2 * low * total + n * low * low
    span = high - low
    # The mirrored problem has the same answer; the smaller sum gives the smaller tree.
    if 2 * total_up > n * span:
        squares_up += n * span * span - 2 * span * total_up
        total_up = n * span - total_up
    return _search(n, total_up, squares_up, span)


def _search(n: int, total: int, squares: int, cap: int) -> bool | None:
    """Depth-first search over falling values in 0..cap, kept on an explicit stack."""
    dead: set[tuple[int, int, int, int]] = set()
    state, nodes = (n, total, squares, cap), 0
    stack = [(state, _values(*state))]
    while stack:
        state, values = stack[-1]
        n, total, squares, _ = state
        # Equal to the least sum of squares: the balanced values, which the cap allows.
        if squares == least_squares_sum(n, total):
            return True
        value = next(values, None)
        if value is None:
            dead.add(state)
            stack.pop()
            continue
        nodes += 1
        if nodes > NODE_BUDGET:
            return None
        state = (n - 1, total - value, squares - value * value, value)
        if state not in dead:
            stack.append((state, _values(*state)))
    return False


def _values(n: int, total: int, squares: int, cap: int) -> Iterator[int]:
    """Give the greatest of ``n`` values in 0..cap, from above, whose rest is not excluded."""
    for value in range(min(cap, total, isqrt(squares)), -(-total // n) - 1, -1) if n > 1 else ():
        rest = squares - value * value
        if rest > greatest_squares_sum(n - 1, total - value, 0, value):
            # Smaller values leave more to the rest and allow it less.
            return
        if rest >= least_squares_sum(n - 1, total - value):
            yield value
