"""Paint, layout shift and weight of the pages beside stock Jupyter Books built on the spot.

Run by hand from the root of the project, after ``make book``: ``python benchmarks/pages.py``. Stock
books are what Jupyter Book's own settings make of its template, and of the same sections with
the same outputs. All are served by one server and opened by one browser, each page with nothing
kept from the page before; requests to other computers, which stock pages make, are refused.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from ivig_dcssc.project import project_root
from rederive.execution.project import Project
from rederive.site.serve import site_server

PROJECT = Project(project_root())
REPEATS = 5
BAR = 600  # milliseconds to the largest paint
SETTINGS = "title: Stock\nexecute:\n  execute_notebooks: 'off'\nonly_build_toc_files: true\n"
BIBLIOGRAPHY = "bibtex_bibfiles:\n  - references.bib\n"
OBSERVER = """window.paint = 0; window.shifted = 0;
new PerformanceObserver((list) => { for (const each of list.getEntries())
  window.paint = each.startTime; }).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver((list) => { for (const each of list.getEntries())
  if (!each.hadRecentInput) window.shifted += each.value;
}).observe({type: "layout-shift", buffered: true});"""
SIZES = """performance.getEntries().filter((each) => each.decodedBodySize)
  .map((each) => [each.name, each.decodedBodySize])"""


@dataclass(frozen=True)
class Loaded:
    """One page: milliseconds to its largest paint, its shift, bytes, and bytes of script."""

    paint: float
    shift: float
    size: float
    script: float


def jupyter_book(*arguments: str) -> None:
    start = "from jupyter_book.cli.main import main; main()"
    subprocess.run([sys.executable, "-c", start, *arguments], check=True, capture_output=True)


def stock_template(folder: Path) -> list[Path]:
    jupyter_book("create", str(folder))
    (folder / "_config.yml").write_text(SETTINGS + BIBLIOGRAPHY, encoding="utf-8")
    jupyter_book("build", str(folder))
    pages = (folder / "_build" / "html").glob("*.html")
    return [page for page in pages if page.stem not in ("index", "genindex", "search")]


def stock_sections(folder: Path) -> list[Path]:
    """Build the sections as they were executed, under Jupyter Book's own settings."""
    shutil.copytree(PROJECT.stage / "notebooks", folder)
    shutil.copyfile(PROJECT.root / "book" / "references.bib", folder / "references.bib")
    names = sorted(path.stem for path in folder.glob("*.ipynb"))
    contents = "".join(f"  - file: {name}\n" for name in names[1:])
    (folder / "_toc.yml").write_text(
        f"format: jb-book\nroot: {names[0]}\nchapters:\n{contents}", encoding="utf-8"
    )
    (folder / "_config.yml").write_text(SETTINGS + BIBLIOGRAPHY, encoding="utf-8")
    jupyter_book("build", str(folder))
    return [folder / "_build" / "html" / f"{name}.html" for name in names]


@contextmanager
def served(site: Path) -> Iterator[str]:
    with site_server(site, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def loaded(browser: Browser, address: str, name: str) -> Loaded:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.route("**/*", lambda to: to.continue_() if address in to.request.url else to.abort())
    page = context.new_page()
    page.add_init_script(OBSERVER)
    page.goto(address + name, wait_until="load")
    page.wait_for_timeout(300)
    sizes = dict(page.evaluate(SIZES))
    script = sum(size for url, size in sizes.items() if ".js" in url)
    paint, shift = page.evaluate("[paint, shifted]")
    context.close()
    return Loaded(paint, shift, sum(sizes.values()), script)


def measured(browser: Browser, pages: Iterable[Path], site: Path) -> Loaded:
    """Return the medians over pages, each the median of some visits."""
    each = []
    with served(site) as address:
        for page in pages:
            name = page.relative_to(site).as_posix()
            visits = [loaded(browser, address, name) for _ in range(REPEATS + 1)][1:]
            each.append(_medians(visits))
    return _medians(each)


def _medians(visits: list[Loaded]) -> Loaded:
    middle = statistics.median
    return Loaded(
        middle(one.paint for one in visits),
        middle(one.shift for one in visits),
        middle(one.size for one in visits),
        middle(one.script for one in visits),
    )


def main() -> None:
    site = PROJECT.site
    own = sorted((site / "notebooks").glob("*.html"))
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        template, sections = Path(folder, "template"), Path(folder, "sections")
        sides = {
            "this book, its sections": (own, site),
            "stock book, the same sections": (
                stock_sections(sections),
                sections / "_build" / "html",
            ),
            "stock book, its template": (stock_template(template), template / "_build" / "html"),
        }
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        found = {name: measured(browser, *pages) for name, pages in sides.items()}
        version = browser.version
        browser.close()
    ours = found["this book, its sections"]
    lines = [
        "# Pages beside stock Jupyter Books",
        "",
        f"`python benchmarks/pages.py`: Chromium {version}, medians over pages of {REPEATS} visits,"
        " nothing kept, all from this computer.",
        "",
        "| | largest paint, ms | ratio to ours | layout shift | kB in all | kB of script |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {one.paint:.0f} | {one.paint / ours.paint:.2f} | {one.shift:.4f} "
        f"| {one.size / 1000:.0f} | {one.script / 1000:.0f} |"
        for name, one in found.items()
    ]
    lines += ["", f"Bar: largest paint under {BAR} ms: {'met' if ours.paint < BAR else 'missed'}."]
    print("\n".join(lines))
    target = Path(__file__).with_suffix(".md")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
