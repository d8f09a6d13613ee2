"""The figures from visit-level cohorts: as the independent checker has them, text by text."""

from __future__ import annotations

import dataclasses
import time
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ivig_dcssc.checker import Windows as CheckerWindows
from ivig_dcssc.checker import check_cohort, unchecked
from ivig_dcssc.parameters import PRIORS
from ivig_dcssc.reproduced import (
    Choices,
    CohortResults,
    Ensembles,
    load_ensembles,
    open_cohort,
)
from ivig_dcssc.reproduced.choices import COMPARATORS, SKIN_TARGETS
from ivig_dcssc.reproduced.predictors import STOP_REASONS, smallest
from ivig_dcssc.reproduced.tables import MEASURES, ORGAN_MEASURES, SEVERITIES
from rederive.errors import ConfigurationError
from rederive.printed import PrintedNumber
from rederive.printed.registry import ClaimRow, Registry, load_registry
from rederive.recompute.signed_rank import CONVENTIONS
from rederive.retrospective import Codebook, Cohort, write_cohort

ROOT = Path(__file__).resolve().parents[2]
SIZES = (30, 30, 17, 30, 1)
"""Patients of the made-up cohorts: the last has nothing to test."""


def draw_patients(rng: np.random.Generator, size: int, codebook: Codebook) -> pd.DataFrame:
    """Draw every column of the codebook, with unknowns where it allows them."""
    table = pd.DataFrame({"patient": [f"P{number:02d}" for number in range(1, size + 1)]})
    for name, entry in codebook.patients.items():
        if entry.kind == "flag":
            share = rng.choice([0.0, 0.1, 0.4, 0.8], p=[0.1, 0.4, 0.3, 0.2])
            table[name] = (rng.random(size) < share).astype(float)
        elif entry.kind == "category":
            words = [*entry.allowed, *([] if entry.required else [None])]
            table[name] = rng.choice(np.array(words, dtype=object), size)
    for name in ("anti_rna_polymerase_iii", "rnp", "ana"):
        table.loc[rng.random(size) < 0.2, name] = np.nan
    table["age"] = rng.integers(25, 75, size)
    table["disease_duration"] = rng.integers(1, 90, size)
    table["age_onset"] = (table["age"] - table["disease_duration"] / 12).round(1)
    table["cycles"] = rng.integers(3, 25, size)
    table["cycles_first_6_months"] = rng.integers(3, 7, size)
    table["treatment_length"] = rng.integers(3, 30, size)
    table["stop_reason"] = rng.choice(
        np.array([*STOP_REASONS, None], dtype=object), size, p=[0.5, 0.1, *[0.05] * 6, 0.1]
    )
    table["death_month"] = np.where(table["stop_reason"] == "death", 16.0, np.nan)
    table["kidney_injury_delay"] = np.where(table["ae_kidney_injury"] == 1, 15.0, np.nan)
    return table[list(codebook.patients)]


def draw_visits(
    rng: np.random.Generator, patients: pd.DataFrame, codebook: Codebook
) -> pd.DataFrame:
    """Draw records before and after initiation, at any month, more than one in some windows."""
    rows: list[tuple[str, int, str, float]] = []
    months = np.arange(-20, 30)
    for measure in MEASURES:
        entry = codebook.measures[measure]
        top = {"mrss": 40, "cpk": 600, "fvc": 110, "dlco": 100, "rvsp": 50}.get(
            measure, float(entry.maximum or 1)
        )
        step = float(entry.step or 1)
        for patient in patients["patient"]:
            level = rng.uniform(0.3, 0.9)
            taken = np.sort(rng.choice(months, rng.integers(0, 26), replace=False))
            course = level * (1 - rng.uniform(0, 0.03) * np.maximum(taken, 0))
            values = top * np.clip(course + rng.normal(0, 0.1, len(taken)), 0, 1)
            values = np.maximum(values, float(entry.minimum or 0))
            values = np.round(np.round(values / step) * step, 3)
            rows += [
                (patient, int(month), measure, float(value))
                for month, value in zip(taken, values, strict=True)
            ]
    table = pd.DataFrame(rows, columns=["patient", "month", "measure", "value"])
    return table.sample(frac=1, random_state=1).reset_index(drop=True)


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return Codebook.load(ROOT / "data" / "cohorts" / "codebook.csv")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT / "data" / "published")


