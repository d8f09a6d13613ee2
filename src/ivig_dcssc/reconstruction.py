"""Reconstructing the patients: columns counted, ensembles described, what they leave open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ivig_dcssc.check import check_cohort, incoherences, unchecked
from ivig_dcssc.cohort.ensemble import PATIENTS, VISITS
from ivig_dcssc.cohort.priors import PRIORS
from ivig_dcssc.cohort.skin import MEASURE, THRESHOLD, TIMEPOINTS, skin_block
from ivig_dcssc.cohort_groups import Spread, label_of
from ivig_dcssc.reproduced import CohortResults
from ivig_dcssc.shipped import TEACHING_COHORT, cohorts_folder
from rederive.book.render import TIMEPOINTS as TIMES_IN_WORDS
from rederive.book.section import in_words
from rederive.printed.registry import Registry
from rederive.reconstruct.block import Block, Figure, Statistic
from rederive.reconstruct.block.diagnostics import R_HAT_LIMIT
from rederive.reconstruct.column import ColumnSummary, MultisetSampler, count_columns
from rederive.reconstruct.study import read_notes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

IN_WORDS = {
    "gaussian": "one kind of patient, whose score falls slowly as in earlier trials; scores six "
    "months apart resemble each other",
    "flat": "no opinion: every score is as likely as any other, whatever came before",
    "bimodal": "two kinds of patient, half and half: some improve much, the others not at all",
}
"""What each prior says, in words."""

_NAMES = {3: "thousand", 6: "million", 9: "billion", 12: "trillion", 15: "quadrillion"}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SECONDS_OF_A_YEAR = 365.25 * 24 * 3600
_STATISTIC_COLUMNS = {
    Statistic.MEAN: "Mean",
    Statistic.SD: "SD",
    Statistic.CHANGE_MEAN: "Mean change",
    Statistic.CHANGE_SD: "SD of change",
    Statistic.PAIRED_P: "p of change",
    Statistic.RESPONDERS: "Responders",
}


@dataclass(frozen=True, slots=True)
class Column:
    """The skin scores of one time point, and how many columns print its mean and SD.

    Attributes
    ----------
    at : str
        Time point.
    summary : ColumnSummary
        Mean, SD and n as printed, on the scale of the skin score.
    multisets, vectors : int
        Columns if it does not matter, and if it does, who has which score.
    """

    at: str
    summary: ColumnSummary
    multisets: int
    vectors: int

    @property
    def name(self) -> str:
        """The time point in words."""
        return TIMES_IN_WORDS[self.at]


def column_summary(block: Block, at: str) -> ColumnSummary:
    """Return what is printed of one time point of a block: mean, SD and n."""
    printed = {figure.statistic: figure.printed for figure in block.figures if figure.at == at}
    n, scale = block.observed[block.index(at)], block.scale
    ends = scale.minimum, scale.maximum, scale.step
    return ColumnSummary(printed[Statistic.MEAN], printed[Statistic.SD], n, *ends)


def count_skin_columns(registry: Registry) -> list[Column]:
    """Count, exactly, the columns of skin scores that print each mean and SD."""
    block = skin_block(registry)
    summaries = [column_summary(block, at) for at in TIMEPOINTS]
    with ThreadPoolExecutor(2) as pool:
        vectors = list(pool.map(lambda one: count_columns(one, ordered=True), summaries))
        multisets = list(pool.map(count_columns, summaries))
    return [Column(*each) for each in zip(TIMEPOINTS, summaries, multisets, vectors, strict=True)]


def magnitude(number: int) -> str:
    """Return the size of a whole number in words, two digits, rounded down: ``8.0 quadrillion``.

    Parameters
    ----------
    number : int
        From 1.
    """
    digits = len(str(number)) - 1
    if digits < 3:
        return str(number)
    if digits >= 18:
        return f"{_leading(number, digits)} × 10{str(digits).translate(_SUPERSCRIPTS)}"
    exponent = digits - digits % 3
    return f"{_leading(number, exponent)} {_NAMES[exponent]}"


def _leading(number: int, exponent: int) -> str:
    tenths = 10 * number // 10**exponent
    return f"{tenths // 10}.{tenths % 10}" if tenths < 1000 else str(tenths // 10)


def count_table(columns: Iterable[Column]) -> list[dict[str, object]]:
    """Return one record per column: figures, exact number of columns, and its size in words."""
    return [
        {
            "Time": column.name,
            "Printed mean (SD)": f"{column.summary.mean} ({column.summary.sd})",
            "Patients": column.summary.n,
            "Different columns of scores": f"{column.multisets:,}",
            "In words": magnitude(column.multisets),
            "If it matters who has which score": magnitude(column.vectors),
        }
        for column in columns
    ]


def columns_in_words(columns: Sequence[Column]) -> list[str]:
    """Return what the counts mean, as sentences."""
    most = max(columns, key=lambda column: column.multisets)
    least = min(columns, key=lambda column: column.multisets)
    years = int(most.multisets / _SECONDS_OF_A_YEAR)
    together = 1
    for column in columns:
        together *= column.vectors
    return [
        f"At {most.name}, {most.summary.n} scores with mean {most.summary.mean} and SD "
        f"{most.summary.sd} can be chosen in exactly **{most.multisets:,}** ways, about "
        f"{magnitude(most.multisets)}; to write down one a second would take about "
        f"{magnitude(years)} years.",
        f"The fewest are left at {least.name}, where there are {least.summary.n} patients: "
        f"{magnitude(least.multisets)}.",
        f"All {len(columns)} columns together, with who has which score but without the figures "
        f"that tie them to each other, leave about {magnitude(together)} combinations.",
        "Those figures rule out many of them; how many are left is not counted here.",
    ]


@dataclass(frozen=True, slots=True)
class Uniform:
    """Columns of one time point, drawn so that each that prints the figures is equally likely.

    Attributes
    ----------
    column : Column
    draws : array, shape (draws, n)
        Scores, rising within each draw.
    """

    column: Column
    draws: Integers

    @property
    def patients_by_score(self) -> Floats:
        """Mean number of patients at each score of the scale, shape (scores,)."""
        highest = self.column.summary.high
        counts = np.bincount(self.draws.ravel(), minlength=highest + 1)
        return np.asarray(counts / len(self.draws), np.float64)

    def shapes(self) -> dict[str, Integers]:
        """Return four of the draws that are as unlike as they get, by what is special in them."""
        centred = self.draws - self.draws.mean(axis=1, keepdims=True)
        skew = (centred**3).mean(axis=1)
        spread = np.ptp(self.draws, axis=1)
        # The number of different scores is small if patients share few of them.
        kinds = (np.diff(self.draws, axis=1) > 0).sum(axis=1)
        return {
            "longest tail to high scores": self.draws[int(np.argmax(skew))],
            "longest tail to low scores": self.draws[int(np.argmin(skew))],
            "narrowest range": self.draws[int(np.argmin(spread))],
            "fewest different scores": self.draws[int(np.argmin(kinds))],
        }


def draw_uniformly(columns: Iterable[Column], draws: int = 4000, seed: int = 1) -> list[Uniform]:
    """Draw columns, each with the same probability, for every time point."""
    return [
        Uniform(column, MultisetSampler(column.summary, seed).draw(draws)) for column in columns
    ]


def constraint_table(registry: Registry) -> list[dict[str, object]]:
    """Return the figures that every data set has to print, one record per time point."""
    block = skin_block(registry)
    records: list[dict[str, object]] = []
    for at, n in zip(TIMEPOINTS, block.observed, strict=True):
        own = {figure.statistic: figure for figure in block.figures if figure.at == at}
        figures = {name: _shown(own.get(kind)) for kind, name in _STATISTIC_COLUMNS.items()}
        records.append({"Time": TIMES_IN_WORDS[at], "Patients": n, **figures})
    return records


def _shown(figure: Figure | None) -> str:
    return "" if figure is None else str(figure.printed)


def constraints_in_words(registry: Registry) -> list[str]:
    """Return how many scores and figures there are, as sentences."""
    block = skin_block(registry)
    cells = block.patients * len(block.timepoints)
    missing = cells - sum(block.observed)
    return [
        f"The block has {block.patients} patients and {len(block.timepoints)} times, so {cells} "
        f"cells, of which {missing} are empty.",
        f"**{len(block.figures)}** printed figures have to hold at once; each score is a whole "
        f"number from {block.scale.minimum} to {block.scale.maximum}, and a patient responds who "
        f"falls by {THRESHOLD} points or more.",
        "Which patients are missing at follow-up is not printed either, so it is drawn too.",
    ]


def prior_table() -> list[dict[str, object]]:
    """Return every prior in words and with its parameters."""
    return [
        {
            "Prior": label_of(name),
            "What it says before the figures": IN_WORDS[name],
            "Parameters (baseline, months 6, 12, 18, 24)": prior.describe().removeprefix(
                f"{name}: "
            ),
        }
        for name, prior in PRIORS.items()
    ]


@dataclass(frozen=True, slots=True)
class Convergence:
    """How well the chains of one ensemble agree.

    Attributes
    ----------
    prior : str
    cohorts, chains : int
    table : DataFrame
        Columns quantity, r_hat, ess and draws: one row per quantity that the figures leave open.
    """

    prior: str
    cohorts: int
    chains: int
    table: pd.DataFrame


def read_convergence(root: Path) -> list[Convergence]:
    """Read the diagnostics that are stored with each shipped ensemble.

    Raises
    ------
    FileNotFoundError
        If an ensemble is missing.
    """
    found = []
    for prior in PRIORS:
        path = cohorts_folder(root) / prior / PATIENTS
        # Through JSON, because the type of the notes is wider than what they hold.
        notes = json.loads(json.dumps(read_notes(path)))
        chains = pd.read_parquet(path, columns=["chain"])["chain"].nunique()
        table = pd.DataFrame(notes["convergence"])
        found.append(Convergence(prior, int(notes["cohorts"]), int(chains), table))
    return found


def convergence_table(found: Iterable[Convergence]) -> list[dict[str, object]]:
    """Return the worst R-hat and effective sample size of each ensemble."""
    records: list[dict[str, object]] = []
    for each in found:
        worst = each.table.iloc[int(each.table["r_hat"].argmax())]
        fewest = each.table.iloc[int(each.table["ess"].argmin())]
        records.append(
            {
                "Prior": label_of(each.prior),
                "Cohorts": each.cohorts,
                "Chains": each.chains,
                "Quantities watched": len(each.table),
                "Greatest R-hat": f"{_r_hat_text(float(worst['r_hat']))} "
                f"({_in_words(worst['quantity'])})",
                "Least effective sample size": f"{fewest['ess']:.0f} "
                f"({_in_words(fewest['quantity'])})",
            }
        )
    return records


def _in_words(quantity: object) -> str:
    at, _, rest = str(quantity).partition(" ")
    if at not in TIMES_IN_WORDS:
        return str(quantity)
    return f"{TIMES_IN_WORDS[at]}: {rest}"


def convergence_in_words(found: Sequence[Convergence]) -> list[str]:
    """Return what the diagnostics allow, as sentences."""
    tables = pd.concat([each.table for each in found])
    least = float(tables["ess"].min())
    # The spread of a simulated 2.5 % point: sqrt(p (1 - p) / ESS) in probability.
    off = 100 * np.sqrt(0.025 * 0.975 / least)
    return [
        *_agreement_of_chains(found),
        f"The least effective sample size is {least:.0f}: an end of a 95 % interval, meant to cut "
        f"off 2.5 %, may cut off some {off:.1f} percentage points more or less.",
        "Read the intervals from cohorts as rough; the sharp bounds have no such error.",
    ]


def _r_hat_text(r_hat: float) -> str:
    """Return an R-hat with three decimals, or as many as tell it from the limit."""
    decimals = 3
    while decimals < 8 and float(f"{r_hat:.{decimals}f}") == R_HAT_LIMIT != r_hat:
        decimals += 1
    return f"{r_hat:.{decimals}f}"


def _agreement_of_chains(found: Sequence[Convergence]) -> list[str]:
    """Return how far the chains agree, and what follows where they do so less than we ask."""
    greatest = max(float(each.table["r_hat"].max()) for each in found)
    above = [
        f"{_in_words(quantity).replace(': ', ', ')} ({label_of(each.prior)})"
        for each in found
        for quantity in each.table.loc[each.table["r_hat"] >= R_HAT_LIMIT, "quantity"]
    ]
    noisy = "The chains of an ensemble are many and short, so R-hat is noisy."
    worst = f"The greatest R-hat is {_r_hat_text(greatest)}"
    if not above:
        return [f"{worst}, below the {R_HAT_LIMIT} that we ask of long chains.", noisy]
    return [
        f"{worst}; we ask of long chains that it be below {R_HAT_LIMIT}.",
        f"It reaches or exceeds that for {'; '.join(above)}.",
        "There the chains have not been shown to agree, so the interval under that prior may be "
        "too narrow or displaced.",
        noisy,
    ]


def first_cohorts(priors: pd.Series[Any], of_each: int = 2) -> dict[str, int]:
    """Return the first cohorts of each prior by a label, in the order of the priors.

    Taken by number and not by look, so that nothing is picked.
    """
    return {
        f"{label_of(prior)}, cohort {position}": int(number)
        for prior in PRIORS
        for position, number in enumerate(priors.index[priors == prior][:of_each], start=1)
    }


def score_arrays(results: CohortResults) -> tuple[pd.Index[Any], Floats]:
    """Return cohorts and their skin scores, shape (cohorts, patients, times), NaN if missing."""
    long = results.trajectories()
    wide = long.pivot(index=["cohort", "patient"], columns="timepoint", values="value")
    wide = wide[list(TIMEPOINTS)]
    cohorts = wide.index.get_level_values("cohort").unique()
    return cohorts, wide.to_numpy(np.float64).reshape(len(cohorts), -1, len(TIMEPOINTS))


def correlations(scores: Floats, one: str, other: str) -> Floats:
    """Return in each cohort the correlation of two visits over the patients who have both.

    Parameters
    ----------
    scores : array, shape (cohorts, patients, times)
    one, other : str
        Time points.
    """
    x, y = (scores[:, :, TIMEPOINTS.index(at)] for at in (one, other))
    both = np.isfinite(x) & np.isfinite(y)
    centred = []
    for values in (x, y):
        kept = np.where(both, values, np.nan)
        centred.append(kept - np.nanmean(kept, axis=1, keepdims=True))
    products = np.nansum(centred[0] * centred[1], axis=1)
    norms = np.sqrt(np.nansum(centred[0] ** 2, axis=1) * np.nansum(centred[1] ** 2, axis=1))
    return np.asarray(products / norms, np.float64)


PAIRS_OF_VISITS = (
    ("baseline", "m6"),
    ("baseline", "m12"),
    ("m6", "m12"),
    ("m12", "m18"),
    ("m18", "m24"),
)
"""Visits whose correlation is shown: two that the article's SDs of change bear on, three not."""


