"""Time of the multiverse, its growth, and the same points computed one at a time.

Run by hand from the root of the project: ``python benchmarks/multiverse.py``. The other side is
what a user would write: a loop over specifications that asks `CohortResults`, the class behind the
book's notebooks, for the same results. It is run for a few specifications drawn at random.
"""

from __future__ import annotations

import argparse
import platform
import random
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.analysis import Choices, CohortResults, Ensembles, load_ensembles
from ivig_dcssc.multiverse import RESULTS, Axes, Multiverse
from ivig_dcssc.multiverse.explorer import Explorer
from ivig_dcssc.parameters import PRIORS
from ivig_dcssc.project import project_root
from rederive.printed.registry import load_registry

ROOT = project_root()
# The loop is that of the tests.
sys.path.append(str(ROOT / "tests"))
from one_specification import parameters_of, values_of  # noqa: E402

REGISTRY = load_registry(ROOT / "data" / "published")
LINES: list[str] = []

EXPLANATION = """
Seconds are those of the processor, on one core, without the reading of files. *All results* are
patients, means, changes, tests and responders at every time point, and the comparison with every
control: median, central 95 % and decision over the cohorts. A *specification* is one level of each
choice. The loop computes the same results for one specification at a time, in the cohorts of its
prior; its seconds for all specifications are those of the points tried, times their number. The
last line is a loop over windows, rule and prior alone, with a single threshold and a single test.
"""


def emit(line: str = "") -> None:
    print(line, flush=True)
    LINES.append(line)


def everything(ensembles: Ensembles, axes: Axes) -> tuple[float, Multiverse, int]:
    """Return seconds for all results, and the rows of all tables together."""
    start = time.process_time()
    universe = Multiverse(ensembles, REGISTRY, axes)
    rows = sum(len(universe.table(name).frame) for name in RESULTS)
    return time.process_time() - start, universe, rows


def some(ensembles: Ensembles, number: int) -> Ensembles:
    """Return the first cohorts of each prior."""
    kept = ensembles.priors.groupby(ensembles.priors).head(number).index
    return Ensembles(
        ensembles.patients[ensembles.patients["cohort"].isin(kept)],
        ensembles.visits[ensembles.visits["cohort"].isin(kept)],
        ensembles.priors[kept],
    )


def one_at_a_time(by_prior: dict[str, Ensembles], points: int, seed: int) -> float:
    """Return seconds of a loop over specifications drawn at random, per specification."""
    rng, axes, spent = random.Random(seed), Axes(), 0.0
    for _ in range(points):
        levels = {name: rng.choice(axes.levels(name)) for name in Axes.__slots__}
        chosen = Choices.of(parameters_of(levels))
        start = time.process_time()
        results = CohortResults(by_prior[levels["prior"]], chosen, REGISTRY)
        pd.DataFrame(values_of(results)).quantile(np.array([0.025, 0.5, 0.975]))
        spent += time.process_time() - start
    return spent / points


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--points", type=int, default=20, help="specifications of the loop")
    arguments = options.parse_args()
    emit("# The multiverse: time, growth, and one point at a time\n")
    emit("`python benchmarks/multiverse.py`")
    emit(EXPLANATION)
    versions = f"numpy {np.__version__}, pandas {pd.__version__}"
    emit(f"- Python {platform.python_version()}, {versions} on {platform.machine()}\n")

    ensembles = load_ensembles(ROOT)
    everything(some(ensembles, 5), Axes())  # what is compiled or imported late
    seconds, universe, rows = everything(ensembles, Axes())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    by_prior = {prior: load_ensembles(ROOT, prior) for prior in PRIORS}
    point = one_at_a_time(by_prior, arguments.points, seed=5)
    size = Axes().size
    windows = universe.places.size * len(PRIORS)
    emit("### All results, all specifications, 600 cohorts\n")
    emit("| way | specifications | seconds | per specification, ms | ratio |")
    emit("|---|---:|---:|---:|---:|")
    emit(f"| multiverse | {size:,} | {seconds:.1f} | {1000 * seconds / size:.3f} | 1 |")
    emit(f"| loop, tried | {arguments.points} | {point * arguments.points:.1f} "
         f"| {1000 * point:.0f} | |")  # fmt: skip
    emit(f"| loop, all | {size:,} | {point * size:,.0f} | {1000 * point:.0f} "
         f"| {point * size / seconds:,.0f} |")  # fmt: skip
    emit(f"| loop, windows, rule and prior alone | {windows} | {point * windows:.0f} | "
         f"{1000 * point:.0f} | {point * windows / seconds:.0f} |")  # fmt: skip
    emit(
        f"\nThe tables have {rows:,} rows; {universe.distinct_windows} of {universe.places.size} "
        f"combinations of windows and rule select different visits. Memory: {memory:,.0f} MB."
    )

    emit("\n### Growth with the number of cohorts\n")
    emit("| cohorts | seconds | per cohort, ms |")
    emit("|---:|---:|---:|")
    for number in (25, 50, 100, 200):
        spent, _, _ = everything(some(ensembles, number), Axes())
        emit(f"| {3 * number} | {spent:.2f} | {1000 * spent / (3 * number):.1f} |")

    emit("\n### Growth with the number of specifications\n")
    emit("| windows | specifications | distinct windows | seconds |")
    emit("|---|---:|---:|---:|")
    whole = Axes()
    for name, axes in (
        ("the article's", replace(whole, baseline_window=(3,), followup_tolerance=(2,))),
        ("two by two", replace(whole, baseline_window=(2, 3), followup_tolerance=(1, 2))),
        ("baseline up to 3", replace(whole, baseline_window=tuple(range(4)))),
        ("all", whole),
    ):
        spent, universe, _ = everything(ensembles, axes)
        emit(f"| {name} | {axes.size:,} | {universe.distinct_windows} | {spent:.2f} |")

    start = time.process_time()
    page = Explorer.of(ROOT).page().markup
    emit("\n### The explorer\n")
    emit(
        f"Numbers and page: {time.process_time() - start:.1f} s, {len(page.encode()) / 1000:.0f} "
        "kB in the page."
    )
    out = Path(__file__).with_suffix(".md")
    out.write_text("\n".join(LINES) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
