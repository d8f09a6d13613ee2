"""A cache of executed notebooks, keyed by everything that their numbers depend on.

What is known before a run makes the key: cells, parameters, code, pinned packages, Python. What
the run read is known only after it; each entry lists those files with their digests, and is valid
as long as they are as they were.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rederive.execution.files import IGNORED_NAMES, digest_of_files, files_below
from rederive.execution.notebooks import canonical_bytes, without_outputs
from rederive.execution.project import Project
from rederive.execution.tracing import LOOKED_FOR
from rederive.printed.files import write_atomically

# Raise this number when the form of the cached notebooks changes.
CACHE_FORMAT = 2
ENTRIES_KEPT = 200
EVERYTHING_BELOW = "/**"
"""Ends the name of a folder of which every file counts."""

ALL_DATA = f"data{EVERYTHING_BELOW}"
"""What a run depends on of which nobody knows what it read."""

_ABSENT = "absent"
_ABANDONED_SECONDS = 3600.0


def environment_digest(project: Project) -> str:
    """Digest what every execution depends on: the pinned packages and the version of Python.

    Parameters
    ----------
    project
        The book.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    lock = project.lock_file.read_bytes() if project.lock_file.is_file() else b""
    return hashlib.sha256(lock + b"\0" + platform.python_version().encode()).hexdigest()


def source_digest(project: Project) -> str:
    """Digest all that any notebook of a book may depend on besides itself.

    For whoever cannot tell what a notebook imports and reads.

    Parameters
    ----------
    project
        The book.

    Returns
    -------
    str
        SHA-256 over the packages below ``src/``, the data below ``data/``, the pinned packages
        and the version of Python.
    """
    paths = [*files_below(project.root / "src"), *files_below(project.root / "data")]
    content = digest_of_files(project.root, paths)
    return hashlib.sha256(f"{content}\0{environment_digest(project)}".encode()).hexdigest()


