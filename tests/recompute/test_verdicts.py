"""Verdicts, decisions and claims: each case of the logic, and every method by its name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import nan

import pytest

from rederive.printed import Evidence, PrintedNumber, RoundingRule, Verdict, parse
from rederive.printed.registry import ClaimRow, NumberRow, PlanRow, Registry, VariableRow
from rederive.printed.result import Reach, Recomputed
from rederive.recompute import arithmetic
from rederive.recompute.odds_ratio import odds_ratio_figure
from rederive.recompute.planned import (
    METHODS,
    Outcome,
    PlanError,
    Settings,
    carry_out,
    checked_claims,
)
from rederive.recompute.planned.checked_claims import CheckedClaim, ClaimReach
from rederive.recompute.proportions import WELCH, Share, fisher, two_proportions
from rederive.recompute.summaries import Summary
from rederive.recompute.t_tests import drop_idle_readings, two_sample_t
from rederive.recompute.two_by_two import PrintedOddsRatio, Table2x2

P = parse("0.04")


def reach(stated: bool, meets: bool, point: float | None = None, name: str = "c") -> Reach:
    return Reach(name, stated, 0.03, 0.06, point, meets)


@pytest.mark.parametrize(
    ("reaches", "verdict"),
    [
        ([reach(True, True, 0.041)], Verdict.SAME),
        ([reach(True, True, 0.052)], Verdict.WITHIN_ROUNDING),
        ([reach(True, True)], Verdict.WITHIN_ROUNDING),
        ([reach(True, True, nan)], Verdict.WITHIN_ROUNDING),
        ([reach(True, False, 0.041)], Verdict.DIFFERS),
        ([reach(True, True, 0.041), reach(True, True, 0.052)], Verdict.WITHIN_ROUNDING),
        ([reach(True, True, 0.041), reach(True, False)], Verdict.NEEDS_CHOICE),
        ([reach(True, False), reach(False, True, 0.04)], Verdict.NEEDS_CHOICE),
        ([reach(False, True, 0.04)], Verdict.NEEDS_CHOICE),
        ([reach(True, False), reach(False, False)], Verdict.DIFFERS),
        ([reach(True, True, 0.041), reach(False, False)], Verdict.SAME),
    ],
)
def test_verdicts(reaches: list[Reach], verdict: Verdict) -> None:
    assert Recomputed("m", P, tuple(reaches)).verdict is verdict


def test_nothing_printed_gives_no_verdict() -> None:
    result = two_sample_t(Summary(parse("3"), parse("1"), 9), Summary(parse("2"), parse("1"), 9))
    assert result.verdict is Verdict.NONE
    assert result.as_row()["printed"] == ""


@pytest.mark.parametrize(
    ("low", "high", "decision"),
    [
        (0.01, 0.0499, True),
        (0.0501, 0.2, False),
        (0.04, 0.06, None),
        (0.05, 0.2, None),
        (0.01, 0.05, None),
        (0.05 - 1e-15, 0.05 - 1e-15, None),
    ],
)
def test_decisions(low: float, high: float, decision: bool | None) -> None:
    one = Reach("c", True, low, high, None, True)
    assert one.decision(0.05) is decision
    expected = {True, False} if decision is None else {decision}
    result = Recomputed("m", P, (one, Reach("d", False, 0.9, 1.0, None, False)))
    assert result.decisions(0.05) == expected
    assert result.as_row()["decision_open"] is (decision is None)


def test_a_tie_of_an_exact_test_with_alpha_contradicts_neither_claim() -> None:
    """Fisher's p for 3 of 3 against 0 of 3 is 0.1 exactly; floats may fall on either side."""
    result = two_proportions(Share((3,), 3), Share((0,), 3), stated="Fisher's exact test")
    for significant in (True, False):
        claim = checked_claims.claim_from_p(result, 0.1, significant)
        assert claim.main.convention == "Fisher's exact test"
        assert claim.main.can_hold and not claim.main.must_hold


def test_main_prefers_stated_then_meeting() -> None:
    stated, meeting, other = reach(True, False), reach(False, True, name="m"), reach(False, False)
    assert Recomputed("m", P, (other, meeting, stated)).main is stated
    assert Recomputed("m", P, (other, meeting)).main is meeting
    assert Recomputed("m", P, (other,)).main is other
    assert Recomputed("m", P, (other, meeting)).conditions == ("m",)


