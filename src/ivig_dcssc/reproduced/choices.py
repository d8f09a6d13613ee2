"""The choices under which a cohort is analysed, from the book's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ivig_dcssc.parameters import PARAMETERS
from rederive.recompute.signed_rank import CONVENTIONS, SignedRankConvention
from rederive.retrospective import Windows

SKIN_TARGETS = (6, 12, 18, 24)
"""Follow-up months of the skin score."""

ORGAN_TARGET = 12
"""Follow-up month of organ and function measures."""

RUBS_TARGET = 6
"""Follow-up month of tendon friction rubs."""

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
        )

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
        targets: tuple[int, ...]
        if measure == "mrss":
            baseline, targets = self.baseline_window, SKIN_TARGETS
            tolerance = self.followup_tolerance
        elif measure == "tfr":
            baseline, targets = self.organ_baseline_window, (RUBS_TARGET,)
            tolerance = self.followup_tolerance
        else:
            baseline, targets = self.organ_baseline_window, (ORGAN_TARGET,)
            tolerance = self.organ_followup_tolerance
        return Windows(baseline, targets, tolerance, self.visit_rule)
