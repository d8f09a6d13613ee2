"""What the reproduction shows about the article: each finding with its evidence and consequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ivig_dcssc import baseline, controls, open_readings
from ivig_dcssc.cohort.skin import READINGS, skin_block
from ivig_dcssc.cohort_groups import CENTRAL, cohorts_of, percent
from ivig_dcssc.cohort_words import (
    bound_in_words,
    bound_of,
    implied_below,
    implied_in_words,
    printing,
)
from ivig_dcssc.open_readings import OpenReading
from rederive.book import render
from rederive.book.ledger import Ledger, LedgerRow
from rederive.book.section import in_words
from rederive.printed import Evidence, Verdict
from rederive.reconstruct.block import Statistic
from rederive.reconstruct.bounds import Kind

LEDGER_PAGE = "ledger.html"
"""The ledger seen from the page of findings."""

_SHOWN = 6
"""Links of one finding that are shown; the others are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Parameters
    ----------
    statement : str
        What was found.
    consequence : str
        How much hangs on it.
    evidence : tuple of str
        Ids of the rows of the ledger that show it.
    """

    statement: str
    consequence: str
    evidence: tuple[str, ...]


def table(ledger: Ledger, found: Sequence[Finding], caption: str) -> render.Html:
    """Return findings as a table, their evidence as links to the ledger.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not found:
        raise ValueError(f"no findings for the table {caption!r}")
    lines = [
        (
            "",
            [
                render.text(each.statement),
                render.text(each.consequence),
                render.Cell(_links(ledger, each.evidence)),
            ],
        )
        for each in found
    ]
    return render.html_table(["Finding", "What follows", "Rows"], lines, caption)


def _links(ledger: Ledger, ids: Sequence[str]) -> str:
    links = [
        f'<a href="{LEDGER_PAGE}#{escape(row_id, quote=True)}">{escape(_name(ledger, row_id))}</a>'
        for row_id in ids[:_SHOWN]
    ]
    more = len(ids) - _SHOWN
    return "; ".join(links) + (f"; and {more} more" if more > 0 else "")


def _name(ledger: Ledger, row_id: str) -> str:
    return render.label_of(ledger.row(row_id))


def denominators(ledger: Ledger) -> list[Finding]:
    """Return the percentages whose denominator cannot be the printed size."""
    found = []
    for group in baseline.COMPARATORS:
        words = baseline.misfit_in_words(ledger, group)
        if not words:
            continue
        misfits = [
            topic
            for topic in baseline.SHARED
            if not baseline.denominators(ledger, group, topic).fits
        ]
        names = [name for topic in misfits for name in baseline.SHARED[topic]]
        stems = [f"table1-{name.replace('_', '-')}-{group.lower()}-baseline" for name in names]
        ids = tuple(f"{stem}-percent" for stem in stems)
        found.append(Finding(words, _smaller_sizes(ledger, group, names), ids))
    return found


def _smaller_sizes(ledger: Ledger, group: str, names: Iterable[str]) -> str:
    """Return whether a decision about asterisks is another with the denominators that would do."""
    labels = {ledger.registry.variables[name].label for name in names}
    cells = [
        row
        for row in baseline.p_by_cell(ledger)
        if row["group"] == group
        and row["variable"] in labels
        and "(comparator" in str(row["convention"])
    ]
    stated = [row for row in cells if str(row["convention"]).startswith("Student")]
    flips = [str(row["variable"]) for row in stated if row["agrees"] != "always"]
    if not cells:
        return "not tested: no single denominator is left"
    if flips:
        return f"with it, the decision for {in_words(flips)} would be another under Student's t"
    return "with the largest of these, every decision about asterisks stays under Student's t"


def choices(ledger: Ledger) -> list[Finding]:
    """Return the figures that are reached only under a choice that is not stated, or not at all."""
    rows = list(ledger)
    lost = [row for row in rows if row.verdict is Verdict.DIFFERS and not row.same_as]
    return [
        *choices_of(ledger, rows),
        *(
            Finding(
                f"{render.label_of(row)}: {row.printed} is reached under nothing that was tried.",
                _decision(row) or "no decision rests on it",
                (row.id,),
            )
            for row in lost
        ),
    ]


