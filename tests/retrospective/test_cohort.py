from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rederive.retrospective import (
    Codebook,
    Cohort,
    CohortError,
    Windows,
    paired_change,
    read_cohort,
    write_cohort,
    write_templates,
)

CODEBOOK = """\
table,column,label,kind,unit,minimum,maximum,step,allowed,required,note
patients,patient,Patient,text,,,,,,yes,
patients,age,Age,integer,years,0,120,,,yes,
patients,female,Female,flag,,,,,,no,
patients,race,Race,category,,,,,white|black|other,no,
patients,death_month,Month of death,month,,0,600,,,no,
visits,patient,Patient,text,,,,,,yes,
visits,month,Month,month,,-600,600,,,yes,
visits,measure,Measure,category,,,,,,yes,
visits,value,Value,number,,,,,,yes,
visits,skin,Skin score,integer,points,0,51,1,,yes,
visits,function,Function,number,score,0,3,0.125,,no,
visits,rubs,Rubs,flag,,,,,,no,
"""
PATIENTS = """\
patient,age,female,race,death_month
A,40,1,white,
B,51,,,16
"""
VISITS = """\
patient,month,measure,value
A,-1,skin,30
A,6,skin,22
A,6,function,1.125
B,0,skin,25
B,7,skin,21
B,7,rubs,0
"""


@pytest.fixture(scope="module")
def codebook(tmp_path_factory: pytest.TempPathFactory) -> Codebook:
    path = tmp_path_factory.mktemp("codebook") / "codebook.csv"
    path.write_text(CODEBOOK, encoding="utf-8")
    return Codebook.load(path)


def folder_with(folder: Path, patients: str = PATIENTS, visits: str = VISITS) -> Path:
    (folder / "patients.csv").write_text(patients, encoding="utf-8")
    (folder / "visits.csv").write_text(visits, encoding="utf-8")
    return folder


def problems_of(folder: Path, codebook: Codebook) -> list[tuple[str, int | None, str, str, str]]:
    with pytest.raises(CohortError) as caught:
        read_cohort(folder, codebook)
    assert isinstance(caught.value, ValueError)
    message = str(caught.value)
    for problem in caught.value.problems:
        assert str(problem) in message
        assert problem.allowed
    return [(p.file, p.row, p.column, p.found, p.suggestion) for p in caught.value.problems]


def test_a_cohort_is_read_with_its_types_and_runs(tmp_path: Path, codebook: Codebook) -> None:
    cohort = read_cohort(folder_with(tmp_path), codebook)
    assert cohort.column("age").to_dict() == {"A": 40.0, "B": 51.0}
    assert np.isnan(cohort.column("female")["B"])
    assert list(cohort.patients["race"].cat.categories) == ["white", "black", "other"]
    assert cohort.visits["month"].dtype == np.int64
    values = cohort.measured("skin", Windows())
    assert values.loc["A", "m6"] == 22
    assert cohort.measured("rubs", Windows()).loc["A"].isna().all()
    row = paired_change(values, "m6").iloc[0]
    assert (row["n"], row["change_mean"]) == (2, -6.0)


def test_what_is_written_is_read_again_byte_for_byte(tmp_path: Path, codebook: Codebook) -> None:
    cohort = read_cohort(folder_with(tmp_path), codebook)
    for name in ("one", "two"):
        write_cohort(cohort, tmp_path / name)
        again = read_cohort(tmp_path / name, codebook)
        pd.testing.assert_frame_equal(again.patients, cohort.patients)
        pd.testing.assert_frame_equal(again.visits, cohort.visits)
        assert (tmp_path / name / "patients.csv").read_bytes() == PATIENTS.encode()
        assert (tmp_path / name / "visits.csv").read_bytes() == VISITS.encode()
        assert len(list((tmp_path / name).iterdir())) == 2


