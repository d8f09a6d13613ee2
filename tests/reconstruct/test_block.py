"""Blocks: the sampler against brute force, the search, and what is refused."""

from __future__ import annotations

import itertools
import math
import sys
from collections import Counter
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rederive.printed import parse
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import (
    FLAT,
    Block,
    BlockData,
    Component,
    ContradictionError,
    Figure,
    NothingFoundError,
    Prior,
    Statistic,
    find_data,
    holds,
    sample_data,
)
from rederive.reconstruct.block.kernel import run_chain
from rederive.reconstruct.block.prediction import diagnose_quantity, open_quantities
from rederive.reconstruct.block.priors import density_of
from rederive.reconstruct.block.sampling import _machine, _records, draw_start
from rederive.reconstruct.column import ColumnSummary

FOUR = Scale(Fraction(0), Fraction(3))


def figure(statistic: str, at: str, printed: str, threshold: int | None = None) -> Figure:
    limit = None if threshold is None else Fraction(threshold)
    return Figure(f"{at}-{statistic}", Statistic(statistic), at, parse(printed), limit)


def pair(
    figures: tuple[Figure, ...], patients: int = 3, observed: tuple[int, int] = (3, 2)
) -> Block:
    return Block("tiny", FOUR, patients, ("baseline", "later"), observed, figures)


@cache
def every_data_set(figures: tuple[Figure, ...]) -> list[BlockData]:
    """All values and masks of a pair of time points, by brute force."""
    block = pair(figures)
    n, later = block.patients, block.observed[1]
    found = []
    for chosen in itertools.combinations(range(block.observed[0]), later):
        mask = np.zeros((n, 2), np.bool_)
        mask[: block.observed[0], 0] = True
        mask[list(chosen), 1] = True
        for flat in itertools.product(range(block.levels + 1), repeat=2 * n):
            data = BlockData(block, np.array(flat, np.int64).reshape(n, 2), mask)
            if holds_by_hand(data):
                found.append(data)
    return found


def holds_by_hand(data: BlockData) -> bool:
    """Recompute every figure with NumPy and SciPy from the values in units."""
    observed = data.observed()
    for item in data.block.figures:
        t = data.block.index(item.at)
        level = observed[~np.isnan(observed[:, t]), t]
        both = observed[~np.isnan(observed[:, t])]
        change = both[:, t] - both[:, 0]
        match item.statistic:
            case Statistic.MEAN:
                value = level.mean()
            case Statistic.SD:
                value = level.std(ddof=1)
            case Statistic.MINIMUM:
                value = level.min()
            case Statistic.MAXIMUM:
                value = level.max()
            case Statistic.BASELINE_MEAN:
                value = both[:, 0].mean()
            case Statistic.BASELINE_SD:
                value = both[:, 0].std(ddof=1)
            case Statistic.CHANGE_MEAN:
                value = change.mean()
            case Statistic.CHANGE_SD:
                value = change.std(ddof=1)
            case Statistic.RESPONDERS:
                value = float((change <= -float(item.threshold or 0)).sum())
            case Statistic.PAIRED_P:
                value = _paired_p(change)
        interval = item.printed.interval()
        if not interval.lower - 1e-12 <= value <= interval.upper + 1e-12:
            return False
    return True


def _paired_p(change: np.ndarray) -> float:
    if np.ptp(change) == 0:
        return 1.0 if change[0] == 0 else 0.0
    return float(stats.ttest_1samp(change, 0).pvalue)


def visible(values: np.ndarray, mask: np.ndarray) -> bytes:
    """What of a data set can be seen: measured values and who was measured."""
    return np.where(mask, values, -1).tobytes()


def cell(values: np.ndarray, mask: np.ndarray) -> tuple[object, ...]:
    """A coarser view, so that no case has more cells than draws: who, first values, later sum."""
    return tuple(mask[:, 1]), tuple(values[:, 0]), int(values[:, 1][mask[:, 1]].sum())


