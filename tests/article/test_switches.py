"""Every constraint can be switched off: its figure is then drawn, and need not be printed."""

from __future__ import annotations

import json
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from ivig_dcssc.article_cohorts import PoelmanCohorts
from ivig_dcssc.checker import Tables, check_cohort, incoherences, is_about_a_cohort
from ivig_dcssc.generator import ensemble
from ivig_dcssc.generator.counts import count_figures, draw_counts, printed_counts, with_counts
from ivig_dcssc.generator.drawing import Counts
from ivig_dcssc.generator.ensemble import PART_SIZE, PATIENTS, SPARE, VISITS, require_printed
from ivig_dcssc.generator.recipe import Recipe, draw_cohorts, need_not_hold, switchable, switches
from ivig_dcssc.generator.sizes import draw_sizes, size_figures
from ivig_dcssc.parameters import COHORT_SEED
from ivig_dcssc.project import COHORTS, project_root
from rederive.cli.main import main
from rederive.printed.registry import load_registry
from rederive.reconstruct.study.tables import read_notes

ROOT = project_root()
REGISTRY = load_registry(ROOT / "data" / "published")
ALLOWED = {name for ids in switchable(REGISTRY).values() for name in ids}
LABELS = sorted(set(count_figures(REGISTRY).values()))


# What can be switched off


def test_every_constraint_of_the_plan_can_be_switched_off() -> None:
    for row in REGISTRY:
        method = REGISTRY.plan[row.id].method
        if method in ("cohort_constraint", "cohort_prediction") and not row.same_as:
            assert row.id in ALLOWED, row.id


def test_every_count_and_share_of_the_patients_can_be_switched_off() -> None:
    sums = {"stop_improved_or_stable", "responder"}
    for row in REGISTRY.numbers.values():
        if row.same_as or not is_about_a_cohort(row) or row.variable in sums:
            continue
        if row.statistic in ("count", "percent"):
            assert row.id in ALLOWED, row.id
    left = {
        row.variable
        for row in REGISTRY.numbers.values()
        if not row.same_as and is_about_a_cohort(row) and row.id not in ALLOWED
    }
    # Sums of others, the size of the cohort, and a rule of inclusion.
    assert left == {*sums, "cohort_size", "cycles_required"}


@pytest.mark.parametrize(
    ("one", "twin"),
    [
        ("results-female-ivig-baseline-count", "table1-female-ivig-baseline-percent"),
        ("results-first-line-ivig-count", "results-prior-therapy-ivig-baseline-percent"),
        ("abstract-mrss-ivig-m6-n", "results-responder-ivig-m6-n"),
        ("results-mrss-ivig-m6-n", "results-responder-ivig-m6-n"),
    ],
)
def test_mentions_of_one_quantity_go_together(one: str, twin: str) -> None:
    assert twin in need_not_hold(REGISTRY, (one,))
    assert one in need_not_hold(REGISTRY, (twin,))
    assert switches(REGISTRY, (one,)).sizes == switches(REGISTRY, (twin,)).sizes
    assert switches(REGISTRY, (one,)).counts == switches(REGISTRY, (twin,)).counts


def test_statements_need_not_hold_beside_a_figure_they_are_about() -> None:
    loose = need_not_hold(REGISTRY, ("table2-stop-stable-ivig-count",))
    assert "results-stop-improved-or-stable-ivig-percent" in loose
    assert "table2-stop-improvement-ivig-count" not in loose
    assert "results-adverse-effects-ivig-ordering" not in loose
    assert need_not_hold(REGISTRY, ()) == set()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "discussion-responder-ivig-percent",
            "follows from others.*results-responder-ivig-m6-count",
        ),
        ("abstract-cohort-size-ivig-n", "nothing else printed can predict"),
        ("appendix2-mrss-restricted-ivig-same-conclusion", "constrains no figure"),
        ("results-fvc-ivig-m12-unchanged", "follows from others.*fvc"),
        ("table1-femal-ivig-baseline-percent", "did you mean table1-female-ivig-baseline-percent"),
    ],
)
def test_what_is_no_constraint_is_refused_with_a_reason(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        switches(REGISTRY, (name,))
    with pytest.raises(ValueError, match=words):
        PoelmanCohorts().predict(name, prior="flat", draws=4, seed=1, reading="-8")


# Counts


def drawn_counts(off: Collection[str], draws: int = 400, seed: int = 1) -> dict[str, np.ndarray]:
    return draw_counts(REGISTRY, off, draws, np.random.default_rng(seed))


def test_a_free_count_is_uniform_and_printed_values_are_coherent() -> None:
    found = drawn_counts(["female"], 3100)["female"]
    assert np.bincount(found, minlength=31).min() > 60
    assert set(drawn_counts(["renal_crisis"], 3000)["renal_crisis"]) == set(range(31))
    assert drawn_counts(["tfr"])["tfr"].tolist() == [10] * 400


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("white", 26), ("stop_moved", 1), ("tfr_resolved", 7), ("prior_other", 4), ("ae_tia", 1)],
)
def test_a_part_of_a_sum_is_fixed_by_the_others(quantity: str, value: int) -> None:
    assert set(drawn_counts([quantity])[quantity]) == {value}


