"""Every figure and statement of the cohorts, switched off and predicted from all the others.

Little else that is printed bears on numbers of patients: beyond what keeps a cohort coherent their
prior alone decides, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.analysis.figures import about
from ivig_dcssc.generator import counts, measures
from ivig_dcssc.generator.drawing import (
    CK_NORMAL,
    ODDS_RATIO,
    Counts,
    Floats,
    Integers,
    alpha_of,
    association_figures,
    association_tables,
    falls,
    predictor_claims,
)
from ivig_dcssc.generator.recipe import switches, versions
from ivig_dcssc.generator.sizes import draw_sizes, size_figures
from ivig_dcssc.generator.skin import COMPARED, MEASURE, PRIORS, READINGS, TIMEPOINTS, skin_block
from ivig_dcssc.generator.visits import severities
from ivig_dcssc.project import HELD_OUT_FILE, PREDICTIONS_FILE
from rederive.printed.evidence import Evidence
from rederive.printed.registry import Registry
from rederive.recompute.signed_rank import signed_rank_p
from rederive.reconstruct.block import Prediction, Statistic, predict
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.study.tables import write_table

DRAWS = 600
HELD_OUT_DRAWS = 200
SEED = 20150201
AMBIGUOUS_AT = "m12"
"""Time point at which a figure can be read in two ways."""

PRIOR_ALONE = "nothing else printed bears on it, so the prior alone decides"
_CK_DRAWS = 100
_STREAM = 7
_HEAT, _THIN = 6.0, 20
_FOLLOWED = measures.FOLLOWUP_SIZES[len(measures.FOLLOWUP_SIZES) // 2]

Report = Callable[[str], None]
Free = tuple[Floats, str]
"""A figure in draws that need not print it, and in words what decides it.

