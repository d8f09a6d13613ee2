"""The commands ``rederive teach``: packs for a class, their key and their grading."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pandas as pd

from rederive.book.cohort_form import ArticleCohorts, open_cohorts
from rederive.cli.column import library_errors
from rederive.cli.options import ARTICLE, FILE, FOLDER, NEW_FILE, NEW_FOLDER
from rederive.cli.watch import Watch
from rederive.execution.notebooks import read_notebook, source_of
from rederive.execution.project import find_project
from rederive.execution.run import Task, execute_tasks
from rederive.printed.errors import BookError, ConfigurationError, meant
from rederive.printed.files import csv_text, write_atomically
from rederive_teach.cohorts import SHARED_AT_MOST, cohorts_of, shared_answers
from rederive_teach.formats.autograders import exported
from rederive_teach.grade import Class, grade, read_class
from rederive_teach.handouts import guide, print_to_pdf, printed_sheet, slides
from rederive_teach.lesson import Cohort, Exercise, exercises_of, judge, same
from rederive_teach.pack import Course, assign, chapters_of, read_secret, seed_of, write_packs
from rederive_teach.quiz import read_quiz
from rederive_teach.quiz_formats import FORMATS

_POOL = 40
"""Least number of fresh cohorts; more are made by doubling, so that few students move."""


@click.group("teach")
def teach_command() -> None:
    """Teach with the book: packs with a different cohort for each student, and their grading."""


def _chapters(ctx: click.Context, text: str = "") -> tuple[Path, ...]:
    folder = find_project(ctx.obj).root / "book" / "teach"
    try:
        numbers = [int(number) for number in text.split(",") if number.strip()]
    except ValueError:
        raise ConfigurationError(f"chapters: found {text!r}, allowed: such as 2,3,5") from None
    return chapters_of(folder, numbers)


@teach_command.command("list")
@click.pass_context
def list_command(ctx: click.Context) -> None:
    """List the chapters with their minutes, exercises and what each answer rests on."""
    for chapter in _chapters(ctx):
        minutes = re.search(r"\d+ minutes", source_of(read_notebook(chapter)["cells"][0]))
        click.echo(f"{chapter.stem}, {minutes[0]}" if minutes else chapter.stem)
        for each in exercises_of(chapter.with_suffix(".py")):
            whose = "individual" if each.individual else "shared"
            click.echo(f"  {each.id:6} {each.mark:8} {whose:10} {len(each.roads)} wrong roads")


@teach_command.command("pack")
@click.argument("students", type=FILE)
@click.option("--out", required=True, type=NEW_FOLDER)
@click.option("--seed-file", required=True, type=NEW_FILE, help="Secret that chooses the cohorts.")
@click.option("--chapters", default="", help="Numbers, such as 2,3; by default all.")
@click.option("--course", default="course", show_default=True, help="Name; another year, another.")
@click.option("--graded", is_flag=True, help="Fresh cohorts; packs do not say what is right.")
@click.option("--cohorts", type=FOLDER, help="Cohorts made by 'rederive reconstruct'.")
@click.option("--replace", multiple=True, metavar="ID", help="Give a student another cohort.")
@ARTICLE
@click.pass_context
@library_errors
def pack_command(
    ctx: click.Context,
    students: Path,
    out: Path,
    seed_file: Path,
    chapters: str,
    course: str,
    graded: bool,
    cohorts: Path | None,
    replace: tuple[str, ...],
    article: str,
) -> None:
    """Write a zip for each student in the column id of STUDENTS, and a folder for the teacher.

    Columns mail, name and canvas_id, if there are any, are for gradebooks and in no pack.

    To practise, cohorts are those shipped with the book; to grade, fresh ones are made from the
    secret, in some seconds.
    """
    secret, people = read_secret(seed_file), read_class(students)
    taught = Course(course, _chapters(ctx, chapters), graded)
    shipped = find_project(ctx.obj).root / "data" / "cohorts"
    offered = open_cohorts(article)
    folder = cohorts or shipped / offered.priors[0]
    if graded and cohorts is None:
        folder = out / "teacher" / "cohorts"
        _make_fresh(offered, folder, len(people) + len(replace), seed_of(secret, course))
    pool = list(cohorts_of(folder))
    chosen = assign(list(people), secret, course, len(pool), replace)
    own = {name: pool[at] for name, at in chosen.items()}
    codebook = shipped / "codebook.csv"
    write_packs(out, taught, people, own, codebook if codebook.is_file() else None)
    click.echo(f"{out}: {len(people)} packs of {len(taught.chapters)} chapters")


def _make_fresh(offered: ArticleCohorts, folder: Path, wanted: int, seed: int) -> None:
    number = _POOL
    while number < 1.5 * wanted:
        number *= 2
    with Watch("fresh cohorts", catch=False) as watch:
        watch.say(f"{number} fresh cohorts")
        offered.reconstruct(
            folder,
            prior=offered.priors[0],
            cohorts=number,
            seed=seed,
            without=(),
            reading=offered.readings[0],
            progress=watch,
        )


@teach_command.command("grade")
@click.argument("folder", type=FOLDER)
@click.argument("submissions", type=FOLDER)
@click.option("--out", required=True, type=NEW_FOLDER)
def grade_command(folder: Path, submissions: Path, out: Path) -> None:
    """Grade the answers.json of the students of FOLDER, without running any of their code.

    Writes a page for each student, grades.csv, and moodle.csv and canvas.csv to be imported.
    """
    with Watch("graded", catch=False) as watch:
        results = grade(folder, submissions, out, watch)
    noted = sum(bool(each.note) for each in results)
    click.echo(f"{out}: {len(results)} students, {noted} of them with a note")
    known = Class.open(folder).fingerprints
    for path in sorted(submissions.iterdir()):
        name = path.stem if path.is_file() else path.name
        if name not in known and not name.startswith("."):
            click.echo(
                f"left aside, nobody of the class: {path.name}{meant(name, known)}", err=True
            )


@teach_command.command("key")
@click.argument("folder", type=FOLDER)
@click.option("--student", default="", help="Only of this student.")
def key_command(folder: Path, student: str) -> None:
    """Print the right answers of the students of FOLDER as CSV."""
    taught = Class.open(folder)
    names = [student] if student else taught.fingerprints
    rows = [(name, id, str(right)) for name in names for id, right in taught.key(name).items()]
    table = pd.DataFrame(rows, columns=["student_id", "exercise", "answer"])
    click.echo(csv_text(table), nl=False)


@teach_command.command("export")
@click.argument("kind", type=click.Choice(["nbgrader", "otter"]))
@click.argument("folder", type=FOLDER)
@click.option("--student", default="", help="Whose data all are to have; by default the first.")
@click.option("--out", required=True, type=NEW_FOLDER)
def export_command(kind: str, folder: Path, student: str, out: Path) -> None:
    """Write the chapters of FOLDER, which teach pack wrote, for nbgrader or Otter-Grader.

    These have one release for a class: everybody gets the data of one student of FOLDER.
    """
    taught = Class.open(folder)
    for path, content in exported(taught, student or next(iter(taught.people)), kind).items():
        write_atomically(out / path, content)
    click.echo(f"{out}: for {kind}")


@teach_command.command("quiz")
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), required=True)
@click.option("--chapters", default="", help="Numbers, such as 2,3; by default all.")
@click.option("--out", default=".", type=NEW_FOLDER)
@click.pass_context
def quiz_command(ctx: click.Context, kind: str, chapters: str, out: Path) -> None:
    """Write the quiz of each chapter: as a page, for an LMS, or on paper."""
    ending, write = FORMATS[kind]
    for chapter in _chapters(ctx, chapters):
        quiz = read_quiz(chapter.parent / "quizzes" / f"{chapter.stem}.yaml")
        path = out / f"{chapter.stem}{ending}"
        write_atomically(path, write(quiz))
        click.echo(f"{path}: {len(quiz.questions)} questions")


@teach_command.command("sheet")
@click.argument("folder", type=FOLDER, required=False)
@click.option("--course", type=click.Choice(["hour"]), help="The sheet of a course on paper.")
@click.option("--out", required=True, type=NEW_FOLDER)
@click.option("--pdf", is_flag=True, help="Also as PDF, where Chromium is installed.")
@click.pass_context
def sheet_command(
    ctx: click.Context, folder: Path | None, course: str | None, out: Path, pdf: bool
) -> None:
    """Write the sheet of each student of FOLDER, with own data, or of a course, to print."""
    if (folder is None) == (course is None):
        raise ConfigurationError(
            "sheet: allowed: either a folder that teach pack wrote or --course"
        )
    if folder is None:
        source = find_project(ctx.obj).root / "book" / "teach" / f"{course}.md"
        pages = {str(course): printed_sheet(source.read_text(encoding="utf-8")).encode()}
    else:
        taught = Class.open(folder)
        pages = {name: taught.packed(name, "sheet.html")[0] for name in taught.fingerprints}
    for name, page in pages.items():
        write_atomically(out / f"{name}.html", page)
        if pdf:
            print_to_pdf(out / f"{name}.html")
    click.echo(f"{out}: {len(pages)} sheets")


@teach_command.command("slides")
@click.argument("chapters")
@click.option("--out", default=".", type=NEW_FOLDER)
@click.pass_context
def slides_command(ctx: click.Context, chapters: str, out: Path) -> None:
    """Run CHAPTERS, such as 2,3, and write slides of each: one file, no network needed."""
    project, chosen = find_project(ctx.obj), _chapters(ctx, chapters)
    tasks = [Task(chapter.relative_to(project.root)) for chapter in chosen]
    done = execute_tasks(project, tasks, report=lambda line: click.echo(line, err=True))
    for chapter, content in zip(chosen, done.contents, strict=True):
        path = out / f"{chapter.stem}.slides.html"
        write_atomically(path, slides(json.loads(content)).encode())
        click.echo(f"{path}: the key S opens your notes; add ?print-pdf to the address to print")


@teach_command.command("guide")
@click.option("--chapters", default="", help="Numbers, such as 2,3; by default all.")
@click.option("--out", required=True, type=NEW_FILE)
@click.pass_context
def guide_command(ctx: click.Context, chapters: str, out: Path) -> None:
    """Write the instructor's guide: plans, timing, errors, expected answers and rubrics."""
    write_atomically(out, guide(_chapters(ctx, chapters)).encode())
    click.echo(str(out))


