"""The recomputations by name, as a reproduction plan calls them.

A method takes one planned row, looks up the figures that the plan names as its inputs, and returns
a :class:`Recomputed` or a :class:`CheckedClaim`. Methods know printed figures only, never what
they are about.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rederive.consistency import attainable_denominators, counts
from rederive.printed import PrintedNumber, RoundingRule, Verdict
from rederive.printed.registry import (
    ClaimRow,
    NumberRow,
    PlanRow,
    Registry,
    VariableRow,
)
from rederive.printed.result import Reach, Recomputed, merge
from rederive.printed.schema import nearest
from rederive.recompute import arithmetic, claims
from rederive.recompute.claims import CheckedClaim, ClaimReach
from rederive.recompute.proportions import Share, two_proportions
from rederive.recompute.summaries import Scale, Summary
from rederive.recompute.t_formulas import STUDENT, WELCH, TwoSampleTest
from rederive.recompute.t_tests import (
    difference_interval,
    paired_t,
    paired_t_from_marginals,
    two_sample_t,
)
from rederive.recompute.two_by_two import PrintedOddsRatio, odds_ratio_figure
from rederive.recompute.unstated_n import (
    describe_sizes,
    sizes_with_decision,
    two_sample_t_unstated_n,
)

Outcome = Recomputed | CheckedClaim


TESTS = ("student", "welch")
"""Names of the two-sample tests that can be taken as stated."""

SIZES = ("solved", "stated")
"""What is done about sizes that are not stated with a figure: solved for, or the stated one."""


class PlanError(ValueError):
    """A row of the plan cannot be carried out as written."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices that hold for every recomputation.

    Parameters
    ----------
    rule : RoundingRule
        How the article's figures were rounded.
    alpha : float
        Significance level for claims.
    test : str
        The two-sample test taken as stated: ``student`` or ``welch``.
    unstated_n : str
        What is done where a comparator's size is not stated with its figures: ``solved`` tries
        every size up to the one that is stated elsewhere, ``stated`` that one alone.
    reading : tuple of (str, str)
        Ids of ambiguous means, and the one way in which each is read. Repeats are read as the
        first mention; all other figures in every way.

    Raises
    ------
    ValueError
        If the test or the treatment of sizes is unknown, or alpha is not between 0 and 1.
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
                hint = nearest(value, allowed)
                suggestion = f" (did you mean {hint!r}?)" if hint else ""
                raise ValueError(
                    f"{name}: found {value!r}, allowed are {', '.join(allowed)}{suggestion}"
                )
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha: found {self.alpha}, allowed is more than 0 and less than 1")

    @property
    def two_sample(self) -> TwoSampleTest:
        """The two-sample test taken as stated."""
        return WELCH if self.test == "welch" else STUDENT

    def read(self, mean: NumberRow, sd: PrintedNumber, n: int, scale: Scale | None) -> Summary:
        """Return a summary whose mean is read as these settings say.

        Parameters
        ----------
        mean : NumberRow
            The printed mean.
        sd : PrintedNumber
            Its SD.
        n : int
            Size of the group.
        scale : Scale, optional
            Scale of single measurements.
        """
        only = dict(self.reading).get(mean.same_as or mean.id)
        printed = mean.printed if only is None else PrintedNumber(only)
        return Summary(printed, sd, n, scale, mean.group, ambiguous=only is None)

    @property
    def proportion_test(self) -> str:
        """The test of two proportions that goes with it."""
        return "Welch t on 0/1" if self.test == "welch" else "Student t on 0/1"


