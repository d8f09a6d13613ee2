"""Sharp bounds: an outer bound that is proved, and a search for data that attain it.

The proofs go from cheap to dear, and stop as soon as a witness attains what is proved: sums and
sums of squares of single columns; histograms of one column; counts by baseline and visit, first as
fractions, then as whole numbers. All of them leave out the other visits. If the last one is not
attained at once, its own solution is kept for the baseline and the visit, and the other visits are
completed to it. What fails after that is reported as one-sided.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from rederive.reconstruct.block import Block, BlockData, ContradictionError, boxes_of
from rederive.reconstruct.block.kernel import Integers
from rederive.reconstruct.bounds.counts import CountModel, NoDataError, Objective, fits
from rederive.reconstruct.bounds.moments import Meeting, meetings_of
from rederive.reconstruct.bounds.quantities import Exact, Kind, Part, Quantity
from rederive.reconstruct.bounds.result import Bound, End, Proof, key_of
from rederive.reconstruct.bounds.search import Task, cells_of, completed, figures_beyond, searched

SLACK = 1e-2
"""Part of a whole number that the solver may be off before its bound is rounded inwards."""

_MOST_STEPS = 12
"""Most iterations for a ratio; they settle in three or four."""

_RATIO_TIME = 1.5
"""Time limits after which no further iteration for a ratio is begun."""

_RATIO_SLACK = Fraction(1, 1000)
"""What the solver may be off in W in the proof of a bound on t²; at least a millionth of W."""

_HALVINGS = 10
"""Most searches between the best witness and what is proved."""


def bound(
    block: Block,
    quantity: Quantity,
    *,
    dropped: Iterable[str] = (),
    time_limit: float = 60.0,
    progress: Callable[[str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Bound:
    """Return the least and the greatest value of a quantity over all data that keep the figures.

    Parameters
    ----------
    block : Block
        The measure and its figures.
    quantity : Quantity
        What is asked for.
    dropped : iterable of str
        Ids of figures that are no constraint: those that say the quantity itself, if the bound is
        to be a prediction.
    time_limit : float
        Seconds for each integer programme.
    progress : callable, optional
        Called with what is begun.
    stop : callable, optional
        Asked before each further proof; once it returns true, what is proved and found by then is
        the result.

    Raises
    ------
    ValueError
        If the block does not have the quantity or a dropped figure.
    ContradictionError
        If no data keep the figures.
    """
    started = time.perf_counter()
    left_out = tuple(dropped)
    kept = block.without(left_out)
    quantity.check(kept)
    if not any(block.observed[1:]):
        raise ValueError(f"{block.name}: found no follow-up, need a later time point with patients")
    meetings = meetings_of(kept, boxes_of(kept))
    task = Task(kept, quantity, meetings, time_limit)
    say, over = progress or (lambda words: None), stop or (lambda: False)
    try:
        lowest, highest = (_End(task, which).close(say, over) for which in (False, True))
    except NoDataError as error:
        raise ContradictionError([f.id for f in kept.figures], str(error)) from error
    low, high = (highest, lowest) if quantity.falls else (lowest, highest)
    seconds = round(time.perf_counter() - started, 1)
    return Bound(quantity, left_out, low, high, key_of(block, quantity, left_out), seconds)


class _End:
    """One end, in terms of the exact value: what is proved, and the best witness of it so far.

    The witness is ``found``, its exact value ``attained``.
    """

    def __init__(self, task: Task, highest: bool) -> None:
        self.task = task
        self.highest = highest
        self.proved: Exact = math.inf if highest else -math.inf
        self.proof = Proof.SUMS
        self.found: BlockData | None = None
        self.attained: Exact | None = None

    def close(self, progress: Callable[[str], None], stop: Callable[[], bool]) -> End:
        """Go through the proofs until one is attained."""
        task, falls = self.task, self.task.quantity.falls
        per_visit = [self._of_columns(meeting) for meeting in task.visits]
        self._tighten(min(per_visit) if self.highest else max(per_visit), Proof.SUMS)
        name = "greatest" if self.highest is not falls else "least"
        progress(f"{name} value: a search, then proofs of up to {task.time_limit:g} s each")
        self._reach(self.proved)
        for alone, whole, proof in self._programmes():
            if self._sharp or stop():
                break
            progress(f"{name} value: {proof}")
            self._by_counts(alone, whole, proof)
        if not self._sharp and not stop():
            self._approach()
        best = None if self.attained is None else task.quantity.shown(self.attained, task.block)
        cells = None if self.found is None else cells_of(self.found)
        limit = task.quantity.shown(self.proved, task.block)
        return End(self.proved, self.proof, self.attained, cells, limit, best)

    @property
    def _sharp(self) -> bool:
        return self.attained == self.proved

    def _beyond(self, one: Exact, other: Exact) -> bool:
        """Return whether a value is more extreme than another."""
        return one > other if self.highest else one < other

    def _programmes(self) -> Iterator[tuple[Part | None, bool, Proof]]:
        """Give the programmes from cheap to dear: one column alone, fractions, whole numbers."""
        part, asked = self.task.part, self.task.quantity.kind.is_count
        # Histograms may help where a count is asked or printed of the column.
        if asked or any(m.columns[part].counts for m in self.task.visits):
            yield part, True, Proof.COLUMN
        if fits(self.task.block.levels):
            yield None, False, Proof.FRACTIONS
            yield None, True, Proof.COUNTS

    def _tighten(self, value: Exact, proof: Proof) -> bool:
        if not self._beyond(self.proved, value):
            return False
        self.proved, self.proof = value, proof
        return True

    def _of_columns(self, meeting: Meeting) -> Exact:
        """Return the outer bound of the single columns at one visit."""
        task, kind = self.task, self.task.quantity.kind
        part = task.part
        n = meeting.columns[part].n
        if kind.is_count:
            return Fraction(n if self.highest else 0)
        if not kind.of_spread:
            return task.of_sum(meeting.windows[part][1 if self.highest else 0])
        corners = [(s, q) for s, ends in task.squares(meeting).items() for q in ends]
        values = [task.quantity.of_squares(s, q, n, task.block) for s, q in corners]
        return max(values) if self.highest else min(values)

    def _by_counts(self, alone: Part | None, whole: bool, proof: Proof) -> None:
        task, solutions = self.task, list[tuple[CountModel, Integers]]()
        tightened = False
        for meeting in task.visits:
            model = task.model(meeting, alone)
            value, counts = self._extreme(model, whole)
            tightened |= self._tighten(value, proof)
            if counts is not None and alone is None:
                solutions.append((model, counts))
        if tightened:
            self._reach(self.proved)
        for model, counts in solutions:
            if not self._sharp:
                # Its own baseline and visit are kept, and the other visits searched to them.
                self._take(completed(task.block, model, counts))

    def _extreme(self, model: CountModel, whole: bool) -> tuple[Exact, Integers | None]:
        """Return what a programme proves, if no more than is proved already.

        Beside it stand the counts that attain it within the programme, if they are whole.
        """
        task, kind = self.task, self.task.quantity.kind
        if kind is Kind.PAIRED_P:
            return self._ratio(model, whole)
        if kind.is_count:
            objective = model.within(task.part, task.quantity.window(task.block))
        else:
            objective = model.spread(task.part) if kind.of_spread else model.total(task.part)
        best = model.optimise(objective, self.highest, whole=whole, time_limit=task.time_limit)
        if math.isinf(best.bound):
            return self.proved, best.counts
        end = _last_whole(best.bound, self.highest)
        if kind.is_count:
            return Fraction(end), best.counts
        if kind.of_spread:
            return self._settled(model.meeting, Fraction(max(0, end))), best.counts
        return task.of_sum(end), best.counts

    def _ratio(self, model: CountModel, whole: bool) -> tuple[Exact, Integers | None]:
        """Return a bound on t² by Dinkelbach's iteration.

        Above: if S²(n - 1) / r - W <= e for all data, then t² <= r (1 + e / w), w the least W.
        Below: if W - S²(n - 1) / r <= e for all data, then t² >= r (1 - e / w) with
        w = s (n - 1) / r, s the least S²; for data with W <= w have t² >= r anyhow. The optimum's
        own t² is the next r, until e is 0 but for the solver's tolerance.
        """
        highest, limit = self.highest, self.task.time_limit
        n, proved = model.meeting.columns[Part.CHANGE].n, self.proved
        least = (self._least_spread if highest else self._least_total)(model, whole)
        inside = self._inside()
        if inside is None or least == 0 or inside == 0 or math.isinf(inside):
            return proved, None
        ratio, counts = Fraction(inside), None
        deadline = time.perf_counter() + _RATIO_TIME * limit
        for _ in range(_MOST_STEPS):
            best = model.optimise(model.excess(ratio), highest, whole=whole, time_limit=limit)
            if math.isinf(best.bound):
                break
            edge = Fraction(least) if highest else least**2 * (n - 1) / ratio
            slack = max(_RATIO_SLACK, edge / 10**6)
            gain = Fraction(max(0.0, best.bound if highest else -best.bound)) + slack
            end = ratio * (1 + (gain if highest else -gain) / edge)
            proved = end if self._beyond(proved, end) else proved
            counts = counts if best.counts is None else best.counts
            following = model.ratio(best.solution)
            if gain <= 2 * slack or following is None or not self._beyond(following, ratio):
                break
            if time.perf_counter() > deadline:
                break
            ratio = following
        return self._settled(model.meeting, proved), counts

    def _least_spread(self, model: CountModel, whole: bool) -> int:
        """Return a whole number that W of the changes cannot fall below."""
        n, squares = model.meeting.columns[Part.CHANGE].n, self.task.squares(model.meeting)
        least = min(n * ends[0] - total * total for total, ends in squares.items())
        return least or max(0, self._outer(model, model.spread(Part.CHANGE), False, whole))

    def _least_total(self, model: CountModel, whole: bool) -> int:
        """Return a whole number that the sum of the changes cannot fall below, sign aside."""
        total = model.total(Part.CHANGE)
        low, high = (self._outer(model, total, end, whole) for end in (False, True))
        return max(0, low, -high)

    def _outer(self, model: CountModel, objective: Objective, highest: bool, whole: bool) -> int:
        limit = self.task.time_limit
        bound = model.optimise(objective, highest, whole=whole, time_limit=limit).bound
        return 0 if math.isinf(bound) else _last_whole(bound, highest)

    def _settled(self, meeting: Meeting, limit: Exact) -> Exact:
        """Return the last value, from a proved limit inwards, that whole numbers can have.

        The limit is one on t² for a paired p, on W = nQ - S² for an SD.
        """
        if math.isinf(limit):
            return limit
        task, highest = self.task, self.highest
        n, ratio = meeting.columns[task.part].n, task.quantity.kind is Kind.PAIRED_P
        values: list[Exact] = []
        for total, (low, high) in task.squares(meeting).items():
            square = total * total * (n - 1)
            # The spread at which this sum reaches the limit, and the side on which it keeps it.
            if ratio and (limit == 0 or square == 0):
                if square == 0 and not self._beyond(Fraction(0), limit):
                    values.append(Fraction(0))
                continue
            edge = square / limit if ratio else limit
            most = highest is not ratio
            squares = (math.floor if most else math.ceil)((edge + total * total) / n)
            odd = (squares - low) % 2
            squares += -odd if most else odd
            squares = min(squares, high) if most else max(squares, low)
            if low <= squares <= high:
                values.append(task.quantity.of_squares(total, squares, n, task.block))
        return (max(values) if highest else min(values)) if values else limit

    def _inside(self) -> Exact | None:
        """Return the value of any data that keep the figures."""
        if self.attained is None:
            self._take(searched(self.task.block))
        return self.attained

    def _reach(self, target: Exact) -> bool:
        """Look for data at or beyond a target."""
        if target == -math.inf:
            return False
        task, baseline = self.task, self.task.visits[0].windows[Part.BASELINE]
        beyond = figures_beyond(task.quantity, task.block, target, self.highest, baseline)
        return any(self._take(searched(task.block.with_figures(extra))) for extra in beyond)

    def _take(self, data: BlockData | None) -> bool:
        if data is None:
            return False
        value = self.task.quantity.exact(self.task.block, data.values, data.mask)
        if self.attained is None or self._beyond(value, self.attained):
            self.found, self.attained = data, value
            return True
        return False

    def _approach(self) -> None:
        """Halve the way between the best witness and what is proved."""
        if self._inside() is None or math.isinf(self.proved):
            return
        end = Fraction(self.proved)
        for _ in range(_HALVINGS):
            if self._sharp:
                return
            assert self.attained is not None
            middle = (Fraction(self.attained) + end) / 2
            if self.task.quantity.kind.is_count:
                middle = Fraction(math.ceil(middle) if self.highest else math.floor(middle))
            if not self._beyond(middle, self.attained):
                return
            if not self._reach(middle):
                if middle == end:
                    return
                end = middle


def _last_whole(bound: float, highest: bool) -> int:
    """Return the last whole number that the solver's bound leaves possible."""
    return math.floor(bound + SLACK) if highest else math.ceil(bound - SLACK)
