"""A user's own cohort: every notebook runs on it, by the same functions, to the same numbers."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from ivig_dcssc import cohort_words, skin_results
from ivig_dcssc.article import open_ledger
from ivig_dcssc.own_cohort import CONTRADICTIONS, example, included
from ivig_dcssc.project import project_root
from ivig_dcssc.reproduced import Choices, CohortResults, open_cohort
from ivig_dcssc.shipped import TEACHING, TEACHING_COHORT, cohorts_folder
from rederive.printed.registry import load_registry
from rederive.retrospective import (
    Codebook,
    Cohort,
    CohortError,
    contradictions,
    read_cohort,
    write_cohort,
)

ROOT = project_root()
FOLDER = cohorts_folder(ROOT)
REGISTRY = load_registry(ROOT / "data" / "published")
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
NOTHING = re.compile(r"\bnan\b|\bNone\b(?! of)|\{\w*\}|  |\(\)")


def from_ensemble() -> Cohort:
    """The teaching cohort as the ensemble holds it."""
    prior, number = TEACHING_COHORT
    patients, visits = (
        pd.read_parquet(FOLDER / prior / f"{name}.parquet", filters=[("cohort", "==", number)])
        for name in ("patients", "visits")
    )
    kept = patients.drop(columns=["cohort", "chain"])
    return Cohort(kept, visits.drop(columns="cohort").astype({"patient": str, "measure": str}))


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


def run(name: str, **parameters: object) -> tuple[list[str], list[str]]:
    """Run the code cells of a notebook in this process; return its prose and its HTML."""
    content = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    space: dict[str, Any] = {}
    prose, html = [], []
    for cell in content["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), space)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), name, "eval"), space)
            if getattr(shown, "_repr_html_", lambda: None)():
                html.append(shown._repr_html_())
            elif hasattr(shown, "data"):
                prose.append(shown.data)
        if "parameters" in cell["metadata"].get("tags", []):
            space.update({key: value for key, value in parameters.items() if key in space})
    plt.close("all")
    return prose, html


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_runs_on_it(name: str, exported: Path) -> None:
    prose, html = run(name, cohort_folder=str(exported))
    assert prose and html
    for text in prose:
        assert text.strip() and not NOTHING.search(text), text
    planned = [row for row in REGISTRY.plan if REGISTRY.plan[row].notebook == name]
    shown = re.findall(r'<tr id="([^"]+)"', "".join(html))
    assert sorted(shown) == sorted(planned)
    assert "were made to print it" not in "".join(html)


LEFTOVERS = re.compile(r"synthetic|made to print|econstruct|calibrated|ensemble|Gaussian|bimodal")
"""What is said of reconstructed cohorts alone."""

QUICK = sorted({*NOTEBOOKS} - {"discussion", "introduction", "results_controls"})


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-two patients with other scores, without some columns and measures."""
    rng = np.random.default_rng(3)
    whole = from_ensemble()
    patients = whole.patients.iloc[:22].copy()
    visits = whole.visits[whole.visits["patient"].isin(patients["patient"])].copy()
    scores = visits["measure"] == "mrss"
    moved = visits.loc[scores, "value"] + rng.integers(-3, 4, int(scores.sum()))
    visits.loc[scores, "value"] = moved.clip(0, 51)
    gone = ["rnp", "first_line", "race", "prior_gold", "concomitant_imatinib", "ae_tia"]
    visits = visits[~visits["measure"].isin(["rvsp", "severity_renal", "patient_rating"])]
    folder = tmp_path_factory.mktemp("cohort") / "another"
    write_cohort(Cohort(patients.drop(columns=gone), visits), folder)
    return folder


