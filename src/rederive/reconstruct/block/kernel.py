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


@numba.njit(cache=True, nogil=True)
def _log_prior(row: Integers, seen: Flags, density: Density) -> float:
    result = _log_trajectory(row, density)
    beyond = 0
    for t in range(1, row.size):
        beyond += max(0, abs(row[t] - row[t - 1]) - density.jump)
    if beyond > 0:
        result -= BEYOND_JUMP * beyond
    # Who has no first value has none at all.
    if seen[0] and (density.by_last != 0.0 or density.by_own != 0.0):
        last = row[0]
        for t in range(1, row.size):
            if seen[t]:
                last = row[t]
            else:
                result += density.by_last * last + density.by_own * row[t]
    return result


@numba.njit(cache=True, nogil=True)
def _log_trajectory(row: Integers, density: Density) -> float:
    kinds, times = density.means.shape
    if kinds == 0:
        return 0.0
    top = -1e300
    logs = np.empty(kinds)
    for k in range(kinds):
        form = 0.0
        for s in range(times):
            a = row[s] - density.means[k, s]
            inner = 0.0
            for t in range(times):
                inner += density.precisions[k, s, t] * (row[t] - density.means[k, t])
            form += a * inner
        logs[k] = density.log_weights[k] - 0.5 * form
        top = max(top, logs[k])
    if kinds == 1:
        return top
    share = 0.0
    for k in range(kinds):
        share += np.exp(logs[k] - top)
    return float(top + np.log(share))


@numba.njit(cache=True, nogil=True)
def _count(
    sums: Integers, counts: Integers, limits: Limits, column: int, value: int, sign: int
) -> None:
    sums[column, 0] += sign * value
    sums[column, 1] += sign * value * value
    for c in range(counts.size):
        if limits.counts[c, 0] == column and limits.counts[c, 1] <= value <= limits.counts[c, 2]:
            counts[c] += sign


@numba.njit(cache=True, nogil=True)
def _add(
    row: Integers, seen: Flags, sums: Integers, counts: Integers, limits: Limits, sign: int
) -> None:
    """Add (sign 1) or take away (-1) one patient's values in all columns."""
    times = row.size
    for t in range(times):
        if seen[t]:
            _count(sums, counts, limits, t, row[t], sign)
            if t > 0:
                _count(sums, counts, limits, times + t, row[t] - row[0], sign)
                _count(sums, counts, limits, 2 * times + t, row[0], sign)


@numba.njit(cache=True, nogil=True)
def _beyond(value: float, low: float, high: float) -> float:
    return low - value if value < low else (value - high if value > high else 0.0)


@numba.njit(cache=True, nogil=True)
def penalty_of(sums: Integers, counts: Integers, limits: Limits) -> float:
    """Return how far the sums and counts are from their limits; 0 if all figures hold."""
    result = 0.0
    for v in range(limits.n.size):
        n = limits.n[v]
        if n == 0:
            continue
        total = sums[v, 0]
        spread = n * sums[v, 1] - total * total
        result += _beyond(total, limits.total[v, 0], limits.total[v, 1]) / limits.units[v, 0]
        result += _beyond(spread, limits.spread[v, 0], limits.spread[v, 1]) / limits.units[v, 1]
        low, high = limits.t_squared[v, 0], limits.t_squared[v, 1]
        if low > 0 or high < np.inf:
            if total == 0:
                ratio = 0.0
            elif spread == 0:
                ratio = 1e18
            else:
                ratio = float(total) * total * (n - 1) / spread
            result += min(_beyond(ratio, low, high) / limits.units[v, 2], 1e6)
    for e in range(limits.ends.shape[0]):
        v = int(limits.ends[e, 0])
        n, total = limits.n[v], sums[v, 0]
        error = np.sqrt((n * sums[v, 1] - total * total) / (n - 1)) / n
        end = total / n + limits.ends[e, 1] * error
        result += _beyond(end, limits.ends[e, 2], limits.ends[e, 3]) * n / limits.units[v, 0]
    for c in range(counts.size):
        result += _beyond(counts[c], limits.counts[c, 3], limits.counts[c, 4])
    return result


