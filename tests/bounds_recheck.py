"""Check a bound's witnesses anew, from their values and nothing else.

Only whole numbers and fractions are used, but for the p value, which comes from SciPy's paired t
test. Nothing of the search or of the solver is called.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from scipy import stats

from rederive.printed import Interval
from rederive.reconstruct.block import Block, Figure
from rederive.reconstruct.bounds.quantities import Exact, Quantity
from rederive.reconstruct.bounds.result import Bound, Cells, End

_P_SLACK = 1e-9
"""Relative allowance for floating point at the ends of a printed p."""


def recheck(bound: Bound, block: Block) -> list[str]:
    """Return what is wrong with a bound; an empty list if nothing is.

    Parameters
    ----------
    bound : Bound
        As computed or loaded.
    block : Block
        The block with all its figures; those that the bound dropped are left out.
    """
    faults = [] if bound.fits(block) else ["computed for another block, quantity or method"]
    kept = block.without(bound.dropped)
    for name, end in (("low", bound.low), ("high", bound.high)):
        if end.witness is not None:
            faults += [f"{name}: {fault}" for fault in _faults(end, bound.quantity, kept)]
    low, high = bound.low, bound.high
    if bound.quantity.falls:
        low, high = high, low
    if low.proved > high.proved:
        faults.append("low is above high")
    for name, end in (("low", low), ("high", high)):
        for other in (low.attained, high.attained):
            if other is not None and (other < end.proved if name == "low" else other > end.proved):
                faults.append(f"a witness passes the {name} exact end")
    return faults


def _faults(end: End, quantity: Quantity, block: Block) -> list[str]:
    assert end.witness is not None
    faults = _shape_faults(end.witness, block)
    if faults:
        return faults
    faults = [
        f"does not keep {f.id}: {f.printed}"
        for f in block.figures
        if not _keeps(end.witness, f, block)
    ]
    mask = np.array([[v is not None for v in row] for row in end.witness], np.bool_)
    values = np.array([[0 if v is None else v for v in row] for row in end.witness], np.int64)
    value: Exact = quantity.exact(block, values, mask)
    if value != end.attained:
        faults.append(f"has {quantity.name} {value}, stated is {end.attained}")
    if end.best is None or not math.isclose(end.best, quantity.shown(value, block), rel_tol=1e-9):
        faults.append(f"is shown as {end.best}, found {quantity.shown(value, block)}")
    return faults


def _shape_faults(cells: Cells, block: Block) -> list[str]:
    times = len(block.timepoints)
    if len(cells) != block.patients or any(len(row) != times for row in cells):
        return [f"is no table of {block.patients} patients and {times} time points"]
    faults = []
    for t, (name, n) in enumerate(zip(block.timepoints, block.observed, strict=True)):
        column = [row[t] for row in cells]
        seen = [v for v in column if v is not None]
        if len(seen) != n:
            faults.append(f"has {len(seen)} values at {name}, need {n}")
        if any(not 0 <= v <= block.levels for v in seen):
            faults.append(f"leaves the scale at {name}")
        if any(v is not None and row[0] is None for v, row in zip(column, cells, strict=True)):
            faults.append(f"has patients at {name} without a first value")
    return faults


def _keeps(cells: Cells, figure: Figure, block: Block) -> bool:
    at, scale = block.index(figure.at), block.scale
    pairs = [(row[0], row[at]) for row in cells if row[at] is not None]
    first = [scale.minimum + b * scale.step for b, _ in pairs if b is not None]
    level = [scale.minimum + y * scale.step for _, y in pairs if y is not None]
    change = [y - b for b, y in zip(first, level, strict=True)]
    interval = figure.printed.interval(block.rule)
    family, _, name = figure.statistic.rpartition("_")
    column = {"baseline": first, "change": change}.get(family, level)
    match name:
        case "minimum":
            return min(column) in interval
        case "maximum":
            return max(column) in interval
        case "mean":
            return _mean(column) in interval
        case "sd":
            return _sd_within(column, interval)
        case "responders":
            assert figure.threshold is not None
            better = change if figure.rises else [-d for d in change]
            return Fraction(sum(d >= figure.threshold for d in better)) in interval
    return _p_within(change, interval)


def _mean(numbers: list[Fraction]) -> Fraction:
    return sum(numbers, Fraction(0)) / len(numbers)


def _sd_within(numbers: list[Fraction], interval: Interval) -> bool:
    mean = _mean(numbers)
    variance = sum(((x - mean) ** 2 for x in numbers), Fraction(0)) / (len(numbers) - 1)
    possible = interval.intersect(Interval(Fraction(0), None))
    if possible is None or possible.low is None:
        return False
    high = None if possible.high is None else possible.high**2
    return variance in Interval(possible.low**2, high, possible.low_closed, possible.high_closed)


def _p_within(change: list[Fraction], interval: Interval) -> bool:
    numbers = [float(x) for x in change]
    if len(set(change)) == 1:
        p = 1.0 if change[0] == 0 else 0.0
    else:
        p = float(stats.ttest_1samp(numbers, 0.0).pvalue)
    low, high = interval.lower, interval.upper
    above = p > low or (interval.low_closed and p >= low * (1 - _P_SLACK))
    below = p < high or (interval.high_closed and p <= high * (1 + _P_SLACK))
    return above and below
