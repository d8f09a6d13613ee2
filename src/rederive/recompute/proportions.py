"""Comparisons of two proportions under every convention, from counts or printed percentages."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial

from scipy.special import chdtrc
from scipy.stats import fisher_exact, hypergeom

from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule, require_printed
from rederive.printed.errors import unknown
from rederive.printed.result import Reach, Recomputed, possible_p
from rederive.recompute import t_formulas


@dataclass(frozen=True, slots=True)
class Share:
    """Every count that a printed share of a group may stand for.

    The counts lie between 0 and ``n``, and there is one or more; the note says where the count or
    the size comes from, if it is not simply as printed.
    """

    counts: tuple[int, ...]
    n: int
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.counts, tuple):
            raise ValueError(f"counts: found {self.counts!r}, allowed are several, such as (5, 6)")
        if self.n < 1:
            raise ValueError(f"n: found {self.n}, allowed are whole numbers from 1")
        if not self.counts:
            raise ValueError("a share needs at least one candidate count")
        wrong = [count for count in self.counts if not 0 <= count <= self.n]
        if wrong:
            raise ValueError(f"count {wrong[0]} is not between 0 and n = {self.n}")


def t_on_zero_one(
    count1: int, n1: int, count2: int, n2: int, test: t_formulas.TTest = t_formulas.STUDENT
) -> float:
    """Return p of a t test on variables coded 0 and 1; NaN where groups are too small for it."""
    if n1 + n2 < 3 or (test is t_formulas.WELCH and min(n1, n2) < 2):
        return math.nan
    groups = ((count1, n1), (count2, n2))
    sds = [math.sqrt(Fraction(k * (n - k), n * max(n - 1, 1))) for k, n in groups]
    return float(test.at_point(count1 / n1 - count2 / n2, sds[0], n1, sds[1], n2))


welch_on_zero_one = partial(t_on_zero_one, test=t_formulas.WELCH)
"""p of Welch's t test on variables coded 0 and 1."""


def chi_squared(
    count1: int, n1: int, count2: int, n2: int, yates: bool = False, less: int = 0
) -> float:
    """Return p of Pearson's chi-squared test on a 2 x 2 table, with Yates' correction if asked.

    The statistic is that of N patients, or of so many less. A table with an empty margin carries
    no information and gives p = 1.
    """
    total, successes = n1 + n2, count1 + count2
    margin = n1 * n2 * successes * (total - successes)
    if margin == 0:
        return 1.0
    distance = float(abs(count1 * (n2 - count2) - count2 * (n1 - count1)))
    if yates:
        distance = max(0.0, distance - total / 2)
    return float(chdtrc(1, (total - less) * distance**2 / margin))


chi_squared_yates = partial(chi_squared, yates=True)
"""p of the chi-squared test with Yates' continuity correction (1934)."""


@lru_cache(maxsize=65536)
def fisher(count1: int, n1: int, count2: int, n2: int) -> float:
    """Return the two-sided p of Fisher's exact test."""
    return float(fisher_exact([[count1, n1 - count1], [count2, n2 - count2]]).pvalue)


def fisher_tails(count1: int, n1: int, count2: int, n2: int) -> tuple[float, float, float]:
    """Return both one-sided p of Fisher's exact test, and the probability of the table itself."""
    table = hypergeom(n1 + n2, count1 + count2, n1)
    return float(table.cdf(count1)), float(table.sf(count1 - 1)), float(table.pmf(count1))


EXACT = "Fisher's exact test"

WELCH = "Welch t on 0/1"
FEWEST = 5
"""Patients with, and without, the feature in each group that a variance for each group takes."""

PROPORTION_TESTS: dict[str, Callable[[int, int, int, int], float]] = {
    "Student t on 0/1": t_on_zero_one,
    WELCH: welch_on_zero_one,
    "χ²": chi_squared,
    "χ² with Yates' correction": chi_squared_yates,
    EXACT: fisher,
}
"""Every convention tried for two proportions, by name."""


def likelihood_ratio(count1: float, n1: float, count2: float, n2: float) -> float:
    """Return p of the likelihood-ratio (G) test."""
    total, successes = n1 + n2, count1 + count2
    deviance = 0.0
    for count, n in ((count1, n1), (count2, n2)):
        for observed, margin in ((count, successes), (n - count, total - successes)):
            if observed:
                deviance += 2 * observed * math.log(observed * total / (n * margin))
    return float(chdtrc(1, max(deviance, 0.0)))


