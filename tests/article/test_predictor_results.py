"""The search for predictors: tables, regressions and counts of tests, each by another route."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from ivig_dcssc import predictor_results as predictors
from ivig_dcssc.article import open_ledger
from ivig_dcssc.cohort_groups import cohorts_of
from ivig_dcssc.shipped import TEACHING
from rederive.book.ledger import Ledger
from rederive.book.section import prose

ROOT = Path(__file__).resolve().parents[2]
OWN = f"data/cohorts/{TEACHING}"


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger(prior="gaussian")


@pytest.fixture(scope="module")
def own() -> Ledger:
    return open_ledger(cohort_folder=OWN)


def fitted(a: int, b: int, c: int, d: int) -> tuple[float, float, float, float]:
    """Odds ratio, interval and p as statsmodels' logistic regression gives them."""
    y = np.repeat([1, 0, 1, 0], [a, b, c, d])
    x = np.repeat([1, 1, 0, 0], [a, b, c, d])
    model = sm.Logit(y, sm.add_constant(x)).fit(disp=0)
    low, high = np.exp(model.conf_int()[1])
    return float(np.exp(model.params[1])), float(low), float(high), float(model.pvalues[1])


def test_one_table_prints_all_figures_by_statsmodels(ledger: Ledger) -> None:
    """All tables of 25 patients, 15 responders and 5 to 10 on prednisone, fitted one by one."""
    found = []
    for exposed in range(5, 11):
        for a in range(exposed + 1):
            cells = (a, exposed - a, 15 - a, 10 - exposed + a)
            if min(cells) <= 0:
                continue
            ratio, low, high, p = fitted(*cells)
            if (f"{ratio:.2f}", f"{low:.3f}", f"{high:.3f}", f"{p:.2f}") == (
                "0.17",
                "0.028",
                "0.997",
                "0.05",
            ):
                found.append(cells)
    assert found == [predictors.the_table(ledger).cells]
    rows = predictors.search_records(ledger)
    assert rows[1]["Tables"] == 1
    assert rows[0]["Tables"] == len(predictors.prednisone_tables(ledger).all_with_margins())


def test_one_patient_off_by_statsmodels(ledger: Ledger) -> None:
    a, b, c, d = predictors.the_table(ledger).cells
    cells = [(a, b, c, d), (a + 1, b - 1, c, d), (a - 1, b + 1, c, d)]
    cells += [(a, b, c + 1, d - 1), (a, b, c - 1, d + 1)]
    for row, one in zip(predictors.one_patient_off(ledger), cells, strict=True):
        ratio, low, high, p = fitted(*one)
        assert row["Odds ratio"] == f"{ratio:.2f}"
        assert row["95 % interval"] == f"{low:.3f} to {high:.3f}"
        assert row["p (Wald)"] == f"{p:.3f}"


def test_tests_of_the_table_by_scipy(ledger: Ledger) -> None:
    a, b, c, d = predictors.the_table(ledger).cells
    p = {row["Test"]: row["p"] for row in predictors.tests_of_the_table(ledger)}
    assert p["Fisher's exact test"] == f"{stats.fisher_exact([[a, b], [c, d]])[1]:.4f}"
    table = np.array([[a, b], [c, d]])
    ratio = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")[1]
    assert p["likelihood-ratio test"] == f"{ratio:.4f}"


def test_tables_at_6_months_by_brute_force(ledger: Ledger) -> None:
    for row, exposed in zip(predictors.tables_at_6(ledger), (9, 10), strict=True):
        quiet = []
        for a in range(exposed + 1):
            cells = (a, exposed - a, 16 - a, 13 - exposed + a)
            if min(cells) > 0:
                z = math.log(cells[0] * cells[3] / cells[1] / cells[2])
                z /= math.sqrt(sum(1 / cell for cell in cells))
                if 2 * stats.norm.sf(abs(z)) >= 0.05:
                    quiet.append(a)
        assert row["Not significant"] == len(quiet)
        assert row["Responders on prednisone"] == f"{quiet[0]} to {quiet[-1]}"


