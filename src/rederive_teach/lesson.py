"""A lesson on one cohort: its tables, and a check that knows which road leads to a number.

One file that needs pandas only, so that it can be given to students beside their notebooks.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from importlib.metadata import entry_points
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd

MARKS = ("printed", "forced", "choice", "added")
ANSWERS = "answers.json"
TEACHING_COHORT = Path("data/cohorts/synthetic-teaching")
CHAPTERS = Path("book/teach")


@dataclass(frozen=True, eq=False)
class Cohort:
    """The patients of one study: a row for each, and a row for each measurement at a visit.

    A cohort equals only itself, so that what was computed from it can be kept.
    """

    visits: pd.DataFrame
    patients: pd.DataFrame
    folder: str = ""

    @classmethod
    def read(cls, folder: str | Path) -> Cohort:
        """Read ``visits.csv`` and ``patients.csv`` of a folder; lines with ``#`` are remarks."""
        visits, patients = (
            pd.read_csv(Path(folder) / name, comment="#") for name in ("visits.csv", "patients.csv")
        )
        return cls(visits, patients, str(folder))

    @property
    def fingerprint(self) -> str:
        """Twelve characters that differ between cohorts with other measurements."""
        rows = pd.util.hash_pandas_object(self.visits.astype(str), index=False).sort_values()
        return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:12]


def table(
    visits: pd.DataFrame,
    back: int = 3,
    tol: int = 2,
    months: Sequence[int] = (6, 12, 18, 24),
    measure: str = "",
) -> pd.DataFrame:
    """Return each patient's score at the first treatment and around later months.

    Parameters
    ----------
    visits
        Rows with `patient`, `month` from the first treatment, `measure` and `value`; of several
        studies also `cohort`.
    back
        Oldest score that counts as baseline, in months; the latest of them is taken.
    tol
        Distance from a later month within which a score counts, in months; the nearest is taken,
        of two equally near ones the earlier.
    months
        The later months.
    measure
        Name of the score; if empty, the one that was measured most often.

    Returns
    -------
    DataFrame
        A row per patient (of each cohort), columns ``m0``, ``m6``, ...; NaN where no score is near
        enough.
    """
    measure = measure or str(visits["measure"].value_counts().idxmax())
    own = visits[visits["measure"] == measure].sort_values("month", kind="stable")
    who = [name for name in ("cohort", "patient") if name in own]
    before = own[own["month"].between(-back, 0)].groupby(who, observed=True)
    columns = [before["value"].last().rename("m0")]
    for month in months:
        near = own.assign(gap=(own["month"] - month).abs())
        near = near[(near["gap"] <= tol) & (near["month"] > 0)].sort_values("gap", kind="stable")
        nearest = near.groupby(who, observed=True)["value"].first()
        columns.append(nearest.rename(f"m{month}"))
    return pd.concat(columns, axis=1).sort_index()


def table_of(
    cohort: Cohort,
    back: int = 3,
    tol: int = 2,
    months: tuple[int, ...] = (6, 12, 18, 24),
    measure: str = "",
) -> pd.DataFrame:
    """Return `table` of a cohort's visits, computed once; not to be changed."""
    return _table_of(cohort, back, tol, months, measure)


@lru_cache(maxsize=1024)
def _table_of(cohort: Cohort, *windows: Any) -> pd.DataFrame:
    return table(cohort.visits, *windows)


@dataclass(frozen=True)
class Exercise:
    """A question whose answer is computed from a cohort.

    Parameters
    ----------
    id
        Number of the chapter and of the exercise, such as ``"2.1"``.
    mark
        What the answer rests on: ``printed``, ``forced``, ``choice`` or ``added``.
    right
        The answer from a cohort.
    decimals
        Decimals asked for; None for counts and words, which have to be exact.
    unit
        Unit of the answer; ``"p"`` for a p value, ``"word"`` for a word.
    roads
        Wrong answers from a cohort, by the question with which each is answered.
    individual
        Whether the answer differs between cohorts that print the same figures.
    low, high
        Range outside which an answer is not plausible.
    """

    id: str
    mark: str
    right: Callable[[Cohort], float | int | str]
    decimals: int | None
    unit: str
    roads: Mapping[str, Callable[[Cohort], float | int | str]] = field(default_factory=dict)
    individual: bool = False
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if self.mark not in MARKS:
            raise ValueError(f"exercise {self.id}: mark {self.mark!r}, expected one of {MARKS}")

    @property
    def form(self) -> dict[str, object]:
        """What an answer has to look like; nothing about its value."""
        return {name: getattr(self, name) for name in ("decimals", "unit", "low", "high")}


@dataclass(frozen=True)
class Feedback:
    """What is said about an answer.

    `kind` is ``right``, ``road`` (a known wrong one), ``off``, ``malformed``, ``unanswered`` or
    ``noted`` (well formed, in graded work).
    """

    id: str
    kind: str
    words: str

    def __repr__(self) -> str:
        return f"Exercise {self.id}: {self.words}"

    def _repr_html_(self) -> str:
        return f'<p class="lesson-{self.kind}" role="status">{escape(repr(self))}</p>'


def same(asked: float | int | str, given: object, decimals: int | None, unit: str) -> bool:
    """Tell whether a well-formed answer is the one asked for, within what was asked."""
    if isinstance(asked, str) or isinstance(given, str):
        return str(asked).strip().casefold() == str(given).strip().casefold()
    distance = abs(float(asked) - float(given))  # type: ignore[arg-type]
    if unit == "p":
        return distance <= 0.02 * abs(asked)
    return distance <= (1e-9 if decimals is None else 0.5 * 10.0**-decimals + 1e-9)


