"""The article's statements about the IVIG group without a figure, answered by every cohort.

A claim holds if the cohort's answer is the word that the registry expects. Answers are
``significant``, ``not_significant``, ``not computable`` and ``not lower`` where a test is claimed,
``true`` and ``false`` otherwise. Three limits are not the article's but ours: borderline is a p
within a factor 2 of the significance level, a large share is more than half, and creatine
phosphokinase is normal up to 200 U/L.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.formats import p_text
from ivig_dcssc.reproduced.choices import FOLLOWUPS
from ivig_dcssc.reproduced.figures import Figures
from ivig_dcssc.reproduced.predictors import (
    PRINTED_BY_ITSELF,
    STOP_REASONS,
    TIMEPOINTS,
    search,
    smallest,
)
from ivig_dcssc.reproduced.tables import SEVERITIES, Frame
from rederive.printed.registry import ClaimRow

CPK_NORMAL = 200
"""Upper limit of normal creatine phosphokinase in U/L; our choice, the article prints none."""

COMMONEST = ("headache", "fatigue", "nausea", "fever", "arthralgia", "rash", "weakness")
"""The adverse effects that the results name as the most common."""

GIVEN = ("prednisone", "methotrexate", "cyclophosphamide", "hydroxychloroquine", "mmf", "imatinib")
"""Concomitant drugs that somebody had; the article rules out all others."""

SMALL = 1e-9
"""Differences of means or odds ratios below this are rounding of floats."""

UNCHANGED = "not_significant"
NOT_COMPUTABLE = "not computable"
"""The word of a cohort that has no data for a claim."""

Key = tuple[str, str, str]
"""Variable, time point and kind of a claim."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What each cohort says: the word, the p that decides it (NaN if none does), and why.

    Arrays of shape (cohorts,); ``known`` says whether a cohort has data for it at all.
    """

    word: Any
    p: Any
    detail: list[str]
    known: Any = True


class Claims:
    """Answers of all cohorts to the claims about them.

    Parameters
    ----------
    figures : Figures
        The cohorts' figures.
    """

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.tables = figures.tables
        self.alpha = figures.tables.choices.alpha
        self.answers = self._catalogue()
        self._computed: dict[Key, Answers] = {}
        self._regressions: Frame | None = None

    def has(self, row: ClaimRow) -> bool:
        """Return whether a claim is among them."""
        return (row.variable, row.timepoint, row.kind) in self.answers

    def table(self, row: ClaimRow) -> Frame:
        """Return the answers to a claim.

        Returns
        -------
        DataFrame
            Columns cohort, computed (the cohort's word), holds, p, detail and known (whether the
            cohort has data for it).
        """
        key = (row.variable, row.timepoint, row.kind)
        if key not in self._computed:
            self._computed[key] = self.answers[key]()
        found = self._computed[key]
        known = np.broadcast_to(np.asarray(found.known, dtype=bool), len(self.tables.cohorts))
        return pd.DataFrame(
            {
                "cohort": self.tables.cohorts,
                "computed": np.asarray(found.word, dtype=object),
                "holds": np.asarray(found.word, dtype=object) == row.expected,
                "p": np.broadcast_to(found.p, len(self.tables.cohorts)),
                "detail": found.detail,
                "known": known & (np.asarray(found.word, dtype=object) != NOT_COMPUTABLE),
            }
        )

    def regressions(self) -> Frame:
        """Return all regressions on predictors; see `predictors.search`."""
        if self._regressions is None:
            self._regressions = search(self.tables)
        return self._regressions

    def _catalogue(self) -> dict[Key, Callable[[], Answers]]:
        tested, same, borderline = self._tested, self._same, self._borderline_lower
        found: dict[Key, Callable[[], Answers]] = {
            ("mrss", "", "significant"): partial(self._lower_at, FOLLOWUPS),
            ("mrss", "", "decreasing"): partial(self._decreasing, restricted=False),
            ("mrss_restricted", "", "decreasing"): partial(self._decreasing, restricted=True),
            ("mrss_restricted", "", "same_conclusion"): self._same_skin_scores,
            ("responder_prednisone", "m12", "borderline"): self._prednisone_borderline,
            ("responder_prednisone", "m12", "direction"): self._odds_below_one,
            ("haq_di", "m12", "direction"): self._disability_lower,
            ("haq_di_restricted", "m12", "same_conclusion"): partial(same, ("haq_di",)),
            ("patient_rating", "m12", "significant"): self._rating_lower,
            ("pulmonary_function_restricted", "m12", "same_conclusion"): partial(
                same, ("fvc", "dlco")
            ),
            ("severity_renal", "m12", "unchanged"): self._renal_unchanged,
            ("severity_muscle", "m12", "borderline"): partial(borderline, restricted=False),
            ("severity_muscle_restricted", "m12", "borderline"): partial(
                borderline, restricted=True
            ),
            ("severity_organs", "m12", "unchanged"): self._organs_unchanged,
            ("severity_restricted", "m12", "same_conclusion"): partial(same, SEVERITIES),
            ("cpk_serial", "", "normalised"): self._cpk_normalised,
            ("adverse_effects", "", "ordering"): self._commonest_effects,
            ("stop_improved_or_stable", "", "ordering"): self._main_reason,
            ("concomitant_other", "", "none"): self._no_other_drug,
        }
        for name in FOLLOWUPS:
            found["mrss", name, "significant"] = partial(self._lower_at, (name,))
        for variable, timepoint, kind in (
            ("responder_prednisone", "m6", "not_significant"),
            ("haq_di", "m12", "not_significant"),
            ("fvc", "m12", "unchanged"),
            ("dlco", "m12", "unchanged"),
            *((name, "m12", "not_significant") for name in SEVERITIES),
        ):
            found[variable, timepoint, kind] = partial(tested, variable, timepoint)
        for variable, timepoint, kind in (
            ("concomitant_mmf", "", "large_share"),
            ("concomitant_mmf", "", "majority"),
            ("prior_mmf", "baseline", "large_share"),
            ("prior_therapy", "baseline", "majority"),
            ("responder", "m6", "majority"),
            ("responder", "m12", "majority"),
        ):
            found[variable, timepoint, kind] = partial(self._majority, variable, timepoint)
        for name in TIMEPOINTS:
            response = partial(self._none_predicts, "response", name, (PRINTED_BY_ITSELF,))
            found["responder_predictors", name, "none_predict"] = response
            change = partial(self._none_predicts, "change", name, ())
            found["mrss_change_predictors", name, "none_predict"] = change
        return found

    # Words

    def _decide(self, p: pd.Series[Any]) -> Any:
        return decision(p, self.alpha)

    def _p(self, variable: str, timepoint: str) -> pd.Series[Any]:
        return self.figures.table(variable, timepoint)["p"].astype(float)

    def _falls(self, measure: str, timepoint: str, *, restricted: bool = False) -> pd.Series[Any]:
        table = self.tables.paired(measure, timepoint, restricted=restricted)
        return table["change_mean"] < -SMALL

    # Tests of change

    def _tested(self, variable: str, timepoint: str) -> Answers:
        p = self._p(variable, timepoint)
        return Answers(self._decide(p), p, _p_words(p))

    def _lower_or_not(self, p: pd.Series[Any], falls: pd.Series[Any]) -> Answers:
        word = np.where(falls, self._decide(p), "not lower")
        return Answers(word, p, _joined([_direction(falls), _p_words(p)], ", "), p.notna())

    def _rating_lower(self) -> Answers:
        falls = self._falls("patient_rating", "m12")
        return self._lower_or_not(self._p("patient_rating", "m12"), falls)

    def _lower_at(self, names: Sequence[str]) -> Answers:
        found = []
        for name in names:
            found.append(self._lower_or_not(self._p("mrss", name), self._falls("mrss", name)))
        words = [
            [f"month {self.tables.choices.month(name)}: {text}" for text in answers.detail]
            for name, answers in zip(names, found, strict=True)
        ]
        word = _worst([answers.word for answers in found], "significant")
        # The largest p decides whether all of them are below the level.
        largest = np.max([np.asarray(answers.p, dtype=float) for answers in found], axis=0)
        return Answers(word, largest, _joined(words, "; "), ~np.isnan(largest))

    def _decreasing(self, *, restricted: bool) -> Answers:
        values = self.tables.measured("mrss", restricted=restricted)["baseline"]
        means = [values.groupby(level="cohort").mean()]
        for name in FOLLOWUPS:
            table = self.tables.paired("mrss", name, restricted=restricted)
            means.append(table["followup_mean"])
        courses = np.stack([each.to_numpy(dtype=float) for each in means], axis=1)
        # A difference with NaN is never below zero, so a time point without patients fails.
        holds = (np.diff(courses, axis=1) < -SMALL).all(axis=1)
        words = [f"means {', '.join(_number(mean, 1) for mean in course)}" for course in courses]
        return Answers(_truth(holds), np.nan, words, ~np.isnan(courses).any(axis=1))

    def _same_skin_scores(self) -> Answers:
        same: Any = True
        known: Any = True
        words = []
        for name in FOLLOWUPS:
            primary, again = (
                self.tables.paired("mrss", name, restricted=restricted)
                for restricted in (False, True)
            )
            decisions = self._decide(primary["p"]) == self._decide(again["p"])
            falls = self._falls("mrss", name) == self._falls("mrss", name, restricted=True)
            same = same & decisions & falls.to_numpy() & again["p"].notna().to_numpy()
            known = known & again["p"].notna().to_numpy() & primary["p"].notna().to_numpy()
            texts = zip(again["n"], _p_words(again["p"]), strict=True)
            month = self.tables.choices.month(name)
            words.append([f"month {month}: n = {n}, {text}" for n, text in texts])
        return Answers(_truth(same), np.nan, _joined(words, "; "), known)

    def _same(self, measures: Iterable[str]) -> Answers:
        same, words = True, []
        for measure in measures:
            first, again = self._p(measure, "m12"), self._p(f"{measure}_restricted", "m12")
            same = same & (self._decide(first) == self._decide(again)) & again.notna().to_numpy()
            texts = zip(_p_words(again), _p_words(first), strict=True)
            words.append([f"{measure}: {tight} for {wide}" for tight, wide in texts])
        return Answers(_truth(same), np.nan, _joined(words, "; "))

    def _is_borderline(self, p: pd.Series[Any]) -> Any:
        return ((p >= self.alpha / 2) & (p <= 2 * self.alpha)).to_numpy()

    def _prednisone_borderline(self) -> Answers:
        p = self._p("responder_prednisone", "m12")
        return Answers(_truth(self._is_borderline(p)), p, _p_words(p), p.notna())

    def _borderline_lower(self, *, restricted: bool) -> Answers:
        p = self._p("severity_muscle_restricted" if restricted else "severity_muscle", "m12")
        falls = self._falls("severity_muscle", "m12", restricted=restricted)
        words = _joined([_direction(falls), _p_words(p)], ", ")
        return Answers(_truth(self._is_borderline(p) & falls.to_numpy()), p, words, p.notna())

    def _odds_below_one(self) -> Answers:
        table = self.figures.table("responder_prednisone", "m12")
        words = ["no odds ratio" if np.isnan(x) else f"odds ratio {x:.3f}" for x in table["or"]]
        return Answers(_truth(table["or"] < 1 - SMALL), table["p"], words, table["or"].notna())

    def _disability_lower(self) -> Answers:
        before = self.figures.table("haq_di", "baseline")["mean"].astype(float)
        after = self.figures.table("haq_di", "m12")["mean"].astype(float)
        texts = zip(before, after, strict=True)
        words = [f"{_number(first, 3)} to {_number(last, 3)}" for first, last in texts]
        change = after - before
        return Answers(_truth(change < -SMALL), np.nan, words, change.notna())

    def _renal_unchanged(self) -> Answers:
        table = self.tables.paired("severity_renal", "m12")
        changed = table["increased"] + table["decreased"]
        some = table["n"] > 0
        words = [f"{c} of {n} changed" for c, n in zip(changed, table["n"], strict=True)]
        return Answers(_truth(some & (changed == 0)), table["p"], words, some)

    def _organs_unchanged(self) -> Answers:
        every = {name: self._p(name, "m12") for name in SEVERITIES}
        word = _worst([self._decide(p) for p in every.values()], UNCHANGED)
        words = [[f"{name}: {text}" for text in _p_words(p)] for name, p in every.items()]
        least = pd.concat(every.values(), axis=1).min(axis=1)
        return Answers(word, least, _joined(words, "; "))

    # Counts

    def _cpk_normalised(self) -> Answers:
        serial = self.figures.serial_cpk()
        normal = (serial["before"] > CPK_NORMAL) & (serial["last"] <= CPK_NORMAL)
        counts = normal.groupby(level="cohort").agg(["sum", "size"])
        counts = counts.reindex(self.tables.cohorts, fill_value=0).astype(int)
        holds = (counts["size"] > 0) & (counts["sum"] == counts["size"])
        texts = zip(counts["sum"], counts["size"], strict=True)
        words = [f"{s} of {n} from above {CPK_NORMAL} U/L to it or below" for s, n in texts]
        return Answers(_truth(holds), np.nan, words, counts["size"] > 0)

    def _count(self, variable: str) -> Any:
        return self.figures.table(variable, "")["count"].to_numpy(dtype=int)

    def _commonest_effects(self) -> Answers:
        named = [f"ae_{name}" for name in COMMONEST]
        # The meningitis stands in Table 2 as part of the headaches, not as a row of its own.
        apart = {*named, "ae_aseptic_meningitis"}
        others = [name for name in self.tables.names("ae_") if name not in apart]
        least = np.min([self._count(name) for name in named], axis=0)
        most = np.max([self._count(name) for name in others], axis=0)
        texts = zip(least, most, strict=True)
        words = [f"{a} or more of each; of any other at most {b}" for a, b in texts]
        recorded = self._recorded(*named, *others)
        return Answers(_truth(least > most), np.nan, words, recorded)

    def _recorded(self, *names: str) -> Any:
        """Return for each cohort whether one of some columns has a value at all."""
        return self.tables.recorded(*names).groupby(level="cohort").first().to_numpy()

    def _main_reason(self) -> Answers:
        better = self._count("stop_improved_or_stable")
        others = np.sum([self._count(f"stop_{name}") for name in STOP_REASONS], axis=0) - better
        texts = zip(better, others, strict=True)
        words = [f"{a} against {b} for all other reasons" for a, b in texts]
        return Answers(_truth(better > others), np.nan, words, self._recorded("stop_reason"))

    def _no_other_drug(self) -> Answers:
        allowed = {f"concomitant_{name}" for name in GIVEN}
        names = [name for name in self.tables.names("concomitant_") if name not in allowed]
        given = np.zeros(len(self.tables.cohorts), dtype=int)
        for name in names:
            given += self._count(name) > 0
        words = [f"{count} of {len(names)} further drugs recorded were given" for count in given]
        recorded = self._recorded(*names) if names else True
        return Answers(_truth(given == 0), np.nan, words, recorded)

    def _majority(self, variable: str, timepoint: str) -> Answers:
        table = self.figures.table(variable, timepoint)
        words = [f"{c} of {n}" for c, n in zip(table["count"], table["n"], strict=True)]
        return Answers(_truth(table["percent"] > 50), np.nan, words, table["n"] > 0)

    # Predictors

    def _none_predicts(self, outcome: str, timepoint: str, without: Sequence[str]) -> Answers:
        every = self.regressions()
        chosen = (every["outcome"] == outcome) & (every["timepoint"] == timepoint)
        table = smallest(every[chosen & ~every["predictor"].isin(without)], self.alpha)
        word = np.where(table["significant"] > 0, "significant", UNCHANGED)
        words = [
            "no regression is estimable"
            if np.isnan(p)
            else f"smallest {_p_word(p)} ({name}); {n - silent} regressions, {silent} not estimable"
            for p, name, n, silent in zip(
                table["p"],
                table["predictor"],
                table["regressions"],
                table["not_estimable"],
                strict=True,
            )
        ]
        return Answers(word, table["p"], words)


def decision(p: pd.Series[Any], alpha: float) -> Any:
    """Return ``significant``, ``not_significant`` or, where p is NaN, ``not computable``."""
    words = [NOT_COMPUTABLE, "significant"]
    return np.select([p.isna(), p < alpha], words, UNCHANGED).astype(object)


def _truth(holds: Any) -> Any:
    return np.where(np.asarray(holds, dtype=bool), "true", "false")


def _worst(words: Sequence[Any], good: str) -> Any:
    """Return for each cohort the gravest word that is not the good one, if there is any."""
    found = np.full(len(words[0]), good, dtype=object)
    every = (NOT_COMPUTABLE, "not lower", "significant", "not_significant")
    for word in reversed([each for each in every if each != good]):
        found[np.any([each == word for each in words], axis=0)] = word
    return found


def _number(value: float, decimals: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{decimals}f}"


def _p_word(p: float) -> str:
    if np.isnan(p):
        return "no p value"
    text = p_text(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _p_words(p: pd.Series[Any]) -> list[str]:
    return [_p_word(each) for each in p]


def _direction(falls: pd.Series[Any]) -> list[str]:
    return ["lower" if each else "not lower" for each in falls]


def _joined(parts: Sequence[Sequence[str]], separator: str) -> list[str]:
    """Join the parts of each cohort's text."""
    return [separator.join(texts) for texts in zip(*parts, strict=True)]