@pytest.fixture(scope="module")
def least(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight patients with skin scores and the columns that are required."""
    whole = from_ensemble()
    patients = whole.patients.iloc[:8][["patient", "age", "disease_duration", "female"]]
    visits = whole.visits[whole.visits["patient"].isin(patients["patient"])]
    folder = tmp_path_factory.mktemp("cohort") / "least"
    write_cohort(Cohort(patients, visits[visits["measure"] == "mrss"]), folder)
    return folder


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All texts of the figures that are closed in a test."""
    texts: list[str] = []
    close = plt.close

    def collect(which: object = None) -> None:
        for number in plt.get_fignums():
            found = plt.figure(number).findobj(Text)
            texts.extend(each.get_text() for each in found)
        close(which)  # type: ignore[arg-type]

    monkeypatch.setattr(plt, "close", collect)
    return texts


def without_registry(html: str) -> str:
    """HTML without the table of parameters, which names all of them."""
    return re.sub(
        r"<tr><th scope=.row.>(prior|cohorts|cohort_seed|cohort_folder)<.*?</tr>", "", html
    )


@pytest.mark.parametrize("name", QUICK)
def test_nothing_is_said_of_reconstructed_cohorts(
    name: str, another: Path, drawn: list[str]
) -> None:
    prose, html = run(name, cohort_folder=str(another))
    for text in (*prose, *map(without_registry, html), *drawn):
        assert not LEFTOVERS.search(text), LEFTOVERS.search(text)
    for text in prose:
        assert not NOTHING.search(text), text


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::FutureWarning")
@pytest.mark.parametrize("name", QUICK)
def test_a_cohort_with_the_least_data_runs_under_the_narrowest_windows(
    name: str, least: Path
) -> None:
    extreme = dict.fromkeys(
        ["baseline_window", "followup_tolerance", "organ_baseline_window"], 0
    ) | {"organ_followup_tolerance": 0, "responder_threshold": 51, "alpha": 0.5}
    prose, html = run(name, cohort_folder=str(least), **extreme)
    assert prose and html
    assert not any(NOTHING.search(text) for text in prose)


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::FutureWarning")
@pytest.mark.parametrize("name", QUICK)
def test_other_months_and_more_cycles_run(name: str) -> None:
    values = {"followup_targets": "3, 9, 15, 21", "minimum_cycles": 6, "cohorts": 1}
    prose, html = run(name, **values, visit_rule="last", paired_test="signed_rank")
    assert prose and html
    assert not any(NOTHING.search(text) for text in prose)


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


def test_an_empty_column_prints_nothing(least: Path) -> None:
    """Eight patients with four columns have no zero to agree with the article's zeros."""
    ledger = open_ledger(cohort_folder=str(least))
    found = cohort_words.agreements(ledger, "table1", "results_baseline")
    each = {one.row.id: one for one in found}
    for name in ("renal-crisis", "anticentromere"):
        one = each[f"table1-{name}-ivig-baseline-count"]
        assert not one.computed and not one.prints.any()
    assert each["table1-mrss-ivig-baseline-mean"].computed
    known = sum(one.computed for one in found)
    assert known < len(found) / 2
    assert f"of the {known} figures" in cohort_words.agreement_in_words(ledger, found, "it")[-1]
    empty = [one for one in found if not one.computed]
    words = cohort_words.agreement_in_words(ledger, empty, "it")[-1]
    assert words == f"None of the {len(empty)} figures of it can be computed from it."


def test_own_numbers_stand_beside_responders_and_p(least: Path) -> None:
    ledger = open_ledger(cohort_folder=str(least))
    found = skin_results.responder_predictions(ledger)
    for each in found:
        record = each.as_record()
        assert list(record) == ["Month", "Published", "This cohort"]
        assert str(record["This cohort"]).endswith(f" of {each.own_n}")
    sizes = {
        at: skin_results.own_size(ledger, f"results-mrss-ivig-{at}-p") for at in ("m18", "m24")
    }
    words = " ".join(skin_results.paired_in_words(ledger))
    for size in sizes.values():
        assert f"n = {size})" in words
    assert ("next to nothing" in words) == any(1 < n < skin_results.FEW for n in sizes.values())


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
    assert contradictions(whole, CONTRADICTIONS) == []
    patients = whole.patients.astype({"stop_reason": object})
    for name, value in values.items():
        patients.loc[0, name] = value
    name = patients.loc[0, "patient"]
    _, notes = included(Cohort(patients, whole.visits))
    (warning,) = [note for note in notes if note.startswith("Warning: ")]
    assert expected in warning and warning.endswith(f": {name}.")


def test_the_example_has_no_contradictions() -> None:
    codebook = Codebook.load(FOLDER / "codebook.csv")
    assert contradictions(example(codebook), CONTRADICTIONS) == []