def test_numbers_are_written_alike_whatever_their_type(tmp_path: Path) -> None:
    patients = pd.DataFrame(
        {
            "patient": ["A", "B"],
            "age": pd.array([40, None], dtype="Int64"),
            "female": [True, False],
            "onset": [0.1 + 0.2, -0.0],
        }
    )
    visits = pd.DataFrame({"patient": ["A"], "month": [0], "measure": ["skin"], "value": [30.0]})
    write_cohort(Cohort(patients, visits), tmp_path)
    written = (tmp_path / "patients.csv").read_text(encoding="utf-8")
    assert written == "patient,age,female,onset\nA,40,1,0.3\nB,,0,0\n"


def test_a_failing_write_leaves_the_old_files(tmp_path: Path, codebook: Codebook) -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise RuntimeError("no number")

    cohort = read_cohort(folder_with(tmp_path), codebook)
    broken = cohort.visits.astype({"value": object})
    broken.loc[3, "value"] = Unprintable()
    with pytest.raises(RuntimeError, match="no number"):
        write_cohort(Cohort(cohort.patients.iloc[:1], broken), tmp_path)
    assert (tmp_path / "patients.csv").read_text(encoding="utf-8") == PATIENTS
    assert len(list(tmp_path.iterdir())) == 2


def test_every_offending_cell_is_listed_at_once(tmp_path: Path, codebook: Codebook) -> None:
    patients = """\
patient,age,female,race,death_month
A,forty,1,white,
A,51,yes,Whyte,2010-03-01
C,,2,black,
D,46.5,0,other,
,44,0,other,16
E,44,0
"""
    visits = """\
patient,month,measure,value
A,2010-03-01,skin,30
A,6,skin,60
A,6.0,skin,22
A,12,skin,22.5
A,12,function,"1,125"
A,12,function,1.13
Z,0,skin,25
C,0,skinn,25
C,0,skin,high
D,,skin,20
D,0,rubs,3
D,1,skin,
"""
    found = problems_of(folder_with(tmp_path, patients, visits), codebook)
    p, v = "patients.csv", "visits.csv"
    assert found == [
        (p, 2, "age", "forty", ""),
        (p, 3, "female", "yes", "1"),
        (p, 3, "race", "Whyte", "white"),
        (p, 3, "death_month", "2010-03-01", ""),
        (p, 3, "patient", "A", ""),
        (p, 4, "age", "", ""),
        (p, 4, "female", "2", ""),
        (p, 5, "age", "46.5", ""),
        (p, 6, "patient", "", ""),
        (p, 7, "", "3 cells", ""),
        (v, 2, "month", "2010-03-01", ""),
        (v, 3, "value", "60", ""),
        (v, 4, "value", "A, month 6, skin", ""),
        (v, 5, "value", "22.5", ""),
        (v, 6, "value", "1,125", "1.125"),
        (v, 7, "value", "1.13", ""),
        (v, 7, "value", "A, month 12, function", ""),
        (v, 8, "patient", "Z", ""),
        (v, 9, "measure", "skinn", "skin"),
        (v, 10, "value", "high", ""),
        (v, 10, "value", "C, month 0, skin", ""),
        (v, 11, "month", "", ""),
        (v, 12, "value", "3", ""),
        (v, 13, "value", "", ""),
    ]


def test_messages_say_what_is_allowed(tmp_path: Path, codebook: Codebook) -> None:
    visits = VISITS.replace("A,6,skin,22", "A,6,skin,60").replace("B,0,", "B,2010-03,")
    with pytest.raises(CohortError) as caught:
        read_cohort(folder_with(tmp_path, visits=visits), codebook)
    assert str(caught.value).splitlines() == [
        "visits.csv, row 3, column value: found '60',"
        " allowed: skin: a whole number from 0 to 51 (points); leave the row out if unknown",
        "visits.csv, row 5, column month: found '2010-03',"
        " allowed: a whole number of months from -600 to 600, not a date",
    ]
    with pytest.raises(CohortError, match=r"not empty; leave the row out if unknown$"):
        empty = VISITS.replace("A,6,skin,22", "A,6,skin,")
        read_cohort(folder_with(tmp_path, visits=empty), codebook)
    with pytest.raises(CohortError, match="did you mean 'skin'") as caught:
        read_cohort(folder_with(tmp_path, visits=VISITS.replace("skin", "Skin")), codebook)
    assert "no skin" not in str(caught.value)


