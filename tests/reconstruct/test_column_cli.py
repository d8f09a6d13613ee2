"""The commands count and sample."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from honest_summaries import Moments
from rederive.cli.column import count_command, sample_command
from rederive.cli.main import main
from rederive.printed import RoundingRule, parse
from rederive.reconstruct.column import ColumnSummary, count_columns

SMALL = ["--mean", "2.5", "--sd", "1.4", "--n", "6", "--min", "0", "--max", "5"]


def run(*arguments: str) -> Result:
    # The class of the project's own command turns errors into exit statuses.
    group: click.Group = type(main)("rederive")
    group.add_command(count_command)
    group.add_command(sample_command)
    return CliRunner().invoke(group, list(arguments))


def replaced(option: str, value: str) -> list[str]:
    arguments = list(SMALL)
    arguments[arguments.index(option) + 1] = value
    return arguments


def test_the_last_line_is_the_count_as_plain_digits() -> None:
    summary = ColumnSummary(parse("2.5"), parse("1.4"), 6, 0, 5)
    for flags, ordered in (([], False), (["--ordered"], True)):
        result = run("count", *SMALL, *flags)
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1] == str(count_columns(summary, ordered))


def test_the_count_of_thirty_patients_as_documented() -> None:
    result = run("count", "--mean", "24.1", "--sd", "9.6", "--n", "29", "--min", "0", "--max", "51")
    number = int(result.stdout.splitlines()[-1])
    # Multisets of 29 of 52 values, times the share of a window of 3 sums and 27 sums of squares.
    assert 10**15 < number < 10**17


def test_impossible_is_an_answer() -> None:
    arguments = replaced("--mean", "2.43")
    result = run("count", *arguments)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[-1] == "0"
    assert lines[-2].startswith("impossible; nearest: mean 2.")
    described = json.loads(run("count", *arguments, "--json").stdout)
    assert described["count"] == 0
    assert {"mean": "2.50", "sd": "1.4"} in described["nearest"]


def test_json_carries_the_request_and_the_count() -> None:
    described = json.loads(run("count", *SMALL, "--json", "--rounding", "half-up").stdout)
    assert described["rounding"] == "half-up"
    assert (described["n"], described["max"], described["nearest"]) == (6, 5, None)
    assert described["count"] > 0


def test_samples_are_valid_marked_synthetic_and_repeatable(tmp_path: Path) -> None:
    arguments = ["sample", *SMALL, "--samples", "40", "--seed", "3"]
    result = run(*arguments)
    note, header, *rows = result.stdout.splitlines()
    assert note.startswith("# synthetic")
    assert header.split(",")[0] == "value_1"
    assert len(rows) == 40
    for row in rows:
        moments = Moments.of([int(value) for value in row.split(",")])
        assert parse("2.5") in moments.mean_figures(1, RoundingRule.EITHER)
        assert parse("1.4") in moments.sd_figures(1, RoundingRule.EITHER)
    assert run(*arguments).stdout_bytes == result.stdout_bytes
    target = tmp_path / "deep" / "columns.csv"
    assert run(*arguments, "--output", str(target)).exit_code == 0
    assert target.read_bytes() == result.stdout_bytes
    assert [path.name for path in target.parent.iterdir()] == ["columns.csv"]


def test_steps_are_printed_as_decimals_and_in_json_as_numbers() -> None:
    arguments = ["--mean", "0.8", "--sd", "0.4", "--n", "5", "--min", "0", "--max", "2"]
    arguments += ["--step", "0.125", "--samples", "200", "--ordered"]
    rows = run("sample", *arguments).stdout.splitlines()[2:]
    texts = {value for row in rows for value in row.split(",")}
    assert {"0.125", "1.25", "1"} <= texts
    described = json.loads(run("sample", *arguments, "--json").stdout)
    assert described["synthetic"] is True
    assert [[float(v) for v in row.split(",")] for row in rows] == described["samples"]


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("count", replaced("--mean", "2,5"), "found '2,5'*did you mean 2.5?"),
        ("count", replaced("--mean", "<2"), "found '<2'*a figure as printed"),
        ("count", replaced("--sd", "-1"), "sd: found -1, allowed are figures from 0"),
        ("count", replaced("--n", "1"), "n: found 1, allowed are whole numbers from 2"),
        ("count", replaced("--n", "6.5"), "found '6.5', allowed is a whole number"),
        ("count", replaced("--n", "018"), "found '018'*did you mean 18?"),
        ("count", replaced("--min", "7"), "minimum 7 is above maximum"),
        ("count", replaced("--max", "x"), "found 'x'*a number such as 51, 0.125 or 1/8"),
        ("count", replaced("--max", "51.5"), "maximum: found 51.5, allowed are multiples of 1"),
        (
            "count",
            [*replaced("--max", "1"), "--step", "0.3333333333333333"],
            "maximum: found 1, allowed are multiples of*did you mean the step 1/3?",
        ),
        ("count", replaced("--max", "05"), "found '05'*did you mean 5?"),
        ("count", replaced("--mean", "02.5"), "found '02.5'*did you mean 2.5?"),
        ("count", [*SMALL, "--step", "0"], "step: found 0, allowed are numbers above 0"),
        ("count", [*SMALL, "--rounding", "up"], "half-up"),
        ("sample", replaced("--mean", "2.43"), "no data print as mean 2.43*nearest: mean 2."),
        ("sample", [*SMALL, "--seed", "-1"], "seed: found -1"),
        ("sample", [*SMALL, "--samples", "-1"], "samples: found -1"),
    ],
)
def test_unusable_requests_end_with_status_2(
    command: str, arguments: list[str], message: str
) -> None:
    result = run(command, *arguments)
    assert result.exit_code == 2
    for part in message.split("*"):
        assert part in result.output
