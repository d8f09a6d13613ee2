"""A YAML text as a tree that keeps lines and the text of every scalar.

The usual loaders turn an unquoted 10.0 into a number and so lose the printed zero, and let the last
of two equal keys win. Here scalars stay text, with a note whether YAML takes them for numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from rederive.reconstruct.study.problems import StudyError, StudyProblem

_NUMBER_TAGS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_TAB = r"character '\t'"
_NOTHING = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: its text, its line, and whether it is a number without quotes."""

    text: str
    line: int
    number: bool = False

    def __str__(self) -> str:
        return self.text if self.number else repr(self.text)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    line: int

    def __str__(self) -> str:
        return f"a list of {len(self.items)}"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys, as text, with their values."""

    items: dict[str, Node]
    line: int
    lines: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"a mapping with {', '.join(self.items)}" if self.items else "an empty mapping"


Node = Scalar | Sequence | Mapping


def parse_tree(text: str, file: str) -> Node:
    """Read a YAML text.

    Parameters
    ----------
    text : str
        One YAML document.
    file : str
        Name of the file, for messages.

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
        raise StudyError([StudyProblem(file, line, "", found, allowed)]) from error
    except yaml.YAMLError as error:
        raise StudyError([StudyProblem(file, 1, "", str(error), "YAML")]) from error
    if root is None:
        raise StudyError([StudyProblem(file, 1, "", "an empty file", "a description of a study")])
    problems: list[StudyProblem] = []
    tree = _convert(root, file, "", (), problems)
    if problems:
        raise StudyError(problems)
    return tree


def _convert(
    node: yaml.Node, file: str, place: str, above: tuple[int, ...], problems: list[StudyProblem]
) -> Node:
    line = node.start_mark.line + 1
    if id(node) in above:
        problems.append(StudyProblem(file, line, place, "an alias of itself", "a value"))
        return Scalar("", line)
    inner = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        return Sequence(
            tuple(
                _convert(item, file, f"{place}[{number}]", inner, problems)
                for number, item in enumerate(node.value, start=1)
            ),
            line,
        )
    if isinstance(node, yaml.MappingNode):
        result = Mapping({}, line)
        for key_node, value_node in node.value:
            key, key_line = str(key_node.value), key_node.start_mark.line + 1
            deeper = f"{place}.{key}" if place else key
            if not isinstance(key_node, yaml.ScalarNode):
                problems.append(StudyProblem(file, key_line, place, "a list as key", "a word"))
                continue
            if key in result.items:
                allowed = f"the key once (it stands in line {result.lines[key]} already)"
                problems.append(StudyProblem(file, key_line, deeper, f"{key!r} again", allowed))
                continue
            result.items[key] = _convert(value_node, file, deeper, inner, problems)
            result.lines[key] = key_line
        return result
    text = "" if node.tag == _NOTHING else str(node.value)
    return Scalar(text, line, node.tag in _NUMBER_TAGS)
