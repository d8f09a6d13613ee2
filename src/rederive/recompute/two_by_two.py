"""2 x 2 tables behind a printed odds ratio: all that the margins and the figures allow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scipy.special import chdtrc, ndtri, stdtr
from scipy.stats import fisher_exact

from rederive.printed import P_VALUE_DOMAIN, Interval, PrintedNumber, RoundingRule
from rederive.printed.result import Reach, Recomputed


@dataclass(frozen=True, slots=True, order=True)
class Table2x2:
    """Patients by exposure and outcome.

    Parameters
    ----------
    exposed_yes, exposed_no : int
        Exposed patients with and without the outcome.
    unexposed_yes, unexposed_no : int
        Unexposed patients with and without it.
    """

    exposed_yes: int
    exposed_no: int
    unexposed_yes: int
    unexposed_no: int

    @property
    def cells(self) -> tuple[int, int, int, int]:
        """The four counts, exposed first, outcome first."""
        return self.exposed_yes, self.exposed_no, self.unexposed_yes, self.unexposed_no

    @property
    def separated(self) -> bool:
        """Whether a cell is empty, so that logistic regression has no finite estimate."""
        return min(self.cells) == 0

    @property
    def log_odds_ratio(self) -> float:
        """Maximum-likelihood log odds ratio of simple logistic regression; needs no empty cell."""
        a, b, c, d = self.cells
        return math.log(a * d) - math.log(b * c)

    @property
    def log_standard_error(self) -> float:
        """Wald standard error of the log odds ratio (Woolf 1955)."""
        return math.sqrt(sum(1 / cell for cell in self.cells))

    @property
    def odds_ratio(self) -> float:
        """Odds ratio."""
        return math.exp(self.log_odds_ratio)

    def confidence_limit(self, sign: int, level: float = 0.95) -> float:
        """Return the lower (sign -1) or upper (+1) Wald limit of the odds ratio."""
        z = float(ndtri(0.5 + level / 2))
        return math.exp(self.log_odds_ratio + sign * z * self.log_standard_error)

    @property
    def wald_p(self) -> float:
        """Two-sided Wald p, as logistic regression prints it."""
        z = abs(self.log_odds_ratio) / self.log_standard_error
        return math.erfc(z / math.sqrt(2))

    @property
    def likelihood_ratio_p(self) -> float:
        """p of the likelihood-ratio test against a model without the exposure."""
        a, b, c, d = self.cells
        n = sum(self.cells)
        expected = (
            ((a + b) * (a + c), a),
            ((a + b) * (b + d), b),
            ((c + d) * (a + c), c),
            ((c + d) * (b + d), d),
        )
        deviance = 2 * sum(o * math.log(o * n / e) for e, o in expected if o)
        return float(chdtrc(1, max(deviance, 0.0)))

    @property
    def linear_probability_p(self) -> float:
        """p of the slope when the 0/1 outcome is regressed linearly on the exposure."""
        a, b, c, d = self.cells
        n1, n2 = a + b, c + d
        within = (a * b / n1 + c * d / n2) / (n1 + n2 - 2)
        if within == 0:
            return 0.0 if a * d != b * c else 1.0
        t = (a / n1 - c / n2) / math.sqrt(within * (1 / n1 + 1 / n2))
        return float(2 * stdtr(n1 + n2 - 2, -abs(t)))

    @property
    def fisher_p(self) -> float:
        """Two-sided p of Fisher's exact test."""
        a, b, c, d = self.cells
        return float(fisher_exact([[a, b], [c, d]]).pvalue)


def enumerate_tables(total: int, outcome: Iterable[int], exposed: Iterable[int]) -> list[Table2x2]:
    """Return every table without an empty cell that has the given margins.

    Parameters
    ----------
    total : int
        Patients in the table.
    outcome, exposed : iterable of int
        Allowed numbers with the outcome, and allowed numbers exposed.
    """
    tables = []
    for with_outcome in outcome:
        for with_exposure in exposed:
            least = max(1, with_outcome + with_exposure - total + 1)
            for a in range(least, min(with_outcome, with_exposure)):
                rest = total - with_exposure - with_outcome + a
                tables.append(Table2x2(a, with_exposure - a, with_outcome - a, rest))
    return sorted(set(tables))


