"""Synthetic data sets of a described study, each of them checked before it is handed out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rederive.reconstruct.block import (
    Block,
    ContradictionError,
    NothingFoundError,
    Prior,
    find_data,
    sample_data,
)
from rederive.reconstruct.checker import check_study, failures
from rederive.reconstruct.existence import refute
from rederive.reconstruct.study.model import Measure, Study

Progress = Callable[[int, int], None]

BATCHES = (4, 16, 100)
"""Data sets made from one set of chains, at first few, so that there is something to show early.

The last number stays. The time is looked at after each batch.
"""

_CHAINS = 4
_THIN = 5
_HEAT = 6.0
"""Tight figures are met more often than at the block's own default; the result is the same."""


class OutOfTimeError(RuntimeError):
    """The time was used up before all data sets were made.

    Attributes
    ----------
    table : DataFrame
        What was made and checked so far, as :func:`reconstruct_study` returns it.
    made, wanted : int
        Data sets.
    """

    def __init__(self, table: pd.DataFrame, made: int, wanted: int) -> None:
        self.table, self.made, self.wanted = table, made, wanted
        super().__init__(f"partial: {made} of {wanted} data sets were made in the time given")


class UnprintableError(RuntimeError):
    """Data were made that do not print every figure; nothing of them is handed out."""


