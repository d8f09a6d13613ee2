"""What is printed about one column, and the moments that data printed so can have."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rederive.consistency import attainable_moments, attainable_sums
from rederive.consistency.lattice import (
    Exact,
    Lattice,
    exact,
    require_size,
)
from rederive.printed import PrintedNumber, RoundingRule, require_figure
from rederive.reconstruct.checks import decimal

PAIR_LIMIT = 500_000
"""Most pairs of sum and sum of squares that printed figures may leave."""


class ImpossibleSummaryError(ValueError):
    """No data on the scale print the figures; the message names the nearest that some do."""


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """A column of ``n`` values on a bounded scale, known by its printed mean and SD.

    Parameters
    ----------
    mean : PrintedNumber
        The mean as printed.
    sd : PrintedNumber or None
        The sample standard deviation (divisor n - 1) as printed; ``None`` if there is none.
    n : int
        Number of values: at least 1, with an SD at least 2.
    minimum, maximum : int or Fraction
        Ends of the scale, both allowed; multiples of ``step``.
    step : int or Fraction
        Distance between neighbouring values of the scale, such as ``Fraction(1, 8)``.
    rule : RoundingRule
        Rule by which both figures were rounded.

    Raises
    ------
    ValueError
        Naming the parameter, what was found and what is allowed.
    """

    mean: PrintedNumber
    sd: PrintedNumber | None
    n: int
    minimum: Exact
    maximum: Exact
    step: Exact = Fraction(1)
    rule: RoundingRule = RoundingRule.EITHER

    def __post_init__(self) -> None:
        require_figure("mean", self.mean)
        if self.sd is not None:
            require_figure("sd", self.sd, Fraction(0))
        require_size(self.n, 1 if self.sd is None else 2)
        low, high = exact("minimum", self.minimum), exact("maximum", self.maximum)
        if low > high:
            raise ValueError(
                f"minimum: found {decimal(low)}, allowed are numbers up to the maximum, "
                f"{decimal(high)}"
            )
        self._require_steps(step=exact("step", self.step), minimum=low, maximum=high)

    def _require_steps(self, step: Fraction, **ends: Fraction) -> None:
        if step <= 0:
            raise ValueError(f"step: found {decimal(step)}, allowed are numbers above 0")
        for name, end in ends.items():
            if (end / step).denominator != 1:
                simple = step.limit_denominator(1000)
                near = simple != step and abs(simple - step) < Fraction(1, 10**6)
                meant = f"; is the step {simple}?" if near else ""
                raise ValueError(
                    f"{name}: found {decimal(end)}, allowed are multiples of {decimal(step)}{meant}"
                )

    @property
    def low(self) -> int:
        """Least value of the scale, in steps."""
        return int(Fraction(self.minimum) / Fraction(self.step))

    @property
    def high(self) -> int:
        """Greatest value of the scale, in steps."""
        return int(Fraction(self.maximum) / Fraction(self.step))

    @property
    def figures(self) -> str:
        """The figures in words, for messages."""
        sd = "" if self.sd is None else f", SD {self.sd}"
        return (
            f"mean {self.mean}{sd}, n {self.n}, scale {self.minimum} to {self.maximum} "
            f"in steps of {self.step}, rounding {self.rule}"
        )

    def sums(self) -> list[int]:
        """Return the sums, in steps, whose mean prints as the figure."""
        return attainable_sums(self.mean, self.n, **self._scale())

    def _scale(self) -> dict[str, Any]:
        return {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "step": self.step,
            "rule": self.rule,
        }

    def candidate_moments(self) -> list[tuple[int, int]]:
        """Return sums and sums of squares, in steps, that would print as mean and SD.

        Unlike :meth:`moments`, which decides for each pair whether values with these sums exist,
        this checks necessary conditions only; a dynamic programme finds the number 0 for the rest.

        Raises
        ------
        ValueError
            If no SD is printed, or the figures leave more than :data:`PAIR_LIMIT` pairs.
        """
        if self.sd is None:
            raise ValueError("sd: found none, allowed are printed figures")
        lattice = Lattice.of(1, self.step, self.minimum, self.maximum)
        excesses = lattice.excesses(self.n, self.sd, self.rule)
        pairs: list[tuple[int, int]] = []
        for total in self.sums():
            squares = lattice.squares(total, self.n, excesses)
            if len(pairs) + len(squares) > PAIR_LIMIT:
                raise ValueError(
                    f"sd: {self.figures} leave more than {PAIR_LIMIT} pairs of sum and sum of "
                    "squares; figures with more decimals, or fewer values, leave less"
                )
            pairs += [(total, q) for q in squares]
        return pairs

    def moments(self) -> list[tuple[int, int]]:
        """Return the sums and sums of squares, in steps, that print as mean and SD.

        Raises
        ------
        ValueError
            If no SD is printed, or the figures leave too many pairs to list.
        """
        if self.sd is None:
            raise ValueError("sd: found none, allowed are printed figures")
        return attainable_moments(self.mean, self.sd, self.n, **self._scale())
