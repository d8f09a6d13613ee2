"""The tables of a sweep: one row a run, and one row a result."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from rederive.printed.files import csv_text
from rederive.sweep.job import Finished, short_message
from rederive.sweep.plan import Plan
from rederive.sweep.store import RunStore

INDEX = "index.parquet"
INDEX_CSV = "index.csv"
RESULTS = "results.parquet"
FIRST_COLUMNS = ("key", "notebook", "sources")
STATE_COLUMNS = ("status", "message", "seconds")
SOURCES_LENGTH = 12
"""Digits that tell one state of code and data from another; keys hold them all."""

_NUMBERS = ("value", "low", "high")
_LONG = ("key", "id", "reproduced", *_NUMBERS, "verdict", "decision", "printed")


class SweepIndex:
    """What is known of the runs of a folder; those of this call's plan come first.

    Everything in it comes from the runs' own folders, but for the runs of this call that have none:
    those under way, and those that could not be written.
    """

    def __init__(self, store: RunStore, plan: Plan) -> None:
        self._store = store
        planned: dict[str, Mapping[str, Any]] = {
            run.key: {
                "notebooks": [task.name for task in run.tasks],
                "parameters": run.parameters,
                "status": "pending",
                "sources": plan.sources,
            }
            for run in plan.runs
        }
        records = store.records()
        self._records = planned | records
        self._results = store.results(records)

    def add(self, finished: Finished) -> None:
        """Take in a run that has ended."""
        self._records[finished.key] = finished.record
        self._results[finished.key] = finished.results

    def status(self, key: str) -> str:
        """Return the state of a run."""
        return str(self._records[key]["status"])

    def message(self, key: str) -> str:
        """Return in one line why a run ended as it did."""
        return short_message(str(self._records[key].get("message", "")))

    def _frame(self, results: pd.DataFrame) -> pd.DataFrame:
        """Return one row a run: key, notebook, parameters, state, and one column a result."""
        rows = []
        for key, record in self._records.items():
            about = (key, " ".join(record["notebooks"]), record["sources"][:SOURCES_LENGTH])
            state = (record["status"], self.message(key), record.get("seconds"))
            own = zip((*FIRST_COLUMNS, *STATE_COLUMNS), (*about, *state), strict=True)
            rows.append(dict(own) | record["parameters"])
        table = pd.DataFrame(rows)
        swept = [name for name in table if name not in (*FIRST_COLUMNS, *STATE_COLUMNS)]
        table = table[[*FIRST_COLUMNS, *swept, *STATE_COLUMNS]].astype({"seconds": float})
        for name in swept:
            table[name] = _one_type(table[name])
        if results.empty:
            return table
        wide = results.drop_duplicates(["key", "id"], keep="last").pivot(
            index="key", columns="id", values="value"
        )[list(dict.fromkeys(results["id"]))]
        return pd.concat([table, wide.reindex(table["key"]).reset_index(drop=True)], axis=1)

    def _long(self) -> pd.DataFrame:
        """Return one row a result of each run."""
        rows = [{**row, "key": key} for key, found in self._results.items() for row in found]
        table = pd.DataFrame(rows, columns=list(_LONG))
        return table.astype(dict.fromkeys(_NUMBERS, float))

    def write(self) -> None:
        """Write all tables, each whole."""
        results = self._long()
        frame = self._frame(results)
        self._store.write(INDEX, _parquet(frame))
        self._store.write(INDEX_CSV, csv_text(frame).encode())
        self._store.write(RESULTS, _parquet(results))


def _one_type(column: pd.Series) -> pd.Series:
    kinds = {type(value) for value in column.dropna()}
    if len(kinds) > 1 and kinds != {int, float}:
        return column.map(lambda value: value if pd.isna(value) else str(value))
    return column.convert_dtypes() if kinds == {int} else column


def _parquet(table: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.to_parquet(stream, compression="zstd", index=False)
    return stream.getvalue()
