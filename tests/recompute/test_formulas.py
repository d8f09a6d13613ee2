"""Every formula against another route to the same number."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from rederive.printed import RoundingRule, parse
from rederive.recompute.proportions import (
    Share,
    chi_squared,
    chi_squared_yates,
    fisher,
    likelihood_ratio,
    t_on_zero_one,
    two_proportions,
    welch_on_zero_one,
)
from rederive.recompute.signed_rank import CONVENTIONS, change_counts_with_p, signed_rank_p
from rederive.recompute.summaries import Summary
from rederive.recompute.t_formulas import (
    PAIRED,
    STUDENT,
    WELCH,
    distance_range,
    p_from_t,
    student_range,
    welch_range,
)
from rederive.recompute.t_tests import widest_difference_interval
from rederive.recompute.two_by_two import Table2x2, enumerate_tables

TABLES = [
    Table2x2(5, 9, 12, 3),
    Table2x2(1, 1, 1, 1),
    Table2x2(2, 17, 9, 4),
    Table2x2(11, 1, 30, 2),
    Table2x2(40, 60, 55, 45),
    Table2x2(1, 28, 1, 3),
]


def columns(table: Table2x2) -> tuple[np.ndarray, np.ndarray]:
    """Return 0/1 outcome and exposure of the patients behind a table."""
    a, b, c, d = table.cells
    outcome = np.repeat([1.0, 0.0, 1.0, 0.0], [a, b, c, d])
    exposed = np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d])
    return outcome, exposed


@pytest.mark.parametrize("seed", range(12))
def test_t_tests_agree_with_scipy_and_statsmodels_on_raw_data(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n1, n2 = rng.integers(2, 60, 2)
    x, y = rng.normal(rng.normal(), 1 + rng.random(), n1), rng.normal(0, 3 * rng.random(), n2)
    difference, s1, s2 = x.mean() - y.mean(), x.std(ddof=1), y.std(ddof=1)
    compared = CompareMeans(DescrStatsW(x), DescrStatsW(y))
    for found, equal, name in (
        (STUDENT.at_point(difference, s1, n1, s2, n2), True, "pooled"),
        (WELCH.at_point(difference, s1, n1, s2, n2), False, "unequal"),
    ):
        by_stats = stats.ttest_ind_from_stats(
            x.mean(), s1, n1, y.mean(), s2, n2, equal_var=equal
        ).pvalue
        assert float(found) == pytest.approx(by_stats, rel=1e-10)
        assert float(found) == pytest.approx(compared.ttest_ind(usevar=name)[1], rel=1e-9)
    paired = rng.normal(0.3, 1, n1)
    found = PAIRED.at_point(paired.mean(), paired.std(ddof=1), n1)
    assert float(found) == pytest.approx(stats.ttest_1samp(paired, 0).pvalue, rel=1e-10)
    assert float(found) == pytest.approx(DescrStatsW(paired).ttest_mean(0)[1], rel=1e-9)


def test_paired_test_is_the_one_sample_test_of_the_differences() -> None:
    rng = np.random.default_rng(5)
    before, after = rng.normal(30, 7, 29), rng.normal(27, 8, 29)
    change = after - before
    found = PAIRED.at_point(change.mean(), change.std(ddof=1), 29)
    assert float(found) == pytest.approx(stats.ttest_rel(after, before).pvalue, rel=1e-10)


def test_limits_of_t() -> None:
    assert float(p_from_t(1.0, 0.0, 5)) == 0.0
    assert float(p_from_t(0.0, 0.0, 5)) == 1.0
    assert float(p_from_t(-1e300, 1e-5, 5)) == 0.0
    assert float(STUDENT.at_point(0.0, 1.0, 10, 2.0, 12)) == 1.0
    assert float(STUDENT.at_point(-2.0, 1.0, 10, 2.0, 12)) == float(
        STUDENT.at_point(2.0, 1.0, 10, 2.0, 12)
    )
    huge = float(STUDENT.at_point(0.01, 1.0, 10**6, 1.0, 10**6))
    assert huge == pytest.approx(2 * stats.norm.sf(0.01 / math.sqrt(2e-6)), rel=1e-3)


def test_welch_where_one_sd_is_zero_uses_the_other_group_alone() -> None:
    assert float(WELCH.at_point(1.0, 0.0, 9, 2.0, 16)) == pytest.approx(
        2 * stats.t.sf(1.0 / (2.0 / 4.0), 15), rel=1e-12
    )


def boxes(count: int, seed: int) -> list[tuple[float, ...]]:
    """Draw boxes: narrow and wide SDs, zero SDs, and differences that straddle zero or not."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        centre, width = rng.normal(0, 4), rng.choice([0.0, 0.05, 0.5, 3.0])
        sd1, sd2 = rng.choice([0.0, 0.3, 2.0, 9.0], 2)
        w1, w2 = rng.choice([0.0, 0.1, 1.0, 8.0], 2)
        n1, n2 = rng.choice([2, 3, 5, 29, 200], 2)
        found.append(
            (centre - width, centre + width, sd1, sd1 + w1, sd2, sd2 + w2, float(n1), float(n2))
        )
    return found


