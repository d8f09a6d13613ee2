"""What this article offers to the commands that reconstruct, predict, bound and check."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.checker import Tables, check_cohort, incoherences
from ivig_dcssc.generator.drawing import Floats, alpha_of, predictor_claims
from ivig_dcssc.generator.ensemble import make_ensemble
from ivig_dcssc.generator.predictions import (
    predict_claim,
    predict_figure,
    predict_free,
    predict_measure,
)
from ivig_dcssc.generator.recipe import Recipe, refusal, switchable
from ivig_dcssc.generator.skin import PRIORS, READINGS, THRESHOLD, own_quantity, skin_block
from ivig_dcssc.project import (
    ASSOCIATIONS_FILE,
    BOUNDS_FILE,
    CODEBOOK,
    COHORTS,
    PATIENTS,
    VISITS,
    project_root,
)
from rederive.printed.formats import printing
from rederive.printed.registry import ClaimRow, load_registry
from rederive.reconstruct.block import Prediction
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.bounds import Bound, Kind, Quantity, bound, key_of, load_bounds
from rederive.reconstruct.study import Measure, as_record, quantity_of
from rederive.reconstruct.study.tables import read_notes
from rederive.retrospective import Codebook, read_cohort

INCOHERENCE = "coherence"
"""Stands in the column of ids where a fact without a printed figure is broken."""


class PoelmanCohorts:
    """The reconstructed cohorts of the article on IVIG in diffuse systemic sclerosis."""

    priors = tuple(PRIORS)
    readings = READINGS

    def __init__(self) -> None:
        self._root = project_root()
        self._published = self._root / "data" / "published"
        self._registry = load_registry(self._published)

    def reconstruct(
        self,
        out: Path,
        *,
        prior: str,
        cohorts: int,
        seed: int,
        without: tuple[str, ...],
        reading: str,
        progress: Progress | None,
    ) -> None:
        """Write an ensemble to a folder; an interrupted one is finished."""
        if out.is_file():
            raise ValueError(f"{out}: found a file, allowed is a folder for two Parquet files")
        first = tuple(self._registry.first_mention(name) for name in without)
        make_ensemble(
            self._published, out, Recipe(prior, seed, reading, first), cohorts, progress=progress
        )

    def predict(
        self,
        figure: str,
        *,
        prior: str,
        draws: int,
        seed: int,
        reading: str,
        progress: Progress | None = None,
    ) -> Mapping[str, object]:
        """Switch a figure off and say what the others make of it; bounds for skin scores only."""
        registry, first = self._registry, self._registry.first_mention(figure)
        known = switchable(registry)
        part = next((name for name, ids in known.items() if first in ids), None)
        match part:
            case None:
                raise ValueError(refusal(registry, figure))
            case "skin" | "statements":
                # That a fall is significant is predicted by its p value, switched off as well.
                claim = registry.claims.get(first)
                name = first if claim is None else f"abstract-mrss-ivig-{claim.timepoint}-p"
                found = predict_figure(registry, name, prior, draws, seed, reading, progress)
                answer = _of_draws(found) | {"reading": reading}
                if claim is None:
                    shipped = self._shipped(reading, own_quantity(found.figure), (first,))
                    return answer | {"bounds": None if shipped is None else _record(shipped)}
                return answer | {
                    "figure": first,
                    "printed": claim.as_printed,
                    "prior": f"{answer['prior']}; of the p value, which is switched off as well",
                    "share": float(np.mean(found.values < alpha_of(registry))),
                }
            case "measures":
                return _of_draws(predict_measure(registry, first, draws, seed, progress))
        if first in predictor_claims(registry):
            file = self._root / COHORTS / ASSOCIATIONS_FILE
            if not file.is_file():
                raise ValueError(f"{file.name}: not in data/cohorts; make it with `make cohorts`")
            values, words = predict_claim(registry, first, pd.read_parquet(file), prior)
        else:
            values, words = predict_free(registry, first, draws, seed, reading)
        row = registry.row(first)
        # The values of a claim are of what there has to be none of.
        if isinstance(row, ClaimRow):
            agree = pd.Series(values == 0)
        else:
            agree = printing(pd.Series(values), row.printed)
        return _summary(first, row.as_printed, words, values, float(agree.mean()))

    def bounds(
        self,
        quantity: str,
        *,
        at: str,
        threshold: Fraction | None,
        without: tuple[str, ...],
        seconds: float,
        reading: str,
    ) -> Mapping[str, object]:
        """Return sharp bounds of a quantity of the skin scores."""
        if threshold is None and quantity == Kind.RESPONDERS:
            threshold = THRESHOLD
        block = skin_block(self._registry, reading)
        wanted = quantity_of(Measure(block, rises=False), quantity, at, threshold)
        dropped = tuple(self._registry.first_mention(name) for name in without)
        found = self._shipped(reading, wanted, dropped)
        return _record(found or bound(block, wanted, dropped=dropped, time_limit=seconds))

    def check(self, path: Path, *, reading: str, progress: Progress | None = None) -> pd.DataFrame:
        """Check a cohort's folder of CSV files, or every cohort of an ensemble's folder.

        CSV files are held against the codebook first.

        Raises
        ------
        ValueError
            With every cell that the codebook does not allow, or the file that is missing.
        """
        if (path / PATIENTS).is_file():
            if not (path / VISITS).is_file():
                raise ValueError(f"{path.name}: found {PATIENTS}, and no {VISITS} beside it")
            patients, visits = (pd.read_parquet(path / name) for name in (PATIENTS, VISITS))
            groups = dict(list(visits.groupby("cohort", observed=True)))
            left_out = read_notes(path / PATIENTS).get("without")
            without = left_out if isinstance(left_out, list) else []
            reports = []
            for number, own in patients.groupby("cohort"):
                report = self._check(own, groups[number], reading, without)
                reports.append(report.assign(cohort=number))
                if progress is not None:
                    progress(len(reports), len(groups))
            return pd.concat(reports, ignore_index=True)
        valid = read_cohort(path, Codebook.load(self._root / CODEBOOK))
        return self._check(valid.patients, valid.visits, reading)

    def _check(
        self,
        patients: pd.DataFrame,
        visits: pd.DataFrame,
        reading: str,
        without: Collection[str] = (),
    ) -> pd.DataFrame:
        tables = Tables(patients, visits)
        report = check_cohort(tables, self._registry, reading=reading)
        broken = [(INCOHERENCE, "", words, False) for words in incoherences(tables, without)]
        if broken:
            report = pd.concat([report, pd.DataFrame(broken, columns=report.columns)])
        return report

    def _shipped(self, reading: str, quantity: Quantity, dropped: tuple[str, ...]) -> Bound | None:
        file = self._root / BOUNDS_FILE
        if not file.is_file():
            return None
        key = key_of(skin_block(self._registry, reading), quantity, dropped)
        return next((one for one in load_bounds(file).values() if one.key == key), None)


def _of_draws(found: Prediction) -> dict[str, object]:
    figure, converged = found.figure, found.convergence
    words = figure.id, str(figure.printed), found.prior.describe()
    of_draws = _summary(*words, found.values, found.share_printing)
    return {**of_draws, "r_hat": converged.r_hat, "ess": converged.ess}


def _summary(
    figure: str, printed: str, prior: str, values: Floats, share: float
) -> dict[str, object]:
    low, median, high = np.quantile(values, [0.025, 0.5, 0.975]).tolist()
    return {
        "figure": figure,
        "printed": printed,
        "prior": prior,
        "draws": len(values),
        "median": median,
        "low": low,
        "high": high,
        "share": share,
        "bounds": None,
    }


def _record(found: Bound) -> dict[str, object]:
    return {"quantity": found.quantity.name, **as_record(found)}
