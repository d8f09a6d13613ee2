"""The whole way from notebooks to site."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rederive.book.export import registry_summary
from rederive.execution.project import Project
from rederive.execution.run import Progress, Report, Task, execute_tasks
from rederive.printed.files import check_writable
from rederive.site.pages import build_site
from rederive.site.staging import staged_files
from rederive.site.variant import CHANGES_CAPTION, CHANGES_PAGE, Variant


@dataclass(frozen=True)
class Built:
    """What a build did: the folder of the pages, how many notebooks were run, whether it changed.

    A site that was already that of these sources has not been built.
    """

    site: Path
    executions: int
    site_built: bool


def build_book(
    project: Project,
    *,
    variant: Variant | None = None,
    added: Sequence[tuple[Task, str]] = (),
    jobs: int = 2,
    report: Report = print,
    progress: Progress | None = None,
) -> Built:
    """Execute all notebooks of a book and build its site; repeat nothing that is unchanged.

    A variant has parameters that differ from the article's; its site is a folder of its own and the
    original stays as it is. Added are further notebooks of a variant, with the caption of the part
    in which each is to stand. Reported are lines of progress, each with the seconds since the
    start; jobs and progress are as for `execute_tasks`.

    If a table of printed numbers or a setting is not usable, a notebook fails, or the site has a
    warning, the last good site is untouched.
    """
    start = time.monotonic()

    def timed(line: str) -> None:
        report(f"[{time.monotonic() - start:6.1f} s] {line}")

    def task(notebook: Path) -> Task:
        given = variant.parameters_for(project.root / notebook) if variant else {}
        return Task(notebook, given)

    registry = project.root / "data" / "published"
    if (registry / "schema.json").is_file():
        registry_summary(registry)
    if variant is not None:
        project = replace(project, variant=variant.name)
        if CHANGES_PAGE not in project.pages and (project.root / CHANGES_PAGE).is_file():
            added = ((task(CHANGES_PAGE), CHANGES_CAPTION), *added)
    tasks = [*map(task, project.notebooks), *(each for each, _ in added)]
    timed(f"{len(project.pages) + len(added)} pages, {len(tasks)} of them notebooks")
    for folder in (project.output, project.cache):
        check_writable(folder / "any")
    executed = execute_tasks(project, tasks, jobs=jobs, report=timed, progress=progress)
    contents = {each.notebook: c for each, c in zip(tasks, executed.contents, strict=True)}
    captions = {each.notebook: caption for each, caption in added}
    files = staged_files(project, contents, captions, variant)
    timed("site: checking and building the pages")
    site_built = build_site(project, files)
    timed("site: done" if site_built else "site: unchanged")
    return Built(project.site, executed.executions, site_built)
