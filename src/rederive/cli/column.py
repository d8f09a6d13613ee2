"""The commands ``rederive count`` and ``rederive sample``: one column from its printed summary.

With what they share with the other commands about patients: errors and numbers.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from rederive.cli.options import NEW_FILE
from rederive.cli.watch import Watch
from rederive.printed import PrintedNumber, RoundingRule, written
from rederive.printed.errors import BookError, ConfigurationError
from rederive.printed.files import write_atomically
from rederive.reconstruct.column import (
    ColumnSampler,
    ColumnSummary,
    count_columns,
    listed_nearest,
    nearest_figures,
)
from rederive.reconstruct.study import SYNTHETIC
from rederive.reconstruct.study.tree import read_exact, read_figure


def library_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what the library raises into the errors of the command line."""

    @functools.wraps(command)
    def guarded(*context: click.Context, **options: Any) -> None:
        try:
            command(*context, **options)
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        except RuntimeError as error:
            raise BookError(str(error)) from error

    return guarded


def number(text: str) -> Fraction:
    """Return an exact number, the type of an option: 51, -51, 0.125 or 1/8."""
    found, hint = read_exact(text.strip())
    if found is None:
        raise _not_allowed(text, "a number such as 51, 0.125 or 1/8", hint)
    return found


def whole(text: str) -> int:
    """Return a whole number, the type of an option."""
    found = number(text)
    if found.denominator != 1:
        raise _not_allowed(text, "a whole number", "")
    return int(found)


def figure(text: str) -> PrintedNumber:
    """Return a printed figure, the type of an option; trailing zeros count."""
    found, hint = read_figure(text)
    if found is None or found.operator != "=":
        raise _not_allowed(text, "a figure as printed, such as 24.1", hint)
    return found


def p_value(text: str) -> PrintedNumber:
    """Return a printed p value, the type of an option: 0.03, or a comparison such as <0.001."""
    found, hint = read_figure(text)
    if found is None or not 0 <= found.value <= 1:
        raise _not_allowed(text, "a p value as printed, such as 0.03 or <0.001", hint)
    return found


def _not_allowed(text: str, allowed: str, hint: str) -> click.BadParameter:
    meant = f"; did you mean {hint}?" if hint else ""
    return click.BadParameter(f"found {text!r}, allowed is {allowed}{meant}")


def _column_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that describe a column; the command gets them as one summary."""

    @click.option("--mean", type=figure, required=True, help="Mean as printed.")
    @click.option("--sd", type=figure, help="Sample SD (divisor n - 1) as printed.")
    @click.option("--n", type=whole, required=True, help="Number of values.")
    @click.option("--min", "minimum", type=number, required=True, help="Least value.")
    @click.option("--max", "maximum", type=number, required=True, help="Greatest value.")
    @click.option(
        "--step",
        type=number,
        default="1",
        show_default=True,
        help="Distance between neighbouring values, such as 0.125.",
    )
    @click.option(
        "--rounding",
        type=click.Choice([rule.value for rule in RoundingRule]),
        default=RoundingRule.EITHER.value,
        show_default=True,
        help="How the figures were rounded; 'either' lets halves go up or down.",
    )
    @click.option("--ordered", is_flag=True, help="Ordered vectors instead of multisets.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @library_errors
    @functools.wraps(command)
    def described(rounding: str, **options: Any) -> None:
        names = ("mean", "sd", "n", "minimum", "maximum", "step")
        figures = {name: options.pop(name) for name in names}
        command(ColumnSummary(**figures, rule=RoundingRule(rounding)), **options)

    return described


@click.command("count")
@_column_options
def count_command(summary: ColumnSummary, ordered: bool, as_json: bool) -> None:
    """Count, exactly, the data that print a mean and an SD.

    The last line is the number as plain digits; 0 means that the figures are impossible, and the
    nearest possible figures stand above it.
    """
    with Watch("counting", catch=False) as watch:
        found = count_columns(summary, ordered, watch)
    nearest = None if found else nearest_figures(summary)
    if as_json:
        described = _described(summary, ordered) | {"count": found}
        described["nearest"] = nearest and [_pair(*figures) for figures in nearest]
        click.echo(json.dumps(described, indent=2))
        return
    click.echo(f"{_kind(ordered)} that print {summary.figures}:")
    if nearest is not None:
        click.echo(f"impossible; {listed_nearest(nearest)}")
    click.echo(str(found))


@click.command("sample")
@_column_options
@click.option("--samples", type=int, default=10, show_default=True, help="Number of samples.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed, from 0.")
@click.option("--output", type=NEW_FILE, help="File to write instead of the screen.")
def sample_command(
    summary: ColumnSummary,
    ordered: bool,
    as_json: bool,
    samples: int,
    seed: int,
    output: Path | None,
) -> None:
    """Draw synthetic data that print a mean and an SD, each data set equally likely.

    One line a sample, as CSV. The same request gives the same bytes.
    """
    with Watch("samples") as watch:
        watch.say("filling the tables")
        sampler = ColumnSampler(summary, ordered, seed)
        columns = sampler.draw(samples, watch, watch.stop).tolist()
    step = Fraction(summary.step)
    if as_json:
        described = {"synthetic": True, "note": SYNTHETIC} | _described(summary, ordered)
        described |= {"seed": seed}
        described["samples"] = [[_json_number(step * unit) for unit in row] for row in columns]
        content = json.dumps(described, indent=None) + "\n"
    else:
        text = functools.cache(lambda unit: written(step * unit))
        header = ",".join(f"value_{index}" for index in range(1, summary.n + 1))
        note = f"# {SYNTHETIC}; {_kind(ordered)}: {summary.figures}; seed {seed}"
        lines = [note, header, *(",".join(map(text, row)) for row in columns)]
        content = "\n".join(lines) + "\n"
    if output is None:
        click.echo(content, nl=False)
    else:
        write_atomically(output, content.encode())
        click.echo(f"{len(columns)} synthetic samples written to {output}")
    if len(columns) < samples:
        raise BookError(f"partial: {len(columns)} of {samples} samples were drawn")


def _kind(ordered: bool) -> str:
    return "ordered vectors" if ordered else "multisets"


def _described(summary: ColumnSummary, ordered: bool) -> dict[str, Any]:
    return _pair(summary.mean, summary.sd) | {
        "n": summary.n,
        "min": _json_number(summary.minimum),
        "max": _json_number(summary.maximum),
        "step": _json_number(summary.step),
        "rounding": summary.rule.value,
        "ordered": ordered,
    }


def _pair(mean: PrintedNumber, sd: PrintedNumber | None) -> dict[str, Any]:
    return {"mean": str(mean), "sd": None if sd is None else str(sd)}


def _json_number(value: int | Fraction) -> int | float:
    return int(value) if value == int(value) else float(value)
