"""Where the project's files are, seen from a notebook or from anywhere inside it."""

from __future__ import annotations

import os
from pathlib import Path

ROOT_VARIABLE = "REDERIVE_ROOT"
"""Environment variable that names the project's folder; the build sets it."""

PATIENTS, VISITS = "patients.parquet", "visits.parquet"
"""The two tables of an ensemble."""

PREDICTIONS_FILE = "predictions.parquet"
"""Draws of every figure, one row for each reading, prior, figure and draw."""

HELD_OUT_FILE = "held_out.parquet"
"""The skin scores themselves of the first draws of the figures that the plan predicts."""

ASSOCIATIONS_FILE = "associations.parquet"
"""One row for each prior, cohort and simple regression."""

COHORTS = Path("data") / "cohorts"
"""Folder of everything that is shipped about cohorts, from the root of the project."""

CODEBOOK, BOUNDS_FILE = COHORTS / "codebook.csv", COHORTS / "bounds.json"
"""What the two tables of a cohort hold, and sharp bounds of the skin scores."""

_MARK = Path("data") / "published" / "numbers.csv"


def project_root() -> Path:
    """Return the project's folder.

    The environment variable comes first, then the folders upwards from the working folder, and last
    the checkout that holds this package.
    """
    named = os.environ.get(ROOT_VARIABLE)
    here = Path.cwd().resolve()
    candidates = [Path(named)] if named else [here, *here.parents]
    candidates.append(Path(__file__).resolve().parents[2])
    for folder in candidates:
        if (folder / _MARK).is_file():
            return folder
    raise FileNotFoundError(f"no folder with {_MARK.as_posix()} at or above {candidates[0].name!r}")


def built_notebooks(root: Path) -> frozenset[str]:
    """Return the names of the section notebooks that exist."""
    return frozenset(path.stem for path in (root / "notebooks").glob("*.ipynb"))
