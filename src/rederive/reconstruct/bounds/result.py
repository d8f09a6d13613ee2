"""A bound, its proof and its witness, also as a JSON file that is written whole each time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from rederive.printed.files import write_atomically
from rederive.reconstruct.block import Block, Statistic
from rederive.reconstruct.bounds.quantities import Exact, Kind, Quantity

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
        + [block.quartiles] * (f.statistic.kind in ("q1", "q3"))
        + [block.signed_rank] * (f.statistic is Statistic.SIGNED_RANK_P)
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


Named = dict[str, Bound]
"""Bounds by a name that is unique in a file."""


def save_bounds(bounds: Named, path: Path, *, about: str = "") -> None:
    """Write bounds with their witnesses; the file is replaced whole or not at all.

    Parameters
    ----------
    about : str
        A line for the reader of the file.
    """
    body = ",\n".join(f"{json.dumps(name)}: {_record(b)}" for name, b in bounds.items())
    text = f'{{"about": {json.dumps(about)},\n"bounds": {{\n{body}\n}}}}\n'
    write_atomically(path, text.encode())


def load_bounds(path: Path) -> Named:
    """Read bounds by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        Naming the file and the bound that cannot be read.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8"))["bounds"].items()
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name}: no file of bounds ({error})") from error
    result: Named = {}
    for name, record in records:
        try:
            result[name] = _bound(record)
        except (KeyError, ValueError, TypeError) as error:
            raise ValueError(f"{path.name}: bound {name}: cannot be read ({error!r})") from error
    return result


def _record(bound: Bound) -> str:
    quantity = {name: value for name, value in asdict(bound.quantity).items() if value is not False}
    record: dict[str, object] = {"quantity": quantity, "dropped": bound.dropped, "key": bound.key}
    record["seconds"] = bound.seconds
    for name, end in (("low", bound.low), ("high", bound.high)):
        record[name] = {
            "limit": end.limit,
            "best": end.best,
            "status": end.status,
            "proof": end.proof.name.lower(),
            "proved": str(end.proved),
            "attained": None if end.attained is None else str(end.attained),
            "witness": end.witness,
        }
    return json.dumps(record, default=str)  # thresholds are fractions


def _bound(record: dict[str, Any]) -> Bound:
    asked = record["quantity"]
    asked["kind"] = Kind(asked["kind"])
    asked["threshold"] = None if asked["threshold"] is None else Fraction(asked["threshold"])
    low, high = _end(record["low"]), _end(record["high"])
    dropped = tuple(record["dropped"])
    return Bound(Quantity(**asked), dropped, low, high, record["key"], record["seconds"])


def _end(record: dict[str, Any]) -> End:
    attained, witness = record["attained"], record["witness"]
    return End(
        _exact(record["proved"]),
        Proof[record["proof"].upper()],
        None if attained is None else _exact(attained),
        None if witness is None else tuple(tuple(row) for row in witness),
        record["limit"],
        record["best"],
    )


def _exact(text: str) -> Exact:
    return float(text) if text in ("inf", "-inf") else Fraction(text)
