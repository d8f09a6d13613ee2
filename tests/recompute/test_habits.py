"""What a report may have printed instead is named where a figure differs, and no more."""

from __future__ import annotations

import pytest
from scipy import stats
from scipy.stats.contingency import odds_ratio

from rederive.consistency import check_statistic, debit, grim, grimmer, sd_limits
from rederive.printed import PrintedNumber, Verdict, parse
from rederive.printed.result import Recomputed
from rederive.recompute import (
    PrintedOddsRatio,
    Scale,
    Share,
    Summary,
    n_of_count_and_percent,
    odds_ratio_figure,
    paired_t,
    percent_of_count,
    percent_to_count,
    ratio_and_interval,
    two_proportions,
    two_sample_t,
    widest_difference_interval,
)


def printed(value: float, decimals: int = 4) -> PrintedNumber:
    return parse(f"{value:.{decimals}f}")


def named(result: Recomputed) -> list[str]:
    assert result.verdict is Verdict.DIFFERS
    return [each.convention for each in result.possibilities]


def summary(mean: str, sd: str, n: int) -> Summary:
    return Summary(parse(mean), parse(sd), n)


@pytest.mark.parametrize(
    ("kind", "statistic", "df", "right"),
    [
        ("z", "8.20", (), 2 * stats.norm.sf(8.2)),
        ("z", "7.00", (), 2 * stats.norm.sf(7)),
        ("t", "12.30", (28,), 2 * stats.t.sf(12.3, 28)),
        ("chi2", "100", (2,), stats.chi2.sf(100, 2)),
    ],
)
def test_a_tiny_p_is_held_to_its_digits(
    kind: str, statistic: str, df: tuple[int, ...], right: float
) -> None:
    degrees = tuple(parse(str(each)) for each in df)
    own = check_statistic(kind, parse(statistic), degrees, parse(f"{right:.1e}"))
    assert own.classification == "consistent"
    for wrong in (right / 100, right * 100):
        found = check_statistic(kind, parse(statistic), degrees, parse(f"{wrong:.1e}"))
        assert found.classification == "inconsistent"


def test_tiny_p_of_tests_and_ratios_are_held_to_their_digits() -> None:
    change = summary("5.00", "1.00", 40)
    other = summary("8.00", "1.00", 40)
    assert paired_t(change, parse("<1e-40")).verdict is Verdict.DIFFERS
    assert two_sample_t(change, other, parse("1e-30")).verdict is Verdict.DIFFERS
    shares = Share((5,), 100), Share((90,), 100)
    assert two_proportions(*shares, parse("1e-70")).verdict is Verdict.DIFFERS
    ratio = PrintedOddsRatio(parse("5.00"), parse("4.00"), parse("6.25"), parse("1e-60"))
    assert ratio_and_interval("p", ratio).verdict is Verdict.DIFFERS


def test_an_exact_one_sided_p_is_no_half() -> None:
    groups, table = (Share((3,), 30), Share((9,), 25)), [[3, 27], [9, 16]]
    less = stats.fisher_exact(table, "less").pvalue
    two = stats.fisher_exact(table).pvalue

    def tried(p: float) -> list[str]:
        return named(two_proportions(*groups, printed(p), stated="Fisher's exact test"))

    assert tried(less) == ["one-sided p of: Fisher's exact test"]
    assert tried(2 * less) == ["Fisher's exact test, one-sided p doubled"]
    assert tried(two / 2) == []
    middle = 2 * (less - stats.hypergeom(55, 12, 30).pmf(3) / 2)
    assert tried(middle) == ["Fisher's exact test, mid-p"]


def test_the_conditional_odds_ratio_is_a_convention() -> None:
    found = odds_ratio([[9, 11], [5, 15]])
    low, high = found.confidence_interval()
    figures = PrintedOddsRatio(printed(found.statistic, 2), printed(low, 2), printed(high, 2), None)
    result = odds_ratio_figure("odds_ratio", figures, 40, [14], [20])
    assert result.verdict is Verdict.NEEDS_CHOICE
    assert "conditional estimate" in result.conditions[0]


