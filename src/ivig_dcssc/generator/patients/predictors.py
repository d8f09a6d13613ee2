"""The claims that nothing predicts response or change, as tests of candidate columns.

A characteristic is put to the patients at random and kept if its p is at or above the significance
level wherever the article says so. The logistic Wald test needs a few Newton steps; the slope of a
linear regression is tested through the correlation. Compiled, since hundreds are tried a cohort.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from ivig_dcssc.generator.drawing import ATTEMPTS, Flags, Floats, Integers, alpha_of
from rederive.printed.registry import Registry

MONTHS = (6, 12)
"""Months whose response and change the article tried to predict."""

_MARGIN = 1e-6
"""Relative distance that a statistic keeps from its critical value."""

_NEWTON_STEPS = 25
_CONVERGED = 1e-9


def critical_t_squared(most: int, alpha: float) -> Floats:
    """Return the squared two-sided critical t of a slope by number of patients, 0 to most."""
    table = np.full(most + 1, np.inf)
    table[3:] = stdtrit(np.arange(1, most - 1), alpha / 2) ** 2
    return table


@numba.njit(cache=True)
def linear_t_squared(y: Floats, x: Floats) -> float:
    """Return the squared t of the slope of y on x; 0 where it does not exist."""
    if len(x) < 3:
        return 0.0
    of_x, of_y = x - x.mean(), y - y.mean()
    xx, yy, xy = (of_x * of_x).sum(), (of_y * of_y).sum(), (of_x * of_y).sum()
    if min(xx, yy) <= 1e-12:
        return 0.0
    explained = xy * xy / (xx * yy)
    return (len(x) - 2) * explained / (1 - explained) if explained < 1 else math.inf


@numba.njit(cache=True)
def logistic_z_squared(y: Flags, x: Floats) -> float:
    """Return the squared Wald z of a logistic regression of response on a flag or number.

    0 where there is no finite estimate: one of both does not vary, or a limit of the number
    separates the responders. Infinite where the iteration does not settle.
    """
    yes, no = x[y], x[~y]
    if not (yes.size and no.size) or yes.max() <= no.min() or no.max() <= yes.min():
        return 0.0
    z = (x - x.mean()) / x.std()
    outcome = y.astype(np.float64)
    constant, slope = math.log(yes.size / no.size), 0.0
    for _ in range(_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(constant + slope * z, -30, 30)))
        weight, rest = p * (1 - p), outcome - p
        i00, i01, i11 = weight.sum(), (weight * z).sum(), (weight * z * z).sum()
        determinant = i00 * i11 - i01 * i01
        if determinant <= 0:
            break
        g0, g1 = rest.sum(), (rest * z).sum()
        step = (i00 * g1 - i01 * g0) / determinant
        constant += (i11 * g0 - i01 * g1) / determinant
        slope += step
        if abs(step) < _CONVERGED:
            return float(slope * slope * determinant / i00)
    return math.inf


class Outcomes(NamedTuple):
    """Response (logistic) or change (linear) at some months, which nothing may predict.

    Parameters
    ----------
    values : array, shape (outcomes, patients)
        Change, or 1 for a responder and 0 for none; NaN where it is not known.
    logistic : array of bool, shape (outcomes,)
        Which of them are responses.
    t_squared : array, shape (patients + 1,)
        Critical value for a change, by number of patients.
    z_squared : float
        Critical value for a response.
    """

    values: Floats
    logistic: Flags
    t_squared: Floats
    z_squared: float


@numba.njit(cache=True)
def none_predicts(columns: Floats, outcomes: Outcomes) -> bool:
    """Return whether no column, numbers or flags, NaN where not known, predicts any outcome."""
    values, logistic, t_squared, z_squared = outcomes
    for one in range(len(values)):
        for column in columns:
            known = np.isfinite(column) & np.isfinite(values[one])
            y, x = values[one][known], column[known]
            if logistic[one]:
                found, limit = logistic_z_squared(y > 0, x), z_squared
            else:
                found, limit = linear_t_squared(y, x), t_squared[len(y)]
            if found > limit * (1 - _MARGIN):
                return False
    return True


@numba.njit(cache=True)
def draw_roles(
    rng: np.random.Generator, died: Flags, counts: Integers, weights: Floats, outcomes: Outcomes
) -> Integers:
    """Return who was given which of some roles, one after the other, so that no role predicts.

    The first roles, of which the very first is no reason, have a row of weights, shape (roles,
    patients); the others are given at random, and the last one is that of who died. Nobody is
    returned where no draw fits.
    """
    roles = len(counts)
    for _ in range(ATTEMPTS):
        found = np.where(died, roles, -1)
        for role in range(roles):
            left = np.flatnonzero(found < 0)
            if role < len(weights):
                # As Patients.choose() does.
                times = rng.standard_exponential(len(left)) / weights[role][left]
                chosen = left[np.argsort(times, kind="mergesort")[: counts[role]]]
            else:
                chosen = left[rng.permutation(len(left))[: counts[role]]]
            found[chosen] = role
        flags = np.empty((roles, len(died)))
        for role in range(roles):
            flags[role] = found == role + 1
        if none_predicts(flags, outcomes):
            return found
    return found[:0]


@dataclass(frozen=True, slots=True)
class Unrelated:
    """The tests that predictors have to pass in one cohort.

    Concomitant prednisone, which the article reports by itself, has outcomes of its own.
    ``responses`` has by month 1 for a responder, 0 for none, and NaN where it is not known.
    """

    outcomes: Outcomes
    prednisone: Outcomes
    responses: dict[int, Floats]

    def allow(self, *columns: npt.ArrayLike) -> bool:
        """Return whether numbers or flags, NaN where unknown, pass the tests in force."""
        return bool(none_predicts(np.array(columns, np.float64), self.outcomes))

    def with_prednisone(self, column: Integers) -> bool:
        """Return whether concomitant prednisone passes the tests that it has to pass.

        The article gives it a p at one month, so its regression on response has to exist there.
        """
        for values in self.prednisone.values[self.prednisone.logistic]:
            cells = (values + 2 * column)[np.isfinite(values)]
            if len(np.unique(cells)) < 4:
                return False
        return bool(none_predicts(np.array([column], np.float64), self.prednisone))


@lru_cache(maxsize=8)
def predictor_claims(registry: Registry) -> dict[str, tuple[str, int]]:
    """Return the claims about predictors: id to variable and month."""
    wanted = {
        ("responder_predictors", "none_predict"),
        ("mrss_change_predictors", "none_predict"),
        ("responder_prednisone", "not_significant"),
    }
    return {
        row.id: (row.variable, int(row.timepoint.removeprefix("m")))
        for row in registry.claims.values()
        if (row.variable, row.kind) in wanted and not row.same_as
    }


def unrelated(
    skin: Floats, registry: Registry, threshold: float, without: Collection[str] = ()
) -> Unrelated:
    """Return the tests that predictors have to pass.

    ``skin`` has shape (patients, 5), NaN where no score was taken; ``threshold`` is the least
    decrease of a responder. Claims of :func:`predictor_claims` in ``without`` are switched off.
    """
    changes = {month: skin[:, month // 6] - skin[:, 0] for month in MONTHS}
    responses = {
        month: np.where(np.isnan(change), np.nan, change <= -threshold)
        for month, change in changes.items()
    }
    alpha, size = alpha_of(registry), len(skin)
    limits = critical_t_squared(size, alpha), float(ndtri(alpha / 2)) ** 2

    def of_claims(others: str) -> Outcomes:
        """Return the outcomes of all claims that are not of other predictors."""
        # Linear tests come first: they are the faster ones.
        wanted = sorted(
            (variable != "mrss_change_predictors", month)
            for name, (variable, month) in predictor_claims(registry).items()
            if name not in without and variable != others
        )
        values = [(responses if logistic else changes)[month] for logistic, month in wanted]
        kinds = np.array([logistic for logistic, _ in wanted], np.bool_)
        return Outcomes(np.array(values).reshape(-1, size), kinds, *limits)

    return Unrelated(
        of_claims("responder_prednisone"), of_claims("responder_predictors"), responses
    )