@pytest.fixture(scope="module")
def singles(codebook: Codebook) -> dict[int, Cohort]:
    """Cohorts by number; the numbers do not begin at 1."""
    found = {}
    for number, size in enumerate(SIZES, start=4):
        rng = np.random.default_rng(number)
        patients = draw_patients(rng, size, codebook)
        found[number] = Cohort(patients, draw_visits(rng, patients, codebook))
    return found


def together(singles: dict[int, Cohort]) -> Cohort:
    tables = [
        pd.concat(
            [getattr(one, name).assign(cohort=number) for number, one in singles.items()],
            ignore_index=True,
        )
        for name in ("patients", "visits")
    ]
    return Cohort(*(table[["cohort", *table.columns.drop("cohort")]] for table in tables))


@pytest.fixture(scope="module")
def ensemble(singles: dict[int, Cohort]) -> Cohort:
    return together(singles)


@pytest.fixture(scope="module")
def results(ensemble: Cohort, registry: Registry) -> CohortResults:
    return CohortResults(ensemble, Choices.of(), registry)


@pytest.fixture(scope="module")
def checked(singles: dict[int, Cohort], registry: Registry) -> pd.DataFrame:
    return check_all(singles, registry)


def check_all(
    singles: dict[int, Cohort],
    registry: Registry,
    windows: CheckerWindows | None = None,
    *,
    regressions: bool = True,
) -> pd.DataFrame:
    return pd.concat(
        check_cohort(
            one.patients, one.visits, registry, windows=windows, regressions=regressions
        ).assign(cohort=number)
        for number, one in singles.items()
    )


def texts(value: float, decimals: int) -> set[str]:
    """What a number may print as; exact halves, hidden by the float, go both ways."""
    if np.isnan(value):
        return {"not computable"}
    found = set()
    for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        rounded = Decimal(f"{value:.11f}").quantize(Decimal(1).scaleb(-decimals), rounding)
        found.add(f"{abs(rounded) if rounded == 0 else rounded:f}")
    return found


def number_agrees(value: float, printed: PrintedNumber, computed: str) -> bool:
    """Whether a number prints as the checker has it: a figure, or the printed inequality."""
    limit = float(printed.value)
    if computed[:1] in "<>≤≥" or computed.startswith("over"):
        holds = {"<": value < limit, "≥": value >= limit, "over": value > limit}
        return bool(holds[printed.operator])
    return computed in texts(value, printed.decimals)


def disagreements(results: CohortResults, checked: pd.DataFrame) -> list[str]:
    """Return every number and claim that comes out otherwise than the checker has it."""
    found = []
    for row_id, lines in checked.groupby("id"):
        row = results.registry.row(str(row_id))
        if isinstance(row, ClaimRow):
            answers = results.claim(row.id).set_index("cohort")
            for line in lines.itertuples():
                word, holds = answers.loc[line.cohort, ["computed", "holds"]]
                if (word, holds) != (line.computed, line.agrees):
                    found.append(f"{row_id}, cohort {line.cohort}: {word}, {line.computed}")
            continue
        values = results.number(row.id)
        for line in lines.itertuples():
            if not number_agrees(values[line.cohort], row.printed, line.computed):
                found.append(f"{row_id}, cohort {line.cohort}: {values[line.cohort]}, {line}")
    return found


# Against the independent checker


def test_every_number_and_claim_prints_as_the_checker_has_it(
    results: CohortResults, checked: pd.DataFrame
) -> None:
    assert len(checked) > 300 * len(SIZES)
    assert disagreements(results, checked) == []


def test_the_made_up_cohorts_put_both_routes_to_the_test(
    results: CohortResults, checked: pd.DataFrame
) -> None:
    """Claims hold in some cohorts and fail in others, and some figures do not exist."""
    assert (checked["computed"] == "not computable").any()
    words = set(checked["computed"])
    assert {"true", "false", "significant", "not_significant", "not lower"} <= words
    statuses = set(results.predictors()["status"])
    assert {"ok", "separated", "constant predictor", "constant outcome"} <= statuses


