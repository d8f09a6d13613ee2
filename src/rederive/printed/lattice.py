"""Sums and sums of squares that data on a lattice of values can have, given what is printed.

Data are multiples of a step: whole scores (1), a questionnaire index in eighths (1/8), the mean of
``k`` whole items (1/k). In units of the step every value is an integer, so a sum S is an integer,
a sum of squares Q is an integer with the parity of S, and for a sample variance v (divisor n - 1)

    n Q - S² = n (n - 1) v.

All comparisons are made in exact rational arithmetic; the standard deviation enters squared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, isqrt
from numbers import Integral

from rederive.printed import Interval, PrintedNumber, RoundingRule, require_figure, written

Exact = int | Fraction
"""An exact number: step, end of a scale, factor."""

LISTING_LIMIT = 2_000_000
"""Most candidate pairs (S, Q) that :func:`attainable_moments` lists."""

EXACT_SIZE_LIMIT = 1000
"""Largest number of values for which existence is searched for, not only bounded."""

NODE_BUDGET = 40_000
"""Most search nodes spent on one question before it is left open."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """The values one observation can take: multiples of a step above 0, between two ends.

    The ends are in units of the step; ``None`` where the scale has none.
    """

    step: Fraction
    low: int | None = None
    high: int | None = None

    @classmethod
    def of(
        cls,
        items: int = 1,
        step: Exact = Fraction(1),
        minimum: Exact | None = None,
        maximum: Exact | None = None,
        percent: bool = False,
    ) -> Lattice:
        """Describe a scale in its own units, all exact: ints or Fractions, not floats.

        ``items`` is the number of items whose mean is one observation, ``step`` that of a single
        item; the ends are allowed values and multiples of ``step / items``. With ``percent``
        figures are printed in percent of the step's unit: observations of 0 and 1 have the step 1,
        which is 100 %, and the ends are in percent then, by default 0 and 100.
        """
        if items < 1:
            raise ValueError(f"items: found {items}, allowed are whole numbers from 1")
        size = exact("step", step)
        if size <= 0:
            raise ValueError(f"step: found {written(size)}, allowed are numbers above 0")
        granule = (100 if percent else 1) * size / items
        if percent and size == 1 and minimum is None and maximum is None:
            minimum, maximum = 0, 100  # a share
        low = None if minimum is None else _on_lattice("minimum", minimum, granule)
        high = None if maximum is None else _on_lattice("maximum", maximum, granule)
        if low is not None and high is not None and low > high:
            ends = f"minimum {written(low * granule)} is above maximum {written(high * granule)}"
            raise ValueError(ends)
        return cls(granule, low, high)

    @property
    def words(self) -> str:
        """The scale in words, for the name of a convention."""
        ends = [
            f"{name} {self.step * end}"
            for name, end in (("from", self.low), ("to", self.high))
            if end is not None
        ]
        return " ".join([f"step {self.step}", *ends])

    def value(self, total: int, n: int) -> Fraction:
        """Return the mean of ``n`` values with the sum ``total``, in the scale's own units."""
        return self.step * Fraction(total, n)

    def variance(self, total: int, squares: int, n: int) -> Fraction:
        """Return the sample variance (divisor n - 1) in the scale's own units, squared."""
        return self.step**2 * Fraction(n * squares - total * total, n * (n - 1))

    def possible_sums(self, n: int) -> Interval:
        """Return the range of the sum of ``n`` values, in units of the step."""
        low = None if self.low is None else Fraction(n * self.low)
        high = None if self.high is None else Fraction(n * self.high)
        return Interval(low, high)

    def sums(self, mean: PrintedNumber, n: int, rule: RoundingRule) -> range:
        """Return all sums of ``n`` values whose mean would be printed as ``mean``."""
        return self.sums_within(mean.interval(rule), n)

    def sums_within(self, mean: Interval, n: int) -> range:
        """Return all sums of ``n`` values whose mean lies within an interval."""
        inside = mean.scaled(n / self.step).intersect(self.possible_sums(n))
        return range(0) if inside is None else inside.integers()

    def candidates(
        self, mean: PrintedNumber, sd: PrintedNumber, n: int, rule: RoundingRule
    ) -> Iterator[tuple[int, range]]:
        """Give every sum that prints as ``mean``, with the sums of squares that print as ``sd``.

        Whether values with both exist is another question, as in :meth:`squares`.
        """
        excesses = self.excesses_within(sd.interval(rule).squared(), n)
        for total in self.sums(mean, n, rule):
            yield total, self.squares(total, n, excesses)

    def excesses_within(self, variance: Interval | None, n: int) -> range:
        """Return the whole numbers ``n Q - S²`` whose sample variance lies within an interval."""
        if variance is None:
            return range(0)
        return variance.scaled(n * (n - 1) / self.step**2).integers()

    def squares(self, total: int, n: int, excesses: range) -> range:
        """Return the sums of squares with the parity of ``total`` that have such an excess.

        The range is cut to what a scale with these ends allows; whether values exist for a member
        is decided by :func:`exists`.
        """
        least, greatest = self.squares_limits(total, n)
        square = total * total
        start = max(-(-(excesses.start + square) // n), least)
        stop = (excesses.stop - 1 + square) // n
        if greatest is not None:
            stop = min(stop, greatest)
        start += (start - total) % 2
        return range(start, max(start, stop + 1), 2)

    def squares_limits(self, total: int, n: int) -> tuple[int, int | None]:
        """Return the least and the greatest sum of squares; the latter ``None`` without an end.

        One end is enough for a greatest sum of squares: with all values but one at that end, the
        last one is as far away as it can be.
        """
        least = least_squares_sum(n, total)
        low, high = self.low, self.high
        if low is None and high is None:
            return least, None
        if low is None and high is not None:
            low = total - (n - 1) * high
        elif high is None and low is not None:
            high = total - (n - 1) * low
        assert low is not None and high is not None
        return least, greatest_squares_sum(n, total, low, high)

    def has_values(self, n: int, total: int, squares: int) -> bool | None:
        """Decide whether ``n`` lattice values have these sums; ``None`` when left open.

        Where the scale has no end, the sum of squares sets one: no value can be further from the
        mean than ``sqrt((n - 1) (Q - S²/n))``, divided by ``sqrt(n)``.
        """
        low, high = self.low, self.high
        if low is None or high is None:
            excess = n * squares - total * total
            if excess < 0:
                return False
            reach = isqrt((n - 1) * excess) // n + 1
            low = (total // n) - reach if low is None else low
            high = -(-total // n) + reach if high is None else high
        return exists(n, total, squares, low, high)


@lru_cache(maxsize=1024)
def attainable_moments(
    mean: PrintedNumber,
    sd: PrintedNumber,
    n: int,
    lattice: Lattice,
    rule: RoundingRule = RoundingRule.EITHER,
) -> tuple[tuple[int, int], ...]:
    """Return every sum and sum of squares that data printed as ``mean`` and ``sd`` can have.

    Pairs (S, Q) are in rising order, S in units of the lattice's step and Q in units of its square;
    there are none if no data print so. For each pair values on the scale exist (beyond
    ``EXACT_SIZE_LIMIT`` observations the pairs meet the necessary conditions only). More
    than :data:`LISTING_LIMIT` candidates are a ``ValueError``.
    """
    require_figure("mean", mean)
    require_figure("sd", sd, Fraction(0))
    require_size(n, 2)
    candidates = 0
    found: list[tuple[int, int]] = []
    for total, squares in lattice.candidates(mean, sd, n, rule):
        candidates += 1 + len(squares)
        if candidates > LISTING_LIMIT:
            raise ValueError(
                f"n = {n}, mean {mean} and sd {sd} leave more than {LISTING_LIMIT} pairs of sums "
                "to list; the check grimmer decides without listing them"
            )
        found += [(total, q) for q in squares if lattice.has_values(n, total, q) is not False]
    return tuple(found)


def attainable_figures(inside: range, centre: Fraction) -> tuple[int, int]:
    """Return the ends of the range to show for a check on whole numbers.

    These are the least and greatest of those that print as the published figure (``inside``); if
    there are none, the numbers below and above where that figure lies on the same axis, or the
    nearest possible value to it (``centre``).
    """
    return (inside[0], inside[-1]) if inside else (floor(centre), ceil(centre))


def require_size(n: int, least: int, name: str = "n") -> None:
    """Refuse what is no number of observations, or too small a one."""
    if not isinstance(n, Integral) or n < least:
        raise ValueError(f"{name}: found {n!r}, allowed are whole numbers from {least}")


def sample_size(n: int | PrintedNumber, least: int, name: str = "n") -> int:
    """Return a printed or given number of observations, large enough, as an integer."""
    if isinstance(n, PrintedNumber):
        if n.operator != "=" or n.value.denominator != 1:
            raise ValueError(f"{name}: found {n}, allowed are whole numbers")
        n = int(n.value)
    require_size(n, least, name)
    return n


def exact(name: str, value: Exact) -> Fraction:
    """Return an exact number as a fraction; a float stands for another one than that typed."""
    if not isinstance(value, int | Fraction):
        raise ValueError(f"{name}: found {value!r}, allowed are int and Fraction")
    return Fraction(value)


def _on_lattice(name: str, value: Exact, granule: Fraction) -> int:
    position = exact(name, value) / granule
    if position.denominator != 1:
        raise ValueError(
            f"{name}: found {written(Fraction(value))}, allowed are multiples of {written(granule)}"
            f"{nearest_fraction(granule)}"
        )
    return position.numerator


def nearest_fraction(step: Fraction) -> str:
    """Return a hint where a step is a short fraction written with many decimals, else nothing."""
    short = step.limit_denominator(100)
    near = short != step and abs(step - short) < Fraction(1, 10**4) * short
    return f" (did you mean the step {short}?)" if near else ""


def variance_factors(n: int) -> dict[str, Fraction]:
    """Return what a printed SD may be by habits that are not stated, by name.

    Each is the factor from the square of the printed figure to the sample variance.
    """
    return {
        "SD with divisor n": Fraction(n, n - 1),
        "standard error in place of the SD": Fraction(n),
        "SD multiplied by √n, as if it had been a standard error": Fraction(1, n),
    }


# --- integers with a sum and a sum of squares ---------------------------------------------------


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
