"""What an executed notebook depends on, and that exactly this decides whether it runs again."""

from __future__ import annotations

import json
import os
import py_compile
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rederive.execution.cache import (
    ALL_DATA,
    ExecutionCache,
    FileStates,
    environment_digest,
    execution_key,
    source_digest,
)
from rederive.execution.dependencies import SourceTree
from rederive.execution.notebooks import read_notebook
from rederive.execution.project import Project

NOTEBOOK = Path("notebooks/numbers.ipynb")
KEY = "ab" * 32


def notebook_of(*cells: str) -> dict[str, object]:
    return {"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]}


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


class TestKey:
    def key(self, project: Project, sources: str = "", **parameters: object) -> str:
        notebook = read_notebook(project.root / NOTEBOOK)
        return execution_key(notebook, NOTEBOOK.as_posix(), parameters, sources)

    @pytest.mark.parametrize("name", ["src/tiny_helper.py", "data/table.csv", "requirements.lock"])
    def test_the_digest_of_all_sources_has_every_source(self, tiny, name):
        before = source_digest(tiny)
        path = tiny.root / name
        path.write_text((path.read_text() if path.exists() else "") + "# more\n")
        assert source_digest(tiny) != before

    def test_the_digest_of_all_sources_knows_renamed_files_and_no_caches(self, tiny):
        before = source_digest(tiny)
        write(tiny.root, {"src/__pycache__/tiny_helper.cpython-311.pyc": "x"})
        assert source_digest(tiny) == before
        path = tiny.root / "data" / "table.csv"
        path.rename(path.with_name("other.csv"))
        assert source_digest(tiny) != before

    def test_depends_on_the_lock(self, tiny):
        before = environment_digest(tiny)
        write(tiny.root, {"requirements.lock": "package==1\n"})
        assert environment_digest(tiny) != before

    def test_depends_on_cells_and_parameters_but_not_on_outputs(self, tiny):
        before = self.key(tiny)
        assert self.key(tiny, factor=2) != before
        assert self.key(tiny, sources="other") != before
        notebook = json.loads((tiny.root / NOTEBOOK).read_text())
        notebook["cells"][2]["execution_count"] = 7
        (tiny.root / NOTEBOOK).write_text(json.dumps(notebook))
        assert self.key(tiny) == before
        notebook["cells"][1]["source"] = "factor = 3"
        (tiny.root / NOTEBOOK).write_text(json.dumps(notebook))
        assert self.key(tiny) != before


class TestCode:
    """The modules that a notebook's cells import, directly or through others."""

    def names(self, root: Path, *cells: str) -> set[str]:
        write(root, {"notebooks/README": ""})
        found = SourceTree(root).files_for(notebook_of(*cells), root / "notebooks")
        inside = [path for path in found if path.is_relative_to(root)]
        return {path.relative_to(root).as_posix() for path in inside}

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("import a", {"a.py"}),
            (
                "import p.q.deep",
                {"p/__init__.py", "p/table.json", "p/q/__init__.py", "p/q/deep.py"},
            ),
            ("from p import side", {"p/__init__.py", "p/table.json", "p/side.py", "a.py"}),
            ("from p.q import value", {"p/__init__.py", "p/table.json", "p/q/__init__.py"}),
            ("def f():\n    from lazy import g", {"lazy.py", "a.py"}),
            ("import dynamic", {"dynamic.py", "a.py"}),
            ("import numpy, nowhere", set()),
            ("%load_ext a\n!ls\nimport lazy as b", {"a.py", "lazy.py"}),
            ("from star import *", {"star/__init__.py", "star/one.py"}),
            ("import cycle_one", {"cycle_one.py", "cycle_two.py"}),
            ("import offering", {"offering.py", "plugin.py", "a.py"}),
            ("import beside", {"../notebooks/beside.py", "a.py"}),
        ],
    )
    def test_closure(self, tmp_path, cell, expected):
        files = {
            "a.py": "A = 1\n",
            "other.py": "B = 1\n",
            "lazy.py": "def g():\n    import a\n    return a.A\n",
            "p/__init__.py": "",
            "p/table.json": "{}",
            "p/side.py": "import a\n",
            "p/q/__init__.py": "value = 1\n",
            "p/q/deep.py": "from .. import q\n",
            "dynamic.py": "import importlib\nimportlib.import_module('a')\n",
            "star/__init__.py": "__all__ = ['one']\n",
            "star/one.py": "",
            "star/two.py": "",
            "cycle_one.py": "import cycle_two\n",
            "cycle_two.py": "import cycle_one\n",
            "offering.py": "GROUP = 'rederive.things'\n",
            "plugin.py": "import a\n",
        }
        write(tmp_path, {f"src/{name}": content for name, content in files.items()})
        write(tmp_path, {"notebooks/beside.py": "import a\n"})
        points = '[project.entry-points."rederive.things"]\nx = "plugin:make"\n'
        write(tmp_path, {"pyproject.toml": f'[project]\nname = "x"\n{points}'})
        wanted = {os.path.normpath(f"src/{name}") for name in expected}
        assert self.names(tmp_path, cell) == wanted

    @pytest.mark.parametrize(
        "cell",
        [
            "import importlib\nimportlib.import_module(name)",
            "%%bash\nfor x in *; do echo $x; done",
        ],
    )
    def test_what_cannot_be_known_counts_as_everything(self, tmp_path, cell):
        write(tmp_path, {"src/a.py": "", "src/p/__init__.py": "", "src/p/b.py": ""})
        assert self.names(tmp_path, cell) == {"src/a.py", "src/p/__init__.py", "src/p/b.py"}

    def test_a_name_made_at_run_time_counts_as_its_whole_package(self, tmp_path):
        write(tmp_path, {"src/a.py": "", "src/p/__init__.py": "", "src/p/b.py": ""})
        cell = "from importlib import import_module\nimport_module(f'p.{name}')"
        assert self.names(tmp_path, cell) == {"src/p/__init__.py", "src/p/b.py"}

    def test_the_engine_counts_wherever_it_is_installed(self, tmp_path):
        write(tmp_path, {"src/a.py": "", "notebooks/README": ""})
        tree = SourceTree(tmp_path)
        always = {path.name for path in tree.files_for(notebook_of(""), tmp_path)}
        assert {"execution.py", "notebooks.py", "tracing.py", "engine.py"} <= always
        more = tree.files_for(notebook_of("import rederive.printed.interval"), tmp_path)
        assert "interval.py" in {path.name for path in more} - always

    def test_the_digest_follows_contents_and_names(self, tmp_path):
        write(tmp_path, {"src/a.py": "A = 1\n"})
        file = tmp_path / "src" / "a.py"
        before = SourceTree(tmp_path).digest([file])
        assert SourceTree(tmp_path).digest([file]) == before
        file.write_text("A = 2\n")
        changed = SourceTree(tmp_path).digest([file])
        file.rename(file.with_name("b.py"))
        renamed = SourceTree(tmp_path).digest([file.with_name("b.py")])
        assert len({before, changed, renamed}) == 3


