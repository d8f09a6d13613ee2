"""The article's methods as parameters, with the article's values as defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from rederive.parameters import Form, Parameter, ParameterSet, Value
from rederive.printed import RoundingRule

PRIORS = ("gaussian", "flat", "bimodal")
"""Priors that the book compares, each with an ensemble of cohorts."""

MECHANISMS = ("stable", "lost-by-last", "lost-by-own")
"""Priors to teach with; their ensembles are shipped too, and are no evidence."""

ALL_PRIORS = "all"
"""The ensembles of all priors, one after the other."""

PAIRED_TESTS = ("paired_t", "signed_rank")
"""Tests of a change from baseline; severities always have the signed-rank test."""

TARGETS = 4
"""Number of follow-ups."""

LAST_TARGET = 60
"""Latest month of a follow-up."""

BOTH_READINGS = "both"
"""Every reading of an ambiguous figure, side by side."""

CONVENTIONS = (
    "Pratt zeros, normal (Stata's signrank)",
    "Pratt zeros, normal, continuity correction",
    "zeros dropped, normal",
    "zeros dropped, normal, continuity correction (R)",
    "zeros dropped, exact",
)
"""Conventions of the signed-rank test; commands read them here without SciPy."""

READINGS = ("-8", "-8.0")
"""Readings of the mean change at month 12: rounded to a whole number, or with a decimal."""

COHORTS_MADE = 200
"""Cohorts of each prior that the book ships."""

COHORT_SEED = 2015
"""Seed that they were made with."""

RECONSTRUCTED_ONLY = ("prior", "cohorts", "cohort_seed", "reading")
"""Parameters that say which reconstructed cohorts are taken."""


def months_in(text: str) -> tuple[int, ...]:
    """Return the months in a text such as ``6, 12, 18, 24``."""
    return tuple(int(part) for part in text.split(","))


def _read_months(text: str) -> str | None:
    """Return four rising months in their usual spelling, or None."""
    parts = [part.strip() for part in text.strip("[] ").split(",")]
    if len(parts) != TARGETS or not all(re.fullmatch(r"[0-9]{1,3}", part) for part in parts):
        return None
    months = [int(part) for part in parts]
    rising = all(a < b for a, b in pairwise(months))
    if not rising or months[0] < 1 or months[-1] > LAST_TARGET:
        return None
    return ", ".join(map(str, months))


# Values that do not go together


def _reconstructed_only(values: Mapping[str, Value], changed: Mapping[str, Value]) -> str:
    given = [name for name in RECONSTRUCTED_ONLY if name in changed]
    if not given or not values["cohort_folder"]:
        return ""
    return (
        f"parameters {', '.join((*given, 'cohort_folder'))}: these make no sense together, because "
        f"{', '.join(given)} {'says' if len(given) == 1 else 'say'} which reconstructed cohorts "
        "are taken, and with a cohort of your own there are none; allowed: one or the other"
    )


def _first_followup(values: Mapping[str, Value], changed: Mapping[str, Value]) -> str:
    target = months_in(str(values["followup_targets"]))[0]
    tolerance = int(values["followup_tolerance"])
    if target - tolerance >= 1:
        return ""
    return (
        f"parameters followup_targets, followup_tolerance: the first follow-up at month {target} "
        f"± {tolerance} begins before month 1, where scores are those at baseline; allowed: a "
        f"first follow-up at month {tolerance + 1} or later, or a tolerance of at most "
        f"{target - 1}"
    )


PARAMETERS = ParameterSet(
    (
        Parameter(
            "alpha",
            0.05,
            "significance level",
            minimum=0.0001,
            maximum=0.5,
            meaning="Decides which p values count as significant, in recomputed figures and in "
            "cohorts. Statements that the article makes at its own level keep that level where "
            "they are recomputed from printed figures.",
        ),
        Parameter(
            "two_sample_test",
            "student",
            "variant of the two-sample t test taken as the article's",
            choices=("student", "welch"),
            meaning="The one taken as stated; the other is tried as an unstated choice. Also the "
            "test of cohorts against the controls.",
        ),
        Parameter(
            "rounding_rule",
            str(RoundingRule.EITHER),
            "how printed figures were rounded (either: halves may go both ways)",
            choices=tuple(str(rule) for rule in RoundingRule),
            meaning="Sets the interval of true values behind each printed figure. Bounds over all "
            "compatible data are computed for either alone.",
        ),
        Parameter(
            "comparator_n",
            "solved",
            "numbers of comparators at follow-up: solved for, or stated in Table 1",
            choices=("solved", "stated"),
            meaning="The article does not print how many controls were followed. solved: the "
            "number at baseline is tried first, then every smaller one as an unstated choice. "
            "stated: the number at baseline alone, and nothing is solved for.",
        ),
        Parameter(
            "baseline_window",
            3,
            "oldest skin score before the first infusion that counts as baseline",
            unit="months",
            minimum=0,
            maximum=12,
            meaning="The most recent score in these months counts; 0 leaves the month of the "
            "first infusion alone. The sensitivity analysis has 2.",
        ),
        Parameter(
            "followup_targets",
            "6, 12, 18, 24",
            "months of the four follow-ups",
            unit="months",
            form=Form(
                f"{TARGETS} rising whole months from 1 to {LAST_TARGET} with commas between them, "
                "such as 6, 12, 18, 24",
                _read_months,
            ),
            meaning="The first takes the place of month 6, the second of month 12, and so on, in "
            "every comparison, for organ measures (second) and friction rubs (first) as well. "
            "Figures printed for month 6 are then compared with another month.",
        ),
        Parameter(
            "followup_tolerance",
            2,
            "distance from a follow-up month within which a score counts",
            unit="months",
            minimum=0,
            maximum=3,
            meaning="For skin scores and friction rubs. A visit goes to the closest follow-up, so "
            "windows may touch or overlap.",
        ),
        Parameter(
            "visit_rule",
            "closest",
            "which of several visits in one follow-up window counts",
            choices=("closest", "first", "last"),
            meaning="closest to the target month (of two equally close ones the earlier), the "
            "first, or the last.",
        ),
        Parameter(
            "responder_threshold",
            5,
            "decrease of the skin score that makes a cutaneous responder",
            unit="points",
            minimum=1,
            maximum=51,
            meaning="A patient whose score fell by so many points or more is a responder.",
        ),
        Parameter(
            "minimum_cycles",
            3,
            "least number of cycles in the first six months",
            unit="cycles",
            minimum=0,
            maximum=24,
            meaning="Patients with fewer are left out of every analysis; an unknown number counts "
            "as enough. A number that leaves nobody in some cohort is refused, with the largest "
            "one that does not.",
        ),
        Parameter(
            "organ_baseline_window",
            12,
            "oldest organ or function measure that counts as baseline; not stated, our choice",
            unit="months",
            minimum=0,
            maximum=24,
            meaning="For lung function, disability, severities and friction rubs. The "
            "sensitivity analysis has 3.",
        ),
        Parameter(
            "organ_followup_tolerance",
            6,
            "distance from month 12 within which such a measure counts; not stated, our choice",
            unit="months",
            minimum=0,
            maximum=6,
            meaning="Around the second follow-up, for all of these but friction rubs. The "
            "sensitivity analysis has 3.",
        ),
        Parameter(
            "paired_test",
            PAIRED_TESTS[0],
            "test of a change from baseline; severities always have the signed-rank test",
            choices=PAIRED_TESTS,
            meaning="Of patient-level data; what is recomputed from printed means stays a t test.",
        ),
        Parameter(
            "signed_rank_convention",
            CONVENTIONS[0],
            "zeros, ties and null distribution of the signed-rank test",
            choices=CONVENTIONS,
            meaning="Used for severities, and for all measures if paired_test is signed_rank. "
            "Exact conventions give no p where differences are tied.",
        ),
        Parameter(
            "reading",
            BOTH_READINGS,
            "reading of the mean change at month 12, printed without decimals",
            choices=(BOTH_READINGS, *READINGS),
            meaning="-8 was rounded to a whole number, -8.0 to one decimal like its SD. Each by "
            "itself is the only one in recomputed figures. The cohorts were made under -8; with "
            "-8.0 those whose mean change prints so are kept, about one in eight, and each page "
            "says how many.",
        ),
        Parameter(
            "prior",
            ALL_PRIORS,
            "prior of the reconstructed cohorts",
            choices=(*PRIORS, ALL_PRIORS),
            meaning="What is assumed of the single courses beyond the published figures.",
        ),
        Parameter(
            "cohorts",
            COHORTS_MADE,
            "how many reconstructed cohorts of each prior: the first so many",
            unit="cohorts",
            minimum=1,
            maximum=COHORTS_MADE,
            meaning="Fewer are faster and show less of what the figures leave open. With a reading "
            "by itself, the first so many that print it so; if there are fewer, all of them.",
        ),
        Parameter(
            "cohort_seed",
            COHORT_SEED,
            "seed that the reconstructed cohorts were made with",
            minimum=0,
            maximum=2**31 - 1,
            meaning="Other seeds than the default are looked for in _build/cohorts/seed-N/PRIOR; "
            "rederive reconstruct makes them. What was predicted with figures switched off stays "
            "that of the default seed.",
        ),
        Parameter(
            "cohort_folder",
            "",
            "folder with a cohort of your own; empty: the reconstructed cohorts",
            meaning="Two tables, patients.csv and visits.csv, as the codebook describes them; "
            "rederive template writes empty ones and rederive validate checks them. Comparisons "
            "with the article are then comparisons of two studies.",
        ),
    ),
    rules=(_reconstructed_only, _first_followup),
)
"""All parameters of the book's notebooks."""
