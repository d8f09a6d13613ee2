"""What cohorts say, in words: the spread of a value and the share of cohorts, prior by prior."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.evidence import Cohorts
from rederive.book.ledger import Ledger

CENTRAL = (0.025, 0.975)
"""Quantiles between which the middle 95 % of cohorts lie."""


def cohorts_of(ledger: Ledger) -> Cohorts:
    """Return the cohorts that a ledger was opened with.

    Raises
    ------
    TypeError
        If it was opened without.
    """
    if not isinstance(ledger.cohorts, Cohorts):
        raise TypeError("the ledger was opened without cohorts")
    return ledger.cohorts


def by_prior(cohorts: Cohorts, values: pd.Series[Any]) -> dict[str, pd.Series[Any]]:
    """Return values by cohort as one series for each prior, in the order of the ensembles.

    Parameters
    ----------
    cohorts : Cohorts
        The cohorts of the run.
    values : Series
        One value for each cohort, indexed by cohort.
    """
    prior = cohorts.priors.reindex(values.index)
    return {name: values[(prior == name).to_numpy()] for name in prior.unique()}


def heading(prior: str) -> str:
    """Return the title of a prior's column; a user's cohort has no prior."""
    return "cohort of this run" if prior == "own" else f"{prior} prior"


def number(value: float, decimals: int) -> str:
    """Return a value with some decimals; one that would print as 0 though above it, as a limit."""
    if np.isnan(value):
        return "none"
    if 0 < value < 0.5 * 10.0**-decimals:
        return f"<{10.0**-decimals:.{decimals}f}"
    # Adding 0.0 turns the minus sign of a rounded zero away.
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def spread(values: Iterable[float], decimals: int) -> str:
    """Return the median of the cohorts' values with the range of the middle 95 % of them.

    One word where that range prints as its median; ``none`` where no cohort has a value.
    """
    array = np.asarray(list(values), dtype=float)
    known = array[~np.isnan(array)]
    if known.size == 0:
        return "none"
    median = number(float(np.median(known)), decimals)
    ends = [number(float(end), decimals) for end in np.quantile(known, CENTRAL)]
    return median if ends == [median, median] else f"{median} ({ends[0]} to {ends[1]})"


def share(flags: Iterable[bool]) -> str:
    """Return the share of cohorts for which something holds; of a single one, yes or no."""
    array = np.asarray(list(flags), dtype=bool)
    if array.size == 1:
        return "yes" if array[0] else "no"
    return percent(float(array.mean()))


def percent(part: float) -> str:
    """Return a share in whole percent; close to none or to all as a limit."""
    if 0 < part < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < part < 1 else f"{100 * part:.0f} %"


def shares(cohorts: Cohorts, flags: pd.Series[Any]) -> str:
    """Return the share of cohorts for which something holds, least to greatest over the priors.

    Parameters
    ----------
    cohorts : Cohorts
        The cohorts of the run.
    flags : Series
        Whether it holds, indexed by cohort.
    """
    parts = by_prior(cohorts, flags.astype(bool)).values()
    ordered = sorted(parts, key=lambda part: float(part.mean()))
    return " to ".join(dict.fromkeys([share(ordered[0]), share(ordered[-1])]))


def mean_shares(cohorts: Cohorts, parts: pd.Series[Any]) -> str:
    """Return mean shares, least to greatest over the priors, from one share for each cohort."""
    means = sorted(float(part.mean()) for part in by_prior(cohorts, parts).values())
    return " to ".join(dict.fromkeys([percent(means[0]), percent(means[-1])]))


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
