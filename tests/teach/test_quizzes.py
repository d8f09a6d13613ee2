"""Quizzes: every format, read again, gives the same questions; texts are never markup."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from playwright.sync_api import sync_playwright

from rederive.cli.main import main
from rederive.printed.errors import ConfigurationError
from rederive_teach.quiz import SENTENCE, Question, Quiz, read_quiz
from rederive_teach.quiz_formats import FORMATS, gift, moodle, page, paper, qti
from teach.conftest import CHAPTERS, ROOT

QUIZZES = [read_quiz(ROOT / f"book/teach/quizzes/{path.stem}.yaml") for path in CHAPTERS]
HOSTILE = "</legend><script>alert('1')</script> & ~ = { } # : \\ \"quoted\" <b>"
Asked = tuple[str, dict[str, tuple[str, bool]], tuple[float, float]]
"""Text; options with feedback and whether right; a number with its tolerance."""


def hostile(quiz: Quiz) -> Quiz:
    """Return a quiz in which every text tries to be markup."""

    def spoiled(asked: Question) -> Question:
        options = tuple(
            replace(each, text=f"{HOSTILE} {at}", feedback=HOSTILE)
            for at, each in enumerate(asked.options)
        )
        return replace(asked, stem=HOSTILE, feedback=HOSTILE, unit=HOSTILE, options=options)

    return replace(quiz, title=HOSTILE, questions=tuple(map(spoiled, quiz.questions)))


def expected(quiz: Quiz, alone: bool) -> list[Asked]:
    """Return what has to be read again, from a page or (`alone`) from an LMS's file."""
    return [
        (
            each.text if alone else each.stem,
            {option.text: (option.feedback, option.right) for option in each.options},
            (0, 0) if each.options else (each.number, each.tolerance),
        )
        for each in quiz.questions
    ]


def text_at(element: ElementTree.Element, path: str) -> str:
    return element.findtext(path) or ""


def from_moodle(content: bytes) -> list[Asked]:
    found: list[Asked] = []
    for each in ElementTree.fromstring(content).findall("question"):
        answers = each.findall("answer")
        stem = text_at(each, "questiontext/text")
        if each.get("type") == "multichoice":
            options = {
                text_at(a, "text"): (text_at(a, "feedback/text"), a.get("fraction") == "100")
                for a in answers
            }
            found.append((stem, options, (0, 0)))
        elif each.get("type") == "numerical":
            number = float(text_at(answers[0], "text")), float(text_at(answers[0], "tolerance"))
            found.append((stem, {}, number))
    return found


def from_gift(content: bytes) -> list[Asked]:
    found: list[Asked] = []
    for block in content.decode().strip().split("\n\n")[1:]:
        first, *rest = block.split("\n")
        opened = re.fullmatch(r"::.*?(?<!\\)::(.*?)(?<!\\)\{(#?)", first)
        assert opened, first
        answers = [re.split(r"(?<!\\)#", line) for line in rest if line[0] in "=~"]
        if opened[2]:
            number, tolerance = answers[0][0][1:].split(":")
            found.append((plain(opened[1]), {}, (float(number), float(tolerance))))
        else:
            options = {plain(text[1:]): (plain(said), text[0] == "=") for text, said in answers}
            found.append((plain(opened[1]), options, (0, 0)))
    return found


def plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def from_qti(content: bytes) -> list[Asked]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    manifest = ElementTree.fromstring(archive.read("imsmanifest.xml"))
    name = manifest.find(".//{*}file").get("href")  # type: ignore[union-attr]
    found: list[Asked] = []
    for item in ElementTree.fromstring(archive.read(str(name))).iter():
        if not item.tag.endswith("}item"):
            continue
        said = {
            f.get("ident"): text_at(f, ".//{*}mattext") for f in item.findall("{*}itemfeedback")
        }
        scored = item.find(".//{*}respcondition[@continue='No']/{*}conditionvar")
        assert scored is not None
        right = text_at(scored, "{*}varequal")
        options = {
            text_at(each, ".//{*}mattext"): (
                said[f"{each.get('ident')}_fb"],
                each.get("ident") == right,
            )
            for each in item.findall(".//{*}render_choice/{*}response_label")
        }
        low, high = (float(text_at(scored, f".//{{*}}{tag}") or 0) for tag in ("vargte", "varlte"))
        number = (low + high) / 2, (high - low) / 2
        found.append((text_at(item, "{*}presentation/{*}material/{*}mattext"), options, number))
    return found


