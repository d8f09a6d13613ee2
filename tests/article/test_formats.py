"""How figures of cohorts are written."""

from __future__ import annotations

import math
from decimal import Decimal

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from rederive.printed import PrintedNumber, formats


@given(st.floats(0, 1))
def test_none_and_all_are_said_only_when_so(share: float) -> None:
    words = formats.percent(share)
    assert (words == "0 %") == (share == 0)
    assert (words == "100 %") == (share == 1)


@given(st.floats(0, 1), st.integers(2, 5))
def test_a_p_value_never_prints_as_zero(p: float, decimals: int) -> None:
    text = formats.p_text(p, decimals)
    assert float(text.removeprefix("<")) > 0
    assert text.startswith("<") == (p < 0.5 * 10.0**-decimals)
    assert abs(float(text.removeprefix("<")) - p) <= 10.0**-decimals


@given(st.floats(0, 1), st.floats(0, 1), st.integers(2, 5))
def test_bounds_of_p_values_are_rounded_outward(one: float, other: float, decimals: int) -> None:
    low, high = sorted((one, other))
    if high - low > 1e-11:
        floor, *rest = formats.p_between(low, high, decimals).split(" to ")
        ceiling = rest[0] if rest else floor
        assert floor.startswith("<") or float(floor) <= low + 1e-11
        assert float(ceiling.removeprefix("<")) >= high - 1e-11


@given(st.integers(0, 1500), st.integers(1, 30))
def test_printing_is_what_half_up_or_half_even_would_print(total: int, n: int) -> None:
    value = total / n
    shown = str(round(Decimal(total) / n, 1))
    series = pd.Series([value, math.nan])
    assert list(formats.printing(series, PrintedNumber(shown))) == [True, False]
    other = str(Decimal(shown) + Decimal("0.2"))
    assert not formats.printing(series, PrintedNumber(other)).any()


def test_what_is_not_known_is_none() -> None:
    assert formats.fixed(math.nan, 1) == formats.p_text(math.nan) == "none"
    assert formats.fixed(-0.04, 1) == "0.0"
