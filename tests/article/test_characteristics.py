"""Characteristics of reconstructed patients: the checker agrees, and each story holds."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ivig_dcssc.checker import Tables, check_cohort, incoherences
from ivig_dcssc.checker.statistics import linear_p, logistic
from ivig_dcssc.checker.tables import PATIENT_COLUMNS
from ivig_dcssc.generator.drawing import (
    CK_NORMAL,
    COLUMNS,
    CONCOMITANT,
    Counts,
    NoFittingPatientsError,
    Patients,
)
from ivig_dcssc.generator.measures import sample_measures
from ivig_dcssc.generator.patients.characteristics import draw_characteristics
from ivig_dcssc.generator.patients.predictors import (
    Outcomes,
    critical_t_squared,
    draw_roles,
    linear_t_squared,
    logistic_z_squared,
    unrelated,
)
from ivig_dcssc.generator.patients.treatment import prednisone_tables
from ivig_dcssc.generator.recipe import switchable
from ivig_dcssc.generator.skin import PRIORS, skin_block
from rederive.printed.registry import Registry, load_registry
from rederive.reconstruct.block import sample_data
from rederive.reconstruct.checker import failures
from repetitions import repeated

ROOT = Path(__file__).resolve().parents[2]
PER_PRIOR = repeated(2)
MONTHS = (0, 6, 12, 18, 24)
OTHERS_WORK = ("severity", "tfr", "restricted", "cpk-serial")
"""Ids with these words are about records that the made-up visits here do not hold."""

Scores = np.ndarray
Draws = list[dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT / "data" / "published")


@pytest.fixture(scope="module")
def measures(registry: Registry) -> Draws:
    drawn = sample_measures(registry, PER_PRIOR, seed=2)
    return [{name: values[draw] for name, values in drawn.items()} for draw in range(PER_PRIOR)]


@pytest.fixture(scope="module")
def skins(registry: Registry) -> dict[str, Scores]:
    return {
        name: sample_data(
            skin_block(registry), prior, PER_PRIOR + 2, 4, chains=2, every=200, thin=4
        ).observed()
        for name, prior in PRIORS.items()
    }


def drawn_cohorts(
    skins: Scores, measures: Draws, registry: Registry
) -> list[tuple[Scores, Mapping[str, np.ndarray], pd.DataFrame]]:
    """The first cohorts of skin scores that have fitting patients."""
    found = []
    for number, skin in enumerate(skins):
        own = measures[number % len(measures)]
        try:
            table = draw_characteristics(skin, own, np.random.default_rng([3, number]), registry)
        except NoFittingPatientsError:
            continue
        found.append((skin, own, table))
    assert len(found) >= PER_PRIOR
    return found[:PER_PRIOR]


@pytest.fixture(scope="module")
def cohorts(
    skins: dict[str, Scores], measures: Draws, registry: Registry
) -> dict[str, list[tuple[Scores, Mapping[str, np.ndarray], pd.DataFrame]]]:
    return {name: drawn_cohorts(some, measures, registry) for name, some in skins.items()}


def visits_of(skin: Scores, measures: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One record per value, at the very month it is meant for."""
    rows = []
    tables = {"mrss": skin, **{k: measures[k] for k in ("cpk", "rvsp", "haq_di", "fvc", "dlco")}}
    tables["patient_rating"] = measures["patient_rating"]
    for measure, values in tables.items():
        months = MONTHS if measure == "mrss" else (0, 12)
        for patient, time in np.argwhere(np.isfinite(values)):
            rows.append((f"P{patient + 1:02d}", months[time], measure, values[patient, time]))
    return pd.DataFrame(rows, columns=["patient", "month", "measure", "value"])


@pytest.mark.parametrize("prior", PRIORS)
def test_the_checker_agrees(cohorts: dict[str, list], registry: Registry, prior: str) -> None:
    for skin, measures, table in cohorts[prior]:
        visits = visits_of(skin, measures)
        checked = check_cohort(Tables(table, visits), registry)
        mine = ~checked["id"].str.contains("|".join(OTHERS_WORK))
        assert failures(checked[mine]).empty
        assert checked["id"].str.contains("none-predict").sum() == 4
        assert incoherences(Tables(table, visits)) == []


def test_columns_are_those_of_the_patients_table(cohorts: dict[str, list]) -> None:
    table = cohorts["gaussian"][0][2]
    assert tuple(table.columns) == COLUMNS
    assert sorted(COLUMNS) == sorted(PATIENT_COLUMNS)
    assert list(table["patient"]) == [f"P{number:02d}" for number in range(1, 31)]


