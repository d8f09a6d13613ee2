"""The words for how a number came about and how it compares."""

from __future__ import annotations

from enum import StrEnum


class Evidence(StrEnum):
    """How a reproduced number came about. Every printed number has exactly one."""

    RECOMPUTED = "recomputed"
    PREDICTED = "predicted"
    CALIBRATED = "calibrated"
    STATED = "stated"
    NOT_REPRODUCIBLE = "not reproducible"

    @property
    def has_verdict(self) -> bool:
        """Whether agreement or disagreement can be stated at all."""
        return self not in (Evidence.STATED, Evidence.NOT_REPRODUCIBLE)


class Verdict(StrEnum):
    """How the reproduced number compares with the printed one."""

    SAME = "same"
    WITHIN_ROUNDING = "within rounding"
    NEEDS_CHOICE = "needs an unstated choice"
    DIFFERS = "differs"
    FITTED = "made to agree"
    NONE = "no verdict"
    PENDING = "pending"
