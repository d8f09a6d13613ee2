"""The real book's site: every link leads somewhere, and nothing comes from elsewhere."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

from ivig_dcssc.parameters import PARAMETERS
from rederive.execution.project import Project
from rederive.site.build import build_book
from rederive.site.variant import Variant

LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "embed": "src",
    "object": "data",
    "audio": "src",
    "video": "src",
}
LOADING_RELATIONS = {"stylesheet", "preload", "prefetch", "modulepreload", "icon", "preconnect"}


@cache
def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(path: Path) -> frozenset[str]:
    page = parsed(path)
    named = {str(tag["name"]) for tag in page.find_all("a") if tag.get("name")}
    return frozenset(named | {str(tag["id"]) for tag in page.find_all(id=True)})


def pages(site: Path) -> list[Path]:
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


def loaded(page: BeautifulSoup) -> list[str]:
    found = [
        str(tag[attribute])
        for name, attribute in LOADING.items()
        for tag in page.find_all(name)
        if tag.get(attribute)
    ]
    for link in page.find_all("link"):
        if LOADING_RELATIONS & set(link.get("rel") or []) and link.get("href"):
            found.append(str(link["href"]))
    return found


def is_foreign(address: str) -> bool:
    return urlsplit(address).scheme in {"http", "https", "ws", "wss"} or address.startswith("//")


def broken_links(site: Path) -> list[str]:
    """List the links and assets of a site that lead nowhere."""
    broken = []
    for path in pages(site):
        page = parsed(path)
        links = [str(tag["href"]) for tag in page.find_all("a") if tag.get("href")]
        links += [str(tag["href"]) for tag in page.find_all("link") if tag.get("href")]
        for address in links + loaded(page):
            parts = urlsplit(address)
            if parts.scheme or address.startswith("//"):
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            if target.is_dir():
                target = target / "index.html"
            if not target.is_file():
                broken.append(f"{path.relative_to(site)}: {address}: no such file")
            elif (
                target.suffix == ".html"
                and parts.fragment
                and unquote(parts.fragment) not in anchors(target)
            ):
                broken.append(f"{path.relative_to(site)}: {address}: no such anchor")
    return broken


def foreign_loads(site: Path) -> list[str]:
    """List what a site's pages and stylesheets would load from another origin."""
    found = [
        f"{path.relative_to(site)}: {address}"
        for path in pages(site)
        for address in loaded(parsed(path))
        if is_foreign(address)
    ]
    for path in sorted(site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text)
        for address in (first or second for first, second in named):
            if is_foreign(address):
                found.append(f"{path.relative_to(site)}: {address}")
    return found


def test_links_anchors_and_assets_resolve(built_book):
    assert len(pages(built_book)) >= 5
    assert broken_links(built_book) == []


