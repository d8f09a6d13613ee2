"""Whether any data print all figures of a block: proofs that there are none, and searches for some.

From cheap to dear: each column on its own in whole numbers; the sums and spreads of the first time
point, a later one and the change between them; a search; and for each later time point an integer
programme over the number of patients with each pair of values, solved by HiGHS. A proof of the last
kind rests on the solver (feasibility tolerance 1e-6; limits between whole numbers are set half-way,
so that rounding cannot cut off data).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from rederive.recompute.consistency.multiset import (
    exists,
    greatest_squares_sum,
    least_squares_sum,
)
from rederive.reconstruct.block import (
    FLAT,
    Block,
    BlockData,
    ContradictionError,
    NothingFoundError,
    boxes_of,
    find_data,
    holds,
)
from rederive.reconstruct.block.boxes import UNLIMITED, Boxes, Column

MOST_CELLS = 20_000
"""Most pairs of values for which an integer programme is set up."""

MOST_SUMS = 1_500
"""Most sums of a column that an integer programme tells apart; beyond, its spread is left free."""

_MOST_PAIRS = 20_000
"""Most pairs (sum, sum of squares) that are looked at for one column."""

_SLACK = 1e-9


class Outcome(StrEnum):
    """What is known of the existence of data."""

    CONTRADICTION = "contradiction"
    FOUND = "data found"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known, and why.

    Attributes
    ----------
    figures : tuple of str
        For a contradiction: ids of figures that cannot hold together, not necessarily few.
    why : str
        The kind of proof, or what was tried.
    data : BlockData or None
        Data, if some were found.
    """

    outcome: Outcome
    figures: tuple[str, ...] = ()
    why: str = ""
    data: BlockData | None = None


def decide(block: Block, seconds: float, seed: int = 0, attempts: int = 2) -> Answer:
    """Decide whether any data print all figures of a block.

    Parameters
    ----------
    block : Block
        The figures.
    seconds : float
        Time for the integer programmes; one search is always made.
    seed, attempts : int
        Of the search.
    """
    deadline = time.monotonic() + seconds
    shown = refute(block)
    if shown is not None:
        return shown
    try:
        found = find_data(block, FLAT, seed, attempts=attempts)
        return Answer(Outcome.FOUND, data=found, why="found by search")
    except NothingFoundError:
        pass
    boxes = boxes_of(block)
    for name, column, low, high in _columns(block, boxes):
        left = deadline - time.monotonic()
        if left > 0 and column.counts and _column_by_programme(column, low, high, left):
            why = f"an integer programme shows that no {column.n} values have such {name}"
            return Answer(Outcome.CONTRADICTION, tuple(column.sources), why)
    for at in _visits(boxes):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        answer = _by_programme(block, boxes, at, left, seed)
        if answer is not None:
            return answer
    return Answer(Outcome.UNDECIDED, why="neither data nor a proof in the time given")


def refute(block: Block) -> Answer | None:
    """Return a contradiction that a fast proof finds, or ``None``."""
    for figure in block.figures:
        try:
            boxes_of(block.only([figure.id]))
        except ValueError:
            n = block.observed[block.index(figure.at)]
            why = f"{n} values on the scale cannot have it"
            return Answer(Outcome.CONTRADICTION, (figure.id,), why)
    try:
        boxes = boxes_of(block)
    except ContradictionError as error:
        why = "the figures leave no sum, spread or count of one column"
        return Answer(Outcome.CONTRADICTION, error.figures, why)
    for name, column, low, high in _columns(block, boxes):
        if column.limited and _column_is_empty(column, low, high):
            why = f"no {column.n} values on the scale have such {name}"
            return Answer(Outcome.CONTRADICTION, tuple(column.sources), why)
    for at in range(1, len(block.timepoints)):
        words = _pair_is_empty(block, boxes, at)
        if words:
            return Answer(Outcome.CONTRADICTION, _sources(boxes, at), words)
    return None


# One column


def _columns(block: Block, boxes: Boxes) -> Iterator[tuple[str, Column, int, int]]:
    for t, at in enumerate(block.timepoints):
        yield f"values at {at}", boxes.level[t], 0, block.levels
        yield f"changes to {at}", boxes.change[t], -block.levels, block.levels
        yield f"first values of those followed at {at}", boxes.followed[t], 0, block.levels


def _column_is_empty(column: Column, low: int, high: int) -> bool:
    """Return whether whole-number arithmetic proves that no values keep the limits."""
    low, high = _narrowed(column, low, high)
    if low > high:
        return True
    looked = 0
    fixed = _forced(column, low, high)
    n = column.n - len(fixed)
    if n < 0:
        return True
    base, base_squares = sum(fixed), sum(value * value for value in fixed)
    for total in _sums(column, low, high):
        for squares in _squares(column, total, low, high):
            looked += 1
            if looked > _MOST_PAIRS:
                return False
            rest, rest_squares = total - base, squares - base_squares
            if n == 0:
                possible = rest == 0 and rest_squares == 0
            else:
                possible = exists(n, rest, rest_squares, low, high) is not False
            if possible and column.admits(total, squares):
                return False
        looked += 1
        if looked > _MOST_PAIRS:
            return False
    return True


