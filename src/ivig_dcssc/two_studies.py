"""A user's own cohort beside the published one: two studies compared by their summaries.

Means are compared by Welch's t test from mean, SD and n; shares by Newcombe's interval, which
rests on Wilson's, and Fisher's exact test. Published figures are taken as printed, without their
rounding; a mean that is printed as a whole number can lie half a point to either side.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from math import nan, sqrt

from IPython.display import Markdown
from scipy.stats import fisher_exact, ttest_ind_from_stats
from scipy.stats import t as student
from statsmodels.stats.proportion import confint_proportions_2indep

from ivig_dcssc.cohort_groups import between, cohorts_of, fixed, p_text
from ivig_dcssc.reproduced.choices import CONFIDENCE
from ivig_dcssc.reproduced.coverage import GROUP
from ivig_dcssc.reproduced.figures import source_of
from rederive.book import render
from rederive.book.ledger import Ledger
from rederive.printed.registry import NumberRow

SKIN = ("mrss", "mrss_change", "responder")
FUNCTION = (
    "haq_di",
    "patient_rating",
    "fvc",
    "dlco",
    "tfr_resolved",
    "tfr_continued",
    "physician_improved",
    "physician_stable",
    "cpk_serial",
)
"""Variables that are compared in the section on function, after baseline."""

TREATMENT = ("concomitant_", "cycles", "treatment_length", "ae_", "stop_", "still_on_")
"""Beginnings of the variables of Table 2, which are compared in the section on treatment."""

FEW = 5
"""Number of patients below which a comparison is remarked on; ours."""

BASELINE = "baseline"

DECIMALS = {"haq_di": 2, "patient_rating": 2}
"""Decimals of differences between means, where one would not do."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A quantity in the cohort of a run minus the same in the published cohort.

    Attributes
    ----------
    value, low, high, p : float
        Difference with its 95 % interval and p; NaN where a group is too small or without
        variation.
    """

    value: float
    low: float
    high: float
    p: float


NOTHING = Difference(nan, nan, nan, nan)


def difference_of_means(
    own: tuple[float, float, int], published: tuple[float, float, int]
) -> Difference:
    """Return the difference of two means with Welch's interval and p.

    Parameters
    ----------
    own, published : tuple of (float, float, int)
        Mean, SD (n - 1) and n of each group.
    """
    (mean1, sd1, n1), (mean2, sd2, n2) = own, published
    if not all(map(math.isfinite, (mean1, mean2))):
        return NOTHING
    value = mean1 - mean2
    if min(n1, n2) < 2 or not math.isfinite(sd1) or not sd1 + sd2 > 0:
        return Difference(value, nan, nan, nan)
    first, second = sd1**2 / n1, sd2**2 / n2
    df = (first + second) ** 2 / (first**2 / (n1 - 1) + second**2 / (n2 - 1))
    half = float(student.ppf((1 + CONFIDENCE) / 2, df)) * sqrt(first + second)
    p = ttest_ind_from_stats(mean1, sd1, n1, mean2, sd2, n2, equal_var=False).pvalue
    return Difference(value, value - half, value + half, float(p))


def difference_of_shares(own: tuple[int, int], published: tuple[int, int]) -> Difference:
    """Return the difference of two shares with Newcombe's interval and Fisher's p.

    Parameters
    ----------
    own, published : tuple of (int, int)
        Count and n of each group.
    """
    (count1, n1), (count2, n2) = own, published
    if min(n1, n2) < 1:
        return NOTHING
    low, high = confint_proportions_2indep(
        count1, n1, count2, n2, method="newcomb", compare="diff", alpha=1 - CONFIDENCE
    )
    p = fisher_exact([[count1, n1 - count1], [count2, n2 - count2]]).pvalue
    return Difference(count1 / n1 - count2 / n2, float(low), float(high), float(p))


@dataclass(frozen=True, slots=True)
class Compared:
    """One quantity in both studies.

    Attributes
    ----------
    label, time : str
        The quantity and its time point in words.
    own, published : str
        What both studies have, in words.
    difference : Difference
        Own minus published; of shares in percentage points.
    decimals : int
        Decimals of the difference.
    size : int
        Patients behind the figure in the run's cohort.
    """

    label: str
    time: str
    own: str
    published: str
    difference: Difference
    decimals: int
    size: int

    def as_record(self) -> dict[str, object]:
        """Return the comparison as a row of a table."""
        found = self.difference
        interval = (
            "none" if math.isnan(found.low) else between(found.low, found.high, self.decimals)
        )
        return {
            "Variable": self.label,
            "Time": self.time,
            "This cohort": self.own,
            "Published cohort": self.published,
            "Difference": _minus(fixed(found.value, self.decimals)),
            "95 % interval": _minus(interval),
            "p": p_text(found.p),
        }


def _minus(text: str) -> str:
    return text.replace("-", "−")


def comparisons(
    ledger: Ledger, variables: Collection[str] = (), timepoints: Collection[str] = ()
) -> list[Compared]:
    """Return every mean and share of the published cohort that a user's own cohort has as well.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger, opened with a cohort.
    variables, timepoints : collection of str
        Names as in the registry; without them all.

    Returns
    -------
    list of Compared
        In the article's order, each quantity once. Means without a printed SD or n are left out,
        and so is what the cohort has no value for.
    """
    rows = {
        (source_of(row), row.statistic): row
        for row in reversed(tuple(ledger.registry.numbers.values()))
        if row.group == GROUP
        and (not variables or row.variable in variables)
        and (not timepoints or row.timepoint in timepoints)
        and cohorts_of(ledger).results.covers(row.id)
    }
    found = []
    for source in reversed(dict.fromkeys(source for source, _ in rows)):
        own = {statistic: row for (other, statistic), row in rows.items() if other == source}
        if {"mean", "sd"} <= set(own):
            each = _mean(ledger, own["mean"], own["sd"])
        elif "count" in own or "percent" in own:
            each = _share(ledger, own.get("count", own.get("percent")))
        else:
            continue
        if each is not None:
            found.append(each)
    return found


def _own(ledger: Ledger, row: NumberRow) -> float:
    return float(cohorts_of(ledger).results.number(row.id).iloc[0])


def _size(ledger: Ledger, row: NumberRow) -> int:
    return int(cohorts_of(ledger).results.size(row.id).iloc[0])


def _mean(ledger: Ledger, mean: NumberRow, sd: NumberRow) -> Compared | None:
    size = _size(ledger, mean)
    if mean.n is None or not size:
        return None
    own = (_own(ledger, mean), _own(ledger, sd), size)
    published = (float(mean.printed.value), float(sd.printed.value), mean.n)
    decimals = DECIMALS.get(mean.variable, 1)
    label = ledger.registry.variables[mean.variable].label
    if source_of(mean)[0] != mean.variable:
        label += ", of those measured again"
    return Compared(
        label,
        _time(ledger, mean),
        _minus(f"{fixed(own[0], decimals)} ({fixed(own[1], decimals)}), n = {size}"),
        _minus(f"{mean.printed} ({sd.printed}), n = {mean.n}"),
        difference_of_means(own, published),
        decimals,
        size,
    )


def _share(ledger: Ledger, row: NumberRow | None) -> Compared | None:
    if row is None or row.n is None:
        return None
    size = _size(ledger, row)
    if not size:
        return None
    printed, own = float(row.printed.value), _own(ledger, row)
    if row.statistic == "percent":
        printed, own = printed * row.n / 100, own * size / 100
    mine, theirs = (round(own), size), (round(printed), row.n)
    found = difference_of_shares(mine, theirs)
    points = Difference(100 * found.value, 100 * found.low, 100 * found.high, found.p)
    words = [f"{count} of {n} ({100 * count / n:.0f} %)" for count, n in (mine, theirs)]
    label = ledger.registry.variables[row.variable].label
    return Compared(label, _time(ledger, row), words[0], words[1], points, 0, size)


def _time(ledger: Ledger, row: NumberRow) -> str:
    if not row.timepoint or row.timepoint == BASELINE:
        return row.timepoint
    printed = int(row.timepoint.removeprefix("m"))
    here = cohorts_of(ledger).choices.month(row.timepoint)
    return f"month {here}" + ("" if here == printed else f", published {printed}")


def in_words(found: Sequence[Compared], alpha: float) -> list[str]:
    """Return how the comparison was made and how many differences are significant, as sentences."""
    tested = [each for each in found if not math.isnan(each.difference.p)]
    below = [each for each in tested if each.difference.p < alpha]
    few = sum(each.size < FEW for each in tested)
    scarce = [
        f"{few} of them rest{'s' if few == 1 else ''} on fewer than {FEW} patients of this cohort; "
        "their intervals and p say next to nothing."
    ]
    return [
        "Differences are this cohort minus the published one: means with SD and n by Welch's t "
        "test, shares in percentage points with Newcombe's interval and Fisher's exact test.",
        f"Of {len(tested)} comparisons {len(below)} have p below {alpha:g}; if the two studies "
        f"were alike in everything, about {alpha * len(tested):.1f} or fewer would be expected.",
        *(scarce if few else []),
        "The comparisons are not independent: some are parts, complements or repeats of others.",
        "Published figures are taken as printed, without their rounding: a mean printed as a whole "
        "number can lie half a point to either side. Two cohorts from different clinics differ for "
        "many reasons; a difference is no contradiction.",
    ]


def of_treatment(ledger: Ledger) -> list[str]:
    """Return the names of the variables on treatment, adverse effects and stopping."""
    return [name for name in ledger.registry.variables if name.startswith(TREATMENT)]


ABSENT = (
    "In a run on a cohort of one's own (parameter `cohort_folder`) this place compares {what} of "
    "the two studies: differences with 95 % intervals and *p*."
)


def shown(
    ledger: Ledger,
    what: str,
    variables: Collection[str] = (),
    timepoints: Collection[str] = (),
) -> render.Html | Markdown:
    """Return the comparison of two studies, or where there is one only a sentence that says so.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    what : str
        What is compared, for caption and sentence.
    variables, timepoints : collection of str
        As for `comparisons`.
    """
    if cohorts_of(ledger).reconstructed:
        return Markdown(ABSENT.format(what=what))
    found = comparisons(ledger, variables, timepoints)
    if not found:
        return Markdown(f"The cohort of this run has nothing to compare {what} by.")
    caption = f"Two studies: {what} in the cohort of this run and in the published one"
    table = render.records([each.as_record() for each in found], caption)
    words = " ".join(in_words(found, ledger.settings.alpha))
    return render.Html(f"{table.markup}\n<p>{escape(words)}</p>")