@dataclass(frozen=True, slots=True)
class Task:
    """One planned row with everything a method may look up."""

    registry: Registry
    plan: PlanRow
    settings: Settings
    done: dict[str, Outcome] = field(default_factory=dict)

    @property
    def target(self) -> PrintedNumber:
        """The published figure to recompute.

        Raises
        ------
        PlanError
            If the row is a claim.
        """
        row = self.registry.row(self.plan.id)
        if not isinstance(row, NumberRow):
            raise PlanError(f"{self.plan.id}: {self.plan.method} needs a number, not a claim")
        return row.printed

    @property
    def claim(self) -> ClaimRow:
        """The claim to check.

        Raises
        ------
        PlanError
            If the row is a number.
        """
        row = self.registry.row(self.plan.id)
        if not isinstance(row, ClaimRow):
            raise PlanError(f"{self.plan.id}: {self.plan.method} needs a claim, not a number")
        return row

    @property
    def claim_alpha(self) -> float:
        """The significance level of a claim: its first input, as the article prints it."""
        return float(self.figure(0).value)

    @property
    def expects_significance(self) -> bool:
        """Whether the claim is one of significance."""
        return self.claim.expected == "significant"

    def input(self, position: int) -> NumberRow:
        """Return an input number by its position in the plan.

        Raises
        ------
        PlanError
            If the plan names too few inputs, or a claim in this place.
        """
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

    def whole(self, position: int) -> int:
        """Return an input that is a whole number.

        Raises
        ------
        PlanError
            If it is not whole.
        """
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
        p = {
            self.registry.numbers[row.id].printed
            for row in self.registry.plan.values()
            if row.method == "paired_t" and row.inputs == inputs
        }
        return replace(self.summary(start), paired_p=tuple(sorted(p, key=str)))

    def directed(
        self, claim: CheckedClaim, first: PrintedNumber, second: PrintedNumber | None = None
    ) -> CheckedClaim:
        """Return a claim with the direction that the plan gives for the difference, if any.

        Parameters
        ----------
        claim : CheckedClaim
            The claim without its direction.
        first, second : PrintedNumber
            The difference is first minus second, or first alone if it is a change already.

        Raises
        ------
        PlanError
            If the direction is neither ``lower`` nor ``higher``.
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
        return claims.in_direction(claim, (low, high), direction == "lower")


def scale_of(variable: VariableRow) -> Scale | None:
    """Return the scale of a variable if its ends and step are all known."""
    if variable.minimum is None or variable.maximum is None or variable.step is None:
        return None
    return Scale(variable.minimum, variable.maximum, variable.step)


Method = Callable[[Task], Outcome]


def _percent_of_count(task: Task) -> Outcome:
    return arithmetic.percent_of_count(
        task.whole(0), task.whole(1), task.target, task.settings.rule
    )


def _attainable_percent(task: Task) -> Outcome:
    siblings = [task.figure(position) for position in range(1, len(task.plan.inputs))]
    return arithmetic.attainable_percent(
        task.target,
        task.whole(0),
        siblings,
        task.plan.options.get("exhaustive") == "true",
        task.settings.rule,
    )


def _count_of_percent(task: Task) -> Outcome:
    return arithmetic.count_of_percent(
        task.figure(0), task.whole(1), task.target, task.settings.rule
    )


def _n_of_count_and_percent(task: Task) -> Outcome:
    return arithmetic.n_of_count_and_percent(
        task.whole(0), task.figure(1), task.target, task.settings.rule
    )


def _percent_of_sum(task: Task) -> Outcome:
    return arithmetic.percent_of_count(
        sum(task.wholes(1)), task.whole(0), task.target, task.settings.rule
    )


def _percent_of_remainder(task: Task) -> Outcome:
    n = task.whole(0)
    return arithmetic.percent_of_count(n - sum(task.wholes(1)), n, task.target, task.settings.rule)


def _remainder(task: Task) -> Outcome:
    return arithmetic.remainder(task.whole(0), task.wholes(1), task.target)


def _every_percent(task: Task) -> Outcome:
    values = task.wholes(0)
    shares = list(zip(values[::2], values[1::2], strict=True))
    return arithmetic.every_percent(shares, task.target, task.settings.rule)


def _two_sample_t(task: Task) -> Outcome:
    settings = task.settings
    return two_sample_t(
        task.compared(0),
        task.compared(3),
        task.target,
        settings.rule,
        settings.two_sample,
        alpha=settings.alpha,
    )


def _two_sample_t_unstated_n(task: Task) -> Outcome:
    settings = task.settings
    return two_sample_t_unstated_n(
        task.compared(0),
        task.compared(3),
        task.target,
        settings.rule,
        settings.two_sample,
        settings.alpha,
        solve=settings.unstated_n == "solved",
    )


def _paired_t(task: Task) -> Outcome:
    settings = task.settings
    return paired_t(task.summary(0), task.target, settings.rule, settings.alpha)


def _paired_t_from_visits(task: Task) -> Outcome:
    """Both visits' means and SDs, and n; with the option ``n=at most`` every n up to it."""
    largest = task.whole(4)
    at_most = task.plan.options.get("n") == "at most"
    parts: dict[int, Recomputed] = {}
    for n in range(2 if at_most else largest, max(largest, 2) + 1):
        before = Summary(task.figure(0), task.figure(1), n)
        after = Summary(task.figure(2), task.figure(3), n)
        parts[n] = paired_t_from_marginals(before, after, task.target, task.settings.rule)
    last = parts[largest]
    if not at_most:
        return last
    fitting = [n for n, part in parts.items() if part.inside]
    reaches = list(last.reaches)
    if not fitting:
        # Fewer pairs than patients at a visit have means and SDs of their own there.
        own = "fewer pairs, whose own figures at the two visits are not printed"
        reaches.append(Reach(own, False, 0.0, 1.0, None, True))
        return Recomputed(last.method, last.printed, tuple(reaches))
    named = fitting[-1]
    if named != largest:
        reaches += [
            replace(reach, convention=f"{reach.convention}, {named} pairs")
            for reach in parts[named].reaches
        ]
    remark = (
        f"The number of pairs is not stated: {describe_sizes(fitting)} would do, each with a "
        f"correlation of its own; the one named is for {named}."
    )
    return Recomputed(last.method, last.printed, tuple(reaches), remark)


