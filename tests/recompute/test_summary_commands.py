"""The commands about printed summaries give what the functions give, for one result or for many."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from rederive import consistency, recompute
from rederive.cli.main import main
from rederive.cli.summaries import CHECKS
from rederive.printed import parse
from rederive.printed.result import Recomputed
from rederive.recompute import PrintedOddsRatio, Summary

TWO = "--mean1 12.4 --sd1 4.1 --n1 20 --mean2 15.2 --sd2 5.0 --n2 22 --p 0.06"
FIRST = Summary(parse("12.4"), parse("4.1"), 20)
SECOND = Summary(parse("15.2"), parse("5.0"), 22)
ODDS = PrintedOddsRatio(parse("0.32"), parse("0.10"), parse("1.02"), parse("0.05"))
RATIO = "--odds-ratio 0.32 --ci-low 0.10 --ci-high 1.02 --p 0.05"
CASES: dict[str, Recomputed] = {
    f"t {TWO}": recompute.two_sample_t(FIRST, SECOND, parse("0.06")),
    "t --mean1 -2.1 --sd1 3.9 --n1 20": recompute.paired_t(
        Summary(parse("-2.1"), parse("3.9"), 20)
    ),
    f"sizes {TWO}": recompute.two_sample_t_unstated_n(FIRST, SECOND, parse("0.06")),
    "t --mean1 -5.3 --sd1 7.9 --n1 29 --p <0.001": recompute.paired_t(
        Summary(parse("-5.3"), parse("7.9"), 29), parse("<0.001")
    ),
    "percent --percent 23.3 --n 30": recompute.percent_to_count(parse("23.3"), 30),
    "grim --mean 5.19 --n 28": consistency.grim(parse("5.19"), 28),
    "grim --mean 3.44 --sd 2.47 --n 18 --minimum 0 --maximum 7": consistency.grimmer(
        parse("3.44"), parse("2.47"), 18, minimum=0, maximum=7
    ),
    "statcheck --kind F --statistic 4.2 --df 2;28 --p 0.03": consistency.check_statistic(
        "F", parse("4.2"), (parse("2"), parse("28")), parse("0.03")
    ).result,
    "statcheck --kind z --statistic 2.1 --p 0.036": consistency.check_statistic(
        "z", parse("2.1"), (), parse("0.036")
    ).result,
    f"odds-ratio {RATIO}": recompute.ratio_and_interval("p", ODDS),
    f"odds-ratio {RATIO} --n 50 --outcome 20..30 --exposed 22": recompute.odds_ratio_figure(
        "p", ODDS, 50, range(20, 31), [22]
    ),
}


def called(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("line", CASES)
def test_options_a_row_and_the_function_agree(line: str, tmp_path: Path) -> None:
    command, *options = line.split()
    expected = CASES[line].as_row()
    single = called(command, *options, "--format", "json")
    assert single.exit_code == 0, single.output
    assert_same(json.loads(single.stdout), [expected])

    figures = dict(zip(options[::2], options[1::2], strict=True))
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*(name.removeprefix("--") for name in figures), "study"])
        writer.writerows([[*figures.values(), "a, b"]] * 2)
    rows = called(command, "--rows", str(path), "--format", "json")
    assert "left aside: study" in rows.stderr
    assert_same(json.loads(rows.stdout), [expected, expected])
    text = called(command, "--rows", str(path)).stdout
    assert [row["line"] for row in csv.DictReader(io.StringIO(text))] == ["2", "3"]


def assert_same(rows: list[dict[str, Any]], expected: list[dict[str, object]]) -> None:
    wanted = pd.DataFrame(expected)
    found = pd.DataFrame(rows)[list(wanted)]
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False, rtol=1e-12)


def test_the_words_say_the_verdict() -> None:
    assert "verdict        differs" in called("grim", "--mean", "5.19", "--n", "28").stdout


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("grim --mean 5.1x", ["--mean: found '5.1x'", "--n: found nothing"]),
        ("grim --mean 5.19 --n 0", ["n: found 0, allowed are whole numbers from 1"]),
        ("t --mean1 1 --sd1 1 --n1 9 --mean2 2", ["sd2, n2: found nothing"]),
        ("t --mean1 1 --sd1 1 --n1 9 --p 1.4", ["--p: found '1.4'"]),
        ("statcheck --kind tt --statistic 2 --df 9 --p 0.1", ["tt", "chi2"]),
        ("odds-ratio --odds-ratio 2.0 --p 0.3", ["both limits"]),
        (f"odds-ratio {RATIO} --n 50", ["outcome, exposed: found nothing"]),
        ("percent --percent 23,3 --n 30", ["--percent: found '23,3'", "did you mean 23.3?"]),
    ],
)
def test_what_does_not_fit_is_status_2_with_all_faults(line: str, words: list[str]) -> None:
    result = called(*line.split())
    assert result.exit_code == 2
    assert all(each in result.stderr for each in words)


def test_every_fault_of_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("mean,n\n5.19,28\n3.44,x\n5,0\n,7\n")
    result = called("grim", "--rows", str(path))
    assert result.exit_code == 2 and not result.stdout
    lines = result.stderr.splitlines()
    assert [line.split(f"{path}, ")[1][:14] for line in lines] == [
        "line 3, column",
        "line 4: n: fou",
        "line 5, column",
    ]
    path.write_text("maen,n\n5.19,28\n")
    assert "no column 'mean' (did you mean 'maen'?)" in called("grim", "--rows", str(path)).stderr
    both = called("grim", "--rows", str(path), "--n", "3")
    assert both.exit_code == 2 and "allowed: one of them" in both.stderr


def test_every_check_is_a_command() -> None:
    assert set(CHECKS) <= set(main.list_commands(None))  # type: ignore[arg-type]
