"""The description of a study: what is read from it, and every problem at once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from rederive.printed import RoundingRule
from rederive.reconstruct.block import Statistic
from rederive.reconstruct.study import StudyError, load_study, parse_study

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "examples" / "grip-strength.yaml"

SMALL = """
patients: 6
timepoints: [0, 6]
measures:
  score:
    scale: {minimum: 0, maximum: 4}
    n: {0: 6, 6: 5}
    improvement: rise
    figures:
      0: {mean: "2.0", sd: "1.10"}
      6: {change_mean: "–0.4", paired_p: <.5, responders: {2: "1"}}
    priors:
      wide: {means: [2, 2], sds: [1, 1.5], correlation: 0.5}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        parse_study(text, "x.yaml")
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str) -> list[str]:
    assert SMALL.count(old) == 1
    return problems(SMALL.replace(old, new))


def test_the_example_is_read() -> None:
    study = load_study(EXAMPLE)
    grip, pain = study.measures
    assert grip.block.patients == 16
    assert grip.block.observed == (16, 16, 13)
    assert pain.block.timepoints == ("start", "week12")
    assert grip.block.scale.step == Fraction(1, 2)
    assert grip.block.rule is RoundingRule.HALF_UP
    assert str(grip.block.figure("grip.week12.paired_p").printed) == "0.003"
    assert [len(prior.components) for prior in grip.priors] == [1, 2]
    assert "invented" in study.title


def test_figures_keep_every_printed_digit_and_numbers_may_name_time_points() -> None:
    (measure,) = parse_study(SMALL).measures
    assert measure.block.timepoints == ("0", "6")
    assert str(measure.block.figure("score.0.mean").printed) == "2.0"
    assert str(measure.block.figure("score.0.sd").printed) == "1.10"
    assert str(measure.block.figure("score.6.change_mean").printed) == "-0.4"
    assert str(measure.block.figure("score.6.paired_p").printed) == "<.5"


def test_responders_of_a_measure_that_improves_by_rising_rise() -> None:
    (measure,) = parse_study(SMALL).measures
    figure = measure.block.figure("score.6.responders.2")
    assert figure.statistic is Statistic.RESPONDERS
    assert (figure.threshold, str(figure.printed), figure.rises) == (Fraction(2), "1", True)


def test_an_unquoted_figure_is_told_to_be_quoted() -> None:
    (problem,) = changed('mean: "2.0", ', "mean: 2.0, ")
    assert "x.yaml, line 10, measures.score.figures.0.mean" in problem
    assert "2.0 without quotes" in problem
    assert 'did you mean "2.0"?' in problem


def test_all_problems_are_reported_at_once_and_none_follows_from_another() -> None:
    text = SMALL.replace("patients: 6", "pateints: 6").replace("6: 5}", "7: 5}")
    text = text.replace("maximum: 4", "maximum: 1/2").replace('"2.0"', '"2,0"')
    text = text.replace("change_mean", "chnage_mean").replace("correlation: 0.5", "correlation: 2")
    found = problems(text)
    places = [problem.split(": ")[0].split(", ")[-1] for problem in found]
    assert places == [
        "pateints",
        "measures.score.scale",
        "measures.score.n.7",
        "measures.score.figures.0.mean",
        "measures.score.figures.6.chnage_mean",
        "measures.score.priors.wide.correlation",
    ]
    assert "did you mean patients?" in found[0]
    assert 'did you mean "2.0"?' in found[3]
    assert "did you mean change_mean?" in found[4]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("patients: 6", "patients: 0", "a whole number from 1"),
        ("[0, 6]", "[0, 6, 6]", "different time points"),
        ("[0, 6]", "6", "a list of time points"),
        ("6: 5}", "6: 7}", "from 1 to 6, the patients at 0"),
        ("maximum: 4", "maximum: four", "a number such as 51"),
        ("maximum: 4", "maximum: -4", "minimum 0 is above maximum -4"),
        ("maximum: 4", "maximum: 400000000", "patients times steps"),
        ("improvement: rise", "improvement: up", "fall, rise"),
        ("    improvement: rise\n", "", "which way is better"),
        ('sd: "1.10"', 'sd: "-1.10"', "an SD of 0 or more"),
        ('sd: "1.10"', 'sd: "110%"', "a figure as printed"),
        ('sd: "1.10"', 'change_sd: "1.10"', "later time points only: 6"),
        ("<.5", '"1.5"', "a p value from 0 to 1"),
        ('{2: "1"}', '{2: "6"}', "from 0 to 5"),
        ('{2: "1"}', '{-2: "1"}', "a change above 0"),
        ('responders: {2: "1"}', 'at_least: {-2: "6"}', "from 0 to 5, the patients at 6"),
        ('responders: {2: "1"}', 'at_most: "3"', "a mapping from a value to the count"),
        ('mean: "2.0"', 'q1: "1"', "found no key quartiles of the study, allowed: one of 'linear'"),
        ("paired_p: <.5", "signed_rank_p: <.5", "found no key signed_rank of the study"),
        ("patients: 6", "patients: 6\nquartiles: linaer", "did you mean linear?"),
        ("means: [2, 2]", "means: [2]", "a list of 2"),
        ("sds: [1, 1.5]", "sds: [1, 0]", "numbers above 0"),
        ("wide:", "flat:", "another name"),
        ("  score:", "  the score:", "letters, digits"),
        ("n: {0: 6, 6: 5}", "n: {0: 6, 6: 5, 6: 4}", "stands in line 7 already"),
    ],
)
def test_each_kind_of_problem_is_named(old: str, new: str, words: str) -> None:
    assert any(words in problem for problem in changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('mean: "2.0"', 'mean: "99.6"', "found 99.6, allowed: a value from 0 to 4, the scale"),
        ('mean: "2.0"', 'mean: "-0.1"', "a value from 0 to 4, the scale"),
        ('mean: "2.0"', 'median: "4.6"', "a value from 0 to 4, the scale"),
        ('mean: "2.0"', 'minimum: "5"', "a value from 0 to 4, the scale"),
        ('mean: "2.0"', 'maximum: ">4"', "a value from 0 to 4, the scale"),
        ('sd: "1.10"', 'sd: "2.20"', "an SD up to 2.191, the largest of 6 values from 0 to 4"),
        ('sd: "1.10"', 'se: "0.95"', "an SE up to 0.8944, the largest of 6 values from 0 to 4"),
        ('change_mean: "–0.4"', 'baseline_mean: "4.1"', "a value from 0 to 4, the scale"),
        ('change_mean: "–0.4"', 'baseline_sd: "2.25"', "an SD up to 2.236, the largest of 5"),
        ('change_mean: "–0.4"', 'change_mean: "–4.1"', "from -4 to 4, the range of changes"),
        ('change_mean: "–0.4"', 'change_sd: "4.6"', "an SD up to 4.472"),
    ],
)
def test_a_figure_beyond_the_scale_is_named(old: str, new: str, words: str) -> None:
    (problem,) = changed(old, new)
    assert words in problem


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('mean: "2.0"', 'mean: "4.0"'),
        ('mean: "2.0"', 'minimum: "<1"'),
        ('sd: "1.10"', 'sd: "2.19"'),
        ('sd: "1.10"', 'sd: "2.2"'),
        ('sd: "1.10"', 'sd: "<9"'),
        ('change_mean: "–0.4"', 'change_mean: "–4.0"'),
        ('change_mean: "–0.4"', 'change_sd: "4.47"'),
        ('change_mean: "–0.4"', 'change_ci_low: "–4.6"'),
        ('sd: "1.10"', 'ci_high: "4.2"'),
    ],
)
def test_what_rounds_to_a_possible_value_is_read(old: str, new: str) -> None:
    assert len(parse_study(SMALL.replace(old, new)).measures) == 1


