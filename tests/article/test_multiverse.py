"""The multiverse against the ordinary way: a set of choices at a time, through CohortResults."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind_from_stats

from ivig_dcssc.analysis import Choices, CohortResults, load_ensembles
from ivig_dcssc.multiverse import DEPENDS, RESULTS, Axes, Multiverse, published, published_value
from ivig_dcssc.multiverse.results import COMPARATORS, PAIRED, PAIRED_T
from ivig_dcssc.multiverse.universe import P_FLOOR, Band
from one_specification import parameters_of, values_of
from rederive.printed.registry import load_registry
from repetitions import repeated

ALPHA = 0.05
QUANTILES = (0.5, 0.025, 0.975)


@pytest.fixture(scope="module")
def registry(root):
    return load_registry(root / "data" / "published")


@pytest.fixture(scope="module")
def multiverse(root, registry) -> Multiverse:
    return Multiverse(load_ensembles(root), registry)


def ordinary(root, registry, levels: dict[str, object]) -> dict[str, pd.Series]:
    """Every result under one specification, by cohort, as the book's notebooks compute it."""
    ensembles = load_ensembles(root, str(levels["prior"]))
    if levels["reading"] == "-8.0":
        as_printed = CohortResults(ensembles, Choices.of(), registry)
        mean = as_printed.number("abstract-mrss-change-ivig-m12-mean")
        kept = mean.index[(mean + 8.0).abs() <= 0.05 + 1e-9]
        ensembles = type(ensembles)(
            ensembles.patients[ensembles.patients["cohort"].isin(kept)],
            ensembles.visits[ensembles.visits["cohort"].isin(kept)],
            ensembles.priors[kept],
        )
    results = CohortResults(ensembles, Choices.of(parameters_of(levels)), registry)
    return values_of(results)


def specifications(number: int, seed: int) -> list[dict[str, object]]:
    rng, axes = random.Random(seed), Axes()
    return [{name: rng.choice(axes.levels(name)) for name in Axes.__slots__} for _ in range(number)]


ARTICLE = {
    "baseline_window": 3,
    "followup_tolerance": 2,
    "visit_rule": "closest",
    "responder_threshold": 5,
    "paired_test": PAIRED_T,
    "two_sample_test": "student",
    "reading": "-8",
    "prior": "flat",
}
TIGHTEST = ARTICLE | {"baseline_window": 0, "followup_tolerance": 0, "prior": "bimodal"}


@pytest.mark.parametrize(
    "levels",
    [
        ARTICLE,
        TIGHTEST,
        ARTICLE | {"followup_tolerance": 3, "visit_rule": "last"},
        *specifications(repeated(1), seed=11),
    ],
    ids=lambda levels: "-".join(str(each)[:9] for each in levels.values()),
)
def test_every_result_is_that_of_the_ordinary_way(root, registry, multiverse, levels):
    found = ordinary(root, registry, levels)
    assert set(found) == set(RESULTS)
    for name, values in found.items():
        frame = multiverse.table(name).frame
        for choice in DEPENDS[RESULTS[name].quantity]:
            frame = frame[frame[choice] == levels[choice]]
        assert len(frame) == 1
        row = frame.iloc[0]
        expected = [values.quantile(share) for share in QUANTILES]
        assert row[["value", "low", "high"]].tolist() == pytest.approx(
            expected, rel=1e-9, abs=1e-12, nan_ok=True
        ), name
        decided = {"p": values < ALPHA, "p_against": values < ALPHA}
        decided["responder_percent"] = values > 50
        yes = decided.get(RESULTS[name].quantity)
        assert row["decision"] == pytest.approx(np.nan if yes is None else yes.mean(), nan_ok=True)


def test_tables_cover_all_levels_of_what_they_depend_on(multiverse):
    axes = multiverse.axes
    assert axes.size == 7 * 4 * 3 * 15 * 5 * 2 * 2 * 3 >= 5000
    for name in ("n_m6", "responders_m12", "p_m24", "p_against_mmf_m12"):
        table = multiverse.table(name)
        expected = [axes.levels(choice) for choice in DEPENDS[RESULTS[name].quantity]]
        cells = table.frame[list(table.choices)].itertuples(index=False, name=None)
        assert list(cells) == list(itertools.product(*expected))
        assert table.is_complete


