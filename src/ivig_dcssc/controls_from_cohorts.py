"""The changes against the historical controls once more, from visit-level data.

The controls have no patients here: their mean, SD and size at baseline are taken as printed. Sharp
bounds of the differences need no cohort; they hold for all data that print the skin scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ivig_dcssc.cohort.skin import READINGS
from ivig_dcssc.cohort_groups import (
    between,
    by_prior,
    cohorts_of,
    fixed,
    p_between,
    p_text,
    percent,
    span_in_words,
)
from ivig_dcssc.cohort_words import bound_in_words, bound_of, note_in_words, printing
from ivig_dcssc.controls import COMPARATORS, MONTHS, p_id
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.reconstruct.bounds import Kind


def _pairs() -> list[tuple[str, str]]:
    return [(timepoint, group) for timepoint, groups in COMPARATORS.items() for group in groups]


def _name(timepoint: str, group: str, here: int = 0) -> str:
    """Return a comparison in words; ``here`` is the month that the run takes, if it may differ."""
    printed = MONTHS[timepoint]
    if here in (0, printed):
        return f"{group}, month {printed}"
    return f"month {here} against {group} at month {printed}"


def _own(table: pd.DataFrame, timepoint: str, group: str) -> pd.DataFrame:
    chosen = (table["timepoint"] == timepoint) & (table["group"] == group)
    return table[chosen].set_index("cohort")


def records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the difference and p of each comparison over the cohorts, for a table.

    Shares are given for each prior where they differ. For a user's own cohort each comparison has
    its interval.
    """
    cohorts = cohorts_of(ledger)
    table, alpha = cohorts.results.controls(), cohorts.choices.alpha
    rows: list[dict[str, object]] = []
    for timepoint, group in _pairs():
        found = _own(table, timepoint, group)
        published = ledger.registry.numbers[p_id(group, timepoint)].printed
        name = _name(timepoint, group, cohorts.choices.month(timepoint))
        if not cohorts.reconstructed:
            rows.append(_own_record(found.iloc[0], name, str(published)))
            continue
        below = by_prior(cohorts, found["p"] < alpha)
        prints = by_prior(cohorts, printing(found["p"], published))
        rows.append(
            {
                "Comparison": name,
                "IVIG minus comparator": span_in_words(found["difference"], 2),
                "p": p_between(float(found["p"].min()), float(found["p"].max())),
                f"p < {alpha:g} in": _shares(below),
                "Published p": str(published),
                "Printed by": _shares(prints),
            }
        )
    return rows


def _shares(flags: Mapping[str, pd.Series[Any]]) -> str:
    """Return by prior in how many cohorts something holds, as one share where all agree."""
    words = {prior: percent(float(part.mean())) for prior, part in flags.items()}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return ", ".join(f"{share} ({prior})" for prior, share in words.items())


def _own_record(row: pd.Series[Any], name: str, published: str) -> dict[str, object]:
    return {
        "Comparison": name,
        "Patients": int(row["n"]),
        "IVIG minus comparator": fixed(row["difference"], 2),
        "95 % interval": between(row["low"], row["high"], 2),
        "p": p_text(float(row["p"])),
        "Published p": published,
    }


def bound_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the bounds of each difference under both readings of the change, for a table."""
    rows: list[dict[str, object]] = []
    for timepoint, group in _pairs():
        chosen = cohorts_of(ledger).choices.reading
        both = (chosen,) if chosen in READINGS else READINGS
        readings = both if timepoint == "m12" else READINGS[:1]
        for reading in readings:
            bound = bound_of(ledger, Kind.DIFFERENCE, timepoint, reading, control=group)
            rows.append(
                {
                    "Comparison": _name(timepoint, group),
                    "Mean change read as": reading if timepoint == "m12" else "printed",
                    "IVIG minus comparator": bound_in_words(bound, 2),
                    "Sharp": "yes" if bound is not None and bound.sharp else "not known",
                }
            )
    return rows


def in_sentences(ledger: Ledger) -> list[str]:
    """Return what the cohorts say of the comparisons, as sentences."""
    cohorts = cohorts_of(ledger)
    sentences = note_in_words(cohorts)
    table, alpha = cohorts.results.controls(), cohorts.choices.alpha
    shares = {pair: float((_own(table, *pair)["p"] < alpha).mean()) for pair in _pairs()}
    named = {pair: _name(*pair, cohorts.choices.month(pair[0])) for pair in shares}
    if not cohorts.reconstructed:
        below = [named[pair] for pair, share in shares.items() if share == 1]
        return [
            *sentences,
            f"The difference is significant at α = {alpha:g} against "
            f"{in_words(below) if below else 'none of the controls'}.",
        ]
    always = [named[pair] for pair, share in shares.items() if share == 1]
    never = [named[pair] for pair, share in shares.items() if share == 0]
    if len(always) + len(never) == len(shares):
        sentences.append(
            f"No decision depends on the cohort or its prior: p lies below α = {alpha:g} in all "
            f"against {in_words(always) if always else 'none'}, and in none against "
            f"{in_words(never) if never else 'any other'}."
        )
    else:
        open_ones = [named[pair] for pair, share in shares.items() if 0 < share < 1]
        sentences.append(f"The decision depends on the cohort for {in_words(open_ones)}.")
    sentences.append(
        "The printed mean and SD of the change leave so little room that the prior hardly matters."
        if cohorts.as_published
        else "Mean and SD of the change are no longer held to the printed ones."
    )
    if not cohorts.as_published:
        return sentences
    lost = [
        f"{ledger.registry.numbers[p_id(group, timepoint)].printed} ({named[timepoint, group]})"
        for timepoint, group in _pairs()
        if not printing(
            _own(table, timepoint, group)["p"],
            ledger.registry.numbers[p_id(group, timepoint)].printed,
        ).any()
    ]
    if lost:
        sentences.append(
            f"No cohort gives the published p of {in_words(lost)} with the controls' figures taken "
            "exactly as printed; the rounding of these figures, or fewer controls at follow-up, "
            "is needed for it."
        )
    return sentences