def test_files_named_in_stylesheets_exist(built_book):
    missing = []
    for path in sorted(built_book.rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for address in re.findall(r"url\(\s*['\"]?([^'\")]+)", text):
            if urlsplit(address).scheme or address.startswith("#"):
                continue
            if not (path.parent / urlsplit(address).path).is_file():
                missing.append(f"{path.relative_to(built_book)}: {address}")
    assert missing == []


def test_nothing_is_loaded_from_another_origin(built_book):
    assert foreign_loads(built_book) == []


def test_the_checks_find_what_they_look_for(tmp_path):
    (tmp_path / "a.html").write_text(
        '<!DOCTYPE html><html><head><link rel="stylesheet" href="https://elsewhere.example/x.css">'
        '</head><body><a href="b.html">b</a><a href="#here">h</a><a id="there" href="#there">t</a>'
        '<img src="//elsewhere.example/y.png"></body></html>',
        encoding="utf-8",
    )
    (tmp_path / "s.css").write_text("@import 'https://elsewhere.example/z.css';", encoding="utf-8")
    assert broken_links(tmp_path) == [
        "a.html: b.html: no such file",
        "a.html: #here: no such anchor",
    ]
    assert foreign_loads(tmp_path) == [
        "a.html: //elsewhere.example/y.png",
        "a.html: https://elsewhere.example/x.css",
        "s.css: https://elsewhere.example/z.css",
    ]


def test_every_image_has_an_alternative_text(built_book):
    without = [
        f"{path.relative_to(built_book)}: {image.get('src', '')[:60]}"
        for path in pages(built_book)
        for image in parsed(path).select("main img, article img")
        if not (image.get("alt") or "").strip()
        or re.fullmatch(r"(\.\./)*_images/\S+|[0-9a-f]{16,}\S*", image["alt"].strip())
    ]
    assert without == []


def test_every_page_has_language_title_and_one_main_heading(built_book):
    for path in pages(built_book):
        page = parsed(path)
        assert page.html["lang"] == "en", path.name
        assert page.title.get_text(strip=True), path.name
        if path.parent != built_book:
            assert len(page.select("article h1")) == 1, path.name


def test_the_stylesheet_of_tables_is_on_every_page(built_book):
    for path in pages(built_book):
        if path != built_book / "index.html":
            (sheet,) = parsed(path).select('link[rel="stylesheet"]')
            text = (path.parent / str(sheet["href"])).read_text(encoding="utf-8")
            assert "table.rederive" in text, path.name


def test_no_page_holds_a_path_of_the_machine_or_a_memory_address(built_book, root):
    marks = [f"{root.parent}/", f"{Path.home()}/"]
    found = []
    for path in [*pages(built_book), *sorted(built_book.rglob("*.ipynb"))]:
        text = path.read_text(encoding="utf-8")
        found += [f"{path.relative_to(built_book)}: {mark}" for mark in marks if mark in text]
        found += [
            f"{path.relative_to(built_book)}: {address}"
            for address in re.findall(r"&lt;[^&\n]* at 0x[0-9a-f]{6,}", text)
        ]
    assert found == []


def test_every_page_of_the_contents_is_built(built_book, project):
    for page in project.pages:
        assert (built_book / page.with_suffix(".html")).is_file(), page


def test_the_ledger_page_offers_its_data(built_book):
    page = parsed(built_book / "book" / "ledger.html")
    links = {
        str(tag["download"]) or Path(urlsplit(str(tag["href"])).path).name
        for tag in page.find_all("a", download=True)
    }
    registry = {"numbers.csv", "claims.csv", "variables.csv", "plan.csv", "schema.json"}
    cohort = {"patients.csv", "visits.csv", "codebook.csv"}
    assert links >= {"ledger.csv"} | registry | cohort


def test_no_page_shows_a_number_as_its_type(built_book: Path) -> None:
    for path in pages(built_book):
        shown = "".join(each.get_text() for each in parsed(path).select("div.output"))
        assert not re.search(r"\bnp\.\w+\(|object at 0x", shown), path.name


def test_no_line_of_a_figure_is_white_on_white(built_book: Path) -> None:
    """A theme may draw arrows in the colour of the ground."""
    figures = [path.read_text(encoding="utf-8") for path in built_book.rglob("_images/*.svg")]
    assert len(figures) > 50
    assert not [text for text in figures if "fill: none; stroke: #ffffff" in text]


def test_the_book_builds_on_a_cohort_of_ones_own(built_book, project: Project):
    cohort = project.root / "data" / "cohorts" / "synthetic-teaching"
    variant = Variant.of(PARAMETERS, {"cohort_folder": str(cohort)}, "of-a-test")
    try:
        site = build_book(project, variant=variant, jobs=2).site
        assert broken_links(site) == []
        for path in pages(site):
            assert str(project.root) not in path.read_text(encoding="utf-8"), path.name
        for path in (*pages(site / "book"), *pages(site / "notebooks")):
            text = path.read_text(encoding="utf-8")
            assert "rederive-variant" in text and "made to print it" not in text, path.name
        for path in pages(site / "notebooks"):
            assert "rederive-banner" in path.read_text(encoding="utf-8"), path.name
    finally:
        shutil.rmtree(replace(project, variant=variant.name).output, ignore_errors=True)
