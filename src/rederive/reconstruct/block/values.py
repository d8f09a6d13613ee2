"""What patient-level data print: every figure in many data sets at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from rederive.printed import Interval
from rederive.recompute.signed_rank import CONVENTIONS, signed_rank_test
from rederive.recompute.t_formulas import PAIRED
from rederive.reconstruct.block.boxes import CONFIDENCE
from rederive.reconstruct.block.figures import Block, Figure, Statistic
from rederive.reconstruct.block.kernel import Floats

_SLACK = 1e-9
"""What a value that belongs to an interval may lie outside it, by rounding errors."""


def print_as(figure: Figure, block: Block, values: Floats) -> npt.NDArray[np.bool_]:
    """Return which values, not rounded, print as a figure of a block."""
    return within(figure.interval(block.rule), values)


def within(ends: Interval, values: Floats) -> npt.NDArray[np.bool_]:
    """Return which values lie within an interval, but for rounding errors."""
    low = ends.lower - (_SLACK if ends.low_closed else -_SLACK)
    high = ends.upper + (_SLACK if ends.high_closed else -_SLACK)
    return np.asarray((values >= low) & (values <= high))


_OVER_PATIENTS: dict[str, Callable[..., Any]] = {
    "mean": np.nanmean,
    "sd": partial(np.nanstd, ddof=1),
    "minimum": np.nanmin,
    "maximum": np.nanmax,
}


def statistic_values(block: Block, observed: Floats, figure: Figure) -> Floats:
    """Return a figure in every data set, not rounded, shape (draws,); its printed text is not used.

    ``observed`` has shape (draws, patients, times), in the unit of the scale, NaN where nothing was
    measured.
    """
    level, first = observed[:, :, block.index(figure.at)], observed[:, :, 0]
    change, statistic = level - first, figure.statistic
    if statistic is Statistic.PAIRED_P:
        mean, sd = np.nanmean(change, axis=1), np.nanstd(change, axis=1, ddof=1)
        return PAIRED.at_point(mean, sd, (~np.isnan(change)).sum(axis=1))
    if statistic is Statistic.SIGNED_RANK_P:
        convention = next(one for one in CONVENTIONS if block.signed_rank in ("", one.name))
        # Steps such as 0.01 are no binary fractions: equal changes must come out equal.
        return signed_rank_test(change.round(9), convention)[2]
    if statistic.is_count:
        assert figure.threshold is not None
        least = float(figure.threshold)
        counted = {
            Statistic.AT_LEAST: level - least,
            Statistic.AT_MOST: least - level,
            Statistic.RESPONDERS: (change if figure.rises else -change) - least,
        }[statistic]
        # Values lie on steps, so half a millionth of a unit only absorbs rounding error.
        return np.asarray((counted >= -5e-7).sum(axis=1), np.float64)
    followed = np.where(np.isnan(level), np.nan, first)
    column = {"": level, "baseline": followed, "change": change}[statistic.family]
    if statistic.is_quantile:
        one, next_one, share = block.quantile(figure)
        ordered = np.sort(column, axis=1)
        low, high = ordered[:, one - 1], ordered[:, next_one - 1]
        return np.asarray(low + float(share) * (high - low), np.float64)
    if statistic.kind in ("se", "ci_low", "ci_high"):
        n = (~np.isnan(column)).sum(axis=1)
        error = np.nanstd(column, axis=1, ddof=1) / np.sqrt(n)
        if statistic.kind == "se":
            return np.asarray(error, np.float64)
        width = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * error
        mean = np.nanmean(column, axis=1)
        return np.asarray(mean + (width if statistic.kind == "ci_high" else -width), np.float64)
    return np.asarray(_OVER_PATIENTS[statistic.kind](column, axis=1), np.float64)