@pytest.mark.parametrize(
    ("name", "at_point"), [("student", STUDENT.at_point), ("welch", WELCH.at_point)]
)
def test_ranges_enclose_the_box_and_are_tight(name: str, at_point: object) -> None:
    rng = np.random.default_rng(11)
    over_box = student_range if name == "student" else welch_range
    for d0, d1, a0, a1, b0, b1, n1, n2 in boxes(250, 3):
        low, high = over_box((d0, d1), (a0, a1), n1, (b0, b1), n2)
        corners = np.array(list(itertools.product((d0, d1), (a0, a1), (b0, b1))))
        edge = np.linspace(0, 1, 60)
        u, v = (grid.ravel() for grid in np.meshgrid(edge, edge))
        ends = [
            np.column_stack([np.full(u.size, d), a0 + (a1 - a0) * u, b0 + (b1 - b0) * v])
            for d in (d0, d1, min(max(0.0, d0), d1))
        ]
        inner = rng.random((400, 3)) * [d1 - d0, a1 - a0, b1 - b0] + [d0, a0, b0]
        points = np.vstack([corners, *ends, inner])
        p = at_point(points[:, 0], points[:, 1], n1, points[:, 2], n2)  # type: ignore[operator]
        assert low - 1e-12 <= p.min(), (d0, d1, a0, a1, b0, b1, n1, n2)
        assert p.max() <= high + 1e-12, (d0, d1, a0, a1, b0, b1, n1, n2)
        if name == "student":
            assert p.min() == pytest.approx(float(low), abs=1e-12)
            assert p.max() == pytest.approx(float(high), abs=1e-12)
        elif max(a1 - a0, b1 - b0) <= 1.0 and min(a0, b0) >= 2.0:
            assert p.min() - float(low) < 0.004
            assert float(high) - p.max() < 0.004


def test_welch_range_is_exact_for_a_point_and_close_for_rounding() -> None:
    low, high = welch_range((2.0, 2.0), (3.0, 3.0), 10, (5.0, 5.0), 20)
    assert float(low) == float(high) == float(WELCH.at_point(2.0, 3.0, 10, 5.0, 20))
    low, high = welch_range((2.35, 2.45), (7.15, 7.25), 28, (8.25, 8.35), 134)
    grid = np.linspace(0, 0.1, 201)
    for end, d, found in ((np.min, 2.45, low), (np.max, 2.35, high)):
        p = WELCH.at_point(d, 7.15 + grid[:, None], 28, 8.25 + grid[None, :], 134)
        assert float(found) == pytest.approx(float(end(p)), abs=5e-6)


def test_welch_degrees_of_freedom_peak_inside_an_edge_is_not_missed() -> None:
    """On the low edge df peaks at equal v/(n-1): p there may lie below both ends of the edge."""
    low, _ = welch_range((40.0, 40.0), (4.0, 4.0), 3, (0.0, 60.0), 3)
    grid = np.linspace(0.0, 60.0, 20001)
    p = WELCH.at_point(40.0, 4.0, 3, grid, 3)
    assert p.min() < min(p[0], p[-1]) - 1e-4
    assert float(low) <= p.min()


def test_distance_range() -> None:
    for (low, high), expected in {
        (-1.0, 2.0): (0.0, 2.0),
        (-3.0, 2.0): (0.0, 3.0),
        (1.0, 2.0): (1.0, 2.0),
        (-2.0, -1.0): (1.0, 2.0),
        (0.0, 0.0): (0.0, 0.0),
    }.items():
        assert tuple(map(float, distance_range(low, high))) == expected


def every_table(largest: int) -> list[tuple[int, int, int, int]]:
    sizes = range(2, largest + 1)
    return [
        (a, n1, b, n2)
        for n1, n2 in itertools.product(sizes, sizes)
        for a in range(n1 + 1)
        for b in range(n2 + 1)
    ]


