"""The search for predictors of response: one odds ratio recomputed, the others over cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from ivig_dcssc.cohort_groups import (
    Spread,
    between,
    cohorts_of,
    is_prediction,
    label_of,
    p_text,
    percent,
    percent_between,
    share_of,
)
from ivig_dcssc.reproduced.predictors import PRINTED_BY_ITSELF, TIMEPOINTS
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed import RoundingRule
from rederive.recompute.two_by_two import (
    PrintedOddsRatio,
    Table2x2,
    compatible_tables,
    enumerate_tables,
)

Frame = pd.DataFrame

RESPONSE, CHANGE = "response", "change"
OUTCOMES = {RESPONSE: "logistic, on response", CHANGE: "linear, on change"}
"""Outcomes and the regression that each of them has."""

NAMED_KINDS = 10
"""Predictors as the methods name them, drugs as one and reasons for stopping as one: age, race,
sex, disease duration, number and length of treatments, reasons, drugs, two autoantibodies."""

_FIGURES = {"odds_ratio": "or", "ci_low": "ci-low", "ci_high": "ci-high", "p": "p"}
_FIGURE_NAMES = {
    "odds_ratio": "the odds ratio",
    "ci_low": "the lower limit",
    "ci_high": "the upper limit",
    "p": "p",
}
_CELLS = "Responders/others with, responders/others without"
_STEM = "results-responder-prednisone-ivig-m12"

_LABELS = {
    "age_onset": "Age at onset, per year",
    "disease_duration": "Disease duration, per month",
    "cycles": "Cycles of IVIG, each",
    "treatment_length": "Treatment length, per month",
    "white": "White race",
}


def label_of_predictor(ledger: Ledger, name: str) -> str:
    """Return a predictor in words, with its unit where it is a number."""
    return _LABELS.get(name) or ledger.registry.variables[name].label


def _month(timepoint: str) -> int:
    return int(timepoint.removeprefix("m"))


# The printed odds ratio


@dataclass(frozen=True, slots=True)
class PrednisoneTables:
    """What the article prints of prednisone and response, as a search for two-by-two tables.

    Attributes
    ----------
    figures : PrintedOddsRatio
        Odds ratio, interval and p as printed.
    total, outcome : int
        Patients with both scores, and responders among them.
    exposed : range
        Patients on prednisone who may be among them.
    """

    figures: PrintedOddsRatio
    total: int
    outcome: int
    exposed: range

    def compatible(
        self, rule: RoundingRule = RoundingRule.EITHER, leaving_out: str = ""
    ) -> list[Table2x2]:
        """Return the tables that print the figures, one of them perhaps left out."""
        return compatible_tables(
            self.figures, self.total, [self.outcome], self.exposed, rule, leaving_out
        )

    def all_with_margins(self) -> list[Table2x2]:
        """Return every table with these margins and no empty cell."""
        return enumerate_tables(self.total, [self.outcome], self.exposed)


def prednisone_tables(ledger: Ledger, timepoint: str = "m12") -> PrednisoneTables:
    """Return the search for the tables behind the odds ratio of concomitant prednisone.

    Only at 12 months are there figures; at 6 there are the margins alone.
    """
    numbers = ledger.registry.numbers

    def whole(row_id: str) -> int:
        return int(numbers[row_id].printed.value)

    figures = PrintedOddsRatio()
    if timepoint == "m12":
        printed = {name: numbers[f"{_STEM}-{end}"].printed for name, end in _FIGURES.items()}
        figures = PrintedOddsRatio(**printed)
    total = whole(f"results-responder-ivig-{timepoint}-n")
    exposed = whole("table2-concomitant-prednisone-ivig-count")
    lost = whole("table1-cohort-size-ivig-n") - total
    return PrednisoneTables(
        figures,
        total,
        whole(f"results-responder-ivig-{timepoint}-count"),
        range(max(0, exposed - lost), exposed + 1),
    )


def search_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return how many tables print the figures of the odds ratio, all or all but one."""
    search = prednisone_tables(ledger)
    every = len(search.all_with_margins())
    rows: list[dict[str, object]] = [
        {"Figures that must be printed": "none, margins only", "Tables": every, _CELLS: ""}
    ]
    for name in ("", *_FIGURES):
        words = "all four" if not name else f"all but {_FIGURE_NAMES[name]}"
        found = search.compatible(ledger.settings.rule, name)
        listed = ", ".join("/".join(map(str, table.cells)) for table in found[:5])
        rows.append({"Figures that must be printed": words, "Tables": len(found), _CELLS: listed})
    return rows


