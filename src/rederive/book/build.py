"""The whole way from notebooks to site."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rederive.book.config import Project
from rederive.book.execution import Report, Task, execute_tasks
from rederive.book.export import registry_summary
from rederive.book.site import build_site
from rederive.book.staging import staged_files


@dataclass(frozen=True)
class Built:
    """What a build did.

    Parameters
    ----------
    site
        Folder of the pages.
    executions
        How many notebooks were run.
    site_built
        False if the site in place was already that of these sources.
    """

    site: Path
    executions: int
    site_built: bool


def check_registry(project: Project) -> None:
    """Check the tables of printed numbers before anything is executed, if the book has them.

    Raises
    ------
    ConfigurationError
        With every problem found in the tables.
    """
    folder = project.root / "data" / "published"
    if (folder / "schema.json").is_file():
        registry_summary(folder)


def build_book(project: Project, *, jobs: int = 2, report: Report = print) -> Built:
    """Execute all notebooks of a book and build its site; repeat nothing that is unchanged.

    Parameters
    ----------
    project
        The book.
    jobs
        How many notebooks run at the same time.
    report
        Receives the lines of progress, each with the seconds since the start.

    Returns
    -------
    Built
        Where the site is, and how much had to be done.

    Raises
    ------
    BookError
        If a setting is not usable, a notebook fails, or the site has a warning. The last good
        site is then untouched.
    """
    start = time.monotonic()

    def timed(line: str) -> None:
        report(f"[{time.monotonic() - start:6.1f} s] {line}")

    check_registry(project)
    notebooks = project.notebooks
    timed(f"{len(project.pages)} pages, {len(notebooks)} of them notebooks")
    executed = execute_tasks(
        project, [Task(notebook) for notebook in notebooks], jobs=jobs, report=timed
    )
    files = staged_files(project, dict(zip(notebooks, executed.contents, strict=True)))
    timed("site: checking and building the pages")
    site_built = build_site(project, files)
    timed("site: done" if site_built else "site: unchanged")
    return Built(project.site, executed.executions, site_built)
