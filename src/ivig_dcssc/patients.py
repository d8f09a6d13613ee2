"""The cohorts of a run, for notebooks: patients, visits, scores, held-out cohorts and bounds."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from ivig_dcssc import analysis
from ivig_dcssc.analysis.choices import Choices
from ivig_dcssc.parameters import ALL_PRIORS, COHORT_SEED, READINGS
from ivig_dcssc.project import (
    ASSOCIATIONS_FILE,
    BOUNDS_FILE,
    COHORTS,
    HELD_OUT_FILE,
    PATIENTS,
    PREDICTIONS_FILE,
)
from rederive.printed.errors import unknown
from rederive.printed.registry import ClaimRow, NumberRow, Registry

if TYPE_CHECKING:
    from ivig_dcssc.analysis import CohortResults
    from rederive.reconstruct.block import Block
    from rederive.reconstruct.bounds import Bound
    from rederive.retrospective import Cohort


class Cohorts:
    """The cohorts that a run analyses.

    Parameters
    ----------
    root : Path
        Folder of the project.
    choices : Choices
        Windows, tests, prior, and perhaps a folder with a user's own cohort.
    registry : Registry
        The article's registry.
    """

    def __init__(self, root: Path, choices: Choices, registry: Registry) -> None:
        self.root = root
        self.choices = choices
        self.registry = registry
        self.as_published = choices.as_published

    @cached_property
    def by_article(self) -> Self:
        """The same reconstructed cohorts under the article's windows, tests and limits."""
        return type(self)(self.root, self.choices.by_article(), self.registry)

    @cached_property
    def _opened(self) -> Cohort:
        return analysis.open_cohort(self.root, self.choices)

    @cached_property
    def results(self) -> CohortResults:
        """All results of the cohorts, computed when first asked for."""
        return analysis.CohortResults(self._opened, self.choices, self.registry)

    @property
    def reconstructed(self) -> bool:
        """Whether the cohorts are the shipped synthetic ones."""
        return not self.choices.cohort_folder

    @property
    def key(self) -> str:
        """The choices, where the data are those of the sources: neither one's own nor made anew."""
        own = self.choices.cohort_folder or self.choices.cohort_seed != COHORT_SEED
        return "" if own else repr(self.choices)

    @property
    def priors(self) -> pd.Series[Any]:
        """Prior of every cohort; for a user's own cohort the word ``own``."""
        if isinstance(self._opened, analysis.Ensembles):
            return self._opened.priors
        return pd.Series("own", index=self.results.cohorts, name="prior")

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Draws of every predicted skin-score figure under the priors of this run."""
        return self._shipped(PREDICTIONS_FILE)

    @cached_property
    def associations(self) -> pd.DataFrame:
        """Regressions in cohorts without the claims about predictors, under this run's priors."""
        return self._shipped(ASSOCIATIONS_FILE)

    def _shipped(self, file: str) -> pd.DataFrame:
        table, prior = pd.read_parquet(self.root / COHORTS / file), self.choices.prior
        return table if prior == ALL_PRIORS else table[table["prior"] == prior]

    @cached_property
    def bounds(self) -> dict[str, Bound]:
        """Sharp bounds by their key."""
        from rederive.reconstruct.bounds.result import load_bounds

        return {bound.key: bound for bound in load_bounds(self.root / BOUNDS_FILE).values()}

    @property
    def reading(self) -> str:
        """The interpretation of the mean change whose predictions count; the wider one of both."""
        return self.choices.reading if self.choices.reading in READINGS else READINGS[0]

    def own_bound(self, row_id: str) -> Bound | None:
        """Return the bounds of a skin-score figure from all others, if they were computed.

        Bounds that were computed under the wider interpretation of the mean change only are taken
        from there: they hold under the narrower too.
        """
        from ivig_dcssc.generator.skin import own_quantity, skin_block
        from rederive.reconstruct.bounds.result import key_of

        first = self.registry.first_mention(row_id)
        blocks = [skin_block(self.registry, each) for each in (self.reading, READINGS[0])]
        figures = [(each, it) for each in blocks for it in each.figures if it.id == first]
        keys = [key_of(block, own_quantity(figure), (first,)) for block, figure in figures]
        return next((self.bounds[key] for key in keys if key in self.bounds), None)

    # The patients, for notebooks

    @property
    def patients(self) -> pd.DataFrame:
        """The patients that are analysed, by cohort and patient."""
        return _named(self.results.tables.cohort.patients.set_index(["cohort", "patient"]))

    @property
    def screened(self) -> pd.DataFrame:
        """All patients, also those with too few cycles, by cohort and patient."""
        return _named(self.results.tables.screened.set_index(["cohort", "patient"]))

    def visits(self, measure: str) -> pd.DataFrame:
        """Return all records of a measure: columns cohort, patient, month and value."""
        records = self.results.tables.visits(measure)
        found = records[["cohort", "patient", "month", "value"]].dropna(subset="value")
        found = found.sort_values(["cohort", "patient", "month"], ignore_index=True)
        return found.astype({"patient": object})

    @cached_property
    def one_number(self) -> int:
        """Number of the cohort that a notebook shows by itself: the first."""
        return int(self.results.cohorts[0])

    @property
    def one(self) -> Cohort:
        """The cohort that a notebook shows by itself; its tables have no column ``cohort``."""
        return self.results.tables.cohort.select(self.one_number)

    def scores(self, measure: str = "mrss") -> pd.DataFrame:
        """Return a measure in this run's windows, by cohort and patient.

        Returns
        -------
        DataFrame
            Columns ``baseline`` and the follow-ups (``m6``, ``m12`` …), NaN where missing.
        """
        return _named(self.results.tables.measured(measure))

    def held_out(self, figure: str) -> pd.DataFrame:
        """Return skin scores of cohorts that were fitted to every published figure but one.

        Parameters
        ----------
        figure : str
            Id of the figure that was left out of the fit.

        Returns
        -------
        DataFrame
            By prior, draw and patient: columns ``baseline``, ``m6`` … ``m24``.

        Raises
        ------
        ValueError
            If there are no such cohorts.
        """
        every = self._shipped(HELD_OUT_FILE)
        own = every[every["figure"] == self.registry.first_mention(figure)]
        if own.empty:
            raise unknown("figure", figure, sorted(set(every["figure"])))
        keys = ["prior", "draw", "patient"]
        return own.drop(columns="figure").set_index(keys).astype(float)

    def bound(self, row_id: str) -> tuple[float, float]:
        """Return least and greatest of a held-out skin-score figure over all compatible data.

        Parameters
        ----------
        row_id : str
            Id of the figure; all other printed skin-score figures hold.

        Raises
        ------
        ValueError
            If no bound was computed.
        """
        found = self.own_bound(row_id)
        if found is None:
            raise ValueError(f"row_id: found {row_id!r}, allowed: a figure of the skin scores")
        return found.low.limit, found.high.limit

    @property
    def block(self) -> Block:
        """Every published skin-score figure of the treated patients, as a constraint."""
        from ivig_dcssc.generator.skin import skin_block

        return skin_block(self.registry)

    def convergence(self) -> pd.DataFrame:
        """Return the diagnostics of the chains that drew the shipped cohorts.

        Returns
        -------
        DataFrame
            Columns ``prior``, ``quantity``, ``r_hat``, ``ess`` (effective sample size) and
            ``draws``.
        """
        from rederive.reconstruct.study.tables import read_notes

        folder, priors = self.root / COHORTS, self.priors.unique()
        notes: dict[str, Any] = {prior: read_notes(folder / prior / PATIENTS) for prior in priors}
        parts = (pd.DataFrame(notes[prior]["convergence"]).assign(prior=prior) for prior in priors)
        return pd.concat(parts, ignore_index=True)

    def bounds_table(self) -> pd.DataFrame:
        """Return all sharp bounds of the skin scores that the book ships.

        Returns
        -------
        DataFrame
            Columns ``interpretation`` (of the mean change at month 12), ``quantity``, ``month``,
            ``threshold`` (of responders, in points; else NaN), ``held_out`` (id of the figure that
            is no constraint, or empty), ``least``, ``greatest``, ``sharp`` and ``proof``.
        """
        from ivig_dcssc.generator.skin import skin_block

        blocks = {name: skin_block(self.registry, name) for name in READINGS}
        return pd.DataFrame(
            {
                "interpretation": name,
                "quantity": str(bound.quantity.kind),
                "month": bound.quantity.at,
                "threshold": float(bound.quantity.threshold or np.nan),
                "held_out": "; ".join(bound.dropped),
                "least": bound.low.limit,
                "greatest": bound.high.limit,
                "sharp": bound.sharp,
                "proof": str(bound.low.proof),
            }
            for bound in self.bounds.values()
            for name, block in blocks.items()
            if bound.fits(block)
        )

    # What a visible value is held against

    def values(self, row_id: str) -> pd.Series[Any]:
        """Return a figure, or whether a claim holds, by cohort."""
        if isinstance(self.registry.row(row_id), ClaimRow):
            return self.results.claim(row_id).set_index("cohort")["holds"]
        return self.results.number(row_id)

    def held_out_values(self, row_id: str) -> pd.Series[Any]:
        """Return a figure by prior and draw, in cohorts that left it out of the fit.

        Of a claim it is whether the claim holds.
        """
        row = self.registry.row(row_id)
        if isinstance(row, NumberRow):
            # The held-out scores are shipped under the wider interpretation alone.
            draws = self.draws(row.id, READINGS[0])
            return pd.concat({prior: pd.Series(values) for prior, values in draws.items()})
        first = self.registry.claims.get(row.same_as, row)
        deciding = self.deciding_p(first)
        if deciding is not None:
            decided: pd.Series[Any] = self.held_out_values(deciding.id) < self.choices.alpha
            return decided
        from ivig_dcssc.analysis.figures import about

        tried = about(self.associations, first.variable, first.timepoint)
        tried = tried.set_index(["prior", "cohort"])
        return ~(tried["p"] < self.choices.alpha).groupby(level=[0, 1], sort=False).any()

    def draws(
        self, row_id: str, interpretation: str = ""
    ) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """Return a skin-score figure by prior, in cohorts that left it out of the fit.

        Parameters
        ----------
        row_id : str
            Id of the figure.
        interpretation : str
            What the mean change at month 12 means; by default as in this run.
        """
        table = self.predictions
        own = table[table["figure"] == self.registry.first_mention(row_id)]
        so = own["reading"] == (interpretation or self.reading)
        chosen = own[so if so.any() else own["reading"] == READINGS[0]]
        return {
            str(prior): part["value"].to_numpy(np.float64)
            for prior, part in chosen.groupby("prior", sort=False)
        }

    def deciding_p(self, claim: ClaimRow) -> NumberRow | None:
        """Return the held-out p that decides a claim, if there is one."""
        if (claim.variable, claim.kind) != ("mrss", "significant"):
            return None
        held_out = {"m18": "abstract-mrss-ivig-m18-p", "m24": "abstract-mrss-ivig-m24-p"}
        return self.registry.numbers.get(held_out.get(claim.timepoint, ""))

    def asks_as_published(self, row_id: str) -> bool:
        """Whether this run asks for a figure as the article defines it.

        Under other choices it does if every cohort says of it what it says under the article's.
        """
        if not self.reconstructed or self.as_published:
            return self.reconstructed
        here, there = self.results, self.by_article.results
        if not here.covers(row_id):
            return False
        if row_id in self.registry.numbers:
            return here.number(row_id).equals(there.number(row_id))
        words = ["computed", "holds", "p"]
        return here.claim(row_id)[words].equals(there.claim(row_id)[words])


def _named(table: pd.DataFrame) -> pd.DataFrame:
    index: Any = table.index
    return table.set_axis(index.set_levels(index.levels[1].astype(str), level="patient"))
