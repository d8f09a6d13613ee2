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

from ivig_dcssc.analysis import Choices, CohortResults, Ensembles, load_ensembles, open_cohort
from ivig_dcssc.analysis.choices import MEASURES, SKIN_TARGETS
from ivig_dcssc.analysis.figures import STOP_REASONS, about
from ivig_dcssc.checker import Tables, check_cohort, is_about_a_cohort
from ivig_dcssc.checker import Windows as CheckerWindows
from ivig_dcssc.parameters import PRIORS
from rederive.printed import PrintedNumber
from rederive.printed.errors import ConfigurationError
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
) -> pd.DataFrame:
    return pd.concat(
        check_cohort(
            Tables(one.patients, one.visits, windows or CheckerWindows()), registry
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
    against = check_all(some, registry, windows)
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


def test_what_the_checker_checks_is_covered_and_nothing_else(
    results: CohortResults, checked: pd.DataFrame, registry: Registry
) -> None:
    covered = {row.id for row in registry if results.covers(row.id)}
    assert covered == set(checked["id"])
    assert covered == {row.id for row in registry if is_about_a_cohort(row)}


@pytest.mark.parametrize(
    ("method", "row_id", "words"),
    [
        ("number", "abstract-mrss-ivig-m6-maen", "did you mean 'abstract-mrss-ivig-m6-mean'"),
        ("number", "methods-ivig-dose-ivig-other", "of a cohort determine"),
        ("number", "results-mrss-ivig-decreasing", "of a cohort determine"),
        ("claim", "abstract-mrss-ivig-m6-mean", "of a cohort determine"),
        ("claim", "table1-age-mmf-baseline-no-asterisk", "group IVIG"),
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


def test_a_cohort_without_patients_is_refused(registry: Registry) -> None:
    empty = Cohort(
        pd.DataFrame({"patient": []}),
        pd.DataFrame({"patient": [], "month": [], "measure": [], "value": []}),
    )
    with pytest.raises(ValueError, match="at least one patient"):
        CohortResults(empty, Choices.of(), registry)


# Regressions


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


def test_claims_about_predictors_are_about_these_regressions(results: CohortResults) -> None:
    """Counted regression by regression; what is not estimable is not significant."""
    table = results.predictors()
    for variable, expected in (
        (
            "responder_predictors",
            lambda r: r.outcome == "response" and "prednis" not in r.predictor,
        ),
        ("responder_prednisone", lambda r: r.outcome == "response" and "prednis" in r.predictor),
        ("mrss_change_predictors", lambda r: r.outcome == "change"),
    ):
        for name in ("m6", "m12"):
            rows = [r for r in table.itertuples() if expected(r) and r.timepoint == name]
            chosen = about(table, variable, name)
            assert list(chosen.index) == [r.Index for r in rows]
            some = {cohort: False for cohort in results.cohorts}
            for row in rows:
                some[row.cohort] |= row.p < 0.05
            significant = (chosen["p"] < 0.05).groupby(chosen["cohort"]).any()
            assert significant.to_dict() == some


def test_rubs_of_each_cohort_add_up(results: CohortResults) -> None:
    for suffix in ("", "_restricted"):
        present = results.figures.table(f"tfr{suffix}", "baseline")["count"]
        courses = [
            results.figures.table(f"tfr_{word}{suffix}", "m6")["count"]
            for word in ("resolved", "continued", "unknown")
        ]
        assert sum(courses).equals(present)


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
    with pytest.raises(
        ConfigurationError, match=r"no column 'patient' \(did you mean 'patients'\?\)"
    ):
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
