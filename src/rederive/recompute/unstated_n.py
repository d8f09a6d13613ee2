"""Sample sizes that an article does not state, solved from the p values it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule
from rederive.printed.result import Reach, Recomputed
from rederive.recompute.summaries import Summary
from rederive.recompute.t_formulas import STUDENT, WELCH, BoolArray, TTest, touches
from rederive.recompute.t_tests import P_SLACK, moments_of, two_sample_t

LARGEST_CHUNK = 200_000
"""Most combinations of a size and a box that are taken at once."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparator whose size is unknown, and the p values printed for it.

    Parameters
    ----------
    name : str
        The comparator.
    summary : Summary
        Its mean and SD; its ``n`` is the largest size that is possible.
    p : tuple of PrintedNumber
        Every printing of the p value (an article may print it twice, with other decimals).
    """

    name: str
    summary: Summary
    p: tuple[PrintedNumber, ...]


@dataclass(frozen=True, slots=True)
class Solved:
    """Comparator sizes under one convention: test and readings in words.

    For each comparator these are all sizes that make every printed p reachable; empty if none does.
    """

    convention: str
    sizes: dict[str, tuple[int, ...]]


@lru_cache(maxsize=256)
def _reachable(
    test: TTest, shared: Summary, comparison: Comparison, rule: RoundingRule
) -> BoolArray:
    """Return for each (n - 2, box of the shared group) whether all printed p are reachable.

    One p is behind all printings, so printings that exclude each other leave no size.
    """
    targets = [p.interval(rule, P_VALUE_DOMAIN) for p in comparison.p]
    least = max(target.lower for target in targets)
    most = min(target.upper for target in targets)
    mean, sd = moments_of(shared, rule)
    other_mean, other_sd = moments_of(replace(comparison.summary, scale=None), rule)
    sizes = np.arange(2, comparison.summary.n + 1)
    if least > most * (1 + P_SLACK):
        return np.zeros((len(sizes), len(mean[0])), dtype=bool)
    difference = mean[0] - other_mean[1], mean[1] - other_mean[0]
    within = (least * (1 - P_SLACK), most * (1 + P_SLACK))
    chunks = np.array_split(sizes[:, None], -(-len(sizes) * len(mean[0]) // LARGEST_CHUNK))
    return np.concatenate(
        [touches(test, difference, sd, shared.n, other_sd, n, within) for n in chunks]
    )


def solve_n(
    shared: Summary,
    comparisons: Sequence[Comparison],
    rule: RoundingRule = RoundingRule.EITHER,
) -> list[Solved]:
    """Solve for the unstated sizes of all comparators of one group at once.

    Every comparison uses the same mean and SD of the shared group. A box of values of the shared
    group counts only if each comparator has a size for it, so the joint solution may be narrower
    than the comparisons one at a time (pass a single comparison for those).

    Parameters
    ----------
    shared : Summary
        The group that takes part in every comparison. On a stepped scale its attainable
        (mean, SD) pairs are carried one by one; otherwise its rounding box is, as a whole, which
        can only widen the answer. Comparators are carried as rounding boxes.
    comparisons : sequence of Comparison
        Comparators with their printed p values.
    rule : RoundingRule
        How the figures were rounded.

    Returns
    -------
    list of Solved
        One entry for each test and each reading of the shared group's ambiguous figures. An
        ambiguous comparator is carried in its widest reading, the figure as printed.

    Examples
    --------
    >>> one = Comparison("other", Summary(parse("0"), parse("3"), 40), (parse("0.04"),))
    >>> [min(each.sizes["other"]) for each in solve_n(Summary(parse("2"), parse("3"), 20), [one])]
    [4, 6]
    """
    solved = []
    for test in (STUDENT, WELCH):
        for name, reading in shared.readings():
            tables = [_reachable(test, reading, comparison, rule) for comparison in comparisons]
            usable = np.all([table.any(axis=0) for table in tables], axis=0)
            sizes = {
                comparison.name: tuple(
                    int(n) + 2 for n in np.flatnonzero(table[:, usable].any(axis=1))
                )
                for comparison, table in zip(comparisons, tables, strict=True)
            }
            convention = ", ".join(part for part in (test.name, *name) if part)
            solved.append(Solved(convention, sizes))
    return solved


def smaller_sizes(
    shared: Summary, comparator: Summary, p: PrintedNumber, rule: RoundingRule
) -> list[str]:
    """Return conventions under which sizes below ``comparator.n`` reach p, with these in words."""
    found = []
    for solved in solve_n(shared, [Comparison("comparator", comparator, (p,))], rule):
        fewer = [n for n in solved.sizes["comparator"] if n < comparator.n]
        if fewer:
            found.append(f"{solved.convention}, comparator n {describe_sizes(fewer)}")
    return found


def describe_sizes(sizes: Sequence[int]) -> str:
    """Return sizes in words: ``83 to 102``, with the number of gaps if it is no plain range."""
    if not sizes:
        return "none"
    if len(sizes) == 1:
        return str(sizes[0])
    text = f"{sizes[0]} to {sizes[-1]}"
    missing = sizes[-1] - sizes[0] + 1 - len(sizes)
    return f"{text} ({missing} of these excluded)" if missing else text


def two_sample_t_unstated_n(
    shared: Summary,
    comparator: Summary,
    p: PrintedNumber,
    rule: RoundingRule = RoundingRule.EITHER,
    stated: TTest = STUDENT,
    alpha: float = 0.05,
    *,
    solve: bool = True,
) -> Recomputed:
    """Recompute a two-sample p when the comparator's size is not stated with its figures.

    Parameters
    ----------
    shared, comparator : Summary
        The two groups; the comparator's only stated size, say from a baseline table, is tried
        first and counts as stated.
    p : PrintedNumber
        The published p.
    rule : RoundingRule
        How the figures were rounded.
    stated : TTest
        The variant that the article states.
    alpha : float
        Significance level, as for :func:`two_sample_t`.
    solve : bool
        Whether every smaller size is tried as an unstated choice.

    Examples
    --------
    >>> treated = Summary(parse("-8.0"), parse("8.3"), 25)
    >>> control = Summary(parse("-3.4"), parse("7.12"), 168)
    >>> two_sample_t_unstated_n(treated, control, parse("0.005")).conditions[0]
    'Student t (pooled variance), comparator n 93 to 165'
    """
    note = f"n = {comparator.n} as at baseline"
    at_baseline = two_sample_t(shared, comparator, p, rule, stated, note, alpha)
    ends = p.interval(rule, P_VALUE_DOMAIN).ends
    fewer = smaller_sizes(shared, comparator, p, rule) if solve else []
    reaches = [Reach(words, False, *ends, None, True) for words in fewer]
    return Recomputed(
        "two-sample t test, comparator size unstated", p, (*at_baseline.reaches, *reaches)
    )
