"""One question and the search for a witness of it: data that keep all figures, near an end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from scipy import stats

from rederive.printed import PrintedNumber
from rederive.printed.number import format_fixed
from rederive.reconstruct.block import (
    FLAT,
    Block,
    BlockData,
    ContradictionError,
    Figure,
    NothingFoundError,
    Statistic,
    find_data,
)
from rederive.reconstruct.block.kernel import Integers
from rederive.reconstruct.block.sampling import draw_start
from rederive.reconstruct.bounds.counts import CountModel
from rederive.reconstruct.bounds.moments import Meeting, Squares, ends_of, squares_of
from rederive.reconstruct.bounds.quantities import Exact, Kind, Part, Quantity
from rederive.reconstruct.bounds.result import Cells

_DECIMALS = 15
_P_DECIMALS = 60
_MOST_TOTALS = 6


def figures_beyond(
    quantity: Quantity, block: Block, target: Exact, highest: bool, baseline: tuple[int, int]
) -> Iterator[tuple[Figure, ...]]:
    """Yield sets of figures, one of which holds for every data set at or beyond a target.

    ``baseline`` are the least and the greatest sum of all first values, in steps; for the mean of
    the missing each of them has its own set of figures.
    """
    at, n, step = quantity.at, block.observed[block.index(quantity.at)], block.scale.step
    match quantity.kind:
        case kind if kind.is_count:
            text = format_fixed(Fraction(target), 0)
            asked = quantity.threshold, quantity.rises
            yield (_figure(kind.statistic, at, text, highest, *asked),)
        case Kind.SD | Kind.CHANGE_SD:
            half = Fraction(1, 2 * n * (n - 1)) * step**2
            variance = Fraction(target) + (-half if highest else half)
            if variance > 0:
                text = format_fixed(Fraction(math.sqrt(variance)), _DECIMALS)
                yield (_figure(quantity.kind.statistic, at, text, highest),)
            else:
                yield ()
        case Kind.PAIRED_P if target == math.inf:
            text = format_fixed(step / (2 * n), _DECIMALS)
            yield (_figure(Statistic.CHANGE_SD, at, text, False),)
        case Kind.PAIRED_P:
            t_squared = float(target) * (1 - 1e-8 if highest else 1 + 1e-8)
            p = min(1.0, float(2 * stats.t.sf(math.sqrt(t_squared), n - 1)))
            text = format_fixed(Fraction(p), _P_DECIMALS)
            yield (_figure(Statistic.PAIRED_P, at, text, not highest),)
        case Kind.MISSING_BASELINE_MEAN:
            missing = block.observed[0] - n
            gone = round((Fraction(target) - block.scale.minimum) * missing / step)
            first = block.timepoints[0]
            totals = range(baseline[0], baseline[1] + 1)[:: -1 if highest else 1]
            for total in totals[:_MOST_TOTALS]:
                everyone = Statistic.MEAN, first, block, block.observed[0], total
                yield (
                    _sum_figure(*everyone, True),
                    _sum_figure(*everyone, False),
                    _sum_figure(Statistic.BASELINE_MEAN, at, block, n, total - gone, not highest),
                )
        case _:
            quarter = step / (4 * n)
            text = format_fixed(Fraction(target) + (-quarter if highest else quarter), _DECIMALS)
            yield (_figure(quantity.kind.statistic, at, text, highest),)


def _figure(
    statistic: Statistic,
    at: str,
    text: str,
    least: bool,
    threshold: Fraction | None = None,
    rises: bool = False,
) -> Figure:
    operator = "≥" if least else "≤"
    name = f"target-{statistic}-{at}-{operator}"
    return Figure(name, statistic, at, PrintedNumber(text, operator), threshold, rises)


def _sum_figure(
    statistic: Statistic, at: str, block: Block, n: int, total: int, least: bool
) -> Figure:
    middle = total + (Fraction(-1, 4) if least else Fraction(1, 4))
    value = block.scale.minimum + middle * block.scale.step / n
    return _figure(statistic, at, format_fixed(value, _DECIMALS), least)


ATTEMPTS, ITERATIONS = 3, 300_000
"""Of each search for a witness."""


@dataclass(slots=True)
class Task:
    """A quantity, the block without the dropped figures, and how hard to try.

    ``meetings`` says what single columns allow, by position of the visit; ``time_limit`` is in
    seconds for each integer programme.
    """

    block: Block
    quantity: Quantity
    meetings: dict[int, Meeting]
    time_limit: float
    models: dict[tuple[int, Part | None], CountModel] = field(default_factory=dict)

    @property
    def part(self) -> Part:
        """The column that the quantity is about."""
        if self.block.index(self.quantity.at) == 0:
            return Part.BASELINE
        return self.quantity.kind.part

    @property
    def visits(self) -> list[Meeting]:
        """The visits whose figures limit the quantity directly."""
        at = self.block.index(self.quantity.at)
        return [m for m in self.meetings.values() if at in (0, m.at)]

    def squares(self, meeting: Meeting) -> Squares:
        """Return the sums of squares of the quantity's column."""
        part = self.part
        if part in meeting.squares:
            return meeting.squares[part]
        ends = ends_of(part, self.block.levels)
        return dict(squares_of(meeting.columns[part], meeting.windows[part], ends))

    def model(self, meeting: Meeting, alone: Part | None) -> CountModel:
        """Return the programme of a visit, built once."""
        place = (meeting.at, alone)
        if place not in self.models:
            wanted = self.part if self.quantity.kind.of_spread else None
            others = [m for m in self.meetings.values() if m.at != meeting.at]
            self.models[place] = CountModel(meeting, self.block.levels, alone, wanted, others)
        return self.models[place]

    def of_sum(self, total: int | Fraction) -> Fraction:
        """Return the exact mean of the quantity's column with a sum."""
        return self.quantity.of_sum(total, self.visits[0].columns[self.part].n, self.block)


def searched(
    block: Block, start: BlockData | None = None, visit: int | None = None
) -> BlockData | None:
    """Return data that keep all figures, or ``None`` if none are found; as `find_data`."""
    try:
        return find_data(block, start=start, visit=visit, attempts=ATTEMPTS, iterations=ITERATIONS)
    except (ContradictionError, NothingFoundError):
        return None


def completed(block: Block, model: CountModel, counts: Integers) -> BlockData | None:
    """Return data whose baseline and one visit have these counts, or ``None`` if none are found.

    ``model`` and ``counts`` are a programme and a solution of it; the other visits are searched.
    """
    at = model.meeting.at
    first, value, missing = model.rows_of(counts)
    n = len(first)
    values, mask = draw_start(block, FLAT, np.random.default_rng(0))
    mask[:, at] = False
    mask[:n, at] = True
    values[:n, 0], values[:n, at] = first, value
    values[n : n + len(missing), 0] = missing
    return searched(block, BlockData(block, values, mask), at)


def cells_of(data: BlockData) -> Cells:
    """Return the measured values of a data set, None where nothing was measured."""
    return tuple(
        tuple(int(v) if seen else None for v, seen in zip(row, known, strict=True))
        for row, known in zip(data.values.tolist(), data.mask.tolist(), strict=True)
    )
