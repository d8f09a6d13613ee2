"""What people print and do, and what the engine must make of it, by kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from rederive import consistency
from rederive import recompute as rc
from rederive.consistency import Classification
from rederive.printed import PrintedNumber, Verdict, format_fixed, parse
from rederive.printed.result import Recomputed

CONSISTENT, INCONSISTENT = Classification.CONSISTENT, Classification.INCONSISTENT


def figures(*texts: str) -> rc.PrintedOddsRatio:
    return rc.PrintedOddsRatio(*(parse(text) if text else None for text in texts))


def possible(result: Recomputed) -> str:
    return "; ".join(reach.convention for reach in result.possibilities)


def statistic(kind: str, value: str, df: str, p: str, **more: bool) -> consistency.StatisticCheck:
    degrees = tuple(parse(each) for each in df.split(",") if each)
    return consistency.check_statistic(kind, parse(value), degrees, parse(p), **more)


@pytest.mark.parametrize(
    ("kind", "value", "df", "p", "one_sided", "expected"),
    [
        ("t", "-1.8608", "18", ".9604", True, CONSISTENT),
        ("t", "-1.8608", "18", ".0396", True, CONSISTENT),
        ("z", "-0.50", "", ".69", True, CONSISTENT),
        ("z", "1.645", "", ".95", False, INCONSISTENT),
        ("r", "0.50", "28", ".998", True, CONSISTENT),
        ("t", "2.20", "28", "> .05", False, Classification.DECISION_ERROR),
        ("t", "2.20", "28", ".06", False, Classification.DECISION_ERROR),
    ],
)
def test_a_one_sided_p_may_be_of_either_tail(
    kind: str, value: str, df: str, p: str, one_sided: bool, expected: Classification
) -> None:
    check = statistic(kind, value, df, p, one_sided=one_sided)
    assert check.classification is expected
    if expected is not Classification.DECISION_ERROR:
        assert check.result.inside
        assert check.result.verdict is not Verdict.DIFFERS


@pytest.mark.parametrize(
    ("kind", "value", "df", "p", "named"),
    [
        ("F", "2.20", "1,28", ".036", "F is its root (t)"),
        ("t", "4.84", "28", ".036", "t is its square (F with 1 df)"),
        ("chi2", "2.20", "1", ".028", "χ² is its root (z)"),
        ("z", "4.84", "", ".028", "z is its square (χ² with 1 df)"),
        ("F", "4.84", "1,28", ".018", "one-sided p"),
        ("chi2", "3.84", "1", ".051", "rounded up"),
    ],
)
def test_habits_with_a_statistic_are_named(
    kind: str, value: str, df: str, p: str, named: str
) -> None:
    result = statistic(kind, value, df, p).result
    assert named in possible(result)
    assert result.verdict is Verdict.DIFFERS


@pytest.mark.parametrize("name", ["Q", "Qb", "χ²", "chi-square"])
def test_other_names_of_chi_squared(name: str) -> None:
    assert statistic(name, "7.81", "3", ".05").classification is CONSISTENT


def test_no_minus_zero() -> None:
    result = statistic("r", "1.00", "28", ".001").result
    assert all(str(reach.low) != "-0.0" for reach in result.reaches)


@pytest.mark.parametrize(
    ("mean", "n", "meets"),
    [("67.4%", 150, False), ("67.3%", 150, True), ("33.3%", 30, True), ("0.35%", 20, False)],
)
def test_a_mean_in_percent_is_a_share(mean: str, n: int, meets: bool) -> None:
    assert consistency.grim(parse(mean), n).inside is meets
    assert rc.percent_to_count(parse(mean), n).inside is meets


@pytest.mark.parametrize(
    ("mean", "sd", "meets"), [("35%", "18%", False), ("35%", "49%", True), ("35%", "48.9%", True)]
)
def test_grimmer_in_percent_agrees_with_debit(mean: str, sd: str, meets: bool) -> None:
    ends = {"minimum": 0, "maximum": 100}
    assert consistency.grimmer(parse(mean), parse(sd), 20, **ends).inside is meets
    assert consistency.debit(parse(mean), parse(sd), 20).inside is meets


@pytest.mark.parametrize(
    ("mean", "sd", "n", "named"),
    [
        ("2.00", "0.82", 3, "SD with divisor n"),
        ("2.00", "0.58", 3, "standard error in place of the SD"),
        ("2.50", "2.58", 4, "SD multiplied by √n"),
        ("1.35", "0.5774", 3, ""),
    ],
)
def test_habits_with_an_sd_are_named(mean: str, sd: str, n: int, named: str) -> None:
    result = consistency.grimmer(parse(mean), parse(sd), n)
    assert not result.inside
    assert named in possible(result) if named else not result.possibilities


def test_habits_of_a_proportion_and_of_rounding_are_named() -> None:
    assert "standard error" in possible(consistency.debit(parse("0.35"), parse("0.11"), 20))
    assert possible(consistency.grim(parse("2.34"), 3)) == "rounded up"
    assert possible(consistency.grim(parse("2.66"), 3)) == "digits cut off"
    assert possible(rc.percent_to_count(parse("66.6%"), 3)) == "digits cut off"
    assert possible(rc.percent_to_count(parse("33.4%"), 3)) == "rounded up"


def change_with(mean: str, sd: str, n: int, p: str) -> Recomputed:
    return rc.paired_t(rc.Summary(parse(mean), parse(sd), n), parse(p))


@pytest.mark.parametrize(
    ("mean", "sd", "n", "p", "named"),
    [
        ("-1.1", "2.3", 18, "0.029", "one-sided p"),
        ("-1.10", "2.30", 18, "0.971", "one-sided p in the other direction (1 - p/2)"),
        ("-3.8", "1.1", 30, "0.002", "standard error in place of the SD"),
        ("-1.100", "2.300", 18, "0.065", "SD with divisor n"),
        ("-1.1000", "2.3000", 18, "0.06", ""),
    ],
)
def test_habits_with_a_paired_test_are_named(
    mean: str, sd: str, n: int, p: str, named: str
) -> None:
    result = change_with(mean, sd, n, p)
    if named:
        assert result.verdict is Verdict.DIFFERS
        assert named in [reach.convention for reach in result.possibilities]
        assert named in str(result.as_row()["possible"])
    else:
        assert result.verdict is not Verdict.DIFFERS and not result.possibilities


def test_habits_with_a_two_sample_test_are_named() -> None:
    mean1, se1, n1, mean2, se2, n2 = 12.4, 0.9, 20, 15.2, 1.1, 22
    p = stats.ttest_ind_from_stats(mean1, se1 * n1**0.5, n1, mean2, se2 * n2**0.5, n2).pvalue
    groups = [
        rc.Summary(parse(f"{mean}"), parse(f"{se}"), n)
        for mean, se, n in ((mean1, se1, n1), (mean2, se2, n2))
    ]
    result = rc.two_sample_t(*groups, parse(f"{p:.3f}"))
    assert "standard error in place of the SD" in possible(result)
    halves = rc.two_sample_t(*groups, parse("0.000001"))
    assert halves.verdict is Verdict.DIFFERS


def test_rarer_tests_of_proportions_are_named() -> None:
    shares = rc.Share((5,), 20), rc.Share((12,), 20)
    for p, named in (("0.0235", "likelihood-ratio (G) test"), ("0.0167", "z test, unpooled")):
        assert named in possible(rc.two_proportions(*shares, parse(p)))


def test_an_empty_cell_with_halves_added_is_tried_and_counted() -> None:
    """Exposed 4 of 20 against 0 of 20: with 0.5 in each cell 11.1818 (0.5607 to 222.98)."""
    printed = rc.odds_ratio_figure(
        "odds_ratio", figures("11.18", "0.56", "223.0", ""), 40, [4], [20]
    )
    assert printed.verdict is Verdict.NEEDS_CHOICE
    assert "0.5 added" in printed.conditions[0] and "4/16/0/20" in printed.remark
    cut = rc.odds_ratio_figure("odds_ratio", figures("11.18", "0.56", "222.9", ""), 40, [4], [20])
    assert "none of 5 tables" in cut.remark and "2 of them with 0.5 added" in cut.remark
    assert "digits cut off, 0.5 added" in possible(cut)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("2.0", "3.0", "1.0"), "the interval runs downwards"),
        (("0.5", "1.0", "3.0"), "the ratio lies outside its interval, one over it inside"),
        (("5.0", "1.0", "3.0"), "the ratio lies outside its interval"),
    ],
)
def test_ratio_and_limits_out_of_order_are_told(texts: tuple[str, ...], said: str) -> None:
    table = rc.odds_ratio_figure("odds_ratio", figures(*texts), 40, [14], [20])
    alone = rc.ratio_and_interval("odds_ratio", figures(*texts))
    for result in (table, alone):
        assert said in result.remark
        assert result.verdict is not Verdict.SAME


@pytest.mark.parametrize("order", ["ratio", "limits"])
def test_what_is_turned_round_is_named(order: str) -> None:
    """10/10/4/16: odds ratio 4.00 (1.00 to 16.0)."""
    table = rc.compatible_tables(rc.PrintedOddsRatio(), 40, [14], [20])[8]
    assert table.counts == (9, 11, 5, 15)
    ratio, low, high, _ = (f"{value:.3f}" for value in table.figures().values())
    if order == "limits":
        result = rc.odds_ratio_figure("odds_ratio", figures(ratio, high, low), 40, [14], [20])
        assert "interval turned round" in possible(result)
    else:
        texts = (
            f"{1 / table.figures()['odds_ratio']:.3f}",
            *(f"{1 / float(end):.3f}" for end in (high, low)),
        )
        result = rc.odds_ratio_figure("odds_ratio", figures(*texts), 40, [9], [20])
        assert result.verdict is Verdict.DIFFERS


def test_ratio_interval_and_p_without_margins() -> None:
    rng = np.random.default_rng(3)
    for _ in range(500):
        log_ratio, error = rng.normal(0, 1), rng.uniform(0.1, 1.5)
        z = stats.norm.ppf(0.975)
        values = [np.exp(log_ratio + k * z * error) for k in (0, -1, 1)]
        p = 2 * stats.norm.sf(abs(log_ratio) / error)
        texts = [format_fixed(Fraction(float(value)), 3) for value in (*values, p)]
        if any(float(text) == 0 for text in texts[:3]):
            continue
        printed = figures(*texts)
        for name in ("odds_ratio", "ci_low", "ci_high", "p"):
            assert rc.ratio_and_interval(name, printed).verdict is not Verdict.DIFFERS
    wrong = rc.ratio_and_interval("p", figures("2.00", "1.10", "3.64", "0.011"))
    assert wrong.verdict is Verdict.DIFFERS and "one-sided p" in possible(wrong)


def test_remarks_are_short() -> None:
    many = rc.percent_to_count(parse("12"), 48235)
    assert many.remark == "attainable counts of 48235: 5548 to 6029"
    every = rc.denominator(parse("48235"), [parse("12.0"), parse("30.1")])
    assert len(every.remark) < 150 and "more up to 96470" in every.remark


REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: consistency.grim(2.65, 30),
        "mean: found 2.65, allowed is a printed figure: parse('2.65')",
    ),
    (
        lambda: consistency.grim(parse("2.65"), "30"),
        "n: found '30', allowed are whole numbers from 1",
    ),
    (
        lambda: consistency.grim(parse("2.65"), 30.5),
        "n: found 30.5, allowed are whole numbers from 1",
    ),
    (lambda: parse("5 (16.7 %)"), "of two figures: parse_with_spread"),
    (
        lambda: consistency.grimmer(parse("2.65"), "1.2", 30),
        "sd: found '1.2', allowed is a printed",
    ),
    (
        lambda: consistency.check_statistic("t", "2.20", "28", ".036"),
        "statistic: found '2.20', allowed",
    ),
    (
        lambda: consistency.check_statistic("t", parse("2.2"), "28", parse(".03")),
        "df: found '28', allowed",
    ),
    (lambda: rc.Summary(12.1, parse("3"), 9), "mean: found 12.1, allowed is a printed figure"),
    (
        lambda: rc.percent_to_count(12, 30),
        "percent: found 12, allowed is a printed figure",
    ),
    (lambda: rc.PrintedOddsRatio(2.0), "odds_ratio: found 2.0, allowed is a printed figure"),
    (lambda: parse(0.05), "found 0.05, allowed is the printed text, such as '0.05'"),
    (lambda: consistency.grimmer(parse("3.41"), parse("-1.20"), 17), "sd: found -1.20, allowed"),
    (lambda: consistency.debit(parse("0.35"), parse("-0.49"), 20), "sd: found -0.49, allowed"),
    (lambda: consistency.sd_limits(parse("4"), parse("-1.2"), 12, 1, 7), "sd: found -1.2, allowed"),
    (
        lambda: rc.Summary(parse("4"), parse("-1.2"), 12),
        "sd: found -1.2, allowed are figures from 0",
    ),
    (
        lambda: rc.Summary(parse("4"), PrintedNumber("1.2", label="SE"), 12),
        "allowed is an SD: SE × √n",
    ),
    (lambda: rc.Scale(0, Fraction("51.5")), "maximum: found 51.5, allowed are multiples of 1"),
    (lambda: rc.Scale(0, 51, -1), "step: found -1, allowed are numbers above 0"),
    (lambda: rc.Scale(0, 1, Fraction("0.3333333333333333")), "did you mean the step 1/3?"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[text for _, text in REFUSED])
def test_what_is_no_figure_is_refused_by_name(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
