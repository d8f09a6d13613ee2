"""The abstract: its repeats by another route, and links that lead somewhere."""

from __future__ import annotations

import csv
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from ivig_dcssc import introduction
from ivig_dcssc.article import open_section
from rederive.book.section import Section

PUBLISHED = Path(__file__).resolve().parents[2] / "data" / "published"
TEACHING = "data/cohorts/synthetic-teaching"


def read(name: str) -> list[dict[str, str]]:
    with (PUBLISHED / f"{name}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def plan() -> dict[str, str]:
    return {row["id"]: row["notebook"] for row in read("plan")}


@pytest.fixture(scope="module")
def mentions(plan: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """Other mentions of every row of the abstract, from the files themselves."""
    rows = read("numbers") + read("claims")
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if plan[row["id"]] == "introduction":
            found[row["id"]] += []
        elif row["same_as"]:
            found[row["same_as"]].append(row)
    return {row_id: others for row_id, others in found.items() if plan[row_id] == "introduction"}


@pytest.fixture(scope="module")
def section() -> Section:
    return open_section("introduction", cohort_folder=TEACHING)


def test_every_mention_is_found(
    section: Section, mentions: dict[str, list[dict[str, str]]]
) -> None:
    found = {
        each.first.id: {o.id for o in each.others} for each in introduction.repeats(section.ledger)
    }
    assert found == {row_id: {o["id"] for o in others} for row_id, others in mentions.items()}
    assert len(found) == len(section)


def test_links_lead_to_the_row_in_its_notebook(
    section: Section, plan: dict[str, str], mentions: dict[str, list[dict[str, str]]]
) -> None:
    soup = BeautifulSoup(str(introduction.places(section.ledger, "Places")), "html5lib")
    lines = soup.select("tbody tr")
    in_results = [
        row_id
        for row_id, others in mentions.items()
        if any(plan[other["id"]].startswith("results_") for other in others)
    ]
    assert len(lines) == len(in_results) > 40
    for line, row_id in zip(lines, in_results, strict=True):
        link = line.select_one("a")
        if link is None:
            assert "not built yet" in line.text
            continue
        page, anchor = link["href"].split("#")
        assert plan[anchor] == page.removesuffix(".html")
        assert anchor in {other["id"] for other in mentions[row_id]}


def test_agreement_is_that_of_half_a_digit(
    section: Section, mentions: dict[str, list[dict[str, str]]]
) -> None:
    numbers = {row["id"]: row for row in read("numbers")}
    agreed = 0
    for each in introduction.repeats(section.ledger):
        one = numbers.get(each.first.id)
        for other in each.others:
            two = numbers.get(other.id)
            if one is None or two is None or one["operator"] != "=":
                continue
            reach = [Fraction(10) ** -int(row["decimals"]) / 2 for row in (one, two)]
            apart = abs(Fraction(one["value"]) - Fraction(two["value"]))
            expected = apart <= sum(reach)
            assert introduction.agree(section.ledger, each.first, other) is expected
            agreed += expected
    assert agreed > 40


def test_words_count_what_there_is(
    section: Section, mentions: dict[str, list[dict[str, str]]]
) -> None:
    again = sum(bool(others) for others in mentions.values())
    words = " ".join(introduction.places_in_words(section.ledger))
    assert f"has {len(mentions)} figures and claims; {again} of them" in words
    assert f"The other {len(mentions) - again} stand in the abstract alone" in words


def test_a_cohort_of_ones_own_is_never_called_reconstructed(section: Section) -> None:
    words = [
        *introduction.verdicts_in_words(section),
        *introduction.changes_in_words(section.ledger),
        *introduction.places_in_words(section.ledger),
    ]
    assert all(sentence.strip() for sentence in words)
    assert not any(word in " ".join(words) for word in ("reconstruct", "synthetic", "calibrated"))
