"""Execution: what runs again after which change, and what becomes of runs that go wrong."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from rederive.execution.project import Project
from rederive.execution.run import Outcome, Task, execute_tasks, run_task
from rederive.printed.errors import BookError

from .conftest import cell, write_notebook

NAMES = ("one", "two", "three")
HELPERS = {
    "one_helper": "def figure() -> int:\n    return 41\n",
    "shared_helper": "BASE = 100\n",
    "two_helper": (
        "def figure() -> int:\n    from shared_helper import BASE\n\n    return BASE + 2\n"
    ),
}
CELLS = {
    "one": (
        "import pandas as pd\nfrom one_helper import figure\n"
        "print('one:', factor * figure(), len(pd.read_csv('../data/a.csv')))"
    ),
    "two": (
        "from pathlib import Path\nimport two_helper\nimport pandas as pd\n"
        "print('two:', two_helper.figure(), len(pd.read_parquet('../data/b.parquet')))\n"
        "print('optional:', Path('../data/optional.csv').exists())"
    ),
    "three": (
        "from pathlib import Path\nfrom shared_helper import BASE\n"
        "print('three:', BASE, sorted(p.name for p in Path('../data/extra').glob('*.csv')))"
    ),
}


def write(project: Project, name: str, *sources: str) -> Path:
    """Write a notebook with a parameters cell and code cells; return its path in the book."""
    cells = [cell("code", "factor = 1\nown = ''", "given", tags=["parameters"])]
    cells += [cell("code", source, f"cell{number}") for number, source in enumerate(sources)]
    path = Path("notebooks") / f"{name}.ipynb"
    write_notebook(project.root / path, cells)
    return path


@pytest.fixture
def project(place: Path) -> Project:
    shutil.rmtree(place, ignore_errors=True)
    project = Project(place)
    (place / "src").mkdir(parents=True)
    for name, content in HELPERS.items():
        (place / "src" / f"{name}.py").write_text(content)
    (place / "data" / "extra").mkdir(parents=True)
    (place / "data" / "a.csv").write_text("a\n1\n")
    (place / "data" / "unused.csv").write_text("u\n")
    pd.DataFrame({"b": [1, 2]}).to_parquet(place / "data" / "b.parquet")
    for name, source in CELLS.items():
        write(project, name, source)
    return project


def run(project: Project, jobs: int = 2, names: tuple[str, ...] = NAMES) -> tuple[set[str], str]:
    """Execute and return which notebooks ran, and all that was printed."""
    lines: list[str] = []
    tasks = [Task(Path("notebooks") / f"{name}.ipynb") for name in names]
    executed = execute_tasks(project, tasks, jobs=jobs, report=lines.append)
    started = {Path(line.split(":")[0]).stem for line in lines if ": started (" in line}
    assert len(started) == executed.executions
    return started, "".join(printed(content) for content in executed.contents)


def printed(content: bytes | None) -> str:
    assert content is not None
    outputs = [each for cell in json.loads(content)["cells"] for each in cell.get("outputs", [])]
    return "".join("".join(each.get("text", "")) for each in outputs)


def entries(project: Project) -> list[Path]:
    return sorted(project.cache.glob("*.ipynb"))


def test_a_change_of_code_or_data_is_never_shown_with_old_numbers(project):
    names = ("one", "three")
    ran, text = run(project, names=names)
    assert ran == set(names)
    assert text == "one: 41 1\nthree: 100 []\n"
    assert run(project, names=names) == (set(), text)
    changes = {
        "src/one_helper.py": (HELPERS["one_helper"].replace("41", "43"), "one: 43 1"),
        "src/shared_helper.py": ("BASE = 200\n", "three: 200 []"),
        "data/a.csv": ("a\n1\n2\n3\n", "one: 43 3"),
        "data/extra/x.csv": ("", "three: 200 ['x.csv']"),
        "requirements.lock": ("package==2\n", "one: 43 3"),
    }
    for name, (content, expected) in changes.items():
        (project.root / name).write_text(content)
        ran, text = run(project, names=names)
        assert (ran, expected in text) == (set(names), True), name
    write(project, "one", "print('one: rewritten')")
    assert run(project, names=names)[0] == {"one"}
    (project.root / "src" / "one_helper.py").write_text(HELPERS["one_helper"])
    run(project, names=names)
    (project.root / "data" / "a.csv").unlink()
    write(project, "one", CELLS["one"])
    with pytest.raises(BookError, match=r"notebooks/one\.ipynb: cell 2 failed"):
        run(project, names=names)


def test_a_users_own_data_outside_the_book_count(project, tmp_path_factory):
    own = tmp_path_factory.mktemp("own") / "mine.csv"
    name = write(project, "own", "print(open(own).read())")
    task = Task(name, {"own": str(own)})
    own.write_text("first")
    assert "first" in printed(run_task(project, task).content)
    assert run_task(project, task).cached
    own.write_text("second")
    outcome = run_task(project, task)
    assert (outcome.cached, "second" in printed(outcome.content)) == (False, True)


def test_a_run_whose_sources_change_meanwhile_is_not_kept(project):
    source = (
        "from pathlib import Path\nimport one_helper\nPath(one_helper.__file__).write_text('X = 1')"
    )
    task = Task(write(project, "restless", source))
    assert run_task(project, task).kind == "done"
    assert entries(project) == []


def test_a_run_leaves_its_process_as_it_was(project):
    before = (dict(os.environ), Path.cwd())
    task = Task(Path("notebooks/one.ipynb"), {"factor": 3})
    outcome = run_task(project, task)
    assert (outcome.kind, outcome.message, outcome.cached) == ("done", "", False)
    assert printed(outcome.content) == "one: 123 1\n"
    assert (dict(os.environ), Path.cwd()) == before
    again = run_task(project, task)
    assert (again.content, again.cached) == (outcome.content, True)
    uncached = run_task(project, task, cache=False)
    assert (uncached.content, uncached.cached) == (outcome.content, False)


def test_threads_do_not_meet(project):
    tasks = [Task(Path("notebooks/one.ipynb"), {"factor": factor}) for factor in range(1, 7)]
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda task: run_task(project, task), tasks))
    assert [printed(each.content) for each in outcomes] == [
        f"one: {41 * k} 1\n" for k in range(1, 7)
    ]


class TestFailures:
    def outcome(self, project: Project, *sources: str, **options: float) -> Outcome:
        name = write(project, "bad", *sources)
        outcome = run_task(project, Task(name), **options)
        assert outcome.content is None
        assert entries(project) == []
        return outcome

    def test_a_cell_that_fails(self, project):
        outcome = self.outcome(project, "print('before')", "1 / 0", "print('after')")
        assert outcome.kind == "cell"
        assert outcome.message.startswith("cell 3 failed")
        assert "ZeroDivisionError" in outcome.message
        assert outcome.failed is not None
        assert printed(outcome.failed) == "before\n"
        kinds = [
            each["output_type"]
            for cell in json.loads(outcome.failed)["cells"]
            for each in cell.get("outputs", [])
        ]
        assert kinds == ["stream", "error"]

    @pytest.mark.parametrize(
        ("source", "kind", "message"),
        [
            ("while True: pass", "timeout", "cell 2: the cell took longer than 0.9 s"),
            ("import os; os._exit(3)", "died", "cell 2: the process that ran the cell died"),
            (f"raise OSError({errno.ENOSPC}, 'No space left on device')", "disk", "cell 2 failed"),
        ],
    )
    def test_other_ends_of_a_cell(self, project, source, kind, message):
        outcome = self.outcome(project, source, timeout=0.9)
        assert outcome.kind == kind
        assert outcome.message.startswith(message)
        assert outcome.failed is not None

    def test_a_cache_on_a_full_disk(self, project, monkeypatch):
        def full(path: Path, content: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        monkeypatch.setattr("rederive.execution.cache.write_atomically", full)
        outcome = run_task(project, Task(Path("notebooks/one.ipynb")))
        assert (outcome.kind, outcome.content) == ("disk", None)
        assert "disk is full" in outcome.message
        assert str(project.root) not in outcome.message
        with pytest.raises(BookError, match="disk is full"):
            run(project)
        assert entries(project) == []

    def test_files_that_may_not_grow(self, project):
        """A real limit on the size of files, which is met while the notebook is written."""
        name = write(project, "large", "print('x' * 3_000_000)")
        script = (
            "import resource, signal, sys\nfrom pathlib import Path\n"
            "from rederive.execution.project import Project\n"
            "from rederive.execution.run import Task, run_task\n"
            "project, name = Project(Path(sys.argv[1])), Path(sys.argv[2])\n"
            "run_task(project, Task(Path('notebooks/three.ipynb')))\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
            "print('kind:', run_task(project, Task(name)).kind)\n"
        )
        command = [sys.executable, "-c", script, str(project.root), str(name)]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert "kind: disk" in finished.stdout, finished.stderr
        assert len(entries(project)) == 1
        assert not [path for path in project.cache.rglob(".*")]

    def test_a_notebook_that_is_missing_or_none(self, project):
        missing = run_task(project, Task(Path("notebooks/none.ipynb")))
        assert (missing.kind, missing.message) == (
            "failed",
            "notebooks/none.ipynb: no such notebook",
        )
        (project.root / "notebooks" / "bad.ipynb").write_text("{")
        broken = run_task(project, Task(Path("notebooks/bad.ipynb")))
        assert broken.kind == "failed"
        assert "not a notebook" in broken.message

    def test_the_others_are_kept_when_one_fails(self, project):
        write(project, "bad", "1 / 0")
        with pytest.raises(BookError, match=r"^notebooks/bad\.ipynb: cell 2 failed"):
            run(project, names=("one", "bad"))
        assert run(project, names=("one",))[0] == set()


def test_the_largest_start_first(project):
    for name, lines in zip(NAMES, (1, 3, 2), strict=True):
        write(project, name, f"print('{name}:')" + "\n# a line" * 100 * lines)
    lines: list[str] = []
    tasks = [Task(Path("notebooks") / f"{name}.ipynb") for name in NAMES]
    executed = execute_tasks(project, tasks, jobs=1, report=lines.append)
    started = [Path(line.split(":")[0]).stem for line in lines if ": started (" in line]
    assert started == ["two", "three", "one"]
    assert [printed(content).split(":")[0] for content in executed.contents] == list(NAMES)


def start_book(project: Project, names: Sequence[str] = NAMES) -> subprocess.Popen[bytes]:
    script = (
        "import sys\nfrom pathlib import Path\nfrom rederive.execution.project import Project\n"
        "from rederive.execution.run import Task, execute_tasks\n"
        "tasks = [Task(Path('notebooks') / f'{name}.ipynb') for name in sys.argv[2:]]\n"
        "execute_tasks(Project(Path(sys.argv[1])), tasks)\n"
    )
    command = [sys.executable, "-c", script, str(project.root), *names]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_two_builds_at_once_and_one_killed_leave_a_usable_cache(project):
    write(project, "three", "import time\ntime.sleep(1)", CELLS["three"])
    killed = start_book(project)
    deadline = time.monotonic() + 60
    while not entries(project) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    both = [start_book(project), start_book(project)]
    assert [each.wait(120) for each in both] == [0, 0]
    ran, text = run(project)
    assert ran == set()
    assert text == "one: 41 1\ntwo: 102 2\noptional: False\nthree: 100 []\n"
    assert len(entries(project)) == 3


def test_an_interruption_does_not_wait_for_notebooks(project):
    started = project.root / "started"
    source = f"open({str(started)!r}, 'w').close()\nimport time\ntime.sleep(300)"
    write(project, "slow", source)
    book = start_book(project, ["slow"])
    deadline = time.monotonic() + 60
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    book.send_signal(signal.SIGINT)
    assert book.wait(60) != 0
    assert entries(project) == []


def test_a_parameter_that_the_cell_leaves_out_is_no_reason_for_a_warning(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(project, "four", "print(factor + level)")
    outcome = run_task(project, Task(path, {"level": 2}), cache=False)
    assert (printed(outcome.content), caplog.messages) == ("3\n", [])
