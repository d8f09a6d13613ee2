"""Tables and sentences of the page on the multiverse."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from ivig_dcssc.cohort_groups import fixed, percent
from ivig_dcssc.figures_specification import (
    CHOICE_NAMES,
    choice_name,
    heat_map,
    level_name,
    specification_curve,
)
from ivig_dcssc.multiverse import (
    P_FLOOR,
    RESULTS,
    TIMEPOINTS,
    Axes,
    Multiverse,
    Result,
    published,
    published_value,
)
from ivig_dcssc.p_words import p_text
from ivig_dcssc.parameters import ALL_PRIORS, PARAMETERS
from ivig_dcssc.project import project_root
from ivig_dcssc.reproduced import load_ensembles
from ivig_dcssc.reproduced.frames import PAIRED_T
from rederive.book.section import in_words
from rederive.book.specification import Specifications, in_sentences
from rederive.parameters import ParameterError, cells_run, check_injected
from rederive.printed import P_VALUE_DOMAIN, PrintedNumber
from rederive.printed.registry import load_registry
from rederive.printed.schema import nearest

Floats = npt.NDArray[np.float64]

ARTICLE: dict[str, Hashable] = {
    "baseline_window": int(PARAMETERS["baseline_window"].default),
    "followup_tolerance": int(PARAMETERS["followup_tolerance"].default),
    "visit_rule": str(PARAMETERS["visit_rule"].default),
    "responder_threshold": int(PARAMETERS["responder_threshold"].default),
    "paired_test": PAIRED_T,
    "two_sample_test": str(PARAMETERS["two_sample_test"].default),
}
"""The levels taken as the article's; of readings and priors it has none."""

_NOT_STATED = ("visit_rule", "two_sample_test")
"""Choices of the article that it does not print."""

_HELD = ("responder_threshold", "paired_test", "two_sample_test")

SMALL = 0.005
"""Share of the variance below which a choice is not listed."""


def open_multiverse(
    result: str, alpha: float | None = None, prior: str = ALL_PRIORS
) -> tuple[Multiverse, Result]:
    """Return the multiverse under checked parameters, and the result that is asked for.

    Parameters
    ----------
    result : str
        A key of :data:`ivig_dcssc.multiverse.RESULTS`.
    alpha : float, optional
        Significance level; default the article's.
    prior : str
        A prior, or ``all`` for each of them by itself.

    Raises
    ------
    ParameterError
        If a parameter is unknown or out of range.
    """
    check_injected(cells_run())
    if result not in RESULTS:
        hint = nearest(result, RESULTS)
        meant = f" (did you mean {hint!r}?)" if hint else ""
        raise ParameterError(
            f"parameter 'result': found {result!r}, allowed: {', '.join(RESULTS)}{meant}"
        )
    given = {"prior": prior} if alpha is None else {"prior": prior, "alpha": alpha}
    values = PARAMETERS.check(given)
    root = project_root()
    axes = Axes() if prior == ALL_PRIORS else replace(Axes(), prior=(prior,))
    registry = load_registry(root / "data" / "published")
    ensembles = load_ensembles(root, prior)
    return Multiverse(ensembles, registry, axes, float(values["alpha"])), RESULTS[result]


# What is varied


def choice_records(multiverse: Multiverse) -> list[dict[str, object]]:
    """Return every choice with its levels, for a table."""
    rows: list[dict[str, object]] = []
    for name in Axes.__slots__:
        levels = multiverse.axes.levels(name)
        numbers = isinstance(levels[0], int)
        words = (
            f"{levels[0]} to {levels[-1]}" if numbers else in_words(list(map(level_name, levels)))
        )
        article = level_name(ARTICLE[name]) if name in ARTICLE else "not stated"
        if name in _NOT_STATED:
            article = f"not stated; ours: {article}"
        rows.append(
            {
                "Choice": choice_name(name),
                "Levels": words,
                "Number": len(levels),
                "In the article": article,
            }
        )
    return rows


