"""Statements without a figure, checked against what the printed figures allow."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rederive.printed import PrintedNumber, RoundingRule, Verdict, outward
from rederive.printed.result import Recomputed


@dataclass(frozen=True, slots=True)
class ClaimReach:
    """Whether a claim can hold (somewhere) and must hold (everywhere) within rounding.

    ``convention`` is in words, and ``stated`` if the article states it; ``usual`` is whether
    anybody would defend it for such data. ``shown`` is what was found, such as ``p = 0.0312 to
    0.0345``.
    """

    convention: str
    stated: bool
    shown: str
    can_hold: bool
    must_hold: bool
    usual: bool = True


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim beside what its inputs allow, under every convention tried.

    ``remark`` is what a reader must know beside. ``likeness``: the claim is that things are alike,
    and the check that no difference is significant. ``vague``: the claim's word has no limit of its
    own, so that no figure settles it.
    """

    method: str
    reaches: tuple[ClaimReach, ...]
    remark: str = ""
    likeness: bool = False
    vague: bool = False

    @property
    def stated(self) -> tuple[ClaimReach, ...]:
        """The conventions that the article states."""
        return tuple(reach for reach in self.reaches if reach.stated)

    @property
    def main(self) -> ClaimReach:
        """The convention to show first: a stated one, else one that fits, else the first."""
        holding = [reach for reach in self.reaches if reach.can_hold]
        return (*self.stated, *holding, *self.reaches)[0]

    @property
    def conditions(self) -> tuple[str, ...]:
        """All conventions under which the claim can hold."""
        return tuple(reach.convention for reach in self.reaches if reach.can_hold)

    @property
    def contradicted(self) -> tuple[str, ...]:
        """All usual conventions under which the claim cannot hold."""
        against = (reach for reach in self.reaches if reach.usual and not reach.can_hold)
        return tuple(reach.convention for reach in against)

    @property
    def verdict(self) -> Verdict:
        """Verdict on the claim, which a missing difference can contradict and never show."""
        if self.tested is Verdict.DIFFERS or not (self.likeness or self.vague):
            return self.tested
        return Verdict.NOT_TESTED if self.likeness else Verdict.NOT_SETTLED

    @property
    def tested(self) -> Verdict:
        """Verdict on what was checked: ``same`` if it holds everywhere as stated."""
        if self.stated and all(reach.can_hold for reach in self.stated):
            if all(reach.must_hold for reach in self.stated):
                return Verdict.SAME
            return Verdict.WITHIN_ROUNDING
        holds = any(reach.can_hold for reach in self.reaches)
        return Verdict.NEEDS_CHOICE if holds else Verdict.DIFFERS


def describe_p(low: float, high: float) -> str:
    """Return a range of p values in words; its ends are rounded outwards, a single p to nearest."""
    if high < 0.0001:
        return "p < 0.0001"
    decimals = 4 if low < 0.1 else 3
    if high - low <= 1e-9:
        return f"p = {high:.{decimals}f}"
    least, most = outward(low, high, decimals)
    return f"p ≤ {most}" if low < 0.0001 else f"p = {least} to {most}"


def claim_from_p(result: Recomputed, alpha: float, significant: bool) -> CheckedClaim:
    """Check a claim of significance, or of its absence, against a recomputed p."""
    reaches = []
    for reach in result.reaches:
        decision, shown = reach.decision(alpha), describe_p(reach.low, reach.high)
        must = decision is significant
        can = must or decision is None
        reaches.append(ClaimReach(reach.convention, reach.stated, shown, can, must, reach.usual))
    return CheckedClaim(result.method, tuple(reaches), result.remark)


def in_direction(claim: CheckedClaim, difference: tuple[float, float], lower: bool) -> CheckedClaim:
    """Return a claim of significance that also has to have a direction: below zero, or above.

    The difference is the least and the greatest within rounding.
    """
    low, high = difference if lower else (-difference[1], -difference[0])
    can, must = low < 0, high < 0
    side = "below" if lower else "above"
    words = f"difference {side} zero" if must else f"difference not surely {side} zero"
    reaches = tuple(
        replace(
            reach,
            shown=f"{reach.shown}, {words}",
            can_hold=reach.can_hold and can,
            must_hold=reach.must_hold and must,
        )
        for reach in claim.reaches
    )
    return replace(claim, reaches=reaches)