def test_proportions_agree_with_scipy_on_every_small_table() -> None:
    for a, n1, b, n2 in [*every_table(6), (5, 30, 22, 282), (0, 30, 11, 82), (197, 231, 25, 30)]:
        table = np.array([[a, n1 - a], [b, n2 - b]])
        if (table.sum(axis=0) == 0).any():
            assert chi_squared(a, n1, b, n2) == chi_squared_yates(a, n1, b, n2) == 1.0
        else:
            plain = stats.chi2_contingency(table, correction=False).pvalue
            yates = stats.chi2_contingency(table, correction=True).pvalue
            assert chi_squared(a, n1, b, n2) == pytest.approx(plain, rel=1e-9)
            assert chi_squared_yates(a, n1, b, n2) == pytest.approx(yates, rel=1e-9)
        # Fisher's two-sided p by adding up hypergeometric probabilities.
        support = np.arange(max(0, a + b - n2), min(a + b, n1) + 1)
        weights = stats.hypergeom.pmf(support, n1 + n2, a + b, n1)
        observed = stats.hypergeom.pmf(a, n1 + n2, a + b, n1)
        expected = weights[weights <= observed * (1 + 1e-7)].sum()
        assert fisher(a, n1, b, n2) == pytest.approx(min(expected, 1.0), rel=1e-9)


def test_t_on_zero_one_is_the_t_test_of_the_columns() -> None:
    for a, n1, b, n2 in [*every_table(5), (5, 30, 22, 282), (3, 30, 11, 82)]:
        x, y = np.repeat([1.0, 0.0], [a, n1 - a]), np.repeat([1.0, 0.0], [b, n2 - b])
        for found, equal in (
            (t_on_zero_one(a, n1, b, n2), True),
            (welch_on_zero_one(a, n1, b, n2), False),
        ):
            if x.std() == y.std() == 0:
                assert found == (1.0 if a * n2 == b * n1 else 0.0)
                continue
            # From summaries, since of a column that is all the same SciPy doubts the moments.
            summaries = (each for z in (x, y) for each in (z.mean(), z.std(ddof=1), len(z)))
            expected = stats.ttest_ind_from_stats(*summaries, equal_var=equal).pvalue
            assert found == pytest.approx(expected, rel=1e-9)


def test_single_patients() -> None:
    x, y = [1.0], [0.0, 0.0, 1.0, 0.0]
    expected = stats.ttest_ind(x, y, equal_var=True).pvalue
    assert t_on_zero_one(1, 1, 1, 4) == pytest.approx(expected, rel=1e-9)
    assert math.isnan(welch_on_zero_one(1, 1, 1, 4))
    assert math.isnan(t_on_zero_one(1, 1, 0, 1))
    names = [reach.convention for reach in two_proportions(Share((1,), 1), Share((0,), 1)).reaches]
    assert names == ["χ²", "χ² with Yates' correction", "Fisher's exact test"]


