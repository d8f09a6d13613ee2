"""The figures of the sensitivity analyses."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from ivig_dcssc.cohort_groups import CENTRAL, label_of
from ivig_dcssc.figures import GRID, MISSED, PUBLISHED, REACHED
from ivig_dcssc.reproduced.choices import SKIN_TARGETS
from ivig_dcssc.sensitivity_results import MAIN, TIGHT, Kept, Span

_COLOURS = {MAIN: REACHED, TIGHT: MISSED}
_MARKERS = {MAIN: "o", TIGHT: "D"}


def windows(spans: Sequence[Span]) -> Figure:
    """Draw the windows of the main and of the tightened analysis, one line for each.

    Parameters
    ----------
    spans : sequence of Span
        Windows of each group of measures.
    """
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(spans) + 1.2))
    for y, span in enumerate(spans):
        colour = _COLOURS[span.analysis]
        ends = [(-span.baseline, 0)]
        ends += [(month - span.tolerance, month + span.tolerance) for month in span.targets]
        for start, stop in ends:
            axes.barh(y, stop - start + 1, left=start - 0.5, color=colour, alpha=0.75, height=0.6)
        axes.plot(span.targets, [y] * len(span.targets), ls="none", marker="|", color=PUBLISHED)
    axes.axvline(0, color=PUBLISHED, lw=1.2)
    axes.set_yticks(range(len(spans)), [f"{span.measures}, {span.analysis}" for span in spans])
    axes.set(ylim=(len(spans) - 0.5, -0.5), xlabel="Months since the first infusion")
    latest = max(month + span.tolerance for span in spans for month in span.targets)
    axes.set_xticks(np.arange(-12, max(31, latest + 1), 6))
    axes.grid(visible=False, axis="y")
    return figure


def skin_courses(courses: pd.DataFrame, priors: pd.Series[str]) -> Figure:
    """Draw the mean skin score over time under both baseline windows, one panel for each prior.

    Parameters
    ----------
    courses : DataFrame
        As from :func:`ivig_dcssc.sensitivity_results.skin_courses`.
    priors : Series
        Prior by cohort.
    """
    names = list(priors.unique())
    figure, panels = plt.subplots(1, len(names), figsize=(8, 3.3), sharey=True, squeeze=False)
    prior = courses["cohort"].map(priors)
    for axes, name in zip(panels[0], names, strict=True):
        for offset, analysis in ((-0.35, MAIN), (0.35, TIGHT)):
            own = courses[(prior == name) & (courses["analysis"] == analysis)]
            groups = own.groupby("month")["mean"]
            targets = sorted(int(month) for month in own["month"].unique())
            months = np.asarray(targets, dtype=float) + offset
            low, high = (groups.quantile(q).to_numpy() for q in CENTRAL)
            middle, colour = groups.median().to_numpy(), _COLOURS[analysis]
            axes.vlines(months, low, high, color=colour, lw=4, alpha=0.45)
            axes.plot(months, middle, marker=_MARKERS[analysis], color=colour, ms=5, lw=1)
        axes.set(title="" if name == "own" else label_of(name), xticks=targets)
        axes.set_xlabel("Month")
    panels[0][0].set(ylabel="Mean skin score", ylim=(0, None))
    handles = [
        Line2D([], [], color=_COLOURS[each], marker=_MARKERS[each], lw=3, label=f"{each} windows")
        for each in (MAIN, TIGHT)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def kept_at_random(shares: Sequence[Kept]) -> Figure:
    """Draw how often each decision stays if patients are left out at random.

    Parameters
    ----------
    shares : sequence of Kept
        One for each comparison and prior.
    """
    measures = list(dict.fromkeys(each.measure for each in shares))
    cohorts = list(dict.fromkeys(each.cohorts for each in shares))
    figure, axes = plt.subplots(figsize=(8, 0.3 * len(measures) + 1.3))
    palette = sns.color_palette("colorblind", len(cohorts))
    offsets = np.linspace(-0.2, 0.2, len(cohorts)) if len(cohorts) > 1 else np.zeros(1)
    for each in shares:
        place = cohorts.index(each.cohorts)
        y = measures.index(each.measure) + offsets[place]
        axes.plot(100 * each.share, y, "osD"[place % 3], color=palette[place], mec="white", ms=7)
    axes.set_yticks(range(len(measures)), measures, fontsize="small")
    axes.set(ylim=(len(measures) - 0.5, -0.5), xlabel="Trials in which the decision stays (%)")
    axes.set_xlim(right=102)
    handles = [
        Line2D([], [], color=palette[i], marker="osD"[i % 3], ls="none", label=name)
        for i, name in enumerate(cohorts)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def pairs_by_window(
    table: pd.DataFrame, main: tuple[int, int], months: Sequence[int] = SKIN_TARGETS
) -> Figure:
    """Draw the median number of pairs for every combination of windows, one panel per follow-up.

    Parameters
    ----------
    table : DataFrame
        Columns baseline, tolerance, timepoint and n, a row for each cohort.
    main : tuple of int
        Baseline window and tolerance of the main analysis, which is framed.
    months : sequence of int
        Months of the follow-ups, in their order.
    """
    names = list(dict.fromkeys(table["timepoint"]))
    figure, panels = plt.subplots(1, len(names), figsize=(8, 3.4), sharey=True, squeeze=False)
    medians = table.groupby(["timepoint", "baseline", "tolerance"])["n"].median()
    most = float(medians.max())
    for axes, name, month in zip(panels[0], names, months, strict=True):
        grid = medians[name].unstack("tolerance")
        sns.heatmap(
            grid, ax=axes, annot=True, fmt=".0f", cmap="cividis", vmin=0, vmax=most, cbar=False,
            linewidths=1, linecolor="white", annot_kws={"fontsize": "small"},
        )  # fmt: skip
        if main[0] in grid.index and main[1] in grid.columns:
            corner = (grid.columns.get_loc(main[1]), grid.index.get_loc(main[0]))
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec=MISSED, lw=2.5))
        axes.set(title=f"month {month}", xlabel="± months", ylabel="")
        axes.tick_params(length=0)
        axes.spines[:].set_color(GRID)
    panels[0][0].set_ylabel("Oldest baseline (months before)")
    return figure
