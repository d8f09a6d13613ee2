"""The explorer in a browser: by keyboard, offline, on a phone, each number as Python gives it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from ivig_dcssc.analysis import Choices, CohortResults, load_ensembles
from ivig_dcssc.multiverse import RESULTS, Result
from ivig_dcssc.multiverse.explorer import ARTICLE, AXES, CHOICES, Explorer
from one_specification import parameters_of, values_of
from rederive.printed.formats import CENTRAL, p_text, percent
from rederive.printed.registry import load_registry
from repetitions import repeated

pytestmark = pytest.mark.browser

DECIMALS = {"mean": 2, "change": 2, "responder_percent": 1, "difference": 2}


@pytest.fixture(scope="module")
def address(root: Path, explorer: Explorer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The explorer on a page by itself, with the book's style."""
    style = (root / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    page = tmp_path_factory.mktemp("explorer") / "explorer.html"
    page.write_text(
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Explorer</title>'
        f"<style>{style}</style></head><body>{explorer.page()}</body></html>",
        encoding="utf-8",
    )
    return page.as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The explorer without a network; nothing may be asked for or go wrong."""
    context = browser.new_context(offline=True)
    opened = context.new_page()
    heard: list[str] = []
    opened.on("request", lambda request: heard.append(request.url))
    opened.on("pageerror", lambda error: heard.append(str(error)))
    opened.on("console", lambda message: heard.append(message.text))
    opened.goto(address)
    yield opened
    assert [line for line in heard if not line.startswith(address)] == []
    context.close()


def settings(number: int, seed: int) -> list[dict[str, object]]:
    rng = random.Random(seed)
    return [{name: rng.choice(AXES.levels(name)) for name in CHOICES} for _ in range(number)]


def set_by_keyboard(page: Page, setting: dict[str, object]) -> None:
    """Walk through the controls with the Tab key and change them with others."""
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in CHOICES:
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.name")
        reached.append(name)
        levels = AXES.levels(name)
        page.keyboard.press("Home")
        for _ in range(levels.index(setting[name])):
            page.keyboard.press("ArrowRight" if isinstance(levels[0], int) else "ArrowDown")
    assert set(reached) == set(CHOICES)


def computed(root: Path, setting: dict[str, object]) -> dict[str, tuple[str, str, str]]:
    """Median, central 95 % and share below alpha of every result, through CohortResults."""
    registry = load_registry(root / "data" / "published")
    ensembles = load_ensembles(root, str(setting["prior"]))
    results = CohortResults(ensembles, Choices.of(parameters_of(setting)), registry)
    return {name: texts(RESULTS[name], values) for name, values in values_of(results).items()}


def texts(result: Result, values: pd.Series) -> tuple[str, str, str]:
    numbers = values.quantile([0.5, *CENTRAL])
    if result.is_p:
        median, low, high = (p_text(number) for number in numbers)
    elif result.quantity in DECIMALS:
        median, low, high = (f"{number:.{DECIMALS[result.quantity]}f}" for number in numbers)
    else:
        median, low, high = (f"{round(number, 1):g}" for number in numbers)
    share = percent(float((values < 0.05).mean())) if result.is_p else ""
    return median, "" if median == low == high else f"{low} to {high}", share


def shown(page: Page) -> dict[str, tuple[str, str, str]]:
    cells = page.evaluate(
        """() => [...document.querySelectorAll("td[data-result]")].map((cell) => [
          cell.dataset.result,
          ...[".now", ".span", ".part"].map((each) => cell.querySelector(each)?.textContent ?? ""),
        ])"""
    )
    return {name: tuple(parts) for name, *parts in cells}


@pytest.mark.parametrize(
    "setting", settings(repeated(2), seed=7), ids=lambda s: f"{list(s.values())[:4]}"
)
def test_every_number_is_that_of_cohort_results(root, page, setting):
    set_by_keyboard(page, setting)
    found, expected = shown(page), computed(root, setting)
    assert set(found) == set(expected) == set(RESULTS)
    assert found == expected


def test_the_summary_is_announced_and_the_marks_follow(page):
    before = page.locator("[aria-live=polite]").first.text_content()
    assert "The article’s setting" in before
    assert page.locator("td[data-result=responders_m12] .mark").text_content() == "fitted"
    assert page.locator("td[data-result='p_against_d-pen_m12'] .mark").text_content() != ("fitted")
    set_by_keyboard(page, ARTICLE | {"responder_threshold": 15})
    after = page.locator("[aria-live=polite]").first.text_content()
    assert after.startswith("Not the article’s setting")
    mark = page.locator("td[data-result=responders_m12] .mark")
    assert mark.text_content() == "outside range"


def test_the_margin_is_moved_by_keyboard_and_shared(page):
    cell = page.locator("td[data-margin=p_against_mmf_m6]")
    assert "alike: not shown (from 4.6)" in cell.inner_text()
    assert "no worse: shown" in cell.inner_text()
    page.locator("[name=margin]").focus()
    for _ in range(21):
        page.keyboard.press("ArrowRight")
    assert "alike: shown" in cell.inner_text() and page.url.endswith("#margin=5.3")
    assert page.locator("datalist option").count() == 2


def test_a_setting_can_be_shared_and_reset(page, browser, address, explorer):
    setting = ARTICLE | {"baseline_window": 1, "paired_test": AXES.paired_test[1], "prior": "flat"}
    set_by_keyboard(page, setting)
    link = page.locator("a.explorer-link").get_attribute("href")
    assert page.url == address + link
    with browser.new_context(offline=True) as context:
        other = context.new_page()
        other.goto(address + link)
        assert shown(other) == shown(page)
        assert other.locator("[name=prior]").input_value() == "flat"
    article = explorer.figures("p_m6")
    page.get_by_role("button", name="Reset").press("Enter")
    page.wait_for_function("!location.hash")
    assert shown(page)["p_m6"][0] == article.median
    assert page.locator("label", has=page.locator("[name=baseline_window]")).locator(
        "b"
    ).text_content() == str(ARTICLE["baseline_window"])


@pytest.mark.parametrize("hash_", ["#baseline_window=99&prior=none", "#a-heading", "#%", "#x=<b>"])
def test_an_address_that_makes_no_sense_leaves_the_articles_setting(browser, address, hash_):
    with browser.new_context(offline=True) as context:
        opened = context.new_page()
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.goto(address + hash_)
        assert "The article’s setting" in opened.locator("[aria-live=polite]").first.text_content()
        assert errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_does_not_scroll_sideways(browser, address, theme):
    with browser.new_context(offline=True, viewport={"width": 360, "height": 700}) as context:
        opened = context.new_page()
        opened.goto(address)
        opened.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        wide = """() => [...document.querySelectorAll(".rederive-explorer *")].filter((each) =>
          each.getBoundingClientRect().right > window.innerWidth + 1 &&
          !each.closest("thead")).length"""
        assert opened.evaluate(wide) == 0


def test_without_scripts_the_articles_setting_is_there(browser, address):
    with browser.new_context(offline=True, java_script_enabled=False) as context:
        opened = context.new_page()
        opened.goto(address)
        assert not opened.locator("form").is_visible()
        cell = opened.locator("td[data-result=responders_m12]")
        assert cell.locator(".now").text_content() == "15"
        assert "need scripts" in opened.locator("noscript").inner_text()
