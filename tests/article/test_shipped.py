"""The shipped cohorts: they are checked by code that did not make them."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

import ivig_dcssc
from ivig_dcssc.analysis import Choices, CohortResults, load_ensembles
from ivig_dcssc.checker import Tables, check_cohort, incoherences
from ivig_dcssc.generator.ensemble import PATIENTS, VISITS
from ivig_dcssc.generator.skin import PRIORS
from ivig_dcssc.parameters import COHORT_SEED, COHORTS_MADE
from ivig_dcssc.project import COHORTS, project_root
from ivig_dcssc.shipped import TEACHING, TEACHING_COHORT
from rederive.printed import PrintedNumber
from rederive.printed.registry import load_registry
from rederive.reconstruct.checker import failures
from rederive.reconstruct.study.tables import read_notes
from rederive.retrospective import Codebook, read_cohort
from repetitions import spaced

ROOT = project_root()
FOLDER = ROOT / COHORTS
PUBLISHED = ROOT / "data" / "published"
Both = tuple[pd.DataFrame, pd.DataFrame]
CHECKED = range(0, COHORTS_MADE, spaced(50))
"""Cohorts of each ensemble that are checked."""


@pytest.fixture(scope="module")
def registry():
    return load_registry(PUBLISHED)


def tables(prior: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    patients = pd.read_parquet(FOLDER / prior / PATIENTS)
    visits = pd.read_parquet(FOLDER / prior / VISITS)
    return patients, visits.astype({"patient": str, "measure": str})


@pytest.mark.parametrize("prior", PRIORS)
def test_shipped_cohorts_print_every_figure(prior: str, registry) -> None:
    patients, visits = (dict(list(table.groupby("cohort"))) for table in tables(prior))
    assert list(patients) == list(range(COHORTS_MADE))
    for number in CHECKED:
        assert failures(check_cohort(Tables(patients[number], visits[number]), registry)).empty
        assert incoherences(Tables(patients[number], visits[number])) == []


def broken(patients: pd.DataFrame, visits: pd.DataFrame) -> Iterator[Both]:
    """The tables with something else in all columns and measures, then in each by itself.

    The latter is for what has not noticed the former.
    """
    one = patients["patient"].iloc[0]
    yield patients[patients["patient"] != one], visits[visits["patient"] != one]
    yield patients.assign(concomitant_rituximab=1), visits
    columns, measures = patients.columns.drop(["cohort", "chain", "patient"]), visits["measure"]
    for some in (columns, *columns):
        for worse in other_patients(patients, pd.Index([some]) if isinstance(some, str) else some):
            yield worse, visits
        if some is columns:
            yield from ((patients, worse) for worse in other_visits(visits, measures.notna(), one))
    for measure in measures.unique():
        yield from ((patients, worse) for worse in other_visits(visits, measures == measure, one))


def other_patients(patients: pd.DataFrame, columns: pd.Index) -> Iterator[pd.DataFrame]:
    """Other values in some columns, of one patient and then of all, for what one cannot break."""
    for number in (0, 1, 25):
        for rows in (patients.index[:1], patients.index):
            worse = patients.astype(dict.fromkeys(columns, object))
            for column in columns:
                text = "other" if number else patients[column].dropna().iloc[0]
                word = patients[column].dtype == object
                worse.loc[rows, column] = text if word else number
            yield worse.infer_objects()


def other_visits(visits: pd.DataFrame, which: pd.Series, one: str) -> Iterator[pd.DataFrame]:
    """Some visits at one time left out, or with other values of one patient and then of all."""
    for months in ((-12, 0), (1, 8), (9, 14), (15, 20), (21, 40)):
        here = which & visits["month"].between(*months)
        if not here.any():
            continue
        yield visits[~here]
        for moved in (visits["value"] + 1, visits["value"] * 2, 50 - visits["value"]):
            for rows in (here & (visits["patient"] == one), here):
                yield visits.assign(value=visits["value"].where(~rows, moved))


def test_every_kind_of_figure_is_refused_where_it_is_broken(registry) -> None:
    """Every row that is checked notices something, and each at its last printed digit."""
    patients, visits = (table[table["cohort"] == 3] for table in tables("gaussian"))
    report = check_cohort(Tables(patients, visits), registry)
    assert failures(report).empty
    silent = set(report["id"])
    for worse in broken(patients, visits):
        found = check_cohort(Tables(*worse), registry)
        silent -= set(found["id"][~found["agrees"].astype(bool)])
        if not silent:
            break
    assert silent == set()
    numbers = {
        name: dataclasses.replace(
            row, printed=dataclasses.replace(row.printed, text=str(next_figure(row.printed)))
        )
        for name, row in registry.numbers.items()
    }
    limits = ("methods-responder-threshold-threshold", "methods-alpha-alpha")
    numbers |= {name: registry.numbers[name] for name in limits}
    claims = {
        name: dataclasses.replace(row, expected=f"not {row.expected}")
        for name, row in registry.claims.items()
    }
    other = dataclasses.replace(registry, numbers=numbers, claims=claims)
    again = check_cohort(Tables(patients, visits), other).set_index("id")["agrees"]
    same = [name for name in again.index[again.astype(bool)] if name not in limits]
    assert [name for name in same if registry.numbers[name].printed.operator in "=±"] == []


def next_figure(printed: PrintedNumber) -> Decimal:
    return Decimal(printed.text) + Decimal(1).scaleb(-printed.decimals)


@pytest.mark.parametrize("prior", PRIORS)
def test_ensembles_say_what_they_are(prior: str) -> None:
    for name in (PATIENTS, VISITS):
        notes = read_notes(FOLDER / prior / name)
        assert notes["synthetic"] is True
        assert notes["prior"] == PRIORS[prior].describe()
        assert notes["without"] == []
        assert (notes["cohorts"], notes["seed"]) == (COHORTS_MADE, COHORT_SEED)
        assert {"reading", "versions", "registry"} <= set(notes)
    digest = hashlib.sha256()
    for name in ("numbers.csv", "claims.csv"):
        digest.update((PUBLISHED / name).read_bytes())
    assert notes["registry"] == digest.hexdigest(), "made from another registry: make cohorts"


@pytest.mark.parametrize("prior", PRIORS)
def test_chains_have_settled(prior: str) -> None:
    convergence = read_notes(FOLDER / prior / PATIENTS)["convergence"]
    assert len(convergence) >= 10
    for one in convergence:
        # Chains of a part are short, so R-hat is noisy; the effective sample size is what counts.
        assert one["r_hat"] < 1.1, one
        assert one["ess"] > 100, one


@pytest.mark.parametrize("prior", PRIORS)
def test_cohorts_differ(prior: str) -> None:
    patients, visits = tables(prior)
    skin = visits[visits["measure"] == "mrss"]
    columns = ["patient", "month", "value"]
    contents = {part[columns].to_csv() for _, part in skin.groupby("cohort")}
    assert len(contents) == COHORTS_MADE
    assert patients.groupby("cohort").size().eq(30).all()


def test_files_are_small() -> None:
    sizes = {path: path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()}
    assert max(sizes.values()) < 5_000_000, sizes


def test_the_teaching_cohort_is_one_of_the_ensemble_and_fits_the_codebook(registry) -> None:
    cohort = read_cohort(FOLDER / TEACHING, Codebook.load(FOLDER / "codebook.csv"))
    assert failures(check_cohort(Tables(cohort.patients, cohort.visits), registry)).empty
    prior, number = TEACHING_COHORT
    patients, visits = tables(prior)
    own = visits[visits["cohort"] == number]
    assert len(cohort.patients) == 30
    assert len(cohort.visits) == len(own)
    expected = patients.loc[patients["cohort"] == number, "age_onset"].tolist()
    assert cohort.patients["age_onset"].tolist() == pytest.approx(expected)
    for name in ("patients.csv", "visits.csv"):
        assert (FOLDER / TEACHING / name).read_text().startswith("# Synthetic cohorts.")


def test_two_routes_agree_on_every_figure(registry) -> None:
    """The vectorised methods of the notebooks against the checker, cohort by cohort."""
    ensembles = load_ensembles(ROOT)
    results = CohortResults(ensembles, Choices.of(), registry)
    numbers = [row for row in registry.numbers if results.covers(row)]
    assert len(numbers) > 300
    patients, visits = tables("flat")
    first = results.cohorts[ensembles.priors.to_numpy() == "flat"][0]
    own = patients[patients["cohort"] == 0]
    report = check_cohort(Tables(own, visits[visits["cohort"] == 0]), registry).set_index("id")
    for row in numbers:
        value = float(results.number(row).loc[first])
        printed = registry.numbers[row].printed
        shown = report.loc[row, "computed"]
        if printed.operator in ("=", "±"):
            assert f"{round(value, 9):.{printed.decimals}f}" == shown, row
    claims = [row for row in registry.claims if results.covers(row)]
    assert claims
    for row in claims:
        assert results.claim(row)["holds"].all(), row


def test_the_generator_shares_no_code_with_what_checks_it() -> None:
    package = Path(ivig_dcssc.__file__).parent
    forbidden = ("ivig_dcssc.checker", "ivig_dcssc.analysis", "rederive.retrospective")
    forbidden += ("rederive.reconstruct.checker",)
    waiting, seen = ["ivig_dcssc.generator.recipe"], set()
    while waiting:
        module = waiting.pop()
        path = package.parent / Path(*module.split("."))
        file = (
            path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
        )
        if module in seen or not file.is_file():
            continue
        seen.add(module)
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                assert not name.startswith(forbidden), f"{module} imports {name}"
                if name.startswith(("rederive", "ivig_dcssc")):
                    waiting.append(name)
    assert len(seen) > 30
