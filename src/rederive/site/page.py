"""One executed notebook as one page that needs no other file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from docutils.utils.math.latex2mathml import tex2mathml

from rederive.execution.notebooks import source_of, tags_of
from rederive.site.variant import HIDDEN, INJECTED, shown_cells

STYLESHEET = Path("book/_static/book.css")
"""The book's own style, from its root."""

_STYLE = """
:root { --pst-color-text-base: #222; --pst-color-text-muted: #555; --pst-color-primary: #176;
  --pst-color-warning: #b50; color-scheme: light dark }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif;
  color: var(--pst-color-text-base); background: var(--rd-paper) }
h1, h2, h3 { line-height: 1.2; margin-top: 2rem } img { max-width: 100%; background: #fff }
pre { overflow-x: auto; background: var(--rd-stripe); padding: .6rem; font-size: .85rem }
pre.output { background: none; border-left: 3px solid var(--rd-line) } .output { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem } td, th { padding: .2rem .6rem }
.dataframe, .dataframe :is(td, th) { border: 0 solid var(--rd-line); text-align: right }
.dataframe tr { border-bottom: 1px solid var(--rd-line) }
p.caption, .code > summary { color: var(--pst-color-text-muted); font-size: .9rem }
details.code { margin: .6rem 0 }
.admonition { border-left: 4px solid; background: var(--rd-stripe); padding: .3rem 1rem }
"""
_DARK = """@media (prefers-color-scheme: dark) {{ :root {{ --pst-color-text-base: #ced6dd;
  --pst-color-text-muted: #9fb0bd; --pst-color-primary: #6cc; --pst-color-warning: #fa6; {} }} }}"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with the page: nothing that is written in it is ever run."""

_NUMBERED = {"fig": "figure", "tab": "table"}
_CODE_HIDDEN = {HIDDEN, INJECTED, "remove-cell", "parameters"}


def notebook_page(content: bytes, stylesheet: Path) -> str:
    """Return an executed notebook as HTML: text, figures and tables, its code folded.

    Figures and the book's own stylesheet are in the page; links to other pages of the book are
    plain text, and no script runs.
    """
    cells = shown_cells(json.loads(content))
    shown = [part for cell in cells for part in _cell(cell)]
    title = next((m[1] for each in cells if (m := re.match(r"# (.+)", source_of(each)))), "")
    style = stylesheet.read_text(encoding="utf-8") if stylesheet.is_file() else ""
    # No script chooses between light and dark here, so the reader's own setting does.
    dark = re.search(r'html\[data-theme="dark"\] {([^}]*)}', style)
    style += _DARK.format(dark[1]) if dark else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head>\n"
        f'<body><main class="bd-article">\n{"".join(shown)}\n</main></body></html>\n'
    )


def _cell(cell: Mapping[str, Any]) -> list[str]:
    text, tags = source_of(cell), set(tags_of(cell))
    if cell["cell_type"] != "code":
        return [prose(text)] if cell["cell_type"] == "markdown" else []
    if "remove-cell" in tags:
        return []
    if not text.strip() or tags & _CODE_HIDDEN or not cell["outputs"]:
        return outputs(cell)
    code = f"<pre>{escape(text)}</pre>"
    return [f'<details class="code"><summary>code</summary>{code}</details>', *outputs(cell)]


def outputs(cell: Mapping[str, Any]) -> list[str]:
    """Return what a code cell shows as HTML, the caption of its figure last."""
    figure = cell["metadata"].get("mystnb", {})
    alt = escape("".join(figure.get("image", {}).get("alt", "figure")), quote=True)
    parts = [_output(each, alt) for each in cell["outputs"]]
    caption = escape(figure.get("figure", {}).get("caption", ""))
    drawn = any(part.startswith("<p><img") for part in parts)
    return [*parts, f'<p class="caption">{caption}</p>'] if caption and drawn else parts


def _unnumbered(reference: re.Match[str]) -> str:
    """Return a reference without its number, which only the book has."""
    return f"{'the' if reference['first'] is None else 'The'} {_NUMBERED[reference['kind']]}"


def prose(text: str) -> str:
    """Return Markdown as HTML; markup in the text is shown, not obeyed."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.colon_fence import colon_fence_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(tex: str, options: Mapping[str, bool]) -> str:
        return str(tex2mathml(tex.strip(), as_block=options["display_mode"]))

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").use(colon_fence_plugin)
    parser.use(dollarmath_plugin, renderer=formula)
    text = re.sub(r"^\([\w-]+\)=$", "", text, flags=re.MULTILINE)  # MyST's names of places
    text = re.sub(r" ?\{cite:p\}`[^`]*`", "", text)
    numbered = r"(?m)(?P<first>^)?\{numref\}`(?P<kind>fig|tab)[^`]*`"
    text = re.sub(numbered, _unnumbered, text)
    text = re.sub(r"\{[a-z:]+\}`([^`<]*?)(?: *<[^`]*>)?`", r"\1", text)  # and its roles
    text = re.sub(r"\[([^\]]*)\]\((?!https?://)[^)]*\)", r"\1", text)

    def admonition(_: Any, tokens: Any, place: int, *__: Any) -> str:
        token = tokens[place]
        title = escape(re.sub(r"^\{[a-z-]+\}", "", token.info).strip())
        body = re.sub(r"^:[a-z]+:.*\n", "", token.content, flags=re.MULTILINE)
        return f'<div class="admonition"><p><b>{title}</b></p>{parser.render(body)}</div>'

    parser.add_render_rule("colon_fence", admonition)
    return str(parser.render(text))


def _output(output: Mapping[str, Any], alt: str) -> str:
    data = output.get("data", {})
    if output["output_type"] == "stream":
        warned = output["name"] == "stderr"
        return "" if warned else f'<pre class="output">{escape("".join(output["text"]))}</pre>'
    if output["output_type"] == "error":
        return f'<pre class="output">{escape(output["ename"])}: {escape(output["evalue"])}</pre>'
    if "image/svg+xml" in data:
        # As an image, nothing in it can run.
        coded = base64.b64encode("".join(data["image/svg+xml"]).encode()).decode()
        return f'<p><img alt="{alt}" src="data:image/svg+xml;base64,{coded}"></p>'
    if "image/png" in data:
        return f'<p><img alt="{alt}" src="data:image/png;base64,{"".join(data["image/png"])}"></p>'
    if "text/html" in data:
        links = r'<a href="(?!https?://)[^"]*"[^>]*>(.*?)</a>'
        plain = re.sub(links, r"\1", "".join(data["text/html"]), flags=re.DOTALL)
        return f'<div class="output">{plain}</div>'
    if "text/markdown" in data:
        return prose("".join(data["text/markdown"]))
    return f'<pre class="output">{escape("".join(data.get("text/plain", "")))}</pre>'
