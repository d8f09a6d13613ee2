"""Counts, percentages and sums recomputed from one another, exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from rederive.printed import Interval, PrintedNumber, RoundingRule, require_printed
from rederive.printed.result import Reach, Recomputed
from rederive.recompute.percent import attainable_denominators, nearest_counts, rounded_otherwise


def percent_of_count(
    count: int, n: int, percent: PrintedNumber, rule: RoundingRule = RoundingRule.EITHER
) -> Recomputed:
    """Recompute a percentage from its count and denominator.

    Parameters
    ----------
    count, n : int
        Count and denominator.
    percent : PrintedNumber
        The published percentage.
    rule : RoundingRule
        How it was rounded.

    Returns
    -------
    Recomputed
        Truncation is tried as an unstated choice.

    Raises
    ------
    ValueError
        If the count is not between 0 and ``n``, or ``n`` is below 1.

    Examples
    --------
    >>> percent_of_count(7, 30, parse("23.4")).as_row()["verdict"]
    'differs'
    """
    require_printed("percent", percent)
    if n < 1 or not 0 <= count <= n:
        raise ValueError(f"count {count} is not between 0 and n = {n}, or n is below 1")
    value = Fraction(100 * count, n)
    words, cut = f"{count} of {n}", RoundingRule.TRUNCATE
    reaches = [Reach.of_values(words, [value], percent.prints(value, rule))]
    if rule is not cut:
        truncated = percent.prints(value, cut)
        reaches.append(Reach.of_values(f"{words}, truncated", [value], truncated, stated=False))
    met = any(reach.meets for reach in reaches)
    possible = () if met else rounded_otherwise(percent, value)
    return Recomputed("percentage of a count", percent, tuple(reaches), possibilities=possible)


def attainable_percent(
    percent: PrintedNumber,
    n: int,
    siblings: Sequence[PrintedNumber] = (),
    exhaustive: bool = False,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Recompute a percentage whose count is not printed.

    Parameters
    ----------
    percent : PrintedNumber
        The published percentage.
    n : int
        The printed denominator.
    siblings : sequence of PrintedNumber
        Other percentages that share the denominator.
    exhaustive : bool
        Whether the percentage and its siblings are all the categories there are, so that their
        counts add up to the denominator.
    rule : RoundingRule
        How the percentages were rounded.

    Returns
    -------
    Recomputed
        The printed denominator is the stated convention, with the attainable percentages that
        print as published, or the nearest ones around it. Smaller denominators that suit the
        percentage and all its siblings are an unstated choice, and so is truncation.

    Examples
    --------
    >>> str(attainable_percent(parse("23.3"), 30).verdict)
    'same'
    """
    for each in (percent, *siblings):
        require_printed("percent", each)
    figures = (percent, *siblings)
    reaches = [_attainable_reach(figures, n, f"n = {n}", True, exhaustive, rule)]
    if rule is not RoundingRule.TRUNCATE:
        cut = RoundingRule.TRUNCATE
        words = f"n = {n}, digits cut off instead of rounded"
        reaches.append(_attainable_reach(figures, n, words, False, exhaustive, cut))
    fewer = attainable_denominators(figures, n - 1, rule, must_sum=exhaustive) if n > 1 else ()
    if fewer:
        rest = fewer[-2::-1]
        listed = ", ".join(str(found) for found in rest[:5])
        more = f" and {len(rest) - 5} smaller ones" if len(rest) > 5 else ""
        words = f"n = {fewer[-1]}" + (f" or {listed}{more}" if rest else "")
        reaches.append(_attainable_reach(figures, fewer[-1], words, False, exhaustive, rule))
    return Recomputed("attainable percentage", percent, tuple(reaches))


def _attainable_reach(
    figures: Sequence[PrintedNumber],
    n: int,
    words: str,
    stated: bool,
    exhaustive: bool,
    rule: RoundingRule,
) -> Reach:
    """Return the attainable values of the first figure; it meets if all figures suit ``n``."""
    percent = figures[0]
    found, some = nearest_counts(percent, n, rule)
    shares = [Fraction(100 * count, n) for count in (found[0], found[-1])]
    meets = bool(attainable_denominators(figures, n, rule, n_min=n, must_sum=exhaustive))
    counted = f"{' or '.join(str(count) for count in found[:3])} of {n}"
    if some and meets:
        words = f"{words} ({counted})"
    elif some:
        words = f"{words}: {counted} gives this share, but no counts give those beside it"
    return Reach.of_values(words, shares, meets, stated)


def count_of_percent(
    percent: PrintedNumber,
    n: int,
    count: PrintedNumber,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Recompute a count from its percentage and denominator.

    Parameters
    ----------
    percent : PrintedNumber
        The published percentage.
    n : int
        Its denominator.
    count : PrintedNumber
        The published count.
    rule : RoundingRule
        How the percentage was rounded.

    Returns
    -------
    Recomputed
        The reach spans all counts that would be printed as this percentage; where there are none,
        the two nearest, and the printed count does not meet them.

    Examples
    --------
    >>> count_of_percent(parse("20"), 30, parse("6")).main.point
    6.0
    """
    require_printed("percent", percent)
    require_printed("count", count)
    found, some = nearest_counts(percent, n, rule)
    meets = some and any(count.prints(Fraction(k)) for k in found)
    reach = Reach.of_values(f"{percent}% of {n}", found, meets)
    return Recomputed("count of a percentage", count, (reach,))


def n_of_count_and_percent(
    count: int,
    percent: PrintedNumber,
    n: PrintedNumber,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Recompute a denominator from a count and its percentage.

    Parameters
    ----------
    count : int
        The count, at least 1.
    percent : PrintedNumber
        Its percentage.
    n : PrintedNumber
        The published denominator.
    rule : RoundingRule
        How the percentage was rounded.

    Returns
    -------
    Recomputed
        The reach spans all denominators for which the count prints as the percentage; where there
        are none, the two around it, and the printed denominator does not meet them.

    Raises
    ------
    ValueError
        If the count is zero: every denominator gives 0 %.

    Examples
    --------
    >>> n_of_count_and_percent(7, parse("23.3"), parse("30")).main.point
    30.0
    """
    require_printed("percent", percent)
    require_printed("n", n)
    if count < 1:
        raise ValueError("a count of zero says nothing of its denominator")
    words, sizes = f"{count} is {percent}%", range(0)
    possible = percent.interval(rule).intersect(Interval(Fraction(0), Fraction(100), False))
    if possible is not None and possible.low is not None and possible.high is not None:
        least = 100 * count / possible.high
        # A share that may be zero sets no upper limit.
        most = 100 * count / possible.low if possible.low else max(Fraction(10_000), n.value, least)
        closed = possible.high_closed, possible.low_closed or not possible.low
        sizes = Interval(least, most, *closed).integers()
    if sizes:
        ends = sizes[0], sizes[-1]
        near = {*ends, math.floor(n.value), math.ceil(n.value)}
        meets = any(size in sizes and n.prints(Fraction(size)) for size in near)
    else:
        meets = False
        words += " of no number of patients, between"
        low = max(count, int(100 * count / percent.value)) if percent.value > 0 else count
        ends = low, low + 1
    reach = Reach.of_values(words, ends, meets)
    share = Fraction(100 * count, max(count, round(n.value)))
    otherwise = () if meets else rounded_otherwise(percent, share)
    return Recomputed("denominator of a percentage", n, (reach,), possibilities=otherwise)
