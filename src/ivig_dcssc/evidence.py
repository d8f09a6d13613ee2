"""Cohorts as evidence: what they say about the rows of the ledger that need patient-level data.

A calibrated row shows that every cohort prints the figure it was made to print. A predicted row
shows what cohorts that were not told the figure make of it, and the sharp bounds where they exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.associations import load_associations
from ivig_dcssc.formats import p_between, p_text, percent
from ivig_dcssc.generator.ensemble import PATIENTS
from ivig_dcssc.generator.predictions import first_mention, load_held_out, load_predictions
from ivig_dcssc.generator.predictors import predictor_claims
from ivig_dcssc.generator.skin import READINGS, skin_block
from ivig_dcssc.generator.skin_bounds import BOUNDS_FILE, own_quantity
from ivig_dcssc.parameters import PARAMETERS
from ivig_dcssc.reproduced import Choices, CohortResults, open_cohort
from ivig_dcssc.reproduced.predictors import PRINTED_BY_ITSELF
from ivig_dcssc.shipped import cohorts_folder
from rederive.book.shown import Shown
from rederive.printed import Evidence, PrintedNumber, Verdict, format_like, outward
from rederive.printed.registry import ClaimRow, NumberRow, Registry
from rederive.reconstruct.block import Block, Figure
from rederive.reconstruct.bounds import Bound, key_of, load_bounds
from rederive.reconstruct.study.tables import read_notes
from rederive.retrospective import Cohort

_PARTNERS = {
    ("mrss", "m18", "significant"): ("mrss", "m18", "p"),
    ("mrss", "m24", "significant"): ("mrss", "m24", "p"),
}
"""Claims that a predicted p value decides."""


class Cohorts:
    """The cohorts that a run analyses, as evidence for the ledger.

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
    def by_article(self) -> Cohorts:
        """The same reconstructed cohorts under the article's windows, tests and limits."""
        return Cohorts(self.root, self.choices.by_article(), self.registry)

    @cached_property
    def results(self) -> CohortResults:
        """All results of the cohorts, computed when first asked for."""
        return CohortResults(open_cohort(self.root, self.choices), self.choices, self.registry)

    @property
    def reconstructed(self) -> bool:
        """Whether the cohorts are the shipped synthetic ones."""
        return not self.choices.cohort_folder

    @cached_property
    def priors(self) -> pd.Series[Any]:
        """Prior of every cohort; for a user's own cohort the word ``own``."""
        cohort = open_cohort(self.root, self.choices)
        named = getattr(cohort, "priors", None)
        if named is None:
            return pd.Series("own", index=self.results.cohorts, name="prior")
        found: pd.Series[Any] = named
        return found

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Draws of every predicted skin-score figure under the priors of this run."""
        draws = load_predictions(cohorts_folder(self.root))
        return draws if self.choices.prior == "all" else draws[draws["prior"] == self.choices.prior]

    @cached_property
    def associations(self) -> pd.DataFrame:
        """Regressions in cohorts without the claims about predictors, under this run's priors."""
        found = load_associations(cohorts_folder(self.root))
        return found if self.choices.prior == "all" else found[found["prior"] == self.choices.prior]

    @cached_property
    def bounds(self) -> dict[str, Bound]:
        """Sharp bounds by their key."""
        return {bound.key: bound for bound in load_bounds(self.root / BOUNDS_FILE).values()}

    @property
    def reading(self) -> str:
        """The reading of the mean change whose predictions count; the wider one if both do."""
        return self.choices.reading if self.choices.reading in READINGS else READINGS[0]

    def own_bound(self, figure: Figure, reading: str = "") -> Bound | None:
        """Return the bounds of a skin-score figure from all others, if they were computed.

        Parameters
        ----------
        figure : Figure
            The figure.
        reading : str
            Reading of the mean change; by default that of the run. Bounds that were computed
            under the wider reading only are taken from there: they hold under the narrower too.
        """
        for each in (reading or self.reading, READINGS[0]):
            block = skin_block(self.registry, each)
            found = self.bounds.get(key_of(block, own_quantity(figure), (figure.id,)))
            if found is not None:
                return found
        return None

    # The patients, for notebooks

    @property
    def patients(self) -> pd.DataFrame:
        """The patients that are analysed, by cohort and patient."""
        return _by_patient(self.results.tables.cohort.patients)

    @property
    def screened(self) -> pd.DataFrame:
        """All patients, also those with too few cycles, by cohort and patient."""
        return _by_patient(self.results.tables.screened)

    def visits(self, measure: str) -> pd.DataFrame:
        """Return all records of a measure: columns cohort, patient, month and value."""
        records = self.results.tables.visits(measure).astype({"patient": str})
        found = records[["cohort", "patient", "month", "value"]].dropna(subset="value")
        return found.sort_values(["cohort", "patient", "month"], ignore_index=True)

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
        values = self.results.tables.measured(measure)
        names = [values.index.get_level_values(0), values.index.get_level_values(1).astype(str)]
        return values.set_axis(pd.MultiIndex.from_arrays(names, names=["cohort", "patient"]))

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
        every: pd.DataFrame = load_held_out(cohorts_folder(self.root))
        own = every[every["figure"] == first_mention(self.registry, figure)]
        if own.empty:
            allowed = ", ".join(sorted(set(every["figure"])))
            raise ValueError(f"figure: found {figure!r}, allowed: {allowed}")
        if self.choices.prior in set(own["prior"]):
            own = own[own["prior"] == self.choices.prior]
        return own.drop(columns="figure").set_index(["prior", "draw", "patient"]).astype(float)

    def each(
        self,
        function: Callable[..., Any],
        without: str = "",
        measure: str = "mrss",
        **arguments: Any,
    ) -> pd.DataFrame | pd.Series[Any]:
        """Apply a function of one cohort's scores to every cohort.

        Parameters
        ----------
        function : callable
            Takes a table by patient with the columns ``baseline`` and the follow-ups; returns a
            number or a Series.
        without : str
            Id of a figure: the function is applied to the cohorts that left it out of the fit.
        measure : str
            Measure of the scores; held-out cohorts have skin scores alone.
        **arguments
            Further arguments of the function.

        Returns
        -------
        DataFrame or Series
            What the function returns, by cohort, or by prior and draw of held-out cohorts.
        """
        keys = ("prior", "draw") if without else ("cohort",)
        scores = self.held_out(without) if without else self.scores(measure)
        level = list(keys) if without else "cohort"
        groups = scores.groupby(level=level, sort=False, observed=True)
        found = [function(table.droplevel(keys), **arguments) for _, table in groups]
        index = scores.reset_index("patient").index.unique()
        many = isinstance(found[0], pd.Series)
        return pd.DataFrame(found, index=index) if many else pd.Series(found, index=index)

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
        block = skin_block(self.registry)
        figure = {each.id: each for each in block.figures}.get(first_mention(self.registry, row_id))
        found = None if figure is None else self.own_bound(figure)
        if found is None:
            raise ValueError(f"row_id: found {row_id!r}, allowed: a figure of the skin scores")
        return found.low.limit, found.high.limit

    @property
    def block(self) -> Block:
        """Every published skin-score figure of the treated patients, as a constraint."""
        return skin_block(self.registry)

    def convergence(self) -> pd.DataFrame:
        """Return the diagnostics of the chains that drew the shipped cohorts.

        Returns
        -------
        DataFrame
            Columns ``prior``, ``quantity``, ``r_hat``, ``ess`` (effective sample size) and
            ``draws``.
        """
        parts: list[pd.DataFrame] = []
        for prior in self.priors.unique():
            notes: Any = read_notes(cohorts_folder(self.root) / prior / PATIENTS)
            parts.append(pd.DataFrame(notes["convergence"]).assign(prior=prior))
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
        if isinstance(row, ClaimRow):
            first = self.registry.claims.get(row.same_as, row)
            deciding = self._deciding_p(first)
            if deciding is not None:
                decided: pd.Series[Any] = self.held_out_values(deciding.id) < self.choices.alpha
                return decided
            parts = self.associations.groupby("prior", sort=False)
            holds = {str(name): self.claim_holds(first, part) for name, part in parts}
            together: pd.Series[Any] = pd.concat(holds)
            return together
        draws = self._draws(first_mention(self.registry, row_id))
        return pd.concat({prior: pd.Series(values) for prior, values in draws.items()})

    def asks_as_published(self, row_id: str) -> bool:
        """Whether this run asks for a figure as the article defines it."""
        return self.reconstructed and (
            self.as_published or self._is_untouched(self.registry.row(row_id))
        )

    # Rows of the ledger

    def show(self, row_id: str, evidence: Evidence) -> Shown | None:
        """Return what the cohorts say about a calibrated or predicted row."""
        row = self.registry.row(row_id)
        if not self.reconstructed or not (self.as_published or self._is_untouched(row)):
            found = self._as_found(row)
            if evidence is Evidence.PREDICTED and self.reconstructed and found is not None:
                return self._beside_the_same_cohorts(found, row)
            return found
        if evidence is Evidence.CALIBRATED:
            return self._calibrated(row)
        if isinstance(row, NumberRow):
            return self._predicted(row)
        return self._predicted_claim(row)

    def _beside_the_same_cohorts(self, found: Shown, row: NumberRow | ClaimRow) -> Shown:
        """Return what the cohorts yield with what the same cohorts yield in the article's setting.

        The article's own row is a prediction from cohorts that were not told the figure, so it is
        no counterpart.
        """
        article = self.by_article._as_found(row)
        if article is None:
            return found
        why = f"{found.why}. Before the arrow: the same cohorts under the article's own"
        return replace(found, before=article.reproduced, why=why)

    def _is_untouched(self, row: NumberRow | ClaimRow) -> bool:
        """Return whether every cohort says of a row what it says under the article's choices."""
        here, there = self.results, self.by_article.results
        if not here.covers(row.id):
            return False
        if isinstance(row, NumberRow):
            return here.number(row.id).equals(there.number(row.id))
        words = ["computed", "holds", "p"]
        return here.claim(row.id)[words].equals(there.claim(row.id)[words])

    def _as_found(self, row: NumberRow | ClaimRow) -> Shown | None:
        """Return what the cohorts yield where nothing was made to agree."""
        if not self.results.covers(row.id):
            return None
        why = self._whose
        other = None if self.reconstructed else Evidence.OTHER_STUDY
        if isinstance(row, ClaimRow):
            table = self.results.claim(row.id)
            if not table["known"].any():
                return Shown("none", "", Verdict.NONE, f"no data, {why}", evidence=other)
            holds = table["holds"][table["known"]]
            if len(holds) < len(table):
                why = f"{why}; {len(table) - len(holds)} have no data for it"
            return Shown(
                _holds(holds),
                _share(holds),
                Verdict.NONE,
                why,
                value=float(holds.mean()),
                evidence=other,
            )
        values = self.results.known(row.id)
        if row.statistic == "p":
            texts = [p_text(value, row.printed.decimals) for value in values]
            known = values.dropna()
            ends = (
                p_between(known.min(), known.max(), row.printed.decimals + 1) if len(known) else ""
            )
        else:
            texts = [_printed_like(value, row.printed) for value in values]
            ends = _range(values, row.printed)
        if len(set(texts)) > 1:
            why = f"the least and the greatest {why}"
        if row.statistic == "p" and not self.reconstructed:
            why += self._pairs_in_words(row)
        shown = Shown(_span(texts), ends, Verdict.NONE, why, evidence=other)
        return _with_numbers(shown, values)

    def _pairs_in_words(self, row: NumberRow) -> str:
        """Return how many patients a p of a user's own cohort rests on, if that is kept."""
        try:
            return f", n = {int(self.results.size(row.id).iloc[0])}"
        except ValueError:
            return ""

    @property
    def _whose(self) -> str:
        """Where a row comes from that nothing was made to agree with."""
        if not self.reconstructed:
            return "in the cohort of this run"
        return (
            f"in {len(self.results.cohorts)} synthetic cohorts under this run's windows and "
            "limits; they were made to print the article's figures under the article's own"
        )

    def _calibrated(self, row: NumberRow | ClaimRow) -> Shown | None:
        if not self.results.covers(row.id):
            return None
        if isinstance(row, ClaimRow):
            holds = self.results.claim(row.id)["holds"].to_numpy(bool)
            agree, reproduced, interval = holds, _holds(holds), ""
            numbers: pd.Series[Any] | None = None
        else:
            numbers = values = self.results.number(row.id)
            texts = [_printed_like(value, row.printed) for value in values]
            agree = np.array([text == str(row.printed) for text in texts])
            reproduced, interval = _span(texts), _range(values, row.printed)
        number = len(agree)
        if agree.all():
            why = f"all {number} synthetic cohorts were made to print it"
            shown = Shown(reproduced, interval, Verdict.FITTED, why)
        else:
            why = f"{int(agree.sum())} of {number} synthetic cohorts print it, though made to"
            shown = Shown(reproduced, interval, Verdict.DIFFERS, why)
        if numbers is None:
            return replace(shown, value=float(agree.mean()))
        return _with_numbers(shown, numbers)

    def _predicted(self, row: NumberRow) -> Shown | None:
        figure_id = first_mention(self.registry, row.id)
        figures = {figure.id: figure for figure in skin_block(self.registry).figures}
        if figure_id not in figures:
            return None
        draws = self._draws(figure_id)
        figure = figures[figure_id]
        ends = [_central(values) for values in draws.values()]
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        bound = self.own_bound(figure)
        interval = "" if bound is None else _outward(bound, row.printed)
        verdict = Verdict.NONE
        if bound is not None:
            inside = row.printed.interval().meets(bound.low.limit, bound.high.limit)
            verdict = Verdict.WITHIN_ROUNDING if inside else Verdict.DIFFERS
        words = [
            f"{prior}: median {_plain(float(np.median(values)), row.printed)}, 95 % "
            f"{_between(*_central(values), row.printed)}, {percent(_prints(values, row.printed))} "
            "print it"
            for prior, values in draws.items()
        ]
        why = f"predicted from all other skin-score figures; {_proved(bound)}. {'; '.join(words)}"
        decision = ""
        if row.statistic == "p" and bound is not None:
            decision = _decision(bound, self.choices.alpha)
        reproduced = f"{_between(low, high, row.printed)} (95 %, priors together)"
        middle = float(np.median(np.concatenate(list(draws.values()))))
        return Shown(reproduced, interval, verdict, why, decision, value=middle, low=low, high=high)

    def _draws(self, figure_id: str) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        table = self.predictions
        own = table[table["figure"] == figure_id]
        read = own["reading"] == self.reading
        chosen = own[read if read.any() else own["reading"] == READINGS[0]]
        return {
            str(prior): part["value"].to_numpy(np.float64)
            for prior, part in chosen.groupby("prior", sort=False)
        }

    def _predicted_claim(self, row: ClaimRow) -> Shown | None:
        first = self.registry.claims.get(row.same_as, row)
        deciding = self._deciding_p(first)
        if deciding is not None:
            return self._predicted_by_p(deciding)
        if first.id not in predictor_claims(self.registry):
            return None
        holding = {
            str(prior): self.claim_holds(first, part).to_numpy(np.float64)
            for prior, part in self.associations.groupby("prior", sort=False)
        }
        shares = {prior: float(holds.mean()) for prior, holds in holding.items()}
        words = "; ".join(f"{prior}: in {percent(share)}" for prior, share in shares.items())
        reproduced = "holds in " + _between_shares(list(shares.values()))
        why = f"of cohorts that were not told so. {words}"
        # Draws can show that a claim may hold, never that it cannot.
        article = self.choices.alpha == PARAMETERS["alpha"].default
        seen = max(shares.values()) > 0
        verdict = Verdict.WITHIN_ROUNDING if seen and article else Verdict.NONE
        together = float(np.concatenate(list(holding.values())).mean())
        return Shown(reproduced, "", verdict, why, "depends on the cohort", value=together)

    def claim_holds(self, claim: ClaimRow, regressions: pd.DataFrame) -> pd.Series[Any]:
        """Return for each cohort whether a claim about predictors holds.

        Parameters
        ----------
        claim : ClaimRow
            One of the claims that nothing, or prednisone not, predicts response or change.
        regressions : DataFrame
            Regressions of one prior, as in :attr:`associations`.
        """
        outcome = "change" if claim.variable == "mrss_change_predictors" else "response"
        own = regressions[
            (regressions["outcome"] == outcome) & (regressions["timepoint"] == claim.timepoint)
        ]
        about_prednisone = own["predictor"] == PRINTED_BY_ITSELF
        if claim.variable == "responder_prednisone":
            own = own[about_prednisone]
        elif outcome == "response":
            own = own[~about_prednisone]
        significant = own["p"] < self.choices.alpha
        return ~significant.groupby(own["cohort"]).any()

    def _deciding_p(self, claim: ClaimRow) -> NumberRow | None:
        """Return the predicted p that decides a claim, if there is one."""
        partner = _PARTNERS.get((claim.variable, claim.timepoint, claim.kind))
        rows = (self.registry.numbers[figure.id] for figure in skin_block(self.registry).figures)
        found = (row for row in rows if (row.variable, row.timepoint, row.statistic) == partner)
        return next(found, None)

    def _predicted_by_p(self, row: NumberRow) -> Shown | None:
        draws = self._draws(row.id)
        shares = {prior: float((p < self.choices.alpha).mean()) for prior, p in draws.items()}
        bound = self.own_bound(skin_block(self.registry).figure(row.id))
        words = "; ".join(f"{prior}: in {percent(share)}" for prior, share in shares.items())
        interval, decision, verdict = "", "", Verdict.WITHIN_ROUNDING
        reproduced = "holds in " + _between_shares(list(shares.values()))
        if bound is not None:
            low, high = bound.low.limit, bound.high.limit
            interval = f"p {_outward(bound, row.printed)}"
            decision = _decision(bound, self.choices.alpha)
            if high < self.choices.alpha:
                verdict, reproduced = Verdict.SAME, "holds"
            elif low >= self.choices.alpha:
                verdict, reproduced = Verdict.DIFFERS, "does not hold"
        why = f"p predicted from all other skin-score figures. {words} of draws"
        together = float((np.concatenate(list(draws.values())) < self.choices.alpha).mean())
        return Shown(reproduced, interval, verdict, why, decision, value=together)


