"""Simple regressions, one predictor at a time, in every cohort at once.

Patients without the outcome or the predictor are left out. A table has a status for each row; where
it is not ``ok`` there is no estimate, and p is NaN rather than a number that means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri, stdtr, stdtrit

from rederive.retrospective.describe import check_flag
from rederive.retrospective.keys import BoolArray, FloatArray, Grid, Moments, is_constant, over

MAXIMUM_STEPS = 100
"""Newton steps before a logistic regression counts as not converged; most need fewer than ten."""


def linear(outcome: pd.Series[Any], predictor: pd.Series[Any] | pd.DataFrame) -> pd.DataFrame:
    """Return the simple linear regression of an outcome on a number, one row per cohort.

    Parameters
    ----------
    outcome, predictor : Series
        Numbers by patient (or cohort and patient). Of a DataFrame each column is a predictor by
        itself, which the table then names first.

    Returns
    -------
    DataFrame
        Columns n, intercept, slope, se, low, high (of the slope, at 95 % confidence), t, p and
        status: ``ok``, ``too few patients`` (below 3), ``constant predictor``, ``constant outcome``
        or ``exact fit``. An exact fit has its slope, but no p.
    """
    grid = Grid.of(outcome.index)
    y, x = _complete(grid, outcome, predictor)
    about_x, about_y = Moments.of(x), Moments.of(y)
    n = about_x.n
    dx, dy = (np.nan_to_num(z - m.mean[:, None]) for z, m in ((x, about_x), (y, about_y)))
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
    width = stdtrit(n - 2, 0.975) * se
    return _table(
        grid,
        predictor,
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
        },
    )


def logistic(flag: pd.Series[Any], predictor: pd.Series[Any] | pd.DataFrame) -> pd.DataFrame:
    """Return the simple logistic regression of a flag on a number, one row per cohort.

    Parameters
    ----------
    flag : Series
        1 or 0 by patient (or cohort and patient).
    predictor : Series or DataFrame
        Numbers, or flags, by the same keys; of a DataFrame as for :func:`linear`.

    Returns
    -------
    DataFrame
        Columns n, events, intercept, slope, se (of the slope, a log odds ratio), odds_ratio, low,
        high (at 95 % confidence), z, p (all Wald's) and status: ``ok``, ``no patients``, ``constant
        outcome``, ``constant predictor``, ``separated`` (the predictor parts the outcomes, so that
        there is no finite estimate; a two-by-two table with an empty cell is a case of it) or ``not
        converged``.

    Raises
    ------
    ValueError
        If the outcome has another value than 0 and 1.
    """
    grid = Grid.of(flag.index)
    y, x = _complete(grid, flag, predictor)
    check_flag(y, flag.name)
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
    width = ndtri(0.975) * se
    z = over(slope, se)
    with np.errstate(over="ignore"):
        ratio, low, high = (np.exp(slope + sign * width) for sign in (0, -1, 1))
    return _table(
        grid,
        predictor,
        {
            "n": n,
            "events": events,
            "intercept": intercept,
            "slope": slope,
            "se": se,
            "odds_ratio": ratio,
            "low": low,
            "high": high,
            "z": z,
            "p": 2 * ndtr(-np.abs(z)),
            "status": status,
        },
    )


def _complete(
    grid: Grid, outcome: pd.Series[Any], predictor: pd.Series[Any] | pd.DataFrame
) -> tuple[FloatArray, FloatArray]:
    """Return outcome and predictor by row, predictor after predictor, NaN where either has one."""
    each = predictor.to_frame() if isinstance(predictor, pd.Series) else predictor
    x = np.concatenate([grid.spread(each[name]) for name in each])
    y = np.tile(grid.spread(outcome), (len(each.columns), 1))
    missing = np.isnan(x) | np.isnan(y)
    return np.where(missing, np.nan, y), np.where(missing, np.nan, x)


def _table(
    grid: Grid, predictor: pd.Series[Any] | pd.DataFrame, columns: Mapping[str, Any]
) -> pd.DataFrame:
    """Return a table by cohort or, of several predictors, by predictor and cohort."""
    if isinstance(predictor, pd.Series):
        return grid.table(columns)
    number = len(predictor.columns)
    table = pd.DataFrame({"predictor": np.repeat(predictor.columns, grid.shape[0]), **columns})
    if grid.cohorts is not None:
        table.insert(1, "cohort", np.tile(grid.cohorts, number))
    return table


def _separated(y: FloatArray, x: FloatArray) -> BoolArray:
    """Return where a cut of the predictor parts zeros from ones, values on the cut aside.

    With one predictor that is where no finite maximum of the likelihood exists (Albert and
    Anderson 1984, complete and quasi-complete separation).
    """
    zeros, ones = np.where(y == 0, x, np.nan), np.where(y == 1, x, np.nan)
    (least0, most0), (least1, most1) = (
        (np.fmin.reduce(x, axis=1), np.fmax.reduce(x, axis=1)) for x in (zeros, ones)
    )
    return np.asarray((most0 <= least1) | (most1 <= least0), dtype=bool)


def _newton(y: FloatArray, x: FloatArray) -> FloatArray:
    """Return intercept, slope and the slope's standard error, shape (3, cohorts).

    Newton's method on the standardised predictor, a step halved while it lowers the likelihood;
    NaN where it has not converged. Rows that have are left alone.
    """
    about = Moments.of(x)
    known = ~np.isnan(y)
    weight = known.astype(float)
    z = np.where(known, (x - about.mean[:, None]) / about.sd[:, None], 0.0)
    ones = np.where(known, y, 0.0)
    found = np.full((3, len(y)), np.nan)
    rows = np.arange(len(y))

    def likelihood(coefficients: FloatArray) -> FloatArray:
        eta = coefficients[0][:, None] + coefficients[1][:, None] * z
        terms = ones * eta - weight * np.logaddexp(0.0, eta)
        return np.asarray(terms.sum(axis=1), dtype=float)

    share = ones.sum(axis=1) / weight.sum(axis=1)
    beta = np.stack([np.log(share / (1 - share)), np.zeros(len(share))])
    reached = likelihood(beta)
    for _ in range(MAXIMUM_STEPS):
        fitted = expit(beta[0][:, None] + beta[1][:, None] * z)
        gap, w = weight * (ones - fitted), weight * fitted * (1 - fitted)
        a, b, c = w.sum(axis=1), (w * z).sum(axis=1), (w * z * z).sum(axis=1)
        g, h = gap.sum(axis=1), (gap * z).sum(axis=1)
        determinant = a * c - b * b
        step = np.stack([c * g - b * h, a * h - b * g]) / determinant
        done = np.abs(step).max(axis=0) < 1e-10
        found[:, rows[done]] = [*(beta + step)[:, done], (determinant / a)[done]]
        if done.all():
            break
        weight, z, ones, rows = (each[~done] for each in (weight, z, ones, rows))
        beta, step, reached = beta[:, ~done], step[:, ~done], reached[~done]
        scale = np.ones(len(rows))
        for _ in range(30):
            candidate = likelihood(beta + scale * step)
            worse = candidate < reached - 1e-12 * np.abs(reached)
            if not worse.any():
                break
            scale = np.where(worse, scale / 2, scale)
        beta, reached = beta + scale * step, candidate
    slope = found[1] / about.sd
    return np.stack([found[0] - slope * about.mean, slope, 1 / np.sqrt(found[2]) / about.sd])
