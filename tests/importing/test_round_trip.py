# ruff: noqa: E501
"""Whatever is written in whatever way is read as it was, and nothing ends in a traceback."""

from __future__ import annotations

import random
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rederive.cli.main import main
from rederive_import.words import months_of
from repetitions import repeated

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
MEASURES = {"mrss": (0, 51), "fvc": (5, 200)}


@st.composite
def cohorts(draw: st.DrawFn) -> dict[tuple[str, int, str], str]:
    """Values by patient, month and measure; every patient has a skin score in month 0."""
    letters = st.text("ABCDÄéß123-", min_size=1, max_size=6).filter(
        lambda each: each.strip("0").casefold() and not each.startswith("-")
    )
    names = draw(
        st.lists(
            letters, min_size=1, max_size=5, unique_by=lambda each: each.casefold().lstrip("0")
        )
    )
    found = {}
    for name in names:
        months = draw(st.sets(st.integers(-3, 30), max_size=4)) | {0}
        for month in months:
            for measure, (low, high) in MEASURES.items():
                if measure == "mrss" or draw(st.booleans()):
                    value = draw(st.integers(low, high))
                    found[name, month, measure] = str(value)
        if draw(st.booleans()):
            found[name, 0, "haq_di"] = f"{draw(st.integers(0, 24)) / 8:g}"
    return found


def written(
    cohort: dict[tuple[str, int, str], str], random: random.Random
) -> tuple[bytes, list[str]]:
    """Write a cohort in one of many ways; return the bytes, and the options that it needs."""
    sign, options = random.choice(",;\t|"), ["--same-month", "first"]
    comma = random.random() < 0.5 and sign != ","
    measures = sorted({key[2] for key in cohort})
    months = sorted({key[1] for key in cohort})
    names = list(dict.fromkeys(key[0] for key in cohort))
    # A header cannot have months before the first.
    form = random.choice(["long", "rows", "dates", *(["wide"] if min(months) >= 0 else [])])
    gap = random.choice(["", "NA", "-99"])
    if gap:
        options += ["--missing", gap]

    def cell(name: str, month: int, measure: str) -> str:
        text = cohort.get((name, month, measure), gap)
        return text.replace(".", ",") if comma else text

    there = {(name, month) for name, month, _ in cohort}
    if form == "rows":
        rows = [["id", "month", "measure", "value"]]
        rows += [[n, str(m), x.upper(), cell(n, m, x)] for n, m, x in cohort]
    elif form == "wide":
        columns = [(measure, month) for measure in measures for month in months]
        rows = [["Patient ID", *(f"{measure}_m{month}" for measure, month in columns)]]
        rows += [[n, *(cell(n, month, measure) for measure, month in columns)] for n in names]
    elif form == "long":
        rows = [["subject", "Month", *(each.upper() for each in measures)]]
        rows += [[n, str(m), *(cell(n, m, x) for x in measures)] for n, m in sorted(there)]
    else:
        order = random.choice(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d %b %Y"])
        options += ["--dates", "mdy" if order == "%m/%d/%Y" else "dmy"]
        first = {n: date(2012, 1, 1) + timedelta(days=random.randrange(2000)) for n in names}
        rows = [["pid", "first infusion", "visit date", *measures]]
        for n, m in sorted(there):
            day = first[n] + timedelta(days=round(m * 30.4375))
            assert months_of((day - first[n]).days) == m
            texts = [first[n].strftime(order), day.strftime(order)]
            rows.append([n, *texts, *(cell(n, m, x) for x in measures)])
    end = random.choice(["\n", "\r\n"])
    text = end.join(
        sign.join(f'"{c}"' if random.random() < 0.1 else c for c in row) for row in rows
    )
    return (text + end).encode(random.choice(ENCODINGS)), options


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cohorts(), st.randoms(use_true_random=False))
def test_a_cohort_in_any_dialect_is_read_as_it_was(cohort, random: random.Random) -> None:
    content, options = written(cohort, random)
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "f.csv").write_bytes(content)
        arguments = ["import", str(folder / "f.csv"), "--out", str(folder / "out"), *options]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, (result.output, content)
        table = pd.read_csv(folder / "out" / "visits.csv", dtype=str, keep_default_na=False)
        found = {(n, int(m), x): float(v) for n, m, x, v in table.itertuples(index=False)}
        assert found == {key: float(value) for key, value in cohort.items()}
    finally:
        shutil.rmtree(folder)