def claim_from_printed_p(p: PrintedNumber, alpha: float, significant: bool) -> CheckedClaim:
    """Check a claim of significance against the p that the article prints for it."""
    sides = p.interval().sides_of(alpha)
    shown = f"p {p}" if p.operator != "=" else f"p = {p}"
    reach = ClaimReach("the printed p", True, shown, significant in sides, sides == {significant})
    return CheckedClaim("printed p against alpha", (reach,))


def claim_borderline(p: PrintedNumber, alpha: float, remark: str = "") -> CheckedClaim:
    """Check that a p called borderline is near the significance level.

    No limit is standard, and articles state none: within a factor of two of alpha is tried, and
    what passes is not settled by it. The remark is what else is known of this p.
    """
    interval = p.interval()
    touches = interval.meets(alpha / 2, 2 * alpha)
    inside = interval.lower >= alpha / 2 and interval.upper <= 2 * alpha
    words = f"borderline taken as {alpha / 2:g} to {2 * alpha:g}"
    reach = ClaimReach(words, False, f"p = {p}", touches, inside)
    return CheckedClaim("borderline p", (reach,), remark, vague=True)


def claim_decreasing(
    values: Sequence[PrintedNumber], rule: RoundingRule = RoundingRule.EITHER
) -> CheckedClaim:
    """Check that printed figures, two or more, fall strictly from each to the next."""
    if len(values) < 2:
        raise ValueError("an order needs at least two figures")
    # A falling choice exists if each figure can pass every later one, not only the next.
    pairs = [(a.interval(rule), b.interval(rule)) for a, b in itertools.combinations(values, 2)]
    can = all(a.upper > b.lower for a, b in pairs)
    must = all(a.lower > b.upper for a, b in pairs)
    shown = " > ".join(str(value) for value in values)
    return CheckedClaim("order of figures", (ClaimReach("as printed", True, shown, can, must),))


def claim_below_one(ratio: PrintedNumber, rule: RoundingRule = RoundingRule.EITHER) -> CheckedClaim:
    """Check that a ratio lies below 1 (a negative association)."""
    interval = ratio.interval(rule)
    reach = ClaimReach("as printed", True, f"ratio {ratio}", interval.lower < 1, interval.upper < 1)
    return CheckedClaim("ratio below one", (reach,))


def claim_majority(count: int, n: int) -> CheckedClaim:
    """Check that a count is more than half of its denominator."""
    holds = 2 * count > n
    reach = ClaimReach("more than half", True, f"{count} of {n}", holds, holds)
    return CheckedClaim("majority", (reach,))


def claim_exceed_rest(
    first: Sequence[int], rest: Sequence[int], together: bool = False
) -> CheckedClaim:
    """Check that each of some counts, or all of them together, exceed every other count."""
    if not first or not rest:
        raise ValueError(
            f"counts to compare: found {len(first)} and {len(rest)}, allowed are at least 1 and 1"
        )
    ours, most = sum(first) if together else min(first), max(rest)
    words = f"{'together' if together else 'least of these'} {ours}, most of the others {most}"
    name = "main category" if together else "most common"
    return CheckedClaim(name, (ClaimReach("as printed", True, words, ours > most, ours > most),))


def claim_all(parts: Sequence[tuple[str, CheckedClaim]]) -> CheckedClaim:
    """Check that several claims, with their names, hold together; the weakest decides.

    Every convention under which a part does not hold, or not everywhere, is carried along, so that
    the whole is never steadier than its parts.
    """
    if not parts:
        raise ValueError("at least one claim is needed")
    verdicts = [part.tested for _, part in parts]
    worst = max(verdicts, key=list(Verdict).index)
    weak = [name for name, part in parts if part.tested is worst]
    holding = sum(verdict is Verdict.SAME for verdict in verdicts)
    shown = f"{holding} of {len(parts)} parts hold whatever the rounding"
    stated = worst is not Verdict.NEEDS_CHOICE
    can, must = worst is not Verdict.DIFFERS, worst is Verdict.SAME
    convention = "all parts" if must else "decided by " + ", ".join(weak[:3])
    reaches = [ClaimReach(convention, stated, shown, can, must)]
    for name, part in parts:
        for reach in part.reaches:
            if not reach.must_hold:
                can_hold = reach.can_hold and can
                words = f"{name}: {reach.convention}"
                reaches.append(replace(reach, convention=words, stated=False, can_hold=can_hold))
    return CheckedClaim("all of several claims", tuple(reaches))
