# ruff: noqa: E501
"""Files as people keep them: what each becomes, or what has to be said first."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

PLAIN = [("A", 0, "mrss", 30.0), ("A", 6, "mrss", 22.0), ("B", 0, "mrss", 25.0)]
LONG = "patient,month,mrss\nA,0,30\nA,6,22\nB,0,25\n"
DATED = "id,first infusion,visit date,mrss\nA,{0},{0},30\nA,{0},{1},22\nB,{2},{2},25\n"


def workbook(*sheets: list[list[Any]], merge: str = "") -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"S{number}")
        for row in rows:
            sheet.append(row)
        if merge:
            for area in merge.split():
                sheet.merge_cells(area)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def dated(*texts: str) -> str:
    return DATED.format(*texts)


CODES = [
    "ND",
    "n.d.",
    "not done",
    "missing",
    "-",
    "?",
    "unk",
    "*",
    "lost to follow-up",
    "#DIV/0!",
    "-9",
    "99",
]

READ: dict[str, tuple[str | bytes, list[str]]] = {
    "comma": (LONG, []),
    "semicolon": (LONG.replace(",", ";"), []),
    "tab": (LONG.replace(",", "\t"), []),
    "bar": (LONG.replace(",", "|"), []),
    "byte order mark and CRLF": ("\ufeff" + LONG.replace("\n", "\r\n"), []),
    "UTF-16": (LONG.encode("utf-16"), []),
    "Latin-1": ((LONG.replace("\n", ",Bemerkung\n", 1).replace("\n", ",schön\n", 2).replace(
        "Bemerkung,schön", "Bemerkung").replace("25\n", "25,gut\n").replace("22\n", "22,x\n")
        ).encode("latin-1"), []),
    "old Mac line ends": (LONG.replace("\n", "\r"), []),
    "quoted": ('"patient","month","mrss"\n"A","0","30"\n"A","6","22"\n"B","0","25"\n', []),
    "no line end at the end": (LONG.rstrip("\n"), []),
    "empty rows at the end": (LONG + ",,\n,,\n\n", []),
    "empty columns": (LONG.replace("\n", ",,\n"), []),
    "blanks around cells": ("patient , month , mrss\n A , 0 , 30 \nA,6, 22\nB ,0,25\n", []),
    "a title above": ("Skin scores of our clinic,,\n,,\n" + LONG, []),
    "a remark above": ("# exported yesterday\n" + LONG, []),
    "decimal commas": (LONG.replace(",", ";").replace("30", "30,0"), []),
    "capitals": (LONG.replace("mrss", "MRSS").replace("patient", "Patient"), []),
    "another name": (LONG.replace("mrss", "Rodnan (0-51)").replace("patient", "Patient ID"), []),
    "German": ("Pat.-Nr.;Monat;Hautscore\nA;0;30\nA;6;22\nB;0;25\n", []),
    "a name of one's own": (LONG.replace("mrss", "thick"), ["--column", "thick=mrss"]),
    "columns nobody knows": (LONG.replace("\n", ",x y\n", 1).replace("0\n", "0,?\n")
                             .replace("22\n", "22,\n").replace("25\n", "25,!\n"), []),
    "measure and value": ("patient,month,measure,value\nA,0,mRSS,30\nA,6,Rodnan,22\nB,0,mrss,25\n", []),
    "a measure to leave aside": (
        "patient,month,measure,value\nA,0,mrss,30\nA,6,mrss,22\nB,0,mrss,25\nB,0,ESR,12\n",
        ["--value", "measure:ESR=aside"]),
    "wide": ("id,mrss_0,mrss_6\nA,30,22\nB,25,\n", []),
    "wide, baseline in words": ("id,mRSS baseline,mRSS 6 months\nA,30,22\nB,25,\n", []),
    "wide, months first": ("id,M0 mrss,M6 mrss\nA,30,22\nB,25,\n", []),
    "wide, weeks": ("id,mrss_w0,mrss_w26\nA,30,22\nB,25,\n", []),
    "wide, glued": ("id;MRSS0;MRSS6\nA;30;22\nB;25;\n", []),
    "a header of two rows": ("id,mRSS,\n,0,6\nA,30,22\nB,25,\n", []),
    "wide, months as the British write them": ("Hosp no.,mRSS pre,mRSS 6/12\nA,30,22\nB,25,\n", []),
    "a row of means below": (LONG + "Mean,0,26\n", ["--value", "patient:Mean=aside"]),
    "decimals to the nearest": (LONG.replace("30", "29.8"), ["--round", "mrss"]),
    "from the first visit": (
        "Patient;Visite am;mRSS\nA;12.07.2019;22\nA;10.01.2019;30\nB;01.02.2020;25\n",
        ["--start", "first-visit"]),
    "REDCap": (
        "record_id,redcap_event_name,redcap_repeat_instrument,mrss\n"
        "A,baseline_arm_1,,30\nA,month_6_arm_1,,22\nB,baseline_arm_1,,25\n", []),
    "REDCap, numbers first": (
        "record_id,redcap_event_name,mrss\n"
        "A,baseline_arm_1,30\nA,6_months_arm_1,22\nB,baseline_arm_1,25\n", []),
    "visits by name": ("id,visit,mrss\nA,BL,30\nA,M6,22\nB,Baseline,25\n", []),
    "visits by number, said": ("id,visit,mrss\nA,V1,30\nA,V2,22\nB,V1,25\n",
                               ["--value", "visit:V1=0", "--value", "visit:V2=6"]),
    "a visit without a unit, said": (LONG.replace("month", "visit"), ["--time", "months"]),
    "weeks": ("id,week,mrss\nA,0,30\nA,26,22\nB,0,25\n", []),
    "days": ("id,day,mrss\nA,0,30\nA,183,22\nB,1,25\n", []),
    "years": ("id,year,mrss\nA,0,30\nA,0.5,22\nB,0,25\n", []),
    "ISO dates": (dated("2020-01-03", "2020-07-01", "2019-12-31"), []),
    "German dates": (dated("03.01.2020", "01.07.2020", "31.12.2019"), []),
    "strokes that the data settle": (dated("3/1/2020", "1/7/2020", "31/12/2019"), []),
    "American strokes": (dated("1/3/2020", "7/1/2020", "12/31/2019"), []),
    "strokes, said": (dated("3/1/2020", "1/7/2020", "2/12/2019"), ["--dates", "dmy"]),
    "months in words": (dated("3 Jan 2020", "1-Jul-2020", "31 Dec 2019"), []),
    "dates with a time": (dated("2020-01-03 00:00:00", "2020-07-01 00:00", "2019-12-31T08:00:00"), []),
    "two digits of the year": (dated("03.01.20", "01.07.20", "31.12.19"), []),
    "Excel's serial numbers": (dated("43833", "44013", "43830"), []),
    "NA, confirmed": (LONG + "B,6,NA\n", ["--missing", "NA"]),
    "n/a and a point, confirmed": (LONG + "B,6,n/a\nB,12,.\n", ["--missing", "n/a", "--missing", "."]),
    "-99, confirmed": (LONG + "B,6,-99\nB,12,-99.0\n", ["--missing", "-99"]),
    "999 in one column, confirmed": (LONG + "B,6,999\n", ["--missing", "mrss:999"]),
    "every code, confirmed": (
        LONG + "".join(f"B,{month},{code}\n" for month, code in enumerate(CODES, 6)),
        [word for code in CODES for word in ("--missing", code)]),
    "a unit beside the number": (LONG.replace("30", "30 points").replace("22", "22points"), []),
    "a number with a remark, said": (LONG.replace("30", "30*"), ["--value", "mrss:30*=30"]),
    "a planned visit without a date": (
        "id,first infusion,visit date,mrss\nA,2020-01-03,2020-01-03,30\nA,,,\n,,,\nA,,planned,\n"
        "A,,2020-07-01,22\nB,2019-12-31,2019-12-31,25\n", []),
    "a visit to leave aside": (LONG.replace("0,25", "0,25\nB,Screening,27"),
                               ["--value", "month:Screening=aside"]),
    "a follow-up in words": (LONG.replace("A,6", "A,6 Month Follow-up"), []),
    "a footnote, left aside": (LONG + "* moved away,,\n", ["--value", "patient:* moved away=aside"]),
    "an empty score": (LONG + "B,6,\n", []),
    "numbers with .0": (LONG.replace("30", "30.0").replace("6", "6.0"), []),
    "filled down": ("id,month,mrss\nA,0,30\n,6,22\nB,0,25\n", ["--fill-down"]),
    "two in a month, the first": (LONG + "B,0,26\n", ["--same-month", "first"]),
    "two in a month, the last": ("patient,month,mrss\nB,0,19\n" + LONG.split("\n", 1)[1],
                                 ["--same-month", "last"]),
    "one spelling, said": (LONG + "a,12,20\n", ["--value", "patient:a=A", "--missing", "mrss:20"]),
    "xlsx": (workbook([["patient", "month", "mrss"], ["A", 0, 30], ["A", 6, 22.0], ["B", 0, 25]]), []),
    "xlsx, dates": (workbook([
        ["id", "start date", "date", "mrss"],
        ["A", datetime(2020, 1, 3), datetime(2020, 1, 3), 30],
        ["A", None, date(2020, 7, 1), 22],
        ["B", datetime(2019, 12, 31), datetime(2019, 12, 31), 25]]), []),
    "xlsx, merged header": (workbook(
        [["id", "mRSS", None], [None, 0, 6], ["A", 30, 22], ["B", 25, None]], merge="B1:C1 A1:A2"), []),
    "xlsx, merged patients": (workbook(
        [["id", "month", "mrss"], ["A", 0, 30], [None, 6, 22], ["B", 0, 25]], merge="A2:A3"), []),
    "xlsx, two sheets": (workbook(
        [["id", "sex", "start of treatment"], ["A", "f", date(2020, 1, 3)], ["B", "m", date(2019, 12, 31)]],
        [["id", "date", "mrss"], ["A", date(2020, 1, 3), 30], ["A", date(2020, 7, 1), 22],
         ["B", date(2019, 12, 31), 25]],
        [["colour", "meaning"], ["red", "ask"]]), []),
    "xlsx, one sheet of two": (workbook(
        [["id", "month", "mrss"], ["Z", 0, 1]],
        [["id", "month", "mrss"], ["A", 0, 30], ["A", 6, 22], ["B", 0, 25]]), ["--sheet", "S2"]),
    "xlsx, a formula in what is left aside": (workbook(
        [["id", "month", "mrss", "double"], ["A", 0, 30, "=2*C2"], ["A", 6, 22, "=2*C3"],
         ["B", 0, 25, None], ["Mean", None, "=AVERAGE(C2:C4)", None]]),
        ["--value", "id:Mean=aside"]),
    "xlsx, empty rows and columns": (workbook(
        [[None, None, None, None], ["id", "month", "mrss", None], ["A", 0, 30], ["A", 6, 22],
         ["B", 0, 25], [None, None, None, " "]]), []),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_it_becomes_the_same_cohort(kind: str, run_import, visits) -> None:
    content, options = READ[kind]
    name = "f.xlsx" if kind.startswith("xlsx") else "f.csv"
    result = run_import(content, *options, name=name)
    assert result.exit_code == 0, result.output
    assert sorted(visits()) == PLAIN
    again = run_import(content, "--mapping", str(Path(result.output.split("Written to ")[1].split(
        ": patients.csv")[0]) / "mapping.yml"), out="again", name=name)  # fmt: skip
    assert again.exit_code == 0, again.output
    assert sorted(visits("again")) == PLAIN


STOPPED: dict[str, tuple[str | bytes, list[str]]] = {
    "strokes in either order": (
        dated("3/1/2020", "1/7/2020", "2/12/2019"), ["--dates dmy or --dates mdy", "row 2"]),
    "strokes in both orders": (
        dated("31/1/2020", "1/31/2020", "2/12/2019"), ["one order of day and month", "'31/1/2020'"]),
    "dates without a first infusion": (
        "id,date,mrss\nA,2020-01-03,30\n", ["--column 'HEADER=first'", "--start first-visit"]),
    "a patient without a first infusion": (
        dated("2020-01-03", "2020-07-01", ""), ["found 'empty'", "row 4"]),
    "two first infusions": (
        "id,start date,date,mrss\nA,2020-01-03,2020-01-03,30\nA,2020-01-04,2020-07-03,22\n",
        ["one date for each patient", "row 3"]),
    "a day that does not exist": (dated("2020-02-30", "2020-07-01", "2020-01-01"), ["a day that exists"]),
    "one word among dates": (
        "id,erste Infusion,Visite am,mrss\nA,03.01.2020,03.01.2020,30\nA,,01.07.2020,22\nA,,Juli,20\n",
        ["settled first:\nf.csv, row 4, column Visite am: found 'Juli'"]),
    "a month only": (dated("2020-01", "2020-07", "2020-01"), ["day, month and year"]),
    "a score of 52": (LONG.replace("25", "52"), ["row 4", "from 0 to 51"]),
    "a score below 0": (LONG.replace("25", "-3"), ["row 4", "from 0 to 51"]),
    "a number of hundreds of digits": (LONG.replace("30", "9" * 400), ["row 2", "from 0 to 51"]),
    "half a point": (LONG.replace("25", "25.5"), ["row 4", "a whole number"]),
    "a score in words": (LONG.replace("25", "about 25"), ["'about 25'"]),
    "a score that Excel made a date of": (
        workbook([["id", "month", "mrss"], ["A", 0, datetime(2024, 12, 3)]]), ["a date of it", "row 2"]),
    "NA": (LONG + "B,6,NA\nB,12,NA\n", ["--missing 'NA'", "2 rows (5, 6)"]),
    "a code in several columns, said once": (
        "id,month,mrss,fvc,haq\nA,0,ND,nd,0.5\nA,6,22,ND,-\n",
        ["2 rows (2, 3), column mrss, fvc: found 'ND'", "row 3, column haq: found '-'",
         "all of these as unknown: --missing ND --missing -"]),
    "a code that is a value elsewhere": (
        "id,month,mrss,cpk\nA,0,999,40\nA,6,22,999\n", ["--missing 'mrss:999'", "found '999'"]),
    "a number with a remark": (LONG.replace("30", "30*"), ["--value 'mrss:30*=NUMBER'"]),
    "a footnote": (LONG + "* moved away,,\n", ["row 5", "--value 'patient:* moved away=aside'"]),
    "-99": (LONG + "B,6,-99\n", ["--missing '-99'"]),
    "999": (LONG + "B,6,999\n", ["--missing '999'"]),
    "sex as 1 and 2": ("id,month,mrss,sex\nA,0,30,1\nB,0,25,2\n",
                       ["0 or 1, of Female sex", "--value 'sex:1=MEANT'"]),
    "one patient in two spellings": (LONG + "a ,12,20\n", ["row 5", "one spelling", "'A'"]),
    "a patient with and without zeros": (LONG.replace("A", "1") + "001,12,20\n", ["one spelling"]),
    "two scores in a month": (LONG + "B,0,26\n", ["--same-month", "see f.csv, row 4"]),
    "visits by number": ("id,visit,mrss\nA,1,30\nA,2,22\n", ["--time months"]),
    "visits by number, wide": ("id,mrss1,mrss2,mrss3\nA,30,22,20\n", ["visits by number"]),
    "visits by name that nobody knows": ("id,visit,mrss\nA,early,30\n", ["--value 'visit:early=MONTH'"]),
    "no patients": ("month,mrss\n0,30\n", ["HEADER=patient"]),
    "no time": ("id,mrss\nA,30\n", ["HEADER=time"]),
    "no time, and a column of dates": ("id,seen,mrss\nA,2020-01-03,30\n", ["--column 'seen=time'"]),
    "no patients below a title": ("Our clinic,,\nwho,month,mrss\nA,0,30\n", ["row 2", "found 'who,"]),
    "a row of means": (LONG + "Mean,0,26\n", ["row 5", "--value 'patient:Mean=aside'"]),
    "decimals": (LONG.replace("30", "29.8").replace("22", "22.4"), ["2 rows (2, 3)", "--round 'mrss'"]),
    "no score": ("id,month\nA,0\n", ["at least one score"]),
    "two columns of time": ("id,month,visit date,mrss\nA,0,2020-01-01,30\n", ["one column as time"]),
    "a column twice": ("id,month,mrss,mrss\nA,0,30,31\n", ["each column once"]),
    "decimal commas without quotes": ("id,month,mrss\nA,0,30,5\nB,0,25\n", ["row 2", "4 cells"]),
    "a row cut short": (LONG + "B\n", ["row 5", "1 cells"]),
    "a patient missing": (LONG + ",6,20\n", ["row 5", "--fill-down"]),
    "a quote left open": ('id,month,mrss\nA,0,"30\n', ["quotes closed"]),
    "nothing": ("", ["no rows"]),
    "a header alone": ("id,month,mrss\n", ["row below the header"]),
    "bytes that are no text": (bytes(range(256)) * 4, ["found"]),
    "an old workbook": (b"\xd0\xcf\x11\xe0", ["save it as .xlsx"]),
    "a broken workbook": (b"PK\x03\x04 no", ["as Excel saves it"]),
    "a measure that nobody knows": (
        "id,month,measure,value\nA,0,ESR,30\n", ["measure:ESR=MEASURE", "aside"]),
    "an age that changes": ("id,month,mrss,age\nA,0,30,40\nA,6,22,41\n", ["as '40' in row 2"]),
    "a year far from the first infusion": (
        "id,date,first infusion,mrss\nA,2020-03-04,2020-03-04,30\nA,2091-09-02,2020-03-04,22\n",
        ["row 3, column date: found '2091-09-02'", "from -600 to 600 months"]),
    "a formula without its value": (
        workbook([["id", "month", "mrss"], ["A", 0, "=15+15"]]), ["formula without its value"]),
    "a month of infinity": (LONG.replace("6", "1e400"), ["row 3"]),
    "a long way off": (LONG.replace("6", "9999"), ["row 3"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", STOPPED)
def test_it_stops_with_what_has_to_be_said(kind: str, run_import, tmp_path: Path) -> None:
    content, words = STOPPED[kind]
    ending = ".xls" if "old workbook" in kind else ".csv"
    if isinstance(content, bytes) and content[:2] == b"PK":
        ending = ".xlsx"
    result = run_import(content, name=f"f{ending}")
    assert result.exit_code == 2, result.output
    for each in words:
        assert each in result.output, result.output
    assert not (tmp_path / "out").exists()


def test_a_year_that_may_be_mistyped_is_noted(run_import) -> None:
    text = "id,date,first infusion,mrss\n" + "".join(
        f"A,{day},2020-03-04,30\n" for day in ("2020-03-04", "2021-03-04", "2031-03-04")
    )
    result = run_import(text)
    assert "row 4: month 132 of A is 120 months from every other visit" in result.output
    assert result.output.count("is the date right?") == 1 and result.exit_code == 0


def test_what_was_understood_is_shown_and_every_change_counted(run_import, tmp_path: Path) -> None:
    text = (
        "ID;Sex;Race;Month;mRSS;Weight\nA;w;White;0;30;61\nA;w;White;6;NA;60\nB;M;black;0;25;80\n"
    )
    result = run_import(text, "--missing", "NA")
    for line in (
        "f.csv: semicolon between cells, UTF-8; 3 rows below the header in row 1",
        "f.csv, Sex: 'w' → 1 (2 cells, rows 2, 3)",
        "f.csv, Sex: 'M' → 0 (1 cell, row 4)",
        "f.csv, Race: 'White' → white (2 cells, rows 2, 3)",
        "f.csv, mRSS: 'NA' → unknown (1 cell, row 3)",
        "Weight  left aside: 61, 60, 80",
        "2 patients, months 0 to 0, values: 2 of mrss.",
    ):
        assert line in result.output, result.output
    patients = pd.read_csv(tmp_path / "out" / "patients.csv")
    assert patients.to_dict("list") == {
        "patient": ["A", "B"],
        "female": [1, 0],
        "race": ["white", "black"],
    }


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (
            "id,month,mrss,age\nA,0,60,40\nA,6,NA,40\nB,x,20,400\n,0,20,40\n",
            ["found '60'", "'NA'", "found 'x'", "found '400'", "--fill-down"],
        ),
        ("id,date,mrss\nA,2020-01-03,60\n", ["--start first-visit", "found '60'"]),
        ("id,month,mrss\nA,soon,60\n", ["found 'soon'", "found '60'"]),
        ("id,month,mrss\nA,0,1e9999999\nA,1e99999999999999999999,60\n", ["'1e9999999'", "'60'"]),
        ("id,month,visit,mrss\nA,0,0,60\nB\n", ["one column as time", "found '60'", "1 cells"]),
    ],
)
def test_a_fault_never_hides_another(text: str, faults: list[str], run_import) -> None:
    result = run_import(text)
    for words in faults:
        assert words in result.output, result.output


def test_sheets_that_are_called_by_a_month_need_no_column_of_times(run_import, visits) -> None:
    book = openpyxl.Workbook()
    for title, scores in {"Baseline": {"A": 30, "B": 25}, "6 months": {"A": 22}}.items():
        sheet = book.create_sheet(title)
        for row in (("id", "mrss"), *scores.items()):
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    result = run_import(stream.getvalue(), name="f.xlsx")
    assert sorted(visits()) == PLAIN, result.output
    assert "table '6 months' → month 6 (1 cell, row 2)" in result.output


def test_nothing_is_overwritten_and_a_dry_run_writes_nothing(run_import, tmp_path: Path) -> None:
    assert run_import(LONG).exit_code == 0
    kept = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    from click.testing import CliRunner

    from rederive.cli.main import main

    file, out = str(tmp_path / "f.csv"), str(tmp_path / "out")
    result = CliRunner().invoke(main, ["import", file, "--out", out])
    assert result.exit_code == 2 and "allowed: a new folder" in result.output
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    result = CliRunner().invoke(main, ["import", file, "--dry-run"])
    assert result.exit_code == 0 and "Nothing is written" in result.output
