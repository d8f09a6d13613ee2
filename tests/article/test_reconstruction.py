"""The page on reconstruction: counts, spreads, bounds and predictions, by other routes."""

from __future__ import annotations

import statistics
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivig_dcssc import reconstruction, reconstruction_bounds, reconstruction_choices
from ivig_dcssc.article import open_ledger
from ivig_dcssc.cohort.priors import PRIORS
from ivig_dcssc.cohort.recipe import switchable
from ivig_dcssc.cohort.skin import THRESHOLD, TIMEPOINTS, skin_block
from ivig_dcssc.cohort_groups import cohorts_of, label_of
from rederive.book.ledger import Ledger
from rederive.reconstruct.block import Statistic
from rederive.reconstruct.bounds import Kind, load_bounds


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger()


@pytest.fixture(scope="module")
def cohorts(ledger):
    return cohorts_of(ledger)


@pytest.fixture(scope="module")
def bounds(ledger, cohorts):
    return reconstruction_bounds.SkinBounds.load(cohorts.root, ledger.registry)


@pytest.fixture(scope="module")
def left(cohorts, bounds):
    return reconstruction_bounds.left_open(cohorts, bounds, thresholds=(3, 10))


@pytest.fixture(scope="module")
def curves(cohorts, bounds):
    return reconstruction_bounds.responder_curves(cohorts.results, cohorts.priors, bounds)


@pytest.fixture(scope="module")
def predicted(cohorts, bounds):
    return reconstruction_bounds.predictions(cohorts, bounds)


def prints(mean: str, sd: str, scores: list[int]) -> bool:
    """Whether scores print as mean and SD, with the ``statistics`` module, either way at ties."""
    half = Fraction(1, 20)
    value, spread = Fraction(statistics.mean(map(Fraction, scores))), statistics.variance(scores)
    low, high = Fraction(sd) - half, Fraction(sd) + half
    exact = Fraction(sum((x - value) ** 2 for x in map(Fraction, scores)), len(scores) - 1)
    assert float(exact) == pytest.approx(spread)
    return abs(value - Fraction(mean)) <= half and low**2 <= exact <= high**2


# Columns


def test_the_smallest_column_is_counted_by_another_route(ledger: Ledger) -> None:
    """Plain sums and sums of squares, score by score, on machine integers without any modulus."""
    column = reconstruction.column_summary(skin_block(ledger.registry), "m24")
    n, half = column.n, Fraction(1, 20)
    mean, sd = column.mean.value, column.sd.value
    sums = [s for s in range(51 * n + 1) if abs(Fraction(s, n) - mean) <= half]
    targets = [
        (s, q)
        for s in sums
        for q in range(s * s // n, s * s // n + 60 * n)
        if (sd - half) ** 2 <= Fraction(n * q - s * s, n * (n - 1)) <= (sd + half) ** 2
    ]
    most = max(q for _, q in targets)
    ways = np.zeros((n + 1, max(sums) + 1, most + 1), np.int64)
    ways[0, 0, 0] = 1
    for score in range(52):
        square = score * score
        if square > most:
            break
        for k in range(1, n + 1):
            ways[k, score:, square:] += ways[
                k - 1, : ways.shape[1] - score, : ways.shape[2] - square
            ]
    expected = sum(int(ways[n, s, q]) for s, q in targets)
    assert reconstruction.count_columns(column) == expected > 10**6


@given(st.integers(1, 10**60))
def test_magnitudes_are_rounded_down_to_two_digits_or_more(number: int) -> None:
    text = reconstruction.magnitude(number)
    names = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12, "quadrillion": 15}
    plain = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
    words = text.replace(" × 10", " ").split(" ")
    exponent = 0
    if len(words) == 2:
        exponent = names.get(words[1]) or int(words[1].translate(plain))
    shown = Decimal(words[0]).scaleb(exponent)
    assert shown <= number < shown * Decimal("1.1")
    assert shown == shown.to_integral_value(ROUND_FLOOR) or exponent < 3


def test_drawn_columns_and_their_shapes_print_the_figures(ledger: Ledger) -> None:
    block = skin_block(ledger.registry)
    summaries = [reconstruction.column_summary(block, at) for at in ("m6", "m24")]
    columns = [
        reconstruction.Column(at, one, 1, 1)
        for at, one in zip(("m6", "m24"), summaries, strict=True)
    ]
    for each in reconstruction.draw_uniformly(columns, draws=300, seed=3):
        summary = each.column.summary
        assert each.patients_by_score.sum() == pytest.approx(summary.n)
        scores = np.arange(len(each.patients_by_score))
        mean = (each.patients_by_score @ scores) / summary.n
        assert mean == pytest.approx(float(summary.mean.value), abs=0.05)
        shapes = each.shapes()
        assert len(shapes) == 4
        for shape in shapes.values():
            assert prints(summary.mean.text, summary.sd.text, shape.tolist())
        spread = np.ptp(each.draws, axis=1)
        assert np.ptp(shapes["narrowest range"]) == spread.min()


