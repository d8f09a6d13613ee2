"""Notebooks in forks: the same outputs as from ordinary kernels, and nothing left of a run."""

# Sources of cells are easier to read on one line.
# ruff: noqa: E501
from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat import v4

from rederive.execution import forkserver
from rederive.execution.notebooks import published_form, read_notebook
from rederive.execution.project import Project
from rederive.execution.run import Task, run_task
from repetitions import spaced

ROOT = Path(__file__).resolve().parents[2]
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
ENGINES = pytest.mark.parametrize("engine", ["fork", "ordinary"])

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(autouse=True)
def ordinary_output(monkeypatch: pytest.MonkeyPatch) -> None:
    # Kernels leave file descriptors alone while they see this variable.
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)


def code(source: str, *tags: str) -> Any:
    cell = v4.new_code_cell(textwrap.dedent(source).strip("\n"))
    if tags:
        cell.metadata["tags"] = list(tags)
    return cell


def write(folder: Path, cells: Sequence[Any], name: str = "given.ipynb") -> Path:
    path = folder / name
    nbformat.write(v4.new_notebook(cells=list(cells), metadata={"kernelspec": KERNEL}), path)
    return path


def run(path: Path, output: Path | None = None, **settings: Any) -> Any:
    given = {"environment": ONE_THREAD, "run_in": path.parent, **settings}
    return papermill.execute_notebook(
        str(path), output, engine_name="rederive-fork", progress_bar=False, **given
    )


def values(folder: Path, *sources: str, **settings: Any) -> list[Any]:
    """What each of the cells prints, as JSON."""
    executed = run(write(folder, [code(source) for source in sources]), **settings)
    texts = ["".join(o.text for o in cell.outputs if "text" in o) for cell in executed.cells]
    return [json.loads(text) if text else None for text in texts]


def outputs(cell: Any) -> list[Any]:
    """A cell's outputs without what differs between any two runs, or between engines.

    One stream may come in several parts, by the clock; names of cells hold process numbers;
    only a terminal is given colours.
    """
    joined: list[Any] = []
    text = re.sub(
        r"(/\w+/ipykernel_\d+/)?\b\d{5,}\.py|<ipython-input-[\w-]+>",
        "CELL",
        json.dumps(cell.get("outputs", [])),
    )
    for output in json.loads(re.sub(r"\\u001b\[[0-9;]*m", "", text)):
        same = joined and output["output_type"] == joined[-1]["output_type"] == "stream"
        if same and joined[-1]["name"] == output["name"]:
            joined[-1]["text"] += output["text"]
        else:
            joined.append(output)
    return joined


def assert_same(ordinary: Any, forked: Any) -> None:
    assert len(ordinary.cells) == len(forked.cells)
    for expected, found in zip(ordinary.cells, forked.cells, strict=True):
        assert outputs(expected) == outputs(found), expected.source
        assert expected.get("execution_count") == found.get("execution_count"), expected.source
        kept = []
        for metadata in (dict(expected.metadata), dict(found.metadata)):
            metadata.pop("execution", None)
            papermills = metadata.pop("papermill", {})
            # Papermill leaves open whether a cell that was not run had an exception.
            kept.append([metadata, papermills.get("status"), bool(papermills.get("exception"))])
        assert kept[0] == kept[1], expected.source


