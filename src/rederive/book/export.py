"""The ledger of an installed article as CSV or JSON, and the check of a registry's tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rederive.installed import load_installed
from rederive.printed.files import csv_text
from rederive.printed.registry import load_registry

# Both bring much with them, and a build that only looks whether anything changed needs neither.
if TYPE_CHECKING:
    import pandas as pd

    from rederive.book.ledger import Ledger

ARTICLES = "rederive.articles"
"""Entry-point group: each entry is a function that opens the ledger of one article."""

FORMATS = ("csv", "json")
"""Formats in which a ledger can be written."""


def open_article(name: str = "") -> Ledger:
    """Open the ledger of an installed article, whose name is needed if there are several."""
    opener: Callable[[], Ledger] = load_installed(ARTICLES, name, "none is installed")
    return opener()


def ledger_table(ledger: Ledger) -> pd.DataFrame:
    """Return all rows of a ledger as a table, one row for each number or claim."""
    import pandas as pd

    return pd.DataFrame([row.as_record() for row in ledger])


def ledger_text(ledger: Ledger, form: str) -> str:
    """Return all rows of a ledger as text, in one of :data:`FORMATS`."""
    if form == "json":
        # Not by way of a table: it would write numbers that are not there as NaN, which no JSON is.
        records = [row.as_record() for row in ledger]
        return json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return csv_text(ledger_table(ledger))


def registry_summary(folder: Path) -> str:
    """Return how many rows the tables of a registry have, which are checked."""
    registry = load_registry(folder)
    evidence = Counter(str(plan.evidence) for plan in registry.plan.values())
    listed = ", ".join(f"{count} {name}" for name, count in evidence.most_common())
    return (
        f"{len(registry.numbers)} numbers, {len(registry.claims)} claims, "
        f"{len(registry.variables)} variables; evidence: {listed}"
    )
