"""Contradictory figures: a smallest set of them that cannot hold together.

A contradictory set is made small by leaving out one figure after the other (deletion filtering):
where the rest is still proved contradictory the figure stays out, else it belongs to the set.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from rederive.printed import PrintedNumber, format_fixed
from rederive.reconstruct.block import (
    Block,
    BlockData,
    Figure,
    NothingFoundError,
    find_data,
)
from rederive.reconstruct.existence import Answer, Outcome, decide, refute

MOST_SUBSETS = 300
"""Most sets of figures that are tried to learn whether a smaller contradiction exists."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known of figures: a contradiction, data found, or neither in the time given.

    Attributes
    ----------
    figures : tuple of str
        For a contradiction: the ids of figures that cannot hold together, proved by ``why``.
    irreducible : bool
        Data were found for the set without each one of its figures: none of them is superfluous.
    minimum : bool
        No smaller set of figures is contradictory.
    standard_errors : tuple of str
        SDs of the set with which the others would hold, were they standard errors.
    """

    outcome: Outcome
    figures: tuple[str, ...] = ()
    irreducible: bool = False
    minimum: bool = False
    why: str = ""
    standard_errors: tuple[str, ...] = ()
    data: BlockData | None = None
    seconds: float = 0.0

    @property
    def message(self) -> str:
        """The result in words."""
        match self.outcome:
            case Outcome.FOUND:
                return "the figures can hold together: data that print them all were found"
            case Outcome.UNDECIDED:
                return (
                    f"undecided: in {self.seconds:.0f} s neither data nor a proof that there are "
                    "none were found; this is no contradiction"
                )
            case Outcome.CONTRADICTION:
                together = " together" if len(self.figures) > 1 else ""
                words = f"no data print {', '.join(self.figures)}{together}: {self.why}. "
                words += self._size
                for name in self.standard_errors:
                    words += f" Were {name} a standard error (SD / sqrt(n)), they would hold."
                return words

    @property
    def _size(self) -> str:
        if self.minimum:
            return "No smaller set of figures is contradictory."
        if self.irreducible:
            return (
                "None of them is superfluous; whether another, smaller set is contradictory too "
                "was not decided."
            )
        return "Some of them may be superfluous: the time was too short to tell."


def diagnose(
    block: Block, seconds: float = 60.0, stop: Callable[[], bool] | None = None
) -> Diagnosis:
    """Look for data that print all figures, or a smallest set of figures that has none.

    The time in ``seconds`` is overrun by one search at most; the shorter, the more stays undecided.
    Once ``stop``, asked now and then, returns true, it is as if the time were over.
    """
    begun = time.monotonic()
    clock = _Clock(begun + seconds, stop)
    answer = decide(block, 0.6 * seconds)
    seeds = itertools.count(1)
    while answer.outcome is Outcome.UNDECIDED and clock.left > 0:
        try:
            data = find_data(block, seed=next(seeds), attempts=1)
            answer = Answer(Outcome.FOUND, data=data, why="found by search")
        except NothingFoundError:
            continue
    if answer.outcome is not Outcome.CONTRADICTION:
        return Diagnosis(
            answer.outcome,
            why=answer.why,
            data=answer.data,
            seconds=time.monotonic() - begun,
        )
    found, answer, irreducible = _shrink(block, answer, clock)
    minimum = False
    if irreducible:
        found, answer, minimum = _smallest(block, found, answer, clock)
    return Diagnosis(
        Outcome.CONTRADICTION,
        found,
        irreducible,
        minimum,
        answer.why,
        _standard_errors(block, found),
        seconds=time.monotonic() - begun,
    )


@dataclass(frozen=True, slots=True)
class _Clock:
    deadline: float
    stop: Callable[[], bool] | None

    @property
    def left(self) -> float:
        if self.stop is not None and self.stop():
            return 0.0
        return self.deadline - time.monotonic()

    def ask(self, block: Block, share: int = 1) -> Answer:
        """Decide within a share of the time that is left; without time only by fast proofs."""
        if self.left <= 0:
            return refute(block) or Answer(Outcome.UNDECIDED)
        return decide(block, self.left / share, attempts=1)


def _shrink(block: Block, answer: Answer, clock: _Clock) -> tuple[tuple[str, ...], Answer, bool]:
    """Leave out figures while the rest stays contradictory.

    Returns the ids left, the proof, and whether the rest has data without each one of them.
    """
    order = [figure.id for figure in block.figures]
    shown: dict[str, bool] = {}
    current = set(answer.figures)

    def without(name: str, share: int) -> Answer:
        rest = block.only([other for other in order if other in current and other != name])
        return clock.ask(rest, share)

    # First what the fast proofs settle: small sets are easier for searches and programmes.
    for name in order:
        if name in current and (cheap := refute(block.only(current - {name}))) is not None:
            answer, current = cheap, set(cheap.figures)

    while candidates := [name for name in order if name in current and name not in shown]:
        attempt = without(candidates[0], len(candidates) + 1)
        if attempt.outcome is Outcome.CONTRADICTION:
            answer, current = attempt, set(attempt.figures)
            # Needed in a set is needed in every contradictory part of it; undecided in a set may
            # well be decided in the part, so that is asked again.
            shown = {name: True for name, found in shown.items() if found and name in current}
        else:
            shown[candidates[0]] = attempt.outcome is Outcome.FOUND
    left = tuple(name for name in order if name in current)
    return left, answer, all(shown[name] for name in left)


def _smallest(
    block: Block, found: tuple[str, ...], answer: Answer, clock: _Clock
) -> tuple[tuple[str, ...], Answer, bool]:
    """Look for a smaller contradiction than an irreducible one.

    Returns the smaller set if there is one, its proof, and whether no smaller one exists.
    """
    if len(found) == 1:
        return found, answer, True
    order = [figure.id for figure in block.figures]
    possible: list[set[str]] = []
    for name in found:
        attempt = decide(block.without([name]), 0.0, attempts=1)
        if attempt.outcome is Outcome.FOUND:
            possible.append(set(order) - {name})
    if len(possible) == len(found):
        # Whatever lacks one figure of the set has data: every contradiction contains the set.
        return found, answer, True
    if sum(math.comb(len(order), size) for size in range(1, len(found))) > 50 * MOST_SUBSETS:
        return found, answer, False
    tried = 0
    for size in range(1, len(found)):
        for subset in itertools.combinations(order, size):
            if any(set(subset) <= other for other in possible):
                continue
            tried += 1
            if tried > MOST_SUBSETS or clock.left <= 0:
                return found, answer, False
            attempt = clock.ask(block.only(subset), 10)
            if attempt.outcome is Outcome.CONTRADICTION:
                # All smaller sets have data, so this one is as small as any.
                return subset, attempt, True
            if attempt.outcome is Outcome.UNDECIDED:
                return found, answer, False
            possible.append(set(subset))
    return found, answer, True


def _standard_errors(block: Block, names: Iterable[str]) -> tuple[str, ...]:
    """Return the SDs of a contradictory set that end it if taken for standard errors."""
    fitting = []
    for figure in (block.figure(name) for name in names):
        if not figure.statistic.is_sd or figure.printed.operator != "=":
            continue
        root = math.sqrt(block.observed[block.index(figure.at)])
        ends = figure.interval(block.rule)
        texts = (format_fixed(Fraction(end * root), 9) for end in (ends.lower, ends.upper))
        limits = [
            Figure(f"{figure.id} {sign}", figure.statistic, figure.at, PrintedNumber(text, sign))
            for text, sign in zip(texts, "≥≤", strict=True)
        ]
        others = block.only(set(names) - {figure.id}).with_figures(limits)
        if decide(others, 0.0, attempts=1).outcome is Outcome.FOUND:
            fitting.append(figure.id)
    return tuple(fitting)
