"""The recomputations of a printed number, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from rederive import recompute
from rederive.printed.result import Reach, Recomputed
from rederive.recompute.planned.task import Method, Outcome, PlanError, Task
from rederive.recompute.summaries import Summary


def _two_sample_t(task: Task, test: Callable[..., Outcome], **more: bool) -> Outcome:
    groups, settings = (task.compared(0), task.compared(3)), task.settings
    variant, alpha = settings.two_sample, settings.alpha
    return test(*groups, task.target, settings.rule, variant, alpha=alpha, **more)


def _paired_t_from_visits(task: Task) -> Outcome:
    """Both visits' means and SDs, and n; with the option ``n=at most`` every n up to it."""
    from rederive.recompute.unstated_n import describe_sizes

    largest = task.whole(4)
    at_most = task.plan.options.get("n") == "at most"
    parts: dict[int, Recomputed] = {}
    for n in range(2 if at_most else largest, max(largest, 2) + 1):
        before = Summary(task.figure(0), task.figure(1), n)
        after = Summary(task.figure(2), task.figure(3), n)
        parts[n] = recompute.paired_t_from_marginals(before, after, task.target, task.rule)
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


def _remainder(task: Task) -> Outcome:
    """Return a count as what the other parts leave of a total."""
    total, *parts = task.wholes(0)
    left = total - sum(parts)
    if left < 0:
        found = f"the parts add up to {sum(parts)}, more than the total {total}"
        raise PlanError(f"{task.plan.id}: {found}")
    words = " - ".join(map(str, (total, *parts)))
    reach = Reach.of_values(words, [left], task.target.prints(Fraction(left)))
    return Recomputed("remainder of a total", task.target, (reach,))


def _every_percent(task: Task) -> Outcome:
    """Return a percentage that is said of several shares at once (``over 50%``)."""
    shares = zip(task.wholes(0)[::2], task.wholes(0)[1::2], strict=True)
    each = [recompute.percent_of_count(*share, task.target, task.rule).main for share in shares]
    if not each:
        raise PlanError(f"{task.plan.id}: at least one share is needed")
    low, high = min(share.low for share in each), max(share.high for share in each)
    meets = all(share.meets for share in each)
    words = " and ".join(share.convention for share in each)
    reach = Reach(words, True, low, high, low if meets else None, meets)
    return Recomputed("every percentage", task.target, (reach,))


def _odds_ratio(task: Task) -> Outcome:
    figures = recompute.PrintedOddsRatio(*task.figures(0, 4))
    total, outcome, exposed, cohort = task.wholes(4, 8)
    names = dict(zip(task.plan.inputs, ("odds_ratio", "ci_low", "ci_high", "p"), strict=False))
    if task.plan.id not in names:
        raise PlanError(f"{task.plan.id}: not among the four figures of its odds ratio")
    lost = cohort - total
    margin = range(max(0, exposed - lost), exposed + 1)
    name = names[task.plan.id]
    return recompute.odds_ratio_figure(name, figures, total, [outcome], margin, task.rule)


NUMBERS: Mapping[str, Method] = {
    "percent_of_count": lambda task: recompute.percent_of_count(
        task.whole(0), task.whole(1), task.target, task.rule
    ),
    "attainable_percent": lambda task: recompute.attainable_percent(
        task.target, task.whole(0), task.figures(1), task.is_exhaustive, task.rule
    ),
    "count_of_percent": lambda task: recompute.count_of_percent(
        task.figure(0), task.whole(1), task.target, task.rule
    ),
    "n_of_count_and_percent": lambda task: recompute.n_of_count_and_percent(
        task.whole(0), task.figure(1), task.target, task.rule
    ),
    "percent_of_sum": lambda task: recompute.percent_of_count(
        sum(task.wholes(1)), task.whole(0), task.target, task.rule
    ),
    "percent_of_remainder": lambda task: recompute.percent_of_count(
        task.whole(0) - sum(task.wholes(1)), task.whole(0), task.target, task.rule
    ),
    "remainder": _remainder,
    "every_percent": _every_percent,
    "two_sample_t": lambda task: _two_sample_t(task, recompute.two_sample_t),
    "two_sample_t_unstated_n": lambda task: _two_sample_t(
        task, recompute.two_sample_t_unstated_n, solve=task.settings.unstated_n == "solved"
    ),
    "paired_t": lambda task: recompute.paired_t(
        task.summary(0), task.target, task.rule, task.settings.alpha
    ),
    "paired_t_from_visits": _paired_t_from_visits,
    "odds_ratio": _odds_ratio,
    "two_proportions": lambda task: task.two_proportions(0, task.target),
}
"""The recomputations of a number by the name that a plan uses."""