def test_own_regressions_by_statsmodels(own: Ledger) -> None:
    patients = pd.read_csv(ROOT / OWN / "patients.csv", comment="#").set_index("patient")
    table = predictors.regressions(own).set_index(["outcome", "timepoint", "predictor"])
    tables = cohorts_of(own).results.tables
    for at, name in itertools.product(("m6", "m12"), ("cycles", "concomitant_mmf", "age_onset")):
        change = tables.change(at).droplevel("cohort").dropna()
        x = sm.add_constant(patients.loc[change.index.astype(str), name].to_numpy(float))
        line = sm.OLS(change.to_numpy(), x).fit()
        row = table.loc[("change", at, name)]
        assert row["estimate"] == pytest.approx(line.params[1], rel=1e-6)
        assert row["p"] == pytest.approx(line.pvalues[1], rel=1e-6)
        curve = sm.Logit((change <= -5).to_numpy(float), x).fit(disp=0)
        row = table.loc[("response", at, name)]
        assert row["estimate"] == pytest.approx(np.exp(curve.params[1]), rel=1e-5)
        assert row["p"] == pytest.approx(curve.pvalues[1], rel=1e-5)


def test_counts_of_tests(ledger: Ledger) -> None:
    every = predictors.countings(ledger)[-1]
    table = predictors.regressions(ledger)
    assert every.tests == len(table) / table["cohort"].nunique() == 88
    assert every.expected == pytest.approx(88 * 0.05)
    assert every.any == pytest.approx(1 - stats.binom.pmf(0, 88, 0.05))
    assert sum(predictors.expected_distribution(ledger, 87)) == pytest.approx(1)


def test_significant_tests_leave_out_the_printed_one_only(ledger: Ledger) -> None:
    table = predictors.regressions(ledger)
    counts = predictors.significant_tests(ledger)
    assert set(counts["tests"]) == {87}
    plain = (table["p"] < 0.05).groupby(table["cohort"]).sum()
    found = counts["significant"].droplevel("prior")
    # The printed regression is below 0.05 in every cohort, since all print its table.
    assert (plain - found == 1).all()


def test_told_cohorts_find_nothing_and_the_others_something(ledger: Ledger) -> None:
    told = predictors.significant_tests(ledger, predictors.told(ledger))["significant"]
    free = predictors.significant_tests(ledger)["significant"]
    assert told.eq(0).all()
    assert free.mean() > 1


def test_shares_agree_with_the_claims_of_the_ledger(ledger: Ledger) -> None:
    table = predictors.regressions(ledger)
    rows = {
        ("response", "m6"): "results-responder-predictors-ivig-m6-none-predict",
        ("change", "m12"): "results-mrss-change-predictors-ivig-m12-none-predict",
    }
    for (outcome, at), row_id in rows.items():
        own = table[(table["outcome"] == outcome) & (table["timepoint"] == at)]
        if outcome == "response":
            own = own[own["predictor"] != "concomitant_prednisone"]
        none = ~(own["p"] < 0.05).groupby(own["cohort"]).any()
        assert f"gaussian: in {100 * none.mean():.0f} %" in ledger.row(row_id).why


def test_predictors_of_one_patient_have_no_odds_ratio(ledger: Ledger) -> None:
    rows = {row["Predictor"]: row for row in predictors.estimate_records(ledger, "response")}
    assert rows["Concomitant imatinib"]["Month 6: no estimate"] == "100 %"
    assert rows["Concomitant prednisone"]["Month 12: median"] == "0.17"
    assert "Concomitant imatinib" in " ".join(predictors.separation_in_words(ledger))
    assert len(rows) == len(predictors.predictors_in_order(ledger)) == 22


SENTENCES = (
    predictors.odds_ratio_in_words,
    predictors.about_regressions,
    predictors.separation_in_words,
    predictors.tests_in_words,
    predictors.prednisone_in_words,
    predictors.told_in_words,
)


@pytest.mark.parametrize(
    "choices",
    [{}, {"responder_threshold": 6}, {"rounding_rule": "truncate"}, {"cohort_folder": OWN}],
)
def test_prose_is_never_blank_and_speaks_of_reconstruction_only_where_there_is_one(
    choices: dict[str, object],
) -> None:
    which = {} if "cohort_folder" in choices else {"prior": "gaussian"}
    ledger = open_ledger(**(which | choices))
    words = " ".join(prose(*make(ledger)).data for make in SENTENCES)
    assert "nan" not in words.split() and "None" not in words
    named = [word for word in ("synthetic", "reconstruct", "prior", "told") if word in words]
    assert bool(named) is not ("cohort_folder" in choices)