@pytest.fixture
def traced(tmp_path: Path) -> Callable[[str], list[str]]:
    """Run code in a process of its own in ``notebooks/`` and return what it read."""

    def run(code: str) -> list[str]:
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        script = (
            "import json, os, sys\nfrom pathlib import Path\nfrom rederive.book import tracing\n"
            "root = Path(sys.argv[1])\ntracing.start(root)\n"
            f"{code}\n"
            "print('\\n' + json.dumps(tracing.files_read()))\n"
        )
        finished = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            cwd=tmp_path / "notebooks",
            env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(finished.stdout.splitlines()[-1])

    return run


class TestTracing:
    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            ("open('../data/a.csv').read()", ["data/a.csv"]),
            ("pd.read_csv(root / 'data/a.csv')", ["data/a.csv"]),
            ("pd.read_parquet(root / 'data/t.parquet')", ["data/t.parquet"]),
            (
                "pd.read_parquet(root / 'data/t.parquet', filters=[('a', '==', 1)])",
                ["data/t.parquet"],
            ),
            ("np.load(root / 'data/n.npy')", ["data/n.npy"]),
            ("(root / 'data/a.csv').exists()", ["?data/a.csv"]),
            ("(root / 'data/no').is_file()", ["?data/no"]),
            ("os.path.exists('../data/no')", ["?data/no"]),
            ("[p.name for p in (root / 'data').iterdir()]", ["data/"]),
            ("os.listdir('../data')", ["data/"]),
            ("list(os.walk('../data'))", ["data/", "data/sub/"]),
            ("open('../data/new.csv', 'w').close()", []),
            ("import helper", ["src/helper.py"]),
            ("open(root / '_build' / 'x').read()", []),
            ("open(root / 'data' / '.hidden').read()", []),
        ],
    )
    def test_what_is_recorded(self, tmp_path, traced, code, expected):
        write(tmp_path, {"data/a.csv": "a\n1\n", "src/helper.py": "", "_build/x": ""})
        write(tmp_path, {"data/.hidden": "", "data/sub/b.csv": ""})
        pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "data" / "t.parquet")
        np.save(tmp_path / "data" / "n.npy", np.zeros(2))
        library = {"pd": "import pandas as pd\n", "np": "import numpy as np\n"}.get(code[:2], "")
        found = [name for name in traced(library + code) if not name.lstrip("?").startswith("/")]
        looked_for = [name for name in found if name.startswith("?")]
        assert [name for name in found if name not in looked_for] == [
            name for name in expected if not name.startswith("?")
        ]
        if expected and expected[0].startswith("?"):
            assert expected[0] in looked_for

    def test_a_pattern_lists_the_folder(self, tmp_path, traced):
        assert "?data" in traced("sorted((root / 'data').glob('*.csv'))")
        (tmp_path / "data").mkdir()
        assert "data/" in traced("sorted((root / 'data').glob('*.csv'))")

    def test_a_missing_file_that_was_to_be_opened(self, traced):
        code = "try:\n    open('../data/none')\nexcept FileNotFoundError:\n    pass"
        assert "data/none" in traced(code)

    def test_files_outside_are_absolute_and_pythons_own_are_left_out(
        self, tmp_path_factory, traced
    ):
        outside = tmp_path_factory.mktemp("own") / "mine.csv"
        outside.write_text("x\n")
        found = traced(f"open({str(outside)!r}).read(); import wave")
        assert str(outside) in found
        assert not [name for name in found if "wave" in name]

    def test_compiled_code_stands_for_its_source(self, tmp_path, traced):
        write(tmp_path, {"src/helper.py": "X = 1\n"})
        py_compile.compile(str(tmp_path / "src" / "helper.py"))
        assert traced("import helper")[-1] == "src/helper.py"


