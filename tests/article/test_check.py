"""The checker: its pieces by hand, nothing skipped, and each corrupted value caught."""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ivig_dcssc.checker import Windows, check_cohort, incoherences, is_about_a_cohort
from ivig_dcssc.checker.rows import ROUNDINGS
from ivig_dcssc.checker.statistics import linear_p, logistic, mean, paired_t_p, sd, signed_rank_p
from ivig_dcssc.checker.tables import (
    ADVERSE_EFFECTS,
    FLAGS,
    MEASURES,
    PATIENT_COLUMNS,
    SEVERITIES,
    Records,
    Tables,
    at_baseline,
    at_target,
)
from rederive.printed import PrintedNumber
from rederive.printed.registry import Registry, load_registry
from rederive.reconstruct.checker import compare, decimal_of, failures, root_of

ROOT = Path(__file__).resolve().parents[2]
SIZE = 30
NAMES = [f"P{number:02d}" for number in range(1, SIZE + 1)]

COUNTS = {
    "female": 24,
    "myositis": 5,
    "ana": 29,
    "antitopoisomerase": 5,
    "prior_prednisone": 19,
    "prior_methotrexate": 8,
    "prior_azathioprine": 3,
    "prior_cyclophosphamide": 8,
    "prior_dpen": 3,
    "prior_hydroxychloroquine": 8,
    "prior_minocycline": 1,
    "prior_colchicine": 1,
    "prior_tnf_inhibitor": 2,
    "prior_leflunomide": 1,
    "prior_imatinib": 2,
    "prior_rapamycin": 1,
    "concomitant_methotrexate": 3,
    "concomitant_hydroxychloroquine": 1,
    "concomitant_imatinib": 1,
    "ae_fatigue": 7,
    "ae_nausea": 4,
    "ae_fever": 3,
    "ae_arthralgia": 3,
    "ae_rash": 3,
    "ae_weakness": 3,
    "ae_hypertension": 2,
    "ae_chest_discomfort": 2,
    "ae_leukopenia": 2,
    **{
        f"ae_{name}": 1
        for name in (
            "dyspnea",
            "diarrhea",
            "decreased_appetite",
            "palpitations",
            "fluid_retention",
            "lightheadedness",
            "aura",
            "raynaud",
            "hyperkalemia",
            "hypokalemia",
            "transaminitis",
        )
    },
}
"""Patients with each characteristic as printed, where nothing else depends on who they are."""


def flag(who: Iterable[int]) -> list[int]:
    chosen = set(who)
    return [int(index in chosen) for index in range(SIZE)]


def make_patients() -> pd.DataFrame:
    """Patients with every printed count; 27, 28 and 29 are the first-line ones."""
    table = pd.DataFrame({"patient": NAMES})
    for name in FLAGS:
        table[name] = flag(range(COUNTS.get(name, 0)))
    reasons = ["improvement"] * 18 + ["stable"] * 4 + ["insurance"] * 2
    reasons += ["progressing", "aseptic_meningitis", "tia", "moved", "death"]
    table["stop_reason"] = [*reasons, None]
    table["physician_assessment"] = ["improved"] * 18 + ["stable"] * 4 + ["other"] * 8
    table["race"] = ["white"] * 26 + ["black"] + ["other"] * 3
    table["first_line"] = [None] * 27 + ["monotherapy", "cyclophosphamide", "mmf"]
    table["prior_mmf"] = flag(range(2, 27))
    table["prior_other"] = flag(range(4))
    table["prior_gold"], table["prior_alefacept"] = flag([0]), flag([1])
    table["prior_chemotherapy"] = flag([2, 3])
    table["myositis"] = flag([0, 1, 2, 3, 29])
    table["concomitant_mmf"] = flag([*range(20), 29])
    table["concomitant_cyclophosphamide"] = flag([*range(5), 28])
    table["concomitant_prednisone"] = flag(range(0, 20, 2))
    table["ae_headache"] = flag([*range(11), 25])
    table["ae_aseptic_meningitis"], table["ae_tia"] = flag([25]), flag([26])
    table["ae_kidney_injury"] = flag([0])
    table["kidney_injury_delay"] = [15.0] + [math.nan] * 29
    table["death_month"] = [math.nan] * 28 + [16.0, math.nan]
    table["anti_rna_polymerase_iii"] = [1.0] * 14 + [0.0] * 9 + [math.nan] * 7
    table["rnp"] = [1.0] * 2 + [0.0] * 27 + [math.nan]
    order = np.random.default_rng(0).permutation(SIZE)
    table["age"], table["disease_duration"] = 30 + order, 3 + order[::-1]
    table["age_onset"] = (table["age"] - table["disease_duration"] / 12).round(1)
    table["cycles"] = [3, 24, *(5 + order[2:] % 9)]
    table["treatment_length"] = table["cycles"]
    table["cycles_first_6_months"] = table["cycles"].clip(upper=6)
    table.loc[28, ["cycles", "cycles_first_6_months", "treatment_length"]] = [9, 4, 14]
    return table[list(PATIENT_COLUMNS)]