@pytest.mark.parametrize(("events", "counted"), [(1, False), (4, False), (5, True), (26, False)])
def test_a_test_that_nobody_would_defend_decides_nothing(events: int, counted: bool) -> None:
    """Welch's on zeros and ones wants five patients with and without the feature in each group."""
    found = two_proportions(Share((events,), 30), Share((30,), 134))
    usual = {each.convention: each.usual for each in found.reaches}
    assert usual.pop(WELCH) is counted
    assert all(usual.values())
    claim = checked_claims.claim_from_p(found, 0.05, significant=True)
    welch = [each.usual for each in claim.reaches if each.convention == WELCH]
    assert welch == [counted]
    assert (WELCH in claim.contradicted) <= counted
    stated = two_proportions(Share((events,), 30), Share((30,), 134), stated=WELCH)
    assert all(each.usual for each in stated.reaches)


def readings(
    outcomes: Mapping[tuple[str, ...], tuple[bool, float]],
) -> dict[tuple[str, ...], Reach]:
    return {key: Reach("", True, p, p, p, meets) for key, (meets, p) in outcomes.items()}


def test_idle_readings_are_dropped() -> None:
    same = readings({("mean 8", ""): (True, 0.2), ("mean 8.0", ""): (True, 0.3)})
    found = list(drop_idle_readings("t", same, 0.05))
    assert [r.convention for r in found] == ["t"]
    assert found[0].low == 0.2


@pytest.mark.parametrize("other", [(False, 0.2), (True, 0.01)])
def test_readings_that_change_the_match_or_the_decision_are_kept(other: tuple[bool, float]) -> None:
    differ = readings({("mean 8", ""): (True, 0.2), ("mean 8.0", ""): other})
    found = [r.convention for r in drop_idle_readings("t", differ, 0.05)]
    assert found == ["t, mean 8", "t, mean 8.0"]


def test_only_the_reading_that_matters_is_named() -> None:
    outcomes = {
        (mean, sd): (mean == "mean 8", 0.2)
        for mean in ("mean 8", "mean 8.0")
        for sd in ("sd 3", "sd 3.0")
    }
    found = [r.convention for r in drop_idle_readings("t", readings(outcomes), 0.05)]
    assert found == ["t, mean 8", "t, mean 8.0"]
    crossed = {key: ((key[0] == "mean 8") == (key[1] == "sd 3"), 0.2) for key in outcomes}
    assert len(list(drop_idle_readings("t", readings(crossed), 0.05))) == 4


def test_the_decision_at_another_alpha_keeps_a_reading() -> None:
    first, second = Summary(parse("-3"), parse("4.1"), 20), Summary(parse("-6.3"), parse("4.2"), 20)
    names = {
        alpha: [r.convention for r in two_sample_t(first, second, alpha=alpha).reaches]
        for alpha in (0.025, 0.5)
    }
    assert any("read as" in name for name in names[0.025])
    assert not any("read as" in name for name in names[0.5])


# --- claims ---------------------------------------------------------------------------------


def claimed(stated: bool, can: bool, must: bool) -> ClaimReach:
    return ClaimReach("c", stated, "", can, must)


@pytest.mark.parametrize(
    ("reaches", "verdict"),
    [
        ([claimed(True, True, True)], Verdict.SAME),
        ([claimed(True, True, False)], Verdict.WITHIN_ROUNDING),
        ([claimed(True, True, True), claimed(True, False, False)], Verdict.NEEDS_CHOICE),
        ([claimed(True, False, False), claimed(False, True, False)], Verdict.NEEDS_CHOICE),
        ([claimed(False, True, True)], Verdict.NEEDS_CHOICE),
        ([claimed(True, False, False), claimed(False, False, False)], Verdict.DIFFERS),
    ],
)
def test_claim_verdicts(reaches: list[ClaimReach], verdict: Verdict) -> None:
    claim = CheckedClaim("m", tuple(reaches))
    assert claim.verdict is verdict
    assert len(claim.conditions) + len(claim.contradicted) == len(reaches)
    assert checked_claims.claim_all([("x", claim)]).verdict is verdict


