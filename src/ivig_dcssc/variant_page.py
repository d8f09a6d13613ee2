"""The page of a variant: its parameters, and every number that comes out otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ivig_dcssc.cohort_groups import cohorts_of
from ivig_dcssc.overview import SECTIONS, pages
from ivig_dcssc.parameters import PARAMETERS
from rederive.book import render
from rederive.book.changes import changes, changes_table, data_table, from_data, summary_in_words
from rederive.book.ledger import Ledger
from rederive.site.variant import value_in_words


def parameters_table(changed: Mapping[str, object]) -> render.Html:
    """Return the parameters that differ: the article's value beside this one.

    Parameters
    ----------
    changed : mapping
        Values that differ from the article's; may be empty.
    """
    if not changed:
        return render.Html("<p>All parameters are the article's.</p>")
    rows: list[dict[str, object]] = [
        {
            "Parameter": each.name,
            "Meaning": each.label,
            "Article": _value(each.name, each.default, each.unit),
            "Here": _value(each.name, changed[each.name], each.unit),
        }
        for each in PARAMETERS
        if each.name in changed
    ]
    return render.records(rows, "Parameters that differ from the article's")


def _value(name: str, value: object, unit: str) -> str:
    """Return a value in words; of a user's own folder only its name."""
    if name == "cohort_folder":
        return Path(str(value)).name or "the reconstructed cohorts"
    return value_in_words(value, unit)


def in_words(ledger: Ledger) -> list[str]:
    """Return how much changed, or with one's own cohort what is compared, as sentences."""
    rows = list(ledger)
    if not cohorts_of(ledger).reconstructed:
        own = from_data(ledger)
        return [
            "This variant is computed from your own cohort and is held against the published "
            "study, not against the reconstructed cohorts.",
            f"{len(own)} of {len(rows)} numbers and claims come from the cohort; nothing in it was "
            "made to agree, so a difference is one between two studies and no verdict is given.",
            "What is recomputed from printed figures alone does not depend on the cohort.",
        ]
    sentences = summary_in_words(changes(ledger), len(rows))
    if not cohorts_of(ledger).as_published:
        sentences.append(
            "The synthetic cohorts were made to print the article's figures under the article's "
            "own windows and limits; a number that comes out otherwise under this variant's has no "
            "verdict."
        )
    return sentences


def table(ledger: Ledger) -> render.Html:
    """Return what changed, section by section; with one's own cohort all that it says."""
    if not cohorts_of(ledger).reconstructed:
        return data_table(from_data(ledger), SECTIONS, pages(ledger))
    return changes_table(changes(ledger), SECTIONS, pages(ledger))
