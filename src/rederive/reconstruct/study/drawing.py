"""Synthetic data sets of a described study, each of them checked before it is handed out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from rederive.reconstruct.block import ContradictionError, NothingFoundError, find_data, sample_data
from rederive.reconstruct.block.kernel import Floats
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.block.values import within
from rederive.reconstruct.checker import check_study, failures
from rederive.reconstruct.conflict import refute
from rederive.reconstruct.study.comparing import p_of, printed_as, refute_comparison, side_of
from rederive.reconstruct.study.model import Measure, Study

Stop = Callable[[], bool]

BATCHES = (4, 16, 100)
"""Data sets made from one set of chains, at first few, so that there is something to show early.

The last number stays.
"""

COLUMNS = ("cohort", "patient", "measure", "timepoint", "value")

_CHAINS = 4
_THIN, _HEAT = 40, 3.0
"""Tight figures are met more often than at the block's own heat, so draws stand further apart."""

POOL = 200
"""Least number of data sets of each measure that are paired where comparisons are printed."""

PAIRINGS = 200
"""Times that they are paired anew before more are drawn."""


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
    printed says how the measures go together. Of the data of two groups those pairs are kept that
    print the comparisons.

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
        Columns ``cohort`` (from 1), ``group`` where there are some, ``patient``, ``measure``,
        ``timepoint``, ``value``; one row for each value measured.

    Raises
    ------
    ValueError
        If a figure or the prior is unknown.
    ContradictionError
        If the figures of one column, or of two groups and their comparison, cannot hold together.
    NothingFoundError
        If a measure, or a comparison, has no data that could be found; that proves nothing.
    OutOfTimeError
        With what was made so far.
    RuntimeError
        If the checker refuses a data set; nothing of it is handed out.
    """
    study.check_prior(prior)
    left_out = tuple(without)
    reduced = study.without(left_out)
    deadline = None if seconds is None else time.monotonic() + seconds

    def over() -> bool:
        late = deadline is not None and time.monotonic() >= deadline
        return late or (stop is not None and stop())

    require_data(reduced, reduced.measures, prior, seed, over)
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


def require_data(
    study: Study, measures: Sequence[Measure], prior: str, seed: int, stop: Stop | None = None
) -> None:
    """Find one data set of each measure, so that what cannot be found is known before the drawing.

    ``stop`` is asked after each attempt.

    Raises
    ------
    ContradictionError, NothingFoundError
        As :func:`reconstruct_study`.
    """
    for measure in measures:
        shown = refute(measure.block)
        if shown is not None:
            raise ContradictionError(shown.figures, shown.why)
        find_data(measure.block, measure.prior(prior), seed, stop=stop)
    for comparison in study.between(measures):
        if (error := refute_comparison(study, comparison)) is not None:
            raise error


def _batch(
    study: Study, size: int, prior: str, seeds: np.random.SeedSequence, first: int, stop: Stop
) -> pd.DataFrame:
    """Return data sets numbered from ``first``, all measures, sorted."""
    observed: dict[str, Floats] = {}
    for measure in study.measures:
        if measure.name not in observed:
            linked = study.linked([measure.name])
            observed |= draw_linked(study, linked, size, prior, seeds, stop=stop)
            if len(observed[measure.name]) < size:
                raise NothingFoundError(f"{measure.name}: the drawing was stopped")
    tables = [_tidy(measure, observed[measure.name], first) for measure in study.measures]
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values("cohort", kind="stable", ignore_index=True)


def draw_linked(
    study: Study,
    measures: Sequence[Measure],
    size: int,
    prior: str,
    seeds: np.random.SeedSequence,
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> dict[str, Floats]:
    """Draw data of measures that print the comparisons between them, by the measure's name.

    The data of each measure are paired at random, and pairs that print the comparisons kept. The
    arrays are those of :func:`_draw`, with fewer data sets where the work is stopped.
    """
    comparisons = study.between(measures)
    pool = max(size, POOL) if comparisons else size
    found: dict[str, list[Floats]] = {measure.name: [] for measure in measures}
    made = pairs = 0
    while made < size:
        streams = seeds.spawn(len(measures))
        drawn = {
            measure.name: _draw(measure, pool, prior, stream, progress, stop)
            for measure, stream in zip(measures, streams, strict=True)
        }
        least, rng = min(map(len, drawn.values())), np.random.default_rng(streams[0].spawn(1)[0])
        sides = {
            (each.id, name): side_of(study.measure(name), each, drawn[name])
            for each in comparisons
            for name in each.measures
        }
        for _ in range(PAIRINGS if comparisons else 1):
            at = {name: rng.permutation(least) if comparisons else slice(least) for name in drawn}
            kept = np.ones(least, np.bool_)
            for each in comparisons:
                one, other = (
                    [part[at[name]] for part in sides[each.id, name]] for name in each.measures
                )
                kept &= within(printed_as(study, each), p_of(each, one, other))
            for name, values in drawn.items():
                found[name].append(values[at[name]][kept])
            made, pairs = made + int(kept.sum()), pairs + least
            if made >= size:
                break
        if stop is not None and stop():
            break
        if not made:
            ids = ", ".join(each.id for each in comparisons)
            raise NothingFoundError(f"{ids}: none of {pairs} pairs of data sets prints all p")
    return {name: np.concatenate(parts)[:size] for name, parts in found.items()}


def _draw(
    measure: Measure,
    size: int,
    prior: str,
    stream: np.random.SeedSequence,
    progress: Progress | None,
    stop: Stop | None,
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
        progress=progress,
        stop=stop,
    )
    # Draws of one chain stand together; taking the chains in turn leaves none out.
    order = np.arange(len(ensemble)).reshape(chains, -1).T.ravel()[:size]
    return np.stack([rng.permutation(values) for values in ensemble.observed()[order]])


def _tidy(measure: Measure, values: Floats, first: int) -> pd.DataFrame:
    block, group = measure.block, measure.group
    digits = max(len(str(block.patients)), 2)
    before = f"{group}-P" if group else "P"
    patients = np.array([f"{before}{number:0{digits}d}" for number in range(1, block.patients + 1)])
    cohort, patient, at = np.nonzero(~np.isnan(values))
    columns = (
        cohort + first,
        patients[patient],
        measure.name.removeprefix(f"{group}."),
        np.array(block.timepoints)[at],
        values[cohort, patient, at],
    )
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    if group:
        table.insert(1, "group", group)
    return table


def _require_printed(study: Study, without: tuple[str, ...], table: pd.DataFrame) -> None:
    wrong = failures(check_study(study.description, table))
    wrong = wrong[~wrong["id"].isin(without)]
    if len(wrong):
        row = wrong.iloc[0]
        raise RuntimeError(
            f"data set {row['cohort']} prints {row['computed']} for {row['id']}, not "
            f"{row['printed']}; {len(wrong)} such figures, and nothing is handed out"
        )