def test_the_articles_own_specification_prints_the_article(multiverse, registry):
    """All cohorts were made to: a test of the code, not of the article."""
    checked = 0
    for name, result in RESULTS.items():
        figure = published(registry, result)
        if figure is None or result.quantity == "p_against":
            continue
        frame = multiverse.table(name).frame
        for choice in DEPENDS[result.quantity]:
            frame = frame[frame[choice] == ARTICLE[choice]]
        interval = figure.interval()
        row = frame.iloc[0]
        assert interval.lower - 1e-9 <= row["low"] <= row["high"] <= interval.upper + 1e-9, name
        checked += 1
    assert checked == 18


def test_published_values_of_shares_and_differences_follow_from_the_printed_figures(registry):
    assert published_value(registry, RESULTS["responder_percent_m12"]) == pytest.approx(60)
    assert published_value(registry, RESULTS["difference_d-pen_m12"]) == pytest.approx(-5.53)
    assert published_value(registry, RESULTS["p_against_collagen_m12"]) == pytest.approx(0.005)
    assert published_value(registry, RESULTS["change_m24"]) is None


def test_wider_baseline_windows_select_the_same_visits(multiverse):
    assert multiverse.distinct_windows < 7 * 4 * 3
    frame = multiverse.table("n_m12").frame
    grid = frame.pivot_table("value", "baseline_window", "followup_tolerance")
    assert grid.loc[[3, 4, 5, 6]].drop_duplicates().shape == (1, 4)


def test_windows_that_select_the_same_visits_are_the_same_specification(multiverse):
    """Baselines from 3 months on, all rules up to 2, the first and the closest visit at 3."""
    assert multiverse.places.shape == (7, 4, 3)
    for name, levels in (("p_m12", 5), ("responders_m12", 15), ("n_m6", 1)):
        table = multiverse.table(name)
        assert len(table.distinct.frame) == multiverse.distinct_windows * levels * 2 * 3
        narrow = table.frame[
            (table.frame["baseline_window"] <= 3)
            & (
                (table.frame["visit_rule"] == "closest")
                | ((table.frame["followup_tolerance"] == 3) & (table.frame["visit_rule"] == "last"))
            )
        ]
        assert len(narrow) == len(table.distinct.frame)
    assert multiverse.table("p_m12").log_floor == P_FLOOR
    assert multiverse.table("mean_m12").log_floor is None


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        # What the ledger gives for all printed figures of the change, pooled variance.
        ("p_against_relaxin_m6", 0.670, 0.743),
        ("p_against_mmf_m6", 0.2162, 0.2537),
        ("p_against_collagen_m12", 0.0021, 0.0100),
    ],
)
def test_in_the_articles_windows_the_band_reaches_what_the_printed_figures_allow(
    multiverse, name, low, high
):
    found = multiverse.rounding_band(RESULTS[name])
    place = int(multiverse.places[3, 2, 0])
    digits = 3 if name.endswith("relaxin_m6") else 4
    for prior in range(3):
        ends = [float(each[0, place, 0, prior]) for each in found]
        # Printed there with this many digits; the last one may differ by one.
        assert ends[0] == pytest.approx(low, abs=1.01 * 10.0**-digits)
        assert ends[1] == pytest.approx(high, abs=1.01 * 10.0**-digits)
    points = multiverse.distinct_band(RESULTS[name])
    assert (found[0] <= points.low + 1e-12).all()
    assert (found[1] >= points.high - 1e-12).all()


def test_interpretations_and_priors_keep_their_cohorts(multiverse):
    wide, narrow = multiverse._groups
    for own, fewer in zip(wide, narrow, strict=True):
        assert own.sum() == 200
        assert 0 < fewer.sum() < 100
        assert not (fewer & ~own).any()


