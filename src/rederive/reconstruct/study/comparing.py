"""Tests between two groups: their p in data sets, and what the figures of both leave to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from rederive.printed import P_VALUE_DOMAIN, Interval
from rederive.recompute.proportions import (
    chi_squared,
    chi_squared_yates,
    fisher,
    t_on_zero_one,
    welch_on_zero_one,
)
from rederive.recompute.t_formulas import STUDENT, WELCH, FloatArray, Range, TTest
from rederive.recompute.t_tests import meets_each
from rederive.reconstruct.block import Block, ContradictionError, Figure, Statistic, boxes_of
from rederive.reconstruct.block.boxes import Window, clip, counted_window
from rederive.reconstruct.block.kernel import Floats
from rederive.reconstruct.block.values import statistic_values
from rederive.reconstruct.bounds.moments import MOST_SUMS, ends_of, meeting_at, squares_of
from rederive.reconstruct.bounds.quantities import Part
from rederive.reconstruct.study.model import Comparison, Measure, Study

TESTS: dict[str, tuple[TTest | None, Callable[[int, int, int, int], float]]] = {
    "student": (STUDENT, t_on_zero_one),
    "welch": (WELCH, welch_on_zero_one),
    "chi_squared": (None, chi_squared),
    "chi_squared_yates": (None, chi_squared_yates),
    "fisher": (None, fisher),
}
"""Tests by name: of two means, where it is one, and of two counts."""

MOST_PIECES = 100
"""Most pieces into which the sums of a column are cut; up to so many are taken one by one."""

MOST_TABLES = 10_000
"""Most pairs of counts whose p are worked out; where there are more, nothing is said of them."""

Side = Sequence[Floats]
"""What a test takes of one group in every data set: mean and SD, or a count; then its size."""


def side_of(measure: Measure, comparison: Comparison, observed: Floats) -> Side:
    """Return what a comparison takes of a group; ``observed`` as in :func:`statistic_values`."""
    taken = [comparison.of]
    if not comparison.of.is_count:
        taken.append(Statistic(comparison.of.replace("mean", "sd")))
    given = comparison.at, comparison.printed, comparison.threshold, bool(measure.rises)
    figures = [Figure(comparison.id, each, *given) for each in taken]
    # Equal means come out equal, and values that are all the same without spread.
    found = [statistic_values(measure.block, observed, each).round(12) for each in figures]
    return [*found, np.full(len(observed), measure.block.observed[measure.block.index(given[0])])]


def p_of(comparison: Comparison, one: Side, other: Side) -> Floats:
    """Return the p of a comparison in every pair of data sets, not rounded."""
    of_means, of_counts = TESTS[comparison.test]
    if of_means is None or comparison.of.is_count:
        tables = np.array([*one, *other], np.int64).T.tolist()
        return np.array([of_counts(*table) for table in tables])
    return of_means.at_point(one[0] - other[0], *one[1:], *other[1:])


def printed_as(study: Study, comparison: Comparison) -> Interval:
    """Return the p that print as a comparison's."""
    rule = study.measure(comparison.measures[0]).block.rule
    return comparison.printed.interval(rule, P_VALUE_DOMAIN)


def p_ranges(study: Study, comparison: Comparison) -> Range:
    """Return least and greatest p of all pieces into which the figures of both groups fall.

    Other comparisons, and counts in a test of means, are left aside: every p that data with the
    figures have lies in a piece, but not all in a piece are had.
    """
    of_means, of_counts = TESTS[comparison.test]
    measures = [study.measure(name) for name in comparison.measures]
    n, m = (each.block.observed[each.block.index(comparison.at)] for each in measures)
    if of_means is None or comparison.of.is_count:
        counts = [_counts(each, comparison) for each in measures]
        if len(counts[0]) * len(counts[1]) > MOST_TABLES:
            return np.zeros(1), np.ones(1)
        p = np.array([of_counts(a, n, b, m) for a, b in itertools.product(*counts)])
        return p, p
    one, other = (_pieces(each.block, comparison) for each in measures)
    least, most, low, high = (values[:, np.newaxis] for values in one)
    return of_means.over_box(
        (least - other[1], most - other[0]), (low, high), n, (other[2], other[3]), m
    )


def _counts(measure: Measure, comparison: Comparison) -> range:
    """Return the counts that other counts of a group leave possible."""
    block, of, at = measure.block, comparison.of, measure.block.index(comparison.at)
    assert comparison.threshold is not None
    low, high = counted_window(of, comparison.threshold, bool(measure.rises), block)
    boxes = boxes_of(block)
    column = (boxes.change if of.family else boxes.level)[at]
    counts: Window = 0, column.n
    for first, last, least, most in column.counts:
        if first <= low and high <= last:
            counts = clip(counts, (0, most))
        if low <= first and last <= high:
            counts = clip(counts, (least, column.n))
    return range(counts[0], counts[1] + 1)


def _pieces(block: Block, comparison: Comparison) -> tuple[FloatArray, ...]:
    """Return least and greatest mean, and least and greatest SD, of every piece of a column."""
    boxes, at, change = boxes_of(block), block.index(comparison.at), bool(comparison.of.family)
    column = (boxes.change if change else boxes.level)[at]
    part = Part.CHANGE if change else Part.VISIT
    n, step, ends = column.n, float(block.scale.step), ends_of(part, block.levels)
    window = clip(column.total, (n * ends[0], n * ends[1]))
    if at:
        window = meeting_at(block, boxes, at).windows[part]
    wide = window[1] - window[0] >= MOST_SUMS
    if wide:
        sums, spreads = np.array(window), [np.zeros(2), np.full(2, (n * (ends[1] - ends[0])) ** 2)]
    else:
        each = [(total, *limits) for total, limits in squares_of(column, window, ends)]
        sums, least, most = np.array(each, np.int64).T
        spreads = [n * squares - sums**2 for squares in (least, most)]
    pieces = np.array_split(np.arange(len(sums)), 1 if wide else min(len(sums), MOST_PIECES))
    starts = [piece[0] for piece in pieces]
    means = step * sums / n + (0 if change else float(block.scale.minimum))
    low, high = (step * np.sqrt(spread / (n * (n - 1))) for spread in spreads)
    return (
        np.minimum.reduceat(means, starts),
        np.maximum.reduceat(means, starts),
        np.minimum.reduceat(low, starts),
        np.maximum.reduceat(high, starts),
    )


def refute_comparison(study: Study, comparison: Comparison) -> ContradictionError | None:
    """Return the contradiction where no p of a comparison prints as published, else nothing.

    None of the figures that it names can be left out of the proof.
    """

    def reached(study: Study) -> bool:
        ranges = p_ranges(study, comparison)
        return bool(meets_each(*ranges, printed_as(study, comparison)).any())

    if reached(study):
        return None
    needed = [comparison.id]
    for figure in (f for name in comparison.measures for f in study.measure(name).block.figures):
        rest = study.without([figure.id])
        if reached(rest):
            needed.append(figure.id)
        else:
            study = rest
    low, high = p_ranges(study, comparison)
    why = f"the figures of both groups leave a p from {low.min():.2g} to {high.max():.2g}"
    return ContradictionError(needed, why)
