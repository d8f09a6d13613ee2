"""Treatment, adverse effects and reasons for stopping: the arithmetic between text and Table 2."""

from __future__ import annotations

from dataclasses import dataclass

from statsmodels.stats.proportion import proportion_confint

from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed.registry import NumberRow

COHORT = "table2-cohort-size-ivig-n"
"""Id of the cohort's size at the head of Table 2."""


@dataclass(frozen=True, slots=True)
class Frequency:
    """A count of Table 2 with its share of the cohort and a confidence interval."""

    id: str
    label: str
    count: int
    n: int
    low: float
    high: float

    @property
    def percent(self) -> float:
        """Share of the cohort in percent."""
        return 100 * self.count / self.n

    def as_record(self) -> dict[str, object]:
        """Return the frequency as a row of a table."""
        return {
            "Row": self.label,
            "Patients": self.count,
            "Share": f"{self.percent:.1f}%",
            "95 % interval": f"{self.low:.1f}% to {self.high:.1f}%",
        }


def cohort_size(ledger: Ledger) -> int:
    """Return the number of patients at the head of Table 2."""
    return int(ledger.registry.numbers[COHORT].printed.value)


def _counts(ledger: Ledger, prefix: str) -> list[NumberRow]:
    return [
        row
        for row in ledger.registry.numbers.values()
        if row.section == "table2" and row.statistic == "count" and row.variable.startswith(prefix)
    ]


def frequencies(ledger: Ledger, prefix: str) -> list[Frequency]:
    """Return the counts of Table 2 of one kind, with Wilson's confidence interval (1927).

    A count that stands in the label of another row is part of that row and left out.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    prefix : str
        Kind of variable: ``ae_``, ``stop_`` or ``concomitant_``.
    """
    n = cohort_size(ledger)
    found = []
    for row in _counts(ledger, prefix):
        if row.place.endswith("row label"):
            continue
        count = int(row.printed.value)
        low, high = proportion_confint(count, n, alpha=0.05, method="wilson")
        label = ledger.registry.variables[row.variable].label.split(": ", 1)[-1]
        found.append(Frequency(row.id, label, count, n, 100 * float(low), 100 * float(high)))
    return sorted(found, key=lambda each: -each.count)


def repeats(ledger: Ledger, prefixes: tuple[str, ...]) -> list[dict[str, object]]:
    """Return every figure of Table 2 that the text prints again, beside its first mention.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    prefixes : tuple of str
        Kinds of variable.
    """
    numbers = ledger.registry.numbers
    rows: list[dict[str, object]] = []
    for row in numbers.values():
        if row.section == "table2" or not row.same_as or not row.variable.startswith(prefixes):
            continue
        first = numbers[row.same_as]
        agree = row.printed.interval().intersect(first.printed.interval()) is not None
        rows.append(
            {
                "Variable": ledger.registry.variables[row.variable].label,
                "Printed in": f"{row.section}, {row.place}",
                "There": row.as_printed,
                "First printed in": f"{first.section}, {first.place}",
                "As": first.as_printed,
                "Agree within rounding": "yes" if agree else "no",
            }
        )
    return rows


def stopping_in_words(ledger: Ledger) -> list[str]:
    """Return how the reasons for stopping add up, as sentences."""
    n = cohort_size(ledger)
    reasons = frequencies(ledger, "stop_")
    numbers = ledger.registry.numbers
    still = int(numbers["table2-still-on-ivig-ivig-count"].printed.value)
    total = sum(each.count for each in reasons)
    sums = "exactly" if total + still == n else "not"
    better = [numbers[f"table2-stop-{name}-ivig-count"] for name in ("improvement", "stable")]
    joint = sum(int(row.printed.value) for row in better)
    text = numbers["results-stop-improved-or-stable-ivig-percent"]
    return [
        f"The {len(reasons)} reasons add up to {total} patients; with the {still} still treated "
        f"that is {total + still}, {sums} the {n} of the cohort.",
        f"Improvement or stability accounts for {joint} of {n}, or {100 * joint / n:.1f} %, which "
        f"the text prints as {text.as_printed} and the discussion as "
        f"{numbers['discussion-stop-improved-or-stable-ivig-percent'].as_printed}.",
        f"Of the {total} who stopped it is {100 * joint / total:.1f} %.",
    ]


def overlap_in_words(ledger: Ledger) -> list[str]:
    """Return what the counts of concomitant drugs imply of combinations, as sentences.

    If the counts add up to s and at most m patients can have any of the drugs, at least s - m
    further uses fall on patients who have another one already.
    """
    drugs = frequencies(ledger, "concomitant_")
    n = cohort_size(ledger)
    alone = int(ledger.registry.numbers["results-first-line-monotherapy-ivig-count"].printed.value)
    uses = sum(each.count for each in drugs)
    most = n - alone
    sentences = [
        f"The {len(drugs)} concomitant drugs were used {uses} times in {n} patients, of whom "
        f"{alone} was treated with IVIG alone."
    ]
    if uses > most:
        sentences.append(
            f"At least {uses - most} of these uses therefore fall on patients who took another of "
            "the drugs as well."
        )
    return sentences


def adverse_effects_in_words(ledger: Ledger) -> list[str]:
    """Return what the counts of adverse effects add up to, as sentences."""
    effects = frequencies(ledger, "ae_")
    n = cohort_size(ledger)
    events = sum(each.count for each in effects)
    single = sum(each.count == 1 for each in effects)
    named = in_words([f"{each.label} ({each.count})" for each in effects[:3]])
    return [
        f"Table 2 lists {len(effects)} adverse effects with {events} entries in {n} patients; "
        f"the most common are {named}.",
        f"{single} effects were seen in one patient each, whose share of "
        f"{effects[-1].percent:.1f} % has a 95 % interval up to {effects[-1].high:.1f} %.",
        "How many patients had any adverse effect is not printed; it lies between "
        f"{max(each.count for each in effects)} and {min(n, events)}.",
    ]
