"""The claims that nothing predicts response or change, as tests of candidate columns.

Simple regressions in closed form, many columns at once: a characteristic is put to the patients at
random and kept if its p is at or above the significance level wherever the article says so. The
logistic Wald test of a flag follows from its 2 x 2 table (Woolf 1955); that of a number needs a few
Newton steps; the slope of a linear regression is tested through the correlation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from ivig_dcssc.generator.drawing import Flags, Floats, alpha_of
from rederive.printed.registry import Registry

MONTHS = (6, 12)
"""Months whose response and change the article tried to predict."""

_MARGIN = 1e-6
"""Relative distance that a statistic keeps from its critical value."""

_NEWTON_STEPS = 25
_CONVERGED = 1e-9


@lru_cache(maxsize=64)
def critical_t_squared(most: int, alpha: float) -> Floats:
    """Return the squared two-sided critical t of a slope by number of patients, 0 to most."""
    table = np.full(most + 1, np.inf)
    table[3:] = stats.t.isf(alpha / 2, np.arange(3, most + 1) - 2) ** 2
    return table


@lru_cache(maxsize=64)
def _critical_z_squared(alpha: float) -> float:
    return float(stats.norm.isf(alpha / 2)) ** 2


def linear_t_squared(y: Floats, x: Floats, known: Flags) -> Floats:
    """Return the squared t of the slope of y on each column; 0 where it does not exist.

    ``x`` and ``known`` (who has both) have shape (columns, patients), ``y`` (patients,); both are
    finite wherever known.
    """
    weight = known.astype(np.float64)
    own = weight * x
    n = np.maximum(weight.sum(axis=1), 1)
    total_x, total_y = own.sum(axis=1), weight @ y
    xx, yy = (own * x).sum(axis=1) - total_x**2 / n, weight @ y**2 - total_y**2 / n
    xy = own @ y - total_x * total_y / n
    varies = (n > 2) & (xx > 1e-12) & (yy > 1e-12)
    explained = np.divide(xy**2, xx * yy, out=np.zeros_like(xy), where=varies)
    perfect = explained >= 1
    ratio = (n - 2) * explained / np.where(perfect, 1.0, 1 - explained)
    return np.where(perfect, math.inf, ratio)


def flag_z_squared(y: Flags, x: Floats, known: Flags) -> Floats:
    """Return the squared Wald z of a logistic regression on each flag; 0 for an empty cell.

    Parameters are as for :func:`linear_t_squared`; ``y`` says who responded.
    """
    exposed, others = known & (x > 0.5), known & (x <= 0.5)
    yes, no = y.astype(np.float64), (~y).astype(np.float64)
    cells = [group @ by for group in (exposed.astype(np.float64), others) for by in (yes, no)]
    full = np.min(cells, axis=0) > 0
    a, b, c, d = (np.where(full, cell, 1.0) for cell in cells)
    log_odds = np.log(a * d) - np.log(b * c)
    return np.where(full, log_odds**2 / (1 / a + 1 / b + 1 / c + 1 / d), 0.0)


def number_z_squared(y: Flags, x: Floats) -> float:
    """Return the squared Wald z of a logistic regression on one number.

    0 where there is no finite estimate: response or number does not vary, or a limit of the number
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


@dataclass(frozen=True, slots=True)
class _Test:
    """One outcome: response (logistic) or change (linear) at one month."""

    outcome: Floats
    known: Flags
    logistic: bool


@dataclass(frozen=True, slots=True)
class Unrelated:
    """The tests that predictors have to pass in one cohort.

    Concomitant prednisone, which the article reports by itself, has tests of its own. ``change`` is
    that of the skin score by month, shape (patients,), NaN where it is not known; ``threshold`` the
    least decrease of a responder.
    """

    tests: tuple[_Test, ...]
    prednisone: tuple[_Test, ...]
    alpha: float
    change: dict[int, Floats]
    threshold: float

    def responders(self, month: int) -> Flags:
        """Return who responded; false also where it is not known."""
        return np.asarray(self.change[month] <= -self.threshold)

    def followed(self, month: int) -> Flags:
        """Return whose change is known."""
        return np.isfinite(self.change[month])

    def flags(self, *columns: npt.ArrayLike) -> bool:
        """Return whether flags (0, 1, NaN for unknown) pass the tests in force."""
        return self._pass(np.array(columns, np.float64), self.tests, flag_z_squared)

    def numbers(self, *columns: npt.ArrayLike) -> bool:
        """Return whether numbers, known of all patients, pass the tests in force."""
        return self._pass(np.array(columns, np.float64), self.tests, _numbers_z_squared)

    def with_prednisone(self, column: npt.ArrayLike) -> bool:
        """Return whether concomitant prednisone passes the tests that it has to pass.

        The article gives it a p at one month, so its regression on response has to exist there.
        """
        x = np.array([column], np.float64)
        for test in self.prednisone:
            cells = (test.outcome[test.known] > 0) + 2 * (x[0, test.known] > 0.5)
            if test.logistic and len(np.unique(cells)) < 4:
                return False
        return self._pass(x, self.prednisone, flag_z_squared)

    def _pass(
        self,
        x: Floats,
        tests: tuple[_Test, ...],
        z_squared: Callable[[Flags, Floats, Flags], Floats],
    ) -> bool:
        known_x = np.isfinite(x)
        x = np.where(known_x, x, 0.0)
        for test in tests:
            known = known_x & test.known
            if test.logistic:
                found = z_squared(test.outcome > 0, x, known)
                limit: Floats | float = _critical_z_squared(self.alpha)
            else:
                found = linear_t_squared(test.outcome, x, known)
                limit = critical_t_squared(x.shape[1], self.alpha)[known.sum(axis=1)]
            if (found > limit * (1 - _MARGIN)).any():
                return False
        return True


def _numbers_z_squared(y: Flags, x: Floats, known: Flags) -> Floats:
    return np.array([number_z_squared(y[k], c[k]) for c, k in zip(x, known, strict=True)])


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
    change = {month: skin[:, month // 6] - skin[:, 0] for month in MONTHS}
    tests: list[_Test] = []
    prednisone: list[_Test] = []
    for name, (variable, month) in predictor_claims(registry).items():
        if name in without:
            continue
        known = np.isfinite(change[month])
        logistic = variable != "mrss_change_predictors"
        filled = np.where(known, change[month], 0.0)
        outcome = (filled <= -threshold).astype(np.float64) if logistic else filled
        test = _Test(outcome, known, logistic)
        if variable != "responder_prednisone":
            tests.append(test)
        if variable != "responder_predictors":
            prednisone.append(test)
    # Linear tests come first: they are the faster ones.
    tests, prednisone = (sorted(some, key=lambda one: one.logistic) for some in (tests, prednisone))
    alpha = alpha_of(registry)
    return Unrelated(tuple(tests), tuple(prednisone), alpha, change, threshold)
