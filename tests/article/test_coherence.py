"""What is known of one patient goes together: each rule, left out and kept, and the priors."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivig_dcssc.checker import coherence, incoherences
from ivig_dcssc.checker.statistics import linear_p, logistic, predictors
from ivig_dcssc.checker.tables import Tables, Windows
from ivig_dcssc.generator import coherence as generator_coherence
from ivig_dcssc.generator import recipe
from ivig_dcssc.generator.coherence import (
    AT_BASELINE,
    HEART,
    LUNG_SEVERITY,
    OF_CHANGE,
    RULES,
    lung_grade,
    matches,
    suits,
)
from ivig_dcssc.generator.drawing import predictor_claims
from ivig_dcssc.generator.recipe import Drawn, Recipe, draw_cohorts
from ivig_dcssc.generator.skin import PRIORS, skin_block
from ivig_dcssc.project import project_root
from rederive.printed.registry import load_registry
from rederive.reconstruct.block import sample_data
from repetitions import repeated

REGISTRY = load_registry(project_root() / "data" / "published")
COHORTS = repeated(6)
PAIRED = ("haq_di", "patient_rating", "fvc", "dlco")


@cache
def drawn(without: tuple[str, ...] = ()) -> list[Drawn]:
    return list(draw_cohorts(REGISTRY, Recipe("gaussian", 11, without=without), 0, COHORTS))


def before_and_change(one: Drawn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values before and changes to month 12, a row for each patient."""
    tables = Tables(one.patients, one.visits, Windows())
    before = {name: tables.baseline(name) for name in ("mrss", *PAIRED, "rvsp")}
    change = {name: tables.change(name, 12) for name in ("mrss", *PAIRED)}
    names = tables.names
    return pd.DataFrame(before, index=names), pd.DataFrame(change, index=names)


@pytest.mark.parametrize("when", ["before", "change"])
def test_measures_correlate_as_the_rule_says_and_not_without_it(when: str) -> None:
    wanted = AT_BASELINE if when == "before" else OF_CHANGE
    strong = [pair for pair, value in wanted.items() if abs(value) >= 0.3]
    mean = {}
    for without in ((), RULES):
        found = [before_and_change(one)[when == "change"].corr() for one in drawn(without)]
        each = [[float(table[one][other]) for one, other in strong] for table in found]
        mean[without] = np.mean(each, axis=0)
    signs = np.sign([wanted[pair] for pair in strong])
    # The standard error of a mean of six correlations of 25 patients is 0.08.
    assert (signs * mean[()] > 0.1).all()
    assert np.mean(signs * mean[()]) == pytest.approx(
        np.mean([abs(wanted[p]) for p in strong]), abs=0.12
    )
    assert np.mean(signs * mean[RULES]) == pytest.approx(0, abs=0.12)


@pytest.mark.parametrize(
    ("rule", "words"),
    [(LUNG_SEVERITY, "lung's severity is not the grade"), (HEART, "died of a cardiomyopathy")],
)
def test_the_checker_finds_what_a_rule_left_out_breaks(rule: str, words: str) -> None:
    for one in drawn():
        assert incoherences(Tables(one.patients, one.visits)) == []
    loose = drawn((rule,))
    assert any(
        words in line for one in loose for line in incoherences(Tables(one.patients, one.visits))
    )
    for one in loose:
        assert incoherences(Tables(one.patients, one.visits), (rule,)) == []


def test_reasons_suit_the_course_as_far_as_nothing_predicts() -> None:
    def not_fallen(without: tuple[str, ...]) -> tuple[float, float]:
        improved, progressed = [], []
        for one in drawn(without):
            scores = one.visits[(one.visits["measure"] == "mrss") & (one.visits["month"] > 0)]
            end = one.patients.set_index("patient")["treatment_length"]
            near = (scores["month"] - scores["patient"].map(end)).abs().sort_values(kind="stable")
            last = scores.loc[near.index].drop_duplicates("patient").set_index("patient")["value"]
            change = last - before_and_change(one)[0]["mrss"]
            reason = one.patients.set_index("patient")["stop_reason"]
            improved += (change[reason == "improvement"].dropna() >= 0).tolist()
            progressed += change[reason == "progressing"].dropna().tolist()
        return float(np.mean(improved)), float(np.mean(progressed))

    kept, chance = not_fallen(()), not_fallen(RULES)
    assert kept[0] < 0.7 * chance[0]
    assert kept[1] > chance[1] + 3


