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


@numba.njit(inline="always")
def _log_prior(
    row: Integers,
    seen: Flags,
    means: Floats,
    precisions: Floats,
    log_weights: Floats,
    jump: int,
    by_last: float,
    by_own: float,
    logs: Floats,
) -> float:
    """Return the logarithm of the density; ``logs``, shape (kinds,), is overwritten."""
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
        share = 1.0
        if kinds > 1:
            share = 0.0
            for k in range(kinds):
                share += np.exp(logs[k] - top)
        result = top + np.log(share)
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
    sums: Integers, found: Integers, counts: Integers, column: int, value: int, sign: int
) -> None:
    sums[column, 0] += sign * value
    sums[column, 1] += sign * value * value
    for c in range(found.size):
        if counts[c, 0] == column and counts[c, 1] <= value <= counts[c, 2]:
            found[c] += sign


@numba.njit(inline="always")
def _add(
    row: Integers, t: int, sums: Integers, found: Integers, counts: Integers, sign: int
) -> None:
    """Add (sign 1) or take away (-1) one patient's value at one time in all its columns."""
    _count(sums, found, counts, t, row[t], sign)
    if t > 0:
        _count(sums, found, counts, row.size + t, row[t] - row[0], sign)
        _count(sums, found, counts, 2 * row.size + t, row[0], sign)


@numba.njit(inline="always")
def _exchange(
    old: Integers,
    new: Integers,
    was: Flags,
    seen: Flags,
    sums: Integers,
    found: Integers,
    counts: Integers,
    touched: Flags,
) -> None:
    """Put new values of one patient in place of old ones, and say at which times they differ."""
    for t in range(old.size):
        if old[t] == new[t] and old[0] == new[0] and was[t] == seen[t]:
            continue
        touched[t] = True
        if was[t]:
            _add(old, t, sums, found, counts, -1)
        if seen[t]:
            _add(new, t, sums, found, counts, 1)


@numba.njit(cache=True, nogil=True)
def _beyond(value: float, low: float, high: float) -> float:
    return low - value if value < low else (value - high if value > high else 0.0)


@numba.njit(inline="always")
def _weigh(
    terms: Floats,
    touched: Flags,
    sums: Integers,
    n: Integers,
    total: Integers,
    spread: Integers,
    t_squared: Floats,
    units: Floats,
) -> None:
    """Write the three terms of the penalty of each column that has changed."""
    for v in range(n.size):
        if n[v] == 0 or not touched[v % touched.size]:
            continue
        s = sums[v, 0]
        d = n[v] * sums[v, 1] - s * s
        terms[v, 0] = _beyond(s, total[v, 0], total[v, 1]) / units[v, 0]
        terms[v, 1] = _beyond(d, spread[v, 0], spread[v, 1]) / units[v, 1]
        low, high = t_squared[v, 0], t_squared[v, 1]
        if low > 0 or high < np.inf:
            ratio = 0.0
            if s != 0:
                ratio = 1e18 if d == 0 else float(s) * s * (n[v] - 1) / d
            terms[v, 2] = min(_beyond(ratio, low, high) / units[v, 2], 1e6)


@numba.njit(inline="always")
def _total(
    terms: Floats,
    sums: Integers,
    n: Integers,
    units: Floats,
    ends: Floats,
    found: Integers,
    counts: Integers,
) -> float:
    """Return the penalty: how far sums and counts are from their limits; 0 if all figures hold."""
    result = 0.0
    for v in range(n.size):
        if n[v] > 0:
            for k in range(3):
                result += terms[v, k]
    for e in range(ends.shape[0]):
        v = int(ends[e, 0])
        error = np.sqrt((n[v] * sums[v, 1] - sums[v, 0] ** 2) / (n[v] - 1)) / n[v]
        end = sums[v, 0] / n[v] + ends[e, 1] * error
        result += _beyond(end, ends[e, 2], ends[e, 3]) * n[v] / units[v, 0]
    for c in range(found.size):
        result += _beyond(found[c], counts[c, 3], counts[c, 4])
    return result


@numba.njit(cache=True, nogil=True)
def _sums_of(values: Integers, mask: Flags, counts: Integers) -> tuple[Integers, Integers]:
    """Return sums of values and squares by column, and how many values are of each kind counted."""
    sums = np.zeros((3 * values.shape[1], 2), np.int64)
    found = np.zeros(counts.shape[0], np.int64)
    for i in range(values.shape[0]):
        for t in range(values.shape[1]):
            if mask[i, t]:
                _add(values[i], t, sums, found, counts, 1)
    return sums, found


@numba.njit(cache=True, nogil=True)
def penalty_of(values: Integers, mask: Flags, limits: Limits) -> float:
    """Return how far data are from the limits; 0 if all figures hold."""
    sums, found = _sums_of(values, mask, limits.counts)
    terms, touched = np.zeros((limits.n.size, 3)), np.ones(values.shape[1], np.bool_)
    n, total, spread, t_squared, units, ends, counts = limits
    _weigh(terms, touched, sums, n, total, spread, t_squared, units)
    return _total(terms, sums, n, units, ends, found, counts)


