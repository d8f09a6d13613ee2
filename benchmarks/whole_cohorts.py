"""Time, validity, memory and growth of patient-level data with pairs, beside what can be installed.

Run by hand from the root of the project: ``python benchmarks/whole_cohorts.py``, or with
``--whole`` for the last table alone. Columns of the package ``pysprite`` (a random walk) and our
exact columns, put together in random order until the figures of the change hold, are what a user
would otherwise try. Each row of the last table is measured in a process of its own, so its memory
is its own.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from ivig_dcssc.generator.ensemble import make_ensemble
from ivig_dcssc.generator.recipe import Recipe
from ivig_dcssc.generator.skin import COMPARED, PRIORS, skin_block
from ivig_dcssc.project import project_root
from rederive.printed import parse
from rederive.printed.registry import load_registry
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import FLAT, Block, Figure, Statistic, find_data, holds, sample_data
from rederive.reconstruct.block.boxes import boxes_of
from rederive.reconstruct.block.prediction import diagnose_quantity, open_quantities
from rederive.reconstruct.column import ColumnSampler, ColumnSummary

ROOT = project_root()
REGISTRY = load_registry(ROOT / "data" / "published")
LINES: list[str] = []
PAIR_SECONDS = 20.0
WHOLE = "### Whole cohorts, checked and written"

EXPLANATION = """
Compilation (some 10 s, once, then kept on disk) is left out. *Pairs*: baseline and month 6 only,
29 patients with both, the means and SDs of scores and changes and the paired p. Columns put
together at random keep their own figures and so may miss those of the change; a hit is a data set
that keeps them all. *Independent draws* are draws times the least effective sample size among what
the figures leave open, over the number of draws.
"""


def emit(line: str = "") -> None:
    print(line, flush=True)
    LINES.append(line)


def pair_block() -> Block:
    """The article's scores at baseline and month 6, for the patients who have both."""
    whole = skin_block(REGISTRY)
    kept = [
        figure
        for figure in whole.figures
        if figure.at == "m6" and figure.statistic is not Statistic.RESPONDERS
    ]
    return Block("pairs", whole.scale, 29, ("baseline", "m6"), (29, 29), tuple(kept))


def random_order(columns: np.ndarray, firsts: np.ndarray, seed: int) -> tuple[int, int]:
    """Put first and later columns together at random for a while; return hits and tries."""
    column = boxes_of(pair_block()).change[1]
    rng = np.random.default_rng(seed)
    hits = tries = 0
    end = time.perf_counter() + PAIR_SECONDS
    while time.perf_counter() < end:
        later = rng.permuted(columns[rng.integers(len(columns), size=2000)], axis=1)
        change = later - firsts[rng.integers(len(firsts), size=2000)]
        totals, squares = change.sum(axis=1), (change**2).sum(axis=1)
        tries += len(change)
        hits += sum(column.admits(int(s), int(q)) for s, q in zip(totals, squares, strict=True))
    return hits, tries


def exact_columns(mean: str, sd: str, draws: int) -> np.ndarray:
    summary = ColumnSummary(parse(mean), parse(sd), 29, 0, 51)
    return ColumnSampler(summary, seed=1).draw(draws)


def sprite_columns(mean: str, sd: str, draws: int) -> np.ndarray:
    from pysprite import Sprite

    np.random.seed(1)
    # The package takes the SD to two decimals whatever is asked for; 9.60 is one it can reach.
    walk = Sprite(29, float(mean), float(sd), 1, 2, 0, 51)
    found = walk.find_possible_distributions(draws, "random", max_iter=400_000)[1]
    return np.array([[int(value) for value in row] for row in found], np.int64).reshape(-1, 29)


def pairs_table() -> None:
    emit("### One pair of visits")
    emit()
    emit("| tool | data sets with all figures | tries | per second |")
    emit("|---|---:|---:|---:|")
    block = pair_block()
    find_data(block)
    start, found = time.perf_counter(), 0
    while time.perf_counter() - start < PAIR_SECONDS / 3:
        assert holds(find_data(block, seed=found))
        found += 1
    rate = found / (time.perf_counter() - start)
    emit(f"| ours: search | {found} | {found} | {rate:.1f} |")
    start = time.perf_counter()
    ensemble = sample_data(block, FLAT, 4000, 1, thin=1)
    seconds = time.perf_counter() - start
    assert all(holds(ensemble[i]) for i in range(0, 4000, 100))
    emit(f"| ours: chain | 4000 | 4000 | {4000 / seconds:,.0f} |")
    # 29.6 is the mean of all 30 patients; of those followed it has to be about 29.4.
    firsts = exact_columns("29.4", "7.2", 4000)
    hits, tries = random_order(exact_columns("24.1", "9.6", 4000), firsts, 1)
    emit(f"| our exact columns, random order | {hits} | {tries} | {hits / PAIR_SECONDS:.1f} |")
    try:
        start = time.perf_counter()
        columns = sprite_columns("24.1", "9.6", 100)
        drawn = time.perf_counter() - start
        hits, tries = random_order(columns, firsts, 1)
        seconds = PAIR_SECONDS + drawn
        emit(f"| pysprite columns, random order | {hits} | {tries} | {hits / seconds:.1f} |")
    except ImportError:
        emit("| pysprite | not installed | | |")
    emit()


