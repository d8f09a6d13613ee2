"""What a parameter is: its type, range and meaning, and which values go together."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from rederive.printed.errors import ConfigurationError, listed, meant

Value = float | int | str | bool

Rule = Callable[[Mapping[str, Value], Mapping[str, Value]], str]
"""Of all values, and of those that differ from the article's: why they make no sense, or ``""``."""


class ParameterError(ConfigurationError):
    """One or more parameters are unknown, of the wrong type, out of range or do not go together."""


class Faults:
    """All that is wrong with some parameters, gathered before it is said."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}

    def add(self, *lines: str) -> None:
        """Note faults, each once."""
        self._lines.update(dict.fromkeys(lines))

    @contextmanager
    def noted(self, place: str = "") -> Iterator[None]:
        """Note what the block refuses, with the place that comes before it, and go on."""
        try:
            yield
        except ParameterError as error:
            self.add(*(f"{place}{line}" for line in str(error).splitlines()))

    def stop(self) -> None:
        """Refuse what has faults, a line for each; of many the rest is counted."""
        if self._lines:
            raise ParameterError(listed(self._lines, "\n"))


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a text, where not every text will do: what is allowed, as messages say it.

    ``read`` returns a text in its usual spelling, or None if it does not have the form.
    """

    words: str
    read: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, by the name that notebooks and the command line write.

    The type of the default, the article's value, is the parameter's type (a whole number is
    accepted for a float). ``label`` is what it means, in a few words, ``meaning`` what it changes,
    in sentences; it may be empty. A number may have a unit and a range, both ends allowed, a text
    the choices there are, or a form.
    """

    name: str
    default: Value
    label: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    meaning: str = ""
    form: Form | None = None

    @property
    def kind(self) -> str:
        """Name of the type: whole number, number, text or truth value."""
        if isinstance(self.default, bool):
            return "truth value"
        if isinstance(self.default, str):
            return "text"
        return "whole number" if isinstance(self.default, int) else "number"

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return " or ".join(self.choices)
        if isinstance(self.default, bool):
            return "True or False"
        if isinstance(self.default, str):
            return self.form.words if self.form else "any text"
        low = "" if self.minimum is None else f" from {_plain(self.minimum)}"
        high = "" if self.maximum is None else f" to {_plain(self.maximum)}"
        return f"a {self.kind}{low}{high}" + (f" {self.unit}" if self.unit else "")

    def check(self, value: object) -> Value:
        """Return the value in the parameter's type.

        The ``ParameterError`` names the parameter, what was found and what is allowed.
        """
        fitted = self._fitted(value)
        if fitted is None:
            hint = meant(value, self.choices) if isinstance(value, str) else ""
            if self.kind == "number" and re.fullmatch(r"\s*[+-]?\d*,\d+\s*", str(value)):
                point = str(value).strip().replace(",", ".")  # many languages write a comma
                hint = f" (did you mean {point!r}?)"
            raise ParameterError(
                f"parameter {self.name}: found {value!r}, allowed: {self.allowed}{hint}"
            )
        return fitted

    def parse(self, text: object) -> Value:
        """Return the value that a text stands for, as on a command line or in a file."""
        if isinstance(self.default, str) or not isinstance(text, str):
            return self.check(text)
        if isinstance(self.default, bool):
            words = {"true": True, "yes": True, "false": False, "no": False}
            return self.check(words.get(text.strip().lower(), text))
        plain = text.strip().replace("−", "-")
        if re.fullmatch(r"[+-]?\d+", plain, re.ASCII):
            return self.check(int(plain))
        try:
            number = float(plain) if "_" not in text else math.nan
        except ValueError:
            return self.check(text)
        return self.check(number if math.isfinite(number) else text)

    def _fitted(self, value: object) -> Value | None:
        if isinstance(self.default, bool) or isinstance(value, bool):
            return value if isinstance(self.default, bool) and isinstance(value, bool) else None
        if isinstance(self.default, str):
            if isinstance(value, list | tuple) and self.form:
                value = ", ".join(map(str, value))
            if isinstance(value, int | float) and str(value) in self.choices:
                # YAML and papermill take a choice such as -8.0 for a number.
                value = str(value)
            if not isinstance(value, str) or (self.choices and value not in self.choices):
                return None
            return self.form.read(value) if self.form else value
        if not isinstance(value, int | float) or not math.isfinite(value):
            return None
        if isinstance(self.default, int) and value != int(value):
            return None
        if self.minimum is not None and value < self.minimum:
            return None
        if self.maximum is not None and value > self.maximum:
            return None
        return int(value) if isinstance(self.default, int) else float(value)


def _plain(number: float) -> str:
    """Return an end of a range without an exponent."""
    return str(int(number)) if number == int(number) else f"{number:g}"


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """All parameters of a book, in the order in which they are listed.

    Rules are about values that do not go together: each is given all values and those that differ
    from the article's, and returns why they make no sense, or an empty text.
    """

    parameters: tuple[Parameter, ...]
    rules: tuple[Rule, ...] = ()

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        hint = meant(name, self.names)
        raise ParameterError(
            f"unknown parameter {name!r}{hint}; there are: {', '.join(self.names)}"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def defaults(self) -> Mapping[str, Value]:
        """The article's values."""
        return MappingProxyType({each.name: each.default for each in self.parameters})

    def check(self, given: Mapping[str, object]) -> Mapping[str, Value]:
        """Return all parameters, the given ones checked and the others at the article's values.

        A ``ParameterError`` names every parameter that is unknown or does not fit; if all do, every
        combination that makes no sense.
        """
        values = dict(self.defaults)
        faults = Faults()
        for name, value in given.items():
            with faults.noted():
                values[name] = self[name].check(value)
        faults.stop()
        changed = self.changed(values)
        faults.add(*filter(None, (rule(values, changed) for rule in self.rules)))
        faults.stop()
        return MappingProxyType(values)

    def among(self, names: Mapping[str, object]) -> dict[str, object]:
        """Return those values that belong to parameters, as of the variables of a notebook."""
        return {name: names[name] for name in self.names if name in names}

    def changed(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return those values that differ from the article's."""
        return {name: value for name, value in values.items() if value != self.defaults[name]}