def share_results(cohorts: object, reference: object) -> None:
    """Let cohorts use the results of others that are the same under the article's choices."""
    if not isinstance(cohorts, Cohorts) or not isinstance(reference, Cohorts):
        return
    if cohorts.choices.by_article() == reference.choices:
        cohorts.by_article = reference


def _by_patient(patients: pd.DataFrame) -> pd.DataFrame:
    return patients.astype({"patient": str}).set_index(["cohort", "patient"])


def _with_numbers(shown: Shown, values: pd.Series[Any]) -> Shown:
    """Return the same with median and central 95 % of the cohorts' values."""
    known = values.dropna().to_numpy(np.float64)
    if not len(known):
        return shown
    low, high = _central(known)
    return replace(shown, value=float(np.median(known)), low=low, high=high)


def _printed_like(value: float, model: PrintedNumber) -> str:
    """Return a value in the manner of a printed figure; a float's noise is taken off first."""
    if np.isnan(value):
        return "none"
    return format_like(Fraction(str(round(float(value), 9))), model)


def _plain(value: float, model: PrintedNumber) -> str:
    decimals = model.decimals
    smallest = 0.5 * 10.0**-decimals
    # Only p values are printed with so many decimals.
    if decimals >= 3 and 0 <= value < smallest:
        return f"<{2 * smallest:.{decimals}f}"
    return f"{value:.{decimals}f}"


