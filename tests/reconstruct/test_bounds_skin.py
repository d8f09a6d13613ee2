"""The shipped bounds of the article's skin block: every witness anew, and proofs by other means."""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from bounds_recheck import recheck
from ivig_dcssc.generator.skin import own_quantity, skin_block, wanted_bounds
from ivig_dcssc.parameters import READINGS
from ivig_dcssc.project import BOUNDS_FILE
from rederive.printed.lattice import greatest_squares_sum, least_squares_sum
from rederive.printed.registry import Registry, load_registry
from rederive.reconstruct.block import Block, Statistic, boxes_of
from rederive.reconstruct.bounds import Bound, Kind, load_bounds

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = load_bounds(ROOT / BOUNDS_FILE)


@cache
def registry() -> Registry:
    return load_registry(ROOT / "data" / "published")


@cache
def block(reading: str) -> Block:
    return skin_block(registry(), reading)


def reading_of(name: str) -> str:
    return name.split("/")[0]


def find(kind: Kind, at: str, reading: str = READINGS[0], threshold: int | None = None) -> Bound:
    return next(
        b
        for name, b in SHIPPED.items()
        if reading_of(name) == reading
        and (b.quantity.kind, b.quantity.at) == (kind, at)
        and b.quantity.threshold == threshold
        and (threshold is None) == (b.quantity.threshold is None)
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_bound_stands_a_recheck(name: str) -> None:
    found = SHIPPED[name]
    assert found.low.witness is not None and found.high.witness is not None
    assert recheck(found, block(reading_of(name))) == []


def test_all_wanted_bounds_are_shipped_and_no_others() -> None:
    wanted = wanted_bounds(registry())
    assert set(SHIPPED) == set(wanted)
    for name, found in SHIPPED.items():
        assert (reading_of(name), found.quantity, found.dropped) == wanted[name]
        assert found.fits(block(reading_of(name)))


def test_every_constrained_figure_has_a_bound_without_itself() -> None:
    for figure in block(READINGS[0]).figures:
        assert any(
            b.quantity == own_quantity(figure) and b.dropped == (figure.id,)
            for b in SHIPPED.values()
        ), figure.id


def test_what_the_article_prints_lies_within_its_bounds() -> None:
    for name, found in SHIPPED.items():
        for dropped in found.dropped:
            printed = block(reading_of(name)).figure(dropped).printed.interval()
            assert printed.meets(found.low.limit, found.high.limit), name


def possible(
    n: int, responders: int, total: int, threshold: int, levels: int
) -> tuple[int, int] | None:
    """Least and greatest sum of squares of n changes of which some are falls by the threshold."""
    ends = []
    low, high = -levels, -threshold
    rest = (-threshold + 1, levels)
    for part in range(responders * low, responders * high + 1):
        other, others = total - part, n - responders
        if not others * rest[0] <= other <= others * rest[1]:
            continue
        least = most = 0
        for k, s, (a, b) in ((responders, part, (low, high)), (others, other, rest)):
            if k:
                least += least_squares_sum(k, s)
                most += greatest_squares_sum(k, s, a, b)
        ends.append((least, most))
    return (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else None


@pytest.mark.parametrize(
    ("at", "reading", "side"),
    [("m6", "-8", "high"), ("m12", "-8", "low"), ("m12", "-8.0", "low")],
)
def test_no_more_responders_by_whole_numbers_alone(at: str, reading: str, side: str) -> None:
    # One responder beyond the end: no sum of the changes leaves a sum of squares that fits.
    found = find(Kind.RESPONDERS, at, reading, 5)
    end = found.high if side == "high" else found.low
    beyond = int(end.proved) + (1 if side == "high" else -1)
    kept = block(reading).without(found.dropped)
    column = boxes_of(kept).change[kept.index(at)]
    for total in range(column.total[0], column.total[1] + 1):
        ends = possible(column.n, beyond, total, 5, kept.levels)
        if ends is not None:
            fitting = [q for q in range(ends[0], ends[1] + 1) if column.admits(total, q)]
            assert not [q for q in fitting if (q - total) % 2 == 0]


def test_paired_p_by_listing_all_sums() -> None:
    found = find(Kind.PAIRED_P, "m6")
    kept = block("-8").without(found.dropped)
    column = boxes_of(kept).change[1]
    ratios = [
        Fraction(total**2 * (column.n - 1), column.n * squares - total**2)
        for total, squares in itertools.product(
            range(column.total[0], column.total[1] + 1), range(1, 10_000)
        )
        if (total - squares) % 2 == 0 and column.admits(total, squares)
    ]
    assert min(ratios) <= found.high.proved and found.low.proved <= max(ratios)
    assert found.low.sharp and found.high.sharp


def test_bounds_of_both_readings_nest() -> None:
    for name, narrow in SHIPPED.items():
        if reading_of(name) == READINGS[1]:
            wide = SHIPPED[name.replace(READINGS[1], READINGS[0], 1)]
            assert wide.low.limit <= narrow.low.limit and narrow.high.limit <= wide.high.limit


def test_responders_fall_with_the_threshold() -> None:
    for at in ("m6", "m12"):
        curve = sorted(
            (
                (int(b.quantity.threshold or 0), b)
                for name, b in SHIPPED.items()
                if reading_of(name) == READINGS[0]
                and b.quantity.kind is Kind.RESPONDERS
                and b.quantity.at == at
                and not b.dropped
            ),
            key=lambda pair: pair[0],
        )
        highs = [b.high.limit for _, b in curve]
        assert highs == sorted(highs, reverse=True)


def test_only_the_kind_of_figure_the_block_holds_is_dropped() -> None:
    for name, found in SHIPPED.items():
        figures = [block(reading_of(name)).figure(d) for d in found.dropped]
        assert all(f.at == found.quantity.at for f in figures)
        if found.quantity.kind is Kind.RESPONDERS and found.dropped:
            assert [f.statistic for f in figures] == [Statistic.RESPONDERS]
