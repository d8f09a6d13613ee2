"""What a section imports: few modules, and nothing that only draws patients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
MOST_OPENED, MOST_AT_ALL = 60, 90
DRAWING = ("arviz", "arviz_stats", "dask", "numba", "rederive.reconstruct.block.kernel")
SHOWN_WHOLE = ("results_baseline", "results_skin")

# Each section is opened in a fork of its own, after the libraries that all of them need.
PROGRAM = """
import builtins, json, os, sys
import pandas, scipy.stats, statsmodels.api, seaborn
import IPython.display
builtins.display = lambda *shown: [repr(each) for each in shown]
for name, whole in json.loads(sys.argv[1]):
    sys.stdout.flush()
    if os.fork():
        os.wait()
        continue
    cells = json.load(open(f"{name}.ipynb"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    space = {"__name__": "__main__"}
    for source in sources if whole else sources[:2]:
        exec(source.rstrip().rstrip(";"), space)
    if whole:
        space["section"].figures()
    print(json.dumps([name, whole, sorted(sys.modules)]))
    sys.stdout.flush()
    os._exit(0)
"""


@cache
def imported() -> dict[tuple[str, bool], list[str]]:
    """Return all modules by section, and whether all its cells were run."""
    asked = [(name, False) for name in SECTIONS] + [(name, True) for name in SHOWN_WHOLE]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(asked)],
        cwd=ROOT / "notebooks",
        env={**os.environ, "MPLBACKEND": "agg", "REDERIVE_ROWS": "", "REDERIVE_ROOT": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
    return {(name, whole): modules for name, whole, modules in found}


def ours(modules: list[str]) -> list[str]:
    return [name for name in modules if name.split(".")[0] in ("rederive", "ivig_dcssc")]


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_is_opened_with_few_modules_and_nothing_that_draws(name: str) -> None:
    modules = imported()[name, False]
    assert "ivig_dcssc.article" in modules
    assert len(ours(modules)) < MOST_OPENED
    assert not {*DRAWING, "ivig_dcssc.generator", "rederive.reconstruct"} & set(modules)


@pytest.mark.parametrize("name", SHOWN_WHOLE)
def test_a_section_with_all_its_rows_draws_nothing(name: str) -> None:
    modules = imported()[name, True]
    assert "ivig_dcssc.analysis.results" in modules
    assert len(ours(modules)) < MOST_AT_ALL
    assert not set(DRAWING) & set(modules)


def test_a_name_is_never_the_module_of_the_same_name() -> None:
    code = (
        "import rederive.consistency.grim, rederive.retrospective.two_sample\n"
        "from rederive.consistency import grim\n"
        "from rederive.retrospective import two_sample\n"
        "print(callable(grim), callable(two_sample))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
