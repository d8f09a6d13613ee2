"""A sweep seen through one of its results: what the page of a sweep shows."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from rederive.book.specification import Specifications
from rederive.printed.errors import ConfigurationError, meant
from rederive.sweep.index import FIRST_COLUMNS, INDEX, RESULTS, STATE_COLUMNS
from rederive.sweep.store import RunStore

_NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class SweepView:
    """The runs of a sweep and one result, with its published figure as text.

    ``choices`` are the parameters that differ between the runs. The frame has one row a run of the
    last call's notebook, code and data: the columns of the index, and what was reproduced
    (``value``, ``low``, ``high``, ``decision``).
    """

    result: str
    printed: str
    choices: tuple[str, ...]
    frame: pd.DataFrame

    @cached_property
    def table(self) -> Specifications:
        """The result as a table of specifications; runs that failed have no value.

        A ``ConfigurationError`` if no parameter differs between the runs.
        """
        if not self.choices:
            raise ConfigurationError("sweep: no parameter differs between its runs")
        return Specifications.of(self.frame, self.choices)

    @property
    def published(self) -> float | None:
        """The published figure, where it is one number."""
        found = _NUMBER.match(self.printed.strip())
        return float(found[0].replace("−", "-")) if found else None

    @property
    def has_values(self) -> bool:
        """Whether any run has a number for the result."""
        return bool(self.frame["value"].notna().any())

    def axes(self) -> tuple[str, str] | None:
        """Return the two choices that matter most, for a map; None with fewer than two."""
        shares = self.table.variance_shares()
        several = [str(name) for name in shares.loc[shares["levels"] > 1, "choice"]]
        return (several[0], several[1]) if len(several) > 1 else None


def open_sweep(folder: str, result: str) -> SweepView:
    """Open the tables of a sweep, its folder or address, for one result, an id of the ledger.

    No sweep, or no run with this result, is a ``ConfigurationError``; with the nearest id.
    """
    if not folder:
        raise ConfigurationError("parameter sweep_folder: found '', allowed: folder of a sweep")
    index, results = _tables(folder)
    known = list(dict.fromkeys(results["id"]))
    if result not in known:
        listed = f"{', '.join(known[:8])}{', …' if len(known) > 8 else ''}" or "none"
        raise ConfigurationError(
            f"result: found {result!r}, allowed: an id of the sweep's results: "
            f"{listed}{meant(result, known)}"
        )
    # Parameters stand between the first columns and the state; results come after it.
    names = list(index.columns)
    swept = names[len(FIRST_COLUMNS) : names.index(STATE_COLUMNS[0])]
    first = index.iloc[0]
    alike = (index["notebook"] == first["notebook"]) & (index["sources"] == first["sources"])
    runs = index.loc[alike, [*FIRST_COLUMNS, *swept, *STATE_COLUMNS]].reset_index(drop=True)
    choices = tuple(name for name in swept if runs[name].nunique(dropna=False) > 1)
    wanted = results[results["id"] == result].set_index("key").drop(columns="id")
    frame = runs.join(wanted, on="key").astype({name: object for name in choices})
    frame["decision"] = frame["decision"].map(_share)
    printed = wanted["printed"].dropna()
    return SweepView(result, str(printed.iloc[0]) if len(printed) else "", choices, frame)


def _tables(folder: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    store = RunStore(folder)
    try:
        found = [pd.read_parquet(io.BytesIO(store.read(name))) for name in (INDEX, RESULTS)]
    except FileNotFoundError:
        raise ConfigurationError(f"sweep {folder}: found no {INDEX} and {RESULTS}") from None
    return found[0], found[1]


def results_of(folder: str) -> pd.DataFrame:
    """Return the results of a sweep by id, those that vary most first.

    Columns ``printed``, and ``different``: how many values the runs have for it.
    """
    by_id = _tables(folder)[1].groupby("id", sort=False)
    found = by_id.agg(printed=("printed", "first"), different=("reproduced", "nunique"))
    return found.sort_values("different", ascending=False, kind="stable")


def _share(decision: object) -> float:
    """Return a decision in words as a share of data sets: yes, no, or not decided."""
    words = str(decision)
    if words.startswith(("p <", "holds")):
        return 1.0
    return 0.0 if words.startswith("p ≥") else float("nan")