@dataclass(frozen=True, slots=True)
class PrintedOddsRatio:
    """An odds ratio with its confidence interval and p as printed; any of them may be missing."""

    odds_ratio: PrintedNumber | None = None
    ci_low: PrintedNumber | None = None
    ci_high: PrintedNumber | None = None
    p: PrintedNumber | None = None

    def accepts(self, table: Table2x2, rule: RoundingRule, leaving_out: str = "") -> bool:
        """Return whether a table prints all the figures, one of them perhaps left out."""
        values = {
            "odds_ratio": (self.odds_ratio, table.odds_ratio, None),
            "ci_low": (self.ci_low, table.confidence_limit(-1), None),
            "ci_high": (self.ci_high, table.confidence_limit(+1), None),
            "p": (self.p, table.wald_p, P_VALUE_DOMAIN),
        }
        return all(
            printed.interval(rule, domain).meets(value, value)
            for name, (printed, value, domain) in values.items()
            if printed is not None and name != leaving_out
        )


def compatible_tables(
    figures: PrintedOddsRatio,
    total: int,
    outcome: Iterable[int],
    exposed: Iterable[int],
    rule: RoundingRule = RoundingRule.EITHER,
    leaving_out: str = "",
) -> list[Table2x2]:
    """Return all tables with the margins that print the figures (Wald interval and Wald p).

    Parameters
    ----------
    figures : PrintedOddsRatio
        The published figures.
    total, outcome, exposed
        Margins, as for :func:`enumerate_tables`.
    rule : RoundingRule
        How the figures were rounded.
    leaving_out : str
        Name of one figure that the tables need not print.
    """
    tables = enumerate_tables(total, outcome, exposed)
    return [table for table in tables if figures.accepts(table, rule, leaving_out)]


_METHOD = "2 x 2 table behind an odds ratio"

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
    """
    if name not in _QUANTITIES:
        raise ValueError(f"unknown figure {name!r}; allowed: {', '.join(_QUANTITIES)}")
    printed: PrintedNumber | None = getattr(figures, name)
    if printed is None:
        raise ValueError(f"the figure {name!r} is not among the printed ones")
    margins = enumerate_tables(total, outcome, exposed)
    if not margins:
        raise ValueError(
            f"no 2 x 2 table of {total} patients without an empty cell has such margins"
        )
    tables = [table for table in margins if figures.accepts(table, rule, leaving_out=name)]
    if not tables:
        values = [quantity(table) for table in margins for quantity in _QUANTITIES[name].values()]
        words = "any of the tables with these margins; none prints the other figures"
        reach = Reach(words, True, min(values), max(values), None, False)
        remark = f"none of {len(margins)} tables with these margins prints the other figures"
        return Recomputed(_METHOD, printed, (reach,), remark)
    domain = P_VALUE_DOMAIN if name == "p" else Interval(P_VALUE_DOMAIN.low, None)
    target = printed.interval(rule, domain)
    reaches = []
    for position, (convention, quantity) in enumerate(_QUANTITIES[name].items()):
        values = [quantity(table) for table in tables]
        meets = any(target.meets(value, value) for value in values)
        point = values[0] if len(values) == 1 else None
        stated = position == 0
        reaches.append(Reach(convention, stated, min(values), max(values), point, meets))
    listing = ", ".join("/".join(map(str, table.cells)) for table in tables[:5])
    noun = "table prints" if len(tables) == 1 else "tables print"
    remark = f"{len(tables)} {noun} the other figures (exposed with/without, unexposed: {listing})"
    return Recomputed(_METHOD, printed, tuple(reaches), remark)
