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
"""Points at which the edges of a box are searched for the extremes of Welch's p."""


def p_from_t(difference: ArrayLike, error: ArrayLike, df: ArrayLike) -> FloatArray:
    """Return the two-sided p of a difference, its standard error and degrees of freedom.

    A standard error of zero gives p = 0 for any difference and p = 1 for none.
    """
    diff, se = np.broadcast_arrays(
        np.abs(np.asarray(difference, float)), np.asarray(error, float)
    )
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
    total = v1 + v2
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(
            total > 0, total**2 / (v1**2 / (a - 1) + v2**2 / (b - 1)), a + b - 2
        )
    return p_from_t(difference, np.sqrt(total), df)


def one_sample_p(difference: ArrayLike, sd: ArrayLike, n: ArrayLike) -> FloatArray:
    """Return p of the one-sample t test; on changes, of the paired t test."""
    size = np.asarray(n, float)
    return p_from_t(difference, np.asarray(sd, float) / np.sqrt(size), size - 1)


def distance_range(low: ArrayLike, high: ArrayLike) -> Range:
    """Return the least and greatest distance from zero within a range that may contain zero."""
    lo, hi = np.asarray(low, float), np.asarray(high, float)
    nearest = np.where((lo <= 0) & (hi >= 0), 0.0, np.minimum(np.abs(lo), np.abs(hi)))
    return nearest, np.maximum(np.abs(lo), np.abs(hi))


def student_range(
    difference: Range, sd1: Range, n1: ArrayLike, sd2: Range, n2: ArrayLike
) -> Range:
    """Return the least and greatest Student p over a box.

    p falls with the distance between the means and rises with either SD, so two corners suffice.
    """
    near, far = distance_range(*difference)
    return (
        student_p(far, sd1[0], n1, sd2[0], n2),
        student_p(near, sd1[1], n1, sd2[1], n2),
    )


def welch_range(
    difference: Range, sd1: Range, n1: ArrayLike, sd2: Range, n2: ArrayLike
) -> Range:
    """Return the least and greatest Welch p over a box.

    Welch's degrees of freedom depend on the ratio of the variances alone and are not monotone in
    either. Scaling both SDs together leaves them as they are and moves p one way, so the least p
    lies on an edge where one SD is least and the greatest where one is greatest; each such edge is
    searched point by point.
    """
    near, far = distance_range(*difference)
    a, b = np.asarray(n1, float)[..., None], np.asarray(n2, float)[..., None]
    edge1, edge2 = _along(sd1), _along(sd2)
    found: list[FloatArray] = []
    for end, distance, sign in ((0, far, -1.0), (1, near, 1.0)):
        d = np.asarray(distance, float)[..., None]
        first = welch_p(d, np.asarray(sd1[end], float)[..., None], a, edge2, b)
        second = welch_p(d, edge1, a, np.asarray(sd2[end], float)[..., None], b)
        found.append(
            sign * np.maximum(_greatest(sign * first), _greatest(sign * second))
        )
    return np.maximum(found[0], 0.0), np.minimum(found[1], 1.0)


def _greatest(values: FloatArray) -> FloatArray:
    """Return an upper bound of a smooth curve's greatest value from points along it.

    A peak between two points cannot pass the higher one by more than that one differs from its
    neighbours, so this allowance is added for a peak inside.
    """
    at = np.argmax(values, axis=-1, keepdims=True)
    last = values.shape[-1] - 1
    top = np.take_along_axis(values, at, axis=-1)
    before = np.take_along_axis(values, np.maximum(at - 1, 0), axis=-1)
    after = np.take_along_axis(values, np.minimum(at + 1, last), axis=-1)
    inside = (at > 0) & (at < last)
    allowance = np.where(inside, np.maximum(top - before, top - after), 0.0)
    return np.asarray((top + allowance)[..., 0], dtype=float)


def _along(ends: Range) -> FloatArray:
    """Return points from one end to the other on a new last axis; one point if they coincide."""
    low, high = (
        np.asarray(ends[0], float)[..., None],
        np.asarray(ends[1], float)[..., None],
    )
    if np.array_equal(low, high):
        return low
    return low + (high - low) * np.linspace(0.0, 1.0, EDGE_POINTS)
