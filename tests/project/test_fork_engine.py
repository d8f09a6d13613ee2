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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
import yaml
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import v4

from rederive.execution.fork import available, preload, warm
from rederive.execution.fork.wire import Unpacker, packed
from rederive.execution.notebooks import published_form, read_notebook
from rederive.execution.project import SOURCE_DATE_EPOCH, Project

ROOT = Path(__file__).resolve().parents[2]
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# Nothing but the kernel, so that a server starts within a second.
LIGHT = {"REDERIVE_PRELOAD": "", "OPENBLAS_NUM_THREADS": "1"}
HEAVY = {"REDERIVE_PRELOAD": "pandas,matplotlib.pyplot", "OPENBLAS_NUM_THREADS": "1"}

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


def run(
    path: Path, engine: str | None = "rederive-fork", output: Path | None = None, **settings: Any
) -> Any:
    given = {"environment": LIGHT, "run_in": path.parent, "shutdown_kernel": "immediate"}
    if engine is None:
        given = {"cwd": str(path.parent), "shutdown_kernel": "immediate"}
        settings.pop("environment", None)
    return papermill.execute_notebook(
        str(path), output, engine_name=engine, progress_bar=False, **(given | settings)
    )


def values(folder: Path, *sources: str, **settings: Any) -> list[Any]:
    """What each of the cells prints, as JSON."""
    executed = run(write(folder, [code(source) for source in sources]), **settings)
    texts = ["".join(o.text for o in cell.outputs if "text" in o) for cell in executed.cells]
    return [json.loads(text) if text else None for text in texts]


def outputs(cell: Any) -> list[Any]:
    """A cell's outputs without what differs between any two runs.

    One stream may come in several parts, by the clock; warnings name a file by process number.
    """
    joined: list[Any] = []
    text = re.sub(r"ipykernel_\d+", "ipykernel_0", json.dumps(cell.get("outputs", [])))
    for output in json.loads(text):
        same = joined and output["output_type"] == joined[-1]["output_type"] == "stream"
        if same and joined[-1]["name"] == output["name"]:
            joined[-1]["text"] += output["text"]
        else:
            joined.append(output)
    return joined


def assert_same(ordinary: Any, forked: Any) -> None:
    assert len(ordinary.cells) == len(forked.cells)
    for number, (expected, found) in enumerate(zip(ordinary.cells, forked.cells, strict=True)):
        assert expected.cell_type == found.cell_type, number
        assert expected.source == found.source, number
        assert outputs(expected) == outputs(found), expected.source
        assert expected.get("execution_count") == found.get("execution_count"), expected.source
        kept = [{**cell.metadata} for cell in (expected, found)]
        for metadata in kept:
            times = metadata.pop("execution", {})
            metadata["times"] = sorted(times)
            papermills = metadata.pop("papermill", {})
            metadata["papermill"] = [papermills.get("status"), papermills.get("exception")]
        assert kept[0] == kept[1], expected.source


def process_ended(pid: int, seconds: float = 10.0) -> bool:
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
    code("print('out'); import sys; print('err', file=sys.stderr); print('out again')"),
    # A kernel reads the descriptors in a thread of its own, which needs a moment.
    code("import os, time; os.system('echo from a shell'); os.write(1, b'from C\\n'); time.sleep(0.3)"),
    code("import subprocess; subprocess.run(['echo', 'child']); subprocess.run('echo no >&2', shell=True); time.sleep(0.3)"),
    code("from IPython.display import display, HTML, Markdown, Javascript, clear_output"),
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
    code("{key: str(value) for key, value in matplotlib.rcParams.items()}"),
    code("first = display(HTML('<b>1</b>'), display_id='one')\n"
         "display(Markdown('*a*'), metadata={'m': 1})"),
    code("first.update(HTML('<b>2</b>'))\ndisplay({'application/json': {'a': [1.5, None]}}, raw=True)"),
    code("print('gone'); clear_output(wait=True); print('kept')"),
    code("print('gone'); clear_output(); display(1); clear_output(wait=True)"),
    code("import asyncio\nawait asyncio.sleep(0.01)\nasync def later(): print('later')\nx = await asyncio.gather(later())\nx"),
    code("import contextvars\nv = contextvars.ContextVar('v'); v.set(3);"),
    code("v.get()"),
    code("_ , __, In[-1], len(Out), __name__, str(type(get_ipython()))"),
    code("%history -n -l 2"),
    code("import warnings; warnings.warn('careful')"),
    code("import logging; logging.warning('logged')"),
    code("import threading\nt = threading.Thread(target=print, args=('from a thread',)); t.start(); t.join()"),
    code("class A:\n    def _repr_mimebundle_(self, **k):\n        return {'text/plain': 'A', 'text/x': 'y'}, {'z': 1}\nA()"),
    code("from comm import create_comm\n"
         "state = {'_model_name': 'M', '_model_module': 'm', '_model_module_version': '1', 'value': 2}\n"
         "c = create_comm(target_name='jupyter.widget', comm_id='c1', data={'state': state})\n"
         "c.send({'method': 'update', 'state': {'value': 3, 'raw': None}, 'buffer_paths': [['raw']]}, buffers=[b'abc']);"),
    code(""),
    v4.new_raw_cell("raw"),
    v4.new_markdown_cell("text"),
    code("print?"),
    code("print('skipped')", "skip-execution"),
    code("get_ipython().set_next_input('1')"),
    code("[os.environ.get(n) for n in ('MPLBACKEND', 'TERM', 'PAGER', 'FORCE_COLOR', 'TZ')], sys.path[1:], os.getcwd()"),
    code("import pickle; pickle.loads(pickle.dumps(A)) is A"),
    code("1 +", "raises-exception"),
    code("%no_such_magic"),
    code("input('?')", "raises-exception"),
    code("def f(x):\n    return 1 / x\nf(0)", "raises-exception"),
    code("get_ipython().history_manager.input_hist_raw[1:3], get_ipython().execution_count"),
]  # fmt: skip