CASES = {
    "mean and SD": (figure("mean", "baseline", "2.3"), figure("sd", "later", "0.7")),
    "change": (figure("change_mean", "later", "-1.0"), figure("mean", "baseline", "2.7")),
    "responders": (figure("responders", "later", "1", 2), figure("mean", "later", "1.5")),
    "followed": (figure("baseline_mean", "later", "2.0"), figure("baseline_sd", "later", "1.4")),
    "extremes": (figure("minimum", "baseline", "1"), figure("maximum", "baseline", "3")),
}

KINDS = Prior("two", (Component(0.3, (1, 1), (1.0, 1.0), 0.5), Component(0.7, (3, 2), (0.8, 1.2))))
STEPS = Prior("steps", jump=2)
TRUTH = Prior("truth", (Component(1.0, (2, 1), (1.2, 1.1), 1.0, error=0.5),))
BY_LAST = Prior("at random", KINDS.components, missing_by_last=0.8)
BY_OWN = Prior("not at random", missing_by_own=-0.9)
PRIORS = (FLAT, KINDS, STEPS, TRUTH, BY_LAST, BY_OWN)


@pytest.mark.parametrize("figures", CASES.values(), ids=list(CASES))
@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: prior.name)
def test_draws_follow_the_prior_given_the_figures(
    figures: tuple[Figure, ...], prior: Prior
) -> None:
    block = pair(figures)
    weights: Counter[tuple[object, ...]] = Counter()
    density = densities(prior)
    for data in every_data_set(figures):
        first, later = data.values.T
        slopes = prior.missing_by_last * first + prior.missing_by_own * later
        chance = math.exp(slopes[~data.mask[:, 1]].sum())
        weights[cell(data.values, data.mask)] += density[first, later].prod() * chance
    draws = 4000
    ensemble = sample_data(block, prior, draws, 3, every=40, warmup=5000, heat=1.0)
    seen = Counter(cell(v, m) for v, m in zip(ensemble.values, ensemble.mask, strict=True))
    assert set(seen) <= set(weights)
    total = sum(weights.values())
    expected = {key: draws * weight / total for key, weight in weights.items()}
    # Cells expected less than five times are judged together.
    common = [key for key, count in expected.items() if count >= 5]
    observed = [seen[key] for key in common]
    wanted = [expected[key] for key in common]
    if draws - sum(wanted) > 1e-6:
        observed.append(draws - sum(observed))
        wanted.append(draws - sum(wanted))
    # Draws of a chain are not quite independent, so the limit is a generous one.
    assert stats.chisquare(observed, wanted).pvalue > 1e-6


def densities(prior: Prior) -> np.ndarray:
    """Prior density of a patient's first and later value, measured or not, by SciPy."""
    both = np.stack(np.meshgrid(range(4), range(4), indexing="ij"), axis=-1)
    if not prior.components:
        near = np.abs(both[..., 0] - both[..., 1]) <= (3 if prior.jump is None else prior.jump)
        return near.astype(float)
    return sum(
        part.weight * stats.multivariate_normal(part.means, part.covariance()).pdf(both)
        for part in prior.components
    )


@pytest.mark.parametrize("figures", CASES.values(), ids=list(CASES))
def test_compiled_limits_agree_with_scipy_on_every_data_set(figures: tuple[Figure, ...]) -> None:
    block = pair(figures)
    wanted = {visible(d.values, d.mask) + d.values.tobytes() for d in every_data_set(figures)}
    for data in every_data_set(())[::7]:
        key = visible(data.values, data.mask) + data.values.tobytes()
        assert holds(BlockData(block, data.values, data.mask)) == (key in wanted)


