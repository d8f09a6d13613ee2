"""Sharp bounds and predictions of the skin scores: what the printed figures leave open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ivig_dcssc.cohort.predictions import load_convergence
from ivig_dcssc.cohort.priors import PRIORS
from ivig_dcssc.cohort.skin import READINGS, THRESHOLD, TIMEPOINTS, skin_block
from ivig_dcssc.cohort.skin_bounds import (
    BOUNDS_FILE,
    CONTROLS,
    THRESHOLDS,
    control_change,
    own_quantity,
)
from ivig_dcssc.cohort_groups import CENTRAL, Spread, by_prior, label_of, percent
from ivig_dcssc.evidence import Cohorts
from ivig_dcssc.reproduced import CohortResults
from ivig_dcssc.shipped import cohorts_folder
from rederive.book import render
from rederive.book.render import TIMEPOINTS as TIMES_IN_WORDS
from rederive.book.section import in_words
from rederive.printed import outward
from rederive.printed.registry import Registry
from rederive.reconstruct.block import Block, Figure, Statistic
from rederive.reconstruct.bounds import (
    Bound,
    End,
    Kind,
    Proof,
    Quantity,
    key_of,
    load_bounds,
    recheck,
)

Floats = npt.NDArray[np.float64]

MONTHS = ("m6", "m12")
"""Time points with a printed number of responders."""

STRONG, WEAK = 0.05, 0.25
"""Shares of the possible range below and above which agreement is called strong and weak; ours."""

LEAST_P = 1e-4
"""Least limit of a p value that the article prints; smaller ones are as good as this."""

_PROOFS = {
    Proof.SUMS: "sums and sums of squares of single columns",
    Proof.COLUMN: "all histograms of one column",
    Proof.FRACTIONS: "counts by baseline and visit, fractions allowed",
    Proof.COUNTS: "counts by baseline and visit, whole numbers",
}
_KINDS = {
    Kind.RESPONDERS: "responders",
    Kind.MEAN: "mean score",
    Kind.SD: "SD of the scores",
    Kind.CHANGE_MEAN: "mean change",
    Kind.CHANGE_SD: "SD of the change",
    Kind.PAIRED_P: "p of the change",
    Kind.FOLLOWED_BASELINE_MEAN: "mean baseline of those followed",
    Kind.MISSING_BASELINE_MEAN: "mean baseline of those missing",
    Kind.DIFFERENCE: "mean change",
}
_USUAL_DECIMALS = 2
_SMALL_P = 1e-6


class SkinBounds:
    """The stored bounds of the article's skin block, under both readings.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    found : mapping of str to Bound
        Bounds by name; those computed for other figures are left out.
    """

    def __init__(self, registry: Registry, found: Mapping[str, Bound]) -> None:
        self.registry = registry
        self.blocks = {reading: skin_block(registry, reading) for reading in READINGS}
        by_key = {bound.key: bound for bound in found.values()}
        known = {bound.key for bound in found.values() if self._fitting(bound)}
        self._by_key = {key: bound for key, bound in by_key.items() if key in known}

    @classmethod
    def load(cls, root: Path, registry: Registry) -> SkinBounds:
        """Read the shipped bounds."""
        return cls(registry, load_bounds(root / BOUNDS_FILE))

    def _fitting(self, bound: Bound) -> list[Block]:
        return [block for block in self.blocks.values() if bound.fits(block)]

    def __len__(self) -> int:
        return len(self._by_key)

    def get(
        self, quantity: Quantity, dropped: tuple[str, ...] = (), reading: str = READINGS[0]
    ) -> Bound | None:
        """Return the bounds of a quantity, none if they were not computed."""
        return self._by_key.get(key_of(self.blocks[reading], quantity, dropped))

    def of_figure(self, figure: Figure, reading: str = READINGS[0]) -> Bound | None:
        """Return the bounds of a figure from all the others."""
        return self.get(own_quantity(figure), (figure.id,), reading)

    def recheck(self) -> dict[str, list[str]]:
        """Check every witness anew; return the faults of each bound that has any, by its name."""
        faults = {}
        for bound in self._by_key.values():
            found = recheck(bound, self._fitting(bound)[0])
            if found:
                faults[bound.quantity.name] = found
        return faults

    def ends(self) -> list[End]:
        """Return both ends of every bound."""
        return [end for bound in self._by_key.values() for end in (bound.low, bound.high)]


def bounds_in_words(bounds: SkinBounds) -> list[str]:
    """Return how many bounds there are, how many are sharp, and whether witnesses hold."""
    ends = bounds.ends()
    sharp = sum(end.sharp for end in ends)
    witnesses = sum(end.witness is not None for end in ends)
    faults = bounds.recheck()
    verdict = "every one" if not faults else f"all but those of {in_words(list(faults))}"
    rest = len(ends) - sharp
    return [
        f"{len(bounds)} quantities have been bounded, so {len(ends)} ends: {sharp} are sharp, that "
        "is, proved and attained.",
        f"{rest} are one-sided: nothing passes them, and no data set is known that reaches them."
        if rest
        else "None is left one-sided.",
        f"The {witnesses} witnesses, data sets at the ends, were checked again while this page was "
        f"made, with fractions in place of floating point: {verdict} prints what it should.",
    ]


def shown_ends(bound: Bound) -> tuple[str, str]:
    """Return both ends as texts, rounded so that nothing inside is cut off."""
    low, high = bound.low.limit, bound.high.limit
    if bound.quantity.kind is Kind.PAIRED_P:
        return _shown_p(low)[0], _shown_p(high)[1]
    return outward(low, high, 0 if bound.quantity.kind is Kind.RESPONDERS else _USUAL_DECIMALS)


def _shown_p(p: float) -> tuple[str, str]:
    """Return a p value with three figures, rounded down and up; a very small one as a limit."""
    if p < _SMALL_P:
        return (f"<{_SMALL_P:f}",) * 2
    return outward(p, p, 2 - math.floor(math.log10(p)))


def status_in_words(bound: Bound) -> str:
    """Return which ends are sharp, with the best witness of those that are not."""
    if bound.sharp:
        return "both sharp"
    parts = []
    for name, end in (("least", bound.low), ("greatest", bound.high)):
        if end.sharp:
            parts.append(f"{name}: sharp")
        elif end.best is None:
            parts.append(f"{name}: one-sided")
        else:
            parts.append(f"{name}: one-sided, best found {end.best:.2f}")
    return "; ".join(parts)


def proof_in_words(bound: Bound) -> str:
    """Return why nothing passes the ends."""
    low, high = _PROOFS[bound.low.proof], _PROOFS[bound.high.proof]
    return low if low == high else f"least: {low}; greatest: {high}"


def quantity_in_words(quantity: Quantity, control: str = "") -> str:
    """Return a quantity as a reader names it."""
    name = f"{TIMES_IN_WORDS[quantity.at]}: {_KINDS[quantity.kind]}"
    if quantity.kind is Kind.RESPONDERS:
        return f"{name} by {quantity.threshold} points or more"
    return f"{name}, minus that of {control}" if control else name


def open_bounds_table(bounds: SkinBounds) -> list[dict[str, object]]:
    """Return sharp bounds of what the article does not print, under each reading that matters."""
    wanted = [(Quantity(Kind.MISSING_BASELINE_MEAN, at), "") for at in TIMEPOINTS[1:]]
    wanted += [(Quantity(Kind.CHANGE_MEAN, at), "") for at in TIMEPOINTS[3:]]
    for group, at in CONTROLS:
        reference = control_change(bounds.registry, group, at)
        wanted.append((Quantity(Kind.DIFFERENCE, at, reference=reference), group))
    records: list[dict[str, object]] = []
    for quantity, group in wanted:
        for reading, bound in _by_reading(bounds, quantity):
            least, greatest = shown_ends(bound)
            records.append(
                {
                    "Not printed": quantity_in_words(quantity, group),
                    "Change at month 12 read as": reading,
                    "Least": least,
                    "Greatest": greatest,
                    "Ends": status_in_words(bound),
                    "Proof": proof_in_words(bound),
                }
            )
    return records


def _by_reading(
    bounds: SkinBounds, quantity: Quantity, dropped: tuple[str, ...] = ()
) -> list[tuple[str, Bound]]:
    """Return the bounds under each reading that has its own, named by the reading."""
    found = [(reading, bounds.get(quantity, dropped, reading)) for reading in READINGS]
    kept = [(reading, bound) for reading, bound in found if bound is not None]
    if quantity.at == TIMEPOINTS[2]:
        return kept
    return [(READINGS[0], bound) for _, bound in kept[:1]]


def responder_count(bounds: SkinBounds, at: str) -> Figure:
    """Return the printed number of responders of a month."""
    return next(
        figure
        for figure in bounds.blocks[READINGS[0]].figures
        if figure.statistic is Statistic.RESPONDERS and figure.at == at
    )


def responder_bound(
    bounds: SkinBounds, at: str, threshold: int, reading: str = READINGS[0]
) -> Bound | None:
    """Return bounds of the responders by a threshold: without the printed count at its own."""
    quantity = Quantity(Kind.RESPONDERS, at, Fraction(threshold))
    if threshold == THRESHOLD:
        return bounds.get(quantity, (responder_count(bounds, at).id,), reading)
    return bounds.get(quantity, (), reading)


def responder_table(bounds: SkinBounds) -> list[dict[str, object]]:
    """Return the least and greatest number of responders by threshold, month and reading.

    Thresholds without any bound have no record.
    """
    columns = [(at, READINGS[0]) for at in MONTHS] + [(MONTHS[1], READINGS[1])]
    records: list[dict[str, object]] = []
    for threshold in THRESHOLDS:
        if all(responder_bound(bounds, at, threshold, r) is None for at, r in columns):
            continue
        record: dict[str, object] = {"Fall of at least (points)": threshold}
        for at, reading in columns:
            title = TIMES_IN_WORDS[at].capitalize()
            if at == MONTHS[1]:
                title += f", change read as {reading}"
            record[title] = _responder_cell(bounds, at, threshold, reading)
        records.append(record)
    return records


def _responder_cell(bounds: SkinBounds, at: str, threshold: int, reading: str) -> str:
    bound = responder_bound(bounds, at, threshold, reading)
    if bound is None:
        return "not computed"
    text = " to ".join(shown_ends(bound))
    if not bound.sharp:
        text += f" ({status_in_words(bound)})"
    if threshold == THRESHOLD:
        text = f"{responder_count(bounds, at).printed} printed; without it {text}"
    return text


@dataclass(frozen=True, slots=True)
class Left:
    """A quantity that is not printed: what cohorts make of it, and what no data set can pass.

    Attributes
    ----------
    name : str
        In words.
    values : dict of str to array
        One value per cohort, by prior.
    bound : Bound or None
        With all figures kept; none if it was not computed.
    """

    name: str
    values: dict[str, Floats]
    bound: Bound | None

    @property
    def whole(self) -> bool:
        """Whether the quantity is a number of patients."""
        return self.bound is not None and self.bound.quantity.kind is Kind.RESPONDERS


def left_open(cohorts: Cohorts, bounds: SkinBounds, thresholds: Sequence[int]) -> list[Left]:
    """Return the spread of what is not printed: other thresholds, who is missing, later changes.

    Parameters
    ----------
    cohorts : Cohorts
        Reconstructed cohorts.
    bounds : SkinBounds
        Their sharp bounds.
    thresholds : sequence of int
        Falls of the skin score in points, other than the article's own.
    """
    results, found = cohorts.results, []
    for threshold in thresholds:
        table = results.responders(threshold)
        for at in MONTHS:
            quantity = Quantity(Kind.RESPONDERS, at, Fraction(threshold))
            found.append(_left(table, at, "count", quantity, cohorts, bounds))
    missing, skin = results.missing(), results.skin_over_time()
    for at in TIMEPOINTS[1:]:
        quantity = Quantity(Kind.MISSING_BASELINE_MEAN, at)
        found.append(_left(missing, at, "missing_mean", quantity, cohorts, bounds))
    for at in TIMEPOINTS[3:]:
        quantity = Quantity(Kind.CHANGE_MEAN, at)
        found.append(_left(skin, at, "change_mean", quantity, cohorts, bounds))
    return found


def _left(
    table: pd.DataFrame,
    at: str,
    column: str,
    quantity: Quantity,
    cohorts: Cohorts,
    bounds: SkinBounds,
) -> Left:
    own = table[table["timepoint"] == at].set_index("cohort")[column]
    parts = by_prior(cohorts, own).items()
    values = {name: part.to_numpy(np.float64) for name, part in parts}
    return Left(quantity_in_words(quantity), values, bounds.get(quantity))


def left_open_table(found: Sequence[Left]) -> list[dict[str, object]]:
    """Return one record per quantity: sharp bounds, then median and central 95 % by prior."""
    records: list[dict[str, object]] = []
    for each in found:
        decimals = 0 if "responders" in each.name else 1
        spans = {
            label_of(name): Spread.of(values).in_words(decimals)
            for name, values in each.values.items()
        }
        bound = "not computed" if each.bound is None else " to ".join(shown_ends(each.bound))
        records.append({"Not printed": each.name, "Bounds": bound, **spans})
    return records


@dataclass(frozen=True, slots=True)
class Curve:
    """Responders by threshold at one month.

    Attributes
    ----------
    at : str
    printed : int
        Number at the article's own threshold.
    thresholds : tuple of int
    values : dict of str to array, shape (cohorts, thresholds)
        By prior.
    bounds : tuple
        (least, greatest) for each threshold, none where not computed; at the article's own
        threshold those without the printed number.
    """

    at: str
    printed: int
    thresholds: tuple[int, ...]
    values: dict[str, Floats]
    bounds: tuple[tuple[float, float] | None, ...]


def responder_curves(
    results: CohortResults, priors: pd.Series[Any], bounds: SkinBounds
) -> list[Curve]:
    """Return for both months how many patients respond by each threshold."""
    tables = {t: results.responders(t) for t in THRESHOLDS}
    curves = []
    for at in MONTHS:
        counts = pd.DataFrame(
            {
                t: table[table["timepoint"] == at].set_index("cohort")["count"]
                for t, table in tables.items()
            }
        )
        prior = priors.loc[counts.index].to_numpy()
        values = {name: counts[prior == name].to_numpy(np.float64) for name in PRIORS}
        found = [responder_bound(bounds, at, t) for t in THRESHOLDS]
        ends = tuple(None if b is None else (b.low.limit, b.high.limit) for b in found)
        printed = int(responder_count(bounds, at).printed.value)
        curves.append(Curve(at, printed, tuple(THRESHOLDS), values, ends))
    return curves


@dataclass(frozen=True, slots=True)
class Predicted:
    """One skin-score figure, predicted from all the others.

    Attributes
    ----------
    figure : Figure
    n : int
        Patients behind it.
    reading : str
        Reading of the mean change at month 12, for the others or for itself.
    draws : dict of str to array
        By prior.
    bound : Bound or None
    highest : float
        Greatest value of the scale.
    """

    figure: Figure
    n: int
    reading: str
    draws: dict[str, Floats]
    bound: Bound | None
    highest: float

    @property
    def name(self) -> str:
        """The figure in words."""
        kind = _KINDS[own_quantity(self.figure).kind]
        return f"{TIMES_IN_WORDS[self.figure.at]}: {kind}"

    @property
    def possible(self) -> float:
        """Width of the range that the figure could have on the scale with these patients.

        For a p value in orders of magnitude, from 1 down to :data:`LEAST_P`.
        """
        span = self.highest
        match self.figure.statistic:
            case Statistic.CHANGE_MEAN:
                return 2 * span
            case Statistic.SD | Statistic.CHANGE_SD:
                wide = span if self.figure.statistic is Statistic.SD else 2 * span
                half = self.n // 2
                return wide * math.sqrt(half * (self.n - half) / (self.n * (self.n - 1)))
            case Statistic.PAIRED_P:
                return -math.log10(LEAST_P)
            case Statistic.RESPONDERS:
                return float(self.n)
            case _:
                return span

    @property
    def left(self) -> float | None:
        """Share of the possible range that the other figures leave; none without bounds."""
        if self.bound is None:
            return None
        low, high = self.bound.low.limit, self.bound.high.limit
        if self.figure.statistic is Statistic.PAIRED_P:
            low, high = (math.log10(max(end, LEAST_P)) for end in (low, high))
        return (high - low) / self.possible

    @property
    def strength(self) -> str:
        """How much agreement with the printed figure says: strong, moderate or weak."""
        if self.left is None:
            return "not known"
        if self.left < STRONG:
            return "strong"
        return "weak" if self.left > WEAK else "moderate"

    @property
    def inside(self) -> bool:
        """Whether the printed figure lies within the bounds; true where there are none."""
        if self.bound is None:
            return True
        return self.figure.printed.interval().meets(self.bound.low.limit, self.bound.high.limit)

    def in_the_middle(self, prior: str) -> bool:
        """Return whether the printed figure lies in the central 95 % of a prior's draws."""
        low, high = np.quantile(self.draws[prior], CENTRAL)
        return self.figure.printed.interval().meets(float(low), float(high))

    def share_printing(self, prior: str) -> float:
        """Return the share of a prior's draws that print the figure."""
        interval, values = self.figure.printed.interval(), self.draws[prior]
        inside = (values >= interval.lower - 1e-9) & (values <= interval.upper + 1e-9)
        return float(inside.mean())


