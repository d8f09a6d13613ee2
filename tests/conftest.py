"""Fixtures that several groups of tests share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from ivig_dcssc.article import open_ledger
from ivig_dcssc.multiverse.explorer import Explorer
from rederive.book.ledger import Ledger
from rederive.execution.project import Project
from rederive.site.build import build_book
from repetitions import repeated

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile(
    "same each time", derandomize=True, deadline=None, max_examples=repeated(20)
)
settings.load_profile("same each time")

# In the background of a shell without job control Ctrl-C is ignored, also by what tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


APART = {
    "test_execution",
    "test_reruns",
    "test_soundness",
    "test_sweep_dask",
    "test_switches",
}
"""Files of long tests that share nothing; of all others each stays on one worker."""

SHARED = {
    "test_browser": "book",
    "test_pages_browser": "book",
    "test_keyboard_browser": "book",
    "test_references": "book",
    "test_pdf": "book",
    "test_fork_engine": "book",
    "test_site": "book",
    "test_split": "book",
    "test_explorer": "explorer",
    "test_explorer_browser": "explorer",
}
"""What several files share; they stay together on one worker."""


class Scheduling(LoadScopeScheduling):
    """Hands out what shares something expensive together, and the rest one test at a time."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        name = Path(file).stem
        return nodeid if name in APART else SHARED.get(name, file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a file that would have another worker build the book once more."""
    for item in items:
        if "built_book" in getattr(item, "fixturenames", ()) and item.path.stem not in SHARED:
            raise pytest.UsageError(f"{item.path.name} needs the built book: name it in SHARED")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(ROOT)


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """The article's ledger under its own parameters."""
    return open_ledger()


@pytest.fixture(scope="session")
def explorer() -> Explorer:
    return Explorer.of(ROOT)


@pytest.fixture(scope="session")
def built_book(project: Project) -> Path:
    """The real book's site, built as `make book` builds it."""
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
