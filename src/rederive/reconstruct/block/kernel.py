"""The compiled Markov chain over patient-level data of one block.

The state is a value (in steps of the scale) for every patient and time point, measured or not, and
a mask of what was measured. The chain leaves invariant the prior times exp(-heat·penalty), where
the penalty is zero exactly if all printed figures hold. States are recorded at fixed iterations
only, and only those without penalty: so they follow the prior, given the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Limits(NamedTuple):
    """Limits on the columns (rows: level, change, baseline of followed, each per time point).

    ``n`` is 0 for a column without figures. ``total``, ``spread`` and ``t_squared`` have shape
    (columns, 2); ``units``, shape (columns, 3), the distances from a limit of each that count as
    one unit of penalty; a row of ``ends`` a column, t and the limits of mean + t·SE; a row of
    ``counts`` a column, its least and greatest value, and how many of such values there may be.
    """

    n: Integers
    total: Integers
    spread: Integers
    t_squared: Floats
    units: Floats
    ends: Floats
    counts: Integers


class Moves(NamedTuple):
    """How the chain may move.

    ``reach``, shape (times,), is the greatest length of a step; ``frozen``, shape (patients,
    times), and ``fixed_mask``, shape (times,), what stays of values and mask; ``measured`` the
    number of patients with a first value, who come first; ``highest`` the greatest value, in steps.
    """

    reach: Integers
    frozen: Flags
    fixed_mask: Flags
    measured: int
    highest: int


class Density(NamedTuple):
    """A prior in steps of the scale, by kind of patient; without any kind it is flat.

    ``means`` has shape (kinds, times), ``precisions`` (kinds, times, times); ``log_weights`` is the
    logarithm of each weight, with the normal density's constant. ``jump`` is the greatest distance
    of neighbouring values. A missing value adds ``by_last`` times the last value measured before
    it, and ``by_own`` times itself, to the logarithm.
    """

    means: Floats
    precisions: Floats
    log_weights: Floats
    jump: int
    by_last: float
    by_own: float


class Sums(NamedTuple):
    """What the figures are computed from, by column, and how far it is from their limits.

    ``moments``, shape (columns, 2), are sums of values and of their squares; ``found``, shape
    (counts,), how many values are of each kind counted; ``terms``, shape (columns, 3), the terms of
    the penalty of total, spread and t.
    """

    moments: Integers
    found: Integers
    terms: Floats


BEYOND_JUMP = 1000.0
"""Loss of the logarithm of a prior for each step beyond the greatest jump: too much to be drawn,
yet a way back for a start that has such jumps."""

_ONE, _TWO, _SWAP, _WHOLE, _MASK = range(5)
"""Moves: a value of one patient, of two in opposite directions, two exchanged, a whole row, two
patients' measured and missing value."""

F = TypeVar("F", bound=Callable[..., Any])


def _njit(**options: Any) -> Callable[[F], F]:
    compiled: Callable[[F], F] = numba.njit(nogil=True, error_model="numpy", **options)
    return compiled


# Counting references to arrays took two thirds of the time; what is compiled so makes no array.
_compiled, _inlined = _njit(_nrt=False, cache=True), _njit(_nrt=False, forceinline=True)


# --- the prior -----------------------------------------------------------------------------------


@_inlined
def _log_prior(values: Integers, mask: Flags, i: int, density: Density, logs: Floats) -> float:
    """Return the logarithm of a patient's density; ``logs``, shape (kinds,), is overwritten."""
    means, precisions, log_weights, jump, by_last, by_own = density
    kinds, times = means.shape
    result = 0.0
    if kinds > 0:
        top = -1e300
        for k in range(kinds):
            form = 0.0
            for s in range(times):
                inner = 0.0
                for t in range(times):
                    inner += precisions[k, s, t] * (values[i, t] - means[k, t])
                form += (values[i, s] - means[k, s]) * inner
            logs[k] = log_weights[k] - 0.5 * form
            top = max(top, logs[k])
        result = top
        if kinds > 1:
            share = 0.0
            for k in range(kinds):
                share += np.exp(logs[k] - top)
            result += np.log(share)
    beyond = 0
    for t in range(1, values.shape[1]):
        beyond += max(0, abs(values[i, t] - values[i, t - 1]) - jump)
    if beyond > 0:
        result -= BEYOND_JUMP * beyond
    # Who has no first value has none at all.
    if mask[i, 0] and (by_last != 0.0 or by_own != 0.0):
        last = values[i, 0]
        for t in range(1, values.shape[1]):
            if mask[i, t]:
                last = values[i, t]
            else:
                result += by_last * last + by_own * values[i, t]
    return result


