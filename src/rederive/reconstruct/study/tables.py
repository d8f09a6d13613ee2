"""Synthetic data sets on disk: Parquet or CSV by the file's ending, written whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rederive.printed.files import write_atomically
from rederive.reconstruct.study.model import Study

SYNTHETIC = "synthetic data: compatible with the printed figures, not what was observed"

ENDINGS = (".parquet", ".csv")
"""Endings of files that can be written and read."""

_NOTES = b"rederive"


def provenance(
    study: Study, *, prior: str, cohorts: int, seed: int, without: Iterable[str] = ()
) -> dict[str, object]:
    """Return how data sets of a study are made: study, seed, priors and versions.

    Parameters
    ----------
    study : Study
        The study.
    prior, cohorts, seed, without
        As in :func:`rederive.reconstruct.study.reconstruct_study`.
    """
    own = metadata.packages_distributions().get("rederive", [])
    versions = {"rederive": metadata.version(own[0])} if own else {}
    versions |= {name: metadata.version(name) for name in ("numpy", "numba", "pandas", "scipy")}
    return {
        "study": study.name,
        "title": study.title,
        "source": study.source,
        "cohorts": cohorts,
        "seed": seed,
        "priors": {m.name: m.prior(prior).describe() for m in study.measures},
        "without": list(without),
        "joining": "patients of different measures are joined at random",
        "versions": versions,
    }


def check_ending(path: Path) -> None:
    """Refuse a file whose ending says nothing of its format.

    Raises
    ------
    ValueError
        Naming what was found and what is allowed.
    """
    if path.suffix not in ENDINGS:
        found = path.suffix or "no ending"
        raise ValueError(f"{path.name}: found {found}, allowed are {', '.join(ENDINGS)}")


def write_table(path: Path, table: pd.DataFrame, notes: Mapping[str, object]) -> None:
    """Write data sets with notes on how they were made.

    Parameters
    ----------
    path : Path
        Ends in one of :data:`ENDINGS`. In a CSV file the notes are comment lines at the top, in a
        Parquet file its metadata; the same table and notes give the same bytes.
    table : DataFrame
        The data.
    notes : mapping
        Such as seed, priors and versions; anything that JSON can hold.

    Raises
    ------
    ValueError
        For another ending.
    """
    check_ending(path)
    described = {"synthetic": True, "note": SYNTHETIC} | dict(notes)
    if path.suffix == ".csv":
        lines = [f"# {SYNTHETIC}"]
        lines += [
            f"# {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in notes.items()
        ]
        text = table.to_csv(index=False, lineterminator="\n", float_format="%.12g")
        content = ("\n".join(lines) + "\n" + text).encode()
    else:
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        schema_notes = dict(arrow.schema.metadata or {})
        schema_notes[_NOTES] = json.dumps(described, ensure_ascii=False).encode()
        sink = io.BytesIO()
        pq.write_table(arrow.replace_schema_metadata(schema_notes), sink, compression="zstd")
        content = sink.getvalue()
    write_atomically(path, content)


def read_table(path: Path) -> pd.DataFrame:
    """Read data sets from a Parquet or CSV file.

    Raises
    ------
    ValueError
        For another ending, or a file that cannot be read.
    """
    check_ending(path)
    try:
        if path.suffix == ".csv":
            texts = {"patient": str, "measure": str, "timepoint": str}
            return pd.read_csv(path, comment="#", dtype=texts)
        return pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{path.name}: found {reason}, allowed is a table of values") from error


def read_notes(path: Path) -> dict[str, object]:
    """Return the notes of a Parquet file, empty if it has none."""
    raw = (pq.read_schema(path).metadata or {}).get(_NOTES, b"{}")
    notes: dict[str, object] = json.loads(raw)
    return notes
