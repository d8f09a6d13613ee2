"""The command ``import``: from the files that people have to a cohort's folder."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from rederive.book.cohort_form import open_form
from rederive.cli.options import ARTICLE, FILE, PATH
from rederive.printed.errors import ConfigurationError
from rederive.printed.schema import Problem, TableError, nearest
from rederive.retrospective import Codebook, Cohort, CohortError, read_cohort, write_cohort
from rederive.retrospective.validation import grouped
from rederive_import.cells import Imported
from rederive_import.convert import Importer
from rederive_import.dialect import ROLES, Dialect, Names, with_options
from rederive_import.files import Table, read_tables
from rederive_import.understand import Understood, understand
from rederive_import.words import plain

MAPPING_FILE = "mapping.yml"
_SHOWN = 4
_EXAMPLES = """\b
Examples:
  rederive import clinic.csv --out my-cohort
  rederive import clinic.xlsx --out my-cohort --missing NA --missing -99 --dates dmy
  rederive import next-export.csv --mapping my-cohort/mapping.yml --out next-cohort
"""


@click.command("import", epilog=_EXAMPLES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@click.option("--out", type=PATH, help="Folder to make for the cohort.")
@click.option(
    "--mapping",
    type=FILE,
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
@ARTICLE
def import_command(
    files: tuple[Path, ...],
    out: Path | None,
    mapping: Path | None,
    article: str,
    dry_run: bool,
    sheet: tuple[str, ...],
    **given: Any,
) -> None:
    """Turn spreadsheets or exports into the folder of a cohort, and show what was understood.

    FILE is CSV with any separator or .xlsx. Needed are a column with patients, times (or scores of
    several times side by side), and a score. Nothing is guessed: every change of a value is listed,
    and what can be meant in two ways stops with status 2 and says what to give. Files stay as they
    are.
    """
    if dry_run:
        out = None
    elif out is None:
        raise ConfigurationError("--out: found nothing, allowed: a folder; or --dry-run")
    elif out.is_file() or (out.is_dir() and any(out.iterdir())):
        kind = "a file" if out.is_file() else "a folder with files in it"
        raise ConfigurationError(f"--out: {out} is {kind}, allowed: a new folder")
    form = open_form(article)
    names = Names(Codebook.load(form.codebook), form)
    dialect = Dialect.load(mapping) if mapping else Dialect()
    dialect = with_options(dialect, given.pop("column"), given.pop("value"), sheets=sheet, **given)
    dialect.check("option")
    imported, understood = _imported(files, dialect, names, mapping is not None)
    problems = imported.problems
    if not problems and not imported.values:
        problems.append(Problem(files[0].name, None, "", "no value", "at least one score"))
    click.echo("\n".join([*_lines(understood, imported.notes), *_changes(imported)]))
    if problems:
        faults = grouped(problems)
        if len(imported.unsaid) > 1:
            codes = " ".join(f"--missing {shlex.quote(code)}" for code in imported.unsaid)
            faults += f"\nall of these as unknown: {codes}"
        raise ConfigurationError(f"nothing is written; to be settled first:\n{faults}")
    text = dialect.text()
    if out is not None:
        _write(imported.cohort(names.codebook), names.codebook, out, text)
    _, months, measures = zip(*imported.values, strict=True)
    records = ", ".join(f"{number} of {name}" for name, number in Counter(measures).items())
    people = len(imported.patients)
    click.echo(f"{people} patients, months {min(months)} to {max(months)}, values: {records}.")
    if out is None:
        click.echo(f"Nothing is written (--dry-run). The mapping:\n{text}", nl=False)
    else:
        program = "rederive" if shutil.which("rederive") else sys.argv[0]  # as it was called
        click.echo(
            f"Written to {out}: patients.csv, visits.csv, {MAPPING_FILE}. Next:\n"
            f"  {program} run results_skin --cohort {shlex.quote(str(out))} --open"
        )


def _imported(
    files: Sequence[Path], dialect: Dialect, names: Names, given: bool
) -> tuple[Imported, list[Understood]]:
    """Return what became of the files, and their tables."""
    problems: list[Problem] = []
    tables: list[Table] = []
    for path in files:
        try:
            tables += read_tables(path, dialect.sheets)
        except TableError as error:
            problems += error.problems
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
        return Imported(dialect, problems), found
    headers = {head for each in found for head in each.header}
    notes += [
        f"column {column!r} of the mapping is not there"
        for column, role in dialect.columns.items()
        if column not in headers and role != "aside"
    ]
    dialect.columns |= {
        head: role for each in found for head, role in zip(each.header, each.roles, strict=True)
    }
    for each in found:
        for head, role in zip(each.header, each.roles, strict=True):
            near = nearest(plain(head).replace(" ", "_"), names.entries) if role == "aside" else ""
            if near not in ("", *dialect.columns.values()) and head not in dialect.values:
                notes.append(f"{each.name}: column {head!r} is left aside; is it {near}? "
                             f"--column '{head}={near}'")  # fmt: skip
    imported = Importer(found, dialect, names).run()
    imported.problems[:0] = problems
    imported.notes[:0] = notes
    return imported, found


def _lines(tables: Sequence[Understood], notes: Sequence[str]) -> list[str]:
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


def _write(cohort: Cohort, codebook: Codebook, out: Path, mapping: str) -> None:
    """Write the folder, whole or not at all, after a check against the codebook."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".import-") as scratch:
            made = Path(scratch) / "cohort"
            write_cohort(cohort, made)
            (made / MAPPING_FILE).write_text(mapping, encoding="utf-8")
            read_cohort(made, codebook)
            if out.is_dir():
                out.rmdir()
            made.replace(out)
    except CohortError as error:
        raise ConfigurationError(f"the files do not make a cohort:\n{error}") from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(out)) from error
