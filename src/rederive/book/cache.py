"""A cache of executed notebooks, keyed by everything that their numbers depend on."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rederive.book.config import Project
from rederive.book.files import digest_of_files, files_below
from rederive.book.notebooks import canonical_bytes, without_outputs
from rederive.printed.files import write_atomically

# Raise this number when the form of the cached notebooks changes.
CACHE_FORMAT = 1
ENTRIES_KEPT = 200


def source_digest(project: Project) -> str:
    """Digest what every notebook of a book may depend on besides itself.

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
    if project.lock_file.is_file():
        paths.append(project.lock_file)
    content = digest_of_files(project.root, paths)
    return hashlib.sha256(f"{content}\0{platform.python_version()}".encode()).hexdigest()


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
        Result of `source_digest`.

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


@dataclass(frozen=True)
class ExecutionCache:
    """Executed notebooks in a folder, one file a key.

    Parameters
    ----------
    folder
        Where the files are; created when first written to.
    """

    folder: Path

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.ipynb"

    def get(self, key: str) -> bytes | None:
        """Return the executed notebook stored for `key`, or None.

        Parameters
        ----------
        key
            Result of `execution_key`.

        Returns
        -------
        bytes or None
            The notebook's JSON.
        """
        path = self._path(key)
        if not path.is_file():
            return None
        path.touch()
        return path.read_bytes()

    def put(self, key: str, content: bytes) -> None:
        """Store an executed notebook; a reader sees all of it or nothing.

        Parameters
        ----------
        key
            Result of `execution_key`.
        content
            The notebook's JSON.
        """
        write_atomically(self._path(key), content)

    def prune(self, kept: int = ENTRIES_KEPT) -> None:
        """Remove the entries that were not used for longest.

        Parameters
        ----------
        kept
            Number of entries to keep.
        """
        entries = sorted(
            self.folder.glob("*/*.ipynb"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        for path in entries[kept:]:
            path.unlink(missing_ok=True)
