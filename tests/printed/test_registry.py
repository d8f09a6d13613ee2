"""Loading a registry: what fits is read in order, what does not is named place by place."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import pytest

from rederive.printed import Evidence
from rederive.printed.registry import load_registry
from rederive.printed.schema import (
    Field,
    Problem,
    TableError,
    check_references,
    nearest,
    read_schema,
    read_table,
)

CLAIM_COLUMNS = (
    "id",
    "section",
    "place",
    "group",
    "variable",
    "timepoint",
    "kind",
    "expected",
    "statement",
    "same_as",
    "note",
)
SCHEMA = {
    "numbers": [
        {"name": "id", "constraints": {"required": True, "unique": True, "pattern": "[a-z0-9-]+"}},
        {"name": "section", "constraints": {"required": True, "enum": ["abstract", "results"]}},
        {"name": "place"},
        {"name": "group", "constraints": {"enum": ["A", "B"]}},
        {"name": "variable", "constraints": {"required": True}},
        {"name": "timepoint"},
        {"name": "statistic", "constraints": {"required": True, "enum": ["mean", "p", "n"]}},
        {"name": "printed", "type": "number", "constraints": {"required": True}},
        {"name": "operator", "constraints": {"required": True, "enum": ["=", "<"]}},
        {"name": "value", "type": "number", "constraints": {"required": True}},
        {"name": "decimals", "type": "integer", "constraints": {"required": True}},
        {"name": "unit"},
        {"name": "n", "type": "integer"},
        {"name": "n_stated", "type": "boolean"},
        {"name": "same_as"},
        {"name": "note"},
    ],
    "claims": [
        {"name": name, "constraints": {"required": name == "id", "unique": name == "id"}}
        for name in CLAIM_COLUMNS
    ],
    "plan": [
        {"name": "id", "constraints": {"required": True, "unique": True}},
        {
            "name": "evidence",
            "constraints": {"required": True, "enum": ["recomputed", "stated", "calibrated"]},
        },
        {"name": "method", "constraints": {"required": True}},
        {"name": "inputs"},
        {"name": "options"},
        {"name": "notebook"},
    ],
    "variables": [
        {"name": "variable", "constraints": {"required": True, "unique": True}},
        {"name": "label"},
        {"name": "minimum", "type": "number"},
        {"name": "maximum", "type": "number"},
        {"name": "step", "type": "number"},
        {"name": "unit"},
    ],
}
NUMBERS = [
    "a-mean,abstract,Results,A,score,m0,mean,29.6,=,29.6,1,points,30,true,,",
    "a-n,abstract,Results,A,score,m0,n,30,=,30,0,,,,,",
    "a-p,results,paragraph 1,A,score,m6,p,0.0001,<,0.0001,4,,30,false,,",
    "a-mean-again,results,paragraph 1,A,score,m0,mean,29.6,=,29.6,1,points,30,true,a-mean,",
]
CLAIMS = ["a-falls,results,paragraph 1,A,score,m6,direction,lower_than,The score falls,,"]
PLAN = [
    "a-mean,stated,transcribed,,,intro",
    "a-n,stated,transcribed,,,intro",
    "a-p,recomputed,paired_t,a-mean;a-n,n=at most;first=2,results",
    "a-mean-again,stated,transcribed,,,intro",
    "a-falls,recomputed,claim_decreasing,a-mean;a-mean-again,,results",
]
VARIABLES = ["score,Skin score,0,51,0.125,points"]


class Folder:
    """A registry on disk whose rows a test may spoil."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tables = {
            "numbers": NUMBERS.copy(),
            "claims": CLAIMS.copy(),
            "plan": PLAN.copy(),
            "variables": VARIABLES.copy(),
        }
        self.headers = {
            name: ",".join(field["name"] for field in fields) for name, fields in SCHEMA.items()
        }

    def replace(self, table: str, row: int, old: str, new: str) -> Folder:
        """Change one row, counted as in the file: the first row under the header is 2."""
        before = self.tables[table][row - 2]
        assert before.count(old) >= 1
        self.tables[table][row - 2] = before.replace(old, new, 1)
        return self

    def write(self) -> Path:
        schema = {"tables": {name: {"fields": fields} for name, fields in SCHEMA.items()}}
        (self.path / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
        for name, rows in self.tables.items():
            text = "\n".join([self.headers[name], *rows]) + "\n"
            (self.path / f"{name}.csv").write_text(text, encoding="utf-8")
        return self.path

    def problems(self) -> tuple[Problem, ...]:
        with pytest.raises(TableError) as caught:
            load_registry(self.write())
        for problem in caught.value.problems:
            assert str(problem) in str(caught.value)
        return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


def test_a_sound_registry_is_read_in_order(folder: Folder) -> None:
    registry = load_registry(folder.write())
    assert list(registry.numbers) == ["a-mean", "a-n", "a-p", "a-mean-again"]
    assert [row.id for row in registry][-1] == "a-falls"
    mean, p = registry.numbers["a-mean"], registry.numbers["a-p"]
    assert (mean.printed.text, mean.n, mean.n_stated) == ("29.6", 30, True)
    assert (p.as_printed, p.n_stated) == ("<0.0001", False)
    plan = registry.plan["a-p"]
    assert plan.evidence is Evidence.RECOMPUTED
    assert plan.inputs == ("a-mean", "a-n")
    assert plan.options == {"n": "at most", "first": "2"}
    score = registry.variables["score"]
    assert (score.minimum, score.maximum, score.step) == (0, 51, Fraction(1, 8))
    assert registry.row("a-falls") is registry.claims["a-falls"]
    with pytest.raises(KeyError):
        registry.row("b")


@pytest.mark.parametrize(
    ("row", "old", "new", "column", "found", "allowed", "suggestion"),
    [
        (2, "abstract", "abstrct", "section", "abstrct", "abstract, results", "abstract"),
        (2, ",A,", ",C,", "group", "C", "A, B", ""),
        (3, "a-n", "A n", "id", "A n", "the pattern", ""),
        (4, "a-p", "a-n", "id", "a-n", "row 3 already", ""),
        (2, "29.6,=", "29;6,=", "printed", "29;6", "a plain decimal number", ""),
        (2, "29.6,=", "NaN,=", "printed", "NaN", "a plain decimal number", ""),
        (2, ",1,points", ",one,points", "decimals", "one", "a whole number", ""),
        (2, ",30,true", ",30.5,true", "n", "30.5", "a whole number", ""),
        (2, "true", "yes", "n_stated", "yes", "true or false", ""),
        (2, ",mean,", ",,", "statistic", "", "a value, not nothing", ""),
    ],
)
def test_one_wrong_cell_is_named(
    folder: Folder,
    row: int,
    old: str,
    new: str,
    column: str,
    found: str,
    allowed: str,
    suggestion: str,
) -> None:
    problem = only(folder.replace("numbers", row, old, new).problems())
    assert (problem.file, problem.row, problem.column) == ("numbers.csv", row, column)
    assert problem.found == found
    assert allowed in problem.allowed
    assert problem.suggestion == suggestion


@pytest.mark.parametrize(
    ("old", "new", "column", "found", "allowed"),
    [
        ("29.6,1", "29.7,1", "value", "29.7", "148/5"),
        ("29.6,1", "29.6,2", "decimals", "2", "1"),
    ],
)
def test_columns_that_contradict_each_other(
    folder: Folder, old: str, new: str, column: str, found: str, allowed: str
) -> None:
    problem = only(folder.replace("numbers", 2, old, new).problems())
    assert (problem.row, problem.column, problem.found) == (2, column, found)
    assert problem.allowed == allowed


def test_an_impossible_p_is_named(folder: Folder) -> None:
    problem = only(folder.replace("numbers", 4, "0.0001,<,0.0001,4", "1.2,=,1.2,1").problems())
    assert (problem.row, problem.found, problem.allowed) == (4, "1.2", "within [0, 1]")


def test_a_p_below_zero_is_named(folder: Folder) -> None:
    problem = only(folder.replace("numbers", 4, "0.0001,<,0.0001,4", "0,<,0,0").problems())
    assert (problem.row, problem.column) == (4, "printed")


@pytest.mark.parametrize(
    ("table", "row", "old", "new", "column", "found", "suggestion"),
    [
        ("plan", 4, "a-mean;a-n", "a-mena;a-n", "inputs", "a-mena", "a-mean"),
        ("numbers", 5, "true,a-mean", "true,a-maen", "same_as", "a-maen", "a-mean"),
        ("numbers", 2, "A,score", "A,scor", "variable", "scor", "score"),
        ("claims", 2, "A,score", "A,scores", "variable", "scores", "score"),
    ],
)
def test_dangling_references_suggest_a_near_id(
    folder: Folder,
    table: str,
    row: int,
    old: str,
    new: str,
    column: str,
    found: str,
    suggestion: str,
) -> None:
    problem = only(folder.replace(table, row, old, new).problems())
    assert (problem.file, problem.row, problem.column) == (f"{table}.csv", row, column)
    assert (problem.found, problem.suggestion) == (found, suggestion)


def test_a_number_without_plan_and_a_plan_without_number(folder: Folder) -> None:
    problems = folder.replace("plan", 4, "a-p", "a-q").problems()
    assert [(p.file, p.row, p.column, p.found) for p in problems] == [
        ("plan.csv", 4, "id", "a-q"),
        ("numbers.csv", 4, "id", "a-p"),
    ]


def test_a_claim_without_plan(folder: Folder) -> None:
    del folder.tables["plan"][-1]
    problem = only(folder.problems())
    assert (problem.file, problem.row, problem.found) == ("claims.csv", 2, "a-falls")


def test_a_repeat_has_the_evidence_of_its_first_mention_at_its_own_row(folder: Folder) -> None:
    folder.tables["plan"].insert(0, folder.tables["plan"].pop(3))
    problem = only(folder.replace("plan", 2, "stated", "calibrated").problems())
    assert (problem.file, problem.row, problem.column) == ("plan.csv", 2, "evidence")
    assert problem.found == "calibrated"
    assert "stated, as for its first mention a-mean" in problem.allowed


def test_an_option_without_a_value_is_named(folder: Folder) -> None:
    problem = only(folder.replace("plan", 4, "n=at most", "at most").problems())
    assert (problem.file, problem.row, problem.column) == ("plan.csv", 4, "options")
    assert (problem.found, "name=value" in problem.allowed) == ("at most", True)


def test_all_tables_report_at_once(folder: Folder) -> None:
    folder.replace("numbers", 2, "abstract", "abstrct").replace("numbers", 3, "abstract", "x")
    folder.replace("plan", 3, "stated", "state")
    folder.tables["claims"][0] += ",too,many"
    folder.tables["numbers"].append("a-short,results")
    folder.headers["variables"] = folder.headers["variables"].replace("minimum", "minimun")
    found = [(p.file, p.row, p.column) for p in folder.problems()]
    assert found == [
        ("numbers.csv", 2, "section"),
        ("numbers.csv", 3, "section"),
        ("numbers.csv", 6, ""),
        ("claims.csv", 2, ""),
        ("plan.csv", 3, "evidence"),
        ("variables.csv", 1, "minimun"),
    ]


def test_short_rows_tell_how_many_cells(folder: Folder) -> None:
    folder.tables["numbers"][1] = "a-n,abstract"
    problem = only(folder.problems())
    assert (problem.found, problem.allowed) == ("2 cells", "16 cells")
    assert str(problem) == "numbers.csv, row 3: found '2 cells', allowed: 16 cells"


@pytest.mark.parametrize(
    ("header", "column", "found", "suggestion"),
    [
        ("variable,labl,minimum,maximum,step,unit", "labl", "labl", "label"),
        ("variable,label,minimum,maximum,step", "unit", "no such column", ""),
        ("label,variable,minimum,maximum,step,unit", "", "label,variable,", ""),
    ],
)
def test_headers(folder: Folder, header: str, column: str, found: str, suggestion: str) -> None:
    folder.headers["variables"] = header
    problem = only(folder.problems())
    assert (problem.row, problem.column, problem.suggestion) == (1, column, suggestion)
    assert found in problem.found


def test_missing_tables_and_bad_bytes(folder: Folder) -> None:
    path = folder.write()
    (path / "plan.csv").unlink()
    (path / "claims.csv").write_bytes(b"id\xff\n")
    with pytest.raises(TableError) as caught:
        load_registry(path)
    assert [(p.file, p.allowed) for p in caught.value.problems] == [
        ("claims.csv", "UTF-8 text"),
        ("plan.csv", "a file"),
    ]


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_schema_that_cannot_be_read(folder: Folder, content: str | None) -> None:
    path = folder.write()
    (path / "schema.json").unlink()
    if content is not None:
        (path / "schema.json").write_text(content, encoding="utf-8")
    with pytest.raises(TableError, match=r"schema\.json"):
        load_registry(path)


def test_quoted_cells_may_hold_commas_and_line_breaks(tmp_path: Path) -> None:
    rows = [["a", "one, two"], ["b", "line\nbreak\u2028and separator"], ["c", ""]]
    with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", "text"], *rows])
    found = read_table(tmp_path / "t.csv", (Field("id"), Field("text")))
    assert [[row["id"], row["text"]] for row in found] == rows


def test_read_schema_keeps_constraints(folder: Folder) -> None:
    fields = read_schema(folder.write() / "schema.json")["numbers"]
    assert fields[0] == Field("id", "string", True, True, (), "[a-z0-9-]+")
    assert fields[3].enum == ("A", "B")


def test_references_in_lists_are_checked_one_by_one() -> None:
    rows = [{"inputs": "a;b"}, {"inputs": ""}, {"inputs": "a;x;y"}]
    problems = check_references("t.csv", rows, "inputs", ["a", "b"], ";")
    assert [(p.row, p.found) for p in problems] == [(4, "x"), (4, "y")]


def test_nearest() -> None:
    assert nearest("welsh", ["student", "welch"]) == "welch"
    assert nearest("zzz", ["student", "welch"]) == ""


def test_the_published_registry_loads(request: pytest.FixtureRequest) -> None:
    registry = load_registry(request.config.rootpath / "data" / "published")
    assert set(registry.plan) == set(registry.numbers) | set(registry.claims)
