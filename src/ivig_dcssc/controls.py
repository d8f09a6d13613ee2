"""The changes in skin score against the historical controls: what the printed p values need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivig_dcssc.p_words import p_between, p_text
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed import Interval, PrintedNumber, Verdict, outward
from rederive.recompute.methods import scale_of
from rederive.recompute.missing import implied_mean_of_missing, sd_range_of_followed
from rederive.recompute.summaries import Summary
from rederive.recompute.t_tests import correlation_range
from rederive.recompute.unstated_n import (
    Comparison,
    describe_sizes,
    sizes_with_decision,
    solve_n,
)

COMPARATORS: dict[str, tuple[str, ...]] = {
    "m6": ("relaxin", "MMF"),
    "m12": ("D-pen", "collagen", "MMF"),
}
"""Groups whose change in skin score the article compares, by time point."""

MONTHS = {"m6": 6, "m12": 12}
"""Months of the time points."""


def p_id(comparator: str, timepoint: str) -> str:
    """Return the id of the p that the results section prints for a comparison."""
    return f"results-mrss-change-{comparator.lower()}-{timepoint}-p"


def _summary(ledger: Ledger, group: str, timepoint: str, n_id: str) -> Summary:
    numbers = ledger.registry.numbers
    stem = f"abstract-mrss-change-{group.lower()}-{timepoint}"
    scale = scale_of(ledger.registry.variables["mrss_change"])
    size = int(numbers[n_id].printed.value)
    return ledger.settings.read(numbers[f"{stem}-mean"], numbers[f"{stem}-sd"].printed, size, scale)


def ivig_change(ledger: Ledger, timepoint: str) -> Summary:
    """Return the printed change in the IVIG cohort, n being that of the skin scores."""
    return _summary(ledger, "IVIG", timepoint, f"abstract-mrss-ivig-{timepoint}-n")


def comparisons(ledger: Ledger, timepoint: str) -> list[Comparison]:
    """Return every comparator with its change and all printings of its p."""
    found = []
    for group in COMPARATORS[timepoint]:
        summary = _summary(ledger, group, timepoint, f"table1-cohort-size-{group.lower()}-n")
        found.append(Comparison(group, summary, printings(ledger, group, timepoint)))
    return found


def printings(ledger: Ledger, comparator: str, timepoint: str) -> tuple[PrintedNumber, ...]:
    """Return the p of a comparison as every section prints it, repeats with equal digits once."""
    rows = ledger.registry.numbers.values()
    found = [
        row.printed
        for row in rows
        if (row.group, row.variable, row.timepoint, row.statistic)
        == (comparator, "mrss_change", timepoint, "p")
    ]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class NeededSize:
    """Comparator sizes that a printed p needs under one convention."""

    comparator: str
    convention: str
    at_baseline: int
    alone: tuple[int, ...]
    jointly: tuple[int, ...]

    def as_record(self) -> dict[str, object]:
        """Return the sizes as a row of a table."""
        return {
            "Comparator": self.comparator,
            "Convention": self.convention,
            "n at baseline": self.at_baseline,
            "n needed, by itself": describe_sizes(self.alone),
            "n needed, all comparisons together": describe_sizes(self.jointly),
            "baseline n would do, all together": "yes"
            if self.at_baseline in self.jointly
            else "no",
        }


def needed_sizes(ledger: Ledger, timepoint: str) -> list[NeededSize]:
    """Solve for the comparators' sizes at follow-up, one at a time and all together.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    timepoint : str
        ``m6`` or ``m12``.

    Returns
    -------
    list of NeededSize
        One entry for each comparator and convention; where sizes are taken as stated, those at
        baseline or none.
    """
    shared, rule = ivig_change(ledger, timepoint), ledger.settings.rule
    every = comparisons(ledger, timepoint)
    stated = ledger.settings.unstated_n == "stated"
    joint = {solved.convention: solved.sizes for solved in solve_n(shared, every, rule)}
    found = []
    for comparison in every:
        for solved in solve_n(shared, [comparison], rule):
            size = comparison.summary.n
            alone = solved.sizes[comparison.name]
            jointly = joint[solved.convention][comparison.name]
            if stated:
                alone, jointly = (tuple(n for n in s if n == size) for s in (alone, jointly))
            found.append(NeededSize(comparison.name, solved.convention, size, alone, jointly))
    return found


@dataclass(frozen=True, slots=True)
class Followed:
    """What the printed means imply of the patients with and without a follow-up score.

    One reading of the mean change; its n is taken to be that of the scores at the time.
    """

    timepoint: str
    reading: str
    followed: int
    missing: int
    baseline_of_missing: Interval
    baseline_sd_of_followed: tuple[float, float]
    correlation: tuple[float, float] | None

    @property
    def range_in_words(self) -> str:
        """The baseline of the missing; a single patient's score is a whole number."""
        decimals = 0 if self.missing == 1 else 1
        ends = self.baseline_of_missing
        return " to ".join(outward(ends.lower, ends.upper, decimals))

    def as_record(self) -> dict[str, object]:
        """Return the implications as a row of a table."""
        correlation = "impossible"
        if self.correlation is not None:
            correlation = " to ".join(outward(*self.correlation, 2))
        return {
            "Month": MONTHS[self.timepoint],
            "Mean change read as": self.reading,
            "Followed": self.followed,
            "Missing": self.missing,
            "Baseline of the missing": self.range_in_words,
            "Baseline SD of the followed": " to ".join(outward(*self.baseline_sd_of_followed, 1)),
            "Correlation of both scores": correlation,
        }


