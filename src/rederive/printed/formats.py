"""How figures of cohorts are written: p never as zero, ranges outward, all and none only if so."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from rederive.printed import PrintedNumber, format_like, outward

CENTRAL = (0.025, 0.975)
"""Quantiles between which the central 95 % of cohorts lie."""

FLOAT_NOISE_DECIMALS = 9
"""Decimals of a computed figure that are kept before it is held against a printed one."""

_AT_AN_END = 2 * 10.0**-FLOAT_NOISE_DECIMALS
"""Distance within which that noise decides on which side of an end a figure lies."""

P_DECIMALS = 3
"""Figures with so many decimals or more are p values."""

_SAME_P = 1e-12
"""Difference of two p values that is taken as the noise of floats."""


def p_text(p: float, decimals: int = 4) -> str:
    """Return a p value with some decimals, as a limit where it would print as zero."""
    if math.isnan(p):
        return "none"
    smallest = 10.0**-decimals
    return f"<{smallest:.{decimals}f}" if p < smallest / 2 else f"{p:.{decimals}f}"


def fixed(value: float, decimals: int) -> str:
    """Return a number with some decimals; zero has no sign, and what is not known is none."""
    if np.isnan(value):
        return "none"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def plain(value: float, model: PrintedNumber) -> str:
    """Return a number with the decimals of a printed figure; only p are printed with three."""
    is_p = model.decimals >= P_DECIMALS
    return p_text(value, model.decimals) if is_p else fixed(value, model.decimals)


def as_printed(value: float, model: PrintedNumber) -> str:
    """Return a computed figure in the manner of a printed one, its floating-point noise cut off."""
    if np.isnan(value):
        return "none"
    return format_like(_without_noise(value), model)


def between(low: str, high: str) -> str:
    """Return a range as text; one figure if both ends are the same."""
    return low if low == high else f"{low} to {high}"


def p_between(low: float, high: float, decimals: int = 4) -> str:
    """Return a range of p values as text, rounded outward, as a limit where an end prints as 0."""
    if high - low < _SAME_P:
        return between(p_text(low, decimals), p_text(high, decimals))
    return between(*(p_text(float(end), decimals) for end in outward(low, high, decimals)))


def central(values: Any) -> tuple[float, float]:
    """Return the ends of the central 95 % of values."""
    low, high = np.quantile(values, CENTRAL)
    return float(low), float(high)


def percent(share: float) -> str:
    """Return a share in whole percent; neither none nor all is said unless it is so."""
    if np.isnan(share):
        return "none"
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def printing(values: pd.Series[Any], printed: PrintedNumber) -> pd.Series[Any]:
    """Return for each unrounded figure whether it would be printed as published; NaN never is."""
    interval, figures = printed.interval(), values.to_numpy(np.float64)
    found = (figures > interval.lower) & (figures < interval.upper)
    ends = [np.isclose(figures, end, 1e-12, _AT_AN_END) for end in (interval.lower, interval.upper)]
    for at in np.flatnonzero(ends[0] | ends[1]):  # alone these need exact arithmetic
        found[at] = printed.prints(_without_noise(figures[at]))
    return pd.Series(found, index=values.index, name=values.name)


def _without_noise(value: float) -> Fraction:
    return Fraction(str(round(float(value), FLOAT_NOISE_DECIMALS)))
