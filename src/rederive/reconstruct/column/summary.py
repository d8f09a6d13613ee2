"""What is printed about one column, the moments that data printed so have, and nearest figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import merge
from itertools import islice
from math import floor, inf, sqrt
from typing import Any

from rederive.consistency import attainable_moments, attainable_sums, grimmer
from rederive.consistency.lattice import Exact, Lattice, require_size
from rederive.printed import (
    PrintedNumber,
    RoundingRule,
    format_fixed,
    require_figure,
    rounded_figures,
)

PAIR_LIMIT = 500_000
"""Most pairs of sum and sum of squares that printed figures may leave."""


def require_reach(what: str, found: int, most: int) -> None:
    """Refuse a column that takes more work or memory than it may.

    Raises
    ------
    ValueError
        Naming what it takes, how much of it, and how much is allowed.
    """
    if found > most:
        raise ValueError(
            f"n: found a column that takes {found:.1e} {what}, allowed are {most:.0e}; fewer "
            "values, a coarser step, a shorter scale or figures with more decimals take less"
        )


class ImpossibleSummaryError(ValueError):
    """No data on the scale print the figures; the message names the nearest that some do."""


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """A column of ``n`` values on a bounded scale, known by its printed mean and SD.

    Parameters
    ----------
    mean : PrintedNumber
        The mean as printed.
    sd : PrintedNumber or None
        The sample standard deviation (divisor n - 1) as printed; ``None`` if there is none.
    n : int
        Number of values: at least 1, with an SD at least 2.
    minimum, maximum : int or Fraction
        Ends of the scale, both allowed; multiples of ``step``.
    step : int or Fraction
        Distance between neighbouring values of the scale, such as ``Fraction(1, 8)``.
    rule : RoundingRule
        Rule by which both figures were rounded.

    Raises
    ------
    ValueError
        Naming the parameter, what was found and what is allowed.
    """

    mean: PrintedNumber
    sd: PrintedNumber | None
    n: int
    minimum: Exact
    maximum: Exact
    step: Exact = Fraction(1)
    rule: RoundingRule = RoundingRule.EITHER

    def __post_init__(self) -> None:
        require_figure("mean", self.mean)
        if self.sd is not None:
            require_figure("sd", self.sd, Fraction(0))
        require_size(self.n, 1 if self.sd is None else 2)
        _ = self.lattice  # A scale that is none is refused.

    @property
    def lattice(self) -> Lattice:
        """The scale in steps."""
        return Lattice.of(1, self.step, self.minimum, self.maximum)

    @property
    def low(self) -> int:
        """Least value of the scale, in steps."""
        return int(self.minimum / Fraction(self.step))

    @property
    def high(self) -> int:
        """Greatest value of the scale, in steps."""
        return int(self.maximum / Fraction(self.step))

    @property
    def figures(self) -> str:
        """The figures in words, for messages."""
        sd = "" if self.sd is None else f", SD {self.sd}"
        return (
            f"mean {self.mean}{sd}, n {self.n}, scale {self.minimum} to {self.maximum} "
            f"in steps of {self.step}, rounding {self.rule}"
        )

    def sums(self) -> list[int]:
        """Return the sums, in steps, whose mean prints as the figure."""
        return attainable_sums(self.mean, self.n, **self.scale)

    @property
    def scale(self) -> dict[str, Any]:
        """Scale and rounding as the engine's functions take them."""
        return {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "step": self.step,
            "rule": self.rule,
        }

    def candidate_moments(self) -> list[tuple[int, int]]:
        """Return sums and sums of squares, in steps, that would print as mean and SD.

        Unlike :meth:`moments`, which decides for each pair whether values with these sums exist,
        this checks necessary conditions only; a dynamic programme finds the number 0 for the rest.

        Raises
        ------
        ValueError
            If no SD is printed, or the figures leave more than :data:`PAIR_LIMIT` pairs.
        """
        if self.sd is None:
            raise ValueError("sd: found none, allowed are printed figures")
        excesses = self.lattice.excesses(self.n, self.sd, self.rule)
        pairs: list[tuple[int, int]] = []
        for total in self.sums():
            squares = self.lattice.squares(total, self.n, excesses)
            require_reach("pairs of sum and sum of squares", len(pairs) + len(squares), PAIR_LIMIT)
            pairs += [(total, q) for q in squares]
        return pairs

    def moments(self) -> list[tuple[int, int]]:
        """Return the sums and sums of squares, in steps, that print as mean and SD.

        Raises
        ------
        ValueError
            If no SD is printed, or the figures leave too many pairs to list.
        """
        if self.sd is None:
            raise ValueError("sd: found none, allowed are printed figures")
        return attainable_moments(self.mean, self.sd, self.n, **self.scale)


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
    lattice, n = summary.lattice, summary.n
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
    checked = grimmer(mean, sd, summary.n, **summary.scale)
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
