"""Boxes of exercises and solutions in the pages, by sphinx-exercise.

Exercises have the numbers that checks and packs use, as their titles.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx_exercise.nodes import exercise_node, solution_node

_BRACKETS = {" (": " ", ")": ""}
"""What stands around the number of an exercise, and what takes its place."""


def tidy(app: Sphinx, page: nodes.document, name: str) -> None:
    """Write *Exercise 2.1* for *Exercise (2.1)*, and give no two boxes the same identifier."""
    for found in (*page.findall(exercise_node), *page.findall(solution_node)):
        for section in found.findall(nodes.section):
            section["ids"] = [each for each in section["ids"] if not each.endswith("-content")]
        for text in list(found.children[0].findall(nodes.Text)):
            if text in _BRACKETS:
                text.parent.replace(text, nodes.Text(_BRACKETS[text]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Load sphinx-exercise, and tidy what it made."""
    app.setup_extension("sphinx_exercise")
    app.connect("doctree-resolved", tidy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
