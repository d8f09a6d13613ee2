"""Words, tables and figures of the page on the multiverse, on a smaller grid of choices."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from ivig_dcssc import figures_specification as pictures
from ivig_dcssc import multiverse_page as page
from ivig_dcssc.multiverse import RESULTS, Axes, Multiverse
from ivig_dcssc.reproduced import load_ensembles
from rederive.book.specification import Specifications
from rederive.parameters import ParameterError
from rederive.printed.registry import load_registry

AXES = Axes(
    baseline_window=(0, 2, 3, 4),
    followup_tolerance=(0, 2, 3),
    responder_threshold=(3, 5, 10),
    prior=("flat", "bimodal"),
)


@pytest.fixture(scope="module")
def universe(root) -> Multiverse:
    registry = load_registry(root / "data" / "published")
    return Multiverse(load_ensembles(root), registry, AXES)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def dots(figure) -> np.ndarray:
    scatter = [each for each in figure.axes[0].collections if isinstance(each, PathCollection)]
    return np.asarray(scatter[0].get_offsets())


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match="did you mean 'responders_m12'"):
        page.open_multiverse("responder_m12")
    with pytest.raises(ParameterError, match="alpha"):
        page.open_multiverse("p_m6", alpha=2.0)
    with pytest.raises(ParameterError, match="prior"):
        page.open_multiverse("p_m6", prior="gausian")


def test_a_single_prior_is_an_axis_of_one():
    one, result = page.open_multiverse("p_m6", alpha=0.01, prior="flat")
    assert one.axes.prior == ("flat",)
    assert one.alpha == 0.01
    assert result is RESULTS["p_m6"]
    text = " ".join(page.result_in_words(one, result))
    assert "p < 0.01" in text
    assert "prior" not in text


def test_the_size_is_said_as_it_is(universe):
    text = " ".join(page.size_in_words(universe))
    assert f"{4 * 3 * 3 * 3 * 5 * 2 * 2 * 2:,} specifications" in text
    assert "400 reconstructed, synthetic cohorts (prior flat and bimodal)" in text
    kept = [universe.cohorts("-8.0", prior) for prior in AXES.prior]
    assert f"keeps those that print it: {kept[0]} and {kept[1]}." in text
    assert f"of 36 combinations of windows and rule {universe.distinct_windows} differ" in text


def test_what_the_prior_decides_is_said(universe):
    text = " ".join(page.honesty_in_words(universe))
    assert "every cohort prints the figures of the IVIG group" in text
    assert "Comparisons with controls are not calibrated" in text
    assert "the size is that at baseline" in text
    assert "variance of log10 p" in text
    assert "p below 1e-12 counts as 1e-12" in text
    assert "*predictions*" in text
    assert "From 3 months on, a wider baseline window changes nothing" in text
    assert "With a tolerance of 0 or 2 it does not matter" in text


def test_records_name_what_is_published_and_what_flips(universe):
    rows = {str(row["Result"]): row for row in page.result_records(universe)}
    assert len(rows) == 13
    own = rows["p of the difference in change against collagen, month 12"]
    frame = universe.table("p_against_collagen_m12").frame
    assert own["Published"] == "0.005"
    assert len(frame) == 4 * 3 * 3 * 2 * 2 * 2
    # Baseline windows 3 and 4 are the same, so are all rules at tolerances 0 and 2, and the closest
    # and the first visit at 3.
    others = (frame["baseline_window"] != 4) & (
        (frame["visit_rule"] == "closest")
        | ((frame["followup_tolerance"] == 3) & (frame["visit_rule"] == "last"))
    )
    once = frame[others]
    assert own["Specifications (distinct)"] == f"{len(frame)} ({len(once)})"
    shares = [f"{100 * (each['decision'] > 0.5).mean():.0f} %" for each in (frame, once)]
    assert own["Yes in most cohorts; of distinct"] == "; ".join(shares)
    responders = rows["responders in percent, month 12"]
    assert responders["Published"] == "60.0 (from counts)"
    assert str(responders["Flips most often by"]).startswith("responder threshold")
    assert (
        rows["p of the difference in change against MMF, month 12"][
            "Yes in most cohorts; of distinct"
        ]
        == "0 %; 0 %"
    )


def test_findings_put_every_p_in_one_sentence(universe):
    text = " ".join(page.findings_in_words(universe))
    for result in RESULTS.values():
        assert text.count(result.in_words) == (1 if result.is_p else 0), result.name
    assert "In more than half of the cohorts below the level in no specification" in text
    name = "p_against_mmf_m6"
    greatest = universe.table(name).frame["decision"].max()
    assert f"{RESULTS[name].in_words} (in at most {100 * greatest:.0f} % of them)" in text
    missing = max(
        np.isnan(universe.values(each)[..., universe._priors == prior]).mean(axis=-1).max()
        for each in RESULTS.values()
        if each.is_p
        for prior in AXES.prior
    )
    assert "counts as not below" in text
    shown = float(text.split("that is at most ")[1].split(" %")[0])
    # The narrower reading keeps fewer cohorts, so its greatest share may be larger.
    assert shown >= np.floor(100 * missing) > 0


def test_a_p_against_a_control_is_said_not_to_be_calibrated(universe):
    result = RESULTS["p_against_mmf_m6"]
    text = " ".join(page.result_in_words(universe, result))
    assert "was not what the cohorts were made to print" in text
    low, high = universe.rounding_band(result)
    held = int(((low <= 0.2565) & (high >= 0.2555)).sum())
    assert f"of the IVIG group's, in {held} of {low.size}." in text
    assert "made to print" not in " ".join(page.result_in_words(universe, RESULTS["p_m6"]))


def test_choices_have_their_levels_and_the_articles(universe):
    rows = {str(row["Choice"]): row for row in page.choice_records(universe)}
    assert rows["baseline window"]["In the article"] == "3"
    assert rows["two-sample t test"]["In the article"] == "not stated; ours: Student"
    assert rows["prior"]["In the article"] == "not stated"
    assert [row["Number"] for row in rows.values()] == [4, 3, 3, 3, 5, 2, 2, 2]


def test_the_curve_has_every_specification_in_order(universe):
    result = RESULTS["p_against_d-pen_m12"]
    figure = page.curve(universe, result)
    found = dots(figure)
    values = np.sort(universe.table(result.name).frame["value"])
    assert found[:, 1] == pytest.approx(values)
    lines = [line.get_ydata()[0] for line in figure.axes[0].lines]
    assert lines == [0.005, 0.05]
    assert figure.axes[0].get_yscale() == "log"
    bars = pictures.variance_bars(universe.table(result.name)).axes
    assert bars[0].get_xlabel() == "Share of the variance of log10 (%)"
    assert bars[1].get_xlabel() == "Distinct pairs in which\nthe decision flips (%)"
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert labels == ["0", "2", "3", "4", "0", "2", "3", "closest", "first", "last",
                      "Student", "Welch", "-8", "-8.0", "flat", "bimodal"]  # fmt: skip


def test_columns_of_the_panel_are_shares_of_their_specifications(universe):
    figure = page.curve(universe, RESULTS["responder_percent_m12"])
    image = np.asarray(figure.axes[1].images[0].get_array())
    assert image.shape == (4 + 3 + 3 + 3 + 2 + 2, pictures.COLUMNS)
    assert image[:4].sum(axis=0) == pytest.approx(np.ones(pictures.COLUMNS))
    assert image[-2:].sum(axis=0) == pytest.approx(np.ones(pictures.COLUMNS))


def test_maps_frame_the_article_and_hold_its_threshold(universe):
    result = RESULTS["responder_percent_m6"]
    figure = page.window_map(universe, result)
    frame = universe.table(result.name).frame.query("responder_threshold == 5")
    expected = frame.groupby(["baseline_window", "followup_tolerance"])["value"].mean()
    found = np.asarray(figure.axes[0].collections[0].get_array())
    assert found.ravel() == pytest.approx(expected.to_numpy())
    corner = figure.axes[0].patches[-1]
    assert (corner.get_x(), corner.get_y()) == (1, 2)
    assert page.decision_map(universe, RESULTS["n_m6"]).axes
    shares = np.asarray(page.decision_map(universe, result).axes[0].collections[0].get_array())
    assert shares.min() >= 0
    assert 50 < shares.max() <= 100


def test_bars_are_the_shares(universe):
    table = universe.table("p_m12")
    figure = pictures.variance_bars(table)
    shares = table.variance_shares()
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    assert widths[: len(shares)] == pytest.approx(100 * shares["total"])
    assert widths[len(shares) :] == pytest.approx(100 * shares["first"])
    flips = table.flips().set_index("choice")["share"].reindex(shares["choice"])
    assert [patch.get_width() for patch in figure.axes[1].patches] == pytest.approx(100 * flips)


def test_a_users_own_table_is_drawn_alike():
    """As from a sweep: few specifications, plain decisions, no range, gaps, other names."""
    frame = pd.DataFrame(
        {
            "alpha": [0.01, 0.05, 0.1, 0.01, 0.05],
            "my_rule": ["a", "a", "a", "b", "b"],
            "value": [1.0, 2.0, 3.0, 0.5, np.nan],
            "decision": [1, 0, 1, 0, 1],
        }
    )
    table = Specifications.of(frame, ["alpha", "my_rule"])
    figure = pictures.specification_curve(table, "Own", published=2.0)
    assert dots(figure)[:, 1].tolist() == [0.5, 1.0, 2.0, 3.0]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["yes", "not: yes", "published"]
    panel = [text.get_text() for text in figure.axes[1].texts]
    assert panel == ["alpha", "my rule"]
    # Not complete, so there are no total shares to draw.
    assert len(pictures.variance_bars(table).axes[0].patches) == 2
    grid = pictures.heat_map(table, "my_rule", "alpha", mark=("a", 0.05), decimals=2)
    assert len(grid.axes[0].patches) == 1
