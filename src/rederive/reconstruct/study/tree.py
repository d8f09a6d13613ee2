"""A YAML text as a tree whose nodes know their place, and say there what is wrong with them.

The usual loaders turn an unquoted 10.0 into a number and so lose the printed zero, and let the last
of two equal keys win. Here scalars stay text, with a note whether YAML takes them for numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

import yaml

from rederive.printed import PrintedNumber, parse
from rederive.printed.errors import listed
from rederive.printed.schema import nearest

_NUMBER_TAGS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_TAB = r"character '\t'"
_NOTHING = "tag:yaml.org,2002:null"
_MINUS_SIGNS = str.maketrans({"–": "-", "−": "-", "‐": "-", "‑": "-"})
_LEADING_ZERO = re.compile(r"[^\d.,]*0\d")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_FIGURE = 'a figure as printed, in quotes, such as "10.0" or "<0.001"'

T = TypeVar("T")

Problem = tuple[int, str]
"""A line of a description and what is wrong there."""


class StudyError(ValueError):
    """A description that cannot be used.

    Attributes
    ----------
    problems : tuple of str
        Everything that is wrong, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(text for _, text in sorted(problems, key=lambda each: each[0]))
        super().__init__(listed(self.problems, "\n"))


def problem_of(
    file: str, line: int, found: str, allowed: str, place: str = "", hint: str = ""
) -> Problem:
    """Return a problem in words; ``place`` are the keys that lead there, as ``measures.grip.n``."""
    where = f"{file}, line {line}" + (f", {place}" if place else "")
    meant = f" (did you mean {hint}?)" if hint else ""
    return line, f"{where}: found {found}, allowed: {allowed}{meant}"


@dataclass(slots=True)
class Node:
    """A scalar, list or mapping of a description, at the ``place`` to which its keys lead.

    ``value`` is the text of a scalar, and ``number`` whether it has no quotes; ``key_line`` is the
    line of its key. What is wrong is put into ``problems``, which all nodes of a tree share.
    """

    file: str
    place: str
    line: int
    key_line: int
    problems: list[Problem] = field(repr=False)
    value: str | list[Node] | dict[str, Node] = ""
    number: bool = False

    def __str__(self) -> str:
        if isinstance(self.value, list):
            return f"a list of {len(self.value)}"
        if isinstance(self.value, dict):
            return f"a mapping with {', '.join(self.value)}" if self.value else "an empty mapping"
        return self.value if self.number else repr(self.value)

    def wrong(self, allowed: str, found: object = None, hint: str = "", line: int = 0) -> None:
        """Note a problem, with the value as what was found unless something else is given."""
        text = str(self if found is None else found)
        line = line or self.line
        self.problems.append(problem_of(self.file, line, text, allowed, self.place, hint))

    def text(self) -> str:
        """Return the text of a scalar."""
        if isinstance(self.value, str):
            return self.value
        self.wrong("a text")
        return ""

    def whole(self, least: int, most: int | None = None, allowed: str = "") -> int | None:
        """Return a whole number within limits, or ``None`` where that is wrong."""
        upper = "" if most is None else f" to {most}"
        hint = ""
        if isinstance(self.value, str) and re.fullmatch(r"\d+", self.value):
            value = int(self.value)
            if least <= value and (most is None or value <= most):
                if self.value == str(value):
                    return value
                hint = str(value)
        self.wrong(allowed or f"a whole number from {least}{upper}", hint=hint)
        return None

    def exact(self) -> Fraction | None:
        """Return a number such as 51, 0.125 or 1/8, or ``None`` where that is wrong."""
        found, hint = read_exact(self.value) if isinstance(self.value, str) else (None, "")
        if found is None:
            self.wrong("a number such as 51, 0.125 or 1/8", hint=hint)
        return found

    def figure(self) -> PrintedNumber | None:
        """Return a printed figure, or ``None`` where it is none."""
        if not isinstance(self.value, str):
            self.wrong(_FIGURE)
            return None
        if self.number:
            found = f"{self.value} without quotes, of which trailing zeros would be lost"
            self.wrong(_FIGURE, found, f'"{self.value}"')
            return None
        number, hint = read_figure(self.value)
        if number is None:
            self.wrong(_FIGURE, hint=f'"{hint}"' if hint else "")
        return number

    def choice(self, words: Sequence[str]) -> str:
        """Return one of several words, the first one where another stands."""
        if isinstance(self.value, str) and self.value in words:
            return self.value
        hint = nearest(self.value, words) if isinstance(self.value, str) else ""
        self.wrong(", ".join(words), hint=hint)
        return words[0]

    def name(self) -> str:
        """Return a text of letters, digits, underscores and dashes."""
        if isinstance(self.value, str):
            self.require_name(self.value, self.line)
        return self.text()

    def require_name(self, text: str, line: int) -> None:
        """Note a problem if a text is no name."""
        if not _NAME.fullmatch(text):
            self.wrong("letters, digits, _ and - only", f"{text!r}", line=line)

    def items(self, what: str, length: int = 0) -> list[Node]:
        """Return the items of a list, of which there must be some or so many."""
        found = self.value if isinstance(self.value, list) else []
        if not found or (length and len(found) != length):
            self.wrong(what)
            return []
        return found

    def mapping(self, what: str) -> dict[str, Node]:
        """Return the values of a mapping that is not empty; nothing where it is something else."""
        if isinstance(self.value, dict) and self.value:
            return self.value
        self.wrong(what)
        return {}

    def record(
        self,
        allowed: Sequence[str],
        required: Sequence[str] = (),
        remarks: Mapping[str, str] | None = None,
    ) -> dict[str, Node]:
        """Return the values of a mapping with the keys allowed.

        ``remarks`` say something of keys that are often tried and not allowed.
        """
        found = self.mapping("a mapping with " + ", ".join(allowed))
        missing = [key for key in required if found and key not in found]
        for key, node in found.items():
            if key not in allowed:
                hint, words = "", (remarks or {}).get(key, "")
                if not words:
                    hint = nearest(key, [word for word in allowed if word not in found])
                more = f"; {words}" if words else ""
                node.wrong(", ".join(allowed) + more, f"the key {key!r}", hint, node.key_line)
                missing = [word for word in missing if word != hint]
        for key in missing:
            self.wrong(f"the key {key}", f"no key {key!r}")
        return {key: node for key, node in found.items() if key in allowed}


