"""GRIMMER: do values that move in steps have the printed mean and the printed SD together.

Anaya, PeerJ Preprints 2016;4:e2400v1; analytic form by Allard, 2018. Here the test is carried to
its end: beyond parity and the range of the sum of squares, values with these sums must exist on
the scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from itertools import count
from math import floor, sqrt

from rederive.consistency.grim import nearest_sums
from rederive.printed import Interval, PrintedNumber, RoundingRule, require_figure, require_sd
from rederive.printed.lattice import Exact, Lattice, sample_size, variance_factors
from rederive.printed.result import Reach, Recomputed, habit


def grimmer(
    mean: PrintedNumber,
    sd: PrintedNumber,
    n: int | PrintedNumber,
    items: int = 1,
    step: Exact = 1,
    minimum: Exact | None = None,
    maximum: Exact | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Check a printed sample SD (divisor n - 1) against its mean and number of observations.

    Parameters
    ----------
    mean, sd : PrintedNumber
        The published mean and SD. A percent sign is read as by
        :func:`rederive.consistency.grim.grim`; the SD is in percentage points then.
    n : int or PrintedNumber
        Number of observations, at least 2.
    items, step, minimum, maximum
        The scale, as in :func:`rederive.consistency.grim.grim`.
    rule : RoundingRule
        Rule by which both figures were rounded.

    Returns
    -------
    Recomputed
        ``low`` and ``high``: the least and greatest attainable SD that prints as the figure, or, if
        none does, the nearest attainable SDs below and above it. Without an attainable mean these
        are SDs at the nearest sums, and the check does not pass.

    Raises
    ------
    ValueError
        For parameters out of range or figures printed as inequalities.

    Examples
    --------
    >>> grimmer(parse("3.44"), parse("2.47"), 18, minimum=0, maximum=7).inside
    False
    """
    require_figure("mean", mean)
    require_sd(sd)
    require_figure("sd", sd)
    size = sample_size(n, 2)
    lattice = Lattice.of(items, step, minimum, maximum, mean.percent or sd.percent)
    spread = sd.interval(rule).squared()
    sums: Iterable[int] = lattice.sums(mean, size, rule)
    mean_attainable = bool(sums)
    search = Search(lattice, size)
    if mean_attainable:
        inside = search.inside(sums, spread)
    else:
        inside = None
        sums = sorted(set(nearest_sums(lattice, mean, size, rule)))
    low, high = inside or search.around(sums, sd.value**2)
    least, greatest = sqrt(low), sqrt(high)
    if not mean_attainable:
        remark = "no attainable sum has this mean"
    elif inside is None:
        remark = "no values with this mean have this SD"
    else:
        remark = "values with this mean and SD exist"
    if search.open:
        remark += " as far as parity and the range of the sum of squares can tell"
    convention = f"n = {size}, {lattice.words}, rounding {rule}"
    point = least if low == high else None
    reach = Reach(convention, True, least, greatest, point, inside is not None)
    possible = () if inside else _possibilities(lattice, mean, sd, size, rule)
    return Recomputed("GRIMMER", sd, (reach,), remark, possible)


def _possibilities(
    lattice: Lattice, mean: PrintedNumber, sd: PrintedNumber, n: int, rule: RoundingRule
) -> tuple[Reach, ...]:
    """Return the unstated habits under which values with such figures exist."""
    stated, spread = mean.interval(rule), sd.interval(rule).squared()
    tried: dict[str, tuple[Interval, Interval | None]] = {
        name: (stated, None if spread is None else spread.scaled(factor))
        for name, factor in variance_factors(n).items()
    }
    rounded = sd.otherwise_rounded()
    for name, interval in mean.otherwise_rounded().items():
        tried[name] = (interval, rounded[name].squared())
    found = []
    for name, (means, variances) in tried.items():
        ends = Search(lattice, n).inside(lattice.sums_within(means, n), variances)
        if ends is not None:
            found.append(habit(name, sqrt(ends[0]), sqrt(ends[1])))
    return tuple(found)


@dataclass(slots=True)
class Search:
    """Looks for attainable variances; remembers whether any answer had to be left open.

    Over all sums at once, candidates are tried in the order of their variance, so the first one
    with values behind it is the least (or, counted downwards, the greatest).
    """

    lattice: Lattice
    n: int
    open: bool = False

    def inside(
        self, sums: Iterable[int], variance: Interval | None
    ) -> tuple[Fraction, Fraction] | None:
        """Return the least and greatest attainable variance within an interval."""
        excesses = self.lattice.excesses_within(variance, self.n)
        rows = [(total, self.lattice.squares(total, self.n, excesses)) for total in sums]
        low = self._first(rows, 1)
        if low is None:
            return None
        high = self._first([(total, squares[::-1]) for total, squares in rows], -1)
        return low, low if high is None else high

    def around(self, sums: Iterable[int], variance: Fraction) -> tuple[Fraction, Fraction]:
        """Return the nearest attainable variances below and above another.

        Where there is none on one side, the one on the other side stands for both.
        """
        target = variance * self.n * (self.n - 1) / self.lattice.step**2
        falling: list[tuple[int, Iterable[int]]] = []
        rising: list[tuple[int, Iterable[int]]] = []
        for total in sums:
            least, greatest = self.lattice.squares_limits(total, self.n)
            middle = max(floor((target + total**2) / self.n), least - 2)
            if greatest is not None:
                middle = min(middle, greatest)
            middle -= (middle - least) % 2
            falling.append((total, range(middle, least - 1, -2)))
            rest: Iterable[int] = count(middle + 2, 2)
            if greatest is not None:
                rest = range(middle + 2, greatest + 1, 2)
            rising.append((total, rest))
        found = (self._first(falling, -1), self._first(rising, 1))
        ends = [end for end in found if end is not None]
        return ends[0], ends[-1]

    def _first(self, rows: Iterable[tuple[int, Iterable[int]]], sign: int) -> Fraction | None:
        """Return the first attainable variance over several rows of sums of squares.

        The rows rise for ``sign`` 1 and fall for -1.
        """
        queue: list[tuple[int, int, int, Iterator[int]]] = []

        def push(total: int, row: Iterator[int]) -> None:
            squares = next(row, None)
            if squares is not None:
                excess = self.n * squares - total * total
                heappush(queue, (sign * excess, total, squares, row))

        for total, row in rows:
            push(total, iter(row))
        while queue:
            _, total, squares, row = heappop(queue)
            answer = self.lattice.has_values(self.n, total, squares)
            if answer is not False:
                self.open |= answer is None
                return self.lattice.variance(total, squares, self.n)
            push(total, row)
        return None
