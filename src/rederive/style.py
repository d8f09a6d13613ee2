"""One style for all figures: light ground, colour-blind safe, the same bytes in every run."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from IPython.core.getipython import get_ipython
from IPython.core.pylabtools import print_figure
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import NullLocator
from matplotlib.transforms import Bbox
from matplotlib_inline.backend_inline import set_matplotlib_formats

REACHED, MISSED, PUBLISHED, GRID = "#0072b2", "#d55e00", "#222222", "#9aa1a9"
"""Colours from the palette of Okabe and Ito: reached, not reached; published; guide lines."""

_NO_DATE = {"Date": None, "Creator": None}

POSITION_DECIMALS = 7
"""Decimals of the position of axes, as a share of the figure."""


def use_style() -> None:
    """Set the style of all figures: SVG with fixed ids, so that two runs give equal bytes.

    Tables show the whole of a text.
    """
    pd.options.display.max_colwidth = None
    sns.set_theme(style="whitegrid", context="notebook")
    plt.rcParams.update(
        {
            "svg.hashsalt": "rederive",
            "svg.fonttype": "path",
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
        }
    )
    set_matplotlib_formats("svg", metadata=_NO_DATE)
    # IPython shows every figure at the end of its cell; pyplot would draw it once more before that.
    plt.uninstall_repl_displayhook()
    shell = get_ipython()
    if shell is not None and shell.display_formatter is not None:
        shell.display_formatter.formatters["image/svg+xml"].for_type(Figure, settled_svg)


def settled_svg(figure: Figure) -> str:
    """Return a figure as SVG that is the same in every run.

    The layout is solved by an iteration whose last bits can differ from run to run, and the ids in
    an SVG are made of positions; so these are rounded first. Layout and drawing are each worked out
    once, where the defaults lay out and draw a figure three times; what is laid out needs no search
    for its margins. Marks between powers of ten, which this style does not show, are left out.
    """
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        if axis.get_scale() == "log" and high >= 100 * low:  # in a shorter range they have labels
            axis.set_minor_locator(NullLocator())
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    with plt.rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
    for axes in figure.axes:
        bounds, counts = axes.get_position(original=True).bounds, axes.get_in_layout()
        rounded = (round(float(end), POSITION_DECIMALS) for end in bounds)
        axes.set_position(Bbox.from_bounds(*rounded))
        # A position that is set by hand takes axes out of what is kept when the margins are cut.
        axes.set_in_layout(counts)
    if isinstance(engine, ConstrainedLayoutEngine):
        box = figure.bbox_inches.padded(-engine.get()["w_pad"])
    else:
        box = figure.get_tightbbox()
    box = box.padded(plt.rcParams["savefig.pad_inches"])
    return str(print_figure(figure, "svg", bbox_inches=box, metadata=_NO_DATE))
