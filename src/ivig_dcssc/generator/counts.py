"""Numbers of patients with a characteristic that are switched off, and what is drawn instead.

A count and its percentage, and every repeat of them, are one quantity. Its prior is flat: every
whole number is equally probable (a binomial number with a uniform probability, Beta(1, 1)), and of
several numbers every combination, as far as they are coherent with each other and with the numbers
still printed. So a number that the others fix, as one of a sum, stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ivig_dcssc.generator.coherence import RULES
from ivig_dcssc.generator.drawing import (
    CONCOMITANT,
    GROUP,
    OTHER,
    PRIOR,
    REASONS,
    Counts,
    Flags,
    Integers,
    NoFittingPatientsError,
    association_figures,
    association_tables,
    printed_number,
)
from rederive.printed import PrintedNumber, RoundingRule
from rederive.printed.registry import NumberRow, Registry

Values: TypeAlias = dict[str, Integers]
"""Numbers by quantity, each of shape () where it is fixed or (draws,)."""

KNOWN = " known"
"""Follows the name of a characteristic for the number of patients in whom it is known."""

FIRST_LINE = "first_line"

SINGLES = {
    "death_delay": ("stop_death", (13, 24)),
    "kidney_injury_delay": ("ae_kidney_injury", (1, 24)),
}
"""Months printed of a single patient: which count they make 1, and the range of the prior; ours.

