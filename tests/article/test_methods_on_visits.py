"""The article's rules on dated visits, held against loops over the records."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from ivig_dcssc import figures_methods, methods
from ivig_dcssc.project import project_root
from ivig_dcssc.reproduced import Choices
from rederive.printed.registry import Registry, load_registry
from rederive.retrospective import Cohort, Windows


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(project_root() / "data" / "published")


@pytest.fixture(scope="module")
def choices() -> Choices:
    return Choices.of()


@pytest.fixture(scope="module")
def cohort(choices: Choices) -> Cohort:
    return methods.one_cohort(choices)


def counts_for(months: list[int], windows: Windows) -> dict[int, str]:
    """The visits that count, patient by patient, by the rule as the article words it."""
    found = {}
    before = [month for month in months if -windows.baseline_window <= month <= 0]
    if before:
        found[max(before)] = "baseline"
    for target in windows.targets:
        near = [m for m in months if m > 0 and abs(m - target) <= windows.tolerance]
        if near:
            found[min(near, key=lambda m: (abs(m - target), m))] = f"month {target}"
    return found


def test_every_patients_records_count_as_worded(cohort: Cohort, choices: Choices) -> None:
    windows = choices.windows("mrss")
    visits = methods.records_of(cohort, "mrss")
    for patient, own in visits.groupby("patient", observed=True):
        expected = counts_for([int(month) for month in own["month"]], windows)
        for row in methods.visit_records(cohort, windows, str(patient)):
            assert row["Counts for"] == expected.get(int(str(row["Month"])), "no time point")


def test_the_telling_patient_has_records_that_do_not_count(
    cohort: Cohort, choices: Choices
) -> None:
    windows = choices.windows("mrss")
    patient = methods.telling_patient(cohort, windows)
    rows = methods.visit_records(cohort, windows, patient)
    assert {"no time point", "baseline"} <= {str(row["Counts for"]) for row in rows}


def test_windows_print_the_published_figures(
    cohort: Cohort, choices: Choices, registry: Registry
) -> None:
    scores = cohort.measured("mrss", choices.windows("mrss"))
    for row in methods.window_records(scores, registry, choices):
        assert row["Mean (SD)"] == row["Published mean (SD)"]
        assert str(row["Patients"]) == row["Published n"]
    changes = methods.change_records(scores, choices)
    assert [row["Responders"] for row in changes[:2]] == ["16 of 29", "15 of 25"]


def test_only_the_cohort_of_the_book_is_called_synthetic(choices: Choices) -> None:
    own = replace(choices, cohort_folder="my-cohort")
    assert methods.titled("Scores", choices) == "Scores (synthetic cohort)"
    assert methods.titled("Scores", own) == "Scores"
    assert "confirms nothing" in methods.calibrated_in_words(choices)
    assert "synthetic" not in methods.calibrated_in_words(own)


def made(months: list[int], cycles: list[float]) -> Cohort:
    """Patients with a skin score of 20 in the same months, and some cycles each."""
    names = [f"P{number}" for number in range(len(cycles))]
    patients = pd.DataFrame({"patient": names, "cycles_first_6_months": cycles})
    visits = pd.DataFrame(
        [(name, month, "mrss", 20.0) for name in names for month in months],
        columns=["patient", "month", "measure", "value"],
    )
    return Cohort(patients, visits)


def test_inclusion_tells_not_met_from_not_known(registry: Registry) -> None:
    cohort = made([0, 6], [3.0, 2.0, float("nan")])
    scores = cohort.measured("mrss", Windows())
    rows = methods.inclusion(cohort, scores, registry)
    assert [list(row.values())[1:] for row in rows] == [[1, 1, 1], [3, 0, 0], [3, 0, 0]]


@pytest.mark.parametrize(
    ("months", "tolerance", "expected"),
    [([5, 7], 2, 1), ([5, 7, 11, 13], 2, 2), ([5, 9], 2, 0), ([9], 3, 0), ([4, 9], 3, 1)],
)
def test_several_visits_in_one_window(months: list[int], tolerance: int, expected: int) -> None:
    cohort = made(months, [3.0])
    windows = Windows(tolerance=tolerance)
    assert methods.several_visits(cohort, windows, "mrss") == expected


def test_the_picture_has_a_mark_for_every_patient_and_window(
    cohort: Cohort, choices: Choices
) -> None:
    windows = choices.windows("mrss")
    months = cohort.months_used("mrss", windows)
    visits = methods.records_of(cohort, "mrss")
    figure = figures_methods.visits_in_windows(visits, months, windows)
    lines = figure.axes[0].get_lines()
    missing = sum(len(line.get_xdata()) for line in lines if line.get_marker() == "x")
    dots = [len(line.get_xdata()) for line in lines if line.get_marker() == "o"]
    plt.close(figure)
    assert missing == int(months.isna().sum().sum())
    assert dots == [len(visits), *(int(months[name].notna().sum()) for name in months)]


def test_unstated_choices_say_what_the_run_does(cohort: Cohort) -> None:
    article = methods.unstated_choices(cohort, Choices.of())
    last = methods.unstated_choices(cohort, Choices.of({"visit_rule": "last"}))
    assert "the closest one" in str(article[0]["In this run"])
    assert last[0]["In this run"] == "the last one"
    assert all(str(cell).strip() for row in article for cell in row.values())
