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

TAKES_ALL = ".among(globals())"
"""How a notebook hands its names to the parameters of the book."""


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


def notebook_parameters(path: Path, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the parameters that a notebook takes.

    Parameters
    ----------
    path : Path
        The notebook; the names are those that its cell tagged ``parameters`` assigns.
    known : sequence of str
        All parameters of the book: a notebook that hands its names over with :data:`TAKES_ALL`
        takes these as well.

    Raises
    ------
    ConfigurationError
        If the file is no notebook.
    """
    cells = [each for each in read_notebook(path)["cells"] if each["cell_type"] == "code"]
    sources = ["".join(each["source"]) for each in cells]
    own: tuple[str, ...] = ()
    for cell, source in zip(cells, sources, strict=True):
        if TAG in cell["metadata"].get("tags", []):
            own = assigned_names(source)
            break
    takes_all = any(TAKES_ALL in source for source in sources)
    return tuple(dict.fromkeys([*own, *(known if takes_all else ())]))


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
    known: Sequence[str] = (),
) -> None:
    """Refuse parameters that papermill put into a notebook which has none of that name.

    Papermill only logs such a name, and the notebook would run with its defaults.

    Parameters
    ----------
    cells : sequence of str
        Cells run so far; a cell that papermill injects begins with ``# Parameters`` and follows
        the notebook's own cell of defaults.
    known : sequence of str
        Parameters that are taken beside those of the cell of defaults.

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
            not_taken(name, tuple(dict.fromkeys([*taken, *known])))
            for name in assigned_names(injected)
            if name not in taken and name not in known
        ]
        if faults:
            raise ParameterError("\n".join(faults))


def cells_run() -> list[str]:
    """Return the sources of the cells that this kernel has run; none outside a kernel."""
    shell = get_ipython()
    if shell is None or shell.history_manager is None:
        return []
    return [str(cell) for cell in shell.history_manager.input_hist_raw]