def unpooled_z(count1: int, n1: int, count2: int, n2: int) -> float:
    """Return p of the z test of two proportions with unpooled variance."""
    p1, p2 = count1 / n1, count2 / n2
    error = math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    if error == 0:
        return float(p1 == p2)
    return math.erfc(abs(p1 - p2) / error / math.sqrt(2))


RARER_TESTS: dict[str, Callable[[int, int, int, int], float]] = {
    "χ² with N - 1": partial(chi_squared, less=1),  # Egon Pearson 1947
    "likelihood-ratio (G) test": likelihood_ratio,
    "z test, unpooled": unpooled_z,
}
"""Tests named as a possibility where none of the common ones is stated."""


def two_proportions(
    first: Share,
    second: Share,
    p: PrintedNumber | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
    stated: str = "Student t on 0/1",
) -> Recomputed:
    """Recompute the p of a comparison of two proportions under every convention.

    Parameters
    ----------
    first, second : Share
        The two groups, each with all its candidate counts.
    p : PrintedNumber, optional
        The published p.
    rule : RoundingRule
        How p was rounded.
    stated : str
        The convention that the article states, a key of :data:`PROPORTION_TESTS`.

    Raises
    ------
    ValueError
        If ``stated`` is not a known convention, or p is not a printed figure.

    Notes
    -----
    A test that the sizes leave undefined (a t test on single patients) is not among the
    conventions tried.

    Examples
    --------
    >>> found = two_proportions(Share((5,), 20), Share((12,), 20), parse("0.054"))
    >>> str(found.verdict), found.conditions
    ('needs an unstated choice', ("Fisher's exact test",))
    """
    if stated not in PROPORTION_TESTS:
        raise unknown("stated", stated, PROPORTION_TESTS)
    if p is not None:
        require_printed("p", p)
    note = "; ".join(part for part in (first.note, second.note) if part)
    target = None if p is None else p.interval(rule, P_VALUE_DOMAIN)
    reaches = []
    for name, test in PROPORTION_TESTS.items():
        values = [test(a, first.n, b, second.n) for a in first.counts for b in second.counts]
        if any(map(math.isnan, values)):
            continue
        meets = target is not None and any(map(target.touches, values))
        convention = f"{name} ({note})" if note else name
        is_stated = name == stated and not note
        few = min(min(*each.counts, *(each.n - k for k in each.counts)) for each in (first, second))
        usual = name != WELCH or name == stated or few >= FEWEST
        reaches.append(Reach.of_values(convention, values, meets, is_stated, usual))
    possible: tuple[Reach, ...] = ()
    if p is not None and not any(reach.meets and reach.stated for reach in reaches):
        possible = _possibilities(first, second, p, reaches, rule)
    method = "comparison of two proportions"
    return Recomputed(method, p, tuple(reaches), possibilities=possible)


def _possibilities(
    first: Share, second: Share, p: PrintedNumber, reaches: Sequence[Reach], rule: RoundingRule
) -> tuple[Reach, ...]:
    """Return the unstated habits, and the rarer tests, that would give the printed p."""
    pairs = list(itertools.product(first.counts, second.counts))
    others: dict[str, list[tuple[float, float]]] = {
        name: [(test(a, first.n, b, second.n),) * 2 for a, b in pairs]
        for name, test in RARER_TESTS.items()
    }
    for reach in reaches:
        if not reach.stated and EXACT not in reach.convention and first.n > 1 < second.n:
            low, high = reach.low / 2, reach.high / 2
            others[f"one-sided p of: {reach.convention}"] = [(low, high), (1 - high, 1 - low)]
    tails = [fisher_tails(a, first.n, b, second.n) for a, b in pairs]
    exact = {
        f"one-sided p of: {EXACT}": [tail for lower, upper, _ in tails for tail in (lower, upper)],
        f"{EXACT}, one-sided p doubled": [min(1.0, 2 * min(each[:2])) for each in tails],
        f"{EXACT}, mid-p": [min(1.0, 2 * min(each[:2]) - each[2]) for each in tails],
    }
    others |= {name: [(value, value) for value in values] for name, values in exact.items()}
    stated = [reach for reach in reaches if reach.stated] or reaches
    halves = not any(EXACT in reach.convention for reach in stated)
    return possible_p(p, rule, [(reach.low, reach.high) for reach in stated], others, halves)
