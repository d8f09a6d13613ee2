"""One planned row: the figures and options that its method may look up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rederive.printed import PrintedNumber, RoundingRule
from rederive.printed.registry import ClaimRow, NumberRow, PlanRow, Registry
from rederive.printed.result import Recomputed
from rederive.recompute.planned import checked_claims
from rederive.recompute.planned.checked_claims import CheckedClaim
from rederive.recompute.planned.settings import Settings, scale_of
from rederive.recompute.proportions import Share, two_proportions
from rederive.recompute.summaries import Summary

Outcome = Recomputed | CheckedClaim


class PlanError(ValueError):
    """A row of the plan cannot be carried out as written."""


@dataclass(frozen=True, slots=True)
class Task:
    """One planned row with everything a method may look up."""

    registry: Registry
    plan: PlanRow
    settings: Settings
    outcome_of: Callable[[str], Outcome]

    @property
    def rule(self) -> RoundingRule:
        """How the article's figures were rounded."""
        return self.settings.rule

    @property
    def target(self) -> PrintedNumber:
        """The published figure to recompute."""
        if self.plan.id not in self.registry.numbers:
            raise PlanError(f"{self.plan.id}: {self.plan.method} needs a number, not a claim")
        return self.registry.numbers[self.plan.id].printed

    @property
    def claim(self) -> ClaimRow:
        """The claim to check."""
        if self.plan.id not in self.registry.claims:
            raise PlanError(f"{self.plan.id}: {self.plan.method} needs a claim, not a number")
        return self.registry.claims[self.plan.id]

    @property
    def claim_alpha(self) -> float:
        """The significance level of a claim: its first input, as the article prints it."""
        return float(self.figure(0).value)

    @property
    def expects_significance(self) -> bool:
        """Whether the claim is one of significance."""
        return self.claim.expected == "significant"

    def input(self, position: int) -> NumberRow:
        """Return an input number by its position in the plan."""
        try:
            return self.registry.numbers[self.plan.inputs[position]]
        except (IndexError, KeyError) as error:
            raise PlanError(
                f"{self.plan.id}: {self.plan.method} needs a printed number as input "
                f"{position + 1}, found {self.plan.inputs}"
            ) from error

    def figure(self, position: int) -> PrintedNumber:
        """Return the figure of an input by its position."""
        return self.input(position).printed

    def figures(self, start: int, stop: int | None = None) -> list[PrintedNumber]:
        """Return the figures of several inputs."""
        stop = len(self.plan.inputs) if stop is None else stop
        return [self.figure(position) for position in range(start, stop)]

    @property
    def is_exhaustive(self) -> bool:
        """Whether the percentages of the plan are those of everybody."""
        return self.plan.options.get("exhaustive") == "true"

    def whole(self, position: int) -> int:
        """Return an input that is a whole number."""
        value = self.figure(position).value
        if value.denominator != 1:
            raise PlanError(f"{self.plan.id}: input {position + 1} is {value}, not a whole number")
        return value.numerator

    def wholes(self, start: int, stop: int | None = None) -> list[int]:
        """Return several whole inputs."""
        stop = len(self.plan.inputs) if stop is None else stop
        return [self.whole(position) for position in range(start, stop)]

    def summary(self, start: int) -> Summary:
        """Return the summary that stands at three consecutive inputs: mean, SD, n."""
        mean = self.input(start)
        variable = self.registry.variables[mean.variable]
        n = self.whole(start + 2)
        return self.settings.read(mean, self.figure(start + 1), n, scale_of(variable))

    def compared(self, start: int) -> Summary:
        """Return a summary for a test against another group: its own paired p counts as well."""
        inputs = self.plan.inputs[start : start + 3]
        rows = self.registry.plan.values()
        own = [row.id for row in rows if row.method == "paired_t" and row.inputs == inputs]
        p = dict.fromkeys(self.registry.numbers[row_id].printed for row_id in own)
        return replace(self.summary(start), paired_p=tuple(p))

    def two_proportions(self, start: int, p: PrintedNumber | None) -> Recomputed:
        """Return the comparison of two counts, each with its denominator, from four inputs."""
        first, n1, second, n2 = self.wholes(start, start + 4)
        shares = Share((first,), n1), Share((second,), n2)
        return two_proportions(*shares, p, self.rule, self.settings.proportion_test)

    def decided(self, result: Recomputed) -> CheckedClaim:
        """Return the claim that a recomputed p makes at the article's level."""
        return checked_claims.claim_from_p(result, self.claim_alpha, self.expects_significance)

    def directed(
        self, claim: CheckedClaim, first: PrintedNumber, second: PrintedNumber | None = None
    ) -> CheckedClaim:
        """Return a claim with the direction that the plan gives for the difference, if any.

        The difference is first minus second, or first alone if it is a change already.
        """
        direction = self.plan.options.get("direction")
        if direction is None:
            return claim
        if direction not in ("lower", "higher"):
            raise PlanError(
                f"{self.plan.id}: option direction: found {direction!r}, allowed: lower, higher"
            )
        one = first.interval(self.settings.rule)
        low, high = one.lower, one.upper
        if second is not None:
            other = second.interval(self.settings.rule)
            low, high = low - other.upper, high - other.lower
        return checked_claims.in_direction(claim, (low, high), direction == "lower")


Method = Callable[[Task], Outcome]
