"""The book as a whole: how much stands, which sections are built, and what was found so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ivig_dcssc.cohort_words import verdicts_in_words
from rederive.book import render
from rederive.book.ledger import Ledger, LedgerRow
from rederive.book.section import in_words
from rederive.printed import Evidence, Verdict
from rederive.printed.evidence import PLANNED

SECTIONS = {
    "introduction": "Abstract",
    "methods": "Methods",
    "results_baseline": "Results: the patients at baseline",
    "results_treatment": "Results: treatment and adverse effects",
    "results_skin": "Results: skin scores over time",
    "results_predictors": "Results: predictors of response",
    "results_function": "Results: function and organs",
    "results_controls": "Results: changes against the historical controls",
    "sensitivity": "Sensitivity analyses (appendices)",
    "discussion": "Discussion",
}
"""Title of each section's notebook, in the article's order."""


KINDS = {
    "a count held against its percentage, or the reverse": (
        "percent_of_count",
        "count_of_percent",
        "n_of_count_and_percent",
    ),
    "a percentage held against its denominator": ("attainable_percent",),
    "sums and remainders": (
        "remainder",
        "percent_of_sum",
        "percent_of_remainder",
        "every_percent",
    ),
    "a printed p from means and SDs": (
        "two_sample_t",
        "two_sample_t_unstated_n",
        "paired_t",
        "paired_t_from_visits",
    ),
    "a printed p from counts": ("two_proportions",),
    "an odds ratio with its interval and p": ("odds_ratio",),
    "a claim tested from means, SDs or counts": (
        "claim_two_sample_t",
        "claim_two_sample_t_unstated_n",
        "claim_paired_t",
        "claim_two_proportions",
        "claim_two_percentages",
    ),
    "a claim held against a p or figures printed for it": (
        "claim_p",
        "claim_borderline",
        "claim_below_one",
        "claim_decreasing",
        "claim_majority",
        "claim_first_exceed_rest",
        "claim_sum_exceeds_rest",
    ),
    "a claim made of several others": ("claim_all",),
}
"""What a recomputation checks, in words, by method."""


def kinds(ledger: Ledger) -> list[dict[str, object]]:
    """Return how many recomputed rows there are of each kind of check, and how they came out."""
    found: list[dict[str, object]] = []
    for words, methods in KINDS.items():
        rows = [row for row in ledger if row.method in methods]
        verdicts = Counter(row.verdict for row in rows)
        found.append(
            {
                "What is checked": words,
                "Rows": len(rows),
                **{
                    str(verdict): verdicts[verdict]
                    for verdict in (
                        Verdict.SAME,
                        Verdict.WITHIN_ROUNDING,
                        Verdict.NEEDS_CHOICE,
                        Verdict.DIFFERS,
                    )
                },
            }
        )
    return found


def pages(ledger: Ledger) -> dict[str, str]:
    """Return the page of every built notebook, relative to the ledger's page."""
    return {name: f"../notebooks/{name}.html" for name in SECTIONS if name in ledger.built}


def counts_in_words(ledger: Ledger) -> list[str]:
    """Return how many numbers and claims there are and how they came out, as sentences."""
    rows = list(ledger)
    numbers = sum(row.kind == "number" for row in rows)
    repeats = sum(bool(row.same_as) for row in rows)
    unbuilt = sum(not row.built for row in rows)
    evidence = Counter(row.evidence for row in rows)
    verdicts = Counter(row.verdict for row in rows if row.evidence is Evidence.RECOMPUTED)
    predicted = Counter(row.verdict for row in rows if row.evidence is Evidence.PREDICTED)
    outside = predicted[Verdict.DIFFERS]
    sentences = [
        f"The article prints **{numbers}** figures and makes **{len(rows) - numbers}** claims that "
        f"can be checked; {repeats} of these rows repeat an earlier one.",
        f"**{evidence[Evidence.RECOMPUTED]}** rows are recomputed from other printed figures "
        f"alone: {verdicts_in_words(verdicts)}.",
        "A count and its percentage check each other, so agreement there is one piece of evidence "
        "printed twice.",
    ]
    if evidence[Evidence.OTHER_STUDY]:
        sentences.append(
            f"**{evidence[Evidence.OTHER_STUDY]}** rows need patient-level data and show what the "
            "cohort of this run, another study, gives beside the published figure."
        )
    else:
        sentences += [
            f"**{evidence[Evidence.PREDICTED]}** rows are predicted by synthetic cohorts "
            f"that were not told them; {outside or 'none'} of them {_lies(outside)} outside what "
            "the other figures allow.",
            f"**{evidence[Evidence.CALIBRATED]}** rows are calibrated: the cohorts were made to "
            "print them, so their agreement confirms nothing.",
        ]
    if unbuilt:
        sentences.append(f"{unbuilt} rows belong to sections that are not built yet.")
    return sentences


def _lies(count: int) -> str:
    return "lies" if count <= 1 else "lie"


def ledger_in_words(ledger: Ledger) -> list[str]:
    """Return what the ledger holds, as sentences."""
    rows = list(ledger)
    pending = sum(row.verdict is Verdict.PENDING for row in rows)
    unbuilt = Counter(row.notebook for row in rows if not row.built)
    waits = f"{pending} are *pending*, because no patient-level data are there for them"
    sentences = [f"{len(rows)} rows; {waits if pending else 'none is *pending*'}."]
    if unbuilt:
        waiting = in_words([f"{SECTIONS[name]} ({count})" for name, count in unbuilt.items()])
        sentences.append(f"Not built yet, with their numbers of rows: {waiting}.")
    return sentences


def kinds_of(rows: Sequence[LedgerRow]) -> list[Evidence]:
    """Return the kinds of evidence to count rows by: another study's figures only if there are."""
    present = {row.evidence for row in rows}
    return [kind for kind in Evidence if kind in PLANNED or kind in present]


def sections(ledger: Ledger) -> list[dict[str, object]]:
    """Return every section with its rows by evidence; its title links to its page if it is built.

    The links are relative to the pages in ``book/``.
    """
    rows = list(ledger)
    page = pages(ledger)
    found: list[dict[str, object]] = []
    for name, title in SECTIONS.items():
        evidence = Counter(row.evidence for row in rows if row.notebook == name)
        found.append(
            {
                "Section": render.link(title, page[name]) if name in page else title,
                "Rows": evidence.total(),
                **{str(kind).capitalize(): evidence[kind] for kind in kinds_of(rows)},
            }
        )
    return found
