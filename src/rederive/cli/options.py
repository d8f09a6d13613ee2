"""Options that several commands share, and what a shell can complete of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from rederive.execution.project import Project, find_project
from rederive.parameters.given import parse_assignments, read_parameter_file
from rederive.parameters.notebooks import (
    COHORT_PARAMETER,
    all_notebooks,
    own_cohort,
    project_parameters,
)
from rederive.parameters.types import Faults, Parameter, ParameterSet
from rederive.printed.errors import BookError, ConfigurationError
from rederive.site.variant import built_variants

_Command = TypeVar("_Command", bound=Callable[..., Any])

ARTICLE = click.option(
    "--article", default="", help="Name of the article, if several are installed."
)


def parameter_options(command: _Command) -> _Command:
    """Give a command the options ``-p``, ``--params-file`` and ``--cohort``."""
    options = (
        click.option(
            "-p",
            "--parameter",
            "assignments",
            metavar="NAME=VALUE",
            multiple=True,
            shell_complete=complete_assignment,
            help="A parameter; may be given several times. 'rederive params' lists them all.",
        ),
        click.option(
            "--params-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="YAML file with lines of the form NAME: VALUE; -p comes before it.",
        ),
        click.option(
            "--cohort",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Folder with a cohort of your own, in place of the reconstructed ones.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def given_parameters(
    project: Project,
    parameters: ParameterSet,
    assignments: Iterable[str],
    params_file: Path | None,
    cohort: Path | None,
) -> dict[str, object]:
    """Return what the three options give together; a ``ConfigurationError`` says all faults."""
    values: dict[str, object] = {}
    faults = Faults()
    with faults.noted():
        values |= read_parameter_file(params_file, parameters) if params_file else {}
    with faults.noted():
        values |= parse_assignments(assignments, parameters)
    faults.stop()
    named = values.get(COHORT_PARAMETER)
    if cohort is not None and named:
        raise ConfigurationError(
            f"--cohort and the parameter {COHORT_PARAMETER}: found both, allowed: one of them"
        )
    if cohort is not None or named:
        folder = cohort or Path(str(named)).expanduser()
        values[COHORT_PARAMETER] = own_cohort(project, folder, parameters)
    return values


def _project(ctx: click.Context) -> Project:
    return find_project(ctx.find_root().params.get("root"))


def complete_assignment(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete ``name=`` and, where the values are few, ``name=value``."""
    try:
        parameters = project_parameters(_project(ctx))
    except BookError:
        return []
    name, sign, _ = incomplete.partition("=")
    if sign:
        if name not in parameters:
            return []
        items = [(f"{name}={value}", "") for value in _few_values(parameters[name])]
    else:
        items = [(f"{each.name}=", f"{each.label} ({each.default})") for each in parameters]
    return [
        CompletionItem(text, help=words or None, nospace=not sign)
        for text, words in items
        if text.startswith(incomplete)
    ]


def _few_values(parameter: Parameter) -> tuple[str, ...]:
    if isinstance(parameter.default, bool):
        return ("true", "false")
    return parameter.choices or (str(parameter.default),)


_Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completer(names_of: Callable[[Project], Iterable[str]]) -> _Completer:
    """Return a completion of one of the names that a book has."""

    def complete(
        ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            names = list(names_of(_project(ctx)))
        except BookError:
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete


complete_notebook = _completer(lambda book: sorted({path.stem for path in all_notebooks(book)}))
"""Completes the name of a notebook of the book."""

complete_variant = _completer(lambda book: [str(each["name"]) for each in built_variants(book)])
"""Completes the name of a variant that is built."""
