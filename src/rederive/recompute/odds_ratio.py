"""Printed odds ratios and other ratios, recomputed from margins or from their own intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from scipy.special import ndtri
from scipy.stats.contingency import odds_ratio as conditional_odds_ratio

from rederive.printed import P_VALUE_DOMAIN, Interval, PrintedNumber, RoundingRule
from rederive.printed.result import Reach, Recomputed, habit, possible_p
from rederive.recompute.proportions import (
    chi_squared,
    chi_squared_yates,
    fisher,
    likelihood_ratio,
    t_on_zero_one,
)
from rederive.recompute.t_formulas import Ends
from rederive.recompute.two_by_two import (
    PrintedOddsRatio,
    Table2x2,
    enumerate_tables,
    ratio_figures,
)

Habit = Callable[[Table2x2], dict[str, float]]


def _risk_ratio(table: Table2x2) -> dict[str, float]:
    a, n1, c, n2 = table.groups
    log = math.log(a / n1) - math.log(c / n2)
    return ratio_figures(log, math.sqrt(1 / a - 1 / n1 + 1 / c - 1 / n2))


def _conditional(table: Table2x2) -> dict[str, float]:
    a, b, c, d = table.counts
    found = conditional_odds_ratio([[a, b], [c, d]], kind="conditional")
    low, high = found.confidence_interval(0.95)
    ratio = float(found.statistic)
    return {"odds_ratio": ratio, "ci_low": low, "ci_high": high, "p": fisher(*table.groups)}


def _with_p(test: Callable[[int, int, int, int], float], sides: int = 2) -> Habit:
    return lambda table: table.figures() | {"p": test(*table.groups) * sides / 2}


HABITS: Mapping[str, Habit] = {
    "90 % interval": lambda table: table.figures(0.90),
    "99 % interval": lambda table: table.figures(0.99),
    "risk ratio": _risk_ratio,
    "one-sided p": lambda table: table.figures() | {"p": table.figures()["p"] / 2},
    "p of: χ²": _with_p(chi_squared),
    "p of: χ² with Yates' correction": _with_p(chi_squared_yates),
    "one-sided p of: χ²": _with_p(chi_squared, 1),
}
"""What else may be printed of a table without an empty cell; never the stated convention."""

CONDITIONAL = "conditional estimate, exact interval and p (Fisher)"

MOST_FOR_HABITS = 200
"""Most tables that are tried under these habits, of which the exact interval is slow."""

_CONVENTIONS = {
    "odds_ratio": "odds ratio of the table",
    "ci_low": "Wald interval",
    "ci_high": "Wald interval",
    "p": "Wald test",
}
"""The figures of an odds ratio, each with its stated convention."""

_OTHER_TESTS: dict[str, Callable[[int, int, int, int], float]] = {
    "likelihood-ratio test": likelihood_ratio,
    "linear regression on 0/1": t_on_zero_one,
    "Fisher's exact test": fisher,
}

_HALVES = ", 0.5 added to the cells of a table with an empty one"


def _target(
    name: str, figures: PrintedOddsRatio, rule: RoundingRule
) -> tuple[PrintedNumber, Interval]:
    """Return the printed figure of this name, and the values that it may stand for."""
    if name not in _CONVENTIONS:
        raise ValueError(f"unknown figure {name!r}; allowed: {', '.join(_CONVENTIONS)}")
    printed: PrintedNumber | None = getattr(figures, name)
    if printed is None:
        raise ValueError(f"the figure {name!r} is not among the printed ones")
    domain = P_VALUE_DOMAIN if name == "p" else Interval(Fraction(0), None)
    return printed, printed.interval(rule, domain)


def odds_ratio_figure(
    name: str,
    figures: PrintedOddsRatio,
    total: int,
    outcome: Iterable[int],
    exposed: Iterable[int],
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Recompute one figure of a printed odds ratio from the margins and its other figures.

    Parameters
    ----------
    name : str
        ``odds_ratio``, ``ci_low``, ``ci_high`` or ``p``: the figure that is left out of the
        enumeration and then read off the tables that remain.
    figures : PrintedOddsRatio
        All published figures.
    total, outcome, exposed
        Margins, as for :func:`enumerate_tables`.
    rule : RoundingRule
        How the figures were rounded.

    Raises
    ------
    ValueError
        If ``name`` is unknown, its figure is not printed, or no table has these margins.

    Returns
    -------
    Recomputed
        One reach for each convention. If no table prints the other figures, nothing can be read
        off: the reach then spans all tables with these margins and meets nothing.

    Examples
    --------
    >>> figures = PrintedOddsRatio(parse("2.45"), parse("0.64"), parse("9.39"), parse("0.19"))
    >>> str(odds_ratio_figure("p", figures, 40, [14], [20]).verdict)
    'same'
    """
    printed, target = _target(name, figures, rule)
    every = enumerate_tables(total, outcome, exposed)
    if not every:
        raise ValueError(f"no 2 x 2 table of {total} patients has such margins")
    margins = [table for table in every if not table.separated]
    empty = [table.with_halves for table in every if table.separated]
    tables, halved = (
        [table for table in found if figures.prints(table.figures(), rule, leaving_out=name)]
        for found in (margins, empty)
    )
    others = _OTHER_TESTS if name == "p" else {}
    values = {
        _CONVENTIONS[name]: [table.figures()[name] for table in tables],
        _CONVENTIONS[name] + _HALVES: [table.figures()[name] for table in halved],
    }
    values |= {words: [test(*table.groups) for table in tables] for words, test in others.items()}
    if not tables and not halved and len(margins) <= MOST_FOR_HABITS:
        exact = [each for each in map(_conditional, margins) if figures.prints(each, rule, name)]
        values[CONDITIONAL] = [each[name] for each in exact]
    reaches = [
        Reach.of_values(words, found, any(map(target.touches, found)), words == _CONVENTIONS[name])
        for words, found in values.items()
        if found
    ]
    if not tables:
        found = [table.figures()[name] for table in (*margins, *empty)]
        found += [test(*table.groups) for test in others.values() for table in margins]
        words = "any of the tables with these margins; none prints the other figures"
        reaches.insert(0, Reach(words, True, min(found), max(found), None, False))
    remark = _remark_on_tables(tables, halved, len(margins), len(empty))
    remark = "; ".join((remark, *figures.out_of_order))
    met = any(reach.meets and reach.stated for reach in reaches)
    possible = () if met else _possibilities(name, figures, margins, empty, rule)
    return Recomputed("2 x 2 table behind an odds ratio", printed, tuple(reaches), remark, possible)