def process_ended(pid: int, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


# --- the same outputs as from an ordinary kernel -------------------------------------------------

MANY_KINDS = [
    code("factor = 1", "parameters"),
    code("print('out'); import sys; print('err', file=sys.stderr)"),
    code("from IPython.display import display, HTML, Image, Markdown, clear_output"),
    code("!echo $((1 + 1))\nfound = !echo a b\nfound"),
    code("%%bash\necho in bash"),
    code("%%capture held\nprint('held')"),
    code("held.stdout, factor"),
    code("import pandas as pd\nframe = pd.DataFrame({c: range(70) for c in 'abcdefghijklmnopqrstuvwxyz'})\nframe"),
    code("display(HTML(frame.iloc[:2, :2].style.set_uuid('x').to_html()))"),
    code("pd.get_option('display.max_columns'), pd.get_option('display.width')"),
    code("import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.plot([1, 3, 2]);"),
    code("from matplotlib_inline.backend_inline import set_matplotlib_formats\nimport matplotlib\n"
         "matplotlib.rcParams['svg.hashsalt'] = 'x'\nset_matplotlib_formats('svg', metadata={'Date': None})\n"
         "plt.figure(figsize=(1, 1)); plt.plot([1]); plt.show(); print('after')"),
    code("{key: str(value) for key, value in matplotlib.rcParams.items() if key != 'backend'}"),
    code("Image(data=bytes.fromhex('89504e470d0a1a0a'), format='png')"),
    code("first = display(HTML('<b>1</b>'), display_id='one')\n"
         "display(Markdown('*a*'), metadata={'m': 1})"),
    code("first.update(HTML('<b>2</b>'))\ndisplay({'application/json': {'a': [1.5, None]}}, raw=True)"),
    code("display({'application/vnd.rederive.results+json': {'rows': [{'id': 'a', 'value': None}]}, 'text/plain': 'rows'}, raw=True)"),
    code("print('gone'); clear_output(wait=True); print('kept')"),
    code("print('gone'); clear_output(); display(1); clear_output(wait=True)"),
    code("import asyncio\nawait asyncio.sleep(0.01)\nasync def later(): print('later')\nx = await asyncio.gather(later())\nx"),
    code("_ , __, In[-1], len(Out), __name__, type(get_ipython()).__name__"),
    code("import warnings; warnings.warn('careful')"),
    code("import logging; logging.warning('logged')"),
    code("import threading\nt = threading.Thread(target=print, args=('from a thread',)); t.start(); t.join()"),
    code("class A:\n    def _repr_mimebundle_(self, **k):\n        return {'text/plain': 'A', 'text/x': 'y'}, {'z': 1}\nA()"),
    code(""),
    v4.new_raw_cell("raw"),
    v4.new_markdown_cell("text"),
    code("print('skipped')", "skip-execution"),
    code("import os, sys; sys.path[1:], os.getcwd(), os.environ['TZ']"),
    code("import pickle; pickle.loads(pickle.dumps(A)) is A"),
    code("from multiprocessing import get_context\nwith get_context('fork').Pool(2) as pool: print(pool.map(abs, [-1, -2]))"),
    code("1 +", "raises-exception"),
    code("%no_such_magic"),
    code("def f(x):\n    return 1 / x\nf(0)", "raises-exception"),
    code("get_ipython().history_manager.input_hist_raw[1:3], get_ipython().execution_count"),
]  # fmt: skip


def test_outputs_equal_those_of_an_ordinary_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, MANY_KINDS)
    found = {}
    for engine in ("ordinary", "fork"):
        monkeypatch.setenv("REDERIVE_ENGINE", engine)
        output = tmp_path / f"{engine}.ipynb"
        # Papermill fails a notebook that has an error in it, allowed or not, at its end.
        with pytest.raises(papermill.PapermillExecutionError, match="Exception encountered"):
            run(path, output, parameters={"factor": 7}, environment={**ONE_THREAD, "TZ": "UTC"})
        found[engine] = nbformat.read(output, 4)
    assert_same(found["ordinary"], found["fork"])
    for name in ("language_info", "kernelspec"):
        assert found["ordinary"].metadata[name] == found["fork"].metadata[name]


def test_papermill_command_takes_the_engine(tmp_path: Path) -> None:
    path = write(tmp_path, [code("value = 1", "parameters"), code("value * 2")])
    command = [sys.executable, "-m", "papermill", path.name, "out.ipynb", "-p", "value", "21"]
    command += ["--engine", "rederive-fork", "--no-progress-bar"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    cells = nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert cells[-1].outputs[0].data["text/plain"] == "42"


# --- one run leaves nothing to the next ----------------------------------------------------------

SPOIL = """
import builtins, json, os, random, sys, types, warnings
import matplotlib, numpy, pandas
import matplotlib.pyplot as plt
sys.modules["left_over"] = types.ModuleType("left_over")
json.left = 1; json.JSONDecoder = None
builtins.left = 1
os.environ["LEFT"] = "1"
del os.environ["HOME"]
os.chdir("/")
random.seed(1); numpy.random.seed(1)
plt.figure(); matplotlib.rcParams["font.size"] = 99
warnings.filterwarnings("error")
pandas.set_option("display.max_rows", 3)
sys.path.insert(0, "/left"); sys.setrecursionlimit(500)
os.umask(0)
x = 1
"""
LOOK = """
import builtins, json, os, random, sys, threading, warnings
import matplotlib, numpy, pandas
import matplotlib.pyplot as plt
print(json.dumps([
    sorted(name for name in sys.modules if "left" in name), hasattr(builtins, "left"),
    hasattr(json, "left"), json.JSONDecoder is None,
    os.environ.get("LEFT"), "HOME" in os.environ, os.getcwd(), plt.get_fignums(),
    matplotlib.rcParams["font.size"], warnings.filters[0][0], pandas.get_option("display.max_rows"),
    sys.path, sys.getrecursionlimit(), "x" in globals(), threading.active_count(), os.umask(0o22),
]))
"""


def test_a_run_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    (before,) = values(tmp_path, LOOK)
    run(write(tmp_path, [code(SPOIL)]))
    assert values(tmp_path, LOOK) == [before]
    assert "LEFT" not in os.environ and "HOME" in os.environ


def test_random_state_differs_between_runs(tmp_path: Path) -> None:
    source = "import random, numpy; print([random.random(), numpy.random.rand()])"
    first, second = (values(tmp_path, source)[0] for _ in range(2))
    assert first[0] != second[0] and first[1] != second[1]


def test_environment_and_folder_are_the_callers_and_those_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_CALLER", "a")
    source = """
        import json, os, time
        names = ("OF_THE_CALLER", "GIVEN")
        print(json.dumps([[os.environ.get(n) for n in names], os.getcwd(), time.tzname[0]]))
    """
    here = Path.cwd()
    given = {**ONE_THREAD, "GIVEN": "b", "TZ": "Asia/Tokyo"}
    assert values(tmp_path, source, environment=given) == [
        [["a", "b"], str(tmp_path.resolve()), "JST"]
    ]
    monkeypatch.delenv("OF_THE_CALLER")
    assert values(tmp_path, source)[0][0] == [None, None]
    assert Path.cwd() == here


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, [code("1")])
    with pytest.raises(FileNotFoundError, match="run_in: no such folder"):
        run(path, run_in=tmp_path / "nowhere")