def test_reasons_that_suited_the_course_would_predict(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a cohort that is held to the claims has some that do not: in nine of ten draws."""

    def share(unlikely: float) -> float:
        monkeypatch.setattr(generator_coherence, "_UNLIKELY", unlikely)
        recipe, found = Recipe("gaussian", 11, without=tuple(predictor_claims(REGISTRY))), []
        for one in draw_cohorts(REGISTRY, recipe, 0, 2 * COHORTS):
            tables = Tables(one.patients, one.visits, Windows())
            every = predictors(tables)
            reasons = np.array([every[name] for name in every if name.startswith("stop_")])
            changes = [tables.change("mrss", month) for month in (6, 12)]
            p = [linear_p(change, reasons) for change in changes]
            responded = [np.where(np.isnan(each), np.nan, each <= -5) for each in changes]
            p += [logistic(each, reasons).p for each in responded]
            found.append((np.array(p) < 0.05).any())
        return float(np.mean(found))

    # The standard error of a share of nine in ten of 12 is 0.09.
    assert share(1e-9) > 0.7
    assert share(1.0) < 0.7


@given(st.integers(0, 2**32), st.booleans())
def test_a_match_keeps_the_rows_of_every_measure_and_who_was_measured(
    seed: int, correlated: bool
) -> None:
    rng = np.random.default_rng(seed)
    measures = {name: rng.normal(size=(30, 2)).round(1) for name in PAIRED}
    measures["rvsp"] = rng.normal(size=(30, 1))
    for values in measures.values():
        values[rng.permutation(30)[:4], -1] = np.nan
        values[np.isnan(values[:, -1]) & (rng.random(30) < 0.5)] = np.nan
    found = next(matches(rng.normal(size=(30, 5)), measures, rng, correlated=correlated))
    for name, values in measures.items():
        assert sorted(map(str, found[name])) == sorted(map(str, values))
        np.testing.assert_array_equal(np.isnan(found[name]), np.isnan(values))


def test_a_draw_that_no_match_fits_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    monkeypatch.setattr(recipe, "MATCHES", 3)
    monkeypatch.setattr(recipe, "MOST_MATCHES", 7)
    monkeypatch.setattr(recipe, "lungs_fit", lambda *_: bool(tried.append(0)))
    assert list(draw_cohorts(REGISTRY, Recipe("gaussian", 11), 0, 2)) == []
    assert len(tried) == 2 * 7


def test_grades_of_generator_and_checker_are_the_same() -> None:
    for name, values in (
        ("fvc", np.arange(5, 201)),
        ("dlco", np.arange(5, 201)),
        ("rvsp", np.arange(5, 200)),
    ):
        blank = np.full(len(values), np.nan)
        normal = np.full(len(values), 100.0)
        measures = {"fvc": normal, "dlco": blank, "rvsp": blank, name: values.astype(float)}
        np.testing.assert_array_equal(
            lung_grade(**measures), coherence.lung_grade(name, values.astype(float))
        )
    assert np.isnan(lung_grade(blank, blank, blank)).all()


def test_a_course_suits_reasons_by_the_visit_nearest_to_the_end_of_treatment() -> None:
    skin = np.array([[30, 20, 40, 29, 29], [30, 20, 40, 29, 29], [30, 40, 40, 40, 33]], float)
    weights = suits(skin, np.array([6, 12, 40]))
    assert (weights["improvement"] == 1).tolist() == [True, False, False]
    assert (weights["progressing"] == 1).tolist() == [False, True, True]
    assert (weights["stable"] == 1).tolist() == [False, False, True]


def lost(prior: str) -> tuple[float, float]:
    """How much higher who is missing was before, and is, than who is seen, at month 12."""
    found = sample_data(skin_block(REGISTRY), PRIORS[prior], 80, 3, chains=2)
    values, seen = found.values.astype(float), found.mask
    last = np.where(seen[:, :, 1], values[:, :, 1], values[:, :, 0])
    missing = ~seen[:, :, 2] & seen[:, :, 0]
    there = seen[:, :, 2]
    return (
        float(last[missing].mean() - last[there].mean()),
        float(values[:, :, 2][missing].mean() - values[:, :, 2][there].mean()),
    )


def test_patients_are_lost_by_the_mechanism_that_is_named() -> None:
    chance, by_last, by_own = (lost(name) for name in ("gaussian", "lost-by-last", "lost-by-own"))
    assert by_last[0] > chance[0] + 2
    assert by_own[1] > chance[1] + 2


def test_no_course_leaps_under_the_flat_prior() -> None:
    found = sample_data(skin_block(REGISTRY), PRIORS["flat"], 40, 5, chains=2)
    assert np.abs(np.diff(found.values, axis=2)).max() <= 15


def test_under_a_stable_truth_scores_correlate_alike_at_every_distance() -> None:
    (part,) = PRIORS["stable"].components
    correlation = part.covariance()[~np.eye(5, dtype=bool)] / 81
    assert correlation == pytest.approx(1 - 4.6**2 / 81)
