"""Honest data, honestly printed, are never contradicted: simulated data sets by the thousand.

The figures are printed by exact integer arithmetic that shares no code with the intervals under
test, and p values come from the data themselves, by another route than the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import betainc

from honest_summaries import root_figures, value_figures
from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule, Verdict
from rederive.recompute import arithmetic
from rederive.recompute.odds_ratio import odds_ratio_figure
from rederive.recompute.planned import checked_claims
from rederive.recompute.proportions import PROPORTION_TESTS, Share, two_proportions
from rederive.recompute.summaries import Scale, Summary
from rederive.recompute.t_tests import STUDENT, WELCH, paired_t, two_sample_t
from rederive.recompute.two_by_two import PrintedOddsRatio, Table2x2, compatible_tables
from rederive.recompute.two_visits import (
    implied_correlation,
    implied_correlation_from_p,
    implied_mean_of_missing,
    paired_t_from_marginals,
)
from rederive.recompute.unstated_n import Comparison, solve_n, two_sample_t_unstated_n
from repetitions import repeated

DATA_SETS = repeated(500)
HONEST = (RoundingRule.HALF_UP, RoundingRule.HALF_EVEN)
ALPHA = 0.05
Column = NDArray[np.float64]
GRAIN = 128
"""Every simulated measurement is a multiple of 1 / GRAIN, so that its sums are exact."""


@dataclass(frozen=True)
class Press:
    """How an article prints: one rounding rule throughout, and what the reader assumes of it."""

    rng: np.random.Generator
    printed_with: RoundingRule
    assumed: RoundingRule

    def figure(self, value: Fraction, decimals: int) -> PrintedNumber:
        return value_figures(value, decimals, self.printed_with)[0]

    def p(self, value: float) -> PrintedNumber:
        """Print a p value with 2 to 4 decimals, the small ones perhaps as an inequality."""
        if value < 0.0001 and self.rng.random() < 0.7:
            return PrintedNumber("0.0001", "<")
        return self.figure(Fraction(float(value)), int(self.rng.integers(2, 5)))

    def summary(self, values: Column, decimals: tuple[int, int], scale: Scale | None) -> Summary:
        """Print mean and SD, worked out in whole units of :data:`GRAIN`."""
        n, units = len(values), np.rint(values * GRAIN).astype(np.int64)
        total, squares = int(units.sum()), int((units * units).sum())
        variance = Fraction(n * squares - total**2, n * (n - 1) * GRAIN**2)
        mean = self.figure(Fraction(total, n * GRAIN), decimals[0])
        sd = root_figures(variance, decimals[1], self.printed_with)[0]
        return Summary(mean, sd, n, scale)

    def decimals(self) -> tuple[int, int]:
        """Draw the decimals of a mean and its SD, often different from one another."""
        if self.rng.random() < 0.7:
            return (1, 1) if self.rng.random() < 0.7 else (0, 0)
        mean, sd = self.rng.integers(0, 3, 2)
        return int(mean), int(sd)


def presses(seed: int, count: int = DATA_SETS) -> Iterator[Press]:
    """Yield a press for each data set; the reader knows its rule or leaves halves open."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        rule = HONEST[index % 2]
        yield Press(rng, rule, (RoundingRule.EITHER, rule)[index // 2 % 2])


def sizes(rng: np.random.Generator) -> int:
    return int(rng.choice([2, 3, 4, 5, 8, 12, 16, 20, 29, 30, 40, 64]))


def column(rng: np.random.Generator, n: int) -> Column:
    """Draw a column: whole scores, whole changes, 0/1, or dyadic continuous values."""
    kind = rng.integers(4)
    if kind == 0:
        return np.clip(np.rint(rng.normal(rng.uniform(5, 40), 8, n)), 0, 51)
    if kind == 1:
        return np.rint(rng.normal(rng.uniform(-9, 4), rng.uniform(0.5, 9), n))
    if kind == 2:
        return (rng.random(n) < rng.random()).astype(float)
    return np.round(rng.normal(rng.normal(0, 3), rng.uniform(0.2, 6), n) * 64) / 64


def two_sided(t: float, df: float) -> float:
    """Return p of a t statistic by the incomplete beta function."""
    return float(betainc(df / 2, 0.5, df / (df + t * t)))


def p_two_sample(x: Column, y: Column, equal: bool) -> float:
    """Return p from the data, with the convention for columns that do not vary at all."""
    if np.ptp(x) == np.ptp(y) == 0:
        return float(x[0] == y[0])
    n1, n2 = len(x), len(y)
    ss1, ss2 = float(((x - x.mean()) ** 2).sum()), float(((y - y.mean()) ** 2).sum())
    v1, v2 = ss1 / (n1 - 1) / n1, ss2 / (n2 - 1) / n2
    error, df = np.sqrt(v1 + v2), (v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))
    if equal:
        df = n1 + n2 - 2
        error = np.sqrt((ss1 + ss2) / df * (1 / n1 + 1 / n2))
    return two_sided((x.mean() - y.mean()) / error, df)


def p_paired(change: Column) -> float:
    if np.ptp(change) == 0:
        return float(change[0] == 0)
    error = change.std(ddof=1) / np.sqrt(len(change))
    return two_sided(change.mean() / error, len(change) - 1)


def test_the_p_values_of_this_file_are_those_of_scipy() -> None:
    rng = np.random.default_rng(100)
    for _ in range(50):
        x, y = rng.normal(0, 1, sizes(rng)), rng.normal(0.5, 2, sizes(rng))
        for equal in (True, False):
            expected = stats.ttest_ind(x, y, equal_var=equal).pvalue
            assert p_two_sample(x, y, equal) == pytest.approx(expected, rel=1e-9)
        assert p_paired(x) == pytest.approx(stats.ttest_1samp(x, 0).pvalue, rel=1e-9)


@pytest.mark.parametrize("test", [STUDENT, WELCH], ids=["student", "welch"])
def test_two_sample(test: object) -> None:
    """The printed p is reachable, and a true claim of (non)significance is never contradicted."""
    assert test in (STUDENT, WELCH)
    stated = STUDENT if test is STUDENT else WELCH
    for press in presses(101 if test is STUDENT else 102):
        x, y = column(press.rng, sizes(press.rng)), column(press.rng, sizes(press.rng))
        if press.rng.random() < 0.5:
            y = y - np.rint(y.mean() - x.mean())
        p = p_two_sample(x, y, test is STUDENT)
        first, second = (press.summary(values, press.decimals(), None) for values in (x, y))
        printed = press.p(p)
        result = two_sample_t(first, second, printed, press.assumed, stated)
        assert result.stated[0].meets, (x, y, first, second, printed)
        assert result.verdict is not Verdict.DIFFERS
        reach = result.stated[0]
        assert reach.low - 1e-9 <= p <= reach.high + 1e-9
        claim = checked_claims.claim_from_p(result, ALPHA, p < ALPHA)
        assert claim.verdict is not Verdict.DIFFERS, (x, y, p)
        own = checked_claims.claim_from_printed_p(printed, ALPHA, p < ALPHA)
        assert own.verdict is not Verdict.DIFFERS, (printed, p)


@pytest.mark.parametrize("test", [STUDENT, WELCH], ids=["student", "welch"])
def test_two_sample_on_a_scale(test: object) -> None:
    """The same where only attainable sums count."""
    scale = Scale(Fraction(0), Fraction(51))
    stated = STUDENT if test is STUDENT else WELCH
    for press in presses(103 if test is STUDENT else 104, DATA_SETS // 5):
        centre = press.rng.uniform(4, 45)
        x, y = (
            np.clip(np.rint(press.rng.normal(centre, press.rng.uniform(1, 9), n)), 0, 51)
            for n in (int(press.rng.choice([2, 3, 8, 16, 29])), sizes(press.rng))
        )
        p = p_two_sample(x, y, test is STUDENT)
        first = press.summary(x, (int(press.rng.integers(1, 3)), 1), scale)
        second = press.summary(y, (1, int(press.rng.integers(1, 3))), scale)
        result = two_sample_t(first, second, press.p(p), press.assumed, stated)
        assert result.stated[0].meets, (x, y, first, second)
        claim = checked_claims.claim_from_p(result, ALPHA, p < ALPHA)
        assert claim.verdict is not Verdict.DIFFERS


def test_paired() -> None:
    for index, press in enumerate(presses(105)):
        change = column(press.rng, sizes(press.rng))
        whole = bool((change == np.rint(change)).all())
        scale = Scale(Fraction(-51), Fraction(51)) if whole and index % 20 == 0 else None
        decimals = press.decimals()
        if scale is not None:
            change = np.clip(change, -51, 51)
            decimals = (max(decimals[0], 1), max(decimals[1], 1))
        p = p_paired(change)
        summary = press.summary(change, decimals, scale)
        result = paired_t(summary, press.p(p), press.assumed)
        assert result.reaches[0].meets, (change, summary)
        assert result.verdict is not Verdict.DIFFERS
        claim = checked_claims.claim_from_p(
            paired_t(summary, None, press.assumed), ALPHA, p < ALPHA
        )
        assert claim.verdict is not Verdict.DIFFERS


def test_paired_from_marginals_and_implied_correlations() -> None:
    for press in presses(106):
        n = sizes(press.rng)
        before = column(press.rng, n)
        after = before * press.rng.choice([1.0, 1.0, 0.5]) + column(press.rng, n)
        if press.rng.random() < 0.1:
            after = before + float(press.rng.integers(-3, 4))
        change = after - before
        decimals = press.decimals()
        one, two = (press.summary(values, decimals, None) for values in (before, after))
        p = press.p(p_paired(change))
        result = paired_t_from_marginals(one, two, p, press.assumed)
        assert result.verdict is not Verdict.DIFFERS, (before, after, one, two, p)
        varies = np.ptp(before) > 0 and np.ptp(after) > 0
        r = float(np.corrcoef(before, after)[0, 1]) if varies else None
        spread = press.summary(change, decimals, None).sd
        for implied in (
            implied_correlation_from_p(one, two, p, press.assumed),
            implied_correlation(one.sd, two.sd, spread, press.assumed),
        ):
            assert implied is not None, (before, after)
            assert r is None or implied[0] - 1e-7 <= r <= implied[1] + 1e-7, (before, after, r)


def test_two_proportions() -> None:
    """Each convention in turn is the one that the article used."""
    names = list(PROPORTION_TESTS)
    for index, press in enumerate(presses(107)):
        n1, n2 = sizes(press.rng), sizes(press.rng)
        a = int(press.rng.binomial(n1, press.rng.beta(0.5, 0.5)))
        b = int(press.rng.binomial(n2, press.rng.beta(0.5, 0.5)))
        x, y = np.repeat([1.0, 0.0], [a, n1 - a]), np.repeat([1.0, 0.0], [b, n2 - b])
        name = names[index % len(names)]
        table = np.array([[a, n1 - a], [b, n2 - b]])
        empty = bool((table.sum(axis=0) == 0).any())
        if name.endswith("0/1"):
            p = p_two_sample(x, y, name.startswith("Student"))
        elif name.startswith("Fisher"):
            p = float(stats.fisher_exact(table).pvalue)
        elif empty:
            p = 1.0
        else:
            p = float(stats.chi2_contingency(table, correction="Yates" in name).pvalue)
        printed = press.p(p)
        result = two_proportions(Share((a,), n1), Share((b,), n2), printed, press.assumed, name)
        assert result.stated[0].meets and result.verdict is not Verdict.DIFFERS, (table, name)
        claim = checked_claims.claim_from_p(result, ALPHA, p < ALPHA)
        assert claim.stated[0].can_hold, (table, name, p)


def test_odds_ratios() -> None:
    names = ("odds_ratio", "ci_low", "ci_high", "p")
    for index, press in enumerate(presses(108)):
        cells = press.rng.integers(1, int(press.rng.choice([4, 8, 14])), 4)
        table = Table2x2(*(int(cell) for cell in cells))
        a, b, c, d = table.cells
        log, error = np.log(a * d / (b * c)), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        z = stats.norm.ppf(0.975)
        p = 2 * stats.norm.sf(abs(log) / error)
        decimals = int(press.rng.integers(1, 4))
        values = [float(np.exp(end)) for end in (log, log - z * error, log + z * error)]
        figures = PrintedOddsRatio(
            *(press.figure(Fraction(value), decimals) for value in values), press.p(float(p))
        )
        margins = (a + b + c + d, [a + c], [a + b])
        if index % 4 == 0:
            margins = (margins[0], [a + c], range(a + b - 1, a + b + 2))
        assert table in compatible_tables(figures, *margins, press.assumed)
        result = odds_ratio_figure(names[index % 4], figures, *margins, press.assumed)
        assert result.stated[0].meets, (table, figures)
        if a * d < b * c:
            below = checked_claims.claim_below_one(
                figures.odds_ratio or PrintedNumber("1"), press.assumed
            )
            assert below.verdict is not Verdict.DIFFERS


def test_unstated_sizes() -> None:
    """The true sizes are among the solutions, one comparator at a time and jointly."""
    for index, press in enumerate(presses(109)):
        on_scale = index % 250 == 0
        n = int(press.rng.choice([3, 5, 8])) if on_scale else sizes(press.rng)
        shared_values = np.rint(press.rng.normal(-4, press.rng.uniform(1, 6), n))
        scale = Scale(Fraction(-51), Fraction(51)) if on_scale else None
        shared = press.summary(shared_values, (1, 1), scale)
        equal = index % 4 < 2
        comparisons, truths = [], []
        for name in "ab":
            true_n = int(press.rng.integers(2, 9))
            values = np.rint(press.rng.normal(press.rng.uniform(-8, 3), 5, true_n))
            p = p_two_sample(shared_values, values, equal)
            largest = true_n + int(press.rng.integers(0, 4))
            summary = press.summary(values, press.decimals(), None).with_n(largest)
            comparisons.append(Comparison(name, summary, (press.p(p), press.p(p))))
            truths.append((true_n, p))
        chosen = [0] if index % 3 == 0 else [0, 1]
        solutions = solve_n(shared, [comparisons[k] for k in chosen], press.assumed)
        solved = solutions[0 if equal else len(solutions) // 2]
        assert solved.convention.startswith("Student" if equal else "Welch")
        for k in chosen:
            assert truths[k][0] in solved.sizes[comparisons[k].name], (index, comparisons[k])
        if index % 20 == 0:
            result = two_sample_t_unstated_n(
                shared, comparisons[0].summary, comparisons[0].p[0], press.assumed
            )
            assert result.verdict is not Verdict.DIFFERS


def test_implied_mean_of_the_missing() -> None:
    for press in presses(110):
        n = int(press.rng.integers(3, 40))
        followed = int(press.rng.integers(1, n))
        step = Fraction(1, int(press.rng.choice([1, 8])))
        units = int(Fraction(3 if step < 1 else 51) / step)
        baseline = press.rng.integers(0, units + 1, n)
        after = np.clip(baseline[:followed] + press.rng.integers(-9, 6, followed), 0, units)
        decimals = int(press.rng.integers(0, 3))
        figures = [
            press.figure(step * int(total) / size, decimals)
            for total, size in (
                (baseline.sum(), n),
                (after.sum(), followed),
                ((after - baseline[:followed]).sum(), followed),
            )
        ]
        truth = step * int(baseline[followed:].sum()) / (n - followed)
        scale = Scale(Fraction(0), units * step, step)
        for known in (scale, None):
            implied = implied_mean_of_missing(
                figures[0], n, figures[1], figures[2], followed, known, press.assumed
            )
            assert truth in implied


def test_counts_and_percentages() -> None:
    for index, press in enumerate(presses(111)):
        n = int(press.rng.choice([1, 2, 3, 6, 7, 8, 16, 24, 30]))
        counts = press.rng.multinomial(n, press.rng.dirichlet([0.7, 0.7, 0.7])).tolist()
        decimals = int(press.rng.integers(0, 3))
        percents = [press.figure(Fraction(100 * count, n), decimals) for count in counts]
        count, percent, rule = counts[0], percents[0], press.assumed
        whole_n = PrintedNumber(str(n))
        direct = arithmetic.percent_of_count(count, n, percent, rule)
        assert direct.stated[0].meets
        back = arithmetic.count_of_percent(percent, n, PrintedNumber(str(count)), rule)
        assert back.stated[0].meets and back.main.low <= count <= back.main.high
        exhaustive = index % 3 == 0
        siblings = percents[1:] if exhaustive else percents[1:2]
        size = n + int(press.rng.integers(1, 5)) if index % 5 == 0 else n
        result = arithmetic.attainable_percent(percent, size, siblings, exhaustive, rule)
        assert result.verdict is not Verdict.DIFFERS, (counts, n, size, percents)
        assert size > n or result.stated[0].meets, (counts, n, percents)
        if count:
            found = arithmetic.n_of_count_and_percent(count, percent, whole_n, rule)
            assert found.stated[0].meets and found.main.low <= n <= found.main.high
        assert checked_claims.claim_majority(count, n).verdict is (
            Verdict.SAME if 2 * count > n else Verdict.DIFFERS
        )


def test_true_orders_are_never_contradicted() -> None:
    for press in presses(112):
        values = sorted(
            {Fraction(int(v), 40) for v in press.rng.integers(-200, 200, 5)}, reverse=True
        )
        printed = [press.figure(value, int(press.rng.integers(0, 3))) for value in values]
        if len(values) > 1:
            claim = checked_claims.claim_decreasing(printed, press.assumed)
            assert claim.verdict is not Verdict.DIFFERS, (values, printed)


def test_printed_p_values_hold_the_p() -> None:
    for press in presses(113):
        p = float(press.rng.choice([press.rng.random(), 10 ** press.rng.uniform(-12, 0), 1.0, 0.0]))
        interval = press.p(p).interval(press.assumed, P_VALUE_DOMAIN)
        assert p in interval
