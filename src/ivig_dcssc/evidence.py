"""Cohorts as evidence: what they say about the rows of the ledger that need patient-level data.

A calibrated row shows that every cohort prints the figure it was fitted to. A predicted row shows
what cohorts that left the figure out of the fit make of it, and the sharp bounds where they exist.
Only a prediction that could easily have failed confirms: see :data:`TIGHT`.
"""

from __future__ import annotations

from dataclasses import replace
from math import nan, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ivig_dcssc.patients import Cohorts
from rederive.book.ledger import Shown
from rederive.printed import Evidence, PrintedNumber, Verdict, outward
from rederive.printed.formats import (
    P_DECIMALS,
    as_printed,
    between,
    central,
    p_between,
    p_text,
    percent,
    plain,
    printing,
)
from rederive.printed.registry import ClaimRow, NumberRow

if TYPE_CHECKING:
    from rederive.reconstruct.block import Block, Figure
    from rederive.reconstruct.bounds import Bound

TIGHT = 0.1
"""A prediction is tight if all data that print the other figures leave at most this share of what
the number of patients and the scale alone allow, a p only if all of them print it; agreement with
a wider one confirms nothing."""


class CohortEvidence(Cohorts):
    """The cohorts that a run analyses, and what the ledger shows of them."""

    def show(self, row_id: str, evidence: Evidence) -> Shown | None:
        """Return what the cohorts say about a calibrated or predicted row."""
        row = self.registry.row(row_id)
        if not self.asks_as_published(row_id):
            found = self._as_found(row)
            if found is None or evidence is not Evidence.PREDICTED or not self.reconstructed:
                return found
            return self._beside_the_same_cohorts(found, row)
        if evidence is Evidence.CALIBRATED:
            return self._calibrated(row)
        return self._predicted(row) if isinstance(row, NumberRow) else self._predicted_claim(row)

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

    def _as_found(self, row: NumberRow | ClaimRow) -> Shown | None:
        """Return what the cohorts yield where nothing was fitted."""
        if not self.results.covers(row.id):
            return None
        shown = self._number(row) if isinstance(row, NumberRow) else self._claim(row)
        return replace(shown, evidence=None if self.reconstructed else Evidence.OTHER_STUDY)

    def _claim(self, row: ClaimRow) -> Shown:
        table = self.results.claim(row.id)
        holds = table["holds"][table["known"]]
        if holds.empty:
            return Shown("none", "", Verdict.NONE, f"no data, {self._whose}")
        why = self._whose
        if len(holds) < len(table):
            why += f"; {len(table) - len(holds)} have no data for it"
        share = float(holds.mean())
        return Shown(_holds(holds), _share(holds), Verdict.NONE, why, value=share)

    def _number(self, row: NumberRow) -> Shown:
        values, size = self.results.number(row.id), self.results.size(row.id)
        if row.statistic == "count" and size is not None:
            # Where nobody's value is known, a count of 0 says nothing.
            values = values.where(size > 0)
        decimals, interval = row.printed.decimals, ""
        ends = [as_printed(end, row.printed) for end in _ends(values)]
        if row.statistic == "p":
            ends = [p_text(end, decimals) for end in _ends(values)]
            if values.notna().any():
                interval = p_between(values.min(), values.max(), decimals + 1)
        else:
            interval = _range(values, row.printed)
        why = self._whose if ends[0] == ends[1] else f"the least and the greatest {self._whose}"
        if row.statistic == "p" and not self.reconstructed and size is not None:
            why += f", n = {int(size.iloc[0])}"
        return _with_numbers(Shown(between(*ends), interval, Verdict.NONE, why), values)

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
        values = self.values(row.id)
        why = f"all {len(values)} synthetic cohorts were made to print it"
        if isinstance(row, NumberRow):
            agree = printing(values, row.printed)
            bound = self.own_bound(row.id) if row.variable == "mrss" else None
            if bound is not None:
                left = f"{_outward(bound, _finer(row))}, {self._tightness(row, bound)[1]}"
                why += f"; the other figures alone leave {left}"
            shown = between(*(as_printed(end, row.printed) for end in _ends(values)))
            found = Shown(shown, _range(values, row.printed), Verdict.FITTED, why)
            found = _with_numbers(found, values)
        else:
            agree, share = values, float(values.mean())
            found = Shown(_holds(values), "", Verdict.FITTED, why, value=share)
        if agree.all():
            return found
        why = f"{_share(agree)} synthetic cohorts print it, though made to"
        return replace(found, verdict=Verdict.DIFFERS, why=why)

    def _predicted(self, row: NumberRow) -> Shown | None:
        draws, bound = self.draws(row.id), self.own_bound(row.id)
        if not draws:
            return None
        ends = [central(values) for values in draws.values()]
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        interval, decision, verdict, width, model = "", "", Verdict.NONE, "", _finer(row)
        if bound is not None:
            interval = _outward(bound, model)
            inside = row.printed.interval().meets(bound.low.limit, bound.high.limit)
            tight, width = self._tightness(row, bound)
            agrees = Verdict.WITHIN_ROUNDING if tight else Verdict.NOT_SETTLED
            verdict = agrees if inside else Verdict.DIFFERS
            decision = _decision(bound, self.choices.alpha) if row.statistic == "p" else ""
        words = [
            f"{prior}: median {plain(float(np.median(values)), model)}, 95 % "
            f"{_between(*central(values), model)}, "
            f"{percent(float(printing(pd.Series(values), row.printed).mean()))} print it"
            for prior, values in draws.items()
        ]
        why = f"predicted from all other skin-score figures; {_proved(bound)}"
        why = "; ".join(filter(None, [why, width])) + f". {'; '.join(words)}"
        reproduced = f"{_between(low, high, model)} (95 %, priors together)"
        middle = float(np.median(np.concatenate(list(draws.values()))))
        return Shown(reproduced, interval, verdict, why, decision, value=middle, low=low, high=high)

    def _predicted_claim(self, row: ClaimRow) -> Shown | None:
        first = self.registry.claims.get(row.same_as, row)
        deciding = self.deciding_p(first)
        if deciding is None:
            from ivig_dcssc.generator.drawing import predictor_claims

            if first.id not in predictor_claims(self.registry):
                return None
        holds = self.held_out_values(first.id)
        shares = holds.groupby(level=0, sort=False).mean()
        words = "; ".join(f"{prior}: in {percent(share)}" for prior, share in shares.items())
        reproduced = f"holds in {between(percent(shares.min()), percent(shares.max()))}"
        together = float(holds.mean())
        # Draws can show that a claim may hold, never that it must or cannot.
        interval, decision, verdict = "", "depends on the cohort", Verdict.NOT_SETTLED
        why = f"of cohorts that were not told so. {words}"
        bound = None if deciding is None else self.own_bound(deciding.id)
        if deciding is not None and bound is not None:
            why = f"p predicted from all other skin-score figures. {words} of draws"
            interval = f"p {_outward(bound, deciding.printed)}"
            decision = _decision(bound, self.choices.alpha)
            if bound.high.limit < self.choices.alpha:
                verdict, reproduced = Verdict.SAME, "holds"
            elif bound.low.limit >= self.choices.alpha:
                verdict, reproduced = Verdict.DIFFERS, "does not hold"
        return Shown(reproduced, interval, verdict, why, decision, value=together)

    def _tightness(self, row: NumberRow, bound: Bound) -> tuple[bool, str]:
        """Return whether the bounds of a figure are tight, and in words how wide they are."""
        figure = self.block.figure(self.registry.first_mention(row.id))
        ends = bound.low.limit, bound.high.limit
        if row.statistic == "p":
            tight = bool(printing(pd.Series(ends), row.printed).all())
            words = "all of it is printed so" if tight else "not all of it is printed so"
        else:
            share = (ends[1] - ends[0]) / possible_width(self.block, figure)
            tight, words = share <= TIGHT, f"{100 * share:.2g} % of what n and the scale allow"
        return tight, words if tight else f"{words}: too wide to confirm it"


