"""A cache of executed notebooks, keyed by everything that their numbers may depend on."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rederive.execution.files import digest_of_files, files_below
from rederive.execution.notebooks import canonical_bytes, without_outputs
from rederive.execution.project import Project
from rederive.printed.files import write_atomically

# Raise this number when the form of the cached notebooks changes.
CACHE_FORMAT = 3
ENTRIES_KEPT = 200
_ENGINE = Path(__file__).resolve().parents[1]


def source_digest(project: Project) -> str:
    """Digest all that any notebook of a book may depend on besides itself, wherever it stands.

    These are the packages below ``src/``, modules and YAML files beside pages in ``book/``, the
    data below ``data/``, the pinned packages, the version of Python and, where it is installed
    elsewhere, this package. Files are read again only if one has another time or size.
    """
    folders = [project.root / "src", project.root / "data"]
    if not _ENGINE.is_relative_to(folders[0].resolve()):
        folders.append(_ENGINE)
    paths = [(folder, path) for folder in folders for path in files_below(folder)]
    pages = project.root / "book"
    paths += [(pages, path) for path in files_below(pages) if path.suffix in (".py", ".yaml")]
    if project.lock_file.is_file():
        paths.append((project.root, project.lock_file))
    stats = [(folder, path, path.stat()) for folder, path in paths]
    return _digest(tuple((f, path, stat.st_mtime_ns, stat.st_size) for f, path, stat in stats))


@lru_cache(maxsize=8)
def _digest(stamps: tuple[tuple[Path, Path, int, int], ...]) -> str:
    digest = hashlib.sha256(platform.python_version().encode())
    for folder, path, _, _ in stamps:
        digest.update(f"{folder.name} {digest_of_files(folder, [path])}\n".encode())
    return digest.hexdigest()


def execution_key(
    notebook: Mapping[str, Any], name: str, parameters: Mapping[str, Any], sources: str
) -> str:
    """Return the key of one execution, SHA-256 in hexadecimal.

    Of the notebook its outputs do not count; its name, relative to the root, does, since it runs in
    its own folder. Parameters are plain JSON values; of an absolute path the content counts as
    well. ``sources`` is the result of `source_digest`.
    """
    digest = hashlib.sha256()
    named = [content_digest(Path(text)) for text in _texts(parameters) if Path(text).is_absolute()]
    described = json.dumps([CACHE_FORMAT, name, sources, dict(parameters), named], sort_keys=True)
    digest.update(described.encode() + b"\0")
    digest.update(canonical_bytes(without_outputs(notebook)))
    return digest.hexdigest()


def _texts(values: Mapping[str, Any]) -> Iterator[str]:
    for value in values.values():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, str):
            yield value


def content_digest(path: Path) -> str:
    """Digest what is in a folder or a file; of a path that is neither nothing."""
    with suppress(OSError, ValueError):
        if path.is_dir():
            return digest_of_files(path)
        return digest_of_files(path.parent, [path])
    return ""


@dataclass(frozen=True)
class ExecutionCache:
    """Executed notebooks in a folder, one file each, so that writers never meet."""

    folder: Path

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.ipynb"

    def get(self, key: str) -> bytes | None:
        """Return the executed notebook of a key (`execution_key`), or None."""
        with suppress(OSError):
            content = self._path(key).read_bytes()
            self._path(key).touch()
            return content
        return None

    def put(self, key: str, content: bytes) -> None:
        """Store an executed notebook; a reader sees all of it or nothing."""
        write_atomically(self._path(key), content)

    def prune(self, kept: int = ENTRIES_KEPT) -> None:
        """Remove what was unused for longest, also what killed writers left, but some entries."""
        dated = []
        for path in (*self.folder.glob("*.ipynb"), *self.folder.glob(".*.ipynb-*")):
            with suppress(OSError):  # another process has just removed it
                dated.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(dated, reverse=True)[kept:]:
            path.unlink(missing_ok=True)
