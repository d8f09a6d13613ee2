"""Rounding rules against the decimal module, and their preimages against themselves."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rederive.printed import RoundingRule, preimage, round_to, rounded_figures
from repetitions import repeated

PROFILE = settings(max_examples=repeated(50))
MODES = {
    RoundingRule.HALF_UP: decimal.ROUND_HALF_UP,
    RoundingRule.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    RoundingRule.TRUNCATE: decimal.ROUND_DOWN,
}
DECIMALS = st.integers(0, 4)


@st.composite
def values(draw: st.DrawFn) -> tuple[Fraction, int]:
    """Draw a value and its decimals; half of the values lie exactly between two figures."""
    decimals = draw(DECIMALS)
    if draw(st.booleans()):
        twice = draw(st.integers(-4001, 4001))
        return Fraction(twice, 2 * 10**decimals), decimals
    return draw(st.fractions(-200, 200, max_denominator=3000)), decimals


@PROFILE
@given(st.integers(-(10**9), 10**9), st.integers(0, 7), DECIMALS, st.sampled_from(list(MODES)))
def test_round_to_is_the_rounding_of_the_decimal_module(
    digits: int, scale: int, decimals: int, rule: RoundingRule
) -> None:
    exact = Decimal(digits).scaleb(-scale)
    expected = exact.quantize(Decimal(1).scaleb(-decimals), rounding=MODES[rule])
    assert round_to(Fraction(exact), decimals, rule) == Fraction(expected)


@PROFILE
@given(values(), st.sampled_from(list(RoundingRule)), st.integers(-2, 2))
def test_preimage_is_exactly_what_the_rule_sends_to_the_figure(
    case: tuple[Fraction, int], rule: RoundingRule, shift: int
) -> None:
    value, decimals = case
    unit = Fraction(1, 10**decimals)
    figure = round_to(value, decimals, RoundingRule.HALF_UP) + shift * unit
    inside = value in preimage(figure, decimals, rule)
    assert inside is (figure in rounded_figures(value, decimals, rule))
    if rule is not RoundingRule.EITHER:
        assert inside is (round_to(value, decimals, rule) == figure)


@PROFILE
@given(values())
def test_either_is_the_union_of_half_up_and_every_other_rule_for_halves(
    case: tuple[Fraction, int],
) -> None:
    value, decimals = case
    either = rounded_figures(value, decimals, RoundingRule.EITHER)
    up = round_to(value, decimals, RoundingRule.HALF_UP)
    even = round_to(value, decimals, RoundingRule.HALF_EVEN)
    unit = Fraction(1, 10**decimals)
    assert {up, even} <= either
    if (value / unit * 2).denominator == 1 and (value / unit).denominator == 2:
        assert either == {value - unit / 2, value + unit / 2}
        assert round_to(abs(value), decimals, RoundingRule.HALF_UP) == abs(value) + unit / 2
        assert (even / unit).numerator % 2 == 0
    else:
        assert either == {up} == {even}


@PROFILE
@given(values(), st.sampled_from(list(RoundingRule)))
def test_every_value_prints_as_something_and_rounding_is_odd(
    case: tuple[Fraction, int], rule: RoundingRule
) -> None:
    value, decimals = case
    figures = rounded_figures(value, decimals, rule)
    assert figures
    assert {-figure for figure in figures} == rounded_figures(-value, decimals, rule)
    assert all(abs(figure - value) < Fraction(1, 10**decimals) for figure in figures)


@pytest.mark.parametrize(
    ("figure", "rule", "closed_low", "closed_high"),
    [
        ("2.5", RoundingRule.EITHER, True, True),
        ("2.5", RoundingRule.HALF_UP, True, False),
        ("-2.5", RoundingRule.HALF_UP, False, True),
        ("0.0", RoundingRule.HALF_UP, False, False),
        ("2.4", RoundingRule.HALF_EVEN, True, True),
        ("2.5", RoundingRule.HALF_EVEN, False, False),
        ("0.0", RoundingRule.HALF_EVEN, True, True),
        ("2.5", RoundingRule.TRUNCATE, True, False),
        ("-2.5", RoundingRule.TRUNCATE, False, True),
        ("0.0", RoundingRule.TRUNCATE, False, False),
    ],
)
def test_ends(figure: str, rule: RoundingRule, closed_low: bool, closed_high: bool) -> None:
    found = preimage(Fraction(figure), 1, rule)
    assert (found.low_closed, found.high_closed) == (closed_low, closed_high)
    width = Fraction(1, 5) if rule is RoundingRule.TRUNCATE and figure == "0.0" else Fraction(1, 10)
    assert found.high is not None and found.low is not None
    assert found.high - found.low == width


def test_either_decides_no_half() -> None:
    with pytest.raises(ValueError, match="either"):
        round_to(Fraction(1, 2), 0, RoundingRule.EITHER)


def test_a_figure_with_more_decimals_than_stated_is_refused() -> None:
    with pytest.raises(ValueError, match="no figure with 1 decimals"):
        preimage(Fraction("2.55"), 1, RoundingRule.HALF_EVEN)
