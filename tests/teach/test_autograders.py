"""Chapters in the forms of nbgrader and Otter-Grader, tried with these packages themselves.

``pytest -m environments`` makes an environment for each, with nothing of this project in it.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rederive.cli.main import main
from rederive_teach.formats.autograders import exported
from rederive_teach.grade import Class
from rederive_teach.lesson import Cohort, Exercise, exercises_of, judge
from teach.conftest import ROOT, notebook_of
from teach.test_environments import NEEDED, environment

CHAPTERS = ("c02_windows", "c08_confounding")
CONFIG = "c = get_config()\nc.ExecutePreprocessor.timeout = c.Execute.timeout = 600\n"


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Class:
    folder = tmp_path_factory.mktemp("class")
    (folder / "class.csv").write_text("id\nanna\n")
    (folder / "secret").write_text("0123456789abcdef0123456789abcdef")
    words = ["teach", "pack", str(folder / "class.csv"), "--seed-file", str(folder / "secret")]
    words += ["--cohorts", str(ROOT / "data" / "cohorts" / "flat"), "--out", str(folder / "out")]
    words += ["--chapters", "2,8"]
    done = CliRunner().invoke(main, ["--root", str(ROOT), *words])
    assert done.exit_code == 0, done.output
    return Class.open(folder / "out")


def written(taught: Class, kind: str, folder: Path) -> Path:
    words = ["teach", "export", kind, str(taught.folder), "--out", str(folder)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return folder


def solved(exercises: Path, notebook: dict[str, Any]) -> dict[str, str]:
    """Return the code that nbgrader's version has for each exercise."""
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    names = {each.id: f"answer_{each.id.replace('.', '_')} = " for each in exercises_of(exercises)}
    return {id: next(cell for cell in cells if name in cell) for id, name in names.items()}


def road_of(exercise: Exercise, cohort: Cohort) -> tuple[str, float]:
    """Return a wrong answer on this cohort, and the question back."""
    values = {question: road(cohort) for question, road in exercise.roads.items()}
    told = {question: judge(exercise, cohort, value).words for question, value in values.items()}
    return next((each, float(values[each])) for each in values if told[each] == each)


@pytest.mark.parametrize("kind", ["nbgrader", "otter"])
def test_every_exercise_has_a_solution_and_tests_and_no_file_an_answer(
    kind: str, taught: Class
) -> None:
    files, cohort = exported(taught, "anna", kind), taught.cohort("anna")
    assert not [path for path in files if path.stem in ("pack", "answers", "class", "key")]
    notebooks = {path: json.loads(c) for path, c in files.items() if path.suffix == ".ipynb"}
    assert [path.stem for path in notebooks] == [*CHAPTERS]
    for path, notebook in notebooks.items():
        sources = ["".join(cell["source"]) for cell in notebook["cells"]]
        own = exercises_of(ROOT / "book" / "teach" / f"{path.stem}.py")
        for exercise in own:
            name = f"answer_{exercise.id.replace('.', '_')}"
            tested = f'said = check("{exercise.id}", {name})'
            assert sum(tested in source for source in sources) == 1, exercise.id
            assert sum(f"{name} = " in each for each in sources) == 1, exercise.id
            right = exercise.right(cohort)
            start = f"same({(right if isinstance(right, str) else float(right))!r}, {name}"
            assert sum(start in each for each in sources) == 1
        assert json.loads(files[path.with_suffix(".json")])[own[0].id] == own[0].form
        assert path.with_suffix(".py") not in files
        assert len({cell["id"] for cell in notebook["cells"]}) == len(sources)


