"""What the book needs of Sphinx beyond its settings. Loaded through ``_config.yml``.

* Buttons and links to the repository exist only if its address is set.
* Notebooks executed by Sphinx itself are cached by everything they depend on, not by their
  cells alone, so that a changed function is never shown with old numbers.
* Formulas become MathML, which browsers draw themselves, and no script of another origin is
  loaded.
* Every page of a variant has a banner with the parameters that differ from the article's.
* Small faults of the theme's markup that hinder screen readers are mended.
* Each section of the article ends with the command that runs it.
* Tables are numbered as figures are.
"""

from __future__ import annotations

import html
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from rederive.execution.cache import source_digest
from rederive.execution.notebooks import read_notebook
from rederive.execution.project import Project, read_settings
from rederive.parameters.notebooks import NOTEBOOKS_FOLDER, own_defaults
from rederive.printed.files import write_atomically
from rederive.site.assets import STATIC, lighten
from rederive.site.references import (
    CaptionedTable,
    CaptionedTables,
    number_in_chapters,
    title_of,
    visit_table,
)
from rederive.site.repository import theme_options_for
from rederive.site.variant import INJECTED, SITE_FILE, STAGED_FILE, banner

_LOGGER = logging.getLogger(__name__)
# What assistive technology stumbles on in the theme's markup, and what takes its place: a button
# whose visible text is not its name, contents outside every landmark, roles that no longer exist.
_MENDED_MARKUP = {
    r'(<button [^>]*search-button-field[^>]*?) aria-label="Search"': r"\1",
    r'(<div id="pst-primary-sidebar") (class=)': r'\1 role="region" aria-label="Sidebar" \2',
    r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"': r"\1",
    r' role="doc-(?:biblioentry|backlink)"': "",
    r'<div role="list" class="citation-list"': '<div class="citation-list"',
    r"<th></th>": "<td></td>",
    r'(?s)<script type="text/x-thebe-config">.*?</script>': "",
    r"<script>kernelName = '[^']*'</script>": "",
    # What is no valid HTML: styles within the text, for which the book's own stand.
    r"(?s)<style scoped>.*?</style>\s*": "",
    r' halign="[a-z]*"': "",
    r'(?s)<summary aria-label="Toggle hidden content">.*?</summary>': "<summary>Code</summary>",
    # 1.5 MB: the same icons are in the theme's fonts.
    r"<script [^>]*fontawesome\.js[^>]*></script>\s*": "",
    r"<script>(?:let toggle|DOCUMENTATION_OPTIONS)[^<]*</script>\s*": "",
    r'(?<=/>)<meta name="viewport"[^>]*>|<meta name="docsearch:[^>]*>\s*': "",
}
# For results while one types, which the theme has switched off.
_SEARCH_TOOLS = re.compile(
    r'<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>\s*'
)
_DROPPED_FILES = ("thebe", "mathjax", "require.js", "://", "design-tabs", "togglebutton")
"""Scripts of another origin, and files of the theme that no page of the book needs."""


def apply_settings(app: Sphinx, config: Config) -> None:
    """Set what depends on the repository's address and on the sources."""
    settings_file = Path(app.srcdir) / "_config.yml"
    settings = read_settings(settings_file) if settings_file.is_file() else {}
    config.html_theme_options = {**config.html_theme_options, **theme_options_for(settings)}
    if config.nb_execution_mode == "cache" and not config.nb_execution_cache_path:
        folder = Path(app.outdir).parent / ".jupyter_cache"
        digest = source_digest(Project(Path(app.srcdir)))
        config.nb_execution_cache_path = str(folder / digest[:16])


