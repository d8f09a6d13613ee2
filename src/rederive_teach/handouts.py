"""What is shown or printed: slides of a chapter, a student's sheet, the instructor's guide.

Each is one file that needs no network; the same input gives the same bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from rederive.execution.notebooks import canonical_bytes, read_notebook, source_of, tags_of
from rederive.printed.errors import BookError
from rederive.site.page import outputs, prose
from rederive_teach.lesson import Cohort, exercises_of, table
from rederive_teach.quiz import SENTENCE
from rederive_teach.quiz_formats import printed_page
from rederive_teach.split import Notebook, on_slides, without

GUIDE = "guide.md"
"""Page beside the chapters with which the instructor's guide begins."""

_DECK = Path(__file__).with_name("reveal") / "deck.html.j2"
_MARKS = {
    "printed": "from the article",
    "forced": "the same in all data that print the article",
    "choice": "hangs on a prior or a convention",
    "added": "simulated for the lesson",
}


def slides(notebook: Notebook) -> str:
    """Return an executed chapter as one file of slides by reveal.js, with the teacher's notes."""
    import nbformat
    from nbconvert import SlidesExporter

    shown = {"markdown2html": prose, "outputs": outputs}
    exporter = SlidesExporter(template_file=str(_DECK), filters=shown)
    made = canonical_bytes(on_slides(without(notebook, "book-only", "solution")))
    chapter = nbformat.reads(made.decode(), as_version=4)
    page, _ = exporter.from_notebook_node(chapter, {"marks": _MARKS})
    return str(page)


def tasks(notebooks: Iterable[Notebook]) -> str:
    """Return the tasks of chapters to print, with room for answers."""
    cells = [cell for each in notebooks for cell in each["cells"] if "exercise" in tags_of(cell)]
    return "".join(f"{prose(source_of(cell))}<p>…………………………</p>" for cell in cells)


def sheet(student: str, cohort: Cohort, asked: str) -> str:
    """Return a sheet to print: a student's own scores, and `tasks`."""
    scores = table(cohort.visits).reset_index()
    shown = scores.to_html(index=False, na_rep="", border=0, float_format="{:g}".format)
    legend = (
        "m0: last score of the three months before; m6 …: nearest within two months; empty: none. "
        f"Mark: choice ({_MARKS['choice']}); only what the article prints of them is fixed."
    )
    body = f"<p>{escape(SENTENCE)}</p>{shown}<p>{escape(legend)}</p><div class='new'>{asked}</div>"
    return printed_page(f"Sheet of {student}", body)


def guide(chapters: Sequence[Path]) -> str:
    """Return the instructor's guide to chapters: what opens it, expected answers, and errors."""
    opening = (chapters[0].parent / GUIDE).read_text(encoding="utf-8")
    made = [prose(opening.partition("\n")[2])]
    for chapter in chapters:
        cells = read_notebook(chapter)["cells"]
        made.append(f"<div class='new'>{prose(source_of(cells[0]))}</div>")
        made += [prose(source_of(c)) for c in cells if {"exercise", "teacher"} & set(tags_of(c))]
        asked: dict[str, list[str]] = {}
        for each in exercises_of(chapter.with_suffix(".py")):
            for question in each.roads:
                asked.setdefault(question, []).append(each.id)
        errors = (
            f"<li>{', '.join(ids)}: {escape(question)}</li>" for question, ids in asked.items()
        )
        made.append(f"<h2>Common errors, by the question back</h2><ul>{''.join(errors)}</ul>")
    return printed_page("Instructor's guide", "".join(made))


def printed_sheet(text: str) -> str:
    """Return a Markdown text to print; a rule begins a page, the first heading is the title."""
    heading, _, rest = text.partition("\n")
    body = "".join(
        f"<div class='{'new' if at else 'first'}'>{prose(part)}</div>"
        for at, part in enumerate(re.split(r"^---$", rest, flags=re.M))
    )
    return printed_page(heading.lstrip("# "), body)


def print_to_pdf(page: Path) -> Path:
    """Print a page to a PDF beside it by a Chromium without a window.

    Raises
    ------
    BookError
        If no Chromium is installed, or it wrote nothing.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        raise BookError(f"PDF: found none of {', '.join(names)}; print {page.name} from a browser")
    made = page.with_suffix(".pdf")
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [browser, "--headless", "--disable-gpu", "--no-pdf-header-footer", *root]
    with TemporaryDirectory() as profile:
        command += [f"--user-data-dir={profile}", f"--print-to-pdf={made}"]
        subprocess.run(
            [*command, page.resolve().as_uri()], check=False, capture_output=True, timeout=120
        )
    if not made.is_file():
        raise BookError(f"PDF: {browser} wrote nothing for {page.name}")
    return made
