"""The changes in skin score against the historical controls: what the printed p values need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed import Interval, PrintedNumber, Verdict
from rederive.recompute.methods import scale_of
from rederive.recompute.missing import implied_mean_of_missing, sd_range_of_followed
from rederive.recompute.summaries import Summary
from rederive.recompute.t_tests import correlation_range
from rederive.recompute.unstated_n import Comparison, describe_sizes, solve_n

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
    mean, sd = numbers[f"{stem}-mean"].printed, numbers[f"{stem}-sd"].printed
    return Summary(mean, sd, int(numbers[n_id].printed.value), scale, group)


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
            "baseline n would do": "yes" if self.at_baseline in self.jointly else "no",
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
        One entry for each comparator and convention.
    """
    shared, rule = ivig_change(ledger, timepoint), ledger.settings.rule
    every = comparisons(ledger, timepoint)
    joint = {solved.convention: solved.sizes for solved in solve_n(shared, every, rule)}
    found = []
    for comparison in every:
        for solved in solve_n(shared, [comparison], rule):
            found.append(
                NeededSize(
                    comparison.name,
                    solved.convention,
                    comparison.summary.n,
                    solved.sizes[comparison.name],
                    joint[solved.convention][comparison.name],
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class Followed:
    """What the printed means imply of the patients with and without a follow-up score."""

    timepoint: str
    followed: int
    missing: int
    baseline_of_missing: Interval
    baseline_sd_of_followed: tuple[float, float]
    correlation: tuple[float, float] | None

    def as_record(self) -> dict[str, object]:
        """Return the implications as a row of a table."""
        low, high = self.baseline_of_missing.lower, self.baseline_of_missing.upper
        correlation = "impossible"
        if self.correlation is not None:
            correlation = f"{self.correlation[0]:.2f} to {self.correlation[1]:.2f}"
        return {
            "Month": MONTHS[self.timepoint],
            "Followed": self.followed,
            "Missing": self.missing,
            "Baseline mean of the missing": f"{low:.1f} to {high:.1f}",
            "Baseline SD of the followed": "{:.1f} to {:.1f}".format(*self.baseline_sd_of_followed),
            "Correlation of both scores": correlation,
        }


def followed(ledger: Ledger, timepoint: str) -> Followed:
    """Return what is implied of who was followed at a time point.

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
    after = numbers[f"{stem}-mean"].printed
    n_followed = int(numbers[f"{stem}-n"].printed.value)
    change = ivig_change(ledger, timepoint)
    baseline = implied_mean_of_missing(
        everyone.mean, everyone.n, after, change.mean, n_followed, scale, rule
    )
    before_sd = sd_range_of_followed(everyone, after, change.mean, n_followed, rule)
    after_sd = numbers[f"{stem}-sd"].printed.interval(rule)
    correlation = correlation_range(
        before_sd, (after_sd.lower, after_sd.upper), change.sd_range(rule)
    )
    missing = everyone.n - n_followed
    return Followed(timepoint, n_followed, missing, baseline, before_sd, correlation)


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
                        "At the printed figures": f"{reach.point:.4f}",
                        "Reachable": f"{reach.low:.4f} to {reach.high:.4f}",
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
            outcome = ledger.recomputed(p_id(group, timepoint))
            name, printed = _name(group, timepoint), outcome.printed
            if outcome.verdict is Verdict.SAME:
                sentences.append(f"Against {name} the published p of {printed} comes out the same.")
            elif outcome.verdict is Verdict.WITHIN_ROUNDING:
                low, high = outcome.main.low, outcome.main.high
                sentences.append(
                    f"Against {name} the published p of {printed} lies within rounding "
                    f"({low:.3f} to {high:.3f})."
                )
            elif outcome.verdict is Verdict.NEEDS_CHOICE:
                sentences.append(
                    f"Against {name} the published p of {printed} needs a choice that the article "
                    "does not state."
                )
            else:
                sentences.append(f"Against {name} nothing tried reaches the published {printed}.")
    alpha = ledger.settings.alpha
    open_ones = [
        _name(group, timepoint)
        for timepoint, groups in COMPARATORS.items()
        for group in groups
        if len(ledger.recomputed(p_id(group, timepoint)).decisions(alpha)) > 1
    ]
    if open_ones:
        sentences.append(f"The decision at α = {alpha:g} is open for {in_words(open_ones)}.")
    else:
        sentences.append(
            f"No decision at α = {alpha:g} changes anywhere within rounding: what is at stake is "
            "the printed figure, not the conclusion."
        )
    return sentences


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
            f"{in_words(depends)} is reached only if the change was rounded to a whole number "
            f"({wide})."
        )
    else:
        sentences.append("No published p depends on the reading at the baseline sizes.")
    return sentences


def sizes_in_words(ledger: Ledger, timepoint: str) -> list[str]:
    """Return which comparator sizes the p values of one month need, as sentences."""
    sizes = needed_sizes(ledger, timepoint)
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


def missing_in_words(ledger: Ledger, implied: Sequence[Followed]) -> list[str]:
    """Return what the printed means imply of the missing patients, as sentences."""
    mean = ledger.registry.numbers["abstract-mrss-ivig-baseline-mean"].printed
    sentences = []
    for each in implied:
        low, high = each.baseline_of_missing.lower, each.baseline_of_missing.upper
        noun = "patient" if each.missing == 1 else "patients"
        what = "a baseline score" if each.missing == 1 else "a mean baseline score"
        side = "within reach of"
        if low > float(mean.value):
            side = "above"
        elif high < float(mean.value):
            side = "below"
        sentences.append(
            f"At {MONTHS[each.timepoint]} months the {each.missing} {noun} without a score had "
            f"{what} of {low:.1f} to {high:.1f}, {side} the cohort's {mean}."
        )
    return sentences