# --- sums and the penalty ------------------------------------------------------------------------


@_inlined
def _replace(v: int, old: int, new: int, sums: Sums, counts: Integers) -> None:
    """Put one value of a column in the place of another."""
    moments, found, _ = sums
    moments[v, 0] += new - old
    moments[v, 1] += new * new - old * old
    for c in range(found.size):
        if counts[c, 0] == v:
            low, high = counts[c, 1], counts[c, 2]
            found[c] += int(low <= new <= high) - int(low <= old <= high)


@_inlined
def _count(v: int, value: int, sign: int, sums: Sums, counts: Integers) -> None:
    """Add (sign 1) a value to a column, or take it away (-1)."""
    moments, found, _ = sums
    moments[v, 0] += sign * value
    moments[v, 1] += sign * value * value
    for c in range(found.size):
        if counts[c, 0] == v and counts[c, 1] <= value <= counts[c, 2]:
            found[c] += sign


@_inlined
def _recount(
    values: Integers,
    mask: Flags,
    pair: tuple[int, int],
    kind: int,
    t: int,
    by: int,
    sums: Sums,
    counts: Integers,
) -> None:
    """Make a move in all columns; the second of a pair is -1 if it stays as it is."""
    times = values.shape[1]
    for i, change in ((pair[0], by), (pair[1], -by)):
        if i < 0:
            continue
        first, old = values[i, 0], values[i, t]
        if kind == _MASK:
            sign = -1 if mask[i, t] else 1
            _count(t, old, sign, sums, counts)
            _count(times + t, old - first, sign, sums, counts)
            _count(2 * times + t, first, sign, sums, counts)
        elif kind != _WHOLE and t > 0:
            if mask[i, t]:
                _replace(t, old, old + change, sums, counts)
                _replace(times + t, old - first, old + change - first, sums, counts)
        else:
            later = first + change
            if mask[i, 0]:
                _replace(0, first, later, sums, counts)
            for s in range(1, times):
                if mask[i, s]:
                    old = values[i, s]
                    _replace(2 * times + s, first, later, sums, counts)
                    if kind == _WHOLE:
                        _replace(s, old, old + change, sums, counts)
                    else:
                        _replace(times + s, old - first, old - later, sums, counts)


@_inlined
def _beyond(value: float, low: float, high: float, unit: float) -> float:
    """Return how many units a value is beyond its limits; most are within, and divisions slow."""
    return 0.0 if low <= value <= high else max(low - value, value - high) / unit


@_inlined
def _weigh(v: int, sums: Sums, limits: Limits) -> None:
    """Write the three terms of the penalty of a column."""
    moments, _, terms = sums
    n, total, spread, t_squared, units, _, _ = limits
    s = moments[v, 0]
    d = n[v] * moments[v, 1] - s * s
    terms[v, 0] = _beyond(s, total[v, 0], total[v, 1], units[v, 0])
    terms[v, 1] = _beyond(d, spread[v, 0], spread[v, 1], units[v, 1])
    low, high = t_squared[v, 0], t_squared[v, 1]
    if low > 0 or high < np.inf:
        ratio = 0.0
        if s != 0:
            ratio = 1e18 if d == 0 else float(s) * s * (n[v] - 1) / d
        terms[v, 2] = min(_beyond(ratio, low, high, units[v, 2]), 1e6)


