"""What one place of the book says of another: numbers of tables, and links to the glossary.

Figures are numbered by Sphinx. A table that a cell returns as HTML is unknown to it, so it becomes
a node of its own here; a cell names it by ``mystnb: {table: {name: …}}``, as it names a figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

from rederive.parameters.notebooks import NOTEBOOKS_FOLDER

_PLACE_OF_NUMBER = re.compile(r"<summary>|<caption>")


class CaptionedTable(nodes.raw):  # type: ignore[misc]
    """A table with a caption, as HTML that a cell of a notebook has returned."""


class CaptionedTables(SphinxTransform):
    """Give the tables of a page ids, and those that are named a target for cross-references."""

    default_priority = 500  # before names become labels

    def apply(self) -> None:
        """Replace the HTML of tables by nodes that Sphinx can number."""
        for cell in self.document.findall(nodes.container):
            name = cell.get("cell_metadata", {}).get("mystnb", {}).get("table", {}).get("name")
            for raw in list(cell.findall(nodes.raw)) if "cell_metadata" in cell else []:
                if "<caption>" not in raw.astext():
                    continue
                table = CaptionedTable(raw.rawsource, raw.astext(), **raw.attributes)
                if name:
                    table["names"].append(nodes.fully_normalize_name(name))
                    self.document.note_explicit_target(table, table)
                else:
                    self.document.set_id(table, suggested_prefix="table")
                raw.replace_self(table)


def title_of(table: CaptionedTable) -> str:
    """Return the caption of a table."""
    return re.sub(r"<[^>]+>", "", table.astext().partition("<caption>")[2].partition("</")[0])


def visit_table(translator: HTML5Translator, node: CaptionedTable) -> None:
    """Write a table, its number before its caption or before the line below which it is folded."""
    start = len(translator.body)
    translator.add_fignumber(node)
    number = "".join(translator.body[start:])
    del translator.body[start:]
    text = _PLACE_OF_NUMBER.sub(lambda found: found[0] + number, node.astext(), count=1)
    translator.body.append(f"{translator.starttag(node, 'div')}{text}</div>\n")
    raise nodes.SkipNode


def depart_table(translator: HTML5Translator, node: CaptionedTable) -> None:
    """Write nothing more; a table has no nodes within."""


def number_in_chapters(app: Sphinx, env: BuildEnvironment) -> None:
    """Leave numbers to the numbered chapters; elsewhere "Figure 1" is the article's."""
    for kinds in env.toc_fignumbers.values():
        for kind, numbers in kinds.items():
            kinds[kind] = {name: number for name, number in numbers.items() if len(number) > 1}


def link_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link the first mention of each term in the prose of a section to the glossary."""
    if Path(docname).parent != NOTEBOOKS_FOLDER:
        return
    objects = app.env.get_domain("std").get_objects()
    terms = {
        name: f"{app.builder.get_relative_uri(docname, page)}#{anchor}"
        for name, _, kind, page, anchor, _ in objects
        if kind == "term" and len(name) > 1
    }
    linked = {link.get("refuri") for link in doctree.findall(nodes.reference)}
    terms = {name: place for name, place in terms.items() if place not in linked}
    for paragraph in doctree.findall(nodes.paragraph):
        for text in list(paragraph.findall(nodes.Text)):
            if isinstance(text.parent, nodes.paragraph | nodes.emphasis | nodes.strong):
                text.parent.replace(text, list(_with_links(str(text), terms)))


def _with_links(text: str, terms: dict[str, str]) -> Iterable[nodes.Node]:
    while terms and (found := _any_of(terms).search(text)):
        word = found[1].lower()
        name = next(each for each in terms if each.lower() == word)
        yield nodes.Text(text[: found.start()])
        link = nodes.reference("", found[0], internal=True, refuri=terms.pop(name))
        yield link
        link["classes"].append("term")
        text = text[found.end() :]
    yield nodes.Text(text)


def _any_of(terms: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of terms, those in small letters also with a capital one, and in plural."""
    longest = sorted(terms, key=len, reverse=True)
    words = [re.escape(each) for each in longest]
    words = [f"(?i:{word[0]}){word[1:]}" if word.islower() else word for word in words]
    return re.compile(rf"(?<![\w-])({'|'.join(words)})s?(?![\w-])")
