"""Published examples, and what the checks say in words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rederive.consistency import (
    Classification,
    StatisticCheck,
    check_statistic,
    debit,
    grim,
    grimmer,
    sd_limits,
)
from rederive.printed import RoundingRule, Verdict, parse
from rederive.printed.lattice import Lattice, attainable_moments
from rederive.recompute import attainable_denominators, counts, denominator, percent_to_count


def statistic(kind: str, value: str, df: str, p: str, **options: object) -> StatisticCheck:
    degrees = tuple(parse(text) for text in df.split(",")) if df else ()
    return check_statistic(kind, parse(value), degrees, parse(p), **options)  # type: ignore[arg-type]


def test_grim_example_of_brown_and_heathers() -> None:
    result = grim(parse("5.19"), parse("n = 28"))
    assert result.verdict is Verdict.DIFFERS
    assert (result.main.low, result.main.high) == (145 / 28, 146 / 28)
    assert grim(parse("5.18"), 28).verdict is Verdict.SAME
    assert grim(parse("5.21"), 28).main.point == 146 / 28


@pytest.mark.parametrize("mean", ["8.96", "9.96"])
def test_grim_examples_of_the_inspect_sr_guide(mean: str) -> None:
    assert not grim(parse(mean), 30, minimum=0, maximum=10).inside


@pytest.mark.parametrize(("mean", "sd", "n"), [("7.3", "2.51", 12), ("9.93", "0.18", 30)])
def test_grimmer_examples(mean: str, sd: str, n: int) -> None:
    """The vignette of the R package scrutiny, and the INSPECT-SR guide (Apgar scores)."""
    assert grim(parse(mean), n).inside
    assert not grimmer(parse(mean), parse(sd), n).inside


def test_debit_examples() -> None:
    """Proportions of the order of 1700 respondents, as in the vignettes of scrutiny."""
    assert debit(parse("0.44"), parse("0.50"), 1683).inside
    assert debit(parse("0.34"), parse("0.47"), 1683).inside
    result = debit(parse("0.19"), parse("0.35"), 1683)
    assert result.verdict is Verdict.DIFFERS
    assert 0.385 < result.main.low <= result.main.high < 0.397
    assert debit(parse("44%"), parse("49.7%"), 300).inside
    assert not debit(parse("44%"), parse("51.0%"), 300).inside
    assert debit(parse("44%"), parse("0.50"), 300).inside


STATCHECK_DECISION_ERRORS = [
    ("t", "2.20", "28", ".06"),
    ("t", "1.20", "28", ".03"),
    ("F", "22.20", "2,28", ".06"),
    ("F", "2.20", "2,28", ".03"),
    ("r", ".22", "28", ".03"),
    ("r", ".52", "28", ".06"),
    ("chi2", "2.20", "28", ".03"),
    ("chi2", "52.20", "28", ".06"),
    ("z", "1.20", "", ".03"),
    ("z", "2.20", "", ".06"),
]


@pytest.mark.parametrize(("kind", "value", "df", "p"), STATCHECK_DECISION_ERRORS)
def test_decision_errors_of_the_statcheck_test_suite(
    kind: str, value: str, df: str, p: str
) -> None:
    check = statistic(kind, value, df, p)
    assert check.classification is Classification.DECISION_ERROR
    assert check.result.verdict is Verdict.DIFFERS


@pytest.mark.parametrize(
    ("kind", "value", "df", "p", "expected"),
    [
        ("t", "2.2", "28", "< .05", "consistent"),
        ("t", "-2.20", "28", ".04", "consistent"),
        ("t", "2.20", "28", ".03", "inconsistent"),
        ("t", "2.20", "28", "< .001", "inconsistent"),
        ("t", "2.20", "28", "> .05", "decision error"),
        ("t", "1.00", "100", "< 0.001", "decision error"),
        ("F", "< 1", "1,30", "> .05", "consistent"),
        ("F", "< 1", "1,30", ".03", "decision error"),
        ("chi2", "3.84", "1", ".05", "consistent"),
        ("z", "1.96", "", ".05", "consistent"),
        # Both the printed .05 and the reachable p lie on both sides of alpha: no decision error.
        ("z", "1.96", "", ".06", "inconsistent"),
        ("t", "0.00", "12", "1.00", "consistent"),
    ],
)
def test_classification(kind: str, value: str, df: str, p: str, expected: str) -> None:
    assert statistic(kind, value, df, p).classification == expected


def test_an_unstated_convention_that_would_do_is_named() -> None:
    check = statistic("t", "2.20", "28", ".02")
    assert check.classification is Classification.INCONSISTENT
    assert check.result.verdict is Verdict.NEEDS_CHOICE
    assert check.result.conditions == ("one-sided, df exact, rounding either",)
    assert statistic("t", "2.20", "28", ".02", one_sided=True).result.verdict is Verdict.SAME
    welch = statistic("t", "2.95", "2", ".11").result
    assert welch.conditions == ("two-sided, df rounded, rounding either",)


def test_alpha_moves_the_decision() -> None:
    assert statistic("t", "2.20", "28", ".06", alpha=0.01).classification == "inconsistent"
    assert statistic("t", "2.20", "28", ".002", alpha=0.01).classification == "decision error"


def test_truncated_percentages_need_the_rule() -> None:
    assert tuple(counts(parse("66.6%"), 3)) == ()
    assert tuple(counts(parse("66.6%"), 3, RoundingRule.TRUNCATE)) == (2,)
    assert tuple(counts(parse("over 50%"), 9)) == (5, 6, 7, 8, 9)
    assert tuple(counts(parse("<1%"), 300)) == (0, 1, 2)
    assert tuple(counts(parse("101%"), 50)) == ()


def test_halves_follow_the_rule() -> None:
    # 1/8 = 12.5 %
    expected = {
        RoundingRule.EITHER: ("12", "13"),
        RoundingRule.HALF_UP: ("13",),
        RoundingRule.HALF_EVEN: ("12",),
        RoundingRule.TRUNCATE: ("12",),
    }
    for rule, texts in expected.items():
        found = tuple(text for text in ("12", "13") if counts(parse(text), 8, rule))
        assert found == texts
    # A mean of -2.25 under each rule.
    for rule, good, bad in [
        (RoundingRule.HALF_UP, "-2.3", "-2.2"),
        (RoundingRule.HALF_EVEN, "-2.2", "-2.3"),
        (RoundingRule.TRUNCATE, "-2.2", "-2.3"),
    ]:
        assert grim(parse(good), 4, rule=rule).inside
        assert not grim(parse(bad), 4, rule=rule).inside


def test_a_count_beside_its_percentage() -> None:
    five = percent_to_count(parse("16.7"), 30, parse("5"))
    assert five.verdict is Verdict.SAME
    six = percent_to_count(parse("16.7"), 30, parse("6"))
    assert six.verdict is Verdict.DIFFERS
    assert six.remark == "attainable counts of 30: 5"
    none = percent_to_count(parse("24%"), 30)
    assert none.verdict is Verdict.DIFFERS
    assert (none.main.low, none.main.high) == pytest.approx((100 * 7 / 30, 100 * 8 / 30))


def test_denominators() -> None:
    assert attainable_denominators([parse("23.3%")], 60) == (30, 43, 60)
    thirds = [parse("33%")] * 3
    assert attainable_denominators(thirds, 12) == (3, 6, 9, 12)
    halves = [parse("12.5%"), parse("88%")]
    assert attainable_denominators(halves, 8) == (8,)
    wrong = denominator(parse("n = 31"), [parse("23.3%")])
    assert wrong.verdict is Verdict.DIFFERS
    assert (wrong.main.low, wrong.main.high) == (30, 43)
    assert "30, 43, 60" in wrong.remark
    nothing = denominator(parse("4"), [parse("23.3%"), parse("0.5%")])
    assert not nothing.inside
    assert "none" in nothing.remark
    # 50 % and 50 % of people who are counted once each: an odd number is impossible.
    half = [parse("50%"), parse("50%")]
    assert 101 in attainable_denominators(half, 101, n_min=101)
    assert 101 in attainable_denominators(half, 101, n_min=101, must_sum=True)
    assert 101 not in attainable_denominators([parse("50.0%")] * 2, 101, n_min=101)


def test_multi_item_scales_reach_more_means() -> None:
    assert not grim(parse("3.46"), 10).inside
    assert not grim(parse("3.46"), 10, items=2).inside
    assert grim(parse("3.46"), 10, items=5).inside
    eighths = Lattice.of(1, Fraction(1, 8), 0, 3)
    for mean, n, sums in (("1.26", 25, [251, 252, 253]), ("1.26", 9, [91]), ("3.1", 30, [])):
        assert list(eighths.sums(parse(mean), n, RoundingRule.EITHER)) == sums


def test_ends_of_the_scale_matter() -> None:
    assert grim(parse("5.5"), 4).inside
    assert not grim(parse("5.5"), 4, minimum=1, maximum=5).inside
    assert grimmer(parse("3.0"), parse("2.1"), 10, minimum=1, maximum=5).inside
    assert not grimmer(parse("3.0"), parse("2.3"), 10, minimum=1, maximum=5).inside
    assert grimmer(parse("3.0"), parse("2.3"), 10).inside
    assert not grimmer(parse("0.00"), parse("1.0"), 30, minimum=0).inside


def test_sd_limits() -> None:
    result = sd_limits(parse("3.0"), parse("2.6"), 10, 1, 5, 1)
    assert result.verdict is Verdict.DIFFERS
    assert result.main.high == pytest.approx((40 / 9) ** 0.5)
    assert not sd_limits(parse("3.5"), parse("0.1"), 10, 1, 5, 1).inside
    assert sd_limits(parse("3.5"), parse("0.1"), 10, 1, 5).inside
    assert not sd_limits(parse("5.2"), parse("0.1"), 10, 1, 5).inside
    assert sd_limits(parse("3.0"), parse("<1"), 10, 1, 5, 1).inside


def test_moments_of_a_change_score_are_listed_quickly() -> None:
    changes = Lattice.of(minimum=-51, maximum=51)
    pairs = attainable_moments(parse("-8"), parse("8.3"), 29, changes)
    assert list(pairs) == sorted(set(pairs))
    for total, squares in pairs:
        assert (total - squares) % 2 == 0
        assert Fraction(17, 2) >= abs(Fraction(total, 29)) >= Fraction(15, 2)
        variance = Fraction(29 * squares - total * total, 29 * 28)
        assert Fraction(825, 100) ** 2 <= variance <= Fraction(835, 100) ** 2


def test_large_samples_say_what_they_rest_on() -> None:
    result = grimmer(parse("10"), parse("5.00"), 5000, minimum=0, maximum=20)
    assert result.inside
    assert "parity" in result.remark
    with pytest.raises(ValueError, match="more than 2000000 pairs"):
        attainable_moments(parse("10"), parse("5"), 5000, Lattice.of(minimum=0, maximum=20))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grim(parse("<5"), 10), "mean: found <5, allowed are figures without"),
        (lambda: grim(parse("5"), 0), "n: found 0, allowed are whole numbers from 1"),
        (lambda: grim(parse("5"), parse("n = 2.5")), "n: found n = 2.5, allowed are whole numbers"),
        (lambda: grim(parse("5"), 3, items=0), "items: found 0"),
        (lambda: grim(parse("5"), 3, step=0), "step: found 0, allowed are numbers above 0"),
        (lambda: grim(parse("5"), 3, step=0.1), "step: found 0.1, allowed are int and Fraction"),
        (lambda: grim(parse("5"), 3, minimum=Fraction(1, 2)), "minimum: found 0.5, allowed are"),
        (lambda: grim(parse("5"), 3, minimum=6, maximum=5), "minimum 6 is above maximum 5"),
        (
            lambda: grimmer(parse("5"), parse("1"), 1),
            "n: found 1, allowed are whole numbers from 2",
        ),
        (lambda: grimmer(parse("5"), parse(">1"), 9), "sd: found >1"),
        (lambda: debit(parse("0.5"), parse("0.5"), 1), "n: found 1"),
        (lambda: sd_limits(parse("5"), parse("1"), 9, 7, 7), "minimum 7 is not below maximum 7"),
        (lambda: percent_to_count(parse("5"), 9, parse("10")), "count: found 10, allowed are 0 to"),
        (lambda: counts(parse("5"), 0), "n: found 0"),
        (lambda: attainable_denominators([], 9), "percents: found none"),
        (lambda: attainable_denominators([parse("5")], 3, n_min=4), "n_max: found 3"),
        (
            lambda: statistic("U", "1", "9", ".3"),
            "kind: found 'U', allowed are t, F, chi2, z, r, χ² and Q",
        ),
        (lambda: statistic("F", "1", "9", ".3"), "df: found 9, allowed: 2 for F"),
        (lambda: statistic("t", "1", "-9", ".3"), "df: found -9, allowed are figures above 0"),
        (lambda: statistic("r", "1.2", "9", ".3"), "statistic: found 1.2, allowed for r are"),
        (lambda: statistic("chi2", "-2", "9", ".3"), "statistic: found -2, allowed for chi2 are"),
        (lambda: statistic("t", "1", "9", "1.3"), "p: found 1.3, allowed are 0 to 1"),
        (lambda: statistic("t", "1", "9", ".3", alpha=1.5), "alpha: found 1.5"),
        (lambda: statistic("F", "1", "2,9", ".3", one_sided=True), "one_sided: F has no sides"),
    ],
)
def test_bad_input_is_named(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError) as caught:
        call()
    assert message in str(caught.value)


def test_results_bind_into_one_table() -> None:
    rows = [
        grim(parse("5.19"), 28).as_row(),
        grimmer(parse("5.18"), parse("1.6"), 28).as_row(),
        debit(parse("0.44"), parse("0.50"), 1683).as_row(),
        percent_to_count(parse("23.3%"), 30).as_row(),
        sd_limits(parse("3.0"), parse("1.0"), 10, 1, 5).as_row(),
        statistic("t", "2.20", "28", ".04").result.as_row(),
    ]
    assert len({tuple(row) for row in rows}) == 1
    assert [row["inside"] for row in rows] == [False, True, True, True, True, True]
