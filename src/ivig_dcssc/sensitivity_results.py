"""Appendices 1 and 2: every result again in tighter windows.

How many patients a tight window leaves is printed for friction rubs alone. In the synthetic cohorts
it follows from months of visits that are our prior, and the conclusions that the appendix calls
unchanged were built in; what would happen to them otherwise is shown by leaving out as many
patients at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.cohort_groups import (
    Spread,
    by_prior,
    cohorts_of,
    fixed,
    label_of,
    mean_by_prior,
    share_by_prior,
)
from ivig_dcssc.cohort_words import departures_in_words
from ivig_dcssc.function_results import CONTINUED, OTHER_WINDOWS, Flow, label, rubs_flow
from ivig_dcssc.reproduced import CohortResults
from ivig_dcssc.reproduced.choices import FOLLOWUPS, Choices
from ivig_dcssc.reproduced.tables import SEVERITIES, Tables
from ivig_dcssc.severity_results import changes_of_one_grade
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.retrospective import paired_change, signed_rank
from rederive.retrospective.keys import BoolArray, FloatArray, Grid, IntArray

BUILT_IN = (
    "That no decision changes in the tightened windows was built into these cohorts, because the "
    "appendix says so: that it holds there shows that it can, and confirms nothing."
)

COMPARED = ("haq_di", "patient_rating", "fvc", "dlco", *SEVERITIES)
"""Organ and function measures that are compared between baseline and month 12."""

TIGHT_P = "appendix2-severity-muscle-restricted-ivig-m12-p"
DRAWS = 2400
"""Random choices of patients to leave out, shared out among the cohorts of a run."""

SEED = 20150202


def _choices(ledger: Ledger) -> Choices:
    return cohorts_of(ledger).choices


# The windows


@dataclass(frozen=True, slots=True)
class Span:
    """Months that count for a group of measures in one analysis.

    Parameters
    ----------
    measures, analysis : str
        In words.
    baseline : int
        Oldest baseline, in months before the first infusion.
    targets : tuple of int
        Follow-up months.
    tolerance : int
        Months to either side of a target.
    """

    measures: str
    analysis: str
    baseline: int
    targets: tuple[int, ...]
    tolerance: int


MAIN, TIGHT = "main", "tightened"


def spans(ledger: Ledger) -> list[Span]:
    """Return the windows of the main and of the tightened analysis."""
    found = []
    for name, measure in (("skin score", "mrss"), ("organ measures", "fvc"), ("rubs", "tfr")):
        for analysis, choices in (
            (MAIN, _choices(ledger)),
            (TIGHT, _choices(ledger).restricted()),
        ):
            windows = choices.windows(measure)
            found.append(
                Span(name, analysis, windows.baseline_window, windows.targets, windows.tolerance)
            )
    return found


def window_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the windows as rows of a table, and whether the article states those of the main one.

    Returns
    -------
    list of dict
        Columns ``Measures, Window, Main analysis, Main window stated, Tightened``.
    """
    stated = {"skin score": ("yes", "yes"), "rubs": ("no, our choice", "no, our choice")}
    rows: list[dict[str, object]] = []
    pairs = iter(spans(ledger))
    for main, tight in zip(pairs, pairs, strict=True):
        known = stated.get(main.measures, ("no, our choice", "no, our choice"))
        months = in_words([f"{target}" for target in main.targets])
        for position, (window, one, other) in enumerate(
            (
                ("baseline, months before", main.baseline, tight.baseline),
                (f"around month {months}", main.tolerance, tight.tolerance),
            )
        ):
            sign = "" if position == 0 else "± "
            rows.append(
                {
                    "Measures": main.measures,
                    "Window": window,
                    "Main analysis": f"{sign}{one}",
                    "Main window stated": known[position],
                    "Tightened": f"{sign}{other}",
                }
            )
    return rows


# The skin score


@lru_cache(maxsize=2)
def skin_courses(results: CohortResults) -> pd.DataFrame:
    """Return the course of the skin score under both baseline windows.

    Returns
    -------
    DataFrame
        Columns cohort, analysis, month, n (with a baseline, too), mean, sd and p (NaN at baseline).
    """
    tables, parts = results.tables, []
    for analysis, restricted in ((MAIN, False), (TIGHT, True)):
        start = tables.measured("mrss", restricted=restricted)["baseline"]
        about = start.groupby(level="cohort").agg(["count", "mean", "std"]).reset_index()
        about.columns = pd.Index(["cohort", "n", "mean", "sd"])
        parts.append(about.assign(analysis=analysis, month=0, p=np.nan))
        for name in FOLLOWUPS:
            table = tables.paired("mrss", name, restricted=restricted).reset_index()
            table = table.rename(columns={"followup_mean": "mean", "followup_sd": "sd"})
            month = tables.choices.month(name)
            parts.append(
                table[["cohort", "n", "mean", "sd", "p"]].assign(analysis=analysis, month=month)
            )
    return pd.concat(parts, ignore_index=True)[
        ["cohort", "analysis", "month", "n", "mean", "sd", "p"]
    ]