def test_importing_the_project_reads_none_of_its_data(root):
    """A process that has everything imported is forked for each run; that must not hide data."""
    modules = [
        ".".join(path.relative_to(root / "src").with_suffix("").parts)
        for package in ("rederive/printed", "rederive/retrospective", "ivig_dcssc")
        for path in sorted((root / "src" / package).rglob("*.py"))
        if path.stem not in ("__init__", "__main__")
    ]
    script = (
        "import importlib, sys\nfrom pathlib import Path\nfrom rederive.book import tracing\n"
        "tracing.start(Path(sys.argv[1]))\n"
        "for name in sys.argv[2:]:\n    importlib.import_module(name)\n"
        "print([n for n in tracing.files_read() if n.lstrip('?').startswith('data')])\n"
    )
    command = [sys.executable, "-c", script, str(root), *modules]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    assert finished.stdout.strip() == "[]"


def test_tables_are_read_through_files_that_python_opens(root):
    """A library that opens a path natively would hide what a run depends on."""
    native = ("read_table(", "ParquetFile(", "ParquetDataset(", "memory_map=True", "np.memmap(")
    found = [
        f"{path.relative_to(root).as_posix()}: {line.strip()}"
        for path in sorted((root / "src").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if any(f"{module}.{word}" in line for word in native for module in ("pq", "parquet"))
        or any(word in line for word in native[3:])
    ]
    assert found == []


class TestStates:
    def test_every_kind_follows_its_own_change_only(self, tmp_path):
        write(tmp_path, {"data/a.csv": "1", "data/sub/b.csv": "2"})
        names = ["data/a.csv", "data/", "?data/a.csv", "?data/none", "data/none.csv", ALL_DATA]

        def changed() -> set[str]:
            nonlocal before
            now = FileStates(tmp_path).of_all(names)
            different = {name for name in names if now[name] != before[name]}
            before = now
            return different

        before = FileStates(tmp_path).of_all(names)
        assert changed() == set()
        write(tmp_path, {"data/a.csv": "3"})
        assert changed() == {"data/a.csv", ALL_DATA}
        write(tmp_path, {"data/none.csv": ""})
        assert changed() == {"data/", "data/none.csv", ALL_DATA}
        write(tmp_path, {"data/.hidden": "", "data/sub/__pycache__/x": ""})
        assert changed() == set()
        (tmp_path / "data" / "none").mkdir()
        assert changed() == {"data/", "?data/none"}
        (tmp_path / "data" / "a.csv").unlink()
        assert changed() == {"data/a.csv", "data/", "?data/a.csv", ALL_DATA}

    def test_changes_after_a_moment(self, tmp_path):
        write(tmp_path, {"data/a.csv": "1"})
        states = FileStates(tmp_path)
        names = ["data/a.csv", "data/", "?data/b", "data/none"]
        assert not states.changed_since(names, time.time() + 1)
        assert states.changed_since(names, time.time() - 10)
        assert not states.changed_since(names[1:], time.time() - 10)


class TestEntries:
    def test_the_newest_entry_that_matches_is_taken(self, tmp_path):
        cache = ExecutionCache(tmp_path / "cache")
        data = {"data/a.csv": "1"}
        for text in ("one", "two"):
            write(tmp_path, {"data/a.csv": text})
            cache.put(KEY, text.encode(), FileStates(tmp_path).of_all(data))
        assert cache.get(KEY, FileStates(tmp_path)) == b"two"
        write(tmp_path, {"data/a.csv": "one"})
        assert cache.get(KEY, FileStates(tmp_path)) == b"one"
        write(tmp_path, {"data/a.csv": "three"})
        assert cache.get(KEY, FileStates(tmp_path)) is None
        assert cache.get("cd" * 32, FileStates(tmp_path)) is None
        assert len(cache.dependencies(KEY)) == 2

    def test_damaged_entries_are_as_if_absent(self, tmp_path):
        cache = ExecutionCache(tmp_path / "cache")
        cache.put(KEY, b"content\n" * 100, {})
        (entry,) = cache.folder.rglob("*.entry")
        whole = entry.read_bytes()
        for length in (0, 1, 30, whole.index(b"\n"), whole.index(b"\n") + 1, len(whole) - 1):
            entry.write_bytes(whole[:length])
            assert cache.get(KEY, FileStates(tmp_path)) is None
        for other in (b"null\n", b"[]\n", b'{"dependencies": 3, "sha256": 4}\n', b"\xff\xfe\n"):
            entry.write_bytes(other)
            assert cache.get(KEY, FileStates(tmp_path)) is None
        entry.unlink()
        entry.mkdir()
        assert cache.get(KEY, FileStates(tmp_path)) is None
        entry.rmdir()
        cache.put(KEY, b"again", {})
        assert cache.get(KEY, FileStates(tmp_path)) == b"again"

    def test_what_was_unused_for_longest_is_forgotten(self, tmp_path):
        cache, files = ExecutionCache(tmp_path), FileStates(tmp_path)
        for age, key in enumerate(["aa1", "bb2", "cc3"]):
            cache.put(key, key.encode(), {})
            (entry,) = (tmp_path / key[:2] / key).iterdir()
            os.utime(entry, (1000 - age, 1000 - age))
        write(tmp_path, {"aa/earlier.ipynb": "the form of an earlier version"})
        assert cache.get("cc3", files) == b"cc3"
        cache.prune(kept=2)
        assert [cache.get(key, files) for key in ("aa1", "bb2", "cc3")] == [b"aa1", None, b"cc3"]
        assert not list(tmp_path.rglob("*.ipynb"))

    def test_what_a_killed_writer_left_goes_away(self, tmp_path):
        cache = ExecutionCache(tmp_path)
        cache.put(KEY, b"x", {})
        old = tmp_path / KEY[:2] / KEY / ".some.entry-abc"
        young = old.with_name(".some.entry-def")
        for path in (old, young):
            path.write_bytes(b"ha")
        os.utime(old, (1000, 1000))
        cache.prune()
        assert not old.exists()
        assert young.exists()

    def test_times_are_kept_by_notebook(self, tmp_path):
        cache = ExecutionCache(tmp_path)
        assert cache.seconds("notebooks/a.ipynb") is None
        cache.note_seconds("notebooks/a.ipynb", 2.5)
        assert cache.seconds("notebooks/a.ipynb") == 2.5
        next((tmp_path / "seconds").iterdir()).write_text("gone")
        assert cache.seconds("notebooks/a.ipynb") is None

    def test_two_processes_write_prune_and_read_at_once(self, tmp_path):
        workers = [start_filling(tmp_path, *numbers) for numbers in ((0, 40), (20, 60))]
        assert [worker.wait(60) for worker in workers] == [0, 0]
        cache, files = ExecutionCache(tmp_path), FileStates(tmp_path)
        for number in range(60):
            assert cache.get(f"{number:064d}", files) == content_of(number)

    def test_a_writer_killed_at_any_moment_leaves_whole_entries(self, tmp_path):
        worker = start_filling(tmp_path, 0, 100_000)
        deadline = time.monotonic() + 30
        while not list(tmp_path.rglob("*.entry")) and time.monotonic() < deadline:
            time.sleep(0.01)
        worker.kill()
        worker.wait()
        cache, files = ExecutionCache(tmp_path), FileStates(tmp_path)
        entries = list(tmp_path.rglob("*.entry"))
        assert entries
        for entry in entries:
            assert cache.get(entry.parent.name, files) == content_of(int(entry.parent.name))


def content_of(number: int) -> bytes:
    return f"{number}\n".encode() * 5000


def start_filling(folder: Path, first: int, end: int) -> subprocess.Popen[bytes]:
    script = "import runpy, sys; runpy.run_path(sys.argv[1])['fill'](*sys.argv[2:])"
    numbers = [str(folder), str(first), str(end)]
    return subprocess.Popen([sys.executable, "-c", script, __file__, *numbers])


def fill(folder: str, first: str, end: str) -> None:
    cache, files = ExecutionCache(Path(folder)), FileStates(Path(folder))
    for number in range(int(first), int(end)):
        key = f"{number:064d}"
        cache.put(key, content_of(number), {})
        assert cache.get(key, files) == content_of(number)
        if number % 10 == 0:
            cache.prune()