def test_names_are_not_there_without_an_import(tmp_path: Path) -> None:
    path = write(tmp_path, [code("pd.DataFrame()")])
    with pytest.raises(papermill.PapermillExecutionError, match="name 'pd' is not defined"):
        run(path)


# --- errors: the same from both engines, and the notebook is kept with its error -----------------


def failed(
    folder: Path, source: str, **settings: Any
) -> tuple[papermill.PapermillExecutionError, Any]:
    path = write(folder, [code("print('before')"), code(source), code("2")])
    saved = folder / "saved.ipynb"
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        run(path, saved, **settings)
    return caught.value, nbformat.read(saved, 4)


@ENGINES
@pytest.mark.parametrize(
    ("source", "name", "timeout"),
    [
        ("1 / 0", "ZeroDivisionError", None),
        ("while True: pass", "CellTimeoutError", 1.0),
        ("import os; os.kill(os.getpid(), 9)", "DeadKernelError", None),
        ("import os; os._exit(0)", "DeadKernelError", None),
    ],
)
def test_a_failed_notebook_is_kept_with_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, source: str, name: str, timeout: float | None,
) -> None:  # fmt: skip
    monkeypatch.setenv("REDERIVE_ENGINE", engine)
    begun = time.monotonic()
    error, notebook = failed(tmp_path, source, execution_timeout=timeout)
    assert time.monotonic() - begun < 60
    assert (error.ename, error.cell_index) == (name, 1)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "An Exception was encountered" in notebook.cells[0].source
    assert [cell.metadata.papermill.status for cell in cells] == ["completed", "failed", "pending"]
    assert cells[0].outputs[0].text == "before\n"
    assert cells[1].outputs[-1].ename == name


def test_what_a_stopped_cell_has_started_is_stopped_too(tmp_path: Path) -> None:
    source = (
        "import subprocess\np = subprocess.Popen(['sleep', '60']); print(p.pid)\nwhile True: pass"
    )
    _, notebook = failed(tmp_path, source, execution_timeout=1.5)
    printed = next(c.outputs[0].text for c in notebook.cells if "sleep" in c.source)
    assert process_ended(int(printed))


# --- several at once, and the end of the caller --------------------------------------------------


def test_runs_from_several_threads(tmp_path: Path) -> None:
    source = (
        "import os, time\ntime.sleep(0.2); print([which, os.getpid()]); open(f'{which}.txt', 'w')"
    )
    path = write(tmp_path, [code("which = -1", "parameters"), code(source)])
    folders = [tmp_path / str(index) for index in range(4)]
    for folder in folders:
        folder.mkdir()

    def one(index: int) -> list[int]:
        done = run(path, parameters={"which": index}, run_in=folders[index])
        found: list[int] = json.loads(done.cells[-1].outputs[0].text)
        return found

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(one, range(4)))
    assert [which for which, _ in found] == [0, 1, 2, 3]
    assert len({pid for _, pid in found}) == 4
    assert [[file.name for file in folder.iterdir()] for folder in folders] == [
        [f"{index}.txt"] for index in range(4)
    ]


CALLER = """
import multiprocessing, os, sys, papermill
def work():
    papermill.execute_notebook(sys.argv[1], None, engine_name="rederive-fork", progress_bar=False)
if __name__ == "__main__":
    if sys.argv[2] == "daemon":
        process = multiprocessing.get_context(sys.argv[3]).Process(target=work, daemon=True)
        process.start()
        process.join()
        sys.exit(process.exitcode)
    work()
"""


