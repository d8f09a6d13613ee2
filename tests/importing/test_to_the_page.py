"""From a clinic's file to a page in two commands; what is in the file is never run."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from playwright.sync_api import sync_playwright

from rederive.cli.main import main
from rederive.execution.project import CACHE_VARIABLE
from rederive.printed.files import inert
from rederive.site.page import notebook_page

ROOT = Path(__file__).resolve().parents[2]


def clinic(path: Path, first: str = "1", remarks: str = "Bemerkung") -> Path:
    """Write forty-one patients with scores, as a German Excel exports them."""
    rng = random.Random(4)
    rows = [f"Pat.-Nr.;Besuch (Monat);mRSS;HAQ;{remarks}"]
    for number in [first, *range(2, 42)]:
        score = rng.randint(15, 40)
        for month, change in ((0, 0), (6, -4), (12, -7), (24, -10)):
            found = "NA" if rng.random() < 0.1 else score + change + rng.randint(-3, 3)
            haq = rng.choice(["0,5", "1,125", "2"])
            rows.append(f"{number};{month};{found};{haq};schön")
    path.write_bytes("\r\n".join(rows).encode("cp1252"))
    return path


@pytest.mark.browser
def test_a_file_becomes_a_page_in_two_commands(tmp_path: Path, chromium: str) -> None:
    evil = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
    file, folder = clinic(tmp_path / "clinic.csv", evil, evil), tmp_path / "<b>mine"
    result = CliRunner().invoke(
        main, ["import", str(file), "--out", str(folder), "--missing", "NA"]
    )
    assert result.exit_code == 0, result.output
    output = tmp_path / "skin.ipynb"
    words = ["results_skin", "--cohort", str(folder), "--output", str(output), "--html"]
    result = CliRunner().invoke(main, ["--root", str(ROOT), "run", *words])
    assert result.exit_code == 0, result.output
    text = output.with_suffix(".html").read_text(encoding="utf-8")
    assert "Results: the skin score over time" in text
    assert evil not in text and "<script" not in text and "<img src=x" not in text
    assert "script-src" not in text and "default-src 'none'" in text
    # Nothing is fetched: figures and style are in the page.
    assert not re.findall(r"""(?:src|href)=["'](?!data:|https?://)""", text)
    figures = re.findall(r'<img alt="([^"]*)" src="data:image/svg', text)
    assert len(figures) >= 3 and all(len(each) > 20 for each in figures)
    # What is about synthetic patients alone is not on it.
    assert "synthetic" not in text and "Your cohort beside the published one" in text
    assert "from your cohort, beside" in text and "from all cohorts" not in text
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        ).new_page()
        said: list[str] = []
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.goto(output.with_suffix(".html").as_uri())
        page.wait_for_timeout(300)
        assert page.title() == "Results: the skin score over time" and said == []
        assert page.locator("script, img[src=x]").count() == 0
        assert evil[:20] in page.inner_text("body")  # in sight, as text
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        grounds = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert grounds == ["rgb(255, 255, 255)", "rgb(20, 24, 30)"]


def test_a_page_shows_text_figures_and_errors_but_no_code_that_is_hidden(tmp_path: Path) -> None:
    def cell(kind: str, source: str, *outputs: dict[str, object], tags: tuple[str, ...] = ()):
        found = {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)}}
        return found | ({"outputs": list(outputs)} if kind == "code" else {})

    stream = {"output_type": "stream", "name": "stdout", "text": "a < b"}
    warning = {"output_type": "stream", "name": "stderr", "text": "warned"}
    html = {"output_type": "display_data", "data": {"text/html": '<a href="x.html">there</a>'}}
    told = {"output_type": "display_data", "data": {"text/markdown": "*told*", "text/plain": "?"}}
    error = {"output_type": "error", "ename": "ValueError", "evalue": "<b>"}
    cells = [
        cell("markdown", "# A & B\n\n:::{admonition} In *short*\n:class: tip\n{term}`HAQ-DI`\n:::"),
        cell("markdown", "{numref}`fig-a` shows it.\n({numref}`tab-b`, {numref}`fig-c`)"),
        cell("markdown", "<script>x</script> [there](other.ipynb) [web](https://example.org)"),
        cell("code", "shown < 1", stream, warning, html, told, error),
        cell("code", "hidden", stream, tags=("remove-input",)),
        cell("code", "gone", stream, tags=("remove-cell",)),
    ]
    text = notebook_page(json.dumps({"cells": cells}).encode(), tmp_path / "none.css")
    for words in (
        "<title>A &amp; B</title>",
        "HAQ-DI",
        "The figure shows it.",
        "(the table, the figure)",
        "shown &lt; 1",
        "a &lt; b",
        "there",
        "<em>told</em>",
        "&lt;b&gt;",
    ):
        assert words in text, words
    assert 'href="https://example.org"' in text
    for words in ("<script", "warned", "hidden", "gone", "x.html", "other.ipynb", ":class:"):
        assert words not in text, words


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["run", "results_skin", "--output", "/proc/x.ipynb"], 2, "/proc/x.ipynb cannot be used"),
        (["ledger", "--output", "a" * 300], 2, "File name too long"),
        (["template", "/dev/null/x"], 2, "/dev/null"),
        (["--cache", "/proc/none", "build"], 2, "/proc/none"),
        (["validate", "/nowhere"], 2, "no such folder"),
    ],
)
def test_the_operating_system_is_heard_in_one_sentence(
    words: list[str], status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, "")  # --cache sets it, for this process and what it starts
    result = CliRunner().invoke(main, ["--root", str(ROOT), *words])
    assert (result.exit_code, said in result.output) == (status, True), result.output
    assert "Traceback" not in result.output and isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device", "/x/y"), 1)],
)
def test_an_interruption_and_a_full_disk_have_their_status(
    error: BaseException, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("rederive.cli.main.ledger_text", fail)
    result = CliRunner().invoke(main, ["--root", str(ROOT), "ledger"])
    assert result.exit_code == status and result.output.startswith("error: ")
    assert len(result.output.splitlines()) == 1


def test_a_spreadsheet_executes_no_cell_of_an_export() -> None:
    cells = ["=1+1", "@A1", "+x", "-2+3", "-8", "-8.5%", "-5.35 to -5.31", "p < 0.05", None]
    table = inert(pd.DataFrame({"text": cells, "number": range(-4, 5)}))
    assert table["text"].to_list()[:5] == ["'=1+1", "'@A1", "'+x", "'-2+3", "-8"]
    assert table["text"].to_list()[5:8] == cells[5:8] and table["number"].to_list()[0] == -4