@given(seed=st.integers(0, 10_000))
def test_figures_of_honest_data_are_found_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 21, 12)
    later = np.clip(first + rng.integers(-8, 5, 12), 0, 20)[:10]
    change = later - first[:10]
    p = float(stats.ttest_rel(later, first[:10]).pvalue)
    figures = (
        figure("mean", "baseline", f"{first.mean():.1f}"),
        figure("sd", "baseline", f"{first.std(ddof=1):.1f}"),
        figure("mean", "later", f"{later.mean():.1f}"),
        figure("sd", "later", f"{later.std(ddof=1):.1f}"),
        figure("change_sd", "later", f"{change.std(ddof=1):.1f}"),
        figure("paired_p", "later", f"{p:.3f}" if p >= 0.0005 else "< 0.001"),
        figure("responders", "later", str((change <= -3).sum()), 3),
    )
    scale = Scale(Fraction(0), Fraction(20))
    block = Block("b", scale, 12, ("baseline", "later"), (12, 10), figures)
    values = np.zeros((12, 2), np.int64)
    values[:, 0], values[:10, 1] = first, later
    mask = np.ones((12, 2), np.bool_)
    mask[10:, 1] = False
    assert holds(BlockData(block, values, mask))
    found = find_data(block, seed=seed)
    assert holds(found)
    assert holds_by_hand(found)


def test_two_runs_are_the_same_and_another_seed_is_not() -> None:
    block = pair((figure("mean", "baseline", "2.3"),))
    one, two, other = (sample_data(block, KINDS, 40, seed) for seed in (1, 1, 2))
    assert one.values.tobytes() == two.values.tobytes()
    assert one.mask.tobytes() == two.mask.tobytes()
    assert one.values.tobytes() != other.values.tobytes()


def test_first_values_and_a_visit_stay_as_the_start_has_them() -> None:
    times = ("baseline", "later", "last")
    block = Block("score", FOUR, 3, times, (3, 2, 2), (figure("mean", "last", "2.5"),))
    start = BlockData(
        block,
        np.array([[3, 0, 0], [3, 0, 0], [2, 3, 0]], np.int64),
        np.array([[True, True, False], [True, True, True], [True, False, True]]),
    )
    found = find_data(block, start=start, visit=1)
    assert holds(found)
    assert (found.values[:, :2] == start.values[:, :2]).all()
    assert (found.mask[:, :2] == start.mask[:, :2]).all()


@pytest.mark.parametrize(
    ("figures", "named"),
    [
        ((figure("mean", "baseline", "2.3"), figure("sd", "baseline", "1.9")), None),
        ((figure("mean", "baseline", "2.50"),), ("baseline-mean",)),
        ((figure("responders", "later", "3", 1),), ("later-responders",)),
    ],
)
def test_impossible_figures(figures: tuple[Figure, ...], named: tuple[str, ...] | None) -> None:
    if named is None:
        with pytest.raises(NothingFoundError, match="does not prove"):
            find_data(pair(figures), attempts=1, iterations=2000)
        return
    with pytest.raises(ContradictionError) as caught:
        find_data(pair(figures))
    assert caught.value.figures == named


def test_a_corrupted_figure_is_noticed() -> None:
    block = pair((figure("mean", "baseline", "2.3"), figure("responders", "later", "1", 2)))
    data = find_data(block)
    wrong = pair((figure("mean", "baseline", "2.7"), figure("responders", "later", "1", 2)))
    assert holds(data)
    assert not holds(BlockData(wrong, data.values, data.mask))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: pair((figure("mean", "latter", "1.0"),)), "did you mean 'later'"),
        (lambda: pair((figure("change_mean", "baseline", "1.0"),)), "later time point"),
        (lambda: pair((), observed=(2, 3)), "observed at later: found 3"),
        (lambda: pair((figure("mean", "later", "1.0"),) * 2), "occurs twice"),
        (lambda: figure("responders", "later", "1"), "threshold"),
        (lambda: figure("sd", "later", "-1.2"), "later-sd: found -1.2, allowed are figures from 0"),
        (lambda: Figure("x", Statistic.MEAN, "later", "2.3"), "x: found '2.3', allowed is a print"),
        (lambda: ColumnSummary(2.65, None, 30, 0, 5), "mean: found 2.65, allowed is a printed fig"),
        (lambda: ColumnSummary(parse("2.6"), "1.2", 30, 0, 5), "sd: found '1.2', allowed is a pr"),
        (lambda: Component(0.0, (1,), (1,)), "weight: found 0"),
        (lambda: Component(1.0, (1,), (0,)), "sds: found 0"),
        (lambda: Component(1.0, (1,), (1,), 1.0), "correlation: found 1"),
        (lambda: Component(1.0, (1,), (1,), error=1.0), "error: found 1"),
        (lambda: sample_data(pair(()), FLAT, 5), "multiples of 4"),
        (lambda: sample_data(pair(()), Prior("x", (Component(1, (1,), (1,)),)), 4), "time points"),
    ],
)
def test_bad_descriptions_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_a_figure_that_is_held_out_is_free() -> None:
    block = pair((figure("mean", "baseline", "2.3"), figure("mean", "later", "1.5")))
    free = block.without(["later-mean"])
    assert [item.id for item in free.figures] == ["baseline-mean"]
    means = {float(np.nanmean(sample[:, 1])) for sample in sample_data(free, FLAT, 200).observed()}
    assert len(means) > 3
    with pytest.raises(ValueError, match="did you mean 'later-mean'"):
        block.without(["later-meen"])


