"""The files below a folder, and digests of what they hold."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

IGNORED_NAMES = frozenset({"__pycache__", ".ipynb_checkpoints", ".DS_Store"})


def files_below(folder: Path) -> tuple[Path, ...]:
    """Return the files below a folder, by POSIX name, without caches and hidden files.

    A folder that does not exist has no files.
    """
    return tuple(sorted(_below(folder), key=lambda path: path.as_posix()))


def _below(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in IGNORED_NAMES or entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _below(folder / entry.name)
            elif entry.is_file():
                yield folder / entry.name


def digest_of_files(root: Path, paths: Iterable[Path] | None = None) -> str:
    """Return SHA-256 of the names and contents of some files, in their order; by default of all.

    Names are relative to `root`, so that the digest travels with the tree.
    """
    digest = hashlib.sha256()
    for path in files_below(root) if paths is None else paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def replace_folder(new: Path, target: Path) -> None:
    """Put a finished folder of the same file system in the place of another, removed last."""
    retired = target.with_name(f".{target.name}-retired")
    shutil.rmtree(retired, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(retired)
    new.rename(target)
    shutil.rmtree(retired, ignore_errors=True)