def predictions(
    cohorts: Cohorts, bounds: SkinBounds, reading: str = READINGS[0]
) -> list[Predicted]:
    """Return every constrained skin-score figure as the others predict it.

    Parameters
    ----------
    cohorts : Cohorts
        Reconstructed cohorts, with their predictions.
    bounds : SkinBounds
        Sharp bounds.
    reading : str
        Reading of the mean change at month 12.
    """
    block = bounds.blocks[reading]
    table = cohorts.predictions
    own = table[table["reading"] == reading]
    draws = {
        (str(figure), str(prior)): part["value"].to_numpy(np.float64)
        for (figure, prior), part in own.groupby(["figure", "prior"], observed=True)
    }
    return [
        Predicted(
            figure,
            block.observed[block.index(figure.at)],
            reading,
            {p: draws[figure.id, p] for p in PRIORS if (figure.id, p) in draws},
            bounds.of_figure(figure, reading),
            float(block.scale.maximum),
        )
        for figure in block.figures
    ]


def prediction_table(found: Sequence[Predicted], caption: str) -> render.Html:
    """Return the table of predictions; each name links to its row of the ledger."""
    priors = list(found[0].draws)
    header = ["Figure", "Printed", "Bounds from the others", "Range left", "Agreement is"]
    header += [f"{label_of(prior)}: median (95 %), print it" for prior in priors]
    lines = []
    for each in found:
        link = f'<a href="ledger.html#{escape(each.figure.id, quote=True)}">{escape(each.name)}</a>'
        ends = "not computed" if each.bound is None else " to ".join(shown_ends(each.bound))
        if each.bound is not None and not each.bound.sharp:
            ends += " (not both attained)"
        left = "" if each.left is None else _in_cell(each.left)
        cells = [
            render.Cell(link),
            render.text(each.figure.printed, "number"),
            render.text(ends, "number"),
            render.text(left, "number"),
            render.text(each.strength),
        ]
        cells += [render.text(_predicted_cell(each, prior), "number") for prior in priors]
        lines.append(("", cells))
    return render.html_table(header, lines, caption, "comparison")


