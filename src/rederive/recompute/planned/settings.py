"""Choices that hold for every recomputation of a plan."""

from __future__ import annotations

from dataclasses import dataclass

from rederive.printed import PrintedNumber, RoundingRule
from rederive.printed.errors import unknown
from rederive.printed.registry import NumberRow, VariableRow
from rederive.recompute.summaries import Scale, Summary
from rederive.recompute.t_formulas import TESTS, TwoSampleTest

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
    def two_sample(self) -> TwoSampleTest:
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
