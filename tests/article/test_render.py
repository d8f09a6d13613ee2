"""The renderer: the columns of every comparison, words beside colours, and no text trusted."""

from __future__ import annotations

from collections import Counter
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from ivig_dcssc.article import open_section
from rederive.book import render
from rederive.book.ledger import Ledger, LedgerRow
from rederive.book.section import Section
from rederive.printed import Evidence, Verdict

HOSTILE = '<script>alert("x")</script>&'


def hostile_row() -> LedgerRow:
    return LedgerRow(
        id="a-b",
        kind="number",
        section=HOSTILE,
        place=HOSTILE,
        group=HOSTILE,
        variable=HOSTILE,
        timepoint="m6",
        statistic="p",
        printed=HOSTILE,
        reproduced=HOSTILE,
        interval=HOSTILE,
        evidence=Evidence.RECOMPUTED,
        verdict=Verdict.DIFFERS,
        why=HOSTILE,
        would_do=(HOSTILE,),
        not_under=(HOSTILE,),
        open_under=(HOSTILE,),
        decision=HOSTILE,
        method=HOSTILE,
        inputs=("c-d",),
        notebook="results",
        built=True,
        same_as="",
    )


def test_a_comparison_has_all_columns_and_links_to_the_ledger(ledger: Ledger) -> None:
    row = ledger.row("results-mrss-mmf-baseline-p")
    soup = BeautifulSoup(str(render.comparison([row], "One number")), "html5lib")
    assert [th.text for th in soup.select("thead th")] == ["Number", *render.COMPARISON]
    line = soup.select_one("tbody tr")
    assert line is not None and line["id"] == row.id
    assert line.select_one("a")["href"] == f"../book/ledger.html#{row.id}"
    cells = [cell.text for cell in line.select("td")]
    assert cells[:5] == [row.printed, row.reproduced, row.interval, "recomputed", "within rounding"]
    assert soup.select_one("div.rederive-scroll")["tabindex"] == "0"


@pytest.mark.parametrize(
    "table",
    [
        lambda: render.comparison([hostile_row()], HOSTILE, decision=True),
        lambda: render.ledger_page([hostile_row()], {"results": HOSTILE}, HOSTILE),
    ],
)
def test_no_text_becomes_markup(table: object) -> None:
    markup = str(table())  # type: ignore[operator]
    soup = BeautifulSoup(markup, "html5lib")
    assert all(not script.string for script in soup.find_all("script"))
    assert HOSTILE in soup.text


def test_every_evidence_and_verdict_has_its_word_and_its_class() -> None:
    for evidence in Evidence:
        assert f">{evidence}<" in render.chip(evidence)
    classes = {render.chip(verdict).split('"')[1] for verdict in Verdict}
    assert len(classes) == len(Verdict)


@pytest.mark.parametrize("notebook", ["methods", "results_baseline", "results_controls"])
def test_a_row_carries_its_anchor_once(notebook: str) -> None:
    section = open_section(notebook)
    first = section.figures(section.ids[0], caption="one")
    whole = section.figures()
    soup = BeautifulSoup(str(first) + str(whole), "html5lib")
    found = Counter(row["id"] for row in soup.select("tbody tr[id]"))
    assert found == dict.fromkeys(section.ids, 1)
    assert len(soup.select("tbody tr")) == len(section) + 1
    assert [row["id"] for row in whole.results] == section.ids and first.results == []


def test_an_unknown_notebook_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no row for the notebook"):
        Section(ledger, "results_nothing")


@pytest.mark.parametrize(("columns", "cards"), [(render.WIDE, 0), (render.WIDE + 1, 1)])
def test_a_wide_table_becomes_cards(columns: int, cards: int) -> None:
    header = [str(column) for column in range(columns)]
    table = render.html_table(header, [("", [render.text(name) for name in header])], "t")
    assert len(BeautifulSoup(str(table), "html5lib").select("table.cards")) == cards


def test_a_download_carries_its_text() -> None:
    text = "a,µ\n1,<2>\n"
    (link,) = BeautifulSoup(str(render.download("a.csv", text)), "html5lib").select("a")
    media, _, carried = str(link["href"]).partition(",")
    assert link["download"] == "a.csv" and media.startswith("data:text/csv;")
    assert unquote(carried) == text


def test_a_range_never_ends_at_a_p_of_zero(ledger: Ledger) -> None:
    ends = [row.interval.split(" to ")[0] for row in ledger if row.statistic == "p"]
    assert any(end.startswith("<0.") for end in ends)
    assert not {"0.000", "0.0000", "0.00000"} & set(ends)
