"""Exercises of the chapter on reading a paper with its own numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy import stats

from rederive_teach.lesson import Cohort, Exercise, table_of

Roads = Mapping[str, Callable[[Cohort], float]]

PRINTED = {
    "abstract-mrss-ivig-m6-mean": 24.1,
    "abstract-mrss-change-ivig-m6-mean": -5.3,
    "abstract-mrss-change-ivig-m6-sd": 7.9,
    "abstract-mrss-ivig-m6-n": 29,
}
"""Figures of the article by their row of the registry, which a pack does not hold."""

SEEN = int(PRINTED["abstract-mrss-ivig-m6-n"])
DPEN = (77.6, 67.9, 19.4, 12.7)  # printed percentages of the D-penicillamine trial
DPEN_SIZE = 134


def fits(n: int, percents: tuple[float, ...]) -> bool:
    """Tell whether whole numbers of `n` patients print all `percents`, given to one decimal."""
    return all(abs(100 * round(p / 100 * n) / n - p) <= 0.05 + 1e-9 for p in percents)


def smallest(percents: tuple[float, ...]) -> int:
    """Return the least number of patients that prints all `percents`."""
    return next(n for n in range(1, DPEN_SIZE + 1) if fits(n, percents))


def paired_p(total: float, sd: float, n: int = SEEN) -> float:
    """Return the two-sided p of a paired t test from the sum and the SD of `n` changes."""
    return float(2 * stats.t.sf(abs(total) / n / (sd / math.sqrt(n)), n - 1))


def sd_of_change(cohort: Cohort, month: str = "m24", ddof: int = 1) -> float:
    """Return the SD of the change in skin score from baseline."""
    scores = table_of(cohort)
    return float(np.std((scores[month] - scores["m0"]).dropna(), ddof=ddof))


def sd_if_independent(cohort: Cohort) -> float:
    """Return the SD that the change at 24 months would have without any correlation."""
    both = table_of(cohort)[["m0", "m24"]].dropna()
    return float(np.sqrt(both.var().sum()))


def _sum(id: str, which: str, right: int, beyond: int) -> Exercise:
    """Ask for an end of the sums that print the mean at 6 months."""
    return Exercise(
        id,
        "printed",
        lambda _: right,
        None,
        "points",
        {
            f"That is the printed mean times 29. Which {which} sums print 24.1 as well?": (
                lambda _: round(PRINTED["abstract-mrss-ivig-m6-mean"] * SEEN)
            ),
            "Divide your sum by 29: does it print 24.1?": lambda _: beyond,
        },
        low=0,
        high=SEEN * 51,
    )


# Sums and SDs of 29 whole changes that print -5.3 and 7.9: the least and the greatest p.
SMALLEST_P, LARGEST_P = paired_p(155, 7.85), paired_p(153, 7.95)
_QUARTER = {
    "Can the mean of 29 whole numbers be 5.25? Which means near it can be?": (
        lambda _: paired_p(5.25 * SEEN, 7.95)
    )
}


def _end(id: str, which: str, right: float, other: float, roads: Roads) -> Exercise:
    """Ask for an end of the p values that the printed change can have."""
    mean, sd = (PRINTED[f"abstract-mrss-change-ivig-m6-{name}"] for name in ("mean", "sd"))
    return Exercise(
        id,
        "printed",
        lambda _: right,
        None,
        "p",
        {
            **roads,
            "That is the p at the printed values. Which mean and SD within the rounding give "
            f"the {which}?": lambda _: paired_p(mean * SEEN, sd),
            "Is that one side of the distribution? The article's tests are two-sided.": (
                lambda _: right / 2
            ),
            "Which end of the interval is that?": lambda _: other,
        },
        low=0,
        high=1,
    )


EXERCISES = (
    _sum("1.1a", "smaller", math.ceil(24.05 * SEEN), math.floor(24.05 * SEEN)),
    _sum("1.1b", "larger", math.floor(24.15 * SEEN), math.ceil(24.15 * SEEN)),
    Exercise(
        "1.2",
        "printed",
        lambda _: smallest(DPEN),
        None,
        "patients",
        {
            "This number prints the percentage of women. Does it print the races too?": lambda _: (
                smallest(DPEN[:1])
            ),
            "Is one percentage enough to find the number?": lambda _: smallest(DPEN[1:2]),
        },
        low=1,
        high=DPEN_SIZE,
    ),
    _end("1.3a", "smallest", SMALLEST_P, LARGEST_P, {}),
    _end("1.3b", "largest", LARGEST_P, SMALLEST_P, _QUARTER),
    Exercise(
        "1.3c",
        "choice",
        sd_of_change,
        2,
        "points",
        {
            "Did you divide by n? The SD of a sample divides by n − 1.": lambda cohort: (
                sd_of_change(cohort, ddof=0)
            ),
            "Is that the change at another month?": lambda cohort: sd_of_change(cohort, "m18"),
            "That treats the two scores as independent. Whose are they?": sd_if_independent,
        },
        individual=True,
        low=0,
        high=51,
    ),
)
