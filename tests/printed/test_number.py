"""Printed numbers: every form is read, written back the same, and stands for the right values."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rederive.printed import (
    P_VALUE_DOMAIN,
    Interval,
    PrintedNumber,
    RoundingRule,
    format_fixed,
    format_like,
    outward,
    parse,
    parse_range,
    parse_with_spread,
    readings,
    rounded_figures,
)
from rederive.printed.number import OPERATORS
from repetitions import repeated

PROFILE = settings(max_examples=repeated(50))
FIGURES = st.from_regex(r"\A-?([0-9]{1,4}(\.[0-9]{1,5})?|\.[0-9]{1,4})\Z")
LABELS = st.sampled_from(["", "n", "p", "P", "mean change", "OR"])
RULES = st.sampled_from([rule for rule in RoundingRule if rule is not RoundingRule.EITHER])


@st.composite
def printed_numbers(draw: st.DrawFn) -> PrintedNumber:
    return PrintedNumber(
        draw(FIGURES), draw(st.sampled_from(OPERATORS)), draw(LABELS), draw(st.booleans())
    )


@PROFILE
@given(printed_numbers())
def test_parsing_inverts_printing(number: PrintedNumber) -> None:
    assert parse(str(number)) == number
    assert str(parse(str(number))) == str(number)


@pytest.mark.parametrize(
    ("text", "expected", "again"),
    [
        ("–5.3", PrintedNumber("-5.3"), "-5.3"),
        ("−5.3", PrintedNumber("-5.3"), "-5.3"),
        ("-0.0", PrintedNumber("-0.0"), "-0.0"),
        ("<0.0001", PrintedNumber("0.0001", "<"), "<0.0001"),
        ("< 0.0001", PrintedNumber("0.0001", "<"), "<0.0001"),
        ("<=0.05", PrintedNumber("0.05", "≤"), "≤0.05"),
        (">= 5", PrintedNumber("5", "≥"), "≥5"),
        ("23.3%", PrintedNumber("23.3", percent=True), "23.3%"),
        ("23.3 %", PrintedNumber("23.3", percent=True), "23.3%"),
        ("n = 28", PrintedNumber("28", label="n"), "n = 28"),
        ("n=28", PrintedNumber("28", label="n"), "n = 28"),
        ("p < 0.0001", PrintedNumber("0.0001", "<", "p"), "p < 0.0001"),
        ("p<.05", PrintedNumber(".05", "<", "p"), "p < .05"),
        ("over 70%", PrintedNumber("70", "over", percent=True), "over 70%"),
        ("±7.2", PrintedNumber("7.2", "±"), "± 7.2"),
        ("p = 1.0", PrintedNumber("1.0", label="p"), "p = 1.0"),
    ],
)
def test_every_form(text: str, expected: PrintedNumber, again: str) -> None:
    assert parse(text) == expected
    assert str(parse(text)) == again


@pytest.mark.parametrize(
    "text",
    [
        "",
        "five",
        "5..3",
        "5.3.1",
        "n 28",
        "= ",
        "<",
        "--5",
        "5 6",
        "p = ",
        "nan",
        "1e3",
        "5.",
    ],
)
def test_what_is_no_printed_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a printed number"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("28–97.5", "28", "97.5"),
        ("3-24", "3", "24"),
        ("3 to 5", "3", "5"),
        ("–5–-2", "-5", "-2"),
        ("0.35–1.07", "0.35", "1.07"),
    ],
)
def test_ranges(text: str, low: str, high: str) -> None:
    assert parse_range(text) == (PrintedNumber(low), PrintedNumber(high))


def test_range_of_percentages() -> None:
    low, high = parse_range("10–20%")
    assert low.percent and high.percent


@pytest.mark.parametrize(("text", "match"), [("24–3", "downwards"), ("24", "not a printed range")])
def test_bad_ranges(text: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        parse_range(text)


@pytest.mark.parametrize(
    ("text", "center", "beside"),
    [
        ("29.6 ± 7.2", "29.6", "7.2"),
        ("–8 (8.3)", "-8", "8.3"),
        ("46.6 (12.3)", "46.6", "12.3"),
        ("5 (16.7)", "5", "16.7"),
    ],
)
def test_figures_with_their_spread(text: str, center: str, beside: str) -> None:
    assert parse_with_spread(text) == (PrintedNumber(center), PrintedNumber(beside))


def test_count_with_percentage() -> None:
    count, percent = parse_with_spread("5 (16.7%)")
    assert (count.text, percent.text, percent.percent) == ("5", "16.7", True)


@pytest.mark.parametrize("text", ["46.6", "46.6 12.3", "46.6 (12.3", "(12.3)"])
def test_bad_spreads(text: str) -> None:
    with pytest.raises(ValueError, match="not a figure with its spread"):
        parse_with_spread(text)


@PROFILE
@given(st.fractions(-500, 500, max_denominator=9999), st.integers(0, 5), RULES)
def test_a_formatted_value_is_in_its_own_interval(
    value: Fraction, decimals: int, rule: RoundingRule
) -> None:
    text = format_fixed(value, decimals, rule)
    number = parse(text)
    assert number.decimals == decimals
    assert number.value in rounded_figures(value, decimals, rule)
    assert value in number.interval(rule)
    assert number.prints(value, rule)
    if rule is not RoundingRule.TRUNCATE:
        assert value in number.interval()
        assert number.prints(value)
    assert not text.startswith("-") or number.value < 0


@PROFILE
@given(
    printed_numbers(), st.sampled_from(list(RoundingRule)), st.fractions(-2, 2, max_denominator=16)
)
def test_prints_and_interval_agree(
    number: PrintedNumber, rule: RoundingRule, offset: Fraction
) -> None:
    value = number.value + offset * number.unit
    assert number.prints(value, rule) is (value in number.interval(rule))


@PROFILE
@given(st.floats(0, 1), st.integers(1, 4))
def test_format_like_is_idempotent(value: float, decimals: int) -> None:
    model = parse(format_fixed(Fraction(value), decimals))
    assert format_like(Fraction(value), model) == str(model)
    assert format_like(model.value, model) == str(model)


def test_format_like_keeps_the_manner_of_the_model() -> None:
    assert format_like(Fraction(3, 10**5), parse("<0.0001")) == "<0.0001"
    assert format_like(Fraction(3, 10**3), parse("<0.0001")) == "0.0030"
    assert format_like(Fraction(1, 8), parse("23.3%")) == "0.1%"
    assert format_like(Fraction(4, 100), parse(".05")) == ".04"
    assert format_like(Fraction(-4, 100), parse("-.05")) == "-.04"
    assert format_like(Fraction(12, 10), parse(".05")) == "1.20"
    assert format_like(Fraction(71), parse("over 70%")) == "over 70%"


def test_intervals_of_inequalities() -> None:
    assert parse("<0.0001").interval(domain=P_VALUE_DOMAIN) == Interval(
        Fraction(0), Fraction(1, 10000), high_closed=False
    )
    assert parse("≤5").interval() == Interval(None, Fraction(5))
    assert Fraction(5) not in parse(">5").interval()
    assert Fraction(5) in parse("≥5").interval()
    assert Fraction(70) not in parse("over 70%").interval()
    assert parse("0.000").interval(domain=P_VALUE_DOMAIN).low == 0
    assert parse("1.0").interval(domain=P_VALUE_DOMAIN).high == 1


def test_a_figure_outside_its_domain_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the possible values"):
        parse("1.2").interval(domain=P_VALUE_DOMAIN)


def test_readings_of_an_ambiguous_figure() -> None:
    eight, spread = parse("-8"), parse("8.3")
    assert [number.text for number in readings(eight, spread)] == ["-8", "-8.0"]
    assert [number.value for number in readings(eight, spread)] == [-8, -8]
    assert readings(spread, eight) == (spread,)
    assert readings(parse("<1"), spread) == (parse("<1"),)


@pytest.mark.parametrize("text", ["", "5,3", "5%", " 5", "5 "])
def test_texts_that_are_no_figures(text: str) -> None:
    with pytest.raises(ValueError, match="not a printed figure"):
        PrintedNumber(text)


def test_unknown_operators_name_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown operator: '~' \(allowed: = < >"):
        PrintedNumber("5", "~")


@pytest.mark.parametrize(
    ("ends", "decimals", "expected"),
    [
        ((0.1234, 0.5678), 2, ("0.12", "0.57")),
        ((-0.1234, 0.1), 2, ("-0.13", "0.10")),
        ((0.1, 0.3), 1, ("0.1", "0.3")),
        ((32.0, 38.0), 0, ("32", "38")),
    ],
)
def test_a_range_is_rounded_away_from_its_middle(
    ends: tuple[float, float], decimals: int, expected: tuple[str, str]
) -> None:
    assert outward(*ends, decimals) == expected


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0·012", "0.012"),
        ("4.2 × 10⁻⁵", "0.000042"),
        ("p = 4.2·10⁻⁵", "p = 0.000042"),
        ("4.2 x 10^-5", "0.000042"),
        ("1·100", "1.100"),
        ("-1.100", "-1.100"),
        ("2.105", "2.105"),
        ("1e-10", "0.0000000001"),
        ("-1.50e-3", "-0.00150"),
        ("p < 10⁻⁵", "p < 0.00001"),
        ("12,345", "12345"),
        ("1 234", "1234"),
        ("n=1,234", "n = 1234"),
        ("+2.3", "2.3"),
        ("＜0.05", "<0.05"),
        ("≦ 0.05", "≤0.05"),
        ("⩾0.05", "≥0.05"),
        ("１６．７ ％", "16.7%"),
        ("p-value < 0.05", "p-value < 0.05"),
        ("0.03*", "0.03"),
        ("0.005**", "0.005"),
        ("p = .03†", "p = .03"),
        ("n.s.", "≥0.05"),
    ],
)
def test_forms_of_print_are_read(text: str, read: str) -> None:
    assert str(parse(text)) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("5 (16.7 %)", ["5", "16.7%"]),
        ("5 (<1)", ["5", "<1"]),
        ("29.6 (SD 7.2)", ["29.6", "SD = 7.2"]),
        ("−5·3 (SE 1·2)", ["-5.3", "SE = 1.2"]),
        ("29.6 +/- 7.2", ["29.6", "7.2"]),
        ("29.6 [± 7.2]", ["29.6", "7.2"]),
        ("1,234 (45.6)", ["1234", "45.6"]),
        ("16 (55.2)*", ["16", "55.2"]),
        ("29.6, SD 7.2", ["29.6", "SD = 7.2"]),
        ("29.6 s.e. 1.2", ["29.6", "SE = 1.2"]),
        ("12 (40.0)%", ["12", "40.0%"]),
    ],
)
def test_cells_of_tables_are_read(text: str, read: list[str]) -> None:
    assert [str(figure) for figure in parse_with_spread(text)] == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("28%–97.5%", ["28%", "97.5%"]),
        ("3—24", ["3", "24"]),
        ("0·10–0·25", ["0.10", "0.25"]),
        ("(3–24)", ["3", "24"]),
        ("3 - 24 %", ["3%", "24%"]),
        ("−5 to −3", ["-5", "-3"]),
        ("[0·5; 2·3]", ["0.5", "2.3"]),
        ("3～24", ["3", "24"]),
        ("3–24¹", ["3", "24"]),
        ("95% CI 1.2 to 3.4", ["1.2", "3.4"]),
        ("95% CI (1.2, 3.4)", ["1.2", "3.4"]),
        ("range 3–24", ["3", "24"]),
    ],
)
def test_ranges_with_any_dash_are_read(text: str, read: list[str]) -> None:
    assert [str(end) for end in parse_range(text)] == read


def test_a_decimal_comma_is_no_thousands_separator() -> None:
    with pytest.raises(ValueError, match=re.escape("did you mean '0.05'?")):
        parse("0,05")
    with pytest.raises(ValueError, match=re.escape("did you mean '1.23'?")):
        parse("1,23")
    with pytest.raises(ValueError, match=re.escape("did you mean '0.5–0.9'?")):
        parse_range("0,5–0,9")
    with pytest.raises(ValueError, match="not a printed range"):
        parse_range("0,05")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0.03¹", "0.03"),
        ("12.4²", "12.4"),
        ("n = 28³", "n = 28"),
        ("p < 0.05②", "p < 0.05"),
        ("p: 0.03", "p = 0.03"),
        ("p = <0.001", "p < 0.001"),
        ("p = ns", "≥0.05"),
        ("&lt;0.001", "<0.001"),
        ("5 percent", "5%"),
    ],
)
def test_marks_of_footnotes_and_looser_forms_are_read(text: str, read: str) -> None:
    assert str(parse(text)) == read


@pytest.mark.parametrize(("text", "meant"), [("- 0.5", "-0.5"), ("5.", "5"), ("- 0,5.", "-0.5")])
def test_what_a_slip_of_the_pen_means_is_suggested(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"did you mean {meant!r}?")):
        parse(text)


def test_a_number_is_not_taken_for_text() -> None:
    for refused in (parse, PrintedNumber):
        with pytest.raises(ValueError, match=r"found 2\.65, allowed is .*text"):
            refused(2.65)  # type: ignore[arg-type]
