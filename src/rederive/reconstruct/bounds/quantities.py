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
from typing import TYPE_CHECKING

from scipy import stats

from rederive.reconstruct.block import Block, Statistic
from rederive.reconstruct.block.boxes import Window, counted_window, t_squared

if TYPE_CHECKING:
    from rederive.reconstruct.block.kernel import Flags, Integers

Exact = Fraction | float
"""An exact value: a fraction, or infinity for the t² of changes that are all the same."""


class Part(StrEnum):
    """The columns that meet at a follow-up visit."""

    BASELINE = "B"
    FOLLOWED = "F"
    MISSING = "M"
    VISIT = "V"
    CHANGE = "D"


class Kind(StrEnum):
    """What is asked for, always at one time point."""

    RESPONDERS = "responders"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    MEAN = "mean"
    SD = "sd"
    CHANGE_MEAN = "change_mean"
    CHANGE_SD = "change_sd"
    PAIRED_P = "paired_p"
    FOLLOWED_BASELINE_MEAN = "followed_baseline_mean"
    MISSING_BASELINE_MEAN = "missing_baseline_mean"

    @property
    def part(self) -> Part:
        """The column that it is about, at a later visit."""
        if self is Kind.MISSING_BASELINE_MEAN:
            return Part.MISSING
        parts = {"": Part.VISIT, "baseline": Part.FOLLOWED, "change": Part.CHANGE}
        return parts[self.statistic.family]

    @property
    def statistic(self) -> Statistic:
        """The printed figure that says most about it."""
        return Statistic(self.removeprefix("followed_").removeprefix("missing_"))

    @property
    def is_count(self) -> bool:
        """Whether it counts patients beyond a threshold."""
        return self.statistic.is_count

    @property
    def of_spread(self) -> bool:
        """Whether it depends on the sum of squares of its column."""
        return self in (Kind.SD, Kind.CHANGE_SD, Kind.PAIRED_P)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of patient-level data.

    Parameters
    ----------
    kind : Kind
        ``followed_baseline_mean`` and ``missing_baseline_mean`` are the mean first values of those
        who have a value at ``at`` and of those who have none.
    at : str
        Time point.
    threshold : Fraction, optional
        Least change of a responder, or least or greatest value counted, in the unit of the scale.
    rises : bool
        Whether a responder's value rises; else it falls.

    Raises
    ------
    ValueError
        If a threshold is missing, or stands where it does not belong.
    """

    kind: Kind
    at: str
    threshold: Fraction | None = None
    rises: bool = False

    def __post_init__(self) -> None:
        if self.kind.is_count != (self.threshold is not None):
            raise ValueError(f"{self.kind}: a threshold belongs to counts, and only to them")

    @property
    def name(self) -> str:
        """The quantity in one word, such as ``responders[5] m6``."""
        sign = "+" if self.rises else ""
        detail = "" if self.threshold is None else f"[{sign}{self.threshold}]"
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
        if at == 0 and self.kind.part is not Part.VISIT:
            raise ValueError(f"{self.name}: {self.at} is the first time point, need a later one")
        n = block.observed[at]
        if self.kind is Kind.MISSING_BASELINE_MEAN:
            n = block.observed[0] - n
        least = 2 if self.kind.of_spread else 1
        if n < least:
            raise ValueError(f"{self.name}: found {n} patients, allowed are numbers from {least}")

    def exact(self, block: Block, values: Integers, mask: Flags) -> Exact:
        """Return the exact value for one data set; the figures of the block play no part.

        ``values``, in steps above the least value, and ``mask`` have shape (patients, times).
        """
        at = block.index(self.at)
        first, level, seen = values[:, 0], values[:, at], mask[:, at]
        column = {
            Part.VISIT: level[seen],
            Part.FOLLOWED: first[seen],
            Part.MISSING: first[mask[:, 0] & ~seen],
        }.get(self.kind.part, (level - first)[seen])
        numbers = [int(x) for x in column]
        n, total = len(numbers), sum(numbers)
        if self.kind.is_count:
            low, high = self.window(block)
            return Fraction(sum(low <= d <= high for d in numbers))
        if self.kind.of_spread:
            return self.of_squares(total, sum(x * x for x in numbers), n, block)
        return self.of_sum(total, n, block)

    def window(self, block: Block) -> Window:
        """Return the least and the greatest number that is counted, in steps."""
        assert self.threshold is not None
        return counted_window(self.kind.statistic, self.threshold, self.rises, block)

    def of_sum(self, total: int | Fraction, n: int, block: Block) -> Fraction:
        """Return a mean from the sum of ``n`` values, in steps."""
        origin = 0 if self.kind.part is Part.CHANGE else block.scale.minimum
        return origin + block.scale.step * Fraction(total) / n

    def of_squares(self, total: int, squares: int, n: int, block: Block) -> Exact:
        """Return t², for a p, or a variance from sum and sum of squares of ``n`` values."""
        spread = n * squares - total * total
        if self.falls:
            return t_squared(n, total, spread)
        return block.scale.step**2 * Fraction(spread, n * (n - 1))

    def shown(self, exact: Exact, block: Block) -> float:
        """Return the value as an article would give it: an SD, a p value, a mean, a count."""
        if not self.kind.of_spread:
            return float(exact)
        df = block.observed[block.index(self.at)] - 1
        root = math.sqrt(exact)
        return float(2 * stats.t.sf(root, df)) if self.falls else root