def size_in_words(multiverse: Multiverse) -> list[str]:
    """Return how many specifications there are, and of which cohorts, as sentences."""
    axes = multiverse.axes
    sizes = [multiverse.cohorts(axes.reading[0], prior) for prior in axes.prior]
    kept = [multiverse.cohorts(axes.reading[-1], prior) for prior in axes.prior]
    names = in_words(axes.prior)
    return [
        f"All combinations make {axes.size:,} specifications of the analysis.",
        f"Each is computed in every one of {sum(sizes)} reconstructed, synthetic cohorts "
        f"(prior {names}).",
        f"The narrower reading of the mean change, {axes.reading[-1]}, keeps those that print it: "
        f"{in_words(kept)}.",
        "A figure is computed once for the choices on which it depends, and once for windows that "
        f"select the same visits: of {multiverse.places.size} combinations of windows and rule "
        f"{multiverse.distinct_windows} differ.",
    ]


def honesty_in_words(multiverse: Multiverse) -> list[str]:
    """Return what the prior decides here and what the figures decide, as sentences."""
    places, axes = multiverse.places, multiverse.axes
    widest = places[-1]
    same = [
        window
        for window, own in zip(axes.baseline_window, places, strict=True)
        if (own == widest).all()
    ]
    idle = [
        tolerance
        for at, tolerance in enumerate(axes.followup_tolerance)
        if (places[:, at] == places[:, at, :1]).all()
    ]
    return [
        "Inside the article's own windows every cohort prints the figures of the IVIG group, "
        "because it was made to. For these that specification confirms nothing.",
        "Comparisons with controls are not calibrated. Of a control only mean and SD of the change "
        "are printed; they are taken as points, their rounding ignored, and the size is that at "
        "baseline, since none is printed with the changes. Even with honest data the published p "
        "need not come out as printed.",
        "All other windows are *predictions*. In which month of a window a visit lies, and which "
        "visits lie beside it, was not printed; our prior on visits placed them. Who is lost in a "
        "narrow window is chance in our cohorts; in a clinic it need not be.",
        f"From {min(same)} months on, a wider baseline window changes nothing: every patient has a "
        "score within the article's window, and the most recent one counts.",
        f"With a tolerance of {in_words(idle, 'or')} it does not matter which of several visits "
        "counts, because our cohorts have no second score inside these windows; real records may."
        if idle
        else "Which of several visits counts matters at every tolerance.",
        "Specifications that select the same visits give the same result and are no further "
        "evidence. Shares of specifications are therefore given over the distinct ones too, and "
        "flips over pairs that select different visits only, equal pairs once.",
        "Shares of the variance are about this grid of levels, each level counting the same; they "
        "are low for the rule and for baseline windows beyond the article's because most levels "
        "of these select the same visits. Those of p are shares of the variance of log10 p, as "
        f"drawn; p below {P_FLOOR:g} counts as {P_FLOOR:g}. They say which choices the result "
        "hangs on here, not how likely a choice is.",
    ]


# One result


def label_of(result: Result) -> str:
    """Return the title of the axis of a result."""
    text = result.in_words
    return text[0].upper() + text[1:]


def _limit(multiverse: Multiverse, result: Result) -> float | None:
    if result.is_p:
        return multiverse.alpha
    return 50.0 if result.quantity == "responder_percent" else None


def decision_of(multiverse: Multiverse, result: Result) -> str:
    """Return what it means that a result decides yes; empty if it decides nothing."""
    if result.is_p:
        return f"p < {multiverse.alpha:g}"
    return "more than half" if result.quantity == "responder_percent" else ""


def curve(multiverse: Multiverse, result: Result) -> Figure:
    """Draw the specification curve of a result, with the published value."""
    return specification_curve(
        multiverse.table(result.name),
        label_of(result),
        published_value(multiverse.registry, result),
        _limit(multiverse, result),
        label="Median cohort",
        decision=decision_of(multiverse, result) or "yes",
    )


