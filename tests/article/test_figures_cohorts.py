"""Figures of the skin score: what they show of the figures."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from ivig_dcssc import figures_skin, skin_results
from ivig_dcssc.article import open_ledger
from ivig_dcssc.figures import PUBLISHED
from ivig_dcssc.shipped import TEACHING
from rederive.book.ledger import Ledger


@pytest.fixture(scope="module", params=["gaussian", "own"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "own":
        return open_ledger(cohort_folder=f"data/cohorts/{TEACHING}")
    return open_ledger(prior=request.param)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def legend(figure: Figure) -> str:
    return " ".join(text.get_text() for box in figure.legends for text in box.get_texts())


def test_every_legend_says_synthetic_where_cohorts_are(ledger: Ledger) -> None:
    found = skin_results.responder_predictions(ledger)
    drawn = [
        figures_skin.mean_over_time(ledger),
        figures_skin.paired_p_values(ledger),
        figures_skin.courses(ledger),
        figures_skin.responders(ledger, found),
        figures_skin.responder_curve(ledger, skin_results.curve(ledger)),
    ]
    synthetic = not ledger.cohorts.choices.cohort_folder  # type: ignore[union-attr]
    for figure in drawn:
        assert ("synthetic" in legend(figure)) is synthetic
        assert figure.get_size_inches()[0] == 8


def test_published_means_are_drawn_at_their_months(ledger: Ledger) -> None:
    (axes,) = figures_skin.mean_over_time(ledger).axes
    lines = [
        line for line in axes.lines if line.get_color() == PUBLISHED and line.get_marker() == "o"
    ]
    assert [list(map(float, line.get_xdata())) for line in lines] == [[0, 6, 12, 18, 24]]
    assert [float(y) for y in lines[0].get_ydata()] == [29.6, 24.1, 22.5, 20.6, 15.3]
