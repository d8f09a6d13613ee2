"""Which notebooks a sweep runs, and the values that they have themselves."""

from __future__ import annotations

from pathlib import Path

from rederive.execution.notebooks import read_notebook
from rederive.execution.project import Project
from rederive.parameters import Value
from rederive.parameters.chosen import NOTEBOOKS_FOLDER, find_notebook, own_defaults

WHOLE_BOOK = "book"
"""Name that stands for all section notebooks."""


def swept_notebooks(project: Project, name: str) -> dict[Path, dict[str, Value]]:
    """Return the notebooks that a name stands for, each with its own parameters and their values.

    Parameters
    ----------
    project : Project
        The book.
    name : str
        Name of a notebook, a path to one in the book's folder, or ``book`` for all sections.

    Returns
    -------
    dict
        By path relative to the book's folder.

    Raises
    ------
    ConfigurationError
        If there is no such notebook.
    """
    if name == WHOLE_BOOK:
        found = [path for path in project.notebooks if path.parent == NOTEBOOKS_FOLDER]
    else:
        found = [find_notebook(project, name)]
    return {path: own_defaults(read_notebook(project.root / path)) for path in found}
