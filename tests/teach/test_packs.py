"""A class is packed, works with the pack alone, and is graded without running its code."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from rederive.cli.main import main
from rederive.printed.errors import ConfigurationError
from rederive_teach import lesson
from rederive_teach.grade import Class, grade, read_class
from rederive_teach.lesson import exercises_of
from rederive_teach.pack import assign, read_secret, seed_of
from teach.conftest import ROOT

SECRET = b"0123456789abcdef0123456789abcdef"
STUDENTS = {"anna": "Anna A", "ben": "=1+1", "cem": "@SUM(A1)", "dora": "-2+A1"}
# What a student has: the pack and common packages, nothing of this project.
RUN = """
import json, sys
sys.path.insert(0, ".")
sys.modules |= dict.fromkeys(["rederive", "rederive_teach", "ivig_dcssc", "seaborn"])
import importlib.metadata; importlib.metadata.entry_points = lambda **_: ()
import matplotlib; matplotlib.use("Agg")
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), globals())
"""


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders, packed twice with the same input."""
    folder = tmp_path_factory.mktemp("class")
    rows = [f"{name},{name}@example.org,{called}\n" for name, called in STUDENTS.items()]
    (folder / "class.csv").write_text("id,mail,name\n" + "".join(rows))
    (folder / "secret").write_bytes(SECRET)
    for out in ("monday", "again"):
        words = ["teach", "pack", str(folder / "class.csv"), "--out", str(folder / out)]
        words += ["--seed-file", str(folder / "secret"), "--chapters", "2,3", "--graded"]
        words += ["--cohorts", str(ROOT / "data" / "cohorts" / "flat")]
        done = CliRunner().invoke(main, ["--root", str(ROOT), *words])
        assert done.exit_code == 0, done.output
    return folder / "monday"


def unpacked(monday: Path, student: str, folder: Path) -> Path:
    with zipfile.ZipFile(monday / "students" / f"{student}.zip") as pack:
        pack.extractall(folder)
    return folder