@teach_command.command("check")
@click.option("--cohorts", "number", type=click.IntRange(2), default=20, show_default=True)
@click.pass_context
def check_command(ctx: click.Context, number: int) -> None:
    """Try every exercise on shipped cohorts: right answers, wrong roads, answers shared by few."""
    shipped = sorted((find_project(ctx.obj).root / "data" / "cohorts").glob("*/visits.parquet"))
    cohorts = [each for path in shipped for each in cohorts_of(path.parent, number)]
    failed = []
    for chapter in _chapters(ctx):
        for each in exercises_of(chapter.with_suffix(".py")):
            shared = shared_answers(each, cohorts)
            wrong = _faults(each, cohorts)
            if each.individual and shared > SHARED_AT_MOST:
                wrong.append(f"shared by {shared:.0%}, allowed {SHARED_AT_MOST:.0%}")
            click.echo(f"{each.id:6} shared {shared:5.1%}  {'; '.join(wrong) or 'passed'}")
            failed += wrong
    if failed:
        raise BookError(f"{len(failed)} faults")


def _faults(exercise: Exercise, cohorts: list[Cohort]) -> list[str]:
    """Return what is wrong with an exercise on the first cohort of each folder."""
    first = {each.folder.split("/")[0]: each for each in reversed(cohorts)}
    found = []
    for cohort in first.values():
        right = exercise.right(cohort)
        if judge(exercise, cohort, right).kind != "right":
            found.append(f"{cohort.folder}: the right answer is not taken")
        for question, road in exercise.roads.items():
            value = road(cohort)
            hit = same(right, value, exercise.decimals, exercise.unit)
            if not hit and judge(exercise, cohort, value).kind != "road":
                found.append(f"{cohort.folder}: road not recognised: {question}")
    return found
