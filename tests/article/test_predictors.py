"""The search for predictors, held against statsmodels: the odds ratio's table and regressions."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from ivig_dcssc import open_section
from ivig_dcssc.shipped import TEACHING
from rederive.recompute import PrintedOddsRatio, compatible_tables

ROOT = Path(__file__).resolve().parents[2]
OWN = f"data/cohorts/{TEACHING}"
FIGURES = {"odds_ratio": "or", "ci_low": "ci-low", "ci_high": "ci-high", "p": "p"}


def fitted(a: int, b: int, c: int, d: int) -> tuple[str, str, str, str]:
    """Odds ratio, interval and p as statsmodels' logistic regression gives them, printed."""
    y, x = np.repeat([1, 0, 1, 0], [a, b, c, d]), np.repeat([1, 1, 0, 0], [a, b, c, d])
    model = sm.Logit(y, sm.add_constant(x)).fit(disp=0)
    ratio, (low, high) = np.exp(model.params[1]), np.exp(model.conf_int()[1])
    return f"{ratio:.2f}", f"{low:.3f}", f"{high:.3f}", f"{model.pvalues[1]:.2f}"


def test_one_table_prints_all_figures_by_statsmodels() -> None:
    """All tables of 25 patients, 15 responders and 5 to 10 on prednisone, fitted one by one."""
    published = open_section("results_predictors").published
    stem = "results-responder-prednisone-ivig-m12"
    printed = {name: published[f"{stem}-{end}"] for name, end in FIGURES.items()}
    every = [
        (a, exposed - a, 15 - a, 10 - exposed + a)
        for exposed in range(5, 11)
        for a in range(exposed + 1)
    ]
    texts = tuple(str(figure) for figure in printed.values())
    found = [cells for cells in every if min(cells) > 0 and fitted(*cells) == texts]
    tables = compatible_tables(PrintedOddsRatio(**printed), 25, [15], range(5, 11))
    assert found == [table.cells for table in tables] == [(3, 6, 12, 4)]


def test_own_regressions_by_statsmodels() -> None:
    cohorts = open_section("results_predictors", cohort_folder=OWN).cohorts
    patients = pd.read_csv(ROOT / OWN / "patients.csv", comment="#").set_index("patient")
    table = cohorts.results.predictors().set_index(["outcome", "timepoint", "predictor"])
    scores = cohorts.scores().droplevel("cohort")
    for at, name in itertools.product(("m6", "m12"), ("cycles", "concomitant_mmf", "age_onset")):
        change = (scores[at] - scores["baseline"]).dropna()
        x = sm.add_constant(patients.loc[change.index, name].to_numpy(float))
        line = sm.OLS(change.to_numpy(), x).fit()
        curve = sm.Logit((change <= -5).to_numpy(float), x).fit(disp=0)
        for outcome, estimate, p in (
            ("change", line.params[1], line.pvalues[1]),
            ("response", np.exp(curve.params[1]), curve.pvalues[1]),
        ):
            row = table.loc[(outcome, at, name)]
            assert row["estimate"] == pytest.approx(estimate, rel=1e-5)
            assert row["p"] == pytest.approx(p, rel=1e-5)


def test_one_patient_s_characteristic_has_no_odds_ratio() -> None:
    table = open_section("results_predictors").cohorts.associations
    own = table[(table["predictor"] == "concomitant_imatinib") & (table["outcome"] == "response")]
    assert own["p"].isna().all()
    assert table["predictor"].nunique() == 22


def test_held_out_cohorts_say_how_often_a_claim_holds() -> None:
    section = open_section("results_predictors", prior="gaussian")
    table = section.cohorts.associations
    for outcome, at, row_id in (
        ("response", "m6", "results-responder-predictors-ivig-m6-none-predict"),
        ("change", "m12", "results-mrss-change-predictors-ivig-m12-none-predict"),
    ):
        own = table[(table["outcome"] == outcome) & (table["timepoint"] == at)]
        if outcome == "response":
            own = own[own["predictor"] != "concomitant_prednisone"]
        none = own.groupby("cohort")["p"].min() >= 0.05
        held_out = section.cohorts.held_out_values(row_id)
        assert (held_out.loc["gaussian"] == none).all()
        assert f"gaussian: in {100 * none.mean():.0f} %" in section.ledger.row(row_id).why


def test_cohorts_that_were_told_find_nothing_and_the_others_something() -> None:
    cohorts = open_section("results_predictors", prior="gaussian").cohorts
    means = []
    for table in (cohorts.results.predictors(), cohorts.associations):
        means.append((table["p"] < 0.05).groupby(table["cohort"]).sum().mean())
    told, free = means
    # The printed regression is below 0.05 in every cohort, since all have its table.
    assert told == 1
    assert free > 2