def test_nothing_is_left_of_a_caller_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text(CALLER)
    mark = tmp_path / "pids.txt"
    source = f"""
        import os, pathlib, subprocess
        child = subprocess.Popen(["sleep", "60"])
        part = pathlib.Path({str(tmp_path)!r}, "part")
        part.write_text(f"{{os.getppid()}} {{os.getpid()}} {{child.pid}}"); part.rename({str(mark)!r})
        while True: pass
    """
    path = write(tmp_path, [code(source)])
    caller = subprocess.Popen([sys.executable, str(tmp_path / "caller.py"), str(path), "plain"])
    deadline = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < deadline:
        assert caller.poll() is None
        time.sleep(0.05)
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    assert [process_ended(int(pid)) for pid in mark.read_text().split()] == [True] * 3


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_works_in_daemonic_processes(tmp_path: Path, method: str) -> None:
    (tmp_path / "caller.py").write_text(CALLER)
    source = (
        f"import os, pathlib\npathlib.Path({str(tmp_path)!r}, 'pid').write_text(str(os.getppid()))"
    )
    path = write(tmp_path, [code(source)])
    command = [sys.executable, str(tmp_path / "caller.py"), str(path), "daemon", method]
    assert subprocess.run(command, timeout=90).returncode == 0
    assert process_ended(int((tmp_path / "pid").read_text()))


def test_a_server_that_is_killed_is_replaced(tmp_path: Path) -> None:
    path = write(tmp_path, [code("import os\nprint(os.getppid())")])
    first = run(path).cells[0].outputs[0].text
    os.kill(int(first), signal.SIGKILL)
    assert process_ended(int(first))
    assert run(path).cells[0].outputs[0].text != first


# --- what the server has imported ----------------------------------------------------------------


def test_a_changed_source_or_variable_of_imports_needs_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = tmp_path / "src" / "own_article" / "tables.py"
    article.parent.mkdir(parents=True)
    article.with_name("__init__.py").touch()
    article.write_text("def figure():\n    return 41\n")
    book = tmp_path / "book"
    book.mkdir()
    monkeypatch.setattr(forkserver, "_articles", lambda: ["own_article"])
    own = {**ONE_THREAD, "PYTHONPATH": str(article.parents[1]), "PYTHONHASHSEED": "0"}
    source = "import os\nfrom own_article import tables\nprint([tables.figure(), os.getppid(), hash('a')])"
    first = values(book, source, environment=own)[0]
    assert values(book, source, environment={**own, "OTHER": "1"}) == [first]
    article.write_text("def figure():\n    return 4200\n")
    second = values(book, source, environment=own)[0]
    assert (first[0], second[0], first[2]) == (41, 4200, second[2])
    assert first[1] != second[1]
    third = values(book, source, environment={**own, "PYTHONHASHSEED": "1"})[0]
    assert third[2] != second[2]


def test_libraries_with_threads_of_their_own_do_not_hang(tmp_path: Path) -> None:
    source = """
        import numpy, pyarrow, pyarrow.compute, pyarrow.parquet
        table = pyarrow.table({"a": numpy.arange(10**5), "b": numpy.ones(10**5)})
        pyarrow.parquet.write_table(table, "t.parquet")
        read = pyarrow.parquet.read_table("t.parquet", use_threads=True)
        big = numpy.ones((600, 600))
        print([pyarrow.compute.sum(read["a"]).as_py(), float((big @ big)[0, 0])])
    """
    expected = [[sum(range(10**5)), 600.0]]
    two = {"OPENBLAS_NUM_THREADS": "2"}
    assert values(tmp_path, source, environment=two, execution_timeout=30) == expected


def test_where_forks_are_available(monkeypatch: pytest.MonkeyPatch) -> None:
    assert forkserver.available()
    monkeypatch.setenv("REDERIVE_ENGINE", "ordinary")
    assert not forkserver.available()
    monkeypatch.delenv("REDERIVE_ENGINE")
    monkeypatch.delattr(os, "fork")
    assert not forkserver.available()


# --- the real book -------------------------------------------------------------------------------


COMPARED = sorted(ROOT.glob("notebooks/*.ipynb"))[:: spaced(10)]
"""Sections that a kernel executes as well."""


@pytest.mark.parametrize("path", COMPARED, ids=lambda path: path.stem)
def test_sections_have_the_outputs_of_an_ordinary_kernel(
    path: Path, monkeypatch: pytest.MonkeyPatch, built_book: Path, project: Project
) -> None:
    """Also shows that no section needs an import that only the warm process has."""
    forked = nbformat.read(project.stage / path.relative_to(ROOT), as_version=4)
    monkeypatch.setenv("REDERIVE_ENGINE", "ordinary")
    outcome = run_task(project, Task(path.relative_to(ROOT)), cache=False)
    assert outcome.content is not None, outcome.message
    ordinary = published_form(json.loads(outcome.content), read_notebook(path))
    assert_same(nbformat.reads(json.dumps(ordinary), as_version=4), forked)
