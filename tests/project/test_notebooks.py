"""Notebooks as they are stored."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import get_kernel_spec
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]
STORED = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("book/*.ipynb")])
CHAPTERS = sorted(ROOT.glob("book/teach/*.ipynb"))
SECTIONS = [path for path in STORED if path.parent.name == "notebooks"]
LONG_CELL = 10
KERNEL = "ivig-dcssc"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_there_are_notebooks():
    assert len(SECTIONS) >= 3


@pytest.mark.parametrize("path", [*STORED, *CHAPTERS], ids=name_of)
def test_stored_without_outputs_in_a_form_that_can_be_cached(path):
    notebook = read(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) >= (4, 5)
    # Chapters also go to students, whose Jupyter has no kernel of this project.
    kernel = "python3" if path in CHAPTERS else KERNEL
    assert notebook["metadata"]["kernelspec"]["name"] == kernel
    assert "papermill" not in notebook["metadata"]
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_the_environment_has_the_kernel_that_notebooks_name():
    spec = get_kernel_spec(KERNEL)
    assert spec.display_name == "Python (IVIG book)"
    manager = KernelManager(kernel_name=KERNEL)
    assert manager.format_kernel_cmd()[0] == sys.executable  # that of Jupyter's environment


@pytest.mark.parametrize("path", SECTIONS, ids=name_of)
def test_in_another_kernel_the_error_says_what_to_run(path):
    cell = next(s for c in read(path)["cells"] if "from ivig_dcssc" in (s := source(c)))
    lines = cell.splitlines()
    project = next(place for place, line in enumerate(lines) if "from ivig_dcssc" in line)
    for place, line in enumerate(lines[: project + 1]):
        words = line.split()
        if words and words[0] in ("import", "from"):
            shown = lines[max(0, place - 4) : place + 4]  # by a traceback
            standard = words[1].split(".")[0] in sys.stdlib_module_names
            assert standard or any("not found? 'make lab' has" in each for each in shown), line


@pytest.mark.parametrize("path", SECTIONS, ids=name_of)
def test_exactly_one_parameters_cell_with_plain_named_values(path):
    tagged = [c for c in read(path)["cells"] if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1
    assert tagged[0]["cell_type"] == "code"
    lines = [line for line in source(tagged[0]).splitlines() if line.strip()]
    for line in lines:
        assert re.match(r"#|[a-z_]\w*(: [^=]+)? = ", line), line


@pytest.mark.parametrize("path", SECTIONS, ids=name_of)
def test_names_begin_with_a_letter_and_are_in_the_contents(path, project):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", path.stem)
    assert path.relative_to(ROOT) in project.pages


@pytest.mark.parametrize("path", [*STORED, *CHAPTERS], ids=name_of)
def test_captions_have_no_asterisk_that_markup_would_take(path):
    """Captions are Markdown, in which a pair of bare asterisks turns into emphasis."""
    figures = [cell["metadata"].get("mystnb", {}).get("figure", {}) for cell in read(path)["cells"]]
    captions = [figure["caption"] for figure in figures if "caption" in figure]
    assert not [text for text in captions if re.search(r"(?<!\\)\*", text)]


@pytest.mark.parametrize("path", STORED, ids=name_of)
def test_code_cells_are_short_and_pages_begin_with_a_title(path):
    cells = read(path)["cells"]
    code = [source(cell) for cell in cells if cell["cell_type"] == "code"]
    long = [text for text in code if len(text.splitlines()) > LONG_CELL]
    assert len(long) <= len(code) / 10, long
    assert cells[0]["cell_type"] == "markdown"
    assert source(cells[0]).startswith("# ")
