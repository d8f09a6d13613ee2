"""Welch's p over a box, and the feasible sizes, against the plain way: points along every edge."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from rederive.recompute.t_formulas import (
    STUDENT,
    WELCH,
    FloatArray,
    Range,
    TTest,
    distance_range,
    p_from_t,
    student_range,
    touches,
    welch_df,
    welch_range,
)

EDGE_POINTS = 33
"""Points that cut the edges of a box into pieces on which Welch's p is bounded."""

BOXES = 20_000 if "CI" in os.environ else 4_000
"""Random boxes that are held against the plain way; the checks of a change try the most."""

LARGEST_CHUNK = 20_000
"""Most combinations of a size and a box whose p values are worked out at once."""


def dense_range(difference: Range, sd1: Range, n1: ArrayLike, sd2: Range, n2: ArrayLike) -> Range:
    """Return the least and greatest Welch p over a box.

    Welch's degrees of freedom depend on the ratio of the variances alone and are not monotone in
    either. Scaling both SDs together leaves them as they are and moves p one way, so the least p
    lies on an edge where one SD is least and the greatest where one is greatest. Each such edge is
    cut into pieces; on a piece p is bounded by the end with the smaller (larger) standard error,
    taken with the most (fewest) degrees of freedom that the piece has. The result encloses the
    range and exceeds it by no more than the degrees of freedom change along one piece.
    """
    near, far = distance_range(*difference)
    a, b = np.asarray(n1, float)[..., None], np.asarray(n2, float)[..., None]
    edge1, edge2 = _along(sd1), _along(sd2)
    lows: list[FloatArray] = []
    highs: list[FloatArray] = []
    for end, distance, found in ((0, far, lows), (1, near, highs)):
        d = np.asarray(distance, float)[..., None]
        fixed1 = np.asarray(sd1[end], float)[..., None]
        fixed2 = np.asarray(sd2[end], float)[..., None]
        for s1, s2 in ((fixed1, edge2), (edge1, fixed2)):
            found.append(_edge_bound(d, s1, a, s2, b, least=end == 0))
    low = np.asarray(np.minimum(*lows), dtype=float)
    return low, np.asarray(np.maximum(*highs), dtype=float)


def _edge_bound(
    distance: FloatArray,
    sd1: FloatArray,
    n1: FloatArray,
    sd2: FloatArray,
    n2: FloatArray,
    least: bool,
) -> FloatArray:
    """Return a bound of Welch's p along an edge, from points in rising order on the last axis."""
    v1, v2 = np.broadcast_arrays(np.square(sd1) / n1, np.square(sd2) / n2)
    error, df = np.sqrt(v1 + v2), welch_df(v1, n1, v2, n2)
    if v1.shape[-1] == 1:
        return np.asarray(p_from_t(distance, error, df)[..., 0], dtype=float)
    before, after = df[..., :-1], df[..., 1:]
    if not least:
        highest = p_from_t(distance, error[..., 1:], np.minimum(before, after))
        return np.asarray(highest.max(axis=-1), dtype=float)
    # Degrees of freedom peak, at n1 + n2 - 2, where v1 / (n1 - 1) equals v2 / (n2 - 1).
    side = np.sign(v1 * (n2 - 1) - v2 * (n1 - 1))
    peak = side[..., :-1] * side[..., 1:] <= 0
    most = np.where(peak, n1 + n2 - 2, np.maximum(before, after))
    lowest = p_from_t(distance, error[..., :-1], most)
    return np.asarray(lowest.min(axis=-1), dtype=float)


def _along(ends: Range) -> FloatArray:
    """Return points from one end to the other on a new last axis; one point if they coincide."""
    low, high = (
        np.asarray(ends[0], float)[..., None],
        np.asarray(ends[1], float)[..., None],
    )
    if np.array_equal(low, high):
        return low
    return np.asarray(low + (high - low) * np.linspace(0.0, 1.0, EDGE_POINTS), dtype=float)


