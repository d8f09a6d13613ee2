"""Readings of the article that nothing printed decides, and what follows if they go either way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from ivig_dcssc import baseline, controls
from ivig_dcssc.cohort.skin import READINGS
from ivig_dcssc.cohort_groups import cohorts_of, p_between, percent
from ivig_dcssc.cohort_words import bound_in_words, bound_of
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.recompute.methods import SIZES
from rederive.recompute.signed_rank import CONVENTIONS
from rederive.reconstruct.bounds import Kind

PREDNISONE_P = "results-responder-prednisone-ivig-m12-p"
MUSCLE_P = "results-severity-muscle-ivig-m12-p"
MUSCLE = "severity_muscle"


@dataclass(frozen=True, slots=True)
class OpenReading:
    """A reading that could go one way or the other.

    Parameters
    ----------
    question : str
        What is open.
    one, other : str
        What follows from each answer.
    changes : str
        Whether a published decision or statement would be another: no, yes, or in which cohorts.
    evidence : tuple of str
        Ids of the rows that it bears on.
    """

    question: str
    one: str
    other: str
    changes: str
    evidence: tuple[str, ...]

    def as_record(self) -> dict[str, object]:
        """Return the reading as a row of a table."""
        return {
            "Open": self.question,
            "One way": self.one,
            "The other way": self.other,
            "A decision or statement changes": self.changes,
        }


def open_readings(ledger: Ledger) -> list[OpenReading]:
    """Return every reading that stayed open, with what follows from each answer.

    Those that a run has settled for itself, by its parameters, are open here all the same.
    """
    settings = replace(ledger.settings, reading=(), unstated_n=SIZES[0])
    if settings != ledger.settings:
        ledger = Ledger(ledger.registry, settings, ledger.built, ledger.cohorts)
    return [
        change_at_12_months(ledger),
        controls_followed(ledger),
        race_denominators(ledger),
        variance(ledger),
        share_of_responders(ledger),
        prednisone(ledger),
        muscle_severity(ledger),
    ]


def change_at_12_months(ledger: Ledger) -> OpenReading:
    """Whether the mean change of -8 was rounded to a whole number."""
    groups = [group for group in controls.COMPARATORS["m12"] if group != "MMF"]
    answers = []
    for reading in READINGS:
        parts = []
        for group in groups:
            bound = bound_of(ledger, Kind.DIFFERENCE, "m12", reading, control=group)
            parts.append(f"{bound_in_words(bound, 2)} against {group}")
        reached = _reached(ledger, reading)
        whose = f"the published p against {in_words(reached)}" if reached else "no published p"
        if len(reached) > 1 and not _reached_together(ledger, reading, reached):
            whose += ", each by itself; not all together"
        answers.append(
            f"read as {reading}: difference {in_words(parts)}; the baseline sizes give {whose}"
        )
    ids = tuple(controls.p_id(group, "m12") for group in groups)
    return OpenReading(
        "whether the mean change at 12 months was rounded to a whole number",
        answers[0],
        answers[1],
        _yes(any(_decisions(ledger, row_id) != {True} for row_id in ids)),
        ids,
    )


def _reached(ledger: Ledger, reading: str) -> list[str]:
    """Return the groups whose p at 12 months is reached under one reading, as stated."""
    found = []
    for group in controls.COMPARATORS["m12"]:
        reaches = ledger.recomputed(controls.p_id(group, "m12")).stated
        mine = [r for r in reaches if r.convention.rsplit("read as ", 1)[-1] == reading]
        if any(reach.meets for reach in (mine or reaches)):
            found.append(group)
    return found


def _reached_together(ledger: Ledger, reading: str, groups: list[str]) -> bool:
    """Return whether the sizes at baseline give all p of some groups with one change in IVIG."""
    test = ledger.settings.two_sample.name
    sizes = [
        size
        for size in controls.needed_sizes(ledger, "m12")
        if size.convention.startswith(test)
        and size.convention.rsplit("read as ", 1)[-1] == reading
        and size.comparator in groups
    ]
    return all(size.at_baseline in size.jointly for size in sizes)


def _yes(changes: bool) -> str:
    return "yes" if changes else "no"


def _decisions(ledger: Ledger, row_id: str) -> set[bool | None]:
    """Return the decisions at alpha under every convention that uses the sizes at baseline."""
    reaches = ledger.recomputed(row_id).reaches
    return {r.decision(ledger.settings.alpha) for r in reaches if r.point is not None}


def controls_followed(ledger: Ledger) -> OpenReading:
    """Whether all controls had a skin score at follow-up."""
    needed, least, ids, changes = [], [], [], False
    groups = [group for group in controls.COMPARATORS["m12"] if group != "MMF"]
    for group in groups:
        row_id = controls.p_id(group, "m12")
        smaller = _smaller_sizes(ledger, row_id)
        if smaller:
            safe = controls.least_safe_size(ledger, group, "m12")
            needed.append(f"{smaller} on {group}")
            least.append(f"{safe} on {group}")
            changes |= int(smaller.split()[0]) < safe
            ids.append(row_id)
    sizes = [
        f"{each.summary.n} on {each.name}"
        for each in controls.comparisons(ledger, "m12")
        if each.name in groups
    ]
    other = "no smaller size is needed"
    if needed:
        other = (
            f"some were lost: read as {READINGS[1]}, the change needs {in_words(needed)}; the "
            f"decision stays from {in_words(least)} on"
        )
    return OpenReading(
        "how many controls had a skin score at 12 months",
        f"all: {in_words(sizes)}",
        other,
        _yes(changes),
        tuple(ids) or tuple(controls.p_id(group, "m12") for group in groups),
    )


_SIZES = "comparator n "
"""What comes before the sizes in the name of a convention with fewer comparators."""


def _smaller_sizes(ledger: Ledger, row_id: str) -> str:
    """Return the sizes that a p needs under the stated test if the change is read as -8.0."""
    outcome = ledger.recomputed(row_id)
    at_baseline = [r for r in outcome.stated if r.convention.endswith(READINGS[1])]
    if any(reach.meets for reach in (at_baseline or outcome.stated)):
        return ""
    for reach in outcome.reaches:
        name = reach.convention
        stated = name.startswith(ledger.settings.two_sample.name)
        if stated and f"read as {READINGS[1]}," in name and _SIZES in name and reach.meets:
            return name.rsplit(_SIZES, 1)[1]
    return ""


def race_denominators(ledger: Ledger) -> OpenReading:
    """Whether race was known in all patients of the comparison groups."""
    found = [baseline.denominators(ledger, group, "race") for group in baseline.COMPARATORS]
    misfits = [each for each in found if not each.fits]
    sizes = [f"{each.others[0]} on {each.group}" for each in misfits if each.others]
    claims = baseline.asterisk_claims(ledger)
    names = baseline.SHARED["race"]
    ids = tuple(claims[name, each.group] for name in names for each in misfits)
    labels = {ledger.registry.variables[name].label for name in names}
    flips = [
        row
        for row in baseline.p_by_cell(ledger)
        if row["variable"] in labels
        and str(row["convention"]).startswith("Student")
        and "(comparator" in str(row["convention"])
        and row["agrees"] != "always"
    ]
    return OpenReading(
        "whether race is known in all controls",
        "yes: then the printed percentages are no counts of "
        + in_words([f"{each.printed} ({each.group})" for each in misfits]),
        f"no: denominators such as {in_words(sizes)} give them" if sizes else "no: none would do",
        _yes(bool(flips)),
        ids,
    )


def variance(ledger: Ledger) -> OpenReading:
    """Whether the variances of yes/no variables were pooled."""
    pooled, welch = (
        {
            (str(row["Variable"]), str(row["Comparator"]))
            for row in baseline.contested_cells(ledger)
            if str(row["Convention"]).startswith(test)
        }
        for test in ("Student", "Welch")
    )
    cells = [f"{variable} ({group})" for variable, group in sorted(welch)]
    by_label = {
        (ledger.registry.variables[variable].label, group): row_id
        for (variable, group), row_id in baseline.asterisk_claims(ledger).items()
    }
    return OpenReading(
        "whether the variances were pooled, for the yes/no variables of Table 1",
        "pooled: the asterisks come out as published"
        if not pooled
        else f"pooled: {len(pooled)} of {len(by_label)} change",
        f"separate: {len(cells)} of {len(by_label)} change, {in_words(cells)}"
        if cells
        else "separate: the same",
        _yes(bool(cells)),
        tuple(by_label[cell] for cell in sorted(welch)),
    )


def share_of_responders(ledger: Ledger) -> OpenReading:
    """Whether those who were not followed count among the patients."""
    numbers = ledger.registry.numbers
    cohort = int(numbers["abstract-cohort-size-ivig-n"].printed.value)
    followed, treated, ids = [], [], []
    for timepoint, month in controls.MONTHS.items():
        count = int(numbers[f"results-responder-ivig-{timepoint}-count"].printed.value)
        n = int(numbers[f"abstract-mrss-ivig-{timepoint}-n"].printed.value)
        followed.append(f"{100 * count / n:.1f} % at {month} months")
        if 2 * count <= cohort:
            treated.append(f"{100 * count / cohort:.1f} % at {month} months")
            ids.append(f"discussion-responder-ivig-{timepoint}-majority")
    return OpenReading(
        "whether more than half of the patients responded",
        f"of those followed, as the article counts: {in_words(followed)}",
        "of all treated (not the article's denominator), the missing counted as no responders: "
        + (in_words(treated) if treated else "more than half each time"),
        _yes(bool(treated)),
        tuple(ids) or tuple(f"discussion-responder-ivig-{at}-majority" for at in controls.MONTHS),
    )


def prednisone(ledger: Ledger) -> OpenReading:
    """Whether a p printed as the significance level lies below it."""
    outcome, alpha = ledger.recomputed(PREDNISONE_P), ledger.settings.alpha
    words = {
        answer: in_words(
            [
                f"{reach.convention} ({p_between(reach.low, reach.high)})"
                for reach in outcome.reaches
                if reach.decision(alpha) is answer
            ]
            or ["none"]
        )
        for answer in (True, False)
    }
    return OpenReading(
        f"whether prednisone's p of {outcome.printed} is below α = {alpha:g}",
        f"yes: {words[True]}",
        f"no: {words[False]}",
        _yes(len({reach.decision(alpha) for reach in outcome.reaches}) > 1),
        (PREDNISONE_P,),
    )


def muscle_severity(ledger: Ledger) -> OpenReading:
    """How unchanged patients and the continuity of ranks were treated in the signed-rank test."""
    cohorts = cohorts_of(ledger)
    table = cohorts.results.function_measures()
    conventions = [convention.name for convention in CONVENTIONS]
    own = table[(table["measure"] == MUSCLE) & table["test"].isin(conventions)]
    alpha = ledger.settings.alpha
    used = own[own["test"] == cohorts.choices.signed_rank_convention]
    others = own[(own["test"] != cohorts.choices.signed_rank_convention) & own["p"].notna()]
    parts = [f"{test}: {_p_over(part, alpha)}" for test, part in others.groupby("test")]
    where = "in the synthetic cohorts" if cohorts.reconstructed else "in this cohort"
    published = used.set_index("cohort")["p"] < alpha
    against = (others["p"] < alpha).to_numpy() != published.reindex(others["cohort"]).to_numpy()
    share = others.loc[against, "cohort"].nunique() / max(1, len(published))
    changes = "no" if share == 0 else f"in {percent(share)} of the synthetic cohorts"
    if share and not cohorts.reconstructed:
        changes = "yes"
    return OpenReading(
        "how the signed-rank test of muscle severity treated zeros and continuity",
        f"{cohorts.choices.signed_rank_convention}: {_p_over(used, alpha)} {where}",
        "; ".join(parts) or "no other convention can be computed",
        changes,
        (MUSCLE_P,),
    )


def _p_over(part: pd.DataFrame, alpha: float) -> str:
    known = part["p"].dropna()
    if known.empty:
        return "no p"
    span = p_between(float(known.min()), float(known.max()))
    return f"p {span}, below α in {percent(float((known < alpha).mean()))}"


def open_readings_in_words(found: list[OpenReading]) -> list[str]:
    """Return how many open readings carry a decision, as sentences."""
    carrying = [each for each in found if each.changes != "no"]
    return [
        f"{len(found)} readings stayed open; a published decision or statement hangs on "
        f"{len(carrying)} of them.",
        "None of these is the comparison of the skin scores at 12 months with D-penicillamine and "
        "collagen."
        if not any("change" in row_id for each in carrying for row_id in each.evidence)
        else "The comparisons of the skin scores are among them.",
    ]
