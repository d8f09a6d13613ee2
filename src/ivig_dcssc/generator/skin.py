"""The skin-score block: what the article prints about the skin scores of its 30 patients."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from rederive.printed import PrintedNumber
from rederive.printed.registry import Registry
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import FLAT, Block, Component, Figure, Prior, Statistic

TIMEPOINTS = ("baseline", "m6", "m12", "m18", "m24")
"""Baseline and the follow-up windows, in the registry's names."""

MEASURE = "mrss"
THRESHOLD = Fraction(5)
"""Least decrease of a responder in points, as the article defines it."""

READINGS = ("-8", "-8.0")
"""The readings of the mean change at month 12, printed without decimals beside an SD with one."""

# No prior of the trajectories takes a number from the article's own skin scores, so nothing of a
# figure that is switched off leaks into its prediction. What the other figures do not decide
# follows the prior all the same: so there are three. The Gaussian one says what the trials
# of the historical controls show of diffuse disease: a score of about 26 that falls slowly. The
# bimodal one says that treatment divides patients into improvers and others, the flat one nothing.
_NEIGHBOURS = 0.7
"""Correlation of scores six months apart; the article does not identify it among follow-ups."""

GAUSSIAN = Prior(
    "gaussian",
    (Component(1.0, (26.0, 23.5, 22.0, 21.0, 20.0), (9.0, 9.0, 9.0, 9.0, 9.0), _NEIGHBOURS),),
)

BIMODAL = Prior(
    "bimodal",
    (
        Component(0.5, (26.0, 17.0, 14.0, 12.0, 11.0), (7.0, 7.0, 7.0, 7.0, 7.0), _NEIGHBOURS),
        Component(0.5, (26.0, 26.0, 26.0, 26.0, 26.0), (7.0, 7.0, 7.0, 7.0, 7.0), _NEIGHBOURS),
    ),
)

PRIORS = {prior.name: prior for prior in (GAUSSIAN, FLAT, BIMODAL)}
"""All priors by name."""

_STATISTICS = {
    (MEASURE, "mean"): Statistic.MEAN,
    (MEASURE, "sd"): Statistic.SD,
    (MEASURE, "p"): Statistic.PAIRED_P,
    ("mrss_change", "mean"): Statistic.CHANGE_MEAN,
    ("mrss_change", "sd"): Statistic.CHANGE_SD,
    ("responder", "count"): Statistic.RESPONDERS,
}


def skin_block(
    registry: Registry, reading: str = READINGS[0], without: Collection[str] = ()
) -> Block:
    """Return the skin-score block with the published figures as constraints.

    Figures carry the id of the first mention of their quantity; repeats add no constraint.

    Parameters
    ----------
    reading : str
        One of :data:`READINGS`.
    without : collection of str
        Ids of figures that are no constraint.
    """
    wanted, figures = PrintedNumber(reading), []
    sizes: dict[str, int] = {}
    for row in registry.numbers.values():
        statistic = _STATISTICS.get((row.variable, row.statistic))
        if row.group != "IVIG" or row.same_as or row.timepoint not in TIMEPOINTS or not statistic:
            continue
        if statistic is Statistic.MEAN:
            sizes[row.timepoint] = row.n or 0
        ambiguous = row.printed.text == READINGS[0] and row.printed.value == wanted.value
        threshold = THRESHOLD if statistic is Statistic.RESPONDERS else None
        printed = wanted if ambiguous else row.printed
        if row.id not in without:
            figures.append(Figure(row.id, statistic, row.timepoint, printed, threshold))
    scale = registry.variables[MEASURE]
    ends = scale.minimum or Fraction(0), scale.maximum or Fraction(0), scale.step or Fraction(1)
    observed = tuple(sizes[at] for at in TIMEPOINTS)
    return Block(MEASURE, Scale(*ends), observed[0], TIMEPOINTS, observed, tuple(figures))
