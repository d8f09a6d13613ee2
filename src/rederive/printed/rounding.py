"""Rounding rules, and the sets of true values that each rule prints alike."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from numbers import Rational

from rederive.printed.interval import Interval


class RoundingRule(StrEnum):
    """How a true value became a printed one.

    ``EITHER`` is the rule for figures whose software is unknown: a value exactly half-way between
    two printed figures may have gone to either of them.
    """

    EITHER = "either"
    HALF_UP = "half-up"
    HALF_EVEN = "half-even"
    TRUNCATE = "truncate"


def units_of(value: Rational, decimals: int, rule: RoundingRule) -> int:
    """Return an exact value, rounded, in units of the last decimal kept.

    ``HALF_UP`` sends halves away from zero, ``HALF_EVEN`` to the even digit, ``TRUNCATE`` drops the
    digits. ``EITHER`` is not a function and is refused: use :func:`rounded_figures`.
    """
    kept: int
    numerator, denominator = int(value.numerator), int(value.denominator)
    kept, rest = divmod(abs(numerator) * 10**decimals, denominator)
    side = 2 * rest - denominator
    if rule is RoundingRule.HALF_UP:
        kept += side >= 0
    elif rule is RoundingRule.HALF_EVEN:
        kept += side > 0 or (side == 0 and kept % 2 == 1)
    elif rule is RoundingRule.EITHER:
        raise ValueError("the rule 'either' does not decide halves; use rounded_figures")
    return kept if numerator >= 0 else -kept


def round_to(value: Rational, decimals: int, rule: RoundingRule) -> Fraction:
    """Round an exact value to a number of decimals; see :func:`units_of`."""
    return Fraction(units_of(value, decimals, rule), 10**decimals)


def rounded_figures(value: Rational, decimals: int, rule: RoundingRule) -> frozenset[Fraction]:
    """Return every figure that a value may be printed as: one, or two for a half under EITHER."""
    rules = (RoundingRule.HALF_UP, RoundingRule.TRUNCATE)
    near = frozenset(round_to(value, decimals, each) for each in rules)
    return frozenset(figure for figure in near if value in preimage(figure, decimals, rule))


def preimage(figure: Rational, decimals: int, rule: RoundingRule) -> Interval:
    """Return the exact set of values that a rule prints as a figure with so many decimals.

    It is closed at both ends for ``EITHER``; half-open away from zero for ``HALF_UP``; closed for
    an even last digit and open for an odd one under ``HALF_EVEN``.
    """
    value, unit = Fraction(figure), Fraction(1, 10**decimals)
    if (value / unit).denominator != 1:
        raise ValueError(f"{figure} is no figure with {decimals} decimals")
    even = (value / unit).numerator % 2 == 0
    closed = {RoundingRule.EITHER: (True, True), RoundingRule.HALF_EVEN: (even, even)}
    ends = closed.get(rule, (value > 0, value < 0))
    if rule is not RoundingRule.TRUNCATE:
        return Interval(value - unit / 2, value + unit / 2, *ends)
    low, high = (value if value > 0 else value - unit), (value if value < 0 else value + unit)
    return Interval(low, high, *ends)
