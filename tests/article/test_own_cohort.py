"""A user's own cohort gives the same numbers by the same functions, and clear faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cohorts_of_ones_own import another as write_another
from cohorts_of_ones_own import from_ensemble
from cohorts_of_ones_own import least as write_least
from ivig_dcssc.analysis import Choices, CohortResults, open_cohort
from ivig_dcssc.article import open_ledger
from ivig_dcssc.own_cohort import NAMED, contradictions, included
from ivig_dcssc.project import COHORTS, project_root
from ivig_dcssc.shipped import TEACHING
from rederive.printed.registry import load_registry
from rederive.retrospective import Codebook, Cohort, CohortError, read_cohort, write_cohort

ROOT = project_root()
FOLDER = ROOT / COHORTS
REGISTRY = load_registry(ROOT / "data" / "published")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same cohort, written as a user would bring it."""
    folder = tmp_path_factory.mktemp("cohort") / "mine"
    write_cohort(from_ensemble(), folder)
    return folder


def test_a_folder_gives_the_numbers_that_the_ensemble_gives(exported: Path) -> None:
    choices = Choices.of({"cohort_folder": str(exported)})
    mine = CohortResults(open_cohort(ROOT, choices), choices, REGISTRY)
    theirs = CohortResults(from_ensemble(), Choices.of(), REGISTRY)
    compared = 0
    for row in REGISTRY:
        assert mine.covers(row.id) == theirs.covers(row.id)
        if not mine.covers(row.id):
            continue
        if row.id in REGISTRY.numbers:
            pair = [float(each.number(row.id).iloc[0]) for each in (mine, theirs)]
            np.testing.assert_allclose(*pair, rtol=1e-12, err_msg=row.id)
        else:
            pair = [bool(each.claim(row.id)["holds"].iloc[0]) for each in (mine, theirs)]
            assert pair[0] == pair[1], row.id
        compared += 1
    assert compared > 340


def test_the_shipped_folder_is_this_cohort(exported: Path) -> None:
    for name in ("patients.csv", "visits.csv"):
        shipped = (FOLDER / TEACHING / name).read_text().partition("\n")[2]
        assert shipped == (exported / name).read_text()


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_another(tmp_path_factory.mktemp("cohort") / "another")


@pytest.fixture(scope="module")
def least(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_least(tmp_path_factory.mktemp("cohort") / "least")


def test_a_relative_folder_is_looked_for_where_the_command_was_given(
    another: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(another.parent)
    found = open_cohort(ROOT, Choices.of({"cohort_folder": another.name}))
    assert len(found.patients) == 22
    teaching = (FOLDER / TEACHING).relative_to(ROOT).as_posix()
    assert len(open_cohort(ROOT, Choices.of({"cohort_folder": teaching})).patients) == 30


def test_what_is_not_recorded_is_not_counted_as_absent(least: Path) -> None:
    ledger = open_ledger(cohort_folder=str(least))
    for row_id in (
        "results-first-line-ivig-count",
        "table1-haq-di-ivig-baseline-mean",
        "results-severity-renal-ivig-m12-unchanged",
    ):
        row = ledger.row(row_id)
        assert (row.evidence, row.reproduced) == ("another study", "none"), row_id


def test_one_error_lists_every_offending_row(tmp_path: Path) -> None:
    write_cohort(from_ensemble(), tmp_path)
    path = tmp_path / "visits.csv"
    lines = path.read_text().splitlines()
    scores = [number for number, line in enumerate(lines) if ",mrss," in line]
    patient, month, measure, _ = lines[scores[0]].split(",")
    lines[scores[0]] = f"{patient},{month},{measure},60"
    patient, _, measure, value = lines[scores[1]].split(",")
    lines[scores[1]] = f"{patient},2011-05-03,{measure},{value}"
    patient, month, measure, _ = lines[scores[2]].split(",")
    lines[scores[2]] = f"{patient},{month},{measure},about 20"
    lines.append(lines[scores[3]])
    path.write_text("\n".join(lines) + "\n")
    people = tmp_path / "patients.csv"
    people.write_text(people.read_text().replace("disease_duration", "disease_durration", 1))
    with pytest.raises(CohortError) as caught:
        read_cohort(tmp_path, Codebook.load(FOLDER / "codebook.csv"))
    message = str(caught.value)
    for number, found in ((scores[0], "60"), (scores[1], "2011-05-03"), (scores[2], "about 20")):
        assert f"visits.csv, row {number + 1}" in message
        assert found in message
    assert f"row {len(lines)}" in message
    assert "disease_duration" in message


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"cycles": 3, "cycles_first_6_months": 6}, "More cycles"),
        ({"age": 40, "age_onset": 41.0}, "First symptoms"),
        ({"age": 40, "age_onset": None, "disease_duration": 500}, "before birth"),
        ({"death_month": 1, "stop_reason": "death"}, "after death"),
        ({"death_month": None, "stop_reason": "death"}, "without a month of death"),
        ({"death_month": 90, "stop_reason": "moved"}, "another or no reason"),
        ({"prior_gold": 1, "prior_other": 0}, "prior_other"),
        ({"prior_alefacept": 1, "prior_other": None}, "prior_other"),
        ({"kidney_injury_delay": 3, "ae_kidney_injury": 0}, "kidney injury"),
    ],
)
def test_columns_that_contradict_each_other_are_warned_of(
    values: dict[str, object], expected: str
) -> None:
    whole = from_ensemble()
    assert contradictions(whole) == []
    patients = whole.patients.astype({"stop_reason": object})
    for name, value in values.items():
        patients.loc[0, name] = value
    name = patients.loc[0, "patient"]
    _, notes = included(Cohort(patients, whole.visits))
    (warning,) = [note for note in notes if note.startswith("Warning: ")]
    assert expected in warning and warning.endswith(f": {name}.")


def test_only_some_of_many_patients_are_named_and_the_rest_counted() -> None:
    whole = from_ensemble()
    patients = whole.patients.assign(cycles=1.0, cycles_first_6_months=2.0)
    (words,) = contradictions(Cohort(patients, whole.visits))
    assert words.count(", ") == NAMED - 1
    assert words.endswith(f" and {len(patients) - NAMED} more.")


def test_a_record_without_a_value_is_none_after_death() -> None:
    whole = from_ensemble()
    last = whole.visits.loc[whole.visits["month"].idxmax()]
    patients = whole.patients.astype({"stop_reason": object})
    dead = patients["patient"] == last["patient"]
    patients.loc[dead, ["death_month", "stop_reason"]] = [last["month"] - 1, "death"]
    visits = whole.visits
    own = (visits["patient"] == last["patient"]) & (visits["month"] >= last["month"])
    assert any("after death" in each for each in contradictions(Cohort(patients, visits)))
    empty = visits.assign(value=visits["value"].mask(own))
    assert contradictions(Cohort(patients, empty)) == []
