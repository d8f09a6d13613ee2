"""Numbers of tables, for references from elsewhere in the book.

Figures are numbered by Sphinx. A table that a cell returns as HTML is unknown to it, so it becomes
a node of its own here; a cell names it by ``mystnb: {table: {name: …}}``, as it names a figure.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

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


def number_in_chapters(app: Sphinx, env: BuildEnvironment) -> None:
    """Leave numbers to the numbered chapters; elsewhere "Figure 1" is the article's."""
    for kinds in env.toc_fignumbers.values():
        for kind, numbers in kinds.items():
            kinds[kind] = {name: number for name, number in numbers.items() if len(number) > 1}
