"""The parameters: defaults are the printed figures, and nothing unfit gets through."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import papermill
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivig_dcssc.analysis import Choices, CohortResults, load_ensembles, open_cohort
from ivig_dcssc.analysis.tables import include
from ivig_dcssc.article import open_ledger
from ivig_dcssc.generator import skin
from ivig_dcssc.generator.visits.dates import visit_windows
from ivig_dcssc.parameters import MECHANISMS, PARAMETERS, PRIORS, READINGS, months_in
from rederive.parameters import Parameter, ParameterError, ParameterSet, check_injected
from rederive.parameters.notebooks import notebook_parameters, takers
from rederive.printed.errors import ConfigurationError
from rederive.printed.registry import load_registry
from rederive.recompute.planned.task import SIZES
from rederive.recompute.signed_rank import CONVENTIONS
from rederive.retrospective import Cohort, measured
from rederive.retrospective.windows import RULES

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = load_registry(ROOT / "data" / "published")


@pytest.mark.parametrize(
    ("name", "row_id"),
    [
        ("alpha", "methods-alpha-alpha"),
        ("baseline_window", "methods-window-baseline-threshold"),
        ("followup_tolerance", "methods-window-followup-threshold"),
        ("responder_threshold", "methods-responder-threshold-threshold"),
    ],
)
def test_defaults_are_what_the_article_prints(name: str, row_id: str) -> None:
    assert math.isclose(
        float(PARAMETERS[name].default), float(REGISTRY.numbers[row_id].printed.value)
    )


def test_follow_up_targets_come_from_the_registry() -> None:
    months = months_in(str(PARAMETERS["followup_targets"].default))
    ids = [f"methods-window-followup-m{month}-month" for month in months]
    assert months == tuple(int(REGISTRY.numbers[each].printed.value) for each in ids)


def test_least_number_of_cycles_is_the_article_s() -> None:
    printed = REGISTRY.numbers["methods-cycles-required-ivig-threshold"].printed.value
    assert PARAMETERS["minimum_cycles"].default == printed


def test_readings_are_those_of_the_cohorts() -> None:
    assert PARAMETERS["reading"].choices == ("both", *skin.READINGS)


def test_choices_are_those_of_the_methods() -> None:
    names = tuple(convention.name for convention in CONVENTIONS)
    assert PARAMETERS["signed_rank_convention"].choices == names
    assert PARAMETERS["visit_rule"].choices == RULES
    assert PARAMETERS["comparator_n"].choices == SIZES


def test_every_parameter_says_what_it_changes_and_every_section_takes_it() -> None:
    assert set(takers(ROOT / "notebooks")) <= set(PARAMETERS.names)
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert set(notebook_parameters(path, PARAMETERS.names)) == set(PARAMETERS.names), path
    assert all(each.meaning.endswith(".") for each in PARAMETERS)


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")))
def test_defaults_of_the_notebooks_are_the_article_s(name: str) -> None:
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    source = next(
        "".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])
    )
    space: dict[str, Any] = {}
    exec(source, space)
    assigned = PARAMETERS.among(space)
    assert assigned == {key: PARAMETERS.defaults[key] for key in assigned}
    assert len(assigned) == len(source.splitlines())


def test_priors_are_those_that_cohorts_are_drawn_from() -> None:
    assert list(PRIORS) == [prior.name for prior in skin.COMPARED]
    assert [*PRIORS, *MECHANISMS] == list(skin.PRIORS)
    assert PARAMETERS["prior"].default not in PRIORS


def test_cohorts_are_made_for_the_default_windows_of_organs() -> None:
    windows = visit_windows(REGISTRY)
    assert PARAMETERS["organ_baseline_window"].default == windows.organ_baseline
    assert PARAMETERS["organ_followup_tolerance"].default == windows.organ_tolerance


def test_the_default_signed_rank_test_is_that_of_the_article_s_software() -> None:
    name = PARAMETERS["signed_rank_convention"].default
    assert "Stata" in str(name)
    values = PARAMETERS.check({"signed_rank_convention": CONVENTIONS[3].name, "cohort_folder": "x"})
    assert values["signed_rank_convention"] == CONVENTIONS[3].name
    assert values["cohort_folder"] == "x"


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(ParameterError, match="did you mean 'alpha'"):
        PARAMETERS.check({"alhpa": 0.05})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"alpha": 2}, ["alpha", "found 2", "0.0001 to 0.5"]),
        ({"alpha": "0.05"}, ["alpha", "found '0.05'"]),
        ({"alpha": float("nan")}, ["alpha", "nan"]),
        ({"alpha": True}, ["alpha", "True"]),
        ({"baseline_window": 2.5}, ["baseline_window", "whole number from 0 to 12 months"]),
        ({"two_sample_test": "welsh"}, ["student or welch", "did you mean 'welch'"]),
        ({"rounding_rule": None}, ["rounding_rule", "None"]),
        ({"alpha": 9, "windo": 1}, ["alpha", "windo", "baseline_window"]),
        ({"visit_rule": "nearest"}, ["visit_rule", "closest or first or last"]),
        ({"organ_baseline_window": 25}, ["organ_baseline_window", "0 to 24 months"]),
        ({"organ_followup_tolerance": -1}, ["organ_followup_tolerance", "0 to 6 months"]),
        ({"paired_test": "t"}, ["paired_test", "paired_t or signed_rank"]),
        ({"signed_rank_convention": "exact"}, ["signed_rank_convention", CONVENTIONS[4].name]),
        ({"prior": "gausian"}, ["prior", "did you mean 'gaussian'"]),
        ({"cohort_folder": 1}, ["cohort_folder", "any text"]),
        ({"followup_targets": "6, 12, 18"}, ["followup_targets", "4 rising whole months from 1"]),
        ({"followup_targets": "6, 6, 12, 18"}, ["followup_targets", "rising"]),
        ({"followup_targets": "0, 6, 12, 18"}, ["followup_targets"]),
        ({"followup_targets": "6, 12, 18, 61"}, ["followup_targets", "to 60"]),
        ({"followup_targets": "6, 12, 18, 24.5"}, ["followup_targets", "whole"]),
        ({"followup_targets": 6}, ["followup_targets", "found 6"]),
        ({"minimum_cycles": -1}, ["minimum_cycles", "0 to 24 cycles"]),
        ({"reading": "-8,0"}, ["reading", "both or -8 or -8.0", "did you mean '-8.0'"]),
        ({"cohorts": 0}, ["cohorts", "1 to 200"]),
        ({"cohort_seed": 1.5}, ["cohort_seed", "whole number"]),
        ({"comparator_n": "state"}, ["comparator_n", "did you mean 'stated'"]),
        (
            {"prior": "flat", "cohorts": 3, "cohort_folder": "mine"},
            ["prior, cohorts, cohort_folder", "cohort of your own"],
        ),
        (
            {"followup_targets": "2, 6, 12, 18"},
            ["followup_tolerance", "month 2 ± 2", "month 3 or later", "at most 1"],
        ),
    ],
)
def test_unfit_values_are_refused_with_the_range(values: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ParameterError) as caught:
        PARAMETERS.check(values)
    assert all(word in str(caught.value) for word in words)
    assert caught.value.exit_status == 2


def test_fitting_values_take_the_parameters_type() -> None:
    values = PARAMETERS.check({"alpha": 0.01, "baseline_window": 2.0})
    assert values["alpha"] == 0.01
    assert values["baseline_window"] == 2 and isinstance(values["baseline_window"], int)
    assert dict(PARAMETERS.changed(values)) == {"alpha": 0.01, "baseline_window": 2}


def test_a_choice_that_reads_as_a_number_is_taken_as_one_or_the_other() -> None:
    for value, wanted in ((-8.0, "-8.0"), (-8, "-8"), ("-8.0", "-8.0")):
        assert PARAMETERS.check({"reading": value})["reading"] == wanted
    with pytest.raises(ParameterError, match="reading"):
        PARAMETERS.check({"reading": -7.5})


def test_a_message_repeats_a_number_as_it_was_given() -> None:
    with pytest.raises(ParameterError, match=r"found 800,"):
        PARAMETERS["responder_threshold"].parse("800")


def test_months_take_their_usual_spelling() -> None:
    values = PARAMETERS.check({"followup_targets": " 3,9 ,15,  21"})
    assert values["followup_targets"] == "3, 9, 15, 21"
    assert not PARAMETERS.changed(PARAMETERS.check({"followup_targets": "6,12,18,24"}))


@given(st.text(alphabet="0123456789, -.x", max_size=20))
def test_any_text_is_four_rising_months_or_refused(text: str) -> None:
    try:
        months = months_in(str(PARAMETERS["followup_targets"].check(text)))
    except ParameterError:
        return
    assert len(months) == 4
    assert 1 <= months[0] < months[1] < months[2] < months[3] <= 60


def test_legal_if_unusual_values_go_together() -> None:
    values = PARAMETERS.check(
        {"baseline_window": 0, "followup_tolerance": 0, "followup_targets": "1, 2, 3, 4"}
    )
    assert values["baseline_window"] == 0
    PARAMETERS.check({"cohort_folder": "mine", "minimum_cycles": 5})
    PARAMETERS.check({"followup_targets": "6, 9, 12, 15", "followup_tolerance": 3})


def test_rules_are_asked_only_when_every_value_fits() -> None:
    with pytest.raises(ParameterError) as caught:
        PARAMETERS.check({"prior": "flat", "cohort_folder": "mine", "alpha": 9})
    assert "no sense" not in str(caught.value)


def test_truth_values_and_free_text() -> None:
    flags = ParameterSet((Parameter("quiet", False, "say less"), Parameter("name", "x", "a name")))
    assert flags.check({"quiet": True, "name": "y"})["quiet"] is True
    with pytest.raises(ParameterError, match="True or False"):
        flags.check({"quiet": 1})


def test_a_notebook_refuses_a_bad_parameter_before_anything_else() -> None:
    with pytest.raises(ParameterError, match="two_sample_test"):
        open_ledger(two_sample_test="mann-whitney")


DEFAULTS = "alpha = 0.05  # level\ntwo_sample_test = 'student'"


def test_an_injected_name_that_the_notebook_does_not_have_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'alfa'.*did you mean 'alpha'"):
        check_injected(["", DEFAULTS, "# Parameters\nalfa = 0.01\n", "open()"])


def test_injected_names_that_the_notebook_has_pass() -> None:
    check_injected(["", DEFAULTS, "# Parameters\nalpha = 0.01\n", "open()"])
    check_injected(["", DEFAULTS, "x = 1"])
    check_injected([])


def test_papermill_stops_at_a_misspelt_parameter(tmp_path: Path) -> None:
    notebook = Path(__file__).resolve().parents[2] / "notebooks" / "methods.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match="did you mean 'alpha'"):
        papermill.execute_notebook(
            str(notebook),
            str(tmp_path / "out.ipynb"),
            parameters={"alfa": 0.01},
            cwd=str(notebook.parent),
            progress_bar=False,
        )


P_COLLAGEN = "results-mrss-change-collagen-m12-p"


def test_stated_sizes_are_not_solved_for() -> None:
    solved, stated = open_ledger(), open_ledger(comparator_n="stated")
    claims = [row.id for row in stated if row.method == "claim_two_sample_t_unstated_n"]
    assert claims
    assert any("comparator n" in reach.convention for reach in solved.outcome(P_COLLAGEN).reaches)
    for row_id in (P_COLLAGEN, *claims):
        conventions = [reach.convention for reach in stated.outcome(row_id).reaches]
        assert conventions and all("as at baseline" in each for each in conventions)


def test_a_reading_by_itself_is_the_only_one() -> None:
    spans = {}
    for reading in ("both", *READINGS):
        ledger = open_ledger(reading=reading, cohorts=1)
        reaches = [r for r in ledger.outcome(P_COLLAGEN).reaches if r.point is not None]
        spans[reading] = (min(r.low for r in reaches), max(r.high for r in reaches))
        texts = [r.convention for r in reaches]
        assert any("read as" in text for text in texts) == (reading == "both")
    assert spans["both"] == spans["-8"]
    assert spans["-8"][0] < spans["-8.0"][0] < spans["-8.0"][1] < spans["-8"][1]


def test_a_reading_keeps_the_cohorts_that_print_it() -> None:
    results = open_ledger(reading="-8.0", prior="flat").cohorts.results  # type: ignore[union-attr]
    change = results.number("abstract-mrss-change-ivig-m12-mean")
    assert 0 < len(change) < 200
    assert change.between(-8.05, -7.95).all()


def test_the_first_cohorts_of_each_prior_are_taken() -> None:
    few, all_of_them = load_ensembles(ROOT, number=3), load_ensembles(ROOT)
    assert few.priors.value_counts().to_dict() == dict.fromkeys(PRIORS, 3)
    first = all_of_them.patients[all_of_them.patients["cohort"].isin([1, 2, 3])]
    mine = few.patients[few.patients["cohort"].isin([1, 2, 3])]
    pd.testing.assert_frame_equal(mine.reset_index(drop=True), first.reset_index(drop=True))


def test_another_seed_is_looked_for_and_the_command_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_ledger(cohort_seed=7, prior="flat")
    assert caught.value.exit_status == 2
    assert (
        "rederive reconstruct --prior flat --seed 7 --cohorts 200 --out _build/cohorts/seed-7/flat"
        in str(caught.value)
    )


def test_another_seed_is_found_where_the_command_puts_it(tmp_path: Path) -> None:
    made = tmp_path / "_build" / "cohorts" / "seed-7" / "flat"
    made.mkdir(parents=True)
    for name in ("patients.parquet", "visits.parquet"):
        table = pd.read_parquet(ROOT / "data" / "cohorts" / "flat" / name)
        table[table["cohort"] < 2].to_parquet(made / name)
    found = load_ensembles(tmp_path, "flat", seed=7)
    assert len(found.priors) == 2


def test_too_many_cycles_leave_nobody_and_the_message_says_how_many_do() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_ledger(minimum_cycles=20, prior="flat")
    most = int(re.findall(r"at most (\d+)", str(caught.value))[0])
    assert "parameter minimum_cycles: found 20" in str(caught.value)
    assert "200 of 200 cohorts" in str(caught.value)
    tables = open_ledger(minimum_cycles=most, prior="flat").cohorts.results.tables  # type: ignore[union-attr]
    assert len(tables.cohorts) == 200
    assert (tables.number("cycles_first_6_months") >= most).all()
    left = tables.cohort.patients.groupby("cohort").size()
    assert (left < tables.screened.groupby("cohort").size()).all()


def test_unknown_cycles_count_as_enough() -> None:
    patients = pd.DataFrame({"cohort": 1, "patient": ["a", "b", "c"]})
    patients["cycles_first_6_months"] = [2, math.nan, 4]
    columns = ["cohort", "patient", "month", "measure", "value"]
    visits = pd.DataFrame([(1, name, 0, "mrss", 20.0) for name in "abc"], columns=columns)
    found = include(Cohort(patients, visits), 3)
    assert list(found.patients["patient"]) == list(found.visits["patient"]) == ["b", "c"]
    assert len(include(Cohort(patients, visits), 0).patients) == 3


def test_other_months_take_the_places_of_the_article_s() -> None:
    choices = Choices.of({"followup_targets": "3, 9, 15, 21", "cohorts": 2, "prior": "flat"})
    assert not choices.as_published
    tables = CohortResults(open_cohort(ROOT, choices), choices, REGISTRY).tables
    assert list(tables.measured("mrss")) == ["baseline", "m6", "m12", "m18", "m24"]
    assert list(tables.measured("tfr")) == ["baseline", "m6"]
    assert list(tables.measured("fvc")) == ["baseline", "m12"]
    patients = tables.cohort.patients

    def months(measure: str) -> pd.DataFrame:
        known = tables.visits(measure).dropna(subset="value")
        return known.assign(value=known["month"])

    used = measured(months("mrss"), "mrss", choices.windows("mrss"), patients)
    used = used.set_axis(tables.measured("mrss").columns, axis="columns")
    for name, month in zip(("m6", "m12", "m18", "m24"), (3, 9, 15, 21), strict=True):
        known = used[name].dropna()
        assert len(known)
        assert known.between(month - 2, month + 2).all()
    later = measured(months("fvc"), "fvc", choices.windows("fvc"), patients)["m9"]
    assert later.dropna().between(3, 15).all()


def test_which_cohorts_are_taken_does_not_change_what_they_print() -> None:
    same = {"prior": "flat", "cohorts": 5, "cohort_seed": 7, "reading": "-8.0", "alpha": 0.01}
    assert Choices.of(same).as_published
    for name, value in {"minimum_cycles": 4, "followup_tolerance": 1}.items():
        assert not Choices.of({name: value}).as_published


def test_parameters_reach_the_results() -> None:
    student = open_ledger().row("results-myositis-mmf-baseline-p")
    welch = open_ledger(two_sample_test="welch").row("results-myositis-mmf-baseline-p")
    assert student.verdict == "same"
    assert welch.verdict == "needs an unstated choice"