def test_same_input_same_bytes(monday: Path) -> None:
    again = monday.with_name("again")
    names = [path.relative_to(monday) for path in monday.rglob("*") if path.is_file()]
    assert len(names) == len(STUDENTS) + 8
    assert all((monday / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_packs_are_small_differ_and_hold_no_answer(monday: Path, tmp_path: Path) -> None:
    taught = Class.open(monday)
    assert len(set(taught.fingerprints.values())) == len(STUDENTS)
    for student in STUDENTS:
        assert (monday / "students" / f"{student}.zip").stat().st_size < 1_000_000
        folder = unpacked(monday, student, tmp_path / student)
        names = {path.name for path in folder.iterdir()}
        assert "c02_windows.json" in names and "c02_windows.py" not in names
        assert all(
            b"ynthetic" in (folder / n).read_bytes()[:40] for n in ("visits.csv", "patients.csv")
        )
        for name in ("visits.csv", "patients.csv"):
            assert (pd.read_csv(folder / name, comment="#")["synthetic"] == 1).all()
        key = taught.key(student)
        texts = "".join(
            path.read_text() for path in folder.iterdir() if path.suffix in {".json", ".ipynb"}
        )
        own = [str(key[each.id]) for each in taught.exercises if each.individual]
        assert own and not [answer for answer in own if answer in texts]
        assert SECRET.decode() not in texts and str(seed_of(SECRET, "course")) not in texts
        assert '"solution"' not in texts and "rederive" not in texts
        assert "@example.org" not in texts and STUDENTS[student] not in texts


def test_a_student_answers_with_the_pack_alone_and_is_graded(monday: Path, tmp_path: Path) -> None:
    taught, submissions = Class.open(monday), tmp_path / "submissions"
    key = taught.key("anna")
    folder = unpacked(monday, "anna", submissions / "anna")
    for chapter in ("c02_windows", "c03_regression"):
        text = (folder / f"{chapter}.ipynb").read_text()
        for number, answer in key.items():
            text = text.replace(f'check(\\"{number}\\", ...)', f'check(\\"{number}\\", {answer})')
        (folder / f"{chapter}.ipynb").write_text(text)
        command = [sys.executable, "-c", RUN, f"{chapter}.ipynb"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    noted = json.loads((folder / "answers.json").read_text())
    assert set(noted) == set(key)
    # Another student's answers, one on a wrong road, one that is no file of answers, and none.
    (submissions / "ben.json").write_text(json.dumps(noted))
    (submissions / "cem.json").write_text('{"2.1a": [1, 2')
    results = {each.student: each for each in grade(monday, submissions, tmp_path / "grades")}
    assert results["anna"].score == len(key) and not results["anna"].note
    assert results["ben"].score < len(key) and "other data" in results["ben"].note
    assert "could not be read" in results["cem"].note
    assert results["dora"].score == 0 and "No answers" in results["dora"].note
    with (tmp_path / "grades" / "grades.csv").open() as lines:
        rows = {row["student_id"]: row for row in csv.DictReader(lines)}
    assert rows["anna"]["score"] == str(len(key)) and rows["anna"]["2.1b"] == "right"
    assert [*rows["anna"]][:5] == ["assignment", "student_id", "email", "score", "max_score"]


def test_what_nobody_of_the_class_handed_in_is_named(monday: Path, tmp_path: Path) -> None:
    handed_in = tmp_path / "handed_in"
    (handed_in / "annna").mkdir(parents=True)
    (handed_in / "ben.json").write_text("{}")
    words = ["teach", "grade", str(monday), str(handed_in), "--out", str(tmp_path / "grades")]
    done = CliRunner().invoke(main, words)
    assert "nobody of the class: annna (did you mean 'anna'?)" in done.stderr
    assert "ben" not in done.stderr and done.exit_code == 0


def test_gradebooks_are_what_moodle_and_canvas_import(monday: Path, tmp_path: Path) -> None:
    (tmp_path / "anna.json").write_text(json.dumps({"2.3": {"value": "=1+1"}}))
    done: list[tuple[int, int]] = []
    grade(monday, tmp_path, tmp_path / "grades", lambda *each: done.append(each))
    assert done[-1] == (len(STUDENTS), len(STUDENTS))
    read = {
        name: list(csv.reader((tmp_path / "grades" / name).open()))
        for name in ("grades.csv", "moodle.csv", "canvas.csv")
    }
    assert read["moodle.csv"][0] == ["ID number", "Email address", "course", "Feedback comments"]
    assert read["moodle.csv"][1][:3] == ["anna", "anna@example.org", "0"]
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "course"]
    number = str(len(Class.open(monday).exercises))
    assert read["canvas.csv"][0] == head
    assert read["canvas.csv"][1] == ["    Points Possible", "", "", "", "", number]
    assert read["canvas.csv"][2] == ["Anna A", "", "anna", "anna@example.org", "", "0"]
    cells = [cell for rows in read.values() for row in rows for cell in row]
    assert "'=1+1" in cells and not [cell for cell in cells if cell[:1] in tuple("=+-@")]


def test_feedback_names_the_road_and_escapes_what_was_typed(monday: Path, tmp_path: Path) -> None:
    taught = Class.open(monday)
    source = monday / "teacher" / "c02_windows.py"
    exercise = next(each for each in exercises_of(source) if each.id == "2.1b")
    question, road = next(iter(exercise.roads.items()))
    answers = {
        "2.1b": {"value": road(taught.cohort("anna"))},
        "2.2a": {"value": "<script>alert(1)</script>"},
        "2.2b": {"value": [1e400, None]},
        "2.3": "surely",
    }
    (tmp_path / "anna.json").write_text(json.dumps({**answers, "2.3": {"value": True}}))
    grade(monday, tmp_path, tmp_path / "grades")
    page = (tmp_path / "grades" / "anna.html").read_text()
    assert question in page and "<script" not in page
    (tmp_path / "anna.json").write_text(json.dumps(answers))
    grade(monday, tmp_path, tmp_path / "grades")
    assert "could not be read" in (tmp_path / "grades" / "anna.html").read_text()


def test_the_key_of_one_or_all_is_printed(monday: Path) -> None:
    taught = Class.open(monday)
    for words, names in (((), [*STUDENTS]), (("--student", "anna"), ["anna"])):
        done = CliRunner().invoke(main, ["teach", "key", str(monday), *words])
        rows = [
            (r["student_id"], r["exercise"], r["answer"])
            for r in csv.DictReader(done.output.splitlines())
        ]
        keys = [(name, *each) for name in names for each in taught.key(name).items()]
        assert rows == [(name, exercise, str(answer)) for name, exercise, answer in keys]
    done = CliRunner().invoke(main, ["teach", "key", str(monday), "--student", "ana"])
    assert done.exit_code == 2 and "did you mean" in done.output and "anna" in done.output


def test_who_gets_which_cohort() -> None:
    chosen = assign([*STUDENTS], SECRET, "course", 50)
    assert len(set(chosen.values())) == len(STUDENTS)
    longer = assign([*STUDENTS, "emil"], SECRET, "course", 50)
    assert {name: longer[name] for name in STUDENTS} == chosen
    replaced = assign([*STUDENTS], SECRET, "course", 50, ("ben",))
    assert [name for name in STUDENTS if replaced[name] != chosen[name]] == ["ben"]
    assert assign([*STUDENTS], SECRET, "next year", 50) != chosen
    with pytest.raises(ConfigurationError, match="at least 4"):
        assign([*STUDENTS], SECRET, "course", 3)


@pytest.mark.parametrize("text", ["name\nanna\n", "id\n../x\n", "id\nanna\nanna\n", "id\n\n,\n"])
def test_unusable_classes_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"class\.csv"):
        read_class(path)


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="at least 16"):
        read_secret(tmp_path / "none")


def test_a_cohorts_tables_are_computed_once(
    monday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly all of the time to grade a class would be spent on them."""
    original, computed = lesson.table, []

    def counted(visits: pd.DataFrame, *windows: object) -> pd.DataFrame:
        computed.append((id(visits), *windows))
        return original(visits, *windows)

    monkeypatch.setattr(lesson, "table", counted)
    wrong = {each.id: {"value": 0.123} for each in Class.open(monday).exercises}
    (tmp_path / "anna.json").write_text(json.dumps(wrong))
    grade(monday, tmp_path, tmp_path / "grades")
    assert 3 < len(computed) == len(set(computed))
