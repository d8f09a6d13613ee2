"""Students' notebooks in other environments, the oldest and the newest that a pack supports.

``REDERIVE_STUDENT_PYTHONS`` names interpreters, separated by the system's path separator, that have
pandas, SciPy, statsmodels, matplotlib and IPython, and nothing of this project, such as::

    uv venv oldest && uv pip install --python oldest/bin/python \\
        "pandas==2.0.*" "scipy==1.11.*" "statsmodels==0.14.0" "matplotlib==3.7.*" "numpy<2" ipython
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from rederive_teach.lesson import Cohort
from rederive_teach.pack import Course, student_files
from rederive_teach.split import teacher_version
from teach.conftest import CHAPTERS, TEACHING, notebook_of
from teach.test_packs import RUN

PYTHONS = [
    name for name in os.environ.get("REDERIVE_STUDENT_PYTHONS", "").split(os.pathsep) if name
]


@pytest.mark.skipif(not PYTHONS, reason="REDERIVE_STUDENT_PYTHONS names no other environment")
@pytest.mark.parametrize("python", PYTHONS)
def test_every_chapter_runs_with_its_solutions(python: str, tmp_path: Path) -> None:
    files = student_files(Course("course", tuple(CHAPTERS)), "anna", Cohort.read(TEACHING))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for chapter in CHAPTERS:
        notebook = json.dumps(teacher_version(notebook_of(chapter)))
        (tmp_path / chapter.name).write_text(notebook)
        command = [python, "-W", "ignore", "-c", RUN, chapter.name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (chapter.stem, done.stderr[-2000:])
