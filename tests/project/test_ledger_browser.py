"""The ledger in a browser: numbers and words are found, the state stands in the address."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from rederive.book import render
from rederive.book.ledger import Ledger

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(root: Path, ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The ledger on a page by itself, with the book's script and style."""
    site = tmp_path_factory.mktemp("ledger")
    shutil.copytree(root / "book" / "_static", site / "_static")
    (site / "book").mkdir()
    page = site / "book" / "ledger.html"
    page.write_text(
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<title>Ledger</title><link rel="stylesheet" href="../_static/book.css"></head><body>'
        f"{render.ledger_page(ledger, {}, 'All')}</body></html>",
        encoding="utf-8",
    )
    return page.as_uri()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(offline=True)
    opened = context.new_page()
    heard: list[str] = []
    opened.on("pageerror", lambda error: heard.append(str(error)))
    yield opened
    assert heard == []
    context.close()


def shown(page: Page) -> list[str]:
    return page.evaluate(
        """() => [...document.querySelectorAll("table.ledger tbody tr")]
          .filter((row) => row.checkVisibility()).map((row) => row.id)"""
    )


def found(page: Page) -> list[int]:
    """The first and the last row of those that fit, and how many these are."""
    return [int(each) for each in re.findall(r"\d+", page.get_by_role("status").inner_text())]


def test_a_number_is_found_as_a_whole_and_kept_in_the_address(page, address, ledger):
    page.goto(address)
    page.fill("[name=text]", "0.005")
    ids = shown(page)
    assert {row.id for row in ledger if row.printed == "0.005"} <= set(ids)
    texts = page.locator("table.ledger tbody tr:visible").evaluate_all(
        "(rows) => rows.map((row) => row.innerHTML.replace(/<[^>]*>/g, ' '))"
    )
    assert len(texts) == len(ids) > 0
    assert all(re.search(r"(?<![\d.])0\.005(?!\d)", each) for each in texts)
    page.reload()
    assert shown(page) == ids


def test_filters_and_order_are_in_the_address(page, address, ledger):
    page.goto(address)
    page.select_option("[name=group]", "MMF")
    page.select_option("[name=verdict]", "needs an unstated choice")
    for order in ("ascending", "descending"):
        page.get_by_role("button", name="Published").click()
        page.wait_for_selector(f"th[aria-sort={order}]")
    wanted = {
        row.id
        for row in ledger
        if row.group == "MMF" and str(row.verdict) == "needs an unstated choice"
    }
    ids = shown(page)
    assert set(ids) == wanted
    values = [float(re.findall(r"\d*\.?\d+", ledger.row(each).printed)[0]) for each in ids]
    assert values == sorted(values, reverse=True)
    page.goto(page.url)
    assert shown(page) == ids


def test_only_rows_that_are_shown_are_in_the_page(page, address, ledger):
    page.goto(address)
    everything = [row.id for row in ledger]
    assert shown(page) == everything[:50]
    assert found(page) == [1, 50, len(everything)]
    assert page.locator("table.ledger tbody tr").count() == 50
    page.get_by_role("link", name="Next").click()
    assert shown(page) == everything[50:100]
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert shown(page) == everything


def test_figures_are_sorted_before_words_both_ways(page, address):
    for sign in ("", "-"):
        page.goto(f"{address}?sort={sign}2")
        cells = page.locator("table.ledger tbody td:nth-child(3)").all_inner_texts()
        values = [float(found[0]) for each in cells if (found := re.findall(r"-?\d*\.?\d+", each))]
        assert len(values) == 50
        assert values == sorted(values, reverse=sign == "-")


def test_a_permanent_address_opens_its_row(page, address, ledger):
    last = list(ledger)[-1].id
    page.goto(f"{address}?text=0.005#{last}")
    assert last in shown(page)
    row = page.locator(f"tr[id='{last}']")
    assert row.locator("details").get_attribute("open") is not None
    assert "Method" in row.locator("td.why").inner_text()


def test_every_method_of_a_row_is_explained_on_the_page(root, ledger):
    text = (root / "book" / "ledger.ipynb").read_text(encoding="utf-8")
    explained = set(
        re.findall(r"`(\w+)`", text.partition("## Methods")[2].partition("## Counts")[0])
    )
    assert {row.method for row in ledger} <= explained


def test_without_scripts_every_row_is_there(browser, address, ledger):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(address)
    assert plain.locator("table.ledger tbody tr:visible").count() == len(list(ledger))
    assert plain.locator("div.rederive-filter:visible").count() == 0
    context.close()
