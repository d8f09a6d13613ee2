"""A before-after study as its report describes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rederive.reconstruct.block import FLAT, Block, Figure, Prior
from rederive.reconstruct.checks import unknown


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of a study.

    Parameters
    ----------
    block : Block
        Scale, time points, numbers of patients and figures.
    priors : tuple of Prior
        Those of the description; the first is the default. The flat prior is always there.
    rises : bool or None
        Whether the measure improves by rising; ``None`` where the description does not say.
    """

    block: Block
    priors: tuple[Prior, ...] = ()
    rises: bool | None = None

    @property
    def name(self) -> str:
        """Name of the measure."""
        return self.block.name

    def prior(self, name: str) -> Prior:
        """Return a prior by name: the first for an empty name, flat where the name is not known."""
        if not name and self.priors:
            return self.priors[0]
        return next((prior for prior in self.priors if prior.name == name), FLAT)

    def without(self, names: Iterable[str]) -> Measure:
        """Return the measure with those of the figures held out that are its own."""
        left_out = set(names)
        own = [figure.id for figure in self.block.figures if figure.id in left_out]
        return replace(self, block=self.block.without(own))


@dataclass(frozen=True, slots=True)
class Study:
    """A study with one or more measures of the same patients.

    Nothing printed links the measures, so patient-level data are made for each measure on its own
    and joined at random: associations between measures are not reconstructed.

    Parameters
    ----------
    name, title, source : str
        Short name, title, and where the figures come from.
    patients : int
        Number of patients.
    timepoints : tuple of str
        All time points; a measure has some of them, and its first is its baseline.
    measures : tuple of Measure
        At least one.
    description : mapping
        The description as plain mappings, lists and texts, as the checker reads it.
    """

    name: str
    title: str
    source: str
    patients: int
    timepoints: tuple[str, ...]
    measures: tuple[Measure, ...]
    description: Mapping[str, Any]

    def check_prior(self, name: str) -> None:
        """Refuse a prior that no measure has; all have the flat one.

        Raises
        ------
        ValueError
            With the names there are and the nearest.
        """
        known = [prior.name for measure in self.measures for prior in measure.priors]
        if name and name not in (*known, FLAT.name):
            raise unknown("prior", name, dict.fromkeys([*known, FLAT.name]))

    def measure(self, name: str) -> Measure:
        """Return a measure by name; an empty name will do if there is only one.

        Raises
        ------
        ValueError
            With the names there are and the nearest.
        """
        if not name and len(self.measures) == 1:
            return self.measures[0]
        known = {measure.name: measure for measure in self.measures}
        if name not in known:
            raise unknown("measure", name, known)
        return known[name]

    def figure(self, name: str) -> tuple[Measure, Figure]:
        """Return a figure by its id, with its measure.

        Raises
        ------
        ValueError
            With the nearest id.
        """
        found = {figure.id: (m, figure) for m in self.measures for figure in m.block.figures}
        if name not in found:
            raise unknown("figure", name, found)
        return found[name]

    def without(self, names: Iterable[str]) -> Study:
        """Return the study with some figures held out.

        Raises
        ------
        ValueError
            If a name is no figure of the study.
        """
        left_out = tuple(names)
        for name in left_out:
            self.figure(name)
        return replace(self, measures=tuple(m.without(left_out) for m in self.measures))
