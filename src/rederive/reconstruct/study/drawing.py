"""Synthetic data sets of a described study, each of them checked before it is handed out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from rederive.reconstruct.block import (
    Block,
    ContradictionError,
    NothingFoundError,
    Prior,
    find_data,
    sample_data,
)
from rederive.reconstruct.block.kernel import Floats
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.checker import check_study, failures
from rederive.reconstruct.conflict import refute
from rederive.reconstruct.study.model import Measure, Study

Stop = Callable[[], bool]

BATCHES = (4, 16, 100)
"""Data sets made from one set of chains, at first few, so that there is something to show early.

The last number stays.
"""

COLUMNS = ("cohort", "patient", "measure", "timepoint", "value")

_CHAINS = 4
_THIN = 5
_HEAT = 6.0
"""Tight figures are met more often than at the block's own default; the result is the same."""


class OutOfTimeError(RuntimeError):
    """The time was used up, or the work stopped, before all data sets were made.

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
    stop: Stop | None = None,
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
    stop : callable, optional
        Asked now and then; the work is given up once it returns true.

    Returns
    -------
    DataFrame
        Columns ``cohort`` (from 1), ``patient``, ``measure``, ``timepoint``, ``value``; one row
        for each value measured.

    Raises
    ------
    ValueError
        If a figure or the prior is unknown.
    ContradictionError
        If the figures of one column cannot hold together.
    NothingFoundError
        If a measure has no data that could be found; that proves nothing.
    OutOfTimeError
        With what was made so far.
    UnprintableError
        If the checker refuses a data set.
    """
    study.check_prior(prior)
    left_out = tuple(without)
    reduced = study.without(left_out)
    deadline = None if seconds is None else time.monotonic() + seconds

    def over() -> bool:
        late = deadline is not None and time.monotonic() >= deadline
        return late or (stop is not None and stop())

    for measure in reduced.measures:
        require_data(measure.block, measure.prior(prior), seed, over)
    parts: list[pd.DataFrame] = []
    made = 0
    while made < cohorts:
        size = min(BATCHES[min(len(parts), len(BATCHES) - 1)], cohorts - made)
        seeds = np.random.SeedSequence([seed, made])
        try:
            if over():
                raise NothingFoundError
            part = _batch(reduced, size, prior, seeds, made + 1, over)
        except NothingFoundError:
            if not over():
                raise
            table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
            raise OutOfTimeError(table, made, cohorts) from None
        _require_printed(study, left_out, part)
        parts.append(part)
        made += size
        if progress is not None:
            progress(made, cohorts)
    return pd.concat(parts, ignore_index=True)


def require_data(block: Block, prior: Prior, seed: int, stop: Stop | None = None) -> None:
    """Find one data set of a block, so that what cannot be found is known before the drawing.

    ``stop`` is asked after each attempt.

    Raises
    ------
    ContradictionError, NothingFoundError
        As :func:`rederive.reconstruct.block.find_data`.
    """
    shown = refute(block)
    if shown is not None:
        raise ContradictionError(shown.figures, shown.why)
    find_data(block, prior, seed, stop=stop)


def _batch(
    study: Study, size: int, prior: str, seeds: np.random.SeedSequence, first: int, stop: Stop
) -> pd.DataFrame:
    """Return data sets numbered from ``first``, all measures, sorted."""
    tables = [
        _tidy(study, measure, _draw(measure, size, prior, stream, stop), first)
        for measure, stream in zip(study.measures, seeds.spawn(len(study.measures)), strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values("cohort", kind="stable", ignore_index=True)


def _draw(
    measure: Measure, size: int, prior: str, stream: np.random.SeedSequence, stop: Stop
) -> Floats:
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
        stop=stop,
    )
    if len(ensemble) < draws:
        raise NothingFoundError(f"{measure.name}: the drawing was stopped")
    # Draws of one chain stand together; taking the chains in turn leaves none out.
    order = np.arange(draws).reshape(chains, -1).T.ravel()[:size]
    return np.stack([rng.permutation(values) for values in ensemble.observed()[order]])


def _tidy(study: Study, measure: Measure, values: Floats, first: int) -> pd.DataFrame:
    digits = max(len(str(study.patients)), 2)
    patients = np.array([f"P{number:0{digits}d}" for number in range(1, study.patients + 1)])
    cohort, patient, at = np.nonzero(~np.isnan(values))
    columns = (
        cohort + first,
        patients[patient],
        measure.name,
        np.array(measure.block.timepoints)[at],
        values[cohort, patient, at],
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _require_printed(study: Study, without: tuple[str, ...], table: pd.DataFrame) -> None:
    wrong = failures(check_study(study.description, table))
    wrong = wrong[~wrong["id"].isin(without)]
    if len(wrong):
        row = wrong.iloc[0]
        raise UnprintableError(
            f"data set {row['cohort']} prints {row['computed']} for {row['id']}, not "
            f"{row['printed']}; {len(wrong)} such figures, and nothing is handed out"
        )
