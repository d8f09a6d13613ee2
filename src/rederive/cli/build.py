"""The commands that build the book or a variant of it, and show what is built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from rederive.cli.options import given_parameters, parameter_options
from rederive.cli.watch import Watch
from rederive.execution.project import Project, find_project
from rederive.parameters.notebooks import project_parameters
from rederive.site.build import build_book
from rederive.site.serve import serve
from rederive.site.variant import Variant

_BUILD_EXAMPLES = """\b
Examples:
  rederive build
  rederive build -p responder_threshold=8 --name threshold-8
  rederive build --cohort my-cohort --name mine
"""


@click.command("build", epilog=_BUILD_EXAMPLES)
@parameter_options
@click.option("--name", default="", help="Name of the variant; by default a short hash.")
@click.option("--jobs", type=click.IntRange(1), default=2, help="Notebooks at the same time.")
@click.pass_context
def build_command(ctx: click.Context, /, name: str, jobs: int, **asked: Any) -> None:
    """Execute all notebooks and build the site; with parameters, a variant of the book.

    A variant has a folder of its own, _build/variants/NAME/html; the book itself stays as it is.
    """
    project = find_project(ctx.obj)
    variant = _variant(project, name, asked) if name or any(asked.values()) else None
    with Watch("notebooks", catch=False) as watch:  # a bar, on a terminal only
        built = build_book(project, variant=variant, jobs=jobs, report=watch.line, progress=watch)
    index = os.path.relpath(built.site / "index.html")
    what = "book" if variant is None else f"variant {variant.name!r}"
    click.echo(
        f"\nNotebooks executed: {built.executions}. The {what} is ready:\n"
        f"  open {index} in a browser, or run 'make serve'."
    )


def _variant(project: Project, name: str, asked: Mapping[str, Any]) -> Variant | None:
    """Return the variant that is asked for; None if all values are the article's."""
    parameters = project_parameters(project)
    given = given_parameters(project, parameters, **asked)
    if name or parameters.changed(parameters.check(given)):
        return Variant.of(parameters, given, name)
    click.echo("All parameters are the article's: this is the book itself.")
    return None


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.pass_context
def serve_command(ctx: click.Context, port: int) -> None:
    """Show the book, and all else that is built, on this computer's own address."""
    serve(find_project(ctx.obj), port, report=click.echo)
