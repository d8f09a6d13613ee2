"""The article's methods as parameters, with the article's values as defaults."""

from __future__ import annotations

from rederive.book.parameters import Parameter, ParameterSet
from rederive.printed import RoundingRule
from rederive.recompute.signed_rank import CONVENTIONS
from rederive.retrospective.windows import RULES

PRIORS = ("gaussian", "flat", "bimodal")
"""Priors of which the book ships an ensemble of cohorts."""

ALL_PRIORS = "all"
"""The ensembles of all priors, one after the other."""

PAIRED_TESTS = ("paired_t", "signed_rank")
"""Tests of a change from baseline; severities always have the signed-rank test."""

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
        Parameter(
            "visit_rule",
            RULES[0],
            "which of several visits in one follow-up window counts",
            choices=RULES,
        ),
        Parameter(
            "organ_baseline_window",
            12,
            "oldest organ or function measure that counts as baseline; not stated, our choice",
            unit="months",
            minimum=0,
            maximum=24,
        ),
        Parameter(
            "organ_followup_tolerance",
            6,
            "distance from month 12 within which such a measure counts; not stated, our choice",
            unit="months",
            minimum=0,
            maximum=6,
        ),
        Parameter(
            "paired_test",
            PAIRED_TESTS[0],
            "test of a change from baseline; severities always have the signed-rank test",
            choices=PAIRED_TESTS,
        ),
        Parameter(
            "signed_rank_convention",
            CONVENTIONS[0].name,
            "zeros, ties and null distribution of the signed-rank test",
            choices=tuple(convention.name for convention in CONVENTIONS),
        ),
        Parameter(
            "prior",
            ALL_PRIORS,
            "prior of the reconstructed cohorts",
            choices=(*PRIORS, ALL_PRIORS),
        ),
        Parameter(
            "cohort_folder",
            "",
            "folder with a cohort of your own; empty: the reconstructed cohorts",
        ),
    )
)
"""All parameters of the book's notebooks."""
