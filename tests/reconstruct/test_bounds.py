"""Bounds of small blocks against all data there are, and what a re-check catches."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bounds_recheck import recheck
from rederive.printed import Interval, PrintedNumber, RoundingRule
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import Block, ContradictionError, Figure, Statistic, boxes_of
from rederive.reconstruct.block.boxes import Column
from rederive.reconstruct.bounds import (
    Bound,
    Kind,
    Proof,
    Quantity,
    bound,
    key_of,
    load_bounds,
    save_bounds,
    search,
)
from rederive.reconstruct.bounds.moments import Part, meetings_of, squares_of

SCALE = Scale(Fraction(0), Fraction(4), Fraction(1))
TWO = Fraction(2)


def figure(statistic: Statistic, at: str, text: str, threshold: Fraction | None = None) -> Figure:
    operator = text[0] if text[0] in "<>≤≥" else "="
    printed = PrintedNumber(text.lstrip("<>≤≥"), operator)
    return Figure(f"{statistic}-{at}", statistic, at, printed, threshold)


def two_times(
    *figures: Figure, rule: RoundingRule = RoundingRule.EITHER, scale: Scale = SCALE
) -> Block:
    return Block("score", scale, 4, ("start", "end"), (4, 3), figures, rule)


FIGURES = (
    figure(Statistic.MEAN, "start", "2.5"),
    figure(Statistic.SD, "start", "1.3"),
    figure(Statistic.MEAN, "end", "1.7"),
    figure(Statistic.CHANGE_SD, "end", "1.5"),
)

QUANTITIES = (
    Quantity(Kind.RESPONDERS, "end", Fraction(1)),
    Quantity(Kind.RESPONDERS, "end", TWO),
    Quantity(Kind.MEAN, "end"),
    Quantity(Kind.SD, "end"),
    Quantity(Kind.MEAN, "start"),
    Quantity(Kind.SD, "start"),
    Quantity(Kind.CHANGE_MEAN, "end"),
    Quantity(Kind.CHANGE_SD, "end"),
    Quantity(Kind.PAIRED_P, "end"),
    Quantity(Kind.FOLLOWED_BASELINE_MEAN, "end"),
    Quantity(Kind.MISSING_BASELINE_MEAN, "end"),
)

BLOCKS = {
    "few figures": two_times(FIGURES[0], FIGURES[3]),
    "many figures": two_times(*FIGURES),
    "levels only": two_times(
        figure(Statistic.MEAN, "start", "3.0"),
        figure(Statistic.SD, "start", "1.2"),
        figure(Statistic.MEAN, "end", "1.0"),
        figure(Statistic.SD, "end", "1.0"),
    ),
    "p and responders": two_times(
        FIGURES[0],
        figure(Statistic.PAIRED_P, "end", "0.18"),
        figure(Statistic.RESPONDERS, "end", "2", TWO),
    ),
    "half steps": two_times(
        figure(Statistic.MEAN, "start", "1.3"),
        figure(Statistic.CHANGE_MEAN, "end", "-0.5"),
        scale=Scale(Fraction(0), Fraction(2), Fraction(1, 2)),
    ),
}


@cache
def all_data() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Every way in which three of four patients have two values and one has one, on five steps."""
    pairs = list(itertools.product(range(5), repeat=2))
    result = []
    for rows in itertools.combinations_with_replacement(pairs, 3):
        for last in range(5):
            values = np.array([*rows, (last, 0)])
            result.append((values, np.array([[True, True]] * 3 + [[True, False]])))
    return tuple(result)


def moments(numbers: list[int]) -> tuple[int, int, int]:
    return len(numbers), sum(numbers), sum(x * x for x in numbers)


@cache
def within(
    statistic: Statistic, n: int, total: int, squares: int, interval: Interval, scale: Scale
) -> bool:
    spread = n * squares - total * total
    if statistic is Statistic.MEAN:
        return scale.minimum + scale.step * Fraction(total, n) in interval
    if statistic is Statistic.CHANGE_MEAN:
        return scale.step * Fraction(total, n) in interval
    if statistic is Statistic.PAIRED_P:
        t = (
            0.0
            if total == 0
            else (math.inf if spread == 0 else total / math.sqrt(spread / (n - 1)))
        )
        return float(2 * stats.t.sf(abs(t), n - 1)) in interval
    variance = scale.step**2 * Fraction(spread, n * (n - 1))
    low, high = interval.low, interval.high
    assert low is not None and high is not None
    return variance in Interval(
        max(low, Fraction(0)) ** 2, high**2, interval.low_closed, interval.high_closed
    )


