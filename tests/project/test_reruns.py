"""Every section runs under other parameters and on another cohort; what it shows stays checked.

`beside` fails a cell whose visible value differs from the ledger's, so a run that ends is a proof
that the code in sight follows every parameter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from ivig_dcssc.parameters import PARAMETERS

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TEACHING = "data/cohorts/synthetic-teaching"
OTHER: dict[str, dict[str, Any]] = {
    "tests": {
        "alpha": 0.01,
        "two_sample_test": "welch",
        "rounding_rule": "half-up",
        "comparator_n": "stated",
        "paired_test": "signed_rank",
        "signed_rank_convention": "zeros dropped, normal",
        "reading": "-8.0",
        "prior": "bimodal",
        "cohorts": 10,
    },
    "windows": {
        "baseline_window": 2,
        "followup_targets": "5, 11, 17, 23",
        "followup_tolerance": 1,
        "visit_rule": "first",
        "responder_threshold": 8,
        "minimum_cycles": 4,
        "organ_baseline_window": 6,
        "organ_followup_tolerance": 4,
        "cohorts": 20,
    },
    "own cohort": {"cohort_folder": TEACHING},
}


def test_every_parameter_has_another_value() -> None:
    """Another seed needs cohorts made with it; `test_parameters` makes some."""
    changed = {name for values in OTHER.values() for name in values}
    assert changed == set(PARAMETERS.names) - {"cohort_seed"}


@pytest.mark.parametrize("run", OTHER, ids=str)
@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.stem)
def test_a_section_runs_under_other_parameters(path: Path, run: str, tmp_path: Path) -> None:
    done = papermill.execute_notebook(
        path,
        tmp_path / path.name,
        parameters=OTHER[run],
        engine_name="rederive-fork",
        progress_bar=False,
        cwd=ROOT,
    )
    texts = [
        str(output.get("data", {}).get("text/html", ""))
        for cell in nbformat.from_dict(done)["cells"]
        for output in cell.get("outputs", ())
    ]
    assert any('class="rederive-banner"' in text for text in texts)
