"""Honestly printed data never raise an alarm, whatever the rounding rule.

Each check sees thousands of simulated data sets, other ones for every rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from honest_summaries import Moments, value_figures
from rederive.consistency import (
    Classification,
    check_statistic,
    debit,
    grim,
    grimmer,
    p_values,
    sd_limits,
)
from rederive.printed import PrintedNumber, RoundingRule
from rederive.printed.lattice import Lattice, attainable_moments
from rederive.recompute import attainable_denominators, counts, denominator, percent_to_count
from repetitions import repeated

RULES = list(RoundingRule)
PER_RULE = repeated(300)


def generator(check: int, rule: RoundingRule) -> np.random.Generator:
    """Return a seeded generator of its own for each check and rule."""
    return np.random.default_rng([check, RULES.index(rule)])


@dataclass(frozen=True)
class Case:
    """One simulated data set and the scale it comes from."""

    moments: Moments
    items: int
    step: Fraction
    low: int
    high: int
    decimals: int

    @property
    def ends(self) -> tuple[Fraction, Fraction]:
        return self.low * self.moments.step, self.high * self.moments.step


def data_sets(check: int, rule: RoundingRule, size: int = PER_RULE) -> Iterator[Case]:
    """Simulate columns of many shapes: scales, items, steps, sizes that make exact halves."""
    rng = generator(check, rule)
    sizes = np.array([2, 3, 4, 5, 7, 8, 10, 12, 15, 16, 20, 28, 29, 30, 32, 40, 50, 64, 80])
    for _ in range(size):
        n = int(rng.choice(sizes))
        items = int(rng.choice([1, 1, 1, 2, 3, 4, 8]))
        step = Fraction(1, int(rng.choice([1, 1, 1, 2, 8])))
        low = int(rng.integers(-60, 20)) * items
        high = low + int(rng.integers(1, 60)) * items
        shape = rng.integers(4)
        if shape == 0:
            values = rng.integers(low, high + 1, n)
        elif shape == 1:
            values = np.where(rng.random(n) < rng.random(), low, high)
        elif shape == 2:
            values = np.clip(
                np.rint(rng.normal((low + high) / 2, 1 + (high - low) / 6, n)), low, high
            )
        else:
            values = low + rng.binomial(high - low, rng.random(), n)
        moments = Moments.of([int(v) for v in values], step / items)
        yield Case(moments, items, step, low, high, int(rng.integers(0, 4)))


@pytest.mark.parametrize("rule", RULES)
def test_grim(rule: RoundingRule) -> None:
    for case in data_sets(1, rule):
        low, high = case.ends
        for mean in case.moments.mean_figures(case.decimals, rule):
            for accepted in (rule, RoundingRule.EITHER):
                if rule is RoundingRule.TRUNCATE and accepted is not rule:
                    continue
                bounded = grim(mean, case.moments.n, case.items, case.step, low, high, accepted)
                assert bounded.inside, (case, mean, accepted)
                assert bounded.main.low <= bounded.main.high
            free = grim(mean, case.moments.n, case.items, case.step, rule=rule)
            assert free.inside, (case, mean)


@pytest.mark.parametrize("rule", RULES)
def test_grimmer(rule: RoundingRule) -> None:
    for case in data_sets(2, rule):
        low, high = case.ends
        moments = case.moments
        sd_decimals = (case.decimals + moments.total) % 4
        for mean in moments.mean_figures(case.decimals, rule):
            for sd in moments.sd_figures(sd_decimals, rule):
                result = grimmer(mean, sd, moments.n, case.items, case.step, low, high, rule)
                assert result.inside, (case, mean, sd, result)


@pytest.mark.parametrize("rule", RULES)
def test_grimmer_without_ends(rule: RoundingRule) -> None:
    for case in data_sets(3, rule, PER_RULE // 4):
        low, high = case.ends
        moments = case.moments
        for mean in moments.mean_figures(case.decimals, rule):
            for sd in moments.sd_figures(case.decimals, rule):
                for ends in ((None, None), (low, None), (None, high)):
                    result = grimmer(mean, sd, moments.n, case.items, case.step, *ends, rule)
                    assert result.inside, (case, mean, sd, ends)


@pytest.mark.parametrize("rule", RULES)
def test_attainable_moments_hold_the_true_ones(rule: RoundingRule) -> None:
    for case in data_sets(4, rule, repeated(150)):
        low, high = case.ends
        moments = case.moments
        if moments.n > 40 or moments.step < Fraction(1, 2):
            continue  # too many pairs to list for a quick test
        decimals = 1 + case.decimals % 3
        for mean in moments.mean_figures(decimals, rule):
            for sd in moments.sd_figures(decimals, rule):
                lattice = Lattice.of(1, moments.step, low, high)
                pairs = attainable_moments(mean, sd, moments.n, lattice, rule)
                assert (moments.total, moments.squares) in pairs


@pytest.mark.parametrize("rule", RULES)
def test_sd_limits(rule: RoundingRule) -> None:
    for case in data_sets(5, rule):
        low, high = case.ends
        moments = case.moments
        for mean in moments.mean_figures(case.decimals, rule):
            for sd in moments.sd_figures((case.decimals + moments.n) % 4, rule):
                stepped = sd_limits(mean, sd, moments.n, low, high, moments.step, rule)
                assert stepped.inside, (case, mean, sd, stepped)
                smooth = sd_limits(mean, sd, moments.n, low, high, rule=rule)
                assert smooth.inside, (case, mean, sd, smooth)


@pytest.mark.parametrize("rule", RULES)
def test_debit(rule: RoundingRule) -> None:
    rng = generator(6, rule)
    sizes = rng.integers(2, 400, PER_RULE)
    ones = rng.integers(0, sizes + 1)
    decimals = rng.integers(0, 5, (PER_RULE, 2))
    for n, k, (first, second) in zip(sizes.tolist(), ones.tolist(), decimals.tolist(), strict=True):
        moments = Moments(n, k, k)
        for mean in moments.mean_figures(first, rule):
            for sd in moments.sd_figures(second, rule):
                assert debit(mean, sd, n, rule).inside, (n, k, mean, sd)


@pytest.mark.parametrize("rule", RULES)
def test_percentages(rule: RoundingRule) -> None:
    rng = generator(7, rule)
    for _ in range(PER_RULE):
        n = int(rng.integers(1, 300))
        split = rng.multinomial(n, rng.dirichlet(np.ones(int(rng.integers(1, 5)))))
        decimals = int(rng.integers(0, 3))
        printed: list[PrintedNumber] = []
        for k in split.tolist():
            figures = value_figures(Fraction(100 * k, n), decimals, rule)
            for figure in figures:
                assert k in counts(figure, n, rule)
                assert percent_to_count(figure, n, rule=rule).inside
                count = PrintedNumber(str(k))
                assert percent_to_count(figure, PrintedNumber(str(n)), count, rule).inside
            printed.append(figures[int(rng.integers(len(figures)))])
        assert attainable_denominators(printed, n, rule, n_min=n, must_sum=True) == (n,)


@pytest.mark.parametrize("rule", RULES)
@given(data=st.data())
def test_denominator(rule: RoundingRule, data: st.DataObject) -> None:
    split = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=5).filter(any))
    n = sum(split)
    decimals = data.draw(st.integers(0, 2))
    printed = [
        data.draw(st.sampled_from(value_figures(Fraction(100 * k, n), decimals, rule)))
        for k in split
    ]
    result = denominator(PrintedNumber(str(n)), printed, rule, must_sum=True)
    assert result.inside
    assert result.main.low == result.main.high == n


@pytest.mark.parametrize("rule", RULES)
@given(data=st.data())
def test_shapes_from_hypothesis(rule: RoundingRule, data: st.DataObject) -> None:
    low = data.draw(st.integers(-60, 60))
    high = low + data.draw(st.integers(1, 120))
    values = data.draw(st.lists(st.integers(low, high), min_size=2, max_size=40))
    step = Fraction(1, data.draw(st.integers(1, 12)))
    moments = Moments.of(values, step)
    ends = (low * step, high * step)
    mean = data.draw(st.sampled_from(moments.mean_figures(data.draw(st.integers(0, 4)), rule)))
    sd = data.draw(st.sampled_from(moments.sd_figures(data.draw(st.integers(0, 4)), rule)))
    assert grim(mean, len(values), 1, step, *ends, rule).inside
    assert grimmer(mean, sd, len(values), 1, step, *ends, rule).inside
    assert sd_limits(mean, sd, len(values), *ends, step, rule).inside
    assert sd_limits(mean, sd, len(values), *ends, rule=rule).inside


def _printed(value: float, decimals: int, rule: RoundingRule) -> PrintedNumber:
    return value_figures(Fraction(value), decimals, rule)[-1]


@pytest.mark.parametrize("rule", RULES)
def test_statistics(rule: RoundingRule) -> None:
    rng = generator(8, rule)
    kinds = ("t", "F", "chi2", "z", "r")
    for index in range(PER_RULE):
        kind = kinds[index % len(kinds)]
        degrees: list[PrintedNumber] = []
        true_degrees: list[float] = []
        for _ in range({"z": 0, "F": 2}.get(kind, 1)):
            if kind in ("t", "F") and rng.random() < 0.4:
                value, decimals = float(rng.uniform(1, 60)), int(rng.integers(1, 3))
            else:
                value, decimals = float(rng.integers(1, 120)), 0
            true_degrees.append(value)
            degrees.append(_printed(value, decimals, rule))
        if kind == "r":
            statistic = float(rng.uniform(-1, 1))
        elif kind in ("F", "chi2"):
            statistic = float(rng.exponential(4 if kind == "F" else true_degrees[0]))
        else:
            statistic = float(rng.normal(0, 2))
        one_sided = bool(kind in ("t", "z", "r") and rng.random() < 0.3)
        p = float(
            p_values(
                kind,
                np.asarray(abs(statistic)),
                *map(np.asarray, true_degrees),
                one_sided=one_sided,
            )
        )
        shown = _printed(statistic, int(rng.integers(0, 4)), rule)
        if p < 0.001 and rng.random() < 0.5:
            printed_p = PrintedNumber("0.001", "<")
        else:
            printed_p = _printed(p, int(rng.integers(1, 5)), rule)
        check = check_statistic(
            kind, shown, tuple(degrees), printed_p, one_sided=one_sided, rule=rule
        )
        assert check.classification is Classification.CONSISTENT, (kind, statistic, p, check)
        low, high = check.result.main.low, check.result.main.high
        assert low - 1e-12 <= p <= high + 1e-12
