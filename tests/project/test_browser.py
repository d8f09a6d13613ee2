"""The real book's site in a browser: no errors, no other origin, no page wider than a phone."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import Browser

from rederive.site.serve import site_server

from .conftest import CONTRAST, page_names

pytestmark = pytest.mark.browser


def complaints(browser: Browser, address: str, names: list[str]) -> list[str]:
    """Open pages and list their errors, requests to other origins, and what is too wide.

    Each is seen on a wide light screen and on a narrow dark one, in turn first on this or that.
    """
    heard: list[str] = []
    name, own = "", (address, "data:", "blob:")
    views = [("light", 1280), ("dark", 390)]

    def hear(said: object) -> None:
        heard.append(f"{name}: {said}")

    with browser.new_context() as context:
        page = context.new_page()
        page.on(
            "request",
            lambda made: None if made.url.startswith(own) else hear(f"request to {made.url}"),
        )
        page.on("console", lambda said: hear(said.text) if said.type == "error" else None)
        page.on("pageerror", hear)
        for name in names:
            for number, (scheme, width) in enumerate(views):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 900})
                if number == 0:
                    page.goto(address + name, wait_until="networkidle")
                if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                    hear(f"wider than {width} pixels")
            views.reverse()
    return heard


def test_every_page_opens_quietly(browser, address, built_book):
    assert complaints(browser, address, page_names(built_book)) == []


def test_the_check_hears_errors_and_other_origins(browser, tmp_path):
    (tmp_path / "index.html").write_text(
        "<!DOCTYPE html><html><body><div style='width:3000px'>x</div>"
        "<script>fetch('http://127.0.0.1:9/').catch(() => 0); throw new Error('broken')</script>"
        "</body></html>",
        encoding="utf-8",
    )
    with site_server(tmp_path, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_address[1]}/"
        heard = " ".join(complaints(browser, here, ["index.html"]))
        server.shutdown()
    for mark in ("broken", "request to http://127.0.0.1:9/", "wider than 1280", "wider than 390"):
        assert mark in heard


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "selector", "least"),
    [
        ("book/how-to-read.html", "span.verdict, span.evidence", 11),
        ("notebooks/results_controls.html", "table.rederive :is(caption, th, td, a, span)", 50),
    ],
)
def test_words_in_tables_are_legible(browser, address, name, selector, least, scheme):
    """The contrast of words to their ground is at least 4.5 to 1 (WCAG 2.2, level AA)."""
    page = browser.new_page(color_scheme=scheme)
    page.goto(address + name)
    page.evaluate(CONTRAST)
    measured = page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].map(
          (e) => [`${e.className} ${e.textContent.slice(0, 30)}`, contrastOf(e)])""",
        selector,
    )
    page.close()
    assert len(measured) >= least
    assert [item for item in measured if item[1] < 4.5] == []
