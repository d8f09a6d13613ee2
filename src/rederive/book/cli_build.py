"""The commands that build the book and show it."""

from __future__ import annotations

import os

import click

from rederive.book.build import build_book
from rederive.book.config import find_project
from rederive.book.serve import serve


@click.command("build")
@click.option("--jobs", default=2, show_default=True, help="Notebooks executed at the same time.")
@click.pass_context
def build_command(ctx: click.Context, jobs: int) -> None:
    """Execute all notebooks and build the site."""
    built = build_book(find_project(ctx.obj), jobs=jobs, report=click.echo)
    index = os.path.relpath(built.site / "index.html")
    click.echo(
        f"\nNotebooks executed: {built.executions}. The book is ready:\n"
        f"  open {index} in a browser, or run 'make serve'."
    )


@click.command("serve")
@click.option("--port", default=8000, show_default=True, help="Port on this computer.")
@click.pass_context
def serve_command(ctx: click.Context, port: int) -> None:
    """Show the built site on this computer's own address."""
    serve(find_project(ctx.obj).site, port, report=click.echo)
