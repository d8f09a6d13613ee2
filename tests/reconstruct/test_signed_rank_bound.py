"""The proved bound on the signed-rank p: against all small data, and the one that is kept."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np
import pandas as pd
import pytest

from rederive.recompute.signed_rank import signed_rank_p
from repetitions import repeated
from signed_rank_bound import KEPT, LEAST, bound_of, greatest_signed_rank_p, pairs_of

BOUNDS = pd.read_csv(KEPT, index_col="month")


@pytest.mark.parametrize("seed", range(repeated(40)))
def test_no_data_pass_the_bound_and_the_least_significant_meet_it(seed: int) -> None:
    random = Random(seed)
    n, highest, least = random.randint(3, 5), random.randint(3, 7), random.randint(1, 4)
    start = sorted(random.randint(-highest, highest) for _ in range(n))
    if sum(start) >= 0:
        start = [-highest] * n

    def key(data: tuple[int, ...] | list[int]) -> tuple[int, int, int]:
        return sum(data), sum(x * x for x in data), sum(x <= -least for x in data)

    values = range(-highest, highest + 1)
    every = [
        data
        for data in itertools.combinations_with_replacement(values, n)
        if key(data) == key(start)
    ]
    worst = max(every, key=signed_rank_p)
    pair = [key(start)[:2]]
    assert greatest_signed_rank_p(start, pair, least, highest) >= signed_rank_p(worst)
    found = greatest_signed_rank_p(worst, pair, least, highest)
    # Where some data have no more falls than rises, nothing is proved.
    assert found == pytest.approx(signed_rank_p(worst), rel=2e-3) or found == 1


@pytest.mark.parametrize("month", BOUNDS.index)
def test_the_data_that_are_kept_print_the_figures_and_come_near_to_the_bound(month: str) -> None:
    changes = np.array(str(BOUNDS.loc[month, "changes"]).split(), int)
    pairs, responders = pairs_of(month)
    assert (changes.sum(), (changes**2).sum()) in pairs
    assert (changes <= -LEAST).sum() == responders
    assert (
        signed_rank_p(changes) <= BOUNDS.loc[month, "p_at_most"] <= 1.005 * signed_rank_p(changes)
    )


@pytest.mark.parametrize("month", ["m12", "m6"][: repeated(1)])
def test_the_bound_that_is_kept_is_computed_anew(month: str) -> None:
    found = bound_of(month, str(BOUNDS.loc[month, "changes"]))
    assert found == pytest.approx(float(str(BOUNDS.loc[month, "p_at_most"])), abs=1e-6)
