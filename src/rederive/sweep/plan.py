"""The runs of a sweep, each named by the content of everything that its numbers depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rederive.errors import ConfigurationError
from rederive.execution.cache import source_digest
from rederive.execution.files import digest_of_files, files_below
from rederive.execution.project import Project
from rederive.parameters import Value
from rederive.parameters.chosen import COHORT_PARAMETER, project_parameters
from rederive.sweep.notebooks import swept_notebooks
from rederive.sweep.points import Point, Request, parameter_sets

KEY_FORMAT = 1
"""Raise this number when the form of a run's folder changes."""

KEY_LENGTH = 24
"""Hexadecimal digits of a key: 96 bits."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a sweep.

    Parameters
    ----------
    key : str
        Name of its folder.
    tasks : tuple
        Notebooks, each with the values that differ from its own.
    parameters : dict
        All values, also those left as they are.
    """

    key: str
    tasks: tuple[tuple[str, dict[str, Value]], ...]
    parameters: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Plan:
    """All runs of a sweep.

    Parameters
    ----------
    project : Project
        The book.
    notebook : str
        What is run, as the user named it.
    sources : str
        Digest of the notebooks, code and data that the runs are for.
    runs : tuple of Run
        In the order of the request, each once.
    """

    project: Project
    notebook: str
    sources: str
    runs: tuple[Run, ...]


def plan_sweep(project: Project, notebook: str, request: Request) -> Plan:
    """Return the runs of a request, everything checked.

    Parameters
    ----------
    project : Project
        The book.
    notebook : str
        Name of a notebook, a path to one, or ``book`` for all sections.
    request : Request
        The parameter sets asked for.

    Raises
    ------
    ConfigurationError
        With all faults of the request.
    """
    notebooks = swept_notebooks(project, notebook)
    everything = {name: value for own in notebooks.values() for name, value in own.items()}
    points = parameter_sets(request, project_parameters(project), list(everything), notebook)
    sources = source_digest(project)
    runs: dict[str, Run] = {}
    for point in map(_with_absolute_folder, points):
        tasks = tuple(
            (path.as_posix(), {n: v for n, v in point.items() if n in own and v != own[n]})
            for path, own in notebooks.items()
        )
        described = [[name, _by_content(values)] for name, values in tasks]
        key = _digest([KEY_FORMAT, sources, described])
        runs.setdefault(key, Run(key, tasks, everything | point))
    return Plan(project, notebook, sources, tuple(runs.values()))


def _with_absolute_folder(point: Point) -> Point:
    """Take a cohort's folder from where the user is; notebooks run in a folder of their own."""
    folder = point.get(COHORT_PARAMETER)
    return point | ({COHORT_PARAMETER: str(Path(str(folder)).resolve())} if folder else {})


def _by_content(values: Mapping[str, Value]) -> dict[str, Value]:
    """Replace the folder of a user's cohort by a digest: what is in it counts, not where it is."""
    folder = values.get(COHORT_PARAMETER)
    return dict(values) | ({COHORT_PARAMETER: _folder_digest(str(folder))} if folder else {})


@lru_cache(maxsize=64)
def _folder_digest(folder: str) -> str:
    place = Path(folder)
    if not place.is_dir():
        raise ConfigurationError(
            f"parameter {COHORT_PARAMETER}: found {folder!r}, allowed: a folder that exists"
        )
    return digest_of_files(place, files_below(place))


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]
