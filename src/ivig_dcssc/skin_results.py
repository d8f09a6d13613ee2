"""The skin score over time: means, paired tests, single courses, responders, and who is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ivig_dcssc import controls
from ivig_dcssc.cohort.predictions import first_mention
from ivig_dcssc.cohort.skin import READINGS, TIMEPOINTS, skin_block
from ivig_dcssc.cohort.skin_bounds import CONTROLS, THRESHOLDS, control_change
from ivig_dcssc.cohort.visits import WORSENING
from ivig_dcssc.cohort_groups import (
    Group,
    Spread,
    between,
    cohorts_of,
    fixed,
    groups,
    is_prediction,
    label_of,
    p_between,
    p_text,
    percent,
    share_of,
    true_minus,
)
from ivig_dcssc.reproduced.choices import CONFIDENCE, FOLLOWUPS
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed import PrintedNumber, RoundingRule, outward
from rederive.reconstruct.bounds import Bound, Kind, Quantity, key_of

Frame = pd.DataFrame

RESPONSE = ("m6", "m12")
"""Time points at which the article counts responders."""

FEW = 5
"""Number of patients below which a p of a user's own cohort is remarked on; ours."""

EARLIER = (-18, -12, -6)
"""Months before initiation around which scores are averaged, as the follow-ups are after it."""

SHOWN_COHORTS = 4
"""Cohorts of each group whose single courses are drawn."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of single scores that are drawn."""


def month_of(timepoint: str) -> int:
    """Return the month for which the article prints a time point, 0 for baseline."""
    return 0 if timepoint == TIMEPOINTS[0] else int(timepoint.removeprefix("m"))


def month_here(ledger: Ledger, timepoint: str) -> int:
    """Return the month that this run takes for a time point."""
    return cohorts_of(ledger).choices.month(timepoint)


def both_months(ledger: Ledger, timepoint: str) -> int | str:
    """Return the month of a time point for a row that has printed figures and this run's."""
    printed, here = month_of(timepoint), month_here(ledger, timepoint)
    return printed if printed == here else f"{printed}; in this run {here}"


def shown_readings(ledger: Ledger, timepoint: str) -> tuple[str, ...]:
    """Return the readings of the mean change at a time point that this run takes."""
    if timepoint != "m12":
        return READINGS[:1]
    chosen = cohorts_of(ledger).choices.reading
    return (chosen,) if chosen in READINGS else READINGS


# Means over time


@dataclass(frozen=True, slots=True)
class PrintedMean:
    """A printed mean score with its SD and n, and the 95 % confidence interval that follows."""

    timepoint: str
    mean: PrintedNumber
    sd: PrintedNumber
    n: int

    @property
    def month(self) -> int:
        """Month of the time point."""
        return month_of(self.timepoint)

    @property
    def interval(self) -> tuple[float, float]:
        """Confidence interval of the mean, by Student's t on n - 1 degrees of freedom."""
        width = student.ppf((1 + CONFIDENCE) / 2, self.n - 1) * float(self.sd.value) / sqrt(self.n)
        centre = float(self.mean.value)
        return centre - float(width), centre + float(width)


def printed_means(ledger: Ledger) -> list[PrintedMean]:
    """Return the printed mean score at baseline and every follow-up."""
    numbers = ledger.registry.numbers
    found = []
    for at in TIMEPOINTS:
        stem = f"abstract-mrss-ivig-{at}"
        size = f"{stem}-n" if f"{stem}-n" in numbers else "abstract-cohort-size-ivig-n"
        mean, sd = numbers[f"{stem}-mean"].printed, numbers[f"{stem}-sd"].printed
        found.append(PrintedMean(at, mean, sd, int(numbers[size].printed.value)))
    return found


def before_initiation(ledger: Ledger) -> Frame:
    """Return each cohort's mean score around months before initiation.

    A score counts for the nearest of :data:`EARLIER` within the follow-up tolerance, if it is
    older than the baseline window.

    Returns
    -------
    DataFrame
        Columns cohort, month (one of :data:`EARLIER`), n (scores) and mean.
    """
    cohorts = cohorts_of(ledger)
    table, choices = cohorts.results.before_initiation(), cohorts.choices
    old = table[table["month"] < -choices.baseline_window]
    parts = []
    for target in EARLIER:
        near = old[(old["month"] - target).abs() <= choices.followup_tolerance]
        sums = near.assign(total=near["mean"] * near["n"]).groupby("cohort")[["n", "total"]].sum()
        parts.append(
            pd.DataFrame({"month": target, "n": sums["n"], "mean": sums["total"] / sums["n"]})
        )
    return pd.concat(parts).reset_index()