def the_table(ledger: Ledger) -> Table2x2:
    """Return the table of prednisone and response at 12 months, halves rounded either way.

    Raises
    ------
    ValueError
        If not exactly one table prints all four figures.
    """
    found = prednisone_tables(ledger).compatible()
    if len(found) != 1:
        raise ValueError(f"prednisone and response: found {len(found)} tables, needed exactly one")
    return found[0]


def table_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the table of prednisone and response at 12 months as rows."""
    a, b, c, d = the_table(ledger).cells
    return [
        {
            "Concomitant prednisone": word,
            "Responders": yes,
            "Others": no,
            "Share of responders": f"{100 * yes / (yes + no):.0f}%",
        }
        for word, yes, no in (("yes", a, b), ("no", c, d))
    ]


def tests_of_the_table(ledger: Ledger) -> list[dict[str, object]]:
    """Return p of the table under every test, with the decision at alpha."""
    table, alpha = the_table(ledger), ledger.settings.alpha
    values = {
        "Wald test (as logistic regression prints it)": table.wald_p,
        "likelihood-ratio test": table.likelihood_ratio_p,
        "linear regression on 0/1": table.linear_probability_p,
        "Fisher's exact test": table.fisher_p,
    }
    return [
        {"Test": name, "p": f"{p:.4f}", f"p < {alpha:g}": "yes" if p < alpha else "no"}
        for name, p in values.items()
    ]


def one_patient_off(ledger: Ledger) -> list[dict[str, object]]:
    """Return what one patient counted otherwise does to the odds ratio."""
    a, b, c, d = the_table(ledger).cells
    alpha = ledger.settings.alpha
    moves = {
        "as it is": (a, b, c, d),
        "one more responder on prednisone": (a + 1, b - 1, c, d),
        "one responder fewer on prednisone": (a - 1, b + 1, c, d),
        "one more responder without prednisone": (a, b, c + 1, d - 1),
        "one responder fewer without prednisone": (a, b, c - 1, d + 1),
    }
    rows: list[dict[str, object]] = []
    for words, cells in moves.items():
        table = Table2x2(*cells)
        limits = [table.confidence_limit(sign) for sign in (-1, 1)]
        rows.append(
            {
                "Patients": words,
                "Odds ratio": f"{table.odds_ratio:.2f}",
                "95 % interval": f"{limits[0]:.3f} to {limits[1]:.3f}",
                "p (Wald)": f"{table.wald_p:.3f}",
                f"p < {alpha:g}": "yes" if table.wald_p < alpha else "no",
            }
        )
    return rows


def odds_ratio_in_words(ledger: Ledger) -> list[str]:
    """Return what the odds ratio rests on, as sentences."""
    search, table, alpha = prednisone_tables(ledger), the_table(ledger), ledger.settings.alpha
    numbers = ledger.registry.numbers
    a, b, c, d = table.cells
    exposed = int(numbers["table2-concomitant-prednisone-ivig-count"].printed.value)
    every, under_rule = len(search.all_with_margins()), search.compatible(ledger.settings.rule)
    words = "" if under_rule else " if halves may go either way, and none under this run's rule"
    printed = numbers[f"{_STEM}-p"].printed
    side = "below" if table.wald_p < alpha else "not below"
    others = {
        "the likelihood-ratio test": table.likelihood_ratio_p,
        "Fisher's exact test": table.fisher_p,
    }
    listed = in_words([f"{p:.3f} by {name}" for name, p in others.items()])
    sentences = [
        f"Of {every} tables with these margins, one prints all four figures{words}: {a} of "
        f"{a + b} patients with prednisone responded, and {c} of {c + d} without.",
        f"So {a + b} of the {exposed} patients on prednisone had a score at 12 months.",
        f"Its p is {table.wald_p:.4f}, printed as {printed}, {side} α = {alpha:g}; it is {listed}.",
    ]
    changed = [row for row in one_patient_off(ledger)[1:] if row[f"p < {alpha:g}"] == "no"]
    sentences.append(
        f"Of four ways of counting one patient otherwise, {len(changed)} bring p to {alpha:g} or "
        "above."
    )
    return sentences


# Prednisone at 6 months


def tables_at_6(ledger: Ledger) -> list[dict[str, object]]:
    """Return for each number on prednisone the tables at 6 months that agree with the claim."""
    search, alpha = prednisone_tables(ledger, "m6"), ledger.settings.alpha
    rows: list[dict[str, object]] = []
    for exposed in search.exposed:
        own = enumerate_tables(search.total, [search.outcome], [exposed])
        quiet = [table for table in own if table.wald_p >= alpha]
        counts = [table.exposed_yes for table in quiet]
        ratios = [table.odds_ratio for table in quiet]
        rows.append(
            {
                "On prednisone": f"{exposed} of {search.total}",
                "Tables": len(own),
                "Not significant": len(quiet),
                "Responders on prednisone": f"{min(counts)} to {max(counts)}",
                "Odds ratio": f"{min(ratios):.2f} to {max(ratios):.2f}",
            }
        )
    return rows


def prednisone_at_6(ledger: Ledger) -> list[dict[str, object]]:
    """Return the odds ratio of prednisone at 6 months over cohorts that were not told."""
    table = regressions(ledger)
    own = table[(table["predictor"] == PRINTED_BY_ITSELF) & (table["outcome"] == RESPONSE)]
    own, alpha = own[own["timepoint"] == "m6"], ledger.settings.alpha
    rows: list[dict[str, object]] = []
    for name, part in own.groupby("prior", sort=False):
        ratio = Spread.of(part["estimate"])
        rows.append(
            {
                "Cohorts": label_of(str(name)),
                "Median odds ratio": ratio.middle(2),
                "95 % of the cohorts": ratio.range(2),
                "Median p": p_text(Spread.of(part["p"]).median),
                "Odds ratio below 1": share_of(part["estimate"] < 1),
                f"p < {alpha:g}": share_of(part["p"] < alpha),
            }
        )
    return rows


def prednisone_in_words(ledger: Ledger) -> list[str]:
    """Return what the odds ratio at 12 months implies elsewhere, as sentences."""
    alpha, table = ledger.settings.alpha, estimates(ledger)
    own = table[table["predictor"] == PRINTED_BY_ITSELF].set_index(["outcome", "timepoint"])
    sentences = []
    for outcome, at, words in (
        (RESPONSE, "m6", "response at 6 months"),
        (CHANGE, "m6", "the change at 6 months"),
        (CHANGE, "m12", "the change at 12 months"),
    ):
        part = own.loc[[(outcome, at)]]
        if _one_cohort(ledger):
            found = "" if bool(part["significant"].iloc[0]) else "not "
            sentences.append(f"With {words} prednisone is {found}associated at α = {alpha:g}.")
            continue
        shares = [
            f"{percent(float(share))} ({label_of(str(prior))})"
            for share, prior in zip(part["significant"], part["prior"], strict=True)
        ]
        sentences.append(
            f"With {words} prednisone is associated at α = {alpha:g} in {in_words(shares)} of the "
            "cohorts."
        )
    if is_prediction(cohorts_of(ledger)):
        sentences.append(
            "At 12 months response and change are the same scores, so the printed odds ratio "
            "carries over; how far it reaches back to 6 months is decided by the prior, which says "
            "how closely the two visits go together."
        )
    return sentences


def _one_cohort(ledger: Ledger) -> bool:
    return len(cohorts_of(ledger).results.cohorts) == 1


# All regressions


def regressions(ledger: Ledger) -> Frame:
    """Return every regression in every cohort, with the cohort's prior.

    These are cohorts that were not told that nothing predicts, where there are such: under the
    article's windows and limits. Otherwise they are the cohorts of the run.

    Returns
    -------
    DataFrame
        Columns prior, cohort, predictor, outcome, timepoint, n, estimate, low, high, p, status.
    """
    cohorts = cohorts_of(ledger)
    if is_prediction(cohorts):
        return cohorts.associations
    table = cohorts.results.predictors()
    return table.assign(prior=table["cohort"].map(cohorts.priors))


def told(ledger: Ledger) -> Frame:
    """Return every regression in the cohorts of the run, which print all that the article says."""
    cohorts = cohorts_of(ledger)
    table = cohorts.results.predictors()
    return table.assign(prior=table["cohort"].map(cohorts.priors))


def about_regressions(ledger: Ledger) -> list[str]:
    """Return which cohorts the regressions are computed in, as sentences."""
    cohorts = cohorts_of(ledger)
    if not cohorts.reconstructed:
        return ["Each regression is computed in the cohort of this run."]
    if not is_prediction(cohorts):
        return [
            "Under this run's windows or limits the regressions are computed in the reconstructed, "
            "synthetic cohorts that were made to print the article's figures under its own."
        ]
    sizes = regressions(ledger).groupby("prior", sort=False)["cohort"].nunique()
    made = in_words([f"{size} under the {label_of(str(name))}" for name, size in sizes.items()])
    return [
        f"The regressions are computed in further synthetic cohorts: {made}.",
        *_left_out(sizes),
        "They print every other figure of the article, the odds ratio of prednisone among them, "
        "but were not told that nothing predicts.",
        "Who has which characteristic was left to chance there: no association was built in beyond "
        "the printed one, so what turns up as significant for other predictors is a false "
        "positive.",
    ]


def _left_out(sizes: pd.Series[Any]) -> list[str]:
    """Return why some priors have fewer cohorts than others, where they do."""
    if sizes.nunique() == 1:
        return []
    return [
        "The numbers differ because a draw is left out when, after several attempts, its patients "
        "do not fit what the text says of single ones: the patient who died, for example, can have "
        "no skin score at 18 or 24 months."
    ]


def estimates(ledger: Ledger) -> Frame:
    """Return each regression's estimates over the cohorts of a group.

    Returns
    -------
    DataFrame
        Columns outcome, timepoint, predictor, prior, median, low, high (95 % of the cohorts with an
        estimate; of a single cohort the 95 % confidence interval), estimable and significant
        (shares of all cohorts).
    """
    table = regressions(ledger)
    alpha = ledger.settings.alpha
    keys = ["outcome", "timepoint", "predictor", "prior"]
    flagged = table.assign(estimable=table["p"].notna(), significant=table["p"] < alpha)
    grouped = flagged.groupby(keys, sort=False)
    if _one_cohort(ledger):
        ends = grouped[["low", "estimate", "high"]].first()
    else:
        ends = grouped["estimate"].quantile(np.array([0.025, 0.5, 0.975])).unstack()
    ends.columns = pd.Index(["low", "median", "high"])
    shares = grouped[["estimable", "significant"]].mean()
    return ends.join(shares).reset_index()


def predictors_in_order(ledger: Ledger) -> list[str]:
    """Return the names of the predictors in the order of the search."""
    return [str(name) for name in regressions(ledger)["predictor"].unique()]


def estimate_records(ledger: Ledger, outcome: str) -> list[dict[str, object]]:
    """Return every predictor's share of cohorts without an estimate, and with p below alpha.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    outcome : str
        ``response`` or ``change``.
    """
    table, alpha = estimates(ledger), ledger.settings.alpha
    own, single = table[table["outcome"] == outcome], _one_cohort(ledger)
    rows: list[dict[str, object]] = []
    for name in predictors_in_order(ledger):
        row: dict[str, object] = {"Predictor": label_of_predictor(ledger, name)}
        for at in TIMEPOINTS:
            part = own[(own["predictor"] == name) & (own["timepoint"] == at)]
            decimals = 2 if outcome == RESPONSE else 1
            row[f"Month {_month(at)}: median"] = _medians(part, decimals)
            row[f"Month {_month(at)}: no estimate"] = _shares(1 - part["estimable"], single)
            row[f"Month {_month(at)}: p < {alpha:g}"] = _shares(part["significant"], single)
        rows.append(row)
    return rows


def _medians(part: Frame, decimals: int) -> str:
    known = part["median"].dropna()
    if known.empty:
        return "none"
    return between(float(known.min()), float(known.max()), decimals).replace("-", "−")


def _shares(shares: pd.Series[Any], single: bool) -> str:
    """Return the least and the greatest share over the groups; of one cohort yes or no."""
    if single:
        return "yes" if float(shares.iloc[0]) else "no"
    return percent_between(shares)


# Separation


def status_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return how often each kind of regression has an estimate, and why not, in percent."""
    table = regressions(ledger)
    named = {
        "ok": "Estimate",
        "separated": "Separated",
        "constant predictor": "Predictor does not vary",
    }
    rows: list[dict[str, object]] = []
    for outcome, at in product(OUTCOMES, TIMEPOINTS):
        own = table[(table["outcome"] == outcome) & (table["timepoint"] == at)]
        shares = own["status"].value_counts(normalize=True)
        row: dict[str, object] = {"Regressions": f"{OUTCOMES[outcome]}, month {_month(at)}"}
        for status, words in named.items():
            row[words] = percent(float(shares.get(status, 0.0)))
        row["Other"] = percent(float(shares.drop(list(named), errors="ignore").sum()))
        rows.append(row)
    return rows


