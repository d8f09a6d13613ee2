"""Printed figures as limits on sums, in whole steps of the scale.

A block has three families of columns: the values at each time point (*level*), their changes from
the first (*change*), and the first values of the patients followed later (*baseline of followed*).
With n values k, counted in steps, sum S and sum of squares Q, a printed mean limits S, a printed
SD limits W = nQ - S² = n(n - 1)·variance, and a printed paired p limits t² = S²(n - 1) / W.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from scipy import stats

from rederive.printed import Interval
from rederive.printed.number import P_VALUE_DOMAIN
from rederive.recompute.consistency.lattice import integers_within, scaled, squared
from rederive.reconstruct.block.figures import Block, Figure, Statistic

UNLIMITED = 2**60
"""Stands for no limit on a sum."""


class ContradictionError(ValueError):
    """Printed figures that no data on the scale have together.

    Attributes
    ----------
    figures : tuple of str
        Ids of figures that cannot hold together.
    """

    def __init__(self, figures: Iterable[str], why: str) -> None:
        self.figures = tuple(figures)
        super().__init__(f"no data print {', '.join(self.figures)} together: {why}")


@dataclass(slots=True)
class Column:
    """Limits on one column of ``n`` whole numbers of steps.

    ``total`` and ``spread`` are the inclusive limits of S and W, ``t_squared`` those of t²;
    ``counts`` holds (low, high, least, most): between ``least`` and ``most`` of the numbers lie
    between ``low`` and ``high``, all ends included.
    """

    n: int
    total: tuple[int, int] = (-UNLIMITED, UNLIMITED)
    spread: tuple[int, int] = (0, UNLIMITED)
    t_squared: tuple[float, float] = (0.0, math.inf)
    counts: list[tuple[int, int, int, int]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    @property
    def limited(self) -> bool:
        """Whether any figure says something about the column."""
        return bool(self.sources)

    def admits(self, total: int, squares: int) -> bool:
        """Return whether a sum and a sum of squares keep the limits (counts apart)."""
        spread = self.n * squares - total * total
        return (
            self.total[0] <= total <= self.total[1]
            and self.spread[0] <= spread <= self.spread[1]
            and self.t_squared[0] <= t_squared(self.n, total, spread) <= self.t_squared[1]
        )


@dataclass(frozen=True, slots=True)
class Boxes:
    """The limits of all columns of a block, one entry per time point.

    ``change`` and ``followed`` have an unlimited entry at the first time point.
    """

    level: tuple[Column, ...]
    change: tuple[Column, ...]
    followed: tuple[Column, ...]

    def columns(self) -> list[Column]:
        """Return all columns: levels, changes, baselines of the followed."""
        return [*self.level, *self.change, *self.followed]


def t_squared(n: int, total: int, spread: int) -> float:
    """Return the square of the one-sample t statistic; infinite without spread, 0 for no sum."""
    if total == 0:
        return 0.0
    return math.inf if spread == 0 else total * total * (n - 1) / spread


def boxes_of(block: Block) -> Boxes:
    """Translate the figures of a block into limits on sums.

    Raises
    ------
    ContradictionError
        If the figures about one column leave it no sum, no spread or no count.
    ValueError
        If a figure cannot be printed at all, or its time point has too few patients for it.
    """
    boxes = Boxes(*(tuple(Column(n) for n in block.observed) for _ in range(3)))
    for figure in block.figures:
        column = _column(boxes, block, figure)
        _narrow(column, block, figure)
        column.sources.append(figure.id)
    return boxes


def _column(boxes: Boxes, block: Block, figure: Figure) -> Column:
    at = block.index(figure.at)
    if figure.statistic in (Statistic.BASELINE_MEAN, Statistic.BASELINE_SD):
        return boxes.followed[at]
    return (boxes.change if figure.statistic.needs_followup else boxes.level)[at]


def _narrow(column: Column, block: Block, figure: Figure) -> None:
    n, step = column.n, block.scale.step
    if n < (2 if figure.statistic in _NEED_SPREAD else 1):
        raise ValueError(f"{figure.id}: {n} patients at {figure.at} are too few for a figure")
    match figure.statistic:
        case Statistic.MEAN | Statistic.BASELINE_MEAN:
            interval = _shifted(figure.printed.interval(block.rule), -block.scale.minimum)
            column.total = _meet(column.total, scaled(interval, n / step), column, figure)
        case Statistic.CHANGE_MEAN:
            interval = figure.printed.interval(block.rule)
            column.total = _meet(column.total, scaled(interval, n / step), column, figure)
        case Statistic.SD | Statistic.BASELINE_SD | Statistic.CHANGE_SD:
            variances = squared(figure.printed.interval(block.rule, Interval(Fraction(0), None)))
            if variances is None:
                raise ValueError(f"{figure.id}: an SD cannot be {figure.printed}")
            spreads = scaled(variances, Fraction(n * (n - 1)) / step**2)
            column.spread = _meet(column.spread, spreads, column, figure)
        case Statistic.PAIRED_P:
            column.t_squared = _meet_p(column, block, figure)
        case Statistic.RESPONDERS:
            _count_responders(column, block, figure)
        case Statistic.MINIMUM | Statistic.MAXIMUM:
            _count_extreme(column, block, figure)


_NEED_SPREAD = (
    Statistic.SD,
    Statistic.BASELINE_SD,
    Statistic.CHANGE_SD,
    Statistic.PAIRED_P,
)


def _shifted(interval: Interval, by: Fraction) -> Interval:
    low = None if interval.low is None else interval.low + by
    high = None if interval.high is None else interval.high + by
    return Interval(low, high, interval.low_closed, interval.high_closed)


def _meet(
    limits: tuple[int, int], interval: Interval, column: Column, figure: Figure
) -> tuple[int, int]:
    bounded = Interval(Fraction(-UNLIMITED), Fraction(UNLIMITED)).intersect(interval)
    inside = integers_within(bounded) if bounded is not None else range(0)
    low, high = (max(limits[0], inside[0]), min(limits[1], inside[-1])) if inside else (1, 0)
    if low > high:
        raise ContradictionError(
            [*column.sources, figure.id], f"{figure.printed} leaves no whole number of steps"
        )
    return low, high


def _meet_p(column: Column, block: Block, figure: Figure) -> tuple[float, float]:
    interval = figure.printed.interval(block.rule, P_VALUE_DOMAIN)
    df = column.n - 1
    most = math.inf if interval.lower <= 0 else float(stats.t.isf(interval.lower / 2, df)) ** 2
    least = float(stats.t.isf(interval.upper / 2, df)) ** 2
    # An end that does not belong to the figure is moved inwards by one part in a billion.
    least *= 1 if interval.high_closed else 1 + 1e-9
    low, high = max(column.t_squared[0], least), min(column.t_squared[1], most)
    if low > high:
        raise ContradictionError(
            [*column.sources, figure.id], f"p {figure.printed} and the other p exclude each other"
        )
    return low, high


def _count_responders(column: Column, block: Block, figure: Figure) -> None:
    assert figure.threshold is not None
    least_fall = math.ceil(figure.threshold / block.scale.step)
    least, most = _whole(figure, block, column)
    column.counts.append((-block.levels, -least_fall, least, most))


def _whole(figure: Figure, block: Block, column: Column) -> tuple[int, int]:
    stated = figure.printed.interval(block.rule)
    possible = stated.intersect(Interval(Fraction(0), Fraction(column.n)))
    inside = range(0) if possible is None else integers_within(possible)
    if not inside:
        raise ContradictionError([figure.id], f"found {figure.printed} of {column.n} patients")
    return inside[0], inside[-1]


def _count_extreme(column: Column, block: Block, figure: Figure) -> None:
    if figure.printed.operator != "=":
        raise ValueError(
            f"{figure.id}: found {figure.printed}, allowed for an extreme is a plain figure"
        )
    interval = _shifted(figure.printed.interval(block.rule), -block.scale.minimum)
    inside = integers_within(scaled(interval, 1 / block.scale.step))
    if not inside:
        raise ContradictionError([figure.id], f"{figure.printed} is no step of the scale")
    column.counts.append((inside[0], inside[-1], 1, column.n))
    beyond = (
        (0, inside[0] - 1)
        if figure.statistic is Statistic.MINIMUM
        else (inside[-1] + 1, block.levels)
    )
    column.counts.append((*beyond, 0, 0))
