"""Severity scores before and after: ordinal changes whose signed-rank p prints as published.

The article states no number of pairs. For each organ it is taken as anything from
:data:`FEWEST_PAIRS` to the number of patients followed, and changes of different patients as
independent, with the probabilities of :data:`CHANGE_PRIOR`; what is drawn is how many patients
changed by how much, given the printed p. Scores of different organs are drawn independently of each
other; where the lung's are the grades of lung function, what is drawn is in whom they were recorded
again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from ivig_dcssc.generator.drawing import (
    Flags,
    Floats,
    Integers,
    NoFittingPatientsError,
    alpha_of,
    printed_number,
)
from ivig_dcssc.generator.visits.timing import SEVERITY_PREFIX, Measured
from rederive.printed import PrintedNumber
from rederive.printed.registry import Registry
from rederive.recompute.signed_rank import change_counts_with_p, signed_rank_p

FOLLOWED = (24, 25, 26, 27, 28)
"""Patients with severities at month 12; our choice, near the numbers printed of lung function."""

FEWEST_PAIRS = 20
"""Fewest patients with both scores of an organ; our choice. With one number for all organs, nearly
all patterns with the printed p values would have a third of the patients move by two grades."""

TIGHT_SHARE = (0.5, 0.9)
"""Least and greatest share of the pairs that lie in the tight windows; our choice."""

CHANGES = np.array([-2, -1, 0, 1, 2])
CHANGE_PRIOR = np.array([0.025, 0.15, 0.65, 0.15, 0.025])
"""Probability of each change: most patients keep their score within a year, few move by 2."""

BASELINE_SHARES: dict[str, tuple[float, float, float, float, float]] = {
    "general": (0.40, 0.35, 0.15, 0.07, 0.03),
    "raynaud": (0.10, 0.55, 0.20, 0.12, 0.03),
    "cardiac": (0.75, 0.12, 0.08, 0.04, 0.01),
    "pulmonary": (0.40, 0.30, 0.20, 0.08, 0.02),
    "gi": (0.20, 0.55, 0.18, 0.05, 0.02),
    "muscle": (0.55, 0.27, 0.13, 0.04, 0.01),
}
"""Share of each score 0 to 4 before treatment: mild to moderate disease of the organs, as the lung
function of Table 1 suggests. Synthetic; the article prints no severity score."""

RENAL = "renal"
RENAL_SHARES = (0.93, 0.07, 0.0, 0.0, 0.0)
"""The same for the kidney, where nobody had a crisis and nobody's score changed."""

RENAL_CHANGES = np.array([0.0, 0.02, 0.95, 0.03, 0.0])
"""Probability of each change of the kidney's score where the article's statement that it did not
change is switched off; ours."""

RENAL_UNCHANGED = "results-severity-renal-ivig-m12-unchanged"

LUNG, HEART = "pulmonary", "cardiac"

RECORDED = 0.9
"""Probability that a grade of lung function that is known is recorded again; ours."""

FAILING = 2
"""Least cardiac severity of a failing heart."""

IMPROVED = "muscle"
"""The scale with a second printed p, in the tight windows, and with a stated direction."""

TIGHT_P = "appendix2-severity-muscle-restricted-ivig-m12-p"

_ATTEMPTS = 200


def p_id(organ: str) -> str:
    """Return the id of the p value printed for an organ."""
    return f"results-severity-{organ}-ivig-m12-p"


_P_VALUES = (*(p_id(organ) for organ in BASELINE_SHARES), TIGHT_P)
SEVERITY_FIGURES = (*_P_VALUES, RENAL_UNCHANGED)
"""Ids of the p values and the claim that :func:`draw_severities` can leave out."""


