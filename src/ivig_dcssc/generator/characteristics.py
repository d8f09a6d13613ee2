"""The patients of one cohort: who they are, what they took, and what became of them.

Given skin scores and measures, every characteristic is put to patients at random, with the counts
of the registry, so that the article's account of single patients holds and nothing predicts
response or change. One after the other, each is drawn again until its own tests pass.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from ivig_dcssc.generator.course import (
    ADVERSE_EFFECTS,
    draw_adverse_effects,
    draw_assessment,
    draw_course,
)
from ivig_dcssc.generator.drawing import (
    Counts,
    Floats,
    Integers,
    NoFittingPatientsError,
    choose,
    fitting_flag,
    flag,
    until,
    without,
)
from ivig_dcssc.generator.measures import CK_NORMAL, MEASURES
from ivig_dcssc.generator.medication import (
    CONCOMITANT,
    PRIOR,
    FirstLine,
    association_figures,
    draw_concomitant,
    draw_first_line,
    draw_prior,
)
from ivig_dcssc.generator.predictors import Unrelated, check_switches, predictor_claims, unrelated
from ivig_dcssc.generator.skin import THRESHOLD, TIMEPOINTS
from rederive.printed.registry import Registry

COLUMNS = (
    "patient",
    "age",
    "age_onset",
    "disease_duration",
    "female",
    "race",
    "myositis",
    "renal_crisis",
    "ana",
    "anticentromere",
    "antitopoisomerase",
    "anti_rna_polymerase_iii",
    "rnp",
    "first_line",
    *(f"prior_{name}" for name in PRIOR),
    *(f"concomitant_{name}" for name in CONCOMITANT),
    "cycles",
    "cycles_first_6_months",
    "treatment_length",
    "stop_reason",
    "physician_assessment",
    "death_month",
    "kidney_injury_delay",
    *(f"ae_{name}" for name in ADVERSE_EFFECTS),
)
"""Columns of the patients' table, in its order."""

EARLIEST_ONSET = 10
"""Least age at the first symptom in years; our choice for patients who are adults."""

_RACES = {"white": "white", "black": "black", "other": "other_race"}


def switchable(registry: Registry) -> tuple[str, ...]:
    """Return the ids of the claims and figures that :func:`draw_characteristics` can leave out."""
    return (*predictor_claims(registry), *association_figures(registry))


def draw_characteristics(
    skin: Floats,
    measures: Mapping[str, Floats],
    rng: np.random.Generator,
    registry: Registry,
    *,
    without_rows: Collection[str] = (),
) -> pd.DataFrame:
    """Draw the patients' table of one cohort.

    Parameters
    ----------
    skin : array, shape (patients, 5)
        Skin scores at baseline, 6, 12, 18 and 24 months; NaN where none was taken.
    measures : mapping of str to array, shape (patients, times)
        One data set of :func:`~ivig_dcssc.generator.measures.sample_measures`. Ages, disease
        durations, cycles and lengths of treatment are put to other patients; creatine
        phosphokinase stays where it is and decides who has myositis.
    rng : Generator
        Source of all randomness.
    registry : Registry
        The article's registry.
    without_rows : collection of str
        Ids of :func:`switchable` claims and figures that need not hold.

    Returns
    -------
    DataFrame
        One row per patient, columns :data:`COLUMNS`; unknown and not applicable are NaN, or None
        in columns of words.

    Raises
    ------
    NoFittingPatientsError
        If the skin scores leave no patient for a role, or no order that passes the tests; another
        draw of the skin scores may.
    ValueError
        If an array has the wrong shape or an id cannot be switched off.
    """
    check_switches(without_rows, switchable(registry))
    counts = Counts(registry)
    _check_shapes(skin, measures, counts.size)
    tests = unrelated(skin, registry, float(THRESHOLD), without_rows)
    course = draw_course(skin, measures, counts, tests, rng)
    age, duration, onset = _draw_ages(measures, tests, rng)
    myositis = _draw_myositis(measures["cpk"][:, 0], counts, rng)
    first = draw_first_line(myositis, duration, counts, rng)
    concomitant = draw_concomitant(registry, first, counts, tests, rng, without_rows)
    prior = draw_prior(first, concomitant, counts, rng)
    effects = draw_adverse_effects(course, counts, rng)
    size = counts.size
    columns: dict[str, object] = {
        "patient": [f"P{number:02d}" for number in range(1, size + 1)],
        "age": age,
        "age_onset": onset,
        "disease_duration": duration,
        "female": fitting_flag(
            rng, np.arange(size), size, counts["female"], tests.flags, "female sex"
        ),
        "race": _draw_race(counts, tests, rng),
        "myositis": flag(size, myositis),
        "renal_crisis": flag(size, choose(rng, np.arange(size), counts["renal_crisis"])),
        **_draw_antibodies(counts, tests, rng),
        "first_line": _words(size, _first_line_words(first)),
        **{f"prior_{name}": column for name, column in prior.items()},
        **{f"concomitant_{name}": column for name, column in concomitant.items()},
        "cycles": course.cycles,
        "cycles_first_6_months": course.early_cycles,
        "treatment_length": course.months,
        "stop_reason": _words(size, {i: word for i, word in enumerate(course.reason) if word}),
        "physician_assessment": draw_assessment(course, counts, rng),
        "death_month": _number_of(
            course.stopped("death"), counts.number("death_delay", "other"), size
        ),
        "kidney_injury_delay": _number_of(
            np.flatnonzero(effects["kidney_injury"]),
            counts.number("kidney_injury_delay", "other"),
            size,
        ),
        **{f"ae_{name}": column for name, column in effects.items()},
    }
    return pd.DataFrame({name: columns[name] for name in COLUMNS})


