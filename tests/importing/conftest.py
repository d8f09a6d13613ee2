from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from rederive.cli.main import main

Import = Callable[..., Result]


@pytest.fixture
def run_import(tmp_path: Path) -> Import:
    """Run ``rederive import`` on files of this test's folder."""

    def run(content: str | bytes | Path, *options: str, out: str = "out", name: str = "f.csv"):
        path = tmp_path / name
        if isinstance(content, Path):
            path = content
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        before = path.read_bytes()
        arguments = ["import", str(path), "--out", str(tmp_path / out), *options]
        result = CliRunner().invoke(main, arguments)
        assert path.read_bytes() == before
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert (result.exit_code == 0) == (tmp_path / out / "mapping.yml").is_file()
        assert [p for p in tmp_path.iterdir() if p.name.startswith(".import")] == []
        return result

    return run


@pytest.fixture
def visits(tmp_path: Path) -> Callable[..., list[tuple[str, int, str, float]]]:
    """Return the imported visits as tuples."""

    def read(out: str = "out") -> list[tuple[str, int, str, float]]:
        table = pd.read_csv(tmp_path / out / "visits.csv", dtype={"patient": str})
        return [(*row[:3], float(row[3])) for row in table.itertuples(index=False, name=None)]

    return read
