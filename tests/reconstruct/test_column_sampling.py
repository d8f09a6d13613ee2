"""Draws of one column: the distribution, not only membership, and where it could go wrong."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from fractions import Fraction
from math import comb, isqrt

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from honest_summaries import Moments
from listed_columns import enumerate_columns
from rederive.printed import RoundingRule, parse
from rederive.reconstruct.column import (
    ColumnSampler,
    ColumnSummary,
    ImpossibleSummaryError,
    count_columns,
)
from rederive.reconstruct.column import sampling as sampling_module
from rederive.reconstruct.column.choices import Chooser, below, bernoulli
from rederive.reconstruct.column.states import BOX_LIMIT, CentredColumn

EIGHTH = Fraction(1, 8)
SMALL = [
    ColumnSummary(parse("2.5"), parse("1"), 6, 0, 5),
    ColumnSummary(parse("-1"), parse("2"), 4, -4, 4),
    ColumnSummary(parse("0.8"), parse("0.4"), 5, 0, 2, EIGHTH),
    ColumnSummary(parse("1.2"), parse("0.9"), 4, 0, 3, EIGHTH, RoundingRule.HALF_EVEN),
    ColumnSummary(parse("1.4"), None, 5, 0, 3),
    ColumnSummary(parse("3"), parse("1"), 4, 1, 6, 1, RoundingRule.TRUNCATE),
]


class Script:
    """A source of given words that fails when more are drawn."""

    def __init__(self, *words: int) -> None:
        self.words = list(words)

    def random_raw(self, size: int) -> npt.NDArray[np.uint64]:
        given, self.words = self.words[:size], self.words[size:]
        assert len(given) == size
        return np.array(given, dtype=np.uint64)


def chi_square_p(sampler: ColumnSampler, draws: int) -> float:
    """Return the p value of a test of uniformity over the listed columns."""
    listed = list(enumerate_columns(sampler.summary, sampler.ordered))
    drawn = Counter(map(tuple, sampler.draw(draws).tolist()))
    assert set(drawn) <= set(listed)
    assert draws > 8 * len(listed) > 16
    return float(stats.chisquare([drawn[row] for row in listed]).pvalue)


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
@pytest.mark.parametrize("summary", SMALL, ids=lambda summary: summary.figures)
def test_every_column_is_drawn_equally_often(summary: ColumnSummary, ordered: bool) -> None:
    draws = max(20_000, 12 * count_columns(summary, ordered))
    # Twelve tests with fixed seeds; a bias of a few per cent would give p far below.
    assert chi_square_p(ColumnSampler(summary, ordered, seed=5), draws) > 1e-3


def test_the_test_of_uniformity_notices_a_bias() -> None:
    sampler = ColumnSampler(SMALL[1], seed=5)
    rows = sampler.draw(20_000)
    # Leave out a fifth of the draws of one part of the columns.
    thinned = rows[(rows[:, 0] % 2 == 0) | (np.arange(len(rows)) % 5 > 0)]
    sampler.draw = lambda size: thinned[:size]  # type: ignore[method-assign]
    assert chi_square_p(sampler, 15_000) < 1e-6


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
def test_rejection_makes_draws_from_spoiled_tables_uniform(ordered: bool) -> None:
    # 44 vectors, few choices each: their exact chances take little time.
    summary = SMALL[1] if not ordered else ColumnSummary(parse("1.5"), None, 4, 0, 3)

    def spoiled(error: Fraction) -> ColumnSampler:
        sampler = ColumnSampler(summary, ordered, 3)
        rng = np.random.default_rng(11)
        for layer in list(sampler._tables._kept.values())[1:]:
            layer.flat[:-1] *= rng.uniform(0.85, 1.15, len(layer.flat) - 1)
        sampler.error = error
        return sampler

    draws = 4_000 if ordered else 12_000
    # With a bound as for sound tables nothing is looked at more closely, and the bias shows.
    assert chi_square_p(spoiled(Fraction(1, 10**9)), draws) < 1e-6
    repaired = spoiled(Fraction(65, 100))
    assert chi_square_p(repaired, draws // 2) > 1e-3
    assert len(repaired.batches([0])[0]) < 0.6 * repaired.batch_size


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
def test_a_bound_that_does_not_hold_is_noticed(ordered: bool) -> None:
    sampler = ColumnSampler(SMALL[0], ordered, seed=1)
    # Then q(x) N is a tenth on average, less than the bound promises.
    sampler._tables.goals *= 0.1
    sampler.error = Fraction(1, 2)
    with pytest.raises(ArithmeticError, match="bound on the error of the tables"):
        sampler.batches([0])[0]


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
def test_the_stated_error_bounds_the_exact_probabilities(ordered: bool) -> None:
    sampler = ColumnSampler(ColumnSummary(parse("24.1"), parse("9.6"), 12, 0, 51), ordered, 1)
    stated, sampler.error, sampler.batch_size = sampler.error, Fraction(1, 2), 300
    # With so large a bound the probability of every proposal is followed.
    batch = sampler._begin(4)
    for step in sampler._tables.descend():
        batch.pass_stage(*step)
    assert len(batch.chooser.probability) == 300
    errors = [abs(q * batch.root - 1) for q in batch.chooser.probability.values()]
    # A number of vectors is the sum of as many others as the scale has values.
    assert 0 < max(errors) < stated < Fraction(1, 10**4 if ordered else 10**5)
    assert abs(batch.root / count_columns(sampler.summary, ordered) - 1) < stated


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
@pytest.mark.parametrize(
    "summary",
    [
        ColumnSummary(parse("24.1"), parse("9.6"), 29, 0, 51),
        ColumnSummary(parse("-8.0"), parse("8.3"), 25, -51, 51, 1, RoundingRule.HALF_UP),
        ColumnSummary(parse("1.3"), parse("0.7"), 29, 0, 3, EIGHTH, RoundingRule.HALF_EVEN),
    ],
    ids=lambda summary: summary.figures,
)
def test_large_columns_print_the_figures_and_differ(summary: ColumnSummary, ordered: bool) -> None:
    drawn = ColumnSampler(summary, ordered, seed=2).draw(1500)
    assert drawn.shape == (1500, summary.n)
    assert len({row.tobytes() for row in drawn}) == 1500
    assert drawn.min() >= summary.low and drawn.max() <= summary.high
    assert summary.sd is not None
    for row in drawn.tolist():
        moments = Moments.of(row, Fraction(summary.step))
        assert summary.mean in moments.mean_figures(summary.mean.decimals, summary.rule)
        assert summary.sd in moments.sd_figures(summary.sd.decimals, summary.rule)
        assert ordered or row == sorted(row)


def test_ordered_positions_are_exchangeable_and_multisets_weigh_differently() -> None:
    summary = ColumnSummary(parse("24.1"), parse("9.6"), 20, 0, 51)
    vectors = ColumnSampler(summary, True, seed=3).draw(6000)
    assert stats.ks_2samp(vectors[:, 0], vectors[:, -1]).pvalue > 1e-3
    multisets = ColumnSampler(summary, False, seed=3).draw(6000)
    ties = [np.mean(np.diff(np.sort(rows, axis=1), axis=1) == 0) for rows in (vectors, multisets)]
    # A multiset with ties has fewer orders, so vectors have fewer ties.
    assert ties[0] < 0.85 * ties[1]


def test_the_same_seed_gives_the_same_samples_however_they_are_drawn() -> None:
    summary = SMALL[0]
    first = ColumnSampler(summary, seed=9).draw(17_000)
    assert np.array_equal(first, ColumnSampler(summary, seed=9).draw(17_000))
    assert np.array_equal(first[:40], ColumnSampler(summary, seed=9).draw(40))
    assert not np.array_equal(first[:40], ColumnSampler(summary, seed=10).draw(40))


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
def test_batches_drawn_together_are_the_batches_drawn_one_by_one(ordered: bool) -> None:
    sampler = ColumnSampler(SMALL[0], ordered, seed=9)
    size = sampler.batch_size
    together = sampler.draw(5 * size // 2)
    assert np.array_equal(
        together, np.concatenate([sampler.batches([i])[0] for i in range(3)])[: len(together)]
    )


@pytest.mark.parametrize("highest", [0, 1, 7, 31])
def test_tables_in_pieces_give_the_samples_of_whole_tables(
    highest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = ColumnSummary(parse(str(highest // 2)), None, 9, 0, highest)
    whole = ColumnSampler(summary, seed=4)
    monkeypatch.setattr(sampling_module, "RESIDENT_BYTES", 0)
    pieces = ColumnSampler(summary, seed=4)
    kept = len(pieces._tables._kept)
    assert kept <= highest or highest < 7
    assert np.array_equal(whole.batches([0])[0], pieces.batches([0])[0])


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
def test_double_precision_draws_uniformly_too(
    ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling_module, "SINGLE_DIGITS", 0)
    sampler = ColumnSampler(SMALL[0], ordered, seed=5)
    assert sampler.error < Fraction(1, 10**12)
    assert chi_square_p(sampler, max(20_000, 12 * count_columns(SMALL[0], ordered))) > 1e-3


def test_single_precision_tables_of_vectors_hold_the_exact_counts() -> None:
    # 52^30 has 172 binary digits, more than single precision has above 1.
    summary = ColumnSummary(parse("25.5"), parse("9.6"), 30, 0, 51)
    sampler = ColumnSampler(summary, ordered=True)
    flat = sampler._tables._kept[1].flat
    assert flat.dtype == np.float32
    root = sum(Fraction(float(number)) for number in sampler._tables.goals)
    number = count_columns(summary, ordered=True)
    assert number > 2**128
    assert abs(root / number - 1) < sampler.error
    assert np.isfinite(flat).all()
    # All thirty at one end have one order: the least number is not lost.
    lone = ColumnSampler(ColumnSummary(parse("51"), None, 30, 0, 51), ordered=True)
    assert 1 in lone._tables.goals


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
def test_thirty_values_on_0_to_51_take_less_than_400_mb(ordered: bool) -> None:
    # A process of its own, with the packages that the command line loads.
    code = f"""