def separation_in_words(ledger: Ledger) -> list[str]:
    """Return where no estimate exists, as sentences."""
    table = estimates(ledger)
    own = table[table["outcome"] == RESPONSE]
    share = own.groupby("predictor", sort=False)["estimable"].max()
    never = [label_of_predictor(ledger, name) for name in share.index[share == 0]]
    often = own.groupby("predictor", sort=False)["estimable"].min()
    rarely = [
        label_of_predictor(ledger, str(name)) for name in often.index[(often < 0.75) & (share > 0)]
    ]
    sentences = [
        "Logistic regression has no finite estimate where a predictor parts responders from "
        "others: a characteristic of one patient always does, one of few patients often.",
    ]
    if never:
        sentences.append(f"Without an estimate in every cohort: {in_words(never)}.")
    if rarely:
        where = "at one of the two months"
        if cohorts_of(ledger).reconstructed:
            where = "in more than a quarter of the cohorts of some prior and month"
        sentences.append(f"Without an estimate {where}: {in_words(rarely)}.")
    sentences.append(
        "Software leaves such a regression out or prints an absurd odds ratio with p near 1; here "
        "it counts as no estimate, and so as not significant. That such a variable is no predictor "
        "says nothing about it."
    )
    return sentences


# How many tests


@dataclass(frozen=True, slots=True)
class Counting:
    """One way of counting the tests, and what chance alone makes of so many."""

    words: str
    tests: int
    alpha: float

    @property
    def expected(self) -> float:
        """Expected number of false positives, if nothing predicts."""
        return self.tests * self.alpha

    @property
    def any(self) -> float:
        """Probability of at least one, if the tests were independent."""
        return float(1 - (1 - self.alpha) ** self.tests)

    def as_record(self) -> dict[str, object]:
        """Return the counting as a row of a table."""
        return {
            "Counted": self.words,
            "Tests": self.tests,
            "False positives expected": f"{self.expected:.1f}",
            "At least one, if independent": percent(self.any),
        }


