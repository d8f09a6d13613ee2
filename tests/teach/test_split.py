"""Students' versions hold nothing of a solution; the site shows them on a page of their own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner

from rederive.cli.main import main
from rederive.execution.project import Project
from rederive.execution.run import Task, execute_tasks
from rederive.printed.errors import ConfigurationError
from rederive.site import pages, staging
from rederive.site.pages import build_site
from rederive_teach.lesson import MARKS
from rederive_teach.split import (
    on_slides,
    source_of,
    staged,
    student_version,
    students_source,
    tags_of,
    teacher_version,
)
from teach.conftest import CHAPTERS, ROOT, UNMARKED, notebook_of

SOLUTIONS = Path("book/teach/solutions.ipynb")
HIDDEN, SHOWN = "quokka", "wombat"
"""Words of no page, planted in what a class is not to see and in what it is."""


def secrets_of(chapter: Path) -> list[str]:
    """Return the lines that only a solution or a teacher's note has."""
    cells = notebook_of(chapter)["cells"]
    hidden = [c for c in cells if {"solution", "teacher"} & set(tags_of(c))]
    open_text = "\n".join(source_of(c) for c in cells if c not in hidden)
    lines = [line.strip() for cell in hidden for line in source_of(cell).splitlines()]
    return [line for line in lines if len(line) > 8 and line not in open_text]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_student_version(chapter: Path) -> None:
    notebook = notebook_of(chapter)
    student = json.dumps(student_version(notebook), ensure_ascii=False)
    written = [json.dumps(line, ensure_ascii=False)[1:-1] for line in secrets_of(chapter)]
    assert written
    assert not [line for line in written if line in student]
    assert "rederive" not in student and "ivig_dcssc" not in student
    assert "from lesson import" in student
    teacher = json.dumps(teacher_version(notebook), ensure_ascii=False)
    assert all(line in teacher for line in written)
    for cell in teacher_version(notebook)["cells"]:
        kind = cell["metadata"]["slideshow"]["slide_type"]
        assert (kind == "notes") == ("teacher" in tags_of(cell))
        assert kind == "skip" or not {"answer", "solution"} & set(tags_of(cell))
    exercises = chapter.with_suffix(".py").read_text(encoding="utf-8")
    assert "rederive" not in students_source(exercises)


