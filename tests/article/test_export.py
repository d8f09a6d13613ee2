"""The ledger as CSV and JSON, and the check of the registry, from the command line."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from rederive.book.export import open_article
from rederive.cli.main import main
from rederive.printed.errors import ConfigurationError

PUBLISHED = Path(__file__).resolve().parents[2] / "data" / "published"


def test_both_formats_hold_every_row(tmp_path: Path) -> None:
    rows = len(list(open_article().registry))
    printed = CliRunner().invoke(main, ["ledger"])
    assert printed.exit_code == 0
    table = list(csv.DictReader(io.StringIO(printed.output)))
    target = tmp_path / "ledger.json"
    assert (
        CliRunner().invoke(main, ["ledger", "--format", "json", "--output", str(target)]).exit_code
        == 0
    )
    records = json.loads(target.read_text(encoding="utf-8"))
    assert len(table) == len(records) == rows
    assert [row["id"] for row in table] == [record["id"] for record in records]
    assert {record["verdict"] for record in records} >= {"same", "within rounding", "fitted"}


def test_an_unknown_article_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'poelman2015'"):
        open_article("poelmann2015")
    assert CliRunner().invoke(main, ["ledger", "--article", "x"]).exit_code == 2


def test_the_registry_check_counts_rows() -> None:
    result = CliRunner().invoke(main, ["registry", str(PUBLISHED)])
    assert result.exit_code == 0
    assert "numbers" in result.output and "recomputed" in result.output


def test_the_registry_check_names_file_row_and_column(tmp_path: Path) -> None:
    folder = tmp_path / "published"
    shutil.copytree(PUBLISHED, folder)
    path = folder / "numbers.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(",IVIG,mrss,m6,month,", ",IVIG,mrss,m66,month,", 1), encoding="utf-8"
    )
    result = CliRunner().invoke(main, ["registry", str(folder)])
    assert result.exit_code == 2
    assert "numbers.csv, row 2, column timepoint: found 'm66'" in result.output
    assert "did you mean 'm6'" in result.output


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["registry", str(tmp_path)])
    assert result.exit_code == 2
    assert "schema.json" in result.output
