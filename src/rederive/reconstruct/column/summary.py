"""What is printed about one column, the moments that data printed so have, and nearest figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import merge
from itertools import islice
from math import floor, inf, sqrt

from rederive.consistency import grimmer
from rederive.printed import (
    PrintedNumber,
    RoundingRule,
    format_fixed,
    require_figure,
    rounded_figures,
)
from rederive.printed.lattice import Exact, Lattice, attainable_moments, require_size

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
            f"n: found a column that takes {found:,} {what}, allowed are {most:,}; fewer "
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

    def sums(self) -> range:
        """Return the sums, in steps, whose mean prints as the figure."""
        return self.lattice.sums(self.mean, self.n, self.rule)

    def candidate_moments(self) -> list[tuple[int, int]]:
        """Return sums and sums of squares, in steps, that would print as mean and SD.

        Unlike :meth:`moments`, which decides for each pair whether values with these sums exist,
        this checks necessary conditions only; a dynamic programme finds the number 0 for the rest.

        Raises
        ------
        ValueError
            If the figures leave more than :data:`PAIR_LIMIT` pairs.
        """
        assert self.sd is not None
        pairs: list[tuple[int, int]] = []
        for total, squares in self.lattice.candidates(self.mean, self.sd, self.n, self.rule):
            require_reach("pairs of sum and sum of squares", len(pairs) + len(squares), PAIR_LIMIT)
            pairs += [(total, q) for q in squares]
        return pairs

    def moments(self) -> tuple[tuple[int, int], ...]:
        """Return the sums and sums of squares, in steps, that print as mean and SD.

        Raises
        ------
        ValueError
            If the figures leave too many pairs to list.
        """
        assert self.sd is not None
        return attainable_moments(self.mean, self.sd, self.n, self.lattice, self.rule)


Figures = tuple[PrintedNumber, PrintedNumber | None]
"""A mean and an SD as they would be printed."""

SEARCH_LIMIT = 5_000
"""Most printed means, counted from the nearest, that a search looks at."""


def nearest_figures(summary: ColumnSummary) -> tuple[Figures, ...]:
    """Return the figures nearest to a summary's that some data on the scale print as.

    Parameters
    ----------
    summary : ColumnSummary
        The figures, possible or not, and the scale. Among the first :data:`SEARCH_LIMIT` means the
        search is exhaustive.

    Returns
    -------
    tuple of (PrintedNumber, PrintedNumber or None)
        Distance is the sum of the steps in the last digit of mean and SD; ties are all listed. For
        possible figures, these themselves.
    """
    if summary.sd is None:
        means = list(islice(_means_outward(summary), 2))
        least = abs(means[0].value - summary.mean.value)
        return tuple((m, None) for m in means if abs(m.value - summary.mean.value) == least)
    best: float = inf
    found: list[tuple[int, Figures]] = []
    for mean in islice(_means_outward(summary), SEARCH_LIMIT):
        steps = int(abs(mean.value - summary.mean.value) / mean.unit)
        if steps > best:
            break
        if steps + _least_sd_steps(summary, mean, summary.sd) > best:
            continue
        for sd in _nearest_sds(summary, mean, summary.sd):
            found.append((steps + int(abs(sd.value - summary.sd.value) / sd.unit), (mean, sd)))
        best = min([best, *(distance for distance, _ in found)])
    return tuple(pair for distance, pair in found if distance == best)


def explain_impossible(summary: ColumnSummary) -> str:
    """Return the message for a summary that no data print as."""
    return f"no data print as {summary.figures}; {listed_nearest(nearest_figures(summary))}"


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
    ends = summary.minimum, summary.maximum
    checked = grimmer(mean, sd, summary.n, 1, summary.step, *ends, summary.rule)
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


def listed_nearest(pairs: tuple[Figures, ...]) -> str:
    """Return the nearest figures as messages name them."""
    return "nearest: " + ", ".join(
        f"mean {mean}" if sd is None else f"mean {mean} with SD {sd}" for mean, sd in pairs
    )
