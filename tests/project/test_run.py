"""One run from the command line: what is asked for, what comes out, and what is said of faults."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rederive.book.results import RESULTS_TYPE, read_results
from rederive.cli.main import main
from rederive.execution.project import Project
from rederive.parameters.notebooks import find_notebook, project_parameters
from rederive.site.variant import short_hash

from .conftest import cell, write_notebook, write_tiny_book

SHOW = f"""
from IPython.display import display

row = {{
    "id": "a-b", "printed": "41", "reproduced": str(factor * figure()), "value": factor * 41.0,
    "low": None, "high": None, "evidence": "recomputed", "verdict": "same", "decision": "",
    "before": "" if factor == 1 else "41",
}}
bundle = {{"text/plain": "1 row", {RESULTS_TYPE!r}: {{"version": 1, "rows": [row]}}}}
display(bundle, raw=True)
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = write_tiny_book(tmp_path_factory.mktemp("book"))
    write_notebook(
        project.root / "notebooks" / "numbers.ipynb",
        [
            cell("markdown", "# Numbers\n", "title"),
            cell("code", "factor = 1\nword = 'none'", "given", tags=["parameters"]),
            cell("code", f"from tiny_helper import figure\n{SHOW}", "work"),
            cell("code", "assert factor != 13, 'unlucky'", "check"),
        ],
    )
    return project


def run(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), "run", *arguments])


def test_a_run_writes_its_notebook_and_says_what_changed(book: Project, tmp_path: Path) -> None:
    result = run(book, "numbers", "-p", "factor=2")
    assert result.exit_code == 0, result.output
    assert "1 of 1 results differ" in result.stdout
    assert "a-b  41 -> 82  (published 41)" in result.stdout
    output = book.runs / f"numbers-{short_hash({'factor': 2})}.ipynb"
    assert output.name in result.stdout
    (row,) = read_results(json.loads(output.read_text(encoding="utf-8")))
    assert (row["value"], row["before"]) == (82.0, "41")

    # By path, from a file, and with what the command line says before it; then from the cache.
    given = tmp_path / "given.yaml"
    given.write_text("factor: 7\nword: b\n", encoding="utf-8")
    target = tmp_path / "sub" / "out.ipynb"
    arguments = [str(book.root / "notebooks" / "numbers.ipynb"), "--params-file", str(given)]
    arguments += ["-p", "factor=3", "--output", str(target), "--json"]
    record = json.loads(run(book, *arguments).stdout)
    assert record["parameters"] == {"factor": 3, "word": "b"}
    assert (record["status"], record["cached"]) == ("done", False)
    assert record["results"][0]["reproduced"] == "123"
    assert json.loads(target.read_text(encoding="utf-8"))["cells"][0]["id"] == "title"
    assert json.loads(run(book, *arguments).stdout)["cached"]


def test_a_parameter_has_a_short_and_a_long_option(book: Project) -> None:
    for words in (["-p", "factor=5"], ["--parameter", "factor=5"]):
        record = json.loads(run(book, *words, "numbers", "--json").stdout)
        assert record["parameters"] == {"factor": 5}
    assert "NAME=VALUE" in run(book, "numbers", "-p", "factor").output


def test_a_failing_notebook_is_kept_with_its_error(book: Project, tmp_path: Path) -> None:
    target = tmp_path / "out.ipynb"
    result = run(book, "numbers", "-p", "factor=13", "--output", str(target), "--json")
    assert result.exit_code == 1
    record = json.loads(result.stdout)
    assert record["status"] == "cell"
    assert "unlucky" in record["message"]
    assert "cell 5 failed" in result.stderr
    assert not target.exists()
    kept = (tmp_path / "out.failed.ipynb").read_text(encoding="utf-8")
    assert "AssertionError" in kept


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nunbers"], "did you mean 'numbers'"),
        (["/etc/hostname.ipynb"], "allowed: numbers"),
        (["numbers", "-p", "fctor=2"], "did you mean 'factor'"),
        (["numbers", "-p", "factor"], "NAME=VALUE"),
        (["numbers", "-p", "factor=much"], "a whole number"),
        (["numbers", "--timeout", "0"], "timeout"),
        (["numbers", "--cohort", "."], "this book takes no cohort"),
        (["numbers", "--params-file", "no.yaml"], "no.yaml"),
        (["numbers", "--output", "."], "is a folder"),
        (["numbers", "--output", "/dev/null/x.ipynb"], "cannot be used"),
    ],
)
def test_a_request_that_is_not_usable_is_explained(
    book: Project, arguments: list[str], expected: str
) -> None:
    result = run(book, *arguments)
    assert result.exit_code == 2
    assert expected in result.output


