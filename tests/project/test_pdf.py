"""The book as one PDF; apart from other tests in a browser, since it opens one itself."""

from __future__ import annotations

import re

import pytest
from pypdf import PdfReader

from book_pdf import write_pdf

pytestmark = pytest.mark.browser


def test_the_book_as_one_pdf(chromium, built_book, tmp_path):
    names = ["book/how-to-read.html", "book/glossary.html"]
    pages = write_pdf(built_book, {"": names[:1], "Reference": names[1:]}, tmp_path / "book.pdf")
    reader = PdfReader(tmp_path / "book.pdf")
    assert len(reader.pages) == pages >= 4
    contents = reader.pages[0].extract_text()
    place = reader.get_destination_page_number(reader.named_destinations["/book-glossary"])
    assert place is not None and re.search(rf"Glossary\s*{place + 1}\b", contents)
    assert f"1 / {pages}" in contents
    titles = [str(each.title) for each in reader.outline if not isinstance(each, list)]
    assert titles == ["Contents"] or "Glossary" in str(reader.outline)
    places = set(reader.named_destinations)
    for page in reader.pages:
        for link in page.get("/Annots") or []:
            goal = link.get_object().get("/Dest")
            assert goal is None or str(goal) in places
