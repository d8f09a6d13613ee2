"""Simple regressions, one predictor at a time, in every cohort at once.

Patients without the outcome or the predictor are left out. A table has a status for each row; where
it is not ``ok`` there is no estimate, and p is NaN rather than a number that means nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, expit, fdtrc, ndtr, ndtri, stdtr, xlogy

from rederive.retrospective.describe import category_levels
from rederive.retrospective.keys import (
    BoolArray,
    FloatArray,
    Grid,
    Moments,
    is_constant,
    over,
    row_maximum,
    row_minimum,
    unknown,
)
from rederive.retrospective.paired import critical_t

MAXIMUM_STEPS = 100
"""Newton steps before a logistic regression counts as not converged; most need fewer than ten."""


def linear(
    outcome: pd.Series[Any], predictor: pd.Series[Any], confidence: float = 0.95
) -> pd.DataFrame:
    """Return the simple linear regression of an outcome on a number, one row per cohort.

    Parameters
    ----------
    outcome, predictor : Series
        Numbers by patient (or cohort and patient).
    confidence : float
        Level of the confidence interval of the slope.

    Returns
    -------
    DataFrame
        Columns n, intercept, slope, se, low, high, t, p and status: ``ok``, ``too few patients``
        (below 3), ``constant predictor``, ``constant outcome`` or ``exact fit``. An exact fit has
        its slope, but no p.
    """
    grid = Grid.of(outcome.index)
    y, x = _complete(grid.spread(outcome), grid.spread(predictor))
    about_x, about_y = Moments.of(x), Moments.of(y)
    n = about_x.n
    dx, dy = _centred(x, about_x), _centred(y, about_y)
    sxx, syy = (dx**2).sum(axis=1), (dy**2).sum(axis=1)
    slope = over((dx * dy).sum(axis=1), np.where(is_constant(x), 0.0, sxx))
    residual = ((dy - np.nan_to_num(slope)[:, None] * dx) ** 2).sum(axis=1)
    status = np.select(
        [n < 3, is_constant(x), is_constant(y), residual <= 1e-20 * syy],
        ["too few patients", "constant predictor", "constant outcome", "exact fit"],
        "ok",
    )
    fitted = status == "ok"
    se = np.where(fitted, np.sqrt(over(over(residual, n - 2), sxx)), np.nan)
    slope = np.where(fitted | (status == "exact fit"), slope, np.nan)
    t = over(slope, se)
    width = critical_t(confidence, n - 2) * se
    return grid.table(
        {
            "n": n,
            "intercept": about_y.mean - slope * about_x.mean,
            "slope": slope,
            "se": se,
            "low": slope - width,
            "high": slope + width,
            "t": t,
            "p": 2 * stdtr(np.where(fitted, n - 2, np.nan), -np.abs(t)),
            "status": status,
        }
    )


def logistic(
    flag: pd.Series[Any], predictor: pd.Series[Any], confidence: float = 0.95
) -> pd.DataFrame:
    """Return the simple logistic regression of a flag on a number, one row per cohort.

    Parameters
    ----------
    flag : Series
        1 or 0 by patient (or cohort and patient).
    predictor : Series
        Numbers, or flags, by the same keys.
    confidence : float
        Level of Wald's confidence interval of the odds ratio.

    Returns
    -------
    DataFrame
        Columns n, events, intercept, slope, se (of the slope, a log odds ratio), odds_ratio, low,
        high, z, p (Wald's) and status: ``ok``, ``no patients``, ``constant outcome``, ``constant
        predictor``, ``separated`` (the predictor parts the outcomes, so that there is no finite
        estimate; a two-by-two table with an empty cell is a case of it) or ``not converged``.

    Raises
    ------
    ValueError
        If the outcome has another value than 0 and 1, or the level is not between 0 and 1.
    """
    grid = Grid.of(flag.index)
    y, x = _complete(grid.spread(flag), grid.spread(predictor))
    _check_flag(y, flag.name)
    n = (~np.isnan(y)).sum(axis=1)
    events = (y == 1).sum(axis=1)
    status = np.select(
        [n == 0, (events == 0) | (events == n), is_constant(x), _separated(y, x)],
        ["no patients", "constant outcome", "constant predictor", "separated"],
        "ok",
    )
    estimable = status == "ok"
    estimates = np.full((3, len(n)), np.nan)
    estimates[:, estimable] = _newton(y[estimable], x[estimable])
    intercept, slope, se = estimates
    status = np.where(estimable & np.isnan(se), "not converged", status)
    return grid.table({"n": n, "events": events, **_odds(intercept, slope, se, confidence, status)})


def logistic_levels(
    flag: pd.Series[Any],
    category: pd.Series[Any],
    reference: Any,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the logistic regression of a flag on a category, one row per cohort and level.

    The model has one dummy per level. Its estimates are those of the two-by-two tables of each
    level against the reference, so a level that is separated leaves the others as they are.

    Parameters
    ----------
    flag : Series
        1 or 0 by patient (or cohort and patient).
    category : Series
        Categories by the same keys.
    reference : object
        The level that the others are compared with.
    confidence : float
        Level of Wald's confidence intervals.

    Returns
    -------
    DataFrame
        Columns level, then as `logistic` (n and events of the level and the reference together),
        and p_all: the likelihood-ratio p over all levels that occur, NaN where only one does or
        the outcome is constant.

    Raises
    ------
    ValueError
        If there is no such reference, or as `logistic`.
    """
    grid = Grid.of(flag.index)
    code, levels = _codes(grid, category, reference)
    y, code = _complete(grid.spread(flag), code)
    _check_flag(y, flag.name)
    p_all = _likelihood_ratio_p(y, code, len(levels))
    tables = []
    for place, level in enumerate(levels):
        if level == reference:
            continue
        dummy = np.select([code == place, code == levels.index(reference)], [1.0, 0.0], np.nan)
        pair = logistic(grid.gather(y, "flag"), grid.gather(dummy, "dummy"), confidence)
        tables.append(pair.assign(level=level, p_all=p_all))
    return _by_level(grid, tables)


def linear_levels(
    outcome: pd.Series[Any],
    category: pd.Series[Any],
    reference: Any,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the linear regression of an outcome on a category, one row per cohort and level.

    The model has one dummy per level; slopes are differences of the levels' means from the mean of
    the reference, with the residual variance of all levels.

    Parameters
    ----------
    outcome : Series
        Numbers by patient (or cohort and patient).
    category, reference, confidence
        As for `logistic_levels`.

    Returns
    -------
    DataFrame
        Columns level, n (patients of the level), slope, se, low, high, t, p, p_all (of the F test
        over all levels that occur) and status: ``ok``, ``no patients`` (of the level or of the
        reference), ``too few patients`` (no more than levels) or ``exact fit``.

    Raises
    ------
    ValueError
        If there is no such reference, or the level is not between 0 and 1.
    """
    grid = Grid.of(outcome.index)
    code, levels = _codes(grid, category, reference)
    y, code = _complete(grid.spread(outcome), code)
    groups = [Moments.of(np.where(code == place, y, np.nan)) for place in range(len(levels))]
    sizes = np.array([group.n for group in groups])
    residual = np.nansum([(group.n - 1) * group.sd**2 for group in groups], axis=0)
    total = Moments.of(y)
    used = (sizes > 0).sum(axis=0)
    df = total.n - used
    exact = np.all([(group.n < 2) | (group.sd == 0) for group in groups], axis=0)
    variance = np.where(exact, np.nan, over(residual, df))
    between = np.nan_to_num((total.n - 1) * total.sd**2) - residual
    f = over(over(between, used - 1), variance)
    p_all = fdtrc(np.where(np.isnan(f), np.nan, used - 1), df, np.maximum(f, 0.0))
    base = groups[levels.index(reference)]
    tables = []
    for level, group in zip(levels, groups, strict=True):
        if level == reference:
            continue
        slope = group.mean - base.mean
        se = np.sqrt(variance * (over(1.0, group.n) + over(1.0, base.n)))
        status = np.select(
            [(group.n == 0) | (base.n == 0), df < 1, exact],
            ["no patients", "too few patients", "exact fit"],
            "ok",
        )
        t = over(slope, se)
        width = critical_t(confidence, df) * se
        columns = {
            "n": group.n,
            "slope": slope,
            "se": se,
            "low": slope - width,
            "high": slope + width,
            "t": t,
            "p": 2 * stdtr(np.where(df > 0, df, np.nan), -np.abs(t)),
            "status": status,
        }
        tables.append(grid.table(columns).assign(level=level, p_all=p_all))
    return _by_level(grid, tables)


def _complete(*arrays: FloatArray) -> tuple[FloatArray, ...]:
    """Return arrays with NaN wherever any of them has one."""
    missing = np.any([np.isnan(array) for array in arrays], axis=0)
    return tuple(np.where(missing, np.nan, array) for array in arrays)


def _centred(array: FloatArray, moments: Moments) -> FloatArray:
    """Return distances from the mean of the row, zero for NaN."""
    return np.nan_to_num(array - moments.mean[:, None])


def _check_flag(y: FloatArray, name: Any) -> None:
    other = y[~(np.isnan(y) | (y == 0) | (y == 1))]
    if other.size:
        raise ValueError(f"{name}: found {other[0]:g}, allowed: 0 and 1")


def _separated(y: FloatArray, x: FloatArray) -> BoolArray:
    """Return where a cut of the predictor parts zeros from ones, values on the cut aside.

    With one predictor that is where no finite maximum of the likelihood exists (Albert and
    Anderson 1984, complete and quasi-complete separation).
    """
    zeros, ones = np.where(y == 0, x, np.nan), np.where(y == 1, x, np.nan)
    parted = (row_maximum(zeros) <= row_minimum(ones)) | (row_maximum(ones) <= row_minimum(zeros))
    return np.asarray(parted, dtype=bool)


def _newton(y: FloatArray, x: FloatArray) -> FloatArray:
    """Return intercept, slope and the slope's standard error, shape (3, cohorts).

    Newton's method on the standardised predictor, a step halved while it lowers the likelihood;
    NaN where it has not converged.
    """
    about = Moments.of(x)
    known = ~np.isnan(y)
    weight = known.astype(float)
    z = np.where(known, (x - about.mean[:, None]) / about.sd[:, None], 0.0)
    ones = np.where(known, y, 0.0)

    def likelihood(coefficients: FloatArray) -> FloatArray:
        eta = coefficients[0][:, None] + coefficients[1][:, None] * z
        terms = ones * eta - weight * np.logaddexp(0.0, eta)
        return np.asarray(terms.sum(axis=1), dtype=float)

    share = ones.sum(axis=1) / weight.sum(axis=1)
    beta = np.stack([np.log(share / (1 - share)), np.zeros(len(share))])
    reached = likelihood(beta)
    done = np.zeros(len(share), dtype=bool)
    information = np.ones(len(share))
    for _ in range(MAXIMUM_STEPS):
        fitted = expit(beta[0][:, None] + beta[1][:, None] * z)
        gap, w = weight * (ones - fitted), weight * fitted * (1 - fitted)
        a, b, c = w.sum(axis=1), (w * z).sum(axis=1), (w * z * z).sum(axis=1)
        g, h = gap.sum(axis=1), (gap * z).sum(axis=1)
        determinant = a * c - b * b
        information = determinant / a
        step = np.stack([c * g - b * h, a * h - b * g]) / determinant
        done = np.abs(step).max(axis=0) < 1e-10
        if done.all():
            break
        scale = np.ones(len(share))
        for _ in range(30):
            candidate = likelihood(beta + scale * step)
            worse = candidate < reached - 1e-12 * np.abs(reached)
            if not worse.any():
                break
            scale = np.where(worse, scale / 2, scale)
        beta, reached = beta + scale * step, candidate
    slope = beta[1] / about.sd
    result = np.stack([beta[0] - slope * about.mean, slope, 1 / np.sqrt(information) / about.sd])
    return np.where(done, result, np.nan)


def _odds(
    intercept: FloatArray, slope: FloatArray, se: FloatArray, confidence: float, status: Any
) -> dict[str, Any]:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: found {confidence!r}, allowed: between 0 and 1")
    width = ndtri((1 + confidence) / 2) * se
    z = over(slope, se)
    with np.errstate(over="ignore"):
        ratios = [np.exp(slope + sign * width) for sign in (0, -1, 1)]
    return {
        "intercept": intercept,
        "slope": slope,
        "se": se,
        "odds_ratio": ratios[0],
        "low": ratios[1],
        "high": ratios[2],
        "z": z,
        "p": 2 * ndtr(-np.abs(z)),
        "status": status,
    }


def _codes(grid: Grid, category: pd.Series[Any], reference: Any) -> tuple[FloatArray, list[Any]]:
    """Return the place of each patient's level, shape (cohorts, patients), and the levels."""
    levels = category_levels(category)
    if reference not in levels:
        raise unknown("reference", reference, levels)
    codes = pd.Categorical(category, categories=levels).codes.astype(float)
    places = pd.Series(np.where(codes < 0, np.nan, codes), index=category.index)
    return grid.spread(places), levels


def _likelihood_ratio_p(y: FloatArray, code: FloatArray, levels: int) -> FloatArray:
    """Return p of the likelihood-ratio test of a flag's equality in all levels that occur.

    The model is saturated, so both likelihoods are those of observed shares.
    """
    n = np.stack([(code == place).sum(axis=1) for place in range(levels)]).astype(float)
    ones = np.stack([((code == place) & (y == 1)).sum(axis=1) for place in range(levels)])

    def likelihood(count: FloatArray, size: FloatArray) -> FloatArray:
        share = np.divide(count, size, out=np.zeros_like(size), where=size > 0)
        return np.asarray(xlogy(count, share) + xlogy(size - count, 1 - share), dtype=float)

    all_ones, all_n = ones.sum(axis=0).astype(float), n.sum(axis=0)
    statistic = 2 * (likelihood(ones, n).sum(axis=0) - likelihood(all_ones, all_n))
    df = (n > 0).sum(axis=0) - 1
    estimable = (df > 0) & (all_ones > 0) & (all_ones < all_n)
    p = chdtrc(np.maximum(df, 1), np.maximum(statistic, 0.0))
    return np.asarray(np.where(estimable, p, np.nan), dtype=float)


def _by_level(grid: Grid, tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Stack one table per level, levels in their order within each cohort."""
    if not tables:
        raise ValueError("a category needs another level beside the reference")
    together = pd.concat(tables, ignore_index=True)
    first = ["level"] if grid.cohorts is None else ["cohort", "level"]
    together = together[first + [name for name in together.columns if name not in first]]
    if grid.cohorts is not None:
        together = together.sort_values("cohort", kind="stable").reset_index(drop=True)
    return together