def choices_of(ledger: Ledger, rows: Iterable[LedgerRow]) -> list[Finding]:
    """Return the *p* values among some rows that need an unstated choice.

    The abstract's are left out, since the results print them again.
    """
    compared = {
        controls.p_id(group, timepoint): (group, timepoint)
        for timepoint, groups in controls.COMPARATORS.items()
        for group in groups
    }
    found = []
    for row in rows:
        needs = row.verdict is Verdict.NEEDS_CHOICE and row.statistic == "p"
        if not needs or row.section == "abstract":
            continue
        if row.id in compared:
            words = controls.choice_in_words(ledger, *compared[row.id])
        else:
            words = (
                f"The p of {row.printed} for {row.variable} is reached under a choice that is not "
                f"stated: {'; '.join(row.would_do)}."
            )
        found.append(Finding(words, _decision(row), (row.id,)))
    return found


def _decision(row: LedgerRow) -> str:
    """Return what became of a decision as a phrase; empty if the row has none."""
    if row.decision.startswith(_OPEN):
        return f"the decision is open: it {row.decision.removeprefix(_OPEN)}"
    return f"decision: {row.decision}" if row.decision else ""


_OPEN = "open: "
"""How the ledger words a decision that is open, before the reason."""


def choices_in_words(ledger: Ledger) -> str:
    """Return what kinds of rows need an unstated choice, as a sentence that counts all of them."""
    rows = [
        row
        for row in ledger
        if row.verdict is Verdict.NEEDS_CHOICE and row.evidence is Evidence.RECOMPUTED
    ]
    shown = [row for row in rows if row.statistic == "p" and row.section != "abstract"]
    again = [row for row in rows if row.statistic == "p" and row.section == "abstract"]
    shares = [row for row in rows if row.kind == "number" and row.statistic == "percent"]
    near = [row for row in rows if row.kind == "claim" and row.statistic == "borderline"]
    limits = list(dict.fromkeys(option for row in near for option in row.would_do))
    kinds = [
        (len(shown), "p value", "p values", "of the results"),
        (len(again), "mention of them", "mentions of them", "in the abstract"),
        (len(shares), "percentage", "percentages", "without a possible denominator as stated"),
        (
            len(near),
            "statement that a p is borderline",
            "statements that a p is borderline",
            f"(reached with {in_words(limits, 'or')})",
        ),
        (len(rows) - len(shown) - len(again) - len(shares) - len(near), "other", "others", ""),
    ]
    parts = [f"{n} {many if n > 1 else one} {tail}".rstrip() for n, one, many, tail in kinds if n]
    return f"The {len(rows)} that need a choice are {in_words(parts)}."


def conventions(ledger: Ledger) -> list[Finding]:
    """Return the decisions and statements that hang on a convention."""
    contested = baseline.contested_cells(ledger)
    labels = {
        (ledger.registry.variables[variable].label, group): row_id
        for (variable, group), row_id in baseline.asterisk_claims(ledger).items()
    }
    ids = dict.fromkeys(labels[str(row["Variable"]), str(row["Comparator"])] for row in contested)
    tests = dict.fromkeys(str(row["Convention"]).split(" (comparator")[0] for row in contested)
    resting = [
        row
        for row in ledger
        if row.kind == "claim"
        and not row.same_as
        and row.id not in ids
        and row.decision == "depends on the convention"
    ]
    consequence = f"under {in_words(list(tests), 'or')}" if tests else "nothing"
    if resting:
        consequence += "; statements that rest on them: " + "; ".join(r.printed for r in resting)
    found = [
        Finding(
            baseline.contested_in_words(ledger),
            consequence,
            (*ids, *(row.id for row in resting)),
        )
    ]
    readings = (
        open_readings.share_of_responders(ledger),
        open_readings.prednisone(ledger),
        open_readings.muscle_severity(ledger),
    )
    return [*found, *(_of_reading(reading) for reading in readings)]


