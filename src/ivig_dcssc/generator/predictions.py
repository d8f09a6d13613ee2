"""Every constrained skin-score figure, switched off and predicted from all the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.generator.drawing import falls
from ivig_dcssc.generator.recipe import versions
from ivig_dcssc.generator.skin import COMPARED, MEASURE, PRIORS, READINGS, TIMEPOINTS, skin_block
from ivig_dcssc.project import HELD_OUT_FILE, PREDICTIONS_FILE
from rederive.printed.evidence import Evidence
from rederive.printed.registry import Registry
from rederive.reconstruct.block import Prediction, Statistic, predict
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.study.tables import write_table

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
    progress: Progress | None = None,
) -> Prediction:
    """Predict one skin-score figure, by its id or that of a repeat, from all the others.

    A mean is told that it fell: without it, a two-sided p allows as large a rise. ``progress`` is
    called with the data sets drawn and wanted.

    Raises
    ------
    ValueError
        If there is no such figure, prior or reading.
    """
    if prior not in PRIORS:
        raise ValueError(f"prior: found {prior!r}, allowed are {', '.join(PRIORS)}")
    block = skin_block(registry, reading)
    wanted = block.figure(registry.first_mention(figure))
    if wanted.statistic is Statistic.MEAN:
        block = block.with_figures(falls(registry, MEASURE, wanted.at))
    return predict(block, wanted.id, PRIORS[prior], draws, seed, progress=progress)


def compute_predictions(registry: Registry, folder: Path, report: Report) -> None:
    """Predict every skin-score figure under every prior, and write the draws.

    Under another reading than the first only the figures of :data:`AMBIGUOUS_AT` are predicted; the
    reading bears on the others hardly. The second table has the skin scores of the first draws of
    each figure that the plan predicts: one row for each figure, prior, draw and patient, with a
    column for each time point (Int8, empty where nothing was measured).
    """
    frames, scores, convergence = [], [], []
    held_out = held_out_figures(registry)
    for reading in READINGS:
        for figure in skin_block(registry, reading).figures:
            if reading != READINGS[0] and figure.at != AMBIGUOUS_AT:
                continue
            for prior in (compared.name for compared in COMPARED):
                found = predict_figure(registry, figure.id, prior, reading=reading)
                keys = {"reading": reading, "prior": prior}
                values = found.values.astype(np.float32)
                frames.append(pd.DataFrame({**keys, "figure": figure.id, "value": values}))
                convergence.append({**keys, **asdict(found.convergence)})
                if reading == READINGS[0] and figure.id in held_out:
                    scores.append(_scores(found, prior))
                low, high = found.interval
                report(
                    f"{reading} {prior} {figure.id}: printed {figure.printed}, median "
                    f"{found.median:.4g}, 95 % {low:.4g} to {high:.4g}, "
                    f"R-hat {found.convergence.r_hat:.3f}, ESS {found.convergence.ess:.0f}"
                )
    made = {"priors": [prior.describe() for prior in COMPARED], "versions": versions()}
    notes = {
        "what": "skin scores that print every figure but the one held out",
        "reading": READINGS[0],
        "seed": SEED,
        "draws": HELD_OUT_DRAWS,
        **made,
    }
    write_table(folder / HELD_OUT_FILE, pd.concat(scores, ignore_index=True), notes)
    notes = {
        "what": "each figure in data that print all the others; a mean in data in which it falls",
        "seed": SEED,
        "draws": DRAWS,
        "priors": made["priors"],
        "convergence": convergence,
        "versions": made["versions"],
    }
    write_table(folder / PREDICTIONS_FILE, pd.concat(frames, ignore_index=True), notes)


def held_out_figures(registry: Registry) -> tuple[str, ...]:
    """Return the p values and numbers of responders that the plan predicts."""
    return tuple(
        figure.id
        for figure in skin_block(registry).figures
        if registry.plan[figure.id].evidence is Evidence.PREDICTED
        and figure.statistic in (Statistic.PAIRED_P, Statistic.RESPONDERS)
    )


def _scores(found: Prediction, prior: str) -> pd.DataFrame:
    scores = found.ensemble.observed()[:HELD_OUT_DRAWS]
    draws, patients, _ = scores.shape
    keys = {
        "figure": found.figure.id,
        "prior": prior,
        "draw": np.repeat(np.arange(draws, dtype=np.int16), patients),
        "patient": np.tile(np.arange(1, patients + 1, dtype=np.int8), draws),
    }
    frame = pd.DataFrame(scores.reshape(-1, len(TIMEPOINTS)), columns=list(TIMEPOINTS))
    return pd.concat([pd.DataFrame(keys), frame.astype("Int8")], axis="columns")
