"""The skin score under every combination of the article's own choices, in all synthetic cohorts.

Each combination of windows is laid out as further cohorts of one large ensemble, so that the
methods of `rederive.retrospective` run over all of them at once. A figure is computed once for
those choices on which it depends, windows that select the same visits once for all of them; the
table of a result then repeats it over its axes. A choice on which a figure does not depend is no
axis of its table.

The bands come from synthetic cohorts. Inside the article's windows these print the figures of the
IVIG group. Comparisons with controls are not calibrated: of a control only mean and SD are printed,
taken as points, and its size at baseline stands for that at follow-up. What lies outside the
article's windows, and in which month of a window a visit lies, was placed by the prior of the
reconstruction: results in other windows are predictions from it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from ivig_dcssc.analysis import Choices, Ensembles, load_ensembles
from ivig_dcssc.analysis.choices import SKIN_TARGETS
from ivig_dcssc.analysis.loading import interpreted_so
from ivig_dcssc.multiverse.results import (
    BASELINE,
    DEPENDS,
    PAIRED_T,
    RESULTS,
    WINDOWS,
    Axes,
    Result,
    printed_change,
)
from ivig_dcssc.parameters import ALL_PRIORS, PARAMETERS
from ivig_dcssc.project import project_root
from rederive.book.published import Published
from rederive.book.specification import SAME, Specifications
from rederive.parameters import ParameterError, cells_run, check_injected
from rederive.printed.errors import unknown
from rederive.printed.formats import CENTRAL
from rederive.printed.registry import Registry, load_registry
from rederive.recompute import two_sample_t
from rederive.recompute.signed_rank import CONVENTIONS
from rederive.recompute.t_formulas import Range
from rederive.retrospective import (
    at_baseline,
    at_followup,
    change,
    describe_number,
    key_index,
    paired_change,
    signed_rank,
    two_sample,
)
from rederive.retrospective.keys import Grid, over
from rederive.style import use_style

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

P_FLOOR = 1e-12
"""Least p on a logarithmic axis; a p of 0, or one below, counts as this."""

HALF = 50.0
"""Percent of responders that the article's discussion names as a limit."""


@dataclass(frozen=True, slots=True)
class Band:
    """Median, central 95 % and decision over cohorts; arrays of one shape.

    Cohorts without a value are left out, NaN where all are. The decision is the share of all
    cohorts that decide yes; a cohort without a value does not.
    """

    median: Floats
    low: Floats
    high: Floats
    decision: Floats

    @classmethod
    def of(cls, values: Floats, yes: Flags | None = None) -> Band:
        """Summarise the last axis, that of the cohorts; without any, nothing is known."""
        unknown = np.full(values.shape[:-1], np.nan)
        if values.shape[-1] == 0:
            return cls(unknown, unknown, unknown, unknown)
        ordered = np.sort(values, axis=-1)
        known = np.count_nonzero(~np.isnan(values), axis=-1)
        middle, low, high = (_quantile(ordered, known, share) for share in (0.5, *CENTRAL))
        return cls(middle, low, high, unknown if yes is None else yes.mean(axis=-1))


