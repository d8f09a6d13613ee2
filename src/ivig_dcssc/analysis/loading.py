"""Which cohorts a notebook analyses: the shipped ensembles, or a folder of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.analysis.choices import MEASURES, Choices
from ivig_dcssc.parameters import (
    ALL_PRIORS,
    BOTH_READINGS,
    COHORT_SEED,
    COHORTS_MADE,
    MECHANISMS,
    PRIORS,
    READINGS,
)
from ivig_dcssc.project import CODEBOOK, COHORTS
from rederive.printed import PrintedNumber
from rederive.printed.errors import ConfigurationError, meant, unknown
from rederive.printed.formats import printing
from rederive.printed.schema import TableError
from rederive.retrospective import Codebook, Cohort, measured, paired_change, read_cohort

OTHER_SEEDS = Path("_build") / "cohorts"
"""Folder of ensembles made with other seeds, from the project's root."""

_COLUMNS = {
    "patients": ("cohort", "patient"),
    "visits": ("cohort", "patient", "month", "measure", "value"),
}


@dataclass(frozen=True, slots=True)
class Ensembles(Cohort):
    """Reconstructed cohorts, with the name of the prior of each."""

    priors: pd.Series[Any]


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
        Name of a prior, also of one to teach with, or ``all`` that are compared: then cohorts are
        numbered from 1, prior after prior. Those of a single prior keep their numbers.
    number : int
        How many of each prior at most: the first so many.
    seed : int
        Seed that they were made with.
    reading : str
        Interpretation of the mean change at month 12: cohorts that do not print it so are left
        out.

    Raises
    ------
    ConfigurationError
        If there is no such prior, its files are missing, unreadable or without a column, or no
        cohort prints the interpretation.
    """
    places = [root / COHORTS, root / OTHER_SEEDS / f"seed-{seed}"]
    files = [path for place in places for path in sorted(place.glob("*/*.parquet"))]
    stamps = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    reading = reading if reading in READINGS[1:] else BOTH_READINGS  # all print the wider one
    return _load_ensembles(root, prior, number, seed, reading, stamps)


@lru_cache(maxsize=2)
def _load_ensembles(
    root: Path, prior: str, number: int, seed: int, reading: str, stamps: tuple[object, ...]
) -> Ensembles:
    """Load the cohorts once for all that analyse them, as long as no file has changed."""
    if prior not in (allowed := (*PRIORS, *MECHANISMS, ALL_PRIORS)):
        raise ConfigurationError(str(unknown("prior", prior, allowed)))
    parts: list[list[pd.DataFrame]] = []
    priors: list[str] = []
    for name in PRIORS if prior == ALL_PRIORS else (prior,):
        tables, numbers = _read_prior(root, name, number, seed, reading)
        if prior == ALL_PRIORS:
            again = pd.Series(np.arange(1, 1 + len(numbers)) + len(priors), index=numbers)
            tables = [each.assign(cohort=each["cohort"].map(again)) for each in tables]
        parts.append(tables)
        priors += [name] * len(numbers)
    patients, visits = (pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True))
    if patients.empty:
        raise ConfigurationError(
            f"parameter reading: found {reading!r}, which none of the reconstructed cohorts of "
            f"prior {prior!r} prints; allowed: {BOTH_READINGS} or {READINGS[0]}, another prior or "
            "another cohort_seed"
        )
    who = pd.CategoricalDtype(sorted(set(patients["patient"]) | set(visits["patient"].unique())))
    measures = pd.CategoricalDtype(list(MEASURES))
    return Ensembles(
        patients.astype({"patient": who}),
        visits.astype({"patient": who, "measure": measures}),
        pd.Series(priors, index=pd.Index(patients["cohort"].unique(), name="cohort"), name="prior"),
    )


def _read_prior(
    root: Path, prior: str, number: int, seed: int, reading: str
) -> tuple[list[pd.DataFrame], pd.Index[Any]]:
    """Return the two tables of a prior, and the numbers of the cohorts that are kept."""
    folder = (COHORTS if seed == COHORT_SEED else OTHER_SEEDS / f"seed-{seed}") / prior
    if seed != COHORT_SEED and not (root / folder / "patients.parquet").is_file():
        raise ConfigurationError(
            f"parameter cohort_seed: found {seed}, but there are no cohorts of prior {prior!r} "
            f"made with it in {folder.as_posix()}; allowed: {COHORT_SEED}, or make them in the "
            f"project's folder: rederive reconstruct --prior {prior} --seed {seed} --cohorts "
            f"{COHORTS_MADE} --out {folder.as_posix()}"
        )
    patients, visits = (
        _read(root, folder / f"{name}.parquet", columns) for name, columns in _COLUMNS.items()
    )
    numbers = interpreted_so(patients, visits, reading)[:number]
    return [each[each["cohort"].isin(numbers)] for each in (patients, visits)], numbers


def interpreted_so(patients: pd.DataFrame, visits: pd.DataFrame, reading: str) -> pd.Index[Any]:
    """Return the cohorts whose mean change at month 12, by the article's windows, prints so.

    Each prints the figure as it was made to; only the last of the readings is narrower than that.
    """
    found: pd.Index[Any] = pd.Index(np.unique(patients["cohort"]))
    if reading in READINGS[1:]:
        windows = Choices.of().windows("mrss")
        scores = measured(visits[visits["measure"] == "mrss"], "mrss", windows, patients)
        change = paired_change(scores, "m12").set_index("cohort")["change_mean"]
        found = found[printing(change, PrintedNumber(reading)).loc[found]]
    return found


def _read(root: Path, place: Path, columns: tuple[str, ...]) -> pd.DataFrame:
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
            hint = meant(column, map(str, frame.columns))
            raise ConfigurationError(f"{place.as_posix()}: no column {column!r}{hint}")
    return frame


def open_cohort(root: Path, choices: Choices) -> Cohort:
    """Open what the choices ask for: a user's cohort, or the reconstructed ones.

    A relative ``cohort_folder`` starts in the working folder, or in the project's if there is none
    of that name. A ``ConfigurationError`` has everything in which the user's cohort does not fit
    the codebook; others are as from `load_ensembles`.
    """
    if not choices.cohort_folder:
        return load_ensembles(
            root, choices.prior, choices.cohorts, choices.cohort_seed, choices.reading
        )
    named = Path(choices.cohort_folder).expanduser()
    folder = named if named.is_dir() else root / named
    try:
        return read_cohort(folder, Codebook.load(root / CODEBOOK))
    except TableError as error:
        raise ConfigurationError(
            f"parameter cohort_folder: found {choices.cohort_folder!r}, allowed: a folder with a "
            f"cohort that fits {CODEBOOK.as_posix()}\n{error}"
        ) from error
