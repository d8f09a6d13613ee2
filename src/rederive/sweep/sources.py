"""What a run depends on besides its parameters, and whether it has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from rederive.execution.cache import environment_digest
from rederive.execution.dependencies import SourceTree
from rederive.execution.files import digest_of_files, files_below
from rederive.execution.notebooks import canonical_bytes, read_notebook, without_outputs
from rederive.execution.project import Project

_Stamp = tuple[tuple[str, int, int], ...]


def source_digest(project: Project, notebooks: Sequence[Path]) -> str:
    """Return a digest of some notebooks with the code and data that they may depend on.

    Of the code those modules count that the notebooks import, directly or not; of the data all,
    since what a run will read is not known before it. The digest is not computed again while no
    file has another time or size.

    Parameters
    ----------
    project : Project
        The book.
    notebooks : sequence of Path
        Relative to the book's folder.

    Returns
    -------
    str
        SHA-256 in hexadecimal; the same wherever the project stands.
    """
    return _digest(project.root, tuple(notebooks), _stamp(project, notebooks))


@lru_cache(maxsize=8)
def _digest(root: Path, notebooks: tuple[Path, ...], stamp: _Stamp) -> str:
    project = Project(root)
    tree = SourceTree(root)
    contents = {notebook: read_notebook(root / notebook) for notebook in notebooks}
    code = {
        path
        for notebook, content in contents.items()
        for path in tree.files_for(content, (root / notebook).parent)
    }
    cells = [
        hashlib.sha256(canonical_bytes(without_outputs(content))).hexdigest()
        for content in contents.values()
    ]
    data = digest_of_files(root, files_below(root / "data"))
    parts = [*cells, tree.digest(code), data, environment_digest(project)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _stamp(project: Project, notebooks: Sequence[Path]) -> _Stamp:
    paths = [*files_below(project.root / "src"), *files_below(project.root / "data")]
    paths += [project.root / notebook for notebook in notebooks]
    if project.lock_file.is_file():
        paths.append(project.lock_file)
    stats = [(path.as_posix(), path.stat()) for path in paths]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
