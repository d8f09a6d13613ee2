"""The commands that build the book or a variant of it, list variants, and show them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from rederive.cli.options import complete_variant, given_parameters, parameter_options
from rederive.cli.watch import Watch
from rederive.execution.project import Project, find_project
from rederive.parameters.notebooks import project_parameters
from rederive.site.build import build_book
from rederive.site.serve import serve
from rederive.site.variant import Variant, built_variant, built_variants

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
    show = "make serve" if variant is None else f"rederive serve --variant {variant.name}"
    what = "book" if variant is None else f"variant {variant.name!r}"
    click.echo(
        f"\nNotebooks executed: {built.executions}. The {what} is ready:\n"
        f"  open {index} in a browser, or run '{show}'."
    )


def _variant(project: Project, name: str, asked: Mapping[str, Any]) -> Variant | None:
    """Return the variant that is asked for; None if all values are the article's."""
    parameters = project_parameters(project)
    given = given_parameters(project, parameters, **asked)
    if name or parameters.changed(parameters.check(given)):
        return Variant.of(parameters, given, name)
    click.echo("All parameters are the article's: this is the book itself.")
    return None


@click.command("variants")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def variants_command(ctx: click.Context, as_json: bool) -> None:
    """List the variants that are built, with the parameters that differ."""
    found = built_variants(find_project(ctx.obj))
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each['name']}: {_listed(each)}")
    if not found and sys.stderr.isatty():
        click.echo("No variant is built yet: rederive build -p NAME=VALUE", err=True)


def _listed(described: Mapping[str, Any]) -> str:
    words = [f"own cohort {described['cohort']}"] if described["cohort"] else []
    words += [f"{each['name']}={each['here']}" for each in described["differences"]]
    return ", ".join(words) or "the article's parameters, with further pages"


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--variant",
    default="",
    shell_complete=complete_variant,
    help="Name of a variant to show in place of the book itself.",
)
@click.pass_context
def serve_command(ctx: click.Context, port: int, variant: str) -> None:
    """Show the built site on this computer's own address."""
    project = find_project(ctx.obj)
    serve(built_variant(project, variant) if variant else project, port, report=click.echo)
