"""Treatment: what came first, drugs before and beside it, its course and its adverse effects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from ivig_dcssc.generator.coherence import suits
from ivig_dcssc.generator.drawing import (
    ADVERSE_EFFECTS,
    ATTEMPTS,
    NONE_FITS,
    OTHER,
    PRIOR,
    REASONS,
    Counts,
    Floats,
    Integers,
    NoFittingPatientsError,
    Patients,
    association_figures,
    association_tables,
    until,
)
from ivig_dcssc.generator.patients.predictors import Unrelated, draw_roles
from rederive.printed.registry import Registry
from rederive.recompute.two_by_two import Table2x2

Words = npt.NDArray[np.str_]
"""A word for each patient, empty where there is none."""

_ASSOCIATED = 12
_M18, _M24 = 3, 4
_MONTHS_OF_COLUMNS = np.array([0, 6, 12, 18, 24])
_WINDOW = 2
_FIRST_MONTHS = 6
_LAST_MONTHS = 3
"""Death ended the treatment, so it went on until these months before."""


def draw_first_line(myositis: Integers, duration: Integers, patients: Patients) -> Words:
    """Return how the patients treated first with it were, likelier those with recent disease.

    The word is ``monotherapy`` or the drug beside it, empty for all others.

    Parameters
    ----------
    myositis : array of int
        The patients with myositis; those with concomitant MMF are among them.
    duration : array of int, shape (patients,)
        Disease duration in months.
    """
    counts = patients.counts
    alone, with_mmf = counts["first_line_monotherapy"], counts["first_line_mmf"]
    recent = 1 / (1.0 + duration)
    combined = patients.choose(myositis, with_mmf, recent)
    others = np.setdiff1d(patients.everyone, myositis)
    drawn = patients.choose(others, counts["first_line"] - with_mmf, recent)
    found = np.full(counts.size, "", "U16")
    found[combined], found[drawn[:alone]] = "mmf", "monotherapy"
    found[drawn[alone:]] = "cyclophosphamide"
    return found


def prednisone_tables(
    registry: Registry, counts: Counts, tests: Unrelated, switched_off: Collection[str] = ()
) -> list[Table2x2]:
    """Return the tables of prednisone and response that print the odds ratio with its interval.

    Parameters
    ----------
    switched_off : collection of str
        Ids of figures that the tables need not print. Without any figure the list is empty, and
        any patients may take prednisone.
    """
    responses, taking = tests.responses[_ASSOCIATED], counts["concomitant_prednisone"]
    total = int(np.isfinite(responses).sum())
    least = max(1, taking - (len(responses) - total))
    outcome = [int(np.nansum(responses))]
    return association_tables(registry, switched_off, range(least, taking + 1), total, outcome)


def draw_concomitant(
    registry: Registry,
    first: Words,
    patients: Patients,
    tests: Unrelated,
    switched_off: Collection[str] = (),
) -> dict[str, Integers]:
    """Return flags of concomitant drugs by column.

    MMF and cyclophosphamide go to different patients. Who is on monotherapy takes nothing.

    Raises
    ------
    NoFittingPatientsError
        If no 2 x 2 table of prednisone prints the odds ratio, or no choice passes the tests.
    """
    counts = patients.counts
    others, free = np.flatnonzero(first == ""), np.flatnonzero(first != "monotherapy")
    with_mmf, rapid = (np.flatnonzero(first == word) for word in ("mmf", "cyclophosphamide"))

    def draw_main() -> tuple[Integers, Integers]:
        mmf = patients.choose(others, counts["concomitant_mmf"] - len(with_mmf))
        spared = np.setdiff1d(others, mmf)
        more = patients.choose(spared, counts["concomitant_cyclophosphamide"] - len(rapid))
        return patients.flag([*with_mmf, *mmf]), patients.flag([*rapid, *more])

    found: dict[str, Integers] = {}
    found["concomitant_mmf"], found["concomitant_cyclophosphamide"] = until(
        draw_main, lambda two: tests.allow(*two), "concomitant MMF and cyclophosphamide"
    )
    for name in ("methotrexate", "hydroxychloroquine", "imatinib"):
        drug = f"concomitant_{name}"
        found[drug] = until(partial(patients.some, drug, free), tests.allow, f"concomitant {name}")
    prednisone = _draw_prednisone(registry, free, patients, tests, switched_off)
    return found | {"concomitant_prednisone": prednisone}


def _draw_prednisone(
    registry: Registry,
    free: Integers,
    patients: Patients,
    tests: Unrelated,
    switched_off: Collection[str],
) -> Integers:
    taking = patients.counts["concomitant_prednisone"]
    tables = prednisone_tables(registry, patients.counts, tests, switched_off)
    wanted = set(association_figures(registry)) - set(switched_off)
    if wanted and not tables:
        raise NoFittingPatientsError("concomitant prednisone: no 2 x 2 table prints its odds ratio")
    response = tests.responses[_ASSOCIATED][free]
    yes, no, unseen = free[response == 1], free[response == 0], free[np.isnan(response)]

    def draw() -> Integers:
        if not tables:
            return patients.some("concomitant_prednisone", free)
        table = tables[int(patients.rng.integers(len(tables)))]
        groups = (
            patients.choose(yes, table.exposed_yes),
            patients.choose(no, table.exposed_no),
            patients.choose(unseen, taking - table.exposed_yes - table.exposed_no),
        )
        return patients.flag(np.concatenate(groups))

    return until(draw, tests.with_prednisone, "concomitant prednisone")


def draw_prior(
    first: Words, concomitant: Mapping[str, Integers], patients: Patients
) -> dict[str, Integers]:
    """Return flags of earlier drugs by column.

    Everybody had one, but for the patients treated first: of these only who got concomitant
    cyclophosphamide had a short course of MMF. Who takes MMF or prednisone as concomitant drug
    likelier took it before; the four other drugs went to different patients.
    """
    treated, rapid = np.flatnonzero(first == ""), np.flatnonzero(first == "cyclophosphamide")

    def draw() -> dict[str, Integers]:
        found: dict[str, Integers] = {}
        for name in (name for name in PRIOR if name not in OTHER):
            sure, likelier = rapid if name == "mmf" else rapid[:0], None
            if name in ("mmf", "prednisone"):
                likelier = np.where(concomitant[f"concomitant_{name}"] > 0, 4.0, 1.0)
            drug = f"prior_{name}"
            more = patients.choose(treated, patients.counts[drug] - len(sure), likelier)
            found[drug] = patients.flag([*sure, *more])
        return found

    def fits(found: dict[str, Integers]) -> bool:
        return bool(np.sum(list(found.values()), axis=0)[treated].all())

    found = until(draw, fits, "earlier drugs")
    left = np.flatnonzero(found["prior_other"])
    for drug in (f"prior_{name}" for name in OTHER):
        found[drug] = patients.some(drug, left)
        left = left[found[drug][left] == 0]
    return found


def draw_course(
    skin: Floats,
    measures: Mapping[str, Floats],
    patients: Patients,
    tests: Unrelated,
    courses: Floats | None = None,
) -> tuple[dict[str, Integers], Words]:
    """Put cycles, months of treatment and reasons for stopping to patients.

    Returned are the columns of numbers by name, and why each treatment stopped; no word for the
    patient still treated.

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
        rows[np.setdiff1d(patients.everyone, died)] = rng.permutation(np.delete(pair, own, axis=0))
        return rows

    rows = until(
        draw, lambda rows: tests.allow(rows[:, 0], rows[:, 1]), "cycles and length of treatment"
    )
    cycles, months = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    likely = {} if courses is None else suits(courses, months)
    reason = _draw_reasons(skin, months, died, patients, tests, likely)
    least = counts.number("cycles_required", "threshold")
    gap = counts.number("treatment_gap", "threshold")
    early = _early(cycles, months, least, gap, rng)
    found = {"cycles": cycles, "cycles_first_6_months": early, "treatment_length": months}
    return found, reason


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
) -> Words:
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
    return np.array([*order, "death"])[found]


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