def _odds_ratio(task: Task) -> Outcome:
    figures = PrintedOddsRatio(*(task.figure(position) for position in range(4)))
    total, outcome, exposed, cohort = task.wholes(4, 8)
    names = dict(zip(task.plan.inputs, ("odds_ratio", "ci_low", "ci_high", "p"), strict=False))
    if task.plan.id not in names:
        raise PlanError(f"{task.plan.id}: not among the four figures of its odds ratio")
    lost = cohort - total
    margin = range(max(0, exposed - lost), exposed + 1)
    name = names[task.plan.id]
    return odds_ratio_figure(name, figures, total, [outcome], margin, task.settings.rule)


def _two_proportions(task: Task) -> Outcome:
    first, n1, second, n2 = task.wholes(0)
    return two_proportions(
        Share((first,), n1),
        Share((second,), n2),
        task.target,
        task.settings.rule,
        task.settings.proportion_test,
    )


def _claim_two_sample_t(task: Task) -> Outcome:
    settings = task.settings
    result = two_sample_t(
        task.compared(1),
        task.compared(4),
        None,
        settings.rule,
        settings.two_sample,
        alpha=task.claim_alpha,
    )
    claim = claims.claim_from_p(result, task.claim_alpha, task.expects_significance)
    return task.directed(claim, task.figure(1), task.figure(4))


def _claim_two_sample_t_unstated_n(task: Task) -> Outcome:
    """Check a claim at the comparator's only stated size, and find the smaller ones that matter.

    Where the claim holds at the stated size these are the sizes at which it might not; where it
    does not, those at which it can.
    """
    settings, significant = task.settings, task.expects_significance
    shared, comparator = task.compared(1), task.compared(4)
    note = f"n = {comparator.n} as at baseline"
    result = two_sample_t(
        shared, comparator, None, settings.rule, settings.two_sample, note, task.claim_alpha
    )
    claim = claims.claim_from_p(result, task.claim_alpha, significant)
    holds_as_stated = all(reach.can_hold for reach in claim.stated)
    wanted = significant if not holds_as_stated else not significant
    side = "below" if wanted else "at or above"
    reaches = list(claim.reaches)
    tried = (
        sizes_with_decision(shared, comparator, wanted, task.claim_alpha, settings.rule)
        if settings.unstated_n == "solved"
        else []
    )
    for solved in tried:
        fewer = [n for n in solved.sizes["comparator"] if n < comparator.n]
        if fewer:
            convention = f"{solved.convention}, comparator n {describe_sizes(fewer)}"
            shown = f"p {side} {task.claim_alpha:g} can be reached"
            reaches.append(ClaimReach(convention, False, shown, True, False))
    remark = ""
    if is_likeness(task.claim):
        low, high = difference_interval(shared, comparator)
        remark = f"The 95 % interval of the difference is {low:.1f} to {high:.1f}"
    claim = CheckedClaim(claim.method, tuple(reaches), remark)
    return task.directed(claim, task.figure(1), task.figure(4))


