"""Students' notebooks in the oldest and the newest environment that a pack supports.

``pytest -m environments`` makes both with uv, from the index of packages that it is set up for.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rederive_teach.lesson import Cohort
from rederive_teach.pack import OLDEST, Course, own_files, shared_files
from rederive_teach.split import teacher_version
from teach.conftest import CHAPTERS, TEACHING, notebook_of
from teach.test_packs import RUN

pytestmark = pytest.mark.environments

NEEDED = [*(f"{name}>={version}" for name, version in OLDEST.items()), "ipython>=8.12"]


def environment(folder: Path, resolution: str, packages: list[str]) -> Path:
    """Make an environment with nothing of this project, and return its interpreter."""
    uv = [sys.executable, "-m", "uv"]
    interpreter = folder / "bin" / "python"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install = ["pip", "install", "--quiet", "--only-binary", ":all:", "--python", interpreter]
    subprocess.run([*uv, *install, "--resolution", resolution, *packages], check=True)
    return interpreter


@pytest.fixture(scope="module", params=["lowest-direct", "highest"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment(
        tmp_path_factory.mktemp(request.param) / "environment", request.param, NEEDED
    )


@pytest.fixture(scope="module")
def pack() -> dict[str, bytes]:
    course = Course("course", tuple(CHAPTERS))
    return shared_files(course) | own_files(course, "anna", Cohort.read(TEACHING), "")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_with_its_solutions(
    chapter: Path, python: Path, pack: dict[str, bytes], tmp_path: Path
) -> None:
    for name, content in pack.items():
        (tmp_path / name).write_bytes(content)
    notebook = json.dumps(teacher_version(notebook_of(chapter)))
    (tmp_path / chapter.name).write_text(notebook)
    command = [python, "-W", "ignore", "-c", RUN, chapter.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
