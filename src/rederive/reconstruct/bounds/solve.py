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

from rederive.reconstruct.block import Block, ContradictionError, boxes_of
from rederive.reconstruct.block.boxes import t_squared
from rederive.reconstruct.bounds.counts import NoDataError, fits
from rederive.reconstruct.bounds.moments import Meeting, meetings_of
from rederive.reconstruct.bounds.programmes import SLACK, Extreme, extreme
from rederive.reconstruct.bounds.quantities import Exact, Kind, Part, Quantity
from rederive.reconstruct.bounds.result import Bound, End, Proof, key_of
from rederive.reconstruct.bounds.search import Search, Task, cells_of

_VARIANTS = 4
"""Solutions of a programme that are tried as the start of a witness."""


def bound(
    block: Block,
    quantity: Quantity,
    *,
    dropped: Iterable[str] = (),
    time_limit: float = 60.0,
    seed: int = 0,
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
    seed : int
        Seed of the searches for witnesses.
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
    task = Task(kept, quantity, meetings, time_limit, seed)
    say, over = progress or (lambda words: None), stop or (lambda: False)
    try:
        lowest, highest = (_End(task, which).close(say, over) for which in (False, True))
    except NoDataError as error:
        raise ContradictionError([f.id for f in kept.figures], str(error)) from error
    low, high = (highest, lowest) if quantity.falls else (lowest, highest)
    seconds = round(time.perf_counter() - started, 1)
    return Bound(quantity, left_out, low, high, key_of(block, quantity, left_out), seconds)


class _End:
    """The work on one end, in terms of the exact value."""

    def __init__(self, task: Task, highest: bool) -> None:
        self.task = task
        self.highest = highest
        self.proved: Exact = math.inf if highest else -math.inf
        self.proof = Proof.SUMS
        self.search = Search(task, highest)

    def close(self, progress: Callable[[str], None], stop: Callable[[], bool]) -> End:
        """Go through the proofs until one is attained."""
        self._tighten(self._by_sums(), Proof.SUMS)
        falls = self.task.quantity.falls
        name = "greatest" if self.highest is not falls else "least"
        progress(f"{name} value: a search, then proofs of up to {self.task.time_limit:g} s each")
        self.search.reach(self.proved)
        for alone, whole, proof in self._programmes():
            if self._sharp or stop():
                break
            progress(f"{name} value: {proof}")
            self._by_counts(alone, whole, proof)
        if not self._sharp and not stop():
            self.search.approach(self.proved)
        return self._result()

    def _programmes(self) -> Iterator[tuple[Part | None, bool, Proof]]:
        """Give the programmes from cheap to dear: one column alone, fractions, whole numbers."""
        if self._counted():
            yield self.task.part, True, Proof.COLUMN
        if fits(self.task.block.levels):
            yield None, False, Proof.FRACTIONS
            yield None, True, Proof.COUNTS

    def _counted(self) -> bool:
        """Return whether a count is asked or printed of the column, so that histograms may help."""
        part = self.task.part
        asked = self.task.quantity.kind is Kind.RESPONDERS
        return asked or any(m.columns[part].counts for m in self.task.visits)

    @property
    def _sharp(self) -> bool:
        return self.search.attained == self.proved

    def _tighten(self, value: Exact, proof: Proof) -> bool:
        if not self.search.beyond(self.proved, value):
            return False
        self.proved, self.proof = value, proof
        return True

    def _best(self, values: Iterable[Exact]) -> Exact:
        return max(values) if self.highest else min(values)

    def _by_sums(self) -> Exact:
        """Return the outer bound of single columns; of several visits, the tightest."""
        per_visit = [self._of_columns(meeting) for meeting in self.task.visits]
        return min(per_visit) if self.highest else max(per_visit)

    def _of_columns(self, meeting: Meeting) -> Exact:
        task, kind = self.task, self.task.quantity.kind
        part = task.part
        n = meeting.columns[part].n
        if kind is Kind.RESPONDERS:
            return Fraction(n if self.highest else 0)
        if kind.of_spread:
            corners = [
                (total, n * q - total * total)
                for total, ends in task.squares(meeting).items()
                for q in ends
            ]
            if kind is Kind.PAIRED_P:
                return self._best(t_squared(n, s, w) for s, w in corners)
            return self._best(task.of_spread(w) for _, w in corners)
        return task.of_sum(meeting.windows[part][1 if self.highest else 0])

    def _by_counts(self, alone: Part | None, whole: bool, proof: Proof) -> None:
        extremes: list[Extreme] = []
        tightened = False
        for meeting in self.task.visits:
            found = extreme(self.search, self.task.model(meeting, alone), whole, self.proved)
            tightened |= self._tighten(found.value, proof)
            if found.counts is not None and alone is None:
                extremes.append(found)
        if tightened:
            self.search.reach(self.proved)
        for each in extremes:
            self._complete_any(each)

    def _complete_any(self, found: Extreme) -> None:
        """Complete the extreme counts, or others that are as extreme."""
        counts, limit = found.counts, self.task.time_limit / _VARIANTS
        edge = found.optimum + (-SLACK if self.highest else SLACK)
        ends = (edge, math.inf) if self.highest else (-math.inf, edge)
        for seed in range(_VARIANTS):
            if self._sharp:
                return
            if counts is not None:
                self.search.complete(found.model, counts)
            if not self._sharp:
                counts = found.model.another(found.objective, *ends, seed, limit)

    def _result(self) -> End:
        task, found, attained = self.task, self.search.found, self.search.attained
        show = task.quantity.shown
        cells = None if found is None else cells_of(found)
        best = None if attained is None else show(attained, task.block)
        limit = show(self.proved, task.block)
        return End(self.proved, self.proof, attained, cells, limit, best)