import pathlib, resource, sys
import rederive.cli.main
from rederive.printed import parse
from rederive.reconstruct.column import ColumnSummary, ColumnSampler
sampler = ColumnSampler(ColumnSummary(parse("26"), parse("19"), 30, 0, 51), {ordered})
assert sampler.draw(10_000).shape == (10_000, 30)
# The system's own figure for a process begins with the memory of the one that started it.
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
own = [int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM")]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(own[0] if own else peak / (1e6 if sys.platform == "darwin" else 1e3))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 400


def test_numbers_of_multisets_within_reach_fit_double_precision() -> None:
    # The most digits for so many boxes have columns with as many values as the scale.
    size = isqrt(BOX_LIMIT) + 1
    assert comb(2 * size - 1, size).bit_length() < sampling_module.DOUBLE_DIGITS


def test_no_samples_are_an_empty_table() -> None:
    assert ColumnSampler(SMALL[2], seed=1).draw(0).shape == (0, 5)


@pytest.mark.parametrize("ordered", [False, True], ids=["multisets", "vectors"])
def test_impossible_figures_are_an_error_with_the_nearest(ordered: bool) -> None:
    summary = ColumnSummary(parse("24.15"), parse("9.6"), 29, 0, 51)
    with pytest.raises(ImpossibleSummaryError, match=r"nearest: mean 24\.14 with SD 9\.6"):
        ColumnSampler(summary, ordered)


def test_sums_without_columns_are_impossible_too() -> None:
    # Necessary conditions hold for a pair of sums, and still no values exist.
    summary = next(
        candidate
        for total in range(60)
        for sd in range(100, 500)
        if (
            candidate := ColumnSummary(
                parse(f"{total / 4:.2f}"), parse(f"{sd / 100:.2f}"), 4, 0, 15
            )
        ).candidate_moments()
        and not candidate.moments()
    )
    assert count_columns(summary) == count_columns(summary, ordered=True) == 0
    for ordered in (False, True):
        with pytest.raises(ImpossibleSummaryError, match="nearest"):
            ColumnSampler(summary, ordered)


def test_unusable_requests_name_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="seed: found -1"):
        ColumnSampler(SMALL[0], seed=-1)
    with pytest.raises(ValueError, match="samples: found -1"):
        ColumnSampler(SMALL[0]).draw(-1)
    with pytest.raises(ValueError, match=r"binary digits, allowed are 1,0"):
        ColumnSampler(ColumnSummary(parse("2.0"), parse("0.9"), 600, 0, 4), ordered=True)
    with pytest.raises(ValueError, match=r"takes .* bytes, allowed are 4,"):
        ColumnSampler(ColumnSummary(parse("24.1"), parse("9.6"), 300, 0, 51))


