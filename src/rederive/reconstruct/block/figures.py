"""One measure taken at several times, and what is printed about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

from rederive.printed import P_VALUE_DOMAIN, Interval, PrintedNumber, RoundingRule
from rederive.printed.errors import unknown
from rederive.printed.number import require_printed
from rederive.recompute.summaries import Scale

QUARTILES = ("linear", "weibull", "averaged_inverted_cdf")
"""Ways to compute quartiles, as NumPy names them: types 7, 6 and 2 of Hyndman and Fan 1996."""


class Statistic(StrEnum):
    """What a figure says about a measure at one time point."""

    MEAN = "mean"
    SD = "sd"
    SE = "se"
    CI_LOW = "ci_low"
    CI_HIGH = "ci_high"
    MEDIAN = "median"
    Q1 = "q1"
    Q3 = "q3"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    BASELINE_MEAN = "baseline_mean"
    BASELINE_SD = "baseline_sd"
    BASELINE_SE = "baseline_se"
    CHANGE_MEAN = "change_mean"
    CHANGE_SD = "change_sd"
    CHANGE_SE = "change_se"
    CHANGE_CI_LOW = "change_ci_low"
    CHANGE_CI_HIGH = "change_ci_high"
    CHANGE_MEDIAN = "change_median"
    CHANGE_Q1 = "change_q1"
    CHANGE_Q3 = "change_q3"
    PAIRED_P = "paired_p"
    SIGNED_RANK_P = "signed_rank_p"
    RESPONDERS = "responders"

    @property
    def family(self) -> str:
        """What it is about: ``baseline`` (of the followed), ``change``, or empty for the values."""
        if self in (Statistic.PAIRED_P, Statistic.SIGNED_RANK_P, Statistic.RESPONDERS):
            return "change"
        family = self.partition("_")[0]
        return family if family in ("baseline", "change") else ""

    @property
    def kind(self) -> str:
        """The statistic without what it is about, such as ``mean`` or ``ci_low``."""
        return self.removeprefix(f"{self.family}_")

    @property
    def is_sd(self) -> bool:
        """Whether it is a sample SD, or the standard error that follows from it."""
        return self.kind in ("sd", "se")

    @property
    def is_count(self) -> bool:
        """Whether it counts patients beyond a threshold."""
        return self in (Statistic.AT_LEAST, Statistic.AT_MOST, Statistic.RESPONDERS)

    @property
    def is_p(self) -> bool:
        """Whether it is a p value."""
        return self in (Statistic.PAIRED_P, Statistic.SIGNED_RANK_P)

    @property
    def is_quantile(self) -> bool:
        """Whether it is a median or a quartile."""
        return self.kind in ("median", "q1", "q3")

    @property
    def fewest(self) -> int:
        """Least number of patients with whom it can be computed."""
        if self.kind in ("q1", "q3"):
            return 3
        return 2 if self.is_sd or self.kind in ("ci_low", "ci_high", "paired_p") else 1


@dataclass(frozen=True, slots=True)
class Figure:
    """A printed figure as a constraint on patient-level data.

    Parameters
    ----------
    id : str
        Name of the figure, unique within a block.
    statistic : Statistic
        What is printed. The baseline statistics are those of the patients followed at ``at``;
        ``responders`` counts the patients whose value changed by ``threshold`` or more for the
        better, ``at_least`` and ``at_most`` those whose value lies on that side of it; the p values
        are those of the two-sided paired t test and signed-rank test, the confidence interval that
        of the mean, 95 %.
    at : str
        Time point.
    printed : PrintedNumber
        The figure as printed.
    threshold : Fraction, optional
        Least change of a responder, or least or greatest value counted, in the unit of the scale.
    rises : bool
        Whether a responder's value rises; else it falls.

    Raises
    ------
    ValueError
        If a count has no threshold, or anything else has one; if the figure is no printed number,
        or an SD below 0.
    """

    id: str
    statistic: Statistic
    at: str
    printed: PrintedNumber
    threshold: Fraction | None = None
    rises: bool = False

    def __post_init__(self) -> None:
        require_printed(self.id, self.printed, Fraction(0) if self.statistic.is_sd else None)
        if self.statistic.is_count != (self.threshold is not None):
            raise ValueError(f"{self.id}: a threshold belongs to counts, and only to them")

    def interval(self, rule: RoundingRule) -> Interval:
        """Return the values that print as the figure.

        Raises
        ------
        ValueError
            If no SD, or no p value, prints so.
        """
        domain = Interval(Fraction(0), None) if self.statistic.is_sd else None
        domain = P_VALUE_DOMAIN if self.statistic.is_p else domain
        try:
            return self.printed.interval(rule, domain)
        except ValueError as error:
            raise ValueError(f"{self.id}: {self.statistic} cannot be {self.printed}") from error


@dataclass(frozen=True, slots=True)
class Block:
    """One measure of the same patients at one or more time points.

    Patients not measured at the first time point are not followed: whoever has a later value has
    a first one.

    Parameters
    ----------
    name : str
        Name of the measure.
    scale : Scale
        Values that the measure can take.
    patients : int
        Number of patients.
    timepoints : tuple of str
        The first is the baseline of all changes.
    observed : tuple of int
        Patients measured at each time point.
    figures : tuple of Figure
        What is printed.
    rule : RoundingRule
        How all figures were rounded.
    quartiles : str
        How quartiles were computed, one of :data:`QUARTILES`.
    signed_rank : str
        How the signed-rank test was computed, one of the names of its conventions; empty for the
        first of them.

    Raises
    ------
    ValueError
        Naming the field, what was found and what is allowed.
    """

    name: str
    scale: Scale
    patients: int
    timepoints: tuple[str, ...]
    observed: tuple[int, ...]
    figures: tuple[Figure, ...] = ()
    rule: RoundingRule = RoundingRule.EITHER
    quartiles: str = "linear"
    signed_rank: str = ""

    def __post_init__(self) -> None:
        if self.patients < 1:
            raise ValueError(f"{self.name}: patients: found {self.patients}, allowed from 1")
        if not self.timepoints or len(set(self.timepoints)) != len(self.timepoints):
            raise ValueError(f"{self.name}: time points: found {self.timepoints}, need different")
        if len(self.observed) != len(self.timepoints):
            raise ValueError(f"{self.name}: observed: need one number per time point")
        limits = (self.patients, *[self.observed[0]] * (len(self.observed) - 1))
        for timepoint, n, limit in zip(self.timepoints, self.observed, limits, strict=True):
            if not 0 <= n <= limit:
                raise ValueError(
                    f"{self.name}: observed at {timepoint}: found {n}, allowed are 0 to {limit}"
                )
        ids = [figure.id for figure in self.figures]
        for figure in self.figures:
            if ids.count(figure.id) > 1:
                raise ValueError(f"{self.name}: figure {figure.id} occurs twice")
            self.index(figure.at)
            if figure.statistic.family and figure.at == self.timepoints[0]:
                raise ValueError(
                    f"{figure.id}: {figure.statistic} compares a later time point with "
                    f"{self.timepoints[0]}, found {figure.at}"
                )

    def index(self, timepoint: str) -> int:
        """Return the position of a time point.

        Raises
        ------
        ValueError
            With the nearest name, if there is none such.
        """
        if timepoint not in self.timepoints:
            raise unknown(f"{self.name}: time point", timepoint, self.timepoints)
        return self.timepoints.index(timepoint)

    def quantile(self, figure: Figure) -> tuple[int, int, Fraction]:
        """Return where a median or a quartile lies: a share of the way from one rank to another.

        Ranks count from 1. The median, and the quartiles by ``averaged_inverted_cdf``, lie half-way
        between two values or on one.

        Examples
        --------
        >>> scale = Scale(Fraction(0), Fraction(9))
        >>> median = Figure("m", Statistic.MEDIAN, "a", PrintedNumber("4.5"))
        >>> Block("x", scale, 10, ("a",), (10,), (median,)).quantile(median)
        (5, 6, Fraction(1, 2))
        """
        n = self.observed[self.index(figure.at)]
        part = Fraction({"q1": 1, "median": 2, "q3": 3}[figure.statistic.kind], 4)
        match self.quartiles:
            case "weibull":
                place = part * (n + 1)
            case "averaged_inverted_cdf":
                whole = floor(part * n)
                place = whole + Fraction(1, 2 if whole == part * n else 1)
            case _:
                place = part * (n - 1) + 1
        return floor(place), ceil(place), place - floor(place)

    def is_sampled(self, figure: Figure) -> bool:
        """Return whether a figure does not follow from sums and counts: data are looked at."""
        if figure.statistic.is_quantile:
            return self.quantile(figure)[2] > 0
        return figure.statistic is Statistic.SIGNED_RANK_P

    @property
    def levels(self) -> int:
        """Number of steps between the ends of the scale."""
        return int((self.scale.maximum - self.scale.minimum) / self.scale.step)

    def figure(self, name: str) -> Figure:
        """Return a figure by its id.

        Raises
        ------
        ValueError
            With the nearest id, if there is none such.
        """
        found = next((figure for figure in self.figures if figure.id == name), None)
        if found is None:
            raise unknown(f"{self.name}: figure", name, [figure.id for figure in self.figures])
        return found

    def without(self, names: Iterable[str]) -> Block:
        """Return the block with some figures held out.

        Raises
        ------
        ValueError
            If a name is no figure of the block.
        """
        left_out = {self.figure(name).id for name in names}
        return replace(self, figures=tuple(f for f in self.figures if f.id not in left_out))

    def only(self, names: Iterable[str]) -> Block:
        """Return the block with only some of its figures."""
        kept = {self.figure(name).id for name in names}
        return replace(self, figures=tuple(f for f in self.figures if f.id in kept))

    def with_figures(self, figures: Iterable[Figure]) -> Block:
        """Return the block with further figures."""
        return replace(self, figures=(*self.figures, *figures))
