"""What a section leaves out where a cohort has nothing, or too little, for it."""

from __future__ import annotations

import ast
import json
import random
import re
import warnings
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest

from cohorts_of_ones_own import from_ensemble
from rederive.book.beside import MismatchError
from rederive.book.left_out import LeftOut
from rederive.execution.project import Project
from rederive.execution.run import Task, run_task
from rederive.printed.files import inert
from rederive.site.variant import shown_cells
from repetitions import FACTOR

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
ABSENT = {"fvc": "FVC", "age": "Age", "drug_a": "Drug A"}
KNOWN = [*ABSENT, "score", "female", "drug_b"]


def ran(*cells: str, capsys: pytest.CaptureFixture[str], **namespace: object) -> list[str]:
    """Run cells of a notebook about ``ensemble`` one after the other; return what is printed."""
    cohorts = {"score": [3, 4], "few": [], "rows": [(1, "x"), (2, "y"), (0, "z")]}
    namespace["ensemble"] = MappingProxyType(cohorts)
    left_out = LeftOut(ABSENT, KNOWN, namespace)
    warnings.showwarning = left_out.warned  # pytest puts its own back
    for cell in cells:
        exec(compile(left_out.visit(ast.parse(cell)), "cell", "exec"), namespace)
        if namespace.get("__shown__") is not None:
            print("shown", namespace["__shown__"])
    return capsys.readouterr().out.splitlines()


RECORDED = "Left out, for it needs what this cohort does not record: "
LITTLE = "Left out, for this cohort has too few patients or values "
EMPTY = f"{LITTLE}(ValueError: max() arg is an empty sequence)."
LOOP = "found = {}\nfor n, w in ensemble['rows']:\n    found[w] = 1 / n\n"
CASES = [
    (["ensemble['score']"], ["shown [3, 4]"]),
    (["ensemble['fvc']"], [f"{RECORDED}FVC."]),
    # What is published may be named.
    (["published = 'fvc'\npublished"], ["shown fvc"]),
    # Some of several: the rest stays.
    (["[ensemble.get(n) for n in ('score', 'fvc')]"], ["Not recorded: FVC.", "shown [[3, 4], "]),
    (["names = ['fvc', 'age']\n[ensemble[n] for n in names]"], [f"{RECORDED}FVC and Age."]),
    # What builds on it goes with it, also in other cells, and is not what it was before.
    (["x = 1", "x = ensemble['fvc']", "x + 1"], [f"{RECORDED}FVC."] * 2),
    (["def f(e):\n    return e['fvc']", "f(ensemble)"], [f"{RECORDED}FVC."]),
    (["names = ['fvc']\ndef f(e):\n    return names", "f(ensemble)"], [f"{RECORDED}FVC."]),
    # What would be added to is still there.
    (["x = {'a': 1}\nx |= {'b': ensemble['fvc']}", "x"], [f"{RECORDED}FVC.", "shown {'a': 1}"]),
    (["x = {}\nx['b'] = ensemble['fvc']\nx"], [f"{RECORDED}FVC.", "shown {}"]),
    # Groups of columns, and formulas.
    (["[c for c in ensemble if c.startswith('drug_')]"], ["Not recorded: Drug A.", "shown []"]),
    (["len(ensemble), 'score ~ age'"], ["Not recorded: Age.", "shown (3, "]),
    # Too little: the error is the reason.
    (["max(ensemble['few'])\n1"], [EMPTY, "shown 1"]),
    (["y = max(ensemble['few'])", "z = y + 1", "z"], [EMPTY] * 3),
    ([LOOP + "found"], [f"{LITTLE}(ZeroDivisionError: division by zero)."]),
    # What a library warns of is said, once a cell, and the value stays.
    (
        ["import warnings\nfor _ in (1, 2):\n    warnings.warn('nearly identical')\n7"],
        ["Warning: nearly identical", "shown 7"],
    ),
    # The loop's own name says nothing about the cohort.
    (["for n in ensemble:\n    pass\n", "for n in ('fvc',):\n    pass\nn"], ["shown fvc"]),
]


