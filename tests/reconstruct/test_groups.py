"""Groups and tests between them: honest p are never refused, and drawn data print them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rederive.cli.main import main
from rederive.reconstruct.block import ContradictionError
from rederive.reconstruct.checker import check_study, failures
from rederive.reconstruct.study import (
    Study,
    StudyError,
    load_study,
    parse_study,
    predict_figure,
    reconstruct_study,
)
from rederive.reconstruct.study.comparing import (
    TESTS,
    p_of,
    p_ranges,
    printed_as,
    refute_comparison,
    side_of,
)

pytestmark = pytest.mark.filterwarnings("ignore:Precision loss")  # of one group without spread

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "examples" / "two-arms.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
HIGHEST = 6
OF = ("values", "change", "responders", "at_least", "at_most")
Pairs = list[tuple[int, int]]


def taken(pairs: Pairs, of: str) -> list[int]:
    """What a test takes of a group of pairs, threshold 2, improvement by falling."""
    return [
        {
            "values": later,
            "change": later - first,
            "responders": int(later - first <= -2),
            "at_least": int(later >= 2),
            "at_most": int(later <= 2),
        }[of]
        for first, later in pairs
    ]


def honest_p(test: str, one: list[int], other: list[int]) -> float:
    """The p in the plain way; of data without any spread what its limit is."""
    if test in ("student", "welch"):
        if len(set(one)) == len(set(other)) == 1:
            return float(one[0] == other[0])
        return float(stats.ttest_ind(one, other, equal_var=test == "student").pvalue)
    table = np.array([[sum(side), len(side) - sum(side)] for side in (one, other)])
    if test == "fisher":
        return float(stats.fisher_exact(table).pvalue)
    if (table.sum(axis=0) == 0).any():
        return 1.0
    return float(stats.chi2_contingency(table, correction=test.endswith("yates")).pvalue)


def possible(of: str) -> list[str]:
    return [test for test, (means, _) in TESTS.items() if means or of not in ("values", "change")]


def described(groups: dict[str, Pairs], p: str, decimals: int, of: str, test: str) -> Study:
    lines = ["timepoints: [a, b]", "groups:"]
    for name, pairs in groups.items():
        first, later = (list(side) for side in zip(*pairs, strict=True))
        change = [y - x for x, y in pairs]
        own: dict[str, Any] = {"responders": {2: str(sum(taken(pairs, "responders")))}}
        for before, numbers in (("", later), ("change_", change)):
            own[f"{before}mean"] = f"{np.mean(numbers):.{decimals}f}"
            own[f"{before}sd"] = f"{np.std(numbers, ddof=1):.{decimals}f}"
        lines += [
            f"  {name}:",
            f"    patients: {len(pairs)}",
            "    measures:",
            "      score:",
            f"        scale: {{minimum: 0, maximum: {HIGHEST}}}",
            f"        n: {{a: {len(pairs)}, b: {len(pairs)}}}",
            "        improvement: fall",
            f"        figures: {{a: {{mean: '{np.mean(first):.{decimals}f}'}}, b: {own}}}",
        ]
    threshold = "" if of in ("values", "change") else ", threshold: 2"
    lines.append(
        f"comparisons: {{c: {{measures: [one.score, other.score], at: b, of: {of}, test: {test}, "
        f"p: '{p}'{threshold}}}}}"
    )
    return parse_study("\n".join(lines).replace("'-0.0'", "'0.0'").replace("'-0'", "'0'"))


def tidy(groups: dict[str, Pairs]) -> pd.DataFrame:
    rows = [
        (name, f"{name}-{k}", "score", at, value)
        for name, pairs in groups.items()
        for k, pair in enumerate(pairs)
        for at, value in zip("ab", pair, strict=True)
    ]
    return pd.DataFrame(rows, columns=["group", "patient", "measure", "timepoint", "value"])


PAIRS = st.lists(st.tuples(*[st.integers(0, HIGHEST)] * 2), min_size=2, max_size=7)


@given(PAIRS, PAIRS, st.sampled_from(OF), st.integers(0, 4), st.data())
def test_honest_comparisons_are_never_refused(
    one: Pairs, other: Pairs, of: str, decimals: int, data: st.DataObject
) -> None:
    test = data.draw(st.sampled_from(possible(of)))
    groups = {"one": one, "other": other}
    p = honest_p(test, taken(one, of), taken(other, of))
    study = described(groups, f"{p:.{decimals}f}", min(decimals, 2), of, test)
    (comparison,) = study.comparisons
    assert refute_comparison(study, comparison) is None
    # The engine's own p is the plain one, and the independent checker sees the printed one.
    sides = [
        side_of(study.measure(f"{name}.score"), comparison, np.array([pairs], float))
        for name, pairs in groups.items()
    ]
    assert p_of(comparison, *sides) == pytest.approx([p], abs=1e-9)
    report = check_study(study.description, tidy(groups)).set_index("id")
    assert report.loc["c", "agrees"]
    assert set(report.index[~report["agrees"].astype(bool)]) == set()


@pytest.mark.parametrize("of", OF)
def test_the_range_of_p_holds_all_data_with_the_figures(of: str) -> None:
    one, other = [(2, 0), (3, 3), (1, 2)], [(1, 1), (0, 2)]
    for test in possible(of):
        study = described({"one": one, "other": other}, "<0.9", 0, of, test)
        (comparison,) = study.comparisons
        low, high = p_ranges(study, comparison)
        allowed = {}
        for name, n in (("one", 3), ("other", 2)):
            block = study.measure(f"{name}.score").block
            every = itertools.product(itertools.product(range(4), repeat=2), repeat=n)
            figures = {figure.id: figure.interval(block.rule) for figure in block.figures}
            keep = []
            for pairs in every:
                later, change = [y for _, y in pairs], [y - x for x, y in pairs]
                values = {
                    f"{name}.score.a.mean": np.mean([x for x, _ in pairs]),
                    f"{name}.score.b.mean": np.mean(later),
                    f"{name}.score.b.sd": np.std(later, ddof=1),
                    f"{name}.score.b.change_mean": np.mean(change),
                    f"{name}.score.b.change_sd": np.std(change, ddof=1),
                    f"{name}.score.b.responders.2": sum(taken(list(pairs), "responders")),
                }
                if all(figures[key].meets(value, value) for key, value in values.items()):
                    keep.append(tuple(sorted(taken(list(pairs), of))))
            allowed[name] = set(keep)
        found = [
            honest_p(test, list(a), list(b))
            for a, b in itertools.product(allowed["one"], allowed["other"])
        ]
        assert len(found) > 0
        for p in found:
            assert ((low <= p + 1e-9) & (p - 1e-9 <= high)).any(), (test, p)


def test_figures_that_leave_too_many_sums_leave_every_p() -> None:
    group = "{patients: 30, measures: {x: {scale: {minimum: 0, maximum: 100, step: 0.001},"
    group += " n: {a: 30}, figures: {a: {minimum: '1.0'}}}}}"
    compared = "{c: {measures: [one.x, other.x], at: a, test: welch, p: '0.5'}}"
    text = f"timepoints: [a]\ngroups: {{one: {group}, other: {group}}}\ncomparisons: {compared}"
    study = parse_study(text)
    low, high = p_ranges(study, study.comparisons[0])
    assert low.min() == 0
    assert high.max() == 1
    assert refute_comparison(study, study.comparisons[0]) is None


@pytest.fixture(scope="module")
def example() -> Study:
    return load_study(EXAMPLE)


def test_drawn_data_print_all_figures_and_every_comparison(example: Study) -> None:
    table = reconstruct_study(example, 12, seed=2)
    report = check_study(example.description, table)
    assert failures(report).empty
    assert {"start", "change", "responders", "control.patients"} <= set(report["id"])
    assert len(report) == 12 * 25
    assert list(table.columns[:3]) == ["cohort", "group", "patient"]
    assert table.groupby(["cohort", "group"])["patient"].nunique().tolist() == [15, 16] * 12
    assert table.groupby("cohort")["patient"].nunique().eq(31).all()
    pd.testing.assert_frame_equal(table, reconstruct_study(example, 12, seed=2))
    # Without the comparison it is a matter of chance.
    free = reconstruct_study(example, 40, without=["change"])
    assert 0 < failures(check_study(example.description, free))["id"].eq("change").sum() < 40


def test_a_comparison_is_predicted_from_the_figures_of_both_groups(example: Study) -> None:
    found = predict_figure(example, "change", draws=100)
    low, high = p_ranges(example, next(c for c in example.comparisons if c.id == "change"))
    assert low.min() <= found["low"] <= found["high"] <= high.max()
    # The other group's count and Fisher's p leave one number of responders only.
    (comparison,) = (c for c in example.comparisons if c.id == "responders")
    fitting = [
        count
        for count in range(15)
        if printed_as(example, comparison).meets(*[honest_p("fisher", *_tables(count, 2, 14))] * 2)
        and count > 2
    ]
    assert fitting == [8]
    found = predict_figure(example, "exercise.grip.week12.responders.3", draws=40)
    assert (found["low"], found["high"], found["share"]) == (8, 8, 1)


def _tables(one: int, other: int, n: int) -> tuple[list[int], list[int]]:
    return [1] * one + [0] * (n - one), [1] * other + [0] * (n - other)


def test_a_p_that_the_figures_do_not_leave_is_a_contradiction(example: Study) -> None:
    text = TEXT.replace(
        'of: change, test: student, p: "0.04"', 'of: change, test: student, p: "0.4"'
    )
    with pytest.raises(ContradictionError) as caught:
        reconstruct_study(parse_study(text), 1)
    sides = ("exercise", "control")
    needed = [f"{side}.grip.week12.change_{of}" for side in sides for of in ("mean", "sd")]
    assert set(caught.value.figures) == {"change", *needed}
    for name in caught.value.figures:
        rest = parse_study(text).without([name])
        assert all(refute_comparison(rest, each) is None for each in rest.comparisons)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("test: fisher", "test: fischer", "comparisons.responders.test: found 'fischer'"),
        ("test: fisher", "test: fischer", "did you mean fisher?"),
        ("of: change, test: student", "of: change, test: fisher", "allowed: student, welch"),
        ("at: start, test", "at: strat, test", "(did you mean start?)"),
        ("at: week12, of: change", "at: start, of: change", "found 'start', allowed: week12"),
        ("threshold: 3", "threshold: -3", "a change above 0, without a sign"),
        ("    threshold: 3\n", "", "the key threshold beside responders"),
        ('p: "0.34"', 'p: "3.4"', "a p value from 0 to 1"),
        ('p: "0.34"', "p: 0.34", 'did you mean "0.34"?'),
        ("[exercise.grip, control.grip], at: start", "[exercise.grip], at: start", "a list of 2"),
        (
            "[exercise.grip, control.grip], at: start",
            "[exercise.grip, control.girp], at: start",
            "allowed: exercise.grip, control.grip (did you mean control.grip?)",
        ),
        (
            "[exercise.grip, control.grip], at: start",
            "[control.grip, control.grip], at: start",
            "measures of two groups",
        ),
        ("    patients: 15\n", "", "groups.control: found no key 'patients'"),
        ("timepoints:", "patients: 31\ntimepoints:", "each group has its own"),
    ],
)
def test_what_is_wrong_with_groups_is_said_where_it_stands(old: str, new: str, words: str) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(StudyError) as caught:
        parse_study(TEXT.replace(old, new))
    (problem,) = caught.value.problems
    assert words in problem


def test_comparisons_need_groups_and_responders_a_direction() -> None:
    alone = "patients: 3\ntimepoints: [a]\nmeasures: {}\ncomparisons: {}"
    with pytest.raises(StudyError, match="comparisons are of measures of two groups"):
        parse_study(alone)
    cut = ("        improvement: rise\n", ', responders: {3: "8"}', ', responders: {3: "2"}')
    text = TEXT
    for part in cut:
        text = text.replace(part, "")
    with pytest.raises(StudyError, match="improvement"):
        parse_study(text)


def test_the_commands_know_groups(tmp_path: Path) -> None:
    out, wrong = tmp_path / "x.csv", tmp_path / "wrong.yaml"
    run = CliRunner().invoke
    assert (
        run(main, ["reconstruct", str(EXAMPLE), "--cohorts", "2", "--out", str(out)]).exit_code == 0
    )
    found = run(main, ["check", str(out), str(EXAMPLE)])
    assert found.stdout == "50 of 50 figures agree in 2 data sets\n"
    wrong.write_text(TEXT.replace('test: student, p: "0.34"', 'test: student, p: "0.9"'))
    found = run(main, ["check", str(out), str(wrong)])
    assert found.exit_code == 1
    assert "2 of 50 figures differ" in found.stderr
    found = run(main, ["reconstruct", str(wrong), "--out", str(out)])
    assert found.exit_code == 2
    assert "no data print start, exercise.grip.start.mean" in found.stderr
    assert "  start: 0.9\n" in found.stderr
    found = run(main, ["predict", "change", str(EXAMPLE), "--draws", "20"])
    assert "printed 0.04" in found.stdout
    assert "bounds: from 0.02264 to 0.03946\n" in found.stdout
    data = pd.read_csv(out, comment="#").replace({"group": {"control": "contorl"}})
    data.to_csv(out, index=False)
    found = run(main, ["check", str(out), str(EXAMPLE), "--json"])
    assert "no such group" in found.stdout