def correlation_table(results: CohortResults, priors: pd.Series[Any]) -> list[dict[str, object]]:
    """Return the correlation between visits under each prior: median and central 95 %."""
    cohorts, scores = score_arrays(results)
    prior = priors.loc[cohorts].to_numpy()
    printed = {
        figure.at
        for figure in skin_block(results.registry).figures
        if figure.statistic is Statistic.CHANGE_SD
    }
    records: list[dict[str, object]] = []
    for one, other in PAIRS_OF_VISITS:
        values = correlations(scores, one, other)
        tied = one == TIMEPOINTS[0] and other in printed
        records.append(
            {
                "Visits": f"{TIMES_IN_WORDS[one]} and {TIMES_IN_WORDS[other]}",
                "SD of the change printed": "yes" if tied else "no",
                **{label_of(name): Spread.of(values[prior == name]).in_words(2) for name in PRIORS},
            }
        )
    return records


def identified_in_words(results: CohortResults, priors: pd.Series[Any]) -> list[str]:
    """Return which correlations the figures decide, and which the prior, as sentences."""
    cohorts, scores = score_arrays(results)
    prior = priors.loc[cohorts].to_numpy()
    spans = {}
    for one, other in PAIRS_OF_VISITS:
        values = correlations(scores, one, other)
        medians = [float(np.median(values[prior == name])) for name in PRIORS]
        spans[f"{TIMES_IN_WORDS[one]} with {TIMES_IN_WORDS[other]}"] = max(medians) - min(medians)
    least, most = min(spans, key=spans.__getitem__), max(spans, key=spans.__getitem__)
    return [
        f"For {least} the medians of the three priors differ by {spans[least]:.2f}: with both SDs "
        "and the SD of the change printed, the figures decide.",
        f"For {most} they differ by {spans[most]:.2f}: there the prior decides, and no conclusion "
        "may be drawn from it.",
    ]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the independent checker said of one cohort.

    Attributes
    ----------
    report : DataFrame
        As :func:`ivig_dcssc.check.check_cohort` returns it.
    left_out : DataFrame
        Rows of the registry that no cohort can be checked against, with the reason.
    incoherent : tuple of str
        Contradictions within patients.
    """

    report: pd.DataFrame
    left_out: pd.DataFrame
    incoherent: tuple[str, ...]


def check_teaching_cohort(root: Path, registry: Registry) -> Checked:
    """Run the independent checker on the cohort to teach with."""
    prior, number = TEACHING_COHORT
    patients, visits = (
        pd.read_parquet(cohorts_folder(root) / prior / name, filters=[("cohort", "==", number)])
        for name in (PATIENTS, VISITS)
    )
    visits = visits.astype({"patient": str, "measure": str})
    report = check_cohort(patients, visits, registry)
    return Checked(report, unchecked(registry), tuple(incoherences(patients, visits)))


def check_in_words(found: Checked, registry: Registry) -> list[str]:
    """Return what the checker compares, and what it found, as sentences."""
    claims = int(found.report["id"].isin(registry.claims).sum())
    agree, rows = int(found.report["agrees"].sum()), len(found.report)
    contradictions = len(found.incoherent) or "no"
    return [
        f"For a cohort the checker computes **{rows}** rows of the registry, {rows - claims} "
        f"figures and {claims} claims, and compares them as texts, to the printed decimals.",
        f"The other {len(found.left_out)} rows are no function of these patients: "
        f"{in_words(_reasons(found.left_out))}.",
        f"Run here on the teaching cohort, {agree} of {rows} rows agree, and it finds "
        f"{contradictions} contradictions within patients.",
    ]


def _reasons(left_out: pd.DataFrame) -> list[str]:
    other = left_out["reason"].str.contains("other group|another group")
    month = left_out["reason"].str.contains("target month")
    return [
        f"{int(other.sum())} concern other groups",
        f"{int(month.sum())} name a target month",
        f"{int((~other & ~month).sum())} are doses, rules or dates of the study",
    ]


def visits_in_words(results: CohortResults, visits: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return how many records the cohorts have, and how many belong to no window.

    Parameters
    ----------
    results : CohortResults
        Results of all cohorts.
    visits : mapping of str to DataFrame
        Visits by prior, as stored.
    """
    cohorts = sum(table["cohort"].nunique() for table in visits.values())
    records = sum(len(table) for table in visits.values()) / cohorts
    dates = sum(
        table.drop_duplicates(["cohort", "patient", "month"]).shape[0] for table in visits.values()
    )
    patients = cohorts * skin_block(results.registry).patients
    skin = sum(int(table["measure"].eq(MEASURE).sum()) for table in visits.values())
    outside = 100 * (1 - len(results.trajectories()) / skin)
    return [
        f"A cohort has about {records:,.0f} dated records, of about {dates / patients:.1f} visits "
        "for each patient.",
        f"{outside:.0f} % of the skin scores belong to no window, or lose to one that does better; "
        "they are there so that other windows find something else, as they would in a clinic's "
        "records.",
    ]


def read_visits(root: Path) -> dict[str, pd.DataFrame]:
    """Read the visits of every shipped ensemble by prior."""
    return {prior: pd.read_parquet(cohorts_folder(root) / prior / VISITS) for prior in PRIORS}