def compatible(block: Block) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    intervals = [(f, f.printed.interval(block.rule)) for f in block.figures]
    for values, mask in all_data():
        start = values[:, 0].tolist()
        pairs = values[:3].tolist()
        columns = {
            "start": moments(start),
            "end": moments([y for _, y in pairs]),
            "change": moments([y - b for b, y in pairs]),
        }
        for f, interval in intervals:
            if f.statistic is Statistic.RESPONDERS:
                assert f.threshold is not None
                count = sum((b - y) * block.scale.step >= f.threshold for b, y in pairs)
                if Fraction(count) not in interval:
                    break
                continue
            of_change = f.statistic in (
                Statistic.CHANGE_MEAN,
                Statistic.CHANGE_SD,
                Statistic.PAIRED_P,
            )
            column = columns["change" if of_change else f.at]
            if not within(f.statistic, *column, interval, block.scale):
                break
        else:
            yield values, mask


def quick(block: Block, quantity: Quantity, **options: object) -> Bound:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "ATTEMPTS", 1)
        patch.setattr(search, "ITERATIONS", 2_000)
        return bound(block, quantity, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BLOCKS)
def test_bounds_of_a_small_block_are_those_of_all_its_data(name: str) -> None:
    block = BLOCKS[name]
    data = list(compatible(block))
    assert data
    for quantity in QUANTITIES:
        values = [quantity.exact(block, *d) for d in data]
        shown = [quantity.shown(value, block) for value in (min(values), max(values))]
        found = quick(block, quantity)
        assert (found.low.limit, found.high.limit) == pytest.approx(sorted(shown), rel=1e-6), (
            quantity
        )
        assert found.sharp, (quantity, found)
        assert recheck(found, block) == []


@pytest.mark.parametrize(
    "rule", [RoundingRule.EITHER, RoundingRule.HALF_EVEN, RoundingRule.HALF_UP]
)
def test_a_half_belongs_to_the_figure_only_under_some_rules(rule: RoundingRule) -> None:
    # A mean of 2.5 from 4 values prints as 2 or as 3: sums 10 and 6 are the ends of "2".
    block = two_times(figure(Statistic.MEAN, "start", "2"), rule=rule)
    found = quick(block, Quantity(Kind.MEAN, "start"))
    low, high = {
        RoundingRule.EITHER: (1.5, 2.5),
        RoundingRule.HALF_EVEN: (1.5, 2.5),
        RoundingRule.HALF_UP: (1.5, 2.25),
    }[rule]
    assert (found.low.limit, found.high.limit) == (low, high)
    assert found.sharp
    odd = two_times(figure(Statistic.MEAN, "start", "1"), rule=rule)
    ends = quick(odd, Quantity(Kind.MEAN, "start"))
    expected = {
        RoundingRule.EITHER: (0.5, 1.5),
        RoundingRule.HALF_EVEN: (0.75, 1.25),
        RoundingRule.HALF_UP: (0.5, 1.25),
    }[rule]
    assert (ends.low.limit, ends.high.limit) == expected


@given(
    st.integers(2, 6),
    st.integers(-12, 12),
    st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted),
)
def test_sums_of_squares_have_the_parity_of_the_sum(n: int, total: int, ends: list[int]) -> None:
    column = Column(n, spread=(ends[0], ends[1]))
    total = max(-2 * n, min(2 * n, total))
    found = dict(squares_of(column, (total, total), (-2, 2)))
    every = {
        sum(x * x for x in numbers)
        for numbers in itertools.combinations_with_replacement(range(-2, 3), n)
        if sum(numbers) == total
    }
    kept = {q for q in every if ends[0] <= n * q - total * total <= ends[1]}
    if total in found:
        low, high = found[total]
        assert (low - total) % 2 == 0 and (high - total) % 2 == 0
    if kept:
        assert found[total][0] <= min(kept) and max(kept) <= found[total][1]


def test_sums_of_the_columns_narrow_each_other() -> None:
    block = two_times(
        figure(Statistic.MEAN, "start", "2.0"),
        figure(Statistic.MEAN, "end", "1.0"),
        figure(Statistic.CHANGE_MEAN, "end", "-1.0"),
    )
    windows = meetings_of(block, boxes_of(block))[1].windows
    assert windows[Part.FOLLOWED] == (6, 6)
    assert windows[Part.MISSING] == (2, 2)


def test_sums_that_do_not_fit_are_a_contradiction() -> None:
    block = two_times(
        figure(Statistic.MEAN, "start", "0.0"), figure(Statistic.CHANGE_MEAN, "end", "-1.0")
    )
    with pytest.raises(ContradictionError, match="change_mean-end"):
        bound(block, Quantity(Kind.MEAN, "end"))


def test_a_dropped_figure_is_no_constraint() -> None:
    quantity = Quantity(Kind.MEAN, "end")
    kept = quick(BLOCKS["many figures"], quantity)
    predicted = quick(BLOCKS["many figures"], quantity, dropped=["mean-end"])
    assert kept.low.limit == kept.high.limit == pytest.approx(5 / 3)
    assert predicted.low.limit < kept.low.limit and predicted.high.limit > kept.high.limit
    assert predicted.dropped == ("mean-end",)
    assert recheck(predicted, BLOCKS["many figures"]) == []


