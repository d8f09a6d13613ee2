"""Cohorts by prior and the texts of their numbers: limits, ranges and shares."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivig_dcssc import cohort_groups
from ivig_dcssc.evidence import Cohorts
from rederive.book.ledger import Ledger


@pytest.fixture(scope="module")
def cohorts() -> Cohorts:
    """Five cohorts, three of one prior and two of another."""
    priors = pd.Series(["gaussian"] * 3 + ["flat"] * 2, index=range(5))
    return cast(Cohorts, SimpleNamespace(priors=priors))


@given(st.floats(0, 1))
def test_none_and_all_are_said_only_when_so(share: float) -> None:
    words = cohort_groups.percent(share)
    assert (words == "0 %") == (share == 0)
    assert (words == "100 %") == (share == 1)


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=30))
def test_ranges_are_rounded_outward(values: list[float]) -> None:
    words = cohort_groups.span_in_words([*values, float("nan")], 2)
    ends = [float(end) for end in words.split(" to ")]
    if len(ends) == 2:
        assert ends[0] <= min(values) + 1e-9 and max(values) - 1e-9 <= ends[1]
    else:
        assert max(values) - min(values) < 1e-9


@given(st.floats(0, 1), st.integers(2, 5))
def test_a_p_value_never_prints_as_zero(p: float, decimals: int) -> None:
    text = cohort_groups.p_text(p, decimals)
    assert float(text.removeprefix("<")) > 0
    assert text.startswith("<") == (p < 0.5 * 10.0**-decimals)
    assert abs(float(text.removeprefix("<")) - p) <= 10.0**-decimals


@given(st.floats(0, 1), st.floats(0, 1), st.integers(2, 5))
def test_bounds_of_p_values_are_rounded_outward(one: float, other: float, decimals: int) -> None:
    low, high = sorted((one, other))
    floor, ceiling = cohort_groups.p_floor(low, decimals), cohort_groups.p_ceiling(high, decimals)
    assert floor.startswith("<") or float(floor) <= low + 1e-11
    assert float(ceiling.removeprefix("<")) >= high - 1e-11
    if high - low > 1e-11:
        ends = dict.fromkeys((floor, ceiling))
        assert cohort_groups.p_between(low, high, decimals) == " to ".join(ends)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=20), st.integers(0, 3))
def test_a_spread_says_no_figure_twice(values: list[float], decimals: int) -> None:
    words = cohort_groups.Spread.of([*values, math.nan]).in_words(decimals)
    middle, _, ends = words.removesuffix(")").partition(" (")
    assert not ends or len({middle, *ends.split(" to ")}) > 1
    assert "-0" not in [part.rstrip("0").rstrip(".") for part in (middle, *ends.split(" to "))]


def test_values_go_to_their_prior(cohorts: Cohorts) -> None:
    parts = cohort_groups.by_prior(cohorts, pd.Series([1.0, 2.0, 3.0], index=[4, 0, 3]))
    assert {name: list(part) for name, part in parts.items()} == {
        "gaussian": [2.0],
        "flat": [1.0, 3.0],
    }


def test_shares_run_from_the_least_to_the_greatest_prior(cohorts: Cohorts) -> None:
    flags = pd.Series([True, False, False, True, True])
    assert cohort_groups.share_by_prior(cohorts, flags) == "33 % to 100 %"
    assert cohort_groups.share_by_prior(cohorts, flags & False) == "0 %"
    assert cohort_groups.share_by_prior(cohorts, flags.iloc[:1]) == "yes"


def test_what_is_not_known_is_none() -> None:
    assert cohort_groups.fixed(math.nan, 1) == cohort_groups.p_text(math.nan) == "none"
    assert cohort_groups.Spread.of([]).in_words(2) == "none"
    assert cohort_groups.span_in_words([math.nan], 1) == "none"
    assert cohort_groups.share_of([]) == "none"


def test_a_ledger_without_cohorts_is_refused() -> None:
    with pytest.raises(TypeError, match="without patient-level data"):
        cohort_groups.cohorts_of(cast(Ledger, SimpleNamespace(cohorts=None)))
