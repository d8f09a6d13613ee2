"""The skin-score block: what the article prints about the skin scores, and its sharp bounds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path

from rederive.printed import PrintedNumber
from rederive.printed.registry import Registry
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import Block, Component, Figure, Prior, Statistic
from rederive.reconstruct.bounds import Bound, Kind, Quantity, key_of, load_bounds, save_bounds

TIMEPOINTS = ("baseline", "m6", "m12", "m18", "m24")
"""Baseline and the follow-up windows, in the registry's names."""

MEASURE = "mrss"
THRESHOLD = Fraction(5)
"""Least decrease of a responder in points, as the article defines it."""

READINGS = ("-8", "-8.0")
"""The readings of the mean change at month 12, printed without decimals beside an SD with one."""

# No prior of the trajectories takes a number from the article's own skin scores, so nothing of a
# figure that is switched off leaks into its prediction. What the other figures do not decide
# follows the prior all the same: so there are several. The Gaussian one says what the trials
# of the historical controls show of diffuse disease: a score of about 26 that falls slowly. The
# bimodal one says that treatment divides patients into improvers and others, the flat one nothing.
_NEIGHBOURS = 0.7
"""Correlation of scores six months apart; the article does not identify it among follow-ups."""

_FALLING = (26.0, 23.5, 22.0, 21.0, 20.0)
_SPREAD = (9.0, 9.0, 9.0, 9.0, 9.0)

GAUSSIAN = Prior("gaussian", (Component(1.0, _FALLING, _SPREAD, _NEIGHBOURS),))

BIMODAL = Prior(
    "bimodal",
    (
        Component(0.5, (26.0, 17.0, 14.0, 12.0, 11.0), (7.0, 7.0, 7.0, 7.0, 7.0), _NEIGHBOURS),
        Component(0.5, (26.0, 26.0, 26.0, 26.0, 26.0), (7.0, 7.0, 7.0, 7.0, 7.0), _NEIGHBOURS),
    ),
)

FLAT = Prior("flat", jump=15)
"""No shape at all, but no leap of more than about twice the SD of a change within six months."""

# To teach with: what regression to the mean and patients lost by their scores look like.
STABLE = Prior("stable", (Component(1.0, (26.0,) * 5, _SPREAD, 1.0, error=4.6),))
"""Nothing changes: a truth that stays, and the error of two observers (Clements et al. 1995, J
Rheumatol 22:1281). Where scores fall all the same, the figures make them fall."""

LOST_BY_LAST = Prior("lost-by-last", GAUSSIAN.components, missing_by_last=0.1)
LOST_BY_OWN = Prior("lost-by-own", GAUSSIAN.components, missing_by_own=0.1)
"""The Gaussian prior with patients missing at random, given their last score, and not at random, by
the score that is missing: ten points more, 2.7 times the odds. In all others it is by chance."""

COMPARED = (GAUSSIAN, FLAT, BIMODAL)
"""The priors under which the book predicts."""

PRIORS = {p.name: p for p in (*COMPARED, STABLE, LOST_BY_LAST, LOST_BY_OWN)}
"""All priors by name."""

THRESHOLDS = range(1, 16)
"""Thresholds of response in points, for the curve of responders by threshold."""

ABOUT = (
    "Least and greatest values over all patient-level data that print the article's skin scores. "
    "The witnesses are synthetic data: no patient has these values."
)

Wanted = tuple[str, Quantity, tuple[str, ...]]
"""A bound: reading of the mean change, quantity, and figures that are no constraint."""

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


def wanted_bounds(registry: Registry) -> dict[str, Wanted]:
    """Return all bounds of the skin block by name, the most important first.

    At month 12, where the mean change is printed without decimals, each is wanted under both
    readings; at other times only under the first, since the other visits bear on them hardly.
    Responders at the article's own threshold are bounded without the printed count (a prediction),
    at other thresholds with it. Names are such as
    ``-8/responders[5] m6/without results-responder-ivig-m6-count``.
    """
    found: dict[str, Wanted] = {}
    for quantity, dropped in _quantities(skin_block(registry)):
        for reading in READINGS if quantity.at == "m12" else READINGS[:1]:
            without = f"/without {dropped}" if dropped else ""
            name = f"{reading}/{quantity.name}{without}"
            found[name] = (reading, quantity, (dropped,) if dropped else ())
    return found


def _quantities(block: Block) -> Iterator[tuple[Quantity, str]]:
    """Yield quantities, each with the figure that is dropped, if there is one."""

    def own(*statistics: Statistic) -> Iterator[tuple[Quantity, str]]:
        for figure in block.figures:
            if figure.statistic in statistics:
                yield own_quantity(figure), figure.id

    yield from own(Statistic.RESPONDERS)
    for at in TIMEPOINTS[1:]:
        yield Quantity(Kind.MISSING_BASELINE_MEAN, at), ""
    for at in TIMEPOINTS[3:]:
        yield Quantity(Kind.CHANGE_MEAN, at), ""
    yield from own(Statistic.PAIRED_P)
    yield from own(*Statistic)
    for threshold in THRESHOLDS:
        if threshold != THRESHOLD:
            for at in ("m6", "m12"):
                yield Quantity(Kind.RESPONDERS, at, Fraction(threshold)), ""


def own_quantity(figure: Figure) -> Quantity:
    """Return the quantity that a figure of the block prints."""
    kind = next(kind for kind in Kind if kind.statistic is figure.statistic)
    return Quantity(kind, figure.at, figure.threshold)


def compute_bounds(registry: Registry, path: Path) -> Iterator[tuple[str, Bound]]:
    """Compute what is missing or stale, writing after every bound; yield each as it comes."""
    from rederive.reconstruct.bounds.solve import bound

    blocks = {reading: skin_block(registry, reading) for reading in READINGS}
    wanted = wanted_bounds(registry)
    had = load_bounds(path) if path.exists() else {}
    done = {
        name: had[name]
        for name, (reading, quantity, dropped) in wanted.items()
        if name in had and had[name].key == key_of(blocks[reading], quantity, dropped)
    }
    for name, (reading, quantity, dropped) in wanted.items():
        if name in done:
            continue
        done[name] = bound(blocks[reading], quantity, dropped=dropped, time_limit=60.0)
        save_bounds({each: done[each] for each in wanted if each in done}, path, about=ABOUT)
        yield name, done[name]
