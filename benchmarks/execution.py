"""From a changed parameter to the answer: each bar as a ratio, measured side by side in one run.

Run by hand from the root of the project: ``python benchmarks/execution.py``; ``--quick`` takes
three sections, few runs and no build. It empties ``_build/cache`` and ``_build/html``, and notes
in ``data/execution.csv`` how long each notebook took, which the page on trust shows.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import papermill
import psutil
from feasible_sizes import compared

from ivig_dcssc import open_ledger
from ivig_dcssc.project import project_root
from rederive.execution.project import Project
from rederive.printed import parse
from rederive.recompute import Comparison, Scale, Summary, solve_n
from rederive.sweep.index import SweepIndex
from rederive.sweep.job import Job, perform
from rederive.sweep.plan import plan_sweep
from rederive.sweep.points import Request
from rederive.sweep.store import RunStore

ROOT = project_root()
LINES: list[str] = []
CORES = 2
COMMAND = str(Path(sys.executable).with_name("rederive"))
LIBRARIES = "import pandas, scipy.stats, statsmodels.api, seaborn"
# What is changed is used in every section: the rows of the ledger are worked out anew.
CHANGED = ["-p", "minimum_cycles=4"]
GRID = ("baseline_window=1..5", "followup_tolerance=0..3", "responder_threshold=4..8")
EXPLANATION = """
*CPU* is the user and system time of a command and of all processes that it starts, read every
20 ms; it does not hang on what else the computer does, and is what the bars are held against.
*Wall* is the time on the clock, on a computer that had other work at the same time.
"""


def emit(line: str = "") -> None:
    print(line, flush=True)
    LINES.append(line)


@dataclass
class Used:
    """What a command took: seconds on the clock and of the processors, and bytes at most."""

    wall: float = 0.0
    cpu: float = 0.0
    forks: float = 0.0
    memory: int = 0
    said: str = ""


def used(words: list[str], memory: bool = False) -> Used:
    """Run a command; processes that its server forks run the cells."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        found = _watched(words, memory, output)
        output.seek(0)
        return replace(found, said=output.read())


def _watched(words: list[str], memory: bool, output: IO[str]) -> Used:
    start = first = time.perf_counter()
    found, depth, spent = Used(), {}, {}
    process = psutil.Popen(words, stdout=output, cwd=ROOT)
    depth[process.pid] = 0
    while process.poll() is None:
        for each in [process, *children(process)]:
            with _gone():
                depth.setdefault(each.pid, depth.get(each.ppid(), 0) + 1)
                times = each.cpu_times()
                spent[each.pid] = times.user + times.system
        if memory and time.perf_counter() - first > 0.5:
            first = time.perf_counter()
            total = 0
            for each in [process, *children(process)]:
                with _gone():
                    total += each.memory_full_info().pss
            found.memory = max(found.memory, total)
        time.sleep(0.02)
    found.wall = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit status {process.returncode}")
    found.cpu = sum(spent.values())
    found.forks = sum(seconds for pid, seconds in spent.items() if depth[pid] >= 2)
    return found


def children(process: psutil.Process) -> list[psutil.Process]:
    with _gone():
        return list(process.children(recursive=True))
    return []