def _narrowed(column: Column, low: int, high: int) -> tuple[int, int]:
    """Return the range that is left by the parts at its ends in which no value may lie."""
    for first, last, _, most in column.counts:
        if most == 0 and first <= low:
            low = max(low, last + 1)
        if most == 0 and last >= high:
            high = min(high, first - 1)
    return low, high


def _forced(column: Column, low: int, high: int) -> list[int]:
    """Return values that must occur: the printed extremes, where these are single steps."""
    forced = {first for first, last, least, _ in column.counts if least >= 1 and first == last}
    return sorted(value for value in forced if low <= value <= high)


def _sums(column: Column, low: int, high: int) -> range:
    first, last = max(column.total[0], column.n * low), min(column.total[1], column.n * high)
    return range(first, last + 1)


def _squares_limits(column: Column, total: int, low: int, high: int) -> tuple[int, int]:
    """Return the least and greatest sum of squares that SD, p and range leave for a sum."""
    n, square = column.n, total * total
    least_spread, most_spread = column.spread
    if square == 0:
        if column.t_squared[0] > 0:
            return 1, 0
    else:
        if column.t_squared[0] > 0:
            most = square * (n - 1) / column.t_squared[0] * (1 + _SLACK)
            most_spread = min(most_spread, math.floor(most))
        if 0 < column.t_squared[1] < math.inf:
            least = square * (n - 1) / column.t_squared[1] * (1 - _SLACK)
            least_spread = max(least_spread, math.ceil(least))
        elif column.t_squared[1] == 0:
            return 1, 0
    first = max(-(-(least_spread + square) // n), least_squares_sum(n, total))
    last = min((most_spread + square) // n, greatest_squares_sum(n, total, low, high))
    return first, last


def _squares(column: Column, total: int, low: int, high: int) -> range:
    first, last = _squares_limits(column, total, low, high)
    return range(first + (first - total) % 2, last + 1, 2)


# The first time point, a later one and the change


def _visits(boxes: Boxes) -> list[int]:
    """Return the later time points with figures, those with figures of change first."""
    later = range(1, len(boxes.level))
    named = [t for t in later if boxes.change[t].limited or boxes.followed[t].limited]
    return named or [t for t in later if boxes.level[t].limited][:1]


def _sources(boxes: Boxes, at: int) -> tuple[str, ...]:
    columns = (boxes.level[0], boxes.level[at], boxes.change[at], boxes.followed[at])
    return tuple(source for column in columns for source in column.sources)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Limits of the sums of one pair of time points, each with the others taken into account."""

    first: tuple[int, int]
    followed: tuple[int, int]
    later: tuple[int, int]
    change: tuple[int, int]

    @property
    def empty(self) -> bool:
        return any(low > high for low, high in (self.first, self.followed, self.later, self.change))


def _sums_of_pair(block: Block, boxes: Boxes, at: int) -> _Sums:
    first_n, n, levels = block.observed[0], block.observed[at], block.levels
    missing = (first_n - n) * levels
    first = _meet(boxes.level[0].total, (0, first_n * levels))
    later = _meet(boxes.level[at].total, (0, n * levels))
    followed = _meet(boxes.followed[at].total, (first[0] - missing, first[1]))
    followed = _meet(followed, (0, n * levels))
    change = boxes.change[at].total
    for _ in range(2):
        change = _meet(change, (later[0] - followed[1], later[1] - followed[0]))
        later = _meet(later, (change[0] + followed[0], change[1] + followed[1]))
        followed = _meet(followed, (later[0] - change[1], later[1] - change[0]))
        first = _meet(first, (followed[0], followed[1] + missing))
    return _Sums(first, followed, later, change)


def _meet(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return max(a[0], b[0]), min(a[1], b[1])


def _pair_is_empty(block: Block, boxes: Boxes, at: int) -> str:
    """Return why the two time points and the change exclude each other, or an empty text."""
    sums = _sums_of_pair(block, boxes, at)
    named = f"{block.timepoints[0]} and {block.timepoints[at]}"
    if sums.empty:
        return f"the mean change is not the difference of the means of the same patients at {named}"
    followed = boxes.followed[at].spread
    if block.observed[0] == block.observed[at]:
        followed = _meet(followed, boxes.level[0].spread)
    later, change = boxes.level[at].spread, _change_spread(boxes.change[at], sums.change)
    if followed[0] > followed[1] or change[0] > change[1]:
        return f"the figures leave no spread of the change between {named}"
    roots = [(math.sqrt(low), math.sqrt(high)) for low, high in (followed, later, change)]
    for part, one, two in ((2, 0, 1), (0, 1, 2), (1, 0, 2)):
        # The triangle inequality of SDs: a correlation lies between -1 and 1.
        if roots[part][0] > (roots[one][1] + roots[two][1]) * (1 + _SLACK):
            return f"the SDs at {named} and of the change need a correlation outside -1 to 1"
    return ""


def _change_spread(column: Column, sums: tuple[int, int]) -> tuple[int, int]:
    """Return the limits of the spread of the change that its SD and its p value leave."""
    low, high = column.spread
    largest = max(abs(sums[0]), abs(sums[1]))
    smallest = 0 if sums[0] <= 0 <= sums[1] else min(abs(sums[0]), abs(sums[1]))
    if column.t_squared[0] > 0 and largest < UNLIMITED:
        most = largest**2 * (column.n - 1) / column.t_squared[0] * (1 + _SLACK)
        high = min(high, math.floor(most))
    if 0 < column.t_squared[1] < math.inf:
        least = smallest**2 * (column.n - 1) / column.t_squared[1] * (1 - _SLACK)
        low = max(low, math.ceil(least))
    return low, high


# The integer programme


@dataclass(slots=True)
class _Programme:
    """Counts of patients by their values at the first and a later time point, and its rows.

    ``first`` and ``later`` hold the values of each cell; ``later`` is -1 for patients who were not
    followed. Further variables choose the sum of a column.
    """

    first: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]
    rows: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], float, float]]
    choices: int = 0
    empty: bool = False

    def row(self, cells: npt.NDArray[np.float64], low: float, high: float) -> None:
        """Add a row whose value is a whole number between two whole numbers."""
        at = np.flatnonzero(cells)
        self.rows.append((at, cells[at], low - 0.25, high + 0.25))

    def spread(
        self,
        values: npt.NDArray[np.float64],
        member: npt.NDArray[np.bool_],
        column: Column,
        sums: range,
        limits: tuple[int, int],
    ) -> None:
        """Limit the sum of squares given the sum, with one choice for each sum."""
        allowed = []
        for total in sums:
            low, high = _squares_limits(column, total, *limits)
            if low <= high:
                allowed.append((total, low, high))
        if not allowed:
            self.empty = True
            return
        start = self.first.size + self.choices
        chosen = start + np.arange(len(allowed))
        self.choices += len(allowed)
        totals, lows, highs = (np.array(part, np.float64) for part in zip(*allowed, strict=True))
        cells = np.flatnonzero(member)
        at = np.concatenate([cells, chosen])
        v = values[cells]
        self.rows.append((chosen, np.ones(len(allowed)), 0.75, 1.25))
        self.rows.append((at, np.concatenate([v, -totals]), -0.25, 0.25))
        self.rows.append((at, np.concatenate([v * v, -lows]), -0.25, math.inf))
        self.rows.append((at, np.concatenate([v * v, -highs]), -math.inf, 0.25))

    def solve(self, seconds: float, upper: int) -> tuple[str, npt.NDArray[np.int64] | None]:
        """Return ``infeasible``, ``feasible`` with the counts, or ``open``."""
        size = self.first.size + self.choices
        places = [
            (np.full(at.size, r), at, values) for r, (at, values, _, _) in enumerate(self.rows)
        ]
        matrix = sparse.csr_array(
            (
                np.concatenate([part[2] for part in places]),
                (
                    np.concatenate([part[0] for part in places]),
                    np.concatenate([part[1] for part in places]),
                ),
            ),
            shape=(len(self.rows), size),
        )
        limits = optimize.LinearConstraint(
            matrix, [row[2] for row in self.rows], [row[3] for row in self.rows]
        )
        most = np.concatenate([np.full(self.first.size, upper), np.ones(self.choices)])
        result = optimize.milp(
            np.zeros(size),
            integrality=np.ones(size),
            bounds=optimize.Bounds(0, most),
            constraints=limits,
            options={"time_limit": max(seconds, 0.1)},
        )
        if result.status == 2:
            return "infeasible", None
        if result.x is None:
            return "open", None
        return "feasible", np.rint(result.x[: self.first.size]).astype(np.int64)


def _programme(block: Block, boxes: Boxes, at: int) -> _Programme | None:
    """Return the programme of the first and one later time point; ``None`` if it is too large."""
    n, first_n, levels = block.observed[at], block.observed[0], block.levels
    low0, high0 = _narrowed(boxes.level[0], 0, levels)
    low, high = _narrowed(boxes.level[at], 0, levels)
    low0f, high0f = _narrowed(boxes.followed[at], low0, high0)
    pairs = max(0, high0f - low0f + 1) * max(0, high - low + 1)
    if pairs > MOST_CELLS:
        return None
    b, y = np.meshgrid(np.arange(low0f, high0f + 1), np.arange(low, high + 1), indexing="ij")
    alone = np.arange(low0, high0 + 1) if first_n > n else np.empty(0, np.int64)
    programme = _Programme(
        np.concatenate([b.ravel(), alone]).astype(np.int64),
        np.concatenate([y.ravel(), np.full(alone.size, -1)]).astype(np.int64),
        [],
    )
    pair = programme.later >= 0
    everyone = np.ones(pair.size, np.bool_)
    programme.row(pair.astype(np.float64), n, n)
    if alone.size:
        programme.row((~pair).astype(np.float64), first_n - n, first_n - n)
    sums = _sums_of_pair(block, boxes, at)
    first, later = programme.first.astype(np.float64), programme.later.astype(np.float64)
    families = (
        (boxes.level[0], everyone, first, sums.first, (0, levels)),
        (boxes.level[at], pair, later, sums.later, (0, levels)),
        (boxes.change[at], pair, later - first, sums.change, (-levels, levels)),
        (boxes.followed[at], pair, first, sums.followed, (0, levels)),
    )
    for column, member, values, total, limits in families:
        if column.limited:
            _limit(programme, column, member, values, total, limits)
    return programme


def _limit(
    programme: _Programme,
    column: Column,
    member: npt.NDArray[np.bool_],
    values: npt.NDArray[np.float64],
    total: tuple[int, int],
    limits: tuple[int, int],
) -> None:
    """Add the rows of one column, whose values lie within ``limits`` and its sum in ``total``."""
    programme.row(np.where(member, values, 0.0), *total)
    for least_value, most_value, least, most in column.counts:
        inside = member & (values >= least_value) & (values <= most_value)
        programme.row(inside.astype(np.float64), least, most)
    free = column.spread == (0, UNLIMITED) and column.t_squared == (0.0, math.inf)
    if not free and total[1] - total[0] < MOST_SUMS:
        first, last = _meet(total, (column.n * limits[0], column.n * limits[1]))
        programme.spread(values, member, column, range(first, last + 1), limits)


def _column_by_programme(column: Column, low: int, high: int, seconds: float) -> bool:
    """Return whether the programme proves that no values of one column keep its limits."""
    inside = _narrowed(column, low, high)
    values = np.arange(inside[0], inside[1] + 1)
    if values.size > MOST_CELLS:
        return False
    programme = _Programme(values, values, [])
    everyone, numbers = np.ones(values.size, np.bool_), values.astype(np.float64)
    programme.row(np.ones(values.size), column.n, column.n)
    total = _meet(column.total, (column.n * low, column.n * high))
    _limit(programme, column, everyone, numbers, total, (low, high))
    return programme.empty or programme.solve(seconds, column.n)[0] == "infeasible"


def _by_programme(block: Block, boxes: Boxes, at: int, seconds: float, seed: int) -> Answer | None:
    programme = _programme(block, boxes, at)
    if programme is None:
        return None
    status, counts = (
        ("infeasible", None) if programme.empty else programme.solve(seconds, block.observed[0])
    )
    if status == "infeasible":
        named = f"{block.timepoints[0]} and {block.timepoints[at]}"
        why = f"an integer programme shows that no patients have such values at {named}"
        return Answer(Outcome.CONTRADICTION, _sources(boxes, at), why)
    if counts is None:
        return None
    data = _complete(block, programme, counts, at, seed)
    return None if data is None else Answer(Outcome.FOUND, data=data, why="found by programme")


def _complete(
    block: Block, programme: _Programme, counts: npt.NDArray[np.int64], at: int, seed: int
) -> BlockData | None:
    """Return data with these values at two time points, the others filled in by search."""
    cells = np.repeat(np.arange(counts.size), counts)
    cells = cells[np.argsort(programme.later[cells] < 0, kind="stable")]
    if cells.size != block.observed[0]:
        return None
    shape = (block.patients, len(block.timepoints))
    rng = np.random.default_rng(seed)
    values = rng.integers(0, block.levels + 1, shape)
    mask = np.zeros(shape, np.bool_)
    for t, n in enumerate(block.observed):
        mask[:n, t] = True
    values[: cells.size, 0] = programme.first[cells]
    values[: block.observed[at], at] = programme.later[cells][: block.observed[at]]
    start = BlockData(block, values, mask)
    if holds(start):
        return start
    frozen, fixed = np.zeros(shape, np.bool_), np.zeros(shape[1], np.bool_)
    frozen[:, 0], fixed[0], fixed[at] = True, True, True
    frozen[: block.observed[at], at] = True
    try:
        return find_data(
            block, FLAT, seed, start=start, frozen=frozen, fixed_mask=fixed, attempts=3
        )
    except NothingFoundError:
        return None
