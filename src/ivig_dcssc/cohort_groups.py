"""The cohorts of a run, prior by prior, and how numbers from them are put in words.

Reconstructed cohorts form one group for each prior; a user's own cohort is a group by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ivig_dcssc.evidence import Cohorts
from ivig_dcssc.p_words import p_between as p_between
from ivig_dcssc.p_words import p_ceiling as p_ceiling
from ivig_dcssc.p_words import p_floor as p_floor
from ivig_dcssc.p_words import p_text as p_text
from rederive.book.ledger import Ledger
from rederive.printed import outward

Floats = npt.NDArray[np.float64]

OWN = "own"
"""Name of the group of a user's own cohort."""

CENTRAL = (0.025, 0.975)
"""Quantiles between which the central 95 % of cohorts lie."""

_LABELS = {
    "gaussian": "Gaussian prior",
    "flat": "flat prior",
    "bimodal": "bimodal prior",
    OWN: "cohort of this run",
}


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


def is_prediction(cohorts: Cohorts) -> bool:
    """Return whether figures were predicted: reconstructed cohorts under the article's methods."""
    return cohorts.reconstructed and cohorts.as_published


# Groups


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


def groups(cohorts: Cohorts) -> list[Group]:
    """Return the cohorts of a run by prior, in the order of the ensembles."""
    priors = cohorts.priors
    return [Group(str(name), priors.index[priors == name]) for name in priors.unique()]


def by_prior(cohorts: Cohorts, values: pd.Series[Any]) -> dict[str, pd.Series[Any]]:
    """Return values by cohort as one series for each prior, in the order of the ensembles.

    Parameters
    ----------
    cohorts : Cohorts
        The cohorts of the run.
    values : Series
        Values indexed by cohort.
    """
    parts = {group.name: values[values.index.isin(group.cohorts)] for group in groups(cohorts)}
    return {name: part for name, part in parts.items() if len(part)}


# Numbers in words


def fixed(value: float, decimals: int) -> str:
    """Return a number with some decimals; zero has no sign, and what is not known is none."""
    if np.isnan(value):
        return "none"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def true_minus(text: str) -> str:
    """Return a text whose negative numbers have a minus sign in place of a hyphen."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", text)


def between(low: float, high: float, decimals: int) -> str:
    """Return a range as text; ends that read alike are given once."""
    return _range([fixed(low, decimals), fixed(high, decimals)])


def span_in_words(values: Iterable[float], decimals: int) -> str:
    """Return the range of known values, rounded outward; one figure if all are the same."""
    known = _known(values)
    if known.size == 0:
        return "none"
    low, high = float(known.min()), float(known.max())
    return fixed(low, decimals) if low == high else _range(outward(low, high, decimals))


def percent(share: float) -> str:
    """Return a share in whole percent; neither none nor all is said unless it is so."""
    if np.isnan(share):
        return "none"
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def percent_between(shares: Iterable[float]) -> str:
    """Return the least and the greatest of some shares in percent, once where they read alike."""
    ordered = sorted(float(share) for share in shares)
    return _range([percent(ordered[0]), percent(ordered[-1])])


def share_of(flags: Iterable[bool]) -> str:
    """Return in how many cohorts or draws something holds; of a single cohort whether it does."""
    array = np.asarray(list(flags), dtype=bool)
    if array.size == 1:
        return "yes" if array[0] else "no"
    return percent(float(array.mean())) if array.size else "none"


def share_by_prior(cohorts: Cohorts, flags: pd.Series[Any]) -> str:
    """Return the share of cohorts for which something holds, least to greatest over the priors.

    Parameters
    ----------
    cohorts : Cohorts
        The cohorts of the run.
    flags : Series
        Whether it holds, indexed by cohort; of a single one the answer is yes or no.
    """
    if len(flags) == 1:
        return share_of(flags)
    return mean_by_prior(cohorts, flags.astype(bool))


def mean_by_prior(cohorts: Cohorts, shares: pd.Series[Any]) -> str:
    """Return mean shares, least to greatest over the priors, from one share for each cohort."""
    return percent_between(float(part.mean()) for part in by_prior(cohorts, shares).values())


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
        known = _known(values)
        if known.size == 0:
            return cls(float("nan"), float("nan"), float("nan"), 0)
        low, high = (float(end) for end in np.quantile(known, CENTRAL))
        return cls(float(np.median(known)), low, high, int(known.size))

    def middle(self, decimals: int) -> str:
        """Return the median as text."""
        return fixed(self.median, decimals)

    def range(self, decimals: int) -> str:
        """Return the central 95 % as text; of a single value there is none."""
        return "one cohort" if self.number == 1 else between(self.low, self.high, decimals)

    def in_words(self, decimals: int) -> str:
        """Return median and central 95 % as text; once where they read alike."""
        return _with_range(self.middle(decimals), between(self.low, self.high, decimals))

    def p_in_words(self, decimals: int = 4) -> str:
        """Return median and central 95 % of p values as text, tiny ones as a limit."""
        ends = _range([p_text(self.low, decimals), p_text(self.high, decimals)])
        return _with_range(p_text(self.median, decimals), ends)


def _known(values: Iterable[float]) -> Floats:
    array: Floats = np.asarray(list(values), np.float64)
    return array[~np.isnan(array)]


def _range(ends: Iterable[str]) -> str:
    return " to ".join(dict.fromkeys(ends))


def _with_range(middle: str, ends: str) -> str:
    return middle if ends == middle else f"{middle} ({ends})"
