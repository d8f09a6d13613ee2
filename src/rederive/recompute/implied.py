"""Quantities that printed figures imply without printing them, each as a one-row result.

Such a result has no published figure beside it unless one is given; ``meets`` says whether the
figures can hold together at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule
from rederive.printed.result import Reach, Recomputed
from rederive.recompute.missing import implied_mean_of_missing
from rederive.recompute.signed_rank import CONVENTIONS, signed_rank_p
from rederive.recompute.summaries import Scale
from rederive.recompute.t_tests import implied_correlation
from rederive.recompute.unstated_n import Solved


def correlation_of_visits(
    before_sd: PrintedNumber,
    after_sd: PrintedNumber,
    change_sd: PrintedNumber,
    correlation: PrintedNumber | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Return the correlation of two visits from their SDs and the SD of the change.

    Parameters
    ----------
    before_sd, after_sd, change_sd : PrintedNumber
        All three over the same patients.
    correlation : PrintedNumber, optional
        A published correlation to hold beside it.
    rule : RoundingRule
        How the figures were rounded.

    Examples
    --------
    >>> found = correlation_of_visits(parse("7.2"), parse("8.0"), parse("5.1"))
    >>> round(found.main.point, 2)
    0.78
    """
    found = implied_correlation(before_sd, after_sd, change_sd, rule)
    words = "r = (s1² + s2² - d²) / (2 s1 s2)"
    if found is None:
        reach = Reach(f"{words}: the three SDs exclude each other", True, nan, nan, None, False)
        return Recomputed("implied correlation", correlation, (reach,))
    s1, s2, d = (float(sd.value) for sd in (before_sd, after_sd, change_sd))
    point = (s1 * s1 + s2 * s2 - d * d) / (2 * s1 * s2) if s1 and s2 else None
    meets = correlation is None or correlation.interval(rule).meets(*found)
    reach = Reach(words, True, found[0], found[1], point, meets)
    return Recomputed("implied correlation", correlation, (reach,))


def baseline_mean_of_missing(
    mean_all: PrintedNumber,
    n_all: int,
    mean_followup: PrintedNumber,
    mean_change: PrintedNumber,
    n_followup: int,
    scale: Scale | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Return the baseline mean of the patients without follow-up as a one-row result.

    Parameters are those of :func:`rederive.recompute.missing.implied_mean_of_missing`.

    Raises
    ------
    ValueError
        If nobody is missing.

    Examples
    --------
    >>> found = baseline_mean_of_missing(parse("29.6"), 30, parse("22.1"), parse("-7.5"), 28)
    >>> round(found.main.low, 2), round(found.main.high, 2)
    (27.45, 31.75)
    """
    missing = n_all - n_followup
    if missing <= 0:
        raise ValueError(f"nobody is missing: {n_followup} of {n_all} are followed")
    words = f"{missing} missing of {n_all}"
    try:
        found = implied_mean_of_missing(
            mean_all, n_all, mean_followup, mean_change, n_followup, scale, rule
        )
    except ValueError as error:
        reach = Reach(f"{words}: {error}", True, nan, nan, None, False)
        return Recomputed("implied mean of the missing", None, (reach,))
    followed = n_followup * (mean_followup.value - mean_change.value)
    point = float((n_all * mean_all.value - followed) / missing)
    inside = point if found.lower <= point <= found.upper else None
    reach = Reach(words, True, found.lower, found.upper, inside, True)
    return Recomputed("implied mean of the missing", None, (reach,))


def sizes_as_result(
    solutions: Sequence[Solved], name: str, n: PrintedNumber | None = None
) -> Recomputed:
    """Return the solved sizes of one comparator as a one-row result.

    Parameters
    ----------
    solutions : sequence of Solved
        Solutions of :func:`rederive.recompute.unstated_n.solve_n`, one for each convention; the
        first is taken as stated.
    name : str
        The comparator.
    n : PrintedNumber, optional
        A published size; a convention meets it if it is among the sizes. Without one, a convention
        meets if there is any size.

    Examples
    --------
    >>> one = Comparison("other", Summary(parse("0"), parse("3"), 40), (parse("0.04"),))
    >>> solved = solve_n(Summary(parse("2"), parse("3"), 20), [one])
    >>> found = sizes_as_result(solved, "other")
    >>> found.main.low, found.main.high
    (4.0, 40.0)
    """
    reaches = []
    for position, solution in enumerate(solutions):
        sizes = solution.sizes[name]
        ends = (float(sizes[0]), float(sizes[-1])) if sizes else (nan, nan)
        point = ends[0] if len(sizes) == 1 else None
        meets = bool(sizes) if n is None else n.value in sizes
        reaches.append(Reach(solution.convention, position == 0, *ends, point, meets))
    return Recomputed("implied sample size", n, tuple(reaches))


def signed_rank_test(
    differences: Sequence[float],
    p: PrintedNumber | None = None,
    rule: RoundingRule = RoundingRule.EITHER,
) -> Recomputed:
    """Recompute Wilcoxon's signed-rank p from paired differences under every convention.

    Parameters
    ----------
    differences : sequence of float
        Paired differences, shape (n,).
    p : PrintedNumber, optional
        The published p.
    rule : RoundingRule
        How p was rounded.

    Raises
    ------
    ValueError
        If there are no differences.

    Examples
    --------
    >>> found = signed_rank_test([1, 2, 0, -1, 3, 2], parse("0.10"))
    >>> found.main.convention, round(found.main.point, 4)
    ("Pratt zeros, normal (Stata's signrank)", 0.1118)
    """
    reaches = []
    for position, convention in enumerate(CONVENTIONS):
        value = signed_rank_p(differences, convention)
        if value is None:
            continue
        meets = p is not None and p.interval(rule, P_VALUE_DOMAIN).meets(value, value)
        reaches.append(Reach(convention.name, position == 0, value, value, value, meets))
    return Recomputed("Wilcoxon signed-rank test", p, tuple(reaches))
