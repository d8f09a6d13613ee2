"""The command that lists the parameters of a book."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

import click

from rederive.execution.project import find_project
from rederive.parameters import Parameter
from rederive.parameters.notebooks import (
    NOTEBOOKS_FOLDER,
    find_notebook,
    notebook_parameters,
    project_parameters,
    takers,
)

_WIDTH = 88

_EXAMPLES = """\b
Examples:
  rederive params
  rederive params results_skin
  rederive params --json
"""


@click.command("params", epilog=_EXAMPLES)
@click.argument("notebook", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def params_command(ctx: click.Context, notebook: str | None, as_json: bool) -> None:
    """List the parameters of the book, or those that one NOTEBOOK takes.

    For each: the article's value, what is allowed, what it means, and the notebooks that take it.
    """
    project = find_project(ctx.obj)
    parameters = project_parameters(project)
    taken_by = takers(project.root / NOTEBOOKS_FOLDER)
    shown: Sequence[Parameter] = tuple(parameters)
    if notebook is not None:
        names = notebook_parameters(project.root / find_notebook(project, notebook))
        shown = [each for each in parameters if each.name in names]
    if as_json:
        records = [_record(each, taken_by.get(each.name, ())) for each in shown]
        click.echo(json.dumps(records, indent=1, ensure_ascii=False))
        return
    if not shown:
        click.echo(f"{notebook} takes no parameters." if notebook else "There are no parameters.")
        return
    blocks = [_entry(each, taken_by.get(each.name, ()), notebook is None) for each in shown]
    click.echo("\n\n".join(blocks))


def _record(parameter: Parameter, notebooks: Sequence[str]) -> dict[str, object]:
    names = ("default", "unit", "minimum", "maximum", "choices", "allowed", "label", "meaning")
    record = {"name": parameter.name, "type": parameter.kind}
    record |= {name: getattr(parameter, name) for name in names}
    return record | {"notebooks": notebooks}


def _entry(parameter: Parameter, notebooks: Sequence[str], with_notebooks: bool) -> str:
    default = repr(parameter.default) if isinstance(parameter.default, str) else parameter.default
    title = f"{parameter.name} = {default} {parameter.unit}".strip()
    lines = [parameter.label, f"allowed: {parameter.allowed}", parameter.meaning]
    if with_notebooks:
        lines.append(f"notebooks: {', '.join(notebooks) or 'none'}")
    indented = [
        textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="    ")
        for line in lines
        if line
    ]
    return "\n".join([title, *indented])
