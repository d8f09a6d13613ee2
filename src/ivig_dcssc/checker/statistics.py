"""Means, SDs and tests of the article, on plain arrays; NaN is what is unknown, and left out.

Regressions are many at once, one for each row of predictors. Sums are of whole numbers, so what
is exact stays so.
"""

from __future__ import annotations

import math
from decimal import Decimal
from operator import mul
from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtr, ndtri, stdtr

from ivig_dcssc.checker.tables import STOP_REASONS, Floats, Tables
from rederive.reconstruct.checker import EXACT

_UNIT = 10**9
"""Numbers are taken as the decimals that were written; nine are more than a measurement has."""

_STEPS = 100
_SETTLED = 1e-11


def written(values: Floats) -> Floats:
    """Return numbers in whole billionths."""
    return np.rint(values * _UNIT)


def _sums(values: Floats) -> tuple[int, int, int]:
    """Return the number of known values, their sum and that of their squares, in billionths."""
    units = [*map(int, written(values[np.isfinite(values)]).tolist())]
    return len(units), sum(units), sum(map(mul, units, units))


def mean(values: Floats) -> Decimal | None:
    """Return the mean; none of no numbers."""
    n, total, _ = _sums(values)
    return EXACT.divide(total, n * _UNIT) if n else None


def sd(values: Floats) -> Decimal | None:
    """Return the sample SD (n - 1); none of fewer than two."""
    n, total, squares = _sums(values)
    if n < 2:
        return None
    return EXACT.sqrt(EXACT.divide(n * squares - total**2, n * (n - 1) * _UNIT**2))


def paired_t_p(change: Floats) -> float | None:
    """Return the p value of the paired Student t test.

    None with fewer than two pairs, or where every change is the same.
    """
    n, total, squares = _sums(change)
    spread = n * squares - total**2
    if not spread:
        return None
    return 2 * float(stdtr(n - 1, -abs(total) * math.sqrt((n - 1) / spread)))


def signed_rank_p(change: Floats) -> float | None:
    """Return the p value of the Wilcoxon signed-rank test, as Stata computes it.

    Zero changes take part in the ranking, the approximation is normal and uncorrected (Pratt 1959,
    JASA 54:655). 1 where every change is zero; none without pairs.
    """
    units = written(change[np.isfinite(change)])
    _, place, times = np.unique(np.abs(units), return_inverse=True, return_counts=True)
    # Tied changes share the mean of their ranks; by chance each is as likely to rise as to fall.
    ranks = np.sign(units) * (np.cumsum(times) - (times - 1) / 2)[place]
    if not ranks.any():
        return 1.0 if len(ranks) else None
    return 2 * float(ndtr(-abs(ranks.sum()) / math.sqrt(ranks @ ranks)))


class OddsRatio(NamedTuple):
    """Odds ratios with their 95 % Wald intervals and p values, NaN where there is none."""

    estimate: Floats
    low: Floats
    high: Floats
    p: Floats