def _claim_paired_t(task: Task) -> Outcome:
    settings = task.settings
    result = paired_t(task.summary(1), None, settings.rule, task.claim_alpha)
    claim = claims.claim_from_p(result, task.claim_alpha, task.expects_significance)
    return task.directed(claim, task.figure(1))


def _claim_two_proportions(task: Task) -> Outcome:
    first, n1, second, n2 = task.wholes(1)
    result = two_proportions(
        Share((first,), n1),
        Share((second,), n2),
        None,
        task.settings.rule,
        task.settings.proportion_test,
    )
    claim = claims.claim_from_p(result, task.claim_alpha, task.expects_significance)
    if "direction" not in task.plan.options:
        return claim
    distance = first / n1 - second / n2
    lower = task.plan.options["direction"] == "lower"
    return claims.in_direction(claim, (distance, distance), lower)


def _claim_two_percentages(task: Task) -> Outcome:
    """Shares of two groups from percentages; the second with siblings that share its size.

    Where a printed size does not suit its percentages, smaller ones are tried: the largest that
    suits, and more for as long as the claim can hold under none.
    """
    rule, settings = task.settings.rule, task.settings
    siblings = [task.figure(position) for position in range(5, len(task.plan.inputs))]
    exhaustive = task.plan.options.get("exhaustive") == "true"
    firsts = _possible_shares((task.figure(1),), task.whole(2), False, rule, "first group")
    seconds = _possible_shares(
        (task.figure(3), *siblings), task.whole(4), exhaustive, rule, "comparator"
    )
    parts: list[Recomputed] = []
    for first, second in itertools.product(firsts, seconds):
        parts.append(two_proportions(first, second, None, rule, settings.proportion_test))
        result = merge(parts[0].method, parts)
        claim = claims.claim_from_p(result, task.claim_alpha, task.expects_significance)
        if len(parts) > 1 and claim.verdict is not Verdict.DIFFERS:
            break
    return claim


def _possible_shares(
    percents: Sequence[PrintedNumber], n: int, exhaustive: bool, rule: RoundingRule, name: str
) -> list[Share]:
    """Return the share at the printed size, then those at smaller ones if that does not suit."""
    shares = [share_of(percents[0], n, rule)]
    sizes = attainable_denominators(percents, n, rule, must_sum=exhaustive)
    if n not in sizes:
        shares += [
            Share(counts(percents[0], size, rule), size, f"{name} n = {size}")
            for size in reversed(sizes)
        ]
    return shares


def share_of(percent: PrintedNumber, n: int, rule: RoundingRule) -> Share:
    """Return the counts behind a percentage, or the two nearest ones if there is none."""
    found = counts(percent, n, rule)
    if found:
        return Share(found, n)
    below = min(int(percent.value * n / 100), n - 1)
    return Share((below, below + 1), n)


def _claim_p(task: Task) -> Outcome:
    claim = claims.claim_from_printed_p(task.figure(1), task.claim_alpha, task.expects_significance)
    if "direction" not in task.plan.options:
        return claim
    return task.directed(claim, task.figure(2), task.figure(3))


def _claim_borderline(task: Task) -> Outcome:
    remark = ""
    if task.registry.plan[task.plan.inputs[1]].method in METHODS:
        outcome = carry_out(task.registry, task.plan.inputs[1], task.settings, task.done)
        if isinstance(outcome, Recomputed):
            found, alpha = outcome.main, task.claim_alpha
            side = {True: "below", False: "not below", None: "on both sides of"}
            remark = (
                f"Recomputed, this {claims.p_in_words(found.low, found.high)}, "
                f"{side[found.decision(alpha)]} {alpha:g}"
            )
    return claims.claim_borderline(task.figure(1), task.claim_alpha, remark)


def _claim_decreasing(task: Task) -> Outcome:
    values = [task.figure(position) for position in range(len(task.plan.inputs))]
    return claims.claim_decreasing(values, task.settings.rule)


def _claim_below_one(task: Task) -> Outcome:
    return claims.claim_below_one(task.figure(0), task.settings.rule)


def _claim_majority(task: Task) -> Outcome:
    n, count = task.wholes(0)
    if task.plan.options.get("count") == "remainder":
        count = n - count
    return claims.claim_majority(count, n)