def followed(ledger: Ledger, timepoint: str) -> list[Followed]:
    """Return what is implied of who was followed at a time point, for each reading of the change.

    The followed patients' own SD at baseline is not printed; the range that the printed figures
    leave to it enters the correlation.
    """
    numbers, rule = ledger.registry.numbers, ledger.settings.rule
    scale = scale_of(ledger.registry.variables["mrss"])
    stem = f"abstract-mrss-ivig-{timepoint}"
    everyone = Summary(
        numbers["abstract-mrss-ivig-baseline-mean"].printed,
        numbers["abstract-mrss-ivig-baseline-sd"].printed,
        int(numbers["abstract-cohort-size-ivig-n"].printed.value),
        scale,
    )
    after = Summary(
        numbers[f"{stem}-mean"].printed,
        numbers[f"{stem}-sd"].printed,
        int(numbers[f"{stem}-n"].printed.value),
    )
    found = []
    for _, change in ivig_change(ledger, timepoint).readings():
        baseline = implied_mean_of_missing(
            everyone.mean, everyone.n, after.mean, change.mean, after.n, scale, rule
        )
        before_sd = sd_range_of_followed(
            everyone, after.mean, change.mean, after.n, rule, after.sd, change.sd
        )
        correlation = correlation_range(before_sd, after.sd_range(rule), change.sd_range(rule))
        missing = everyone.n - after.n
        text = change.mean.text
        found.append(Followed(timepoint, text, after.n, missing, baseline, before_sd, correlation))
    return found


def p_by_convention(ledger: Ledger) -> list[dict[str, object]]:
    """Return the reachable p of every comparison under every convention with the baseline n."""
    rows: list[dict[str, object]] = []
    for timepoint, groups in COMPARATORS.items():
        for group in groups:
            outcome = ledger.recomputed(p_id(group, timepoint))
            for reach in outcome.reaches:
                if reach.point is None:
                    continue
                rows.append(
                    {
                        "Comparison": f"{group}, month {MONTHS[timepoint]}",
                        "Convention": reach.convention,
                        "Published p": str(outcome.printed),
                        "At the printed figures": p_text(reach.point),
                        "Interval": p_between(reach.low, reach.high),
                        "Published p reachable": "yes" if reach.meets else "no",
                    }
                )
    return rows


def _name(comparator: str, timepoint: str) -> str:
    return f"{comparator} at {MONTHS[timepoint]} months"