def possible_width(block: Block, figure: Figure) -> float:
    """Return the width of the range that a block's figure could have if nothing else were printed.

    Of a mean it is the whole scale (of changes twice that), of an SD the range up to half of the
    patients at either end, of responders everybody. Of p it is NaN: distances mean nothing there.
    """
    n = block.observed[block.index(figure.at)]
    if figure.statistic == "responders":
        return n
    if figure.statistic == "paired_p":
        return nan
    changes = figure.statistic in ("change_mean", "change_sd")
    scale = block.scale.of_changes if changes else block.scale
    span = float(scale.maximum - scale.minimum)
    return span * sqrt((n // 2) * (n - n // 2) / n / (n - 1)) if figure.statistic.is_sd else span


def _with_numbers(shown: Shown, values: pd.Series[Any]) -> Shown:
    """Return the same with median and central 95 % of the cohorts' values."""
    known = values.dropna().to_numpy(np.float64)
    if not len(known):
        return shown
    low, high = central(known)
    return replace(shown, value=float(np.median(known)), low=low, high=high)


def _between(low: float, high: float, model: PrintedNumber) -> str:
    return between(plain(low, model), plain(high, model))


def _finer(row: NumberRow) -> PrintedNumber:
    """Return a mean or an SD with one decimal more than printed; another figure as it is."""
    text = row.printed.text
    more = text + ("0" if "." in text else ".0")
    return PrintedNumber(more) if row.statistic in ("mean", "sd") else row.printed


def _outward(bound: Bound, model: PrintedNumber) -> str:
    """Return a bound's ends with the figure's decimals, none of them rounded inwards."""
    ends = bound.low.limit, bound.high.limit
    if model.decimals >= P_DECIMALS:
        return p_between(*ends, model.decimals)
    return between(*outward(*ends, model.decimals))


def _range(values: pd.Series[Any], model: PrintedNumber) -> str:
    known = values.dropna()
    if known.empty:
        return ""
    low, high = float(known.min()), float(known.max())
    if low == high:
        return as_printed(low, PrintedNumber(model.text)) if low == int(low) else f"{low:g}"
    return " to ".join(outward(low, high, model.decimals + 1))


def _ends(values: pd.Series[Any]) -> tuple[float, float]:
    """Return the least and the greatest value; what is not known is greater than any."""
    return float(values.min()), float(values.max(skipna=False))


def _holds(holds: pd.Series[Any]) -> str:
    if holds.any() and not holds.all():
        return f"holds in {_share(holds)}"
    return "holds" if holds.all() else "does not hold"


def _share(holds: pd.Series[Any]) -> str:
    return f"{int(holds.sum())} of {len(holds)}"


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
