"""The book without a mouse: search, ledger, figures that answer, folded parts, and quizzes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

WHERE = """() => { const e = document.activeElement; const s = getComputedStyle(e);
  window.stops ??= []; const number = stops.indexOf(e); if (number < 0) stops.push(e);
  const ring = s.outlineStyle !== "none" && s.outlineWidth !== "0px" || s.boxShadow !== "none";
  return [number < 0, ring, e.checkVisibility(), e.outerHTML.slice(0, 100)]; }"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def tab_to(page: Page, selector: str, most: int = 400) -> None:
    """Press Tab until the focus is on what is sought."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


@pytest.mark.parametrize(
    "name",
    ["book/index.html", "notebooks/results_skin.html", "book/explorer.html", "book/ledger.html"],
)
def test_every_stop_is_seen_and_none_is_a_trap(page, address, name):
    page.goto(address + name)
    page.wait_for_load_state("networkidle")
    for _ in range(80):
        page.keyboard.press("Tab")
        new, ring, visible, what = page.evaluate(WHERE)
        if not new or what.startswith("<body"):
            break  # once round
        assert ring and visible, what
    assert page.evaluate("stops.length") > 20


def test_the_first_stop_leads_past_the_navigation(page, address):
    page.goto(address + "notebooks/results_skin.html")
    page.keyboard.press("Tab")
    assert "Skip to main content" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('main')")


def test_a_number_is_searched_and_its_row_opened(page, address):
    page.goto(address + "book/index.html")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.keyboard.type("24.1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=24.1")
    page.wait_for_load_state("networkidle")
    tab_to(page, "a[href*='ledger.html?text=24.1']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ledger.html?text=24.1")
    page.wait_for_load_state("networkidle")
    tab_to(page, "table.ledger summary")
    page.keyboard.press("Enter")
    opened = page.locator("table.ledger details[open]")
    assert opened.count() == 1
    assert "24.1" in opened.locator("xpath=ancestor::tr").inner_text()


def test_a_figure_answers_and_is_silenced(page, address):
    page.goto(address + "notebooks/results_baseline.html")
    page.wait_for_load_state("networkidle")
    tab_to(page, "table.article a[href*='ledger.html#']")
    assert page.locator("#rederive-answer:visible").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#rederive-answer:visible").count() == 0


def test_what_is_folded_opens(page, address):
    page.goto(address + "notebooks/results_skin.html")
    page.wait_for_load_state("networkidle")
    tab_to(page, "article details summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")


def test_a_quiz_is_answered(page, address):
    page.goto(address + "book/teach/c01_reading.html")
    page.wait_for_load_state("networkidle")
    tab_to(page, "fieldset.quiz input")
    quiz = page.locator("fieldset.quiz").first
    choice = page.evaluate("document.activeElement.type") == "radio"
    page.keyboard.press("Space") if choice else page.keyboard.type("1")
    tab_to(page, "fieldset.quiz button", most=8)
    page.keyboard.press("Enter")
    assert quiz.locator("[role=status]").inner_text()


def test_nothing_moves_for_those_who_do_not_want_it(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    page.goto(address + "notebooks/results_skin.html")
    moving = page.evaluate(
        """[...document.querySelectorAll("*")].filter((each) => {
          const { animationName, transitionDuration } = getComputedStyle(each);
          return animationName !== "none" || !/^(0s(, )?)+$/.test(transitionDuration);
        }).length"""
    )
    assert moving == 0
    page.close()
