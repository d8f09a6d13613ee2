"""Commands about printed summaries: one result from options, or one a row from a CSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pandas as pd

from rederive import consistency, recompute
from rederive.cli.column import figure, number, p_value, whole
from rederive.cli.options import FILE
from rederive.parameters.types import Faults, ParameterError
from rederive.printed import PrintedNumber
from rederive.printed.errors import ConfigurationError, meant
from rederive.printed.files import csv_text
from rederive.printed.result import Recomputed
from rederive.recompute import PrintedOddsRatio, Summary

FORMATS = ("text", "csv", "json")


def margin(text: str) -> range:
    """Return the whole numbers of 22 or 20..30, the type of an option."""
    low, _, high = text.partition("..")
    return range(whole(low), whole(high or low) + 1)


def degrees(text: str) -> tuple[PrintedNumber, ...]:
    """Return degrees of freedom, such as 28 or, of an F, 2;28; the type of an option."""
    return tuple(figure(each) for each in re.split(r"[,;\s]+", text.strip()) if each)


@dataclass(frozen=True)
class Check:
    """A check of printed figures: what it does, as the help says it, its figures and its result.

    The name of each figure has its help and what reads it; ``*`` begins the help of those that must
    be given. The result takes the figures that are given by name; a ``ValueError`` says what does
    not fit.
    """

    words: str
    figures: Mapping[str, tuple[str, Callable[[str], Any]]]
    result: Callable[..., Recomputed]

    def of(self, texts: Mapping[str, str], place: str) -> Recomputed:
        """Return the result for some texts; a ``ParameterError`` lists all faults, by place."""
        given, faults = {}, Faults()
        for name, (words, read) in self.figures.items():
            text = (texts.get(name) or "").strip()
            try:
                if text:
                    given[name.replace("-", "_")] = read(text)
                elif words.startswith("*"):
                    faults.add(f"{place}{name}: found nothing, allowed: {words[1:]}")
            except click.BadParameter as error:
                faults.add(f"{place}{name}: {error.message}")
        faults.stop()
        try:
            return self.result(**given)
        except (ValueError, TypeError) as error:
            where = place.removesuffix(", column ").removesuffix("--")
            raise ParameterError(f"{where}: {error}".removeprefix(": ")) from error


def _require_all(given: Collection[str], *names: str) -> None:
    """Raise a ``ValueError`` that names what is lacking of figures that belong together."""
    lacking = ", ".join(name for name in names if name not in given)
    if lacking:
        raise ValueError(f"{lacking}: found nothing, allowed: all of {', '.join(names)}, or none")


def _t(p: PrintedNumber | None = None, *, mean1: Any, sd1: Any, n1: int, **second: Any) -> Any:
    first = Summary(mean1, sd1, n1)
    if not second:
        return recompute.paired_t(first, p)
    _require_all(second, "mean2", "sd2", "n2")
    return recompute.two_sample_t(first, Summary(*second.values()), p)


def _sizes(p: PrintedNumber, **six: Any) -> Recomputed:
    mean1, sd1, n1, mean2, sd2, n2 = six.values()
    return recompute.two_sample_t_unstated_n(Summary(mean1, sd1, n1), Summary(mean2, sd2, n2), p)


def _odds_ratio(**given: Any) -> Any:
    names = "n", "outcome", "exposed"
    margins = [given.pop(name, None) for name in names]
    figures = PrintedOddsRatio(**given)
    name = next(each for each in ("p", "ci_low", "odds_ratio") if each in given)
    shown = [each for each, size in zip(names, margins, strict=True) if size is not None]
    if not shown:
        return recompute.ratio_and_interval(name, figures)
    _require_all(shown, *names)
    return recompute.odds_ratio_figure(name, figures, *margins)


_TWO = {
    "mean1": ("*mean of the first group, or of the change, as printed", figure),
    "sd1": ("*its SD as printed", figure),
    "n1": ("*its number of patients", whole),
    "mean2": ("mean of the second group", figure),
    "sd2": ("its SD", figure),
    "n2": ("its number of patients", whole),
    "p": ("p value as printed, such as 0.03 or <0.001", p_value),
}
CHECKS = {
    "t": Check("Recompute the p of a t test: of two groups, or of a change (paired).", _TWO, _t),
    "sizes": Check(
        "Find which sizes of the second group, up to N2, give its printed p.",
        {name: (f"*{words.strip('*')}", read) for name, (words, read) in _TWO.items()},
        _sizes,
    ),
    "percent": Check(
        "Find the counts that print as a percentage.",
        {
            "percent": ("*percentage as printed", figure),
            "n": ("*its denominator", whole),
            "count": ("count printed beside it", figure),
        },
        recompute.percent_to_count,
    ),
    "grim": Check(
        "Check whether whole numbers can have a printed mean (GRIM), and an SD (GRIMMER).",
        {
            "mean": ("*mean as printed", figure),
            "sd": ("SD as printed", figure),
            "n": ("*number of patients", whole),
            "items": ("items of the scale that are averaged", whole),
            "step": ("distance between neighbouring values", number),
            "minimum": ("least value", number),
            "maximum": ("greatest value", number),
        },
        lambda **given: (consistency.grimmer if "sd" in given else consistency.grim)(**given),
    ),
    "statcheck": Check(
        "Recompute the p of a printed test statistic.",
        {
            "kind": ("*one of t, F, chi2, z or r", str.strip),
            "statistic": ("*its value as printed", figure),
            "df": ("degrees of freedom; of an F two, such as 2;28", degrees),
            "p": ("*p value as printed, such as 0.03 or <0.001", p_value),
        },
        lambda **given: consistency.check_statistic(**{"df": ()} | given).result,
    ),
    "odds-ratio": Check(
        "Check a printed odds ratio, its 95 % interval and p against each other.",
        {
            "odds-ratio": ("*odds ratio as printed", figure),
            "ci-low": ("lower limit as printed", figure),
            "ci-high": ("upper limit as printed", figure),
            "p": ("p value as printed, such as 0.03 or <0.001", p_value),
            "n": ("all patients; with it, all 2 x 2 tables are tried", whole),
            "outcome": ("patients with the outcome, such as 20..30", margin),
            "exposed": ("patients exposed, such as 22", margin),
        },
        _odds_ratio,
    ),
}


def _of_rows(check: Check, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the results of a CSV file's rows, and its columns that are no figures."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        names = [(name or "").strip() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        faults, found = Faults(), []
        for wanted, (words, _) in check.figures.items():
            if words.startswith("*") and wanted not in names:
                faults.add(f"{path}: no column {wanted!r}{meant(wanted, names)}")
        faults.stop()
        for row in reader:
            shown = {name: (row.get(name) or "").strip() for name in check.figures}
            with faults.noted():
                result = check.of(shown, f"{path}, line {reader.line_num}, column ")
                found.append({"line": reader.line_num} | shown | result.as_row())
        faults.stop()
    return pd.DataFrame(found), [name for name in names if name not in check.figures]


def _written(rows: pd.DataFrame, form: str) -> str:
    if form == "csv":
        return csv_text(rows)
    if form == "json":
        return rows.to_json(orient="records", double_precision=15, indent=2) + "\n"
    lines = (f"{name:14} {value}" for row in rows.to_dict("records") for name, value in row.items())
    return "\n".join(line for line in lines if line.split()[1:]) + "\n"


def _command(name: str, check: Check) -> click.Command:
    """Return the command of a check."""

    @click.option(
        "--rows",
        type=FILE,
        help="CSV file with a column for each figure, instead of options; one result a row.",
    )
    @click.option("--format", "form", type=click.Choice(FORMATS))
    def run(rows: Path | None, form: str | None, **texts: str | None) -> None:
        given = {option.replace("_", "-"): text for option, text in texts.items() if text}
        if rows is not None:
            if given:
                raise ConfigurationError(f"--rows and --{next(iter(given))}: allowed: one of them")
            table, ignored = _of_rows(check, rows)
            if ignored:
                click.echo(f"left aside: {', '.join(ignored)}", err=True)
        else:
            table = pd.DataFrame([check.of(given, "--").as_row()])
        click.echo(_written(table, form or ("text" if rows is None else "csv")), nl=False)

    command: Callable[..., None] = run
    for each, (words, _) in reversed(list(check.figures.items())):
        words = words.strip("*")
        command = click.option(f"--{each}", help=words[:1].upper() + words[1:])(command)
    return click.command(name, help=check.words)(command)


t_command, sizes_command, percent_command, grim_command, statcheck_command, odds_ratio_command = (
    _command(name, check) for name, check in CHECKS.items()
)