def test_headers_are_compared_by_name(tmp_path: Path, codebook: Codebook) -> None:
    wrong = PATIENTS.replace("patient,age,female", "patient,Age,femal").replace("race", "ward")
    assert problems_of(folder_with(tmp_path, wrong), codebook) == [
        ("patients.csv", 1, "Age", "Age", "age"),
        ("patients.csv", 1, "femal", "femal", "female"),
        ("patients.csv", 1, "ward", "ward", ""),
    ]
    twice = PATIENTS.replace("race", "age")
    assert ("patients.csv", 1, "age", "age", "") in problems_of(
        folder_with(tmp_path, twice), codebook
    )
    lacking = "patient,month,measure\nA,0,skin\n"
    assert problems_of(folder_with(tmp_path, visits=lacking), codebook) == [
        ("visits.csv", 1, "value", "no such column", "")
    ]


def test_optional_columns_may_be_absent_and_columns_in_any_order(
    tmp_path: Path, codebook: Codebook
) -> None:
    cohort = read_cohort(folder_with(tmp_path, "age,patient\n40,A\n51,B\n"), codebook)
    assert list(cohort.patients.columns) == ["patient", "age", "female", "race", "death_month"]
    assert cohort.patients[["female", "race"]].isna().all(axis=None)


def test_spreadsheet_files_are_read(tmp_path: Path, codebook: Codebook) -> None:
    patients = "\ufeff" + PATIENTS.replace("\n", "\r\n") + ",,,,\r\n"
    folder_with(tmp_path)
    (tmp_path / "patients.csv").write_bytes(patients.encode())
    assert list(read_cohort(tmp_path, codebook).patients["patient"]) == ["A", "B"]
    for sign in (";", "|", "\t"):
        # One fault, and none that only follows from it.
        other = "# A remark.\n" + VISITS.replace(",", sign)
        header = sign.join(["patient", "month", "measure", "value"])
        assert problems_of(folder_with(tmp_path, visits=other), codebook) == [
            ("visits.csv", 2, "", header, "")
        ]
    # A typographic minus sign is one.
    visits = VISITS.replace("A,0,", "A,−1,")
    assert -1 in set(read_cohort(folder_with(tmp_path, visits=visits), codebook).visits["month"])


def test_a_suggestion_is_never_another_patient(tmp_path: Path, codebook: Codebook) -> None:
    patients = "patient,age\n1,40\n002,51\n003,44\n004,61\n"
    visits = "patient,month,measure,value\n001,0,skin,20\n005,0,skin,20\n 002,0,skin,21\n"
    found = problems_of(folder_with(tmp_path, patients, visits), codebook)
    assert found == [
        ("visits.csv", 2, "patient", "001", "1"),
        ("visits.csv", 3, "patient", "005", ""),
    ]


def test_equal_faults_are_one_line_with_their_number_and_first_rows(
    tmp_path: Path, codebook: Codebook
) -> None:
    visits = VISITS.replace("skin", "Skin").replace("Skin,22", "Skin,77")
    with pytest.raises(CohortError) as caught:
        read_cohort(folder_with(tmp_path, visits=visits), codebook)
    lines = str(caught.value).splitlines()
    assert len(caught.value.problems) == 5 and len(lines) == 2
    assert lines[0].startswith("visits.csv, 4 rows (2, 3, 5, …), column measure: found 'Skin'")
    assert lines[0].endswith("(did you mean 'skin'?)")
    # A misspelt measure does not hide a score out of range.
    assert lines[1].startswith("visits.csv, row 3, column value: found '77'")