@numba.njit(cache=True, nogil=True)
def _leap(rng: np.random.Generator, reach: int) -> int:
    length = 1 + int(rng.random() * reach)
    return length if rng.random() < 0.5 else -length


@numba.njit(inline="always")
def _allowed(first: Integers, second: Integers, both: bool, highest: int) -> bool:
    if first.min() < 0 or first.max() > highest:
        return False
    return not both or bool(second.min() >= 0 and second.max() <= highest)


@numba.njit(cache=True, nogil=True)
def _propose(
    first: Integers,
    second: Integers,
    seen1: Flags,
    seen2: Flags,
    i: int,
    j: int,
    reach: Integers,
    frozen: Flags,
    fixed_mask: Flags,
    measured: int,
    rng: np.random.Generator,
) -> int:
    """Change copies of two patients' rows by one symmetric move; return how many changed."""
    times = first.size
    t = int(rng.random() * times)
    kind = rng.random()
    if kind < 0.40:
        if frozen[i, t]:
            return 0
        first[t] += _leap(rng, reach[t])
        return 1
    if kind < 0.60:
        if frozen[i, t] or frozen[j, t]:
            return 0
        leap = _leap(rng, reach[t])
        first[t] += leap
        second[t] -= leap
        return 2
    if kind < 0.75:
        if frozen[i, t] or frozen[j, t]:
            return 0
        first[t], second[t] = second[t], first[t]
        return 2
    if kind < 0.85:
        leap = _leap(rng, reach[0])
        for s in range(times):
            if frozen[i, s]:
                return 0
            first[s] += leap
        return 1
    movable = t > 0 and not fixed_mask[t] and i < measured and j < measured
    if not movable or seen1[t] == seen2[t]:
        return 0
    seen1[t], seen2[t] = seen2[t], seen1[t]
    return 2


@numba.njit(cache=True, nogil=True)
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
    means, precisions, log_weights, jump, by_last, by_own = density
    sums, found = _sums_of(values, mask, counts)
    terms, touched = np.zeros((n.size, 3)), np.ones(times, np.bool_)
    _weigh(terms, touched, sums, n, total, spread, t_squared, units)
    new_terms, touched[:] = terms.copy(), False
    penalty = _total(terms, sums, n, units, ends, found, counts)
    if stop_at_first and penalty == 0.0:
        return 1
    kinds, logs = np.empty(log_weights.size), np.empty(patients)
    for i in range(patients):
        logs[i] = _log_prior(
            values[i], mask[i], means, precisions, log_weights, jump, by_last, by_own, kinds
        )
    old1, old2, first, second = np.empty((4, times), np.int64)
    was1, was2, seen1, seen2 = np.empty((4, times), np.bool_)
    records = 0
    for iteration in range(1, iterations + 1):
        i = int(rng.random() * patients)
        j = int(rng.random() * patients)
        changed = 0
        if i != j or patients == 1:
            for t in range(times):
                old1[t] = first[t] = values[i, t]
                old2[t] = second[t] = values[j, t]
                was1[t] = seen1[t] = mask[i, t]
                was2[t] = seen2[t] = mask[j, t]
            changed = _propose(
                first, second, seen1, seen2, i, j, reach, frozen, fixed_mask, measured, rng
            )
        both = changed == 2 and i != j
        if changed > 0 and _allowed(first, second, both, highest):
            _exchange(old1, first, was1, seen1, sums, found, counts, touched)
            log1, log2 = (
                _log_prior(
                    first, seen1, means, precisions, log_weights, jump, by_last, by_own, kinds
                ),
                logs[j],
            )
            if both:
                _exchange(old2, second, was2, seen2, sums, found, counts, touched)
                log2 = _log_prior(
                    second, seen2, means, precisions, log_weights, jump, by_last, by_own, kinds
                )
            _weigh(new_terms, touched, sums, n, total, spread, t_squared, units)
            new_penalty = _total(new_terms, sums, n, units, ends, found, counts)
            gain = log1 - logs[i] - heat * (new_penalty - penalty)
            if both:
                gain += log2 - logs[j]
            accepted = gain >= 0 or rng.random() < np.exp(gain)
            if accepted:
                penalty, logs[i] = new_penalty, log1
                if both:
                    logs[j] = log2
                for t in range(times):
                    if both:
                        values[j, t], mask[j, t] = second[t], seen2[t]
                    values[i, t], mask[i, t] = first[t], seen1[t]
            else:
                _exchange(first, old1, seen1, was1, sums, found, counts, touched)
                if both:
                    _exchange(second, old2, seen2, was2, sums, found, counts, touched)
            for v in range(n.size):
                for k in range(3 if touched[v % times] else 0):
                    if accepted:
                        terms[v, k] = new_terms[v, k]
                    else:
                        new_terms[v, k] = terms[v, k]
            touched[:] = False
            if accepted and stop_at_first and penalty == 0.0:
                return 1
        if iteration % every == 0 and penalty == 0.0 and not stop_at_first:
            out_values[records] = values
            out_mask[records] = mask
            records += 1
            if records == out_values.shape[0]:
                break
    return records
