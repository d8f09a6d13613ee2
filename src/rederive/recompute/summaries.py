"""Printed summaries of one group: the inputs of every test from summary figures."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from rederive.printed import (
    Interval,
    PrintedNumber,
    RoundingRule,
    readings,
    require_printed,
    require_sd,
)
from rederive.printed.lattice import Lattice, exact, sample_size


@dataclass(frozen=True, slots=True)
class Scale:
    """The values a measurement can take: ``minimum`` to ``maximum`` in steps of ``step``.

    Both ends are multiples of the step (sums are counted in whole steps).
    """

    minimum: Fraction
    maximum: Fraction
    step: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        for name in ("minimum", "maximum", "step"):
            object.__setattr__(self, name, exact(name, getattr(self, name)))
        _ = self.lattice  # What is no scale is refused.

    @property
    def lattice(self) -> Lattice:
        """The scale in steps."""
        return Lattice.of(1, self.step, self.minimum, self.maximum)

    @property
    def of_changes(self) -> Scale:
        """The scale of the difference between two measurements on this scale."""
        width = self.maximum - self.minimum
        return Scale(-width, width, self.step)


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean, SD and size of one group as printed.

    Parameters
    ----------
    mean, sd : PrintedNumber
        As printed; the SD is the sample SD (n - 1).
    n : int
        Group size, at least 2.
    scale : Scale, optional
        Given where single measurements lie on known steps, so that only attainable means and SDs
        count.
    name : str
        Name of the group, for the words of a result.
    ambiguous : bool
        Whether figures with fewer decimals than their partner are read in both ways, or as
        printed only.
    paired_p : tuple of PrintedNumber
        Where the summary is of a change: the p values printed for its paired t test. Of the
        attainable means and SDs only those count that print these as well.

    Raises
    ------
    ValueError
        If n is no whole number from 2, the SD is negative, or it is printed without an upper limit.
    """

    mean: PrintedNumber
    sd: PrintedNumber
    n: int
    scale: Scale | None = None
    name: str = ""
    ambiguous: bool = True
    paired_p: tuple[PrintedNumber, ...] = ()

    def __post_init__(self) -> None:
        require_printed("mean", self.mean)
        require_sd(self.sd)
        object.__setattr__(self, "n", sample_size(self.n, 2))
        if self.sd.operator in (">", "≥", "over"):
            raise ValueError(f"an SD needs an upper limit: {self.sd}")

    def mean_range(self, rule: RoundingRule) -> tuple[float, float]:
        """Return the least and greatest mean printed this way."""
        return self.mean.interval(rule).ends

    def sd_range(self, rule: RoundingRule) -> tuple[float, float]:
        """Return the least and greatest SD printed this way."""
        return self.sd.interval(rule, Interval(Fraction(0), None)).ends

    def with_n(self, n: int) -> Summary:
        """Return the same figures for another group size."""
        return replace(self, n=n)

    def readings(self) -> Iterator[tuple[tuple[str, str], Summary]]:
        """Yield every reading of the two figures, the figures as printed first.

        Each comes with how the mean and the SD are read (empty where a figure is not ambiguous).
        """
        means = readings(self.mean, self.sd) if self.ambiguous else (self.mean,)
        sds = readings(self.sd, self.mean)
        for mean, sd in itertools.product(means, sds):
            mean_name = f"{self.name} mean read as {mean.text}" if len(means) > 1 else ""
            sd_name = f"{self.name} SD read as {sd.text}" if len(sds) > 1 else ""
            yield (mean_name.strip(), sd_name.strip()), replace(self, mean=mean, sd=sd)
