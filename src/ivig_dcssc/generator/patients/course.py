"""The course of treatment: cycles, months, why it ended, and its adverse effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ivig_dcssc.generator.coherence import suits
from ivig_dcssc.generator.drawing import (
    ADVERSE_EFFECTS,
    ATTEMPTS,
    NONE_FITS,
    REASONS,
    Floats,
    Integers,
    NoFittingPatientsError,
    Patients,
    until,
    without,
)
from ivig_dcssc.generator.patients.predictors import Unrelated, draw_roles

_M18, _M24 = 3, 4
_MONTHS_OF_COLUMNS = np.array([0, 6, 12, 18, 24])
_WINDOW = 2
_FIRST_MONTHS = 6
_LAST_MONTHS = 3
"""Death ended the treatment, so it went on until these months before."""


@dataclass(frozen=True, slots=True)
class Course:
    """The treatment of every patient, one entry each.

    Attributes
    ----------
    cycles, early_cycles, months : array of int, shape (patients,)
        Cycles in all and in the first six months, and months of treatment.
    reason : tuple of str or None
        Why treatment stopped; None for the patient still treated.
    """

    cycles: Integers
    early_cycles: Integers
    months: Integers
    reason: tuple[str | None, ...]

    def stopped(self, *reasons: str) -> Integers:
        """Return the patients who stopped for one of some reasons."""
        return np.array([i for i, reason in enumerate(self.reason) if reason in reasons], np.int64)


def draw_course(
    skin: Floats,
    measures: Mapping[str, Floats],
    patients: Patients,
    tests: Unrelated,
    courses: Floats | None = None,
) -> Course:
    """Put cycles, months of treatment and reasons for stopping to patients.

    The patient who died has no skin score at 18 and 24 months and was treated until the last months
    of life, as far as lengths of treatment allow. Who moved abroad has, if possible, no skin score
    after the treatment; who had a complication tends to shorter treatment, and who is still treated
    has been for long.

    Parameters
    ----------
    courses : array, shape (patients, 5), optional
        As in :func:`~ivig_dcssc.generator.patients.characteristics.draw_characteristics`.

    Raises
    ------
    NoFittingPatientsError
        If the skin scores leave nobody for a role, or no order passes the tests.
    """
    counts, rng = patients.counts, patients.rng
    died = _who_died(skin, patients, tests)
    most = counts.number("death_delay", "other")
    pair = np.column_stack([measures["cycles"][:, 0], measures["treatment_length"][:, 0]])
    near = _treated_until(pair[:, 1], len(died), most)

    def draw() -> Floats:
        own = _some(near, len(died), patients)
        rows = np.empty_like(pair)
        rows[died] = pair[own]
        rows[without(patients.everyone, died)] = rng.permutation(np.delete(pair, own, axis=0))
        return rows

    rows = until(
        draw,
        lambda rows: tests.allow(rows[:, 0], rows[:, 1]),
        "cycles and length of treatment",
    )
    cycles, months = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    likely = {} if courses is None else suits(courses, months)
    reason = _draw_reasons(skin, months, died, patients, tests, likely)
    least = counts.number("cycles_required", "threshold")
    gap = counts.number("treatment_gap", "threshold")
    return Course(cycles, _early(cycles, months, least, gap, rng), months, reason)


def _some(among: Integers, count: int, patients: Patients) -> Integers:
    if count == 1:
        return np.array([patients.rng.choice(among)], np.int64)
    return patients.choose(among, count)


def _who_died(skin: Floats, patients: Patients, tests: Unrelated) -> Integers:
    count = patients.counts["stop_death"]
    if not count:
        return np.array([], np.int64)
    absent = np.flatnonzero(np.isnan(skin[:, _M18]) & np.isnan(skin[:, _M24]))
    fitting = [patient for patient in absent if tests.allow(patients.flag([int(patient)]))]
    if len(fitting) < count:
        raise NoFittingPatientsError(
            "death: nobody without skin scores at 18 and 24 months fits the article's text"
        )
    return _some(np.array(fitting, np.int64), count, patients)


def _treated_until(months: Floats, count: int, death: int) -> Integers:
    """Return whose length of treatment suits who died: ended in the last months, if any did."""
    alive = np.flatnonzero(months <= death)
    if len(alive) < count:
        raise NoFittingPatientsError(f"death: nobody was treated for {death} months or less")
    if not count:
        return alive
    shortest = min(death - _LAST_MONTHS, np.sort(months[alive])[-count])
    return np.asarray(alive[months[alive] >= shortest])


def _draw_reasons(
    skin: Floats,
    months: Integers,
    died: Integers,
    patients: Patients,
    tests: Unrelated,
    likely: Mapping[str, Floats],
) -> tuple[str | None, ...]:
    counts = patients.counts
    rank = np.argsort(np.argsort(months, kind="stable"), kind="stable") / counts.size
    early, late = 0.05 + (1 - rank) ** 2, 0.05 + rank**3
    # Who is still treated is drawn first, then the reasons that are likelier for some patients, the
    # fewest first, since the many leave little to choose from.
    weights = {"": late, "aseptic_meningitis": early, "tia": early}
    weights["moved"] = _ease_of_leaving(skin, months)
    weights |= {name: likely[name] for name in ("progressing", "improvement", "stable") if likely}
    order = [*weights, *(name for name in REASONS if name not in (*weights, "death"))]
    wanted = [counts[f"stop_{name}" if name else "still_on_ivig"] for name in order]
    columns = patients.flag(died) > 0, np.array(wanted), np.array([*weights.values()])
    found = draw_roles(patients.rng, *columns, tests.outcomes, ATTEMPTS)
    if not len(found):
        raise NoFittingPatientsError(f"reasons for stopping: {NONE_FITS}")
    names = [None, *order[1:], "death"]
    return tuple(names[one] for one in found.tolist())


def _ease_of_leaving(skin: Floats, months: Integers) -> Floats:
    """Return weights: high for patients without skin scores after the end of treatment."""
    seen = np.isfinite(skin)
    last = np.where(seen, _MONTHS_OF_COLUMNS, 0).max(axis=1)
    weights: Floats = np.where(last - _WINDOW <= months, 1000.0, 1.0)
    weights *= np.where(seen[:, _M24], 0.01, 1.0)
    weights *= np.where(seen[:, _M18], 1.0, 10.0)
    return weights


def _early(
    cycles: Integers, months: Integers, least: int, gap: int, rng: np.random.Generator
) -> Integers:
    """Return cycles of the first six months.

    The others fit into the months left, and are enough for no pause to last as long as the one
    that ends a round.
    """
    left = np.maximum(months - _FIRST_MONTHS, 0)
    low = np.maximum(least, cycles - left)
    high = np.minimum(
        np.maximum(low, np.minimum(cycles, _FIRST_MONTHS)), cycles - -(-left // (gap - 1))
    )
    return rng.integers(low, np.maximum(low, high) + 1)


def draw_assessment(course: Course, patients: Patients) -> list[str]:
    """Return the physician's assessment: as the reason for stopping says, as far as counts go."""
    result, left = ["other"] * patients.counts.size, patients.everyone
    for word, reason in (("improved", "improvement"), ("stable", "stable")):
        likely = np.where(patients.flag(course.stopped(reason)) > 0, 1.0, 1e-9)
        chosen = patients.choose(left, patients.counts[f"physician_{word}"], likely)
        left = without(left, chosen)
        for patient in chosen:
            result[patient] = word
    return result


def draw_adverse_effects(course: Course, patients: Patients) -> dict[str, Integers]:
    """Return flags of adverse effects by name.

    The aseptic meningitis is one of the headaches, both it and the transient ischemic attack ended
    the treatment, and the kidney injury came after stopping because of improvement.
    """
    found: dict[str, Integers] = {}
    for name in ADVERSE_EFFECTS:
        if name in ("aseptic_meningitis", "tia"):
            found[name] = patients.flag(course.stopped(name))
        elif name == "headache":
            sure = course.stopped("aseptic_meningitis")
            more = patients.counts["ae_headache"] - len(sure)
            others = patients.choose(without(patients.everyone, sure), more)
            found[name] = patients.flag([*sure, *others])
        else:
            among = course.stopped("improvement") if name == "kidney_injury" else None
            found[name] = patients.some(f"ae_{name}", among)
    return found
