"""Creatine phosphokinase after the start of treatment, in the patients with myositis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ivig_dcssc.generator.measured import Flags, FloatArray
from ivig_dcssc.generator.measures import CK_NORMAL

LAST = (45, 185)
"""Range of the last value in U/L; ours."""

MOST_VALUES = 3
"""Most later values of a patient; ours."""


def draw_serial(
    baseline: FloatArray, myositis: Flags, count: int, rng: np.random.Generator
) -> list[int]:
    """Return the patients with myositis whose values were followed, as positions.

    All of them start above normal, since in all of them the values became normal.

    Parameters
    ----------
    baseline : array of float, shape (patients,)
        Values at baseline in U/L, NaN where not measured.
    myositis : array of bool, shape (patients,)
        Who has myositis.
    count : int
        How many were followed.
    rng : Generator
        Source of all randomness.

    Raises
    ------
    ValueError
        If fewer patients with myositis have a raised value at baseline.
    """
    raised = np.flatnonzero(myositis & (baseline > CK_NORMAL))
    if len(raised) < count:
        raise ValueError(
            f"cpk: found {len(raised)} patients with myositis and more than {CK_NORMAL} U/L at "
            f"baseline, allowed are {count} or more"
        )
    return sorted(int(who) for who in rng.permutation(raised)[:count])


def course(
    before: float, months: Sequence[int], rng: np.random.Generator
) -> list[tuple[int, float]]:
    """Return later values as (month, value): falling by about equal ratios into the normal range.

    Parameters
    ----------
    before : float
        Value at baseline in U/L.
    months : sequence of int
        The patient's visits after the first infusion, rising, at least one.
    rng : Generator
        Source of all randomness.
    """
    kept = [
        months[i]
        for i in np.unique(np.linspace(0, len(months) - 1, MOST_VALUES).round()).astype(int)
    ]
    last = float(rng.integers(LAST[0], LAST[1] + 1))
    ratios = np.arange(1, len(kept) + 1) / len(kept)
    values = np.rint(
        before * (last / before) ** ratios * np.exp(0.1 * rng.standard_normal(len(kept)))
    )
    values[-1] = last
    return list(zip(kept, values.tolist(), strict=True))
