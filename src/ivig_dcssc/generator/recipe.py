"""What determines a cohort (prior, seed, interpretation, figures switched off), and its drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from itertools import islice

import numpy as np
import pandas as pd

from ivig_dcssc.generator import coherence
from ivig_dcssc.generator.counts import count_figures, draw_counts, with_counts
from ivig_dcssc.generator.drawing import (
    GROUP,
    Floats,
    Integers,
    NoFittingPatientsError,
    association_figures,
    predictor_claims,
)
from ivig_dcssc.generator.measures import ONCE, PAIRED, measure_figures, sample_measures
from ivig_dcssc.generator.patients.characteristics import draw_characteristics
from ivig_dcssc.generator.sizes import Size, draw_sizes, size_figures
from ivig_dcssc.generator.skin import MEASURE, PRIORS, READINGS, TIMEPOINTS, skin_block
from ivig_dcssc.generator.visits.records import date_visits, seen_before
from ivig_dcssc.generator.visits.rubs import draw_rubs
from ivig_dcssc.generator.visits.severities import SEVERITY_FIGURES, draw_severities, lungs_fit
from ivig_dcssc.generator.visits.timing import Measured
from rederive.printed.evidence import Evidence
from rederive.printed.registry import Registry
from rederive.printed.schema import nearest
from rederive.reconstruct.block import Block, BlockData, sample_data

PACKAGES = ("ivig-dcssc-book", "numba", "numpy", "pandas", "pyarrow", "scipy")
"""Packages on whose versions the bytes of a cohort depend."""

CHAINS = 2
"""Chains of a part; parts have streams of their own, so an ensemble has many."""

MATCHES, MOST_MATCHES = 300, 1500
"""Ways to put measures to patients before an attempt is given up, and before all are."""

ATTEMPTS = 40
"""Draws of everything beside skin scores and measures before a draw of these is given up."""

_SUMMARIES: dict[str, tuple[str, ...]] = {
    "adverse_effects": ("ae_",),
    "mrss_restricted": (MEASURE,),
    "severity_organs": ("severity_",),
    "severity_restricted": ("severity_",),
    "stop_improved_or_stable": ("stop_",),
}
"""Statements about several variables, with how the names of these begin."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a reconstructed cohort depends on, besides the registry and the code.

    Parameters
    ----------
    prior : str
        Name of one of :data:`~ivig_dcssc.generator.skin.PRIORS`, for the skin scores.
    seed : int
        Seed of all randomness, 0 or more.
    reading : str
        How the mean change at month 12 is read.
    without : tuple of str
        Ids of figures, claims and rules of coherence that are switched off, first mentions only.
    """

    prior: str
    seed: int
    reading: str = READINGS[0]
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Switches:
    """The figures and claims that are switched off.

    Attributes
    ----------
    every : frozenset of str
        Ids of all of them, each with what else prints the same quantity.
    rules : frozenset of str
        Rules of coherence that hold.
    sizes : tuple of tuple of str
        Measures and time points of which the number of patients is drawn.
    counts : tuple of str
        Quantities of patients with a characteristic that are drawn.
    """

    every: frozenset[str]
    rules: frozenset[str]
    sizes: tuple[Size, ...]
    counts: tuple[str, ...]


def versions() -> dict[str, str]:
    """Return the installed version of each of :data:`PACKAGES`."""
    return {package: version(package) for package in PACKAGES}


def switchable(registry: Registry) -> dict[str, tuple[str, ...]]:
    """Return the ids that can be switched off, by the part of a cohort that they constrain."""
    return {
        "skin": tuple(figure.id for figure in skin_block(registry).figures),
        "measures": measure_figures(registry),
        "severities": SEVERITY_FIGURES,
        "claims": (*predictor_claims(registry), *association_figures(registry)),
        "sizes": tuple(size_figures(registry)),
        "counts": tuple(count_figures(registry)),
        "statements": predicted_statements(registry),
        "rules": coherence.RULES,
    }


def predicted_statements(registry: Registry) -> tuple[str, ...]:
    """Return the claims of a significant fall at months whose p value is predicted."""
    return tuple(
        row.id
        for row in registry.claims.values()
        if (row.variable, row.kind) == (MEASURE, "significant")
        and row.timepoint
        and not row.same_as
        and registry.plan[row.id].method == "cohort_prediction"
    )


def switches(registry: Registry, without: tuple[str, ...]) -> Switches:
    """Return the figures that are switched off, with those that print the same quantity.

    Raises
    ------
    ValueError
        For an id that is unknown, or that is no constraint on a cohort, with the reason.
    """
    allowed = {name for ids in switchable(registry).values() for name in ids}
    first = [registry.first_mention(name) for name in without]
    for name, mention in zip(without, first, strict=True):
        if mention not in allowed:
            raise ValueError(refusal(registry, name))
    sizes, counts = size_figures(registry), count_figures(registry)
    off_sizes = tuple(dict.fromkeys(sizes[name] for name in first if name in sizes))
    off_counts = tuple(dict.fromkeys(counts[name] for name in first if name in counts))
    every = {*first, *(name for name, size in sizes.items() if size in off_sizes)}
    every |= {name for name, quantity in counts.items() if quantity in off_counts}
    return Switches(frozenset(every), frozenset(coherence.RULES) - every, off_sizes, off_counts)


@lru_cache(maxsize=8)
def need_not_hold(registry: Registry, without: tuple[str, ...]) -> set[str]:
    """Return what need not hold: figures switched off, their repeats, and statements about them.

    Parameters
    ----------
    without : tuple of str
        Ids as for :func:`switches`.
    """
    figures = {name for ids in switchable(registry).values() for name in ids}
    off = switches(registry, without).every - set(coherence.RULES)
    about = {(registry.row(name).variable, registry.row(name).timepoint) for name in off}
    found = set()
    for row in registry:
        first = row.same_as or row.id
        near = any(row.variable == name and row.timepoint in ("", at) for name, at in about)
        parts = _SUMMARIES.get(row.variable, ())
        near |= any(name.startswith(parts) for name, _ in about)
        if first in off or (near and first not in figures):
            found.add(row.id)
    return found


def refusal(registry: Registry, name: str) -> str:
    """Say why an id cannot be switched off, and what could be instead."""
    allowed = [known for ids in switchable(registry).values() for known in ids]
    if name not in registry.plan:
        hint = nearest(name, allowed)
        meant = f"did you mean {hint}?" if hint else "ids are listed by `rederive ledger`"
        return f"figure: found {name!r}, allowed are ids of figures and claims of cohorts; {meant}"
    row, plan = registry.row(name), registry.plan[name]
    near = [*(i for i in plan.inputs if registry.first_mention(i) in allowed)]
    figures = [known for known in allowed if known not in coherence.RULES]
    near += [known for known in figures if registry.row(known).variable == row.variable]
    if row.group != GROUP:
        why = "a figure that is not of the reconstructed patients, so no cohort is held to it"
    elif plan.evidence in (Evidence.NOT_REPRODUCIBLE, Evidence.STATED):
        why = "a statement that nothing else printed can predict, and that constrains no figure"
    else:
        why = "a figure that follows from others, and constrains no cohort by itself"
    hint = ", ".join(dict.fromkeys(near[:3])) or nearest(name, allowed) or ""
    instead = f"; what can be switched off are for example {hint}" if hint else ""
    return f"{name}: found {why}{instead}"


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
    """Draw the cohorts of one part of an ensemble, each part with random numbers of its own.

    Beside the cohorts wanted there are ``spare`` draws of skin scores, in place of those that leave
    no patient for a role; together a multiple of :data:`CHAINS`.

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
    sizes: dict[str, Integers] = {}
    if off.sizes:
        # A stream of its own, so that the others are what they are without it.
        rng = np.random.default_rng(np.random.SeedSequence([*entropy, 0], spawn_key=(part,)))
        sizes = draw_sizes(
            registry, off.sizes, draws, rng, reading=recipe.reading, without=off.every
        )
    block = skin_block(registry, recipe.reading, off.every)
    skin = _draw_skin(block, recipe.prior, draws, skin_seed, sizes.get(MEASURE))
    measures = sample_measures(registry, draws, measure_seed, without=off.every, sizes=sizes)
    rngs = [np.random.default_rng(child) for child in stream.spawn(draws)]
    for draw, rng in enumerate(rngs):
        scores, chain = skin[draw]
        own = {name: values[draw] for name, values in measures.items()}
        tries = iter(range(MOST_MATCHES))
        for _ in range(ATTEMPTS):
            try:
                tables = _one(registry, off, scores, own, tries, rng)
            except NoFittingPatientsError:
                continue
            yield Drawn(*tables, scores, chain)
            break