def _split(task: Task) -> tuple[list[int], list[int]]:
    found = task.plan.options.get("first", "")
    if not found.isdecimal() or not 0 < int(found) < len(task.plan.inputs):
        raise PlanError(
            f"{task.plan.id}: option first: found {found!r}, allowed are 1 to "
            f"{len(task.plan.inputs) - 1}"
        )
    first = int(found)
    return task.wholes(0, first), task.wholes(first)


def _claim_first_exceed_rest(task: Task) -> Outcome:
    return claims.claim_first_exceed_rest(*_split(task))


def _claim_sum_exceeds_rest(task: Task) -> Outcome:
    return claims.claim_sum_exceeds_rest(*_split(task))


def _claim_all(task: Task) -> Outcome:
    parts: list[tuple[str, CheckedClaim]] = []
    for claim_id in task.plan.inputs:
        outcome = carry_out(task.registry, claim_id, task.settings, task.done)
        if not isinstance(outcome, CheckedClaim):
            raise PlanError(f"{task.plan.id}: {claim_id} is no claim that can be checked")
        row = task.registry.claims[claim_id]
        label = task.registry.variables[row.variable].label
        parts.append((", ".join(word for word in (label, row.group) if word), outcome))
    return claims.claim_all(parts)


METHODS: Mapping[str, Method] = {
    "percent_of_count": _percent_of_count,
    "attainable_percent": _attainable_percent,
    "count_of_percent": _count_of_percent,
    "n_of_count_and_percent": _n_of_count_and_percent,
    "percent_of_sum": _percent_of_sum,
    "percent_of_remainder": _percent_of_remainder,
    "remainder": _remainder,
    "every_percent": _every_percent,
    "two_sample_t": _two_sample_t,
    "two_sample_t_unstated_n": _two_sample_t_unstated_n,
    "paired_t": _paired_t,
    "paired_t_from_visits": _paired_t_from_visits,
    "odds_ratio": _odds_ratio,
    "two_proportions": _two_proportions,
    "claim_two_sample_t": _claim_two_sample_t,
    "claim_two_sample_t_unstated_n": _claim_two_sample_t_unstated_n,
    "claim_paired_t": _claim_paired_t,
    "claim_two_proportions": _claim_two_proportions,
    "claim_two_percentages": _claim_two_percentages,
    "claim_p": _claim_p,
    "claim_borderline": _claim_borderline,
    "claim_decreasing": _claim_decreasing,
    "claim_below_one": _claim_below_one,
    "claim_majority": _claim_majority,
    "claim_first_exceed_rest": _claim_first_exceed_rest,
    "claim_sum_exceeds_rest": _claim_sum_exceeds_rest,
    "claim_all": _claim_all,
}
"""Every recomputation by the name that a plan uses."""


def carry_out(
    registry: Registry,
    row_id: str,
    settings: Settings,
    done: dict[str, Outcome] | None = None,
) -> Outcome:
    """Carry out the planned method of one number or claim.

    Parameters
    ----------
    registry : Registry
        Printed numbers, claims and plan.
    row_id : str
        The number or claim.
    settings : Settings
        Choices that hold for all.
    done : dict, optional
        Outcomes so far, by id; used and filled, so that shared work is done once.

    Returns
    -------
    Recomputed or CheckedClaim

    Raises
    ------
    PlanError
        If the method is unknown or its inputs do not suit it.
    """
    outcomes: dict[str, Outcome] = {} if done is None else done
    if row_id not in outcomes:
        plan = registry.plan[row_id]
        if plan.method not in METHODS:
            raise PlanError(f"{row_id}: {plan.method!r} is no recomputation")
        outcome = METHODS[plan.method](Task(registry, plan, settings, outcomes))
        row = registry.row(row_id)
        if isinstance(outcome, CheckedClaim) and isinstance(row, ClaimRow):
            outcome = replace(outcome, likeness=is_likeness(row))
        outcomes[row_id] = outcome
    return outcomes[row_id]


def is_likeness(claim: ClaimRow) -> bool:
    """Return whether a claim is that things are alike, with a missing significance as its ground.

    Parameters
    ----------
    claim : ClaimRow
        A claim of the registry.
    """
    return claim.kind in ("comparable", "unchanged") and claim.expected == "not_significant"
