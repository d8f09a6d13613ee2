"""Chapters and the cohorts on which their exercises are tried."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rederive_teach.cohorts import cohorts_of
from rederive_teach.lesson import Cohort, Exercise, exercises_of
from repetitions import repeated

ROOT = Path(__file__).resolve().parents[2]
TEACHING = ROOT / "data" / "cohorts" / "synthetic-teaching"
CHAPTERS = sorted((ROOT / "book" / "teach").glob("c[0-9]*.ipynb"))
EACH_PRIOR = 20
"""Cohorts of each prior on which every answer and every wrong road is tried."""

_RUN_ON = repeated(2)
"""Cohorts of each prior on which chapters run; ``REDERIVE_REPETITIONS=10`` is a thorough run."""

RUN = CHAPTERS if _RUN_ON > 2 else CHAPTERS[::6]
"""Chapters that are run cell by cell; every build of the book runs all."""


OTHERS = [
    (chapter, which)
    for at, chapter in enumerate(CHAPTERS)
    for which in range(1, 1 + 3 * _RUN_ON)
    if _RUN_ON > 2 or at % 4 == 1 == which
]
"""Chapters that are run on other cohorts too, by turns one of each prior."""

UNMARKED = {"parameters", "solution", "hide-output", "answer", "quiz"}
"""Tags of cells whose output needs no mark."""


def notebook_of(chapter: Path) -> dict[str, Any]:
    return json.loads(chapter.read_text(encoding="utf-8"))


def exercises() -> list[Exercise]:
    return [each for path in CHAPTERS for each in exercises_of(path.with_suffix(".py"))]


_SETTLED: dict[tuple[str, str], Exercise] = {}


def settled(exercise: Exercise, cohort: Cohort) -> Exercise:
    """Return an exercise whose answers on one cohort are computed once for all tests."""
    at = (exercise.id, cohort.folder)
    if at not in _SETTLED:
        right = exercise.right(cohort)
        values = {question: road(cohort) for question, road in exercise.roads.items()}
        roads = {question: lambda _, value=value: value for question, value in values.items()}
        _SETTLED[at] = replace(exercise, right=lambda _: right, roads=roads)
    return _SETTLED[at]


@pytest.fixture(scope="session")
def cohorts() -> list[Cohort]:
    return [Cohort.read(TEACHING), *first_of_each_prior(EACH_PRIOR)]


@pytest.fixture(scope="session")
def students() -> list[Cohort]:
    return first_of_each_prior(repeated(10))


def first_of_each_prior(number: int) -> list[Cohort]:
    folders = [path.parent for path in sorted((ROOT / "data" / "cohorts").glob("*/visits.parquet"))]
    assert len(folders) >= 3
    return [cohort for folder in folders for cohort in cohorts_of(folder, number)]
