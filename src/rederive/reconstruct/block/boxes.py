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

from rederive.consistency.lattice import integers_within, scaled, squared
from rederive.printed import Interval
from rederive.reconstruct.block.figures import Block, Figure, Statistic

UNLIMITED = 2**60
"""Stands for no limit on a sum."""

Window = tuple[int, int]
"""Least and greatest whole number."""


class ContradictionError(ValueError):
    """Printed figures that no data on the scale have together.

    Attributes
    ----------
    figures : tuple of str
        Ids of figures that cannot hold together.
    why : str
        The reason.
    """

    def __init__(self, figures: Iterable[str], why: str) -> None:
        self.figures, self.why = tuple(figures), why
        super().__init__(f"no data print {', '.join(self.figures)} together: {why}")


@dataclass(slots=True)
class Column:
    """Limits on one column of ``n`` whole numbers of steps.

    ``total`` and ``spread`` are the inclusive limits of S and W, ``t_squared`` those of t²;
    ``counts`` holds (low, high, least, most): between ``least`` and ``most`` of the numbers lie
    between ``low`` and ``high``, all ends included. ``sources`` are the ids of the figures.
    """

    n: int
    total: Window = (-UNLIMITED, UNLIMITED)
    spread: Window = (0, UNLIMITED)
    t_squared: tuple[float, float] = (0.0, math.inf)
    counts: list[tuple[int, int, int, int]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    @property
    def limits_spread(self) -> bool:
        """Whether an SD or a p value is printed."""
        return self.spread != (0, UNLIMITED) or self.t_squared != (0.0, math.inf)

    def admits(self, total: int, squares: int) -> bool:
        """Return whether a sum and a sum of squares keep the limits (counts apart)."""
        spread = self.n * squares - total * total
        low, high = self.t_squared
        if not self.spread[0] <= spread <= self.spread[1]:
            return False
        if total == 0 or spread == 0:
            ratio = math.inf if total else 0.0
        else:
            ratio = total * total * (self.n - 1) / spread
        return self.total[0] <= total <= self.total[1] and low <= ratio <= high


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


def t_squared(n: int, total: int, spread: int) -> Fraction | float:
    """Return t² from S and W; 0 for no sum, infinite without spread."""
    if total == 0:
        return Fraction(0)
    return math.inf if spread == 0 else Fraction(total * total * (n - 1), spread)


def clip(*windows: Window) -> Window:
    """Return what is common to windows; the first end exceeds the second where that is nothing."""
    return max(w[0] for w in windows), min(w[1] for w in windows)


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
        family = boxes.change if figure.statistic.needs_followup else boxes.level
        if figure.statistic in (Statistic.BASELINE_MEAN, Statistic.BASELINE_SD):
            family = boxes.followed
        column = family[block.index(figure.at)]
        _narrow(column, block, figure)
        column.sources.append(figure.id)
    return boxes


def _narrow(column: Column, block: Block, figure: Figure) -> None:
    n, step, statistic = column.n, block.scale.step, figure.statistic
    if n < (2 if statistic.is_sd or statistic is Statistic.PAIRED_P else 1):
        raise ValueError(f"{figure.id}: {n} patients at {figure.at} are too few for a figure")
    interval = figure.interval(block.rule)
    match statistic:
        case Statistic.MEAN | Statistic.BASELINE_MEAN:
            sums = scaled(_shifted(interval, -block.scale.minimum), n / step)
            column.total = _meet(column.total, sums, column, figure)
        case Statistic.CHANGE_MEAN:
            column.total = _meet(column.total, scaled(interval, n / step), column, figure)
        case Statistic.SD | Statistic.BASELINE_SD | Statistic.CHANGE_SD:
            variances = squared(interval)
            assert variances is not None
            spreads = scaled(variances, Fraction(n * (n - 1)) / step**2)
            column.spread = _meet(column.spread, spreads, column, figure)
        case Statistic.PAIRED_P:
            column.t_squared = _meet_p(column, interval, figure)
        case Statistic.RESPONDERS:
            assert figure.threshold is not None
            response = response_window(figure.threshold, figure.rises, block)
            column.counts.append((*response, *_count(interval, n, figure)))
        case Statistic.MINIMUM | Statistic.MAXIMUM:
            _count_extreme(column, block, figure)


def response_window(threshold: Fraction, rises: bool, block: Block) -> Window:
    """Return the least and the greatest change of a responder, in steps."""
    least = math.ceil(threshold / block.scale.step)
    return (least, block.levels) if rises else (-block.levels, -least)


def _shifted(interval: Interval, by: Fraction) -> Interval:
    low = None if interval.low is None else interval.low + by
    high = None if interval.high is None else interval.high + by
    return Interval(low, high, interval.low_closed, interval.high_closed)


def _meet(limits: Window, interval: Interval, column: Column, figure: Figure) -> Window:
    found = _whole(interval, *limits)
    if found is None:
        raise ContradictionError(
            [*column.sources, figure.id], f"{figure.printed} leaves no whole number of steps"
        )
    return found


def _whole(interval: Interval, low: int, high: int) -> Window | None:
    """Return the least and the greatest whole number of an interval within limits."""
    common = interval.intersect(Interval(Fraction(low), Fraction(high)))
    inside = range(0) if common is None else integers_within(common)
    return (inside[0], inside[-1]) if inside else None


def _meet_p(column: Column, interval: Interval, figure: Figure) -> tuple[float, float]:
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


def _count(interval: Interval, n: int, figure: Figure) -> Window:
    found = _whole(interval, 0, n)
    if found is None:
        raise ContradictionError([figure.id], f"found {figure.printed} of {n} patients")
    return found


def _count_extreme(column: Column, block: Block, figure: Figure) -> None:
    if figure.printed.operator != "=":
        raise ValueError(
            f"{figure.id}: found {figure.printed}, allowed for an extreme is a plain figure"
        )
    interval = _shifted(figure.interval(block.rule), -block.scale.minimum)
    inside = _whole(scaled(interval, 1 / block.scale.step), -UNLIMITED, UNLIMITED)
    if inside is None:
        raise ContradictionError([figure.id], f"{figure.printed} is no step of the scale")
    lowest = figure.statistic is Statistic.MINIMUM
    beyond = (0, inside[0] - 1) if lowest else (inside[1] + 1, block.levels)
    column.counts += [(*inside, 1, column.n), (*beyond, 0, 0)]
