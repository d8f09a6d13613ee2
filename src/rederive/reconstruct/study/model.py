"""A before-after study as its report describes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from rederive.printed import PrintedNumber
from rederive.printed.errors import unknown
from rederive.reconstruct.block import FLAT, Block, Figure, Prior, Statistic


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
    group : str
        Group of patients, with which the name of the measure begins; empty in a study without.
    """

    block: Block
    priors: tuple[Prior, ...] = ()
    rises: bool | None = None
    group: str = ""

    @property
    def name(self) -> str:
        """Name of the measure, after that of its group, as in ``control.grip``."""
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
class Comparison:
    """A printed p value of a test between two groups.

    Parameters
    ----------
    id : str
        Name of the figure.
    measures : tuple of str
        Names of two measures, of different groups.
    of : Statistic
        The mean, at the time point or of the change, or the count that is compared.
    at : str
        Time point.
    test : str
        A key of :data:`rederive.reconstruct.study.comparing.TESTS`.
    printed : PrintedNumber
        The p value as printed.
    threshold : Fraction, optional
        Of a count.
    """

    id: str
    measures: tuple[str, str]
    of: Statistic
    at: str
    test: str
    printed: PrintedNumber
    threshold: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """A study with one or more measures of the same patients, or of those of several groups.

    Nothing printed links the measures of a group, so patient-level data are made for each measure
    on its own and joined at random: associations between measures are not reconstructed.

    Parameters
    ----------
    name, title, source : str
        Short name, title, and where the figures come from.
    measures : tuple of Measure
        At least one.
    comparisons : tuple of Comparison
        Tests between groups.
    description : mapping
        The description as plain mappings, lists and texts, as the checker reads it.
    """

    name: str
    title: str
    source: str
    measures: tuple[Measure, ...]
    comparisons: tuple[Comparison, ...]
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

    def figure(self, name: str) -> Figure | Comparison:
        """Return a figure of a measure, or a comparison, by its id.

        Raises
        ------
        ValueError
            With the nearest id.
        """
        found: dict[str, Figure | Comparison] = {each.id: each for each in self.comparisons}
        found |= {each.id: each for measure in self.measures for each in measure.block.figures}
        if name not in found:
            raise unknown("figure", name, found)
        return found[name]

    def owner(self, figure: Figure) -> Measure:
        """Return the measure to which a figure belongs."""
        return next(m for m in self.measures if figure in m.block.figures)

    def without(self, names: Iterable[str]) -> Study:
        """Return the study with some figures held out.

        Raises
        ------
        ValueError
            If a name is no figure of the study.
        """
        left_out = {self.figure(name).id for name in names}
        return replace(
            self,
            measures=tuple(m.without(left_out) for m in self.measures),
            comparisons=tuple(each for each in self.comparisons if each.id not in left_out),
        )

    def between(self, measures: Iterable[Measure]) -> list[Comparison]:
        """Return the comparisons of which both measures are among some."""
        names = {measure.name for measure in measures}
        return [each for each in self.comparisons if names.issuperset(each.measures)]

    def linked(self, names: Iterable[str]) -> list[Measure]:
        """Return some measures and all that comparisons link to them, be it through others."""
        found, before = set(names), set[str]()
        while found != before:
            before = set(found)
            found.update(
                *(each.measures for each in self.comparisons if before & set(each.measures))
            )
        return [measure for measure in self.measures if measure.name in found]
