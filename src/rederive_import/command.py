"""The command ``import``: from the files that people have to a cohort's folder."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from rederive.book.cohort_form import CohortForm, open_form
from rederive.cli.options import ARTICLE
from rederive.printed.errors import ConfigurationError
from rederive.printed.schema import Problem, TableError
from rederive.retrospective import Codebook, CohortError, read_cohort, write_cohort
from rederive.retrospective.validation import grouped
from rederive_import.cells import Imported
from rederive_import.convert import Importer
from rederive_import.dialect import ROLES, Dialect, Names, with_options
from rederive_import.files import Table, read_tables
from rederive_import.understand import Understood, near_names, understand

MAPPING_FILE = "mapping.yml"
_SHOWN = 4
_EXAMPLES = """\b
Examples:
  rederive import clinic.csv --out my-cohort
  rederive import clinic.xlsx --out my-cohort --missing NA --missing -99 --dates dmy
  rederive import next-export.csv --mapping my-cohort/mapping.yml --out next-cohort
"""


@click.command("import", epilog=_EXAMPLES)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make for the cohort.")
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="mapping.yml of an earlier import; columns that it does not name are left aside.",
)
@click.option("--missing", multiple=True, metavar="CODE", help="Means unknown: NA, -99, COLUMN:99.")
@click.option("--column", multiple=True, metavar="COLUMN=ROLE", help="What a column is.")
@click.option("--value", multiple=True, metavar="COLUMN:FOUND=MEANT", help="What a word means.")
@click.option("--time", default="", metavar="UNIT", help="months, weeks, days, years or dates.")
@click.option("--dates", default="", metavar="ORDER", help="dmy or mdy, for 1/3/2020.")
@click.option("--sheet", multiple=True, metavar="NAME", help="Only this sheet of a workbook.")
@click.option("--same-month", default="", metavar="RULE", help="first or last of several values.")
@click.option("--round", multiple=True, metavar="COLUMN", help="Decimals go to the nearest value.")
@click.option("--start", default="", metavar="RULE", help="first-visit: where that is month 0.")
@click.option("--fill-down", is_flag=True, help="An empty patient is the one of the row above.")
@click.option("--dry-run", is_flag=True, help="Show what is understood, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, of faults as well.")
@ARTICLE
def import_command(
    files: tuple[Path, ...],
    out: Path | None,
    mapping: Path | None,
    article: str,
    dry_run: bool,
    as_json: bool,
    sheet: tuple[str, ...],
    **given: Any,
) -> None:
    """Turn spreadsheets or exports into the folder of a cohort, and show what was understood.

    FILE is CSV with any separator or .xlsx. Needed are a column with patients, times (or scores of
    several times side by side), and a score. Nothing is guessed: every change of a value is listed,
    and what can be meant in two ways stops with status 2 and says what to give. Files stay as they
    are.
    """
    if out is None and not dry_run:
        raise ConfigurationError("--out: found nothing, allowed: a folder; or --dry-run")
    if out is not None and not dry_run:
        _check_new(out)
    form = open_form(article)
    dialect = Dialect.load(mapping) if mapping else Dialect()
    dialect = with_options(dialect, given.pop("column"), given.pop("value"), sheets=sheet, **given)
    dialect.check("option")
    imported, understood, aside, notes = _imported(files, dialect, form, mapping is not None)
    problems = imported.problems
    if not problems and not imported.values:
        problems.append(Problem(files[0].name, None, "", "no value", "at least one score"))
    if as_json:
        _print_json(imported, aside, None if problems or dry_run else out)
    else:
        click.echo("\n".join([*_lines(understood, imported, form, notes), *_changes(imported)]))
    if problems:
        faults = grouped(problems)
        if len(imported.unsaid) > 1:
            codes = " ".join(f"--missing {shlex.quote(code)}" for code in imported.unsaid)
            faults += f"\nall of these as unknown: {codes}"
        raise ConfigurationError(f"nothing is written; to be settled first:\n{faults}")
    text = dialect.text()
    if not dry_run and out is not None:
        _write(imported, form, out, text)
    if as_json:
        return
    what = _summary_of(imported)
    records = ", ".join(f"{number} of {name}" for name, number in what["measures"].items())
    first, last = what["months"]
    click.echo(f"{what['patients']} patients, months {first} to {last}, values: {records}.")
    if dry_run or out is None:
        click.echo(f"Nothing is written (--dry-run). The mapping:\n{text}", nl=False)
    else:
        program = "rederive" if shutil.which("rederive") else sys.argv[0]  # as it was called
        click.echo(
            f"Written to {out}: patients.csv, visits.csv, {MAPPING_FILE}. Next:\n"
            f"  {program} run results_skin --cohort {shlex.quote(str(out))} --open"
        )


def _check_new(out: Path) -> None:
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        kind = "a file" if out.is_file() else "a folder with files in it"
        raise ConfigurationError(f"--out: {out} is {kind}, allowed: a new folder")


def _imported(
    files: Sequence[Path], dialect: Dialect, form: CohortForm, given: bool
) -> tuple[Imported, list[Understood], dict[str, list[str]], list[str]]:
    """Return what became of the files, with tables, columns left aside, and notes."""
    problems: list[Problem] = []
    tables: list[Table] = []
    for path in files:
        try:
            tables += read_tables(path, dialect.sheets)
        except TableError as error:
            problems += error.problems
    names = Names(Codebook.load(form.codebook), form)
    for column, role in dialect.columns.items():
        names.check_role(column, role)
    found: list[Understood] = []
    notes, lost = [], []
    for table in tables:
        one, faults = understand(table, dialect, names, given)
        if one is None:
            lost += faults
            continue
        problems += faults
        found.append(one)
    if found and not problems:
        notes = [f"{each.file}: left aside, no column has patients" for each in lost]
    else:
        problems += lost
    if not found:
        return Imported(dialect, problems), found, {}, notes
    headers = {head for each in found for head in each.header}
    notes += [
        f"column {column!r} of the mapping is not there"
        for column, role in dialect.columns.items()
        if column not in headers and role != "aside"
    ]
    dialect.columns |= {
        head: role for each in found for head, role in zip(each.header, each.roles, strict=True)
    }
    aside = {
        each.name: [h for h, role in zip(each.header, each.roles, strict=True) if role == "aside"]
        for each in found
    }
    for name, columns in aside.items():
        for head in columns:
            near = near_names(head, names) if head not in dialect.values else ""
            if near and near not in dialect.columns.values():
                notes.append(f"{name}: column {head!r} is left aside; is it {near}? "
                             f"--column '{head}={near}'")  # fmt: skip
    imported = Importer(found, dialect, form).run()
    imported.problems[:0] = problems
    return imported, found, aside, notes + imported.notes


def _lines(
    tables: Sequence[Understood], imported: Imported, form: CohortForm, notes: Sequence[str]
) -> list[str]:
    """Return what was understood, as a table for each file."""
    lines = []
    for table in tables:
        how = ", ".join(table.table.notes)
        lines.append(
            f"{table.name}: {how}; {len(table.rows)} rows below the header in row "
            f"{table.header_row}"
        )
        width = max((len(each) for each in table.header), default=0)
        for at, (head, role) in enumerate(zip(table.header, table.roles, strict=True)):
            words = ROLES.get(role, role.replace("@", " at month "))
            cells = [str(cells[at]) for _, cells in table.rows if cells[at] != ""]
            different = list(dict.fromkeys(cells))
            some = ", ".join(each[:20] for each in different[:_SHOWN])
            more = ", …" if len(different) > _SHOWN else ""
            empty = len(table.rows) - len(cells)
            gaps = f"; {empty} empty" if empty else ""
            lines.append(f"  {head:<{min(width, 40)}}  {words}: {some}{more}{gaps}")
    return [*lines, *(f"note: {each}" for each in notes)]


def _changes(imported: Imported) -> list[str]:
    if not imported.changes:
        return ["No value is changed."]
    lines = ["Changes:"]
    for (file, column, what), rows in imported.changes.items():
        places = ", ".join(map(str, rows[:3])) + (", …" if len(rows) > 3 else "")
        number = f"1 cell, row {places}" if len(rows) == 1 else f"{len(rows)} cells, rows {places}"
        lines.append(f"  {file}, {column}: {what} ({number})")
    return lines


def _print_json(imported: Imported, aside: Mapping[str, list[str]], out: Path | None) -> None:
    record = {
        "written": str(out) if out else "",
        **_summary_of(imported),
        "mapping": asdict(imported.dialect),
        "left_aside": aside,
        "changes": [
            {"file": file, "column": column, "change": what, "rows": rows}
            for (file, column, what), rows in imported.changes.items()
        ],
        "problems": [asdict(each) for each in imported.problems],
    }
    click.echo(json.dumps(record, indent=1, ensure_ascii=False))


def _write(imported: Imported, form: CohortForm, out: Path, mapping: str) -> None:
    """Write the folder, whole or not at all, after a check against the codebook."""
    codebook = Codebook.load(form.codebook)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".import-") as scratch:
            made = Path(scratch) / "cohort"
            write_cohort(imported.cohort(codebook), made)
            (made / MAPPING_FILE).write_text(mapping, encoding="utf-8")
            read_cohort(made, codebook)
            if out.is_dir():
                out.rmdir()
            made.replace(out)
    except CohortError as error:
        raise ConfigurationError(f"the files do not make a cohort:\n{error}") from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(out)) from error


def _summary_of(imported: Imported) -> dict[str, Any]:
    """Return counts of what was made: patients, records by measure, months."""
    months = [key[1] for key in imported.values]
    measures = dict(Counter(key[2] for key in imported.values))
    ends = [min(months), max(months)] if months else []
    return {"patients": len(imported.patients), "measures": measures, "months": ends}
