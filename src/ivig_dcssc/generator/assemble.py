"""Whole cohorts: skin scores, other measures, characteristics and dated visits, put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ivig_dcssc.generator.characteristics import draw_characteristics
from ivig_dcssc.generator.counts import draw_counts, with_counts
from ivig_dcssc.generator.drawing import NoFittingPatientsError
from ivig_dcssc.generator.measured import Measured
from ivig_dcssc.generator.measures import ONCE, PAIRED, MeasureDraws, sample_measures
from ivig_dcssc.generator.priors import PRIORS
from ivig_dcssc.generator.recipe import Recipe, Switches, switches
from ivig_dcssc.generator.rubs import draw_rubs
from ivig_dcssc.generator.severities import draw_severities
from ivig_dcssc.generator.sizes import Sizes, draw_sizes
from ivig_dcssc.generator.skin import TIMEPOINTS, skin_block
from ivig_dcssc.generator.visits import date_visits, seen_before
from rederive.printed.registry import Registry
from rederive.reconstruct.block import Block, BlockData, sample_data

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
    sizes = None
    if off.sizes:
        # A stream of its own, so that the others are what they are without it.
        own = np.random.default_rng(np.random.SeedSequence([*entropy, 0], spawn_key=(part,)))
        sizes = draw_sizes(
            registry, off.sizes, draws, own, reading=recipe.reading, without=off.every
        )
    block = skin_block(registry, recipe.reading).without(off.skin)
    skin = _draw_skin(block, recipe.prior, draws, skin_seed, sizes)
    measures = sample_measures(
        registry,
        draws,
        measure_seed,
        without=off.measures,
        sizes=sizes.measures if sizes else None,
        high=not off.ck_serial,
    )
    rngs = [np.random.default_rng(child) for child in stream.spawn(draws)]
    for draw, rng in enumerate(rngs):
        scores, chain = skin[draw]
        for _ in range(ATTEMPTS):
            try:
                tables = _one(_own_registry(registry, off, rng), off, scores, measures, draw, rng)
            except NoFittingPatientsError:
                continue
            yield Drawn(*tables, scores, chain)
            break


def _draw_skin(
    block: Block, prior: str, draws: int, seed: int, sizes: Sizes | None
) -> list[tuple[BlockData, int]]:
    """Return skin scores with their chain; those with the same numbers of patients share chains."""
    if sizes is None:
        found = sample_data(block, PRIORS[prior], draws, seed, chains=CHAINS, jobs=1)
        return [(found[draw], int(found.chain[draw])) for draw in range(draws)]
    drawn: dict[int, tuple[BlockData, int]] = {}
    for position, row in enumerate(np.unique(sizes.skin, axis=0)):
        where = np.flatnonzero((sizes.skin == row).all(axis=1))
        sized = replace(block, observed=tuple(row.tolist()))
        wanted = -(-len(where) // CHAINS) * CHAINS
        found = sample_data(sized, PRIORS[prior], wanted, seed + position, chains=CHAINS, jobs=1)
        # Draws of a chain stand together, and would leave the last chain out.
        order = np.arange(wanted).reshape(CHAINS, -1).T.ravel()
        for draw, own in zip(where.tolist(), order.tolist(), strict=False):
            drawn[draw] = found[own], int(found.chain[own])
    return [drawn[draw] for draw in range(draws)]


def _own_registry(registry: Registry, off: Switches, rng: np.random.Generator) -> Registry:
    """Return the registry with numbers drawn in place of those that are switched off."""
    if not off.counts:
        return registry
    values = draw_counts(registry, off.counts, 1, rng, without=off.every)
    return with_counts(registry, {name: int(value[0]) for name, value in values.items()})


def _one(
    registry: Registry,
    off: Switches,
    skin: BlockData,
    draws: MeasureDraws,
    draw: int,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
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
