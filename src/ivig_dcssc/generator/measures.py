"""The article's other measures: blocks that print their figures, and draws from them.

Ages, disease durations, treatment, laboratory values, questionnaires and lung function, each as a
block of its own; only cycles and length of treatment share one, as months of treatment limit the
number of monthly cycles. Ties are rounded half up in all of them, one of the two ways that
the checker allows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from ivig_dcssc.generator.drawing import CK_NORMAL, GROUP, Counts, Flags, Floats, Integers, falls
from rederive.printed import PrintedNumber, RoundingRule
from rederive.printed.registry import NumberRow, Registry, VariableRow
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import (
    Block,
    Component,
    Figure,
    NothingFoundError,
    Prior,
    Statistic,
    sample_data,
)


def _plausible(
    scale: tuple[str, str, str], name: str, *kinds: tuple[Any, ...]
) -> tuple[Scale, Prior]:
    """Return what is plausible from kinds of patients: share, means, SDs, correlation."""
    return Scale(*map(Fraction, scale)), Prior(name, tuple(Component(*kind) for kind in kinds))


PLAUSIBLE = {
    # Adults.
    "age": _plausible(("18", "85", "1"), "age", (1.0, (48.0,), (12.0,))),
    # Early diffuse disease; a few patients with longer disease.
    "disease_duration": _plausible(
        ("2", "120", "1"), "disease duration", (0.7, (15.0,), (8.0,)), (0.3, (42.0,), (22.0,))
    ),
    # Most patients have a round of about six monthly cycles.
    "treatment": _plausible(
        ("0", "40", "1"),
        "cycles and months of treatment",
        (0.6, (6.0, 6.5), (1.6, 2.4), 0.5),
        (0.3, (10.0, 11.5), (3.0, 4.0), 0.7),
        (0.1, (19.0, 22.0), (4.0, 6.0), 0.8),
    ),
    # Most patients within normal limits, those with myositis far above.
    "cpk": _plausible(
        ("20", "4000", "1"),
        "creatine phosphokinase",
        (0.7, (95.0,), (45.0,)),
        (0.25, (380.0,), (180.0,)),
        (0.05, (1500.0,), (600.0,)),
    ),
    # As echocardiography reports it.
    "rvsp": _plausible(("15", "80", "1"), "RVSP", (0.9, (31.0,), (6.0,)), (0.1, (42.0,), (8.0,))),
    # The mean of eight categories.
    "haq_di": _plausible(("0", "3", "0.125"), "HAQ-DI", (1.0, (1.2, 1.2), (0.7, 0.7), 0.8)),
    # A visual analogue scale read to 0.01.
    "patient_rating": _plausible(
        ("0", "3", "0.01"), "patient's rating", (1.0, (1.5, 1.3), (0.8, 0.8), 0.5)
    ),
    # Percent of the predicted value, within what lung function tests show.
    "fvc": _plausible(("30", "140", "1"), "FVC", (1.0, (84.0, 84.0), (18.0, 18.0), 0.85)),
    "dlco": _plausible(("20", "150", "1"), "DLCO", (1.0, (76.0, 76.0), (20.0, 20.0), 0.7)),
}
"""What is thought likely of a block before the printed figures; all of it ours.

By block, one for each measure, and one for cycles and length of treatment together: the scale, for
what the registry leaves open, and the order of magnitude and spread of such patients, one mean and
SD for each time point.
"""

BASELINE, FOLLOWUP = "baseline", "m12"

ONCE = ("age", "disease_duration", "cpk", "rvsp")
"""Measures with figures of the baseline only."""

PAIRED = ("haq_di", "patient_rating", "fvc", "dlco")
"""Measures compared between baseline and month 12."""

TREATMENT = ("cycles", "treatment_length")
"""The two columns of the treatment block, in its order."""

BLOCKS = (*ONCE, "treatment", *PAIRED)
"""Names of all blocks."""

MEASURES = (*ONCE, *TREATMENT, *PAIRED)
"""All measures that are drawn."""

QUESTIONNAIRE = ("haq_di", "patient_rating")
"""Measures of one questionnaire: the same patients filled in both."""

LUNG_FUNCTION = ("fvc", "dlco")
"""Measures of one examination: who lacks the first lacks the second."""

FOLLOWUP_SIZES = tuple(range(24, 29))
"""Numbers of questionnaires at month 12 that are tried; the article does not state it."""

ROUNDING = RoundingRule.HALF_UP

CK_SERIAL_ID = "results-cpk-serial-ivig-count"
"""Id of the number of patients whose creatine phosphokinase became normal."""

FEWER_MONTHS = "coherence-cycles-months"
"""Id of our own rule that monthly cycles outnumber the months of treatment by at most one."""

_EVERY = 200
_HEATS = {"cpk": 20.0, "haq_di": 8.0, "fvc": 8.0, "dlco": 8.0}
"""Weights of the penalty where limits are narrow; tried for the least correlation in a second."""
_THIN = {"cpk": 10, "haq_di": 5}
"""Records of the chain for each draw that is kept."""

_PATIENCE = 200
"""Chains before it is taken that a condition does not go with the figures of a measure."""

_STATISTICS = {
    "mean": Statistic.MEAN,
    "sd": Statistic.SD,
    "min": Statistic.MINIMUM,
    "max": Statistic.MAXIMUM,
    "p": Statistic.PAIRED_P,
}
_OF_FOLLOWED = {"mean": Statistic.BASELINE_MEAN, "sd": Statistic.BASELINE_SD}


def scale_of(variable: VariableRow, name: str) -> Scale:
    """Return a block's scale: the narrower of the registry's ends and ours, the registry's step."""
    ours = PLAUSIBLE[name][0]
    low = ours.minimum if variable.minimum is None else max(ours.minimum, variable.minimum)
    high = ours.maximum if variable.maximum is None else min(ours.maximum, variable.maximum)
    return Scale(low, high, variable.step or ours.step)


