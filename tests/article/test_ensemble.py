"""Ensembles on disk: the same bytes, resumable, never half written, nothing unchecked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from ivig_dcssc.article_cohorts import PoelmanCohorts
from ivig_dcssc.checker import Tables, incoherences
from ivig_dcssc.generator import ensemble
from ivig_dcssc.generator.ensemble import (
    PATIENTS,
    VISITS,
    RejectedError,
    UnfinishedError,
    make_ensemble,
    require_printed,
)
from ivig_dcssc.generator.recipe import Drawn, Recipe, draw_cohorts, switchable, switches
from ivig_dcssc.parameters import COHORT_SEED
from ivig_dcssc.project import COHORTS, project_root
from ivig_dcssc.shipped import TEACHING
from rederive.printed.registry import load_registry
from rederive.reconstruct.study.tables import read_notes

ROOT = project_root()
PUBLISHED = ROOT / "data" / "published"
REGISTRY = load_registry(PUBLISHED)

SCRIPT = """
import sys
from pathlib import Path
from ivig_dcssc.generator.ensemble import make_ensemble
from ivig_dcssc.generator.recipe import Recipe
if __name__ == "__main__":
    make_ensemble(Path(sys.argv[1]), Path(sys.argv[2]), Recipe("gaussian", int(sys.argv[3])), 2)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ensemble") / "gaussian"
    make_ensemble(PUBLISHED, folder, Recipe("gaussian", COHORT_SEED), 2)
    return folder


def test_the_shipped_ensemble_is_what_its_recipe_makes(made: Path) -> None:
    for name in (PATIENTS, VISITS):
        mine = pd.read_parquet(made / name)
        shipped = pd.read_parquet(ROOT / COHORTS / "gaussian" / name, filters=[("cohort", "<", 2)])
        pd.testing.assert_frame_equal(
            mine, shipped.reset_index(drop=True), check_categorical=False, check_dtype=False
        )
    assert not (made / "parts").exists()


def test_killed_and_run_again_it_gives_the_same_bytes(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "make.py"
    script.write_text(SCRIPT)
    folder = tmp_path / "out"
    command = [sys.executable, str(script), str(PUBLISHED), str(folder), str(COHORT_SEED)]
    with subprocess.Popen(command, start_new_session=True) as process:
        while not (folder / "parts").exists():
            assert process.poll() is None
            time.sleep(0.1)
        time.sleep(1.0)
        os.killpg(process.pid, signal.SIGKILL)
    whole = [name for name in (PATIENTS, VISITS) if (folder / name).exists()]
    assert whole in ([], [PATIENTS, VISITS])
    monkeypatch.setattr(ensemble, "ProcessPoolExecutor", _Here)
    make_ensemble(PUBLISHED, folder, Recipe("gaussian", COHORT_SEED), 2)
    for name in (PATIENTS, VISITS):
        assert (folder / name).read_bytes() == (made / name).read_bytes()


def test_a_finished_ensemble_is_left_alone(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "_make_parts", lambda *_: pytest.fail("made again"))
    before = (made / PATIENTS).stat().st_mtime_ns
    reports: list[tuple[int, int]] = []
    make_ensemble(
        PUBLISHED,
        made,
        Recipe("gaussian", COHORT_SEED),
        2,
        progress=lambda done, wanted: reports.append((done, wanted)),
    )
    assert (made / PATIENTS).stat().st_mtime_ns == before
    assert reports == [(2, 2)]


def test_a_part_that_fails_is_named_and_nothing_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensemble, "ProcessPoolExecutor", _Here)
    monkeypatch.setattr(ensemble, "make_part", _fail)
    with pytest.raises(
        UnfinishedError, match=r"0 of 2 cohorts.*run the same command again.*part 0"
    ):
        make_ensemble(PUBLISHED, tmp_path, Recipe("flat", 1), 2)
    assert not (tmp_path / PATIENTS).exists()


class _Here:
    """An executor that works in this process."""

    def __init__(self, **_: object) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._pool = ThreadPoolExecutor(1)

    def __enter__(self):
        return self._pool

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


def _fail(_: object) -> None:
    raise RejectedError("no luck")


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return next(draw_cohorts(REGISTRY, Recipe("flat", 3), 0, 2))


def test_a_cohort_that_does_not_print_a_figure_is_refused(drawn: Drawn) -> None:
    recipe = Recipe("flat", 3)
    require_printed(REGISTRY, recipe, drawn, 0)
    visits = drawn.visits.copy()
    at = visits.index[(visits["measure"] == "mrss") & (visits["month"] == 0)][0]
    visits.loc[at, "value"] = 51.0 if visits.loc[at, "value"] < 40 else 0.0
    changed = Drawn(drawn.patients, visits, drawn.skin, drawn.chain)
    with pytest.raises(RejectedError, match=r"cohort 7: .*mrss-ivig-baseline"):
        require_printed(REGISTRY, recipe, changed, 7)
    patients = drawn.patients.assign(female=1)
    with pytest.raises(RejectedError, match="female"):
        require_printed(REGISTRY, recipe, Drawn(patients, drawn.visits, drawn.skin, 0), 0)


