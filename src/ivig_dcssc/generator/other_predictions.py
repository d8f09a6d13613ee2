"""Figures and statements beside the skin score, switched off and predicted from the rest.

Little else that is printed bears on numbers of patients: beyond what keeps a cohort coherent their
prior alone decides, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from ivig_dcssc.generator import counts, measures
from ivig_dcssc.generator.drawing import (
    CK_NORMAL,
    Counts,
    Floats,
    Integers,
    alpha_of,
    association_figures,
)
from ivig_dcssc.generator.patients.predictors import predictor_claims
from ivig_dcssc.generator.recipe import switches
from ivig_dcssc.generator.sizes import draw_sizes, size_figures
from ivig_dcssc.generator.skin import MEASURE, TIMEPOINTS
from ivig_dcssc.generator.visits import severities
from rederive.printed.registry import NumberRow, Registry
from rederive.recompute.signed_rank import signed_rank_p
from rederive.recompute.two_by_two import Table2x2
from rederive.reconstruct.block import Prediction, predict
from rederive.reconstruct.block.sampling import Progress

PRIOR_ALONE = "nothing else printed bears on it, so the prior alone decides"
_CK_DRAWS = 100
_STREAM = 7
_HEAT, _THIN = 6.0, 20
_FOLLOWED = measures.FOLLOWUP_SIZES[len(measures.FOLLOWUP_SIZES) // 2]


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


def predict_measure(
    registry: Registry, figure: str, draws: int, seed: int, progress: Progress | None = None
) -> Prediction:
    """Predict a figure of a measure from the measure's other figures and its prior.

    Where the article states no number of patients at month 12, the middle one of those that the
    cohorts have is taken.
    """
    blocks = (measures.block_of(registry, name, _FOLLOWED) for name in measures.BLOCKS)
    block = next(one for one in blocks if figure in [known.id for known in one.figures])
    prior = measures.PLAUSIBLE[block.name].prior
    return predict(block, figure, prior, draws, seed, thin=_THIN, heat=_HEAT, progress=progress)


def predict_free(
    registry: Registry, figure: str, draws: int, seed: int, reading: str
) -> FreePrediction:
    """Predict a number of patients, or a figure of prednisone or of the severity scores."""
    rng = np.random.default_rng([seed, _STREAM])
    if figure in counts.count_figures(registry):
        return _predict_count(registry, figure, draws, rng)
    if figure in size_figures(registry):
        return _predict_size(registry, figure, draws, rng, reading)
    if figure in association_figures(registry):
        return _predict_association(registry, figure, draws, rng)
    return _predict_severity(registry, figure, draws, seed)


def _predict_count(
    registry: Registry, figure: str, draws: int, rng: np.random.Generator
) -> FreePrediction:
    row, quantity = registry.numbers[figure], counts.count_figures(registry)[figure]
    off = switches(registry, (figure,))
    values = counts.draw_counts(registry, off.counts, draws, rng, without=off.every)[quantity]
    if quantity == "cpk_serial":
        values = _with_high_ck(registry, draws, rng)
    found = values.astype(np.float64)
    if row.statistic == "percent":
        n = counts.printed_counts(registry).get(quantity + counts.KNOWN, Counts(registry).size)
        found = (n - found if row.variable != quantity else found) * 100 / n
    low, high = int(values.min()), int(values.max())
    if low == high:
        words = f"none needed: the other figures leave {low} only"
    else:
        words = (
            f"every number that is coherent with what else is printed, {low} to {high} in these "
            f"draws, equally probable; beyond that {PRIOR_ALONE}"
        )
    return FreePrediction(found, _share(row, found), words)


def _with_high_ck(registry: Registry, draws: int, rng: np.random.Generator) -> Integers:
    """Return numbers of patients with serial values: of those with myositis and a high one."""
    cpk = measures.chain_of(measures.block_of(registry, "cpk"), _CK_DRAWS, rng)[:, :, 0]
    high = rng.choice((cpk > CK_NORMAL).sum(axis=1), draws)
    most = np.minimum(high, Counts(registry)["myositis"])
    return np.asarray(rng.integers(0, most + 1), np.int64)


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
    times = TIMEPOINTS if measure == MEASURE else (measures.BASELINE, measures.FOLLOWUP)
    found = sizes[measure][:, times.index(timepoint)]
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
    exposed = range(max(1, taking - (size - (row.n or size))), taking + 1)
    tables = counts.tables_of_followed(registry, {figure}, exposed)
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


def _predict_severity(registry: Registry, figure: str, draws: int, seed: int) -> FreePrediction:
    organs = {
        **{severities.p_id(name): name for name in severities.BASELINE_SHARES},
        severities.RENAL_UNCHANGED: severities.RENAL,
    }
    organ, found = organs.get(figure, severities.IMPROVED), np.empty(draws)
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        one = severities.draw_severities(registry, rng, without=(figure,))
        change = one.followup[organ] - one.baseline[organ]
        if figure == severities.TIGHT_P:
            change = change[one.tight]
        change = change[np.isfinite(change)]
        renal = organ == severities.RENAL
        found[draw] = np.sum(change != 0) if renal else signed_rank_p(change)
    if organ == severities.RENAL:
        words = f"patients whose score changed, from shares of our choice; {PRIOR_ALONE}"
        return FreePrediction(found, float(np.mean(found == 0)), words)
    words = "severity scores: shares of grades and changes of our choice"
    return FreePrediction(found, _share(registry.numbers[figure], found), words)


def predict_claim(
    registry: Registry, figure: str, associations: pd.DataFrame, prior: str
) -> FreePrediction:
    """Predict a claim about predictors from the shipped cohorts that none of these claims shaped.

    Its values are numbers of significant regressions of each cohort, see
    :mod:`ivig_dcssc.associations`.
    """
    variable, month = predictor_claims(registry)[figure]
    alpha = alpha_of(registry)
    own = associations[
        (associations["prior"] == prior) & (associations["timepoint"] == f"m{month}")
    ]
    change = variable == "mrss_change_predictors"
    ours = own["outcome"] == ("change" if change else "response")
    prednisone = own["predictor"] == "concomitant_prednisone"
    if not change:
        ours &= prednisone if variable == "responder_prednisone" else ~prednisone
    significant = (own["p"] < alpha) & ours
    values = significant.groupby(own["cohort"]).sum().to_numpy().astype(np.float64)
    words = (
        f"significant regressions in cohorts of the {prior} prior without any claim about "
        "predictors, as shipped"
    )
    return FreePrediction(values, float(np.mean(values == 0)), words)
