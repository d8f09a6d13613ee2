"""The commands ``validate`` and ``template``: a user's own cohort."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from rederive.book.cohort_form import check_cohort, open_form, record_of
from rederive.cli.options import ARTICLE
from rederive.errors import ConfigurationError
from rederive.retrospective import Codebook, CohortError, write_templates

CODEBOOK_FILE = "CODEBOOK.csv"
"""Name under which the codebook is written beside the templates."""


@click.command("validate")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@ARTICLE
@click.option("--json", "as_json", is_flag=True, help="Print JSON, of faults as well.")
@click.pass_context
def validate_command(ctx: click.Context, folder: Path, article: str, as_json: bool) -> None:
    """Hold the cohort in DIR against the codebook, with all errors at once.

    If it fits: patients, visits, who qualifies in each window, and what cannot be analysed.
    Exit status: 0 it fits, 2 it does not.
    """
    form = open_form(article)
    try:
        checked = check_cohort(folder, form)
    except CohortError as error:
        if as_json:
            codebook = Codebook.load(form.codebook)
            problems = [record_of(each, codebook) for each in error.problems]
            record = {"valid": False, "problems": problems}
            click.echo(json.dumps(record, indent=1, ensure_ascii=False))
            ctx.exit(ConfigurationError.exit_status)
        number = len(error.problems)
        raise ConfigurationError(
            f"{folder}: {number} {'fault' if number == 1 else 'faults'}\n{error}\n"
            "What each column may hold: 'rederive template' writes it down."
        ) from error
    if as_json:
        click.echo(json.dumps(checked, indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(folder, checked)))


def _lines(folder: Path, checked: Mapping[str, Any]) -> list[str]:
    first, last = checked["months"]
    lines = [
        f"{folder} fits the codebook.",
        f"Patients: {checked['patients']}, of whom {checked['analysed']} are analysed.",
        f"Records: {checked['records']} of {len(checked['measures'])} measures, months {first} to "
        f"{last}.",
        *checked["notes"],
        "Patients who qualify in the article's windows:",
    ]
    for each in checked["windows"]:
        parts = [f"baseline {each['baseline']}"]
        for month, number in each["followed"].items():
            pairs = each["pairs"][month]
            both = "" if pairs == number else f" ({pairs} with a baseline)"
            parts.append(f"month {month} {number}{both}")
        lines.append(f"  {each['measure']}: {', '.join(parts)}")
    if checked["warnings"]:
        lines += ["Warnings:", *(f"  {warning}" for warning in checked["warnings"])]
    return lines


@click.command("template")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@ARTICLE
def template_command(folder: Path, article: str) -> None:
    """Write empty tables for a cohort of your own to DIR, with codebook and explanation.

    Nothing is overwritten. Check the filled tables with 'rederive validate DIR', and use them with
    'rederive run NOTEBOOK --cohort DIR'.
    """
    form = open_form(article)
    codebook = Codebook.load(form.codebook)
    more = {CODEBOOK_FILE: form.codebook.read_text(encoding="utf-8")}
    try:
        write_templates(folder, codebook, more)
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigurationError(str(error)) from error
    click.echo(f"{folder}: patients.csv, visits.csv, {CODEBOOK_FILE}, README.txt")