@pytest.mark.parametrize("must", [True, False])
def test_no_significant_difference_shows_no_likeness(must: bool) -> None:
    """A claim of likeness can be contradicted by a test of difference, never confirmed."""
    alike = CheckedClaim("m", (claimed(True, True, must),), likeness=True)
    assert alike.verdict is Verdict.NOT_TESTED
    assert alike.tested is (Verdict.SAME if must else Verdict.WITHIN_ROUNDING)
    assert checked_claims.claim_all([("x", alike)]).verdict is alike.tested
    different = CheckedClaim("m", (claimed(True, False, False),), likeness=True)
    assert different.verdict is Verdict.DIFFERS


def test_the_weakest_of_several_claims_decides() -> None:
    kinds = {
        Verdict.SAME: claimed(True, True, True),
        Verdict.WITHIN_ROUNDING: claimed(True, True, False),
        Verdict.NEEDS_CHOICE: claimed(False, True, True),
        Verdict.DIFFERS: claimed(True, False, False),
    }
    order = list(kinds)
    for worst in order:
        for other in order[: order.index(worst) + 1]:
            parts = [
                (str(kind), CheckedClaim("m", (kinds[kind],))) for kind in (other, worst, other)
            ]
            assert checked_claims.claim_all(parts).verdict is worst
    with pytest.raises(ValueError, match="at least one claim"):
        checked_claims.claim_all([])


@pytest.mark.parametrize(
    ("p", "significant", "verdict"),
    [
        ("0.04", True, Verdict.SAME),
        ("0.04", False, Verdict.DIFFERS),
        ("0.05", True, Verdict.WITHIN_ROUNDING),
        ("0.05", False, Verdict.WITHIN_ROUNDING),
        ("0.050", True, Verdict.WITHIN_ROUNDING),
        ("0.06", True, Verdict.DIFFERS),
        ("0.06", False, Verdict.SAME),
        ("<0.05", True, Verdict.SAME),
        ("<0.05", False, Verdict.DIFFERS),
        ("≤0.05", False, Verdict.WITHIN_ROUNDING),
        (">0.05", False, Verdict.SAME),
        (">0.05", True, Verdict.DIFFERS),
        ("≥0.05", True, Verdict.DIFFERS),
        ("<0.1", True, Verdict.WITHIN_ROUNDING),
        ("<0.0001", True, Verdict.SAME),
        ("0.00", True, Verdict.SAME),
        ("1.0", False, Verdict.SAME),
    ],
)
def test_claims_from_a_printed_p(p: str, significant: bool, verdict: Verdict) -> None:
    assert checked_claims.claim_from_printed_p(parse(p), 0.05, significant).verdict is verdict


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 0.00009, "p < 0.0001"),
        (0.0, 0.00014, "p ≤ 0.0002"),
        (0.00005, 0.0312, "p ≤ 0.0312"),
        (0.03123, 0.03123, "p = 0.0312"),
        (0.03123, 0.03126, "p = 0.0312 to 0.0313"),
        (0.0498, 0.05004, "p = 0.0498 to 0.0501"),
        (0.0312, 0.0345, "p = 0.0312 to 0.0345"),
        (0.3121, 0.3149, "p = 0.312 to 0.315"),
        (0.9, 1.0, "p = 0.900 to 1.000"),
        (1.0, 1.0, "p = 1.000"),
    ],
)
def test_p_in_words_encloses_the_range(low: float, high: float, words: str) -> None:
    assert checked_claims.describe_p(low, high) == words


@pytest.mark.parametrize(
    ("p", "verdict"),
    [
        ("0.06", Verdict.NOT_SETTLED),
        ("0.10", Verdict.NOT_SETTLED),
        ("0.05", Verdict.NOT_SETTLED),
        ("0.2", Verdict.DIFFERS),
        ("0.01", Verdict.DIFFERS),
    ],
)
def test_borderline(p: str, verdict: Verdict) -> None:
    assert checked_claims.claim_borderline(parse(p), 0.05).verdict is verdict


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (["3", "2", "1"], Verdict.WITHIN_ROUNDING),
        (["3.0", "2.0", "1.0"], Verdict.SAME),
        (["3.0", "2.0", "2.0"], Verdict.WITHIN_ROUNDING),
        (["5", "5", "5"], Verdict.WITHIN_ROUNDING),
        (["3.0", "3.1"], Verdict.DIFFERS),
        (["3", "3.6"], Verdict.DIFFERS),
        (["5", "5.5", "5.52"], Verdict.DIFFERS),
        (["5", "5.5", "5.5"], Verdict.WITHIN_ROUNDING),
        ([">70", "50"], Verdict.SAME),
    ],
)
def test_decreasing(values: list[str], verdict: Verdict) -> None:
    assert checked_claims.claim_decreasing([parse(value) for value in values]).verdict is verdict


