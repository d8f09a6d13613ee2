"""Pictures of the methods: the visits of every patient in the windows that count."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ivig_dcssc.figures import GRID, MISSED, PUBLISHED, REACHED
from rederive.retrospective import Windows

ROW = 0.21
"""Height of a patient's row in inches."""


def visits_in_windows(visits: pd.DataFrame, months: pd.DataFrame, windows: Windows) -> Figure:
    """Draw every visit of every patient, the windows, and which visit counts for which.

    Parameters
    ----------
    visits : DataFrame
        Records of one measure: columns patient, month and value.
    months : DataFrame
        Month of the visit that counts, one row per patient and one column per window, NaN where
        there is none; as from `rederive.retrospective.months_used`.
    windows : Windows
        The windows.

    Returns
    -------
    Figure
    """
    patients = list(months.index)
    figure, axes = plt.subplots(figsize=(8, ROW * len(patients) + 1.4))
    _shade(figure, windows)
    rows = {patient: y for y, patient in enumerate(patients)}
    known = visits[visits["value"].notna()]
    heights = [rows[patient] for patient in known["patient"]]
    axes.plot(known["month"], heights, "o", mfc="white", mec="#5b6570", mew=1, ms=4.5, zorder=3)
    centres = {"baseline": -windows.baseline_window / 2}
    centres |= dict(zip(windows.columns, map(float, windows.targets), strict=True))
    for name, centre in centres.items():
        used = months[name].to_numpy(dtype=float)
        at = np.arange(len(patients))
        has = ~np.isnan(used)
        axes.plot(used[has], at[has], "o", color=REACHED, mec="white", mew=0.5, ms=7, zorder=4)
        gap = np.full((~has).sum(), centre)
        axes.plot(gap, at[~has], "x", color=MISSED, ms=5.5, mew=1.8, zorder=4)
    axes.axvline(0, color=PUBLISHED, lw=1.2)
    low = min(known["month"].min(), -windows.baseline_window) - 1
    high = max(known["month"].max(), windows.targets[-1] + windows.tolerance) + 1
    axes.set_xticks(np.arange(6 * np.ceil(low / 6), high + 1, 6))
    axes.set_yticks(range(len(patients)), [str(patient) for patient in patients], fontsize=7)
    axes.set(xlim=(low, high), ylim=(len(patients) - 0.4, -0.6))
    axes.set_xlabel("Months since the month of the first infusion")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="x")
    _legend(figure)
    return figure


def _shade(figure: Figure, windows: Windows) -> None:
    axes = figure.axes[0]
    spans = [(-windows.baseline_window, 0, "baseline")]
    width = windows.tolerance
    spans += [(target - width, target + width, f"month {target}") for target in windows.targets]
    palette = sns.color_palette("colorblind", len(spans))
    for colour, (start, stop, name) in zip(palette, spans, strict=True):
        axes.axvspan(start - 0.5, stop + 0.5, color=colour, alpha=0.22, lw=0, zorder=0)
        position = ((start + stop) / 2, 1.005)
        across = axes.get_xaxis_transform()
        axes.text(*position, name, transform=across, ha="center", va="bottom", fontsize=8)


def _legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], marker="o", color=REACHED, mec="white", ls="none", ms=7, label="counts"),
        Line2D([], [], marker="o", mfc="white", mec="#5b6570", ls="none", label="does not count"),
        Line2D([], [], marker="x", color=MISSED, mew=1.8, ls="none", label="missing"),
        Patch(color=GRID, alpha=0.5, label="window"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
