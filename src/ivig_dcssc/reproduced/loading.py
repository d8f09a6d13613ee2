"""Which cohorts a notebook analyses: the shipped ensembles, or a folder of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.parameters import ALL_PRIORS, PRIORS
from ivig_dcssc.reproduced.choices import Choices
from ivig_dcssc.reproduced.tables import MEASURES
from rederive.book.errors import ConfigurationError
from rederive.printed.schema import TableError, nearest
from rederive.retrospective import Codebook, Cohort, read_cohort

COHORTS = Path("data") / "cohorts"
"""Folder of the ensembles and of the codebook, from the project's root."""


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


def load_ensembles(root: Path, prior: str = ALL_PRIORS) -> Ensembles:
    """Load the reconstructed cohorts of one prior or of all.

    Parameters
    ----------
    root : Path
        The project's folder.
    prior : str
        Name of a prior, or ``all``: then cohorts are numbered from 1, prior after prior. Those of
        a single prior keep their numbers.

    Returns
    -------
    Ensembles
        The cohorts; patients' names and measures are of a categorical type.

    Raises
    ------
    ConfigurationError
        If there is no such prior, or its files are missing, unreadable or without a column.
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
        patients = _read(root, name, "patients", ("cohort", "patient"))
        visits = _read(root, name, "visits", ("cohort", "patient", "month", "measure", "value"))
        numbers = pd.Index(np.unique(patients["cohort"]), name="cohort")
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
    who = pd.CategoricalDtype(sorted(set(patients["patient"]) | set(visits["patient"].unique())))
    patients["patient"] = patients["patient"].astype(who)
    visits["patient"] = visits["patient"].astype(who)
    visits["measure"] = pd.Categorical(visits["measure"], categories=MEASURES)
    return Ensembles(patients, visits, pd.concat(labels))


def _read(root: Path, prior: str, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
    place = COHORTS / prior / f"{table}.parquet"
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
        The project's folder; a relative ``cohort_folder`` starts here.
    choices : Choices
        ``cohort_folder`` and ``prior`` are used.

    Raises
    ------
    ConfigurationError
        If the user's cohort does not fit the codebook, with everything that is wrong; or as
        `load_ensembles`.
    """
    if not choices.cohort_folder:
        return load_ensembles(root, choices.prior)
    folder = root / Path(choices.cohort_folder).expanduser()
    try:
        return read_cohort(folder, Codebook.load(root / COHORTS / "codebook.csv"))
    except TableError as error:
        raise ConfigurationError(
            f"parameter cohort_folder: found {choices.cohort_folder!r}, allowed: a folder with a "
            f"cohort that fits {(COHORTS / 'codebook.csv').as_posix()}\n{error}"
        ) from error
