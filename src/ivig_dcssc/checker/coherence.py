"""What has to hold within each patient, though the article prints no figure for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from ivig_dcssc.checker.statistics import written
from ivig_dcssc.checker.tables import (
    ALLOWED,
    CONCOMITANT,
    FLAGS,
    MEASURES,
    SCALES,
    Flags,
    Floats,
    Tables,
)

MAY_BE_UNKNOWN = (
    *("anti_rna_polymerase_iii", "rnp", "first_line"),
    *("stop_reason", "death_month", "kidney_injury_delay"),
)
"""Columns of the patients' table that are empty for some."""


LUNG_GRADES = {"fvc": [50, 70, 80], "dlco": [50, 70, 80], "rvsp": [-64, -49, -34]}
"""Where grades 2, 1 and 0 of the lungs begin by Medsger's revised scale, RVSP counted downwards."""

PHYSIOLOGIC = {"fvc": (30, 140), "dlco": (20, 150), "rvsp": (15, 80), "cpk": (20, 4000)}
"""What lung function, echocardiography and blood show in such patients; ours."""

_SCALES = written(np.array([SCALES[name] for name in MEASURES], np.float64)).T
_PHYSIOLOGIC = np.array([PHYSIOLOGIC.get(name, (-np.inf, np.inf)) for name in MEASURES]).T

FAILING_HEART = 2
"""Least cardiac severity before treatment of who died of a cardiomyopathy that existed before."""


def incoherences(tables: Tables, without: Collection[str] = ()) -> list[str]:
    """Return what contradicts itself, or the article's account of single patients, a line each.

    Rules of our own in ``without`` need not hold: ``coherence-lung-severity``, ``coherence-heart``,
    ``coherence-physiologic``.
    """
    return [
        *_off_scale(tables),
        *_categories(tables),
        *_unknown(tables),
        *_within_patients(tables),
        *([] if "coherence-physiologic" in without else _unphysiologic(tables)),
        *([] if "coherence-lung-severity" in without else _lungs(tables)),
        *([] if "coherence-heart" in without else _heart(tables)),
    ]


def _off_scale(tables: Tables) -> Iterator[str]:
    low, high, step = _SCALES[:, tables.kinds]
    units = written(tables.whole.values)
    off = (units < low) | (units > high) | (units % step != 0)
    yield from _records(tables, off, "allowed are {} to {} in steps of {}", SCALES)


def _records(
    tables: Tables, wrong: Flags, words: str, limits: Mapping[str, tuple[object, ...]]
) -> Iterator[str]:
    for at in np.flatnonzero(wrong):
        one, month, value = (column[at] for column in tables.whole)
        measure = MEASURES[tables.kinds[at]]
        found = f"{tables.names[one]}: {measure} in month {month:g} is {value:g}"
        yield f"{found}, {words.format(*limits[measure])}"


def _categories(tables: Tables) -> Iterator[str]:
    for column, words in ALLOWED.items():
        for patient, word in zip(tables.names, tables.words(column), strict=True):
            if word not in ("", *words):
                yield f"{patient}: {column} is {word!r}, allowed are {', '.join(words)}"
    values = np.array([tables.numbers(column) for column in FLAGS])
    for column, one in np.argwhere((values != 0) & (values != 1) & ~np.isnan(values)):
        yield f"{tables.names[one]}: {FLAGS[column]} is {values[column, one]:g}, allowed are 0, 1"


def _unknown(tables: Tables) -> Iterator[str]:
    """Yield what is unknown and must not be: it would take a test out of a claim without a word."""
    for column, values in tables.columns.items():
        for name, value in zip(tables.names, values, strict=True):
            if value is None and column not in MAY_BE_UNKNOWN:
                yield f"{name}: {column} is unknown"


