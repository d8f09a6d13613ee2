"""Solutions for what is not printed, against brute force over all that it may be."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from honest_summaries import root_figures, value_figures
from rederive.printed import Interval, PrintedNumber, RoundingRule, Verdict, parse
from rederive.recompute.summaries import Scale, Summary
from rederive.recompute.t_tests import STUDENT, WELCH, moments_of, p_ranges, two_sample_t
from rederive.recompute.two_visits import (
    correlation_range,
    implied_correlation,
    implied_correlation_from_p,
    implied_mean_of_missing,
    paired_t_from_marginals,
    sum_range,
)
from rederive.recompute.unstated_n import (
    Comparison,
    describe_sizes,
    solve_n,
    two_sample_t_unstated_n,
)

SMALL = Scale(Fraction(0), Fraction(4))


def test_correlation_range_against_a_dense_grid() -> None:
    rng = np.random.default_rng(8)
    checked = 0
    for _ in range(300):
        low1, low2, low_d = rng.choice([0.0, 0.5, 1.0, 3.0, 7.0], 3) * rng.choice([1.0, 1.1])
        w1, w2, wd = rng.choice([0.01, 0.1, 1.0], 3)
        one, two, diff = (low1, low1 + w1), (low2, low2 + w2), (low_d, low_d + wd)
        s1, s2, d = np.meshgrid(*(np.linspace(*ends, 60) for ends in (one, two, diff)))
        with np.errstate(divide="ignore", invalid="ignore"):
            r = (s1**2 + s2**2 - d**2) / (2 * s1 * s2)
        inside = r[np.isfinite(r) & (np.abs(r) <= 1)]
        found = correlation_range(one, two, diff)
        if inside.size:
            assert found is not None
            assert found[0] <= inside.min() + 1e-12 and inside.max() - 1e-12 <= found[1]
            if min(one[0], two[0]) >= 0.5 and max(w1, w2, wd) <= 0.1:
                steps = 40 * max(w1, w2, wd) / 60
                assert inside.min() - found[0] < steps and found[1] - inside.max() < steps
                checked += 1
        elif found is not None:
            assert found[1] - found[0] < 0.5  # a sliver between the points of the grid
    assert checked > 20


@pytest.mark.parametrize(
    ("sds", "expected"),
    [
        (((3.0, 3.0), (4.0, 4.0), (5.0, 5.0)), (0.0, 0.0)),
        (((3.0, 3.0), (4.0, 4.0), (1.0, 1.0)), (1.0, 1.0)),
        (((3.0, 3.0), (4.0, 4.0), (7.0, 7.0)), (-1.0, -1.0)),
        (((3.0, 3.0), (4.0, 4.0), (8.0, 9.0)), None),
        (((3.0, 3.0), (4.0, 4.0), (0.0, 0.5)), None),
        (((3.0, 3.0), (4.0, 4.0), (0.0, float("inf"))), (-1.0, 1.0)),
        (((0.0, 0.5), (1.05, 1.15), (1.09, 1.1)), (-0.375, 1.0)),
    ],
)
def test_correlation_range_of_known_triangles(
    sds: tuple[tuple[float, float], ...], expected: tuple[float, float] | None
) -> None:
    found = correlation_range(*sds)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found[1] == pytest.approx(expected[1], abs=1e-12)
        assert found[0] <= expected[0] + 1e-12


def test_implied_correlation_of_printed_sds() -> None:
    found = implied_correlation(parse("7.2"), parse("8.3"), parse("5.0"))
    assert found is not None
    exact = (7.2**2 + 8.3**2 - 5.0**2) / (2 * 7.2 * 8.3)
    assert found[0] < exact < found[1] and found[1] - found[0] < 0.02
    assert implied_correlation(parse("7.2"), parse("8.3"), parse("16.0")) is None


def test_correlation_from_p_at_the_ends_of_the_p_scale() -> None:
    before, after = (
        Summary(parse("30.0"), parse("7.2"), 29),
        Summary(parse("27.1"), parse("8.3"), 29),
    )
    tiny = implied_correlation_from_p(before, after, parse("<0.0001"))
    assert tiny is not None and tiny[1] == 1.0 and tiny[0] > 0
    assert implied_correlation_from_p(before, after, parse("1.00")) is None
    same = Summary(parse("30.0"), parse("8.3"), 29)
    assert implied_correlation_from_p(before, same, parse("1.00")) == (-1.0, 1.0)
    for text in ("0.02", "0.4"):
        middle = implied_correlation_from_p(before, after, parse(text))
        result = paired_t_from_marginals(before, after, parse(text))
        assert result.inside is (middle is not None)


def test_paired_marginals_of_different_sizes_are_refused() -> None:
    one, two = Summary(parse("3"), parse("1"), 5), Summary(parse("3"), parse("1"), 6)
    with pytest.raises(ValueError, match="differ in size: 5 and 6"):
        paired_t_from_marginals(one, two)


def brute_sizes(
    shared: list[tuple[int, ...]], comparator: Summary, p: PrintedNumber, equal: bool
) -> set[int]:
    """Return sizes whose p prints as published for some data and some corner or middle figure."""
    target = p.interval(domain=Interval(Fraction(0), Fraction(1)))
    means = np.linspace(*comparator.mean_range(RoundingRule.EITHER), 41)
    sds = np.linspace(*comparator.sd_range(RoundingRule.EITHER), 41)
    grid_m, grid_s = (grid.ravel() for grid in np.meshgrid(means, sds))
    found = set()
    for n in range(2, comparator.n + 1):
        for data in shared:
            p_values = stats.ttest_ind_from_stats(
                np.mean(data), np.std(data, ddof=1), len(data), grid_m, grid_s, n, equal_var=equal
            ).pvalue
            if ((p_values >= target.lower) & (p_values <= target.upper)).any():
                found.add(n)
                break
    return found


@pytest.mark.parametrize("text", ["0.13", "0.04", "<0.05", "0.6"])
def test_solve_n_against_brute_force(text: str) -> None:
    shared = Summary(parse("1.8"), parse("1.3"), 5, SMALL)
    data = [
        values
        for values in itertools.combinations_with_replacement(range(5), 5)
        if parse("1.8") in value_figures(Fraction(sum(values), 5), 1, RoundingRule.EITHER)
        and abs(np.std(values, ddof=1) - 1.3) <= 0.05
    ]
    assert data
    comparator = Summary(parse("3.0"), parse("1.1"), 14)
    p = parse(text)
    solutions = solve_n(shared, [Comparison("c", comparator, (p,))])
    assert [solved.convention for solved in solutions] == [STUDENT.name, WELCH.name]
    for solved, equal in zip(solutions, (True, False), strict=True):
        expected = brute_sizes(data, comparator, p, equal)
        assert expected <= set(solved.sizes["c"])
        assert set(solved.sizes["c"]) - expected <= {max(expected, default=2) + 1}


def test_joint_solutions_lie_within_the_single_ones() -> None:
    rng = np.random.default_rng(2)
    narrower = 0
    for _ in range(25):
        mean = f"{rng.uniform(-9, 9):.1f}"
        shared = Summary(parse(mean), parse("5.2"), 9, Scale(Fraction(-51), Fraction(51)))
        comparisons = [
            Comparison(
                name,
                Summary(parse(f"{rng.uniform(-9, 9):.1f}"), parse("6.3"), 25),
                (parse(f"{rng.uniform(0, 0.6):.3f}"),),
            )
            for name in "ab"
        ]
        joint = solve_n(shared, comparisons)
        for index, comparison in enumerate(comparisons):
            single = solve_n(shared, [comparison])
            for both, alone in zip(joint, single, strict=True):
                assert set(both.sizes[comparison.name]) <= set(alone.sizes[comparison.name])
                narrower += len(both.sizes[comparison.name]) < len(alone.sizes[comparison.name])
            other = comparisons[1 - index].name
            for both in joint:
                assert bool(both.sizes[comparison.name]) is bool(both.sizes[other])
    assert narrower


def test_printings_of_one_p_have_to_agree_on_a_value() -> None:
    shared, other = Summary(parse("2"), parse("3"), 20), Summary(parse("0"), parse("3"), 40)
    agree = solve_n(shared, [Comparison("c", other, (parse("0.04"), parse("0.0412")))])
    assert agree[0].sizes["c"]
    clash = solve_n(shared, [Comparison("c", other, (parse("0.03"), parse("0.0412")))])
    assert all(solved.sizes["c"] == () for solved in clash)


def test_sizes_split_at_alpha() -> None:
    shared, other = Summary(parse("2.0"), parse("3.0"), 20), Summary(parse("0.0"), parse("3.0"), 60)
    below, above = (
        solve_n(shared, [Comparison("c", other, (parse(side),))])[0].sizes["c"]
        for side in ("<0.05", "≥0.05")
    )
    assert set(below) | set(above) == set(range(2, 61))
    assert max(above) < 60 and min(below) > 2
    for n in range(2, 61):
        low, high = p_ranges(STUDENT, (shared, other.with_n(n)), RoundingRule.EITHER)
        assert (n in below) is bool(low.min() <= 0.05)
        assert (n in above) is bool(high.max() >= 0.05)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((), "none"),
        ((7,), "7"),
        ((3, 4, 5), "3 to 5"),
        ((3, 5, 9), "3 to 9 (4 of these excluded)"),
    ],
)
def test_sizes_in_words(sizes: tuple[int, ...], words: str) -> None:
    assert describe_sizes(sizes) == words


def test_smaller_comparators_are_an_unstated_choice() -> None:
    shared, other = Summary(parse("2.0"), parse("3.0"), 20), Summary(parse("0.0"), parse("3.0"), 60)
    stated = two_sample_t(shared, other)
    p60 = parse(f"{stated.main.point:.4f}")
    assert two_sample_t_unstated_n(shared, other, p60).verdict is Verdict.SAME
    smaller = two_sample_t(shared, other.with_n(25)).main.point
    result = two_sample_t_unstated_n(shared, other, parse(f"{smaller:.4f}"))
    assert result.verdict is Verdict.NEEDS_CHOICE
    assert not result.main.meets
    assert any("comparator n" in words for words in result.conditions)
    assert two_sample_t_unstated_n(shared, other, parse("0.99")).verdict is Verdict.DIFFERS


def test_moments_of_a_stepped_summary_are_the_data_sets_that_print_so() -> None:
    n, mean, sd = 4, parse("1.8"), parse("1.5")
    expected = set()
    for values in itertools.combinations_with_replacement(range(5), n):
        total, squares = sum(values), sum(value**2 for value in values)
        variance = Fraction(n * squares - total**2, n * (n - 1))
        if mean in value_figures(Fraction(total, n), 1, RoundingRule.EITHER) and sd in root_figures(
            variance, 1, RoundingRule.EITHER
        ):
            expected.add((float(Fraction(total, n)), round(float(variance) ** 0.5, 9)))
    means, sds = moments_of(Summary(mean, sd, n, SMALL), RoundingRule.EITHER)
    found = set(zip(means[0].tolist(), np.round(sds[0], 9).tolist(), strict=True))
    assert expected and found == expected
    (low, _), _ = moments_of(Summary(parse("1.9"), sd, n, SMALL), RoundingRule.EITHER)
    assert len(low) == 1 and low[0] == pytest.approx(1.85)


def test_many_attainable_pairs_of_both_groups_stay_quick_and_enclose_the_box() -> None:
    wide = Scale(Fraction(0), Fraction(51))
    first, second = (
        Summary(parse("13"), parse("7"), 29, wide),
        Summary(parse("16"), parse("8"), 30, wide),
    )
    one, other = (len(moments_of(each, RoundingRule.EITHER)[0][0]) for each in (first, second))
    assert one * other > 1_000_000
    low, high = p_ranges(STUDENT, (first, second), RoundingRule.EITHER)
    assert low.size == one
    boxed = two_sample_t(Summary(parse("13"), parse("7"), 29), Summary(parse("16"), parse("8"), 30))
    assert boxed.reaches[0].low <= low.min() and high.max() <= boxed.reaches[0].high


@pytest.mark.parametrize("rule", list(RoundingRule))
def test_sum_range_against_every_sum(rule: RoundingRule) -> None:
    for text, n, step in (
        ("1.5", 4, Fraction(1)),
        ("-0.3", 7, Fraction(1, 8)),
        ("2", 5, Fraction(1, 2)),
    ):
        mean = parse(text)
        sums = [
            step * k
            for k in range(-400, 400)
            if mean in value_figures(step * k / n, mean.decimals, rule)
        ]
        assert sum_range(mean, n, rule, step) == (min(sums), max(sums))


def test_sum_range_refuses_what_no_data_have() -> None:
    with pytest.raises(ValueError, match=r"no 3 values in steps of 1 .* prints as 1\.5"):
        sum_range(parse("1.5"), 3, RoundingRule.EITHER, Fraction(1))
    with pytest.raises(ValueError, match="no finite rounding interval"):
        sum_range(parse("<5"), 3, RoundingRule.EITHER, None)


def test_implied_mean_of_missing_against_every_data_set() -> None:
    n_all, n_followed = 4, 2
    found: dict[tuple[PrintedNumber, ...], list[Fraction]] = {}
    for baseline in itertools.product(range(4), repeat=n_all):
        for after in itertools.product(range(0, 4), repeat=n_followed):
            change = [y - x for x, y in zip(baseline, after, strict=False)]
            key = tuple(
                value_figures(Fraction(sum(values), len(values)), 1, RoundingRule.HALF_UP)[0]
                for values in (baseline, after, change)
            )
            missing = Fraction(sum(baseline[n_followed:]), n_all - n_followed)
            found.setdefault(key, []).append(missing)
    scale = Scale(Fraction(0), Fraction(3))
    for (mean_all, mean_after, mean_change), truths in found.items():
        implied = implied_mean_of_missing(
            mean_all, n_all, mean_after, mean_change, n_followed, scale, RoundingRule.HALF_UP
        )
        assert implied.low == min(truths) and implied.high == max(truths)


def test_implied_mean_of_missing_refuses_contradictions() -> None:
    scale = Scale(Fraction(0), Fraction(3))
    with pytest.raises(ValueError, match="nobody is missing: 5 of 5"):
        implied_mean_of_missing(parse("1.0"), 5, parse("1.0"), parse("0.0"), 5)
    with pytest.raises(ValueError, match="outside the scale 0 to 3"):
        implied_mean_of_missing(parse("3.0"), 5, parse("0.0"), parse("1.0"), 3, scale)


@pytest.mark.parametrize(
    ("ends", "match"),
    [
        ((0, 4, 0), "step: found 0, allowed are numbers above 0"),
        ((4, 0, 1), "minimum 4 is above maximum 0"),
        ((Fraction(1, 2), 4, 1), "minimum: found 0.5, allowed are multiples of 1"),
        ((0, Fraction(7, 2), 1), "maximum: found 3.5"),
    ],
)
def test_bad_scales(ends: tuple[int, int, int], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Scale(*(Fraction(end) for end in ends))


@pytest.mark.parametrize(
    ("sd", "n", "match"), [("1", 1, "n: found 1, allowed"), ("-1", 5, "sd: found -1, allowed")]
)
def test_bad_summaries(sd: str, n: int, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Summary(parse("3"), parse(sd), n)


def test_an_sd_without_an_upper_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an upper limit: >1"):
        Summary(parse("3"), parse(">1"), 5)


def test_a_fine_scale_is_taken_as_a_box() -> None:
    """Here rounding hides the steps, and listing all pairs would take minutes."""
    fine = Scale(Fraction(0), Fraction(100_000))
    (low, _), _ = moments_of(Summary(parse("1000"), parse("900"), 40, fine), RoundingRule.EITHER)
    assert len(low) == 1 and low[0] == 999.5


def test_the_paired_p_leaves_the_changes_that_print_it() -> None:
    rule, n = RoundingRule.EITHER, 6
    data = np.array(list(itertools.combinations_with_replacement(range(-3, 4), n)))
    data = data[data.std(axis=1) > 0]
    means, sds = data.mean(axis=1), data.std(axis=1, ddof=1)
    p = stats.ttest_1samp(data, 0, axis=1).pvalue
    narrowed = 0
    for one in np.random.default_rng(4).choice(len(data), 60, replace=False):
        printed = [f"{values[one]:.1f}" for values in (means, sds)] + [f"{p[one]:.2f}"]
        near = [
            np.abs(values - float(text)) <= half + 1e-9
            for values, text, half in zip(
                (means, sds, p), printed, (0.05, 0.05, 0.005), strict=True
            )
        ]
        mean, sd, paired_p = map(parse, printed)
        change = Summary(mean, sd, n, Scale(Fraction(-3), Fraction(3)), paired_p=(paired_p,))
        (found, _), (spread, _) = moments_of(change, rule)
        alike = np.all(near, axis=0)
        expected = {*zip(means[alike].round(9), sds[alike].round(9), strict=True)}
        assert {*zip(found.round(9), spread.round(9), strict=True)} == expected
        narrowed += len(found) < len(moments_of(replace(change, paired_p=()), rule)[0][0])
    assert narrowed > 5


def test_a_paired_p_that_no_changes_print_leaves_all() -> None:
    scale = Scale(Fraction(-3), Fraction(3))
    plain = Summary(parse("1.0"), parse("1.3"), 6, scale)
    other = Summary(parse("1.0"), parse("1.3"), 6, scale, paired_p=(parse("0.91"),))
    rule = RoundingRule.EITHER
    found, allowed = (moments_of(each, rule)[0][0] for each in (plain, other))
    assert len(allowed) == len(found) > 0
