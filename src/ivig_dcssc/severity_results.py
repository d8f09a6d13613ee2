"""Severity scores: which changes have a printed signed-rank p, and what conventions decide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from ivig_dcssc.cohort_groups import Spread, cohorts_of, share_by_prior, share_of
from ivig_dcssc.function_results import OTHER_WINDOWS, function_table, label
from rederive.book.ledger import Ledger
from rederive.book.section import in_words
from rederive.printed import P_VALUE_DOMAIN, PrintedNumber, RoundingRule
from rederive.recompute.signed_rank import CONVENTIONS, ChangeCounts, change_counts_with_p
from rederive.recompute.unstated_n import describe_sizes
from rederive.retrospective import signed_rank

ORGANS = ("raynaud", "general", "cardiac", "pulmonary", "gi", "muscle")
"""Organs with a printed p, in the order of the text; of the kidney nobody's score changed."""

LARGEST = 2
"""Greatest change of a patient that is considered, in grades."""

DEFINED = tuple(convention.name for convention in CONVENTIONS if not convention.exact)
"""Conventions that give a p with tied changes, as grades nearly always have."""


def p_of(ledger: Ledger, organ: str) -> PrintedNumber:
    """Return the p that the results print for an organ."""
    return ledger.registry.numbers[f"results-severity-{organ}-ivig-m12-p"].printed


def organ_label(ledger: Ledger, organ: str) -> str:
    """Return an organ's name in words."""
    name = label(ledger, f"severity_{organ}").split(": ", 1)[-1]
    return name.capitalize() if organ == "raynaud" else name  # a surname


@dataclass(frozen=True, slots=True)
class Patterns:
    """Changes of severity that have a printed p under Stata's convention.

    Parameters
    ----------
    organ : str
        Its name.
    p : PrintedNumber
        As printed.
    one_grade, two_grades : tuple of int
        Numbers of pairs for which patterns with changes of at most one, or two, grades exist.
    number : int
        Patterns with at most two grades at the greatest number of pairs.
    fewest_changed : int or None
        Fewest patients whose score changed; ``None`` where no pattern exists.
    """

    organ: str
    p: PrintedNumber
    one_grade: tuple[int, ...]
    two_grades: tuple[int, ...]
    number: int
    fewest_changed: int | None

    def as_record(self, most: int) -> dict[str, object]:
        """Return the patterns as a row of a table."""
        changed = "none will do" if self.fewest_changed is None else str(self.fewest_changed)
        return {
            "Organ": self.organ,
            "p": str(self.p),
            "Pairs, if nobody moved by more than 1 grade": describe_sizes(self.one_grade),
            "Pairs, with changes of up to 2 grades": describe_sizes(self.two_grades),
            "Fewest patients who changed": changed,
            f"Patterns at {most} pairs": self.number,
        }


@lru_cache(maxsize=512)
def _counts(p: PrintedNumber, n: int, grades: int, rule: RoundingRule) -> tuple[ChangeCounts, ...]:
    return tuple(change_counts_with_p(p, n, grades, rule))


def patterns(ledger: Ledger, organ: str, most: int) -> Patterns:
    """Return which numbers of pairs and changes have an organ's printed p.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    organ : str
        One of :data:`ORGANS`.
    most : int
        Greatest number of pairs.
    """
    p, rule = p_of(ledger, organ), ledger.settings.rule
    found = {
        grades: {n: _counts(p, n, grades, rule) for n in range(1, most + 1)}
        for grades in (1, LARGEST)
    }
    every = [each for counts in found[LARGEST].values() for each in counts]
    changed = [sum(each.better) + sum(each.worse) for each in every]
    return Patterns(
        organ_label(ledger, organ),
        p,
        tuple(n for n, counts in found[1].items() if counts),
        tuple(n for n, counts in found[LARGEST].items() if counts),
        len(found[LARGEST][most]),
        min(changed, default=None),
    )


