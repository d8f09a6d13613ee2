"""Figures of the search for predictors, in the one style of the book."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ivig_dcssc import predictor_results as predictors
from ivig_dcssc.cohort_groups import label_of
from ivig_dcssc.figures import GRID, PUBLISHED
from ivig_dcssc.figures_skin import LOOKS, group_handles, nudges
from ivig_dcssc.reproduced.predictors import PRINTED_BY_ITSELF, TIMEPOINTS
from rederive.book.ledger import Ledger

_ENDS = {predictors.RESPONSE: (0.02, 50.0), predictors.CHANGE: (-30.0, 30.0)}
"""Ends of the axis; what goes on beyond them ends in an arrow."""

_NOTE: dict[str, Any] = {
    "ha": "right",
    "va": "center",
    "size": 8,
    "bbox": {"color": "white", "pad": 1},
}

_AXES = {
    predictors.RESPONSE: "Odds ratio of response",
    predictors.CHANGE: "Change in points per unit",
}


def forest(ledger: Ledger, outcome: str) -> Figure:
    """Draw the estimates of every predictor over the cohorts of each group.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    outcome : str
        ``response`` (odds ratios) or ``change`` (points of skin score per unit).
    """
    names, table = predictors.predictors_in_order(ledger), predictors.estimates(ledger)
    logistic, ends = outcome == predictors.RESPONSE, _ENDS[outcome]
    height = 0.34 * len(names) + 1.8
    figure, panels = plt.subplots(1, len(TIMEPOINTS), figsize=(8, height), sharey=True, sharex=True)
    for at, axes in zip(TIMEPOINTS, panels, strict=True):
        own = table[(table["outcome"] == outcome) & (table["timepoint"] == at)]
        if logistic:
            axes.set_xscale("log")
        for y in range(len(names) - 1):
            axes.axhline(y + 0.5, color=GRID, lw=0.4, alpha=0.6)
        axes.axvline(1 if logistic else 0, color=PUBLISHED, lw=1)
        parts = list(own.groupby("prior", sort=False))
        for (prior, part), nudge in zip(parts, nudges(len(parts), 0.25), strict=True):
            _ranges(axes, part, names, nudge, LOOKS[str(prior)][:2], ends)
        share = own.groupby("predictor")["estimable"].max()
        for name in share.index[share == 0]:
            axes.text(ends[1], names.index(name), "no estimate ", **_NOTE)
        axes.set(title=f"Month {at.removeprefix('m')}", xlabel=_AXES[outcome])
        axes.grid(visible=False, axis="y")
    handles = group_handles(ledger)
    if logistic:
        place = names.index(PRINTED_BY_ITSELF)
        panels[-1].plot(predictors.the_table(ledger).odds_ratio, place, "D", color=PUBLISHED, ms=7)
        handles.append(Line2D([], [], color=PUBLISHED, marker="D", ls="none", label="published"))
    labels = [predictors.label_of_predictor(ledger, name) for name in names]
    panels[0].set_yticks(range(len(names)), labels, fontsize="small")
    panels[0].set(ylim=(len(names) - 0.5, -0.5), xlim=ends)
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _ranges(
    axes: Axes,
    part: pd.DataFrame,
    names: list[str],
    nudge: float,
    look: tuple[str, str],
    ends: tuple[float, float],
) -> None:
    """Draw one line per predictor, from the lower to the upper end of 95 % of the cohorts."""
    (colour, marker), (low, high) = look, ends
    known = part.dropna(subset=["median"])
    for name, start, middle, stop in zip(
        known["predictor"], known["low"], known["median"], known["high"], strict=True
    ):
        y = names.index(name) + nudge
        axes.plot([max(start, low), min(stop, high)], [y, y], color=colour, lw=1.5)
        if start < low:
            axes.plot(low, y, "<", color=colour, ms=5, clip_on=False)
        if stop > high:
            axes.plot(high, y, ">", color=colour, ms=5, clip_on=False)
        axes.plot(np.clip(middle, low, high), y, marker, color=colour, mec="white", ms=5)


def significant_tests(ledger: Ledger) -> Figure:
    """Draw how many regressions are significant in each cohort, beside independent tests."""
    table = predictors.significant_tests(ledger)["significant"]
    most = max(int(table.max()), 10)
    figure, axes = plt.subplots(figsize=(8, 3.4))
    chance = predictors.expected_distribution(ledger, most)
    axes.bar(range(most + 1), [100 * p for p in chance], color=GRID, alpha=0.5, lw=0, width=0.9)
    for prior, counts in table.groupby("prior", sort=False):
        colour, marker, line = LOOKS[str(prior)]
        shares = counts.value_counts(normalize=True).reindex(range(most + 1), fill_value=0)
        axes.plot(shares.index, 100 * shares, line, marker=marker, color=colour, ms=6, lw=1.2)
    axes.set(xlabel="Significant regressions in a cohort", ylabel="Share in percent")
    axes.set_xticks(range(most + 1))
    handles = group_handles(ledger)
    tests = predictors.countings(ledger)[-1].tests - 1
    handles.append(
        Line2D([], [], color=GRID, lw=8, alpha=0.5, label=f"{tests} independent tests by chance")
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def prednisone_at_6(ledger: Ledger) -> Figure:
    """Draw the odds ratio of prednisone at 6 months over cohorts, beside that printed at 12."""
    table = predictors.regressions(ledger)
    own = table[
        (table["predictor"] == PRINTED_BY_ITSELF)
        & (table["outcome"] == predictors.RESPONSE)
        & (table["timepoint"] == "m6")
    ]
    parts = list(own.groupby("prior", sort=False))
    figure, axes = plt.subplots(figsize=(8, 0.7 * len(parts) + 1.6))
    labels = []
    for y, (prior, part) in enumerate(parts):
        colour, marker, _ = LOOKS[str(prior)]
        shares = part["estimate"].round(6).value_counts(normalize=True)
        axes.scatter(shares.index, [y] * len(shares), 900 * shares, color=colour, marker=marker)
        labels.append(label_of(str(prior)))
    axes.axvline(1, color=PUBLISHED, lw=1)
    axes.axvline(predictors.the_table(ledger).odds_ratio, color=PUBLISHED, lw=1.5, ls="--")
    axes.set(xscale="log", xlim=_ENDS[predictors.RESPONSE], ylim=(len(parts) - 0.5, -0.5))
    axes.set(xlabel="Odds ratio of response at 6 months (area of a mark: share of the cohorts)")
    axes.set_yticks(range(len(parts)), labels)
    axes.grid(visible=False, axis="y")
    handles = [Line2D([], [], color=PUBLISHED, lw=1.5, ls="--", label="published for 12 months")]
    figure.legend(handles=handles, loc="outside lower center", frameon=False)
    return figure