def test_an_order_needs_two() -> None:
    with pytest.raises(ValueError, match="at least two"):
        checked_claims.claim_decreasing([parse("1")])


def test_claims_about_counts_and_ratios() -> None:
    assert checked_claims.claim_majority(15, 29).verdict is Verdict.SAME
    assert checked_claims.claim_majority(15, 30).verdict is Verdict.DIFFERS
    assert checked_claims.claim_exceed_rest([5, 4], [3, 1]).verdict is Verdict.SAME
    assert checked_claims.claim_exceed_rest([5, 3], [3, 1]).verdict is Verdict.DIFFERS
    assert checked_claims.claim_exceed_rest([2, 2], [3, 1], together=True).verdict is Verdict.SAME
    assert checked_claims.claim_below_one(parse("0.98")).verdict is Verdict.SAME
    assert checked_claims.claim_below_one(parse("1.0")).verdict is Verdict.WITHIN_ROUNDING
    assert checked_claims.claim_below_one(parse("1.1")).verdict is Verdict.DIFFERS
    with pytest.raises(ValueError, match="found 1 and 0"):
        checked_claims.claim_exceed_rest([1], [])


# --- arithmetic -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "n", "percent", "verdict"),
    [
        (5, 30, "16.7", Verdict.SAME),
        (1, 8, "12", Verdict.WITHIN_ROUNDING),
        (1, 8, "13", Verdict.SAME),
        (5, 30, "16.6", Verdict.NEEDS_CHOICE),
        (5, 30, "16.5", Verdict.DIFFERS),
        (0, 30, "0", Verdict.SAME),
        (30, 30, "100", Verdict.SAME),
        (30, 30, "99", Verdict.DIFFERS),
        (0, 7, "<1", Verdict.SAME),
    ],
)
def test_percent_of_count(count: int, n: int, percent: str, verdict: Verdict) -> None:
    assert arithmetic.percent_of_count(count, n, parse(percent)).verdict is verdict


