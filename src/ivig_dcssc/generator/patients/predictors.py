"""The claims that nothing predicts response or change, as tests of candidate columns.

A characteristic is put to the patients at random and kept if its p is at or above the significance
level wherever the article says so. The logistic Wald test needs a few Newton steps; the slope of a
linear regression is tested through the correlation. Compiled, since hundreds are tried a cohort.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from ivig_dcssc.generator.drawing import Flags, Floats, Integers, alpha_of, predictor_claims
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
    mean_x, mean_y = x.sum() / len(x), y.sum() / len(y)
    xx = xy = yy = 0.0
    for i in range(len(x)):
        of_x, of_y = x[i] - mean_x, y[i] - mean_y
        xx, xy, yy = xx + of_x * of_x, xy + of_x * of_y, yy + of_y * of_y
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
    least, most, n = np.full(2, np.inf), np.full(2, -np.inf), np.zeros(2)
    total = squares = 0.0
    for i in range(len(x)):
        group = int(y[i])
        n[group] += 1
        least[group], most[group] = min(least[group], x[i]), max(most[group], x[i])
        total, squares = total + x[i], squares + x[i] * x[i]
    if n.min() == 0 or most[1] <= least[0] or most[0] <= least[1]:
        return 0.0
    mean = total / len(x)
    sd = math.sqrt(squares / len(x) - mean * mean)
    constant, slope = math.log(n[1] / n[0]), 0.0
    for _ in range(_NEWTON_STEPS):
        i00 = i01 = i11 = g0 = g1 = 0.0
        for i in range(len(x)):
            z = (x[i] - mean) / sd
            p = 1 / (1 + math.exp(-min(max(constant + slope * z, -30.0), 30.0)))
            weight, rest = p * (1 - p), y[i] - p
            i00, i01, i11 = i00 + weight, i01 + weight * z, i11 + weight * z * z
            g0, g1 = g0 + rest, g1 + rest * z
        determinant = i00 * i11 - i01 * i01
        if determinant <= 0:
            break
        step = (i00 * g1 - i01 * g0) / determinant
        constant += (i11 * g0 - i01 * g1) / determinant
        slope += step
        if abs(step) < _CONVERGED:
            return slope * slope * determinant / i00
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
def _up_to(most: int, rng: np.random.Generator) -> int:
    """Return a number as permutations of NumPy draw it; numba's own take long to compile."""
    mask, found = 1, most + 1
    while mask < most:
        mask = 2 * mask + 1
    while found > most:
        found = int(rng.integers(0, 2**32)) & mask
    return found


@numba.njit(cache=True)
def draw_roles(
    rng: np.random.Generator,
    died: Flags,
    counts: Integers,
    weights: Floats,
    outcomes: Outcomes,
    attempts: int,
) -> Integers:
    """Return who was given which of some roles, one after the other, so that no role predicts.

    The first roles, of which the very first is no reason, have a row of weights, shape (roles,
    patients); the others are given at random, and the last one is that of who died. Nobody is
    returned where none of some attempts fits.
    """
    roles = len(counts)
    for _ in range(attempts):
        found = np.full(len(died), -1)
        found[died] = roles
        for role in range(roles):
            left = np.flatnonzero(found < 0)
            if role < len(weights):
                # As Patients.choose() does, with and without weights.
                times = rng.standard_exponential(len(left)) / weights[role][left]
                for _ in range(counts[role]):
                    first = times.argmin()
                    found[left[first]], times[first] = role, np.inf
                continue
            for last in range(len(left) - 1, 0, -1):
                other = _up_to(last, rng)
                left[last], left[other] = left[other], left[last]
            found[left[: counts[role]]] = role
        flags = np.zeros((roles, len(died)))
        for one, role in enumerate(found):
            if role > 0:
                flags[role - 1, one] = 1.0
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
