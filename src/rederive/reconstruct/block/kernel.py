"""The compiled Markov chain over patient-level data of one block.

The state is a value (in steps of the scale) for every patient and time point, measured or not, and
a mask of what was measured. The chain leaves invariant the prior times exp(-heat·penalty), where
the penalty is zero exactly if all printed figures hold. States are recorded at fixed iterations
only, and only those without penalty: so they follow the prior, given the figures.
"""

from __future__ import annotations

from typing import NamedTuple

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


BEYOND_JUMP = 1000.0
"""Loss of the logarithm of a prior for each step beyond the greatest jump: too much to be drawn,
yet a way back for a start that has such jumps."""

_ONE, _TWO, _SWAP, _WHOLE, _MASK = range(5)
"""Moves: a value of one patient, of two in opposite directions, two exchanged, a whole row, two
patients' measured and missing value."""

_SLACK = 1e-9
"""Relative distance of a bound from what it bounds, far above what rounding can do."""


@numba.njit(cache=True, nogil=True)
def _log_prior(row: Integers, seen: Flags, density: Density, logs: Floats) -> float:
    """Return the logarithm of the density; ``logs``, shape (kinds,), is overwritten."""
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
                    inner += precisions[k, s, t] * (row[t] - means[k, t])
                form += (row[s] - means[k, s]) * inner
            logs[k] = log_weights[k] - 0.5 * form
            top = max(top, logs[k])
        result = top
        if kinds > 1:
            share = 0.0
            for k in range(kinds):
                share += np.exp(logs[k] - top)
            result += np.log(share)
    beyond = 0
    for t in range(1, row.size):
        beyond += max(0, abs(row[t] - row[t - 1]) - jump)
    if beyond > 0:
        result -= BEYOND_JUMP * beyond
    # Who has no first value has none at all.
    if seen[0] and (by_last != 0.0 or by_own != 0.0):
        last = row[0]
        for t in range(1, row.size):
            if seen[t]:
                last = row[t]
            else:
                result += by_last * last + by_own * row[t]
    return result


@numba.njit(inline="always")
def _count(
    v: int, value: int, sign: int, sums: Integers, found: Integers, counts: Integers
) -> None:
    """Add (sign 1) a value to a column, or take it away (-1)."""
    sums[v, 0] += sign * value
    sums[v, 1] += sign * value * value
    for c in range(found.size):
        if counts[c, 0] == v and counts[c, 1] <= value <= counts[c, 2]:
            found[c] += sign


@numba.njit(inline="always")
def _recount(
    values: Integers,
    mask: Flags,
    pair: tuple[int, int],
    kind: int,
    t: int,
    by: int,
    sums: Integers,
    found: Integers,
    counts: Integers,
) -> None:
    """Make a move in all columns; the second of a pair is -1 if it stays as it is."""
    times = values.shape[1]
    whole = kind == _WHOLE or (kind != _MASK and t == 0)
    for i, change in ((pair[0], by), (pair[1], -by)):
        for s in range(0 if whole else t, (times if whole else t + 1) if i >= 0 else 0):
            old, first = values[i, s], values[i, 0]
            new = old + change if kind == _WHOLE or s == t else old
            later = first + change if whole else first
            was, seen = mask[i, s], mask[i, s] != (kind == _MASK)
            for value, start, sign in ((old, first, -int(was)), (new, later, int(seen))):
                if sign != 0:
                    _count(s, value, sign, sums, found, counts)
                    if s > 0:
                        _count(times + s, value - start, sign, sums, found, counts)
                        _count(2 * times + s, start, sign, sums, found, counts)


@numba.njit(inline="always")
def _move(values: Integers, mask: Flags, pair: tuple[int, int], kind: int, t: int, by: int) -> None:
    """Make a move in the data, as :func:`_recount` does in the columns."""
    for i, change in ((pair[0], by), (pair[1], -by)):
        for s in range(values.shape[1] if i >= 0 else 0):
            if kind == _MASK and s == t:
                mask[i, s] = not mask[i, s]
            elif kind == _WHOLE or s == t:
                values[i, s] += change