def test_outputs_equal_those_of_an_ordinary_kernel(tmp_path: Path) -> None:
    path = write(tmp_path, MANY_KINDS)
    found = {}
    for engine in (None, "rederive-fork"):
        output = tmp_path / f"{engine}.ipynb"
        # Papermill fails a notebook that has an error in it, allowed or not, at its end.
        with pytest.raises(papermill.PapermillExecutionError, match="Exception encountered"):
            run(path, engine, output, parameters={"factor": 7}, environment=HEAVY)
        found[engine] = nbformat.read(output, 4)
    assert_same(found[None], found["rederive-fork"])
    for name in ("language_info", "kernelspec", "widgets"):
        assert found[None].metadata[name] == found["rederive-fork"].metadata[name]
    assert "M" in str(found[None].metadata.widgets)


def test_log_and_stream_files_as_papermill_writes_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(
        tmp_path, [code("print('out')"), code("import sys; print('err', file=sys.stderr)")]
    )
    with (
        (tmp_path / "out").open("w") as out,
        (tmp_path / "err").open("w") as err,
        caplog.at_level("INFO", logger="papermill"),
    ):
        run(path, log_output=True, stdout_file=out, stderr_file=err)
    assert (tmp_path / "out").read_text() == "out\n"
    assert (tmp_path / "err").read_text() == "err\n"
    assert any(record.message.startswith("Ending Cell 2") for record in caplog.records)
    assert any(record.message == "err\n" for record in caplog.records)


def test_papermill_command_takes_the_engine(tmp_path: Path) -> None:
    path = write(tmp_path, [code("value = 1", "parameters"), code("value * 2")])
    command = [sys.executable, "-m", "papermill", path.name, "out.ipynb", "-p", "value", "21"]
    options = ["--engine", "rederive-fork", "--no-progress-bar"]
    subprocess.run(
        command + options,
        cwd=tmp_path,
        env={**os.environ, **LIGHT},
        check=True,
        capture_output=True,
    )
    cells = nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert cells[-1].outputs[0].data["text/plain"] == "42"


# --- one run leaves nothing to the next ----------------------------------------------------------

SPOIL = """
import builtins, gc, json, os, random, sys, types, warnings
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
kept = open(folder + "/open.txt", "w"); kept.write("unfinished")
sys.path.insert(0, "/left"); sys.setrecursionlimit(500)
os.umask(0)
gc.disable()
x = 1
"""
LOOK = """
import builtins, gc, json, os, random, sys, warnings
import matplotlib, numpy, pandas
import matplotlib.pyplot as plt
print(json.dumps([
    sorted(name for name in sys.modules if "left" in name), hasattr(builtins, "left"),
    hasattr(json, "left"), json.JSONDecoder is None,
    os.environ.get("LEFT"), "HOME" in os.environ, os.getcwd(), plt.get_fignums(),
    matplotlib.rcParams["font.size"], warnings.filters[0][0], pandas.get_option("display.max_rows"),
    sorted(os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
           if os.path.exists(f"/proc/self/fd/{n}") and "open.txt" in os.readlink(f"/proc/self/fd/{n}")),
    sys.path, sys.getrecursionlimit(), gc.isenabled(), "x" in globals(),
]))
"""


