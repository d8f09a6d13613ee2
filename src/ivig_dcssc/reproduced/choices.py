"""The choices under which a cohort is analysed, from the book's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from ivig_dcssc.parameters import (
    BOTH_READINGS,
    COHORT_SEED,
    COHORTS_MADE,
    PARAMETERS,
    months_in,
)
from rederive.recompute.signed_rank import CONVENTIONS, SignedRankConvention
from rederive.retrospective import Windows

SKIN_TARGETS = (6, 12, 18, 24)
"""Follow-up months of the skin score in the article; they name the follow-ups, as in ``m6``."""

COMPARATORS: dict[str, tuple[str, ...]] = {
    "m6": ("relaxin", "MMF"),
    "m12": ("D-pen", "collagen", "MMF"),
}
"""Groups whose change in skin score the article compares, by time point."""

FOLLOWUPS = tuple(f"m{month}" for month in SKIN_TARGETS)
"""Names of the follow-ups, whatever months a run takes for them."""

ORGAN_TARGET = 12
"""Follow-up of organ and function measures, by the article's month."""

RUBS_TARGET = 6
"""Follow-up of tendon friction rubs, by the article's month."""

RESTRICTED_BASELINE_WINDOW = 2
"""Oldest baseline skin score in the sensitivity analysis (Appendix 1), in months."""

RESTRICTED_ORGAN_BASELINE_WINDOW = 3
"""Oldest baseline of organ and function measures and of friction rubs there, in months."""

RESTRICTED_ORGAN_FOLLOWUP_TOLERANCE = 3
"""Distance from month 12 within which organ and function measures count there."""

CONFIDENCE = 0.95
"""Level of all confidence intervals, as printed for the odds ratio."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Windows, tests and limits of one analysis; `Choices.of` makes one from parameters.

    Parameters
    ----------
    baseline_window, followup_tolerance : int
        Windows of the skin score in months; the second also that of friction rubs at month 6.
    visit_rule : str
        Which of several visits in a follow-up window counts.
    organ_baseline_window, organ_followup_tolerance : int
        Windows of organ and function measures in months; the first also that of friction rubs.
    responder_threshold : int
        Decrease of the skin score that makes a responder, in points.
    alpha : float
        Significance level.
    two_sample_test, paired_test, signed_rank_convention : str
        Tests.
    prior, cohort_folder : str
        Which cohorts are analysed.
    followup_targets : tuple of int
        Months of the four follow-ups.
    minimum_cycles : int
        Patients with fewer cycles in the first six months are left out.
    reading : str
        Reading of the mean change at the second follow-up, or both.
    cohorts, cohort_seed : int
        How many reconstructed cohorts of each prior, and the seed that they were made with.
    """

    baseline_window: int
    followup_tolerance: int
    visit_rule: str
    organ_baseline_window: int
    organ_followup_tolerance: int
    responder_threshold: int
    alpha: float
    two_sample_test: str
    paired_test: str
    signed_rank_convention: str
    prior: str
    cohort_folder: str
    followup_targets: tuple[int, ...] = SKIN_TARGETS
    minimum_cycles: int = 3
    reading: str = BOTH_READINGS
    cohorts: int = COHORTS_MADE
    cohort_seed: int = COHORT_SEED

    @classmethod
    def of(cls, parameters: Mapping[str, object] | None = None) -> Choices:
        """Return the choices that parameters make; those not given keep the article's values.

        Parameters
        ----------
        parameters : dict, optional
            Any of :data:`ivig_dcssc.parameters.PARAMETERS`, checked or not.

        Raises
        ------
        ParameterError
            If one is unknown or out of range.
        """
        values = PARAMETERS.check(parameters or {})
        return cls(
            baseline_window=int(values["baseline_window"]),
            followup_tolerance=int(values["followup_tolerance"]),
            visit_rule=str(values["visit_rule"]),
            organ_baseline_window=int(values["organ_baseline_window"]),
            organ_followup_tolerance=int(values["organ_followup_tolerance"]),
            responder_threshold=int(values["responder_threshold"]),
            alpha=float(values["alpha"]),
            two_sample_test=str(values["two_sample_test"]),
            paired_test=str(values["paired_test"]),
            signed_rank_convention=str(values["signed_rank_convention"]),
            prior=str(values["prior"]),
            cohort_folder=str(values["cohort_folder"]),
            followup_targets=months_in(str(values["followup_targets"])),
            minimum_cycles=int(values["minimum_cycles"]),
            reading=str(values["reading"]),
            cohorts=int(values["cohorts"]),
            cohort_seed=int(values["cohort_seed"]),
        )

    @property
    def as_published(self) -> bool:
        """Whether cohorts made to print the article's figures print them under these choices.

        Which of such cohorts are taken, and the significance level, make no difference to that.
        """
        return self == self.by_article()

    def by_article(self) -> Choices:
        """Return the article's windows, tests and limits for the same cohorts and level."""
        same = ("prior", "alpha", "reading", "cohorts", "cohort_seed")
        return Choices.of({name: getattr(self, name) for name in same})

    @property
    def same_scores(self) -> bool:
        """Whether the skin scores that count are those that count in the article's analysis."""
        about = ("baseline_window", "followup_targets", "followup_tolerance", "visit_rule")
        article = Choices.of()
        return all(
            getattr(self, name) == getattr(article, name) for name in (*about, "minimum_cycles")
        )

    def month(self, timepoint: str) -> int:
        """Return the month of a time point, such as ``m6``; 0 for baseline."""
        return 0 if timepoint == "baseline" else self.followup_targets[FOLLOWUPS.index(timepoint)]

    def restricted(self) -> Choices:
        """Return the same choices with the windows of the sensitivity analysis.

        These are the article's whatever the primary windows are, so that narrow primary windows
        can be narrower still.
        """
        return replace(
            self,
            baseline_window=RESTRICTED_BASELINE_WINDOW,
            organ_baseline_window=RESTRICTED_ORGAN_BASELINE_WINDOW,
            organ_followup_tolerance=RESTRICTED_ORGAN_FOLLOWUP_TOLERANCE,
        )

    @property
    def convention(self) -> SignedRankConvention:
        """The convention of the signed-rank test."""
        return next(each for each in CONVENTIONS if each.name == self.signed_rank_convention)

    def windows(self, measure: str) -> Windows:
        """Return the windows of a measure of the visits."""
        if measure == "mrss":
            baseline, tolerance = self.baseline_window, self.followup_tolerance
        elif measure == "tfr":
            baseline, tolerance = self.organ_baseline_window, self.followup_tolerance
        else:
            baseline, tolerance = self.organ_baseline_window, self.organ_followup_tolerance
        targets = tuple(self.month(name) for name in followups_of(measure))
        return Windows(baseline, targets, tolerance, self.visit_rule)

    def named(self, measure: str, values: pd.DataFrame) -> pd.DataFrame:
        """Return a measure in its windows with the follow-ups under their names.

        Parameters
        ----------
        measure : str
            Measure of the visits.
        values : DataFrame
            Columns by month, as from `rederive.retrospective.measured` or `months_used`.
        """
        windows = self.windows(measure)
        names = dict(zip(windows.columns, followups_of(measure), strict=True))
        return values.rename(columns=names)


def followups_of(measure: str) -> tuple[str, ...]:
    """Return the names of the follow-ups at which a measure of the visits counts."""
    if measure == "mrss":
        return FOLLOWUPS
    return (f"m{RUBS_TARGET if measure == 'tfr' else ORGAN_TARGET}",)
