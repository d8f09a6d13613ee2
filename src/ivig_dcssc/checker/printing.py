"""From an exact value to the figure as the article prints it."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from operator import ge, gt, le, lt

PRECISION = 60
"""Significant digits carried; far beyond any printed figure, so that only true halves look so."""

_HOLDS = {"<": lt, ">": gt, "over": gt, "≤": le, "≥": ge}


def decimal_of(value: Fraction) -> Decimal:
    """Return a rational number as a decimal of :data:`PRECISION` digits."""
    with localcontext(prec=PRECISION):
        return Decimal(value.numerator) / Decimal(value.denominator)


def root_of(value: Fraction) -> Decimal:
    """Return the square root of a rational number, 0 or more."""
    with localcontext(prec=PRECISION):
        return (Decimal(value.numerator) / Decimal(value.denominator)).sqrt()


def printings(value: Decimal, decimals: int) -> tuple[str, ...]:
    """Return what a value may print as: one text, or two for an exact half.

    Parameters
    ----------
    value : Decimal
        The value.
    decimals : int
        Digits after the point.

    Returns
    -------
    tuple of str
        The half away from zero first, then the half to the even digit if that is another text.
    """
    texts = []
    for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        with localcontext(prec=PRECISION):
            rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
        text = f"{abs(rounded) if rounded == 0 else rounded:f}"
        if text not in texts:
            texts.append(text)
    return tuple(texts)


def compare(value: Decimal | None, text: str, operator: str) -> tuple[str, bool]:
    """Print a value like a figure of the article, and say whether it is that figure.

    Parameters
    ----------
    value : Decimal or None
        The exact value; none if the cohort does not yield one.
    text : str
        The printed figure without its operator.
    operator : str
        ``=`` compares texts; ``<``, ``>``, ``over``, ``≤`` and ``≥`` compare the value with the
        figure.

    Returns
    -------
    computed : str
        The value to the printed decimals, or the whole printed inequality where it holds.
    agrees : bool
        Whether the value prints as the article does.

    Raises
    ------
    ValueError
        For another operator.
    """
    if operator != "=" and operator not in _HOLDS:
        allowed = " ".join(["=", *_HOLDS])
        raise ValueError(f"operator: found {operator!r}, allowed are {allowed}")
    if value is None:
        return "not computable", False
    decimals = len(text.partition(".")[2])
    texts = printings(value, decimals)
    if operator == "=":
        return (text, True) if text in texts else (texts[0], False)
    if _HOLDS[operator](value, Decimal(text)):
        return as_printed(text, operator), True
    return texts[0], False


def as_printed(text: str, operator: str) -> str:
    """Return a figure with its operator, as a reader sees it."""
    if operator == "=":
        return text
    return f"{operator} {text}" if operator.isalpha() else f"{operator}{text}"
