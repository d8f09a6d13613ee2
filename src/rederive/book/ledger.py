"""The ledger: every printed number and claim with what was reproduced, evidence and verdict."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from rederive.printed import Evidence, PrintedNumber, Verdict, format_fixed, outward
from rederive.printed.registry import NumberRow, Registry
from rederive.printed.result import Reach, Recomputed
from rederive.recompute.planned import Outcome, Settings, carry_out
from rederive.recompute.planned.checked_claims import CheckedClaim

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Shown:
    """The reproduction of one row, in words ready to be shown, and as numbers in the unit printed.

    ``reproduced`` is the figure and ``interval`` the range that the inputs leave; ``why`` is the
    condition of the verdict, or what is missing; ``decision`` says whether p lies below alpha, or
    whether a claim holds, and on what that depends. Conventions reach the published figure
    (``would_do``), do not, or leave it open.

    Recomputed, ``value`` is that at the inputs as printed, ``low`` and ``high`` are the range that
    rounding leaves. From cohorts: the median and the central 95 %, or the one value. Of a claim:
    the share of cohorts in which it holds, or 1 and 0 where it holds and does not.

    ``evidence`` is given where it is another than the plan names, as in a run on another study's
    data; ``before`` is what the article's parameters give, where that is not the row under these
    parameters: a prediction is no counterpart of what cohorts yield that were told the figure.
    """

    reproduced: str
    interval: str
    verdict: Verdict
    why: str
    decision: str = ""
    would_do: tuple[str, ...] = ()
    not_under: tuple[str, ...] = ()
    open_under: tuple[str, ...] = ()
    value: float | None = None
    low: float | None = None
    high: float | None = None
    evidence: Evidence | None = None
    before: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Shown:
        """Return what was written as plain JSON values."""
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()}
        evidence = kept["evidence"] and Evidence(kept["evidence"])
        return cls(**values | {"verdict": Verdict(kept["verdict"]), "evidence": evidence})


COLUMNS = (
    "id", "kind", "section", "place", "group", "variable", "timepoint", "statistic", "printed",
    "reproduced", "interval", "evidence", "verdict", "why", "would_do", "not_under", "open_under",
    "decision", "method", "inputs", "notebook", "built", "same_as", "value", "low", "high",
    "before", "before_verdict", "before_decision",
)  # fmt: skip
"""Columns of a ledger that is written to a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow(Shown):
    """One printed number or claim with its reproduction.

    Names are as in the registry and its plan; of a claim ``statistic`` is its kind. ``kind`` is
    ``number`` or ``claim``, ``notebook`` where the row has its place, and ``built`` whether that is
    part of the book yet. What begins with ``before`` is what the article's parameters give, where
    this run's give something else; else empty.
    """

    id: str
    kind: str
    section: str
    place: str
    group: str
    variable: str
    timepoint: str
    statistic: str
    printed: str
    evidence: Evidence
    method: str
    inputs: tuple[str, ...]
    notebook: str
    built: bool
    same_as: str
    before_verdict: str = ""
    before_decision: str = ""

    def as_record(self) -> dict[str, object]:
        """Return the row as plain values, for CSV and JSON."""
        return {name: _written(getattr(self, name)) for name in COLUMNS}


def _written(value: object) -> object:
    if isinstance(value, Evidence | Verdict):
        return str(value)
    return ";".join(value) if isinstance(value, tuple) else value


class CohortEvidence(Protocol):
    """Patient-level data, reconstructed or a user's own, as evidence for rows of the ledger."""

    @property
    def reconstructed(self) -> bool:
        """Whether the cohorts were fitted to the published figures."""

    @property
    def one_number(self) -> int:
        """Number of the cohort that a notebook shows by itself."""

    @property
    def key(self) -> str:
        """All that rows from the data depend on besides the sources; empty if not only on that."""

    def show(self, row_id: str, evidence: Evidence) -> Shown | None:
        """Return what the data say about a calibrated or predicted row; ``None`` if nothing."""

    def values(self, row_id: str) -> pd.Series[Any]:
        """Return a figure, or whether a claim holds, by cohort."""

    def held_out_values(self, row_id: str) -> pd.Series[Any]:
        """Return a figure by prior and draw, in cohorts that left it out of the fit."""

    def asks_as_published(self, row_id: str) -> bool:
        """Whether this run asks for the figure as the article defines it."""