def test_a_run_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    (before,) = values(tmp_path, LOOK, environment=HEAVY)
    umask = os.umask(0o22)
    os.umask(umask)
    path = write(tmp_path, [code(f"folder = {str(tmp_path)!r}"), code(SPOIL)])
    run(path, environment=HEAVY, shutdown_kernel="graceful")
    assert values(tmp_path, LOOK, environment=HEAVY) == [before]
    # A kernel that ends by itself closes its files, as any interpreter does.
    assert (tmp_path / "open.txt").read_text() == "unfinished"
    assert "LEFT" not in os.environ and "HOME" in os.environ
    assert values(tmp_path, "import os; print(os.umask(0))") == [umask]


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
        names = ("OF_THE_CALLER", "GIVEN", "REDERIVE_PRELOAD")
        print(json.dumps([[os.environ.get(n) for n in names], os.getcwd(), time.tzname[0]]))
    """
    here = Path.cwd()
    given = {**LIGHT, "GIVEN": "b", "TZ": "Asia/Tokyo"}
    assert values(tmp_path, source, environment=given) == [
        [["a", "b", ""], str(tmp_path.resolve()), "JST"]
    ]
    monkeypatch.delenv("OF_THE_CALLER")
    assert values(tmp_path, source, environment=LIGHT)[0][0] == [None, None, ""]
    assert Path.cwd() == here


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, [code("1")])
    with pytest.raises(FileNotFoundError, match="run_in: no such folder"):
        run(path, run_in=tmp_path / "nowhere")


def test_names_are_not_there_without_an_import(tmp_path: Path) -> None:
    path = write(tmp_path, [code("pd.DataFrame()")])
    with pytest.raises(papermill.PapermillExecutionError, match="name 'pd' is not defined"):
        run(path, environment=HEAVY)


# --- errors --------------------------------------------------------------------------------------


def test_a_failed_notebook_is_kept_with_the_error(tmp_path: Path) -> None:
    path = write(tmp_path, [code("1"), code("x = 0\n1 / x"), code("2")])
    saved = tmp_path / "saved.ipynb"
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        run(path, output=saved)
    assert (caught.value.ename, caught.value.cell_index, caught.value.exec_count) == (
        "ZeroDivisionError",
        1,
        2,
    )
    cells = nbformat.read(saved, 4).cells
    assert "An Exception was encountered" in cells[0].source
    assert [cell.metadata.papermill.status for cell in cells if "papermill" in cell.metadata] == [
        "completed",
        "failed",
        "pending",
    ]


def test_a_cell_may_take_too_long(tmp_path: Path) -> None:
    source = "import os, subprocess\nprint(os.getpid()); p = subprocess.Popen(['sleep', '60']); print(p.pid)"
    path = write(tmp_path, [code(source), code("while True: pass")])
    saved = tmp_path / "saved.ipynb"
    start = time.monotonic()
    with pytest.raises(CellTimeoutError, match="after 1 seconds"):
        run(path, output=saved, execution_timeout=1, shutdown_kernel="graceful")
    assert time.monotonic() - start < 10
    pids = nbformat.read(saved, 4).cells[0].outputs[0].text.split()
    assert all(process_ended(int(pid)) for pid in pids)


def test_a_cell_can_be_interrupted(tmp_path: Path) -> None:
    path = write(tmp_path, [code("import time\ntime.sleep(60)")])
    with pytest.raises(papermill.PapermillExecutionError, match="KeyboardInterrupt"):
        run(path, execution_timeout=1, interrupt_on_timeout=True)


@pytest.mark.parametrize(
    "ending",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os._exit(0)",
        "import ctypes; ctypes.string_at(0)",
        "import threading; threading.Timer(0.1, os._exit, [3]).start(); time.sleep(60)",
    ],
)
def test_a_kernel_may_die(tmp_path: Path, ending: str) -> None:
    start = "import os, signal, sys, time\nprint('before'); sys.stdout.flush(); time.sleep(0.05)\n"
    path = write(tmp_path, [code(start + ending)])
    saved = tmp_path / "saved.ipynb"
    begun = time.monotonic()
    with pytest.raises(DeadKernelError, match="Kernel died"):
        run(path, output=saved)
    assert time.monotonic() - begun < 10
    assert nbformat.read(saved, 4).cells[0].outputs[0].text == "before\n"


def test_exit_functions_and_temporary_folders_at_the_end(tmp_path: Path) -> None:
    source = f"""
        import atexit, pathlib, tempfile, threading, time
        atexit.register(pathlib.Path({str(tmp_path)!r}, "exit.txt").write_text, "exit")
        threading.Thread(target=lambda: (time.sleep(0.3), open({str(tmp_path / "t.txt")!r}, "w"))).start()
        kept = tempfile.TemporaryDirectory(dir={str(tmp_path)!r}, prefix="folder")
    """
    run(write(tmp_path, [code(source)]), shutdown_kernel="graceful")
    assert (tmp_path / "exit.txt").read_text() == "exit"
    assert (tmp_path / "t.txt").exists()
    assert not list(tmp_path.glob("folder*"))


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
    papermill.execute_notebook(
        sys.argv[1], None, engine_name="rederive-fork", progress_bar=False,
        environment=dict(REDERIVE_PRELOAD="", OPENBLAS_NUM_THREADS="1"))
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
    # The cell holds the interpreter's lock, so the process cannot watch its caller by itself.
    source = f"""
        import os, pathlib, subprocess
        child = subprocess.Popen(["sleep", "60"])
        part = pathlib.Path({str(tmp_path)!r}, "part")
        part.write_text(f"{{os.getppid()}} {{os.getpid()}} {{child.pid}}"); part.rename({str(mark)!r})
        "a" * 30 in ("a" * 40 + "b") * 10**5 and (sum(range(10**10)), 10**10**8)
    """
    path = write(tmp_path, [code(source)])
    caller = subprocess.Popen([sys.executable, str(tmp_path / "caller.py"), str(path), "plain"])
    deadline = time.monotonic() + 40
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
    assert subprocess.run(command, timeout=60).returncode == 0
    assert process_ended(int((tmp_path / "pid").read_text()))


def test_a_fork_of_the_caller_has_a_server_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, [code("import os\nprint(os.getppid())")])
    ours = run(path).cells[0].outputs[0].text
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            theirs = run(path).cells[0].outputs[0].text
            status = 0 if theirs != ours else 2
            warm.stop()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert run(path).cells[0].outputs[0].text == ours


def test_a_server_that_is_killed_is_replaced(tmp_path: Path) -> None:
    path = write(tmp_path, [code("import os\nprint(os.getppid())")])
    first = run(path).cells[0].outputs[0].text
    server = warm.server_pid()
    assert server == int(first)
    os.kill(server, signal.SIGKILL)
    assert run(path).cells[0].outputs[0].text != first


# --- what the server has imported ----------------------------------------------------------------


@pytest.fixture
def own_library(tmp_path: Path) -> Iterator[dict[str, str]]:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "own_helper.py").write_text("def figure():\n    return 41\n")
    yield {**LIGHT, "REDERIVE_PRELOAD": "own_helper", "PYTHONPATH": str(tmp_path / "src")}
    warm.stop()


def test_a_changed_helper_is_imported_anew(tmp_path: Path, own_library: dict[str, str]) -> None:
    book = tmp_path / "book"
    book.mkdir()
    source = "import os, own_helper\nprint([own_helper.figure(), os.getppid()])"
    first, server = values(book, source, environment=own_library)[0]
    assert values(book, source, environment=own_library) == [[41, server]]
    (tmp_path / "src" / "own_helper.py").write_text("def figure():\n    return 4200\n")
    second, other = values(book, source, environment=own_library)[0]
    assert (first, second) == (41, 4200)
    assert server != other


def test_the_runs_python_path_counts(tmp_path: Path, own_library: dict[str, str]) -> None:
    book = tmp_path / "book"
    book.mkdir()
    source = "import own_helper\nprint(own_helper.figure())"
    assert values(book, source, environment=own_library) == [41]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "own_helper.py").write_text("def figure():\n    return 1\n")
    (tmp_path / "other" / "new_helper.py").write_text("value = 2\n")
    other = {**own_library, "PYTHONPATH": str(tmp_path / "other")}
    assert values(
        book, source, "import new_helper; print(new_helper.value)", environment=other
    ) == [
        1,
        2,
    ]
    path = write(book, [code(source)])
    with pytest.raises(papermill.PapermillExecutionError, match="ModuleNotFoundError"):
        run(path, environment={**own_library, "PYTHONPATH": ""})


def test_a_notebook_may_have_a_module_of_an_installed_name_beside_it(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("mine = 1\n")
    assert preload.shadowed_by(str(tmp_path), {"numpy": "/elsewhere"}) == "numpy"
    assert preload.shadowed_by(str(tmp_path), {"numpy": str(tmp_path)}) == ""
    with pytest.raises(warm.NoForkError, match="a numpy of its own"):
        warm.start_run({**os.environ, **LIGHT}, str(tmp_path))


def test_import_settings_need_a_server_of_their_own(tmp_path: Path) -> None:
    source = "import os\nprint([os.getppid(), hash('a')])"
    seeded = {**LIGHT, "PYTHONHASHSEED": "0"}
    (first,) = values(tmp_path, source, environment=seeded)
    assert values(tmp_path, source, environment={**seeded, "OTHER": "1"}) == [first]
    (other,) = values(tmp_path, source, environment={**seeded, "PYTHONHASHSEED": "1"})
    assert other[0] != first[0] and other[1] != first[1]


def test_a_library_that_starts_a_thread_is_named(tmp_path: Path) -> None:
    (tmp_path / "restless.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    )
    chosen = {"REDERIVE_PRELOAD": "restless", "PYTHONPATH": str(tmp_path)}
    with pytest.raises(warm.NoForkError, match="importing restless starts threads"):
        warm.start_run({**os.environ, **LIGHT, **chosen}, str(tmp_path))


def test_libraries_with_threads_of_their_own_do_not_hang(tmp_path: Path) -> None:
    source = """
        import numpy, pyarrow, pyarrow.compute, pyarrow.parquet
        table = pyarrow.table({"a": numpy.arange(10**5), "b": numpy.ones(10**5)})
        pyarrow.parquet.write_table(table, "t.parquet")
        read = pyarrow.parquet.read_table("t.parquet", use_threads=True)
        big = numpy.ones((600, 600))
        print([pyarrow.compute.sum(read["a"]).as_py(), float((big @ big)[0, 0])])
    """
    chosen = {"REDERIVE_PRELOAD": "pandas,pyarrow.parquet,scipy.stats", "OPENBLAS_NUM_THREADS": "2"}
    expected = [[sum(range(10**5)), 600.0]]
    assert values(tmp_path, source, environment=chosen, execution_timeout=30) == expected


# --- where forks are not to be had ---------------------------------------------------------------


def test_where_forks_are_available(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available() and available("python3")
    assert not available("no-such-kernel")
    monkeypatch.setenv("REDERIVE_ENGINE", "ordinary")
    assert not available()
    monkeypatch.delenv("REDERIVE_ENGINE")
    monkeypatch.delattr(os, "fork")
    assert not available()


def test_the_ordinary_kernel_takes_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDERIVE_ENGINE", "ordinary")
    warm.stop()
    source = "import json, os\nprint(json.dumps([os.environ.get('GIVEN'), os.getcwd()]))"
    found = values(tmp_path, source, environment={"GIVEN": "1"})
    assert found == [["1", str(tmp_path.resolve())]]
    assert warm.server_pid() is None


def test_files_read_are_recorded(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1")
    path = write(tmp_path, [code("open('data/a.csv').read()")])
    done = run(path, trace_root=tmp_path)
    assert "data/a.csv" in done.metadata.papermill.files_read


def test_messages_arrive_whole() -> None:
    messages: list[list[bytes]] = [[], [b""], [b"a", b"", b"bc" * 1000], [bytes(range(256))]]
    content = b"".join(packed(message) for message in messages)
    unpacker = Unpacker()
    found = []
    for index in range(0, len(content), 7):
        unpacker.feed(content[index : index + 7])
        while (message := unpacker.message()) is not None:
            found.append(message)
    assert found == messages


# --- the real book -------------------------------------------------------------------------------


def book_notebooks() -> list[Path]:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [contents["root"]]
    names += [entry["file"] for part in contents["parts"] for entry in part["chapters"]]
    return [path for name in names if (path := ROOT / f"{name}.ipynb").is_file()]


@pytest.mark.parametrize("path", book_notebooks(), ids=lambda path: path.stem)
def test_notebooks_of_the_book_have_equal_outputs(
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    built_book: Path,
    project: Project,
) -> None:
    assert available()
    forked = nbformat.read(project.stage / path.relative_to(ROOT), as_version=4)
    settings = {
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TZ": "UTC",
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    for name, text in settings.items():
        monkeypatch.setenv(name, text)
    ordinary = published_form(run(path, None), read_notebook(path))
    assert_same(nbformat.from_dict(ordinary), forked)
