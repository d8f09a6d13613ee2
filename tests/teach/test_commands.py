"""What the commands for teachers print: chapters, the key, faults of exercises, the guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rederive.cli.main import main
from rederive_teach import cli
from rederive_teach.handouts import guide
from rederive_teach.lesson import Exercise
from teach.conftest import CHAPTERS, ROOT, exercises


def teach(*words: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(ROOT), "teach", *words])


def test_list_gives_minutes_and_marks() -> None:
    listed = teach("list").output
    page = (ROOT / "book/teach/index.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"\]\((c\d\d_\w+)\.ipynb\) \|[^|]+\| (\d+) \|", page))
    assert dict(re.findall(r"^(c\d\d_\w+), (\d+) minutes$", listed, re.M)) == told
    assert [*told] == [path.stem for path in CHAPTERS]
    marks = re.findall(r"^  (\d[\w.]+) +(\w+) +(?:individual|shared)", listed, re.M)
    assert marks == [(each.id, each.mark) for each in exercises()]


def test_check_finds_exercises_that_do_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "chapters_of", lambda *_: CHAPTERS[2:3])
    assert teach("check", "--cohorts", "10").exit_code == 0
    broken = Exercise(
        "3.9", "choice", lambda _: 1.5, None, "patients", {"Half?": lambda _: 0.5}, individual=True
    )
    monkeypatch.setattr(cli, "exercises_of", lambda _: (broken,))
    done = teach("check", "--cohorts", "2")
    assert done.exit_code == 1
    for fault in ("the right answer is not taken", "road not recognised: Half?", "shared by 100%"):
        assert fault in done.output


def test_the_guide_of_some_chapters_is_written(tmp_path: Path) -> None:
    done = teach("guide", "--chapters", "3,5", "--out", str(tmp_path / "guide.html"))
    assert done.exit_code == 0
    written = (tmp_path / "guide.html").read_text(encoding="utf-8")
    assert written == guide([path for path in CHAPTERS if path.stem[1:3] in ("03", "05")])
    assert teach("guide", "--chapters", "99", "--out", str(tmp_path / "x")).exit_code == 2
