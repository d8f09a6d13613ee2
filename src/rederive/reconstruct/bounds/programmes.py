"""What a programme over counts proves about one end of a quantity."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from fractions import Fraction

from rederive.reconstruct.block.boxes import response_window, t_squared
from rederive.reconstruct.block.kernel import Integers
from rederive.reconstruct.bounds.counts import CountModel, Objective
from rederive.reconstruct.bounds.moments import Meeting
from rederive.reconstruct.bounds.quantities import Exact, Kind, Part
from rederive.reconstruct.bounds.search import Search

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
    objective: Objective
    optimum: float
    counts: Integers | None


def extreme(search: Search, model: CountModel, whole: bool, proved: Exact) -> Extreme:
    """Return what a programme proves about one end, given what is proved already."""
    task, kind, highest = search.task, search.task.quantity.kind, search.highest
    if kind is Kind.PAIRED_P:
        return _ratio(search, model, whole, proved)
    if kind is Kind.RESPONDERS:
        quantity = task.quantity
        assert quantity.threshold is not None
        response = response_window(quantity.threshold, quantity.rises, task.block)
        objective = model.responders(response)
    else:
        objective = model.spread(task.part) if kind.is_sd else model.total(task.part)
    best = model.optimise(objective, highest, whole=whole, time_limit=task.time_limit)
    value = proved
    if math.isfinite(best.bound):
        end = _last_whole(best.bound, highest)
        if kind is Kind.RESPONDERS:
            value = Fraction(end)
        elif kind.is_sd:
            value = _settled(search, model.meeting, Fraction(max(0, end)))
        else:
            value = task.of_sum(end)
    return Extreme(value, model, objective, best.bound, best.counts)


def _last_whole(bound: float, highest: bool) -> int:
    """Return the last whole number that the solver's bound leaves possible."""
    return math.floor(bound + SLACK) if highest else math.ceil(bound - SLACK)


def _ratio(search: Search, model: CountModel, whole: bool, proved: Exact) -> Extreme:
    """Return a bound on t² by Dinkelbach's iteration.

    Above: if S²(n - 1) / r - W <= e for all data, then t² <= r (1 + e / w), w the least W.
    Below: if W - S²(n - 1) / r <= e for all data, then t² >= r (1 - e / w) with w = s (n - 1) / r,
    s the least S²; for data with W <= w have t² >= r anyhow. The optimum's own t² is the next r,
    until e is 0 but for the solver's tolerance.
    """
    highest, limit = search.highest, search.task.time_limit
    n = model.meeting.columns[Part.CHANGE].n
    least = (_least_spread if highest else _least_total)(search, model, whole)
    inside = search.inside()
    objective = model.excess(Fraction(1))
    if inside is None or least == 0 or inside == 0 or math.isinf(inside):
        return Extreme(proved, model, objective, math.inf, None)
    ratio, counts, optimum = Fraction(inside), None, math.inf
    deadline = time.perf_counter() + _RATIO_TIME * limit
    for _ in range(_MOST_STEPS):
        objective = model.excess(ratio)
        best = model.optimise(objective, highest, whole=whole, time_limit=limit)
        optimum = best.bound
        if math.isinf(optimum):
            break
        edge = Fraction(least) if highest else least**2 * (n - 1) / ratio
        slack = max(_RATIO_SLACK, edge / 10**6)
        gain = Fraction(max(0.0, optimum if highest else -optimum)) + slack
        end = ratio * (1 + (gain if highest else -gain) / edge)
        proved = end if search.beyond(proved, end) else proved
        counts = counts if best.counts is None else best.counts
        following = model.ratio(best.solution)
        if gain <= 2 * slack or following is None or not search.beyond(following, ratio):
            break
        if time.perf_counter() > deadline:
            break
        ratio = following
    return Extreme(_settled(search, model.meeting, proved), model, objective, optimum, counts)


def _least_spread(search: Search, model: CountModel, whole: bool) -> int:
    """Return a whole number that W of the changes cannot fall below."""
    n, squares = model.meeting.columns[Part.CHANGE].n, search.task.squares(model.meeting)
    least = min(n * ends[0] - total * total for total, ends in squares.items())
    return least or max(0, _outer(search, model, model.spread(Part.CHANGE), False, whole))


def _least_total(search: Search, model: CountModel, whole: bool) -> int:
    """Return a whole number that the sum of the changes cannot fall below, sign aside."""
    low, high = (
        _outer(search, model, model.total(Part.CHANGE), end, whole) for end in (False, True)
    )
    return max(0, low, -high)


def _outer(
    search: Search, model: CountModel, objective: Objective, highest: bool, whole: bool
) -> int:
    limit = search.task.time_limit
    bound = model.optimise(objective, highest, whole=whole, time_limit=limit).bound
    return 0 if math.isinf(bound) else _last_whole(bound, highest)


def _settled(search: Search, meeting: Meeting, limit: Exact) -> Exact:
    """Return the last value, from a proved limit inwards, that whole numbers can have.

    The limit is one on t² for a paired p, on W = nQ - S² for an SD.
    """
    if math.isinf(limit):
        return limit
    task, highest = search.task, search.highest
    n, ratio = meeting.columns[task.part].n, task.quantity.kind is Kind.PAIRED_P
    values: list[Exact] = []
    for total, (low, high) in task.squares(meeting).items():
        square = total * total * (n - 1)
        # The spread at which this sum reaches the limit, and the side on which it keeps it.
        if ratio and (limit == 0 or square == 0):
            if square == 0 and not search.beyond(Fraction(0), limit):
                values.append(Fraction(0))
            continue
        edge = square / limit if ratio else limit
        most = highest is not ratio
        squares = (math.floor if most else math.ceil)((edge + total * total) / n)
        odd = (squares - low) % 2
        squares += -odd if most else odd
        squares = min(squares, high) if most else max(squares, low)
        if low <= squares <= high:
            spread = n * squares - total * total
            values.append(t_squared(n, total, spread) if ratio else task.of_spread(spread))
    return (max(values) if highest else min(values)) if values else limit