def malformed(value: object, form: Mapping[str, object]) -> str:
    """Return what is wrong with the shape of an answer, or nothing."""
    if form["unit"] == "word":
        return "" if isinstance(value, str) and value.strip() else "the answer is a word, in quotes"
    if isinstance(value, bool) or not isinstance(value, Real):
        found = "nothing" if value is None else f"{type(value).__name__}"
        return f"the answer is a number, not {found}"
    try:
        number = float(value)
    except OverflowError:
        return "the number is too large"
    if not math.isfinite(number):
        return "the answer is a number, and this is none, as if a missing value had got in"
    if form["decimals"] is None and form["unit"] != "p" and number != round(number):
        return "the answer is a whole number"
    low, high = (float(form[end]) for end in ("low", "high"))  # type: ignore[arg-type]
    if not low <= number <= high:
        unit = "" if form["unit"] == "p" else f" {form['unit']}"
        return f"a plausible answer lies between {low:g} and {high:g}{unit}"
    return ""


def judge(exercise: Exercise, cohort: Cohort, value: object) -> Feedback:
    """Say whether an answer is right, on a known wrong road, or off; never raise for a value."""
    if value is ...:
        return Feedback(exercise.id, "unanswered", "not answered yet.")
    wrong = malformed(value, exercise.form)
    if wrong and not wrong.startswith("a plausible"):
        return Feedback(exercise.id, "malformed", f"{wrong}.")
    right = exercise.right(cohort)
    if same(right, value, exercise.decimals, exercise.unit):
        return Feedback(exercise.id, "right", "right.")
    for question, road in exercise.roads.items():
        if same(road(cohort), value, exercise.decimals, exercise.unit):
            return Feedback(exercise.id, "road", question)
    return Feedback(exercise.id, "off", (wrong and f"off: {wrong}.") or _distance(right, value))


def _distance(right: float | int | str, value: object) -> str:
    """Say how far off a value is, without the right one."""
    if isinstance(right, str):
        return "off: another word."
    asked, given = float(right), float(value)  # type: ignore[arg-type]
    if asked * given < 0:
        return "off, and of the other sign."
    if not asked or not given:
        return "off."
    ratio = abs(given / asked)
    if ratio < 0.2 or ratio > 5:
        return f"off: too {'small' if ratio < 1 else 'large'} by far. Is the unit right?"
    return "off, but of the right order of magnitude."


class Lesson:
    """A chapter's exercises on one cohort.

    Parameters
    ----------
    chapter
        Name of the chapter; its exercises are in a file of this name beside the notebook:
        ``.py`` to practise, or ``.json``, which only says what an answer looks like.
    folder
        Folder of the cohort; if empty, the one of the notebook or else the teaching cohort.
    """

    def __init__(self, chapter: str, folder: str = "") -> None:
        self.folder = Path(folder) if folder else find_file(TEACHING_COHORT, "visits.csv").parent
        self.cohort = Cohort.read(self.folder)
        self.chapter = chapter
        source = find_file(CHAPTERS, f"{chapter}.json", f"{chapter}.py")
        known = () if source.suffix == ".json" else exercises_of(source)
        self.exercises = {each.id: each for each in known}
        self.forms: dict[str, dict[str, object]] = {each.id: each.form for each in known}
        if not known:
            self.forms = json.loads(source.read_text(encoding="utf-8"))
        self.answers = self.folder / ANSWERS if (self.folder / "pack.json").is_file() else None

    def check(self, id: str, value: object) -> Feedback:
        """Judge an answer; in a pack, also note it in ``answers.json``."""
        if id not in self.forms:
            known = ", ".join(self.forms)
            raise KeyError(f"exercise {id!r}: chapter {self.chapter} has {known}")
        if id in self.exercises:
            feedback = judge(self.exercises[id], self.cohort, value)
        else:
            wrong = malformed(value, self.forms[id])
            feedback = Feedback(id, "malformed" if wrong else "noted", f"{wrong or 'well formed'}.")
        if value is ...:
            return Feedback(id, "unanswered", "not answered yet.")
        if self.answers and feedback.kind != "malformed":
            self._note(self.answers, id, value)
        return feedback

    def _note(self, path: Path, id: str, value: object) -> None:
        noted = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        noted[id] = {
            "value": value if isinstance(value, str) else float(value),  # type: ignore[arg-type]
            "cohort": self.cohort.fingerprint,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        path.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")


def exercises_of(source: Path) -> tuple[Exercise, ...]:
    """Return the exercises of a chapter's file."""
    spec = importlib.util.spec_from_file_location(source.stem, source)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: tuple[Exercise, ...] = module.EXERCISES
    return found


def find_file(place: Path, *names: str) -> Path:
    """Find the first of some files in the working directory, or in `place` below or above it."""
    here = Path.cwd()
    for name in names:
        for path in (here / name, *(above / place / name for above in (here, *here.parents))):
            if path.is_file():
                return path
    raise FileNotFoundError(f"{names[-1]}: neither in {here} nor in {place} below it or above it")


_OPEN: list[Lesson] = []


def use(chapter: str, folder: str = "") -> Lesson:
    """Open a chapter on a cohort; `read` and `check` then refer to it."""
    for hook in entry_points(group="rederive.lesson"):
        hook.load()()
    _OPEN[:] = [Lesson(chapter, folder)]
    return _OPEN[0]


def read(name: str) -> pd.DataFrame:
    """Return a table of the open lesson's cohort, such as ``visits.csv``."""
    return pd.read_csv(_OPEN[0].folder / name, comment="#")


def check(id: str, value: object) -> Feedback:
    """Judge an answer to an exercise of the open lesson."""
    return _OPEN[0].check(id, value)