class _gone:  # noqa: N801
    """Passes over processes that have ended meanwhile."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        return isinstance(error, psutil.Error | FileNotFoundError | ProcessLookupError)


def bare() -> Used:
    return used([sys.executable, "-c", LIBRARIES])


def sections(names: list[str]) -> None:
    """Rerun each section by the command with one changed parameter, beside bare imports."""
    emit("### One section with a changed parameter, nothing kept, beside importing the libraries")
    emit()
    emit("Bar: at most 3.")
    emit()
    emit("| section | imports, CPU s | rerun, CPU s | of it forks | ratio | on the clock |")
    emit("|---|---:|---:|---:|---:|---:|")
    before, ratios = bare(), []
    for name in names:
        run = used([COMMAND, "run", name, *CHANGED, "--no-cache"])
        after = bare()
        base, wall = (before.cpu + after.cpu) / 2, (before.wall + after.wall) / 2
        ratios.append(run.cpu / base)
        emit(
            f"| {name} | {base:.1f} | {run.cpu:.1f} | {run.forks:.1f} | {run.cpu / base:.1f} "
            f"| {run.wall / wall:.1f} |"
        )
        before = after
    emit()
    emit(f"Largest **{max(ratios):.1f}**, median {statistics.median(ratios):.1f}.")
    emit()


def build() -> None:
    """Build the book from nothing, and once more."""
    for folder in ("cache", "html"):
        shutil.rmtree(ROOT / "_build" / folder, ignore_errors=True)
    first = used([COMMAND, "build", "--jobs", str(CORES)], memory=True)
    second = used([COMMAND, "build", "--jobs", str(CORES)])
    notebooks = re.findall(r"\] (\S+\.ipynb): done in ([\d.]+) s", first.said)
    lines = ["notebook,seconds", *(",".join(each) for each in sorted(notebooks))]
    (ROOT / "data" / "execution.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    emit("### The whole book")
    emit()
    emit("| | bar | measured |")
    emit("|---|---:|---:|")
    emit(f"| cold: cells of all notebooks, CPU s | 35 | {first.forks:.1f} |")
    emit(f"| cold: everything, CPU s | | {first.cpu:.1f} |")
    emit(f"| cold: wall, s | | {first.wall:.0f} |")
    emit(f"| cold: memory at most (shared pages once), GB | 1.5 | {first.memory / 1e9:.2f} |")
    emit(f"| once more: CPU s | 2 | {second.cpu:.1f} |")
    emit(f"| once more: wall, s | 2 | {second.wall:.1f} |")
    emit()


def plain(name: str) -> Used:
    """Run a notebook by papermill as it comes, as its share of a loop in one process."""
    code = (
        "import sys, papermill\n"
        "for i in range(int(sys.argv[2])):\n"
        "    papermill.execute_notebook(sys.argv[1], None, {'baseline_window': 1 + i % 5},\n"
        "        cwd='notebooks', progress_bar=False, kernel_name='python3',\n"
        "        extra_arguments=['--IPKernelApp.log_level=40'])\n"
    )
    path = str(ROOT / "notebooks" / f"{name}.ipynb")
    return used([sys.executable, "-c", code, path, "3"])


def sweeps(names: list[str], grids: tuple[str, ...], bigger: bool) -> None:
    emit("### A sweep beside a plain loop")
    emit()
    emit(
        f"The plain loop is measured on 6 runs, 3 before and 3 after. The bar is 25, {CORES} runs "
        "at a time: the ratio of CPU times a run, times the processors."
    )
    emit()
    emit("| notebook | runs | plain, CPU s a run | sweep, CPU s a run | ratio | on the clock |")
    emit("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        tasks = [(name, grids) for name in names]
        if bigger:
            tasks.append((names[0], ("alpha=0.01..0.1..0.01", *GRID)))
        for index, (name, chosen) in enumerate(tasks):
            shutil.rmtree(ROOT / "_build" / "cache", ignore_errors=True)
            words = [word for each in chosen for word in ("--grid", each)]
            out = Path(folder) / str(index)
            before = plain(name)
            swept = used([COMMAND, "sweep", name, "--out", str(out), *words, "--workers", "0"])
            after = plain(name)
            runs = len(list((out / "runs").iterdir()))
            cpu, wall = (before.cpu + after.cpu) / 6, (before.wall + after.wall) / 6
            emit(
                f"| {name} | {runs} | {cpu:.2f} | {swept.cpu / runs:.2f} "
                f"| **{CORES * cpu / (swept.cpu / runs):.1f}** | {wall / (swept.wall / runs):.1f} |"
            )
    emit()


def points() -> None:
    """Plan and record sweeps of up to 10,000 points, and say what the runs of so many would take.

    One run of ``methods`` is carried out; its record and results stand for those of all others.
    """
    project = Project(ROOT)
    one = plan_sweep(project, "methods", Request())
    job = Job(one.runs[0], str(ROOT), one.sources, 600)
    begun = time.perf_counter()
    done = perform(job)
    first = time.perf_counter() - begun
    emit("### Sweeps of up to 10,000 points")
    emit()
    emit(
        "Planning names every run by its content; opening reads what is done, as each call of a "
        "sweep does at first; writing the index takes at most a twentieth of the time."
    )
    emit()
    emit("| points | planning, CPU s | opening, CPU s | index, CPU s | folder, MB |")
    emit("|---:|---:|---:|---:|---:|")
    last = 0.0
    for number in (100, 1000, 10_000):
        alphas = f"alpha={','.join(str(round(0.0001 * k, 4)) for k in range(1, number // 100 + 1))}"
        request = Request((*GRID, alphas))
        plan, planning = timed(lambda request=request: plan_sweep(project, "methods", request))
        assert len(plan.runs) == number
        with tempfile.TemporaryDirectory() as folder:
            store = RunStore(folder)
            for run in plan.runs:
                record = done.record | {"parameters": run.parameters}
                store.write_run(run.key, done.files, record)
            size = sum(each.stat().st_size for each in Path(folder).rglob("*") if each.is_file())
            index, opening = timed(lambda store=store, plan=plan: SweepIndex(store, plan))
            _, writing = timed(index.write)
        last = planning + opening + writing
        emit(f"| {number:,} | {planning:.1f} | {opening:.1f} | {writing:.1f} | {size / 1e6:.0f} |")
    emit()
    emit(
        f"A run of `methods` took {first:.1f} s by itself, with the start of the server. Without "
        f"any run, 10,000 points take {last:.0f} s of one processor: less than the runs by far, so "
        "the time of a sweep is the number of its points times that of a run over the number of "
        "processors, however many computers these are in (`--scheduler`)."
    )
    emit()


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def growth() -> None:
    """Sizes up to 10,000, and ten ledgers that share nothing."""
    emit("### Growth")
    emit()
    fast, slow, same = compared()
    emit(
        f"Solving for an unstated n up to 168: {fast:.3f} s, by points along every edge "
        f"{slow:.2f} s: **{slow / fast:.0f}** times faster (bar: 50), "
        f"{'the same sizes' if same else 'OTHER SIZES'}."
    )
    emit()
    emit("| sizes tried, up to | CPU s |")
    emit("|---:|---:|")
    treated = Summary(parse("-8"), parse("8.3"), 25, Scale(Fraction(-51), Fraction(51)))
    for n in (168, 1000, 10_000):
        comparator = Summary(parse("-3.4"), parse("7.12"), n)
        solving = Comparison("comparator", comparator, (parse("0.005"),))
        spent = seconds(lambda solving=solving: solve_n(treated, [solving]))
        emit(f"| {n:,} | {spent:.3f} |")
    emit()
    emit("| ledgers of 637 rows, each at a level of its own | CPU s |")
    emit("|---:|---:|")
    for count in (1, 10):
        levels = [0.05 + index / 1000 for index in range(1, count + 1)]
        spent = seconds(lambda levels=levels: [list(open_ledger(alpha=each)) for each in levels])
        emit(f"| {count} | {spent:.1f} |")
    emit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three sections, few runs, no build")
    parser.add_argument("--long", action="store_true", help="also a sweep of 1,000 runs")
    parts = ("growth", "points", "sections", "sweeps", "build")
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts, help="only these")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    # The same for all sides: one thread for each process, as the book is built.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    emit("# From a changed parameter to the answer")
    emit()
    emit(f"`python {' '.join(['benchmarks/execution.py', *sys.argv[1:]])}`")
    emit(EXPLANATION)
    emit(
        f"- Python {platform.python_version()}, papermill {papermill.__version__} on "
        f"{platform.machine()}, {os.cpu_count()} cores"
    )
    emit()
    every = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    bare()  # what is read from the disk for the first time
    if "growth" in options.parts:
        growth()
    if "points" in options.parts:
        points()
    if "sections" in options.parts:
        sections(every[:3] if options.quick else every)
    if "sweeps" in options.parts:
        sweeps(["methods", "results_controls"], GRID[:1] if options.quick else GRID, options.long)
    if "build" in options.parts and not options.quick:
        build()
    options.output.write_text("\n".join(LINES).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
