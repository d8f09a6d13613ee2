"""Variants: a book under other parameters stands beside the original and says what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner, Result
from playwright.sync_api import Browser

from rederive.cli.main import main
from rederive.execution.files import digest_of_files
from rederive.execution.notebooks import canonical_bytes
from rederive.execution.project import Project
from rederive.execution.run import Task
from rederive.parameters import Parameter, ParameterSet
from rederive.printed.errors import ConfigurationError
from rederive.site.build import build_book
from rederive.site.serve import index_page
from rederive.site.staging import staged_files
from rederive.site.variant import CHANGES_PAGE, Variant, banner, shown_cells

from .conftest import cell, write_notebook, write_tiny_book

HOSTILE = '<script>alert("x")</script>&'
TWICE = ["build", "-p", "factor=2", "-p", f"word={HOSTILE}", "--name", "twice"]
PARAMETERS = ParameterSet(
    (
        Parameter("factor", 1, "what to multiply by", unit="times"),
        Parameter("word", "none", f"a word {HOSTILE}"),
        Parameter("cohort_folder", "", "folder of an own cohort"),
    )
)


def invoke(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *arguments])


def digest(site: Path) -> str:
    return digest_of_files(site)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a tiny book with a text parameter and a page of changes, built once."""
    project = write_tiny_book(tmp_path_factory.mktemp("book"))
    write_notebook(
        project.root / "notebooks" / "numbers.ipynb",
        [
            cell("markdown", "# Numbers\n", "title"),
            cell("code", "factor = 1\nword = 'none'", "given", tags=["parameters"]),
            cell(
                "code",
                "from tiny_helper import figure\n\nprint('the figure is', factor * figure())",
                "work",
            ),
            cell(
                "code",
                "import pandas as pd\n\npd.DataFrame({word: [word]}, index=[word])",
                "table",
            ),
        ],
    )
    write_notebook(
        project.root / CHANGES_PAGE,
        [
            cell("markdown", "# Changes\n", "title"),
            cell("code", "changed = {}", "given", tags=["parameters", "remove-input"]),
            cell("code", "print(sorted(changed))", "work", tags=["remove-input"]),
        ],
    )
    build_book(project, report=lambda line: None)
    return project


def test_a_variant_stands_beside_the_original(book: Project) -> None:
    original = digest(book.site)
    stage = digest(book.stage)
    result = invoke(book, *TWICE)
    assert result.exit_code == 0, result.output
    assert "Notebooks executed: 2" in result.output
    assert "make serve" in result.output
    assert (digest(book.site), digest(book.stage)) == (original, stage)
    assert not (book.site / "variant.json").exists()

    site = book.variants / "twice" / "html"
    for name in ("book/start", "notebooks/numbers", "book/changes", "search", "genindex"):
        page = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html5lib")
        shown = page.select_one("aside .rederive-variant")
        assert shown is not None, name
        words = " ".join(shown.text.split())
        assert "factor 1 → 2" in words
        assert HOSTILE in words
        assert not shown.find("script")
        target = (site / name).parent / shown.select_one("a")["href"].split("#")[0]
        assert target.resolve() in {(site / "book/changes.html").resolve(), (site / name).parent}
    numbers = (site / "notebooks" / "numbers.html").read_text(encoding="utf-8")
    assert "the figure is 82" in numbers
    changes = (site / "book" / "changes.html").read_text(encoding="utf-8")
    article = BeautifulSoup(changes, "html5lib").select_one("article").text
    assert "['factor', 'word']" in article
    assert "changed =" not in article

    again = invoke(book, *TWICE)
    assert "Notebooks executed: 0" in again.output
    assert "site: unchanged" in again.output

    listed = BeautifulSoup(index_page(book), "html5lib")
    variant = listed.find("a", string="twice")
    assert variant["href"] == "/variants/twice/html/index.html"
    assert variant.parent.text == f"twice: factor=2, word={HOSTILE}"
    assert not listed.find("script")


@pytest.mark.browser
def test_nothing_that_a_table_holds_is_run_by_a_browser(book: Project, browser: Browser) -> None:
    result = invoke(book, *TWICE)
    assert result.exit_code == 0, result.output
    page = browser.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto((book.variants / "twice" / "html" / "notebooks" / "numbers.html").as_uri())
    page.wait_for_timeout(300)
    text = page.inner_text("body")
    # A column, a row, a cell, and the banner; in sight, as text.
    assert text.count(HOSTILE) >= 4 and said == []
    page.close()


def test_the_articles_own_values_build_the_book_itself(book: Project) -> None:
    result = invoke(book, "build", "-p", "factor=1")
    assert result.exit_code == 0
    assert "this is the book itself" in result.output
    assert "Notebooks executed: 0" in result.output
    assert not {path.name for path in book.variants.glob("*")} - {"twice", "more"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-p", "factr=2"], "did you mean 'factor'"),
        (["-p", "factor=2", "--name", "../html"], "letters, digits"),
        (["-p", "factor=2", "--name", HOSTILE], "letters, digits"),
        (["--name", "same"], "at least one that differs"),
    ],
)
def test_a_variant_that_is_not_usable_is_refused(
    book: Project, arguments: list[str], expected: str
) -> None:
    result = invoke(book, "build", *arguments)
    assert result.exit_code == 2
    assert expected in result.output