def skin_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the course of the skin score under both baseline windows and each prior.

    Returns
    -------
    list of dict
        Columns ``Cohorts, Month``, then patients and mean in both analyses and p in the tightened.
    """
    cohorts = cohorts_of(ledger)
    table = skin_courses(cohorts.results)
    rows: list[dict[str, object]] = []
    for prior, members in by_prior(cohorts, _any_of(cohorts.results)).items():
        for month in (0, *cohorts.choices.followup_targets):
            own = table[table["cohort"].isin(members.index) & (table["month"] == month)]
            main, tight = (own[own["analysis"] == analysis] for analysis in (MAIN, TIGHT))
            rows.append(
                {
                    "Cohorts": label_of(prior),
                    "Month": "baseline" if month == 0 else str(month),
                    "Patients": Spread.of(main["n"]).in_words(0),
                    "Mean": Spread.of(main["mean"]).in_words(1),
                    "Patients, tightened": Spread.of(tight["n"]).in_words(0),
                    "Mean, tightened": Spread.of(tight["mean"]).in_words(1),
                    "p, tightened": "" if month == 0 else Spread.of(tight["p"]).p_in_words(4),
                }
            )
    return rows


def _any_of(results: CohortResults) -> pd.Series[Any]:
    return pd.Series(True, index=results.cohorts)


def statement_records(ledger: Ledger, ids: Sequence[str]) -> list[dict[str, object]]:
    """Return the appendix's statements without data, and in which cohorts they hold.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    ids : sequence of str
        Ids of claims.
    """
    cohorts = cohorts_of(ledger)
    rows: list[dict[str, object]] = []
    for row_id in ids:
        holds = cohorts.results.claim(row_id).set_index("cohort")["holds"]
        row: dict[str, object] = {"Statement": ledger.registry.claims[row_id].statement}
        if cohorts.reconstructed:
            row["Built into the synthetic cohorts"] = "yes"
        rows.append(row | {"Holds in the cohorts": share_by_prior(cohorts, holds)})
    return rows


def skin_in_words(ledger: Ledger) -> list[str]:
    """Return what the tightened baseline does to the skin score, as sentences."""
    cohorts = cohorts_of(ledger)
    table = skin_courses(cohorts.results)
    first = table[table["month"] == 0].pivot(index="cohort", columns="analysis", values="n")
    lost = first[MAIN] - first[TIGHT]
    targets = cohorts.choices.followup_targets
    months = in_words([str(month) for month in targets])
    if not cohorts.reconstructed:
        count = int(lost.iloc[0])
        return [
            f"In the cohort of this run the tightened baseline leaves out {count} patients; means "
            f"and tests at months {months} are in the table.",
            *departures_in_words(cohorts),
        ]
    kept = [
        mean_by_prior(cohorts, kept_at_random(cohorts.results, "mrss", name)) for name in FOLLOWUPS
    ]
    listed = (
        f"{kept[0]} of the trials at every follow-up"
        if len(set(kept)) == 1
        else in_words(
            [f"{part} at month {month}" for part, month in zip(kept, targets, strict=True)]
        )
        + " of the trials"
    )
    return [
        f"How many baseline scores were older is not printed. In the synthetic cohorts it is "
        f"{int(lost.min())} to {int(lost.max())} patients, by a prior of ours.",
        BUILT_IN if cohorts.as_published else OTHER_WINDOWS,
        f"If as many patients are left out at random instead, the decision stays in {listed}.",
        *departures_in_words(cohorts),
    ]


# Leaving out at random


def tested(tables: Tables, measure: str, values: pd.DataFrame, timepoint: str) -> pd.DataFrame:
    """Return n and p of a change, one row per cohort, by the test that the run uses.

    Parameters
    ----------
    tables : Tables
        The run's cohorts and choices.
    measure : str
        Measure of the visits.
    values : DataFrame
        Columns baseline and the timepoint, by cohort and patient.
    timepoint : str
        Follow-up, such as ``m12``.
    """
    if tables.test_of(measure) == "signed_rank":
        return signed_rank(values, timepoint, convention=tables.choices.convention)[["n", "p"]]
    return paired_change(values, timepoint)[["n", "p"]]


def chosen(candidates: BoolArray, keep: IntArray, rng: np.random.Generator) -> BoolArray:
    """Return random patients out of candidates, as many as wanted in each row.

    Parameters
    ----------
    candidates : array of bool, shape (rows, patients)
        Who can be chosen.
    keep : array of int, shape (rows,)
        How many are wanted; all candidates if there are no more.
    rng : Generator
        Source of randomness.
    """
    order = np.where(candidates, rng.random(candidates.shape), 2.0).argsort(axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(candidates.shape[1])[None, :], axis=1)
    return np.asarray(candidates & (rank < keep[:, None]))


@lru_cache(maxsize=64)
def kept_at_random(results: CohortResults, measure: str, timepoint: str) -> pd.Series[Any]:
    """Return how often a decision stays if patients are left out at random.

    As many are kept as the tightened windows keep: of the skin score baselines, of other measures
    pairs.

    Parameters
    ----------
    results : CohortResults
        Results of the run.
    measure, timepoint : str
        Measure of the visits, and follow-up such as ``m12``.

    Returns
    -------
    Series
        Share of the random choices by cohort.
    """
    tables, alpha = results.tables, results.choices.alpha
    grid = Grid.of(tables.keys)
    first, second = (
        {name: grid.spread(values[name]) for name in ("baseline", timepoint)}
        for values in (
            tables.measured(measure),
            tables.measured(measure, restricted=True),
        )
    )

    def countable(values: dict[str, FloatArray]) -> BoolArray:
        known = ~np.isnan(values["baseline"])
        if measure != "mrss":
            known &= ~np.isnan(values[timepoint])
        return np.asarray(known, dtype=bool)

    again = -(-DRAWS // len(results.cohorts))
    candidates = np.tile(countable(first), (again, 1))
    keep = np.tile(countable(second).sum(axis=1), again)
    rng = np.random.default_rng(SEED)
    mask = chosen(candidates, keep, rng)
    rows, width = mask.shape
    index = pd.MultiIndex.from_product(
        [np.arange(rows), np.arange(width)], names=["cohort", "patient"]
    )
    baseline = np.where(mask, np.tile(first["baseline"], (again, 1)), np.nan)
    values = pd.DataFrame(
        {"baseline": baseline.ravel(), timepoint: np.tile(first[timepoint], (again, 1)).ravel()},
        index=index,
    )
    p = tested(tables, measure, values, timepoint)["p"].to_numpy(dtype=float)
    main = tables.paired(measure, timepoint)["p"].to_numpy(dtype=float)
    same = ((p < alpha) == (np.tile(main, again) < alpha)) & ~np.isnan(p)
    return pd.Series(same.reshape(again, -1).mean(axis=0), index=results.cohorts)


# Organs and function


def kept_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return every comparison in the main and in the tightened windows.

    Returns
    -------
    list of dict
        Columns ``Measure``, pairs and p in both, the share of cohorts in which the decision stays,
        and the same if as many pairs are left out at random.
    """
    cohorts = cohorts_of(ledger)
    table = cohorts.results.sensitivity().set_index("cohort")
    rows: list[dict[str, object]] = []
    for measure in COMPARED:
        own = table[table["measure"] == measure]
        at_random = kept_at_random(cohorts.results, measure, "m12")
        rows.append(
            {
                "Measure": label(ledger, measure),
                "Pairs": Spread.of(own["n"]).in_words(0),
                "Pairs, tightened": Spread.of(own["restricted_n"]).in_words(0),
                "p": Spread.of(own["p"]).p_in_words(3),
                "p, tightened": Spread.of(own["restricted_p"]).p_in_words(3),
                "Decision stays": share_by_prior(cohorts, own["same_decision"]),
                "Left out at random": mean_by_prior(cohorts, at_random),
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class Kept:
    """Share of trials in which a decision stays when pairs are left out at random.

    Parameters
    ----------
    measure, cohorts : str
        In words.
    share : float
        Between 0 and 1.
    """

    measure: str
    cohorts: str
    share: float


def kept_shares(ledger: Ledger) -> list[Kept]:
    """Return the share of decisions that stay at random, for each comparison and prior."""
    cohorts = cohorts_of(ledger)
    points = [
        ("mrss", name, f"skin score, month {cohorts.choices.month(name)}") for name in FOLLOWUPS
    ]
    points += [(measure, "m12", label(ledger, measure)) for measure in COMPARED]
    return [
        Kept(name, label_of(prior), float(part.mean()))
        for measure, timepoint, name in points
        for prior, part in by_prior(
            cohorts, kept_at_random(cohorts.results, measure, timepoint)
        ).items()
    ]


def organs_in_words(ledger: Ledger) -> list[str]:
    """Return what tightened windows do to organ and function measures, as sentences."""
    cohorts = cohorts_of(ledger)
    table = cohorts.results.sensitivity()
    own = table[table["measure"].isin(COMPARED)]
    if not cohorts.reconstructed:
        changed = own[~own["same_decision"]]["measure"]
        names = [label(ledger, str(measure)) for measure in changed]
        end = f"changes for {in_words(names)}" if names else "changes for none of them"
        return [f"In the cohort of this run the decision {end}."]
    pairs = own.groupby("cohort")[["n", "restricted_n"]].sum()
    left = float((pairs["restricted_n"] / pairs["n"]).median())
    weakest = min(COMPARED, key=lambda m: kept_at_random(cohorts.results, m, "m12").mean())
    at_random = mean_by_prior(cohorts, kept_at_random(cohorts.results, weakest, "m12"))
    return [
        f"The appendix prints no number of pairs. In the synthetic cohorts the tight windows keep "
        f"{fixed(100 * left, 0)} % of them in the median cohort, by a prior of ours about the "
        "months of visits.",
        BUILT_IN if cohorts.as_published else OTHER_WINDOWS,
        f"The last column is a prediction. It is lowest for {label(ledger, weakest)}, where "
        f"the decision stays in {at_random} of the trials.",
        "Where p is far above the level, losing patients hardly ever brings it below: that such a "
        "result is unchanged says little.",
    ]


# Muscle severity and friction rubs, the two results of the appendix with figures


def muscle_in_words(ledger: Ledger, most: int) -> list[str]:
    """Return what the two printed p values of muscle severity say, as sentences.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    most : int
        Greatest number of pairs.
    """
    numbers, alpha = ledger.registry.numbers, ledger.settings.alpha
    main, tight = (
        numbers[row_id].printed for row_id in ("results-severity-muscle-ivig-m12-p", TIGHT_P)
    )
    simple = changes_of_one_grade(tight, most, ledger.settings.rule)
    words = [f"{better} better and {worse} worse" for better, worse in simple]
    side = (
        "Both lie on the same side of it"
        if (float(main.value) < alpha) == (float(tight.value) < alpha)
        else "They lie on either side of it"
    )
    sentences = [
        f"The p of muscle severity is {main} in the main analysis and {tight} in the tight "
        f"windows; the level is {alpha:g}. {side}. With fewer pairs p is larger for the same mean "
        "change, so the rise alone does not say that the improvement was less.",
    ]
    if words:
        sentences.append(
            f"If nobody moved by more than one grade, p = {tight} is the mark of "
            f"{in_words(words, 'or')} (or the other way round), whatever the number of pairs."
        )
    return sentences


def tight_rubs_flow(ledger: Ledger) -> Flow:
    """Return the course of friction rubs in the tight window as the appendix prints it."""
    numbers = ledger.registry.numbers
    present, lasting = (
        int(numbers[row_id].printed.value)
        for row_id in (
            "appendix2-tfr-restricted-ivig-baseline-count",
            "appendix2-tfr-continued-restricted-ivig-m6-count",
        )
    )
    return Flow("Appendix 2", (("resolved or unknown", present - lasting), (CONTINUED, lasting)))


def rubs_in_words(ledger: Ledger) -> list[str]:
    """Return what both counts of friction rubs imply together, as sentences."""
    main, tight = rubs_flow(ledger), tight_rubs_flow(ledger)
    counts, near = dict(main.parts), dict(tight.parts)
    older = main.present - tight.present
    rest, lasting = tight.present - near[CONTINUED], counts[CONTINUED] - near[CONTINUED]
    least = rest - counts["unknown"]
    old_resolved = sorted(counts["resolved"] - resolved for resolved in (least, rest))
    return [
        f"{main.present} patients had rubs before treatment, "
        f"{tight.present} of them on record within the tight window; so {older} are known with "
        "rubs only from earlier, and whether they still had them at the first infusion is not "
        "known.",
        f"Of the {tight.present}, {near[CONTINUED]} still had rubs at month 6, so {least} to "
        f"{rest} resolved: whether the patient without follow-up is one of them is not printed.",
        f"Of the {older} with older records {lasting} still had rubs, and {old_resolved[0]} to "
        f"{old_resolved[1]} count as resolved, perhaps before treatment began.",
    ]
