"""Execution of notebooks in forks beside plain papermill: start-up, a sweep, the whole book.

Run by hand from the root of the project: ``python benchmarks/execution.py``. Both sides run in
the same few minutes on the same computer and take turns, so that its other work weighs on both.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import papermill
import yaml
from nbformat import v4

from ivig_dcssc.project import project_root
from rederive.execution.forkserver import ENGINE_VARIABLE, ORDINARY
from rederive.execution.project import Project
from rederive.execution.run import Task, run_task

ROOT = project_root()
LINES: list[str] = []
CORES = 2
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
IMPORTS = """
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.stats
import seaborn as sns
import statsmodels.api as sm
"""
# The notebook whose own computing is least.
LIGHT = "notebooks/results_treatment.ipynb"

EXPLANATION = """
*Overhead* is the time from call to result, less the time of the cells that compute. The imports of
the libraries belong to the overhead. *Plain* is `papermill.execute_notebook` as it comes, one
notebook after the other; *forks* is the engine `rederive-fork`, whose one start is given by itself.
"""


def emit(line: str = "") -> None:
    print(line, flush=True)
    LINES.append(line)


def plain(path: Path, parameters: dict[str, Any] | None = None) -> Any:
    return papermill.execute_notebook(
        str(path),
        None,
        parameters=parameters or {},
        cwd=str(path.parent),
        progress_bar=False,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=40"],
    )


def forked(path: Path, parameters: dict[str, Any] | None = None) -> Any:
    return papermill.execute_notebook(
        str(path),
        None,
        parameters=parameters or {},
        run_in=path.parent,
        progress_bar=False,
        kernel_name="python3",
        engine_name="rederive-fork",
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def cell_seconds(notebook: Any, first: int = 0) -> float:
    return sum(cell.metadata.papermill.duration for cell in notebook.cells[first:])


def overhead(repeats: int) -> None:
    cells = [v4.new_code_cell(source) for source in (IMPORTS, "1 + 1", "print('a')", "x = 2", "x")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trivial.ipynb"
        nbformat.write(v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
        start, _ = timed(lambda: forked(path))
        seconds: dict[str, list[float]] = {"plain": [], "forks": []}
        for _ in range(repeats):
            for name, run, times in (("plain", plain, 1), ("forks", forked, 4)):
                for _ in range(times):
                    spent, done = timed(lambda run=run: run(path))
                    seconds[name].append(spent - cell_seconds(done, first=1))
    emit("### Overhead of one notebook")
    emit()
    emit("| | median, s | least, s | runs |")
    emit("|---|---:|---:|---:|")
    for name, each in seconds.items():
        emit(f"| {name} | {statistics.median(each):.2f} | {min(each):.2f} | {len(each)} |")
    ratio = statistics.median(seconds["plain"]) / statistics.median(seconds["forks"])
    emit()
    emit(f"Ratio of the medians: **{ratio:.1f}**. First run, with the start: {start:.1f} s.")
    emit()


def sweep(plain_runs: int, runs: int) -> None:
    grid = itertools.product(range(1, 6), range(4), ("closest", "first", "last"), (4, 5))
    names = ("baseline_window", "followup_tolerance", "visit_rule", "responder_threshold")
    sets = [dict(zip(names, point, strict=True)) for point in itertools.islice(grid, runs)]
    project = Project(ROOT)
    half = plain_runs // 2
    before, _ = timed(lambda: [plain(ROOT / LIGHT, given) for given in sets[:half]])
    with ThreadPoolExecutor(CORES) as pool:

        def one(given: dict[str, Any]) -> str:
            outcome = run_task(project, Task(Path(LIGHT), given), cache=False)
            return outcome.message if outcome.kind != "done" else ""

        list(pool.map(one, sets[:1]))
        spent, messages = timed(lambda: list(pool.map(one, sets)))
    after, _ = timed(lambda: [plain(ROOT / LIGHT, given) for given in sets[half:plain_runs]])
    if any(messages):
        raise RuntimeError(next(filter(None, messages)))
    rates = {"plain": plain_runs / (before + after), "forks": len(sets) / spent}
    emit(f"### A sweep of {len(sets)} parameter sets of `{LIGHT}`")
    emit()
    emit("| | runs | seconds | runs per second |")
    emit("|---|---:|---:|---:|")
    emit(f"| plain loop | {plain_runs} | {before + after:.1f} | {rates['plain']:.3f} |")
    emit(f"| forks, {CORES} at a time | {len(sets)} | {spent:.1f} | {rates['forks']:.3f} |")
    emit()
    emit(f"Ratio: **{rates['forks'] / rates['plain']:.1f}**.")
    emit()


def book() -> None:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [contents["root"]]
    names += [entry["file"] for part in contents["parts"] for entry in part["chapters"]]
    paths = [path for name in names if (path := ROOT / f"{name}.ipynb").is_file()]
    emit("### The whole book, cold, its rows of the ledger not kept")
    emit()
    emit(f"| {CORES} at a time | notebooks | own time of all cells, s | wall, s | share of cells |")
    emit("|---|---:|---:|---:|---:|")
    for name, engine in (("ordinary kernels", ORDINARY), ("forks", "")):
        os.environ[ENGINE_VARIABLE] = engine
        with ThreadPoolExecutor(CORES) as pool:
            wall, done = timed(lambda: list(pool.map(forked, paths)))
        own = sum(cell_seconds(notebook) for notebook in done)
        emit(f"| {name} | {len(paths)} | {own:.1f} | {wall:.1f} | {own / CORES / wall:.0%} |")
    emit()


def sections(names: list[str]) -> None:
    """Rerun each section by the command with one changed parameter, beside bare imports."""
    libraries = [sys.executable, "-c", IMPORTS]
    command = [str(Path(sys.executable).with_name("rederive")), "run"]
    # What is changed is used in every section: the rows of the ledger are worked out anew.
    changed = ["-p", "minimum_cycles=4"]
    emit("### One section with a changed parameter, beside importing the libraries")
    emit()
    emit("| section | imports, s | nothing kept, s | ratio | the article's rows kept, s | ratio |")
    emit("|---|---:|---:|---:|---:|---:|")

    def seconds(words: list[str]) -> float:
        spent, _ = timed(lambda: subprocess.run(words, check=True, capture_output=True))
        return spent

    for name in names:
        shutil.rmtree(ROOT / "_build" / "cache", ignore_errors=True)
        seconds([*command, name])
        bare = [seconds(libraries)]
        alone = seconds([*command, name, *changed, "--no-cache"])
        bare.append(seconds(libraries))
        shared = seconds([*command, name, *changed])
        bare.append(seconds(libraries))
        base = statistics.median(bare)
        emit(
            f"| {name} | {base:.1f} | {alone:.1f} | {alone / base:.1f} "
            f"| {shared:.1f} | {shared / base:.1f} |"
        )
    emit()


def cold() -> None:
    """Execute all notebooks from nothing with and without rows that they share."""
    project = Project(ROOT)
    emit("### Rows of the ledger worked out once a build")
    emit()
    emit("| 2 at a time | all runs, s |")
    emit("|---|---:|")
    for name, shares in (("each notebook by itself", False), ("shared", True)):
        shutil.rmtree(project.cache, ignore_errors=True)
        with ThreadPoolExecutor(CORES) as pool:
            tasks = [Task(path) for path in project.notebooks]
            done = list(pool.map(partial(run_task, project, cache=shares), tasks))
        emit(f"| {name} | {sum(each.seconds for each in done):.1f} |")
    emit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="plain runs of the first table")
    parser.add_argument("--plain-runs", type=int, default=12, help="plain runs of the sweep")
    parser.add_argument("--runs", type=int, default=100, help="parameter sets of the sweep")
    parser.add_argument("--without-book", action="store_true", help="leave the last table out")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".md"))
    every = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    parser.add_argument("--sections", nargs="*", default=every, help="sections that are rerun")
    options = parser.parse_args()
    # The same for all sides: one thread for each process, as the book is built.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    emit("# Execution of notebooks: forks beside plain papermill")
    emit()
    emit("`python benchmarks/execution.py`")
    emit(EXPLANATION)
    emit(
        f"- Python {platform.python_version()}, papermill {papermill.__version__} on "
        f"{platform.machine()}, {os.cpu_count()} cores"
    )
    emit()
    sections(options.sections)
    if not options.without_book:
        cold()
    overhead(options.repeats)
    sweep(options.plain_runs, options.runs)
    if not options.without_book:
        book()
    options.output.write_text("\n".join(LINES).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
