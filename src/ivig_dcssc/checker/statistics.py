"""Means, SDs and tests of the article, each by the plainest call of a library."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from ivig_dcssc.checker.tables import STOP_REASONS, exact
from rederive.reconstruct.checker import mean_of, sd_of, signed_rank_of

Numbers = Iterable[float | Fraction]


def mean(values: Numbers) -> Decimal | None:
    """Return the mean of numbers taken as written; none of no numbers."""
    return mean_of([exact(value) for value in values])


def sd(values: Numbers) -> Decimal | None:
    """Return the sample SD (n - 1) of numbers taken as written; none of fewer than two."""
    return sd_of([exact(value) for value in values])


def changes(pairs: pd.DataFrame) -> list[Fraction]:
    """Return after minus before, exactly."""
    columns = (pairs["before"], pairs["after"])
    return [exact(after) - exact(before) for before, after in zip(*columns, strict=True)]


def _finite(p: float) -> float | None:
    return float(p) if math.isfinite(p) else None


def paired_t_p(pairs: pd.DataFrame) -> float | None:
    """Return the p value of the paired Student t test.

    None with fewer than two pairs, or where every change is the same.
    """
    if len(set(changes(pairs))) < 2:
        return None
    return _finite(stats.ttest_rel(pairs["after"], pairs["before"]).pvalue)


def signed_rank_p(pairs: pd.DataFrame) -> float | None:
    """Return the p value of the Wilcoxon signed-rank test, as Stata computes it.

    Zero changes take part in the ranking, the approximation is normal and uncorrected. 1 where
    every change is zero; none without pairs.
    """
    return signed_rank_of(pairs["after"] - pairs["before"], "Pratt zeros, normal")


@dataclass(frozen=True, slots=True)
class OddsRatio:
    """An odds ratio with its 95 % Wald interval and p value."""

    estimate: float
    low: float
    high: float
    p: float


def logistic(outcome: pd.Series[float], predictor: pd.Series[float]) -> OddsRatio | None:
    """Return the simple logistic regression of an outcome (0, 1) on one predictor.

    Patients without either are left out. None where no finite estimate exists: the outcome or the
    predictor does not vary, or a limit of the predictor separates the outcomes.
    """
    rows = pd.DataFrame({"y": outcome, "x": predictor}).dropna().astype(float)
    yes, no = rows.loc[rows["y"] == 1, "x"], rows.loc[rows["y"] == 0, "x"]
    if yes.empty or no.empty or rows["x"].nunique() < 2:
        return None
    if yes.max() <= no.min() or no.max() <= yes.min():
        return None
    design = sm.add_constant(rows["x"].to_numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = sm.Logit(rows["y"].to_numpy(), design).fit(disp=0, maxiter=200)
        except np.linalg.LinAlgError:
            return None
    if not fit.mle_retvals["converged"]:
        return None
    odds, low, high = (math.exp(each) for each in (fit.params[1], *fit.conf_int()[1]))
    return OddsRatio(odds, low, high, float(fit.pvalues[1]))


def linear_p(outcome: pd.Series[float], predictor: pd.Series[float]) -> float | None:
    """Return the p value of the slope of a simple linear regression.

    Patients without either are left out. None where outcome or predictor does not vary.
    """
    rows = pd.DataFrame({"y": outcome, "x": predictor}).dropna().astype(float)
    if len(rows) < 3 or rows["x"].nunique() < 2 or rows["y"].nunique() < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sm.OLS(rows["y"].to_numpy(), sm.add_constant(rows["x"].to_numpy())).fit()
    return _finite(fit.pvalues[1])


def predictors(patients: pd.DataFrame) -> pd.DataFrame:
    """Return the variables that the article examined as predictors, one column each."""
    direct = ["age_onset", "female", "disease_duration", "cycles", "treatment_length"]
    direct += [name for name in patients.columns if str(name).startswith("concomitant_")]
    direct += ["antitopoisomerase", "anti_rna_polymerase_iii"]
    table = patients[direct].astype(float)
    table["white"] = (patients["race"] == "white").astype(float)
    for reason in STOP_REASONS:
        table[f"stop_{reason}"] = (patients["stop_reason"] == reason).astype(float)
    return table


def logistic_p(outcome: pd.Series[float], predictor: pd.Series[float]) -> float | None:
    """Return the p value of :func:`logistic`."""
    found = logistic(outcome, predictor)
    return None if found is None else found.p
