"""What an executed notebook's key is made of, and what becomes of entries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rederive.execution.cache import ExecutionCache, execution_key, source_digest
from rederive.execution.notebooks import read_notebook
from rederive.execution.project import Project

NOTEBOOK = Path("notebooks/numbers.ipynb")
KEY = "ab" * 32


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
        compiled = tiny.root / "src" / "__pycache__" / "tiny_helper.cpython-311.pyc"
        compiled.parent.mkdir()
        compiled.write_text("x")
        assert source_digest(tiny) == before
        path = tiny.root / "data" / "table.csv"
        path.rename(path.with_name("other.csv"))
        assert source_digest(tiny) != before

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

    @pytest.mark.parametrize("wrapped", [False, True])
    def test_of_a_users_own_data_the_content_counts(self, tiny, tmp_path_factory, wrapped):
        folder = tmp_path_factory.mktemp("own")
        given = {"folder": str(folder)}
        given = {"changed": given} if wrapped else given
        keys = []
        for text in ("a\n1\n", "a\n2\n"):
            (folder / "patients.csv").write_text(text)
            keys.append(self.key(tiny, **given))
        assert keys[0] != keys[1]


class TestEntries:
    def test_entries_come_back_and_what_is_not_there_is_none(self, tmp_path):
        cache = ExecutionCache(tmp_path / "cache")
        assert cache.get(KEY) is None
        cache.put(KEY, b"content")
        assert cache.get(KEY) == b"content"
        assert cache.get("cd" * 32) is None

    def test_what_was_unused_for_longest_is_forgotten(self, tmp_path):
        cache = ExecutionCache(tmp_path)
        for age, key in enumerate(["aa1", "bb2", "cc3"]):
            cache.put(key, key.encode())
            os.utime(tmp_path / f"{key}.ipynb", (1000 - age, 1000 - age))
        left = tmp_path / ".dd4.ipynb-killed"
        left.write_bytes(b"ha")
        os.utime(left, (10, 10))
        assert cache.get("cc3") == b"cc3"
        cache.prune(kept=2)
        assert [cache.get(key) for key in ("aa1", "bb2", "cc3")] == [b"aa1", None, b"cc3"]
        assert not left.exists()

    def test_a_writer_killed_at_any_moment_leaves_whole_entries(self, tmp_path):
        script = (
            "import sys\nfrom pathlib import Path\n"
            "from rederive.execution.cache import ExecutionCache\n"
            "for n in range(100_000):\n"
            "    ExecutionCache(Path(sys.argv[1])).put(str(n), f'{n}\\n'.encode() * 5000)\n"
        )
        worker = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
        deadline = time.monotonic() + 30
        while len(list(tmp_path.glob("*.ipynb"))) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        worker.kill()
        worker.wait()
        found = list(tmp_path.glob("*.ipynb"))
        assert len(found) >= 20
        assert all(path.read_bytes() == f"{path.stem}\n".encode() * 5000 for path in found)
