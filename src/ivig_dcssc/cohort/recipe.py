"""What determines a reconstructed cohort: prior, seed, reading, and figures switched off."""

from __future__ import annotations

from dataclasses import dataclass

from ivig_dcssc.cohort.characteristics import switchable as switchable_claims
from ivig_dcssc.cohort.measures import switchable as switchable_measures
from ivig_dcssc.cohort.predictions import first_mention
from ivig_dcssc.cohort.priors import PRIORS
from ivig_dcssc.cohort.severities import switchable as switchable_severities
from ivig_dcssc.cohort.skin import READINGS, skin_block
from rederive.printed.registry import Registry
from rederive.printed.schema import nearest


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a reconstructed cohort depends on, besides the registry and the code.

    Parameters
    ----------
    prior : str
        Name of one of :data:`~ivig_dcssc.cohort.priors.PRIORS`, for the skin scores.
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
    """The figures switched off, by the part of a cohort that they constrain."""

    skin: tuple[str, ...]
    measures: tuple[str, ...]
    severities: tuple[str, ...]
    claims: tuple[str, ...]


def switchable(registry: Registry) -> dict[str, tuple[str, ...]]:
    """Return the ids that can be switched off, by the part of a cohort that they constrain."""
    return {
        "skin": tuple(figure.id for figure in skin_block(registry).figures),
        "measures": switchable_measures(registry),
        "severities": switchable_severities(registry),
        "claims": switchable_claims(registry),
    }


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
        For an id that is unknown, or that nothing but itself constrains (a count, say).
    """
    known = switchable(registry)
    found: dict[str, list[str]] = {part: [] for part in known}
    for name in without:
        first = first_mention(registry, name)
        part = next((part for part, ids in known.items() if first in ids), None)
        if part is None:
            raise ValueError(_refusal(registry, name, [i for ids in known.values() for i in ids]))
        found[part].append(first)
    return Switches(**{part: tuple(ids) for part, ids in found.items()})


def _refusal(registry: Registry, name: str, allowed: list[str]) -> str:
    hint = nearest(name, allowed)
    meant = f"; did you mean {hint}?" if hint else ""
    if name in registry.plan:
        return (
            f"{name}: found a figure that no other figure bears on, allowed are the means, SDs, "
            f"p values and responder counts of measures, and claims about predictors{meant}"
        )
    return f"found {name!r}, allowed are ids of the registry{meant}"
