"""Drugs before and beside the treatment, and the patients treated with it first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import numpy as np

from ivig_dcssc.generator.drawing import (
    CONCOMITANT,
    OTHER,
    PRIOR,
    Counts,
    Integers,
    NoFittingPatientsError,
    Patients,
    association_figures,
    association_tables,
    until,
    without,
)
from ivig_dcssc.generator.patients.predictors import Unrelated
from rederive.printed.registry import Registry
from rederive.recompute.two_by_two import Table2x2

_ASSOCIATED = 12


@dataclass(frozen=True, slots=True)
class FirstLine:
    """The patients who had the treatment as part of their first."""

    monotherapy: tuple[int, ...]
    cyclophosphamide: tuple[int, ...]
    mmf: tuple[int, ...]

    @property
    def patients(self) -> tuple[int, ...]:
        """All of them."""
        return *self.monotherapy, *self.cyclophosphamide, *self.mmf

    def words(self, size: int) -> list[str | None]:
        """Return with what each patient was treated first; None where not with it."""
        kinds = ("monotherapy", "cyclophosphamide", "mmf")
        drugs = {patient: kind for kind in kinds for patient in getattr(self, kind)}
        return [drugs.get(patient) for patient in range(size)]


def draw_first_line(myositis: Integers, duration: Integers, patients: Patients) -> FirstLine:
    """Choose the patients treated first with it, likelier those whose disease is recent.

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
    others = without(patients.everyone, myositis)
    drawn = patients.choose(others, counts["first_line"] - with_mmf, recent).tolist()
    return FirstLine(tuple(drawn[:alone]), tuple(drawn[alone:]), tuple(combined.tolist()))


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
    return association_tables(registry, switched_off, total, outcome, range(least, taking + 1))


def draw_concomitant(
    registry: Registry,
    first: FirstLine,
    patients: Patients,
    tests: Unrelated,
    switched_off: Collection[str] = (),
) -> dict[str, Integers]:
    """Return flags of concomitant drugs by name.

    MMF and cyclophosphamide go to different patients. Who is on monotherapy takes nothing.

    Raises
    ------
    NoFittingPatientsError
        If no 2 x 2 table of prednisone prints the odds ratio, or no choice passes the tests.
    """
    counts = patients.counts
    others = without(patients.everyone, first.patients)
    free = without(patients.everyone, first.monotherapy)

    def draw_main() -> tuple[Integers, Integers]:
        mmf = patients.choose(others, counts["concomitant_mmf"] - len(first.mmf))
        spared = without(others, mmf)
        rapid = first.cyclophosphamide
        more = patients.choose(spared, counts["concomitant_cyclophosphamide"] - len(rapid))
        return patients.flag([*first.mmf, *mmf]), patients.flag([*rapid, *more])

    found: dict[str, Integers] = {}
    found["mmf"], found["cyclophosphamide"] = until(
        draw_main, lambda two: tests.allow(*two), "concomitant MMF and cyclophosphamide"
    )
    for name in ("methotrexate", "hydroxychloroquine", "imatinib"):
        drug = f"concomitant_{name}"
        found[name] = until(partial(patients.some, drug, free), tests.allow, f"concomitant {name}")
    found["prednisone"] = _draw_prednisone(registry, free, patients, tests, switched_off)
    return {name: found[name] for name in CONCOMITANT}


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
    first: FirstLine, concomitant: dict[str, Integers], patients: Patients
) -> dict[str, Integers]:
    """Return flags of earlier drugs by name.

    Everybody had one, but for the patients treated first: of these only who got concomitant
    cyclophosphamide had a short course of MMF. Who takes MMF or prednisone as concomitant drug
    likelier took it before; the four other drugs went to different patients.
    """
    treated = without(patients.everyone, first.patients)

    def draw() -> dict[str, Integers]:
        found: dict[str, Integers] = {}
        for name in (name for name in PRIOR if name not in OTHER):
            sure = first.cyclophosphamide if name == "mmf" else ()
            likelier = None
            if name in ("mmf", "prednisone"):
                likelier = np.where(concomitant[name] > 0, 4.0, 1.0)
            more = patients.counts[f"prior_{name}"] - len(sure)
            found[name] = patients.flag([*sure, *patients.choose(treated, more, likelier)])
        return found

    def fits(found: dict[str, Integers]) -> bool:
        return bool(np.sum(list(found.values()), axis=0)[treated].all())

    found = until(draw, fits, "earlier drugs")
    left = np.flatnonzero(found["other"])
    for name in OTHER:
        found[name] = patients.some(f"prior_{name}", left)
        left = left[found[name][left] == 0]
    return {name: found[name] for name in PRIOR}