def one_grade_conventions(p: PrintedNumber, most: int, rule: RoundingRule) -> list[str]:
    """Return the conventions under which changes of one grade alone reach a printed p.

    Parameters
    ----------
    p : PrintedNumber
        As printed.
    most : int
        Greatest number of pairs.
    rule : RoundingRule
        How p was rounded.
    """
    target = p.interval(rule, P_VALUE_DOMAIN)
    values = _one_grade_p(most)
    return [
        name
        for name in DEFINED
        if ((values[name] >= target.lower - 1e-9) & (values[name] <= target.upper + 1e-9)).any()
    ]


@lru_cache(maxsize=4)
def _one_grade_p(most: int) -> pd.DataFrame:
    """Return p under every convention, a row for each pattern of one-grade changes."""
    up, down, still = np.meshgrid(*[np.arange(most + 1)] * 3, indexing="ij")
    # Which direction prevails leaves p alone.
    keep = (up + down + still <= most) & (up + down + still > 0) & (up >= down)
    up, down, still = up[keep], down[keep], still[keep]
    place = np.arange(most)
    changes = np.where(place < up[:, None], 1.0, np.where(place < (up + down)[:, None], -1.0, 0.0))
    changes[place >= (up + down + still)[:, None]] = np.nan
    index = pd.MultiIndex.from_product(
        [np.arange(len(changes)), place], names=["cohort", "patient"]
    )
    values = pd.DataFrame({"baseline": 0.0, "m12": changes.ravel()}, index=index)
    return pd.DataFrame(
        {
            convention.name: signed_rank(values, "m12", convention=convention)["p"].to_numpy()
            for convention in CONVENTIONS
            if convention.name in DEFINED
        }
    )


def changes_of_one_grade(p: PrintedNumber, most: int, rule: RoundingRule) -> list[tuple[int, int]]:
    """Return the changes of one grade that have a printed p, in any number of pairs.

    With changes of one size all ranks are equal, and the unchanged drop out of the statistic.

    Parameters
    ----------
    p : PrintedNumber
        As printed.
    most : int
        Greatest number of pairs.
    rule : RoundingRule
        How p was rounded.

    Returns
    -------
    list of tuple of int
        Patients who changed in the commoner direction, and in the other.
    """
    found = {
        (max(each.better[0], each.worse[0]), min(each.better[0], each.worse[0]))
        for each in _counts(p, most, 1, rule)
    }
    return sorted(found, key=sum)


def patterns_in_words(ledger: Ledger, found: list[Patterns], most: int) -> list[str]:
    """Return what the printed p values say of pairs and changes, as sentences."""
    rule = ledger.settings.rule
    moved = [each for each in found if not each.one_grade]
    never = [each for each in moved if not one_grade_conventions(each.p, most, rule)]
    joint = sorted(set.intersection(*(set(each.two_grades) for each in found)))
    sentences = []
    if moved:
        sentences.append(
            f"The printed p of {in_words([each.organ for each in moved])} cannot come from changes "
            "of one grade alone, whatever the number of pairs: under Stata's convention some "
            "patient must have moved by two grades or more within a year, or the test was another."
        )
    if never and len(never) < len(moved):
        names = in_words([each.organ for each in never])
        sentences.append(f"For {names} no other common convention does it with one grade either.")
    elif moved and never:
        sentences.append("No other common convention does it with one grade either.")
    if joint:
        sentences.append(
            "The number of pairs is printed for none of the organs. If it was one and the same for "
            f"all, and nobody moved by more than {LARGEST} grades, it was one of "
            f"{in_words(joint, 'or')}."
        )
    else:
        sentences.append(
            f"No one number of pairs up to {most} will do for all organs if nobody moved by more "
            f"than {LARGEST} grades, so the organs had different numbers."
        )
    sentences.append("A p does not say in which direction the scores moved.")
    return sentences


