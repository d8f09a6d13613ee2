"""What a notebook leaves out where a cohort has nothing in a column or measure.

A statement that asks the cohort for what it does not record is passed over, with all that builds on
it, and the cell says so in one line; so nobody is counted as without a feature that was not looked
for, and nobody has to invent a value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

NAMED = 4
"""Most things that a line names."""

_DRAWING = ("plt", "sns")
"""Names that draw; a figure is drawn whole or not at all."""


class LeftOut:
    """Leaves statements out of the cells of one notebook, in the order in which they run.

    Parameters
    ----------
    absent : mapping
        Columns and measures without any value, and how a line calls them.
    known : collection of str
        All columns and measures there are.
    namespace : mapping
        The notebook's variables; lists of names among them are looked into.
    roots : collection of str
        Names under which a notebook has its cohorts.
    """

    def __init__(
        self,
        absent: Mapping[str, str],
        known: Collection[str],
        namespace: Mapping[str, Any],
        roots: Collection[str] = ("ensemble",),
    ) -> None:
        self._absent, self._known, self._namespace = absent, frozenset(known), namespace
        self._derived = set(roots)
        self._needs: dict[str, frozenset[str]] = {}
        self._partly: dict[str, set[str]] = {}

    def __call__(self, lines: list[str]) -> list[str]:
        """Return the lines of a cell that are run; an input transformer of IPython."""
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:  # of a magic, or an error that the kernel reports
            return lines
        before = dict(self._needs), set(self._derived)
        kept, lacking = self._sort(tree.body)
        if len(kept) < len(tree.body):
            # The figure of a cell would be drawn without what is left out of it.
            self._needs, self._derived = before
            drawing = dict.fromkeys(_DRAWING, frozenset(lacking))
            self._needs |= drawing
            kept, lacking = self._sort(tree.body)
            for name in _DRAWING:
                self._needs.pop(name, None)
        if not lacking:
            return lines
        left = len(kept) < len(tree.body)
        why = "Left out, for it needs what this cohort does not record" if left else "Not recorded"
        words = f"{why}: {self._words(lacking)}."
        text = [line for each in kept for line in lines[_first(each) - 1 : each.end_lineno]]
        return [f"print({words!r})\n", *text]

    def _sort(self, statements: Iterable[ast.stmt]) -> tuple[list[ast.stmt], set[str]]:
        """Return the statements that can be run, and what is lacking."""
        kept, lacking = [], set[str]()
        for each in statements:
            needs, partly = self._judged(each)
            stored, used = _stored(each), _used(each)
            lacking |= needs | partly
            if needs:
                # What would be added to is still there without the addition.
                spoilt = stored - ((_plain(each) & used) - set(self._needs))
                self._needs |= dict.fromkeys(spoilt, frozenset(needs))
            if not needs or isinstance(each, ast.FunctionDef):
                kept.append(each)
            if isinstance(each, ast.FunctionDef):
                self._partly[each.name] = partly
                lacking -= needs | partly
            elif not needs:
                for name in stored:
                    self._needs.pop(name, None)
            if used & self._derived:
                self._derived |= stored
        return kept, lacking

    def _judged(self, statement: ast.stmt) -> tuple[set[str], set[str]]:
        """Return what a statement needs and lacks, and what it does without."""
        used = _used(statement)
        needs = {each for name in used for each in self._needs.get(name, ())}
        named = {each for text in _texts(statement) for each in self._meant(text)}
        for name in used:
            value = self._namespace.get(name)
            if isinstance(value, list | tuple | dict | set):
                named |= {each for each in value if isinstance(each, str) and each in self._known}
        about = isinstance(statement, ast.FunctionDef) or used & self._derived
        lacking = named & set(self._absent) if about else set()
        if named and lacking == named:
            return needs | lacking, set()
        return needs, {each for name in used for each in self._partly.get(name, ())} | lacking

    def _meant(self, text: str) -> Iterator[str]:
        """Return the columns and measures that a text in a statement stands for."""
        if re.fullmatch(r"\w*", text):
            words = {text}
        elif "~" in text:  # a formula
            words = set(re.findall(r"\w+", text))
        else:
            try:
                pattern = re.compile(text)
            except re.error:
                return
            yield from (each for each in self._known if text[0] == "^" and pattern.match(each))
            return
        yield from words & self._known
        if text.endswith("_"):
            yield from (each for each in self._known if each.startswith(text))

    def _words(self, lacking: Collection[str]) -> str:
        labels = [label for name, label in self._absent.items() if name in lacking]
        more = len(labels) - NAMED
        if more > 1:
            labels = [*labels[:NAMED], f"{more} more"]
        return " and ".join(part for part in (", ".join(labels[:-1]), labels[-1]) if part)


def _first(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _used(statement: ast.stmt) -> set[str]:
    """Return the names of the notebook that a statement reads."""
    parts = list(ast.walk(statement))
    local = {name for each in parts for name in _bound(each)}
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        local |= {name for each in parts if isinstance(each, ast.Assign) for name in _plain(each)}
    return {
        each.id
        for each in parts
        if isinstance(each, ast.Name)
        and each.id not in local
        and (isinstance(each.ctx, ast.Load) or isinstance(statement, ast.AugAssign))
    }


def _bound(node: ast.AST) -> set[str]:
    """Return the names that a loop, a comprehension or a function has for itself."""
    if isinstance(node, ast.For | ast.comprehension):
        return _plain(node.target)
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        return {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
    return set()


def _plain(node: ast.AST) -> set[str]:
    names = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    return {each.id for each in names if isinstance(each.ctx, ast.Store)}


def _stored(statement: ast.stmt) -> set[str]:
    """Return the names that a statement sets, or sets a part of."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name}
    parts = list(ast.walk(statement))
    inner = {name for each in parts if isinstance(each, ast.comprehension) for name in _bound(each)}
    stored = _plain(statement) - inner
    for each in parts:
        if isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Store):
            stored |= {part.id for part in ast.walk(each.value) if isinstance(part, ast.Name)}
    return stored


def _texts(statement: ast.stmt) -> Iterator[str]:
    for each in ast.walk(statement):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value:
            yield each.value