def test_sums_and_nested_counts_hold_with_everything_off() -> None:
    found = drawn_counts(LABELS, 60)
    assert set(found) == set(LABELS)
    c = printed_counts(REGISTRY) | found
    assert (c["white"] + c["black"] + c["other_race"] == 30).all()
    stops = [value for name, value in c.items() if name.startswith("stop_")]
    assert (sum(stops) + c["still_on_ivig"] == 30).all()
    assert (c["tfr_resolved"] + c["tfr_continued"] + c["tfr_unknown"] == c["tfr"]).all()
    assert (c["ae_aseptic_meningitis"] <= c["ae_headache"]).all()
    assert (c["ae_tia"] == c["stop_tia"]).all()
    assert (c["cpk_serial"] <= c["myositis"]).all()
    assert (c["tfr_continued_restricted"] <= c["tfr_restricted"]).all()
    assert (c["tfr_restricted"] <= c["tfr"]).all()
    assert (c["rnp"] <= c["rnp known"]).all()
    assert (c["first_line_monotherapy"] + c["first_line_mmf"] <= c["first_line"]).all()
    for name in ("female", "first_line", "white", "ae_tia", "tfr", "rnp known", "prior_mmf"):
        assert len(set(found[name])) > 1, name


def test_two_parts_of_a_sum_share_what_the_others_leave() -> None:
    found = drawn_counts(["white", "black"], 3000)
    assert (found["white"] + found["black"] == 27).all()
    assert np.bincount(found["white"], minlength=28).min() > 60


def test_a_registry_with_other_counts_says_so_wherever_they_are_printed() -> None:
    changed = with_counts(REGISTRY, {"female": 11, "first_line": 4, "black": 2, "white": 25})
    counts = Counts(changed)
    assert (counts["female"], counts["first_line"], counts["black"]) == (11, 4, 2)
    assert float(changed.numbers["table1-female-ivig-baseline-percent"].printed.value) == (
        pytest.approx(100 * 11 / 30, abs=1e-4)
    )
    assert counts["prior_therapy"] == 26
    assert with_counts(REGISTRY, {}).numbers == REGISTRY.numbers


# Numbers of patients measured


def sizes_of(*names: str, draws: int = 60):
    off = switches(REGISTRY, names)
    rng = np.random.default_rng(3)
    return draw_sizes(REGISTRY, off.sizes, draws, rng, reading="-8", without=off.every)


def test_patients_followed_are_nested_and_vary() -> None:
    found = sizes_of("abstract-mrss-ivig-m18-n")["mrss"]
    assert (found[:, [0, 1, 2, 4]] == (30, 29, 25, 15)).all()
    assert found[:, 3].min() >= 15
    assert found[:, 3].max() <= 25
    assert len(set(found[:, 3])) > 4


def test_a_p_value_fixes_the_number_of_patients() -> None:
    assert set(sizes_of("abstract-mrss-ivig-m12-n")["mrss"][:, 2]) == {25}


def test_sizes_of_a_questionnaire_and_of_a_single_measure() -> None:
    found = sizes_of("table1-haq-di-ivig-baseline-n", "table1-rvsp-ivig-baseline-n")
    assert (found["haq_di"] == found["patient_rating"]).all()
    for name in ("haq_di", "rvsp"):
        assert len(set(found[name][:, 0])) > 2
        assert found[name].max() <= 30
    assert set(size_figures(REGISTRY).values()) >= {("fvc", "m12"), ("cpk", "baseline")}


# Whole cohorts


KINDS = {
    "sex and race": ("table1-female-ivig-baseline-percent", "table1-black-ivig-baseline-percent"),
    "patients followed": ("abstract-mrss-ivig-m18-n", "table1-rvsp-ivig-baseline-n"),
    "drugs": (
        "results-first-line-ivig-count",
        "table2-concomitant-mmf-ivig-count",
        "table1-prior-prednisone-ivig-baseline-count",
    ),
    "antibodies": (
        "table1-anti-rna-polymerase-iii-ivig-baseline-count",
        "table1-rnp-ivig-baseline-n",
        "table1-rnp-ivig-baseline-count",
    ),
    "course": (
        "table2-ae-aseptic-meningitis-ivig-count",
        "table2-stop-aseptic-meningitis-ivig-count",
        "table2-stop-stable-ivig-count",
        "results-physician-improved-ivig-percent",
    ),
    "rubs and kidneys": (
        "appendix2-tfr-restricted-ivig-baseline-count",
        "results-tfr-resolved-ivig-m6-count",
        "results-tfr-continued-ivig-m6-count",
        "results-severity-renal-ivig-m12-unchanged",
    ),
    "muscle": ("results-cpk-serial-ivig-count", "table1-myositis-ivig-baseline-count"),
}
FREE = {
    "table2-stop-stable-ivig-count",
    "results-tfr-continued-ivig-m6-count",
    "table1-black-ivig-baseline-percent",
}
"""Of these only what is left of a sum is free."""


