"""The windows that dated visits are made for, in months since the month of the first infusion."""

from __future__ import annotations

from dataclasses import dataclass

from rederive.printed.registry import Registry

ORGAN_BASELINE = 12
"""Oldest baseline of organ and function measures; our choice, the article states none."""

ORGAN_TOLERANCE = 6
"""Greatest distance of the same from month 12; our choice, the article states none."""


@dataclass(frozen=True, slots=True)
class VisitWindows:
    """Which month counts for what.

    Parameters
    ----------
    baseline, tight_baseline : int
        Oldest skin score before month 0 that is a baseline; the same in the sensitivity analysis.
    targets : tuple of int
        Follow-up months of the skin score, rising.
    tolerance : int
        Distance from a target within which a skin score or friction rubs count.
    organ_target : int
        Follow-up month of organ and function measures.
    organ_baseline, organ_tolerance : int
        Oldest baseline and greatest distance from the target of the same.
    tight_organ_baseline, tight_organ_tolerance : int
        The same in the sensitivity analysis.
    """

    baseline: int
    tight_baseline: int
    targets: tuple[int, ...]
    tolerance: int
    organ_target: int
    tight_organ_baseline: int
    tight_organ_tolerance: int
    organ_baseline: int = ORGAN_BASELINE
    organ_tolerance: int = ORGAN_TOLERANCE

    def near_months(self) -> tuple[int, ...]:
        """Return the months of the tight window around the organ target."""
        at, width = self.organ_target, self.tight_organ_tolerance
        return tuple(range(at - width, at + width + 1))

    def far_months(self) -> tuple[int, ...]:
        """Return the months inside the primary, but outside the tight window of the target."""
        at, width = self.organ_target, self.organ_tolerance
        near = self.near_months()
        return tuple(month for month in range(at - width, at + width + 1) if month not in near)

    def skin_months(self, target: int) -> tuple[int, ...]:
        """Return the months at which a skin score counts for a target."""
        return tuple(range(target - self.tolerance, target + self.tolerance + 1))

    def is_between(self, month: int) -> bool:
        """Return whether a month after the first belongs to no window of the skin score."""
        return month > 0 and all(abs(month - target) > self.tolerance for target in self.targets)


def visit_windows(registry: Registry) -> VisitWindows:
    """Return the windows that the article prints, with our own where it prints none.

    Raises
    ------
    KeyError
        If the registry lacks one of them.
    """

    def months(row_id: str) -> int:
        return int(registry.numbers[row_id].printed.value)

    targets = sorted(
        int(row.printed.value)
        for row in registry.numbers.values()
        if (row.variable, row.statistic) == ("window_followup", "month") and not row.same_as
    )
    return VisitWindows(
        baseline=months("methods-window-baseline-threshold"),
        tight_baseline=months("appendix1-window-baseline-restricted-threshold"),
        targets=tuple(targets),
        tolerance=months("methods-window-followup-threshold"),
        organ_target=months("appendix1-window-followup-organ-m12-month"),
        tight_organ_baseline=months("appendix1-window-baseline-organ-threshold"),
        tight_organ_tolerance=months("appendix1-window-followup-organ-m12-threshold"),
    )
