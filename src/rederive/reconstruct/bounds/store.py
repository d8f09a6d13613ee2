"""Bounds as a JSON file, written whole after every bound, so that a long run can go on later."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from rederive.printed.files import write_atomically
from rederive.reconstruct.bounds.quantities import Exact, Kind, Quantity
from rederive.reconstruct.bounds.result import Bound, End, Proof

Named = dict[str, Bound]
"""Bounds by a name that is unique in a file."""


def save_bounds(bounds: Named, path: Path, *, about: str = "") -> None:
    """Write bounds with their witnesses; the file is replaced whole or not at all.

    Parameters
    ----------
    about : str
        A line for the reader of the file.
    """
    lines = [f"{json.dumps(name)}: {json.dumps(_record(b))}" for name, b in bounds.items()]
    body = ",\n".join(lines)
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


def _record(bound: Bound) -> dict[str, Any]:
    quantity = bound.quantity
    return {
        "quantity": {
            "kind": str(quantity.kind),
            "at": quantity.at,
            "threshold": None if quantity.threshold is None else str(quantity.threshold),
            "reference": None if quantity.reference is None else str(quantity.reference),
        },
        "dropped": list(bound.dropped),
        "key": bound.key,
        "seconds": bound.seconds,
        "low": _end_record(bound.low),
        "high": _end_record(bound.high),
    }


def _end_record(end: End) -> dict[str, Any]:
    return {
        "limit": end.limit,
        "best": end.best,
        "status": end.status,
        "proof": end.proof.name.lower(),
        "proved": str(end.proved),
        "attained": None if end.attained is None else str(end.attained),
        "witness": end.witness,
    }


def _bound(record: dict[str, Any]) -> Bound:
    asked = record["quantity"]
    return Bound(
        Quantity(
            Kind(asked["kind"]),
            asked["at"],
            None if asked["threshold"] is None else Fraction(asked["threshold"]),
            None if asked["reference"] is None else Fraction(asked["reference"]),
        ),
        tuple(record["dropped"]),
        _end(record["low"]),
        _end(record["high"]),
        record["key"],
        record["seconds"],
    )


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