def test_figures_beyond_the_scale_stand_among_the_other_mistakes() -> None:
    text = SMALL.replace('mean: "2.0"', 'mean: "99.6"').replace("correlation: 0.5", "corelation: 0")
    places = [problem.split(": ")[0].split(", ")[-1] for problem in problems(text)]
    assert places == [
        "measures.score.figures.0.mean",
        "measures.score.priors.wide.corelation",
    ]


def test_a_tab_is_called_by_its_name() -> None:
    (problem,) = problems(SMALL.replace("    unit", "\tunit").replace("    scale", "\tscale"))
    assert problem == "x.yaml, line 6: found a tab character, allowed: spaces"
    (other,) = problems("a: @b")
    assert "found found" not in other


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "a: [", "a: &x [*x]", "? [a]\n: b", "---\na\n---\nb"]
)
def test_texts_that_are_no_description(text: str) -> None:
    assert problems(text)


def test_a_file_that_is_missing_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"missing\.yaml, line 1"):
        load_study(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9")
    with pytest.raises(StudyError, match="UTF-8"):
        load_study(tmp_path / "latin.yaml")


def test_unknown_names_come_with_a_suggestion() -> None:
    study = load_study(EXAMPLE)
    with pytest.raises(ValueError, match=r"did you mean 'grip\.week6\.mean'"):
        study.figure("grip.week6.maen")
    with pytest.raises(ValueError, match="did you mean 'pain'"):
        study.measure("pian")
    with pytest.raises(ValueError, match="did you mean 'steady'"):
        study.check_prior("stedy")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('sd: "1.10"', 'ci: ["1", "3"]', "the two ends of a confidence interval of 95 %"),
        ("maximum: 4", "maximum: 4, step: -1", "found -1, allowed: a number above 0"),
        ("patients: 6", "patients: 006", "from 1 (did you mean 6?)"),
        ("6: 5}", "6: 05}", "the patients at 0 (did you mean 5?)"),
        ("maximum: 4", "maximum: 04", "or 1/8 (did you mean 4?)"),
        ('{2: "1"}', '{02: "1"}', "or 1/8 (did you mean 2?)"),
        ('{2: "1"}', '{2: "01"}', '(did you mean "1"?)'),
        ('mean: "2.0"', 'mean: "02.0"', '(did you mean "2.0"?)'),
    ],
)
def test_what_is_often_tried_is_refused_with_its_reason(old: str, new: str, words: str) -> None:
    (problem,) = changed(old, new)
    assert words in problem
    assert "mean mean" not in problem


def test_many_problems_are_cut_and_counted() -> None:
    figures = "\n".join(f"      x{k}: {{mean: 1}}" for k in range(60))
    with pytest.raises(StudyError) as caught:
        parse_study(SMALL.replace("    figures:\n", f"    figures:\n{figures}\n"))
    assert len(caught.value.problems) == 60
    assert str(caught.value).endswith("\nand 40 more")
