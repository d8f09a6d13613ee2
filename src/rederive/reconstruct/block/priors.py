"""Priors of patients' trajectories: what is thought likely before the printed figures.

A prior is a mixture of multivariate normal distributions of one patient's values over the time
points, cut off at the ends of the scale and taken at its steps. Without components it is flat.
Patients are exchangeable. Who is missing is, before the figures, a matter of chance, or depends on
the values (Rubin 1976, Biometrika 63:581).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from rederive.reconstruct.block.figures import Block

if TYPE_CHECKING:
    from rederive.reconstruct.block.kernel import Density, Floats


@dataclass(frozen=True, slots=True)
class Component:
    """One kind of patient.

    Parameters
    ----------
    weight : float
        Share of patients of this kind, before the figures.
    means, sds : tuple of float
        At each time point, in the unit of the scale.
    correlation : float
        Between neighbouring time points; it falls off geometrically with their distance. Of the
        truth, where there is an error.
    error : float
        SD of the error of measurement, in the unit of the scale, which is part of ``sds`` and
        independent at each time point; with it the truth may stay the same (correlation 1).

    Raises
    ------
    ValueError
        Naming the field, what was found and what is allowed.
    """

    weight: float
    means: tuple[float, ...]
    sds: tuple[float, ...]
    correlation: float = 0.0
    error: float = 0.0

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"weight: found {self.weight}, allowed are numbers above 0")
        if len(self.means) != len(self.sds):
            raise ValueError(f"sds: found {len(self.sds)}, allowed {len(self.means)}, as of means")
        if min(self.sds) <= 0:
            raise ValueError(f"sds: found {min(self.sds)}, allowed are numbers above 0")
        most = 1 if self.error else math.nextafter(1, 0)
        if not -1 < self.correlation <= most:
            raise ValueError(f"correlation: found {self.correlation}, allowed within -1 and 1")
        if not 0 <= self.error < min(self.sds):
            raise ValueError(f"error: found {self.error}, allowed from 0 to below the least of sds")

    def covariance(self) -> Floats:
        """Return the covariance matrix, shape (times, times)."""
        sds = np.array(self.sds)
        if self.error:
            sds = np.sqrt(sds * sds - self.error * self.error)
        lags = np.abs(np.subtract.outer(np.arange(len(sds)), np.arange(len(sds))))
        # Products, since the last bit of a power depends on the processor.
        powers = np.cumprod([1.0] + [self.correlation] * (len(sds) - 1))
        result: Floats = np.outer(sds, sds) * powers[lags]
        return result + self.error * self.error * np.eye(len(sds)) if self.error else result


@dataclass(frozen=True, slots=True)
class Prior:
    """A named mixture of kinds of patients; none at all means flat over the scale.

    Parameters
    ----------
    name : str
    components : tuple of Component
    jump : float, optional
        Greatest distance of values at neighbouring time points, in the unit of the scale.
    missing_by_last, missing_by_own : float
        Logarithm of the odds ratio of being missing per unit of the last value measured before
        (missing at random), and of the value itself that is missing (missing not at random).
    """

    name: str
    components: tuple[Component, ...] = ()
    jump: float | None = None
    missing_by_last: float = 0.0
    missing_by_own: float = 0.0

    def describe(self) -> str:
        """Return the prior in one line, with all its parameters."""
        kinds = []
        for part in self.components:
            means = ", ".join(f"{m:g}" for m in part.means)
            sds = ", ".join(f"{s:g}" for s in part.sds)
            error = f", and an error of measurement with SD {part.error:g}" if part.error else ""
            kinds.append(
                f"{part.weight:g} x normal (means {means}; SDs {sds}; "
                f"correlation of neighbours {part.correlation:g}{error})"
            )
        words = " + ".join(kinds) or "every step of the scale equally likely"
        if self.jump is not None:
            words += f", neighbouring time points at most {self.jump:g} apart"
        elif not kinds:
            words += ", time points independent"
        for slope, of in (
            (self.missing_by_last, "the last value before it"),
            (self.missing_by_own, "the value itself"),
        ):
            if slope:
                words += f"; a value is missing with log odds of {slope:g} per unit of {of}"
        return f"{self.name}: {words}"


FLAT = Prior("flat")


def density_of(prior: Prior, block: Block) -> Density:
    """Express a prior in steps of the block's scale.

    Raises
    ------
    ValueError
        If a component has another number of time points than the block.
    """
    from rederive.reconstruct.block.kernel import Density

    times, step = len(block.timepoints), float(block.scale.step)
    kinds = len(prior.components)
    result = Density(
        np.zeros((kinds, times)),
        np.zeros((kinds, times, times)),
        np.zeros(kinds),
        block.levels if prior.jump is None else math.floor(prior.jump / step),
        prior.missing_by_last * step,
        prior.missing_by_own * step,
    )
    for k, part in enumerate(prior.components):
        if len(part.means) != times:
            raise ValueError(
                f"prior {prior.name}: found {len(part.means)} time points, allowed {times}"
            )
        result.means[k] = (np.array(part.means) - float(block.scale.minimum)) / step
        result.precisions[k], log_determinant = _inverse(part.covariance() / step**2)
        result.log_weights[k] = math.log(part.weight) - 0.5 * log_determinant
    return result


def _inverse(matrix: Floats) -> tuple[Floats, float]:
    """Return the inverse of a covariance matrix, and the logarithm of its determinant.

    The chain compares sums that are often equal but for rounding, so another last bit gives other
    draws. LAPACK's depends on the processor; here all is done in one order, with fused
    multiplication and addition.
    """
    n, lu = len(matrix), matrix.copy()
    for j in range(n):
        for i in range(1, n):
            product = 0.0
            for k in range(min(i, j)):
                product = _fused(lu[i, k], lu[k, j], product)
            lu[i, j] -= product
        lu[j + 1 :, j] *= 1 / lu[j, j]
    result = np.eye(n)
    for i in range(n):
        for k in range(i):
            result[i] = _fused(-lu[i, k], result[k], result[i])
    for i in reversed(range(n)):
        for k in reversed(range(i + 1, n)):
            result[i] = _fused(-lu[i, k], result[k], result[i])
        result[i] *= 1 / lu[i, i]
    return result, sum(math.log(pivot) for pivot in np.diag(lu))


_fused = np.frompyfunc(lambda a, b, c: float(Fraction(a) * Fraction(b) + Fraction(c)), 3, 1)
