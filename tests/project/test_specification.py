"""Tables of specifications, by brute force and against statsmodels."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.formula.api import ols

from rederive.book.specification import Specifications

LEVELS = {"window": (0, 1, 2, 3), "rule": ("closest", "last"), "test": ("t", "rank", "sign")}


def full(values, decisions=None, low=None, high=None) -> pd.DataFrame:
    frame = pd.DataFrame(list(itertools.product(*LEVELS.values())), columns=list(LEVELS))
    frame["value"] = values
    if decisions is not None:
        frame["decision"] = decisions
    return frame


def random_table(seed: int) -> Specifications:
    rng = np.random.default_rng(seed)
    shares = np.round(rng.random(24), 2)
    return Specifications.of(full(rng.normal(size=24), shares), list(LEVELS))


@pytest.mark.filterwarnings("ignore:divide by zero")  # F tests without residual degrees of freedom
def test_shares_are_those_of_anova_lm_with_all_interactions():
    frame = random_table(1).frame
    model = ols("value ~ C(window) * C(rule) * C(test)", frame).fit()
    # Type I equals type II and III in a balanced table; the saturated model leaves no residual.
    squares = sm.stats.anova_lm(model, typ=1)["sum_sq"].drop("Residual")
    whole = squares.sum()
    found = random_table(1).variance_shares().set_index("choice")
    assert set(found["method"]) == {"anova"}
    for name in LEVELS:
        own = squares[[term for term in squares.index if f"C({name})" in term]]
        assert found.loc[name, "first"] == pytest.approx(squares[f"C({name})"] / whole)
        assert found.loc[name, "total"] == pytest.approx(own.sum() / whole)


def test_shares_by_brute_force_over_the_definition():
    table = random_table(2)
    frame = table.frame
    variance = np.mean((frame["value"] - frame["value"].mean()) ** 2)
    for row in table.variance_shares().itertuples():
        means = [part["value"].mean() for _, part in frame.groupby(row.choice)]
        others = [name for name in LEVELS if name != row.choice]
        left = [np.var(part["value"]) for _, part in frame.groupby(others)]
        assert row.first == pytest.approx(np.var(means) / variance)
        assert row.total == pytest.approx(np.mean(left) / variance)


def test_an_unbalanced_table_has_type_two_squares():
    frame = random_table(3).frame.drop(index=[0, 3, 7, 20]).reset_index(drop=True)
    frame.loc[5, "value"] = np.nan
    table = Specifications.of(frame, list(LEVELS))
    assert not table.is_complete
    known = frame.dropna(subset="value")
    model = ols("value ~ C(window) + C(rule) + C(test)", known).fit()
    squares = sm.stats.anova_lm(model, typ=2)["sum_sq"]
    whole = ((known["value"] - known["value"].mean()) ** 2).sum()
    found = table.variance_shares().set_index("choice")
    assert set(found["method"]) == {"ols"}
    assert found["total"].isna().all()
    for name in LEVELS:
        assert found.loc[name, "first"] == pytest.approx(squares[f"C({name})"] / whole)


@given(st.integers(0, 10_000))
def test_first_order_shares_add_up_to_at_most_one_and_total_is_no_less(seed):
    shares = random_table(seed).variance_shares()
    assert shares["first"].sum() <= 1 + 1e-9
    assert shares["total"].sum() >= 1 - 1e-9
    assert (shares["total"] >= shares["first"] - 1e-9).all()


def test_an_additive_value_has_equal_shares_and_an_idle_choice_none():
    frame = full(0.0)
    frame["value"] = 3.0 * frame["window"] + (frame["rule"] == "last")
    found = Specifications.of(frame, list(LEVELS)).variance_shares().set_index("choice")
    assert found["first"].sum() == pytest.approx(1)
    assert found["first"].to_numpy() == pytest.approx(found["total"].to_numpy())
    assert found.loc["test", "total"] == 0


def test_a_constant_value_has_no_shares():
    assert (
        Specifications.of(full(0.1), ["window", "rule", "test"]).variance_shares()["total"] == 0
    ).all()
    frame = full(0.1).iloc[1:]
    assert (Specifications.of(frame, list(LEVELS)).variance_shares()["first"] == 0).all()


@given(st.integers(0, 10_000))
def test_flips_by_brute_force_over_all_pairs(seed):
    table = random_table(seed)
    rows = table.frame.to_dict("records")
    found = table.flips().set_index("choice")
    for name in LEVELS:
        pairs = [
            (a, b)
            for a, b in itertools.combinations(rows, 2)
            if [each for each in LEVELS if a[each] != b[each]] == [name]
        ]
        flipped = sum((a["decision"] > 0.5) != (b["decision"] > 0.5) for a, b in pairs)
        assert (found.loc[name, "pairs"], found.loc[name, "flipped"]) == (len(pairs), flipped)
        assert found.loc[name, "share"] == pytest.approx(flipped / len(pairs))


def test_flips_leave_out_what_is_undecided():
    frame = full(1.0, 1.0)
    frame.loc[frame["test"] == "sign", "decision"] = np.nan
    frame.loc[frame["test"] == "rank", "decision"] = 0.2
    found = Specifications.of(frame, list(LEVELS)).flips().set_index("choice")
    assert found.loc["test"].tolist() == [8, 8, 1.0]
    assert found.loc["rule", "flipped"] == 0
    single = Specifications.of(frame.iloc[:1], ["window"]).flips()
    assert single["pairs"].tolist() == [0]
    assert single["share"].isna().all()


def test_order():
    table = random_table(4)
    ordered = table.ordered()
    assert (np.diff(ordered["value"]) >= 0).all()


def test_levels_of_numbers_rise_and_those_without_a_value_come_last():
    frame = full(np.arange(24.0)).iloc[::-1]
    frame["value"] = frame["value"].where(frame["window"] != 1)
    table = Specifications.of(frame, list(LEVELS))
    assert table.levels["window"] == (0, 1, 2, 3)
    assert table.levels["rule"] == ("last", "closest")
    assert table.ordered()["value"].tail(6).isna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: pd.concat([frame, frame.iloc[:1]]), "more than once"),
        (lambda frame: frame.assign(same=0, value=range(24)), "row 1: found another result"),
        (lambda frame: frame.assign(rule=[None, *frame["rule"][1:]]), "row 0, rule"),
    ],
)
def test_what_is_no_table_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Specifications.of(change(full(1.0)), list(LEVELS))


def test_choices_can_be_held():
    table = random_table(6)
    held = table.only(pd.DataFrame([{"rule": "last", "window": 2, "other": 0}]))
    expected = table.frame.query("rule == 'last' and window == 2")
    assert held.frame["value"].tolist() == expected["value"].tolist()
    assert held.levels["window"] == (2,)


def twins(seed: int) -> Specifications:
    """A table in which windows 2 and 3 are the same, and so are all rules in window 0."""
    rng = np.random.default_rng(seed)
    frame = full(0.0)
    windows = frame["window"].clip(upper=2)
    rules = frame["rule"].where(windows > 0, "any")
    frame["same"] = windows.astype(str) + rules + frame["test"]
    outcomes = {
        label: (rng.normal(), round(rng.random(), 1)) for label in frame["same"].drop_duplicates()
    }
    frame["value"] = [outcomes[label][0] for label in frame["same"]]
    frame["decision"] = [outcomes[label][1] for label in frame["same"]]
    return Specifications.of(frame, list(LEVELS))


@given(st.integers(0, 10_000))
def test_what_comes_to_the_same_counts_once_and_cannot_flip(seed):
    table = twins(seed)
    assert len(table.distinct.frame) == (1 + 2 + 2) * 3
    rows = table.frame.to_dict("records")
    found = table.flips().set_index("choice")
    for name in LEVELS:
        pairs = {
            frozenset((a["same"], b["same"])): (a["decision"] > 0.5) != (b["decision"] > 0.5)
            for a, b in itertools.combinations(rows, 2)
            if [each for each in LEVELS if a[each] != b[each]] == [name] and a["same"] != b["same"]
        }
        assert found.loc[name, "pairs"] == len(pairs)
        assert found.loc[name, "flipped"] == sum(pairs.values())
    assert found["pairs"].to_dict() == {"window": 18, "rule": 6, "test": 15}


def test_a_tie_is_no_majority():
    table = Specifications.of(full(1.0, 0.5), list(LEVELS))
    assert not table.yes.any()


def test_with_a_floor_the_shares_are_those_of_the_logarithm():
    rng = np.random.default_rng(8)
    p = 10.0 ** rng.uniform(-6, 0, 24)
    p[[3, 9]] = 0.0, 1e-9
    plain = full(np.log10(np.maximum(p, 1e-7)))
    for rows in (plain.index, plain.index[2:]):
        expected = Specifications.of(plain.loc[rows], list(LEVELS)).variance_shares()
        table = Specifications.of(full(p).loc[rows], list(LEVELS), log_floor=1e-7)
        pd.testing.assert_frame_equal(table.variance_shares(), expected)
    assert table.only(pd.DataFrame({"window": [2]})).log_floor == table.distinct.log_floor == 1e-7


def test_a_single_choice_has_one_line_of_pairs():
    frame = pd.DataFrame({"a": [1, 2, 3], "value": [0.0, 1.0, 2.0], "decision": [0.0, 1.0, 1.0]})
    for table in (frame, frame.assign(same=[7, 8, 8], value=[0.0, 1.0, 1.0])):
        flips = Specifications.of(table, ["a"]).flips().iloc[0]
        expected = (1, 1) if "same" in table else (3, 2)
        assert (flips["pairs"], flips["flipped"]) == expected