def test_single_patients_fit_their_stories(cohorts: dict[str, list]) -> None:
    for skin, measures, table in (one for some in cohorts.values() for one in some):
        concomitant = table[[f"concomitant_{name}" for name in CONCOMITANT]]
        prior = table.filter(regex="^prior_")
        by_kind = {
            word: table.index[table["first_line"] == word] for word in ("mmf", "monotherapy")
        }
        assert concomitant.loc[by_kind["monotherapy"]].to_numpy().sum() == 0
        assert prior.loc[[*by_kind["monotherapy"], *by_kind["mmf"]]].to_numpy().sum() == 0
        assert (prior.sum(axis=1)[table["first_line"].isna()] >= 1).all()
        both = table["concomitant_mmf"] & table["concomitant_cyclophosphamide"]
        assert both.sum() == 0
        assert (
            prior[["prior_gold", "prior_alefacept", "prior_chemotherapy"]].sum(axis=1) <= 1
        ).all()

        died = table.index[table["stop_reason"] == "death"][0]
        assert np.isnan(skin[died, 3:]).all()
        assert table["treatment_length"][died] <= table["death_month"][died] == 16
        cpk = measures["cpk"][table["myositis"] == 1, 0]
        assert np.isfinite(cpk).all()
        assert (cpk > CK_NORMAL).sum() >= 4
        judged = table.groupby("physician_assessment")["stop_reason"].agg(set)
        assert (judged["improved"], judged["stable"]) == ({"improvement"}, {"stable"})
        assert (table["age_onset"] >= 10).all()
        assert (
            table["antitopoisomerase"].eq(1) & table["anti_rna_polymerase_iii"].eq(1)
        ).sum() == 0
        specific = table[["antitopoisomerase", "anti_rna_polymerase_iii", "rnp"]].eq(1).any(axis=1)
        assert not specific[table["ana"] == 0].any()


def test_cycles_and_months_of_treatment_fit_each_other(cohorts: dict[str, list]) -> None:
    for _, measures, table in (one for some in cohorts.values() for one in some):
        cycles, early = table["cycles"], table["cycles_first_6_months"]
        months = table["treatment_length"]
        assert (months >= cycles - 1).all()
        assert early.between(3, 7).all()
        assert (early <= cycles).all()
        assert (cycles - early <= np.maximum(months - 6, 0)).all()
        pairs = zip(measures["cycles"][:, 0], measures["treatment_length"][:, 0], strict=True)
        assert sorted(pairs) == sorted(zip(cycles, months, strict=True))


def test_prednisone_has_the_table_behind_its_odds_ratio(
    cohorts: dict[str, list], registry: Registry
) -> None:
    for skin, _, table in cohorts["bimodal"]:
        tests = unrelated(skin, registry, 5.0)
        tables = prednisone_tables(registry, Counts(registry), tests)
        taking = table["concomitant_prednisone"].to_numpy() == 1
        followed, responders = np.isfinite(tests.responses[12]), tests.responses[12] == 1
        found = (
            int((taking & responders).sum()),
            int((taking & followed & ~responders).sum()),
            int((~taking & responders).sum()),
            int((~taking & followed & ~responders).sum()),
        )
        assert [one.cells for one in tables] == [found]


