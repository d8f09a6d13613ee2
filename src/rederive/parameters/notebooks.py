"""The notebooks of a book and the parameters that each takes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rederive.parameters.given import not_taken
from rederive.parameters.types import Faults, Parameter, ParameterSet, Value
from rederive.printed.errors import ConfigurationError, meant

if TYPE_CHECKING:
    from rederive.execution.project import Project

TAG = "parameters"
"""Tag of the cell that assigns a notebook's defaults."""

COHORT_PARAMETER = "cohort_folder"
"""Name of the parameter that takes the folder of a user's own cohort."""

ONLY_RECONSTRUCTED, ONLY_OWN = "# reconstructed cohorts only", "# own cohort only"
"""First lines of cells that are meant for one kind of run."""

NOTEBOOKS_FOLDER = Path("notebooks")
"""Where a book's sections are."""

TAKES_ALL = ".among(globals())"
"""How a notebook hands its names to the parameters of the book."""

PAGES_FOLDER = Path("book")
"""Where its other pages are."""

CODEBOOK = Path("data") / "cohorts" / "codebook.csv"
"""Codebook of a user's own cohort, from the book's root."""


def _assigned(source: str) -> dict[str, Any]:
    """Return what the top level of a cell assigns: literals by name, and None for all else."""
    found: dict[str, Any] = {}
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return found
    for statement in statements:
        if isinstance(statement, ast.Assign):
            try:
                value = ast.literal_eval(statement.value)
            except ValueError:
                value = None
            names = [each.id for each in statement.targets if isinstance(each, ast.Name)]
            found.update(dict.fromkeys(names, value))
    return found


def own_defaults(notebook: Mapping[str, Any], tag: str = TAG) -> dict[str, Any]:
    """Return what a notebook's cell tagged ``parameters`` (or `tag`) assigns, by name."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and tag in cell["metadata"].get("tags", []):
            return _assigned("".join(cell["source"]))
    return {}


def notebook_parameters(path: Path, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the parameters that a notebook takes.

    These are those that its cell tagged ``parameters`` assigns; a notebook that hands its names
    over with :data:`TAKES_ALL` takes all `known` parameters of the book as well.
    """
    from rederive.execution.notebooks import read_notebook

    notebook = read_notebook(path)
    takes_all = any(TAKES_ALL in "".join(cell["source"]) for cell in notebook["cells"])
    return tuple(dict.fromkeys([*own_defaults(notebook), *(known if takes_all else ())]))


def takers(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return for each parameter the notebooks of a folder that take it, in alphabetical order."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.ipynb")):
        for name in notebook_parameters(path):
            found[name] = (*found.get(name, ()), path.stem)
    return found


def cells_run() -> list[str]:
    """Return the sources of the cells that this kernel has run; none outside a kernel."""
    shell = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    if not shell or shell.history_manager is None:
        return []
    return [str(cell) for cell in shell.history_manager.input_hist_raw]


def check_injected(cells: Sequence[str], known: Sequence[str] = ()) -> None:
    """Refuse parameters that papermill put into a notebook which has none of that name.

    Papermill only logs such a name, and the notebook would run with its defaults. Of the cells run
    so far one that it injects begins with ``# Parameters`` and follows the notebook's own cell of
    defaults; the `known` are taken beside those. The ``ParameterError`` names all others.
    """
    for defaults, injected in pairwise(cells):
        if not injected.startswith("# Parameters"):
            continue
        taken = tuple(dict.fromkeys([*_assigned(defaults), *known]))
        faults = Faults()
        faults.add(*(not_taken(name, taken) for name in _assigned(injected) if name not in taken))
        faults.stop()


def project_parameters(project: Project) -> ParameterSet:
    """Return the parameters of a book.

    If it holds the package of an installed article, they are that article's. Else they are what its
    notebooks assign in their cells of parameters: the type of a default is the type of the
    parameter, and every value of it is allowed.
    """
    for entry in entry_points(group="rederive.parameters"):
        if (project.root / "src" / entry.module.split(".")[0]).is_dir():
            offered: ParameterSet = entry.load()
            return offered
    from rederive.execution.notebooks import read_notebook

    found: dict[str, Value] = {}
    for notebook in all_notebooks(project):
        for name, value in own_defaults(read_notebook(project.root / notebook)).items():
            if isinstance(value, Value):
                found.setdefault(name, value)
    return ParameterSet(tuple(Parameter(name, value, "") for name, value in found.items()))


def all_notebooks(project: Project) -> tuple[Path, ...]:
    """Return the notebooks of a book, relative to its root: those of its contents, then others.

    Others are in the same folders and belong to variants only.
    """
    others = [
        path.relative_to(project.root)
        for folder in (NOTEBOOKS_FOLDER, PAGES_FOLDER)
        for path in sorted((project.root / folder).glob("*.ipynb"))
    ]
    return tuple(dict.fromkeys([*project.notebooks, *others]))


def find_notebook(project: Project, wanted: str) -> Path:
    """Return a notebook, relative to the book's root.

    Wanted is a name without folder and ending, or a path from the working directory or the root,
    with or without its ending. A ``ConfigurationError`` has the nearest name.
    """
    known = {notebook.stem: notebook for notebook in reversed(all_notebooks(project))}
    if wanted in known:
        return known[wanted]
    root = project.root.resolve()
    ended = wanted.removesuffix(".ipynb") + ".ipynb"
    for path in (Path(ended).resolve(), (root / ended).resolve()):
        if path.is_file():
            if path.is_relative_to(root):
                return path.relative_to(root)
            raise ConfigurationError(
                f"notebook: found {wanted!r}, allowed: a notebook inside the book's folder"
            )
    hint = meant(Path(wanted).stem, known)
    raise ConfigurationError(
        f"notebook: found {wanted!r}, allowed: {', '.join(sorted(known))}, or a path{hint}"
    )


def own_cohort(project: Project, folder: Path, parameters: ParameterSet) -> str:
    """Check a user's own cohort against the book's codebook; return its folder's absolute path.

    The ``ConfigurationError`` has every fault in the cohort.
    """
    from rederive.printed.schema import TableError
    from rederive.retrospective import Codebook, read_cohort

    codebook = project.root / CODEBOOK
    if COHORT_PARAMETER not in parameters or not codebook.is_file():
        raise ConfigurationError(f"--cohort: found {folder.name!r}, but this book takes no cohort")
    try:
        read_cohort(folder, Codebook.load(codebook))
    except TableError as error:
        raise ConfigurationError(
            f"cohort: found {folder.as_posix()!r}, allowed: a folder with a cohort that fits "
            f"{CODEBOOK.as_posix()}\n{error}"
        ) from error
    return str(folder.resolve())