def _rows(registry: Registry, variable: str) -> Iterator[NumberRow]:
    """Yield the first mentions of a variable's figures in the treated group."""
    for row in registry.numbers.values():
        if row.group == GROUP and row.variable == variable and not row.same_as:
            yield row


def _size(registry: Registry, measure: str) -> int:
    """Return the patients measured at baseline; the rating counts as the rest of its form."""
    sizes = [
        row.n
        for row in _rows(registry, measure)
        if row.timepoint in (BASELINE, "") and row.statistic == "mean" and row.n is not None
    ]
    return max(sizes) if sizes else _size(registry, QUESTIONNAIRE[0])


def followup_size(registry: Registry, measure: str) -> int | None:
    """Return the patients measured again at month 12; none where the article does not say."""
    mean = (FOLLOWUP, "mean")
    rows = _rows(registry, measure)
    return next(row.n for row in rows if (row.timepoint, row.statistic) == mean)


def measure_figures(registry: Registry) -> tuple[str, ...]:
    """Return the ids of the figures that :func:`sample_measures` can leave out."""
    blocks = [block_of(registry, name) for name in BLOCKS]
    ids = [figure.id for block in blocks for figure in block.figures]
    return tuple(name for name in ids if name != FEWER_MONTHS)


def block_of(
    registry: Registry, name: str, followed: int = FOLLOWUP_SIZES[0], without: Collection[str] = ()
) -> Block:
    """Return the block of one of :data:`BLOCKS` with the published figures as constraints.

    Figures carry the id of the first mention of their quantity; those of ``without`` are none.
    ``followed`` is the number of patients at month 12, where the article does not state it.
    """
    patients = Counts(registry).size
    timepoints: tuple[str, ...]
    observed: tuple[int, ...]
    if name == "treatment":
        variable, timepoints, observed = TREATMENT[0], TREATMENT, (patients, patients)
        figures = [
            Figure(row.id, _STATISTICS[row.statistic], column, row.printed)
            for column in TREATMENT
            for row in _rows(registry, column)
            if row.statistic in _STATISTICS
        ]
        # Nobody's months fall short of the cycles by two or more.
        rule = FEWER_MONTHS, Statistic.RESPONDERS, TREATMENT[1], PrintedNumber("0"), Fraction(2)
        figures.append(Figure(*rule))
    else:
        size, variable = _size(registry, name), name
        timepoints, observed = (BASELINE,), (size,)
        figures = [
            _figure(row, size) for row in _rows(registry, name) if row.statistic in _STATISTICS
        ]
        if name in PAIRED:
            timepoints = BASELINE, FOLLOWUP
            observed = size, followup_size(registry, name) or followed
            figures += falls(registry, name, FOLLOWUP)
    scale = scale_of(registry.variables[variable], name)
    kept = tuple(figure for figure in figures if figure.id not in without)
    return Block(name, scale, patients, timepoints, observed, kept, ROUNDING)


def _figure(row: NumberRow, size: int) -> Figure:
    """Return a figure; one at baseline with another n is of the patients measured twice."""
    if row.timepoint == BASELINE and row.n is not None and row.n != size:
        return Figure(row.id, _OF_FOLLOWED[row.statistic], FOLLOWUP, row.printed)
    return Figure(row.id, _STATISTICS[row.statistic], row.timepoint, row.printed)