def test_a_figure_that_is_switched_off_need_not_hold() -> None:
    # The count at month 12 would follow again from the odds ratio of prednisone.
    off = ("results-responder-ivig-m6-count", "table1-rvsp-ivig-baseline-mean")
    recipe = Recipe("flat", 5, without=off)
    found = list(draw_cohorts(REGISTRY, recipe, 0, 4))
    rvsp, responders = set(), set()
    for one in found:
        require_printed(REGISTRY, recipe, one, 0)
        values = one.visits.loc[one.visits["measure"] == "rvsp", "value"]
        rvsp.add(round(values.mean(), 1))
        change = one.skin.observed()[:, 1] - one.skin.observed()[:, 0]
        responders.add(int((change <= -5).sum()))
    assert len(rvsp) > 1
    assert responders != {16}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: switches(REGISTRY, ("discussion-responder-ivig-percent",)), "follows from others"),
        (lambda: switches(REGISTRY, ("results-mrss-ivig-m6-meen",)), "did you mean"),
    ],
)
def test_bad_requests_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_repeats_stand_for_their_first_mention() -> None:
    off = switches(REGISTRY, ("results-mrss-ivig-m6-mean",))
    assert off.every == {"abstract-mrss-ivig-m6-mean"}
    every = switchable(REGISTRY)
    assert all(len(ids) > 1 for ids in every.values())


def test_every_calibrated_or_predicted_measure_can_be_switched_off() -> None:
    allowed = {name for ids in switchable(REGISTRY).values() for name in ids}
    fixed = {"count", "n", "true"}
    for row in REGISTRY:
        plan = REGISTRY.plan[row.id]
        if plan.method in ("cohort_constraint", "cohort_prediction") and not row.same_as:
            kind = getattr(row, "statistic", None) or row.expected
            if kind in fixed and "responder" not in row.id:
                continue
            if getattr(row, "kind", "") in ("significant",):
                continue
            assert row.id in allowed or row.id.endswith("-n"), row.id


def test_the_plugin_predicts_bounds_and_checks() -> None:
    cohorts = PoelmanCohorts()
    found = cohorts.predict(
        "results-responder-ivig-m6-count", prior="flat", draws=40, seed=1, reading="-8"
    )
    json.dumps(found)
    assert found["printed"] == "16"
    assert found["low"] <= found["median"] <= found["high"]
    asked = {"at": "m6", "threshold": None, "without": (), "seconds": 1.0}
    bounds = partial(cohorts.bounds, reading="-8", **asked)
    sharp = bounds("missing_baseline_mean")
    json.dumps(sharp)
    assert sharp["low"] <= sharp["high"]
    with pytest.raises(ValueError, match="did you mean 'responders'"):
        bounds("responder")
    with pytest.raises(ValueError, match="found 100, allowed are numbers above 0 up to 51"):
        bounds("responders", threshold=Fraction(100))
    with pytest.raises(ValueError, match="ids are listed by `rederive ledger`"):
        cohorts.predict("mrss.m6", prior="flat", draws=4, seed=1, reading="-8")
    with pytest.raises(ValueError, match="did you mean results-responder-ivig-m6-count"):
        cohorts.predict(
            "results-responder-ivig-m6-cont", prior="flat", draws=4, seed=1, reading="-8"
        )
    report = cohorts.check(ROOT / COHORTS / TEACHING, reading="-8")
    assert report["agrees"].all()


def test_the_plugin_names_every_faulty_row_of_a_users_cohort(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(ROOT / COHORTS / TEACHING, folder)
    visits = folder / "visits.csv"
    lines = visits.read_text(encoding="utf-8").splitlines()
    faulty = (5, 9)
    for row in faulty:
        cells = lines[row - 1].split(",")
        lines[row - 1] = ",".join([cells[0], "June", *cells[2:]])
    visits.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="found 'June'") as caught:
        PoelmanCohorts().check(folder, reading="-8")
    (line,) = str(caught.value).splitlines()
    assert line.startswith("visits.csv, 2 rows (5, 9), column month: ")
    visits.unlink()
    with pytest.raises(ValueError, match=r"visits\.csv: found 'no such file'"):
        PoelmanCohorts().check(folder, reading="-8")


def test_notes_name_what_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "ProcessPoolExecutor", _Here)
    monkeypatch.setattr(ensemble, "PART_SIZE", 2)
    off = ("results-responder-ivig-m6-count",)
    PoelmanCohorts().reconstruct(
        tmp_path, prior="flat", cohorts=1, seed=2, without=off, reading="-8.0", progress=None
    )
    notes = read_notes(tmp_path / PATIENTS)
    assert notes["without"] == list(off)
    assert notes["reading"] == "-8.0"
    assert PoelmanCohorts().check(tmp_path, reading="-8.0")["agrees"].mean() > 0.99


def test_no_course_of_treatment_holds_a_pause_that_ends_a_round() -> None:
    for prior in ("gaussian", "flat", "bimodal"):
        patients = pd.read_parquet(ROOT / COHORTS / prior / PATIENTS)
        late = patients["cycles"] - patients["cycles_first_6_months"]
        left = (patients["treatment_length"] - 6).clip(lower=0)
        # Cycles at most two months apart after month 6, and at most one a month.
        assert (left <= 2 * late).all()
        assert (late <= left + 1).all()


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("cycles", 24, "more monthly cycles than months"),
        ("treatment_length", 60, "a pause of 3 months or more"),
        ("cycles_first_6_months", 9, "than months 0 to 6"),
        ("age_onset", float("nan"), "age_onset is unknown"),
    ],
)
def test_incoherent_courses_are_named(column: str, value: float, words: str, drawn: Drawn) -> None:
    patients = drawn.patients.copy()
    short = patients["cycles"].idxmin()
    patients[column] = patients[column].astype(float)
    patients.loc[short, column] = value
    assert any(words in line for line in incoherences(Tables(patients, drawn.visits)))