def window_map(multiverse: Multiverse, result: Result) -> Figure:
    """Draw a result over both windows, thresholds and tests being the article's."""
    rows, columns = "baseline_window", "followup_tolerance"
    table = multiverse.table(result.name)
    held = {name: ARTICLE[name] for name in table.choices if name in _HELD}
    return heat_map(
        table.where(**held),
        rows,
        columns,
        label=label_of(result),
        mark=(ARTICLE[rows], ARTICLE[columns]),
        decimals=_decimals(result),
    )


def main_choices(table: Specifications) -> tuple[str, str]:
    """Return the two choices that carry most of the variance."""
    first, second = table.variance_shares()["choice"].iloc[:2]
    return str(first), str(second)


def decision_map(multiverse: Multiverse, result: Result) -> Figure:
    """Draw the share of cohorts that decide yes, or the result, over the two main choices."""
    table = multiverse.table(result.name)
    first, second = main_choices(table)
    decided = decision_of(multiverse, result)
    mark = (ARTICLE[first], ARTICLE[second]) if first in ARTICLE and second in ARTICLE else None
    return heat_map(
        table,
        first,
        second,
        of="decision" if decided else "value",
        label=f"{decided}, % of cohorts" if decided else label_of(result),
        mark=mark,
        decimals=0 if decided else _decimals(result),
    )


def _decimals(result: Result) -> int:
    if result.is_p:
        return 3
    return 0 if result.quantity == "responder_percent" else 1


def result_in_words(multiverse: Multiverse, result: Result) -> list[str]:
    """Return which choices matter to a result and where the article stands, as sentences."""
    figure = published(multiverse.registry, result)
    target: float | tuple[float, float] | None = published_value(multiverse.registry, result)
    if figure is not None:
        interval = figure.interval(domain=P_VALUE_DOMAIN) if result.is_p else figure.interval()
        target = (interval.lower, interval.upper)
    table = multiverse.table(result.name)
    decided = decision_of(multiverse, result)
    sentences = [f"The result is: {result.in_words}, in the median cohort."]
    if decided:
        sentences.append(
            f"A specification decides yes if more than half of its cohorts do; yes means {decided}."
        )
    said = [*sentences, *in_sentences(table, target, CHOICE_NAMES)]
    if result.quantity == "p_against" and figure is not None:
        said += _reach_in_words(multiverse, result, figure)
    return said


def _reach_in_words(multiverse: Multiverse, result: Result, figure: PrintedNumber) -> list[str]:
    """Return where the published p against a control lies in reach of the cohorts."""
    interval = figure.interval(domain=P_VALUE_DOMAIN)
    band = multiverse.distinct_band(result)
    wide = multiverse.rounding_band(result)

    def share(low: Floats, high: Floats) -> str:
        ends = zip(low.ravel(), high.ravel(), strict=True)
        met = [not np.isnan(each) and interval.meets(each, other) for each, other in ends]
        return f"{sum(met)} of {len(met)}"

    return [
        f"The published {figure} was not what the cohorts were made to print, and the control's "
        "figures are taken as points: that most specifications lie on one side of it says little. "
        f"In {share(band.low, band.high)} distinct specifications it lies in the middle 95 % of "
        "the cohorts; with the rounding of the control's mean and SD, and in the article's windows "
        f"of the IVIG group's, in {share(*wide)}."
    ]


# All results


