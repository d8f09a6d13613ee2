"""The article's statements without a figure, checked on one cohort."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np

from ivig_dcssc.checker.figures import MONTHS, Figures, known
from ivig_dcssc.checker.statistics import linear_p, logistic_p, mean, paired_t_p, predictors
from ivig_dcssc.checker.tables import ADVERSE_EFFECTS, CONCOMITANT, SEVERITIES, STOP_REASONS, Tables
from ivig_dcssc.checker.windows import Floats

CK_NORMAL = 200
"""Upper limit of normal creatine phosphokinase in U/L; our choice, the article prints none."""

COMMONEST = ("headache", "fatigue", "nausea", "fever", "arthralgia", "rash", "weakness")
"""The adverse effects that the results name as the most common."""

_SAME = {
    "haq_di": ("haq_di",),
    "pulmonary_function": ("fvc", "dlco"),
    "severity": SEVERITIES,
}
"""Measures whose conclusions are said to be the same in the restricted windows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the cohort says to a claim, in the words that claims expect, and why."""

    computed: str
    detail: str


def _truth(holds: bool, detail: str) -> Answer:
    return Answer("true" if holds else "false", detail)


def _p_text(p: float | Decimal | None) -> str:
    return "no p value" if p is None else f"p = {float(p):.4f}"


class Claims:
    """Answers to the claims about one cohort.

    Parameters
    ----------
    figures : Figures
        The cohort's figures.
    alpha : float
        Significance level.
    """

    def __init__(self, figures: Figures, alpha: float) -> None:
        self.figures = figures
        self.tables: Tables = figures.tables
        self.alpha = alpha
        self._predictors = predictors(self.tables)

    def answer(self, variable: str, timepoint: str, kind: str) -> Answer | None:
        """Return what the cohort says to a claim; none if there is no check for it."""
        measure, restricted = variable.removesuffix("_restricted"), variable.endswith("_restricted")
        month = int(timepoint.removeprefix("m")) if timepoint.startswith("m") else None
        single = {
            ("mrss", "same_conclusion"): self._same_skin_scores,
            ("responder_prednisone", "direction"): self._odds_below_one,
            ("haq_di", "direction"): self._disability_lower,
            ("severity_renal", "unchanged"): self._renal_unchanged,
            ("severity_organs", "unchanged"): self._organs_unchanged,
            ("cpk_serial", "normalised"): self._ck_normalised,
            ("adverse_effects", "ordering"): self._commonest_effects,
            ("stop_improved_or_stable", "ordering"): self._main_reason,
            ("concomitant_other", "none"): self._no_other_drug,
        }
        if (measure, kind) in single:
            return single[measure, kind]()
        match measure, kind:
            case "mrss", "significant":
                return self._lower_at("mrss", (month,) if month else MONTHS)
            case "mrss", "decreasing":
                return self._decreasing(restricted)
            case measure, "same_conclusion" if measure in _SAME:
                return self._same(_SAME[measure])
            case "responder_prednisone", "borderline":
                return self._borderline(variable)
            case "severity_muscle", "borderline":
                return self._borderline_lower(variable, restricted)
            case "patient_rating", "significant":
                return self._lower_at(variable, (12,))
            case "responder_predictors", "none_predict" if month:
                # Prednisone is reported by itself, at both months.
                outcome = self.figures.responders(month)
                return self._none_predicts(outcome, logistic_p, ["concomitant_prednisone"])
            case "mrss_change_predictors", "none_predict" if month:
                return self._none_predicts(self.figures.change(month), linear_p)
            case _, "majority" | "large_share" if (variable, timepoint, "percent") in self.figures:
                return self._majority(variable, timepoint)
            case _, "not_significant" | "unchanged" if (variable, timepoint, "p") in self.figures:
                return self._tested(variable, timepoint)
        return None

    def _p(self, variable: str, timepoint: str) -> Decimal | None:
        return self.figures[variable, timepoint, "p"].value

    def _decision(self, p: float | Decimal | None) -> str:
        if p is None:
            return "not computable"
        return "significant" if p < self.alpha else "not_significant"

    def _tested(self, variable: str, timepoint: str) -> Answer:
        p = self._p(variable, timepoint)
        return Answer(self._decision(p), _p_text(p))

    def _falls(self, measure: str, month: int, *, restricted: bool = False) -> bool:
        change = mean(self.tables.change(measure, month, restricted=restricted))
        return change is not None and change < 0

    def _lower_at(self, measure: str, months: Sequence[int]) -> Answer:
        words = []
        decisions = set()
        for month in months:
            p, falls = self._p(measure, f"m{month}"), self._falls(measure, month)
            decisions.add(self._decision(p) if falls else "not lower")
            words.append(f"month {month}: {'lower' if falls else 'not lower'}, {_p_text(p)}")
        decisions.discard("significant")
        return Answer(min(decisions) if decisions else "significant", "; ".join(words))

    def _decreasing(self, restricted: bool) -> Answer:
        means = [mean(self.tables.baseline("mrss", restricted=restricted))]
        for month in MONTHS:
            means.append(mean(self.tables.pairs("mrss", month, restricted=restricted)[1]))
        strictly = all(
            earlier is not None and later is not None and earlier > later
            for earlier, later in pairwise(means)
        )
        words = ", ".join("-" if value is None else f"{value:.1f}" for value in means)
        return _truth(strictly, f"means {words}")

    def _same_skin_scores(self) -> Answer:
        words, same = [], True
        for month in MONTHS:
            change = self.tables.change("mrss", month, restricted=True)
            p = paired_t_p(change)
            first = (self._decision(self._p("mrss", f"m{month}")), self._falls("mrss", month))
            again = (self._decision(p), self._falls("mrss", month, restricted=True))
            same = same and first == again and p is not None
            words.append(f"month {month}: n = {len(known(change))}, {_p_text(p)}")
        return _truth(same, "; ".join(words))

    def _same(self, measures: Iterable[str]) -> Answer:
        words, same = [], True
        for measure in measures:
            first, again = self._p(measure, "m12"), self._p(f"{measure}_restricted", "m12")
            same = same and again is not None and self._decision(first) == self._decision(again)
            words.append(f"{measure}: {_p_text(again)} for {_p_text(first)}")
        return _truth(same, "; ".join(words))

    def _borderline(self, variable: str) -> Answer:
        p = self._p(variable, "m12")
        limit = Decimal(str(self.alpha))
        near = p is not None and limit / 2 <= p <= 2 * limit
        return _truth(near, f"{_p_text(p)}; borderline taken as within a factor 2 of {limit}")

    def _borderline_lower(self, variable: str, restricted: bool) -> Answer:
        near = self._borderline(variable)
        falls = self._falls("severity_muscle", 12, restricted=restricted)
        words = f"{'lower' if falls else 'not lower'}, {near.detail}"
        return _truth(near.computed == "true" and falls, words)

    def _odds_below_one(self) -> Answer:
        found = self.figures["responder_prednisone", "m12", "or"].value
        words = "no odds ratio" if found is None else f"odds ratio {found:.3f}"
        return _truth(found is not None and found < 1 - 1e-9, words)

    def _disability_lower(self) -> Answer:
        before = self.figures["haq_di", "baseline", "mean"].value
        after = self.figures["haq_di", "m12", "mean"].value
        if before is None or after is None:
            return _truth(False, "not measured")
        return _truth(after < before, f"{before:.3f} to {after:.3f}")

    def _renal_unchanged(self) -> Answer:
        pairs = known(self.tables.change("severity_renal", 12))
        changed = np.count_nonzero(pairs)
        return _truth(len(pairs) > 0 and changed == 0, f"{changed} of {len(pairs)} changed")

    def _organs_unchanged(self) -> Answer:
        p = {name: self._p(name, "m12") for name in SEVERITIES}
        decisions = {self._decision(value) for value in p.values()} - {"not_significant"}
        words = "; ".join(f"{name}: {_p_text(value)}" for name, value in p.items())
        return Answer(min(decisions) if decisions else "not_significant", words)

    def _ck_normalised(self) -> Answer:
        before, last = self.tables.serial_ck
        normal, serial = int(((before > CK_NORMAL) & (last <= CK_NORMAL)).sum()), len(known(last))
        words = f"{normal} of {serial} from above {CK_NORMAL} U/L to it or below"
        return _truth(0 < serial == normal, words)

    def _count(self, variable: str) -> int:
        return int(self.figures[variable, "", "count"].value or 0)

    def _commonest_effects(self) -> Answer:
        named = {f"ae_{name}" for name in COMMONEST}
        least = min(self._count(name) for name in named)
        # The meningitis stands in Table 2 as part of the headaches, not as a row of its own.
        others = set(ADVERSE_EFFECTS) - named - {"ae_aseptic_meningitis"}
        most = max(self._count(name) for name in others)
        return _truth(least > most, f"{least} or more of each; of any other at most {most}")

    def _main_reason(self) -> Answer:
        better = self._count("stop_improved_or_stable")
        others = sum(self._count(f"stop_{reason}") for reason in STOP_REASONS) - better
        return _truth(better > others, f"{better} against {others} for all other reasons")

    def _no_other_drug(self) -> Answer:
        names = [str(name) for name in self.tables.patients.columns]
        others = [name for name in names if name.startswith("concomitant_")]
        others = [name for name in others if name not in CONCOMITANT]
        given = [name for name in others if (self.tables.numbers(name) == 1).any()]
        words = "given: " + ", ".join(given) if given else f"{len(others)} further drugs recorded"
        return _truth(not given, words)

    def _majority(self, variable: str, timepoint: str) -> Answer:
        found = self.figures[variable, timepoint, "percent"]
        more = found.value is not None and found.value > 50
        return _truth(more, f"{found.detail}; more than half taken as the limit")

    def _none_predicts(
        self,
        outcome: Floats,
        p_of: Callable[[Floats, Floats], Floats],
        left_out: Collection[str] = (),
    ) -> Answer:
        every = {name: x for name, x in self._predictors.items() if name not in left_out}
        found = p_of(outcome, np.array(list(every.values())))
        p = {name: one for name, one in zip(every, found.tolist(), strict=True) if one == one}
        if not p:
            return Answer("not_significant", "no regression is estimable")
        least = min(p, key=lambda name: p[name])
        words = f"{len(p)} regressions; smallest p = {p[least]:.4f} ({least})"
        if len(p) < len(every):
            words += f"; {len(every) - len(p)} not estimable"
        names = [name for name, one in p.items() if one < self.alpha]
        if names:
            return Answer("significant", f"{', '.join(names)}; {words}")
        return Answer("not_significant", words)
