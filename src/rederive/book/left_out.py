"""What a notebook leaves out where a cohort has nothing, or too little, for it.

A statement that asks the cohort for what it does not record is passed over, and so is one that
fails because the cohort is small; with them goes all that builds on them. A line says what is left
out and why. So nobody is counted as without a feature that was not looked for, nobody has to invent
a value, and every other statement still runs.
"""

from __future__ import annotations

import ast
import re
import symtable
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, cast

from rederive.book.beside import MismatchError, SourceError
from rederive.printed.errors import BookError

NAMED = 4
"""Most things that a line names."""

TOO_LITTLE = "this cohort has too few patients or values"

_GUARDED = """
__shown__ = None
try:
    __left_out__.look({texts!r}, {read!r})
    ...
except Exception as __error__:
    __left_out__.failed(__error__, {lost!r})
__shown__
"""
_NOTHING: tuple[set[str], set[str]] = (set(), set())
_FAULTS = (AssertionError, ImportError, BookError, MismatchError, SourceError)
"""What is wrong with a notebook and not with the cohort: two ways that give two values, and so."""


class NotRecordedError(LookupError):
    """A statement is only about what the cohort does not record."""


class LeftOut(ast.NodeTransformer):
    """Guards the statements of one notebook's cells; a transformer of IPython's syntax trees.

    Parameters
    ----------
    absent : mapping
        Columns and measures without any value, and how a line calls them.
    known : collection of str
        All columns and measures there are.
    namespace : mapping
        The notebook's variables; lists of names among them are looked into.
    """

    def __init__(
        self,
        absent: Mapping[str, str],
        known: Collection[str],
        namespace: MutableMapping[str, Any],
    ) -> None:
        self._absent, self._known, self._namespace = absent, frozenset(known), namespace
        self._derived = {"ensemble"}  # under which a notebook has its cohorts
        self._functions: dict[str, tuple[set[str], set[str]]] = {}
        self._lost: dict[str, str] = {}
        self._said: set[str] = set()
        self._why = ""
        namespace["__left_out__"] = self

    def visit(self, node: ast.AST) -> ast.AST:
        """Return a cell of which each statement can be left out."""
        self._said, self._why = set(), ""
        cell = cast(ast.Module, node)
        cell.body = [part for each in cell.body for part in self._guarded(each)]
        return ast.fix_missing_locations(cell)

    def look(self, texts: Iterable[str], read: Iterable[str]) -> None:
        """Say what a statement does without.

        Parameters
        ----------
        texts, read : iterable of str
            The texts in the statement, and the names that it reads.

        Raises
        ------
        NotRecordedError
            If the cohort records nothing of what the statement asks for.
        """
        named = {each for text in texts for each in self._meant(text)}
        for name in read:
            value = self._namespace.get(name)
            if isinstance(value, list | tuple | dict | set):
                named |= {each for each in value if isinstance(each, str) and each in self._known}
        lacking = named & set(self._absent)
        if lacking and lacking == named:
            raise NotRecordedError(self._words(lacking))
        if lacking:
            self._say(f"Not recorded: {self._words(lacking)}.")

    def failed(self, error: Exception, names: Iterable[str]) -> None:
        """Say why a statement is left out, and forget the names that it would have set.

        Raises
        ------
        Exception
            The error, if it is a fault of the notebook.
        """
        why = f"{TOO_LITTLE} ({type(error).__name__}: {' '.join(str(error).split())[:80]})"
        why = self._why or why  # what was left out before it in the cell
        if isinstance(error, NotRecordedError):
            why = f"it needs what this cohort does not record: {error}"
        elif isinstance(error, NameError) and error.name in self._lost:
            why = self._lost[error.name]
        elif isinstance(error, (*_FAULTS, NameError)):
            raise error
        self._why = why
        for name in names:
            self._namespace.pop(name, None)
            self._lost[name] = why
        if "matplotlib.pyplot" in sys.modules:  # a figure is drawn whole or not at all
            sys.modules["matplotlib.pyplot"].close("all")
        self._say(f"Left out, for {why}.")

    def warned(self, message: Warning | str, *place: object, **more: object) -> None:
        """Say in a line what a library warns of; takes what ``warnings.showwarning`` does."""
        self._say(f"Warning: {message}")

    def _say(self, line: str) -> None:
        if line not in self._said:
            print(line)
        self._said.add(line)

    def _guarded(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return a statement with a look before it, and what is done if it fails."""
        read, stored = _names(statement)
        filled, texts = _filled(statement), _texts(statement)
        for more_texts, more_read in (self._functions.get(each, _NOTHING) for each in [*read]):
            texts, read = texts | more_texts, read | more_read
        if isinstance(statement, ast.FunctionDef):
            self._functions[statement.name] = texts, read
        about = self._derived & read
        self._derived -= stored
        if about:
            self._derived |= stored | filled
        if isinstance(statement, ast.FunctionDef | ast.Import | ast.ImportFrom):
            return [statement]
        # What would be added to is still there without; a loop may have filled half of it.
        lost = (stored - read) | (filled if isinstance(statement, ast.For) else set())
        asked = (sorted(texts), sorted(read)) if about else ([], [])
        code = _GUARDED.format(texts=asked[0], read=asked[1], lost=sorted(lost))
        first, tried, shown = ast.parse(code).body
        if isinstance(statement, ast.Expr):
            statement = ast.Assign([ast.Name("__shown__", ast.Store())], statement.value)
        cast(ast.Try, tried).body[-1] = statement
        return [first, tried, shown]

    def _meant(self, text: str) -> Iterator[str]:
        """Return the columns and measures that a text in a statement stands for."""
        if "~" in text or re.fullmatch(r"\w*", text):  # a formula or a word
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


def _texts(statement: ast.stmt) -> set[str]:
    values = (each.value for each in ast.walk(statement) if isinstance(each, ast.Constant))
    return {value for value in values if isinstance(value, str) and value}


def _filled(statement: ast.stmt) -> set[str]:
    """Return the names of what a statement sets a part of."""
    parts = (each for each in ast.walk(statement) if isinstance(each, ast.Subscript))
    wholes = (each.value for each in parts if isinstance(each.ctx, ast.Store))
    return {each.id for each in wholes if isinstance(each, ast.Name)}


def _names(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names of the notebook that a statement reads, and those that it sets."""
    whole = symtable.symtable(ast.unparse(statement), "cell", "exec")
    tables = [whole]
    for table in tables:
        tables += table.get_children()
    inner = (each for table in tables[1:] for each in table.get_symbols() if each.is_global())
    read = {each.get_name() for each in (*whole.get_symbols(), *inner) if each.is_referenced()}
    stored = {each.get_name() for each in whole.get_symbols() if each.is_assigned()}
    if isinstance(statement, ast.For):
        return read - stored, stored
    return read | (stored if isinstance(statement, ast.AugAssign) else set()), stored