def _draw_skin(
    block: Block, prior: str, draws: int, seed: int, sizes: Integers | None
) -> list[tuple[BlockData, int]]:
    """Return skin scores with their chain; those with the same numbers of patients share chains."""
    if sizes is None:
        found = sample_data(block, PRIORS[prior], draws, seed, chains=CHAINS, jobs=1)
        return [(found[draw], int(found.chain[draw])) for draw in range(draws)]
    drawn: dict[int, tuple[BlockData, int]] = {}
    for position, row in enumerate(np.unique(sizes, axis=0)):
        where = np.flatnonzero((sizes == row).all(axis=1))
        sized = replace(block, observed=tuple(row.tolist()))
        wanted = -(-len(where) // CHAINS) * CHAINS
        found = sample_data(sized, PRIORS[prior], wanted, seed + position, chains=CHAINS, jobs=1)
        # Draws of a chain stand together, and would leave the last chain out.
        order = np.arange(wanted).reshape(CHAINS, -1).T.ravel()
        for draw, own in zip(where.tolist(), order.tolist(), strict=False):
            drawn[draw] = found[own], int(found.chain[own])
    return [drawn[draw] for draw in range(draws)]


def _one(
    registry: Registry,
    off: Switches,
    skin: BlockData,
    measures: Mapping[str, Floats],
    tries: Iterator[int],
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if off.counts:
        # As if other numbers had been printed in place of those that are switched off.
        values = draw_counts(registry, off.counts, 1, rng, without=off.every)
        registry = with_counts(registry, {name: int(value[0]) for name, value in values.items()})
    order = rng.permutation(len(skin.values))
    observed, latent, mask = skin.observed()[order], skin.values[order], skin.mask[order]
    scores = latent.astype(np.float64)
    lungs = None
    if off.rules & {coherence.CORRELATIONS, coherence.LUNG_SEVERITY}:
        measures, grades = _matched(registry, off, scores, measures, tries, rng)
        lungs = grades if coherence.LUNG_SEVERITY in off.rules else None
    patients = draw_characteristics(
        observed,
        measures,
        rng,
        registry,
        without_rows=off.every,
        courses=scores if coherence.STOPPING in off.rules else None,
    )
    month6, month12 = (mask[:, TIMEPOINTS.index(at)] for at in ("m6", "m12"))
    myositis = patients["myositis"].to_numpy() == 1
    died = patients["stop_reason"].to_numpy() == "death"
    severities = draw_severities(
        registry,
        rng,
        followed=month12,
        myositis=myositis,
        lungs=lungs,
        failing_heart=died if coherence.HEART in off.rules else None,
        without=off.every,
    )
    rubs = draw_rubs(registry, rng, followed=month6, seen_before=seen_before(patients, registry))
    nobody = np.full(len(order), np.nan)
    measured = [
        Measured(name, measures[name][:, 0], nobody if name in ONCE else measures[name][:, 1])
        for name in ("cpk", "rvsp", *PAIRED)
    ]
    visits = date_visits(
        scores,
        mask,
        measured,
        severities,
        rubs,
        patients,
        rng,
        registry,
        graded=coherence.LUNG_SEVERITY in off.rules,
    )
    return patients, visits


def _matched(
    registry: Registry,
    off: Switches,
    skin: Floats,
    measures: Mapping[str, Floats],
    tries: Iterator[int],
    rng: np.random.Generator,
) -> tuple[dict[str, Floats], tuple[Floats, Floats]]:
    """Return measures put to patients so that the lung's p can be printed, and its grades."""
    drawn = coherence.matches(skin, measures, rng, correlated=coherence.CORRELATIONS in off.rules)
    by_chance = coherence.LUNG_SEVERITY not in off.rules
    for _, found in zip(islice(tries, MATCHES), drawn, strict=False):
        before, after = (
            coherence.lung_grade(found["fvc"][:, at], found["dlco"][:, at], found["rvsp"][:, 0])
            for at in (0, 1)
        )
        if by_chance or lungs_fit(registry, after - before, off.every):
            return found, (before, after)
    raise NoFittingPatientsError(f"lungs: none of {MATCHES} matches prints the p of their severity")
