"""What installed packages offer to the command line."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from rederive.printed.errors import ConfigurationError, meant


def load_installed(group: str, name: str, otherwise: str) -> Any:
    """Return the object that an entry point of a group names, one entry for each installed article.

    The name may be empty if only one is installed; a ``ConfigurationError`` says which there are,
    or `otherwise` if there is none.
    """
    found = {entry.name: entry for entry in entry_points(group=group)}
    if not name and len(found) == 1:
        name = next(iter(found))
    if name not in found:
        allowed = ", ".join(sorted(found)) or otherwise
        raise ConfigurationError(f"article: found {name!r}, allowed: {allowed}{meant(name, found)}")
    return found[name].load()
