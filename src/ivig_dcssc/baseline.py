"""Table 1: denominators behind its percentages, and its asterisks under every convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rederive.book.ledger import Ledger
from rederive.printed import PrintedNumber
from rederive.recompute.claims import CheckedClaim
from rederive.recompute.consistency import attainable_denominators, grim, grimmer, sd_limits
from rederive.recompute.methods import scale_of
from rederive.recompute.result import Recomputed

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
    return Denominators(group, topic, percentages, printed, found)


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
            "GRIM": grim(
                number.printed, n, step=step, minimum=low, maximum=high, rule=rule
            ),
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
