"""The command ``sweep``: many runs of a notebook, on this computer or on a Dask cluster."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from rederive.errors import BookError, ConfigurationError
from rederive.execution.project import Project, find_project
from rederive.parameters.chosen import COHORT_PARAMETER, own_cohort, project_parameters
from rederive.sweep.driver import Manner, Summary, Watch, run_sweep
from rederive.sweep.index import INDEX
from rederive.sweep.plan import Plan, plan_sweep
from rederive.sweep.points import Request
from rederive.sweep.runners import OpenRunner, on_scheduler, own_runner
from rederive.sweep.store import RunStore
from rederive.sweep.worker import DONE

FEW_RUNS = 8
"""Up to so many runs are carried out in threads, unless workers are asked for."""

_EXAMPLE = (
    "\b\nrederive sweep results_skin --out sweeps/skin \\\n"
    "  --grid baseline_window=2..4 --grid 'visit_rule=*'"
)

_PROBLEMS_SHOWN = 5
_BAR_RUNS = 2


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
    type=click.Path(path_type=Path),
    help="Parameter sets: CSV with one column a parameter, or YAML or JSON with a list.",
)
@click.option("-p", "fixed", multiple=True, metavar="NAME=VALUE", help="A value of every run.")
@click.option(
    "--cohort",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Folder with a cohort of your own.",
)
@click.option(
    "--out", required=True, metavar="FOLDER|URL", help="Where the runs are kept; also s3://, gs://."
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Worker processes on this computer; 0 are threads. By default one a processor, "
    f"or threads for up to {FEW_RUNS} runs.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Dask scheduler, for instance tcp://host:8786, or its scheduler file (.json).",
)
@click.option(
    "--project-root", metavar="FOLDER", default="", help="The book's folder as the workers see it."
)
@click.option(
    "--write",
    type=click.Choice(["auto", "driver", "workers"]),
    default="auto",
    show_default=True,
    help="Who writes the runs' folders: 'workers' needs storage that they share.",
)
@click.option(
    "--timeout",
    default=600,
    show_default=True,
    type=click.IntRange(min=1),
    help="Seconds that a cell may take.",
)
@click.option("--retry-failed", is_flag=True, help="Carry out again what failed before.")
@click.option("--page", metavar="RESULT", help="Afterwards make a page about one result (an id).")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def sweep_command(
    ctx: click.Context,
    notebook: str,
    grids: tuple[str, ...],
    sets: tuple[str, ...],
    file: Path | None,
    fixed: tuple[str, ...],
    cohort: Path | None,
    out: str,
    workers: int | None,
    scheduler: str | None,
    project_root: str,
    write: str,
    timeout: int,
    retry_failed: bool,
    page: str | None,
    as_json: bool,
) -> None:
    """Run NOTEBOOK under many parameter sets and keep every run.

    NOTEBOOK is a name, a path, or 'book' for all sections. A run that is there already is not
    carried out again; a sweep that was stopped continues when it is called again.
    """
    project = find_project(ctx.obj)
    _refuse_source_folder(project, out)
    if scheduler and workers is not None:
        raise ConfigurationError("--workers and --scheduler: allowed: one of them")
    if cohort is not None:
        folder = own_cohort(project, cohort, project_parameters(project))
        fixed = (*fixed, f"{COHORT_PARAMETER}={folder}")
    plan = plan_sweep(project, notebook, Request(grids, sets, file, fixed))
    store = RunStore(out)
    manner = Manner(
        open_runner=_runner(scheduler, workers, len(plan.runs)),
        timeout=timeout,
        retry_failed=retry_failed,
        workers_write=_workers_write(write, store, scheduler),
        root=project_root,
    )
    with _ended_like_ctrl_c(), _progress(plan) as watch:
        summary = run_sweep(plan, store, manner, watch)
    if as_json:
        click.echo(json.dumps(_as_json(plan, store, summary), indent=1, ensure_ascii=False))
    else:
        click.echo(_in_words(plan, store, summary))
    if page is not None and not summary.stopped:
        _make_page(project, store, page)
    if not summary.is_complete:
        raise BookError(_complaint(plan, summary))


@click.command("sweep-page")
@click.argument("folder")
@click.argument("result")
@click.pass_context
def sweep_page_command(ctx: click.Context, folder: str, result: str) -> None:
    """Make a page about one RESULT (an id of the ledger) of the sweep in FOLDER.

    The page is part of a book of its own below _build/variants; the book itself stays as it is.
    """
    _make_page(find_project(ctx.obj), RunStore(folder), result)


def _make_page(project: Project, store: RunStore, result: str) -> None:
    from rederive.sweep.page import build_sweep_page

    index = build_sweep_page(project, store, result, report=lambda line: click.echo(line, err=True))
    click.echo(f"The page is ready:\n  open {os.path.relpath(index)} in a browser.")


def _runner(scheduler: str | None, workers: int | None, runs: int) -> OpenRunner:
    if scheduler:
        return lambda due: on_scheduler(scheduler)
    if workers is None:
        workers = 0 if runs <= FEW_RUNS else os.cpu_count() or 1
    return own_runner(workers)


def _workers_write(write: str, store: RunStore, scheduler: str | None) -> bool:
    """Tell whether workers write: by default only to what they can be trusted to share."""
    if store.is_in_memory:
        return False
    if write == "auto":
        return not (scheduler and store.is_local)
    return write == "workers"


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let a batch system that ends this process leave a whole index behind."""

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _progress(plan: Plan) -> Iterator[Watch | None]:
    """Show a bar with the time left, on a terminal only."""
    if not sys.stderr.isatty() or len(plan.runs) < _BAR_RUNS:
        yield None
        return
    bar: Any = click.progressbar(
        length=len(plan.runs), label="runs", file=sys.stderr, show_eta=True, show_pos=True
    )
    with bar:
        yield bar.update


