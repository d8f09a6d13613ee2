"""Honest summaries: what data print as under a rounding rule, decided with integers alone.

The checks of this package must accept everything that these functions print. They share no code
with the checks: here a value becomes a figure, there a figure becomes an interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from rederive.printed import PrintedNumber, RoundingRule


@dataclass(frozen=True, slots=True)
class Moments:
    """Size, sum and sum of squares of whole-numbered data, with the step they stand for.

    Parameters
    ----------
    n, total, squares : int
        Number of values, their sum and the sum of their squares, in units of the step.
    step : Fraction
        What one unit is worth.
    """

    n: int
    total: int
    squares: int
    step: Fraction = Fraction(1)

    @classmethod
    def of(cls, values: Sequence[int], step: Fraction = Fraction(1)) -> Moments:
        """Summarise values given in units of the step."""
        return cls(len(values), sum(values), sum(value * value for value in values), step)

    @property
    def mean(self) -> Fraction:
        """The mean."""
        return self.step * self.total / self.n

    @property
    def variance(self) -> Fraction:
        """The sample variance (divisor n - 1)."""
        excess = self.n * self.squares - self.total**2
        return self.step**2 * excess / (self.n * (self.n - 1))

    def mean_figures(self, decimals: int, rule: RoundingRule) -> tuple[PrintedNumber, ...]:
        """Return every way in which the rule may print the mean: one, or two for a half."""
        return value_figures(self.mean, decimals, rule)

    def sd_figures(self, decimals: int, rule: RoundingRule) -> tuple[PrintedNumber, ...]:
        """Return every way in which the rule may print the sample SD: one, or two for a half."""
        return root_figures(self.variance, decimals, rule)


def value_figures(
    value: Fraction | int, decimals: int, rule: RoundingRule
) -> tuple[PrintedNumber, ...]:
    """Return every way in which a rule may print an exact value."""
    scaled = abs(Fraction(value)) * 10**decimals
    floor = scaled.numerator // scaled.denominator
    twice = 2 * (scaled - floor)
    side = (twice > 1) - (twice < 1)
    return _figures(floor, side, decimals, rule, negative=value < 0)


def root_figures(
    square: Fraction | int, decimals: int, rule: RoundingRule
) -> tuple[PrintedNumber, ...]:
    """Return every way in which a rule may print the square root of an exact value."""
    scaled = Fraction(square) * 100**decimals
    floor = isqrt(scaled.numerator // scaled.denominator)
    middle = Fraction(2 * floor + 1, 2) ** 2
    side = (scaled > middle) - (scaled < middle)
    return _figures(floor, side, decimals, rule, negative=False)


def _figures(
    floor: int, side: int, decimals: int, rule: RoundingRule, *, negative: bool
) -> tuple[PrintedNumber, ...]:
    """Print ``floor`` or ``floor + 1`` units; ``side`` is the sign of the rest minus a half."""
    if rule is RoundingRule.TRUNCATE or side < 0:
        kept = [floor]
    elif side > 0 or rule is RoundingRule.HALF_UP:
        kept = [floor + 1]
    elif rule is RoundingRule.HALF_EVEN:
        kept = [floor + floor % 2]
    else:
        kept = [floor, floor + 1]
    return tuple(PrintedNumber(_text(units, decimals, negative)) for units in kept)


def _text(units: int, decimals: int, negative: bool) -> str:
    digits = str(units).zfill(decimals + 1)
    whole, rest = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return ("-" if negative and units else "") + whole + ("." + rest if decimals else "")
