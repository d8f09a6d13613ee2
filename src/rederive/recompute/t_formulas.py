"""Two-sided p values of the t tests from means, SDs and sizes, over boxes of inputs.

All functions take floats or NumPy arrays and broadcast. Formulas: Student (1908) with pooled
variance; Welch (1947) with the Welch-Satterthwaite degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Range = tuple[FloatArray, FloatArray]
Ends = tuple[float, float]
"""Least and greatest value of a figure."""

TOLERANCE = 1e-6
"""How far the range of Welch's p may be exceeded, as a share of its end."""

MOST_HALVINGS = 50
"""Most halvings of an edge; more than the tolerance ever needs."""

_CUTS = np.append(0.0, 8.0 ** np.arange(-7, 1))
"""Where an edge is cut at first, as shares of it from the end where p is extreme if it rises."""

TABLE_SIZE = 512
"""Degrees of freedom for which critical values are tabled."""

TABLE_SLACK = 1e-7
"""Relative error allowed to a critical value."""


def p_from_t(difference: ArrayLike, error: ArrayLike, df: ArrayLike) -> FloatArray:
    """Return the two-sided p of a difference, its standard error and degrees of freedom.

    A standard error of zero gives p = 0 for any difference and p = 1 for none; NaN gives NaN.
    """
    diff, se = np.broadcast_arrays(np.abs(np.asarray(difference, float)), np.asarray(error, float))
    return np.asarray(2.0 * stdtr(np.asarray(df, float), -_ratio(diff, se)), dtype=float)


def _ratio(distance: FloatArray, error: FloatArray) -> FloatArray:
    """Return t; infinity for an error of zero, or zero where there is no distance either.

    What is not known stays unknown.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.asarray(distance / error)
    return np.where((distance == 0) & (error == 0), 0.0, t)


def student_error(sd1: ArrayLike, n1: ArrayLike, sd2: ArrayLike, n2: ArrayLike) -> Range:
    """Return the standard error of a difference, both variances pooled, and its df."""
    a, b = np.asarray(n1, float), np.asarray(n2, float)
    df = a + b - 2
    squares = (a - 1) * np.square(sd1) + (b - 1) * np.square(sd2)
    return np.sqrt(squares * ((1 / a + 1 / b) / df)), df


def welch_error(sd1: ArrayLike, n1: ArrayLike, sd2: ArrayLike, n2: ArrayLike) -> Range:
    """Return the standard error of a difference with a variance for each group, and Welch's df."""
    a, b = np.asarray(n1, float), np.asarray(n2, float)
    v1, v2 = np.square(sd1) / a, np.square(sd2) / b
    return np.sqrt(v1 + v2), welch_df(v1, a, v2, b)


