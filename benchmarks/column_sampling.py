"""Speed, validity, bias and growth of draws of one column, beside another package.

Run by hand from the root of the project: ``python benchmarks/column_sampling.py``. The package
``pysprite`` (a random walk) takes part where it is installed. Every row is measured in a process of
its own, so its memory is its own. Apart from times and memory the tables are the same on every run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rederive.printed import RoundingRule, parse
from rederive.reconstruct.column import ColumnSampler, ColumnSummary, count_columns

# Honest summaries are those of the tests.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from honest_summaries import Moments

OURS = ("ours: multisets", "ours: vectors")
WALK_STEPS = 400_000
BIAS_CASES = (("3.00", "1.91", 12, 8), ("1.50", "1.57", 12, 10), ("4.00", "2.00", 10, 10))
LINES: list[str] = []

EXPLANATION = """
Set-up is the building of the tables, without the import of packages; memory is the peak of the
process, packages included. `pysprite` compares the SD to two decimals whatever is asked for, hence
the figures with two decimals; it may walk WALK_STEPS steps for all draws of a row together, and is
started from the greatest variance (its default) or from random data. A draw is valid if its mean
and SD, computed exactly, print as the figures under some rule for halves, and its values lie on the
scale.
"""


@dataclass(frozen=True)
class Job:
    """One row: who draws what how often."""

    tool: str
    mean: str
    sd: str
    n: int
    high: int
    draws: int
    seed: int

    def summary(self) -> ColumnSummary:
        return ColumnSummary(parse(self.mean), parse(self.sd), self.n, 0, self.high)


def emit(line: str = "") -> None:
    print(line, flush=True)
    LINES.append(line)


def draw_with_ours(job: Job, ordered: bool) -> tuple[list[list[int]], float, float]:
    start = time.perf_counter()
    sampler = ColumnSampler(job.summary(), ordered, job.seed)
    ready = time.perf_counter()
    rows = sampler.draw(job.draws)
    return rows.tolist(), ready - start, time.perf_counter() - ready


def draw_with_pysprite(job: Job, start_from: str) -> tuple[list[list[int]], float, float]:
    from pysprite import Sprite

    np.random.seed(job.seed)
    start = time.perf_counter()
    decimals = [len(text.partition(".")[2]) for text in (job.mean, job.sd)]
    walk = Sprite(job.n, float(job.mean), float(job.sd), *decimals, 0, job.high)
    ready = time.perf_counter()
    found = walk.find_possible_distributions(job.draws, start_from, max_iter=WALK_STEPS)[1]
    taken = time.perf_counter() - ready
    return [[int(value) for value in row] for row in found], ready - start, taken


def measure(job: Job) -> dict[str, Any]:
    """Do one job in this process."""
    if job.tool.startswith("ours"):
        rows, ready, taken = draw_with_ours(job, job.tool.endswith("vectors"))
    else:
        rows, ready, taken = draw_with_pysprite(job, job.tool.rpartition(" ")[2])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    summary = job.summary()
    valid = [row for row in rows if is_valid(row, summary)]
    measured: dict[str, Any] = {
        "setup": ready,
        "rate": len(rows) / taken,
        "draws": len(rows),
        "valid": len(valid) / max(1, len(rows)),
        "distinct": len({tuple(sorted(row)) for row in rows}) / max(1, len(rows)),
        "memory": peak,
    }
    start = time.perf_counter()
    number = count_columns(summary, job.tool.endswith("vectors"))
    measured |= {"count": number, "counting": time.perf_counter() - start}
    if number <= 5000 and valid:
        measured |= bias(valid, number, job)
    return measured


def is_valid(row: list[int], summary: ColumnSummary) -> bool:
    moments = Moments.of(row)
    assert summary.sd is not None
    return (
        len(row) == summary.n
        and min(row) >= summary.low
        and max(row) <= summary.high
        and summary.mean in moments.mean_figures(summary.mean.decimals, RoundingRule.EITHER)
        and summary.sd in moments.sd_figures(summary.sd.decimals, RoundingRule.EITHER)
    )


def bias(rows: list[list[int]], number: int, job: Job) -> dict[str, Any]:
    """Return total variation distances from uniform: of the draws, and of as many ideal ones."""
    ordered = job.tool.endswith("vectors")
    drawn = Counter(tuple(row if ordered else sorted(row)) for row in rows)
    counts = np.zeros(number)
    counts[: len(drawn)] = list(drawn.values())
    ideal = np.random.default_rng(job.seed).multinomial(len(rows), np.full(number, 1 / number), 400)

    def distance(numbers: Any) -> Any:
        return np.abs(numbers / len(rows) - 1 / number).sum(axis=-1) / 2

    noise = distance(ideal)
    return {
        "listed": number,
        "distance": float(distance(counts)),
        "noise": [float(np.quantile(noise, q)) for q in (0.025, 0.975)],
        "never": int((counts == 0).sum()),
    }


def run(job: Job) -> dict[str, Any]:
    """Do one job in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--job", json.dumps(asdict(job))],
        check=True,
        capture_output=True,
        text=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def scientific(number: int) -> str:
    return str(number) if number < 10**6 else f"{number:.2e}"