def test_every_figure_of_the_block_is_in_the_table_of_constraints(ledger: Ledger) -> None:
    table = reconstruction.constraint_table(ledger.registry)
    block = skin_block(ledger.registry)
    shown = [
        text
        for row in table
        for name, text in row.items()
        if name not in ("Time", "Patients") and text
    ]
    assert sorted(shown) == sorted(str(figure.printed) for figure in block.figures)
    assert [row["Patients"] for row in table] == list(block.observed)


# Cohorts


def test_correlations_are_those_of_pandas(cohorts) -> None:
    numbers, scores = reconstruction.score_arrays(cohorts.results)
    for position in (0, len(numbers) // 2, len(numbers) - 1):
        frame = pd.DataFrame(scores[position], columns=list(TIMEPOINTS))
        for one, other in reconstruction.PAIRS_OF_VISITS:
            found = reconstruction.correlations(scores[position : position + 1], one, other)[0]
            assert found == pytest.approx(frame[one].corr(frame[other]))


def test_first_cohorts_are_the_first_of_each_prior(cohorts) -> None:
    chosen = reconstruction.first_cohorts(cohorts.priors)
    assert len(chosen) == 2 * len(PRIORS)
    for title, number in chosen.items():
        prior = cohorts.priors[number]
        assert title.split(",")[0] == label_of(prior)
        same = cohorts.priors.index[cohorts.priors == prior]
        assert number in sorted(same)[:2]


def test_no_cohort_passes_a_bound(left, curves) -> None:
    """Every compatible cohort lies within the proved ends, whatever its prior."""
    bounded = [each for each in left if each.bound is not None]
    assert len(bounded) >= 6
    for each in bounded:
        for values in each.values.values():
            assert values.min() >= each.bound.low.limit - 1e-9, each.name
            assert values.max() <= each.bound.high.limit + 1e-9, each.name
    for curve in curves:
        for values in curve.values.values():
            for column, ends in enumerate(curve.bounds):
                if ends is not None:
                    assert ends[0] <= values[:, column].min() <= values[:, column].max() <= ends[1]


def test_what_is_left_open_is_computed_as_from_the_scores(cohorts, left) -> None:
    numbers, scores = reconstruction.score_arrays(cohorts.results)
    prior = cohorts.priors.loc[numbers].to_numpy()
    change = scores - scores[:, :, :1]
    by_name = {each.name: each for each in left}
    responders = by_name["month 12: responders by 10 points or more"]
    expected = (change[:, :, 2] <= -10).sum(axis=1)
    missing = by_name["month 18: mean baseline of those missing"]
    absent = np.where(np.isnan(scores[:, :, 3]), scores[:, :, 0], np.nan)
    later = by_name["month 24: mean change"]
    for name in PRIORS:
        own = prior == name
        assert np.array_equal(responders.values[name], expected[own])
        assert missing.values[name] == pytest.approx(np.nanmean(absent[own], axis=1))
        assert later.values[name] == pytest.approx(np.nanmean(change[own][:, :, 4], axis=1))


def test_responders_fall_with_the_threshold_and_hit_the_printed_count(curves) -> None:
    for curve in curves:
        own = curve.thresholds.index(int(THRESHOLD))
        for values in curve.values.values():
            assert (np.diff(values, axis=1) <= 0).all()
            assert (values[:, own] == curve.printed).all()
        known = [
            (t, ends)
            for t, ends in zip(curve.thresholds, curve.bounds, strict=True)
            if ends is not None and t != THRESHOLD
        ]
        for t, (low, high) in known:
            # More patients fall by fewer points than the printed ones do, and fewer by more.
            assert (low >= curve.printed) if t < THRESHOLD else (high <= curve.printed)


# Bounds and predictions


def test_stale_bounds_are_left_out(ledger: Ledger, cohorts) -> None:
    path = cohorts.root / reconstruction_bounds.BOUNDS_FILE
    found = load_bounds(path)
    name, first = next(iter(found.items()))
    stale = {name: replace(first, key="0" * 16)}
    assert len(reconstruction_bounds.SkinBounds(ledger.registry, stale)) == 0
    assert len(reconstruction_bounds.SkinBounds(ledger.registry, {name: first})) == 1


def test_shown_ends_cut_nothing_off(bounds, predicted) -> None:
    shown = 0
    for each in predicted:
        if each.bound is None:
            continue
        low, high = reconstruction_bounds.shown_ends(each.bound)
        if not low.startswith("<"):
            assert float(low) <= each.bound.low.limit + 1e-12
            shown += 1
        if not high.startswith("<"):
            assert float(high) >= each.bound.high.limit - 1e-12
    assert shown > 5


def test_witnesses_hold(bounds) -> None:
    assert bounds.recheck() == {}


def test_predictions_cover_every_constrained_figure(ledger: Ledger, predicted) -> None:
    block = skin_block(ledger.registry)
    assert [each.figure.id for each in predicted] == [figure.id for figure in block.figures]
    for each in predicted:
        assert set(each.draws) == set(PRIORS)
        assert each.inside
        if each.bound is not None:
            for values in each.draws.values():
                slack = 1e-6 * max(1.0, abs(each.bound.high.limit))
                assert values.min() >= each.bound.low.limit - slack, each.name
                assert values.max() <= each.bound.high.limit + slack, each.name


def test_the_possible_range_is_that_of_extreme_data(predicted) -> None:
    for each in predicted:
        if each.figure.statistic is Statistic.SD:
            half = each.n // 2
            extreme = [0] * half + [51] * (each.n - half)
            assert each.possible == pytest.approx(statistics.stdev(extreme))
        if each.figure.statistic is Statistic.RESPONDERS:
            assert each.possible == each.n
        if each.left is not None:
            assert 0 <= each.left <= 1
            order = ("strong", "moderate", "weak")
            cuts = (reconstruction_bounds.STRONG, reconstruction_bounds.WEAK)
            assert each.strength == order[int(np.searchsorted(cuts, each.left, side="left"))]


def test_shares_printing_are_counted(predicted) -> None:
    count = next(each for each in predicted if each.figure.statistic is Statistic.RESPONDERS)
    for prior, values in count.draws.items():
        expected = sum(value == int(count.figure.printed.value) for value in values) / len(values)
        assert count.share_printing(prior) == pytest.approx(expected)


def test_a_decision_is_called_open_only_with_a_witness(predicted) -> None:
    test = next(
        each
        for each in predicted
        if each.bound is not None and each.bound.quantity.kind is Kind.PAIRED_P
    )
    bound = test.bound
    alpha = (bound.low.limit + bound.high.limit) / 2
    words = reconstruction_bounds.decisions_in_words([test], alpha)[0]
    assert "nothing but the printed" in words
    unattained = replace(bound, high=replace(bound.high, best=bound.low.limit))
    words = reconstruction_bounds.decisions_in_words([replace(test, bound=unattained)], alpha)[0]
    assert "not known" in words
    words = reconstruction_bounds.decisions_in_words([test], 2 * bound.high.limit)[0]
    assert "imply" in words


# Words and tables


def test_every_other_measure_is_in_the_table(ledger: Ledger) -> None:
    rows = reconstruction_choices.scale_table(ledger.registry)
    assert [row["Measure"] for row in rows] and len(rows) == len(reconstruction_choices.BLOCKS)
    printed = sum(int(str(row["Printed figures that hold"])) for row in rows)
    # What can be switched off are these and the article's words that a measure fell.
    figures = [i for i in switchable(ledger.registry)["measures"] if i in ledger.registry.numbers]
    assert printed == len(figures)
    for row in (*rows, *reconstruction_choices.part_table(ledger.registry)):
        assert all(str(value).strip() for value in row.values()), row


def test_the_checker_is_told_as_it_is(ledger: Ledger, cohorts) -> None:
    found = reconstruction.check_teaching_cohort(cohorts.root, ledger.registry)
    rows = len(list(ledger.registry))
    assert len(found.report) + len(found.left_out) == rows
    assert found.report["agrees"].all() and found.incoherent == ()
    words = " ".join(reconstruction.check_in_words(found, ledger.registry))
    assert f"{len(found.report)} of {len(found.report)} rows agree" in words


@pytest.mark.parametrize(("r_hat", "named"), [(1.04998, False), (1.05002, True)])
def test_chains_that_disagree_are_named(r_hat: float, named: bool) -> None:
    table = pd.DataFrame({"quantity": ["m6 mean", "m12 sd"], "r_hat": [1.0, r_hat], "ess": 100.0})
    words = " ".join(
        reconstruction.convergence_in_words([reconstruction.Convergence("flat", 9, 3, table)])
    )
    assert str(r_hat) in words
    assert ("sd (flat prior)" in words) is named


def test_no_sentence_is_blank(ledger: Ledger, cohorts, bounds, predicted) -> None:
    convergence = reconstruction.read_convergence(cohorts.root)
    results, priors = cohorts.results, cohorts.priors
    sentences = [
        *reconstruction.constraints_in_words(ledger.registry),
        *reconstruction.convergence_in_words(convergence),
        *reconstruction.identified_in_words(results, priors),
        *reconstruction.visits_in_words(results, reconstruction.read_visits(cohorts.root)),
        *reconstruction_bounds.bounds_in_words(bounds),
        *reconstruction_bounds.readings_in_words(),
        *reconstruction_bounds.limits_in_words(),
        *reconstruction_bounds.predictions_in_words(predicted),
        *reconstruction_bounds.agreement_in_words(predicted),
        *reconstruction_bounds.responders_in_words(predicted, bounds),
        *reconstruction_bounds.decisions_in_words(predicted, 0.05),
        reconstruction_bounds.typical_in_words(predicted),
        reconstruction_bounds.prediction_chains_in_words(cohorts.root),
    ]
    for sentence in sentences:
        assert sentence.strip().endswith("."), sentence
        assert "nan" not in sentence.lower().split(), sentence
    tables = [
        reconstruction.prior_table(),
        reconstruction.convergence_table(convergence),
        reconstruction.correlation_table(results, priors),
        reconstruction_bounds.open_bounds_table(bounds),
        reconstruction_bounds.responder_table(bounds),
    ]
    assert all(str(value).strip() for table in tables for row in table for value in row.values())
