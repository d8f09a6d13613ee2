"""The recomputations by name, as a reproduction plan calls them.

A method takes one planned row, looks up the figures that the plan names as its inputs, and returns
a :class:`Recomputed` or a :class:`CheckedClaim`. Methods know printed figures only, never what
they are about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rederive.printed.registry import ClaimRow, Registry
from rederive.recompute.planned.checked_claims import CheckedClaim
from rederive.recompute.planned.claims import CLAIMS, is_likeness
from rederive.recompute.planned.numbers import NUMBERS
from rederive.recompute.planned.task import Method, Outcome, PlanError, Settings, Task

__all__ = ["METHODS", "Outcome", "PlanError", "Settings", "carry_out"]

METHODS: Mapping[str, Method] = {**NUMBERS, **CLAIMS}
"""Every recomputation by the name that a plan uses."""


def carry_out(
    registry: Registry,
    row_id: str,
    settings: Settings,
    done: dict[str, Outcome] | None = None,
) -> Outcome:
    """Carry out the planned method of one number or claim.

    Outcomes so far, by id, are used and filled, so that shared work is done once. A method that is
    unknown, or whose inputs do not suit it, is a ``PlanError``.
    """
    outcomes: dict[str, Outcome] = {} if done is None else done
    if row_id not in outcomes:
        plan = registry.plan[row_id]
        if plan.method not in METHODS:
            raise PlanError(f"{row_id}: {plan.method!r} is no recomputation")
        task = Task(
            registry, plan, settings, lambda other: carry_out(registry, other, settings, outcomes)
        )
        outcome = METHODS[plan.method](task)
        row = registry.row(row_id)
        if isinstance(outcome, CheckedClaim) and isinstance(row, ClaimRow):
            outcome = replace(outcome, likeness=is_likeness(row))
        outcomes[row_id] = outcome
    return outcomes[row_id]
