"""Numbered tables and figures, terms that lead to the glossary, citations and formulas."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from bs4 import BeautifulSoup

from rederive.site.page import notebook_page

from .conftest import page_names


def test_a_page_by_itself_has_formulas_and_no_roles(tmp_path):
    """What leads elsewhere in the book is said in words."""
    text = (
        "Mean {cite:p}`welch1947` of {term}`SDs <SD>`, see {numref}`fig-a` and {numref}`tab-b`."
        "\n\n$$t = \\frac{d}{s}$$"
    )
    cell = {"cell_type": "markdown", "metadata": {}, "source": text}
    page = notebook_page(json.dumps({"cells": [cell]}).encode(), tmp_path / "none.css")
    assert "Mean of SDs, see the figure and the table." in page
    assert "<mfrac>" in page and "$" not in page


@pytest.fixture(scope="module")
def sections(built_book):
    names = page_names(built_book, "notebooks")
    return {
        name: BeautifulSoup((built_book / name).read_text(encoding="utf-8"), "html5lib")
        for name in names
    }


def test_tables_and_figures_of_a_section_are_numbered_and_referred_to(sections):
    chapters = set()
    for name, page in sections.items():
        numbers = [each.get_text(strip=True) for each in page.select("article .caption-number")]
        assert len(numbers) == len(set(numbers)) > 3, name
        by_kind = {
            kind: [each.split()[1] for each in numbers if each.startswith(kind)]
            for kind in ("Figure", "Table")
        }
        for found in by_kind.values():
            chapter = {each.split(".")[0] for each in found}
            chapters |= chapter
            assert found == [f"{min(chapter)}.{n}" for n in range(1, len(found) + 1)], name
        referred = [each.parent for each in page.select("article a .std-numref")]
        assert referred, name
        for link in referred:
            place = page.find(id=link["href"].removeprefix("#"))
            assert place is not None, (name, link)
            number = place.select_one(".caption-number").get_text(strip=True)
            assert link.get_text() == number, name
        assert "<table" not in page.select_one("article").get_text(), name
    assert chapters == {str(number) for number in range(1, len(sections) + 1)}


def test_outside_the_chapters_nothing_is_figure_1(built_book):
    """Figure 1 and Table 1 are the article's."""
    for name in page_names(built_book, "book"):
        assert "caption-number" not in (built_book / name).read_text(encoding="utf-8"), name


def test_each_term_is_linked_once_a_section_and_never_in_a_heading(sections, built_book):
    glossary = BeautifulSoup((built_book / "book" / "glossary.html").read_text("utf-8"), "html5lib")
    for name, page in sections.items():
        links = page.select("article a:has(> .std-term)")
        goals = Counter(link["href"].partition("#")[2] for link in links)
        assert goals and max(goals.values()) == 1, name
        assert all(glossary.find(id=goal) for goal in goals), name
        assert not page.select(":is(h1, h2, h3, pre) .std-term"), name


def test_methods_have_formulas_and_claims_their_literature(sections, built_book):
    cited = set()
    for name, page in sections.items():
        assert name.endswith("introduction.html") or page.select("article div.math math"), name
        cited |= {a["href"].partition("#")[2] for a in page.select("article a[href*='references']")}
    text = (built_book / "book" / "references.html").read_text(encoding="utf-8")
    entries = BeautifulSoup(text, "html5lib").select(".citation")
    assert len(cited) >= 10
    without = [each.get_text()[:60] for each in entries if not each.select("a[href^=http]")]
    # A book, and an article that has no DOI but its number in PubMed.
    assert len(without) <= 2, without
    assert len(re.findall(r"https://doi\.org/10\.", text)) >= len(entries) - 5