def _remark_on_tables(
    tables: list[Table2x2], halved: list[Table2x2], tried: int, empty: int
) -> str:
    """Return which tables print the other figures, in words."""
    if not tables and not halved:
        more = f" ({empty} of them with 0.5 added, for an empty cell)" if empty else ""
        many = f"none of {tried + empty} tables with these margins{more}"
        return f"{many} prints the other figures by Wald's formulas"
    parts = []
    for found, words in ((tables, ""), (halved, f"{_HALVES},")):
        if found:
            listing = ", ".join("/".join(map(str, table.counts)) for table in found[:5])
            noun = "table prints" if len(found) == 1 else "tables print"
            parts.append(
                f"{len(found)} {noun} the other figures{words} "
                f"(exposed with/without, unexposed: {listing})"
            )
    return "; ".join(parts)


def _possibilities(
    name: str,
    figures: PrintedOddsRatio,
    whole: list[Table2x2],
    empty: list[Table2x2],
    rule: RoundingRule,
) -> tuple[Reach, ...]:
    """Return the unstated habits under which some table prints all the figures."""
    habits = HABITS if len(whole) <= MOST_FOR_HABITS else {}
    tried = {words: (figures, map(habitual, whole), rule) for words, habitual in habits.items()}
    reverse = [Table2x2(*table.counts[2:], *table.counts[:2]) for table in whole]
    turned = replace(figures, ci_low=figures.ci_high, ci_high=figures.ci_low)
    cut = RoundingRule.TRUNCATE
    for words, read, tables, rounding in (
        ("reverse comparison (one over the ratio)", figures, reverse, rule),
        ("interval turned round", turned, whole if figures.interval_turned_round else [], rule),
        ("0.5 added to every cell", figures, [*(t.with_halves for t in whole), *empty], rule),
        ("digits cut off", figures, whole, cut),
        (f"digits cut off{_HALVES}", figures, empty, cut),
    ):
        tried[words] = read, map(Table2x2.figures, tables), rounding
    found = []
    for words, (read, drawn, rounding) in tried.items():
        values = [each[name] for each in drawn if read.prints(each, rounding)]
        if values:
            found.append(habit(words, min(values), max(values)))
    return tuple(found)