def test_three_times_give_an_outer_bound_and_a_witness_inside_it() -> None:
    scale = Scale(Fraction(0), Fraction(6), Fraction(1))
    figures = (
        figure(Statistic.MEAN, "a", "3.2"),
        figure(Statistic.SD, "a", "1.8"),
        figure(Statistic.CHANGE_MEAN, "b", "-1.2"),
        figure(Statistic.CHANGE_SD, "c", "1.4"),
        figure(Statistic.PAIRED_P, "c", "<0.1"),
    )
    block = Block("score", scale, 7, ("a", "b", "c"), (6, 5, 4), figures)
    for quantity in (Quantity(Kind.CHANGE_MEAN, "c"), Quantity(Kind.MISSING_BASELINE_MEAN, "c")):
        found = quick(block, quantity)
        assert found.low.attained is not None and found.high.attained is not None
        assert found.low.proved <= found.low.attained <= found.high.attained <= found.high.proved
        assert recheck(found, block) == []


def test_two_runs_agree_to_the_byte(tmp_path: Path) -> None:
    for name in ("one", "two"):
        found = quick(BLOCKS["many figures"], QUANTITIES[1])
        save_bounds({"x": replace(found, seconds=0.0)}, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    block = BLOCKS["many figures"]
    saved = {q.name: quick(block, q) for q in QUANTITIES[:9]}
    save_bounds(saved, tmp_path / "bounds.json", about="test")
    loaded = load_bounds(tmp_path / "bounds.json")
    assert loaded == saved
    assert all(b.fits(block) for b in loaded.values())


def test_a_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"bounds": {"x": {"quantity": {}}}}')
    with pytest.raises(ValueError, match=r"broken\.json: bound x"):
        load_bounds(path)
    path.write_text("[")
    with pytest.raises(ValueError, match=r"broken\.json: no file of bounds"):
        load_bounds(path)


def corrupt(found: Bound, patient: int, time: int, value: int | None) -> Bound:
    assert found.high.witness is not None
    rows = [list(row) for row in found.high.witness]
    rows[patient][time] = value
    witness = tuple(tuple(row) for row in rows)
    return replace(found, high=replace(found.high, witness=witness))


def test_a_corrupted_witness_is_caught() -> None:
    block = BLOCKS["many figures"]
    found = quick(block, Quantity(Kind.CHANGE_MEAN, "end"))
    assert recheck(found, block) == []
    assert found.high.witness is not None
    patient = next(i for i, row in enumerate(found.high.witness) if row[1] is not None)
    value = found.high.witness[patient][1]
    assert value is not None
    other = value - 1 if value else value + 1
    assert any("mean-end" in fault for fault in recheck(corrupt(found, patient, 1, other), block))
    assert any("need 3" in fault for fault in recheck(corrupt(found, patient, 1, None), block))
    assert any("scale" in fault for fault in recheck(corrupt(found, patient, 1, 99), block))
    assert any("first value" in fault for fault in recheck(corrupt(found, patient, 0, None), block))


def test_a_wrong_end_is_caught() -> None:
    block = BLOCKS["many figures"]
    found = quick(block, Quantity(Kind.RESPONDERS, "end", Fraction(1)))
    assert found.high.attained is not None
    overstated = replace(found, high=replace(found.high, attained=found.high.attained + 1))
    assert any("stated is" in fault for fault in recheck(overstated, block))
    tight = replace(found, high=replace(found.high, proved=found.high.proved - 1))
    assert any("passes" in fault for fault in recheck(tight, block))


def test_a_stale_bound_is_noticed() -> None:
    block = BLOCKS["many figures"]
    found = quick(block, QUANTITIES[0])
    other = block.without(["sd-start"])
    assert found.fits(block) and not found.fits(other)
    assert any("another block" in fault for fault in recheck(found, other))
    assert key_of(block, QUANTITIES[0]) != key_of(block, QUANTITIES[1])


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        (Quantity(Kind.MEAN, "ende"), "did you mean 'end'"),
        (Quantity(Kind.CHANGE_MEAN, "start"), "first time point"),
    ],
)
def test_a_quantity_that_the_block_has_not_is_refused(quantity: Quantity, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bound(two_times(), quantity)


def test_thresholds_belong_to_their_kinds() -> None:
    with pytest.raises(ValueError, match="threshold"):
        Quantity(Kind.RESPONDERS, "end")
    with pytest.raises(ValueError, match="threshold"):
        Quantity(Kind.MEAN, "end", Fraction(1))


def test_a_block_without_follow_up_is_refused() -> None:
    block = Block("score", SCALE, 4, ("start",), (4,), (figure(Statistic.MEAN, "start", "2.0"),))
    with pytest.raises(ValueError, match="no follow-up"):
        bound(block, Quantity(Kind.MEAN, "start"))


def test_sums_are_enough_where_nothing_else_limits() -> None:
    found = quick(BLOCKS["few figures"], Quantity(Kind.MISSING_BASELINE_MEAN, "end"))
    assert {found.low.proof, found.high.proof} == {Proof.SUMS}
    assert found.low.status == "sharp: proved, and attained by a witness"