def p_values_in_words(ledger: Ledger) -> list[str]:
    """Return how each comparison came out with the sizes at baseline, as sentences."""
    sentences = []
    for timepoint, groups in COMPARATORS.items():
        for group in groups:
            row = ledger.row(p_id(group, timepoint))
            name = _name(group, timepoint)
            if row.verdict is Verdict.SAME:
                sentences.append(
                    f"Against {name} the published p of {row.printed} comes out the same."
                )
            elif row.verdict is Verdict.WITHIN_ROUNDING:
                sentences.append(
                    f"Against {name} the published p of {row.printed} lies within rounding "
                    f"({row.interval})."
                )
            elif row.verdict is Verdict.NEEDS_CHOICE:
                sentences.append(_readings_in_words(ledger, group, timepoint))
            else:
                sentences.append(
                    f"Against {name} nothing tried reaches the published {row.printed}."
                )
    return [*sentences, *_decisions_in_words(ledger)]


def _readings_in_words(ledger: Ledger, group: str, timepoint: str) -> str:
    """Return what each stated reading gives, with the size at baseline, as one sentence."""
    outcome = ledger.recomputed(p_id(group, timepoint))
    parts = []
    for reach in outcome.stated:
        reading = reach.convention.rsplit("read as ", 1)[-1]
        parts.append(f"{p_between(reach.low, reach.high)} with the change read as {reading}")
    reached = any(reach.meets for reach in outcome.stated)
    holds = "only the wider range holds" if reached else "neither range holds"
    return (
        f"Against {_name(group, timepoint)} the article's figures give {in_words(parts)}; "
        f"{holds} the published {outcome.printed}."
        if len(parts) > 1
        else f"Against {_name(group, timepoint)} the article's figures give {parts[0]}, not the "
        f"published {outcome.printed}."
    )


def _decisions_in_words(ledger: Ledger) -> list[str]:
    """Return whether any decision at alpha could be another, and from which size on it is safe."""
    alpha = ledger.settings.alpha
    safe: list[tuple[str, str]] = []
    unsafe: list[tuple[str, str]] = []
    for timepoint, groups in COMPARATORS.items():
        for group in groups:
            outcome = ledger.recomputed(p_id(group, timepoint))
            at_baseline = [reach for reach in outcome.reaches if reach.point is not None]
            decisions = {reach.decision(alpha) for reach in at_baseline}
            (safe if len(decisions) == 1 and None not in decisions else unsafe).append(
                (group, timepoint)
            )
    sentences = []
    if unsafe:
        names = in_words([_name(group, timepoint) for group, timepoint in unsafe])
        sentences.append(
            f"The decision at α = {alpha:g} against {names} depends on rounding or on the test."
        )
    if safe:
        names = in_words([_name(group, timepoint) for group, timepoint in safe])
        sentences.append(
            f"With the sizes at baseline the decision at α = {alpha:g} against {names} is the same "
            "within rounding, under both tests and every reading."
        )
    for group, timepoint in safe if ledger.settings.unstated_n == "solved" else ():
        needed = least_safe_size(ledger, group, timepoint)
        if needed > 2:
            sentences.append(
                f"Against {_name(group, timepoint)} it stays so for every comparator size from "
                f"{needed} on."
            )
    return sentences


def least_safe_size(ledger: Ledger, group: str, timepoint: str) -> int:
    """Return the comparator size from which on the decision at alpha is that of the baseline size.

    Both tests and every reading are taken into account; sizes above the one at baseline are not.
    """
    alpha, rule = ledger.settings.alpha, ledger.settings.rule
    outcome = ledger.recomputed(p_id(group, timepoint))
    significant = outcome.main.decision(alpha) is True
    shared = ivig_change(ledger, timepoint)
    comparison = next(c for c in comparisons(ledger, timepoint) if c.name == group)
    against = sizes_with_decision(shared, comparison.summary, not significant, alpha, rule)
    sizes = [n for solved in against for n in solved.sizes["comparator"]]
    return max(sizes, default=1) + 1


