"""Exact rational intervals with open or closed ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational

Number = Rational | float


@dataclass(frozen=True, slots=True)
class Interval:
    """A non-empty set of real numbers between two ends, each of which may belong to it or not.

    ``None`` stands for minus or plus infinity, which never does. Ends in the wrong order, or such
    that leave the set empty, are a ``ValueError``.
    """

    low: Fraction | None
    high: Fraction | None
    low_closed: bool = True
    high_closed: bool = True

    def __post_init__(self) -> None:
        if self.low is None:
            object.__setattr__(self, "low_closed", False)
        if self.high is None:
            object.__setattr__(self, "high_closed", False)
        if self.low is not None and self.high is not None:
            closed = self.low_closed and self.high_closed
            if self.low > self.high or (self.low == self.high and not closed):
                raise ValueError(f"empty interval: {self}")

    @classmethod
    def point(cls, value: Rational) -> Interval:
        """Return the interval that holds one value only."""
        return cls(Fraction(value), Fraction(value))

    @property
    def lower(self) -> float:
        """The lower end as a float, minus infinity when there is none."""
        return float("-inf") if self.low is None else float(self.low)

    @property
    def upper(self) -> float:
        """The upper end as a float, plus infinity when there is none."""
        return float("inf") if self.high is None else float(self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends as floats."""
        return self.lower, self.upper

    def __contains__(self, value: Number) -> bool:
        above = self.low is None or value > self.low or (self.low_closed and value == self.low)
        below = self.high is None or value < self.high or (self.high_closed and value == self.high)
        return above and below

    def intersect(self, other: Interval) -> Interval | None:
        """Return the common part of two intervals, or ``None`` if there is none."""
        first = max(self, other, key=Interval._start)
        last = min(self, other, key=Interval._end)
        try:
            return Interval(first.low, last.high, first.low_closed, last.high_closed)
        except ValueError:
            return None

    def _start(self) -> tuple[Number, bool]:
        return -math.inf if self.low is None else self.low, not self.low_closed

    def _end(self) -> tuple[Number, bool]:
        return math.inf if self.high is None else self.high, self.high_closed

    def nearest(self, value: Fraction) -> Fraction:
        """Return a value, or the end that is nearest to it where it lies beyond one."""
        above = value if self.low is None else max(value, self.low)
        return above if self.high is None else min(above, self.high)

    def scaled(self, factor: Fraction | int) -> Interval:
        """Return the products of the members with a factor, which is not 0."""
        low = None if self.low is None else self.low * factor
        high = None if self.high is None else self.high * factor
        if factor > 0:
            return Interval(low, high, self.low_closed, self.high_closed)
        return Interval(high, low, self.high_closed, self.low_closed)

    def shifted(self, by: Fraction | int) -> Interval:
        """Return the sums of the members with a number."""
        low = None if self.low is None else self.low + by
        high = None if self.high is None else self.high + by
        return Interval(low, high, self.low_closed, self.high_closed)

    def squared(self) -> Interval | None:
        """Return the squares of the members that are not negative; ``None`` if there are none."""
        positive = self.intersect(Interval(Fraction(0), None))
        if positive is None or positive.low is None:
            return None
        high = None if positive.high is None else positive.high**2
        return Interval(positive.low**2, high, positive.low_closed, positive.high_closed)

    def integers(self) -> range:
        """Return the whole numbers of an interval that has two finite ends."""
        if self.low is None or self.high is None:
            raise ValueError(f"the interval {self} holds infinitely many integers")
        first, last = math.ceil(self.low), math.floor(self.high)
        first += first == self.low and not self.low_closed
        last -= last == self.high and not self.high_closed
        return range(first, max(first, last + 1))

    def meets(self, low: float, high: float, slack: float = 1e-9, floor: float = 1.0) -> bool:
        """Return whether a closed floating-point range touches the interval.

        The slack is for rounding error in the range, relative to its greater end. It is added on
        the side of the printed figure, so an honest figure is never refused for want of it, and it
        makes open ends count as closed. Below the magnitude `floor` it shrinks no further; that is
        0 for a quantity that is known to so many digits however small it is, such as a p value.
        """
        ends = [abs(end) for end in (low, high) if math.isfinite(end)]
        allowance = slack * max([floor, *ends])
        return low <= self.upper + allowance and high >= self.lower - allowance

    def touches(self, low: float, high: float | None = None) -> bool:
        """Return whether a range, or one value, meets it to the last digits, however small."""
        return self.meets(low, low if high is None else high, floor=0.0)

    def sides_of(self, level: float) -> set[bool]:
        """Return the answers to "is it below this level" that members give, 0.05 taken exactly."""
        exact = Fraction(str(level))
        below = self.low is None or self.low < exact
        other = self.high is None or self.high > exact or exact in self
        return {below, not other}

    def __str__(self) -> str:
        left = "[" if self.low_closed else "("
        right = "]" if self.high_closed else ")"
        low = "-inf" if self.low is None else f"{float(self.low):g}"
        high = "inf" if self.high is None else f"{float(self.high):g}"
        return f"{left}{low}, {high}{right}"
