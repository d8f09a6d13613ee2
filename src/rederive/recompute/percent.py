"""Printed percentages and the whole numbers behind them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import nan
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rederive.printed import Interval, PrintedNumber, RoundingRule, require_printed
from rederive.printed.lattice import attainable_figures, require_size, sample_size
from rederive.printed.result import Reach, Recomputed, habit

PERCENT_DOMAIN = Interval(Fraction(0), Fraction(100))
"""The values that a percentage of a whole can take."""

MOST_LISTED = 12
"""Most numbers that a remark lists one by one."""

Sizes = TypeVar("Sizes", int, NDArray[np.object_])
"""One denominator, or many."""


def counts(percent: PrintedNumber, n: int, rule: RoundingRule = RoundingRule.EITHER) -> range:
    """Return every count ``k`` of 0..n whose percentage ``100 k / n`` would be printed so.

    Parameters
    ----------
    percent : PrintedNumber
        The percentage; an inequality (``<1%``, ``over 50%``) is allowed.
    n : int
        The denominator, at least 1.
    rule : RoundingRule
        Rule by which the percentage was rounded.

    Raises
    ------
    ValueError
        If ``n`` is below 1.

    Examples
    --------
    >>> list(counts(parse("23.3"), 30))
    [7]
    """
    require_size(n, 1)
    first, last = _count_ends(_possible(percent, rule), n)
    return range(first, max(first, last + 1))


def nearest_counts(
    percent: PrintedNumber, n: int, rule: RoundingRule
) -> tuple[tuple[int, ...], bool]:
    """Return the counts that print so and True or, if there are none, the two nearest and False."""
    found, below = counts(percent, n, rule), min(int(percent.value * n / 100), n - 1)
    return (tuple(found), True) if found else ((below, below + 1), False)


def attainable_denominators(
    percents: Sequence[PrintedNumber],
    n_max: int,
    rule: RoundingRule = RoundingRule.EITHER,
    *,
    n_min: int = 1,
    must_sum: bool = False,
) -> tuple[int, ...]:
    """Return every denominator for which each printed percentage has a count.

    Parameters
    ----------
    percents : sequence of PrintedNumber
        Percentages of one and the same whole.
    n_max, n_min : int
        Ends of the range of denominators tried, both included.
    rule : RoundingRule
        Rule by which the percentages were rounded.
    must_sum : bool
        Whether the categories exclude each other and leave nobody out, so that their counts have
        to add up to the denominator.

    Raises
    ------
    ValueError
        If there are no percentages, or the range of denominators is empty or starts below 1.

    Examples
    --------
    >>> attainable_denominators([parse("23.3"), parse("76.7")], 60)
    (30, 43, 60)
    """
    if not percents:
        raise ValueError("percents: found none, at least one is needed")
    require_size(n_min, 1)
    if n_max < n_min:
        raise ValueError(f"n_max: found {n_max}, allowed are whole numbers from n_min = {n_min}")
    sizes = np.arange(n_min, n_max + 1).astype(object)  # Python's integers never overflow
    ends = [_count_ends(_possible(percent, rule), sizes) for percent in percents]
    suits = np.all([first <= last for first, last in ends], axis=0)
    if must_sum:
        # Each category may take any count of its range, so the sums fill the range between.
        suits &= sum(first for first, _ in ends) <= sizes
        suits &= sizes <= sum(last for _, last in ends)
    return tuple(sizes[suits].tolist())


def percent_to_count(
    percent: PrintedNumber,
    n: int | PrintedNumber,
    count: PrintedNumber | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Check a printed percentage against its denominator and, if printed, its count.

    Parameters
    ----------
    percent : PrintedNumber
        The published percentage.
    n : int or PrintedNumber
        The denominator.
    count : PrintedNumber, optional
        The count printed beside the percentage.
    rule : RoundingRule
        Rule by which the percentage was rounded.

    Returns
    -------
    Recomputed
        ``low`` and ``high`` are percentages: with a count, the one it gives; without, the least
        and greatest attainable ones that print as the figure, or, if none does, the nearest
        attainable ones around it.

    Raises
    ------
    ValueError
        If ``n`` or ``count`` is no whole number, or the count is above the denominator.

    Examples
    --------
    >>> percent_to_count(parse("23.3"), 30).remark
    'attainable counts of 30: 7'
    """
    size = sample_size(n, 1)
    require_printed("percent", percent)
    found = counts(percent, size, rule)
    listed = f"attainable counts of {size}: {_listed(found)}"
    remark = listed if found else f"no count of {size} gives this percentage"
    if count is not None:
        stated = sample_size(count, 0, name="count")
        if stated > size:
            raise ValueError(f"count: found {stated}, allowed are 0 to n = {size}")
        share = Fraction(100 * stated, size)
        convention = f"count {stated} of {size}, rounding {rule}"
        reach = Reach.of_values(convention, [share], stated in found)
        otherwise = () if reach.meets else rounded_otherwise(percent, share)
        return Recomputed("percent to count", percent, (reach,), remark, otherwise)
    ends = attainable_figures(found, PERCENT_DOMAIN.nearest(percent.value) * size / 100)
    shares = [Fraction(100 * k, size) for k in ends]
    reach = Reach.of_values(f"n = {size}, rounding {rule}", shares, bool(found))
    possible = []
    for name, interval in ({} if found else percent.otherwise_rounded()).items():
        first, last = _count_ends(interval.intersect(PERCENT_DOMAIN), size)
        if first <= last:
            possible.append(habit(name, Fraction(100 * first, size), Fraction(100 * last, size)))
    return Recomputed("percent to count", percent, (reach,), remark, tuple(possible))


