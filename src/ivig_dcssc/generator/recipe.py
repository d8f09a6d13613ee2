"""What determines a reconstructed cohort: prior, seed, reading, and figures switched off."""

from __future__ import annotations

from dataclasses import dataclass

from ivig_dcssc.generator.characteristics import switchable as switchable_claims
from ivig_dcssc.generator.counts import count_figures
from ivig_dcssc.generator.drawing import GROUP
from ivig_dcssc.generator.measures import switchable as switchable_measures
from ivig_dcssc.generator.predictions import first_mention
from ivig_dcssc.generator.priors import PRIORS
from ivig_dcssc.generator.severities import switchable as switchable_severities
from ivig_dcssc.generator.sizes import Size, size_figures
from ivig_dcssc.generator.skin import MEASURE, READINGS, skin_block
from rederive.printed.evidence import Evidence
from rederive.printed.registry import ClaimRow, NumberRow, Registry
from rederive.printed.schema import nearest

CK_SERIAL = "cpk_serial"

_SUMMARIES: dict[str, tuple[str, ...]] = {
    "adverse_effects": ("ae_",),
    "mrss_restricted": (MEASURE,),
    "severity_organs": ("severity_",),
    "severity_restricted": ("severity_",),
    "stop_improved_or_stable": ("stop_",),
}
"""Statements about several variables, with how the names of these begin."""

_HINTS = 3
"""Most ids that are named in place of one that cannot be switched off."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a reconstructed cohort depends on, besides the registry and the code.

    Parameters
    ----------
    prior : str
        Name of one of :data:`~ivig_dcssc.generator.priors.PRIORS`, for the skin scores.
    seed : int
        Seed of all randomness, 0 or more.
    reading : str
        How the mean change at month 12 is read.
    without : tuple of str
        Ids of figures and claims that are switched off, first mentions only.

    Raises
    ------
    ValueError
        Naming the field, what was found and what is allowed.
    """

    prior: str
    seed: int
    reading: str = READINGS[0]
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.prior not in PRIORS:
            raise ValueError(f"prior: found {self.prior!r}, allowed are {', '.join(PRIORS)}")
        if self.seed < 0:
            raise ValueError(f"seed: found {self.seed}, allowed are whole numbers from 0")
        if self.reading not in READINGS:
            raise ValueError(f"reading: found {self.reading!r}, allowed are {', '.join(READINGS)}")

    def described(self) -> dict[str, object]:
        """Return the recipe as plain values, with the prior's parameters in words."""
        return {
            "prior": PRIORS[self.prior].describe(),
            "seed": self.seed,
            "reading": self.reading,
            "without": list(self.without),
        }


@dataclass(frozen=True, slots=True)
class Switches:
    """The figures switched off, by the part of a cohort that they constrain.

    Attributes
    ----------
    skin, measures, severities, claims : tuple of str
        Ids, for the parts that draw data without some figures.
    sizes : tuple of tuple of str
        Measures and time points of which the number of patients is drawn.
    counts : tuple of str
        Quantities of patients with a characteristic that are drawn.
    statements : tuple of str
        Ids of claims that follow from figures, and constrain nothing by themselves.
    every : frozenset of str
        Ids of all figures switched off, each with what else prints the same quantity.
    """

    skin: tuple[str, ...]
    measures: tuple[str, ...]
    severities: tuple[str, ...]
    claims: tuple[str, ...]
    sizes: tuple[Size, ...]
    counts: tuple[str, ...]
    statements: tuple[str, ...]
    every: frozenset[str]

    @property
    def ck_serial(self) -> bool:
        """Whether the number of patients with serial creatine phosphokinase is switched off."""
        return CK_SERIAL in self.counts


def switchable(registry: Registry) -> dict[str, tuple[str, ...]]:
    """Return the ids that can be switched off, by the part of a cohort that they constrain."""
    return {
        "skin": tuple(figure.id for figure in skin_block(registry).figures),
        "measures": switchable_measures(registry),
        "severities": switchable_severities(registry),
        "claims": switchable_claims(registry),
        "sizes": tuple(size_figures(registry)),
        "counts": tuple(count_figures(registry)),
        "statements": predicted_statements(registry),
    }


