"""What a run reads of its book: opened files, listed folders, and names that were looked for.

Installed in the process of one notebook before its first cell. It sees what passes through
Python: ``open``, ``os.listdir``, ``os.scandir`` and ``os.stat`` with everything built on them
(pathlib, glob, pandas, NumPy). It does not see a library that opens a path natively (for instance
``pyarrow.parquet.read_table`` with a path; give it an open file), nor what another process reads.
"""

# Paths stay texts: a hook that made Path objects would be slow, and would trigger itself.
# ruff: noqa: PTH100, PTH120, PTH206
from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOKED_FOR = "?"
"""Begins the record of a path that was looked for, not read: only its existence counts."""

_IGNORED_PARTS = frozenset({"_build", ".ipynb_checkpoints", "node_modules"})
_IMPORT_SYSTEM = "<frozen importlib"
_PATH_MODULES = frozenset({"genericpath", "posixpath", "ntpath", "pathlib", "pathlib._local"})


class _Trace:
    """The records of this process.

    Parameters
    ----------
    root : Path
        The book's folder.
    """

    def __init__(self, root: Path) -> None:
        self._roots = tuple({os.path.abspath(root) + os.sep, os.path.realpath(root) + os.sep})
        self._not_data = tuple(
            os.path.realpath(folder) + os.sep
            for folder in {sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)}
        )
        self.opened: set[str] = set()
        self.listed: set[str] = set()
        self.looked_for: set[str] = set()

    def name_of(self, path: Any) -> str | None:
        """Return a path as it is recorded: relative to the root, or absolute outside it."""
        try:
            absolute = os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError, OSError):
            return None
        for root in self._roots:
            if absolute.startswith(root):
                parts = absolute[len(root) :].split(os.sep)
                return _record(parts)
            if absolute + os.sep == root:
                return "."
        return None if absolute.startswith(self._not_data) else absolute

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Record one audit event."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or (flags or 0) & (os.O_WRONLY | os.O_RDWR):
                return
            if name := self.name_of(path):
                self.opened.add(name)
        elif event in ("os.listdir", "os.scandir"):
            path = "." if arguments[0] is None else arguments[0]
            # The import system lists folders in search of modules; code counts on its own.
            caller = sys._getframe(2)
            if isinstance(path, int) or caller.f_code.co_filename.startswith(_IMPORT_SYSTEM):
                return
            if name := self.name_of(path):
                self.listed.add(name)


def _record(parts: list[str]) -> str | None:
    if len(parts) > 1 and parts[-2] == "__pycache__" and parts[-1].endswith(".pyc"):
        # Compiled code stands for its source.
        parts = [*parts[:-2], parts[-1].split(".")[0] + ".py"]
    if any(part.startswith(".") or part in _IGNORED_PARTS for part in parts):
        return None
    return None if "__pycache__" in parts else "/".join(parts)


_trace: _Trace | None = None


def start(root: Path) -> None:
    """Record from now on what this process reads; call it once, in a process of its own.

    Parameters
    ----------
    root : Path
        The book's folder. What lies below it counts, except hidden files, caches and what a
        build writes; what lies outside is recorded if it does not belong to Python's
        installation.
    """
    global _trace
    first = _trace is None
    _trace = _Trace(root)
    if not first:
        return

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.listdir", "os.scandir") and _trace is not None:
            _trace.see(event, arguments)

    sys.addaudithook(hook)
    # Looking whether a file exists raises no audit event.
    for name in ("stat", "lstat"):
        original = getattr(os, name)
        wrapped = _recording(original)
        for group in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if original in group:
                group.add(wrapped)
        setattr(os, name, wrapped)


def _recording(original: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    def recorded(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        trace = None if isinstance(path, int) or _is_display() else _trace
        name = trace.name_of(path) if trace is not None else None
        if trace is not None and name:
            trace.looked_for.add(name)
        return original(path, *arguments, **options)

    recorded.__name__ = original.__name__
    recorded.__doc__ = original.__doc__
    return recorded


def _is_display() -> bool:
    """Say whether IPython asks: it looks for a file named like each text that is displayed."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _PATH_MODULES:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")).startswith("IPython.")


def files_read() -> list[str]:
    """Return what was read since `start`, sorted.

    Returns
    -------
    list of str
        POSIX paths relative to the root (absolute ones outside it). ``folder/`` with a slash at
        the end: the names in it were listed. ``?path``: it was looked whether it exists. Files
        that were opened and are missing are in it too.
    """
    if _trace is None:
        return []
    read = set(_trace.opened)
    read |= {f"{name}/" for name in _trace.listed}
    read |= {
        f"{LOOKED_FOR}{name}"
        for name in _trace.looked_for
        if name not in _trace.opened and name not in _trace.listed
    }
    return sorted(read)
