"""Errors of the book's tools; each carries the exit status of the command line."""

from __future__ import annotations

from collections.abc import Iterable

from rederive.printed.schema import nearest


class BookError(Exception):
    """A step of the book failed; the message says which one and why."""

    exit_status = 1


class ConfigurationError(BookError):
    """A setting, path or parameter is not usable; the message says what is allowed."""

    exit_status = 2


MOST_LISTED = 20
"""Most names, or faults, that a message lists."""


def listed(names: Iterable[object], joint: str = ", ", most: int = MOST_LISTED) -> str:
    """Return names in a row; of many the first ones and how many more there are."""
    texts = [str(name) for name in names]
    if len(texts) > most:
        texts[most:] = [f"and {len(texts) - most} more"]
    return joint.join(texts) or "none"


def unknown(what: str, found: object, known: Iterable[object]) -> ValueError:
    """Return the error for a name that does not exist, with the nearest one that does."""
    names = [str(name) for name in known]
    return ValueError(
        f"{what}: found {found!r}, allowed: {listed(names)}{meant(str(found), names)}"
    )


def meant(found: str, allowed: Iterable[str]) -> str:
    """Return the allowed word nearest to a misspelt one as the end of a message, or nothing."""
    hint = nearest(found, allowed)
    return f" (did you mean {hint!r}?)" if hint else ""