def result_records(multiverse: Multiverse) -> list[dict[str, object]]:
    """Return every decision with its published value, its range and what it hangs on."""
    rows: list[dict[str, object]] = []
    for result in RESULTS.values():
        if not decision_of(multiverse, result):
            continue
        table = multiverse.table(result.name)
        values = table.frame["value"]
        figure = published(multiverse.registry, result)
        share = published_value(multiverse.registry, result)
        computed = "not printed" if share is None else f"{_text(result, share)} (from counts)"
        first = table.flips().iloc[0]
        flipping = (
            f"{choice_name(first['choice'])} ({percent(float(first['share']))})"
            if first["flipped"]
            else "none"
        )
        rows.append(
            {
                "Result": result.in_words,
                "Specifications (distinct)": f"{len(values):,} ({len(table.distinct.frame):,})",
                "Published": computed if figure is None else str(figure),
                "Least to greatest": f"{_text(result, values.min())} to "
                f"{_text(result, values.max())}",
                "Yes in most cohorts; of distinct": _both(table, "; "),
                "Most of the variance": _most(table.variance_shares()),
                "Flips most often by": flipping,
            }
        )
    return rows


def _both(table: Specifications, between: str) -> str:
    """Return the share of specifications that decide yes, and that of the distinct ones."""
    return between.join(percent(float(each.yes.mean())) for each in (table, table.distinct))


def _most(shares: pd.DataFrame) -> str:
    """Return the two choices that have most to do with the variance."""
    listed = [
        f"{choice_name(name)} ({percent(float(share))})"
        for name, share in zip(shares["choice"][:2], shares["total"][:2], strict=True)
        if share > SMALL
    ]
    return in_words(listed) if listed else "none"


def _text(result: Result, value: float) -> str:
    return p_text(value) if result.is_p else fixed(value, 1)


def findings_in_words(multiverse: Multiverse) -> list[str]:
    """Return which decisions hold in all specifications and which hang on a choice."""
    always: list[str] = []
    never: list[str] = []
    open_ones: list[str] = []
    missing = 0.0
    for result in RESULTS.values():
        if not result.is_p:
            continue
        table = multiverse.table(result.name)
        shares, yes = table.frame["decision"], table.yes
        missing = max(missing, float(np.nanmax(multiverse.distinct_band(result).missing)))
        if yes.all():
            always.append(f"{result.in_words} (in at least {percent(float(shares.min()))} of them)")
        elif not yes.any():
            never.append(f"{result.in_words} (in at most {percent(float(shares.max()))} of them)")
        else:
            open_ones.append(f"{result.in_words} ({_both(table, '; ')})")
    said = []
    for names, words in (
        (always, "In more than half of the cohorts below the level in every specification is"),
        (never, "In more than half of the cohorts below the level in no specification is"),
        (
            open_ones,
            "In more than half of the cohorts below the level in some specifications and not in "
            "others (in brackets the share of all specifications; of the distinct ones) is",
        ),
    ):
        if names:
            said.append(f"{words} {'; '.join(names)}.")
    if missing > 0:
        said.append(
            "A cohort without p, having too few patients or no variation, counts as not below; "
            f"that is at most {percent(missing)} of the cohorts of a specification."
        )
    return [*said, *_narrow_in_words(multiverse)]


def _narrow_in_words(multiverse: Multiverse) -> list[str]:
    """Return how the tests of the change decide where windows are not the narrowest."""
    results = [RESULTS[f"p_{timepoint}"] for timepoint in TIMEPOINTS]
    kept, shares = [], []
    for result in results:
        table = multiverse.table(result.name)
        frame = table.frame
        wide = (frame["baseline_window"] >= 2) & (frame["followup_tolerance"] >= 1)
        part = Specifications.of(frame[wide], table.choices)
        kept.append(float(part.yes.mean()))
        shares.append(_both(part, " and "))
    times = [f"{share} at month {name[1:]}" for share, name in zip(shares, TIMEPOINTS, strict=True)]
    where = f"{shares[0]} at every follow-up" if len(set(shares)) == 1 else in_words(times)
    said = (
        "With a baseline of at least 2 months and a tolerance of at least 1 the change is below "
        f"the level, in more than half of the cohorts, in {where} (shares of all specifications "
        "and of the distinct ones)"
    )
    if min(kept) > 0.9:
        return [
            f"{said}: where decisions change, it is mostly in windows so narrow that few patients "
            "are left."
        ]
    return [f"{said}."]