def _from_interval(name: str, ratio: Ends, low: Ends, high: Ends, level: float = 0.95) -> Ends:
    """Return the range of one figure from the others; all given as logarithms."""
    if name != "p":
        sums = {
            "odds_ratio": ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2),
            "ci_low": (2 * ratio[0] - high[1], 2 * ratio[1] - high[0]),
            "ci_high": (2 * ratio[0] - low[1], 2 * ratio[1] - low[0]),
        }[name]
        return math.exp(sums[0]), math.exp(sums[1])
    z = float(ndtri(0.5 + level / 2))
    near = 0.0 if ratio[0] <= 0 <= ratio[1] else min(map(abs, ratio))
    narrow, wide = max(high[0] - low[1], 0.0) / (2 * z), (high[1] - low[0]) / (2 * z)
    far = max(map(abs, ratio))
    most = math.erfc(near / wide / math.sqrt(2)) if wide > 0 else float(near == 0)
    least = math.erfc(far / narrow / math.sqrt(2)) if narrow > 0 else float(far == 0)
    return least, most


def ratio_and_interval(
    name: str,
    figures: PrintedOddsRatio,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Recompute one figure of a printed ratio from the others, without any margins.

    A Wald interval, here of 95 %, is symmetric about the logarithm of its ratio, and its width
    gives the standard error, hence z and p. This holds for odds ratios, risk ratios and hazard
    ratios alike.

    Parameters
    ----------
    name : str
        ``odds_ratio``, ``ci_low``, ``ci_high`` or ``p``.
    figures : PrintedOddsRatio
        The ratio with both limits, and p if that is the figure asked for.
    rule : RoundingRule
        How the figures were rounded.

    Raises
    ------
    ValueError
        If the name is unknown, a figure that is needed is not printed, or a figure is zero.

    Examples
    --------
    >>> from rederive.printed import parse
    >>> figures = PrintedOddsRatio(parse("2.0"), parse("1.1"), parse("3.6"), parse("0.02"))
    >>> str(ratio_and_interval("p", figures).verdict)
    'within rounding'
    """
    printed, target = _target(name, figures, rule)
    ranges = []
    for part in (figures.odds_ratio, figures.ci_low, figures.ci_high):
        if part is None or part.value <= 0:
            raise ValueError("a ratio above 0 with both limits is needed, each printed above 0")
        interval = part.interval(rule)
        ranges.append((math.log(max(interval.lower, 1e-300)), math.log(interval.upper)))
    ratio, low, high = ranges
    if figures.interval_turned_round:
        low, high = high, low
    ends = _from_interval(name, ratio, low, high)
    convention = "interval symmetric about the logarithm of the ratio"
    if name == "p":
        convention = "Wald test, standard error from the interval"
    in_order = not figures.out_of_order
    meets = in_order and target.touches(*ends)
    reach = Reach(convention, True, *ends, None, meets)
    tried: dict[str, Ends] = {}
    if figures.interval_turned_round:
        tried["interval turned round"] = ends
    if name == "odds_ratio":
        inverse = (1 / ends[1], 1 / max(ends[0], 1e-300))
    else:
        inverse = _from_interval(name, (-ratio[1], -ratio[0]), low, high)
    tried["reverse comparison (one over the ratio)"] = inverse
    if name == "p" and in_order:
        for level in (0.90, 0.99):
            words = f"{100 * level:.0f} % interval"
            tried[words] = _from_interval(name, ratio, low, high, level)
    met = [] if meets else [each for each in tried.items() if target.touches(*each[1])]
    possible = tuple(habit(words, *found) for words, found in met)
    if name == "p" and in_order and not meets:
        possible += possible_p(printed, rule, [ends])
    remark = "; ".join(figures.out_of_order)
    return Recomputed("ratio with its interval", printed, (reach,), remark, possible)
