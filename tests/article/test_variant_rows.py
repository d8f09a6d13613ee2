"""Rows of a rerun: what the changed choices touch, what they leave, and what is said of both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup

from ivig_dcssc.article import open_compared, open_ledger, open_section
from ivig_dcssc.patients import Cohorts
from rederive.book import render
from rederive.book.ledger import Ledger
from rederive.book.results import RESULTS_TYPE, read_results
from rederive.printed import Evidence, Verdict

FEW = {"cohorts": 2, "prior": "flat"}
RESPONDERS = "results-responder-ivig-m12-count"
MEAN = "abstract-mrss-ivig-m12-mean"
CONTROL = "results-mrss-mmf-baseline-p"


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """Return the ledger of a few cohorts under another limit for responders."""
    yield open_compared(responder_threshold=12, **FEW)


def test_what_a_choice_does_not_touch_stays_as_it_was(ledger: Ledger) -> None:
    assert ledger.row(MEAN).verdict is Verdict.FITTED
    assert ledger.row(MEAN).before == ""
    assert ledger.row(CONTROL).verdict is Verdict.WITHIN_ROUNDING
    assert ledger.row(CONTROL).before == ""


def test_what_it_touches_has_no_verdict_and_says_what_was_before(ledger: Ledger) -> None:
    row = ledger.row(RESPONDERS)
    assert ledger.reference is not None
    assert row.verdict is Verdict.NONE
    assert row.value is not None and row.value < 15
    assert row.before == "15" != row.reproduced
    assert "windows and limits" in row.why


def test_a_prediction_is_no_counterpart_of_cohorts_that_were_told() -> None:
    """The arrow of a predicted row compares the same cohorts under both choices."""
    ledger = open_compared(responder_threshold=6, **FEW)
    row = ledger.row("results-responder-ivig-m6-count")
    assert ledger.reference is not None
    assert row.evidence is Evidence.PREDICTED
    assert row.before == "16" != ledger.reference.row(row.id).reproduced
    assert "the same cohorts" in row.why
    claim = ledger.row("results-responder-predictors-ivig-m12-none-predict")
    assert claim.before in ("", "holds")


def test_no_data_is_no_failed_claim_and_no_p_is_zero() -> None:
    ledger = open_ledger(followup_targets="6, 12, 18, 30", **FEW)
    late = next(
        row
        for row in ledger
        if (row.kind, row.timepoint, row.statistic) == ("claim", "m24", "significant")
    )
    assert late.reproduced == "none"
    assert "no data" in late.why
    shown = [row for row in open_ledger(baseline_window=2, **FEW) if row.statistic == "p"]
    for row in shown:
        words = f"{row.reproduced} {row.interval}".split()
        assert not [word for word in words if word.strip("0.") == "" and word != "."], row.id


def test_another_level_alone_is_no_other_decision() -> None:
    ledger = open_compared(alpha=0.049, **FEW)
    same = ledger.row("results-mrss-mmf-baseline-p")
    assert ledger.reference is not None
    assert same.decision != ledger.reference.row(same.id).decision
    assert same.before_decision == ""
    stricter = open_compared(alpha=0.000001 * 200, **FEW)
    assert [row for row in stricter if row.before_decision]


def test_without_other_parameters_nothing_is_compared() -> None:
    assert open_compared().reference is None
    assert open_compared(alpha=0.05).reference is None
    assert open_compared(cohort_folder="data/cohorts/synthetic-teaching").reference is None


def test_the_same_cohorts_are_computed_once() -> None:
    ledger = open_compared(responder_threshold=12)
    assert ledger.reference is not None
    assert isinstance(ledger.cohorts, Cohorts)
    assert ledger.cohorts.by_article is ledger.reference.cohorts


def test_a_changed_number_shows_both_values(ledger: Ledger) -> None:
    rows = [ledger.row(RESPONDERS), ledger.row(CONTROL)]
    soup = BeautifulSoup(str(render.comparison(rows, "Two")), "html5lib")
    changed, same = soup.select("tbody tr")
    cell = changed.select_one("td.changed")
    assert cell is not None
    assert (cell.select_one("del").text, cell.select_one("ins").text) == (
        rows[0].before,
        rows[0].reproduced,
    )
    assert not same.select("del, ins, .changed")


def test_a_changed_verdict_and_decision_show_both() -> None:
    ledger = open_ledger(responder_threshold=12, paired_test="signed_rank", **FEW)
    # A reference with all cohorts would take long.
    ledger.compare_with(open_ledger(**FEW))
    changed = [row for row in ledger if row.before or row.before_verdict or row.before_decision]
    table = render.comparison(changed, "Changed", "ledger.html", decision=True)
    soup = BeautifulSoup(str(table), "html5lib")
    for row, line in zip(changed, soup.select("tbody tr"), strict=True):
        assert line.select_one("a")["href"] == f"ledger.html#{row.id}"
        chips = [chip.text for chip in line.select("span.verdict")]
        assert chips == [word for word in (row.before_verdict, str(row.verdict)) if word]
        struck = [each.text for each in line.select("del")]
        assert struck == [word for word in (row.before, row.before_decision) if word]


def test_a_section_carries_its_rows_as_data() -> None:
    section = open_section("results_treatment")
    bundle = section.figures()._repr_mimebundle_()
    assert bundle["text/html"].startswith("<details><summary>All figures")
    notebook = {"cells": [{"outputs": [{"data": bundle}]}, {"outputs": []}, {}]}
    rows = read_results(notebook)
    assert len(rows) == len(section) == len(bundle[RESULTS_TYPE]["rows"])
    assert set(rows[0]) >= {"id", "printed", "reproduced", "value", "low", "high", "verdict"}
    bundle[RESULTS_TYPE]["version"] = 2
    with pytest.raises(ValueError, match="version 2"):
        read_results(notebook)
