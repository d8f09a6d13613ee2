"""One page lists what was built: the book, variants, sweeps, runs."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from rederive.site.serve import site_server


def test_runs_variants_and_sweeps_are_on_one_page(tmp_path: Path) -> None:
    build = tmp_path / "_build"
    for name in ("html", "variants/mine/html", "variants/sweep-12/html"):
        (build / name).mkdir(parents=True)
        (build / name / "index.html").write_text(f"page of {name}")
    (build / "runs").mkdir()
    (build / "runs" / "a<b.html").write_text("a run")
    (tmp_path / "secret.txt").write_text("secret")
    with site_server(build, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"

        def page(path: str) -> str:
            with urllib.request.urlopen(address + path) as answer:
                return str(answer.read().decode())

        text = page("/")
        assert ">mine</a>" in text and ">sweep-12</a>" in text and ">a&lt;b</a>" in text
        assert page("/variants/mine/html/index.html") == "page of variants/mine/html"
        assert page("/runs/a%3Cb.html") == "a run"
        assert page("/html/") == "page of html"
        for nothing in ("/../secret.txt", "/runs/"):
            with pytest.raises(urllib.error.HTTPError):
                page(nothing)
        server.shutdown()