@pytest.mark.parametrize(
    ("parameters", "windows"),
    [
        (
            {"baseline_window": 6, "followup_tolerance": 3, "visit_rule": "first"},
            CheckerWindows(baseline_window=6, followup_tolerance=3, rule="first"),
        ),
        (
            {"organ_baseline_window": 4, "organ_followup_tolerance": 2, "visit_rule": "last"},
            CheckerWindows(organ_baseline_window=4, organ_followup_tolerance=2, rule="last"),
        ),
        (
            {"baseline_window": 0, "followup_tolerance": 0, "organ_baseline_window": 24},
            CheckerWindows(baseline_window=0, followup_tolerance=0, organ_baseline_window=24),
        ),
    ],
    ids=["wide, first", "narrow organs, last", "on the month"],
)
def test_windows_and_rules_agree_with_the_checker(
    singles: dict[int, Cohort],
    registry: Registry,
    parameters: dict[str, object],
    windows: CheckerWindows,
) -> None:
    some = {number: singles[number] for number in list(singles)[:2]}
    changed = CohortResults(together(some), Choices.of(parameters), registry)
    against = check_all(some, registry, windows, regressions=False)
    assert disagreements(changed, against) == []


def test_threshold_and_level_agree_with_the_checker(
    singles: dict[int, Cohort], registry: Registry
) -> None:
    """The checker reads both from the registry."""
    numbers = dict(registry.numbers)
    for name, text in (
        ("methods-responder-threshold-threshold", "8"),
        ("methods-alpha-alpha", "0.20"),
    ):
        numbers[name] = dataclasses.replace(numbers[name], printed=PrintedNumber(text))
    other = Registry(numbers, registry.claims, registry.plan, registry.variables)
    some = {number: singles[number] for number in list(singles)[:1]}
    choices = Choices.of({"responder_threshold": 8, "alpha": 0.2})
    changed = CohortResults(together(some), choices, registry)
    assert disagreements(changed, check_all(some, other)) == []


# Coverage


def test_what_the_checker_checks_is_covered_and_the_rest_has_a_reason(
    results: CohortResults, checked: pd.DataFrame, registry: Registry
) -> None:
    covered = {row.id for row in registry if results.covers(row.id)}
    assert covered == set(checked["id"])
    rest = {row.id for row in registry} - covered
    assert rest == set(unchecked(registry)["id"])
    reasons = {results.reason(name) for name in rest}
    assert "" not in reasons
    assert "nothing computes it" not in reasons


def test_a_row_that_nothing_computes_says_so(ensemble: Cohort, registry: Registry) -> None:
    row = dataclasses.replace(
        registry.numbers["abstract-mrss-ivig-m6-mean"], id="new", variable="shoe_size"
    )
    numbers = {**registry.numbers, "new": row}
    more = Registry(numbers, registry.claims, registry.plan, registry.variables)
    other = CohortResults(ensemble, Choices.of(), more)
    assert other.reason("new") == "nothing computes it"
    with pytest.raises(ValueError, match="new: not computed from a cohort"):
        other.number("new")


