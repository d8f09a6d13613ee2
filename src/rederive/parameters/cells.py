"""Parameters in notebooks: which a notebook takes, and what papermill put into one that runs."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from IPython import get_ipython

from rederive.execution.notebooks import read_notebook
from rederive.parameters.types import ParameterError, meant
from rederive.printed.schema import nearest

TAG = "parameters"
"""Tag of the cell that assigns a notebook's defaults."""


def assigned_names(source: str) -> tuple[str, ...]:
    """Return the names that the top level of a cell assigns to; none if it is no Python."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return ()
    return tuple(
        target.id
        for statement in statements
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    )


def notebook_parameters(path: Path) -> tuple[str, ...]:
    """Return the names of the parameters that a notebook takes.

    Parameters
    ----------
    path : Path
        The notebook; the names are those that its cell tagged ``parameters`` assigns.

    Raises
    ------
    ConfigurationError
        If the file is no notebook.
    """
    for cell in read_notebook(path)["cells"]:
        if cell["cell_type"] == "code" and TAG in cell["metadata"].get("tags", []):
            return assigned_names("".join(cell["source"]))
    return ()


def takers(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return for each parameter the notebooks of a folder that take it, in alphabetical order."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.ipynb")):
        for name in notebook_parameters(path):
            found[name] = (*found.get(name, ()), path.stem)
    return found


def not_taken(
    name: str,
    taken: Sequence[str],
    notebook: str = "",
    taken_by: Mapping[str, Sequence[str]] | None = None,
    known: Sequence[str] = (),
) -> str:
    """Return what is wrong with a parameter that a notebook does not take.

    Parameters
    ----------
    name : str
        The parameter.
    taken : sequence of str
        Those that the notebook takes.
    notebook : str
        Name of the notebook, if it is to be said.
    taken_by : dict, optional
        Notebooks by the parameters that they take.
    known : sequence of str
        All parameters of the book.
    """
    which = notebook or "this notebook"
    others = (taken_by or {}).get(name, ())
    if name in known or others:
        place = f"; taken by: {', '.join(others)}" if others else ""
        return (
            f"parameter {name!r} is not one that {which} takes{place}; {which} takes: "
            f"{', '.join(taken) or 'none'}"
        )
    hint = meant(nearest(name, taken) or nearest(name, known))
    return f"{which} has no parameter {name!r}{hint}; it has: {', '.join(taken) or 'none'}"


def check_injected(
    cells: Sequence[str],
    taken_by: Mapping[str, Sequence[str]] | None = None,
    known: Sequence[str] = (),
) -> None:
    """Refuse parameters that papermill put into a notebook which has none of that name.

    Papermill only logs such a name, and the notebook would run with its defaults.

    Parameters
    ----------
    cells : sequence of str
        Cells run so far; a cell that papermill injects begins with ``# Parameters`` and follows
        the notebook's own cell of defaults.
    taken_by, known
        As for `not_taken`.

    Raises
    ------
    ParameterError
        Naming every unknown parameter.
    """
    for defaults, injected in pairwise(cells):
        if not injected.startswith("# Parameters"):
            continue
        taken = assigned_names(defaults)
        faults = [
            not_taken(name, taken, taken_by=taken_by, known=known)
            for name in assigned_names(injected)
            if name not in taken
        ]
        if faults:
            raise ParameterError("\n".join(faults))


def cells_run() -> list[str]:
    """Return the sources of the cells that this kernel has run; none outside a kernel."""
    shell = get_ipython()
    if shell is None or shell.history_manager is None:
        return []
    return [str(cell) for cell in shell.history_manager.input_hist_raw]
