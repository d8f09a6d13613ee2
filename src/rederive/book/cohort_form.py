"""What an installed article offers to the commands about patients, its own and a user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from rederive.installed import load_installed
from rederive.retrospective import Cohort, Windows

COHORTS = "rederive.cohorts"
"""Entry-point group: each entry is a function that returns an article's :class:`ArticleCohorts`."""


Progress = Callable[[int, int], None]
"""Called with what is done and what is wanted."""


class ArticleCohorts(Protocol):
    """The reconstructed cohorts of one article.

    The methods raise ``ValueError`` for a request that is not usable or figures that contradict
    each other, and ``RuntimeError`` where something was not found or only partly done.
    """

    @property
    def priors(self) -> tuple[str, ...]:
        """Names of the priors, the default first."""

    @property
    def readings(self) -> tuple[str, ...]:
        """Interpretations of the article's ambiguous figures, the default first."""

    def reconstruct(
        self,
        out: Path,
        *,
        prior: str,
        cohorts: int,
        seed: int,
        without: tuple[str, ...],
        reading: str,
        progress: Progress | None,
    ) -> None:
        """Write synthetic cohorts that print every figure but those in ``without``."""

    def predict(
        self,
        figure: str,
        *,
        prior: str,
        draws: int,
        seed: int,
        reading: str,
        progress: Progress | None,
    ) -> Mapping[str, object]:
        """Return what the other figures say about one, ready for JSON.

        Keys ``figure``, ``printed``, ``median``, ``low``, ``high`` (ends of the central 95 %),
        ``share`` (of data sets that print the figure so), ``bounds`` or null, and others.
        """

    def bounds(
        self,
        quantity: str,
        *,
        at: str,
        threshold: Fraction | None,
        without: tuple[str, ...],
        seconds: float,
        reading: str,
    ) -> Mapping[str, object]:
        """Return sharp bounds, ready for JSON: ``low``, ``high``, ``sharp``, and others."""

    def check(self, path: Path, *, reading: str, progress: Progress | None) -> pd.DataFrame:
        """Return a report on a folder: columns ``id``, ``printed``, ``computed``, ``agrees``.

        Faults of the files are a ``ValueError`` that lists them all.
        """


def open_cohorts(name: str = "") -> ArticleCohorts:
    """Return the cohorts of an installed article, whose name is needed if there are several."""
    opener: Callable[[], ArticleCohorts] = load_installed(
        COHORTS, name, "none is installed; describe a study in a YAML file"
    )
    return opener()


GROUP = "rederive.codebook"
"""Group of entry points under which articles say what a cohort for them looks like."""


@dataclass(frozen=True, slots=True)
class CohortForm:
    """What a cohort for an article looks like.

    ``codebook`` is a CSV file, ``windows`` are those of the analysis by measure of the visits.
    ``included`` returns the patients that the article's rules include, and as sentences who is
    not and why. ``without`` returns what cannot be analysed without a column of the patients, or a
    measure of the visits, in words that follow "without it"; empty if nothing hangs on it. By
    column or measure ``names`` has other names that people give it, and ``codes`` what words in it
    stand for, in small letters.
    """

    codebook: Path
    windows: Mapping[str, Windows]
    included: Callable[[Cohort], tuple[Cohort, Sequence[str]]]
    without: Callable[[str], str]
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def open_form(article: str = "") -> CohortForm:
    """Return what a cohort for an installed article looks like, as `open_cohorts` finds it."""
    opener: Callable[[], CohortForm] = load_installed(
        GROUP, article, "an article that takes cohorts"
    )
    return opener()


def qualifying(cohort: Cohort, measure: str, label: str, windows: Windows) -> dict[str, Any]:
    """Return how many patients have a measure at baseline, at each follow-up month, and at both."""
    values = cohort.measured(measure, windows).notna()
    baseline = values["baseline"]
    columns = dict(zip(windows.targets, windows.columns, strict=True))
    return {
        "measure": measure,
        "label": label,
        "baseline": int(baseline.sum()),
        "followed": {month: int(values[name].sum()) for month, name in columns.items()},
        "pairs": {month: int((values[name] & baseline).sum()) for month, name in columns.items()},
    }