class SharedRows(Protocol):
    """Rows that other runs have worked out, as plain values by a key and their id."""

    def get(self, key: str, ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return those that are there."""

    def put(self, key: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep rows for other runs."""


class Ledger:
    """All rows of a registry, reproduced on demand and kept.

    ``settings`` are the choices for all recomputations, ``built`` the notebooks that are part of
    the book. Without cohorts the calibrated and predicted rows are pending. Rows of other runs may
    be taken from ``kept``. ``reference`` is the same registry under the article's parameters, where
    this one is under others.
    """

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        built: Collection[str],
        cohorts: CohortEvidence | None = None,
        kept: SharedRows | None = None,
    ) -> None:
        self.registry = registry
        self._kept = kept
        self.cohorts = cohorts
        self.reference: Ledger | None = None
        self.settings = settings
        self.built = frozenset(built)
        self._outcomes: dict[str, Outcome] = {}
        self._rows: dict[str, LedgerRow] = {}

    def __iter__(self) -> Iterator[LedgerRow]:
        yield from self.rows(row.id for row in self.registry)

    def compare_with(self, reference: Ledger) -> None:
        """Take the same registry under the article's parameters as the reference.

        Recomputations are shared where the choices for them are the same.
        """
        self.reference = reference
        if reference.settings == self.settings:
            reference._outcomes = self._outcomes

    def outcome(self, row_id: str) -> Outcome:
        """Return the recomputation of a row, with every convention that was tried.

        A row that is not planned to be recomputed is a ``PlanError``.
        """
        return carry_out(self.registry, row_id, self.settings, self._outcomes)

    def row(self, row_id: str) -> LedgerRow:
        """Return one row of the ledger, reproducing it if need be."""
        return self.rows([row_id])[0]

    def rows(self, ids: Iterable[str]) -> list[LedgerRow]:
        """Return several rows; each is taken from another run, or else reproduced and kept."""
        ids = list(ids)
        missing = [row_id for row_id in dict.fromkeys(ids) if row_id not in self._rows]
        if self.reference is not None:
            self.reference.rows(missing)
        by_key: dict[str, list[str]] = {}
        for row_id in missing:
            by_key.setdefault(self._key(row_id), []).append(row_id)
        for key, under_it in by_key.items():
            kept = self._kept.get(key, under_it) if self._kept and key else {}
            shown = {row_id: Shown.of(values) for row_id, values in kept.items()}
            new = {row_id: self._show(row_id) for row_id in under_it if row_id not in kept}
            if self._kept and key:
                self._kept.put(key, {row_id: asdict(each) for row_id, each in new.items()})
            for row_id, each in (shown | new).items():
                self._rows[row_id] = self._make(row_id, each)
        return [self._rows[row_id] for row_id in ids]

    def _key(self, row_id: str) -> str:
        """Return what a row depends on besides the sources; empty if it is not worth keeping."""
        evidence = self.registry.plan[row_id].evidence
        if evidence is Evidence.RECOMPUTED:
            return repr(self.settings)
        from_cohorts = evidence in (Evidence.CALIBRATED, Evidence.PREDICTED)
        return self.cohorts.key if self.cohorts is not None and from_cohorts else ""

    def _make(self, row_id: str, shown: Shown) -> LedgerRow:
        source = self.registry.row(row_id)
        plan = self.registry.plan[row_id]
        numbers = {name: _finite(getattr(shown, name)) for name in ("value", "low", "high")}
        words = asdict(replace(shown, evidence=shown.evidence or plan.evidence, before=""))
        return LedgerRow(
            id=row_id,
            kind="number" if isinstance(source, NumberRow) else "claim",
            section=source.section,
            place=source.place,
            group=source.group,
            variable=self.registry.variables[source.variable].label,
            timepoint=source.timepoint,
            statistic=source.statistic if isinstance(source, NumberRow) else source.kind,
            printed=source.with_unit if isinstance(source, NumberRow) else source.as_printed,
            method=plan.method,
            inputs=plan.inputs,
            notebook=plan.notebook,
            built=plan.notebook in self.built,
            same_as=source.same_as,
            **(words | numbers | self._before(row_id, shown)),
        )

    def _before(self, row_id: str, shown: Shown) -> dict[str, str]:
        """Return what the article's parameters give, as far as it is something else."""
        if self.reference is None:
            return {}
        row = self.reference.row(row_id)
        value, verdict = shown.before or row.reproduced, str(row.verdict)
        ours = _without_level(shown.decision, self.settings.alpha)
        theirs = _without_level(row.decision, self.reference.settings.alpha)
        return {
            "before": "" if value == shown.reproduced else value or "nothing",
            "before_verdict": "" if verdict == str(shown.verdict) else verdict,
            "before_decision": "" if ours == theirs else row.decision or "nothing",
        }

    def _show(self, row_id: str) -> Shown:
        source = self.registry.row(row_id)
        evidence = self.registry.plan[row_id].evidence
        if evidence is Evidence.RECOMPUTED:
            outcome = self.outcome(row_id)
            if isinstance(outcome, CheckedClaim):
                return _show_claim(outcome)
            unit = source.unit if isinstance(source, NumberRow) else ""
            statistic = source.statistic if isinstance(source, NumberRow) else ""
            return _show_number(outcome, statistic, unit, self.settings.alpha)
        if self.cohorts is not None and evidence in (Evidence.CALIBRATED, Evidence.PREDICTED):
            shown = self.cohorts.show(row_id, evidence)
            if shown is not None:
                return shown
        verdict, why = _WITHOUT_RESULT[evidence]
        if evidence is Evidence.STATED and source.same_as:
            why = "stated, and printed before"
        return Shown("", "", verdict, why)


