"""The article's statements without a figure, checked on one cohort."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

import numpy as np

from ivig_dcssc.checker.figures import MONTHS, Figures, known
from ivig_dcssc.checker.statistics import linear_p, mean, paired_t_p
from ivig_dcssc.checker.tables import ADVERSE_EFFECTS, CONCOMITANT, SEVERITIES, STOP_REASONS, Tables

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


def _truth(holds: bool) -> str:
    return "true" if holds else "false"


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

    def answer(self, variable: str, timepoint: str, kind: str) -> str | None:
        """Return the cohort's word on a claim; none if there is no check for it."""
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
            case "mrss" | "patient_rating", "significant":
                return self._lower_at(variable, (month,) if month else MONTHS)
            case "mrss", "decreasing":
                return self._decreasing(restricted)
            case measure, "same_conclusion" if measure in _SAME:
                return self._same(_SAME[measure])
            case "responder_prednisone", "borderline":
                return _truth(self._borderline(variable))
            case "severity_muscle", "borderline":
                falls = self._falls(measure, 12, restricted=restricted)
                return _truth(falls and self._borderline(variable))
            case "responder_predictors", "none_predict" if month:
                # Prednisone is reported by itself, at both months.
                found = self.figures.responses[month].items()
                return self._none_below(
                    p for name, (*_, p) in found if name != "concomitant_prednisone"
                )
            case "mrss_change_predictors", "none_predict" if month:
                every = np.array([*self.figures.predictors.values()])
                change = self.tables.change("mrss", month)
                return self._none_below(linear_p(change, every).tolist())
            case _, "majority" | "large_share" if (variable, timepoint, "percent") in self.figures:
                return self._majority(variable, timepoint)
            case _, "not_significant" | "unchanged" if (variable, timepoint, "p") in self.figures:
                return self._decision(self._p(variable, timepoint))
        return None

    def _p(self, variable: str, timepoint: str) -> Decimal | None:
        return self.figures[variable, timepoint, "p"]

    def _decision(self, p: float | Decimal | None) -> str:
        if p is None:
            return "not computable"
        return "significant" if p < self.alpha else "not_significant"

    def _falls(self, measure: str, month: int, *, restricted: bool = False) -> bool:
        change = mean(self.tables.change(measure, month, restricted=restricted))
        return change is not None and change < 0

    def _lower_at(self, measure: str, months: Sequence[int]) -> str:
        decisions = {
            self._decision(self._p(measure, f"m{month}"))
            if self._falls(measure, month)
            else "not lower"
            for month in months
        }
        return min(decisions - {"significant"}, default="significant")

    def _decreasing(self, restricted: bool) -> str:
        means = [mean(self.tables.baseline("mrss", restricted=restricted))]
        for month in MONTHS:
            means.append(mean(self.tables.pairs("mrss", month, restricted=restricted)[1]))
        found = [each for each in means if each is not None]
        falling = all(earlier > later for earlier, later in pairwise(found))
        return _truth(falling and len(found) == len(means))

    def _same_skin_scores(self) -> str:
        same = True
        for month in MONTHS:
            p = paired_t_p(self.tables.change("mrss", month, restricted=True))
            first = (self._decision(self._p("mrss", f"m{month}")), self._falls("mrss", month))
            again = (self._decision(p), self._falls("mrss", month, restricted=True))
            same = same and first == again and p is not None
        return _truth(same)

    def _same(self, measures: Iterable[str]) -> str:
        same = True
        for measure in measures:
            first, again = self._p(measure, "m12"), self._p(f"{measure}_restricted", "m12")
            same = same and again is not None and self._decision(first) == self._decision(again)
        return _truth(same)

    def _borderline(self, variable: str) -> bool:
        """Return whether a p is within a factor 2 of the significance level."""
        p = self._p(variable, "m12")
        limit = Decimal(str(self.alpha))
        return p is not None and limit / 2 <= p <= 2 * limit

    def _odds_below_one(self) -> str:
        found = self.figures["responder_prednisone", "m12", "or"]
        return _truth(found is not None and found < 1 - 1e-9)

    def _disability_lower(self) -> str:
        before, after = (self.figures["haq_di", at, "mean"] for at in ("baseline", "m12"))
        return _truth(before is not None and after is not None and after < before)

    def _renal_unchanged(self) -> str:
        pairs = known(self.tables.change("severity_renal", 12))
        return _truth(len(pairs) > 0 and not pairs.any())

    def _organs_unchanged(self) -> str:
        decisions = {self._decision(self._p(name, "m12")) for name in SEVERITIES}
        return min(decisions - {"not_significant"}, default="not_significant")

    def _ck_normalised(self) -> str:
        before, last = self.tables.serial_ck
        normal = (before > CK_NORMAL) & (last <= CK_NORMAL)
        return _truth(0 < len(known(last)) == normal.sum())

    def _count(self, variable: str) -> int:
        return int(self.figures[variable, "", "count"] or 0)

    def _commonest_effects(self) -> str:
        named = {f"ae_{name}" for name in COMMONEST}
        least = min(self._count(name) for name in named)
        # The meningitis stands in Table 2 as part of the headaches, not as a row of its own.
        others = set(ADVERSE_EFFECTS) - named - {"ae_aseptic_meningitis"}
        most = max(self._count(name) for name in others)
        return _truth(least > most)

    def _main_reason(self) -> str:
        better = self._count("stop_improved_or_stable")
        others = sum(self._count(f"stop_{reason}") for reason in STOP_REASONS) - better
        return _truth(better > others)

    def _no_other_drug(self) -> str:
        names = [str(name) for name in self.tables.patients.columns]
        others = [name for name in names if name.startswith("concomitant_")]
        others = [name for name in others if name not in CONCOMITANT]
        return _truth(not any((self.tables.numbers(name) == 1).any() for name in others))

    def _majority(self, variable: str, timepoint: str) -> str:
        found = self.figures[variable, timepoint, "percent"]
        return _truth(found is not None and found > 50)

    def _none_below(self, p_values: Iterable[float]) -> str:
        return "significant" if any(p < self.alpha for p in p_values) else "not_significant"
