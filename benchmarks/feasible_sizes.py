"""Time of solving for an unstated sample size, as a ratio to points along every edge of a box.

    python benchmarks/feasible_sizes.py

The treated group's change is taken through its attainable means and SDs; every comparator size up
to 168 is tried for both tests. The plain way is the one kept in ``tests/recompute/test_welch.py``.
"""

from __future__ import annotations

import importlib.util
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from rederive.printed import RoundingRule, parse
from rederive.recompute import Comparison, Scale, Summary, solve_n
from rederive.recompute.t_formulas import STUDENT, WELCH
from rederive.recompute.t_tests import moments_of

PLAIN = Path(__file__).parents[1] / "tests" / "recompute" / "test_welch.py"


def compared() -> tuple[float, float, bool]:
    """Return the seconds now and by points along edges, and whether the sizes agree."""
    spec = importlib.util.spec_from_file_location("plain", PLAIN)
    assert spec is not None and spec.loader is not None
    plain = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain)
    scale = Scale(Fraction(-51), Fraction(51))
    treated = Summary(parse("-8"), parse("8.3"), 25, scale)
    comparator = Summary(parse("-3.4"), parse("7.12"), 168)
    p = parse("0.005")
    comparison = Comparison("comparator", comparator, (p,))
    for _, interpretation in treated.readings():
        moments_of(interpretation, RoundingRule.EITHER)  # both ways start from the same pairs

    start = time.process_time()
    solved = solve_n(treated, [comparison])
    fast = time.process_time() - start

    start = time.process_time()
    sizes, target = np.arange(2, comparator.n + 1), p.interval()
    (low, high), sd = (
        comparator.mean_range(RoundingRule.EITHER),
        comparator.sd_range(RoundingRule.EITHER),
    )
    expected = []
    for test in (STUDENT, WELCH):
        for _, interpretation in treated.readings():
            mean, own_sd = moments_of(interpretation, RoundingRule.EITHER)
            table = plain.reachable(
                test,
                (mean[0] - high, mean[1] - low),
                own_sd,
                treated.n,
                tuple(np.array([end]) for end in sd),
                sizes,
                target.lower,
                target.upper,
            )
            expected.append(tuple(sizes[table.any(axis=1)].tolist()))
    slow = time.process_time() - start
    same = [each.sizes["comparator"] for each in solved] == expected
    return fast, slow, same


def main() -> None:
    """Print both times, their ratio, and whether the sizes agree."""
    fast, slow, same = compared()
    print(f"points along edges {slow:.2f} s, now {fast:.3f} s: {slow / fast:.0f} times faster")
    print("the same sizes" if same else "OTHER SIZES")


if __name__ == "__main__":
    main()