@pytest.mark.parametrize(
    ("counts", "n", "match"),
    [((), 5, "at least one"), ((6,), 5, "not between 0 and n = 5"), ((0,), 0, "found 0")],
)
def test_bad_shares(counts: tuple[int, ...], n: int, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Share(counts, n)


def test_unknown_convention() -> None:
    with pytest.raises(ValueError, match="allowed: Student t on 0/1"):
        two_proportions(Share((1,), 5), Share((1,), 5), parse("0.5"), stated="chi")


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_logistic_regression_on_the_patients(table: Table2x2) -> None:
    outcome, exposed = columns(table)
    design = sm.add_constant(exposed)
    fit = sm.Logit(outcome, design).fit(disp=0, method="newton", tol=1e-12, maxiter=200)
    figures = table.figures()
    assert figures["odds_ratio"] == pytest.approx(math.exp(fit.params[1]), rel=1e-7)
    low, high = np.exp(fit.conf_int()[1])
    assert figures["ci_low"] == pytest.approx(low, rel=1e-6)
    assert figures["ci_high"] == pytest.approx(high, rel=1e-6)
    low90, _ = np.exp(fit.conf_int(alpha=0.1)[1])
    assert table.figures(level=0.9)["ci_low"] == pytest.approx(low90, rel=1e-6)
    assert figures["p"] == pytest.approx(fit.pvalues[1], rel=1e-6, abs=1e-9)
    assert likelihood_ratio(*table.groups) == pytest.approx(fit.llr_pvalue, rel=1e-6)
    slope = sm.OLS(outcome, design).fit()
    assert t_on_zero_one(*table.groups) == pytest.approx(slope.pvalues[1], rel=1e-8)


def test_enumeration_of_tables_is_complete() -> None:
    total, outcome, exposed = 9, [3, 5], [2, 4, 8]
    brute = {
        Table2x2(a, b, c, total - a - b - c)
        for a, b, c in itertools.product(range(total), repeat=3)
        if total - a - b - c >= 0 and a + c in outcome and a + b in exposed
    }
    found = enumerate_tables(total, outcome, exposed)
    assert found == sorted(brute)
    assert any(table.separated for table in found) and not all(table.separated for table in found)


def test_a_separated_table_is_told() -> None:
    assert Table2x2(0, 3, 4, 5).separated
    assert not Table2x2(1, 3, 4, 5).separated


DIFFERENCES = [
    [1, -2, 3, 4, 5, -6, 7],
    [0, 0, 1, 1, -1, 2, 2, -2, 3, 0],
    [-1, -1, -1, 0, 0, 0, 0, 1],
    [0.5, -0.25, 3.0, 1.5, -4.0, 2.5],
    [2, 2, 2, 2],
]


@pytest.mark.parametrize("differences", DIFFERENCES)
def test_signed_rank_conventions(differences: list[float]) -> None:
    values = np.array(differences, dtype=float)
    stata, stata_corrected, dropped, r, exact = CONVENTIONS
    own = signed_rank_p(differences)
    for each in (stata, stata_corrected, dropped, r):
        options = {"zero_method": each.zeros, "correction": each.correction, "method": "approx"}
        expected = stats.wilcoxon(values, **options).pvalue
        assert signed_rank_p(differences, each) == pytest.approx(expected, rel=1e-9)
    changed = values[values != 0]
    ranks = stats.rankdata(np.abs(changed))
    plus = ranks[changed > 0].sum()
    mean, variance = ranks.sum() / 2, (ranks**2).sum() / 4
    z = (plus - mean) / math.sqrt(variance)
    assert signed_rank_p(differences, dropped) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    continuity = max(abs(plus - mean) - 0.5, 0.0) if plus != mean else 0.0
    expected = 2 * stats.norm.sf(continuity / math.sqrt(variance))
    assert signed_rank_p(differences, r) == pytest.approx(min(expected, 1.0), rel=1e-9)
    assert signed_rank_p(differences, stata_corrected) >= own - 1e-12
    found = signed_rank_p(differences, exact)
    if len(set(np.abs(changed))) < changed.size:
        assert math.isnan(found)
    else:
        signs = np.array(list(itertools.product((0, 1), repeat=changed.size)))
        null = signs @ ranks
        tail = min(plus, ranks.sum() - plus)
        assert found == pytest.approx(min(1.0, 2 * np.mean(null <= tail)), rel=1e-9)


def test_signed_rank_without_change_or_data() -> None:
    assert signed_rank_p([0, 0]) == 1.0
    assert all(signed_rank_p([0.0, 0.0], convention) == 1.0 for convention in CONVENTIONS)
    assert all(math.isnan(signed_rank_p([], convention)) for convention in CONVENTIONS)


@pytest.mark.parametrize("figure", ["0.05", "0.3", "0.317", "1.0", "<0.05", "0.00"])
@pytest.mark.parametrize("n", [1, 4, 6])
def test_change_counts_against_every_data_set(figure: str, n: int) -> None:
    p = parse(figure)
    target = p.interval()
    steps = range(-2, 3)
    expected = set()
    for data in itertools.combinations_with_replacement(steps, n):
        value = signed_rank_p(data)
        if target.meets(value, value):
            better = tuple(data.count(step) for step in (1, 2))
            worse = tuple(data.count(-step) for step in (1, 2))
            expected.add((better, worse))
    found = change_counts_with_p(p, n)
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    "second", [("-4.8", "6.99", 231), ("-3.4", "7.12", 168), ("-7.1", "9", 87)]
)
@pytest.mark.parametrize("first", [("-5.3", "7.9", 29), ("-8", "8.3", 25)])
def test_intervals_of_a_difference_against_scipy_and_over_the_rounding(
    first: tuple[str, str, int], second: tuple[str, str, int]
) -> None:
    """By inverting scipy's statistic; the widest interval is that of the corners."""

    def interval(m1: float, s1: float, m2: float, s2: float) -> tuple[float, float]:
        t = stats.ttest_ind_from_stats(m1, s1, first[2], m2, s2, second[2]).statistic
        half = abs(stats.t.ppf(0.975, first[2] + second[2] - 2) * (m1 - m2) / t)
        return m1 - m2 - half, m1 - m2 + half

    one, other = (Summary(parse(mean), parse(sd), n) for mean, sd, n in (first, second))
    figures = [float(text) for text in (*first[:2], *second[:2])]
    assert widest_difference_interval(one, other, None) == pytest.approx(interval(*figures))
    rule = RoundingRule.EITHER
    ranges = (each for s in (one, other) for each in (s.mean_range(rule), s.sd_range(rule)))
    corners = [interval(*figures) for figures in itertools.product(*ranges)]
    low, high = widest_difference_interval(one, other, rule)
    assert low == pytest.approx(min(low for low, _ in corners))
    assert high == pytest.approx(max(high for _, high in corners))
