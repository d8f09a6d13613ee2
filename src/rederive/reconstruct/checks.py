"""Errors, and numbers from texts, that the parts of the reconstruction have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeVar

from rederive.printed import PrintedNumber, parse
from rederive.printed.schema import nearest

_MINUS_SIGNS = str.maketrans({"–": "-", "−": "-", "‐": "-", "‑": "-"})
_LEADING_ZERO = re.compile(r"[^\d.,]*0\d")

T = TypeVar("T")

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


def read_exact(text: str) -> tuple[Fraction | None, str]:
    """Return a number such as 51, 0.125 or 1/8; else ``None`` and what was probably meant."""
    return _read(text, lambda each: Fraction(each.translate(_MINUS_SIGNS)))


def read_figure(text: str) -> tuple[PrintedNumber | None, str]:
    """Return a figure as printed, such as <0.05; else ``None`` and what was probably meant."""

    def plain(text: str) -> PrintedNumber | None:
        number = parse(text)
        return None if number.label or number.percent or number.operator == "±" else number

    return _read(text, plain)


def _read(text: str, parsed: Callable[[str], T | None]) -> tuple[T | None, str]:
    """Read a text; leading zeros, which YAML may take for octal numbers, are refused."""

    def value(text: str) -> T | None:
        try:
            return None if _LEADING_ZERO.match(text) else parsed(text)
        except (ValueError, ZeroDivisionError):
            return None

    if (found := value(text)) is not None:
        return found, ""
    zeros = re.sub(r"0+(?=\d)", "", text, count=1) if _LEADING_ZERO.match(text) else text
    meant = zeros.replace(",", ".")
    return None, "" if meant == text or value(meant) is None else meant