def _between(low: float, high: float, model: PrintedNumber) -> str:
    """Return a range with the figure's decimals, p values near 0 as a limit."""
    ends = [_plain(low, model), _plain(high, model)]
    return " to ".join(dict.fromkeys(ends))


def _outward(bound: Bound, model: PrintedNumber) -> str:
    """Return a bound's ends with the figure's decimals, none of them rounded inwards."""
    low, high = outward(bound.low.limit, bound.high.limit, model.decimals)
    smallest = 10.0**-model.decimals
    if model.decimals >= 3 and bound.low.limit < smallest:
        low = f"<{smallest:.{model.decimals}f}"
    return low if low == high else f"{low} to {high}"


def _range(values: pd.Series[Any], model: PrintedNumber) -> str:
    known = values.dropna()
    if known.empty:
        return ""
    low, high = float(known.min()), float(known.max())
    if low == high:
        return _printed_like(low, PrintedNumber(model.text)) if low == int(low) else f"{low:g}"
    return " to ".join(outward(low, high, model.decimals + 1))


def _span(texts: list[str]) -> str:
    """Return texts as one if they agree, else the least and the greatest."""
    distinct = sorted(set(texts), key=lambda text: (text == "none", _number(text)))
    return distinct[0] if len(distinct) == 1 else f"{distinct[0]} to {distinct[-1]}"


