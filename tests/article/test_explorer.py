"""The explorer's numbers against CohortResults, and what its page carries."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from scipy import stats

from ivig_dcssc.analysis import Choices, CohortResults, load_ensembles
from ivig_dcssc.multiverse import DEPENDS, RESULTS, published
from ivig_dcssc.multiverse.explorer import ARTICLE, AXES, CHOICES, _marks, _shares, _whole
from ivig_dcssc.multiverse.results import printed_change
from one_specification import values_of
from rederive.printed import PrintedNumber
from rederive.printed.formats import CENTRAL, p_text, percent

LIMIT = 600_000


@pytest.fixture(scope="module")
def page(explorer) -> BeautifulSoup:
    return BeautifulSoup(explorer.page().markup, "html5lib")


def test_the_articles_setting_is_that_of_the_article():
    assert ARTICLE == {
        "baseline_window": 3,
        "followup_tolerance": 2,
        "visit_rule": "closest",
        "responder_threshold": 5,
        "paired_test": "paired t",
        "two_sample_test": "student",
        "prior": "all",
    }


def test_figures_are_those_of_cohort_results(root, explorer):
    setting = {
        "baseline_window": 2,
        "followup_tolerance": 1,
        "responder_threshold": 7,
        "two_sample_test": "welch",
        "prior": "bimodal",
    }
    ensembles = load_ensembles(root, "bimodal")
    results = CohortResults(ensembles, Choices.of(setting), explorer.multiverse.registry)
    own = values_of(results)
    low, median, high = own["change_m12"].quantile([CENTRAL[0], 0.5, CENTRAL[1]])
    found = explorer.figures("change_m12", setting)
    assert (found.median, found.low, found.high) == (
        f"{median:.2f}",
        f"{low:.2f}",
        f"{high:.2f}",
    )
    p = own["p_against_d-pen_m12"]
    found = explorer.figures("p_against_d-pen_m12", setting)
    assert found.median == p_text(float(p.median()))
    assert found.share == percent(float((p < 0.05).mean()))
    median = own["responders_m24"].median()
    assert explorer.figures("responders_m24", setting).median == f"{median:g}"


def test_what_the_cohorts_were_made_to_print_is_marked_so_and_not_as_confirmed(explorer):
    for name, result in RESULTS.items():
        mark = explorer.figures(name).mark
        figure = published(explorer.multiverse.registry, result)
        if figure is None:
            assert mark == ""
        elif result.quantity != "p_against":
            assert mark == "fitted", name
        else:
            # With all controls the p against MMF at 6 months cannot be reached.
            outside = name == "p_against_mmf_m6"
            assert (mark == "outside range") is outside and mark != "fitted", name


def test_a_fitted_figure_is_one_only_as_long_as_nothing_it_depends_on_changes(explorer):
    assert explorer.figures("n_baseline", {"responder_threshold": 6}).mark == "fitted"
    assert explorer.figures("mean_m6", {"two_sample_test": "welch"}).mark == "fitted"
    changed = {"responders_m12": {"responder_threshold": 6}, "mean_m6": {"baseline_window": 0}}
    for name, setting in changed.items():
        assert explorer.figures(name, setting).mark != "fitted"


def test_margins_are_those_of_two_one_sided_tests(explorer):
    """At its margin a comparison of one cohort has p at the level, by SciPy."""
    multiverse = explorer.multiverse
    result = RESULTS["p_against_mmf_m6"]
    control = printed_change(multiverse.registry, result.group, result.timepoint)
    for test, table in zip(AXES.two_sample_test, multiverse._over_own_choice(result), strict=True):
        one = table.iloc[0]
        six = [*one[["mean", "sd", "n"]].astype(float), float(control.mean.value)]
        six += [float(control.sd.value), control.n]
        error = one["se"]
        alike = abs(one["difference"]) + stats.t.isf(0.05, one["df"]) * error
        no_worse = one["difference"] + stats.t.isf(0.025, one["df"]) * error
        for margin, level in ((alike, 0.05), (no_worse, 0.025)):
            shifted = [six[0] - margin, *six[1:]]
            if margin == alike and one["difference"] < 0:
                shifted[0] = six[0] + margin
            p = stats.ttest_ind_from_stats(*shifted, equal_var=test == "student").pvalue
            assert p / 2 == pytest.approx(level)
    alike, no_worse = (band.reshape(-1) for band in multiverse.margins(result))
    assert explorer.numbers["margins"][result.name][:2] == _whole([alike[0], no_worse[0]], 2)
    # As printed, MMF is alike from 4.6 points on and IVIG no worse from 1.3.
    markup = explorer.page().markup
    assert "alike from 4.6 points" in markup and "no worse from 1.3 points" in markup


def test_the_page_is_small_whole_and_needs_no_other_file(explorer, page):
    markup = explorer.page().markup
    assert len(markup.encode()) < LIMIT
    assert "http" not in markup
    assert not page.select("[src], link, img")
    data = page.select_one("script.explorer-data").string
    assert "<" not in data
    assert json.loads(data) == json.loads(json.dumps(explorer.numbers))
    distinct, axes = explorer.multiverse.distinct_windows, explorer.multiverse.axes
    for name, row in explorer.numbers["results"].items():
        own = [each for each in DEPENDS[RESULTS[name].quantity] if each == row["own"]]
        levels = len(axes.levels(own[0])) if own else 1
        width = 3 + row["p"] + row["marked"]
        assert len(row["values"]) == width * levels * distinct * len(axes.prior), name


def test_without_scripts_the_tables_show_the_articles_setting(explorer, page):
    cells = page.select("td[data-result]")
    assert {cell["data-result"] for cell in cells} == set(RESULTS)
    for cell in cells:
        shown = explorer.figures(cell["data-result"])
        assert cell.select_one(".now").text == shown.median
        assert cell.select_one(".span").text == shown.span
        figure = published(explorer.multiverse.registry, RESULTS[cell["data-result"]])
        printed = cell.select_one(".printed")
        assert (printed.text if printed else None) == (figure and f"published {figure}")
    assert page.select_one("form").has_attr("hidden")
    assert page.select_one("noscript")


def test_every_control_has_a_label_and_the_levels_of_its_choice(page):
    for name in CHOICES:
        field = page.select_one(f"[name={name}]")
        assert field.find_parent("label").select_one("span").text.strip()
        if field.name == "input":
            ends = [int(field[each]) for each in ("min", "max", "value")]
            levels = AXES.levels(name)
            assert ends == [levels[0], levels[-1], ARTICLE[name]]
            assert list(levels) == list(range(levels[0], levels[-1] + 1))
        else:
            options = field.select("option")
            assert [option["value"] for option in options] == list(AXES.levels(name))
            chosen = [option["value"] for option in options if option.has_attr("selected")]
            assert chosen == [ARTICLE[name]]
    assert page.select_one("[aria-live=polite]")


def test_table_headings_stand_beside_values_on_a_phone(page):
    for table in page.select("table.cards"):
        titles = [each.text for each in table.select("thead th")][1:]
        for row in table.select("tbody tr"):
            assert [cell["data-label"] for cell in row.select("td")] == titles


def test_shares_keep_what_is_neither_none_nor_all():
    codes = _shares(np.array([0.0, 0.004, 0.5, 0.995, 1.0]))
    assert codes == [0, -1, 50, 101, 100]


def test_numbers_are_rounded_as_they_are_shown():
    rng = np.random.default_rng(1)
    numbers = np.append(rng.normal(scale=20, size=500), [0.125, 2.5, -0.001, np.nan])
    for number, whole in zip(numbers, _whole(numbers, 2), strict=True):
        if np.isnan(number):
            assert whole is None
        else:
            assert f"{whole / 100:.2f}" == re.sub(r"^-(0\.00)$", r"\1", f"{number:.2f}")


def test_marks_say_whether_the_published_figure_is_met():
    figure = PrintedNumber("16")
    median, low, high = np.array([[16.2, 14.0, 12.0, 12.0, np.nan]] * 3)
    low, high = low - 1, high + 2
    wide = low - 1, high + np.array([0, 0, 2, 1, 0])
    assert _marks(figure, median, low, high, *wide) == [0, 1, 2, 3, 3]


def test_marks_at_the_articles_setting_do_not_contradict_the_ledger(explorer):
    """With all controls the ledger reaches the p against relaxin, and not that against MMF."""
    marks = {"p_against_relaxin_m6": "within rounding", "p_against_mmf_m6": "outside range"}
    for name, mark in marks.items():
        assert explorer.figures(name).mark == mark
        result = RESULTS[name]
        interval = published(explorer.multiverse.registry, result).interval()
        shown = explorer.figures(name)
        assert float(shown.high) < interval.lower
