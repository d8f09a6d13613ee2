"""Fixtures that several groups of tests share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from rederive.execution.project import Project
from rederive.site.build import build_book
from repetitions import repeated

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile(
    "same each time", derandomize=True, deadline=None, max_examples=repeated(40)
)
settings.load_profile("same each time")

# In the background of a shell without job control Ctrl-C is ignored, also by what tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(ROOT)


@pytest.fixture(scope="session")
def built_book(project: Project) -> Path:
    """The real book's site, built as `make book` builds it; one worker builds, the others wait."""
    project.build.mkdir(exist_ok=True)
    with FileLock(project.build / "tests.lock"):
        return build_book(project, jobs=2).site


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """Path of an installed Chromium; a must where CI is set, else tests without one are skipped."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        message = f"none of {', '.join(names)} is installed"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    yield found