def test_all_faults_are_said_at_once(book: Project, tmp_path: Path) -> None:
    given = tmp_path / "given.yaml"
    given.write_text("factor: [1]\n", encoding="utf-8")
    result = run(book, "numbers", "--params-file", str(given), "-p", "wrod=x")
    assert result.exit_code == 2
    assert "given.yaml: parameter factor" in result.output
    assert "did you mean 'word'" in result.output


def test_the_notebook_itself_is_not_overwritten(book: Project) -> None:
    path = book.root / "notebooks" / "numbers.ipynb"
    before = path.read_bytes()
    result = run(book, str(path), "--output", str(path))
    assert result.exit_code == 2
    assert "the notebook itself" in result.output
    assert path.read_bytes() == before


def test_what_only_the_notebook_can_refuse_is_status_2_without_a_traceback(
    project: Project, tmp_path: Path
) -> None:
    result = run(
        project, "results_treatment", "-p", "minimum_cycles=24",
        "--output", str(tmp_path / "out.ipynb"), "--no-cache",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "minimum_cycles" in result.output
    assert "Traceback" not in result.output


def test_a_cohort_is_named_once(project: Project) -> None:
    own = str(project.root / "data" / "cohorts" / "synthetic-teaching")
    result = run(project, "results_skin", "--cohort", own, "-p", f"cohort_folder={own}")
    assert result.exit_code == 2
    assert "allowed: one of them" in result.output


def test_a_folder_without_right_to_write_is_refused(book: Project, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        (folder / "probe").touch()
    except OSError:
        result = run(book, "numbers", "--output", str(folder / "out.ipynb"))
        assert result.exit_code == 2
        assert "cannot be used" in result.output
    else:
        pytest.skip("this user may write everywhere")


def test_notebooks_outside_the_book_are_refused(book: Project, tmp_path: Path) -> None:
    write_notebook(tmp_path / "other.ipynb", [cell("markdown", "# Other", "title")])
    result = run(book, str(tmp_path / "other.ipynb"))
    assert result.exit_code == 2
    assert "inside the book's folder" in result.output


def test_the_real_book_has_its_articles_parameters(project: Project) -> None:
    assert "responder_threshold" in project_parameters(project)
    assert find_notebook(project, "ledger") == Path("book/ledger.ipynb")
    assert find_notebook(project, "book/ledger") == Path("book/ledger.ipynb")
    result = run(project, "results_skin", "-p", "responder_treshold=8")
    assert result.exit_code == 2
    assert "did you mean 'responder_threshold'" in result.output


def test_an_own_cohort_is_checked_before_anything_runs(project: Project, tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("patient,age\nP01,x\n", encoding="utf-8")
    result = run(project, "results_skin", "--cohort", str(tmp_path))
    assert result.exit_code == 2
    assert "patients.csv" in result.output
    assert "visits.csv" in result.output


def test_a_shell_completes_commands_and_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    def completed(*words: str) -> list[str]:
        monkeypatch.setenv("COMP_WORDS", " ".join(["rederive", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        monkeypatch.setenv("_REDERIVE_COMPLETE", "bash_complete")
        result = CliRunner().invoke(main, prog_name="rederive", complete_var="_REDERIVE_COMPLETE")
        return [line.partition(",")[2] for line in result.output.splitlines() if line]

    assert completed("ru") == ["run"]
    assert completed("ledger", "--format", "c") == ["csv"]
