"""Parameters of a book's notebooks: typed once, checked wherever they come in."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from IPython import get_ipython

from rederive.book.errors import ConfigurationError
from rederive.printed.schema import nearest

Value = float | int | str | bool


class ParameterError(ConfigurationError):
    """One or more parameters are unknown, of the wrong type or out of range."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Parameters
    ----------
    name : str
        As notebooks and the command line write it.
    default : float, int, str or bool
        The article's value; its type is the parameter's type (a whole number is accepted for a
        float).
    label : str
        What it means, in a few words.
    unit : str
        Unit of a number, or empty.
    minimum, maximum : float, optional
        Ends of the range of a number, both allowed.
    choices : tuple of str
        All allowed values of a text parameter.
    """

    name: str
    default: Value
    label: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return " or ".join(self.choices)
        if isinstance(self.default, bool):
            return "True or False"
        if isinstance(self.default, str):
            return "any text"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        low = "" if self.minimum is None else f" from {self.minimum:g}"
        high = "" if self.maximum is None else f" to {self.maximum:g}"
        return f"{kind}{low}{high}" + (f" {self.unit}" if self.unit else "")

    def check(self, value: object) -> Value:
        """Return the value in the parameter's type.

        Raises
        ------
        ParameterError
            If the value does not fit; the message names the parameter, what was found and what is
            allowed.
        """
        fitted = self._fitted(value)
        if fitted is None:
            hint = nearest(value, self.choices) if isinstance(value, str) else ""
            suggestion = f" (did you mean {hint!r}?)" if hint else ""
            raise ParameterError(
                f"parameter {self.name}: found {value!r}, allowed: {self.allowed}{suggestion}"
            )
        return fitted

    def _fitted(self, value: object) -> Value | None:
        if isinstance(self.default, bool) or isinstance(value, bool):
            matches = isinstance(self.default, bool) and isinstance(value, bool)
            return bool(value) if matches else None
        if isinstance(self.default, str):
            fits = isinstance(value, str) and (not self.choices or value in self.choices)
            return str(value) if fits else None
        if not isinstance(value, int | float) or not math.isfinite(value):
            return None
        if isinstance(self.default, int) and value != int(value):
            return None
        if self.minimum is not None and value < self.minimum:
            return None
        if self.maximum is not None and value > self.maximum:
            return None
        return int(value) if isinstance(self.default, int) else float(value)


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


def check_injected(cells: Sequence[str]) -> None:
    """Refuse parameters that papermill put into a notebook which has none of that name.

    Papermill only logs such a name, and the notebook would run with its defaults.

    Parameters
    ----------
    cells : sequence of str
        Cells run so far; a cell that papermill injects begins with ``# Parameters`` and follows
        the notebook's own cell of defaults.

    Raises
    ------
    ParameterError
        Naming every unknown parameter.
    """
    for defaults, injected in pairwise(cells):
        if not injected.startswith("# Parameters"):
            continue
        known = assigned_names(defaults)
        faults = []
        for name in assigned_names(injected):
            if name not in known:
                hint = nearest(name, known)
                suggestion = f" (did you mean {hint!r}?)" if hint else ""
                faults.append(
                    f"this notebook has no parameter {name!r}{suggestion}; it has: "
                    f"{', '.join(known)}"
                )
        if faults:
            raise ParameterError("\n".join(faults))


def cells_run() -> list[str]:
    """Return the sources of the cells that this kernel has run; none outside a kernel."""
    shell = get_ipython()
    if shell is None or shell.history_manager is None:
        return []
    return [str(cell) for cell in shell.history_manager.input_hist_raw]


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """All parameters of a book, in the order in which they are listed."""

    parameters: tuple[Parameter, ...]

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise ParameterError(self._unknown(name))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def defaults(self) -> Mapping[str, Value]:
        """The article's values."""
        return MappingProxyType({each.name: each.default for each in self.parameters})

    def _unknown(self, name: str) -> str:
        hint = nearest(name, self.names)
        suggestion = f" (did you mean {hint!r}?)" if hint else ""
        return f"unknown parameter {name!r}{suggestion}; there are: {', '.join(self.names)}"

    def check(self, given: Mapping[str, object]) -> Mapping[str, Value]:
        """Return all parameters, the given ones checked and the others at the article's values.

        Raises
        ------
        ParameterError
            Naming every parameter that is unknown or does not fit.
        """
        values = dict(self.defaults)
        faults: list[str] = []
        for name, value in given.items():
            try:
                values[name] = self[name].check(value)
            except ParameterError as error:
                faults.append(str(error))
        if faults:
            raise ParameterError("\n".join(faults))
        return MappingProxyType(values)

    def changed(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return those values that differ from the article's."""
        return {name: value for name, value in values.items() if value != self.defaults[name]}

    def rows(self, names: Sequence[str] = ()) -> list[dict[str, str]]:
        """Return the parameters as rows of a table: name, meaning, article's value, allowed."""
        return [
            {
                "Parameter": each.name,
                "Meaning": each.label,
                "Article's value": f"{each.default} {each.unit}".strip(),
                "Allowed": each.allowed,
            }
            for each in self.parameters
            if not names or each.name in names
        ]
