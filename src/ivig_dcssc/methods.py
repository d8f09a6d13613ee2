"""The article's methods in words and tables, and the way of one number through the book."""

from __future__ import annotations

from rederive.book.ledger import Ledger
from rederive.book.render import STATISTICS, TIMEPOINTS
from rederive.book.section import in_words
from rederive.printed.registry import Registry


def follow_up_targets(registry: Registry) -> list[int]:
    """Return the target months of follow-up, as the abstract prints them for the skin score."""
    return sorted(
        {
            int(row.printed.value)
            for row in registry.numbers.values()
            if row.section == "abstract" and row.variable == "mrss" and row.statistic == "month"
        }
    )


def _limit(registry: Registry, row_id: str) -> str:
    row = registry.numbers[row_id]
    return f"{row.printed.text} {row.unit}".strip()


def windows_in_words(registry: Registry) -> list[str]:
    """Return the rules for windows and outcomes as sentences, their figures from the registry."""
    baseline = _limit(registry, "methods-window-baseline-threshold")
    tolerance = _limit(registry, "methods-window-followup-threshold")
    threshold = _limit(registry, "methods-responder-threshold-threshold")
    cycles = _limit(registry, "methods-cycles-required-ivig-threshold")
    within = _limit(registry, "methods-cycles-required-window-ivig-threshold")
    targets = in_words(follow_up_targets(registry))
    return [
        f"The baseline score is the most recent one from the month of the first infusion or up to "
        f"{baseline} before it.",
        f"Follow-up scores belong to months {targets}, each with {tolerance} to either side;",
        "a patient without a score in a window is missing there.",
        f"A patient whose score falls by at least {threshold} is a cutaneous responder.",
        f"To be included, patients needed at least {cycles} of IVIG within the first {within}.",
    ]


def tests_stated() -> list[dict[str, str]]:
    """Return for each kind of comparison the test that the article states and what it leaves open.

    Returns
    -------
    list of dict
        Columns ``Comparison, Stated, Left open, Tried beside``.
    """
    rows = [
        (
            "Skin score at follow-up and at baseline",
            "paired Student t",
            "nothing: it needs the changes alone",
            "-",
        ),
        (
            "Cohort and controls: means",
            "Student t",
            "whether variances were pooled, as the name says; the comparators' n at follow-up",
            "Welch t; every smaller n",
        ),
        (
            "Cohort and controls: yes/no variables",
            "Student t",
            "how the variable was coded; how unknown values were treated",
            "Welch t on 0/1, χ², χ² with Yates' correction, Fisher's exact test",
        ),
        (
            "Baseline and month 12: lung function, disability",
            "paired Student t",
            "the correlation of both visits; for disability also n",
            "every correlation, every n",
        ),
        (
            "Baseline and month 12: organ severity",
            "Wilcoxon signed-rank",
            "zeros, ties, continuity correction",
            "five conventions in common software",
        ),
        (
            "Predictors of response",
            "simple logistic regression",
            "Wald or likelihood-ratio p",
            "both, Fisher's exact test, linear regression on 0/1",
        ),
    ]
    header = ("Comparison", "Stated", "Left open", "Tried beside")
    return [dict(zip(header, row, strict=True)) for row in rows]


def registry_record(ledger: Ledger, row_id: str) -> dict[str, str]:
    """Return one printed number as a row of a table."""
    row = ledger.registry.numbers[row_id]
    return {
        "id": row.id,
        "Section": row.section,
        "Place": row.place,
        "Group": row.group,
        "Variable": ledger.registry.variables[row.variable].label,
        "Time": TIMEPOINTS.get(row.timepoint, ""),
        "Statistic": STATISTICS[row.statistic],
        "Printed": row.as_printed,
        "Rounding interval": str(row.printed.interval(ledger.settings.rule, row.domain)),
    }


def plan_records(ledger: Ledger, row_id: str) -> list[dict[str, str]]:
    """Return the plan of one number: its method, and each input with its figure."""
    plan = ledger.registry.plan[row_id]
    rows = []
    for name in plan.inputs:
        source = ledger.registry.row(name)
        rows.append(
            {
                "Evidence": str(plan.evidence),
                "Method": plan.method,
                "Input": name,
                "Printed": source.as_printed,
            }
        )
    return rows


def reach_records(ledger: Ledger, row_id: str) -> list[dict[str, str]]:
    """Return what every convention makes of one number's inputs."""
    outcome = ledger.recomputed(row_id)
    return [
        {
            "Convention": reach.convention,
            "Stated by the article": "yes" if reach.stated else "no",
            "At the printed figures": "" if reach.point is None else f"{reach.point:.5f}",
            "Reachable": f"{reach.low:.5f} to {reach.high:.5f}",
            "Published figure reachable": "yes" if reach.meets else "no",
        }
        for reach in outcome.reaches
    ]