def make_visits() -> pd.DataFrame:
    """Visits with the printed n, rubs, responders and serial values, and made-up scores."""
    draw = np.random.default_rng(1)
    rows: list[tuple[str, int, str, float]] = []

    def add(who: Iterable[int], month: int, measure: str, values: Iterable[float]) -> None:
        rows.extend(
            (NAMES[one], month, measure, value) for one, value in zip(who, values, strict=True)
        )

    base = draw.integers(20, 41, SIZE)
    add(range(SIZE), -2, "mrss", base)
    for month, followed, responders in ((6, 29, 16), (12, 25, 15), (18, 23, 23), (24, 15, 15)):
        more = 5 + month // 3 + draw.integers(0, 2, followed)
        fall = np.where(np.arange(followed) < responders, more, 4)
        add(range(followed), month, "mrss", base[:followed] - fall)
    sizes = {"haq_di": (28, 28), "patient_rating": (28, 28), "fvc": (29, 28), "dlco": (28, 25)}
    steps = {"haq_di": 0.125, "patient_rating": 0.01}
    for measure in (*sizes, "rvsp", *SEVERITIES):
        n, again = sizes.get(measure, (19 if measure == "rvsp" else SIZE, 20))
        high = 4 if measure in SEVERITIES else 20
        before = draw.integers(2, high + 1, n) + (10 if measure in ("fvc", "dlco", "rvsp") else 0)
        step = steps.get(measure, 1)
        add(range(n), -1, measure, before * step)
        if measure == "rvsp":
            continue
        unchanged = measure == "severity_renal"
        moves = np.zeros(again) if unchanged else draw.integers(-2, 1, again)
        add(range(again), 12, measure, (before[:again] + moves) * step)
    add(range(18), -3, "cpk", [900, 800, 700, 600, *range(50, 64)])
    add(range(4), 9, "cpk", [150, 160, 170, 200])
    # Rubs: six seen within 3 months, one of them going on; four seen before that only.
    add(range(6), -1, "tfr", [1.0] * 6)
    add(range(6, 10), -8, "tfr", [1.0] * 4)
    add(range(10, SIZE), -2, "tfr", [0.0] * 20)
    add(range(9), 6, "tfr", [1.0, 0, 0, 0, 0, 0, 1, 0, 0])
    frame = pd.DataFrame(rows, columns=["patient", "month", "measure", "value"])
    return frame[~((frame["patient"] == "P29") & (frame["month"] > 16))].reset_index(drop=True)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT / "data" / "published")


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    return make_patients()


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    return make_visits()