@_inlined
def _total(sums: Sums, limits: Limits) -> float:
    """Return the penalty: how far sums and counts are from their limits; 0 if all figures hold."""
    moments, found, terms = sums
    n, units, ends, counts = limits.n, limits.units, limits.ends, limits.counts
    result = 0.0
    for v in range(n.size):
        if n[v] > 0:
            for k in range(3):
                result += terms[v, k]
    for e in range(ends.shape[0]):
        v = int(ends[e, 0])
        error = np.sqrt((n[v] * moments[v, 1] - moments[v, 0] ** 2) / (n[v] - 1)) / n[v]
        end = moments[v, 0] / n[v] + ends[e, 1] * error
        result += _beyond(end, ends[e, 2], ends[e, 3], 1.0) * n[v] / units[v, 0]
    for c in range(found.size):
        result += _beyond(found[c], counts[c, 3], counts[c, 4], 1.0)
    return result


@_compiled
def _penalty(sums: Sums, limits: Limits) -> float:
    """Write the terms of all columns with figures, and return the penalty."""
    for v in range(limits.n.size):
        if limits.n[v] > 0:
            _weigh(v, sums, limits)
    return _total(sums, limits)


def _sums(values: Integers, mask: Flags, limits: Limits) -> Sums:
    """Return the sums of data, without the terms."""
    first, followed = values[:, :1], mask & (np.arange(mask.shape[1]) > 0)
    columns = np.hstack([values, values - first, np.broadcast_to(first, values.shape)])
    seen = np.hstack([mask, followed, followed])
    moments = np.column_stack([(columns**power * seen).sum(axis=0) for power in (1, 2)])
    found = [
        np.sum(seen[:, v] & (columns[:, v] >= low) & (columns[:, v] <= high))
        for v, low, high, *_ in limits.counts
    ]
    return Sums(moments, np.array(found, np.int64), np.zeros((limits.n.size, 3)))


def penalty_of(values: Integers, mask: Flags, limits: Limits) -> float:
    """Return how far data are from the limits; 0 if all figures hold."""
    return float(_penalty(_sums(values, mask, limits), limits))


# --- moves ---------------------------------------------------------------------------------------


@_inlined
def _leap(rng: np.random.Generator, reach: int) -> int:
    length = 1 + int(rng.random() * reach)
    return length if rng.random() < 0.5 else -length


@_inlined
def _propose(
    values: Integers, mask: Flags, i: int, j: int, moves: Moves, rng: np.random.Generator
) -> tuple[int, int, int]:
    """Draw a symmetric move of two patients: its kind, -1 for none; time; change of the first."""
    reach, frozen, fixed_mask, measured, highest = moves
    t, share, by = int(rng.random() * values.shape[1]), rng.random(), 0
    kind = int(share >= 0.40) + int(share >= 0.60) + int(share >= 0.75) + int(share >= 0.85)
    if kind == _MASK:
        movable = t > 0 and not fixed_mask[t] and i < measured and j < measured
        return (_MASK if movable and mask[i, t] != mask[j, t] else -1), t, by
    if kind == _WHOLE:
        by, lowest, most = _leap(rng, reach[0]), values[i, 0], values[i, 0]
        for s in range(values.shape[1]):
            if frozen[i, s]:
                return -1, t, by
            lowest, most = min(lowest, values[i, s]), max(most, values[i, s])
        return (kind if lowest + by >= 0 and most + by <= highest else -1), t, by
    if frozen[i, t] or (kind != _ONE and frozen[j, t]):
        return -1, t, by
    if kind == _SWAP:
        return kind, t, values[j, t] - values[i, t]
    by = _leap(rng, reach[t])
    inside = 0 <= values[i, t] + by <= highest
    if kind == _TWO and i != j:
        inside = inside and 0 <= values[j, t] - by <= highest
    return (kind if inside else -1), t, by


@_inlined
def _move(values: Integers, mask: Flags, pair: tuple[int, int], kind: int, t: int, by: int) -> None:
    """Make a move in the data, as :func:`_recount` does in the columns."""
    for i, change in ((pair[0], by), (pair[1], -by)):
        if i < 0:
            continue
        if kind == _MASK:
            mask[i, t] = not mask[i, t]
        elif kind == _WHOLE:
            for s in range(values.shape[1]):
                values[i, s] += change
        else:
            values[i, t] += change


