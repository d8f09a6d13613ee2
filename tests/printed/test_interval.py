"""Exact intervals: membership, common parts, and contact with floating-point ranges."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rederive.printed import Interval
from repetitions import repeated

PROFILE = settings(max_examples=repeated(50))
END = st.one_of(st.none(), st.fractions(-3, 3, max_denominator=4))


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = draw(END), draw(END)
    if low is not None and high is not None and low > high:
        low, high = high, low
    same = low is not None and low == high
    return Interval(low, high, same or draw(st.booleans()), same or draw(st.booleans()))


def belongs(interval: Interval, x: Fraction) -> bool:
    """Decide membership from the definition, end by end."""
    if interval.low is not None and (
        x < interval.low or (x == interval.low and not interval.low_closed)
    ):
        return False
    return (
        interval.high is None or x < interval.high or (x == interval.high and interval.high_closed)
    )


@PROFILE
@given(intervals(), st.integers(-32, 32).map(lambda eighths: Fraction(eighths, 8)))
def test_membership(interval: Interval, x: Fraction) -> None:
    assert (x in interval) is belongs(interval, x)
    assert (float(x) in interval) is belongs(interval, x)  # eighths are exact as floats


@PROFILE
@given(intervals(), intervals(), st.lists(st.fractions(-4, 4, max_denominator=8), min_size=20))
def test_intersection_is_the_common_part(a: Interval, b: Interval, points: list[Fraction]) -> None:
    both = a.intersect(b)
    assert both == b.intersect(a)
    ends = [end for end in (a.low, a.high, b.low, b.high) if end is not None]
    middles = [(x + y) / 2 for x in ends for y in ends]
    for x in (*points, *ends, *middles):
        expected = belongs(a, x) and belongs(b, x)
        assert (both is not None and x in both) is expected
    if both is None:
        assert not any(belongs(a, x) and belongs(b, x) for x in middles)


def test_touching_ends_meet_only_when_both_are_closed() -> None:
    left = Interval(Fraction(0), Fraction(1))
    assert left.intersect(Interval(Fraction(1), Fraction(2))) == Interval.point(Fraction(1))
    assert left.intersect(Interval(Fraction(1), Fraction(2), low_closed=False)) is None
    assert left.intersect(Interval(Fraction(2), None)) is None


@pytest.mark.parametrize(
    ("low", "high", "low_closed", "high_closed"),
    [(2, 1, True, True), (1, 1, True, False), (1, 1, False, True), (1, 1, False, False)],
)
def test_empty_intervals_are_refused(
    low: int, high: int, low_closed: bool, high_closed: bool
) -> None:
    with pytest.raises(ValueError, match="empty interval"):
        Interval(Fraction(low), Fraction(high), low_closed, high_closed)


def test_infinite_ends_are_never_closed() -> None:
    everything = Interval(None, None)
    assert not everything.low_closed and not everything.high_closed
    assert everything.lower == -math.inf and everything.upper == math.inf
    assert 10**30 in everything and -(10**30) in everything
    assert str(everything) == "(-inf, inf)"
    assert str(Interval(Fraction(1, 2), None)) == "[0.5, inf)"


def test_nan_is_in_no_bounded_interval() -> None:
    assert math.nan not in Interval(Fraction(0), Fraction(1))


@PROFILE
@given(intervals(), st.floats(-4, 4), st.floats(-4, 4))
def test_meets_agrees_with_exact_overlap_away_from_the_ends(
    interval: Interval, x: float, y: float
) -> None:
    low, high = min(x, y), max(x, y)
    overlap = interval.intersect(Interval(Fraction(low), Fraction(high))) is not None
    near_an_end = any(
        abs(Fraction(end) - own) < Fraction(1, 10**7)
        for end in (low, high)
        for own in (interval.low, interval.high)
        if own is not None
    )
    if overlap:
        assert interval.meets(low, high)
    elif not near_an_end:
        assert not interval.meets(low, high)


def test_meets_forgives_rounding_error_but_not_more() -> None:
    target = Interval(Fraction(1, 20), Fraction(6, 100), low_closed=False)
    assert target.meets(0.0, 0.05)
    assert target.meets(0.0, 0.05 - 1e-10)
    assert not target.meets(0.0, 0.05 - 1e-6)
    assert not target.meets(0.06 + 1e-6, 1.0)
    assert not target.meets(math.nan, math.nan)


def test_an_infinite_range_end_gives_no_unlimited_allowance() -> None:
    target = Interval(Fraction(1), Fraction(2))
    assert target.meets(1.5, math.inf)
    assert target.meets(-math.inf, math.inf)
    assert not target.meets(10.0, math.inf)
    assert not target.meets(-math.inf, 0.5)
