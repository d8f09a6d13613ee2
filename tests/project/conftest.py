"""A tiny book, far from the real one, on which builds can be tried and broken."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, sync_playwright

from rederive.execution.project import Project
from rederive.site.build import build_book
from rederive.site.serve import site_server

CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const over = (top, ground, share) =>
    ground.map((each, place) => each + (top[place] - each) * share);
  const light = (colour) => colour.map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      layers.unshift(rgba(getComputedStyle(e).backgroundColor));
      if (layers[0][3] === 255) break;
    }
    return layers.reduce((below, top) => over(top, below, top[3] / 255), [255, 255, 255]);
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  // Least contrast of words to their ground, all colours of a pattern included.
  window.contrastOf = (element) => {
    const [style, below] = [getComputedStyle(element), ground(element)];
    const colours = style.backgroundImage.match(/(rgba?|color)\\([^)]*\\)/g) ?? [];
    const grounds = [below, ...colours.map(rgba).map(top => over(top, below, top[3] / 255))];
    let seen = 1;
    for (let e = element; e; e = e.parentElement) seen *= getComputedStyle(e).opacity;
    const ink = rgba(style.color);
    return Math.min(...grounds.map(each =>
      ratio(light(over(ink, each, seen * ink[3] / 255)), light(each))));
  };
})()"""
"""Script that gives pages a function for the contrast of an element's words (WCAG 2.2)."""

HELPER = "def figure() -> int:\n    return 41\n"


def cell(kind: str, source: str, name: str, **metadata: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": metadata, "source": source}
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    return made


def write_notebook(path: Path, cells: Sequence[dict[str, Any]]) -> None:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": list(cells),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_tiny_book(folder: Path) -> Project:
    folder.mkdir(exist_ok=True)
    settings = {
        "title": "A tiny book",
        "author": "Somebody",
        "logo": "",
        "only_build_toc_files": True,
        "exclude_patterns": [".*", "_build"],
        "repository": {"url": "", "branch": "main", "path_to_book": ""},
        "launch_buttons": {"binderhub_url": "https://mybinder.org"},
        "execute": {"execute_notebooks": "cache", "stderr_output": "remove-warn"},
        "parse": {"myst_enable_extensions": ["dollarmath"]},
        "sphinx": {
            "extra_extensions": ["rederive.site.sphinx_extension"],
            "config": {"html_math_renderer": "mathml", "nb_execution_raise_on_error": True},
        },
    }
    (folder / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    toc = "format: jb-book\nroot: book/start\nchapters:\n  - file: notebooks/numbers\n"
    (folder / "_toc.yml").write_text(toc, encoding="utf-8")
    (folder / "book").mkdir()
    start = (
        "# Start\n\nSee [the numbers](../notebooks/numbers.ipynb), with $\\frac{a}{b}$ and\n\n"
        "$$x_1 \\le 2$$\n\nThe data are {download}`here <../data/table.csv>`.\n"
    )
    (folder / "book" / "start.md").write_text(start, encoding="utf-8")
    (folder / "src").mkdir()
    (folder / "src" / "tiny_helper.py").write_text(HELPER, encoding="utf-8")
    (folder / "data").mkdir()
    (folder / "data" / "table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    write_notebook(
        folder / "notebooks" / "numbers.ipynb",
        [
            cell("markdown", "# Numbers\n", "title"),
            cell("code", "factor = 1  # factor: what to multiply by", "given", tags=["parameters"]),
            cell(
                "code",
                "from tiny_helper import figure\n\nprint('the figure is', factor * figure())",
                "work",
            ),
        ],
    )
    return Project(folder)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the book of every test: runs in the same book share what is imported."""
    return tmp_path_factory.mktemp("book") / "here"


@pytest.fixture
def tiny(place: Path) -> Project:
    shutil.rmtree(place, ignore_errors=True)
    return write_tiny_book(place)


@pytest.fixture(scope="session")
def silent() -> Callable[[str], None]:
    return lambda line: None


@pytest.fixture(scope="session")
def kept(
    place: Path, tmp_path_factory: pytest.TempPathFactory, silent: Callable[[str], None]
) -> Path:
    """The tiny book with its site, built once."""
    shutil.rmtree(place, ignore_errors=True)
    first = build_book(write_tiny_book(place), report=silent)
    assert (first.executions, first.site_built) == (1, True)
    return place.rename(tmp_path_factory.mktemp("kept") / "here")


@pytest.fixture
def built(place: Path, kept: Path) -> Project:
    """The tiny book with its site, where it was built."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(kept, place)
    return Project(place)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(built_book: Path) -> Iterator[str]:
    """Where the real book's site is served."""
    with site_server(built_book, 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def page_names(site: Path, folder: str = "") -> list[str]:
    """Return the addresses of a site's pages, or of those below a folder."""
    return [
        path.relative_to(site).as_posix()
        for path in sorted((site / folder).rglob("*.html"))
        if "_static" not in path.parts
    ]
