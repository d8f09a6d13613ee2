"""The patients of one cohort: who they are, what they took, and what became of them.

Given skin scores and measures, every characteristic is put to patients at random, with the counts
of the registry, so that the article's account of single patients holds and nothing predicts
response or change. One after the other, each is drawn again until its own tests pass.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

import numpy as np
import pandas as pd

from ivig_dcssc.generator.drawing import (
    CK_NORMAL,
    COLUMNS,
    Counts,
    Floats,
    Integers,
    NoFittingPatientsError,
    Patients,
    until,
)
from ivig_dcssc.generator.patients.predictors import Unrelated, unrelated
from ivig_dcssc.generator.patients.treatment import (
    draw_adverse_effects,
    draw_assessment,
    draw_concomitant,
    draw_course,
    draw_first_line,
    draw_prior,
)
from ivig_dcssc.generator.skin import THRESHOLD
from rederive.printed.registry import Registry

EARLIEST_ONSET = 10
"""Least age at the first symptom in years; our choice for patients who are adults."""

_RACES = {"white": "white", "black": "black", "other": "other_race"}


def draw_characteristics(
    skin: Floats,
    measures: Mapping[str, Floats],
    rng: np.random.Generator,
    registry: Registry,
    *,
    without_rows: Collection[str] = (),
    courses: Floats | None = None,
) -> pd.DataFrame:
    """Draw the patients' table of one cohort, columns :data:`COLUMNS`; None or NaN if unknown.

    Skin scores have shape (patients, 5), NaN where none was taken; ``courses`` has them whether
    measured or not, which reasons for stopping have to suit. Of the measures, one data set of
    :func:`~ivig_dcssc.generator.measures.sample_measures`, ages, disease durations, cycles and
    lengths of treatment are put to other patients; creatine phosphokinase stays where it is and
    decides who has myositis. Claims about predictors and figures of prednisone in ``without_rows``
    need not hold.

    Raises
    ------
    NoFittingPatientsError
        If the skin scores leave no patient for a role, or no order that passes the tests; another
        draw of the skin scores may.
    """
    counts = Counts(registry)
    tests = unrelated(skin, registry, float(THRESHOLD), without_rows)
    patients = Patients(counts, rng)
    course, reason = draw_course(skin, measures, patients, tests, courses)
    age, duration, onset = _draw_ages(measures, tests, rng)
    myositis = _draw_myositis(measures["cpk"][:, 0], patients)
    first = draw_first_line(myositis, duration, patients)
    concomitant = draw_concomitant(registry, first, patients, tests, without_rows)
    prior = draw_prior(first, concomitant, patients)
    effects = draw_adverse_effects(reason, patients)
    death, injury = (counts.number(f"{name}_delay", "other") for name in ("death", "kidney_injury"))
    columns: dict[str, object] = {
        "patient": [f"P{number:02d}" for number in range(1, counts.size + 1)],
        "age": age,
        "age_onset": onset,
        "disease_duration": duration,
        "female": until(partial(patients.some, "female"), tests.allow, "female sex"),
        "race": _draw_race(patients, tests),
        "myositis": patients.flag(myositis),
        "renal_crisis": patients.some("renal_crisis"),
        **_draw_antibodies(patients, tests),
        "first_line": [word or None for word in first.tolist()],
        **prior,
        **concomitant,
        **course,
        "stop_reason": [word or None for word in reason.tolist()],
        "physician_assessment": draw_assessment(reason, patients).tolist(),
        "death_month": np.where(reason == "death", death, np.nan),
        "kidney_injury_delay": np.where(effects["ae_kidney_injury"], injury, np.nan),
        **effects,
    }
    return pd.DataFrame({name: columns[name] for name in COLUMNS})


def _draw_ages(
    measures: Mapping[str, Floats], tests: Unrelated, rng: np.random.Generator
) -> tuple[Integers, Integers, Floats]:
    """Return age, disease duration and age at onset."""
    ages = measures["age"][:, 0].astype(np.int64)
    durations = measures["disease_duration"][:, 0].astype(np.int64)

    def draw() -> tuple[Integers, Integers, Floats]:
        age, duration = rng.permutation(ages), rng.permutation(durations)
        return age, duration, np.round(age - duration / 12, 1)

    def fits(drawn: tuple[Integers, Integers, Floats]) -> bool:
        _, duration, onset = drawn
        return bool(onset.min() >= EARLIEST_ONSET) and tests.allow(duration, onset)

    return until(draw, fits, "age and disease duration")


def _draw_myositis(cpk: Floats, patients: Patients) -> Integers:
    """Return the patients with myositis: those with the highest values, and one by chance.

    As many have a value above normal as the article has patients whose values normalised.
    """
    measured = np.flatnonzero(np.isfinite(cpk))
    falling = measured[np.argsort(-cpk[measured], kind="stable")]
    high = falling[: patients.counts["cpk_serial"]]
    if not (cpk[high] > CK_NORMAL).all():
        raise NoFittingPatientsError(
            f"myositis: fewer than {len(high)} patients with a CPK above {CK_NORMAL} U/L"
        )
    more = patients.counts["myositis"] - len(high)
    others = patients.choose(falling[len(high) :], more, np.nan_to_num(cpk, nan=1.0))
    return np.sort(np.concatenate([high, others]))


def _draw_race(patients: Patients, tests: Unrelated) -> list[str]:
    counts = patients.counts
    words = [word for word, variable in _RACES.items() for _ in range(counts[variable])]
    order: list[str] = until(
        lambda: patients.rng.permutation(words), lambda drawn: tests.allow(drawn == "white"), "race"
    ).tolist()
    return order


def _draw_antibodies(patients: Patients, tests: Unrelated) -> dict[str, Integers | Floats]:
    """Return antibody status; topoisomerase and RNA polymerase III exclude each other.

    Who lacks antinuclear antibodies has none of the specific ones.
    """
    counts = patients.counts

    def partly_known(name: str, among: Integers) -> Floats:
        known = patients.choose(patients.everyone, counts.known(name))
        both = np.intersect1d(known, among)
        if len(both) < counts[name]:
            positive = patients.choose(among, counts[name])
            rest = np.setdiff1d(patients.everyone, positive)
            more = patients.choose(rest, len(known) - len(positive))
            known = np.concatenate([positive, more])
        else:
            positive = patients.choose(both, counts[name])
        return np.where(patients.flag(known) > 0, patients.flag(positive), np.nan)

    def draw() -> dict[str, Integers | Floats]:
        ana = patients.some("ana")
        reactive = np.flatnonzero(ana)
        polymerase = partly_known("anti_rna_polymerase_iii", reactive)
        others = np.setdiff1d(reactive, np.flatnonzero(polymerase == 1))
        return {
            "ana": ana,
            "anticentromere": patients.some("anticentromere", others),
            "antitopoisomerase": patients.some("antitopoisomerase", others),
            "anti_rna_polymerase_iii": polymerase,
            "rnp": partly_known("rnp", reactive),
        }

    return until(
        draw,
        lambda one: tests.allow(one["antitopoisomerase"], one["anti_rna_polymerase_iii"]),
        "autoantibodies",
    )
