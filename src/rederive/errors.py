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


def unknown(what: str, found: object, known: Iterable[object]) -> ValueError:
    """Return the error for a name that does not exist, with the nearest one that does."""
    names = [str(name) for name in known]
    allowed = ", ".join(names)
    return ValueError(f"{what}: found {found!r}, allowed: {allowed}{meant(str(found), names)}")


def meant(found: str, allowed: Iterable[str]) -> str:
    """Return the allowed word nearest to a misspelt one as the end of a message, or nothing."""
    hint = nearest(found, allowed)
    return f" (did you mean {hint!r}?)" if hint else ""
