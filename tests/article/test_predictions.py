"""Predictions of skin-score figures: what is switched off, what is assumed, what is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ivig_dcssc.article_cohorts import PoelmanCohorts
from ivig_dcssc.generator.drawing import falls
from ivig_dcssc.generator.predictions import (
    AMBIGUOUS_AT,
    DRAWS,
    HELD_OUT_DRAWS,
    held_out_figures,
    predict_figure,
)
from ivig_dcssc.generator.skin import TIMEPOINTS, skin_block
from ivig_dcssc.parameters import PRIORS, READINGS
from ivig_dcssc.project import (
    ASSOCIATIONS_FILE,
    COHORTS,
    HELD_OUT_FILE,
    PREDICTIONS_FILE,
    project_root,
)
from rederive.printed.registry import load_registry
from rederive.reconstruct.block import BlockData, Statistic, holds
from rederive.reconstruct.study.tables import read_notes
from repetitions import repeated

ROOT = project_root()
FOLDER: Path = ROOT / COHORTS
REGISTRY = load_registry(ROOT / "data" / "published")
CHAINS = 4


def test_every_figure_is_predicted_under_every_prior() -> None:
    table = pd.read_parquet(FOLDER / PREDICTIONS_FILE)
    sizes = table.groupby(["reading", "prior", "figure"]).size()
    assert set(sizes) == {DRAWS}
    ids = {figure.id for figure in skin_block(REGISTRY).figures}
    ambiguous = {f.id for f in skin_block(REGISTRY).figures if f.at == AMBIGUOUS_AT}
    for reading, wanted in zip(READINGS, (ids, ambiguous), strict=True):
        for prior in PRIORS:
            assert set(sizes.loc[reading, prior].index) == wanted


def test_all_predictions_have_converged() -> None:
    found = pd.DataFrame(read_notes(FOLDER / PREDICTIONS_FILE)["convergence"])
    varying = found.dropna(subset="r_hat")
    assert len(varying) > 70
    assert varying["r_hat"].max() < 1.05
    assert varying["ess"].min() > 200


def test_a_repeat_is_predicted_as_its_first_mention() -> None:
    assert REGISTRY.first_mention("results-mrss-ivig-m6-mean") == "abstract-mrss-ivig-m6-mean"
    assert REGISTRY.first_mention("nothing") == "nothing"


def test_only_a_mean_is_told_that_it_fell() -> None:
    (figure,) = falls(REGISTRY, "mrss", "m18")
    assert figure.statistic is Statistic.CHANGE_MEAN
    assert figure.printed.operator == "<"
    assert falls(REGISTRY, "mrss", "baseline") == ()
    found = predict_figure(REGISTRY, "abstract-mrss-ivig-m18-mean", "flat", 40, 1)
    assert found.values.max() < 29.6


@pytest.mark.parametrize(
    ("figure", "prior"),
    [("results-responder-ivig-m6-count", "gaussian"), ("abstract-mrss-ivig-m12-sd", "bimodal")],
)
def test_the_shipped_draws_are_what_the_code_gives(figure: str, prior: str) -> None:
    draws = min(repeated(40), DRAWS)
    again = predict_figure(REGISTRY, figure, prior, draws)
    table = pd.read_parquet(FOLDER / PREDICTIONS_FILE)
    own = table[
        (table["figure"] == figure) & (table["prior"] == prior) & (table["reading"] == READINGS[0])
    ]
    # Fewer draws are the beginnings of the same chains.
    shipped, mine = (
        values.astype(np.float32).reshape(CHAINS, -1)[:, : draws // CHAINS]
        for values in (own["value"].to_numpy(), again.values)
    )
    np.testing.assert_array_equal(shipped, mine)


def test_held_out_skin_scores_give_the_predicted_values_draw_by_draw() -> None:
    """Computed anew with plain pandas and SciPy, for every figure, prior and draw."""
    values = pd.read_parquet(FOLDER / PREDICTIONS_FILE)
    values = values[values["reading"] == READINGS[0]].set_index(["figure", "prior"])["value"]
    values = values.sort_index(kind="stable")
    table = pd.read_parquet(FOLDER / HELD_OUT_FILE)
    groups = table.groupby(["figure", "prior"])
    assert len(groups) == len(held_out_figures(REGISTRY)) * len(PRIORS) == 12
    for (figure, prior), own in groups:
        at = REGISTRY.numbers[figure].timepoint
        own = own.assign(change=(own[at] - own["baseline"]).astype(float))
        change = own.set_index(["draw", "patient"])["change"].unstack()
        assert change.shape == (HELD_OUT_DRAWS, 30)
        if figure.endswith("-p"):
            found = stats.ttest_1samp(change, 0, axis=1, nan_policy="omit").pvalue
        else:
            found = (change <= -5).sum(axis=1)
        first = values.loc[figure, prior].to_numpy()[:HELD_OUT_DRAWS]
        np.testing.assert_allclose(np.asarray(found), first, rtol=1e-5)


def test_held_out_skin_scores_print_every_other_figure() -> None:
    for (figure, _), own in pd.read_parquet(FOLDER / HELD_OUT_FILE).groupby(["figure", "prior"]):
        scores = own[list(TIMEPOINTS)].to_numpy(np.float64, na_value=np.nan)
        block = skin_block(REGISTRY).without({figure})
        for draw in scores.reshape(HELD_OUT_DRAWS, 30, -1)[::40]:
            mask = np.isfinite(draw)
            assert holds(BlockData(block, np.nan_to_num(draw).astype(np.int64), mask))


def test_bad_requests_name_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="prior: found 'flatt', allowed are gaussian, flat"):
        predict_figure(REGISTRY, "results-responder-ivig-m6-count", "flatt")
    with pytest.raises(ValueError, match="did you mean 'results-responder-ivig-m6-count'"):
        predict_figure(REGISTRY, "results-responder-ivig-m6-cont", "flat")


def test_associations_cover_every_predictor_in_every_cohort() -> None:
    table = pd.read_parquet(FOLDER / ASSOCIATIONS_FILE)
    counts = table.groupby(["prior", "cohort"]).size()
    assert counts.nunique() == 1
    assert table.groupby("prior")["cohort"].nunique().min() >= 195
    assert set(table["outcome"]) == {"response", "change"}
    estimated = table["status"].isin(["ok", "exact fit"])
    assert (table["p"].notna() == estimated).all()
    # Chance alone: about one in twenty linear tests is significant where nothing was told.
    linear = table[(table["outcome"] == "change") & estimated]
    assert 0.03 < (linear["p"] < 0.05).mean() < 0.07
    assert isinstance(linear, pd.DataFrame)


@pytest.mark.parametrize(
    ("figure", "printed"),
    [
        ("table1-rvsp-ivig-baseline-mean", "32.1"),
        ("results-fvc-ivig-m12-p", "0.678"),
        ("results-severity-gi-ivig-m12-p", "0.182"),
        ("appendix2-severity-muscle-restricted-ivig-m12-p", "0.08"),
    ],
)
def test_figures_of_other_measures_are_predicted_too(figure: str, printed: str) -> None:
    found = PoelmanCohorts().predict(figure, prior="flat", draws=40, seed=3, reading="-8")
    again = PoelmanCohorts().predict(figure, prior="flat", draws=40, seed=3, reading="-8")
    assert found == again
    assert found["printed"] == printed
    assert found["low"] < found["median"] < found["high"]
    assert found["share"] < 1
    assert found["bounds"] is None
