"""The skin-score block: what the article prints about the skin scores of its 30 patients."""

from __future__ import annotations

from fractions import Fraction

from rederive.printed import PrintedNumber
from rederive.printed.registry import NumberRow, Registry
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import Block, Figure, Statistic

TIMEPOINTS = ("baseline", "m6", "m12", "m18", "m24")
"""Baseline and the follow-up windows, in the registry's names."""

MEASURE = "mrss"
THRESHOLD = Fraction(5)
"""Least decrease of a responder in points, as the article defines it."""

READINGS = ("-8", "-8.0")
"""The readings of the mean change at month 12, printed without decimals beside an SD with one."""

_STATISTICS = {
    (MEASURE, "mean"): Statistic.MEAN,
    (MEASURE, "sd"): Statistic.SD,
    (MEASURE, "p"): Statistic.PAIRED_P,
    ("mrss_change", "mean"): Statistic.CHANGE_MEAN,
    ("mrss_change", "sd"): Statistic.CHANGE_SD,
    ("responder", "count"): Statistic.RESPONDERS,
}


def skin_block(registry: Registry, reading: str = READINGS[0]) -> Block:
    """Return the skin-score block with every published figure as a constraint.

    Figures carry the id of the first mention of their quantity; repeats add no constraint.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    reading : str
        One of :data:`READINGS`.

    Raises
    ------
    ValueError
        If the reading is unknown.
    """
    if reading not in READINGS:
        raise ValueError(f"reading: found {reading!r}, allowed are {', '.join(READINGS)}")
    rows = [row for row in registry.numbers.values() if row.group == "IVIG" and not row.same_as]
    sizes = {
        row.timepoint: row.n for row in rows if (row.variable, row.statistic) == (MEASURE, "mean")
    }
    observed = tuple(sizes[at] or 0 for at in TIMEPOINTS)
    figures = tuple(_figure(row, reading) for row in rows if _is_constraint(row))
    scale = registry.variables[MEASURE]
    return Block(
        MEASURE,
        Scale(
            scale.minimum or Fraction(0), scale.maximum or Fraction(0), scale.step or Fraction(1)
        ),
        observed[0],
        TIMEPOINTS,
        observed,
        figures,
    )


def _is_constraint(row: NumberRow) -> bool:
    return (row.variable, row.statistic) in _STATISTICS and row.timepoint in TIMEPOINTS


def _figure(row: NumberRow, reading: str) -> Figure:
    statistic = _STATISTICS[row.variable, row.statistic]
    threshold = THRESHOLD if statistic is Statistic.RESPONDERS else None
    return Figure(row.id, statistic, row.timepoint, _read(row.printed, reading), threshold)


def _read(printed: PrintedNumber, reading: str) -> PrintedNumber:
    wanted = PrintedNumber(reading)
    return wanted if printed.text == READINGS[0] and printed.value == wanted.value else printed
