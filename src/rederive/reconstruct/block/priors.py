"""Priors of patients' trajectories: what is thought likely before the printed figures.

A prior is a mixture of multivariate normal distributions of one patient's values over the time
points, cut off at the ends of the scale and taken at its steps. Without components it is flat.
Patients are exchangeable, and who is missing is, before the figures, a matter of chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rederive.reconstruct.block.figures import Block
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
        Between neighbouring time points; it falls off geometrically with their distance.

    Raises
    ------
    ValueError
        Naming the field, what was found and what is allowed.
    """

    weight: float
    means: tuple[float, ...]
    sds: tuple[float, ...]
    correlation: float = 0.0

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"weight: found {self.weight}, allowed are numbers above 0")
        if len(self.means) != len(self.sds):
            raise ValueError(f"sds: found {len(self.sds)}, allowed {len(self.means)}, as of means")
        if min(self.sds) <= 0:
            raise ValueError(f"sds: found {min(self.sds)}, allowed are numbers above 0")
        if not -1 < self.correlation < 1:
            raise ValueError(f"correlation: found {self.correlation}, allowed within -1 and 1")

    def covariance(self) -> Floats:
        """Return the covariance matrix, shape (times, times)."""
        sds = np.array(self.sds)
        lags = np.abs(np.subtract.outer(np.arange(len(sds)), np.arange(len(sds))))
        result: Floats = np.outer(sds, sds) * np.power(self.correlation, lags)
        return result

    def precision(self) -> Floats:
        """Return the inverse of the covariance matrix, shape (times, times).

        Correlations that fall off geometrically have a tridiagonal inverse, which is written down
        here: a numerical inverse differs in its last bits from processor to processor, and the
        draws with it.
        """
        n, r = len(self.sds), self.correlation
        result = np.diag(np.full(n, 1 + r * r))
        for end in (0, -1):
            result[end, end] -= r * r
        for i in range(n - 1):
            result[i, i + 1] = result[i + 1, i] = -r
        scaled: Floats = result / ((1 - r * r) * np.outer(self.sds, self.sds))
        return scaled

    def log_determinant(self) -> float:
        """Return the logarithm of the determinant of the covariance matrix."""
        r = self.correlation
        return 2 * sum(map(math.log, self.sds)) + (len(self.sds) - 1) * math.log(1 - r * r)


@dataclass(frozen=True, slots=True)
class Prior:
    """A named mixture of kinds of patients; none at all means flat over the scale."""

    name: str
    components: tuple[Component, ...] = ()

    def describe(self) -> str:
        """Return the prior in one line, with all its parameters."""
        if not self.components:
            return f"{self.name}: every step of the scale equally likely, time points independent"
        kinds = []
        for part in self.components:
            means = ", ".join(f"{m:g}" for m in part.means)
            sds = ", ".join(f"{s:g}" for s in part.sds)
            kinds.append(
                f"{part.weight:g} x normal (means {means}; SDs {sds}; "
                f"correlation of neighbours {part.correlation:g})"
            )
        return f"{self.name}: " + " + ".join(kinds)


FLAT = Prior("flat")


def density_of(prior: Prior, block: Block) -> Density:
    """Express a prior in steps of the block's scale.

    Raises
    ------
    ValueError
        If a component has another number of time points than the block.
    """
    times, step = len(block.timepoints), float(block.scale.step)
    kinds = len(prior.components)
    result = Density(np.zeros((kinds, times)), np.zeros((kinds, times, times)), np.zeros(kinds))
    for k, part in enumerate(prior.components):
        if len(part.means) != times:
            raise ValueError(
                f"prior {prior.name}: found {len(part.means)} time points, allowed {times}"
            )
        result.means[k] = (np.array(part.means) - float(block.scale.minimum)) / step
        result.precisions[k] = part.precision() * step**2
        determinant = part.log_determinant() - 2 * times * math.log(step)
        result.log_weights[k] = math.log(part.weight) - 0.5 * determinant
    return result
