"""Quantities that bounds are asked for, and their exact value for one data set.

Every quantity has an *exact* form in which data sets are compared without rounding: a count, a
mean, a variance (for an SD), or t² = n (mean change)² / variance (for the paired p, which falls as
t² rises). :meth:`Quantity.shown` turns it into what an article would print.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import stats

from rederive.reconstruct.block import Block

Exact = Fraction | float
"""An exact value: a fraction, or infinity for the t² of changes that are all the same."""


class Kind(StrEnum):
    """What is asked for, always at one time point."""

    RESPONDERS = "responders"
    MEAN = "mean"
    SD = "sd"
    CHANGE_MEAN = "change_mean"
    CHANGE_SD = "change_sd"
    PAIRED_P = "paired_p"
    FOLLOWED_BASELINE_MEAN = "followed_baseline_mean"
    MISSING_BASELINE_MEAN = "missing_baseline_mean"
    DIFFERENCE = "difference"

    @property
    def needs_followup(self) -> bool:
        """Whether the quantity exists only after the first time point."""
        return self not in (Kind.MEAN, Kind.SD)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of patient-level data.

    Parameters
    ----------
    kind : Kind
        ``followed_baseline_mean`` and ``missing_baseline_mean`` are the mean first values of those
        who have a value at ``at`` and of those who have none; ``difference`` is the mean change
        minus ``reference``.
    at : str
        Time point.
    threshold : Fraction, optional
        Least decrease of a responder, in the unit of the scale.
    reference : Fraction, optional
        Mean change of another group.

    Raises
    ------
    ValueError
        If a threshold or a reference is missing, or stands where it does not belong.
    """

    kind: Kind
    at: str
    threshold: Fraction | None = None
    reference: Fraction | None = None

    def __post_init__(self) -> None:
        if (self.kind is Kind.RESPONDERS) != (self.threshold is not None):
            raise ValueError(f"{self.kind}: a threshold belongs to responders, and only to them")
        if (self.kind is Kind.DIFFERENCE) != (self.reference is not None):
            raise ValueError(f"{self.kind}: a reference belongs to difference, and only to it")

    @property
    def name(self) -> str:
        """The quantity in one word, such as ``responders[5] m6``."""
        detail = next((f"[{x}]" for x in (self.threshold, self.reference) if x is not None), "")
        return f"{self.kind}{detail} {self.at}"

    @property
    def falls(self) -> bool:
        """Whether the shown value falls as the exact one rises, as p does with t²."""
        return self.kind is Kind.PAIRED_P

    def check(self, block: Block) -> None:
        """Refuse a quantity that the block does not have.

        Raises
        ------
        ValueError
            If the time point is unknown or the first one, or too few patients are measured.
        """
        at = block.index(self.at)
        if at == 0 and self.kind.needs_followup:
            raise ValueError(f"{self.name}: {self.at} is the first time point, need a later one")
        n = block.observed[at]
        if self.kind is Kind.MISSING_BASELINE_MEAN:
            n = block.observed[0] - n
        least = 2 if self.kind in (Kind.SD, Kind.CHANGE_SD, Kind.PAIRED_P) else 1
        if n < least:
            raise ValueError(f"{self.name}: found {n} patients, allowed are numbers from {least}")

    def exact(
        self, block: Block, values: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]
    ) -> Exact:
        """Return the exact value for one data set.

        Parameters
        ----------
        block : Block
            Scale and time points; its figures play no part.
        values : array of int, shape (patients, times)
            In steps above the least value.
        mask : array of bool, shape (patients, times)
            What was measured.
        """
        at, scale = block.index(self.at), block.scale
        seen = [bool(x) for x in mask[:, at]]
        first = [int(x) for x in values[:, 0]]
        level = [int(x) for x in values[:, at]]
        change = [y - b for y, b, s in zip(level, first, seen, strict=True) if s]
        match self.kind:
            case Kind.RESPONDERS:
                assert self.threshold is not None
                return Fraction(sum(-d * scale.step >= self.threshold for d in change))
            case Kind.MEAN:
                return scale.minimum + _mean(
                    [y for y, s in zip(level, seen, strict=True) if s], scale.step
                )
            case Kind.SD:
                return _variance([y for y, s in zip(level, seen, strict=True) if s], scale.step)
            case Kind.CHANGE_MEAN:
                return _mean(change, scale.step)
            case Kind.DIFFERENCE:
                assert self.reference is not None
                return _mean(change, scale.step) - self.reference
            case Kind.CHANGE_SD:
                return _variance(change, scale.step)
            case Kind.PAIRED_P:
                n, total, squares = _moments(change)
                return t_squared(n, total, n * squares - total * total)
            case Kind.FOLLOWED_BASELINE_MEAN:
                kept = [b for b, s in zip(first, seen, strict=True) if s]
                return scale.minimum + _mean(kept, scale.step)
            case Kind.MISSING_BASELINE_MEAN:
                left = [
                    b
                    for b, s, known in zip(first, seen, mask[:, 0], strict=True)
                    if known and not s
                ]
                return scale.minimum + _mean(left, scale.step)

    def shown(self, exact: Exact, block: Block) -> float:
        """Return the value as an article would give it: an SD, a p value, a mean, a count."""
        if self.kind in (Kind.SD, Kind.CHANGE_SD):
            return math.sqrt(exact)
        if self.kind is Kind.PAIRED_P:
            df = block.observed[block.index(self.at)] - 1
            return float(2 * stats.t.sf(math.sqrt(exact), df))
        return float(exact)


def t_squared(n: int, total: int, spread: int) -> Exact:
    """Return t² from a sum and W = nQ - S²; 0 for no sum, infinite without spread."""
    if total == 0:
        return Fraction(0)
    return math.inf if spread == 0 else Fraction(total * total * (n - 1), spread)


def _moments(numbers: list[int]) -> tuple[int, int, int]:
    return len(numbers), sum(numbers), sum(x * x for x in numbers)


def _mean(numbers: list[int], step: Fraction) -> Fraction:
    return step * Fraction(sum(numbers), len(numbers))


def _variance(numbers: list[int], step: Fraction) -> Fraction:
    n, total, squares = _moments(numbers)
    return step**2 * Fraction(n * squares - total * total, n * (n - 1))
