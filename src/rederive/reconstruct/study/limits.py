"""What no values on a scale can have: figures of a description that are misprints by themselves."""

from __future__ import annotations

import math
from fractions import Fraction

from rederive.printed import Interval, PrintedNumber, RoundingRule
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import Statistic


def beyond(
    statistic: Statistic, number: PrintedNumber, scale: Scale, n: int | None, rule: RoundingRule
) -> str:
    """Return what is allowed where a figure lies beyond what the scale permits, else nothing.

    A mean or an extreme lies within the scale. The SD of n values (denominator n - 1) is at most
    half the range times sqrt(n / (n - 1)); that is reached when half of them lie at each end.

    Parameters
    ----------
    statistic : Statistic
        What is printed; p values and counts have no limit here.
    number : PrintedNumber
        The figure as printed; any value that rounds to it will do.
    scale : Scale
        Scale of the single values.
    n : int or None
        Number of values; where it is not known SDs are not looked at.
    rule : RoundingRule
        How the figure was rounded.
    """
    of = "the scale"
    if statistic in (Statistic.CHANGE_MEAN, Statistic.CHANGE_SD):
        scale, of = scale.of_changes, "the range of changes"
    found, ends = number.interval(rule), f"{_text(scale.minimum)} to {_text(scale.maximum)}"
    if statistic.is_sd:
        if n is None or n < 2 or found.low is None or found.low <= 0:
            return ""
        largest = ((scale.maximum - scale.minimum) / 2) ** 2 * Fraction(n, n - 1)
        if found.low**2 <= largest:
            return ""
        return f"an SD up to {math.sqrt(largest):.4g}, the largest of {n} values from {ends}"
    if statistic in (Statistic.PAIRED_P, Statistic.RESPONDERS):
        return ""
    inside = found.intersect(Interval(scale.minimum, scale.maximum)) is not None
    return "" if inside else f"a value from {ends}, {of}"


def require_threshold(threshold: Fraction, scale: Scale) -> None:
    """Refuse a threshold of response that no change on the scale reaches, or that is not above 0.

    Raises
    ------
    ValueError
        Naming the range of the scale.
    """
    width = scale.maximum - scale.minimum
    if not 0 < threshold <= width:
        raise ValueError(
            f"threshold: found {_text(threshold)}, allowed are numbers above 0 up to "
            f"{_text(width)}, the range of the scale"
        )


def _text(value: Fraction) -> str:
    return f"{float(value):.10g}"