def sample_measures(
    registry: Registry,
    draws: int,
    seed: int = 0,
    *,
    without: Collection[str] = (),
    sizes: Mapping[str, Integers] | None = None,
) -> dict[str, Floats]:
    """Draw data sets of every measure that print all its figures.

    Each measure comes from one chain (one for each number of patients at month 12 where that is
    not stated); the patients, exchangeable within a measure, are put in random order. Only who
    filled in a questionnaire, or had lung function tested, is the same for both its measures. Draws
    of creatine phosphokinase have at least as many values above normal as the article has patients
    with serial values that normalised. Nobody's cycles are too few for the months of treatment to
    be free of a pause that ends a round.

    Parameters
    ----------
    draws : int
        Data sets wanted, 1 or more.
    seed : int
        Seed of everything.
    without : collection of str
        Ids of figures that need not hold.
    sizes : mapping of str to array of int, shape (draws, times), optional
        Patients measured in each draw, where they are not as printed; of a questionnaire at
        baseline only.

    Returns
    -------
    dict of str to array of float, shape (draws, patients, times)
        By measure, in its unit; NaN where nothing was measured. Times are baseline and month 12,
        or one only.

    Raises
    ------
    NothingFoundError
        If a measure has no data set that is found in time.
    """
    rng = np.random.default_rng(seed)
    given = sizes or {}
    values: dict[str, Floats] = {}
    least = 0 if CK_SERIAL_ID in without else Counts(registry)["cpk_serial"]
    gap = int(Counts(registry).number("treatment_gap", "threshold"))

    def high(drawn: Floats) -> Flags:
        return np.asarray(np.sum(drawn[:, :, 0] > CK_NORMAL, axis=1) >= least)

    def without_pause(drawn: Floats) -> Flags:
        return np.asarray((drawn[:, :, 1] <= (gap - 1) * drawn[:, :, 0]).all(axis=1))

    conditions = {
        "cpk": (high, f"{least} values above {CK_NORMAL} U/L"),
        "treatment": (without_pause, "no pause that ends a round"),
    }
    for name in ("age", "disease_duration", "rvsp", "cpk", "treatment"):
        block = block_of(registry, name, without=without)
        drawn = _by_size(block, given.get(name), draws, rng, *conditions.get(name, ()))
        values[name] = _shuffled(drawn, rng)
    for position, name in enumerate(TREATMENT):
        values[name] = values["treatment"][:, :, position : position + 1]
    again = rng.choice(FOLLOWUP_SIZES, draws)
    for group in (QUESTIONNAIRE, LUNG_FUNCTION):
        both = []
        for name in group:
            block, own = block_of(registry, name, without=without), given.get(name)
            if followup_size(registry, name) is None:
                # Where fewer were measured at baseline, all of these are measured again.
                first = np.full(draws, block.observed[0]) if own is None else own[:, 0]
                own = np.column_stack([first, np.minimum(first, again)])
            both.append(_by_size(block, own, draws, rng))
        values.update(zip(group, _aligned(both, rng), strict=True))
    return {name: values[name] for name in MEASURES}


def chain_of(block: Block, draws: int, rng: np.random.Generator) -> Floats:
    """Return draws of one block in random order, shape (draws, patients, times)."""
    ensemble = sample_data(
        block,
        PLAUSIBLE[block.name][1],
        draws,
        int(rng.integers(2**31)),
        chains=1,
        every=_EVERY,
        thin=_THIN.get(block.name, 8),
        warmup=100_000,
        heat=_HEATS.get(block.name, 3.0),
    )
    return ensemble.observed()[rng.permutation(draws)]


def _by_size(
    block: Block,
    sizes: Integers | None,
    draws: int,
    rng: np.random.Generator,
    fits: Callable[[Floats], Flags] | None = None,
    what: str = "",
) -> Floats:
    """Return draws of a block; those with the same numbers of patients come from one chain.

    They may have to meet a condition which is no constraint of the block.
    """
    if sizes is not None:
        found = np.empty((draws, block.patients, len(block.timepoints)))
        for row in np.unique(sizes, axis=0):
            where = (sizes == row).all(axis=1)
            sized = replace(block, observed=tuple(row.tolist()))
            found[where] = _by_size(sized, None, int(where.sum()), rng, fits, what)
        return found
    if fits is None:
        return chain_of(block, draws, rng)
    kept: list[Floats] = []
    for _ in range(_PATIENCE):
        if sum(map(len, kept)) >= draws:
            return np.concatenate(kept)[:draws]
        more = chain_of(block, draws + 10, rng)
        kept.append(more[fits(more)])
    raise NothingFoundError(
        f"{block.name}: too few data with {what} were found in {_PATIENCE} chains; that does not "
        "prove that there are none"
    )


def _shuffled(drawn: Floats, rng: np.random.Generator) -> Floats:
    """Put the patients of each draw in random order."""
    order = rng.permuted(np.tile(np.arange(drawn.shape[1]), (len(drawn), 1)), axis=1)
    return np.take_along_axis(drawn, order[:, :, np.newaxis], axis=1)


def _aligned(drawn: Sequence[Floats], rng: np.random.Generator) -> list[Floats]:
    """Put the patients of several measures in one random order, the most measured ones together.

    Patients with both measurements of a measure come first, then those with the baseline only: so
    where numbers differ, the smaller group is within the larger.
    """
    ranked = []
    for one in drawn:
        shuffled = _shuffled(one, rng)
        lacking = np.isnan(shuffled).sum(axis=2)
        order = np.argsort(lacking, axis=1, kind="stable")
        ranked.append(np.take_along_axis(shuffled, order[:, :, np.newaxis], axis=1))
    together = _shuffled(np.concatenate(ranked, axis=2), rng)
    ends = np.cumsum([one.shape[2] for one in drawn])
    return np.split(together, ends[:-1], axis=2)
