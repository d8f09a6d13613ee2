"""The words for how a number came about and how it compares."""

from __future__ import annotations

from enum import StrEnum


class Evidence(StrEnum):
    """How a reproduced number came about. Every printed number has exactly one.

    A plan names one of the first five. In a run on other data than the article's, rows that come
    from patient-level data have the last: their figures are those of another study.
    """

    RECOMPUTED = "recomputed"
    PREDICTED = "predicted"
    CALIBRATED = "calibrated"
    STATED = "stated"
    NOT_REPRODUCIBLE = "not reproducible"
    OTHER_STUDY = "another study"

    @property
    def has_verdict(self) -> bool:
        """Whether agreement or disagreement can be stated at all."""
        return self not in (Evidence.STATED, Evidence.NOT_REPRODUCIBLE, Evidence.OTHER_STUDY)


PLANNED = tuple(kind for kind in Evidence if kind is not Evidence.OTHER_STUDY)
"""Every evidence that a plan can name."""


class Verdict(StrEnum):
    """How the reproduced number compares with the printed one."""

    SAME = "same"
    WITHIN_ROUNDING = "within rounding"
    NEEDS_CHOICE = "needs an unstated choice"
    DIFFERS = "differs"
    NOT_SETTLED = "not settled"
    NOT_TESTED = "not tested by the article"
    FITTED = "fitted"
    NONE = "no verdict"
    PENDING = "pending"
