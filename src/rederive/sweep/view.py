"""A sweep seen through one of its results: what the page of a sweep shows."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from IPython.display import Markdown

from rederive.book.render import Html, records
from rederive.book.specification import Specifications
from rederive.errors import ConfigurationError
from rederive.printed.schema import nearest
from rederive.sweep.index import FIRST_COLUMNS, INDEX, RESULTS, STATE_COLUMNS
from rederive.sweep.job import DONE
from rederive.sweep.store import RunStore

ROWS_SHOWN = 100
"""Rows of the table of runs; the rest is in the index."""

_NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class SweepView:
    """The runs of a sweep and one result.

    Parameters
    ----------
    runs : DataFrame
        Rows of the index: those of the last call's notebook, code and data.
    result : str
        Id of the result.
    printed : str
        The published figure, as text.
    choices : tuple of str
        Parameters that differ between the runs.
    frame : DataFrame
        Choices, state, and what was reproduced (``value``, ``low``, ``high``, ``decision``).
    """

    runs: pd.DataFrame
    result: str
    printed: str
    choices: tuple[str, ...]
    frame: pd.DataFrame

    @cached_property
    def table(self) -> Specifications:
        """The result as a table of specifications; runs that failed have no value.

        Raises
        ------
        ConfigurationError
            If no parameter differs between the runs.
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

    def opening(self) -> Markdown:
        """Return what was run and how it ended, in sentences."""
        counts = Counter(self.runs["status"])
        states = ", ".join(f"{count:,} {state}" for state, count in counts.most_common())
        swept = ", ".join(f"`{name}`" for name in self.choices) or "no parameter"
        notebook = str(self.runs["notebook"].iloc[0])
        return Markdown(
            f"Notebook: `{notebook}`. Runs: {len(self.runs):,} ({states}). "
            f"Result: `{self.result}`, published as {self.printed or 'nothing'}. "
            f"What differs between the runs: {swept}."
        )

    def axes(self) -> tuple[str, str] | None:
        """Return the two choices that matter most, for a map; None with fewer than two."""
        shares = self.table.variance_shares()
        several = [str(name) for name in shares.loc[shares["levels"] > 1, "choice"]]
        return (several[0], several[1]) if len(several) > 1 else None

    def rows(self) -> Html:
        """Return the runs as a table: choices, state, what was reproduced."""
        columns = [*self.choices, "reproduced", "low", "high", "verdict", "status"]
        shown = self.frame[columns].head(ROWS_SHOWN)
        left = len(self.frame) - len(shown)
        caption = "Runs" if left == 0 else f"The first {len(shown)} runs; {left:,} more in {INDEX}"
        return records([_cells(row) for row in shown.to_dict("records")], caption)

    def failures(self) -> Html | Markdown:
        """Return the runs that did not get done, with the reason."""
        failed = self.runs[self.runs["status"] != DONE]
        if failed.empty:
            return Markdown("Every run was carried out to its end.")
        shown = failed[[*self.choices, "status", "message"]].head(ROWS_SHOWN)
        return records([_cells(row) for row in shown.to_dict("records")], "Runs without result")


def open_sweep(folder: str, result: str) -> SweepView:
    """Open the tables of a sweep.

    Parameters
    ----------
    folder : str
        Folder or address of the sweep.
    result : str
        Id of a row of the ledger.

    Raises
    ------
    ConfigurationError
        If there is no sweep, or no run of it has this result; with the nearest id.
    """
    if not folder:
        raise ConfigurationError("parameter sweep_folder: found '', allowed: folder of a sweep")
    store = RunStore(folder)
    try:
        index = pd.read_parquet(io.BytesIO(store.read(INDEX)))
        results = pd.read_parquet(io.BytesIO(store.read(RESULTS)))
    except FileNotFoundError:
        raise ConfigurationError(f"sweep {folder}: found no {INDEX} and {RESULTS}") from None
    if index.empty:
        raise ConfigurationError(f"sweep {folder}: found no run")
    first = index.iloc[0]
    alike = (index["notebook"] == first["notebook"]) & (index["sources"] == first["sources"])
    known = list(dict.fromkeys(results["id"]))
    if result not in known:
        hint = nearest(result, known)
        meant = f" (did you mean {hint!r}?)" if hint else ""
        listed = f"{', '.join(known[:8])}{', …' if len(known) > 8 else ''}" or "none"
        raise ConfigurationError(
            f"result: found {result!r}, allowed: an id of the sweep's results: {listed}{meant}"
        )
    # Parameters stand between the first columns and the state; results come after it.
    names = list(index.columns)
    swept = names[len(FIRST_COLUMNS) : names.index(STATE_COLUMNS[0])]
    runs = index.loc[alike, [*FIRST_COLUMNS, *swept, *STATE_COLUMNS]].reset_index(drop=True)
    choices = tuple(name for name in swept if runs[name].nunique(dropna=False) > 1)
    wanted = results[results["id"] == result].set_index("key")
    frame = runs.join(wanted.drop(columns="id"), on="key")
    frame["decision"] = frame["decision"].map(_share)
    frame = frame.astype({name: object for name in choices})
    printed = wanted["printed"].dropna()
    return SweepView(runs, result, str(printed.iloc[0]) if len(printed) else "", choices, frame)


def _share(decision: object) -> float:
    """Return a decision in words as a share of data sets: yes, no, or not decided."""
    words = str(decision)
    if words.startswith(("p <", "holds")):
        return 1.0
    return 0.0 if words.startswith("p ≥") else float("nan")


def _cells(row: Mapping[Hashable, object]) -> dict[str, object]:
    return {str(name): _cell(value) for name, value in row.items()}


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return float(f"{value:.4g}") if isinstance(value, float) else value
