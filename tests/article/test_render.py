"""The renderer: the columns of every comparison, words beside colours, and no text trusted."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter

import pytest
from bs4 import BeautifulSoup

from ivig_dcssc.article import open_ledger, open_section
from rederive.book import render
from rederive.book.ledger import Ledger, LedgerRow
from rederive.book.section import Section
from rederive.printed import Evidence, Verdict

HOSTILE = '<script>alert("x")</script>&'


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger()


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
        lambda: render.records([{HOSTILE: HOSTILE}], HOSTILE),
        lambda: render.records([{HOSTILE: render.link(HOSTILE, f'"{HOSTILE}')}], HOSTILE),
    ],
)
def test_no_text_becomes_markup(table: object) -> None:
    markup = str(table())  # type: ignore[operator]
    soup = BeautifulSoup(markup, "html5lib")
    assert not soup.find("script")
    assert HOSTILE in soup.text


def test_every_evidence_and_verdict_has_its_word_and_its_class() -> None:
    for evidence in Evidence:
        assert f">{evidence}<" in render.evidence_chip(evidence)
    classes = {render.verdict_chip(verdict).split('"')[1] for verdict in Verdict}
    assert len(classes) == len(Verdict)


def test_counts_add_up(ledger: Ledger) -> None:
    counts = ledger.count()
    assert sum(counts.values()) == len(list(ledger.registry))
    soup = BeautifulSoup(str(render.count_table(counts, "Counts")), "html5lib")
    assert soup.select("tbody tr")[-1].select("td")[-1].text == str(sum(counts.values()))


def test_distinct_counts_leave_out_repeats(ledger: Ledger) -> None:
    repeats = sum(bool(row.same_as) for row in ledger)
    counted = sum(ledger.count().values()) - sum(ledger.count(distinct=True).values())
    assert counted == repeats > 0


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


def test_records_need_equal_columns() -> None:
    with pytest.raises(ValueError, match="differ in their columns"):
        render.records([{"a": 1}, {"b": 1}], "t")


def test_a_record_links_and_a_wide_table_becomes_cards() -> None:
    wide = {str(column): column for column in range(render.WIDE)}
    row = {"Section": render.link("Methods", "a.html?x=1&y=2"), **wide}
    soup = BeautifulSoup(str(render.records([row], "t")), "html5lib")
    found = soup.select_one("table.cards tbody th a")
    assert found is not None and found["href"] == "a.html?x=1&y=2"
    assert not BeautifulSoup(str(render.records([wide], "t")), "html5lib").select("table.cards")


def test_downloads_carry_their_texts() -> None:
    texts = {"a.csv": "a,µ\n1,2\n", "b.json": '{"x": "<y>"}'}
    soup = BeautifulSoup(str(render.downloads(texts)), "html5lib")
    links = {str(tag["download"]): str(tag["href"]) for tag in soup.select("a")}
    assert {
        name: b64decode(address.split("base64,")[1]).decode() for name, address in links.items()
    } == texts
    assert links["a.csv"].startswith("data:text/csv;")
    with pytest.raises(ValueError, match=r"found the ending '\.exe'"):
        render.downloads({"a.exe": ""})
    with pytest.raises(ValueError, match="need a file"):
        render.downloads({})


def test_a_range_never_ends_at_a_p_of_zero(ledger: Ledger) -> None:
    ends = [row.interval.split(" to ")[0] for row in ledger if row.statistic == "p"]
    assert any(end.startswith("<0.") for end in ends)
    assert not {"0.000", "0.0000", "0.00000"} & set(ends)
