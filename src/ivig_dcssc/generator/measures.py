"""The article's other measures: blocks that print their figures, and draws from them.

Ages, disease durations, treatment, laboratory values, questionnaires and lung function, each as a
block of its own; only cycles and length of treatment share one, as months of treatment limit the
number of monthly cycles. Ties are rounded half up in all of them, one of the two ways that
the checker allows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import numpy as np

from ivig_dcssc.generator.drawing import GROUP, Counts, Floats, Integers
from ivig_dcssc.generator.measure_priors import PLAUSIBLE
from ivig_dcssc.generator.predictors import check_switches
from rederive.printed import PrintedNumber, RoundingRule
from rederive.printed.registry import NumberRow, Registry
from rederive.reconstruct.block import Block, Figure, NothingFoundError, Statistic, sample_data

BASELINE, FOLLOWUP = "baseline", "m12"

ONCE = ("age", "disease_duration", "cpk", "rvsp")
"""Measures with figures of the baseline only."""

PAIRED = ("haq_di", "patient_rating", "fvc", "dlco")
"""Measures compared between baseline and month 12."""

TREATMENT = ("cycles", "treatment_length")
"""The two columns of the treatment block, in its order."""

MEASURES = (*ONCE, *TREATMENT, *PAIRED)
"""All measures that are drawn."""

QUESTIONNAIRE = ("haq_di", "patient_rating")
"""Measures of one questionnaire: the same patients filled in both."""

LUNG_FUNCTION = ("fvc", "dlco")
"""Measures of one examination: who lacks the first lacks the second."""

FOLLOWUP_SIZES = tuple(range(24, 29))
"""Numbers of questionnaires at month 12 that are tried; the article does not state it."""

CK_NORMAL = 200
"""Upper limit of normal creatine phosphokinase in U/L; our choice, the article prints none."""

ROUNDING = RoundingRule.HALF_UP

FEWER_MONTHS = "coherence-cycles-months"
"""Id of our own rule that monthly cycles outnumber the months of treatment by at most one."""

_EVERY = 200
_HEATS = {"cpk": 20.0, "haq_di": 8.0, "fvc": 8.0, "dlco": 8.0}
"""Weights of the penalty where limits are narrow; tried for the least correlation in a second."""
_THIN = {"cpk": 10, "haq_di": 5}
"""Records of the chain for each draw that is kept."""
_USUAL_THIN, _USUAL_HEAT = 8, 3.0

_PATIENCE = 200
"""Chains of CPK before it is taken that enough high values do not go with its figures."""

_STATISTICS = {
    "mean": Statistic.MEAN,
    "sd": Statistic.SD,
    "min": Statistic.MINIMUM,
    "max": Statistic.MAXIMUM,
    "p": Statistic.PAIRED_P,
}
_OF_FOLLOWED = {"mean": Statistic.BASELINE_MEAN, "sd": Statistic.BASELINE_SD}


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
    if sizes:
        return max(sizes)
    if measure == QUESTIONNAIRE[1]:
        return _size(registry, QUESTIONNAIRE[0])
    raise ValueError(f"numbers.csv: no n of {measure} at baseline")


def followup_size(registry: Registry, measure: str) -> int | None:
    """Return the patients measured again at month 12; none where the article does not say."""
    for row in _rows(registry, measure):
        if (row.timepoint, row.statistic) == (FOLLOWUP, "mean"):
            return row.n
    raise ValueError(f"numbers.csv: no mean of {measure} at {FOLLOWUP}")


def switchable(registry: Registry) -> tuple[str, ...]:
    """Return the ids of the figures that :func:`sample_measures` can leave out."""
    blocks = [block_of(registry, name, FOLLOWUP_SIZES[0]) for name in (*ONCE, "treatment", *PAIRED)]
    ids = [figure.id for block in blocks for figure in block.figures]
    return tuple(name for name in ids if name != FEWER_MONTHS)


def block_of(registry: Registry, name: str, followed: int | None = None) -> Block:
    """Return the block of a measure with every published figure as a constraint.

    Parameters
    ----------
    registry : Registry
        The article's registry. Figures carry the id of the first mention of their quantity.
    name : str
        A measure, or ``treatment`` for cycles and length of treatment.
    followed : int, optional
        Patients measured at month 12, where the article does not state their number.

    Raises
    ------
    ValueError
        If the name is unknown, or the number of patients at month 12 is needed and missing.
    """
    if name == "treatment":
        return _treatment_block(registry)
    if name in ONCE:
        timepoints: tuple[str, ...] = (BASELINE,)
        observed: tuple[int, ...] = (_size(registry, name),)
    elif name in PAIRED:
        again = followup_size(registry, name) or followed
        if again is None:
            raise ValueError(f"{name}: the article states no n at month 12; give followed")
        timepoints, observed = (BASELINE, FOLLOWUP), (_size(registry, name), again)
    else:
        allowed = ", ".join((*ONCE, "treatment", *PAIRED))
        raise ValueError(f"block: found {name!r}, allowed are {allowed}")
    figures = [
        Figure(row.id, _statistic(row, observed), _at(row, observed), row.printed)
        for row in _rows(registry, name)
        if row.statistic in _STATISTICS
    ]
    if name in PAIRED:
        figures += _falls(registry, name)
    scale = PLAUSIBLE[name].scale(registry.variables[name])
    return Block(name, scale, Counts(registry).size, timepoints, observed, tuple(figures), ROUNDING)


def _falls(registry: Registry, measure: str) -> list[Figure]:
    """Return the article's statements that a measure fell, for the patients with both values.

    A two-sided p alone would allow as large a rise of them.
    """
    return [
        Figure(claim.id, Statistic.CHANGE_MEAN, FOLLOWUP, PrintedNumber("0", "<"))
        for claim in registry.claims.values()
        if (claim.group, claim.variable, claim.timepoint) == (GROUP, measure, FOLLOWUP)
        and claim.kind in ("direction", "significant")
        and not claim.same_as
        and "lower" in claim.note
    ]


def _of_followed(row: NumberRow, observed: tuple[int, ...]) -> bool:
    """Return whether a baseline figure is that of the patients with both measurements."""
    return row.timepoint == BASELINE and row.n is not None and row.n != observed[0]


def _statistic(row: NumberRow, observed: tuple[int, ...]) -> Statistic:
    table = _OF_FOLLOWED if _of_followed(row, observed) else _STATISTICS
    return table[row.statistic]


def _at(row: NumberRow, observed: tuple[int, ...]) -> str:
    return FOLLOWUP if _of_followed(row, observed) else row.timepoint


def _treatment_block(registry: Registry) -> Block:
    size = Counts(registry).size
    figures = [
        Figure(row.id, _STATISTICS[row.statistic], name, row.printed)
        for name in TREATMENT
        for row in _rows(registry, name)
        if row.statistic in _STATISTICS
    ]
    # Nobody's months fall short of the cycles by two or more.
    rule = Figure(FEWER_MONTHS, Statistic.RESPONDERS, TREATMENT[1], PrintedNumber("0"), Fraction(2))
    scale = PLAUSIBLE["treatment"].scale(registry.variables[TREATMENT[0]])
    return Block("treatment", scale, size, TREATMENT, (size, size), (*figures, rule), ROUNDING)


@dataclass(frozen=True, slots=True)
class MeasureDraws:
    """Many data sets of all measures, each independent of the others.

    Attributes
    ----------
    values : mapping of str to array of float, shape (draws, patients, times)
        By measure, in its unit; NaN where nothing was measured. Times are baseline and month 12,
        or one only.
    seed : int
    """

    values: Mapping[str, Floats]
    seed: int

    def __len__(self) -> int:
        return len(self.values[MEASURES[0]])

    def __getitem__(self, draw: int) -> dict[str, Floats]:
        """Return one data set: arrays of shape (patients, times) by measure."""
        return {name: values[draw] for name, values in self.values.items()}


def sample_measures(
    registry: Registry,
    draws: int,
    seed: int = 0,
    *,
    without: Collection[str] = (),
    sizes: Mapping[str, Integers] | None = None,
    high: bool = True,
) -> MeasureDraws:
    """Draw data sets of every measure that print all its figures.

    Each measure comes from one chain (one for each number of patients at month 12 where that is
    not stated); the patients, exchangeable within a measure, are put in random order. Only who
    filled in a questionnaire, or had lung function tested, is the same for both its measures. Draws
    of creatine phosphokinase have at least as many values above normal as the article has patients
    with serial values that normalised. Nobody's cycles are too few for the months of treatment to
    be free of a pause that ends a round.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    draws : int
        Data sets wanted, 1 or more.
    seed : int
        Seed of everything.
    without : collection of str
        Ids of :func:`switchable` figures that need not hold.
    sizes : mapping of str to array of int, shape (draws, times), optional
        Patients measured in each draw, where they are not as printed; of a questionnaire at
        baseline only.
    high : bool
        False leaves open how many values of creatine phosphokinase are above normal.

    Raises
    ------
    ValueError
        If no draw is wanted, or an id cannot be switched off.
    NothingFoundError
        If a measure has no data set that is found in time.
    """
    if draws < 1:
        raise ValueError(f"draws: found {draws}, allowed are numbers from 1")
    check_switches(without, switchable(registry))
    rng = np.random.default_rng(seed)
    given = sizes or {}
    values: dict[str, Floats] = {}
    for name in ("age", "disease_duration", "rvsp"):
        block = _free(block_of(registry, name), without)
        values[name] = _shuffled(_by_size(block, given.get(name), draws, rng), rng)
    least = Counts(registry)["cpk_serial"] if high else 0
    block = _free(block_of(registry, "cpk"), without)
    cpk = _by_size(block, given.get("cpk"), draws, rng, partial(_draw_cpk, least=least))
    values["cpk"] = _shuffled(cpk, rng)
    treatment = _shuffled(_draw_treatment(registry, draws, rng, without), rng)
    for position, name in enumerate(TREATMENT):
        values[name] = treatment[:, :, position : position + 1]
    again = rng.choice(FOLLOWUP_SIZES, draws)
    for group in (QUESTIONNAIRE, LUNG_FUNCTION):
        drawn = [
            _draw_paired(registry, name, again, rng, without, given.get(name)) for name in group
        ]
        for name, column in zip(group, _aligned(drawn, rng), strict=True):
            values[name] = column
    return MeasureDraws({name: values[name] for name in MEASURES}, seed)


def chain_of(block: Block, draws: int, rng: np.random.Generator) -> Floats:
    """Return draws of one block in random order, shape (draws, patients, times)."""
    ensemble = sample_data(
        block,
        PLAUSIBLE[block.name].prior,
        draws,
        int(rng.integers(2**31)),
        chains=1,
        every=_EVERY,
        thin=_THIN.get(block.name, _USUAL_THIN),
        warmup=100_000,
        heat=_HEATS.get(block.name, _USUAL_HEAT),
    )
    return ensemble.observed()[rng.permutation(draws)]


def _by_size(
    block: Block,
    sizes: Integers | None,
    draws: int,
    rng: np.random.Generator,
    draw: Callable[[Block, int, np.random.Generator], Floats] = chain_of,
) -> Floats:
    """Return draws of a block; those with the same numbers of patients come from one chain."""
    if sizes is None:
        return draw(block, draws, rng)
    found = np.empty((draws, block.patients, len(block.timepoints)))
    for row in np.unique(sizes, axis=0):
        where = (sizes == row).all(axis=1)
        sized = replace(block, observed=tuple(row.tolist()))
        found[where] = draw(sized, int(where.sum()), rng)
    return found


def _free(block: Block, without: Collection[str]) -> Block:
    return block.without([figure.id for figure in block.figures if figure.id in without])


def _draw_treatment(
    registry: Registry, draws: int, rng: np.random.Generator, without: Collection[str]
) -> Floats:
    """Return cycles and months of treatment without a pause that would end a round."""
    block = _free(block_of(registry, "treatment"), without)
    gap = int(Counts(registry).number("treatment_gap", "threshold"))
    kept: list[Floats] = []
    while sum(map(len, kept)) < draws:
        more = chain_of(block, draws + 10, rng)
        cycles, months = more[:, :, 0], more[:, :, 1]
        kept.append(more[(months <= (gap - 1) * cycles).all(axis=1)])
    return np.concatenate(kept)[:draws]


def _draw_cpk(block: Block, draws: int, rng: np.random.Generator, least: int) -> Floats:
    """Return draws with enough values above normal."""
    kept: list[Floats] = []
    for _ in range(_PATIENCE):
        if sum(map(len, kept)) >= draws:
            return np.concatenate(kept)[:draws]
        more = chain_of(block, draws + 10, rng)
        high = np.sum(more[:, :, 0] > CK_NORMAL, axis=1)
        kept.append(more[high >= least])
    raise NothingFoundError(
        f"cpk: too few data with {least} values above {CK_NORMAL} U/L were found in "
        f"{_PATIENCE} chains; that does not prove that there are none"
    )


def _draw_paired(
    registry: Registry,
    measure: str,
    sizes: Integers,
    rng: np.random.Generator,
    without: Collection[str],
    given: Integers | None,
) -> Floats:
    """Return draws of a measure; ``sizes`` counts where the article states no n at month 12.

    Where that is more than the patients given at baseline, all of these are measured again.
    """
    stated = followup_size(registry, measure)
    if stated is not None:
        return _by_size(_free(block_of(registry, measure), without), given, len(sizes), rng)
    if given is not None:
        both = np.column_stack([given[:, 0], np.minimum(given[:, 0], sizes)])
        block = _free(block_of(registry, measure, FOLLOWUP_SIZES[0]), without)
        return _by_size(block, both, len(sizes), rng)
    drawn = np.empty((len(sizes), Counts(registry).size, 2))
    for size in np.unique(sizes):
        where = sizes == size
        drawn[where] = chain_of(
            _free(block_of(registry, measure, int(size)), without), int(where.sum()), rng
        )
    return drawn


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
