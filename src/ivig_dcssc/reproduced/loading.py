"""Which cohorts a notebook analyses: the shipped ensembles, or a folder of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.parameters import (
    ALL_PRIORS,
    BOTH_READINGS,
    COHORT_SEED,
    COHORTS_MADE,
    PRIORS,
    READINGS,
)
from ivig_dcssc.reproduced.choices import Choices
from ivig_dcssc.reproduced.tables import MEASURES
from rederive.errors import ConfigurationError
from rederive.printed import PrintedNumber
from rederive.printed.schema import TableError, nearest
from rederive.retrospective import Codebook, Cohort, measured, paired_change, read_cohort

COHORTS = Path("data") / "cohorts"
"""Folder of the ensembles and of the codebook, from the project's root."""

OTHER_SEEDS = Path("_build") / "cohorts"
"""Folder of ensembles made with other seeds, from the project's root."""

FLOAT_NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class Ensembles(Cohort):
    """Reconstructed cohorts, with the prior of each.

    Parameters
    ----------
    patients, visits : DataFrame
        As in `Cohort`, with the column ``cohort``.
    priors : Series
        Name of the prior by cohort.
    """

    priors: pd.Series[Any]


def ensemble_folder(prior: str, seed: int = COHORT_SEED) -> Path:
    """Return the folder of an ensemble, from the project's root."""
    return (COHORTS if seed == COHORT_SEED else OTHER_SEEDS / f"seed-{seed}") / prior


def load_ensembles(
    root: Path,
    prior: str = ALL_PRIORS,
    number: int = COHORTS_MADE,
    seed: int = COHORT_SEED,
    reading: str = BOTH_READINGS,
) -> Ensembles:
    """Load the reconstructed cohorts of one prior or of all.

    Parameters
    ----------
    root : Path
        The project's folder.
    prior : str
        Name of a prior, or ``all``: then cohorts are numbered from 1, prior after prior. Those of
        a single prior keep their numbers.
    number : int
        How many of each prior at most: the first so many.
    seed : int
        Seed that they were made with.
    reading : str
        Reading of the mean change at month 12: cohorts that do not print it so are left out.

    Returns
    -------
    Ensembles
        The cohorts; patients' names and measures are of a categorical type.

    Raises
    ------
    ConfigurationError
        If there is no such prior, its files are missing, unreadable or without a column, or no
        cohort prints the reading.
    """
    if prior not in (*PRIORS, ALL_PRIORS):
        hint = nearest(prior, (*PRIORS, ALL_PRIORS))
        meant = f" (did you mean {hint!r}?)" if hint else ""
        allowed = " or ".join((*PRIORS, ALL_PRIORS))
        raise ConfigurationError(f"prior: found {prior!r}, allowed: {allowed}{meant}")
    names = PRIORS if prior == ALL_PRIORS else (prior,)
    tables: list[list[pd.DataFrame]] = [[], []]
    labels: list[pd.Series[Any]] = []
    used = 0
    for name in names:
        place = ensemble_folder(name, seed)
        if seed != COHORT_SEED and not (root / place / "patients.parquet").is_file():
            raise ConfigurationError(_not_made(name, seed))
        patients = _read(root, place, "patients", ("cohort", "patient"))
        visits = _read(root, place, "visits", ("cohort", "patient", "month", "measure", "value"))
        numbers = _reading_so(patients, visits, reading)[:number]
        if len(numbers) < patients["cohort"].nunique():
            patients = patients[patients["cohort"].isin(numbers)].reset_index(drop=True)
            visits = visits[visits["cohort"].isin(numbers)].reset_index(drop=True)
        if prior == ALL_PRIORS:
            again = pd.Series(np.arange(used + 1, used + 1 + len(numbers)), index=numbers)
            patients["cohort"] = patients["cohort"].map(again)
            visits["cohort"] = visits["cohort"].map(again)
            numbers = pd.Index(again.to_numpy(), name="cohort")
            used += len(numbers)
        tables[0].append(patients)
        tables[1].append(visits)
        labels.append(pd.Series(name, index=numbers, name="prior"))
    patients, visits = (pd.concat(parts, ignore_index=True) for parts in tables)
    if patients.empty:
        raise ConfigurationError(
            f"parameter reading: found {reading!r}, which none of the reconstructed cohorts of "
            f"prior {prior!r} prints; allowed: {BOTH_READINGS} or {READINGS[0]}, another prior or "
            "another cohort_seed"
        )
    who = pd.CategoricalDtype(sorted(set(patients["patient"]) | set(visits["patient"].unique())))
    patients["patient"] = patients["patient"].astype(who)
    visits["patient"] = visits["patient"].astype(who)
    visits["measure"] = pd.Categorical(visits["measure"], categories=MEASURES)
    return Ensembles(patients, visits, pd.concat(labels))