def drop_files(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Drop what would be loaded from another origin, or is loaded and never used."""
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context.get(kind, []) if not _is_dropped(file)]


def show_variant(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Put a banner with the parameters that differ on every page of a variant."""
    path = Path(app.srcdir) / STAGED_FILE
    if path.is_file():
        described = json.loads(path.read_text(encoding="utf-8"))
        notebook = Path(app.srcdir) / f"{pagename}.ipynb"
        same = notebook.is_file() and not own_defaults(read_notebook(notebook), INJECTED)
        context["theme_announcement"] = banner(described, context["pathto"], same)


def end_section(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """End a section of the article with the command that runs it."""
    path = Path(docname)
    notebook = Path(app.srcdir) / path.with_suffix(".ipynb")
    if path.parent != NOTEBOOKS_FOLDER or not notebook.is_file():
        return
    page = next(doctree.findall(nodes.section))
    content = read_notebook(notebook)
    values = own_defaults(content) | own_defaults(content, INJECTED)
    given = [f"-p {shlex.quote(f'{name}={value}')}" for name, value in values.items() if value]
    text = " \\\n  ".join([f"rederive run {path.name}", *given])
    command = nodes.literal_block(text, text, language="bash")
    page += nodes.container(
        "", nodes.paragraph("", "To run this page with these or other values:"), command
    )


def _is_dropped(file: Any) -> bool:
    body = (getattr(file, "attributes", None) or {}).get("body") or ""
    described = f"{getattr(file, 'filename', file) or ''} {body}".lower()
    return any(mark in described for mark in _DROPPED_FILES)


def visit_math(translator: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Write a formula, within the text or displayed, as MathML."""
    source, as_block = node.astext(), isinstance(node, nodes.math_block)
    try:
        written = str(tex2mathml(source, as_block=as_block))
    except MathError as error:
        _LOGGER.warning("formula %r: %s", source, error, location=node)
        written = f"<code>{html.escape(source)}</code>"
    if as_block:
        name = "".join(f' id="{html.escape(name)}"' for name in node.get("ids", [])[:1])
        written = f'<div class="math"{name}>{written}</div>\n'
    translator.body.append(written)
    raise nodes.SkipNode


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Add what the pages of a finished build need beside them, and mend their markup."""
    if exception is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    _write_entry_page(app)
    _write_sitemap(app)
    described = Path(app.srcdir) / STAGED_FILE
    if described.is_file():
        shutil.copyfile(described, Path(app.outdir) / SITE_FILE)
    site = Path(app.outdir)
    pages = {}
    for path in sorted(site.rglob("*.html")):
        if STATIC not in path.relative_to(site).parts:
            page = path.read_text(encoding="utf-8")
            for pattern, replacement in _MENDED_MARKUP.items():
                page = re.sub(pattern, replacement, page)
            pages[path] = page if path.name == "search.html" else _SEARCH_TOOLS.sub("", page)
    for path, page in lighten(site, pages).items():
        path.write_text(page, encoding="utf-8")


def _write_entry_page(app: Sphinx) -> None:
    """Write an ``index.html`` that leads to the first page."""
    root = str(app.config.root_doc)
    if root == "index":
        return
    title, target = html.escape(app.config.html_title or root), f"{root}.html"
    # Without an icon of its own a page makes browsers ask for one that is not there.
    favicon = app.config.html_favicon
    icon = html.escape(f"_static/{Path(favicon).name}") if favicon else "data:,"
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n"
        f'<meta http-equiv="refresh" content="0; url={target}">\n'
        f'<link rel="icon" href="{icon}">\n</head>\n'
        f'<body><main><h1>{title}</h1>\n<p><a href="{target}">To the first page</a></p></main>'
        "</body>\n</html>\n"
    )
    write_atomically(Path(app.outdir) / "index.html", page.encode())


def _write_sitemap(app: Sphinx) -> None:
    """List the pages for search engines, if the site has an address."""
    address = str(app.config.html_baseurl or "").rstrip("/")
    if not address:
        return
    pages = (html.escape(f"{address}/{name}.html") for name in sorted(app.env.found_docs))
    lines = [f"  <url><loc>{page}</loc></url>" for page in pages]
    opening = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', opening, *lines, "</urlset>", ""])
    write_atomically(Path(app.outdir) / "sitemap.xml", text.encode())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    app.add_transform(CaptionedTables)
    app.add_enumerable_node(CaptionedTable, "table", title_of, html=(visit_table, lambda *_: None))
    app.connect("config-inited", apply_settings, priority=100)
    app.connect("env-check-consistency", number_in_chapters)
    app.connect("doctree-resolved", end_section, priority=900)
    app.connect("html-page-context", drop_files, priority=900)
    app.connect("html-page-context", show_variant, priority=900)
    # After the theme has written its styles.
    app.connect("build-finished", finish_site, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