def _within_patients(tables: Tables) -> Iterator[str]:
    number, words = tables.numbers, tables.words
    last_visit = np.full(tables.size, -np.inf)
    np.maximum.at(last_visit, tables.whole.who, tables.whole.months)
    cycles, early = number("cycles"), number("cycles_first_6_months")
    months, death = number("treatment_length"), number("death_month")
    onset = number("age") - number("disease_duration") / 12
    meningitis, tia = number("ae_aseptic_meningitis") == 1, number("ae_tia") == 1
    injury, died = number("ae_kidney_injury") == 1, np.isfinite(death)
    reason, first, late = words("stop_reason"), words("first_line"), cycles - early
    given, earlier = (
        np.any([number(name) == 1 for name in names], axis=0)
        for names in (CONCOMITANT, ("prior_gold", "prior_alefacept", "prior_chemotherapy"))
    )
    left = np.maximum(months - 6, 0)
    wrong = {
        "more monthly cycles than months of treatment": cycles > months + 1,
        "more cycles in the first 6 months than months 0 to 6": early > 7,
        "more cycles after month 6 than months of treatment": late > left + 1,
        "a pause of 3 months or more, which ends a round of treatment": left > 2 * late,
        "age at onset is not age less disease duration": (
            np.abs(number("age_onset") - onset) > 0.0501
        ),
        "fewer cycles in all than in the first 6 months": cycles < early,
        "aseptic meningitis without headache": meningitis & (number("ae_headache") != 1),
        "aseptic meningitis and stopping because of it have to go together": (
            meningitis != (reason == "aseptic_meningitis")
        ),
        "a transient ischemic attack and stopping because of it have to go together": (
            tia != (reason == "tia")
        ),
        "kidney injury and its delay have to go together": (
            injury != np.isfinite(number("kidney_injury_delay"))
        ),
        "kidney injury, but IVIG was not stopped because of improvement": (
            injury & (reason != "improvement")
        ),
        "death as reason for stopping and a month of death have to go together": (
            died != (reason == "death")
        ),
        "treatment longer than life": died & (months > death),
        "a visit after death": died & (last_visit > death),
        "monotherapy together with another drug": (first == "monotherapy") & given,
        "first-line cyclophosphamide, but no concomitant cyclophosphamide": (
            (first == "cyclophosphamide") & (number("concomitant_cyclophosphamide") != 1)
        ),
        "first-line MMF, but no concomitant MMF or no myositis": (
            (first == "mmf") & ((number("concomitant_mmf") != 1) | (number("myositis") != 1))
        ),
        "other earlier drug and gold, alefacept or chemotherapy have to go together": (
            (number("prior_other") == 1) != earlier
        ),
    }
    for what, where in wrong.items():
        yield from (f"{tables.names[one]}: {what}" for one in np.flatnonzero(where))


def _unphysiologic(tables: Tables) -> Iterator[str]:
    low, high = _PHYSIOLOGIC[:, tables.kinds]
    beyond = (tables.whole.values < low) | (tables.whole.values > high)
    yield from _records(tables, beyond, "physiologic are {} to {}", PHYSIOLOGIC)


def lung_grade(measure: str, values: Floats) -> Floats:
    """Return Medsger's grade of a measure of the lungs, NaN where it is unknown."""
    signed = -values if measure == "rvsp" else values
    grades = 3.0 - np.searchsorted(LUNG_GRADES[measure], signed, side="right")
    return np.where(np.isnan(values), np.nan, grades)


def _lungs(tables: Tables) -> Iterator[str]:
    """Yield where the lung's severity is not the worst grade of what was measured."""
    names = ("fvc", "dlco", "severity_pulmonary")
    day_of = {name: tables.records[name].who + 1j * tables.records[name].months for name in names}
    days = np.unique(np.concatenate(list(day_of.values())))
    same_day = np.full((len(names), len(days)), np.nan)
    for row, name in zip(same_day, names, strict=True):
        row[np.searchsorted(days, day_of[name])] = tables.records[name].values
    everyone = np.arange(tables.size)
    for when, who, measured in (
        ("before", everyone, [tables.baseline(name) for name in names]),
        ("at month 12", everyone, [tables.followup(name, 12) for name in names]),
        ("on one day", days.real.astype(np.intp), same_day),
    ):
        fvc, dlco, severity = measured
        function = np.fmax(lung_grade("fvc", fvc), lung_grade("dlco", dlco))
        worst = np.fmax(function, lung_grade("rvsp", tables.baseline("rvsp")[who]))
        wrong = ~np.isnan(function) & ~np.isnan(severity) & (worst != severity)
        for one in who[wrong]:
            yield (
                f"{tables.names[one]}: {when}, the lung's severity is not the grade of its function"
            )


def _heart(tables: Tables) -> Iterator[str]:
    cardiac, died = tables.baseline("severity_cardiac"), tables.words("stop_reason") == "death"
    for one in np.flatnonzero(died & (cardiac < FAILING_HEART)):
        who, grade = tables.names[one], cardiac[one]
        yield f"{who}: died of a cardiomyopathy, with a cardiac severity of {grade:g}"