@pytest.mark.parametrize("at", [0, 1], ids=["student", "welch"])
def test_comparisons_with_controls_are_scipys(root, registry, multiverse, at):
    tables = CohortResults(load_ensembles(root), Choices.of(), registry).tables
    place = int(multiverse.places[3, 2, 0])
    numbers = {name: float(row.printed.value) for name, row in registry.numbers.items()}
    for name, group in [(name, each) for name, groups in COMPARATORS.items() for each in groups]:
        own, slug = tables.change(name).xs(1, level="cohort").dropna(), group.lower()
        expected = ttest_ind_from_stats(
            own.mean(),
            own.std(),
            len(own),
            numbers[f"abstract-mrss-change-{slug}-{name}-mean"],
            numbers[f"abstract-mrss-change-{slug}-{name}-sd"],
            numbers[f"table1-cohort-size-{slug}-n"],
            equal_var=at == 0,
        )
        found = multiverse.values(RESULTS[f"p_against_{slug}_{name}"])[at, place, 0]
        assert found == pytest.approx(expected.pvalue)


def test_priors_can_be_put_together(root, registry):
    axes = Axes(
        baseline_window=(2,),
        followup_tolerance=(1,),
        visit_rule=("last",),
        reading=("-8",),
        prior=("all", "flat"),
        paired_test=PAIRED[:1],
    )
    some = Multiverse(load_ensembles(root), registry, axes, alpha=0.01)
    together, flat = (
        CohortResults(
            load_ensembles(root, prior),
            Choices.of({"baseline_window": 2, "followup_tolerance": 1, "visit_rule": "last"}),
            registry,
        ).tables.paired("mrss", "m6")["p"]
        for prior in axes.prior
    )
    frame = some.table("p_m6").frame
    for row, p in zip(frame.itertuples(), (together, flat), strict=True):
        assert row.value == pytest.approx(p.median())
        assert row.decision == pytest.approx((p < 0.01).mean())


def test_bands_leave_out_what_is_not_known():
    values = np.array([[1.0, np.nan, 3.0, 4.0], [np.nan] * 4, [np.nan, 2.0, np.nan, np.nan]])
    band = Band.of(values, values > 2)
    for row, own in enumerate(values):
        known = own[~np.isnan(own)]
        for share, found in zip(QUANTILES, (band.median, band.low, band.high), strict=True):
            expected = np.quantile(known, share) if known.size else np.nan
            assert found[row] == pytest.approx(expected, nan_ok=True)
    assert band.decision.tolist() == [0.5, 0.0, 0.0]
    assert np.isnan(Band.of(values).decision).all()
    empty = Band.of(values[:, :0], values[:, :0] > 2)
    assert np.isnan([empty.median, empty.low, empty.high, empty.decision]).all()


def test_cohorts_of_unequal_size_are_summarised_alike(root, registry):
    ensembles = load_ensembles(root, "gaussian")
    cohorts = sorted(ensembles.priors.index)[:4]
    few = ensembles.patients["cohort"].isin(cohorts)
    patients = ensembles.patients[few].reset_index(drop=True).drop(index=[0, 1, 31])
    keys = pd.MultiIndex.from_frame(patients[["cohort", "patient"]])
    own = pd.MultiIndex.from_frame(ensembles.visits[["cohort", "patient"]]).isin(keys)
    smaller = type(ensembles)(patients, ensembles.visits[own], ensembles.priors[cohorts])
    axes = Axes(baseline_window=(1,), followup_tolerance=(3,), reading=("-8",), prior=("gaussian",))
    some = Multiverse(smaller, registry, axes)
    # Without the patients some cohorts no longer print the mean change, so values are compared.
    found = some.values(RESULTS["p_m12"])[0, 0]
    choices = Choices.of({"baseline_window": 1, "followup_tolerance": 3})
    expected = CohortResults(smaller, choices, registry).tables.paired("mrss", "m12")["p"]
    assert found == pytest.approx(expected.to_numpy())


def test_names_of_results_say_what_they_are():
    assert RESULTS["p_against_d-pen_m12"].label == (
        "p of the difference in change against D-pen, month 12"
    )
    assert RESULTS["responder_percent_m6"].label == "responders in percent, month 6"
    assert len(RESULTS) == 36
    assert PAIRED[0] == PAIRED_T
