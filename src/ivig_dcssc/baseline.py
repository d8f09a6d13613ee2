"""Table 1: denominators behind its percentages, and its asterisks under every convention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ivig_dcssc.cohort_groups import Spread, cohorts_of, label_of
from rederive.book.ledger import Ledger
from rederive.book.section import Section, in_words
from rederive.printed import PrintedNumber, RoundingRule, Verdict
from rederive.recompute.claims import CheckedClaim
from rederive.recompute.consistency import attainable_denominators, grim, grimmer, sd_limits
from rederive.recompute.methods import scale_of
from rederive.recompute.result import Recomputed

ROUNDED = {
    RoundingRule.EITHER: "rounded to the nearest figure",
    RoundingRule.HALF_UP: "rounded with halves up",
    RoundingRule.HALF_EVEN: "rounded with halves to the even digit",
    RoundingRule.TRUNCATE: "with digits cut off",
}
"""Rounding rules in words."""

GROUPS = ("IVIG", "relaxin", "D-pen", "collagen", "MMF")
"""Columns of Table 1."""

COMPARATORS = GROUPS[1:]
"""Columns that are compared with the first."""

SHARED: Mapping[str, tuple[str, ...]] = {
    "sex": ("female",),
    "race": ("white", "black", "other_race"),
}
"""Percentages of Table 1 that share a denominator, by topic."""

COMPARED = (
    "age",
    "disease_duration",
    "female",
    "white",
    "black",
    "other_race",
    "mrss",
    "haq_di",
    "myositis",
)
"""Variables of Table 1 that have comparator columns."""


@dataclass(frozen=True, slots=True)
class Denominators:
    """The printed size of a group and all sizes that suit its percentages on one topic."""

    group: str
    topic: str
    percentages: tuple[PrintedNumber, ...]
    printed: int
    attainable: tuple[int, ...]
    rule: RoundingRule
    fits_cut_off: bool

    @property
    def fits(self) -> bool:
        """Whether the printed size is among the attainable ones."""
        return self.printed in self.attainable

    @property
    def others(self) -> tuple[int, ...]:
        """Attainable sizes below the printed one, the largest first."""
        return tuple(n for n in reversed(self.attainable) if n < self.printed)

    def as_record(self) -> dict[str, object]:
        """Return the denominators as a row of a table."""
        listed = ", ".join(str(n) for n in self.others[:8])
        more = f" and {len(self.others) - 8} more" if len(self.others) > 8 else ""
        return {
            "Group": self.group,
            "Percentages": f"{self.topic}: " + ", ".join(f"{p}%" for p in self.percentages),
            "Printed n": self.printed,
            "Printed n attainable": "yes" if self.fits else "no",
            "Smaller n that would do": f"{listed}{more}" or "none",
        }


def denominators(ledger: Ledger, group: str, topic: str) -> Denominators:
    """Return all denominators up to the printed n that suit the percentages of one topic.

    Categories of race are taken to leave nobody out, so their counts have to add up to n.

    Parameters
    ----------
    ledger : Ledger
        The article's ledger.
    group : str
        A column of Table 1.
    topic : str
        A key of :data:`SHARED`.
    """
    numbers = ledger.registry.numbers
    names = SHARED[topic]
    stems = [f"table1-{name.replace('_', '-')}-{group.lower()}-baseline" for name in names]
    percentages = tuple(numbers[f"{stem}-percent"].printed for stem in stems)
    printed = int(numbers[f"table1-cohort-size-{group.lower()}-n"].printed.value)
    found = attainable_denominators(
        percentages, printed, ledger.settings.rule, must_sum=len(names) > 1
    )
    cut_off = attainable_denominators(
        percentages, printed, RoundingRule.TRUNCATE, n_min=printed, must_sum=len(names) > 1
    )
    rule = ledger.settings.rule
    return Denominators(group, topic, percentages, printed, found, rule, bool(cut_off))


def asterisk_claims(ledger: Ledger) -> dict[tuple[str, str], str]:
    """Return the id of the claim (asterisk or none) of every compared cell of Table 1."""
    return {
        (claim.variable, claim.group): claim.id
        for claim in ledger.registry.claims.values()
        if claim.kind in ("asterisk", "no_asterisk")
    }


def p_by_cell(ledger: Ledger) -> list[dict[str, object]]:
    """Return for every compared cell and convention the recomputed p at its middle.

    Returns
    -------
    list of dict
        Keys ``variable, group, convention, stated, shown, agrees, asterisk``.
    """
    rows: list[dict[str, object]] = []
    for (variable, group), claim_id in asterisk_claims(ledger).items():
        outcome = ledger.outcome(claim_id)
        if not isinstance(outcome, CheckedClaim):
            raise TypeError(f"{claim_id} is not checked as a claim")
        asterisk = ledger.registry.claims[claim_id].kind == "asterisk"
        for reach in outcome.reaches:
            rows.append(
                {
                    "variable": ledger.registry.variables[variable].label,
                    "group": group,
                    "convention": reach.convention,
                    "stated": reach.stated,
                    "shown": reach.shown,
                    "agrees": "always" if reach.must_hold else "can" if reach.can_hold else "never",
                    "asterisk": asterisk,
                }
            )
    return rows


def contested_cells(ledger: Ledger) -> list[dict[str, object]]:
    """Return the cells whose asterisk, or want of one, does not hold under every convention."""
    found: list[dict[str, object]] = []
    for row in p_by_cell(ledger):
        if row["agrees"] != "always":
            found.append(
                {
                    "Variable": row["variable"],
                    "Comparator": row["group"],
                    "Published": "asterisk" if row["asterisk"] else "no asterisk",
                    "Convention": row["convention"],
                    "Recomputed": row["shown"],
                    "Published decision": "fails" if row["agrees"] == "never" else "open",
                }
            )
    return found


def consistency(ledger: Ledger) -> list[dict[str, object]]:
    """Return GRIM, GRIMMER and SD limits for every mean in Table 1 on a scale with known steps."""
    numbers, rule = ledger.registry.numbers, ledger.settings.rule
    rows: list[dict[str, object]] = []
    for number in numbers.values():
        scale = scale_of(ledger.registry.variables[number.variable])
        if number.section != "table1" or number.statistic != "mean" or scale is None:
            continue
        sd = numbers[number.id.removesuffix("mean") + "sd"]
        n = number.n or 0
        low, high, step = scale.minimum, scale.maximum, scale.step
        checks: dict[str, Recomputed] = {
            "GRIM": grim(number.printed, n, step=step, minimum=low, maximum=high, rule=rule),
            "GRIMMER": grimmer(
                number.printed, sd.printed, n, step=step, minimum=low, maximum=high, rule=rule
            ),
            "SD limits": sd_limits(
                number.printed, sd.printed, n, minimum=low, maximum=high, step=step, rule=rule
            ),
        }
        rows.append(
            {
                "Variable": ledger.registry.variables[number.variable].label,
                "Group": number.group,
                "n": n,
                "Mean (SD)": f"{number.printed} ({sd.printed})",
                **{
                    name: "consistent" if check.inside else "impossible"
                    for name, check in checks.items()
                },
            }
        )
    return rows


def denominators_in_words(found: Sequence[Denominators]) -> list[str]:
    """Return what the denominators show, as sentences."""
    misfits = [each for each in found if not each.fits]
    if not misfits:
        return ["Every printed size can be the denominator of its percentages."]
    sentences = []
    for each in misfits:
        what = f"percentage of {each.topic}"
        if len(each.percentages) > 1:
            what = f"{len(each.percentages)} percentages of {each.topic} together"
        sentence = (
            f"No counts of {each.printed} patients, {ROUNDED[each.rule]}, give the {what} printed "
            f"for the {each.group} group."
        )
        if each.fits_cut_off and each.rule is not RoundingRule.TRUNCATE:
            sentence += " With digits cut off instead of rounded, some would."
        if len(each.others) == 1:
            sentence += f" Exactly one smaller denominator has such counts: **{each.others[0]}**."
        elif each.others and len(each.others) <= 3:
            sentence += f" Of the smaller denominators only {in_words(each.others)} would do."
        elif each.others:
            sentence += f" {len(each.others)} smaller ones would do, the largest {each.others[0]}."
        else:
            sentence += " No smaller denominator would do either."
        sentences.append(sentence)
    by_group: dict[str, list[Denominators]] = {}
    for each in misfits:
        by_group.setdefault(each.group, []).append(each)
    for group, topics in by_group.items():
        common = set(topics[0].others).intersection(*(topic.others for topic in topics[1:]))
        if len(topics) > 1 and common:
            sizes = in_words(sorted(common, reverse=True))
            names = in_words([topic.topic for topic in topics])
            sentences.append(f"For {group}, {names} agree on {sizes}.")
    fitting = len(found) - len(misfits)
    sentences.append(f"In the other {fitting} rows of the table the printed size fits.")
    return sentences


def p_values_in_words(section: Section) -> list[str]:
    """Return how the printed p values at baseline came out, as sentences."""
    rows = section.old_rows(statistics=["p"])
    verdicts = Counter(row.verdict for row in rows)
    parts = [f"{count} *{verdict}*" for verdict, count in verdicts.items()]
    sentences = [f"Of {len(rows)} printed p values, {in_words(parts)}."]
    contested = [row for row in rows if "but not under" in row.decision]
    if contested:
        names = in_words([f"{row.variable} against {row.group}" for row in contested])
        sentences.append(
            f"The decision at the {section.ledger.settings.alpha:g} level depends on the "
            f"convention for {names}."
        )
    else:
        sentences.append("No decision depends on the convention.")
    return sentences


def asterisks_in_words(ledger: Ledger) -> list[str]:
    """Return how the asterisks of Table 1 came out, as sentences."""
    claims = asterisk_claims(ledger)
    rows = [ledger.row(claim_id) for claim_id in claims.values()]
    holding = sum(row.verdict is Verdict.SAME for row in rows)
    stated = ledger.settings.proportion_test
    sentences = [
        f"With the test taken as the article's ({ledger.settings.two_sample.name}; for yes/no "
        f"variables {stated}), the published decision holds whatever the rounding in {holding} of "
        f"{len(rows)} cells."
    ]
    contested = contested_cells(ledger)
    named = [f"{row['Variable']} against {row['Comparator']}" for row in contested]
    cells = list(dict.fromkeys(named))
    if cells:
        tests = list(
            dict.fromkeys(str(row["Convention"]).split(" (comparator")[0] for row in contested)
        )
        sentences.append(
            f"Under another test it would not hold everywhere: {in_words(cells)} change under "
            f"{in_words(tests, 'or')}."
        )
    return sentences


SHAPED = ("age", "disease_duration", "mrss")
"""Measures of Table 1 whose shape in the cohorts is shown; the last by prior."""


def shapes(ledger: Ledger) -> list[dict[str, object]]:
    """Return median and extremes, which the article does not print, over the cohorts, for a table.

    Returns
    -------
    list of dict
        One row per measure, for the skin score per prior: median over the cohorts, with the
        central 95 % of them.
    """
    cohorts = cohorts_of(ledger)
    tables = cohorts.results.tables
    rows: list[dict[str, object]] = []
    for name in SHAPED:
        values = tables.measured(name)["baseline"] if name == "mrss" else tables.number(name)
        shape = values.groupby("cohort").agg(["min", "median", "max"])
        label = ledger.registry.variables[name].label
        if name != "mrss" or not cohorts.reconstructed:
            rows.append(_shape_record(label, shape))
            continue
        for prior, part in shape.groupby(cohorts.priors.reindex(shape.index), sort=False):
            rows.append(_shape_record(f"{label}, {label_of(str(prior))}", part))
    return rows


def _shape_record(label: str, shape: pd.DataFrame) -> dict[str, object]:
    columns = (("Median", "median"), ("Least", "min"), ("Greatest", "max"))
    figures = {title: Spread.of(shape[column]).in_words(1) for title, column in columns}
    return {"Variable": label, **figures}


def shapes_in_words(ledger: Ledger) -> list[str]:
    """Return what decides about the figures that Table 1 leaves out, as sentences."""
    if not cohorts_of(ledger).reconstructed:
        return ["Medians and extremes are those of the cohort of this run."]
    return [
        "Mean and SD leave medians and extremes open.",
        "Those of the skin score depend on the prior of the skin scores within what the printed "
        "figures allow; those of age and disease duration on how these columns were drawn.",
        "In parentheses are the central 95 % of the cohorts; these are no bounds.",
    ]


def misfit_in_words(ledger: Ledger, group: str) -> str:
    """Return which percentages of a group are not those of its printed size; empty if all are."""
    found = [denominators(ledger, group, topic) for topic in SHARED]
    misfits = [each for each in found if not each.fits]
    if not misfits:
        return ""
    common = set(misfits[0].others).intersection(*(each.others for each in misfits))
    sizes = sorted(common, reverse=True)
    what = in_words([each.topic for each in misfits])
    if not sizes:
        answer = "no smaller denominator gives all of them"
    elif len(sizes) == 1:
        answer = f"the only smaller denominator that gives all of them is {sizes[0]}"
    else:
        answer = f"smaller denominators that give all of them: {in_words(sizes[:6])}"
    return (
        f"The percentages of {what} printed for the {group} group are not those of "
        f"{misfits[0].printed} patients, {ROUNDED[misfits[0].rule]}; {answer}."
    )


def contested_in_words(ledger: Ledger) -> str:
    """Return how many asterisks of Table 1 hang on the test, as one sentence."""
    cells = {(row["Variable"], row["Comparator"]) for row in contested_cells(ledger)}
    return (
        f"{len(cells)} of the {len(asterisk_claims(ledger))} decisions about asterisks in Table 1 "
        "would change under a test other than the article's."
    )
