"""The article's methods as parameters, with the article's values as defaults."""

from __future__ import annotations

from rederive.book.parameters import Parameter, ParameterSet
from rederive.printed import RoundingRule

PARAMETERS = ParameterSet(
    (
        Parameter("alpha", 0.05, "significance level", minimum=0.0001, maximum=0.5),
        Parameter(
            "two_sample_test",
            "student",
            "variant of the two-sample t test taken as the article's",
            choices=("student", "welch"),
        ),
        Parameter(
            "rounding_rule",
            str(RoundingRule.EITHER),
            "how printed figures were rounded (either: halves may go both ways)",
            choices=tuple(str(rule) for rule in RoundingRule),
        ),
        Parameter(
            "baseline_window",
            3,
            "oldest skin score before the first infusion that counts as baseline",
            unit="months",
            minimum=0,
            maximum=12,
        ),
        Parameter(
            "followup_tolerance",
            2,
            "distance from a follow-up month within which a score counts",
            unit="months",
            minimum=0,
            maximum=3,
        ),
        Parameter(
            "responder_threshold",
            5,
            "decrease of the skin score that makes a cutaneous responder",
            unit="points",
            minimum=1,
            maximum=51,
        ),
    )
)
"""All parameters of the book's notebooks."""