@pytest.fixture(scope="module")
def checked(registry: Registry, patients: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    return check_cohort(Tables(patients, visits), registry)


def agreeing_registry(registry: Registry, checked: pd.DataFrame) -> Registry:
    """The registry as if the article printed what the made-up cohort gives."""
    computed = dict(zip(checked["id"], checked["computed"], strict=True))
    numbers = {
        name: dataclasses.replace(row, printed=PrintedNumber(computed[name]))
        if name in computed and row.printed.operator == "="
        else row
        for name, row in registry.numbers.items()
    }
    claims = {
        name: dataclasses.replace(row, expected=computed.get(name, row.expected))
        for name, row in registry.claims.items()
    }
    return Registry(numbers, claims, registry.plan, registry.variables)


def disagreeing(frame: pd.DataFrame) -> set[str]:
    return set(frame.loc[~frame["agrees"].astype(bool), "id"])


# Nothing is skipped


def test_every_row_about_the_cohort_is_checked(registry: Registry, checked: pd.DataFrame) -> None:
    left = [row.id for row in registry if not is_about_a_cohort(row)]
    assert sorted([*checked["id"], *left]) == sorted(row.id for row in registry)
    assert len(checked) > 300


def test_rows_are_only_left_where_the_tables_are_silent(registry: Registry) -> None:
    """Among the cohort's own rows: months, doses, rules of the design, calendar years."""
    names = {row.id for row in registry if not is_about_a_cohort(row)}
    own = [row for row in registry.numbers.values() if row.group == "IVIG" and row.id in names]
    assert {row.statistic for row in own} == {"month", "other", "min", "max", "threshold"}
    claims = [row for row in registry.claims.values() if row.group == "IVIG" and row.id in names]
    assert [row.id for row in claims] == ["discussion-cohort-size-ivig-ordering"]


def test_a_row_without_check_is_an_error(
    registry: Registry, patients: pd.DataFrame, visits: pd.DataFrame
) -> None:
    row = registry.numbers["abstract-mrss-ivig-m6-mean"]
    odd = dataclasses.replace(row, id="new", variable="shoe_size")
    numbers = {**registry.numbers, "new": odd}
    more = Registry(numbers, registry.claims, registry.plan, registry.variables)
    with pytest.raises(ValueError, match=r"numbers\.csv, new: no check for shoe_size, m6, mean"):
        check_cohort(Tables(patients, visits), more)


def test_a_repeat_is_computed_like_its_first_mention(
    registry: Registry, checked: pd.DataFrame
) -> None:
    found = checked.set_index("id")
    repeats = [
        row
        for row in registry.numbers.values()
        if row.same_as in found.index and row.printed == registry.numbers[row.same_as].printed
    ]
    assert len(repeats) > 50
    for row in repeats:
        assert found.loc[row.id, "computed"] == found.loc[row.same_as, "computed"]


def test_the_checker_imports_nothing_of_the_generator() -> None:
    allowed = {
        "ast",
        "collections",
        "dataclasses",
        "decimal",
        "difflib",
        "fractions",
        "functools",
        "itertools",
        "math",
        "operator",
        "pathlib",
        "typing",
        "warnings",
        "__future__",
        "numpy",
        "pandas",
        "scipy",
        "statsmodels",
    }
    for path in sorted((ROOT / "src" / "ivig_dcssc" / "checker").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            else:
                continue
            for name in names:
                own = name.startswith("ivig_dcssc.checker.") or name == "ivig_dcssc.project"
                # What the article prints, and how a value is held against it.
                engine = name in ("rederive.printed.registry", "rederive.reconstruct.checker")
                assert own or engine or name.split(".")[0] in allowed, f"{path.name}: {name}"


# What the made-up cohort prints


def test_counts_of_the_article_agree(registry: Registry, checked: pd.DataFrame) -> None:
    """The made-up patients have the article's counts: all of them agree, with their percentages."""
    rows = [
        row
        for row in registry.numbers.values()
        if row.group == "IVIG" and row.statistic in ("count", "percent", "n")
    ]
    bad = disagreeing(checked)
    assert len(rows) > 180
    assert [row.id for row in rows if row.id in bad] == []


def test_claims_about_counts_agree(checked: pd.DataFrame) -> None:
    found = checked.set_index("id")["agrees"]
    for name in (
        "results-cpk-serial-ivig-normalised",
        "results-adverse-effects-ivig-ordering",
        "results-prior-therapy-ivig-baseline-majority",
        "results-severity-renal-ivig-m12-unchanged",
        "discussion-stop-improved-or-stable-ivig-ordering",
        "discussion-responder-ivig-m12-majority",
        "table2-concomitant-other-ivig-none",
        "methods-cycles-required-ivig-threshold",
        "results-death-delay-ivig-other",
        "results-kidney-injury-delay-ivig-other",
        "results-cycles-ivig-min",
        "results-cycles-ivig-max",
    ):
        assert found[name], name


def test_made_up_scores_do_not_print_the_article(checked: pd.DataFrame) -> None:
    bad = disagreeing(checked)
    assert "abstract-mrss-ivig-baseline-mean" in bad
    wrong = failures(checked).set_index("id")
    assert set(wrong.index) == set(bad)
    assert wrong.loc["abstract-mrss-ivig-baseline-mean", "printed"] == "29.6"


def test_skin_scores_by_another_route(
    checked: pd.DataFrame, visits: pd.DataFrame, patients: pd.DataFrame
) -> None:
    """One visit per window, so that a plain pivot gives the pairs."""
    wide = visits[visits["measure"] == "mrss"].pivot(
        index="patient", columns="month", values="value"
    )
    found = checked.set_index("id")["computed"]
    assert found["abstract-mrss-ivig-baseline-mean"] == f"{wide[-2].mean():.1f}"
    for month in (6, 12):
        both = wide[[-2, month]].dropna()
        change = both[month] - both[-2]
        assert found[f"abstract-mrss-change-ivig-m{month}-sd"] == f"{change.std():.1f}"
        p = stats.ttest_1samp(change, 0).pvalue
        assert found[f"abstract-mrss-ivig-m{month}-p"] == f"{p:.4f}"
    responds = (wide[12] - wide[-2] <= -5)[wide[12].notna()]
    given = patients.set_index("patient")["concomitant_prednisone"].reindex(responds.index) == 1
    table = pd.crosstab(given, responds)
    odds = table.loc[True, True] * table.loc[False, False]
    odds /= table.loc[True, False] * table.loc[False, True]
    half = 1.959963984540054 * math.sqrt((1 / table.to_numpy()).sum())
    assert found["results-responder-prednisone-ivig-m12-or"] == f"{odds:.2f}"
    low = math.exp(math.log(odds) - half)
    assert found["results-responder-prednisone-ivig-m12-ci-low"] == f"{low:.3f}"


def test_baseline_lung_function_of_all_and_of_the_pairs(
    checked: pd.DataFrame, visits: pd.DataFrame
) -> None:
    """Table 1 has all 29; the text has the 28 measured again."""
    fvc = visits[visits["measure"] == "fvc"].pivot(index="patient", columns="month", values="value")
    found = checked.set_index("id")["computed"]
    assert found["table1-fvc-ivig-baseline-mean"] == f"{fvc[-1].mean():.1f}"
    assert found["results-fvc-ivig-baseline-mean"] == f"{fvc[-1][fvc[12].notna()].mean():.1f}"
    assert fvc[-1].count() == 29 and fvc[12].count() == 28


# A corrupted value is caught, and nothing else complains


def test_an_agreeing_article_has_no_failures(
    registry: Registry, patients: pd.DataFrame, visits: pd.DataFrame, checked: pd.DataFrame
) -> None:
    fitted = agreeing_registry(registry, checked)
    again = check_cohort(Tables(patients, visits), fitted)
    assert failures(again[~again["printed"].str.contains("[<>]|over", regex=True)]).empty


@pytest.mark.parametrize(
    ("column", "patient", "value", "variables"),
    [
        ("ae_fever", 20, 1, {"ae_fever"}),
        ("ae_headache", 25, 0, {"ae_headache", "ae_aseptic_meningitis"}),
        ("race", 0, "black", {"white", "black"}),
        ("physician_assessment", 0, "stable", {"physician_improved", "physician_stable"}),
        ("first_line", 27, None, {"first_line", "first_line_monotherapy", "prior_therapy"}),
        ("rnp", 28, math.nan, {"rnp"}),
        ("kidney_injury_delay", 0, 14, {"kidney_injury_delay"}),
        ("cycles", 1, 23, {"cycles"}),
        ("cycles_first_6_months", 1, 2, {"cycles_required"}),
        (
            "stop_reason",
            0,
            "insurance",
            {"stop_improvement", "stop_insurance", "stop_improved_or_stable"}
            | {"kidney_injury_delay"},
        ),
    ],
)
def test_a_corrupted_patient_breaks_exactly_its_rows(
    registry: Registry,
    patients: pd.DataFrame,
    visits: pd.DataFrame,
    checked: pd.DataFrame,
    column: str,
    patient: int,
    value: object,
    variables: set[str],
) -> None:
    fitted = agreeing_registry(registry, checked)
    before = disagreeing(check_cohort(Tables(patients, visits), fitted))
    worse = patients.copy()
    worse[column] = worse[column].astype(object)
    worse.loc[patient, column] = value
    after = disagreeing(check_cohort(Tables(worse, visits), fitted))
    assert before <= after
    found = {registry.numbers[name].variable for name in (after - before) & set(registry.numbers)}
    if column == "first_line":
        assert {"first_line", "first_line_monotherapy"} <= found <= variables
    else:
        assert found == variables


@pytest.mark.parametrize(
    ("measure", "month", "shift", "variables"),
    [
        ("mrss", 6, 12, {"mrss", "mrss_change", "responder", "responder_prednisone"}),
        ("mrss", 18, 30, {"mrss"}),
        ("dlco", 12, 30, {"dlco"}),
        ("rvsp", -1, 20, {"rvsp"}),
        ("tfr", 6, -1, {"tfr_resolved", "tfr_continued", "tfr_continued_restricted"}),
        ("severity_renal", 12, 1, {"severity_renal"}),
        ("cpk", 9, 1, set()),
        ("cpk", 9, 100, {"cpk_serial"}),
    ],
)
def test_a_corrupted_visit_breaks_exactly_its_rows(
    registry: Registry,
    patients: pd.DataFrame,
    visits: pd.DataFrame,
    checked: pd.DataFrame,
    measure: str,
    month: int,
    shift: float,
    variables: set[str],
) -> None:
    fitted = agreeing_registry(registry, checked)
    before = disagreeing(check_cohort(Tables(patients, visits), fitted))
    worse = visits.copy()
    here = (worse["measure"] == measure) & (worse["month"] == month)
    worse.loc[worse.index[here][0], "value"] += shift
    after = disagreeing(check_cohort(Tables(patients, worse), fitted))
    # What predicts is another matter: the fitted answer of this cohort may change with any value.
    found = {registry.row(name).variable for name in after - before if "predict" not in name}
    assert found <= variables
    assert bool(found) == bool(variables)
    assert {name for name in variables if name == measure or name.startswith(measure)} <= found | {
        "mrss_change"
    }


def test_the_months_of_the_claims_are_their_own(
    registry: Registry, patients: pd.DataFrame, visits: pd.DataFrame
) -> None:
    """A rise of every score at month 24 breaks what is said of month 24 and of the whole course."""
    worse = visits.copy()
    late = (worse["measure"] == "mrss") & (worse["month"] == 24)
    worse.loc[late, "value"] = 51
    claims = {
        name for name in disagreeing(check_cohort(Tables(patients, worse), registry))
    } - disagreeing(check_cohort(Tables(patients, visits), registry))
    assert claims & set(registry.claims) == {
        "abstract-mrss-ivig-m24-significant",
        "results-mrss-ivig-decreasing",
        "discussion-mrss-ivig-significant",
        "appendix2-mrss-restricted-ivig-decreasing",
    }


def test_a_predictor_of_response_is_found(
    registry: Registry, patients: pd.DataFrame, visits: pd.DataFrame
) -> None:
    tables = Tables(patients, visits, Windows())
    falls = np.nan_to_num(-tables.change("mrss", 6))
    worse = patients.copy()
    worse["treatment_length"] = 3 + 2 * falls + np.arange(SIZE) % 5
    found = check_cohort(Tables(worse, visits), registry).set_index("id")
    name = "results-mrss-change-predictors-ivig-m6-none-predict"
    assert found.loc[name, "computed"] == "significant"


def test_the_reading_of_the_whole_point(
    registry: Registry, patients: pd.DataFrame, visits: pd.DataFrame
) -> None:
    """A mean change of -8.2 prints as -8 and does not print as -8.0."""
    scores = visits[visits["measure"] == "mrss"]
    others = visits[visits["measure"] != "mrss"]
    flat = scores[scores["month"] != 12]
    change = [-8] * 20 + [-9] * 5
    base = scores[scores["month"] == -2].set_index("patient")["value"]
    again = pd.DataFrame({"patient": NAMES[:25], "month": 12, "measure": "mrss"})
    again["value"] = [base[name] + move for name, move in zip(NAMES, change, strict=False)]
    moved = pd.concat([others, flat, again], ignore_index=True)
    name = "abstract-mrss-change-ivig-m12-mean"
    whole = check_cohort(Tables(patients, moved), registry).set_index("id").loc[name]
    tenth = (
        check_cohort(Tables(patients, moved), registry, reading="-8.0").set_index("id").loc[name]
    )
    assert (whole["computed"], whole["agrees"]) == ("-8", True)
    assert (tenth["printed"], tenth["computed"], tenth["agrees"]) == ("-8.0", "-8.2", False)
    with pytest.raises(ValueError, match=r"reading: found '-9', allowed: -8, -8\.0"):
        check_cohort(Tables(patients, moved), registry, reading="-9")  # type: ignore[arg-type]


# Printing


@pytest.mark.parametrize(
    ("value", "texts", "others"),
    [
        ("24.05", ("24.1", "24.0"), ("24.2",)),
        ("24.15", ("24.2",), ("24.1",)),
        ("-5.25", ("-5.3", "-5.2"), ()),
        ("-0.04", ("0.0",), ()),
        ("24.0499999", ("24.0",), ("24.1",)),
        ("1", ("1.0",), ()),
        ("0.5", ("1", "0"), ()),
        ("6.666666", ("6.67",), ("6.66",)),
    ],
)
def test_a_half_rounds_up_or_to_even(
    value: str, texts: tuple[str, ...], others: tuple[str, ...]
) -> None:
    for text in (*texts, *others):
        assert compare(text, Decimal(value), ROUNDINGS)[1] == (text in texts)


@given(st.integers(-9999, 9999), st.integers(1, 60), st.integers(0, 3))
def test_a_printing_is_the_nearest_figure(top: int, bottom: int, decimals: int) -> None:
    value = Fraction(top, bottom)
    unlike = f"{10**6:.{decimals}f}"
    text, _ = compare(unlike, decimal_of(value), ROUNDINGS)
    assert compare(text, decimal_of(value), ROUNDINGS) == (text, True)
    assert abs(Fraction(text) - value) <= Fraction(1, 2 * 10**decimals)


@pytest.mark.parametrize(
    ("value", "printed", "computed", "agrees"),
    [
        ("0.00009", "<0.0001", "<0.0001", True),
        ("0.0001", "<0.0001", "0.0001", False),
        ("73.33", "over 70", "over 70", True),
        ("70", "over 70", "70", False),
        ("3", "≥3", "≥3", True),
        ("2", "≥3", "2", False),
        ("9.995", "10.0", "10.0", True),
        ("9.94", "10.0", "9.9", False),
        ("12.45", "12.4", "12.4", True),
    ],
)
def test_compare(value: str, printed: str, computed: str, agrees: bool) -> None:
    assert compare(printed, Decimal(value), ROUNDINGS) == (computed, agrees)


def test_compare_without_a_value() -> None:
    assert compare("0.05", None, ROUNDINGS) == ("not computable", False)


def test_the_sd_is_exact() -> None:
    """Two values 0.1 apart have SD 0.1 / √2; the root of 0.0225 is exactly 0.15."""
    assert not compare("0.1", root_of(Fraction(9, 400)), ROUNDINGS)[1]
    assert all(compare(text, root_of(Fraction(1, 16)), ROUNDINGS)[1] for text in ("0.3", "0.2"))
    assert sd(np.array([1.63, math.nan, 1.73])) == root_of(Fraction(1, 200))
    assert mean(np.array([0.1, 0.2, math.nan])) == Decimal("0.15")
    assert mean(np.array([math.nan])) is None
    assert sd(np.array([1.0])) is None


# Windows


def records(*visits: tuple[int, float]) -> Records:
    """Records of the second of two patients."""
    months, values = np.array(visits, float).T
    return Records(np.ones(len(visits), int), months, values)


def taken_of(found: np.ndarray) -> list[float]:
    assert len(found) == 2 and np.isnan(found[0])
    return found[np.isfinite(found)].tolist()


@pytest.mark.parametrize(
    ("months", "window", "taken"),
    [
        ([-4], 3, None),
        ([-3], 3, -3),
        ([-3, -1], 3, -1),
        ([0, -1], 3, 0),
        ([1, -3], 3, -3),
        ([1], 3, None),
        ([-3], 2, None),
        ([-12, -13], 12, -12),
    ],
)
def test_baseline_windows(months: list[int], window: int, taken: int | None) -> None:
    found = at_baseline(records(*[(month, month) for month in months]), window, 2)
    assert taken_of(found) == ([] if taken is None else [taken])


@pytest.mark.parametrize(
    ("months", "tolerance", "rule", "taken"),
    [
        ([4, 8], 2, "closest", 4),
        ([3, 9], 2, "closest", None),
        ([5, 7], 2, "closest", 5),
        ([7, 5], 2, "closest", 5),
        ([4, 7], 2, "closest", 7),
        ([4, 6, 8], 2, "first", 4),
        ([4, 6, 8], 2, "last", 8),
        ([9], 3, "closest", 9),
        ([9, 10], 3, "last", 9),
    ],
)
def test_followup_windows(months: list[int], tolerance: int, rule: str, taken: int | None) -> None:
    """Target 6 beside 12; month 9 is as near to both and belongs to 6."""
    table = records(*[(month, month) for month in months])
    found = at_target(table, 6, tolerance, 2, rule, (6, 12, 18, 24))
    assert taken_of(found) == ([] if taken is None else [taken])


def test_a_visit_is_used_for_one_target_only() -> None:
    table = records((9, 1.0), (15, 2.0))
    targets = (6, 12, 18, 24)
    found = {target: at_target(table, target, 3, 2, "closest", targets) for target in targets}
    assert {target: taken_of(values) for target, values in found.items()} == {
        6: [1.0],
        12: [2.0],
        18: [],
        24: [],
    }


@given(
    st.lists(st.integers(-6, 30), unique=True, min_size=1, max_size=12),
    st.integers(0, 5),
    st.sampled_from(["closest", "first", "last"]),
)
def test_windows_by_brute_force(months: list[int], tolerance: int, rule: str) -> None:
    targets = (6, 12, 18, 24)
    table = records(*[(month, month) for month in months])
    for target in targets:
        inside = [
            month
            for month in sorted(months)
            if abs(month - target) <= tolerance
            and min(targets, key=lambda each, month=month: (abs(each - month), each)) == target
        ]
        taken = taken_of(at_target(table, target, tolerance, 2, rule, targets))
        if not inside:
            assert taken == []
        elif rule == "closest":
            assert taken == [min(inside, key=lambda month: (abs(month - target), month))]
        else:
            assert taken == [inside[0] if rule == "first" else inside[-1]]


def test_a_tighter_window_changes_what_is_found(
    registry: Registry, patients: pd.DataFrame, visits: pd.DataFrame
) -> None:
    found = check_cohort(Tables(patients, visits, Windows(baseline_window=1)), registry).set_index(
        "id"
    )["computed"]
    assert found["abstract-mrss-ivig-baseline-mean"] == "not computable"
    assert found["abstract-mrss-ivig-m6-n"] == "0"


def test_primary_and_restricted_windows_of_organ_measures(patients: pd.DataFrame) -> None:
    """Primary: months -12 to 0 and 6 to 18; restricted: -3 to 0 and 9 to 15."""
    months = {"P01": (-12, 18), "P02": (-3, 9), "P03": (-4, 15), "P04": (0, 16), "P05": (-13, 5)}
    rows = [
        (name, month, measure, 1.0)
        for name, both in months.items()
        for month in both
        for measure in ("fvc", "severity_gi")
    ]
    visits = pd.DataFrame(rows, columns=["patient", "month", "measure", "value"])
    tables = Tables(patients, visits, Windows())
    for measure in ("fvc", "severity_gi"):
        assert np.flatnonzero(np.isfinite(tables.change(measure, 12))).tolist() == [0, 1, 2, 3]
        tight = tables.change(measure, 12, restricted=True)
        assert np.flatnonzero(np.isfinite(tight)).tolist() == [1]


def test_serial_ck_needs_a_value_after_the_first_infusion(patients: pd.DataFrame) -> None:
    months = {0: (-2, 8), 1: (-8, -2), 2: (3,), 3: (-1, 2, 20), 10: (-2, 8)}
    rows = [
        (NAMES[one], month, "cpk", 500.0 - month) for one, each in months.items() for month in each
    ]
    visits = pd.DataFrame(rows, columns=["patient", "month", "measure", "value"])
    before, last = Tables(patients, visits, Windows()).serial_ck
    followed = np.flatnonzero(np.isfinite(last))
    assert followed.tolist() == [0, 3]
    assert before[followed].tolist() == [502.0, 501.0]
    assert last[followed].tolist() == [492.0, 480.0]


def test_categories_and_nullable_columns_are_read_alike(
    registry: Registry, patients: pd.DataFrame, visits: pd.DataFrame, checked: pd.DataFrame
) -> None:
    texts = {name: "category" for name in ("race", "first_line", "stop_reason")}
    found = check_cohort(
        Tables(
            patients.astype(texts).astype(
                {"patient": "category", "rnp": "Int64", "age": "Float64"}
            ),
            visits.astype(
                {"patient": "category", "measure": "category", "month": "int16", "value": "Float64"}
            ),
        ),
        registry,
    )
    pd.testing.assert_frame_equal(found, checked)


def test_rubs_by_hand(checked: pd.DataFrame) -> None:
    found = checked.set_index("id")["computed"]
    assert found["results-tfr-ivig-baseline-count"] == "10"
    assert found["results-tfr-resolved-ivig-m6-count"] == "7"
    assert found["results-tfr-continued-ivig-m6-count"] == "2"
    assert found["results-tfr-unknown-ivig-m6-count"] == "1"
    assert found["appendix2-tfr-restricted-ivig-baseline-count"] == "6"
    assert found["appendix2-tfr-continued-restricted-ivig-m6-count"] == "1"


# Tests


def test_paired_tests_without_change() -> None:
    same = np.array([0.0, 0.0, math.nan, 0.0])
    assert signed_rank_p(same) == 1.0
    assert paired_t_p(same) is None
    assert paired_t_p(np.array([3.0])) is None
    assert signed_rank_p(same[:0]) is None


def test_signed_rank_with_zeros_by_hand() -> None:
    """Changes 0, 1, 1, -1, 2: zero takes rank 1, the ones 3 each, the two 5 (Pratt)."""
    positive = 3 + 3 + 5
    centre = (5 * 6 - 1 * 2) / 4
    variance = (5 * 6 * 11 - 1 * 2 * 3) / 24 - (3**3 - 3) / 48
    p = 2 * stats.norm.sf((positive - centre) / math.sqrt(variance))
    assert signed_rank_p(np.array([0.0, 1, 1, -1, 2])) == pytest.approx(p, abs=1e-12)


@given(st.lists(st.integers(-40, 40), min_size=2, max_size=30), st.sampled_from([1, 0.125, 0.01]))
def test_paired_tests_are_those_of_scipy(steps: list[int], step: float) -> None:
    change = np.array(steps) * step
    p = signed_rank_p(change)
    if any(steps):
        ranked = stats.wilcoxon(steps, zero_method="pratt", correction=False, method="approx")
        assert p == pytest.approx(ranked.pvalue, rel=1e-9, abs=1e-300)
    if len(set(steps)) > 1:
        assert paired_t_p(change) == pytest.approx(stats.ttest_1samp(steps, 0).pvalue, rel=1e-9)


def plain_logistic(y: np.ndarray, x: np.ndarray) -> list[float] | None:
    """Odds ratio, its interval and p by statsmodels; none where no finite estimate exists."""
    yes, no = x[y == 1], x[y == 0]
    if not len(yes) or not len(no) or yes.max() <= no.min() or no.max() <= yes.min():
        return None
    fit = sm.Logit(y, sm.add_constant((x - x.mean()) / x.std())).fit(disp=0, maxiter=200, tol=1e-12)
    slope, ends = fit.params[1] / x.std(), fit.conf_int()[1] / x.std()
    return [*np.exp([slope, *ends]), fit.pvalues[1]]


columns = st.sampled_from(["flag", "rare", "number", "separating", "constant"])


@given(st.integers(0, 2**32), st.integers(4, 40), st.lists(columns, min_size=1, max_size=6))
def test_regressions_are_those_of_statsmodels(seed: int, n: int, kinds: list[str]) -> None:
    """Many at once, each with patients of whom it is not known, also where none is estimable."""
    draw = np.random.default_rng(seed)
    change = draw.integers(-12, 12, n).astype(float)
    responds = (change <= -5).astype(float)
    change[draw.random(n) < 0.1] = math.nan
    responds[np.isnan(change)] = math.nan
    made = {
        "flag": lambda: draw.integers(0, 2, n),
        "rare": lambda: np.arange(n) == draw.integers(n),
        "number": lambda: draw.normal(40, 10, n).round(1),
        "separating": lambda: np.nan_to_num(change) + draw.integers(-3, 4),
        "constant": lambda: np.full(n, 7.3),
    }
    x = np.array([made[kind]() for kind in kinds], float)
    x[draw.random(x.shape) < 0.1] = math.nan
    slopes, odds = linear_p(change, x), np.array(logistic(responds, x)).T
    for row, slope, ratio in zip(x, slopes, odds, strict=True):
        known = np.isfinite(row) & np.isfinite(change)
        y, own = change[known], row[known]
        if len(y) < 3 or not np.ptp(y) or not np.ptp(own):
            assert math.isnan(slope)
        else:
            fit = sm.OLS(y, sm.add_constant((own - own.mean()) / own.std())).fit()
            assert slope == pytest.approx(fit.pvalues[1], rel=1e-9, abs=1e-9)
        expected = plain_logistic(responds[known], own)
        if expected is None:
            assert np.isnan(ratio).all()
        else:
            assert ratio == pytest.approx(expected, rel=1e-9, abs=1e-9)


# Tables that are no cohort


def test_tables_are_refused(patients: pd.DataFrame, visits: pd.DataFrame) -> None:
    windows = Windows()
    with pytest.raises(ValueError, match=r"patients: missing columns cycles"):
        Tables(patients.drop(columns="cycles"), visits, windows)
    with pytest.raises(ValueError, match="patients: found P01, allowed are one row a patient"):
        Tables(pd.concat([patients, patients.iloc[:1]]), visits, windows)
    stranger = visits.assign(patient=visits["patient"].replace("P01", "P99"))
    with pytest.raises(ValueError, match="visits: found P99 -2 mrss, allowed are known patients"):
        Tables(patients, stranger, windows)
    with pytest.raises(ValueError, match="visits: found P01 -2 mrss, allowed are one record"):
        Tables(patients, pd.concat([visits, visits.iloc[:1]]), windows)
    odd = visits.assign(measure=visits["measure"].replace("mrss", "mrs"))
    with pytest.raises(ValueError, match="visits: found P01 -2 mrs, allowed are measures mrss"):
        Tables(patients, odd, windows)
    with pytest.raises(ValueError, match="column month: allowed are numbers"):
        Tables(patients, visits.assign(month="2010-01-01"), windows)
    with pytest.raises(ValueError, match="patients: found 2 cohorts"):
        Tables(patients.assign(cohort=[0, 1] * 15), visits, windows)


# Coherence within patients

OF_OURS = ("coherence-lung-severity", "coherence-heart", "coherence-physiologic")
"""Rules that the made-up cohort, with values far apart, does not keep; see test_coherence.py."""


def test_the_made_up_cohort_is_coherent(patients: pd.DataFrame, visits: pd.DataFrame) -> None:
    assert incoherences(Tables(patients, visits), OF_OURS) == []


@pytest.mark.parametrize(
    ("column", "patient", "value", "words"),
    [
        ("age_onset", 3, 10.0, "age at onset"),
        ("cycles", 4, 2, "fewer cycles"),
        ("ae_headache", 25, 0, "without headache"),
        ("ae_tia", 2, 1, "transient ischemic attack"),
        ("death_month", 3, 12.0, "month of death"),
        ("treatment_length", 28, 20, "longer than life"),
        ("concomitant_mmf", 27, 1, "monotherapy"),
        ("myositis", 29, 0, "first-line MMF"),
        ("prior_gold", 9, 1, "other earlier drug"),
        ("race", 5, "blue", "allowed are white, black, other"),
        ("female", 5, 2, "allowed are 0, 1"),
    ],
)
def test_incoherences(
    patients: pd.DataFrame,
    visits: pd.DataFrame,
    column: str,
    patient: int,
    value: object,
    words: str,
) -> None:
    worse = patients.copy()
    worse[column] = worse[column].astype(object)
    worse.loc[patient, column] = value
    worse = worse.infer_objects()
    found = incoherences(Tables(worse, visits), OF_OURS)
    assert len(found) >= 1
    assert all(line.startswith(NAMES[patient]) for line in found)
    assert any(words in line for line in found)


def test_values_off_the_scale(patients: pd.DataFrame, visits: pd.DataFrame) -> None:
    for measure, value in (("mrss", 52), ("haq_di", 1.3), ("tfr", 2), ("patient_rating", 3.01)):
        worse = visits.copy()
        worse.loc[worse.index[worse["measure"] == measure][0], "value"] = value
        assert [
            line for line in incoherences(Tables(patients, worse)) if f"{measure} in month" in line
        ]


def test_lists_of_names_agree_with_the_registry(registry: Registry) -> None:
    """The measures and flags are variables of the article, none forgotten."""
    known = set(registry.variables)
    assert set(FLAGS) <= known
    assert set(MEASURES) <= known
    assert {name for name in known if name.startswith("ae_")} == set(ADVERSE_EFFECTS)
