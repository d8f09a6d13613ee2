"""The runs of a sweep, each named by the content of everything that its numbers depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rederive.execution.cache import content_digest, source_digest
from rederive.execution.notebooks import canonical_bytes, read_notebook, without_outputs
from rederive.execution.project import Project
from rederive.execution.run import Task
from rederive.parameters import ParameterSet, Value
from rederive.parameters.notebooks import (
    COHORT_PARAMETER,
    NOTEBOOKS_FOLDER,
    find_notebook,
    notebook_parameters,
    own_defaults,
    project_parameters,
)
from rederive.printed.errors import ConfigurationError
from rederive.sweep.points import Point, Request, parameter_sets

KEY_FORMAT = 3
"""Raise this number when the form of a run's folder changes."""

KEY_LENGTH = 24
"""Hexadecimal digits of a key: 96 bits."""

WHOLE_BOOK = "book"
"""Name that stands for all section notebooks."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a sweep: its folder's name, and its notebooks with the values that they are given.

    Those are the values that differ from a notebook's own; ``parameters`` are all values, also
    those left as they are; ``point`` those that were asked for.
    """

    key: str
    tasks: tuple[Task, ...]
    parameters: dict[str, Value]
    point: Point


@dataclass(frozen=True, slots=True)
class Plan:
    """All runs of a sweep, each once, in the order of the request.

    ``notebook`` is what is run as the user named it, ``sources`` the digest of code and data.
    """

    project: Project
    notebook: str
    sources: str
    runs: tuple[Run, ...]


def plan_sweep(project: Project, notebook: str, request: Request) -> Plan:
    """Return the runs of a request for a notebook, its name or path, or ``book`` for all sections.

    A ``ConfigurationError`` has all faults of the request.
    """
    if notebook == WHOLE_BOOK:
        paths = [path for path in project.notebooks if path.parent == NOTEBOOKS_FOLDER]
    else:
        paths = [find_notebook(project, notebook)]
    contents = {path: read_notebook(project.root / path) for path in paths}
    parameters = project_parameters(project)
    own = {path: _own_values(project, path, parameters) for path in paths}
    cells = [_digest(canonical_bytes(without_outputs(content))) for content in contents.values()]
    everything = {name: value for values in own.values() for name, value in values.items()}
    points = parameter_sets(request, parameters, list(everything), notebook)
    sources = source_digest(project)
    runs: dict[str, Run] = {}
    for point in points:
        given = _with_absolute_folder(point)
        tasks = tuple(
            Task(path, {n: v for n, v in given.items() if n in values and v != values[n]})
            for path, values in own.items()
        )
        described = [[task.name, _by_content(task.parameters)] for task in tasks]
        key = _digest(json.dumps([KEY_FORMAT, sources, cells, described], sort_keys=True).encode())
        runs.setdefault(key, Run(key, tasks, everything | given, point))
    return Plan(project, notebook, sources, tuple(runs.values()))


def _own_values(project: Project, path: Path, parameters: ParameterSet) -> dict[str, Any]:
    """Return the values that a notebook has by itself for the parameters that it takes."""
    path = project.root / path
    taken = notebook_parameters(path, parameters.names)
    return {name: parameters.defaults.get(name) for name in taken} | own_defaults(
        read_notebook(path)
    )


def _with_absolute_folder(point: Point) -> Point:
    """Take a cohort's folder from where the user is; notebooks run in a folder of their own."""
    folder = str(point.get(COHORT_PARAMETER, ""))
    if not folder:
        return point
    if not Path(folder).is_dir():
        raise ConfigurationError(
            f"parameter {COHORT_PARAMETER}: found {folder!r}, allowed: a folder that exists"
        )
    return point | {COHORT_PARAMETER: str(Path(folder).resolve())}


def _by_content(values: Mapping[str, Value]) -> dict[str, Value]:
    """Replace the folder of a user's cohort by a digest: what is in it counts, not where it is."""
    folder = values.get(COHORT_PARAMETER)
    return dict(values) | ({COHORT_PARAMETER: content_digest(Path(str(folder)))} if folder else {})


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:KEY_LENGTH]
