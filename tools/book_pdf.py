"""The whole book as one PDF, printed by an installed Chromium; run as ``make pdf``."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

from rederive.execution.project import Project, read_settings
from rederive.printed.errors import BookError, ConfigurationError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FOOT = (
    '<div style="font-size:8pt;width:100%;text-align:center">'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)
_DROPPED = "script, .headerlink, button, iframe, .rederive-filter, .prev-next-footer"


def write_pdf(site: Path, parts: Mapping[str, Sequence[str]], target: Path) -> int:
    """Print the pages of a site into one PDF and return its number of pages.

    Parameters
    ----------
    site : Path
        Folder of the pages.
    parts : mapping of str to sequence of str
        Addresses of pages, relative to the site, by the title of their part, in order.
    target : Path
        The PDF. The combined page that is printed is left beside it, as HTML.

    Raises
    ------
    ConfigurationError
        If no Chromium is installed.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise ConfigurationError(f"browser: found none, allowed: {', '.join(BROWSERS)}")
    names = [name for pages in parts.values() for name in pages]
    articles = {name: _article(site, name, names) for name in names}
    numbers: dict[str, int] = {}
    target.parent.mkdir(parents=True, exist_ok=True)
    combined = target.with_suffix(".html")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page()
        # The page numbers of the contents are known once it has been printed.
        for _ in range(2):
            combined.write_text(_combined(site, parts, articles, numbers), encoding="utf-8")
            page.goto(combined.resolve().as_uri())
            page.pdf(
                path=target,
                format="A4",
                margin={"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=_FOOT,
                print_background=True,
                outline=True,
                tagged=True,
            )
            reader = PdfReader(target)
            for name, place in reader.named_destinations.items():
                numbers[name.lstrip("/")] = (reader.get_destination_page_number(place) or 0) + 1
        opened.close()
    return len(reader.pages)


def _article(site: Path, name: str, names: Sequence[str]) -> str:
    """Return what a page prints, its links leading to places in the combined page."""
    soup = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article")
    if not isinstance(article, Tag):
        raise BookError(f"{name}: no article in the page")
    for tag in article.select(_DROPPED):
        tag.decompose()
    for tag in article.select("details"):
        tag["open"] = ""
    here = (site / name).parent
    for tag in article.select("[id]"):
        tag["id"] = f"{_key(name)}-{tag['id']}"
    for tag in article.select("[src]"):
        tag["src"] = (here / str(tag["src"])).resolve().as_uri()
    for tag in article.select("a[href]"):
        parts = urlsplit(str(tag["href"]))
        if parts.scheme:
            continue
        goal = (
            (here / parts.path).resolve().relative_to(site.resolve()) if parts.path else Path(name)
        )
        if goal.as_posix() in names:
            place = f"-{parts.fragment}" if parts.fragment else ""
            tag["href"] = f"#{_key(goal.as_posix())}{place}"
        else:
            del tag["href"]
    return article.decode_contents()


def _key(name: str) -> str:
    return re.sub(r"\W+", "-", name.removesuffix(".html"))


def _combined(
    site: Path,
    parts: Mapping[str, Sequence[str]],
    articles: Mapping[str, str],
    numbers: Mapping[str, int],
) -> str:
    styles = "".join(
        f'<link rel="stylesheet" href="{path.resolve().as_uri()}">'
        for path in sorted((site / "_static").glob("book-*.css"))
    )
    title = escape(re.sub(r"\s+", " ", _title(articles[next(iter(parts.values()))[0]])))
    lines = []
    for caption, names in parts.items():
        lines += [f"<li class='part'>{escape(caption)}</li>"] if caption else []
        for name in names:
            number = numbers.get(_key(name), "")
            link = f'<a href="#{_key(name)}">{escape(_title(articles[name]))}</a>'
            lines.append(f"<li>{link}<span>{number}</span></li>")
    body = "".join(f'<article id="{_key(n)}">{text}</article>' for n, text in articles.items())
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{title}</title>{styles}</head><body class='rederive-book'>"
        f"<nav><h1>Contents</h1><ol>{''.join(lines)}</ol></nav>"
        f'<main class="bd-content"><div class="bd-article-container bd-article">{body}</div></main>'
        "</body></html>"
    )


def _title(article: str) -> str:
    heading = BeautifulSoup(article, "html.parser").find("h1")
    return heading.get_text() if heading else ""


def main() -> int:
    """Print the built site of the working directory's book into ``_build/pdf/book.pdf``."""
    project = Project(Path.cwd())
    if not (project.site / "index.html").is_file():
        print("no site to print yet: run 'make book' first", file=sys.stderr)
        return 2
    contents = read_settings(project.toc_file)
    parts = {"": [f"{contents['root']}.html"]}
    for part in contents["parts"]:
        parts[part["caption"]] = [f"{chapter['file']}.html" for chapter in part["chapters"]]
    target = project.output / "pdf" / "book.pdf"
    pages = write_pdf(project.site, parts, target)
    print(f"{target.relative_to(project.root)}: {pages} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
