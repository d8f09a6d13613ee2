"""The files below a folder, and digests of what they hold."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

IGNORED_NAMES = frozenset({"__pycache__", ".ipynb_checkpoints", ".DS_Store"})


def files_below(folder: Path) -> tuple[Path, ...]:
    """List the files below `folder`, sorted, without caches and hidden files.

    Parameters
    ----------
    folder
        Folder to walk; one that does not exist has no files.

    Returns
    -------
    tuple of Path
        Paths as `folder / ...`, in the order of their POSIX names.
    """
    found = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p in IGNORED_NAMES or p.startswith(".") for p in parts):
            found.append(path)
    return tuple(sorted(found, key=lambda path: path.as_posix()))


def digest_of_files(root: Path, paths: Iterable[Path]) -> str:
    """Digest the names (relative to `root`) and contents of `paths`.

    Parameters
    ----------
    root
        Folder that the names are relative to, so that the digest travels with the tree.
    paths
        Files to read, in the order in which they count.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def replace_folder(new: Path, target: Path) -> None:
    """Put the finished folder `new` in the place of `target`.

    Parameters
    ----------
    new
        A complete folder on the same file system.
    target
        The place to fill; what stood there is removed only after the new one is in place.
    """
    retired = target.with_name(f".{target.name}-retired")
    shutil.rmtree(retired, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(retired)
    new.rename(target)
    shutil.rmtree(retired, ignore_errors=True)