@numba.njit(inline="always")
def _beyond(value: float, low: float, high: float, unit: float) -> float:
    """Return how many units a value is beyond its limits; most are within, and divisions slow."""
    return 0.0 if low <= value <= high else max(low - value, value - high) / unit


@numba.njit(inline="always")
def _weigh(
    v: int,
    terms: Floats,
    sums: Integers,
    n: Integers,
    total: Integers,
    spread: Integers,
    t_squared: Floats,
    units: Floats,
) -> None:
    """Write the three terms of the penalty of a column."""
    s = sums[v, 0]
    d = n[v] * sums[v, 1] - s * s
    terms[v, 0] = _beyond(s, total[v, 0], total[v, 1], units[v, 0])
    terms[v, 1] = _beyond(d, spread[v, 0], spread[v, 1], units[v, 1])
    low, high = t_squared[v, 0], t_squared[v, 1]
    if low > 0 or high < np.inf:
        ratio = 0.0
        if s != 0:
            ratio = 1e18 if d == 0 else float(s) * s * (n[v] - 1) / d
        terms[v, 2] = min(_beyond(ratio, low, high, units[v, 2]), 1e6)


@numba.njit(cache=True, nogil=True)
def _total(terms: Floats, sums: Integers, found: Integers, limits: Limits) -> float:
    """Return the penalty: how far sums and counts are from their limits; 0 if all figures hold."""
    n, units, ends, counts = limits.n, limits.units, limits.ends, limits.counts
    result = 0.0
    for v in range(n.size):
        if n[v] > 0:
            for k in range(3):
                result += terms[v, k]
    for e in range(ends.shape[0]):
        v = int(ends[e, 0])
        error = np.sqrt((n[v] * sums[v, 1] - sums[v, 0] ** 2) / (n[v] - 1)) / n[v]
        end = sums[v, 0] / n[v] + ends[e, 1] * error
        result += _beyond(end, ends[e, 2], ends[e, 3], 1.0) * n[v] / units[v, 0]
    for c in range(found.size):
        result += _beyond(found[c], counts[c, 3], counts[c, 4], 1.0)
    return result


@numba.njit(cache=True, nogil=True)
def _weighed(values: Integers, mask: Flags, limits: Limits) -> tuple[Integers, Integers, Floats]:
    """Return sums by column, how many values are of each kind counted, and terms of the penalty."""
    n, total, spread, t_squared, units, _, counts = limits
    sums, found = np.zeros((n.size, 2), np.int64), np.zeros(counts.shape[0], np.int64)
    terms, seen = np.zeros((n.size, 3)), np.zeros_like(mask)
    for i in range(values.shape[0]):
        for t in range(values.shape[1]):
            if mask[i, t]:
                _recount(values, seen, (i, -1), _MASK, t, 0, sums, found, counts)
    for v in range(n.size):
        if n[v] > 0:
            _weigh(v, terms, sums, n, total, spread, t_squared, units)
    return sums, found, terms


@numba.njit(cache=True, nogil=True)
def penalty_of(values: Integers, mask: Flags, limits: Limits) -> float:
    """Return how far data are from the limits; 0 if all figures hold."""
    sums, found, terms = _weighed(values, mask, limits)
    return _total(terms, sums, found, limits)


@numba.njit(inline="always")
def _leap(rng: np.random.Generator, reach: int) -> int:
    length = 1 + int(rng.random() * reach)
    return length if rng.random() < 0.5 else -length


@numba.njit(inline="always")
def _propose(
    values: Integers,
    mask: Flags,
    i: int,
    j: int,
    reach: Integers,
    frozen: Flags,
    fixed_mask: Flags,
    measured: int,
    highest: int,
    rng: np.random.Generator,
) -> tuple[int, int, int]:
    """Draw a symmetric move of two patients: its kind, -1 for none; time; change of the first."""
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


