"""The discussion's comparisons as differences with intervals, beside the threshold that matters."""

from __future__ import annotations

from dataclasses import dataclass

from ivig_dcssc.controls import COMPARATORS, MONTHS, comparisons, ivig_change
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed import outward
from rederive.recompute.t_tests import difference_interval, widest_difference_interval


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference in mean change, IVIG minus comparator, with its 95 % interval, in points.

    ``low`` and ``high`` come from the figures as printed and the comparator's size at baseline;
    ``widest`` is the union of such intervals over the rounding of all figures. Negative values are
    in favor of IVIG.
    """

    comparator: str
    month: int
    estimate: float
    low: float
    high: float
    widest: tuple[float, float]

    @property
    def name(self) -> str:
        """The comparison as a label."""
        return f"{self.comparator}, month {self.month}"

    @property
    def in_sentence(self) -> str:
        """The comparison in the middle of a sentence."""
        return f"{self.comparator} at month {self.month}"

    @property
    def open(self) -> bool:
        """Whether the interval at the printed figures includes no difference."""
        return self.low <= 0 <= self.high

    def excludes(self, points: float) -> bool | None:
        """Return whether a difference of some points, either way, is excluded.

        ``None`` if that depends on the rounding of the printed figures.
        """
        if -points < self.widest[0] and self.widest[1] < points:
            return True
        return None if -points < self.low and self.high < points else False

    def as_record(self, points: float) -> dict[str, object]:
        """Return the difference as a row of a table."""
        words = {True: "yes", False: "no", None: "depends on rounding"}
        return {
            "Comparison": self.name,
            "IVIG minus comparator": f"{self.estimate:.1f}",
            "95 % interval": f"{self.low:.1f} to {self.high:.1f}",
            "With all rounding": " to ".join(outward(*self.widest, 1)),
            "Excludes no difference": "no" if self.open else "yes",
            f"Excludes {points:g} points either way": words[self.excludes(points)],
        }


def threshold(ledger: Ledger) -> float:
    """Return the responder threshold in points, as the methods print it."""
    return float(ledger.registry.numbers["methods-responder-threshold-threshold"].printed.value)


def differences(ledger: Ledger) -> list[Difference]:
    """Return every comparison of changes with a control as a difference."""
    found = []
    for timepoint in COMPARATORS:
        shared = ivig_change(ledger, timepoint)
        for comparison in comparisons(ledger, timepoint):
            low, high = difference_interval(shared, comparison.summary)
            widest = widest_difference_interval(shared, comparison.summary, ledger.settings.rule)
            estimate = float(shared.mean.value - comparison.summary.mean.value)
            month = MONTHS[timepoint]
            found.append(Difference(comparison.name, month, estimate, low, high, widest))
    return found


def likeness_in_words(ledger: Ledger, found: list[Difference]) -> list[str]:
    """Return what the intervals say of likeness, as sentences."""
    points = threshold(ledger)
    tails = {
        True: f"excludes one of {points:g} points either way: at that limit the figures speak for "
        "likeness.",
        None: f"excludes one of {points:g} points either way only if the rounding was kind: "
        "likeness at that limit hangs on a digit.",
        False: f"also one of {points:g} points: neither a difference nor likeness is shown.",
    }
    sentences = []
    for outcome, tail in tails.items():
        names = [
            each.in_sentence for each in found if each.open and each.excludes(points) is outcome
        ]
        if names:
            sentences.append(
                f"Against {in_words(names)} the interval includes no difference and {tail}"
            )
    clear = [each for each in found if not each.open]
    if clear:
        nearest = min(min(abs(each.low), abs(each.high)) for each in clear)
        sentences.append(
            f"Against {in_words([each.in_sentence for each in clear])} it excludes no difference; "
            f"the least difference inside these intervals is {nearest:.1f} points."
        )
    return sentences