def test_a_name_without_asking_follows_from_the_values() -> None:
    first = Variant.of(PARAMETERS, {"factor": 2, "word": "a"})
    assert first.name == Variant.of(PARAMETERS, {"word": "a", "factor": 2}).name
    assert first.name != Variant.of(PARAMETERS, {"factor": 3, "word": "a"}).name
    assert dict(Variant.of(PARAMETERS, {"factor": 2, "word": "none"}).changed) == {"factor": 2}
    with pytest.raises(ConfigurationError, match="at least one"):
        Variant.of(PARAMETERS, {"factor": 1})


def test_notebooks_get_what_they_take(book: Project) -> None:
    variant = Variant.of(PARAMETERS, {"factor": 2, "cohort_folder": "/somewhere/mine"})
    numbers = variant.parameters_for(book.root / "notebooks" / "numbers.ipynb")
    assert numbers == {"factor": 2}
    assert variant.parameters_for(book.root / CHANGES_PAGE) == {"changed": dict(variant.changed)}
    for folder, taken in (("notebooks", {"cohort_folder"}), ("teach", set())):
        path = book.root / folder / "lesson.ipynb"  # a lesson speaks of the cohort that it has
        values = [cell("code", "cohort_folder = ''", "given", tags=["parameters"])]
        write_notebook(path, [cell("markdown", "# Lesson", "title"), *values])
        assert set(variant.parameters_for(path)) == taken
        path.unlink()


def test_no_path_and_no_markup_of_a_users_folder_reaches_a_page(book: Project) -> None:
    folder = f"/home/someone's/{HOSTILE.replace('/', '')}"
    variant = Variant.of(PARAMETERS, {"cohort_folder": folder})
    described = variant.described(changes_page=True)
    assert b"someone" not in described
    markup = banner(json.loads(described), lambda page: f'"{page}.html')
    shown = BeautifulSoup(markup, "html5lib")
    assert not shown.find("script")
    assert "your own cohort" in shown.text
    assert HOSTILE.replace("/", "") in shown.text
    assert shown.select_one("a")["href"].startswith('"book/changes')
    assert "someone" not in markup
    assert "as in the book itself" not in markup
    assert "as in the book itself" in banner(json.loads(described), str, same=True)

    for written in (f"cohort_folder = {json.dumps(folder)}", f"cohort_folder = {folder!r}"):
        notebook = {"cells": [cell("code", written, "in", tags=["injected-parameters"])]}
        page = variant.as_page(canonical_bytes(notebook))
        assert b"someone" not in page
        assert b"cohort_folder" in page


def test_a_reference_says_of_a_figure_that_is_left_out_that_it_is() -> None:
    given = cell("code", "cohort_folder = '/mine'", "given", tags=["injected-parameters"])
    text = "{numref}`fig-a` shows it ({numref}`fig-a`, {numref}`fig-b`, {numref}`fig-other`)."
    drawn = {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}}
    figures = [cell("code", "draw()", name) for name in ("a", "b")]
    for each, outputs in zip(figures, ([], [drawn]), strict=True):
        each["outputs"] = outputs
        each["metadata"]["mystnb"] = {"figure": {"name": f"fig-{each['id']}"}}
    cells = shown_cells({"cells": [given, cell("markdown", text, "text"), *figures]})
    assert "".join(cells[1]["source"]) == (
        "A figure that is left out here shows it "
        "(a figure that is left out here, {numref}`fig-b`, {numref}`fig-other`)."
    )


def test_pages_are_added_to_every_form_of_contents(book: Project) -> None:
    contents = {page: b'{"cells": []}' for page in [*book.notebooks, CHANGES_PAGE]}
    original = (book.root / "_toc.yml").read_text(encoding="utf-8")
    try:
        for start, expected in (
            (original, "chapters:\n- file: book/changes\n- file: notebooks/numbers\n"),
            ("format: jb-book\nroot: book/start\n", "chapters:\n- file: book/changes\n"),
            (
                "format: jb-book\nroot: book/start\nparts:\n- caption: Here\n"
                "  chapters:\n  - file: notebooks/numbers\n",
                "  - file: notebooks/numbers\n  - file: book/changes\n",
            ),
        ):
            (book.root / "_toc.yml").write_text(start, encoding="utf-8")
            project = Project(book.root, "v")
            files = staged_files(project, contents, {CHANGES_PAGE: "Here"})
            assert expected in files[Path("_toc.yml")].decode()
            assert CHANGES_PAGE in files
    finally:
        (book.root / "_toc.yml").write_text(original, encoding="utf-8")


def test_only_finished_sites_are_listed(book: Project, tmp_path: Path) -> None:
    project = Project(tmp_path)
    site = project.variants / "half" / "html"
    site.mkdir(parents=True)
    (site / "variant.json").write_text('{"name": ', encoding="utf-8")
    assert "/variants/" not in index_page(project)

    # A book with a further page and no other parameters, as of a sweep.
    page = (Task(CHANGES_PAGE), "Further")
    built = build_book(Project(book.root, "more"), added=[page], report=lambda line: None)
    assert built.site == book.variants / "more" / "html"
    assert (built.site / "book" / "changes.html").is_file()
    assert "rederive-variant" not in (built.site / "book" / "start.html").read_text("utf-8")
    assert ">more</a></li>" in index_page(book)