def convention_records(ledger: Ledger) -> list[dict[str, object]]:
    """Return p of the signed-rank test in the cohorts under every convention that gives one.

    Returns
    -------
    list of dict
        Columns ``Organ, Convention, Published p, p in the cohorts`` (median and middle 95 %) and
        the share of cohorts with p below the significance level, over the priors. Empty if no
        p can be computed at all.
    """
    cohorts, alpha = cohorts_of(ledger), ledger.settings.alpha
    table = function_table(cohorts.results)
    rows: list[dict[str, object]] = []
    computed = False
    for organ in ORGANS:
        for name in DEFINED:
            own = table[(table["measure"] == f"severity_{organ}") & (table["test"] == name)]
            p = own.set_index("cohort")["p"]
            known = bool(p.notna().any())
            computed = computed or known
            rows.append(
                {
                    "Organ": organ_label(ledger, organ),
                    "Convention": name,
                    "Published p": str(p_of(ledger, organ)),
                    "p in the cohorts": Spread.of(p).p_in_words(3),
                    f"p below {alpha:g}": (share_by_prior(cohorts, p < alpha) if known else "none"),
                }
            )
    return rows if computed else []


NO_SEVERITY = (
    "The cohort of this run has no pairs of severity scores from which a *p* could be computed."
)


@dataclass(frozen=True, slots=True)
class ConventionRange:
    """Range of p over all cohorts of a run, for one organ and convention."""

    organ: str
    convention: str
    printed: float
    least: float
    median: float
    greatest: float


def convention_ranges(ledger: Ledger) -> list[ConventionRange]:
    """Return least, median and greatest p of every organ and convention over all cohorts."""
    table = function_table(cohorts_of(ledger).results)
    found = []
    for organ in ORGANS:
        for name in DEFINED:
            chosen = (table["measure"] == f"severity_{organ}") & (table["test"] == name)
            own = table.loc[chosen, "p"].dropna()
            ends = (float(own.min()), float(own.median()), float(own.max()))
            printed = float(p_of(ledger, organ).value)
            found.append(ConventionRange(organ_label(ledger, organ), name, printed, *ends))
    return found


def conventions_in_words(ledger: Ledger) -> list[str]:
    """Return which decisions the convention of the signed-rank test changes, as sentences."""
    cohorts, alpha = cohorts_of(ledger), ledger.settings.alpha
    table = function_table(cohorts.results)
    changing, computed = [], False
    for organ in ORGANS:
        own = table[(table["measure"] == f"severity_{organ}") & table["test"].isin(DEFINED)]
        p = own.pivot(index="cohort", columns="test", values="p")[list(DEFINED)]
        below = p < alpha
        computed = computed or bool(p.notna().any(axis=None))
        # A convention without a p decides nothing.
        split = below.any(axis=1) & (~below & p.notna()).any(axis=1)
        if split.any():
            others = [name for name in DEFINED[1:] if (below[name] != below[DEFINED[0]]).any()]
            changing.append((organ_label(ledger, organ), others, share_by_prior(cohorts, split)))
    if not cohorts.reconstructed:
        if not computed:
            return ["So no decision can depend on the convention."]
        if not changing:
            return [f"In the cohort of this run no convention changes a decision at {alpha:g}."]
        names = in_words([organ for organ, *_ in changing])
        return [f"In the cohort of this run the decision at {alpha:g} depends on it for {names}."]
    sentences = [
        "Under Stata's convention these p values are calibrated: the synthetic cohorts were made "
        "to print them. Under the others they are what the same patients would have given."
        if cohorts.as_published
        else OTHER_WINDOWS
    ]
    for organ, others, part in changing:
        sentences.append(
            f"{organ.capitalize()} severity: in {part} of the synthetic cohorts the decision at "
            f"{alpha:g} is another under {in_words(others, 'or')} than under Stata's."
        )
    kept = [
        organ_label(ledger, organ)
        for organ in ORGANS
        if organ_label(ledger, organ) not in [each for each, *_ in changing]
    ]
    if kept:
        sentences.append(f"For {in_words(kept)} severity no convention changes a decision.")
    exact = table[table["measure"].isin([f"severity_{organ}" for organ in ORGANS])]
    exact = exact[exact["test"] == CONVENTIONS[-1].name]
    defined = share_of(exact.set_index("cohort")["p"].notna())
    sentences.append(
        "The exact distribution is defined without ties only, and grades tie: it gives a p in "
        f"{defined} of organs and cohorts."
    )
    return sentences
