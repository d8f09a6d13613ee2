"""Every section runs under other parameters and on another cohort; what it shows stays checked.

`beside` fails a cell whose visible value differs from the ledger's, so a run that ends is a proof
that the code in sight follows every parameter.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import papermill
import pytest

from cohorts_of_ones_own import another, least
from ivig_dcssc.parameters import PARAMETERS

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OTHER: dict[str, Any] = {
    "alpha": 0.01,
    "two_sample_test": "welch",
    "rounding_rule": "half-up",
    "comparator_n": "stated",
    "paired_test": "signed_rank",
    "signed_rank_convention": "zeros dropped, normal",
    "reading": "-8.0",
    "prior": "bimodal",
    "cohorts": 20,
    "baseline_window": 2,
    "followup_targets": "5, 11, 17, 23",
    "followup_tolerance": 1,
    "visit_rule": "first",
    "responder_threshold": 8,
    "minimum_cycles": 4,
    "organ_baseline_window": 6,
    "organ_followup_tolerance": 4,
}
EXTREME = {
    "baseline_window": 0,
    "followup_tolerance": 0,
    "organ_baseline_window": 0,
    "organ_followup_tolerance": 0,
    "responder_threshold": 51,
    "alpha": 0.5,
}


@pytest.fixture(scope="module")
def seeded(worker_id: str) -> Iterator[int]:
    """Another seed, with cohorts where its command would put them: other ones of those shipped."""
    seed = 1_000_000 + int(worker_id.removeprefix("gw") if worker_id != "master" else 0)
    folder = ROOT / "_build" / "cohorts" / f"seed-{seed}"
    prior = OTHER["prior"]
    (folder / prior).mkdir(parents=True, exist_ok=True)
    for name in ("patients.parquet", "visits.parquet"):
        table = pd.read_parquet(ROOT / "data" / "cohorts" / prior / name)
        table[table["cohort"] >= 150].to_parquet(folder / prior / name)
    yield seed
    shutil.rmtree(folder)


def test_every_parameter_has_another_value() -> None:
    assert {*OTHER, "cohort_seed", "cohort_folder"} == set(PARAMETERS.names)


def executed(path: Path, parameters: dict[str, Any], folder: Path) -> list[str]:
    """Execute a section under some parameters; return the HTML of its outputs."""
    done = papermill.execute_notebook(
        path,
        folder / path.name,
        parameters=parameters,
        engine_name="rederive-fork",
        progress_bar=False,
        cwd=ROOT,
    )
    return [
        str(output.get("data", {}).get("text/html", ""))
        for cell in nbformat.from_dict(done)["cells"]
        for output in cell.get("outputs", ())
    ]


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.stem)
def test_a_section_runs_under_other_parameters(path: Path, seeded: int, tmp_path: Path) -> None:
    texts = executed(path, OTHER | {"cohort_seed": seeded}, tmp_path)
    assert any('class="rederive-banner"' in text for text in texts)


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.stem)
def test_a_section_runs_on_skin_scores_alone(path: Path, tmp_path: Path) -> None:
    narrow = EXTREME if path.stem in ("results_controls", "sensitivity") else {}
    texts = executed(path, {"cohort_folder": str(least(tmp_path / "cohort")), **narrow}, tmp_path)
    assert any("another study" in text or "banner" in text for text in texts)


def test_a_section_says_what_it_leaves_out_and_goes_on(tmp_path: Path) -> None:
    folder = another(tmp_path / "cohort")
    visits = pd.read_csv(folder / "visits.csv")
    visits[visits["measure"].isin(["mrss", "fvc"])].to_csv(folder / "visits.csv", index=False)
    patients = pd.read_csv(folder / "patients.csv")[["patient", "age_onset", "female"]]
    patients.to_csv(folder / "patients.csv", index=False)
    parameters = {"cohort_folder": str(folder)}
    for name in ("results_function", "results_predictors", "results_treatment", "sensitivity"):
        executed(ROOT / "notebooks" / f"{name}.ipynb", parameters, tmp_path)
        done = nbformat.read(tmp_path / f"{name}.ipynb", 4)
        said = [each.get("text", "") for cell in done.cells for each in cell.get("outputs", ())]
        assert any(text.startswith("Left out, for it needs what this") for text in said), name
        assert any(text.startswith("Not recorded: ") for text in said) or "treat" in name, name
