"""The commands ``rederive count`` and ``rederive sample``: one column from its printed summary."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from rederive.errors import ConfigurationError
from rederive.printed import PrintedNumber, RoundingRule, parse
from rederive.printed.files import write_atomically
from rederive.reconstruct.column import (
    ColumnSummary,
    NearestFigures,
    column_sampler,
    count_columns,
    nearest_figures,
)

SYNTHETIC = "synthetic data: compatible with the printed figures, not what was observed"

_MINUS_SIGNS = str.maketrans({"–": "-", "−": "-", "‐": "-", "‑": "-"})


class _Figure(click.ParamType[PrintedNumber]):
    """A printed figure such as 24.1; trailing zeros count."""

    name = "figure"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> PrintedNumber:
        if isinstance(value, PrintedNumber):
            return value
        try:
            number = parse(str(value))
        except ValueError:
            number = None
        if number is None or number.operator != "=" or number.label or number.percent:
            self.fail(_not_allowed(value, "a figure as printed, such as 24.1"), param, ctx)
        return number


class _Exact(click.ParamType[Fraction]):
    """An exact number: 51, -51, 0.125 or 1/8."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        try:
            return Fraction(str(value).strip().translate(_MINUS_SIGNS))
        except (ValueError, ZeroDivisionError):
            self.fail(_not_allowed(value, "a number such as 51, 0.125 or 1/8"), param, ctx)


def _not_allowed(value: Any, allowed: str) -> str:
    text = str(value)
    hint = ""
    if "," in text:
        hint = f"; did you mean {text.replace(',', '.')}?"
    return f"found {text!r}, allowed is {allowed}{hint}"


def _column_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that describe a column; the command gets them as one summary."""
    options = [
        click.option("--mean", type=_Figure(), required=True, help="Mean as printed."),
        click.option("--sd", type=_Figure(), help="Sample SD (divisor n - 1) as printed."),
        click.option("--n", type=int, required=True, help="Number of values."),
        click.option("--min", "minimum", type=_Exact(), required=True, help="Least value."),
        click.option("--max", "maximum", type=_Exact(), required=True, help="Greatest value."),
        click.option(
            "--step",
            type=_Exact(),
            default="1",
            show_default=True,
            help="Distance between neighbouring values, such as 0.125.",
        ),
        click.option(
            "--rounding",
            type=click.Choice([rule.value for rule in RoundingRule]),
            default=RoundingRule.EITHER.value,
            show_default=True,
            help="How the figures were rounded; 'either' lets halves go up or down.",
        ),
        click.option("--ordered", is_flag=True, help="Ordered vectors instead of multisets."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ]

    @functools.wraps(command)
    def described(
        mean: PrintedNumber,
        sd: PrintedNumber | None,
        n: int,
        minimum: Fraction,
        maximum: Fraction,
        step: Fraction,
        rounding: str,
        **others: Any,
    ) -> None:
        try:
            summary = ColumnSummary(mean, sd, n, minimum, maximum, step, RoundingRule(rounding))
            command(summary, **others)
        except ValueError as error:
            raise ConfigurationError(str(error)) from error

    for option in reversed(options):
        described = option(described)
    return described


@click.command("count")
@_column_options
def count_command(summary: ColumnSummary, ordered: bool, as_json: bool) -> None:
    """Count, exactly, the data that print a mean and an SD.

    The last line is the number as plain digits; 0 means that the figures are impossible, and the
    nearest possible figures stand above it.
    """
    number = count_columns(summary, ordered)
    nearest = None if number else nearest_figures(summary)
    if as_json:
        described = _described(summary, ordered) | {"count": number}
        described["nearest"] = None if nearest is None else _as_json(nearest)
        click.echo(json.dumps(described, indent=2))
        return
    kind = "ordered vectors" if ordered else "multisets"
    click.echo(f"{kind} that print {summary.figures}:")
    if nearest is not None:
        click.echo(f"impossible; {nearest.words}")
    click.echo(str(number))


@click.command("sample")
@_column_options
@click.option("--samples", type=int, default=10, show_default=True, help="Number of samples.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed, from 0.")
@click.option("--distinct", is_flag=True, help="No sample twice.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write instead of the screen.",
)
def sample_command(
    summary: ColumnSummary,
    ordered: bool,
    as_json: bool,
    samples: int,
    seed: int,
    distinct: bool,
    output: Path | None,
) -> None:
    """Draw synthetic data that print a mean and an SD, each data set equally likely.

    One line a sample, as CSV. The same request gives the same bytes.
    """
    columns = column_sampler(summary, ordered, seed).draw(samples, distinct).tolist()
    step = Fraction(summary.step)
    # A value recurs in many samples; its text is made once.
    texts = {
        unit: _plain(step * unit) for unit in sorted({unit for row in columns for unit in row})
    }
    if as_json:
        described = {"synthetic": True, "note": SYNTHETIC} | _described(summary, ordered)
        described |= {"seed": seed, "distinct": distinct}
        described["samples"] = [[_json_number(step * unit) for unit in row] for row in columns]
        content = json.dumps(described, indent=None) + "\n"
    else:
        header = ",".join(f"value_{index}" for index in range(1, summary.n + 1))
        kind = "ordered vectors" if ordered else "multisets"
        lines = [f"# {SYNTHETIC}; {kind}: {summary.figures}; seed {seed}", header]
        lines += [",".join(texts[unit] for unit in row) for row in columns]
        content = "\n".join(lines) + "\n"
    if output is None:
        click.echo(content, nl=False)
        return
    write_atomically(output, content.encode())
    click.echo(f"{len(columns)} synthetic samples written to {output}")


def _described(summary: ColumnSummary, ordered: bool) -> dict[str, Any]:
    return {
        "mean": str(summary.mean),
        "sd": None if summary.sd is None else str(summary.sd),
        "n": summary.n,
        "min": _json_number(Fraction(summary.minimum)),
        "max": _json_number(Fraction(summary.maximum)),
        "step": _json_number(Fraction(summary.step)),
        "rounding": summary.rule.value,
        "ordered": ordered,
    }


def _as_json(nearest: NearestFigures) -> dict[str, list[dict[str, str | None]]]:
    return {
        name: [
            {"mean": str(mean), "sd": None if sd is None else str(sd)}
            for mean, sd in getattr(nearest, name)
        ]
        for name in ("overall", "mean_kept", "sd_kept")
    }


def _json_number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def _plain(value: Fraction) -> str:
    """Return a number as plain decimals where they end, else as a fraction."""
    rest, decimals = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        decimals = max(decimals, power)
    if rest != 1:
        return str(value)
    digits = str(abs(value.numerator) * 10**decimals // value.denominator).zfill(decimals + 1)
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return ("-" if value < 0 else "") + whole + (f".{fraction}" if decimals else "")
