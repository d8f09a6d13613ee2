"""Every constrained skin-score figure, switched off and predicted from all the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.generator.recipe import versions
from ivig_dcssc.generator.skin import (
    MEASURE,
    PRIORS,
    READINGS,
    TIMEPOINTS,
    first_mention,
    skin_block,
)
from rederive.printed import PrintedNumber
from rederive.printed.evidence import Evidence
from rederive.printed.registry import Registry
from rederive.reconstruct.block import Figure, Prediction, Statistic, predict
from rederive.reconstruct.study.tables import read_notes, write_table

PREDICTIONS_FILE = "predictions.parquet"
"""Draws of every figure, one row for each reading, prior, figure and draw."""

HELD_OUT_FILE = "held_out.parquet"
"""The skin scores themselves of the first draws of the figures that the plan predicts."""

COLUMNS = ("reading", "prior", "figure", "value")
DRAWS = 600
HELD_OUT_DRAWS = 200
SEED = 20150201
AMBIGUOUS_AT = "m12"
"""Time point at which a figure can be read in two ways."""

Report = Callable[[str], None]


def predict_figure(
    registry: Registry,
    figure: str,
    prior: str,
    draws: int = DRAWS,
    seed: int = SEED,
    reading: str = READINGS[0],
) -> Prediction:
    """Predict one skin-score figure from all the others.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    figure : str
        Id of the figure or of any repeat of it.
    prior : str
        Name of one of :data:`~ivig_dcssc.generator.skin.PRIORS`.
    draws, seed : int
        Data sets drawn, and the seed.
    reading : str
        How the mean change at month 12 is read.

    Raises
    ------
    ValueError
        If there is no such figure, prior or reading.
    """
    if prior not in PRIORS:
        raise ValueError(f"prior: found {prior!r}, allowed are {', '.join(PRIORS)}")
    block = skin_block(registry, reading)
    wanted = block.figure(first_mention(registry, figure))
    if wanted.statistic is Statistic.MEAN:
        block = block.with_figures(falls(registry, wanted.at))
    return predict(block, wanted.id, PRIORS[prior], draws, seed)


def falls(registry: Registry, timepoint: str) -> tuple[Figure, ...]:
    """Return the article's statement that the mean score was lower at a follow-up, if it has one.

    Without the mean, a two-sided p allows as large a rise; where the change is printed the
    statement adds nothing.
    """
    return tuple(
        Figure(claim.id, Statistic.CHANGE_MEAN, claim.timepoint, PrintedNumber("0", "<"))
        for claim in registry.claims.values()
        if (claim.variable, claim.kind) == (MEASURE, "significant")
        and claim.timepoint == timepoint
        and not claim.same_as
        and "lower" in claim.note
    )


def compute_predictions(
    registry: Registry,
    folder: Path,
    draws: int = DRAWS,
    seed: int = SEED,
    readings: Iterable[str] = READINGS,
    report: Report = print,
) -> pd.DataFrame:
    """Predict every skin-score figure under every prior, and write the draws.

    Under another reading than the first only the figures of :data:`AMBIGUOUS_AT` are predicted;
    the reading bears on the others hardly.

    Parameters
    ----------
    folder : Path
        Where :data:`PREDICTIONS_FILE` goes.
    report : callable
        Called with one line for each prediction.

    Returns
    -------
    DataFrame
        With :data:`COLUMNS`.
    """
    frames, convergence = [], []
    for reading in readings:
        for figure in skin_block(registry, reading).figures:
            if reading != READINGS[0] and figure.at != AMBIGUOUS_AT:
                continue
            for prior in PRIORS:
                found = predict_figure(registry, figure.id, prior, draws, seed, reading)
                frames.append(_frame(found, reading))
                convergence.append(
                    {"reading": reading, "prior": prior, **asdict(found.convergence)}
                )
                low, high = found.interval
                report(
                    f"{reading} {prior} {figure.id}: printed {figure.printed}, median "
                    f"{found.median:.4g}, 95 % {low:.4g} to {high:.4g}, "
                    f"R-hat {found.convergence.r_hat:.3f}, ESS {found.convergence.ess:.0f}"
                )
    table = pd.concat(frames, ignore_index=True)
    notes = {
        "what": "each figure in data that print all the others; a mean in data in which it falls",
        "seed": seed,
        "draws": draws,
        "priors": [prior.describe() for prior in PRIORS.values()],
        "convergence": convergence,
        "versions": versions(),
    }
    write_table(folder / PREDICTIONS_FILE, table, notes)
    return table


def held_out_figures(registry: Registry) -> tuple[str, ...]:
    """Return the skin-score figures that the plan predicts."""
    return tuple(
        figure.id
        for figure in skin_block(registry).figures
        if registry.plan[figure.id].evidence is Evidence.PREDICTED
    )


def compute_held_out(
    registry: Registry, folder: Path, draws: int = HELD_OUT_DRAWS, report: Report = print
) -> pd.DataFrame:
    """Write the skin scores of the first draws behind :func:`compute_predictions`.

    Parameters
    ----------
    folder : Path
        Where :data:`HELD_OUT_FILE` goes.
    draws : int
        First draws kept of each figure under each prior.

    Returns
    -------
    DataFrame
        One row for each figure, prior, draw and patient, with a column for each time point (Int8,
        empty where nothing was measured). A draw has the number of its value, from 0, among those
        of its figure and prior in :data:`PREDICTIONS_FILE`.
    """
    frames = []
    for figure in held_out_figures(registry):
        for prior in PRIORS:
            report(f"held out, {prior}: {figure}")
            scores = predict_figure(registry, figure, prior).ensemble.observed()[:draws]
            patients = scores.shape[1]
            frame = pd.DataFrame(scores.reshape(-1, len(TIMEPOINTS)), columns=list(TIMEPOINTS))
            frame = frame.astype("Int8")
            frame.insert(0, "patient", np.tile(np.arange(1, patients + 1, dtype=np.int8), draws))
            frame.insert(0, "draw", np.repeat(np.arange(draws, dtype=np.int16), patients))
            frames.append(frame.assign(prior=prior, figure=figure))
    table = pd.concat(frames, ignore_index=True)
    table = table[["figure", "prior", *table.columns.drop(["figure", "prior"])]]
    notes = {
        "what": "skin scores that print every figure but the one held out",
        "reading": READINGS[0],
        "seed": SEED,
        "draws": draws,
        "priors": [prior.describe() for prior in PRIORS.values()],
        "versions": versions(),
    }
    write_table(folder / HELD_OUT_FILE, table, notes)
    return table


def load_held_out(folder: Path) -> pd.DataFrame:
    """Return the skin scores of :func:`compute_held_out`.

    Raises
    ------
    FileNotFoundError
        If they have not been computed.
    """
    return pd.read_parquet(folder / HELD_OUT_FILE)


def _frame(found: Prediction, reading: str) -> pd.DataFrame:
    columns = (reading, found.prior.name, found.figure.id)
    frame = pd.DataFrame({"value": found.values.astype(np.float32)})
    for position, (name, value) in enumerate(zip(COLUMNS, columns, strict=False)):
        frame.insert(position, name, value)
    return frame


def load_predictions(folder: Path) -> pd.DataFrame:
    """Return the draws of every prediction.

    Raises
    ------
    FileNotFoundError
        If they have not been computed.
    """
    return pd.read_parquet(folder / PREDICTIONS_FILE)


def load_convergence(folder: Path) -> pd.DataFrame:
    """Return R-hat and effective sample size of every prediction."""
    notes = read_notes(folder / PREDICTIONS_FILE)
    return pd.DataFrame(json.loads(json.dumps(notes["convergence"])))