def _predicted_cell(each: Predicted, prior: str) -> str:
    low, middle, high = np.quantile(each.draws[prior], [0.025, 0.5, 0.975])
    texts = [_like(float(value), each.figure) for value in (middle, low, high)]
    share = _in_cell(each.share_printing(prior))
    return f"{texts[0]} ({texts[1]} to {texts[2]}), {share}"


def _in_cell(share: float) -> str:
    """Return a share in percent that a narrow cell does not break."""
    return percent(share).replace(" ", "\N{NO-BREAK SPACE}")


def _like(value: float, figure: Figure) -> str:
    """Return a value with a decimal more than the figure, but counts and p values with none more.

    A p value so small that it would print as 0 becomes a limit.
    """
    decimals = figure.printed.decimals
    if figure.statistic is Statistic.PAIRED_P:
        small = value < 0.5 * 10.0**-decimals
        return f"<{10.0**-decimals:.{decimals}f}" if small else f"{value:.{decimals}f}"
    more = figure.statistic is not Statistic.RESPONDERS
    return f"{value:.{max(decimals, 1) + 1 if more else 0}f}"


def predictions_in_words(found: Sequence[Predicted]) -> list[str]:
    """Return how many predictions hold, and how strong that agreement is, as sentences."""
    bounded = [each for each in found if each.bound is not None]
    outside = [each.name for each in bounded if not each.inside]
    groups = {
        strength: [each for each in bounded if each.strength == strength]
        for strength in ("strong", "moderate", "weak")
    }
    holds = (
        f"All {len(bounded)} printed figures with bounds lie within them, as they must if one "
        "data set prints them all."
        if not outside
        else f"Outside the bounds are {in_words(outside)}."
    )
    sentences = [holds]
    if groups["strong"]:
        sentences.append(
            f"For {len(groups['strong'])} the others leave less than {percent(STRONG)} of the "
            f"range that the scale allows ({in_words(_named(groups['strong']))}): here agreement "
            "could easily have failed, and is strong evidence that the printed figures belong "
            "together."
        )
    if groups["weak"]:
        sentences.append(
            f"For {len(groups['weak'])} they leave more than {percent(WEAK)} "
            f"({in_words(_named(groups['weak']))}): almost anything would have agreed."
        )
    return sentences


