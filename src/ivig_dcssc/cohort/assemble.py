"""Whole cohorts: skin scores, other measures, characteristics and dated visits, put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ivig_dcssc.cohort.characteristics import draw_characteristics
from ivig_dcssc.cohort.drawing import NoFittingPatientsError
from ivig_dcssc.cohort.measured import Measured
from ivig_dcssc.cohort.measures import ONCE, PAIRED, MeasureDraws, sample_measures
from ivig_dcssc.cohort.priors import PRIORS
from ivig_dcssc.cohort.recipe import Recipe, switches
from ivig_dcssc.cohort.rubs import draw_rubs
from ivig_dcssc.cohort.severities import draw_severities
from ivig_dcssc.cohort.skin import TIMEPOINTS, skin_block
from ivig_dcssc.cohort.visits import date_visits, seen_before
from rederive.printed.registry import Registry
from rederive.reconstruct.block import BlockData, sample_data

CHAINS = 2
"""Chains of a part; parts have streams of their own, so an ensemble has many."""

DATED = ("cpk", "rvsp", *PAIRED)
"""Measures with records among the visits."""

ATTEMPTS = 40
"""Draws of everything beside the skin scores before a draw of the skin scores is given up."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One cohort as drawn, not yet checked.

    Attributes
    ----------
    patients, visits : DataFrame
        As the codebook describes them.
    skin : BlockData
        Its skin scores.
    chain : int
        Which chain of its part its skin scores are from.
    """

    patients: pd.DataFrame
    visits: pd.DataFrame
    skin: BlockData
    chain: int


def draw_cohorts(
    registry: Registry, recipe: Recipe, part: int, cohorts: int, spare: int = 0
) -> Iterator[Drawn]:
    """Draw the cohorts of one part of an ensemble.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    recipe : Recipe
        What the cohorts depend on.
    part : int
        Number of the part; every part has its own stream of random numbers.
    cohorts, spare : int
        Cohorts wanted, and draws of skin scores beside them, in place of those that leave no
        patient for a role; together a multiple of :data:`CHAINS`.

    Yields
    ------
    Drawn
        At most ``cohorts + spare``.

    Raises
    ------
    NothingFoundError
        If no data with the figures are found.
    """
    off = switches(registry, recipe.without)
    # Ensembles of different priors must not share draws of the other measures.
    entropy = [recipe.seed, *recipe.prior.encode()]
    stream = np.random.SeedSequence(entropy, spawn_key=(part,))
    skin_seed, measure_seed = (int(s) for s in stream.generate_state(2))
    draws = cohorts + spare
    block = skin_block(registry, recipe.reading).without(off.skin)
    skin = sample_data(block, PRIORS[recipe.prior], draws, skin_seed, chains=CHAINS, jobs=1)
    measures = sample_measures(registry, draws, measure_seed, without=off.measures)
    rngs = [np.random.default_rng(child) for child in stream.spawn(draws)]
    for draw, rng in enumerate(rngs):
        for _ in range(ATTEMPTS):
            try:
                tables = _one(registry, recipe, skin[draw], measures, draw, rng)
            except NoFittingPatientsError:
                continue
            yield Drawn(*tables, skin[draw], int(skin.chain[draw]))
            break


def _one(
    registry: Registry,
    recipe: Recipe,
    skin: BlockData,
    draws: MeasureDraws,
    draw: int,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    off = switches(registry, recipe.without)
    order = rng.permutation(len(skin.values))
    observed, latent, mask = skin.observed()[order], skin.values[order], skin.mask[order]
    measures = draws[draw]
    patients = draw_characteristics(observed, measures, rng, registry, without_rows=off.claims)
    month6, month12 = (mask[:, TIMEPOINTS.index(at)] for at in ("m6", "m12"))
    severities = draw_severities(
        registry,
        rng,
        followed=month12,
        myositis=patients["myositis"].to_numpy() == 1,
        without=off.severities,
    )
    rubs = draw_rubs(registry, rng, followed=month6, seen_before=seen_before(patients, registry))
    measured = [_measured(name, measures[name]) for name in DATED]
    scores = latent.astype(np.float64)
    visits = date_visits(scores, mask, measured, severities, rubs, patients, rng, registry)
    return patients, visits


def _measured(name: str, values: np.ndarray) -> Measured:
    baseline = values[:, 0]
    followup = np.full_like(baseline, np.nan) if name in ONCE else values[:, 1]
    return Measured(name, baseline, followup, 12)