def test_boxes_hold_every_state_on_the_way_to_a_listed_column() -> None:
    for summary in SMALL:
        column = CentredColumn.of(summary)
        weight = dict(zip(column.deviations, column.weights, strict=True))
        for row in enumerate_columns(summary):
            left = [value - column.centre for value in row]
            for stage in range(len(column.deviations), -1, -1):
                boxes = column.stage_boxes(stage)
                while True:
                    box = boxes[len(left)]
                    s, t = sum(left), sum(weight[d] for d in left)
                    assert 0 <= s - box.s_low < box.s_size
                    assert 0 <= t - box.t_low < box.t_size
                    if stage == 0 or column.deviations[stage - 1] not in left:
                        break
                    left.remove(column.deviations[stage - 1])
        vectors = CentredColumn.of(summary, ordered=True)
        for row in enumerate_columns(summary, ordered=True):
            left = [value - vectors.centre for value in row]
            for k, box in enumerate(vectors.stage_boxes(1)):
                s, t = sum(left[:k]), sum(weight[d] for d in left[:k])
                assert 0 <= s - box.s_low < box.s_size
                assert 0 <= t - box.t_low < box.t_size


def test_choices_have_exactly_their_probability() -> None:
    quarter, tiny = 0.25, 3 * 2.0**-66
    # 3/2^66 is 0.75 of one word: word 0 ties, the next word decides against 0.75.
    assert bernoulli(np.array([quarter]), Script(2**62 - 1)).tolist() == [True]
    assert bernoulli(np.array([quarter]), Script(2**62)).tolist() == [False]
    assert bernoulli(np.array([tiny]), Script(1)).tolist() == [False]
    assert bernoulli(np.array([tiny]), Script(0, 3 * 2**62 - 1)).tolist() == [True]
    assert bernoulli(np.array([tiny]), Script(0, 3 * 2**62)).tolist() == [False]
    assert bernoulli(np.array([0.0, 0.5]), Script(0, 2**63 - 1)).tolist() == [False, True]
    third = Fraction(1, 3)
    digits = (2**64 - 1) // 3
    assert below(third, Script(digits, digits, digits - 1))
    assert not below(third, Script(digits, digits + 1))


def test_choices_among_several_follow_their_numbers() -> None:
    numbers = np.array([0.0, 3.0, 1.0, 0.0, 4.0])
    chooser = Chooser(np.random.PCG64(1), np.array([0, 7]))
    chosen, total = chooser.among(np.arange(40_000), numbers[:, None])
    assert total.tolist() == [8.0]
    counts = np.bincount(chosen, minlength=5)
    assert counts[0] == counts[3] == 0
    assert stats.chisquare(counts[[1, 2, 4]], [15_000, 5_000, 20_000]).pvalue > 1e-3
    for row in (0, 7):
        assert chooser.probability[row] == Fraction(float(numbers[chosen[row]])) / 8
