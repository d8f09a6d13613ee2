"""The parameter sets of a sweep: from grids, lists and files, all checked before anything runs."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from rederive.errors import ConfigurationError
from rederive.parameters import (
    Parameter,
    ParameterError,
    ParameterSet,
    Value,
    not_taken,
    parse_assignments,
)

Point = dict[str, Value]
"""Values by name: those that were asked for."""

MOST_POINTS = 100_000
"""Most parameter sets of one sweep."""

FAULTS_SHOWN = 20

_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\.\.({_NUMBER})(?:\.\.({_NUMBER}))?\s*")


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Parameters
    ----------
    grids : sequence of str
        Each ``name=v1,v2``; a value may be a range ``3..8`` or ``0.01..0.05..0.01``, and ``*``
        stands for all choices. Text with a comma in it goes in double quotes.
    sets : sequence of str
        Each one parameter set, ``"a=1 b=2"``.
    file : Path, optional
        Parameter sets in a file: CSV with a column a parameter, or YAML or JSON with a list of
        mappings.
    fixed : sequence of str
        Each ``name=value``, for every parameter set.
    """

    grids: Sequence[str] = ()
    sets: Sequence[str] = ()
    file: Path | None = None
    fixed: Sequence[str] = ()


def parameter_sets(
    request: Request, parameters: ParameterSet, taken: Sequence[str], notebook: str = ""
) -> list[Point]:
    """Return the parameter sets of a request: every set with every point of the grid.

    Parameters
    ----------
    request : Request
        What is asked for; with nothing the one point is that of the defaults.
    parameters : ParameterSet
        The parameters, with the rules on their combinations.
    taken : sequence of str
        Those that the notebooks of the sweep take.
    notebook : str
        Name of the notebook for messages.

    Returns
    -------
    list of dict
        The values of each set in their types, each set once, in the order of the request.

    Raises
    ------
    ParameterError
        With all faults: unknown names, values that do not fit, parameters that the notebooks do
        not take, names given twice and combinations that make no sense.
    """
    faults: list[str] = []
    fixed = _fixed(request.fixed, parameters, faults)
    grid = _grid(request.grids, parameters, faults)
    listed = [_set(text, parameters, faults) for text in request.sets]
    if request.file is not None:
        listed += _file(request.file, parameters, faults)
    bases = listed or [{}]
    names = dict.fromkeys(itertools.chain(fixed, grid, *bases))
    faults += [
        not_taken(name, taken, notebook, known=parameters.names)
        for name in names
        if name in parameters and name not in taken
    ]
    swept = dict.fromkeys(itertools.chain(*bases))
    for name in grid:
        if name in swept:
            faults.append(f"parameter {name}: given in the grid and in a set, allowed: one place")
    for name in fixed:
        if name in grid or name in swept:
            faults.append(f"parameter {name}: both fixed and swept, allowed: one of them")
    count = len(bases) * math.prod(len(values) for values in grid.values())
    if count > MOST_POINTS:
        faults.append(f"sweep: found {count} parameter sets, allowed: up to {MOST_POINTS}")
    _stop_at(faults)
    points = [
        fixed | base | dict(zip(grid, values, strict=True))
        for base in bases
        for values in itertools.product(*grid.values())
    ]
    unique = list({tuple(sorted(point.items())): point for point in points}.values())
    for point in unique:
        try:
            parameters.check(point)
        except ParameterError as error:
            faults += [f"{in_words(point)}: {line}" for line in str(error).splitlines()]
    _stop_at(faults)
    return unique


def in_words(point: Mapping[str, Value]) -> str:
    """Return a parameter set as it is written on a command line."""
    return " ".join(f"{name}={value}" for name, value in point.items()) or "the defaults"


def _stop_at(faults: Iterable[str]) -> None:
    found = list(dict.fromkeys(faults))
    if not found:
        return
    more = len(found) - FAULTS_SHOWN
    tail = [f"and {more} more faults of this kind"] if more > 0 else []
    raise ParameterError("\n".join([*found[:FAULTS_SHOWN], *tail]))


def _fixed(texts: Sequence[str], parameters: ParameterSet, faults: list[str]) -> Point:
    try:
        return parse_assignments(texts, parameters)
    except ParameterError as error:
        faults += str(error).splitlines()
        return {}


def _grid(
    texts: Sequence[str], parameters: ParameterSet, faults: list[str]
) -> dict[str, list[Value]]:
    grid: dict[str, list[Value]] = {}
    for text in texts:
        name, sign, listed = text.partition("=")
        name = name.strip()
        if not sign or not name or not listed.strip():
            faults.append(f"grid: found {text!r}, allowed: NAME=VALUE,VALUE or NAME=3..8 or NAME=*")
        elif name in grid:
            faults.append(f"parameter {name}: two grids, allowed: one with all values")
        elif name not in parameters:
            grid[name] = []
            faults.append(_unknown(name, parameters))
        else:
            grid[name] = _values(parameters[name], listed, faults)
    return grid


