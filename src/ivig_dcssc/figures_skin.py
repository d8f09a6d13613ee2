"""Figures of the skin score over time, in the one style of the book."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ivig_dcssc import skin_results as skin
from ivig_dcssc.cohort_groups import Spread, cohorts_of, groups, is_prediction, label_of
from ivig_dcssc.figures import GRID, PUBLISHED
from ivig_dcssc.reproduced.choices import FOLLOWUPS
from rederive.book.ledger import Ledger

LOOKS = {
    "gaussian": ("#0072b2", "o", "-"),
    "flat": ("#d55e00", "s", "--"),
    "bimodal": ("#009e73", "^", ":"),
    "own": ("#0072b2", "o", "-"),
}
"""Colour (Okabe and Ito), marker and line of each prior, and of a user's own cohort."""

PATIENTS = 30
"""Patients in the article; axes of numbers of patients reach at least so far."""

QUARTILES = np.array([0.25, 0.75])

_NUDGE = 0.35
"""Distance between the lines of neighbouring groups, in months."""


def nudges(number: int, step: float) -> list[float]:
    """Return places around 0 for the groups at one position of an axis."""
    return [step * (place - (number - 1) / 2) for place in range(number)]


def mean_over_time(ledger: Ledger) -> Figure:
    """Draw the printed means with intervals and SDs, and what cohorts had before initiation."""
    figure, axes = plt.subplots(figsize=(8, 4.4))
    means = skin.printed_means(ledger)
    months = [each.month for each in means]
    for each in means:
        mean, sd = float(each.mean.value), float(each.sd.value)
        axes.plot([each.month] * 2, [mean - sd, mean + sd], color=GRID, lw=2)
        axes.plot([each.month] * 2, each.interval, color=PUBLISHED, lw=5, solid_capstyle="butt")
        axes.annotate(f"n = {each.n}", (each.month, 0.6), ha="center", fontsize="small")
    axes.plot(months, [float(each.mean.value) for each in means], "o-", color=PUBLISHED, ms=7)
    _earlier_means(axes, ledger)
    axes.axvline(0, color=PUBLISHED, lw=1, ls=":")
    axes.set(ylim=(0, 45), xlabel="Months since the first infusion", ylabel="mRSS")
    axes.set_xticks([*skin.EARLIER, *months])
    handles = [
        Line2D([], [], color=PUBLISHED, marker="o", label="published mean"),
        Line2D([], [], color=PUBLISHED, lw=5, label="its 95 % interval"),
        Line2D([], [], color=GRID, lw=2, label="published mean ± SD"),
        *group_handles(ledger, "before: "),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _earlier_means(axes: Axes, ledger: Ledger) -> None:
    table, parts = skin.before_initiation(ledger), groups(cohorts_of(ledger))
    for group, nudge in zip(parts, nudges(len(parts), 2 * _NUDGE), strict=True):
        colour, marker, line = LOOKS[group.name]
        own = table[table["cohort"].isin(group.cohorts)]
        months = [month for month in skin.EARLIER if (own["month"] == month).any()]
        spreads = [Spread.of(own.loc[own["month"] == month, "mean"]) for month in months]
        places, middle = np.array(months) + nudge, [spread.median for spread in spreads]
        axes.plot(places, middle, line, marker=marker, color=colour, ms=6, mfc="white")
        for place, spread in zip(places, spreads, strict=True):
            axes.plot([place] * 2, [spread.low, spread.high], ls=line, color=colour, lw=1.5)


def group_handles(ledger: Ledger, before: str = "") -> list[Line2D]:
    """Return legend entries for the groups, which say that reconstructed cohorts are synthetic."""
    cohorts = cohorts_of(ledger)
    what = "synthetic cohorts, " if cohorts.reconstructed else ""
    return [
        Line2D(
            [],
            [],
            color=LOOKS[group.name][0],
            marker=LOOKS[group.name][1],
            ls=LOOKS[group.name][2],
            mfc="white",
            label=f"{before}{what}{group.label}",
        )
        for group in groups(cohorts)
    ]


def paired_p_values(ledger: Ledger) -> Figure:
    """Draw the p at 18 and 24 months as cohorts yield it, beside the published one and α."""
    figure, axes = plt.subplots(figsize=(8, 3))
    y, labels = 0, []
    for at in FOLLOWUPS[2:]:
        row_id = f"results-mrss-ivig-{at}-p"
        first = y
        for name, values in skin.predicted(ledger, row_id).items():
            colour, marker, _ = LOOKS[name]
            spread, inner = Spread.of(values), values.quantile(QUARTILES)
            axes.plot([spread.low, spread.high], [y, y], color=colour, lw=2)
            axes.plot(inner, [y, y], color=colour, lw=7, solid_capstyle="butt", alpha=0.6)
            axes.plot(spread.median, y, marker, color=colour, mec="white", ms=8)
            labels.append(f"month {skin.month_here(ledger, at)}: {label_of(name)}")
            y += 1
        target = ledger.registry.numbers[row_id].printed.interval()
        low, high = max(target.lower, 1e-9), target.upper
        axes.fill_betweenx([first - 0.5, y - 0.5], low, high, color=GRID, alpha=0.45, lw=0)
        axes.axhline(y - 0.5, color=GRID, lw=0.8)
    axes.axvline(ledger.settings.alpha, color=PUBLISHED, lw=1, ls="--")
    axes.set(xscale="log", xlim=(1e-8, 1), ylim=(y - 0.5, -0.5), xlabel="p (logarithmic scale)")
    axes.set_yticks(range(y), labels)
    axes.grid(visible=False, axis="y")
    what = "synthetic draws" if is_prediction(cohorts_of(ledger)) else "cohorts"
    handles = [
        Line2D([], [], color=PUBLISHED, marker="o", lw=2, label=f"median and 95 % of {what}"),
        Line2D([], [], color=PUBLISHED, lw=7, alpha=0.6, label="middle half"),
        Patch(color=GRID, alpha=0.45, label="published p"),
        Line2D([], [], color=PUBLISHED, lw=1, ls="--", label=f"α = {ledger.settings.alpha:g}"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def courses(ledger: Ledger) -> Figure:
    """Draw single courses: bands over all patients and cohorts, lines of a few cohorts."""
    cohorts = cohorts_of(ledger)
    parts = groups(cohorts)
    figure, axes = plt.subplots(
        1, len(parts), figsize=(8, 4.2), sharey=True, sharex=True, squeeze=False
    )
    quantiles = skin.course_quantiles(ledger)
    table = cohorts.results.trajectories()
    low, near, middle, far, high = skin.QUANTILES
    for group, panel in zip(parts, axes[0], strict=True):
        colour = LOOKS[group.name][0]
        own = quantiles[quantiles["group"] == group.name]
        panel.fill_between(own["month"], own[low], own[high], color=colour, alpha=0.15, lw=0)
        panel.fill_between(own["month"], own[near], own[far], color=colour, alpha=0.25, lw=0)
        few = table[table["cohort"].isin(skin.shown_cohorts(group))]
        for _, course in few.groupby(["cohort", "patient"], observed=True):
            panel.plot(course["month"], course["value"], color=PUBLISHED, lw=0.4, alpha=0.45)
        panel.plot(own["month"], own[middle], color=colour, lw=3)
        panel.set_title(group.label)
        panel.set_xlabel("Month")
        panel.set_xticks([0, *cohorts.choices.followup_targets])
    axes[0, 0].set(ylabel="mRSS", ylim=(0, 51))
    what = "synthetic patients" if cohorts.reconstructed else "patients"
    handles = [
        Line2D([], [], color=PUBLISHED, lw=3, label="median patient"),
        Patch(color=PUBLISHED, alpha=0.35, label="middle half"),
        Patch(color=PUBLISHED, alpha=0.15, label="90 % of patients"),
        Line2D([], [], color=PUBLISHED, lw=0.6, label=f"{what} of a few cohorts"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def responders(ledger: Ledger, found: Sequence[skin.Prediction]) -> Figure:
    """Draw the numbers of responders in draws or cohorts, the published ones and the bounds.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    found : sequence of Prediction
        One for each month, reading and group; those of the first reading are drawn.
    """
    figure, axes = plt.subplots(1, len(skin.RESPONSE), figsize=(8, 3.6), sharey=True)
    greatest = max((float(each.values.max()) for each in found), default=0.0)
    most = max(PATIENTS, int(np.nan_to_num(greatest)) + 1)
    for at, panel in zip(skin.RESPONSE, axes, strict=True):
        here = [each for each in found if each.timepoint == at]
        own = [each for each in here if each.reading == here[0].reading]
        for each in own:
            colour, marker, line = LOOKS[each.group]
            counts = (
                each.values.dropna().round().astype(int).value_counts(normalize=True).sort_index()
            )
            panel.plot(counts.index, 100 * counts, line, marker=marker, color=colour, ms=5, lw=1.2)
        panel.axvline(own[0].printed, color=PUBLISHED, lw=2)
        bound = own[0].bound
        if bound is not None:
            panel.axvspan(bound.low.limit, bound.high.limit, color=GRID, alpha=0.2, lw=0)
        panel.set_title(f"Month {own[0].month}, {_sizes(own[0])} patients")
        panel.set(xlim=(0, most), xlabel="Responders")
    axes[0].set_ylabel("Share in percent")
    axes[0].set_ylim(bottom=0)
    bounded = any(each.bound is not None for each in found)
    handles = [
        Line2D([], [], color=PUBLISHED, lw=2, label="published"),
        *([Patch(color=GRID, alpha=0.35, label="least to greatest possible")] if bounded else []),
        *group_handles(ledger),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _sizes(found: skin.Prediction) -> str:
    if found.own_n is None:
        return str(found.n)
    return f"{found.own_n} (published {found.n})"


def responder_curve(ledger: Ledger, table: pd.DataFrame) -> Figure:
    """Draw the responders at every threshold: cohorts by group, and the sharp bounds.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    table : DataFrame
        As :func:`ivig_dcssc.skin_results.curve` returns it.
    """
    cohorts = cohorts_of(ledger)
    figure, axes = plt.subplots(1, len(skin.RESPONSE), figsize=(8, 3.8), sharey=True)
    most = max(PATIENTS, int(table["high"].fillna(0).max()) + 1)
    parts = groups(cohorts)
    for at, panel in zip(skin.RESPONSE, axes, strict=True):
        own = table[table["timepoint"] == at]
        ends = own.drop_duplicates("threshold")
        panel.fill_between(
            ends["threshold"], ends["least"], ends["most"], color=GRID, alpha=0.3, lw=0
        )
        for group, nudge in zip(parts, nudges(len(parts), 0.2), strict=True):
            colour, marker, line = LOOKS[group.name]
            part = own[own["group"] == group.name]
            places = part["threshold"] + nudge
            panel.vlines(places, part["low"], part["high"], color=colour, lw=1.5)
            panel.plot(places, part["median"], line, marker=marker, color=colour, ms=4, lw=0.8)
        panel.axvline(cohorts.choices.responder_threshold, color=PUBLISHED, lw=1, ls=":")
        panel.set_title(f"Month {skin.month_here(ledger, at)}")
        panel.set(xlabel="Limit: decrease in points", ylim=(0, most))
        panel.set_xticks([1, 3, 5, 7, 9, 11, 13, 15])
    axes[0].set_ylabel("Responders")
    bounded = bool(table["least"].notna().any())
    handles = [
        Line2D([], [], color=PUBLISHED, lw=1, ls=":", label="limit of this run"),
        *([Patch(color=GRID, alpha=0.3, label="least to greatest possible")] if bounded else []),
        *group_handles(ledger),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure
