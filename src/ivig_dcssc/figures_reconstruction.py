"""Figures of the page on reconstruction: columns, cohorts, spreads, bounds and predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ivig_dcssc.cohort.skin import THRESHOLD
from ivig_dcssc.cohort_groups import label_of
from ivig_dcssc.figures import GRID, MISSED, PUBLISHED, REACHED
from ivig_dcssc.reconstruction import Uniform
from ivig_dcssc.reconstruction_bounds import Curve, Left, Predicted
from rederive.book.render import TIMEPOINTS as TIMES_IN_WORDS
from rederive.reconstruct.block import Statistic

Floats = npt.NDArray[np.float64]

PRIOR_LOOKS = {"gaussian": ("#0072b2", "o"), "flat": ("#d55e00", "s"), "bimodal": ("#009e73", "^")}
"""Colour (palette of Okabe and Ito) and marker of each prior."""

_PANELS = (
    ("Mean score", (Statistic.MEAN,), "points"),
    ("SD of the scores", (Statistic.SD,), "points"),
    ("Mean change", (Statistic.CHANGE_MEAN,), "points"),
    ("SD of the change", (Statistic.CHANGE_SD,), "points"),
    ("p of the change", (Statistic.PAIRED_P,), "p, logarithmic scale"),
    ("Responders", (Statistic.RESPONDERS,), "patients"),
)
_LEAST_DRAWN_P = 1e-9


def column_profiles(drawn: Sequence[Uniform]) -> Figure:
    """Draw how many patients have each score when every column is equally likely.

    Parameters
    ----------
    drawn : sequence of Uniform
        Draws of each time point.
    """
    figure, axes = plt.subplots(len(drawn), 1, figsize=(8, 1.35 * len(drawn) + 0.6), sharex=True)
    for ax, each in zip(axes, drawn, strict=True):
        summary = each.column.summary
        mean, sd = float(summary.mean.value), _sd(each)
        ax.axvspan(mean - sd, mean + sd, color=GRID, alpha=0.25, lw=0)
        ax.axvline(mean, color=PUBLISHED, lw=1.5)
        scores = np.arange(len(each.patients_by_score))
        ax.bar(scores, each.patients_by_score, width=0.9, color=REACHED, alpha=0.8, lw=0)
        ax.set_title(
            f"{each.column.name}: mean {summary.mean}, SD {summary.sd}, {summary.n} patients",
            fontsize="small",
        )
        ax.grid(visible=False, axis="x")
        ax.tick_params(labelsize="small")
    axes[-1].set_xlabel("Skin score")
    axes[-1].set_xlim(-1, len(drawn[0].patients_by_score))
    figure.supylabel("Patients at this score (mean over columns)", fontsize="small")
    return figure


def _sd(each: Uniform) -> float:
    return 0.0 if each.column.summary.sd is None else float(each.column.summary.sd.value)


def column_shapes(each: Uniform) -> Figure:
    """Draw four columns that print the same mean and SD, one dot for each patient.

    Parameters
    ----------
    each : Uniform
        Draws of one time point.
    """
    shapes = each.shapes()
    figure, axes = plt.subplots(len(shapes), 1, figsize=(8, 1.15 * len(shapes) + 0.4), sharex=True)
    mean, sd = float(each.column.summary.mean.value), _sd(each)
    for ax, (name, scores) in zip(axes, shapes.items(), strict=True):
        ax.axvspan(mean - sd, mean + sd, color=GRID, alpha=0.25, lw=0)
        ax.axvline(mean, color=PUBLISHED, lw=1.5)
        ax.plot(scores, _heights(scores), "o", color=REACHED, mec="white", ms=6, ls="none")
        ax.set_title(name, fontsize="small")
        ax.set(yticks=[], ylim=(0, max(5, 1 + float(np.bincount(scores).max()))))
        ax.grid(visible=False, axis="y")
        ax.tick_params(labelsize="small")
    axes[-1].set_xlim(-1, each.column.summary.high + 1)
    axes[-1].set_xlabel(
        f"Skin score at {each.column.name}: in all four mean {each.column.summary.mean}, "
        f"SD {each.column.summary.sd}"
    )
    return figure


def _heights(scores: npt.NDArray[np.int64]) -> list[int]:
    """Return the place of each dot in its pile."""
    piles: dict[int, int] = {}
    heights = []
    for score in scores.tolist():
        piles[score] = piles.get(score, 0) + 1
        heights.append(piles[score])
    return heights


def cohorts(trajectories: pd.DataFrame, chosen: Mapping[str, int]) -> Figure:
    """Draw the skin scores of several cohorts that print the same figures.

    Parameters
    ----------
    trajectories : DataFrame
        As :meth:`ivig_dcssc.reproduced.CohortResults.trajectories` returns it.
    chosen : mapping of str to int
        Cohorts by the title of their panel.
    """
    rows = -(-len(chosen) // 2)
    figure, grid = plt.subplots(rows, 2, figsize=(8, 2.5 * rows + 0.8), sharex=True, sharey=True)
    for ax, (title, number) in zip(np.ravel(grid), chosen.items(), strict=True):
        own = trajectories[trajectories["cohort"] == number]
        for _, patient in own.groupby("patient", observed=True):
            responded = patient["responder_m6"].iloc[0]
            colour, line = (REACHED, "-") if responded == 1 else (MISSED, (0, (4, 2)))
            if np.isnan(responded):
                colour, line = GRID, ":"
            ax.plot(
                patient["month"], patient["value"], color=colour, ls=line, lw=1, alpha=0.7, zorder=2
            )
        groups = own.groupby("month")["value"]
        ax.errorbar(
            groups.mean().index,
            groups.mean(),
            groups.std(),
            color=PUBLISHED,
            fmt="D-",
            ms=5,
            lw=2,
            capsize=4,
            zorder=3,
        )
        ax.set_title(title, fontsize="small")
        ax.set(xticks=sorted(own["month"].unique()), ylim=(0, 51))
        ax.tick_params(labelsize="small")
    for ax in grid[-1]:
        ax.set_xlabel("Months (time points)", fontsize="small")
    figure.supylabel("Skin score", fontsize="small")
    handles = [
        Line2D([], [], color=REACHED, label=f"fell by {THRESHOLD} or more at 6 months"),
        Line2D([], [], color=MISSED, ls=(0, (4, 2)), label="did not"),
        Line2D([], [], color=GRID, ls=":", label="missing at 6 months"),
        Line2D([], [], color=PUBLISHED, marker="D", lw=2, label="mean and SD"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def spreads(found: Sequence[Left]) -> Figure:
    """Draw what is not printed: intervals over cohorts of each prior, and brackets of bounds.

    Parameters
    ----------
    found : sequence of Left
        Quantities, one panel each.
    """
    rows = -(-len(found) // 2)
    figure, grid = plt.subplots(rows, 2, figsize=(8, 1.35 * rows + 0.9))
    panels = list(np.ravel(grid))
    for ax, each in zip(panels, found, strict=False):
        for y, (prior, values) in enumerate(each.values.items()):
            _interval(ax, values, y, prior)
        if each.bound is not None:
            _bracket(ax, each.bound.low.limit, each.bound.high.limit, len(each.values))
        ax.set_title(each.name, fontsize="small")
        ax.set(ylim=(len(each.values) + 0.6, -0.6), yticks=range(len(each.values)))
        ax.set_yticklabels([label_of(prior) for prior in each.values], fontsize="small")
        ax.tick_params(labelsize="small")
        ax.grid(visible=False, axis="y")
    for ax in panels[len(found) :]:
        ax.set_visible(False)
    handles = [
        Line2D([], [], color=GRID, lw=2, label="95 % of the cohorts"),
        Line2D([], [], color=GRID, lw=7, label="50 %, with the median"),
        Line2D([], [], color=PUBLISHED, lw=1.5, marker="|", ms=10, label="bounds over all data"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _interval(ax: Axes, values: Floats, y: float, prior: str, thick: float = 7) -> None:
    colour, marker = PRIOR_LOOKS[prior]
    low, quarter, middle, upper, high = np.quantile(values, [0.025, 0.25, 0.5, 0.75, 0.975])
    ax.plot([low, high], [y, y], color=colour, lw=2, solid_capstyle="butt")
    ax.plot([quarter, upper], [y, y], color=colour, lw=thick, solid_capstyle="butt", alpha=0.5)
    ax.plot(middle, y, marker=marker, color=colour, mec="white", ms=7)


def _bracket(ax: Axes, low: float, high: float, y: float) -> None:
    ax.plot([low, high], [y, y], color=PUBLISHED, lw=1.5, marker="|", ms=11, mew=1.5)


def responder_curves(curves: Sequence[Curve]) -> Figure:
    """Draw how many patients respond by threshold: bounds, cohorts of each prior, printed count.

    Parameters
    ----------
    curves : sequence of Curve
        One for each month.
    """
    figure, axes = plt.subplots(1, len(curves), figsize=(8, 4), sharey=True)
    for ax, curve in zip(axes, curves, strict=True):
        for t, ends in zip(curve.thresholds, curve.bounds, strict=True):
            if ends is None:
                continue
            own = t == THRESHOLD
            ax.bar(
                t,
                ends[1] - ends[0],
                bottom=ends[0],
                width=0.9,
                color="none" if own else GRID,
                alpha=1 if own else 0.3,
                ec=PUBLISHED if own else GRID,
                ls="--" if own else "-",
                lw=1,
            )
        thresholds = np.array(curve.thresholds, float)
        for shift, (prior, values) in zip((-0.25, 0, 0.25), curve.values.items(), strict=True):
            colour, marker = PRIOR_LOOKS[prior]
            low, middle, high = np.quantile(values, [0.025, 0.5, 0.975], axis=0)
            ax.vlines(thresholds + shift, low, high, color=colour, lw=1.5)
            ax.plot(thresholds + shift, middle, marker=marker, color=colour, ms=3.5, ls="none")
        ax.plot(float(THRESHOLD), curve.printed, marker="D", color=PUBLISHED, ms=8, ls="none")
        ax.set_title(TIMES_IN_WORDS[curve.at], fontsize="medium")
        ax.set_xlabel("Fall of at least … points")
        ax.set_xticks(range(1, max(curve.thresholds) + 1, 2))
    axes[0].set_ylabel("Patients")
    axes[0].set_ylim(bottom=0)
    handles = [
        *(
            Line2D(
                [],
                [],
                color=colour,
                marker=marker,
                lw=1.5,
                label=f"{label_of(prior)}: median, 95 %",
            )
            for prior, (colour, marker) in PRIOR_LOOKS.items()
        ),
        Patch(color=GRID, alpha=0.3, label="bounds over all data"),
        Patch(fc="none", ec=PUBLISHED, ls="--", label="bounds without the printed count"),
        Line2D([], [], color=PUBLISHED, marker="D", ls="none", label="printed count"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def predictions(found: Sequence[Predicted]) -> Figure:
    """Draw every predicted figure: intervals of each prior, bounds, and what is printed.

    Parameters
    ----------
    found : sequence of Predicted
        All skin-score figures under one reading.
    """
    groups = [
        (title, unit, [each for each in found if each.figure.statistic in kinds])
        for title, kinds, unit in _PANELS
    ]
    heights = [len(group) + 0.9 for _, _, group in groups]
    figure, axes = plt.subplots(
        len(groups), 1, figsize=(8, 0.62 * sum(heights)), height_ratios=heights
    )
    for ax, (title, unit, group) in zip(axes, groups, strict=True):
        _prediction_panel(ax, group)
        ax.set_title(f"{title} ({unit})", fontsize="small")
        ax.tick_params(labelsize="small")
        ax.grid(visible=False, axis="y")
    handles = [
        *(
            Line2D(
                [], [], color=colour, marker=marker, lw=2, label=f"{label_of(prior)}: median, 95 %"
            )
            for prior, (colour, marker) in PRIOR_LOOKS.items()
        ),
        Patch(color=GRID, alpha=0.35, label="bounds from the other figures"),
        Line2D([], [], color=PUBLISHED, marker="|", ms=14, mew=2.5, ls="none", label="printed"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _prediction_panel(ax: Axes, group: Sequence[Predicted]) -> None:
    least = 0.0
    if group[0].figure.statistic is Statistic.PAIRED_P:
        least = _LEAST_DRAWN_P
        ax.set(xscale="log", xlim=(least, 1))
    for y, each in enumerate(group):
        if each.bound is not None:
            low, high = (max(end, least) if least else end for end in _ends(each))
            ax.barh(y, high - low, left=low, height=0.86, color=GRID, alpha=0.35, lw=0)
        for shift, (prior, values) in zip((-0.24, 0, 0.24), each.draws.items(), strict=False):
            colour, marker = PRIOR_LOOKS[prior]
            ends = np.quantile(values, [0.025, 0.5, 0.975])
            low, middle, high = np.maximum(ends, least) if least else ends
            ax.plot([low, high], [y + shift] * 2, color=colour, lw=2, solid_capstyle="butt")
            ax.plot(middle, y + shift, marker=marker, color=colour, mec="white", ms=5.5)
        printed = float(each.figure.printed.value)
        ax.plot([printed, printed], [y - 0.43, y + 0.43], color=PUBLISHED, lw=2.5, zorder=1.9)
    ax.set_yticks(range(len(group)), [TIMES_IN_WORDS[each.figure.at] for each in group])
    ax.set_ylim(len(group) - 0.4, -0.6)


def _ends(each: Predicted) -> tuple[float, float]:
    if each.bound is None:
        raise ValueError(f"{each.figure.id}: found no bounds, allowed: a figure with bounds")
    return each.bound.low.limit, each.bound.high.limit
