"""What a programme over counts proves about one end of a quantity."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from rederive.reconstruct.bounds.counts import CountModel, Counts, Objective
from rederive.reconstruct.bounds.moments import Meeting, Part
from rederive.reconstruct.bounds.quantities import Exact, Kind, t_squared
from rederive.reconstruct.bounds.task import Task

SLACK = 1e-2
"""Part of a whole number that the solver may be off before its bound is rounded inwards."""

_MOST_STEPS = 12
"""Most iterations for a ratio; they settle in three or four."""

_RATIO_TIME = 1.5
"""Time limits after which no further iteration for a ratio is begun."""

_RATIO_SLACK = Fraction(1, 1000)
"""What the solver may be off in W in the proof of a bound on t²; at least a millionth of W."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """Result of a programme: a proved end, and counts that attain it within the programme."""

    value: Exact
    model: CountModel
    meeting: Meeting
    objective: Objective
    optimum: float
    counts: Counts | None


class Prover:
    """Programmes for one end.

    Parameters
    ----------
    inside : callable
        Returns the exact value of some data, where iterations for a ratio begin.
    """

    def __init__(self, task: Task, highest: bool, inside: Callable[[], Exact | None]) -> None:
        self.task = task
        self.highest = highest
        self.inside = inside

    def _beyond(self, one: Exact, other: Exact) -> bool:
        return one > other if self.highest else one < other

    def extreme(self, model: CountModel, meeting: Meeting, whole: bool, proved: Exact) -> Extreme:
        """Return what a programme proves, given what is proved already."""
        task, kind = self.task, self.task.quantity.kind
        if kind is Kind.PAIRED_P:
            return self._ratio(model, meeting, whole, proved)
        if kind is Kind.RESPONDERS:
            assert task.quantity.threshold is not None
            objective = model.responders(math.ceil(task.quantity.threshold / task.block.scale.step))
        elif kind in (Kind.SD, Kind.CHANGE_SD):
            objective = model.spread(task.part)
        else:
            objective = model.total(task.part)
        best = model.optimise(objective, self.highest, whole=whole, time_limit=task.time_limit)
        value = proved
        if math.isfinite(best.bound):
            last = math.floor if self.highest else math.ceil
            # The last whole number that the solver's bound leaves possible.
            end = last(best.bound + (SLACK if self.highest else -SLACK))
            if kind is Kind.RESPONDERS:
                value = Fraction(end)
            elif kind in (Kind.SD, Kind.CHANGE_SD):
                value = self._settled(meeting, Fraction(max(0, end)))
            else:
                value = task.of_sum(end)
        return Extreme(value, model, meeting, objective, best.bound, best.counts)

    def _ratio(self, model: CountModel, meeting: Meeting, whole: bool, proved: Exact) -> Extreme:
        """Return a bound on t² by Dinkelbach's iteration.

        Above: if S²(n - 1) / r - W <= e for all data, then t² <= r (1 + e / w), w the least W.
        Below: if W - S²(n - 1) / r <= e for all data, then t² >= r (1 - e / w) with w = s (n - 1) /
        r, s the least S²; for data with W <= w have t² >= r anyhow. The optimum's own t² is the
        next r, until e is 0 but for the solver's tolerance.
        """
        n = meeting.sizes[Part.CHANGE]
        least = (
            self._least_spread(model, meeting, whole)
            if self.highest
            else self._least_total(model, whole)
        )
        inside = self.inside()
        objective = model.excess(Fraction(1))
        if inside is None or least == 0 or inside == 0 or math.isinf(inside):
            return Extreme(proved, model, meeting, objective, math.inf, None)
        ratio, counts, optimum = Fraction(inside), None, math.inf
        deadline = time.perf_counter() + _RATIO_TIME * self.task.time_limit
        for _ in range(_MOST_STEPS):
            objective = model.excess(ratio)
            best = model.optimise(
                objective, self.highest, whole=whole, time_limit=self.task.time_limit
            )
            optimum = best.bound
            if math.isinf(optimum):
                break
            edge = Fraction(least) if self.highest else least**2 * (n - 1) / ratio
            slack = max(_RATIO_SLACK, edge / 10**6)
            gain = Fraction(max(0.0, optimum if self.highest else -optimum)) + slack
            step = gain / edge if self.highest else -gain / edge
            proved = self._inner(proved, ratio * (1 + step))
            counts = counts if best.counts is None else best.counts
            following = model.ratio(best.solution)
            if gain <= 2 * slack or following is None or not self._beyond(following, ratio):
                break
            if time.perf_counter() > deadline:
                break
            ratio = following
        proved = self._settled(meeting, proved)
        return Extreme(proved, model, meeting, objective, optimum, counts)

    def _least_spread(self, model: CountModel, meeting: Meeting, whole: bool) -> int:
        """Return a whole number that W of the changes cannot fall below."""
        n, squares = meeting.sizes[Part.CHANGE], self.task.squares(meeting)
        least = min(n * ends[0] - total * total for total, ends in squares.items())
        return least or max(0, self._outer(model, model.spread(Part.CHANGE), False, whole))

    def _least_total(self, model: CountModel, whole: bool) -> int:
        """Return a whole number that the sum of the changes cannot fall below, sign aside."""
        low = self._outer(model, model.total(Part.CHANGE), False, whole)
        high = self._outer(model, model.total(Part.CHANGE), True, whole)
        return max(0, low, -high)

    def _outer(self, model: CountModel, objective: Objective, highest: bool, whole: bool) -> int:
        limit = self.task.time_limit
        bound = model.optimise(objective, highest, whole=whole, time_limit=limit).bound
        if math.isinf(bound):
            return 0
        return math.floor(bound + SLACK) if highest else math.ceil(bound - SLACK)

    def _settled(self, meeting: Meeting, limit: Exact) -> Exact:
        """Return the last value, from a proved limit inwards, that whole numbers can have.

        The limit is one on t² for a paired p, on W = nQ - S² for an SD.
        """
        if math.isinf(limit):
            return limit
        n, ratio = meeting.sizes[self.task.part], self.task.quantity.kind is Kind.PAIRED_P
        values: list[Exact] = []
        for total, (low, high) in self.task.squares(meeting).items():
            square = total * total * (n - 1)
            # The spread at which this sum reaches the limit, and the side on which it keeps it.
            if ratio and (limit == 0 or square == 0):
                if square == 0 and not self._beyond(Fraction(0), limit):
                    values.append(Fraction(0))
                continue
            edge = square / limit if ratio else limit
            most = self.highest is not ratio
            pick = math.floor if most else math.ceil
            squares = pick((edge + total * total) / n)
            odd = (squares - low) % 2
            squares += -odd if most else odd
            squares = min(squares, high) if most else max(squares, low)
            if low <= squares <= high:
                spread = n * squares - total * total
                values.append(t_squared(n, total, spread) if ratio else self.task.of_spread(spread))
        return (max(values) if self.highest else min(values)) if values else limit

    def _inner(self, one: Exact, other: Exact) -> Exact:
        """Return the tighter of two proved ends."""
        return other if self._beyond(one, other) else one
