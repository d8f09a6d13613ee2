"""The command that runs one notebook under other parameters."""

from __future__ import annotations

import json
from pathlib import Path

import click

from rederive.cli.options import (
    ParameterCommand,
    complete_notebook,
    given_parameters,
    parameter_options,
)
from rederive.cli.run_notebook import changes_in_words, output_of, run_notebook, task_of
from rederive.execution.project import find_project
from rederive.execution.run import CELL_TIMEOUT_SECONDS
from rederive.parameters.chosen import find_notebook, project_parameters

_EXAMPLES = """\b
Examples:
  rederive run results_skin -p responder_threshold=8
  rederive run results_skin --params-file strict.yaml --output strict.ipynb
  rederive run results_function --cohort my-cohort --json
"""


@click.command("run", cls=ParameterCommand, epilog=_EXAMPLES)
@click.argument("notebook", shell_complete=complete_notebook)
@parameter_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File for the executed notebook; by default one in _build/runs.",
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    default=int(CELL_TIMEOUT_SECONDS),
    show_default=True,
    help="Seconds that one cell may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print parameters, status and all results.")
@click.option("--no-cache", is_flag=True, help="Execute it even if nothing has changed.")
@click.pass_context
def run_command(
    ctx: click.Context,
    notebook: str,
    assignments: tuple[str, ...],
    params_file: Path | None,
    cohort: Path | None,
    output: Path | None,
    timeout: int,
    as_json: bool,
    no_cache: bool,
) -> None:
    """Run one NOTEBOOK, by name or path, and say which results change.

    Exit status: 0 done, 1 the notebook failed, 2 the request is not usable.
    """
    project = find_project(ctx.obj)
    path = find_notebook(project, notebook)
    parameters = project_parameters(project)
    given = given_parameters(project, parameters, assignments, params_file, cohort)
    task = task_of(project, path, parameters, given)
    target = output_of(project, task, output)
    ran = run_notebook(project, task, target, timeout=timeout, cache=not no_cache)
    done = ran.outcome.kind == "done"
    if as_json:
        click.echo(json.dumps(ran.as_record(), indent=1, ensure_ascii=False))
    if not done:
        click.echo(f"error: {path.as_posix()}: {ran.outcome.message}", err=True)
        if ran.outcome.failed is not None:
            click.echo(f"The notebook with the error: {_shown(ran.output)}", err=True)
        ctx.exit(2 if ran.outcome.refused else 1)
    if not as_json:
        how = "from the cache" if ran.outcome.cached else f"in {ran.outcome.seconds:.1f} s"
        for line in changes_in_words(ran):
            click.echo(line)
        click.echo(f"{path.as_posix()}, {how}: {_shown(ran.output)}")


def _shown(path: Path) -> str:
    """Return a path as short as it is clear: relative below the working directory."""
    absolute = path.absolute()
    folder = Path.cwd()
    return str(absolute.relative_to(folder)) if absolute.is_relative_to(folder) else str(absolute)