def speed(tools: dict[str, int], seed: int) -> None:
    emit("### Thirty patients on 0 to 51")
    emit()
    emit("Mean 24.10, SD 9.60, n = 30.")
    emit()
    emit("| tool | draws | per second | valid, % | distinct, % | set-up, s | memory, MB |")
    emit("|---|---:|---:|---:|---:|---:|---:|")
    for tool, draws in tools.items():
        done = run(Job(tool, "24.10", "9.60", 30, 51, draws, seed))
        emit(
            f"| {tool} | {done['draws']} | {done['rate']:,.0f} | {100 * done['valid']:.1f} "
            f"| {100 * done['distinct']:.1f} | {done['setup']:.2f} | {done['memory']:.0f} |"
        )
    emit()


def bias_table(tools: list[str], seed: int) -> None:
    emit("### Bias where all columns can be listed")
    emit()
    emit(
        "Distance: total variation between the valid draws and the uniform distribution (0 to 1), "
        "beside the range that holds 95 % of such distances for as many ideal draws."
    )
    emit()
    emit("| figures | tool | columns | valid draws | distance | ideal draws | never drawn |")
    emit("|---|---|---:|---:|---:|---:|---:|")
    for mean, sd, n, high in BIAS_CASES:
        for tool in tools:
            done = run(Job(tool, mean, sd, n, high, 3000 if tool in OURS else 1000, seed))
            if "listed" not in done:
                emit(
                    f"| mean {mean}, SD {sd}, n {n}, 0 to {high} | {tool} | {done['count']} "
                    f"| 0 of {done['draws']} | | | |"
                )
                continue
            low, top = done["noise"]
            emit(
                f"| mean {mean}, SD {sd}, n {n}, 0 to {high} | {tool} | {done['listed']} "
                f"| {round(done['draws'] * done['valid'])} | {done['distance']:.3f} "
                f"| {low:.3f} to {top:.3f} | {done['never']} |"
            )
    emit()


def growth(seed: int) -> None:
    emit("### Growth with the number of values and the length of the scale")
    emit()
    emit(
        "SD 14.7 is that of a flat distribution over 0 to 51. 25 with "
        "17 and 26 with 19 have the largest tables, for multisets and for vectors, of all whole "
        "means from 8 to 26 and SDs from 10 to 20. Draws: 33,000."
    )
    emit()
    emit(
        "| n | scale | mean | SD | kind | columns | counting, s | set-up, s | draws per second "
        "| memory, MB |"
    )
    emit("|---:|---|---:|---:|---|---:|---:|---:|---:|---:|")
    grid = [(n, 51, "24.1", "9.6") for n in (10, 20, 30, 40, 60)]
    grid += [(30, 10, "4.7", "1.9"), (30, 24, "11.3", "4.5"), (30, 102, "48.2", "19.2")]
    grid += [(30, 51, "25.5", "14.7"), (30, 51, "25.5", "20.0")]
    grid += [(30, 51, "25", "17"), (30, 51, "26", "19")]
    for n, high, mean, sd in grid:
        for kind in ("multisets", "vectors"):
            if kind == "vectors" and n > 40:
                continue
            try:
                done = run(Job(f"ours: {kind}", mean, sd, n, high, 33_000, seed))
            except subprocess.CalledProcessError as failed:
                reason = failed.stderr.strip().splitlines()[-1].partition("Error: ")[2]
                emit(f"| {n} | 0 to {high} | {mean} | {sd} | {kind} | refused: {reason} | | | | |")
                continue
            emit(
                f"| {n} | 0 to {high} | {mean} | {sd} | {kind} | {scientific(done['count'])} "
                f"| {done['counting']:.2f} | {done['setup']:.2f} | {done['rate']:,.0f} "
                f"| {done['memory']:.0f} |"
            )
    emit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--walks", type=int, default=300, help="draws of the random walk")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(measure(Job(**json.loads(options.job)))))
        return
    try:
        peer = importlib.metadata.version("pysprite")
    except importlib.metadata.PackageNotFoundError:
        peer = "not installed"
    emit("# One column: speed, validity, bias, growth")
    emit()
    emit("`python benchmarks/column_sampling.py`")
    emit(EXPLANATION.replace("WALK_STEPS", f"{WALK_STEPS:,}"))
    emit(
        f"- Python {platform.python_version()}, NumPy {np.__version__} on {platform.machine()}, "
        f"seed {options.seed}"
    )
    emit(f"- pysprite: {peer}")
    emit()
    walks = [] if peer == "not installed" else ["pysprite: from maxvar", "pysprite: from random"]
    speed(dict.fromkeys(OURS, 33_000) | dict.fromkeys(walks, options.walks), options.seed)
    bias_table([*OURS[:1], *walks], options.seed)
    growth(options.seed)
    options.output.write_text("\n".join(LINES).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