def _of_reading(reading: OpenReading) -> Finding:
    statement = (
        f"Not decided by what is printed: {reading.question}. One way: {reading.one}. The other "
        f"way: {reading.other}."
    )
    consequence = {
        "yes": "read the other way, a published decision or statement changes",
        "no": "no published decision or statement changes either way",
    }.get(reading.changes, f"a published decision or statement changes {reading.changes}")
    return Finding(statement, consequence, reading.evidence)


def dropouts(ledger: Ledger) -> list[Finding]:
    """Return who is missing at follow-up, and what the printed figures say of them."""
    numbers = ledger.registry.numbers
    size = int(numbers["abstract-cohort-size-ivig-n"].printed.value)
    start = numbers["abstract-mrss-ivig-baseline-mean"].printed
    found = []
    for timepoint in ("m6", "m12", "m18", "m24"):
        stem = f"abstract-mrss-ivig-{timepoint}"
        n = int(numbers[f"{stem}-n"].printed.value)
        month = timepoint.removeprefix("m")
        have = "has" if size - n == 1 else "have"
        statement = f"At {month} months {size - n} of {size} patients {have} no skin score."
        bound = bound_of(ledger, Kind.MISSING_BASELINE_MEAN, timepoint)
        consequence = "no bound was computed of their baseline"
        if bound is not None:
            decimals = 0 if size - n == 1 else 1
            who = "the baseline score is" if size - n == 1 else "their mean baseline score is"
            words = bound_in_words(bound, decimals)
            low, high = bound.low.limit, bound.high.limit
            side = "on either side of the cohort's"
            if low > float(start.value):
                side = "above the cohort's"
            elif high < float(start.value):
                side = "below the cohort's"
            consequence = f"{who} {words}, {side} {start}"
            other = bound_of(ledger, Kind.MISSING_BASELINE_MEAN, timepoint, READINGS[1])
            if timepoint == "m12" and other is not None:
                narrow = bound_in_words(other, decimals)
                consequence += f"; with the change read as {READINGS[1]}, {narrow}"
        ids: tuple[str, ...] = (f"{stem}-n",)
        change = numbers.get(f"abstract-mrss-change-ivig-{timepoint}-mean")
        if change is not None:
            plain = float(numbers[f"{stem}-mean"].printed.value - start.value)
            statement += (
                f" The mean change is printed as {change.printed}, the difference of the printed "
                f"means is {plain:.1f}: who is missing counts in the baseline mean alone."
            )
            ids += (change.id,)
        else:
            inside = bound_of(ledger, Kind.CHANGE_MEAN, timepoint)
            if inside is not None:
                statement += (
                    " The mean change is not printed; all printed skin scores together leave "
                    f"{bound_in_words(inside, 1)}."
                )
        found.append(Finding(statement, consequence, ids))
    return found


def repeats(ledger: Ledger) -> list[Finding]:
    """Return whether figures that are printed more than once agree."""
    disagreeing = ledger.disagreeing_repeats()
    again = [row for row in ledger.registry.numbers.values() if row.same_as]
    if disagreeing:
        return [
            Finding(
                f"{len(disagreeing)} repeated figures disagree with their first mention.",
                f"of {len(again)} repeats",
                tuple(row.id for row, _ in disagreeing),
            )
        ]
    shorter = [
        row.id
        for row in again
        if row.printed.decimals != ledger.registry.numbers[row.same_as].printed.decimals
    ]
    return [
        Finding(
            f"All {len(again)} repeated figures agree with their first mention within rounding; "
            f"{len(shorter)} have another number of digits.",
            "the text was set with care; a figure printed twice is not confirmed by it",
            tuple(shorter),
        )
    ]