def before_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the means before initiation as a table: one row for each month and group.

    Of a user's own cohort only months with scores are listed.
    """
    table, cohorts = before_initiation(ledger), cohorts_of(ledger)
    if not cohorts.reconstructed:
        return [
            {
                "Month": str(row["month"]).replace("-", "−"),
                "Patients with a score": int(row["n"]),
                "Mean": fixed(float(row["mean"]), 1),
            }
            for row in table.to_dict("records")
        ]
    rows: list[dict[str, object]] = []
    for target in EARLIER:
        for group in groups(cohorts):
            own = _of(table[table["month"] == target], group)
            mean = Spread.of(own["mean"])
            rows.append(
                {
                    "Month": str(target).replace("-", "−"),
                    "Cohorts": group.label,
                    "Patients with a score": Spread.of(own["n"]).in_words(0),
                    "Median of the means": mean.middle(1),
                    "95 % of the cohorts": mean.range(1),
                }
            )
    return rows


def _of(table: Frame, group: Group) -> Frame:
    return table[table["cohort"].isin(group.cohorts)]


def means_in_words(ledger: Ledger) -> list[str]:
    """Return what the printed means say and leave out, as sentences."""
    means = printed_means(ledger)
    first, last = means[0], means[-1]
    fall = first.mean.value - last.mean.value
    steps = [f"{earlier.n - later.n}" for earlier, later in pairwise(means)]
    apart = [f"month {later.month}" for later in means[1:] if later.interval[1] < first.interval[0]]
    sentences = [
        f"The printed mean falls by {float(fall):.1f} points in {last.month} months, while the "
        f"patients behind it fall from {first.n} to {last.n}.",
        f"From one time point to the next there are {in_words(steps)} fewer scores, so no two "
        "means are of the same patients.",
    ]
    if apart:
        sentences.append(
            "The 95 % intervals, which follow from the printed SDs and numbers, lie below that of "
            f"baseline at {in_words(apart)}; for a change in the same patients the paired tests "
            "below are the better judge."
        )
    return [*sentences, *_before_in_words(ledger)]


def _before_in_words(ledger: Ledger) -> list[str]:
    cohorts = cohorts_of(ledger)
    if not cohorts.reconstructed:
        known = before_initiation(ledger)
        if known.empty:
            return ["The cohort of this run has no scores older than the baseline window."]
        months = in_words([f"month {month}" for month in known["month"]]).replace("-", "−")
        return [f"Before initiation the cohort of this run has scores around {months}."]
    least, most = WORSENING
    return [
        "The article's figure also shows means before initiation; none is printed in the text.",
        "What is drawn there comes from the synthetic cohorts, and its slope is an assumption of "
        f"ours (each patient's score rose by {least:g} to {most:g} points in six months): no "
        "published figure speaks for or against it.",
    ]


# Paired tests


def predicted(ledger: Ledger, row_id: str, reading: str = READINGS[0]) -> dict[str, pd.Series[Any]]:
    """Return the values of one skin-score figure that was switched off and predicted.

    Where nothing was switched off (a user's own cohort, or windows or limits other than the
    article's), these are the values of the cohorts themselves.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    row_id : str
        Id of the figure.
    reading : str
        How the mean change at month 12 was read.

    Returns
    -------
    dict of str to Series
        Values by prior, or those of a user's own cohort.
    """
    cohorts = cohorts_of(ledger)
    if not is_prediction(cohorts):
        values = cohorts.results.known(row_id)
        return {group.name: values.loc[group.cohorts] for group in groups(cohorts)}
    table, figure = cohorts.predictions, first_mention(ledger.registry, row_id)
    chosen = table[(table["figure"] == figure) & (table["reading"] == reading)]
    return {str(name): part["value"] for name, part in chosen.groupby("prior", sort=False)}


def bound_of(
    ledger: Ledger, quantity: Quantity, dropped: Sequence[str] = (), reading: str = READINGS[0]
) -> Bound | None:
    """Return the bounds of a quantity over all data that print the skin scores, if computed.

    They are computed for the widest rounding rule only, where halves may go either way.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    quantity : Quantity
        What is bounded.
    dropped : sequence of str
        Ids of figures that the data need not print.
    reading : str
        How the mean change at month 12 is read.
    """
    if ledger.settings.rule is not RoundingRule.EITHER:
        return None
    block = skin_block(ledger.registry, reading)
    return cohorts_of(ledger).bounds.get(key_of(block, quantity, tuple(dropped)))


def bound_text(bound: Bound | None, decimals: int) -> str:
    """Return bounds as text, saying so where no data are known to attain them."""
    if bound is None:
        return "not computed"
    ends = " to ".join(dict.fromkeys(outward(bound.low.limit, bound.high.limit, decimals)))
    return ends if bound.sharp else f"within {ends}"


def paired_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the p of every paired test: recomputed, or predicted under each prior."""
    rows: list[dict[str, object]] = []
    alpha = ledger.settings.alpha
    for at in FOLLOWUPS:
        row_id = f"results-mrss-ivig-{at}-p"
        printed = ledger.registry.numbers[row_id].printed
        if at in RESPONSE:
            reach = ledger.recomputed(row_id).main
            point = float("nan") if reach.point is None else reach.point
            ends = p_between(reach.low, reach.high)
            decision = {True: "always", False: "never", None: "in part"}[reach.decision(alpha)]
            rows.append(_paired_row(at, printed, "printed change", p_text(point), ends, decision))
            rows[-1]["Prints as published"] = "yes" if reach.meets else "no"
        quantity = Quantity(Kind.PAIRED_P, at)
        bound = bound_of(ledger, quantity, (first_mention(ledger.registry, row_id),))
        if at not in RESPONSE and bound is not None:
            ends = p_between(bound.low.limit, bound.high.limit)
            decision = _decided(bound, alpha)
            rows.append(_paired_row(at, printed, "all compatible data", "", ends, decision))
            meets = printed.interval().meets(bound.low.limit, bound.high.limit)
            rows[-1]["Prints as published"] = "can" if meets else "cannot"
        if at in RESPONSE and is_prediction(cohorts_of(ledger)):
            continue
        for name, values in predicted(ledger, row_id).items():
            spread = Spread.of(values)
            ends = p_between(spread.low, spread.high) if spread.number > 1 else "one cohort"
            decision, prints = share_of(values < alpha), share_of(_prints(values, printed))
            if not spread.number:
                ends = decision = prints = "none"
            rows.append(
                _paired_row(at, printed, label_of(name), p_text(spread.median), ends, decision)
            )
            rows[-1]["Month"] = month_here(ledger, at)
            rows[-1]["Prints as published"] = prints
            if not cohorts_of(ledger).reconstructed:
                rows[-1]["Range"] = f"n = {own_size(ledger, row_id)}"
    if not cohorts_of(ledger).reconstructed:
        # One cohort has no range; what its p rests on is worth more.
        return [_renamed(row, "Range", "Range, or n of this run") for row in rows]
    return rows


def _renamed(row: Mapping[str, object], old: str, new: str) -> dict[str, object]:
    return {new if name == old else name: value for name, value in row.items()}


def own_size(ledger: Ledger, row_id: str) -> int:
    """Return the number of patients behind a figure in a user's own cohort."""
    return int(cohorts_of(ledger).results.size(row_id).iloc[0])


def _decided(bound: Bound, alpha: float) -> str:
    """Return whether p lies below alpha in all data; in part only where data on each side exist."""
    if bound.high.limit < alpha:
        return "always"
    if bound.low.limit >= alpha:
        return "never"
    below, above = bound.low.best, bound.high.best
    known = below is not None and above is not None and below < alpha <= above
    return "in part" if known else "not known"


def _paired_row(
    at: str, printed: PrintedNumber, source: str, middle: str, ends: str, decision: str
) -> dict[str, object]:
    return {
        "Month": month_of(at),
        "Published p": str(printed),
        "From": source,
        "p": middle,
        "Range": ends,
        "Prints as published": "",
        "Below α": decision,
    }


def _prints(values: pd.Series[Any], printed: PrintedNumber) -> pd.Series[Any]:
    interval = printed.interval()
    return values.between(interval.lower - 1e-9, interval.upper + 1e-9)


def paired_in_words(ledger: Ledger) -> list[str]:
    """Return what the paired tests rest on, as sentences."""
    alpha, cohorts = ledger.settings.alpha, cohorts_of(ledger)
    sentences = []
    for at in RESPONSE:
        row = ledger.row(f"results-mrss-ivig-{at}-p")
        sentences.append(
            f"At {month_of(at)} months mean and SD of the change are printed, so p follows: "
            f"{row.interval}, published {row.printed}; {row.decision}."
        )
    for at in FOLLOWUPS[2:]:
        sentences.append(_predicted_p_in_words(ledger, at))
    if is_prediction(cohorts):
        sentences.append(
            "What the prior decides there is how strongly later scores go with baseline: the "
            "stronger, the smaller the SD of the change and p."
        )
        sentences += _outside_in_words(ledger)
    sentences += _few_in_words(ledger)
    if cohorts.choices.paired_test != "paired_t":
        sentences.append(
            "In this run cohorts are tested with the signed-rank test; the p from printed figures "
            f"stays that of the paired t test. Decisions are at α = {alpha:g}."
        )
    return sentences


def _few_in_words(ledger: Ledger) -> list[str]:
    """Return which tests of a user's own cohort rest on very few patients, as sentences."""
    if cohorts_of(ledger).reconstructed:
        return []
    sizes = {at: own_size(ledger, f"results-mrss-ivig-{at}-p") for at in FOLLOWUPS}
    few = [
        f"{size} patients at {month_here(ledger, at)} months"
        for at, size in sizes.items()
        if 1 < size < FEW
    ]
    if not few:
        return []
    return [
        f"In the cohort of this run there are only {in_words(few)}: a p of fewer than {FEW} "
        "patients says next to nothing."
    ]


def _outside_in_words(ledger: Ledger) -> list[str]:
    """Return under which priors a published p lies outside the central 95 %, as sentences."""
    sentences = []
    for at in FOLLOWUPS[2:]:
        row_id = f"results-mrss-ivig-{at}-p"
        printed = ledger.registry.numbers[row_id].printed
        spreads = {name: Spread.of(v) for name, v in predicted(ledger, row_id).items()}
        target = printed.interval()
        for side, names in (
            ("smaller", [label_of(n) for n, s in spreads.items() if target.upper < s.low]),
            ("greater", [label_of(n) for n, s in spreads.items() if s.high < target.lower]),
        ):
            if names:
                closer = "more" if side == "smaller" else "less"
                sentences.append(
                    f"The published p at {month_of(at)} months is {side} than the central 95 % "
                    f"under the {in_words(names)}: for it, scores have to go with baseline "
                    f"{closer} closely than this prior has it."
                )
    return sentences


def _predicted_p_in_words(ledger: Ledger, at: str) -> str:
    row_id = f"results-mrss-ivig-{at}-p"
    printed = ledger.registry.numbers[row_id].printed
    alpha = ledger.settings.alpha
    parts = [
        f"{p_text(Spread.of(values).median)} ({label_of(name)})"
        for name, values in predicted(ledger, row_id).items()
    ]
    if not cohorts_of(ledger).reconstructed:
        parts = [f"{part[:-1]}, n = {own_size(ledger, row_id)})" for part in parts]
    here = month_here(ledger, at)
    if here != month_of(at):
        return (
            f"At {here} months the p here is {in_words(parts)}; published for {month_of(at)} "
            f"months is {printed}."
        )
    if not is_prediction(cohorts_of(ledger)):
        return (
            f"At {month_of(at)} months the change is not printed; the p here is {in_words(parts)}, "
            f"published {printed}."
        )
    text = (
        f"At {month_of(at)} months the change is not printed. In cohorts that were not told this "
        f"p, its median is {in_words(parts)}; published is {printed}."
    )
    quantity = Quantity(Kind.PAIRED_P, at)
    bound = bound_of(ledger, quantity, (first_mention(ledger.registry, row_id),))
    if bound is None:
        return text
    low, high = bound.low.limit, bound.high.limit
    known = f"over all data that print the other figures it lies within {p_between(low, high)}"
    tails = {
        "always": f"so p < {alpha:g} is certain",
        "never": f"so p ≥ {alpha:g} is certain",
        "in part": "and there are such data on either side of α, so the other figures alone do "
        "not decide it",
        "not known": "but no such data beyond α are known, so this is left open",
    }
    return f"{text} Whatever the prior, {known}, {tails[_decided(bound, alpha)]}."


# Changes from baseline


def change_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return mean and SD of the change at every follow-up: printed, bounded, and by group."""
    cohorts = cohorts_of(ledger)
    table = cohorts.results.skin_over_time()
    rows: list[dict[str, object]] = []
    for at in FOLLOWUPS:
        own = table[table["timepoint"] == at]
        size = int(ledger.registry.numbers[f"abstract-mrss-ivig-{at}-n"].printed.value)
        if at in RESPONSE:
            change = controls.ivig_change(ledger, at)
            printed = ledger.registry.numbers[f"abstract-mrss-change-ivig-{at}-mean"].printed
            rows.append(_change_row(at, size, "printed", str(printed), str(change.sd)))
        for reading in shown_readings(ledger, at):
            ends = change_bound(ledger, at, reading)
            if ends is not None:
                source = "all compatible data"
                source += f", −8 read as {reading.replace('-', '−')}" if at == "m12" else ""
                rows.append(_change_row(at, size, source, " to ".join(outward(*ends, 2)), ""))
        for group in groups(cohorts):
            part = _of(own, group)
            mean, sd = Spread.of(part["change_mean"]), Spread.of(part["change_sd"])
            n = Spread.of(part["n"]).in_words(0) if part["n"].nunique() > 1 else part["n"].iloc[0]
            rows.append(_change_row(at, n, group.label, mean.in_words(1), sd.in_words(1)))
            rows[-1]["Month"] = month_here(ledger, at)
    return [{key: _minus(value) for key, value in row.items()} for row in rows]


def _change_row(at: str, n: object, source: str, mean: str, sd: str) -> dict[str, object]:
    return {"Month": month_of(at), "n": n, "From": source, "Mean change": mean, "SD": sd}


def _minus(value: object) -> object:
    """Return texts with a true minus sign."""
    return true_minus(value) if isinstance(value, str) else value


def change_bound(ledger: Ledger, at: str, reading: str = READINGS[0]) -> tuple[float, float] | None:
    """Return the least and greatest mean change over all data that print every figure.

    Where a bound of the difference from a control is kept, that control's printed change is added
    to it.
    """
    whole = bound_of(ledger, Quantity(Kind.CHANGE_MEAN, at), (), reading)
    if whole is not None:
        return whole.low.limit, whole.high.limit
    for group, timepoint in CONTROLS:
        if timepoint == at:
            reference = control_change(ledger.registry, group, at)
            quantity = Quantity(Kind.DIFFERENCE, at, reference=reference)
            found = bound_of(ledger, quantity, (), reading)
            if found is not None:
                return found.low.limit + float(reference), found.high.limit + float(reference)
    return None


def changes_in_words(ledger: Ledger) -> list[str]:
    """Return what is known of the changes, as sentences."""
    cohorts = cohorts_of(ledger)
    sentences = []
    narrow = change_bound(ledger, "m12", shown_readings(ledger, "m12")[0])
    if narrow is not None and cohorts.reconstructed:
        mean = controls.ivig_change(ledger, "m12").mean
        printed = ledger.registry.numbers["abstract-mrss-change-ivig-m12-mean"].printed
        wide = mean.interval(ledger.settings.rule)
        ends = " to ".join(outward(*narrow, 2))
        read = "" if mean.text == printed.text else f" and read as {mean.text}"
        sentences.append(
            f"Printed as {printed}{read}, the mean change at 12 months may be {wide.lower:g} to "
            f"{wide.upper:g}; the other skin scores leave {ends}."
        )
    for at in FOLLOWUPS[2:]:
        bound = bound_of(ledger, Quantity(Kind.CHANGE_MEAN, at))
        if bound is None:
            continue
        sentences.append(
            f"At {month_of(at)} months the printed means differ by {_fall(ledger, at):.1f}, but "
            f"the mean change of the same patients may be anything from {bound.low.limit:.1f} to "
            f"{bound.high.limit:.1f}."
        )
    if not cohorts.reconstructed:
        table = cohorts.results.skin_over_time().set_index("timepoint")["change_mean"]
        listed = in_words(
            [f"{fixed(table[at], 1)} at month {month_here(ledger, at)}" for at in FOLLOWUPS]
        )
        sentences.insert(0, f"In the cohort of this run the mean change is {listed}.")
    return [str(_minus(sentence)) for sentence in sentences]


# Single courses


def course_quantiles(ledger: Ledger) -> Frame:
    """Return quantiles of single scores over all patients and cohorts of a group.

    Returns
    -------
    DataFrame
        Columns group, month, and one for each of :data:`QUANTILES`.
    """
    cohorts = cohorts_of(ledger)
    table = cohorts.results.trajectories()
    named = table.assign(group=table["cohort"].map(cohorts.priors))
    found = named.groupby(["group", "month"])["value"].quantile(np.array(QUANTILES))
    return found.unstack().reset_index()


def shown_cohorts(group: Group, number: int = SHOWN_COHORTS) -> list[int]:
    """Return cohorts at equal distances in an ensemble: chosen by place, not by result."""
    size = len(group.cohorts)
    places = dict.fromkeys(place * size // number for place in range(number))
    return [int(group.cohorts[place]) for place in places]


def courses(ledger: Ledger) -> Frame:
    """Return what single courses are like in each cohort.

    Returns
    -------
    DataFrame
        By cohort; columns correlation (of the changes at 6 and 12 months), kept (share of the
        responders at 6 months, followed at 12, who are responders then), gained (share of the
        non-responders at 6 who are responders at 12) and worse (share with a higher score at 12
        than at baseline).
    """
    table = cohorts_of(ledger).results.trajectories()
    later = table[table["timepoint"].isin(RESPONSE)]
    wide = later.pivot_table(
        index=["cohort", "patient"], columns="timepoint", values="change", observed=True
    ).reindex(columns=list(RESPONSE))
    at_6, at_12 = (wide[at].astype(float) for at in RESPONSE)
    flags = table.groupby(["cohort", "patient"], observed=True)[["responder_m6", "responder_m12"]]
    first = flags.first().dropna()
    responded, then = first["responder_m6"] == 1, first["responder_m12"]
    worse = (at_12.dropna() > 0).groupby("cohort").mean()
    both = pd.DataFrame({"m6": at_6, "m12": at_12}).dropna()
    cohorts = cohorts_of(ledger).results.cohorts
    correlation = {cohort: _correlation(part) for cohort, part in both.groupby("cohort")}
    found = pd.DataFrame(
        {
            "correlation": pd.Series(correlation, dtype=float),
            "kept": then[responded].groupby("cohort").mean(),
            "gained": then[~responded].groupby("cohort").mean(),
            "worse": worse,
        }
    )
    return found.reindex(cohorts)


def _correlation(part: Frame) -> float:
    varies = len(part) > 2 and part.std().gt(0).all()
    return float(part["m6"].corr(part["m12"])) if varies else float("nan")


def course_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return what single courses are like in each group, as a table."""
    table = courses(ledger)
    rows: list[dict[str, object]] = []
    for group in groups(cohorts_of(ledger)):
        own = table.loc[group.cohorts]
        shares = {name: Spread.of(100 * own[name]) for name in ("kept", "gained", "worse")}
        correlation = Spread.of(own["correlation"]).in_words(2).replace("-", "−")
        first, second = (month_here(ledger, at) for at in RESPONSE)
        rows.append(
            {
                "Cohorts": group.label,
                f"Correlation of the changes at {first} and {second} months": correlation,
                f"Responders at {first} still so at {second}, %": shares["kept"].in_words(0),
                f"Others at {first} responders at {second}, %": shares["gained"].in_words(0),
                f"Worse than at baseline at {second}, %": shares["worse"].in_words(0),
            }
        )
    return rows


def courses_in_words(ledger: Ledger) -> list[str]:
    """Return what the figures leave open of single courses, as sentences."""
    cohorts, table = cohorts_of(ledger), courses(ledger)
    parts = groups(cohorts)
    kept = {group.label: Spread.of(table["kept"].loc[group.cohorts]).median for group in parts}
    listed = in_words([f"{percent(share)} ({label})" for label, share in kept.items()])
    first, second = (month_here(ledger, at) for at in RESPONSE)
    if not cohorts.reconstructed:
        share = percent(next(iter(kept.values())))
        if share == "none":
            return [
                f"In the cohort of this run no responder at {first} months was followed at "
                f"{second} months."
            ]
        return [
            f"Of the responders at {first} months who were followed, {share} were so at {second} "
            "months in the cohort of this run."
        ]
    return [
        "The lines are patients of cohorts at equal distances in each ensemble, chosen by their "
        "place and not by what they show; the bands are of all cohorts.",
        f"Of the responders at {first} months, in the median cohort {listed} are responders at "
        f"{second}.",
        "The published figures fix every visit by itself and each change from baseline at 6 and 12 "
        "months; how a patient's visits hang together beyond that comes from the prior.",
    ]


# Responders


@dataclass(frozen=True, slots=True)
class Prediction:
    """A number of responders under one prior, where it was not told, or in one group.

    Attributes
    ----------
    timepoint, reading, group : str
        When, how the mean change at month 12 was read, and whose.
    values : Series
        Responders in each draw or cohort.
    printed, n : int
        Published number of responders, and of patients with both scores.
    bound : Bound or None
        Sharp bounds, where the cohorts print the other figures.
    month : int
        Month that the run takes for the time point.
    own_n : int or None
        Patients with both scores in a user's own cohort.
    """

    timepoint: str
    reading: str
    group: str
    values: pd.Series[Any]
    printed: int
    n: int
    bound: Bound | None
    month: int
    own_n: int | None = None

    @property
    def counted(self) -> str:
        """Responders of all with both scores in a user's own cohort, in words."""
        count = Spread.of(self.values).middle(0)
        return f"{count} of {self.own_n}" if self.own_n else "none"

    def as_record(self) -> dict[str, object]:
        """Return the prediction as a row of a table; of an own cohort both counts alone."""
        if self.own_n is not None:
            return {
                "Month": self.month,
                "Published": f"{self.printed} of {self.n}",
                "This cohort": self.counted,
            }
        spread = Spread.of(self.values)
        return {
            "Month": self.month,
            "Change at 12 months read as": self.reading.replace("-", "−"),
            "Cohorts": label_of(self.group),
            "Published": f"{self.printed} of {self.n}",
            "Median": spread.middle(0),
            "95 %": spread.range(0),
            "Exactly as published": share_of(self.values.round() == self.printed),
            "Least and greatest possible": bound_text(self.bound, 0),
        }


def responder_predictions(ledger: Ledger) -> list[Prediction]:
    """Return the responders at 6 and 12 months, predicted from all other skin-score figures."""
    cohorts, numbers = cohorts_of(ledger), ledger.registry.numbers
    limit = Fraction(str(numbers["methods-responder-threshold-threshold"].printed.value))
    found = []
    for at in RESPONSE:
        row_id = f"results-responder-ivig-{at}-count"
        printed = int(numbers[row_id].printed.value)
        size = int(numbers[f"results-responder-ivig-{at}-n"].printed.value)
        readings = shown_readings(ledger, at)
        for reading in readings if is_prediction(cohorts) else readings[:1]:
            bound = None
            if is_prediction(cohorts):
                bound = bound_of(ledger, Quantity(Kind.RESPONDERS, at, limit), (row_id,), reading)
            for name, values in predicted(ledger, row_id, reading).items():
                month = month_here(ledger, at)
                own = None if cohorts.reconstructed else own_size(ledger, row_id)
                found.append(
                    Prediction(at, reading, name, values, printed, size, bound, month, own)
                )
    return found


def responders_in_words(ledger: Ledger, found: Sequence[Prediction]) -> list[str]:
    """Return how the responders come out, as sentences."""
    cohorts = cohorts_of(ledger)
    if not is_prediction(cohorts):
        if not cohorts.reconstructed:
            return [_own_responders_in_words(ledger, found)]
        listed = in_words(
            [
                f"{Spread.of(each.values).in_words(0)} at month {each.month} "
                f"({label_of(each.group)}; published {each.printed} of {each.n})"
                for each in found
            ]
        )
        limit = cohorts.choices.responder_threshold
        return [f"With a decrease of {limit} points or more as the limit, responders are {listed}."]
    sentences = []
    for at in RESPONSE:
        reading = shown_readings(ledger, at)[0]
        own = [each for each in found if each.timepoint == at and each.reading == reading]
        spreads = [Spread.of(each.values) for each in own]
        inside = [
            label_of(each.group)
            for each, spread in zip(own, spreads, strict=True)
            if spread.low <= each.printed <= spread.high
        ]
        medians = in_words(
            [f"{s.middle(0)} ({label_of(e.group)})" for e, s in zip(own, spreads, strict=True)]
        )
        text = (
            f"At {month_of(at)} months the median prediction is {medians}; published are "
            f"{own[0].printed} of {own[0].n}, inside the central 95 % under "
            f"{_all_or(inside, len(own))}."
        )
        if own[0].bound is not None:
            low, high = own[0].bound.low.limit, own[0].bound.high.limit
            text += (
                f" Without a prior the other figures allow anything from {low:.0f} to {high:.0f}."
            )
        sentences.append(text)
    sentences.append(
        "The agreement is therefore evidence for the counts only together with a prior; by "
        "themselves mean and SD of the change hardly limit how many patients passed a threshold."
    )
    return sentences


def _own_responders_in_words(ledger: Ledger, found: Sequence[Prediction]) -> str:
    limit = cohorts_of(ledger).choices.responder_threshold
    listed = [
        f"{each.counted} at month {each.month} (published {each.printed} of {each.n})"
        for each in found
    ]
    return (
        f"With a decrease of {limit} points or more as the limit, responders of the cohort of this "
        f"run are {in_words(listed)}."
    )


def _all_or(names: Sequence[str], number: int) -> str:
    if len(names) == number:
        return "every prior" if number > 1 else f"the {names[0]}"
    return f"the {in_words(list(names))}" if names else "none of them"


def curve(ledger: Ledger) -> Frame:
    """Return the responders at every threshold from 1 to 15 points.

    Returns
    -------
    DataFrame
        Columns timepoint, threshold, group, median, low, high (95 % of the cohorts), least and
        most (sharp bounds over all data that print every figure; NaN where not computed).
    """
    cohorts = cohorts_of(ledger)
    rows = []
    for threshold in THRESHOLDS:
        table = cohorts.results.responders(threshold)
        if not cohorts.reconstructed:
            # Nobody followed is not the same as no responder.
            table = table.assign(count=table["count"].where(table["n"] > 0))
        for at in RESPONSE:
            quantity = Quantity(Kind.RESPONDERS, at, Fraction(threshold))
            least, most = _curve_bound(ledger, quantity)
            own = table[table["timepoint"] == at]
            for group in groups(cohorts):
                spread = Spread.of(_of(own, group)["count"])
                rows.append(
                    {
                        "timepoint": at,
                        "threshold": threshold,
                        "group": group.name,
                        "median": spread.median,
                        "low": spread.low,
                        "high": spread.high,
                        "least": least,
                        "most": most,
                    }
                )
    return pd.DataFrame(rows)


def _curve_bound(ledger: Ledger, quantity: Quantity) -> tuple[float, float]:
    cohorts = cohorts_of(ledger)
    if not (cohorts.reconstructed and cohorts.choices.same_scores):
        # Bounds over data that print the article's figures say nothing of other scores.
        return float("nan"), float("nan")
    numbers = ledger.registry.numbers
    published = numbers["methods-responder-threshold-threshold"].printed.value
    if quantity.threshold == published:
        count = float(numbers[f"results-responder-ivig-{quantity.at}-count"].printed.value)
        return count, count
    bound = bound_of(ledger, quantity)
    return (float("nan"), float("nan")) if bound is None else (bound.low.limit, bound.high.limit)


def curve_in_words(ledger: Ledger, table: Frame) -> list[str]:
    """Return how much the number of responders hangs on the threshold, as sentences."""
    cohorts = cohorts_of(ledger)
    chosen = cohorts.choices.responder_threshold
    whose = "95 % of the synthetic cohorts of each prior have"
    if not cohorts.reconstructed:
        whose = "the cohort of this run has"
    sentences = []
    for at in RESPONSE:
        parts = []
        for threshold in (chosen - 2, chosen + 2):
            own = table[(table["timepoint"] == at) & (table["threshold"] == threshold)]
            if own.empty:
                continue
            part = f"{between(own['low'].min(), own['high'].max(), 0)} at {threshold} points"
            least, most = own["least"].min(), own["most"].max()
            if cohorts.reconstructed and least < most:
                part += f", where the bounds allow {between(least, most, 0)}"
            parts.append(part)
        if parts:
            sentences.append(
                f"At {month_here(ledger, at)} months {whose} these numbers of responders: "
                f"{'; '.join(parts)}."
            )
    published = ledger.registry.numbers["methods-responder-threshold-threshold"].printed.value
    pinned = table[table["threshold"] == int(published)]
    printed = cohorts.reconstructed and cohorts.choices.same_scores
    if printed and (pinned["low"] == pinned["high"]).all():
        sentences.append(
            "At the article's threshold all synthetic cohorts agree because they were made to; "
            "beside it they part."
        )
    return sentences or ["The curve covers other thresholds than the one of this run."]


# Who is missing


def missing_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the mean baseline of those without a follow-up score, from every source."""
    cohorts = cohorts_of(ledger)
    table = cohorts.results.missing()
    implied = _implied(ledger)
    rows: list[dict[str, object]] = []
    for at in FOLLOWUPS:
        own = table[table["timepoint"] == at]
        for reading in shown_readings(ledger, at):
            known = implied.get((at, reading))
            bound = bound_of(ledger, Quantity(Kind.MISSING_BASELINE_MEAN, at), (), reading)
            # The score of a single patient is a whole number.
            decimals = 0 if _missing_number(ledger, at) == 1 else 1
            row: dict[str, object] = {
                "Month": both_months(ledger, at),
                "Change at 12 months read as": reading.replace("-", "−") if at == "m12" else "any",
                "Missing": _missing_number(ledger, at),
                "From the printed means": "no change printed" if known is None else known,
                "Over all compatible data": bound_text(bound, decimals),
            }
            for group in groups(cohorts):
                part = _of(own, group)
                part = part[part["cohort"].isin(_read_as(ledger, reading))]
                text = Spread.of(part["missing_mean"]).in_words(decimals)
                row[group.label[0].upper() + group.label[1:]] = text
            rows.append(row)
    return rows


def _missing_number(ledger: Ledger, at: str) -> int:
    numbers = ledger.registry.numbers
    everyone = int(numbers["abstract-cohort-size-ivig-n"].printed.value)
    return everyone - int(numbers[f"abstract-mrss-ivig-{at}-n"].printed.value)


def _implied(ledger: Ledger) -> Mapping[tuple[str, str], str]:
    """Return the recomputed baseline of the missing by time point and reading."""
    found = {}
    for at in RESPONSE:
        for each in controls.followed(ledger, at):
            reading = each.reading if at == "m12" else READINGS[0]
            found[at, reading] = each.range_in_words
    return found


def _read_as(ledger: Ledger, reading: str) -> list[int]:
    """Return the cohorts whose mean change at 12 months prints as a reading."""
    cohorts = cohorts_of(ledger)
    if not is_prediction(cohorts) or reading == READINGS[0]:
        return [int(cohort) for cohort in cohorts.results.cohorts]
    table = cohorts.results.skin_over_time()
    own = table[table["timepoint"] == "m12"]
    interval = PrintedNumber(reading).interval()
    inside = own["change_mean"].between(interval.lower - 1e-9, interval.upper + 1e-9)
    return [int(cohort) for cohort in own.loc[inside, "cohort"]]


def missing_in_words(ledger: Ledger) -> list[str]:
    """Return what the missing patients imply, as sentences."""
    mean = ledger.registry.numbers["abstract-mrss-ivig-baseline-mean"].printed
    sentences = []
    for at in RESPONSE:
        readings = controls.followed(ledger, at)
        sentences += [_implied_in_words(ledger, each, len(readings)) for each in readings]
    changes = {
        at: ledger.registry.numbers[f"abstract-mrss-change-ivig-{at}-mean"].printed
        for at in RESPONSE
    }
    gaps = [
        f"{_fall(ledger, at):.1f} at {month_of(at)} months (mean change {changes[at]})"
        for at in RESPONSE
    ]
    sentences.append(
        f"This is the gap between two figures: the printed means differ by {in_words(gaps)}."
    )
    for at in FOLLOWUPS[2:]:
        bound = bound_of(ledger, Quantity(Kind.MISSING_BASELINE_MEAN, at))
        if bound is None:
            continue
        low, high = bound.low.limit, bound.high.limit
        side = "on either side of" if low < float(mean.value) < high else "all on one side of"
        sentences.append(
            f"At {month_of(at)} months {_missing_number(ledger, at)} are missing, with a mean "
            f"baseline of {' to '.join(outward(low, high, 1))}, {side} the published "
            f"cohort's {mean}: the published figures do not say whether the milder or the more "
            "severe were lost."
        )
    cohorts = cohorts_of(ledger)
    if not cohorts.reconstructed:
        table = cohorts.results.missing().set_index("timepoint")["missing_mean"]
        known = [
            f"{table[at]:.1f} at month {month_here(ledger, at)}"
            for at in FOLLOWUPS
            if table.notna()[at]
        ]
        if known:
            sentences.append(
                f"In the cohort of this run the missing had a mean baseline of {in_words(known)}."
            )
    return [str(_minus(sentence)) for sentence in sentences]


def _implied_in_words(ledger: Ledger, each: controls.Followed, readings: int) -> str:
    """Return the baseline of the missing at one time point, by the sharp bounds where there are."""
    mean = ledger.registry.numbers["abstract-mrss-ivig-baseline-mean"].printed
    quantity = Quantity(Kind.MISSING_BASELINE_MEAN, each.timepoint)
    reading = each.reading if each.timepoint == "m12" else READINGS[0]
    bound = bound_of(ledger, quantity, (), reading)
    ends = each.baseline_of_missing
    low, high, wider = float(ends.lower), float(ends.upper), ""
    if bound is not None:
        low, high = bound.low.limit, bound.high.limit
        wider = f" (change and means alone allow {each.range_in_words})"
    text = " to ".join(outward(low, high, 0 if each.missing == 1 else 1))
    if text == each.range_in_words:
        wider = ""
    side = "within reach of"
    if low > float(mean.value):
        side = "above"
    elif high < float(mean.value):
        side = "below"
    who = f"{each.missing} patients without a score had a mean baseline score"
    if each.missing == 1:
        who = "one patient without a score had a baseline score"
    read = f", with the mean change read as {each.reading}," if readings > 1 else ""
    return (
        f"At {month_of(each.timepoint)} months{read} the {who} of {text}, {side} the "
        f"published cohort's {mean}{wider}."
    )


def _fall(ledger: Ledger, at: str) -> float:
    """Return the printed mean at a follow-up minus that at baseline."""
    numbers = ledger.registry.numbers
    start, then = (
        numbers[f"abstract-mrss-ivig-{each}-mean"].printed.value for each in (TIMEPOINTS[0], at)
    )
    return float(then - start)


def denominators(ledger: Ledger) -> list[dict[str, object]]:
    """Return the share of responders if the missing count as none, or as all, responders."""
    numbers = ledger.registry.numbers
    everyone = int(numbers["abstract-cohort-size-ivig-n"].printed.value)
    rows: list[dict[str, object]] = []
    for at in RESPONSE:
        count = int(numbers[f"results-responder-ivig-{at}-count"].printed.value)
        size = int(numbers[f"results-responder-ivig-{at}-n"].printed.value)
        share = partial(_share, of=everyone)
        rows.append(
            {
                "Month": month_of(at),
                "Of those followed": _share(count, size),
                "Of all, no missing patient a responder": share(count),
                "Of all, every missing patient a responder": share(count + everyone - size),
            }
        )
    return rows


def _share(count: int, of: int) -> str:
    return f"{count} of {of} ({100 * count / of:.0f}%)"
