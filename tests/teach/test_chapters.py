"""Chapters run, their exercises know right answers and wrong roads, and outputs carry a mark."""

from __future__ import annotations

import ast
import math
import re
import runpy
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from rederive_teach.cohorts import SHARED_AT_MOST, csv_of, shared_answers
from rederive_teach.lesson import (
    MARKS,
    Cohort,
    Exercise,
    Feedback,
    Lesson,
    exercises_of,
    judge,
    same,
    table,
)
from rederive_teach.split import source_of, tags_of
from teach.conftest import (
    CHAPTERS,
    OTHERS,
    ROOT,
    RUN,
    TEACHING,
    UNMARKED,
    exercises,
    first_of_each_prior,
    notebook_of,
    settled,
)

SENTENCE = "No patient is behind a row: the data are synthetic and print the article's figures."
EXERCISES = exercises()


def run(source: str, names: dict[str, Any]) -> object:
    """Run a cell, return the value of its last expression."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    return None if source.rstrip().endswith(";") else value


def cohort_folder(which: int, folder: Path) -> Path:
    """Write one of the shipped cohorts as the tables of a pack; 0 is the teaching cohort."""
    if not which:
        return TEACHING
    number, prior = divmod(which - 1, 3)
    cohort = first_of_each_prior(number + 1)[number :: number + 1][prior]
    for name in ("visits", "patients"):
        (folder / f"{name}.csv").write_bytes(csv_of(getattr(cohort, name), "synthetic"))
    return folder


@pytest.mark.parametrize(
    ("chapter", "which"), [*((each, 0) for each in RUN), *OTHERS], ids=lambda each: str(each)[-22:]
)
def test_runs_with_right_solutions_and_a_mark_on_every_output(
    chapter: Path,
    which: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    matplotlib.use("Agg")
    monkeypatch.chdir(chapter.parent)
    names: dict[str, Any] = {}
    said: list[Feedback] = []
    solved, unmarked = set(), []
    check = Lesson.check

    def noted(self: Lesson, id: str, value: object) -> Feedback:
        said.append(check(self, id, value))
        return said[-1]

    monkeypatch.setattr(Lesson, "check", noted)
    for cell in notebook_of(chapter)["cells"]:
        tags = set(tags_of(cell))
        if cell["cell_type"] != "code" or (which and "book-only" in tags):
            continue
        plt.close("all")
        value = run(source_of(cell), names)
        if "parameters" in tags:
            names["cohort_folder"] = str(cohort_folder(which, tmp_path))
        shown = value is not None or bool(plt.get_fignums()) or bool(capsys.readouterr().out)
        if "solution" in tags:
            assert all(each.kind == "right" for each in said), said
            solved |= {each.id for each in said}
        elif "answer" in tags:
            assert {each.kind for each in said} == {"unanswered"}
        said.clear()
        if not tags & UNMARKED and (shown != (len(tags & set(MARKS)) == 1)):
            unmarked.append((source_of(cell), tags))
    assert unmarked == []
    assert solved == {each.id for each in exercises_of(chapter.with_suffix(".py"))}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_has_the_parts_of_a_chapter(chapter: Path) -> None:
    notebook = notebook_of(chapter)
    text = "\n".join(source_of(cell) for cell in notebook["cells"])
    assert ":::{admonition} What you will be able to do" in text
    assert SENTENCE in text
    assert re.search(r"\d+ minutes", text)
    for heading in ("## Key points", "## Further reading"):
        assert heading in text
    tagged = [tag for cell in notebook["cells"] for tag in tags_of(cell)]
    assert tagged.count("exercise") >= 4
    assert "teacher" in tagged
    answers = re.findall(r'check\("([\w.]+)", \.\.\.\)', text)
    assert answers == [each.id for each in exercises_of(chapter.with_suffix(".py"))]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda each: each.id)
def test_right_answers_and_roads_are_recognised(exercise: Exercise, cohorts: list[Cohort]) -> None:
    for cohort in cohorts:
        own = settled(exercise, cohort)
        right = own.right(cohort)
        assert judge(own, cohort, right).kind == "right"
        told = {}
        for question, road in own.roads.items():
            value = road(cohort)
            assert isinstance(value, str) or math.isfinite(value), (question, cohort.folder)
            feedback = judge(own, cohort, value)
            if same(right, value, exercise.decimals, exercise.unit):
                assert feedback.kind == "right"
            else:
                told[question] = feedback
        assert {each.kind for each in told.values()} <= {"road"}, (cohort.folder, told)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda each: each.id)
def test_every_road_is_told_on_some_cohort(exercise: Exercise, cohorts: list[Cohort]) -> None:
    assert exercise.roads
    heard = {
        judge(own, cohort, road(cohort)).words
        for cohort in cohorts
        for own in [settled(exercise, cohort)]
        for road in own.roads.values()
    }
    assert set(exercise.roads) <= heard


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda each: each.id)
def test_nothing_that_is_typed_raises(exercise: Exercise, cohorts: list[Cohort]) -> None:
    text = exercise.unit == "word"
    for cohort in cohorts:
        own = settled(exercise, cohort)
        for value in (None, "", "  ", [], 1j, True, math.nan, math.inf, 10**400):
            assert judge(own, cohort, value).kind == "malformed", value
        assert judge(own, cohort, "surely not").kind == ("off" if text else "malformed")
        assert judge(own, cohort, ...).kind == "unanswered"
        right = own.right(cohort)
        zero = judge(own, cohort, 0).kind
        if text:
            assert zero == "malformed"
        elif not same(right, 0, exercise.decimals, exercise.unit):
            assert zero in {"off", "road"}
            assert judge(own, cohort, -987654.0).kind == "off"


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.individual], ids=lambda e: e.id)
def test_individual_answers_are_shared_by_few(exercise: Exercise, students: list[Cohort]) -> None:
    assert shared_answers(exercise, students) <= SHARED_AT_MOST


def test_an_answer_of_all_is_found_to_be_shared(students: list[Cohort]) -> None:
    shared = [each for each in EXERCISES if each.mark == "printed" and not each.individual]
    assert shared_answers(shared[0], students) == 1


def test_printed_figures_in_exercises_are_those_of_the_registry() -> None:
    """A pack holds no registry, so exercises name its rows beside the figures."""
    numbers = pd.read_csv(ROOT / "data/published/numbers.csv").set_index("id")["value"]
    typed = {
        name: value
        for path in CHAPTERS
        for name, value in runpy.run_path(str(path.with_suffix(".py"))).get("PRINTED", {}).items()
    }
    assert len(typed) > 15
    assert typed == {name: numbers[name] for name in typed}


def test_a_table_of_several_cohorts_is_that_of_each(cohorts: list[Cohort]) -> None:
    visits = {number: cohort.visits for number, cohort in enumerate(cohorts[:4])}
    every = table(pd.concat(visits, names=["cohort"]).reset_index("cohort"), tol=1)
    assert every.index.get_level_values("patient").has_duplicates
    for number, own in visits.items():
        pd.testing.assert_frame_equal(every.loc[number], table(own, tol=1))


def test_numbers_of_exercises_are_used_once() -> None:
    numbers = [each.id for each in EXERCISES]
    assert len(set(numbers)) == len(numbers)