def draw_assessment(reason: Words, patients: Patients) -> Words:
    """Return the physician's assessment: as the reason for stopping says, as far as counts go."""
    result, left = np.full(len(reason), "other", "U8"), patients.everyone
    for word, stopped in (("improved", "improvement"), ("stable", "stable")):
        likely = np.where(reason == stopped, 1.0, 1e-9)
        chosen = patients.choose(left, patients.counts[f"physician_{word}"], likely)
        left = np.setdiff1d(left, chosen)
        result[chosen] = word
    return result


def draw_adverse_effects(reason: Words, patients: Patients) -> dict[str, Integers]:
    """Return flags of adverse effects by column.

    The aseptic meningitis is one of the headaches, both it and the transient ischemic attack ended
    the treatment, and the kidney injury came after stopping because of improvement.
    """
    found: dict[str, Integers] = {}
    for name in ADVERSE_EFFECTS:
        effect = f"ae_{name}"
        if name in ("aseptic_meningitis", "tia"):
            found[effect] = patients.flag(np.flatnonzero(reason == name))
        elif name == "headache":
            sure = np.flatnonzero(reason == "aseptic_meningitis")
            others = np.setdiff1d(patients.everyone, sure)
            more = patients.choose(others, patients.counts[effect] - len(sure))
            found[effect] = patients.flag([*sure, *more])
        else:
            improved = np.flatnonzero(reason == "improvement")
            found[effect] = patients.some(effect, improved if name == "kidney_injury" else None)
    return found
