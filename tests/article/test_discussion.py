"""Differences against the controls: intervals by another route, and what they exclude."""

from __future__ import annotations

import itertools
import math

import pytest
from scipy import stats

from ivig_dcssc import discussion
from ivig_dcssc.article import open_ledger
from ivig_dcssc.controls import COMPARATORS, comparisons, ivig_change
from rederive.book.ledger import Ledger
from rederive.printed import RoundingRule


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger()


def interval(m1: float, s1: float, n1: int, m2: float, s2: float, n2: int) -> tuple[float, float]:
    """Student's interval by inverting scipy's test statistic."""
    t = stats.ttest_ind_from_stats(m1, s1, n1, m2, s2, n2, equal_var=True).statistic
    error = (m1 - m2) / t
    half = stats.t.ppf(0.975, n1 + n2 - 2) * error
    return m1 - m2 - abs(half), m1 - m2 + abs(half)


def test_intervals_against_scipy_and_over_the_rounding(ledger: Ledger) -> None:
    found = {(each.comparator, each.month): each for each in discussion.differences(ledger)}
    rule = RoundingRule.EITHER
    for timepoint, month in (("m6", 6), ("m12", 12)):
        shared = ivig_change(ledger, timepoint)
        for comparison in comparisons(ledger, timepoint):
            other, each = comparison.summary, found[comparison.name, month]
            point = interval(
                float(shared.mean.value),
                float(shared.sd.value),
                shared.n,
                float(other.mean.value),
                float(other.sd.value),
                other.n,
            )
            assert (each.low, each.high) == pytest.approx(point)
            corners = [
                interval(m1, s1, shared.n, m2, s2, other.n)
                for m1, s1, m2, s2 in itertools.product(
                    shared.mean_range(rule),
                    shared.sd_range(rule),
                    other.mean_range(rule),
                    other.sd_range(rule),
                )
            ]
            assert each.widest[0] == pytest.approx(min(low for low, _ in corners))
            assert each.widest[1] == pytest.approx(max(high for _, high in corners))
    assert len(found) == sum(len(groups) for groups in COMPARATORS.values())


def test_exclusion_has_three_answers() -> None:
    def made(low: float, high: float, widest: tuple[float, float]) -> discussion.Difference:
        return discussion.Difference("a", 6, (low + high) / 2, low, high, widest)

    assert made(-4, 4, (-4.5, 4.5)).excludes(5) is True
    assert made(-4, 4, (-5.5, 4.5)).excludes(5) is None
    assert made(-6, 4, (-6.5, 4.5)).excludes(5) is False
    assert made(-6, 4, (-6.5, 4.5)).open and not made(-6, -1, (-7, -0.5)).open


def test_every_open_comparison_is_in_the_sentences(ledger: Ledger) -> None:
    found = discussion.differences(ledger)
    words = " ".join(discussion.likeness_in_words(ledger, found))
    assert all(f"{each.comparator} at month {each.month}" in words for each in found)
    assert math.isclose(discussion.threshold(ledger), 5)
