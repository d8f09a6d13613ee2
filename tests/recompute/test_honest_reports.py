"""A small run of the benchmark of honest reports: none is called different, habits are named."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from rederive.printed import Verdict


@pytest.fixture(scope="module")
def reports(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "honest_reports", root / "benchmarks" / "honest_reports.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_honest_report_is_called_different(reports: ModuleType) -> None:
    for check, verdicts in reports.honest(520, seed=3).items():
        assert sum(verdicts.values()) == 40, check
        assert verdicts[Verdict.DIFFERS] == 0, check


def test_what_is_left_unsaid_is_named(reports: ModuleType) -> None:
    for habit, counts in reports.habits(100, seed=4).items():
        assert counts["not named"] == 0 < counts["named"], habit
