"""Chapters and the cohorts on which their exercises are tried."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from rederive.teach.cohorts import cohorts_of
from rederive.teach.lesson import Cohort, Exercise, exercises_of

ROOT = Path(__file__).resolve().parents[2]
TEACHING = ROOT / "data" / "cohorts" / "synthetic-teaching"
CHAPTERS = sorted((ROOT / "book" / "teach").glob("c[0-9]*.ipynb"))
EACH_PRIOR = int(os.environ.get("TEACH_COHORTS", "2"))
"""Cohorts of each prior; 20 for a thorough run."""


def notebook_of(chapter: Path) -> dict[str, Any]:
    return json.loads(chapter.read_text(encoding="utf-8"))


def exercises() -> list[Exercise]:
    return [each for path in CHAPTERS for each in exercises_of(path.with_suffix(".py"))]


@pytest.fixture(scope="session")
def cohorts() -> list[Cohort]:
    folders = [path.parent for path in sorted((ROOT / "data" / "cohorts").glob("*/visits.parquet"))]
    assert len(folders) >= 3
    return [Cohort.read(TEACHING), *(c for each in folders for c in cohorts_of(each, EACH_PRIOR))]
