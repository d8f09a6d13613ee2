"""The figures of the book, in one style: light ground, colour-blind safe, words beside colours."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ivig_dcssc.baseline import p_by_cell
from ivig_dcssc.controls import COMPARATORS, MONTHS, NeededSize, p_id
from ivig_dcssc.style import GRID, MISSED, PUBLISHED, REACHED, settled_svg, use_style
from ivig_dcssc.treatment import Frequency
from rederive.book.ledger import Ledger
from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule
from rederive.recompute.t_formulas import STUDENT, WELCH

__all__ = ["GRID", "MISSED", "PUBLISHED", "REACHED", "settled_svg", "use_style"]

_SHORT_TESTS = {
    STUDENT.name: "Student\nt",
    WELCH.name: "Welch\nt",
    "Student t on 0/1": "Student\n0/1",
    "Welch t on 0/1": "Welch\n0/1",
    "χ² with Yates' correction": "χ²\nYates",
    "Fisher's exact test": "Fisher\nexact",
}
"""Names of tests short enough for an axis."""


def control_p_values(ledger: Ledger) -> Figure:
    """Draw the reachable p of each comparison with a control, and the published p in its band.

    Every convention that uses the comparators' size at baseline is one line.
    """
    lines: list[tuple[str, float, float, float, bool]] = []
    bands: list[tuple[int, int, float, float, float]] = []
    for timepoint, groups in COMPARATORS.items():
        for group in groups:
            outcome = ledger.recomputed(p_id(group, timepoint))
            start = len(lines)
            for reach in outcome.reaches:
                if reach.point is not None:
                    name = reach.convention.replace(" (pooled variance)", "")
                    name = name.replace(" as at baseline", "")
                    label = f"{group}, month {MONTHS[timepoint]}: {name}"
                    lines.append((label, reach.low, reach.high, reach.point, reach.meets))
            if outcome.printed is not None:
                target = outcome.printed.interval(ledger.settings.rule, P_VALUE_DOMAIN)
                value = float(outcome.printed.value)
                bands.append((start, len(lines), target.lower, target.upper, value))
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(lines) + 1.2))
    for start, stop, low, high, value in bands:
        axes.fill_betweenx(
            [start - 0.5, stop - 0.5], low, high, color=GRID, alpha=0.9, lw=1.5, ec=GRID
        )
        axes.plot([value, value], [start - 0.5, stop - 0.5], color=PUBLISHED, lw=1.5)
        axes.axhline(stop - 0.5, color=GRID, lw=0.8)
    for y, (_, low, high, point, meets) in enumerate(lines):
        colour = REACHED if meets else MISSED
        axes.plot([low, high], [y, y], color=colour, lw=9, solid_capstyle="butt", alpha=0.55)
        axes.plot(point, y, marker="o" if meets else "X", color=colour, mec="white", ms=6)
    axes.axvline(ledger.settings.alpha, color=PUBLISHED, lw=1, ls="--")
    axes.set(xscale="log", xlabel="p (logarithmic scale)", ylim=(len(lines) - 0.5, -0.5))
    axes.set_yticks(range(len(lines)), [label for label, *_ in lines])
    axes.grid(visible=False, axis="y")
    _legend(figure, ledger.settings.alpha)
    return figure


def _legend(figure: Figure, alpha: float) -> None:
    handles = [
        Line2D([], [], color=REACHED, marker="o", lw=5, label="reaches the published p"),
        Line2D([], [], color=MISSED, marker="X", lw=5, label="does not reach it"),
        Line2D([], [], color=PUBLISHED, lw=1.5, label="published p"),
        Patch(color=GRID, alpha=0.5, label="its rounding interval"),
        Line2D([], [], color=PUBLISHED, lw=1, ls="--", label=f"α = {alpha:g}"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)


def comparator_sizes(sizes: Sequence[NeededSize]) -> Figure:
    """Draw the comparator sizes that the printed p values need, and the sizes at baseline.

    Parameters
    ----------
    sizes : sequence of NeededSize
        As solved, one for each comparator and convention.
    """
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(sizes) + 1.2))
    for y, size in enumerate(sizes):
        if size.jointly:
            colour = REACHED if size.at_baseline in size.jointly else MISSED
            ends = [size.jointly[0], size.jointly[-1]]
            axes.plot(ends, [y, y], color=colour, lw=7, solid_capstyle="butt")
        else:
            axes.text(2, y, "no size will do", color=MISSED, va="center", fontsize="small")
        axes.plot(size.at_baseline, y, marker="D", color=PUBLISHED, ms=7, ls="none")
    names = [f"{size.comparator}: {size.convention}" for size in sizes]
    names = [name.replace(" (pooled variance)", "") for name in names]
    axes.set_yticks(range(len(sizes)), names)
    axes.set(ylim=(len(sizes) - 0.5, -0.5), xlabel="Patients in the comparator at follow-up")
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    handles = [
        Line2D([], [], color=REACHED, lw=7, label="sizes needed, n at baseline among them"),
        Line2D([], [], color=MISSED, lw=7, label="sizes needed, n at baseline not among them"),
        Line2D([], [], color=PUBLISHED, marker="D", ls="none", label="n at baseline (Table 1)"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def asterisks(ledger: Ledger) -> Figure:
    """Draw for every compared cell of Table 1 whether each test gives the published decision."""
    cells = p_by_cell(ledger)
    rows = list(dict.fromkeys((str(c["variable"]), str(c["group"])) for c in cells))
    tests = list(dict.fromkeys(str(c["convention"]).split(" (comparator")[0] for c in cells))
    figure, axes = plt.subplots(figsize=(8, 0.27 * len(rows) + 1.6))
    looks = {"always": ("o", REACHED), "can": ("s", GRID), "never": ("X", MISSED)}
    for cell in cells:
        if "(comparator" in str(cell["convention"]):
            continue
        x = tests.index(str(cell["convention"]))
        y = rows.index((str(cell["variable"]), str(cell["group"])))
        marker, colour = looks[str(cell["agrees"])]
        axes.plot(x, y, marker=marker, color=colour, ms=8, ls="none")
    starred = {(str(c["variable"]), str(c["group"])) for c in cells if c["asterisk"]}
    labels = [f"{name}, {group}{' *' if (name, group) in starred else ''}" for name, group in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize="small")
    axes.set_xticks(range(len(tests)), [_SHORT_TESTS.get(test, test) for test in tests])
    axes.tick_params(axis="x", labelsize="small", top=True, labeltop=True, labelbottom=False)
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(-0.5, len(tests) - 0.5))
    handles = [
        Line2D([], [], marker="o", color=REACHED, ls="none", label="published decision holds"),
        Line2D([], [], marker="s", color=GRID, ls="none", label="open within rounding"),
        Line2D([], [], marker="X", color=MISSED, ls="none", label="published decision fails"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def rounding_interval(number: PrintedNumber) -> Figure:
    """Draw the true values that each rounding rule prints as one figure.

    Parameters
    ----------
    number : PrintedNumber
        The printed figure.
    """
    rules = list(RoundingRule)
    figure, axes = plt.subplots(figsize=(8, 2.2))
    for y, rule in enumerate(rules):
        interval = number.interval(rule)
        axes.plot([interval.lower, interval.upper], [y, y], color=REACHED, lw=3)
        ends = ((interval.lower, interval.low_closed), (interval.upper, interval.high_closed))
        for x, closed in ends:
            axes.plot(x, y, "o", mfc=REACHED if closed else "white", mec=REACHED, ms=9, mew=2)
    axes.axvline(float(number.value), color=PUBLISHED, lw=1.5)
    axes.set_yticks(range(len(rules)), [str(rule) for rule in rules])
    axes.set(ylim=(len(rules) - 0.5, -0.5), xlabel="True value")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.{number.decimals + 2}f}")
    return figure


def frequencies(rows: Sequence[Frequency]) -> Figure:
    """Draw counts of patients as shares of the cohort, with their confidence intervals.

    Parameters
    ----------
    rows : sequence of Frequency
        Counts, the most frequent first.
    """
    figure, axes = plt.subplots(figsize=(8, 0.3 * len(rows) + 0.9))
    for y, row in enumerate(rows):
        axes.plot([row.low, row.high], [y, y], color=GRID, lw=2)
        axes.plot(row.percent, y, "o", color=REACHED, ms=8)
    labels = [f"{row.label} ({row.count})" for row in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize="small")
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel="Share of the cohort in percent")
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    return figure