def test_a_long_list_of_faults_is_cut_and_counted(tmp_path: Path, codebook: Codebook) -> None:
    visits = VISITS + "".join(f"A,{month},skin,{100 + month}\n" for month in range(30, 530))
    with pytest.raises(CohortError) as caught:
        read_cohort(folder_with(tmp_path, visits=visits), codebook)
    assert len(caught.value.problems) == 500
    assert str(caught.value).endswith("\nand 450 more")
    assert "leave the row out if unknown" in caught.value.problems[0].allowed


def test_missing_and_empty_files_are_said(tmp_path: Path, codebook: Codebook) -> None:
    assert problems_of(tmp_path / "none", codebook) == [("none", None, "", "no such folder", "")]
    assert problems_of(tmp_path, codebook) == [
        ("patients.csv", None, "", "no such file", ""),
        ("visits.csv", None, "", "no such file", ""),
    ]
    (tmp_path / "Patients.csv").write_text(PATIENTS, encoding="utf-8")
    with pytest.raises(CohortError, match=r"a CSV file of this name; there is Patients\.csv"):
        read_cohort(tmp_path, codebook)
    (tmp_path / "patients.csv").write_bytes(b"patient,age\nB\xfcrger,40\n")
    (tmp_path / "visits.csv").write_text("patient,month,measure,value\n", encoding="utf-8")
    assert problems_of(tmp_path, codebook) == [
        ("patients.csv", None, "", "byte 14 that is no UTF-8", ""),
        ("visits.csv", None, "", "no rows", ""),
    ]


def test_a_required_measure_must_be_recorded(tmp_path: Path, codebook: Codebook) -> None:
    visits = "patient,month,measure,value\nA,0,rubs,1\n"
    assert problems_of(folder_with(tmp_path, visits=visits), codebook) == [
        ("visits.csv", None, "measure", "no skin", "")
    ]


def test_templates_are_headers_with_a_description(tmp_path: Path, codebook: Codebook) -> None:
    path = tmp_path / "codebook.csv"
    path.write_text(CODEBOOK, encoding="utf-8")
    write_templates(tmp_path / "mine", path)
    mine = tmp_path / "mine"
    assert (mine / "patients.csv").read_text() == "patient,age,female,race,death_month\n"
    assert (mine / "visits.csv").read_text() == "patient,month,measure,value\n"
    assert (mine / "CODEBOOK.csv").read_text() == CODEBOOK
    assert "CODEBOOK.csv says what each column may hold" in (mine / "README.txt").read_text()
    with pytest.raises(FileExistsError, match=r"patients\.csv"):
        write_templates(mine, path)
    (mine / "patients.csv").write_text(PATIENTS)
    (mine / "visits.csv").write_text(VISITS)
    assert len(read_cohort(mine, codebook).visits) == 6


def test_one_cohort_of_an_ensemble(tmp_path: Path, codebook: Codebook) -> None:
    single = read_cohort(folder_with(tmp_path), codebook)
    tables = [
        pd.concat([table.assign(cohort=number) for number in (3, 4)], ignore_index=True)
        for table in (single.patients, single.visits)
    ]
    tables[1].loc[tables[1]["cohort"] == 4, "value"] += 1
    both = Cohort(*tables)
    assert both.is_ensemble
    assert both.measured("skin", Windows()).loc[(4, "A"), "baseline"] == 31
    assert list(paired_change(both.measured("skin", Windows()), "m6")["cohort"]) == [3, 4]
    pd.testing.assert_frame_equal(both.select(3).visits, single.visits)
    with pytest.raises(ValueError, match="cohort: found 5, allowed: 3 to 4"):
        both.select(5)
    with pytest.raises(ValueError, match="select one cohort"):
        write_cohort(both, tmp_path)
    with pytest.raises(ValueError, match="nothing to select"):
        single.select(3)
    with pytest.raises(ValueError, match="both tables or in neither"):
        Cohort(tables[0], single.visits)
    with pytest.raises(ValueError, match="found no column 'value'"):
        Cohort(single.patients, single.visits.drop(columns="value"))
