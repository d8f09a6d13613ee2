"""Does a printed p value follow from the test statistic and the degrees of freedom beside it.

The idea is statcheck's (Nuijten et al., Behavior Research Methods 2016;48:1205-1226); here all
three figures carry their rounding intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import inf, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from rederive.printed import P_VALUE_DOMAIN, Interval, PrintedNumber, RoundingRule, require_printed
from rederive.printed.errors import meant
from rederive.printed.result import Reach, Recomputed, possible_p

_FloatArray = npt.NDArray[np.float64]

_GRID = 65


class Statistic(StrEnum):
    """The test statistics whose p value can be recomputed."""

    T = "t"
    F = "F"
    CHI2 = "chi2"
    Z = "z"
    R = "r"

    @property
    def df_count(self) -> int:
        """How many degrees of freedom are printed with the statistic."""
        return {Statistic.Z: 0, Statistic.F: 2}.get(self, 1)

    @property
    def has_sides(self) -> bool:
        """Whether the statistic has a sign, and so a one-sided test."""
        return self in (Statistic.T, Statistic.Z, Statistic.R)


_CHI2 = ("χ²", "χ2", "x2", "x²", "chi²", "chi-square", "chi-squared", "chi square", "chisq")
ALIASES: Mapping[str, Statistic] = {
    **{str(statistic).lower(): statistic for statistic in Statistic},
    **dict.fromkeys((*_CHI2, "q", "qb", "qw", "qm", "qe"), Statistic.CHI2),
}
"""Names of the statistics in small letters; a Q of heterogeneity, of moderators or of what is left
within or between subgroups has the distribution of chi2."""


class Classification(StrEnum):
    """How a printed p value compares with its test statistic."""

    CONSISTENT = "consistent"
    INCONSISTENT = "inconsistent"
    DECISION_ERROR = "decision error"


@dataclass(frozen=True, slots=True)
class StatisticCheck:
    """A printed p value beside what its statistic gives.

    Parameters
    ----------
    result : Recomputed
        The reachable p values: under the conventions given, and, marked as not stated, with the
        other number of sides, one-sided in the other direction and, for t and F, with whole
        degrees of freedom taken as rounded.
    classification : Classification
        About the conventions given; a one-sided p may be of either direction, which is not
        printed. A decision error is an inconsistent p with which no reachable p shares the side of
        alpha, and which is not that of the other direction.
    """

    result: Recomputed
    classification: Classification


def check_statistic(
    kind: Statistic | str,
    statistic: PrintedNumber,
    df: PrintedNumber | tuple[PrintedNumber, ...],
    p: PrintedNumber,
    alpha: float = 0.05,
    one_sided: bool = False,
    rule: RoundingRule = RoundingRule.EITHER,
) -> StatisticCheck:
    """Recompute the p value of a printed test statistic and compare.

    Parameters
    ----------
    kind : Statistic or str
        One of ``t, F, chi2, z, r``, or another name of :data:`ALIASES`.
    statistic : PrintedNumber
        Its value. An inequality (``F < 1``) limits its magnitude.
    df : PrintedNumber or tuple of PrintedNumber
        Degrees of freedom: two for F, an empty tuple for z, one otherwise. With decimals they carry
        a rounding interval, without they are exact.
    p : PrintedNumber
        The published p value.
    alpha : float
        Significance level; p below it is significant.
    one_sided : bool
        Whether p is one-sided, in the direction of the statistic. For ``t``, ``z`` and ``r``.
    rule : RoundingRule
        Rule by which all figures were rounded.

    Returns
    -------
    StatisticCheck
        The one-row result and the classification.

    Raises
    ------
    ValueError
        For an unknown kind, a wrong number of degrees of freedom, or values that the statistic,
        the degrees of freedom, p or alpha cannot have.

    Examples
    --------
    >>> check = check_statistic("t", parse("2.20"), parse("28"), parse("0.036"))
    >>> str(check.classification)
    'consistent'
    """
    name = _kind(kind)
    degrees = tuple(df) if isinstance(df, tuple | list) else (df,)
    for what, figure in (("statistic", statistic), ("p", p), *(("df", each) for each in degrees)):
        require_printed(what, figure)
        if figure.percent:
            raise ValueError(f"{what}: found {figure}, allowed are figures without a percent sign")
    if len(degrees) != name.df_count:
        shown = ";".join(map(str, degrees)) or "nothing"
        raise ValueError(f"df: found {shown}, allowed: {name.df_count} for {name}")
    if one_sided and not name.has_sides:
        raise ValueError(f"one_sided: {name} has no sides")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha: found {alpha}, allowed is more than 0 and less than 1")
    try:
        printed = p.interval(rule, P_VALUE_DOMAIN)
    except ValueError as error:
        raise ValueError(f"p: found {p}, allowed are 0 to 1") from error
    magnitude = _magnitude(name, statistic, rule)
    exact = [_df_interval(figure, rule, whole_is_exact=True) for figure in degrees]
    rounded = [_df_interval(figure, rule, whole_is_exact=False) for figure in degrees]

    main = replace(_reach(name, magnitude, exact, one_sided, printed, rule), stated=True)
    if statistic.operator == "=":
        figures = [np.asarray(abs(float(figure.value))) for figure in (statistic, *degrees)]
        main = replace(main, point=float(p_values(name, *figures, one_sided=one_sided)))
    reaches, in_other_tail = [main], False
    if name.has_sides:
        swapped = _reach(name, magnitude, exact, not one_sided, printed, rule)
        other = _other_direction(main if one_sided else swapped, printed)
        reaches += [other, swapped] if one_sided else [swapped, other]
        in_other_tail = other.meets
    if rounded != exact and name in (Statistic.T, Statistic.F):
        reaches.append(_reach(name, magnitude, rounded, one_sided, printed, rule))
    classification = _classify(main, printed, alpha)
    if in_other_tail and one_sided:
        # The direction of the hypothesis is not printed, so either tail is as good.
        classification = Classification.CONSISTENT
    elif in_other_tail and p.operator == "=" and not main.meets:
        classification = Classification.INCONSISTENT
    remark = f"{classification}; p recomputed from {name} and its degrees of freedom"
    possible = () if main.meets else _possibilities(name, magnitude, exact, p, rule)
    result = Recomputed(f"p from {name}", p, tuple(reaches), remark, possible)
    return StatisticCheck(result, classification)


def _other_direction(single: Reach, printed: Interval) -> Reach:
    """Return the tail that the statistic does not lie in: p is 1 minus that of its own tail."""
    low, high = 1.0 - single.high, 1.0 - single.low
    words = single.convention.replace("one-sided", "one-sided, other direction")
    return Reach(words, False, low, high, None, printed.touches(low, high))


def _possibilities(
    name: Statistic,
    magnitude: Interval,
    df: list[Interval],
    p: PrintedNumber,
    rule: RoundingRule,
) -> tuple[Reach, ...]:
    """Return the unstated habits that would give the printed p."""
    tried: dict[str, tuple[Interval | None, list[Interval]]] = {}
    if name is Statistic.T:
        tried["t is its square (F with 1 df)"] = _root(magnitude), df
    elif name is Statistic.Z:
        tried["z is its square (χ² with 1 df)"] = _root(magnitude), df
    elif name is not Statistic.R and df[0] == Interval.point(Fraction(1)):
        root = "F is its root (t)" if name is Statistic.F else "χ² is its root (z)"
        tried[root] = magnitude.squared(), df
    if name is Statistic.F:
        tried["degrees of freedom exchanged"] = magnitude, df[::-1]
    elif name is Statistic.R and df[0].lower > 2:
        tried["n in place of the degrees of freedom, n - 2"] = magnitude, [df[0].shifted(-2)]
    others = {
        words: [_p_range(name, value, degrees, False)]
        for words, (value, degrees) in tried.items()
        if value is not None
    }
    return possible_p(p, rule, [_p_range(name, magnitude, df, False)], others)


def _root(interval: Interval) -> Interval | None:
    """Return an interval that encloses the roots of the members."""
    if interval.low is None or interval.high is None:
        return None
    low, high = (Fraction(sqrt(end)) for end in (interval.low, interval.high))
    return Interval(low, high)


def p_values(
    kind: Statistic | str,
    magnitude: _FloatArray,
    *df: _FloatArray,
    one_sided: bool = False,
) -> _FloatArray:
    """Return the p values of test statistics from their absolute values and degrees of freedom.

    Two-sided p for ``t``, ``z`` and ``r`` (Pearson correlation with n - 2 degrees of freedom: t = r
    sqrt(df / (1 - r²))), or half of it where it is one-sided; upper tail for ``F`` and ``chi2``.

    Examples
    --------
    >>> p_values("t", np.array([2.05]), np.array([28.0])).round(3).tolist()
    [0.05]
    """
    name = _kind(kind)
    value = np.asarray(magnitude, dtype=np.float64)
    if name in (Statistic.F, Statistic.CHI2):
        upper_tail = fdtrc if name is Statistic.F else chdtrc
        return np.asarray(upper_tail(*df, value), dtype=np.float64)
    sides = 1 if one_sided else 2
    if name is Statistic.Z:
        return np.asarray(sides * ndtr(-value), dtype=np.float64)
    if name is Statistic.R:
        with np.errstate(divide="ignore"):
            value = value * np.sqrt(df[0] / ((1 - value) * (1 + value)))
    return np.asarray(sides * stdtr(*df, -value), dtype=np.float64)


def _kind(kind: Statistic | str) -> Statistic:
    name = str(kind).lower().replace("_", "")
    if name not in ALIASES:
        allowed = ", ".join(Statistic)
        hint = meant(name, ALIASES)
        raise ValueError(f"kind: found {kind!r}, allowed are {allowed}, χ² and Q{hint}")
    return ALIASES[name]


def _magnitude(kind: Statistic, statistic: PrintedNumber, rule: RoundingRule) -> Interval:
    """Return the interval of the absolute value of the statistic."""
    domain = Interval(Fraction(0), Fraction(1) if kind is Statistic.R else None)
    stated = statistic.interval(rule)
    if kind.has_sides:
        if statistic.value < 0:
            stated = stated.scaled(-1)
        # What is left of an interval around zero folds over onto its longer side.
        low, high = stated.low, stated.high
        if low is not None and high is not None and low < 0 and -low > high:
            stated = Interval(Fraction(0), -low, True, stated.low_closed)
    inside = stated.intersect(domain)
    if inside is None:
        raise ValueError(f"statistic: found {statistic}, allowed for {kind} are {domain}")
    return inside


def _df_interval(figure: PrintedNumber, rule: RoundingRule, *, whole_is_exact: bool) -> Interval:
    if figure.operator != "=" or figure.value <= 0:
        raise ValueError(f"df: found {figure}, allowed are figures above 0")
    if figure.decimals == 0 and whole_is_exact:
        return Interval.point(figure.value)
    # No degrees of freedom smaller than a hundredth of the printed figure are meant.
    floor = Interval(figure.value / 100, None)
    inside = figure.interval(rule).intersect(floor)
    assert inside is not None
    return inside


def _reach(
    kind: Statistic,
    magnitude: Interval,
    df: list[Interval],
    one_sided: bool,
    printed: Interval,
    rule: RoundingRule,
) -> Reach:
    """Return what one convention gives, marked as not stated and without a point."""
    low, high = _p_range(kind, magnitude, df, one_sided)
    words = [] if not kind.has_sides else ["one-sided" if one_sided else "two-sided"]
    if df:
        words.append("df exact" if all(end.low == end.high for end in df) else "df rounded")
    words.append(f"rounding {rule}")
    meets = printed.touches(low, high)
    return Reach(", ".join(words), False, low, high, None, meets)


def _p_range(
    kind: Statistic, magnitude: Interval, df: list[Interval], one_sided: bool
) -> tuple[float, float]:
    """Return the least and greatest p over the rounding intervals.

    p falls as the magnitude grows, so its ends suffice. In the degrees of freedom p need not be
    monotone (F): they run over a grid that holds both ends, and an extreme inside the grid is
    moved outwards by the largest step to its neighbours.
    """
    axes = [np.linspace(end.lower, end.upper, 1 if end.low == end.high else _GRID) for end in df]
    grid = np.meshgrid(*axes, indexing="ij")
    shape = grid[0].shape if grid else ()
    ends = []
    for value, sign in ((magnitude.upper, -1.0), (magnitude.lower, 1.0)):
        if value == inf:
            ends.append(0.0)
            continue
        p = np.broadcast_to(p_values(kind, np.asarray(value), *grid, one_sided=one_sided), shape)
        # Adding zero turns minus zero into zero.
        ends.append(float(np.clip(sign * _padded_maximum(sign * p), 0.0, 1.0)) + 0.0)
    return ends[0], ends[1]


def _padded_maximum(values: _FloatArray) -> float:
    best = [int(place) for place in np.unravel_index(int(np.argmax(values)), values.shape)]
    top = float(values.max())
    margin = 0.0
    for axis, position in enumerate(best):
        if 0 < position < values.shape[axis] - 1:
            beside: tuple[int | slice, ...] = tuple(best)
            beside = (*beside[:axis], slice(position - 1, position + 2), *beside[axis + 1 :])
            margin += float(np.max(top - values[beside]))
    return top + margin


def _classify(reach: Reach, printed: Interval, alpha: float) -> Classification:
    if reach.meets:
        return Classification.CONSISTENT
    decision = reach.decision(float(alpha))
    reached = {True, False} if decision is None else {decision}
    shared = reached & printed.sides_of(alpha)
    return Classification.INCONSISTENT if shared else Classification.DECISION_ERROR