@_inlined
def _copy(first: int, step: int, sums: Sums, to: Sums) -> None:
    """Copy the columns that a move may have changed."""
    for v in range(first, sums.moments.shape[0], step):
        for k in range(2):
            to.moments[v, k] = sums.moments[v, k]
        for k in range(3):
            to.terms[v, k] = sums.terms[v, k]
    for c in range(sums.found.size):
        to.found[c] = sums.found[c]


# --- the chain -----------------------------------------------------------------------------------


def run_chain(
    values: Integers,
    mask: Flags,
    limits: Limits,
    moves: Moves,
    density: Density,
    heat: float,
    iterations: int,
    every: int,
    stop_at_first: bool,
    rng: np.random.Generator,
    out_values: Integers,
    out_mask: Flags,
) -> int:
    """Run the chain in place and record states without penalty.

    ``values`` and ``mask``, shape (patients, times), are the start and are changed; ``heat`` is the
    weight of the penalty. States are looked at after every ``every`` iterations and recorded in
    ``out_values`` and ``out_mask``, shape (records, patients, times), until these are full. With
    ``stop_at_first`` each state is looked at and the first without penalty ends it: a search, whose
    result is no draw from the prior. Returned are the records made; of a search, 1 if it succeeds.
    """
    now = _sums(values, mask, limits)
    penalty = _penalty(now, limits)
    if stop_at_first and penalty == 0.0:
        return 1
    state = values, mask, now, deepcopy(now), penalty
    rules = limits, moves, density, heat
    room = np.empty(len(values)), np.empty(density.log_weights.size)
    records = stop_at_first, rng, out_values, out_mask
    return int(_entered(*state, *rules, *room, iterations, every, *records))


@_njit(cache=True)
def _entered(*given: Any) -> int:
    """Run the chain; without counts, a generator taken from Python would never be freed."""
    return _run(*given)


@_compiled
def _run(
    values: Integers,
    mask: Flags,
    now: Sums,
    then: Sums,
    penalty: float,
    limits: Limits,
    moves: Moves,
    density: Density,
    heat: float,
    logs: Floats,
    of_kinds: Floats,
    iterations: int,
    every: int,
    stop_at_first: bool,
    rng: np.random.Generator,
    out_values: Integers,
    out_mask: Flags,
) -> int:
    """Run the chain from a state with its sums; ``logs`` and ``of_kinds`` are room to work in."""
    patients, times = values.shape
    for i in range(patients):
        logs[i] = _log_prior(values, mask, i, density, of_kinds)
    records = 0
    for iteration in range(1, iterations + 1):
        i = int(rng.random() * patients)
        j = int(rng.random() * patients)
        kind, t, by = -1, 0, 0
        if i != j or patients == 1:
            kind, t, by = _propose(values, mask, i, j, moves, rng)
        if kind >= 0:
            both = i != j and kind != _ONE and kind != _WHOLE
            pair = i, j if both else -1
            _recount(values, mask, pair, kind, t, by, then, limits.counts)
            first, step = (0, 1) if kind == _WHOLE or t == 0 else (t, times)
            old, new = now.moments, then.moments
            for v in range(first, limits.n.size, step):
                if limits.n[v] > 0 and (old[v, 0] != new[v, 0] or old[v, 1] != new[v, 1]):
                    _weigh(v, then, limits)
            new_penalty = _total(then, limits)
            _move(values, mask, pair, kind, t, by)
            log1 = _log_prior(values, mask, i, density, of_kinds)
            log2 = _log_prior(values, mask, j, density, of_kinds) if both else logs[j]
            gain = log1 - logs[i] - heat * (new_penalty - penalty)
            if both:
                gain += log2 - logs[j]
            if gain >= 0 or rng.random() < np.exp(gain):
                penalty, logs[j], logs[i] = new_penalty, log2, log1
                if stop_at_first and penalty == 0.0:
                    return 1
                _copy(first, step, then, now)
            else:
                _move(values, mask, pair, kind, t, -by)
                _copy(first, step, now, then)
        if iteration % every == 0 and penalty == 0.0 and not stop_at_first:
            for i in range(patients):
                for t in range(times):
                    out_values[records, i, t] = values[i, t]
                    out_mask[records, i, t] = mask[i, t]
            records += 1
            if records == out_values.shape[0]:
                break
    return records
