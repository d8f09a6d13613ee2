"""How p values and their bounds are put in words: never as zero, and bounds rounded outward."""

from __future__ import annotations

import math

from rederive.printed import outward

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
