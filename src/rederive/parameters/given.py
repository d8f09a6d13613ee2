"""Parameters as a user gives them: on the command line, in a file, for one notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rederive.parameters.types import Faults, ParameterError, ParameterSet, Value
from rederive.printed.errors import meant
from rederive.printed.schema import text_of


def parse_assignments(assignments: Iterable[str], parameters: ParameterSet) -> dict[str, Value]:
    """Return the values that texts such as ``alpha=0.01`` assign; combinations are not looked at.

    A ``ParameterError`` names every text without equals sign, every unknown name, every value that
    does not fit and every parameter given twice with different values.
    """
    values: dict[str, Value] = {}
    faults = Faults()
    for assignment in assignments:
        name, sign, text = (part.strip() for part in assignment.partition("="))
        if not sign or not name:
            faults.add(f"parameter: found {assignment!r}, allowed: NAME=VALUE")
            continue
        with faults.noted():
            value = parameters[name].parse(text)
            if (first := values.setdefault(name, value)) != value:
                faults.add(f"parameter {name}: found {first!r} and {value!r}, allowed: one")
    faults.stop()
    return values


class _Loader(yaml.BaseLoader):
    """YAML whose values stay as they are typed, as on a command line; a key may be given once."""


def _once(loader: _Loader, node: yaml.MappingNode) -> dict[object, object]:
    found: dict[object, object] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in found:
            wrong = "is given twice" if key in found else "is no text"
            raise ParameterError(f"line {key_node.start_mark.line + 1}: key {key!r} {wrong}")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _once)


def read_yaml(path: Path) -> Any:
    """Return what a YAML or JSON file holds; of an empty one ``None``.

    A file that is not YAML or gives a key twice is a ``ParameterError`` that names it, one that
    cannot be read a ``TableError``.
    """
    text = text_of(path, "utf-8-sig")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ParameterError(f"{path.name}: not YAML: {' '.join(str(error).split())}") from error
    except ParameterError as error:
        raise ParameterError(f"{path.name}, {error}") from None


def read_parameter_file(path: Path, parameters: ParameterSet) -> dict[str, Value]:
    """Return the values of a YAML file with lines such as ``alpha: 0.01``; of an empty one none.

    They are read as on a command line, so that 010 or 1e-2 means the same in both places.
    """
    content = read_yaml(path) or {}
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise ParameterError(f"{path.name}: found a {kind}, allowed: lines of the form NAME: VALUE")
    values: dict[str, Value] = {}
    faults = Faults()
    for name, value in content.items():
        with faults.noted(f"{path.name}: "):
            values[name] = parameters[name].parse(value)
    faults.stop()
    return values


def not_taken(
    name: str,
    taken: Sequence[str],
    notebook: str = "",
    taken_by: Mapping[str, Sequence[str]] | None = None,
    known: Sequence[str] = (),
) -> str:
    """Return what is wrong with a parameter that is not among those that a notebook takes.

    The notebook's name is said if it is given, with the notebooks by the parameters that they take;
    `known` are all parameters of the book.
    """
    which = notebook or "this notebook"
    others = (taken_by or {}).get(name, ())
    if name in known or others:
        place = f"; taken by: {', '.join(others)}" if others else ""
        return (
            f"parameter {name!r} is not one that {which} takes{place}; {which} takes: "
            f"{', '.join(taken) or 'none'}"
        )
    hint = meant(name, taken) or meant(name, known)
    return f"{which} has no parameter {name!r}{hint}; it has: {', '.join(taken) or 'none'}"


def check_taken(
    parameters: ParameterSet,
    given: Mapping[str, object],
    taken: Sequence[str],
    notebook: str = "",
    taken_by: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Value]:
    """Return the given values for one notebook, checked, in their types and in their order.

    A ``ParameterError`` has every unknown name, every value that does not fit, every parameter that
    the notebook does not take and, if there are none of these, every combination that makes no
    sense. The further parameters are as for `not_taken`.
    """
    faults = Faults()
    for name, value in given.items():
        with faults.noted():
            parameters[name].check(value)
            if name not in taken:
                faults.add(not_taken(name, taken, notebook, taken_by, parameters.names))
    faults.stop()
    values = parameters.check(given)
    return {name: values[name] for name in given}
