"""Printed figures as limits on sums, in whole steps of the scale.

A block has three families of columns: the values at each time point (*level*), their changes from
the first (*change*), and the first values of the patients followed later (*baseline of followed*).
With n values k, counted in steps, sum S and sum of squares Q, a printed mean limits S, a printed SD
or standard error limits W = nQ - S² = n(n - 1)·variance, a printed paired p limits
t² = S²(n - 1) / W, and an end of a confidence interval S/n ± t·√(W / (n²(n - 1))).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from scipy import stats

from rederive.printed import Interval
from rederive.reconstruct.block.figures import Block, Figure, Statistic

UNLIMITED = 2**60
"""Stands for no limit on a sum."""

Window = tuple[int, int]
"""Least and greatest whole number."""

_ANY_SPREAD = (0, UNLIMITED), (0.0, math.inf)

CONFIDENCE = 0.95
"""Of the confidence intervals of a mean."""

_MARGIN = 1e-9
"""Of a limit in floating point: an end that belongs to the figure lies so much further out."""


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
    ``ends`` holds (t, low, high), limits of mean + t·SE in steps; ``counts`` (low, high, least,
    most): between ``least`` and ``most`` of the numbers lie between ``low`` and ``high``, all ends
    included. ``sources`` are the ids of the figures.
    """

    n: int
    total: Window = (-UNLIMITED, UNLIMITED)
    spread: Window = (0, UNLIMITED)
    t_squared: tuple[float, float] = (0.0, math.inf)
    ends: list[tuple[float, float, float]] = field(default_factory=list)
    counts: list[tuple[int, int, int, int]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    @property
    def limits_spread(self) -> bool:
        """Whether an SD, a p value or an end of a confidence interval is printed."""
        return bool(self.ends) or (self.spread, self.t_squared) != _ANY_SPREAD

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
        if not (self.total[0] <= total <= self.total[1] and low <= ratio <= high):
            return False
        error = math.sqrt(spread / (self.n - 1)) / self.n if self.ends else 0.0
        return all(low <= total / self.n + t * error <= high for t, low, high in self.ends)


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
        families = {"": boxes.level, "change": boxes.change, "baseline": boxes.followed}
        column = families[figure.statistic.family][block.index(figure.at)]
        _narrow(column, block, figure)
        column.sources.append(figure.id)
    return boxes


def _narrow(column: Column, block: Block, figure: Figure) -> None:
    n, step, statistic = column.n, block.scale.step, figure.statistic
    if n < statistic.fewest:
        raise ValueError(f"{figure.id}: {n} patients at {figure.at} are too few for a figure")
    interval = figure.interval(block.rule)
    in_steps = interval.shifted(0 if statistic.family == "change" else -block.scale.minimum)
    own, about = [figure.id], [*column.sources, figure.id]
    no_steps = f"{figure.printed} leaves no whole number of steps"
    match statistic.kind:
        case "mean":
            column.total = _whole(in_steps.scaled(n / step), column.total, about, no_steps)
        case "sd" | "se":
            variances = interval.squared()
            assert variances is not None
            factor = n * (n - 1) * (n if statistic.kind == "se" else 1)
            spreads = variances.scaled(factor / step**2)
            column.spread = _whole(spreads, column.spread, about, no_steps)
        case "ci_low" | "ci_high":
            t = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))
            ends = in_steps.scaled(1 / step)
            low = ends.lower - (_MARGIN if ends.low_closed else -_MARGIN)
            high = ends.upper + (_MARGIN if ends.high_closed else -_MARGIN)
            column.ends.append((-t if statistic.kind == "ci_low" else t, low, high))
        case "paired_p":
            column.t_squared = _meet_p(column, interval, figure)
        case "minimum" | "maximum":
            _count_extreme(column, block, figure)
        case "median" | "q1" | "q3":
            first, last, _ = block.quantile(figure)
            ends, low = in_steps.scaled(1 / step), -block.levels
            below = Interval(None, ends.high, high_closed=ends.high_closed)
            above = Interval(ends.low, None, low_closed=ends.low_closed)
            for beyond, least in ((below, first), (above, n - last + 1)):
                why = f"{figure.printed} is beyond the scale"
                column.counts.append((*_whole(beyond, (low, block.levels), own, why), least, n))
        case "signed_rank_p":
            pass
        case _:
            assert figure.threshold is not None
            counted = counted_window(statistic, figure.threshold, figure.rises, block)
            why = f"found {figure.printed} of {n} patients"
            column.counts.append((*counted, *_whole(interval, (0, n), own, why)))


def counted_window(statistic: Statistic, threshold: Fraction, rises: bool, block: Block) -> Window:
    """Return the least and the greatest change of a responder, or value counted, in steps."""
    if statistic is Statistic.RESPONDERS:
        least = math.ceil(threshold / block.scale.step)
        return (least, block.levels) if rises else (-block.levels, -least)
    steps = (threshold - block.scale.minimum) / block.scale.step
    if statistic is Statistic.AT_LEAST:
        return math.ceil(steps), block.levels
    return 0, math.floor(steps)


def _whole(interval: Interval, limits: Window, figures: list[str], why: str) -> Window:
    """Return the least and the greatest whole number of an interval within limits.

    Where there is none, the figures contradict each other, for the reason given.
    """
    common = interval.intersect(Interval(Fraction(limits[0]), Fraction(limits[1])))
    inside = range(0) if common is None else common.integers()
    if not inside:
        raise ContradictionError(figures, why)
    return inside[0], inside[-1]


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


def _count_extreme(column: Column, block: Block, figure: Figure) -> None:
    if figure.printed.operator != "=":
        raise ValueError(
            f"{figure.id}: found {figure.printed}, allowed for an extreme is a plain figure"
        )
    interval = figure.interval(block.rule).shifted(-block.scale.minimum)
    steps, why = interval.scaled(1 / block.scale.step), f"{figure.printed} is no step of the scale"
    inside = _whole(steps, (-UNLIMITED, UNLIMITED), [figure.id], why)
    lowest = figure.statistic is Statistic.MINIMUM
    beyond = (0, inside[0] - 1) if lowest else (inside[1] + 1, block.levels)
    column.counts += [(*inside, 1, column.n), (*beyond, 0, 0)]