def predicted_statements(registry: Registry) -> tuple[str, ...]:
    """Return the claims of a significant fall at months whose p value is predicted."""
    return tuple(
        row.id
        for row in registry.claims.values()
        if (row.variable, row.kind) == (MEASURE, "significant")
        and row.timepoint
        and not row.same_as
        and registry.plan[row.id].method == "cohort_prediction"
    )


def switches(registry: Registry, without: tuple[str, ...]) -> Switches:
    """Sort the figures that are switched off by what they constrain.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    without : tuple of str
        Ids; a repeat stands for the first mention of its quantity.

    Raises
    ------
    ValueError
        For an id that is unknown, or that is no constraint on a cohort, with the reason.
    """
    known = switchable(registry)
    found: dict[str, list[str]] = {part: [] for part in known}
    for name in without:
        first = first_mention(registry, name)
        part = next((part for part, ids in known.items() if first in ids), None)
        if part is None:
            raise ValueError(refusal(registry, name))
        found[part].append(first)
    sizes, counts = size_figures(registry), count_figures(registry)
    off_sizes = tuple(dict.fromkeys(sizes[name] for name in found["sizes"]))
    off_counts = tuple(dict.fromkeys(counts[name] for name in found["counts"]))
    every = {name for ids in found.values() for name in ids}
    every |= {name for name, size in sizes.items() if size in off_sizes}
    every |= {name for name, quantity in counts.items() if quantity in off_counts}
    return Switches(
        skin=tuple(found["skin"]),
        measures=tuple(found["measures"]),
        severities=tuple(found["severities"]),
        claims=tuple(found["claims"]),
        sizes=off_sizes,
        counts=off_counts,
        statements=tuple(found["statements"]),
        every=frozenset(every),
    )


def need_not_hold(registry: Registry, without: tuple[str, ...]) -> set[str]:
    """Return what need not hold: figures switched off, their repeats, and statements about them.

    Parameters
    ----------
    without : tuple of str
        Ids as for :func:`switches`.
    """
    if not without:
        return set()
    figures = {name for ids in switchable(registry).values() for name in ids}
    off = switches(registry, without).every
    about = {(registry.row(name).variable, registry.row(name).timepoint) for name in off}
    found = set()
    for row in registry:
        first = row.same_as or row.id
        near = any(row.variable == name and row.timepoint in ("", at) for name, at in about)
        near |= any(_sums_up(row.variable, name) for name, _ in about)
        if first in off or (near and first not in figures):
            found.add(row.id)
    return found


def _sums_up(statement: str, variable: str) -> bool:
    return variable.startswith(_SUMMARIES.get(statement, "no such variable"))


def refusal(registry: Registry, name: str) -> str:
    """Say why an id cannot be switched off, and what could be instead."""
    allowed = [known for ids in switchable(registry).values() for known in ids]
    if name not in registry.plan:
        hint = nearest(name, allowed)
        meant = f"did you mean {hint}?" if hint else "ids are listed by `rederive ledger`"
        return f"figure: found {name!r}, allowed are ids of figures and claims of cohorts; {meant}"
    row, plan = registry.row(name), registry.plan[name]
    near = [*(i for i in plan.inputs if first_mention(registry, i) in allowed)]
    near += [known for known in allowed if registry.row(known).variable == row.variable]
    hint = ", ".join(dict.fromkeys(near[:_HINTS])) or nearest(name, allowed) or ""
    instead = f"; what can be switched off are for example {hint}" if hint else ""
    return f"{name}: found {_why(row, plan.evidence, near)}{instead}"


def _why(row: NumberRow | ClaimRow, evidence: Evidence, near: list[str]) -> str:
    if row.group != GROUP:
        return "a figure that is not of the reconstructed patients, so no cohort is held to it"
    if evidence is Evidence.NOT_REPRODUCIBLE:
        return "a statement whose data the article does not show; it constrains no figure"
    if evidence is Evidence.STATED:
        return "a stated part of the design or account, which nothing else printed can predict"
    if near:
        return "a figure that follows from others, and constrains no cohort by itself"
    return "a figure that is recomputed from others, and constrains no cohort"
