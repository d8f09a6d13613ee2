from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rederive.retrospective import Windows, at_baseline, at_followup, measured

TARGETS = (6, 12, 18, 24)


def visits(months: Iterable[int], patient: str = "A", measure: str = "score") -> pd.DataFrame:
    """Visits whose value is 100 more than the month, so that a value tells its visit."""
    months = list(months)
    return pd.DataFrame(
        {
            "patient": patient,
            "month": months,
            "measure": measure,
            "value": [100.0 + month for month in months],
        }
    )


def followup(months: Iterable[int], tolerance: int = 2, rule: str = "closest") -> list[float]:
    found = at_followup(visits(months), "score", TARGETS, tolerance, rule)
    return [value - 100 for value in found.loc["A"]]


@pytest.mark.parametrize(
    ("months", "window", "expected"),
    [
        ([-4, -3], 3, -3),
        ([-4], 3, None),
        ([-3], 3, -3),
        ([-3], 2, None),
        ([-3, -1], 3, -1),
        ([-1, 0], 3, 0),
        ([1], 3, None),
        ([-1, 1], 3, -1),
        ([0], 0, 0),
        ([-1], 0, None),
    ],
)
def test_baseline_is_the_most_recent_visit_in_the_window(
    months: list[int], window: int, expected: int | None
) -> None:
    value = at_baseline(visits(months), "score", window)["A"]
    assert np.isnan(value) if expected is None else value == 100 + expected


@pytest.mark.parametrize(
    ("months", "tolerance", "rule", "expected"),
    [
        ([8], 2, "closest", [8, None]),
        ([9], 2, "closest", [None, None]),
        ([10], 2, "closest", [None, 10]),
        ([3], 2, "closest", [None, None]),
        ([4], 2, "closest", [4, None]),
        ([5, 7], 2, "closest", [5, None]),
        ([5, 7], 2, "first", [5, None]),
        ([5, 7], 2, "last", [7, None]),
        ([4, 7], 2, "closest", [7, None]),
        ([4, 6, 8], 2, "closest", [6, None]),
        ([4, 6, 8], 2, "first", [4, None]),
        ([4, 6, 8], 2, "last", [8, None]),
        # Month 9 is in the windows of 6 and 12: it counts for the earlier, and only once.
        ([9], 3, "closest", [9, None]),
        ([6, 9], 3, "closest", [6, None]),
        ([6, 9], 3, "last", [9, None]),
        ([9, 12], 3, "closest", [9, 12]),
        ([9, 10], 3, "first", [9, 10]),
        ([9, 10], 5, "last", [9, 10]),
        ([0], 6, "closest", [None, None]),
        ([1], 6, "closest", [1, None]),
    ],
)
def test_followup_takes_the_visit_of_the_rule(
    months: list[int], tolerance: int, rule: str, expected: list[int | None]
) -> None:
    found = followup(months, tolerance, rule)[:2]
    assert [None if np.isnan(value) else value for value in found] == expected


def reference(
    months: list[int], target: int, tolerance: int, rule: str, targets: tuple[int, ...]
) -> float:
    """Choose the visit for one patient and target as the text of the rule says."""
    own = [
        month
        for month in months
        if month > 0
        and abs(month - target) <= tolerance
        and min(targets, key=lambda other: (abs(month - other), other)) == target
    ]
    if not own:
        return float("nan")
    if rule == "closest":
        return min(own, key=lambda month: (abs(month - target), month))
    return min(own) if rule == "first" else max(own)


