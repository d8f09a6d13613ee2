"""Packs: a zip with notebooks and data for each student of a class, the rest for the teacher."""

from __future__ import annotations

import hmac
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rederive.execution.notebooks import canonical_bytes, read_notebook
from rederive.printed.errors import ConfigurationError, meant
from rederive.printed.files import write_atomically, zipped
from rederive.reconstruct.study import SYNTHETIC
from rederive_teach import changes, lesson
from rederive_teach.cohorts import csv_of
from rederive_teach.handouts import guide, sheet, tasks
from rederive_teach.lesson import Cohort, exercises_of
from rederive_teach.split import student_version, students_source, teacher_version

SECRET_BYTES = 16
OLDEST = {
    "numpy": "1.24",
    "pandas": "2.0",
    "scipy": "1.11",
    "statsmodels": "0.14",
    "matplotlib": "3.7",
}
"""Packages that a student's notebooks need, with the oldest version that will do."""

_README = f"""\
Your pack: notebooks, and data of your own.

No patient is behind a row: the data are synthetic and print a published article's figures.

sheet.html shows your scores and the tasks, to be printed.

1. You need Jupyter and Python 3.11, with these packages, or later versions:
   {", ".join(f"{name} {version}" for name, version in OLDEST.items())}.
2. Unpack this file, open a notebook in its folder and run it from the top.
3. Put your answers where it says check("...", ...), and run the cell.
4. Hand in the file answers.json, which the checks write beside the notebook.
"""


@dataclass(frozen=True)
class Course:
    """What a class is taught.

    Parameters
    ----------
    name
        Name of the course; part of the choice of each student's cohort.
    chapters
        Notebooks of the chapters, each beside its exercises.
    graded
        Whether packs say only what an answer looks like, and not whether it is right.
    """

    name: str
    chapters: tuple[Path, ...]
    graded: bool = False


def chapters_of(folder: Path, numbers: Sequence[int] = ()) -> tuple[Path, ...]:
    """Return the chapters in a folder, all or those of some numbers.

    Raises
    ------
    ConfigurationError
        If there is no chapter of a number.
    """
    found = {int(path.name[1:3]): path for path in sorted(folder.glob("c[0-9][0-9]_*.ipynb"))}
    for number in numbers:
        if number not in found:
            allowed = ", ".join(map(str, found)) or "none, since there are no chapters"
            raise ConfigurationError(f"chapters: found {number}, allowed: {allowed}")
    return tuple(found[number] for number in numbers or found)


def read_secret(path: Path) -> bytes:
    """Return the secret that a file holds.

    Raises
    ------
    ConfigurationError
        If the file is missing or too short to be a secret.
    """
    secret = path.read_bytes().strip() if path.is_file() else b""
    if len(secret) < SECRET_BYTES:
        raise ConfigurationError(
            f"{path}: found {len(secret)} bytes, allowed: at least {SECRET_BYTES}; make one: "
            f"python -c 'import secrets; print(secrets.token_hex(32))' > {path}"
        )
    return secret


def seed_of(secret: bytes, course: str) -> int:
    """Return the seed of a course's fresh cohorts."""
    return int.from_bytes(_digest(secret, f"{course}/seed")[:4]) >> 1


def assign(
    students: Sequence[str], secret: bytes, course: str, number: int, replaced: Collection[str] = ()
) -> dict[str, int]:
    """Choose for each student a cohort of its own.

    Each student ranks the cohorts by a keyed hash of course, name and cohort, and takes the first
    that nobody before took; so one who is added at the end moves nobody.

    Parameters
    ----------
    students, secret, course
        Who is taught what; the secret is the key.
    number
        How many cohorts there are.
    replaced
        Students who get another cohort than before; they choose last, and nobody else moves.

    Raises
    ------
    ConfigurationError
        If there are fewer cohorts than students, or nobody of a name that is to be replaced.
    """
    for name in replaced:
        if name not in students:
            raise ConfigurationError(f"replace: no student {name!r}{meant(name, students)}")
    if number < len(students) + len(replaced):
        raise ConfigurationError(
            f"found {number} cohorts, allowed: at least {len(students) + len(replaced)}"
        )

    chosen: dict[str, int] = {}
    taken: set[int] = set()
    for name in [*students, *(name for name in students if name in replaced)]:
        ranked = sorted(range(number), key=lambda at: _digest(secret, f"{course}/{name}/{at}"))
        chosen[name] = next(at for at in ranked if at not in taken)
        taken.add(chosen[name])
    return chosen


def _digest(secret: bytes, text: str) -> bytes:
    return hmac.digest(secret, text.encode(), "sha256")


def shared_files(course: Course) -> dict[str, bytes]:
    """Return the files that are the same in every student's pack, by name."""
    files = {"README.txt": _README.encode(), **_library()}
    for chapter in course.chapters:
        notebook = read_notebook(chapter)
        files[chapter.name] = canonical_bytes(student_version(notebook))
        source = chapter.with_suffix(".py")
        if course.graded:
            forms = {each.id: each.form for each in exercises_of(source)}
            files[f"{chapter.stem}.json"] = canonical_bytes(forms)
        else:
            files[source.name] = students_source(source.read_text(encoding="utf-8")).encode()
    return files


def own_files(course: Course, student: str, cohort: Cohort, asked: str) -> dict[str, bytes]:
    """Return a student's own files by name: the cohort, and the sheet with the tasks `asked`."""
    return {
        "visits.csv": csv_of(cohort.visits, SYNTHETIC),
        "patients.csv": csv_of(cohort.patients, SYNTHETIC),
        "pack.json": canonical_bytes({"student": student, "course": course.name}),
        "sheet.html": sheet(student, cohort, asked).encode(),
    }


def _library() -> dict[str, bytes]:
    """Return the files that a chapter's notebook and exercises import, as they stand in a pack."""
    files = (Path(str(module.__file__)) for module in (lesson, changes))
    return {path.name: students_source(path.read_text(encoding="utf-8")).encode() for path in files}


def write_packs(
    out: Path,
    course: Course,
    people: Mapping[str, Mapping[str, str]],
    cohorts: Mapping[str, Cohort],
    codebook: Path | None = None,
) -> None:
    """Write ``students/ID.zip`` for each of `people`, and what the teacher needs to ``teacher/``.

    The same class, course and cohorts give the same bytes.
    """
    notebooks = {path: read_notebook(path) for path in course.chapters}
    shared = shared_files(course)
    if codebook:
        shared["codebook.csv"] = codebook.read_bytes()
    asked = tasks(notebooks.values())
    fingerprints = {}
    for student, cohort in cohorts.items():
        files = shared | own_files(course, student, cohort, asked)
        write_atomically(out / "students" / f"{student}.zip", zipped(files))
        handed_out = pd.read_csv(io.BytesIO(files["visits.csv"]), comment="#")
        fingerprints[student] = Cohort(handed_out, cohort.patients).fingerprint
    teacher = out / "teacher"
    for chapter, notebook in notebooks.items():
        source = chapter.with_suffix(".py").read_bytes()
        write_atomically(teacher / f"{chapter.stem}.py", source)
        write_atomically(teacher / chapter.name, canonical_bytes(teacher_version(notebook)))
    for name, content in _library().items():
        write_atomically(teacher / name, content)
    write_atomically(teacher / "guide.html", guide(course.chapters).encode())
    described = {
        "course": course.name,
        "graded": course.graded,
        "chapters": [chapter.stem for chapter in course.chapters],
        "people": list(people.values()),
        "students": fingerprints,
    }
    write_atomically(teacher / "class.json", canonical_bytes(described))
