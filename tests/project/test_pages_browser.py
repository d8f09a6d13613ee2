"""Pages of the real book as readers have them: accessible, light, short, and as one PDF."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import axe_playwright_python
import html5lib
import pytest
from pypdf import PdfReader

from rederive.site.assets import pruned
from repetitions import repeated, spaced

from .conftest import CONTRAST, page_names

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
CHECKER = "26.9.27"
# What axe cannot compute and leaves to a person: here words on hatched or overlapping grounds.
FOUND = """async () => {
  const {violations, incomplete} =
    await axe.run(document, {resultTypes: ["violations", "incomplete"]});
  const grave = violations.filter(({impact}) => ["serious", "critical"].includes(impact))
    .map(({id, nodes}) => `${id}: ${nodes.length}, first ${nodes[0].html.slice(0, 120)}`);
  const review = incomplete.filter(({id}) => id === "color-contrast").flatMap(({nodes}) => nodes)
    .map(({target}) => document.querySelector(target.join(" "))).filter(Boolean)
    .map(each => [each.outerHTML.slice(0, 90), contrastOf(each)])
    .filter(([, contrast]) => contrast < 4.5);
  return [...grave, ...review];
}"""
SHIFTS = """window.shifted = 0; new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
}).observe({type: "layout-shift", buffered: true})"""
WORDS = """(() => { const copy = document.querySelector('article').cloneNode(true);
  copy.querySelectorAll('pre, table').forEach(each => each.remove());
  return copy.textContent.split(/\\s+/).length; })()"""
HEIGHT = "document.documentElement.scrollHeight"


def test_axe_finds_nothing_serious(browser, address, built_book):
    """Some pages, in turn wide and light, narrow and dark; more of them when tried often."""
    views = [("light", 1280), ("dark", 360), ("dark", 1280), ("light", 360)]
    found = []
    for number, name in enumerate(page_names(built_book)[:: spaced(11)]):
        scheme, width = views[number % len(views)]
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        page.goto(address + name)
        page.wait_for_load_state("networkidle")
        page.evaluate(AXE)
        page.evaluate(CONTRAST)
        found += [f"{name}, {scheme}, {width}: {each}" for each in page.evaluate(FOUND)]
        page.close()
    assert found == []


def test_sections_are_light_and_short(browser, address, built_book):
    """At most 15 requests, 1 MB and 200 kB of script; at most 2,500 words to read."""
    for name in page_names(built_book, "notebooks")[:: spaced(2)]:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        sizes: dict[str, int] = {}
        page.on("requestfinished", lambda made, sizes=sizes: sizes.setdefault(made.url, 0))
        page.add_init_script(SHIFTS)
        page.goto(address + name, wait_until="networkidle")
        for url in sizes:
            path = built_book / url.removeprefix(address).partition("?")[0]
            sizes[url] = path.stat().st_size
        assert len(sizes) <= 15, name
        assert sum(sizes.values()) < 1e6, name
        assert sum(size for url, size in sizes.items() if ".js" in url) < 200e3, name
        assert page.evaluate(WORDS) <= 2500, name
        assert page.evaluate("window.shifted") < 0.01, name
        unsized = "[...document.querySelectorAll('article img')].filter(i => !i.width).length"
        assert page.evaluate(unsized) == 0, name
        page.close()


@pytest.mark.parametrize(("width", "most"), [(1280, 9000), (360, 20000)])
def test_the_page_of_table_1_is_not_endless(browser, address, width, most):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address + "notebooks/results_baseline.html")
    assert page.evaluate(HEIGHT) <= most
    page.close()


def test_what_is_folded_opens_for_a_link_and_on_paper(browser, address):
    page = browser.new_page()
    page.goto(address + "notebooks/results_skin.html#results-mrss-ivig-m6-mean")
    page.wait_for_load_state("networkidle")
    assert page.locator("#results-mrss-ivig-m6-mean").is_visible()
    folded = page.locator("article details:not([open]) pre").first
    assert folded.evaluate("each => !each.checkVisibility({contentVisibilityAuto: true})")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("article details:not([open])").count() == 0
    page.close()


def test_the_head_of_the_ledger_stays_in_sight(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address + "book/ledger.html")
    page.evaluate("scrollTo(0, 3000)")
    page.wait_for_function("scrollY > 2000")
    top = page.locator("table.ledger thead th").nth(1).bounding_box()["y"]
    page.close()
    assert 0 <= top < 100


def test_what_scrolls_is_reached_by_keyboard_and_named(browser, address):
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(address + "notebooks/results_skin.html")
    page.wait_for_load_state("networkidle")
    boxes = page.locator("article pre[tabindex='0']")
    assert boxes.count() > 3
    names = [boxes.nth(n).get_attribute("aria-label") for n in range(boxes.count())]
    assert all(names) and len(set(names)) == len(names)
    page.close()


@pytest.mark.parametrize(
    ("sought", "first", "said"),
    [
        ("0.005", "ledger.html#abstract-mrss-change-d-pen-m12-p", "0.005 (abstract, Results)"),
        ("24.1", "ledger.html#abstract-mrss-ivig-m6-mean", "24.1 (abstract, Results)"),
        ("Table 1", "results_baseline.html", "Table 1 of the article describes"),
        ("prednisone", "results_predictors.html", "concomitant prednisone at 12 months"),
    ],
)
def test_search_has_the_best_hit_first_with_words_to_read(browser, address, sought, first, said):
    page = browser.new_page()
    page.goto(f"{address}search.html?q={sought}")
    hit = page.locator("ul.search > li:visible").first
    hit.locator(".context").wait_for()
    assert first in (hit.locator("a").first.get_attribute("href") or "")
    assert said in hit.locator(".context").inner_text()
    page.close()


def test_a_printed_page_has_every_column_and_no_page_is_half_empty(browser, address, tmp_path):
    """Few pages, the last apart, have less than a third of the words of the usual one."""
    page = browser.new_page()
    page.goto(address + "notebooks/results_controls.html")
    page.wait_for_load_state("networkidle")
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    page.close()
    texts = [each.extract_text() for each in PdfReader(tmp_path / "page.pdf").pages]
    for word in ("Why:", "Decision at α", "Interval", "import numpy as np"):
        assert word in "".join(texts), word
    lines = sorted(len(text.split("\n")) for text in texts[:-1])
    assert sum(each < lines[len(lines) // 2] / 3 for each in lines) <= 1


def test_a_page_says_what_it_is_and_how_to_run_it(built_book):
    text = (built_book / "notebooks" / "results_skin.html").read_text(encoding="utf-8")
    described = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', text))
    assert (
        described["citation_title"]
        == described["og:title"]
        == ("Results: the skin score over time")
    )
    assert "skin score" in described["description"]
    assert "10.3899/jrheum.140833" in described["citation_reference"]
    assert (built_book / "_static" / "preview.png").is_file()
    plain = re.sub(r"<[^>]+>", "", text)
    assert "rederive run results_skin" in plain and "-p responder_threshold=5" in plain


def test_every_page_is_html(built_book):
    """html5lib finds no markup that a browser would have to guess at."""
    tolerated = {"unexpected-end-tag-implies-table-voodoo"}
    for name in page_names(built_book)[:: max(1, 8 // repeated(1))]:
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        parser.parse((built_book / name).read_text(encoding="utf-8"))
        assert [each for each in parser.errors if each[1] not in tolerated][:3] == [], name


@pytest.fixture(scope="module")
def checker(project) -> Path:
    """The Nu Html Checker, fetched once by npm."""
    if not (shutil.which("java") and shutil.which("npm")):
        pytest.skip("the checker of HTML needs Java, and npm to fetch it")
    folder = project.output / "checker"
    if not (jar := folder / "package" / "build" / "dist" / "vnu.jar").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        fetch = ["npm", "pack", "--silent", f"vnu-jar@{CHECKER}"]
        fetched = subprocess.run(fetch, cwd=folder, capture_output=True, text=True, check=False)
        if fetched.returncode:
            pytest.skip(f"npm has no vnu-jar: {fetched.stderr[-200:]}")
        with tarfile.open(folder / fetched.stdout.strip()) as archive:
            archive.extractall(folder, filter="data")
    return jar


def test_every_page_is_valid(checker, built_book):
    pages = [str(built_book / name) for name in page_names(built_book)]
    command = ["java", "-jar", str(checker), "--errors-only", *pages]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[:3000]


def test_rules_that_no_page_uses_are_left_out():
    css = (
        "/* a */ @font-face{font-family:x} .kept,.gone{a:b} .kept .gone{c:d}"
        "p:not(.gone),a[href='.gone']{e:f}@media print{.gone{g:h}.kept{i:'}'}}@media x{.gone{j:k}}"
    )
    assert pruned(css, {"kept"}).split("\n")[:-1] == [
        "@font-face{font-family:x}",
        ".kept{a:b}",
        "p:not(.gone),a[href='.gone']{e:f}",
        "@media print{.kept{i:'}'}",
        "}",
    ]
