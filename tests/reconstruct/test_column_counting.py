"""Counts, lists and nearest figures of one column, compared with brute force over all data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product
from math import comb, factorial, prod

import pytest

from honest_summaries import Moments
from listed_columns import enumerate_columns
from rederive.printed import PrintedNumber, RoundingRule, parse
from rederive.reconstruct.column import ColumnSummary, count_columns, nearest_figures
from rederive.reconstruct.column import counting as counting_module
from rederive.reconstruct.column.counting import chinese_remainder, coprime_moduli

EIGHTH = Fraction(1, 8)
TINY = [
    # n, ends in steps, step
    (2, -3, 4, Fraction(1)),
    (4, 0, 6, Fraction(1)),
    (6, -2, 3, Fraction(1)),
    (5, 0, 8, EIGHTH),
    (8, 0, 1, Fraction(1)),
    (4, 5, 12, Fraction(1)),
    (5, -9, -4, Fraction(1)),
    (3, 2, 2, Fraction(1)),
]
Figures = tuple[PrintedNumber, PrintedNumber]


def orders(values: tuple[int, ...]) -> int:
    return factorial(len(values)) // prod(factorial(c) for c in Counter(values).values())


@cache
def printed(
    case: tuple[int, int, int, Fraction], rule: RoundingRule, decimals: int
) -> dict[Figures, list[tuple[int, ...]]]:
    """Return all data of a tiny scale, sorted by what they print as."""
    n, low, high, step = case
    found: dict[Figures, list[tuple[int, ...]]] = {}
    for values in combinations_with_replacement(range(low, high + 1), n):
        moments = Moments.of(values, step)
        for mean, sd in product(
            moments.mean_figures(decimals, rule), moments.sd_figures(decimals, rule)
        ):
            found.setdefault((mean, sd), []).append(values)
    return found


def summaries(
    case: tuple[int, int, int, Fraction], rule: RoundingRule, decimals: int, most: int
) -> Iterator[tuple[ColumnSummary, list[tuple[int, ...]]]]:
    """Give summaries spread over all that data on a tiny scale print as."""
    n, low, high, step = case
    found = sorted(printed(case, rule, decimals).items(), key=lambda item: str(item[0]))
    for (mean, sd), data in found[:: max(1, len(found) // most)]:
        yield ColumnSummary(mean, sd, n, low * step, high * step, step, rule), data


def column(
    mean: str, sd: str | None, n: int, low: int, high: int, step: Fraction | int = 1
) -> ColumnSummary:
    return ColumnSummary(parse(mean), None if sd is None else parse(sd), n, low, high, step)


@pytest.mark.parametrize("rule", list(RoundingRule))
@pytest.mark.parametrize("case", TINY, ids=str)
def test_counts_equal_brute_force(case: tuple[int, int, int, Fraction], rule: RoundingRule) -> None:
    for decimals in (0, 1, 2):
        for summary, data in summaries(case, rule, decimals, most=12):
            assert count_columns(summary) == len(data), summary.figures
            assert count_columns(summary, ordered=True) == sum(map(orders, data)), summary.figures


@pytest.mark.parametrize("case", TINY, ids=str)
def test_all_figures_together_cover_all_data_once(case: tuple[int, int, int, Fraction]) -> None:
    n, low, high, step = case
    found = printed(case, RoundingRule.HALF_UP, 0)
    total = sum(
        count_columns(
            ColumnSummary(mean, sd, n, low * step, high * step, step, RoundingRule.HALF_UP)
        )
        for mean, sd in found
    )
    assert total == comb(n + high - low, n)


def test_a_mean_alone_counts_equal_brute_force() -> None:
    data = list(combinations_with_replacement(range(-3, 5), 5))
    for rule in RoundingRule:
        for figure in ("-1.4", "0.0", "0.5", "2", "1"):
            mean = parse(figure)
            fitting = [
                values
                for values in data
                if mean in Moments.of(values).mean_figures(mean.decimals, rule)
            ]
            summary = ColumnSummary(mean, None, 5, -3, 4, 1, rule)
            assert count_columns(summary) == len(fitting)
            assert count_columns(summary, ordered=True) == sum(map(orders, fitting))


def test_a_half_belongs_to_both_figures_unless_the_rule_decides() -> None:
    # The only data with mean 0.25 and four values on 0..1 have the sum 1.
    for figure, counts in {"0.2": (1, 0, 1, 1), "0.3": (1, 1, 0, 0)}.items():
        rules = ("either", "half-up", "half-even", "truncate")
        for rule, expected in zip(rules, counts, strict=True):
            summary = ColumnSummary(parse(figure), None, 4, 0, 1, 1, RoundingRule(rule))
            assert count_columns(summary) == expected


def test_counts_with_several_moduli_agree_with_a_count_by_another_route() -> None:
    # Without an SD the number of vectors is a coefficient of (1 + x + ... + x^51)^40.
    n, high = 40, 51
    coefficients = [1]
    for _ in range(n):
        longer = [0] * (len(coefficients) + high)
        running = 0
        for index in range(len(longer)):
            running += coefficients[index] if index < len(coefficients) else 0
            running -= coefficients[index - high - 1] if index > high else 0
            longer[index] = running
        coefficients = longer
    expected = sum(coefficients[total] for total in range(n * high + 1) if 958 <= total <= 962)
    assert expected > 2**200
    assert count_columns(column("24.0", None, n, 0, high), ordered=True) == expected


def test_counts_of_multisets_agree_with_a_count_by_another_route() -> None:
    # Without an SD the number of multisets is a coefficient of the Gaussian binomial of 30 values
    # on 0 to 51: parts of at most 51, at most 30 of them.
    n, high = 30, 51
    coefficients = [1] + [0] * (n * high)
    for part in range(1, high + 1):
        # Times 1 - q^(n + part), divided by 1 - q^part.
        for index in range(n * high, n + part - 1, -1):
            coefficients[index] -= coefficients[index - n - part]
        for index in range(part, n * high + 1):
            coefficients[index] += coefficients[index - part]
    assert sum(coefficients) == comb(n + high, n) > 2**70
    expected = sum(coefficients[719:722])
    assert count_columns(column("24.0", None, n, 0, high)) == expected > 2**63


def test_counts_of_the_usual_size_agree_with_vectors_of_the_listed_multisets() -> None:
    # Few multisets, many orders: the two dynamic programmes share no state.
    for summary in (column("25.5", "25.9", 30, 0, 51), column("0.4", "1.0", 25, 0, 51)):
        listed = list(enumerate_columns(summary))
        assert len(listed) == count_columns(summary) > 0
        assert count_columns(summary, ordered=True) == sum(map(orders, listed))


def test_a_mirrored_scale_has_the_same_counts() -> None:
    changes, mirrored = column("-8.0", "8.3", 12, -51, 51), column("8.0", "8.3", 12, -51, 51)
    assert count_columns(changes) == count_columns(mirrored) > 10**6
    shifted = column("43.0", "8.3", 12, 0, 102)
    assert count_columns(changes) == count_columns(shifted)
    assert count_columns(changes, ordered=True) == count_columns(shifted, ordered=True)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("case", TINY, ids=str)
def test_the_list_is_what_brute_force_finds(
    case: tuple[int, int, int, Fraction], ordered: bool
) -> None:
    for summary, data in summaries(case, RoundingRule.EITHER, 1, most=6):
        listed = list(enumerate_columns(summary, ordered))
        assert len(set(listed)) == len(listed)
        assert {tuple(sorted(row)) for row in listed} == set(data)
        assert len(listed) == (sum(map(orders, data)) if ordered else len(data))


@pytest.mark.parametrize("rule", list(RoundingRule))
@pytest.mark.parametrize("case", [TINY[1], TINY[3], TINY[6]], ids=str)
def test_nearest_figures_equal_brute_force(
    case: tuple[int, int, int, Fraction], rule: RoundingRule
) -> None:
    n, low, high, step = case
    possible = printed(case, rule, 2)
    impossible = 0
    for mean, sd in product(("-2.71", "0.13", "0.57", "3.14", "9.99"), ("0.08", "0.61", "7.50")):
        summary = ColumnSummary(parse(mean), parse(sd), n, low * step, high * step, step, rule)
        pair = (parse(mean), parse(sd))
        impossible += pair not in possible

        def distance(other: Figures, pair: Figures = pair) -> Fraction:
            return abs(other[0].value - pair[0].value) + abs(other[1].value - pair[1].value)

        least = min(map(distance, possible))
        assert set(nearest_figures(summary)) == {
            other for other in possible if distance(other) == least
        }
    assert impossible > 10


def test_a_corrupted_figure_is_impossible_and_its_true_value_near() -> None:
    true = column("24.14", "9.60", 29, 0, 51)
    assert count_columns(true) > 0
    swapped = replace(true, mean=parse("24.41"))
    altered = replace(true, mean=parse("24.15"))
    assert count_columns(swapped) > 0 or nearest_figures(swapped)
    assert count_columns(altered) == count_columns(altered, ordered=True) == 0
    assert (parse("24.14"), parse("9.60")) in nearest_figures(altered)
    far = column("60.0", "9.6", 29, 0, 51)
    assert count_columns(far) == 0
    assert all(count_columns(replace(far, mean=m, sd=s)) for m, s in nearest_figures(far))


def test_a_mean_alone_has_nearest_figures_too() -> None:
    assert [str(m) for m, _ in nearest_figures(column("0.47", None, 4, 0, 9))] == ["0.50"]
    tie = ColumnSummary(parse("0.375"), None, 4, 0, 9, 1)
    assert [str(m) for m, _ in nearest_figures(tie)] == ["0.250", "0.500"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("<5", "1", 4, 0, 9), r"mean: found <5, allowed are figures without < or >"),
        (("5", ">1", 4, 0, 9), r"sd: found >1, allowed are figures without"),
        (("5", "-1", 4, 0, 9), r"sd: found -1, allowed are figures from 0"),
        (("5", "1", 1, 0, 9), r"n: found 1, allowed are whole numbers from 2"),
        (("5", None, 0, 0, 9), r"n: found 0, allowed are whole numbers from 1"),
        (("5", "1", 4, 9, 0), r"minimum 9 is above maximum 0"),
        (("5", "1", 4, 0, 9, 2), r"maximum: found 9, allowed are multiples of 2"),
        (("5", "1", 4, 0, 9, 0), r"step: found 0, allowed are numbers above 0"),
    ],
)
def test_bad_input_names_parameter_found_and_allowed(
    arguments: tuple[str, str | None, int, int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        column(*arguments)


def test_a_count_out_of_reach_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"n: found .* additions, allowed are 60,000,000,000"):
        count_columns(column("24.1", "9.6", 900, 0, 51))
    with pytest.raises(ValueError, match=r"n: found .* boxes, allowed are 200,000"):
        count_columns(column("24.1", "9.6", 29, 0, 100_000))
    monkeypatch.setattr(counting_module, "LAYER_LIMIT", 1000)
    with pytest.raises(ValueError, match=r"states at a time, allowed are 1,000"):
        count_columns(column("24.1", "9.6", 20, 0, 51), ordered=True)


def test_moduli_are_coprime_and_put_numbers_together() -> None:
    number = 3**180
    for limit in (2**63, 2**64 // 52, 50):
        moduli = coprime_moduli(limit, 2**80 if limit == 50 else number)[:40]
        assert all(modulus < limit and modulus % 2 for modulus in moduli)
        expected = number % prod(moduli)
        assert chinese_remainder([number % modulus for modulus in moduli], moduli) == expected
    assert prod(coprime_moduli(2**63, number)) > number
