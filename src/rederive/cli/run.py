"""The command that runs one notebook under other parameters."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from rederive.book.results import read_results
from rederive.cli.options import PATH, given_parameters, parameter_options
from rederive.execution.project import Project, find_project
from rederive.execution.run import CELL_TIMEOUT_SECONDS, Task, run_task
from rederive.parameters import ParameterSet
from rederive.parameters.given import check_taken
from rederive.parameters.notebooks import (
    COHORT_PARAMETER,
    NOTEBOOKS_FOLDER,
    find_notebook,
    notebook_parameters,
    project_parameters,
    takers,
)
from rederive.printed.errors import ConfigurationError
from rederive.printed.files import check_writable, write_atomically
from rederive.site.page import STYLESHEET, notebook_page
from rederive.site.variant import CHANGED, short_hash

_ROWS_SHOWN = 20
_EXAMPLES = """\b
Examples:
  rederive run results_skin -p responder_threshold=8
  rederive run results_skin --params-file strict.yaml --output strict.ipynb
  rederive run results_function --cohort my-cohort --json
  rederive run results_skin --cohort my-cohort --open
"""


@click.command("run", epilog=_EXAMPLES)
@click.argument("notebook")
@parameter_options
@click.option(
    "--output", type=PATH, help="File for the executed notebook; by default one in _build/runs."
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    default=int(CELL_TIMEOUT_SECONDS),
    show_default=True,
    help="Seconds that one cell may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print parameters, status and all results.")
@click.option("--html", is_flag=True, help="Also write one page, beside the executed notebook.")
@click.option("--open", "opened", is_flag=True, help="Write that page and show it in a browser.")
@click.option("--no-cache", is_flag=True, help="Execute it even if nothing has changed.")
@click.pass_context
def run_command(
    ctx: click.Context,
    /,
    notebook: str,
    output: Path | None,
    timeout: int,
    as_json: bool,
    html: bool,
    opened: bool,
    no_cache: bool,
    **asked: Any,
) -> None:
    """Run one NOTEBOOK, by name or path, and say which results change.

    A notebook with an error is kept beside the output, as NAME.failed.ipynb. Exit status: 0 done,
    1 the notebook failed, 2 the request is not usable.
    """
    project = find_project(ctx.obj)
    path = find_notebook(project, notebook)
    parameters = project_parameters(project)
    given = given_parameters(project, parameters, **asked)
    task = _task(project, path, parameters, given)
    target = _output(project, task, output)
    if not no_cache:
        check_writable(project.cache / "any")
    failed = target.with_name(f"{target.stem}.failed.ipynb")
    outcome = run_task(project, task, timeout=timeout, cache=not no_cache)
    results: list[dict[str, Any]] = []
    if outcome.content is not None:
        write_atomically(target, outcome.content)
        failed.unlink(missing_ok=True)
        results = read_results(json.loads(outcome.content))
    elif outcome.failed is not None:
        write_atomically(failed, outcome.failed)
        target = failed
    written = outcome.content or outcome.failed
    page = target.with_suffix(".html") if written and (html or opened) else None
    if written and page:
        text = notebook_page(written, project.root / STYLESHEET)
        write_atomically(page, text.encode())
    if as_json:
        record = {
            "notebook": task.name,
            "parameters": dict(task.parameters),
            "status": outcome.kind,
            "message": outcome.message,
            "seconds": round(outcome.seconds, 3),
            "cached": outcome.cached,
            "output": str(target) if written else "",
            "page": str(page or ""),
            "results": results,
        }
        click.echo(json.dumps(record, indent=1, ensure_ascii=False))
    if outcome.content is None:
        click.echo(f"error: {task.name}: {outcome.message}", err=True)
        if outcome.failed is not None:
            click.echo(f"The notebook with the error: {_shown(target)}", err=True)
        ctx.exit(2 if outcome.refused else 1)
    if not as_json:
        how = "from the cache" if outcome.cached else f"in {outcome.seconds:.1f} s"
        own = bool(task.parameters.get(COHORT_PARAMETER))
        click.echo("\n".join([*_changes(results, own), f"{task.name}, {how}: {_shown(target)}"]))
        if page:
            click.echo(f"The page: {_shown(page)}")
    if opened and page and click.launch(str(page.absolute())):
        click.echo("no browser could be opened", err=True)


def _task(
    project: Project, notebook: Path, parameters: ParameterSet, given: Mapping[str, object]
) -> Task:
    """Return what is to be run; a notebook about the whole book takes all values as one mapping."""
    taken = notebook_parameters(project.root / notebook, parameters.names)
    if CHANGED in taken:
        changed = dict(parameters.changed(parameters.check(given)))
        return Task(notebook, {CHANGED: changed} if changed else {})
    by = takers(project.root / NOTEBOOKS_FOLDER)
    return Task(notebook, check_taken(parameters, given, taken, notebook.stem, by))


def _output(project: Project, task: Task, wanted: Path | None) -> Path:
    """Return where the notebook is to be written, after a look whether it can be."""
    name = f"{task.notebook.stem}-{short_hash(task.parameters)}.ipynb"
    output = project.runs / name if wanted is None else wanted
    if output.resolve() == (project.root / task.notebook).resolve():
        raise ConfigurationError(f"output: {output} is the notebook itself, allowed: another file")
    if output.is_dir():
        raise ConfigurationError(f"output: {output} is a folder, allowed: a file")
    check_writable(output)
    return output


def _changes(results: Sequence[Mapping[str, Any]], own_cohort: bool) -> list[str]:
    """Return what a run changed, one line for each result."""
    total = len(results)
    if not results:
        return ["The notebook carries no results of a section."]
    if own_cohort:
        return [f"{total} results, from your own cohort; nothing in it was fitted."]
    moved = [(row, text) for row in results if (text := _moved(row))]
    if not moved:
        return [f"None of {total} results differ from those under the article's parameters."]
    width = max(len(str(row["id"])) for row, _ in moved[:_ROWS_SHOWN])
    lines = [f"{len(moved)} of {total} results differ from those under the article's parameters:"]
    lines += [
        f"  {row['id']:<{width}}  {text}  (published {row['printed']})"
        for row, text in moved[:_ROWS_SHOWN]
    ]
    more = len(moved) - _ROWS_SHOWN
    return [*lines, *([f"  and {more} more; --json lists them all"] if more > 0 else [])]


def _moved(row: Mapping[str, Any]) -> str:
    """Return what became of a result, or nothing: its value, or its decision, or its verdict."""
    if row.get("before"):
        return f"{row['before']} -> {row['reproduced'] or 'nothing'}"
    for kind in ("decision", "verdict"):
        if row.get(f"before_{kind}"):
            return f"{kind}: {row[f'before_{kind}']} -> {row[kind] or 'nothing'}"
    return ""


def _shown(path: Path) -> str:
    """Return a path as short as it is clear: relative below the working directory."""
    here = path.absolute().is_relative_to(Path.cwd())
    return os.path.relpath(path) if here else str(path.absolute())
