"""Quizzes: questions of a chapter in one YAML file, read and checked."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rederive.printed.errors import ConfigurationError
from rederive_teach.lesson import MARKS

SENTENCE = "No patient is behind a row: the data are synthetic and print the article's figures."
FEWEST, MOST = 4, 6
"""Number of questions of a chapter."""


@dataclass(frozen=True)
class Option:
    """One of the answers to choose from, and what is said to whoever chooses it."""

    text: str
    feedback: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with options, or one for a number.

    Parameters
    ----------
    id
        Number of the chapter and of the question, such as ``"2-1"``.
    mark
        What the answer rests on: ``printed``, ``forced``, ``choice`` or ``added``.
    misconception
        Name of the error that the question looks for.
    stem
        The question, plain text.
    options
        What there is to choose from, exactly one of it right; empty for a number.
    number, tolerance, unit, feedback
        The number asked for, how far an answer may lie from it, and what is said to others.
    """

    id: str
    mark: str
    misconception: str
    stem: str
    options: tuple[Option, ...] = ()
    number: float = math.nan
    tolerance: float = 0.0
    unit: str = ""
    feedback: str = ""

    @property
    def text(self) -> str:
        """The question as it stands alone, away from the page that says what the data are."""
        return f"{self.stem} {SENTENCE}" if self.mark in ("forced", "choice") else self.stem

    @property
    def asked(self) -> str:
        """The number asked for, as text."""
        return f"{self.number:.12g}"


@dataclass(frozen=True)
class Quiz:
    """The questions of a chapter."""

    chapter: str
    title: str
    questions: tuple[Question, ...]


def read_quiz(path: Path) -> Quiz:
    """Read the quiz of a chapter.

    Raises
    ------
    ConfigurationError
        If something is missing, unknown or does not fit; names the file and the question.
    """
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        title, rows = read["title"], list(read["questions"])
    except (yaml.YAMLError, OSError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f"{path.name}: no quiz with title and questions: {error}"
        ) from None
    if not FEWEST <= len(rows) <= MOST:
        raise ConfigurationError(
            f"{path.name}: found {len(rows)} questions, allowed: {FEWEST} to {MOST}"
        )
    number = int(path.stem[1:3])
    questions = tuple(
        _question(f"{number}-{at}", row, f"{path.name}: question {at}")
        for at, row in enumerate(rows, start=1)
    )
    return Quiz(path.stem, str(title), questions)


def _question(id: str, row: Mapping[str, Any], place: str) -> Question:
    known = {"mark", "misconception", "stem", "options", "number", "tolerance", "unit", "feedback"}
    if not isinstance(row, dict) or set(row) - known:
        found = sorted(set(row) - known) if isinstance(row, dict) else row
        raise ConfigurationError(f"{place}: found {found}, allowed: {', '.join(sorted(known))}")
    if row.get("mark") not in MARKS:
        raise ConfigurationError(f"{place}: mark {row.get('mark')!r}, allowed: {', '.join(MARKS)}")
    for name in ("stem", "misconception"):
        if not str(row.get(name) or "").strip():
            raise ConfigurationError(f"{place}: found no {name}")
    made: dict[str, Any] = {n: str(row[n]).strip() for n in ("mark", "misconception", "stem")}
    if "number" in row:
        return Question(id, **made, **_number(row, place))
    return Question(id, **made, options=_options(row.get("options") or [], place))


def _number(row: Mapping[str, Any], place: str) -> dict[str, Any]:
    number, tolerance = row["number"], row.get("tolerance", 0)
    for name, value in (("number", number), ("tolerance", tolerance)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigurationError(f"{place}: {name} {value!r}, allowed: a number")
    if "options" in row or not row.get("feedback") or tolerance < 0:
        raise ConfigurationError(f"{place}: a number has feedback, tolerance >= 0, and no options")
    texts = {name: str(row.get(name, "")).strip() for name in ("unit", "feedback")}
    return {"number": float(number), "tolerance": float(tolerance), **texts}


def _options(rows: list[Mapping[str, Any]], place: str) -> tuple[Option, ...]:
    """Return the options in an order that says nothing of which is right, always the same."""
    made = []
    for row in rows:
        text, said = (str(row.get(name) or "").strip() for name in ("text", "feedback"))
        if not text or not said:
            raise ConfigurationError(f"{place}: option {text!r}: needs text and feedback")
        made.append(Option(text, said, bool(row.get("right", False))))
    texts = {each.text for each in made}
    if len(texts) < 3 or len(texts) < len(made) or sum(each.right for each in made) != 1:
        raise ConfigurationError(
            f"{place}: needs three or more different options, one of them right"
        )
    return tuple(sorted(made, key=lambda each: hashlib.sha256(each.text.encode()).digest()))
