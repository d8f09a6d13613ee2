"""The command ``sweep``: many runs of a notebook, on this computer or on a Dask cluster."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from rederive.cli.options import COHORT, PATH
from rederive.cli.watch import Watch
from rederive.execution.project import Project, find_project
from rederive.execution.run import Task
from rederive.parameters.notebooks import COHORT_PARAMETER, own_cohort, project_parameters
from rederive.printed.errors import BookError, ConfigurationError
from rederive.printed.files import write_atomically
from rederive.printed.registry import ClaimRow, NumberRow, Registry, load_registry
from rederive.site.build import build_book
from rederive.site.page import STYLESHEET, notebook_page
from rederive.site.variant import short_hash
from rederive.sweep.driver import Summary, Sweep
from rederive.sweep.index import INDEX, RESULTS
from rederive.sweep.job import DONE
from rederive.sweep.plan import Plan, plan_sweep
from rederive.sweep.points import Request, assignments_of
from rederive.sweep.store import RUNS, RunStore
from rederive.sweep.view import open_sweep, results_of
from rederive.sweep.workers import open_workers

PAGE = Path("book") / "sweep.ipynb"
"""The notebook of the page; only a book that brings it can show sweeps."""

CAPTION = "Rerun"
"""Part of the table of contents in which the page stands."""

TABLES = Path("_build") / "sweeps"
"""Copies of the tables that pages were made from, by content."""

_EXAMPLE = (
    "\b\nrederive sweep results_skin --out sweeps/skin \\\n"
    "  --grid baseline_window=2..4 --grid 'visit_rule=*'"
)

_PROBLEMS_SHOWN = 5


@click.command("sweep", epilog=_EXAMPLE)
@click.argument("notebook")
@click.option(
    "--grid",
    "grids",
    multiple=True,
    metavar="NAME=V1,V2,...",
    help="Values of one parameter; every combination of all grids is run. Ranges such as 3..8 "
    "or 0.01..0.05..0.01, * for all choices, text with a comma in double quotes.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar='"A=1 B=2"',
    help="One parameter set; may be given many times.",
)
@click.option(
    "--file",
    type=PATH,
    help="Parameter sets: CSV with one column a parameter, or YAML or JSON with a list.",
)
@click.option("-p", "fixed", multiple=True, metavar="NAME=VALUE", help="A value of every run.")
@COHORT
@click.option(
    "--out", required=True, metavar="FOLDER|URL", help="Where the runs are kept; also s3://, gs://."
)
@click.option(
    "--workers",
    default=0,
    type=click.IntRange(min=0),
    help="Worker processes on this computer; by default threads of this one, one a processor.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    default="",
    help="Dask scheduler, for instance tcp://host:8786, or its scheduler file (.json).",
)
@click.option(
    "--project-root", metavar="FOLDER", default="", help="The book's folder as the workers see it."
)
@click.option(
    "--timeout",
    default=600,
    show_default=True,
    type=click.IntRange(min=1),
    help="Seconds that a cell may take.",
)
@click.option("--retry-failed", is_flag=True, help="Carry out again what failed before.")
@click.option("--html", is_flag=True, help="Also write each run as one page, beside its notebook.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def sweep_command(
    ctx: click.Context,
    /,
    notebook: str,
    cohort: Path | None,
    out: str,
    workers: int,
    scheduler: str,
    project_root: str,
    timeout: int,
    retry_failed: bool,
    html: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Run NOTEBOOK under many parameter sets and keep every run.

    NOTEBOOK is a name, a path, or 'book' for all sections. A run that is there already is not
    carried out again; a sweep that was stopped continues when it is called again.
    """
    project = find_project(ctx.obj)
    store = RunStore(out)
    _refuse_source_folder(project, out)
    if scheduler and workers:
        raise ConfigurationError("--workers and --scheduler: allowed: one of them")
    if cohort is not None:
        folder = own_cohort(project, cohort, project_parameters(project))
        asked["fixed"] += (f"{COHORT_PARAMETER}={folder}",)
    plan = plan_sweep(project, notebook, Request(**asked))
    if store.is_in_memory:
        click.echo(
            f"warning: {out} is the memory of this command: all runs are gone when it ends; "
            "to keep them give a folder, s3:// or gs://",
            err=True,
        )
    sweep = Sweep(
        plan,
        store,
        lambda due: open_workers(due, workers, scheduler),
        timeout=timeout,
        retry_failed=retry_failed,
        workers_write=bool(scheduler or workers) and not (store.is_local or store.is_in_memory),
        root=project_root,
    )
    with _ended_like_ctrl_c(), Watch("runs", catch=False) as sweep.watch:
        summary = sweep.run()
    about = {"notebook": plan.notebook, "out": out, "runs": len(plan.runs)}
    if as_json:
        keys = [run.key for run in plan.runs]
        click.echo(json.dumps({**about, **asdict(summary), "keys": keys}, indent=1))
    else:
        counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items())
        click.echo(
            f"{len(plan.runs)} runs of {notebook}: {counts}; {summary.executed} were carried out "
            f"by this call\n  {out.rstrip('/')}/{INDEX}"
        )
    if html:
        _write_pages(project, store, plan)
    if not summary.is_complete:
        raise BookError(_complaint(plan, store, summary))