@dataclass(frozen=True, slots=True)
class Severities:
    """Severity scores in the primary windows.

    Parameters
    ----------
    scores : dict of Measured
        Scores 0 to 4 by organ; at follow-up NaN where not recorded.
    tight : array of bool, shape (patients,)
        Whose records at baseline and month 12 both lie in the tight windows.
    """

    scores: dict[str, Measured]
    tight: Flags


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Numbers of patients by change, shape (patterns, 5 or 10), and cumulative probabilities."""

    counts: Integers
    cumulative: Floats

    def draw(self, rng: np.random.Generator) -> Integers:
        at = int(np.searchsorted(self.cumulative, rng.random(), side="right"))
        return np.asarray(self.counts[min(at, len(self.counts) - 1)])


@lru_cache(maxsize=256)
def _counts(p: PrintedNumber, n: int) -> Integers:
    """Return all patterns of n changes with the printed p, in the order of :data:`CHANGES`."""
    found = change_counts_with_p(p, n)
    rows = [(better[1], better[0], n - sum(better) - sum(worse), *worse) for better, worse in found]
    return np.array(rows, np.int64).reshape(-1, len(CHANGES))


def _log_multinomial(counts: Integers) -> Floats:
    ways = gammaln(counts.sum(axis=-1) + 1) - gammaln(counts + 1).sum(axis=-1)
    return np.asarray(ways + counts @ np.log(CHANGE_PRIOR), np.float64)


def _patterns(counts: Integers, log_weights: Floats) -> _Patterns:
    weights = np.exp(log_weights - log_weights.max())
    return _Patterns(counts, np.cumsum(weights) / weights.sum())


@lru_cache(maxsize=64)
def _all_counts(p: PrintedNumber, most: int) -> Integers:
    """Return all patterns with the printed p, of the fewest to the most pairs."""
    return np.vstack([_counts(p, n) for n in range(FEWEST_PAIRS, most + 1)])


@lru_cache(maxsize=64)
def _single(p: PrintedNumber, most: int) -> _Patterns:
    counts = _all_counts(p, most)
    return _patterns(counts, _log_multinomial(counts))


def _improving(counts: Integers) -> Integers:
    """Return the patterns with a lower mean whose rank sum falls too."""
    zeros = counts[:, CHANGES == 0].sum(axis=1)
    ones = counts[:, np.abs(CHANGES) == 1].sum(axis=1)
    twos = counts[:, np.abs(CHANGES) == 2].sum(axis=1)
    ranks = np.stack([zeros, zeros + (ones + 1) / 2, zeros + ones + (twos + 1) / 2], axis=1)
    signed = ranks[:, np.abs(CHANGES)] * np.sign(CHANGES)
    falls = (counts @ CHANGES < 0) & ((counts * signed).sum(axis=1) < 0)
    return np.asarray(counts[falls])


def _sizes(n: int) -> range:
    """Return the sizes that the tight subset of n pairs may have."""
    return range(round(TIGHT_SHARE[0] * n), round(TIGHT_SHARE[1] * n) + 1)


@lru_cache(maxsize=16)
def _nested(p: PrintedNumber | None, tight_p: PrintedNumber, most: int) -> _Patterns:
    """Return patterns of a tight subset, each with one of the pairs outside, shape (patterns, 10).

    All sizes within :data:`TIGHT_SHARE` are equally probable. Without a p for all pairs, only the
    numbers of pairs outside are in the last columns, all of them in that of no change.
    """
    found, log_weights = [], []
    for n in range(FEWEST_PAIRS, most + 1):
        parts = np.vstack([_improving(_counts(tight_p, size)) for size in _sizes(n)])
        if p is None:
            rest = np.where(CHANGES == 0, n - parts.sum(axis=1, keepdims=True), 0)
            log_weight = _log_multinomial(parts)
        else:
            whole = _improving(_counts(p, n))
            one, other = np.nonzero((parts <= whole[:, np.newaxis, :]).all(axis=2))
            parts, rest = parts[other], whole[one] - parts[other]
            log_weight = _log_multinomial(parts) + _log_multinomial(rest)
        found.append(np.hstack([parts, rest]))
        log_weights.append(log_weight - np.log(len(_sizes(n))))
    return _patterns(np.vstack(found), np.concatenate(log_weights))


def _significant(counts: Integers, alpha: float) -> bool:
    return _p_of(tuple(counts.tolist())) < alpha


@lru_cache(maxsize=4096)
def _p_of(counts: tuple[int, ...]) -> float:
    return signed_rank_p(np.repeat(CHANGES, counts))


def _counted(change: Floats) -> Integers:
    """Return how many patients have each change."""
    return np.asarray((change == CHANGES[:, np.newaxis]).sum(axis=1))


def _draw_counts(p: PrintedNumber | None, most: int, rng: np.random.Generator) -> Integers:
    """Return numbers of patients by change, with the printed p if there is one."""
    if p is not None:
        return _single(p, most).draw(rng)
    n = int(rng.integers(FEWEST_PAIRS, most + 1))
    return np.asarray(rng.multinomial(n, CHANGE_PRIOR), np.int64)


def _draw_improved(
    p: PrintedNumber | None,
    tight_p: PrintedNumber | None,
    most: int,
    alpha: float,
    rng: np.random.Generator,
) -> tuple[Integers, Integers]:
    """Return numbers of patients by change inside and outside the tight windows.

    All pairs and those inside lead to the same decision.
    """
    while True:
        if tight_p is None:
            whole = _draw_counts(p, most, rng)
            if p is not None and not len(_improving(whole[np.newaxis])):
                continue
            part = rng.multivariate_hypergeometric(whole, int(rng.choice(_sizes(whole.sum()))))
            rest = whole - part
        else:
            part, rest = np.split(_nested(p, tight_p, most).draw(rng), 2)
            if p is None:
                rest = rng.multinomial(rest.sum(), CHANGE_PRIOR)
        if _significant(part, alpha) == _significant(part + rest, alpha):
            return part, rest


def draw_severities(
    registry: Registry,
    rng: np.random.Generator,
    *,
    followed: Flags | None = None,
    myositis: Flags | None = None,
    lungs: tuple[Floats, Floats] | None = None,
    failing_heart: Flags | None = None,
    without: Collection[str] = (),
) -> Severities:
    """Draw severity scores that print the published p values.

    The tight windows always lead to the decisions of the primary ones, as the article says. Arrays
    have shape (patients,): who was ``followed`` in the skin around month 12 (these rather than
    others have severities then too), who has ``myositis``, and so a muscle score above 0 before
    treatment, the grades of the ``lungs`` at baseline and month 12 (NaN where unknown), and whose
    ``failing_heart`` has a score of :data:`FAILING` or more before. For p values in ``without``, or
    the claim that nobody's kidney changed, the changes come from :data:`CHANGE_PRIOR` or
    :data:`RENAL_CHANGES` alone.

    Raises
    ------
    NoFittingPatientsError
        If grades of lung function do not print the lung's p in any of the patients, or the tight
        windows lead to another decision.
    """
    patients = printed_number(registry, "table1-cohort-size-ivig-n")
    alpha = alpha_of(registry)
    printed = {
        row_id: registry.numbers[row_id].printed for row_id in _P_VALUES if row_id not in without
    }
    most = int(rng.choice(FOLLOWED))
    favour = np.zeros(patients) if followed is None else 0.7 * followed
    seen = np.argsort(rng.random(patients) - favour)[:most]

    improved = (printed.get(p_id(IMPROVED)), printed.get(TIGHT_P))
    part, rest = _draw_improved(*improved, most, alpha, rng)
    pairs = int(part.sum() + rest.sum())
    ranked = rng.permutation(seen)[:pairs]
    ranked = ranked[np.argsort(rng.random(len(ranked)) - favour[ranked])]
    tight = np.zeros(patients, np.bool_)
    tight[ranked[: part.sum()]] = True
    # Whoever has no muscle score again may still have the other scores in the tight windows.
    others = seen[~np.isin(seen, ranked)]
    tight[others[rng.random(len(others)) < part.sum() / pairs]] = True

    changes = {}
    for organ in BASELINE_SHARES:
        change = np.full(patients, np.nan)
        if organ == IMPROVED:
            inside, outside = np.repeat(CHANGES, part), np.repeat(CHANGES, rest)
            change[ranked] = np.concatenate([rng.permutation(inside), rng.permutation(outside)])
        elif organ == LUNG and lungs is not None:
            p = printed.get(p_id(organ))
            change = _recorded(lungs[1] - lungs[0], p, tight, alpha, rng)
        else:
            counts = _draw_counts(printed.get(p_id(organ)), most, rng)
            change[seen] = _same_when_tight(counts, tight[seen], alpha, rng)
            if organ == HEART and failing_heart is not None:
                _spare(change, failing_heart, tight, rng)
        changes[organ] = change
    changes[RENAL] = np.full(patients, np.nan)
    changes[RENAL][seen] = 0.0
    if RENAL_UNCHANGED in without:
        changes[RENAL][seen] = rng.choice(CHANGES, len(seen), p=RENAL_CHANGES)

    scores = {}
    for organ, change in changes.items():
        shares = np.tile(BASELINE_SHARES.get(organ, RENAL_SHARES), (patients, 1))
        if organ == IMPROVED and myositis is not None:
            shares[myositis, 0] = 0
        if organ == HEART and failing_heart is not None:
            shares[failing_heart, :FAILING] = 0
        before = _before(shares, np.nan_to_num(change), rng)
        if organ == LUNG and lungs is not None:
            before = np.where(np.isfinite(lungs[0]), lungs[0], before)
        scores[organ] = Measured(SEVERITY_PREFIX + organ, before, before + change)
    return Severities(scores, tight)


def _same_when_tight(
    counts: Integers, tight: Flags, alpha: float, rng: np.random.Generator
) -> Floats:
    """Return changes of those seen again, NaN where this organ has no score again.

    They lead to the same decision in the tight windows; if no order of them is found that does,
    to whatever the last one leads to.
    """
    drawn = np.full(len(tight), np.nan)
    drawn[: counts.sum()] = np.repeat(CHANGES, counts)
    significant = _significant(counts, alpha)
    for _ in range(_ATTEMPTS):
        change = rng.permutation(drawn)
        if _significant(_counted(change[tight]), alpha) == significant:
            break
    return change


def _within(p: PrintedNumber, known: Integers) -> Integers:
    """Return all patterns with the printed p among patients with known changes."""
    patterns = _all_counts(p, max(FOLLOWED))
    return np.asarray(patterns[(patterns <= known).all(axis=1)])


def lungs_fit(registry: Registry, change: Floats, without: Collection[str] = ()) -> bool:
    """Return whether some patients with these changes of the lung's grade print its p.

    Parameters
    ----------
    change : array, shape (patients,)
        Changes of the grade from baseline to month 12; NaN where unknown.
    without : collection of str
        As for :func:`draw_severities`.
    """
    name = p_id(LUNG)
    return name in without or len(_within(registry.numbers[name].printed, _counted(change))) > 0


def _recorded(
    change: Floats, p: PrintedNumber | None, tight: Flags, alpha: float, rng: np.random.Generator
) -> Floats:
    """Return known changes, NaN where they are not recorded, so that the rest print p.

    Each is recorded with probability :data:`RECORDED`, given p, and that the tight windows lead to
    the same decision.
    """
    known = _counted(change)
    if p is None:
        pattern = rng.binomial(known, RECORDED)
    else:
        fitting = _within(p, known)
        if not len(fitting):
            raise NoFittingPatientsError(f"lungs: no patients in whom the grades print p {p}")
        ways = gammaln(known + 1) - gammaln(fitting + 1) - gammaln(known - fitting + 1)
        odds = np.log(RECORDED / (1 - RECORDED))
        pattern = _patterns(fitting, ways.sum(axis=1) + odds * fitting.sum(axis=1)).draw(rng)
    significant = _significant(pattern, alpha)
    for _ in range(_ATTEMPTS):
        found = np.full(len(change), np.nan)
        for size, count in zip(CHANGES, pattern, strict=True):
            who = rng.permutation(np.flatnonzero(change == size))[:count]
            found[who] = size
        if _significant(_counted(found[tight]), alpha) == significant:
            return found
    raise NoFittingPatientsError("lungs: the tight windows always lead to another decision")


def _spare(change: Floats, who: Flags, tight: Flags, rng: np.random.Generator) -> None:
    """Exchange, in place, a fall of some patients for a change of others that is none.

    The others are in the tight windows or not, as they are: so its decision stays.
    """
    for one in np.flatnonzero(who & (change < 0)):
        other = rng.choice(np.flatnonzero((change >= 0) & ~who & (tight == tight[one])))
        change[[one, other]] = change[[other, one]]


def _before(shares: Floats, change: Floats, rng: np.random.Generator) -> Floats:
    """Return scores before, shape (patients,), by the shares of those that the change allows."""
    after = np.arange(shares.shape[1]) + change[:, np.newaxis]
    weights = np.where((after >= 0) & (after < shares.shape[1]), shares, 0.0)
    cumulative = np.cumsum(weights, axis=1)
    drawn = rng.random(len(change)) * cumulative[:, -1]
    return np.asarray((cumulative <= drawn[:, np.newaxis]).sum(axis=1), np.float64)