def countings(ledger: Ledger) -> list[Counting]:
    """Return the ways of counting the tests of the search."""
    alpha, number = ledger.settings.alpha, len(predictors_in_order(ledger))
    families = len(OUTCOMES) * len(TIMEPOINTS)
    estimable = round(float(significant_tests(ledger)["estimable"].median()))
    return [
        Counting("one outcome at one month", number, alpha),
        Counting("each named kind once, all outcomes and months", NAMED_KINDS * families, alpha),
        Counting("those with an estimate in the median cohort", estimable, alpha),
        Counting("every drug and reason by itself", number * families, alpha),
    ]


def significant_tests(ledger: Ledger, table: Frame | None = None) -> Frame:
    """Return how many regressions are significant in each cohort.

    The regression that the article prints, prednisone on response at 12 months, is left out.

    Returns
    -------
    DataFrame
        By prior and cohort; columns significant, estimable and tests.
    """
    found = regressions(ledger) if table is None else table
    printed = (
        (found["predictor"] == PRINTED_BY_ITSELF)
        & (found["outcome"] == RESPONSE)
        & (found["timepoint"] == "m12")
    )
    own = found[~printed]
    flags = own.assign(significant=own["p"] < ledger.settings.alpha, estimable=own["p"].notna())
    return flags.groupby(["prior", "cohort"], sort=False).agg(
        significant=("significant", "sum"), estimable=("estimable", "sum"), tests=("p", "size")
    )


