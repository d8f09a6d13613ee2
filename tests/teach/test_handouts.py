"""Slides, sheets and the guide: one file each, no network, nothing in it that does not belong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from playwright.sync_api import Locator, sync_playwright
from pypdf import PdfReader

from rederive.cli.main import main
from rederive_teach.handouts import guide, sheet, slides, tasks
from rederive_teach.lesson import MARKS, Cohort, exercises_of, table
from rederive_teach.quiz import SENTENCE
from rederive_teach.split import tags_of
from teach.conftest import CHAPTERS, ROOT, TEACHING, notebook_of
from teach.test_split import secrets_of

CHAPTER = next(path for path in CHAPTERS if path.stem == "c03_regression")
OUTPUT = {"output_type": "display_data", "metadata": {}}


def loaded(page: str) -> list[str]:
    """Return what a page would fetch."""
    read = BeautifulSoup(page, "html5lib")
    found = [
        e[a] for a in ("src", "href") for e in read.select(f"link[{a}], script[{a}], img[{a}]")
    ]
    return [address for address in found if not address.startswith("data:")]


def as_if_run(chapter: Path) -> dict[str, Any]:
    """Return a chapter with an output in each code cell, without running it."""
    notebook = json.loads(json.dumps(notebook_of(chapter)))
    for at, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["outputs"] = [OUTPUT | {"data": {"text/plain": f"output <{at}>"}}]
    return notebook


def test_slides_need_no_network_and_keep_notes_and_marks() -> None:
    page = slides(as_if_run(CHAPTER))
    assert page == slides(as_if_run(CHAPTER))
    assert loaded(page) == []
    read = BeautifulSoup(page, "html5lib")
    assert read.select_one("aside.notes").get_text().strip().startswith("Expected.")
    assert {mark.get_text() for mark in read.select(".mark b")} == {
        "printed",
        "forced",
        "choice",
        "added",
    }
    assert read.select("math") and "\\text{SD}" not in read.select_one(".slides").get_text()
    titles = [each.get_text() for each in read.select(".slides h1, .slides h2, .slides h3")]
    assert titles[0] == "Regression to the mean" and "Exercise 3.1" in titles


def test_slides_show_neither_solutions_nor_what_only_the_book_has() -> None:
    page = slides(as_if_run(CHAPTER))
    cells = notebook_of(CHAPTER)["cells"]
    for at, cell in enumerate(cells):
        tags = {*tags_of(cell)}
        hidden = {"solution", "book-only", "answer", "parameters"} & tags or tags == {"hide-input"}
        if cell["cell_type"] == "code":
            assert (f"output &lt;{at}&gt;" in page) == (not hidden), at


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_each_output_on_slides_has_the_mark_of_its_cell(chapter: Path) -> None:
    read = BeautifulSoup(slides(as_if_run(chapter)), "html5lib")
    cells = dict(enumerate(notebook_of(chapter)["cells"]))
    marks = {at: {*tags_of(cell)} & {*MARKS} for at, cell in cells.items()}
    shown = read.select("pre.output")
    told = {int(each.get_text()[8:-1]): each.find_next_sibling("p", "mark") for each in shown}
    assert {at for at, each in told.items() if each} == {
        at for at, mark in marks.items() if mark and "book-only" not in tags_of(cells[at])
    }
    assert all({each.b.get_text()} == marks[at] for at, each in told.items() if each)


def test_slides_come_by_nbconvert_which_nothing_else_waits_for() -> None:
    program = "import sys, rederive_teach.cli; sys.exit('nbconvert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_slides_in_a_browser_without_a_network(chromium: str, tmp_path: Path) -> None:
    path = tmp_path / "deck.html"
    notebook = as_if_run(CHAPTER)
    long = next(cell for cell in notebook["cells"] if "forced" in tags_of(cell))
    long["outputs"][0]["data"]["text/plain"] = "line\n" * 99
    path.write_text(slides(notebook), encoding="utf-8")
    asked: list[str] = []
    wrong: list[str] = []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = opened.new_context(offline=True)
        context.on("request", lambda request: asked.append(request.url))
        context.on("console", lambda message: wrong.append(message.text))
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        deck = context.new_page()
        deck.goto(path.as_uri())
        seen = deck.locator("section.present > section.present")

        def go_on_to(wanted: Locator) -> None:
            for _ in range(50):
                if wanted.count():
                    return
                deck.keyboard.press("Space")
            pytest.fail(f"no slide shows {wanted}")

        for title in ("Regression to the mean", "The question"):
            assert seen.locator("h1, h2").inner_text() == title
            deck.keyboard.press("ArrowRight")
        deck.keyboard.press("ArrowLeft")
        deck.keyboard.press("ArrowDown")  # the slide is long: it scrolls
        assert seen.locator("h2").inner_text() == "The question"
        assert seen.evaluate("slide => slide.scrollTop") > 0
        formula = seen.locator("math[display=block]")
        go_on_to(formula)
        box = formula.bounding_box()
        assert box and box["height"] > 20 and "SD" in str(formula.text_content())
        go_on_to(seen.locator("aside.notes"))
        with context.expect_page() as other:
            deck.keyboard.press("s")
        notes = other.value.locator(".speaker-controls-notes .value")
        notes.get_by_text("Expected.").wait_for()
        assert "regression to the mean" in notes.inner_text()
        deck.goto(f"{path.as_uri()}?print-pdf&showNotes=separate-page")
        deck.locator(".pdf-page").last.wait_for()
        printed = PdfReader(BytesIO(deck.pdf(prefer_css_page_size=True)))
        opened.close()
    text = "".join(page.extract_text() for page in printed.pages)
    assert "What you will be able to do" in text and "Expected." in text and "Key points" in text
    assert {url.partition("?")[0].partition("#")[0] for url in asked} == {path.as_uri()}
    assert wrong == []


def test_markup_in_a_text_is_shown_and_not_obeyed() -> None:
    hostile = "<script>alert(1)</script>"
    cohort = Cohort.read(TEACHING)
    task = {"cell_type": "markdown", "metadata": {"tags": ["exercise"]}, "source": hostile}
    visits = cohort.visits.assign(patient="<img src=x>" + cohort.visits["patient"])
    page = sheet(hostile, Cohort(visits, cohort.patients), tasks([{"cells": [task]}]))
    read = BeautifulSoup(page, "html5lib")
    assert not read.select("script, img") and read.get_text().count(hostile) == 3


def test_a_sheet_shows_the_students_own_scores_and_no_solution() -> None:
    cohort = Cohort.read(TEACHING)
    page = sheet("anna", cohort, tasks(map(notebook_of, CHAPTERS)))
    read = BeautifulSoup(page, "html5lib")
    rows = [
        [c.get_text() for c in row.select("td")] for row in read.select_one("tbody").select("tr")
    ]
    scores = table(cohort.visits)
    assert [float(row[1]) for row in rows] == list(scores["m0"])
    assert sum(row[-1] != "" for row in rows) == 15
    text = read.get_text()
    assert SENTENCE in text and "Exercise 13.1" in text and loaded(page) == []
    assert "Mark: choice" in text
    for path in CHAPTERS:
        assert not [line for line in secrets_of(path) if len(line) > 24 and line in text]


def test_the_guide_holds_plans_rubrics_answers_and_errors() -> None:
    text = BeautifulSoup(guide(CHAPTERS), "html5lib").get_text()
    for wanted in ("One hour", "Half a day", "Six weeks", "Online", "Licence", "CC BY 4.0"):
        assert wanted in text
    for path in CHAPTERS:
        assert all(each.id in text for each in exercises_of(path.with_suffix(".py")))
    assert text.count("Expected") >= len(CHAPTERS)


def test_the_guide_and_the_key_are_on_no_page_of_the_book() -> None:
    contents = (ROOT / "_toc.yml").read_text()
    assert "teach/guide" not in contents and "teach/hour" not in contents


def test_sheets_of_a_course_are_printed(tmp_path: Path) -> None:
    words = ["teach", "sheet", "--course", "hour", "--out", str(tmp_path)]
    browser = any(shutil.which(name) for name in ("chromium", "google-chrome"))
    done = CliRunner().invoke(main, ["--root", str(ROOT), *words, *(["--pdf"] if browser else [])])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "hour.html").read_text()
    assert loaded(page) == [] and "85.246" in page.split("class='new'")[1]
    if browser:
        pages = (tmp_path / "hour.pdf").read_bytes().count(b"/Type /Page\n")
        assert pages <= 3


@pytest.mark.parametrize("words", [["sheet"], ["sheet", str(ROOT), "--course", "hour"]])
def test_a_sheet_is_of_a_class_or_of_a_course(words: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--root", str(ROOT), "teach", *words, "--out", str(tmp_path)])
    assert done.exit_code == 2 and "either" in done.output
