"""What a user chose for a run: the notebook, its parameters, perhaps a cohort of their own."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from rederive.errors import ConfigurationError
from rederive.execution.notebooks import read_notebook
from rederive.execution.project import Project
from rederive.parameters import (
    Parameter,
    ParameterError,
    ParameterSet,
    Value,
    open_parameters,
    parse_assignments,
    read_parameter_file,
)
from rederive.parameters.cells import TAG
from rederive.parameters.given import GROUP
from rederive.printed.schema import nearest

COHORT_PARAMETER = "cohort_folder"
"""Name of the parameter that takes the folder of a user's own cohort."""

NOTEBOOKS_FOLDER = Path("notebooks")
"""Where a book's sections are."""

PAGES_FOLDER = Path("book")
"""Where its other pages are."""

CODEBOOK = Path("data") / "cohorts" / "codebook.csv"
"""Codebook of a user's own cohort, from the book's root."""


def project_parameters(project: Project) -> ParameterSet:
    """Return the parameters of a book.

    Parameters
    ----------
    project : Project
        The book. If it holds the package of an installed article, its parameters are that
        article's. Else they are what its notebooks assign in their cells of parameters: the type
        of a default is the type of the parameter, and every value of it is allowed.

    Raises
    ------
    ConfigurationError
        If an article's parameters cannot be opened.
    """
    for entry in entry_points(group=GROUP):
        if (project.root / "src" / entry.module.split(".")[0]).is_dir():
            return open_parameters(entry.name)
    found: dict[str, Value] = {}
    for notebook in all_notebooks(project):
        for name, value in own_defaults(read_notebook(project.root / notebook)).items():
            found.setdefault(name, value)
    return ParameterSet(tuple(Parameter(name, value, "") for name, value in found.items()))


def own_defaults(notebook: Mapping[str, Any]) -> dict[str, Value]:
    """Return the plain values that a notebook's cell of parameters assigns, by name."""
    found: dict[str, Value] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or TAG not in cell["metadata"].get("tags", []):
            continue
        for statement in ast.parse("".join(cell["source"])).body:
            if not isinstance(statement, ast.Assign):
                continue
            try:
                value = ast.literal_eval(statement.value)
            except ValueError:
                continue
            if isinstance(value, float | int | str | bool):
                names = [each.id for each in statement.targets if isinstance(each, ast.Name)]
                found.update(dict.fromkeys(names, value))
    return found


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
    """Return a notebook by its name or by its path.

    Parameters
    ----------
    project : Project
        The book.
    wanted : str
        Name without folder and ending, or a path from the working directory or the book's root.

    Returns
    -------
    Path
        Relative to the book's root.

    Raises
    ------
    ConfigurationError
        If there is no such notebook in the book's folder; with the nearest name.
    """
    known = {notebook.stem: notebook for notebook in reversed(all_notebooks(project))}
    if wanted in known:
        return known[wanted]
    for candidate in (Path(wanted), project.root / wanted):
        path = candidate.resolve()
        if path.suffix == ".ipynb" and path.is_file():
            if not path.is_relative_to(project.root.resolve()):
                raise ConfigurationError(
                    f"notebook: found {wanted!r}, allowed: a notebook inside the book's folder"
                )
            return path.relative_to(project.root.resolve())
    hint = nearest(Path(wanted).stem, known)
    meant = f" (did you mean {hint!r}?)" if hint else ""
    raise ConfigurationError(
        f"notebook: found {wanted!r}, allowed: {', '.join(sorted(known))}, or a path{meant}"
    )


def gather(
    parameters: ParameterSet,
    assignments: Iterable[str] = (),
    file: Path | None = None,
) -> dict[str, object]:
    """Return the values that a user gave; assignments come before those of a file.

    Parameters
    ----------
    parameters : ParameterSet
        All parameters.
    assignments : iterable of str
        Texts of the form ``name=value``.
    file : Path, optional
        YAML file of names and values.

    Raises
    ------
    ParameterError
        With everything that is wrong in the file and in the assignments.
    """
    faults: list[str] = []
    values: dict[str, object] = {}
    try:
        values.update({} if file is None else read_parameter_file(file))
    except ParameterError as error:
        faults.append(str(error))
    try:
        values.update(parse_assignments(assignments, parameters))
    except ParameterError as error:
        faults.append(str(error))
    if faults:
        raise ParameterError("\n".join(faults))
    return values


def own_cohort(project: Project, folder: Path, parameters: ParameterSet) -> str:
    """Check a user's own cohort and return its folder as an absolute path.

    Parameters
    ----------
    project : Project
        The book, with its codebook.
    folder : Path
        The cohort's folder.
    parameters : ParameterSet
        The book's parameters.

    Raises
    ------
    ConfigurationError
        With every fault in the cohort; or if the book takes no cohort.
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


def short_hash(values: Mapping[str, object], length: int = 10) -> str:
    """Return a short name for some parameters, the same for the same values in any order."""
    text = json.dumps(dict(values), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
