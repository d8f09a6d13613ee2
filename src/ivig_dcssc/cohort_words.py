"""Sentences and tables about cohorts that several sections share.

Reconstructed cohorts are called synthetic wherever they are named, and their agreement with a
figure that they were made to print is never called a confirmation. Where a run has a cohort of its
own, nothing is said of reconstruction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd
from IPython.display import Markdown

from ivig_dcssc.cohort.skin import READINGS, skin_block
from ivig_dcssc.cohort.skin_bounds import control_change
from ivig_dcssc.cohort_groups import cohorts_of, groups, p_ceiling, p_floor, span_in_words
from ivig_dcssc.evidence import Cohorts
from ivig_dcssc.parameters import COHORT_SEED
from ivig_dcssc.reproduced import CohortResults
from ivig_dcssc.reproduced.choices import SKIN_TARGETS
from rederive.book import render
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed import PrintedNumber, Verdict, outward
from rederive.printed.registry import NumberRow
from rederive.reconstruct.bounds import Bound, Kind, Quantity, key_of

FLOAT_NOISE_DECIMALS = 9
"""Decimals of a computed figure that are kept before it is held against a printed one."""


def cohorts_in_words(cohorts: Cohorts) -> str:
    """Return which cohorts these are, as the subject of a sentence."""
    if not cohorts.reconstructed:
        return "the cohort of this run"
    parts = groups(cohorts)
    what = f"{len(cohorts.priors)} reconstructed, synthetic cohorts"
    if len(parts) == 1:
        return f"{what} under the {parts[0].label}"
    return f"{what} ({_sizes_in_words(cohorts)})"


def _sizes_in_words(cohorts: Cohorts) -> str:
    parts = groups(cohorts)
    return in_words([f"{len(group.cohorts)} under the {group.label}" for group in parts])


def departures_in_words(cohorts: Cohorts) -> list[str]:
    """Return what this run has in place of the article's months and patients, as sentences.

    Months of follow-up, patients who were left out or whose cycles are unknown, and which of the
    reconstructed cohorts are taken; none where all is as in the article.
    """
    choices, sentences = cohorts.choices, []
    if choices.followup_targets != SKIN_TARGETS:
        printed, here = (in_words(months) for months in (SKIN_TARGETS, choices.followup_targets))
        sentences.append(
            f"The follow-ups of this run are at months {here}. Wherever a label or a published "
            f"figure says month {printed}, they stand in its place, in this order."
        )
    if cohorts.reconstructed and choices.cohort_seed != COHORT_SEED:
        sentences.append(f"The cohorts were made with the seed {choices.cohort_seed}.")
    if cohorts.reconstructed and choices.reading in READINGS[1:]:
        sentences.append(
            f"Only cohorts whose mean change at month 12 prints as {choices.reading} are taken: "
            f"{_sizes_in_words(cohorts)}."
        )
    return [*sentences, *_inclusion_in_words(cohorts)]


def _inclusion_in_words(cohorts: Cohorts) -> list[str]:
    """Return who is left out for too few cycles, and whose cycles are unknown, as sentences."""
    least = cohorts.choices.minimum_cycles
    inclusion = cohorts.results.tables.inclusion
    ends = [(int(each.min()), int(each.max())) for each in (inclusion.left_out, inclusion.unknown)]
    (fewest, most), (_, unknown) = ends
    sentences = []
    if most:
        number = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        where = " of each cohort" if cohorts.reconstructed else ""
        sentences.append(
            f"Patients with fewer than {least} cycles in the first six months are left out of "
            f"every analysis: {number}{where}."
        )
    if unknown and least > 0:
        sentences.append(
            f"In {unknown} patients the number of cycles in the first six months is unknown; it "
            f"counts as {least} or more."
        )
    return sentences


def note_in_words(cohorts: Cohorts) -> list[str]:
    """Return what the cohorts of this run are and what their agreement is worth, as sentences."""
    if not cohorts.reconstructed:
        return [
            "The figures come from the cohort that this run was given; nothing in it was fitted.",
            *departures_in_words(cohorts),
        ]
    made = "They were made to print the article's figures of the IVIG group, so agreement with"
    sentences = [
        f"The figures come from {cohorts_in_words(cohorts)}.",
        f"{made} these shows that the analysis runs as described and confirms none of them.",
    ]
    if not cohorts.as_published:
        sentences.append(
            "This run's windows, tests or limits are not the article's, so the cohorts need not "
            "print its figures."
        )
    return sentences + departures_in_words(cohorts)


def about(ledger: Ledger) -> list[str]:
    """Return what the patient-level data of this run are, as sentences."""
    cohorts = cohorts_of(ledger)
    if not cohorts.reconstructed:
        size = len(cohorts.results.tables.cohort.patients)
        return [
            f"What needs patient-level data is computed from the cohort of this run, {size} "
            "patients, through the same functions as in the book.",
            "Nothing in it was made to agree with the article.",
            *departures_in_words(cohorts),
        ]
    sentences = [
        "What needs patient-level data is computed from reconstructed, synthetic cohorts: "
        f"{_sizes_in_words(cohorts)}.",
        "Every one of them prints the article's figures; none of them is the patients' data.",
        "Where a cohort was made to print a figure (calibrated), its agreement confirms nothing.",
    ]
    if not cohorts.as_published:
        sentences.append(
            "This run uses other windows or limits than the article, so they need not print its "
            "figures here."
        )
    return sentences + departures_in_words(cohorts)


def verdicts_in_words(counts: Mapping[Verdict, int]) -> str:
    """Return how many rows have each verdict of a recomputation, as a list in a sentence.

    Parameters
    ----------
    counts : mapping of Verdict to int
        Rows by verdict; verdicts without rows are left out.
    """
    tails = {
        Verdict.SAME: ("*same*", "*same*"),
        Verdict.WITHIN_ROUNDING: ("*within rounding*", "*within rounding*"),
        Verdict.NEEDS_CHOICE: ("that *needs an unstated choice*", "that need an unstated choice"),
        Verdict.DIFFERS: ("that *differs*", "that differ"),
    }
    found = {verdict: counts.get(verdict, 0) for verdict in tails}
    return in_words([f"{n} {tails[verdict][n > 1]}" for verdict, n in found.items() if n])


def printing(values: pd.Series[Any], printed: PrintedNumber) -> pd.Series[Any]:
    """Return for each computed figure whether it would be printed as published.

    Parameters
    ----------
    values : Series
        Unrounded figures; NaN prints as nothing.
    printed : PrintedNumber
        The published figure.
    """
    verdicts = {
        value: printed.prints(Fraction(str(round(float(value), FLOAT_NOISE_DECIMALS))))
        for value in values.dropna().unique()
    }
    return values.map(lambda value: verdicts.get(value, False)).astype(bool)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A published figure and what every cohort makes of it; NaN where nothing is known."""

    row: NumberRow
    values: pd.Series[Any]

    @property
    def computed(self) -> bool:
        """Whether any cohort has data for the figure."""
        return bool(self.values.notna().any())

    @property
    def prints(self) -> pd.Series[Any]:
        """Whether each cohort prints the figure."""
        return printing(self.values, self.row.printed)

    @property
    def span(self) -> str:
        """Least and greatest unrounded figure over the cohorts."""
        return span_in_words(self.values, self.row.printed.decimals + 2)


