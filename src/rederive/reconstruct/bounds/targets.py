"""A target for a quantity, as further figures that a search for a witness has to keep."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from scipy import stats

from rederive.printed import PrintedNumber
from rederive.printed.number import format_fixed
from rederive.reconstruct.block import Block, Figure, Statistic
from rederive.reconstruct.bounds.quantities import Exact, Kind, Quantity

_DECIMALS = 15
_P_DECIMALS = 60
_MOST_TOTALS = 6


def figures_beyond(
    quantity: Quantity, block: Block, target: Exact, highest: bool, baseline: tuple[int, int]
) -> Iterator[tuple[Figure, ...]]:
    """Yield sets of figures, one of which holds for every data set at or beyond a target.

    Parameters
    ----------
    target : Fraction or float
        Exact value to be reached.
    highest : bool
        Whether data above the target are wanted, or below.
    baseline : tuple of int
        Least and greatest sum of all first values, in steps; for the mean of the missing each of
        them has its own set of figures.
    """
    at, n, step = quantity.at, block.observed[block.index(quantity.at)], block.scale.step
    match quantity.kind:
        case Kind.RESPONDERS:
            text = format_fixed(Fraction(target), 0)
            asked = quantity.threshold, quantity.rises
            yield (_figure(Statistic.RESPONDERS, at, text, highest, *asked),)
        case Kind.SD | Kind.CHANGE_SD:
            half = Fraction(1, 2 * n * (n - 1)) * step**2
            variance = Fraction(target) + (-half if highest else half)
            if variance > 0:
                text = format_fixed(Fraction(math.sqrt(variance)), _DECIMALS)
                yield (_figure(quantity.kind.statistic, at, text, highest),)
            else:
                yield ()
        case Kind.PAIRED_P if target == math.inf:
            text = format_fixed(step / (2 * n), _DECIMALS)
            yield (_figure(Statistic.CHANGE_SD, at, text, False),)
        case Kind.PAIRED_P:
            t_squared = float(target) * (1 - 1e-8 if highest else 1 + 1e-8)
            p = min(1.0, float(2 * stats.t.sf(math.sqrt(t_squared), n - 1)))
            text = format_fixed(Fraction(p), _P_DECIMALS)
            yield (_figure(Statistic.PAIRED_P, at, text, not highest),)
        case Kind.MISSING_BASELINE_MEAN:
            missing = block.observed[0] - n
            gone = round((Fraction(target) - block.scale.minimum) * missing / step)
            first = block.timepoints[0]
            totals = range(baseline[0], baseline[1] + 1)[:: -1 if highest else 1]
            for total in totals[:_MOST_TOTALS]:
                yield (
                    *_sum_between(Statistic.MEAN, first, block, block.observed[0], total),
                    _sum_figure(Statistic.BASELINE_MEAN, at, block, n, total - gone, not highest),
                )
        case _:
            value = Fraction(target) + (quantity.reference or 0)
            quarter = step / (4 * n)
            text = format_fixed(value + (-quarter if highest else quarter), _DECIMALS)
            yield (_figure(quantity.kind.statistic, at, text, highest),)


def _figure(
    statistic: Statistic,
    at: str,
    text: str,
    least: bool,
    threshold: Fraction | None = None,
    rises: bool = False,
) -> Figure:
    operator = "≥" if least else "≤"
    name = f"target-{statistic}-{at}-{operator}"
    return Figure(name, statistic, at, PrintedNumber(text, operator), threshold, rises)


def _sum_figure(
    statistic: Statistic, at: str, block: Block, n: int, total: int, least: bool
) -> Figure:
    middle = total + (Fraction(-1, 4) if least else Fraction(1, 4))
    value = block.scale.minimum + middle * block.scale.step / n
    return _figure(statistic, at, format_fixed(value, _DECIMALS), least)


def _sum_between(
    statistic: Statistic, at: str, block: Block, n: int, total: int
) -> tuple[Figure, ...]:
    return tuple(_sum_figure(statistic, at, block, n, total, least) for least in (True, False))
