"""t tests recomputed from printed means, SDs and sizes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr, stdtrit

from rederive.printed import P_VALUE_DOMAIN, Interval, PrintedNumber, RoundingRule, require_printed
from rederive.printed.lattice import attainable_moments, variance_factors
from rederive.printed.result import Reach, Recomputed, possible_p
from rederive.recompute.summaries import Summary
from rederive.recompute.t_formulas import (
    PAIRED,
    STUDENT,
    WELCH,
    BoolArray,
    Ends,
    FloatArray,
    Range,
    TTest,
    difference_range,
    distance_range,
    student_error,
)

LARGEST_LATTICE_N = 40
"""Groups up to this size are taken through their attainable sums; above, rounding hides them."""


MOST_PAIRS = 30_000
"""Most attainable pairs that are listed; where there are more, rounding hides them too."""

P_SLACK = 1e-9
"""How far outside the printed interval a p may lie for rounding errors of the arithmetic."""

LARGEST_CROSSING = 1_000_000
"""Most combinations of attainable pairs of two groups that are taken one by one."""


def _pairs_to_list(summary: Summary, step: float, rule: RoundingRule) -> float:
    """Return about how many sums and sums of squares on a scale print as the summary."""
    (mean_low, mean_high), (sd_low, sd_high) = summary.mean_range(rule), summary.sd_range(rule)
    sums = summary.n * (mean_high - mean_low) / step
    squares = (summary.n - 1) * (sd_high**2 - sd_low**2) / (2 * step**2)
    return (sums + 1) * (squares + 1)


def moments_of(summary: Summary, rule: RoundingRule) -> tuple[Range, Range]:
    """Return all (mean, SD) that a summary may stand for, as boxes; the arrays have one entry each.

    On a scale with steps, and for small groups, these are the attainable pairs only, of a change
    those that its paired p allows; otherwise (or when no pair is attainable, which the consistency
    checks report) the whole rounding box.
    """
    scale, n = summary.scale, summary.n
    if scale is not None and n <= LARGEST_LATTICE_N:
        step = float(scale.step)
        few = _pairs_to_list(summary, step, rule) <= MOST_PAIRS
        pairs = few and attainable_moments(summary.mean, summary.sd, n, scale.lattice, rule)
        if pairs:
            sums, squares = np.array(pairs, dtype=float).T
            variance = (squares - sums**2 / n) / (n - 1)
            mean, sd = sums / n * step, np.sqrt(np.maximum(variance, 0.0)) * step
            allowed, p = np.ones(len(mean), dtype=bool), PAIRED.at_point(mean, sd, n)
            for printed in summary.paired_p:
                allowed &= meets_each(p, p, printed.interval(rule, P_VALUE_DOMAIN))
            if allowed.any():
                mean, sd = mean[allowed], sd[allowed]
            return (mean, mean), (sd, sd)
    means, sds = np.array([summary.mean_range(rule), summary.sd_range(rule)])[:, :, None]
    return (means[0], means[1]), (sds[0], sds[1])


def p_ranges(test: TTest, groups: Sequence[Summary], rule: RoundingRule) -> Range:
    """Return the range of p for every combination of boxes of one or two groups: first by second.

    Where the attainable pairs of both groups make too many combinations, the second group is its
    rounding box, which can only widen the range.
    """
    first, *others = groups
    mean, sd = moments_of(first, rule)
    if not others:
        return test.over_box(mean, sd, first.n)
    second = others[0]
    other_mean, other_sd = moments_of(second, rule)
    boxes = len(other_mean[0])
    if boxes > 1 and len(mean[0]) * boxes > LARGEST_CROSSING:
        other_mean, other_sd = moments_of(replace(second, scale=None), rule)
    mean, sd = ((low[:, None], high[:, None]) for low, high in (mean, sd))
    difference = mean[0] - other_mean[1], mean[1] - other_mean[0]
    return test.over_box(difference, sd, first.n, other_sd, second.n)


def meets_each(low: FloatArray, high: FloatArray, target: Interval) -> BoolArray:
    """Return which closed ranges of p touch the target interval."""
    above = high >= target.lower * (1 - P_SLACK)
    return np.asarray(above & (low <= target.upper * (1 + P_SLACK)), dtype=np.bool_)


Reading = tuple[str, ...]
"""How each ambiguous figure is read; empty for a figure that is not ambiguous."""


def drop_idle_readings(
    name: str, by_reading: Mapping[Reading, Reach], alpha: float
) -> Iterator[Reach]:
    """Yield reaches with only those readings told apart, beside the convention's name, that matter.

    A reading is idle when neither the meeting of the printed p nor the decision at ``alpha``
    depends on it; then the figure as printed, whose range includes the other reading's, stands for
    both. The widest combination of readings comes first.
    """
    combinations = list(by_reading)
    kept = [place for place in range(len(combinations[0])) if _matters(by_reading, place, alpha)]
    seen: set[Reading] = set()
    for combination, reach in by_reading.items():
        told = tuple(combination[place] for place in kept if combination[place])
        if told not in seen:
            seen.add(told)
            yield replace(reach, convention=", ".join((name, *told)))


def _matters(by_reading: Mapping[Reading, Reach], place: int, alpha: float) -> bool:
    outcomes: dict[Reading, set[tuple[bool, bool | None]]] = {}
    for combination, reach in by_reading.items():
        rest = combination[:place] + combination[place + 1 :]
        outcomes.setdefault(rest, set()).add((reach.meets, reach.decision(alpha)))
    return any(len(found) > 1 for found in outcomes.values())


def two_sample_t(
    first: Summary,
    second: Summary,
    p: PrintedNumber | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
    stated: TTest = STUDENT,
    note: str = "",
    alpha: float = 0.05,
) -> Recomputed:
    """Recompute the p of a two-sample t test from two printed summaries.

    Parameters
    ----------
    first, second : Summary
        The two groups.
    p : PrintedNumber, optional
        The published p.
    rule : RoundingRule
        How the figures were rounded.
    stated : TTest
        The variant that the article states; the other is tried as an unstated choice.
    note : str
        Words added to each convention, such as where a sample size comes from.
    alpha : float
        Significance level; readings that change neither the decision nor the match are not told
        apart.

    Returns
    -------
    Recomputed
        One reach for each variant of the test and each reading of an ambiguous figure that
        matters.

    Examples
    --------
    >>> treated = Summary(parse("12.4"), parse("4.1"), 20)
    >>> control = Summary(parse("15.2"), parse("5.0"), 22)
    >>> found = two_sample_t(treated, control, parse("0.06"))
    >>> str(found.verdict), round(found.main.low, 3), round(found.main.high, 3)
    ('same', 0.045, 0.067)
    """
    groups = (first, second)
    return _t_test("two-sample t test", (STUDENT, WELCH), groups, p, rule, stated, note, alpha)


def _t_test(
    method: str,
    tests: Sequence[TTest],
    groups: Sequence[Summary],
    p: PrintedNumber | None,
    rule: RoundingRule,
    stated: TTest,
    note: str,
    alpha: float,
) -> Recomputed:
    target = None
    if p is not None:
        require_printed("p", p)
        target = p.interval(rule, P_VALUE_DOMAIN)
    reaches: list[Reach] = []
    for test in tests:
        name = f"{test.name}, {note}" if note else test.name
        by_reading: dict[Reading, Reach] = {}
        for combination in itertools.product(*(group.readings() for group in groups)):
            reading = tuple(word for words, _ in combination for word in words)
            read = [summary for _, summary in combination]
            low, high = p_ranges(test, read, rule)
            meets = target is not None and bool(np.any(meets_each(low, high, target)))
            difference = float(read[0].mean.value - sum(each.mean.value for each in read[1:]))
            spreads = itertools.chain(*((float(each.sd.value), each.n) for each in read))
            point = float(test.at_point(difference, *spreads))
            ends = float(low.min()), float(high.max())
            by_reading[reading] = Reach(name, test is stated, *ends, point, meets)
        reaches.extend(drop_idle_readings(name, by_reading, alpha))
    possible: tuple[Reach, ...] = ()
    main = [reach for reach in reaches if reach.stated]
    if p is not None and not any(reach.meets for reach in main):
        others = {name: [ends] for name, ends in _under_habits(stated, groups, rule)}
        possible = possible_p(p, rule, [(reach.low, reach.high) for reach in main], others)
    return Recomputed(method, p, tuple(reaches), possibilities=possible)


def _under_habits(
    test: TTest, groups: Sequence[Summary], rule: RoundingRule
) -> Iterator[tuple[str, Ends]]:
    """Yield the name of an unstated habit, and the range of p under it."""
    means = [group.mean_range(rule) for group in groups]
    difference = means[0] if test is PAIRED else difference_range(means[0], means[1])

    def p_range(kind: TTest, sds: Sequence[Ends]) -> Ends:
        sizes = [group.n for group in groups]
        spreads = itertools.chain(*zip(sds, sizes, strict=True))
        low, high = kind.over_box(difference, *spreads)
        return float(low), float(high)

    printed = [group.sd_range(rule) for group in groups]
    kinds = [test] if test is PAIRED else [test, WELCH if test is STUDENT else STUDENT]
    for habit in variance_factors(2):
        roots = [math.sqrt(variance_factors(group.n)[habit]) for group in groups]
        scaled = [
            (low * root, high * root) for (low, high), root in zip(printed, roots, strict=True)
        ]
        for kind in kinds:
            words = habit if kind is test else f"{habit}, {kind.name}"
            yield words, p_range(kind, scaled)
    for kind in kinds[1:]:
        low, high = p_range(kind, printed)
        yield f"one-sided p of: {kind.name}", (low / 2, high / 2)
    errors = [
        math.hypot(
            *(sds[end] / math.sqrt(group.n) for sds, group in zip(printed, groups, strict=True))
        )
        for end in (0, 1)
    ]
    if errors[0] > 0:
        near, far = distance_range(*difference)
        low, high = 2 * ndtr(-far / errors[0]), 2 * ndtr(-near / errors[1])
        yield "normal distribution in place of t", (float(low), float(high))


def widest_difference_interval(
    first: Summary,
    second: Summary,
    rule: RoundingRule | None = RoundingRule.EITHER,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the union of Student's confidence intervals over the rounding of all figures.

    The half-width rises with either SD, so the greatest SDs and the extreme differences give it.

    Parameters
    ----------
    first, second : Summary
        The two groups.
    rule : RoundingRule or None
        How their figures were rounded; ``None`` takes them at face value.
    level : float
        Confidence level, between 0 and 1.

    Examples
    --------
    >>> first = Summary(parse("-8"), parse("8.3"), 25)
    >>> second = Summary(parse("-3.4"), parse("7.1"), 168)
    >>> [round(end, 2) for end in widest_difference_interval(first, second)]
    [-8.24, -0.96]
    >>> [round(end, 2) for end in widest_difference_interval(first, second, None)]
    [-7.67, -1.53]
    """
    if not 0 < level < 1:
        raise ValueError(f"level: found {level}, allowed are numbers between 0 and 1")
    if rule is None:
        sd1, sd2 = float(first.sd.value), float(second.sd.value)
        low = high = float(first.mean.value - second.mean.value)
    else:
        sd1, sd2 = first.sd_range(rule)[1], second.sd_range(rule)[1]
        low, high = difference_range(first.mean_range(rule), second.mean_range(rule))
    error, df = student_error(sd1, first.n, sd2, second.n)
    half = float(stdtrit(df, 0.5 + level / 2) * error)
    return low - half, high + half


def paired_t(
    change: Summary,
    p: PrintedNumber | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
    alpha: float = 0.05,
) -> Recomputed:
    """Recompute the p of a paired t test from the mean and SD of the changes.

    Parameters
    ----------
    change : Summary
        Mean, SD and number of the paired differences.
    p : PrintedNumber, optional
        The published p.
    rule : RoundingRule
        How the figures were rounded.
    alpha : float
        Significance level, as for :func:`two_sample_t`.

    Examples
    --------
    >>> found = paired_t(Summary(parse("-2.1"), parse("3.9"), 20), parse("0.03"))
    >>> str(found.verdict), round(found.main.point, 3)
    ('same', 0.026)
    """
    return _t_test("paired t test", (PAIRED,), (change,), p, rule, PAIRED, "", alpha)