def agreements(ledger: Ledger, section: str, notebook: str) -> list[Agreement]:
    """Return all figures of one section of the article that the cohorts compute.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    section, notebook : str
        Section of the article, and notebook in which the figures have their place.
    """
    results = cohorts_of(ledger).results
    return [
        Agreement(row, _known(results, row))
        for row in ledger.registry.numbers.values()
        if row.section == section
        and ledger.registry.plan[row.id].notebook == notebook
        and results.covers(row.id)
    ]


def _known(results: CohortResults, row: NumberRow) -> pd.Series[Any]:
    """Return a figure by cohort; a number of patients is unknown where none is known."""
    values = results.known(row.id)
    if row.statistic != "n":
        return values
    return values.where(values > 0)


def agreement_in_words(ledger: Ledger, found: Sequence[Agreement], where: str) -> list[str]:
    """Return how many of some figures the cohorts print, as sentences.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    found : sequence of Agreement
        As from `agreements`.
    where : str
        Where the article prints them, for the sentence.

    Raises
    ------
    ValueError
        If there are no figures.
    """
    if not found:
        raise ValueError(f"the cohorts compute no figure of {where}")
    cohorts = cohorts_of(ledger)
    each = [(one, one.prints) for one in found]
    if not cohorts.reconstructed:
        hits = sum(bool(prints.all()) for _, prints in each)
        known = sum(one.computed for one in found)
        if not known:
            return [
                *note_in_words(cohorts),
                f"None of the {len(found)} figures of {where} can be computed from it.",
            ]
        return [
            *note_in_words(cohorts),
            f"It prints {hits} of the {known} figures of {where} that can be computed from it "
            "as the article does.",
        ]
    everywhere = sum(bool(prints.all()) for _, prints in each)
    if everywhere == len(found):
        said = f"Every cohort prints all {len(found)} figures of {where}."
    else:
        said = f"Every cohort prints {everywhere} of the {len(found)} figures of {where}."
    return [*note_in_words(cohorts), said]


