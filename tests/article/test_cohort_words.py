"""Sentences and tables about cohorts: shares, ranges, bounds, and what is never said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivig_dcssc import cohort_groups, cohort_words
from ivig_dcssc.article import open_ledger
from rederive.book.ledger import Ledger
from rederive.printed import PrintedNumber, Verdict
from rederive.reconstruct.bounds import Bound, End, Kind, Proof, Quantity

TEACHING = "data/cohorts/synthetic-teaching"


@pytest.fixture(scope="module")
def ensemble() -> Ledger:
    return open_ledger(prior="gaussian")


@pytest.fixture(scope="module")
def own() -> Ledger:
    return open_ledger(cohort_folder=TEACHING)


@given(st.integers(0, 5000), st.integers(1, 60))
def test_printing_is_what_format_would_print(total: int, n: int) -> None:
    """Away from exact halves, a figure prints as Python's formatting prints it."""
    value = total / n
    if abs((value * 10) % 1 - 0.5) < 1e-6:
        return
    series = pd.Series([value, np.nan])
    assert list(cohort_words.printing(series, PrintedNumber(f"{value:.1f}"))) == [True, False]
    assert not cohort_words.printing(series, PrintedNumber(f"{value + 0.2:.1f}")).any()


def end(limit: float, best: float | None) -> End:
    return End(limit, Proof.SUMS, best, None, limit, best)


@pytest.mark.parametrize(
    ("limit", "best", "expected"),
    [(0.02, 0.01, True), (0.2, 0.2, False), (0.2, 0.01, None), (0.2, None, None)],
)
def test_significance_is_implied_denied_or_open(
    limit: float, best: float | None, expected: bool | None
) -> None:
    found = Bound(
        Quantity(Kind.PAIRED_P, "m18"), (), end(0.00001, 0.00001), end(limit, best), "key", 0.0
    )
    assert cohort_words.implied_below(found, 0.05) is expected
    words = cohort_words.implied_in_words(found, 0.05)
    assert ("does not follow" in words) == (expected is False)
    assert ("is open" in words) == (expected is None)
    marked = "proved" in cohort_words.bound_in_words(found, 4)
    assert marked == (not found.sharp)


def test_the_limit_of_a_p_value_is_not_rounded_inward() -> None:
    found = Bound(
        Quantity(Kind.PAIRED_P, "m24"), (), end(0.0, 0.0), end(0.02181, 0.02181), "key", 0.0
    )
    assert "of at most 0.0219:" in cohort_words.implied_in_words(found, 0.05)


def test_verdicts_are_counted_in_the_right_number() -> None:
    one = {Verdict.SAME: 8, Verdict.NEEDS_CHOICE: 1}
    assert cohort_words.verdicts_in_words(one) == "8 *same* and 1 that *needs an unstated choice*"
    assert cohort_words.verdicts_in_words({Verdict.NEEDS_CHOICE: 2}).startswith("2 that need an")
    assert cohort_words.verdicts_in_words({Verdict.DIFFERS: 2}) == "2 that differ"


def test_every_figure_of_the_ivig_column_is_printed_by_every_cohort(ensemble: Ledger) -> None:
    found = cohort_words.agreements(ensemble, "table1", "results_baseline")
    assert len(found) > 50
    assert all(one.row.group == "IVIG" and bool(one.prints.all()) for one in found)
    words = " ".join(cohort_words.agreement_in_words(ensemble, found, "Table 1"))
    assert f"prints all {len(found)} figures" in words and "synthetic" in words
    assert "confirms none" in words


def test_means_are_those_of_the_patients(own: Ledger) -> None:
    """Means and SDs once more, from the tables themselves."""
    found = cohort_words.agreements(own, "table1", "results_baseline")
    rows = {row["Variable"]: row for row in cohort_words.mean_records(own, found)}
    patients = cohort_groups.cohorts_of(own).results.tables.cohort.patients
    for label, column in (
        ("Age at drug initiation", "age"),
        ("Disease duration at drug initiation", "disease_duration"),
    ):
        values = patients[column].astype(float)
        assert float(str(rows[label]["Mean, unrounded"])) == pytest.approx(values.mean(), abs=5e-4)
        assert float(str(rows[label]["SD, unrounded"])) == pytest.approx(values.std(), abs=5e-4)
        assert rows[label]["Prints both"] == "yes"


def test_a_cohort_of_ones_own_is_never_called_reconstructed(own: Ledger) -> None:
    found = cohort_words.agreements(own, "table2", "results_treatment")
    words = " ".join(cohort_words.agreement_in_words(own, found, "Table 2"))
    assert f"{len(found)} of the {len(found)}" in words
    assert "reconstruct" not in words and "synthetic" not in words


def test_no_figures_make_no_sentence(own: Ledger) -> None:
    with pytest.raises(ValueError, match="no figure of nothing"):
        cohort_words.agreement_in_words(own, [], "nothing")
