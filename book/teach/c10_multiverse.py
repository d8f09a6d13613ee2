"""Exercises of the chapter on the multiverse of defensible analyses."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import pandas as pd

from rederive_teach.lesson import Cohort, Exercise

CHOICES: dict[str, tuple[int | str, ...]] = {
    "baseline": (2, 3, 6),
    "tolerance": (1, 2, 3),
    "which": ("last", "first"),
    "threshold": (4, 5, 6),
    "denominator": ("seen", "all"),
}
ARTICLE = {"baseline": 3, "tolerance": 2, "which": "last", "threshold": 5, "denominator": "seen"}


@lru_cache(maxsize=128)
def skin(cohort: Cohort) -> pd.DataFrame:
    """Return the visits with a skin score, in order of time."""
    visits = cohort.visits.astype({"patient": str})
    return visits[visits["measure"] == "mrss"].sort_values("month")


@lru_cache(maxsize=128)
def before(cohort: Cohort, baseline: int, which: str) -> pd.Series[float]:
    """Return each patient's first or last score of the months before treatment."""
    own = skin(cohort)
    return own[own["month"].between(-baseline, 0)].groupby("patient")["value"].agg(which)


@lru_cache(maxsize=128)
def after(cohort: Cohort, tolerance: int) -> pd.Series[float]:
    """Return each patient's score nearest to 12 months."""
    near = skin(cohort).assign(gap=lambda rows: (rows["month"] - 12).abs())
    near = near[near["gap"] <= tolerance].sort_values(["gap", "month"])
    return near.groupby("patient")["value"].first()


def changes(cohort: Cohort, baseline: int, tolerance: int, which: str) -> pd.Series[float]:
    """Return each patient's change at 12 months under one choice of windows."""
    return (after(cohort, tolerance) - before(cohort, baseline, which)).dropna()


@lru_cache(maxsize=128)
def grid(cohort: Cohort) -> pd.DataFrame:
    """Return the share of responders and the mean change of every analysis of `CHOICES`."""
    rows = []
    for windows in product(*list(CHOICES.values())[:3]):
        change = changes(cohort, *windows).to_numpy()  # type: ignore[arg-type]
        for threshold, whose in product(CHOICES["threshold"], CHOICES["denominator"]):
            number = len(change if whose == "seen" else cohort.patients)
            share = 100 * float((change <= -int(threshold)).sum()) / number
            rows.append((*windows, threshold, whose, share, float(change.mean())))
    return pd.DataFrame(rows, columns=[*CHOICES, "share", "mean"])


def moved(cohort: Cohort, choice: str) -> float:
    """Return by how much a choice moves the share, averaged over all other choices."""
    return spread(grid(cohort).groupby(choice)["share"].mean())


def moved_alone(cohort: Cohort, choice: str) -> float:
    """Return by how much a choice moves the share, all others being the article's."""
    own = grid(cohort)
    for name in set(CHOICES) - {choice}:
        own = own[own[name] == ARTICLE[name]]
    return spread(own["share"])


def spread(values: pd.Series[float]) -> float:
    """Return the greatest value less the least."""
    return float(values.max() - values.min())


def most_moving(cohort: Cohort) -> str:
    """Return the choice that moves the share of responders most."""
    return max(CHOICES, key=lambda choice: moved(cohort, choice))


def over_half(cohort: Cohort, strictly: bool = True) -> float:
    """Return the percentage of analyses in which over half respond."""
    share = grid(cohort)["share"]
    return 100 * float(((share > 50) if strictly else (share >= 50)).mean())


EXERCISES = (
    Exercise(
        "10.1a",
        "choice",
        lambda c: float(grid(c)["share"].min()),
        1,
        "%",
        {
            "That is the largest. Which is the smallest?": lambda c: float(grid(c)["share"].max()),
            "That is among those seen. Which other denominator is in the list?": lambda c: float(
                grid(c).query("denominator == 'seen'")["share"].min()
            ),
            "Is that a share of 1 or a percentage?": lambda c: float(grid(c)["share"].min() / 100),
            "That is the article's own analysis. Do the others all say more?": lambda c: float(
                100 * (changes(c, 3, 2, "last") <= -5).mean()
            ),
        },
        low=0,
        high=100,
    ),
    Exercise(
        "10.1b",
        "choice",
        lambda c: spread(grid(c)["mean"]),
        2,
        "points",
        {
            "Is that the spread of the baseline windows alone? All three choices of windows "
            "move the mean.": lambda c: spread(
                grid(c).query("tolerance == 2 and which == 'last'")["mean"]
            ),
            "Is that the spread of the tolerance alone? All three choices of windows move the "
            "mean.": lambda c: spread(grid(c).query("baseline == 3 and which == 'last'")["mean"]),
            "Is that the largest fall, or the largest less the smallest?": lambda c: float(
                grid(c)["mean"].min()
            ),
            "Is that the smallest fall, or the largest less the smallest?": lambda c: float(
                grid(c)["mean"].max()
            ),
            "Is that an SD, or the distance of the ends?": lambda c: float(grid(c)["mean"].std()),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "10.2a",
        "choice",
        most_moving,
        None,
        "word",
        {
            f"How many points does the {choice} move the share, averaged over all other "
            "choices? Is there one that moves it more?": lambda _, choice=choice: choice
            for choice in CHOICES
        },
    ),
    Exercise(
        "10.2b",
        "choice",
        lambda c: moved(c, "tolerance"),
        2,
        "percentage points",
        {
            "That is with all other choices as in the article. What is it over all of them?": (
                lambda c: moved_alone(c, "tolerance")
            ),
            "That is for the threshold. Which choice is asked for?": (
                lambda c: moved(c, "threshold")
            ),
            "That is for the age of the baseline. Which choice is asked for?": (
                lambda c: moved(c, "baseline")
            ),
            "Is that a share of 1 or percentage points?": lambda c: moved(c, "tolerance") / 100,
        },
        individual=True,
        low=0,
        high=100,
    ),
    Exercise(
        "10.3a",
        "choice",
        lambda c: len(grid(c)),
        None,
        "analyses",
        {
            "Are choices added, or is each combined with each?": lambda _: sum(
                len(options) for options in CHOICES.values()
            ),
            "Which choice has been left out?": lambda c: len(grid(c)) // 2,
            "Which choice of three has been left out?": lambda c: len(grid(c)) // 3,
        },
        low=0,
        high=100_000,
    ),
    Exercise(
        "10.3b",
        "choice",
        lambda c: float(grid(c)["share"].mean()),
        2,
        "%",
        {
            "That is the median. What is the mean?": lambda c: float(grid(c)["share"].median()),
            "Is that among those seen only?": lambda c: float(
                grid(c).query("denominator == 'seen'")["share"].mean()
            ),
            "That is how many analyses say 'over half'. What is their mean share?": over_half,
            "Is that a share of 1 or a percentage?": lambda c: float(grid(c)["share"].mean() / 100),
        },
        individual=True,
        low=0,
        high=100,
    ),
)