def reachable(
    test: TTest,
    difference: Range,
    sd1: Range,
    n1: int,
    sd2: Range,
    sizes: NDArray[np.int64],
    least: float,
    most: float,
) -> NDArray[np.bool_]:
    """Return for each (size, box) whether its p values touch the range from least to most."""
    over_box = student_range if test is STUDENT else dense_range
    rows = []
    for chunk in np.array_split(sizes, -(-len(sizes) * len(sd1[0]) // LARGEST_CHUNK)):
        low, high = over_box(difference, sd1, n1, sd2, chunk[:, None])
        rows.append((low <= most + 1e-9) & (high >= least - 1e-9))
    return np.concatenate(rows)


def boxes(count: int, seed: int) -> tuple[Range, Range, FloatArray, Range, FloatArray]:
    """Draw boxes: differences that straddle zero or not, SDs that are zero, narrow or wide."""
    rng = np.random.default_rng(seed)
    centre, width = rng.normal(0, 4, count), rng.choice([0.0, 0.05, 0.5, 3.0], count)
    starts = rng.choice([0.0, 0.3, 2.0, 9.0], (2, count)) * rng.uniform(0.5, 2.0, (2, count))
    ends = starts + rng.choice([0.0, 0.01, 0.1, 1.0, 8.0], (2, count))
    n1, n2 = rng.choice([2, 3, 5, 29, 200], (2, count)).astype(float)
    return (centre - width, centre + width), (starts[0], ends[0]), n1, (starts[1], ends[1]), n2


def test_the_range_lies_within_the_dense_one_and_encloses_every_point() -> None:
    rng = np.random.default_rng(5)
    box = boxes(BOXES, 4)
    low, high = welch_range(*box)
    dense_low, dense_high = dense_range(*box)
    assert np.all(low >= dense_low * (1 - 1e-6) - 1e-15)
    assert np.all(high <= dense_high * (1 + 1e-6) + 1e-15)
    difference, sd1, n1, sd2, n2 = box
    for _ in range(10):
        # Points of the box, half of their coordinates at an end of it.
        d, s, t = (
            low_end + (high_end - low_end) * np.clip(rng.uniform(-0.5, 1.5, len(n1)), 0, 1)
            for low_end, high_end in (difference, sd1, sd2)
        )
        p = WELCH.at_point(d, s, n1, t, n2)
        assert np.all(low <= p * (1 + 1e-9)) and np.all(p <= high * (1 + 1e-9) + 1e-15)


def test_the_range_is_attained() -> None:
    """A search over a fine grid of the edges reaches both ends."""
    difference, sd1, n1, sd2, n2 = boxes(300, 6)
    low, high = welch_range(difference, sd1, n1, sd2, n2)
    steps = np.linspace(0.0, 1.0, 2001)[:, None]
    for end, distance in enumerate(reversed(distance_range(*difference))):
        extremes = []
        for fixed, along in ((sd1, sd2), (sd2, sd1)):
            varying = along[0] + (along[1] - along[0]) * steps
            s, t = (fixed[end], varying) if fixed is sd1 else (varying, fixed[end])
            extremes.append(WELCH.at_point(distance, s, n1, t, n2))
        points = np.concatenate(extremes)
        found = points.min(axis=0) if end == 0 else points.max(axis=0)
        assert np.allclose(found, low if end == 0 else high, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("test", [STUDENT, WELCH], ids=["student", "welch"])
def test_touching_a_range_of_p_is_decided_as_by_its_ends(test: TTest) -> None:
    rng = np.random.default_rng(7)
    for seed in range(2):
        box = boxes(500, seed)
        low, high = test.over_box(*box)
        # Thresholds near the ends of some box, where the decision is hard, and anywhere.
        ends = np.concatenate([low, high, [0.0, 1.0, 0.05, 1e-7]])
        for least, width in zip(
            rng.choice(ends, 6), (0.0, 1e-9, 1e-4, 1e-2, 0.3, 1.0), strict=True
        ):
            found = touches(test, *box, (least, least + width))
            exact = (low <= least + width) & (high >= least)
            clear = np.minimum(np.abs(low - least - width), np.abs(high - least)) > 2e-5
            assert np.array_equal(found[clear], exact[clear])


def test_sizes_are_those_of_dense_edges_and_come_much_faster() -> None:
    """A change of 496 attainable pairs against one comparator, as the article has them."""
    rng = np.random.default_rng(8)
    mean, sd = np.repeat(np.arange(-8.5, -7.5, 0.04), 20), np.tile(np.linspace(8.25, 8.35, 20), 25)
    difference, sizes = (mean + 3.35, mean + 3.45), np.arange(2, 169)
    own, other = (sd, sd), (np.array([7.115]), np.array([7.125]))
    for test in (STUDENT, WELCH):
        seconds = []
        for p in rng.uniform(0.0005, 0.2, 1):
            start = time.process_time()
            found = touches(test, difference, own, 25, other, sizes[:, None], (p, p + 0.001))
            middle = time.process_time()
            dense = reachable(test, difference, own, 25, other, sizes, p, p + 0.001)
            seconds.append((middle - start, time.process_time() - middle))
            # The dense bounds are a little wide, and the ends of p may lie on a box's own.
            assert not np.any(found & ~dense)
            assert np.mean(found == dense) > 0.999
            assert np.sum(found.any(axis=1) != dense.any(axis=1)) <= 2
        if test is WELCH:
            assert sum(slow for _, slow in seconds) > 25 * sum(fast for fast, _ in seconds)