def reconstruct_study(
    study: Study,
    cohorts: int,
    prior: str = "",
    seed: int = 1,
    *,
    without: Iterable[str] = (),
    seconds: float | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Make synthetic data sets that print every figure of a study.

    The measures are drawn each on its own and their patients joined at random, because nothing
    printed says how the measures go together.

    Parameters
    ----------
    study : Study
        The study.
    cohorts : int
        Data sets wanted, at least 1.
    prior : str
        Name of a prior of the description, or ``flat``; empty for each measure's first. A measure
        that does not have the prior is drawn from the flat one.
    seed : int
        Seed, from 0. The same request gives the same data.
    without : iterable of str
        Ids of figures that the data need not print.
    seconds : float, optional
        Time after which the work is given up; the batch under way is lost.
    progress : callable, optional
        Called with data sets made and wanted.

    Returns
    -------
    DataFrame
        Columns ``cohort`` (from 1), ``patient``, ``measure``, ``timepoint``, ``value``; one row
        for each value measured.

    Raises
    ------
    ValueError
        If a figure or the prior is unknown, or a number is out of range.
    ContradictionError
        If the figures of one column cannot hold together.
    NothingFoundError
        If a measure has no data that could be found; that proves nothing.
    OutOfTimeError
        With what was made so far.
    UnprintableError
        If the checker refuses a data set.
    """
    if cohorts < 1:
        raise ValueError(f"cohorts: found {cohorts}, allowed are whole numbers from 1")
    if seed < 0:
        raise ValueError(f"seed: found {seed}, allowed are whole numbers from 0")
    study.check_prior(prior)
    left_out = tuple(without)
    reduced = study.without(left_out)
    description = without_figures(study.description, left_out)
    deadline = None if seconds is None else time.monotonic() + seconds
    parts: list[pd.DataFrame] = []
    made = 0
    for measure in reduced.measures:
        find_in_time(measure.block, measure.prior(prior), seed, deadline)
    while made < cohorts:
        if deadline is not None and time.monotonic() >= deadline:
            raise OutOfTimeError(_joined(parts), made, cohorts)
        size = min(BATCHES[min(len(parts), len(BATCHES) - 1)], cohorts - made)
        seeds = np.random.SeedSequence([seed, made])
        try:
            part = _batch(reduced, size, prior, seeds, made + 1, deadline)
        except NothingFoundError:
            if deadline is None or time.monotonic() < deadline:
                raise
            raise OutOfTimeError(_joined(parts), made, cohorts) from None
        _require_printed(description, part)
        parts.append(part)
        made += size
        if progress is not None:
            progress(made, cohorts)
    return _joined(parts)


def find_in_time(block: Block, prior: Prior, seed: int, deadline: float | None) -> None:
    """Find one data set of a block, so that what cannot be found is known before the drawing.

    Parameters
    ----------
    block, prior, seed
        As in :func:`rederive.reconstruct.block.find_data`.
    deadline : float or None
        Time on the clock ``time.monotonic`` after which no further attempt is made.

    Raises
    ------
    ContradictionError, NothingFoundError
        As in :func:`rederive.reconstruct.block.find_data`.
    """
    shown = refute(block)
    if shown is not None:
        raise ContradictionError(shown.figures, shown.why)
    attempts = 20
    for attempt in range(attempts):
        try:
            find_data(block, prior, seed + attempt, attempts=1)
        except NothingFoundError:
            if attempt + 1 == attempts or (deadline is not None and time.monotonic() >= deadline):
                raise
        else:
            return


def without_figures(description: Mapping[str, Any], ids: Iterable[str]) -> dict[str, Any]:
    """Return a description without some of its figures."""
    left_out = set(ids)
    measures: dict[str, Any] = {}
    for name, measure in description["measures"].items():
        figures: dict[str, Any] = {}
        for at, printed in measure["figures"].items():
            kept: dict[str, Any] = {}
            for statistic, text in printed.items():
                place = f"{name}.{at}.{statistic}"
                if isinstance(text, dict):
                    kept[statistic] = {
                        k: v for k, v in text.items() if f"{place}.{k}" not in left_out
                    }
                elif place not in left_out:
                    kept[statistic] = text
            figures[at] = kept
        measures[name] = {**measure, "figures": figures}
    return {**description, "measures": measures}


def _batch(
    study: Study,
    size: int,
    prior: str,
    seeds: np.random.SeedSequence,
    first: int,
    deadline: float | None,
) -> pd.DataFrame:
    """Return data sets numbered from ``first``, all measures, sorted."""
    tables = [
        _tidy(study, measure, _draw(measure, size, prior, stream, deadline), first)
        for measure, stream in zip(study.measures, seeds.spawn(len(study.measures)), strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values("cohort", kind="stable", ignore_index=True)


def _draw(
    measure: Measure,
    size: int,
    prior: str,
    stream: np.random.SeedSequence,
    deadline: float | None,
) -> npt.NDArray[np.float64]:
    """Return values with NaN for what was not measured, shape (size, patients, times)."""
    rng = np.random.default_rng(stream)
    chains = min(_CHAINS, size)
    draws = -(-size // chains) * chains
    ensemble = sample_data(
        measure.block,
        measure.prior(prior),
        draws,
        int(rng.integers(2**31)),
        chains=chains,
        thin=_THIN,
        heat=_HEAT,
        stop=lambda: deadline is not None and time.monotonic() >= deadline,
    )
    # Draws of one chain stand together; taking the chains in turn leaves none out.
    order = np.arange(draws).reshape(chains, -1).T.ravel()[:size]
    return np.stack([rng.permutation(values) for values in ensemble.observed()[order]])


def _tidy(
    study: Study, measure: Measure, values: npt.NDArray[np.float64], first: int
) -> pd.DataFrame:
    digits = len(str(study.patients))
    patients = np.array(
        [f"P{number:0{max(digits, 2)}d}" for number in range(1, study.patients + 1)]
    )
    cohort, patient, at = np.nonzero(~np.isnan(values))
    return pd.DataFrame(
        {
            "cohort": cohort + first,
            "patient": patients[patient],
            "measure": measure.name,
            "timepoint": np.array(measure.block.timepoints)[at],
            "value": values[cohort, patient, at],
        }
    )


def _require_printed(description: Mapping[str, Any], table: pd.DataFrame) -> None:
    wrong = failures(check_study(description, table))
    if len(wrong):
        row = wrong.iloc[0]
        raise UnprintableError(
            f"data set {row['cohort']} prints {row['computed']} for {row['id']}, not "
            f"{row['printed']}; {len(wrong)} such figures, and nothing is handed out"
        )


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(columns=["cohort", "patient", "measure", "timepoint", "value"])
    return pd.concat(parts, ignore_index=True)
