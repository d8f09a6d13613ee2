"""The tables of a sweep: one row a run, and one row a result."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rederive.parameters import Value
from rederive.sweep.plan import Run
from rederive.sweep.store import RunStore
from rederive.sweep.worker import Finished, short_message

INDEX = "index.parquet"
INDEX_CSV = "index.csv"
RESULTS = "results.parquet"
FIRST_COLUMNS = ("key", "notebook", "sources")
STATE_COLUMNS = ("status", "message", "seconds")
SOURCES_LENGTH = 12
"""Digits that tell one state of code and data from another; keys hold them all."""


_LONG = pa.schema(
    [("key", pa.string()), ("id", pa.string()), ("reproduced", pa.string())]
    + [(name, pa.float64()) for name in ("value", "low", "high")]
    + [(name, pa.string()) for name in ("verdict", "decision", "printed")]
)


class SweepIndex:
    """What is known of the runs of a folder.

    Everything in it comes from the runs' own folders, but for the runs of this call that have
    none: those under way, and those that could not be written.

    Parameters
    ----------
    store : RunStore
        The sweep's folder.
    requested : sequence of Run
        The runs of this call; their rows come first.
    sources : str
        Digest of the code and data that these are for.
    """

    def __init__(self, store: RunStore, requested: Sequence[Run] = (), sources: str = "") -> None:
        self._sources = sources
        self._store = store
        self._requested = {run.key: run for run in requested}
        self._states: dict[str, dict[str, Any]] = {}
        self._records: dict[str, dict[str, Any]] = {}
        self._results: dict[str, pa.Table] = {}
        self.read()

    def read(self) -> None:
        """Read all runs' folders again."""
        self._records = self._store.records()
        unread = [key for key in self._records if key not in self._results]
        for key, rows in self._store.results(unread).items():
            self._results[key] = _long(key, rows)

    def add(self, finished: Finished) -> None:
        """Take in a run that has ended."""
        if finished.stored:
            self._records[finished.key] = finished.record
            self._results[finished.key] = _long(finished.key, finished.results)
            self._states.pop(finished.key, None)
        else:
            self._states[finished.key] = finished.record

    def mark_lost(self, keys: Iterable[str], message: str) -> None:
        """Take in that nothing more will be heard of some runs."""
        for key in keys:
            self._states[key] = {"status": "lost", "message": message}

    def status(self, key: str) -> str:
        """Return the state of a run of this call."""
        record = self._states.get(key) or self._records.get(key)
        return str(record["status"]) if record else "pending"

    def message(self, key: str) -> str:
        """Return in one line why a run ended as it did."""
        record = self._states.get(key) or self._records.get(key) or {}
        return short_message(str(record.get("message", "")))

    def frame(self) -> pd.DataFrame:
        """Return one row a run: key, notebook, parameters, state, and one column a result."""
        keys = [*self._requested, *(key for key in self._records if key not in self._requested)]
        rows = []
        for key in keys:
            record = self._states.get(key) or self._records.get(key) or {}
            run = self._requested.get(key)
            names = record.get("notebooks") or ([name for name, _ in run.tasks] if run else [])
            given: Mapping[str, Value] = record.get("parameters") or (run.parameters if run else {})
            rows.append(
                {"key": key, "notebook": " ".join(names)}
                | {"sources": str(record.get("sources", self._sources))[:SOURCES_LENGTH], **given}
                | {"status": record.get("status", "pending"), "message": self.message(key)}
                | {"seconds": record.get("seconds")}
            )
        table = pd.DataFrame(rows, columns=None if rows else [*FIRST_COLUMNS, *STATE_COLUMNS])
        swept = [name for name in table if name not in (*FIRST_COLUMNS, *STATE_COLUMNS)]
        table = table[[*FIRST_COLUMNS, *swept, *STATE_COLUMNS]]
        for name in swept:
            table[name] = _one_type(table[name])
        table["seconds"] = table["seconds"].astype(float)
        values = [
            pd.Series(column["value"].to_numpy(), index=column["id"].to_pylist(), name=key)
            for key in keys
            if len(column := self._results.get(key, _long(key, [])))
        ]
        if not values:
            return table
        wide = pd.DataFrame(values).reindex(keys).reset_index(drop=True)
        return pd.concat([table, wide], axis=1)

    def long(self) -> pa.Table:
        """Return one row a result of each run."""
        keys = [key for key in self._results if key in self._records]
        return pa.concat_tables([_LONG.empty_table(), *(self._results[key] for key in keys)])

    def write(self) -> None:
        """Write all tables, each whole.

        Raises
        ------
        OSError
            If the disk is full or the place cannot be written to.
        """
        frame = self.frame()
        self._store.write(INDEX, _parquet(pa.Table.from_pandas(frame, preserve_index=False)))
        self._store.write(INDEX_CSV, frame.to_csv(index=False, lineterminator="\n").encode())
        self._store.write(RESULTS, _parquet(self.long()))


def _long(key: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    columns = {name: [row.get(name) for row in rows] for name in _LONG.names if name != "key"}
    return pa.table({"key": [key] * len(rows), **columns}, schema=_LONG)


def _one_type(column: pd.Series) -> pd.Series:
    kinds = {type(value) for value in column.dropna()}
    if len(kinds) > 1 and kinds != {int, float}:
        return column.map(lambda value: value if pd.isna(value) else str(value))
    return column.convert_dtypes() if kinds == {int} else column


def _parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()