@click.command("sweep-page")
@click.argument("folder")
@click.argument("result", required=False)
@click.pass_context
def sweep_page_command(ctx: click.Context, folder: str, result: str | None) -> None:
    """Make a page about one RESULT (an id of the ledger) of the sweep in FOLDER.

    Without RESULT the results to choose from are listed, those that vary most first. The page is
    part of a book of its own below _build/variants; the book itself stays as it is.
    """
    project = find_project(ctx.obj)
    if result is not None:
        report = functools.partial(click.echo, err=True)
        index = build_sweep_page(project, RunStore(folder), result, report=report)
        click.echo(f"The page is ready:\n  open {os.path.relpath(index)} in a browser.")
        return
    published = project.root / "data" / "published"
    registry = load_registry(published) if published.is_dir() else None
    for each, printed, different in results_of(folder).fillna({"printed": "-"}).itertuples():
        name = f"{_name_of(registry.row(each), registry)}: " if registry else ""
        click.echo(f"{each}\n    {name}published {printed}, {different} different here")
    click.echo(f"\nThe page of one of them: rederive sweep-page {folder} RESULT", err=True)


def build_sweep_page(
    project: Project, store: RunStore, result: str, *, report: Callable[[str], None] = print
) -> Path:
    """Build the book with a page about one result of a sweep, an id of the ledger; return the page.

    It reads copies of the sweep's tables, named by their content: so it is made again when the
    sweep has grown, names no folder of the user's, and needs no access to the sweep's place. No
    page for sweeps, or no such result, is a ``ConfigurationError``.
    """
    if not (project.root / PAGE).is_file():
        raise ConfigurationError(f"{PAGE.as_posix()}: this book has no page for sweeps")
    open_sweep(store.url, result)
    tables = {name: store.read(name) for name in (INDEX, RESULTS)}
    digest = short_hash({name: content.hex() for name, content in tables.items()})
    for name, content in tables.items():
        write_atomically(project.root / TABLES / digest / name, content)
    given = {"sweep_folder": f"../{TABLES.as_posix()}/{digest}", "result": result}
    book = replace(project, variant=f"sweep-{short_hash(given)}")
    built = build_book(book, added=[(Task(PAGE, given), CAPTION)], report=report)
    return built.site / PAGE.with_suffix(".html")


def _name_of(row: NumberRow | ClaimRow, registry: Registry) -> str:
    words = (registry.variables[row.variable].label, row.group, row.timepoint)
    return ", ".join(word for word in words if word)


def _write_pages(project: Project, store: RunStore, plan: Plan) -> None:
    """Write each run's notebooks as pages beside them."""
    for run in plan.runs:
        for task in run.tasks:
            place = f"{RUNS}/{run.key}/{task.notebook.stem}"
            with contextlib.suppress(FileNotFoundError):
                text = notebook_page(store.read(f"{place}.ipynb"), project.root / STYLESHEET)
                store.write(f"{place}.html", text.encode())


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let a batch system that ends this process leave a whole index behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _complaint(plan: Plan, store: RunStore, summary: Summary) -> str:
    """Say what did not get done, each run by its parameters and with its notebook."""
    lines = []
    if summary.stopped:
        lines.append(f"{summary.stopped}; what is done is kept, and the same call continues")
    if summary.unwritten:
        lines.append(f"the index could not be written: {summary.unwritten}")
    undone = len(plan.runs) - summary.counts.get(DONE, 0)
    lines.append(f"{undone} of {len(plan.runs)} runs did not get done")
    told = [run for run in plan.runs if summary.problems.get(run.key)]
    for run in told[:_PROBLEMS_SHOWN]:
        lines.append(f"  {assignments_of(run.point)}: {summary.problems[run.key]}")
        lines.append(f"    {store.url.rstrip('/')}/{RUNS}/{run.key}")
    if len(told) > _PROBLEMS_SHOWN:
        lines.append(f"  and {len(told) - _PROBLEMS_SHOWN} more; see the index")
    return "\n".join(lines)


def _refuse_source_folder(project: Project, out: str) -> None:
    """Refuse to write a sweep among the book's own files."""
    place, root = Path(out).expanduser().resolve(), project.root.resolve()
    own = [root / name for name in ("book", "data", "notebooks", "src", "tests")]
    if "://" not in out and (place == root or any(place.is_relative_to(each) for each in own)):
        raise ConfigurationError(
            f"--out: found {out!r}, which belongs to the book's own files, allowed: another "
            "folder, for instance sweeps/NAME"
        )
