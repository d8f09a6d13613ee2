"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from rederive.execution.project import Project
from rederive.parameters.given import parse_assignments, read_parameter_file
from rederive.parameters.notebooks import COHORT_PARAMETER, own_cohort
from rederive.parameters.types import Faults, ParameterSet
from rederive.printed.errors import ConfigurationError

_Command = TypeVar("_Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
"""Types of options that are paths; the last two need not be there."""

ARTICLE = click.option(
    "--article", default="", help="Name of the article, if several are installed."
)
COHORT = click.option(
    "--cohort",
    type=FOLDER,
    help="Folder with a cohort of your own, in place of the reconstructed ones.",
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
            help="A parameter; may be given several times. 'rederive params' lists them all.",
        ),
        click.option(
            "--params-file",
            type=FILE,
            help="YAML file with lines of the form NAME: VALUE; -p comes before it.",
        ),
        COHORT,
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
