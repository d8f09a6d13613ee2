"""GRIMMER and DEBIT: do values that move in steps have the printed mean and SD together.

Anaya, PeerJ Preprints 2016;4:e2400v1; analytic form by Allard, 2018. Here the test is carried to
its end: beyond parity and the range of the sum of squares, values with these sums must exist on
the scale. DEBIT (Heathers and Brown, 2019) is the same for binary data: of n values 0 and 1 with k
ones, the sample variance (divisor n - 1) is k (n - k) / (n (n - 1)).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import heappop, heappush
from itertools import count, islice
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
    search = Search(lattice, size)
    result = attainable_sd("GRIMMER", lattice.words, search, mean, sd, rule)
    if result.inside:
        remark = "values with this mean and SD exist"
    elif lattice.sums(mean, size, rule):
        remark = "no values with this mean have this SD"
    else:
        remark = "no attainable sum has this mean"
    if search.open:
        remark += " as far as parity and the range of the sum of squares can tell"
    return replace(result, remark=remark)


def attainable_sd(
    method: str,
    scale: str,
    search: Search,
    mean: PrintedNumber,
    sd: PrintedNumber,
    rule: RoundingRule,
    unit: Fraction = Fraction(1),
) -> Recomputed:
    """Check a mean and an SD, which is printed in some unit, by a search on a scale in words."""
    lattice, n = search.lattice, search.n
    spread, sums = sd.interval(rule).scaled(unit).squared(), lattice.sums(mean, n, rule)
    inside = search.inside(sums, spread)
    around = sums or sorted(set(nearest_sums(lattice, mean, n, rule)))
    ends = inside or search.around(around, (sd.value * unit) ** 2)
    convention = f"n = {n}, {scale}, rounding {rule}"
    sds = [sqrt(end / unit**2) for end in ends]
    reach = Reach.of_values(convention, sds, inside is not None)
    tried: list[tuple[str, Interval, Interval | None]] = []
    if inside is None:
        stated, rounded = mean.interval(rule), sd.otherwise_rounded()
        for name, factor in variance_factors(n).items():
            tried.append((name, stated, None if spread is None else spread.scaled(factor)))
        for name, means in mean.otherwise_rounded().items():
            tried.append((name, means, rounded[name].scaled(unit).squared()))
    possible = []
    for name, means, variances in tried:
        found = Search(lattice, n).inside(lattice.sums_within(means, n), variances)
        if found is not None:
            possible.append(habit(name, *(sqrt(end / unit**2) for end in found)))
    return Recomputed(method, sd, (reach,), possibilities=tuple(possible))


def debit(
    mean: PrintedNumber,
    sd: PrintedNumber,
    n: int | PrintedNumber,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Check the printed SD of binary data against its mean and number of observations.

    Parameters
    ----------
    mean, sd : PrintedNumber
        The published mean (a proportion, or a percentage with its sign) and SD; the SD of a
        percentage is in percentage points if it carries the sign or is above 1, else on the
        scale 0 to 1.
    n : int or PrintedNumber
        Number of observations, at least 2.
    rule : RoundingRule
        Rule by which both figures were rounded.

    Returns
    -------
    Recomputed
        ``low`` and ``high``: the least and greatest SD, over all counts that the mean allows, that
        prints as the figure, or, if none does, the nearest attainable SDs below and above it.

    Raises
    ------
    ValueError
        For ``n`` below 2 or figures printed as inequalities.

    Examples
    --------
    >>> debit(parse("0.36"), parse("0.11"), 20).inside
    False
    """
    require_figure("mean", mean)
    require_sd(sd)
    require_figure("sd", sd)
    size = sample_size(n, 2)
    top = 100 if mean.percent else 1
    lattice = Lattice.of(1, top, 0, top)
    in_points = sd.percent or (mean.percent and sd.value > 1)
    unit = lattice.step / (100 if in_points else 1)
    result = attainable_sd("DEBIT", "values 0 and 1", Search(lattice, size), mean, sd, rule, unit)
    counts = lattice.sums(mean, size, rule)
    remark = f"counts with this mean: {counts[0]} to {counts[-1]}" if counts else ""
    return replace(result, remark=remark or "no count has this mean")


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
        waiting = [(total, iter(row)) for total, row in rows]
        while waiting:
            for total, row in waiting:
                for squares in islice(row, 1):
                    excess = self.n * squares - total * total
                    heappush(queue, (sign * excess, total, squares, row))
            if not queue:
                break
            _, total, squares, row = heappop(queue)
            waiting = [(total, row)]
            answer = self.lattice.has_values(self.n, total, squares)
            if answer is not False:
                self.open |= answer is None
                return self.lattice.variance(total, squares, self.n)
        return None
