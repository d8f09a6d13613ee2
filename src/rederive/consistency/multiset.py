"""Whether a multiset of bounded integers has a given size, sum and sum of squares."""

from __future__ import annotations

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

    Raises
    ------
    ValueError
        If no such integers exist.
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
    violates :func:`may_exist`; states found to be dead are remembered. It is exact. Hits need
    about one step a value, and the rare misses (near the greatest sum of squares, or a handful of
    values) are small trees.

    Parameters
    ----------
    n : int
        Number of values, at least 1.
    total, squares : int
        Sum and sum of squares.
    low, high : int
        Ends of the range, both allowed.

    Returns
    -------
    bool or None
        ``None`` if the question is left open: more than :data:`EXACT_SIZE_LIMIT` values with the
        necessary conditions met, or :data:`NODE_BUDGET` spent.
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
    nodes = 0
    stack = [_Branch(n, total, squares, cap)]
    while stack:
        branch = stack[-1]
        if branch.solved:
            return True
        value = branch.advance()
        if value is None:
            dead.add(branch.key)
            stack.pop()
            continue
        nodes += 1
        if nodes > NODE_BUDGET:
            return None
        child = _Branch(branch.n - 1, branch.total - value, branch.squares - value * value, value)
        if child.key not in dead:
            stack.append(child)
    return False


class _Branch:
    """One search state: ``n`` values in 0..cap still to place, and the next value to try."""

    __slots__ = ("cap", "least", "n", "squares", "total", "value")

    def __init__(self, n: int, total: int, squares: int, cap: int) -> None:
        self.n, self.total, self.squares, self.cap = n, total, squares, cap
        self.value = min(cap, total, isqrt(squares)) + 1
        self.least = -(-total // n)

    @property
    def key(self) -> tuple[int, int, int, int]:
        return self.n, self.total, self.squares, self.cap

    @property
    def solved(self) -> bool:
        # Equal to the least sum of squares: the balanced values, which the cap allows.
        return self.squares == least_squares_sum(self.n, self.total)

    def advance(self) -> int | None:
        """Return the next value whose rest is not excluded, ``None`` when there is none left."""
        if self.n == 1:
            return None
        rest = self.n - 1
        while self.value > self.least:
            self.value -= 1
            total, squares = (
                self.total - self.value,
                self.squares - self.value * self.value,
            )
            if squares > greatest_squares_sum(rest, total, 0, self.value):
                # Smaller values leave more to the rest and allow it less.
                return None
            if squares >= least_squares_sum(rest, total):
                return self.value
        return None
