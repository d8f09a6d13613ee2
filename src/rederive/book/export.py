"""The ledger of an installed article as CSV or JSON, and the check of a registry's tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rederive.errors import ConfigurationError
from rederive.installed import load_installed
from rederive.printed.files import csv_text
from rederive.printed.registry import load_registry
from rederive.printed.schema import TableError

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
    if form != "csv":
        raise ConfigurationError(f"format: found {form!r}, allowed: {', '.join(FORMATS)}")
    return csv_text(ledger_table(ledger))


def registry_summary(folder: Path) -> str:
    """Check the tables of a registry and return how many rows they have.

    A ``ConfigurationError`` has every problem found in the tables.
    """
    try:
        registry = load_registry(folder)
    except (TableError, OSError) as error:
        raise ConfigurationError(str(error)) from error
    evidence = Counter(str(plan.evidence) for plan in registry.plan.values())
    listed = ", ".join(f"{count} {name}" for name, count in evidence.most_common())
    return (
        f"{len(registry.numbers)} numbers, {len(registry.claims)} claims, "
        f"{len(registry.variables)} variables; evidence: {listed}"
    )