def welch_df(v1: FloatArray, n1: ArrayLike, v2: FloatArray, n2: ArrayLike) -> FloatArray:
    """Return the Welch-Satterthwaite degrees of freedom from the variances of the two means.

    Where both variances are zero they are n1 + n2 - 2, their greatest value.
    """
    a, b = np.asarray(n1, float), np.asarray(n2, float)
    total = np.asarray(v1 + v2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = v1 / total
        df = 1 / (share**2 / (a - 1) + (1 - share) ** 2 / (b - 1))
    return np.asarray(np.where(total > 0, df, a + b - 2), dtype=float)


def one_sample_error(sd: ArrayLike, n: ArrayLike) -> Range:
    """Return the standard error of a mean, and its df."""
    size = np.asarray(n, float)
    return np.asarray(sd, float) / np.sqrt(size), size - 1


def difference_range(first: Ends, second: Ends) -> Ends:
    """Return the least and greatest difference of two values that lie in ranges."""
    return first[0] - second[1], first[1] - second[0]


def distance_range(low: ArrayLike, high: ArrayLike) -> Range:
    """Return the least and greatest distance from zero within a range that may contain zero."""
    lo, hi = np.asarray(low, float), np.asarray(high, float)
    nearest = np.where((lo <= 0) & (hi >= 0), 0.0, np.minimum(np.abs(lo), np.abs(hi)))
    return nearest, np.maximum(np.abs(lo), np.abs(hi))


def one_sample_range(difference: Ends | Range, sd: Ends | Range, n: ArrayLike) -> Range:
    """Return the least and greatest p of the one-sample t test over a box."""
    near, far = distance_range(*difference)
    low, high = (one_sample_error(end, n) for end in sd)
    return p_from_t(far, *low), p_from_t(near, *high)


def student_range(difference: Range, sd1: Range, n1: ArrayLike, sd2: Range, n2: ArrayLike) -> Range:
    """Return the least and greatest Student p over a box.

    p falls with the distance between the means and rises with either SD, so two corners suffice.
    """
    near, far = distance_range(*difference)
    low, high = (student_error(sd1[end], n1, sd2[end], n2) for end in (0, 1))
    return p_from_t(far, *low), p_from_t(near, *high)


def welch_range(difference: Range, sd1: Range, n1: ArrayLike, sd2: Range, n2: ArrayLike) -> Range:
    """Return the least and greatest Welch p over a box.

    Scaling both variances of the means by one factor leaves the degrees of freedom as they are and
    moves p one way, so the least p lies on an edge where one of them is least, the greatest where
    one is greatest. Along an edge the degrees of freedom rise as long as the variance that varies,
    divided by its n - 1, is the smaller one, and fall from there on. Where they fall, p rises with
    the variance, and an end of the edge is extreme; where they rise, the extreme may lie inside and
    is closed in on by halving. The result encloses the range, by no more than :data:`TOLERANCE`.
    """
    near, far = distance_range(*difference)
    inputs = np.broadcast_arrays(
        near, far, *(np.asarray(v, float) for v in (*sd1, n1, *sd2, n2)), subok=False
    )
    d_near, d_far, s1, t1, a, s2, t2, b = (each.ravel() for each in inputs)
    v1, v2 = (s1**2 / a, t1**2 / a), (s2**2 / b, t2**2 / b)
    found = []
    for end, distance, sign in ((0, d_far, 1.0), (1, d_near, -1.0)):
        corner = p_from_t(distance, np.sqrt(v1[end] + v2[end]), welch_df(v1[end], a, v2[end], b))
        edges = (
            _least_on_edge(sign, distance, v1[end], a, v2, b),
            _least_on_edge(sign, distance, v2[end], b, v1, a),
        )
        least = np.minimum(sign * corner, np.minimum(*edges))
        found.append(np.clip(sign * least, 0.0, 1.0).reshape(inputs[0].shape))
    return found[0], found[1]


def _least_on_edge(
    sign: float,
    distance: FloatArray,
    fixed: FloatArray,
    n_fixed: FloatArray,
    ends: Range,
    n: FloatArray,
) -> FloatArray:
    """Return the least of p (of -p for sign -1) where the degrees of freedom rise along an edge.

    One variance of a mean is fixed, the other runs between its ends. On a piece of the edge p is
    at least that of the lower variance with the degrees of freedom of the upper one.
    """

    def p(at: IntArray, error: FloatArray, df: FloatArray) -> FloatArray:
        freedom = welch_df(fixed[at], n_fixed[at], df, n[at])
        return sign * p_from_t(distance[at], np.sqrt(fixed[at] + error), freedom)

    at = np.arange(len(fixed))
    low = ends[0]
    high = np.maximum(low, np.minimum(ends[1], fixed * (n - 1) / (n_fixed - 1)))
    least = np.minimum(p(at, low, low), p(at, high, high))
    bound = least.copy()
    at = np.flatnonzero(low < high)
    # p nearly always rises along the edge; then such pieces are short enough at once.
    cuts = (low if sign > 0 else high)[at, None] + sign * (high - low)[at, None] * _CUTS
    cuts = np.sort(np.clip(cuts, low[at, None], high[at, None]), axis=1)
    cuts[:, 0], cuts[:, -1] = low[at], high[at]
    low, high = cuts[:, :-1].ravel(), cuts[:, 1:].ravel()
    at = np.repeat(at, len(_CUTS) - 1)
    for _ in range(MOST_HALVINGS):
        if not len(at):
            break
        of_piece = p(at, low, high) if sign > 0 else p(at, high, low)
        wide = of_piece < least[at] - TOLERANCE * np.abs(least[at])
        np.minimum.at(bound, at[~wide], of_piece[~wide])
        at, low, high = at[wide], low[wide], high[wide]
        middle = (low + high) / 2
        np.minimum.at(least, at, p(at, middle, middle))
        at = np.concatenate([at, at])
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    np.minimum.at(bound, at, p(at, low, high) if sign > 0 else p(at, high, low))
    return bound


def welch_df_reach(sd1: Range, n1: ArrayLike, sd2: Range, n2: ArrayLike) -> Range:
    """Return the most df where p may lie below that of the least SDs, and the fewest beside.

    Beyond the corner of the least p the degrees of freedom rise only while the smaller of the two
    variances over n - 1 rises to the other; beyond that of the greatest p they are fewest at the
    two neighbouring corners.
    """
    a, b = np.asarray(n1, float), np.asarray(n2, float)
    (low1, high1), (low2, high2) = (
        (np.square(sd[0]) / n, np.square(sd[1]) / n) for sd, n in ((sd1, a), (sd2, b))
    )
    raised1 = np.clip(low2 * ((a - 1) / (b - 1)), low1, high1)
    raised2 = np.clip(low1 * ((b - 1) / (a - 1)), low2, high2)
    most = np.maximum(welch_df(raised1, a, low2, b), welch_df(low1, a, raised2, b))
    fewest = np.minimum(welch_df(high1, a, low2, b), welch_df(low1, a, high2, b))
    return most, fewest


def _critical_t(p: float, most_df: float) -> Callable[[FloatArray], Range]:
    """Return a function that encloses the critical t of a two-sided p by degrees of freedom.

    Critical values fall with the degrees of freedom, so those of a table enclose all between.
    """
    ratio = math.log(max(most_df, 2.0)) / (TABLE_SIZE - 1)
    table = np.full(TABLE_SIZE, math.inf if p <= 0 else 0.0)
    if 0 < p < 1:
        table = -stdtrit(np.exp(ratio * np.arange(TABLE_SIZE)), p / 2)

    def enclose(df: FloatArray) -> Range:
        place = np.clip(np.log(df) / ratio, 0, TABLE_SIZE - 2).astype(np.intp)
        return table[place + 1] * (1 - TABLE_SLACK), table[place] * (1 + TABLE_SLACK)

    return enclose


def touches(
    test: TTest,
    difference: Range,
    sd1: Range,
    n1: ArrayLike,
    sd2: Range,
    n2: ArrayLike,
    p: tuple[float, float],
) -> BoolArray:
    """Return for each box whether some of its p values lie within a range of p.

    Most boxes are decided by the statistic at two corners and a table of critical values; p is
    worked out for the rest.
    """
    near, far = distance_range(*difference)
    errors, df = zip(*(test.error(sd1[end], n1, sd2[end], n2) for end in (0, 1)), strict=True)
    greatest, least = _ratio(far, errors[0]), _ratio(near, errors[1])
    most, fewest = df if test.df_reach is None else test.df_reach(sd1, n1, sd2, n2)
    fewest = np.minimum(fewest, df[1])
    most_df = float(np.max(np.asarray(n1, float) + np.asarray(n2, float)))
    below, above = _critical_t(p[1], most_df), _critical_t(p[0], most_df)
    reached = (greatest >= below(df[0])[1]) & (least <= above(df[1])[0])
    missed = (greatest < below(most)[0]) | (least > above(fewest)[1])
    found = np.asarray(reached)
    at = np.nonzero(~(reached | missed))
    if len(at[0]):
        box = (np.broadcast_to(v, found.shape)[at] for v in (*difference, *sd1, n1, *sd2, n2))
        d0, d1, s0, s1, a, t0, t1, b = box
        low, high = test.over_box((d0, d1), (s0, s1), a, (t0, t1), b)
        found[at] = (low <= p[1]) & (high >= p[0])
    return found


@dataclass(frozen=True, slots=True)
class TTest:
    """One way to test a mean, or two: its standard error with df, and the range of p over a box.

    ``df_reach`` are the most and the fewest df of a box, where they depend on the SDs.
    """

    name: str
    error: Callable[..., Range]
    over_box: Callable[..., Range]
    df_reach: Callable[..., Range] | None = None

    def at_point(self, difference: ArrayLike, *sds_and_sizes: ArrayLike) -> FloatArray:
        """Return p of a difference, with the SD and the size of each group."""
        return p_from_t(difference, *self.error(*sds_and_sizes))


PAIRED = TTest("paired t", one_sample_error, one_sample_range)
STUDENT = TTest("Student t (pooled variance)", student_error, student_range)
WELCH = TTest("Welch t", welch_error, welch_range, welch_df_reach)

TESTS = {"student": STUDENT, "welch": WELCH}
"""The two-sample tests by the name that settings give them."""
