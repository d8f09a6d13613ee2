"""What an installed article offers to the commands about patients, its own and a user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rederive.installed import load_installed
from rederive.retrospective import Cohort, Windows

COHORTS = "rederive.cohorts"
"""Entry-point group: each entry makes an article's cohorts, as `open_cohorts` describes them."""


def open_cohorts(name: str = "") -> Any:
    """Return the cohorts of an installed article, whose name is needed if there are several.

    They have ``priors`` and ``readings`` (interpretations of ambiguous figures), names of which the
    first is the default, and the methods ``reconstruct``, ``predict``, ``bounds`` and ``check`` of
    the commands: the first writes to a folder, the next two return what is ready for JSON, the last
    a report with the columns ``id``, ``printed``, ``computed`` and ``agrees``. They raise a
    ``ValueError`` for a request that is not usable or figures that contradict each other, and a
    ``RuntimeError`` where something was not found or only partly done.
    """
    opener: Callable[[], Any] = load_installed(
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
