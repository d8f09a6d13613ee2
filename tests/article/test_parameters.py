"""The parameters: defaults are the printed figures, and nothing unfit gets through."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import papermill
import pytest

from ivig_dcssc.article import open_ledger
from ivig_dcssc.cohort import priors, windows
from ivig_dcssc.methods import follow_up_targets
from ivig_dcssc.parameters import PARAMETERS, PRIORS
from rederive.book.parameters import Parameter, ParameterError, ParameterSet, check_injected
from rederive.printed.registry import load_registry
from rederive.recompute.signed_rank import CONVENTIONS

REGISTRY = load_registry(Path(__file__).resolve().parents[2] / "data" / "published")


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
    assert follow_up_targets(REGISTRY) == [6, 12, 18, 24]


def test_priors_are_those_that_cohorts_are_drawn_from() -> None:
    assert set(PRIORS) == set(priors.PRIORS)
    assert PARAMETERS["prior"].default not in PRIORS


def test_cohorts_are_made_for_the_default_windows_of_organs() -> None:
    assert PARAMETERS["organ_baseline_window"].default == windows.ORGAN_BASELINE
    assert PARAMETERS["organ_followup_tolerance"].default == windows.ORGAN_TOLERANCE


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
    ("given", "words"),
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
    ],
)
def test_unfit_values_are_refused_with_the_range(given: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ParameterError) as caught:
        PARAMETERS.check(given)
    assert all(word in str(caught.value) for word in words)
    assert caught.value.exit_status == 2


def test_fitting_values_take_the_parameters_type() -> None:
    values = PARAMETERS.check({"alpha": 0.01, "baseline_window": 2.0})
    assert values["alpha"] == 0.01
    assert values["baseline_window"] == 2 and isinstance(values["baseline_window"], int)
    assert dict(PARAMETERS.changed(values)) == {"alpha": 0.01, "baseline_window": 2}


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


def test_parameters_reach_the_results() -> None:
    student = open_ledger().row("results-myositis-mmf-baseline-p")
    welch = open_ledger(two_sample_test="welch").row("results-myositis-mmf-baseline-p")
    assert student.verdict == "same"
    assert welch.verdict == "needs an unstated choice"
