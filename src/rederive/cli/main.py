"""The command ``rederive``. Each command only calls a function of the library.

Exit status: 0 done, 1 a step failed, 2 the request is not usable.
"""

from __future__ import annotations

import errno
import os
import sys
from concurrent.futures import BrokenExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from rederive.book.export import FORMATS, ledger_text, open_article, registry_summary
from rederive.cli.build import build_command, serve_command
from rederive.cli.options import ARTICLE, FOLDER, NEW_FILE, NEW_FOLDER, PATH
from rederive.execution.project import CACHE_VARIABLE, find_project
from rederive.printed.errors import BookError, ConfigurationError
from rederive.printed.files import write_atomically
from rederive.printed.schema import TableError

_LATER = {
    command: module
    for module, commands in {
        "rederive.cli.cohort": "bounds check predict reconstruct",
        "rederive.cli.column": "count sample",
        "rederive.cli.params": "params",
        "rederive.cli.run": "run",
        "rederive.cli.summaries": "grim odds-ratio percent sizes statcheck t",
        "rederive.cli.sweep": "sweep sweep-page",
        "rederive_import.command": "import",
        "rederive_import.tables": "template validate",
        "rederive_teach.cli": "teach",
    }.items()
    for command in commands.split()
}
"""Commands that are imported when asked for, with their module: much comes with them."""


class _BookGroup(click.Group):
    """Turn the book's errors into one message and their exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_LATER})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LATER:
            return super().get_command(ctx, cmd_name)
        module = import_module(_LATER[cmd_name])
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BookError as error:
            words, status = str(error), error.exit_status
        except TableError as error:
            words, status = str(error), ConfigurationError.exit_status
        except KeyboardInterrupt:
            words, status = "interrupted; what was finished by then is kept", 130
        except BrokenExecutor:
            words, status = "a worker process was lost, often for want of memory", 1
        except OSError as error:
            if error.errno == errno.EPIPE:  # who reads the output has enough of it
                raise
            place = error.filename2 or error.filename
            words = f"{place} cannot be used: {error.strerror}" if place else str(error)
            status = 1 if error.errno in _MACHINE else 2
        click.echo(f"error: {words}", err=True)
        ctx.exit(status)


_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EMFILE)
"""What is wrong with the computer, and not with the request."""


@click.group(cls=_BookGroup)
@click.option(
    "--root",
    type=FOLDER,
    help="Folder of the book; by default the working directory or the nearest one above it.",
)
@click.option(
    "--cache",
    envvar=CACHE_VARIABLE,
    type=NEW_FOLDER,
    help="Folder of executed notebooks; by default _build/cache of the book.",
)
@click.pass_context
def main(ctx: click.Context, root: Path | None, cache: Path | None) -> None:
    """Build and read a book that re-derives the printed numbers of an article."""
    ctx.obj = root
    if cache is not None:
        os.environ[CACHE_VARIABLE] = str(cache.absolute())


@main.command("ledger")
@ARTICLE
@click.option("--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--output", type=NEW_FILE, help="File to write; by default the text is printed.")
def ledger_command(article: str, form: str, output: Path | None) -> None:
    """Write every printed number with what was reproduced, evidence and verdict."""
    text = ledger_text(open_article(article), form)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomically(output, text.encode())


@main.command("registry")
@click.argument("folder", required=False, type=PATH)
@click.pass_context
def registry_command(ctx: click.Context, folder: Path | None) -> None:
    """Check the tables of printed numbers, claims and plan in FOLDER (data/published)."""
    click.echo(registry_summary(folder or find_project(ctx.obj).root / "data" / "published"))


main.add_command(build_command)
main.add_command(serve_command)

if __name__ == "__main__":
    sys.exit(main())