def decisions_in_words(found: Sequence[Predicted], alpha: float) -> list[str]:
    """Return which decisions at alpha the other figures leave open, as sentences."""
    tests = [
        (each, each.bound)
        for each in found
        if each.figure.statistic is Statistic.PAIRED_P and each.bound is not None
    ]
    sentences = []
    for each, bound in tests:
        if bound.low.limit >= alpha or bound.high.limit < alpha:
            continue
        at, (least, greatest) = TIMES_IN_WORDS[each.figure.at], shown_ends(bound)
        attained = bound.high.best
        if attained is not None and attained >= alpha:
            sentences.append(
                f"At {at} nothing but the printed *p* itself says that the change is significant: "
                f"some data print all other figures with *p* = {attained:.2g}."
            )
        else:
            sentences.append(
                f"At {at} it is not known whether the other figures imply significance: the proved "
                f"bounds go from {least} to {greatest}, on both sides of {alpha:g}, but no data "
                "beyond it were found."
            )
    sure = [TIMES_IN_WORDS[each.figure.at] for each, bound in tests if bound.high.limit < alpha]
    if sure:
        sentences.append(
            f"At {in_words(sure)} the other figures imply *p* below {alpha:g}, whatever the data."
        )
    return sentences or ["No bounds of a *p* value have been computed."]


