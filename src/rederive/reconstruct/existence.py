"""Whether any data print all figures of a block: proofs that there are none, and searches for some.

From cheap to dear: each column on its own in whole numbers; the sums and spreads of the first time
point, a later one and the change between them; a search; and an integer programme over the numbers
of patients with each value of a column, then with each pair of values at the first and a later
time point, solved by HiGHS. A proof of the last kind rests on the solver (feasibility tolerance
1e-6, where figures are met or missed by whole numbers).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rederive.consistency.multiset import exists
from rederive.reconstruct.block import (
    Block,
    BlockData,
    ContradictionError,
    NothingFoundError,
    boxes_of,
    find_data,
)
from rederive.reconstruct.block.boxes import UNLIMITED, Boxes, Column, Window, clip
from rederive.reconstruct.bounds.counts import MOST_CELLS, CountModel, NoDataError, fits
from rederive.reconstruct.bounds.moments import (
    MOST_SUMS,
    Meeting,
    each_sum,
    ends_of,
    meeting_at,
    squares_of,
)
from rederive.reconstruct.bounds.quantities import Part
from rederive.reconstruct.bounds.search import completed

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
    """What is known, and why: the kind of proof, or what was tried.

    ``figures`` are, for a contradiction, ids that cannot hold together, not necessarily few;
    ``data`` were found.
    """

    outcome: Outcome
    figures: tuple[str, ...] = ()
    why: str = ""
    data: BlockData | None = None


def decide(block: Block, seconds: float, attempts: int = 2) -> Answer:
    """Decide whether any data print all figures of a block.

    ``seconds`` is the time for the integer programmes; one search, of so many ``attempts``, is
    always made.
    """
    deadline = time.monotonic() + seconds
    shown = refute(block)
    if shown is not None:
        return shown
    try:
        found = find_data(block, attempts=attempts)
        return Answer(Outcome.FOUND, data=found, why="found by search")
    except NothingFoundError:
        pass
    for words, meeting, alone in _programmes(block, boxes_of(block)):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        model = CountModel(meeting, block.levels, alone)
        try:
            best = model.optimise(model.nothing(), False, time_limit=max(left, 0.1))
        except NoDataError:
            why = f"an integer programme shows that {words}"
            return Answer(Outcome.CONTRADICTION, tuple(meeting.sources), why)
        if best.counts is not None and alone is None:
            data = completed(block, model, best.counts, 0, 400_000)
            if data is not None:
                return Answer(Outcome.FOUND, data=data, why="found by programme")
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
    for name, part, column in _columns(block, boxes):
        if _is_empty(column, ends_of(part, block.levels)):
            why = f"no {column.n} values on the scale have such {name}"
            return Answer(Outcome.CONTRADICTION, tuple(column.sources), why)
    for at in range(1, len(block.timepoints)):
        if not block.observed[at]:
            continue
        try:
            meeting = meeting_at(block, boxes, at)
        except ContradictionError as error:
            return Answer(Outcome.CONTRADICTION, error.figures, error.why)
        if not _correlation_exists(meeting):
            named = f"{block.timepoints[0]} and {block.timepoints[at]}"
            why = f"the SDs at {named} and of the change need a correlation outside -1 to 1"
            return Answer(Outcome.CONTRADICTION, tuple(meeting.sources), why)
    return None


def _columns(block: Block, boxes: Boxes) -> Iterator[tuple[str, Part, Column]]:
    """Give every column that has figures, with its name."""
    for t, at in enumerate(block.timepoints):
        for name, part, column in (
            (f"values at {at}", Part.VISIT, boxes.level[t]),
            (f"changes to {at}", Part.CHANGE, boxes.change[t]),
            (f"first values of those followed at {at}", Part.FOLLOWED, boxes.followed[t]),
        ):
            if column.sources:
                yield name, part, column


def _is_empty(column: Column, ends: Window) -> bool:
    """Return whether whole-number arithmetic proves that no values keep the limits of a column."""
    low, high = ends
    for first, last, _, most in column.counts:
        # Parts at the ends of the range in which no value may lie.
        if most == 0 and first <= low:
            low = max(low, last + 1)
        if most == 0 and last >= high:
            high = min(high, first - 1)
    # Values that must occur: the printed extremes, where these are single steps.
    forced = {first for first, last, least, _ in column.counts if least >= 1 and first == last}
    forced = {value for value in forced if low <= value <= high}
    n = column.n - len(forced)
    if low > high or n < 0:
        return True
    base, base_squares = sum(forced), sum(value * value for value in forced)
    window = clip(column.total, (column.n * low, column.n * high))
    looked = 0
    for total, least, greatest in each_sum(column, window, (low, high)):
        for squares in range(least, greatest + 1, 2):
            rest = total - base, squares - base_squares
            if rest == (0, 0) if n == 0 else exists(n, *rest, low, high) is not False:
                return False
            looked += 1
            if looked > _MOST_PAIRS:
                return False
    return True


def _correlation_exists(meeting: Meeting) -> bool:
    """Return whether the SDs keep the triangle inequality: a correlation lies within -1 and 1."""
    followed = _spread(meeting, Part.FOLLOWED)
    if not meeting.columns[Part.MISSING].n:
        followed = clip(followed, _spread(meeting, Part.BASELINE))
    if followed[0] > followed[1]:
        return False
    roots = [
        (math.sqrt(low), math.sqrt(high))
        for low, high in (followed, _spread(meeting, Part.VISIT), _spread(meeting, Part.CHANGE))
    ]
    return all(
        roots[part][0] <= (roots[one][1] + roots[other][1]) * (1 + _SLACK)
        for part, one, other in ((2, 0, 1), (0, 1, 2), (1, 0, 2))
    )


def _spread(meeting: Meeting, part: Part) -> Window:
    """Return the least and the greatest W = nQ - S² of a column."""
    n, squares = meeting.columns[part].n, meeting.squares.get(part)
    if squares is None:
        return 0, UNLIMITED
    spreads = [n * q - total * total for total, ends in squares.items() for q in ends]
    return min(spreads), max(spreads)


def _programmes(block: Block, boxes: Boxes) -> Iterator[tuple[str, Meeting, Part | None]]:
    """Give what integer programmes can be about: columns with counts, then pairs of time points.

    Of the later time points those with figures of change, or else the first with any figure.
    """
    for name, part, column in _columns(block, boxes):
        low, high = ends_of(part, block.levels)
        window = clip(column.total, (column.n * low, column.n * high))
        if column.counts and high - low < MOST_CELLS:
            meeting = Meeting(0, {part: column}, {part: window})
            if column.limits_spread and window[1] - window[0] < MOST_SUMS:
                meeting.squares[part] = squares_of(column, window, (low, high))
            yield f"no {column.n} values have such {name}", meeting, part
    later = range(1, len(boxes.level))
    named = [t for t in later if boxes.change[t].sources or boxes.followed[t].sources]
    for at in named or [t for t in later if boxes.level[t].sources][:1]:
        if fits(block.levels):
            pair = f"{block.timepoints[0]} and {block.timepoints[at]}"
            words = f"no patients have such values at {pair}"
            yield words, meeting_at(block, boxes, at), None
