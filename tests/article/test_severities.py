"""Severity scores: printed p values, tight windows, and the law that changes are drawn from."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ivig_dcssc.checker.rows import ROUNDINGS
from ivig_dcssc.generator.visits.severities import (
    BASELINE_SHARES,
    CHANGE_PRIOR,
    CHANGES,
    FEWEST_PAIRS,
    FOLLOWED,
    IMPROVED,
    RENAL,
    RENAL_UNCHANGED,
    SEVERITY_FIGURES,
    TIGHT_P,
    Severities,
    draw_severities,
    p_id,
)
from ivig_dcssc.generator.visits.severities import _nested as nested
from ivig_dcssc.generator.visits.severities import _single as single
from rederive.printed import PrintedNumber
from rederive.printed.registry import Registry, load_registry
from rederive.recompute.signed_rank import signed_rank_p
from rederive.reconstruct.checker import compare

SEEDS = range(60)


@pytest.fixture(scope="module")
def registry(root: Path) -> Registry:
    return load_registry(root / "data" / "published")


@pytest.fixture(scope="module")
def drawn(registry: Registry) -> list[Severities]:
    return [draw_severities(registry, np.random.default_rng(seed)) for seed in SEEDS]


def changes(one: Severities, organ: str, *, tight: bool = False) -> np.ndarray:
    change = one.scores[organ].change
    known = np.isfinite(change)
    return change[known & one.tight] if tight else change[known]


def prints(change: np.ndarray, printed: PrintedNumber) -> bool:
    return compare(str(printed), Decimal(str(p_of(change))), ROUNDINGS)[1]


def p_of(change: np.ndarray) -> float:
    if not change.any():
        return 1.0
    found = stats.wilcoxon(change, zero_method="pratt", correction=False, method="approx")
    return float(found.pvalue)


@pytest.mark.parametrize("organ", BASELINE_SHARES)
def test_p_prints_as_published(registry: Registry, drawn: list[Severities], organ: str) -> None:
    printed = registry.numbers[p_id(organ)].printed
    for one in drawn:
        assert prints(changes(one, organ), printed)


def test_tight_windows_keep_every_conclusion(registry: Registry, drawn: list[Severities]) -> None:
    printed = registry.numbers[TIGHT_P].printed
    for one in drawn:
        muscle = changes(one, IMPROVED, tight=True)
        assert prints(muscle, printed)
        assert muscle.mean() < 0
        assert changes(one, IMPROVED).mean() < 0
        assert len(muscle) < len(changes(one, IMPROVED))
        for organ in BASELINE_SHARES:
            assert p_of(changes(one, organ, tight=True)) >= 0.05


def test_scores_are_on_the_scale_and_the_kidney_stays(drawn: list[Severities]) -> None:
    for one in drawn:
        known = {organ: np.isfinite(each.followup) for organ, each in one.scores.items()}
        seen = known[RENAL]
        assert seen.sum() in FOLLOWED
        assert not (one.tight & ~seen).any()
        for organ, each in one.scores.items():
            before, after = each.baseline, each.followup
            assert before.shape == (30,)
            assert set(before) | set(after[known[organ]]) <= {0.0, 1.0, 2.0, 3.0, 4.0}
            assert not (known[organ] & ~seen).any()
            assert known[organ].sum() >= FEWEST_PAIRS
            assert np.abs(changes(one, organ)).max(initial=0) <= 2
        assert not changes(one, RENAL).any()


@pytest.mark.parametrize("organ", BASELINE_SHARES)
def test_draws_differ(drawn: list[Severities], organ: str) -> None:
    patterns = Counter(tuple(np.sort(changes(one, organ))) for one in drawn)
    assert len(patterns) >= 3
    assert max(patterns.values()) < 0.7 * len(drawn)
    assert len({int(one.tight.sum()) for one in drawn}) >= 5


def test_same_generator_same_scores(registry: Registry) -> None:
    first, again = (draw_severities(registry, np.random.default_rng(5)) for _ in range(2))
    other = draw_severities(registry, np.random.default_rng(6))
    for organ in first.scores:
        np.testing.assert_array_equal(first.scores[organ].baseline, again.scores[organ].baseline)
        np.testing.assert_array_equal(first.scores[organ].followup, again.scores[organ].followup)
    np.testing.assert_array_equal(first.tight, again.tight)
    assert any((first.scores[o].baseline != other.scores[o].baseline).any() for o in first.scores)


def test_known_facts_of_patients_are_respected(registry: Registry) -> None:
    followed, myositis = np.arange(30) < 25, np.arange(30) % 6 == 0
    seen, without = [], []
    for seed in range(30):
        one = draw_severities(
            registry, np.random.default_rng(seed), followed=followed, myositis=myositis
        )
        assert (one.scores[IMPROVED].baseline[myositis] > 0).all()
        known = np.isfinite(one.scores[RENAL].followup)
        seen.append(known[followed].mean())
        without.append(known[~followed].mean())
    assert np.mean(seen) > np.mean(without) + 0.2


@pytest.mark.parametrize("off", [*map(p_id, BASELINE_SHARES), TIGHT_P, "both"])
def test_a_p_can_be_switched_off(registry: Registry, off: str) -> None:
    """Others stay as printed; the one switched off varies, and tight windows decide alike."""
    without = (p_id(IMPROVED), TIGHT_P) if off == "both" else (off,)
    found = set()
    for seed in range(40):
        one = draw_severities(registry, np.random.default_rng(seed), without=without)
        for organ in BASELINE_SHARES:
            if p_id(organ) not in without:
                assert prints(changes(one, organ), registry.numbers[p_id(organ)].printed)
            tight = p_of(changes(one, organ, tight=True))
            assert (tight < 0.05) == (p_of(changes(one, organ)) < 0.05)
        muscle = changes(one, IMPROVED, tight=True)
        if TIGHT_P not in without:
            assert prints(muscle, registry.numbers[TIGHT_P].printed)
        freed = muscle if TIGHT_P in without else changes(one, without[0].split("-")[2])
        found.add(round(p_of(freed), 3))
    assert len(found) > 15


def test_only_p_values_and_one_claim_can_be_switched_off() -> None:
    p_values = {*map(p_id, BASELINE_SHARES), TIGHT_P}
    assert set(SEVERITY_FIGURES) == p_values | {RENAL_UNCHANGED}


def test_patterns_follow_their_law(registry: Registry) -> None:
    """Independent changes, kept where p prints as published, against the table of patterns."""
    draw, n = np.random.default_rng(0), FEWEST_PAIRS
    patterns = single(registry.numbers[p_id("cardiac")].printed, n)
    weights = np.diff(np.concatenate([[0.0], patterns.cumulative]))
    expected = float(weights @ patterns.counts[:, CHANGES == 0].sum(axis=1))
    table = draw.multinomial(n, CHANGE_PRIOR, 4000)
    kept = [row for row in table if signed_rank_p(np.repeat(CHANGES, row).tolist()) >= 0.95]
    unchanged = np.array([row[CHANGES == 0][0] for row in kept])
    assert len(kept) > 200
    assert abs(unchanged.mean() - expected) < 4 * unchanged.std() / np.sqrt(len(kept))


def test_subsets_are_parts_of_their_pairs(registry: Registry) -> None:
    muscle, tight = registry.numbers[p_id(IMPROVED)].printed, registry.numbers[TIGHT_P].printed
    found = nested(muscle, tight, FOLLOWED[0])
    part, rest = np.split(found.counts, 2, axis=1)
    full = part + rest
    assert len(found.counts) > 500
    assert (rest >= 0).all()
    assert set(full.sum(axis=1)) <= set(range(FEWEST_PAIRS, FOLLOWED[0] + 1))
    assert found.cumulative[-1] == pytest.approx(1)
    for whole, some in zip(full[::97], part[::97], strict=True):
        for counts, printed in ((whole, muscle), (some, tight)):
            assert prints(np.repeat(CHANGES, counts), printed)