def run(python: Path, program: str, *words: str, folder: Path) -> str:
    command = [str(python.with_name(program)), *words]
    path = {**os.environ, "PATH": os.pathsep.join((str(python.parent), os.environ["PATH"]))}
    done = subprocess.run(
        command, cwd=folder, env=path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.environments
def test_nbgrader_generates_validates_and_grades(taught: Class, tmp_path: Path) -> None:
    python = environment(tmp_path / "environment", "highest", [*NEEDED, "ipykernel", "nbgrader"])
    course = written(taught, "nbgrader", tmp_path / "course")
    (course / "nbgrader_config.py").write_text(CONFIG)
    for chapter in CHAPTERS:
        noted = str(taught.folder / "teacher" / f"{chapter}.ipynb")
        words = ("--to", "slides", "--output-dir", str(tmp_path), noted)
        run(python, "jupyter-nbconvert", *words, folder=course)
        deck = (tmp_path / f"{chapter}.slides.html").read_text()
        assert deck.count("<section") > 10 and deck.count('<aside class="notes">') == 1
        run(python, "nbgrader", "generate_assignment", chapter, folder=course)
        valid = run(
            python, "nbgrader", "validate", f"source/{chapter}/{chapter}.ipynb", folder=course
        )
        assert "passes all the tests" in valid
        release = course / "release" / chapter
        text = (release / f"{chapter}.ipynb").read_text()
        assert "HIDDEN" not in text and "roads = " not in text and "Expected" not in text
        notebook = json.loads((course / "source" / chapter / f"{chapter}.ipynb").read_text())
        answers = solved(ROOT / "book" / "teach" / f"{chapter}.py", notebook)
        first = next(each for each in taught.exercises if each.id in answers and each.individual)
        question, wrong = road_of(first, taught.cohort("anna"))
        for student in ("right", "wrong", "empty"):
            handed_in = course / "submitted" / student / chapter
            handed_in.mkdir(parents=True)
            made = notebook_of(release / f"{chapter}.ipynb")
            blank = iter(answers.items())
            for cell in made["cells"]:
                told = cell["metadata"].get("nbgrader", {})
                if told.get("solution") and cell["cell_type"] == "code" and student != "empty":
                    id, code = next(blank)
                    name = f"answer_{id.replace('.', '_')}"
                    astray = student == "wrong" and id == first.id
                    cell["source"] = f"{code}\n{name} = {wrong!r}" if astray else code
            (handed_in / f"{chapter}.ipynb").write_text(json.dumps(made))
        run(python, "nbgrader", "autograde", chapter, "--create", folder=course)
        run(python, "nbgrader", "generate_feedback", chapter, folder=course)
        feedback = (course / "feedback" / "wrong" / chapter / f"{chapter}.html").read_text()
        assert question.split("?")[0].split("'")[0] in feedback
        run(python, "nbgrader", "export", "--to", "grades.csv", folder=course)
        with (course / "grades.csv").open() as lines:
            rows = [row for row in csv.DictReader(lines) if row["assignment"] == chapter]
        scores = {row["student_id"]: float(row["score"]) for row in rows}
        assert scores == {"right": len(answers), "wrong": len(answers) - 1, "empty": 0}


@pytest.mark.environments
def test_otter_assigns_and_grades(taught: Class, tmp_path: Path) -> None:
    needed = [*NEEDED, "ipykernel", "otter-grader"]
    python = environment(tmp_path / "environment", "highest", needed)
    course = written(taught, "otter", tmp_path / "course")
    for chapter in CHAPTERS:
        folder = course / chapter
        run(python, "otter", "assign", f"{chapter}.ipynb", "dist", folder=folder)
        text = (folder / "dist" / "student" / f"{chapter}.ipynb").read_text()
        assert "roads = " not in text and "BEGIN" not in text and "Expected" not in text
        archive = next((folder / "dist" / "autograder").glob("*.zip"))
        number = len(exercises_of(ROOT / "book" / "teach" / f"{chapter}.py"))
        for version, expected in (("autograder", number), ("student", 0)):
            out = folder / f"graded-{version}"
            out.mkdir()
            handed_in = f"dist/{version}/{chapter}.ipynb"
            run(
                python, "otter", "run", "-a", str(archive), "-o", str(out), handed_in, folder=folder
            )
            tests = json.loads((out / "results.json").read_text())["tests"]
            assert sum(each.get("score") or 0 for each in tests) == expected
