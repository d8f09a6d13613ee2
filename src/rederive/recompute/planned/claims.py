"""The checks of a published claim, by name."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from decimal import Decimal

from rederive import recompute
from rederive.printed import PrintedNumber, RoundingRule, Verdict
from rederive.printed.registry import ClaimRow
from rederive.printed.result import Recomputed
from rederive.recompute.percent import nearest_counts
from rederive.recompute.planned import checked_claims
from rederive.recompute.planned.checked_claims import CheckedClaim, ClaimReach
from rederive.recompute.planned.numbers import NUMBERS
from rederive.recompute.planned.task import Method, Outcome, PlanError, Task


def _claim_two_sample_t(task: Task) -> Outcome:
    groups, test = (task.compared(1), task.compared(4)), task.settings.two_sample
    result = recompute.two_sample_t(*groups, None, task.rule, test, alpha=task.claim_alpha)
    return task.directed(task.decided(result), 1, 4)


def _claim_two_sample_t_unstated_n(task: Task) -> Outcome:
    """Check a claim at the comparator's only stated size, and find the smaller ones that matter.

    Where the claim holds at the stated size these are the sizes at which it might not; where it
    does not, those at which it can.
    """
    from rederive.recompute.unstated_n import smaller_sizes

    shared, comparator = task.compared(1), task.compared(4)
    alpha, variant = task.claim_alpha, task.settings.two_sample
    note = f"n = {comparator.n} as at baseline"
    result = recompute.two_sample_t(shared, comparator, None, task.rule, variant, note, alpha)
    claim = task.decided(result)
    holds_as_stated = all(reach.can_hold for reach in claim.stated)
    wanted = task.expects_significance is not holds_as_stated
    side, operator = ("below", "<") if wanted else ("at or above", "≥")
    shown = f"p {side} {alpha:g} can be reached"
    level = PrintedNumber(f"{Decimal(str(alpha)):f}", operator)
    solve = task.settings.unstated_n == "solved"
    fewer = smaller_sizes(shared, comparator, level, task.rule) if solve else []
    reaches = [ClaimReach(words, False, shown, True, False) for words in fewer]
    remark = ""
    if is_likeness(task.claim):
        low, high = recompute.widest_difference_interval(shared, comparator, None)
        remark = f"The 95 % interval of the difference is {low:.1f} to {high:.1f}"
    claim = CheckedClaim(claim.method, (*claim.reaches, *reaches), remark)
    return task.directed(claim, 1, 4)


def _claim_paired_t(task: Task) -> Outcome:
    result = recompute.paired_t(task.summary(1), None, task.rule, task.claim_alpha)
    return task.directed(task.decided(result), 1)


def _claim_two_proportions(task: Task) -> Outcome:
    first, n1, second, n2 = task.wholes(1)
    claim = task.decided(task.two_proportions(1, None))
    if "direction" not in task.plan.options:
        return claim
    distance = first / n1 - second / n2
    lower = task.plan.options["direction"] == "lower"
    return checked_claims.in_direction(claim, (distance, distance), lower)


def _claim_two_percentages(task: Task) -> Outcome:
    """Shares of two groups from percentages; the second with siblings that share its size.

    Where a printed size does not suit its percentages, smaller ones are tried: the largest that
    suits, and more for as long as the claim can hold under none.
    """
    rule, settings = task.rule, task.settings
    firsts = _possible_shares((task.figure(1),), task.whole(2), False, rule, "first group")
    seconds = _possible_shares(
        (task.figure(3), *task.figures(5)), task.whole(4), task.is_exhaustive, rule, "comparator"
    )
    parts: list[Recomputed] = []
    for first, second in itertools.product(firsts, seconds):
        parts.append(recompute.two_proportions(first, second, None, rule, settings.proportion_test))
        reaches = tuple(reach for part in parts for reach in part.reaches)
        claim = task.decided(Recomputed(parts[0].method, None, reaches))
        if len(parts) > 1 and claim.verdict is not Verdict.DIFFERS:
            break
    return claim


def _possible_shares(
    percents: Sequence[PrintedNumber], n: int, exhaustive: bool, rule: RoundingRule, name: str
) -> list[recompute.Share]:
    """Return the share at the printed size, then those at smaller ones if that does not suit."""
    shares = [recompute.Share(nearest_counts(percents[0], n, rule)[0], n)]
    sizes = recompute.attainable_denominators(percents, n, rule, must_sum=exhaustive)
    if n not in sizes:
        shares += [
            recompute.Share(
                tuple(recompute.counts(percents[0], size, rule)), size, f"{name} n = {size}"
            )
            for size in reversed(sizes)
        ]
    return shares


def _claim_p(task: Task) -> Outcome:
    claim = checked_claims.claim_from_printed_p(
        task.figure(1), task.claim_alpha, task.expects_significance
    )
    return task.directed(claim, 2, 3)


def _claim_borderline(task: Task) -> Outcome:
    remark = ""
    if task.registry.plan[task.plan.inputs[1]].method in NUMBERS:
        outcome = task.outcome_of(task.plan.inputs[1])
        if isinstance(outcome, Recomputed):
            found, alpha = outcome.main, task.claim_alpha
            side = {True: "below", False: "not below", None: "on both sides of"}
            remark = (
                f"Recomputed, this {checked_claims.describe_p(found.low, found.high)}, "
                f"{side[found.decision(alpha)]} {alpha:g}"
            )
    return checked_claims.claim_borderline(task.figure(1), task.claim_alpha, remark)


def _claim_majority(task: Task) -> Outcome:
    n, count = task.wholes(0)
    if task.plan.options.get("count") == "remainder":
        count = n - count
    return checked_claims.claim_majority(count, n)


def _split(task: Task) -> tuple[list[int], list[int]]:
    found = task.plan.options.get("first", "")
    if not found.isdecimal() or not 0 < int(found) < len(task.plan.inputs):
        raise PlanError(
            f"{task.plan.id}: option first: found {found!r}, allowed are 1 to "
            f"{len(task.plan.inputs) - 1}"
        )
    first = int(found)
    return task.wholes(0, first), task.wholes(first)


def _claim_all(task: Task) -> Outcome:
    parts: list[tuple[str, CheckedClaim]] = []
    for claim_id in task.plan.inputs:
        outcome = task.outcome_of(claim_id)
        if not isinstance(outcome, CheckedClaim):
            raise PlanError(f"{task.plan.id}: {claim_id} is no claim that can be checked")
        row = task.registry.claims[claim_id]
        label = task.registry.variables[row.variable].label
        parts.append((", ".join(word for word in (label, row.group) if word), outcome))
    return checked_claims.claim_all(parts)


def is_likeness(claim: ClaimRow) -> bool:
    """Return whether a claim is that things are alike, on the ground of a missing significance."""
    return claim.kind in ("comparable", "unchanged") and claim.expected == "not_significant"


CLAIMS: Mapping[str, Method] = {
    "claim_two_sample_t": _claim_two_sample_t,
    "claim_two_sample_t_unstated_n": _claim_two_sample_t_unstated_n,
    "claim_paired_t": _claim_paired_t,
    "claim_two_proportions": _claim_two_proportions,
    "claim_two_percentages": _claim_two_percentages,
    "claim_p": _claim_p,
    "claim_borderline": _claim_borderline,
    "claim_decreasing": lambda task: checked_claims.claim_decreasing(task.figures(0), task.rule),
    "claim_below_one": lambda task: checked_claims.claim_below_one(task.figure(0), task.rule),
    "claim_majority": _claim_majority,
    "claim_first_exceed_rest": lambda task: checked_claims.claim_exceed_rest(*_split(task)),
    "claim_sum_exceeds_rest": lambda task: checked_claims.claim_exceed_rest(
        *_split(task), together=True
    ),
    "claim_all": _claim_all,
}
"""The checks of a claim by the name that a plan uses."""