def rounded_otherwise(percent: PrintedNumber, share: Fraction) -> tuple[Reach, ...]:
    """Return the habits of rounding, other than to the nearest, that print a share so."""
    habits = percent.otherwise_rounded().items()
    return tuple(habit(name, share, share) for name, interval in habits if share in interval)


def denominator(
    n: PrintedNumber,
    percents: Sequence[PrintedNumber],
    rule: RoundingRule = RoundingRule.EITHER,
    *,
    must_sum: bool = False,
) -> Recomputed:
    """Check a printed denominator against all percentages that share it.

    Parameters
    ----------
    n : PrintedNumber
        The published number of patients.
    percents : sequence of PrintedNumber
        Percentages of one and the same whole.
    rule : RoundingRule
        Rule by which the percentages were rounded.
    must_sum : bool
        As in :func:`attainable_denominators`.

    Returns
    -------
    Recomputed
        ``low`` and ``high`` are ``n`` itself if it is attainable, else the nearest attainable
        denominators below and above (NaN if there are none); the remark lists all that were found,
        up to the double of ``n`` and at least ``n + 10``.

    Raises
    ------
    ValueError
        If ``n`` is no whole number or there are no percentages.

    Examples
    --------
    >>> denominator(parse("29"), [parse("23.3"), parse("76.7")]).inside
    False
    """
    size = sample_size(n, 1)
    top = max(2 * size, size + 10)
    found = attainable_denominators(percents, top, rule, must_sum=must_sum)
    meets = size in found
    low = size if meets else max((k for k in found if k < size), default=None)
    high = size if meets else min((k for k in found if k > size), default=None)
    ends: list[float] = [k for k in (low, high) if k is not None] or [nan]
    adds = ", counts adding up to n" if must_sum else ""
    reach = Reach.of_values(f"rounding {rule}{adds}", ends, meets)
    listed = _listed(found) or "none"
    return Recomputed("denominator", n, (reach,), f"attainable up to {top}: {listed}")


def _count_ends(inside: Interval | None, n: Sizes) -> tuple[Sizes, Sizes]:
    """Return the least and greatest count of n with a percentage within an interval.

    The least is greater where there is no such count.
    """
    if inside is None or inside.low is None or inside.high is None:
        return n, n - 1
    low, high = inside.low / 100, inside.high / 100
    first = -(-low.numerator * n // low.denominator)
    last = high.numerator * n // high.denominator
    if not inside.low_closed:
        first = first + (first * low.denominator == low.numerator * n)
    if not inside.high_closed:
        last = last - (last * high.denominator == high.numerator * n)
    return first, last


def _possible(percent: PrintedNumber, rule: RoundingRule) -> Interval | None:
    require_printed("percent", percent)
    return percent.interval(rule).intersect(PERCENT_DOMAIN)


def _listed(numbers: Sequence[int]) -> str:
    """Return numbers as words: all of a few, else the ends of a row, or the first ones."""
    if len(numbers) <= MOST_LISTED:
        return ", ".join(str(k) for k in numbers)
    if len(numbers) == numbers[-1] - numbers[0] + 1:
        return f"{numbers[0]} to {numbers[-1]}"
    first = ", ".join(str(k) for k in numbers[:MOST_LISTED])
    return f"{first} and {len(numbers) - MOST_LISTED} more up to {numbers[-1]}"
