"""One question: a quantity of a block, with what single columns allow and the programmes built."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from rederive.reconstruct.block import Block, Prior
from rederive.reconstruct.bounds.counts import CountModel
from rederive.reconstruct.bounds.moments import Meeting, Squares, ends_of, squares_of
from rederive.reconstruct.bounds.quantities import Part, Quantity


@dataclass(slots=True)
class Task:
    """A quantity, the block without the dropped figures, and how hard to try.

    Attributes
    ----------
    meetings : dict
        What single columns allow, by position of the visit.
    time_limit : float
        Seconds for each integer programme.
    seed : int
    prior : Prior
        What searches start from.
    effort : tuple of int
        Attempts and iterations of a search.
    """

    block: Block
    quantity: Quantity
    meetings: dict[int, Meeting]
    time_limit: float
    seed: int
    prior: Prior
    effort: tuple[int, int]
    models: dict[tuple[int, Part | None], CountModel] = field(default_factory=dict)

    @property
    def part(self) -> Part:
        """The column that the quantity is about."""
        if self.block.index(self.quantity.at) == 0:
            return Part.BASELINE
        return self.quantity.kind.part

    @property
    def visits(self) -> list[Meeting]:
        """The visits whose figures limit the quantity directly."""
        at = self.block.index(self.quantity.at)
        return [m for m in self.meetings.values() if at in (0, m.at)]

    def squares(self, meeting: Meeting) -> Squares:
        """Return the sums of squares of the quantity's column."""
        part = self.part
        if part in meeting.squares:
            return meeting.squares[part]
        ends = ends_of(part, self.block.levels)
        return squares_of(meeting.columns[part], meeting.windows[part], ends)

    def model(self, meeting: Meeting, alone: Part | None) -> CountModel:
        """Return the programme of a visit, built once."""
        place = (meeting.at, alone)
        if place not in self.models:
            wanted = self.part if self.quantity.kind.of_spread else None
            others = [m for m in self.meetings.values() if m.at != meeting.at]
            self.models[place] = CountModel(meeting, self.block.levels, alone, wanted, others)
        return self.models[place]

    def of_sum(self, total: int | Fraction) -> Fraction:
        """Return the exact mean of the quantity's column with a sum."""
        n = self.visits[0].columns[self.part].n
        mean = self.block.scale.step * Fraction(total) / n
        if self.part is Part.CHANGE:
            return mean - (self.quantity.reference or 0)
        return self.block.scale.minimum + mean

    def of_spread(self, spread: int) -> Fraction:
        """Return the variance with W = nQ - S²."""
        n = self.visits[0].columns[self.part].n
        return self.block.scale.step**2 * Fraction(spread, n * (n - 1))
