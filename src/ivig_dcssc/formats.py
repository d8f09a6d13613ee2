"""How figures of cohorts are written: p never as zero, ranges outward, all and none only if so."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from rederive.printed import PrintedNumber, outward

CENTRAL = (0.025, 0.975)
"""Quantiles between which the central 95 % of cohorts lie."""

FLOAT_NOISE_DECIMALS = 9
"""Decimals of a computed figure that are kept before it is held against a printed one."""

_SAME_P = 1e-12
"""Difference of two p values that is taken as the noise of floats."""


def p_text(p: float, decimals: int = 4) -> str:
    """Return a p value with some decimals, as a limit where it would print as zero."""
    if math.isnan(p):
        return "none"
    smallest = 10.0**-decimals
    return f"<{smallest:.{decimals}f}" if p < smallest / 2 else f"{p:.{decimals}f}"


def p_floor(p: float, decimals: int = 4) -> str:
    """Return a lower bound of p values, rounded down, as a limit where it would print as zero."""
    text, _ = outward(p, p, decimals)
    return p_text(float(text), decimals)


def p_ceiling(p: float, decimals: int = 4) -> str:
    """Return an upper bound of p values, rounded up."""
    _, text = outward(p, p, decimals)
    return p_text(float(text), decimals)


def p_between(low: float, high: float, decimals: int = 4) -> str:
    """Return a range of p values as text, rounded outward; one figure if both ends are the same."""
    if math.isnan(low) or math.isnan(high) or high - low < _SAME_P:
        return _joined(p_text(low, decimals), p_text(high, decimals))
    return _joined(p_floor(low, decimals), p_ceiling(high, decimals))


def _joined(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def fixed(value: float, decimals: int) -> str:
    """Return a number with some decimals; zero has no sign, and what is not known is none."""
    if np.isnan(value):
        return "none"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def percent(share: float) -> str:
    """Return a share in whole percent; neither none nor all is said unless it is so."""
    if np.isnan(share):
        return "none"
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def printing(values: pd.Series[Any], printed: PrintedNumber) -> pd.Series[Any]:
    """Return for each computed figure whether it would be printed as published.

    Parameters
    ----------
    values : Series
        Unrounded figures; NaN prints as nothing.
    printed : PrintedNumber
        The published figure.
    """
    verdicts = {
        value: printed.prints(Fraction(str(round(float(value), FLOAT_NOISE_DECIMALS))))
        for value in values.dropna().unique()
    }
    return values.map(lambda value: verdicts.get(value, False)).astype(bool)
