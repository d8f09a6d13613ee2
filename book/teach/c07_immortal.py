"""Exercises of the chapter on immortal time and conditioning on the future."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from rederive_teach.changes import between_cycles
from rederive_teach.lesson import Cohort, Exercise, table_of


@cache
def draws(n: int = 200_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return slopes and errors of SD 1, and a uniform number, of each simulated person."""
    rng = np.random.default_rng(7)
    return rng.normal(size=n), rng.normal(size=n), rng.random(n)


@cache
def mean_change(stops: bool | None, centre: float = 3.0, spread: float = 1.2) -> float:
    """Return the mean change, without any effect, of those who stop, stay, or (None) all."""
    slope, error, chance = draws()
    early = 2 * spread * slope + 2.45 * 2**0.5 * error
    stopped = chance < 1 / (1 + np.exp(-(early - centre) / 2))
    return float(6 * spread * (slope if stops is None else slope[stopped == stops]).mean())


def spread_of(cohort: Cohort, months: int = 6) -> float:
    """Return the SD of the monthly slope of the skin score between months 12 and 18."""
    scores = table_of(cohort)
    return float(((scores["m18"] - scores["m12"]) / months).std())


def long(cohort: Cohort) -> pd.DataFrame:
    """Return the patients who reached the ninth cycle."""
    return cohort.patients[cohort.patients["cycles"] >= 9]


def _guessed(id: str, stops: bool, centre: float) -> Exercise:
    """Ask for the mean change of those who stop or stay, with the spread that is in sight."""
    roads: dict[str, Callable[[Cohort], float]] = {
        f"Is that the mean of those who {'stay' if stops else 'stop'}?": (
            lambda _: mean_change(not stops, centre)
        ),
        "Is that the mean of all?": lambda _: mean_change(None),
    }
    if centre != 3:
        roads["Is that still with 3 as the centre?"] = lambda _: mean_change(stops)
    return Exercise(
        id, "added", lambda _: mean_change(stops, centre), 1, "points", roads, low=-30, high=30
    )


def _own(id: str, stops: bool, centre: float) -> Exercise:
    """Ask for the same with the spread of the cohort's slopes."""
    return Exercise(
        id,
        "choice",
        lambda cohort: mean_change(stops, centre, spread_of(cohort)),
        2,
        "points",
        {
            f"Is that the mean of those who {'stay' if stops else 'stop'}?": (
                lambda cohort: mean_change(not stops, centre, spread_of(cohort))
            ),
            "Is the spread that of your cohort?": lambda _: mean_change(stops, centre),
            "The spread is that of a slope per month. How many months lie between the scores?": (
                lambda cohort: mean_change(stops, centre, spread_of(cohort, 1))
            ),
        },
        individual=True,
        low=-200,
        high=200,
    )


EXERCISES = (
    _guessed("7.1a", True, 3),
    _own("7.1b", True, 3),
    _guessed("7.2a", False, 5),
    _own("7.2b", False, 5),
    Exercise(
        "7.3a",
        "printed",
        lambda _: "bataa",
        None,
        "word",
        {
            "Rule 2: on which day is it known that a third cycle was given?": lambda _: "bbtaa",
            "Rule 2: is the first infusion also the third?": lambda _: "bttaa",
            "Rule 4: is a score of month 12 on record at the first infusion?": lambda _: "batba",
            "Rule 5: who has not stopped, and when is that known?": lambda _: "batab",
        },
    ),
    Exercise(
        "7.3b",
        "choice",
        lambda cohort: between_cycles(long(cohort), 8),
        1,
        "months",
        {
            "Between the first and the ninth cycle, how many intervals are there?": (
                lambda cohort: between_cycles(long(cohort), 9)
            ),
            "Into how many intervals do the cycles divide the treatment?": (
                lambda cohort: between_cycles(long(cohort), 8, fewer=0)
            ),
            "Did everybody reach the ninth cycle?": (
                lambda cohort: between_cycles(cohort.patients, 8)
            ),
            "Is the time after the ninth cycle immortal too?": (
                lambda cohort: float(long(cohort)["treatment_length"].sum())
            ),
        },
        individual=True,
        low=0,
        high=720,
    ),
)