def _in_words(plan: Plan, store: RunStore, summary: Summary) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items())
    total = len(plan.runs)
    before = total - summary.executed - sum(summary.counts.get(s, 0) for s in ("pending", "lost"))
    kept = f"; {before} were there before" if before > 0 else ""
    return f"{total} runs of {plan.notebook}: {counts}{kept}\n  {store.url.rstrip('/')}/{INDEX}"


def _as_json(plan: Plan, store: RunStore, summary: Summary) -> dict[str, Any]:
    return {
        "notebook": plan.notebook,
        "out": store.url,
        "runs": len(plan.runs),
        "executed": summary.executed,
        "counts": dict(summary.counts),
        "stopped": summary.stopped,
        "unwritten": summary.unwritten,
        "problems": dict(summary.problems),
        "keys": [run.key for run in plan.runs],
    }


def _complaint(plan: Plan, summary: Summary) -> str:
    lines = []
    if summary.stopped:
        lines.append(f"{summary.stopped}; what is done is kept, and the same call continues")
    if summary.unwritten:
        lines.append(f"the index could not be written: {summary.unwritten}")
    undone = sum(summary.counts.values()) - summary.counts.get(DONE, 0)
    lines.append(f"{undone} of {len(plan.runs)} runs did not get done")
    told = [(key, message) for key, message in summary.problems.items() if message]
    lines += [f"  {key}: {message}" for key, message in told[:_PROBLEMS_SHOWN]]
    if len(told) > _PROBLEMS_SHOWN:
        lines.append(f"  and {len(told) - _PROBLEMS_SHOWN} more; see the index")
    return "\n".join(lines)


def _refuse_source_folder(project: Project, out: str) -> None:
    """Refuse to write a sweep among the book's own files."""
    if "://" in out:
        return
    place = Path(out).expanduser().resolve()
    root = project.root.resolve()
    for name in ("book", "data", "notebooks", "src", "tests"):
        if place == root or place.is_relative_to(root / name):
            raise ConfigurationError(
                f"--out: found {out!r}, which belongs to the book's own files, allowed: another "
                "folder, for instance sweeps/NAME"
            )
