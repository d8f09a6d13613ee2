"""Figure of a table of specifications: the curve, and below it the choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rederive.book.specification import Specifications
from rederive.style import GRID, MISSED, PUBLISHED, REACHED

AGREED = 0.95
"""Share of data sets that makes a decision clear."""

UNCLEAR = "#8a8f98"
COLUMNS = 240
"""Columns of the panel of choices; with more specifications each column is a share of several."""

_RASTER = 200
_WIDTH = 440
"""Width of the curve's axes in typographic points, roughly."""


def specification_curve(
    table: Specifications,
    title: str,
    published: float | None = None,
    limit: float | None = None,
    decision: str = "yes",
    names: Mapping[str, str] = MappingProxyType({}),
) -> Figure:
    """Draw all specifications by rising value, with the choices that make them below.

    Parameters
    ----------
    table : Specifications
        The result; with a floor the axis of values is logarithmic, values of zero or below being
        left out there.
    title : str
        Title of the figure.
    published : float, optional
        The published value, a line.
    limit : float, optional
        Value on which the decision turns, a dashed line.
    decision : str
        What "yes" means, for the legend.
    names : mapping
        Words for choices and levels that are not to stand as they are.
    """
    ordered = table.ordered()
    ordered = ordered[ordered["value"].notna()].reset_index(drop=True)
    rows = sum(len(levels) for levels in table.levels.values())
    heights = [3.4, 0.165 * rows + 0.2]
    figure, (top, below) = plt.subplots(
        2, 1, figsize=(8, sum(heights) + 0.7), sharex=True, height_ratios=heights, dpi=_RASTER
    )
    _curve(top, ordered, log=table.log_floor is not None)
    lines = []
    if published is not None:
        lines.append(top.axhline(published, color=PUBLISHED, lw=1.5, label="published"))
    if limit is not None:
        line = top.axhline(limit, color=PUBLISHED, lw=1, ls="--", label=f"limit {limit:g}")
        lines.append(line)
    top.set(title=title, ylabel="Result")
    top.grid(visible=False, axis="x")
    top.tick_params(axis="x", labelbottom=False)
    _choices_panel(below, table, ordered, names)
    below.set(xlim=(-0.5, len(ordered) - 0.5), xlabel="Specifications by rising value")
    _curve_legend(figure, ordered, lines, decision)
    return figure


def _colours(decisions: pd.Series[float]) -> npt.NDArray[np.str_]:
    share = decisions.to_numpy(dtype=float)
    conditions = [np.isnan(share), share >= AGREED, share <= 1 - AGREED]
    return np.select(conditions, [PUBLISHED, REACHED, MISSED], UNCLEAR)


def _curve(axes: Axes, ordered: pd.DataFrame, log: bool) -> None:
    places = np.arange(len(ordered))
    if log:
        axes.set_yscale("log", nonpositive="mask")
    if ordered[["low", "high"]].notna().any(axis=None):
        low, high = ordered["low"], ordered["high"]
        if log:
            # Some p are tiny in some cohort; the axis ends one decade below the least median.
            floor = 0.1 * float(ordered["value"][ordered["value"] > 0].min())
            low = low.clip(lower=floor)
            axes.set_ylim(bottom=floor)
        width = max(0.1, min(3.0, _WIDTH / len(ordered)))
        axes.vlines(places, low, high, color=GRID, alpha=0.45, lw=width, rasterized=True)
    size = 3 if len(ordered) > COLUMNS else 14
    colours = _colours(ordered["decision"])
    axes.scatter(places, ordered["value"], s=size, c=colours, lw=0, zorder=3, rasterized=True)


def _choices_panel(
    axes: Axes, table: Specifications, ordered: pd.DataFrame, names: Mapping[str, str]
) -> None:
    count = min(COLUMNS, len(ordered))
    # With fewer columns than specifications, a column has the share of its specifications.
    column = np.arange(len(ordered)) * count // len(ordered)
    sizes = np.bincount(column, minlength=count)
    lines, labels, start = [], [], 0
    for choice in table.choices:
        levels = table.levels[choice]
        for level in levels:
            here = (ordered[choice] == level).to_numpy(dtype=float)
            lines.append(np.bincount(column, here, minlength=count) / sizes)
            labels.append(names.get(str(level), str(level)))
        middle = start + (len(levels) - 1) / 2
        words = names.get(choice, choice.replace("_", " "))
        place = axes.get_yaxis_transform()
        axes.text(1.01, middle, words, transform=place, va="center", fontsize="small")
        start += len(levels)
        axes.axhline(start - 0.5, color=PUBLISHED, lw=0.6)
    extent = (-0.5, len(ordered) - 0.5, len(lines) - 0.5, -0.5)
    axes.imshow(
        np.stack(lines), aspect="auto", extent=extent, cmap="Blues", vmin=0, vmax=1,
        interpolation="nearest",
    )  # fmt: skip
    axes.set_yticks(range(len(labels)), labels, fontsize="xx-small")
    axes.tick_params(length=0)
    axes.grid(visible=False)


def _curve_legend(
    figure: Figure, ordered: pd.DataFrame, lines: Sequence[Line2D], decision: str
) -> None:
    share, many = ordered["decision"].dropna(), f"{100 * AGREED:.0f} %"
    if share.isin([0.0, 1.0]).all() and len(share):
        looks = [(REACHED, decision), (MISSED, f"not: {decision}")]
    elif len(share):
        looks = [
            (REACHED, f"{decision} in at least {many} of the cohorts"),
            (UNCLEAR, "depends on the cohort"),
            (MISSED, f"in at most {100 - 100 * AGREED:.0f} %"),
        ]
    else:
        looks = [(PUBLISHED, "value")]
    handles: list[Artist] = [
        Line2D([], [], color=c, marker="o", ls="none", label=name) for c, name in looks
    ]
    if ordered[["low", "high"]].notna().any(axis=None):
        handles.append(Patch(color=GRID, alpha=0.6, label="range"))
    figure.legend(handles=[*handles, *lines], loc="outside lower center", ncols=3, frameon=False)