def from_page(content: str) -> list[Asked]:
    found: list[Asked] = []
    for each in BeautifulSoup(content, "html5lib").select("fieldset.quiz"):
        stem = each.legend.get_text().rsplit(" (", 1)[0]
        texts = [label.get_text().strip() for label in each.select("label:has([type=radio])")]
        said = [item.get_text().split(". ", 1) for item in each.select("details li")]
        options = {
            t: (words, kind == "Right") for t, (kind, words) in zip(texts, said, strict=True)
        }
        number = float(each.get("data-number", 0)), float(each.get("data-tolerance", 0))
        found.append((stem, options, number))
    return found


@pytest.mark.parametrize("quiz", [*QUIZZES, hostile(QUIZZES[2])], ids=lambda each: each.chapter)
def test_read_again_a_format_gives_the_same_questions(quiz: Quiz) -> None:
    for read in (from_moodle(moodle(quiz)), from_gift(gift(quiz)), from_qti(qti(quiz))):
        assert [each[:2] for each in read] == [each[:2] for each in expected(quiz, alone=True)]
        for (*_, number), (*_, wanted) in zip(read, expected(quiz, alone=True), strict=True):
            assert number == pytest.approx(wanted, abs=1e-8)
    assert from_page(page(quiz)) == expected(quiz, alone=False)


def test_texts_are_never_markup() -> None:
    quiz = hostile(QUIZZES[2])
    for text in (page(quiz), paper(quiz)):
        read = BeautifulSoup(text, "html5lib")
        assert len(read.select("script")) == text.count("<script>") <= 1
        assert not [b for b in read.select("b") if b.find_parent("legend")]
        assert HOSTILE in read.get_text()


def test_a_page_works_by_keyboard_offline_and_without_its_script() -> None:
    for quiz in QUIZZES:
        text = page(quiz)
        read = BeautifulSoup(text, "html5lib")
        assert SENTENCE in read.get_text() and "http" not in text
        for each in read.select("fieldset.quiz"):
            assert each.legend.get_text().strip() and each.details.get_text().strip()
            assert all(field.find_parent("label") for field in each.select("input"))
        names = [{i["name"] for i in each.select("input")} for each in read.select("fieldset")]
        assert all(len(each) == 1 for each in names) and len(set.union(*names)) == len(names)
    script = read.script.string
    assert "aria-live" in script and "innerHTML" not in script


def test_right_options_stand_in_no_fixed_place() -> None:
    places = {
        at
        for quiz in QUIZZES
        for each in quiz.questions
        for at, option in enumerate(each.options)
        if option.right
    }
    assert places == {0, 1, 2}


def test_command_writes_every_format(tmp_path: Path) -> None:
    for kind, (ending, write) in FORMATS.items():
        words = ["teach", "quiz", "--format", kind, "--chapters", "3", "--out", str(tmp_path)]
        done = CliRunner().invoke(main, ["--root", str(ROOT), *words])
        assert done.exit_code == 0, done.output
        written = (tmp_path / f"c03_regression{ending}").read_bytes()
        assert written == write(QUIZZES[2])


GOOD = (
    """title: t
questions:
"""
    + 4 * "  - {mark: added, misconception: m, stem: s, number: 1, feedback: f}\n"
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: t", "", "title"),
        ("mark: added", "mark: guessed", "question 1: mark 'guessed'"),
        ("number: 1", "number: one", "number 'one'"),
        ("number: 1", "options: [{text: a, feedback: b, right: true}]", "three or more"),
        ("stem: s", "stem: ''", "found no stem"),
        ("feedback: f", "hint: f", "hint"),
        ("number: 1", "number: 1, tolerance: -1", "tolerance"),
    ],
)
def test_a_quiz_that_does_not_fit_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "c01_x.yaml"
    path.write_text(GOOD)
    assert len(read_quiz(path).questions) == 4
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=said):
        read_quiz(path)


@pytest.mark.browser
def test_in_a_browser_answers_are_told_by_keyboard(chromium: str, tmp_path: Path) -> None:
    path = tmp_path / "quiz.html"
    path.write_text(FORMATS["page"][1](QUIZZES[2]).decode())
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        shown = opened.new_page()
        shown.goto(path.as_uri())
        first, second = (shown.locator("fieldset.quiz").nth(at) for at in (0, 1))
        assert first.locator("details").is_hidden()
        first.get_by_role("button").press("Enter")
        assert first.get_by_role("status").inner_text() == "Choose an answer first."
        options = QUIZZES[2].questions[0].options
        for at, option in enumerate(options):
            first.get_by_role("radio").nth(at).press("Space")
            first.get_by_role("button").press("Space")
            told = first.get_by_role("status").inner_text()
            assert told == f"{'Right' if option.right else 'Not yet'}. {option.feedback}"
        field = second.get_by_role("textbox")
        for typed, said in (("x", "Type a number"), ("3", "Not yet. "), ("2,0", "Right.")):
            field.fill(typed)
            field.press("Enter")
            assert second.get_by_role("status").inner_text().startswith(said)
        assert first.locator("details").is_visible()