Values have shape (draws,), in the unit printed; of a statement, of the quantity that it is about.
"""


def predict_figure(
    registry: Registry,
    figure: str,
    prior: str,
    draws: int = DRAWS,
    seed: int = SEED,
    reading: str = READINGS[0],
    progress: Progress | None = None,
) -> Prediction:
    """Predict one skin-score figure, by its id or that of a repeat, from all the others.

    A mean is told that it fell: without it, a two-sided p allows as large a rise. ``progress`` is
    called with the data sets drawn and wanted.

    Raises
    ------
    ValueError
        If there is no such figure, prior or reading.
    """
    if prior not in PRIORS:
        raise ValueError(f"prior: found {prior!r}, allowed are {', '.join(PRIORS)}")
    block = skin_block(registry, reading)
    wanted = block.figure(registry.first_mention(figure))
    if wanted.statistic is Statistic.MEAN:
        block = block.with_figures(falls(registry, MEASURE, wanted.at))
    return predict(block, wanted.id, PRIORS[prior], draws, seed, progress=progress)


def compute_predictions(registry: Registry, folder: Path, report: Report) -> None:
    """Predict every skin-score figure under every prior, and write the draws.

    Under another reading than the first only the figures of :data:`AMBIGUOUS_AT` are predicted; the
    reading bears on the others hardly. The second table has the skin scores of the first draws of
    each figure that the plan predicts: one row for each figure, prior, draw and patient, with a
    column for each time point (Int8, empty where nothing was measured).
    """
    frames, scores, convergence = [], [], []
    held_out = held_out_figures(registry)
    for reading in READINGS:
        for figure in skin_block(registry, reading).figures:
            if reading != READINGS[0] and figure.at != AMBIGUOUS_AT:
                continue
            for prior in (compared.name for compared in COMPARED):
                found = predict_figure(registry, figure.id, prior, reading=reading)
                keys = {"reading": reading, "prior": prior}
                values = found.values.astype(np.float32)
                frames.append(pd.DataFrame({**keys, "figure": figure.id, "value": values}))
                convergence.append({**keys, **asdict(found.convergence)})
                if reading == READINGS[0] and figure.id in held_out:
                    scores.append(_scores(found, prior))
                low, high = found.interval
                report(
                    f"{reading} {prior} {figure.id}: printed {figure.printed}, median "
                    f"{found.median:.4g}, 95 % {low:.4g} to {high:.4g}, "
                    f"R-hat {found.convergence.r_hat:.3f}, ESS {found.convergence.ess:.0f}"
                )
    made = {"priors": [prior.describe() for prior in COMPARED], "versions": versions()}
    notes = {
        "what": "skin scores that print every figure but the one held out",
        "reading": READINGS[0],
        "seed": SEED,
        "draws": HELD_OUT_DRAWS,
        **made,
    }
    write_table(folder / HELD_OUT_FILE, pd.concat(scores, ignore_index=True), notes)
    notes = {
        "what": "each figure in data that print all the others; a mean in data in which it falls",
        "seed": SEED,
        "draws": DRAWS,
        "priors": made["priors"],
        "convergence": convergence,
        "versions": made["versions"],
    }
    write_table(folder / PREDICTIONS_FILE, pd.concat(frames, ignore_index=True), notes)


def held_out_figures(registry: Registry) -> tuple[str, ...]:
    """Return the p values and numbers of responders that the plan predicts."""
    return tuple(
        figure.id
        for figure in skin_block(registry).figures
        if registry.plan[figure.id].evidence is Evidence.PREDICTED
        and figure.statistic in (Statistic.PAIRED_P, Statistic.RESPONDERS)
    )


def _scores(found: Prediction, prior: str) -> pd.DataFrame:
    scores = found.ensemble.observed()[:HELD_OUT_DRAWS]
    draws, patients, _ = scores.shape
    keys = {
        "figure": found.figure.id,
        "prior": prior,
        "draw": np.repeat(np.arange(draws, dtype=np.int16), patients),
        "patient": np.tile(np.arange(1, patients + 1, dtype=np.int8), draws),
    }
    frame = pd.DataFrame(scores.reshape(-1, len(TIMEPOINTS)), columns=list(TIMEPOINTS))
    return pd.concat([pd.DataFrame(keys), frame.astype("Int8")], axis="columns")


def predict_measure(
    registry: Registry, figure: str, draws: int, seed: int, progress: Progress | None = None
) -> Prediction:
    """Predict a figure of a measure from the measure's other figures and its prior.

    Where the article states no number of patients at month 12, the middle one of those that the
    cohorts have is taken.
    """
    blocks = (measures.block_of(registry, name, _FOLLOWED) for name in measures.BLOCKS)
    block = next(one for one in blocks if figure in [known.id for known in one.figures])
    prior = measures.PLAUSIBLE[block.name][1]
    return predict(block, figure, prior, draws, seed, thin=_THIN, heat=_HEAT, progress=progress)


def predict_free(registry: Registry, figure: str, draws: int, seed: int, reading: str) -> Free:
    """Predict a number of patients, or a figure of prednisone or of the severity scores."""
    rng = np.random.default_rng([seed, _STREAM])
    if figure in counts.count_figures(registry):
        return _predict_count(registry, figure, draws, rng)
    if figure in size_figures(registry):
        return _predict_size(registry, figure, draws, rng, reading)
    if figure in association_figures(registry):
        return _predict_association(registry, figure, draws, rng)
    return _predict_severity(registry, figure, draws, seed)


def _predict_count(registry: Registry, figure: str, draws: int, rng: np.random.Generator) -> Free:
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
    return found, words


def _with_high_ck(registry: Registry, draws: int, rng: np.random.Generator) -> Integers:
    """Return numbers of patients with serial values: of those with myositis and a high one."""
    cpk = measures.chain_of(measures.block_of(registry, "cpk"), _CK_DRAWS, rng)[:, :, 0]
    high = rng.choice((cpk > CK_NORMAL).sum(axis=1), draws)
    most = np.minimum(high, Counts(registry)["myositis"])
    return np.asarray(rng.integers(0, most + 1), np.int64)


def _predict_size(
    registry: Registry, figure: str, draws: int, rng: np.random.Generator, reading: str
) -> Free:
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
    return found.astype(np.float64), words


def _predict_association(
    registry: Registry, figure: str, draws: int, rng: np.random.Generator
) -> Free:
    row = registry.numbers[figure]
    size = Counts(registry).size
    taking = Counts(registry)["concomitant_prednisone"]
    exposed = range(max(1, taking - (size - (row.n or size))), taking + 1)
    tables = association_tables(registry, {figure}, exposed)
    statistic = ODDS_RATIO[row.statistic]
    each = np.array([table.figures()[statistic] for table in tables])
    values = each[rng.integers(len(each), size=draws)]
    words = (
        f"each of the {len(tables)} tables of prednisone and response that print the other three "
        "figures equally probable"
    )
    return values, words


def _predict_severity(registry: Registry, figure: str, draws: int, seed: int) -> Free:
    organs = {
        **{severities.p_id(name): name for name in severities.BASELINE_SHARES},
        severities.RENAL_UNCHANGED: severities.RENAL,
    }
    organ, found = organs.get(figure, severities.IMPROVED), np.empty(draws)
    renal = organ == severities.RENAL
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        one = severities.draw_severities(registry, rng, without=(figure,))
        change = one.scores[organ].change
        if figure == severities.TIGHT_P:
            change = change[one.tight]
        change = change[np.isfinite(change)]
        found[draw] = np.sum(change != 0) if renal else signed_rank_p(change)
    if renal:
        return found, f"patients whose score changed, from shares of our choice; {PRIOR_ALONE}"
    return found, "severity scores: shares of grades and changes of our choice"


def predict_claim(registry: Registry, figure: str, associations: pd.DataFrame, prior: str) -> Free:
    """Predict a claim about predictors from the shipped cohorts that none of these claims shaped.

    Its values are numbers of significant regressions of each cohort, see
    :func:`ivig_dcssc.shipped.compute_associations`.
    """
    variable, month = predictor_claims(registry)[figure]
    own = about(associations[associations["prior"] == prior], variable, f"m{month}")
    significant = own["p"] < alpha_of(registry)
    values = significant.groupby(own["cohort"]).sum().to_numpy().astype(np.float64)
    words = (
        f"significant regressions in cohorts of the {prior} prior without any claim about "
        "predictors, as shipped"
    )
    return values, words