def typical_in_words(found: Sequence[Predicted]) -> str:
    """Return how many printed figures lie in the middle of the draws, and which do not."""
    priors = list(found[0].draws)
    inside = {prior: sum(each.in_the_middle(prior) for each in found) for prior in priors}
    counts = [
        f"{count} of {len(found)} under the {label_of(prior)}" for prior, count in inside.items()
    ]
    outside = [each for each in found if not all(each.in_the_middle(p) for p in priors)]
    sentence = f"Of the printed figures, {in_words(counts)} lie within 95 % of the draws"
    if outside:
        names = in_words(_named(outside))
        sentence += f"; outside under one prior or more are {names}, which that prior finds unusual"
    return f"{sentence}."


def agreement_in_words(found: Sequence[Predicted]) -> list[str]:
    """Return what the strong agreement means, as sentences."""
    passes = "the article passes it" if all(each.inside for each in found) else "not all pass it"
    return [
        "Agreement is strong where another figure says nearly the same: a mean beside a mean "
        "change, a *p* value beside the mean and SD from which it is computed.",
        f"That is a check of the article's arithmetic, and {passes}.",
        "It says little about what was observed.",
    ]


def limits_in_words() -> list[str]:
    """Return what counts as strong and weak agreement, as sentences."""
    return [
        "*Range left* is the width of the bounds as a share of what the scale and the number of "
        "patients would allow without any figure.",
        f"Below {percent(STRONG)} we call agreement strong, above {percent(WEAK)} weak; these "
        "limits are ours.",
        f"For *p* values the range counts orders of magnitude, from 1 down to {LEAST_P:g}.",
        "Beside the interval of each prior stands the share of its draws that print the figure.",
        "The draws for a mean also assume the article's statement that the mean fell, where it "
        "makes one; the bounds do without it.",
        "The priors take no number from the article's scores, but what the other figures do not "
        "decide follows the prior.",
    ]