def _check_shapes(skin: Floats, measures: Mapping[str, Floats], size: int) -> None:
    if skin.shape != (size, len(TIMEPOINTS)):
        allowed = (size, len(TIMEPOINTS))
        raise ValueError(f"skin: found an array of shape {skin.shape}, allowed is {allowed}")
    for name in MEASURES:
        if name not in measures:
            raise ValueError(f"measures: {name} is missing")
        if measures[name].ndim != 2 or len(measures[name]) != size:
            raise ValueError(
                f"measures, {name}: found shape {measures[name].shape}, allowed is ({size}, times)"
            )


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
        return bool(onset.min() >= EARLIEST_ONSET) and tests.numbers(duration, onset)

    return until(draw, fits, "age and disease duration")


def _draw_myositis(cpk: Floats, counts: Counts, rng: np.random.Generator) -> Integers:
    """Return the patients with myositis: those with the highest values, and one by chance.

    As many have a value above normal as the article has patients whose values normalised.
    """
    measured = np.flatnonzero(np.isfinite(cpk))
    falling = measured[np.argsort(-cpk[measured], kind="stable")]
    high = falling[: counts["cpk_serial"]]
    if not (cpk[high] > CK_NORMAL).all():
        raise NoFittingPatientsError(
            f"myositis: fewer than {len(high)} patients with a CPK above {CK_NORMAL} U/L"
        )
    rest = falling[len(high) :]
    weights = np.nan_to_num(cpk, nan=1.0)
    return np.sort(
        np.concatenate([high, choose(rng, rest, counts["myositis"] - len(high), weights)])
    )


def _draw_race(counts: Counts, tests: Unrelated, rng: np.random.Generator) -> list[str]:
    words = [word for word, variable in _RACES.items() for _ in range(counts[variable])]
    if len(words) != counts.size:
        raise ValueError(f"race: found {len(words)} patients, allowed are {counts.size}")
    drawn = until(
        lambda: rng.permutation(words),
        lambda order: tests.flags(order == "white"),
        "race",
    )
    return [str(word) for word in drawn]


def _draw_antibodies(
    counts: Counts, tests: Unrelated, rng: np.random.Generator
) -> dict[str, Integers | Floats]:
    """Return antibody status; topoisomerase and RNA polymerase III exclude each other.

    Who lacks antinuclear antibodies has none of the specific ones.
    """
    size = counts.size

    def partly_known(name: str, among: Integers) -> Floats:
        known = choose(rng, np.arange(size), counts.known(name))
        both = np.intersect1d(known, among)
        if len(both) < counts[name]:
            positive = choose(rng, among, counts[name])
            rest = without(range(size), positive)
            known = np.concatenate([positive, choose(rng, rest, len(known) - len(positive))])
        else:
            positive = choose(rng, both, counts[name])
        column = np.full(size, np.nan)
        column[known] = 0.0
        column[positive] = 1.0
        return column

    def draw() -> dict[str, Integers | Floats]:
        ana = flag(size, choose(rng, np.arange(size), counts["ana"]))
        reactive = np.flatnonzero(ana)
        polymerase = partly_known("anti_rna_polymerase_iii", reactive)
        others = without(reactive, np.flatnonzero(polymerase == 1))
        return {
            "ana": ana,
            "anticentromere": flag(size, choose(rng, others, counts["anticentromere"])),
            "antitopoisomerase": flag(size, choose(rng, others, counts["antitopoisomerase"])),
            "anti_rna_polymerase_iii": polymerase,
            "rnp": partly_known("rnp", reactive),
        }

    return until(
        draw,
        lambda one: tests.flags(one["antitopoisomerase"], one["anti_rna_polymerase_iii"]),
        "autoantibodies",
    )


def _first_line_words(first: FirstLine) -> dict[int, str]:
    return {
        **dict.fromkeys(first.monotherapy, "monotherapy"),
        **dict.fromkeys(first.cyclophosphamide, "cyclophosphamide"),
        **dict.fromkeys(first.mmf, "mmf"),
    }


def _words(size: int, words: Mapping[int, str]) -> list[str | None]:
    return [words.get(patient) for patient in range(size)]


def _number_of(patients: Integers, value: float, size: int) -> Floats:
    column = np.full(size, np.nan)
    column[patients] = value
    return column
