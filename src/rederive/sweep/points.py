"""The parameter sets of a sweep: from grids, lists and files, all checked before anything runs."""

from __future__ import annotations

import csv
import itertools
import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rederive.parameters.given import not_taken, parse_assignments, read_yaml
from rederive.parameters.types import Faults, Parameter, ParameterError, ParameterSet, Value
from rederive.printed.schema import text_of

Point = dict[str, Value]
"""Values by name: those that were asked for."""

MOST_POINTS = 100_000
"""Most parameter sets of one sweep."""

_NUMBER = r"[+\-−]?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?:\.\.({_NUMBER}))?")
_LISTS = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Each grid is ``name=v1,v2``; a value may be a range ``3..8`` or ``0.01..0.05..0.01``, and ``*``
    stands for all choices; text with a comma in it goes in double quotes. Each set is one parameter
    set, ``"a=1 b=2"``. A file has more: CSV with a column a parameter, or YAML or JSON with a list
    of mappings. Each ``name=value`` of ``fixed`` holds for every set.
    """

    grids: Sequence[str] = ()
    sets: Sequence[str] = ()
    file: Path | None = None
    fixed: Sequence[str] = ()


def parameter_sets(
    request: Request, parameters: ParameterSet, taken: Sequence[str], notebook: str = ""
) -> list[Point]:
    """Return the parameter sets of a request: every set with every point of the grid.

    With nothing asked for the one point is that of the defaults. `taken` are the parameters that
    the notebooks of the sweep, named in messages, take. The ``ParameterError`` has all faults:
    unknown names, values that do not fit, parameters that are not taken, names given twice and
    combinations that make no sense.
    """
    faults = Faults()
    fixed: Point = {}
    with faults.noted():
        fixed = parse_assignments(request.fixed, parameters)
    grid = _grid(request.grids, parameters, faults)
    bases: list[Point] = []
    for text in request.sets:
        with faults.noted(f"set {text!r}: "):
            bases.append(_set(text, parameters))
    if request.file is not None:
        with faults.noted():
            bases += _file(request.file, parameters, faults)
    bases = bases or [{}]
    swept = dict.fromkeys(itertools.chain(*bases))
    for name in dict.fromkeys(itertools.chain(fixed, grid, swept)):
        if name not in taken:
            faults.add(not_taken(name, taken, notebook, known=parameters.names))
        if (name in fixed) + (name in grid) + (name in swept) > 1:
            faults.add(f"parameter {name}: found in two of -p, grid and set, allowed: one place")
    count = len(bases) * math.prod(map(len, grid.values()))
    if count > MOST_POINTS:
        faults.add(f"sweep: found {count} parameter sets, allowed: up to {MOST_POINTS}")
    faults.stop()
    points = [
        fixed | base | dict(zip(grid, values, strict=True))
        for base in bases
        for values in itertools.product(*grid.values())
    ]
    unique = list({tuple(sorted(point.items())): point for point in points}.values())
    for point in unique:
        with faults.noted(f"{assignments_of(point)}: "):
            parameters.check(point)
    faults.stop()
    return unique


def assignments_of(point: Mapping[str, Value]) -> str:
    """Return a parameter set as it is written on a command line."""
    return " ".join(f"{name}={value}" for name, value in point.items()) or "the defaults"


def _grid(texts: Sequence[str], parameters: ParameterSet, faults: Faults) -> dict[str, list[Value]]:
    grid: dict[str, list[Value]] = {}
    for text in texts:
        name, _, listed = (part.strip() for part in text.partition("="))
        if not name or not listed:
            faults.add(f"grid: found {text!r}, allowed: NAME=VALUE,VALUE or NAME=3..8 or NAME=*")
        elif name in grid:
            faults.add(f"parameter {name}: two grids, allowed: one with all values")
        elif (
            name in parameters.names
            and parameters[name].kind == "number"
            and re.search(r",0\d", listed)
        ):
            point = listed.replace(",", ".")  # many languages write a comma
            faults.add(f"parameter {name}: found {listed!r} (did you mean {point!r}?)")
        else:
            values: list[Value] = []
            for part in next(csv.reader([listed], skipinitialspace=True)):
                with faults.noted():
                    values += _expanded(parameters[name], part.strip())
            grid[name] = list(dict.fromkeys(values))
    return grid


def _expanded(parameter: Parameter, text: str) -> list[Value]:
    """Return the values that one entry of a grid stands for."""
    if text == "*":
        return _all_choices(parameter)
    found = None if parameter.kind in ("text", "truth value") else _RANGE.fullmatch(text)
    if found is None:
        return [parameter.parse(text)]
    asked = f"parameter {parameter.name}: found the range {text!r}"
    first, last, step = (Decimal((end or "1").replace("−", "-")) for end in found.groups())
    if found[3] is None and parameter.kind == "number":
        quarter = abs(last - first).normalize() / 4
        raise ParameterError(
            f"{asked} without a step, allowed: LOW..HIGH..STEP, for instance "
            f"{parameter.name}={text}..{quarter:f}"
        )
    if last < first or step <= 0 or first < last < first + step:
        raise ParameterError(
            f"{asked}, allowed: LOW..HIGH or LOW..HIGH..STEP with a step from above 0 to HIGH - LOW"
        )
    count = int((last - first) / step) + 1
    if count > MOST_POINTS:
        raise ParameterError(f"{asked} of {count} values, allowed: up to {MOST_POINTS}")
    for end in (first, last):
        parameter.parse(str(end))
    return [parameter.parse(str(first + step * position)) for position in range(count)]


def _all_choices(parameter: Parameter) -> list[Value]:
    if isinstance(parameter.default, bool):
        return [parameter.default, not parameter.default]
    if parameter.choices:
        return list(parameter.choices)
    low, high = parameter.minimum, parameter.maximum
    if parameter.kind == "whole number" and low is not None and high is not None:
        return list(range(math.ceil(low), math.floor(high) + 1))
    raise ParameterError(
        f"parameter {parameter.name}: found '*', which needs a list of choices; "
        f"allowed: {parameter.allowed}"
    )


def _set(text: str, parameters: ParameterSet) -> Point:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ParameterError(str(error)) from None
    if not words:
        raise ParameterError("found nothing, allowed: NAME=VALUE NAME=VALUE")
    return parse_assignments(words, parameters)


def _file(path: Path, parameters: ParameterSet, faults: Faults) -> list[Point]:
    """Return the parameter sets of a file; each fault names its row."""
    ending = path.suffix.lower()
    if ending not in (".csv", *_LISTS):
        raise ParameterError(f"{path.name}: allowed: a file .csv, .yaml, .yml or .json")
    points: list[Point] = []
    for place, row in _csv_rows(path) if ending == ".csv" else _listed_rows(path):
        point: Point = {}
        for name, value in row.items():
            with faults.noted(f"{path.name}, {place}: "):
                point[name] = parameters[name].parse(value)
        points.append(point)
    return points


def _listed_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    content = read_yaml(path)
    sets = content if isinstance(content, list) else []
    if not sets or not all(isinstance(each, dict) for each in sets):
        kind = type(content).__name__
        raise ParameterError(f"{path.name}: found a {kind}, allowed: a list of mappings")
    for number, each in enumerate(sets, start=1):
        yield f"set {number}", each


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.reader(text_of(path, "utf-8-sig").splitlines(), strict=True)
    try:
        table = [[cell.strip() for cell in row] for row in reader]
    except csv.Error as error:
        raise ParameterError(f"{path.name}, row {reader.line_num}: {error}") from None
    names = table[0] if table else []
    if len(table) < 2 or not all(names) or len(set(names)) < len(names):
        raise ParameterError(
            f"{path.name}: found a header {', '.join(names) or 'of nothing'!r} and "
            f"{len(table[1:])} rows, allowed: different names of parameters, and at least one row"
        )
    for number, cells in enumerate(table[1:], start=2):
        if any(cells) and len(cells) != len(names):
            raise ParameterError(
                f"{path.name}, row {number}: found {len(cells)} cells, allowed: {len(names)}"
            )
        if any(cells):
            yield f"row {number}", {n: c for n, c in zip(names, cells, strict=True) if c}
