"""Every kind of figure that a description takes: honest ones are kept, drawn data print them."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rederive.recompute.signed_rank import CONVENTIONS, signed_rank_p
from rederive.reconstruct.block import BlockData, holds
from rederive.reconstruct.block.figures import QUARTILES
from rederive.reconstruct.block.values import statistic_values
from rederive.reconstruct.checker import check_study, failures
from rederive.reconstruct.conflict import refute
from rederive.reconstruct.study import (
    Study,
    bound_quantity,
    parse_study,
    predict_figure,
    reconstruct_study,
)

HIGHEST = 8
Pairs = list[tuple[int, int]]


def described(
    figures: dict[str, dict[str, object]], n: int, way: str = QUARTILES[0], test: int = 0
) -> Study:
    lines = [
        f"quartiles: {way}",
        f"signed_rank: {CONVENTIONS[test].name!r}",
        f"patients: {n}",
        "timepoints: [a, b]",
        "measures:",
        "  score:",
        f"    scale: {{minimum: -1, maximum: {HIGHEST - 1}, step: 1}}",
        f"    n: {{a: {n}, b: {n}}}",
        "    improvement: fall",
        "    figures:",
    ]
    lines += [f"      {at}: {own}" for at, own in figures.items()]
    return parse_study("\n".join(lines))


def printed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text if float(text) else text.removeprefix("-")


def summary(
    numbers: list[int], decimals: int, prefix: str = "", way: str = QUARTILES[0]
) -> dict[str, object]:
    """What an author prints of numbers, in the plain way."""
    n, mean, sd = len(numbers), np.mean(numbers), np.std(numbers, ddof=1)
    width = stats.t.ppf(0.975, n - 1) * sd / sqrt(n)
    found = {
        "mean": mean,
        "sd": sd,
        "se": sd / sqrt(n),
        "ci_low": mean - width,
        "ci_high": mean + width,
        "median": np.median(numbers),
        "q1": np.quantile(numbers, 0.25, method=way),
        "q3": np.quantile(numbers, 0.75, method=way),
    }
    return {prefix + name: printed(float(value), decimals) for name, value in found.items()}


def everything(
    pairs: Pairs, decimals: int, way: str = QUARTILES[0], test: int = 0
) -> dict[str, dict[str, object]]:
    """All figures of some pairs of values from -1, given in steps."""
    first, later = ([step - 1 for step in side] for side in zip(*pairs, strict=True))
    change = [y - x for x, y in zip(first, later, strict=True)]
    counts = {
        "at_least": {3: str(sum(y >= 3 for y in later))},
        "at_most": {0: str(sum(y <= 0 for y in later)), 2: str(sum(y <= 2 for y in later))},
        "responders": {2: str(sum(d <= -2 for d in change))},
    }
    p = signed_rank_p(change, CONVENTIONS[test])
    ranked = {} if np.isnan(p) else {"signed_rank_p": printed(p, 3)}
    later_on = summary(later, decimals, way=way) | summary(change, decimals, "change_", way)
    return {"a": summary(first, decimals, way=way), "b": later_on | counts | ranked}


PAIRS = st.lists(st.tuples(*[st.integers(0, HIGHEST)] * 2), min_size=3, max_size=9)


WAYS = st.sampled_from(QUARTILES)
TESTS = st.integers(0, len(CONVENTIONS) - 1)


@given(PAIRS, st.integers(0, 3), WAYS, TESTS)
def test_honest_figures_are_kept_by_the_data_they_are_of(
    pairs: Pairs, decimals: int, way: str, test: int
) -> None:
    study = described(everything(pairs, decimals, way, test), len(pairs), way, test)
    block = study.measures[0].block
    assert refute(block) is None
    data = BlockData(block, np.array(pairs, np.int64), np.ones((len(pairs), 2), np.bool_))
    assert holds(data)
    # The engine's own value of each figure prints as the figure.
    for figure in block.figures:
        (value,) = statistic_values(block, data.observed()[np.newaxis], figure)
        assert figure.interval(block.rule).meets(value, value)


@given(PAIRS, st.randoms(use_true_random=False), st.integers(0, 1), WAYS, TESTS)
def test_data_hold_exactly_where_the_checker_says_so(
    pairs: Pairs, random: Random, decimals: int, way: str, test: int
) -> None:
    # One kind of figure at a time, or hardly any other data would hold.
    kind = random.choice(("mean", "se", "ci_low", "ci_high", "median", "q1", "q3", "signed"))
    kept = {
        at: {name: text for name, text in figures.items() if kind in name}
        for at, figures in everything(pairs, decimals, way, test).items()
    }
    n = len(pairs)
    others = [(min(a + random.randint(0, 1), HIGHEST), b) for a, b in pairs]
    study = described({at: own for at, own in kept.items() if own}, n, way, test)
    block = study.measures[0].block
    data = BlockData(block, np.array(others, np.int64), np.ones((n, 2), np.bool_))
    table = [
        (f"P{k}", "score", at, value - 1)
        for k, pair in enumerate(others)
        for at, value in zip("ab", pair, strict=True)
    ]
    tidy = pd.DataFrame(table, columns=["patient", "measure", "timepoint", "value"])
    assert holds(data) == failures(check_study(study.description, tidy)).empty


SOURCE = [(6, 3), (7, 2), (4, 4), (8, 7), (5, 1), (6, 6), (3, 3), (7, 5), (5, 2), (6, 1)]


@pytest.fixture(scope="module")
def study() -> Study:
    kept = everything(SOURCE, 1)
    for of in ("sd", "change_sd", "mean", "change_mean"):
        kept["b"].pop(of)
    return described(kept, len(SOURCE))


def test_drawn_data_print_every_figure(study: Study) -> None:
    table = reconstruct_study(study, 20, seed=4)
    report = check_study(study.description, table)
    assert failures(report).empty, failures(report)
    assert {"score.b.change_ci_low", "score.b.at_most.0", "score.a.q3"} <= set(report["id"])
    assert table.groupby("cohort")["value"].agg(tuple).nunique() == 20


def test_a_figure_of_each_kind_can_be_predicted(study: Study) -> None:
    ids = ("change_ci_high", "se", "at_least.3", "change_median", "q1", "signed_rank_p")
    for name in (f"score.b.{each}" for each in ids):
        found = predict_figure(study, name, draws=200, seed=3)
        assert found["inside"], name


def test_a_confidence_interval_bounds_what_an_sd_would(study: Study) -> None:
    (measure,) = study.measures
    change = [y - x for x, y in SOURCE]
    for name, value in (("change_mean", np.mean(change)), ("change_sd", np.std(change, ddof=1))):
        found = bound_quantity(measure, name, "b", seconds=5)
        assert found["low"] <= value <= found["high"]
        assert found["high"] - found["low"] < 0.3
        assert found["sharp"]


def test_counts_of_values_are_bounded_by_all_data() -> None:
    study = described({"a": {"mean": "0.3"}, "b": {"at_least": {2: "2"}, "mean": "1.0"}}, 3)
    (measure,) = study.measures
    values = range(-1, HIGHEST)
    later = [
        (x, y, z)
        for x in values
        for y in values
        for z in values
        if x + y + z == 3 and sum(v >= 2 for v in (x, y, z)) == 2
    ]
    for name, threshold, at in (("at_least", 3, "b"), ("at_most", -1, "b")):
        sign = 1 if name == "at_least" else -1
        counts = [sum(sign * v >= sign * threshold for v in each) for each in later]
        found = bound_quantity(measure, name, at, threshold=Fraction(threshold))
        assert (found["low"], found["high"]) == (min(counts), max(counts))
        assert found["sharp"]
    # One patient of three with -1 or 0 and the others 0 or 1, or one with more.
    found = bound_quantity(measure, "at_least", "a", threshold=Fraction(1))
    assert (found["low"], found["high"]) == (1, 2)