Who died has no skin score at 18 and 24 months, and may have one at 12.
"""

_RACES = ("white", "black", "other_race")
_STOPS = (*(f"stop_{name}" for name in REASONS), "still_on_ivig")
_SUMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", _RACES),
    ("", _STOPS),
    ("tfr", ("tfr_resolved", "tfr_continued", "tfr_unknown")),
    ("prior_other", tuple(f"prior_{name}" for name in OTHER)),
)
"""Totals and the parts that add up to them; no name stands for all patients."""

_TOGETHER = (("stop_tia", "ae_tia"), ("stop_aseptic_meningitis", "ae_aseptic_meningitis"))
"""Complications that ended the treatment of everybody who had them."""

_FAMILIES = {
    "race": _RACES,
    "rubs": ("tfr",),
    "course": (*_STOPS, "ae_", *SINGLES),
    "antibodies": ("an", "rnp"),
    "assessment": ("physician_",),
    "drugs": ("first_line", "prior_", "concomitant_", "myositis", "cpk_serial"),
}
"""Quantities that may limit each other, by how their names begin."""

_BATCH = 4096
_BATCHES = 500


def count_figures(registry: Registry) -> dict[str, str]:
    """Return the figures that :func:`draw_counts` can do without: id to quantity.

    Repeats are left out; a percentage belongs to the quantity of its count.
    """
    return {
        row.id: quantity
        for row in registry.numbers.values()
        if not row.same_as and (quantity := _quantity(row))
    }


def _quantity(row: NumberRow) -> str:
    # Responders are counted from skin scores, and one reason for stopping is a sum of two.
    if row.group != GROUP or row.variable in ("responder", "stop_improved_or_stable"):
        return ""
    if row.statistic in ("count", "percent"):
        # Who had no earlier therapy was treated first: printed as its complement too.
        return FIRST_LINE if row.variable == "prior_therapy" else row.variable
    if row.statistic == "n" and row.variable.startswith(("anti", "rnp")):
        return row.variable + KNOWN
    return row.variable if row.statistic == "other" and row.variable in SINGLES else ""


def printed_counts(registry: Registry) -> dict[str, int]:
    """Return what is printed of each quantity."""
    counts = Counts(registry)
    found = {}
    for quantity in count_figures(registry).values():
        if quantity in SINGLES:
            found[quantity] = counts.number(quantity, "other")
        elif quantity.endswith(KNOWN):
            found[quantity] = counts.known(quantity.removesuffix(KNOWN))
        else:
            found[quantity] = counts[quantity]
    return found


def draw_counts(
    registry: Registry,
    off: Collection[str],
    draws: int,
    rng: np.random.Generator,
    *,
    without: Collection[str] = (),
) -> Values:
    """Draw the quantities of :func:`count_figures` in ``off``, each of shape (draws,).

    ``without`` has the ids of all figures that are switched off. Concomitant prednisone keeps to
    the numbers with which its odds ratio can be printed, unless the patients followed or the
    responders are among them.

    Raises
    ------
    NoFittingPatientsError
        If no coherent combination is found.
    """
    printed = printed_counts(registry)
    coherent = _coherence(registry, printed, off, without)
    families: dict[str, list[str]] = {}
    for quantity in sorted(off, key=list(printed).index):
        families.setdefault(_family(quantity), []).append(quantity)
    drawn: Values = {}
    for family in families.values():
        drawn.update(_draw_family(family, printed, Counts(registry).size, coherent, draws, rng))
    return drawn


def _family(quantity: str) -> str:
    """Return what a quantity belongs to; those of different families do not limit each other."""
    return next(
        (family for family, starts in _FAMILIES.items() if quantity.startswith(starts)), quantity
    )


def _draw_family(
    off: list[str],
    printed: Mapping[str, int],
    size: int,
    coherent: Callable[[Values], Flags],
    draws: int,
    rng: np.random.Generator,
) -> Values:
    fixed = _fixed(printed, off)
    free = [name for name in off if name not in fixed]
    values: Values = {name: np.asarray(n) for name, n in {**printed, **fixed}.items()}
    kept = np.empty((len(off), 0), np.int64)
    for _ in range(_BATCHES):
        batch = _candidates(values, free, size, rng)
        holds = np.broadcast_to(coherent(batch), (_BATCH,))
        rows = [np.broadcast_to(batch[name], (_BATCH,))[holds] for name in off]
        kept = np.hstack([kept, rows])
        if kept.shape[1] >= draws:
            return dict(zip(off, kept[:, :draws], strict=True))
    raise NoFittingPatientsError(f"counts: no coherent numbers of {', '.join(off)} were found")


def _fixed(printed: Mapping[str, int], off: Collection[str]) -> dict[str, int]:
    """Return the quantities switched off that another one printed decides."""
    found = {}
    for one, other in (*_TOGETHER, *(pair[::-1] for pair in _TOGETHER)):
        if one in off and other not in off:
            found[one] = printed[other]
    for delay, (count, _) in SINGLES.items():
        if count in off and delay not in off:
            found[count] = 1
    return found


def _candidates(
    values: Values,
    free: Collection[str],
    size: int,
    rng: np.random.Generator,
) -> Values:
    """Return a batch of numbers that add up, coherent or not."""
    found = dict(values)
    for name in free:
        low, high = SINGLES[name][1] if name in SINGLES else (int(name.endswith(KNOWN)), size)
        found[name] = rng.integers(low, high + 1, _BATCH)
    if FIRST_LINE in free:
        found.update(_first_line_candidates(free, size, rng))
    for total, parts in _SUMS:
        open_parts = [name for name in parts if name in free]
        if total in free:
            found[total] = _total(found, parts)
        elif open_parts:
            whole = int(found[total]) if total else size
            left = whole - int(_total(found, [name for name in parts if name not in free]))
            shares = _compositions(max(left, 0), len(open_parts), rng)
            found.update(zip(open_parts, shares.T, strict=True))
    for one, other in _TOGETHER:
        if one in free and other in free:
            found[other] = found[one]
    return found


def _first_line_candidates(free: Collection[str], size: int, rng: np.random.Generator) -> Values:
    """Return the patients treated first, and what cannot be more than they or than the others.

    Every combination within these limits is equally probable, as it is without them; candidates
    that ignore them would hardly ever be coherent.
    """
    of_others = [f"prior_{name}" for name in PRIOR if name not in (*OTHER, "mmf")]
    of_others = [name for name in of_others if name in free and name != "prior_other"]
    of_first = [name for name in ("first_line_monotherapy", "first_line_mmf") if name in free]
    first = np.arange(size + 1)
    weights = (size + 1.0 - first) ** len(of_others) * (1.0 + first) ** len(of_first)
    drawn = rng.choice(first, _BATCH, p=weights / weights.sum())
    return {
        FIRST_LINE: drawn,
        **{name: rng.integers(0, size - drawn + 1) for name in of_others},
        **{name: rng.integers(0, drawn + 1) for name in of_first},
    }


def _total(values: Values, names: Collection[str]) -> Integers:
    return np.asarray(sum((values[name] for name in names), start=np.array(0)))


def _compositions(total: int, parts: int, rng: np.random.Generator) -> Integers:
    """Return ways to divide a total, all equally probable, shape (batch, parts)."""
    places = np.tile(np.arange(total + parts - 1), (_BATCH, 1))
    bars = np.sort(rng.permuted(places, axis=1)[:, : parts - 1], axis=1)
    edges = np.hstack([np.full((_BATCH, 1), -1), bars, np.full((_BATCH, 1), total + parts - 1)])
    return np.asarray(np.diff(edges, axis=1) - 1)


def _denominators(registry: Registry, variable: str, count: int, size: int) -> list[int]:
    """Return the numbers of patients of whom a count is the printed percentage."""
    shares = [
        row.printed.interval(RoundingRule.HALF_UP)
        for row in registry.numbers.values()
        if (row.group, row.variable, row.statistic) == (GROUP, variable, "percent")
    ]
    sizes = range(1, size + 1)
    return [n for n in sizes if all(Fraction(100 * count, n) in share for share in shares)]


def _coherence(
    registry: Registry, printed: Mapping[str, int], off: Collection[str], without: Collection[str]
) -> Callable[[Values], Flags]:
    """Return a function that says which candidates do not contradict themselves."""
    size = Counts(registry).size
    # Denominators with which a count prints its percentage.
    known = {
        name: _denominators(registry, variable, printed[variable], size)
        for name in off
        if name.endswith(KNOWN) and (variable := name.removesuffix(KNOWN)) not in off
    }
    rows = [registry.row(name) for name in {*without} - {*RULES}]
    off_rows = {(row.variable, row.timepoint) for row in rows}
    # All with myositis had their CPK measured, and who died has no late skin scores.
    measured, unseen = size, size
    if ("cpk", "baseline") not in off_rows:
        measured = printed_number(registry, "table1-cpk-ivig-baseline-n")
    if ("mrss", "m18") not in off_rows:
        unseen = size - printed_number(registry, "abstract-mrss-ivig-m18-n")
    prednisone = None
    bears = {("responder", "m12"), ("mrss", "m12")} & off_rows
    wanted = set(association_figures(registry)) - set(without)
    if "concomitant_prednisone" in off and wanted and not bears:
        tables = association_tables(registry, without, range(1, size + 1))
        exposed = {table.exposed_yes + table.exposed_no for table in tables}
        others = size - printed_number(registry, "abstract-mrss-ivig-m12-n")
        prednisone = np.unique([n + more for n in exposed for more in range(others + 1)])

    def coherent(c: Values) -> Flags:
        rules = [
            *((value >= 0) & (value <= size) for name, value in c.items() if name not in SINGLES),
            *(_total(c, parts) == (c[total] if total else size) for total, parts in _SUMS),
            c["physician_improved"] + c["physician_stable"] <= size,
            c["myositis"] <= measured,
            c["stop_death"] <= unseen,
            *_of_drugs(c, size),
            *_of_antibodies(c),
            *_of_course(c),
            *(np.isin(c[name], allowed) for name, allowed in known.items()),
        ]
        if prednisone is not None:
            rules.append(np.isin(c["concomitant_prednisone"], prednisone))
        return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*rules)))

    return coherent


def _of_drugs(c: Values, size: int) -> Iterator[Flags]:
    """Yield what the patients treated first ask of the drugs, and of who has myositis."""
    alone, with_mmf = c["first_line_monotherapy"], c["first_line_mmf"]
    rapid = c[FIRST_LINE] - alone - with_mmf
    treated = size - c[FIRST_LINE]
    yield rapid >= 0
    yield with_mmf <= c["myositis"]
    yield alone + rapid <= size - c["myositis"]
    yield c["cpk_serial"] <= c["myositis"]
    mmf, cyclophosphamide = c["concomitant_mmf"], c["concomitant_cyclophosphamide"]
    yield with_mmf <= mmf
    yield rapid <= cyclophosphamide
    yield mmf - with_mmf + cyclophosphamide - rapid <= treated
    for name in CONCOMITANT:
        yield c[f"concomitant_{name}"] <= size - alone
    names = [name for name in PRIOR if name not in OTHER]
    had = {name: c[f"prior_{name}"] - (rapid if name == "mmf" else 0) for name in names}
    for count in had.values():
        yield (count >= 0) & (count <= treated)
    yield _total(had, had) >= treated


def _of_antibodies(c: Values) -> Iterator[Flags]:
    polymerase = c["anti_rna_polymerase_iii"]
    for name in ("anticentromere", "antitopoisomerase"):
        yield c[name] + polymerase <= c["ana"]
    for name in ("anti_rna_polymerase_iii", "rnp"):
        yield (c[name] <= c["ana"]) & (c[name] <= c[name + KNOWN])


def _of_course(c: Values) -> Iterator[Flags]:
    for one, other in _TOGETHER:
        yield c[one] == c[other]
    yield c["ae_aseptic_meningitis"] <= c["ae_headache"]
    yield c["ae_kidney_injury"] <= c["stop_improvement"]
    recent, lasting = c["tfr_restricted"], c["tfr_continued_restricted"]
    yield (recent <= c["tfr"]) & (lasting <= recent) & (lasting <= c["tfr_continued"])
    yield c["tfr_continued"] - lasting <= c["tfr"] - recent


def with_counts(registry: Registry, values: Mapping[str, int]) -> Registry:
    """Return the registry as if other numbers had been printed.

    Parameters
    ----------
    values : mapping of str to int
        By quantity, as :func:`draw_counts` returns them for one draw.
    """
    quantities = count_figures(registry)
    counts = printed_counts(registry) | dict(values)
    size = Counts(registry).size
    numbers = dict(registry.numbers)
    for name, row in registry.numbers.items():
        quantity = quantities.get(row.same_as or name, "")
        if quantity not in values and quantity + KNOWN not in values:
            continue
        n = counts.get(quantity + KNOWN, row.n or size)
        number = counts[quantity]
        if row.variable != quantity.removesuffix(KNOWN):
            number = size - number
        # Enough decimals for the count to follow again.
        words = f"{100 * number / n:.4f}" if row.statistic == "percent" else str(number)
        numbers[name] = replace(row, printed=PrintedNumber(words), n=n)
    return replace(registry, numbers=numbers)