def skin_figures(ledger: Ledger) -> list[Finding]:
    """Return how tightly the other skin scores hold each figure that was switched off.

    Needs the reconstructed cohorts' predictions for the responders alone; the rest are bounds.
    """
    found = [_responders(ledger, timepoint) for timepoint in controls.MONTHS]
    for timepoint in ("m18", "m24"):
        row_id = f"abstract-mrss-ivig-{timepoint}-p"
        bound = bound_of(ledger, Kind.PAIRED_P, timepoint, without=(row_id,))
        if bound is None:
            continue
        alpha = ledger.settings.alpha
        printed = ledger.registry.numbers[row_id].printed
        answer = {True: "implied", False: "not implied: it rests on this p alone", None: "open"}
        found.append(
            Finding(
                f"At {timepoint[1:]} months a p of {printed} is printed, and no change. The other "
                f"skin scores {implied_in_words(bound, alpha).replace('*', '')}.",
                f"significance is {answer[implied_below(bound, alpha)]}",
                (row_id,),
            )
        )
    return [*found, *_tightness(ledger)]


def _responders(ledger: Ledger, timepoint: str) -> Finding:
    row_id = f"results-responder-ivig-{timepoint}-count"
    row = ledger.registry.numbers[row_id]
    n = int(ledger.registry.numbers[f"abstract-mrss-ivig-{timepoint}-n"].printed.value)
    figure = skin_block(ledger.registry).figure(row_id)
    bound = cohorts_of(ledger).own_bound(figure)
    statement = f"{row.printed} of {n} patients responded at {timepoint[1:]} months."
    if bound is not None:
        ends = bound_in_words(bound, 0)
        statement += f" All other printed skin scores together leave {ends} of {n}."
    consequence = "nothing else that is printed fixes the count"
    if cohorts_of(ledger).reconstructed:
        consequence += f"; {_predicted(ledger, row_id)}"
    return Finding(statement, consequence, (row_id,))


def _predicted(ledger: Ledger, row_id: str) -> str:
    """Return what synthetic data that were not told a figure make of it, under each prior."""
    draws = cohorts_of(ledger).predictions
    own = draws[(draws["figure"] == row_id) & (draws["reading"] == READINGS[0])]
    printed = ledger.registry.numbers[row_id].printed
    parts = []
    for prior, part in own.groupby("prior", sort=False):
        low, high = np.quantile(part["value"], CENTRAL)
        share = percent(float(printing(part["value"], printed).mean()))
        parts.append(f"{prior} {low:.0f} to {high:.0f}, {share} print it")
    return f"predicted in synthetic data (95 %): {'; '.join(parts)}"


def _tightness(ledger: Ledger) -> list[Finding]:
    """Return how wide the bounds of means and SDs are, each from all other figures."""
    block = skin_block(ledger.registry)
    cohorts = cohorts_of(ledger)
    found: list[tuple[float, str, str]] = []
    for figure in block.figures:
        bound = cohorts.own_bound(figure)
        if bound is None or figure.statistic not in (Statistic.MEAN, Statistic.SD):
            continue
        width = bound.high.limit - bound.low.limit
        words = (
            f"{_name(ledger, figure.id).replace(', IVIG', '')} {bound_in_words(bound, 1)} "
            f"(printed {figure.printed})"
        )
        found.append((width, words, figure.id))
    if len(found) < 2:
        return []
    found.sort()
    tight = [each for each in found if each[0] <= 2] or found[:1]
    loose = found[-2:]
    return [
        Finding(
            "Switched off one at a time, means and SDs of the skin score are held by the others "
            f"to very different widths. Tightest: {'; '.join(words for _, words, _ in tight)}. "
            f"Loosest: {'; '.join(words for _, words, _ in loose)}.",
            "agreement of a loosely held figure with its prediction is hardly evidence",
            tuple(row_id for _, _, row_id in [*tight, *loose]),
        )
    ]


