"""Contradictory figures: proofs that hold, sets that are small, and doubt that is admitted."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rederive.printed import PrintedNumber, parse
from rederive.recompute.summaries import Scale
from rederive.reconstruct import conflict
from rederive.reconstruct.block import Block, Figure, NothingFoundError, Statistic, holds
from rederive.reconstruct.conflict import Diagnosis, Outcome, decide, diagnose, refute
from rederive.reconstruct.study import parse_study
from repetitions import repeated

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "examples" / "grip-strength.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")

HIGHEST = 3
Data = tuple[tuple[int, int | None], ...]


def all_data(first_n: int, n: int) -> list[Data]:
    """Every data set of a tiny block up to the order of patients, the followed first."""
    values = range(HIGHEST + 1)
    followed = itertools.combinations_with_replacement(itertools.product(values, values), n)
    alone = list(itertools.combinations_with_replacement(values, first_n - n))
    return [
        (*pairs, *((value, None) for value in others)) for pairs in followed for others in alone
    ]


def value_of(figure: Figure, data: Data) -> float:
    first = np.array([b for b, _ in data], float)
    pairs = np.array([(b, y) for b, y in data if y is not None], float)
    change = pairs[:, 1] - pairs[:, 0]
    level = first if figure.at == "a" else pairs[:, 1]
    match figure.statistic:
        case Statistic.MEAN:
            return float(level.mean())
        case Statistic.SD:
            return float(level.std(ddof=1))
        case Statistic.MAXIMUM:
            return float(level.max())
        case Statistic.BASELINE_MEAN:
            return float(pairs[:, 0].mean())
        case Statistic.CHANGE_MEAN:
            return float(change.mean())
        case Statistic.CHANGE_SD:
            return float(change.std(ddof=1))
        case Statistic.RESPONDERS:
            return float((change <= -1).sum())
        case _:
            if change.std() == 0:
                return 1.0 if change[0] == 0 else 0.0
            return float(stats.ttest_1samp(change, 0).pvalue)


def prints(figure: Figure, data: Data) -> bool:
    interval = figure.printed.interval()
    return interval.lower - 1e-9 <= value_of(figure, data) <= interval.upper + 1e-9


KINDS = (
    (Statistic.MEAN, "a", 1),
    (Statistic.SD, "a", 1),
    (Statistic.MAXIMUM, "a", 0),
    (Statistic.MEAN, "b", 1),
    (Statistic.SD, "b", 1),
    (Statistic.BASELINE_MEAN, "b", 1),
    (Statistic.CHANGE_MEAN, "b", 1),
    (Statistic.CHANGE_SD, "b", 1),
    (Statistic.PAIRED_P, "b", 2),
    (Statistic.RESPONDERS, "b", 0),
)


def random_block(rng: np.random.Generator, sources: list[Data], first_n: int, n: int) -> Block:
    """A tiny block whose figures are those of several data sets, mixed: often contradictory."""
    figures = []
    for index in sorted(rng.choice(len(KINDS), 6, replace=False)):
        statistic, at, decimals = KINDS[index]
        threshold = Fraction(1) if statistic is Statistic.RESPONDERS else None
        blank = Figure(f"{at}.{statistic}", statistic, at, PrintedNumber("0"), threshold)
        source = sources[int(rng.integers(2))]
        text = f"{value_of(blank, source):.{decimals}f}"
        printed = PrintedNumber(text.removeprefix("-") if not text.strip("-0.") else text)
        figures.append(Figure(blank.id, statistic, at, printed, threshold))
    scale = Scale(Fraction(0), Fraction(HIGHEST))
    return Block("x", scale, first_n, ("a", "b"), (first_n, n), tuple(figures))


@pytest.mark.parametrize("seed", range(repeated(3)))
def test_decisions_and_smallest_sets_agree_with_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first_n, n = (4, 4) if seed % 2 else (4, 3)
    everything = all_data(first_n, n)
    sources = [everything[int(rng.integers(len(everything)))] for _ in range(2)]
    block = random_block(rng, sources, first_n, n)
    # For each data set the figures that it prints: a set of figures is contradictory exactly if it
    # is part of none of these.
    printed = {frozenset(f.id for f in block.figures if prints(f, d)) for d in everything}

    def contradictory(names: tuple[str, ...] | set[str]) -> bool:
        return not any(set(names) <= other for other in printed)

    every = {figure.id for figure in block.figures}
    found = diagnose(block, 20)
    assert found.outcome is (Outcome.CONTRADICTION if contradictory(every) else Outcome.FOUND)
    if found.outcome is Outcome.FOUND:
        assert found.data is not None
        assert holds(found.data)
        return
    assert contradictory(found.figures)
    assert found.irreducible
    assert found.minimum
    assert all(not contradictory(set(found.figures) - {name}) for name in found.figures)
    size = next(
        size
        for size in range(1, len(every) + 1)
        if any(map(contradictory, itertools.combinations(sorted(every), size)))
    )
    assert len(found.figures) == size


def test_fast_proofs_never_refuse_figures_that_some_data_print() -> None:
    rng = np.random.default_rng(99)
    everything = all_data(4, 3)
    for _ in range(150):
        source = everything[int(rng.integers(len(everything)))]
        block = random_block(rng, [source, source], 4, 3)
        assert refute(block) is None


@pytest.mark.parametrize(
    ("old", "new", "measure", "expected"),
    [
        ('mean: "18.6"', 'mean: "18.64"', "grip", {"grip.start.mean"}),
        (
            'mean: "18.6"',
            'mean: "19.6"',
            "grip",
            {"grip.start.mean", "grip.week6.mean", "grip.week6.change_mean"},
        ),
        (
            'paired_p: "0.003"',
            'paired_p: "0.03"',
            "grip",
            {"grip.week12.change_mean", "grip.week12.change_sd", "grip.week12.paired_p"},
        ),
        (
            'minimum: "3"',
            'minimum: "5"',
            "pain",
            {"pain.start.sd", "pain.start.minimum", "pain.start.maximum"},
        ),
        (
            '{2: "8"}',
            '{2: "13"}',
            "pain",
            {"pain.week12.change_mean", "pain.week12.change_sd", "pain.week12.responders.2"},
        ),
    ],
)
def test_a_wrong_figure_of_the_example_is_cornered(
    old: str, new: str, measure: str, expected: set[str]
) -> None:
    assert TEXT.count(old) == 1
    block = parse_study(TEXT.replace(old, new)).measure(measure).block
    found = diagnose(block, 60)
    assert set(found.figures) == expected
    assert found.irreducible
    assert all(name in found.message for name in expected)


def test_figures_of_real_data_are_no_contradiction() -> None:
    for measure in parse_study(TEXT).measures:
        found = diagnose(measure.block, 20)
        assert found.outcome is Outcome.FOUND
        assert found.data is not None
        assert holds(found.data)
        assert "can hold together" in found.message
        assert found.figures == ()


def test_without_time_doubt_is_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    (grip, _) = parse_study(TEXT).measures

    def nothing(*arguments: object, **options: object) -> None:
        raise NothingFoundError

    monkeypatch.setattr(conflict, "find_data", nothing)
    found = diagnose(grip.block, 0.01)
    assert found.outcome is Outcome.UNDECIDED
    assert found.figures == ()
    assert "no contradiction" in found.message
    assert "undecided" in found.message


def test_a_set_that_could_not_be_shown_small_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    block = parse_study(TEXT.replace('mean: "18.6"', 'mean: "19.6"')).measures[0].block
    undecided = Diagnosis(Outcome.UNDECIDED)
    monkeypatch.setattr(conflict._Clock, "ask", lambda self, block, share=1: undecided)
    found = diagnose(block, 5)
    assert found.outcome is Outcome.CONTRADICTION
    assert not found.irreducible
    assert "may be superfluous" in found.message


def test_the_programme_finds_what_the_search_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    _, pain = parse_study(TEXT).measures

    def nothing(*arguments: object, **options: object) -> None:
        raise NothingFoundError

    monkeypatch.setattr(conflict, "find_data", nothing)
    answer = decide(pain.block, 60)
    assert answer.outcome is Outcome.FOUND
    assert answer.data is not None
    assert holds(answer.data)


def test_a_figure_that_cannot_be_at_all_is_named_alone() -> None:
    scale = Scale(Fraction(0), Fraction(10))
    p = Figure("p", Statistic.PAIRED_P, "b", parse("<0.05"))
    sd = Figure("sd", Statistic.SD, "b", parse("9.9"))
    block = Block("x", scale, 6, ("a", "b"), (6, 5), (p, sd))
    assert diagnose(block, 10).figures == ("sd",)


def test_responders_of_a_greater_threshold_are_no_more() -> None:
    figures = tuple(
        Figure(f"r{threshold}", Statistic.RESPONDERS, "b", parse(count), Fraction(threshold))
        for threshold, count in ((2, "8"), (3, "10"), (5, "4"))
    )
    block = Block("x", Scale(Fraction(0), Fraction(10)), 18, ("a", "b"), (18, 18), figures)
    found = diagnose(block, 5)
    assert found.figures == ("r2", "r3") and found.minimum


@pytest.mark.parametrize(
    ("sd", "p", "named"),
    [
        ("1.1", "0.002", [("sd", "standard error in place of the SD")]),
        ("6.03", "0.0009", [("p", "one-sided p")]),
    ],
)
def test_a_habit_that_would_explain_a_contradiction_is_named(
    sd: str, p: str, named: list[tuple[str, str]]
) -> None:
    # Mean change -3.8, p 0.002 and n 30: with an SD of 1.1 t would be 18.9.
    scale = Scale(Fraction(0), Fraction(51))
    figures = (
        Figure("change", Statistic.CHANGE_MEAN, "b", parse("-3.8")),
        Figure("sd", Statistic.CHANGE_SD, "b", parse(sd)),
        Figure("p", Statistic.PAIRED_P, "b", parse(p)),
    )
    found = diagnose(Block("x", scale, 30, ("a", "b"), (30, 30), figures), 20)
    assert found.outcome is Outcome.CONTRADICTION
    assert list(found.habits) == named
    assert f"{named[0][0]} as: {named[0][1]}" in found.message


def test_a_habit_counts_only_if_every_figure_holds_with_it() -> None:
    # 18 changes of mean -0.89 with SD 2.03, of which 1.969 is printed, by divisor n: with a
    # standard error the change alone would do, with the scores at both times it does not.
    figures = (
        Figure("before", Statistic.SD, "a", parse("2.02")),
        Figure("after", Statistic.SD, "b", parse("2.89")),
        Figure("change", Statistic.CHANGE_MEAN, "b", parse("-0.89")),
        Figure("sd", Statistic.CHANGE_SD, "b", parse("1.969")),
        Figure("p", Statistic.PAIRED_P, "b", parse("0.080")),
    )
    scale = Scale(Fraction(0), Fraction(10))
    found = diagnose(Block("x", scale, 18, ("a", "b"), (18, 18), figures), 20)
    assert [habit for _, habit in found.habits] == ["SD with divisor n"]
