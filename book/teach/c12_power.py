"""Exercises of the chapter on power and the next trial."""

from __future__ import annotations

import math
from functools import lru_cache

from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from rederive_teach.changes import change, difference
from rederive_teach.lesson import Cohort, Exercise, table_of

SD, DIFFERENCE, SEEN, CORRELATION = 8.0, 4.6, 25 / 30, 0.58
PRINTED = {
    "abstract-mrss-change-ivig-m12-sd": 8.3,
    "abstract-mrss-ivig-m12-n": 25,
    "abstract-mrss-change-collagen-m12-sd": 7.12,
    "table1-cohort-size-collagen-n": 168,
}
"""Figures of the article by their row of the registry, which a pack does not hold."""

_SPREADS = list(PRINTED.values())
IVIG, COLLAGEN = (0.0, _SPREADS[0], int(_SPREADS[1])), (0.0, _SPREADS[2], int(_SPREADS[3]))


@lru_cache(maxsize=128)
def per_arm(difference: float, power: float, sd: float = SD, sides: str = "two-sided") -> float:
    """Return the number of patients in each of two arms, not rounded."""
    return float(
        TTestIndPower().solve_power(difference / sd, alpha=0.05, power=power, alternative=sides)
    )


def planned(
    cohort_r: float = CORRELATION, seen: float = SEEN, squared: bool = True, inflate: bool = True
) -> int:
    """Return the number per arm with adjustment for baseline and with losses."""
    kept = 1 - (cohort_r**2 if squared else cohort_r)
    number = per_arm(DIFFERENCE, 0.9) * kept
    return math.ceil(number / seen if inflate else number * (2 - seen))


@lru_cache(maxsize=128)
def least_effect(number: int, power: float) -> float:
    """Return the least mean change, in SDs, that a paired test sees in so many."""
    return float(TTestPower().solve_power(nobs=number, power=power, alpha=0.05))


def detectable(cohort: Cohort, month: int = 24, power: float = 0.8, number: int = 0) -> float:
    """Return the least mean change that a paired test sees in as many as were seen."""
    own = change(cohort, month)
    return float(own.std()) * least_effect(number or len(own), power)


def correlation(cohort: Cohort, month: int = 24) -> float:
    """Return the correlation of baseline and a later score."""
    scores = table_of(cohort)
    return float(scores["m0"].corr(scores[f"m{month}"]))


def power_at(true: float, error: float) -> float:
    """Return the power of a two-sided z test."""
    z = stats.norm.ppf(0.975)
    return float(stats.norm.sf(z - true / error) + stats.norm.cdf(-z - true / error))


def exaggeration(true: float, error: float) -> float:
    """Return by what factor a significant estimate is too large on average (normal)."""
    z, at = stats.norm.ppf(0.975), true / error
    above = at * stats.norm.sf(z - at) + stats.norm.pdf(z - at)
    below = -at * stats.norm.cdf(-z - at) + stats.norm.pdf(z + at)
    return float((above + below) / (at * power_at(true, error)))


WELCH, POOLED = (difference(IVIG, COLLAGEN, pooled)[1] for pooled in (False, True))


def own_error(cohort: Cohort, month: int = 24) -> float:
    """Return the standard error of the cohort's mean change."""
    return float(change(cohort, month).sem())


EXERCISES = (
    Exercise(
        "12.1a",
        "added",
        lambda _: math.ceil(per_arm(3.2, 0.8)),
        None,
        "patients",
        {
            "That is rounded down. Is the power then 80 %?": lambda _: int(per_arm(3.2, 0.8)),
            "Is that for 90 % power?": lambda _: math.ceil(per_arm(3.2, 0.9)),
            "Is that both arms together?": lambda _: 2 * math.ceil(per_arm(3.2, 0.8)),
            "Is that a one-sided test?": lambda _: math.ceil(per_arm(3.2, 0.8, sides="larger")),
            "Is that one group against zero, with no other arm?": lambda _: math.ceil(
                TTestPower().solve_power(3.2 / SD, alpha=0.05, power=0.8)
            ),
        },
        low=0,
        high=100_000,
    ),
    Exercise(
        "12.1b",
        "choice",
        detectable,
        2,
        "points",
        {
            "That is in units of the SD. How many points are that?": lambda c: (
                detectable(c) / float(change(c, 24).std())
            ),
            "Is that with all thirty? How many have both scores?": lambda c: detectable(
                c, number=len(c.patients)
            ),
            "Is that for 90 % power?": lambda c: detectable(c, power=0.9),
            "Is that for 12 months?": lambda c: detectable(c, 12),
        },
        individual=True,
        low=0,
        high=51,
    ),
    Exercise(
        "12.2a",
        "added",
        lambda _: planned(),
        None,
        "patients",
        {
            "Does the variance fall by r or by r squared?": lambda _: planned(squared=False),
            "Are losses multiplied or divided? Try 100 to be seen if 25 of 30 come.": lambda _: (
                planned(inflate=False)
            ),
            "Is that without adjustment for baseline?": lambda _: planned(0.0),
            "Is that without the losses?": lambda _: planned(seen=1.0),
            "Is that with neither?": lambda _: planned(0.0, 1.0),
        },
        low=0,
        high=100_000,
    ),
    Exercise(
        "12.2b",
        "choice",
        lambda c: 100 * (1 - correlation(c) ** 2),
        2,
        "%",
        {
            "That is what is saved. What is still needed?": lambda c: 100 * correlation(c) ** 2,
            "Is that 1 − r? What does adjustment do to the variance?": lambda c: (
                100 * (1 - correlation(c))
            ),
            "Is that for 12 months, where printed figures fix it?": lambda c: (
                100 * (1 - correlation(c, 12) ** 2)
            ),
            "Is that a share of 1 or a percentage?": lambda c: 1 - correlation(c) ** 2,
        },
        individual=True,
        low=0,
        high=100,
    ),
    Exercise(
        "12.3a",
        "added",
        lambda _: exaggeration(2.5, WELCH),
        1,
        "",
        {
            "Is the SD pooled in your standard error?": lambda _: exaggeration(2.5, POOLED),
            "Is that the factor for a true difference of 1.0?": lambda _: exaggeration(1.0, WELCH),
            "Is that the power?": lambda _: power_at(2.5, WELCH),
            "Is that the mean significant estimate, or its ratio to the truth?": lambda _: (
                2.5 * exaggeration(2.5, WELCH)
            ),
        },
        low=0,
        high=100,
    ),
    Exercise(
        "12.3b",
        "choice",
        lambda c: exaggeration(2.5, own_error(c)),
        2,
        "",
        {
            "Is that with the SD for the standard error?": lambda c: exaggeration(
                2.5, float(change(c, 24).std())
            ),
            "Is that for 12 months?": lambda c: exaggeration(2.5, own_error(c, 12)),
            "Is that for a true change of 1.0?": lambda c: exaggeration(1.0, own_error(c)),
            "Is that the power?": lambda c: power_at(2.5, own_error(c)),
        },
        individual=True,
        low=0,
        high=100,
    ),
)