def predictors(ledger: Ledger) -> list[Finding]:
    """Return how often nothing predicts response or change where nothing was made to.

    Empty for a user's own cohort, which is no prediction.
    """
    if not cohorts_of(ledger).reconstructed:
        return []
    found = []
    for row in ledger:
        if row.kind == "claim" and row.evidence is Evidence.PREDICTED and not row.same_as:
            if row.statistic != "none_predict":
                continue
            words = row.why.split(". ", 1)[-1]
            found.append(
                Finding(
                    f"{row.printed}. In synthetic cohorts that were not told so it "
                    f"{row.reproduced} ({words}).",
                    "the statement is compatible with the other figures; it does not follow from "
                    "them",
                    (row.id,),
                )
            )
    return found


def release() -> list[dict[str, str]]:
    """Return what the authors could release, and what each would settle, for a table."""
    rows = [
        (
            "the number of patients with a skin score at follow-up in each comparison group",
            "the p values against D-penicillamine and collagen, now reached under one reading only",
            "a number for each comparison",
        ),
        (
            "the mean change at 12 months with one more decimal",
            "its two readings, and with them the same p values",
            "one digit",
        ),
        (
            "mean and SD of the change at 18 and 24 months",
            "the p values of these months, which rest on themselves",
            "four figures",
        ),
        (
            "the number of patients with known race and sex in the relaxin and MMF groups",
            "the denominators that cannot be as stated",
            "a number for each group",
        ),
        (
            "the number of pairs behind disability, the patients' rating and each severity, and "
            "the windows of these measures",
            "which patients these p values are about",
            "a number for each measure",
        ),
        (
            "the commands of the analysis, or the names of the tests with their options",
            "variances, zeros and ties, Wald or likelihood ratio",
            "a page",
        ),
        (
            "the table of all simple regressions",
            "how near to significance the predictors were that are not printed",
            "a page",
        ),
        (
            "the changes in skin score without names, sorted, at 6 and 12 months",
            "responders at every threshold, medians, outliers, and every p above",
            "two columns",
        ),
        (
            "the dated skin scores, de-identified",
            "everything about the skin, and every window; other groups could then add theirs",
            "one table",
        ),
    ]
    header = ("What could be released", "What it would settle", "How much it is")
    return [dict(zip(header, row, strict=True)) for row in rows]


def summary_in_words(ledger: Ledger) -> list[str]:
    """Return what the findings amount to, as sentences."""
    rows = list(ledger)
    recomputed = [row for row in rows if row.evidence is Evidence.RECOMPUTED]
    good = sum(row.verdict in (Verdict.SAME, Verdict.WITHIN_ROUNDING) for row in recomputed)
    choice = sum(row.verdict is Verdict.NEEDS_CHOICE for row in recomputed)
    lost = sum(row.verdict is Verdict.DIFFERS for row in recomputed)
    sentences = [
        f"Of {len(recomputed)} rows, repeats included, that can be recomputed from printed figures "
        f"alone, {good} come out, {choice} need a choice that is not stated, and "
        + ("none contradicts the others." if not lost else f"{lost} are not reached at all."),
    ]
    if choice > 1:
        sentences.append(choices_in_words(ledger))
    fixed = {decision for row_id in _main(ledger) for decision in (ledger.row(row_id).decision,)}
    alpha = ledger.settings.alpha
    if fixed == {f"p < {alpha:g} throughout"}:
        sentences.append(
            "The main comparisons, against D-penicillamine and collagen at 12 months, are "
            "significant under every convention tried with the sizes at baseline."
        )
    else:
        sentences.append("The main comparisons at 12 months depend on a convention or a rounding.")
    return sentences


def _main(ledger: Ledger) -> list[str]:
    return [controls.p_id(group, "m12") for group in ("D-pen", "collagen")]


def from_printed_figures(ledger: Ledger) -> list[str]:
    """Return the findings that need no cohort, as sentences for the landing page."""
    needs_choice = [
        controls.choice_in_words(ledger, group, timepoint)
        for timepoint, groups in controls.COMPARATORS.items()
        for group in groups
    ]
    return [
        *(finding.statement for finding in denominators(ledger)),
        *(words for words in needs_choice if words),
        baseline.contested_in_words(ledger),
        *(finding.statement for finding in repeats(ledger)),
    ]