def _number(text: str) -> float:
    try:
        return float(text.lstrip("<>≤≥over "))
    except ValueError:
        return float("inf")


def _holds(holds: Any) -> str:
    flags = np.asarray(holds, bool)
    if flags.all():
        return "holds"
    return "does not hold" if not flags.any() else f"holds in {_share(flags)}"


def _share(holds: Any) -> str:
    flags = np.asarray(holds, bool)
    return f"{int(flags.sum())} of {len(flags)}"


def _central(values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _prints(values: np.ndarray[Any, np.dtype[np.float64]], printed: PrintedNumber) -> float:
    interval = printed.interval()
    inside = (values >= interval.lower - 1e-9) & (values <= interval.upper + 1e-9)
    return float(inside.mean())


def _between_shares(shares: list[float]) -> str:
    ends = dict.fromkeys([percent(min(shares)), percent(max(shares))])
    return " to ".join(ends)


def _proved(bound: Bound | None) -> str:
    """Return in words how good the bounds are."""
    if bound is None:
        return "no bound was computed"
    if bound.sharp:
        return "sharp bounds"
    ends = [name for name, end in (("lower", bound.low), ("upper", bound.high)) if end.sharp]
    return f"proved bounds, of which the {ends[0]} is attained" if ends else "proved bounds"


def _decision(bound: Bound, alpha: float) -> str:
    """Return whether all compatible data decide alike, as far as bounds and witnesses show."""
    if bound.high.limit < alpha:
        return f"p < {alpha:g} throughout"
    if bound.low.limit >= alpha:
        return f"p ≥ {alpha:g} throughout"
    below, above = bound.low.best, bound.high.best
    if below is not None and above is not None and below < alpha <= above:
        return "open: depends on the patients' data"
    return "not decided: no data are known on the other side, and none are excluded"
