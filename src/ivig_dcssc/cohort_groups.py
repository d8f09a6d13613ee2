"""The cohorts of a run, prior by prior, and how their results are put in words.

Reconstructed cohorts form one group for each prior; a user's own cohort is a group by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ivig_dcssc.evidence import Cohorts
from rederive.book.ledger import Ledger
from rederive.book.section import in_words

Floats = npt.NDArray[np.float64]

OWN = "own"
"""Name of the group of a user's own cohort."""

_LABELS = {
    "gaussian": "Gaussian prior",
    "flat": "flat prior",
    "bimodal": "bimodal prior",
    OWN: "cohort of this run",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Cohorts that share a prior.

    Attributes
    ----------
    name : str
        Name of the prior, or :data:`OWN`.
    cohorts : Index
        Numbers of the cohorts.
    """

    name: str
    cohorts: pd.Index[Any]

    @property
    def label(self) -> str:
        """The group in words."""
        return label_of(self.name)


def label_of(prior: str) -> str:
    """Return the words for a prior, or for a user's own cohort."""
    return _LABELS.get(prior, f"{prior} prior")


def cohorts_of(ledger: Ledger) -> Cohorts:
    """Return the cohorts behind a ledger.

    Raises
    ------
    TypeError
        If the ledger was opened without any.
    """
    if not isinstance(ledger.cohorts, Cohorts):
        raise TypeError("this ledger was opened without patient-level data")
    return ledger.cohorts


def groups(cohorts: Cohorts) -> list[Group]:
    """Return the cohorts of a run by prior, in the order of the ensembles."""
    priors = cohorts.priors
    return [Group(str(name), priors.index[priors == name]) for name in priors.unique()]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and central 95 % of a quantity over cohorts or draws.

    Attributes
    ----------
    median, low, high : float
        NaN where there is no value.
    number : int
        How many values there are.
    """

    median: float
    low: float
    high: float
    number: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of values; unknown ones are left out."""
        array: Floats = np.asarray(list(values), np.float64)
        known = array[~np.isnan(array)]
        if known.size == 0:
            return cls(float("nan"), float("nan"), float("nan"), 0)
        low, median, high = (float(end) for end in np.quantile(known, [0.025, 0.5, 0.975]))
        return cls(median, low, high, int(known.size))

    def middle(self, decimals: int) -> str:
        """Return the median as text."""
        return fixed(self.median, decimals) if self.number else "none"

    def range(self, decimals: int) -> str:
        """Return the central 95 % as text; of a single value there is none."""
        return between(self.low, self.high, decimals) if self.number > 1 else "one cohort"

    def in_words(self, decimals: int) -> str:
        """Return median and central 95 % as text."""
        if self.number < 2:
            return self.middle(decimals)
        return f"{self.middle(decimals)} ({self.range(decimals)})"


def fixed(value: float, decimals: int) -> str:
    """Return a number with some decimals; zero has no sign."""
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def between(low: float, high: float, decimals: int) -> str:
    """Return a range as text; ends that read alike are given once."""
    ends = dict.fromkeys([fixed(low, decimals), fixed(high, decimals)])
    return " to ".join(ends)


def p_text(p: float) -> str:
    """Return a p value with four decimals, tiny ones as a limit."""
    if np.isnan(p):
        return "none"
    return "<0.0001" if p < 0.00005 else f"{p:.4f}"


def p_between(low: float, high: float) -> str:
    """Return a range of p values as text."""
    return " to ".join(dict.fromkeys([p_text(low), p_text(high)]))


def percent(share: float) -> str:
    """Return a share as a percentage, a small one as a limit."""
    if np.isnan(share):
        return "none"
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def share_of(flags: pd.Series[Any]) -> str:
    """Return in how many cohorts or draws something holds; of a single cohort whether it does."""
    if len(flags) == 1:
        return "yes" if bool(flags.iloc[0]) else "no"
    return percent(float(flags.mean()))


def is_prediction(cohorts: Cohorts) -> bool:
    """Return whether figures were predicted: reconstructed cohorts under the article's methods."""
    return cohorts.reconstructed and cohorts.as_published


def about(ledger: Ledger) -> list[str]:
    """Return what the patient-level data of this run are, as sentences."""
    cohorts = cohorts_of(ledger)
    if not cohorts.reconstructed:
        size = len(cohorts.results.tables.cohort.patients)
        return [
            f"What needs patient-level data is computed from the cohort of this run, {size} "
            "patients, through the same functions as in the book.",
            "Nothing in it was made to agree with the article.",
        ]
    parts = groups(cohorts)
    made = in_words([f"{len(group.cohorts)} under the {group.label}" for group in parts])
    sentences = [
        f"What needs patient-level data is computed from reconstructed, synthetic cohorts: {made}.",
        "Every one of them prints the article's figures; none of them is the patients' data.",
        "Where a cohort was made to print a figure (calibrated), its agreement confirms nothing.",
    ]
    if not cohorts.as_published:
        sentences.append(
            "This run uses other windows or limits than the article, so they need not print its "
            "figures here."
        )
    return sentences
