"""Figures that data can print as, nearest to figures that none print as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import merge
from itertools import islice
from math import floor, inf, sqrt

from rederive.consistency import grimmer
from rederive.consistency.lattice import Lattice
from rederive.printed import PrintedNumber, format_fixed, rounded_figures
from rederive.reconstruct.column.summary import ColumnSummary

Figures = tuple[PrintedNumber, PrintedNumber | None]
"""A mean and an SD as they would be printed."""

SEARCH_LIMIT = 5_000
"""Most printed means, counted from the nearest, that a search looks at."""


@dataclass(frozen=True, slots=True)
class NearestFigures:
    """Pairs of figures that some data on the scale print as.

    Attributes
    ----------
    overall : tuple of (PrintedNumber, PrintedNumber or None)
        The nearest pairs; distance is the sum of the steps in the last digit of mean and SD. Ties
        are all listed.
    mean_kept : tuple of (PrintedNumber, PrintedNumber)
        With the mean as printed: the nearest SDs below and above.
    sd_kept : tuple of (PrintedNumber, PrintedNumber)
        With the SD as printed: the nearest means below and above.
    """

    overall: tuple[Figures, ...]
    mean_kept: tuple[Figures, ...] = ()
    sd_kept: tuple[Figures, ...] = ()

    @property
    def words(self) -> str:
        """The pairs in words."""
        parts = [f"nearest: {_listed(self.overall)}"]
        if self.mean_kept:
            parts.append(f"with this mean: {_listed(self.mean_kept)}")
        if self.sd_kept:
            parts.append(f"with this SD: {_listed(self.sd_kept)}")
        return "; ".join(parts)


def nearest_figures(summary: ColumnSummary) -> NearestFigures:
    """Return the figures nearest to a summary's that some data print as.

    Parameters
    ----------
    summary : ColumnSummary
        The figures, possible or not, and the scale. Among the first :data:`SEARCH_LIMIT` means the
        search is exhaustive.

    Returns
    -------
    NearestFigures
        For possible figures, these themselves.
    """
    if summary.sd is None:
        means = list(islice(_means_outward(summary), 2))
        least = abs(means[0].value - summary.mean.value)
        ties = [mean for mean in means if abs(mean.value - summary.mean.value) == least]
        return NearestFigures(tuple((mean, None) for mean in ties))
    return _nearest_pairs(summary, summary.sd)


def explain_impossible(summary: ColumnSummary) -> str:
    """Return the message for a summary that no data print as."""
    return f"no data print as {summary.figures}; {nearest_figures(summary).words}"


def _nearest_pairs(summary: ColumnSummary, sd: PrintedNumber) -> NearestFigures:
    best: float = inf
    found: list[tuple[int, Figures]] = []
    mean_kept: list[Figures] = []
    sides: dict[int, Figures] = {}
    for mean in islice(_means_outward(summary), SEARCH_LIMIT):
        away = mean.value - summary.mean.value
        steps = int(abs(away) / mean.unit)
        wanted = [side for side in (-1, 1) if side * away >= 0 and side not in sides]
        if steps > best and not wanted:
            if len(sides) == 2:
                break
            continue
        least = _least_sd_steps(summary, mean, sd)
        if away and least > 0 and steps + least > best:
            continue
        figures = _nearest_sds(summary, mean, sd)
        pairs = [(steps + int(abs(f.value - sd.value) / sd.unit), (mean, f)) for f in figures]
        best = min([best, *(distance for distance, _ in pairs)])
        found += pairs
        if not away:
            mean_kept = [pair for _, pair in pairs]
        if sd in figures:
            sides |= dict.fromkeys(wanted, (mean, sd))
    overall = tuple(pair for distance, pair in found if distance == best)
    kept = dict.fromkeys(sides[side] for side in sorted(sides))
    return NearestFigures(overall, tuple(mean_kept), tuple(kept))


def _means_outward(summary: ColumnSummary) -> Iterator[PrintedNumber]:
    """Give all means that data on the scale print as, the nearest to the printed one first."""
    n, mean = summary.n, summary.mean
    step = Fraction(summary.step)
    first, last = n * summary.low, n * summary.high
    start = min(max(floor(mean.value * n / step), first), last)

    def figures(totals: range) -> Iterator[tuple[Fraction, Fraction]]:
        for total in totals:
            printed = rounded_figures(step * Fraction(total, n), mean.decimals, summary.rule)
            yield from sorted((abs(figure - mean.value), figure) for figure in printed)

    seen: set[Fraction] = set()
    for _, figure in merge(
        figures(range(start, first - 1, -1)), figures(range(start + 1, last + 1))
    ):
        if figure not in seen:
            seen.add(figure)
            yield PrintedNumber(format_fixed(figure, mean.decimals))


def _least_sd_steps(summary: ColumnSummary, mean: PrintedNumber, sd: PrintedNumber) -> int:
    """Return how many steps, at least, the SD must move for data with this mean."""
    lattice = Lattice.of(1, summary.step, summary.minimum, summary.maximum)
    n = summary.n
    lowest, highest = inf, 0.0
    for total in lattice.sums(mean, n, summary.rule):
        least, greatest = lattice.squares_limits(total, n)
        assert greatest is not None
        lowest = min(lowest, sqrt(lattice.variance(total, least, n)))
        highest = max(highest, sqrt(lattice.variance(total, greatest, n)))
    outside = max(lowest - float(sd.value), float(sd.value) - highest, 0.0)
    # Rounding, or truncation, may carry the SD by up to one step.
    return max(0, floor(outside / float(sd.unit)) - 1)


def _nearest_sds(
    summary: ColumnSummary, mean: PrintedNumber, sd: PrintedNumber
) -> list[PrintedNumber]:
    """Return the SD if data with this mean have it, else the nearest below and above."""
    if replace(summary, mean=mean).moments():
        return [sd]
    checked = grimmer(
        mean,
        sd,
        summary.n,
        step=summary.step,
        minimum=summary.minimum,
        maximum=summary.maximum,
        rule=summary.rule,
    )
    scale, reach = 10**sd.decimals, checked.reaches[0]
    units = {
        max(0, round(end * scale) + shift)
        for end in (reach.low, reach.high)
        for shift in (-1, 0, 1)
    }
    candidates = [
        PrintedNumber(format_fixed(Fraction(unit, scale), sd.decimals)) for unit in sorted(units)
    ]
    printable = [one for one in candidates if replace(summary, mean=mean, sd=one).moments()]
    below = [figure for figure in printable if figure.value < sd.value][-1:]
    above = [figure for figure in printable if figure.value > sd.value][:1]
    return below + above


def _listed(pairs: tuple[Figures, ...]) -> str:
    return ", ".join(
        f"mean {mean}" if sd is None else f"mean {mean} with SD {sd}" for mean, sd in pairs
    )
