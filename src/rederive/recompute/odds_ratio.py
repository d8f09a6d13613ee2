"""Printed odds ratios and other ratios, recomputed from margins or from their own intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial

from scipy.special import ndtri
from scipy.stats.contingency import odds_ratio as conditional_odds_ratio

from rederive.printed import P_VALUE_DOMAIN, Interval, PrintedNumber, RoundingRule
from rederive.printed.result import Reach, Recomputed, habit, possible_p
from rederive.recompute.proportions import chi_squared, chi_squared_yates
from rederive.recompute.t_tests import Ends
from rederive.recompute.two_by_two import PrintedOddsRatio, Table2x2, enumerate_tables, wald_figures


def _risk_ratio(table: Table2x2) -> dict[str, float]:
    a, b, c, d = table.cells
    log = math.log(a / (a + b)) - math.log(c / (c + d))
    error = math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    z = float(ndtri(0.975))
    ends = {"ci_low": math.exp(log - z * error), "ci_high": math.exp(log + z * error)}
    p = math.erfc(abs(log) / error / math.sqrt(2)) if error else float(log == 0)
    return {"odds_ratio": math.exp(log), **ends, "p": p}


def _conditional(table: Table2x2) -> dict[str, float]:
    a, b, c, d = table.counts
    found = conditional_odds_ratio([[a, b], [c, d]], kind="conditional")
    low, high = found.confidence_interval(0.95)
    ratio = float(found.statistic)
    return {"odds_ratio": ratio, "ci_low": low, "ci_high": high, "p": table.fisher_p}


def _with_p(test: Callable[[int, int, int, int], float], sides: int = 2) -> Habit:
    def figures(table: Table2x2) -> dict[str, float]:
        a, b, c, d = table.counts
        return wald_figures(table) | {"p": test(a, a + b, c, c + d) * sides / 2}

    return figures


Habit = Callable[[Table2x2], dict[str, float]]

HABITS: Mapping[str, Habit] = {
    "90 % interval": partial(wald_figures, level=0.90),
    "99 % interval": partial(wald_figures, level=0.99),
    "risk ratio": _risk_ratio,
    "one-sided p": lambda table: wald_figures(table) | {"p": table.wald_p / 2},
    "p of: χ²": _with_p(chi_squared),
    "p of: χ² with Yates' correction": _with_p(chi_squared_yates),
    "one-sided p of: χ²": _with_p(chi_squared, 1),
}
"""What else may be printed of a table without an empty cell; never the stated convention."""

CONDITIONAL = "conditional estimate, exact interval and p (Fisher)"

MOST_FOR_HABITS = 200
"""Most tables that are tried under these habits, of which the exact interval is slow."""


_QUANTITIES: dict[str, dict[str, Callable[[Table2x2], float]]] = {
    "odds_ratio": {"odds ratio of the table": lambda table: table.odds_ratio},
    "ci_low": {"Wald interval": lambda table: table.confidence_limit(-1)},
    "ci_high": {"Wald interval": lambda table: table.confidence_limit(+1)},
    "p": {
        "Wald test": lambda table: table.wald_p,
        "likelihood-ratio test": lambda table: table.likelihood_ratio_p,
        "linear regression on 0/1": lambda table: table.linear_probability_p,
        "Fisher's exact test": lambda table: table.fisher_p,
    },
}


_HALVES = ", 0.5 added to the cells of a table with an empty one"


def _figure_of(name: str, figures: PrintedOddsRatio) -> PrintedNumber:
    if name not in _QUANTITIES:
        raise ValueError(f"unknown figure {name!r}; allowed: {', '.join(_QUANTITIES)}")
    printed: PrintedNumber | None = getattr(figures, name)
    if printed is None:
        raise ValueError(f"the figure {name!r} is not among the printed ones")
    return printed


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
    printed = _figure_of(name, figures)
    outcome, exposed = tuple(outcome), tuple(exposed)
    margins = enumerate_tables(total, outcome, exposed)
    empty = enumerate_tables(total, outcome, exposed, separated=True)
    if not margins and not empty:
        raise ValueError(f"no 2 x 2 table of {total} patients has such margins")
    tables = [table for table in margins if figures.accepts(table, rule, leaving_out=name)]
    halved = [table for table in empty if figures.accepts(table.with_halves, rule, name)]
    domain = P_VALUE_DOMAIN if name == "p" else Interval(P_VALUE_DOMAIN.low, None)
    target = printed.interval(rule, domain)
    reaches = []
    for position, (convention, quantity) in enumerate(_QUANTITIES[name].items()):
        for found, words in ((tables, ""), ([table.with_halves for table in halved], _HALVES)):
            if not found or (words and position):
                continue
            values = [quantity(table) for table in found]
            meets = any(target.meets(value, value, floor=0.0) for value in values)
            point = values[0] if len(values) == 1 else None
            stated = position == 0 and not words
            ends = (min(values), max(values))
            reaches.append(Reach(convention + words, stated, *ends, point, meets))
    if not tables and not halved and len(margins) <= MOST_FOR_HABITS:
        drawn = [(table, _conditional(table)) for table in margins]
        exact = [each for each in drawn if figures.prints(each[1], rule, leaving_out=name)]
        values = [figures_of[name] for _, figures_of in exact]
        if values:
            meets = any(target.meets(value, value, floor=0.0) for value in values)
            reaches.append(Reach(CONDITIONAL, False, min(values), max(values), None, meets))
    if not tables:
        quantities = list(_QUANTITIES[name].values())
        values = [quantity(table) for table in margins for quantity in quantities]
        values += [quantities[0](table.with_halves) for table in empty]
        words = "any of the tables with these margins; none prints the other figures"
        reaches.insert(0, Reach(words, True, min(values), max(values), None, False))
    remark = _remark_on_tables(tables, halved, len(margins), len(empty))
    remark = "; ".join((remark, *figures.out_of_order))
    met = any(reach.meets and reach.stated for reach in reaches)
    possible = () if met else _possibilities(name, figures, [*margins, *empty], rule)
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
    name: str, figures: PrintedOddsRatio, tables: list[Table2x2], rule: RoundingRule
) -> tuple[Reach, ...]:
    """Return the unstated habits under which some table prints all the figures."""
    whole = [table for table in tables if not table.separated]
    halved = [table.with_halves for table in tables]
    empty = [table for table in halved if table.separated]
    turned = replace(figures, ci_low=figures.ci_high, ci_high=figures.ci_low)
    cut = RoundingRule.TRUNCATE
    tried = {
        "reverse comparison (one over the ratio)": (figures, [t.reverse for t in whole], rule),
        "interval turned round": (turned, whole if figures.interval_turned_round else [], rule),
        "0.5 added to every cell": (figures, halved, rule),
        "digits cut off": (figures, whole, cut),
        f"digits cut off{_HALVES}": (figures, empty, cut),
    }
    quantity = next(iter(_QUANTITIES[name].values()))
    found = []
    for words, habitual in HABITS.items() if len(whole) <= MOST_FOR_HABITS else ():
        drawn = [habitual(table) for table in whole]
        fitting = [each[name] for each in drawn if figures.prints(each, rule)]
        if fitting:
            found.append(habit(words, min(fitting), max(fitting)))
    for words, (read, candidates, rounding) in tried.items():
        values = [quantity(table) for table in candidates if read.accepts(table, rounding)]
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
    printed = _figure_of(name, figures)
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
    domain = P_VALUE_DOMAIN if name == "p" else Interval(Fraction(0), None)
    in_order = not figures.out_of_order
    target = printed.interval(rule, domain)
    meets = in_order and target.meets(*ends, floor=0.0)
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
    possible: tuple[Reach, ...] = ()
    if not meets:
        possible = tuple(
            habit(words, *found)
            for words, found in tried.items()
            if target.meets(*found, floor=0.0)
        )
        if name == "p" and in_order:
            possible += possible_p(printed, rule, [ends])
    remark = "; ".join(figures.out_of_order)
    return Recomputed("ratio with its interval", printed, (reach,), remark, possible)
