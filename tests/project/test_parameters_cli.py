"""The commands ``params``, ``validate`` and ``template``, and parameters as a user gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ivig_dcssc import PARAMETERS
from rederive.cli.main import main
from rederive.parameters import Parameter, ParameterError, ParameterSet
from rederive.parameters.given import check_taken, parse_assignments, read_parameter_file
from rederive.parameters.notebooks import notebook_parameters, takers
from rederive.printed.schema import TableError

ROOT = Path(__file__).resolve().parents[2]
TEACHING = ROOT / "data" / "cohorts" / "synthetic-teaching"


def level_alone(values: Mapping[str, object], changed: Mapping[str, object]) -> str:
    return "level and rule: no" if {"level", "rule"} <= set(changed) else ""


SOME = ParameterSet(
    (
        Parameter("level", 0.05, "a level", minimum=0.0, maximum=1.0),
        Parameter("window", 3, "a window", unit="months", minimum=0, maximum=12),
        Parameter("rule", "first", "a rule", choices=("first", "last")),
        Parameter("quiet", False, "say less"),
        Parameter("folder", "", "a folder"),
    ),
    rules=(level_alone,),
)


def rederive(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(ROOT), *arguments])


# Parameters from text


def test_texts_become_values_of_the_parameter_s_type() -> None:
    texts = ["level=1e-2", "window = 4", "rule=last", "quiet=yes", "folder=a=b"]
    values = parse_assignments(texts, SOME)
    assert values == {"level": 0.01, "window": 4, "rule": "last", "quiet": True, "folder": "a=b"}
    assert isinstance(values["window"], int)


@given(st.floats(0, 1), st.integers(0, 12))
def test_printed_values_are_read_back(level: float, window: int) -> None:
    assert parse_assignments([f"level={level!r}", f"window={window}"], SOME) == {
        "level": level,
        "window": window,
    }


def test_all_faults_of_assignments_are_named_at_once() -> None:
    texts = ["levle=1", "window", "window=2.5", "quiet=maybe", "level=nan", "rule=a", "window=1_0"]
    with pytest.raises(ParameterError) as caught:
        parse_assignments([*texts, "level=0.1", "level=0.2"], SOME)
    lines = str(caught.value).splitlines()
    assert len(lines) == 8
    assert "did you mean 'level'" in lines[0]
    assert "NAME=VALUE" in lines[1]
    assert "found 0.1 and 0.2" in lines[-1]


@pytest.mark.parametrize("text", ["0,05", ",05", " 0,05 "])
def test_a_decimal_comma_is_refused_with_the_point(text: str) -> None:
    suggestion = text.strip().replace(",", ".")
    with pytest.raises(ParameterError, match=rf"did you mean '{re.escape(suggestion)}'"):
        parse_assignments([f"level={text}"], SOME)
    with pytest.raises(ParameterError, match="a whole number") as caught:
        parse_assignments(["window=2,5"], SOME)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("level: 0.1\nlevel: 0.2\n", "line 2: key 'level' is given twice"),
        ("- 1\n", "found a list"),
        ("level: [1, 2]\n", "parameter level: found ['1', '2']"),
        ("rule:\n", "parameter rule: found ''"),
        ("rule: 'x\n", "not YAML"),
        ("levl: 2\n", "'levl'"),
        ("window: 5:30\n", "found '5:30'"),
    ],
)
def test_a_faulty_file_is_named_with_its_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError) as caught:
        read_parameter_file(path, SOME)
    assert "mine.yaml" in str(caught.value) and words in str(caught.value)


@pytest.mark.parametrize(
    "given",
    ["level=0.1 window=2 quiet=true rule=last", "level=1e-2 window=02", "level=.1 quiet=no"],
)
def test_a_file_and_the_command_line_are_read_alike(tmp_path: Path, given: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(given.replace(" ", "\n").replace("=", ": "))
    assert read_parameter_file(path, SOME) == parse_assignments(given.split(), SOME)


def test_an_empty_file_gives_nothing_and_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# nothing\n")
    assert read_parameter_file(path, SOME) == {}
    with pytest.raises(TableError, match=r"gone\.yaml: found 'No such file"):
        read_parameter_file(tmp_path / "gone.yaml", SOME)


def test_values_for_one_notebook() -> None:
    taken_by = {"level": ("one", "two"), "window": ("two",)}
    assert check_taken(SOME, {"level": 1}, ("level",), "one", taken_by) == {"level": 1.0}
    with pytest.raises(ParameterError) as caught:
        check_taken(SOME, {"window": 3, "levle": 1}, ("level",), "one", taken_by)
    first, second = str(caught.value).splitlines()
    assert "not one that one takes; taken by: two; one takes: level" in first
    assert "did you mean 'level'" in second
    with pytest.raises(ParameterError, match="level and rule: no"):
        check_taken(SOME, {"level": 1, "rule": "last"}, ("level", "rule"))


# params


def test_every_parameter_is_listed_with_its_notebooks() -> None:
    found = rederive("params")
    assert found.exit_code == 0
    for each in PARAMETERS:
        assert f"\n{each.name} = " in f"\n{found.output}"
    assert "a whole number from 0 to 12 months" in found.output


def test_the_parameters_of_one_notebook() -> None:
    found = rederive("params", "results_treatment", "--json")
    records = json.loads(found.output)
    path = ROOT / "notebooks" / "results_treatment.ipynb"
    assert sorted(each["name"] for each in records) == sorted(notebook_parameters(path))
    every = takers(ROOT / "notebooks")
    assert all(each["notebooks"] == list(every[each["name"]]) for each in records)
    window = next(e for e in json.loads(rederive("params", "--json").output) if e["maximum"] == 12)
    assert (window["name"], window["type"], window["default"]) == (
        "baseline_window",
        "whole number",
        3,
    )


def test_an_unknown_notebook_is_an_error_of_the_request() -> None:
    found = rederive("params", "result_skin")
    assert found.exit_code == 2
    assert "did you mean 'results_skin'" in found.output


# template and validate


def test_a_template_is_written_once_and_the_example_is_marked(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert rederive("template", str(folder)).exit_code == 0
    names = {"patients.csv", "visits.csv", "CODEBOOK.csv", "README.txt"}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "patients.csv").read_text().count("\n") == 1
    codebook = (ROOT / "data" / "cohorts" / "codebook.csv").read_text()
    assert (folder / "CODEBOOK.csv").read_text() == codebook
    (folder / "patients.csv").write_text("somebody's data\n")
    again = rederive("template", str(folder))
    assert again.exit_code == 2 and "patients.csv" in again.output
    assert (folder / "patients.csv").read_text() == "somebody's data\n"


PATIENTS = """patient,age,cycles,cycles_first_6_months
A,41,9,6
B,55,4,4
C,38,,3
"""
VISITS = """patient,month,measure,value
A,-2,mrss,31
A,5,mrss,25
A,12,mrss,21
B,-1,mrss,24
B,18,mrss,22
C,0,mrss,35
C,24,mrss,19
"""


def three_patients(folder: Path, patients: str = PATIENTS, visits: str = VISITS) -> str:
    folder.mkdir()
    (folder / "patients.csv").write_text(patients)
    (folder / "visits.csv").write_text(visits)
    return str(folder)


def test_a_folder_that_cannot_be_made_is_a_failed_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = rederive("template", str(tmp_path / "file"))
    assert found.exit_code in (1, 2)
    assert "error: " in found.output and "Traceback" not in found.output


def test_a_cohort_that_fits_is_summed_up() -> None:
    record = json.loads(rederive("validate", str(TEACHING), "--json").output)
    assert record["valid"] and record["patients"] == record["analysed"] == 30
    mrss = next(each for each in record["windows"] if each["measure"] == "mrss")
    assert mrss["baseline"] == 30
    assert mrss["followed"] == {"6": 29, "12": 25, "18": 23, "24": 15}
    assert record["warnings"] == []
    words = rederive("validate", str(TEACHING)).output
    assert "mrss: baseline 30, month 6 29, month 12 25, month 18 23, month 24 15" in words


def test_missing_columns_and_few_cycles_are_said(tmp_path: Path) -> None:
    mine = three_patients(tmp_path / "mine", PATIENTS.replace(",3\n", ",2\n"))
    record = json.loads(rederive("validate", mine, "--json").output)
    assert (record["patients"], record["analysed"]) == (3, 2)
    assert any("minimum_cycles" in note for note in record["notes"])
    assert any("haq_di" in warning for warning in record["warnings"])
    assert any("month 24" in warning for warning in record["warnings"])


def test_every_fault_of_a_cohort_is_named_at_once(tmp_path: Path) -> None:
    visits = VISITS.replace(",-2,mrss,31", ",-2,mrs,31").replace(",19", ",60")
    mine = three_patients(tmp_path / "mine", PATIENTS.replace("A,41", "A,forty"), visits)
    found = rederive("validate", mine)
    assert found.exit_code == 2
    for words in (
        "3 faults",
        "patients.csv, row 2",
        "'forty'",
        "did you mean 'mrss'",
        "found '60'",
    ):
        assert words in found.output
    again = rederive("validate", mine, "--json")
    assert again.exit_code == 2
    record = json.loads(again.output)
    assert not record["valid"]
    assert [(each["file"], each["column"]) for each in record["problems"]] == [
        ("patients.csv", "age"),
        ("visits.csv", "measure"),
        ("visits.csv", "value"),
    ]
    assert record["problems"][1]["suggestion"] == "mrss"


def test_no_such_folder(tmp_path: Path) -> None:
    found = rederive("validate", str(tmp_path / "nowhere"))
    assert found.exit_code == 2
    assert "no such folder" in found.output
