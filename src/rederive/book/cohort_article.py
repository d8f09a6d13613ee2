"""What an installed article offers to the commands about its own patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import pandas as pd

from rederive.installed import load_installed

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
        self, figure: str, *, prior: str, draws: int, seed: int, reading: str
    ) -> Mapping[str, object]:
        """Return what the other figures say about one.

        Keys, ready for JSON: ``figure``, ``printed``, ``median``, ``low``, ``high`` (ends of the
        central 95 %), ``share`` (of data sets that print the figure so), ``bounds`` or null, and
        others.
        """

    def bounds(
        self, quantity: str, *, at: str, threshold: Fraction | None, reading: str
    ) -> Mapping[str, object]:
        """Return sharp bounds, ready for JSON: ``low``, ``high``, ``sharp``, and others."""

    def check(self, path: Path, *, reading: str) -> pd.DataFrame:
        """Return a report on a folder: columns ``id``, ``printed``, ``computed``, ``agrees``.

        Faults of the files are a ``ValueError`` that lists them all.
        """


def open_cohorts(name: str = "") -> ArticleCohorts:
    """Return the cohorts of an installed article.

    Parameters
    ----------
    name : str
        Name of the entry point; may be empty if only one article is installed.

    Raises
    ------
    ConfigurationError
        If there is no such article, or the name is needed and not given.
    """
    opener: Callable[[], ArticleCohorts] = load_installed(
        COHORTS, name, "none is installed; describe a study in a YAML file"
    )
    return opener()
