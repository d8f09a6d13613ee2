"""Integers of patients by values, as a linear programme in whole numbers.

The unknowns are the numbers of patients with each first value and each value at one visit (or, for
one column alone, with each value), and of missing patients with each first value; for every other
visit, the numbers of patients missing there with each first value, since the figures of that visit
limit the sum of their first values. Sums, sums of squares and responders are linear in them. The
spread W = nQ - S² is not; one 0/1 unknown for each possible sum S, of which exactly one is 1, makes
it so: given S, a limit on W or on the paired p is a limit on Q. The values at the other visits are
left out, so every optimum is an outer bound.

Solved by HiGHS through :func:`scipy.optimize.milp`. Values are taken from near the middle of their
column, which keeps the numbers small and the solver's tolerance (1e-6) far below the distance
between two integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import optimize, sparse

from rederive.reconstruct.block.boxes import Column, Window
from rederive.reconstruct.block.kernel import Floats, Integers
from rederive.reconstruct.bounds.moments import Meeting, Squares, ends_of, squares_of
from rederive.reconstruct.bounds.quantities import Part

Objective = tuple[Floats, float]
"""Coefficients of the unknowns, and a constant."""

_Cells = tuple[Floats, Floats]
"""The value of a column in each cell, and whether the cell has one (1) or not (0)."""

_Row = tuple[Floats, float, float]
"""Coefficients of a constraint with its ends."""

MOST_CELLS = 20_000
"""Most unknowns of a programme; larger scales are left to the single columns."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """Result of a programme: a bound that nothing passes, and the best solution found, if any.

    ``counts`` has one number per cell; none if they may be fractions.
    """

    bound: float
    solution: Floats | None
    counts: Integers | None


class NoDataError(ValueError):
    """The programme has no solution: no data keep all figures."""


class _Part:
    """One column: its value in each cell, which cells have one, and the unknowns of its sum."""

    def __init__(
        self, cells: _Cells, limits: Column, window: Window, squares: Squares | None, first: int
    ) -> None:
        self.values, self.inside = cells
        self.limits, self.window, self.squares = limits, window, squares
        self.n = limits.n
        self.centre = round(sum(window) / (2 * max(self.n, 1)))
        self.centred = (self.values - self.centre) * self.inside
        self.sums = tuple(squares or ())
        self.chosen = slice(first, first + len(self.sums))

    def shifted(self, total: int) -> int:
        return total - self.n * self.centre


class CountModel:
    """Integers of patients that keep the figures about the columns at one visit.

    Given ``alone``, only this column, whose cells are its own values. The spread of ``spread_of``
    will be asked for though nothing limits it. Of the ``others`` only who is missing there counts.
    """

    def __init__(
        self,
        meeting: Meeting,
        levels: int,
        alone: Part | None = None,
        spread_of: Part | None = None,
        others: Iterable[Meeting] = (),
    ) -> None:
        self.meeting = meeting
        self.levels = levels
        self._alone = alone
        cells = _own(levels, alone) if alone else _together(levels)
        self.cells = self._size = next(iter(cells.values()))[0].size
        self._parts: dict[Part, _Part] = {}
        for part, own in cells.items():
            limits, window = meeting.columns[part], meeting.windows[part]
            squares = meeting.squares.get(part)
            if squares is None and part is spread_of:
                squares = dict(squares_of(limits, window, ends_of(part, levels)))
            self._parts[part] = _Part(own, limits, window, squares, self._size)
            self._size += len(self._parts[part].sums)
        elsewhere = [m for m in others if alone is None and m.columns[Part.MISSING].n]
        self._gone = self._size
        self._size += len(elsewhere) * (levels + 1)
        rows, lows, highs = zip(*self._rows(elsewhere), strict=True)
        self._constraint = optimize.LinearConstraint(
            sparse.csr_array(np.array(rows)), list(lows), list(highs)
        )

    def _rows(self, elsewhere: list[Meeting]) -> Iterator[_Row]:
        for part in [self._alone] if self._alone else [Part.FOLLOWED, Part.MISSING]:
            column = self._parts[part]
            yield self._wide(column.inside), column.n, column.n
        for column in self._parts.values():
            yield from self._limit_sums(column)
            for low, high, least, most in column.limits.counts:
                yield self._within(column, low, high), least, most
        for k, other in enumerate(elsewhere):
            yield from self._limit_missing(self._gone + k * (self.levels + 1), other)

    def _limit_missing(self, first: int, other: Meeting) -> Iterator[_Row]:
        """Say that patients with fitting first values are missing at another visit."""
        steps = np.arange(self.levels + 1, dtype=float)
        here = slice(first, first + self.levels + 1)
        total = np.zeros(self._size)
        total[here] = 1
        yield total, other.columns[Part.MISSING].n, other.columns[Part.MISSING].n
        baseline = self._parts[Part.BASELINE]
        centre = baseline.centre
        for part, with_all in ((Part.MISSING, False), (Part.FOLLOWED, True)):
            row = self._wide(baseline.centred) if with_all else np.zeros(self._size)
            row[here] = (steps - centre) * (-1 if with_all else 1)
            low, high = (end - other.columns[part].n * centre for end in other.windows[part])
            yield row, low, high
        for step in range(self.levels + 1):
            row = self._wide(-(baseline.values == step).astype(float))
            row[first + step] = 1
            yield row, -np.inf, 0

    def _limit_sums(self, column: _Part) -> Iterator[_Row]:
        total = self._wide(column.centred)
        if column.squares is None:
            yield total, column.shifted(column.window[0]), column.shifted(column.window[1])
            return
        one = np.zeros(self._size)
        one[column.chosen] = 1
        yield one, 1, 1
        total[column.chosen] = [-column.shifted(s) for s in column.sums]
        yield total, 0, 0
        squares = self._wide(column.centred**2)
        centre = column.centre
        for end, low, high in ((0, 0.0, np.inf), (1, -np.inf, 0.0)):
            row = squares.copy()
            row[column.chosen] = [
                -(column.squares[s][end] - 2 * centre * s + column.n * centre**2)
                for s in column.sums
            ]
            yield row, low, high

    def _wide(self, cells: Floats) -> Floats:
        row = np.zeros(self._size)
        row[: self.cells] = cells
        return row

    def nothing(self) -> Objective:
        """Return the objective that is 0 whatever the counts."""
        return np.zeros(self._size), 0.0

    def within(self, part: Part, window: Window) -> Objective:
        """Return the objective that counts the numbers of a column within a window of steps."""
        return self._within(self._parts[part], *window), 0.0

    def _within(self, column: _Part, low: int, high: int) -> Floats:
        within = (column.values >= low) & (column.values <= high) & (column.inside > 0)
        return self._wide(within.astype(float))

    def total(self, part: Part) -> Objective:
        """Return the objective that is the sum of a column."""
        column = self._parts[part]
        return self._wide(column.centred), float(column.n * column.centre)

    def spread(self, part: Part) -> Objective:
        """Return the objective W = nQ - S² of a column."""
        column = self._parts[part]
        row = self._wide(column.n * column.centred**2)
        row[column.chosen] = [-(column.shifted(s) ** 2) for s in column.sums]
        return row, 0.0

    def excess(self, ratio: Fraction) -> Objective:
        """Return the objective S²(n - 1) / ratio - W of the changes: above 0 if t² > ratio."""
        column = self._parts[Part.CHANGE]
        row = -self.spread(Part.CHANGE)[0]
        terms = [s * s * (column.n - 1) / ratio for s in column.sums]
        base = round(min(terms))
        row[column.chosen] += [float(x - base) for x in terms]
        return row, float(base)

    def ratio(self, solution: Floats | None) -> Fraction | None:
        """Return t² of the changes of a solution, of which the counts may be fractions."""
        if solution is None:
            return None
        column = self._parts[Part.CHANGE]
        total = column.sums[int(np.argmax(solution[column.chosen]))]
        squares = Fraction(float(column.centred**2 @ solution[: self.cells]))
        spread = column.n * squares.limit_denominator(1000) - column.shifted(total) ** 2
        return Fraction(total * total * (column.n - 1)) / spread if spread > 0 else None

    def optimise(
        self,
        objective: Objective,
        highest: bool,
        *,
        whole: bool = True,
        time_limit: float = 60.0,
    ) -> Optimum:
        """Return the least or greatest value of an objective.

        Fractions (``whole`` false) give a weaker bound, sooner. When the ``time_limit`` in seconds
        is over, what is proved by then counts.

        Raises
        ------
        NoDataError
            If no counts keep the figures.
        """
        row, constant = objective
        sign = -1.0 if highest else 1.0
        sums = slice(self.cells, self._gone)
        integrality = np.full(self._size, float(whole))
        integrality[sums] = 1
        upper = np.full(self._size, np.inf)
        upper[sums] = 1
        result = optimize.milp(
            sign * row,
            integrality=integrality,
            bounds=optimize.Bounds(0, upper),
            constraints=[self._constraint],
            options={"mip_rel_gap": 0.0, "time_limit": time_limit},
        )
        if result.status == 2:
            raise NoDataError(f"no counts of patients keep the figures at visit {self.meeting.at}")
        dual = result.mip_dual_bound
        bound = sign * dual + constant if dual is not None else math.inf * -sign
        found = result.x is not None and whole
        counts = np.rint(result.x[: self.cells]).astype(np.int64) if found else None
        return Optimum(float(bound), result.x, counts)

    def rows_of(self, counts: Integers) -> tuple[Integers, Integers, Integers]:
        """Return first values and values of the followed, and the first values of the missing."""
        cells = np.repeat(np.arange(len(counts)), counts)
        first, value = np.divmod(cells, self.levels + 1)
        followed = first <= self.levels
        return first[followed], value[followed], value[~followed]


def fits(levels: int) -> bool:
    """Return whether a scale is small enough for counts by first value and value."""
    return (levels + 1) ** 2 + levels + 1 <= MOST_CELLS


def _together(levels: int) -> dict[Part, _Cells]:
    """Return values and membership of every pair of first value and value, then of the missing."""
    steps = np.arange(levels + 1, dtype=float)
    first = np.concatenate([np.repeat(steps, levels + 1), steps])
    visit = np.concatenate([np.tile(steps, levels + 1), np.zeros(levels + 1)])
    followed = np.concatenate([np.ones((levels + 1) ** 2), np.zeros(levels + 1)])
    return {
        Part.BASELINE: (first, np.ones_like(first)),
        Part.FOLLOWED: (first, followed),
        Part.MISSING: (first, 1 - followed),
        Part.VISIT: (visit, followed),
        Part.CHANGE: (visit - first, followed),
    }


def _own(levels: int, part: Part) -> dict[Part, _Cells]:
    low, high = ends_of(part, levels)
    values = np.arange(low, high + 1, dtype=float)
    return {part: (values, np.ones_like(values))}
