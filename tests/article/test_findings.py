"""What the engine finds in Table 1 and in the comparisons with controls, by another route."""

from __future__ import annotations

from fractions import Fraction

import pytest
from scipy import stats

from ivig_dcssc import baseline, controls
from ivig_dcssc.article import open_ledger
from rederive.book.ledger import Ledger
from rederive.printed import PrintedNumber


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger()


def suits(percentages: tuple[PrintedNumber, ...], n: int) -> bool:
    """Brute force: is there a count of n for every percentage, adding up if there are several?"""
    choices = [
        [k for k in range(n + 1) if abs(Fraction(100 * k, n) - p.value) <= p.unit / 2]
        for p in percentages
    ]
    if not all(choices):
        return False
    sums = {0}
    for options in choices:
        sums = {total + k for total in sums for k in options}
    return len(percentages) == 1 or n in sums


@pytest.mark.parametrize("group", baseline.GROUPS)
@pytest.mark.parametrize("topic", baseline.SHARED)
def test_denominators_equal_brute_force(ledger: Ledger, group: str, topic: str) -> None:
    found = baseline.denominators(ledger, group, topic)
    expected = [n for n in range(1, found.printed + 1) if suits(found.percentages, n)]
    assert list(found.attainable) == expected
    assert found.fits == (found.printed in expected)


def scipy_p(
    shared: tuple[float, float, int], other: tuple[float, float, int], pooled: bool
) -> float:
    return float(stats.ttest_ind_from_stats(*shared, *other, equal_var=pooled).pvalue)


@pytest.mark.parametrize("timepoint", controls.COMPARATORS)
def test_needed_sizes_contain_every_size_that_reaches_p_at_the_printed_figures(
    ledger: Ledger, timepoint: str
) -> None:
    change = controls.ivig_change(ledger, timepoint)
    shared = (float(change.mean.value), float(change.sd.value), change.n)
    sizes = {(s.comparator, s.convention): s for s in controls.needed_sizes(ledger, timepoint)}
    checked = 0
    for comparison in controls.comparisons(ledger, timepoint):
        other = comparison.summary
        for (name, convention), size in sizes.items():
            if name != comparison.name:
                continue
            assert set(size.jointly) <= set(size.alone)
            for n in range(2, other.n + 1):
                figures = (float(other.mean.value), float(other.sd.value), n)
                p = scipy_p(shared, figures, pooled=convention.startswith("Student"))
                if all(
                    float(printed.interval().low or 0) <= p <= float(printed.interval().high or 1)
                    for printed in comparison.p
                ):
                    assert n in size.alone
                    checked += 1
    assert checked > 0


def test_missing_patients_brute_force(ledger: Ledger) -> None:
    """All whole sums that print the three means, tried one by one, for each reading."""
    cases = {
        ("m6", "-5.3"): ("24.1", 29),
        ("m12", "-8"): ("22.5", 25),
        ("m12", "-8.0"): ("22.5", 25),
    }
    found = {
        (each.timepoint, each.reading): each
        for timepoint in controls.COMPARATORS
        for each in controls.followed(ledger, timepoint)
    }
    assert set(found) == set(cases)
    for (timepoint, reading), (after_mean, n) in cases.items():
        before = [s for s in range(1531) if PrintedNumber("29.6").prints(Fraction(s, 30))]
        after = [s for s in range(1531) if PrintedNumber(after_mean).prints(Fraction(s, n))]
        change = [s for s in range(-1530, 1) if PrintedNumber(reading).prints(Fraction(s, n))]
        means = [Fraction(b - (a - c), 30 - n) for b in before for a in after for c in change]
        inside = [mean for mean in means if 0 <= mean <= 51]
        each = found[timepoint, reading]
        assert each.missing == 30 - n
        assert each.baseline_of_missing.low == min(inside)
        assert each.baseline_of_missing.high == max(inside)


def test_the_decision_is_safe_from_the_named_size_on(ledger: Ledger) -> None:
    """At the printed figures the decision never changes from that size up to the baseline's."""
    change = controls.ivig_change(ledger, "m12")
    shared = (float(change.mean.value), float(change.sd.value), change.n)
    for comparison in controls.comparisons(ledger, "m12"):
        least = controls.least_safe_size(ledger, comparison.name, "m12")
        other = comparison.summary
        figures = (float(other.mean.value), float(other.sd.value))
        decisions = {
            scipy_p(shared, (*figures, n), pooled) < 0.05
            for n in range(least, other.n + 1)
            for pooled in (True, False)
        }
        assert len(decisions) == 1


def test_every_compared_cell_has_one_claim(ledger: Ledger) -> None:
    claims = baseline.asterisk_claims(ledger)
    assert len(claims) == len(set(claims.values()))
    assert {variable for variable, _ in claims} == set(baseline.COMPARED)
    assert {group for _, group in claims} == set(baseline.COMPARATORS)


def test_findings_come_from_the_ledger_in_use() -> None:
    """With another test taken as the article's, the sentences change."""
    student = baseline.asterisks_in_words(open_ledger())
    welch = baseline.asterisks_in_words(open_ledger(two_sample_test="welch"))
    assert student != welch
