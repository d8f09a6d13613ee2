"""The page of findings: evidence that exists, bounds by another route, and fair wording."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from ivig_dcssc import controls, findings
from ivig_dcssc.article import open_ledger
from ivig_dcssc.cohort_groups import cohorts_of
from ivig_dcssc.cohort_words import bound_of
from rederive.book.ledger import Ledger
from rederive.printed import Evidence
from rederive.reconstruct.bounds import Kind


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger(prior="gaussian")


PRINTED_ONLY = (
    findings.denominators,
    findings.conventions,
    findings.dropouts,
    findings.repeats,
)


@pytest.mark.parametrize("collect", PRINTED_ONLY, ids=lambda f: f.__name__)
def test_every_finding_has_a_consequence_and_rows(ledger: Ledger, collect) -> None:
    found = collect(ledger)
    assert found
    for each in found:
        assert each.statement.strip() and each.consequence.strip()
        assert all(ledger.registry.row(row_id) for row_id in each.evidence)
        assert "wrong" not in each.statement and "error" not in each.statement


def test_links_of_the_table_lead_to_the_ledger(ledger: Ledger) -> None:
    found = findings.denominators(ledger)
    soup = BeautifulSoup(str(findings.table(ledger, found, "Denominators")), "html5lib")
    links = [link["href"] for link in soup.select("tbody a")]
    assert links == [f"ledger.html#{row_id}" for each in found for row_id in each.evidence]


def test_no_findings_make_no_table(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no findings"):
        findings.table(ledger, [], "Nothing")


def test_bounds_of_the_missing_lie_in_what_the_means_alone_allow(ledger: Ledger) -> None:
    """All skin scores together say at least as much as the three means do."""
    for timepoint in controls.COMPARATORS:
        bound = bound_of(ledger, Kind.MISSING_BASELINE_MEAN, timepoint)
        assert bound is not None
        wide = controls.followed(ledger, timepoint)[0].baseline_of_missing
        assert wide.lower - 1e-9 <= bound.low.limit <= bound.high.limit <= wide.upper + 1e-9


def test_dropouts_count_those_without_a_score(ledger: Ledger) -> None:
    words = [each.statement for each in findings.dropouts(ledger)]
    for missing, month, sentence in zip((1, 5, 7, 15), (6, 12, 18, 24), words, strict=True):
        assert sentence.startswith(f"At {month} months {missing} of 30 patients ha")


def test_responders_are_held_loosely_and_predicted(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With draws of our own: three of four print the count of month 6, one of four the other."""
    six, twelve = (f"results-responder-ivig-{at}-count" for at in ("m6", "m12"))
    draws = pd.DataFrame(
        {
            "reading": "-8",
            "prior": "gaussian",
            "figure": [six] * 4 + [twelve] * 4,
            "value": [16.0, 16.0, 16.0, 20.0, 15.0, 9.0, 10.0, 11.0],
        }
    )
    monkeypatch.setitem(vars(cohorts_of(ledger)), "predictions", draws)
    found = {each.evidence[0]: each for each in findings.skin_figures(ledger)[:2]}
    assert "75 % print it" in found[six].consequence
    assert "25 % print it" in found[twelve].consequence
    for row_id, n in ((six, 29), (twelve, 25)):
        low, high = found[row_id].statement.rsplit("leave ", 1)[1].split(" of ")[0].split(" to ")
        count = int(ledger.registry.numbers[row_id].printed.value)
        assert 0 <= int(low) < count < int(high) <= n


def test_choices_are_those_of_the_ledger(ledger: Ledger) -> None:
    needed = {
        row.id
        for row in (ledger.row(name) for name in ledger.registry.numbers)
        if str(row.verdict) == "needs an unstated choice"
        and row.statistic == "p"
        and row.section != "abstract"
        and row.evidence is Evidence.RECOMPUTED
    }
    found = findings.choices_of(ledger, [ledger.row(row_id) for row_id in sorted(needed)])
    assert {each.evidence[0] for each in found} == needed
    assert all(
        each.consequence.startswith(("decision: ", "the decision is open: it depends on "))
        for each in found
    )


def test_the_kinds_of_rows_that_need_a_choice_add_up(ledger: Ledger) -> None:
    words = findings.choices_in_words(ledger)
    whole, *parts = (
        int(each) for each in re.findall(r"(?:(?<=The )|(?<=are )|(?<=, )|(?<=and ))\d+", words)
    )
    verdicts = [str(row.verdict) for row in ledger if row.evidence is Evidence.RECOMPUTED]
    assert whole == verdicts.count("needs an unstated choice") == sum(parts)
    assert "other" not in words


def test_what_could_be_released_is_said_in_full() -> None:
    rows = findings.release()
    assert len(rows) > 5
    assert all(cell.strip() for row in rows for cell in row.values())


def test_the_landing_page_says_what_the_tables_of_this_page_say(ledger: Ledger) -> None:
    said = findings.from_printed_figures(ledger)
    rows = [ledger.row(row_id) for row_id in ledger.registry.numbers]
    statements = [
        *(each.statement for each in findings.denominators(ledger)),
        *(each.statement for each in findings.choices_of(ledger, rows)),
        *(each.statement for each in findings.repeats(ledger)),
    ]
    assert len(said) == len(set(said))
    others = [words for words in said if words not in statements]
    assert len(others) == 1 and "asterisks" in others[0]