def test_the_same_generator_gives_the_same_patients(
    skins: dict[str, Scores], measures: Draws, registry: Registry
) -> None:
    skin = skins["flat"][0]
    before = skin.copy()
    first, again, other = (
        draw_characteristics(skin, measures[0], np.random.default_rng(seed), registry)
        for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    np.testing.assert_array_equal(skin, before)


def test_claims_can_be_switched_off(
    skins: dict[str, Scores], measures: Draws, registry: Registry
) -> None:
    """Without them some predictor is significant in most cohorts, and the odds ratio is free."""
    allowed = switchable(registry)["claims"]
    assert len(allowed) == 9
    kept = "results-responder-predictors-ivig-m6-none-predict"
    found = []
    for number, skin in enumerate(skins["gaussian"][:4]):
        table = draw_characteristics(
            skin,
            measures[0],
            np.random.default_rng(number),
            registry,
            without_rows=set(allowed) - {kept},
        )
        checked = check_cohort(Tables(table, visits_of(skin, measures[0])), registry).set_index(
            "id"
        )
        found.append(checked["agrees"])
    agrees = pd.DataFrame(found).astype(bool)
    assert agrees[kept].all()
    assert not agrees["results-mrss-change-predictors-ivig-m12-none-predict"].all()
    assert not agrees["results-responder-prednisone-ivig-m12-or"].all()
    assert agrees["table2-concomitant-prednisone-ivig-count"].all()


def test_skin_scores_without_anybody_who_may_have_died_are_refused(
    skins: dict[str, Scores], measures: Draws, registry: Registry
) -> None:
    skin = skins["flat"][0].copy()
    absent = np.isnan(skin[:, 3])
    skin[absent, 4] = 15.0
    with pytest.raises(NoFittingPatientsError, match="death: nobody without skin scores"):
        draw_characteristics(skin, measures[0], np.random.default_rng(0), registry)


def test_low_creatine_phosphokinase_leaves_nobody_with_myositis(
    skins: dict[str, Scores], measures: Draws, registry: Registry
) -> None:
    low = {**measures[0], "cpk": np.minimum(measures[0]["cpk"], 150.0)}
    with pytest.raises(NoFittingPatientsError, match="myositis: fewer than 4 patients"):
        draw_characteristics(skins["gaussian"][0], low, np.random.default_rng(0), registry)


def test_roles_are_chosen_as_patients_are_and_none_of_them_predicts(registry: Registry) -> None:
    died, counts = np.arange(30) == 4, np.array([3, 6, 2, 5, 13])
    weights = np.random.default_rng(0).random((2, 30))
    free = Outcomes(np.empty((0, 30)), np.empty(0, bool), np.empty(31), 0.0)
    for seed in range(20):
        found = draw_roles(np.random.default_rng(seed), died, counts, weights, free, 1)
        patients = Patients(Counts(registry), np.random.default_rng(seed))
        expected = np.where(died, 5, -1)
        for role, count in enumerate(counts):
            left = np.flatnonzero(expected < 0)
            expected[patients.choose(left, count, weights[role] if role < 2 else None)] = role
        assert found.tolist() == expected.tolist()
    change = np.random.default_rng(1).normal(size=(1, 30))
    change[0, died] = 0.0
    limits = critical_t_squared(30, 0.3)
    held = Outcomes(change, np.array([False]), limits, 0.0)
    found = draw_roles(np.random.default_rng(2), died, counts, weights, held, 1000)
    assert (
        linear_p(change[0], (found == np.arange(1, 6)[:, np.newaxis]).astype(float)) > 0.3
    ).all()
    never = Outcomes(change, np.array([False]), np.zeros(31), 0.0)
    assert not len(draw_roles(np.random.default_rng(2), died, counts, weights, never, 50))


# The closed forms are those of the libraries

outcomes = st.lists(st.integers(-12, 12), min_size=8, max_size=30)


@given(outcomes, st.randoms(use_true_random=False))
def test_linear_decisions_are_those_of_least_squares(changes: list[int], random: object) -> None:
    draw = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    y = np.array(changes, float)
    x = (
        draw.integers(0, 2, len(y)).astype(float)
        if draw.random() < 0.5
        else draw.normal(size=len(y))
    )
    known = draw.random(len(y)) < 0.9
    squared = linear_t_squared(y[known], x[known])
    (p,) = linear_p(y[known], x[np.newaxis, known])
    limit = critical_t_squared(len(y), 0.05)[known.sum()]
    if np.isnan(p):
        assert squared == 0
    elif abs(p - 0.05) > 1e-6:
        assert (squared > limit) == (p < 0.05)


@given(outcomes, st.randoms(use_true_random=False))
def test_logistic_decisions_are_those_of_maximum_likelihood(
    changes: list[int], random: object
) -> None:
    draw = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    y = np.array(changes) <= -5
    flags = draw.integers(0, 2, len(y)).astype(float)
    numbers = draw.normal(40, 10, len(y)).round(1)
    of_flags, of_numbers = logistic(y.astype(float), np.array([flags, numbers])).p
    squared = logistic_z_squared(y, flags)
    assert squared == pytest.approx(z_squared(of_flags), rel=1e-4, abs=1e-6)
    found = logistic_z_squared(y, numbers)
    assert found == pytest.approx(z_squared(of_numbers), rel=1e-3, abs=1e-6)


def z_squared(p: float) -> float:
    return 0.0 if np.isnan(p) else float(stats.norm.isf(p / 2)) ** 2


def test_counts_are_read_from_percentages_where_no_count_is_printed(registry: Registry) -> None:
    counts = Counts(registry)
    assert (counts["black"], counts["other_race"], counts["white"]) == (1, 3, 26)
    assert (counts["physician_improved"], counts["physician_stable"]) == (18, 4)
    assert (counts.known("anti_rna_polymerase_iii"), counts.known("ana")) == (23, 30)
    with pytest.raises(ValueError, match="no count and no percentage of shoe_size"):
        counts["shoe_size"]


def test_the_weight_decides_who_is_chosen(registry: Registry) -> None:
    patients = Patients(Counts(registry), np.random.default_rng(0))
    weights = np.array([1.0, 1.0, 8.0, 1.0])
    chosen = [int(patients.choose([0, 1, 2], 1, weights)[0]) for _ in range(400)]
    assert 0.7 < np.mean(np.array(chosen) == 2) < 0.9
    assert 3 not in chosen


def test_the_generator_shares_no_code_with_the_checker_or_the_methods() -> None:
    folder = ROOT / "src" / "ivig_dcssc" / "generator"
    for path in (folder / "measures.py", folder / "drawing.py", *folder.glob("*/*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        banned = ("ivig_dcssc.checker", "rederive.retrospective")
        assert [module for module in modules if module.startswith(banned)] == []