def _without_level(decision: str, alpha: float) -> str:
    """Return a decision without the level: another level alone is not another decision."""
    for sign in "<≥":
        decision = decision.replace(f"p {sign} {alpha:g}", f"p {sign} α")
    return decision


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


_WITHOUT_RESULT: Mapping[Evidence, tuple[Verdict, str]] = {
    Evidence.STATED: (Verdict.NONE, "stated, and taken as given"),
    Evidence.NOT_REPRODUCIBLE: (Verdict.NONE, "the article shows no data for it"),
    Evidence.CALIBRATED: (Verdict.PENDING, "no patient-level data computes it"),
    Evidence.PREDICTED: (Verdict.PENDING, "no patient-level data predict it"),
}


def _printed_range(reach: Reach, printed: PrintedNumber, whole: bool) -> str:
    """Return a reachable range with one digit more than the printed figure has.

    An end above 0 that these digits cannot show is given as below the smallest that they can.
    """
    decimals = 0 if whole else printed.decimals + 1
    smallest = Fraction(1, 10**decimals)
    if 0 < reach.high < smallest / 2:
        return f"<{format_fixed(smallest, decimals)}"
    if reach.low == reach.high:
        return format_fixed(Fraction(reach.low), decimals)
    low, high = outward(reach.low, reach.high, decimals)
    if not whole and reach.low > 0 and Fraction(low) == 0:
        low = f"<{format_fixed(smallest, decimals)}"
    return f"{low} to {high}"


