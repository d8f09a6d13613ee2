"""Figures answer where they stand, by mouse, keyboard and touch; the search finds numbers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from ivig_dcssc import open_section

pytestmark = pytest.mark.browser

HEAD = (
    '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>Section</title>'
    '<link rel="stylesheet" href="{root}_static/book.css">'
    '<script src="{root}_static/numbers.js" defer></script></head><body>{body}</body></html>'
)
FIGURE = "table1-mrss-ivig-baseline-mean"


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A section with its Table 1, and a page of search results, with the book's script."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(root / "book" / "_static", folder / "_static")
    section = open_section("results_baseline")
    table = section.article_table("table1")
    elsewhere = table.data.index.difference(section.ids)
    body = table.markup + str(section.figures(*elsewhere)) + str(section.figures())
    (folder / "notebooks").mkdir()
    page = folder / "notebooks" / "results_baseline.html"
    page.write_text(HEAD.format(root="../", body=body), encoding="utf-8")
    search = HEAD.format(root="", body='<div id="search-results"></div>')
    (folder / "search.html").write_text(search, encoding="utf-8")
    return folder


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    context = browser.new_context(
        offline=True, has_touch=True, viewport={"width": 390, "height": 800}
    )
    opened = context.new_page()
    heard: list[str] = []
    opened.on("pageerror", lambda error: heard.append(str(error)))
    opened.goto((site / "notebooks" / "results_baseline.html").as_uri())
    yield opened
    assert heard == []
    context.close()


def link(page: Page):
    return page.locator(f"table.article a[href$='#{FIGURE}']").first


def answer(page: Page):
    return page.locator("#rederive-answer:visible")


def test_a_focused_figure_says_what_its_row_says(page):
    row = open_section("results_baseline").rows(FIGURE)[0]
    link(page).focus()
    told = answer(page).inner_text()
    assert row.printed in told and row.reproduced in told
    assert str(row.evidence) in told and str(row.verdict) in told
    assert link(page).get_attribute("aria-describedby") == "rederive-answer"
    assert answer(page).get_attribute("role") == "tooltip"
    page.keyboard.press("Escape")
    assert answer(page).count() == 0
    assert link(page).get_attribute("aria-describedby") is None


def test_the_pointer_asks_and_the_answer_stays_in_the_window(page):
    link(page).hover()
    box = answer(page).bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.mouse.move(380, 5)
    answer(page).wait_for(state="hidden")


def test_the_first_touch_asks_and_the_second_follows(page):
    before = page.url
    link(page).tap()
    assert answer(page).count() == 1 and page.url == before
    with page.expect_request(lambda request: request.url.endswith("ledger.html")):
        link(page).tap()


def test_the_search_leads_a_number_to_the_ledger(page, site):
    page.goto(f"{(site / 'search.html').as_uri()}?q=0.005")
    found = page.get_by_role("link", name="0.005")
    assert (found.get_attribute("href") or "").endswith("book/ledger.html?text=0.005")
    page.goto(f"{(site / 'search.html').as_uri()}?q=prednisone")
    assert page.get_by_role("link").count() == 0
