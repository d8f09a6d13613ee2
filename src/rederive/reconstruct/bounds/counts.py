"""Counts of patients by values, as a linear programme in whole numbers.

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
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from rederive.reconstruct.block.boxes import Column
from rederive.reconstruct.bounds.moments import Meeting, Part, Squares, Window, squares_of

Vector = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Objective = tuple[Vector, float]
_Add = Callable[[Vector, float, float], None]

MOST_CELLS = 20_000
"""Most unknowns of a programme; larger scales are left to the single columns."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """Result of a programme.

    Attributes
    ----------
    bound : float
        Nothing passes it.
    solution : array or None
        All unknowns of the best solution found, if any.
    counts : array of int or None
        Its counts, one per cell; none if they may be fractions.
    """

    bound: float
    solution: Vector | None
    counts: Counts | None


class NoDataError(ValueError):
    """The programme has no solution: no data keep all figures."""


@dataclass(slots=True)
class _Part:
    """One column: its value in each cell, which cells have one, and the unknowns of its sum."""

    n: int
    values: Vector
    inside: Vector
    window: Window
    limits: Column
    squares: Squares | None
    centre: int = 0
    first: int = -1
    sums: tuple[int, ...] = ()

    def centred(self) -> Vector:
        return (self.values - self.centre) * self.inside

    def squared(self) -> Vector:
        return self.centred() ** 2

    def shifted(self, total: int) -> int:
        return total - self.n * self.centre

    def shifted_squares(self, total: int, squares: int) -> int:
        return squares - 2 * self.centre * total + self.n * self.centre**2


class CountModel:
    """Counts of patients that keep the figures about some columns.

    Parameters
    ----------
    meeting : Meeting
        Limits of the columns at one visit.
    levels : int
        Number of steps between the ends of the scale.
    alone : Part, optional
        Only this column, whose cells are its own values.
    spread_of : Part, optional
        Column whose spread will be asked for though nothing limits it.
    others : iterable of Meeting
        What is known of the other visits; of these, only who is missing there.
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
        self._parts = _alone(meeting, levels, alone) if alone else _together(meeting, levels)
        self.cells = next(iter(self._parts.values())).values.size
        self._size = self.cells
        for part, column in self._parts.items():
            low, high = meeting.windows[part]
            column.centre = round((low + high) / (2 * max(column.n, 1)))
            if column.squares is None and part is spread_of:
                ends = (-levels if part is Part.CHANGE else 0, levels)
                column.squares = squares_of(column.limits, column.window, ends)
            if column.squares is not None:
                column.first, column.sums = self._size, tuple(column.squares)
                self._size += len(column.sums)
        elsewhere = [other for other in others if alone is None and other.sizes[Part.MISSING]]
        self._gone = self._size
        self._size += len(elsewhere) * (levels + 1)
        self._constraint = self._rows(alone, elsewhere)

    def _rows(self, alone: Part | None, elsewhere: list[Meeting]) -> optimize.LinearConstraint:
        rows: list[Vector] = []
        lows: list[float] = []
        highs: list[float] = []

        def add(row: Vector, low: float, high: float) -> None:
            rows.append(row)
            lows.append(low)
            highs.append(high)

        sizes = [Part.FOLLOWED, Part.MISSING] if alone is None else [alone]
        for part in sizes:
            column = self._parts[part]
            add(self._wide(column.inside), column.n, column.n)
        for column in self._parts.values():
            self._limit_sums(column, add)
            for low, high, least, most in column.limits.counts:
                within = (column.values >= low) & (column.values <= high) & (column.inside > 0)
                add(self._wide(within.astype(float)), least, most)
        for k, other in enumerate(elsewhere):
            self._limit_missing(self._gone + k * (self.levels + 1), other, add)
        return optimize.LinearConstraint(sparse.csr_array(np.array(rows)), lows, highs)

    def _limit_missing(self, first: int, other: Meeting, add: _Add) -> None:
        """Say that patients with fitting first values are missing at another visit."""
        steps = np.arange(self.levels + 1, dtype=float)
        here = slice(first, first + self.levels + 1)
        total = np.zeros(self._size)
        total[here] = 1
        add(total, other.sizes[Part.MISSING], other.sizes[Part.MISSING])
        baseline = self._parts[Part.BASELINE]
        centre = baseline.centre
        for part, with_all in ((Part.MISSING, False), (Part.FOLLOWED, True)):
            row = self._wide(baseline.centred()) if with_all else np.zeros(self._size)
            row[here] = (steps - centre) * (-1 if with_all else 1)
            shift = other.sizes[part] * centre
            add(row, *(end - shift for end in other.windows[part]))
        for step in range(self.levels + 1):
            row = self._wide(-(baseline.values == step).astype(float))
            row[first + step] = 1
            add(row, -np.inf, 0)

    def _limit_sums(self, column: _Part, add: _Add) -> None:
        total = self._wide(column.centred())
        if column.squares is None:
            add(total, *(column.shifted(end) for end in column.window))
            return
        here = slice(column.first, column.first + len(column.sums))
        one = np.zeros(self._size)
        one[here] = 1
        add(one, 1, 1)
        total[here] = [-column.shifted(s) for s in column.sums]
        add(total, 0, 0)
        squares = self._wide(column.squared())
        for end, low, high in ((0, 0.0, np.inf), (1, -np.inf, 0.0)):
            row = squares.copy()
            row[here] = [-column.shifted_squares(s, column.squares[s][end]) for s in column.sums]
            add(row, low, high)

    def _wide(self, cells: Vector) -> Vector:
        row = np.zeros(self._size)
        row[: self.cells] = cells
        return row

    def responders(self, least_fall: int) -> Objective:
        """Return the objective that counts falls of ``least_fall`` steps or more."""
        column = self._parts[Part.CHANGE]
        return self._wide(((column.values <= -least_fall) & (column.inside > 0)).astype(float)), 0.0

    def total(self, part: Part) -> Objective:
        """Return the objective that is the sum of a column."""
        column = self._parts[part]
        return self._wide(column.centred()), float(column.n * column.centre)

    def spread(self, part: Part) -> Objective:
        """Return the objective W = nQ - S² of a column."""
        column = self._parts[part]
        row = self._wide(column.n * column.squared())
        row[column.first : column.first + len(column.sums)] = [
            -(column.shifted(s) ** 2) for s in column.sums
        ]
        return row, 0.0

    def excess(self, ratio: Fraction) -> Objective:
        """Return the objective S²(n - 1) / ratio - W of the changes: above 0 if t² > ratio."""
        column = self._parts[Part.CHANGE]
        row = -self.spread(Part.CHANGE)[0]
        terms = [s * s * (column.n - 1) / ratio for s in column.sums]
        base = round(min(terms))
        row[column.first : column.first + len(column.sums)] += [float(x - base) for x in terms]
        return row, float(base)

    def ratio(self, solution: Vector | None) -> Fraction | None:
        """Return t² of the changes of a solution, of which the counts may be fractions."""
        if solution is None:
            return None
        column = self._parts[Part.CHANGE]
        chosen = int(np.argmax(solution[column.first : column.first + len(column.sums)]))
        total = column.sums[chosen]
        squares = Fraction(float(column.squared() @ solution[: self.cells])).limit_denominator(1000)
        spread = column.n * squares - column.shifted(total) ** 2
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

        Parameters
        ----------
        objective : tuple
            Coefficients and a constant.
        highest : bool
            Whether the greatest is wanted.
        whole : bool
            Whether the counts have to be whole numbers; fractions give a weaker bound, sooner.
        time_limit : float
            Seconds; when they are over, what is proved by then counts.

        Raises
        ------
        NoDataError
            If no counts keep the figures.
        """
        row, constant = objective
        sign = -1.0 if highest else 1.0
        result = self._solve(sign * row, [self._constraint], whole, time_limit, 0.0)
        if result.status == 2:
            raise NoDataError(f"no counts of patients keep the figures at visit {self.meeting.at}")
        dual = result.mip_dual_bound
        bound = sign * dual + constant if dual is not None else math.inf * -sign
        found = result.x is not None and whole
        counts = np.rint(result.x[: self.cells]).astype(np.int64) if found else None
        return Optimum(float(bound), result.x, counts)

    def another(
        self, objective: Objective, low: float, high: float, seed: int, time_limit: float
    ) -> Counts | None:
        """Return counts whose objective lies within limits, one of many at random; None if late."""
        row, constant = objective
        costs = np.zeros(self._size)
        costs[: self.cells] = np.random.default_rng(seed).random(self.cells)
        held = optimize.LinearConstraint(row[np.newaxis], low - constant, high - constant)
        result = self._solve(costs, [self._constraint, held], True, time_limit, 0.5)
        return None if result.x is None else np.rint(result.x[: self.cells]).astype(np.int64)

    def _solve(
        self,
        costs: Vector,
        constraints: list[optimize.LinearConstraint],
        whole: bool,
        time_limit: float,
        gap: float,
    ) -> optimize.OptimizeResult:
        sums = slice(self.cells, self._gone)
        integrality = np.full(self._size, float(whole))
        integrality[sums] = 1
        upper = np.full(self._size, np.inf)
        upper[sums] = 1
        return optimize.milp(
            costs,
            integrality=integrality,
            bounds=optimize.Bounds(0, upper),
            constraints=constraints,
            options={"mip_rel_gap": gap, "time_limit": time_limit},
        )

    def rows_of(self, counts: Counts) -> tuple[list[tuple[int, int]], list[int]]:
        """Return (first value, value) of the followed and the first values of the missing."""
        width = self.levels + 1
        pairs = width * width
        followed = [
            divmod(cell, width)
            for cell, count in enumerate(counts[:pairs].tolist())
            for _ in range(count)
        ]
        missing = [
            value for value, count in enumerate(counts[pairs:].tolist()) for _ in range(count)
        ]
        return followed, missing


def fits(levels: int) -> bool:
    """Return whether a scale is small enough for counts by first value and value."""
    return (levels + 1) ** 2 + levels + 1 <= MOST_CELLS


def _together(meeting: Meeting, levels: int) -> dict[Part, _Part]:
    steps = np.arange(levels + 1, dtype=float)
    first = np.concatenate([np.repeat(steps, levels + 1), steps])
    visit = np.concatenate([np.tile(steps, levels + 1), np.zeros(levels + 1)])
    followed = np.concatenate([np.ones((levels + 1) ** 2), np.zeros(levels + 1)])
    values = {
        Part.BASELINE: (first, np.ones_like(first)),
        Part.FOLLOWED: (first, followed),
        Part.MISSING: (first, 1 - followed),
        Part.VISIT: (visit, followed),
        Part.CHANGE: (visit - first, followed),
    }
    return {part: _part(meeting, part, *of) for part, of in values.items()}


def _alone(meeting: Meeting, levels: int, part: Part) -> dict[Part, _Part]:
    low = -levels if part is Part.CHANGE else 0
    values = np.arange(low, levels + 1, dtype=float)
    return {part: _part(meeting, part, values, np.ones_like(values))}


def _part(meeting: Meeting, part: Part, values: Vector, inside: Vector) -> _Part:
    return _Part(
        meeting.sizes[part],
        values,
        inside,
        meeting.windows[part],
        meeting.columns[part],
        meeting.squares.get(part),
    )