def reading_in_words(ledger: Ledger) -> list[str]:
    """Return what the two readings of the change at 12 months do, as sentences."""
    shared = ivig_change(ledger, "m12")
    named = [(reading.mean.text, reading) for _, reading in shared.readings()]
    sentences = []
    for text, reading in named:
        interval = reading.mean.interval(ledger.settings.rule)
        sentences.append(
            f"Read as {text}, the mean lies between {interval.lower:g} and {interval.upper:g}."
        )
    if len(named) == 1:
        return [*sentences, "In this run it is read in no other way."]
    wide = named[0][0]
    depends = []
    for group in COMPARATORS["m12"]:
        outcome = ledger.recomputed(p_id(group, "m12"))
        stated = outcome.stated
        if len({reach.meets for reach in stated}) > 1:
            depends.append(group)
    if depends:
        sentences.append(
            f"With the baseline sizes and the test taken as the article's, the published p against "
            f"{in_words(depends)} is reached, each by itself, only if the change was rounded to a "
            f"whole number ({wide})."
        )
    else:
        sentences.append("No published p depends on the reading at the baseline sizes.")
    return sentences


def sizes_in_words(ledger: Ledger, timepoint: str) -> list[str]:
    """Return which comparator sizes the p values of one month need, as sentences."""
    sizes = needed_sizes(ledger, timepoint)
    if ledger.settings.unstated_n == "stated":
        return _stated_sizes_in_words(sizes)
    conventions = list(dict.fromkeys(size.convention for size in sizes))
    sentences = []
    for convention in conventions:
        group = [size for size in sizes if size.convention == convention]
        if not all(size.jointly for size in group):
            lost = [size.comparator for size in group if not size.alone]
            reason = f", because none reaches the p against {in_words(lost)}" if lost else ""
            sentences.append(f"Under *{convention}* no set of sizes will do{reason}.")
            continue
        short = [size for size in group if size.at_baseline not in size.jointly]
        if short:
            needed = [
                f"{describe_sizes(size.jointly)} patients on {size.comparator} instead of "
                f"{size.at_baseline}"
                for size in short
            ]
            sentences.append(f"Under *{convention}* the p values need {in_words(needed)}.")
        else:
            sentences.append(f"Under *{convention}* the baseline sizes would all do.")
    return sentences


def _stated_sizes_in_words(sizes: Sequence[NeededSize]) -> list[str]:
    sentences = [
        "In this run the comparators are taken to have as many patients at follow-up as Table 1 "
        "has at baseline; no other number is tried."
    ]
    for convention in dict.fromkeys(size.convention for size in sizes):
        lost = [s.comparator for s in sizes if s.convention == convention and not s.alone]
        reached = f"every p but that against {in_words(lost)}" if lost else "every p"
        sentences.append(f"Under *{convention}* {reached} can be reached with it, each by itself.")
    return sentences


def missing_in_words(ledger: Ledger, implied: Sequence[Followed]) -> list[str]:
    """Return what the printed means imply of the missing patients, as sentences."""
    mean = ledger.registry.numbers["abstract-mrss-ivig-baseline-mean"].printed
    sentences = []
    for each in implied:
        low, high = each.baseline_of_missing.lower, each.baseline_of_missing.upper
        what = "patient without a score had a baseline score"
        if each.missing > 1:
            what = "patients without a score had a mean baseline score"
        side = "within reach of"
        if low > float(mean.value):
            side = "above"
        elif high < float(mean.value):
            side = "below"
        readings = sum(other.timepoint == each.timepoint for other in implied)
        read = f", with the mean change read as {each.reading}," if readings > 1 else ""
        sentences.append(
            f"At {MONTHS[each.timepoint]} months{read} the "
            f"{each.missing} {what} of {each.range_in_words}, {side} the cohort's {mean}."
        )
    return sentences


def choice_in_words(ledger: Ledger, group: str, timepoint: str) -> str:
    """Return on which choice the published p of one comparison hangs; empty if on none."""
    row = ledger.row(p_id(group, timepoint))
    if row.verdict is not Verdict.NEEDS_CHOICE:
        return ""
    every = comparisons(ledger, timepoint)
    size = next(comparison.summary.n for comparison in every if comparison.name == group)
    options = [
        option.split(": ")[0].replace(" (pooled variance)", "").replace("IVIG mean", "change")
        for option in row.would_do
    ]
    return (
        f"The p of {row.printed} published against {group} at {MONTHS[timepoint]} months hangs on "
        f"a choice (Table 1 has {size} patients): {'; '.join(options)}."
    )
