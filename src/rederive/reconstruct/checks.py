"""Errors that the parts of the reconstruction have in common."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from rederive.printed import PrintedNumber, format_fixed
from rederive.printed.schema import nearest

MOST_LISTED = 20
"""Most names, or faults, that a message lists."""


def listed(names: Iterable[object], joint: str = ", ") -> str:
    """Return names in a row; of many the first ones and how many more there are."""
    texts = [str(name) for name in names]
    if len(texts) > MOST_LISTED:
        texts[MOST_LISTED:] = [f"and {len(texts) - MOST_LISTED} more"]
    return joint.join(texts) or "none"


def unknown(what: str, found: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that does not exist, with the nearest one that does."""
    names = list(known)
    hint = nearest(found, names)
    meant = f"; did you mean {hint}?" if hint else ""
    return ValueError(f"{what}: found {found!r}, allowed are {listed(names)}{meant}")


def require_printed(name: str, value: object) -> None:
    """Refuse what is no printed figure, such as a text or a float.

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    if not isinstance(value, PrintedNumber):
        raise ValueError(
            f"{name}: found {value!r}, allowed are printed figures, such as parse('24.1')"
        )


def decimal(value: Fraction) -> str:
    """Return a number as plain decimals where they end, else as a fraction."""
    rest, decimals = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        decimals = max(decimals, power)
    return str(value) if rest != 1 else format_fixed(value, decimals)