@pytest.mark.parametrize(("count", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_counts_outside_their_denominator(count: int, n: int) -> None:
    with pytest.raises(ValueError, match="is not between 0"):
        arithmetic.percent_of_count(count, n, parse("5"))


@pytest.mark.parametrize(
    ("percent", "n", "count", "verdict"),
    [
        ("16.7", 30, "5", Verdict.SAME),
        ("17", 300, "50", Verdict.WITHIN_ROUNDING),
        ("16.7", 30, "6", Verdict.DIFFERS),
        ("16.7", 30, "5.5", Verdict.DIFFERS),
        ("16.9", 30, "5", Verdict.DIFFERS),
        ("0", 30, "0", Verdict.SAME),
        ("100", 30, "30", Verdict.SAME),
        ("over 50", 4, "3", Verdict.WITHIN_ROUNDING),
    ],
)
def test_count_of_percent(percent: str, n: int, count: str, verdict: Verdict) -> None:
    assert arithmetic.count_of_percent(parse(percent), n, parse(count)).verdict is verdict


@pytest.mark.parametrize(
    ("count", "percent", "n", "verdict"),
    [
        (14, "60.9", "23", Verdict.SAME),
        (14, "60.9", "24", Verdict.DIFFERS),
        (14, "60.9", "23.0", Verdict.SAME),
        (1, "33", "3", Verdict.SAME),
        (2, "66.5", "3", Verdict.DIFFERS),
        (1, "0", "20000", Verdict.WITHIN_ROUNDING),
        (1, "0", "100", Verdict.DIFFERS),
        (7, "100", "7", Verdict.SAME),
        (7, "100", "6", Verdict.DIFFERS),
        (3, "0.001", "300000", Verdict.WITHIN_ROUNDING),
        (3, "0.001", "100000", Verdict.DIFFERS),
        (2, "<5", "100", Verdict.WITHIN_ROUNDING),
        (2, "<5", "40", Verdict.DIFFERS),
    ],
)
def test_n_of_count_and_percent(count: int, percent: str, n: str, verdict: Verdict) -> None:
    result = arithmetic.n_of_count_and_percent(count, parse(percent), parse(n))
    assert result.verdict is verdict
    assert count <= result.main.low <= result.main.high


def test_a_count_of_zero_says_nothing() -> None:
    with pytest.raises(ValueError, match="count of zero"):
        arithmetic.n_of_count_and_percent(0, parse("0"), parse("30"))


def test_attainable_percent() -> None:
    assert arithmetic.attainable_percent(parse("16.7"), 30).verdict is Verdict.SAME
    truncated = arithmetic.attainable_percent(parse("16.6"), 6)
    assert truncated.verdict is Verdict.NEEDS_CHOICE and "cut off" in truncated.conditions[0]
    assert arithmetic.attainable_percent(parse("17.5"), 6).verdict is Verdict.DIFFERS
    smaller = arithmetic.attainable_percent(parse("33.3"), 4)
    assert smaller.conditions == ("n = 3 (1 of 3)",)
    assert arithmetic.attainable_percent(parse("100"), 1).verdict is Verdict.SAME


def test_siblings_narrow_the_denominator() -> None:
    alone = arithmetic.attainable_percent(parse("50"), 6)
    beside = arithmetic.attainable_percent(parse("50"), 6, [parse("25.0"), parse("25.0")], True)
    assert alone.verdict is Verdict.SAME
    assert beside.verdict is Verdict.NEEDS_CHOICE
    assert beside.conditions == ("n = 4 (2 of 4)",)
    assert "3 of 6 gives this share, but no counts give those beside it" in (
        beside.reaches[0].convention
    )


# --- odds ratios ------------------------------------------------------------------------------


def figures_of(table: Table2x2, decimals: int) -> PrintedOddsRatio:
    values = table.figures().items()
    return PrintedOddsRatio(**{name: parse(f"{value:.{decimals}f}") for name, value in values})


def test_figures_of_an_odds_ratio() -> None:
    table = Table2x2(5, 9, 12, 3)
    figures = figures_of(table, 2)
    for name in ("odds_ratio", "ci_low", "ci_high", "p"):
        result = odds_ratio_figure(name, figures, 29, [17], [14])
        assert result.verdict is Verdict.SAME
        assert "5/9/12/3" in result.remark


def test_a_p_from_another_test_is_an_unstated_choice() -> None:
    table = Table2x2(5, 9, 12, 3)
    figures = figures_of(table, 2)
    other = PrintedOddsRatio(
        figures.odds_ratio, figures.ci_low, figures.ci_high, parse(f"{fisher(*table.groups):.3f}")
    )
    result = odds_ratio_figure("p", other, 29, [17], [14])
    assert result.verdict is Verdict.NEEDS_CHOICE
    assert result.conditions == ("Fisher's exact test",)


def test_figures_that_no_table_prints_differ_and_say_so() -> None:
    figures = PrintedOddsRatio(parse("0.14"), parse("0.90"), parse("0.95"), parse("0.03"))
    result = odds_ratio_figure("p", figures, 29, [17], [14])
    assert result.verdict is Verdict.DIFFERS
    assert 0 <= result.main.low <= result.main.high <= 1
    assert "none of" in result.remark


@pytest.mark.parametrize(
    ("name", "figures", "outcome", "match"),
    [
        (
            "odds",
            PrintedOddsRatio(parse("1.0")),
            [17],
            "unknown figure 'odds'; allowed: odds_ratio",
        ),
        ("p", PrintedOddsRatio(parse("1.0")), [17], "not among the printed ones"),
        ("odds_ratio", PrintedOddsRatio(parse("1.0")), [29], "no 2 x 2 table of 29"),
    ],
)
def test_bad_odds_ratios(
    name: str, figures: PrintedOddsRatio, outcome: list[int], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        odds_ratio_figure(name, figures, 29, outcome, [14])


# --- methods by name --------------------------------------------------------------------------


def registry(
    numbers: Mapping[str, str],
    method: str,
    inputs: str,
    target: str | None = None,
    expected: str = "",
    options: Mapping[str, str] | None = None,
) -> Registry:
    """Return a registry of figures and one planned row called ``it``."""
    figures: dict[str, PrintedNumber] = {name: parse(text) for name, text in numbers.items()}
    if target is not None:
        figures["it"] = parse(target)
    rows = {
        name: NumberRow(name, "", "", "", "v", "", "other", number, "", None, False, "", "")
        for name, number in figures.items()
    }
    claim = ClaimRow("it", "", "", "", "v", "", "kind", expected, "", "", "")
    plan = PlanRow("it", Evidence.RECOMPUTED, method, tuple(inputs.split()), options or {}, "")
    return Registry(
        rows,
        {} if target is not None else {"it": claim},
        {"it": plan},
        {"v": VariableRow("v", "", None, None, None, "")},
    )


def run(registry_: Registry, **settings: object) -> Outcome:
    return carry_out(registry_, "it", Settings(**settings))  # type: ignore[arg-type]


GROUPS = {"m1": "2.0", "s1": "3.0", "n1": "20", "m2": "0.0", "s2": "3.0", "n2": "60", "a": "0.05"}


def test_a_true_claim_at_a_smaller_unstated_size_is_not_contradicted() -> None:
    """p is below alpha at the baseline size, but the comparator may have lost patients."""
    true = registry(
        GROUPS, "claim_two_sample_t_unstated_n", "a m1 s1 n1 m2 s2 n2", None, "not_significant"
    )
    outcome = run(true)
    assert outcome.verdict is Verdict.NEEDS_CHOICE
    assert any("comparator n" in words for words in outcome.conditions)
    assert isinstance(outcome, CheckedClaim) and not outcome.main.can_hold
    fixed = registry(GROUPS, "claim_two_sample_t", "a m1 s1 n1 m2 s2 n2", None, "not_significant")
    assert run(fixed).verdict is Verdict.DIFFERS
    plain = registry(
        GROUPS, "claim_two_sample_t_unstated_n", "a m1 s1 n1 m2 s2 n2", None, "significant"
    )
    outcome = run(plain)
    assert outcome.verdict is Verdict.SAME and isinstance(outcome, CheckedClaim)
    at_fewer = [reach for reach in outcome.reaches if "comparator n" in reach.convention]
    assert at_fewer and not any(reach.must_hold for reach in at_fewer)


def test_a_significance_that_no_smaller_size_gives_stays_contradicted() -> None:
    figures = GROUPS | {"m1": "0.1"}
    claim = registry(
        figures, "claim_two_sample_t_unstated_n", "a m1 s1 n1 m2 s2 n2", None, "significant"
    )
    assert run(claim).verdict is Verdict.DIFFERS


def test_the_printed_significance_level_decides_a_claim() -> None:
    """A verdict is about the article, whatever level a rerun asks for."""
    inputs = "a m1 s1 n1 m2 s2 n2"
    claim = registry(GROUPS, "claim_two_sample_t", inputs, None, "significant")
    strict = registry(GROUPS | {"a": "0.001"}, "claim_two_sample_t", inputs, None, "significant")
    assert run(claim, alpha=0.001).verdict is Verdict.SAME
    assert run(strict, alpha=0.05).verdict is Verdict.DIFFERS


def test_a_compound_is_never_steadier_than_its_parts() -> None:
    steady = CheckedClaim("m", (claimed(True, True, True),))
    shaky = CheckedClaim("m", (claimed(True, True, True), claimed(False, False, False)))
    whole = checked_claims.claim_all([("steady", steady), ("shaky", shaky)])
    assert whole.verdict is Verdict.SAME
    assert [words.split(":")[0] for words in whole.contradicted] == ["shaky"]


VISITS = {"m1": "30.0", "s1": "7.2", "m2": "25.0", "s2": "8.3", "n": "29"}


def test_pairs_of_a_stated_number() -> None:
    fits = registry(VISITS, "paired_t_from_visits", "m1 s1 m2 s2 n", "0.001")
    assert run(fits).verdict is Verdict.NEEDS_CHOICE
    impossible = registry(VISITS, "paired_t_from_visits", "m1 s1 m2 s2 n", "0.8")
    assert run(impossible).verdict is Verdict.DIFFERS


def test_pairs_of_at_most_a_number() -> None:
    at_most = {"n": "at most"}
    fits = run(registry(VISITS, "paired_t_from_visits", "m1 s1 m2 s2 n", "0.001", options=at_most))
    assert fits.verdict is Verdict.NEEDS_CHOICE
    assert isinstance(fits, Recomputed) and "to 29 would do" in fits.remark
    fewer = run(registry(VISITS, "paired_t_from_visits", "m1 s1 m2 s2 n", "0.4", options=at_most))
    assert isinstance(fewer, Recomputed)
    assert fewer.verdict is Verdict.NEEDS_CHOICE and not fewer.reaches[0].meets
    assert "pairs" in fewer.conditions[0] and "not stated" in fewer.remark
    two = VISITS | {"n": "2"}
    assert run(
        registry(two, "paired_t_from_visits", "m1 s1 m2 s2 n", "0.5", options=at_most)
    ).reaches


def test_pairs_that_no_number_explains_need_figures_of_their_own() -> None:
    same = VISITS | {"m2": "30.0", "n": "4"}
    outcome = run(
        registry(same, "paired_t_from_visits", "m1 s1 m2 s2 n", "<0.0001", options={"n": "at most"})
    )
    assert outcome.verdict is Verdict.NEEDS_CHOICE
    assert outcome.conditions == (
        "fewer pairs, whose own figures at the two visits are not printed",
    )


SHARES = {"a": "0.05", "x": "50.0", "nx": "30", "y": "20.0", "ny": "41"}


def test_percentages_of_an_unsuitable_size_try_smaller_ones() -> None:
    claim = registry(SHARES, "claim_two_percentages", "a x nx y ny", None, "significant")
    outcome = run(claim)
    assert any("comparator n = 40" in words for words in outcome.conditions)
    assert outcome.verdict is Verdict.SAME
    true_at_five = registry(SHARES, "claim_two_percentages", "a x nx y ny", None, "not_significant")
    few = run(true_at_five)
    assert few.verdict is Verdict.NEEDS_CHOICE
    assert any("comparator n =" in words for words in few.conditions)
    suits = registry(
        SHARES | {"ny": "40"}, "claim_two_percentages", "a x nx y ny", None, "significant"
    )
    assert len(run(suits).reaches) == 5


@pytest.mark.parametrize("first", ["", "x", "0", "3", "-1"])
def test_a_split_needs_a_position(first: str) -> None:
    numbers = {"a": "5", "b": "3", "c": "1"}
    bad = registry(numbers, "claim_first_exceed_rest", "a b c", None, options={"first": first})
    with pytest.raises(PlanError, match="option first"):
        run(bad)


PARTS = {"n": "30", "a": "12", "b": "5"}


@pytest.mark.parametrize(
    ("numbers", "method", "printed", "verdict"),
    [
        (PARTS, "remainder", "13", Verdict.SAME),
        (PARTS, "remainder", "12", Verdict.DIFFERS),
        ({"a": "3", "n": "4", "b": "2", "m": "3"}, "every_percent", "50", Verdict.SAME),
        ({"a": "3", "n": "4", "b": "1", "m": "2"}, "every_percent", "50", Verdict.DIFFERS),
    ],
)
def test_remainder_and_every_percent(
    numbers: dict[str, str], method: str, printed: str, verdict: Verdict
) -> None:
    operator = "over " if method == "every_percent" else ""
    built = registry(numbers, method, " ".join(numbers), operator + printed)
    assert run(built).verdict is verdict


@pytest.mark.parametrize(
    ("method", "inputs", "match"),
    [
        ("remainder", "a n", "add up to 30, more than the total 12"),
        ("every_percent", "", "at least one share"),
        ("every_percent", "n a", "count 30 is not between 0 and n = 12"),
    ],
)
def test_parts_beyond_the_whole_are_refused(method: str, inputs: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        run(registry(PARTS, method, inputs, "13"))


def test_a_good_split() -> None:
    numbers = {"a": "5", "b": "3", "c": "1"}
    good = registry(numbers, "claim_first_exceed_rest", "a b c", None, options={"first": "2"})
    assert run(good).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("built", "match"),
    [
        (registry({"c": "5"}, "percent_of_count", "c", "16.7"), "as input 2"),
        (
            registry({"c": "5", "n": "30.5"}, "percent_of_count", "c n", "16.7"),
            "not a whole number",
        ),
        (registry({"c": "5"}, "percent_of_cuont", "c", "16.7"), "is no recomputation"),
        (registry({"c": "5", "n": "30"}, "percent_of_count", "c n", None), "needs a number"),
        (registry({"c": "5", "n": "30"}, "claim_p", "c n", "16.7"), "needs a claim"),
    ],
)
def test_plans_that_cannot_be_carried_out(built: Registry, match: str) -> None:
    with pytest.raises(PlanError, match=match):
        run(built)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"test": "welsh"}, "did you mean 'welch'"),
        ({"alpha": 0.0}, "alpha: found 0.0"),
        ({"alpha": 1.5}, "alpha: found 1.5"),
    ],
)
def test_bad_settings(options: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Settings(**options)  # type: ignore[arg-type]


def test_settings_choose_the_stated_test() -> None:
    claim = registry(GROUPS, "two_sample_t", "m1 s1 n1 m2 s2 n2", "0.01")
    for test, name in (("student", "Student"), ("welch", "Welch")):
        outcome = run(claim, test=test)
        assert isinstance(outcome, Recomputed)
        assert outcome.main.convention.startswith(name)
        assert Settings(test=test).proportion_test.startswith(name)


def test_work_is_done_once_and_rules_pass_through() -> None:
    done: dict[str, Outcome] = {}
    built = registry({"c": "1", "n": "8"}, "percent_of_count", "c n", "12")
    assert carry_out(built, "it", Settings(), done) is carry_out(built, "it", Settings(), done)
    assert run(built, rule=RoundingRule.HALF_UP).verdict is Verdict.NEEDS_CHOICE
    assert run(built, rule=RoundingRule.HALF_EVEN).verdict is Verdict.WITHIN_ROUNDING
    assert run(built, rule=RoundingRule.TRUNCATE).verdict is Verdict.WITHIN_ROUNDING


def test_every_method_of_the_published_plan_is_known_or_no_recomputation(
    request: pytest.FixtureRequest,
) -> None:
    from rederive.printed.registry import load_registry

    published = load_registry(request.config.rootpath / "data" / "published")
    done: dict[str, Outcome] = {}
    for row_id, plan in published.plan.items():
        if plan.evidence is Evidence.RECOMPUTED:
            assert plan.method in METHODS, row_id
            carry_out(published, row_id, Settings(), done)
    assert Fraction(len(done), len(published.plan)) > Fraction(1, 4)


@pytest.mark.parametrize(
    ("direction", "verdict"), [("higher", Verdict.SAME), ("lower", Verdict.DIFFERS)]
)
def test_a_significant_difference_must_have_the_claimed_direction(
    direction: str, verdict: Verdict
) -> None:
    inputs = "a m1 s1 n1 m2 s2 n2"
    options = {"direction": direction}
    claim = registry(GROUPS, "claim_two_sample_t", inputs, None, "significant", options=options)
    assert run(claim).verdict is verdict


def test_an_unknown_direction_is_refused() -> None:
    options = {"direction": "sideways"}
    claim = registry(
        GROUPS,
        "claim_two_sample_t",
        "a m1 s1 n1 m2 s2 n2",
        None,
        "significant",
        options=options,
    )
    with pytest.raises(PlanError, match="option direction: found 'sideways'"):
        run(claim)


def test_a_direction_may_be_open_within_rounding() -> None:
    claim = CheckedClaim("m", (claimed(True, True, True),))
    assert checked_claims.in_direction(claim, (-0.2, 0.1), True).verdict is Verdict.WITHIN_ROUNDING
    assert checked_claims.in_direction(claim, (-0.2, -0.1), True).verdict is Verdict.SAME
    assert checked_claims.in_direction(claim, (-0.2, -0.1), False).verdict is Verdict.DIFFERS
