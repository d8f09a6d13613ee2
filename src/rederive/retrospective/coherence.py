"""Values of one patient that cannot both be right, though each fits the codebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rederive.retrospective.cohort import Cohort

LAST_VISIT = "last_visit"
"""Name of the added column with the month of a patient's last record, NaN without any."""

NAMED = 5
"""Most patients that a sentence names."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A way in which the columns of a patient may contradict each other.

    Parameters
    ----------
    columns : tuple of str
        Columns of the patients that are compared, or :data:`LAST_VISIT`.
    words : str
        What is found, as the beginning of a sentence.
    found : callable
        Takes a table with these columns, empty ones filled with NaN; returns for each patient
        whether they contradict each other. What is unknown contradicts nothing.
    """

    columns: tuple[str, ...]
    words: str
    found: Callable[[pd.DataFrame], pd.Series[Any]]


def contradictions(cohort: Cohort, kinds: Sequence[Contradiction]) -> list[str]:
    """Return which patients of a single cohort have contradictory values, as sentences.

    Parameters
    ----------
    cohort : Cohort
        The cohort; columns that it lacks are taken as unknown.
    kinds : sequence of Contradiction
        What is looked for.
    """
    visits = cohort.visits[cohort.visits["value"].notna()]
    last = visits.groupby("patient", observed=True)["month"].max()
    table = cohort.patients.assign(**{LAST_VISIT: cohort.patients["patient"].map(last)})
    sentences = []
    for kind in kinds:
        found = kind.found(table.reindex(columns=list(kind.columns))).astype(bool)
        names = [str(name) for name in table.loc[found, "patient"]]
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            sentences.append(f"{kind.words}: {', '.join(names[:NAMED])}{more}.")
    return sentences
