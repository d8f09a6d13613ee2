"""The commands ``validate`` and ``template``: a user's own cohort."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from rederive.book.cohort_form import CohortForm, open_form, qualifying
from rederive.cli.options import ARTICLE, PATH
from rederive.printed.errors import ConfigurationError
from rederive.printed.schema import Problem, nearest
from rederive.retrospective import Codebook, Cohort, CohortError, read_cohort, write_templates


@click.command("validate")
@click.argument("folder", metavar="DIR", type=PATH)
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
        checked = checked_cohort(folder, form)
    except CohortError as error:
        if as_json:
            codebook = Codebook.load(form.codebook)
            problems = [_record_of(each, codebook) for each in error.problems]
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


def checked_cohort(folder: Path, form: CohortForm) -> dict[str, Any]:
    """Hold a cohort against its codebook and count who qualifies for the article's analysis.

    Ready for JSON are the rows of the two tables (``patients``, ``records`` with a value), records
    by ``measures``, first and last of the ``months`` with a record, patients ``analysed`` by the
    article's rules and, of these, by measure and window, who has a value there (``followed``) and
    at baseline as well (``pairs``); ``notes`` on who is not included, and ``warnings`` of what
    cannot be analysed. A ``CohortError`` has everything that is wrong in either file.
    """
    codebook = Codebook.load(form.codebook)
    cohort = read_cohort(folder, codebook)
    visits = cohort.visits[cohort.visits["value"].notna()]
    if visits.empty:
        raise CohortError([Problem("visits.csv", None, "value", "no value", "at least one value")])
    counts = visits["measure"].value_counts()
    measures = {name: int(counts.get(name, 0)) for name in codebook.measures}
    warnings = _missing(cohort, codebook, measures, form)
    try:
        included, notes = form.included(cohort)
    except ConfigurationError as error:
        included, notes = cohort, ()
        warnings.insert(0, str(error))
    windows = [
        qualifying(included, name, codebook.measures[name].label, form.windows[name])
        for name, number in measures.items()
        if number and name in form.windows
    ]
    warnings += [
        f"{each['label']}: nobody has it at baseline and at month {month}, "
        "so no change can be tested"
        for each in windows
        for month, pairs in each["pairs"].items()
        if not pairs
    ]
    return {
        "valid": True,
        "patients": len(cohort.patients),
        "records": len(visits),
        "measures": {name: number for name, number in measures.items() if number},
        "months": [int(visits["month"].min()), int(visits["month"].max())],
        "analysed": len(included.patients),
        "windows": windows,
        "notes": list(notes),
        "warnings": warnings,
    }


def _missing(
    cohort: Cohort, codebook: Codebook, measures: Mapping[str, int], form: CohortForm
) -> list[str]:
    """Return what cannot be analysed for want of a column or a measure, together where alike."""
    known = cohort.patients.reindex(columns=list(codebook.patients)).notna().any()
    empty = [name for name in codebook.patients if not known[name]]
    groups: dict[tuple[str, str], list[str]] = {}
    for what, names in (
        ("columns of patients.csv", empty),
        ("measures of visits.csv", [name for name, number in measures.items() if not number]),
    ):
        for name in names:
            lost = form.without(name)
            if lost:
                groups.setdefault((what, lost), []).append(name)
    return [
        f"{what} without values: {', '.join(names)}; without them {lost}"
        for (what, lost), names in groups.items()
    ]


def _record_of(problem: Problem, codebook: Codebook) -> dict[str, object]:
    """Return one problem of a cohort in the form of JSON, a near name of a column suggested."""
    hint = problem.suggestion
    if not hint and problem.found == problem.column:
        hint = nearest(problem.found, [*codebook.patients, *codebook.visits])
    return asdict(problem) | {"suggestion": hint}


@click.command("template")
@click.argument("folder", metavar="DIR", type=PATH)
@ARTICLE
def template_command(folder: Path, article: str) -> None:
    """Write empty tables for a cohort of your own to DIR, with codebook and explanation.

    Nothing is overwritten. Check the filled tables with 'rederive validate DIR', and use them with
    'rederive run NOTEBOOK --cohort DIR'.
    """
    form = open_form(article)
    try:
        write_templates(folder, form.codebook)
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigurationError(str(error)) from error
    click.echo(f"{folder}: patients.csv, visits.csv, CODEBOOK.csv, README.txt")
