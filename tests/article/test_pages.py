"""Pages about the whole book: what changed is listed, without paths, and named tests exist."""

from __future__ import annotations

import ast
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest

from ivig_dcssc import open_ledger
from ivig_dcssc.article import guarding_test
from published import test_verdicts
from rederive.parameters.notebooks import ONLY_OWN, ONLY_RECONSTRUCTED

ROOT = Path(__file__).resolve().parents[2]
TEACHING = str(ROOT / "data" / "cohorts" / "synthetic-teaching")


def run(page: str, changed: dict[str, object]) -> str:
    """Run a page with the values that a build gives it; return the HTML that it shows."""
    notebook = nbformat.read(ROOT / "book" / f"{page}.ipynb", as_version=4)
    skipped = ONLY_RECONSTRUCTED if "cohort_folder" in changed else ONLY_OWN
    space: dict[str, object] = {}
    html = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.source.startswith(skipped):
            continue
        body = ast.parse(cell.source).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), page, "exec"), space)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), page, "eval"), space)
            html.append(getattr(shown, "_repr_html_", lambda: "")() or "")
        if "parameters" in cell.metadata.get("tags", []):
            space["changed"] = changed
    plt.close("all")
    return "".join(html)


@pytest.fixture(autouse=True)
def _no_window() -> None:
    mpl.use("agg")


def test_changes_show_no_path_of_a_cohort() -> None:
    html = run("changes", {"cohort_folder": TEACHING})
    assert "synthetic-teaching" in html and str(ROOT) not in html
    assert "another study" in html


def test_changes_list_every_changed_row() -> None:
    changed = {"responder_threshold": 12, "cohorts": 2, "prior": "flat"}
    html = run("changes", changed)
    assert "ledger.html#results-responder-ivig-m12-count" in html and "<del" in html


def test_every_row_of_the_ledger_names_a_test_that_exists() -> None:
    ledger = open_ledger()
    existing = {
        f"tests/published/test_verdicts.py::{name}[{row_id}]"
        for name, test in vars(test_verdicts).items()
        for mark in getattr(test, "pytestmark", ())
        for row_id in mark.args[1]
    }
    named = [guarding_test(ledger, row.id) for row in ledger.registry]
    assert len(set(named)) == len(named)
    assert set(named) <= existing
