"""What a row of the ledger shows of its reproduction, and where cohorts come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rederive.printed import Evidence, Verdict


@dataclass(frozen=True, slots=True)
class Shown:
    """The reproduction of one row, in words ready to be shown.

    Parameters
    ----------
    reproduced, interval : str
        The reproduced figure, and the range that the inputs leave.
    verdict : Verdict
        How it compares.
    why : str
        Condition of the verdict, or what is missing.
    decision : str
        Whether p lies below alpha, or whether a claim holds, and on what that depends.
    would_do, not_under, open_under : tuple of str
        Conventions that reach the published figure, that do not, and that leave it open.
    value, low, high : float, optional
        The reproduced figure as a number, in the unit printed. Recomputed: its value at the
        inputs as printed, and the range that rounding leaves. From cohorts: the median and the
        central 95 %, or the one value. Of a claim: the share of cohorts in which it holds, or 1
        and 0 where it holds and does not.
    evidence : Evidence, optional
        Given where it is another than the plan names, as in a run on another study's data.
    before : str
        What the article's parameters give, where that is not the row under these parameters: a
        prediction is no counterpart of what cohorts yield that were told the figure.
    """

    reproduced: str
    interval: str
    verdict: Verdict
    why: str
    decision: str = ""
    would_do: tuple[str, ...] = ()
    not_under: tuple[str, ...] = ()
    open_under: tuple[str, ...] = ()
    value: float | None = None
    low: float | None = None
    high: float | None = None
    evidence: Evidence | None = None
    before: str = ""


class CohortEvidence(Protocol):
    """Patient-level data, reconstructed or a user's own, as evidence for rows of the ledger."""

    def show(self, row_id: str, evidence: Evidence) -> Shown | None:
        """Return what the data say about a calibrated or predicted row; ``None`` if nothing."""
        ...
