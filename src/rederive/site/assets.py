"""What the pages load: one stylesheet, one script, the icons that are used, figures with sizes.

The theme brings a dozen files a page, most of whose rules and icons no page uses.
"""

from __future__ import annotations

import hashlib
import logging
import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

logging.getLogger("fontTools").setLevel(logging.WARNING)  # else it is said below each complaint

STATIC = "_static"
_STYLE = re.compile(r'<link (?=[^>]*rel="stylesheet")[^>]*?href="([^"?:]+\.css)[^>]*>\s*')
_SCRIPT = re.compile(r'<script (?:defer )?src="([^"?:]+\.js)[^>]*></script>\s*')
_PRELOAD = re.compile(r'<link rel="preload"[^>]*>\s*')
_IMAGE = re.compile(r'<img (?![^>]*\bheight=)([^>]*?src="([^":]+\.svg)"[^>]*?)\s*/?>')
_SIZE = re.compile(r'<svg\b[^>]*? width="([\d.]+)pt"[^>]*? height="([\d.]+)pt"')
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[{};]|[^{};"\']+')
_OF_THE_PDF = {"rederive-book", "part"}
_NEVER_LOADED = (
    "*.map",
    "fontawesome.js",
    "*.woff2",
    "thebe.js",
    "sphinx-thebe.*",
    "design-tabs.js",
)


def lighten(site: Path, pages: Mapping[Path, str]) -> dict[Path, str]:
    """Return pages that load one stylesheet and one script, which this writes below ``_static``.

    The pages are HTML by path, below the folder of the site.
    """
    for names in _NEVER_LOADED:
        for file in (site / STATIC).rglob(names):
            file.unlink()
    styles = dict.fromkeys(file for path in pages for file in _files(_STYLE, path, pages[path]))
    known = {name for page in pages.values() for name in _classes(page)} | _OF_THE_PDF
    for file in (site / STATIC).rglob("*.js"):
        known.update(re.findall(r"[\w-]+", file.read_text(encoding="utf-8")))
    css = pruned("".join(_inlined(file, site / STATIC) for file in styles), known)
    icons = {int(each, 16) for each in re.findall(r'"\\([0-9a-f]{4})"', css)}
    icons |= {ord(each) for each in css if "\ue000" <= each <= "\uf8ff"}
    for font in sorted((site / STATIC / "vendor").rglob("*.ttf")):
        _keep_icons(font, icons)
    css = re.sub(r'url\([^)]*\.woff2\) format\("woff2"\),', "", css)
    for file in (site / STATIC).rglob("*.css"):
        file.unlink()
    style = _written(site, css, "css")
    lighter = {}
    for path, page in pages.items():
        if _STYLE.search(page):
            here = "../" * (len(path.relative_to(site).parts) - 1) + STATIC
            tags = f'<link rel="stylesheet" href="{here}/{style}">\n'
            # The search runs while its page is read, and in an order of its own.
            if "searchindex.js" not in page:
                files = _files(_SCRIPT, path, page)
                code = ";\n".join(each.read_text(encoding="utf-8") for each in files)
                tags += f'<script defer src="{here}/{_written(site, code, "js")}"></script>\n'
                page = _SCRIPT.sub("", page)
            page = _PRELOAD.sub("", _STYLE.sub("", page))
            page = page.replace("</head>", f"{tags}</head>", 1)
        lighter[path] = _IMAGE.sub(partial(_sized, path.parent), page)
    return lighter


def pruned(css: str, known: set[str]) -> str:
    """Return a stylesheet without the rules for classes that are not among those known."""
    parts = []
    for prelude, body in _rules(re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)):
        if prelude.startswith(("@media", "@supports")):
            body = pruned(body, known)
        elif not prelude.startswith("@"):
            # Within the parentheses of :not() and the like a comma separates no selectors.
            split = re.split(r",(?![^(]*\))", prelude)
            prelude = ",".join(each.strip() for each in split if _used(each, known))
        if prelude and body:
            parts.append(f"{prelude}{{{body}}}\n")
    return "".join(parts)


def _rules(css: str) -> Iterator[tuple[str, str]]:
    prelude, body, depth = "", "", 0
    for token in _TOKEN.findall(css):
        depth -= token == "}"
        if depth:
            body += token
        elif token == "}":
            yield prelude.strip(), re.sub(r"\s+", " ", body).strip()
            prelude = body = ""
        elif token not in "{;":
            prelude += token
        elif token == ";":
            prelude = ""
        depth += token == "{"


def _used(selector: str, known: set[str]) -> bool:
    plain = re.sub(r":(?:not|is|where|has)\(.*\)|\[[^]]*\]", "", selector)
    return known.issuperset(re.findall(r"\.(-?[A-Za-z_][\w-]*)", plain))


def _classes(page: str) -> set[str]:
    return {name for names in re.findall(r'class="([^"]*)"', page) for name in names.split()}


def _files(pattern: re.Pattern[str], path: Path, page: str) -> list[Path]:
    """Return the files that a page loads, in the order in which a browser runs them."""
    found = sorted(pattern.finditer(page), key=lambda each: "defer" in each[0])
    return [(path.parent / each[1]).resolve() for each in found]


def _inlined(file: Path, static: Path) -> str:
    """Return a stylesheet with those that it imports, its addresses relative to `static`."""
    text = file.read_text(encoding="utf-8")
    folder = posixpath.relpath(file.parent.resolve().as_posix(), static.resolve().as_posix())
    text = re.sub(
        r"url\((?![\"']?(?:data:|#))[\"']?([^)\"']+)[\"']?\)",
        lambda found: f"url({posixpath.normpath(posixpath.join(folder, found[1]))})",
        text,
    )
    return re.sub(r'@import "([^"]+)";', lambda m: _inlined(file.parent / m[1], static), text)


def _keep_icons(font: Path, icons: set[int]) -> None:
    options = Options(notdef_outline=True, layout_features=[], name_IDs=[], hinting=False)
    with TTFont(font, recalcTimestamp=False) as opened:
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=icons)
        subsetter.subset(opened)
        opened.save(font)


def _written(site: Path, text: str, kind: str) -> str:
    name = f"book-{hashlib.sha256(text.encode()).hexdigest()[:12]}.{kind}"
    (site / STATIC / name).write_text(text, encoding="utf-8")
    return name


def _sized(folder: Path, found: re.Match[str]) -> str:
    """Return the tag of an image in a page of some folder, with the size of its file."""
    size = _SIZE.search((folder / found[2]).read_text(encoding="utf-8")[:2000])
    if size is None:
        return found[0]
    width, height = (round(float(points) * 4 / 3) for points in size.groups())
    return f'<img width="{width}" height="{height}" {found[1]}>'
