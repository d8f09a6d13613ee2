"""The style of all figures: an SVG is the same in every run."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.pylabtools import print_figure
from matplotlib.figure import Figure

from rederive import style


def drawn(nudge: float) -> Figure:
    """Return a figure with clipped lines and a colour bar, its layout off by a few bits."""
    style.use_style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 3))
    left.plot([0, 1, 5], label="line")
    left.legend()
    figure.colorbar(right.imshow(np.arange(4).reshape(2, 2)), ax=right)
    figure.suptitle("title")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        counts = axes.get_in_layout()
        bounds = axes.get_position(original=True).bounds
        axes.set_position([end + nudge for end in bounds])
        axes.set_in_layout(counts)
    plt.close(figure)
    return figure


def test_the_last_bits_of_a_layout_do_not_reach_the_svg() -> None:
    assert style.settled_svg(drawn(0.0)) == style.settled_svg(drawn(3e-13))


def test_without_rounding_they_do() -> None:
    plain = [print_figure(drawn(nudge), "svg", metadata={"Date": None}) for nudge in (0.0, 3e-13)]
    assert plain[0] != plain[1]


def test_rounding_moves_nothing_that_can_be_seen() -> None:
    style.use_style()
    figure, axes = plt.subplots(figsize=(4, 3))
    axes.plot([0, 1])
    figure.draw_without_rendering()
    before = np.array(axes.get_position().bounds)
    text = style.settled_svg(figure)
    plt.close(figure)
    assert np.abs(np.array(axes.get_position().bounds) - before).max() < 1e-6
    assert 'width="' in text and "</svg>" in text


def size(svg: str) -> list[float]:
    found = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    assert found
    return [float(each) for each in found.groups()]


@pytest.mark.parametrize("place", [(0.0, 1.0), (-0.4, 1.2)])
def test_margins_that_are_laid_out_are_those_that_a_search_finds(
    place: tuple[float, float],
) -> None:
    style.use_style()
    figure, axes = plt.subplots(figsize=(4, 3))
    axes.loglog([1e-4, 1], [1, 5], label="line")
    axes.set(xlabel="far below", ylabel="far left", title="above")
    axes.legend(bbox_to_anchor=place)
    laid = size(style.settled_svg(figure))
    searched = size(print_figure(figure, "svg", bbox_inches="tight"))
    plt.close(figure)
    np.testing.assert_allclose(laid, searched, atol=2)


def test_marks_between_powers_of_ten_are_drawn_only_where_they_have_labels() -> None:
    style.use_style()
    figure, (wide, narrow) = plt.subplots(1, 2)
    wide.plot([1e-3, 1], [0, 1])
    narrow.plot([0.2, 0.7], [0, 1])
    for axes in (wide, narrow):
        axes.set_xscale("log")
    style.settled_svg(figure)
    labels = [
        [label.get_text() for label in axes.get_xticklabels(minor=True)] for axes in (wide, narrow)
    ]
    plt.close(figure)
    assert not labels[0]
    assert any(labels[1])