def readings_in_words() -> list[str]:
    """Return why some bounds come twice, as sentences."""
    whole, exact = READINGS
    return [
        "The mean change at month 12 is printed without decimals.",
        f"It may be any mean that rounds to {whole}, or one that prints as {exact}; at month 12 "
        "each bound is given under both readings, elsewhere under the first, which allows more.",
        "Ends are rounded outward.",
    ]


def _named(group: Sequence[Predicted]) -> list[str]:
    return [each.name.replace(": ", " ") for each in group]


def responders_in_words(found: Sequence[Predicted], bounds: SkinBounds) -> list[str]:
    """Return what the other figures say about the printed responders, as sentences."""
    sentences = []
    for each in found:
        if each.figure.statistic is not Statistic.RESPONDERS or each.bound is None:
            continue
        least, greatest = shown_ends(each.bound)
        spans: list[str] = []
        for prior, values in each.draws.items():
            low, high = np.quantile(values, CENTRAL)
            spans.append(f"{low:.0f} to {high:.0f} under the {label_of(prior)}")
        sentences.append(
            f"At {TIMES_IN_WORDS[each.figure.at]}, {each.figure.printed} responders of {each.n} "
            f"are printed; the other figures alone allow anything from {least} to {greatest}, and "
            f"95 % of the draws have {in_words(spans)}."
        )
    return sentences


def prediction_chains_in_words(root: Path) -> str:
    """Return how well the chains behind the predictions agree, as a sentence."""
    table = load_convergence(cohorts_folder(root))
    return (
        f"Behind each interval are {int(table['draws'].min()):,} draws of data sets, with R-hat up "
        f"to {table['r_hat'].max():.3f} and an effective sample size from {table['ess'].min():.0f}."
    )
