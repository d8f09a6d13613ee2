"""The bar of work of which only the usual time is known."""

from __future__ import annotations

import io
import time

import pytest

from rederive.book import expected_time as module
from rederive.cli.expected_time import expected_time


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in place of the error stream; a fixture would do it too early for pytest."""
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    return shown


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with expected_time("work", 60.0):
        pass
    assert capsys.readouterr().err == ""


def test_quick_or_unknown_work_is_only_named(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    for seconds in (None, 1.0):
        with expected_time("work", seconds):
            pass
    assert terminal.getvalue() == "work: running\n" * 2


def test_longer_work_has_a_bar_that_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    monkeypatch.setattr(module, "STEP_SECONDS", 0.01)
    with expected_time("work", 3.0):
        time.sleep(0.2)
        shown = terminal.getvalue()
    assert "work" in shown and "100%" not in shown
    assert "100%" in terminal.getvalue()


def test_work_that_fails_ends_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with pytest.raises(RuntimeError), expected_time("work", 30.0):
        raise RuntimeError("no")
    assert terminal.getvalue().endswith("\n")
