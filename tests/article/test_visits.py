"""Dated visits: the article's windows give back what went in, and nothing else disturbs them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ivig_dcssc.checker import Tables, check_cohort, incoherences
from ivig_dcssc.checker.tables import FLAGS, PATIENT_COLUMNS, VISIT_COLUMNS
from ivig_dcssc.generator.drawing import CK_NORMAL
from ivig_dcssc.generator.skin import PRIORS, skin_block
from ivig_dcssc.generator.visits.dates import Dates, Needs, draw_oldest, visit_windows
from ivig_dcssc.generator.visits.records import date_visits, seen_before
from ivig_dcssc.generator.visits.rubs import Rubs, ck_course, draw_rubs, draw_serial
from ivig_dcssc.generator.visits.severities import Severities, draw_severities
from ivig_dcssc.generator.visits.timing import Measured, draw_timing, paired_decision
from rederive.printed.registry import Registry, load_registry
from rederive.reconstruct.block import sample_data
from rederive.reconstruct.checker import failures
from rederive.retrospective import Windows, at_baseline, at_followup, measured

SIZE = 30
NAMES = [f"P{number:02d}" for number in range(1, SIZE + 1)]
PER_PRIOR = 7
TARGETS = (6, 12, 18, 24)
ORGANS = Windows(baseline_window=12, targets=(12,), tolerance=6)
TIGHT = Windows(baseline_window=3, targets=(12,), tolerance=3)

CHECKED = ("mrss", "responder", "tfr", "severity", "cpk_serial", "haq_di_restricted")
CHECKED += ("pulmonary_function_restricted",)
NOT_OURS = ("predictors", "prednisone")


@dataclass(frozen=True)
class Cohort:
    """What went into the visits, and the visits."""

    skin: np.ndarray
    mask: np.ndarray
    organs: list[Measured]
    severities: Severities
    rubs: Rubs
    patients: pd.DataFrame
    visits: pd.DataFrame
    seed: int


def paired(rng: np.random.Generator, name: str, n: int, again: int, spread: float) -> Measured:
    """A measure with no significant change; ``again`` of its ``n`` patients are measured twice."""
    order = rng.permutation(SIZE)
    step = {"haq_di": 0.125, "patient_rating": 0.01}.get(name, 1)
    while True:
        before = np.clip(rng.integers(5, 17, SIZE), 0, 24) * (8 if step == 1 else 1)
        after = np.clip(np.rint(before + spread * rng.standard_normal(SIZE)), 0, 24 * 8)
        change = after[order[:again]] - before[order[:again]]
        t = change.mean() / change.std(ddof=1) * np.sqrt(again)
        if abs(t) < 1.2:
            break
    low, high = np.full(SIZE, np.nan), np.full(SIZE, np.nan)
    low[order[:n]] = before[order[:n]] * step
    high[order[:again]] = after[order[:again]] * step
    return Measured(name, low, high)


def make_organs(rng: np.random.Generator, myositis: np.ndarray) -> list[Measured]:
    none = np.full(SIZE, np.nan)
    ck, pressure = none.copy(), none.copy()
    ck[rng.permutation(np.flatnonzero(~myositis))[:13]] = rng.integers(40, 190, 13)
    ck[myositis] = rng.integers(250, 2000, 5)
    pressure[rng.permutation(SIZE)[:19]] = rng.integers(20, 45, 19)
    return [
        paired(rng, "haq_di", 28, 26, 2.0),
        paired(rng, "patient_rating", 28, 26, 2.0),
        paired(rng, "fvc", 29, 28, 9.0),
        paired(rng, "dlco", 28, 25, 9.0),
        Measured("cpk", ck, none),
        Measured("rvsp", pressure, none),
    ]


def make_patients(rng: np.random.Generator, mask: np.ndarray) -> pd.DataFrame:
    """Stubs: only what the visits look at has a meaning."""
    table = pd.DataFrame({"patient": NAMES})
    for name in PATIENT_COLUMNS[1:]:
        table[name] = 0 if name in FLAGS else np.nan
    table["myositis"] = rng.permutation([1] * 5 + [0] * 25)
    table["stop_reason"], table["race"] = "improvement", "white"
    lost = rng.permutation(np.flatnonzero(~mask[:, 3] & ~mask[:, 4]))
    if len(lost):
        table.loc[lost[0], ["stop_reason", "death_month"]] = ["death", 16.0]
    if len(lost) > 1:
        table.loc[lost[1], "stop_reason"] = "moved"
    table["disease_duration"] = rng.permutation(np.arange(SIZE) * 3 + 1)
    return table[list(PATIENT_COLUMNS)]


@pytest.fixture(scope="module")
def registry(root: Path) -> Registry:
    return load_registry(root / "data" / "published")


@pytest.fixture(scope="module")
def cohorts(registry: Registry) -> list[Cohort]:
    made = []
    for prior in PRIORS.values():
        drawn = sample_data(
            skin_block(registry), prior, PER_PRIOR, 3, chains=1, thin=20, warmup=50_000
        )
        for draw in range(PER_PRIOR):
            seed = len(made)
            rng = np.random.default_rng(seed)
            order = rng.permutation(SIZE)
            skin, mask = drawn.values[draw][order].astype(float), drawn.mask[draw][order]
            patients = make_patients(rng, mask)
            severities = draw_severities(registry, rng, followed=mask[:, 2])
            early = seen_before(patients, registry)
            rubs = draw_rubs(registry, rng, followed=mask[:, 1], seen_before=early)
            organs = make_organs(rng, patients["myositis"].eq(1).to_numpy())
            visits = date_visits(
                skin,
                mask,
                organs,
                severities,
                rubs,
                patients,
                np.random.default_rng(seed),
                registry,
            )
            made.append(Cohort(skin, mask, organs, severities, rubs, patients, visits, seed))
    return made


def read(one: Cohort, measure: str, windows: Windows) -> np.ndarray:
    values = measured(one.visits, measure, windows, one.patients[["patient"]])
    return values.loc[NAMES].to_numpy()


def months_used(
    visits: pd.DataFrame, measure: str, windows: Windows, patients: pd.DataFrame | None = None
) -> pd.DataFrame:
    known = visits[visits["value"].notna()]
    return measured(known.assign(value=known["month"]), measure, windows, patients)


def read_months(one: Cohort, measure: str, windows: Windows) -> np.ndarray:
    values = months_used(one.visits, measure, windows, one.patients[["patient"]])
    return values.loc[NAMES].to_numpy()


def test_the_checker_finds_every_printed_figure(cohorts: list[Cohort], registry: Registry) -> None:
    for one in cohorts:
        checked = check_cohort(Tables(one.patients, one.visits), registry)
        variable = checked["id"].map(lambda row_id: registry.row(row_id).variable)
        ours = variable.str.startswith(CHECKED) & ~variable.str.contains("|".join(NOT_OURS))
        assert ours.sum() > 60
        assert failures(checked[ours]).empty


def test_nothing_is_off_its_scale_or_after_death(cohorts: list[Cohort]) -> None:
    words = ("allowed are", "visit after death", "two records")
    for one in cohorts[::3]:
        found = [
            line
            for line in incoherences(Tables(one.patients, one.visits))
            if any(word in line for word in words) and "physician" not in line
        ]
        assert found == []


@pytest.mark.parametrize("rule", ["closest", "first", "last"])
def test_the_windows_give_back_the_skin_scores(cohorts: list[Cohort], rule: str) -> None:
    windows = Windows(rule=rule)
    for one in cohorts:
        expected = np.where(one.mask, one.skin, np.nan)
        np.testing.assert_array_equal(read(one, "mrss", windows), expected)


@pytest.mark.parametrize("rule", ["closest", "first", "last"])
def test_the_windows_give_back_the_organ_measures(cohorts: list[Cohort], rule: str) -> None:
    windows = dataclasses.replace(ORGANS, rule=rule)
    for one in cohorts if rule == "closest" else cohorts[::4]:
        for each in (*one.organs, *one.severities.scores.values()):
            if each.measure == "cpk":
                continue
            expected = np.stack([each.baseline, each.followup], axis=1)
            np.testing.assert_array_equal(read(one, each.measure, windows), expected)


def test_the_windows_give_back_the_rubs(cohorts: list[Cohort]) -> None:
    for one in cohorts:
        names = one.patients[["patient"]]
        before = at_baseline(one.visits, "tfr", 12, names).loc[NAMES]
        lately = at_baseline(one.visits, "tfr", 3, names).loc[NAMES]
        after = at_followup(one.visits, "tfr", [6], 2, patients=names).loc[NAMES, "m6"]
        np.testing.assert_array_equal(before, one.rubs.baseline)
        np.testing.assert_array_equal(after, one.rubs.followup)
        expected = np.where(one.rubs.recent, one.rubs.baseline, np.nan)
        np.testing.assert_array_equal(lately, expected)


def test_severities_decide_who_is_in_the_tight_windows(cohorts: list[Cohort]) -> None:
    for one in cohorts:
        pairs = np.isfinite(read(one, "severity_renal", TIGHT)).all(axis=1)
        np.testing.assert_array_equal(pairs, one.severities.tight)


def test_wider_skin_windows_only_add_patients(cohorts: list[Cohort]) -> None:
    added = 0
    for one in cohorts[::2]:
        before = None
        for tolerance in range(4):
            now = read(one, "mrss", Windows(tolerance=tolerance))
            if before is not None:
                known = np.isfinite(before)
                np.testing.assert_array_equal(now[known], before[known])
                if tolerance == 3:
                    added += int((np.isfinite(now) & ~known).sum())
            before = now
        sizes = [
            np.isfinite(at_baseline(one.visits, "mrss", width)).sum() for width in range(0, 13, 3)
        ]
        assert sizes == sorted(sizes)
    assert added > len(cohorts)


def test_wider_organ_windows_only_add_patients(cohorts: list[Cohort]) -> None:
    for one in cohorts[::4]:
        for measure in ("haq_di", "fvc", "severity_gi"):
            sizes = []
            for width in range(0, 13, 2):
                windows = Windows(baseline_window=width, targets=(12,), tolerance=width)
                sizes.append(np.isfinite(read(one, measure, windows)).sum(axis=0))
            assert (np.diff(sizes, axis=0) >= 0).all()


def test_few_patients_leave_the_tight_baseline(cohorts: list[Cohort]) -> None:
    lost = [
        SIZE - int(np.isfinite(read(one, "mrss", Windows(baseline_window=2))[:, 0]).sum())
        for one in cohorts
    ]
    assert max(lost) <= 4
    assert len(set(lost)) > 2


def test_the_tight_baseline_keeps_a_course_that_is_easily_lost() -> None:
    """Means that hardly fall from one time to the next still do without those left out."""
    rng = np.random.default_rng(0)
    values = np.round(30 + 6 * rng.standard_normal((SIZE, 1)) - np.array([0, 6, 6, 6, 10.0]))
    values[:, 1:] += rng.integers(-3, 4, (SIZE, 4))
    # A pair of patients each decides that the mean falls.
    values[:, 2] = rng.permutation(values[:, 1])
    values[0, 2] -= 2
    scored = np.ones((SIZE, 5), bool)
    values[:, 3] = values[:, 2] - (np.arange(SIZE) < 6)
    falling, free = 0, 0
    for seed in range(30):
        left = ~draw_oldest(values, scored, 0.05, np.random.default_rng(seed))
        falling += bool((np.diff(values[left].mean(axis=0)) < 0).all())
        naive = np.random.default_rng(seed).random(SIZE) > 0.1
        free += bool((np.diff(values[naive].mean(axis=0)) < 0).all())
        assert (~left).sum() <= 4
    assert falling == 30
    assert free < 25


def test_the_tight_windows_keep_a_decision_that_is_easily_lost() -> None:
    rng, everyone = np.random.default_rng(1), np.ones(SIZE, bool)
    change = rng.standard_normal(SIZE)
    change += 0.32 * change.std(ddof=1) - change.mean()
    each = Measured("haq_di", np.zeros(SIZE), change)
    assert paired_decision(change, 0.05) == 0
    tight = np.arange(SIZE) < 20
    lost = 0
    for seed in range(60):
        timing = draw_timing(
            [each],
            tight,
            everyone,
            seen_before=everyone,
            seen_at_target=everyone,
            alpha=0.05,
            rng=np.random.default_rng(seed),
        )["questionnaire"]
        assert paired_decision(change[timing.tight], 0.05) == 0
        naive = np.random.default_rng(seed).random(SIZE) < 0.6
        lost += paired_decision(change[naive], 0.05) != 0
    assert lost > 3


@given(st.lists(st.integers(-20, 20), max_size=30))
def test_decisions_are_those_of_the_paired_t_test(changes: list[int]) -> None:
    found = paired_decision(np.array(changes, float), 0.05)
    if len(set(changes)) < 2:
        assert found == 0
        return
    test = stats.ttest_1samp(changes, 0)
    assert found == (np.sign(test.statistic) if test.pvalue < 0.05 else 0)


def test_dates_look_like_visits(cohorts: list[Cohort]) -> None:
    shares, rises = [], []
    beside: set[int] = set()
    for one in cohorts:
        skin = one.visits[one.visits["measure"] == "mrss"]
        skin_visits = set(zip(skin["patient"], skin["month"], strict=True))
        organs = one.visits[one.visits["measure"].isin(["haq_di", "fvc", "severity_gi", "tfr"])]
        keys = zip(organs["patient"], organs["month"], strict=True)
        shares.append(np.mean([key in skin_visits for key in keys]))
        early = skin[skin["month"] < -3].groupby("patient")["value"].mean()
        base = pd.Series(one.skin[:, 0], index=NAMES)
        rises.append((base.reindex(early.index) - early).mean())
        months = read_months(one, "mrss", Windows())[:, 1:]
        assert np.nanmax(np.abs(months - TARGETS)) <= 2
        ill = pd.Series(one.patients["disease_duration"].to_numpy(), index=NAMES)
        oldest = one.visits.groupby("patient")["month"].min()
        assert (oldest >= -np.maximum(ill.reindex(oldest.index), 4)).all()
        beside |= set(skin["month"]) & {3, 9, 15, 21, 27}
    assert beside == {3, 9, 15, 21, 27}
    assert min(shares) > 0.85
    assert min(rises) > 1


def test_nobody_comes_back_from_abroad(cohorts: list[Cohort]) -> None:
    """No visit of the patient who moved is later than the last one that a figure needs."""
    movers = 0
    for one in cohorts:
        for name in one.patients.loc[one.patients["stop_reason"] == "moved", "patient"]:
            movers += 1
            own = one.visits[one.visits["patient"] == name]
            used = [8.0, *months_used(own, "mrss", Windows()).to_numpy()[0, 1:]]
            for measure in own["measure"].unique():
                if measure not in ("mrss", "tfr"):
                    used.append(months_used(own, measure, ORGANS)["m12"].iloc[0])
            assert own["month"].max() <= np.nanmax(used)
    assert movers > len(cohorts) / 2


def test_serial_ck_falls_into_the_normal_range(cohorts: list[Cohort]) -> None:
    for one in cohorts:
        ck = one.visits[one.visits["measure"] == "cpk"]
        later = ck[ck["month"] > 0]
        myositis = set(one.patients.loc[one.patients["myositis"] == 1, "patient"])
        assert later["patient"].nunique() == 4
        assert set(later["patient"]) <= myositis
        assert (later.sort_values("month").groupby("patient")["value"].last() <= CK_NORMAL).all()
        assert ck.loc[ck["month"] <= 0, "patient"].nunique() == 18


def again(one: Cohort, registry: Registry, seed: int, **changed: object) -> pd.DataFrame:
    given = {
        "skin_values": one.skin,
        "skin_mask": one.mask,
        "measured": one.organs,
        "severities": one.severities,
        "rubs": one.rubs,
        "characteristics": one.patients,
        **changed,
    }
    return date_visits(**given, rng=np.random.default_rng(seed), registry=registry)  # type: ignore[arg-type]


def test_tables_are_tidy_and_repeatable(cohorts: list[Cohort], registry: Registry) -> None:
    for one in cohorts[::5]:
        visits = one.visits
        assert tuple(visits.columns) == VISIT_COLUMNS
        assert visits["month"].dtype == np.int64
        assert visits["value"].dtype == np.float64
        assert not visits.duplicated(["patient", "month", "measure"]).any()
        keys = list(VISIT_COLUMNS[:3])
        pd.testing.assert_frame_equal(visits, visits.sort_values(keys, ignore_index=True))
        pd.testing.assert_frame_equal(visits, again(one, registry, one.seed))
        assert not visits.equals(again(one, registry, one.seed + 1000))


def test_rubs_have_the_printed_counts(registry: Registry) -> None:
    courses = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        followed = np.ones(SIZE, bool)
        followed[rng.integers(SIZE)] = False
        early = rng.random(SIZE) < 0.8
        found = draw_rubs(registry, rng, followed=followed, seen_before=early)
        present = found.baseline == 1
        assert np.isfinite(found.baseline).all()
        after = found.followup[present]
        assert [(after == 0).sum(), (after == 1).sum(), np.isnan(after).sum()] == [7, 2, 1]
        assert not np.isfinite(found.followup[~followed]).any()
        lately = present & found.recent
        assert lately.sum() == 6
        assert (found.followup[lately] == 1).sum() == 1
        assert early[~found.recent].all() or (present & early).sum() < 4
        courses.add(tuple(np.flatnonzero(present)))
    assert len(courses) > 30


def test_one_patient_gets_what_is_needed(registry: Registry) -> None:
    """Every combination of needs is met, within the time the patient can be seen."""
    windows = visit_windows(registry)
    rng = np.random.default_rng(0)
    for number in range(600):
        last = 16.0 if number % 3 == 0 else np.inf
        mask = rng.random(5) < 0.6
        scored = (True, *mask[1:3].tolist(), *(mask[3:] & np.isinf(last)).tolist())
        flags = (rng.random(6) < 0.5).tolist()
        needs = Needs(scored, *flags[:5], float(rng.integers(5, 40)), last, flags[5])
        dates = Dates(needs, windows, rng).draw()
        after = dates.after()
        assert dates.baseline == -3 if needs.oldest else -2 <= dates.baseline <= 0
        assert set(dates.followup) == {t for t, s in zip(TARGETS, scored[1:], strict=True) if s}
        assert all(abs(month - target) <= 2 for target, month in dates.followup.items())
        assert all(windows.is_between(month) for month in dates.between)
        assert len(set(dates.between)) == len(dates.between)
        assert not after or (after[-1] <= last and after[0] > 0)
        assert all(-needs.ill_for <= month < -3 for month in dates.earlier)
        assert not needs.old or -12 <= dates.earlier[0] <= -4
        assert (dates.near is not None) == needs.near
        assert (dates.far is not None) == needs.far
        assert dates.near is None or 9 <= dates.near <= 15
        assert dates.far is None or dates.far in (6, 7, 8, 16, 17, 18)
        assert not needs.rubs or (dates.rubs is not None and 4 <= dates.rubs <= 8)


def test_serial_ck_is_of_patients_with_raised_values() -> None:
    rng = np.random.default_rng(1)
    baseline = np.array([900.0, 150.0, 300.0, np.nan, 5000.0])
    myositis = np.array([True, True, True, True, False])
    assert draw_serial(baseline, myositis, 2, rng) == [0, 2]
    for months in ([5], [6, 12], [4, 9, 13, 18, 26]):
        found = ck_course(900, months, rng)
        assert [month for month, _ in found][-1] == months[-1]
        assert {month for month, _ in found} <= set(months)
        assert found[-1][1] <= CK_NORMAL
        assert all(value == round(value) > 0 for _, value in found)
