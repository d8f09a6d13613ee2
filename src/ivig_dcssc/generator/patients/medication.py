"""Drugs before and beside the treatment, and the patients treated with it first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ivig_dcssc.generator.drawing import (
    CONCOMITANT,
    OTHER,
    PRIOR,
    Counts,
    Floats,
    Integers,
    NoFittingPatientsError,
    association_figures,
    association_tables,
    choose,
    fitting_flag,
    flag,
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


def draw_first_line(
    myositis: Integers, duration: Integers, counts: Counts, rng: np.random.Generator
) -> FirstLine:
    """Choose the patients treated first with it, likelier those whose disease is recent.

    Parameters
    ----------
    myositis : array of int
        The patients with myositis; those with concomitant MMF are among them.
    duration : array of int, shape (patients,)
        Disease duration in months.

    Raises
    ------
    ValueError
        If the registry counts fewer such patients than of two of the three kinds.
    """
    alone, with_mmf = counts["first_line_monotherapy"], counts["first_line_mmf"]
    patients = counts["first_line"]
    if alone + with_mmf > patients:
        raise ValueError(
            f"first line: found {alone} on monotherapy and {with_mmf} with MMF, allowed are "
            f"{patients} together"
        )
    recent = 1 / (1.0 + duration)
    combined = choose(rng, myositis, with_mmf, recent)
    others = without(range(counts.size), myositis)
    drawn = choose(rng, others, patients - with_mmf, recent).tolist()
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
    followed, responders = tests.followed(_ASSOCIATED), tests.responders(_ASSOCIATED)
    taking, total = counts["concomitant_prednisone"], int(followed.sum())
    least = max(1, taking - int((~followed).sum()))
    outcome = [int((responders & followed).sum())]
    return association_tables(registry, switched_off, total, outcome, range(least, taking + 1))


def draw_concomitant(
    registry: Registry,
    first: FirstLine,
    counts: Counts,
    tests: Unrelated,
    rng: np.random.Generator,
    switched_off: Collection[str] = (),
) -> dict[str, Integers]:
    """Return flags of concomitant drugs by name.

    MMF and cyclophosphamide go to different patients. Who is on monotherapy takes nothing.

    Raises
    ------
    NoFittingPatientsError
        If no 2 x 2 table of prednisone prints the odds ratio, or no choice passes the tests.
    """
    size = counts.size
    others = without(range(size), first.patients)
    free = without(range(size), first.monotherapy)

    def draw_main() -> tuple[Integers, Integers]:
        mmf = choose(rng, others, counts["concomitant_mmf"] - len(first.mmf))
        spared = without(others, mmf)
        rapid = first.cyclophosphamide
        more = counts["concomitant_cyclophosphamide"] - len(rapid)
        cyclophosphamide = choose(rng, spared, more)
        return flag(size, [*first.mmf, *mmf]), flag(size, [*rapid, *cyclophosphamide])

    found: dict[str, Integers] = {}
    found["mmf"], found["cyclophosphamide"] = until(
        draw_main, lambda two: tests.flags(*two), "concomitant MMF and cyclophosphamide"
    )
    for name in ("methotrexate", "hydroxychloroquine", "imatinib"):
        count = counts[f"concomitant_{name}"]
        found[name] = fitting_flag(rng, free, size, count, tests.flags, f"concomitant {name}")
    found["prednisone"] = _draw_prednisone(registry, free, counts, tests, rng, switched_off)
    return {name: found[name] for name in CONCOMITANT}


def _draw_prednisone(
    registry: Registry,
    free: Integers,
    counts: Counts,
    tests: Unrelated,
    rng: np.random.Generator,
    switched_off: Collection[str],
) -> Integers:
    size, taking = counts.size, counts["concomitant_prednisone"]
    tables = prednisone_tables(registry, counts, tests, switched_off)
    wanted = set(association_figures(registry)) - set(switched_off)
    if wanted and not tables:
        raise NoFittingPatientsError("concomitant prednisone: no 2 x 2 table prints its odds ratio")
    followed, responders = tests.followed(_ASSOCIATED), tests.responders(_ASSOCIATED)
    yes = without(free, np.flatnonzero(~(followed & responders)))
    no = without(free, np.flatnonzero(~(followed & ~responders)))
    unseen = without(free, np.flatnonzero(followed))

    def draw() -> Integers:
        if not tables:
            return flag(size, choose(rng, free, taking))
        table = tables[int(rng.integers(len(tables)))]
        exposed = table.exposed_yes + table.exposed_no
        groups = (
            choose(rng, yes, table.exposed_yes),
            choose(rng, no, table.exposed_no),
            choose(rng, unseen, taking - exposed),
        )
        return flag(size, np.concatenate(groups))

    return until(draw, tests.with_prednisone, "concomitant prednisone")


def draw_prior(
    first: FirstLine,
    concomitant: dict[str, Integers],
    counts: Counts,
    rng: np.random.Generator,
) -> dict[str, Integers]:
    """Return flags of earlier drugs by name.

    Everybody had one, but for the patients treated first: of these only who got concomitant
    cyclophosphamide had a short course of MMF. Who takes MMF or prednisone as concomitant drug
    likelier took it before; the four other drugs went to different patients.
    """
    size = counts.size
    treated = without(range(size), first.patients)

    def likelier(drug: str) -> Floats:
        return np.where(concomitant[drug] > 0, 4.0, 1.0)

    def draw() -> dict[str, Integers]:
        found: dict[str, Integers] = {}
        for name in PRIOR:
            count = counts[f"prior_{name}"]
            if name == "mmf":
                more = count - len(first.cyclophosphamide)
                chosen = choose(rng, treated, more, likelier(name))
                found[name] = flag(size, [*first.cyclophosphamide, *chosen])
            elif name == "prednisone":
                found[name] = flag(size, choose(rng, treated, count, likelier(name)))
            elif name not in OTHER:
                found[name] = flag(size, choose(rng, treated, count))
        return found

    def fits(found: dict[str, Integers]) -> bool:
        return bool(np.sum(list(found.values()), axis=0)[treated].all())

    found = until(draw, fits, "earlier drugs")
    left = np.flatnonzero(found["other"])
    for name in OTHER:
        chosen = choose(rng, left, counts[f"prior_{name}"])
        found[name], left = flag(size, chosen), without(left, chosen)
    return {name: found[name] for name in PRIOR}