def block_table() -> None:
    emit("### All skin scores: 30 patients, 5 times, 20 figures")
    emit()
    emit("| | data sets | seconds | per second | independent draws per second |")
    emit("|---|---:|---:|---:|---:|")
    block = skin_block(REGISTRY)
    start = time.perf_counter()
    for seed in range(50):
        assert holds(find_data(block, seed=seed))
    seconds = time.perf_counter() - start
    emit(f"| search | 50 | {seconds:.1f} | {50 / seconds:.1f} | |")
    for prior in PRIORS.values():
        start = time.perf_counter()
        ensemble = sample_data(block, prior, 2000, 1, thin=1)
        seconds = time.perf_counter() - start
        assert all(holds(ensemble[i]) for i in range(0, 2000, 50))
        left_open = open_quantities(block, ensemble.observed())
        worst = min(diagnose_quantity(k, ensemble.by_chain(v)).ess for k, v in left_open.items())
        emit(
            f"| chain, {prior.name} prior | 2000 | {seconds:.1f} | {2000 / seconds:,.0f} "
            f"| {worst / seconds:.1f} |"
        )
    emit()


def honest_block(patients: int, highest: int, seed: int) -> Block:
    """Figures of simulated patients, two visits, on a scale from 0."""
    rng = np.random.default_rng(seed)
    first = np.clip(np.rint(rng.normal(0.55, 0.15, patients) * highest), 0, highest)
    later = np.clip(np.rint(first - rng.normal(0.1, 0.15, patients) * highest), 0, highest)
    change = later - first
    texts = {
        ("baseline", "mean"): first.mean(),
        ("baseline", "sd"): first.std(ddof=1),
        ("later", "mean"): later.mean(),
        ("later", "sd"): later.std(ddof=1),
        ("later", "change_sd"): change.std(ddof=1),
    }
    figures = tuple(
        Figure(f"{at}-{name}", Statistic(name), at, parse(f"{value:.1f}"))
        for (at, name), value in texts.items()
    )
    scale = Scale(Fraction(0), Fraction(highest))
    sizes = (patients, patients)
    return Block("simulated", scale, patients, ("baseline", "later"), sizes, figures)


def growth_table() -> None:
    emit("### Growth with the number of patients and the length of the scale")
    emit()
    emit("Two visits, figures of simulated patients to one decimal.")
    emit()
    emit("| patients | scale | search, ms | chain, draws per second |")
    emit("|---:|---|---:|---:|")
    for patients, highest in (
        (15, 51),
        (30, 51),
        (60, 51),
        (120, 51),
        (240, 51),
        (30, 10),
        (30, 102),
        (30, 204),
        (30, 408),
    ):
        block = honest_block(patients, highest, 1)
        find_data(block)
        start = time.perf_counter()
        for seed in range(10):
            find_data(block, seed=seed)
        search = (time.perf_counter() - start) / 10
        start = time.perf_counter()
        sample_data(block, FLAT, 400, 1, thin=1)
        rate = 400 / (time.perf_counter() - start)
        emit(f"| {patients} | 0 to {highest} | {1000 * search:.0f} | {rate:,.0f} |")
    emit()


def cohort_job(prior: str, cohorts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        make_ensemble(ROOT / "data" / "published", Path(folder) / "out", Recipe(prior, 1), cohorts)
        seconds = time.perf_counter() - start
        size = sum(file.stat().st_size for file in (Path(folder) / "out").iterdir())
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    memory = max(one.ru_maxrss for one in used) / 1024
    print(json.dumps({"seconds": seconds, "size": size, "memory": memory, "cpu": cpu}))


def measured(prior: str, cohorts: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--job", prior, str(cohorts)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


def cohorts_table(sizes: list[int]) -> None:
    emit(WHOLE)
    emit()
    emit("Two processes. *Further* cohorts a second are those beyond the row before over the time")
    emit(
        "that they took, so without imports, tables and the start of processes. CPU time is of all"
    )
    emit("processes, memory that of the largest.")
    emit()
    emit("| prior | cohorts | seconds | per second | further | CPU, ms | files, MB | memory, MB |")
    emit("|---|---:|---:|---:|---:|---:|---:|---:|")
    measured(COMPARED[0].name, 1)  # compiles
    for prior in COMPARED:
        before, earlier = 0, 0.0
        for cohorts in sizes:
            found = measured(prior.name, cohorts)
            seconds = found["seconds"]
            further = f"{(cohorts - before) / (seconds - earlier):.1f}" if before else ""
            emit(
                f"| {prior.name} | {cohorts} | {seconds:.1f} | {cohorts / seconds:.1f} | {further} "
                f"| {1000 * found['cpu'] / cohorts:.0f} | {found['size'] / 1e6:.2f} "
                f"| {found['memory']:.0f} |"
            )
            before, earlier = cohorts, seconds
    emit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--cohorts", type=int, nargs="+", default=[200, 1000], help="rising")
    parser.add_argument("--whole", action="store_true", help="measure whole cohorts only")
    arguments = parser.parse_args()
    results = Path(__file__).with_suffix(".md")
    if arguments.job:
        cohort_job(arguments.job[0], int(arguments.job[1]))
        return
    if arguments.whole:
        kept = results.read_text().partition(WHOLE)[0]
        cohorts_table(arguments.cohorts)
        results.write_text(kept + "\n".join(LINES).rstrip() + "\n")
        return
    emit("# Patient-level data with pairs: speed, validity, growth")
    emit()
    emit("`python benchmarks/whole_cohorts.py`")
    emit(EXPLANATION)
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "numba")]
    emit(f"- Python {platform.python_version()}, {', '.join(versions)} on {platform.machine()}")
    try:
        peer = importlib.metadata.version("pysprite")
    except importlib.metadata.PackageNotFoundError:
        peer = "not installed"
    emit(f"- pysprite: {peer}")
    emit()
    pairs_table()
    block_table()
    growth_table()
    cohorts_table(arguments.cohorts)
    if peer != "not installed":
        results.write_text("\n".join(LINES).rstrip() + "\n")


if __name__ == "__main__":
    main()
