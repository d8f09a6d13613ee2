"""Whether any data print all figures of a block, and if not, a smallest set that has none.

Proofs that there are none, and searches for some, from cheap to dear: each column on its own in
whole numbers; the sums and spreads of the first time point, a later one and the change between
them; a search; and an integer programme over the numbers of patients with each value of a column,
then with each pair of values at the first and a later time point, solved by HiGHS. A proof of the
last kind rests on the solver (feasibility tolerance 1e-6, where figures are met or missed by whole
numbers).

A contradictory set is made small by leaving out one figure after the other (deletion filtering):
where the rest is still proved contradictory the figure stays out, else it belongs to the set.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from rederive.printed import PrintedNumber, format_fixed
from rederive.printed.lattice import exists, variance_factors
from rederive.reconstruct.block import (
    Block,
    BlockData,
    ContradictionError,
    NothingFoundError,
    Statistic,
    boxes_of,
    find_data,
)
from rederive.reconstruct.block.boxes import UNLIMITED, Boxes, Column, Window, clip
from rederive.reconstruct.bounds.counts import MOST_CELLS, CountModel, NoDataError, fits
from rederive.reconstruct.bounds.moments import MOST_SUMS, Meeting, ends_of, meeting_at, squares_of
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
class Diagnosis:
    """What is known of figures: a contradiction, data found, or neither in the time given.

    Attributes
    ----------
    figures : tuple of str
        For a contradiction: the ids of figures that cannot hold together.
    why : str
        The kind of proof, or what was tried.
    irreducible : bool
        Data were found for the set without each one of its figures: none of them is superfluous.
    minimum : bool
        No smaller set of figures is contradictory.
    habits : tuple of (str, str)
        Figures of the set, and unstated habits of printing with which all figures would hold.
    """

    outcome: Outcome
    figures: tuple[str, ...] = ()
    why: str = ""
    irreducible: bool = False
    minimum: bool = False
    habits: tuple[tuple[str, str], ...] = ()
    data: BlockData | None = None
    seconds: float = 0.0

    @property
    def message(self) -> str:
        """The result in words."""
        match self.outcome:
            case Outcome.FOUND:
                return "the figures can hold together: data that print them all were found"
            case Outcome.UNDECIDED:
                return (
                    f"undecided: in {self.seconds:.0f} s neither data nor a proof that there are "
                    "none were found; this is no contradiction"
                )
            case Outcome.CONTRADICTION:
                together = " together" if len(self.figures) > 1 else ""
                words = f"no data print {', '.join(self.figures)}{together}: {self.why}. "
                words += self._size
                for name, habit in self.habits:
                    words += f" All figures would hold with {name} as: {habit}."
                return words

    @property
    def _size(self) -> str:
        if self.minimum:
            return "No smaller set of figures is contradictory."
        if self.irreducible:
            return (
                "None of them is superfluous; whether another, smaller set is contradictory too "
                "was not decided."
            )
        return "Some of them may be superfluous: the time was too short to tell."


def decide(block: Block, seconds: float, attempts: int = 2) -> Diagnosis:
    """Decide whether any data print all figures of a block.

    ``seconds`` is the time for the integer programmes; one search, of so many ``attempts``, is
    always made.
    """
    deadline = time.monotonic() + seconds
    shown = refute(block)
    if shown is not None:
        return shown
    with suppress(NothingFoundError):
        found = find_data(block, attempts=attempts)
        return Diagnosis(Outcome.FOUND, data=found, why="found by search")
    for words, meeting, alone in _programmes(block, boxes_of(block)):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        model = CountModel(meeting, block.levels, alone)
        try:
            best = model.optimise(model.nothing(), False, time_limit=max(left, 0.1))
        except NoDataError:
            why = f"an integer programme shows that {words}"
            return Diagnosis(Outcome.CONTRADICTION, tuple(meeting.sources), why)
        if best.counts is not None and alone is None:
            data = completed(block, model, best.counts)
            if data is not None:
                return Diagnosis(Outcome.FOUND, data=data, why="found by programme")
    return Diagnosis(Outcome.UNDECIDED, why="neither data nor a proof in the time given")


def refute(block: Block) -> Diagnosis | None:
    """Return a contradiction that a fast proof finds, or ``None``."""
    for figure in block.figures:
        try:
            boxes_of(block.only([figure.id]))
        except ValueError:
            n = block.observed[block.index(figure.at)]
            why = f"{n} values on the scale cannot have it"
            return Diagnosis(Outcome.CONTRADICTION, (figure.id,), why)
    try:
        boxes = boxes_of(block)
    except ContradictionError as error:
        why = "the figures leave no sum, spread or count of one column"
        return Diagnosis(Outcome.CONTRADICTION, error.figures, why)
    for name, part, column in _columns(block, boxes):
        if _is_empty(column, ends_of(part, block.levels)):
            why = f"no {column.n} values on the scale have such {name}"
            return Diagnosis(Outcome.CONTRADICTION, tuple(column.sources), why)
    for at in range(1, len(block.timepoints)):
        if not block.observed[at]:
            continue
        try:
            meeting = meeting_at(block, boxes, at)
        except ContradictionError as error:
            return Diagnosis(Outcome.CONTRADICTION, error.figures, error.why)
        if not _correlation_exists(meeting):
            named = f"{block.timepoints[0]} and {block.timepoints[at]}"
            why = f"the SDs at {named} and of the change need a correlation outside -1 to 1"
            return Diagnosis(Outcome.CONTRADICTION, tuple(meeting.sources), why)
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
    for one, other in itertools.permutations(column.counts, 2):
        # Whoever lies in the narrower window lies in the wider one too, but in no other.
        inside, apart = other[0] <= one[0] and one[1] <= other[1], one[1] < other[0]
        if (inside and one[2] > other[3]) or (apart and one[2] + other[2] > column.n):
            return True
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
    for total, (least, greatest) in squares_of(column, window, (low, high)):
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
                meeting.squares[part] = dict(squares_of(column, window, (low, high)))
            yield f"no {column.n} values have such {name}", meeting, part
    later = range(1, len(boxes.level))
    named = [t for t in later if boxes.change[t].sources or boxes.followed[t].sources]
    for at in named or [t for t in later if boxes.level[t].sources][:1]:
        if fits(block.levels):
            pair = f"{block.timepoints[0]} and {block.timepoints[at]}"
            words = f"no patients have such values at {pair}"
            yield words, meeting_at(block, boxes, at), None


MOST_SUBSETS = 300
"""Most sets of figures that are tried to learn whether a smaller contradiction exists."""


def diagnose(
    block: Block, seconds: float = 60.0, stop: Callable[[], bool] | None = None
) -> Diagnosis:
    """Look for data that print all figures, or a smallest set of figures that has none.

    The time in ``seconds`` is overrun by one search at most; the shorter, the more stays undecided.
    Once ``stop``, asked now and then, returns true, it is as if the time were over.
    """
    begun = time.monotonic()
    clock = _Clock(begun + seconds, stop)
    answer = decide(block, 0.6 * seconds)
    seeds = itertools.count(1)
    while answer.outcome is Outcome.UNDECIDED and clock.left > 0:
        with suppress(NothingFoundError):
            data = find_data(block, seed=next(seeds), attempts=1)
            answer = Diagnosis(Outcome.FOUND, data=data, why="found by search")
    if answer.outcome is Outcome.CONTRADICTION:
        answer = _shrink(block, answer, clock)
        if answer.irreducible:
            answer = _smallest(block, answer, clock)
        answer = replace(answer, habits=tuple(_habits(block, answer.figures)))
    return replace(answer, seconds=time.monotonic() - begun)


@dataclass(frozen=True, slots=True)
class _Clock:
    deadline: float
    stop: Callable[[], bool] | None

    @property
    def left(self) -> float:
        if self.stop is not None and self.stop():
            return 0.0
        return self.deadline - time.monotonic()

    def ask(self, block: Block, share: int = 1) -> Diagnosis:
        """Decide within a share of the time that is left; without time only by fast proofs."""
        if self.left <= 0:
            return refute(block) or Diagnosis(Outcome.UNDECIDED)
        return decide(block, self.left / share, attempts=1)


def _shrink(block: Block, answer: Diagnosis, clock: _Clock) -> Diagnosis:
    """Leave out figures while the rest stays contradictory."""
    order = [figure.id for figure in block.figures]
    shown: dict[str, bool] = {}
    current = set(answer.figures)

    # First what the fast proofs settle: small sets are easier for searches and programmes.
    for name in order:
        if name in current and (cheap := refute(block.only(current - {name}))) is not None:
            answer, current = cheap, set(cheap.figures)

    while candidates := [name for name in order if name in current and name not in shown]:
        attempt = clock.ask(block.only(current - {candidates[0]}), len(candidates) + 1)
        if attempt.outcome is Outcome.CONTRADICTION:
            answer, current = attempt, set(attempt.figures)
            # Needed in a set is needed in every contradictory part of it; undecided in a set may
            # well be decided in the part, so that is asked again.
            shown = {name: True for name, found in shown.items() if found and name in current}
        else:
            shown[candidates[0]] = attempt.outcome is Outcome.FOUND
    left = tuple(name for name in order if name in current)
    return replace(answer, figures=left, irreducible=all(shown[name] for name in left))


def _smallest(block: Block, answer: Diagnosis, clock: _Clock) -> Diagnosis:
    """Look for a smaller contradiction than an irreducible one, and whether none is smaller."""
    found, none_smaller = answer.figures, replace(answer, minimum=True)
    if len(found) == 1:
        return none_smaller
    order = [figure.id for figure in block.figures]
    possible: list[set[str]] = []
    for name in found:
        attempt = decide(block.without([name]), 0.0, attempts=1)
        if attempt.outcome is Outcome.FOUND:
            possible.append(set(order) - {name})
    if len(possible) == len(found):
        # Whatever lacks one figure of the set has data: every contradiction contains the set.
        return none_smaller
    if sum(math.comb(len(order), size) for size in range(1, len(found))) > 50 * MOST_SUBSETS:
        return answer
    tried = 0
    for size in range(1, len(found)):
        for subset in itertools.combinations(order, size):
            if any(set(subset) <= other for other in possible):
                continue
            tried += 1
            if tried > MOST_SUBSETS or clock.left <= 0:
                return answer
            attempt = clock.ask(block.only(subset), 10)
            if attempt.outcome is Outcome.CONTRADICTION:
                # All smaller sets have data, so this one is as small as any.
                return replace(attempt, figures=subset, irreducible=True, minimum=True)
            if attempt.outcome is Outcome.UNDECIDED:
                return answer
            possible.append(set(subset))
    return none_smaller


def _habits(block: Block, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield figures of a contradictory set with habits of printing that end every contradiction."""
    for figure in (block.figure(name) for name in names):
        if figure.printed.operator != "=":
            continue
        ends = figure.interval(block.rule)
        tried: dict[str, tuple[float, float]] = {}
        if figure.statistic.kind == "sd":
            for habit, factor in variance_factors(block.observed[block.index(figure.at)]).items():
                root = math.sqrt(factor)
                tried[habit] = (ends.lower * root, ends.upper * root)
        elif figure.statistic is Statistic.PAIRED_P:
            tried["one-sided p"] = (2 * ends.lower, 2 * ends.upper)
            other = (2 - 2 * ends.upper, 2 - 2 * ends.lower)
            tried["one-sided p in the other direction (1 - p/2)"] = other
        for habit, (low, high) in tried.items():
            if figure.statistic is Statistic.PAIRED_P and low > 1:
                continue
            texts = (format_fixed(Fraction(end), 9) for end in (low, high))
            limits = [
                replace(figure, id=f"{figure.id} {sign}", printed=PrintedNumber(text, sign))
                for text, sign in zip(texts, "≥≤", strict=True)
            ]
            rest = block.without([figure.id]).with_figures(limits)
            if decide(rest, 0.0, attempts=1).outcome is Outcome.FOUND:
                yield figure.id, habit