@numba.njit(cache=True, nogil=True, error_model="numpy")
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
    patients, times = values.shape
    # Arrays of a tuple are counted each time they are taken out of it, which is slow in a loop.
    n, total, spread, t_squared, units, ends, counts = limits
    reach, frozen, fixed_mask, measured, highest = moves
    by_last, by_own = density.by_last, density.by_own
    sums, found, terms = _weighed(values, mask, limits)
    new_sums, new_found, new_terms = sums.copy(), found.copy(), terms.copy()
    penalty = _total(terms, sums, found, limits)
    if stop_at_first and penalty == 0.0:
        return 1
    kinds, logs = np.empty(density.log_weights.size), np.empty(patients)
    for i in range(patients):
        logs[i] = _log_prior(values[i], mask[i], density, kinds)
    by_chance = by_last == 0.0 and by_own == 0.0
    highest_log = _SLACK + highest * (times - 1) * (max(0.0, by_last) + max(0.0, by_own))
    if density.log_weights.size > 0:
        highest_log += density.log_weights.max() + np.log(density.log_weights.size)
    records = 0
    for iteration in range(1, iterations + 1):
        i = int(rng.random() * patients)
        j = int(rng.random() * patients)
        kind, t, by = -1, 0, 0
        if i != j or patients == 1:
            kind, t, by = _propose(
                values, mask, i, j, reach, frozen, fixed_mask, measured, highest, rng
            )
        if kind >= 0:
            both = i != j and kind != _ONE and kind != _WHOLE
            pair = i, j if both else -1
            _recount(values, mask, pair, kind, t, by, new_sums, new_found, counts)
            columns = range(0, n.size, 1) if kind == _WHOLE or t == 0 else range(t, n.size, times)
            # First what the gain is at most, since that refuses most moves without the rest.
            rise, size = 0.0, penalty
            for v in columns:
                if n[v] > 0 and (new_sums[v, 0] != sums[v, 0] or new_sums[v, 1] != sums[v, 1]):
                    _weigh(v, new_terms, new_sums, n, total, spread, t_squared, units)
                    for k in range(3):
                        rise += new_terms[v, k] - terms[v, k]
                        size += new_terms[v, k]
            for c in range(found.size):
                low, high = counts[c, 3], counts[c, 4]
                rise += _beyond(new_found[c], low, high, 1.0) - _beyond(found[c], low, high, 1.0)
            most = -heat * (rise - _SLACK * size)
            moved = kind != _MASK or not by_chance
            if moved:
                most += highest_log - logs[i] + (highest_log - logs[j] if both else 0.0)
            chance, new_penalty, log1, log2 = -1.0, penalty, logs[i], logs[j]
            if most < 0 and ends.shape[0] == 0:
                chance = rng.random()
            accepted = chance < 0 or chance < np.exp(most) * (1 + _SLACK)
            if accepted:
                _move(values, mask, pair, kind, t, by)
                if moved:
                    log1 = _log_prior(values[i], mask[i], density, kinds)
                if moved and both:
                    log2 = _log_prior(values[j], mask[j], density, kinds)
                new_penalty = _total(new_terms, new_sums, new_found, limits)
                gain = log1 - logs[i] - heat * (new_penalty - penalty)
                if both:
                    gain += log2 - logs[j]
                if gain < 0:
                    accepted = (chance if chance >= 0 else rng.random()) < np.exp(gain)
                if not accepted:
                    _move(values, mask, pair, kind, t, -by)
            if accepted:
                penalty, logs[i] = new_penalty, log1
                if both:
                    logs[j] = log2
                if stop_at_first and penalty == 0.0:
                    return 1
            for v in columns:
                for k in range(2):
                    if accepted:
                        sums[v, k] = new_sums[v, k]
                    else:
                        new_sums[v, k] = sums[v, k]
                for k in range(3):
                    if accepted:
                        terms[v, k] = new_terms[v, k]
                    else:
                        new_terms[v, k] = terms[v, k]
            for c in range(found.size):
                if accepted:
                    found[c] = new_found[c]
                else:
                    new_found[c] = found[c]
        if iteration % every == 0 and penalty == 0.0 and not stop_at_first:
            out_values[records] = values
            out_mask[records] = mask
            records += 1
            if records == out_values.shape[0]:
                break
    return records
