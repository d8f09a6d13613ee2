"""The choices under which a cohort is analysed, from the book's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ivig_dcssc.parameters import PARAMETERS, RECONSTRUCTED_ONLY, months_in
from rederive.recompute.signed_rank import CONVENTIONS, SignedRankConvention
from rederive.retrospective import Windows

SKIN_TARGETS = (6, 12, 18, 24)
"""Follow-up months of the skin score in the article; they name the follow-ups, as in ``m6``."""

FOLLOWUPS = tuple(f"m{month}" for month in SKIN_TARGETS)
"""Names of the follow-ups, whatever months a run takes for them."""

SEVERITIES = tuple(
    f"severity_{organ}"
    for organ in ("general", "raynaud", "cardiac", "pulmonary", "gi", "muscle", "renal")
)
MEASURES = ("mrss", "haq_di", "patient_rating", "fvc", "dlco", "cpk", "rvsp", *SEVERITIES, "tfr")


@dataclass(frozen=True, slots=True)
class Choices:
    """Windows, tests and limits of one analysis; `Choices.of` makes one from parameters.

    The fields are :data:`~ivig_dcssc.parameters.PARAMETERS` by name, where each is described, the
    months of the follow-ups as numbers.
    """

    baseline_window: int
    followup_tolerance: int
    followup_targets: tuple[int, ...]
    visit_rule: str
    organ_baseline_window: int
    organ_followup_tolerance: int
    responder_threshold: int
    minimum_cycles: int
    alpha: float
    two_sample_test: str
    paired_test: str
    signed_rank_convention: str
    reading: str
    prior: str
    cohort_folder: str
    cohorts: int
    cohort_seed: int

    @classmethod
    def of(cls, parameters: Mapping[str, object] | None = None) -> Choices:
        """Return the choices that parameters make, checked or not; others are the article's."""
        values = PARAMETERS.check(parameters or {})
        own: dict[str, Any] = {field.name: values[field.name] for field in fields(cls)}
        return cls(**own | {"followup_targets": months_in(str(values["followup_targets"]))})

    @property
    def as_published(self) -> bool:
        """Whether cohorts that were fitted to the article's figures print them here.

        Which of such cohorts are taken, and the significance level, make no difference to that.
        """
        return self == self.by_article()

    def by_article(self) -> Choices:
        """Return the article's windows, tests and limits for the same cohorts and level."""
        return Choices.of({name: getattr(self, name) for name in ("alpha", *RECONSTRUCTED_ONLY)})

    def restricted(self) -> Choices:
        """Return the same choices with the windows of the sensitivity analysis.

        These are the article's (Appendix 1) whatever the primary windows are, so that narrow
        primary windows can be narrower still.
        """
        return replace(self, baseline_window=2, organ_baseline_window=3, organ_followup_tolerance=3)

    @property
    def convention(self) -> SignedRankConvention:
        """The convention of the signed-rank test."""
        return next(each for each in CONVENTIONS if each.name == self.signed_rank_convention)

    def windows(self, measure: str) -> Windows:
        """Return the windows of a measure of the visits."""
        baseline, tolerance = self.organ_baseline_window, self.organ_followup_tolerance
        if measure == "mrss":
            baseline = self.baseline_window
        if measure in ("mrss", "tfr"):
            tolerance = self.followup_tolerance
        months = dict(zip(FOLLOWUPS, self.followup_targets, strict=True))
        targets = tuple(months[name] for name in followups_of(measure))
        return Windows(baseline, targets, tolerance, self.visit_rule)


def followups_of(measure: str) -> tuple[str, ...]:
    """Return the names of the follow-ups at which a measure of the visits counts."""
    return {"mrss": FOLLOWUPS, "tfr": ("m6",)}.get(measure, ("m12",))