def parse_tree(text: str, file: str) -> Node:
    """Read a YAML text; ``file`` is its name in messages.

    Raises
    ------
    StudyError
        If the text is no YAML, is empty, contains itself, or a key occurs twice.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = str(error.problem or error.context or "text that is no YAML")
        found, allowed = problem.removeprefix("found "), "YAML"
        if found.startswith(_TAB):
            found, allowed = "a tab character", "spaces"
        raise StudyError([problem_of(file, line, found, allowed)]) from error
    except yaml.YAMLError as error:
        raise StudyError([problem_of(file, 1, str(error), "YAML")]) from error
    if root is None:
        raise StudyError([problem_of(file, 1, "an empty file", "a description of a study")])
    tree = Node(file, "", 1, 1, [])
    _fill(tree, root, ())
    if tree.problems:
        raise StudyError(tree.problems)
    return tree


def _fill(node: Node, source: yaml.Node, above: tuple[int, ...]) -> None:
    """Give a node its value, with the nodes below it."""
    node.line = source.start_mark.line + 1
    if id(source) in above:
        node.wrong("a value", "an alias of itself")
        return
    inner = (*above, id(source))
    if isinstance(source, yaml.SequenceNode):
        node.value = [
            Node(node.file, f"{node.place}[{number}]", 0, node.line, node.problems)
            for number in range(1, len(source.value) + 1)
        ]
        for child, part in zip(node.value, source.value, strict=True):
            _fill(child, part, inner)
    elif isinstance(source, yaml.MappingNode):
        node.value = {}
        for key_source, part in source.value:
            key, line = str(key_source.value), key_source.start_mark.line + 1
            place = f"{node.place}.{key}" if node.place else key
            child = Node(node.file, place, line, line, node.problems)
            if not isinstance(key_source, yaml.ScalarNode):
                node.wrong("a word", "a list as key", line=line)
            elif key in node.value:
                first = node.value[key].key_line
                child.wrong(f"the key once (it stands in line {first} already)", f"{key!r} again")
            else:
                node.value[key] = child
                _fill(child, part, inner)
    else:
        node.value = "" if source.tag == _NOTHING else str(source.value)
        node.number = source.tag in _NUMBER_TAGS


def read_exact(text: str) -> tuple[Fraction | None, str]:
    """Return a number such as 51, 0.125 or 1/8; else ``None`` and what was probably meant."""
    return _read(text, lambda each: Fraction(each.translate(_MINUS_SIGNS)))


def read_figure(text: str) -> tuple[PrintedNumber | None, str]:
    """Return a figure as printed, such as <0.05; else ``None`` and what was probably meant."""

    def plain(text: str) -> PrintedNumber | None:
        number = parse(text)
        return None if number.label or number.percent or number.operator == "±" else number

    return _read(text, plain)


def _read(text: str, parsed: Callable[[str], T | None]) -> tuple[T | None, str]:
    """Read a text; leading zeros, which YAML may take for octal numbers, are refused."""

    def value(text: str) -> T | None:
        try:
            return None if _LEADING_ZERO.match(text) else parsed(text)
        except (ValueError, ZeroDivisionError):
            return None

    if (found := value(text)) is not None:
        return found, ""
    zeros = re.sub(r"0+(?=\d)", "", text, count=1) if _LEADING_ZERO.match(text) else text
    meant = zeros.replace(",", ".")
    return None, "" if meant == text or value(meant) is None else meant