def mean_records(ledger: Ledger, found: Sequence[Agreement]) -> list[dict[str, object]]:
    """Return the means with their SDs, published and unrounded from the cohorts, for a table.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    found : sequence of Agreement
        Figures; those that are neither mean nor SD are left out.
    """
    pairs: dict[str, dict[str, Agreement]] = {}
    for one in found:
        if one.row.statistic in ("mean", "sd"):
            pairs.setdefault(one.row.id.rsplit("-", 1)[0], {})[one.row.statistic] = one
    rows: list[dict[str, object]] = []
    for pair in pairs.values():
        if set(pair) != {"mean", "sd"}:
            continue
        mean, sd = pair["mean"], pair["sd"]
        both = mean.prints & sd.prints
        title, answer = "Prints both", "yes" if both.all() else "no"
        if not mean.computed:
            answer = "none"
        if len(both) > 1:
            title, answer = "Cohorts that print both", f"{int(both.sum())} of {len(both)}"
        rows.append(
            {
                "Variable": ledger.registry.variables[mean.row.variable].label,
                "Published mean (SD)": f"{mean.row.printed} ({sd.row.printed})",
                title: answer,
                "Mean, unrounded": mean.span,
                "SD, unrounded": sd.span,
            }
        )
    return rows


def table_or(rows: list[dict[str, object]], caption: str, otherwise: str) -> render.Html | Markdown:
    """Return rows as a table, or a sentence where there are none."""
    return render.records(rows, caption) if rows else Markdown(otherwise)


def together(rows: list[dict[str, object]], column: str) -> list[dict[str, object]]:
    """Return rows that differ in one column alone as one row, with all its words in that column."""
    found: dict[tuple[object, ...], dict[str, object]] = {}
    for row in rows:
        key = tuple(value for name, value in row.items() if name != column)
        if key in found:
            found[key][column] = f"{found[key][column]}, {row[column]}"
        else:
            found[key] = dict(row)
    return list(found.values())


def bound_of(
    ledger: Ledger,
    kind: Kind,
    timepoint: str,
    reading: str = READINGS[0],
    *,
    control: str = "",
    without: Sequence[str] = (),
    threshold: int | None = None,
) -> Bound | None:
    """Return the bounds of a quantity of the skin scores, if they were computed.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    kind : Kind
        What is bounded.
    timepoint : str
        Such as ``m12``.
    reading : str
        How the mean change at month 12 is read.
    control : str
        For a difference, the group whose printed mean change is subtracted.
    without : sequence of str
        Ids of figures that are no constraint.
    threshold : int, optional
        For responders, the least decrease in points.
    """
    reference = control_change(ledger.registry, control, timepoint) if control else None
    limit = None if threshold is None else Fraction(threshold)
    quantity = Quantity(kind, timepoint, threshold=limit, reference=reference)
    block = skin_block(ledger.registry, reading)
    return cohorts_of(ledger).bounds.get(key_of(block, quantity, tuple(without)))


def bound_in_words(bound: Bound | None, decimals: int) -> str:
    """Return both ends of a bound; what is proved but not known to be attained is marked so."""
    if bound is None:
        return "not computed"
    ends = " to ".join(outward(bound.low.limit, bound.high.limit, decimals))
    return ends if bound.sharp else f"within {ends} (proved, not known to be attained)"


def implied_below(bound: Bound, alpha: float) -> bool | None:
    """Return whether all data that keep the other figures have p below alpha.

    Returns
    -------
    bool or None
        True where it is proved, False where a witness has p at alpha or above, None where neither
        is known.
    """
    if bound.high.limit < alpha:
        return True
    witness = bound.high.best
    return False if witness is not None and witness >= alpha else None


def implied_in_words(bound: Bound, alpha: float) -> str:
    """Return what the other skin scores say of a p value, as the predicate of a sentence."""
    low, high = p_floor(bound.low.limit), p_ceiling(bound.high.limit)
    implied = implied_below(bound, alpha)
    if implied:
        return f"leave a *p* of at most {high}: significance at α = {alpha:g} follows from them"
    best = bound.high.best
    if implied is False and best is not None:
        return (
            f"also suit data with a *p* of at least {p_floor(best)} (their limit is {high}): "
            f"significance at α = {alpha:g} does not follow from them"
        )
    found = "" if best is None else f"; the greatest found is at least {p_floor(best)}"
    return (
        f"are only proved to leave a *p* of {low} to {high}{found}: whether significance at "
        f"α = {alpha:g} follows from them is open"
    )