@numba.njit(cache=True, nogil=True)
def total_sums(values: Integers, mask: Flags, limits: Limits) -> tuple[Integers, Integers]:
    """Return sums (columns, 2) and counts of a state, from scratch."""
    sums = np.zeros((limits.n.size, 2), np.int64)
    counts = np.zeros(limits.counts.shape[0], np.int64)
    for i in range(values.shape[0]):
        _add(values[i], mask[i], sums, counts, limits, 1)
    return sums, counts


@numba.njit(cache=True, nogil=True)
def _leap(rng: np.random.Generator, reach: int) -> int:
    length = 1 + int(rng.random() * reach)
    return length if rng.random() < 0.5 else -length


@numba.njit(cache=True, nogil=True)
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
    moves: Moves,
    rng: np.random.Generator,
) -> int:
    """Change copies of two patients' rows by one symmetric move; return how many changed."""
    times = first.size
    t = int(rng.random() * times)
    kind = rng.random()
    if kind < 0.40:
        if moves.frozen[i, t]:
            return 0
        first[t] += _leap(rng, moves.reach[t])
        return 1
    if kind < 0.60:
        if moves.frozen[i, t] or moves.frozen[j, t]:
            return 0
        leap = _leap(rng, moves.reach[t])
        first[t] += leap
        second[t] -= leap
        return 2
    if kind < 0.75:
        if moves.frozen[i, t] or moves.frozen[j, t]:
            return 0
        first[t], second[t] = second[t], first[t]
        return 2
    if kind < 0.85:
        leap = _leap(rng, moves.reach[0])
        for s in range(times):
            if moves.frozen[i, s]:
                return 0
            first[s] += leap
        return 1
    movable = t > 0 and not moves.fixed_mask[t] and i < moves.measured and j < moves.measured
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
    patients = values.shape[0]
    sums, counts = total_sums(values, mask, limits)
    penalty = penalty_of(sums, counts, limits)
    if stop_at_first and penalty == 0.0:
        return 1
    logs = np.empty(patients)
    for i in range(patients):
        logs[i] = _log_prior(values[i], mask[i], density)
    new_sums, new_counts = sums.copy(), counts.copy()
    first, second = values[0].copy(), values[0].copy()
    seen1, seen2 = mask[0].copy(), mask[0].copy()
    records = 0
    for iteration in range(1, iterations + 1):
        i = int(rng.random() * patients)
        j = int(rng.random() * patients)
        changed = 0
        if i != j or patients == 1:
            first[:] = values[i]
            second[:] = values[j]
            seen1[:] = mask[i]
            seen2[:] = mask[j]
            changed = _propose(first, second, seen1, seen2, i, j, moves, rng)
        both = changed == 2 and i != j
        if changed > 0 and _allowed(first, second, both, moves.highest):
            new_sums[:] = sums
            new_counts[:] = counts
            _add(values[i], mask[i], new_sums, new_counts, limits, -1)
            _add(first, seen1, new_sums, new_counts, limits, 1)
            log1, log2 = _log_prior(first, seen1, density), logs[j]
            if both:
                _add(values[j], mask[j], new_sums, new_counts, limits, -1)
                _add(second, seen2, new_sums, new_counts, limits, 1)
                log2 = _log_prior(second, seen2, density)
            new_penalty = penalty_of(new_sums, new_counts, limits)
            gain = log1 - logs[i] - heat * (new_penalty - penalty)
            if both:
                gain += log2 - logs[j]
            if gain >= 0 or rng.random() < np.exp(gain):
                if both:
                    values[j], mask[j], logs[j] = second, seen2, log2
                values[i], mask[i], logs[i] = first, seen1, log1
                sums, new_sums = new_sums, sums
                counts, new_counts = new_counts, counts
                penalty = new_penalty
                if stop_at_first and penalty == 0.0:
                    return 1
        if iteration % every == 0 and penalty == 0.0 and not stop_at_first:
            out_values[records] = values
            out_mask[records] = mask
            records += 1
            if records == out_values.shape[0]:
                break
    return records
