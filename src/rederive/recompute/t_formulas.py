"""Two-sided p values of the t tests from means, SDs and sizes, over boxes of inputs.

All functions take floats or NumPy arrays and broadcast. Formulas: Student (1908) with pooled
variance; Welch (1947) with the Welch-Satterthwaite degrees of freedom.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

FloatArray = NDArray[np.float64]
Range = tuple[FloatArray, FloatArray]

EDGE_POINTS = 33
"""Points that cut the edges of a box into pieces on which Welch's p is bounded."""


def p_from_t(difference: ArrayLike, error: ArrayLike, df: ArrayLike) -> FloatArray:
    """Return the two-sided p of a difference, its standard error and degrees of freedom.

    A standard error of zero gives p = 0 for any difference and p = 1 for none.
    """
    diff, se = np.broadcast_arrays(np.abs(np.asarray(difference, float)), np.asarray(error, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(se > 0, diff / se, np.where(diff > 0, np.inf, 0.0))
    return np.asarray(2.0 * stdtr(np.asarray(df, float), -t), dtype=float)


def student_p(
    difference: ArrayLike, sd1: ArrayLike, n1: ArrayLike, sd2: ArrayLike, n2: ArrayLike
) -> FloatArray:
    """Return p of Student's two-sample t test with pooled variance."""
    a, b = np.asarray(n1, float), np.asarray(n2, float)
    df = a + b - 2
    pooled = ((a - 1) * np.square(sd1) + (b - 1) * np.square(sd2)) / df
    return p_from_t(difference, np.sqrt(pooled * (1 / a + 1 / b)), df)


def welch_p(
    difference: ArrayLike, sd1: ArrayLike, n1: ArrayLike, sd2: ArrayLike, n2: ArrayLike
) -> FloatArray:
    """Return p of Welch's two-sample t test."""
    a, b = np.asarray(n1, float), np.asarray(n2, float)
    v1, v2 = np.square(sd1) / a, np.square(sd2) / b
    return p_from_t(difference, np.sqrt(v1 + v2), welch_df(v1, a, v2, b))


def welch_df(v1: FloatArray, n1: ArrayLike, v2: FloatArray, n2: ArrayLike) -> FloatArray:
    """Return the Welch-Satterthwaite degrees of freedom from the variances of the two means.

    Where both variances are zero they are n1 + n2 - 2, their greatest value.
    """
    a, b = np.asarray(n1, float), np.asarray(n2, float)
    greatest = np.maximum(v1, v2)
    with np.errstate(divide="ignore", invalid="ignore"):
        w1, w2 = v1 / greatest, v2 / greatest
        df = (w1 + w2) ** 2 / (w1**2 / (a - 1) + w2**2 / (b - 1))
    return np.asarray(np.where(greatest > 0, df, a + b - 2), dtype=float)


def one_sample_p(difference: ArrayLike, sd: ArrayLike, n: ArrayLike) -> FloatArray:
    """Return p of the one-sample t test; on changes, of the paired t test."""
    size = np.asarray(n, float)
    return p_from_t(difference, np.asarray(sd, float) / np.sqrt(size), size - 1)


def distance_range(low: ArrayLike, high: ArrayLike) -> Range:
    """Return the least and greatest distance from zero within a range that may contain zero."""
    lo, hi = np.asarray(low, float), np.asarray(high, float)
    nearest = np.where((lo <= 0) & (hi >= 0), 0.0, np.minimum(np.abs(lo), np.abs(hi)))
    return nearest, np.maximum(np.abs(lo), np.abs(hi))


def student_range(difference: Range, sd1: Range, n1: ArrayLike, sd2: Range, n2: ArrayLike) -> Range:
    """Return the least and greatest Student p over a box.

    p falls with the distance between the means and rises with either SD, so two corners suffice.
    """
    near, far = distance_range(*difference)
    return (
        student_p(far, sd1[0], n1, sd2[0], n2),
        student_p(near, sd1[1], n1, sd2[1], n2),
    )


def welch_range(difference: Range, sd1: Range, n1: ArrayLike, sd2: Range, n2: ArrayLike) -> Range:
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