@pytest.mark.parametrize(
    ("figures", "habit"),
    [
        (("2.45", "0.64", "9.39", "0.1848"), "p of: χ²"),
        (("2.45", "0.64", "9.39", "0.3200"), "p of: χ² with Yates' correction"),
        (("2.45", "0.64", "9.39", "0.0948"), "one-sided p"),
        (("2.45", "0.80", "7.57", None), "90 % interval"),
        (("1.80", "0.73", "4.43", None), "risk ratio"),
    ],
)
def test_what_is_printed_of_a_table_is_named(figures: tuple[str | None, ...], habit: str) -> None:
    read = PrintedOddsRatio(*(None if each is None else parse(each) for each in figures))
    name = "odds_ratio" if figures[3] is None else "p"
    assert named(odds_ratio_figure(name, read, 40, [14], [20])) == [habit]


def test_the_level_of_an_interval_and_an_inverted_ratio_are_named() -> None:
    ninety = PrintedOddsRatio(parse("0.50"), parse("0.34"), parse("0.73"), parse("0.003"))
    assert named(ratio_and_interval("p", ninety)) == ["90 % interval"]
    turned = PrintedOddsRatio(parse("2.00"), parse("0.32"), parse("0.79"), parse("0.003"))
    assert named(ratio_and_interval("p", turned)) == ["reverse comparison (one over the ratio)"]


@pytest.mark.parametrize(
    ("p", "habit"),
    [
        ("0.0165", "one-sided p of: Welch t"),
        ("0.6669", "standard error in place of the SD, Welch t"),
        ("0.0279", "normal distribution in place of t"),
    ],
)
def test_habits_of_a_two_sample_test_are_named(p: str, habit: str) -> None:
    groups = summary("12.40", "4.10", 20), summary("15.20", "5.00", 32)
    assert habit in named(two_sample_t(*groups, parse(p)))


def test_degrees_of_freedom_taken_for_others_are_named() -> None:
    r = check_statistic("r", parse(".45"), parse("30"), parse(".013")).result
    assert named(r) == ["n in place of the degrees of freedom, n - 2"]
    f = check_statistic("F", parse("4.84"), (parse("28"), parse("1")), parse(".036")).result
    assert named(f) == ["degrees of freedom exchanged"]


def test_a_count_with_a_percentage_cut_off_is_named() -> None:
    cut = ["digits cut off"]
    assert named(percent_to_count(parse("66.6"), 3, parse("2"))) == cut
    assert named(n_of_count_and_percent(2, parse("66.6"), parse("3"))) == cut
    assert named(percent_of_count(7, 30, parse("23.4"))) == ["rounded up"]


def test_percent_signs_and_standard_errors_are_read_or_refused() -> None:
    assert grim(parse("105%"), 20).verdict is Verdict.DIFFERS
    assert grimmer(parse("35"), parse("49%"), 20).verdict is Verdict.SAME
    assert debit(parse("35%"), parse("49"), 20).verdict is Verdict.SAME
    with pytest.raises(ValueError, match="without a percent sign"):
        sd_limits(parse("40%"), parse("50%"), 12, 0, 1)
    with pytest.raises(ValueError, match="without a percent sign"):
        check_statistic("t", parse("2.20%"), parse("28"), parse(".036"))
    for error in ("SE = 4.1", "s.e.m. = 4.1"):
        with pytest.raises(ValueError, match="SE × √n"):
            Summary(parse("3.0"), parse(error), 10)
        with pytest.raises(ValueError, match="SE × √n"):
            grimmer(parse("3.0"), parse(error), 10)


def test_plain_numbers_and_impossible_sizes_are_refused_by_name() -> None:
    change = summary("3.0", "4.1", 18)
    with pytest.raises(ValueError, match=r"p: found 0\.04, allowed is a printed figure"):
        paired_t(change, 0.04)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"n: found 18\.5, allowed are whole numbers"):
        Summary(change.mean, change.sd, 18.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"step: found 0\.1, allowed are int and Fraction"):
        Scale(0, 10, 0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="level: found 95"):
        widest_difference_interval(change, change, None, 95)
    with pytest.raises(ValueError, match="stated: found 'Fisher', allowed: "):
        two_proportions(Share((3,), 30), Share((9,), 25), stated="Fisher")
