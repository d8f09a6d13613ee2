"""The independent checker: right on data computed by hand, and no false alarm or silence."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rederive.reconstruct import checker
from rederive.reconstruct.checker import check_study, failures

DESCRIPTION = """
patients: 4
timepoints: [a, b]
measures:
  score:
    scale: {minimum: 0, maximum: 10, step: 0.5}
    n: {a: 4, b: 3}
    improvement: fall
    figures:
      a: {mean: "5.25", sd: "2.22", minimum: "3.0", maximum: "8"}
      b:
        mean: "3.0"
        baseline_mean: "4.3"
        baseline_sd: "1.53"
        change_mean: "-1.3"
        change_sd: "0.76"
        paired_p: "0.09"
        responders: {1: "2", 0.5: "3"}
"""
FIRST, LATER = [3.0, 4.0, 6.0, 8.0], [2.5, 2.5, 4.0]


def described(text: str = DESCRIPTION) -> dict:
    return yaml.load(text, Loader=yaml.BaseLoader)


def tidy(first: list[float] = FIRST, later: list[float] = LATER) -> pd.DataFrame:
    rows = [(f"P{k}", "score", "a", v) for k, v in enumerate(first)]
    rows += [(f"P{k}", "score", "b", v) for k, v in enumerate(later)]
    return pd.DataFrame(rows, columns=["patient", "measure", "timepoint", "value"])


def test_data_computed_by_hand_print_their_figures() -> None:
    report = check_study(described(), tidy())
    assert failures(report).empty, report
    assert list(report.columns) == ["cohort", "id", "printed", "computed", "agrees"]
    assert "score.b.responders.0.5" in set(report["id"])


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ('mean: "5.25"', 'mean: "5.26"', "score.a.mean"),
        ('sd: "2.22"', 'sd: "2.21"', "score.a.sd"),
        ('minimum: "3.0"', 'minimum: "3.5"', "score.a.minimum"),
        ('maximum: "8"', 'maximum: "9"', "score.a.maximum"),
        ('baseline_mean: "4.3"', 'baseline_mean: "5.3"', "score.b.baseline_mean"),
        ('change_sd: "0.76"', 'change_sd: "0.77"', "score.b.change_sd"),
        ('paired_p: "0.09"', 'paired_p: "<0.05"', "score.b.paired_p"),
        ('{1: "2"', '{1: "1"', "score.b.responders.1"),
        ("b: 3}", "b: 4}", "score.b.n"),
        ("patients: 4", "patients: 3", "patients"),
        ("maximum: 10", "maximum: 7", "score.scale"),
        ("step: 0.5", "step: 1", "score.scale"),
    ],
)
def test_one_changed_figure_is_caught(old: str, new: str, name: str) -> None:
    report = check_study(described(DESCRIPTION.replace(old, new)), tidy())
    assert name in set(failures(report)["id"])


def test_p_is_that_of_scipy() -> None:
    p = stats.ttest_rel(LATER, FIRST[:3]).pvalue
    row = check_study(described(), tidy()).set_index("id").loc["score.b.paired_p"]
    assert row["computed"] == f"{p:.2f}"


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("either", {"2.3", "2.2"}),
        ("half-up", {"2.3"}),
        ("half-even", {"2.2"}),
        ("truncate", {"2.2"}),
    ],
)
def test_an_exact_half_goes_where_the_rule_sends_it(rule: str, allowed: set[str]) -> None:
    for text in ("2.1", "2.2", "2.3", "2.4"):
        description = {
            "patients": "4",
            "rounding": rule,
            "timepoints": ["a"],
            "measures": {
                "x": {
                    "scale": {"minimum": "0", "maximum": "9"},
                    "n": {"a": "4"},
                    "figures": {"a": {"mean": text}},
                }
            },
        }
        data = pd.DataFrame(
            {"patient": list("wxyz"), "measure": "x", "timepoint": "a", "value": [2, 2, 2, 3]}
        )
        assert failures(check_study(description, data)).empty == (text in allowed)


@given(
    st.lists(st.integers(0, 30), min_size=3, max_size=12),
    st.sampled_from([1, 10, 3]),
    st.integers(0, 3),
)
def test_honest_data_are_never_refused(values: list[int], parts: int, decimals: int) -> None:
    data = np.array(values) / parts
    description = {
        "patients": str(len(values)),
        "timepoints": ["a"],
        "measures": {
            "x": {
                "scale": {"minimum": "0", "maximum": "30", "step": f"1/{parts}"},
                "n": {"a": str(len(values))},
                "figures": {
                    "a": {
                        "mean": f"{data.mean():.{decimals}f}",
                        "sd": f"{data.std(ddof=1):.{decimals}f}",
                    }
                },
            }
        },
    }
    table = pd.DataFrame(
        {"patient": range(len(values)), "measure": "x", "timepoint": "a", "value": data}
    )
    assert failures(check_study(description, table)).empty


def test_changes_without_spread_and_too_few_values() -> None:
    text = DESCRIPTION.replace('paired_p: "0.09"', 'paired_p: "<0.001"')
    report = check_study(described(text), tidy(later=[1.0, 2.0, 4.0])).set_index("id")
    assert report.loc["score.b.paired_p", "agrees"]
    report = check_study(described(), tidy(later=[])).set_index("id")
    assert report.loc["score.b.mean", "computed"] == "not computable"


def test_unknown_measures_and_time_points_do_not_pass_silently() -> None:
    extra = pd.DataFrame([("P0", "other", "a", 1.0), ("P0", "score", "c", 1.0)])
    data = pd.concat([tidy(), extra.set_axis(tidy().columns, axis=1)])
    assert set(failures(check_study(described(), data))["id"]) == {"other", "score.c.n"}


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (lambda t: t.drop(columns="value"), "missing value"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "two values of 1, P0, score, a"),
        (lambda t: t.assign(value=["x"] + [1.0] * 6), "row 1, column value: found 'x'"),
        (lambda t: t.assign(value=[np.inf] + [1.0] * 6), "row 1"),
    ],
)
def test_tables_that_are_no_data_are_refused(spoilt, words) -> None:
    with pytest.raises(ValueError, match=words):
        check_study(described(), spoilt(tidy()))


def test_several_data_sets_are_told_apart() -> None:
    both = pd.concat([tidy().assign(cohort=1), tidy(later=[2.5, 2.5, 4.5]).assign(cohort=2)])
    report = check_study(described(), both)
    assert set(failures(report)["cohort"]) == {2}


def test_the_checker_shares_no_code_with_what_makes_data() -> None:
    tree = ast.parse(Path(checker.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [
        name
        for node in imports
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    ]
    assert not [name for name in names if name.startswith("rederive")]