def logistic(outcome: Floats, predictors: Floats) -> OddsRatio:
    """Return the simple logistic regressions of an outcome (0, 1) on predictors.

    Patients without either are left out. Without a finite estimate (the outcome or the predictor
    does not vary, or a limit of the predictor separates the outcomes) all of it is NaN.

    Parameters
    ----------
    outcome : array, shape (patients,) or as the predictors
        0 or 1.
    predictors : array, shape (predictors, patients)
        One row for each regression.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    >>> logistic(y, np.array([[0.0, 0, 1, 1, 1, 1]])).estimate.round(6)
    array([1.])
    """
    outcome = np.broadcast_to(outcome, predictors.shape)
    known = np.isfinite(predictors) & np.isfinite(outcome)
    yes, no = known & (outcome == 1), known & (outcome == 0)
    (least_yes, most_yes), (least_no, most_no) = _range(predictors, yes), _range(predictors, no)
    # Where one outcome is missing, its range is empty: the least is above the most.
    exists = np.flatnonzero((most_yes > least_no) & (most_no > least_yes))
    weight, target = known[exists].astype(np.float64), yes[exists].astype(np.float64)
    deviation, scale = _standardised(predictors[exists], weight)
    powers = np.array([weight, deviation, deviation**2])
    constant, slope = np.zeros((2, len(exists), 1))
    for _ in range(_STEPS):
        fitted = weight * expit(constant + slope * deviation)
        rest, curvature = target - fitted, fitted * (1 - fitted)
        score, score_x = (powers[:2] * rest).sum(axis=2, keepdims=True)
        i, i_x, i_xx = (powers * curvature).sum(axis=2, keepdims=True)
        determinant = i * i_xx - i_x**2
        # A step too far could leave the region where the likelihood has a curvature.
        steps = np.array([i_xx * score - i_x * score_x, i * score_x - i_x * score]) / determinant
        constant, slope = np.array([constant, slope]) + np.clip(steps, -1.0, 1.0)
        if np.abs(steps).max(initial=0.0) < _SETTLED:
            break
    found = np.full((4, len(predictors)), np.nan)
    estimate, error = (slope / scale)[:, 0], (np.sqrt(i / determinant) / scale)[:, 0]
    half = ndtri(0.975) * error
    p = 2 * ndtr(-np.abs(estimate) / error)
    found[:, exists] = np.exp(estimate), np.exp(estimate - half), np.exp(estimate + half), p
    return OddsRatio(*found)


def _range(values: Floats, where: np.ndarray) -> tuple[Floats, Floats]:
    """Return the least and the greatest value of each row among some of its columns."""
    least = np.where(where, values, np.inf).min(axis=1)
    return least, np.where(where, values, -np.inf).max(axis=1)


def _standardised(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return deviations from the mean of each row in its SD, 0 where unknown, and the SDs."""
    known = np.where(weight > 0, values, 0.0)
    n = weight.sum(axis=1, keepdims=True)
    deviation = weight * (known - known.sum(axis=1, keepdims=True) / n)
    scale = np.sqrt((deviation**2).sum(axis=1, keepdims=True) / n)
    return deviation / scale, scale


def linear_p(outcome: Floats, predictors: Floats) -> Floats:
    """Return the p values of the slopes of simple linear regressions.

    Patients without either are left out. NaN where outcome or predictor does not vary, or there
    are fewer than three patients.

    Parameters
    ----------
    outcome : array, shape (patients,)
        Any numbers.
    predictors : array, shape (predictors, patients)
        One row for each regression.

    Examples
    --------
    >>> import numpy as np
    >>> linear_p(np.array([2.0, 1, 4, 3, 7]), np.array([[1.0, 2, 3, 4, 5]])).round(4)
    array([0.0668])
    """
    known = np.isfinite(predictors) & np.isfinite(outcome)
    both = np.array([np.broadcast_to(outcome, predictors.shape), predictors])
    varies = [most > least for least, most in (_range(values, known) for values in both)]
    exists = np.flatnonzero(np.all(varies, axis=0) & (known.sum(axis=1) > 2))
    weight = known[exists].astype(np.float64)
    (y, _), (x, _) = (_standardised(values[exists], weight) for values in both)
    n = weight.sum(axis=1)
    slope = (x * y).sum(axis=1, keepdims=True) / n[:, None]
    residual = ((y - slope * x) ** 2).sum(axis=1)
    with np.errstate(divide="ignore"):
        t = np.abs(slope[:, 0]) * np.sqrt(n * (n - 2) / residual)
    found = np.full(len(predictors), np.nan)
    found[exists] = 2 * stdtr(n - 2, -t)
    return found


def predictors(tables: Tables) -> dict[str, Floats]:
    """Return the variables that the article examined as predictors, by name."""
    direct = ["age_onset", "female", "disease_duration", "cycles", "treatment_length"]
    direct += [name for name in tables.patients.columns if str(name).startswith("concomitant_")]
    direct += ["antitopoisomerase", "anti_rna_polymerase_iii"]
    found = {name: tables.numbers(name) for name in direct}
    found["white"] = np.asarray(tables.words("race") == "white", np.float64)
    for word in STOP_REASONS:
        stopped = tables.words("stop_reason") == word
        found[f"stop_{word}"] = np.asarray(stopped, np.float64)
    return found
