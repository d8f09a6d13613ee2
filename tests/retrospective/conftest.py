from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest

Ensemble = Callable[[int], pd.DataFrame]


@pytest.fixture(scope="session")
def ensemble() -> Ensemble:
    """Draw small cohorts of unequal size with coarse values, many of them missing."""

    def draw(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        sizes = rng.integers(1, 14, size=int(rng.integers(1, 7)))
        keys = [(7 - c, f"P{p:02d}") for c, size in enumerate(sizes) for p in range(size)]
        levels = int(rng.integers(2, 9))
        values = rng.integers(0, levels, size=(len(keys), 4)) * rng.choice([1.0, 0.125, 0.01])
        values[rng.random(values.shape) < rng.choice([0.0, 0.3])] = np.nan
        index = pd.MultiIndex.from_tuples(keys, names=["cohort", "patient"])
        return pd.DataFrame(values, index=index, columns=["baseline", "m6", "m12", "m18"])

    return draw


@pytest.fixture(scope="session")
def by_cohort() -> Callable[[pd.DataFrame, pd.DataFrame], Iterator[tuple[pd.Series, pd.DataFrame]]]:
    """Pair each row of a result with the patients of its cohort."""

    def pair(
        result: pd.DataFrame, patients: pd.DataFrame
    ) -> Iterator[tuple[pd.Series, pd.DataFrame]]:
        assert list(result["cohort"].unique()) == sorted(patients.index.unique("cohort"))
        for _, row in result.iterrows():
            yield row, patients.xs(row["cohort"], level="cohort")

    return pair