def _quantile(ordered: Floats, known: npt.NDArray[Any], share: float) -> Floats:
    """Return a quantile, linear between values, of rows in rising order with NaN at their end."""
    place = share * np.maximum(known - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    ends = [np.take_along_axis(ordered, at[..., None], -1)[..., 0] for at in (below, above)]
    return np.asarray(ends[0] + (place - below) * (ends[1] - ends[0]), dtype=float)


@dataclass
class Multiverse:
    """Results under every combination of choices, computed when first asked for and kept.

    The registry is for the controls' printed figures, ``alpha`` the level of the decisions.
    """

    ensembles: Ensembles
    registry: Registry
    axes: Axes = field(default_factory=Axes)
    alpha: float = float(PARAMETERS["alpha"].default)

    def __post_init__(self) -> None:
        self._analysed: dict[tuple[str, str, str], list[pd.DataFrame]] = {}
        self._tables: dict[str, Specifications] = {}

    @cached_property
    def _scores(self) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
        """The large ensemble, and where in it each combination of windows is.

        The frame has the columns ``baseline``, ``m6`` and so on; its cohorts are the distinct
        combinations of baseline and follow-up, each with all cohorts. The array has the place of a
        combination by levels of window, tolerance and rule.
        """
        patients = self.ensembles.patients
        visits = self.ensembles.visits[self.ensembles.visits["measure"] == "mrss"]
        grid = Grid.of(key_index(patients))
        axes = self.axes
        starts, start_of = _distinct(
            at_baseline(visits, "mrss", months, patients).to_frame()
            for months in axes.baseline_window
        )
        later, later_of = _distinct(
            at_followup(visits, "mrss", SKIN_TARGETS, tolerance, rule, patients)
            for tolerance in axes.followup_tolerance
            for rule in axes.visit_rule
        )
        parts = [before.join(after) for before in starts for after in later]
        number, people = grid.shape
        # Cohorts of unequal size would leave gaps, which count as patients without any score.
        cells = [grid.spread(part[name]) for part in parts for name in part.columns]
        block = np.stack(cells).reshape(len(parts), -1, number, people)
        index = pd.MultiIndex.from_product(
            [range(len(parts) * number), range(people)], names=["cohort", "patient"]
        )
        columns = list(parts[0].columns)
        frame = pd.DataFrame(np.moveaxis(block, 1, -1).reshape(-1, len(columns)), index, columns)
        place = np.asarray(start_of)[:, None] * len(later) + np.asarray(later_of)
        shape = [len(axes.levels(name)) for name in WINDOWS]
        return frame, place.reshape(shape)

    @property
    def distinct_windows(self) -> int:
        """Combinations of windows and rule that select different visits in some cohort."""
        return int(self._scores[1].max()) + 1

    @cached_property
    def _groups(self) -> list[list[Flags]]:
        """Which cohorts belong to each interpretation and prior."""
        patients, visits = self.ensembles.patients, self.ensembles.visits
        priors = self.ensembles.priors.sort_index()
        numbers, names = priors.index, priors.to_numpy(dtype=str)
        of_prior = [(names == name) | (name == ALL_PRIORS) for name in self.axes.prior]
        return [
            [numbers.isin(interpreted_so(patients, visits, each)) & own for own in of_prior]
            for each in self.axes.reading
        ]

    def values(self, result: Result) -> Floats:
        """Return a result in every cohort, NaN where a cohort yields none.

        Its shape is (levels of the quantity's own choice or 1, distinct windows, cohorts).
        """
        column = {
            "mean": "mean" if result.timepoint == BASELINE else "followup_mean",
            "change": "change_mean",
            "responders": "count",
            "responder_percent": "percent",
            "p_against": "p",
        }.get(result.quantity, result.quantity)
        return self._column(result, column)

    def _column(self, result: Result, column: str) -> Floats:
        """Return a column of the results of all cohorts, with the shape of :meth:`values`."""
        tables = self._over_own_choice(result)[: None if result.own else 1]
        columns = np.stack([table[column].to_numpy(dtype=float) for table in tables])
        return columns.reshape(len(tables), -1, len(self.ensembles.priors))

    def _over_own_choice(self, result: Result) -> list[pd.DataFrame]:
        """Return the results of all cohorts for each level of the quantity's own choice."""
        at, group = result.timepoint, result.group
        key = (at, group, result.own or ("two_sample_test" if group else ""))
        if key not in self._analysed:
            self._analysed[key] = list(self._analyses(*key))
        return self._analysed[key]

    def _analyses(self, at: str, group: str, choice: str) -> Iterator[pd.DataFrame]:
        scores = self._scores[0]
        match choice:
            case "responder_threshold":
                fall = -Grid.of(scores.index).spread(change(scores, at))
                known = np.count_nonzero(~np.isnan(fall), axis=1)
                for limit in self.axes.responder_threshold:
                    count = np.count_nonzero(fall >= limit, axis=1)
                    yield pd.DataFrame({"count": count, "percent": over(100 * count, known)})
            case "two_sample_test":
                control, changes = printed_change(self.registry, group, at), change(scores, at)
                for test in self.axes.two_sample_test:
                    yield two_sample(changes, control, test)
            case "paired_test":
                ranked = {each.name: each for each in CONVENTIONS}
                for name in self.axes.paired_test:
                    if name == PAIRED_T:
                        yield from self._over_own_choice(Result("n", at))
                    else:
                        yield signed_rank(scores, at, convention=ranked[name])
            case _ if at == BASELINE:
                yield describe_number(scores[BASELINE])
            case _:
                yield paired_change(scores, at)

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Place among the distinct windows by levels of window, tolerance and rule."""
        return self._scores[1]

    def distinct_band(self, result: Result) -> Band:
        """Return a result over the windows that differ.

        Arrays have the shape (levels of the quantity's own choice or 1, distinct windows, readings,
        priors).
        """
        values, yes = self.values(result), None
        if result.is_p:
            yes = values < self.alpha
        elif result.quantity == "responder_percent":
            yes = values > HALF
        return self._bands(values, yes)

    def rounding_band(self, result: Result) -> Range:
        """Return the central 95 % of a p against a control, in the article's windows with rounding.

        There the range goes at least as far as the printed figures allow with all controls, as in
        the ledger: the p of the group's own change counts. Shapes are as from
        :meth:`distinct_band`.
        """
        band, article, at = self.distinct_band(result), Choices.of(), result.timepoint
        levels = [(self.axes.levels(name), getattr(article, name)) for name in WINDOWS]
        if all(level in offered for offered, level in levels):
            place = self.places[tuple(offered.index(level) for offered, level in levels)]
            printed, p = Published(self.registry), f"results-mrss-ivig-{at}-p"
            own = printed.summary("mrss_change", "IVIG", at, paired_p=p)
            reaches = two_sample_t(own, printed_change(self.registry, result.group, at)).reaches
            for row, test in enumerate(self.axes.two_sample_test):
                ends = [each for each in reaches if each.convention.lower().startswith(test)]
                low, high = min(each.low for each in ends), max(each.high for each in ends)
                band.low[row, place] = np.fmin(band.low[row, place], low)
                band.high[row, place] = np.fmax(band.high[row, place], high)
        return band.low, band.high

    def margins(self, result: Result) -> tuple[Floats, Floats]:
        """Return the margins from which on a control counts as alike, and IVIG as no worse.

        Of a p against a control likeness is shown by two one-sided tests at the level, that IVIG is
        no worse by one at half of it, as in the discussion. Medians over cohorts in points of the
        skin score, with shapes as from :meth:`distinct_band`.
        """
        difference, error, df = (self._column(result, name) for name in ("difference", "se", "df"))
        alike = np.abs(difference) + stdtrit(df, 1 - self.alpha) * error
        no_worse = difference + stdtrit(df, 1 - self.alpha / 2) * error
        return self._bands(alike).median, self._bands(no_worse).median

    def _bands(self, values: Floats, yes: Flags | None = None) -> Band:
        found = [
            Band.of(values[..., own], None if yes is None else yes[..., own])
            for row in self._groups
            for own in row
        ]
        shape = (*values.shape[:-1], len(self.axes.reading), len(self.axes.prior))
        arrays = (np.stack([getattr(each, name) for each in found], -1) for name in Band.__slots__)
        return Band(*(array.reshape(shape) for array in arrays))

    def table(self, name: str) -> Specifications:
        """Return a result as a table of specifications.

        Parameters
        ----------
        name : str
            A key of :data:`RESULTS`.

        Returns
        -------
        Specifications
            Over the choices on which it depends: median, central 95 % and share of cohorts that
            decide yes. For p a cohort decides yes below the significance level, for the percentage
            of responders above a half; nothing else is decided. Specifications whose windows select
            the same visits are the same; p is seen on a logarithmic axis.
        """
        if name in self._tables:
            return self._tables[name]
        result = RESULTS[name]
        choices = DEPENDS[result.quantity]
        band = self.distinct_band(result)
        levels: list[tuple[Hashable, ...]] = [self.axes.levels(choice) for choice in choices]
        frame = pd.MultiIndex.from_product(levels, names=choices).to_frame(index=False)
        labels = np.arange(band.median.size, dtype=float).reshape(band.median.shape)
        outcome = {"value": band.median, "low": band.low, "high": band.high}
        for column, array in (outcome | {"decision": band.decision, SAME: labels}).items():
            # As the columns of choices: windows before the quantity's own choice.
            frame[column] = np.moveaxis(array[:, self.places], 0, len(WINDOWS)).ravel()
        log_floor = P_FLOOR if result.is_p else None
        return self._tables.setdefault(name, Specifications.of(frame, choices, log_floor=log_floor))


def open_multiverse(result: str, alpha: float | None = None, prior: str = ALL_PRIORS) -> Multiverse:
    """Return the multiverse under checked parameters.

    Parameters
    ----------
    result : str
        A key of :data:`RESULTS`, which a page asks for.
    alpha : float, optional
        Significance level; default the article's.
    prior : str
        A prior, or ``all`` for each of them by itself.

    Raises
    ------
    ParameterError
        If a parameter is unknown or out of range.
    """
    check_injected(cells_run())
    if result not in RESULTS:
        raise ParameterError(str(unknown("parameter 'result'", result, RESULTS)))
    given = {"prior": prior} if alpha is None else {"prior": prior, "alpha": alpha}
    values, root = PARAMETERS.check(given), project_root()
    axes = Axes() if prior == ALL_PRIORS else Axes(prior=(prior,))
    use_style()
    return Multiverse(
        load_ensembles(root, prior),
        load_registry(root / "data" / "published"),
        axes,
        float(values["alpha"]),
    )


def _distinct(frames: Iterable[pd.DataFrame]) -> tuple[list[pd.DataFrame], list[int]]:
    """Return those frames that differ, and the place among them of each."""
    kept: list[pd.DataFrame] = []
    places = []
    for frame in frames:
        same = (place for place, each in enumerate(kept) if each.equals(frame))
        places.append(next(same, len(kept)))
        if places[-1] == len(kept):
            kept.append(frame)
    return kept, places
