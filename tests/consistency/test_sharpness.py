"""The checks accept nothing that no data print as: compared with brute force over all data."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import combinations_with_replacement
from math import ceil, floor, isclose, sqrt

import numpy as np
import pytest
from scipy import stats

from honest_summaries import Moments, root_figures, value_figures
from rederive.consistency import check_statistic, debit, grim, grimmer, sd_limits
from rederive.printed import PrintedNumber, RoundingRule, format_fixed
from rederive.printed.lattice import (
    Lattice,
    attainable_moments,
    exists,
    greatest_squares_sum,
    least_squares_sum,
)
from rederive.recompute import attainable_denominators, counts, percent_to_count
from repetitions import spaced

RULES = list(RoundingRule)
TINY = [
    # n, least and greatest value in steps, items, step of an item
    (2, -3, 4, 1, Fraction(1)),
    (3, 0, 6, 1, Fraction(1)),
    (4, 1, 5, 1, Fraction(1)),
    (5, -2, 2, 1, Fraction(1)),
    (4, 0, 6, 1, Fraction(1, 8)),
    (3, 2, 8, 2, Fraction(1)),
    (8, 0, 1, 1, Fraction(1)),
    (7, 0, 2, 1, Fraction(1)),
]


def all_data(n: int, low: int, high: int, step: Fraction) -> list[Moments]:
    return [
        Moments.of(values, step)
        for values in combinations_with_replacement(range(low, high + 1), n)
    ]


def grid(low: Fraction, high: Fraction, decimals: int) -> list[PrintedNumber]:
    """Return all figures with these decimals from below ``low`` to above ``high``."""
    scale = 10**decimals
    units = range(floor(low * scale) - 2, ceil(high * scale) + 3)
    return [PrintedNumber(format_fixed(Fraction(unit, scale), decimals)) for unit in units]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("case", TINY)
def test_grim_and_grimmer_equal_brute_force(
    case: tuple[int, int, int, int, Fraction], rule: RoundingRule
) -> None:
    n, low, high, items, step = case
    granule = step / items
    data = all_data(n, low, high, granule)
    minimum, maximum = low * granule, high * granule
    lattice = Lattice.of(items, step, minimum, maximum)
    for decimals in (1, 2) if n < 5 else (1,):
        by_mean: dict[str, set[int]] = defaultdict(set)
        pairs: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
        for moments in data:
            for mean in moments.mean_figures(decimals, rule):
                by_mean[mean.text].add(moments.total)
                for sd in moments.sd_figures(1, rule):
                    pairs[mean.text, sd.text].add((moments.total, moments.squares))
        deviations = grid(Fraction(0), (maximum - minimum) * Fraction(4, 5), 1)[2:]
        for mean in grid(minimum, maximum, decimals)[:: spaced(4 if decimals == 1 else 14)]:
            args = (mean, n, items, step, minimum, maximum, rule)
            assert grim(*args).inside == (mean.text in by_mean)
            assert set(lattice.sums(mean, n, rule)) == by_mean[mean.text]
            for sd in deviations[:: spaced(3 if decimals == 1 else 11)]:
                true = pairs[mean.text, sd.text]
                result = grimmer(mean, sd, n, items, step, minimum, maximum, rule)
                assert result.inside == bool(true), (mean, sd)
                assert list(attainable_moments(mean, sd, n, lattice, rule)) == sorted(true)
                if true:
                    variances = [Moments(n, s, q, granule).variance for s, q in true]
                    assert isclose(result.main.low, sqrt(min(variances)))
                    assert isclose(result.main.high, sqrt(max(variances)))


@pytest.mark.parametrize("case", TINY)
def test_nearest_figures_around_an_impossible_sd(
    case: tuple[int, int, int, int, Fraction],
) -> None:
    n, low, high, items, step = case
    granule = step / items
    by_mean: dict[str, set[Fraction]] = defaultdict(set)
    for moments in all_data(n, low, high, granule):
        for mean in moments.mean_figures(1, RoundingRule.HALF_UP):
            by_mean[mean.text].add(moments.variance)
    checked = 0
    for text, variances in by_mean.items():
        for sd in grid(Fraction(0), (high - low) * granule, 2)[2 :: spaced(5)]:
            result = grimmer(
                PrintedNumber(text),
                sd,
                n,
                items,
                step,
                low * granule,
                high * granule,
                RoundingRule.HALF_UP,
            )
            if result.inside:
                continue
            checked += 1
            below = [v for v in variances if v <= sd.value**2] or [min(variances)]
            above = [v for v in variances if v >= sd.value**2] or [max(variances)]
            assert isclose(result.main.low, sqrt(max(below)), abs_tol=1e-12)
            assert isclose(result.main.high, sqrt(min(above)), abs_tol=1e-12)
    assert checked > 20


def test_nearest_means_around_an_impossible_one() -> None:
    for n in (2, 3, 7, 12, 29):
        possible = [Fraction(s, n) for s in range(-3 * n, 4 * n + 1)]
        for mean in grid(Fraction(-3), Fraction(4), 2)[::5]:
            result = grim(mean, n, minimum=-3, maximum=4)
            if not result.inside:
                below = [m for m in possible if m <= mean.value] or possible[:1]
                above = [m for m in possible if m >= mean.value] or possible[-1:]
                assert (result.main.low, result.main.high) == (float(below[-1]), float(above[0]))


@pytest.mark.parametrize(
    ("n", "span"), [(1, 6), (2, 11), (3, 9), (4, 8), (5, 6), (6, 5), (7, 4), (9, 3), (12, 2)]
)
def test_existence_equals_brute_force(n: int, span: int) -> None:
    low = -span // 2
    high = low + span
    real = {(m.total, m.squares) for m in all_data(n, low, high, Fraction(1))}
    top = n * max(low * low, high * high)
    for total in range(n * low - 2, n * high + 3):
        for squares in range(top + 3):
            answer = exists(n, total, squares, low, high)
            assert answer is ((total, squares) in real), (total, squares)


def test_limits_of_the_sum_of_squares_are_attained() -> None:
    for n, low, high in [(1, -2, 3), (3, -2, 5), (5, 0, 4), (6, 3, 3)]:
        seen: dict[int, list[int]] = defaultdict(list)
        for moments in all_data(n, low, high, Fraction(1)):
            seen[moments.total].append(moments.squares)
        for total, squares in seen.items():
            assert least_squares_sum(n, total) == min(squares)
            assert greatest_squares_sum(n, total, low, high) == max(squares)


def test_existence_has_holes_that_parity_and_limits_miss() -> None:
    # Two values with sum 10 have the squares 50 + 2 d²: 54 and 56 have the parity, but no values.
    assert [q for q in range(50, 101) if exists(2, 10, q, 0, 10)] == [50, 52, 58, 68, 82, 100]
    # Next to the greatest sum of squares, whatever the size of the data.
    top = greatest_squares_sum(60, 600, 0, 20)
    assert exists(60, 600, top, 0, 20)
    assert not exists(60, 600, top - 2, 0, 20)
    assert exists(60, 600, top - 2 * 19, 0, 20)


def test_existence_is_left_open_only_for_large_data() -> None:
    assert exists(1000, 10_000, 150_000, 0, 20) is True
    assert exists(5000, 50_000, 750_000, 0, 20) is None
    assert exists(5000, 50_000, 750_001, 0, 20) is False


@pytest.mark.parametrize("rule", RULES)
def test_debit_equals_brute_force(rule: RoundingRule) -> None:
    for n in (2, 3, 4, 7, 8, 11):
        true = {
            (mean.text, sd.text)
            for k in range(n + 1)
            for mean in Moments(n, k, k).mean_figures(2, rule)
            for sd in Moments(n, k, k).sd_figures(2, rule)
        }
        for mean in grid(Fraction(0), Fraction(1), 2)[:: spaced(3)]:
            for sd in grid(Fraction(0), Fraction(3, 4), 2)[2 :: spaced(5)]:
                assert debit(mean, sd, n, rule).inside == ((mean.text, sd.text) in true)


@pytest.mark.parametrize("rule", RULES)
def test_counts_equal_brute_force(rule: RoundingRule) -> None:
    for n in range(1, 40, spaced(3)):
        for decimals in (0, 1):
            true: dict[str, list[int]] = defaultdict(list)
            for k in range(n + 1):
                for figure in value_figures(Fraction(100 * k, n), decimals, rule):
                    true[figure.text].append(k)
            for figure in grid(Fraction(0), Fraction(100), decimals)[2 :: 1 + 4 * decimals]:
                assert list(counts(figure, n, rule)) == true[figure.text]
                assert percent_to_count(figure, n, rule=rule).inside == bool(true[figure.text])


@pytest.mark.parametrize("rule", RULES)
def test_denominators_equal_brute_force(rule: RoundingRule) -> None:
    columns = [("33", "33", "33"), ("50", "25", "25"), ("16.7", "83.3"), ("17", "33", "51")]
    for column in columns:
        percents = [PrintedNumber(text) for text in column]
        free, summing = [], []
        for n in range(1, 31):
            options = [
                [
                    k
                    for k in range(n + 1)
                    if percent in value_figures(Fraction(100 * k, n), percent.decimals, rule)
                ]
                for percent in percents
            ]
            totals = {0}
            for option in options:
                totals = {total + k for total in totals for k in option}
            free += [n] if all(options) else []
            summing += [n] if n in totals else []
        assert list(attainable_denominators(percents, 30, rule)) == free
        assert list(attainable_denominators(percents, 30, rule, must_sum=True)) == summing


@pytest.mark.parametrize("case", TINY)
def test_sd_limits_equal_brute_force(case: tuple[int, int, int, int, Fraction]) -> None:
    n, low, high, items, step = case
    granule = step / items
    minimum, maximum = low * granule, high * granule
    by_mean: dict[str, dict[int, list[Fraction]]] = defaultdict(lambda: defaultdict(list))
    for moments in all_data(n, low, high, granule):
        for mean in moments.mean_figures(1, RoundingRule.HALF_EVEN):
            by_mean[mean.text][moments.total].append(moments.variance)
    for mean in grid(minimum, maximum, 1):
        for sd in grid(Fraction(0), maximum - minimum, 1)[2:]:
            result = sd_limits(mean, sd, n, minimum, maximum, granule, RoundingRule.HALF_EVEN)
            groups = by_mean.get(mean.text)
            if groups is None:
                assert not result.inside
                continue
            pooled = [v for group in groups.values() for v in group]
            assert isclose(result.main.low, sqrt(min(pooled)), abs_tol=1e-12)
            assert isclose(result.main.high, sqrt(max(pooled)), abs_tol=1e-12)
            figure = sd.value
            low_text = min(f.value for f in root_figures(min(pooled), 1, RoundingRule.HALF_EVEN))
            high_text = max(f.value for f in root_figures(max(pooled), 1, RoundingRule.HALF_EVEN))
            if not low_text <= figure <= high_text:
                assert not result.inside
            if any(sd in root_figures(v, 1, RoundingRule.HALF_EVEN) for v in pooled):
                assert result.inside


def test_continuous_sd_limit_is_the_limit_of_fine_steps() -> None:
    for n in (2, 3, 5, 8, 9):
        for mean in grid(Fraction(0), Fraction(4), 1)[2:-2]:
            sd = PrintedNumber("1.0")
            fine = sd_limits(mean, sd, n, 0, 4, Fraction(1, 400)).main
            smooth = sd_limits(mean, sd, n, 0, 4).main
            assert smooth.low == 0
            assert fine.high <= smooth.high + 1e-12
            assert smooth.high - fine.high < 0.02


@pytest.mark.parametrize("kind", ["t", "z", "r", "chi2", "F"])
def test_reachable_p_ends_are_attained(kind: str) -> None:
    frozen = {
        "t": lambda x, d: 2 * stats.t.sf(x, *d),
        "z": lambda x, d: 2 * stats.norm.sf(x),
        "r": lambda x, d: stats.beta(d[0] / 2, d[0] / 2, loc=-1, scale=2).sf(x) * 2,
        "chi2": lambda x, d: stats.chi2.sf(x, *d),
        "F": lambda x, d: stats.f.sf(x, *d),
    }[kind]
    rng = np.random.default_rng(11)
    for _ in range(200):
        degrees = [int(d) for d in rng.integers(1, 80, {"z": 0, "F": 2}.get(kind, 1))]
        value = float(rng.uniform(0.05, 0.9 if kind == "r" else 6))
        text = f"{value:.2f}"
        p = PrintedNumber("0.5")
        df = tuple(PrintedNumber(str(d)) for d in degrees)
        main = check_statistic(kind, PrintedNumber(text), df, p).result.main
        x = float(text)
        assert isclose(main.low, frozen(x + 0.005, degrees), rel_tol=1e-6, abs_tol=1e-12)
        assert isclose(main.high, frozen(x - 0.005, degrees), rel_tol=1e-6, abs_tol=1e-12)
        assert main.point is not None
        assert isclose(main.point, frozen(x, degrees), rel_tol=1e-6, abs_tol=1e-12)