SEED = "patient,month,mrss\nA,0,30\nA,6,22\nB,0,25\n"
EVIL = [
    "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "\0", "\r", '"', "''", ",", ";", "\t", "1e999",
    "-1e999", "nan", "inf", "٣", "½", "\u202e", "9" * 400, "2020-13-45", "0000-00-00", "99/99/99",
    "../../etc/passwd", "%s%n", "{0}", "${HOME}", "\ufeff", "\ud7ff", "DROP TABLE", "__class__", "-", "@",
    ":", "@@", "mrss@", "month@6", "1_000", "0x10", "1,2,3", "١٢", "\x1b[31m", "\n\n", "''\"", "a" * 5000,
]  # fmt: skip
OPTIONS = ["--value", "--column", "--missing", "--time", "--dates", "--sheet", "--same-month"]


def hostile(number: int) -> tuple[str, bytes, list[str]]:
    """Return one of many files that nobody means well with: its name, bytes, options."""
    rng = random.Random(number)
    kind = number % 5
    name = rng.choice(["f.csv", "f.csv", "f.txt", "f.tsv", "f.xlsx", "f.xls", "f"])
    if kind == 0:  # cells
        cells = [line.split(",") for line in SEED.splitlines()]
        for _ in range(rng.randrange(1, 6)):
            row = rng.choice(cells)
            row[rng.randrange(3)] = rng.choice(EVIL)
        text = "\n".join(",".join(row) for row in cells)
        return "f.csv", text.encode(rng.choice(["utf-8", "utf-16"]), "replace"), []
    if kind == 1:  # bytes
        return name, rng.randbytes(rng.randrange(600)), []
    if kind == 2:  # bytes in a good file
        content = bytearray(SEED.encode())
        for _ in range(8):
            content[rng.randrange(len(content))] = rng.randrange(256)
        return "f.csv", bytes(content), []
    if kind == 3:  # options
        given = [rng.choice(OPTIONS) for _ in range(2)]
        values = [rng.choice([*EVIL, "a=b", "mrss=age", "A:b=c", "month=first"]) for _ in given]
        return "f.csv", SEED.encode(), [w for pair in zip(given, values, strict=True) for w in pair]
    text = rng.choice(["a: [", "- 1", "columns: 3", "columns: {x: [1]}", "values: {month: 3}",
                       "missing: {a: 1}", "time: 7", "!!python/object:os.system {}", "&a [*a]",
                       "columns: {patient: patient, month: time, mrss: 2020-01-01}", "\x00", "x: 1",
                       "columns: {patient: patient, month: first, mrss: mrss@1e9}", "time: eons",
                       "values: {month: {0: x}}\ncolumns: {patient: patient, month: time, mrss: mrss}",
                       ])  # fmt: skip
    return "m.yml", text.encode(), []


@pytest.mark.parametrize("number", range(repeated(200)))
def test_nothing_ends_in_a_traceback(number: int, tmp_path: Path) -> None:
    name, content, options = hostile(number)
    path = tmp_path / name
    path.write_bytes(content)
    if name == "m.yml":
        (tmp_path / "f.csv").write_text(SEED)
        path, options = tmp_path / "f.csv", ["--mapping", str(tmp_path / "m.yml")]
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["import", str(path), "--out", str(out), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 2), result.output
    assert (result.exit_code == 0) == out.is_dir()
    assert "Traceback" not in result.output
    assert len(result.output) < 30_000