def _show_number(outcome: Recomputed, statistic: str, unit: str, alpha: float) -> Shown:
    printed = outcome.printed
    if printed is None:
        raise ValueError(f"{outcome.method}: a ledger row needs a printed figure")
    main = outcome.main
    sign = "%" if unit == "percent" else ""
    whole = statistic in ("n", "count")
    interval = _printed_range(main, printed, whole)
    if main.point is not None:
        value = format_fixed(Fraction(main.point), printed.decimals)
        smallest = Fraction(1, 10**printed.decimals)
        if statistic == "p" and Fraction(main.point) < smallest / 2:
            value = f"<{format_fixed(smallest, printed.decimals)}"
        reproduced = value + sign
    elif statistic in ("percent", "count", "n") and not main.meets:
        ends = (Fraction(end) for end in (main.low, main.high))
        nearest = [format_fixed(end, printed.decimals) for end in ends]
        reproduced = interval = " or ".join(dict.fromkeys(nearest))
        reproduced += sign
    else:
        reproduced = f"{interval}{sign}"
    decision = _decision(outcome, alpha) if statistic == "p" else ""
    shown = Shown(
        reproduced,
        interval + sign,
        outcome.verdict,
        _why(outcome) + (f". {outcome.remark}" if outcome.remark else ""),
        decision,
        value=main.point,
        low=main.low,
        high=main.high,
    )
    if outcome.verdict in (Verdict.SAME, Verdict.WITHIN_ROUNDING):
        return shown
    reached, missed = (
        tuple(_with_range(r, printed, whole) for r in outcome.reaches if r.meets is wanted)
        for wanted in (True, False)
    )
    return replace(shown, would_do=reached, not_under=missed)


def _why(outcome: Recomputed) -> str:
    if outcome.verdict in (Verdict.SAME, Verdict.WITHIN_ROUNDING):
        return outcome.main.convention
    if outcome.verdict is not Verdict.NEEDS_CHOICE:
        return "nothing tried reaches it"
    if any(reach.meets for reach in outcome.stated):
        return "reached under one interpretation of a figure and not under another"
    return "reached only under a choice that is not stated"


def _with_range(reach: Reach, printed: PrintedNumber, whole: bool) -> str:
    """Return a convention with the range that it reaches, where it has one of its own."""
    if reach.point is None:
        return reach.convention
    return f"{reach.convention}: {_printed_range(reach, printed, whole)}"


def _decision(outcome: Recomputed, alpha: float) -> str:
    stated = outcome.decisions(alpha)
    if len(stated) > 1:
        return "open within rounding" if outcome.stated else "open: depends on what is not stated"
    word = f"p < {alpha:g}" if True in stated else f"p ≥ {alpha:g}"
    others = {
        reach.convention
        for reach in outcome.reaches
        if reach.usual and reach.decision(alpha) not in (None, *stated)
    }
    return f"{word}, but not under: {'; '.join(sorted(others))}" if others else f"{word} throughout"


def _show_claim(outcome: CheckedClaim) -> Shown:
    main, verdict = outcome.main, outcome.tested
    against = tuple(
        f"{reach.convention} ({reach.shown})" for reach in outcome.reaches if not reach.can_hold
    )
    remark = f". {outcome.remark}" if outcome.remark else ""
    why = main.convention
    would_do: tuple[str, ...] = ()
    if outcome.vague:
        why = f"the word has no limit; {why}"
    elif verdict is Verdict.NEEDS_CHOICE:
        why = "holds only under a choice that is not stated"
        would_do = outcome.conditions
    elif verdict is Verdict.DIFFERS:
        why = "holds under nothing that was tried"
    reproduced = "holds" if main.must_hold else "can hold" if main.can_hold else "does not hold"
    if outcome.verdict is Verdict.NOT_TESTED:
        reproduced = "no significant difference" + ("" if main.must_hold else " need be")
        why = f"checked: no significant difference ({why}), which is no test of equivalence"
    decision = "holds under every usual convention"
    if outcome.vague:
        decision = "depends on the limit chosen"
    unsure = tuple(
        reach.convention
        for reach in outcome.reaches
        if reach.can_hold and not reach.must_hold and not reach.stated
    )
    if outcome.contradicted:
        decision = "depends on the convention"
    elif not all(reach.must_hold for reach in outcome.stated):
        decision = "open within rounding"
    elif unsure:
        decision = "holds as stated; open under other choices"
    if outcome.verdict is Verdict.NOT_TESTED:
        decision = decision.replace("holds", "not significant")
    low, high = float(main.must_hold), float(main.can_hold)
    return Shown(
        reproduced,
        main.shown,
        outcome.verdict,
        why + remark,
        decision,
        would_do,
        against,
        unsure,
        value=low if low == high else None,
        low=low,
        high=high,
    )
