"""Counts of the registry, and random choices of patients until they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rederive.consistency.lattice import integers_within, scaled
from rederive.printed import Interval, RoundingRule
from rederive.printed.registry import NumberRow, Registry

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GROUP = "IVIG"
ATTEMPTS = 3000
"""Draws of one characteristic before the skin scores are taken to allow none."""

T = TypeVar("T")


class NoFittingPatientsError(RuntimeError):
    """No assignment of a characteristic to patients was found that the article's text allows.

    It depends on the skin scores: another draw of these may well have one.
    """


class Counts:
    """The registry's counts of patients.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    """

    def __init__(self, registry: Registry) -> None:
        self._rows: dict[tuple[str, str], list[NumberRow]] = {}
        for row in registry.numbers.values():
            if row.group == GROUP:
                self._rows.setdefault((row.variable, row.statistic), []).append(row)
        self.size = self.number("cohort_size", "n")

    def __getitem__(self, variable: str) -> int:
        """Return how many patients have a characteristic, from its count or its percentage.

        Raises
        ------
        ValueError
            If the registry has neither, or the percentage belongs to no or to several counts.
        """
        for row in self._rows.get((variable, "count"), ()):
            return int(row.printed.value)
        for row in self._rows.get((variable, "percent"), ()):
            n = row.n or self.size
            domain = Interval(Fraction(0), Fraction(100))
            shares = row.printed.interval(RoundingRule.HALF_UP, domain)
            counts = integers_within(scaled(shares, Fraction(n, 100)))
            if len(counts) != 1:
                raise ValueError(f"{row.id}: {row.printed} percent of {n} is no single count")
            return counts[0]
        raise ValueError(f"numbers.csv: no count and no percentage of {variable}")

    def number(self, variable: str, statistic: str) -> int:
        """Return a whole number that is printed.

        Raises
        ------
        ValueError
            If there is none.
        """
        for row in self._rows.get((variable, statistic), ()):
            return int(row.printed.value)
        raise ValueError(f"numbers.csv: no {statistic} of {variable}")

    def known(self, variable: str) -> int:
        """Return in how many patients a characteristic is known; in all unless printed."""
        return self.number(variable, "n") if (variable, "n") in self._rows else self.size


def flag(size: int, chosen: Iterable[int] | Integers) -> Integers:
    """Return 1 for the chosen patients and 0 for the others."""
    result = np.zeros(size, np.int64)
    result[np.asarray(list(chosen), np.int64)] = 1
    return result


def choose(
    rng: np.random.Generator, among: npt.ArrayLike, count: int, weights: Floats | None = None
) -> Integers:
    """Return different patients, drawn at random.

    Parameters
    ----------
    among : array of int
        Patients to choose from.
    count : int
        How many.
    weights : array of float, shape (patients,), optional
        Weight of every patient of the cohort, positive.

    Raises
    ------
    NoFittingPatientsError
        If there are too few.
    """
    patients = np.asarray(among, np.int64)
    if count > len(patients):
        raise NoFittingPatientsError(f"found {len(patients)} patients to choose {count} from")
    if weights is None:
        return patients[rng.permutation(len(patients))[:count]]
    # The least of exponential times with these rates: a draw without replacement.
    times = rng.standard_exponential(len(patients)) / weights[patients]
    return patients[np.argsort(times, kind="stable")[:count]]


def until(draw: Callable[[], T], fits: Callable[[T], bool], what: str) -> T:
    """Draw until the result fits.

    Raises
    ------
    NoFittingPatientsError
        Naming the characteristic, after :data:`ATTEMPTS` draws.
    """
    for _ in range(ATTEMPTS):
        found = draw()
        if fits(found):
            return found
    raise NoFittingPatientsError(
        f"{what}: none of {ATTEMPTS} draws fits these skin scores and what the article says of them"
    )


def fitting_flag(
    rng: np.random.Generator,
    among: npt.ArrayLike,
    size: int,
    count: int,
    fits: Callable[[Integers], bool],
    what: str,
) -> Integers:
    """Return a flag of ``count`` patients that fits.

    Raises
    ------
    NoFittingPatientsError
        As for :func:`choose` and :func:`until`.
    """
    return until(lambda: flag(size, choose(rng, among, count)), fits, what)


def without(patients: Iterable[int], *left_out: Iterable[int]) -> Integers:
    """Return the patients that are in none of the other groups, in order."""
    gone = {int(one) for group in left_out for one in group}
    return np.array([int(one) for one in patients if int(one) not in gone], np.int64)


def singles(size: int) -> Iterator[Integers]:
    """Yield the flag of each patient alone."""
    yield from np.eye(size, dtype=np.int64)
