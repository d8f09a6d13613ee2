"""One planned row: the choices, figures and options that its method may look up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rederive.printed import PrintedNumber, RoundingRule
from rederive.printed.errors import unknown
from rederive.printed.registry import ClaimRow, NumberRow, PlanRow, Registry, VariableRow
from rederive.printed.result import Recomputed
from rederive.recompute.planned import checked_claims
from rederive.recompute.planned.checked_claims import CheckedClaim
from rederive.recompute.proportions import Share, two_proportions
from rederive.recompute.summaries import Scale, Summary
from rederive.recompute.t_formulas import TESTS, TTest, difference_range

SIZES = ("solved", "stated")
"""What is done about sizes that are not stated with a figure: solved for, or the stated one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices that hold for every recomputation.

    ``rule`` is how the article's figures were rounded, ``alpha`` the level for claims, ``test`` the
    two-sample test taken as stated: ``student`` or ``welch``. Where a comparator's size is not
    stated with its figures, ``unstated_n`` says what is done: ``solved`` tries every size up to the
    one that is stated elsewhere, ``stated`` that one alone. ``reading`` has ids of ambiguous means,
    and the one way in which each is read. Repeats are read as the first mention; all other figures
    in every way.
    """

    rule: RoundingRule = RoundingRule.EITHER
    alpha: float = 0.05
    test: str = "student"
    unstated_n: str = SIZES[0]
    reading: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("test", self.test, TESTS),
            ("unstated_n", self.unstated_n, SIZES),
        ):
            if value not in allowed:
                raise unknown(name, value, allowed)
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha: found {self.alpha}, allowed is more than 0 and less than 1")

    @property
    def two_sample(self) -> TTest:
        """The two-sample test taken as stated."""
        return TESTS[self.test]

    def read(self, mean: NumberRow, sd: PrintedNumber, n: int, scale: Scale | None) -> Summary:
        """Return a summary whose mean is read as these settings say."""
        only = dict(self.reading).get(mean.same_as or mean.id)
        printed = mean.printed if only is None else PrintedNumber(only)
        return Summary(printed, sd, n, scale, mean.group, ambiguous=only is None)

    @property
    def proportion_test(self) -> str:
        """The test of two proportions that goes with it."""
        return "Welch t on 0/1" if self.test == "welch" else "Student t on 0/1"


def scale_of(variable: VariableRow) -> Scale | None:
    """Return the scale of a variable if its ends and step are all known."""
    if variable.minimum is None or variable.maximum is None or variable.step is None:
        return None
    return Scale(variable.minimum, variable.maximum, variable.step)


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

    def directed(self, claim: CheckedClaim, first: int, second: int | None = None) -> CheckedClaim:
        """Return a claim with the direction that the plan gives for the difference, if any.

        The difference is that of the inputs at two positions, or one that is a change already.
        """
        direction = self.plan.options.get("direction")
        if direction is None:
            return claim
        if direction not in ("lower", "higher"):
            raise PlanError(
                f"{self.plan.id}: option direction: found {direction!r}, allowed: lower, higher"
            )
        difference = self.figure(first).interval(self.rule).ends
        if second is not None:
            difference = difference_range(difference, self.figure(second).interval(self.rule).ends)
        return checked_claims.in_direction(claim, difference, direction == "lower")


Method = Callable[[Task], Outcome]
