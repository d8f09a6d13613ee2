from __future__ import annotations

from pathlib import Path

import pytest

from rederive.printed.schema import TableError
from rederive.retrospective import Codebook

HEADER = "table,column,label,kind,unit,minimum,maximum,step,allowed,required,note"
KEYS = """\
patients,patient,Patient,text,,,,,,yes,
visits,patient,Patient,text,,,,,,yes,
visits,month,Month,month,,-99,99,,,yes,
visits,measure,Measure,category,,,,,,yes,
visits,value,Value,number,,,,,,yes,
"""


def load(folder: Path, rows: str, header: str = HEADER) -> Codebook:
    path = folder / "codebook.csv"
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    return Codebook.load(path)


def test_measures_are_the_other_rows_of_the_visits(tmp_path: Path) -> None:
    rows = KEYS + "visits,score,Score,number,points,0,3,0.125,,no,\n"
    codebook = load(tmp_path, rows)
    assert list(codebook.patients) == ["patient"]
    assert list(codebook.visits) == ["patient", "month", "measure", "value"]
    assert list(codebook.measures) == ["score"]
    score = codebook.measures["score"]
    assert score.domain == "a number from 0 to 3 in steps of 0.125 (points)"
    assert score.problem_with("2.375") is None
    assert score.problem_with("2.4") is not None


def test_every_fault_is_listed(tmp_path: Path) -> None:
    rows = (
        KEYS.replace("visits,month,Month,month,,-99,99,,,yes,\n", "")
        + "patients,age,Age,integer,years,90,10,0,,no,\n"
        + "patients,age,Age,integer,years,,,,,no,\n"
        + "patients,race,Race,category,,,,,,no,\n"
        + "visits,word,Word,text,,,,,,no,\n"
    )
    with pytest.raises(TableError) as caught:
        load(tmp_path, rows)
    found = {(problem.row, problem.column, problem.found) for problem in caught.value.problems}
    assert found == {
        (6, "minimum", "90"),
        (6, "step", "0"),
        (7, "column", "age"),
        (8, "allowed", ""),
        (9, "kind", "text"),
        (None, "column", "no such row"),
    }


def test_misspelt_kinds_and_columns_are_suggested(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="did you mean 'integer'"):
        load(tmp_path, KEYS + "patients,age,Age,intger,,,,,,no,\n")
    with pytest.raises(TableError, match="did you mean 'minimum'"):
        load(tmp_path, KEYS, HEADER.replace("minimum", "minimun"))
    with pytest.raises(TableError, match=r"none\.csv"):
        Codebook.load(tmp_path / "none.csv")


def test_the_book_s_codebook_is_complete(root: Path) -> None:
    codebook = Codebook.load(root / "data" / "cohorts" / "codebook.csv")
    assert codebook.measures["mrss"].domain == "a whole number from 0 to 51 (points)"
    assert codebook.measures["haq_di"].problem_with("1.29") is not None
    assert len([name for name in codebook.patients if name.startswith("ae_")]) == 24
    assert len([name for name in codebook.measures if name.startswith("severity_")]) == 7
    published = (root / "data" / "published" / "variables.csv").read_text(encoding="utf-8")
    named = {line.split(",")[0] for line in published.splitlines()}
    for prefix in ("ae_", "prior_", "concomitant_"):
        missing = {
            name
            for name in named
            if name.startswith(prefix)
            and name not in codebook.patients
            and name not in ("prior_therapy", "concomitant_other")
        }
        assert missing == set()