def test_diagnostics_know_a_chain_that_has_not_settled() -> None:
    rng = np.random.default_rng(0)
    settled = diagnose_quantity("q", rng.normal(size=(4, 200)))
    apart = diagnose_quantity("q", rng.normal(size=(4, 200)) + np.arange(4)[:, None])
    assert settled.r_hat < 1.05 < apart.r_hat
    assert settled.ess > 5 * apart.ess
    assert np.isnan(diagnose_quantity("q", np.ones((4, 10))).r_hat)
    names = list(open_quantities(pair(()), sample_data(pair(()), FLAT, 80).observed()))
    assert "later change SD" in names


def test_a_single_patient_is_drawn_evenly() -> None:
    block = Block("one", Scale(Fraction(0), Fraction(5)), 1, ("only",), (1,))
    values = sample_data(block, FLAT, 6000, 1, thin=2, warmup=1000).values[:, 0, 0]
    assert stats.chisquare(np.bincount(values, minlength=6)).pvalue > 1e-4


def test_a_chain_keeps_nothing_that_it_was_given() -> None:
    """The compiled part counts no references itself."""
    block, rng = pair(()), np.random.default_rng(1)
    given = (*draw_start(block, FLAT, rng), *_machine(block, FLAT), rng, *_records(9, block))
    arrays = [each for one in given for each in (one if isinstance(one, tuple) else (one,))]
    before = [sys.getrefcount(each) for each in arrays]
    for _ in range(20):
        run_chain(*given[:5], 1.5, 90, 10, False, *given[5:])
    assert [sys.getrefcount(each) for each in arrays] == before


def test_an_extreme_is_a_plain_figure() -> None:
    with pytest.raises(ValueError, match="later-minimum: found <2"):
        find_data(pair((figure("minimum", "later", "<2"),)))


def test_a_prior_has_the_same_last_bits_on_every_processor() -> None:
    """Moves that weigh as much as staying are common, and then the last bit decides."""
    prior = Prior("p", (Component(1.0, (26.0, 23.5, 22.0, 21.0, 20.0), (9.0,) * 5, 0.7),))
    block = Block(
        "b",
        Scale(Fraction(0), Fraction(51), Fraction(1)),
        3,
        ("0", "6", "12", "18", "24"),
        (3,) * 5,
        (),
    )
    arrays = density_of(prior, block)
    covariance = prior.components[0].covariance()
    np.testing.assert_allclose(arrays.precisions[0], np.linalg.inv(covariance), atol=1e-16)
    assert arrays.log_weights[0] == pytest.approx(-np.linalg.slogdet(covariance)[1] / 2)
    assert [value.hex() for value in arrays.precisions[0, 1].tolist()] == [
        "-0x1.15a0b07dec8a9p-6",
        "0x1.2779a5e51ad55p-5",
        "-0x1.15a0b07dec8a8p-6",
        "-0x1.3110cb17b608cp-57",
        "0x1.0bfc6d47026cap-58",
    ]
