"""The figures of the results on disability, organ function, friction rubs and severity."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ivig_dcssc.figures import GRID, PUBLISHED
from ivig_dcssc.function_results import Flow, Needed
from ivig_dcssc.severity_results import ConventionRange

_MARKERS = "osD^vP"

_SHORT = {
    "Pratt zeros, normal (Stata's signrank)": "Pratt (Stata)",
    "Pratt zeros, normal, continuity correction": "Pratt, continuity correction",
    "zeros dropped, normal": "zeros dropped",
    "zeros dropped, normal, continuity correction (R)": "zeros dropped, continuity corr. (R)",
}
"""Conventions in few words, for a legend."""


def needed_correlations(measures: Sequence[Sequence[Needed]]) -> Figure:
    """Draw the correlation of both visits that each printed p needs, against the pairs.

    Parameters
    ----------
    measures : sequence of sequence of Needed
        For each measure its possible numbers of pairs, rising.
    """
    figure, axes = plt.subplots(figsize=(8, 3.6))
    palette = sns.color_palette("colorblind", len(measures))
    handles = []
    for colour, marker, needed in zip(palette, _MARKERS, measures, strict=False):
        n = [each.n for each in needed]
        low, high = [each.low for each in needed], [each.high for each in needed]
        middle = [(each.low + each.high) / 2 for each in needed]
        for x, start, stop in zip(n, low, high, strict=True):
            axes.plot([x, x], [start, stop], color=colour, lw=5, alpha=0.4, solid_capstyle="butt")
        axes.plot(n, middle, marker=marker, color=colour, ms=5, lw=0.8, mec="white", mew=0.5)
        words = "n printed" if needed[0].stated else "n not printed"
        name = f"{needed[0].measure} ({words})"
        handles.append(Line2D([], [], color=colour, marker=marker, lw=3, label=name))
    axes.set(xlabel="Patients with both values", ylabel="Correlation needed", ylim=(0, 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def rubs(flows: Sequence[Flow]) -> Figure:
    """Draw what became of the patients with friction rubs, one bar for each choice of windows.

    Parameters
    ----------
    flows : sequence of Flow
        Outcomes with their counts; a part is labelled with both.
    """
    figure, axes = plt.subplots(figsize=(8, 0.8 * len(flows) + 1.0))
    palette = sns.color_palette("colorblind")
    colours = {"resolved": palette[0], "continued": palette[3], "unknown": GRID}
    for y, flow in enumerate(flows):
        start = 0
        for word, count in flow.parts:
            colour = colours.get(word, palette[9])
            axes.barh(y, count, left=start, color=colour, edgecolor="white", lw=2, height=0.62)
            dark = word in ("resolved", "continued")
            axes.text(
                start + count / 2,
                y,
                f"{count} {word}".replace(" ", "\n", 1),
                ha="center",
                va="center",
                fontsize="small" if count > 1 else "x-small",
                color="white" if dark else PUBLISHED,
            )
            start += count
    names = [f"{flow.name}:\n{flow.present} with rubs" for flow in flows]
    axes.set_yticks(range(len(flows)), names)
    axes.set(ylim=(len(flows) - 0.5, -0.5), xlabel="Patients with friction rubs at baseline")
    most = max(flow.present for flow in flows)
    axes.set(xlim=(0, most), xticks=range(most + 1))
    axes.grid(visible=False, axis="y")
    return figure


def signed_rank_conventions(ranges: Sequence[ConventionRange], alpha: float) -> Figure:
    """Draw p of the severity scores in the cohorts under every convention.

    Parameters
    ----------
    ranges : sequence of ConventionRange
        Least, median and greatest p of each organ and convention.
    alpha : float
        Significance level.
    """
    organs = list(dict.fromkeys(each.organ for each in ranges))
    conventions = list(dict.fromkeys(each.convention for each in ranges))
    figure, axes = plt.subplots(figsize=(8, 0.75 * len(organs) + 1.6))
    palette = sns.color_palette("colorblind", len(conventions))
    offsets = np.linspace(-0.3, 0.3, len(conventions))
    for each in ranges:
        place = conventions.index(each.convention)
        y = organs.index(each.organ) + offsets[place]
        axes.plot([each.least, each.greatest], [y, y], color=palette[place], lw=3, alpha=0.55)
        axes.plot(each.median, y, _MARKERS[place], color=palette[place], mec="white", ms=7)
    for y, organ in enumerate(organs):
        printed = next(each.printed for each in ranges if each.organ == organ)
        axes.plot([printed, printed], [y - 0.42, y + 0.42], color=PUBLISHED, lw=1.2)
    axes.axvline(alpha, color=PUBLISHED, lw=1, ls="--")
    axes.set_yticks(range(len(organs)), organs)
    axes.set(xscale="log", ylim=(len(organs) - 0.5, -0.5), xlabel="p (logarithmic scale)")
    axes.set_xticks([0.05, 0.1, 0.2, 0.5, 1], ["0.05", "0.1", "0.2", "0.5", "1"])
    axes.minorticks_off()
    axes.grid(visible=False, axis="y")
    handles = [
        Line2D([], [], color=palette[i], marker=_MARKERS[i], lw=3, label=_SHORT.get(name, name))
        for i, name in enumerate(conventions)
    ]
    handles.append(Line2D([], [], color=PUBLISHED, lw=1.2, label="published p"))
    handles.append(Line2D([], [], color=PUBLISHED, lw=1, ls="--", label=f"α = {alpha:g}"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure
