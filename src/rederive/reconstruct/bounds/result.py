"""A bound, its proof and its witness."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from rederive.reconstruct.block import Block
from rederive.reconstruct.bounds.quantities import Exact, Quantity

METHOD = 1
"""Number of the method; raised when bounds computed before may differ, so that caches expire."""

Cells = tuple[tuple[int | None, ...], ...]
"""Measured values, one tuple per patient, in steps above the least value; None if missing."""


class Proof(StrEnum):
    """Why nothing passes an end."""

    SUMS = "sums and sums of squares of single columns, in whole numbers"
    COLUMN = "all histograms of one column (integer programme)"
    FRACTIONS = "counts by baseline and visit, fractions allowed (linear programme)"
    COUNTS = "counts by baseline and visit (integer programme)"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a bound.

    Attributes
    ----------
    proved : Fraction or float
        Nothing passes it; exact form of the quantity (see
        :mod:`~rederive.reconstruct.bounds.quantities`).
    proof : Proof
        Why.
    attained : Fraction or float or None
        Exact value of the witness.
    witness : tuple of tuples or None
        Measured values of the witness, the most extreme data set found.
    limit : float
        The proved end as shown.
    best : float or None
        The witness's value as shown.
    """

    proved: Exact
    proof: Proof
    attained: Exact | None
    witness: Cells | None
    limit: float
    best: float | None

    @property
    def sharp(self) -> bool:
        """Whether a witness attains what is proved."""
        return self.attained is not None and self.attained == self.proved

    @property
    def status(self) -> str:
        """What is known, in words."""
        if self.sharp:
            return "sharp: proved, and attained by a witness"
        if self.witness is None:
            return "one-sided: proved, no witness found"
        assert self.best is not None
        gap = abs(self.limit - self.best)
        return f"one-sided: proved, the best witness falls short of it by {gap:.1g}"


@dataclass(frozen=True, slots=True)
class Bound:
    """Least and greatest shown value of a quantity over all data that keep the figures.

    Attributes
    ----------
    quantity : Quantity
    dropped : tuple of str
        Figures that were no constraint.
    low, high : End
        Ends of the shown value. For a p value the low end is the one of the greatest t².
    key : str
        Digest of block, dropped figures, quantity and method.
    seconds : float
        Time spent.
    """

    quantity: Quantity
    dropped: tuple[str, ...]
    low: End
    high: End
    key: str
    seconds: float

    @property
    def sharp(self) -> bool:
        """Whether both ends are sharp."""
        return self.low.sharp and self.high.sharp

    def fits(self, block: Block) -> bool:
        """Return whether the bound belongs to this block with these figures."""
        return self.key == key_of(block, self.quantity, self.dropped)


def key_of(block: Block, quantity: Quantity, dropped: tuple[str, ...] = ()) -> str:
    """Return the digest of all that a bound depends on; names of figures do not count."""
    kept = block.without(dropped)
    figures = sorted(
        [str(f.statistic), f.at, str(f.printed), "" if f.threshold is None else str(f.threshold)]
        + ["rises"] * f.rises
        for f in kept.figures
    )
    scale = [str(x) for x in (block.scale.minimum, block.scale.maximum, block.scale.step)]
    content = [
        METHOD,
        scale,
        block.patients,
        list(block.timepoints),
        list(block.observed),
        figures,
        str(block.rule),
        quantity.name,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