@pytest.mark.parametrize("kind", KINDS)
def test_cohorts_without_figures_print_all_others(kind: str) -> None:
    off = KINDS[kind]
    recipe = Recipe("flat", 4, without=off)
    loose = need_not_hold(REGISTRY, off)
    computed: dict[str, set[str]] = {name: set() for name in off}
    drawn = list(draw_cohorts(REGISTRY, recipe, 0, 4))
    assert len(drawn) == 4
    for one in drawn:
        assert incoherences(Tables(one.patients, one.visits)) == []
        report = check_cohort(Tables(one.patients, one.visits), REGISTRY)
        wrong = report[~report["agrees"] & ~report["id"].isin(loose)]
        assert wrong.empty, wrong.to_string()
        texts = report.set_index("id")["computed"]
        for name in off:
            computed[name].add(str(texts[name]))
    for name in set(off) - FREE:
        assert len(computed[name]) > 1 or "unchanged" in name, (name, computed[name])


def test_a_death_that_is_switched_off_with_its_month() -> None:
    off = (
        "table2-stop-death-ivig-count",
        "results-death-delay-ivig-other",
        "table2-stop-insurance-ivig-count",
        "abstract-mrss-ivig-m18-significant",
        "coherence-heart",
    )
    recipe = Recipe("gaussian", 6, without=off)
    deaths = set()
    for number, one in enumerate(draw_cohorts(REGISTRY, recipe, 0, 4)):
        deaths.add(int(one.patients["death_month"].notna().sum()))
        if number == 0:
            require_printed(REGISTRY, recipe, one, number)
    assert len(deaths) > 1
    assert max(deaths) <= 3


def test_nothing_changes_where_nothing_is_switched_off() -> None:
    # A part is drawn whole, so its first cohort is the shipped one; another prior than elsewhere.
    drawn = next(draw_cohorts(REGISTRY, Recipe("flat", COHORT_SEED), 0, PART_SIZE, SPARE))
    folder = ROOT / COHORTS / "flat"
    for name, mine in ((PATIENTS, drawn.patients), (VISITS, drawn.visits)):
        shipped = pd.read_parquet(folder / name, filters=[("cohort", "==", 0)])
        shipped = shipped[list(mine.columns)].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, shipped, check_categorical=False, check_dtype=False)


# Commands


class _Here(ThreadPoolExecutor):
    """An executor that works in this process, where a part is smaller."""

    def __init__(self, **_: object) -> None:
        super().__init__()


def test_reconstruct_without_a_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "ProcessPoolExecutor", _Here)
    monkeypatch.setattr(ensemble, "PART_SIZE", 2)
    out = tmp_path / "cohorts"
    name = "table1-female-ivig-baseline-percent"
    arguments = ["reconstruct", "--cohorts", "1", "--out", str(out), "--without", name, "--seed"]
    result = CliRunner().invoke(main, [*arguments, "3"])
    assert result.exit_code == 0, result.output
    assert read_notes(out / PATIENTS)["without"] == [name]
    assert pd.read_parquet(out / PATIENTS)["female"].sum() != 24


def test_predict_a_count_says_that_the_prior_decides() -> None:
    name = "table1-female-ivig-baseline-percent"
    result = CliRunner().invoke(main, ["predict", name])
    assert result.exit_code == 0, result.output
    assert f"{name}: predicted 50, 95 % from " in result.stdout
    assert "the prior alone decides" in result.stdout
    result = CliRunner().invoke(main, ["predict", "table2-stop-moved-ivig-count", "--json"])
    found = json.loads(result.stdout)
    assert (found["median"], found["share"]) == (1.0, 1.0)
    assert "the other figures leave 1 only" in found["prior"]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("abstract-mrss-ivig-m12-n", 25, 25),
        ("results-cpk-serial-ivig-count", 0, 5),
        ("results-responder-prednisone-ivig-m12-or", 0.165, 0.175),
        ("results-severity-renal-ivig-m12-unchanged", 0, 10),
        ("results-responder-predictors-ivig-m6-none-predict", 0, 10),
        ("results-kidney-injury-delay-ivig-other", 1, 24),
        ("results-prior-therapy-ivig-baseline-percent", 70, 97),
    ],
)
def test_predictions_of_every_kind(name: str, low: float, high: float) -> None:
    found = PoelmanCohorts().predict(name, prior="flat", draws=60, seed=1, reading="-8")
    json.dumps(found)
    assert low <= found["low"] <= found["median"] <= found["high"] <= high
    assert 0 <= found["share"] <= 1
    assert found["prior"]
