"""Exercises of the chapter on many tests, small numbers and separation."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

from rederive_teach.lesson import Cohort, Exercise, table_of

NUMBERS = ["age_onset", "disease_duration", "cycles", "treatment_length"]
FLAGS = ["female", "antitopoisomerase", "anti_rna_polymerase_iii"]
FIVE = (0.004, 0.011, 0.020, 0.030, 0.200)


def predictors(patients: pd.DataFrame) -> pd.DataFrame:
    """Return the 22 predictors that the article names, a row for each patient."""
    drugs = patients.filter(like="concomitant_")
    reasons = pd.get_dummies(patients["stop_reason"], prefix="stop")
    white = patients["race"].eq("white").rename("white")
    return pd.concat([patients[NUMBERS + FLAGS], drugs, reasons, white], axis=1).astype(float)


def status(values: pd.Series[float], response: pd.Series[bool]) -> str:
    """Tell whether a predictor has an odds ratio (``fit``), is separated or constant."""
    known, responded = values.notna().to_numpy(), response.to_numpy()
    yes, no = values.to_numpy()[known & responded], values.to_numpy()[known & ~responded]
    if np.unique(np.concatenate([yes, no])).size < 2:
        return "constant"
    apart = not (yes.size and no.size) or yes.min() >= no.max() or no.min() >= yes.max()
    return "separated" if apart else "fit"


@lru_cache(maxsize=512)
def outcome(cohort: Cohort, month: str = "m12") -> tuple[pd.DataFrame, pd.Series[bool]]:
    """Return predictors and response of those with a score in a month."""
    scores = table_of(cohort)
    change = (scores[month] - scores["m0"]).dropna()
    people = predictors(cohort.patients.set_index("patient")).loc[change.index]
    return people, (change <= -5).rename("response")


@lru_cache(maxsize=512)
def states(cohort: Cohort, month: str) -> list[str]:
    """Return the state of each predictor."""
    people, response = outcome(cohort, month)
    return [status(people[name], response) for name in people]


def without_estimate(cohort: Cohort, words: tuple[str, ...], month: str = "m12") -> int:
    """Return how many predictors have one of these states."""
    return sum(state in words for state in states(cohort, month))


def age_ratio(cohort: Cohort, years: int = 10, month: str = "m12") -> float:
    """Return the odds ratio of response for so many years of age at onset."""
    people, response = outcome(cohort, month)
    design = sm.add_constant(people["age_onset"])
    fit = sm.Logit(response.astype(float), design).fit(disp=0)
    return float(np.exp(years * fit.params["age_onset"]))


def baseline_ratio(cohort: Cohort, points: int = 10, month: str = "m12") -> float:
    """Return the odds ratio of response for so many points of baseline score."""
    response = outcome(cohort, month)[1]
    design = sm.add_constant(table_of(cohort)["m0"].loc[response.index])
    fit = sm.Logit(response.astype(float), design).fit(disp=0)
    return float(np.exp(points * fit.params["m0"]))


@lru_cache(maxsize=512)
def five_tests(cohort: Cohort, month: str = "m12", equal: bool = True) -> np.ndarray:
    """Return p of five t tests between those who responded and those who did not."""
    people, response = outcome(cohort, month)
    five = people[NUMBERS].join(table_of(cohort)["m0"])
    tests = stats.ttest_ind(five[response], five[~response], equal_var=equal, nan_policy="omit")
    return np.asarray(tests.pvalue)


def as_small_of_five(p: np.ndarray) -> float:
    """Return how probable a p as small as the smallest is among five independent tests."""
    return float(1 - (1 - p.min()) ** 5)


@lru_cache(maxsize=128)
def tables_printing(ratio: float, low: float, high: float) -> list[tuple[int, int, int, int]]:
    """Return tables of 29 patients, 16 responders, 10 exposed, that print an odds ratio."""
    found = []
    for a in range(1, 10):
        cells = np.array([a, 10 - a, 16 - a, 3 + a], float)
        if (cells <= 0).any():
            continue
        centre = np.log(cells[0] * cells[3] / cells[1] / cells[2])
        ends = np.exp(centre + np.array([0, -1.96, 1.96]) * np.sqrt((1 / cells).sum()))
        if (np.round(ends, 2) == [ratio, low, high]).all():
            found.append(tuple(int(each) for each in cells))
    return found


HOLM, BONFERRONI, FDR = (multipletests(FIVE, method=m)[1] for m in ("holm", "bonferroni", "fdr_bh"))


EXERCISES = (
    Exercise(
        "9.1a",
        "printed",
        lambda _: tables_printing(0.20, 0.04, 1.04)[0][0],
        None,
        "patients",
        {
            "Are those the exposed who responded, or who did not?": (
                lambda _: tables_printing(0.20, 0.04, 1.04)[0][1]
            ),
            "Are those the exposed or the unexposed?": (
                lambda _: tables_printing(0.20, 0.04, 1.04)[0][2]
            ),
        },
        low=0,
        high=29,
    ),
    Exercise(
        "9.1b",
        "choice",
        baseline_ratio,
        2,
        "",
        {
            "For how many points is that odds ratio?": lambda cohort: baseline_ratio(cohort, 1),
            "Odds of response, or of no response?": lambda cohort: baseline_ratio(cohort, -10),
            "Is that the response at 6 months?": lambda cohort: baseline_ratio(cohort, 10, "m6"),
            "Is that an odds ratio, or its logarithm?": (
                lambda cohort: float(np.log(baseline_ratio(cohort)))
            ),
        },
        individual=True,
        low=-5,
        high=1000,
    ),
    Exercise(
        "9.2a",
        "added",
        lambda _: int((HOLM < 0.05).sum()),
        None,
        "tests",
        {
            "Is that without adjustment, or with one for the share of false findings?": (
                lambda _: sum(p < 0.05 for p in FIVE)
            ),
            "Does Holm's method divide by five at every step?": (
                lambda _: sum(5 * p < 0.05 for p in FIVE)
            ),
        },
        low=0,
        high=5,
    ),
    Exercise(
        "9.2b",
        "added",
        lambda _: float(HOLM[2]),
        None,
        "p",
        {
            "Does Holm's method multiply by five at every step?": lambda _: float(BONFERRONI[2]),
            "Is that Holm's method, or one for the share of false findings?": (
                lambda _: float(FDR[2])
            ),
            "Is that p adjusted at all?": lambda _: FIVE[2],
        },
        low=0,
        high=1,
    ),
    Exercise(
        "9.2c",
        "choice",
        lambda cohort: as_small_of_five(five_tests(cohort)),
        None,
        "p",
        {
            "That is the smallest p itself. Of how many tests is it the smallest?": (
                lambda cohort: float(five_tests(cohort).min())
            ),
            "That is five times p, an upper bound. How probable is it exactly?": (
                lambda cohort: float(5 * five_tests(cohort).min())
            ),
            "Are those Welch's tests? The task supposes equal variances.": lambda cohort: (
                as_small_of_five(five_tests(cohort, equal=False))
            ),
            "Is that the response at 6 months?": lambda cohort: as_small_of_five(
                five_tests(cohort, "m6")
            ),
        },
        individual=True,
        low=0,
        high=5,
    ),
    Exercise(
        "9.3a",
        "choice",
        lambda cohort: without_estimate(cohort, ("separated", "constant")),
        None,
        "predictors",
        {
            "Has a predictor that is the same in everybody an odds ratio?": (
                lambda cohort: without_estimate(cohort, ("separated",))
            ),
            "Has a predictor with an empty cell an odds ratio?": (
                lambda cohort: without_estimate(cohort, ("constant",))
            ),
            "Are those the predictors with an odds ratio?": (
                lambda cohort: without_estimate(cohort, ("fit",))
            ),
            "Is that the response at 6 months?": (
                lambda cohort: without_estimate(cohort, ("separated", "constant"), "m6")
            ),
        },
        low=0,
        high=22,
    ),
    Exercise(
        "9.3b",
        "choice",
        age_ratio,
        2,
        "",
        {
            "For how many years is that odds ratio?": lambda cohort: age_ratio(cohort, 1),
            "Odds of response, or of no response?": lambda cohort: age_ratio(cohort, -10),
            "Is that the response at 6 months?": lambda cohort: age_ratio(cohort, 10, "m6"),
            "Is that an odds ratio, or its logarithm?": (
                lambda cohort: float(np.log(age_ratio(cohort)))
            ),
        },
        individual=True,
        low=-5,
        high=100,
    ),
)
