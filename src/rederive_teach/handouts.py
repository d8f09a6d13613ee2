"""What is shown or printed: slides of a chapter, a student's sheet, the instructor's guide.

Each is one file that needs no network; the same input gives the same bytes.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from docutils.utils.math import latex2mathml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbclient import NotebookClient

from rederive.errors import BookError
from rederive_teach.lesson import Cohort, Exercise, table
from rederive_teach.quiz import SENTENCE
from rederive_teach.quiz_formats import printed_page
from rederive_teach.split import Notebook, source_of, tags_of, without

_REVEAL = Path(__file__).with_name("reveal")
_LOOK = """
.reveal{font:22px/1.35 sans-serif;color:#111}body{background:#fff}.reveal table{margin:auto}
.reveal section{text-align:left;max-height:96%;overflow-y:auto;padding:0 1em}
.reveal pre{background:#f4f4f4;padding:.4em;font-size:15px;white-space:pre-wrap}
.reveal img{max-height:55vh;display:block;margin:auto}.reveal a{color:#004a8f}
.reveal td,.reveal th{padding:.1em .6em;border-bottom:1px solid #ccc}
.mark{border:1px solid #111;padding:0 .4em;font-size:15px}
"""
_START = 'Reveal.initialize({hash:true,showNotes:location.search.includes("notes")});'


def _math(tex: str, options: Mapping[str, bool]) -> str:
    """Return TeX as MathML, which browsers show without a script or font."""
    made: str = latex2mathml.tex2mathml(tex, as_block=options["display_mode"])
    return made


def rendered(text: str) -> str:
    """Return Markdown as HTML; markup in the text is shown, not obeyed."""
    plain = re.sub(r"^:::\{[\w-]+\} ?(.*)\n(?::\w+:.*\n)*", r"**\1**\n\n", text, flags=re.M)
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    made: str = reader.use(dollarmath_plugin, renderer=_math).render(
        re.sub(r"^:::$", "", plain, flags=re.M)
    )
    return made


def executed(notebook: Notebook, folder: Path) -> Notebook:
    """Run a chapter in its folder, without what is too long to show; outputs are in its cells."""
    shown = json.dumps(without(notebook, "book-only", "solution"))
    kept = nbformat.reads(shown, as_version=4)
    NotebookClient(kept, resources={"metadata": {"path": str(folder)}}).execute()
    made: Notebook = kept
    return made


def slides(notebook: Notebook) -> str:
    """Return an executed chapter as one file of slides, with the teacher's notes in it.

    A heading, a task, or text after an output begins a slide. The address with ``?notes`` shows
    the notes.
    """
    decks: list[list[str]] = []
    full = False
    for cell in notebook["cells"]:
        text, tags = source_of(cell), tags_of(cell)
        if cell["cell_type"] == "markdown" and "teacher" in tags:
            decks[-1].append(f'<aside class="notes">{rendered(text)}</aside>')
        elif cell["cell_type"] == "markdown":
            for part in re.split(r"^(?=#{1,3} )", text, flags=re.M):
                if not decks or full or part.startswith("#"):
                    decks.append([])
                    full = False
                decks[-1].append(rendered(part))
        elif not {"answer", "parameters", "hide-input"} & set(tags):
            decks[-1] += _shown(cell)
            full = full or bool(cell["outputs"])
    sections = "\n".join(f"<section>{''.join(each)}</section>" for each in decks if any(each))
    title = source_of(notebook["cells"][0]).splitlines()[0].lstrip("# ")
    style, script = (
        (_REVEAL / name).read_text(encoding="utf-8") for name in ("reveal.css", "reveal.js")
    )
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<style>{style}{_LOOK}</style></head><body><div class='reveal'><div class='slides'>\n"
        f"{sections}\n</div></div><script>{script}</script><script>{_START}</script></body></html>\n"
    )


def _shown(cell: Mapping[str, Any]) -> Iterator[str]:
    yield f"<pre><code>{escape(source_of(cell))}</code></pre>"
    for output in cell["outputs"]:
        data = output.get("data", {})
        image = {"image/svg+xml", "image/png"} & set(data)
        if image:
            kind = image.pop()
            content = data[kind] if kind == "image/png" else _base64(data[kind])
            alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "Figure")
            yield f'<img alt="{escape(alt)}" src="data:{kind};base64,{content.strip()}">'
        elif "text/html" in data:
            yield re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.S)
        elif "text/markdown" in data:
            yield rendered(data["text/markdown"])
        elif "text/plain" in data:
            yield f"<pre>{escape(data['text/plain'])}</pre>"
    yield "".join(
        f'<p><span class="mark">{tag}</span> {words}</p>'
        for tag, words in _MARKS.items()
        if tag in tags_of(cell)
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_MARKS = {
    "printed": "from the article",
    "forced": "the same in all data that print the article",
    "choice": "hangs on a prior or a convention",
    "added": "simulated for the lesson",
}


def tasks_of(notebook: Notebook) -> list[str]:
    """Return the tasks of a chapter, in Markdown."""
    return [source_of(cell) for cell in notebook["cells"] if "exercise" in tags_of(cell)]


def sheet(student: str, cohort: Cohort, notebooks: Sequence[Notebook]) -> str:
    """Return a sheet to print: a student's own scores, the tasks, and room for answers."""
    scores = table(cohort.visits)
    head = "".join(f"<th>{escape(name)}</th>" for name in ("patient", *scores.columns))
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th>"
        + "".join(f"<td>{'' if value != value else f'{value:g}'}</td>" for value in row)
        + "</tr>"
        for name, row in zip(scores.index, scores.to_numpy(), strict=True)
    )
    tasks = "".join(
        f"{rendered(task)}<p>…………………………</p>" for each in notebooks for task in tasks_of(each)
    )
    legend = (
        "m0: last score of the three months before; m6 …: nearest within two months; empty: none. "
        f"Mark: choice ({_MARKS['choice']}); only what the article prints of them is fixed."
    )
    return printed_page(
        f"Sheet of {student}",
        f"<p>{escape(SENTENCE)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
        f"</table><p>{escape(legend)}</p><div class='new'>{tasks}</div>",
    )


def guide(opening: str, chapters: Sequence[tuple[Notebook, Sequence[Exercise]]], title: str) -> str:
    """Return the instructor's guide: an opening, then expected answers and errors by chapter."""
    made = [rendered(opening)]
    for notebook, exercises in chapters:
        made.append(f"<div class='new'>{rendered(source_of(notebook['cells'][0]))}</div>")
        for cell in notebook["cells"]:
            if {"exercise", "teacher"} & set(tags_of(cell)):
                made.append(rendered(source_of(cell)))
        errors = "".join(
            f"<li>{escape(each.id)}: {escape(question)}</li>"
            for each in exercises
            for question in each.roads
        )
        made.append(f"<h2>Common errors, by the question back</h2><ul>{errors}</ul>")
    return printed_page(title, "".join(made))


def printed_sheet(text: str) -> str:
    """Return a Markdown text to print; a rule begins a page, the first heading is the title."""
    heading, _, rest = text.partition("\n")
    body = "".join(
        f"<div class='{'new' if at else 'first'}'>{rendered(part)}</div>"
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
