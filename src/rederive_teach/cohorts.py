"""Cohorts to teach with: one or many in a folder, as ``rederive reconstruct`` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from statistics import mean

import pandas as pd

from rederive.printed.errors import ConfigurationError
from rederive_teach.lesson import Cohort, Exercise, same

SHARED_AT_MOST = 0.05
"""Greatest probability that two students with individual data have the same answer."""


def cohorts_of(folder: Path, number: int | None = None) -> Iterator[Cohort]:
    """Return the cohorts of ``patients.parquet`` and ``visits.parquet`` of a folder.

    Parameters
    ----------
    folder
        Folder with the two tables, in which the column ``cohort`` numbers the cohorts.
    number
        How many at most, the first ones; by default all.

    Raises
    ------
    ConfigurationError
        If one of the tables is missing.
    """
    paths = {name: folder / f"{name}.parquet" for name in ("patients", "visits")}
    for path in paths.values():
        if not path.is_file():
            raise ConfigurationError(
                f"{path}: not found; make cohorts: rederive reconstruct --out {folder}"
            )
    patients, visits = (pd.read_parquet(path) for path in paths.values())
    for name, rows in list(patients.groupby("cohort"))[:number]:
        own = visits[visits["cohort"] == name].astype({"patient": str, "measure": str})
        own, rows = (each.drop(columns="cohort").reset_index(drop=True) for each in (own, rows))
        yield Cohort(own, rows, folder=f"{folder.name}/{name}")


def csv_of(table: pd.DataFrame, remark: str) -> bytes:
    """Return a table of a cohort as CSV; a first line and a column say that it is synthetic."""
    text = table.assign(synthetic=1).to_csv(index=False, lineterminator="\n", float_format="%.12g")
    return f"# {remark}\n{text}".encode()


def shared_answers(exercise: Exercise, cohorts: list[Cohort]) -> float:
    """Return the share of pairs of cohorts with the same answer, as asked for."""
    answers = [exercise.right(cohort) for cohort in cohorts]
    pairs = combinations(answers, 2)
    return mean(same(a, b, exercise.decimals, exercise.unit) for a, b in pairs)