def test_site_has_solutions_on_their_own_page_and_teachers_notes_nowhere() -> None:
    pages = {path.relative_to(ROOT): path.read_bytes() for path in CHAPTERS}
    pages[SOLUTIONS] = (ROOT / SOLUTIONS).read_bytes()
    made = staged(pages)
    solved = made.pop(SOLUTIONS).decode()
    cells = json.loads(solved)["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for chapter in CHAPTERS:
        page = made[chapter.relative_to(ROOT)].decode()
        assert '"solution"' not in page and '"teacher"' not in page
        written = [json.dumps(line, ensure_ascii=False)[1:-1] for line in secrets_of(chapter)]
        assert not [line for line in written if line in page]
    assert '"solution"' in solved and '"teacher"' not in solved


def planted(content: bytes) -> bytes:
    """Return an executed chapter with a word in all that is hidden, and another in its text."""
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        hidden = bool({"solution", "teacher"} & set(tags_of(cell)))
        if hidden or (cell["cell_type"] == "markdown" and not tags_of(cell)):
            comment = "# " if cell["cell_type"] == "code" else "\n"
            word = HIDDEN if hidden else SHOWN
            cell["source"] = f"{source_of(cell)}\n{comment}{word}\n"
        if hidden and cell["cell_type"] == "code":
            cell["outputs"] += [{"output_type": "stream", "name": "stdout", "text": HIDDEN}]
    return json.dumps(notebook).encode()


def test_a_class_site_has_no_solution_anywhere(
    built_book: Path, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built as the page for teachers says, without the page of solutions in its contents."""
    monkeypatch.setattr(pages, "STRICT_FLAGS", ())  # links to the book's other parts lead nowhere
    chapters = [path.relative_to(ROOT) for path in CHAPTERS]
    done = execute_tasks(project, [Task(chapter) for chapter in chapters], report=list)
    files = dict(zip(chapters, map(planted, done.contents), strict=True))
    for name in ("book/_static", "book/_templates", "book/teach"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("_config.yml", "book/references.bib"):
        shutil.copy(ROOT / name, tmp_path / name)
    listed = [{"file": chapter.with_suffix("").as_posix()} for chapter in chapters]
    contents = {"format": "jb-book", "root": "book/teach/index", "chapters": listed}
    (tmp_path / "_toc.yml").write_text(json.dumps(contents))
    site = Project(tmp_path)
    build_site(site, staging.staged_files(site, files))
    texts = {path: path.read_bytes() for path in site.site.rglob("*") if path.is_file()}
    searched = {path.suffix for path, text in texts.items() if SHOWN.encode() in text}
    assert {".html", ".ipynb", ".js"} <= searched
    assert not [path for path, text in texts.items() if HIDDEN.encode() in text]


def test_code_and_long_conclusions_begin_slides_and_short_ones_do_not() -> None:
    def cell(kind: str, source: str, *tags: str) -> dict[str, object]:
        return {"cell_type": kind, "source": source, "metadata": {"tags": [*tags]}}

    cells = {
        "slide": cell("markdown", "# A"),
        "-": cell("code", "a", "printed"),
        "subslide": cell("code", "b", "hide-input", "choice"),
        "fragment": cell("markdown", "So."),
        "slide ": cell("markdown", "## B"),
        "- ": cell("code", "c"),
        "skip": cell("code", "d", "answer"),
        "subslide ": cell("markdown", "Thus " * 99),
        "slide  ": cell("markdown", "## C", "exercise"),
        "skip ": cell("code", "import e", "hide-input"),
        "notes": cell("markdown", "Expected.", "teacher"),
    }
    made = on_slides({"cells": [*cells.values()]})["cells"]
    kinds = [each["metadata"]["slideshow"]["slide_type"] for each in made]
    assert kinds == [kind.strip() for kind in cells]


def test_slides_are_made_from_the_books_own_run(built_book: Path, tmp_path: Path) -> None:
    words = ["--root", str(ROOT), "teach", "slides", "3", "--out", str(tmp_path)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0 and "taken from the cache" in done.output
    deck = (tmp_path / "c03_regression.slides.html").read_text(encoding="utf-8")
    shown = BeautifulSoup(deck, "html5lib").select_one(".slides")
    assert len(shown.select("img[alt]")) == len(shown.select("img")) == 1
    assert "2.86" in shown.get_text() and "expected_fall" in shown.get_text()


def test_each_exercise_is_a_box_and_its_solution_links_to_it() -> None:
    pages = {path.relative_to(ROOT): path.read_bytes() for path in CHAPTERS}
    pages[SOLUTIONS] = (ROOT / SOLUTIONS).read_bytes()
    made = {page: json.loads(content)["cells"] for page, content in staged(pages).items()}
    solved = [source_of(cell) for cell in made.pop(SOLUTIONS)]
    labels = [
        label for cells in made.values() for cell in cells if (label := _label(source_of(cell)))
    ]
    assert len(labels) == len(set(labels)) >= 4 * len(CHAPTERS)
    opened = [text.split()[1] for text in solved if text.startswith("```{solution-start}")]
    assert len(opened) == len(set(opened)) == sum("{solution-end}" in text for text in solved)
    assert set(opened) < set(labels)


def _label(source: str) -> str:
    found = re.match(r"::::\{exercise\} [\d.]+.*\n:label: ([\w-]+)\n:nonumber:\n", source)
    return found[1] if found else ""


def test_built_site_has_boxes_a_mark_on_every_output_and_no_exercise_file(built_book: Path) -> None:
    pages = sorted((built_book / "book" / "teach").glob("*.html"))
    assert len(pages) >= len(CHAPTERS) + 2
    unmarked = {f"tag_{tag.replace('-', '_')}" for tag in (*UNMARKED, "remove-input")}
    shown = boxes = 0
    for page in pages:
        read = BeautifulSoup(page.read_text(encoding="utf-8"), "html5lib")
        boxes += len(read.select("div.exercise"))
        ids = [element["id"] for element in read.select("[id]")]
        assert len(ids) == len(set(ids)), page
        for cell in read.select("div.cell:has(> .cell_output)"):
            classes = {name.replace("-", "_") for name in cell["class"]}
            shown += 1
            if not classes & unmarked:
                assert len(classes & {f"tag_{mark}" for mark in MARKS}) == 1, (page, cell)
    assert shown > 300 and boxes >= 4 * len(CHAPTERS)
    assert not [path for path in built_book.rglob("c[0-9]*.py")]


def test_built_site_has_no_solution_but_on_its_page(built_book: Path) -> None:
    """Pages, their sources and whatever else is served as text; table rules are no secret."""
    hidden = {line for path in CHAPTERS for line in secrets_of(path) if len(line) > 24}
    cells = [cell for path in CHAPTERS for cell in notebook_of(path)["cells"]]
    shown = [c for c in cells if not {"solution", "teacher"} & set(tags_of(c))]
    hidden -= {line.strip() for cell in shown for line in source_of(cell).splitlines()}
    assert hidden
    served = {".html", ".ipynb", ".txt", ".md", ".js", ".json", ".csv", ".yaml", ".py"}
    files = [path for path in sorted(built_book.rglob("*")) if path.suffix in served]
    assert built_book / "searchindex.js" in files
    for path in files:
        if path.stem.partition(".")[0] != SOLUTIONS.stem:
            text = path.read_text(encoding="utf-8")
            assert not [line for line in hidden if line in text], path


def test_no_site_is_staged_with_solutions_in_its_chapters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "entry_points", lambda group: ())
    project = Project(ROOT)
    executed = {page: (ROOT / page).read_bytes() for page in project.notebooks}
    with pytest.raises(ConfigurationError, match="make setup"):
        staging.staged_files(project, executed)