@given(
    st.lists(st.sets(st.integers(-15, 32), max_size=12), min_size=1, max_size=5),
    st.integers(0, 9),
    st.sampled_from(["closest", "first", "last"]),
    st.sampled_from([(6,), (12,), (6, 12, 18, 24), (3, 10, 11)]),
    st.randoms(use_true_random=False),
)
def test_windows_agree_with_a_loop_over_patients(
    patients: list[set[int]], tolerance: int, rule: str, targets: tuple[int, ...], random
) -> None:
    tables = [
        visits(months, f"P{i % 3}").assign(cohort=i // 3) for i, months in enumerate(patients)
    ]
    everyone = pd.concat([table.iloc[:0] for table in tables])
    everyone = pd.DataFrame(
        {
            "cohort": [i // 3 for i in range(len(patients))],
            "patient": [f"P{i % 3}" for i in range(len(patients))],
        }
    )
    rows = pd.concat(tables, ignore_index=True)
    rows = rows.iloc[random.sample(range(len(rows)), len(rows))]
    windows = Windows(4, targets, tolerance, rule)
    if rows.empty:
        rows = rows.astype({"measure": object})
    values = measured(rows, "score", windows, everyone)
    months = measured(rows.assign(value=rows["month"]), "score", windows, everyone)
    assert list(values.columns) == ["baseline", *(f"m{target}" for target in targets)]
    np.testing.assert_array_equal(values.to_numpy() - 100, months.to_numpy())
    for i, own in enumerate(patients):
        got = months.loc[(i // 3, f"P{i % 3}")]
        before = [month for month in own if -4 <= month <= 0]
        expected = [max(before) if before else np.nan]
        expected += [reference(sorted(own), t, tolerance, rule, targets) for t in targets]
        np.testing.assert_array_equal(got, expected)


@given(st.sets(st.integers(1, 32), min_size=1, max_size=10), st.integers(0, 8))
def test_a_wider_window_only_adds_and_never_uses_a_visit_twice(
    months: set[int], tolerance: int
) -> None:
    narrow, wide = np.array(followup(months, tolerance)), np.array(followup(months, tolerance + 1))
    known = ~np.isnan(narrow)
    np.testing.assert_array_equal(wide[known], narrow[known])
    used = wide[~np.isnan(wide)]
    assert len(set(used)) == len(used)


def test_patients_without_visits_are_missing_and_other_measures_do_not_count() -> None:
    rows = pd.concat([visits([0, 6], "A"), visits([0, 12], "B", "other")])
    everyone = pd.DataFrame({"patient": ["C", "B", "A"]})
    table = measured(rows, "score", Windows(), everyone)
    assert list(table.index) == ["C", "B", "A"]
    assert table.loc["A", ["baseline", "m6"]].tolist() == [100.0, 106.0]
    assert table.loc[["B", "C"]].isna().all(axis=None)
    assert list(measured(rows, "score", Windows()).index) == ["A", "B"]


def test_an_empty_value_is_no_visit() -> None:
    rows = visits([6, 7])
    rows.loc[0, "value"] = np.nan
    assert at_followup(rows, "score", TARGETS, 2).loc["A", "m6"] == 107.0


def test_a_measure_that_the_categories_know_may_have_no_record() -> None:
    rows = visits([0, 6])
    rows["measure"] = pd.Categorical(rows["measure"], categories=["score", "pressure"])
    assert measured(rows, "pressure", Windows()).isna().all(axis=None)
    with pytest.raises(ValueError, match=r"found 'presure'.*did you mean 'pressure'"):
        measured(rows, "presure", Windows())
    with pytest.raises(ValueError, match=r"found 'scor'.*did you mean 'score'"):
        measured(visits([0]), "scor", Windows())


def test_contradictory_visits_are_errors() -> None:
    with pytest.raises(ValueError, match="patient 'A' has score twice in month 6"):
        at_followup(visits([6, 6]), "score", TARGETS, 2)
    with pytest.raises(ValueError, match="patient 'A' is not among the patients"):
        at_baseline(visits([0]), "score", 3, pd.DataFrame({"patient": ["B"]}))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"baseline_window": -1}, "baseline_window: found -1"),
        ({"tolerance": 1.5}, "tolerance: found 1.5"),
        ({"tolerance": True}, "tolerance: found True"),
        ({"targets": (12, 6)}, "rising"),
        ({"targets": (0, 6)}, "from 1"),
        ({"targets": ()}, "rising"),
        ({"rule": "closets"}, "did you mean 'closest'"),
    ],
)
def test_windows_that_make_no_sense_are_errors(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Windows(**arguments)