def _not_made(prior: str, seed: int) -> str:
    folder = ensemble_folder(prior, seed).as_posix()
    return (
        f"parameter cohort_seed: found {seed}, but there are no cohorts of prior {prior!r} made "
        f"with it in {folder}; allowed: {COHORT_SEED}, or make them in the project's folder: "
        f"rederive reconstruct --prior {prior} --seed {seed} --cohorts {COHORTS_MADE} "
        f"--out {folder}"
    )


def _reading_so(patients: pd.DataFrame, visits: pd.DataFrame, reading: str) -> pd.Index[Any]:
    """Return the cohorts whose mean change at month 12, by the article's windows, reads so."""
    numbers: pd.Index[Any] = pd.Index(np.unique(patients["cohort"]), name="cohort")
    if reading not in READINGS[1:]:
        return numbers
    scores = visits[visits["measure"] == "mrss"]
    change = paired_change(measured(scores, "mrss", Choices.of().windows("mrss"), patients), "m12")
    interval = PrintedNumber(reading).interval()
    inside = change["change_mean"].between(
        interval.lower - FLOAT_NOISE, interval.upper + FLOAT_NOISE
    )
    kept: pd.Index[Any] = pd.Index(change.loc[inside, "cohort"], name="cohort")
    return kept


def _read(root: Path, folder: Path, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
    place = folder / f"{table}.parquet"
    if not (root / place).is_file():
        raise ConfigurationError(
            f"{place.as_posix()}: no such file, allowed: the reconstructed cohorts of this prior"
        )
    try:
        frame = pd.read_parquet(root / place)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{place.as_posix()}: {error}, allowed: a parquet file") from error
    for column in columns:
        if column not in frame.columns:
            hint = nearest(column, map(str, frame.columns))
            meant = f" (found {hint!r})" if hint else ""
            raise ConfigurationError(f"{place.as_posix()}: no column {column!r}{meant}")
    return frame


def open_cohort(root: Path, choices: Choices) -> Cohort:
    """Open what the choices ask for: a user's cohort, or the reconstructed ones.

    Parameters
    ----------
    root : Path
        The project's folder. A relative ``cohort_folder`` starts in the working folder, or here
        if there is none of that name.
    choices : Choices
        Those about cohorts are used.

    Raises
    ------
    ConfigurationError
        If the user's cohort does not fit the codebook, with everything that is wrong; or as
        `load_ensembles`.
    """
    if not choices.cohort_folder:
        return load_ensembles(
            root, choices.prior, choices.cohorts, choices.cohort_seed, choices.reading
        )
    named = Path(choices.cohort_folder).expanduser()
    folder = named if named.is_dir() else root / named
    try:
        return read_cohort(folder, Codebook.load(root / COHORTS / "codebook.csv"))
    except TableError as error:
        raise ConfigurationError(
            f"parameter cohort_folder: found {choices.cohort_folder!r}, allowed: a folder with a "
            f"cohort that fits {(COHORTS / 'codebook.csv').as_posix()}\n{error}"
        ) from error