def _unknown(name: str, parameters: ParameterSet) -> str:
    try:
        parameters[name]
    except ParameterError as error:
        return str(error)
    return ""


def _values(parameter: Parameter, listed: str, faults: list[str]) -> list[Value]:
    found: dict[Value, None] = {}
    for text in next(csv.reader([listed], skipinitialspace=True)):
        try:
            found |= dict.fromkeys(_expanded(parameter, text.strip()))
        except ParameterError as error:
            faults.append(str(error))
    return list(found)


def _expanded(parameter: Parameter, text: str) -> list[Value]:
    number = isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool)
    if text == "*":
        return _all_choices(parameter)
    found = _RANGE.fullmatch(text) if number else None
    if found is None:
        return [parameter.parse(text)]
    first, last = Decimal(found[1]), Decimal(found[2])
    step = Decimal(found[3] or 1)
    if last < first or step <= 0:
        raise ParameterError(
            f"parameter {parameter.name}: found the range {text!r}, allowed: LOW..HIGH or "
            "LOW..HIGH..STEP with a step above 0"
        )
    count = int((last - first) / step) + 1
    if count > MOST_POINTS:
        raise ParameterError(
            f"parameter {parameter.name}: found the range {text!r} of {count} values, "
            f"allowed: up to {MOST_POINTS}"
        )
    for end in (first, last):
        parameter.parse(str(end))
    return [parameter.parse(str(first + step * position)) for position in range(count)]


def _all_choices(parameter: Parameter) -> list[Value]:
    if isinstance(parameter.default, bool):
        return [parameter.default, not parameter.default]
    if parameter.choices:
        return list(parameter.choices)
    low, high = parameter.minimum, parameter.maximum
    if isinstance(parameter.default, int) and low is not None and high is not None:
        return list(range(math.ceil(low), math.floor(high) + 1))
    raise ParameterError(
        f"parameter {parameter.name}: found '*', which needs a list of choices; "
        f"allowed: {parameter.allowed}"
    )


def _set(text: str, parameters: ParameterSet, faults: list[str]) -> Point:
    try:
        words = shlex.split(text)
    except ValueError as error:
        faults.append(f"set {text!r}: {error}")
        return {}
    point: Point = {}
    if not words:
        faults.append(f"set: found {text!r}, allowed: NAME=VALUE NAME=VALUE")
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            faults.append(f"set {text!r}: found {word!r}, allowed: NAME=VALUE")
        elif name in point:
            faults.append(f"set {text!r}: parameter {name} is given twice")
        else:
            _put(point, name, value, parameters, faults, f"set {text!r}")
    return point


def _put(
    point: Point,
    name: str,
    value: object,
    parameters: ParameterSet,
    faults: list[str],
    place: str,
) -> None:
    try:
        parameter = parameters[name]
        point[name] = parameter.parse(value) if isinstance(value, str) else parameter.check(value)
    except ParameterError as error:
        faults.append(f"{place}: {error}")


def _file(path: Path, parameters: ParameterSet, faults: list[str]) -> list[Point]:
    try:
        rows = _rows(path)
    except ConfigurationError as error:
        faults.append(str(error))
        return []
    points: list[Point] = []
    for number, row in rows:
        point: Point = {}
        for name, value in row.items():
            _put(point, name, value, parameters, faults, f"{path.name}, {number}")
        points.append(point)
    return points


def _rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a file, each with its place in words."""
    readers = {".csv": _csv_rows, ".yaml": _listed_rows, ".yml": _listed_rows}
    readers[".json"] = _listed_rows
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigurationError(f"{path.name}: allowed: a file .csv, .yaml, .yml or .json")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigurationError(f"{path.name}: {why}") from None
    rows = reader(path, text)
    if not rows:
        raise ConfigurationError(f"{path.name}: found no parameter set")
    return rows


def _csv_rows(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    table = list(csv.reader(io.StringIO(text), strict=True))
    names = [name.strip() for name in table[0]] if table else []
    if not names or not all(names) or len(set(names)) < len(names):
        raise ConfigurationError(
            f"{path.name}, line 1: found {', '.join(names) or 'nothing'}, "
            "allowed: different names of parameters"
        )
    rows = []
    for number, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            raise ConfigurationError(
                f"{path.name}, row {number}: found {len(cells)} cells, allowed: {len(names)}"
            )
        pairs = zip(names, (cell.strip() for cell in cells), strict=True)
        rows.append((f"row {number}", {name: cell for name, cell in pairs if cell}))
    return rows


def _listed_rows(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path.name}: {' '.join(str(error).split())}") from None
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise ConfigurationError(
            f"{path.name}: found a {type(content).__name__}, "
            "allowed: a list of mappings of names to values"
        )
    return [
        (f"set {number}", {str(name): value for name, value in row.items()})
        for number, row in enumerate(content, start=1)
    ]