@pytest.mark.parametrize(
    ("method", "row_id", "words"),
    [
        ("number", "abstract-mrss-ivig-m6-maen", "did you mean 'abstract-mrss-ivig-m6-mean'"),
        ("number", "methods-ivig-dose-ivig-other", "doses are not in a cohort's tables"),
        ("number", "results-mrss-ivig-decreasing", "found a claim"),
        ("claim", "abstract-mrss-ivig-m6-mean", "found a number"),
        ("claim", "table1-age-mmf-baseline-no-asterisk", "another group"),
    ],
)
def test_wrong_ids_are_refused(
    results: CohortResults, method: str, row_id: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        getattr(results, method)(row_id)


# Choices


def test_windows_are_those_that_the_article_prints(registry: Registry) -> None:
    def printed(row_id: str) -> int:
        return int(registry.numbers[row_id].printed.value)

    primary, tight = Choices.of(), Choices.of().restricted()
    for month in SKIN_TARGETS:
        assert printed(f"methods-window-followup-m{month}-month") == month
    assert primary.windows("mrss").baseline_window == printed("methods-window-baseline-threshold")
    restricted = printed("appendix1-window-baseline-restricted-threshold")
    assert tight.windows("mrss").baseline_window == restricted
    assert tight.windows("mrss").tolerance == printed("methods-window-followup-threshold")
    organ = tight.windows("fvc")
    assert organ.baseline_window == printed("appendix1-window-baseline-organ-threshold")
    assert organ.tolerance == printed("appendix1-window-followup-organ-m12-threshold")
    assert organ.targets == (printed("appendix1-window-followup-organ-m12-month"),)
    assert tight.windows("tfr").targets == (6,)
    assert tight.windows("tfr").baseline_window == organ.baseline_window


def test_choices_come_from_checked_parameters() -> None:
    choices = Choices.of({"paired_test": "signed_rank", "alpha": 0.01})
    assert (choices.paired_test, choices.alpha, choices.responder_threshold) == (
        "signed_rank",
        0.01,
        5,
    )
    assert choices.restricted().alpha == 0.01
    assert choices.convention is CONVENTIONS[0]
    with pytest.raises(ConfigurationError, match="did you mean 'closest'"):
        Choices.of({"visit_rule": "closets"})


def test_the_signed_rank_test_can_replace_the_t_test(
    ensemble: Cohort, results: CohortResults, registry: Registry
) -> None:
    name = CONVENTIONS[3].name
    choices = Choices.of({"paired_test": "signed_rank", "signed_rank_convention": name})
    ranked = CohortResults(ensemble, choices, registry)
    for row_id in ("results-fvc-ivig-m12-p", "abstract-mrss-ivig-m6-p"):
        row = registry.numbers[row_id]
        values = ranked.tables.measured(row.variable).xs(4, level="cohort")
        differences = (values[row.timepoint] - values["baseline"]).dropna()
        expected = stats.wilcoxon(differences, correction=True, method="approx").pvalue
        assert ranked.number(row_id)[4] == pytest.approx(expected, rel=1e-9)
        assert ranked.number(row_id)[4] != results.number(row_id)[4]
    skin = ranked.skin_over_time()
    assert skin["t"].isna().all()


# One cohort


def test_a_single_cohort_gives_what_it_gives_within_an_ensemble(
    singles: dict[int, Cohort], results: CohortResults, registry: Registry
) -> None:
    alone = CohortResults(singles[5], Choices.of(), registry)
    assert list(alone.cohorts) == [1]
    for row in registry.numbers.values():
        if alone.covers(row.id):
            one, many = alone.number(row.id)[1], results.number(row.id)[5]
            assert one == pytest.approx(many, rel=1e-12, nan_ok=True)
    for name in ("skin_over_time", "function_measures", "controls", "sensitivity", "rubs"):
        frame = getattr(results, name)()
        part = frame[frame["cohort"] == 5].assign(cohort=1).reset_index(drop=True)
        pd.testing.assert_frame_equal(getattr(alone, name)(), part, check_dtype=False)


def test_a_cohort_of_skin_scores_alone_leaves_the_rest_unknown(
    registry: Registry, codebook: Codebook, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    lines = ["patient,age,disease_duration,female", "A,40,12,1", "B,50,24,0", "C,61,30,1"]
    (folder / "patients.csv").write_text("\n".join(lines) + "\n")
    scores = ["A,0,mrss,30", "B,-1,mrss,29", "C,-2,mrss,28"]
    scores += ["A,6,mrss,27", "B,7,mrss,26", "C,5,mrss,25"]
    lines = ["patient,month,measure,value", *scores]
    (folder / "visits.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "data" / "cohorts").mkdir(parents=True)
    text = (ROOT / "data" / "cohorts" / "codebook.csv").read_text(encoding="utf-8")
    (tmp_path / "data" / "cohorts" / "codebook.csv").write_text(text, encoding="utf-8")
    choices = Choices.of({"cohort_folder": "mine"})
    own = CohortResults(open_cohort(tmp_path, choices), choices, registry)
    assert own.number("abstract-mrss-ivig-m6-n")[1] == 3
    assert own.number("abstract-mrss-change-ivig-m6-mean")[1] == -3
    assert own.number("results-fvc-ivig-m12-n")[1] == 0
    assert np.isnan(own.number("results-fvc-ivig-m12-p")[1])
    assert np.isnan(own.number("table2-concomitant-mmf-ivig-percent")[1])
    for row in registry:
        if own.covers(row.id):
            found = own.claim(row.id) if isinstance(row, ClaimRow) else own.number(row.id)
            assert len(found) == 1
    for name in ("skin_over_time", "trajectories", "before_initiation", "responders", "missing"):
        assert not getattr(own, name)().empty
    for name in ("function_measures", "controls", "sensitivity", "rubs"):
        assert set(getattr(own, name)()["cohort"]) == {1}


def test_a_cohort_without_patients_is_refused(registry: Registry) -> None:
    empty = Cohort(
        pd.DataFrame({"patient": []}),
        pd.DataFrame({"patient": [], "month": [], "measure": [], "value": []}),
    )
    with pytest.raises(ValueError, match="at least one patient"):
        CohortResults(empty, Choices.of(), registry)


# Tidy tables


def test_skin_over_time_has_the_printed_figures(results: CohortResults) -> None:
    table = results.skin_over_time().set_index(["cohort", "timepoint"])
    for cohort in results.cohorts:
        for name in ("m6", "m12", "m18", "m24"):
            row = table.loc[(cohort, name)]
            for statistic in ("n", "mean", "sd", "p"):
                figure = results.number(f"abstract-mrss-ivig-{name}-{statistic}")[cohort]
                assert row[statistic] == pytest.approx(figure, nan_ok=True)
            assert row["taken"] >= row["n"]
        start = results.number("abstract-mrss-ivig-baseline-mean")[cohort]
        assert table.loc[(cohort, "baseline"), "mean"] == pytest.approx(start, nan_ok=True)


def test_trajectories_lead_back_to_the_records(results: CohortResults, ensemble: Cohort) -> None:
    table = results.trajectories()
    records = ensemble.visits[ensemble.visits["measure"] == "mrss"]
    found = table.merge(
        records,
        left_on=["cohort", "patient", "visit_month", "value"],
        right_on=["cohort", "patient", "month", "value"],
    )
    assert len(found) == len(table) > 100
    m6 = table[table["timepoint"] == "m6"].dropna(subset=["change"])
    assert ((m6["change"] <= -5).astype(float) == m6["responder_m6"]).all()
    baseline = table[table["timepoint"] == "baseline"]
    assert (baseline["change"] == 0).all()
    assert baseline["visit_month"].between(-3, 0).all()


def test_months_before_initiation(results: CohortResults, ensemble: Cohort) -> None:
    table = results.before_initiation()
    visits = ensemble.visits
    early = visits[(visits["measure"] == "mrss") & (visits["month"] <= 0)]
    assert table["n"].sum() == len(early)
    month = early[(early["cohort"] == 4) & (early["month"] == -2)]["value"]
    row = table[(table["cohort"] == 4) & (table["month"] == -2)].iloc[0]
    assert row["mean"] == pytest.approx(month.mean())
    assert table["month"].max() == 0


def test_responders_fall_with_the_threshold(results: CohortResults) -> None:
    low, own, high = (results.responders(limit) for limit in (1, None, 20))
    assert (low["count"] >= own["count"]).all()
    assert (own["count"] >= high["count"]).all()
    assert low["count"].sum() > high["count"].sum()
    at_6 = own[own["timepoint"] == "m6"].set_index("cohort")["count"]
    assert (at_6 == results.number("results-responder-ivig-m6-count")).all()
    with pytest.raises(ValueError, match="threshold"):
        results.responders(0)


def test_missing_adds_up(results: CohortResults) -> None:
    table = results.missing()
    assert (table["followed"] + table["missing"] == table["patients"]).all()
    assert set(table["timepoint"]) == {"m6", "m12", "m18", "m24"}


def test_predictors_have_every_variable_outcome_and_month(
    results: CohortResults, registry: Registry
) -> None:
    table = results.predictors()
    counts = table.groupby(["outcome", "timepoint"])["predictor"].nunique()
    assert counts.nunique() == 1
    assert set(counts.index) == {(o, t) for o in ("response", "change") for t in ("m6", "m12")}
    assert len(table) == counts.sum() * len(results.cohorts)
    ok = table[table["status"] == "ok"]
    assert ok["estimate"].between(ok["low"], ok["high"]).all()
    prednisone = ok[
        (ok["predictor"] == "concomitant_prednisone")
        & (ok["outcome"] == "response")
        & (ok["timepoint"] == "m12")
    ].set_index("cohort")
    odds = results.number("results-responder-prednisone-ivig-m12-or").dropna()
    pd.testing.assert_series_equal(prednisone["estimate"], odds, check_names=False)


def test_the_smallest_p_names_its_predictor() -> None:
    found = pd.DataFrame(
        {
            "cohort": [1, 1, 1, 2, 2, 3],
            "predictor": ["a", "b", "c", "a", "b", "a"],
            "p": [0.5, 0.01, np.nan, np.nan, 0.2, np.nan],
        }
    )
    table = smallest(found, 0.05)
    assert table["predictor"].where(table["p"].notna(), "none").tolist() == ["b", "b", "none"]
    assert table["not_estimable"].tolist() == [1, 1, 1]
    assert table["significant"].tolist() == [1, 0, 0]


def test_function_measures_under_every_test(results: CohortResults) -> None:
    table = results.function_measures()
    assert set(table["measure"]) == set(ORGAN_MEASURES)
    assert table["test"].nunique() == 1 + len(CONVENTIONS)
    used = table[table["used"]]
    assert len(used) == len(ORGAN_MEASURES) * len(results.cohorts)
    for measure in SEVERITIES:
        p = used[used["measure"] == measure].set_index("cohort")["p"]
        figure = results.tables.paired(measure, "m12")["p"]
        pd.testing.assert_series_equal(p, figure, check_names=False)
    fvc = used[used["measure"] == "fvc"].set_index("cohort")
    assert (fvc["n"] == results.number("results-fvc-ivig-m12-n")).all()
    assert (table["increased"] + table["decreased"] + table["unchanged"] == table["n"]).all()
    tight = results.function_measures(restricted=True)
    assert (tight["n"] <= table["n"]).all()


@pytest.mark.parametrize("test", ["student", "welch"])
def test_controls_against_scipy(ensemble: Cohort, registry: Registry, test: str) -> None:
    results = CohortResults(ensemble, Choices.of({"two_sample_test": test}), registry)
    table = results.controls().set_index(["cohort", "timepoint", "group"])
    pairs = [(name, group) for name, groups in COMPARATORS.items() for group in groups]
    assert len(table) == len(pairs) * len(results.cohorts)
    for name, group in pairs:
        row = table.loc[(4, name, group)]
        change = results.tables.change(name).xs(4, level="cohort").dropna()
        slug = group.lower()
        numbers = registry.numbers
        expected = stats.ttest_ind_from_stats(
            change.mean(),
            change.std(),
            len(change),
            float(numbers[f"abstract-mrss-change-{slug}-{name}-mean"].printed.value),
            float(numbers[f"abstract-mrss-change-{slug}-{name}-sd"].printed.value),
            int(numbers[f"table1-cohort-size-{slug}-n"].printed.value),
            equal_var=test == "student",
        )
        assert row["p"] == pytest.approx(expected.pvalue)
        assert row["low"] < row["difference"] < row["high"]


def test_sensitivity_has_both_analyses(results: CohortResults) -> None:
    table = results.sensitivity()
    muscle = table[table["measure"] == "severity_muscle"].set_index("cohort")["restricted_p"]
    figure = results.number("appendix2-severity-muscle-restricted-ivig-m12-p")
    pd.testing.assert_series_equal(muscle, figure, check_names=False)
    assert (table["restricted_n"] <= table["n"]).all()
    assert (table["restricted_n"] < table["n"]).any()
    known = table.dropna(subset=["p", "restricted_p"])
    same = (known["p"] < 0.05) == (known["restricted_p"] < 0.05)
    assert (same == known["same_decision"]).all()
    assert not table.loc[table["restricted_p"].isna(), "same_decision"].any()


def test_rubs_of_each_cohort_add_up(results: CohortResults) -> None:
    table = results.rubs()
    assert (table["resolved"] + table["continued"] + table["unknown"] == table["present"]).all()
    tight = table[table["windows"] == "restricted"].set_index("cohort")["present"]
    assert (tight == results.number("appendix2-tfr-restricted-ivig-baseline-count")).all()


# Many cohorts


def test_hundreds_of_cohorts_take_seconds(singles: dict[int, Cohort], registry: Registry) -> None:
    cohorts = 100
    whole = [singles[number] for number in (4, 5, 7)]
    many = together({number: whole[number % 3] for number in range(cohorts)})
    start = time.process_time()
    results = CohortResults(many, Choices.of(), registry)
    for row in registry:
        if results.covers(row.id):
            found = results.claim(row.id) if isinstance(row, ClaimRow) else results.number(row.id)
            assert len(found) == cohorts
    # It takes one or two; the limit allows for a slow machine.
    assert time.process_time() - start < 20


# Where cohorts come from


def write_ensembles(root: Path, singles: dict[int, Cohort]) -> None:
    for place, prior in enumerate(PRIORS):
        chosen = {number: singles[number] for number in list(singles)[place : place + 2]}
        folder = root / "data" / "cohorts" / prior
        folder.mkdir(parents=True)
        some = together(chosen)
        some.patients.to_parquet(folder / "patients.parquet")
        some.visits.to_parquet(folder / "visits.parquet")


def test_ensembles_of_all_priors_are_numbered_apart(
    singles: dict[int, Cohort], registry: Registry, tmp_path: Path
) -> None:
    write_ensembles(tmp_path, singles)
    every = load_ensembles(tmp_path, "all")
    assert list(every.priors.index) == [1, 2, 3, 4, 5, 6]
    assert list(every.priors) == [name for name in PRIORS for _ in range(2)]
    single = load_ensembles(tmp_path, "flat")
    assert list(single.priors.index) == [5, 6]
    choices = Choices.of()
    opened = open_cohort(tmp_path, choices)
    assert isinstance(opened, Ensembles)
    found = CohortResults(opened, choices, registry)
    again = CohortResults(single, choices, registry)
    for row_id in ("abstract-mrss-ivig-m6-mean", "results-severity-gi-ivig-m12-p"):
        assert found.number(row_id)[3] == again.number(row_id)[5]
        assert found.number(row_id)[2] == again.number(row_id)[5]


def test_missing_ensembles_and_unknown_priors_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"data/cohorts/flat/patients\.parquet: no such"):
        load_ensembles(tmp_path, "flat")
    with pytest.raises(ConfigurationError, match="did you mean 'bimodal'"):
        load_ensembles(tmp_path, "bimodale")
    folder = tmp_path / "data" / "cohorts" / "flat"
    folder.mkdir(parents=True)
    (folder / "patients.parquet").write_text("no parquet")
    with pytest.raises(ConfigurationError, match="allowed: a parquet file"):
        load_ensembles(tmp_path, "flat")
    pd.DataFrame({"patients": ["P01"], "cohort": [1]}).to_parquet(folder / "patients.parquet")
    with pytest.raises(ConfigurationError, match=r"no column 'patient' \(found 'patients'\)"):
        load_ensembles(tmp_path, "flat")


def test_an_own_cohort_is_read_and_checked(
    singles: dict[int, Cohort], registry: Registry, tmp_path: Path
) -> None:
    write_cohort(singles[4], tmp_path)
    choices = Choices.of({"cohort_folder": str(tmp_path)})
    own = CohortResults(open_cohort(ROOT, choices), choices, registry)
    kept = CohortResults(singles[4], choices, registry)
    for row in registry.numbers.values():
        if own.covers(row.id):
            expected: Any = kept.number(row.id)[1]
            assert own.number(row.id)[1] == pytest.approx(expected, nan_ok=True)
    path = tmp_path / "visits.csv"
    path.write_text(path.read_text().replace("mrss", "mrs"))
    with pytest.raises(ConfigurationError, match=r"cohort_folder.*\n.*visits\.csv") as caught:
        open_cohort(ROOT, choices)
    assert caught.value.exit_status == 2
    with pytest.raises(ConfigurationError, match="no such folder"):
        open_cohort(ROOT, Choices.of({"cohort_folder": "nowhere"}))
