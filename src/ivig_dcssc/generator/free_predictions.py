"""Numbers of patients and statements, switched off and predicted.

Little else that is printed bears on most of them: beyond what keeps a cohort coherent their prior
alone decides, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from ivig_dcssc.generator.counts import (
    KNOWN,
    SINGLES,
    count_figures,
    draw_counts,
    printed_counts,
    tables_of_followed,
)
from ivig_dcssc.generator.drawing import Counts, Floats, Integers
from ivig_dcssc.generator.measures import CK_NORMAL, block_of, chain_of
from ivig_dcssc.generator.medication import association_figures
from ivig_dcssc.generator.predictors import predictor_claims
from ivig_dcssc.generator.recipe import CK_SERIAL, switches
from ivig_dcssc.generator.severities import RENAL, RENAL_UNCHANGED, draw_severities
from ivig_dcssc.generator.sizes import draw_sizes, size_figures
from ivig_dcssc.generator.skin import TIMEPOINTS
from rederive.printed.registry import NumberRow, Registry
from rederive.recompute.two_by_two import Table2x2

PRIOR_ALONE = "nothing else printed bears on it, so the prior alone decides"
CK = "cpk"
_CK_DRAWS = 100
_STREAM = 7


@dataclass(frozen=True, slots=True)
class FreePrediction:
    """A figure in draws that need not print it.

    Attributes
    ----------
    values : array, shape (draws,)
        In the unit in which it is printed; for a statement, of the quantity that it is about.
    share : float
        Share of the draws that print it, or in which it holds.
    prior : str
        What decides it, in words.
    """

    values: Floats
    share: float
    prior: str


def predict_free(
    registry: Registry, figure: str, draws: int, seed: int, reading: str
) -> FreePrediction | None:
    """Predict a number of patients, a figure of prednisone, or the kidney's unchanged score.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    figure : str
        Id of a first mention.
    draws, seed : int
        Draws wanted, and the seed.
    reading : str
        How the mean change of the skin score at month 12 is read.

    Returns
    -------
    FreePrediction or None
        None for any other figure.
    """
    rng = np.random.default_rng([seed, _STREAM])
    if figure in count_figures(registry):
        return _predict_count(registry, figure, draws, rng)
    if figure in size_figures(registry):
        return _predict_size(registry, figure, draws, rng, reading)
    if figure in association_figures(registry):
        return _predict_association(registry, figure, draws, rng)
    if figure == RENAL_UNCHANGED:
        return _predict_renal(registry, draws, rng)
    return None


def _predict_count(
    registry: Registry, figure: str, draws: int, rng: np.random.Generator
) -> FreePrediction:
    row, quantity = registry.numbers[figure], count_figures(registry)[figure]
    off = switches(registry, (figure,))
    values = draw_counts(registry, off.counts, draws, rng, without=off.every)[quantity]
    if quantity == CK_SERIAL:
        values = _with_high_ck(registry, draws, rng)
    fixed = bool(values.min() == values.max())
    found = values.astype(np.float64)
    if row.statistic == "percent":
        n = _denominator(registry, quantity)
        found = (n - found if row.variable != quantity else found) * 100 / n
    return FreePrediction(found, _share(row, found), _words(quantity, values, fixed))


def _with_high_ck(registry: Registry, draws: int, rng: np.random.Generator) -> Integers:
    """Return numbers of patients with serial values: of those with myositis and a high one."""
    block = block_of(registry, CK)
    high = (chain_of(block, _CK_DRAWS, rng)[:, :, 0] > CK_NORMAL).sum(axis=1)
    most = np.minimum(rng.choice(high, draws), Counts(registry)["myositis"])
    return np.asarray(rng.integers(0, most + 1), np.int64)


def _denominator(registry: Registry, quantity: str) -> int:
    counts = printed_counts(registry)
    return counts.get(quantity + KNOWN, Counts(registry).size)


def _words(quantity: str, values: Integers, fixed: bool) -> str:
    if fixed:
        return f"none needed: the other figures leave {int(values[0])} only"
    low, high = int(values.min()), int(values.max())
    if quantity == CK_SERIAL:
        return (
            f"every number from {low} to {high} equally probable, as far as so many patients with "
            "myositis have a raised value; no other figure bears on it, so the prior alone decides"
        )
    if quantity == "concomitant_prednisone":
        return (
            f"every number with which the odds ratio of prednisone can be printed, {low} to "
            f"{high}, equally probable; beyond that {PRIOR_ALONE}"
        )
    if quantity in SINGLES:
        return f"every month from {low} to {high} equally probable; {PRIOR_ALONE}"
    return (
        f"every number that is coherent with the other counts, {low} to {high} in these draws, "
        f"equally probable; beyond that {PRIOR_ALONE}"
    )


def _share(row: NumberRow, values: Floats) -> float:
    interval = row.printed.interval()
    # Fractions of a count keep an exact half on its side.
    exact = {value: Fraction(value).limit_denominator(10**6) in interval for value in set(values)}
    return float(np.mean([exact[value] for value in values]))


def _predict_size(
    registry: Registry, figure: str, draws: int, rng: np.random.Generator, reading: str
) -> FreePrediction:
    off = switches(registry, (figure,))
    measure, timepoint = size_figures(registry)[figure]
    sizes = draw_sizes(registry, off.sizes, draws, rng, reading=reading, without=off.every)
    if measure in sizes.measures:
        found = sizes.measures[measure][:, 0 if timepoint == "baseline" else 1]
    else:
        found = sizes.skin[:, TIMEPOINTS.index(timepoint)]
    low, high, kinds = int(found.min()), int(found.max()), len(np.unique(found))
    if kinds == 1:
        words = f"none needed: the other figures are found to hold with {low} patients only"
    else:
        words = (
            f"every number of patients with which the other figures are found to hold, {kinds} "
            f"from {low} to {high}, equally probable; within these the prior alone decides"
        )
    values = found.astype(np.float64)
    return FreePrediction(values, _share(registry.numbers[figure], values), words)


def _predict_association(
    registry: Registry, figure: str, draws: int, rng: np.random.Generator
) -> FreePrediction:
    row = registry.numbers[figure]
    size = Counts(registry).size
    taking = Counts(registry)["concomitant_prednisone"]
    followed = row.n or size
    exposed = range(max(1, taking - (size - followed)), taking + 1)
    tables = tables_of_followed(registry, {figure}, exposed)
    each = np.array([_of_table(table, row.statistic) for table in tables])
    values = each[rng.integers(len(each), size=draws)]
    words = (
        f"each of the {len(tables)} tables of prednisone and response that print the other three "
        "figures equally probable"
    )
    return FreePrediction(values, _share(row, values), words)


def _of_table(table: Table2x2, statistic: str) -> float:
    limits = {"ci_low": -1, "ci_high": 1}
    if statistic in limits:
        return table.confidence_limit(limits[statistic])
    return table.odds_ratio if statistic == "or" else table.wald_p


def _predict_renal(registry: Registry, draws: int, rng: np.random.Generator) -> FreePrediction:
    changed = np.empty(draws)
    for draw in range(draws):
        one = draw_severities(registry, rng, without=(RENAL_UNCHANGED,))
        change = one.followup[RENAL] - one.baseline[RENAL]
        changed[draw] = np.sum(change[np.isfinite(change)] != 0)
    words = f"patients whose score changed, from shares of our choice; {PRIOR_ALONE}"
    return FreePrediction(changed, float(np.mean(changed == 0)), words)


def predict_claim(
    registry: Registry, figure: str, associations: pd.DataFrame, prior: str
) -> FreePrediction:
    """Predict a claim about predictors from cohorts that none of these claims shaped.

    Parameters
    ----------
    figure : str
        Id of one of :func:`~ivig_dcssc.generator.predictors.predictor_claims`.
    associations : DataFrame
        The regressions that the project ships, see :mod:`ivig_dcssc.associations`.
    prior : str
        Name of the prior of the skin scores.

    Returns
    -------
    FreePrediction
        Its values are numbers of significant regressions of each cohort.
    """
    variable, month = predictor_claims(registry)[figure]
    alpha = float(registry.numbers["methods-alpha-alpha"].printed.value)
    own = associations[
        (associations["prior"] == prior) & (associations["timepoint"] == f"m{month}")
    ]
    change = variable == "mrss_change_predictors"
    ours = own["outcome"] == ("change" if change else "response")
    prednisone = own["predictor"] == "concomitant_prednisone"
    if not change:
        ours &= prednisone if variable == "responder_prednisone" else ~prednisone
    significant = (own["p"] < alpha) & ours
    counts = significant.groupby(own["cohort"]).sum().to_numpy(np.float64)
    words = (
        f"significant regressions in cohorts of the {prior} prior without any claim about "
        "predictors, as shipped"
    )
    values = np.asarray(counts, np.float64)
    return FreePrediction(values, float(np.mean(values == 0)), words)