def execution_key(
    notebook: Mapping[str, Any], name: str, parameters: Mapping[str, Any], sources: str
) -> str:
    """Key of one execution.

    Parameters
    ----------
    notebook
        The notebook as stored; its outputs do not count.
    name
        Its path relative to the root, since a notebook runs in its own folder.
    parameters
        Values for its parameters cell; must be plain JSON values.
    sources
        Digest of everything else that counts and is known before the run.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    described = json.dumps([CACHE_FORMAT, name, sources, dict(parameters)], sort_keys=True)
    digest.update(described.encode() + b"\0")
    digest.update(canonical_bytes(without_outputs(notebook)))
    return digest.hexdigest()


class FileStates:
    """Files as they are now; each is read once in the life of this object.

    Parameters
    ----------
    root : Path
        Folder that relative names start from.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Return the state of one dependency, as a text that changes when it does.

        Parameters
        ----------
        name : str
            A file; a folder whose names count (``folder/``); a path of which only existence
            counts (``?path``); or a folder of which everything counts (``folder/**``).
        """
        if name not in self._known:
            try:
                self._known[name] = self._look(name)
            except OSError as error:
                self._known[name] = f"unreadable: {error.errno}"
        return self._known[name]

    def of_all(self, names: Iterable[str]) -> dict[str, str]:
        """Return the states of several dependencies by name."""
        return {name: self.of(name) for name in sorted(names)}

    def match(self, states: Mapping[str, str]) -> bool:
        """Say whether all dependencies are in the states given."""
        return all(self.of(name) == state for name, state in states.items())

    def changed_since(self, names: Iterable[str], moment: float) -> bool:
        """Say whether one of the files was written after a moment (seconds of ``time.time``).

        Folders and paths that were only looked for do not count, nor does what is absent.
        """
        for name in names:
            path = self._root / name
            if name.startswith(LOOKED_FOR) or name.endswith(("/", EVERYTHING_BELOW)):
                continue
            with contextlib.suppress(OSError):
                if path.stat().st_ctime > moment:
                    return True
        return False

    def _look(self, name: str) -> str:
        if name.endswith(EVERYTHING_BELOW):
            folder = self._root / name.removesuffix(EVERYTHING_BELOW)
            return digest_of_files(folder, files_below(folder))
        path = self._root / name.removeprefix(LOOKED_FOR)
        if name.startswith(LOOKED_FOR):
            return "folder" if path.is_dir() else "file" if path.exists() else _ABSENT
        if name.endswith("/"):
            if not path.is_dir():
                return _ABSENT
            names = sorted(each.name for each in path.iterdir())
            kept = [each for each in names if not each.startswith((".", "_build"))]
            counted = "\0".join(each for each in kept if each not in IGNORED_NAMES)
            return hashlib.sha256(counted.encode()).hexdigest()
        if path.is_dir():
            return "folder"
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else _ABSENT


@dataclass(frozen=True)
class ExecutionCache:
    """Executed notebooks in a folder, one file an entry, so that writers never meet.

    Parameters
    ----------
    folder
        Where the files are; created when first written to.
    """

    folder: Path

    def _entries(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def get(self, key: str, files: FileStates) -> bytes | None:
        """Return the newest executed notebook of a key whose dependencies are as they were.

        Parameters
        ----------
        key
            Result of `execution_key`.
        files
            The files as they are now.

        Returns
        -------
        bytes or None
            The notebook's JSON. Entries that are damaged or cannot be read do not count.
        """
        for path in _newest_first(self._entries(key).glob("*.entry")):
            content = _content_if_valid(path, files)
            if content is not None:
                with contextlib.suppress(OSError):
                    path.touch()
                return content
        return None

    def put(self, key: str, content: bytes, dependencies: Mapping[str, str]) -> None:
        """Store an executed notebook; a reader sees all of it or nothing.

        Parameters
        ----------
        key
            Result of `execution_key`.
        content
            The notebook's JSON.
        dependencies
            Files that it was made from, with their states (`FileStates`).
        """
        described = json.dumps(dict(dependencies), sort_keys=True)
        name = hashlib.sha256(described.encode()).hexdigest()[:32]
        head = {"dependencies": dict(dependencies), "sha256": hashlib.sha256(content).hexdigest()}
        line = json.dumps(head, sort_keys=True).encode() + b"\n"
        path = self._entries(key) / f"{name}.entry"
        try:
            write_atomically(path, line + content)
        except FileNotFoundError:
            # Another process has just removed the folder, because it was empty.
            write_atomically(path, line + content)

    def dependencies(self, key: str) -> list[dict[str, str]]:
        """Return what each entry of a key was made from, the newest entry first."""
        found = []
        for path in _newest_first(self._entries(key).glob("*.entry")):
            parts = _parts(path)
            if parts is not None:
                found.append(parts[0])
        return found

    def seconds(self, name: str) -> float | None:
        """Return how long a notebook took when it was last run, or None."""
        try:
            return float(self._seconds_file(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def note_seconds(self, name: str, seconds: float) -> None:
        """Keep how long a notebook took."""
        write_atomically(self._seconds_file(name), f"{seconds:.2f}\n".encode())

    def _seconds_file(self, name: str) -> Path:
        return self.folder / "seconds" / hashlib.sha256(name.encode()).hexdigest()[:32]

    def prune(self, kept: int = ENTRIES_KEPT) -> None:
        """Remove the entries that were not used for longest, and what killed writers left.

        Parameters
        ----------
        kept
            Number of entries to keep.
        """
        for path in _newest_first(self.folder.glob("*/*/*.entry"))[kept:]:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()
        for path in self.folder.glob("*/*.ipynb"):  # the form of earlier versions
            path.unlink(missing_ok=True)
        for pattern in ("*/*/.*.entry-*", "seconds/.*"):
            for path in self.folder.glob(pattern):
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                        path.unlink()


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    """Sort by time of last use; what another process has removed meanwhile is left out."""
    dated = []
    for path in paths:
        with contextlib.suppress(OSError):
            dated.append((path.stat().st_mtime_ns, path.name, path))
    return [path for _, _, path in sorted(dated, reverse=True)]


def _parts(path: Path) -> tuple[dict[str, str], str, bytes] | None:
    try:
        line, _, content = path.read_bytes().partition(b"\n")
        head = json.loads(line)
        return dict(head["dependencies"]), str(head["sha256"]), content
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _content_if_valid(path: Path, files: FileStates) -> bytes | None:
    parts = _parts(path)
    if parts is None:
        return None
    dependencies, digest, content = parts
    if hashlib.sha256(content).hexdigest() != digest or not files.match(dependencies):
        return None
    return content