def significant_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return the number of significant regressions in the cohorts of each group."""
    rows: list[dict[str, object]] = []
    for name, part in significant_tests(ledger).groupby("prior", sort=False):
        counts = Spread.of(part["significant"])
        rows.append(
            {
                "Cohorts": label_of(str(name)),
                "Regressions beside the printed one": int(part["tests"].iloc[0]),
                "Mean number significant": f"{part['significant'].mean():.1f}",
                "95 % of the cohorts": counts.range(0),
                "None significant": share_of(part["significant"] == 0),
            }
        )
    return rows


def tests_in_words(ledger: Ledger) -> list[str]:
    """Return what the number of tests implies, as sentences."""
    every = countings(ledger)
    widest, single = every[-1], every[0]
    sentences = [
        f"Taking every drug and every reason for stopping by itself there are {single.tests} "
        f"predictors, so {widest.tests} regressions; at α = {widest.alpha:g} chance alone would "
        f"give {widest.expected:.1f} significant ones, and at least one with a probability of "
        f"{percent(widest.any)} if they were independent.",
    ]
    counts = significant_tests(ledger)
    if len(counts) == 1:
        number = int(counts["significant"].iloc[0])
        return [
            *sentences,
            f"In the cohort of this run {number or 'none'} of them came out significant, "
            "prednisone with response at 12 months left aside.",
        ]
    if not is_prediction(cohorts_of(ledger)):
        return [*sentences, "What the cohorts show here depends on this run's windows and limits."]
    none = (counts["significant"] == 0).groupby("prior", sort=False).mean()
    listed = in_words([f"{percent(float(s))} ({label_of(str(n))})" for n, s in none.items()])
    sentences.append(
        "They are not independent, and many have no estimate or too few patients to become "
        f"significant: the cohorts show {float(counts['significant'].mean()):.1f} on average, "
        f"and none at all in {listed} of them."
    )
    if float(none.max()) < 0.5:
        sentences.append(
            "One borderline association in a search of this size is what chance gives; that there "
            "was no other is itself less likely than not."
        )
    return sentences


def expected_distribution(ledger: Ledger, most: int) -> list[float]:
    """Return the probability of 0, 1, ... significant tests if all were independent and null."""
    tests = int(significant_tests(ledger)["tests"].iloc[0])
    return [float(p) for p in binom.pmf(np.arange(most + 1), tests, ledger.settings.alpha)]


def told_in_words(ledger: Ledger) -> list[str]:
    """Return what the cohorts that were told to find nothing do, as sentences."""
    cohorts = cohorts_of(ledger)
    if not is_prediction(cohorts):
        return ["The claims above are checked in the cohorts of this run as they are."]
    counts = significant_tests(ledger, told(ledger))
    none = int((counts["significant"] == 0).sum())
    return [
        f"In the calibrated cohorts, which were told, {none} of {len(counts)} show no significant "
        "regression beside the printed one; that confirms nothing.",
    ]
