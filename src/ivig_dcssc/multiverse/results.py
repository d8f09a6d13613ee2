"""The results of the skin score that choices change: what they are, and what the article prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ivig_dcssc.analysis.choices import FOLLOWUPS
from ivig_dcssc.parameters import ALL_PRIORS, PRIORS, READINGS
from rederive.book.published import Published
from rederive.book.render import TIMEPOINTS as TIMES_IN_WORDS
from rederive.printed import PrintedNumber
from rederive.printed.registry import Registry
from rederive.recompute import Summary
from rederive.recompute.signed_rank import CONVENTIONS
from rederive.recompute.t_formulas import TESTS
from rederive.retrospective.windows import RULES

BASELINE = "baseline"
COMPARATORS: dict[str, tuple[str, ...]] = {
    "m6": ("relaxin", "MMF"),
    "m12": ("D-pen", "collagen", "MMF"),
}
"""Groups whose change in skin score the article compares, by time point."""

PAIRED_T = "paired t"
"""Name of the t test where tests are listed; the others have the names of their conventions."""

PAIRED = (PAIRED_T, *(convention.name for convention in CONVENTIONS if not convention.exact))
"""Tests of a change: the t test, and the signed-rank test under each convention.

Its exact distribution is left out: it does not exist with ties, and whole points are rarely without
any.
"""

WINDOWS = ("baseline_window", "followup_tolerance", "visit_rule")

NAMES = {
    "followup_tolerance": "follow-up tolerance",
    "visit_rule": "visit that counts",
    "two_sample_test": "two-sample t test",
    "reading": "reading of the change",
    "Pratt zeros, normal (Stata's signrank)": "signed rank, Stata",
    "Pratt zeros, normal, continuity correction": "signed rank, Pratt, corrected",
    "zeros dropped, normal": "signed rank, zeros dropped",
    "zeros dropped, normal, continuity correction (R)": "signed rank, R",
    "student": "Student",
    "welch": "Welch",
    ALL_PRIORS: "all priors together",
}
"""Choices and levels in figures and controls, where their names there are others."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity that the analysis yields.

    ``title`` stands in titles of figures, ``heading`` above the explorer's columns. ``decimals``
    are those that the explorer carries; counts have one for medians between two. ``own`` is the
    choice on which it depends beside windows and cohorts, if there is one.
    """

    title: str
    heading: str
    decimals: int
    own: str = ""


QUANTITIES = {
    "n": Quantity("patients with both scores", "Patients", 1),
    "mean": Quantity("mean skin score", "Mean score", 2),
    "change": Quantity("mean change of the skin score", "Mean change", 2),
    "p": Quantity("p of the change", "p of the change", 4, "paired_test"),
    "responders": Quantity("responders", "Responders", 1, "responder_threshold"),
    "responder_percent": Quantity(
        "responders in percent", "Responders, %", 1, "responder_threshold"
    ),
    "difference": Quantity("difference in mean change", "IVIG minus control", 2),
    "p_against": Quantity(
        "p of the difference in change", "p of the difference", 4, "two_sample_test"
    ),
}
AGAINST = ("difference", "p_against")
"""Quantities of a comparison with a control."""

DEPENDS: dict[str, tuple[str, ...]] = {
    name: (*WINDOWS, *filter(None, [each.own]), "reading", "prior")
    for name, each in QUANTITIES.items()
}
"""The choices on which each quantity depends, in the order of a table's columns."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The choices, and the levels of each.

    Windows are in months, decreases that make a responder in points, tests some of :data:`PAIRED`.
    Each reading of the mean change at month 12 keeps the cohorts that print it so under the
    article's choices; the prior ``all`` puts the cohorts together.
    """

    baseline_window: tuple[int, ...] = tuple(range(7))
    followup_tolerance: tuple[int, ...] = tuple(range(4))
    visit_rule: tuple[str, ...] = RULES
    responder_threshold: tuple[int, ...] = tuple(range(1, 16))
    paired_test: tuple[str, ...] = PAIRED
    two_sample_test: tuple[str, ...] = tuple(TESTS)
    reading: tuple[str, ...] = READINGS
    prior: tuple[str, ...] = PRIORS

    def levels(self, choice: str) -> tuple[Any, ...]:
        """Return the levels of a choice."""
        return tuple(getattr(self, choice))

    @property
    def size(self) -> int:
        """Number of combinations of all choices."""
        return int(np.prod([len(self.levels(name)) for name in self.__slots__]))


@dataclass(frozen=True, slots=True)
class Result:
    """A result of the analysis: a quantity at a follow-up, such as ``m12``, or ``baseline``.

    The group is the control of a comparison, otherwise nothing.
    """

    quantity: str
    timepoint: str
    group: str = ""

    @property
    def name(self) -> str:
        """Name as in :data:`RESULTS`."""
        return "_".join(filter(None, (self.quantity, self.group.lower(), self.timepoint)))

    @property
    def is_p(self) -> bool:
        """Whether it is a p value."""
        return self.quantity in ("p", "p_against")

    @property
    def own(self) -> str:
        """The choice on which it depends beside windows and cohorts, if there is one."""
        return QUANTITIES[self.quantity].own

    @property
    def label(self) -> str:
        """The result as a title of a figure."""
        month = TIMES_IN_WORDS[self.timepoint]
        against = f" against {self.group}" if self.group else ""
        return f"{QUANTITIES[self.quantity].title}{against}, {month}"


RESULTS: dict[str, Result] = {
    result.name: result
    for result in (
        *(Result(quantity, BASELINE) for quantity in ("n", "mean")),
        *(Result(name, at) for name in QUANTITIES if name not in AGAINST for at in FOLLOWUPS),
        *(
            Result(quantity, timepoint, group)
            for quantity in AGAINST
            for timepoint, groups in COMPARATORS.items()
            for group in groups
        ),
    )
}
"""All results by name, such as ``responder_percent_m12`` or ``p_against_d-pen_m12``."""


def printed_change(registry: Registry, group: str, timepoint: str) -> Summary:
    """Return a control group's change in skin score, its n being that at baseline.

    The article does not print how many controls were followed.
    """
    size = registry.numbers[f"table1-cohort-size-{group.lower()}-n"].printed.value
    return Published(registry).summary("mrss_change", group, timepoint, int(size))


def published(registry: Registry, result: Result) -> PrintedNumber | None:
    """Return the figure that the article prints for a result; ``None`` if it prints none."""
    timepoint, group = result.timepoint, result.group.lower()
    row = {
        "n": f"abstract-mrss-ivig-{timepoint}-n",
        "mean": f"abstract-mrss-ivig-{timepoint}-mean",
        "change": f"abstract-mrss-change-ivig-{timepoint}-mean",
        "responders": f"results-responder-ivig-{timepoint}-count",
        "p": f"abstract-mrss-ivig-{timepoint}-p",
        "p_against": f"results-mrss-change-{group}-{timepoint}-p",
    }.get(result.quantity, "")
    if (result.quantity, timepoint) == ("n", BASELINE):
        row = "table1-cohort-size-ivig-n"
    found = registry.numbers.get(row)
    return None if found is None else found.printed


def published_value(registry: Registry, result: Result) -> float | None:
    """Return the published value as a number; shares and differences from the printed figures."""
    figure = published(registry, result)
    if figure is not None:
        return float(figure.value)
    timepoint = result.timepoint
    if result.quantity == "responder_percent":
        count, n = (published(registry, Result(name, timepoint)) for name in ("responders", "n"))
        return None if count is None or n is None else float(100 * count.value / n.value)
    own = published(registry, Result("change", timepoint))
    if result.quantity == "difference" and own is not None:
        return float(own.value - printed_change(registry, result.group, timepoint).mean.value)
    return None
