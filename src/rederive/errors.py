"""Errors of the book's tools; each carries the exit status of the command line."""

from __future__ import annotations


class BookError(Exception):
    """A step of the book failed; the message says which one and why."""

    exit_status = 1


class ConfigurationError(BookError):
    """A setting, path or parameter is not usable; the message says what is allowed."""

    exit_status = 2