@pytest.mark.parametrize(("cells", "expected"), CASES, ids=[" / ".join(c) for c, _ in CASES])
def test_a_statement_is_left_out_with_what_builds_on_it(
    cells: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = ran(*cells, capsys=capsys)
    said = [line for line in found if line.startswith(("Left", "Not", "Warning", "shown"))]
    assert all(a.startswith(b) for a, b in zip(said, expected, strict=True)), said


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("assert ensemble['few']", AssertionError),
        ("misspelt + 1", NameError),
        ("import nothing_of_this_name", ImportError),
        ("raise MismatchError('two values')", MismatchError),
    ],
)
def test_a_fault_of_the_notebook_is_not_left_out(
    cell: str, error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(error):
        ran(cell, capsys=capsys, MismatchError=MismatchError)


def skin(patients: int, months: tuple[int, ...], fall: float = 0.5) -> pd.DataFrame:
    """Return skin scores of a few patients, on the same months, falling by so much a month."""
    rng = random.Random(patients)
    scores = {f"<b>P{number}</b>": rng.randint(20, 40) for number in range(patients)}
    return pd.DataFrame(
        [
            (name, month, "mrss", max(0, round(score - fall * month)))
            for name, score in scores.items()
            for month in months
        ],
        columns=["patient", "month", "measure", "value"],
    )


def full(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the teaching cohort with any half of its columns and measures, and few patients."""
    rng, whole = random.Random(seed), from_ensemble()
    patients = whole.patients.iloc[: rng.choice([4, 12, 30])]
    columns = [name for name in patients if name == "patient" or rng.random() < 0.5]
    every = whole.visits["measure"].unique()
    measures = [name for name in every if name == "mrss" or rng.random() < 0.5]
    kept = whole.visits["measure"].isin(measures) & whole.visits["patient"].isin(
        patients["patient"]
    )
    return patients[columns], whole.visits[kept]


EVERY = (0, 6, 12, 18, 24)
SMALL = {
    "three patients": skin(3, EVERY),
    "one patient": skin(1, EVERY),
    "baseline only": skin(20, (0,)),
    "one follow-up": skin(20, (0, 12)),
    "month 24 alone": skin(20, (0, 24)),
    "no baseline": skin(20, (6, 12)),
    "no visit in a window": skin(20, (0, 3, 9)),
    "nobody changes": skin(20, EVERY, fall=0),
    "all scores equal": skin(20, EVERY).assign(value=20),
    "any half of it": None,
}


def written(kind: str, seed: int, folder: Path) -> Path:
    folder.mkdir()
    visits = SMALL[kind]
    if visits is None:
        patients, visits = full(seed)
    else:
        patients = visits[["patient"]].drop_duplicates()
    for name, table in (("patients", patients), ("visits", visits)):
        inert(table).to_csv(folder / f"{name}.csv", index=False)
    return folder


KINDS = list(SMALL)
ROUND = [
    (section, KINDS[(place + turn) % len(KINDS)])
    for turn in range(min(FACTOR, len(KINDS)))
    for place, section in enumerate(SECTIONS)
]


def drawn(cells: list[dict[str, Any]]) -> set[str]:
    """Return the figures and tables that cells show, by the names that text calls them."""
    found = set()
    for cell in cells:
        outputs = json.dumps(cell.get("outputs"))
        settings = cell["metadata"].get("mystnb", {}).values()
        if "image/svg+xml" in outputs or "<caption>" in outputs:
            found |= {each["name"] for each in settings if "name" in each}
    return found


@pytest.mark.parametrize(("section", "kind"), ROUND)
def test_every_section_runs_on_a_small_cohort(section: str, kind: str, tmp_path: Path) -> None:
    folder = written(kind, sum(map(ord, section)), tmp_path / "mine")
    task = Task(Path(f"notebooks/{section}.ipynb"), {"cohort_folder": str(folder)})
    outcome = run_task(Project(ROOT), task, cache=False)
    assert outcome.kind == "done", outcome.message
    notebook = json.loads(outcome.content or b"")
    page = shown_cells(notebook)
    text = "".join("".join(cell["source"]) for cell in page)
    assert set(re.findall(r"\{numref\}`([^`]+)`", text)) <= drawn(page)
    cells = notebook["cells"]
    outputs = [each for cell in cells for each in cell.get("outputs", ())]
    assert not [each for each in outputs if each.get("name") == "stderr"]
    said = "".join("".join(each.get("text", "")) for each in outputs)
    if (section, kind) == ("methods", "baseline only"):
        assert "Warning: One or more sample arguments is too small" in said
    # What a patient is called is text in every table and figure.
    shown = json.dumps([each.get("data", {}).get("text/html", "") for each in outputs])
    assert "<b>P" not in shown
    thin = {"any half of it", "nobody changes", "all scores equal"}
    assert "fewer than two patients have it" in said or kind in thin or kind == "three patients"


@pytest.mark.parametrize("section", ["methods", "results_treatment"])
def test_nothing_is_left_out_of_a_whole_cohort(section: str) -> None:
    folder = ROOT / "data" / "cohorts" / "synthetic-teaching"
    outcome = run_task(
        Project(ROOT), Task(Path(f"notebooks/{section}.ipynb"), {"cohort_folder": str(folder)})
    )
    assert outcome.kind == "done", outcome.message
    text = (outcome.content or b"").decode()
    assert "Left out, for" not in text and "Not recorded: " not in text
