"""What was measured of each patient, before it has dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from ivig_dcssc.generator.drawing import Flags, Floats

SEVERITY_PREFIX = "severity_"


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure in the article's primary windows.

    Parameters
    ----------
    measure : str
        Its name among the visits.
    baseline, followup : array of float, shape (patients,)
        Values, the latter at month 12; NaN where not measured.
    """

    measure: str
    baseline: Floats
    followup: Floats

    @property
    def change(self) -> Floats:
        """Follow-up less baseline, NaN without both, shape (patients,)."""
        return self.followup - self.baseline


CLINIC = "clinic"
"""The group of the severity scores, which decide who is in the tight windows."""

GROUPS: dict[str, tuple[str, ...]] = {
    "questionnaire": ("haq_di", "patient_rating"),
    "lung": ("fvc", "dlco"),
    "blood": ("cpk",),
    "echo": ("rvsp",),
}
"""Measures that are recorded on the same day; a measure of no group has days of its own."""

AS_IN_CLINIC: dict[str, float] = {"questionnaire": 1.0, "lung": 0.75}
"""Share of patients recorded at the visit of the severity scores; ours. Others: none by rule."""

RECENT = 0.75
NEAR = 0.8
"""Share of free baseline and month-12 records in the tight windows; ours."""

ONLY_OLD, ONLY_FAR = 0.5, 0.4
"""Why a pair is not in the tight windows: baseline too old, follow-up too far, else both; ours."""

_ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the records of one group lie, both of shape (patients,).

    Parameters
    ----------
    recent : array of bool
        Baseline in the tight window.
    near : array of bool
        Follow-up in the tight window.
    """

    recent: Flags
    near: Flags

    @property
    def tight(self) -> Flags:
        """Whose records both lie in the tight windows."""
        return np.asarray(self.recent & self.near)


def group_of(measure: str) -> str:
    """Return the group of a measure, or its own name if it has none."""
    if measure.startswith(SEVERITY_PREFIX):
        return CLINIC
    return next((group for group, names in GROUPS.items() if measure in names), measure)


def paired_decision(change: Floats, alpha: float) -> int:
    """Return the decision of a paired t test: -1 lower, 1 higher, 0 not significant.

    Fewer than two changes, or changes that are all the same, are not significant.
    """
    n = len(change)
    sd = float(change.std(ddof=1)) if n > 1 else 0.0
    if sd == 0:
        return 0
    mean = float(change.mean())
    p = 2 * float(stdtr(n - 1, -abs(mean) / sd * np.sqrt(n)))
    return int(np.sign(mean)) if p < alpha else 0


def draw_timing(
    measured: Sequence[Measured],
    severities_tight: Flags,
    severities_paired: Flags,
    *,
    seen_before: Flags,
    seen_at_target: Flags,
    alpha: float,
    rng: np.random.Generator,
) -> dict[str, Timing]:
    """Draw for each group of measures who is recorded when.

    All flags have shape (patients,): whose severity scores lie in the tight windows, who has them
    twice, who can have a record before the tight baseline window, and who has a skin score around
    the target month (the others are more often seen far from it). Decisions at ``alpha`` have to
    stay. The group of the severity scores is :data:`CLINIC`.
    """
    clinic = _clinic(severities_tight, severities_paired, seen_before, seen_at_target, rng)
    timing = {CLINIC: clinic}
    by_group: dict[str, list[Measured]] = {}
    for each in measured:
        by_group.setdefault(group_of(each.measure), []).append(each)
    for group, members in by_group.items():
        shared = rng.random(len(clinic.near)) < AS_IN_CLINIC.get(group, 0.0)
        for attempt in range(_ATTEMPTS):
            if attempt:
                shared &= rng.random(len(shared)) >= 0.2
            free = _free(seen_before, rng)
            found = Timing(
                np.where(shared, clinic.recent, free.recent),
                np.where(shared, clinic.near, free.near),
            )
            if _conclusions_stay(members, found, alpha):
                break
        else:
            everyone = np.ones(len(shared), np.bool_)
            found = Timing(everyone, everyone)
        timing[group] = found
    return timing


def _free(seen_before: Flags, rng: np.random.Generator) -> Timing:
    shape = seen_before.shape
    return Timing((rng.random(shape) < RECENT) | ~seen_before, rng.random(shape) < NEAR)


def _clinic(
    tight: Flags, paired: Flags, seen_before: Flags, seen_at_target: Flags, rng: np.random.Generator
) -> Timing:
    free, reason = _free(seen_before, rng), rng.random(tight.shape)
    # Without a skin score around the target, a record far from it is the likelier reason.
    reason = np.where(seen_at_target, reason, ONLY_OLD / 2 + reason * (1 - ONLY_OLD / 2))
    old = (reason < ONLY_OLD) | (reason >= ONLY_OLD + ONLY_FAR)
    recent = np.where(tight, True, np.where(paired, ~(old & seen_before), free.recent))
    far = (reason >= ONLY_OLD) | ~seen_before
    return Timing(recent, np.where(tight, True, np.where(paired, ~far, free.near)))


def _conclusions_stay(members: Sequence[Measured], timing: Timing, alpha: float) -> bool:
    changes = [(each.change, np.isfinite(each.change)) for each in members]
    return all(
        paired_decision(change[has], alpha) == paired_decision(change[has & timing.tight], alpha)
        for change, has in changes
    )
